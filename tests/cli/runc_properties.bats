# SPDX-License-Identifier: Apache-2.0
# Each property of config.json, seen from inside the container and from outside: namespaces, ids, users,
# capabilities, limits, names, the program's surroundings. Mounts and devices are in runc_mounts.bats,
# hooks and cgroups in runc_hooks.bats, seccomp and terminals in files of their own.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { user_teardown; common_teardown; }

ns_of() { readlink "/proc/$1/ns/$2"; }

# The eight namespaces: what /proc calls each, by what config.json calls it.
declare -gA proc_name=([pid]=pid [network]=net [ipc]=ipc [uts]=uts [mount]=mnt [cgroup]=cgroup [user]=user [time]=time)

map_filter='.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
	.linux.gidMappings = .linux.uidMappings'

# ---- namespaces ----------------------------------------------------------------------------------

@test "namespaces: all eight new" {
	sleeper
	open_path
	edit "$map_filter"' | .linux.namespaces += [{"type": "user"}, {"type": "time"}]'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	pid=$(pid_of)
	for type in "${!proc_name[@]}"; do
		[ "$(ns_of "$pid" "${proc_name[$type]}")" != "$(ns_of self "${proc_name[$type]}")" ] ||
			fail "$type is the host's"
	done
	bock_runc delete -f "$ID"
	assert_no_leftovers
}

@test "namespaces: what is not listed is the runtime's" {
	sleeper
	edit '.linux.namespaces = [{"type": "mount"}] | del(.hostname) | .mounts |= map(select(.type != "sysfs" and .type != "mqueue"))'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	pid=$(pid_of)
	for type in pid network ipc uts cgroup user time; do
		[ "$(ns_of "$pid" "${proc_name[$type]}")" = "$(ns_of self "${proc_name[$type]}")" ] ||
			fail "$type is not the host's"
	done
	[ "$(ns_of "$pid" mnt)" != "$(ns_of self mnt)" ]
}

@test "namespaces: each joined by path, alone" {
	sleeper
	edit '.linux.namespaces += [{"type": "time"}]'
	detached create -b "$B" "$ID-donor"
	assert_ok ""
	donor=$(bock_runc state "$ID-donor" | jq .pid)
	for type in pid network ipc uts cgroup time; do
		edit --arg t "$type" --arg p "/proc/$donor/ns/${proc_name[$type]}" '.linux.namespaces |=
			map(del(.path)) + [] | .linux.namespaces |= map(if .type == $t then .path = $p else . end)'
		detached create -b "$B" "$ID"
		assert_ok ""
		pid=$(pid_of)
		for other in pid network ipc uts cgroup time; do
			if [ "$other" = "$type" ]; then
				[ "$(ns_of "$pid" "${proc_name[$other]}")" = "$(ns_of "$donor" "${proc_name[$other]}")" ] ||
					fail "$type was not joined"
			else
				[ "$(ns_of "$pid" "${proc_name[$other]}")" != "$(ns_of "$donor" "${proc_name[$other]}")" ] ||
					fail "with $type, $other was joined too"
			fi
		done
		bock_runc delete -f "$ID"
	done
	bock_runc delete -f "$ID-donor"
	assert_no_leftovers
}

@test "namespaces: a joined pid namespace shows the other container's processes" {
	sleeper
	detached run -d -b "$B" "$ID-donor"
	donor=$(bock_runc state "$ID-donor" | jq .pid)
	edit --arg p "/proc/$donor/ns/pid" '.linux.namespaces |= map(if .type == "pid" then .path = $p else . end)'
	inside 'test $$ -gt 1 && ps'
	assert_output -p "$ID"
	[ "$(bock_runc state "$ID-donor" | jq -r .status)" = running ]
	bock_runc delete -f "$ID-donor"
	assert_no_leftovers
}

