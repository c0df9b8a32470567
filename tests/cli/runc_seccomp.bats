# SPDX-License-Identifier: Apache-2.0
# linux.seccomp, as a program in the container meets it.

setup() {
	load ../helpers/runc
	runc_setup
	bundle
}
teardown() { common_teardown; }

# profile JSON-OF-SYSCALLS [DEFAULT]
profile() {
	edit --argjson s "$1" --arg d "${2:-SCMP_ACT_ALLOW}" '.linux.seccomp = {"defaultAction": $d, "syscalls": $s}'
}

@test "seccomp: an error instead of the call, with the number asked for" {
	profile '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]'
	inside 'mkdir /x 2>&1; grep ^Seccomp: /proc/self/status'
	[[ ${lines[0]} == *"Operation not permitted"* ]]
	[ "${lines[1]}" = "Seccomp:	2" ]
	profile '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]'
	inside 'mkdir /x 2>&1; :'
	[[ $output == *"No space left on device"* ]]
	profile '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_LOG"}]'
	inside 'mkdir /x && echo made'
	[ "$output" = made ]
}

@test "seccomp: without a profile there is none" {
	inside 'grep ^Seccomp: /proc/self/status'
	[ "$output" = "Seccomp:	0" ]
}

@test "seccomp: killing is what the caller sees" {
	for action in SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL_THREAD; do
		profile '[{"names": ["mkdir", "mkdirat"], "action": "'$action'"}]'
		args mkdir /x
		run_it
		[ "$status" -eq 159 ] || fail "$action: $status"
	done
	profile '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_TRAP"}]'
	run_it
	[ "$status" -eq 159 ]
	[ ! -e "$B/rootfs/x" ]
	assert_no_leftovers
}

@test "seccomp: a list of what is allowed, everything else refused" {
	profile '[{"names": ["read", "write", "exit_group", "execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list",
		"rseq", "prlimit64", "readlink", "readlinkat", "getrandom", "mprotect", "mmap", "munmap", "getuid", "geteuid", "rt_sigaction",
		"rt_sigprocmask", "fstat", "newfstatat", "ioctl", "prctl", "getpid", "getppid", "close"], "action": "SCMP_ACT_ALLOW"}]' SCMP_ACT_ERRNO
	args echo allowed
	run_it
	assert_ok allowed
	args mkdir /x
	run_it
	[ "$status" -ne 0 ]
	[ ! -e "$B/rootfs/x" ]
}

# The shell's own kill(2) is a call with two arguments that a test chooses.
kills() { # WORDS...: each "PID SIGNAL" that fails
	inside 'trap : USR1 USR2; for s in 0 10 12; do kill -$s $$ 2>/dev/null || echo "refused $s"; done'
}

@test "seccomp: a profile older than the calls that bock-runc is made of, with and without no_new_privs" {
	profile '[{"names": ["close_range", "openat2", "faccessat2", "clone3", "pidfd_open", "pidfd_getfd", "pidfd_send_signal",
		"mount_setattr", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "epoll_pwait2", "futex_waitv",
		"statx", "getcwd", "setxattrat"], "action": "SCMP_ACT_ERRNO"}]'
	for nnp in false true; do
		edit --argjson v $nnp '.process.noNewPrivileges = $v'
		inside 'grep ^Seccomp: /proc/self/status; ls /proc/self/fd | wc -l'
		[ "$output" = "Seccomp:	2
4" ] || fail "$output"
		args sleep 1000
		detached run --detach -b "$B" "$ID"
		assert_ok
		run --separate-stderr bock_runc exec "$ID" grep ^Seccomp: /proc/self/status
		assert_ok "Seccomp:	2"
		bock_runc delete --force "$ID"
		# the sealed copy of all of bock-runc, where the last stage does not serve
		edit '.hooks.startContainer = [{"path": "/bin/true"}]'
		if $nnp; then
			inside 'echo ran'
			assert_ok ran
		fi
		edit 'del(.hooks) | .linux.namespaces -= [{"type": "pid"}]'
		args sleep 1000
		detached run --detach -b "$B" "$ID"
		assert_ok
		run --separate-stderr bock_runc exec "$ID" grep ^Seccomp: /proc/self/status
		assert_ok "Seccomp:	2"
		bock_runc delete --force "$ID"
		edit '.linux.namespaces += [{"type": "pid"}]'
	done
	assert_no_leftovers
}

