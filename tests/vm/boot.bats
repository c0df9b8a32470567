# SPDX-License-Identifier: Apache-2.0
# In the microVM: the world that the other tests were promised. $BOCK_VM_MODE is what tests/vm/guest says:
# plain or systemd, and -user behind it for an ordinary user.

setup() {
	load ../helpers/common
	[ -n "${BOCK_VM_MODE-}" ] || skip "not in the microVM (\$BOCK_VM_MODE is not set)"
}

@test "boot: cgroup version 2 alone, on /sys/fs/cgroup" {
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
	run grep -c ' cgroup ' /proc/self/mounts
	[ "$output" = 0 ]
	[ "$(grep -c '^0::/' /proc/self/cgroup)" = "$(grep -c . /proc/self/cgroup)" ]
}

@test "boot: all controllers, and open to those below the root" {
	local controller
	for controller in memory cpu io pids cpuset hugetlb rdma misc; do
		grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers || fail "no $controller"
		case $BOCK_VM_MODE:$controller in
		systemd*:hugetlb | systemd*:rdma | systemd*:misc) ;;
		*) grep -qw "$controller" /sys/fs/cgroup/cgroup.subtree_control || fail "$controller is not enabled" ;;
		esac
	done
}

@test "boot: root has every capability; two processors and a block device" {
	if [[ $BOCK_VM_MODE == *-user ]]; then
		[ "$(id -u)" -ne 0 ]
	else
		local last
		last=$(</proc/sys/kernel/cap_last_cap)
		run sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status
		[ $((16#$output)) -eq $(((1 << (last + 1)) - 1)) ] || fail "CapEff $output"
	fi
	[ "$(nproc)" -eq 2 ]
	[ -b /dev/vda ]
}

@test "boot: the command is in a cgroup of its own, and a user's is the user's" {
	local own
	own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
	[ "$own" != /sys/fs/cgroup/ ]
	if [[ $BOCK_VM_MODE == *-user ]]; then
		[ -O "$own" ] && [ -O "$own/cgroup.procs" ] && [ -O "$own/cgroup.subtree_control" ]
		grep -qw memory "$own/cgroup.controllers"
		grep -qw cpu "$own/cgroup.controllers"
		grep -qw pids "$own/cgroup.controllers"
		# and a limit can be set there: the process goes to a leaf
		mkdir "$own/leaf"
		echo $$ >"$own/leaf/cgroup.procs"
		local pid
		for pid in $(<"$own/cgroup.procs"); do echo "$pid" >"$own/leaf/cgroup.procs" || :; done
		echo +pids >"$own/cgroup.subtree_control"
		mkdir "$own/limited"
		echo 7 >"$own/limited/pids.max"
		[ "$(<"$own/limited/pids.max")" = 7 ]
	fi
}

@test "boot: the first process is systemd where that was asked for" {
	case $BOCK_VM_MODE in
	systemd) systemctl is-active basic.target && systemd-run --wait --quiet true ;;
	systemd-user) systemctl --user is-active basic.target ;;
	*) [[ $(tr '\0' ' ' </proc/1/cmdline) == */tests/vm/guest* ]] ;;
	esac
}
