# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # status and output are bats'; what containers expand
#
# podman, with bock-runc as its runtime: what the options of `podman run` make of a container, as seen inside.

setup_file() {
	load ../helpers/podman
	podman_setup_file
}
teardown_file() { podman_teardown_file; }
setup() {
	load ../helpers/podman
	podman_setup
}
teardown() { podman_teardown; }

# seen SCRIPT [OPTION...]: runs it in a container with these options; it must succeed
seen() {
	local script=$1
	shift
	prun "$@" "$IMAGE" sh -c "$script"
	assert_ran 0
}

# mount_of PATH: below, the options and the propagation of the mount on PATH, as the container sees it
mount_of() { printf 'awk '\''$5 == "%s" { print $6 " " $7 }'\'' /proc/self/mountinfo' "$1"; }

caps() { awk '/^Cap'"$1"'/ { print $2 }'; }

# ---- file systems ----------------------------------------------------------------------------------

@test "podman --read-only: the root can't be written, /tmp and /run can; --read-only-tmpfs=false" {
	seen 'touch /x 2>/dev/null || echo read-only; touch /tmp/x /run/x && echo writable; grep -c " / / ro" /proc/self/mountinfo >/dev/null; echo done' --read-only
	[ "$output" = 'read-only
writable
done' ] || fail "$output"
	seen 'touch /tmp/x 2>/dev/null || echo read-only' --read-only --read-only-tmpfs=false
	[ "$output" = read-only ]
}

@test "podman --tmpfs: size, mode, flags; what was there is copied up" {
	mkdir "$T/c"
	seen "stat -c %a /scratch; df -k /scratch | tail -n 1 | awk '{ print \$2 }'; $(mount_of /scratch)" \
		--tmpfs /scratch:rw,size=64k,mode=1770,noexec,nosuid,nodev
	[ "${lines[0]} ${lines[1]}" = '1770 64' ] || fail "$output"
	[[ ${lines[2]} == rw,nosuid,nodev,noexec* ]] || fail "$output"
	seen 'cat /etc/passwd | head -n 1; mount | grep "on /etc type" | cut -d" " -f 5' --tmpfs /etc:rw
	[[ $output == root:*tmpfs ]] || fail "$output"
	seen 'ls -A /bin | wc -l' --mount type=tmpfs,destination=/scratch,tmpfs-size=64k,notmpcopyup
	[ "$output" -gt 100 ]
}

@test "podman --volume: read-only, flags, files, relabelling, names, ownership" {
	mkdir "$T/v"
	echo hello >"$T/v/f"
	seen "cat /v/f; touch /v/x 2>/dev/null || echo read-only; $(mount_of /v)" --volume "$T/v:/v:ro"
	[[ $output == hello$'\n'read-only$'\n'ro,* ]] || fail "$output"
	seen "$(mount_of /v)" --volume "$T/v:/v:rw,noexec,nosuid,nodev"
	[[ $output == rw,nosuid,nodev,noexec* ]] || fail "$output"
	seen 'cp /bin/busybox /v/busybox && /v/busybox echo runs; chmod 4755 /v/busybox' --volume "$T/v:/v:exec,suid,dev"
	[ "$output" = runs ]
	prun --volume "$T/v:/v:noexec" "$IMAGE" /v/busybox echo runs
	assert_ran 126
	for word in z Z; do
		seen 'cat /v/f' --volume "$T/v:/v:$word"
		[ "$output" = hello ]
	done
	seen 'cat /one' --volume "$T/v/f:/one:ro"
	[ "$output" = hello ]
	seen 'touch /n/kept; ls /n' --volume "name-$NAME:/n"
	seen 'ls /n' --volume "name-$NAME:/n:ro,nocopy"
	[ "$output" = kept ]
	seen 'stat -c %u:%g /v' --user 1000:1000 --volume "$T/v:/v:U"
	[ "$output" = 1000:1000 ]
	seen 'echo changed >/v/f; cat /v/f' --volume "$T/v:/v:O"
	[ "$output:$(cat "$T/v/f")" = changed:hello ] || fail "$output"
	pm volume rm "name-$NAME"
}

@test "podman --volume: every word of propagation" {
	local word want
	# what is bound must be a mount that is shared, in the namespace podman runs in
	mkdir "$T/v"
	nsenter --target "$HOLDER" --mount sh -c "mount -t tmpfs none '$T/v' && mount --make-shared '$T/v' && mkdir '$T/v/sub'"
	for word in private rprivate slave rslave shared rshared; do
		seen "$(mount_of /v)" --volume "$T/v:/v:$word"
		case $word in
		*private) want='[^ ]* -' ;;
		*slave) want='[^ ]* master:[0-9]+' ;;
		*shared) want='[^ ]* shared:[0-9]+' ;;
		esac
		[[ $output =~ ^$want$ ]] || fail "$word: $output"
	done
	seen "$(mount_of /v)" --mount "type=bind,source=$T/v,destination=/v,bind-propagation=rslave,ro"
	[[ $output =~ ^ro[^\ ]*\ master: ]] || fail "$output"
	# and it works: in both directions with rshared, in one with rslave, recursive or not
	nsenter --target "$HOLDER" --mount mount -t tmpfs deep "$T/v/sub"
	seen 'mount -t tmpfs inner /v/sub ; mount | grep -c "/v/sub"' --volume "$T/v:/v:rshared" --cap-add SYS_ADMIN --security-opt seccomp=unconfined
	[ "$output" = 2 ] || fail "$output"
	nsenter --target "$HOLDER" --mount --pid grep -c " $T/v/sub " /proc/self/mountinfo >"$T/count"
	[ "$(cat "$T/count")" = 2 ]
	nsenter --target "$HOLDER" --mount umount "$T/v/sub"
	seen 'mount -t tmpfs inner /v/sub; mount | grep -c "/v/sub"' --volume "$T/v:/v:rslave" --cap-add SYS_ADMIN --security-opt seccomp=unconfined
	[ "$output" = 2 ] || fail "$output"
	nsenter --target "$HOLDER" --mount --pid grep -c " $T/v/sub " /proc/self/mountinfo >"$T/count"
	[ "$(cat "$T/count")" = 1 ]
	seen 'mount | grep -c "/v/sub" ; :' --volume "$T/v:/v:private,bind"
	[ "$output" = 0 ] || fail "not recursive: $output"
	nsenter --target "$HOLDER" --mount umount "$T/v/sub" "$T/v"
}

