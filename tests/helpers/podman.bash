# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # bats' variables; used from the bats files
#
# podman with bock-runc as its runtime, for a bats file:
#
#	setup_file() {
#		load ../helpers/podman
#		podman_setup_file
#	}
#	teardown_file() { podman_teardown_file; }
#	setup() {
#		load ../helpers/podman
#		podman_setup
#	}
#	teardown() { podman_teardown; }
#
# One process holds a mount, a network, a pid and a cgroup namespace for the whole file. podman is run in these and
# finds its configuration in an /etc/containers of theirs, its storage and everything that it writes elsewhere
# on file systems that go away with them; so do its processes. $P is the file's folder, $IMAGE busybox;
# $P/calls has one line for each call of the runtime.

# shellcheck source=tests/helpers/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
# shellcheck source=tests/helpers/calls.bash
. "$(dirname "${BASH_SOURCE[0]}")/calls.bash"

# ---- the namespaces --------------------------------------------------------------------------------

# "MOUNTPOINT TYPE OPTIONS" of each cgroup hierarchy
hierarchies() {
	awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup2?$/) print $5, $(i + 1), $NF }' /proc/self/mountinfo
}

# The cgroup of this process in the hierarchy of these mount options, from its root
cgroup_of() { # TYPE OPTIONS
	awk -F: -v type="$1" -v options=",${2/name=/name=}," 'type == "cgroup2" ? $1 == 0 :
		$1 != 0 && index(options, "," (split($2, c, ",") ? c[1] : "") ",") { print $3; exit }' /proc/self/cgroup
}

# Moves this process into a cgroup of the file's own in each hierarchy, where podman may do as it likes.
cgroups_enter() {
	local mount type options
	: >"$P/cgroups.back"
	while read -r mount type options; do
		printf '%s %s\n' "$mount" "$mount$(cgroup_of "$type" "$options")" >>"$P/cgroups.back"
		mkdir "$mount/$BASE" || return 1
		if [ -e "$mount/$BASE/cpuset.mems" ] && [ "$type" = cgroup ]; then
			cat "$mount/cpuset.cpus" >"$mount/$BASE/cpuset.cpus"
			cat "$mount/cpuset.mems" >"$mount/$BASE/cpuset.mems"
			echo 1 >"$mount/$BASE/cgroup.clone_children"
		fi
		echo "$$" >"$mount/$BASE/cgroup.procs" || return 1
	done < <(hierarchies)
}

cgroups_leave() {
	local mount back
	while read -r mount back; do
		echo "$$" >"$back/cgroup.procs" || :
		wait_for 5 cgroup_gone "$mount/$BASE"
	done <"$P/cgroups.back"
}

cgroup_gone() {
	find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
	[ ! -e "$1" ]
}

# The holder, as PID 1 of its namespaces
holder() {
	local mount type options
	mount --make-rprivate /
	while read -r mount type options; do
		umount "$mount"
		[[ $options != rw,* ]] || options=${options#rw,}
		if [ "$type" = cgroup2 ]; then
			mount -t cgroup2 none "$mount"
		else
			mount -t cgroup -o "${options/#name=/none,name=}" none "$mount"
		fi
	done < <(hierarchies)
	mount -t tmpfs none /etc/containers
	cp -r "$P"/etc/. /etc/containers/
	mount -t tmpfs none /dev/shm
	for options in /run /var/lib/containers /var/lib/cni; do
		[ ! -d "$options" ] || mount -t tmpfs none "$options"
	done
	mkdir -p /run/lock
	ip link set lo up
	: >"$P/ready"
	exec sleep infinity
}

# ---- the configuration -----------------------------------------------------------------------------

write_configuration() {
	local nofile nproc
	# podman's own default asks for more than a root without CAP_SYS_RESOURCE may have
	nofile=$(ulimit -Hn)
	nproc=$(ulimit -Hu)
	[ "$nofile" != unlimited ] || nofile=20000
	[ "$nproc" != unlimited ] || nproc=20000
	mkdir -p "$P/etc/containers.conf.d" "$P/bin"
	cat >"$P/etc/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=$nofile:$nofile", "nproc=$nproc:$nproc"]
		log_driver = "k8s-file"
		pids_limit = 0
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "bock-runc"
	CONF
	sed "s|@bindir@|$P/bin|" "$TOP/share/containers.conf.d/50-bock-runc.conf.in" \
		>"$P/etc/containers.conf.d/50-bock-runc.conf"
	cat >"$P/etc/storage.conf" <<-CONF
		[storage]
		driver = "overlay"
		graphroot = "/var/lib/containers/storage"
		runroot = "/run/containers/storage"
	CONF
	printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$P/etc/policy.json"
	calls_recorder "$P/bin/bock-runc" "$BOCK_RUNC" "$P/calls"
}

