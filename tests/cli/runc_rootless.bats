# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016 # stderr is bats'; the inner shells'
# Without root: an ordinary user with and without newuidmap, root of a user namespace such as `podman unshare`
# makes, bock-runc in a container of bock-runc, and hosts that forbid user namespaces. Delegated cgroups:
# runc_cgroup_user.bats.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { user_teardown; common_teardown; }

# A user namespace with all of the user's ids and a mount namespace, as `podman unshare` has it.
user_unshare() { as_user unshare --user --map-auto --map-root-user --mount "$@"; }

@test "rootless: without newuidmap the user's own id can be mapped, more is refused with the way out" {
	user_setup
	user_bundle sh -c 'tr -s " " </proc/self/uid_map'
	mkdir "$USER_DIR/empty"
	run --separate-stderr as_user env PATH="$USER_DIR/empty" "$BOCK_RUNC" run -b "$B" "$ID"
	assert_ok " 0 $TEST_UID 1"
	edit --argjson sub "$TEST_SUBUID" '.linux.uidMappings += [{"containerID": 1, "hostID": $sub, "size": 10}]'
	run --separate-stderr as_user env PATH="$USER_DIR/empty" "$BOCK_RUNC" run -b "$B" "$ID"
	assert_error 'linux.uidMappings'
	[[ $stderr == *'install the package uidmap, or map only your own id'* ]] || fail "$stderr"
	assert_no_leftovers
}

@test "rootless: ids that were not given to the user are refused in newuidmap's words" {
	need_cmd newuidmap uidmap
	user_setup
	user_bundle true
	edit '.linux.uidMappings += [{"containerID": 1, "hostID": 5, "size": 10}]'
	user_runs
	assert_error 'newuidmap failed with status 1'
	assert_no_leftovers
}

