# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # status and output are bats'; $ is for the container's shell
#
# What a hostile reading of bock-runc found: each test failed once.

setup() {
	load ../helpers/runc
	runc_setup
}

teardown() { common_teardown; }

# deleted ID: the second container of a test
deleted() { bock_runc delete --force "$1"; }

# A user namespace of 65536 ids, which the bundle's files then belong to.
user_namespace() {
	need_user_namespaces
	edit '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
		.linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$B/rootfs"
	open_path
}

@test "a neighbour in the same pid namespace can't look into a container that waits for start" {
	bundle sh -c 'until [ -e /go ]; do sleep 0.1; done; ls -l /proc/[0-9]*/fd >/found 2>&1; touch /done; sleep 1000'
	bock_runc run --detach -b "$B" "$ID-a" </dev/null 3>&-
	local neighbour
	neighbour=$(bock_runc state "$ID-a" | jq -r .pid)
	edit --arg path "/proc/$neighbour/ns/pid" '
		(.linux.namespaces[] | select(.type == "pid")).path = $path |
		.linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	bock_runc --log "$T/log" create -b "$B" "$ID" </dev/null 3>&-

	# nothing to find: stdio and the socket of start
	local fds
	fds=$(find "/proc/$(pid_of)/fd" -type l -printf '%f %l\n' | grep -Ev '^[012] ')
	[[ $fds =~ ^[0-9]+\ socket:[^$'\n']*$ ]] || fail "open in a created container: $fds"
	# and no looking, with the same user and rights
	touch "$B/rootfs/go"
	wait_for 10 test -e "$B/rootfs/done"
	grep -q 'cannot read link: Permission denied' "$B/rootfs/found"
	deleted "$ID"
	deleted "$ID-a"
	assert_no_leftovers
}

@test "a time namespace with offsets in a user namespace" {
	bundle true
	user_namespace
	edit '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 100000000}}'
	inside 'cut -d. -f1 /proc/uptime'
	[ "$output" -gt 100000000 ]
}

@test "a signal that the caller ignores is not ignored in the container" {
	bundle grep SigIgn: /proc/self/status
	run --separate-stderr sh -c 'trap "" HUP PIPE USR1 TERM; exec "$@"' - \
		"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_ok "$(printf 'SigIgn:\t0000000000000000')"
}

@test "a caller that ignores SIGCHLD gets the container's status all the same" {
	bundle sh -c 'exit 7'
	run --separate-stderr python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[ "$status" -eq 7 ] || fail "status $status: $stderr"
	assert_no_leftovers
}

@test "without process.capabilities there are none" {
	bundle grep -E '^Cap(Prm|Eff|Bnd|Amb):' /proc/self/status
	edit 'del(.process.capabilities)'
	run_it
	assert_ok "$(printf 'Cap%s:\t0000000000000000\n' Prm Eff Bnd Amb)"
}

@test "a working directory that the container's user can't enter is entered all the same" {
	bundle pwd
	chmod 700 "$B/rootfs/root"
	edit '.process.cwd = "/root" | .process.user = {uid: 65534, gid: 65534}'
	run_it
	assert_ok /root
}

@test "a profile that refuses faccessat2 with EPERM does not hide the program" {
	bundle echo found
	edit '.process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["faccessat2"], action: "SCMP_ACT_ERRNO", errnoRet: 1}]}'
	run_it
	assert_ok found
}

@test "linux.devices: fileMode is at most 0777, but for the type that belongs to it" {
	bundle stat -c %a /dev/one
	edit '.linux.devices = [{path: "/dev/one", type: "c", major: 1, minor: 3, fileMode: 8576}]'
	run_it
	assert_ok 600
	refused '.linux.devices[0].fileMode = 1024' 'linux.devices[0].fileMode: 1024 (02000) is above 0777'
	refused '.linux.devices[0].fileMode = 24960' 'linux.devices[0].fileMode'
}

@test "a tmpfs is for everybody where there was no directory, and as the directory where there was" {
	bundle stat -c %a /new /old
	mkdir -m 750 "$B/rootfs/old"
	edit '.mounts += [{destination: "/new", type: "tmpfs", source: "tmpfs"},
		{destination: "/old", type: "tmpfs", source: "tmpfs"}]'
	run_it
	assert_ok "$(printf '1777\n750')"
}

@test "deleting what a create left that died early does not touch the cgroup it had asked for" {
	need_cgroup2
	need_cmd strace
	bundle sleep 1000
	edit --arg path "/$ID" '.linux.cgroupsPath = $path'
	bock_runc run --detach -b "$B" "$ID-a" </dev/null 3>&-
	# killed where it would have found that the cgroup is not empty
	run strace -f -o "$T/trace" -e trace=mkdir -e inject=mkdir:signal=SIGKILL:when=1 \
		"$BOCK_RUNC" --root "$STATE" create -b "$B" "$ID" </dev/null 3>&-
	[ "$status" -ne 0 ]
	assert_is stopped
	bock_runc delete --force "$ID"
	[ "$(bock_runc state "$ID-a" | jq -r .status)" = running ] || fail "the other container was killed"
	deleted "$ID-a"
	assert_no_leftovers
}

@test "device rules are refused where nothing enforces them" {
	bundle true
	run --separate-stderr unshare --mount sh -c '
		umount -a -l -t cgroup2; umount -a -l -t cgroup; exec "$@"' - \
		"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_error 'linux.resources.devices: there is no cgroup v2 hierarchy'
}

