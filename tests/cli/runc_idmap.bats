# SPDX-License-Identifier: Apache-2.0
# Id-mapped mounts (config.md "uidMappings", "gidMappings", idmap, ridmap): what the files belong to inside, and on
# the disk.

setup() {
	load ../helpers/runc
	runc_setup
	mkdir "$T/vol" "$T/vol/below"
	echo x >"$T/vol/f"
	chown 1000:1001 "$T/vol/f"
	chown 0:0 "$T/vol" "$T/vol/below"
	chmod 777 "$T/vol"
	need_idmap
}
teardown() { user_teardown; common_teardown; }

# Which file systems have id-mapped mounts is the kernel's to know: a bind with "idmap" of this one tells.
need_idmap() {
	bundle true
	vol '["bind"]' "$one_map"
	run_it
	[[ $stderr != *"this kernel has no id-mapped mounts of that file system"* ]] ||
		skip "no id-mapped mounts on the file system of $T ($(stat -f -c %T "$T"))"
	assert_ok ""
	rm -r "$B"
}

# ids 0 and 1000 on the disk are 2000 and 3000 for the mount
one_map='[{"containerID": 0, "hostID": 2000, "size": 1}, {"containerID": 1000, "hostID": 3000, "size": 2}]'

# vol OPTIONS [MAP]: the folder on /vol
vol() {
	edit --arg s "$T/vol" --argjson o "$1" --argjson m "${2:-null}" \
		'.mounts = (.mounts | map(select(.destination != "/vol"))) +
		[{"destination": "/vol", "source": $s, "options": $o} + if $m then {"uidMappings": $m, "gidMappings": $m} else {} end]'
}

own_userns='.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
	.linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{"type": "user"}]'

@test "idmap: mappings of the mount's own, in a container without a user namespace" {
	bundle sh -c 'stat -c "%n %u:%g" /vol /vol/f; awk "\$5 == \"/vol\" { print \$6 }" /proc/self/mountinfo; echo made >/vol/new'
	edit '.process.user = {"uid": 3000, "gid": 3001}'
	for options in '["bind", "idmap"]' '["rbind", "ridmap", "nosuid"]' '["bind"]'; do
		vol "$options" "$one_map"
		run_it
		[ "$status" -eq 0 ] || fail "$options: $stderr"
		[ "${lines[0]} ${lines[1]}" = "/vol 2000:2000 /vol/f 3000:3001" ] || fail "$options: $output"
		[[ ${lines[2]} == *idmapped* ]]
		# what is made inside has the ids of the disk there
		[ "$(stat -c %u:%g "$T/vol/new")" = 1000:1001 ]
		rm "$T/vol/new"
	done
	assert_no_leftovers
}

@test "idmap: ids without a mapping are nobody's, and make nothing" {
	bundle sh -c 'stat -c %u:%g /vol/f; (echo x >/vol/new) 2>&1'
	edit '.process.user = {"uid": 77, "gid": 77}'
	vol '["bind", "idmap"]' '[{"containerID": 5, "hostID": 0, "size": 1}]'
	run_it
	[ "${lines[0]}" = 65534:65534 ]
	[[ ${lines[1]} == *"Value too large"* ]]
}

@test "idmap: by the container's user namespace, which is new" {
	bundle sh -c 'stat -c "%n %u:%g" /vol /vol/f; cat /proc/self/uid_map | tr -s " "; echo made >/vol/new'
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit "$own_userns"
	vol '["rbind", "idmap"]'
	run_it
	assert_ok "/vol 0:0
/vol/f 1000:1001
 0 100000 65536"
	[ "$(stat -c %u:%g "$T/vol/new")" = 0:0 ]
	# the plan says whose ids they are, and there is no further process
	run --separate-stderr bock_runc run --dry-run -b "$B" "$ID"
	assert_output -p "map ids of mounts[7] '/vol' by the container's user namespace"
}

@test "idmap: several in one container, of either kind, come to their places in order" {
	bundle sh -c 'stat -c "%n %u" /a/f /b/f /c/f /vol/f /p/f'
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit "$own_userns"
	vol '["rbind", "idmap"]'
	edit --arg s "$T/vol" '.mounts += [
		{"destination": "/a", "source": $s, "options": ["bind", "idmap=uids=1000-100007-1;gids=0-100000-1"]},
		{"destination": "/p", "source": $s, "options": ["bind"]},
		{"destination": "/b", "source": $s, "options": ["bind", "idmap=uids=1000-100008-1;gids=0-100000-1"]},
		{"destination": "/c", "source": $s, "options": ["bind", "idmap=uids=@1000-9-1;gids=@0-0-1"]}]'
	run_it
	assert_ok "/a/f 7
