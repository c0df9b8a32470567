# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# bock-build without RUN steps: what it reads, what it writes, what it says.

setup() {
	load ../helpers/common
	common_setup
	need_program build
	need_program image
	mkdir -p "$T/ctx/src/sub"
	printf 'one\n' >"$T/ctx/one.txt"
	printf 'two\n' >"$T/ctx/src/two.txt"
	printf 'three\n' >"$T/ctx/src/sub/three.c"
	ln -s two.txt "$T/ctx/src/link"
	cd "$T" || return
}
teardown() { common_teardown; }

# A Bockfile in the context, from standard input
bockfile() { cat >"$T/ctx/Bockfile"; }

scratch() { # STEP-LINE...: one stage from scratch with these steps
	{
		printf 'stages:\n  - name: a\n    from: scratch\n    steps:\n'
		printf '      %s\n' "$@"
	} | bockfile
}

# files NAME: what the layers of an image hold, as "MODE UID/GID PATH [-> LINK]"
files() {
	local digest
	for digest in $(manifest "$1" | jq -r '.layers[].digest'); do
		tar --numeric-owner -tvzf "$STORE/blobs/sha256/${digest#sha256:}" |
			awk '{ $3 = $4 = $5 = ""; $0 = $0; $1 = $1; print }'
	done
}

manifest() { # NAME
	local digest
	digest=$(jq -r --arg name "$1" \
		'.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $name) | .digest' \
		"$STORE/index.json")
	cat "$STORE/blobs/sha256/${digest#sha256:}"
}

config() { # NAME
	local digest
	digest=$(manifest "$1" | jq -r .config.digest)
	cat "$STORE/blobs/sha256/${digest#sha256:}"
}

blobs() { find "$STORE/blobs" -type f | wc -l; }

@test "an image from scratch is in the store, and its files are what was copied" {
	scratch '- copy: [one.txt]' '  to: /etc/one' '  chmod: "0600"'
	run bock_build --print digest -t x:1 ctx
	assert_status 0
	assert_output -p "x:1 sha256:"
	run files x:1
	assert_output "drwxr-xr-x 0/0 etc/
-rw------- 0/0 etc/one"
}

@test "--print digest prints the manifest's digest alone on standard output" {
	scratch '- copy: [one.txt]' '  to: /x'
	digest=$(bock_build --quiet --print digest -t x:1 ctx)
	[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]]
	[ -f "$STORE/blobs/sha256/${digest#sha256:}" ]
	run bock_build --print size -t x:1 ctx
	assert_status 1
	assert_output -p "only 'digest' is known"
}

@test "--quiet says nothing" {
	scratch '- copy: [one.txt]' '  to: /x'
	run bock_build -q -t x:1 ctx
	assert_status 0
	assert_output ""
}

@test "skopeo and podman's kind of tools read it in place" {
	need_cmd skopeo
	scratch '- copy: [one.txt]' '  to: /x'
	bock_build -q -t x:1 ctx
	run skopeo inspect --config "oci:$STORE:x:1"
	assert_status 0
	assert_output -p '"diff_ids"'
	skopeo copy -q "oci:$STORE:x:1" "dir:$T/copy"
}

@test "the same input gives the same digest with SOURCE_DATE_EPOCH" {
	scratch '- copy: [src/, one.txt]' '  to: /d/' '- env: {A: b}'
	export SOURCE_DATE_EPOCH=1700000000
	first=$(bock_build -q --print digest -t x:1 ctx)
	rm -rf "$STORE"
	cp -r ctx other
	touch -d '2030-01-01' other/one.txt other/src
	second=$(bock_build -q --print digest -t x:1 other)
	[ "$first" = "$second" ] || fail "$first and $second"
	[ "$(config x:1 | jq -r .created)" = 2023-11-14T22:13:20Z ]
	SOURCE_DATE_EPOCH=yesterday run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output -p SOURCE_DATE_EPOCH
}

