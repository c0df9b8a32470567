# SPDX-License-Identifier: Apache-2.0
# bock-runc's commands from the outside: what they do to a container's life, what they print, how they
# end, and every option of them.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { common_teardown; }

# ---- the life of a container ---------------------------------------------------------------------

@test "life: created, running, stopped, gone; the state says so each time" {
	bundle sh -c 'trap "exit 0" TERM; echo up >/up; while :; do sleep 0.1; done' "$ID"
	detached create -b "$B" "$ID"
	assert_ok ""
	assert_is created
	pid=$(pid_of)
	kill -0 "$pid"
	[ ! -e "$B/rootfs/up" ]
	detached start "$ID"
	assert_ok ""
	assert_is running
	[ "$(pid_of)" = "$pid" ]
	wait_for 5 test -e "$B/rootfs/up"
	run --separate-stderr bock_runc kill "$ID"
	assert_ok ""
	wait_for 5 is stopped
	[ "$(pid_of)" = 0 ]
	run --separate-stderr bock_runc delete "$ID"
	assert_ok ""
	run --separate-stderr bock_runc state "$ID"
	assert_error 'container does not exist'
	assert_no_leftovers
}

@test "state: every member, with absolute paths, a time that parses, and the annotations" {
	sleeper
	edit '.annotations = {"a.b/c": "d e", "x": ""}'
	(cd "$B" && bock_runc create "$ID")
	bock_runc state "$ID" >"$T/state.json"
	jq -e --arg id "$ID" --arg b "$B" '.ociVersion == "1.3.0" and .id == $id and .bundle == $b and
		.rootfs == $b + "/rootfs" and .status == "created" and (.pid | type) == "number" and
		.annotations == {"a.b/c": "d e", "x": ""} and .owner == ""' <"$T/state.json"
	[ $(($(date +%s) - $(date -d "$(jq -r .created "$T/state.json")" +%s))) -lt 60 ]
}

@test "start: errors for running, stopped and unknown containers" {
	sleeper
	detached run -d -b "$B" "$ID"
	assert_ok ""
	detached start "$ID"
	assert_error 'cannot start an already running container'
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	detached start "$ID"
	assert_error 'cannot start a container that has stopped'
	detached start "$ID-x"
	assert_error 'container does not exist'
}

@test "start: the caller learns that the program can't be executed" {
	bundle /bin/broken
	printf '#!/nowhere/sh\n' >"$B/rootfs/bin/broken"
	chmod 755 "$B/rootfs/bin/broken"
	detached create -b "$B" "$ID"
	assert_ok ""
	detached start "$ID"
	assert_error 'no such file or directory'
	bock_runc delete --force "$ID"
	run_it
	assert_error 'no such file or directory'
	assert_no_leftovers
}

