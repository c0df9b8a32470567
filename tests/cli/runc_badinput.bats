# SPDX-License-Identifier: Apache-2.0
# Bad input: each ends with one clear error and status 1, or with a result that stays inside the
# container, and leaves nothing: no container, cgroup, mount, process or file.

setup() {
	load ../helpers/runc
	runc_setup
}
teardown() { common_teardown; }

# bad WORDS: the bundle is refused with them by run, create and a dry run, and nothing is left
bad() {
	local command
	for command in run create 'run --dry-run'; do
		# shellcheck disable=SC2086 # a command and its option
		detached $command -b "$B" "$ID"
		assert_error "$1" || return 1
		[ "$(grep -c . <<<"$stderr")" -eq 1 ] || fail "more than one line: $stderr" || return 1
		[ -z "$output" ] || fail "on stdout: $output" || return 1
	done
	assert_no_leftovers
}

# ---- the document --------------------------------------------------------------------------------

@test "document: not JSON, of every kind" {
	bundle true
	cp "$B/config.json" "$T/good"
	for text in '' '{' '}' 'nothing' '{"ociVersion": }' '[]' 'null' '"string"' '{"a":1}trailing' '{"a":1,}' "{'a':1}"; do
		printf '%s' "$text" >"$B/config.json"
		bad config.json || fail "with <$text>"
	done
	head -c 300 "$T/good" >"$B/config.json"
	bad config.json
	head -c 4096 /dev/urandom >"$B/config.json"
	bad config.json
	printf '{"ociVersion":"1.0.0\0","x":1}' >"$B/config.json"
	bad config.json
	printf '{"ociVersion":"\xff\xfe"}' >"$B/config.json"
	bad config.json
	{ cat "$T/good"; cat "$T/good"; } >"$B/config.json"
	bad config.json
}

@test "document: 100 MB of it" {
	bundle true
	{
		printf '{"ociVersion":"1.3.0","x":"'
		head -c 104857600 /dev/zero | tr '\0' x
		printf '"}'
	} >"$B/config.json"
	bad config.json
	truncate -s 10G "$B/config.json"
	bad config.json
}

@test "document: endless, and no file" {
	bundle true
	rm "$B/config.json"
	ln -s /dev/zero "$B/config.json"
	run --separate-stderr timeout 20 "$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID"
	assert_error config.json
	rm "$B/config.json"
	mkdir "$B/config.json"
	bad config.json
	rmdir "$B/config.json"
	bad 'a bundle is a directory with a config.json'
	ln -s config.json "$B/config.json"
	bad config.json
}

@test "document: nested 10,000 deep" {
	bundle true
	python3 - "$B/config.json" <<-'EOF'
		import sys
		open(sys.argv[1], "w").write('{"ociVersion":"1.3.0","x":' + "[" * 10000 + "]" * 10000 + "}")
	EOF
	bad config.json
	python3 - "$B/config.json" <<-'EOF'
		import sys
		open(sys.argv[1], "w").write('{"ociVersion":"1.3.0","x":' + '{"a":' * 10000 + "1" + "}" * 10001)
	EOF
	bad config.json
}

@test "document: wrong types, by the path of the member" {
	bundle true
	cp "$B/config.json" "$T/good"
	wrong() { # JQ-FILTER PATH
		cp "$T/good" "$B/config.json"
		edit "$1"
		bad "$2" || fail "with $1"
	}
	wrong '.process.args = "sh"' process.args
	wrong '.process.args[0] = 3' 'process.args[0]'
	wrong '.process.env = {"A": "b"}' process.env
	wrong '.process.terminal = "yes"' process.terminal
	wrong '.process = []' process
	wrong '.root = "rootfs"' root
	wrong '.mounts = {}' mounts
	wrong '.mounts[3].options = "ro"' 'mounts[3].options'
	wrong '.mounts[3].options[1] = 7' 'mounts[3].options[1]'
	wrong '.linux.namespaces[2].type = 1' 'linux.namespaces[2].type'
	wrong '.linux.devices = [{"type": "c", "path": "/dev/x", "major": "1", "minor": 1}]' 'linux.devices[0].major'
	wrong '.linux.sysctl = ["x"]' linux.sysctl
	wrong '.annotations = {"a": 1}' annotations
	wrong '.process.rlimits[0].soft = -1' 'process.rlimits[0].soft'
	wrong '.process.rlimits[0].soft = 1e30' 'process.rlimits[0].soft'
	wrong '.hooks.poststop = {}' hooks.poststop
	wrong '.ociVersion = 1' ociVersion
	wrong '.hostname = null | .hostname = ["x"]' hostname
}

