#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image pull, tags, digest, login: against a registry of our own that has every fault there is
# (tests/helpers/registry). The repository's first component names the fault.

setup_file() {
	load ../helpers/registry.bash
	registry_file_setup
	# an image of one layer of 12 MB, which is served by all tests
	mkdir "$F/rootfs"
	head -c 12000000 /dev/urandom >"$F/rootfs/noise"
	tar -C "$F/rootfs" -cf "$F/rootfs.tar" noise
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
}

teardown() { common_teardown; }

pull() { # FAULT/NAME:TAG [OPTION...]
	local name=$1
	shift
	bock_image pull "$@" "$HOST/$name"
}

assert_whole() { # after a pull of FAULT: all is there, nothing is left over
	run -0 bock_image fsck
	[ -z "$(ls -A "$STORE/.bock/ingest")" ] || fail "left: $(ls "$STORE/.bock/ingest")"
	[ -f "$STORE/blobs/sha256/${LAYER#sha256:}" ]
}

assert_unchanged() { # after one that failed: no name, no blob
	run -0 bock_image list -q
	assert_output ""
	[ -z "$(find "$STORE/blobs" -type f)" ] || fail "left: $(find "$STORE/blobs" -type f)"
}

@test "pull: the image as it is, by tag and by digest; a second time nothing is fetched" {
	run -0 --separate-stderr pull ok/x:1
	assert_output "$HOST/ok/x:1 $DIGEST"
	[[ $stderr == *pulled* ]]
	assert_whole
	cmp "$STORE/blobs/sha256/${LAYER#sha256:}" "$F/layout/blobs/sha256/${LAYER#sha256:}"
	: >"$F/log"
	run -0 pull "ok/x@$DIGEST"
	assert_output -p 'already there'
	run ! grep -q /blobs/ "$F/log"
	run -0 bock_image unpack "$HOST/ok/x@$DIGEST" "$T/b" -- /x
	run -0 cmp "$T/b/rootfs/noise" "$F/rootfs/noise"
}

@test "pull: --quiet prints nothing, --json an object a line" {
	run -0 pull ok/x:1 --quiet
	assert_output ""
	run -0 bock_image rm "$HOST/ok/x:1"
	run -0 bock_image gc -q
	run -0 bash -c '"$BOCK_IMAGE" --root "$1" pull --json "$2" | jq -rs "[.[].event] | unique | join(\",\")"' - "$STORE" "$HOST/ok/x:1"
	assert_output -e 'begun,done,.*pulled'
}

@test "pull goes on where a connection was cut" {
	run -0 pull cut/x:1
	assert_whole
	grep -qE "GET /v2/cut/x/blobs/$LAYER auth=no range=bytes=[0-9]+-" "$F/log"
}

@test "pull goes on where an earlier one was killed" {
	"$BOCK_IMAGE" --root "$STORE" pull -q "$HOST/hang/x:1" 3>&- &
	local pid=$!
	# two segments of 4 MiB are there
	wait_for 30 sh -c "test \$(wc -c <'$STORE/.bock/ingest/sha256-${LAYER#sha256:}.map.part') -ge 2"
	kill -9 "$pid"
	wait "$pid" || :
	: >"$F/log"
	run -0 pull ok/x:1
	assert_whole
	grep -qE "GET /v2/ok/x/blobs/$LAYER auth=no range=bytes=8388608-" "$F/log"
}

@test "pull: what an earlier run left is not believed" {
	"$BOCK_IMAGE" --root "$STORE" pull -q "$HOST/hang/x:1" 3>&- &
	local pid=$!
	wait_for 30 sh -c "test \$(wc -c <'$STORE/.bock/ingest/sha256-${LAYER#sha256:}.map.part') -ge 2"
	kill -9 "$pid"
	wait "$pid" || :
	printf X | dd of="$STORE/.bock/ingest/sha256-${LAYER#sha256:}.part" bs=1 seek=5000 conv=notrunc status=none
	run -0 pull ok/x:1
	assert_whole
}

