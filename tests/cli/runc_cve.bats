# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # status and output are bats'; scripts for other shells
# Attacks on runtimes, each named after the advisory that it comes from: by the root file system, by a process beside,
# by the caller's descriptors. That each succeeds where its guard is missing is shown by tests/attacks/mutants. A
# process beside that wins its race is played by a createContainer hook, which comes when the mounts are there.

setup() {
	load ../helpers/runc
	runc_setup
	ATTACKER=$BOCK_BUILDDIR/tests/attacks/attacker
	[ -x "$ATTACKER" ] || skip "tests/attacks/attacker is not built (make check TESTS=)"
	OUT=$T/host
}

teardown() {
	[ -z "${BESIDE-}" ] || kill "$BESIDE" 2>/dev/null || :
	common_teardown
}

# beside SCRIPT: run by a process that is there at the worst moment, in the root, with the host's programs
beside() {
	edit --arg s "$1" '.hooks.createContainer += [{"path": "/bin/sh", "args": ["sh", "-c", $s],
		"env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]'
}

without_dev() { edit '.mounts |= map(select(.destination != "/dev"))'; }

# race SECONDS: runs the bundle again and again while a name in the shared volume is a folder and a link to the host's
# by turns; what the runtime makes in that folder is removed each time
race() {
	local end=$((SECONDS + $1)) n=0
	cd "$T/volume/dir" || return 1
	"$ATTACKER" exchange "$T/volume/dir" "$T/volume/link" 3>&- &
	BESIDE=$!
	while [ "$SECONDS" -lt "$end" ]; do
		bock_runc run -b "$B" "$ID-$n" </dev/null >/dev/null 2>>"$T/errors" && n=$((n + 1)) ||
			bock_runc delete --force "$ID-$n" 2>/dev/null || :
		rm -rf ./made
	done
	kill "$BESIDE"
	wait "$BESIDE" || [ $? -eq 143 ] || fail "the attacker ended before"
	BESIDE=
	[ "$n" -gt 0 ] || fail "no run went through: $(sort "$T/errors" | uniq -c | head)"
}

volume() {
	canaries
	mkdir -p "$T/volume/dir"
	ln -s "$OUT" "$T/volume/link"
	edit --arg v "$T/volume" '.mounts += [{"destination": "/vol", "source": $v, "options": ["bind"]}]'
}

# ---- the runtime's file --------------------------------------------------------------------------

@test "CVE-2019-5736: the runtime's file, held open by a process that sees it at work, is not written to" {
	mkdir "$T/bin"
	cp "$BOCK_RUNC" "$T/bin/runtime"
	before=$(sha256sum <"$T/bin/runtime")
	bundle /bin/attacker hold /stop /report
	cp "$ATTACKER" "$B/rootfs/bin/attacker"
	edit '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"] | unique)'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	bundle_make "$T/victim" sleep 1000
	bundle_edit "$T/victim" --arg p "/proc/$(pid_of)/ns/pid" '(.linux.namespaces[] | select(.type == "pid")).path = $p'
	for _ in 1 2 3; do
		"$T/bin/runtime" --root "$STATE" create -b "$T/victim" "$ID-v" </dev/null >/dev/null 2>&1
		sleep 0.1 # it sees what waits for start
		"$T/bin/runtime" --root "$STATE" start "$ID-v"
		"$T/bin/runtime" --root "$STATE" exec "$ID" true
		"$T/bin/runtime" --root "$STATE" delete --force "$ID-v"
	done
	touch "$B/rootfs/stop"
	wait_for 30 grep -q '^end$' "$B/rootfs/report"
	[ "$before" = "$(sha256sum <"$T/bin/runtime")" ] || fail "the runtime was overwritten: $(cat "$B/rootfs/report")"
	grep -q '^/memfd:' "$B/rootfs/report" || fail "it has seen nothing of the runtime: $(cat "$B/rootfs/report")"
	! grep -q '^/memfd:.*: written' "$B/rootfs/report" || fail "a sealed copy was written to"
	! grep -F "$T/bin/runtime" "$B/rootfs/report" || fail "it has held the runtime's file"
}

