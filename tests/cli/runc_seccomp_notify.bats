# SPDX-License-Identifier: Apache-2.0
# SCMP_ACT_NOTIFY with an agent at the other end (tests/helpers/seccomp-agent), and the annotations about seccomp.

setup() {
	load ../helpers/runc
	runc_setup
	need_cmd python3
	bundle
}
teardown() {
	[ -z "${AGENT-}" ] || kill "$AGENT" 2>/dev/null || :
	user_teardown
	common_teardown
}

# notify NAMES [DEFAULT]: a profile that notifies about these (JSON) and does DEFAULT else
notify() {
	edit --argjson n "$1" --arg d "${2:-SCMP_ACT_ALLOW}" --arg p "$T/agent" '.linux.seccomp = {"defaultAction": $d,
		"listenerPath": $p, "listenerMetadata": "some data", "syscalls": [{"names": $n, "action": "SCMP_ACT_NOTIFY"}]}'
}

agent() { # ANSWER...
	rm -f "$T"/agent "$T"/agent.*
	"$RUNC_HELPERS/seccomp-agent" "$T/agent" "$T/agent" "$@" 3>&- &
	AGENT=$!
	wait_for 10 test -S "$T/agent"
}

agent_ends() {
	wait_for 10 test -s "$T/agent.end" || return 1
	[ "$(<"$T/agent.end")" = "1 closed" ] || fail "the agent says: $(<"$T/agent.end")"
}

doc() { jq -e "$@" "$T/agent.json" >/dev/null || fail "the document: $(<"$T/agent.json")"; }

@test "seccomp notify: the agent gets one document and one descriptor, and decides" {
	edit '.annotations = {"k": "v"}'
	for nnp in true false; do
		edit --argjson n $nnp '.process.noNewPrivileges = $n'
		notify '["mkdir", "mkdirat"]'
		agent mkdir=28
		inside 'mkdir /x 2>&1; grep ^Seccomp: /proc/self/status'
		[ "${lines[0]}" = "mkdir: can't create directory '/x': No space left on device" ] || fail "nnp $nnp: $output"
		[ "${lines[-1]}" = "Seccomp:	2" ]
		agent_ends
		doc --arg id "$ID" --arg b "$B" '.ociVersion == "1.3.0" and .fds == ["seccompFd"] and .pid > 1 and
			.metadata == "some data" and (.state | .ociVersion == "1.3.0" and .id == $id and
			.status == "creating" and .bundle == $b and .annotations == {"k": "v"}) and .state.pid == .pid'
		grep -qx mkdir "$T/agent.log"
		refute_leak
	done
	assert_no_leftovers
}

# The container's program has no descriptor of the listener, nor of the agent's socket. (Those of the pipeline come and go.)
refute_leak() {
	agent
	inside 'ls -l /proc/$$/fd 2>/dev/null | grep -E "seccomp|socket" || :'
	[ -z "$output" ] || fail "$output"
	agent_ends
}

@test "seccomp notify: create tells the agent, and start needs no more" {
	notify '["mkdir", "mkdirat"]'
	args sh -c 'mkdir /x 2>/dev/null || echo refused >/said; sleep 1000 & wait' "$ID"
	for nnp in true false; do
		edit --argjson n $nnp '.process.noNewPrivileges = $n'
		agent mkdir=13
		detached create -b "$B" "$ID"
		assert_ok ""
		assert_is created
		wait_for 5 test -s "$T/agent.json"
		doc --argjson p "$(pid_of)" '.pid == $p and .state.status == "creating"'
		[ ! -e "$B/rootfs/said" ]
		detached start "$ID"
		assert_ok ""
		wait_for 5 grep -qx refused "$B/rootfs/said"
		bock_runc delete --force "$ID"
		agent_ends
		rm "$B/rootfs/said"
	done
	assert_no_leftovers
}

