#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image: the commands that look at a store and name what is in it, without network or unpacking.

setup() {
	load ../helpers/common
	common_setup
	need_program image
	mkdir -p "$T/rootfs/etc"
	echo hello >"$T/rootfs/etc/greeting"
	tar -C "$T/rootfs" -cf "$T/rootfs.tar" .
}

teardown() { common_teardown; }

layer_of() { # NAME
	bock_image inspect --raw "$1" | jq -r '.layers[0].digest'
}

blob_file() { # DIGEST
	printf '%s/blobs/%s\n' "$STORE" "${1/://}"
}

# Changes a byte in the middle of a blob, whose size stays.
damage() { # DIGEST
	local file
	file=$(blob_file "$1")
	chmod u+w "$file"
	printf X | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc status=none
}

@test "tag: more names for an image, all or none" {
	bock_image import -q "$T/rootfs.tar" a:1
	bock_image import -q --cmd x "$T/rootfs.tar" other:1
	run -0 bock_image tag a:1 b:1 localhost:5000/c/d:2
	assert_output ""
	run -0 bash -c '"$BOCK_IMAGE" --root "$0" list --json | jq -r ".[] | select(.digest == \"$1\") | .name"' "$STORE" \
		"$(bock_image inspect --json a:1 | jq -r .digest)"
	assert_output "$(printf 'a:1\nb:1\nlocalhost:5000/c/d:2')"
	run -1 bock_image tag nosuch:1 e:1
	assert_output -p "no image 'nosuch:1'"
	run -1 bock_image tag a:1 e:1 'not a name'
	run -1 bock_image inspect e:1
	# a name moves, unless that is not wanted
	run -1 bock_image tag --no-replace a:1 e:1 other:1
	assert_output -p "image 'other:1' is there already"
	run -1 bock_image inspect e:1
	run -0 bock_image tag a:1 other:1
	[ "$(bock_image inspect --json other:1 | jq -r .digest)" = "$(bock_image inspect --json a:1 | jq -r .digest)" ]
}

@test "untag: the name goes and the image stays, for gc too" {
	bock_image import -q "$T/rootfs.tar" a:1
	digest=$(bock_image inspect --json a:1 | jq -r .digest)
	bock_image tag a:1 b:1
	run -0 bock_image untag a:1
	[ "$(bock_image list --json | jq -c '[.[].name]')" = '["b:1"]' ]
	run -0 bock_image untag b:1
	[ "$(bock_image list --json | jq -c '[.[].name]')" = '[null]' ]
	bock_image gc -q
	run -0 bock_image unpack "$digest" "$T/b" -- /bin/true
	# a digest is no name
	run -1 bock_image untag "$digest"
	assert_output -p "no image"
	run -1 bock_image untag a:1 nosuch:1
	assert_output -p "nosuch:1"
	run -0 bock_image tag "${digest:7:12}" c:1
	run -0 bock_image rm c:1
	run -0 bock_image rm "$digest"
	run -0 bock_image gc
	assert_output -p "kept 0 blobs"
}

@test "history: steps, the newest first, with their layers" {
	need_cmd python3
	bock_image import -q --cmd /bin/x "$T/rootfs.tar" a:1
	run -0 bock_image history a:1
	assert_output -e '^CREATED +LAYER +SIZE +CREATED BY +COMMENT'
	assert_output -p "$(layer_of a:1 | cut -c8-19)"
	assert_output -e '20[0-9-]{8}T[0-9:]{8}  '
	run -0 bash -c '"$BOCK_IMAGE" --root "$0" history --json a:1 | jq -c "[.[] | select(.layer)] | length"' "$STORE"
	assert_output 1
	[ "$(bock_image history --json a:1 | jq -r '[.[] | select(.layer)][0].layer')" = "$(layer_of a:1)" ]
	[ "$(bock_image history --json a:1 | jq -r '[.[] | select(.layer)][0].diffID')" = "$(bock_image inspect --config a:1 | jq -r '.rootfs.diff_ids[0]')" ]
	run -0 bock_image history --no-trunc --no-header a:1
	assert_output -p "$(layer_of a:1)"
	refute_output -p "CREATED BY"
	run -1 bock_image history nosuch
}

