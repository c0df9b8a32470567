# SPDX-License-Identifier: Apache-2.0
# --trace FILE: what took how long.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { common_teardown; }

# trace_ok JQ: every line is an object with its members, times don't run backwards in a process, and JQ
# holds for the array of all. (A runtime that is sealed begins anew.)
trace_ok() {
	local first
	first=$(grep -n '"phase":"read the configuration"' "$T/trace" | tail -n 1 | cut -d: -f1)
	[ "${first:-1}" -eq 1 ] || sed -i "1,$((first - 1))d" "$T/trace"
	jq -es '(group_by(.command + .process) | all(. == sort_by(.us))) and length > 0 and
		all(.[]; (.phase | length > 0) and (.us | type) == "number" and .us >= .took and .took >= 0 and
		(.process == "runtime" or .process == "container"))' "$T/trace" >/dev/null ||
		fail "$(cat "$T/trace")" || return 1
	jq -es --arg id "$ID" "all(.id == \$id) and ($1)" "$T/trace" >/dev/null || fail "not $1: $(cat "$T/trace")"
}

@test "trace: run, from the configuration to the removal of the state, and the container's part" {
	bundle sh -c 'sleep 0.2; exit 3' "$ID"
	run_it --trace "$T/trace"
	[ "$status" -eq 3 ]
	trace_ok '.[0].phase == "read the configuration" and .[-1].phase == "remove the state" and
		([.[] | select(.phase == "run")][0].took > 200000) and .[-1].us < 60000000 and
		([.[] | select(.phase == "mount" and .process == "container") | .detail] | length) >= 7 and
		any(.phase == "clone" and .process == "runtime") and any(.phase == "pivot") and
		all(.command == "run")'
	once=$(wc -l <"$T/trace")
	run_it --trace "$T/trace"
	[ "$(wc -l <"$T/trace")" -eq $((2 * once)) ]
	assert_no_leftovers
}

@test "trace: create, start, exec and delete" {
	sleeper
	detached create --trace "$T/trace" -b "$B" "$ID"
	trace_ok '.[-1].phase == "created" and any(.phase == "find-program")'
	rm "$T/trace"
	detached start --trace="$T/trace" "$ID"
	trace_ok '.[-1].phase == "execute the program"'
	rm "$T/trace"
	detached exec --trace "$T/trace" "$ID" true
	trace_ok '.[-1].phase == "run" and any(.phase == "execute the program") and any(.process == "container")'
	rm "$T/trace"
	detached delete --force --trace "$T/trace" "$ID"
	trace_ok 'map(.phase) == ["check the status", "kill", "remove the cgroup", "remove the state"]'
	rm "$T/trace"
	detached delete --force --trace "$T/trace" "$ID"
	assert_ok ''
	[ ! -s "$T/trace" ]
}

@test "trace: what failed is marked, in the container too" {
	bundle true
	edit '.mounts += [{"destination": "/x", "type": "nosuch", "source": "x"}]'
	run_it --trace "$T/trace"
	assert_error 'mounts[7]'
	trace_ok 'any(.failed and .process == "container" and .phase == "mount" and (.detail | contains("nosuch"))) and
		any(.failed and .process == "runtime" and .phase == "wait for the process")'
	assert_no_leftovers
}

@test "trace: hooks, a hanging one is seen while it hangs" {
	sleeper
	edit '.hooks = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1"]}],
		"poststart": [{"path": "/bin/true"}], "poststop": [{"path": "/bin/true"}]}'
	bock_runc run -d --trace "$T/trace" -b "$B" "$ID" </dev/null >/dev/null 2>&1 3>&- &
	wait_for 5 grep -q '"phase":"mount"' "$T/trace"
	! grep -q '"phase":"hooks"' "$T/trace" || fail "$(cat "$T/trace")"
	wait $!
	trace_ok '([.[] | select(.phase == "hooks" and .process == "runtime" and .took > 900000)] | length) == 1 and
		any(.phase == "poststart hooks")'
	bock_runc delete --force --trace "$T/trace" "$ID"
	grep -q '"phase":"poststop hooks"' "$T/trace"
}

@test "trace: with a time namespace and a limit of the sizes of files" {
	bundle true
	edit '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"monotonic": {"secs": 100000}} |
		.process.rlimits = [{"type": "RLIMIT_FSIZE", "soft": 0, "hard": 0}]'
	run_it --trace "$T/trace"
	assert_ok ''
	trace_ok 'all(.us < 60000000) and any(.phase == "unshare" and .detail == "time")'
}

@test "trace: no file, and nothing without the option" {
	bundle true
	run_it --trace "$T/none/x"
	assert_error "--trace: open '$T/none/x': No such file or directory"
	[ ! -e "$STATE" ]
	for command in create start 'exec' delete; do
		# shellcheck disable=SC2086
		run --separate-stderr bock_runc $command --trace "$T/none/x" "$ID" x
		[ "$status" -ne 0 ]
	done
	assert_no_leftovers
}