@test "seccomp notify: without its agent the container gets errors, and isn't held up" {
	notify '["mkdir", "mkdirat"]'
	args sh -c 'mkdir /x 2>/said; echo done >>/said'
	for nnp in true false; do
		edit --argjson n $nnp '.process.noNewPrivileges = $n'
		agent
		detached create -b "$B" "$ID"
		assert_ok ""
		wait_for 5 test -s "$T/agent.json"
		kill -9 "$AGENT"
		detached start "$ID"
		wait_for 5 is stopped
		[ "$(<"$B/rootfs/said")" = "mkdir: can't create directory '/x': Function not implemented
done" ] || fail "$(<"$B/rootfs/said")"
		bock_runc delete "$ID"
	done
	assert_no_leftovers
}

@test "seccomp notify: what the runtime itself calls doesn't wait for an agent that is gone" {
	notify '["execve"]'
	for nnp in true false; do
		edit --argjson n $nnp '.process.noNewPrivileges = $n'
		agent
		detached create -b "$B" "$ID"
		assert_ok ""
		wait_for 5 test -s "$T/agent.json"
		kill -9 "$AGENT"
		run --separate-stderr timeout 10 "$BOCK_RUNC" --root "$STATE" start "$ID"
		assert_error "Function not implemented"
		bock_runc delete --force "$ID"
	done
	assert_no_leftovers
}

@test "seccomp notify: exec tells the agent about the process that it runs" {
	notify '["mkdir", "mkdirat"]'
	args sh -c 'sleep 1000 & wait' "$ID"
	for nnp in true false; do
		edit --argjson n $nnp '.process.noNewPrivileges = $n'
		agent
		detached run -d -b "$B" "$ID"
		assert_ok ""
		wait_for 5 test -s "$T/agent.json"
		kill "$AGENT"
		agent mkdir=28
		run bock_runc exec "$ID" sh -c 'mkdir /x; :'
		[ "$output" = "mkdir: can't create directory '/x': No space left on device" ] || fail "nnp $nnp: $output"
		agent_ends
		doc --argjson p "$(pid_of)" '.state.pid == $p and .state.status == "running" and .pid != $p and .pid > 1'
		rm -f "$T/agent"
		run --separate-stderr bock_runc exec "$ID" true
		[ "$status" -eq 255 ]
		[[ $stderr == *"linux.seccomp.listenerPath: connect"* ]]
		bock_runc delete --force "$ID"
	done
	assert_no_leftovers
}

@test "seccomp notify: about every call, those that the runtime makes with them" {
	for nnp in true false; do
		edit --argjson n $nnp '.process.noNewPrivileges = $n'
		for names in '["sendmsg", "write", "execve", "read", "recvmsg", "futex", "close", "exit"]' '["nosuchcall"]'; do
			notify "$names" "$([ "$names" = '["nosuchcall"]' ] && echo SCMP_ACT_NOTIFY || echo SCMP_ACT_ALLOW)"
			agent
			inside 'echo said'
			[ "$output" = said ] || fail "nnp $nnp $names: $output"
			agent_ends
			grep -qx execve "$T/agent.log"
			grep -qx write "$T/agent.log"
		done
	done
	assert_no_leftovers
}

@test "seccomp notify: a profile that allows nothing but what stands in it" {
	edit '.process.noNewPrivileges = true'
	notify '["uname"]' SCMP_ACT_ERRNO
	edit '.linux.seccomp.syscalls += [{"names": ["prctl", "sendto", "recvmsg", "rt_sigprocmask",
		"execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink",
		"readlinkat", "getrandom", "mprotect", "mmap", "getuid", "write", "writev", "exit_group"], "action": "SCMP_ACT_ALLOW"}]'
	args echo allowed
	agent
	run_it
	assert_ok allowed
	agent_ends
	# sendmsg, which carries the descriptor, is not among them
	args mkdir /x
	agent
	run_it
	[ "$status" -ne 0 ]
	[ ! -e "$B/rootfs/x" ]
}

