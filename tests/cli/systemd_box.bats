# SPDX-License-Identifier: Apache-2.0
# tests/helpers/systemd-box itself: a systemd, statuses, output, and nothing left; and what only takes a systemd to be
# shown, at full speed.

setup_file() {
	load ../helpers/common
	BOX_REFUSES=''
	[ "$(id -u)" -ne 0 ] || "$TOP/tests/helpers/systemd-box" --timeout 60 true 2>"$BATS_FILE_TMPDIR/why" ||
		BOX_REFUSES="tests/helpers/systemd-box true: $(tail -n 1 "$BATS_FILE_TMPDIR/why")"
	export BOX_REFUSES
}

setup() {
	load ../helpers/runc
	common_setup
	need_root
	[ -z "$BOX_REFUSES" ] || skip "$BOX_REFUSES"
	BOX=$TOP/tests/helpers/systemd-box
}

teardown() {
	[ -z "${STOPPED-}" ] || kill -CONT "$STOPPED"
	[ -z "${KEPT-}" ] || rm -rf "$KEPT"
	common_teardown
}

@test "systemd-box: input, output, status, time-out; the folder is this one; nothing is left" {
	echo hello >"$T/in"
	cd "$TOP"
	status=0
	"$BOX" sh -c 'cat; echo there >&2; pwd; cat /proc/1/comm; stat -f -c %T /sys/fs/cgroup; ls -A /tmp; exit 7' \
		<"$T/in" >"$T/out" 2>"$T/err" 3>&- || status=$?
	[ "$status" -eq 7 ] || fail "status $status: $(cat "$T/err")"
	[ "$(<"$T/out")" = "hello
$TOP
systemd
cgroup2fs" ] || fail "$(cat "$T/out")"
	[ "$(<"$T/err")" = there ]
	run -124 "$BOX" --timeout 1 sleep 60
	run -125 "$BOX" --nonsense
	assert_no_leftovers
}

@test "systemd-box: the user's command is in a service of the user's own manager" {
	run -3 --separate-stderr "$BOX" --user sh -c 'cat /proc/self/cgroup; systemctl --user is-active basic.target; exit 3'
	assert_output -p user@
	assert_output -p active
	assert_no_leftovers
}

@test "systemd-box: one that is killed is cleaned up by the next" {
	"$BOX" sleep 60 3>&- &
	pid=$!
	is_up() { [ -n "$(find /sys/fs/cgroup -name bock-box-command.service -path "*bock-box-$pid/*" 2>/dev/null)" ]; }
	wait_for 30 is_up
	kill -KILL "$pid"
	wait "$pid" || :
	"$BOX" true
	! is_up
}

@test "systemd: a delete whose helper is killed says so, and can be repeated; no unit is left" {
	[ -x "$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd" ] || skip "built without libsystemd"
	[ -x "$BOCK_BUILDDIR/tests/crash/strike" ] || skip "tests/crash/strike is not built (make check TESTS=)"
	[ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" -le 2 ] || skip "ptrace is off (ptrace_scope 3)"
	run --separate-stderr "$BOX" "$TOP/tests/crash/run" --systemd --quick --flavour root --mode self delete-force
	[ "$status" -eq 0 ] || fail "$output$stderr"
	run --separate-stderr "$BOX" "$TOP/tests/crash/run" --systemd --quick --flavour rootless --mode self delete-force
	[ "$status" -eq 0 ] || fail "$output$stderr"
}

@test "systemd: one that has stopped is given up in time by create and by delete, and named; delete can be repeated" {
	[ -x "$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd" ] || skip "built without libsystemd"
	need_busybox
	need_cmd jq
	KEPT=$(mktemp -d "$BOCK_BUILDDIR/box.XXXXXX") # /tmp is another one there
	bundle_make "$KEPT/b" sh -c 'sleep 1000 & wait'
	BOCK_BOX_KEEP=$KEPT "$BOX" sh -c '
		until_there() { while [ ! -e "$1" ]; do sleep 0.05; done; }
		runc() { "$BOCK_RUNC" --root /run/state --systemd-cgroup "$@" </dev/null >/dev/null; }
		runc create -b "$1/b" one || exit 9
		echo >"$1/created"
		until_there "$1/stopped"
		runc --timeout 1s create -b "$1/b" two 2>"$1/create"; echo $? >>"$1/create"
		runc --timeout 1s delete --force one 2>"$1/delete"; echo $? >>"$1/delete"
		echo >"$1/asked"
		until_there "$1/goes-on"
		runc delete --force one || exit 8
		"$BOCK_RUNC" --root /run/state list --quiet
		systemctl list-units --all --plain --no-legend "bock*one*" "bock*two*"' - "$KEPT" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	wait_for 60 test -e "$KEPT/created"
	systemd=$(cat "$(find /sys/fs/cgroup -path "*/bock-box-$pid/*" -name init.scope | head -n 1)/cgroup.procs" | head -n 1)
	kill -STOP "$systemd"
	STOPPED=$systemd
	: >"$KEPT/stopped"
	wait_for 60 test -e "$KEPT/asked"
	kill -CONT "$systemd"
	STOPPED=
	: >"$KEPT/goes-on"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 0 ] || fail "status $status: $(cat "$T/err" "$KEPT/create" "$KEPT/delete")"
	for file in create delete; do
		[[ $(<"$KEPT/$file") == *'systemd does not answer for 1.000 s: process 1 (systemd, state T'* ]] || fail "$(cat "$KEPT/$file")"
		[ "$(tail -n 1 "$KEPT/$file")" = 1 ] || fail "$(cat "$KEPT/$file")"
	done
	[[ $(<"$KEPT/create") == *'--cgroup-manager cgroupfs does without it'* ]] || fail "$(cat "$KEPT/create")"
	[[ $(<"$KEPT/delete") == *"'delete --force' can be repeated once systemd answers"* ]] || fail "$(cat "$KEPT/delete")"
	[ ! -s "$T/out" ] || fail "$(cat "$T/out")"
}
