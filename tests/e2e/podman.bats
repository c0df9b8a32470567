# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # status and output are bats'; what containers expand
#
# podman, with bock-runc as its runtime: run, and what becomes of a container.

setup_file() {
	load ../helpers/podman
	podman_setup_file
}
teardown_file() { podman_teardown_file; }
setup() {
	load ../helpers/podman
	podman_setup
}
teardown() { podman_teardown; }

# A container that ends by SIGTERM with 7, and says so
trapper() { pr -d --name "$NAME" "$@" "$IMAGE" sh -c 'trap "echo term; exit 7" TERM; trap "echo usr1" USR1; echo up; while :; do sleep 0.1; done'; }

# The terminal's size, which podman sets when the program runs already
SIZE='for i in $(seq 100); do stty size 2>/dev/null | grep . && break; sleep 0.1; done'

inspect() { pm inspect --format "{{.State.$1}}" "$NAME"; }
is() { [ "$(inspect Status)" = "$1" ]; }
log_has() { pm logs "$NAME" | grep -qx -- "$1"; }

# ---- run -------------------------------------------------------------------------------------------

@test "podman run: says what the program says, and ends as it ends" {
	prun "$IMAGE" sh -c 'echo out; echo err >&2; exit 7'
	assert_ran 7 out
	[ "$stderr" = err ] || fail "$stderr"
}

@test "podman run: a missing command is 127, one that can't be executed 126" {
	prun "$IMAGE" nosuchcommand
	assert_ran 127
	[[ $stderr == *'executable file not found in $PATH'* ]] || fail "$stderr"
	prun "$IMAGE" /no/such/command
	assert_ran 127
	[[ $stderr == *'no such file or directory'* ]] || fail "$stderr"
	prun "$IMAGE" /bin/not-executable
	assert_ran 126
	[[ $stderr == *'permission denied'* ]] || fail "$stderr"
	prun "$IMAGE" /etc
	assert_ran 126
	prun --workdir /bin/sh "$IMAGE" true
	[ "$status" -ne 0 ]
}

@test "podman run: user, groups, name, folder, environment, umask" {
	prun --user 1000:1001 --group-add 7 --hostname here --workdir /tmp --env 'A=b c' --umask 0027 "$IMAGE" \
		sh -c 'id -u; id -g; id -G; hostname; pwd; echo "$A"; umask'
	assert_ran 0 '1000
1001
1001 7
here
/tmp
b c
0027'
	prun --user nobody "$IMAGE" id -un
	assert_ran 0 nobody
}

@test "podman run: --interactive reads standard input to its end" {
	status=0
	output=$(head -c 300000 /dev/zero | tr '\0' x | pr --rm --interactive "$IMAGE" wc -c) || status=$?
	[ "$status:$output" = 0:300000 ] || fail "$status:$output"
}

