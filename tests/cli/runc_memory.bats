# SPDX-License-Identifier: Apache-2.0
# The largest resident set of each command of bock-runc, all its processes, is at most 2 MiB, or a little more while libseccomp
# compiles a profile that is new (docs/BENCHMARKS.md).

setup() {
	load ../helpers/runc
	runc_setup
	need_cgroup2
	PEAK=$BOCK_BUILDDIR/tests/bench/bench_peak
	[ -x "$PEAK" ] || skip "tests/bench/bench_peak is not built (make check TESTS=)"
	! readelf -lW "$BOCK_RUNC" 2>/dev/null | grep -q INTERP ||
		skip "bock-runc is linked dynamically, and has its libraries' pages (readelf -l)"
	[ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" -le 2 ] || skip "ptrace is off (ptrace_scope 3)"
	# as it is installed: what the linker has just written lies in larger pieces in the page cache
	install -D -t "$T/bin" "$BOCK_RUNC"
	: >"$T/measured"
}
teardown() {
	kill "${EVENTS-}" 2>/dev/null || :
	common_teardown
}

# peak COMMAND...: succeeds, and took no more. What compiles a seccomp profile comes near 2 MiB by itself, and of a file the kernel
# maps 64 KiB more here and there where it has them at hand: it has two such pieces more.
peak() {
	local word limit=2048
	if [ -n "${COMPILES-}" ]; then
		rm -rf "$STATE/.cache"
		limit=$((limit + 128))
	fi
	measure "$@" || return 1
	[ "$kib" -le "$limit" ] || fail "$*: $kib KiB" || return 1
	for word in "$@"; do
		[[ $word == -* ]] || break
	done
	printf '%s\n' "$word" >>"$T/measured"
}

measure() {
	local out
	status=0
	out=$(mktemp -d "$T/peak.XXXXXX")
	"$PEAK" "$out/kib" "$T/bin/bock-runc" --root "$STATE" "$@" >"$out/out" 2>"$out/err" </dev/null 3>&- || status=$?
	[ "$status" -eq 0 ] || fail "$*: status $status: $(cat "$out/err")" || return 1
	kib=$(<"$out/kib")
	printf '%s KiB: %s\n' "$kib" "$*"
	[ "$kib" -gt 100 ] || fail "$*: $kib KiB: it was not measured" || return 1
}

# with_profile SCRIPT: the container has the default seccomp profile, and runs this
with_profile() {
	"$BOCK_BUILDDIR/tests/bench/bench_config" --seccomp "$B/config.json" "$T/config.json" sh -c "$1" "$ID"
	mv "$T/config.json" "$B/config.json"
}

@test "memory: no command takes more than 2 MiB, but for what a new seccomp profile takes" {
	sleeper
	with_profile "$(jq -r '.process.args[2]' "$B/config.json")"
	mkdir "$T/vol" "$T/spec" "$T/fake" "$T/img"
	printf '#!/bin/sh\nexec "%s/criu-fake" "%s" "$@"\n' "$RUNC_HELPERS" "$T/fake" >"$T/criu"
	chmod +x "$T/criu"
	echo '[{"destination": "/added", "source": "'"$T"'/vol", "options": ["bind"]}]' >"$T/mounts"
	echo '{"devices": [{"allow": true, "access": "rwm"}]}' >"$T/resources"

	for word in --version --help help features; do peak "$word"; done
	for word in bash zsh fish; do peak completion "$word"; done
	peak spec --bundle "$T/spec"
	COMPILES=1 peak validate --bundle "$B"
	cp "$B/config.json" "$T/sleeper.json"
	with_profile true
	COMPILES=1 peak run --bundle "$B" "$ID"
	peak run --bundle "$B" "$ID"
	mv "$T/sleeper.json" "$B/config.json"
	peak run --dry-run --bundle "$B" "$ID"
	peak create --bundle "$B" "$ID"
	peak start "$ID"
	peak state "$ID"
	peak list
	peak list --format json
	peak ps "$ID"
	peak ps --format json "$ID"
	peak kill "$ID" CONT
	peak pause "$ID"
	peak resume "$ID"
	peak exec "$ID" true
	peak exec --detach "$ID" true
	peak exec --tty "$ID" true
	peak update --resources "$T/resources" "$ID"
	peak mounts add "$ID" "$T/mounts"
	peak mounts remove "$ID" "$T/mounts"
	peak events --stats "$ID"
	peak events --interval 100ms "$ID" &
	EVENTS=$!
	if [ -x "$(command -v criu)" ] && [ -e /usr/lib/python3/dist-packages/pycriu/rpc_pb2.py ]; then
		peak checkpoint --criu "$T/criu" --image-path "$T/pre" --pre-dump "$ID"
		peak checkpoint --criu "$T/criu" --image-path "$T/img" "$ID"
		peak restore --criu "$T/criu" --image-path "$T/img" --bundle "$B" --detach "$ID"
	else
		printf 'checkpoint\nrestore\n' >>"$T/measured"
		echo "checkpoint, restore: no criu to ask (Debian: criu)"
	fi
	peak delete --force "$ID"
	wait "$EVENTS"
	EVENTS=
	peak run --detach --bundle "$B" "$ID"
	bock_runc kill "$ID" KILL
	wait_for 10 is stopped
	peak delete "$ID"
	args true
	edit '.process.terminal = true'
	peak run --bundle "$B" "$ID"
	open_path
	edit '.process.terminal = false | .linux.namespaces += [{"type": "user"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
	peak run --bundle "$B" "$ID"
	assert_no_leftovers

	# each command of the program is among them
	for word in $("$BOCK_RUNC" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\{2,\}\).*/\1/p'); do
		grep -qx "$word" "$T/measured" || fail "'$word' was not measured"
	done
}
