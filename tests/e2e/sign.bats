#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signatures and policies with skopeo (containers/image) beside us, on Debian's docker-registry, which has no referrers API.
# Debian 12 builds skopeo without sigstore ("Debian-local change: sigstore disabled"): SKOPEO names another one. Without, our
# half of these tests is run, and those are skipped in which skopeo carries signatures or signs.

setup_file() {
	load ../helpers/common
	common_setup
	need_program image
	need_cmd docker-registry
	SKOPEO=${SKOPEO-skopeo}
	need_cmd "$SKOPEO"
	need_cmd openssl
	need_cmd jq
	F=$BATS_FILE_TMPDIR
	mkdir "$F/r"
	echo hello >"$F/r/file"
	tar -C "$F/r" -cf "$F/r.tar" file
	"$BOCK_IMAGE" --root "$F/layout" import -q "$F/r.tar" demo:1
	DIGEST=$("$BOCK_IMAGE" --root "$F/layout" list -q)
	openssl ecparam -name prime256v1 -genkey -noout -out "$F/a.key"
	openssl pkey -in "$F/a.key" -pubout -out "$F/a.pub"
	local port
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	mkdir "$F/data" "$F/registries.d"
	cat >"$F/registry.yml" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $F/data}, delete: {enabled: true}}
		http: {addr: 127.0.0.1:$port}
	END
	env -u REGISTRY_AUTH_FILE docker-registry serve "$F/registry.yml" >"$F/registry.log" 2>&1 3>&- &
	echo $! >"$F/pid"
	wait_for 15 bash -c "exec 9<>/dev/tcp/127.0.0.1/$port" || cat "$F/registry.log" >&2
	HOST=127.0.0.1:$port
	echo "{docker: {\"$HOST\": {use-sigstore-attachments: true}}}" >"$F/registries.d/test.yaml"
	export F DIGEST HOST SKOPEO
	# whether this skopeo knows sigstore
	"$BOCK_IMAGE" --root "$F/layout" push -q demo:1 "$HOST/probe:1"
	"$BOCK_IMAGE" sign -q -k "$F/a.key" "docker://$HOST/probe:1"
	cat >"$F/probe.json" <<-END
		{"default": [{"type": "sigstoreSigned", "keyPath": "$F/a.pub"}]}
	END
	! "$SKOPEO" --policy "$F/probe.json" --registries.d "$F/registries.d" copy --src-tls-verify=false "docker://$HOST/probe:1" "dir:$F/probe" 2>&1 |
		grep -q "sigstore disabled" || touch "$F/no-sigstore"
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}

setup() {
	load ../helpers/common
	common_setup
	need_program image
	export HOME=$T XDG_RUNTIME_DIR=$T DOCKER_CONFIG='' no_proxy=127.0.0.1,localhost
	unset REGISTRY_AUTH_FILE COSIGN_PASSWORD
	export CONTAINERS_REGISTRIES_CONF=/dev/null
	cp -a "$F/layout" "$STORE"
}

teardown() { common_teardown; }

