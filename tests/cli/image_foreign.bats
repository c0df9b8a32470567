#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Foreign layers: what the registry has not, and a URL of the manifest leads to. The registry is tests/helpers/registry, which serves
# such URLs under /foreign/FAULT/ on both its ports.

setup_file() {
	load ../helpers/registry.bash
	registry_file_setup
	head -c 300000 /dev/urandom >"$F/noise"
	tar -C "$F" -cf "$F/rootfs.tar" noise
	registry_image --compression none
	mkdir "$F/foreign"
	mv "$F/layout/blobs/sha256/${LAYER#sha256:}" "$F/foreign/layer"
	registry_serve
	OTHER=http://127.0.0.1:$(cat "$F/other")
	export OTHER
}

teardown_file() {
	load ../helpers/registry.bash
	registry_file_teardown
}

setup() {
	load ../helpers/registry.bash
	registry_setup
	mkdir -p "$T/containers"
	echo "{\"auths\":{\"$HOST\":{\"auth\":\"Ym9iOnNlY3JldA==\"}}}" >"$T/containers/auth.json"
}

teardown() { common_teardown; }

# image TAG URL...: x:TAG, whose layer has these URLs, and a type of layers that are not given on
image() {
	local tag=$1 digest new=$T/manifest
	shift
	jq -c '.layers[0] |= (.mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar" | .urls = $ARGS.positional)' \
		--args "$@" <"$F/layout/blobs/sha256/${DIGEST#sha256:}" >"$new"
	digest=$(sha256sum "$new" | cut -d' ' -f1)
	cp "$new" "$F/layout/blobs/sha256/$digest"
	jq -c --arg d "sha256:$digest" --arg n "x:$tag" --argjson s "$(stat -c %s "$new")" '.manifests += [{
		mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s,
		annotations: {"org.opencontainers.image.ref.name": $n}}]' "$F/layout/index.json" >"$T/index"
	mv "$T/index" "$F/layout/index.json"
}

assert_whole() {
	run -0 bock_image fsck
	cmp "$STORE/blobs/sha256/${LAYER#sha256:}" "$F/foreign/layer"
	[ -z "$(ls -A "$STORE/.bock/ingest")" ]
}

@test "pull: a foreign layer comes from its URL when the registry has it not, and no credentials go there" {
	image alone "$OTHER/foreign/ok/layer"
	run -0 bock_image pull -q "$HOST/basic/x:alone"
	assert_whole
	# the registry was asked before, and knows who asked
	grep -q "^self GET /v2/basic/x/blobs/$LAYER auth=yes" "$F/log"
	grep -q '^other GET /foreign/ok/layer auth=no' "$F/log"
	run ! grep -q '^other.*auth=yes' "$F/log"
	run -0 bock_image unpack "$HOST/basic/x:alone" "$T/b" -- /x
	run -0 cmp "$T/b/rootfs/noise" "$F/noise"
}

@test "pull: not to the registry's own host either, nor where a URL redirects to" {
	image own "http://$HOST/foreign/ok/layer"
	run -0 bock_image pull -q "$HOST/basic/x:own"
	assert_whole
	grep -q '^self GET /foreign/ok/layer auth=no' "$F/log"
	bock_image rm "$HOST/basic/x:own"
	bock_image gc -q
	image away "$OTHER/foreign/away/layer"
	run -0 bock_image pull -q "$HOST/basic/x:away"
	assert_whole
	run ! grep -q '/foreign/.*auth=yes' "$F/log"
}

@test "CVE-2020-15157: a foreign layer's host asks for credentials, and gets none" {
	image asks "$OTHER/foreign/asks/layer"
	run -1 bock_image pull "$HOST/basic/x:asks"
	assert_output -p "$OTHER/foreign/asks/layer: status 401"
	run ! grep -qE '^other.*auth=yes|/token' "$F/log"
	image asks2 "http://$HOST/foreign/asks/layer"
	run -1 bock_image pull "$HOST/basic/x:asks2"
	run ! grep -qE '/foreign/.*auth=yes|/token' "$F/log"
	run -0 bock_image list -q
	assert_output ""
}

