# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034,SC2120 # bats' variables; used from the bats files
#
# For the bats files about bock-runc, instead of common.bash:
#
#	setup() {
#		load ../helpers/runc
#		runc_setup
#	}
#	teardown() { common_teardown; }
#
# $B is where the test's bundle goes; nothing is made there yet.

# shellcheck source=tests/helpers/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
export RUNC_HELPERS
RUNC_HELPERS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

runc_setup() {
	common_setup
	need_root
	need_program runc
	need_busybox
	need_cmd jq
	B=$T/b
}

# bundle ARG...: the test's bundle, running ARGs
bundle() { bundle_make "$B" "$@"; }

# A bundle whose container does nothing until it is killed, and is found by the test's id.
sleeper() { bundle sh -c 'sleep 1000 & wait' "$ID"; }

edit() { bundle_edit "$B" "$@"; }
args() { bundle_args "$B" "$@"; }

# run_it [OPTION...]: bats' run of `bock-runc run`, its stderr in $stderr
run_it() { run --separate-stderr bock_runc run -b "$B" "$@" "$ID"; }

# detached COMMAND...: the same for what leaves a container behind, which keeps the stdout it was given
detached() {
	status=0
	bock_runc "$@" >"$T/.stdout" 2>"$T/.stderr" </dev/null 3>&- || status=$?
	output=$(<"$T/.stdout")
	stderr=$(<"$T/.stderr")
}

status_of() { bock_runc state "$ID" | jq -r .status; }
pid_of() { bock_runc state "$ID" | jq -r .pid; }
is() { [ "$(status_of)" = "$1" ]; } # for wait_for

assert_is() {
	local now
	now=$(status_of) || return 1
	[ "$now" = "$1" ] || fail "the container is $now, expected $1"
}

# assert_error WORDS: the last run failed with 1, saying WORDS on stderr, one line from bock-runc
assert_error() {
	[ "$status" -eq 1 ] || fail "status $status, expected 1; stderr: $stderr; output: $output" || return 1
	[[ $stderr == *"$1"* ]] || fail "'$1' is not in stderr: $stderr"
}

# The last run succeeded and printed nothing but, if given, $1.
assert_ok() {
	[ "$status" -eq 0 ] || fail "status $status; stderr: $stderr; output: $output" || return 1
	[ -z "$stderr" ] || fail "stderr: $stderr" || return 1
	[ $# -eq 0 ] || [ "$output" = "$1" ] || fail "output: $output
expected: $1"
}

# inside SCRIPT: sets what the bundle's container runs and runs it; it must succeed without a word on
# stderr. $output is what it said.
inside() {
	args sh -c "$1" || return 1
	run_it
	assert_ok
}

# refused JQ-FILTER WORDS: run of the bundle changed so fails with these words; the bundle is as before
# and nothing is left
refused() {
	cp "$B/config.json" "$B/config.json.orig"
	edit "$1" || return 1
	run_it
	mv "$B/config.json.orig" "$B/config.json"
	assert_error "$2" || fail "with $1" || return 1
	assert_no_leftovers
}

# ---- attacks ---------------------------------------------------------------------------------------

# The host's side of an attack: a copy of what must stay as it is, and what is to be compared.
canaries() {
	mkdir -p "$T/host/dev" "$T/host/proc" "$T/host/etc" "$T/host/sys/fs/cgroup"
	echo canary >"$T/host/etc/passwd"
	mkfifo "$T/host/dev/ptmx"
	echo canary >"$T/host/dev/null"
	find "$T/host" -printf '%p %y %m %U %s %T@\n' | sort >"$T/before"
}

assert_canaries() {
	find "$T/host" -printf '%p %y %m %U %s %T@\n' | sort | diff "$T/before" - >&2 || fail "the host was changed" || return 1
	grep -q canary "$T/host/etc/passwd" || fail "the host's passwd was changed" || return 1
	grep -q canary "$T/host/dev/null" || fail "the host's null was changed" || return 1
	[ -z "$(grep "$T/host" /proc/self/mountinfo || :)" ] || fail "something is mounted on the host"
}

# The program may run or be refused; the host is as it was.
contained() {
	detached run -b "$B" "$ID"
	[ "$status" -eq 0 ] || assert_error "" || return 1
	[ "$status" -le 1 ] || fail "status $status" || return 1
	assert_canaries || return 1
	assert_no_leftovers
}

# ---- an ordinary user -----------------------------------------------------------------------------

# Sets TEST_USER to an ordinary user with ids in /etc/subuid, made if there is none, and $B and $STATE to
# places of that user's own, gone after user_teardown.
user_setup() {
	need_user_namespaces
	TEST_USER=$(awk -F: '$3 >= 65536 { print $1 }' /etc/subuid 2>/dev/null |
		while read -r name; do getent passwd "$name" >/dev/null && echo "$name"; done | head -n 1)
	if [ -z "$TEST_USER" ]; then
		useradd --create-home --shell /bin/sh bock-test || skip "no user with ids in /etc/subuid, and useradd fails"
		TEST_USER=bock-test
	fi
	TEST_UID=$(id -u "$TEST_USER")
	TEST_SUBUID=$(awk -F: -v n="$TEST_USER" '$1 == n { print $2; exit }' /etc/subuid)
	USER_DIR=$(mktemp -d "${TMPDIR:-/tmp}/bock-user-XXXXXX")
	chmod 711 "$USER_DIR"
	B=$USER_DIR/b
	STATE=$USER_DIR/xdg/bock-runc
	mkdir -m 700 "$USER_DIR/xdg"
	chown "$TEST_UID" "$USER_DIR" "$USER_DIR/xdg"
}

user_teardown() {
	[ -n "${USER_DIR-}" ] || return 0
	common_teardown
	rm -rf "$USER_DIR"
}

# as_user COMMAND...: with the environment of a login
as_user() {
	setpriv --reuid "$TEST_USER" --regid "$(id -g "$TEST_USER")" --init-groups \
		env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$USER_DIR" USER="$TEST_USER" \
		XDG_RUNTIME_DIR="$USER_DIR/xdg" "$@"
}

# The user's bundle, of `spec --rootless`, without a terminal; its root file system is the user's.
user_bundle() {
	rootfs_make "$B/rootfs"
	chown -R "$TEST_UID" "$B"
	as_user "$BOCK_RUNC" spec --rootless --bundle "$B" || return 1
	edit '.process.terminal = false | .root.readonly = false'
	[ $# -eq 0 ] || args "$@"
}

user_runs() { # [OPTION...]
	run --separate-stderr as_user "$BOCK_RUNC" run -b "$B" "$@" "$ID"
}

# Lets the ids of a user namespace come through to the bundle.
open_path() {
	local dir=$B
	while [ "$dir" != / ]; do
		chmod o+x "$dir"
		dir=$(dirname "$dir")
	done
}
