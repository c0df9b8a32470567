# SPDX-License-Identifier: Apache-2.0
# tests/vm/run itself, from outside: what comes out of a guest, what does not, and how it fails.

setup() {
	load ../helpers/common
	T=$BATS_TEST_TMPDIR
	VM=$TOP/tests/vm
	need_cmd qemu-system-x86_64 qemu-system-x86
}

vm() { run --separate-stderr "$VM/run" --timeout 120 "$@"; }

@test "vm: output is streamed, both streams apart, the status comes through, no write comes out" {
	local marker
	marker=$TOP/tests/vm/written.$$
	: >"$T/out"
	# shellcheck disable=SC2016 # the guest's shell
	BOCK_GIVEN='a b' "$VM/run" --timeout 120 sh -c '
		echo first
		echo "second $BOCK_GIVEN" >&2
		echo x >"$1" && cat "$1"
		sleep 4
		exit 7' sh "$marker" >"$T/out" 2>"$T/err" 3>&- &
	local pid=$!
	wait_for 180 grep -qx first "$T/out"
	kill -0 "$pid" # it still runs, and its output is here
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 7 ] || fail "status $status: $(<"$T/err")"
	[ "$(<"$T/out")" = "first
x" ]
	[ "$(<"$T/err")" = "second a b" ] || fail "stderr: $(<"$T/err")"
	[ ! -e "$marker" ]
}

@test "vm: an ordinary user's command, in its slice; one that is killed" {
	# shellcheck disable=SC2016 # the guest's shell
	vm --user bash -c 'bats "$1" >&2 || exit 1; kill -KILL $$' bash "$VM/boot.bats"
	[ "$status" -eq 137 ] || fail "status $status: $stderr"
	[ -z "$output" ]
}

@test "vm: systemd as the first process, a user's command in a unit of the user's manager" {
	# shellcheck disable=SC2016 # the guest's shell
	vm --systemd --user bash -c 'bats "$1" >&2 && exit 9' bash "$VM/boot.bats"
	[ "$status" -eq 9 ] || fail "status $status: $stderr"
}

@test "vm: systemd as the first process, root's command in a unit" {
	[ -n "${BOCK_VM_FULL-}" ] || skip "only with BOCK_VM_FULL=1 (make check-vm)"
	# shellcheck disable=SC2016 # the guest's shell
	vm --systemd bash -c 'bats "$1" >&2 && exit 9' bash "$VM/boot.bats"
	[ "$status" -eq 9 ] || fail "status $status: $stderr"
}

@test "vm: another kernel" {
	[ -n "${BOCK_VM_FULL-}" ] || skip "only with BOCK_VM_FULL=1 (make check-vm)"
	# shellcheck disable=SC2016 # the guest's shell
	vm --kernel 6.12 bash -c 'uname -r; bats "$1" >&2' bash "$VM/boot.bats"
	[ "$status" -eq 0 ] || fail "status $status: $stderr"
	[[ $output == 6.12.* ]]
}

@test "vm: a guest that does not come up is a failure, with its console" {
	BOCK_VM_BOOT_TIMEOUT=1 vm true
	[ "$status" -eq 125 ]
	[[ $stderr == *"did not come up within 1 s"* ]]
	[[ $stderr == *"the guest's console"* ]]
}

@test "vm: what can't be is said: no command, no such kernel, no qemu" {
	vm
	[ "$status" -eq 125 ]
	[[ $stderr == *"no command"* ]]
	vm --kernel six true
	[ "$status" -eq 125 ]
	[[ $stderr == *"not 'six'"* ]]
	mkdir "$T/bin"
	for tool in bash dirname basename sed; do ln -s "$(command -v "$tool")" "$T/bin/$tool"; done
	run --separate-stderr env PATH="$T/bin" "$VM/run" true
	[ "$status" -eq 125 ]
	[[ $stderr == *"qemu-system-x86"* ]]
}

@test "vm: /dev/kvm is used only after a guest was seen to boot with it" {
	mkdir -p "$T/bin" "$T/cache"
	# a qemu that hangs, as a guest does on some machines
	printf '#!/bin/sh\necho "$@" >>"%s"\nexec sleep 1000\n' "$T/log" >"$T/bin/qemu-system-x86_64"
	chmod +x "$T/bin/qemu-system-x86_64"
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || skip "no /dev/kvm to be tried"
	local kernel
	kernel=$("$VM/fetch")
	mkdir -p "$T/cache/kernels"
	cp -al "$kernel" "$T/cache/kernels/6.1" 2>/dev/null || cp -a "$kernel" "$T/cache/kernels/6.1"
	rm -f "$T"/cache/kernels/6.1/kvm-*
	for _ in 1 2; do
		PATH=$T/bin:$PATH BOCK_VM_CACHE=$T/cache BOCK_VM_BOOT_TIMEOUT=1 vm true
		[ "$status" -eq 125 ]
	done
	[ "$(grep -c 'accel kvm' "$T/log")" = 1 ]
	[ "$(grep -c 'accel tcg' "$T/log")" = 2 ]
}
