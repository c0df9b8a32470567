# SPDX-License-Identifier: Apache-2.0
# Mount options (config.md "Linux mount options"): every one that the spec lists, what it does to the mount as
# mountinfo shows it, and the options that are the runtime's own: tmpcopyup, copy-symlink, src-nofollow,
# dest-nofollow.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { user_teardown; common_teardown; }

mount_add() { edit --argjson m "$1" '.mounts += [$m]'; }

# What mountinfo says of a mount point: its last line.
info_of() { awk -v p="$1" '$5 == p { line = $0 } END { print line }' <<<"$output"; }

# A folder of the test's own with a mount of its own below it, in a private mount namespace: `go COMMAND...`
# runs there.
go() {
	mkdir -p "$T/src/sub"
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m --propagation private bash -c 'mount -t tmpfs -o "$2" tree "$1/src" && mkdir -p "$1/src/sub" &&
		mount -t tmpfs -o "$3" sub "$1/src/sub" && shift 3 && exec "$@"' - "$T" "${TOP_OPTS:-rw}" "${SUB_OPTS:-rw}" "$@"
}

# bound OPTIONS TOP-WORDS SUB-WORDS: an rbind of the folder with these gives the mount, and the one below it,
# the words (!WORD: not)
bound() {
	edit --arg s "$T/src" --arg o "$1" '.mounts = (.mounts | map(select(.destination != "/m"))) +
		[{"destination": "/m", "source": $s, "options": (["rbind"] + ($o | split(",")))}]'
	run --separate-stderr go "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_ok "$output" || fail "with $1" || return 1
	has_words /m "$1" "$2" && has_words /m/sub "$1" "$3"
}