@test "pull: one URL after the other, until one has what the digest says" {
	image some ftp://x.example/layer http://u:p@x.example/ "$OTHER/foreign/gone/layer" "$OTHER/foreign/another/layer" \
		"$OTHER/foreign/ok/layer"
	run -0 bock_image pull -q "$HOST/ok/x:some"
	assert_whole
	image none "$OTHER/foreign/gone/layer" "$OTHER/foreign/another/layer"
	run -1 bock_image --root "$T/none" pull "$HOST/ok/x:none"
	assert_output -p "blob $LAYER has the digest sha256:"
	image bad ftp://x.example/layer
	run -1 bock_image --root "$T/none" pull "$HOST/ok/x:bad"
	assert_output -p "URL 'ftp://x.example/layer'"
}

@test "pull --foreign-layers=refuse: the layer and its URL are named, and nobody is asked" {
	image refused "$OTHER/foreign/ok/layer"
	run -1 bock_image pull --foreign-layers=refuse "$HOST/ok/x:refused"
	assert_output -p "blob $LAYER: foreign layer, to be had from '$OTHER/foreign/ok/layer': status 404: BLOB_UNKNOWN"
	assert_output -p '(--foreign-layers=fetch fetches it from there)'
	run ! grep -q ' /foreign/' "$F/log"
	# what the registry has is none
	cp "$F/foreign/layer" "$F/layout/blobs/sha256/${LAYER#sha256:}"
	run -0 bock_image pull -q --foreign-layers=refuse "$HOST/ok/x:refused"
	rm "$F/layout/blobs/sha256/${LAYER#sha256:}"
	assert_whole
}

@test "pull: URLs of other layers mean nothing, and https is not left for http" {
	need_cmd openssl
	image plain "$OTHER/foreign/ok/layer"
	local digest
	jq -c '.layers[0].mediaType = "application/vnd.oci.image.layer.v1.tar"' "$T/manifest" >"$T/other"
	digest=$(sha256sum "$T/other" | cut -d' ' -f1)
	cp "$T/other" "$F/layout/blobs/sha256/$digest"
	run -1 bock_image pull "$HOST/ok/x@sha256:$digest"
	assert_output -p "blob $LAYER: status 404"
	run ! grep -q ' /foreign/' "$F/log"
	mkdir "$T/tls" "$T/certs"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/tls/key" -out "$T/certs/ca.crt" -days 2 -subj /CN=x \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	registry_start "$F/layout" "$T/tls" --tls "$T/certs/ca.crt" "$T/tls/key"
	run -1 bock_image pull --cert-dir "$T/certs" "$registry_host/ok/x:plain"
	kill "$registry_pid"
	assert_output -p "$OTHER/foreign/ok/layer: only https will do"
}

@test "push leaves foreign layers where they are, fsck --repair and copy fetch them" {
	image again "$OTHER/foreign/ok/layer"
	run -0 bock_image pull -q "$HOST/ok/x:again"
	: >"$F/log"
	run -0 bock_image push -q "$HOST/ok/x:again" "$HOST/ok/other:1"
	run ! grep -q "blobs/$LAYER" "$F/log"
	grep -q 'PUT /v2/ok/other/manifests/1' "$F/log"
	chmod u+w "$STORE/blobs/sha256/${LAYER#sha256:}"
	: >"$STORE/blobs/sha256/${LAYER#sha256:}"
	run -1 bock_image fsck --repair --retries 0 --foreign-layers=refuse
	run -0 bock_image fsck --repair --retries 0
	assert_output -p "blob $LAYER: repaired from $HOST/ok/x"
	assert_whole
	run -1 bock_image copy --foreign-layers=refuse "docker://$HOST/ok/x:again" "oci:$T/l:x"
	run -0 bock_image copy -q "docker://$HOST/ok/x:again" "oci:$T/l:x"
	cmp "$T/l/blobs/sha256/${LAYER#sha256:}" "$F/foreign/layer"
}
