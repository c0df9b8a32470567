# SPDX-License-Identifier: Apache-2.0
# checkpoint and restore: command lines, what criu is asked, and what becomes of its failures, with a criu that is none
# (tests/helpers/criu-fake). What a true one does is in tests/vm/checkpoint.bats.

setup() {
	load ../helpers/runc
	runc_setup
	need_cgroup2
	need_cmd criu
	mkdir "$T/fake"
	printf '#!/bin/sh\nexec "%s/criu-fake" "%s" "$@"\n' "$RUNC_HELPERS" "$T/fake" >"$T/criu"
	chmod +x "$T/criu"
}
teardown() { common_teardown; }

mode() { printf '%s\n' "$@" >"$T/fake/mode"; }

up() {
	sleeper
	[ $# -eq 0 ] || edit "$@"
	detached run -d -b "$B" "$ID"
	assert_ok ""
}

checkpoint() { run --separate-stderr bock_runc checkpoint --criu "$T/criu" --image-path "$T/img" "$@" "$ID"; }

restore() { # in the background
	detached restore --criu "$T/criu" --image-path "$T/img" -b "$B" -d "$@" "$ID"
}

# images: what restore reads itself
images() {
	mkdir -p "$T/img"
	echo "${1:-[\"/dev/null\",\"/dev/null\",\"/dev/null\"]}" >"$T/img/descriptors.json"
}

# asked JQ-FILTER: holds for the last request that is a dump or restore
asked() {
	jq -se "map(select(.opts)) | last | .opts as \$o | $1" "$T/fake/requests" >/dev/null ||
		fail "not so: $1 in: $(jq -c 'select(.opts)' "$T/fake/requests")"
}

# The fake's answer to everything is as expected, or restore leaves nothing.
@test "checkpoint: what criu is told by default, and the container is gone" {
	up '.linux.maskedPaths = ["/etc/passwd", "/sys", "/none"] | .mounts += [{"destination": "/bin/../x/y", "source": "/", "options": ["bind"]}]
		| .process.args = ["sh", "-c", "sleep 1000 >/tmp/x & wait", "x"]'
	pid=$(pid_of)
	checkpoint
	assert_ok ""
	run bock_runc state "$ID"
	assert_output -p 'container does not exist'
	asked '.type == "DUMP"'
	asked "\$o.pid == $pid and \$o.log_file == \"dump.log\" and \$o.log_level == 4 and \$o.notify_scripts"
	asked '$o.orphan_pts_master and $o.manage_cgroups_mode == "DEFAULT" and $o.config_file == "/etc/criu/runc.conf"'
	asked "\$o.root == \"$B/rootfs\" and \$o.empty_ns == 1073741824"
	asked "\$o.freeze_cgroup == \"$(cgroup2_path)/$ID\""
	asked '[$o.leave_running, $o.tcp_established, $o.shell_job, $o.ext_unix_sk, $o.file_locks, $o.auto_dedup,
		$o.lazy_pages, $o.link_remap, $o.tcp_skip_in_flight] | all(. == false)'
	asked '$o.ext_mnt | any(.key == "/etc/passwd" and .val == "/dev/null") and any(.key == "/x/y" and .val == "/x/y")'
	asked '$o.ext_mnt | all(.key != "/sys" and .key != "/none" and .key != "/proc")'
	asked '$o.ext_mnt | any(.key == "/dev/null" and .val == "/dev/null")'
	asked '$o.ps == null and $o.parent_img == null and $o.network_lock == null and $o.track_mem == null'
	# the runtime's stdin is the host's null device, its stdout a file of the host
	asked "\$o.external == ($(jq -c 'map(select(startswith("file["))) | unique' "$T/img/descriptors.json") | sort) or
		(\$o.external | sort) == $(jq -c 'map(select(startswith("file["))) | unique' "$T/img/descriptors.json")"
	jq -e '.[:3] | all(startswith("file["))' "$T/img/descriptors.json"
	jq -e '.[3:] == ["/dev/null", "", ""]' "$T/img/descriptors.json"
	# it has what it needs, and nothing else
	jq -se 'map(select(.env)) | first | (.env - ["LC_CTYPE", "PWD"]) == ["PATH"] and (.fds | length) == 4' "$T/fake/requests" ||
		fail "$(cat "$T/fake/requests")"
	[ "$(stat -c %a "$T/img")" = 700 ]
	assert_no_leftovers
}

@test "checkpoint: every option's part of the request" {
	up
	mkdir -p "$T/img/old"
	while IFS='|' read -r words filter; do
		# shellcheck disable=SC2086
		checkpoint --leave-running $words
		assert_ok "" || fail "$words" || return 1
		asked "$filter" || fail "$words" || return 1
	done <<-'END'
		--tcp-established|$o.tcp_established and $o.leave_running
		--tcp-skip-in-flight|$o.tcp_skip_in_flight
		--link-remap|$o.link_remap
		--ext-unix-sk|$o.ext_unix_sk
		--shell-job|$o.shell_job
		-file-locks|$o.file_locks
		--auto-dedup|$o.auto_dedup
		--manage-cgroups-mode soft|$o.manage_cgroups_mode == "SOFT"
		--manage-cgroups-mode=full|$o.manage_cgroups_mode == "FULL"
		--manage-cgroups-mode strict|$o.manage_cgroups_mode == "STRICT"
		--manage-cgroups-mode ignore|$o.manage_cgroups_mode == "IGNORE"
		--network-lock nftables|$o.network_lock == "NFTABLES"
		--network-lock iptables --empty-ns network|$o.network_lock == "IPTABLES"
		--page-server 10.0.0.1:99|$o.ps == {"address": "10.0.0.1", "port": 99}
		--page-server [::1]:65535|$o.ps == {"address": "::1", "port": 65535}
		--parent-path old|$o.parent_img == "old" and $o.track_mem
		--pre-dump|.type == "PRE_DUMP" and $o.ext_mnt == null and $o.external == null
	END
	assert_is running
	# the NUL comes when criu says so, and the end of the file behind it
	bock_runc checkpoint --criu "$T/criu" --image-path "$T/img" --leave-running --lazy-pages --status-fd 7 "$ID" 7> >(od -An -c >"$T/status") 3>&-
	asked '$o.lazy_pages'
	wait_for 10 grep -qF '\0' "$T/status"
	jq -se 'map(select(.type == "FEATURE_CHECK")) | length == 3' "$T/fake/requests" >/dev/null
	[ ! -e "$T/work" ]
	checkpoint --leave-running --work-path "$T/work"
	[ -d "$T/work" ]
}

@test "checkpoint: what is refused before criu is asked for anything" {
	sleeper
	checkpoint
	assert_error 'container does not exist'
	bock_runc create -b "$B" "$ID" </dev/null >/dev/null 3>&-
	checkpoint
	assert_error 'cannot checkpoint a container in the created state'
	bock_runc start "$ID"
	for words in "--page-server x" "--page-server :9" "--page-server ::1:9" "--page-server x:0" "--page-server x:65536" \
		"--parent-path /abs" "--parent-path none" "--status-fd 99" "--status-fd 0" "--status-fd -2" "--empty-ns pid" \
		"--manage-cgroups-mode none" "--network-lock x" "--timeout 86401"; do
		# shellcheck disable=SC2086
		run --separate-stderr bock_runc checkpoint --criu "$T/criu" --image-path "$T/img" $words "$ID" </dev/null
		assert_error "${words%% *}" || return 1
	done
	[ ! -e "$T/fake/requests" ] || ! grep -q DUMP "$T/fake/requests"
	run --separate-stderr bock_runc checkpoint --criu "$T/none" "$ID"
	assert_error "execute '$T/none'"
	assert_error "the package criu"
	run --separate-stderr env PATH=/nowhere "$BOCK_RUNC" --root "$STATE" checkpoint --image-path "$T/img" "$ID"
	assert_error "execute 'criu'"
	mode version=3.14.2
	checkpoint
	assert_error "criu is version 3.14, and it must be 3.15 or later"
	mode no-features
	checkpoint --pre-dump
	assert_error "can't track changes of memory"
	checkpoint --lazy-pages
	assert_error "can't restore pages lazily"
	assert_is running
	setpriv --reuid 65534 "$BOCK_RUNC" --root "$STATE" checkpoint "$ID" 2>"$T/err" || :
	grep -q 'ermission' "$T/err"
}

@test "checkpoint, restore: criu fails, dies, answers rubbish, too much or nothing; the container lives on, or is not there" {
	up
	images
	while IFS='|' read -r modes words; do
		# shellcheck disable=SC2086
		mode $modes
		# a second is for what hangs: on a busy machine the others may take longer to begin
		case $modes in *hang*) limit=1 ;; *) limit=60 ;; esac
		checkpoint --work-path "$T/work" --timeout "$limit"
		assert_error "$words" || fail "checkpoint: $modes" || return 1
		assert_is running || return 1
	done <<-'END'
		fail|criu could not dump: the first: Invalid argument
		fail log|criu: mnt: it is round: criu could not dump: the first: Invalid argument (criu's log is '
		die|criu was killed by signal 9 before it answered
		exit|criu ended with status 3 before it answered
		rubbish|criu's answer: criu_resp: field 1: is of another type
		huge|criu's answer is larger than
		hang|criu has neither answered nor worked for 1 s and was killed: Connection timed out (--timeout
		early-die|ask criu for its version: criu was killed by signal 9
		early-hang|has neither answered nor worked for 1 s
		early-rubbish|ask criu for its version: criu's answer
		version=2.4|criu is version 2.4, and it must be
	END
	bock_runc delete --force "$ID"
	images
	while IFS='|' read -r modes words; do
		# shellcheck disable=SC2086
		mode $modes
		# a second is for what hangs: on a busy machine the others may take longer to begin
		case $modes in *hang*) limit=1 ;; *) limit=60 ;; esac
		restore --work-path "$T/work" --timeout "$limit"
		assert_error "$words" || fail "restore: $modes" || return 1
		assert_no_leftovers || fail "restore: $modes" || return 1
	done <<-'END'
		fail log|criu: mnt: it is round: criu could not restore: the first: Invalid argument (criu's log is '
		die|criu was killed by signal 9 before it answered
		rubbish|criu's answer: criu_resp
		hang|criu has neither answered nor worked for 1 s
		early-exit|criu ended with status 3 before it answered
		version=3.1|it must be 3.15 or later
		silent-pid|criu has not said which process it restored
	END
}