@test "copy: a directory's content, several sources, patterns, parents, exclude" {
	need_root
	scratch '- copy: [src]' '  to: /a' \
		'- copy: [one.txt, src/two.txt]' '  to: /b' \
		'- copy: ["**/*.c"]' '  to: /c/' \
		'- copy: [src/sub]' '  to: /d' '  parents: true' \
		'- copy: [src]' '  to: /e/' '  exclude: ["src/sub", "**/link"]'
	bock_build -q -t x:1 ctx
	run files x:1
	assert_output "drwxr-xr-x 0/0 a/
lrwxrwxrwx 0/0 a/link -> two.txt
drwxr-xr-x 0/0 a/sub/
-rw-r--r-- 0/0 a/sub/three.c
-rw-r--r-- 0/0 a/two.txt
drwxr-xr-x 0/0 b/
-rw-r--r-- 0/0 b/one.txt
-rw-r--r-- 0/0 b/two.txt
drwxr-xr-x 0/0 c/
-rw-r--r-- 0/0 c/three.c
drwxr-xr-x 0/0 d/
drwxr-xr-x 0/0 d/src/
drwxr-xr-x 0/0 d/src/sub/
-rw-r--r-- 0/0 d/src/sub/three.c
drwxr-xr-x 0/0 e/
-rw-r--r-- 0/0 e/two.txt"
}

@test "copy: owners by number, and by name from the stage's own passwd and group" {
	need_root
	printf 'root:x:0:0::/:\napp:x:77:88::/:\n' >ctx/passwd
	printf 'root:x:0:\nweb:x:99:\n' >ctx/group
	scratch '- copy: [one.txt]' '  to: /n/x' '  chown: "5:6"' \
		'- copy: [passwd, group]' '  to: /etc/' \
		'- copy: [one.txt]' '  to: /p' '  chown: app' \
		'- copy: [one.txt]' '  to: /q' '  chown: "app:web"'
	bock_build -q -t x:1 ctx
	run files x:1
	assert_output -p "drwxr-xr-x 5/6 n/"
	assert_output -p "-rw-r--r-- 5/6 n/x"
	assert_output -p "-rw-r--r-- 77/88 p"
	assert_output -p "-rw-r--r-- 77/99 q"
	scratch '- copy: [one.txt]' '  to: /x' '  chown: app'
	run bock_build -q -t x:2 ctx
	assert_status 1
	assert_output -p "Bockfile:7:16: stages[0].steps[0].chown: 'app' is a name, and the stage has no /etc/passwd yet"
}

@test "copy: nothing outside of the context can be reached" {
	printf 'secret\n' >secret
	ln -s "$T/secret" ctx/absolute
	ln -s ../secret ctx/relative
	ln -s ../../.. ctx/up
	for source in absolute relative ../secret up/secret "$T/secret"; do
		scratch "- copy: [$source]" '  to: /x'
		run bock_build -q -t x:1 ctx
		assert_status 1
		assert_output -p "is not there"
	done
	# below a directory, links are links
	scratch '- copy: [.]' '  to: /x'
	bock_build -q -t x:1 ctx
	run files x:1
	assert_output -p "x/relative -> ../secret"
}

@test "copy: what .bockignore lists is left out, and .dockerignore without one" {
	printf 'src\n!src/two.txt\n' >ctx/.dockerignore
	scratch '- copy: [.]' '  to: /x'
	bock_build -q -t x:1 ctx
	run files x:1
	assert_output -p "x/src/two.txt"
	refute_output -p "three.c"
	printf '*.txt\n' >ctx/.bockignore
	bock_build -q -t x:2 ctx
	run files x:2
	assert_output -p "x/src/sub/three.c"
	refute_output -p "x/one.txt"
	scratch '- copy: [one.txt]' '  to: /x'
	run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output -p "'one.txt' is ignored"
}