/b/f 8
/c/f 9
/vol/f 1000
/p/f 65534"
}

@test "idmap: by a user namespace that is joined" {
	need_user_namespaces
	unshare -U sleep 60 3>&- >/dev/null 2>&1 &
	local holder=$!
	wait_for 5 userns_of_its_own "$holder"
	echo "0 100000 65536" >"/proc/$holder/uid_map"
	echo "0 100000 65536" >"/proc/$holder/gid_map"
	bundle sh -c 'stat -c "%n %u:%g" /vol /vol/f'
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit --arg p "/proc/$holder/ns/user" '.linux.namespaces += [{"type": "user", "path": $p}]'
	vol '["rbind", "idmap"]'
	run_it
	kill "$holder"
	assert_ok "/vol 0:0
/vol/f 1000:1001"
}
userns_of_its_own() { [ "$(readlink "/proc/$1/ns/user")" != "$(readlink /proc/self/ns/user)" ]; }

@test "ridmap: the mounts below are mapped too; with idmap they are not" {
	bundle sh -c 'stat -c "%n %u" /vol/f /vol/below/g'
	cat >"$T/go" <<-'EOF'
		mount -t tmpfs tmpfs "$T/vol/below" && echo x >"$T/vol/below/g" && chown 1000 "$T/vol/below/g" &&
			exec "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	EOF
	export T B STATE ID BOCK_RUNC
	vol '["rbind", "ridmap"]' "$one_map"
	run --separate-stderr unshare -m --propagation private bash "$T/go"
	assert_ok "/vol/f 3000
/vol/below/g 3000"
	vol '["rbind", "idmap"]' "$one_map"
	run --separate-stderr unshare -m --propagation private bash "$T/go"
	assert_ok "/vol/f 3000
/vol/below/g 1000"
}

@test "idmap: a new file system" {
	bundle sh -c 'stat -c "%u %a" /m; awk "\$5 == \"/m\" { print \$6, \$NF }" /proc/self/mountinfo'
	edit --argjson m "$one_map" '.mounts += [{"destination": "/m", "type": "tmpfs", "source": "t", "uidMappings": $m, "gidMappings": $m,
		"options": ["idmap", "nosuid", "ro", "size=1m", "mode=751", "sync"]}]'
	run_it
	[ "$status" -eq 0 ] || fail "$stderr"
	[ "${lines[0]}" = "2000 751" ]
	[[ ${lines[1]} =~ ^ro,nosuid,.*idmapped\ ro,sync.*size=1024k ]] || fail "$output"
}

@test "idmap: create and start, with hooks and a terminal's worth of other things" {
	bundle sh -c 'stat -c %u /vol/f >/vol/said; cat /hooked'
	vol '["bind", "idmap"]' "$one_map"
	printf '#!/bin/sh\ncat >/dev/null\necho yes >"%s/rootfs/hooked"\n' "$B" >"$T/hook"
	chmod +x "$T/hook"
	edit --arg h "$T/hook" '.hooks.createRuntime = [{"path": $h}] | .process.user = {"uid": 3000, "gid": 3001}'
	detached create -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	bock_runc start "$ID"
	wait_for 5 is stopped
	bock_runc delete "$ID"
	[ "$(cat "$T/vol/said")" = 3000 ]
	[ -e "$B/rootfs/hooked" ]
	assert_no_leftovers
}

