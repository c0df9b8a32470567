#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image fsck --repair: what is broken comes again from where it was pulled, by digest; index.json is mended. The registry is
# tests/helpers/registry, whose faults are the first component of a repository's name.

setup_file() {
	load ../helpers/registry.bash
	registry_file_setup
	# more than 100000 bytes: what the registry damages
	head -c 200000 /dev/urandom >"$F/noise"
	tar -C "$F" -cf "$F/rootfs.tar" noise
	registry_image --compression none
	# an index of one image for this machine
	jq -c '{schemaVersion:2,mediaType:"application/vnd.oci.image.index.v1+json",manifests:[.manifests[0]|del(.annotations)]}' \
		"$F/layout/index.json" >"$F/many"
	INDEX=sha256:$(sha256sum "$F/many" | cut -d' ' -f1)
	cp "$F/many" "$F/layout/blobs/sha256/${INDEX#sha256:}"
	jq -c --arg d "$INDEX" --argjson n "$(stat -c %s "$F/many")" '.manifests += [{mediaType:"application/vnd.oci.image.index.v1+json",
		digest:$d,size:$n,annotations:{"org.opencontainers.image.ref.name":"x:many"}}]' "$F/layout/index.json" >"$F/new"
	mv "$F/new" "$F/layout/index.json"
	export INDEX
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

blob() { echo "$STORE/blobs/sha256/${1#sha256:}"; }

damage() { # DIGEST: another byte, the same size
	chmod u+w "$(blob "$1")"
	printf '\001' | dd of="$(blob "$1")" bs=1 seek=20 conv=notrunc status=none
}

repair() { bock_image fsck --repair --retries 0 "$@"; }

@test "repair: a damaged layer, a configuration that is gone, a cut manifest, under another name than it was pulled by" {
	bock_image pull -q "$HOST/ok/x:1"
	bock_image tag "$HOST/ok/x:1" mine:2
	bock_image rm "$HOST/ok/x:1"
	damage "$LAYER"
	rm "$(blob "$CONFIG")"
	chmod u+w "$(blob "$DIGEST")"
	truncate -s 100 "$(blob "$DIGEST")"
	run -1 bock_image fsck -q
	run -0 repair
	for d in "$LAYER" "$CONFIG" "$DIGEST"; do
		assert_output -p "image 'mine:2': blob $d: repaired from $HOST/ok/x"
		cmp "$(blob "$d")" "$F/layout/blobs/sha256/${d#sha256:}"
	done
	assert_output -p '1 images, 3 blobs'
	assert_output -p '0 problems'
	run -0 bock_image fsck
	[ -z "$(find "$STORE/.bock/ingest" -type f)" ]
	# nothing to do: nothing is asked
	: >"$F/log"
	run -0 repair --json
	[ "$(jq -c '[.images, .problems, .repaired]' <<<"$output")" = '[1,[],null]' ]
	[ ! -s "$F/log" ]
}

@test "repair: --json names what was repaired" {
	bock_image pull -q "$HOST/ok/x:1"
	damage "$LAYER"
	run -0 repair --json
	[ "$(jq -r '.repaired[]' <<<"$output")" = "$LAYER" ]
}

@test "repair: of an index, when none of its images is there" {
	bock_image pull -q "$HOST/ok/x:many"
	rm "$(blob "$DIGEST")" "$(blob "$LAYER")"
	run -1 bock_image fsck
	assert_output -p 'none of its images is in the store'
	run -0 repair
	assert_output -p "blob $INDEX: repaired from $HOST/ok/x"
	run -0 bock_image unpack "$HOST/ok/x:many" "$T/b" -- /x
	cmp "$T/b/rootfs/noise" "$F/noise"
}

@test "repair: a copy that is damaged too is refused, what was there stays, and it is said" {
	bock_image pull -q "$HOST/ok/x:1"
	sed -i 's|/ok/x"|/damaged/x"|' "$STORE/index.json"
	damage "$LAYER"
	cp "$(blob "$LAYER")" "$T/before"
	run -1 repair
	assert_output -e "image '$HOST/ok/x:1': blob $LAYER: not repaired: .*has the digest"
	assert_output -p "blob $LAYER: it is damaged"
	cmp "$(blob "$LAYER")" "$T/before"
}

