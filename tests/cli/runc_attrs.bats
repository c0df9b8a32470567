# SPDX-License-Identifier: Apache-2.0
# Attributes of the process that outlive execve: scheduler, I/O priority, personality, memory policy, CPU
# affinity. tests/helpers/attrs.c, inside, says what the kernel really has.

setup_file() {
	load ../helpers/common
	need_cmd cc
	cc -static -Os -o "$BATS_FILE_TMPDIR/attrs" "$(dirname "$BATS_TEST_FILENAME")/../helpers/attrs.c" ||
		skip "cc -static fails"
}

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { user_teardown; common_teardown; }

# A bundle that runs attrs.
reporter() {
	bundle /bin/attrs
	cp "$BATS_FILE_TMPDIR/attrs" "$B/rootfs/bin/attrs"
}

# reports JQ-FILTER LINE...: the container of the bundle changed so has these lines
reports() {
	local filter=$1 line
	shift
	cp "$B/config.json" "$B/config.json.orig"
	edit "$filter" || return 1
	run_it
	mv "$B/config.json.orig" "$B/config.json"
	assert_ok || fail "with $filter" || return 1
	for line in "$@"; do
		grep -qx "$line" <<<"$output" || fail "no '$line' in: $output" || return 1
	done
}

sched() { printf 'sched policy=%s flags=%s nice=%s priority=%s runtime=%s deadline=%s period=%s' "$@"; }

# ---- process.scheduler ---------------------------------------------------------------------------

@test "scheduler: none is the caller's" {
	reporter
	run_it
	assert_ok
	[[ $output == "sched policy=0 "* ]]
}

@test "scheduler: nice of SCHED_OTHER and SCHED_BATCH" {
	reporter
	reports '.process.scheduler = {"policy": "SCHED_OTHER", "nice": 7}' "$(sched 0 0 7 0 '.*' '.*' '.*')"
	reports '.process.scheduler = {"policy": "SCHED_OTHER", "nice": -5}' "$(sched 0 0 -5 0 '.*' '.*' '.*')"
	reports '.process.scheduler = {"policy": "SCHED_BATCH", "nice": 19}' "$(sched 3 0 19 0 '.*' '.*' '.*')"
	reports '.process.scheduler = {"policy": "SCHED_IDLE"}' "$(sched 5 0 '.*' 0 '.*' '.*' '.*')"
	assert_no_leftovers
}

@test "scheduler: priority of SCHED_FIFO and SCHED_RR, and flags, for a user without rights too" {
	reporter
	reports '.process.scheduler = {"policy": "SCHED_FIFO", "priority": 3}' "$(sched 1 0 0 3 0 0 0)"
	reports '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = {} |
		.process.scheduler = {"policy": "SCHED_RR", "priority": 99, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}' \
		"$(sched 2 1 0 99 0 0 0)"
}

@test "scheduler: a deadline" {
	reporter
	reports '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 20000000, "deadline": 50000000, "period": 100000000}' \
		"$(sched 6 0 0 0 20000000 50000000 100000000)"
	# the caller's affinity, which a deadline would not be given, is not the container's
	run --separate-stderr taskset -c 0 "$BOCK_RUNC" --root "$STATE" run --dry-run -b "$B" "$ID"
	[ "$status" -eq 0 ]
	edit '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 20000000, "deadline": 50000000}'
	run --separate-stderr taskset -c 0 "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_ok
	[[ $output == *"$(sched 6 0 0 0 20000000 50000000 50000000)"* ]]
}

@test "scheduler: what is wrong is refused before anything is made" {
	reporter
	refused '.process.scheduler = {"policy": "SCHED_NICE"}' "process.scheduler.policy: 'SCHED_NICE' is unknown"
	refused '.process.scheduler = {"nice": 1}' "process.scheduler.policy"
	refused '.process.scheduler = {"policy": "SCHED_ISO"}' "process.scheduler.policy: this kernel has no SCHED_ISO"
	refused '.process.scheduler = {"policy": "SCHED_OTHER", "nice": 20}' "process.scheduler.nice"
	refused '.process.scheduler = {"policy": "SCHED_FIFO", "nice": 1, "priority": 1}' "process.scheduler.nice"
	refused '.process.scheduler = {"policy": "SCHED_FIFO"}' "process.scheduler.priority"
	refused '.process.scheduler = {"policy": "SCHED_OTHER", "priority": 1}' "process.scheduler.priority"
	refused '.process.scheduler = {"policy": "SCHED_OTHER", "runtime": 1}' "process.scheduler.runtime"
	refused '.process.scheduler = {"policy": "SCHED_DEADLINE"}' "process.scheduler.runtime"
	refused '.process.scheduler = {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NO"]}' "process.scheduler.flags[0]: 'SCHED_FLAG_NO'"
	refused '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 2000} |
		.hooks = {"startContainer": [{"path": "/bin/true"}]}' "can't run startContainer hooks"
	refused '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 2000} |
		.linux.resources.cpu.cpus = "0"' "can't be used together with linux.resources.cpu.cpus"
}