@test "metadata, runtime and the steps' metadata are in the configuration" {
	bockfile <<'END'
metadata:
  name: shop/app
  version: 1.20
  description: d
  authors: [A <a@example.org>, B]
  license: Apache-2.0
  labels: {x.y: "no", org.opencontainers.image.title: mine}
args: {PORT: "8080"}
stages:
  - name: a
    from: scratch
    env: {PATH: /bin}
    workdir: /srv
    steps:
      - env: {A: "${env.PATH}:x", B: "$$"}
      - workdir: sub/../data
      - user: "5:6"
runtime:
  entrypoint: [/x, "${PORT}"]
  cmd: []
  env: {C: "${metadata.version}"}
  expose: ["${PORT}", 53/udp]
  volumes: [/v]
  stop_signal: SIGQUIT
  healthcheck: {cmd: [/ping], interval: 1m30s, retries: 3}
END
	SOURCE_DATE_EPOCH=0 bock_build -q ctx
	run jq -cS .config <(config shop/app:1.20)
	assert_output '{"Cmd":[],"Entrypoint":["/x","8080"],"Env":["PATH=/bin","A=/bin:x","B=$","C=1.20"],"ExposedPorts":{"53/udp":{},"8080/tcp":{}},"Healthcheck":{"Interval":90000000000,"Retries":3,"Test":["CMD","/ping"]},"Labels":{"org.opencontainers.image.authors":"A <a@example.org>, B","org.opencontainers.image.description":"d","org.opencontainers.image.licenses":"Apache-2.0","org.opencontainers.image.title":"mine","org.opencontainers.image.version":"1.20","x.y":"no"},"StopSignal":"SIGQUIT","User":"5:6","Volumes":{"/v":{}},"WorkingDir":"/srv/data"}'
	run jq -c '[.history[] | [.created_by, .empty_layer]]' <(config shop/app:1.20)
	assert_output -p '["env: {A: \"${env.PATH}:x\", B: $$}",true]'
	run jq -r '.annotations["org.opencontainers.image.title"]' <(manifest shop/app:1.20)
	assert_output "shop/app"
}

@test "arguments: default, --build-arg, env, enum, required" {
	bockfile <<'END'
args:
  A: one
  B: {env: BOCK_TEST_B, default: two}
  C: {enum: [x, y], default: x}
stages:
  - name: a
    from: scratch
    steps:
      - env: {ALL: "${A} ${B} ${C}"}
END
	bock_build -q -t x:1 ctx
	[ "$(config x:1 | jq -r '.config.Env[0]')" = "ALL=one two x" ]
	BOCK_TEST_B=2 bock_build -q --build-arg A=1 --build-arg=C=y -t x:1 ctx
	[ "$(config x:1 | jq -r '.config.Env[0]')" = "ALL=1 2 y" ]
	run bock_build -q --build-arg C=z -t x:1 ctx
	assert_status 1
	assert_output "bock-build: Bockfile:4:6: args.C: 'z' is none of: x, y"
	run bock_build -q --build-arg D=z -t x:1 ctx
	assert_status 1
	assert_output -p "--build-arg 'D': Bockfile declares no such argument"
}

@test "what is wrong is said with its place, and the store stays empty" {
	local line
	while IFS='|' read -r line text; do
		printf '%b' "$line" >ctx/Bockfile
		run bock_build -t x:1 ctx
		assert_status 1
		assert_output "bock-build: $text"
		[ ! -e "$STORE" ] || fail "the store is there after: $line"
	done <<'END'
stages:\n  - name: a\n    from: scratch\nruntime:\n  entrypiont: [x]\n|Bockfile:5:3: unknown member 'entrypiont' in 'runtime', did you mean 'entrypoint'?
stages:\n  - name: a\n    from: scratch\n    steps:\n      - run: x\n        cache: []\n|Bockfile:6:9: stages[0].steps[0].cache: not supported: this version has no cache
stages:\n  - name: a\n    from: scratch\n    steps:\n      - add: http://x/y\n        to: /\n|Bockfile:5:9: stages[0].steps[0].add: not supported: this version fetches and extracts nothing; 'copy' copies from the context
version: "2"\nstages: [{name: a, from: scratch}]\n|Bockfile:1:10: version: version '2' is not known: this is version 1
stages:\n  - {name: a, from: b}\n  - {name: b, from: a}\n|Bockfile:2:12: stages[0].name: stages need each other in a cycle: a -> b -> a
platform: plan9/pdp11\nstages: [{name: a, from: scratch}]\n|Bockfile:1:11: platform: this machine is linux/amd64, and no other is supported
stages:\n  - name: a\n    from: ${NOPE}\n|Bockfile:3:11: stages[0].from: ${NOPE}: unknown name
END
}

