# SPDX-License-Identifier: Apache-2.0
# --no-pivot: the same container, its root moved onto the host's.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { common_teardown; }

@test "no-pivot: the container sees its own root and nothing of the host" {
	bundle sh -c 'ls -d /bin/busybox; ls -a / /..; awk "{ print \$5 }" /proc/self/mountinfo; echo x >/written' "$ID"
	run_it
	assert_ok
	# the order of ls is the file system's
	want=$(sort <<<"$output")
	rm "$B/rootfs/written"
	run_it --no-pivot
	assert_ok
	[ "$(sort <<<"$output")" = "$want" ] || fail "$output"
	[ "$(cat "$B/rootfs/written")" = x ]
	bock_runc run --dry-run --no-pivot -b "$B" "$ID" | grep -q 'move root'
	! bock_runc run --dry-run -b "$B" "$ID" | grep -q 'move root' || fail 'without being asked'
	assert_no_leftovers
}

@test "no-pivot: whoever leaves a chroot upwards comes to the container's root, not to the host's" {
	bundle sh -c 'mkdir -p /j/proc; cp /bin/busybox /j/; mount -t proc proc /j/proc; exec 9</
		chroot /j /busybox sh -c "cd -P /proc/self/fd/9 && for i in 1 2 3 4 5 6 7 8 9; do cd -P ..; done
		/busybox ls -a . | /busybox sort | /busybox tr \"\n\" \" \""'
	edit '.process.capabilities |= map_values(. + ["CAP_SYS_CHROOT", "CAP_SYS_ADMIN"])'
	run_it
	assert_ok
	want=$output
	[[ $want == *' j '* ]]
	run_it --no-pivot
	assert_ok "$want"
}

@test "no-pivot: create, exec, a user namespace, a read-only root, a terminal" {
	sleeper
	edit '.root.readonly = true'
	detached create --no-pivot -b "$B" "$ID"
	assert_ok ''
	bock_runc start "$ID"
	run --separate-stderr bock_runc exec "$ID" sh -c 'ls -d /bin/busybox /usr; echo x >/written'
	[ "$status" -ne 0 ]
	[ "$output" = /bin/busybox ]
	[[ $stderr == *'Read-only'* ]]
	bock_runc delete --force "$ID"
	edit '.root.readonly = false | .linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$B/rootfs"
	chmod o+x "$T" "$(dirname "$T")" "$(dirname "$(dirname "$T")")" "$(dirname "$(dirname "$(dirname "$T")")")"
	args sh -c 'cat /proc/self/uid_map; ls /'
	run_it --no-pivot
	assert_ok
	assert_output -p 100000
	refute_output -p usr
	assert_no_leftovers
}

@test "no-pivot: the host's mounts stay, with shared propagation too" {
	bundle true
	for propagation in shared rshared slave rprivate; do
		edit ".linux.rootfsPropagation = \"$propagation\""
		unshare -m --propagation shared sh -c 'cat /proc/self/mountinfo >"$1"; shift; "$@" || exit; cat /proc/self/mountinfo' sh \
			"$T/before" "$BOCK_RUNC" --root "$STATE" run --no-pivot -b "$B" "$ID" >"$T/after"
		diff "$T/before" "$T/after"
	done
	assert_no_leftovers
}

@test "no-pivot: a user namespace can't mount a procfs of what the container masks" {
	bundle sh -c 'unshare -Ur --mount sh -c "mount -t proc proc /proc" 2>&1; echo $?'
	run_it
	pivoted=$output
	run_it --no-pivot
	[ "$output" = "$pivoted" ] || fail "pivot: $pivoted; no pivot: $output"
}

@test "no-pivot: the host's proc and sysfs stay, be its mounts shared and rootfsPropagation what it may" {
	bundle true
	export B STATE ID BOCK_RUNC
	for word in shared rshared slave rslave private rprivate unbindable; do
		edit --arg p "$word" '.linux.rootfsPropagation = $p'
		run --separate-stderr unshare -m --propagation private bash -ec '
			mount --make-rshared /
			before=$(grep -cE " (proc|sysfs) " /proc/self/mountinfo)
			"$BOCK_RUNC" --root "$STATE" run --no-pivot -b "$B" "$ID" 3>&-
			echo $(($(grep -cE " (proc|sysfs) " /proc/self/mountinfo) - before))'
		assert_ok 0 || fail "$word"
	done
}