policy() { # IDENTITY-JSON: for all of the registry, everything else is rejected
	cat >"$T/policy.json" <<-END
		{"default": [{"type": "reject"}], "transports": {"docker": {"$HOST": [
			{"type": "sigstoreSigned", "keyPath": "$F/a.pub"${1:+, \"signedIdentity\": $1}}]}}}
	END
}

theirs() { # REPO:TAG: skopeo fetches it under the policy
	"$SKOPEO" --policy "$T/policy.json" --registries.d "$F/registries.d" copy --src-tls-verify=false \
		"docker://$HOST/$1" "dir:$T/dir.$RANDOM"
}

ours() { bock_image --root "$T/other" pull -q --policy "$T/policy.json" "$HOST/$1"; }

both() { # STATUS REPO:TAG: we and they are of one mind
	if [ ! -e "$F/no-sigstore" ]; then
		run theirs "$2"
		[ "$status" = "$1" ] || fail "skopeo: status $status: $output"
	fi
	run ours "$2"
	[ "$status" = "$1" ] || fail "bock-image: status $status: $output"
}

@test "what we sign skopeo verifies, under the same policy that we keep to" {
	bock_image push -q demo:1 "$HOST/a:1" "$HOST/a:2"
	policy
	both 1 a:1
	bock_image sign -q -k "$F/a.key" "docker://$HOST/a:1"
	both 0 a:1
	# the same image by another tag: what was signed is called a:1
	both 1 a:2
	both 0 "a@$DIGEST"
	policy '{"type": "matchRepository"}'
	both 0 a:2
	policy '{"type": "matchExact"}'
	both 0 a:1
	both 1 "a@$DIGEST"
	policy "{\"type\": \"exactReference\", \"dockerReference\": \"$HOST/a:1\"}"
	both 0 a:2
	policy "{\"type\": \"exactRepository\", \"dockerRepository\": \"$HOST/b\"}"
	both 1 a:1
	policy "{\"type\": \"remapIdentity\", \"prefix\": \"$HOST\", \"signedPrefix\": \"example.com\"}"
	both 1 a:1
	bock_image sign -q -k "$F/a.key" --identity example.com/a:1 "docker://$HOST/a:1"
	both 0 a:1
}

@test "mistakes in a policy: we refuse what skopeo refuses" {
	bock_image push -q demo:1 "$HOST/m:1"
	bock_image sign -q -k "$F/a.key" "docker://$HOST/m:1"
	local text
	for text in '{}' '{"default":[]}' '{"default":[{"type":"reject","x":1}]}' '{"default":[{"type":"accept"}]}' \
		'{"default":[{"type":"insecureAcceptAnything"}],"transport":{}}' \
		'{"default":[{"type":"sigstoreSigned"}]}' \
		'{"default":[{"type":"insecureAcceptAnything"}],"default":[{"type":"insecureAcceptAnything"}]}' \
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$F/a.pub\",\"signedIdentity\":{\"type\":\"matchAll\"}}]}" \
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$F/registry.yml\",\"signedIdentity\":{\"type\":\"matchRepository\"}}]}"; do
		echo "$text" >"$T/policy.json"
		both 1 m:1
	done
	echo '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"":[{"type":"insecureAcceptAnything"}]}}}' >"$T/policy.json"
	both 0 m:1
}

@test "of files we load what skopeo copies, under the same policy" {
	local accept='[{"type":"insecureAcceptAnything"}]' reject='[{"type":"reject"}]' d
	d=$(realpath "$T")
	mkdir "$d/in" "$d/x"
	cp -a "$F/layout" "$d/in/layout"
	ln -s in "$d/link"
	bock_image save -o "$d/in/x.tar" demo:1
	tar -C "$d/x" -xf "$d/in/x.tar"
	rm "$d/x/oci-layout" "$d/x/index.json"
	tar -C "$d/x" -cf "$d/in/d.tar" .
	files() { # STATUS TRANSPORT FILE DEFAULT TRANSPORTS: we and they are of one mind
		echo "{\"default\":$4,\"transports\":{$5}}" >"$T/policy.json"
		run "$SKOPEO" --policy "$T/policy.json" copy "$2:$d/$3" "dir:$T/dir.$RANDOM"
		[ "$status" = "$1" ] || fail "skopeo: status $status: $output"
		run bock_image --root "$T/other" load -q --policy "$T/policy.json" -n n:1 "$d/$3"
		[ "$status" = "$1" ] || fail "bock-image: status $status: $output"
	}
	files 1 oci in/layout "$reject" ""
	files 0 oci in/layout "$reject" "\"oci\":{\"\":$accept}"
	files 0 oci in/layout "$reject" "\"oci\":{\"$d/in\":$accept}"
	files 1 oci in/layout "$reject" "\"oci\":{\"$d/in\":$accept,\"$d/in/layout\":$reject}"
	files 1 oci in/layout "$reject" "\"oci-archive\":{\"$d/in\":$accept},\"dir\":{\"$d/in\":$accept}"
	files 0 oci link/layout "$reject" "\"oci\":{\"$d/in/layout\":$accept}"
	files 1 oci link/layout "$reject" "\"oci\":{\"$d/link/layout\":$accept}"
	files 0 oci-archive in/x.tar "$reject" "\"oci-archive\":{\"$d/in/x.tar\":$accept}"
	files 1 oci-archive in/x.tar "$reject" "\"oci-archive\":{\"$d/in/x\":$accept}"
	files 1 oci-archive in/x.tar "$accept" "\"oci-archive\":{\"$d\":$reject}"
	files 1 docker-archive in/d.tar "$reject" "\"oci-archive\":{\"$d\":$accept}"
	files 0 docker-archive in/d.tar "$reject" "\"docker-archive\":{\"\":$accept}"
	# scopes that can't be met
	files 1 docker-archive in/d.tar "$accept" "\"docker-archive\":{\"$d\":$accept}"
	files 1 oci in/layout "$accept" "\"tarball\":{\"$d\":$accept}"
	files 1 oci in/layout "$accept" "\"oci\":{\"in\":$accept}"
	files 1 oci in/layout "$accept" "\"oci\":{\"$d/in/\":$accept}"
	files 1 oci in/layout "$accept" "\"dir\":{\"/\":$accept}"
	files 0 oci in/layout "$accept" "\"docker\":{\"/\":$accept}"
}

@test "skopeo copies what we signed with its signature; signing again adds to it" {
	[ ! -e "$F/no-sigstore" ] || skip "this skopeo is built without sigstore (SKOPEO=... names another)"
	bock_image push -q demo:1 "$HOST/c:1"
	bock_image sign -q -k "$F/a.key" --identity "$HOST/d:1" "docker://$HOST/c:1"
	"$SKOPEO" --insecure-policy --registries.d "$F/registries.d" copy -q --src-tls-verify=false --dest-tls-verify=false \
		"docker://$HOST/c:1" "docker://$HOST/d:1"
	policy
	both 0 d:1
	both 1 c:1
	bock_image sign -q -k "$F/a.key" "docker://$HOST/c:1"
	both 0 c:1
	run -0 bash -c "curl -s http://$HOST/v2/c/manifests/sha256-${DIGEST#sha256:}.sig -H 'Accept: application/vnd.oci.image.manifest.v1+json' | jq '.layers | length'"
	assert_output 2
}

@test "what skopeo signs, with a key of its own making, we verify" {
	[ ! -e "$F/no-sigstore" ] || skip "this skopeo is built without sigstore (SKOPEO=... names another)"
	echo geheim >"$T/pass"
	"$SKOPEO" generate-sigstore-key --output-prefix "$T/theirs" --passphrase-file "$T/pass" >/dev/null
	bock_image push -q demo:1 "$HOST/f:1"
	"$SKOPEO" --insecure-policy --registries.d "$F/registries.d" copy -q --src-tls-verify=false --dest-tls-verify=false \
		--sign-by-sigstore-private-key "$T/theirs.private" --sign-passphrase-file "$T/pass" "docker://$HOST/f:1" "docker://$HOST/g:1"
	run -0 bock_image verify -k "$T/theirs.pub" "docker://$HOST/g:1"
	run -1 bock_image verify -k "$F/a.pub" "docker://$HOST/g:1"
	policy
	both 1 g:1
	sed -i "s,$F/a.pub,$T/theirs.pub," "$T/policy.json"
	both 0 g:1
	both 1 f:1
	# ours beside theirs
	bock_image sign -q -k "$F/a.key" "docker://$HOST/g:1"
	both 0 g:1
	policy
	both 0 g:1
}

@test "attach and referrers: the list under the tag of the digest, where there is no API" {
	bock_image push -q demo:1 "$HOST/e:1"
	run -0 bock_image attach --artifact-type application/spdx+json "docker://$HOST/e:1" "$F/r/file:text/plain"
	local digest=$output
	bock_image sign -q -k "$F/a.key" --form both "docker://$HOST/e:1"
	run -0 bock_image referrers -q "docker://$HOST/e:1"
	[ "$(wc -l <<<"$output")" = 2 ] || fail "$output"
	run -0 bock_image referrers -q --artifact-type application/spdx+json "docker://$HOST/e:1"
	assert_output "$digest"
	run -0 "$SKOPEO" inspect --raw --tls-verify=false "docker://$HOST/e:sha256-${DIGEST#sha256:}"
	[ "$(jq -r '.manifests[0].digest' <<<"$output")" = "$digest" ] || fail "$output"
}
