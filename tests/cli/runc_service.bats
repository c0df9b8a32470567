# SPDX-License-Identifier: Apache-2.0
# A container in the place of a service: NOTIFY_SOCKET (tests/helpers/service-manager is the other end), LISTEN_FDS,
# --preserve-fds.

setup() {
	load ../helpers/runc
	runc_setup
	need_cmd python3
	bundle
}
teardown() {
	[ -z "${MANAGER-}" ] || kill "$MANAGER" 2>/dev/null || :
	user_teardown
	common_teardown
}

# manager [NAME]: a manager that stays, at $T/manager or NAME
manager() {
	local name=${1:-$T/manager}
	rm -f "$T/said"
	"$RUNC_HELPERS/service-manager" "$name" "$T/said" 3>&- &
	MANAGER=$!
	wait_for 10 test -e "$T/said" # made when it listens
}

# busybox has no sd_notify: a static program of the test's own sends its argument as one message
tell_make() {
	need_cmd "${CC:-cc}" gcc
	[ -x "$BATS_RUN_TMPDIR/tell" ] || "${CC:-cc}" -static -O1 -o "$BATS_RUN_TMPDIR/tell" -x c - <<-'EOF' || skip "cc -static does not work"
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/socket.h>
		#include <sys/un.h>
		int main(int argc, char **argv)
		{
			struct sockaddr_un a = { .sun_family = AF_UNIX };
			const char *to = getenv("NOTIFY_SOCKET");
			int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
			static char big[100000];
			if (!to || strlen(to) >= sizeof(a.sun_path)) return 2;
			strcpy(a.sun_path, to);
			if (argc > 2) { memset(big, 'x', sizeof(big)); memcpy(big, argv[1], strlen(argv[1])); }
			const char *text = argc > 2 ? big : argv[1];
			size_t len = argc > 2 ? (size_t)atol(argv[2]) : strlen(text);
			if (sendto(fd, text, len, 0, (void *)&a, sizeof(a)) < 0) { perror("sendto"); return 1; }
			return 0;
		}
	EOF
	cp "$BATS_RUN_TMPDIR/tell" "$B/rootfs/bin/tell"
}

# The lines of the manager's log without the senders.
said() { cut -d' ' -f2- "$T/said" | xargs; }

