# SPDX-License-Identifier: Apache-2.0
# `mounts add` and `mounts remove`: the mounts of a container that runs.

setup() {
	load ../helpers/runc
	runc_setup
	mkdir "$T/vol" "$T/vol/sub"
	echo one >"$T/vol/f"
	echo two >"$T/file"
}
teardown() { user_teardown; common_teardown; }

# A container that runs whatever it is told by inside_it
running() { # [JQ-FILTER]
	bundle sh -c 'sleep 1000 & wait'
	[ $# -eq 0 ] || edit "$1"
	detached run -d -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	PID=$(pid_of)
}
tell() { bock_runc exec "$ID" sh -c "$1"; }
mountinfo() { awk -v p="$1" '$5 == p { line = $6 " " $NF } END { print line }' "/proc/$PID/mountinfo"; }

# change add|remove JSON: with $T in it as @
change() {
	echo "${2//@/$T}" >"$T/list"
	run --separate-stderr bock_runc mounts "$1" "$ID" "$T/list"
}
userns='.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
	.linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{"type": "user"}]'

@test "mounts add: binds of folders and files, and a tmpfs, with their options; mounts remove" {
	running
	local before
	before=$(cut -d' ' -f5 "/proc/$PID/mountinfo")
	local list='[{"destination": "/deep/vol", "source": "@/vol", "options": ["rbind", "ro", "nosuid", "nosymfollow"]},
		{"destination": "/etc/file", "source": "@/file", "options": ["bind", "rw"]},
		{"destination": "/t", "type": "tmpfs", "source": "name", "options": ["size=1m", "mode=751", "noexec"]},
		{"destination": "/t/again", "type": "tmpfs"}]'
	change add "$list"
	assert_ok ""
	[ "$(tell 'cat /deep/vol/f /etc/file; stat -c %a /t; ls /t; (echo x >/deep/vol/new) 2>/dev/null && echo WRITTEN; echo three >/etc/file')" = "one
two
751
again" ]
	[ "$(cat "$T/file")" = three ]
	[[ $(mountinfo /deep/vol) == ro,nosuid,* ]]
	[[ $(mountinfo /deep/vol) == *nosymfollow* ]]
	[[ $(mountinfo /t) =~ ^rw,noexec.*size=1024k,mode=751 ]] || fail "$(mountinfo /t)"
	# the same list takes them away
	change remove "$list"
	assert_ok ""
	[ "$(cut -d' ' -f5 "/proc/$PID/mountinfo")" = "$before" ]
	[ "$(tell 'ls /deep/vol; wc -c </etc/file')" = 0 ]
	bock_runc delete --force "$ID"
	assert_no_leftovers
}

@test "mounts add: into a created and into a paused container; from standard input" {
	need_cgroup2
	bundle sh -c 'cat /vol/f >/vol/said'
	detached create -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	PID=$(pid_of)
	bock_runc mounts add "$ID" - <<<'[{"destination": "/vol", "source": "'"$T"'/vol", "options": ["bind"]}]'
	[ -n "$(mountinfo /vol)" ]
	bock_runc pause "$ID"
	bock_runc mounts add "$ID" - <<<'[{"destination": "/more", "type": "tmpfs"}]'
	[ -n "$(mountinfo /more)" ]
	bock_runc resume "$ID"
	bock_runc start "$ID"
	wait_for 5 is stopped
	[ "$(cat "$T/vol/said")" = one ]
	bock_runc delete "$ID"
}

@test "mounts add: all or nothing" {
	running
	local before
	before=$(cat "/proc/$PID/mountinfo")
	change add '[{"destination": "/a", "source": "@/vol", "options": ["bind"]}, {"destination": "/b", "source": "@/file", "options": ["bind"]},
		{"destination": "/c", "type": "tmpfs"}, {"destination": "/etc/passwd", "type": "tmpfs"}]'
	assert_error "mounts add '$ID': mounts[3] '/etc/passwd'"
	[ "$(cat "/proc/$PID/mountinfo")" = "$before" ]
	change add '[{"destination": "/a", "source": "@/vol", "options": ["bind"]}, {"destination": "/b", "source": "/no/such", "options": ["bind"]}]'
	assert_error "mounts[1] '/b': bind '/no/such': No such file or directory"
	[ "$(cat "/proc/$PID/mountinfo")" = "$before" ]
}

