# SPDX-License-Identifier: Apache-2.0
# cgroup v2: where a container is, what is made and taken away, device rules, limits. On a host where v1
# has the controllers, and with cgroup2 on /sys/fs/cgroup.

setup() {
	load ../helpers/runc
	runc_setup
	need_cgroup2
	CG=$(cgroup2_path)
}
teardown() { common_teardown; }

cgroup_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }

@test "cgroup: the container's own, named by its id, there from its first moment to its deletion" {
	sleeper
	detached create -b "$B" "$ID"
	assert_ok ""
	pid=$(pid_of)
	[ "$(cgroup_of "$pid")" = "/$ID" ]
	[ "$(cat "$CG/$ID/cgroup.procs")" = "$pid" ]
	bock_runc delete "$ID"
	[ ! -e "$CG/$ID" ]
	assert_no_leftovers
}

@test "cgroup: cgroupsPath, absolute and relative, nested; only what was made is removed" {
	sleeper
	mkdir "$CG/$ID-there"
	for path in "/$ID-there/a/b" "/$ID-new/x/y" "$ID-rel"; do
		edit --arg p "$path" '.linux.cgroupsPath = $p'
		detached run -d -b "$B" "$ID"
		assert_ok ""
		[[ $(cgroup_of "$(pid_of)") == */"${path#/}" ]] || fail "$path: $(cgroup_of "$(pid_of)")"
		bock_runc delete -f "$ID"
	done
	[ -d "$CG/$ID-there" ]
	[ ! -e "$CG/$ID-there/a" ]
	rmdir "$CG/$ID-there"
	assert_no_leftovers
}

@test "cgroup: one of its own below the container's, which the container may fill; bad names are refused" {
	sleeper
	edit '.annotations = {"run.oci.delegate-cgroup": "payload"} | .mounts = [.mounts[] | if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end]'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	[ "$(cgroup_of "$(pid_of)")" = "/$ID/payload" ]
	[ -z "$(<"$CG/$ID/cgroup.procs")" ]
	# the namespace has the container's for its root
	bock_runc exec "$ID" sh -c 'mkdir /sys/fs/cgroup/payload/one && echo $$ >/sys/fs/cgroup/payload/one/cgroup.procs &&
		grep -qx 0::/payload/one /proc/self/cgroup'
	[ "$(bock_runc ps -f json "$ID" | jq length)" = 2 ]
	bock_runc pause "$ID"
	assert_is paused
	bock_runc resume "$ID"
	bock_runc delete -f "$ID"
	assert_no_leftovers
	edit '.annotations = {"run.oci.delegate-cgroup": "../x"}'
	run_it
	assert_error "annotation 'run.oci.delegate-cgroup': '../x' can't be the name of a cgroup"
	assert_no_leftovers
}

@test "cgroup: one with processes in it is refused, and they live on" {
	sleeper
	mkdir "$CG/$ID"
	sleep 1000 3>&- &
	other=$!
	echo "$other" >"$CG/$ID/cgroup.procs"
	run_it
	[ "$status" -eq 1 ] || fail "ran in a cgroup that is not empty"
	[[ $stderr == *cgroup* ]]
	kill -0 "$other"
	kill "$other"
	wait "$other" || :
	wait_for 5 rmdir "$CG/$ID"
	assert_no_leftovers
}

@test "cgroup: a path with .. does not lead out of the hierarchy" {
	sleeper
	for path in "/../../$ID-up" "a/../../../$ID-up"; do
		edit --arg p "$path" '.linux.cgroupsPath = $p'
		detached create -b "$B" "$ID"
		if [ "$status" -eq 0 ]; then
			[[ $(cgroup_of "$(pid_of)") == */"$ID-up" ]]
			[[ $(cgroup_of "$(pid_of)") != *..* ]]
			bock_runc delete -f "$ID"
		else
			assert_error cgroup
		fi
	done
	assert_no_leftovers
}

@test "cgroup: in its own cgroup namespace the container sees itself as the root" {
	bundle
	inside 'cat /proc/self/cgroup | grep ^0::'
	[ "$output" = "0::/" ]
	edit 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	inside 'cat /proc/self/cgroup | grep ^0::'
	[ "$output" = "0::/$ID" ]
}

@test "cgroup: with cgroup2 on /sys/fs/cgroup" {
	sleeper
	export STATE B ID BOCK_RUNC
	run --separate-stderr unshare -m --propagation private bash -ec '
		umount -R /sys/fs/cgroup
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		"$BOCK_RUNC" --root "$STATE" create -b "$B" "$ID" >/dev/null 2>&1 </dev/null 3>&-
		ls -d "/sys/fs/cgroup/$ID"
		"$BOCK_RUNC" --root "$STATE" delete --force "$ID"
		ls -d "/sys/fs/cgroup/$ID" 2>/dev/null || echo gone'
	assert_ok "/sys/fs/cgroup/$ID
gone"
	assert_no_leftovers
}

