# SPDX-License-Identifier: Apache-2.0
# In the microVM: a container made and deleted many times leaves nothing that could add up. 30 times; 500 times with
# BOCK_VM_FULL=1 (make check-vm).

# more than tests/run gives a test
setup_file() { [ -z "${BOCK_VM_FULL-}" ] || export BATS_TEST_TIMEOUT=2400; }

setup() {
	load ../helpers/runc
	case ${BOCK_VM_MODE-} in
	plain | systemd) ;;
	*) skip "not root in the microVM (\$BOCK_VM_MODE is neither 'plain' nor 'systemd')" ;;
	esac
	runc_setup
}
teardown() { common_teardown; }

# The programs of BPF that the kernel holds: bpf(BPF_PROG_GET_NEXT_ID) until there is no next.
programs() {
	perl -e '$attr = pack("L4", 0, 0, 0, 0);
		while (syscall(321, 11, $attr, length $attr) == 0) {
			$n++;
			$attr = pack("L4", (unpack "L4", $attr)[1], 0, 0, 0);
		}
		print $n + 0'
}

units() {
	[ "$BOCK_VM_MODE" != systemd ] || systemctl list-units --all --plain --no-legend "bock-*" | wc -l
}

# What could add up: cgroups, and those that are gone and not forgotten are no number to rely on; mounts, units, programs
census() {
	printf 'cgroups %s, mounts %s, programs %s, units %s, states %s' \
		"$(sed -n 's/^nr_descendants //p' /sys/fs/cgroup/cgroup.stat)" "$(wc -l </proc/self/mountinfo)" \
		"$(programs)" "$(units)" "$(find "$STATE" -mindepth 1 -maxdepth 1 ! -name ".*" 2>/dev/null | wc -l)"
}

same() {
	now=$(census)
	[ "$now" = "$before" ]
}

# cycles OPTION...: of create and delete
cycles() {
	local n before now many=30
	[ -z "${BOCK_VM_FULL-}" ] || many=500
	# what is made once: the caches of the runtime, a slice
	detached "$@" create -b "$B" "$ID"
	assert_ok ""
	before=$(census)
	[[ $before == *"programs "[1-9]* ]] || fail "no program of device rules: $before"
	bock_runc delete --force "$ID"
	wait_for 20 differs # the census can tell
	before=$(census)
	echo "# before: $before" >&3
	for ((n = 0; n < many; n++)); do
		bock_runc "$@" create -b "$B" "$ID" </dev/null >"$T/.out" 2>&1 3>&- || fail "cycle $n: $(<"$T/.out")"
		bock_runc delete --force "$ID" || fail "cycle $n"
		[ $(((n + 1) % 100)) -ne 0 ] || echo "# $((n + 1)) cycles, just now: $(census)" >&3
	done
	# the kernel forgets programs in its own time
	wait_for 30 same || fail "before: $before; after $many cycles: $now"
	echo "# $many cycles: $now" >&3
}

differs() { ! same; }

@test "cycles: create and delete, with limits and device rules" {
	sleeper
	edit '.linux.resources += {"memory": {"limit": 67108864}, "pids": {"limit": 50}}'
	cycles
}

@test "cycles: the same in scopes of systemd" {
	[ "$BOCK_VM_MODE" = systemd ] || skip "systemd does not run here (\$BOCK_VM_MODE is $BOCK_VM_MODE)"
	[ -x "$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd" ] || skip "built without libsystemd"
	sleeper
	edit --arg p "bock-test.slice:bock:$ID" '.linux.cgroupsPath = $p |
		.linux.resources += {"memory": {"limit": 67108864}, "pids": {"limit": 50}}'
	cycles --systemd-cgroup
}