@test "mounts remove: all or nothing" {
	running
	change add '[{"destination": "/a", "source": "@/vol", "options": ["bind", "ro"]}, {"destination": "/b", "type": "tmpfs"}]'
	assert_ok ""
	tell 'echo kept >/b/f'
	change remove '[{"destination": "/nothing"}, {"destination": "/a"}, {"destination": "b"}]'
	assert_error "mounts remove '$ID': '/nothing'"
	change remove '[{"destination": "/etc"}, {"destination": "/a"}, {"destination": "b"}]'
	assert_error "'/etc': nothing is mounted there"
	[ "$(tell 'cat /a/f /b/f')" = "one
kept" ]
	[[ $(mountinfo /a) == ro,* ]]
	change remove '[{"destination": "/"}]'
	assert_error "'/': is the root itself"
	change remove '[{"destination": "/a"}, {"destination": "/b"}]'
	assert_ok ""
	[ -z "$(mountinfo /a)$(mountinfo /b)" ]
}

@test "mounts add: a link in the container does not lead out" {
	running
	mkdir "$T/host" "$T/host/dir"
	tell "ln -s $T/host/dir /link; ln -s ../../../../../..$T/host/dir /up; mkdir -p $T; ln -s /proc/1/root /magic"
	change add '[{"destination": "/link/x", "source": "@/vol", "options": ["bind"]}, {"destination": "/up", "source": "@/vol", "options": ["bind"]}]'
	[ "$status" -eq 0 ] || fail "$stderr"
	[ -z "$(ls "$T/host/dir")" ]
	run ! grep -q "$T/host" /proc/self/mountinfo
	change add '[{"destination": "/magic/x", "source": "@/vol", "options": ["bind"]}]'
	assert_error "mounts[0] '/magic/x'"
}

@test "mounts: with a user namespace, a tmpfs and what is made to mount on are its root's" {
	need_user_namespaces
	bundle true
	open_path
	rm -r "$B"
	chmod 755 "$T"
	running "$userns"
	open_path
	chown -R 100000:100000 "$B/rootfs"
	local list='[{"destination": "/new/dir", "type": "tmpfs", "options": ["mode=755"]}, {"destination": "/vol", "source": "@/vol", "options": ["rbind", "ro"]},
		{"destination": "/new/file", "source": "@/file", "options": ["bind", "nosuid"]}]'
	change add "$list"
	assert_ok ""
	[ "$(tell 'stat -c %u:%g /new /new/dir; cat /vol/f /new/file; stat -c %u /vol/f; echo x >/new/dir/f && cat /new/dir/f')" = "0:0
0:0
one
two
65534
x" ]
	[[ $(mountinfo /vol) == ro,* ]]
	change remove "$list"
	assert_ok ""
	[ -z "$(mountinfo /vol)$(mountinfo /new/dir)$(mountinfo /new/file)" ]
	# with mapped ids
	change add '[{"destination": "/vol", "source": "@/vol", "options": ["rbind", "idmap"]}, {"destination": "/other", "source": "@/vol", "options": ["bind"],
		"uidMappings": [{"containerID": 0, "hostID": 100077, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 100078, "size": 1}]}]'
	if [[ $stderr == *"this kernel has no id-mapped mounts of that file system"* ]]; then skip "no id-mapped mounts of $(stat -f -c %T "$T")"; fi
	assert_ok ""
	[ "$(tell 'stat -c %u:%g /vol/f /other/f')" = "0:0
77:78" ]
}

@test "mounts: a container in the host's pid namespace is entered by a sealed copy" {
	need_cmd strace
	running '.linux.namespaces |= map(select(.type != "pid")) | .mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	change add '[{"destination": "/vol", "source": "@/vol", "options": ["bind"]}]'
	assert_ok ""
	[ -n "$(mountinfo /vol)" ]
	ASAN_OPTIONS=detect_leaks=0 run strace -f -e trace=execve,execveat,setns -o "$T/trace" "$BOCK_RUNC" --root "$STATE" mounts remove "$ID" "$T/list"
	[ "$status" -eq 0 ]
	[ "$(grep -c execve "$T/trace")" -eq 2 ] || fail "$(cat "$T/trace")"
	grep -q setns "$T/trace"
}

