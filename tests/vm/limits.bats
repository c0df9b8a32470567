# SPDX-License-Identifier: Apache-2.0
# In the microVM: each limit that create sets is read back from the kernel's own file, and those that can
# be felt are felt. One bundle for all tests: processes are dear in a guest.

setup_file() {
	load ../helpers/runc
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR runc_setup
	mkdir -p "$BATS_FILE_TMPDIR/b"
	bundle_make "$BATS_FILE_TMPDIR/b" sleep 1000
	cp "$BATS_FILE_TMPDIR/b/config.json" "$BATS_FILE_TMPDIR/b/config.json.orig"
}

setup() {
	load ../helpers/runc
	runc_setup
	need_controller memory
	need_controller pids
	B=$BATS_FILE_TMPDIR/b
	CG=/sys/fs/cgroup/$ID
}
teardown() { common_teardown; }

# resources JSON [JQ-FILTER]: the bundle asks for these
resources() {
	jq --argjson r "$1" ".linux.resources += \$r | ${2:-.}" <"$B/config.json.orig" >"$B/config.json"
}

created() { # JSON [JQ-FILTER]
	resources "$@"
	detached create -b "$B" "$ID"
	assert_ok ""
}

removed() { bock_runc delete --force "$ID"; }

# holds FILE TEXT: the kernel's file
holds() {
	local text
	text=$(<"$CG/$1")
	[ "$text" = "$2" ] || fail "$1 is '$text', expected '$2'"
}

@test "limits: memory, its reservation, swap as what is above it; high by unified" {
	created '{"memory": {"limit": 67108864, "swap": 100663296, "reservation": 33554432},
		"unified": {"memory.high": "50331648", "memory.oom.group": "1"}}'
	holds memory.max 67108864
	holds memory.swap.max 33554432
	holds memory.low 33554432
	holds memory.high 50331648
	holds memory.oom.group 1
	removed
	created '{"memory": {"limit": 67108864, "swap": 67108864}}'
	holds memory.swap.max 0
	removed
	created '{"memory": {"limit": -1, "swap": -1}}'
	[ ! -e "$CG/memory.max" ] || holds memory.max max
	removed
	assert_no_leftovers
}

@test "limits: cpu shares on the curve of 2025, quota, period and burst; idle" {
	for pair in 2:1 512:59 1024:100 262144:10000; do
		created "{\"cpu\": {\"shares\": ${pair%:*}}}"
		holds cpu.weight "${pair#*:}"
		removed
	done
	created '{"cpu": {"quota": 50000, "period": 200000, "burst": 10000, "idle": 1}}'
	holds cpu.max "50000 200000"
	holds cpu.max.burst 10000
	holds cpu.idle 1
	removed
	created '{"cpu": {"period": 50000}}'
	holds cpu.max "max 50000"
	removed
}

@test "limits: cpuset, and the container runs where it says" {
	resources '{"cpu": {"cpus": "1", "mems": "0"}}' '.process.args = ["grep", "_allowed_list", "/proc/self/status"]'
	run_it
	assert_ok
	[[ ${lines[0]} == Cpus_allowed_list:*1 ]]
	created '{"cpu": {"cpus": "1", "mems": "0"}}'
	holds cpuset.cpus 1
	holds cpuset.cpus.effective 1
	holds cpuset.mems 0
	removed
	resources '{"cpu": {"cpus": "17"}}'
	run_it
	assert_error cpuset.cpus
	assert_no_leftovers
}

@test "limits: pids; none is none, and 0 is the least that can be" {
	created '{"pids": {"limit": 50}}'
	holds pids.max 50
	removed
	created '{"pids": {"limit": 0}}'
	holds pids.max 1
	removed
	created '{"pids": {"limit": -1}}'
	[ ! -e "$CG/pids.max" ] || holds pids.max max
	removed
}

@test "limits: block devices, their weights and rates" {
	[ -b /dev/vda ] || skip "no block device /dev/vda"
	local major minor
	IFS=: read -r major minor </sys/block/vda/dev
	# a device has weights of its own only while the kernel's cost model is on for it
	echo "$major:$minor enable=1" >/sys/fs/cgroup/io.cost.qos
	created "{\"blockIO\": {\"weight\": 100,
		\"weightDevice\": [{\"major\": $major, \"minor\": $minor, \"weight\": 1000}],
		\"throttleReadBpsDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 1048576}],
		\"throttleWriteBpsDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 2097152}],
		\"throttleReadIOPSDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 300}],
		\"throttleWriteIOPSDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 400}]}}"
	holds io.weight "default 910
$major:$minor 10000"
	holds io.max "$major:$minor rbps=1048576 wbps=2097152 riops=300 wiops=400"
	removed
	resources '{"blockIO": {"throttleReadBpsDevice": [{"major": 999, "minor": 0, "rate": 1}]}}'
	run_it
	assert_error "999:0"
	assert_no_leftovers
}

@test "limits: huge pages, and what is reserved of them" {
	created '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	holds hugetlb.2MB.max 4194304
	holds hugetlb.2MB.rsvd.max 4194304
	removed
	resources '{"hugepageLimits": [{"pageSize": "3MB", "limit": 4194304}]}'
	run_it
	assert_error 3MB
	assert_no_leftovers
}

@test "limits: unified is written word for word, each line of it, core files too" {
	created '{"unified": {"cpu.max": "10000 50000", "pids.max": "33", "cgroup.max.depth": "5",
		"memory.low": "max", "hugetlb.2MB.max": "2097152\n4194304"}}'
	holds cpu.max "10000 50000"
	holds pids.max 33
	holds cgroup.max.depth 5
	holds memory.low max
	holds hugetlb.2MB.max 4194304
	removed
	resources '{"unified": {"memory.nosuch": "1"}}'
	run_it
	assert_error memory.nosuch
	resources '{"unified": {"nosuch.max": "1"}}'
	run_it
	assert_error nosuch
	assert_no_leftovers
}

