#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image referrers and attach, and --referrers of push, pull and copy: in the store, and against a registry of our own
# (tests/helpers/registry), with the referrers API ("referrers/...") and without ("plain/...").

setup_file() {
	load ../helpers/registry.bash
	registry_file_setup
	mkdir "$F/rootfs"
	echo hello >"$F/rootfs/file"
	tar -C "$F/rootfs" -cf "$F/rootfs.tar" file
	registry_image
	registry_serve
}

teardown_file() {
	load ../helpers/registry.bash
	registry_file_teardown
}

setup() {
	load ../helpers/registry.bash
	registry_setup
	cp -a "$F/layout" "$STORE"
	echo '{"packages": []}' >"$T/sbom.json"
	echo text >"$T/notes"
}

teardown() { common_teardown; }

attach() { # NAME [OPTION...]
	bock_image attach --artifact-type application/spdx+json "$@" "$T/sbom.json:application/json"
}

@test "attach: a manifest as image-spec has it, listed by referrers and not by list" {
	run -0 attach x:1 -a org.example.tool=scan
	local digest=$output m=$STORE/blobs/sha256/${output#sha256:}
	jq -e --arg d "$DIGEST" '.artifactType == "application/spdx+json" and .subject.digest == $d and
		.subject.mediaType == "application/vnd.oci.image.manifest.v1+json" and (.subject | keys | length) == 3 and
		.config.mediaType == "application/vnd.oci.empty.v1+json" and .config.size == 2 and
		.config.digest == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" and
		.layers[0].mediaType == "application/json" and
		.layers[0].annotations["org.opencontainers.image.title"] == "sbom.json" and
		.annotations == {"org.example.tool": "scan"}' "$m" >/dev/null || fail "$(cat "$m")"
	cmp "$STORE/blobs/sha256/$(jq -r '.layers[0].digest | sub("sha256:"; "")' "$m")" "$T/sbom.json"
	run -0 bock_image referrers -q x:1
	assert_output "$digest"
	run -0 bock_image referrers --json x:1
	[ "$(jq -r '.manifests[0] | .artifactType, .annotations["org.example.tool"]' <<<"$output")" = $'application/spdx+json\nscan' ] || fail "$output"
	run -0 bock_image list -q
	assert_output "$DIGEST"
	# the same again is the same
	run -0 attach x:1 -a org.example.tool=scan
	assert_output "$digest"
	run -0 bock_image referrers -q x:1
	assert_output "$digest"
	run -0 bock_image fsck
}

@test "attach: what has no sense is refused, and leaves nothing" {
	run -1 bock_image attach x:1 "$T/notes"
	assert_output -p "--artifact-type is needed"
	run -1 bock_image attach --artifact-type 'sbom file' x:1 "$T/notes"
	assert_output -p "no media type"
	run -1 bock_image attach --artifact-type a/b -a novalue x:1 "$T/notes"
	assert_output -p "KEY=VALUE"
	run -1 bock_image attach --artifact-type a/b x:1 "$T/absent"
	assert_output -p "absent"
	run -1 bock_image attach --artifact-type a/b y:1 "$T/notes"
	assert_output -p "no image 'y:1'"
	run -0 bock_image referrers -q x:1
	assert_output ""
}

@test "gc: a referrer lives as long as what it refers to, and so does what refers to it" {
	run -0 attach x:1
	local first=$output
	run -0 bock_image attach --artifact-type a/sig "$first" "$T/notes"
	local second=$output
	run -0 bock_image gc
	run -0 bock_image referrers -q "$first"
	assert_output "$second"
	bock_image rm x:1
	run -0 bock_image gc --grace 0
	[ ! -e "$STORE/blobs/sha256/${first#sha256:}" ] || fail "the referrer is still there"
	[ ! -e "$STORE/blobs/sha256/${second#sha256:}" ] || fail "what refers to it is still there"
	[ "$(jq '.manifests | length' "$STORE/index.json")" = 0 ] || fail "$(cat "$STORE/index.json")"
	run -0 bock_image fsck
}

@test "push --referrers, pull --referrers: with the referrers API, in pages" {
	local n all
	for n in 1 2 3 4 5; do
		run -0 attach x:1 -a "n=$n"
		all+="$output"$'\n'
	done
	run -0 bock_image attach --artifact-type a/sig "$output" "$T/notes"
	local deep=$output last
	last=$(tail -n 1 <<<"${all%$'\n'}")
	run -0 bock_image push -q --referrers x:1 "$HOST/referrers/a:1"
	run -0 bock_image referrers -q "docker://$HOST/referrers/a:1"
	[ "$(sort <<<"$output")" = "$(sort <<<"${all%$'\n'}")" ] || fail "$output"
	grep -q 'at=4' "$F/log" || fail "no third page was asked for"
	! grep -q 'manifests/sha256-' "$F/log" || fail "the fall-back tag was used"
	# the filter, which this registry leaves to us
	run -0 bock_image attach --artifact-type a/other "docker://$HOST/referrers/a:1" "$T/notes"
	run -0 bock_image referrers -q --artifact-type a/other "docker://$HOST/referrers/a:1"
	[ "$(wc -l <<<"$output")" = 1 ]
	grep -q 'artifactType=a%2Fother' "$F/log"
	run -0 bock_image --root "$T/other" pull -q --referrers "$HOST/referrers/a:1"
	run -0 bock_image --root "$T/other" referrers -q "$HOST/referrers/a:1"
	[ "$(wc -l <<<"$output")" = 6 ] || fail "$output"
	run -0 bock_image --root "$T/other" referrers -q "$last"
	assert_output "$deep"
	run -0 bock_image --root "$T/other" list -q
	assert_output "$DIGEST"
	run -0 bock_image --root "$T/other" fsck
	run -0 bock_image --root "$T/other" gc --grace 0
	run -0 bock_image --root "$T/other" referrers -q "$last"
	assert_output "$deep"
}

@test "without the API: the index under the tag of the digest, kept by us" {
	local tag=sha256-${DIGEST#sha256:} first second
	run -0 bock_image push -q x:1 "$HOST/plain/b:1"
	run -0 attach -a who=me "docker://$HOST/plain/b:1"
	first=$output
	run -0 bock_image attach --artifact-type a/other "docker://$HOST/plain/b:1" "$T/notes"
	second=$output
	run -0 bock_image referrers -q "docker://$HOST/plain/b:1"
	assert_output "$first"$'\n'"$second"
	run -0 curl -s "http://$HOST/v2/plain/b/manifests/$tag"
	jq -e '.mediaType == "application/vnd.oci.image.index.v1+json" and .manifests[0].artifactType == "application/spdx+json" and
		.manifests[0].annotations.who == "me" and .manifests[1].artifactType == "a/other"' <<<"$output" || fail "$output"
	# nothing twice
	run -0 attach -a who=me "docker://$HOST/plain/b:1"
	run -0 bock_image referrers -q "docker://$HOST/plain/b:1"
	[ "$(wc -l <<<"$output")" = 2 ]
	run -0 bock_image referrers -q --artifact-type a/other "docker://$HOST/plain/b:1"
	assert_output "$second"
	# another client changes the list between our reading and writing it
	run -0 bock_image push -q x:1 "$HOST/raced/b:1"
	run -0 attach "docker://$HOST/raced/b:1"
	run -0 bock_image attach --artifact-type a/other "docker://$HOST/raced/b:1" "$T/notes"
	second=$output
	run -0 bock_image referrers -q "docker://$HOST/raced/b:1"
	assert_output -p "sha256:22222222"
	assert_output -p "$second"
	# a web page in place of the list is no list
	run -0 bock_image push -q x:1 "$HOST/webpage/b:1"
	run -0 bock_image referrers -q "docker://$HOST/webpage/b:1"
	assert_output ""
}

@test "copy --referrers: between registries, to a layout and back; an archive has no place for it" {
	run -0 bock_image push -q x:1 "$HOST/referrers/c:1"
	run -0 attach "docker://$HOST/referrers/c:1"
	local digest=$output
	run -0 bock_image copy -q --referrers "docker://$HOST/referrers/c:1" "docker://$HOST/plain/c:1"
	run -0 bock_image referrers -q "docker://$HOST/plain/c:1"
	assert_output "$digest"
	run -0 bock_image copy -q --referrers "docker://$HOST/plain/c:1" "oci:$T/layout:c"
	run -0 bock_image --root "$T/layout" referrers -q c
	assert_output "$digest"
	run -0 bock_image copy -q --referrers "oci:$T/layout:c" "docker://$HOST/referrers/c2:1"
	run -0 bock_image referrers -q "docker://$HOST/referrers/c2:1"
	assert_output "$digest"
	# without it the image alone
	run -0 bock_image copy -q "oci:$T/layout:c" "docker://$HOST/referrers/c3:1"
	run -0 bock_image referrers -q "docker://$HOST/referrers/c3:1"
	assert_output ""
	run -1 bock_image copy -q --referrers x:1 "oci-archive:$T/a.tar:x"
	assert_output -p "--referrers"
}

@test "pull --referrers: one that refers to something else is not believed" {
	run -0 bock_image push -q x:1 "$HOST/forged/d:1"
	run -0 attach "docker://$HOST/forged/d:1"
	run -0 bock_image attach --artifact-type a/b "docker://$HOST/forged/d@$output" "$T/notes"
	run -1 bock_image --root "$T/other" pull -q --referrers "$HOST/forged/d:1"
	assert_output -p "which is listed as a referrer of $DIGEST: it refers to"
	run -0 bock_image --root "$T/other" list -q
	assert_output ""
}