@test "mounts add: what can't be had is refused by name" {
	running
	local before
	before=$(cat "/proc/$PID/mountinfo")
	change add '[{"destination": "/x", "type": "proc"}]'
	assert_error "mounts[0].type: what shows the container's own namespaces can't be added"
	change add '[{"destination": "/x", "type": "tmpfs"}, {"destination": "/x", "type": "sysfs"}]'
	assert_error 'mounts[1].type'
	change add '[{"destination": "/x", "type": "cgroup"}]'
	assert_error 'mounts[0].type: a cgroup mount'
	change add '[{"destination": "/dev", "options": ["remount", "ro"]}]'
	assert_error 'mounts[0].options: remount'
	change add '[{"destination": "/x", "type": "tmpfs", "options": ["tmpcopyup"]}]'
	assert_error 'mounts[0].options: tmpcopyup'
	change add '[{"destination": "/x", "type": "tmpfs", "options": ["nosuch"]}]'
	assert_error "mounts[0] '/x': set 'nosuch'"
	change add '[{"destination": "/x", "source": "@/vol", "options": ["bind", "nosuch"]}]'
	assert_error "mounts[0].options: 'nosuch'"
	change add '[{"destination": "/x", "source": "@/vol", "options": ["bind", "idmap"]}]'
	assert_error 'mounts[0].options: idmap needs'
	change add '[{"destination": "/proc/sys", "type": "tmpfs"}]'
	assert_error 'inside /proc'
	change add '[{"destination": "/x", "type": "tmpfs", "unknown": 1}]'
	assert_error 'unknown'
	change add '[{"type": "tmpfs"}]'
	assert_error 'mounts[0]'
	change add '{"mounts": []}'
	assert_error 'mounts: expected an array'
	change add '[{"destination": "/x", "type": "tmpfs"}'
	assert_error "$T/list"
	change add '[], "x": []'
	assert_error "$T/list"
	change other '[]'
	assert_error "'other' is neither add nor remove"
	run --separate-stderr bock_runc mounts add "$ID" /no/such/file
	assert_error '/no/such/file'
	[ "$(cat "/proc/$PID/mountinfo")" = "$before" ]
	change add '[]'
	assert_ok ""
	kill -KILL "$PID"
	wait_for 5 is stopped
	change add '[{"destination": "/x", "type": "tmpfs"}]'
	assert_error 'container not running'
	change remove '[{"destination": "/x"}]'
	assert_error 'container not running'
	bock_runc delete "$ID"
	change add '[]'
	assert_error 'container does not exist'
}

@test "mounts: an ordinary user adds and removes what belongs to the container, and is told what doesn't" {
	user_setup
	user_bundle sh -c 'sleep 1000 & wait'
	status=0
	as_user "$BOCK_RUNC" run -d -b "$B" "$ID" >"$T/out" 2>&1 </dev/null 3>&- || fail "$(cat "$T/out")"
	echo '[{"destination": "/t", "type": "tmpfs", "options": ["mode=700"]}]' >"$B/list"
	run --separate-stderr as_user "$BOCK_RUNC" mounts add "$ID" "$B/list"
	assert_ok ""
	PID=$(as_user "$BOCK_RUNC" state "$ID" | jq .pid)
	[ -n "$(mountinfo /t)" ]
	run --separate-stderr as_user "$BOCK_RUNC" mounts remove "$ID" "$B/list"
	assert_ok ""
	[ -z "$(mountinfo /t)" ]
	echo "[{\"destination\": \"/t\", \"source\": \"$B\", \"options\": [\"bind\"]}]" >"$B/list"
	run --separate-stderr as_user "$BOCK_RUNC" mounts add "$ID" "$B/list"
	assert_error "bind '$B': Operation not permitted"
	[[ $stderr == *"only root can"* ]]
	as_user "$BOCK_RUNC" delete --force "$ID"
}
