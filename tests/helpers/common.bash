# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # status and output are bats'
#
# For every bats file:
#
#	setup() {
#		load ../helpers/common
#		common_setup
#	}
#	teardown() { common_teardown; }
#
# After common_setup: $T is a folder of the test's own, gone after it; $STATE the state folder that
# bock_runc uses, $STORE the image store of bock_image and bock_build; $ID a container id that no other
# test has. common_teardown deletes what a failed test left running, and does not judge it: a test
# that promises to leave nothing says so by assert_no_leftovers.
#
# Messages of failed checks go to stderr, where bats shows them below the failed test.

bats_require_minimum_version 1.5.0

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BOCK_BUILDDIR=${BOCK_BUILDDIR:-$TOP/build}
export BOCK_RUNC=${BOCK_RUNC:-$BOCK_BUILDDIR/bock-runc/bock-runc}
export BOCK_IMAGE=${BOCK_IMAGE:-$BOCK_BUILDDIR/bock-image/bock-image}
export BOCK_BUILD=${BOCK_BUILD:-$BOCK_BUILDDIR/bock-build/bock-build}
export BOCK_NET=${BOCK_NET:-$BOCK_BUILDDIR/bock-net/bock-net}

common_setup() {
	local program
	for program in "$BOCK_RUNC" "$BOCK_IMAGE" "$BOCK_BUILD"; do
		PATH=$(dirname "$program"):$PATH
	done
	export PATH
	T=$BATS_TEST_TMPDIR
	STATE=$T/state
	STORE=$T/store
	ID=t$$-${BATS_TEST_NUMBER:-0}
	leftovers_snapshot
}

