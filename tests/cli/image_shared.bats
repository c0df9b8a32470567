#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Several commands on one store: downloads that are shared and taken over, gc beside them. The registry is tests/helpers/registry;
# its repositories "gate/..." stop after 9 of 12 MB until there is a file.

setup_file() {
	load ../helpers/registry.bash
	registry_file_setup
	head -c 12000000 /dev/urandom >"$F/noise"
	tar -C "$F" -cf "$F/rootfs.tar" noise
	registry_image --compression none
	registry_serve
}

teardown_file() {
	load ../helpers/registry.bash
	registry_file_teardown
}

setup() {
	load ../helpers/registry.bash
	registry_setup
	rm -f "$F/open"
	PART=$STORE/.bock/ingest/sha256-${LAYER#sha256:}
}

teardown() {
	touch "$F/open"
	common_teardown
}

begin_pull() { # LOG NAME: in the background, its id in $pid
	"$BOCK_IMAGE" --root "$STORE" pull --json "$HOST/$2" >"$1" 2>"$1.err" 3>&- &
	pid=$!
}

two_segments() { wait_for 30 sh -c "test \$(wc -c <'$PART.map.part') -ge 2"; }

assert_whole() {
	run -0 bock_image fsck
	[ -z "$(find "$STORE/.bock/ingest" "$STORE/.bock/leases" -type f)" ] || fail "left: $(ls -A "$STORE/.bock/"*)"
	cmp "$STORE/blobs/sha256/${LAYER#sha256:}" "$F/layout/blobs/sha256/${LAYER#sha256:}"
}

@test "two pulls of one blob: the second waits for the first, and the registry is asked once" {
	begin_pull "$T/first" gate/x:1
	first=$pid
	two_segments
	begin_pull "$T/second" gate/x:1
	wait_for 30 grep -q '"waits"' "$T/second"
	touch "$F/open"
	wait "$first"
	wait "$pid"
	grep -q '"pulled"' "$T/first"
	grep -q '"pulled"' "$T/second"
	[ "$(grep -c "GET /v2/gate/x/blobs/$LAYER" "$F/log")" -eq 1 ]
	assert_whole
}

@test "two pulls of one blob: the second takes it over where the first was killed" {
	begin_pull "$T/first" gate/x:1
	first=$pid
	two_segments
	begin_pull "$T/second" ok/x:1
	wait_for 30 grep -q '"waits"' "$T/second"
	kill -9 "$first"
	wait "$first" || :
	wait "$pid"
	grep -qE "GET /v2/ok/x/blobs/$LAYER auth=no range=bytes=8388608-" "$F/log"
	[ "$(grep -c "GET /v2/ok/x/blobs/$LAYER" "$F/log")" -eq 1 ]
	run -0 bock_image gc -q
	assert_whole
}

@test "gc beside a pull takes nothing that the pull has fetched or needs" {
	# garbage that the pull finds there: it is not to be lost, either
	cp -a "$F/layout" "$STORE"
	bock_image untag x:1
	bock_image rm "$DIGEST"
	rm "$STORE/blobs/sha256/${LAYER#sha256:}"
	printf garbage >"$STORE/blobs/sha256/$(printf garbage | sha256sum | cut -d' ' -f1)"
	begin_pull "$T/first" gate/x:1
	two_segments
	run -0 bock_image gc
	assert_output -p 'removed 1 blobs'
	[ -f "$STORE/blobs/sha256/${DIGEST#sha256:}" ]
	[ -f "$PART.part" ]
	run -0 bock_image gc --dry-run
	assert_output -p 'would remove 0 blobs'
	touch "$F/open"
	wait "$pid"
	[ "$(grep -c "GET /v2/gate/x/blobs/$LAYER" "$F/log")" -eq 1 ]
	assert_whole
}

@test "gc: the lease of a pull that was killed is none, and what it fetched goes" {
	begin_pull "$T/first" gate/x:1
	two_segments
	[ "$(find "$STORE/.bock/leases" -type f | wc -l)" -eq 1 ]
	kill -9 "$pid"
	wait "$pid" || :
	run -0 bock_image gc
	assert_output -p 'removed 2 blobs'
	[ -z "$(find "$STORE/.bock/ingest" "$STORE/.bock/leases" -type f)" ]
	[ -z "$(find "$STORE/blobs" -type f)" ]
}

@test "a pull that ends while gc has the store waits for it, and names what is there" {
	begin_pull "$T/first" gate/x:1
	two_segments
	# gc, to the pull
	exec 8<"$STORE/.bock/lease"
	flock -x 8
	touch "$F/open"
	wait_for 30 test -f "$STORE/blobs/sha256/${LAYER#sha256:}"
	run ! grep -q '"pulled"' "$T/first"
	kill -0 "$pid"
	flock -u 8
	exec 8<&-
	wait "$pid"
	grep -q '"pulled"' "$T/first"
	assert_whole
}