@test "podman --device" {
	seen 'ls -l /dev/zz | cut -c 1,5-6; head -c 3 /dev/zz | wc -c' --device /dev/zero:/dev/zz:r
	[[ $output == c*3 ]] || fail "$output"
}

# ---- privileges --------------------------------------------------------------------------------------

@test "podman --privileged: all that podman may give, nothing masked, the host's devices" {
	seen 'cat /proc/self/status; ls /dev | wc -l; mount -t tmpfs none /tmp && echo mounted; mount | grep -c " /proc/.* (ro"; :' --privileged
	[ "$(caps Eff <<<"$output")" = "$(caps Bnd </proc/self/status)" ] || fail "$output"
	grep -q '^Seccomp:	0' <<<"$output"
	grep -qx mounted <<<"$output"
	[ "$(tail -n 1 <<<"$output")" = 0 ]
	seen 'grep ^CapEff /proc/self/status; ls /dev | wc -l; mount -t tmpfs none /tmp 2>/dev/null || echo refused'
	[ "$(tail -n 1 <<<"$output")" = refused ]
}

@test "podman --cap-add, --cap-drop, for root and for a user" {
	seen 'cat /proc/self/status' --cap-drop ALL
	[ "$(caps Eff <<<"$output")$(caps Bnd <<<"$output")" = 00000000000000000000000000000000 ]
	seen 'cat /proc/self/status' --cap-drop ALL --cap-add NET_RAW
	[ "$(caps Eff <<<"$output") $(caps Bnd <<<"$output")" = '0000000000002000 0000000000002000' ]
	seen 'cat /proc/self/status' --cap-drop ALL --cap-add NET_RAW --user 1000
	[ "$(caps Eff <<<"$output") $(caps Amb <<<"$output")" = '0000000000002000 0000000000002000' ] || fail "$output"
	seen 'cat /proc/self/status' --user 1000
	[ "$(caps Eff <<<"$output")" = 0000000000000000 ]
}

@test "podman --security-opt: seccomp profiles, none, no-new-privileges, unmasked paths" {
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}' >"$T/profile.json"
	seen 'mkdir /d 2>&1; grep ^Seccomp: /proc/self/status' --security-opt "seccomp=$T/profile.json"
	[[ $output == *'Permission denied'*'Seccomp:	2' ]] || fail "$output"
	seen 'grep ^Seccomp: /proc/self/status' --security-opt seccomp=unconfined
	[ "$output" = 'Seccomp:	0' ]
	seen 'grep -E "^(Seccomp:|NoNewPrivs)" /proc/self/status' --security-opt no-new-privileges
	[ "$output" = 'NoNewPrivs:	1
Seccomp:	2' ] || fail "$output"
	seen 'touch /proc/sys/kernel/x ; mount | grep -c " /proc/sys "; cat /proc/kcore 2>/dev/null | head -c 1 | wc -c' --security-opt unmask=ALL
	[ "${lines[0]}" = 0 ] || fail "$output"
	seen 'test -d /sys/firmware && ls /sys/firmware | wc -l; mount | grep -c " /sys/dev "' --security-opt mask=/sys/dev
	[[ $output == *1 ]] || fail "$output"
}

# ---- namespaces --------------------------------------------------------------------------------------

