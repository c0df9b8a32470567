# SPDX-License-Identifier: Apache-2.0
# bock-runc-systemd without a systemd: what it says, and that it says it in time. The rest: tests/vm/systemd.bats.

setup() {
	load ../helpers/runc
	runc_setup
	HELPER=$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd
	[ -x "$HELPER" ] || skip "built without libsystemd"
}
teardown() {
	[ -z "${LISTENER-}" ] || kill "$LISTENER" 2>/dev/null || true
	common_teardown
}

# A systemd that takes connections and never answers.
silent_systemd() {
	need_cmd python3
	mkdir -p "$T/systemd"
	python3 - "$T/systemd/private" <<-'END' &
		import os, socket, sys, time
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1] + ".new")
		s.listen(5)
		os.rename(sys.argv[1] + ".new", sys.argv[1])  # who sees it can connect
		time.sleep(60)
	END
	LISTENER=$!
	wait_for 5 test -S "$T/systemd/private"
}

@test "bock-runc-systemd: a systemd that does not answer is given up in time" {
	silent_systemd
	SECONDS=0
	XDG_RUNTIME_DIR=$T run --separate-stderr timeout 20 "$HELPER" --user --timeout 500 manager
	assert_error "does not answer"
	[ "$SECONDS" -lt 10 ]
}

@test "bock-runc-systemd: no systemd, no bus, no such property" {
	run --separate-stderr env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS "$HELPER" --user manager
	assert_error "neither XDG_RUNTIME_DIR nor DBUS_SESSION_BUS_ADDRESS is set"
	XDG_RUNTIME_DIR=$T run --separate-stderr env -u DBUS_SESSION_BUS_ADDRESS "$HELPER" --user manager
	assert_error "connect to the user's systemd: XDG_RUNTIME_DIR is $T"
	run --separate-stderr "$HELPER" start x.scope nobody
	assert_error "PID"
	for word in MemoryMax MemoryMax:t :t:1 'MemoryMax>=x:t:1' 'MemoryMax>=-1:t:1' MemoryMax:v:1 MemoryMax:tt:1 MemoryMax:a:1 MemoryMax::1; do
		run --separate-stderr "$HELPER" set x.scope "$word"
		assert_error "property '$word': not NAME[>=VERSION]:TYPE:VALUE"
	done
	for word in A:b:true A:s: A:s:x:y 'A>=252:t:1' A:as: 'A:a(st):/dev/null 1'; do
		XDG_RUNTIME_DIR=$T run --separate-stderr env -u DBUS_SESSION_BUS_ADDRESS "$HELPER" --user set x.scope "$word"
		assert_error "connect to the user's systemd"
	done
}
