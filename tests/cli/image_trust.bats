#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image sign and verify, and the policy that pull and copy keep to: in the store, and against a registry of our own
# (tests/helpers/registry). Keys, and signatures that are not ours, are made by openssl.

setup_file() {
	load ../helpers/registry.bash
	registry_file_setup
	need_cmd openssl
	mkdir "$F/rootfs"
	echo hello >"$F/rootfs/file"
	tar -C "$F/rootfs" -cf "$F/rootfs.tar" file
	registry_image
	local k
	for k in a b; do
		openssl ecparam -name prime256v1 -genkey -noout -out "$F/$k.key"
		openssl pkey -in "$F/$k.key" -pubout -out "$F/$k.pub"
	done
	openssl pkcs8 -topk8 -in "$F/a.key" -passout pass:geheim -out "$F/locked.key"
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
}

teardown() { common_teardown; }

policy() { # JSON of docker's scopes [DEFAULT]: writes $T/policy.json
	echo "{\"default\":[{\"type\":\"${2-reject}\"}],\"transports\":{\"docker\":{$1}}}" >"$T/policy.json"
}

signed() { # KEY IDENTITY-JSON: a requirement
	echo "[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$F/$1.pub\",\"signedIdentity\":$2}]"
}

@test "sign, verify: in the store, with cosign's text and a signature that openssl verifies" {
	bock_image tag x:1 example.com/x:1
	run -0 bock_image sign -k "$F/a.key" example.com/x:1
	assert_output "$DIGEST example.com/x:1"
	run -0 bock_image verify -k "$F/a.pub" example.com/x:1
	assert_output "$DIGEST example.com/x:1"
	run -0 bock_image verify -k "$F/b.pub" -k "$F/a.pub" example.com/x:1
	run -1 bock_image verify -k "$F/b.pub" example.com/x:1
	assert_output -p "by none of the keys"
	run -0 bock_image referrers -q --artifact-type application/vnd.dev.cosign.artifact.sig.v1+json example.com/x:1
	local m=$STORE/blobs/sha256/${output#sha256:} text
	text=$STORE/blobs/sha256/$(jq -r '.layers[0].digest | sub("sha256:"; "")' "$m")
	[ "$(jq -r '.layers[0].mediaType' "$m")" = application/vnd.dev.cosign.simplesigning.v1+json ]
	jq -r '.layers[0].annotations["dev.cosignproject.cosign/signature"]' "$m" | base64 -d >"$T/sig"
	openssl dgst -sha256 -verify "$F/a.pub" -signature "$T/sig" "$text"
	[ "$(cat "$text")" = '{"critical":{"identity":{"docker-reference":"example.com/x:1"},"image":{"docker-manifest-digest":"'"$DIGEST"'"},"type":"cosign container image signature"},"optional":null}' ] ||
		fail "$(cat "$text")"
	# once signed is enough
	bock_image sign -q -k "$F/a.key" example.com/x:1
	run -0 bock_image referrers -q example.com/x:1
	[ "$(wc -l <<<"$output")" = 1 ] || fail "$output"
	# another name of the image is not what was signed
	bock_image tag x:1 example.com/y:1
	run -1 bock_image verify -k "$F/a.pub" example.com/y:1
	assert_output -p "the signature is for 'example.com/x:1', not for"
	run -0 bock_image verify -k "$F/a.pub" --identity example.com/x example.com/y:1
	run -1 bock_image verify -k "$F/a.pub" --identity example.com/x:2 example.com/y:1
	run -0 bock_image fsck
}

@test "sign: an encrypted key; its pass phrase by file, descriptor and variable, and never wrong" {
	run -1 bock_image sign -k "$F/locked.key" x:1
	assert_output -p "there is no pass phrase (give it by --passphrase-file"
	run -1 env COSIGN_PASSWORD=falsch "$BOCK_IMAGE" --root "$STORE" sign -k "$F/locked.key" x:1
	assert_output -p "the pass phrase does not open it"
	run -0 env COSIGN_PASSWORD=geheim "$BOCK_IMAGE" --root "$STORE" sign -k "$F/locked.key" --identity a.com/v x:1
	echo geheim >"$T/pass"
	run -0 bock_image sign -k "$F/locked.key" --passphrase-file "$T/pass" --identity a.com/f x:1
	run -0 bock_image sign -k "$F/locked.key" --passphrase-fd 9 --identity a.com/d x:1 9<"$T/pass"
	local n
	for n in v f d; do
		run -0 bock_image verify -k "$F/a.pub" --identity "a.com/$n" x:1
	done
}

@test "sign: keys that can't be used are named" {
	run -1 bock_image sign x:1
	assert_output -p "--key is needed"
	run -1 bock_image sign -k "$F/a.pub" x:1
	assert_output -p "no private key in PEM"
	openssl ecparam -name secp256k1 -genkey -noout -out "$T/k1.key"
	run -1 bock_image sign -k "$T/k1.key" x:1
	assert_output -p "keys are ECDSA of P-256"
	echo "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----" >"$T/cosign.key"
	run -1 bock_image sign -k "$T/cosign.key" x:1
	assert_output -p "encrypted as cosign does it"
	run -1 bock_image verify x:1
	assert_output -p "either --key or --policy"
	run -1 bock_image verify -k "$F/a.pub" x:1
	assert_output -p "has no signature"
}

@test "sign: at a registry, under cosign's tag, as a referrer, or both" {
	local form tag=sha256-${DIGEST#sha256:}.sig
	for form in tag referrers both; do
		bock_image push -q x:1 "$HOST/referrers/$form:1"
		bock_image sign -q -k "$F/a.key" --form "$form" "docker://$HOST/referrers/$form:1"
		bock_image verify -q -k "$F/a.pub" "docker://$HOST/referrers/$form:1"
		run -0 bock_image referrers -q "docker://$HOST/referrers/$form:1"
		[ "$form" = tag ] && assert_output "" || [ -n "$output" ]
		run curl -sf "http://$HOST/v2/referrers/$form/manifests/$tag"
		[ "$form" = referrers ] && [ "$status" = 22 ] || [ "$(jq '.layers | length' <<<"$output")" = 1 ]
	done
	# a second key adds to the tag
	bock_image sign -q -k "$F/b.key" "docker://$HOST/referrers/tag:1"
	bock_image verify -q -k "$F/a.pub" "docker://$HOST/referrers/tag:1"
	bock_image verify -q -k "$F/b.pub" "docker://$HOST/referrers/tag:1"
	# signed in the store, sent along: in both forms
	bock_image tag x:1 "$HOST/plain/s:1"
	bock_image sign -q -k "$F/a.key" "$HOST/plain/s:1"
	bock_image push -q --referrers "$HOST/plain/s:1"
	run -0 curl -sf "http://$HOST/v2/plain/s/manifests/$tag"
	bock_image verify -q -k "$F/a.pub" "docker://$HOST/plain/s:1"
	# and back
	bock_image --root "$T/other" pull -q --referrers "$HOST/plain/s:1"
	run -0 bock_image --root "$T/other" verify -k "$F/a.pub" "$HOST/plain/s:1"
}

@test "policy: the most exact scope decides, before anything is fetched" {
	bock_image push -q x:1 "$HOST/ok/p:1"
	policy "\"$HOST/ok/p\":$(signed a '{"type":"matchRepository"}'),\"$HOST/ok\":[{\"type\":\"insecureAcceptAnything\"}]"
	run -1 bock_image --root "$T/other" pull -q --policy "$T/policy.json" "$HOST/ok/p:1"
	assert_output -p "policy '$T/policy.json' (docker '$HOST/ok/p'): image $DIGEST has no signature"
	run -0 bock_image --root "$T/other" list -q
	assert_output ""
	[ -z "$(find "$T/other/blobs" -type f)" ] || fail "$(find "$T/other/blobs" -type f)"
	bock_image sign -q -k "$F/b.key" "docker://$HOST/ok/p:1"
	run -1 bock_image --root "$T/other" pull -q --policy "$T/policy.json" "$HOST/ok/p:1"
	assert_output -p "by none of the keys"
	bock_image sign -q -k "$F/a.key" "docker://$HOST/ok/p:1"
	run -0 bock_image --root "$T/other" pull -q --policy "$T/policy.json" "$HOST/ok/p:1"
	run -0 bock_image verify --policy "$T/policy.json" "docker://$HOST/ok/p:1"
	assert_output "$DIGEST docker '$HOST/ok/p'"
	# copy keeps to it too, and all else is rejected
	bock_image copy -q --policy "$T/policy.json" "docker://$HOST/ok/p:1" "oci:$T/layout:p"
	run -1 bock_image copy -q --policy "$T/policy.json" "docker://$HOST/plain/q:1" "oci:$T/layout:q"
	assert_output -p "(default): it is rejected"
	run -1 bock_image copy -q --policy "$T/policy.json" "oci:$T/layout:p" q:1
	assert_output -p "(default): it is rejected"
}

@test "policy: a signature that says something else is not one, whoever made it" {
	# the texts are made by hand here, and signed by openssl with the right key
	bock_image push -q x:1 "$HOST/ok/h:1"
	sign_by_hand() { # TEXT: a manifest under cosign's tag
		local sig layer
		printf %s "$1" >"$T/text"
		sig=$(openssl dgst -sha256 -sign "$F/a.key" "$T/text" | base64 -w0)
		[ -z "${2-}" ] || printf %s "$2" >"$T/text"
		layer="sha256:$(sha256sum "$T/text" | cut -d' ' -f1)"
		mkdir -p "$T/hand/blobs/sha256"
		upload "$T/text" "$layer"
		printf '{}' >"$T/config"
		upload "$T/config" "sha256:$(sha256sum "$T/config" | cut -d' ' -f1)"
		jq -n --arg l "$layer" --arg s "$sig" --argjson n "$(stat -c %s "$T/text")" '{schemaVersion: 2,
			mediaType: "application/vnd.oci.image.manifest.v1+json",
			config: {mediaType: "application/vnd.oci.image.config.v1+json", size: 2,
				digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
			layers: [{mediaType: "application/vnd.dev.cosign.simplesigning.v1+json", digest: $l, size: $n,
				annotations: {"dev.cosignproject.cosign/signature": $s}}]}' >"$T/manifest"
		curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary "@$T/manifest" \
			"http://$HOST/v2/ok/h/manifests/sha256-${DIGEST#sha256:}.sig"
	}
	upload() { # FILE DIGEST
		local at
		at=$(curl -sf -X POST -D - "http://$HOST/v2/ok/h/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
		curl -sf -X PUT --data-binary "@$1" "http://$HOST$at&digest=$2"
	}
	text() { # DIGEST REFERENCE [TYPE]
		printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"%s"},"optional":null}' \
			"$2" "$1" "${3-cosign container image signature}"
	}
	policy "\"$HOST\":$(signed a '{"type":"matchRepository"}')"
	verify() { bock_image verify --policy "$T/policy.json" "docker://$HOST/ok/h:1"; }
	sign_by_hand "$(text "$DIGEST" "$HOST/ok/h")"
	run -0 verify
	sign_by_hand "$(text "sha256:${DIGEST:8}0" "$HOST/ok/h")"
	run -1 verify
	sign_by_hand "$(text "sha256:$(printf '%064d' 0)" "$HOST/ok/h")"
	run -1 verify
	assert_output -p "it is for the image sha256:0000"
	sign_by_hand "$(text "$DIGEST" "$HOST/ok/other")"
	run -1 verify
	assert_output -p "the signature is for '$HOST/ok/other'"
	sign_by_hand "$(text "$DIGEST" "$HOST/ok/h" "atomic container signature")"
	run -1 verify
	assert_output -p "critical.type"
	# signed was another text than the one that is there
	sign_by_hand "$(text "sha256:$(printf '%064d' 0)" "$HOST/ok/h")" "$(text "$DIGEST" "$HOST/ok/h")"
	run -1 verify
	assert_output -p "by none of the keys"
	run -0 bock_image --root "$T/other" list -q
	assert_output ""
}

@test "policy: what can't be checked refuses, a mistake in it too, and the user's file comes before none" {
	bock_image push -q x:1 "$HOST/ok/u:1"
	pull() { bock_image --root "$T/other" pull -q "$@" "$HOST/ok/u:1"; }
	policy "\"$HOST\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}]" insecureAcceptAnything
	run -1 pull --policy "$T/policy.json"
	assert_output -p "it asks for signedBy, a signature of GPG, which can't be checked"
	policy "\"$HOST\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$F/a.pub\",\"rekorPublicKeyPath\":\"/r\"}]"
	run -1 pull --policy "$T/policy.json"
	assert_output -p "rekorPublicKey"
	policy "\"$HOST\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$T/absent.pub\"}]"
	run -1 pull --policy "$T/policy.json"
	assert_output -p "absent.pub"
	policy "\"$HOST\":[{\"type\":\"sigstoreSigned\",\"keypath\":\"$F/a.pub\"}]"
	run -1 pull --policy "$T/policy.json"
	assert_output -p "'keypath' is not known here"
	run -1 pull --policy "$T/no-policy.json"
	assert_output -p "no-policy.json"
	mkdir -p "$T/.config/containers"
	policy ""
	cp "$T/policy.json" "$T/.config/containers/"
	run -1 pull
	assert_output -p "policy '$T/.config/containers/policy.json' (default): it is rejected"
	policy "" insecureAcceptAnything
	run -0 pull --policy "$T/policy.json"
}

@test "policy: load and import obey it, and leave nothing of what it does not take" {
	saved() { echo "{\"default\":[{\"type\":\"reject\"}],\"transports\":{$1}}" >"$T/policy.json"; }
	accept='[{"type":"insecureAcceptAnything"}]'
	other() { bock_image --root "$T/other" "$@"; }
	taken() { # COMMAND...: it is, and is removed again
		run -0 other "$@"
		run -0 other rm n:1
		other gc -q
	}
	refused() { # SCOPE COMMAND...
		run -1 other "${@:2}"
		assert_output -p "policy '$T/policy.json' ($1): it is rejected"
		[ -z "$(other list -q)" ]
		[ -z "$(find "$T/other/blobs" -type f 2>/dev/null)" ]
	}
	bock_image save -o "$T/x.tar" x:1
	saved ""
	refused default load -q --policy "$T/policy.json" -n n:1 "$F/layout"
	refused default load -q --policy "$T/policy.json" -n n:1 "$T/x.tar"
	refused default load -q --policy "$T/policy.json" -n n:1 - <"$T/x.tar"
	refused default import -q --policy "$T/policy.json" "$F/rootfs.tar" n:1
	# each kind by its own scope
	saved "\"oci\":{\"$(realpath "$F")\":$accept},\"tarball\":{\"\":$accept}"
	taken load -q --policy "$T/policy.json" -n n:1 "$F/layout"
	taken import -q --policy "$T/policy.json" "$F/rootfs.tar" n:1
	refused default load -q --policy "$T/policy.json" -n n:1 "$T/x.tar"
	saved "\"oci-archive\":{\"$(realpath "$T")\":$accept}"
	taken load -q --policy "$T/policy.json" -n n:1 "$T/x.tar"
	# what comes through a pipe has no path
	refused default load -q --policy "$T/policy.json" -n n:1 - <"$T/x.tar"
	saved "\"oci-archive\":{\"\":$accept}"
	taken load -q --policy "$T/policy.json" -n n:1 - <"$T/x.tar"
	# a path is that of the file, whatever it was called
	saved "\"oci\":{\"$(realpath "$T")/by\":$accept},\"oci-archive\":{\"$(realpath "$T")/by\":$accept}"
	mkdir "$T/by"
	ln -s "$F/layout" "$T/by/layout"
	ln -s "$T/x.tar" "$T/by/x.tar"
	refused default load -q --policy "$T/policy.json" -n n:1 "$T/by/layout"
	refused default load -q --policy "$T/policy.json" -n n:1 "$T/by/x.tar"
	cp "$T/x.tar" "$T/by/y.tar"
	taken load -q --policy "$T/policy.json" -n n:1 "$T/by/y.tar"
	# a docker-archive has no scopes but the default
	mkdir "$T/d"
	tar -C "$T/d" -xf "$T/x.tar"
	rm "$T/d/oci-layout" "$T/d/index.json"
	tar -C "$T/d" -cf "$T/d.tar" .
	saved "\"oci-archive\":{\"\":$accept,\"$(realpath "$T")/d.tar\":$accept}"
	refused default load -q --policy "$T/policy.json" -n n:1 "$T/d.tar"
	saved "\"docker-archive\":{\"\":$accept}"
	taken load -q --policy "$T/policy.json" -n n:1 "$T/d.tar"
	taken load -q --policy "$T/policy.json" -n n:1 - <"$T/d.tar"
	# a tar of files can't be signed, and is not read
	saved "\"tarball\":{\"\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$F/a.pub\"}]}"
	run -1 other import -q --policy "$T/policy.json" "$T/no.tar" n:1
	assert_output -p "it asks for a signature, which this can't have"
	# the user's, without --policy
	mkdir -p "$T/.config/containers"
	saved ""
	cp "$T/policy.json" "$T/.config/containers/"
	run -1 other load -q -n n:1 "$F/layout"
	assert_output -p "policy '$T/.config/containers/policy.json' (default): it is rejected"
	run -1 other import -q "$F/rootfs.tar" n:1
	assert_output -p "policy '$T/.config/containers/policy.json' (default): it is rejected"
}

@test "policy: load takes an image whose signature the store has" {
	echo "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"oci\":{\"\":$(signed a '{"type":"exactRepository","dockerRepository":"example.com/x"}')}}}" >"$T/policy.json"
	run -1 bock_image load -q --policy "$T/policy.json" -n n:1 "$F/layout"
	assert_output -p "policy '$T/policy.json'"
	bock_image tag x:1 example.com/x:1
	bock_image sign -q -k "$F/b.key" example.com/x:1
	run -1 bock_image load -q --policy "$T/policy.json" -n n:1 "$F/layout"
	bock_image sign -q -k "$F/a.key" example.com/x:1
	run -0 bock_image load -q --policy "$T/policy.json" -n n:1 "$F/layout"
}