@test "seccomp notify: startContainer hooks, a shared pid namespace, flags" {
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	edit '.hooks.startContainer = [{"path": "/bin/true"}]'
	flags=$(bock_runc features | jq -c '.linux.seccomp.supportedFlags')
	notify '["mkdir", "mkdirat"]'
	edit --argjson f "$flags" '.linux.seccomp.flags = $f'
	agent mkdir=28
	inside 'mkdir /x 2>&1; :'
	[[ $output == *"No space left on device"* ]]
	agent_ends
	assert_no_leftovers
}

@test "seccomp notify: in a new user namespace and in one that is joined" {
	edit '.linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$B/rootfs"
	open_path
	unshare --user sleep 100 3>&- &
	sleeper=$!
	wait_for 5 eval '[ "$(readlink /proc/'$sleeper'/ns/user)" != "$(readlink /proc/self/ns/user)" ]'
	echo "0 100000 65536" >/proc/$sleeper/uid_map
	echo "0 100000 65536" >/proc/$sleeper/gid_map
	for path in "" "/proc/$sleeper/ns/user"; do
		for nnp in true false; do
			edit --arg p "$path" --argjson n $nnp '(.linux.namespaces[] | select(.type == "user")) |= {"type": "user"} + if $p == "" then {} else {"path": $p} end |
				.process.noNewPrivileges = $n'
			notify '["mkdir", "mkdirat"]'
			agent mkdir=28
			inside 'mkdir /tmp/x 2>&1; :'
			[[ $output == *"No space left on device"* ]] || fail "$path nnp $nnp: $output"
			agent_ends
		done
	done
	kill $sleeper
	assert_no_leftovers
}

@test "seccomp notify: what doesn't go together is refused, as is an agent that isn't there or won't listen" {
	notify '["mkdir"]'
	refused 'del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)' 'linux.seccomp.listenerPath: is missing'
	refused 'del(.linux.seccomp.listenerPath)' 'linux.seccomp.listenerMetadata: needs listenerPath'
	refused '.linux.seccomp.syscalls[0].errnoRet = 1' 'linux.seccomp.syscalls[0]: an errno (1) does not go with SCMP_ACT_NOTIFY'
	refused '.linux.seccomp.syscalls[0].action = "SCMP_ACT_ERRNO" | .linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]' \
		'needs SCMP_ACT_NOTIFY'
	refused . "linux.seccomp.listenerPath: connect to socket '$T/agent'"
	[ ! -e "$STATE/$ID" ]
	python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + ".new")
s.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])  # who sees it can connect
s.accept()[0].close()' "$T/agent" 3>&- &
	AGENT=$!
	wait_for 10 test -S "$T/agent"
	refused '.hooks.createRuntime = [{"path": "/bin/sleep", "args": ["sleep", "1"]}]' 'linux.seccomp.listenerPath: send the listener'
}

@test "seccomp notify: without the action a listener is ignored" {
	notify '["mkdir", "mkdirat"]'
	edit '.linux.seccomp.syscalls[0].action = "SCMP_ACT_ERRNO"'
	inside 'mkdir /x 2>&1; :'
	[[ $output == *"Operation not permitted"* ]]
}

@test "seccomp notify: an ordinary user's container" {
	user_setup
	user_bundle sh -c 'mkdir /x 2>&1; :'
	notify '["mkdir", "mkdirat"]'
	edit --arg p "$USER_DIR/agent" '.linux.seccomp.listenerPath = $p'
	as_user "$RUNC_HELPERS/seccomp-agent" "$USER_DIR/agent" "$USER_DIR/agent" mkdir=28 3>&- &
	AGENT=$!
	wait_for 10 test -S "$USER_DIR/agent"
	user_runs
	assert_ok "mkdir: can't create directory '/x': No space left on device"
	wait_for 10 test -s "$USER_DIR/agent.end"
	jq -e '.state.status == "creating"' "$USER_DIR/agent.json"
}

