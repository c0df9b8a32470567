# SPDX-License-Identifier: Apache-2.0
# The root file system of a container: mounts of every type and option, propagation, masked and read-only
# paths, devices.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { user_teardown; common_teardown; }

# mount_add JSON: appends a mount
mount_add() { edit --argjson m "$1" '.mounts += [$m]'; }

# What mountinfo of the container says of a mount point: its last line's options, optional fields, type
# and super options.
info_of() { # PATH
	awk -v p="$1" '$5 == p { line = $0 } END { print line }' <<<"$output"
}

map_filter='.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] |
	.linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{"type": "user"}]'

# ---- types ---------------------------------------------------------------------------------------

@test "mounts: those of the default configuration, with their options" {
	bundle cat /proc/self/mountinfo
	run_it
	[ "$status" -eq 0 ]
	[[ $(info_of /proc) =~ /\ /proc\ rw,relatime\ -\ proc\ proc\ rw$ ]]
	[[ $(info_of /dev) =~ /\ /dev\ rw,nosuid\ -\ tmpfs\ tmpfs\ rw,size=65536k,mode=755 ]]
	[[ $(info_of /dev/pts) =~ /\ /dev/pts\ rw,nosuid,noexec,relatime\ -\ devpts\ devpts\ rw,gid=5,mode=620,ptmxmode=666 ]]
	[[ $(info_of /dev/shm) =~ /\ /dev/shm\ rw,nosuid,nodev,noexec,relatime\ -\ tmpfs\ shm\ rw,size=65536k ]]
	[[ $(info_of /dev/mqueue) =~ rw,nosuid,nodev,noexec,relatime\ -\ mqueue\ mqueue ]]
	[[ $(info_of /sys) =~ /\ /sys\ ro,nosuid,nodev,noexec,relatime\ -\ sysfs\ sysfs ]]
	[[ $(info_of /sys/fs/cgroup) =~ ro,nosuid,nodev,noexec,relatime\ -\ cgroup2\ cgroup ]]
	# and nothing of the host's is left
	refute_output -p "/sys/fs/cgroup/unified"
	[ "$(awk '$5 == "/"' <<<"$output" | wc -l)" -eq 1 ]
}

@test "mounts: tmpfs with size and mode; without a mode it keeps its mount point's" {
	bundle
	mkdir -m 1711 "$B/rootfs/kept"
	mount_add '{"destination": "/new/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m", "mode=1750", "nr_inodes=100"]}'
	mount_add '{"destination": "/kept", "type": "tmpfs", "source": "tmpfs"}'
	inside 'stat -c %a /new/tmp /kept; cat /proc/self/mountinfo; head -c 2000000 /dev/zero >/new/tmp/f 2>/dev/null; stat -c size:%s /new/tmp/f'
	[ "${lines[0]}" = 1750 ]
	[ "${lines[1]}" = 1711 ]
	[[ $(info_of /new/tmp) == *size=1024k*nr_inodes=100* ]]
	assert_output -p "size:1048576"
}

@test "mounts: binds of a folder and of a file, absolute and relative to the bundle" {
	bundle
	mkdir "$T/dir" "$B/rel"
	echo one >"$T/dir/f"
	echo two >"$T/file"
	echo three >"$B/rel/f"
	edit --arg t "$T" '.mounts += [
		{"destination": "/m/dir", "type": "bind", "source": ($t + "/dir"), "options": ["bind"]},
		{"destination": "/m/deep/file", "type": "none", "source": ($t + "/file"), "options": ["rbind", "ro"]},
		{"destination": "/rel", "source": "rel", "options": ["bind"]},
		{"destination": "relative/dest", "source": "rel", "options": ["bind"]}]'
	inside 'cat /m/dir/f /m/deep/file /rel/f /relative/dest/f; echo new >/m/dir/g; (echo x >/m/deep/file) 2>/dev/null && echo WRITTEN; :'
	[ "${lines[*]}" = "one two three three" ]
	[ "$(cat "$T/dir/g")" = new ]
	[ "$(cat "$T/file")" = two ]
	assert_no_leftovers
}

@test "mounts: a bind has no use for a file system's options, which can't be misspelled flags, nor for podman's" {
	bundle
	mkdir "$T/src"
	echo there >"$T/src/f"
	edit --arg s "$T/src" '.mounts += [{"destination": "/x", "source": $s, "options": ["bind", "mode=700", "nocopy", "size=1k", "noexec"]}]'
	inside 'cat /x/f; awk "\$5 == \"/x\" { print \$6 }" /proc/self/mountinfo'
	[ "${lines[0]}" = there ]
	[[ ${lines[1]} == *noexec* ]]
}