@test "pull: two at a time share one download" {
	"$BOCK_IMAGE" --root "$STORE" pull -q "$HOST/ok/x:1" 3>&- &
	local pid=$!
	run -0 pull ok/x:1 --quiet
	wait "$pid"
	assert_whole
	[ "$(grep -c "GET /v2/ok/x/blobs/$LAYER" "$F/log")" -eq 1 ]
}

@test "pull: a server that knows no ranges sends all again" {
	run -0 pull norange/x:1
	assert_whole
}

@test "pull: an answer that is not the range asked for is refused" {
	run -1 pull wrongrange/x:1
	assert_output -p "Content-Range 'bytes 0-99/"
	assert_unchanged
}

@test "pull waits as Retry-After says, in seconds and as a date, and not for an hour" {
	run -0 pull busy/x:1
	assert_output -p 'status 429; trying again in 1 s'
	assert_whole
	run -0 pull busydate/x:1
	run -1 pull closed/x:1
	assert_output -p 'asks to come back in 3600 s'
}

@test "pull: a blob of another digest is refused" {
	run -1 pull damaged/x:1
	assert_output -e "blob $LAYER has the digest sha256:"
	assert_unchanged
	[ -z "$(ls -A "$STORE/.bock/ingest")" ]
}

@test "pull: a blob without an end, or shorter than it should be, is refused" {
	run -1 pull endless/x:1
	assert_output -p 'longer than the'
	assert_unchanged
	run -1 pull error/x:1 --retries 0
	assert_output -p 'status 500: UNKNOWN: the test says so'
	assert_unchanged
}

@test "pull: a server that drips is given up" {
	run -1 pull drip/x:1 --timeout 1s --retries 0
	assert_output -p 'it stalled'
	run -0 bock_image list -q
	assert_output ""
}

@test "pull: manifests that are not what was asked for are refused" {
	local fault
	for fault in badjson duplicate digestheader wrongtype huge; do
		run -1 pull "$fault/x:1"
		assert_unchanged
	done
	run -1 pull badjson/x:1
	assert_output -p "manifest '1' of $HOST/badjson/x"
	run -1 pull wrongtype/x:1
	assert_output -p "the registry says that it is 'application/vnd.oci.image.index.v1+json', the manifest 'application/vnd.oci.image.manifest.v1+json'"
	run -1 pull huge/x:1
	assert_output -p 'longer than 4194304 bytes'
	run -1 pull "swapped/x@$DIGEST"
	assert_output -e "the manifest has the digest sha256:.*, not $DIGEST"
	assert_unchanged
	run -1 pull ok/x:2
	assert_output -p 'status 404: MANIFEST_UNKNOWN'
	# a type that says nothing is no contradiction
	run -0 pull vague/x:1
}

@test "pull: circles of redirects end" {
	run -1 pull loop/x:1
	assert_output -p 'they go in a circle'
}

@test "pull: credentials go to the registry and not where it redirects to; none is in the log" {
	mkdir -p "$T/containers"
	echo "{\"auths\":{\"$HOST\":{\"auth\":\"Ym9iOnNlY3JldA==\"}}}" >"$T/containers/auth.json"
	run -0 bock_image --debug --log "$T/log" pull "$HOST/basic/x:1"
	grep -q "^self GET /v2/basic/x/blobs/$LAYER auth=yes" "$F/log"
	grep -q "^other GET /v2/basic/x/blobs/$LAYER auth=no" "$F/log"
	run ! grep -q '^other.*auth=yes' "$F/log"
	assert_whole
	echo "$output" >>"$T/log"
	run ! grep -qE 'secret|Ym9iOnNlY3JldA' "$T/log"
	# without them
	rm "$T/containers/auth.json"
	run -1 bock_image pull "$HOST/basic/x:2"
	assert_output -e "status 401: UNAUTHORIZED: the test says so \(bock-image login $HOST\)"
}

@test "pull: a token, from a challenge with commas and quotes among others" {
	run -0 pull comma/x:1
	assert_whole
	grep -q 'service=a%2C%20%22quoted%22%20name&scope=repository%3Acomma%2Fx%3Apull ' "$F/log"
	# one token does for all requests
	[ "$(grep -c '/token?' "$F/log")" -eq 1 ]
}