# ---- /proc and /sys ------------------------------------------------------------------------------

@test "CVE-2019-16884: nothing but a procfs is mounted on /proc, and nothing below it" {
	bundle true
	mkdir -p "$T/fake/self/attr" "$T/fake/sys/kernel"
	: >"$T/fake/self/attr/exec"
	cp "$B/config.json" "$T/good"
	# in the place of the procfs and behind it, as a VOLUME of the image would come
	refused '(.mounts[] | select(.destination == "/proc")) = {"destination": "/proc", "source": "'"$T/fake"'", "options": ["bind"]}' \
		"is not a proc file system"
	refused '.mounts += [{"destination": "/proc", "source": "'"$T/fake"'", "options": ["rbind"]}]' "is not a proc file system"
	refused '.mounts += [{"destination": "/proc", "type": "tmpfs", "source": "tmpfs"}]' "only a proc file system"
	refused '.mounts += [{"destination": "/proc/./x/../", "type": "tmpfs", "source": "tmpfs"}]' "only a proc file system"
	for where in /proc/self /proc/sys /proc/self/attr /proc/1/attr/exec /proc/../proc/sys/kernel; do
		refused '.mounts += [{"destination": "'$where'", "source": "'"$T/fake"'", "options": ["bind"]}]' "inside /proc"
	done
	# a part of a procfs is of that file system, and is no /proc
	refused '(.mounts[] | select(.destination == "/proc")) = {"destination": "/proc", "source": "/proc/sys", "options": ["bind"]}' \
		"is not the root of a proc file system"
}

@test "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: a /proc that is a link, with a volume behind it" {
	bundle true
	rmdir "$B/rootfs/proc"
	mkdir -p "$B/rootfs/elsewhere/proc" "$T/fake/self/attr"
	for target in elsewhere/proc /elsewhere/proc ../../elsewhere/proc /nowhere "$T/fake"; do
		ln -sfn "$target" "$B/rootfs/proc"
		refused . "must not be a symbolic link"
		refused '.mounts |= [{"destination": "/elsewhere", "source": "'"$T/fake"'", "options": ["bind"]}] + .' \
			"must not be a symbolic link"
	done
}

@test "CVE-2025-54867: a /sys that is a link" {
	bundle true
	rmdir "$B/rootfs/sys"
	mkdir "$B/rootfs/elsewhere"
	for target in elsewhere /elsewhere /nowhere "$T"; do
		ln -sfn "$target" "$B/rootfs/sys"
		refused . "must not be a symbolic link"
	done
}

@test "CVE-2025-52881, CVE-2025-62596: a sysctl is not written through what the container has for a /proc" {
	bundle cat /proc/sys/net/ipv4/ip_default_ttl
	edit '.linux.sysctl = {"net.ipv4.ip_default_ttl": "77"} | del(.linux.maskedPaths, .linux.readonlyPaths)'
	inside 'cat /proc/sys/net/ipv4/ip_default_ttl'
	[ "$output" = 77 ]
	args sleep 1000
	cp "$B/config.json" "$T/good"
	# a file of the host's, where a process beside has mounted it over the sysctl, and a whole false /proc
	echo canary >"$T/file"
	mkdir -p "$T/fake/sys/net/ipv4"
	ln -s "$T/file" "$T/fake/sys/net/ipv4/ip_default_ttl"
	for attack in "mount --bind $T/file proc/sys/net/ipv4/ip_default_ttl" "mount --bind $T/fake proc"; do
		cp "$T/good" "$B/config.json"
		beside "$attack"
		detached run -d -b "$B" "$ID"
		assert_ok ""
		[ "$(cat "$T/file")" = canary ] || fail "$attack: written to a file of the host: $(cat "$T/file")"
		[ "$(nsenter -t "$(pid_of)" -n cat /proc/sys/net/ipv4/ip_default_ttl)" = 77 ] || fail "$attack: not set"
		bock_runc delete --force "$ID"
	done
	assert_no_leftovers
}

