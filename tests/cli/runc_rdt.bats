# SPDX-License-Identifier: Apache-2.0
# linux.intelRdt, on a folder in the place of resctrl: in a mount namespace of its own the runtime reads a
# mountinfo which says that it is mounted there. What the kernel would do in it, the test does. (The decisions
# themselves are in tests/unit/test_rdt.c.)

setup() {
	load ../helpers/runc
	runc_setup
	R=$T/resctrl
	mkdir -p "$R/info" "$R/mon_groups" "$R/gold/mon_groups"
	group "$R"
	group "$R/gold"
	echo "99 1 0:99 / $R rw,relatime - resctrl resctrl rw" >"$T/mountinfo"
}
teardown() { common_teardown; }

# group DIR: the files of a group
group() {
	: >"$1/tasks"
	printf '    MB:0= 50\n    L3:0=007ff\n' >"$1/schemata"
}

# faked ARG...: bock-runc where resctrl is the folder, with status, output and stderr as detached sets them
faked() {
	status=0
	"$BATS_TEST_DIRNAME/../helpers/on-fake" "$T/mountinfo" "$BOCK_RUNC" --root "$STATE" "$@" >"$T/.stdout" 2>"$T/.stderr" </dev/null 3>&- || status=$?
	output=$(<"$T/.stdout")
	stderr=$(<"$T/.stderr")
}

@test "rdt: without resctrl, refused before anything is made" {
	! grep -q ' - resctrl ' /proc/self/mountinfo || skip "resctrl is mounted: /proc/self/mountinfo"
	bundle true
	refused '.linux.intelRdt = {}' "linux.intelRdt: the resctrl file system is not mounted"
	refused '.linux.intelRdt = {"closID": "a/b"}' "linux.intelRdt.closID: 'a/b' can't be the name of a group"
	refused '.linux.intelRdt = {"memBwSchema": "L3:0=1"}' "linux.intelRdt.memBwSchema"
}

@test "rdt: a group that is there, by its closID; exec joins it, delete leaves it" {
	sleeper
	edit '.linux.intelRdt = {"closID": "gold", "l3CacheSchema": "L3:0=7ff", "memBwSchema": "MB:0=50"}'
	faked run -d -b "$B" "$ID"
	assert_ok ""
	[ "$(<"$R/gold/tasks")" = "$(pid_of)" ]
	bock_runc exec -d --pid-file "$T/pid" "$ID" sleep 1000
	[ "$(<"$R/gold/tasks")" = "$(<"$T/pid")" ]
	bock_runc delete -f "$ID"
	[ -d "$R/gold" ]
	[ ! -s "$R/tasks" ]
	assert_no_leftovers
}

@test "rdt: a group whose schemata differ, or that is not there, is an error and nothing is made" {
	bundle true
	for filter in '{"closID": "gold", "l3CacheSchema": "L3:0=7fe"}|linux.intelRdt.l3CacheSchema: L3:0=7fe does not match' \
		'{"closID": "gold", "memBwSchema": "MB:0=51"}|linux.intelRdt.memBwSchema: MB:0=51 does not match' \
		'{"closID": "silver"}|must be there when no schema is given'; do
		edit ".linux.intelRdt = ${filter%|*}"
		faked run -b "$B" "$ID"
		assert_error "${filter#*|}"
		[ ! -e "$R/silver" ]
		[ ! -s "$R/gold/tasks" ]
	done
	mkdir "$R/$ID"
	edit '.linux.intelRdt = {}'
	faked run -b "$B" "$ID"
	assert_error "is there already, and is not this container's"
	[ -d "$R/$ID" ]
	assert_no_leftovers
}

