# SPDX-License-Identifier: Apache-2.0
# bock-runc list and state against runc's own, and in a state folder that changes meanwhile.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { common_teardown; }

@test "list: the owner by the name in /etc/passwd, else by the number" {
	sleeper
	detached create -b "$B" "$ID"
	uid=$(awk -F: '$3 > 0 { print $3; exit }' /etc/passwd)
	name=$(awk -F: '$3 > 0 { print $1; exit }' /etc/passwd)
	chown "$uid" "$STATE/$ID/state.json"
	[ "$(bock_runc list --format json | jq -r '.[0].owner')" = "$name" ]
	[ "$(bock_runc list | awk 'NR == 2 { print $NF }')" = "$name" ]
	chown 4000000000 "$STATE/$ID/state.json"
	[ "$(bock_runc list --format json | jq -r '.[0].owner')" = '#4000000000' ]
	bock_runc delete --force "$ID"
}

@test "list, state: the members are runc's, in its order, and so are the columns" {
	need_cmd runc
	sleeper
	edit '.annotations = {"x": "y"}'
	runc --root "$T/runc" create -b "$B" "$ID" </dev/null >/dev/null 2>&1 3>&- || skip "runc can't make the container here"
	runc --root "$T/runc" list --format json >"$T/list"
	runc --root "$T/runc" state "$ID" >"$T/state.json"
	runc --root "$T/runc" list >"$T/table"
	runc --root "$T/runc" delete --force "$ID"
	detached create -b "$B" "$ID"
	assert_ok ''
	[ "$(bock_runc list --format json | jq -c '.[0] | keys_unsorted')" = "$(jq -c '.[0] | keys_unsorted' "$T/list")" ]
	[ "$(bock_runc state "$ID" | jq -c keys_unsorted)" = "$(jq -c keys_unsorted "$T/state.json")" ]
	[ "$(bock_runc list --format json | jq -c '.[0] | map_values(type)')" = "$(jq -c '.[0] | map_values(type)' "$T/list")" ]
	# numbers differ from call to call, also in how long they are
	bock_runc list >"$T/ours"
	for table in "$T/table" "$T/ours"; do sed -i 's/[0-9][0-9]*/0/g; s/  */ /g' "$table"; done
	diff "$T/table" "$T/ours"
	bock_runc delete --force "$ID"
}

@test "list: containers that come and go meanwhile are no error" {
	sleeper
	detached create -b "$B" "$ID-stays"
	(
		for _ in $(seq 15); do
			bock_runc create -b "$B" "$ID-x" </dev/null >/dev/null 2>&1 3>&-
			bock_runc delete --force "$ID-x"
		done
	) 3>&- &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		run --separate-stderr bock_runc list -q
		[ "$status" -eq 0 ] || fail "$stderr"
		[ -z "$stderr" ] || fail "$stderr"
		grep -qx "$ID-stays" <<<"$output"
		run --separate-stderr bock_runc list --format json
		[ "$status" -eq 0 ] || fail "$stderr"
		jq -e 'map(.id) | index($id)' --arg id "$ID-stays" <<<"$output" >/dev/null
	done
	bock_runc delete --force "$ID-stays"
	assert_no_leftovers
}

@test "list: a paused one says so, in the table and in JSON" {
	need_cgroup2
	sleeper
	bock_runc run -d -b "$B" "$ID" </dev/null >/dev/null 3>&-
	bock_runc pause "$ID"
	bock_runc list | grep -qE "^$ID +[0-9]+ +paused "
	[ "$(bock_runc list -f json | jq -r '.[0].status')" = paused ]
	[ "$(bock_runc list -f json | jq -r '.[0].pid')" = "$(pid_of)" ]
	bock_runc delete --force "$ID"
}