@test "restore: what criu is told, the state, and what follows" {
	sleeper
	edit --arg id "$ID" '.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net"
			elif .type == "ipc" then .path = "/proc/self/ns/ipc" else . end)
		| .mounts += [{"destination": "/new/place", "source": "/usr", "options": ["rbind"]},
			{"destination": "/etc/link/z", "source": "/etc/hostname", "options": ["bind"]}]
		| .linux.maskedPaths = ["/proc/kcore"]
		| .hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >'"$T"'/hook"]}]'
	ln -s /var "$B/rootfs/etc/link"
	images '["pipe:[11]","file[12:ab]","pipe:[11]"]'
	restore --pid-file "$T/pid" --tcp-close -no-subreaper --no-pivot
	assert_ok restored
	pid=$(cat "$T/pid")
	assert_is running
	[ "$(pid_of)" = "$pid" ]
	[ "$(jq -r '[.status, .pid] | @tsv' "$T/hook")" = "creating	$pid" ]
	jq -e '.restoring == false or .restoring == null' "$STATE/$ID/state.json"
	asked '.type == "RESTORE" and $o.rst_sibling and $o.evasive_devices and $o.tcp_close'
	asked "\$o.log_file == \"restore.log\" and \$o.root == \"$STATE/$ID/criu-root\""
	asked "\$o.cg_root == [{\"ctrl\": \"\", \"path\": \"/$ID\"}]"
	asked '$o.ext_mnt | any(.key == "/new/place" and .val == "/usr") and any(.key == "/var/z" and .val == "/etc/hostname")
		and any(.key == "/dev/null" and .val == "/dev/null")'
	asked '$o.inherit_fd | any(.key == "pipe:[11]" and .fd == 0) and any(.key == "file[12:ab]" and .fd == 1) and length == 3'
	asked '$o.inherit_fd | any(.key == "extRootNetNS" and .fd > 2)'
	asked '$o.join_ns == [{"ns": "ipc", "ns_file": "/proc/self/ns/ipc"}]'
	# as create makes them; nothing is mounted on the host, and nothing of it stays
	[ -d "$B/rootfs/new/place" ]
	[ -f "$B/rootfs/var/z" ]
	[ ! -e "$STATE/$ID/criu-root" ]
	grep -q "/$ID$" "/proc/$pid/cgroup"
	run bock_runc restore --criu "$T/criu" --image-path "$T/img" -b "$B" "$ID"
	assert_output -p 'container with given ID already exists'
	bock_runc kill "$ID" TERM
	wait_for 10 is stopped
	bock_runc delete "$ID"
	assert_no_leftovers
}