has_words() { # MOUNT OPTIONS WORDS
	local got word
	got=,$(info_of "$1" | cut -d' ' -f6),
	for word in $3; do
		case $word in
		!*) [[ $got != *,${word#!},* ]] || fail "$2: $1 is $got, not $word" || return 1 ;;
		*) [[ $got == *,$word,* ]] || fail "$2: $1 is $got, without $word" || return 1 ;;
		esac
	done
}

@test "mount options: those of one mount leave the mounts below as they are" {
	bundle cat /proc/self/mountinfo
	bound ro 'ro' 'rw'
	bound nosuid,nodev,noexec 'nosuid nodev noexec' '!nosuid !nodev !noexec'
	bound noatime 'noatime !relatime' 'relatime'
	bound strictatime '!noatime !relatime' 'relatime'
	bound norelatime '!noatime !relatime' 'relatime'
	bound nodiratime 'nodiratime' '!nodiratime'
	bound nosymfollow 'nosymfollow' '!nosymfollow'
	bound silent 'rw' 'rw'
	bound loud,silent,async 'rw' 'rw'
}

@test "mount options: the recursive ones reach all below" {
	bundle cat /proc/self/mountinfo
	bound rro 'ro' 'ro'
	bound rnosuid,rnodev,rnoexec 'nosuid nodev noexec' 'nosuid nodev noexec'
	bound rnoatime 'noatime !relatime' 'noatime !relatime'
	bound rstrictatime '!noatime !relatime' '!noatime !relatime'
	bound rnorelatime '!noatime !relatime' '!noatime !relatime'
	bound rnodiratime 'nodiratime' 'nodiratime'
	bound rnosymfollow 'nosymfollow' 'nosymfollow'
	bound ro,rrw 'rw' 'rw'
	bound rnoatime,rrelatime 'relatime' 'relatime'
	bound rnoatime,rnostrictatime 'relatime' 'relatime'
}

@test "mount options: the recursive ones take away, too" {
	bundle cat /proc/self/mountinfo
	export TOP_OPTS=ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow
	TOP_OPTS=nosuid,nodev,noexec,noatime,nodiratime SUB_OPTS=ro,nosuid,nodev,noexec,noatime,nodiratime
	export SUB_OPTS
	bound defaults 'nosuid nodev noexec noatime nodiratime' 'ro nosuid nodev noexec noatime nodiratime'
	bound suid,dev,exec,atime,diratime,rw '!nosuid !nodev !noexec relatime !nodiratime' 'ro nosuid nodev noexec noatime nodiratime'
	bound rrw,rsuid,rdev,rexec,ratime,rdiratime 'rw !nosuid !nodev !noexec relatime !nodiratime' \
		'rw !nosuid !nodev !noexec relatime !nodiratime'
	bound rnosymfollow,rsymfollow '!nosymfollow' '!nosymfollow'
}

@test "mount options: a new file system, each way of the access times" {
	bundle cat /proc/self/mountinfo
	for pair in norelatime:'!relatime' strictatime:'!relatime' nostrictatime:relatime atime:relatime \
		noatime,atime:relatime noatime:noatime relatime:relatime nodiratime,diratime:'!nodiratime'; do
		edit --arg o "${pair%%:*}" '.mounts = (.mounts | map(select(.destination != "/m"))) +
			[{"destination": "/m", "type": "tmpfs", "options": ($o | split(","))}]'
		run_it
		assert_ok "$output"
		has_words /m "${pair%%:*}" "${pair#*:}"
	done
}

@test "mount options: of the superblock, given and taken back" {
	bundle cat /proc/self/mountinfo
	mount_add '{"destination": "/a", "type": "tmpfs", "options": ["sync", "dirsync", "lazytime", "iversion", "silent", "mand", "nomand"]}'
	mount_add '{"destination": "/b", "type": "tmpfs", "options": ["sync", "async", "lazytime", "nolazytime", "iversion", "noiversion", "silent", "loud"]}'
	run_it
	assert_ok "$output"
	[[ $(info_of /a) =~ \ -\ tmpfs\ tmpfs\ rw,sync,dirsync.*lazytime ]] || fail "$(info_of /a)"
	[[ ! $(info_of /b) =~ sync|lazytime ]]
}

@test "mount options: a remount changes what it names, and nothing else" {
	bundle cat /proc/self/mountinfo
	mount_add '{"destination": "/m", "type": "tmpfs", "source": "t", "options": ["size=1m", "nosuid", "noatime", "dirsync"]}'
	mount_add '{"destination": "/m", "options": ["remount", "nodev", "sync", "size=2m"]}'
	run_it
	assert_ok "$output"
	has_words /m remount 'rw nosuid nodev noatime'
	[[ $(info_of /m) =~ \ -\ tmpfs\ t\ rw,sync,dirsync.*size=2048k ]] || fail "$(info_of /m)"
	mount_add '{"destination": "/m", "options": ["remount", "async", "suid"]}'
	run_it
	assert_ok "$output"
	has_words /m remount 'rw !nosuid nodev noatime'
	[[ $(info_of /m) =~ \ -\ tmpfs\ t\ rw,dirsync ]] || fail "$(info_of /m)"
	refused '.mounts += [{"destination": "/m", "options": ["remount", "nosuchoption=1"]}]' 'nosuchoption'
	refused '.mounts += [{"destination": "/nothing", "options": ["remount", "ro"]}]' "'/nothing'"
}

@test "mount options: what no kernel does is refused by name" {
	bundle true
	for option in rsync rasync rdirsync rmand rnomand; do
		refused ".mounts += [{\"destination\": \"/m\", \"source\": \"/tmp\", \"options\": [\"rbind\", \"$option\"]}]" \
			"mounts[7].options: '$option'"
	done
	for option in sync dirsync lazytime mand iversion; do
		refused ".mounts += [{\"destination\": \"/m\", \"source\": \"/tmp\", \"options\": [\"rbind\", \"$option\"]}]" \
			'mounts[7].options: a bind mount'
	done
	refused '.mounts += [{"destination": "/m", "source": "/tmp", "options": ["rbind", "nosuch"]}]' "mounts[7].options: 'nosuch'"
	refused '.mounts += [{"destination": "/m", "source": "/tmp", "options": ["rbind", "tmpcopyup"]}]' 'mounts[7].options: tmpcopyup is for tmpfs'
	refused '.mounts += [{"destination": "/m", "type": "tmpfs", "options": ["copy-symlink"]}]' 'are for bind mounts only'
	refused '.mounts += [{"destination": "/m", "source": "/tmp", "options": ["bind", "copy-symlink", "src-nofollow"]}]' 'copy-symlink excludes'
}

@test "mount options: features says the words of the spec" {
	run --separate-stderr "$BOCK_RUNC" features
	assert_status 0
	for option in async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec \
		noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount \
		rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave \
		rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable idmap ridmap; do
		jq -e --arg o "$option" '.mountOptions | index($o)' <<<"$output" >/dev/null || fail "$option is not there"
	done
	[ "$(jq .linux.mountExtensions.idmap.enabled <<<"$output")" = true ]
	[ "$(jq '.mountOptions | index("rsync")' <<<"$output")" = null ]
}

@test "mount options: in a user namespace the host's flags stay, and taking them back is an error" {
	need_user_namespaces
	bundle cat /proc/self/mountinfo
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit '.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
		.linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{"type": "user"}]'
	export TOP_OPTS=nosuid,nodev,noexec,noatime SUB_OPTS=ro
	bound ro 'ro nosuid nodev noexec noatime' 'ro'
	bound nosymfollow 'nosuid nodev noexec noatime nosymfollow' 'ro'
	edit --arg s "$T/src" '.mounts[-1].options = ["rbind", "suid"]'
	run --separate-stderr go "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_error "mounts[7] '/m': mount_setattr"
	[[ $stderr == *locked* ]]
	edit '.mounts[-1].options = ["rbind", "rrw"]'
	run --separate-stderr go "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_error 'locked'
}