@test "mounts: a bind in a user namespace, of what its root may not look into" {
	bundle
	open_path
	chown -R 100000:100000 "$B/rootfs"
	mkdir -p "$T/closed/in"
	echo there >"$T/closed/in/f"
	ln -s "$T/closed/in" "$T/link"
	chmod 711 "$T"
	chmod 700 "$T/closed"
	edit "$map_filter"
	edit --arg s "$T" '.mounts += [{"destination": "/x", "source": ($s + "/closed/in"), "options": ["rbind", "ro"]},
		{"destination": "/f", "source": ($s + "/closed/in/f"), "options": ["bind"]},
		{"destination": "/l", "source": ($s + "/link"), "options": ["bind"]}]'
	inside 'cat /x/f /f /l/f; touch /x/g 2>&1; :'
	[ "${lines[*]}" = "there there there touch: /x/g: Read-only file system" ] || fail "$output"
	refused '.mounts += [{"destination": "/y", "source": "/no/such", "options": ["bind"]}]' "mounts[10] '/y': bind '/no/such': No such file or directory"
	# the others are on their way when the first one fails
	refused '.mounts = [range(300) | {"destination": "/etc/passwd/x", "source": "/tmp", "options": ["bind"]}]' "mounts[0] '/etc/passwd/x'"
	# a flag that the host's mount has stays, whatever the container's root may try
	edit '.process.capabilities.bounding += ["CAP_SYS_ADMIN"] | .process.capabilities.permitted += ["CAP_SYS_ADMIN"] | .process.capabilities.effective += ["CAP_SYS_ADMIN"]'
	args sh -c 'mount -o remount,bind,suid /x 2>&1; awk "\$5 == \"/x\" { print \$6 }" /proc/self/mountinfo'
	run --separate-stderr unshare -m sh -c 'mount --bind "$1/closed" "$1/closed" && mount -o remount,bind,nosuid "$1/closed" && shift &&
		exec "$@"' - "$T" "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	[[ ${lines[-1]} == *nosuid* ]] || fail "$output; $stderr"
	assert_no_leftovers
}

@test "mounts: bind takes the mounts below only with rbind" {
	bundle
	unshare -m --propagation private bash -c '
		mkdir -p "$1/src/sub" && mount -t tmpfs tmpfs "$1/src/sub" && echo below >"$1/src/sub/f"
		shift; exec "$@"' - "$T" true
	cat >"$T/go" <<-'EOF'
		mkdir -p "$T/src/sub" && mount -t tmpfs tmpfs "$T/src/sub" && echo below >"$T/src/sub/f" &&
			exec "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	EOF
	export T B STATE ID BOCK_RUNC
	for option in bind rbind; do
		edit --arg t "$T" --arg o "$option" '.mounts = (.mounts | map(select(.destination != "/m"))) +
			[{"destination": "/m", "source": ($t + "/src"), "options": [$o]}]'
		args sh -c 'cat /m/sub/f 2>/dev/null || echo nothing'
		run --separate-stderr unshare -m --propagation private bash "$T/go"
		if [ "$option" = bind ]; then assert_ok nothing; else assert_ok below; fi
	done
}

@test "mounts: overlay" {
	bundle
	mkdir -p "$T"/ov/{lower,upper,work}
	echo low >"$T/ov/lower/f"
	edit --arg t "$T/ov" '.mounts += [{"destination": "/ov", "type": "overlay", "source": "overlay",
		"options": ["lowerdir=" + $t + "/lower", "upperdir=" + $t + "/upper", "workdir=" + $t + "/work"]}]'
	inside 'cat /ov/f; echo up >/ov/f'
	[ "$output" = low ]
	[ "$(cat "$T/ov/upper/f")" = up ]
	[ "$(cat "$T/ov/lower/f")" = low ]
}