@test "document: missing what is required" {
	bundle true
	cp "$B/config.json" "$T/good"
	for pair in '.root:root' '.root.path:root.path' '.ociVersion:ociVersion' '.process.args:process.args' '.process.cwd:process.cwd' \
		'.linux:linux' '.mounts[0].destination:destination' '.linux.namespaces[0].type:type'; do
		cp "$T/good" "$B/config.json"
		edit "del(${pair%%:*})"
		bad "${pair#*:}" || fail "without ${pair%%:*}"
	done
	cp "$T/good" "$B/config.json"
	edit '.root.path = ""'
	bad root.path
	edit '.root.path = "no/such"'
	detached run -b "$B" "$ID"
	assert_error 'no/such'
	assert_no_leftovers
	edit '.root.path = "config.json"'
	detached run -b "$B" "$ID"
	assert_error 'config.json'
	assert_no_leftovers
}

@test "document: no bundle" {
	mkdir "$T/empty"
	detached run -b "$T/empty" "$ID"
	assert_error 'config.json'
	detached run -b "$T/nowhere" "$ID"
	assert_error 'nowhere'
	detached run -b "" "$ID"
	assert_error config.json
	detached run -f "$T/nowhere.json" "$ID"
	assert_error 'nowhere.json'
	assert_no_leftovers
}

@test "document: thousands of mounts, long strings, many arguments" {
	bundle true
	edit '.mounts += [range(20000) | {"destination": "/m/\(.)", "type": "nosuchfs", "source": "x"}]'
	detached run -b "$B" "$ID"
	assert_error 'nosuchfs'
	assert_no_leftovers
	bundle_make "$T/c" true
	B=$T/c
	edit '.process.args = ["true"] + [range(300000) | "an argument of some length"]'
	detached run -b "$B" "$ID"
	[ "$status" -eq 1 ]
	[ -n "$stderr" ]
	assert_no_leftovers
	args true
	edit --arg p "/$(printf 'a%.0s' {1..5000})" '.process.cwd = $p'
	detached run -b "$B" "$ID"
	assert_error 'name too long' || assert_error 'too long'
	assert_no_leftovers
}

# ---- ids -----------------------------------------------------------------------------------------

@test "ids: hostile ones never reach a path, in any command" {
	bundle true
	mkdir -p "$STATE"
	mkdir "$T/victim"
	echo '{}' >"$T/victim/state.json"
	long=$(printf 'x%.0s' {1..256})
	for id in ../victim victim/../../victim a/b / . .. '' ' ' 'a b' $'a\nb' 'ä' 'a;b' '*' '%s%n' "$long" "$T/victim" $'\x1b[31m'; do
		for command in create run; do
			detached $command -b "$B" -- "$id"
			assert_error 'invalid container ID format' || fail "$command <$id>"
		done
		for command in start state kill delete 'delete --force'; do
			# shellcheck disable=SC2086 # a command and its option
			detached $command -- "$id"
			assert_error 'invalid container ID format' || fail "$command <$id>"
		done
		[[ $stderr != *$'\x1b'* ]] || fail "a control character came through"
	done
	[ -e "$T/victim/state.json" ]
	rmdir "$STATE"
	assert_no_leftovers
}

@test "ids: every allowed character, and the longest" {
	bundle true
	for id in "$ID-AZaz09_+.-" "-$ID" ".$ID" "$ID$(printf 'x%.0s' $(seq $((240 - ${#ID}))))"; do
		detached run -b "$B" -- "$id"
		assert_ok "" || fail "$id"
	done
	assert_no_leftovers
}

# ---- namespaces ----------------------------------------------------------------------------------

@test "namespaces: unknown, twice, relative, of another type, no namespace at all, missing" {
	bundle true
	cp "$B/config.json" "$T/good"
	again() {
		cp "$T/good" "$B/config.json"
		edit "$@"
	}
	again '.linux.namespaces[0].type = "nosuch"'
	bad 'linux.namespaces[0].type'
	again '.linux.namespaces += [{"type": "pid"}]'
	bad "'pid' is there twice"
	again '(.linux.namespaces[] | select(.type == "network")).path = "proc/1/ns/net"'
	bad 'is not absolute'
	again '.linux.namespaces |= map(select(.type != "mount")) | .linux.namespaces += [{"type": "user"}]'
	bad 'a user namespace without a mount namespace'
	# what the document alone does not tell
	outcome() {
		detached run -b "$B" "$ID"
		assert_error "$1"
		assert_no_leftovers
	}
	for type in pid:pid network:net ipc:ipc uts:uts mount:mnt cgroup:cgroup; do
		other=/proc/self/ns/user
		again --arg t "${type%:*}" --arg p "$other" '(.linux.namespaces[] | select(.type == $t)).path = $p'
		outcome "'$other' is not a ${type%:*} namespace"
	done
	again '(.linux.namespaces[] | select(.type == "network")).path = "/etc/passwd"'
	outcome "'/etc/passwd' is not a namespace"
	again '(.linux.namespaces[] | select(.type == "ipc")).path = "/no/such/ns"'
	outcome '/no/such/ns'
	mkfifo "$T/fifo"
	again --arg p "$T/fifo" '(.linux.namespaces[] | select(.type == "uts")).path = $p'
	outcome 'is not a namespace'
	again --arg p "/proc/self/ns/net" '.linux.namespaces += [{"type": "user", "path": $p}]'
	outcome 'is not a user namespace'
}

