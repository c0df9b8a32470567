# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # status and output are bats'
#
# CVE-2019-5736: no process of a container ever is, or can reach, the runtime's file on the host.

setup() {
	load ../helpers/runc
	runc_setup
	before=$(sha256sum <"$BOCK_RUNC")
}

teardown() {
	common_teardown
	[ "$before" = "$(sha256sum <"$BOCK_RUNC")" ]
}

exe_of() { readlink "/proc/$(pid_of)/exe"; }

@test "CVE-2019-5736: a created container runs from a sealed memfd" {
	bundle sleep 1000
	bock_runc create -b "$B" "$ID"
	[[ $(exe_of) == /memfd:* ]]
	# opening it for writing is refused by the seals, as root too
	run sh -c "printf x >>/proc/$(pid_of)/exe"
	[ "$status" -ne 0 ]
	bock_runc delete --force "$ID"
}

@test "CVE-2019-5736: in a shared pid namespace the whole runtime is sealed" {
	bundle sleep 1000
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	bock_runc create -b "$B" "$ID"
	[[ $(exe_of) == /memfd:* ]]
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "CVE-2019-5736: with startContainer hooks the whole runtime is sealed" {
	bundle true
	# what runs the hook is sealed, and not even that can be reached
	# shellcheck disable=SC2016 # for the container's shell
	edit --arg s ': >/here; until [ -e /go ]; do sleep 0.05; done; readlink /proc/$PPID/exe && exit 1; exit 0' \
		'.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", $s]}]'
	bock_runc create -b "$B" "$ID" </dev/null >/dev/null 2>&1
	bock_runc start "$ID" 3>&- &
	start=$!
	wait_for 20 test -e "$B/rootfs/here"
	[[ $(exe_of) == /memfd:* ]] || fail "$(exe_of)"
	touch "$B/rootfs/go"
	wait "$start"
}

@test "CVE-2019-5736: an entry point of /proc/self/exe is not the runtime" {
	bundle /proc/self/exe --version
	run_it
	refute_output -p 'bock-runc'
	printf '#!/proc/self/exe\n' >"$B/rootfs/bin/trick"
	chmod 755 "$B/rootfs/bin/trick"
	args /bin/trick --version
	run_it
	refute_output -p 'bock-runc'
}

@test "a created container holds no descriptor but its stdio and the socket of start" {
	bundle sleep 1000
	bock_runc create -b "$B" "$ID" </dev/null >/dev/null 2>&1
	run ls "/proc/$(pid_of)/fd"
	[ "$(wc -l <<<"$output")" -eq 4 ]
	bock_runc start "$ID"
	wait_for 5 sh -c "readlink /proc/$(pid_of)/exe | grep -q busybox"
	run ls "/proc/$(pid_of)/fd"
	[ "$(wc -l <<<"$output")" -eq 3 ]
	bock_runc delete --force "$ID"
}
