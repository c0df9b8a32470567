# SPDX-License-Identifier: Apache-2.0
# In the microVM with systemd: tests/vm/run --systemd bats tests/vm/systemd.bats. One bundle for all tests, and as
# few commands as they can do with: processes are dear in a guest.

setup_file() {
	load ../helpers/runc
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR runc_setup
	mkdir -p "$BATS_FILE_TMPDIR/b"
	bundle_make "$BATS_FILE_TMPDIR/b" sleep 1000
	cp "$BATS_FILE_TMPDIR/b/config.json" "$BATS_FILE_TMPDIR/b/config.json.orig"
}

setup() {
	load ../helpers/runc
	[ "${BOCK_VM_MODE-}" = systemd ] || skip "not in the microVM with systemd (\$BOCK_VM_MODE is not 'systemd')"
	runc_setup
	HELPER=$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd
	[ -x "$HELPER" ] || skip "built without libsystemd"
	B=$BATS_FILE_TMPDIR/b
	UNIT=bock-$ID.scope
	CG=/sys/fs/cgroup/bock.slice/bock-test.slice/$UNIT
	cp "$B/config.json.orig" "$B/config.json"
	edit ".linux.cgroupsPath = \"bock-test.slice:bock:$ID\""
}

teardown() {
	if [ -n "${ID-}" ] && [ -d "$STATE/$ID" ]; then bock_runc delete --force "$ID"; fi
	common_teardown
}

# up [JQ-FILTER]: runs in the background
up() {
	[ $# -eq 0 ] || edit "$@"
	detached --systemd-cgroup run -d -b "$B" "$ID"
	assert_ok ""
}

# holds FILE TEXT: the kernel's file
holds() {
	local text
	text=$(<"$CG/$1")
	[ "$text" = "$2" ] || fail "$1 is '$text', expected '$2'"
}

# property NAME=VALUE...: as systemd has them
properties() {
	local want
	systemctl show "$UNIT" >"$T/show"
	for want; do
		grep -qxF "$want" "$T/show" || fail "not '$want' but '$(grep "^${want%%=*}=" "$T/show")'"
	done
}

gone() {
	[ ! -e "$CG" ] || fail "$CG is still there"
	[ -z "$(systemctl list-units --all --no-legend "$UNIT")" ] || fail "$UNIT is still there"
}

@test "systemd: a scope with its limits as properties and in the kernel's files; update; daemon-reload; delete" {
	up '.linux.resources = {
			"memory": {"limit": 67108864, "swap": 134217728, "reservation": 33554432},
			"cpu": {"quota": 25000, "period": 100000, "shares": 512, "cpus": "0-1", "burst": 1000},
			"pids": {"limit": 44},
			"unified": {"memory.high": "50331648", "io.weight": "default 77"}}
		| .annotations = {"org.systemd.property.TimeoutStopSec": "7"}'
	holds memory.max 67108864
	holds memory.swap.max 67108864
	holds memory.low 33554432
	holds memory.high 50331648
	holds cpu.max '25000 100000'
	holds cpu.max.burst 1000
	holds cpu.weight 59
	holds cpuset.cpus 0-1
	holds pids.max 44
	holds io.weight 'default 77'
	properties "ControlGroup=/bock.slice/bock-test.slice/$UNIT" Slice=bock-test.slice Delegate=yes \
		DefaultDependencies=no MemoryMax=67108864 MemorySwapMax=67108864 MemoryLow=33554432 \
		MemoryHigh=50331648 CPUQuotaPerSecUSec=250ms CPUWeight=59 AllowedCPUs=0-1 TasksMax=44 IOWeight=77 \
		TimeoutStopUSec=7s "Description=bock-runc container $ID, process $(pid_of)"
	[ "$(<"$CG/cgroup.procs")" = "$(pid_of)" ]
	[ "$("$HELPER" where "$UNIT")" = "/bock.slice/bock-test.slice/$UNIT" ]

	bock_runc update --pids-limit 55 --memory 83886080 --memory-swap 167772160 --cpu-quota 33333 --cpuset-cpus 1 "$ID"
	holds memory.max 83886080
	holds memory.swap.max 83886080
	holds cpu.max '33333 100000' # systemd would have it rounded
	holds cpuset.cpus 1
	holds pids.max 55
	properties MemoryMax=83886080 CPUQuotaPerSecUSec=340ms TasksMax=55 AllowedCPUs=1

	# what is in no property, too, and all or nothing
	run --separate-stderr bock_runc update --resources - "$ID" \
		<<<'{"pids": {"limit": 66}, "unified": {"memory.max": "nonsense"}}'
	assert_error "memory.max"
	holds pids.max 55
	properties TasksMax=55

	systemctl daemon-reload
	holds memory.max 83886080
	holds pids.max 55
	holds cpuset.cpus 1
	holds cpu.max.burst 1000

	bock_runc delete --force "$ID"
	gone
}