@test "CVE-2025-52881: exec writes nothing to a /proc that the container has covered" {
	bundle sh -c 'mkdir -p /tmp/p/self && echo canary >/tmp/p/self/oom_score_adj && mount -o bind /tmp/p /proc && : >/tmp/done && sleep 1000'
	edit '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"] | unique) | del(.linux.maskedPaths, .linux.readonlyPaths)'
	detached run -d -b "$B" "$ID"
	assert_ok ""
	wait_for 20 test -e "$B/rootfs/tmp/done"
	jq '.process | .oomScoreAdj = 123 | .args = ["sleep", "1000"]' <"$B/config.json" >"$T/process.json"
	detached exec -d --process "$T/process.json" --pid-file "$T/pid" "$ID"
	assert_ok ""
	[ "$(cat "/proc/$(cat "$T/pid")/oom_score_adj")" = 123 ]
	[ "$(cat "$B/rootfs/tmp/p/self/oom_score_adj")" = canary ]
}

# ---- mount points --------------------------------------------------------------------------------

@test "CVE-2019-18837: a mount point behind a link to the host is one below the root" {
	canaries
	bundle true
	ln -s "$OUT" "$B/rootfs/out"
	ln -s /proc/1/root"$OUT" "$B/rootfs/magic"
	edit '.mounts += [{"destination": "/out/dev/new", "type": "tmpfs", "source": "tmpfs"},
		{"destination": "/out/etc/new", "source": "/etc/hostname", "options": ["bind"]}]'
	beside "cat /proc/self/mountinfo >$T/mounts"
	run_it
	assert_ok
	assert_canaries
	! grep " $OUT" "$T/mounts" || fail "mounted on the host's folder"
	[ -d "$B/rootfs$OUT/dev/new" ]
	edit '.mounts = (.mounts[0:1] + [{"destination": "/magic/new", "type": "tmpfs", "source": "tmpfs"}])'
	contained
}

@test "CVE-2021-30465: a mount point exchanged for a link to the host while it is mounted on" {
	bundle true
	volume
	mkdir -p "$T/volume/dir/etc" "$T/volume/dir/dev"
	touch "$T/volume/dir/etc/passwd"
	edit '.mounts += [range(8) | {"destination": "/vol/dir/etc", "type": "tmpfs", "source": "tmpfs"},
		{"destination": "/vol/dir/dev", "source": "/tmp", "options": ["bind"]}] +
		[{"destination": "/vol/dir/etc", "type": "tmpfs", "source": "tmpfs", "options": ["rnosuid", "rslave"]}]'
	beside "grep -F ' $OUT' /proc/self/mountinfo >>$T/escaped; :"
	race 2
	[ ! -s "$T/escaped" ] || fail "mounted on the host's: $(sort -u "$T/escaped" | head)"
	assert_canaries
}

@test "CVE-2024-45310: folders and files are made below the root, whatever is exchanged meanwhile" {
	bundle true
	volume
	edit '.mounts += [{"destination": "/vol/dir/made/b/c", "type": "tmpfs", "source": "tmpfs"},
		{"destination": "/vol/dir/made/e", "source": "/etc/hostname", "options": ["bind"]}] | .process.cwd = "/vol/dir/made/w/x" |
		.linux.devices = [{"type": "c", "path": "/vol/dir/made/n/null", "major": 1, "minor": 3}]'
	race 2
	assert_canaries
}

@test "CVE-2025-24965: no file of a handler is written through a link in the root" {
	canaries
	bundle true
	ln -s "$OUT/new" "$B/rootfs/.krun_config.json"
	ln -s "$OUT/new" "$B/rootfs/.containerenv"
	edit '.annotations = {"run.oci.handler": "krun", "krun.variant": "sev"} |
		.mounts += [{"destination": "/.containerenv", "source": "/etc/hostname", "options": ["bind"]}]'
	contained
}

