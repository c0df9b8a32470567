# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is bats'
# A container without a mount namespace: its mounts are made in the runtime's, which here is one of the test's
# own, and are gone with it. Nothing of the host's is touched.

setup() {
	load ../helpers/runc
	runc_setup
	need_cmd nsenter util-linux
	REAL=$BOCK_RUNC
}
teardown() {
	common_teardown
	# shellcheck disable=SC2086 # pids
	kill ${HOLDER-} ${OTHER-} 2>/dev/null || :
}

# A mount namespace whose mounts are PROPAGATION; bock_runc is in it from here on.
own_mounts() { # PROPAGATION
	[ -z "${HOLDER-}" ] || kill "$HOLDER"
	rm -f "$T/held"
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m --propagation "$1" sh -c 'echo >"$1"; exec sleep 1000' - "$T/held" 3>&- &
	HOLDER=$!
	wait_for 10 test -e "$T/held"
	# shellcheck disable=SC2016 # the script's
	printf '#!/bin/sh\nexec nsenter --mount=/proc/%s/ns/mnt -- sh -c %s "$PWD" "%s" "$@"\n' "$HOLDER" \
		"'cd \"\$0\" && exec \"\$@\"'" "$REAL" >"$T/runc"
	chmod +x "$T/runc"
	BOCK_RUNC=$T/runc
}
inside_ns() { nsenter --mount="/proc/$HOLDER/ns/mnt" -- "$@"; }

# What is mounted below DIR (default: the rootfs), as the namespace of the test sees it.
below() { awk -v d="${1:-$B/rootfs}/" 'index($5, d) == 1 { print $5 }' "/proc/$HOLDER/mountinfo"; }
assert_nothing_below() {
	[ -z "$(below)" ] || fail "still mounted: $(below)"
}

bundle_without() { # ARG...
	rm -rf "$B"
	bundle "$@"
	edit '.linux.namespaces |= map(select(.type != "mount"))'
}

@test "no mount namespace: the root is the bundle's, the mounts are the runtime's, and gone with the container" {
	for propagation in private shared; do
		own_mounts "$propagation"
		bundle_without sh -c 'exec 2>/dev/null; ls -d /bin/busybox /usr; pwd; echo x >/written; readlink /proc/self/ns/mnt
			test -c /dev/null && echo devices; cat /proc/keys; cd ..; ls -d bin; sleep 1000 & wait' "$ID"
			detached run -d -b "$B" "$ID"
		assert_ok "$output"
		wait_for 10 grep -q '^bin$' "$T/.stdout"
		want="/bin/busybox
/
$(readlink "/proc/$HOLDER/ns/mnt")
devices
bin"
		[ "$(cat "$T/.stdout")" = "$want" ] || fail "$propagation: $(cat "$T/.stdout")"
		[ -s "$B/rootfs/written" ]
		below | grep -qx "$B/rootfs/proc" || fail "$(below)"
		below | grep -qx "$B/rootfs/dev/pts" || fail "$(below)"
		[ "$(readlink "/proc/$(pid_of)/root")" = "$B/rootfs" ]
		bock_runc kill "$ID" KILL
		wait_for 10 is stopped
		bock_runc delete "$ID"
		assert_nothing_below
		[ -d "$B/rootfs/proc" ]
		assert_no_leftovers
	done
}

@test "no mount namespace: run in the foreground, a terminal, hooks, a failing create" {
	own_mounts shared
	bundle_without sh -c 'exit 3'
	edit '.hooks.createContainer = [{"path": "/bin/true"}] | .hooks.poststop = [{"path": "/bin/true"}]'
	run_it
	[ "$status" -eq 3 ] || fail "status $status: $stderr"
	assert_nothing_below
	edit '.process.terminal = true | .process.args = ["tty"]'
	run --separate-stderr bock_runc run -b "$B" "$ID"
	[[ $output == *'/dev/pts/0'* ]] || fail "$output $stderr"
	assert_nothing_below
	edit '.process.terminal = false | .process.args = ["/no/such/program"]'
	run_it
	assert_error 'no such file'
	assert_nothing_below
	edit '.mounts += [{"destination": "/m", "type": "nosuchfs", "source": "x"}]'
	run_it
	assert_error nosuchfs
	assert_nothing_below
	assert_no_leftovers
}

