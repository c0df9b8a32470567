# SPDX-License-Identifier: Apache-2.0
# In the microVM: every resource of config-linux.md, set by create and changed by update, as the kernel's own file has
# it, and the limits felt; by root and by a user, below a delegated subtree and, where systemd runs, in a scope. One
# bundle a test and few commands: processes are dear in a guest.

setup() {
	load ../helpers/runc
	case ${BOCK_VM_MODE-} in
	plain | systemd) ;;
	*) skip "not root in the microVM (\$BOCK_VM_MODE is neither 'plain' nor 'systemd')" ;;
	esac
	runc_setup
	WHO=root TREE=
	[ "$BOCK_VM_MODE" != systemd ] || [ -x "$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd" ] ||
		skip "built without libsystemd"
}

teardown() {
	if [ "${WHO-}" = user ]; then
		[ ! -d "$STATE/$ID" ] || rt delete --force "$ID"
		user_teardown
		[ -z "$TREE" ] || rmdir /sys/fs/cgroup/"$TREE"/* /sys/fs/cgroup/"$TREE" 2>/dev/null || :
	else
		common_teardown
	fi
}

# A subtree of the user's own, with a leaf that commands begin in.
delegate() {
	local dir file
	TREE=$ID-tree
	mkdir "/sys/fs/cgroup/$TREE" "/sys/fs/cgroup/$TREE/login"
	echo "+cpu +cpuset +io +memory +pids" >"/sys/fs/cgroup/$TREE/cgroup.subtree_control"
	for dir in "/sys/fs/cgroup/$TREE" "/sys/fs/cgroup/$TREE/login"; do
		chown "$TEST_UID" "$dir"
		while read -r file; do
			[ ! -e "$dir/$file" ] || chown "$TEST_UID" "$dir/$file"
		done </sys/kernel/cgroup/delegate
	done
}

# rt COMMAND...: bock-runc as the one that the test is about
rt() {
	case $WHO-$BOCK_VM_MODE in
	root-*) bock_runc "$@" ;;
	user-plain)
		(
			echo "$BASHPID" >"/sys/fs/cgroup/$TREE/login/cgroup.procs"
			as_user "$BOCK_RUNC" "$@"
		)
		;;
	user-systemd)
		setpriv --reuid "$TEST_USER" --regid "$(id -g "$TEST_USER")" --init-groups \
			env XDG_RUNTIME_DIR="/run/user/$TEST_UID" systemd-run --user --wait --pipe --collect --quiet \
			--setenv=XDG_RUNTIME_DIR="/run/user/$TEST_UID" "$BOCK_RUNC" --root "$STATE" "$@"
		;;
	esac
}

# prepare root|user ARG...: a bundle whose program is that; sets $CG
prepare() {
	WHO=$1
	shift
	if [ "$WHO" = user ]; then
		common_teardown
		user_setup
		[ "$BOCK_VM_MODE" = systemd ] || delegate
		user_bundle "$@"
	else
		bundle "$@"
	fi
	GLOBAL=()
	CG=/sys/fs/cgroup${TREE:+/$TREE}/$ID
	[ "$BOCK_VM_MODE" = systemd ] || return 0
	GLOBAL=(--systemd-cgroup)
	CG=/sys/fs/cgroup/bock.slice/bock-test.slice/bock-$ID.scope
	if [ "$WHO" = user ]; then
		systemctl start "user@$TEST_UID.service"
		CG=/sys/fs/cgroup/user.slice/user-$TEST_UID.slice/user@$TEST_UID.service/bock.slice/bock-test.slice/bock-$ID.scope
	fi
}

# up JQ-FILTER [OPTION...]: in the background
up() {
	local path=
	[ "$BOCK_VM_MODE" != systemd ] || path=".linux.cgroupsPath = \"bock-test.slice:bock:$ID\" | "
	edit "$path$1" "${@:2}"
	rt "${GLOBAL[@]}" run -d -b "$B" "$ID" </dev/null >"$T/.out" 2>&1 3>&- || fail "$(<"$T/.out")"
}

# hold: FILE=TEXT a line on stdin, of the kernel's files; all that differ are named
hold() {
	local line now wrong=
	while IFS= read -r line; do
		now=$(<"$CG/${line%%=*}") || now=
		now=${now//$'\n'/;}
		[ "$now" = "${line#*=}" ] || wrong+="${line%%=*} is '$now', expected '${line#*=}'"$'\n'
	done
	[ -z "$wrong" ] || fail "$wrong"
}

each_resource() { # root|user
	local dev huge=
	IFS= read -r dev </sys/block/vda/dev
	# a device has weights of its own only while the kernel's cost model is on for it
	echo "$dev enable=1" >/sys/fs/cgroup/io.cost.qos
	[ "$1" = user ] || huge=', "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]'
	prepare "$1" sleep 1000
	resources() { # DIGIT SHARES CPUS WEIGHT [MORE]: what all of them are made of
		local at="\"major\": ${dev%:*}, \"minor\": ${dev#*:}"
		cat <<-END
			{"memory": {"limit": $(($1 << 24)), "swap": $((($1 << 24) + 4096)), "reservation": $(($1 << 20))},
			"cpu": {"shares": $2, "quota": ${1}0000, "period": ${1}00000, "burst": ${1}000, "cpus": "$3", "mems": "0"},
			"pids": {"limit": ${1}7},
			"blockIO": {"weight": ${1}00, "weightDevice": [{$at, "weight": $4}],
				"throttleReadBpsDevice": [{$at, "rate": ${1}048576}], "throttleWriteBpsDevice": [{$at, "rate": ${1}097152}],
				"throttleReadIOPSDevice": [{$at, "rate": ${1}00}], "throttleWriteIOPSDevice": [{$at, "rate": ${1}01}]},
			"unified": {"memory.high": "$(($1 << 23))", "cgroup.max.depth": "$1"}$5}
		END
	}
	up '.linux.resources += $r' --argjson r "$(resources 2 512 1 1000 "$huge")"
	hold <<-END
		memory.max=33554432
		memory.swap.max=4096
		memory.low=2097152
		memory.high=16777216
		cpu.weight=59
		cpu.max=20000 200000
		cpu.max.burst=2000
		cpuset.cpus=1
		cpuset.mems=0
		pids.max=27
		io.weight=default 1920;$dev 10000
		io.max=$dev rbps=2048576 wbps=2097152 riops=200 wiops=201
		cgroup.max.depth=2
		${huge:+hugetlb.2MB.max=4194304
		hugetlb.2MB.rsvd.max=4194304}
	END
	[ -z "$huge" ] || huge=', "hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]'
	resources 3 1024 0-1 500 "$huge" >"$T/r.json"
	chmod 644 "$T/r.json"
	rt update --resources - "$ID" <"$T/r.json"
	hold <<-END
		memory.max=50331648
		memory.swap.max=4096
		memory.low=3145728
		memory.high=25165824
		cpu.weight=100
		cpu.max=30000 300000
		cpu.max.burst=3000
		cpuset.cpus=0-1
		pids.max=37
		io.weight=default 2930;$dev 4950
		io.max=$dev rbps=3048576 wbps=3097152 riops=300 wiops=301
		cgroup.max.depth=3
		${huge:+hugetlb.2MB.max=2097152
		hugetlb.2MB.rsvd.max=2097152}
	END
	# nothing is limited any more; what an idle cgroup has
	rt update --resources - "$ID" <<-END
		{"memory": {"limit": -1, "swap": -1, "reservation": -1}, "cpu": {"quota": -1, "idle": 1}, "pids": {"limit": -1},
		"unified": {"memory.high": "max", "cgroup.max.depth": "max", "io.max": "$dev rbps=max wbps=max riops=max wiops=max"}}
	END
	hold <<-END
		memory.max=max
		memory.swap.max=max
		memory.low=max
		memory.high=max
		cpu.max=max 300000
		cpu.idle=1
		pids.max=max
		io.max=
		cgroup.max.depth=max
	END
	rt delete --force "$ID"
	[ ! -e "$CG" ]
	echo "$dev enable=0" >/sys/fs/cgroup/io.cost.qos
}

@test "resources: each by create and by update, root" { each_resource root; }

@test "resources: each by create and by update, a user" {
	need_user_namespaces
	each_resource user
}

usage() { read -r _ usage <"$CG/cpu.stat"; }
uses() { # more than FROM
	usage
	[ "$usage" -gt "$1" ]
}

felt() { # root|user
	local before events
	prepare "$1" sh -c 'trap "exec sleep 1000" USR1; while :; do :; done'
	up '.linux.resources += {"memory": {"limit": 33554432, "swap": 33554432}, "pids": {"limit": 12},
		"cpu": {"quota": 50000, "period": 100000}}'
	usage
	wait_for 20 uses "$usage"
	# a frozen cgroup uses nothing
	rt pause "$ID"
	usage
	before=$usage
	sleep 1
	usage
	[ "$usage" -eq "$before" ] || fail "it used $((usage - before)) us while it was paused"
	rt resume "$ID"
	wait_for 20 uses "$before"
	# what follows has the cpu to itself
	rt kill "$ID" USR1
	# more memory than there may be
	rt events --interval 2s "$ID" >"$T/events" 3>&- &
	events=$!
	wait_for 60 test -s "$T/events"
	status=0
	rt exec "$ID" tail /dev/zero || status=$?
	[ "$status" -eq 137 ] || fail "status $status"
	wait_for 20 grep -q '"oom"' "$T/events"
	grep -q '^oom_kill [1-9]' "$CG/memory.events"
	# more processes than there may be
	rt exec -d "$ID" sh -c 'b() { b | b & }; b; sleep 1000' </dev/null >/dev/null 2>&1 3>&-
	wait_for 20 grep -q '^max [1-9]' "$CG/pids.events"
	[ "$(<"$CG/pids.current")" -le 12 ]
	rt delete --force "$ID"
	[ ! -e "$CG" ]
	wait "$events"
}

@test "resources: paused it stands still; killed for want of memory, and told; a fork bomb ends; root" { felt root; }

@test "resources: paused it stands still; killed for want of memory, and told; a fork bomb ends; a user" {
	need_user_namespaces
	felt user
}

@test "resources: a container starts within 1 MiB of memory" {
	prepare root echo ran
	edit '.linux.resources += {"memory": {"limit": 1048576, "swap": 1048576}}'
	[ "$BOCK_VM_MODE" != systemd ] || edit --arg p "bock-test.slice:bock:$ID" '.linux.cgroupsPath = $p'
	run --separate-stderr bock_runc "${GLOBAL[@]}" run -b "$B" "$ID"
	assert_ok ran
	detached "${GLOBAL[@]}" create -b "$B" "$ID"
	assert_ok ""
	hold <<<"memory.max=1048576"
	[ ! -e "$CG/memory.peak" ] || [ "$(<"$CG/memory.peak")" -le 1048576 ]
	grep -q '^oom_kill 0$' "$CG/memory.events"
	bock_runc start "$ID"
	wait_for 20 is stopped
	bock_runc delete "$ID"
	assert_no_leftovers
}