@test "namespaces: a mount namespace joined by path" {
	bundle sh -c 'readlink /proc/self/ns/mnt'
	unshare -m --propagation private sleep 1000 3>&- &
	donor=$!
	wait_for 5 test "$(ns_of self mnt)" != "$(ns_of $donor mnt)"
	edit --arg p "/proc/$donor/ns/mnt" '.linux.namespaces |= map(if .type == "mount" then .path = $p else . end)'
	want=$(ns_of $donor mnt)
	run_it
	kill "$donor"
	assert_ok "$want"
	assert_no_leftovers
}

@test "namespaces: user joined by path, with network, ipc and uts of the same container" {
	sleeper
	open_path
	edit "$map_filter"' | .linux.namespaces += [{"type": "user"}]'
	detached run -d -b "$B" "$ID-donor"
	assert_ok ""
	donor=$(bock_runc state "$ID-donor" | jq .pid)
	edit --arg n "/proc/$donor/ns" '(.linux.namespaces[] | select(.type == "user")).path = $n + "/user" |
		(.linux.namespaces[] | select(.type == "network")).path = $n + "/net" |
		(.linux.namespaces[] | select(.type == "ipc")).path = $n + "/ipc" |
		(.linux.namespaces[] | select(.type == "uts")).path = $n + "/uts" |
		del(.linux.uidMappings, .linux.gidMappings)'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	pid=$(pid_of)
	for ns in user net ipc uts; do
		[ "$(ns_of "$pid" $ns)" = "$(ns_of "$donor" $ns)" ] || fail "$ns was not joined"
	done
	for ns in pid mnt cgroup; do
		[ "$(ns_of "$pid" $ns)" != "$(ns_of "$donor" $ns)" ] || fail "$ns was joined"
	done
	[ "$(stat -c %u "/proc/$pid")" = 100000 ]
	bock_runc delete -f "$ID"
	bock_runc delete -f "$ID-donor"
	assert_no_leftovers
}

@test "namespaces: user new, network of the host's by path" {
	sleeper
	open_path
	unshare -n sleep 1000 3>&- &
	donor=$!
	wait_for 5 test "$(ns_of self net)" != "$(ns_of $donor net)"
	edit "$map_filter"' | .linux.namespaces += [{"type": "user"}] | .mounts |= map(select(.type != "sysfs" and .type != "cgroup"))'
	edit --arg p "/proc/$donor/ns/net" '(.linux.namespaces[] | select(.type == "network")).path = $p'
	detached run -d -b "$B" "$ID"
	same=$([ "$(ns_of "$(pid_of)" net)" = "$(ns_of "$donor" net)" ] && echo yes)
	kill "$donor"
	assert_ok ""
	[ "$same" = yes ]
}

@test "namespaces: offsets of the clocks" {
	bundle sh -c 'cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime'
	edit '.linux.namespaces += [{"type": "time"}] |
		.linux.timeOffsets = {"monotonic": {"secs": 86400, "nanosecs": 5}, "boottime": {"secs": 1000000}}'
	run_it
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^monotonic\ +86400\ +5$ ]]
	[[ ${lines[1]} =~ ^boottime\ +1000000\ +0$ ]]
	[ "${lines[2]}" -gt 1000000 ]
}

@test "namespaces: the loopback device of a new network namespace is up" {
	bundle ip addr show lo
	run_it
	assert_output -p '127.0.0.1/8'
	assert_output -p 'UP'
}

# ---- user namespaces and ids ---------------------------------------------------------------------