@test "create: an id in use is refused and its container untouched; a deleted one can be used again" {
	sleeper
	detached create -b "$B" "$ID"
	assert_ok ""
	pid=$(pid_of)
	detached create -b "$B" "$ID"
	assert_error 'container with given ID already exists'
	run_it
	assert_error 'container with given ID already exists'
	assert_is created
	[ "$(pid_of)" = "$pid" ]
	bock_runc delete "$ID"
	detached create -b "$B" "$ID"
	assert_ok ""
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "create: of two at once with one id, one wins" {
	sleeper
	pids=()
	for i in 1 2 3 4; do
		bock_runc create -b "$B" --pid-file "$T/pid.$i" "$ID" 2>"$T/err.$i" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}" || :
	[ "$(find "$T" -maxdepth 1 -name 'pid.?' | wc -l)" -eq 1 ]
	[ "$(grep -l 'already exists' "$T"/err.? | wc -l)" -eq 3 ]
	[ "$(pid_of)" = "$(cat "$T"/pid.?)" ]
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "create: a change of config.json afterwards has no effect" {
	bundle sh -c 'echo first >/out' "$ID"
	detached create -b "$B" "$ID"
	assert_ok ""
	args sh -c 'echo second >/out'
	bock_runc start "$ID"
	wait_for 5 is stopped
	[ "$(cat "$B/rootfs/out")" = first ]
}

@test "create: the container outlives the caller's session" {
	sleeper
	setsid -w "$BOCK_RUNC" --root "$STATE" create -b "$B" "$ID"
	setsid -w "$BOCK_RUNC" --root "$STATE" start "$ID"
	sleep 0.1
	assert_is running
}

# ---- delete --------------------------------------------------------------------------------------

@test "delete: created goes, with and without --force" {
	sleeper
	detached create -b "$B" "$ID"
	assert_ok ""
	bock_runc delete "$ID"
	assert_no_leftovers
	detached create -b "$B" "$ID"
	assert_ok ""
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "delete: running is refused without --force" {
	sleeper
	detached run -d -b "$B" "$ID"
	assert_ok ""
	run --separate-stderr bock_runc delete "$ID"
	assert_error "cannot delete container $ID that is not stopped: running"
	assert_is running
	run --separate-stderr bock_runc delete --force "$ID"
	assert_ok ""
	assert_no_leftovers
}

@test "delete: stopped goes, with and without --force" {
	bundle true
	bock_runc run --keep -b "$B" "$ID"
	bock_runc delete "$ID"
	assert_no_leftovers
	bock_runc run --keep -b "$B" "$ID"
	bock_runc delete -f "$ID"
	assert_no_leftovers
}

@test "delete: unknown is an error, and none with --force" {
	run --separate-stderr bock_runc delete "$ID"
	assert_error 'container does not exist'
	run --separate-stderr bock_runc delete --force "$ID"
	assert_ok ""
	mkdir "$STATE"
	run --separate-stderr bock_runc delete "$ID"
	assert_error 'container does not exist'
	run --separate-stderr bock_runc delete --force "$ID"
	assert_ok ""
}

@test "delete: what the first process left in a shared pid namespace goes too" {
	bundle sh -c 'sleep 1000 & exit 0' "$ID"
	edit 'del(.linux.namespaces[] | select(.type == "pid"))'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 5 is stopped
	[ -n "$(cat "$(cgroup2_path)/$ID/cgroup.procs")" ]
	bock_runc delete "$ID"
	assert_no_leftovers
}

# ---- kill ----------------------------------------------------------------------------------------

@test "kill: by number, name, name with SIG, in small letters, real-time, default TERM" {
	bundle sh -c 'for s in HUP INT USR1 USR2 TERM WINCH 34 36; do trap "echo $s >>/got" $s; done
		touch /up; while [ ! -e /done ]; do sleep 0.02; done' "$ID"
	detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 5 test -e "$B/rootfs/up"
	want=
	send() { # NAME [SIGNAL]
		want+="$1 "
		bock_runc kill "$ID" "${@:2}"
		wait_for 5 arrived || fail "got $(xargs <"$B/rootfs/got"), expected $want"
	}
	arrived() { [ "$(xargs <"$B/rootfs/got") " = "$want" ]; }
	touch "$B/rootfs/got"
	send HUP 1
	send INT INT
	send USR1 SIGUSR1
	send USR2 usr2
	send WINCH sigwinch
	send TERM
	send 34 RTMIN # musl's is 35
	send 36 RTMIN+2
	touch "$B/rootfs/done"
}

@test "kill: 0 and unknown signals" {
	sleeper
	detached run -d -b "$B" "$ID"
	assert_ok ""
	run --separate-stderr bock_runc kill "$ID" 0
	assert_ok ""
	for signal in NOSUCH SIG 65 -1 9x '' SIGRTMAX+1; do
		run --separate-stderr bock_runc kill -- "$ID" "$signal"
		assert_error "unknown signal \"$signal\""
	done
	assert_is running
}

@test "kill: unknown, stopped and created containers" {
	sleeper
	run --separate-stderr bock_runc kill "$ID" KILL
	assert_error 'container does not exist'
	detached create -b "$B" "$ID"
	assert_ok ""
	run --separate-stderr bock_runc kill "$ID" KILL
	assert_ok ""
	wait_for 5 is stopped
	run --separate-stderr bock_runc kill "$ID" KILL
	assert_error 'container not running'
	run --separate-stderr bock_runc kill --all "$ID" KILL
	assert_ok ""
}

@test "kill: --all reaches every process" {
	bundle sh -c 'trap : TERM; sh -c "trap \"echo child >>/got; exit\" TERM; touch /up2; while :; do sleep 0.05; done" &
		touch /up; while [ ! -e /done ]; do sleep 0.05; done' "$ID"
	detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 5 test -e "$B/rootfs/up" -a -e "$B/rootfs/up2"
	bock_runc kill "$ID" TERM
	sleep 0.2
	[ ! -e "$B/rootfs/got" ]
	bock_runc kill --all "$ID" TERM
	wait_for 5 test -e "$B/rootfs/got"
	touch "$B/rootfs/done"
}

@test "kill: KILL without a pid namespace of its own takes all processes" {
	bundle sh -c 'sleep 1000 & sleep 1001 & wait' "$ID"
	edit 'del(.linux.namespaces[] | select(.type == "pid"))'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 5 test "$(grep -c . "$(cgroup2_path)/$ID/cgroup.procs")" -ge 1
	bock_runc kill "$ID" KILL
	gone() { [ -z "$(cat "$(cgroup2_path)/$ID/cgroup.procs")" ]; }
	wait_for 5 gone
	bock_runc delete "$ID"
	assert_no_leftovers
}

# ---- run -----------------------------------------------------------------------------------------

@test "run: the exit status is the program's, 128 + signal for a killed one" {
	bundle sh -c 'exit $CODE'
	for code in 0 1 7 126 127 255; do
		edit --arg c "CODE=$code" '.process.env = [$c, "PATH=/bin"]'
		detached run -b "$B" "$ID" # bats' run warns of 127
		[ "$status" -eq "$code" ] || fail "status $status, expected $code: $stderr"
		[ -z "$stderr" ]
	done
	bundle_args "$B" sh -c 'touch /up; sleep 1000' "$ID"
	bock_runc run -b "$B" "$ID" 3>&- &
	wait_for 5 test -e "$B/rootfs/up"
	bock_runc kill "$ID" KILL
	code=0
	wait $! || code=$?
	[ "$code" -eq 137 ]
	assert_no_leftovers
}

@test "run: stdin, stdout and stderr are the caller's" {
	bundle sh -c 'cat; echo err >&2'
	run --separate-stderr bock_runc run -b "$B" "$ID" < <(printf 'one\ntwo')
	[ "$status" -eq 0 ]
	[ "$output" = "one
two" ]
	[ "$stderr" = err ]
	# a megabyte through both pipes, unharmed
	args cat
	head -c 1000000 /dev/urandom >"$T/in"
	bock_runc run -b "$B" "$ID" <"$T/in" | cat >"$T/out"
	cmp "$T/in" "$T/out"
}

@test "run: signals are handed on" {
	bundle sh -c 'trap "exit 33" TERM; trap "exit 34" INT; trap "exit 35" HUP; trap "exit 36" 34; touch /up; while :; do sleep 0.02; done' "$ID"
	# the first real-time signal (34) is the C library's own in musl
	for pair in TERM:33 HUP:35 34:36; do
		rm -f "$B/rootfs/up"
		"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" 3>&- &
		wait_for 5 test -e "$B/rootfs/up"
		kill -"${pair%:*}" $!
		code=0
		wait $! || code=$?
		[ "$code" -eq "${pair#*:}" ] || fail "$pair: status $code"
	done
	assert_no_leftovers
}

@test "run: leaves nothing behind, --keep the stopped container" {
	bundle sh -c 'exit 5'
	run_it
	[ "$status" -eq 5 ]
	assert_no_leftovers
	run_it --keep
	[ "$status" -eq 5 ]
	assert_is stopped
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "run: --detach returns while the container runs" {
	sleeper
	detached run -d -b "$B" "$ID"
	assert_ok ""
	assert_is running
	bock_runc delete -f "$ID"
	detached run --detach -b "$B" "$ID"
	assert_ok ""
	assert_is running
}

@test "run: --detach says why the program can't be executed, and undoes the container" {
	bundle /nosuch
	run_it -d
	assert_error 'no such file or directory'
	assert_no_leftovers
}

@test "run: processes that the program leaves die with it" {
	bundle sh -c 'sleep 1000 & echo started'
	run --separate-stderr timeout 20 "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_ok started
	assert_no_leftovers
}

# ---- the words that callers look for -------------------------------------------------------------

@test "words: the program is not there, is a directory, may not be executed" {
	bundle nosuch
	run_it
	assert_error 'exec: "nosuch": executable file not found in $PATH'
	for command in create run; do
		args /no/such
		detached "$command" -b "$B" "$ID"
		assert_error 'exec: "/no/such": stat /no/such: no such file or directory'
	done
	args /etc
	run_it
	assert_error 'permission denied'
	args /etc/passwd
	run_it
	assert_error 'exec: "/etc/passwd": permission denied'
	args /etc/passwd/x
	run_it
	assert_error 'not a directory'
	assert_no_leftovers
}

@test "words: PATH decides, and what it holds that may not be executed is denied" {
	bundle tool
	mkdir "$B/rootfs/a" "$B/rootfs/b"
	printf '#!/bin/sh\necho ran\n' >"$B/rootfs/a/tool"
	edit '.process.env = ["PATH=/nowhere:/a:/b:/bin"]'
	run_it
	assert_error 'exec: "tool": permission denied'
	cp "$B/rootfs/a/tool" "$B/rootfs/b/tool"
	chmod 755 "$B/rootfs/b/tool"
	run_it
	assert_ok ran
	edit '.process.env = []'
	run_it
	assert_error 'executable file not found in $PATH'
}

# ---- options -------------------------------------------------------------------------------------

@test "options: --pid-file holds the pid alone, is replaced atomically, is relative to the caller" {
	sleeper
	mkdir "$T/cwd"
	cd "$T/cwd"
	echo old >pid
	ln pid other
	detached create -b "$B" --pid-file pid "$ID"
	assert_ok ""
	printf '%s' "$(pid_of)" | cmp - pid
	[ "$(cat other)" = old ]
	[ "$(find . -mindepth 1 | sort | xargs)" = "./other ./pid" ]
	[ "$(stat -c %a pid)" = 644 ]
	bock_runc delete -f "$ID"
	detached run -d -b "$B" --pid-file "$T/pid2" "$ID"
	assert_ok ""
	[ "$(cat "$T/pid2")" = "$(pid_of)" ]
}

@test "options: a --pid-file that can't be written undoes the container" {
	sleeper
	detached create -b "$B" --pid-file "$T/no/such/pid" "$ID"
	assert_error "pid file: "
	assert_no_leftovers
	run --separate-stderr bock_runc run -b "$B" --pid-file "$T/no/such/pid" "$ID"
	assert_error "pid file: "
	assert_no_leftovers
}

@test "options: a create that fails leaves no pid file" {
	bundle /no/such
	detached create -b "$B" --pid-file "$T/pid" "$ID"
	assert_error 'no such file'
	[ ! -e "$T/pid" ]
}

@test "options: --log json holds exactly one object after a failure and nothing after a success" {
	bundle true
	run --separate-stderr bock_runc --log "$T/log" --log-format json run -b "$B" "$ID"
	assert_ok ""
	[ ! -s "$T/log" ]
	args /no/such
	run --separate-stderr bock_runc --log "$T/log" --log-format json run -b "$B" "$ID"
	assert_error 'no such file'
	[ "$(jq -s length "$T/log")" -eq 1 ]
	jq -e '.level == "error" and (.msg | contains("no such file or directory"))' "$T/log"
	date -d "$(jq -r .time "$T/log")"
	grep -Eq '"time":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z"' "$T/log"
	rm "$T/log"
	for command in state start kill delete; do
		: >"$T/log"
		run --separate-stderr bock_runc --log="$T/log" --log-format=json "$command" "$ID"
		assert_error 'container does not exist'
		[ "$(jq -s length "$T/log")" -eq 1 ]
		jq -e '.msg | contains("does not exist")' "$T/log"
	done
}

@test "options: --log text, appended to; --log-format is text or json" {
	run --separate-stderr bock_runc --log "$T/log" state "$ID"
	assert_error 'container does not exist'
	run --separate-stderr bock_runc --log "$T/log" --log-format text state "$ID"
	[ "$(grep -c 'level=error msg=.*does not exist' "$T/log")" -eq 2 ]
	(cd "$T" && ! bock_runc --log rel.log state "$ID" 2>/dev/null)
	[ -s "$T/rel.log" ]
	run --separate-stderr bock_runc --log-format xml state "$ID"
	assert_error 'xml'
	run --separate-stderr bock_runc --log "$T/no/such/log" state "$ID"
	assert_error "$T/no/such/log"
}

@test "options: --debug is accepted, and keeps stdout clean" {
	bundle echo hi
	run --separate-stderr bock_runc --debug --log "$T/log" --log-format json run -b "$B" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" = hi ]
	jq -s . "$T/log"
}

@test "options: one dash, two dashes, =, short forms, anywhere behind the command" {
	bundle sh -c 'exit 4'
	for form in "-bundle $B" "--bundle $B" "-bundle=$B" "--bundle=$B" "-b $B" "-b=$B" "-b$B"; do
		# shellcheck disable=SC2086 # the forms are words
		run --separate-stderr "$BOCK_RUNC" -root="$STATE" run $form "$ID"
		[ "$status" -eq 4 ] || fail "$form: status $status: $stderr"
	done
	run --separate-stderr "$BOCK_RUNC" --root "$STATE" run "$ID" --bundle "$B"
	[ "$status" -eq 4 ]
	run --separate-stderr "$BOCK_RUNC" --root "$STATE" run -b "$B" --keep=false -- "$ID"
	[ "$status" -eq 4 ]
	run --separate-stderr bock_runc run -b "$B" -keep=true "$ID"
	[ "$status" -eq 4 ]
	assert_is stopped
}

@test "options: what is missing, unknown or too much" {
	detached create --bundle
	assert_error 'flag needs an argument: --bundle'
	detached create --nosuch "$ID"
	assert_error "unknown option '--nosuch'"
	run --separate-stderr bock_runc nosuch
	assert_error "unknown command 'nosuch'"
	run --separate-stderr "$BOCK_RUNC"
	[ "$status" -eq 1 ]
	for command in create run start state kill delete; do
		run --separate-stderr bock_runc "$command"
		[ "$status" -eq 1 ] || fail "$command without an id: $status"
		[ -n "$stderr" ]
	done
	run --separate-stderr bock_runc state a b
	[ "$status" -eq 1 ]
	run --separate-stderr bock_runc list --format xml
	assert_error 'xml'
	detached create --preserve-fds -1 "$ID"
	[ "$status" -eq 1 ]
	[ ! -e "$STATE" ]
}

@test "options: --help of the program and of each command exits 0; --version has the lines that engines read" {
	for command in create delete features kill list run spec start state; do
		run --separate-stderr "$BOCK_RUNC" "$command" --help
		[ "$status" -eq 0 ]
		[[ $output == *"$command"* ]]
		[ -z "$stderr" ]
		"$BOCK_RUNC" --help | grep -qw "$command"
	done
	for flag in --version -v; do
		run --separate-stderr "$BOCK_RUNC" "$flag"
		[ "$status" -eq 0 ]
		[[ ${lines[0]} =~ ^bock-runc\ version\ [0-9]+\.[0-9]+ ]]
		[[ ${lines[1]} =~ ^commit:\  ]]
		[[ ${lines[2]} =~ ^spec:\ 1\.[0-9]+\.[0-9]+$ ]]
		[[ ${lines[3]} =~ ^libseccomp:\ [0-9.]+$ ]]
	done
}

@test "options: --config takes another file of the bundle" {
	bundle sh -c 'exit 6'
	mv "$B/config.json" "$T/other.json"
	run_it --config "$T/other.json"
	[ "$status" -eq 6 ]
	cd "$T"
	run_it -f other.json
	[ "$status" -eq 6 ]
}

@test "options: --dry-run prints the plan of create and run, and does nothing" {
	bundle touch /ran
	for command in create run; do
		run --separate-stderr bock_runc "$command" --dry-run -b "$B" "$ID"
		[ "$status" -eq 0 ]
		[ "${lines[0]}" = "runtime:" ]
		assert_output -p "clone pid network mount ipc uts into-cgroup"
		assert_output -p "root '$B/rootfs'"
		[[ ${lines[-1]} == *"exec touch /ran" ]]
	done
	[ ! -e "$B/rootfs/ran" ]
	[ ! -e "$STATE" ]
	edit '.process.cwd = "x"'
	run_it --dry-run
	assert_error 'process.cwd'
	assert_no_leftovers
}

@test "options: --preserve-fds passes so many, and no more; a missing one is an error" {
	bundle sh -c 'cat <&3; cat <&4; ls /proc/self/fd | xargs'
	echo three >"$T/3"
	echo four >"$T/4"
	run --separate-stderr bash -c 'exec "$@" 3<"$0/3" 4<"$0/4" 5<"$0/4" 9<"$0/4"' "$T" \
		"$BOCK_RUNC" --root "$STATE" run --preserve-fds 2 -b "$B" "$ID"
	# 5 is what ls opened
	assert_ok "three
four
0 1 2 3 4 5"
	run --separate-stderr bash -c 'exec "$@" 3<"$0/3" 4<&-' "$T" \
		"$BOCK_RUNC" --root "$STATE" run --preserve-fds 2 -b "$B" "$ID"
	assert_error 'please check that preserved-fd 1 (of 2) is present'
	args sh -c 'ls /proc/self/fd | xargs'
	run --separate-stderr bash -c 'exec "$@" 3<"$0/3" 4<"$0/4"' "$T" \
		"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_ok "0 1 2 3"
	assert_no_leftovers
}

@test "options: a new session keyring unless --no-new-keyring" {
	grep -q keyring /proc/keys 2>/dev/null || skip "the kernel has no keyrings (/proc/keys)"
	bundle sh -c 'cat /proc/keys'
	edit '.linux.maskedPaths = []'
	run_it
	assert_output -p "_ses.$ID"
	ID=$ID-no # the kernel collects the first one's later
	run_it --no-new-keyring
	[ "$status" -eq 0 ]
	refute_output -p "_ses.$ID"
}

@test "options: --root is made with its parents for its owner alone; / is refused" {
	sleeper
	STATE=$T/x/y/z
	detached create -b "$B" "$ID"
	assert_ok ""
	[ "$(stat -c %a "$STATE")" = 700 ]
	bock_runc delete -f "$ID"
	run --separate-stderr "$BOCK_RUNC" --root / list
	assert_error "--root"
	run --separate-stderr "$BOCK_RUNC" --root "$T/nothing" list -q
	assert_ok ""
	[ ! -e "$T/nothing" ]
}

@test "options: a state folder whose path is longer than a socket's name" {
	sleeper
	STATE=$T/$(printf 'long%.0s' {1..30})/$(printf 'long%.0s' {1..30})
	detached create -b "$B" "$ID"
	assert_ok ""
	bock_runc start "$ID"
	assert_is running
}

# ---- terminal ------------------------------------------------------------------------------------

@test "console: the terminal goes to the socket with its name, its size set" {
	need_cmd python3
	bundle sh -c 'read -r line; echo "got:$line"; tty; stty size; ls -l /dev/console | cut -c1; test -t 2 && echo tty2'
	edit '.process.terminal = true | .process.consoleSize = {"height": 33, "width": 77}'
	"$RUNC_HELPERS/recv-console" "$T/sock" "$T/out" hello 3>&- &
	receiver=$!
	wait_for 10 test -S "$T/sock"
	detached create -b "$B" --console-socket "$T/sock" "$ID" 3>&-
	assert_ok ""
	assert_is created
	bock_runc start "$ID"
	wait "$receiver"
	[ "$(cat "$T/out.name")" = "/dev/pts/0 33 77" ]
	tr -d '\r' <"$T/out" >"$T/out.txt"
	for line in got:hello /dev/pts/0 '33 77' c tty2; do
		grep -qx "$line" "$T/out.txt" || fail "no '$line' in: $(cat "$T/out.txt")"
	done
	bock_runc delete -f "$ID"
	assert_no_leftovers
}

@test "console: a terminal needs a socket and a socket a terminal" {
	sleeper
	detached create -b "$B" --console-socket "$T/sock" "$ID"
	assert_error 'cannot use console socket'
	edit '.process.terminal = true'
	detached create -b "$B" "$ID"
	assert_error 'cannot allocate tty if runc will detach without setting console socket'
	detached run -d -b "$B" "$ID"
	assert_error 'cannot allocate tty'
	detached create -b "$B" --console-socket "$T/nosuch" "$ID"
	assert_error 'console socket'
	: >"$T/file"
	detached create -b "$B" --console-socket "$T/file" "$ID"
	assert_error 'console socket'
	assert_no_leftovers
}

# ---- list, spec, features ------------------------------------------------------------------------

@test "list: table, JSON and ids, sorted; empty and without a state folder" {
	run --separate-stderr bock_runc list
	[ "$status" -eq 0 ]
	[[ $output =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
	run --separate-stderr bock_runc list --format json
	assert_ok null
	sleeper
	detached create -b "$B" "$ID-b"
	assert_ok ""
	detached create -b "$B" "$ID-a"
	assert_ok ""
	bock_runc start "$ID-b"
	run --separate-stderr bock_runc list -q
	assert_ok "$ID-a
$ID-b"
	run --separate-stderr bock_runc list --quiet
	assert_ok "$ID-a
$ID-b"
	bock_runc list -f json >"$T/json"
	[ "$(wc -l <"$T/json")" -eq 1 ]
	jq -e --arg id "$ID" --arg b "$B" 'length == 2 and .[0].id == $id + "-a" and
		.[0].status == "created" and .[1].status == "running" and .[1].bundle == $b and
		.[0].owner == "root" and (.[0].pid > 1) and .[0].rootfs == $b + "/rootfs" and
		.[0].ociVersion == "1.3.0" and (.[0].created | length) > 20' "$T/json"
	run --separate-stderr bock_runc list
	[[ ${lines[1]} =~ ^$ID-a\ +[0-9]+\ +created\ +$B\ +[0-9TZ:.-]+\ +root$ ]]
	[[ ${lines[2]} =~ ^$ID-b\ +[0-9]+\ +running\  ]]
	bock_runc delete -f "$ID-a"
	bock_runc delete -f "$ID-b"
	assert_no_leftovers
}

@test "list: strange entries in the state folder don't hide the others" {
	sleeper
	detached create -b "$B" "$ID"
	assert_ok ""
	mkdir "$STATE/empty" "$STATE/broken"
	echo '{' >"$STATE/broken/state.json"
	: >"$STATE/file"
	run --separate-stderr bock_runc list -q
	assert_ok "$ID"
	run --separate-stderr bock_runc state broken
	[ "$status" -eq 1 ]
	bock_runc delete --force empty
	[ ! -e "$STATE/empty" ]
}

@test "spec: writes a configuration that runs, never over one that is there" {
	mkdir "$T/s" && cd "$T/s"
	run --separate-stderr "$BOCK_RUNC" spec
	assert_ok ""
	jq -e '.ociVersion == "1.3.0" and .process.args == ["sh"] and .process.terminal and .root.readonly' config.json
	sum=$(cksum <config.json)
	run --separate-stderr "$BOCK_RUNC" spec
	assert_error 'config.json exists'
	[ "$(cksum <config.json)" = "$sum" ]
	run --separate-stderr "$BOCK_RUNC" spec --bundle "$T/nowhere"
	[ "$status" -eq 1 ]
	mkdir "$T/t"
	"$BOCK_RUNC" spec --rootless --bundle "$T/t"
	jq -e '([.linux.namespaces[].type] | contains(["user"])) and .linux.uidMappings[0].hostID == 0' "$T/t/config.json"
	bundle_make "$T/b" true
	cp "$T/s/config.json" "$B/config.json"
	edit '.process.args = ["true"] | .process.terminal = false'
	run_it
	assert_ok ""
}

@test "features: a document of the specification, with the mount options that it requires" {
	bock_runc features >"$T/f"
	jq -e '.ociVersionMin == "1.0.0" and (.ociVersionMax | startswith("1.3.")) and .linux.cgroup.v2 and
		(.linux.cgroup.v1 | not) and .linux.seccomp.enabled and (.linux.namespaces | length) == 8 and
		(.hooks | length) == 6 and ([.linux.capabilities[]] | contains(["CAP_SYS_ADMIN", "CAP_BPF"])) and
		(.linux.seccomp.actions | contains(["SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"]))' "$T/f"
	for option in async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev \
		nodiratime noexec noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime \
		remount ro rprivate rshared rslave runbindable rw shared silent slave strictatime suid sync unbindable; do
		jq -e --arg o "$option" '.mountOptions | index($o)' "$T/f" || fail "no $option"
	done
}

@test "no process: create makes the container, start refuses, exec has its own, delete works" {
	bundle true
	edit 'del(.process) | .hooks.createRuntime = [{"path": "/bin/touch", "args": ["touch", $f]}]
		| .hooks.startContainer = [{"path": "/bin/false"}]' --arg f "$T/hook"
	detached create -b "$B" "$ID"
	assert_ok ''
	assert_is created
	[ -e "$T/hook" ]
	pid=$(pid_of)
	[ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
	grep -q '^CapEff:	0000000000000000$' "/proc/$pid/status"
	grep -q ' /proc proc ' "/proc/$pid/mounts"
	run --separate-stderr bock_runc start "$ID"
	assert_error 'process: required member is missing: there is nothing to start'
	assert_is created
	run --separate-stderr bock_runc exec "$ID" true
	[ "$status" -eq 255 ]
	[[ $stderr == *'see --process'* ]] || fail "$stderr"
	echo '{"cwd": "/", "args": ["/bin/busybox", "echo", "said"]}' >"$T/process.json"
	run --separate-stderr bock_runc exec --process "$T/process.json" "$ID"
	assert_ok said
	# whoever calls past `start` is told so too
	run python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(4096))' "$STATE/$ID/start.sock"
	[[ $output == *'nothing to start'* ]] || fail "$output"
	wait_for 10 is stopped
	bock_runc delete "$ID"
	detached create -b "$B" "$ID"
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "no process: run refuses before anything is made; a plan of create ends there" {
	bundle true
	edit 'del(.process)'
	for words in '' --detach --dry-run; do
		# shellcheck disable=SC2086 # an option or none
		detached run $words -b "$B" "$ID"
		assert_error 'process: required member is missing'
	done
	[ ! -e "$STATE/$ID" ]
	[ "$(bock_runc create --dry-run -b "$B" "$ID" | tail -n 1)" = '  no process' ]
	edit '.linux.seccomp = {"defaultAction": "SCMP_ACT_KILL_PROCESS"}'
	detached create -b "$B" "$ID"
	assert_ok ''
	bock_runc delete "$ID"
	assert_no_leftovers
}