@test "idmap: what is wrong is an error by name" {
	bundle true
	local m='"destination": "/vol", "source": "/tmp"'
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap\"]}]" 'mounts[7].options: idmap needs uidMappings and gidMappings'
	refused ".mounts += [{$m, \"options\": [\"rbind\", \"ridmap\"]}]" 'mounts[7].options: ridmap needs'
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap\"], \"uidMappings\": $one_map}]" 'mounts[7].gidMappings: uidMappings and gidMappings must be there both'
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap\"], \"gidMappings\": $one_map}]" 'mounts[7].uidMappings: uidMappings and gidMappings must be there both'
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap=uids=1-2-3\"]}]" 'needs both'
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap=uids=1-2-3;gids=1-2\"]}]" "'1-2' is not a range"
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap=uids=1-2-0;gids=1-2-1\"]}]" "'1-2-0' is not a range"
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap=uids=@1-2-1;gids=1-2-1\"]}]" "'@1-2-1' is not within one range of the container's map"
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap=uids=0-0-5#3-9-1;gids=1-2-1\"]}]" "mounts[7]: uidMappings[1]: overlaps"
	refused ".mounts += [{$m, \"options\": [\"bind\", \"idmap=uids=0-0-1;gids=1-2-1;x=3\"]}]" "'x=3'"
	refused ".mounts += [{\"destination\": \"/p\", \"type\": \"mqueue\", \"uidMappings\": $one_map, \"gidMappings\": $one_map}]" \
		'this kernel has no id-mapped mounts of that file system'
	refused ".mounts += [{\"destination\": \"/no\", \"source\": \"/no/such\", \"options\": [\"bind\"], \"uidMappings\": $one_map, \"gidMappings\": $one_map}]" \
		"mounts[7] '/no': bind '/no/such'"
}

@test "idmap: an ordinary user may not, and is told why" {
	user_setup
	user_bundle true
	edit --arg s "$B" '.mounts += [{"destination": "/vol", "source": $s, "options": ["bind", "idmap"]}]'
	user_runs
	assert_error "mounts[7] '/vol'"
	# of the mount, or of the first process, if that has hidden itself by then
	[[ $stderr == *"Operation not permitted"* || $stderr == *"Permission denied"* ]] || fail "$stderr"
	[[ $stderr == *CAP_SYS_ADMIN* ]] || fail "$stderr"
	assert_no_leftovers
}

# Mounts of a volume with one below it: root of the container's user namespace, with CAP_SYS_ADMIN, must neither see
# what that covers nor take its flags away.
@test "idmap: the mounts below are locked to the container's user namespace" {
	bundle sh -c 'cat /vol/below/seen; umount /vol/below 2>&1 || echo locked; mount -o remount,bind,suid,rw /vol/below 2>&1 || echo kept
		cat /vol/below/seen; stat -c %u:%g /vol/f; awk "\$5 ~ \"^/vol\" { print \$5, \$7 }" /proc/self/mountinfo'
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit "$own_userns | .process.capabilities |= map_values(. + [\"CAP_SYS_ADMIN\"])"
	echo covered >"$T/vol/below/seen"
	# shellcheck disable=SC2016 # the inner shell's
	go() { unshare -m --propagation private bash -c 'mount -t tmpfs -o nosuid,ro,mode=755 sub "$1/vol/below" && mount -o remount,bind,rw "$1/vol/below" &&
		mount -o remount,rw "$1/vol/below" && echo top >"$1/vol/below/seen" && mount -o remount,bind,ro "$1/vol/below" && shift && exec "$@"' - "$T" "$@"; }
	vol '["rbind", "idmap"]'
	run --separate-stderr go "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	[[ $output == top*locked*kept*top*1000:1001*'/vol -'*'/vol/below -' ]] || fail "$output"
	vol '["rbind", "idmap", "rshared"]'
	run --separate-stderr go "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[[ $output == top*locked*kept*top*1000:1001*'/vol shared:'*'/vol/below shared:'* ]] || fail "$output"
	# a mapping of its own
	vol '["rbind", "idmap"]' "$one_map"
	run --separate-stderr go "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[[ $output == top*locked*kept*top* ]] || fail "$output"
	assert_no_leftovers
}

@test "mounts add: and so are those that are added" {
	bundle sh -c 'while [ ! -e /vol/below ]; do sleep 0.05; done; umount /vol/below 2>&1 || echo locked; cat /vol/below/seen'
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit "$own_userns | .process.capabilities |= map_values(. + [\"CAP_SYS_ADMIN\"])"
	echo covered >"$T/vol/below/seen"
	echo '[{"destination": "/vol", "source": "'"$T"'/vol", "options": ["rbind"]}]' >"$T/list"
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m --propagation private bash -c 'mount -t tmpfs -o mode=755 sub "$1/vol/below" && echo top >"$1/vol/below/seen" &&
		"$2" --root "$3" run -d -b "$4" "$5" >"$1/out" 2>&1 && "$2" --root "$3" mounts add "$5" "$1/list"' \
		- "$T" "$BOCK_RUNC" "$STATE" "$B" "$ID" 3>&-
	wait_for 10 is stopped
	[[ $(cat "$T/out") == *locked*top* ]] || fail "$(cat "$T/out")"
}