@test "cgroup: a limit whose controller v2 does not hold is refused by name" {
	grep -qw pids "$CG/cgroup.controllers" && skip "v2 holds the pids controller ($CG/cgroup.controllers)"
	bundle true
	refused '.linux.resources.pids = {"limit": 100}' pids
	refused '.linux.resources.memory = {"limit": 100000000}' memory
	refused '.linux.resources.cpu = {"shares": 100}' cpu
}

@test "cgroup: what a cgroup has anyway needs no controller (containerd asks everyone for 1024 shares)" {
	bundle true
	edit '.linux.resources.cpu = {"shares": 1024}'
	run_it
	assert_ok ""
}

@test "cgroup: a pids.limit of 0 is none in documents before version 1.3, where it is a limit" {
	bundle true
	edit '.linux.resources.pids.limit = 0'
	# as before the clone, so that it does not matter who has the controller
	for version in 1.0.0 1.0.2-dev 1.1.0 1.2.1; do
		edit ".ociVersion = \"$version\""
		bock_runc run --dry-run -b "$B" "$ID" >"$T/plan"
		! grep pids.max "$T/plan" || fail "$version"
	done
	for version in 1.3.0 1.10.0 1.20.0; do
		edit ".ociVersion = \"$version\""
		run bock_runc run --dry-run -b "$B" "$ID"
		assert_output -p pids
	done
}

@test "cgroup: a limit is written" {
	need_controller hugetlb
	bundle sh -c 'cat /sys/fs/cgroup/hugetlb.2MB.max'
	[ -e "/sys/kernel/mm/hugepages/hugepages-2048kB" ] || skip "no 2 MB pages (/sys/kernel/mm/hugepages)"
	edit '.linux.resources.hugepageLimits = [{"pageSize": "2MB", "limit": 4194304}]'
	run_it
	assert_ok 4194304
	refused '.linux.resources.hugepageLimits[0].pageSize = "3MB"' 3MB
}

@test "device rules: what is denied can't be opened, the defaults can" {
	bundle
	edit '.linux.devices = [{"type": "b", "path": "/dev/blk", "major": 7, "minor": 0},
		{"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11}]'
	inside 'for d in null zero full random urandom; do head -c 0 /dev/$d && echo $d; done
		head -c 0 /dev/blk 2>&1; head -c 0 /dev/kmsg 2>&1; echo x >/dev/null && echo written; :'
	[[ $output == *"null
zero
full
random
urandom"* ]]
	[[ $output == *"/dev/blk: Operation not permitted"* ]]
	[[ $output == *"/dev/kmsg: Operation not permitted"* ]]
	[[ $output == *written ]]
}

@test "device rules: the last that speaks about an access wins, for reading and writing apart" {
	bundle
	# 1:200 is nothing: who may open it is told so
	edit '.linux.devices = [{"type": "c", "path": "/dev/x", "major": 1, "minor": 200}] |
		.linux.resources.devices += [{"allow": true, "type": "c", "major": 1, "minor": 200, "access": "r"}]'
	inside '(exec 5</dev/x) 2>&1; (exec 5>/dev/x) 2>&1; :'
	[[ ${lines[0]} == *"No such device"* ]]
	[[ ${lines[1]} == *"not permitted"* ]]
	edit '.linux.resources.devices += [{"allow": false, "type": "c", "major": 1, "access": "rwm"}]'
	inside '(exec 5</dev/x) 2>&1; head -c 1 /dev/zero | wc -c'
	[[ ${lines[0]} == *"not permitted"* ]]
	[ "${lines[1]}" = 1 ] # the defaults come last
	edit '.linux.resources.devices = [{"allow": true, "access": "rwm"}]'
	inside '(exec 5>/dev/x) 2>&1; :'
	[[ $output == *"No such device"* ]]
}

@test "device rules: making a node is not opening it" {
	bundle
	edit '.process.capabilities |= map_values(. + ["CAP_MKNOD"])'
	inside 'mknod /tmp/blk b 7 1 && echo made; head -c 0 /tmp/blk 2>&1; :'
	[ "${lines[0]}" = made ]
	[[ ${lines[1]} == *"not permitted"* ]]
	edit '.linux.resources.devices = [{"allow": false, "access": "rwm"}]'
	refused '.linux.resources.devices = [{"allow": true, "type": "x", "access": "r"}]' 'linux.resources.devices[0].type'
	refused '.linux.resources.devices = [{"allow": true, "access": "z"}]' 'linux.resources.devices[0].access'
}
