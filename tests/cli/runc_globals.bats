# SPDX-License-Identifier: Apache-2.0
# Options before the command, and names that callers know and this version refuses.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() {
	common_teardown
	user_teardown
}

log_is_empty() { [ ! -s "$T/log" ] || fail "in the log: $(cat "$T/log")"; }

# one_error WORDS: the log is one JSON object as podman decodes it, and says WORDS
one_error() {
	jq -es --arg w "$1" 'length == 1 and (.[0] | .level == "error" and (.msg | contains($w)) and
		(.time | fromdateiso8601 > 0))' <"$T/log" >/dev/null || fail "in the log: $(cat "$T/log")"
}

@test "log: file:PATH is PATH; other places are refused by their names" {
	run --separate-stderr "$BOCK_RUNC" --root "$STATE" --log "file:$T/log" --log-format json state "$ID"
	assert_error 'container does not exist'
	one_error 'container does not exist'
	for place in journald:x syslog:x; do
		run --separate-stderr "$BOCK_RUNC" --root "$STATE" --log "$place" state "$ID"
		assert_error "--log: '$place': only a file can be the log"
	done
	run --separate-stderr "$BOCK_RUNC" --root "$STATE" --log= list
	assert_ok
}

@test "log: the members of a line come in runc's order" {
	run "$BOCK_RUNC" --root "$STATE" --log "$T/log" --log-format=json start "$ID"
	[ "$status" -eq 1 ]
	grep -qE '^\{"level":"error","msg":"[^"]*container does not exist","time":"[0-9T:-]*Z"' "$T/log"
	run "$BOCK_RUNC" --root "$STATE" --log "$T/text" start "$ID"
	grep -qE '^time="[0-9T:-]*Z" level=error msg="[^"]*container does not exist"$' "$T/text"
}

@test "log: one object for each kind of failure, none for a success, of every command" {
	sleeper
	local -a words=(--root "$STATE" --log "$T/log" --log-format json)
	for call in "create -b $T/none $ID" "create --nonsense $ID" 'nonsense' 'create' 'update x' "exec $ID x" \
		"pause $ID" "resume $ID" "ps $ID" "state $ID" "kill $ID NONSENSE" "delete $ID" "checkpoint $ID" \
		"--root / list"; do
		rm -f "$T/log"
		# shellcheck disable=SC2086
		run "$BOCK_RUNC" "${words[@]}" $call
		[ "$status" -ne 0 ] || fail "$call succeeded"
		one_error ''
	done
	rm -f "$T/log"
	for call in "create -b $B $ID" "start $ID" "state $ID" "list" "ps $ID" "pause $ID" "resume $ID" \
		"kill $ID KILL" "delete --force $ID" features; do
		# shellcheck disable=SC2086
		"$BOCK_RUNC" "${words[@]}" $call </dev/null >/dev/null 2>"$T/err" 3>&- || fail "$call: $(cat "$T/err")"
		log_is_empty
	done
}

@test "log-level: error drops warnings, debug is --debug, what is none is refused" {
	bundle true
	edit '.process.capabilities.bounding += ["CAP_NONSENSE"]'
	run_it
	[ "$status" -eq 0 ]
	[[ $stderr == *CAP_NONSENSE* ]]
	for level in warning info debug error; do
		run --separate-stderr "$BOCK_RUNC" --root "$STATE" --log-level "$level" run -b "$B" "$ID"
		[ "$status" -eq 0 ]
		if [ "$level" = error ]; then
			[ -z "$stderr" ]
		else
			[[ $stderr == *CAP_NONSENSE* ]]
		fi
	done
	run --separate-stderr "$BOCK_RUNC" --root "$STATE" --log-level loud list
	assert_error "option '--log-level': 'loud' is not one of error, warning, info, debug"
}

@test "globals: both forms, one dash and two" {
	for words in "--root $STATE" "--root=$STATE" "-root $STATE" "-root=$STATE"; do
		for more in '--rootless=auto' '-rootless false' '--cgroup-manager cgroupfs' '-cgroup-manager=cgroupfs' \
			'--systemd-cgroup=false' '-debug' '--log-format json' '-log-format=text'; do
			# shellcheck disable=SC2086
			run --separate-stderr "$BOCK_RUNC" $words $more list -q
			assert_ok ''
		done
	done
	run --separate-stderr "$BOCK_RUNC" --rootless=maybe list
	assert_error "'maybe' is not one of auto, true, false"
	run --separate-stderr "$BOCK_RUNC" --root=//. list
	assert_error "'//.' can't be the state folder"
}

@test "version: -v, -V, -version and --version; help without a state folder" {
	for word in -v -V -version --version; do
		run --separate-stderr "$BOCK_RUNC" "$word"
		assert_ok
		[[ ${lines[0]} == 'bock-runc version '* && ${lines[1]} == 'commit: '* && ${lines[2]} == 'spec: '* ]]
	done
	for word in help -h --help -help 'help create' 'pause --help' 'ps -h'; do
		# shellcheck disable=SC2086
		run --separate-stderr "$BOCK_RUNC" --root /nowhere $word
		assert_ok
		[[ ${lines[0]} == Usage:* ]]
	done
}