@test "mounts: a file system for the root itself, the first of them" {
	bundle
	mkdir -p "$T"/ov/{l2,upper,work} "$T/empty"
	mv "$B/rootfs" "$T/ov/lower"
	mkdir "$B/rootfs"
	echo low >"$T/ov/l2/f"
	for n in $(seq 40); do mkdir "$T/ov/layer-$n-$(printf %040d 0)"; done
	edit --arg t "$T/ov" '.root.readonly = false | .mounts = [{"destination": "/", "type": "overlay", "source": "overlay",
		"options": ["lowerdir=" + $t + "/l2:" + $t + "/lower", "upperdir=" + $t + "/upper", "workdir=" + $t + "/work"]}] + .mounts'
	# by fsconfig, and by mount(2) what that does not take
	for long in "" 1; do
		[ -z "$long" ] || edit --arg l "$(echo "$T"/ov/layer-* | tr ' ' :)" '.mounts[0].options[0] += ":" + $l'
		rm -rf "$T"/ov/{upper,work}
		mkdir "$T"/ov/{upper,work}
		inside 'cat /f; echo up >/new; rm /f; cat /proc/self/mountinfo'
		[ "${lines[0]}" = low ]
		[ "$(awk '$5 == "/"' <<<"$output" | wc -l)" -eq 1 ]
		[[ $(info_of /) == *' - overlay overlay '* ]]
		[ "$(cat "$T/ov/upper/new")" = up ]
		[ "$(stat -c %F "$T/ov/upper/f")" = "character special file" ]
		[ "$(cat "$T/ov/l2/f")" = low ]
	done
	edit '.root.readonly = true'
	inside '(echo up >/other) 2>&1 || echo refused'
	assert_output -p refused
	edit '.mounts[0].options[0] = "lowerdir=/no/such/layer:" + .mounts[0].options[0][9:200]'
	run_it
	[ "$status" -eq 1 ]
	assert_error "mounts[0] '/'"
	[ -z "$(ls -A "$B/rootfs")" ]
	assert_no_leftovers
}

@test "mounts: several file systems for the root itself, each over the one before" {
	bundle
	mkdir -p "$T"/ov/{l2,upper,work} "$T/empty"
	mv "$B/rootfs" "$T/ov/lower"
	mkdir "$B/rootfs"
	echo low >"$T/ov/l2/f"
	# the second is over what the first shows at root.path
	edit --arg t "$T/ov" --arg b "$B" '.root.readonly = false | .mounts = [{"destination": "/", "type": "overlay", "source": "first",
		"options": ["ro", "lowerdir=" + $t + "/l2:" + $t + "/lower"]}, {"destination": "//.", "type": "overlay", "source": "second",
		"options": ["lowerdir=" + $b + "/rootfs", "upperdir=" + $t + "/upper", "workdir=" + $t + "/work"]}] + .mounts'
	inside 'cat /f; echo up >/new; rm /f; cat /proc/self/mountinfo'
	[ "${lines[0]}" = low ]
	[ "$(awk '$5 == "/"' <<<"$output" | wc -l)" -eq 1 ]
	[[ $(info_of /) == *' - overlay second '* ]]
	[ "$(cat "$T/ov/upper/new")" = up ]
	[ "$(cat "$T/ov/l2/f")" = low ]
	[ -z "$(ls -A "$B/rootfs")" ]
	# not behind another mount
	edit '.mounts = [.mounts[0], {"destination": "/tmp", "type": "tmpfs", "source": "t"}] + .mounts[1:]'
	run_it
	[ "$status" -eq 1 ]
	assert_error "mounts[2].destination: is the root itself"
	assert_no_leftovers
}

@test "mounts: more layers of a root than mount(2) takes" {
	bundle
	# (kernel 6.8) overlayfs takes one layer an option
	unshare -m python3 - "$T" <<-'END' || skip "this kernel's overlayfs has no lowerdir+"
		import ctypes, os, sys
		c = ctypes.CDLL(None, use_errno=True)
		fs = c.syscall(430, b"overlay", 0)
		sys.exit(c.syscall(431, fs, 1, b"lowerdir+", sys.argv[1].encode(), 0) != 0)
	END
	mkdir -p "$T"/ov/{upper,work}
	mv "$B/rootfs" "$T/ov/lower"
	mkdir "$B/rootfs"
	for n in $(seq 60); do mkdir "$T/ov/layer-$n-$(printf %040d 0)"; echo "$n" >"$T/ov/layer-$n-$(printf %040d 0)/f$n"; done
	edit --arg t "$T/ov" --arg l "$(echo "$T"/ov/layer-*)" '.root.readonly = false |
		.mounts = [{"destination": "/", "type": "overlay", "source": "overlay", "options": (($l / " " | map("lowerdir+=" + .)) +
		["lowerdir+=" + $t + "/lower", "upperdir=" + $t + "/upper", "workdir=" + $t + "/work"])}] + .mounts'
	inside 'cat /f1 /f60; echo up >/new'
	[ "$output" = $'1\n60' ]
	[ -e "$T/ov/upper/new" ]
}

