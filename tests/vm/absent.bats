# SPDX-License-Identifier: Apache-2.0
# In the microVM, before all that sets limits of devices (tests/vm/tests): what the kernel has no device for is refused
# with the file and the value that were to be set. Once its cost model was on for a device, that has weights until the
# machine is booted again.

setup() {
	load ../helpers/runc
	[ "${BOCK_VM_MODE-}" = plain ] || skip "not root in the microVM without systemd (\$BOCK_VM_MODE is not 'plain')"
	runc_setup
	bundle true
}
teardown() { common_teardown; }

refused() { # JQ-FILTER WORDS
	edit "$1"
	run --separate-stderr bock_runc run -b "$B" "$ID"
	assert_error "$2"
	[ ! -e "$STATE/$ID" ]
	[ ! -e "/sys/fs/cgroup/$ID" ]
}

@test "absent: weights of a device's own, where no cost model and no scheduler has them" {
	local dev
	IFS= read -r dev </sys/block/vda/dev
	! grep -q "^$dev " /sys/fs/cgroup/io.cost.qos ||
		skip "the cost model has been on for $dev since the last boot: /sys/fs/cgroup/io.cost.qos"
	refused "$(printf '.linux.resources.blockIO = {"weightDevice": [{"major": %s, "minor": %s, "weight": 500}]}' \
		"${dev%:*}" "${dev#*:}")" "linux.resources.blockIO.weightDevice: set 'io.weight' to '$dev 4950'"
	[[ $stderr == *"io.cost.qos"*"io.bfq.weight"* ]] || fail "$stderr"
}

@test "absent: devices of RDMA and misc" {
	refused '.linux.resources.rdma = {"mlx5_1": {"hcaHandles": 3}}' \
		"linux.resources.rdma: set 'rdma.max' to 'mlx5_1 hca_handle=3'"
	refused 'del(.linux.resources.rdma) | .linux.resources.unified = {"misc.max": "res_a 3"}' \
		"linux.resources.unified: set 'misc.max' to 'res_a 3'"
}