@test "systemd: a cgroup of the container's below the scope's, and one below that which it has to itself" {
	open_path
	up '.annotations = {"run.oci.systemd.subgroup": "inner", "run.oci.delegate-cgroup": "payload"}
		| .linux.resources = {"memory": {"limit": 67108864}, "unified": {"hugetlb.2MB.max": "4194304"}}
		| .linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .mounts = [.mounts[] | if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end]'
	holds memory.max 67108864
	holds inner/memory.max 67108864
	holds inner/hugetlb.2MB.max 4194304
	holds cgroup.procs ""
	holds inner/cgroup.procs ""
	holds inner/payload/cgroup.procs "$(pid_of)"
	holds inner/payload/memory.max max
	[ "$(jq -r .cgroup "$STATE/$ID/state.json")" = "${CG#/sys/fs/cgroup}/inner" ]
	[ "$(stat -c %u "$CG/inner" "$CG/inner/payload" "$CG/inner/payload/cgroup.procs" "$CG/inner/memory.max")" = "0
100000
100000
0" ]
	# root of its user namespace does there what it wants, and nothing to the limits
	bock_runc exec "$ID" sh -ec 'cd /sys/fs/cgroup; mkdir payload/one payload/two; for p in $(cat payload/cgroup.procs); do
		echo $p >payload/one/cgroup.procs || [ ! -d /proc/$p ]; done; echo +memory +pids >payload/cgroup.subtree_control
		echo 33 >payload/two/pids.max; echo 8388608 >payload/two/memory.max; ! echo max >memory.max'
	holds inner/payload/two/memory.max 8388608
	holds inner/payload/one/cgroup.procs "$(pid_of)"
	[ "$(bock_runc exec "$ID" cat /proc/self/cgroup)" = 0::/payload/one ]
	bock_runc update --memory 83886080 "$ID"
	holds memory.max 83886080
	holds inner/memory.max 83886080
	bock_runc pause "$ID"
	holds inner/cgroup.freeze 1
	bock_runc resume "$ID"
	systemctl daemon-reload
	holds inner/payload/one/cgroup.procs "$(pid_of)"
	bock_runc delete --force "$ID"
	gone
	edit '.annotations["run.oci.systemd.subgroup"] = "a/b"'
	run --separate-stderr bock_runc --systemd-cgroup run -b "$B" "$ID"
	assert_error "'a/b' can't be the name of a cgroup"
	gone
}

@test "systemd: exec, pause, resume, ps, events and kill, as with another cgroup" {
	up
	[ "$(bock_runc exec "$ID" cat /proc/self/cgroup)" = 0::/ ]
	bock_runc pause "$ID"
	assert_is paused
	holds cgroup.freeze 1
	bock_runc resume "$ID"
	assert_is running
	[ "$(bock_runc ps -f json "$ID")" = "[$(pid_of)]" ]
	bock_runc events --stats "$ID" | jq -e '.data.pids.current == 1' >/dev/null
	bock_runc kill "$ID" KILL
	wait_for 10 is stopped
	bock_runc delete "$ID"
	gone
}

@test "systemd: devices are denied and allowed, after a daemon-reload and after a live update of the rules, too" {
	local major
	major=$((0x$(stat -c %t /dev/vda)))
	up ".linux.resources.devices = [{\"allow\": false, \"access\": \"rwm\"}]
		| .linux.devices = [{\"path\": \"/dev/disk\", \"type\": \"b\", \"major\": $major, \"minor\": 0}]"
	denied() { run ! bock_runc exec "$ID" sh -c ': </dev/disk'; }
	allowed() { bock_runc exec "$ID" sh -c ': </dev/disk && : >/dev/null'; }
	denied
	systemctl daemon-reload
	denied
	bock_runc update --resources - "$ID" <<<"{\"devices\": [{\"allow\": false, \"access\": \"rwm\"},
		{\"allow\": true, \"type\": \"b\", \"major\": $major, \"minor\": 0, \"access\": \"r\"}]}"
	allowed
	systemctl daemon-reload
	allowed
	bock_runc update --resources - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
	denied
}

@test "systemd: a failed unit of the name is reset; one that lives is refused, and left alone" {
	systemd-run --quiet --unit="$UNIT" --scope -p RuntimeMaxSec=1 sleep 100 2>/dev/null || true
	wait_for 20 systemctl is-failed --quiet "$UNIT"
	up
	bock_runc delete --force "$ID"
	gone
	systemd-run --quiet --unit="$UNIT" --slice=bock-test.slice --scope sleep 100 2>/dev/null &
	wait_for 10 systemctl is-active --quiet "$UNIT"
	run --separate-stderr bock_runc --systemd-cgroup run -b "$B" "$ID"
	assert_error "cgroup: systemd: start unit '$UNIT'"
	[ ! -e "$STATE/$ID" ]
	systemctl is-active --quiet "$UNIT"
	[ -n "$(<"$CG/cgroup.procs")" ]
	systemctl kill --signal=KILL "$UNIT"
}

@test "systemd: a create that is killed at any moment leaves nothing when it is deleted" {
	local delay pid
	for delay in 0.1 0.3 0.5 0.7 0.9; do
		bock_runc --systemd-cgroup create -b "$B" "$ID" </dev/null >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "$delay"
		pkill -KILL -P "$pid" bock-runc 2>/dev/null || true
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		bock_runc delete --force "$ID"
		wait_for 10 gone
	done
}

# A helper that stops where $T/hold says, before or after what it does for "start" and "stop", until it is killed, or
# $T/hold has gone.
held_helper() {
	mkdir -p "$T/x/bock-runc" "$T/x/bock-runc-systemd"
	cp "$BOCK_RUNC" "$T/x/bock-runc/bock-runc"
	cat >"$T/x/bock-runc-systemd/bock-runc-systemd" <<-END
		#!/bin/bash
		hold() {
			[ "\$(cat $T/hold 2>/dev/null)" = "\$1" ] || return 0
			echo "\$\$" >$T/held.new && mv $T/held.new $T/held
			while [ -e $T/hold ]; do sleep 0.2; done
		}
		case " \$* " in
		*" start "*) step=start ;;
		*" stop "*) step=stop ;;
		esac
		hold "\$step-before"
		$HELPER "\$@"
		status=\$?
		hold "\$step-after"
		exit "\$status"
	END
	chmod +x "$T/x/bock-runc-systemd/bock-runc-systemd"
}

# killed STEP WHOM ARG...: `bock-runc ARG...`, which is killed (runtime), or whose helper is, or both, at that step
killed() {
	local pid
	rm -f "$T/held"
	echo "$1" >"$T/hold"
	"$T/x/bock-runc/bock-runc" --root "$STATE" "${@:3}" </dev/null >/dev/null 2>&1 3>&- &
	pid=$!
	wait_for 30 test -e "$T/held"
	case $2 in
	runtime) kill -KILL "$pid" ;;
	helper) kill -KILL "$(<"$T/held")" ;;
	both) kill -KILL "$pid" "$(<"$T/held")" ;;
	esac
	# who lives on goes on
	wait "$pid" 2>/dev/null || :
	rm -f "$T/hold"
}