@test "mounts: a later one hides an earlier one" {
	bundle
	mount_add '{"destination": "/m", "type": "tmpfs", "source": "first"}'
	mount_add '{"destination": "/m/a", "type": "tmpfs", "source": "second"}'
	mount_add '{"destination": "/m", "type": "tmpfs", "source": "third"}'
	inside 'ls /m; grep -c " /m " /proc/self/mountinfo'
	[ "$output" = 2 ]
}

@test "mounts: the host's cgroup tree is never the container's" {
	need_cgroup2
	bundle
	inside 'cat /sys/fs/cgroup/cgroup.procs; ls /sys/fs/cgroup | grep -c . '
	[ "${lines[0]}" = 1 ]
	edit 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	inside 'ls -d /sys/fs/cgroup/*/ 2>/dev/null; test -e /sys/fs/cgroup/cgroup.procs && echo own; grep -c . /sys/fs/cgroup/cgroup.procs'
	[[ $output == *own* ]]
	refute_output -p "$ID"
	[ "$(wc -l <"$(cgroup2_path)/cgroup.procs")" -gt 3 ]
	[ "${lines[-1]}" -le 3 ]
}

@test "mounts: what can't be mounted is an error that says where" {
	bundle true
	refused '.mounts += [{"destination": "/x", "type": "nosuchfs", "source": "x"}]' "mounts[7] '/x': mount nosuchfs on '/x'"
	refused '.mounts += [{"destination": "/x", "source": "/no/such/source", "options": ["bind"]}]' "bind '/no/such/source'"
	refused '.mounts += [{"destination": "/x", "options": ["bind"]}]' 'mounts[7].source'
	refused '.mounts += [{"destination": "/x", "type": "tmpfs", "source": "t", "options": ["nosuchoption"]}]' nosuchoption
	refused '.mounts += [{"destination": "/x", "source": "/tmp", "options": ["bind", "noexe"]}]' "mounts[7].options: 'noexe' is unknown"
	refused '.mounts += [{"destination": "/x", "source": "/tmp", "options": ["bind", "size=1m", "noexe"]}]' "mounts[7].options: 'size=1m,noexe'"
	refused '.mounts += [{"destination": "/x", "source": "/tmp", "options": ["bind", "sync"]}]' 'mounts[7].options'
	refused '.mounts += [{"destination": "/", "type": "tmpfs", "source": "t"}]' 'is the root itself'
	refused '.mounts += [{"destination": "/x", "source": "t"}]' 'mounts[7].type'
	refused '.mounts += [{"destination": "/etc/passwd/x", "type": "tmpfs", "source": "t"}]' "/etc/passwd"
	refused '.mounts += [{"destination": "/etc/passwd", "type": "tmpfs", "source": "t"}]' "mounts[7] '/etc/passwd'"
	refused '.mounts += [{"destination": "/etc", "source": "/etc/passwd", "options": ["bind"]}]' "mounts[7] '/etc'"
	refused '.mounts += [{"type": "tmpfs", "source": "t"}]' 'destination'
}

@test "mounts: nothing but procfs on /proc, and only known files below" {
	bundle
	refused '.mounts += [{"destination": "/proc", "type": "tmpfs", "source": "t"}]' "only a proc file system can be mounted on '/proc'"
	refused '.mounts += [{"destination": "/proc", "source": "/tmp", "options": ["bind"]}]' 'is not a proc file system'
	refused '.mounts += [{"destination": "/proc/sys", "type": "tmpfs", "source": "t"}]' 'inside /proc'
	refused '.mounts += [{"destination": "/x/../proc/self", "type": "tmpfs", "source": "t"}]' 'inside /proc'
	echo mine >"$T/meminfo"
	edit --arg t "$T" '.mounts += [{"destination": "/proc/meminfo", "source": ($t + "/meminfo"), "options": ["bind", "ro"]}]'
	inside 'cat /proc/meminfo'
	[ "$output" = mine ]
}

# ---- options -------------------------------------------------------------------------------------

