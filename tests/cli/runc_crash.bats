# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2013,SC2030,SC2031 # functions called by each_point; words, not lines; one test alone
# What is left when bock-runc is killed anywhere, when its child is, and when the kernel refuses a call
# that it needs.
#
# BOCK_CRASH_STEP is how many system calls are between two kills (default 9; 1 tries every one).

setup() {
	load ../helpers/runc
	runc_setup
	need_cmd strace
	[ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" -le 2 ] || skip "ptrace is off (ptrace_scope 3)"
	STEP=${BOCK_CRASH_STEP:-9}
	# leak detection can't work under ptrace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}
teardown() {
	common_teardown
	[ -z "${HOLDER-}" ] || kill "$HOLDER"
}

# A bundle with what a create makes: seccomp profile, nested cgroup, hooks.
victim() {
	bundle sh -c 'sleep 1000 & wait' "$ID"
	edit --arg id "$ID" '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []} |
		.linux.cgroupsPath = "/" + $id + "/a/b" |
		.hooks.createRuntime = [{"path": "/bin/true"}] | .hooks.poststop = [{"path": "/bin/true"}]'
}

# calls_of COMMAND...: runs it under strace and notes its system calls, as "NAME OCCURRENCE" lines in
# $T/calls: that is how strace is told where to strike
calls_of() {
	strace -qq -o "$T/trace" "$BOCK_RUNC" --root "$STATE" "$@" </dev/null >/dev/null 2>&1 3>&-
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/trace" | grep -vx 'exit_group\|rt_sigreturn' |
		awk '{ print $1, ++n[$1] }' | sed '/^execve 1$/d' >"$T/calls" # the first execve is strace's own
	[ "$(wc -l <"$T/calls")" -gt 20 ] || fail "hardly a system call: $(cat "$T/trace")"
}

# each_point FUNCTION STEP: calls FUNCTION with the number, name and occurrence of every STEPth call
each_point() {
	local n=0 call when
	missed=0
	while read -r call when <&9; do
		n=$((n + 1))
		[ $((n % $2)) -eq 1 ] || [ "$2" -eq 1 ] || continue
		"$1" "$n" "$call" "$when" || fail "killed at call $n, $call #$when" || return 1
	done 9<"$T/calls"
	# how often a call is made depends on time: a busy machine may miss some points, not most
	[ $((missed * 3 * $2)) -le "$n" ] || fail "only $((n / $2 - missed)) of $((n / $2)) were killed"
}

# killed_at CALL WHEN COMMAND...: bock-runc, killed at its WHENth CALL, or through before it (what calls
# are made depends on time; $missed counts)
killed_at() {
	local call=$1 when=$2
	shift 2
	status=0
	rm -rf "$STATE/.cache" # or the profile is not compiled again
	{ strace -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$when" \
		"$BOCK_RUNC" --root "$STATE" "$@" </dev/null >"$T/.stdout" 2>"$T/.stderr" 3>&- 9<&-; } 2>/dev/null || status=$?
	[ "$status" -ne 0 ] || missed=$((missed + 1))
	[ "$status" -eq 137 ] || [ "$status" -eq 0 ] || fail "status $status: $(cat "$T/.stderr")"
}

gone() { # nothing is left; quietly
	[ -z "$(leftovers | sort | comm -13 "$T/.leftovers" -)" ]
}

@test "crash: create killed anywhere; delete --force takes everything away" {
	victim
	calls_of create -b "$B" "$ID"
	bock_runc delete --force "$ID"
	strike() {
		killed_at "$2" "$3" create -b "$B" "$ID" || return 1
		run --separate-stderr bock_runc delete --force "$ID"
		[ "$status" -eq 0 ] && [ -z "$stderr" ] || fail "delete: $stderr" || return 1
		gone || assert_no_leftovers
	}
	each_point strike "$STEP"
}

@test "crash: without a mount namespace, create and delete killed anywhere; delete --force unmounts everything" {
	victim
	edit '.linux.namespaces |= map(select(.type != "mount"))'
	# in a mount namespace of the test's own, which ends with it
	unshare -m --propagation shared sh -c 'echo >"$1"; exec sleep 1000' - "$T/held" 3>&- &
	HOLDER=$!
	wait_for 10 test -e "$T/held"
	printf '#!/bin/sh\nexec nsenter --mount=/proc/%s/ns/mnt -- "%s" "$@"\n' "$HOLDER" "$BOCK_RUNC" >"$T/runc"
	chmod +x "$T/runc"
	BOCK_RUNC=$T/runc
	below() { grep " $B/rootfs/" "/proc/$HOLDER/mountinfo"; }
	for command in "create -b $B" 'delete --force'; do
		[ "${command%% *}" = create ] || detached create -b "$B" "$ID"
		# shellcheck disable=SC2086 # a command and its options
		calls_of $command "$ID"
		# nsenter's own, up to the execve of the runtime
		bock_runc delete --force "$ID"
		strike() {
			[ "${command%% *}" = create ] || detached create -b "$B" "$ID"
			# shellcheck disable=SC2086 # a command and its options
			killed_at "$2" "$3" $command "$ID" || return 1
			run --separate-stderr bock_runc delete --force "$ID"
			[ "$status" -eq 0 ] && [ -z "$stderr" ] || fail "delete: $stderr" || return 1
			! below || fail 'still mounted' || return 1
			gone || assert_no_leftovers
		}
		each_point strike $((STEP * 5))
	done
}

@test "crash: after a killed create the id is free, or is said to be in use until it is deleted" {
	victim
	calls_of create -b "$B" "$ID"
	bock_runc delete --force "$ID"
	strike() {
		killed_at "$2" "$3" create -b "$B" "$ID" || return 1
		detached create -b "$B" "$ID"
		[ "$status" -eq 0 ] || assert_error 'already exists' || return 1
		bock_runc list >/dev/null && bock_runc delete --force "$ID" || return 1
		detached create -b "$B" "$ID"
		assert_ok "" && bock_runc delete --force "$ID"
	}
	each_point strike $((STEP * 4))
	assert_no_leftovers
}

@test "crash: create killed by the clock" {
	victim
	for ms in 1 2 3 4 5 6 8 10 12 15 20; do
		timeout -s KILL "$(printf '0.%03d' $ms)" "$BOCK_RUNC" --root "$STATE" create -b "$B" "$ID" </dev/null >/dev/null 2>&1 3>&- || :
		bock_runc delete --force "$ID"
	done
	assert_no_leftovers
}

@test "crash: the child killed anywhere; run says so and undoes everything" {
	victim
	args true
	killed=0
	# calls that only the child makes
	for call in mount open_tree mknodat symlinkat pivot_root umount2 sethostname setresuid setgroups capset chdir execveat; do
		for n in 1 3; do
			status=0
			timeout 20 strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
				"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" </dev/null >"$T/.stdout" 2>"$T/.stderr" 3>&- || status=$?
			[ "$status" -ne 0 ] || continue
			[ "$status" -eq 1 ] || fail "$call $n: status $status: $(cat "$T/.stderr")"
			[ "$(grep -c '^bock-runc: ' "$T/.stderr")" -eq 1 ] || fail "$call $n: $(cat "$T/.stderr")"
			gone || assert_no_leftovers || fail "the child killed at $call $n"
			killed=$((killed + 1))
		done
	done
	[ "$killed" -ge 10 ] || fail "killed only $killed times"
}

@test "crash: start and delete killed anywhere; delete --force takes everything away" {
	victim
	for command in start 'delete --force'; do
		detached create -b "$B" "$ID"
		# shellcheck disable=SC2086 # a command and its option
		calls_of $command "$ID"
		bock_runc delete --force "$ID"
		strike() {
			detached create -b "$B" "$ID"
			assert_ok "" || return 1
			# shellcheck disable=SC2086 # a command and its option
			killed_at "$2" "$3" $command "$ID" || return 1
			run --separate-stderr bock_runc delete --force "$ID"
			[ "$status" -eq 0 ] || fail "delete: $stderr" || return 1
			gone || assert_no_leftovers
		}
		each_point strike "$STEP"
	done
}

@test "crash: a killed foreground run leaves nothing, by itself" {
	victim
	"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" </dev/null >/dev/null 2>&1 3>&- &
	wait_for 10 is running
	pid=$(pid_of)
	kill -KILL $!
	wait $! || :
	wait_for 10 gone || assert_no_leftovers
	[ ! -e "/proc/$pid" ] || [ "$(awk '{ print $3 }' "/proc/$pid/stat")" = Z ]
}

@test "crash: with its watcher killed, a run ends as it would have" {
	victim
	args sh -c 'touch /up; while [ ! -e /go ]; do sleep 0.02; done; exit 7' "$ID"
	"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" </dev/null >/dev/null 2>&1 3>&- &
	runtime=$!
	wait_for 10 test -e "$B/rootfs/up"
	for child in $(cat "/proc/$runtime/task/$runtime/children"); do
		[ "$child" = "$(pid_of)" ] || kill -KILL "$child"
	done
	touch "$B/rootfs/go"
	code=0
	wait "$runtime" || code=$?
	[ "$code" -eq 7 ] || fail "status $code"
	assert_no_leftovers
}

@test "crash: a foreground run killed anywhere leaves nothing, by itself" {
	victim
	args true
	calls_of run -b "$B" "$ID"
	strike() {
		killed_at "$2" "$3" run -b "$B" "$ID" || return 1
		gone || wait_for 10 gone || assert_no_leftovers
	}
	each_point strike "$STEP"
}

@test "crash: a killed detached run is deleted by force" {
	victim
	calls_of run -d -b "$B" "$ID"
	bock_runc delete --force "$ID"
	strike() {
		killed_at "$2" "$3" run -d -b "$B" "$ID" || return 1
		bock_runc delete --force "$ID" || return 1
		gone || assert_no_leftovers
	}
	each_point strike $((STEP * 2))
}

# ---- a kernel that refuses -----------------------------------------------------------------------

# refusing CALL ERRNO: a run under a kernel that does so to every process of it
refusing() {
	status=0
	timeout 20 strace -f -o /dev/null -e trace="$1" -e inject="$1:error=$2" \
		"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" </dev/null >"$T/.stdout" 2>"$T/.stderr" 3>&- || status=$?
	output=$(<"$T/.stdout")
	stderr=$(<"$T/.stderr")
}

@test "kernel: a call that is not there, or forbidden, is named in one error" {
	bundle true
	for call in openat2 clone3 mount_setattr move_mount open_tree close_range pivot_root pidfd_send_signal; do
		for errno in ENOSYS EPERM; do
			refusing $call $errno
			if [ "$status" -eq 0 ]; then
				# what is not needed in a run that goes well
				[ $call = pidfd_send_signal ] || fail "$call is never used"
				continue
			fi
			[ "$status" -eq 1 ] || fail "$call $errno: status $status: $stderr"
			[ "$(grep -c . <<<"$stderr")" -eq 1 ] || fail "$call $errno: $stderr"
			[ -z "$output" ]
			gone || assert_no_leftovers || fail "$call $errno"
			[ $errno = EPERM ] || [[ $stderr == *"$call"* ]] || missing+="$call: $stderr
"
		done
	done
	[ -z "${missing-}" ] || fail "not named:
$missing"
}

@test "kernel: a device program that a signal kept from being loaded is loaded again" {
	bundle true
	refusing bpf EAGAIN:when=1
	[ "$status" -eq 0 ] || fail "$stderr"
	refusing bpf EAGAIN
	[ "$status" -eq 1 ]
	[[ $stderr == *"load the program: Resource temporarily unavailable"* ]] || fail "$stderr"
}

@test "kernel: every failing call of the child is an error and leaves nothing" {
	bundle true
	edit '.linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	for call in mount fsopen fsmount fsconfig umount2 fchdir setsid sethostname mknodat symlinkat setresuid setresgid setgroups \
		capset execveat mkdirat unshare memfd_create; do
		refusing $call EIO
		[ "$status" -eq 1 ] || [ "$status" -eq 0 ] || fail "$call: status $status: $stderr"
		[ "$status" -eq 0 ] || [ -n "$stderr" ] || fail "$call: no error"
		gone || assert_no_leftovers || fail "$call"
	done
}
