# SPDX-License-Identifier: Apache-2.0
# Whom a container is announced to, and what it is given: --pidfd-socket, descriptors, groups.

setup() {
	load ../helpers/runc
	runc_setup
	need_cmd python3
	bundle
}
teardown() {
	[ -z "${PEER-}" ] || kill "$PEER" 2>/dev/null || :
	user_teardown
	common_teardown
}

# pidfd_receiver SOCKET: writes "PAYLOAD PID" of the pidfd that comes to SOCKET.out, and "alive", or "ended"
# when the process has.
pidfd_receiver() {
	rm -f "$1" "$1.out"
	python3 -c 'import array, select, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1] + ".new")
server.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])  # who sees it can connect
server.settimeout(20)
conn = server.accept()[0]
fds = array.array("i")
data, ancillary, _, _ = conn.recvmsg(4096, socket.CMSG_SPACE(fds.itemsize))
fds.frombytes(ancillary[0][2])
info = dict(line.split(":\t", 1) for line in open(f"/proc/self/fdinfo/{fds[0]}").read().splitlines() if ":\t" in line)
poll = select.poll()
poll.register(fds[0], select.POLLIN)
with open(sys.argv[1] + ".out", "w", 1) as out:
    print(data.decode(), info["Pid"], "dead" if poll.poll(0) else "alive", file=out)
    print("ended" if poll.poll(20000) else "still alive", file=out)
' "$1" 3>&- &
	PEER=$!
	wait_for 10 test -S "$1"
}

@test "sockets: --pidfd-socket gets a pidfd of the first process, of create and of run" {
	args sh -c 'sleep 1000 & wait' "$ID"
	pidfd_receiver "$T/sock"
	detached create -b "$B" --pidfd-socket "$T/sock" "$ID"
	assert_ok ""
	wait_for 10 test -s "$T/sock.out"
	[ "$(<"$T/sock.out")" = "standard $(pid_of) alive" ]
	bock_runc delete --force "$ID"
	wait_for 10 grep -qx ended "$T/sock.out"
	for how in "-d" ""; do
		args sh -c 'exit 3'
		pidfd_receiver "$T/sock"
		run_it $how --pidfd-socket "$T/sock"
		wait_for 10 grep -qx ended "$T/sock.out"
		grep -qE '^standard -?[0-9]+ (alive|dead)$' "$T/sock.out"
		bock_runc delete --force "$ID"
	done
	assert_no_leftovers
}

@test "sockets: --pidfd-socket of exec gets a pidfd of the process that it runs" {
	args sh -c 'sleep 1000 & wait' "$ID"
	detached run -d -b "$B" "$ID"
	assert_ok ""
	pidfd_receiver "$T/sock"
	detached exec -d --pidfd-socket "$T/sock" --pid-file "$T/pid" "$ID" sh -c 'sleep 1000 & wait' "$ID"
	assert_ok ""
	wait_for 10 test -s "$T/sock.out"
	[ "$(<"$T/sock.out")" = "setns $(<"$T/pid") alive" ]
	bock_runc kill --all "$ID" KILL
	wait_for 10 grep -qx ended "$T/sock.out"
	wait_for 10 is stopped
	pidfd_receiver "$T/sock"
	detached delete "$ID"
	detached exec --pidfd-socket "$T/none" "$ID" true
	[ "$status" -eq 255 ]
}

@test "sockets: the receiver may stand in an annotation, and the option goes before it" {
	edit --arg s "$T/sock" '.annotations = {"run.oci.pidfd_receiver": $s}'
	args true
	pidfd_receiver "$T/sock"
	run_it
	assert_ok ""
	wait_for 10 grep -qx ended "$T/sock.out"
	edit '.annotations = {"run.oci.pidfd_receiver": "/no/such"}'
	pidfd_receiver "$T/sock"
	run_it --pidfd-socket "$T/sock"
	assert_ok ""
	wait_for 10 grep -qx ended "$T/sock.out"
	refused . "pidfd socket: connect to socket '/no/such': No such file or directory"
}

@test "sockets: nobody at the pidfd socket is an error before anything is made" {
	run_it --pidfd-socket "$T/none"
	assert_error "pidfd socket: connect to socket '$T/none'"
	[ ! -e "$STATE/$ID" ]
	assert_no_leftovers
}

@test "sockets: an ordinary user's pidfd" {
	user_setup
	user_bundle true
	chmod 711 "$T"
	pidfd_receiver "$USER_DIR/sock"
	chmod 777 "$USER_DIR/sock"
	user_runs --pidfd-socket "$USER_DIR/sock"
	assert_ok ""
	wait_for 10 grep -qx ended "$USER_DIR/sock.out"
}

@test "sockets: no container's program gets the runtime's sockets" {
	pidfd_receiver "$T/sock"
	args sh -c 'ls -l /proc/$$/fd; exec sleep 0.5'
	run_it --pidfd-socket "$T/sock"
	assert_ok
	refute_output -p socket
}

# What the host's program has as supplementary groups, as the container sees them.
with_groups() { # ID,ID...
	local all=$1
	shift
	run --separate-stderr setpriv --groups "$all" "$BOCK_RUNC" --root "$STATE" run -b "$B" "$@" "$ID"
}

@test "groups: those of the caller stay where the annotation says so, and only there" {
	args sh -c 'grep ^Groups: /proc/self/status | cut -f2 | xargs'
	edit '.process.user.additionalGids = [77]'
	with_groups 3,4
	assert_ok 77
	for value in 1 true; do
		edit --arg v $value '.annotations = {"run.oci.keep_original_groups": $v}'
		with_groups 3,4
		assert_ok "3 4"
	done
	edit '.annotations = {"run.oci.keep_original_groups": "0"}'
	with_groups 3,4
	assert_ok 77
	# in a user namespace they are there, as what they are: nobody's
	edit '.annotations = {"run.oci.keep_original_groups": "1"} | .linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}] | .linux.gidMappings = [{"containerID": 0, "hostID": 1000, "size": 65536}]'
	with_groups 3,1004
	assert_ok "4 65534" || assert_ok "65534 4"
}