@test "tree: what images consist of, in ASCII where the locale wants it" {
	bock_image import -q "$T/rootfs.tar" a:1
	bock_image tag a:1 b:1
	run -0 env LC_ALL=C.UTF-8 "$BOCK_IMAGE" --root "$STORE" tree a:1
	assert_output -p "└─ layer "
	assert_output -p "├─ config"
	refute_output -p "b:1"
	run -0 env LC_ALL=C "$BOCK_IMAGE" --root "$STORE" tree
	assert_output -p '`- layer '
	assert_output -p "a:1  "
	assert_output -p "b:1  "
	run -0 bock_image tree --ascii --no-trunc a:1
	assert_output -p "$(layer_of a:1)"
	rm "$(blob_file "$(layer_of a:1)")"
	run -0 bock_image tree a:1
	assert_output -p "(not in the store)"
	run -1 bock_image tree nosuch
	assert_output -p "nosuch"
}

@test "df: what is there and what gc would free" {
	bock_image import -q "$T/rootfs.tar" a:1
	bock_image import -q --cmd y "$T/rootfs.tar" b:1
	all=$(find "$STORE/blobs" -type f -printf '%s\n' | awk '{ s += $1 } END { print s }')
	[ "$(bock_image df --json | jq -c '[.images, .blobs, .bytes, .garbage]')" = "[2,5,$all,0]" ]
	bock_image rm b:1
	[ "$(bock_image df --json | jq -c '[.images, .blobs, .bytes, .garbage]')" = "[1,5,$all,2]" ]
	run -0 bock_image df
	assert_output -e 'TYPE +COUNT +SIZE +RECLAIMABLE'
	assert_output -e 'images +1 '
	bock_image gc -q
	[ "$(bock_image df --json | jq -c '[.blobs, .garbage]')" = '[3,0]' ]
}

@test "fsck: a whole store is whole" {
	bock_image import -q "$T/rootfs.tar" a:1
	bock_image import -q --cmd y "$T/rootfs.tar" b:1
	run -0 bock_image fsck
	assert_output -e '^2 images, 5 blobs, .*: 0 problems$'
	bock_image rm b:1
	run -0 bock_image fsck
	assert_output -p "2 blobs"
	assert_output -p "are garbage"
	run -0 bock_image fsck --quiet
	assert_output ""
	[ "$(bock_image fsck --json | jq -c '[.images, .blobs, .garbage, .problems]')" = '[1,5,2,[]]' ]
}

@test "fsck: a changed layer, a missing one, a cut manifest and a wrong configuration are found" {
	bock_image import -q "$T/rootfs.tar" a:1
	layer=$(layer_of a:1)
	cp "$(blob_file "$layer")" "$T/layer"
	damage "$layer"
	run -1 bock_image fsck
	assert_output -p "blob $layer: it is damaged"
	assert_output -p "image 'a:1': blob $layer: it is damaged"
	assert_output -p ": 2 problems"
	# its size is right: without reading it nobody can tell
	run -0 bock_image fsck --quick
	run -1 bock_image fsck --quiet
	assert_output ""

	rm "$(blob_file "$layer")"
	run -1 bock_image fsck --quick
	assert_output -p "image 'a:1': blob $layer: blob $layer is not in the store"
	truncate -s 5 "$(blob_file "$layer")"
	run -1 bock_image fsck --quick
	assert_output -p "5 bytes instead of"
	cp -f "$T/layer" "$(blob_file "$layer")"
	run -0 bock_image fsck

	config=$(bock_image inspect --raw a:1 | jq -r .config.digest)
	cp "$(blob_file "$config")" "$T/config"
	damage "$config"
	run -1 bock_image fsck --quick
	assert_output -p "image 'a:1'"
	[ "$(bock_image fsck --json | jq -r '.problems | map(.digest) | unique[]')" = "$config" ]
	cp -f "$T/config" "$(blob_file "$config")"

	manifest=$(bock_image inspect --json a:1 | jq -r .digest)
	damage "$manifest"
	run -1 bock_image fsck
	assert_output -p "$manifest"
}