@test "podman run: --tty below script: a terminal, its size, one's own exit code" {
	need_cmd script util-linux
	status=0
	output=$(script -qec "stty cols 93 rows 41; '$P/bin/pm' run --network=none --rm -t $IMAGE sh -c 'tty; test -t 0 && test -t 2 && $SIZE; exit 3'" /dev/null </dev/null 3>&-) || status=$?
	output=${output//$'\r'/}
	[ "$status" -eq 3 ] || fail "status $status: $output"
	[[ $output == *'/dev/'*'41 93'* ]] || fail "$output"
}

@test "podman run: --interactive --tty below tmux: what is typed arrives, ^C too" {
	need_cmd tmux
	local -a tm=(tmux -S "$P/tmux" -f /dev/null)
	"${tm[@]}" new-session -d -x 90 -y 30 "'$P/bin/pm' run --network=none -it --name $NAME $IMAGE sh -c 'trap \"echo caught; exit 9\" INT; echo ready; read x; echo \"got \$x\"; read x' ; echo code \$?; sleep 100" 3>&-
	screen() { "${tm[@]}" capture-pane -p | grep -q -- "$1"; }
	wait_for 20 screen ready
	"${tm[@]}" send-keys 'some words' Enter
	wait_for 20 screen 'got some words'
	"${tm[@]}" send-keys C-c
	wait_for 20 screen caught
	wait_for 20 screen 'code 9'
	"${tm[@]}" kill-server
}

@test "podman run: --rootfs, a folder instead of an image" {
	cp -a "$P/rootfs" "$T/rootfs"
	prun --rootfs "$T/rootfs" sh -c 'echo from a folder >/written; cat /written'
	assert_ran 0 'from a folder'
	[ -e "$T/rootfs/written" ]
}

# ---- a container's life ----------------------------------------------------------------------------

@test "podman: run -d, logs, kill -s, stop, start, restart, wait, rm" {
	trapper
	wait_for 10 log_has up
	is running
	pm kill --signal USR1 "$NAME"
	wait_for 10 log_has usr1
	pm stop --time 10 "$NAME"
	is exited
	[ "$(inspect ExitCode)" = 7 ]
	log_has term
	pm start "$NAME"
	is running
	pm restart --time 10 "$NAME"
	is running
	pm kill "$NAME"
	[ "$(pm wait "$NAME")" = 137 ]
	pm rm "$NAME"
	got pm inspect "$NAME"
	[ "$status" -ne 0 ]
}

@test "podman: rm --force of a container that runs, and of one that is paused" {
	trapper
	pm rm --force --time 0 "$NAME"
	trapper
	pm pause "$NAME"
	is paused
	pm rm --force --time 0 "$NAME"
	got pm ps --all --quiet
	assert_ran 0 ''
}

@test "podman: pause and unpause, stop of a program that does not listen" {
	pr -d --name "$NAME" "$IMAGE" sh -c 'trap : TERM; i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done'
	wait_for 10 log_has 3
	pm pause "$NAME"
	is paused
	before=$(pm logs "$NAME" | tail -n 1)
	sleep 0.5
	[ "$(pm logs "$NAME" | tail -n 1)" = "$before" ] || fail 'it goes on while paused'
	got pm exec "$NAME" true
	[ "$status" -ne 0 ]
	pm unpause "$NAME"
	is running
	wait_for 10 log_has $((before + 2))
	pm stop --time 1 "$NAME"
	[ "$(inspect ExitCode)" = 137 ]
}

@test "podman: create, start --attach; a container that could not be created goes away" {
	pm create --network=none --name "$NAME" "$IMAGE" sh -c 'echo attached; exit 4'
	got pm start --attach "$NAME"
	assert_ran 4 attached
	got pm start --attach "$NAME"
	assert_ran 4 attached
	pm rm "$NAME"
	pm create --network=none --name "$NAME" "$IMAGE" /no/such
	got pm start "$NAME"
	[ "$status" -ne 0 ]
	pm rm "$NAME"
}

@test "podman: top, cp, diff, stats" {
	trapper --user 1000
	got pm top "$NAME" pid user args
	assert_status 0
	[[ $output == *'1000'*'trap'* ]] || fail "$output"
	echo in >"$T/file"
	pm cp "$T/file" "$NAME:/tmp/in"
	[ "$(pm exec "$NAME" cat /tmp/in)" = in ]
	pm cp "$NAME:/bin/not-executable" "$T/out"
	cmp "$T/out" "$P/rootfs/bin/not-executable"
	pm diff "$NAME" | grep -qx 'A /tmp/in'
}

@test "podman: healthcheck run" {
	pr -d --name "$NAME" --health-cmd 'test -e /tmp/well' --health-interval=disable --health-retries 1 "$IMAGE" sleep 1000
	got pm healthcheck run "$NAME"
	[ "$status" -eq 1 ] || fail "$output"
	[ "$(pm inspect --format '{{.State.Health.Status}}' "$NAME")" = unhealthy ]
	pm exec "$NAME" touch /tmp/well
	got pm healthcheck run "$NAME"
	assert_ran 0
	[ "$(pm inspect --format '{{.State.Health.Status}}' "$NAME")" = healthy ]
}

@test "podman: --init reaps and forwards" {
	[ -x /usr/libexec/podman/catatonit ] || skip 'no /usr/libexec/podman/catatonit (Debian: catatonit)'
	pr -d --name "$NAME" --init "$IMAGE" sh -c 'trap "exit 7" TERM; (sleep 0.1 &) ; echo up; while :; do sleep 0.1; done'
	wait_for 10 log_has up
	[ "$(pm exec "$NAME" cat /proc/1/comm)" = catatonit ] || [ "$(pm exec "$NAME" cat /proc/1/comm)" = podman-init ]
	sleep 0.3
	got pm exec "$NAME" sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null'
	[ -z "$output" ] || fail "zombies: $output"
	pm stop --time 10 "$NAME"
	[ "$(inspect ExitCode)" = 7 ]
}

@test "podman: a pod whose containers share their namespaces" {
	pm pod create --name "pod-$NAME" --network=none --hostname inpod >/dev/null
	pm run -d --pod "pod-$NAME" --name "$NAME" "$IMAGE" sh -c 'echo x >/dev/shm/one; sleep 1000'
	got pm run --rm --pod "pod-$NAME" "$IMAGE" sh -c 'hostname; cat /dev/shm/one; for ns in net ipc uts; do readlink /proc/self/ns/$ns; done'
	assert_ran 0
	[ "${lines[0]} ${lines[1]}" = 'inpod x' ]
	[ "$(printf '%s\n' "${lines[@]:2}")" = "$(pm exec "$NAME" sh -c 'for ns in net ipc uts; do readlink /proc/self/ns/$ns; done')" ]
	pm pod pause "pod-$NAME" >/dev/null
	is paused
	pm pod unpause "pod-$NAME" >/dev/null
	pm pod stop --time 0 "pod-$NAME" >/dev/null
	pm pod start "pod-$NAME" >/dev/null
	is running
	pm pod rm --force --time 0 "pod-$NAME" >/dev/null
}

@test "podman: play kube, and --down" {
	cat >"$T/kube.yaml" <<-YAML
		apiVersion: v1
		kind: Pod
		metadata:
		  name: kube-$NAME
		spec:
		  hostNetwork: true
		  containers:
		    - name: one
		      image: $IMAGE
		      imagePullPolicy: Never
		      command: ["/bin/sh", "-c", "echo from kube; sleep 1000"]
		      securityContext:
		        readOnlyRootFilesystem: true
		        capabilities:
		          drop: [ALL]
	YAML
	pm play kube "$T/kube.yaml" >/dev/null
	NAME=kube-$NAME-one
	wait_for 10 log_has 'from kube'
	[ "$(pm exec "$NAME" grep ^CapEff /proc/self/status)" = 'CapEff:	0000000000000000' ]
	pm play kube --down "$T/kube.yaml" >/dev/null
	got pm ps --all --quiet
	assert_ran 0 ''
}

# ---- exec ------------------------------------------------------------------------------------------

@test "podman exec: output, input, exit codes, user, folder, environment" {
	pr -d --name "$NAME" --env A=1 "$IMAGE" sleep 1000
	got pm exec --user 1000:7 --workdir /tmp --env B=2 "$NAME" sh -c 'id -u; id -g; pwd; echo "$A$B"; echo err >&2; exit 5'
	assert_ran 5 '1000
7
/tmp
12'
	[ "$stderr" = err ] || fail "$stderr"
	[ "$(echo typed | pm exec --interactive "$NAME" cat)" = typed ]
	got pm exec "$NAME" nosuchcommand
	[ "$status" -eq 127 ] || fail "$status: $output"
	got pm exec "$NAME" /no/such
	[ "$status" -eq 127 ] || fail "$status: $output"
	got pm exec "$NAME" /bin/not-executable
	[ "$status" -eq 126 ] || fail "$status: $output"
	got pm exec "$NAME" sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ] || fail "$status: $output"
}

@test "podman exec: --privileged, --detach, --tty" {
	need_cmd script util-linux
	pr -d --name "$NAME" --cap-drop ALL "$IMAGE" sleep 1000
	got pm exec "$NAME" grep ^CapEff /proc/self/status
	assert_ran 0 'CapEff:	0000000000000000'
	got pm exec --privileged "$NAME" grep ^CapEff /proc/self/status
	[ "$status" -eq 0 ]
	[ "$output" != 'CapEff:	0000000000000000' ]
	pm exec --detach "$NAME" sh -c 'echo detached >/tmp/done' >/dev/null
	wait_for 10 pm exec "$NAME" test -s /tmp/done
	status=0
	output=$(script -qec "stty cols 93 rows 41; '$P/bin/pm' exec -t $NAME sh -c 'test -t 0 && test -t 2 && $SIZE; exit 6'" /dev/null </dev/null 3>&-) || status=$?
	[ "$status:${output//$'\r'/}" = '6:41 93' ] || fail "$status:$output"
}

# ---- what podman and conmon called ---------------------------------------------------------------------

@test "podman: the runtime was called as it is known to be called, and served each call" {
	assert_calls_known
}