@test "limits: controllers are enabled down the path, those that are needed and no others" {
	CG=/sys/fs/cgroup/$ID-top
	created '{"pids": {"limit": 9}}' ".linux.cgroupsPath = \"/$ID-top/a/b\""
	holds cgroup.subtree_control pids
	holds a/cgroup.subtree_control pids
	holds a/b/pids.max 9
	holds a/b/cgroup.subtree_control ""
	removed
	[ ! -e "$CG" ]
	assert_no_leftovers
}

@test "limits: below a cgroup that has processes of its own the error says why not" {
	mkdir "$CG"
	sleep 1000 3>&- &
	local other=$!
	echo "$other" >"$CG/cgroup.procs"
	resources '{"memory": {"limit": 67108864}}' ".linux.cgroupsPath = \"/$ID/below\""
	run_it
	kill "$other"
	wait "$other" || :
	assert_error "cgroup '/$ID'"
	assert_error memory
	[ ! -e "$CG/below" ]
	wait_for 5 rmdir "$CG"
	assert_no_leftovers
}

@test "limits: who takes more memory than the limit is killed, and the status says so" {
	resources '{"memory": {"limit": 33554432, "swap": 33554432}}' \
		'.process.args = ["dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"]'
	run_it
	[ "$status" -eq 137 ] || fail "status $status: $stderr"
	detached create -b "$B" "$ID"
	assert_ok ""
	bock_runc start "$ID"
	wait_for 20 grep -q '^oom_kill 1$' "$CG/memory.events"
	wait_for 20 is stopped
	removed
	# the limit is what does it
	resources '{"memory": {"limit": 536870912}}' \
		'.process.args = ["dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"]'
	run_it
	[ "$status" -eq 0 ] || fail "status $status: $stderr"
	assert_no_leftovers
}

@test "limits: a fork bomb stops at pids.max, and delete --force ends it" {
	resources '{"pids": {"limit": 16}}' '.process.args = ["sh", "-c", "b() { b | b & }; b; sleep 1000"]'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 20 grep -qE '^max [1-9]' "$CG/pids.events"
	[ "$(<"$CG/pids.current")" -le 16 ]
	removed
	[ ! -e "$CG" ]
	assert_no_leftovers
}

@test "limits: with pids 0 the container has its first process and no other" {
	resources '{"pids": {"limit": 0}}' '.process.args = ["sh", "-c", "echo one; sleep 0 & echo $?"]'
	run_it
	[ "${lines[0]}" = one ]
	[[ $output$stderr == *"can't fork"* ]] || fail "it forked: $output $stderr"
}

# In sixteen periods the loop gets sixteen quotas, or one more or fewer, as the window begins: a sixteenth at most. The
# period is long, since an emulated processor is late by many milliseconds at times, which loses nothing as long as it
# is less than a period.
@test "limits: a busy loop gets its share of a cpu, within a tenth" {
	resources '{"cpu": {"quota": 100000, "period": 500000}}' '.process.args = ["sh", "-c", "while :; do :; done"]'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	local before after started ended n
	# until it has been stopped for the first time
	wait_for 20 grep -q '^nr_throttled [1-9]' "$CG/cpu.stat"
	read -r _ before <"$CG/cpu.stat"
	read -r started _ </proc/uptime
	sleep 8
	read -r _ after <"$CG/cpu.stat"
	read -r ended _ </proc/uptime
	grep -q '^nr_throttled [1-9][0-9]*$' "$CG/cpu.stat"
	n=$(sed -n 's/^nr_periods //p' "$CG/cpu.stat")
	removed
	# hundredths of a percent of a CPU: microseconds by hundredths of a second
	local share=$(((after - before) / (10#${ended/./} - 10#${started/./})))
	echo "# share of a cpu: $((share / 100)).$((share % 100 / 10)) %, of $n periods" >&3
	[ "$share" -ge 1800 ] && [ "$share" -le 2200 ] || fail "$share hundredths of a percent of a cpu, expected 2000"
}

# The image tool's part: what it is told of limits is in the kernel's files once bock-runc has made the container.
@test "limits: those of bock-image unpack --memory --cpus --pids-limit hold; without them there are none" {
	need_program image
	tar -C "$BATS_FILE_TMPDIR/b/rootfs" -b1 -cf "$T/root.tar" .
	bock_image import -q "$T/root.tar" box:1
	bock_image unpack --memory 64m --cpus 1.25 --pids-limit 9 box:1 "$T/limited" -- sh -c 'dd if=/dev/zero of=/dev/null bs=96M count=1; sleep 1000'
	detached run -d -b "$T/limited" "$ID"
	assert_ok ""
	holds memory.max 67108864
	holds cpu.max "125000 100000"
	holds pids.max 9
	# felt: what asks for more memory is killed, and the first process waits on
	wait_for 60 grep -q '^oom_kill 1$' "$CG/memory.events"
	removed
	bock_image unpack box:1 "$T/free" -- sleep 1000
	detached create -b "$T/free" "$ID"
	assert_ok ""
	local name
	for name in memory.max pids.max cpu.max; do
		[ ! -e "$CG/$name" ] || [[ $(<"$CG/$name") == max* ]] || fail "$name is '$(<"$CG/$name")'"
	done
	removed
	assert_no_leftovers
}