common_teardown() {
	local id
	[ -d "${STATE-}" ] || return 0
	for id in "$STATE"/*; do
		if [ -d "$id" ]; then
			"$BOCK_RUNC" --root "$STATE" delete --force "$(basename "$id")" >/dev/null 2>&1 || :
		fi
	done
}

# ---- the programs --------------------------------------------------------------------------------

bock_runc() { "$BOCK_RUNC" --root "$STATE" "$@"; }
bock_image() { "$BOCK_IMAGE" --root "$STORE" "$@"; }
bock_build() { "$BOCK_BUILD" --root "$STORE" "$@"; }

# ---- what a test needs; each skips with a reason that a reader can check -------------------------

need_root() {
	[ "$(id -u)" -eq 0 ] || skip "not root (id -u: $(id -u))"
}

# need_cmd COMMAND [PACKAGE]
need_cmd() {
	command -v "$1" >/dev/null || skip "$1 is not installed (Debian: ${2:-$1})"
}

need_program() { # runc|image|build|net
	local -n program=BOCK_${1^^}
	[ -x "$program" ] || skip "$program is not built"
}

need_busybox() {
	busybox_path >/dev/null || skip "no static busybox (Debian: busybox-static)"
}

need_cgroup2() {
	cgroup2_path >/dev/null || skip "no cgroup2 file system is mounted (/proc/self/mountinfo)"
}

# need_controller NAME: cgroup v2 holds it, at its root
need_controller() {
	local root
	need_cgroup2
	root=$(cgroup2_path)
	grep -qw -- "$1" "$root/cgroup.controllers" ||
		skip "cgroup v2 does not hold the controller $1 ($root/cgroup.controllers)"
}

need_user_namespaces() {
	unshare --user true 2>/dev/null || skip "user namespaces are refused (unshare --user true)"
}

# ---- checks ---------------------------------------------------------------------------------------

fail() {
	printf '%s\n' "$*" >&2
	return 1
}

# What `run` left in $status and $output.
assert_status() {
	[ "$status" -eq "$1" ] || fail "status $status, expected $1; output: $output"
}

# assert_output TEXT: the output is TEXT. -p TEXT: it holds it. -e REGEX: it matches.
assert_output() {
	case $1 in
	-p) [[ $output == *"$2"* ]] || fail "'$2' is not in the output: $output" ;;
	-e) [[ $output =~ $2 ]] || fail "the output does not match '$2': $output" ;;
	*) [ "$output" = "$1" ] || fail "output: $output
expected: $1" ;;
	esac
}

refute_output() { # -p TEXT
	[[ $output != *"$2"* ]] || fail "'$2' is in the output: $output"
}

# wait_for SECONDS COMMAND...: runs it until it succeeds
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || fail "waited in vain for: $*" || return 1
		sleep 0.05
	done
}

# ---- bundles --------------------------------------------------------------------------------------

busybox_path() {
	local path
	for path in /bin/busybox /usr/bin/busybox; do
		if [ -x "$path" ] && ! ldd "$path" >/dev/null 2>&1; then
			printf '%s\n' "$path"
			return 0
		fi
	done
	return 1
}

# rootfs_make DIR: a root file system of busybox alone, all its applets in /bin
rootfs_make() {
	local template=$BATS_RUN_TMPDIR/busybox-rootfs
	[ -d "$template" ] || rootfs_template "$template" || return 1
	mkdir -p "$1"
	cp -a "$template/." "$1/"
}

rootfs_template() {
	local applet busybox new=$1.$$
	busybox=$(busybox_path) || return 1
	mkdir -p "$new"/{bin,dev,etc,proc,root,sys,tmp,var}
	cp "$busybox" "$new/bin/busybox"
	# busybox makes its links at once where we may chroot; one by one takes seconds
	chroot "$new" /bin/busybox --install -s /bin 2>/dev/null ||
		for applet in $("$busybox" --list); do
			[ "$applet" = busybox ] || ln -s busybox "$new/bin/$applet"
		done
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$new/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$new/etc/group"
	mv -T "$new" "$1"
}

# bundle_make DIR [ARG...]: rootfs_make and the config.json of `bock-runc spec`, without a terminal,
# running ARGs (default: sh)
bundle_make() {
	local dir=$1
	shift
	mkdir -p "$dir"
	rootfs_make "$dir/rootfs" || return 1
	(cd "$dir" && "$BOCK_RUNC" spec) || return 1
	bundle_edit "$dir" '.process.terminal = false | .root.readonly = false'
	[ $# -eq 0 ] || bundle_args "$dir" "$@"
}

# bundle_edit DIR JQ-ARGUMENT...: config.json through jq
bundle_edit() {
	local dir=$1
	shift
	jq "$@" <"$dir/config.json" >"$dir/config.json.new" && mv "$dir/config.json.new" "$dir/config.json"
}

# bundle_args DIR ARG...: what the container runs
bundle_args() {
	local dir=$1
	shift
	bundle_edit "$dir" '.process.args = $ARGS.positional' --args -- "$@"
}

# ---- leftovers ------------------------------------------------------------------------------------

cgroup2_path() {
	local path
	for path in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		if [ "$(stat -f -c %T "$path" 2>/dev/null)" = cgroup2fs ]; then
			printf '%s\n' "$path"
			return 0
		fi
	done
	return 1
}

# What a container may leave on the host: mounts (of this mount namespace), cgroups and processes that
# carry the test's id, files in the state folder.
leftovers() {
	# not what others mount in their own temporary folders meanwhile
	awk -v tmp="${TMPDIR:-/tmp}/" -v mine="$T" -v user="${USER_DIR:-$T}" \
		'index($5, tmp) != 1 || index($5, mine) == 1 || index($5, user) == 1 {
			print "mount " $5 " " $(NF - 2) }' /proc/self/mountinfo
	find /sys/fs/cgroup -type d -name "*$ID*" -printf 'cgroup %p\n' 2>/dev/null || :
	# .cache holds compiled seccomp profiles, which are no container's
	[ ! -d "$STATE" ] || find "$STATE" -mindepth 1 -not -path "$STATE/.cache*" -printf 'state %p\n'
	# pgrep reads the command lines; it leaves out itself, and this shell has no $ID in its own
	pgrep -fa -- "$ID" | sed 's/^/process /' || :
}

leftovers_snapshot() {
	leftovers | sort >"$T/.leftovers"
}

# Fails when there is a mount, cgroup, process or state file that was not there at common_setup. What
# the kernel takes away a moment later (a killed process) is given two seconds.
assert_no_leftovers() {
	local try new
	for try in 1 2 3 4 5 6 7 8 9 10; do
		new=$(leftovers | sort | comm -13 "$T/.leftovers" -)
		[ -n "$new" ] || return 0
		[ "$try" -eq 10 ] || sleep 0.2
	done
	fail "left behind:
$new"
}
