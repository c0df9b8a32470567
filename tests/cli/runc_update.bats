# SPDX-License-Identifier: Apache-2.0
# update and events. What needs controllers that a hybrid host binds to version 1 runs in the virtual
# machine (tests/vm).

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

# ---- anywhere ------------------------------------------------------------------------------------

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
	assert_error "intelRdt"
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

# ---- with all controllers ------------------------------------------------------------------------

@test "update: memory and swap, together and one by one" {
	need_controller memory
	up '.linux.resources.memory = {"limit": 134217728, "reservation": 67108864, "swap": 268435456}'
	reads memory.max 134217728
	reads memory.swap.max 134217728
	update --memory 100M --memory-swap 150M --memory-reservation 50M
	assert_ok ""
	reads memory.max 104857600
	reads memory.swap.max 52428800
	reads memory.low 52428800
	# swap includes memory: of the 150 MB more is memory now
	update --memory 120M
	reads memory.max 125829120
	reads memory.swap.max 31457280
	update --memory 200M
	assert_error "memory.swap: is less than memory.limit"
	reads memory.max 125829120
	update --memory -1
	assert_ok ""
	reads memory.max max
	reads memory.swap.max max
	update --memory-swap 10M
	assert_error "needs memory.limit"
}

@test "update: memory.checkBeforeUpdate refuses less than what is in use" {
	need_controller memory
	bundle sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=32 2>/dev/null; echo ready >/tmp/ready; sleep 1000'
	detached run -d -b "$B" "$ID"
	CG=$(cgroup2_path)/$ID
	wait_for 30 test -e "$B/rootfs/tmp/ready"
	run --separate-stderr bock_runc update -r - "$ID" <<<'{"memory": {"limit": 1048576, "checkBeforeUpdate": true}}'
	assert_error "rejecting memory limit"
	reads memory.max max
}

@test "update: the CPU's quota and period keep each other, burst, shares, idle, cpuset" {
	need_controller cpu
	up '.linux.resources.cpu = {"quota": 50000, "period": 200000, "shares": 512}'
	reads cpu.max "50000 200000"
	update --cpu-quota 30000
	reads cpu.max "30000 200000"
	update --cpu-period 100000
	reads cpu.max "30000 100000"
	update --cpu-burst 20000
	reads cpu.max.burst 20000
	update --cpu-quota 10000
	assert_error "cpu.burst"
	update --cpu-quota 10000 --cpu-burst 5000
	assert_ok ""
	reads cpu.max "10000 100000"
	reads cpu.max.burst 5000
	update --cpu-quota 60000 --cpu-burst 40000
	assert_ok ""
	reads cpu.max.burst 40000
	update --cpu-quota -1
	assert_ok ""
	reads cpu.max "max 100000"
	update --cpu-share 2048
	reads cpu.weight 174
	update --cpu-idle 1
	reads cpu.idle 1
	update --cpu-idle 0
	reads cpu.idle 0
	reads cpu.weight 100
	update --cpuset-cpus 0 --cpuset-mems 0
	assert_ok ""
	reads cpuset.cpus 0
}

@test "update: pids, and the fork bomb that stops at them" {
	need_controller pids
	up '.linux.resources.pids = {"limit": 50}'
	reads pids.max 50
	update --pids-limit 10
	reads pids.max 10
	run bock_runc exec "$ID" sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 30 & done'
	assert_output -p "fork"
	[ "$(<"$CG/pids.current")" -le 10 ]
	update --pids-limit -1
	reads pids.max max
}

@test "update: a limit that the kernel refuses takes back those before it" {
	need_controller memory
	up '.linux.resources.memory = {"limit": 134217728}'
	run --separate-stderr bock_runc update -r - "$ID" <<<'{"memory": {"limit": 67108864}, "pids": {"limit": 7}, "cpu": {"cpus": "4000"}}'
	assert_error "cpu.cpus"
	reads memory.max 134217728
	reads pids.max max
}

@test "events: a process that the kernel kills for want of memory" {
	need_controller memory
	up '.linux.resources.memory = {"limit": 16777216, "swap": 16777216}'
	bock_runc events --interval 60s "$ID" >"$T/events" 3>&- &
	events=$!
	sleep 1
	run bock_runc exec "$ID" sh -c 'tail /dev/zero'
	[ "$status" -eq 137 ]
	wait_for 10 grep -q oom "$T/events"
	[ "$(jq -r .type "$T/events" | sort -u)" = oom ]
	run --separate-stderr bock_runc events --stats "$ID"
	jq -e '.data.memory.usage.limit == 16777216 and .data.memory.raw.anon != null and .data.pids.current > 0' <<<"$output"
	bock_runc delete --force "$ID"
	wait "$events"
}
