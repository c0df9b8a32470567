# SPDX-License-Identifier: Apache-2.0
# bock-runc pause and resume, and what the other commands do with a paused container.

setup() {
	load ../helpers/runc
	runc_setup
	need_cgroup2
}
teardown() {
	common_teardown
	user_teardown
}

# A container that counts: /count grows while it runs.
counter() {
	bundle sh -c 'i=0; trap "echo term >/term; exit 0" TERM; while :; do i=$((i + 1)); echo $i >/count; sleep 0.02; done' "$ID"
}

counts() {
	local before
	before=$(cat "$B/rootfs/count") || return 1
	sleep 0.3
	[ "$(cat "$B/rootfs/count")" != "$before" ]
}

cgroup_of() { printf '%s/%s\n' "$(cgroup2_path)" "$ID"; }

paused_counter() {
	counter
	detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 5 test -s "$B/rootfs/count"
	detached pause "$ID"
	assert_ok ""
}

@test "pause: everything stops, resume: it goes on; the status says so" {
	paused_counter
	assert_is paused
	[ "$(pid_of)" -gt 0 ]
	grep -qx 'frozen 1' "$(cgroup_of)/cgroup.events"
	! counts || fail "it counts on"
	bock_runc list | grep -q "^$ID .* paused "
	detached resume "$ID"
	assert_ok ""
	assert_is running
	counts
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "pause: a created container, which can't be started then" {
	counter
	detached create -b "$B" "$ID"
	detached pause "$ID"
	assert_ok ""
	assert_is paused
	detached start "$ID"
	assert_error 'cannot start a container in the paused state'
	detached resume "$ID"
	assert_ok ""
	assert_is created
	detached start "$ID"
	assert_ok ""
	wait_for 5 test -s "$B/rootfs/count"
}

@test "pause, resume: errors for paused, running, stopped and unknown containers" {
	paused_counter
	detached pause "$ID"
	assert_error 'container not running'
	detached resume "$ID"
	detached resume "$ID"
	assert_error 'container not paused'
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	for command in pause:'container not running' resume:'container not paused'; do
		detached "${command%%:*}" "$ID"
		assert_error "${command#*:}"
	done
	for command in pause resume; do
		detached "$command" "$ID-x"
		assert_error 'container does not exist'
	done
}

@test "pause: somebody else's freeze is seen, and can be resumed" {
	counter
	detached run -d -b "$B" "$ID"
	wait_for 5 test -s "$B/rootfs/count"
	echo 1 >"$(cgroup_of)/cgroup.freeze"
	assert_is paused
	bock_runc resume "$ID"
	assert_is running
	counts
}

@test "pause: KILL ends a paused container, other signals wait for resume" {
	paused_counter
	bock_runc kill "$ID" TERM
	sleep 0.3
	assert_is paused
	[ ! -e "$B/rootfs/term" ]
	bock_runc resume "$ID"
	wait_for 5 is stopped
	[ "$(cat "$B/rootfs/term")" = term ]
	bock_runc delete "$ID"
	rm "$B/config.json"
	paused_counter
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "pause: KILL in a shared pid namespace, too" {
	counter
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	detached run -d -b "$B" "$ID"
	wait_for 5 test -s "$B/rootfs/count"
	bock_runc pause "$ID"
	bock_runc kill "$ID" 9
	wait_for 5 is stopped
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "pause: delete is refused, delete --force takes it away" {
	paused_counter
	detached delete "$ID"
	assert_error "cannot delete container $ID that is not stopped: paused"
	assert_is paused
	detached delete --force "$ID"
	assert_ok ""
	assert_no_leftovers
}

@test "pause: a foreground run waits, and goes on" {
	bundle sh -c 'i=0; while [ ! -e /stop ]; do i=$((i + 1)); echo $i >/count; sleep 0.02; done; exit 7' "$ID"
	bock_runc run -b "$B" "$ID" </dev/null >"$T/out" 2>&1 3>&- &
	pid=$!
	wait_for 5 test -s "$B/rootfs/count"
	bock_runc pause "$ID"
	! counts || fail "it counts on"
	bock_runc resume "$ID"
	: >"$B/rootfs/stop"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 7 ] || fail "status $status: $(cat "$T/out")"
	assert_no_leftovers
}

@test "pause: a container without a cgroup says why not" {
	sleeper
	edit 'del(.linux.resources)'
	status=0
	"$BOCK_RUNC" --root "$STATE" --cgroup-manager disabled run -d -b "$B" "$ID" </dev/null 3>&-
	detached pause "$ID"
	assert_error 'cannot toggle freezer: cgroups not configured for container'
	assert_is running
}

@test "pause: state of a running container reads one file more, of a stopped one nothing" {
	need_cmd strace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it can't under strace
	counter
	detached run -d -b "$B" "$ID"
	strace -f -o "$T/running" "$BOCK_RUNC" --root "$STATE" state "$ID" >/dev/null
	[ "$(grep -c 'cgroup.freeze' "$T/running")" -eq 1 ]
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	strace -f -o "$T/stopped" "$BOCK_RUNC" --root "$STATE" state "$ID" >/dev/null
	! grep cgroup "$T/stopped" || fail "a look at a cgroup"
}