# ---- a root file system that is an attack --------------------------------------------------------

@test "rootfs: /dev, /proc, /etc, /sys are links to the host, absolute and by .." {
	canaries
	up=$(printf '../%.0s' {1..20})
	for name in dev proc etc sys; do
		for target in "$T/host/$name" "$up$T/host/$name" "/proc/1/root$T/host/$name"; do
			rm -rf "$B"
			bundle sh -c 'mkdir -p /etc && echo x >/etc/passwd; :'
			rm -rf "$B/rootfs/$name"
			ln -s "$target" "$B/rootfs/$name"
			edit '.linux.devices = [{"type": "c", "path": "/dev/sub/made", "major": 1, "minor": 3}] | .process.terminal = false |
				.linux.maskedPaths += ["/etc/passwd", "/dev/null"] | .linux.readonlyPaths += ["/etc"]'
			contained || fail "$name -> $target"
		done
	done
}

@test "rootfs: links to the host in the way of every kind of write" {
	canaries
	for name in etc/passwd dev/null dev/ptmx dev/pts dev/shm dev/fd dev/console; do
		rm -rf "$B"
		bundle true
		edit '.mounts |= map(select(.destination != "/dev"))'
		mkdir -p "$B/rootfs/$(dirname $name)"
		rm -rf "$B/rootfs/${name:?}"
		ln -s "$T/host/$name" "$B/rootfs/$name"
		contained || fail "$name"
	done
	rm -rf "$B"
	bundle true
	ln -s "$T/host/etc" "$B/rootfs/out"
	cp "$B/config.json" "$T/good"
	for change in '.mounts += [{"destination": "/out/new", "type": "tmpfs", "source": "t"}]' \
		'.mounts += [{"destination": "/out/passwd", "source": "/etc/hostname", "options": ["bind"]}]' \
		'.mounts += [{"destination": "/out", "source": "/tmp", "options": ["bind"]}]' \
		'.process.cwd = "/out/made"' '.process.cwd = "/out"' \
		'.linux.devices = [{"type": "c", "path": "/out/node", "major": 1, "minor": 3}]' \
		'.linux.devices = [{"type": "p", "path": "/out/passwd"}]' \
		'.linux.maskedPaths = ["/out/passwd", "/out"]' '.linux.readonlyPaths = ["/out"]'; do
		cp "$T/good" "$B/config.json"
		edit "$change"
		contained || fail "$change"
	done
}

@test "rootfs: the root itself a link, a loop of links, a socket" {
	canaries
	bundle true
	mv "$B/rootfs" "$B/real"
	ln -s real "$B/rootfs"
	contained
	rm "$B/rootfs"
	ln -s rootfs "$B/rootfs"
	detached run -b "$B" "$ID"
	assert_error rootfs
	rm "$B/rootfs"
	mkfifo "$B/rootfs"
	detached run -b "$B" "$ID"
	assert_error rootfs
	assert_no_leftovers
}

@test "rootfs: a console that is a link, with a terminal (CVE-2025-52565)" {
	canaries
	need_cmd script bsdutils
	bundle true
	edit '.process.terminal = true | .mounts |= map(select(.destination != "/dev"))'
	mkdir -p "$B/rootfs/dev/pts"
	ln -s "$T/host/etc/passwd" "$B/rootfs/dev/console"
	run script -qec "'$BOCK_RUNC' --root '$STATE' run -b '$B' $ID" /dev/null </dev/null
	[ "$status" -eq 1 ]
	assert_output -p console
	assert_canaries
	rm -rf "$B/rootfs/dev"
	mkdir -p "$B/rootfs/dev"
	ln -s "$T/host/dev" "$B/rootfs/dev/pts"
	edit '.mounts |= map(select(.destination != "/dev/pts"))'
	run script -qec "'$BOCK_RUNC' --root '$STATE' run -b '$B' $ID" /dev/null </dev/null
	[ "$status" -eq 1 ]
	assert_canaries
	assert_no_leftovers
}

# ---- the state folder ----------------------------------------------------------------------------

@test "state folder: no folder, not ours to write, a broken state" {
	bundle true
	: >"$T/file"
	run --separate-stderr "$BOCK_RUNC" --root "$T/file" list
	assert_error "$T/file"
	run --separate-stderr "$BOCK_RUNC" --root "$T/file/x" run -b "$B" "$ID"
	assert_error "$T/file/x"
	mkdir -p "$STATE/$ID"
	for text in '{' '[]' '{"id": 1}' '{"ociVersion":"1.3.0","id":"x"}' "$(head -c 100 /dev/urandom | tr -d '\0')"; do
		printf '%s' "$text" >"$STATE/$ID/state.json"
		for command in state start kill delete; do
			run --separate-stderr bock_runc $command "$ID"
			[ "$status" -eq 1 ] || fail "$command with $text"
			[ -n "$stderr" ]
		done
	done
	run --separate-stderr bock_runc list
	[ "$status" -eq 0 ]
}
