# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016 # stderr is bats'; python's and jq's
# Whatever never comes: each wait ends in an error that says who was waited for and what that waits in, and
# nothing is left. --timeout makes them short.

setup() {
	load ../helpers/runc
	runc_setup
	need_cmd python3
}
teardown() {
	# shellcheck disable=SC2086 # pids
	kill -9 ${PEER-} ${OTHER-} 2>/dev/null || :
	common_teardown
}

# background SCRIPT ARG...: python, in the background until the test ends ($PEER); it says when it is ready
background() {
	python3 -c "$1
import os
os.close(os.open('$T/ready', os.O_CREAT | os.O_WRONLY))
while True: time.sleep(1000)" "${@:2}" 3>&- &
	PEER=$!
	disown
	wait_for 10 test -e "$T/ready"
}

# A socket whose queue is full, and that nobody accepts from.
deaf_socket() {
	background 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(0); held = []
while True:
    c = socket.socket(socket.AF_UNIX); c.setblocking(False); held.append(c)
    try: c.connect(sys.argv[1])
    except BlockingIOError: break' "$1"
}

# timed_out WORDS COMMAND...: bock-runc with a short --timeout fails with these words
timed_out() {
	detached --timeout 1s "${@:2}"
	[ "$status" -ne 0 ] || fail "no error: $output" || return 1
	[[ $stderr == *"$1"* ]] || fail "'$1' is not in: $stderr"
}

@test "waits: --timeout takes seconds and durations, and no nonsense" {
	bundle true
	for time in 0 30 500ms 1m30s; do
		run --separate-stderr bock_runc --timeout "$time" run -b "$B" "$ID"
		assert_ok ''
	done
	for time in x -1 '' 400d 99999999999; do
		run --separate-stderr bock_runc --timeout="$time" run -b "$B" "$ID"
		assert_error '--timeout'
	done
	assert_no_leftovers
}

