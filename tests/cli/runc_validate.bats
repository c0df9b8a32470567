# SPDX-License-Identifier: Apache-2.0
# bock-runc validate: every problem of a bundle, without root and without making anything.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() {
	common_teardown
	user_teardown
}

# validates [OPTION...]: bats' run of validate on the test's bundle
validates() { run --separate-stderr "$BOCK_RUNC" --root /nowhere validate -b "$B" "$@"; }

# finds N WORDS...: N problems, one line each, and a line that begins with each of the words
finds() {
	local n=$1
	shift
	validates
	[ "$status" -eq 1 ] || fail "status $status: $output $stderr" || return 1
	[ "${#lines[@]}" -eq "$n" ] || fail "$n expected: $output" || return 1
	[[ $stderr == *"bock-runc: validate: $n problem"* ]] || fail "stderr: $stderr" || return 1
	for words; do
		grep -qF -- "$words" <<<"$output" || fail "'$words' is not in: $output" || return 1
	done
}

@test "validate: the default configuration is right, for root and for anybody" {
	bundle true
	validates
	assert_ok ''
	user_setup
	bundle true
	chmod -R o+rX "$B"
	run --separate-stderr as_user "$BOCK_RUNC" validate --bundle "$B"
	assert_ok ''
	(cd "$B" && as_user "$BOCK_RUNC" validate)
	cp "$B/config.json" "$B/other.json"
	chmod o+r "$B/other.json"
	edit '.ociVersion = "9"'
	run --separate-stderr as_user "$BOCK_RUNC" validate -b "$B" --config "$B/other.json"
	assert_ok ''
}

@test "validate: all problems at once, each with its path" {
	bundle true
	edit '.ociVersion = "2.0.0" | .root.path = "nope" | .process.cwd = "x" | .process.rlimits[0].type = "RLIMIT_X" |
		.hooks = {"prestart": [{"path": "rel"}], "poststop": [{"path": "/nonexistent/hook"}]} |
		.mounts += [{"destination": "/x", "type": "bind", "source": "/nonexistent/src", "options": ["bind"]}] |
		.linux.maskedPaths = ["z"] | .linux.sysctl = {"kernel.nonsense": "1", "net.core.somaxconn": "9"} |
		.linux.rootfsPropagation = "weird" | .linux.seccomp = {"defaultAction": "SCMP_ACT_NO"} |
		.linux.devices = [{"type": "c", "path": "rel", "major": 1, "minor": 3}] |
		.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/uts" else . end)'
	finds 13 "ociVersion: '2.0.0'" "root.path: '$B/nope': No such file" "process.cwd: 'x'" \
		"process.rlimits[0].type: 'RLIMIT_X'" "hooks.prestart[0].path: 'rel'" \
		"hooks.poststop[0].path: '/nonexistent/hook': No such file" \
		"mounts[7].source: '/nonexistent/src': No such file" "linux.maskedPaths[0]: 'z'" \
		"linux.sysctl: 'kernel.nonsense'" "linux.rootfsPropagation: 'weird'" "linux.seccomp.defaultAction: " \
		"linux.devices[0].path: 'rel'" "linux.namespaces[1].path: " "not a network namespace"
}

@test "validate: a mount of mapped ids is right in a container with a user namespace" {
	bundle true
	bundle_edit "$B" '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings |
		.mounts += [{destination: "/m", type: "bind", source: "/", options: ["bind", "idmap"]}]'
	validates
	assert_status 0
	bundle_edit "$B" 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
	finds 1 "mounts[7].options: idmap needs uidMappings"
}

@test "validate: what is ignored is a warning and no problem" {
	bundle true
	edit '.process.capabilities.bounding += ["CAP_NONSENSE"] | .unknown = 1'
	validates
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[[ $stderr == *"warning: process.capabilities: 'CAP_NONSENSE' is unknown and ignored"* ]]
}

@test "validate: what can't be read, is no JSON, or lacks what it takes to go on" {
	bundle true
	run --separate-stderr "$BOCK_RUNC" validate -b "$T/none"
	assert_error '1 problem'
	assert_output -p "No such file or directory"
	for text in '' '{' '[]' '{"ociVersion": 1}' 'null'; do
		echo "$text" >"$B/config.json"
		finds 1 "$B/config.json"
	done
	echo '{"ociVersion": "1.0.0", "root": {"path": ""}}' >"$B/config.json"
	finds 1 'root.path'
	echo '{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "linux": {}}' >"$B/config.json"
	finds 1 'process: required'
	echo '{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "linux": {}, "process": {"cwd": "/"}}' >"$B/config.json"
	finds 1 'process.args'
	echo '{"ociVersion": "1.0.0"}' >"$B/config.json"
	validates
	[ "$status" -eq 1 ]
}

@test "validate: a controller that cgroup v1 has, by each limit that needs it" {
	need_cgroup2
	! grep -qw memory "$(cgroup2_path)/cgroup.controllers" || skip "cgroup v2 holds memory and pids here"
	bundle true
	edit '.linux.resources += {"memory": {"limit": 100000000}, "pids": {"limit": 9}}'
	finds 2 "linux.resources.memory.limit: the controller 'memory'" "linux.resources.pids.limit: the controller 'pids'"
}

@test "validate: a profile that does not compile, and one that does" {
	bundle true
	edit '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getcwd"],
		"action": "SCMP_ACT_ERRNO", "args": [{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}]}]}'
	finds 1 'linux.seccomp.syscalls[0].args[0].index'
	edit '.linux.seccomp.syscalls[0].args[0].index = 0'
	validates
	assert_ok ''
}

@test "validate: a missing system call, and none is made that changes anything" {
	need_cmd strace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it can't under strace
	bundle true
	run --separate-stderr strace -f -qq -o "$T/calls" -e inject=openat2:error=ENOSYS \
		"$BOCK_RUNC" validate -b "$B"
	[ "$status" -eq 1 ]
	assert_output -p 'kernel: the system call openat2 (Linux 5.6) is not there'
	# of everything that could make, change, join or kill something, nothing succeeds but the writes of its output
	run --separate-stderr strace -f -qq -o "$T/calls" "$BOCK_RUNC" validate -b "$B"
	assert_ok ''
	changes='mkdir|mkdirat|mknod|mknodat|mount|umount2|open_tree|move_mount|fsopen|fsmount|mount_setattr|clone3|clone|fork|vfork|execve|unshare|setns|bpf|seccomp|kill|pidfd_send_signal|rename|renameat|renameat2|unlink|unlinkat|link|linkat|symlinkat|chdir|fchdir|chroot|pivot_root|setuid|setgid|prctl'
	tail -n +2 "$T/calls" | grep -E "^[0-9]+ +($changes)\(" | grep -vE '= -1 E' >"$T/changes" || :
	[ ! -s "$T/changes" ] || fail "$(cat "$T/changes")"
	! grep -E '^[0-9]+ +openat2?\(.*(O_CREAT|O_WRONLY|O_RDWR)' "$T/calls" || fail 'a file was opened for writing'
	assert_no_leftovers
}
