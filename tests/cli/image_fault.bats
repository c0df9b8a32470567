# SPDX-License-Identifier: Apache-2.0
# What bock-image does when one system call of it fails: each test is a fault that tests/crash/image has found.

setup() {
	load ../helpers/common
	common_setup
	need_cmd python3
	STRIKE=$BOCK_BUILDDIR/tests/crash/strike
	[ -x "$STRIKE" ] || STRIKE=$TOP/build/tests/crash/strike
	[ -x "$STRIKE" ] || skip "$STRIKE is not built (make check TESTS=)"
	[ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" -le 2 ] || skip "ptrace is off (ptrace_scope 3)"
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}
teardown() { common_teardown; }

@test "gc beside a running unpack waits, gives up or has its turn, and takes nothing that is read" {
	{ printf 'layer\nfile a1 x\nfile a2 y\nlayer\nfile b z\n'; } | "$TOP/tests/helpers/make-image" "$T/layout" x:1
	bock_image load -q "$T/layout"
	local at blobs pid gc
	"$STRIKE" --report "$T/report" "$BOCK_IMAGE" --root "$STORE" unpack x:1 "$T/b"
	# in the midst of the first of two layers
	at=$(awk -F '\t' '$3 == "openat" && $5 ~ /rootfs\/a2/ { print $1 ":" $2; exit }' "$T/report")
	[ -n "$at" ]
	"$STRIKE" --at "$at" --hold "$T/held" "$BOCK_IMAGE" --root "$STORE" unpack x:1 "$T/c" 3>&- &
	pid=$!
	wait_for 30 test -e "$T/held"
	# its name goes, and nothing else needs it
	bock_image rm x:1
	blobs=$(ls "$STORE/blobs/sha256")
	run -1 bock_image gc --wait 0s
	assert_output -p 'is in use by others'
	assert_output -p '(--wait DURATION waits longer for them)'
	[ "$(ls "$STORE/blobs/sha256")" = "$blobs" ]
	bock_image gc --wait 5m >"$T/gc" 3>&- &
	gc=$!
	rm "$T/held"
	wait "$pid"
	wait "$gc"
	diff -r "$T/b/rootfs" "$T/c/rootfs"
	grep -q '^removed 4 blobs' "$T/gc" || fail "$(cat "$T/gc")"
	[ -z "$(ls "$STORE/blobs/sha256")" ]
	run -1 bock_image gc --wait 1x
	assert_output -p -- --wait
}

@test "fault: gc takes no image apart because it can't look at its manifest" {
	printf 'layer\nfile a text\n' | "$TOP/tests/helpers/make-image" "$T/layout" kept:1
	bock_image load -q "$T/layout"
	bock_image fsck
	"$STRIKE" --report "$T/report" "$BOCK_IMAGE" --root "$STORE" gc -q
	# the first look at a blob is at the manifest
	at=$(awk -F '\t' '$3 == "newfstatat" && $5 ~ /blobs/ { print $1 ":" $2; exit }' "$T/report")
	[ -n "$at" ]
	run --separate-stderr "$STRIKE" --at "$at" --fault EIO "$BOCK_IMAGE" --root "$STORE" gc -q
	[ "$status" -eq 1 ]
	[[ $stderr == *"look for blob"*"Input/output error"* ]] || fail "$stderr"
	bock_image fsck
}

@test "fault: an index that can't be looked at is not written anew" {
	printf 'layer\nfile a text\n' | "$TOP/tests/helpers/make-image" "$T/layout" kept:1
	bock_image load -q "$T/layout"
	"$STRIKE" --report "$T/report" "$BOCK_IMAGE" --root "$STORE" gc -q
	at=$(awk -F '\t' '$3 ~ /access/ && $5 ~ /index.json/ { print $1 ":" $2; exit }' "$T/report")
	[ -n "$at" ]
	run --separate-stderr "$STRIKE" --at "$at" --fault EIO "$BOCK_IMAGE" --root "$STORE" gc -q
	[ "$status" -eq 1 ]
	[[ $stderr == *"look for 'index.json'"*"Input/output error"* ]] || fail "$stderr"
	[[ $(bock_image list) == *kept* ]]
}