# options_give "OPTION,OPTION..." WORDS: a new tmpfs and a bind of a folder with these have WORDS in
# their mountinfo (in front of the optional fields)
options_give() {
	local list
	list=$(jq -cn --arg o "$1" '$o | split(",")')
	edit --arg s "$T/src" --argjson o "$list" '.mounts = (.mounts | map(select(.destination | startswith("/m-") | not))) + [
		{"destination": "/m-new", "type": "tmpfs", "source": "tmpfs", "options": $o},
		{"destination": "/m-bind", "source": $s, "options": (["bind"] + $o)}]'
	run_it
	assert_ok "$output" || return 1
	for mount in /m-new /m-bind; do
		got=,$(info_of $mount | cut -d' ' -f6),
		for word in $2; do
			case $word in
			!*) [[ $got != *,${word#!},* ]] || fail "$1: $mount is $got" || return 1 ;;
			*) [[ $got == *,$word,* ]] || fail "$1: $mount is $got" || return 1 ;;
			esac
		done
	done
}

@test "options: those of one mount, on a new file system and on a bind" {
	bundle cat /proc/self/mountinfo
	mkdir "$T/src"
	options_give defaults 'rw !nosuid !nodev !noexec'
	options_give ro ro
	options_give nosuid,nodev,noexec 'nosuid nodev noexec'
	options_give ro,rw 'rw !ro'
	options_give nosuid,suid,nodev,dev,noexec,exec '!nosuid !nodev !noexec'
	options_give noatime 'noatime !relatime'
	options_give relatime 'relatime !noatime'
	options_give strictatime '!noatime !relatime'
	options_give noatime,strictatime '!noatime !relatime'
	options_give nodiratime 'nodiratime'
	options_give nosymfollow 'nosymfollow'
	options_give nosymfollow,symfollow '!nosymfollow'
	options_give rro ro
	options_give rnosuid,rnodev,rnoexec 'nosuid nodev noexec'
	options_give rnoatime 'noatime'
	options_give rnosymfollow 'nosymfollow'
}

@test "options: ro is of the mount, rro of all below" {
	bundle sh -c 'for d in /m /m/sub; do (echo x >$d/new) 2>/dev/null && echo "$d rw" || echo "$d ro"; done'
	cat >"$T/go" <<-'EOF'
		mkdir -p "$T/src/sub" && mount -t tmpfs tmpfs "$T/src/sub" &&
			exec "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	EOF
	export T B STATE ID BOCK_RUNC
	try() { # OPTIONS-JSON
		edit --arg t "$T" --argjson o "$1" '.mounts = (.mounts | map(select(.destination != "/m"))) +
			[{"destination": "/m", "source": ($t + "/src"), "options": $o}]'
		run --separate-stderr unshare -m --propagation private bash "$T/go"
	}
	try '["rbind", "ro"]'
	assert_ok "/m ro
/m/sub rw"
	try '["rbind", "rro"]'
	assert_ok "/m ro
/m/sub ro"
	try '["rbind", "rro", "rrw"]'
	assert_ok "/m rw
/m/sub rw"
}

@test "options: of the file system itself" {
	bundle cat /proc/self/mountinfo
	mount_add '{"destination": "/m", "type": "tmpfs", "source": "t", "options": ["sync", "dirsync", "lazytime"]}'
	run_it
	assert_ok "$output"
	[[ $(info_of /m) =~ -\ tmpfs\ t\ .*sync ]]
	[[ $(info_of /m) =~ lazytime ]]
}

@test "options: remount changes what is there" {
	bundle cat /proc/self/mountinfo
	mount_add '{"destination": "/m", "type": "tmpfs", "source": "t", "options": ["size=1m"]}'
	mount_add '{"destination": "/m", "type": "tmpfs", "source": "t", "options": ["remount", "ro", "nosuid"]}'
	mount_add '{"destination": "/dev/shm", "options": ["bind", "remount", "noexec", "ro"]}'
	run_it
	assert_ok "$output"
	[[ $(info_of /m) =~ \ ro,nosuid ]]
	[[ $(info_of /dev/shm) =~ \ ro,.*noexec ]]
}

@test "propagation: of a mount" {
	bundle cat /proc/self/mountinfo
	edit '.mounts += [
		{"destination": "/p/shared", "type": "tmpfs", "source": "t", "options": ["shared"]},
		{"destination": "/p/private", "type": "tmpfs", "source": "t", "options": ["rprivate"]},
		{"destination": "/p/unbindable", "type": "tmpfs", "source": "t", "options": ["unbindable"]},
		{"destination": "/p/both", "type": "tmpfs", "source": "t", "options": ["shared", "slave", "shared"]}]'
	run_it
	assert_ok "$output"
	[[ $(info_of /p/shared) =~ \ shared:[0-9]+ ]]
	[[ ! $(info_of /p/private) =~ (shared|master|unbindable) ]]
	[[ $(info_of /p/unbindable) =~ unbindable ]]
	[[ $(info_of /p/both) =~ shared: ]]
}