@test "seccomp annotations: another receiver" {
	notify '["mkdir", "mkdirat"]'
	edit --arg p "$T/agent" '.linux.seccomp.listenerPath = "/no/such" | .annotations = {"run.oci.seccomp.receiver": $p}'
	agent mkdir=28
	inside 'mkdir /x 2>&1; :'
	[[ $output == *"No space left on device"* ]]
	agent_ends
	edit 'del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)'
	agent mkdir=28
	inside 'mkdir /x 2>&1; :'
	[[ $output == *"No space left on device"* ]]
	agent_ends
	doc 'has("metadata") | not'
}

@test "seccomp annotations: unknown names can be an error" {
	notify '["nosuchcall"]'
	edit '.linux.seccomp.syscalls[0].action = "SCMP_ACT_ERRNO"'
	inside 'echo said'
	edit '.annotations = {"run.oci.seccomp_fail_unknown_syscall": "1"}'
	refused . "linux.seccomp.syscalls[0].names: 'nosuchcall' is no system call"
	edit '.annotations = {"run.oci.seccomp_fail_unknown_syscall": "0"}'
	inside 'echo said'
	[ "$output" = said ]
}

# A program of BPF in base64 that answers mkdir with ERRNO 28 and lets all else pass.
raw_program() {
	python3 -c 'import base64, ctypes, struct
lib = ctypes.CDLL("libseccomp.so.2")
call = lambda name: lib.seccomp_syscall_resolve_name(name)
insns = [(0x20, 0, 0, 0), (0x15, 1, 0, call(b"mkdir") & 0xffffffff), (0x15, 0, 1, call(b"mkdirat")),
	(0x06, 0, 0, 0x50000 | 28), (0x06, 0, 0, 0x7fff0000)]
print(base64.b64encode(b"".join(struct.pack("HBBI", *i) for i in insns)).decode())'
}

@test "seccomp annotations: a ready-made program goes before the profile" {
	edit --arg p "$(raw_program)" '.annotations = {"run.oci.seccomp_bpf_data": $p}'
	for profile in null '{"defaultAction": "SCMP_ACT_KILL"}'; do
		for nnp in true false; do
			edit --argjson n $nnp --argjson p "$profile" '.process.noNewPrivileges = $n | .linux.seccomp = $p'
			[ "$profile" != null ] || edit 'del(.linux.seccomp)'
			inside 'mkdir /x 2>&1; :'
			[[ $output == *"No space left on device"* ]]
		done
	done
	refused '.annotations = {"run.oci.seccomp_bpf_data": "AAAA"}' "annotations: 'run.oci.seccomp_bpf_data': 3 bytes are not"
	refused '.annotations = {"run.oci.seccomp_bpf_data": "!"}' "annotations: 'run.oci.seccomp_bpf_data'"
	# one instruction: SECCOMP_RET_USER_NOTIF
	refused '.annotations = {"run.oci.seccomp_bpf_data": "BgAAAAAAwH8="}' "can't notify"
}

@test "seccomp annotations: features names them, and which of them are unsafe" {
	run bock_runc features
	jq -e '.linux.seccomp.actions | index("SCMP_ACT_NOTIFY")' <<<"$output"
	jq -e '.potentiallyUnsafeConfigAnnotations | index("run.oci.seccomp.receiver") and index("run.oci.seccomp_bpf_data") and
		(index("run.oci.seccomp_fail_unknown_syscall") | not)' <<<"$output"
	# what bock-image keeps an image's labels from becoming
	jq -e '.potentiallyUnsafeConfigAnnotations | all(startswith("run.oci.") or startswith("org.criu.") or startswith("org.systemd.property."))' <<<"$output"
	jq -e '.annotations["io.bock.runc.config-annotations"] | split(",") | index("run.oci.seccomp_fail_unknown_syscall")' <<<"$output"
}