@test "pull: names that no registry can have are refused before anything is asked" {
	run -1 bock_image pull "$HOST/ok/X"
	run -1 bock_image pull "$HOST/ok/x@sha256:12"
	run -1 bock_image pull --platform linux "$HOST/ok/x:1" --all-platforms
	assert_output -p 'exclude each other'
	run -1 bock_image pull --platform 'Linux/amd64' "$HOST/ok/x:1"
	assert_output -p 'not OS/ARCHITECTURE'
	[ ! -s "$F/log" ]
}

@test "pull: nobody there is said soon, and where" {
	run -1 bock_image pull 127.0.0.1:1/x
	assert_output -p 'GET http'
	assert_output -p '127.0.0.1:1/v2/x/manifests/latest'
}

@test "tags: all pages, and not for ever" {
	run -0 bock_image tags "$HOST/ok/x"
	assert_output "$(printf 'a\nb\nc\nd\ne')"
	run -0 bock_image tags --json "$HOST/ok/x"
	assert_output '["a","b","c","d","e"]'
	run -1 bock_image tags "$HOST/endlesspages/x"
	assert_output -p 'have no end'
}

@test "digest: what the registry has" {
	run -0 bock_image digest "$HOST/ok/x:1"
	assert_output "$DIGEST"
	run -1 bock_image digest "$HOST/ok/x:2"
	assert_output -p 'status 404'
}

@test "registries.conf: mirrors in their order, then the registry itself" {
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		prefix = "example.org/team"
		location = "$HOST/ok"
		[[registry.mirror]]
		location = "$HOST/damaged"
		[[registry.mirror]]
		location = "$HOST/error"
		pull-from-mirror = "digest-only"
	END
	run -0 bock_image pull --retries 0 example.org/team/x:1
	assert_output -p "mirror $HOST: blob $LAYER has the digest"
	assert_output -p "example.org/team/x:1 $DIGEST"
	assert_whole
	run ! grep -q /error/ "$F/log"
	# not for a question
	: >"$F/log"
	run -0 bock_image digest example.org/team/x:1
	assert_output "$DIGEST"
	run ! grep -q /damaged/ "$F/log"
}

@test "registries.conf: aliases, registries that are searched, what is blocked, mistakes" {
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		unqualified-search-registries = ["$HOST/none", "$HOST/ok"]
		[[registry]]
		location = "$HOST/blocked"
		blocked = true
		[aliases]
		mine = "$HOST/ok/x"
	END
	run -0 bock_image pull mine:1
	assert_output -p "$HOST/ok/x:1 $DIGEST"
	run -0 bock_image rm "$HOST/ok/x:1"
	run -0 bock_image pull -q x:1
	run -0 bock_image list
	assert_output -p "$HOST/"
	run -1 bock_image pull "$HOST/blocked/x:1"
	assert_output -p "registries.conf blocks '$HOST/blocked/x:1'"
	echo 'x = {' >"$T/bad"
	run -1 bock_image pull --registries-conf "$T/bad" "$HOST/ok/x:1"
	assert_output -p "$T/bad:1: inline tables are not supported"
	run -1 bock_image pull --registries-conf "$T/absent" "$HOST/ok/x:1"
	assert_output -p "there is no '$T/absent'"
}

@test "https never leads to http: not by a redirect, not to a token server" {
	need_cmd openssl
	mkdir "$T/tls" "$T/certs"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/tls/key" -out "$T/certs/ca.crt" -days 2 -subj /CN=x \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	registry_start "$F/layout" "$T/tls" --tls "$T/certs/ca.crt" "$T/tls/key"
	local host=$registry_host
	run -1 bock_image pull --cert-dir "$T/certs" "$host/downgrade/x:1"
	assert_output -p 'it redirects from https to http'
	run -1 bock_image pull --cert-dir "$T/certs" "$host/foreignrealm/x:1"
	assert_output -p 'wants credentials sent to 127.0.0.1 in the clear'
	run ! grep -q '^other' "$T/tls/log"
	# a certificate that is not valid is no reason to go on without TLS, on loopback either
	run -1 bock_image pull --retries 0 "$host/ok/x:1"
	assert_output -p certificate
	run -0 bock_image pull -q --tls-verify=false "$host/ok/x:1"
	kill "$registry_pid"
}
