# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # status and output are bats'
#
# The pipeline on real input: a Debian root file system of several thousand files, imported as an image,
# unpacked to a bundle, and run.

setup_file() {
	load ../helpers/common
	command -v mmdebstrap >/dev/null || return 0
	release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	DEBIAN_TAR=$BOCK_BUILDDIR/test-cache/debian-$release.tar
	export DEBIAN_TAR
	if [ ! -s "$DEBIAN_TAR" ]; then
		mkdir -p "${DEBIAN_TAR%/*}"
		mmdebstrap --quiet --variant=minbase "$release" "$DEBIAN_TAR.new.tar" &&
			mv "$DEBIAN_TAR.new.tar" "$DEBIAN_TAR"
	fi
	[ -s "$DEBIAN_TAR" ] || return 1
	export SHARED=$BATS_FILE_TMPDIR/shared
	mkdir "$SHARED"
	"$BOCK_IMAGE" --root "$SHARED/store" import "$DEBIAN_TAR" debian:test
	"$BOCK_IMAGE" --root "$SHARED/store" unpack debian:test "$SHARED/bundle" -- /bin/sh
}

setup() {
	load ../helpers/common
	common_setup
	need_root
	need_cmd mmdebstrap
	need_cmd jq
	B=$T/bundle
}

teardown() { common_teardown; }

# The shared rootfs under a config.json of the test's own, running ARGs.
debian() {
	mkdir -p "$B"
	jq --arg rootfs "$SHARED/bundle/rootfs" '.root.path = $rootfs' "$SHARED/bundle/config.json" \
		>"$B/config.json"
	bundle_args "$B" "$@"
}

run_it() { run --separate-stderr bock_runc run -b "$B" "$ID"; }

# Name, type, mode, owner; of all but directories size, link target and time in seconds.
tree_list() {
	(cd "$1" && find . -mindepth 1 \( -type d -printf '%P %y %m %U:%G\n' \) -o \
		-printf '%P %y %m %U:%G %s %l %T@\n') | sed 's/\.[0-9]*$//' | LC_ALL=C sort
}

@test "a Debian image has its thousands of files, and skopeo reads it in place" {
	[ "$(tar -tf "$DEBIAN_TAR" | wc -l)" -ge 5000 ]
	need_cmd skopeo
	run skopeo inspect "oci:$SHARED/store:debian:test"
	assert_status 0
	assert_output -p '"Layers"'
}

@test "the unpacked tree is the tar's, name by name" {
	mkdir "$T/tar"
	tar -C "$T/tar" -xf "$DEBIAN_TAR" --numeric-owner --xattrs --xattrs-include='*'
	tree_list "$T/tar" >"$T/expected"
	tree_list "$SHARED/bundle/rootfs" >"$T/found"
	[ "$(wc -l <"$T/expected")" -ge 5000 ]
	diff "$T/expected" "$T/found"
}

@test "commands of a real distribution run" {
	debian cat /etc/os-release
	run_it
	assert_status 0
	assert_output -p 'Debian GNU/Linux'
	debian sh -c 'dpkg -l | wc -l'
	run_it
	assert_status 0
	[ "$output" -ge 50 ]
	assert_no_leftovers
}

@test "su becomes another user" {
	# su needs its set-user-ID powers within the container
	debian su -s /bin/sh nobody -c id
	bundle_edit "$B" '.process.noNewPrivileges = false'
	run_it
	assert_status 0
	assert_output -p 'uid=65534(nobody)'
}

@test "exit codes are passed through" {
	for code in 0 1 7 126 255; do
		debian sh -c "exit $code"
		run_it
		assert_status "$code"
	done
	# shellcheck disable=SC2016 # for the container's shell
	debian bash -c 'kill -KILL $BASHPID & wait $!'
	run_it
	assert_status 137
	assert_no_leftovers
}

@test "stdin is piped through, and stdout and stderr stay apart" {
	debian sh -c 'cat; echo fault >&2'
	head -c 3000000 /dev/urandom >"$T/in"
	bock_runc run -b "$B" "$ID" <"$T/in" >"$T/out" 2>"$T/err"
	cmp "$T/in" "$T/out"
	[ "$(cat "$T/err")" = fault ]
}

@test "signals are passed through" {
	debian bash -c 'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.05; done'
	"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" >"$T/out" 3>&- &
	pid=$!
	wait_for 10 grep -q ready "$T/out"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 9 ]
	grep -q got "$T/out"
	assert_no_leftovers
}

@test "kill -9 of the foreground program leaves nothing behind" {
	debian sleep 1000
	"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" 3>&- &
	pid=$!
	wait_for 10 sh -c "\"$BOCK_RUNC\" --root \"$STATE\" state $ID | grep -q running"
	kill -KILL "$pid"
	wait "$pid" || :
	assert_no_leftovers
}

@test "a container in the foreground can be deleted by force from elsewhere" {
	debian sleep 1000
	"$BOCK_RUNC" --root "$STATE" run -b "$B" "$ID" 3>&- &
	pid=$!
	wait_for 10 sh -c "\"$BOCK_RUNC\" --root \"$STATE\" state $ID | grep -q running"
	bock_runc delete --force "$ID"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 137 ]
	assert_no_leftovers
}

@test "an interactive shell on a real terminal" {
	need_cmd tmux
	debian bash --norc -i
	bundle_edit "$B" '.process.terminal = true'
	session=bock-$ID
	tmux -L "$session" -f /dev/null new-session -d -x 100 -y 30 \
		"$BOCK_RUNC --root $STATE run -b $B $ID; echo ended with \$?; sleep 5"
	tmux -L "$session" send-keys 'tty; stty size' Enter
	wait_for 10 sh -c "tmux -L $session capture-pane -p | grep -q '^/dev/pts/0'"
	wait_for 10 sh -c "tmux -L $session capture-pane -p | grep -q '^30 100'"
	tmux -L "$session" send-keys 'sleep 100' Enter
	sleep 0.3
	tmux -L "$session" send-keys C-c
	tmux -L "$session" send-keys 'echo code $?' Enter
	wait_for 10 sh -c "tmux -L $session capture-pane -p | grep -q '^code 130'"
	tmux -L "$session" send-keys 'exit 5' Enter
	wait_for 10 sh -c "tmux -L $session capture-pane -p | grep -q 'ended with 5'"
	tmux -L "$session" kill-server
	assert_no_leftovers
}
