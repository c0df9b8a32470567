# SPDX-License-Identifier: Apache-2.0
# exec: a further process in a container that is there.

setup() {
	load ../helpers/runc
	runc_setup
	MARK=$((1000000 + BASHPID)) # seconds that only this test's processes sleep
}
teardown() {
	common_teardown
	user_teardown
}

# up [JQ-FILTER...]: a container that sleeps, changed so
up() {
	[ -d "$B" ] || sleeper
	[ $# -eq 0 ] || edit "$@"
	detached run -d -b "$B" "$ID"
	assert_ok ""
}

# x [OPTION...] -- COMMAND...: bats' run of exec, its stderr in $stderr
x() {
	local -a options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	run --separate-stderr bock_runc exec "${options[@]}" "$ID" "$@"
}

# process JQ-FILTER: a process object in $T/process.json, made of the bundle's
process() { jq ".process | $1" <"$B/config.json" >"$T/process.json"; }

# exec fails with 255 and these words
x_refused() {
	[ "$status" -eq 255 ] || fail "status $status, expected 255; stderr: $stderr" || return 1
	[[ $stderr == *"$1"* ]] || fail "'$1' is not in stderr: $stderr"
}

@test "exec: output, input and the exit status of a command" {
	up
	x -- echo hello world
	assert_ok "hello world"
	x -- sh -c 'echo oops >&2; exit 7'
	[ "$status" -eq 7 ]
	[ "$stderr" = oops ]
	[ "$(echo data | bock_runc exec "$ID" tr a-z A-Z)" = DATA ]
	x -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
}

@test "exec: the process is in every namespace and in the cgroup of the container" {
	up '.linux.namespaces += [{"type": "time"}]'
	pid=$(pid_of)
	bock_runc exec --detach --pid-file "$T/pid" "$ID" sleep 1000
	other=$(<"$T/pid")
	for ns in cgroup ipc mnt net pid time uts user; do
		[ "$(readlink "/proc/$pid/ns/$ns")" = "$(readlink "/proc/$other/ns/$ns")" ] || fail "$ns"
	done
	[ "$(grep '^0::' "/proc/$pid/cgroup")" = "$(grep '^0::' "/proc/$other/cgroup")" ]
	grep -q "^0::/$ID$" "/proc/$other/cgroup"
	[ "$(readlink "/proc/$other/root")" = "$(readlink "/proc/$pid/root")" ]
	# a session of its own, led by it
	[ "$(awk '{ print $6 }' "/proc/$other/stat")" = "$other" ]
	[ "$(awk '/^NSpid/ { print NF }' "/proc/$other/status")" -eq 3 ]
}

@test "exec: rights are the container's, and nothing is inheritable (CVE-2022-29162)" {
	up '.process.capabilities = {"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]}'
	x -- grep -E '^(Cap|NoNewPrivs)' /proc/self/status
	assert_ok "CapInh:	0000000000000000
CapPrm:	0000000000000020
CapEff:	0000000000000020
CapBnd:	0000000000000021
CapAmb:	0000000000000000
NoNewPrivs:	1"
	x --cap CAP_NET_RAW -- grep -E '^Cap(Inh|Eff|Bnd)' /proc/self/status
	assert_ok "CapInh:	0000000000000000
CapEff:	0000000000002020
CapBnd:	0000000000002021"
}

@test "exec: --user by number alone, groups, --cwd, --env; the container's where nothing is said" {
	up '.process.user = {"uid": 1, "gid": 2, "additionalGids": [3], "umask": 63} | .process.cwd = "/tmp" | .process.env += ["A=1", "B=2"]'
	x -- sh -c 'echo $(id -u):$(id -g):$(id -G) $(pwd) $A$B $(umask)'
	assert_ok "1:2:2 3 /tmp 12 0077"
	x --user 5:6 -g 7 -g 8 --cwd /etc -e A=9 --env C=3 -- sh -c 'echo $(id -u):$(id -g):$(id -G) $(pwd) $A$B$C'
	assert_ok "5:6:6 3 7 8 /etc 923"
	x --user 5 -- sh -c 'echo $(id -u):$(id -g)'
	assert_ok "5:2"
}

@test "exec: --user takes a whole number and nothing else (CVE-2026-30892)" {
	up
	for user in 1x x1 root '' -1 4294967295 4294967296 1:x 1: :1 ' 1' 0x1 1:2:3; do
		x --user "$user" -- id
		x_refused "--user" || fail "with '$user'"
	done
	x -g x -- id
	x_refused "--additional-gids"
}

@test "exec: --no-new-privs" {
	up '.process.noNewPrivileges = false'
	x -- grep NoNewPrivs /proc/self/status
	assert_ok "NoNewPrivs:	0"
	x --no-new-privs -- grep NoNewPrivs /proc/self/status
	assert_ok "NoNewPrivs:	1"
}

@test "exec: --process FILE is the whole process; limits and capabilities left out are the container's" {
	up '.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 11, "hard": 22}]'
	process '.args = ["sh", "-c", "echo $X $(id -u) $(pwd) $(awk \"/core/ { print \\$5 }\" /proc/self/limits) $(grep CapEff /proc/self/status)"] | .env = ["X=y", "PATH=/bin"] |
		.user = {"uid": 0, "gid": 0} | .cwd = "/var" | del(.rlimits, .capabilities)'
	x --process "$T/process.json" --
	assert_ok "y 0 /var 11 CapEff: 0000000020000420"
	process '.args = ["awk", "/core/ { print $5, $6 }", "/proc/self/limits"] | .rlimits = [{"type": "RLIMIT_CORE", "soft": 5, "hard": 6}]'
	x -p "$T/process.json" --
	assert_ok "5 6"
}

@test "exec: a bad process is an error before anything happens" {
	up
	echo '{"args": ["true"], "cwd": "relative"}' >"$T/process.json"
	x -p "$T/process.json" --
	x_refused "process.cwd"
	echo '{"cwd": "/"}' >"$T/process.json"
	x -p "$T/process.json" --
	x_refused "process.args"
	echo '{"cwd": 1}' >"$T/process.json"
	x -p "$T/process.json" --
	x_refused "cwd"
	echo 'nonsense' >"$T/process.json"
	x -p "$T/process.json" --
	x_refused "process.json"
	x -p "$T/nothing" --
	x_refused "$T/nothing"
	x --
	x_refused "what to execute is missing"
}

@test "exec: a program that is missing, or may not be executed, in the words that engines look for" {
	up
	x -- nosuch
	x_refused 'exec: "nosuch": executable file not found in $PATH'
	x -- /no/such
	x_refused 'no such file or directory'
	x -- /etc/passwd
	x_refused 'permission denied'
	x --cwd /no/where -- true
	x_refused "process.cwd"
	mkdir "$T/log"
	run bock_runc --log "$T/log/l" --log-format json exec "$ID" nosuch
	[ "$(jq -r .level "$T/log/l")" = error ]
	[ "$(wc -l <"$T/log/l")" -eq 1 ]
}

@test "exec: no container, a stopped one, a created one" {
	x -- true
	x_refused "container does not exist"
	bundle sh -c 'echo in "$0"' "$ID"
	detached create -b "$B" "$ID"
	x -- echo early
	assert_ok early
	assert_is created
	bock_runc start "$ID" >"$T/out"
	wait_for 5 is stopped
	x -- true
	x_refused "cannot exec in a stopped container"
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "exec: a paused container refuses, and with --ignore-paused the process begins when it is resumed" {
	up
	bock_runc pause "$ID"
	x -- true
	x_refused "cannot exec in a paused container"
	bock_runc exec --ignore-paused "$ID" echo late >"$T/out" 3>&- &
	sleep 0.3
	[ ! -s "$T/out" ]
	bock_runc resume "$ID"
	wait $!
	[ "$(<"$T/out")" = late ]
}

@test "exec: a terminal of its own, with the size of ours" {
	need_cmd script util-linux
	up
	run script -qec "stty rows 33 cols 77; '$BOCK_RUNC' --root '$STATE' exec -t $ID sh -c 'tty; stty size; read -r _ _ _ _ _ sid _ </proc/self/stat; echo \$sid = \$\$; exit 5'" /dev/null
	[ "$status" -eq 5 ] || fail "status $status: $output"
	assert_output -p "/dev/pts/0"
	assert_output -p "33 77"
	[[ $output =~ ([0-9]+)\ =\ ([0-9]+) ]] && [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
}

@test "exec: a terminal in the foreground without a console socket, on pipes (as CRI-O does)" {
	up
	process '.terminal = true | .args = ["sh", "-c", "read x; tty; echo got $x; exit 4"]'
	code=0
	out=$(echo word | bock_runc exec --process "$T/process.json" "$ID") || code=$?
	[ "$code" -eq 4 ]
	[[ $out == *"/dev/pts/0"*"got word"* ]] || fail "$out"
}

@test "exec: detached with a terminal, the master comes to the console socket" {
	need_cmd python3
	up
	python3 "$RUNC_HELPERS/recv-console" "$T/console" "$T/out" 3>&- &
	wait_for 5 test -S "$T/console"
	process '.terminal = true | .args = ["sh", "-c", "tty; echo through the socket"] | .consoleSize = {"height": 12, "width": 34}'
	detached exec --detach --console-socket "$T/console" --process "$T/process.json" "$ID"
	assert_ok ""
	wait $!
	grep -q 'through the socket' "$T/out" || fail "$(cat "$T/out")"
	x -t --detach -- true
	x_refused "console socket"
	x --console-socket "$T/console" -- true
	x_refused "cannot use console socket"
}

@test "exec: detached; --pid-file is written whole, without a newline, before it returns" {
	up
	detached exec --detach --pid-file "$T/pid" "$ID" sleep 1000
	assert_ok ""
	[ "$(wc -l <"$T/pid")" -eq 0 ]
	[ "$(tr '\0' ' ' <"/proc/$(<"$T/pid")/cmdline")" = "sleep 1000 " ]
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	[ ! -e "/proc/$(<"$T/pid")/exe" ]
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "exec: --preserve-fds passes what is there, and nothing else is open" {
	up
	x -- sh -c 'ls /proc/self/fd | wc -l'
	assert_ok 4 # 0 1 2 and that of ls
	out=$(bock_runc exec --preserve-fds 1 "$ID" sh -c 'cat <&3; ls /proc/self/fd | wc -l' 3<<<three 4</dev/null)
	[ "$out" = "three
5" ] || fail "$out"
	run --separate-stderr bock_runc exec --preserve-fds 9 "$ID" true
	x_refused "preserved-fd"
}

@test "exec: signals go through, and the program dies with a killed bock-runc" {
	up
	bock_runc exec "$ID" sh -c 'trap "echo usr1; exit 6" USR1; echo ready; while :; do sleep 0.1; done' >"$T/out" 3>&- &
	wait_for 10 grep -q ready "$T/out"
	pkill -USR1 -f -- "--root $STATE exec $ID sh" || kill -USR1 $!
	code=0
	wait $! || code=$?
	[ "$code" -eq 6 ] || fail "status $code"
	"$BOCK_RUNC" --root "$STATE" exec "$ID" sleep "$MARK" 3>&- &
	runtime=$!
	wait_for 10 pgrep -f "^sleep $MARK"
	kill -KILL "$runtime"
	wait_for 10 eval '! pgrep -f "^sleep $MARK"'
}

@test "exec: with a seccomp profile, with and without no_new_privs, and one that forbids the fork" {
	up '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 7}]}'
	x -- sh -c 'grep Seccomp: /proc/self/status; mkdir /x'
	[ "$status" -ne 0 ]
	[ "$output" = "Seccomp:	2" ]
	[[ $stderr == *"Argument list too long"* ]]
	process '.noNewPrivileges = false | .args = ["sh", "-c", "grep Seccomp: /proc/self/status; mkdir /x || :"]'
	x -p "$T/process.json" --
	[ "$output" = "Seccomp:	2" ]
	bock_runc delete --force "$ID"
	edit '.process.args = ["sleep", "1000"] | .process.noNewPrivileges = false | .linux.seccomp.syscalls += [{"names": ["clone", "clone3", "fork", "vfork"], "action": "SCMP_ACT_ERRNO"}]'
	detached run -d -b "$B" "$ID"
	x -- grep Seccomp: /proc/self/status
	assert_ok "Seccomp:	2"
}

@test "exec: CPU affinity: the initial one, then the final one, and by default every CPU" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU (nproc)"
	up
	all=$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$(pid_of)/status")
	out=$(taskset -c 1 "$BOCK_RUNC" --root "$STATE" exec "$ID" awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
	[ "$out" = "$all" ] || fail "$out, and not $all"
	bock_runc delete --force "$ID"
	edit '.process.execCPUAffinity = {"initial": "0", "final": "1"}'
	detached run -d -b "$B" "$ID"
	x -- awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status
	assert_ok 1
	# of the first process it says nothing
	[ "$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$(pid_of)/status")" = "$all" ]
	process '.args = ["awk", "/^Cpus_allowed_list/ { print $2 }", "/proc/self/status"] | .execCPUAffinity = {"initial": "0"}'
	x -p "$T/process.json" --
	assert_ok "$all"
	process '.execCPUAffinity = {"initial": "4095"}'
	x -p "$T/process.json" --
	x_refused "4095"
}

@test "exec: RLIMIT_NPROC counts the program and not us" {
	up '.process.user = {"uid": 4711, "gid": 4711} | .process.args = ["sleep", "1000"] | .process.rlimits = [{"type": "RLIMIT_NPROC", "soft": 2, "hard": 2}]'
	x -- awk '/processes/ { print $3, $4 }' /proc/self/limits
	assert_ok "2 2"
}

@test "exec: a container in the host's pid namespace" {
	up '.linux.namespaces |= map(select(.type != "pid")) | .mounts |= map(select(.destination != "/proc")) | .mounts = [{"destination": "/proc", "type": "bind", "source": "/proc", "options": ["rbind", "ro"]}] + .mounts'
	x -- sh -c 'echo $$; readlink /proc/self/ns/pid'
	[ "$status" -eq 0 ] || fail "$stderr"
	[ "$(sed -n 2p <<<"$output")" = "$(readlink /proc/self/ns/pid)" ]
	# what it was before execve is a sealed copy, not our file
	process '.args = ["sh", "-c", "sleep 3"]'
	[ "$(readlink "/proc/$(pid_of)/exe")" != "$(realpath "$BOCK_RUNC")" ]
}

@test "exec: a container with a user namespace of its own" {
	need_user_namespaces
	sleeper
	open_path
	up '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 200000, "size": 1000}] | .linux.gidMappings = .linux.uidMappings'
	x --user 5:6 -- sh -c 'echo $(id -u):$(id -g); cat /proc/self/uid_map'
	[ "$status" -eq 0 ] || fail "$stderr"
	[ "$(sed -n 1p <<<"$output")" = 5:6 ]
	x --user 2000 -- id
	x_refused "not mapped"
	bock_runc exec -d --pid-file "$T/pid" "$ID" sleep 1000
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$(<"$T/pid")/status")" = 200000 ]
	run script -qec "'$BOCK_RUNC' --root '$STATE' exec -t $ID tty" /dev/null
	assert_output -p /dev/pts/0
}

@test "exec: --cgroup is a cgroup below the container's, and none above" {
	up
	cgroup=$(cgroup2_path)/$ID
	mkdir "$cgroup/sub"
	x --cgroup sub -- true
	assert_ok ""
	bock_runc exec --cgroup :/sub --detach --pid-file "$T/pid" "$ID" sleep 1000
	grep -q "^0::/$ID/sub$" "/proc/$(<"$T/pid")/cgroup"
	for bad in .. ../x sub/../.. /../..; do
		x --cgroup "$bad" -- true
		x_refused "bad sub cgroup path" || fail "with $bad"
	done
	x --cgroup memory:sub -- true
	x_refused "version 1"
	x --cgroup nothere -- true
	x_refused "--cgroup"
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "exec: a container whose processes live in a cgroup below its own" {
	up
	cgroup=$(cgroup2_path)/$ID
	mkdir "$cgroup/inner"
	echo "$(pid_of)" >"$cgroup/inner/cgroup.procs"
	for child in $(cat "/proc/$(pid_of)/task/$(pid_of)/children"); do echo "$child" >"$cgroup/inner/cgroup.procs"; done
	controller=$(awk '{ print $1 }' "$cgroup/cgroup.controllers")
	[ -n "$controller" ] || skip "no controller is enabled for this cgroup ($cgroup/cgroup.controllers)"
	# "no internal processes": nothing can join the container's own cgroup any more
	echo "+$controller" >"$cgroup/cgroup.subtree_control"
	x -- sh -c 'echo in'
	[ "$status" -eq 0 ] || fail "$stderr"
}

@test "exec: the runtime's file is never what the container sees (CVE-2019-5736)" {
	up '.process.capabilities.bounding += ["CAP_SYS_PTRACE"] | .process.capabilities.permitted += ["CAP_SYS_PTRACE"] | .process.capabilities.effective += ["CAP_SYS_PTRACE"]'
	# a process of the container looks at every other one, without pause
	bock_runc exec -d "$ID" sh -c 'while :; do for p in /proc/[0-9]*; do readlink $p/exe; done; done >>/seen' </dev/null >/dev/null 2>&1 3>&-
	for _ in $(seq 40); do
		bock_runc exec "$ID" true
		bock_runc exec "$ID" /proc/self/exe </dev/null >/dev/null 2>&1 || :
	done
	sort -u "$B/rootfs/seen" >"$T/seen"
	[ -s "$T/seen" ]
	! grep -F "$(basename "$BOCK_RUNC")" "$T/seen" || fail "seen: $(cat "$T/seen")"
}

@test "exec: processes of the container can't reach what the runtime has open" {
	up '.process.capabilities.bounding += ["CAP_SYS_PTRACE"] | .process.capabilities.permitted += ["CAP_SYS_PTRACE"] | .process.capabilities.effective += ["CAP_SYS_PTRACE"]'
	bock_runc exec -d "$ID" sh -c 'while :; do for p in /proc/[0-9]*; do [ $p = /proc/$$ ] || ls -l $p/fd $p/cwd $p/root; done; done 2>/dev/null | grep -F " -> /" >>/seen' </dev/null >/dev/null 2>&1 3>&-
	for _ in $(seq 40); do bock_runc exec "$ID" true </dev/null >/dev/null 2>&1; done
	! grep -F "$STATE" "$B/rootfs/seen" || fail "a path of the host: $(sort -u "$B/rootfs/seen")"
	! grep -F /sys/fs/cgroup "$B/rootfs/seen"
}

@test "exec: of an ordinary user" {
	user_setup
	user_bundle sh -c 'sleep 1000 & wait' "$ID"
	as_user "$BOCK_RUNC" run -d -b "$B" "$ID" </dev/null >"$T/.out" 2>&1 3>&-
	run --separate-stderr as_user "$BOCK_RUNC" exec "$ID" sh -c 'id -u; grep -c . /proc/self/uid_map; exit 3'
	[ "$status" -eq 3 ] || fail "status $status: $stderr"
	[ "$(sed -n 1p <<<"$output")" = 0 ]
	run --separate-stderr as_user script -qec "'$BOCK_RUNC' exec -t $ID tty" /dev/null
	assert_output -p /dev/pts/0
	as_user "$BOCK_RUNC" delete --force "$ID"
}

@test "exec: the last stage killed between its fork and its word is an error, not a wait" {
	need_cmd strace
	up
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	run --separate-stderr timeout 20 strace -f -qq -o /dev/null -e trace=sendto -e inject=sendto:signal=KILL:when=1 \
		"$BOCK_RUNC" --root "$STATE" exec "$ID" sleep "$MARK"
	x_refused "was killed by signal 9"
	wait_for 10 eval '! pgrep -f "^sleep $MARK"'
}

@test "exec: killed anywhere, it leaves the container as it was" {
	need_cmd strace
	up
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	for call in openat socketpair clone3 recvmsg pidfd_open waitid sendto read prctl setns memfd_create execveat; do
		for n in 1 2; do
			{ strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
				"$BOCK_RUNC" --root "$STATE" exec "$ID" sleep "$MARK" </dev/null >/dev/null 2>&1 3>&- & } 2>/dev/null
			tracer=$!
			sleep 0.3
			pkill -KILL -P "$tracer" 2>/dev/null || :
			kill -KILL "$tracer" 2>/dev/null || :
			wait "$tracer" 2>/dev/null || :
		done
	done
	wait_for 10 eval '! pgrep -f "^sleep $MARK"'
	assert_is running
	x -- echo alive
	assert_ok alive
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "exec: who hands over the process may be late with it" {
	need_cmd strace
	up
	# no large files: without the last stage, by a process in between
	process '.args = ["echo", "hello"] | .rlimits = [{"type": "RLIMIT_FSIZE", "soft": 1000, "hard": 1000}]'
	# whoever clones goes on half a second after the clone
	ASAN_OPTIONS=detect_leaks=0 run --separate-stderr timeout 60 strace -f -o "$T/trace" -e trace=clone3 -e inject=clone3:delay_exit=500000 \
		"$BOCK_RUNC" --root "$STATE" exec --process "$T/process.json" "$ID"
	[ "$(grep -c CLONE_PARENT "$T/trace")" -ge 1 ] || fail "nobody in between: $(<"$T/trace")"
	assert_ok hello
}
