# SPDX-License-Identifier: Apache-2.0
# What bock-runc says and leaves when one system call of it fails, or when another command comes in between: each
# test is a fault that tests/crash has found. The driver is tests/crash/strike.c.

setup() {
	load ../helpers/runc
	runc_setup
	STRIKE=$BOCK_BUILDDIR/tests/crash/strike
	[ -x "$STRIKE" ] || STRIKE=$TOP/build/tests/crash/strike
	[ -x "$STRIKE" ] || skip "$STRIKE is not built (make check TESTS=)"
	[ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" -le 2 ] || skip "ptrace is off (ptrace_scope 3)"
	mkdir -m 700 "$STATE" # or the first command makes more calls than the others
	# leak detection can't work under ptrace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}
# A sanitizer's own calls, and its end where memory is refused, stand between those that are counted here.
need_own_calls() {
	! grep -q '^#define BK_SANITIZED 1' "$BOCK_BUILDDIR/config.h" || skip "a sanitizer makes system calls of its own (BK_SANITIZED in config.h)"
}

teardown() { common_teardown; }

# point CALL WHAT COMMAND...: runs it unharmed and sets $at to the first CALL of its that is about WHAT (regular
# expressions: C libraries differ in the call by which they open)
point() {
	local call=$1 what=$2
	shift 2
	"$STRIKE" --report "$T/report" "$BOCK_RUNC" --root "$STATE" "$@" </dev/null >/dev/null 2>&1 3>&- || :
	at=$(awk -F '\t' -v call="$call" -v what="$what" '$3 ~ "^(" call ")$" && $5 ~ what { print $1 ":" $2; exit }' "$T/report")
	[ -n "$at" ] || fail "no $call of $what: $(cut -f 1-5 "$T/report")"
}

# struck OPTION... -- COMMAND...: bock-runc under the driver, at $at; as detached
struck() {
	local -a how=()
	while [ "$1" != -- ]; do
		how+=("$1")
		shift
	done
	shift
	status=0
	"$STRIKE" --timeout 60 --report "$T/report" --at "$at" "${how[@]}" "$BOCK_RUNC" --root "$STATE" "$@" \
		</dev/null >"$T/.stdout" 2>"$T/.stderr" 3>&- || status=$?
	output=$(<"$T/.stdout")
	stderr=$(<"$T/.stderr")
	[ -s "$T/report" ] || fail "the point was not reached"
}

# held COMMAND...: bock-runc in the background, waiting at $at until let_go; its pid in $held
held() {
	"$STRIKE" --timeout 60 --at "$at" --hold "$T/hold" "$BOCK_RUNC" --root "$STATE" "$@" </dev/null \
		>"$T/held.out" 2>"$T/held.err" 3>&- &
	held=$!
	wait_for 30 test -e "$T/hold"
}

let_go() { # its end: $status
	rm "$T/hold"
	status=0
	wait "$held" || status=$?
	output=$(<"$T/held.out")
	stderr=$(<"$T/held.err")
}

running() {
	sleeper
	detached run -d -b "$B" "$ID"
	assert_ok ""
}

@test "fault: a create that can't open its own folder takes it away again" {
	sleeper
	point "open(at)?" "$STATE/$ID\$" create -b "$B" "$ID"
	bock_runc delete --force "$ID"
	struck --fault EMFILE -- create -b "$B" "$ID"
	assert_error "Too many open files"
	assert_no_leftovers
}

@test "fault: a start that can't connect leaves the container to be started" {
	sleeper
	detached create -b "$B" "$ID"
	assert_ok ""
	point connect "" start "$ID"
	bock_runc delete --force "$ID"
	detached create -b "$B" "$ID"
	struck --fault ENOMEM -- start "$ID"
	assert_error "Cannot allocate memory"
	assert_is created
	bock_runc start "$ID"
	assert_is running
}

@test "fault: what lives is not said to have stopped because it can't be looked at" {
	need_own_calls
	running
	point pidfd_open "" state "$ID"
	struck --fault EMFILE -- state "$ID"
	assert_error "Too many open files"
	[ -z "$output" ]
	point pidfd_open "" list
	struck --fault EMFILE -- list
	assert_error "Too many open files"
	point pidfd_open "" kill "$ID" 0
	struck --fault ENOMEM -- delete "$ID"
	assert_error "Cannot allocate memory"
	assert_is running
	point "open(at)?" cgroup.freeze state "$ID"
	struck --fault EIO -- state "$ID"
	assert_error "Input/output error"
}

@test "fault: a delete that can't look into the folder or the cgroup says so, and removes nothing by halves" {
	running
	point flock "$STATE/$ID\$" delete "$ID"
	at=${at%:*}:$((${at#*:} + 1)) # the fstat behind the lock
	struck --fault EIO -- delete --force "$ID"
	assert_error "Input/output error"
	assert_is running
	point "open(at)?" "cgroup.*/$ID\$" delete --force "$ID"
	detached run -d -b "$B" "$ID"
	assert_ok ""
	struck --fault EIO -- delete --force "$ID"
	assert_error "open cgroup '/$ID'"
}

@test "fault: poststop hooks that can't be read are told" {
	sleeper
	edit '.hooks.poststop = [{"path": "/bin/true"}]'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	rm "$STATE/$ID/config.json"
	run --separate-stderr bock_runc delete --force "$ID"
	[ "$status" -eq 0 ]
	[[ $stderr == *"the poststop hooks are not run: "*"No such file or directory"* ]] || fail "$stderr"
}

@test "fault: a capability that stays in the bounding set is an error, one that was never there is not" {
	local bounding n absent=
	sleeper
	edit '.process.capabilities |= map_values(["CAP_KILL"])'
	bounding=$((16#$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)))
	for ((n = 0; n < 40; n++)); do
		((bounding >> n & 1)) || absent=$n
	done
	point prctl '^PR_CAPBSET_DROP 21$' run -d -b "$B" "$ID" # CAP_SYS_ADMIN
	bock_runc delete --force "$ID"
	struck --fault EPERM -- run -d -b "$B" "$ID"
	assert_error "drop CAP_SYS_ADMIN from the capability bounding set: Operation not permitted"
	assert_no_leftovers
	[ -n "$absent" ] || return 0
	point prctl "^PR_CAPBSET_DROP $absent\$" run -d -b "$B" "$ID"
	bock_runc delete --force "$ID"
	struck --fault EPERM -- run -d -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	grep -q '^CapBnd:.*0000000000000020$' "/proc/$(pid_of)/status"
}

@test "fault: a hook's process that can't be made is told, and not waited for" {
	sleeper
	edit '.hooks.poststop = [{"path": "/bin/true"}]'
	detached create -b "$B" "$ID"
	assert_ok ""
	point clone "" delete "$ID"
	detached create -b "$B" "$ID"
	assert_ok ""
	struck --fault EAGAIN -- delete "$ID"
	[[ $stderr == *"make a process for '/bin/true': Resource temporarily unavailable"* ]] || fail "$status $stderr"
	edit '.hooks = {"createRuntime": [{"path": "/bin/true"}]}'
	bock_runc delete --force "$ID"
	point clone "" create -b "$B" "$ID"
	bock_runc delete --force "$ID"
	struck --fault ENOMEM -- create -b "$B" "$ID"
	assert_error "Cannot allocate memory"
	assert_no_leftovers
}

# with_criu: a criu that is none, in criu_args; images for it
with_criu() {
	need_cmd criu
	mkdir "$T/fake" "$T/img"
	printf '#!/bin/sh\nexec "%s/criu-fake" "%s" "$@"\n' "$RUNC_HELPERS" "$T/fake" >"$T/criu"
	chmod +x "$T/criu"
	criu_args=(--criu "$T/criu" --image-path "$T/img")
	echo '["/dev/null","/dev/null","/dev/null"]' >"$T/img/descriptors.json"
}

@test "fault: a checkpoint that can't look at what is outside of the container is none" {
	local call what errno words
	with_criu
	sleeper
	edit '.linux.maskedPaths = ["/etc/hosts"] | .mounts += [{"destination": "/mnt", "source": "/", "options": ["bind"]}]'
	: >"$B/rootfs/etc/hosts"
	detached run -d -b "$B" "$ID"
	assert_ok ""
	while read -r call what errno words; do
		point "$call" "$what" checkpoint --leave-running "${criu_args[@]}" "$ID"
		struck --fault "$errno" -- checkpoint --leave-running "${criu_args[@]}" "$ID"
		assert_error "$words" || fail "$call $what" || return 1
		assert_is running
	done <<-'END'
		faccessat2? /notify$ EIO look for 'notify': Input/output error
		statfs /sys/fs/cgroup EIO Input/output error
		openat2 /etc/hosts$ EMFILE linux.maskedPaths: open '/etc/hosts': Too many open files
		openat2 /mnt$ ENOMEM Cannot allocate memory
		open(at)? /fdinfo/0$ EMFILE Too many open files
	END
	point "readlink(at)?" "^/proc/self/fd/" checkpoint --leave-running "${criu_args[@]}" "$ID"
	for at in $(awk -F '\t' '$3 ~ "^readlink" && $5 ~ "^/proc/self/fd/" { print $1 ":" $2 }' "$T/report"); do
		struck --fault EIO -- checkpoint --leave-running "${criu_args[@]}" "$ID"
		assert_error "Input/output error" || fail "$at" || return 1
	done
}

@test "fault: a restore that can't leave criu's mount namespace at once leaves nothing there" {
	with_criu
	sleeper
	point setns 'mnt:' restore "${criu_args[@]}" -b "$B" -d "$ID"
	bock_runc delete --force "$ID"
	# those of the way back
	for at in $(awk -F '\t' '$3 == "setns" && $5 ~ "mnt:" { print $1 ":" $2 }' "$T/report"); do
		struck --fault ENOMEM -- restore "${criu_args[@]}" -b "$B" -d "$ID"
		[ "$status" -eq 0 ] || assert_error "Cannot allocate memory" || return 1
		[ "$status" -ne 0 ] || bock_runc delete --force "$ID"
		assert_no_leftovers || fail "$at" || return 1
	done
	point ioctl 'mnt:' restore "${criu_args[@]}" -b "$B" -d "$ID"
	bock_runc delete --force "$ID"
	struck --fault EPERM -- restore "${criu_args[@]}" -b "$B" -d "$ID"
	assert_error "of which type the namespace '/proc/self/ns/mnt' is: Operation not permitted"
	assert_no_leftovers
}

@test "fault: an update that can't see our device program does not put another beside it" {
	need_own_calls
	need_cgroup2
	running
	printf '{"devices": [{"allow": true, "access": "rwm"}]}' >"$T/all"
	point bpf "" update -r "$T/all" "$ID"
	at=${at%:*}:$((${at#*:} + 1)) # the one behind the query
	struck --fault EPERM -- update -r "$T/all" "$ID"
	assert_error "linux.resources.devices: look at a program of the cgroup"
}

@test "fault: exec into a frozen container ends with the container, and does not keep it from ending" {
	need_cgroup2
	running
	bock_runc pause "$ID"
	"$BOCK_RUNC" --root "$STATE" exec --ignore-paused "$ID" true </dev/null >"$T/exec.out" 2>&1 3>&- &
	exec=$!
	inside() { [ "$(wc -l <"$(cgroup2_path)/$ID/cgroup.procs")" -ge 3 ]; }
	wait_for 30 inside
	bock_runc kill "$ID" KILL
	wait_for 20 is stopped
	wait_for 20 test ! -e "/proc/$exec/fd/0"
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "fault: a filter of which only a half was written is made again, and not kept" {
	need_own_calls
	sleeper
	edit '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct", "swapon"], "action": "SCMP_ACT_ERRNO"}]}'
	point write memfd:seccomp run -d -b "$B" "$ID"
	bock_runc delete --force "$ID"
	rm -rf "$STATE/.cache" # or the profile is not compiled again
	struck --short -- run -d -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	assert_is running
	bock_runc delete --force "$ID"
	detached run -d -b "$B" "$ID"
	assert_ok ""
}

@test "race: of two creates that hold the same folder one wins" {
	sleeper
	point "open(at)?" "$STATE/$ID\$" create -b "$B" "$ID"
	bock_runc delete --force "$ID"
	held create -b "$B" "$ID" # its folder is made, and not open yet
	bock_runc delete "$ID"
	"$BOCK_RUNC" --root "$STATE" create -b "$B" "$ID" </dev/null >/dev/null 2>&1 3>&-
	let_go
	assert_error "container with given ID already exists"
	assert_is created
	bock_runc start "$ID"
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "race: a folder without a state is no container yet" {
	mkdir "$STATE/$ID"
	for command in start state pause resume kill ps; do
		run --separate-stderr bock_runc "$command" "$ID"
		assert_error "container does not exist" || fail "$command"
	done
	run --separate-stderr bock_runc exec "$ID" true
	[[ $stderr == *"container does not exist"* ]] || fail "$stderr"
	bock_runc delete "$ID"
	assert_no_leftovers
}

@test "race: a container that is deleted while it is looked at was never running" {
	sleeper
	detached create -b "$B" "$ID"
	assert_ok ""
	point "faccessat2?" "start.sock\$" state "$ID"
	held state "$ID" # it has seen the process alive, and does not yet know that it waits for start
	bock_runc delete --force "$ID"
	let_go
	[ "$status" -eq 0 ]
	[ "$(jq -r .status <<<"$output")" = stopped ] || fail "it was created, it is gone, and state says $output"
	[ "$(jq -r .pid <<<"$output")" = 0 ]

	detached run -d -b "$B" "$ID"
	assert_ok ""
	bock_runc pause "$ID"
	point "open(at)?" cgroup.freeze list
	held list # likewise, and whether it is frozen
	bock_runc delete --force "$ID"
	let_go
	[ "$status" -eq 0 ]
	[[ $output == *" stopped "* ]] || fail "it was paused, it is gone, and list says $output"
}

@test "race: the number of a container's process is a thread's by now" {
	need_cmd python3
	running
	bock_runc kill "$ID" KILL
	is_stopped() { [ "$(bock_runc state "$ID" | jq -r .status)" = stopped ]; }
	wait_for 10 is_stopped
	python3 -c '
import threading, sys, time
t = threading.Thread(target=time.sleep, args=(60,), daemon=True)
t.start()
print(t.native_id, flush=True)
t.join()' >"$T/thread" 3>&- &
	threads=$!
	wait_for 10 test -s "$T/thread"
	jq --argjson pid "$(<"$T/thread")" '.pid = $pid' "$STATE/$ID/state.json" >"$T/state" && mv "$T/state" "$STATE/$ID/state.json"
	run --separate-stderr bock_runc state "$ID"
	[ "$(jq -r .status <<<"$output")" = stopped ] || fail "$output $stderr"
	run --separate-stderr bock_runc list
	[[ $output == *" stopped "* ]] || fail "$output $stderr"
	kill "$threads"
	bock_runc delete "$ID"
}

@test "race: a state that was read while the container was made is read again" {
	sleeper
	# a create that stands between its state and its process, and a state that has read it; what a first one
	# makes for all is there already
	detached create -b "$B" "$ID"
	bock_runc delete "$ID"
	point clone3 "" create -b "$B" "$ID"
	bock_runc delete --force "$ID"
	held create -b "$B" "$ID"
	run bock_runc state "$ID"
	[[ $output == *'"creating"'* ]] || fail "$output"
	at=$("$STRIKE" --report "$T/report" "$BOCK_RUNC" --root "$STATE" state "$ID" >/dev/null 2>&1 </dev/null 3>&- &&
		awk -F '\t' '$3 ~ /^open(at)?$/ && $5 ~ /proc.*stat$/ { print $1 ":" $2; exit }' "$T/report")
	[ -n "$at" ]
	"$STRIKE" --at "$at" --hold "$T/hold2" "$BOCK_RUNC" --root "$STATE" state "$ID" </dev/null >"$T/said" 2>&1 3>&- &
	second=$!
	wait_for 30 test -e "$T/hold2"
	let_go
	[ "$status" -eq 0 ] || fail "$stderr"
	rm "$T/hold2"
	wait "$second"
	[[ $(<"$T/said") == *'"created"'* ]] || fail "$(<"$T/said")"
}

# full ROOM KIND COMMAND...: the command with a state folder that has room for ROOM blocks, or files
full() {
	local room=$1 kind=$2 block=0
	shift 2
	case $kind in
	blocks)
		# the filler is as large as it can be; so many of its blocks are given back
		dd if=/dev/zero of="$STATE/.filler" bs=4k 2>/dev/null || :
		block=$(($(stat -c %s "$STATE/.filler") / 4096 - room))
		truncate -s $((block * 4096)) "$STATE/.filler"
		;;
	files)
		while : >"$STATE/.filler-$block" 2>/dev/null; do block=$((block + 1)); done
		while [ "$room" -gt 0 ] && [ "$block" -gt 0 ]; do
			block=$((block - 1)) room=$((room - 1))
			rm "$STATE/.filler-$block"
		done
		;;
	esac 2>/dev/null
	status=0
	bock_runc "$@" >"$T/.stdout" 2>"$T/.stderr" </dev/null 3>&- || status=$?
	stderr=$(<"$T/.stderr")
	rm -f "$STATE"/.filler*
}

# in a mount namespace, where the state folder is a small tmpfs
fill_all() {
	local kind room done_=0
	mount -t tmpfs -o size=256k,nr_inodes=40,mode=700 tmpfs "$STATE"
	for kind in blocks files; do
		for room in 0 1 2 3 4 5 6 8 12; do
			full "$room" "$kind" create -b "$B" "$ID"
			if [ "$status" -eq 0 ]; then
				done_=$((done_ + 1))
				bock_runc start "$ID" && printf '{}' >"$T/none"
				full 0 "$kind" update -r "$T/none" "$ID"
				[ "$status" -eq 0 ] || [[ $stderr == *"No space left on device"* ]] || return 1
				full 0 "$kind" delete --force "$ID"
				[ "$status" -eq 0 ] || fail "delete with $kind full: $stderr" || return 1
			else
				[[ $stderr == *"No space left on device"* ]] || fail "$room $kind: $stderr" || return 1
			fi
			[ -z "$(find "$STATE" -mindepth 1 -not -path "$STATE/.cache*")" ] ||
				fail "$room $kind: left $(find "$STATE" -mindepth 1)" || return 1
		done
	done
	[ "$done_" -ge 4 ] || fail "only $done_ were made"
}

@test "fault: a state folder that is full, at each block and each file" {
	sleeper
	edit '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}'
	export -f full fill_all fail bock_runc
	export STATE T B ID BOCK_RUNC
	run unshare -m bash -c fill_all
	[ "$status" -eq 0 ] || fail "$output"
	assert_no_leftovers
}