@test "fsck: what is no store, and an index.json that is none, are errors" {
	run -1 bock_image fsck
	assert_output -p "image store"
	bock_image import -q "$T/rootfs.tar" a:1
	echo '{' >"$STORE/index.json"
	run -1 bock_image fsck
	assert_output -p "index.json"
	run -1 bock_image df
	run -1 bock_image tree
}

@test "save: what load takes, names and bytes; the same images give the same archive" {
	bock_image import -q --cmd /bin/x "$T/rootfs.tar" a:1
	bock_image import -q --cmd /bin/y "$T/rootfs.tar" localhost:5000/b/c:2
	bock_image tag a:1 a:2
	run -0 bock_image save -o "$T/x.tar" a:1 localhost:5000/b/c:2 a:2
	assert_output ""
	[ -z "$(find "$T" -maxdepth 1 -name '*.tmp')" ]
	run -0 bash -c '"$BOCK_IMAGE" --root "$0" save a:1 localhost:5000/b/c:2 a:2 | cmp - "$1"' "$STORE" "$T/x.tar"
	run -0 tar -tf "$T/x.tar"
	grep -qx oci-layout <<<"$output"
	grep -qx manifest.json <<<"$output"
	[ "$(tar -xOf "$T/x.tar" manifest.json | jq -c '[.[].RepoTags]')" = \
		'[["docker.io/library/a:1","docker.io/library/a:2"],["localhost:5000/b/c:2"]]' ]
	first=$(bock_image list --json | jq -cS 'sort_by(.name)')
	"$BOCK_IMAGE" --root "$T/other" load -q "$T/x.tar"
	[ "$("$BOCK_IMAGE" --root "$T/other" list --json | jq -cS 'sort_by(.name)')" = "$first" ]
	"$BOCK_IMAGE" --root "$T/other" fsck -q
	"$BOCK_IMAGE" --root "$T/third" load -q - <"$T/x.tar"
	run -1 bock_image save -o "$T/y.tar" a:1 nosuch:1
	assert_output -p "nosuch:1"
	[ ! -e "$T/y.tar" ]
}

@test "save: a damaged blob is no archive; a full disk is said" {
	bock_image import -q "$T/rootfs.tar" a:1
	run -1 bock_image save -o /dev/full a:1
	assert_output -p "No space left on device"
	damage "$(layer_of a:1)"
	echo old >"$T/x.tar"
	run -1 bock_image save -o "$T/x.tar" a:1
	assert_output -p "is damaged"
	[ "$(cat "$T/x.tar")" = old ]
	[ -z "$(find "$T" -maxdepth 1 -name '*.tmp')" ]
}