@test "steps that fail name their place and leave the store as it was" {
	scratch '- copy: [one.txt]' '  to: /x'
	bock_build -q -t x:1 ctx
	before=$(blobs)
	scratch '- copy: [src]' '  to: /other' '- env: {A: "${nope}"}'
	run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output "bock-build: Bockfile:7:18: stages[0].steps[1].env.A: \${nope}: unknown name"
	[ "$(blobs)" -eq "$before" ] || fail "$before blobs before, $(blobs) now"
	scratch '- copy: [src]' '  to: /other' '- copy: [absent]' '  to: /x'
	run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output -p "Bockfile:7:9: stages[0].steps[1]: copy 'absent' to '/x': 'absent' is not there"
	[ "$(blobs)" -eq "$before" ] || fail "$before blobs before, $(blobs) now"
}

@test "an image without a name, and names that are none" {
	scratch '- copy: [one.txt]' '  to: /x'
	run bock_build -q ctx
	assert_status 1
	assert_output -p "Bockfile: the image has no name (give it with --tag NAME, or as metadata.name)"
	run bock_build -q -t 'no name' ctx
	assert_status 1
	assert_output -p "--tag"
}

@test "the Bockfile is found by its names, and by --file" {
	run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output -p "no Bockfile in 'ctx'"
	printf '{"stages": [{"name": "a", "from": "scratch", "env": {"A": "json"}}]}' >ctx/Bockfile.json
	bock_build -q -t x:1 ctx
	[ "$(config x:1 | jq -r '.config.Env[0]')" = A=json ]
	printf 'stages: [{name: a, from: scratch, env: {A: file}}]' >other
	bock_build -q -f other -t x:1 ctx
	[ "$(config x:1 | jq -r '.config.Env[0]')" = A=file ]
}

@test "--check reads the Bockfile and builds nothing" {
	scratch '- copy: [one.txt]' '  to: /x'
	run bock_build --check ctx
	assert_status 0
	assert_output ""
	[ ! -e "$STORE" ]
	scratch '- rum: x'
	run bock_build --check ctx
	assert_status 1
	assert_output "bock-build: Bockfile:5:9: unknown member 'rum' in 'stages[0].steps[0]', did you mean 'run'?"
}

@test "without root: from scratch, and what needs root is said" {
	need_root
	need_cmd setpriv util-linux
	nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	nobody test -x "$BOCK_BUILD" || skip "user 65534 can't reach $BOCK_BUILD"
	# the folder of a test is root's alone
	free=$(mktemp -d)
	chmod 777 "$free"
	scratch '- copy: [one.txt]' '  to: /x'
	cp -r ctx "$free/ctx"
	cd "$free"
	run nobody "$BOCK_BUILD" --root "$free/store" -t x:1 ctx
	first=$status/$output
	cp "$T/ctx/Bockfile" ctx/Bockfile
	printf '      - run: [/x]\n' >>ctx/Bockfile
	run nobody "$BOCK_BUILD" --root "$free/store" -t x:1 ctx
	rm -rf "$free"
	[[ $first == 0/*"x:1 sha256:"* ]] || fail "$first"
	assert_status 1
	assert_output -p "needs root"
}

@test "runtime: what is no port, path, time or check is said with its place" {
	local line
	while IFS='|' read -r line text; do
		printf 'stages: [{name: a, from: scratch}]\nruntime:\n  %b\n' "$line" >ctx/Bockfile
		run bock_build -q -t x:1 ctx
		assert_status 1
		assert_output "bock-build: Bockfile:3:$text"
	done <<'END'
expose: [0]|12: runtime.expose[0]: '0' is no port, as in 8080 or 53/udp
expose: [1, 2/icmp]|15: runtime.expose[1]: '2/icmp' is no port, as in 8080 or 53/udp
volumes: [data]|13: runtime.volumes[0]: 'data' is no absolute path
healthcheck: {interval: 3s}|16: runtime.healthcheck: a healthcheck needs 'cmd', or 'none: true'
healthcheck: {cmd: x, none: true}|22: runtime.healthcheck.cmd: 'none' and 'cmd' exclude each other
healthcheck: {cmd: x, intervall: 3s}|25: unknown member 'intervall' in 'runtime.healthcheck', did you mean 'interval'?
env: {"A=B": x}|16: runtime.env["A=B"]: 'A=B' can't be the name of a variable
END
}

@test "an image that is not in the store" {
	bockfile <<<'stages: [{name: a, from: nowhere}]'
	run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output -p "Bockfile:1:26: stages[0].from: "
	assert_output -p nowhere
	bockfile <<<'stages: [{name: a, from: "oci:dir"}]'
	run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output -p "this version takes images from its store only"
}
