#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A large layer is fetched in several ranges at a time. The registry is tests/helpers/registry, whose faults are the first
# component of a repository's name.

setup_file() {
	load ../helpers/registry.bash
	registry_file_setup
	# 70 MB, and no two places are alike
	openssl enc -aes-128-ctr -nosalt -pass pass:x -pbkdf2 </dev/zero 2>/dev/null | head -c 70000000 >"$F/noise"
	tar -C "$F" -cf "$F/rootfs.tar" noise
	rm "$F/noise"
	registry_image --compression none
	rm "$F/rootfs.tar"
	SIZE=$(stat -c %s "$F/layout/blobs/sha256/${LAYER#sha256:}")
	export SIZE
	registry_serve
}

teardown_file() {
	load ../helpers/registry.bash
	registry_file_teardown
}

setup() {
	load ../helpers/registry.bash
	registry_setup
	need_cmd openssl
	rm -f "$F/open"
	PART=$STORE/.bock/ingest/sha256-${LAYER#sha256:}
}

teardown() {
	touch "$F/open"
	common_teardown
}

pull() { # FAULT [OPTION...]
	local fault=$1
	shift
	bock_image pull -q "$@" "$HOST/$fault/x:1"
}

ranges() { # FAULT: of the layer, FIRST LAST, in the blob's order
	sed -nE "s|^self GET /v2/$1/x/blobs/$LAYER auth=no range=bytes=([0-9]+)-([0-9]+)$|\1 \2|p" "$F/log" | sort -n
}

assert_whole() {
	run -0 bock_image fsck -q
	cmp "$STORE/blobs/sha256/${LAYER#sha256:}" "$F/layout/blobs/sha256/${LAYER#sha256:}"
	[ -z "$(find "$STORE/.bock/ingest" -type f)" ] || fail "left: $(ls "$STORE/.bock/ingest")"
}

@test "ranges: several, which are the whole layer, each byte once" {
	run -0 pull ok
	assert_whole
	ranges ok >"$T/ranges"
	[ "$(wc -l <"$T/ranges")" -eq 3 ]
	awk -v size="$SIZE" '$1 != next_first { exit 1 } { next_first = $2 + 1 } END { exit next_first != size }' "$T/ranges"
}

@test "ranges: a server that ignores them sends all once more, from the beginning" {
	run -0 pull plain
	assert_whole
	# the last request asks for no range
	[ "$(grep "GET /v2/plain/x/blobs/$LAYER" "$F/log" | tail -1)" = "self GET /v2/plain/x/blobs/$LAYER auth=no range=" ]
}

@test "ranges: where one is cut, it goes on from there, and the others are left alone" {
	run -0 pull cut
	assert_whole
	ranges cut >"$T/ranges"
	# two are cut after three quarters: the rest of each, not from its beginning
	[ "$(wc -l <"$T/ranges")" -eq 5 ]
	[ "$(awk '{ print $2 }' "$T/ranges" | sort -u | wc -l)" -eq 3 ]
	[ "$(awk '{ print $1 }' "$T/ranges" | sort -u | wc -l)" -eq 5 ]
}

@test "ranges: content that changes in between is refused by its digest, and nothing of it stays" {
	run -1 pull changed
	assert_output -e "blob $LAYER has the digest sha256:"
	[ -z "$(find "$STORE/blobs" "$STORE/.bock/ingest" -type f)" ]
	run -0 bock_image list -q
	assert_output ""
	# the same by hand: a piece of another content, from an earlier run, is found out, and all is fetched again
	run -0 pull ok
	assert_whole
}

@test "ranges: an answer that says another length is refused" {
	run -1 pull otherlength --retries 0
	assert_output -e "Content-Range 'bytes [0-9]+-[0-9]+/$((SIZE + 1))'"
}

@test "ranges: a run that is killed leaves pieces in the middle, and the next fetches only what is missing" {
	# the first range hangs, the others come
	"$BOCK_IMAGE" --root "$STORE" pull -q "$HOST/holes/x:1" 3>&- &
	local pid=$!
	wait_for 60 sh -c "test \"\$(tr -d '\\0' <'$PART.map.part' | wc -c)\" -eq 9"
	kill -9 "$pid"
	wait "$pid" || :
	: >"$F/log"
	run -0 pull ok
	assert_whole
	[ "$(ranges ok)" = "0 33554431" ]
}

@test "ranges: --jobs 1 is one request at a time, and gets there" {
	run -0 pull ok --jobs 1
	assert_whole
}
