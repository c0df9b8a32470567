# SPDX-License-Identifier: Apache-2.0
# cgroups of an ordinary user: with a subtree that was delegated (cgroup-v2, "Delegation"), and without.

setup() {
	load ../helpers/runc
	runc_setup
	need_cgroup2
	user_setup
	CG=$(cgroup2_path)
	TREE=
}
teardown() {
	user_teardown
	[ -z "$TREE" ] || rmdir "$CG/$TREE"/* "$CG/$TREE" 2>/dev/null || :
}

# A subtree of the user's own, with a leaf that commands begin in, and every controller that there is.
delegate() {
	local file
	TREE=$ID-tree
	mkdir "$CG/$TREE"
	sed 's/[a-z_][a-z_]*/+&/g' "$CG/$TREE/cgroup.controllers" >"$CG/$TREE/cgroup.subtree_control"
	mkdir "$CG/$TREE/login"
	chown "$TEST_UID" "$CG/$TREE" "$CG/$TREE/login"
	while read -r file; do
		[ ! -e "$CG/$TREE/$file" ] || chown "$TEST_UID" "$CG/$TREE/$file"
		[ ! -e "$CG/$TREE/login/$file" ] || chown "$TEST_UID" "$CG/$TREE/login/$file"
	done </sys/kernel/cgroup/delegate
}

# in_tree COMMAND...: of the user, begun in the leaf
in_tree() {
	(
		echo "$BASHPID" >"$CG/$TREE/login/cgroup.procs"
		as_user "$BOCK_RUNC" "$@"
	)
}

up() {
	user_bundle sh -c 'sleep 1000 & wait' "$ID"
	[ $# -eq 0 ] || edit "$@"
	in_tree run -d -b "$B" "$ID" </dev/null >"$T/.out" 2>&1 3>&- || fail "$(cat "$T/.out")"
}

@test "cgroup, user: a delegated subtree holds the container, which can be paused, joined and deleted" {
	delegate
	up
	pid=$(in_tree state "$ID" | jq .pid)
	[ "$(sed -n 's/^0:://p' "/proc/$pid/cgroup")" = "/$TREE/$ID" ] || fail "$(cat "/proc/$pid/cgroup")"
	in_tree pause "$ID"
	[ "$(in_tree state "$ID" | jq -r .status)" = paused ]
	in_tree resume "$ID"
	in_tree exec -d --pid-file "$USER_DIR/pid" "$ID" sleep 1000 </dev/null >/dev/null 2>&1 3>&-
	[ "$(sed -n 's/^0:://p' "/proc/$(<"$USER_DIR/pid")/cgroup")" = "/$TREE/$ID" ]
	[ "$(in_tree ps --format json "$ID" | jq length)" -eq 3 ]
	in_tree events --stats "$ID" | jq -e '.data.cpu.usage.total > 0'
	in_tree delete --force "$ID"
	[ ! -e "$CG/$TREE/$ID" ]
	[ -d "$CG/$TREE/login" ]
}

@test "cgroup, user: limits are set and changed in a delegated subtree" {
	need_controller hugetlb
	delegate
	up '.linux.resources = {"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	[ "$(<"$CG/$TREE/$ID/hugetlb.2MB.max")" = 4194304 ]
	in_tree update -r - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}'
	[ "$(<"$CG/$TREE/$ID/hugetlb.2MB.max")" = 2097152 ]
	in_tree delete --force "$ID"
}

@test "cgroup, user: a path outside of what was delegated is an error" {
	delegate
	user_bundle true
	edit --arg p "/$ID-elsewhere" '.linux.cgroupsPath = $p'
	run --separate-stderr in_tree run -b "$B" "$ID"
	assert_error "/$ID-elsewhere"
	[ ! -e "$CG/$ID-elsewhere" ]
}

@test "cgroup, user: without delegation a container runs, and limits are refused with the way out" {
	user_bundle echo ran
	user_runs
	[ "$status" -eq 0 ] || fail "$stderr"
	[ "$output" = ran ]
	grep -qw hugetlb "$CG/cgroup.controllers" || skip "cgroup v2 does not hold a controller ($CG/cgroup.controllers)"
	edit '.linux.resources = {"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	user_runs
	assert_error "was not delegated a cgroup"
	[[ $stderr == *Delegate=yes* ]]
	[ ! -e "$STATE/$ID" ]
}
