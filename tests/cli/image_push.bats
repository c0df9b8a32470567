#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image push: against a registry of our own that has every fault there is (tests/helpers/registry). The repository's first
# component names the fault.

setup_file() {
	load ../helpers/registry.bash
	registry_file_setup
	# x:1 has one layer, of 12 MB; many:1 has four, none as large as the next
	mkdir "$F/rootfs"
	head -c 12000000 /dev/urandom >"$F/rootfs/noise"
	tar -C "$F/rootfs" -cf "$F/rootfs.tar" noise
	registry_image --compression none
	local i
	for i in 1 2 3 4; do
		printf 'layer none\nempty f%s %s\n' "$i" "$((i * 100000))"
	done | "$TOP/tests/helpers/make-image" "$F/many" many:1
	"$BOCK_IMAGE" --root "$F/layout" load -q "$F/many"
	MANY=$("$BOCK_IMAGE" --root "$F/layout" inspect --json many:1 | jq -r .digest)
	LAYERS=$("$BOCK_IMAGE" --root "$F/layout" inspect --json many:1 | jq -r '.layers | reverse | .[]')
	export MANY LAYERS
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
	cp -a "$F/layout" "$STORE"
}

teardown() {
	touch "$F/open"
	common_teardown
}

requests() { # METHOD PATH-PATTERN: how many the registry saw
	grep -cE "^(self|other) $1 $2" "$F/log" || :
}

@test "push: chunks as large as the registry wants, on where the connection broke, and after 416" {
	run -0 bock_image push -q --chunk 1m x:1 "$HOST/minlength/x:1"
	grep -q 'PATCH .* range=0-2097151$' "$F/log"
	run -0 bock_image push -q --chunk 3m x:1 "$HOST/lost/y:1"
	grep -q "GET /v2/lost/y/blobs/uploads/" "$F/log"
	run -0 bock_image push -q --chunk 5m x:1 "$HOST/toofar/z:1"
	grep -q "GET /v2/toofar/z/blobs/uploads/" "$F/log"
	# what came is what was sent
	local repo
	for repo in minlength/x lost/y toofar/z; do
		run -0 bock_image --root "$T/got" pull -q "$HOST/$repo:1"
	done
	run -0 bock_image --root "$T/got" fsck -q
}

@test "push: an upload that fails for the moment goes on where the registry says it is" {
	run -0 bock_image push -q --chunk 3m x:1 "$HOST/hiccup/x:1"
	# 500 to the second of four chunks, of which a part was kept; asked for that, it goes on behind it
	[ "$(requests GET '/v2/hiccup/x/blobs/uploads/')" -eq 1 ]
	grep -qE 'PATCH /v2/hiccup/x/.* range=4145728-' "$F/log"
	[ "$(requests POST '/v2/hiccup/x/')" -eq 2 ] || fail "$(cat "$F/log")"
	run -0 bock_image --root "$T/got" pull -q "$HOST/hiccup/x:1"
	run -0 bock_image --root "$T/got" fsck -q
}

@test "push: a session that the registry has forgotten, or whose end failed, is begun anew" {
	run -0 bock_image push -q --chunk 3m x:1 "$HOST/amnesia/x:1"
	[ "$(requests POST '/v2/amnesia/x/')" -eq 3 ] || fail "$(cat "$F/log")"
	run -0 bock_image push -q x:1 "$HOST/badend/x:1"
	# once more from the beginning, and what was begun is given up
	[ "$(requests PUT '/v2/badend/x/blobs/')" -eq 4 ] || fail "$(cat "$F/log")"
	[ "$(requests DELETE '/v2/badend/x/blobs/')" -eq 2 ]
	run -0 bock_image --root "$T/got" pull -q "$HOST/badend/x:1"
	run -0 bock_image --root "$T/got" fsck -q
}

@test "push: several blobs at a time, the largest first, the manifest when all are there" {
	# the registry answers none of four uploads before the fourth has come
	run -0 bock_image push -q many:1 "$HOST/together/x:1"
	run -0 sed -nE 's,^self HEAD /v2/together/x/blobs/(sha256:[0-9a-f]+) .*,\1,p' "$F/log"
	[ "${lines[0]}" = "${LAYERS%%$'\n'*}" ] || fail "$output"
	[ "$(head -n 4 <<<"$output" | sort)" = "$(sort <<<"$LAYERS")" ] || fail "$output"
	run -0 sh -c "grep -nE ' (PUT) ' '$F/log' | sed -n '\$p'"
	assert_output -p /manifests/
	[ "$(requests PUT '/v2/together/x/manifests/')" -eq 1 ]
	run -0 bock_image --root "$T/got" pull -q "$HOST/together/x:1"
	run -0 bock_image --root "$T/got" fsck -q
	# a second time nothing is sent
	: >"$F/log"
	run -0 bock_image push many:1 "$HOST/together/x:1"
	assert_output -p 'already there'
	[ "$(requests POST '')" -eq 0 ]
}

@test "push: --jobs 1 is one at a time; more than there are does no harm" {
	run -1 bock_image push -q --jobs 0 many:1 "$HOST/ok/x:1"
	assert_output -p '--jobs: 1 to 32'
	run -0 bock_image push -q --jobs 1 many:1 "$HOST/ok/one:1"
	# each blob is asked for when the one before it has come
	run -0 sed -nE 's,^self (HEAD|POST|PUT) /v2/ok/one/blobs/.*,\1,p' "$F/log"
	assert_output "$(for _ in 1 2 3 4 5; do printf 'HEAD\nPOST\nPUT\n'; done)"
	run -0 sed -nE 's,^self HEAD /v2/ok/one/blobs/(sha256:[0-9a-f]+) .*,\1,p' "$F/log"
	[ "$(head -n 4 <<<"$output")" = "$LAYERS" ] || fail "$output"
	run -0 bock_image push -q --jobs 32 many:1 "$HOST/ok/all:1"
	[ "$(requests PUT '/v2/ok/all/blobs/')" -eq 5 ]
}