@test "repair: what nobody has, and what came from nowhere, is said, and the rest is done" {
	bock_image pull -q "$HOST/ok/x:1"
	printf 'layer\nfile a text\n' | "$TOP/tests/helpers/make-image" "$T/local" local:1
	bock_image load -q "$T/local"
	other=$(bock_image inspect --json local:1 | jq -r '.manifest.layers[0].digest')
	rm "$(blob "$other")"
	rm "$(blob "$LAYER")"
	run -1 repair
	assert_output -p "blob $LAYER: repaired from $HOST/ok/x"
	assert_output -p "image 'local:1': blob $other: not repaired: where it was pulled from is not known"
	assert_output -p '1 problems'
	# a registry that lost it
	jq -c '(.manifests[] | select(.annotations."org.opencontainers.image.ref.name" == "local:1") | .annotations."io.bock.source") = $s' \
		--arg s "$HOST/ok/x" "$STORE/index.json" >"$T/new"
	cp "$T/new" "$STORE/index.json"
	run -1 repair
	assert_output -e "blob $other: not repaired: .*status 404"
}

@test "repair: what was copied into the store comes from where it was copied" {
	run -0 bock_image copy -q "docker://$HOST/ok/x:1" mine:1
	damage "$LAYER"
	run -0 repair
	assert_output -p "image 'mine:1': blob $LAYER: repaired from $HOST/ok/x"
	# a layout is for others
	run -0 bock_image copy -q "docker://$HOST/ok/x:1" "oci:$T/layout:1"
	run ! grep -q io.bock "$T/layout/index.json"
}

@test "repair: a damaged blob that no image needs goes" {
	bock_image pull -q "$HOST/ok/x:1"
	bock_image rm "$HOST/ok/x:1"
	damage "$LAYER"
	run -0 repair
	assert_output -p "blob $LAYER: damaged, needed by no image, removed"
	[ ! -e "$(blob "$LAYER")" ]
	[ -e "$(blob "$DIGEST")" ]
}

@test "an index.json that is gone: nobody makes an empty one, gc takes nothing, repair finds the images" {
	bock_image pull -q "$HOST/ok/x:1"
	printf 'layer\nfile a text\n' | "$TOP/tests/helpers/make-image" "$T/local" local:1
	bock_image load -q "$T/local"
	local=$(jq -r '.manifests[0].digest' "$T/local/index.json")
	rm "$STORE/index.json"
	for words in "gc -q" "tag x y" "pull -q $HOST/ok/x:1"; do
		# shellcheck disable=SC2086 # words
		run -1 bock_image $words
		assert_output -p "index.json, which names its images, is gone"
		assert_output -p "fsck --repair"
	done
	[ -e "$(blob "$LAYER")" ]
	# what a pull that broke off has left is no image
	cp "$F/many" "$(blob "$INDEX")"
	rm "$(blob "$LAYER")"
	run -0 repair
	assert_output -p "index.json: made anew of 1 images, without their names"
	[ "$(jq -r '.manifests[].digest' "$STORE/index.json")" = "$local" ]
	run -0 bock_image unpack "$local" "$T/b" -- /x
}

@test "an index.json that is damaged is kept, and made anew" {
	bock_image pull -q "$HOST/ok/x:many"
	truncate -s 50 "$STORE/index.json"
	run -1 bock_image gc
	[ -e "$(blob "$LAYER")" ]
	run -0 repair
	# the manifest is the index' own, and no entry beside it
	assert_output -p "made anew of 1 images"
	[ "$(jq -r '.manifests[].digest' "$STORE/index.json")" = "$INDEX" ]
	[ "$(stat -c %s "$STORE/.bock/index.json.damaged")" -eq 50 ]
	run -0 bock_image gc
	assert_output -p 'removed 0 blobs'
}

@test "index.json: an entry that leads nowhere goes, a wrong size is set right" {
	bock_image pull -q "$HOST/ok/x:1"
	jq -c '.manifests[0].size += 1 | .manifests += [.manifests[0] | .digest = "sha256:12" | .annotations."org.opencontainers.image.ref.name" = "bad:1"]' \
		"$STORE/index.json" >"$T/new"
	cp "$T/new" "$STORE/index.json"
	run -1 bock_image fsck -q
	run -0 repair
	assert_output -p "the entry 'bad:1' leads nowhere and is removed"
	assert_output -p "the entry '$HOST/ok/x:1' gets the size of its blob"
	[ "$(jq '.manifests | length' "$STORE/index.json")" -eq 1 ]
	grep -q io.bock.source "$STORE/index.json"
}