# ---- for the bats files ----------------------------------------------------------------------------

podman_setup_file() {
	need_root
	need_program runc
	need_busybox
	need_cmd podman
	need_cmd conmon
	need_cmd jq
	need_cmd unshare util-linux
	export P=$BATS_FILE_TMPDIR IMAGE=localhost/bb:1 BASE=bock-podman-$$ HOLDER
	write_configuration
	cgroups_enter || fail 'cannot make cgroups of our own' || return 1
	export -f holder hierarchies
	setsid unshare --mount --net --pid --fork --kill-child --mount-proc --cgroup \
		bash -c holder </dev/null >"$P/holder.log" 2>&1 3>&- &
	UNSHARE=$!
	export UNSHARE
	wait_for 10 test -e "$P/ready" || fail "$(cat "$P/holder.log")" || return 1
	HOLDER=$(pgrep -P "$UNSHARE")
	cat >"$P/bin/pm" <<-PM
		#!/bin/sh
		exec nsenter --target $HOLDER --mount --net --pid --cgroup podman "\$@"
	PM
	chmod 755 "$P/bin/pm"
	rootfs_make "$P/rootfs"
	printf '#!/bin/sh\n' >"$P/rootfs/bin/not-executable"
	tar -C "$P/rootfs" -cf "$P/bb.tar" .
	pm import --quiet --change 'ENV PATH=/bin' "$P/bb.tar" "$IMAGE" >"$P/import.log" 2>&1 ||
		fail "$(cat "$P/import.log")"
}

podman_teardown_file() {
	[ -z "${UNSHARE-}" ] || kill -KILL "$HOLDER" "$UNSHARE" 2>/dev/null || :
	[ ! -e "$P/cgroups.back" ] || cgroups_leave
}

podman_setup() {
	T=$BATS_TEST_TMPDIR
	NAME=t$$-$BATS_TEST_NUMBER
}

podman_teardown() {
	pm rm --force --all --time 0 >/dev/null 2>&1 || :
}

# pm ARG...: podman. conmon stays behind and must not hold bats' descriptor.
pm() { "$P/bin/pm" "$@" 3>&-; }

# pr ARG...: `podman run` without a network, which no test here is about
pr() { pm run --network=none "$@"; }

# got COMMAND...: like bats' `run --separate-stderr`, which warns of every 127
got() {
	status=0
	"$@" >"$T/.stdout" 2>"$T/.stderr" </dev/null || status=$?
	output=$(<"$T/.stdout")
	stderr=$(<"$T/.stderr")
	mapfile -t lines <<<"$output"
}

prun() { got pr --rm "$@"; } # [OPTION...] IMAGE COMMAND...

# assert_ran STATUS [OUTPUT]: what the last run left
assert_ran() {
	[ "$status" -eq "$1" ] || fail "status $status, expected $1; output: $output; stderr: $stderr" || return 1
	[ $# -eq 1 ] || [ "$output" = "$2" ] || fail "output: $output
expected: $2; stderr: $stderr"
}

# ---- what podman and conmon call ---------------------------------------------------------------------

# Fails when a call of this file was not one of the known.
assert_calls_known() {
	[ -s "$P/calls" ] || fail 'the runtime was never called' || return 1
	calls_unknown "$P/calls" podman || fail "new calls: see above; the known: $calls_table"
}
