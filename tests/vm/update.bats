# SPDX-License-Identifier: Apache-2.0
# In the microVM: update and events with every controller. The rest is in tests/cli/runc_update.bats.

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
	bundle sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=32 2>/dev/null; echo ready >/ready; sleep 1000'
	detached run -d -b "$B" "$ID"
	CG=$(cgroup2_path)/$ID
	wait_for 30 test -e "$B/rootfs/ready"
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