# in_shared_host SCRIPT: runs it as a host of its own whose mounts are shared, with $SRC shared too
in_shared_host() {
	mkdir -p "$T/src"
	export T B STATE ID BOCK_RUNC SRC=$T/src
	unshare -m --propagation shared bash -ec "mount --bind '$T/src' '$T/src'; mount --make-shared '$T/src'; $1"
}

@test "propagation: the host's mounts come to a slave, and not to a private; none goes back" {
	bundle sh -c 'touch /m/up; while [ ! -e /m/done ]; do sleep 0.02; done; mount -t tmpfs in /m/inner 2>/dev/null; ls /m/late; touch /end; while [ ! -e /m/done2 ]; do sleep 0.02; done'
	for option in rslave rprivate rshared; do
		edit --arg t "$T" --arg o "$option" '.mounts = (.mounts | map(select(.destination != "/m"))) +
			[{"destination": "/m", "source": ($t + "/src"), "options": ["rbind", $o]}] |
			.process.capabilities.bounding = ["CAP_SYS_ADMIN"] | .process.capabilities.permitted = ["CAP_SYS_ADMIN"] |
			.process.capabilities.effective = ["CAP_SYS_ADMIN"] |
			.linux.rootfsPropagation = if $o == "rshared" then $o else null end'
		rm -rf "$T/src" "$B/rootfs/end"
		mkdir -p "$T/src/late" "$T/src/inner"
		run --separate-stderr in_shared_host '
			"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" 3>&- & pid=$!
			while [ ! -e "$SRC/up" ]; do sleep 0.02; done
			mount -t tmpfs late "$SRC/late"; touch "$SRC/late/seen" "$SRC/done"
			while [ ! -e "$B/rootfs/end" ]; do sleep 0.02; done
			grep -q " $SRC/inner " /proc/self/mountinfo && echo escaped
			touch "$SRC/done2"; wait $pid'
		[ "$status" -eq 0 ] || fail "$option: $stderr"
		case $option in
		rslave) [ "$output" = seen ] ;;
		rprivate) [ -z "$output" ] ;;
		rshared) [ "$output" = "seen
escaped" ] ;;
		esac || fail "$option: $output"
	done
}

@test "propagation: what the host has mounted below a shared mount stays when the old root is detached" {
	bundle true
	mkdir -p "$T/src/sub"
	for word in shared rshared slave rslave private rprivate unbindable; do
		edit --arg p "$word" '.linux.rootfsPropagation = $p'
		run --separate-stderr in_shared_host '
			mkdir -p "$SRC/sub"; mount -t tmpfs sub "$SRC/sub"
			before=$(grep -c " $SRC/sub " /proc/self/mountinfo)
			"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" 3>&-
			echo $(($(grep -c " $SRC/sub " /proc/self/mountinfo) - before)); umount "$SRC/sub"'
		assert_ok 0 || fail "$word"
	done
}

@test "propagation: a root file system that is a shared mount of its own" {
	bundle cat /proc/self/mountinfo
	for word in shared slave private unbindable; do
		edit --arg p "$word" '.linux.rootfsPropagation = $p'
		run --separate-stderr in_shared_host '
			mount --bind "$B/rootfs" "$B/rootfs"; mount --make-shared "$B/rootfs"
			"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" 3>&-'
		assert_ok "$output" || fail "$word"
		case $word in
		slave) [[ $(info_of /) =~ master: ]] ;;
		private) [[ ! $(info_of /) =~ (shared:|master:|unbindable) ]] ;;
		*) [[ $(info_of /) =~ $word ]] ;;
		esac || fail "$word: $(info_of /)"
	done
}