@test "systemd: killed at a step of systemd's, with or without its helper, a create or a delete leaves nothing" {
	local whom step whoms="runtime helper both"
	held_helper
	for whom in $whoms; do
		for step in start-before start-after; do
			killed "$step" "$whom" --systemd-cgroup create -b "$B" "$ID"
			bock_runc delete --force "$ID"
			wait_for 20 gone
		done
	done
	for whom in $whoms; do
		for step in stop-before stop-after; do
			bock_runc --systemd-cgroup create -b "$B" "$ID" </dev/null >/dev/null 2>&1 3>&-
			killed "$step" "$whom" delete --force "$ID"
			bock_runc delete --force "$ID"
			wait_for 20 gone
		done
	done
}

@test "systemd: who is killed for want of memory leaves no failed unit" {
	edit '.linux.resources.memory = {"limit": 16777216, "swap": 16777216}'
	args sh -c 'x=$(cat /dev/zero | tr "\0" x)'
	run --separate-stderr bock_runc --systemd-cgroup run -b "$B" "$ID"
	[ "$status" -ne 0 ]
	wait_for 10 gone
}

@test "systemd: cgroupsPath unset, without a prefix, in the root slice; foreground, and its exit status" {
	args sh -c 'exit 7'
	edit 'del(.linux.cgroupsPath)'
	up '.process.args = ["sleep", "100"]'
	[ "$(jq -r .cgroup "$STATE/$ID/state.json")" = "/system.slice/bock-runc-$ID.scope" ]
	bock_runc delete --force "$ID"
	edit ".linux.cgroupsPath = \"-::$ID\""
	args sh -c 'exit 7'
	run bock_runc --cgroup-manager=systemd run -b "$B" "$ID"
	[ "$status" -eq 7 ]
	[ ! -e "/sys/fs/cgroup/$ID.scope" ]
}