@test "no mount namespace: exec is in the container's root, from this mount namespace and from another" {
	own_mounts private
	bundle_without sh -c 'sleep 1000 & wait' "$ID"
	detached run -d -b "$B" "$ID"
	for program in "$BOCK_RUNC" "$REAL"; do
		run --separate-stderr "$program" --root "$STATE" exec "$ID" sh -c 'ls -d /bin/busybox /usr /proc/self; pwd; readlink /proc/self/ns/mnt; cd ..; pwd'
		[ "$output" = "/bin/busybox
/proc/self
/
$(readlink "/proc/$HOLDER/ns/mnt")
/" ] || fail "$program: $output; $stderr"
	done
	run --separate-stderr bock_runc exec --tty "$ID" tty
	[[ $output == *'/dev/pts/'* ]] || fail "$output $stderr"
	# without a pid namespace too
	bock_runc delete --force "$ID"
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	detached run -d -b "$B" "$ID"
	run --separate-stderr bock_runc exec "$ID" ls -d /bin/busybox /usr
	[ "$output" = /bin/busybox ] || fail "$output; $stderr"
	# never into whatever else has come to stand there
	mv "$B/rootfs" "$B/moved"
	mkdir -p "$B/rootfs"
	run --separate-stderr bock_runc exec "$ID" /bin/true
	[ "$status" -eq 255 ]
	[[ $stderr == *'is not the one that the container was made in'* ]] || fail "$stderr"
	rmdir "$B/rootfs"
	mv "$B/moved" "$B/rootfs"
	bock_runc delete --force "$ID"
	assert_nothing_below
	assert_no_leftovers
}

@test "no mount namespace: from another mount namespace, delete refuses, and by force says what it leaves" {
	own_mounts private
	bundle_without true
	detached create -b "$B" "$ID"
	run --separate-stderr "$REAL" --root "$STATE" delete "$ID"
	assert_error 'in another mount namespace'
	assert_is created || assert_is stopped
	run --separate-stderr "$REAL" --root "$STATE" delete --force "$ID"
	[ "$status" -eq 0 ]
	[[ $stderr == *"what was mounted below '$B/rootfs' is left"* ]] || fail "$stderr"
	[ -n "$(below)" ]
	# and the next one does not take them for its own
	run_it
	assert_error 'has mounts below it'
	inside_ns umount -R "$B/rootfs/proc" "$B/rootfs/dev" "$B/rootfs/sys"
	run_it
	assert_ok ''
	assert_no_leftovers
}

@test "no mount namespace: mounts that are added are below the container's root, and gone with it" {
	own_mounts private
	bundle_without sh -c 'sleep 1000 & wait' "$ID"
	detached run -d -b "$B" "$ID"
	mkdir -p "$T/src/sub"
	echo there >"$T/src/file"
	for program in "$BOCK_RUNC" "$REAL"; do
		"$program" --root "$STATE" mounts add "$ID" - <<<'[{"destination": "/added", "source": "'"$T"'/src", "options": ["bind"]}]'
		[ "$(bock_runc exec "$ID" cat /added/file)" = there ]
		below | grep -qx "$B/rootfs/added"
		[ ! -e /added ]
		"$program" --root "$STATE" mounts remove "$ID" - <<<'[{"destination": "/added"}]'
		! below | grep -qx "$B/rootfs/added"
	done
	bock_runc mounts add "$ID" - <<<'[{"destination": "/added", "source": "'"$T"'/src", "options": ["bind"]}]'
	bock_runc delete --force "$ID"
	assert_nothing_below
	assert_no_leftovers
}

@test "no mount namespace: what is mounted in a bind mount does not come out at its source, nor is that unmounted" {
	for propagation in shared private; do
		own_mounts "$propagation"
		mkdir -p "$T/src"
		inside_ns mount -t tmpfs src "$T/src"
		inside_ns mkdir "$T/src/sub" "$T/src/inner"
		inside_ns mount -t tmpfs sub "$T/src/sub"
		bundle_without sh -c 'sleep 1000 & wait' "$ID"
		edit --arg s "$T/src" '.mounts += [{"destination": "/data", "source": $s, "options": ["rbind"]},
			{"destination": "/data/inner", "type": "tmpfs", "source": "inner"}]'
		detached run -d -b "$B" "$ID"
		assert_ok ''
		below | grep -qx "$B/rootfs/data/sub"
		below | grep -qx "$B/rootfs/data/inner"
		[ "$(below "$T/src")" = "$T/src/sub" ] || fail "$(below "$T/src")"
		# what others mount there later is slave of nothing: a peer of the source
		inside_ns mkdir -p "$B/rootfs/later"
		inside_ns mount --rbind "$T/src" "$B/rootfs/later"
		below | grep -qx "$B/rootfs/later/sub"
		# and something over it
		inside_ns mount -t tmpfs cover "$B/rootfs/later"
		bock_runc delete --force "$ID"
		assert_nothing_below
		[ "$(below "$T/src")" = "$T/src/sub" ] || fail "$propagation: the source's are gone: $(below "$T/src")"
		assert_no_leftovers
	done
}