@test "propagation: linux.rootfsPropagation" {
	bundle cat /proc/self/mountinfo
	for pair in 'shared:shared' 'rshared:shared' 'slave:master|^[^ ]' 'unbindable:unbindable' 'private:rw'; do
		edit --arg p "${pair%%:*}" '.linux.rootfsPropagation = $p'
		run_it
		assert_ok "$output" || fail "$pair"
		[[ $(info_of /) =~ ${pair#*:} ]] || fail "$pair: $(info_of /)"
	done
	refused '.linux.rootfsPropagation = "nosuch"' "linux.rootfsPropagation: 'nosuch' is unknown"
	# nothing of it reaches the host
	run ! grep -q "$B" /proc/self/mountinfo
}

# ---- masked, read-only ---------------------------------------------------------------------------

@test "masked and read-only paths: files, folders, links, what is missing" {
	bundle
	mkdir -p "$B/rootfs/secret/in" "$B/rootfs/fixed"
	echo hidden >"$B/rootfs/secret/in/f"
	echo hidden >"$B/rootfs/file"
	echo fixed >"$B/rootfs/fixed/f"
	edit '.linux.maskedPaths += ["/secret", "/file", "/no/such"] | .linux.readonlyPaths += ["/fixed", "/no/such2", "/etc/passwd"]'
	inside 'ls /secret; cat /file; (echo x >/secret/new) 2>/dev/null && echo WRITTEN; (echo x >/fixed/f) 2>/dev/null && echo WRITTEN
		(echo x >>/etc/passwd) 2>/dev/null && echo WRITTEN; cat /fixed/f; stat -c %t:%T /file; (echo 1 >/proc/sys/kernel/shmmax) 2>/dev/null && echo WRITTEN
		(echo b >/proc/sysrq-trigger) 2>/dev/null && echo WRITTEN; wc -c </proc/keys; :'
	[ "${lines[*]}" = "fixed 1:3 0" ] || fail "$output"
	[ "$(cat "$B/rootfs/file")" = hidden ]
	refused '.linux.maskedPaths = ["relative"]' 'linux.maskedPaths[0]'
	refused '.linux.readonlyPaths = ["relative"]' 'linux.readonlyPaths[0]'
}

@test "masked paths: with a host's /dev/null that is something else nothing is masked by it (CVE-2025-31133)" {
	bundle sh -c 'stat -c %t:%T /file; cat /file'
	echo hidden >"$B/rootfs/file"
	edit '.linux.maskedPaths = ["/file"] | .mounts |= map(select(.destination != "/dev"))'
	rm -rf "$B/rootfs/dev"
	mkdir "$B/rootfs/dev"
	ln -s /etc/passwd "$B/rootfs/dev/null"
	run_it
	[ "$status" -eq 1 ] || { assert_ok "1:3"; }
	refute_output -p root:
}

@test "read-only root: everything but what is mounted" {
	bundle
	edit '.root.readonly = true'
	inside '(echo x >/new) 2>&1; echo x >/dev/shm/f && echo shm; grep " / / " /proc/self/mountinfo | cut -d" " -f6 | cut -d, -f1; awk "\$5 == \"/\" { print \$6 }" /proc/self/mountinfo | cut -d, -f1'
	[[ ${lines[0]} == *"Read-only file system"* ]]
	assert_output -p shm
	[ "${lines[-1]}" = ro ]
	[ ! -e "$B/rootfs/new" ]
}

# ---- devices -------------------------------------------------------------------------------------

@test "devices: the default ones and the links" {
	bundle
	inside 'cd /dev; for d in null zero full random urandom tty; do stat -c "%n %F %t:%T %a %u:%g" $d; done
		for l in fd stdin stdout stderr ptmx; do echo "$l $(readlink $l)"; done'
	[ "$output" = "null character special file 1:3 666 0:0
zero character special file 1:5 666 0:0
full character special file 1:7 666 0:0
random character special file 1:8 666 0:0
urandom character special file 1:9 666 0:0
tty character special file 5:0 666 0:0
fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
ptmx pts/ptmx" ]
}

@test "devices: a read-only /dev has its devices" {
	bundle
	edit '(.mounts[] | select(.destination == "/dev")).options += ["ro"]'
	inside '(echo x >/dev/new) 2>&1; echo x >/dev/null && echo null; test -c /dev/full && readlink /dev/fd'
	[[ ${lines[0]} == *"Read-only file system"* ]]
	[ "${lines[1]} ${lines[2]}" = "null /proc/self/fd" ]
}

@test "devices: listed ones, of every type, anywhere, with mode and owner" {
	bundle
	umask 077
	edit '.linux.devices = [
		{"type": "c", "path": "/dev/mychar", "major": 1, "minor": 3, "fileMode": 438, "uid": 10, "gid": 20},
		{"type": "b", "path": "/dev/sub/dir/blk", "major": 7, "minor": 200, "fileMode": 384},
		{"type": "u", "path": "/nodes/u", "major": 1, "minor": 5},
		{"type": "p", "path": "/nodes/pipe", "fileMode": 416},
		{"type": "c", "path": "/dev/null", "major": 1, "minor": 3, "fileMode": 420}]'
	inside 'stat -c "%n %F %t:%T %a %u:%g" /dev/mychar /dev/sub/dir/blk /nodes/u /nodes/pipe /dev/null; stat -c %a /dev/sub'
	[ "$output" = "/dev/mychar character special file 1:3 666 10:20
/dev/sub/dir/blk block special file 7:c8 600 0:0
/nodes/u character special file 1:5 666 0:0
/nodes/pipe fifo 0:0 640 0:0
/dev/null character special file 1:3 644 0:0
755" ]
}

@test "devices: one that is there already must be the same" {
	bundle true
	edit '.mounts |= map(select(.destination != "/dev"))'
	mknod "$B/rootfs/dev/same" c 1 7
	mknod "$B/rootfs/dev/other" c 1 5
	edit '.linux.devices = [{"type": "c", "path": "/dev/same", "major": 1, "minor": 7}]'
	run_it
	assert_ok ""
	refused '.linux.devices = [{"type": "c", "path": "/dev/other", "major": 1, "minor": 7}]' "'/dev/other' is there and is another device"
}

@test "devices: what is none" {
	bundle true
	refused '.linux.devices = [{"type": "x", "path": "/dev/x", "major": 1, "minor": 1}]' 'linux.devices[0].type'
	refused '.linux.devices = [{"type": "c", "path": "dev/x", "major": 1, "minor": 1}]' 'linux.devices[0].path'
	refused '.linux.devices = [{"type": "c", "path": "/dev/x", "major": -1, "minor": 1}]' 'linux.devices[0]'
	refused '.linux.devices = [{"type": "c", "path": "/dev/x", "major": 1, "minor": 1048576}]' 'linux.devices[0]'
	refused '.linux.devices = [{"type": "p", "path": "/dev/x"}, {"type": "p", "path": "/dev//x"}]' 'is there twice'
}

@test "devices: in a user namespace the host's are bound" {
	bundle
	open_path
	chown -R 100000:100000 "$B/rootfs"
	edit "$map_filter"
	inside 'echo x >/dev/null && head -c 3 /dev/zero | od -An -tx1; stat -c "%F %t:%T" /dev/full; awk "\$5 == \"/dev/null\"" /proc/self/mountinfo | wc -l'
	[ "${lines[*]}" = " 00 00 00 character special file 1:7 1" ]
	refused '.linux.devices = [{"type": "c", "path": "/dev/nosuch", "major": 1, "minor": 3}]' '/dev/nosuch'
	refused '.linux.devices = [{"type": "c", "path": "/dev/null", "major": 1, "minor": 5}]' "the host's '/dev/null' is another device"
}

@test "devices: to who may make none the host's are bound" {
	need_cmd setpriv
	bundle sh -c 'stat -c "%F %t:%T" /dev/full; head -c 2 /dev/zero | od -An -tx1; awk "\$5 == \"/dev/null\"" /proc/self/mountinfo | wc -l'
	run --separate-stderr setpriv --bounding-set -mknod "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_ok "character special file 1:7
 00 00
1"
	edit '.linux.devices = [{"type": "c", "path": "/dev/nosuch", "major": 1, "minor": 3}]'
	run --separate-stderr setpriv --bounding-set -mknod "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_error "linux.devices[0]: bind the host's '/dev/nosuch'"
}

@test "devices: a /dev bound from the host is left as it is" {
	bundle sh -c 'ls /dev'
	mkdir "$T/dev"
	mknod "$T/dev/null" c 1 3
	edit --arg t "$T/dev" '.mounts = (.mounts | map(select(.destination | startswith("/dev") | not))) +
		[{"destination": "/dev", "source": $t, "options": ["bind"]}]'
	run_it
	assert_ok null
	[ "$(ls "$T/dev")" = null ]
}
