#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image against Debian's docker-registry on loopback, and skopeo on the same registry.

setup_file() {
	load ../helpers/common
	common_setup
	need_program image
	need_cmd docker-registry
	need_cmd openssl
	need_cmd python3
	need_cmd jq
	F=$BATS_FILE_TMPDIR
	export F
	: >"$F/pids"
	# an image of a small layer and one of 9 MB, once for all tests
	mkdir "$F/r"
	head -c 9000000 /dev/urandom >"$F/r/noise"
	tar -C "$F/r" -cf "$F/r.tar" noise
	"$BOCK_IMAGE" --root "$F/layout" import -q "$F/r.tar" demo:1
	DIGEST=$("$BOCK_IMAGE" --root "$F/layout" list -q)
	export DIGEST
	OPEN=127.0.0.1:$(registry_start open)
	export OPEN
}

teardown_file() {
	local pid
	while read -r pid; do
		kill "$pid" 2>/dev/null || :
	done <"$BATS_FILE_TMPDIR/pids"
}

setup() {
	load ../helpers/common
	common_setup
	need_program image
	export HOME=$T XDG_RUNTIME_DIR=$T DOCKER_CONFIG='' no_proxy=127.0.0.1,localhost
	unset REGISTRY_AUTH_FILE
	export CONTAINERS_REGISTRIES_CONF=/dev/null
	cp -a "$F/layout" "$STORE"
}

teardown() { common_teardown; }

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# registry_start NAME [YAML of http] [YAML of more]: prints the port
registry_start() {
	local port
	port=$(free_port)
	mkdir -p "$F/$1"
	cat >"$F/$1.yml" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $F/$1}, delete: {enabled: true}}
		http: {addr: 127.0.0.1:$port${2-}}
		${3-}
	END
	env -u REGISTRY_AUTH_FILE docker-registry serve "$F/$1.yml" >"$F/$1.log" 2>&1 3>&- &
	echo $! >>"$F/pids"
	wait_for 15 bash -c "exec 9<>/dev/tcp/127.0.0.1/$port" || cat "$F/$1.log" >&2
	echo "$port"
}

# A CA, and certificates of it: $F/ca.crt, $F/NAME.crt, $F/NAME.key
certificates() {
	[ ! -e "$F/ca.crt" ] || return 0
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$F/ca.key" -out "$F/ca.crt" -days 2 -subj /CN=bock-test-ca 2>/dev/null
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$F/ext"
	local name
	for name in server client; do
		openssl req -newkey rsa:2048 -nodes -keyout "$F/$name.key" -out "$F/$name.csr" -subj "/CN=$name" 2>/dev/null
		openssl x509 -req -in "$F/$name.csr" -CA "$F/ca.crt" -CAkey "$F/ca.key" -CAcreateserial -days 2 \
			-extfile "$F/ext" -out "$F/$name.crt" 2>/dev/null
	done
}

fresh() { # a store with nothing in it, in place of STORE
	rm -rf "$STORE"
}