@test "scheduler: what the kernel refuses is an error that names it, and nothing is left" {
	reporter
	# a period beyond kernel.sched_deadline_period_max_us, which is below 2^32 us
	edit '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 5000000000000}'
	run_it
	assert_error "process.scheduler: set the scheduler SCHED_DEADLINE"
	assert_no_leftovers
}

@test "scheduler: an ordinary user may lower, and is told what raising needs" {
	user_setup
	user_bundle /bin/attrs
	cp "$BATS_FILE_TMPDIR/attrs" "$B/rootfs/bin/attrs"
	edit '.process.scheduler = {"policy": "SCHED_BATCH", "nice": 19}'
	user_runs
	assert_ok
	[[ $output == "sched policy=3 flags=0 nice=19 "* ]]
	edit '.process.scheduler = {"policy": "SCHED_FIFO", "priority": 5}'
	user_runs
	assert_error "process.scheduler: set the scheduler SCHED_FIFO: Operation not permitted (raising a priority needs CAP_SYS_NICE"
}

# ---- process.ioPriority --------------------------------------------------------------------------

@test "I/O priority: each class, for a user without rights too" {
	reporter
	reports '.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 7}' 'ioprio 16391'
	reports '.process.ioPriority = {"class": "IOPRIO_CLASS_IDLE", "priority": 0}' 'ioprio 24576'
	reports '.process.ioPriority = {"class": "IOPRIO_CLASS_RT", "priority": 2} |
		.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = {}' 'ioprio 8194'
}

@test "I/O priority: what is wrong is refused" {
	reporter
	refused '.process.ioPriority = {"class": "IOPRIO_CLASS_NONE", "priority": 0}' "process.ioPriority.class: 'IOPRIO_CLASS_NONE'"
	refused '.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 8}' "process.ioPriority.priority: 8"
	refused '.process.ioPriority = {"priority": 1}' "process.ioPriority.class"
}

# ---- linux.personality ---------------------------------------------------------------------------

@test "personality: of a 32-bit machine, and the kernel's own" {
	reporter
	reports '.linux.personality = {"domain": "LINUX32"}' 'personality 0x8'
	reports '.linux.personality = {"domain": "LINUX"}' 'personality 0'
	edit '.linux.personality = {"domain": "LINUX32"} |
		.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["personality"], "action": "SCMP_ACT_KILL"}]}'
	args uname -m
	run_it
	assert_ok "$(setarch linux32 uname -m)"
}

@test "personality: what is wrong is refused" {
	reporter
	refused '.linux.personality = {"domain": "PER_LINUX32"}' "linux.personality.domain: 'PER_LINUX32' is unknown"
	refused '.linux.personality = {}' "linux.personality.domain"
	refused '.linux.personality = {"domain": "LINUX", "flags": ["X"]}' "linux.personality.flags[0]: 'X' is unknown"
}

# ---- linux.memoryPolicy --------------------------------------------------------------------------

need_numa() { [ -d /sys/devices/system/node/node0 ] || skip "this kernel has no NUMA: /sys/devices/system/node/node0"; }

@test "memory policy: each mode" {
	need_numa
	reporter
	reports '.' 'mempolicy 0' 'nodes'
	reports '.linux.memoryPolicy = {"mode": "MPOL_DEFAULT"}' 'mempolicy 0' 'nodes'
	reports '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0"}' 'mempolicy 0x2' 'nodes 0'
	reports '.linux.memoryPolicy = {"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}' 'mempolicy 0x8003' 'nodes 0'
	reports '.linux.memoryPolicy = {"mode": "MPOL_PREFERRED", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}' 'mempolicy 0x4001' 'nodes 0'
	reports '.linux.memoryPolicy = {"mode": "MPOL_LOCAL", "nodes": ""}' 'mempolicy 0x4' 'nodes'
	reports '.linux.memoryPolicy = {"mode": "MPOL_PREFERRED_MANY", "nodes": "0,1"}' 'mempolicy 0x5' 'nodes 0'
	reports '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"]}' 'mempolicy 0x2002' 'nodes 0'
}