@test "cgroup-manager disabled: no cgroup is made, limits are refused, devices are not controlled" {
	need_cgroup2
	sleeper
	edit '.linux.resources.devices = [{"allow": false, "access": "rwm"}]'
	"$BOCK_RUNC" --root "$STATE" --cgroup-manager=disabled run -d -b "$B" "$ID" </dev/null >/dev/null 3>&-
	[ -z "$(find /sys/fs/cgroup -type d -name "*$ID*")" ]
	assert_is running
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	bock_runc delete "$ID"
	assert_no_leftovers
	# of the host's cgroups nothing is shown
	args sh -c 'ls -A /sys/fs/cgroup; touch /sys/fs/cgroup/x 2>/dev/null || echo read-only'
	edit '.linux.namespaces -= [{"type": "cgroup"}]'
	run --separate-stderr "$BOCK_RUNC" --root "$STATE" --cgroup-manager=disabled run -b "$B" "$ID"
	assert_ok read-only
	edit '.linux.resources.pids.limit = 10'
	run --separate-stderr "$BOCK_RUNC" --root "$STATE" --cgroup-manager=disabled run -b "$B" "$ID"
	assert_error 'linux.resources: limits are asked for, but cgroups are disabled'
	assert_no_leftovers
}

@test "systemd: without it, it is refused before anything is made; elsewhere it says nothing" {
	[ ! -d /run/systemd/system ] || skip "systemd runs here (/run/systemd/system)"
	sleeper
	edit 'del(.linux.cgroupsPath)'
	for words in --systemd-cgroup --cgroup-manager=systemd; do
		for command in create run; do
			run --separate-stderr "$BOCK_RUNC" --root "$STATE" $words $command -b "$B" "$ID"
			if [ -x "$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd" ]; then
				assert_error "systemd does not run here"
			else
				assert_error "cgroup manager 'systemd': "
			fi
			[ ! -e "$STATE/$ID" ]
		done
		run --separate-stderr "$BOCK_RUNC" --root "$STATE" $words delete --force "$ID"
		assert_ok ''
	done
}

@test "systemd: the plan of a scope, and what is wrong in its names and properties" {
	need_cgroup2
	[ -x "$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd" ] || skip "built without libsystemd"
	sleeper
	plan() { run --separate-stderr bock_runc --systemd-cgroup create --dry-run -b "$B" "$ID"; }
	edit '.linux.cgroupsPath = "a-b.slice:p:x" | .annotations = {"org.systemd.property.TimeoutStopSec": "7"}'
	plan
	[ "$status" -eq 0 ]
	[[ $output == *"cgroup '/a.slice/a-b.slice/p-x.scope' of unit 'p-x.scope' in 'a-b.slice'"* ]]
	[[ $output == *clone*cgroup*cgroup-tell*cgroup-wait* ]]
	edit '.linux.cgroupsPath = "/a/b"'
	plan
	assert_error "linux.cgroupsPath: expected \"slice:prefix:name\" for systemd, found '/a/b'"
	edit '.linux.cgroupsPath = "a:b:c"'
	plan
	assert_error "slice 'a' does not end in .slice"
	edit '.linux.cgroupsPath = ":b:c" | .annotations = {"org.systemd.property.Slice": "\u0027x.slice\u0027"}'
	run --separate-stderr bock_runc --systemd-cgroup validate -b "$B"
	[ "$status" -eq 1 ]
	[[ $output == *"org.systemd.property.Slice: is the runtime's own to set"* ]]
	plan
	assert_error "org.systemd.property.Slice: is the runtime's own to set"
	assert_no_leftovers
}

@test "rootless: true lets root run without a cgroup, false refuses a user without one" {
	need_cgroup2
	need_cmd unshare util-linux
	sleeper
	edit '.process.args = ["true"] | .linux.resources = {}'
	# where cgroup file systems are read-only
	ro() {
		run --separate-stderr unshare -m sh -c 'for m in $(awk "\$3 ~ /cgroup/ { print \$2 }" /proc/mounts); do
			mount -o remount,bind,ro "$m" || exit 9; done; exec "$@"' sh "$BOCK_RUNC" --root "$STATE" "$@" -b "$B" "$ID"
	}
	ro run
	assert_error 'cgroup'
	ro --rootless=true run
	assert_ok ''
	assert_no_leftovers
	common_teardown
	user_setup
	user_bundle true
	user_runs
	assert_ok ''
	run --separate-stderr as_user "$BOCK_RUNC" --rootless=false run -b "$B" "$ID"
	assert_error 'cgroup'
	assert_no_leftovers
}

@test "state folder: a user's in XDG_RUNTIME_DIR has the sticky bit" {
	user_setup
	user_bundle true
	user_runs
	assert_ok ''
	[ "$(stat -c %a "$STATE")" = 1700 ]
}

@test "state folder: root of a user namespace has it in XDG_RUNTIME_DIR, unless USER is root" {
	user_setup
	[ ! -e "$STATE" ]
	# as conmon calls, which has no USER
	run --separate-stderr as_user unshare --user --map-root-user env -u USER "$BOCK_RUNC" run -b "$B" "$ID"
	[ -d "$STATE" ]
	rmdir "$STATE"
	run --separate-stderr as_user unshare --user --map-root-user env USER=root "$BOCK_RUNC" run -b "$B" "$ID"
	[ ! -e "$STATE" ]
}

@test "create, run: what is accepted" {
	bundle true
	run_it --no-subreaper --no-new-keyring -no-subreaper=false
	assert_ok ''
	run_it -no-subreaper
	assert_ok ''
	run_it --no-pivot
	assert_ok ''
	assert_no_leftovers
}
