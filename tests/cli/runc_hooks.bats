# SPDX-License-Identifier: Apache-2.0
# Hooks: when, where, with what, and what their failures do.

setup() {
	load ../helpers/runc
	runc_setup
	cat >"$T/hook" <<-'EOF'
		#!/bin/sh
		# hook NAME LOG: notes where it runs and what it was told
		{
			printf '%s %s ' "$1" "$(readlink /proc/self/ns/mnt)"
			cat
			echo
		} >>"$2"
	EOF
	chmod 755 "$T/hook"
}
teardown() { common_teardown; }

# add_hook KIND COMMAND [JQ]: a hook of the host's sh, or of the container's for startContainer
add_hook() {
	edit --arg k "$1" --arg c "$2" '.hooks[$k] += [{"path": "/bin/sh", "args": ["sh", "-c", $c],
		"env": ["PATH=/usr/bin:/bin"]} + '"${3:-{\}}"']'
}

@test "hooks: all six, in order, in their namespaces, with the state on stdin" {
	bundle sh -c 'echo program >>/log2; sleep 0.3' "$ID"
	for kind in prestart createRuntime createContainer poststart poststop; do
		add_hook $kind "$T/hook $kind $B/rootfs/log"
	done
	cp "$T/hook" "$B/rootfs/bin/hook"
	add_hook startContainer "hook startContainer /log"
	edit '.annotations = {"k": "v"}'
	detached create -b "$B" "$ID"
	assert_ok ""
	pid=$(pid_of)
	inner=$(readlink "/proc/$pid/ns/mnt")
	outer=$(readlink /proc/self/ns/mnt)
	detached start "$ID"
	assert_ok ""
	wait_for 5 is stopped
	bock_runc delete "$ID"
	[ "$(cut -d' ' -f1 "$B/rootfs/log" | xargs)" = \
		"prestart createRuntime createContainer startContainer poststart poststop" ]
	[ -e "$B/rootfs/log2" ]
	check() { # NAME NAMESPACE STATUS PID
		line=$(grep "^$1 " "$B/rootfs/log")
		[ "$(cut -d' ' -f2 <<<"$line")" = "$2" ] || fail "$1 ran in $line, expected $2" || return 1
		cut -d' ' -f3- <<<"$line" | jq -e --arg id "$ID" --arg s "$3" --arg b "$B" --argjson p "$4" \
			'.id == $id and .status == $s and .bundle == $b and (.pid // 0) == $p and
			.annotations == {"k": "v"} and .ociVersion == "1.3.0"' >/dev/null || fail "$line"
	}
	check prestart "$outer" created "$pid"
	check createRuntime "$outer" creating "$pid"
	check createContainer "$inner" creating 1
	check startContainer "$inner" created 1
	check poststart "$outer" running "$pid"
	check poststop "$outer" stopped 0
	assert_no_leftovers
}

@test "hooks: several of a kind run in their order" {
	bundle true
	for n in 1 2 3; do
		add_hook createRuntime "echo $n >>$T/log"
		add_hook poststop "echo stop$n >>$T/log"
	done
	run_it
	assert_ok ""
	[ "$(xargs <"$T/log")" = "1 2 3 stop1 stop2 stop3" ]
}

@test "hooks: runtime hooks see the container's mounts made and its root not yet entered" {
	bundle true
	add_hook createRuntime 'pid=$(sed "s/.*\"pid\":\([0-9]*\).*/\1/"); grep -c " '"$B"'/rootfs/proc " /proc/$pid/mountinfo >'"$T/log"
	run_it
	assert_ok ""
	[ "$(cat "$T/log")" = 1 ]
}

@test "hooks: arguments and environment are what is given, without one it is empty" {
	bundle true
	cat >"$T/show" <<-'EOF'
		#!/bin/bash
		tr '\0' ' ' </proc/$$/cmdline
		tr '\0' '\n' </proc/$$/environ | sort | xargs
	EOF
	chmod 755 "$T/show"
	edit --arg p "$T/show" '.hooks.createRuntime = [{"path": $p}]'
	sed -i "2i exec >>'$T/log'" "$T/show"
	BOCK_TEST_LEAK=1 run_it
	assert_ok ""
	edit '.hooks.createRuntime[0] += {"args": ["zero", "one two"], "env": ["A=1", "B=2"]}'
	run_it
	assert_ok ""
	[ "$(sed -n 1p "$T/log")" = "/bin/bash $T/show " ]
	[ "$(sed -n 2p "$T/log")" = "/bin/bash $T/show one two A=1 B=2" ]
}