# ---- tmpcopyup -----------------------------------------------------------------------------------

@test "tmpcopyup: a tmpfs begins with what is below it: all kinds, owners, modes, times, attributes, links" {
	bundle
	local d=$B/rootfs/data
	mkdir -p "$d/sub/deep" "$d/empty"
	echo hello >"$d/f"
	chown 12:34 "$d/f"
	chmod 4755 "$d/f"
	ln "$d/f" "$d/sub/same"
	ln -s /etc/passwd "$d/link"
	ln -s ../../../../outside "$d/sub/out"
	mknod "$d/null" c 1 3
	mkfifo -m 620 "$d/pipe"
	truncate -s 8M "$d/hole"
	echo end >>"$d/hole"
	chmod 2755 "$d/sub/deep"
	chown 5:6 "$d/sub/deep"
	touch -d '2001-02-03 04:05:06 UTC' "$d/f" "$d/sub/deep"
	chmod 1755 "$d"
	chown 7:8 "$d"
	mount_add '{"destination": "/data", "type": "tmpfs", "source": "copy", "options": ["tmpcopyup", "nosuid", "size=64m"]}'
	inside 'cd /data; stat -c "%n %a %u:%g" . f sub/deep; stat -c %Y f sub/deep; test f -ef sub/same && echo same; readlink link; readlink sub/out
		cat f; stat -c "%F %t:%T" null; stat -c "%F %a" pipe; stat -c %s hole; tail -c 4 hole; du -k hole | cut -f1; ls; awk "\$5 == \"/data\" { print \$6, \$9 }" /proc/self/mountinfo'
	[ "$output" = ". 1755 7:8
f 4755 12:34
sub/deep 2755 5:6
981173106
981173106
same
/etc/passwd
../../../../outside
hello
character special file 1:3
fifo 620
8388612
end
4
empty
f
hole
link
null
pipe
sub
rw,nosuid,relatime copy" ] || fail "$output"
	# and the original is as it was
	[ "$(cat "$d/f")" = hello ]
}

@test "tmpcopyup: extended attributes" {
	need_cmd python3
	bundle sh -c 'sleep 1000 & wait'
	mkdir "$B/rootfs/data"
	echo x >"$B/rootfs/data/f"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.note", b"kept")' "$B/rootfs/data/f" ||
		skip "no extended attributes on the file system of $T ($(stat -f -c %T "$T"))"
	mount_add '{"destination": "/data", "type": "tmpfs", "options": ["tmpcopyup"]}'
	detached run -d -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	[ "$(python3 -c 'import os, sys; sys.stdout.write(os.getxattr(sys.argv[1], "trusted.note").decode())' \
		"/proc/$(pid_of)/root/data/f")" = kept ]
	bock_runc delete --force "$ID"
}

@test "tmpcopyup: read-only, over a missing directory, over a file, over what does not fit" {
	bundle
	mkdir "$B/rootfs/data"
	echo x >"$B/rootfs/data/f"
	mount_add '{"destination": "/data", "type": "tmpfs", "options": ["tmpcopyup", "ro"]}'
	mount_add '{"destination": "/no/such", "type": "tmpfs", "options": ["tmpcopyup", "mode=700"]}'
	inside 'cat /data/f; (echo y >/data/f) 2>/dev/null && echo WRITTEN; ls /no/such; stat -c %a /no/such'
	[ "$output" = "x
700" ]
	head -c 300000 /dev/urandom >"$B/rootfs/data/big"
	refused '.mounts[7].options += ["size=64k"]' "mounts[7] '/data': tmpcopyup: copy 'big'"
	refused '.mounts += [{"destination": "/etc/passwd", "type": "tmpfs", "options": ["tmpcopyup"]}]' "mounts[9] '/etc/passwd'"
}

@test "tmpcopyup: a link below leads nowhere, and earlier mounts are copied as they are seen" {
	bundle
	mkdir "$T/host" "$B/rootfs/data"
	echo secret >"$T/host/secret"
	ln -s "$T/host" "$B/rootfs/data/dir"
	mkdir "$B/rootfs/data/m"
	mount_add '{"destination": "/data/m", "type": "tmpfs", "options": ["mode=751"]}'
	mount_add '{"destination": "/data", "type": "tmpfs", "options": ["tmpcopyup"]}'
	inside 'readlink /data/dir; cat /data/dir/secret 2>/dev/null; stat -c %a /data/m; grep -c " /data" /proc/self/mountinfo'
	[ "$output" = "$T/host
751
2" ] || fail "$output"
}

@test "tmpcopyup: for a user, in a user namespace" {
	user_setup
	user_bundle sh -c 'cat /data/f; stat -c "%a %u:%g" /data /data/f; echo new >/data/f'
	mkdir "$B/rootfs/data"
	echo user >"$B/rootfs/data/f"
	chmod 750 "$B/rootfs/data"
	chown -R "$TEST_UID:$(id -g "$TEST_USER")" "$B/rootfs/data"
	mount_add '{"destination": "/data", "type": "tmpfs", "options": ["tmpcopyup"]}'
	user_runs
	assert_ok "user
750 0:0
644 0:0"
	[ "$(cat "$B/rootfs/data/f")" = user ]
}

# ---- links ---------------------------------------------------------------------------------------

@test "copy-symlink: a source that is a link is made again, any other is bound" {
	bundle
	ln -s /some/where "$T/link"
	echo file >"$T/file"
	edit --arg t "$T" '.mounts += [
		{"destination": "/deep/dir/l", "source": ($t + "/link"), "options": ["bind", "copy-symlink"]},
		{"destination": "/f", "source": ($t + "/file"), "options": ["bind", "ro", "copy-symlink"]}]'
	inside 'readlink /deep/dir/l; cat /f; grep -c " /deep" /proc/self/mountinfo; :'
	[ "$output" = "/some/where
file
0" ] || fail "$output"
	# the same again is fine, another link or a file is not
	run_it
	assert_ok "$output"
	rm "$B/rootfs/deep/dir/l"
	ln -s /else/where "$B/rootfs/deep/dir/l"
	refused . "copy-symlink: '/deep/dir/l' is there and is not a link to '/some/where'"
	rm "$B/rootfs/deep/dir/l"
	echo x >"$B/rootfs/deep/dir/l"
	refused . 'is not a link'
}

@test "src-nofollow, dest-nofollow: links themselves are bound, and bound on" {
	bundle
	ln -s /target "$T/link"
	echo file >"$T/file"
	ln -s /etc/hostname "$B/rootfs/here"
	edit --arg t "$T" '.mounts += [
		{"destination": "/here", "source": ($t + "/file"), "options": ["bind", "dest-nofollow"]},
		{"destination": "/new", "source": ($t + "/link"), "options": ["bind", "src-nofollow"]}]'
	inside 'cat /here; readlink /here; test -e /etc/hostname || echo none; readlink /new; awk "\$5 == \"/here\" || \$5 == \"/new\"" /proc/self/mountinfo | wc -l'
	[ "$output" = "file
none
/target
2" ] || fail "$output"
	# a link on a link
	edit --arg t "$T" '.mounts[-2:] = [{"destination": "/here", "source": ($t + "/link"), "options": ["bind", "src-nofollow", "dest-nofollow"]}]'
	inside 'readlink /here'
	[ "$output" = /target ]
	refused '.mounts += [{"destination": "/not/there", "source": "/tmp", "options": ["bind", "dest-nofollow"]}]' "'/not/there'"
}

# ---- labels --------------------------------------------------------------------------------------

# What takes the label is in tests/unit/data/plan/mounts.plan.
@test "linux.mountLabel: refused where the kernel has no SELinux" {
	bundle true
	edit '.linux.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2"'
	refused '.annotations["run.oci.mount_context_type"] = "nosuch"' "run.oci.mount_context_type: 'nosuch'"
	[ ! -e /sys/fs/selinux/enforce ] || skip "this kernel has SELinux"
	refused . "linux.mountLabel: 'system_u:object_r:container_file_t:s0:c1,c2' is asked for, but SELinux is disabled"
	edit '.linux.mountLabel = ""'
	run_it
	assert_ok ''
}

# ---- cgroup, sysfs, --no-pivot -------------------------------------------------------------------

@test "cgroup mounts: the cgroup is the container user's if it is mounted writable, and not otherwise" {
	bundle sh -c 'stat -c %u /sys/fs/cgroup /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/cgroup.events'
	local dir
	edit '.process.user = {"uid": 1234, "gid": 0}'
	run_it
	assert_ok "0
0
0"
	edit '(.mounts[] | select(.type == "cgroup")).options -= ["ro"]'
	run_it
	assert_ok "1234
1234
0"
	# only in a cgroup namespace of its own
	edit 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	run_it
	assert_ok "0
0
0"
}

@test "cgroup mounts: the user of a user namespace gets it, as seen from the host" {
	need_user_namespaces
	bundle sh -c 'stat -c %u /sys/fs/cgroup /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/mine && rmdir /sys/fs/cgroup/mine && echo made'
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit '.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
		.linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{"type": "user"}] |
		(.mounts[] | select(.type == "cgroup")).options -= ["ro"]'
	run_it
	assert_ok "0
0
made"
}

@test "cgroup mounts: without a cgroup namespace root of a user namespace sees its own, read-only (CVE-2023-25809)" {
	need_user_namespaces
	bundle sh -c 'ls /sys/fs/cgroup | grep -c procs; mkdir /sys/fs/cgroup/x 2>/dev/null && echo MADE; cut -d" " -f5,6 /proc/self/mountinfo | grep "^/sys/fs/cgroup "'
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit '.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
		.linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{"type": "user"}] |
		del(.linux.namespaces[] | select(.type == "cgroup")) |
		(.mounts[] | select(.type == "cgroup")).options -= ["ro"]'
	run_it
	[ "$status" -eq 0 ] || fail "$stderr"
	[ "${lines[0]}" = 1 ]
	[[ ${lines[1]} =~ ^/sys/fs/cgroup\ ro, ]] || fail "$output"
	# a user who was delegated none sees nothing
	user_setup
	user_bundle sh -c 'ls /sys/fs/cgroup; (echo x >/sys/fs/cgroup/x) 2>/dev/null && echo WRITTEN; echo end'
	edit 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	user_runs
	assert_ok end
}

@test "sysfs: of a network namespace that a user does not own it is the host's, bound read-only" {
	user_setup
	user_bundle sh -c 'test -d /sys/class && echo there; cut -d" " -f5,6 /proc/self/mountinfo | grep "^/sys " | cut -d, -f1; awk "index(\$5, \"/sys\") == 1 { print substr(\$6, 1, 2) }" /proc/self/mountinfo | sort -u'
	edit '.mounts = (.mounts | map(select(.destination | startswith("/sys") | not))) +
		[{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}]'
	user_runs
	assert_ok "there
/sys ro
ro"
	edit '.mounts[-1].options -= ["ro"]'
	user_runs
	assert_error "mount sysfs on '/sys'"
}

@test "--no-pivot: run, create and start; the host's proc and sysfs are out of reach" {
	bundle
	inside 'ls / | tr "\n" " "; wc -l </proc/self/mountinfo'
	local want=$output
	args sh -c 'ls / | tr "\n" " "; wc -l </proc/self/mountinfo; awk "\$5 == \"/\"" /proc/self/mountinfo | wc -l'
	run_it --no-pivot
	assert_ok "$output"
	[ "${output%%$'\n'*}" = "${want%%$'\n'*}" ]
	args sh -c 'sleep 1000 & wait'
	detached create --no-pivot -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	bock_runc start "$ID"
	local pid
	pid=$(pid_of)
	[ "$(ls "/proc/$pid/root/")" = "$(ls "$B/rootfs")" ]
	bock_runc delete --force "$ID"
	assert_no_leftovers
	# and the plan says it
	run --separate-stderr bock_runc run --dry-run --no-pivot -b "$B" "$ID"
	[[ $output == *"move root (no pivot)"* ]]
	refute_output -p '  pivot'
}

@test "--no-pivot: a user namespace in the container can't have another proc or sysfs, without the masks" {
	need_user_namespaces
	bundle sh -c 'unshare -U -r -m -p -f sh -c "mount -t proc proc /x 2>/dev/null && echo MOUNTED; mount -t sysfs sysfs /x 2>/dev/null && echo MOUNTED; echo end"'
	mkdir "$B/rootfs/x"
	edit '.process.user = {"uid": 1000, "gid": 1000}'
	run_it
	assert_ok end
	run_it --no-pivot
	assert_ok end
	# it is the masks that forbid it: with none of them and a proc that can be written, it works
	edit '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	run_it
	[[ $output == *MOUNTED* ]]
}