@test "no mount namespace: the copies that a shared mount makes in other mount namespaces go, too" {
	own_mounts shared
	# shellcheck disable=SC2016 # the inner shell's
	nsenter --mount="/proc/$HOLDER/ns/mnt" -- unshare -m --propagation slave sh -c 'echo >"$1"; exec sleep 1000' - "$T/other" 3>&- &
	OTHER=$!
	wait_for 10 test -e "$T/other"
	bundle_without sh -c 'sleep 1000 & wait' "$ID"
	copies() { awk -v d="$B/rootfs/" 'index($5, d) == 1 { print $5 }' "/proc/$OTHER/mountinfo"; }
	detached run -d -b "$B" "$ID"
	assert_ok ''
	copies | grep -qx "$B/rootfs/proc" || fail "none: $(copies)"
	bock_runc delete --force "$ID"
	assert_nothing_below
	[ -z "$(copies)" ] || fail "$(copies)"
}

@test "no mount namespace: what can't be had without one is refused by name" {
	own_mounts private
	bundle_without true
	refused '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
		.linux.gidMappings = .linux.uidMappings' 'a user namespace without a mount namespace'
	refused '.linux.rootfsPropagation = "rslave"' linux.rootfsPropagation
	refused '.mounts += [{"destination": "/", "options": ["remount", "ro", "bind"]}]' 'mounts[7].destination'
	refused '.root.readonly = true' root.readonly
	inside_ns mount -t tmpfs x "$B/rootfs/var"
	refused . "root.path: '$B/rootfs' has mounts below it ('/var')"
	run --separate-stderr bock_runc validate -b "$B"
	[[ $output == *'has mounts below it'* ]] || fail "$output"
	[ "$(below)" = "$B/rootfs/var" ]
	inside_ns umount "$B/rootfs/var"
	# a root that is read-only already is
	mkdir -p "$B/rootfs/m"
	inside_ns mount --bind "$B/rootfs" "$B/rootfs"
	inside_ns mount -o remount,bind,ro "$B/rootfs"
	edit '.root.readonly = true'
	args sh -c 'echo x >/written || echo refused'
	run_it
	[ "$output" = refused ] || fail "$output $stderr"
	[ "$(grep -c " $B/rootfs " "/proc/$HOLDER/mountinfo")" -eq 1 ] || fail 'the mount of the root itself is gone'
	assert_nothing_below
	inside_ns umount "$B/rootfs"
}