@test "hooks: one that does not read its stdin is no failure" {
	bundle true
	edit --arg big "$(printf 'x%.0s' {1..100000})" '.annotations = {"big": $big}'
	add_hook createRuntime 'exec <&-; exit 0'
	run_it
	assert_ok ""
}

@test "hooks: a failure before the start undoes the container, and poststop runs" {
	for kind in prestart createRuntime createContainer; do
		rm -rf "$B"
		bundle true
		add_hook $kind 'echo told >&2; exit 3'
		add_hook $kind "touch $T/second"
		add_hook poststop "touch $T/poststop.$kind"
		detached create -b "$B" --pid-file "$T/pid" "$ID"
		assert_error "error running $kind hook #0: exit status 3, stdout: , stderr: told"
		[ ! -e "$T/second" ]
		[ ! -e "$T/pid" ]
		[ -e "$T/poststop.$kind" ] || fail "$kind: poststop did not run"
		assert_no_leftovers
	done
}

@test "hooks: a failure of startContainer is start's, and the program does not run" {
	bundle touch /ran
	add_hook startContainer 'exit 4'
	detached create -b "$B" "$ID"
	assert_ok ""
	detached start "$ID"
	assert_error 'error running startContainer hook #0: exit status 4'
	[ ! -e "$B/rootfs/ran" ]
	bock_runc delete --force "$ID"
	run_it
	assert_error 'error running startContainer hook #0: exit status 4'
	assert_no_leftovers
}

@test "hooks: a failure of poststart stops the container" {
	bundle sh -c 'sleep 1000 & wait' "$ID"
	add_hook poststart 'exit 5'
	detached create -b "$B" "$ID"
	detached start "$ID"
	assert_error 'error running poststart hook #0: exit status 5'
	wait_for 5 is stopped
	bock_runc delete "$ID"
	detached run -d -b "$B" "$ID"
	assert_error 'poststart hook #0'
	assert_no_leftovers
}

@test "hooks: a failure of poststop is a warning, and the others still run" {
	bundle true
	add_hook poststop 'exit 6'
	add_hook poststop "touch $T/second"
	run_it
	[ "$status" -eq 0 ]
	[[ $stderr == *"poststop hook #0: exit status 6"* ]]
	[ -e "$T/second" ]
	assert_no_leftovers
}

@test "hooks: one that runs out of time is killed" {
	bundle true
	add_hook createRuntime 'sleep 100' '{"timeout": 1}'
	start=$SECONDS
	run_it
	assert_error 'createRuntime hook #0'
	[ $((SECONDS - start)) -lt 10 ]
	assert_no_leftovers
}

@test "hooks: paths that are not absolute or not there, timeouts that are none" {
	bundle true
	refused '.hooks.createRuntime = [{"path": "hook"}]' "hooks.createRuntime[0].path: 'hook' is not absolute"
	refused '.hooks.prestart = [{"path": "/no/such"}]' 'prestart hook #0'
	refused '.hooks.poststop = [{"path": "x"}]' 'hooks.poststop[0].path'
	refused '.hooks.createContainer = [{"path": "/bin/sh", "timeout": 0}]' 'hooks.createContainer[0].timeout'
	refused '.hooks.startContainer = [{"path": "/bin/sh", "timeout": -1}]' 'timeout'
	refused '.hooks.poststart = [{}]' 'hooks.poststart[0].path'
}

@test "hooks: their output goes to the files of the annotations, all six kinds" {
	bundle true
	for kind in prestart createRuntime createContainer poststart poststop; do
		add_hook $kind "echo $kind; echo $kind-err >&2"
	done
	add_hook startContainer 'echo startContainer; echo startContainer-err >&2'
	edit --arg e "$T/err" '.annotations = {"run.oci.hooks.stdout": "out", "run.oci.hooks.stderr": $e}'
	run_it
	assert_ok ""
	[ "$(xargs <"$B/out")" = "prestart createRuntime createContainer startContainer poststart poststop" ]
	[ "$(xargs <"$T/err")" = "prestart-err createRuntime-err createContainer-err startContainer-err poststart-err poststop-err" ]
	[ "$(stat -c %a "$T/err")" = 600 ]
	detached create -b "$B" "$ID"
	detached start "$ID"
	assert_ok ""
	wait_for 5 is stopped
	bock_runc delete "$ID"
	[ "$(wc -l <"$B/out")" -eq 12 ]
	assert_no_leftovers
}