# ---- devices and the terminal --------------------------------------------------------------------

@test "CVE-2026-41579, CVE-2026-47766: a /dev that is a link to the host: nothing is removed or made there" {
	canaries
	for target in "$OUT/dev" "../../../../../../../../../../../..$OUT/dev"; do
		rm -rf "$B"
		bundle true
		edit '.mounts |= map(select(.destination | startswith("/dev") | not))'
		rm -rf "$B/rootfs/dev"
		ln -s "$target" "$B/rootfs/dev"
		contained || fail "$target"
	done
}

@test "CVE-2025-31133, CVE-2025-62161: a masked path is covered by the null device, whatever the container's /dev/null is" {
	bundle sh -c 'cat /etc/secret; ls -l /etc/secret'
	without_dev
	mkdir -p "$B/rootfs/dev/pts" "$B/rootfs/dev/shm" "$B/rootfs/dev/mqueue"
	echo secret >"$B/rootfs/etc/secret"
	echo canary >"$T/file"
	edit '.linux.maskedPaths += ["/etc/secret"]'
	for attack in "ln -sf $T/file dev/null" "rm dev/null && cp $T/file dev/null" "mount --bind $T/file dev/null"; do
		cp "$B/config.json" "$T/good"
		beside "$attack"
		run_it
		assert_status 0
		refute_output -p canary
		refute_output -p secret$'\n'
		assert_output -e 'crw.* 1, +3 '
		[ "$(cat "$T/file")" = canary ]
		cp "$T/good" "$B/config.json"
		rm -f "$B/rootfs/dev/null"
	done
}

# ---- rights --------------------------------------------------------------------------------------

