# SPDX-License-Identifier: Apache-2.0
# In the microVM: checkpoint and restore by a true criu, which knows this kernel. What is asked of criu is compared in
# tests/cli/runc_checkpoint.bats.

setup() {
	load ../helpers/runc
	runc_setup
	need_cmd criu
	need_cgroup2
	[ -n "${BOCK_VM_MODE-}" ] || skip "not in the microVM (\$BOCK_VM_MODE is not set)"
	CG=$(cgroup2_path)/$ID
}
teardown() { common_teardown; }

# The number that the container counts to, in a file of its root.
now() { cat "$B/rootfs/n"; }
counts_past() { [ "$(now)" -gt "$1" ]; }

@test "checkpoint and restore: memory, mounts, limits, hooks, streams and what comes after" {
	bundle sh -c 'i=0; while [ ! -e /stop ]; do i=$((i+1)); echo $i >/n.new; mv /n.new /n; sleep 0.2; done; exit 9' "$ID"
	mkdir "$T/src"
	edit --arg dir "$T" '.mounts += [{"destination": "/src", "source": ($dir + "/src"), "options": ["bind"]}]
		| .linux.maskedPaths += ["/etc/passwd"] | .linux.resources.pids.limit = 33
		| .hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >>\($dir)/hook"]}]
		| .hooks.poststop = [{"path": "/bin/sh", "args": ["sh", "-c", "echo >>\($dir)/poststop"]}]'
	detached run -d -b "$B" "$ID"
	assert_ok
	wait_for 20 test -e "$B/rootfs/n"

	bock_runc pause "$ID"
	run --separate-stderr bock_runc checkpoint --leave-running --image-path "$T/live" "$ID"
	assert_ok ""
	assert_is paused
	bock_runc resume "$ID"
	counted=$(now)
	wait_for 20 counts_past "$counted"
	run --separate-stderr bock_runc checkpoint --image-path "$T/images" --work-path "$T/work" "$ID"
	assert_ok ""
	grep -q 'Dumping finished successfully' "$T/work/dump.log"
	[ "$(jq -c '.[:3] | map(startswith("file["))' "$T/images/descriptors.json")" = '[true,true,true]' ] ||
		fail "$(cat "$T/images/descriptors.json")"
	run bock_runc state "$ID"
	assert_output -p 'container does not exist'
	[ ! -e "$CG" ]
	[ "$(wc -l <"$T/poststop")" -eq 1 ]

	# conmon's way, and what follows it
	counted=$(now)
	rm "$T/hook"
	# its input was the null device, and is that again, though ours is a pipe
	: | bock_runc restore --bundle "$B" --pid-file "$T/pid" --detach --image-path "$T/images" --work-path "$T/work" "$ID" \
		>"$T/said" 2>&1 3>&- || fail "$(cat "$T/said")"
	[ ! -s "$T/said" ]
	[ "$(readlink "/proc/$(pid_of)/fd/0")" = /dev/null ]
	assert_is running
	[ "$(pid_of)" = "$(cat "$T/pid")" ]
	[ "$(jq -r .pid "$T/hook")" = "$(cat "$T/pid")" ]
	[ "$(cat "$CG/pids.max")" = 33 ]
	grep -qx "$(cat "$T/pid")" "$CG/cgroup.procs"
	wait_for 20 counts_past "$counted"
	run bock_runc exec "$ID" sh -c 'wc -c </etc/passwd; echo >/src/new; echo >/dev/null; ip -o addr show lo'
	assert_output -e '^0.*127.0.0.1'
	[ -e "$T/src/new" ]
	run grep criu-root /proc/self/mountinfo
	[ -z "$output" ]
	bock_runc kill "$ID" KILL
	wait_for 10 is stopped
	bock_runc delete "$ID"

	# in the foreground, of the same images: the end of the process is ours
	rm -f "$B/rootfs/n"
	"$BOCK_RUNC" --root "$STATE" restore --bundle "$B" --image-path "$T/images" --work-path "$T/work" -no-subreaper "$ID" \
		</dev/null >"$T/said" 2>&1 3>&- &
	local runtime=$!
	wait_for 60 test -e "$B/rootfs/n" || fail "$(cat "$T/said" "$T/work/restore.log")"
	touch "$B/rootfs/stop"
	status=0
	wait "$runtime" || status=$?
	[ "$status" -eq 9 ] || fail "status $status: $(cat "$T/said")"
	assert_no_leftovers
}

@test "checkpoint and restore: a terminal, namespaces of others, a killed restore" {
	bundle sh -c 'echo ready; read word; echo "got $word"; sleep 1000' "$ID"
	unshare -n sleep 1000 3>&- &
	local other=$!
	edit --arg net "/proc/$other/ns/net" '.process.terminal = true
		| (.linux.namespaces[] | select(.type == "network")).path = $net'
	"$RUNC_HELPERS/recv-console" "$T/sock" "$T/out" 3>&- &
	wait_for 20 test -S "$T/sock"
	detached run -d -b "$B" --console-socket "$T/sock" "$ID"
	assert_ok
	wait_for 20 grep -q ready "$T/out"
	run --separate-stderr bock_runc checkpoint --image-path "$T/images" "$ID"
	assert_ok ""

	rm "$T/sock"
	"$RUNC_HELPERS/recv-console" "$T/sock" "$T/out2" word 3>&- &
	wait_for 20 test -S "$T/sock"
	detached restore -b "$B" -d --console-socket "$T/sock" --image-path "$T/images" "$ID"
	assert_ok
	wait_for 20 grep -q 'got word' "$T/out2"
	[ "$(readlink "/proc/$(pid_of)/ns/net")" = "$(readlink "/proc/$other/ns/net")" ]
	bock_runc delete --force "$ID"
	assert_no_leftovers

	# SIGKILL in the middle: a hook keeps it there
	edit --arg dir "$T" '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "echo >\($dir)/in; sleep 1000; exit"]}]'
	rm "$T/sock"
	"$RUNC_HELPERS/recv-console" "$T/sock" "$T/out3" 3>&- &
	wait_for 20 test -S "$T/sock"
	"$BOCK_RUNC" --root "$STATE" restore -b "$B" -d --console-socket "$T/sock" --image-path "$T/images" "$ID" </dev/null >/dev/null 2>&1 3>&- &
	local runtime=$!
	wait_for 30 test -e "$T/in"
	assert_is creating
	kill -KILL "$runtime"
	run --separate-stderr bock_runc delete --force "$ID"
	assert_ok ""
	pkill -f -- "$T/in" || :
	kill "$other"
	assert_no_leftovers
}