@test "hooks: a file of the annotations that can't be opened is an error, and of poststop a warning" {
	bundle sh -c 'ls -l /proc/$$/fd; :'
	add_hook poststop "touch $T/ran"
	refused '.annotations = {"run.oci.hooks.stderr": "/no/such/file"}' \
		"annotations: 'run.oci.hooks.stderr': open '/no/such/file': No such file or directory"
	[ -e "$T/ran" ]
	mkfifo "$T/fifo"
	refused ".annotations = {\"run.oci.hooks.stderr\": \"$T/fifo\"}" "open '$T/fifo': No such device or address"
	edit --arg o "$T/out" '.annotations = {"run.oci.hooks.stdout": $o}'
	run_it
	assert_ok
	[[ $output != *"$T/out"* ]]
	rm -r "$B"
	bundle sh -c 'sleep 1000 & wait' "$ID"
	add_hook poststop "touch $T/ran2"
	mkdir "$T/dir"
	edit --arg o "$T/dir/out" '.annotations = {"run.oci.hooks.stdout": $o}'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	rm -r "$T/dir"
	detached delete --force "$ID"
	[ "$status" -eq 0 ]
	[[ $stderr == *"run.oci.hooks.stdout"* ]]
	[ -e "$T/ran2" ]
	assert_no_leftovers
}

@test "hooks: the runtime's run in the bundle's folder, createContainer's in the root file system" {
	bundle true
	for kind in prestart createRuntime createContainer poststart poststop; do
		add_hook $kind "pwd >>$T/log"
	done
	run_it
	assert_ok ""
	[ "$(xargs <"$T/log")" = "$B $B $B/rootfs $B $B" ]
	# a bundle may be gone before its container
	detached create -b "$B" "$ID"
	mv "$B" "$B.gone"
	rm "$T/log"
	cd "$T"
	detached delete --force "$ID"
	assert_ok ""
	[ "$(cat "$T/log")" = "$T" ]
}

# all_ns PID|self: the kinds of namespace and which
all_ns() { for ns in cgroup ipc mnt net pid time user uts; do echo "$ns $(readlink "/proc/$1/ns/$ns")"; done; }

@test "hooks: each kind runs in exactly its namespaces, all eight of them" {
	bundle sh -c 'sleep 1000 & wait' "$ID"
	edit '.linux.namespaces += [{"type": "time"}, {"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		edit --arg k $kind --arg c 'for ns in cgroup ipc mnt net pid time user uts; do echo "$ns $(readlink /proc/self/ns/$ns)"; done'" >$([ $kind = startContainer ] || echo "$T")/$kind" \
			'.hooks[$k] = [{"path": "/bin/sh", "args": ["sh", "-c", $c], "env": ["PATH=/bin:/usr/bin"]}]'
	done
	mkdir -p "$B/rootfs$T"
	detached create -b "$B" "$ID"
	assert_ok ""
	inner=$(all_ns "$(pid_of)")
	outer=$(all_ns self)
	[ "$(paste <(echo "$inner") <(echo "$outer") | awk '$2 == $4' | wc -l)" = 0 ]
	detached start "$ID"
	assert_ok ""
	bock_runc delete --force "$ID"
	for kind in prestart createRuntime poststart poststop; do
		[ "$(<"$T/$kind")" = "$outer" ] || fail "$kind ran in $(<"$T/$kind")"
	done
	[ "$(<"$T/createContainer")" = "$inner" ] || fail "createContainer ran in $(<"$T/createContainer"), not $inner"
	[ "$(<"$B/rootfs/startContainer")" = "$inner" ] || fail "startContainer ran in $(<"$B/rootfs/startContainer"), not $inner"
	assert_no_leftovers
}

@test "hooks: startContainer's environment is its own and not the process's; what a hook leaves running is no matter" {
	bundle true
	edit '.process.env += ["LEAK=1"] | .hooks.startContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "tr \"\\\\0\" \"\\\\n\" </proc/$$/environ >/env"]}]'
	add_hook createRuntime 'sleep 3 & exit 0'
	start=$SECONDS
	run_it
	assert_ok ""
	[ $((SECONDS - start)) -lt 3 ]
	run grep LEAK "$B/rootfs/env"
	[ "$status" -eq 1 ] || fail "$(<"$B/rootfs/env")"
}
