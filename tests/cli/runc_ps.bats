# SPDX-License-Identifier: Apache-2.0
# bock-runc ps.

setup() {
	load ../helpers/runc
	runc_setup
	need_cgroup2
	need_cmd ps procps
}
teardown() { common_teardown; }

has_three() { bock_runc ps --format json "$ID" | jq -e 'length == 3'; }

three() {
	bundle sh -c 'sleep 1001 & sleep 1002 & wait' "$ID"
	detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 5 has_three
}

@test "ps: a table of all its processes and of no others, as ps -ef prints it" {
	three
	run --separate-stderr bock_runc ps "$ID"
	assert_ok
	[ "${#lines[@]}" -eq 4 ]
	[ "${lines[0]}" = "$(ps -ef | head -n 1)" ]
	[ "$(awk 'NR > 1 { print $NF }' <<<"$output" | sort | tr '\n' ' ')" = "1001 1002 $ID " ]
	awk 'NR > 1 { print $2 }' <<<"$output" | grep -qx "$(pid_of)"
}

@test "ps: JSON is an array of the pids" {
	three
	for form in '--format json' '-f json' '--format=json' '-format=json'; do
		# shellcheck disable=SC2086
		run --separate-stderr bock_runc ps $form "$ID"
		assert_ok
		jq -e --argjson pid "$(pid_of)" 'length == 3 and index($pid) != null and . == sort' <<<"$output"
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "ps: processes in cgroups below the container's, too" {
	three
	cgroup=$(cgroup2_path)/$ID
	mkdir "$cgroup/below"
	pgrep -P "$(pid_of)" | head -n 1 >"$cgroup/below/cgroup.procs"
	has_three
	[ "$(bock_runc ps "$ID" | wc -l)" -eq 4 ]
	bock_runc pause "$ID"
	has_three
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "ps: what stands behind the id is for ps" {
	three
	run --separate-stderr bock_runc ps "$ID" -o pid,args
	assert_ok
	[ "${#lines[@]}" -eq 4 ]
	assert_output -p 'sleep 1001'
	run --separate-stderr bock_runc ps "$ID" aux
	assert_ok
	[ "${lines[0]}" = "$(ps aux | head -n 1)" ]
	run --separate-stderr bock_runc ps "$ID" -o comm
	assert_error "couldn't find PID field in ps output"
	run --separate-stderr bock_runc ps "$ID" --nonsense
	assert_error 'ps: exit status 1'
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "ps: created, paused and stopped containers" {
	three
	bock_runc pause "$ID"
	has_three
	bock_runc resume "$ID"
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	run --separate-stderr bock_runc ps "$ID"
	assert_ok "$(ps -ef | head -n 1)"
	run --separate-stderr bock_runc ps --format json "$ID"
	assert_ok '[]'
	bock_runc delete "$ID"
	detached create -b "$B" "$ID"
	[ "$(bock_runc ps --format json "$ID")" = "[$(pid_of)]" ]
}

@test "ps: a container without a cgroup has its first process" {
	sleeper
	"$BOCK_RUNC" --root "$STATE" --cgroup-manager disabled run -d -b "$B" "$ID" </dev/null >/dev/null 3>&-
	[ "$(bock_runc ps --format json "$ID")" = "[$(pid_of)]" ]
}

@test "ps: errors" {
	run --separate-stderr bock_runc ps
	assert_error '"ps" requires at least 1 argument'
	run --separate-stderr bock_runc ps "$ID"
	assert_error 'container does not exist'
	run --separate-stderr bock_runc ps --format xml "$ID"
	assert_error "'xml' is not one of table, json"
	sleeper
	detached run -d -b "$B" "$ID"
	run --separate-stderr env PATH=/nonexistent "$BOCK_RUNC" --root "$STATE" ps "$ID"
	assert_error "execute 'ps': No such file or directory"
}

@test "ps: what it executes gains no rights, and has none of the runtime's descriptors" {
	three
	mkdir "$T/bin"
	cat >"$T/bin/ps" <<-END
		#!/bin/sh
		{ grep NoNewPrivs /proc/self/status; for fd in /proc/\$\$/fd/*; do readlink "\$fd"; done; } >"$T/seen"
		exec $(command -v ps) "\$@"
	END
	chmod 755 "$T/bin/ps"
	PATH=$T/bin:$PATH run --separate-stderr bock_runc ps "$ID"
	assert_ok
	[ "${#lines[@]}" -eq 4 ]
	[ "$(head -n 1 "$T/seen")" = "NoNewPrivs:	1" ]
	# its stdio, and the shell's own script
	if sed 1d "$T/seen" | grep -qvE "^(pipe:|/dev/null$|$T/seen$|$T/bin/ps$)"; then fail "it has: $(cat "$T/seen")"; fi
}
