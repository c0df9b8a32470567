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

# A socket where everything is accepted and kept, and nothing done with it.
silent_peer() {
	background 'import socket, sys, time, threading
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(9); held = []
def serve():
    while True:
        c = s.accept()[0]; held.append(socket.recv_fds(c, 1 << 16, 4))
threading.Thread(target=serve, daemon=True).start()' "$1"
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
	silent_peer "$T/sock"
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

# at_exit PID: its tracer lets that process not end (PTRACE_O_TRACEEXIT), as a disk or a server would
at_exit() {
	background 'import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
if libc.ptrace(0x4206, int(sys.argv[1]), None, 1 << 6) < 0: sys.exit("PTRACE_SEIZE: %d" % ctypes.get_errno())' "$1"
}

# After a delete: it may have gone well only if that process has ended nevertheless
held_or_skip() { # PID
	[ "$status" -eq 0 ] || return 0
	[ ! -e "/proc/$1" ] || fail "delete says that all has ended, and process $1 has not"
	skip "this kernel lets a traced process end before its tracer sees it"
}

@test "waits: a process that does not die after SIGKILL" {
	sleeper
	detached create -b "$B" "$ID"
	pid=$(pid_of)
	at_exit "$pid"
	detached --timeout 1s delete --force "$ID"
	held_or_skip "$pid"
	[[ $stderr == *"process $pid ("*") has not ended 1.000 s after SIGKILL"* ]] || fail "$stderr"
	[[ $stderr == *'can be repeated'* ]] || fail "$stderr"
	[ -e "$STATE/$ID/state.json" ]
	kill -9 "$PEER"
	wait_for 10 test ! -e "/proc/$PEER"
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

# What the container's first process has started: $OTHER
with_another() {
	need_cgroup2
	sleeper
	[ $# -eq 0 ] || edit "$1"
	detached run -d -b "$B" "$ID"
	CG=$(cgroup2_path)/$ID
	another() { OTHER=$(grep -vx "$(pid_of)" "$CG/cgroup.procs"); }
	wait_for 10 another
}

let_go() {
	kill -9 "$PEER"
	wait_for 10 test ! -e "/proc/$PEER"
	OTHER=
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "waits: the first process can't end before another one does, which is named" {
	with_another
	at_exit "$OTHER"
	detached --timeout 1s delete --force "$ID"
	held_or_skip "$OTHER"
	[[ $stderr == *"held by process $OTHER ("*"): process $(jq .pid "$STATE/$ID/state.json") ("*') has not ended 1.000 s after SIGKILL'* ]] ||
		fail "$stderr"
	let_go
}

@test "waits: a cgroup whose processes don't end" {
	with_another 'del(.linux.namespaces[] | select(.type == "pid"))'
	at_exit "$OTHER"
	detached --timeout 1s delete --force "$ID"
	held_or_skip "$OTHER"
	[[ $stderr == *"remove cgroup '/$ID': held by process $OTHER ("*"wait for 'populated 0'"* ]] || fail "$stderr"
	[[ $stderr == *"'delete --force' can be repeated"* ]] || fail "$stderr"
	let_go
}

# It reads a page, as a debugger would, that userfaultfd(2) has promised and nobody brings.
@test "waits: pause of a process that can't be stopped" {
	[ "$(uname -m)" = x86_64 ] || skip "the script has x86_64's numbers (uname -m: $(uname -m))"
	need_cgroup2
	sleeper
	detached run -d -b "$B" "$ID"
	python3 -c 'import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
page = libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0))
fd = libc.syscall(323, os.O_CLOEXEC)
if fd < 0 or libc.ioctl(fd, ctypes.c_ulong(0xc018aa3f), (ctypes.c_uint64 * 3)(0xaa, 0, 0)) < 0 \
        or libc.ioctl(fd, ctypes.c_ulong(0xc020aa00), (ctypes.c_uint64 * 4)(page, 4096, 1, 0)) < 0:
    open(sys.argv[1], "w").write("userfaultfd is refused: %s" % os.strerror(ctypes.get_errno()))
    sys.exit()
to = ctypes.create_string_buffer(1)
open(sys.argv[1], "w").close()
libc.process_vm_readv(os.getpid(), (ctypes.c_uint64 * 2)(ctypes.addressof(to), 1), 1, (ctypes.c_uint64 * 2)(page, 1), 1, 0)' "$T/ready" 3>&- &
	PEER=$!
	disown
	wait_for 10 test -e "$T/ready"
	[ ! -s "$T/ready" ] || skip "$(cat "$T/ready")"
	wait_for 10 grep -q '^State:.D' "/proc/$PEER/status"
	echo "$PEER" >"$(cgroup2_path)/$ID/cgroup.procs"
	timed_out "held by process $PEER (python3, state D, waits in handle_userfault): wait for 'frozen 1'" pause "$ID"
	[[ $stderr == *"'pause' can be repeated"* ]] || fail "$stderr"
	assert_is running
	kill -9 "$PEER"
	wait_for 10 test ! -e "/proc/$PEER"
	detached pause "$ID"
	assert_ok ""
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "waits: resume below a cgroup that is frozen" {
	need_cgroup2
	sleeper
	edit --arg p "/$ID-above/below" '.linux.cgroupsPath = $p'
	detached run -d -b "$B" "$ID"
	above=$(cgroup2_path)/$ID-above
	bock_runc pause "$ID"
	echo 1 >"$above/cgroup.freeze"
	timed_out "wait for 'frozen 0'" resume "$ID"
	[[ $stderr == *"held by process $(pid_of) ("*"'$above' is frozen"* ]] || fail "$stderr"
	# a frozen one is killed all the same
	detached --timeout 10s delete --force "$ID"
	assert_ok ""
	assert_no_leftovers
}

@test "waits: a console peer that takes the terminal and never reads holds up nobody but the container" {
	bundle yes "$ID"
	edit '.process.terminal = true'
	silent_peer "$T/sock"
	detached --timeout 5s run -d -b "$B" --console-socket "$T/sock" "$ID"
	assert_ok ""
	wait_for 10 grep -q '^State:.S' "/proc/$(pid_of)/status"
	detached --timeout 5s exec -d -t --console-socket "$T/sock" "$ID" yes
	assert_ok ""
	detached --timeout 5s delete --force "$ID"
	assert_ok ""
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