@test "push: a mount that is refused is no failure, and one that is granted sends nothing" {
	run -0 bock_image push -q many:1 "$HOST/ok/from:1"
	bock_image tag many:1 "$HOST/ok/from:1"
	run -0 bock_image push -q many:1 "$HOST/mount/x:1"
	[ "$(requests POST '/v2/mount/x/blobs/uploads/\?mount=sha256')" -eq 5 ]
	[ "$(requests PUT '/v2/mount/x/blobs/')" -eq 0 ]
	run -0 bock_image push -q many:1 "$HOST/nomount/x:1"
	[ "$(requests POST '/v2/nomount/x/blobs/uploads/\?mount=sha256')" -eq 5 ]
	[ "$(requests PUT '/v2/nomount/x/blobs/')" -eq 5 ]
	run -0 bock_image --root "$T/got" pull -q "$HOST/nomount/x:1"
}

@test "push: when one upload fails all are given up, and no manifest is sent" {
	# the smallest fails, when the others have begun and wait
	run -1 bock_image push -q --retries 0 many:1 "$HOST/onefails/x:1"
	assert_output -e 'blob sha256:[0-9a-f]+: status 507: FULL'
	[ "$(requests POST '/v2/onefails/x/')" -eq 4 ] || fail "$(cat "$F/log")"
	[ "$(requests DELETE '/v2/onefails/x/blobs/uploads/')" -eq 4 ] || fail "$(cat "$F/log")"
	[ "$(requests PUT '/v2/onefails/x/manifests/')" -eq 0 ]
}

begin_stuck() { # COMMAND...: in the background; four uploads are under way, and their registry does not answer
	# a job in the background has SIGINT ignored, but not one of an interactive shell
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' "$@" >"$T/out" 2>&1 3>&- &
	pid=$!
	wait_for 30 sh -c "test \$(grep -c '^self PUT /v2/stuck/x/blobs/' '$F/log') -eq 4"
}

@test "push: ^C and SIGTERM end it, and the uploads under way are given up" {
	local sig rc
	for sig in INT TERM; do
		: >"$F/log"
		begin_stuck "$BOCK_IMAGE" --root "$STORE" push -q many:1 "$HOST/stuck/x:1"
		kill -"$sig" "$pid"
		rc=0
		wait "$pid" || rc=$?
		[ "$rc" -eq $((128 + $(kill -l "$sig"))) ] || fail "status $rc: $(cat "$T/out")"
		[ "$(requests DELETE '/v2/stuck/x/blobs/uploads/')" -eq 4 ] || fail "$(cat "$F/log")"
		[ "$(requests PUT '/v2/stuck/x/manifests/')" -eq 0 ]
	done
}

@test "copy: ^C while it sends leaves neither uploads nor its temporary store" {
	mkdir "$T/tmp"
	local rc=0
	TMPDIR=$T/tmp begin_stuck "$BOCK_IMAGE" --root "$STORE" copy -q "oci:$F/many:many:1" "docker://$HOST/stuck/x:1"
	kill -INT "$pid"
	wait "$pid" || rc=$?
	[ "$rc" -eq 130 ] || fail "status $rc: $(cat "$T/out")"
	[ "$(requests DELETE '/v2/stuck/x/blobs/uploads/')" -eq 4 ] || fail "$(cat "$F/log")"
	[ -z "$(ls -A "$T/tmp")" ]
}

@test "push: credentials don't go to where the registry wants the upload" {
	mkdir -p "$T/containers"
	echo "{\"auths\":{\"$HOST\":{\"auth\":\"Ym9iOnNlY3JldA==\"}}}" >"$T/containers/auth.json"
	run -0 bock_image push -q x:1 "$HOST/basic/x:1"
	grep -q '^other PUT /v2/basic/x/blobs/uploads/.* auth=no' "$F/log"
	run ! grep -q '^other.*auth=yes' "$F/log"
}

@test "push: several tags by one request where the registry can, else one by one" {
	run -0 bock_image push -q x:1 "$HOST/multitag/x:a" "$HOST/multitag/x:b"
	[ "$(grep -c 'PUT /v2/multitag/x/manifests/' "$F/log")" -eq 1 ]
	grep -q "PUT /v2/multitag/x/manifests/$DIGEST?tag=a&tag=b" "$F/log"
	run -0 bock_image push -q x:1 "$HOST/ok/x:a" "$HOST/ok/x:b"
	grep -q 'PUT /v2/ok/x/manifests/b ' "$F/log"
}

@test "push: a registry that takes something else is not believed; a failed upload is cancelled" {
	run -1 bock_image push -q x:1 "$HOST/altered/x:1"
	assert_output -p "the registry took it for sha256:1111"
	printf other >"$T/other"
	tar -C "$T" -cf "$T/o.tar" other
	run -0 bock_image import -q "$T/o.tar" o:1
	run -1 bock_image push -q o:1 "$HOST/full/x:1"
	assert_output -p 'status 507'
	grep -q 'DELETE /v2/full/x/blobs/uploads/' "$F/log"
}