@test "CVE-2022-29162, CVE-2022-27650, CVE-2022-24769, CVE-2025-27612: nothing is inheritable that was not asked for" {
	bundle true
	edit '.process.capabilities = {"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]}'
	inside 'grep -E "^Cap(Inh|Amb)" /proc/self/status'
	[ "$output" = $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000' ]
	# the caller's own inheritable and ambient ones neither
	args grep -E '^Cap(Inh|Amb)' /proc/self/status
	run --separate-stderr setpriv --inh-caps +net_raw,+chown --ambient-caps +net_raw,+chown "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_ok $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
}

@test "CVE-2023-25809: without a cgroup namespace a user namespace sees its own cgroup alone, and read-only" {
	need_cgroup2
	bundle true
	edit '.linux.namespaces |= (map(select(.type != "cgroup")) + [{"type": "user"}] | unique) |
		.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}] | .linux.gidMappings = .linux.uidMappings |
		.mounts += [{"destination": "/sys/fs/cgroup", "type": "cgroup2", "source": "cgroup2", "options": ["nosuid", "rw"]}]'
	open_path
	inside 'mkdir /sys/fs/cgroup/made 2>/dev/null || echo refused; echo 0 2>/dev/null >/sys/fs/cgroup/cgroup.procs || echo refused
		mount -o remount,rw /sys/fs/cgroup 2>/dev/null || echo refused; ls -d /sys/fs/cgroup/*/ 2>/dev/null; :'
	[[ $output == *'refused'*'refused'*'refused'* ]] || fail "writable: $output"
	refute_output -p /sys/fs/cgroup/ # none below its own: neither made nor the host's
	assert_no_leftovers
}

@test "CVE-2026-46680: a user beyond 2^32-2 is an error, and never 0" {
	bundle id -u
	for n in 4294967295 4294967296 18446744073709551616 -1; do
		refused ".process.user.uid = $n" process.user
		refused ".process.user.gid = $n" process.user
		refused ".process.user.additionalGids = [$n]" process.user
	done
	edit '.process.user.uid = 4294967294'
	run_it
	assert_ok 4294967294
}

@test "CVE-2021-43784: lengths that overflow 16 bits bring no other settings into the container" {
	bundle readlink /proc/self/ns/net
	# what the stages tell each other: id maps of more than 64 KiB, a label of a namespace, arguments of many
	refused '.linux.namespaces += [{"type": "user"}] | .linux.gidMappings = [{"containerID": 0, "hostID": 0, "size": 1}] |
		.linux.uidMappings = [range(6000) | {"containerID": ., "hostID": (1000000000 + .), "size": 1}]' \
		"linux.uidMappings: 6000 entries, the kernel takes 340"
	long=$(head -c 65600 /dev/zero | tr '\0' x)
	refused '(.linux.namespaces[] | select(.type == "ipc")).path = "/'"$long"'"' "File name too long"
	refused '.linux.namespaces[0].type = "'"$long"'"' "type"
	edit --arg l "$long" '.process.env += ["LONG=" + $l]'
	inside '[ ${#LONG} = 65600 ] && readlink /proc/self/ns/net'
	[ "$output" != "$(readlink /proc/self/ns/net)" ]
}

# ---- descriptors and the working directory -------------------------------------------------------

@test "CVE-2024-21626: the caller's descriptors are no working directory, in run and in exec" {
	canaries
	bundle sh -c 'ls'
	exec 7<"$OUT" 8<"$T"
	for n in 3 4 5 6 7 8 9 10 11 12; do
		edit --arg n "/proc/self/fd/$n" '.process.cwd = $n'
		run --separate-stderr bock_runc run -b "$B" "$ID"
		[ "$status" -eq 1 ] || fail "fd $n: $output"
		[ -n "$stderr" ]
	done
	for target in /proc/self/fd/7 ../../proc/self/fd/7/etc /proc/self/fd/8; do
		ln -sfn "$target" "$B/rootfs/link" # WORKDIR of an image
		edit '.process.cwd = "/link"'
		run --separate-stderr bock_runc run -b "$B" "$ID"
		[ "$status" -eq 1 ] || fail "$target: $output"
	done
	edit '.process.cwd = "/"'
	args sleep 1000
	detached run -d -b "$B" "$ID"
	assert_ok ""
	for n in 3 4 5 6 7 8 9 10; do
		run --separate-stderr bock_runc exec --cwd "/proc/self/fd/$n" "$ID" ls
		[ "$status" -eq 255 ] || fail "exec, fd $n: $output"
	done
	exec 7<&- 8<&-
	assert_canaries
}

@test "CVE-2024-21626: none of the caller's descriptors, nor of the runtime's, is open in the container" {
	canaries
	bundle sh -c 'ls -l /proc/self/fd; cat /proc/self/fd/7/etc/passwd /proc/self/fd/8'
	exec 7<"$OUT" 8<"$OUT/etc/passwd" 9<"$T"
	run --separate-stderr bock_runc run -b "$B" "$ID"
	refute_output -p canary
	[ "$(grep -c ' -> ' <<<"$output")" -le 4 ] || fail "open: $output"
	args sleep 1000
	detached run -d -b "$B" "$ID"
	assert_ok ""
	run --separate-stderr bock_runc exec "$ID" sh -c 'ls -l /proc/self/fd; cat /proc/self/fd/7/etc/passwd /proc/self/fd/8'
	refute_output -p canary
	[ "$(grep -c ' -> ' <<<"$output")" -le 4 ] || fail "open: $output"
	exec 7<&- 8<&- 9<&-
}

# ---- images --------------------------------------------------------------------------------------

@test "CVE-2026-53488: a label of an image becomes no annotation that any runtime acts upon" {
	need_program image
	need_cmd python3
	names=$("$BOCK_RUNC" features | jq -c '.potentiallyUnsafeConfigAnnotations + (.annotations["io.bock.runc.config-annotations"] / ",") | unique')
	[ "$(jq length <<<"$names")" -ge 9 ]
	labels=$(jq -c --arg v "$T/host/made" 'map({(.): $v}, {(. + "x"): $v}) | add + {"kept": "yes"}' <<<"$names")
	mkdir "$T/host"
	printf 'dir bin\nconfig %q\n' "{\"config\": {\"Cmd\": [\"/bin/true\"], \"Labels\": $labels}}" |
		"$TOP/tests/helpers/make-image" "$STORE" evil
	run bock_image unpack evil "$B"
	assert_status 0
	[ "$(jq -r '.annotations.kept' "$B/config.json")" = yes ]
	run jq -c --argjson names "$names" '.annotations | keys | map(. as $k | select($names | any(. as $n | $k | startswith($n))))' \
		"$B/config.json"
	assert_output '[]'
	cp "$(busybox_path)" "$B/rootfs/bin/true"
	edit '.hooks.createRuntime = [{"path": "/bin/echo", "args": ["echo", "x"]}]'
	run_it
	assert_status 0
	[ -z "$(ls "$T/host")" ] || fail "made on the host: $(ls "$T/host")"
}

# ---- the runtime's own process ----------------------------------------------------------------------

@test "a crash of the process that becomes the container leaves no core, with the caller's variables, in the root" {
	case $(cat /proc/sys/kernel/core_pattern) in [/\|]* | *%*) skip "cores go elsewhere (/proc/sys/kernel/core_pattern)" ;; esac
	bundle true
	mkdir "$B/rootfs/last"
	# it waits for the hook, in the folder that it has mounted on, and finds no instruction where it goes on (a signal
	# that is sent to the first process of a pid namespace is ignored)
	cat >"$T/crash" <<-'END'
		pid=$(sed 's/.*"pid"://; s/,.*//')
		touch "/proc/$pid/cwd/here"
		for i in $(seq 100); do
			pc=$(awk 'NF > 3 { print $NF }' "/proc/$pid/syscall")
			[ -z "$pc" ] || break
			sleep 0.05
		done
		printf '\017\013\017\013' | dd of="/proc/$pid/mem" bs=1 seek=$((pc)) conv=notrunc 2>/dev/null
	END
	edit --arg s "$T/crash" '.mounts += [{"destination": "/last", "type": "tmpfs", "source": "tmpfs"}] |
		.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", $s], "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]'
	ulimit -c unlimited
	run_it
	assert_error "killed by signal 4"
	[ -e "$B/rootfs/last/here" ] || fail "it was not there: $(find "$B/rootfs" -name here)"
	[ -z "$(find "$B/rootfs" -name 'core*' -size +0)" ] || fail "a core: $(find "$B/rootfs" -name 'core*' -ls)"
}

# ---- kernels and sandboxes -----------------------------------------------------------------------

@test "kernel: a call that is refused is named in one line, with what is needed; nothing is left" {
	bundle true
	for call in openat2 clone3 mount_setattr close_range open_tree move_mount; do
		for errno in ENOSYS EPERM; do
			run --separate-stderr "$ATTACKER" refuse $errno $call "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
			assert_error "$call" || fail "$errno"
			[ "${#stderr_lines[@]}" -eq 1 ] || fail "$call, $errno: $stderr"
			# who may not mount is told EPERM by the kernel too: move_mount can't be asked
			[ "$errno $call" = 'EPERM move_mount' ] || [[ $stderr == *"refused here"*"$call (Linux 5."*"Linux 5.14"* ]] ||
				fail "$call, $errno: $stderr"
		done
		assert_no_leftovers
	done
	args sleep 1000
	detached run -d -b "$B" "$ID"
	assert_ok ""
	run --separate-stderr "$ATTACKER" refuse ENOSYS clone3 "$BOCK_RUNC" --root "$STATE" exec "$ID" true
	[ "$status" -eq 255 ]
	[[ $stderr == *"clone3 (Linux 5.3)"* ]] || fail "$stderr"
}