@test "save: an image of several platforms, and sha512" {
	need_cmd skopeo
	bock_image import -q "$T/rootfs.tar" a:1
	bock_image import -q --arch riscv64 --cmd x "$T/rootfs.tar" b:1
	python3 - "$STORE" <<-'END'
		import hashlib, json, os, sys
		store = sys.argv[1]
		index = json.load(open(store + "/index.json"))
		layer = json.load(open(store + "/blobs/" + index["manifests"][0]["digest"].replace(":", "/")))["layers"][0]
		data = open(store + "/blobs/" + layer["digest"].replace(":", "/"), "rb").read()
		config = json.load(open(store + "/blobs/" + json.load(open(store + "/blobs/" + index["manifests"][0]["digest"].replace(":", "/")))["config"]["digest"].replace(":", "/")))
		os.makedirs(store + "/blobs/sha512", exist_ok=True)
		def add(alg, data):
		    digest = hashlib.new(alg, data).hexdigest()
		    open(store + "/blobs/" + alg + "/" + digest, "wb").write(data)
		    return {"digest": alg + ":" + digest, "size": len(data)}
		m = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		    "config": dict(add("sha512", json.dumps(config).encode()), mediaType="application/vnd.oci.image.config.v1+json"),
		    "layers": [dict(add("sha512", data), mediaType=layer["mediaType"])]}).encode()
		i = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
		    dict(add("sha256", m), mediaType="application/vnd.oci.image.manifest.v1+json",
		        platform={"os": "linux", "architecture": config["architecture"]}),
		    index["manifests"][1],
		    {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "0" * 64, "size": 5,
		        "platform": {"os": "plan9", "architecture": "mips"}}]}).encode()
		index["manifests"].append(dict(add("sha256", i), mediaType="application/vnd.oci.image.index.v1+json",
		    annotations={"org.opencontainers.image.ref.name": "multi:1"}))
		json.dump(index, open(store + "/index.json", "w"))
	END
	run -0 bock_image fsck
	run -0 bock_image tree --ascii multi:1
	assert_output -p "linux/riscv64"
	assert_output -p "plan9/mips  (not in the store)"
	run -0 bock_image save -o "$T/x.tar" multi:1
	# names of 128 digits want a pax header
	tar -xf "$T/x.tar" -C "$(mkdir "$T/x" && echo "$T/x")"
	[ "$(find "$T/x/blobs/sha512" -type f | wc -l)" = 2 ]
	run -0 "$BOCK_IMAGE" --root "$T/other" load "$T/x.tar"
	assert_output -p "multi:1"
	"$BOCK_IMAGE" --root "$T/other" fsck -q
}

@test "inspect --format: paths, json, index, join, range" {
	bock_image import -q --cmd /bin/x --env A=1 --env 'B=two words' "$T/rootfs.tar" a:1
	for try in \
		'{{.Digest}}=jq:.digest' \
		'{{.Name}} {{.Architecture}}=jq:.name + " " + .config.architecture' \
		'{{json .Config.Env}}=["A=1","B=two words"]' \
		'{{.Env}}=[A=1 B=two words]' \
		'{{ index .Env 1 }}=B=two words' \
		'{{index .Env 7}}=<no value>' \
		'{{join .Config.Cmd ", "}}=/bin/x' \
		'{{.Config.Labels}}={{.Nowhere.At.All}}' \
		'{{index .Config.Labels "x"}}|{{json .Nowhere}}=<no value>|null' \
		'{{range .Layers}}<{{.}}>{{end}}=jq:"<" + .layers[0] + ">"' \
		'{{range .Nowhere}}<{{.}}>{{end}}.=.' \
		'{{range .Manifest.Layers}}{{.Size}}{{end}}=jq:.manifest.layers[0].size|tostring'; do
		template=${try%%=*} want=${try#*=}
		case $want in
		jq:*) want=$(bock_image inspect --json a:1 | jq -r "${want#jq:}") ;;
		'{{'*) want=$(bock_image inspect -f "$want" a:1) ;;
		esac
		run -0 bock_image inspect --format "$template" a:1
		assert_output "$want"
	done
	run -0 bock_image inspect -f 'a\tb\n{{.Os}}' a:1
	assert_output "$(printf 'a\tb\nlinux')"
	for wrong in '{{.A' '{{x}}' '{{range .A}}' '{{end}}' '{{index .A "x}}' '{{..a}}' '{{join .A}}' '{{.A | json}}'; do
		run -1 bock_image inspect --format "$wrong" a:1
		assert_output -p "--format: template, at character"
	done
	run -1 bock_image inspect --format x --raw a:1
	assert_output -p "exclude each other"
}