@test "with shared propagation nothing comes out on the host, though the bundle's path has links" {
	bundle true
	mkdir "$T/shared"
	edit '.linux.rootfsPropagation = "shared"'
	run --separate-stderr unshare --mount --propagation private sh -ec '
		mount -t tmpfs none "$1/shared"
		mount --make-shared "$1/shared"
		mkdir "$1/shared/deep"
		cp -a "$1/b" "$1/shared/deep/b"
		ln -s shared/deep "$1/link"
		"$2" --root "$1/state" run -b "$1/link/b" "$3"
		! grep "$1/shared/" /proc/self/mountinfo' - "$T" "$BOCK_RUNC" "$ID"
	assert_ok ""
}

@test "a joined user namespace: its maps must be those of the configuration, if it has any" {
	sleeper
	user_namespace
	bock_runc run --detach -b "$B" "$ID-a" </dev/null 3>&-
	args cat /proc/self/uid_map
	edit --arg path "/proc/$(bock_runc state "$ID-a" | jq -r .pid)/ns/user" \
		'(.linux.namespaces[] | select(.type == "user")).path = $path'
	run_it
	assert_ok "$(printf '%10u %10u %10u' 0 100000 65536)"
	edit '.linux.gidMappings[0].hostID = 1'
	run_it
	assert_error 'linux.gidMappings: is not the map of the user namespace to join'
	edit 'del(.linux.uidMappings, .linux.gidMappings)'
	run_it
	assert_ok "$(printf '%10u %10u %10u' 0 100000 65536)"
	deleted "$ID-a"
	assert_no_leftovers
}

@test "a user namespace that denies setgroups: joined, and the runtime's own" {
	need_user_namespaces
	bundle id -u
	edit '.mounts |= map(select(.destination != "/dev/pts"))' # its gid 5 is not mapped
	run --separate-stderr unshare --user --map-root-user --mount "$BOCK_RUNC" --root "$T/s" run -b "$B" "$ID"
	assert_ok 0
	sleep 1000 3>&- &
	local plain=$!
	unshare --user --map-root-user sleep 1000 3>&- &
	local made=$!
	wait_for 5 sh -c "[ \$(readlink /proc/$made/ns/user) != \$(readlink /proc/$plain/ns/user) ] && grep -q . /proc/$made/uid_map"
	edit --arg path "/proc/$made/ns/user" '.linux.namespaces += [{type: "user", path: $path}]'
	run_it
	kill "$plain" "$made"
	assert_ok 0
}

@test "a limit of the sizes of files is the program's, not that of whoever starts it" {
	bundle sh -c 'ulimit -f; ulimit -n'
	edit '.process.rlimits = [{type: "RLIMIT_FSIZE", soft: 0, hard: 0}, {type: "RLIMIT_NOFILE", soft: 64, hard: 64}]'
	run_it
	assert_ok "$(printf '0\n64')"
	# the whole program sealed instead of the last stage
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	run_it
	assert_ok "$(printf '0\n64')"
}

@test "linux.sysctl: a path to the host's own namespace is no namespace of the container's" {
	bundle true
	edit '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net" |
		(.linux.namespaces[] | select(.type == "ipc")).path = "/proc/self/ns/ipc"'
	refused '.linux.sysctl = {"net.ipv4.ip_forward": "1"}' 'the container has no network namespace of its own'
	refused '.linux.sysctl = {"kernel.msgmax": "8192"}' 'the container has no ipc namespace of its own'
}

@test "the name of the seccomp cache is no id" {
	bundle true
	ID=.cache run_it
	assert_error "invalid container ID format: '.cache'"
	run --separate-stderr bock_runc delete --force .cache
	assert_error "invalid container ID format: '.cache'"
}

@test "a joined pid namespace that is dead: the poststop hooks run nevertheless" {
	bundle sleep 1000
	bock_runc run --detach -b "$B" "$ID-a" </dev/null 3>&-
	edit --arg path "$T/ns" --arg ran "$T/ran" '
		(.linux.namespaces[] | select(.type == "pid")).path = $path |
		.hooks.poststop = [{path: "/bin/touch", args: ["touch", $ran]}]'
	touch "$T/ns"
	run --separate-stderr unshare --mount --propagation private sh -c '
		mount --bind "/proc/$1/ns/pid" "$2/ns"
		"$3" --root "$2/state" delete --force "$4-a"
		"$3" --root "$2/state" run -b "$2/b" "$4"' - \
		"$(bock_runc state "$ID-a" | jq -r .pid)" "$T" "$BOCK_RUNC" "$ID"
	assert_error 'clone3: Cannot allocate memory'
	[ -e "$T/ran" ]
	assert_no_leftovers
}

@test "kill --all, where the container's processes are not to be seen, spares the caller" {
	need_cgroup2
	bundle sleep 1000
	bock_runc run --detach -b "$B" "$ID" </dev/null 3>&-
	# two shells: the first process of a pid namespace would ignore the signal
	run setsid unshare --pid --fork sh -c '
		sh -c "\"\$1\" --root \"\$2\" kill --all \"\$3\" TERM; echo alive" - "$@"; true' - \
		"$BOCK_RUNC" "$STATE" "$ID"
	[[ $output == *alive* ]] || fail "the caller was killed: $output"
	assert_is running
	bock_runc delete --force "$ID"
}

@test "without linux.resources devices are denied all the same" {
	need_cgroup2
	bundle sh -c 'mknod /dev/tun2 c 10 237 && cat /dev/tun2'
	edit 'del(.linux.resources) | .process.capabilities.bounding += ["CAP_MKNOD"] |
		.process.capabilities.effective += ["CAP_MKNOD"] |
		.process.capabilities.permitted += ["CAP_MKNOD"]'
	run_it
	[ "$status" -ne 0 ]
	# shellcheck disable=SC2154 # bats' --separate-stderr
	[[ $stderr == *'Operation not permitted'* ]]
}