@test "ids: root of a mapped user namespace is 100000 outside" {
	bundle
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit "$map_filter"' | .linux.namespaces += [{"type": "user"}]'
	inside 'id -u; tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; touch /made; stat -c %u /bin; cat /proc/self/setgroups'
	[ "$output" = "0
 0 100000 65536
 0 100000 65536
0
allow" ]
	[ "$(stat -c %u:%g "$B/rootfs/made")" = 100000:100000 ]
	assert_no_leftovers
}

@test "ids: several lines, and a user of the container" {
	bundle
	open_path
	chmod 1777 "$B/rootfs/tmp"
	edit '.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 10}, {"containerID": 1000, "hostID": 200000, "size": 1}] |
		.linux.gidMappings = [{"containerID": 0, "hostID": 300000, "size": 2000}] | .linux.namespaces += [{"type": "user"}] |
		.process.user = {"uid": 1000, "gid": 7, "additionalGids": [8, 9]}'
	inside 'id -u; id -g; grep ^Groups: /proc/self/status | tr -s "\t" " "; touch /tmp/made'
	[ "$output" = "1000
7
Groups: 8 9 " ] || [ "$output" = "1000
7
Groups: 8 9" ]
	[ "$(stat -c %u:%g "$B/rootfs/tmp/made")" = 200000:300007 ]
}

@test "ids: maps that can't be" {
	bundle true
	edit "$map_filter"' | .linux.namespaces += [{"type": "user"}]'
	refused '.process.user.additionalGids = [5, 65536]' "process.user.additionalGids[1]: 65536 is not mapped by linux.gidMappings"
	refused '.linux.uidMappings[0].size = 0' 'linux.uidMappings[0].size: is 0'
	refused '.linux.uidMappings += .linux.uidMappings' 'linux.uidMappings[1]: overlaps with entry 0'
	refused '.linux.gidMappings[0].hostID = 4294967290' 'linux.gidMappings[0]: range ends above'
	refused '.process.user.uid = 70000' 'process.user.uid: 70000 is not mapped'
	refused 'del(.linux.uidMappings)' 'linux.uidMappings'
	refused 'del(.linux.namespaces[] | select(.type == "user"))' 'linux.uidMappings: needs a user namespace'
}

@test "rootless: the configuration of spec --rootless runs for an ordinary user" {
	user_setup
	user_bundle sh -c 'id -u; tr -s " " </proc/self/uid_map; cat /proc/self/setgroups; touch /made; hostname; cat /dev/null && echo dev'
	user_runs
	assert_ok "0
 0 $TEST_UID 1
deny
bock
dev"
	[ "$(stat -c %u "$B/rootfs/made")" = "$TEST_UID" ]
	assert_no_leftovers
}

@test "rootless: more than one line of ids, by newuidmap" {
	need_cmd newuidmap uidmap
	user_setup
	user_bundle sh -c 'tr -s " " </proc/self/uid_map; touch /tmp/made; chown 5:5 /tmp/made; id -G'
	chmod 1777 "$B/rootfs/tmp"
	edit --argjson uid "$TEST_UID" --argjson gid "$(id -g "$TEST_USER")" --argjson sub "$TEST_SUBUID" '
		.linux.uidMappings = [{"containerID": 0, "hostID": $uid, "size": 1}, {"containerID": 1, "hostID": $sub, "size": 1000}] |
		.linux.gidMappings = [{"containerID": 0, "hostID": $gid, "size": 1}, {"containerID": 1, "hostID": $sub, "size": 1000}] |
		.process.capabilities.effective += ["CAP_CHOWN"] | .process.capabilities.permitted += ["CAP_CHOWN"] |
		.process.capabilities.bounding += ["CAP_CHOWN"] | .process.user.additionalGids = [5]'
	user_runs
	assert_ok " 0 $TEST_UID 1
 1 $TEST_SUBUID 1000
0 5"
	[ "$(stat -c %u "$B/rootfs/tmp/made")" = $((TEST_SUBUID + 4)) ]
	assert_no_leftovers
}

@test "rootless: create, state, kill and delete; the state folder is the user's" {
	user_setup
	user_bundle sh -c 'sleep 1000 & wait' "$ID"
	as_user "$BOCK_RUNC" create -b "$B" "$ID" </dev/null >"$T/out" 2>&1 3>&-
	as_user "$BOCK_RUNC" start "$ID"
	[ "$(as_user "$BOCK_RUNC" state "$ID" | jq -r .status)" = running ]
	[ -d "$USER_DIR/xdg/bock-runc/$ID" ]
	[ "$(as_user "$BOCK_RUNC" list | awk -v id="$ID" '$1 == id { print $NF }')" = "$TEST_USER" ]
	as_user "$BOCK_RUNC" kill "$ID" KILL
	stopped() { [ "$(as_user "$BOCK_RUNC" state "$ID" | jq -r .status)" = stopped ]; }
	wait_for 5 stopped
	as_user "$BOCK_RUNC" delete "$ID"
	assert_no_leftovers
}

@test "rootless: what a user may not have is refused in words" {
	user_setup
	user_bundle true
	edit '.process.user.additionalGids = [5]'
	user_runs
	assert_error 'process.user.additionalGids'
	edit 'del(.process.user.additionalGids) | .linux.resources.pids.limit = 5'
	user_runs
	[ "$status" -eq 1 ]
	[[ $stderr == *pids* || $stderr == *cgroup* ]]
	edit 'del(.linux.resources) | .linux.uidMappings[0].hostID = 0'
	user_runs
	assert_error 'linux.uidMappings'
	assert_no_leftovers
}

# ---- process.user --------------------------------------------------------------------------------

@test "user: uid, gid, additional groups, umask" {
	bundle
	chmod 777 "$B/rootfs"
	edit '.process.user = {"uid": 1234, "gid": 5678, "additionalGids": [11, 12, 4294967294], "umask": 55}'
	inside 'grep -E "^(Uid|Gid|Groups)" /proc/self/status | xargs; umask; touch /made; cat /proc/self/loginuid >/dev/null 2>&1 || :'
	[ "${lines[0]}" = "Uid: 1234 1234 1234 1234 Gid: 5678 5678 5678 5678 Groups: 11 12 4294967294" ]
	[ "${lines[1]}" = 0067 ]
	[ "$(stat -c %u:%g:%a "$B/rootfs/made")" = 1234:5678:600 ]
}

@test "user: without groups there are none; without umask it is the caller's" {
	bundle
	for mask in 0022 0077; do
		umask "$mask"
		inside 'grep ^Groups /proc/self/status | xargs; umask'
		[ "$output" = "Groups:
$mask" ] || fail "$output"
	done
}

@test "user: numbers that are no ids" {
	bundle true
	refused '.process.user.uid = 4294967295' 'process.user'
	refused '.process.user.uid = 4294967296' 'process.user.uid'
	refused '.process.user.gid = -1' 'process.user.gid'
	refused '.process.user.uid = 1.5' 'process.user.uid'
	refused '.process.user.uid = "root"' 'process.user.uid'
	refused '.process.user.umask = 512' 'process.user.umask'
}

# ---- capabilities --------------------------------------------------------------------------------

caps_of() { grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' <<<"$output" | tr -d '\t'; }

@test "capabilities: all five sets, for root and for a user" {
	bundle
	# AUDIT_WRITE 29, KILL 5, NET_RAW 13, CHOWN 0
	edit '.process.capabilities = {"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_AUDIT_WRITE"],
		"permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"], "effective": ["CAP_CHOWN", "CAP_KILL"],
		"inheritable": ["CAP_KILL", "CAP_NET_RAW"], "ambient": ["CAP_KILL"]} | .process.noNewPrivileges = false'
	edit '.process.user = {"uid": 1000, "gid": 1000}'
	args cat /proc/self/status
	run_it
	# after execve a user's permitted and effective are the ambient
	[ "$(caps_of)" = "CapInh:0000000000002020
CapPrm:0000000000000020
CapEff:0000000000000020
CapBnd:0000000020002021
CapAmb:0000000000000020" ] || fail "$(caps_of)"
	edit '.process.user = {"uid": 0, "gid": 0} | .process.capabilities.inheritable = [] | .process.capabilities.ambient = []'
	run_it
	# root's are what is bounding
	[ "$(caps_of)" = "CapInh:0000000000000000
CapPrm:0000000020002021
CapEff:0000000020002021
CapBnd:0000000020002021
CapAmb:0000000000000000" ] || fail "$(caps_of)"
}

@test "capabilities: empty sets leave nothing, to root neither" {
	bundle cat /proc/self/status
	edit '.process.capabilities = {}'
	run_it
	for set in Inh Prm Eff Bnd Amb; do
		grep -q "^Cap$set:"$'\t'"0000000000000000" <<<"$output" || fail "$(caps_of)"
	done
	args chown 1:1 /etc/passwd
	run_it
	[ "$status" -ne 0 ]
	[[ $stderr == *"not permitted"* ]]
}

@test "capabilities: an unknown name is a warning, no error" {
	bundle echo ran
	edit '.process.capabilities.bounding += ["CAP_NOSUCH"]'
	run_it
	[ "$status" -eq 0 ]
	[ "$output" = ran ]
	[[ $stderr == *CAP_NOSUCH* ]]
}

@test "capabilities: what the runtime lacks itself is a warning, no error; in exec too" {
	bundle grep Cap /proc/self/status
	edit '.process.capabilities |= map_values(. + ["CAP_SYSLOG"])'
	run --separate-stderr setpriv --bounding-set=-syslog "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	[[ $stderr == *"process.capabilities: CAP_SYSLOG can't be granted here and is left out"* ]]
	[ "$(caps_of)" = "CapInh:0000000000000000
CapPrm:0000000020000420
CapEff:0000000020000420
CapBnd:0000000020000420
CapAmb:0000000000000000" ] || fail "$(caps_of)"
	args sleep 1000
	edit '.process.capabilities |= map_values(. - ["CAP_SYSLOG"])'
	detached run -d -b "$B" "$ID"
	jq '.process | .args = ["grep", "Cap", "/proc/self/status"] | .capabilities |= map_values(. + ["CAP_SYSLOG", "CAP_X"])' \
		"$B/config.json" >"$T/process.json"
	run --separate-stderr setpriv --bounding-set=-syslog "$BOCK_RUNC" --root "$STATE" exec -p "$T/process.json" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	[[ $stderr == *"CAP_SYSLOG can't be granted here"* ]]
	[[ $stderr == *"'CAP_X' is unknown and ignored"* ]]
	bock_runc delete -f "$ID"
	assert_no_leftovers
}

@test "capabilities: no new privileges, and without" {
	bundle grep NoNewPrivs /proc/self/status
	run_it
	assert_ok "NoNewPrivs:	1"
	edit '.process.noNewPrivileges = false'
	run_it
	assert_ok "NoNewPrivs:	0"
	edit 'del(.process.noNewPrivileges)'
	run_it
	assert_ok "NoNewPrivs:	0"
}

# ---- limits, names, sysctl -----------------------------------------------------------------------

@test "rlimits: each, soft and hard" {
	bundle cat /proc/self/limits
	edit '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
		{"type": "RLIMIT_CPU", "soft": 300, "hard": 400}, {"type": "RLIMIT_STACK", "soft": 1048576, "hard": 2097152}]'
	sed -i 's/\<400\>/18446744073709551615/' "$B/config.json" # jq counts in floating point
	run_it
	assert_ok "$output"
	tr -s ' ' <<<"$output" >"$T/limits"
	grep -qx 'Max open files 100 200 files ' "$T/limits"
	grep -qx 'Max core file size 0 0 bytes ' "$T/limits"
	grep -qx 'Max cpu time 300 unlimited seconds ' "$T/limits"
	grep -qx 'Max stack size 1048576 2097152 bytes ' "$T/limits"
}

@test "rlimits: fewer open files than the runtime needs are the program's alone" {
	bundle sh -c 'ulimit -n'
	edit '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 16, "hard": 16}]'
	run_it
	assert_ok 16
}

@test "rlimits: unknown, twice, soft above hard" {
	bundle true
	refused '.process.rlimits[0].type = "RLIMIT_NOSUCH"' "process.rlimits[0].type: 'RLIMIT_NOSUCH' is unknown"
	refused '.process.rlimits += .process.rlimits' "process.rlimits[1].type: 'RLIMIT_NOFILE' is there twice"
	refused '.process.rlimits[0].soft = 2000' 'process.rlimits[0]: soft is above hard'
}

@test "names: host name and domain name, in a uts namespace only" {
	bundle
	edit '.hostname = "alpha" | .domainname = "beta.example"'
	inside 'hostname; cat /proc/sys/kernel/domainname'
	[ "$output" = "alpha
beta.example" ]
	[ "$(hostname)" != alpha ]
	refused 'del(.linux.namespaces[] | select(.type == "uts"))' 'unable to set hostname without a private UTS namespace'
	refused 'del(.hostname) | del(.linux.namespaces[] | select(.type == "uts"))' 'domainname'
	refused '.hostname = "'"$(printf 'x%.0s' {1..65})"'"' 'hostname'
}

@test "sysctl: of the container's namespaces, with either separator" {
	bundle
	edit '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/ip_default_ttl": "77", "kernel.shmmax": "123456",
		"fs.mqueue.msg_max": "9", "kernel.domainname": "d.example"}'
	inside 'cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/ip_default_ttl kernel/shmmax fs/mqueue/msg_max kernel/domainname'
	[ "${lines[*]}" = "1 77 123456 9 d.example" ]
}

@test "sysctl: what belongs to the host is refused" {
	bundle true
	before=$(cat /proc/sys/kernel/core_pattern)
	refused '.linux.sysctl = {"kernel.core_pattern": "x"}' "'kernel.core_pattern' is not in a separate kernel namespace"
	refused '.linux.sysctl = {"vm.swappiness": "1"}' "'vm.swappiness' is not in a separate"
	refused '.linux.sysctl = {"kernel.hostname": "x"}' "kernel.hostname"
	refused '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | del(.linux.namespaces[] | select(.type == "network"))' 'network'
	refused '.linux.sysctl = {"kernel.shmmax": "1"} | del(.linux.namespaces[] | select(.type == "ipc"))' 'ipc'
	refused '.linux.sysctl = {"net/../kernel/core_pattern": "x"}' 'linux.sysctl'
	refused '.linux.sysctl = {"net/ipv4/no_such_thing": "1"}' 'net/ipv4/no_such_thing'
	refused '.linux.sysctl = {"net.ipv4.ip_forward": "notanumber"}' 'linux.sysctl'
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$before" ]
}

@test "oomScoreAdj: set, and left alone when absent" {
	bundle cat /proc/self/oom_score_adj
	edit '.process.oomScoreAdj = 321'
	run_it
	assert_ok 321
	edit 'del(.process.oomScoreAdj)'
	run_it
	assert_ok "$(cat /proc/self/oom_score_adj)"
	refused '.process.oomScoreAdj = 1001' 'process.oomScoreAdj'
}

# ---- the program's surroundings ------------------------------------------------------------------

@test "cwd: entered, made where it is missing, refused where it can't be" {
	bundle
	edit '.process.cwd = "/etc"'
	inside 'pwd -P'
	[ "$output" = /etc ]
	edit '.process.cwd = "/new/deep/dir"'
	inside 'pwd -P'
	[ "$output" = /new/deep/dir ]
	[ "$(stat -c %a "$B/rootfs/new/deep/dir")" = 755 ]
	refused '.process.cwd = "relative"' 'process.cwd'
	refused '.process.cwd = ""' 'process.cwd'
	refused '.process.cwd = "/etc/passwd"' '/etc/passwd'
	ln -s /etc "$B/rootfs/link"
	edit '.process.cwd = "/link"'
	inside 'pwd -P'
	[ "$output" = /etc ]
}

@test "cwd: a descriptor of the host's is no way out (CVE-2024-21626)" {
	bundle sh -c 'pwd -P; ls'
	for n in 3 4 5 6 7 8 9 10 11 12; do
		edit --arg n "/proc/self/fd/$n" '.process.cwd = $n'
		run --separate-stderr bock_runc run -b "$B" "$ID"
		[ "$status" -eq 1 ] || [[ $output != *"$(basename "$BATS_TEST_TMPDIR")"* ]] || fail "fd $n: $output"
		[ "$status" -eq 1 ] || fail "fd $n: $output"
		[ -n "$stderr" ]
	done
	assert_no_leftovers
}

@test "env: as given and nothing else, the last of duplicates, HOME from passwd" {
	bundle env
	edit '.process.env = ["PATH=/bin", "A=1", "B=x y=z", "A=2", "EMPTY="]'
	BOCK_TEST_LEAK=1 run_it
	assert_ok "$(sort <<<"$output" >/dev/null; echo "$output")"
	[ "$(sort <<<"$output")" = "A=2
B=x y=z
EMPTY=
HOME=/root
PATH=/bin" ]
	edit '.process.user.uid = 65534'
	run_it
	assert_output -p 'HOME=/'
	edit '.process.user.uid = 4242'
	run_it
	assert_output -p 'HOME=/'
	edit '.process.env += ["HOME=/mine"]'
	run_it
	assert_output -p 'HOME=/mine'
	edit '.process.env = ["PATH=/bin", "HOME="] | .process.user.uid = 0'
	run_it
	assert_output -p 'HOME=/root'
}

@test "env: what is no assignment is refused" {
	bundle true
	refused '.process.env = ["A=1", "B"]' "process.env[1]: invalid environment variable: missing '='"
	refused '.process.env = ["=1"]' "process.env[0]: invalid environment variable: name cannot be empty"
}

@test "user: as many additional groups as the kernel takes" {
	bundle sh -c 'grep ^Groups /proc/self/status | wc -w'
	edit '.process.user.additionalGids = [range(1; 5001)]'
	run_it
	assert_ok 5001
	refused '.process.user.additionalGids = [range(1; 65538)]' "process.user.additionalGids: 65537 groups, at most 65536"
}

@test "env: a hostile passwd gives no HOME of its choice to another user" {
	bundle env
	printf 'x:0000:\nroot:x:0:0:\n:::::\n%s\nroot:x:0:0:root:/second:/bin/sh\n' "$(printf 'y%.0s' {1..5000})" >"$B/rootfs/etc/passwd"
	run_it
	[ "$status" -eq 0 ]
	ln -sf /proc/self/environ "$B/rootfs/etc/passwd"
	run_it
	[ "$status" -eq 0 ]
	mkfifo "$T/fifo"
	rm "$B/rootfs/etc/passwd"
	mkfifo "$B/rootfs/etc/passwd"
	run --separate-stderr timeout 10 "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[ "$status" -ne 124 ] || fail "a fifo as /etc/passwd blocks"
	assert_no_leftovers
}

@test "args: as given, with white space and an empty one" {
	bundle sh -c 'printf "<%s>" "$@"' zero one 'two  three' '' $'new\nline' '*'
	run_it
	assert_ok "<one><two  three><><new
line><*>"
	refused '.process.args = []' 'process.args'
	refused 'del(.process.args)' 'process.args'
}

@test "stdio: belongs to the user of the container" {
	bundle sh -c 'echo through >/dev/stdout; echo err >/proc/self/fd/2'
	edit '.process.user = {"uid": 1000, "gid": 1000}'
	run --separate-stderr bash -c '"$@" | cat' - "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[ "$output" = through ]
	[ "$stderr" = err ]
}

@test "version: 1.x.y runs, others are refused; unknown members are ignored" {
	bundle echo ran
	for version in 1.0.0 1.0.2-dev 1.3.0 1.99.0; do
		edit --arg v "$version" '.ociVersion = $v | .nosuch = {"a": [1]} | .linux.nosuch = 3 | .process.nosuch = null'
		run_it
		assert_ok ran
	done
	for version in 2.0.0 0.9.0 1 1.x '' 1.0; do
		refused ".ociVersion = \"$version\"" ociVersion
	done
	refused 'del(.ociVersion)' ociVersion
}

@test "unsupported: each by its name, before anything is made" {
	bundle true
	refused 'del(.process)' process
	refused 'del(.linux)' linux
	refused '.linux.resources.network = {"classID": 1}' network.classID
	refused '.linux.resources.network = {"priorities": [{"name": "eth0", "priority": 1}]}' network.priorities
	refused '.linux.resources.cpu = {"realtimeRuntime": 5}' cpu.realtimeRuntime
	refused '.linux.resources.memory = {"swappiness": 10}' memory.swappiness
	refused '.linux.resources.blockIO = {"leafWeight": 10}' blockIO.leafWeight
	refused '.linux.personality = {"domain": "LINUX32", "flags": ["X"]}' linux.personality
}