@test "rootless: root of a user namespace runs containers with and without one of their own" {
	need_cmd newuidmap uidmap
	user_setup
	rootfs_make "$B/rootfs"
	chown -R "$TEST_UID:$(id -g "$TEST_USER")" "$B"
	user_unshare "$BOCK_RUNC" spec -b "$B" || skip "unshare --map-auto is refused (util-linux 2.38)"
	edit '.process.terminal = false | .root.readonly = false'
	args sh -c 'id -u; touch /tmp/made; chown 5:5 /tmp/made && stat -c %u /tmp/made; cat /dev/null && echo dev'
	chmod 1777 "$B/rootfs/tmp"
	run --separate-stderr user_unshare "$BOCK_RUNC" run -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	[[ $output == 0*dev* ]] || fail "$output"
	rm -f "$B/rootfs/tmp/made"
	# in one of its own, which nests, with a file of a folder that its root may not look into, as podman's /etc/hosts
	mkdir -m 700 "$USER_DIR/private"
	echo private >"$USER_DIR/private/file"
	chown -R "$TEST_UID" "$USER_DIR/private"
	edit --arg source "$USER_DIR/private/file" '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 1, "size": 100}] | .linux.gidMappings = .linux.uidMappings
		| .mounts += [{"destination": "/file", "source": $source, "options": ["bind"]}]'
	args sh -c 'tr -s " " </proc/self/uid_map; cat /dev/null && echo dev; cat /file'
	: >"$B/rootfs/file"
	open_path
	chown -R "$TEST_SUBUID:$TEST_SUBUID" "$B/rootfs"
	run --separate-stderr user_unshare "$BOCK_RUNC" run -b "$B" "$ID"
	assert_ok " 0 1 100
dev
private"
	edit '.mounts |= map(select(.destination != "/file"))'
	# and without a mount namespace, in that of unshare
	edit 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user" and .type != "mount"))'
	chown -R "$TEST_UID:$(id -g "$TEST_USER")" "$B/rootfs"
	args sh -c 'id -u; ls -d /bin/busybox /usr 2>/dev/null; cat /dev/null && echo dev'
	run --separate-stderr user_unshare "$BOCK_RUNC" run -b "$B" "$ID"
	[ "$output" = "0
/bin/busybox
dev" ] || fail "$output; $stderr"
	assert_no_leftovers
}

@test "rootless: a container without a user namespace is refused with the way out" {
	user_setup
	user_bundle true
	edit '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	user_runs
	assert_error "an ordinary user's container needs a user namespace"
	assert_no_leftovers
}

@test "rootless: without XDG_RUNTIME_DIR the error names it; --root does without" {
	user_setup
	user_bundle true
	run --separate-stderr as_user env -u XDG_RUNTIME_DIR "$BOCK_RUNC" run -b "$B" "$ID"
	assert_error '$XDG_RUNTIME_DIR, which is not set'
	run --separate-stderr as_user env -u XDG_RUNTIME_DIR "$BOCK_RUNC" --root "$USER_DIR/state" run -b "$B" "$ID"
	assert_ok ''
	run --separate-stderr as_user env XDG_RUNTIME_DIR=/proc/nothing "$BOCK_RUNC" run -b "$B" "$ID"
	assert_error "'/proc/nothing'"
	[[ $stderr != *'which is not set'* ]]
	assert_no_leftovers
}

@test "rootless: a host that has switched user namespaces off is said to have" {
	user_setup
	user_bundle true
	# in a user namespace of its own, whose limit is its own
	run --separate-stderr as_user unshare --user --map-root-user --mount sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' - \
		"$BOCK_RUNC" --root "$USER_DIR/state" run -b "$B" "$ID"
	[[ $stderr != *'max_user_namespaces: '* ]] || skip "the sysctl can't be set in a user namespace: $stderr"
	assert_error 'the sysctl user.max_user_namespaces is 0'
	assert_no_leftovers
}

# An outer container of an ordinary user without any right on the host, with a bundle in it.
outer() {
	user_bundle "$@"
	mkdir -p "$B/rootfs/inner/rootfs" "$B/rootfs/run"
	cp "$BOCK_RUNC" "$B/rootfs/bin/bock-runc"
	rootfs_make "$B/rootfs/inner/rootfs"
	bock_runc spec --rootless -b "$B/rootfs/inner"
	bundle_edit "$B/rootfs/inner" '.process.terminal = false | .root.readonly = false | .hostname = "inner" |
		(.linux.uidMappings[0], .linux.gidMappings[0]).hostID = 0'
	bundle_args "$B/rootfs/inner" sh -c 'hostname; id -u; cat /dev/null && echo dev; [ ! -e /inner ] && echo rooted'
	chown -R "$TEST_UID" "$B/rootfs"
	# those that engines give by default and that mapping the ids of others takes
	edit '.process.capabilities |= map_values(. + ["CAP_SETUID", "CAP_SETGID", "CAP_SETFCAP"])'
}

@test "rootless: bock-runc in an unprivileged container of bock-runc" {
	[[ $(ldd "$BOCK_RUNC" 2>&1) == *'not a dynamic executable'* || $(ldd "$BOCK_RUNC" 2>&1) == *'statically linked'* ]] ||
		skip "bock-runc is not static (ldd $BOCK_RUNC)"
	user_setup
	outer /bin/bock-runc --root /run/state run -b /inner "$ID"
	# what hides parts of the outer /proc keeps any new one from being mounted
	edit '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	user_runs
	[ "$status" -eq 0 ] || fail "$stderr"
	[ "$output" = "inner
0
dev
rooted" ] || fail "$output; $stderr"
	edit '.process.capabilities |= map_values(. - ["CAP_SETFCAP"])'
	user_runs
	assert_error 'id 0 takes CAP_SETFCAP'
	edit '.process.capabilities |= map_values(. + ["CAP_SETFCAP"])'
	# which the error says
	edit '.linux.maskedPaths = ["/proc/uptime"]'
	user_runs
	[ "$status" -eq 1 ]
	[[ $output$stderr == *"mounts["*"'/proc': "*'maskedPaths'* ]] || fail "$output; $stderr"
	assert_no_leftovers
}
