# SPDX-License-Identifier: Apache-2.0
# update and events. What needs controllers that a hybrid host binds to version 1 is in tests/vm/update.bats.

setup() {
	load ../helpers/runc
	runc_setup
	need_cgroup2
}
teardown() { common_teardown; }

# up [JQ-FILTER]: a container that sleeps, changed so; $CG is its cgroup
up() {
	sleeper
	[ $# -eq 0 ] || edit "$@"
	detached run -d -b "$B" "$ID"
	assert_ok ""
	CG=$(cgroup2_path)/$ID
}

update() { run --separate-stderr bock_runc update "$@" "$ID"; }

# reads FILE TEXT
reads() {
	local now
	now=$(<"$CG/$1") || return 1
	[ "$now" = "$2" ] || fail "$1: $now, expected $2"
}

@test "update: no container, a stopped one, a bad number, a bad file" {
	update --pids-limit 5
	assert_error "container does not exist"
	bundle true
	detached create -b "$B" "$ID"
	bock_runc start "$ID"
	wait_for 5 is stopped
	update --pids-limit 5
	assert_error "container not running"
	for option in --pids-limit --cpu-quota --cpu-period --cpu-share --cpu-burst --cpu-idle --memory --memory-swap --memory-reservation --blkio-weight; do
		update $option 1x
		assert_error "$option" || fail "with $option"
	done
	echo '{"pids": 1}' >"$T/r.json"
	update --resources "$T/r.json"
	assert_error "pids"
	update -r "$T/none"
	assert_error "$T/none"
}

@test "update: what version 2 of cgroups has not is refused by name, and nothing is saved" {
	up
	update --kernel-memory 5
	assert_error "memory.kernel"
	update --cpu-rt-runtime 5
	assert_error "realtime"
	update --blkio-weight 5
	assert_error "blockIO.weight"
	update --mem-bw-schema x
	assert_error "--mem-bw-schema: 'x' is not one line"
	[ ! -e "$STATE/$ID/resources.json" ]
}

@test "update: a limit whose controller is bound to version 1 names both; nothing is changed" {
	up
	! grep -qw memory "$(cgroup2_path)/cgroup.controllers" || skip "cgroup v2 has the memory controller here"
	update --memory 64M
	assert_error "memory.limit"
	[[ $stderr == *"bound to cgroup version 1"* ]]
	[ ! -e "$STATE/$ID/resources.json" ]
}

@test "update: huge pages, from a file, from standard input in both spellings; saved for the next one" {
	need_controller hugetlb
	up
	[ -e "$CG/hugetlb.2MB.max" ] || skip "no huge pages of 2 MB ($CG/hugetlb.2MB.max)"
	echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}' >"$T/r.json"
	update --resources "$T/r.json"
	assert_ok ""
	reads hugetlb.2MB.max 4194304
	reads hugetlb.2MB.rsvd.max 4194304
	bock_runc update --resources - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}'
	reads hugetlb.2MB.max 2097152
	bock_runc update --resources=- "$ID" <<<'{"unified": {"hugetlb.2MB.max": "8388608"}}'
	reads hugetlb.2MB.max 8388608
	[ "$(jq -c . "$STATE/$ID/resources.json")" = '{"devices":[{"allow":false,"access":"rwm"}],"hugepageLimits":[{"pageSize":"2MB","limit":2097152}],"unified":{"hugetlb.2MB.max":"8388608"}}' ]
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "update: all or nothing: what was written is set back when a later write fails" {
	need_controller hugetlb
	up
	[ -e "$CG/hugetlb.2MB.max" ] || skip "no huge pages of 2 MB ($CG/hugetlb.2MB.max)"
	bock_runc update -r - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	cp "$STATE/$ID/resources.json" "$T/before"
	run --separate-stderr bock_runc update -r - "$ID" <<<'{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}],
		"unified": {"hugetlb.1GB.max": "1073741824", "hugetlb.2MB.nothere": "1"},
		"devices": [{"allow": true, "access": "rwm"}]}'
	assert_error "hugetlb.2MB.nothere"
	reads hugetlb.2MB.max 4194304
	reads hugetlb.2MB.rsvd.max 4194304
	reads hugetlb.1GB.max max
	cmp "$T/before" "$STATE/$ID/resources.json"
	[ ! -e "$STATE/$ID/resources.json.new" ]
	# and the device program is the old one
	run bock_runc exec --cap CAP_MKNOD "$ID" sh -c 'mknod /tmp/x c 1 200; : </tmp/x'
	assert_output -p "not permitted"
}

@test "update: device rules of a running container are replaced" {
	up '.process.capabilities |= (.bounding += ["CAP_MKNOD"] | .effective += ["CAP_MKNOD"] | .permitted += ["CAP_MKNOD"])'
	# no device has this number: who may open it is told so, and who may not is told that
	open_it() { run bock_runc exec "$ID" sh -c '[ -e /tmp/x ] || mknod /tmp/x c 1 200; : </tmp/x'; }
	open_it
	assert_output -p "not permitted"
	bock_runc update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 200, "access": "r"}]}'
	open_it
	assert_output -p "No such device"
	# /dev/null is among the defaults
	bock_runc exec "$ID" sh -c 'echo x >/dev/null'
	bock_runc update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
	open_it
	assert_output -p "not permitted"
	# the program is replaced, and not joined by another: the kernel takes 64
	for _ in $(seq 70); do
		bock_runc update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
	done
	bock_runc update -r - "$ID" <<<'{"devices": [{"allow": true, "access": "rwm"}]}'
	open_it
	assert_output -p "No such device"
}

@test "events: statistics in the shape that engines parse" {
	up
	run --separate-stderr bock_runc events --stats "$ID"
	assert_status 0
	jq -e --arg id "$ID" '.type == "stats" and .id == $id and (.data.cpu.usage.total | type == "number") and .data.cpu.usage.total > 0 and
		(.data.cpu.usage | has("kernel") and has("user")) and (.data.cpu | has("throttling")) and
		(.data.memory.usage | has("limit") and has("failcnt")) and (.data.memory | has("swap") and has("kernel") and has("kernelTCP")) and
		(.data | has("pids") and has("blkio") and has("hugetlb") and has("cpuset") and has("intel_rdt") and has("network_interfaces"))' <<<"$output"
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[ ! -e /proc/pressure/cpu ] || jq -e '.data.cpu.psi.some | has("avg10") and has("avg60") and has("avg300") and has("total")' <<<"$output"
}

@test "events: one each interval, until the container has stopped" {
	bundle sleep 2
	detached run -d -b "$B" "$ID"
	bock_runc events --interval 300ms "$ID" >"$T/events"
	[ "$(wc -l <"$T/events")" -ge 3 ]
	jq -e '.type == "stats"' "$T/events" >/dev/null
	run --separate-stderr bock_runc events "$ID"
	assert_error "container not running"
	run --separate-stderr bock_runc events --interval 0 "$ID"
	assert_error "interval"
	run --separate-stderr bock_runc events --interval soon "$ID"
	assert_error "--interval"
}