@test "notify: start waits until the container is ready, and tells the manager the pid" {
	tell_make
	args sh -c 'echo "$NOTIFY_SOCKET" >/where; until [ -e /go ]; do sleep 0.05; done; tell READY=1; tell STOPPING=1; sleep 1000 & wait' "$ID"
	manager
	export NOTIFY_SOCKET=$T/manager
	detached create -b "$B" "$ID"
	assert_ok ""
	assert_is created
	"$BOCK_RUNC" --root "$STATE" start "$ID" 3>&- &
	starter=$!
	wait_for 5 is running
	sleep 0.3
	kill -0 $starter
	[ -z "$(said)" ]
	# what waits holds nobody up
	[ "$(timeout 5 "$BOCK_RUNC" --root "$STATE" state "$ID" | jq -r .status)" = running ]
	touch "$B/rootfs/go"
	wait $starter
	wait_for 5 eval '[ "$(wc -l <"$T/said")" -ge 3 ]'
	[ "$(<"$T/said")" = "$starter READY=1
$starter MAINPID=$(pid_of)
$starter BARRIER=1 +fd" ] || fail "$(<"$T/said")"
	[ "$(<"$B/rootfs/where")" = /run/notify/notify.sock ]
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "notify: a start that was killed can be done again" {
	tell_make
	args sh -c 'tell READY=1; sleep 1000 & wait' "$ID"
	manager
	export NOTIFY_SOCKET=$T/manager
	detached create -b "$B" "$ID"
	assert_ok ""
	need_cmd strace
	strace -qq -o /dev/null -e trace=pidfd_open -e inject=pidfd_open:signal=KILL:when=2 \
		"$BOCK_RUNC" --root "$STATE" start "$ID" 3>&- || :
	[ -S "$STATE/$ID/notify/notify.sock" ]
	assert_is created
	detached start "$ID"
	assert_ok ""
	[ "$(said)" = "READY=1 MAINPID=$(pid_of) BARRIER=1 +fd" ]
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "notify: run --detach does the same" {
	tell_make
	args sh -c 'sleep 0.2; tell "STATUS=x
READY=1
MAINPID=1"; sleep 1000 & wait' "$ID"
	manager
	NOTIFY_SOCKET=$T/manager detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 5 eval '[ "$(wc -l <"$T/said")" -ge 3 ]'
	[ "$(said)" = "READY=1 MAINPID=$(pid_of) BARRIER=1 +fd" ]
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "notify: a run in the foreground says READY itself, once, and lives on" {
	tell_make
	args sh -c 'tell READY=1; tell READY=1; tell STATUS=busy; echo said; exit 4'
	run --separate-stderr "$RUNC_HELPERS/service-manager" "@bock-$ID" "$T/said" \
		"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[ "$output" = said ]
	[ "$stderr" = "" ]
	main=$(sed -n 's/^began //p' "$T/said")
	grep -qx "ended 4" "$T/said"
	[ "$(grep -c READY "$T/said")" = 1 ]
	grep -qx "$main READY=1" "$T/said"
	[ "$(wc -l <"$T/said")" -eq 3 ] || fail "$(<"$T/said")"
	assert_no_leftovers
}

@test "notify: a container that ends without a word, or says anything else, ends the wait" {
	tell_make
	manager
	export NOTIFY_SOCKET=$T/manager
	args sh -c 'tell READY=0; tell NOTREADY=1; tell "READY=1 "; tell ERRNO=2; tell "MAINPID=1
WATCHDOG=trigger"; tell "READY=1
" 5000; tell FDSTORE=1'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	[ -z "$(said)" ] || fail "$(said)"
	wait_for 5 is stopped
	bock_runc delete "$ID"
	args sh -c 'tell READY=1; exit 0'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	[[ "$(said)" == "READY=1 MAINPID="* ]]
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "notify: a container that talks and talks doesn't keep run from its end" {
	tell_make
	manager
	args sh -c 'while :; do tell STATUS=busy; done'
	NOTIFY_SOCKET=$T/manager bock_runc run -d -b "$B" "$ID" 3>&- >/dev/null 2>&1 &
	runner=$!
	wait_for 5 is running
	sleep 0.5
	bock_runc delete --force "$ID"
	wait_for 5 eval "! kill -0 $runner 2>/dev/null"
	[ -z "$(said)" ]
	assert_no_leftovers
}

@test "notify: its folder is small, read-only and nobody else's" {
	manager
	args sh -c 'ls -l /run/notify; grep " /run/notify " /proc/self/mountinfo | cut -d" " -f6; touch /run/notify/x 2>&1; :'
	NOTIFY_SOCKET=$T/manager run_it
	assert_ok
	[[ ${lines[0]} == "total "* ]]
	[[ ${lines[1]} == srwxrwxrwx*notify.sock ]]
	[[ ${lines[2]} == ro,nosuid,nodev,noexec* ]]
	[[ ${lines[3]} == *"Read-only file system"* ]]
}

@test "notify: in a user namespace, whose root is nobody outside, and as an ordinary user" {
	tell_make
	manager
	chmod 711 "$T"
	chmod 777 "$T/manager"
	edit '.linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
		.linux.gidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
	chown -R 100000:100000 "$B/rootfs"
	open_path
	args tell READY=1
	NOTIFY_SOCKET=$T/manager run_it
	assert_ok ""
	[ "$(said)" = READY=1 ]
	kill "$MANAGER"
	user_setup
	user_bundle tell READY=1
	cp "$BATS_RUN_TMPDIR/tell" "$B/rootfs/bin/tell"
	manager "$USER_DIR/manager"
	chmod 777 "$USER_DIR/manager"
	run --separate-stderr as_user env NOTIFY_SOCKET="$USER_DIR/manager" "$BOCK_RUNC" run -b "$B" "$ID"
	assert_ok ""
	[ "$(said)" = READY=1 ]
}

@test "notify: a manager that isn't there is an error before anything is made" {
	args true
	for name in "$T/none" "@bock-none-$ID" relative "$T/$(printf 'x%.0s' {1..120})"; do
		NOTIFY_SOCKET=$name run_it
		assert_error NOTIFY_SOCKET
		[ ! -e "$STATE/$ID" ]
	done
	[ ! -e "$B/rootfs/run/notify" ]
	NOTIFY_SOCKET='' run_it
	assert_ok ""
	assert_no_leftovers
	run env NOTIFY_SOCKET="$T/none" "$BOCK_RUNC" --root "$STATE" run --dry-run -b "$B" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *"notify-open '$STATE/$ID/notify'"* ]]
	[[ $output == *"notify-mount '/run/notify'"* ]]
}

@test "notify: a container that was made without is started without" {
	manager
	args true
	detached create -b "$B" "$ID"
	NOTIFY_SOCKET=$T/manager detached start "$ID"
	assert_ok ""
	wait_for 5 is stopped
	bock_runc delete "$ID"
	[ -z "$(said)" ]
}

# with_fds N COMMAND...: with N descriptors from 3 on that lead to files named by their numbers
with_fds() {
	python3 -c 'import os, sys
for i in range(int(sys.argv[1])):
    fd = os.open(f"{sys.argv[2]}/fd{3 + i}", os.O_RDWR | os.O_CREAT)
    os.dup2(fd, 100 + i)
    os.close(fd)
for i in range(int(sys.argv[1])):
    os.dup2(100 + i, 3 + i)
    os.close(100 + i)
env = dict(os.environ)
if "LISTEN_PID" in env:
    env["LISTEN_PID"] = env["LISTEN_PID"].replace("me", str(os.getpid()))
os.execvpe(sys.argv[3], sys.argv[3:], env)' "$1" "$T" "${@:2}"
}

fds_of() { # [OPTION...]: run the bundle with 4 descriptors open
	run --separate-stderr with_fds 4 "$BOCK_RUNC" --root "$STATE" run -b "$B" "$@" "$ID"
}

@test "descriptors: --preserve-fds passes exactly as many, in their places" {
	args sh -c 'for fd in 3 4 5 6 7; do [ -e /proc/self/fd/$fd ] && echo "$fd $(readlink /proc/self/fd/$fd)"; done; env | grep LISTEN; :'
	fds_of
	assert_ok ""
	fds_of --preserve-fds 2
	assert_ok "3 $T/fd3
4 $T/fd4"
	fds_of --preserve-fds 5
	assert_error "please check that preserved-fd 4 (of 5) is present"
	[ ! -e "$STATE/$ID" ]
	fds_of --preserve-fds 4294967295
	assert_error "please check that preserved-fd"
}

@test "descriptors: LISTEN_FDS that are ours are passed first, with what the program must know" {
	args sh -c 'for fd in 3 4 5 6 7; do [ -e /proc/self/fd/$fd ] && echo "$fd"; done; env | grep LISTEN | sort'
	export LISTEN_FDS=2 LISTEN_PID=me LISTEN_FDNAMES=a:b
	for how in "" "--preserve-fds=1"; do
		fds_of $how
		[ "$(xargs <<<"$output")" = "3 4 ${how:+5 }LISTEN_FDNAMES=a:b LISTEN_FDS=2 LISTEN_PID=1" ] || fail "$how: $output; $stderr"
	done
	unset LISTEN_FDNAMES
	edit '.process.env += ["LISTEN_FDS=7", "LISTEN_PID=9"]'
	fds_of
	assert_ok "3
4
LISTEN_FDS=2
LISTEN_PID=1"
	LISTEN_FDS=5 fds_of
	assert_error "please check that preserved-fd 4 (of 5) is present"
	LISTEN_FDS=x fds_of
	assert_error LISTEN_FDS
	# a program that others see by another number is told that
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	args sh -c 'test "$LISTEN_PID" = $$ && echo mine'
	fds_of
	assert_ok mine
}

@test "descriptors: LISTEN_FDS of another process are not ours" {
	args sh -c 'for fd in 3 4 5; do [ -e /proc/self/fd/$fd ] && echo "$fd"; done; env | grep LISTEN; :'
	export LISTEN_FDS=2
	fds_of
	assert_ok ""
	LISTEN_PID=1 fds_of
	assert_ok ""
	LISTEN_PID=x fds_of
	assert_ok ""
}

@test "descriptors: create and start pass them as run does" {
	args sh -c 'for fd in 3 4; do readlink /proc/self/fd/$fd; done >/out; env | grep LISTEN | sort >>/out'
	LISTEN_FDS=1 LISTEN_PID=me with_fds 2 "$BOCK_RUNC" --root "$STATE" create --preserve-fds 1 -b "$B" "$ID" >/dev/null 3>&-
	detached start "$ID"
	assert_ok ""
	wait_for 5 is stopped
	[ "$(xargs <"$B/rootfs/out")" = "$T/fd3 $T/fd4 LISTEN_FDS=1 LISTEN_PID=1" ]
}