@test "seccomp: arguments, each operator" {
	rule() { # INDEX VALUE OP [VALUETWO]
		profile "[{\"names\": [\"kill\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": $1, \"value\": $2, \"op\": \"$3\", \"valueTwo\": ${4:-0}}]}]"
		kills
	}
	rule 1 10 SCMP_CMP_EQ
	[ "$output" = "refused 10" ]
	rule 1 10 SCMP_CMP_NE
	[ "${lines[*]}" = "refused 0 refused 12" ]
	rule 1 10 SCMP_CMP_LT
	[ "$output" = "refused 0" ]
	rule 1 10 SCMP_CMP_LE
	[ "${lines[*]}" = "refused 0 refused 10" ]
	rule 1 10 SCMP_CMP_GT
	[ "$output" = "refused 12" ]
	rule 1 10 SCMP_CMP_GE
	[ "${lines[*]}" = "refused 10 refused 12" ]
	rule 1 4 SCMP_CMP_MASKED_EQ 4
	[ "$output" = "refused 12" ]
}

@test "seccomp: several arguments are and, several of one index are or" {
	profile '[{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [
		{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}]'
	kills
	[ "$output" = "refused 10" ]
	profile '[{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [
		{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}]'
	kills
	[ -z "$output" ]
	profile '[{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [
		{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 12, "op": "SCMP_CMP_EQ"}]}]'
	kills
	[ "${lines[*]}" = "refused 10 refused 12" ]
}

@test "seccomp: loaded before or after privileges are dropped, by no_new_privs, for any user" {
	profile '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]'
	for nnp in true false; do
		for uid in 0 1000; do
			edit --argjson n $nnp --argjson u $uid '.process.noNewPrivileges = $n | .process.user.uid = $u'
			inside 'mkdir /tmp/x 2>&1; grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status | xargs'
			[[ ${lines[0]} == *"Operation not permitted"* ]] || fail "nnp $nnp uid $uid: $output"
			[ "${lines[1]}" = "NoNewPrivs: $([ $nnp = true ] && echo 1 || echo 0) Seccomp: 2" ] || fail "$output"
		done
	done
}

@test "seccomp: the cache gives the same filter, a changed profile another, a broken entry none" {
	profile '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]'
	for _ in 1 2; do
		inside 'mkdir /x 2>&1; :'
		[[ $output == *"No space left"* ]]
	done
	[ -n "$(ls "$STATE/.cache")" ]
	profile '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]'
	inside 'mkdir /x 2>&1; :'
	[[ $output == *"Permission denied"* ]]
	short() { truncate -s 8 "$1"; }
	empty() { truncate -s 0 "$1"; }
	zeros() { dd if=/dev/zero of="$1" bs=1 count=64 conv=notrunc status=none; }
	for damage in short empty zeros; do
		for file in "$STATE"/.cache/*; do
			$damage "$file"
		done
		inside 'mkdir /x 2>&1; :'
		[[ $output == *"Permission denied"* ]] || fail "after $damage: $output"
	done
	[ "$(stat -c %a "$STATE/.cache")" = 700 ]
}

@test "seccomp: flags" {
	profile '[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]'
	for flag in SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW; do
		edit --arg f $flag '.linux.seccomp.flags = [$f]'
		inside 'mkdir /x 2>&1; :'
		[[ $output == *"Operation not permitted"* ]] || fail "$flag"
	done
	refused '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NOSUCH"]' SECCOMP_FILTER_FLAG_NOSUCH
}

@test "seccomp: unknown calls are skipped, everything else unknown is an error" {
	profile '[{"names": ["nosuchcall", "mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]'
	inside 'mkdir /x 2>&1; :'
	[[ $output == *"Operation not permitted"* ]]
	refused '.linux.seccomp.defaultAction = "SCMP_ACT_NOSUCH"' SCMP_ACT_NOSUCH
	refused '.linux.seccomp.syscalls[0].action = "x"' 'linux.seccomp'
	refused '.linux.seccomp.architectures = ["SCMP_ARCH_NOSUCH"]' SCMP_ARCH_NOSUCH
	refused '.linux.seccomp.syscalls[0].args = [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]' index
	refused '.linux.seccomp.syscalls[0].args = [{"index": 0, "value": 1, "op": "x"}]' 'op'
	refused 'del(.linux.seccomp.defaultAction)' defaultAction
}
