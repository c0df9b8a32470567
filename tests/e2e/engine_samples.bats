# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # status and output are bats'; what containers expand
#
# config.json files as podman 4.3 and CRI-O 1.36 wrote them, where they lie beside the checkout
# (../shared/reference/engines/samples, or $ENGINE_SAMPLES): valid as they are, and run, with paths of this machine.

setup() {
	load ../helpers/runc
	runc_setup
	SAMPLES=${ENGINE_SAMPLES:-$TOP/../shared/reference/engines/samples}
	[ -d "$SAMPLES" ] || skip "no samples of engines in $SAMPLES"
}
teardown() {
	common_teardown
	[ -z "${HOLDER-}" ] || kill "$HOLDER" 2>/dev/null || :
}

# adapt SAMPLE COMMAND...: $B is a bundle of it. Paths, and what it runs, are this machine's. Limits go where cgroup v2
# does not hold their controller; the rest is as the engine wrote it.
adapt() {
	local sample=$1 n path source
	shift
	mkdir -p "$B"
	[ -d "$B/rootfs" ] || rootfs_make "$B/rootfs"
	cp "$SAMPLES/$sample.json" "$B/config.json"
	edit --arg r "$B/rootfs" --arg id "$ID" '.root.path = $r | .linux.cgroupsPath |= sub("-[0-9a-f]{64}$"; "-" + $id)
		| .linux.cgroupsPath |= sub("^/(libpod_parent|crio)/"; "/" + $id + "/")'
	args "$@"
	n=$(jq '.mounts | length' "$B/config.json")
	while [ "$n" -gt 0 ]; do
		n=$((n - 1))
		path=$(jq -r --argjson n "$n" '.mounts[$n] | select(.type == "bind") | .destination' "$B/config.json")
		[ -n "$path" ] || continue
		source=$T/source-$n
		if [ "$path" = /dev/shm ]; then mkdir -p "$source"; else echo "of $path" >"$source"; fi
		edit --argjson n "$n" --arg s "$source" '.mounts[$n].source = $s'
	done
	for controller in memory pids cpu cpuset io hugetlb; do
		grep -qw "$controller" "$(cgroup2_path)/cgroup.controllers" || edit "del(.linux.resources.$controller)"
	done
}

# join_namespaces PID: the namespaces that the bundle joins are those of this process
join_namespaces() {
	edit --arg p "$1" '.linux.namespaces |= map(if .path then .path = "/proc/" + $p + "/ns/" + ({"network": "net", "mount": "mnt"}[.type] // .type) else . end)'
}

@test "samples: each is valid" {
	for sample in podman-4.3 cri-o-1.36-sandbox cri-o-1.36-container; do
		adapt "$sample" true
		[ "$sample" = podman-4.3 ] || join_namespaces "$$"
		run --separate-stderr bock_runc validate --bundle "$B"
		[ "$status" -eq 0 ] || fail "$sample: $output; $stderr"
		run --separate-stderr bock_runc run --dry-run --bundle "$B" "$ID"
		[ "$status" -eq 0 ] || fail "$sample: $stderr"
	done
	assert_no_leftovers
}

@test "samples: podman's container runs, and its exec process in it, on a terminal" {
	need_cmd script util-linux
	adapt podman-4.3 sh -c 'cat /etc/hosts; umask; hostname; ulimit -n; grep -E "^(CapEff|Seccomp:)" /proc/self/status; touch /dev/shm/x && echo ok; exec sleep 1000'
	detached run --detach --bundle "$B" "$ID"
	wait_for 5 grep -qx ok "$T/.stdout"
	output=$(<"$T/.stdout")
	assert_ok 'of /etc/hosts
0022
7f9a240daaaf
20000
CapEff:	00000000a80425fb
Seccomp:	2
ok'
	cp "$SAMPLES/podman-exec-process.json" "$T/process.json"
	jq '.args = ["sh", "-c", "tty; id -u; echo $container"]' "$T/process.json" >"$T/p.json"
	status=0
	output=$(script -qec "'$BOCK_RUNC' --root '$STATE' exec --process '$T/p.json' $ID" /dev/null </dev/null 3>&-) || status=$?
	output=${output//\^[@D]/} # how script's end of input may be echoed
	[ "$status:${output//$'\r'/}" = '0:/dev/pts/0
0
podman' ] || fail "$status:$output"
	bock_runc delete --force "$ID"
	rmdir "$(cgroup2_path)/$ID" 2>/dev/null || :
	assert_no_leftovers
}

@test "samples: CRI-O's sandbox, and the container that joins its namespaces" {
	unshare --net --ipc --uts sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	HOLDER=$!
	wait_for 5 sh -c "[ \$(readlink /proc/$HOLDER/ns/net) != \$(readlink /proc/self/ns/net) ]"
	adapt cri-o-1.36-sandbox sh -c 'exec sleep 1000'
	join_namespaces "$HOLDER"
	bock_runc create --bundle "$B" --pid-file "$T/pid" "$ID" </dev/null >/dev/null 2>&1 3>&-
	bock_runc start "$ID"
	[ "$(bock_runc exec "$ID" cat /etc/hostname)" = 'of /etc/hostname' ]
	run bock_runc exec "$ID" touch /x
	assert_output -p 'Read-only file system'
	pid=$(cat "$T/pid")
	mv "$B" "$T/sandbox"
	adapt cri-o-1.36-container sh -c 'hostname >/dev/null; cat /proc/1/comm; readlink /proc/self/ns/net; cat /etc/resolv.conf; grep ^Seccomp: /proc/self/status'
	join_namespaces "$pid"
	run --separate-stderr bock_runc run --bundle "$B" "$ID-c"
	assert_ok "sleep
$(readlink "/proc/$HOLDER/ns/net")
of /etc/resolv.conf
Seccomp:	2"
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	bock_runc delete "$ID"
	rmdir "$(cgroup2_path)/$ID" 2>/dev/null || :
	assert_no_leftovers
}