@test "rdt: schemata go to the root's group too, and a monitoring group that can't be had undoes all" {
	sleeper
	edit '.linux.intelRdt = {"closID": "/", "schemata": ["L3:0=f", "MB:0=10"]}'
	: >"$R/schemata"
	faked run -d -b "$B" "$ID"
	assert_ok ""
	[ "$(<"$R/schemata")" = "L3:0=f
MB:0=10" ]
	[ "$(<"$R/tasks")" = "$(pid_of)" ]
	bock_runc delete -f "$ID"
	edit '.linux.intelRdt = {"closID": "gold", "enableMonitoring": true}'
	rmdir "$R/gold/mon_groups"
	faked run -d -b "$B" "$ID"
	assert_error "linux.intelRdt.enableMonitoring: make '$R/gold/mon_groups/$ID': No such file or directory"
	[ -d "$R/gold" ]
	assert_no_leftovers
}

@test "rdt: update writes schemata to the group, with limits and alone; what fails elsewhere sets them back" {
	sleeper
	edit '.linux.intelRdt = {"closID": "gold"}'
	faked run -d -b "$B" "$ID"
	assert_ok ""
	cp "$R/gold/schemata" "$T/before"
	# the file is no kernel's: what is written goes over its beginning
	faked update --l3-cache-schema L3:0=3 "$ID"
	assert_ok ""
	[ "$(head -n 1 "$R/gold/schemata")" = "L3:0=3" ]
	cp "$T/before" "$R/gold/schemata"
	faked update --mem-bw-schema "MB:0=20;1=7" --l3-cache-schema L3:0=3 "$ID"
	assert_ok ""
	[ "$(head -n 1 "$R/gold/schemata")" = "MB:0=20;1=7" ]
	[ ! -e "$STATE/$ID/resources.json.new" ]
	cp "$T/before" "$R/gold/schemata"
	echo '{"unified": {"cgroup.nothere": "1"}}' >"$T/r.json"
	faked update --l3-cache-schema L3:0=3 --resources "$T/r.json" "$ID"
	assert_error "cgroup.nothere"
	cmp "$T/before" "$R/gold/schemata"
	# the kernel refuses one: the limits stay, too
	rm "$R/gold/schemata"
	echo '{"unified": {"cgroup.max.depth": "7"}}' >"$T/r.json"
	faked update --l3-cache-schema L3:0=3 --resources "$T/r.json" "$ID"
	assert_error "linux.intelRdt"
	[ "$(<"$(cgroup2_path)/$ID/cgroup.max.depth")" = max ]
	[ ! -e "$STATE/$ID/resources.json" ]
	faked update --mem-bw-schema "L3:0=3" "$ID"
	assert_error "--mem-bw-schema: 'L3:0=3' is not one line that begins with 'MB:'"
}

@test "rdt: update of a container that has no group says so" {
	sleeper
	faked run -d -b "$B" "$ID"
	faked update --l3-cache-schema L3:0=3 "$ID"
	assert_error "linux.intelRdt: the container has no group of resctrl"
	[ ! -e "$STATE/$ID/resources.json" ]
}

# The kernel fills a new group while mkdir is under way; here the call is held until the test has done so.
held() {
	local new=$1 filler
	shift
	(
		until [ -d "$new" ]; do sleep 0.05; done
		mkdir -p "$new/mon_groups"
		group "$new"
	) 3>&- &
	filler=$!
	status=0
	# the helper and bock-runc are one process: without -f, so that the container is not waited for
	strace -qq -o /dev/null -e trace=mkdir -e inject=mkdir:delay_exit=1000000 \
		"$BATS_TEST_DIRNAME/../helpers/on-fake" "$T/mountinfo" "$BOCK_RUNC" --root "$STATE" "$@" \
		>"$T/.stdout" 2>"$T/.stderr" </dev/null 3>&- || status=$?
	wait "$filler"
	output=$(<"$T/.stdout")
	stderr=$(<"$T/.stderr")
}

@test "rdt: a group of the container's own is deleted with it" {
	need_cmd strace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	sleeper
	edit '.linux.intelRdt = {"l3CacheSchema": "L3:0=3"}'
	held "$R/$ID" run -d -b "$B" "$ID"
	assert_ok ""
	[ "$(<"$R/$ID/tasks")" = "$(pid_of)" ]
	[ "$(head -n 1 "$R/$ID/schemata")" = "L3:0=3" ]
	rm -r "$R/$ID/mon_groups" "$R/$ID/tasks" "$R/$ID/schemata" # as rmdir does in resctrl
	bock_runc delete -f "$ID"
	[ ! -e "$R/$ID" ]
	assert_no_leftovers
}

@test "rdt: a new group with a closID stays, but for a create that fails" {
	need_cmd strace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	sleeper
	edit '.linux.intelRdt = {"closID": "silver", "schemata": ["MB:0=10"]}'
	held "$R/silver" run -d -b "$B" "$ID"
	assert_ok ""
	bock_runc delete -f "$ID"
	[ -d "$R/silver" ]
	rm -r "$R/silver"
	# one that died in the middle, its group new and empty: delete --force finds it in the state
	edit '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "echo $$ >\($t); exec sleep 1000"]}]' --arg t "$T/hook"
	held "$R/silver" run -d -b "$B" "$ID" &
	held=$!
	wait_for 10 test -s "$R/silver/tasks"
	kill -KILL "$(jq .ownerPid "$STATE/$ID/state.json")"
	wait "$held" || :
	bock_runc state "$ID" >/dev/null
	rm -r "$R/silver/mon_groups" "$R/silver/tasks" "$R/silver/schemata"
	bock_runc delete -f "$ID"
	[ ! -e "$R/silver" ]
	kill "$(<"$T/hook")"
	assert_no_leftovers
}

@test "rdt: a group that another container has made meanwhile is joined, and not removed by a failure" {
	need_cmd strace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	sleeper
	edit '.linux.intelRdt = {"closID": "silver", "schemata": ["MB:0=10"]}'
	# the call is held before it is made, and finds the group
	(
		until [ -s "$STATE/$ID/state.json" ]; do sleep 0.05; done
		mkdir -p "$R/silver/mon_groups"
		group "$R/silver"
	) 3>&- &
	status=0
	strace -qq -o /dev/null -e trace=mkdir -e inject=mkdir:delay_enter=1000000 \
		"$BATS_TEST_DIRNAME/../helpers/on-fake" "$T/mountinfo" "$BOCK_RUNC" --root "$STATE" run -d -b "$B" "$ID" \
		>"$T/.stdout" 2>"$T/.stderr" </dev/null 3>&- || status=$?
	[ "$status" -eq 0 ] || fail "$(<"$T/.stderr")"
	[ "$(<"$R/silver/tasks")" = "$(pid_of)" ]
	bock_runc delete -f "$ID"
	[ -d "$R/silver" ]
	assert_no_leftovers
}