@test "systemd: the user's own, by the user" {
	need_user_namespaces
	common_teardown
	user_setup
	systemctl start "user@$TEST_UID.service"
	# a user has the right to move processes within what the user's manager has
	session() {
		setpriv --reuid "$TEST_USER" --regid "$(id -g "$TEST_USER")" --init-groups \
			env XDG_RUNTIME_DIR="/run/user/$TEST_UID" systemd-run --user --wait --pipe --collect --quiet \
			--setenv=XDG_RUNTIME_DIR="/run/user/$TEST_UID" "$@"
	}
	user_bundle sleep 1000
	edit ".linux.cgroupsPath = \"user.slice:bock:$ID\" | .linux.resources = {\"memory\": {\"limit\": 67108864}, \"pids\": {\"limit\": 33}}"
	local user_root
	user_root=$(session "$HELPER" --user manager | cut -d' ' -f2)
	CG=/sys/fs/cgroup$user_root/user.slice/$UNIT
	session "$BOCK_RUNC" --root "$STATE" --systemd-cgroup create -b "$B" "$ID"
	holds memory.max 67108864
	holds pids.max 33
	session "$BOCK_RUNC" --root "$STATE" start "$ID"
	session "$BOCK_RUNC" --root "$STATE" update --pids-limit 44 "$ID"
	holds pids.max 44
	[ "$(session "$BOCK_RUNC" --root "$STATE" exec "$ID" cat /proc/self/cgroup)" = 0::/ ]
	# a service of the system's: from there the kernel lets a user move nothing, and systemd does
	outside() {
		systemd-run --uid="$TEST_USER" --wait --pipe --collect --quiet \
			--setenv=XDG_RUNTIME_DIR="/run/user/$TEST_UID" "$@"
	}
	[ "$(outside "$BOCK_RUNC" --root "$STATE" exec "$ID" cat /proc/self/cgroup)" = 0::/ ]
	session "$BOCK_RUNC" --root "$STATE" delete --force "$ID"
	[ ! -e "$CG" ]
	outside "$BOCK_RUNC" --root "$STATE" --systemd-cgroup create -b "$B" "$ID"
	holds pids.max 33
	outside "$BOCK_RUNC" --root "$STATE" delete --force "$ID"
	[ ! -e "$CG" ]
	edit '.annotations = {"run.oci.systemd.subgroup": "inner"}'
	outside "$BOCK_RUNC" --root "$STATE" --systemd-cgroup create -b "$B" "$ID"
	holds inner/pids.max 33
	outside "$BOCK_RUNC" --root "$STATE" start "$ID"
	[ "$(outside "$BOCK_RUNC" --root "$STATE" exec "$ID" cat /proc/self/cgroup)" = 0::/ ]
	outside "$BOCK_RUNC" --root "$STATE" delete --force "$ID"
	[ ! -e "$CG" ]
}

@test "systemd: podman with its systemd driver" {
	need_cmd podman
	cat >"$T/containers.conf" <<-END
		[engine]
		cgroup_manager = "systemd"
		events_logger = "file"
		runtime = "bock"
		[engine.runtimes]
		bock = ["$BOCK_RUNC"]
	END
	engine() {
		CONTAINERS_CONF=$T/containers.conf podman --root "$T/storage" --runroot "$T/runroot" \
			--storage-driver vfs "$@" 3>&-
	}
	local id
	id=$(engine run -d --memory 64m --pids-limit 50 --cpus 0.5 --network=none --rootfs "$B/rootfs" sleep 1000)
	UNIT=libpod-$id.scope
	CG=/sys/fs/cgroup/machine.slice/$UNIT
	holds memory.max 67108864
	holds cpu.max '50000 100000'
	properties MemoryMax=67108864 TasksMax=50 CPUQuotaPerSecUSec=500ms
	engine update --memory 80m "$id" >/dev/null
	holds memory.max 83886080
	properties MemoryMax=83886080
	engine rm -f -t 0 "$id" >/dev/null
	wait_for 10 gone
}