@test "push, pull, tags, digest; skopeo reads what we push and the reverse" {
	need_cmd skopeo
	run -0 bock_image push -q demo:1 "$OPEN/a/demo:1" "$OPEN/a/demo:2" "$OPEN/b/demo:1"
	run -0 bock_image tags "$OPEN/a/demo"
	[ "$(sort <<<"$output")" = "$(printf '1\n2')" ]
	run -0 bock_image digest "$OPEN/a/demo:2"
	assert_output "$DIGEST"
	[ "$(skopeo inspect --tls-verify=false "docker://$OPEN/b/demo:1" | jq -r .Digest)" = "$DIGEST" ]
	skopeo copy -q --src-tls-verify=false "docker://$OPEN/a/demo:1" "oci:$T/sk:1"
	[ "$(skopeo inspect --raw "oci:$T/sk:1" | sha256sum)" = "${DIGEST#sha256:}  -" ]
	skopeo copy -q --dest-tls-verify=false "oci:$T/sk:1" "docker://$OPEN/sk/demo:1"
	fresh
	run -0 bock_image pull "$OPEN/sk/demo:1"
	assert_output -p "$OPEN/sk/demo:1 $DIGEST"
	run -0 bock_image fsck
	# a second push sends nothing
	run -0 bock_image push "$OPEN/sk/demo:1"
	refute_output -p pushed
}

@test "push: what another repository of the registry has is not sent" {
	run -0 bock_image push -q demo:1 "$OPEN/m/one:1"
	run -0 bock_image tag demo:1 "$OPEN/m/one:1"
	run -0 env ASAN_OPTIONS=detect_leaks=0 strace -f -s 500 -o "$T/trace" -e trace=sendto,sendmsg,write "$BOCK_IMAGE" --root "$STORE" push "$OPEN/m/one:1" "$OPEN/m/two:1"
	grep -q 'mount=sha256' "$T/trace"
	run ! grep -q 'PUT /v2/m/two/blobs' "$T/trace"
	fresh
	run -0 bock_image pull -q "$OPEN/m/two:1"
}

@test "push in chunks; a Docker manifest stays one" {
	need_cmd skopeo
	run -0 bock_image push -q --chunk 1m demo:1 "$OPEN/chunks/demo:1"
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false --format v2s2 "docker://$OPEN/chunks/demo:1" "docker://$OPEN/v2s2/demo:1"
	fresh
	run -0 bock_image pull "$OPEN/chunks/demo:1"
	assert_output -p "$DIGEST"
	run -0 bock_image pull -q "$OPEN/v2s2/demo:1"
	run -0 bock_image push -q "$OPEN/v2s2/demo:1" "$OPEN/v2s2/again:1"
	[ "$(bock_image digest "$OPEN/v2s2/demo:1")" = "$(bock_image digest "$OPEN/v2s2/again:1")" ]
	run -0 bock_image inspect --json "$OPEN/v2s2/demo:1"
	assert_output -p application/vnd.docker.distribution.manifest.v2+json
}

@test "copy between registries, layouts, archives and the store: the digest stays" {
	run -0 bock_image copy demo:1 "docker://$OPEN/copy/demo:1"
	assert_output -p "$DIGEST"
	run -0 bock_image copy -q "docker://$OPEN/copy/demo:1" "docker://$OPEN/copy/other:2"
	run -0 bock_image copy -q "docker://$OPEN/copy/other:2" "oci:$T/layout:x"
	run -0 bock_image copy -q "oci:$T/layout:x" "oci-archive:$T/a.tar:y"
	run -0 bock_image copy -q "docker-archive:$T/a.tar" back:1
	run -0 bock_image copy -q "oci-archive:$T/a.tar:y" "docker://$OPEN/copy/third:1"
	run -0 bock_image digest "$OPEN/copy/third:1"
	assert_output "$DIGEST"
	run -0 bash -c '"$BOCK_IMAGE" --root "$1" list --json | jq -r "[.[].digest] | unique | join(\" \")"' - "$STORE"
	assert_output "$DIGEST"
	run -1 bock_image copy "oci:$T/absent" x:1
	run -1 bock_image copy oci: x:1
	assert_output -p 'has no path'
}

@test "an index: one platform is pulled and pushed, or all" {
	need_cmd skopeo
	# two platforms: ours, and one made of it
	"$TOP/tests/helpers/registry-index" "$STORE" demo:1 multi:1
	run -0 bock_image push -q multi:1 "$OPEN/multi/demo:1"
	run -0 bock_image digest "$OPEN/multi/demo:1"
	local index=$output
	fresh
	run -0 bock_image pull "$OPEN/multi/demo:1"
	assert_output -p "$index"
	run -0 bock_image unpack "$OPEN/multi/demo:1" "$T/b" -- /x
	run -0 bock_image push "$OPEN/multi/demo:1" "$OPEN/multi/part:1"
	assert_output -p 'it is sent alone'
	run -0 bock_image pull -q --platform linux/s390x "$OPEN/multi/demo:1"
	run -0 bock_image inspect "$OPEN/multi/demo:1"
	assert_output -p linux/s390x
	run -1 bock_image pull -q --platform linux/mips "$OPEN/multi/demo:1"
	assert_output -p 'has no image for linux/mips'
	fresh
	run -0 bock_image pull -q -a "$OPEN/multi/demo:1"
	run -0 bock_image push -q "$OPEN/multi/demo:1" "$OPEN/multi/all:1"
	run -0 bock_image digest "$OPEN/multi/all:1"
	assert_output "$index"
	skopeo copy -q --all --src-tls-verify=false "docker://$OPEN/multi/all:1" "oci:$T/all:1"
}

@test "htpasswd: login, push, pull, logout; no password is to be seen" {
	need_cmd htpasswd apache2-utils
	htpasswd -Bbn bob secret >"$F/htpasswd" 2>/dev/null
	local host
	host=127.0.0.1:$(registry_start basic "" "auth: {htpasswd: {realm: bock, path: $F/htpasswd}}")
	run -1 bock_image push -q demo:1 "$host/x/demo:1"
	assert_output -p "(bock-image login $host)"
	run -1 bash -c 'echo wrong | "$BOCK_IMAGE" login -u bob --password-stdin "$1"' - "$host"
	assert_output -p "log in to '$host'"
	[ ! -e "$T/containers/auth.json" ]
	run -0 bash -c 'echo secret | "$BOCK_IMAGE" login -u bob --password-stdin "$1"' - "$host"
	assert_output "logged in to $host as bob"
	[ "$(stat -c %a "$T/containers/auth.json")" = 600 ]
	run -0 env ASAN_OPTIONS=detect_leaks=0 strace -f -s 500 -o "$T/trace" -e trace=execve,write "$BOCK_IMAGE" --root "$STORE" --debug --log "$T/log" push demo:1 "$host/x/demo:1"
	run ! grep -qE 'secret|Ym9iOnNlY3JldA' "$T/log"
	run ! grep -q 'execve.*secret' "$T/trace"
	skopeo inspect --authfile "$T/containers/auth.json" --tls-verify=false "docker://$host/x/demo:1" >/dev/null
	fresh
	run -0 env BOCK_REGISTRY_"${host//[.:]/_}"_USERNAME=bob BOCK_REGISTRY_"${host//[.:]/_}"_PASSWORD=secret \
		"$BOCK_IMAGE" --root "$STORE" pull -q --authfile "$T/none" "$host/x/demo:1"
	run -0 bock_image logout "$host"
	run -1 bock_image logout "$host"
	assert_output -p "not logged in"
	run -1 bock_image pull "$host/x/demo:2"
}

@test "TLS: an own CA by certs.d and --cert-dir, a client's certificate; what is not verified is said" {
	certificates
	local port host
	port=$(registry_start tls ", tls: {certificate: $F/server.crt, key: $F/server.key, clientcas: [$F/ca.crt]}")
	host=localhost:$port
	run -1 bock_image push -q --retries 0 demo:1 "$host/x/demo:1"
	assert_output -e 'certificate|SSL'
	run -1 bock_image push -q --retries 0 --plain-http demo:1 "$host/x/demo:1"
	mkdir -p "$T/.config/containers/certs.d/$host" "$T/certs"
	cp "$F/ca.crt" "$T/.config/containers/certs.d/$host/"
	# without ours the server refuses
	run -1 bock_image push -q --retries 0 demo:1 "$host/x/demo:1"
	cp "$F/client.crt" "$T/.config/containers/certs.d/$host/client.cert"
	cp "$F/client.key" "$T/.config/containers/certs.d/$host/client.key"
	run -0 bock_image push -q demo:1 "$host/x/demo:1"
	mv "$T/.config/containers/certs.d/$host"/* "$T/certs/"
	fresh
	run -1 bock_image pull -q --retries 0 "$host/x/demo:1"
	run -0 bock_image pull -q --cert-dir "$T/certs" "$host/x/demo:1"
	# any certificate, but ours is still wanted
	rm "$T/certs/ca.crt"
	run -1 bock_image digest --retries 0 --cert-dir "$T/certs" "$host/x/demo:1"
	run -0 bock_image digest --tls-verify=false --cert-dir "$T/certs" "$host/x/demo:1"
	assert_output "$DIGEST"
}

@test "token server: everybody may pull, who logs in may push; a mount asks for both repositories" {
	certificates
	"$TOP/tests/helpers/token-server" "$F/server.key" "$F/server.crt" "$F/token.port" "$F/tokens.log" 3>&- &
	echo $! >>"$F/pids"
	wait_for 30 test -s "$F/token.port"
	local host
	host=127.0.0.1:$(registry_start token "" "auth: {token: {realm: \"http://127.0.0.1:$(cat "$F/token.port")/token\", service: bock-reg, issuer: bock-auth, rootcertbundle: $F/server.crt}}")
	run -1 bock_image push -q demo:1 "$host/x/demo:1"
	assert_output -p 'status 401'
	run -1 bash -c 'echo wrong | "$BOCK_IMAGE" login -u bob --password-stdin "$1"' - "$host"
	run -0 bash -c 'echo secret | "$BOCK_IMAGE" login -u bob --password-stdin "$1"' - "$host"
	run -0 bock_image push -q demo:1 "$host/x/demo:1"
	run -0 bock_image tag demo:1 "$host/x/demo:1"
	run -0 bock_image push -q demo:1 "$host/y/demo:1"
	grep -q 'repository:y/demo:pull,push repository:x/demo:pull' "$F/tokens.log" || fail "$(cat "$F/tokens.log")"
	run -0 bock_image logout "$host"
	fresh
	run -0 bock_image pull -q "$host/y/demo:1"
	# a refresh token goes by POST
	echo "{\"auths\":{\"$host\":{\"identitytoken\":\"refresh-of-bob\"}}}" >"$T/id.json"
	run -0 bock_image push -q --authfile "$T/id.json" "$host/y/demo:1" "$host/z/demo:1"
	grep -q '^POST repository:z/demo:pull,push' "$F/tokens.log"
}

@test "a pull-through cache of another registry" {
	run -0 bock_image push -q demo:1 "$OPEN/through/demo:1"
	local host
	host=127.0.0.1:$(registry_start proxy "" "proxy: {remoteurl: \"http://$OPEN\"}")
	fresh
	run -0 bock_image pull "$host/through/demo:1"
	assert_output -p "$DIGEST"
	run -0 bock_image fsck
}