# inherited KEY: what criu was given for it
inherited() { jq -rse --arg key "$1" 'map(select(.inherited)) | last | .inherited[$key]' "$T/fake/requests"; }

@test "restore: what was the null device is one again, a file's place is not a pipe's" {
	sleeper
	images '["file[1:5]","pipe:[12]","pipe:[13]","/dev/null","",""]'
	mkfifo "$T/in" "$T/out"
	exec {in}<>"$T/in" {out}<>"$T/out"
	bock_runc restore --criu "$T/criu" --image-path "$T/img" -b "$B" -d "$ID" <&"$in" >&"$out" 2>&1 3>&-
	[ "$(inherited 'file[1:5]')" = /dev/null ]
	[ "$(inherited 'pipe:[12]')" = "$T/out" ]
	# it is the host's: criu's mount namespace ends before the container
	mount=$(jq -rse 'map(select(.mounts)) | last | .mounts["file[1:5]"]' "$T/fake/requests")
	grep -q "^$mount " /proc/self/mountinfo || fail "the null device is on mount $mount: $(cat /proc/self/mountinfo)"
	bock_runc delete --force "$ID"

	# each by a mount of its own; words that are none of ours are nothing
	images '["file[1:5]","file[2:5]","file[3:5]","/dev/null","/dev/null","/dev/null","/dev/null"]'
	bock_runc restore --criu "$T/criu" --image-path "$T/img" -b "$B" -d "$ID" <&"$in" >&"$out" 2>&1 3>&-
	[ "$(inherited 'file[2:5]')/$(inherited 'file[3:5]')" = /dev/null//dev/null ]
	bock_runc delete --force "$ID"
	images '["file[1:5]","file[1:5]","file[1:5]","x"]'
	restore
	assert_ok restored
	bock_runc delete --force "$ID"

	# of a file: a file, and nothing is made where it is none
	images '["/dev/pts/0","file[12:ab]","pipe:[13]","","",""]'
	restore
	assert_ok restored
	bock_runc delete --force "$ID"
	status=0
	bock_runc restore --criu "$T/criu" --image-path "$T/img" -b "$B" -d "$ID" <&"$in" >&"$out" 2>"$T/.stderr" 3>&- || status=$?
	stderr=$(<"$T/.stderr")
	assert_error 'standard output was a file of the host'
	exec {in}>&- {out}>&-
	assert_no_leftovers
}

@test "restore: options, the terminal, and the exit status of one in the foreground" {
	sleeper
	images
	restore --lsm-profile apparmor:x --lsm-mount-context c --lazy-pages --tcp-established --shell-job --manage-cgroups-mode ignore
	assert_ok restored
	asked '$o.lsm_profile == "apparmor:x" and $o.lsm_mount_context == "c" and $o.lazy_pages and $o.tcp_established
		and $o.shell_job and $o.manage_cgroups_mode == "IGNORE"'
	bock_runc delete --force "$ID"
	mode version=3.15
	restore --lsm-profile apparmor:x
	assert_error '--lsm-profile needs criu 3.16 or later'
	rm "$T/fake/mode"

	"$BOCK_RUNC" --root "$STATE" restore --criu "$T/criu" --image-path "$T/img" -b "$B" "$ID" </dev/null >"$T/out" 2>&1 3>&- &
	local runtime=$!
	wait_for 20 is running
	wait_for 20 grep -q restored "$T/out"
	kill -TERM "$runtime"
	status=0
	wait "$runtime" || status=$?
	[ "$status" -eq 4 ] || fail "status $status"
	assert_no_leftovers

	edit '.process.terminal = true'
	restore
	assert_error 'setting console socket'
	mode tty
	"$RUNC_HELPERS/recv-console" "$T/sock" "$T/tty" 3>&- &
	wait_for 20 test -S "$T/sock"
	restore --console-socket "$T/sock"
	assert_ok restored
	wait_for 20 grep -q '^/dev/pts/' "$T/tty.name"
	bock_runc delete --force "$ID"
	edit '.process.terminal = false'
	rm -r "$T/img"
	restore
	assert_error "open image folder '$T/img'"
	mkdir "$T/img"
	restore
	assert_error 'descriptors.json'
	assert_no_leftovers
}

@test "restore: a failing hook ends it; the configuration file of an annotation; delete --force after SIGKILL" {
	sleeper
	images
	edit '.hooks.createRuntime = [{"path": "/bin/false"}] | .annotations["org.criu.config"] = "/my.conf"'
	restore
	assert_error 'error running createRuntime hook'
	asked '$o.config_file == "/my.conf"'
	assert_no_leftovers
	edit '.annotations["org.criu.config"] = "" | .hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "echo >'"$T"'/in; sleep 1000", "'"$ID"'"]}]'
	"$BOCK_RUNC" --root "$STATE" restore --criu "$T/criu" --image-path "$T/img" -b "$B" -d "$ID" </dev/null >/dev/null 2>&1 3>&- &
	local runtime=$!
	wait_for 20 test -e "$T/in"
	asked '$o.config_file == null'
	assert_is creating
	kill -KILL "$runtime"
	wait "$runtime" || :
	run --separate-stderr bock_runc delete --force "$ID"
	assert_ok ""
	pkill -f -- "$ID" || : # the hook, which nobody waits for any more
	assert_no_leftovers
}

@test "checkpoint: mapped ids and a notify socket can't be had" {
	sleeper
	edit '.mounts += [{"destination": "/m", "source": "/usr", "options": ["bind", "idmap=uids=0-1000-1;gids=0-1000-1"]}]'
	detached run -d -b "$B" "$ID"
	if [ "$status" -eq 0 ]; then
		checkpoint
		assert_error 'mapped ids'
		bock_runc delete --force "$ID"
	fi
	edit '.mounts |= .[:-1]'
	detached run -d -b "$B" "$ID"
	mkdir -p "$STATE/$ID/notify"
	checkpoint
	assert_error NOTIFY_SOCKET
}

@test "criu's messages: the numbers are those of criu's rpc.proto" {
	proto=/usr/include/criu/rpc.proto
	[ -e "$proto" ] || skip "no $proto (Debian: criu)"
	# MEMBER NUMBER of criu_opts, in both
	sed -n '/^message criu_opts/,/^}/s/.*[[:space:]]\([a-z_]\{1,\}\)[[:space:]]*=[[:space:]]*\([0-9]*\)[^0-9].*/\1 \2/p' "$proto" | sort >"$T/theirs"
	sed -n 's/.*(struct criu_opts, \([a-z_]*\), \(CRIU_PB_[A-Z0-9]*, \)\{0,1\}\([0-9]*\).*/\1 \3/p' \
		"$TOP/bock-runc/criu/criu_msg.c" | sort >"$T/ours"
	[ "$(wc -l <"$T/ours")" -gt 30 ]
	run comm -13 "$T/theirs" "$T/ours"
	[ -z "$output" ] || fail "only ours: $output"
}