@test "podman --uidmap, --gidmap: other ids outside" {
	mkdir "$T/v"
	chown 100000:200000 "$T/v"
	seen 'cat /proc/self/uid_map /proc/self/gid_map | tr -s " "; id -u; touch /v/new; stat -c %u:%g /v; echo >/dev/null; ls -ld /proc | cut -c 1' \
		--uidmap 0:100000:65536 --gidmap 0:200000:65536 --volume "$T/v:/v"
	[ "$output" = ' 0 100000 65536
 0 200000 65536
0
0:0
d' ] || fail "$output"
	[ "$(stat -c %u:%g "$T/v/new")" = 100000:200000 ]
	pr -d --name "$NAME" --uidmap 0:100000:65536 --gidmap 0:200000:65536 "$IMAGE" sleep 1000
	got pm exec --user 7:8 "$NAME" sh -c 'id -u; id -g; grep ^Uid /proc/1/status'
	assert_ran 0 '7
8
Uid:	0	0	0	0'
}

@test "podman --pid, --ipc, --uts, --cgroupns, --userns: of the host, and of another container" {
	local ns option
	pr -d --name "$NAME" --ipc shareable "$IMAGE" sh -c 'exec sleep 1001'
	for ns in pid ipc uts cgroup; do
		option=--$ns
		[ "$ns" != cgroup ] || option=--cgroupns
		seen "readlink /proc/self/ns/$ns" "$option=host"
		[ "$output" = "$(nsenter --target "$HOLDER" --mount --pid --cgroup readlink "/proc/$([ "$ns" = pid ] && echo 1 || echo self)/ns/$ns")" ] || fail "$ns: $output"
		seen "readlink /proc/self/ns/$ns" "$option=private"
		[ "$output" != "$(readlink "/proc/$HOLDER/ns/$ns")" ] || fail "$ns: $output"
		[ "$ns" = uts ] || [ "$ns" = cgroup ] || {
			seen "readlink /proc/self/ns/$ns" "$option=container:$NAME"
			[ "$output" = "$(pm exec "$NAME" readlink "/proc/self/ns/$ns")" ] || fail "$ns: $output"
		}
	done
	seen 'cat /proc/1/cmdline | tr "\0" " "' --pid "container:$NAME"
	[ "$output" = 'sleep 1001 ' ] || fail "$output"
}

@test "podman --network=host, none, of another container" {
	got pm run --rm --network=host "$IMAGE" readlink /proc/self/ns/net
	assert_ran 0 "$(readlink "/proc/$HOLDER/ns/net")"
	prun "$IMAGE" sh -c 'ip link show lo | grep -c LOOPBACK,UP; ls /sys/class/net'
	assert_ran 0 '1
lo'
}

@test "podman --cgroups=disabled, --cgroup-parent" {
	prun --cgroups=disabled "$IMAGE" cat /proc/self/cgroup
	assert_ran 0
	[[ $output != *libpod* ]] || fail "$output"
	pr -d --name "$NAME" --cgroups=disabled "$IMAGE" sleep 1000
	got pm exec "$NAME" echo in
	assert_ran 0 in
	pm rm --force --time 0 "$NAME"
	prun --cgroup-parent /ours --cgroupns=host "$IMAGE" cat /proc/self/cgroup
	assert_ran 0
	[[ $output == *0::/ours/libpod-* ]] || fail "$output"
}

# ---- the process -------------------------------------------------------------------------------------

@test "podman --ulimit, --oom-score-adj, --sysctl, --shm-size, --stop-signal" {
	seen 'ulimit -n; ulimit -Hc; cat /proc/self/oom_score_adj; cat /proc/sys/net/ipv4/ip_default_ttl; df -k /dev/shm | tail -n 1 | tr -s " " | cut -d" " -f 2' \
		--ulimit nofile=100:200 --ulimit core=0 --ulimit "nproc=$(ulimit -u)" --oom-score-adj 500 --sysctl net.ipv4.ip_default_ttl=33 --shm-size 1m
	[ "$output" = '100
0
500
33
1024' ] || fail "$output"
	pr -d --name "$NAME" --stop-signal USR2 "$IMAGE" sh -c 'trap "exit 3" USR2; echo up; while :; do sleep 0.1; done'
	wait_for 10 sh -c "'$P/bin/pm' logs $NAME | grep -q up"
	pm stop --time 10 "$NAME"
	[ "$(pm inspect --format '{{.State.ExitCode}}' "$NAME")" = 3 ]
}

@test "podman --preserve-fds, --entrypoint, --env-host" {
	echo through >"$T/file"
	[ "$("$P/bin/pm" run --rm --network=none --preserve-fds 1 "$IMAGE" sh -c 'cat <&3' 3<"$T/file")" = through ]
	prun --entrypoint '["/bin/echo", "entry"]' "$IMAGE" point
	assert_ran 0 'entry point'
	export FROM_HERE=yes
	prun --env-host "$IMAGE" sh -c 'echo "$FROM_HERE"'
	assert_ran 0 yes
}

@test "podman: a limit of a controller that cgroup v2 does not hold is refused by its name" {
	! grep -qw memory "$(cgroup2_path)/cgroup.controllers" || skip 'cgroup v2 holds the memory controller'
	prun --memory 64m "$IMAGE" true
	[ "$status" -eq 126 ] || [ "$status" -eq 127 ] || fail "$status"
	[[ $stderr == *memory* ]] || fail "$stderr"
	prun "$IMAGE" true
	assert_ran 0
}

@test "podman: the runtime was called as it is known to be called, and served each call" {
	assert_calls_known
}