@test "memory policy: what is wrong is refused, in the words of runc" {
	reporter
	refused '.linux.memoryPolicy = {"mode": "MPOL_X"}' "invalid memory policy mode 'MPOL_X'"
	refused '.linux.memoryPolicy = {"nodes": "0"}' "invalid memory policy"
	refused '.linux.memoryPolicy = {"mode": "MPOL_BIND"}' "invalid memory policy: MPOL_BIND needs at least one node"
	refused '.linux.memoryPolicy = {"mode": "MPOL_LOCAL", "nodes": "0"}' "invalid memory policy: MPOL_LOCAL has no nodes"
	refused '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0-"}' "invalid memory policy node"
	refused '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["X"]}' "invalid memory policy flag 'X'"
	need_numa
	# a node beyond those of any kernel, and beyond a mask of 1,024
	refused '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "20000"}' "linux.memoryPolicy: invalid memory policy for this kernel and its nodes: MPOL_BIND nodes 20000"
}

# ---- affinity ------------------------------------------------------------------------------------

@test "affinity: the container's first process runs on all CPUs, whatever those of the runtime's caller" {
	reporter
	all=$("$BATS_FILE_TMPDIR/attrs" | grep ^cpus)
	[ "$all" != "cpus 0" ] || skip "this machine has one CPU"
	run --separate-stderr taskset -c 0 "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_ok
	grep -qx "$all" <<<"$output"
	[ "$(taskset -c 0 "$BATS_FILE_TMPDIR/attrs" | grep ^cpus)" = "cpus 0" ]
}

# ---- labels --------------------------------------------------------------------------------------

@test "labels: asked for where the kernel has no such module, refused before anything is made" {
	reporter
	refused_anew() {
		refused "$1" "$2" || return 1
		detached create -b "$B" "$ID-other"
		assert_ok "" || return 1
		bock_runc delete -f "$ID-other"
	}
	if ! grep -qs ^Y /sys/module/apparmor/parameters/enabled; then
		refused_anew '.process.apparmorProfile = "docker-default"' "process.apparmorProfile: 'docker-default' is asked for, but AppArmor is not enabled on this host"
	fi
	if [ ! -e /sys/fs/selinux/enforce ]; then
		refused_anew '.process.selinuxLabel = "u:r:t:s0"' "process.selinuxLabel: 'u:r:t:s0' is asked for, but selinux is disabled or not supported"
	fi
	edit '.process.apparmorProfile = "" | .process.selinuxLabel = ""'
	run_it
	assert_ok
}

@test "labels: an AppArmor profile is the program's, of create and of exec" {
	grep -qs ^Y /sys/module/apparmor/parameters/enabled || skip "AppArmor is not enabled: /sys/module/apparmor/parameters/enabled"
	need_cmd apparmor_parser
	profile=bock-test-$ID
	echo "profile $profile flags=(attach_disconnected,mediate_deleted) { file, capability, network, mount, signal, ptrace, unix, deny /denied r, }" |
		apparmor_parser -K -a
	bundle cat /proc/self/attr/current /denied
	echo secret >"$B/rootfs/denied"
	edit --arg p "$profile" '.process.apparmorProfile = $p'
	run_it
	[ "$output" = "$profile (enforce)" ] || [ "$output" = "$profile" ] || fail "$output: $stderr"
	[ "$status" -eq 1 ]
	[[ $stderr == *"Permission denied"* ]]
	args sleep 1000
	detached run -d -b "$B" "$ID"
	run --separate-stderr bock_runc exec "$ID" cat /proc/self/attr/current
	assert_output -p "$profile"
	bock_runc delete -f "$ID"
	edit '.process.apparmorProfile = "bock-no-such-profile"'
	run_it
	assert_error "process.apparmorProfile: apply the profile 'bock-no-such-profile': No such file or directory"
	echo "profile $profile {}" | apparmor_parser -K -R
	assert_no_leftovers
}

# ---- exec ----------------------------------------------------------------------------------------