@test "waits: a hook that hangs is killed and named; its own timeout wins" {
	bundle true
	# what is in the container has its own sleep
	for kind in createRuntime createContainer startContainer; do
		edit --arg k "$kind" --arg p "$([ "$kind" = startContainer ] && echo /bin/sleep || command -v sleep)" --arg id "1000.$$" \
			'.hooks = {($k): [{"path": $p, "args": ["sleep", $id]}]}'
		timed_out "error running $kind hook #0: wait for" run -b "$B" "$ID"
		[[ $stderr =~ process\ [0-9]+\ \((sleep|busybox),\ state\ [SDR] ]] || fail "$stderr"
		[[ $stderr == *'--timeout bounds those that have none'* ]] || fail "$stderr"
		! pgrep -f "sleep 1000.$$" || fail 'the hook lives'
		assert_no_leftovers || return 1
	done
	edit '.hooks = {"createContainer": [{"path": "/bin/sleep", "args": ["sleep", "2.5"], "timeout": 30}]}'
	run --separate-stderr bock_runc --timeout 2s run -b "$B" "$ID"
	assert_ok ''
	# a poststop hook is a warning
	edit '.hooks = {"poststop": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]}'
	run --separate-stderr bock_runc --timeout 2s run -b "$B" "$ID"
	[ "$status" -eq 0 ]
	[[ $stderr == *'error running poststop hook #0: wait for'* ]] || fail "$stderr"
	assert_no_leftovers
}

@test "waits: peers that accept nobody: console, pidfd, seccomp agent" {
	bundle true
	deaf_socket "$T/sock"
	timed_out 'pidfd socket: connect to socket' create -b "$B" --pidfd-socket "$T/sock" "$ID"
	[[ $stderr == *'accepts nobody, and its queue is full'* ]] || fail "$stderr"
	edit '.process.terminal = true'
	timed_out 'console socket: connect to socket' create -b "$B" --console-socket "$T/sock" "$ID"
	edit --arg s "$T/sock" '.process.terminal = false | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $s,
		"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}'
	timed_out 'linux.seccomp.listenerPath: connect to socket' run -b "$B" "$ID"
	assert_no_leftovers
	edit 'del(.linux.seccomp)'
	args sh -c 'sleep 1000 & wait' "$ID"
	detached run -d -b "$B" "$ID"
	timed_out 'console socket' exec -t -d --console-socket "$T/sock" "$ID" true
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "waits: a seccomp agent that takes the listener and answers nothing" {
	bundle true
	background 'import socket, sys, time, threading
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(9); held = []
def serve():
    while True:
        c = s.accept()[0]; held.append(socket.recv_fds(c, 1 << 16, 4))
threading.Thread(target=serve, daemon=True).start()' "$T/sock"
	edit --arg s "$T/sock" '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $s,
		"syscalls": [{"names": ["prctl", "execve", "accept4"], "action": "SCMP_ACT_NOTIFY"}]}'
	for words in 'create' 'run' 'run -d'; do
		# shellcheck disable=SC2086 # a command and its option
		timed_out "the container's first process has not come further for 1.000 s: process" $words -b "$B" "$ID"
		[[ $stderr == *'the agent at linux.seccomp.listenerPath must answer'* ]] || fail "$stderr"
		assert_no_leftovers || return 1
	done
}

@test "waits: start of a process that others have stopped" {
	bundle true
	detached create -b "$B" "$ID"
	kill -STOP "$(pid_of)"
	timed_out "the container's first process does not answer for 1.000 s: process $(pid_of) (" start "$ID"
	[[ $stderr == *', state T'* ]] || fail "$stderr"
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

# Its tracer lets it not end (PTRACE_O_TRACEEXIT), as a disk or a server would.
@test "waits: a process that does not die after SIGKILL" {
	sleeper
	detached create -b "$B" "$ID"
	pid=$(pid_of)
	background 'import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
if libc.ptrace(0x4206, int(sys.argv[1]), None, 1 << 6) < 0: sys.exit("PTRACE_SEIZE: %d" % ctypes.get_errno())' "$pid"
	detached --timeout 1s delete --force "$ID"
	if [ "$status" -eq 0 ]; then skip "this kernel lets a traced process end before its tracer sees it"; fi
	[[ $stderr == *"process $pid ("*") has not ended 1.000 s after SIGKILL"* ]] || fail "$stderr"
	[[ $stderr == *'can be repeated'* ]] || fail "$stderr"
	[ -e "$STATE/$ID/state.json" ]
	kill -9 "$PEER"
	wait_for 10 test ! -e "/proc/$PEER"
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "waits: a command that holds the container" {
	need_cmd flock util-linux
	bundle true
	detached create -b "$B" "$ID"
	flock "$STATE/$ID" sh -c 'echo >"$1"; exec sleep 1000' - "$T/held" 3>&- &
	PEER=$!
	wait_for 10 test -e "$T/held"
	timed_out 'another command has held the container for 1.000 s' start "$ID"
	pkill -9 -P "$PEER"
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "waits: a container that never says it is ready goes on, with a warning that says what it does" {
	sleeper
	background 'import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])' "$T/notify"
	export NOTIFY_SOCKET=$T/notify
	detached --timeout 1s run -d -b "$B" "$ID"
	[ "$status" -eq 0 ]
	[[ $stderr == *"has not said that it is ready for 1.000 s: process $(pid_of) ("*'it goes on'* ]] || fail "$stderr"
	assert_is running
	bock_runc delete --force "$ID"
	unset NOTIFY_SOCKET
	assert_no_leftovers
}

@test "waits: exec --ignore-paused waits as long as it takes" {
	need_cgroup2
	sleeper
	detached run -d -b "$B" "$ID"
	bock_runc pause "$ID"
	"$BOCK_RUNC" --root "$STATE" --timeout 2s exec --ignore-paused "$ID" echo resumed >"$T/out" 2>&1 3>&- &
	OTHER=$!
	sleep 2.5 # longer than that; there is nothing that could be waited for
	bock_runc resume "$ID"
	wait "$OTHER"
	[ "$(cat "$T/out")" = resumed ] || fail "$(cat "$T/out")"
	bock_runc delete --force "$ID"
}