# says LINE...: the last exec's output has these lines
says() {
	local line
	[ "$status" -eq 0 ] || fail "status $status: $stderr" || return 1
	for line in "$@"; do
		grep -qx "$line" <<<"$output" || fail "no '$line' in: $output" || return 1
	done
}

@test "exec: personality and memory policy of the container, the rest of the process" {
	sleeper
	cp "$BATS_FILE_TMPDIR/attrs" "$B/rootfs/bin/attrs"
	edit '.linux.personality = {"domain": "LINUX32"} | .process.scheduler = {"policy": "SCHED_BATCH", "nice": 19}'
	[ ! -d /sys/devices/system/node/node0 ] || edit '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0"}'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	run --separate-stderr bock_runc exec "$ID" attrs
	says 'personality 0x8' 'sched policy=3 flags=0 nice=19 .*'
	[ ! -d /sys/devices/system/node/node0 ] || says 'mempolicy 0x2' 'nodes 0'
	process() { jq '.process | .args = ["attrs"]' "$B/config.json" | jq "$1" >"$T/process.json"; }
	for flags in '[]' '["SCHED_FLAG_RESET_ON_FORK"]'; do
		process ".scheduler = {\"policy\": \"SCHED_FIFO\", \"priority\": 7, \"flags\": $flags} |
			.ioPriority = {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 1}"
		run --separate-stderr bock_runc exec -p "$T/process.json" "$ID"
		says 'personality 0x8' 'sched policy=1 flags=[01] nice=0 priority=7 .*' 'ioprio 16385'
	done
	[[ $output == *flags=1* ]] # a fork would have undone it
	process '.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 20000000, "deadline": 50000000}'
	run --separate-stderr bock_runc exec -p "$T/process.json" "$ID"
	says "$(sched 6 0 0 0 20000000 50000000 50000000)"
	process '.scheduler = {"policy": "SCHED_FIFO"}'
	run --separate-stderr bock_runc exec -p "$T/process.json" "$ID"
	[ "$status" -eq 255 ]
	[[ $stderr == *"process.scheduler.priority"* ]]
	bock_runc delete -f "$ID"
	assert_no_leftovers
}

# ---- what is said about it -----------------------------------------------------------------------

@test "validate tells of each" {
	reporter
	edit '.process.scheduler = {"policy": "SCHED_X"} | .process.ioPriority = {"class": "x", "priority": 1} |
		.process.execCPUAffinity = {"final": "3-1"} | .linux.personality = {"domain": "x"} |
		.linux.memoryPolicy = {"mode": "x"} | .linux.intelRdt = {"closID": "a/b"}'
	run --separate-stderr bock_runc validate -b "$B"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 6 ] || fail "$output"
	for words in "process.scheduler.policy: 'SCHED_X'" "process.ioPriority.class: 'x'" "process.execCPUAffinity.final: '3-1'" \
		"linux.personality.domain: 'x'" "invalid memory policy mode 'x'" "linux.intelRdt.closID: 'a/b'"; do
		grep -qF "$words" <<<"$output" || fail "no '$words' in: $output"
	done
	refused 'del(.process.scheduler, .process.ioPriority, .linux.personality, .linux.memoryPolicy, .linux.intelRdt)' "process.execCPUAffinity.final: '3-1': the range '3-1' ends before it begins"
	edit 'del(.process.execCPUAffinity, .process.ioPriority, .linux.personality, .linux.memoryPolicy) |
		.process.scheduler = {"policy": "SCHED_ISO"} | .linux.intelRdt = {}'
	run --separate-stderr bock_runc validate -b "$B"
	[[ $output == *"this kernel has no SCHED_ISO"* ]]
	grep -q ' - resctrl ' /proc/self/mountinfo || [[ $output == *"linux.intelRdt: the resctrl file system is not mounted"* ]]
}

@test "a dry run prints them, and features the names" {
	reporter
	edit '.process.scheduler = {"policy": "SCHED_RR", "priority": 9} | .linux.personality = {"domain": "LINUX32"} |
		.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 6} |
		.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0-1"}'
	run_it --dry-run
	assert_ok
	for line in 'affinity all' 'scheduler SCHED_RR priority 9' 'io-priority IOPRIO_CLASS_BE 6' 'personality LINUX32' 'memory-policy MPOL_BIND nodes 0-1'; do
		grep -qx "  $line" <<<"$output" || fail "no '$line' in: $output"
	done
	bock_runc features | jq -e '.linux.memoryPolicy | (.modes | length) == 7 and (.flags | length) == 3'
}
