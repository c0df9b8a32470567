# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# RUN steps: they really run, and what they change is the layer.

setup() {
	load ../helpers/common
	common_setup
	need_root
	need_program build
	need_program image
	need_program runc
	need_busybox
	mkdir -p "$T/ctx" "$T/tmp"
	export TMPDIR=$T/tmp
	cp "$(busybox_path)" "$T/ctx/busybox"
	cd "$T" || return
}
teardown() { common_teardown; }

# stage STEP-LINE...: a Bockfile of one stage with busybox in /bin, and these steps after it
stage() {
	{
		cat <<'END'
args: {WHO: world}
runtime: {cmd: [/bin/cat, /x]}
stages:
  - name: a
    from: scratch
    env: {PATH: /bin}
    steps:
      - copy: [busybox]
        to: /bin/
      - run: [/bin/busybox, --install, -s, /bin]
END
		printf '      %s\n' "$@"
	} >ctx/Bockfile
}

manifest() { # NAME
	local digest
	digest=$(jq -r --arg name "$1" \
		'.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $name) | .digest' \
		"$STORE/index.json")
	cat "$STORE/blobs/sha256/${digest#sha256:}"
}

# layer NAME INDEX: "MODE UID/GID PATH [-> LINK]" of one layer, -1 is the last
layer() {
	local digest
	digest=$(manifest "$1" | jq -r ".layers[$2].digest")
	tar --numeric-owner -tvzf "$STORE/blobs/sha256/${digest#sha256:}" |
		awk '{ $3 = $4 = $5 = ""; $0 = $0; $1 = $1; print }'
}

layers() { manifest "$1" | jq '.layers | length'; }

history_of() { # NAME JQ-PATH
	local digest
	digest=$(manifest "$1" | jq -r .config.digest)
	jq -r ".history[] | $2" "$STORE/blobs/sha256/${digest#sha256:}"
}

# Nothing of a build stays on the host
nothing_left() {
	assert_no_leftovers
	[ -z "$(ls -A "$T/tmp")" ] || fail "left in TMPDIR: $(ls -A "$T/tmp")"
	! pgrep -fa bock-build- || fail "a container of a build is still there"
}

@test "a run step runs, and its layer holds what it made" {
	stage '- run: mkdir -p /out && echo "hello $WHO" > /out/greeting'
	run bock_build -t x:1 ctx
	assert_status 0
	run layer x:1 -1
	assert_output "drwxr-xr-x 0/0 out/
-rw-r--r-- 0/0 out/greeting"
	bock_image unpack x:1 bundle
	[ "$(cat bundle/rootfs/out/greeting)" = "hello world" ]
	[ -L bundle/rootfs/bin/ls ]
	# mount points were needed, and are not in the image
	[ "$(ls bundle/rootfs)" = "$(printf 'bin\nout')" ] || fail "$(ls bundle/rootfs)"
	nothing_left
}

@test "text of a command is never rewritten, and no value is ever code" {
	stage '- run: echo "$WHO" > /who; echo '"'"'${nope} $$'"'"' > /raw' \
		'- run: [/bin/echo, "${nope}", "$(touch /evil)"]'
	run bock_build --build-arg 'WHO=$(touch /evil); "x" `id`' -t x:1 ctx
	assert_status 0
	assert_output -p '${nope} $(touch /evil)'
	bock_image unpack x:1 bundle
	[ "$(cat bundle/rootfs/who)" = '$(touch /evil); "x" `id`' ]
	[ "$(cat bundle/rootfs/raw)" = '${nope} $$' ]
	[ ! -e bundle/rootfs/evil ]
	[ ! -e /evil ]
}

@test "workdir, user, env and shell: of the stage, of steps, of one step" {
	stage '- env: {A: stage}' '- workdir: /made/here' '- user: "5:6"' \
		'- run: echo "$(pwd) $(id -u):$(id -g) $A"' \
		'- run: echo "$(pwd) $(id -u):$(id -g) $A"' '  workdir: ../there' '  user: "7"' '  env: {A: "${env.A}+step"}' \
		'- run: echo "$(pwd) $(id -u):$(id -g) $A"'
	run bock_build -t x:1 ctx
	assert_status 0
	assert_output -p "/made/here 5:6 stage"
	assert_output -p "/made/there 7:0 stage+step"
	[ "$(grep -c '^/made/here 5:6 stage$' <<<"$output")" -eq 2 ]
}

@test "network: the host's, or none" {
	stage '- run: ls /sys/class/net > /net; cat /etc/resolv.conf > /resolv' '  network: host'  \
		'- run: ls /sys/class/net > /none' '  network: none'
	bock_build -q -t x:1 ctx
	bock_image unpack x:1 bundle
	[ "$(cat bundle/rootfs/none)" = lo ]
	[ "$(cat bundle/rootfs/net)" = "$(ls /sys/class/net)" ]
	[ ! -e /etc/resolv.conf ] || cmp bundle/rootfs/resolv /etc/resolv.conf
	stage '- run: x' '  network: /run/netns/x'
	run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output -p "steps[2].network: the path of a network namespace is not supported"
}

@test "a failing step: its place, its status, what it said; the store stays as it was" {
	stage '- run: "true"'
	bock_build -q -t x:1 ctx
	before=$(find "$STORE" -type f | sort)
	stage '- run: echo new > /new' '- run: echo said this; exit 7'
	run bock_build -q -t x:1 ctx
	assert_status 1
	assert_output "said this
bock-build: Bockfile:12:9: stages[0].steps[3]: the command failed with exit status 7"
	[ "$(find "$STORE" -type f | sort)" = "$before" ] || fail "the store has changed"
	stage '- run: [/no/such/program]'
	run bock_build -t x:1 ctx
	assert_status 1
	assert_output -p "Bockfile:11:9: stages[0].steps[2]: "
	assert_output -p "/no/such/program"
	[ "$(find "$STORE" -type f | sort)" = "$before" ] || fail "the store has changed"
	nothing_left
}

@test "a step that changed nothing makes no layer, but has a record" {
	stage '- run: "true"' '- run: cat /bin/busybox > /dev/null; touch /tmp1 && rm /tmp1' '- run: echo x > /x'
	bock_build -q -t x:1 ctx
	[ "$(layers x:1)" -eq 3 ]
	run history_of x:1 '[.created_by, .empty_layer] | tojson'
	assert_output -p '["run: true",true]'
	assert_output -p '["run: echo x > /x",null]'
}

@test "what is removed, replaced or linked is said by the layer, as other tools read it" {
	stage '- run: mkdir -p /d/sub /e /etc && touch /d/a /d/sub/b /e/keep /e/go && ln -s d /l && echo 1 > /f' \
		'- run: rm -r /d /e/go /l && mkdir /d && touch /d/new && mkdir /l && ln /f /g && chmod 600 /e/keep' \
		'- run: rm -r /f && mkdir /f && touch /f/x'
	bock_build -q -t x:1 ctx
	run layer x:1 -2
	assert_output -p "d/.wh.a"
	assert_output -p "d/.wh.sub"
	assert_output -p "e/.wh.go"
	assert_output -p "drwxr-xr-x 0/0 l/"
	assert_output -p "-rw------- 0/0 e/keep"
	bock_image unpack x:1 bundle
	(cd bundle/rootfs && find d e f g l | sort) >ours
	printf '%s\n' d d/new e e/keep f f/x g l | diff - ours
	if command -v umoci >/dev/null; then
		umoci unpack --image "$STORE:x:1" theirs >/dev/null
		(cd theirs/rootfs && find . -printf '%p %y %m %U:%G %l\n' | sort) >theirs.list
		(cd bundle/rootfs && find . -printf '%p %y %m %U:%G %l\n' | sort) >ours.list
		diff <(grep -v '^\. ' theirs.list) <(grep -v '^\. ' ours.list)
	fi
}

@test "stages: from, depends, copy from; only what is needed is built" {
	cat >ctx/Bockfile <<'END'
stages:
  - name: last
    from: tools
    depends: [checked]
    steps:
      - run: test -x /bin/ls
  - name: broken
    from: tools
    steps:
      - run: exit 1
  - name: checked
    from: made
    steps:
      - run: grep -q made /out/data
  - name: made
    from: tools
    env: {WHAT: made}
    steps:
      - run: mkdir /out; echo "$WHAT" > /out/data; chown 5:6 /out/data
  - name: tools
    from: scratch
    env: {PATH: /bin}
    steps:
      - copy: busybox
        to: /bin/
      - run: [/bin/busybox, --install, -s, /bin]
  - name: image
    from: scratch
    depends: [last]
    steps:
      - copy: [/out/, /bin/busybox]
        from: made
        to: /opt
END
	run bock_build -t x:1 ctx
	assert_status 0
	refute_output -p "broken"
	run layer x:1 0
	assert_output "drwxr-xr-x 0/0 opt/
-rwxr-xr-x 0/0 opt/busybox
-rw-r--r-- 5/6 opt/data"
	run bock_build --target made -t x:2 ctx
	assert_status 0
	refute_output -p "last:"
	[ "$(layers x:2)" -eq 3 ]
	run bock_build --target broken -t x:3 ctx
	assert_status 1
	assert_output -p "stages[1].steps[0]: the command failed with exit status 1"
	run bock_build --target none -t x:3 ctx
	assert_status 1
	assert_output -p "no stage is named 'none'"
}

@test "from an image of the store: its layers, its configuration, and names in its passwd" {
	stage '- run: mkdir -p /etc && echo app:x:7:8::/srv/app:/bin/sh > /etc/passwd' '- env: {A: base}'
	bock_build -q -t base:1 ctx
	cat >ctx/Bockfile <<'END'
from: base:1
stages:
  - name: a
    user: app
    steps:
      - run: echo "$A $(id -u):$(id -g) $HOME"
      - copy: [Bockfile]
        to: /x
        chown: app
END
	run bock_build -t x:1 ctx
	assert_status 0
	assert_output -p "base 7:8 /srv/app"
	[ "$(layers x:1)" -eq 4 ]
	[ "$(manifest x:1 | jq -c '.layers[:3]')" = "$(manifest base:1 | jq -c '.layers')" ]
	[ "$(manifest x:1 | jq -r '.annotations["org.opencontainers.image.base.name"]')" = base:1 ]
	run layer x:1 -1
	assert_output "-rw-r--r-- 7/8 x"
}

@test "the same input gives the same digest, with overlayfs and without" {
	stage '- run: mkdir -p /etc/d && date > /dev/null && echo x > /etc/d/x && rm /bin/ls && chmod 700 /etc' \
		'- run: rm -r /etc/d && ln /bin/busybox /bin/other'
	export SOURCE_DATE_EPOCH=1700000000
	first=$(bock_build -q --print digest -t x:1 ctx)
	sleep 1.1
	second=$(bock_build -q --print digest -t x:2 ctx)
	[ "$first" = "$second" ] || fail "$first and $second"
	# an overlay can't be the upper directory of another
	mkdir lower upper work merged
	third=$(unshare -m --propagation private sh -c '
		mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged &&
		TMPDIR=$PWD/merged exec "$0" --root "$1" -q --print digest -t x:3 ctx' "$BOCK_BUILD" "$STORE")
	[ "$(layer x:1 -1)" = "$(layer x:3 -1)" ] || fail "$(layer x:1 -1)
and $(layer x:3 -1)"
	[ "$(layer x:1 -2)" = "$(layer x:3 -2)" ] || fail "$(layer x:1 -2)
and $(layer x:3 -2)"
	[ "$first" = "$third" ] || fail "$first and $third"
}

@test "Docker's capabilities, the seccomp filter, masked paths, no mount of the host" {
	stage '- run: |' '    grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status' '    unshare -U true 2>&1 || true' \
		'    test ! -s /proc/keys; ! grep /etc/hostname /proc/mounts'
	run bock_build -t x:1 ctx
	assert_status 0
	assert_output -p "CapEff:	00000000a80425fb"
	assert_output -p "NoNewPrivs:	0"
	assert_output -p "Seccomp:	2"
	assert_output -p "not permitted"
}

@test "a signal ends the step, and nothing stays" {
	stage '- run: echo started; sleep 1000'
	"$BOCK_BUILD" --root "$STORE" -t x:1 ctx >log 2>&1 &
	pid=$!
	wait_for 20 grep -q '^started' log
	kill -TERM "$pid"
	rc=0
	wait "$pid" || rc=$?
	[ "$rc" -eq 1 ] || fail "status $rc; $(cat log)"
	grep -q 'stages\[0\].steps\[2\]: ended by signal 15 (TERM)' log || fail "$(cat log)"
	[ "$(find "$STORE/blobs" -type f | wc -l)" -eq 0 ] || fail "blobs are left"
	nothing_left
}

@test "a build that is killed takes its container with it, and the store is whole" {
	seconds=10$$
	stage "- run: echo started; sleep $seconds"
	"$BOCK_BUILD" --root "$STORE" -t x:1 ctx >log 2>&1 &
	pid=$!
	wait_for 20 grep -q '^started' log
	kill -KILL "$pid"
	wait "$pid" || :
	gone() { ! pgrep -f "sleep $seconds"; }
	wait_for 10 gone || fail "the container is still there"
	assert_no_leftovers
	stage '- run: echo again > /x'
	bock_build -q -t x:1 ctx
	bock_image gc --grace 0
	bock_image unpack x:1 bundle
}

@test "podman runs what a build made" {
	need_cmd podman
	need_cmd runc
	stage '- run: echo "made by a step" > /x; rm /bin/vi'
	bock_build -q -t x:1 ctx
	# podman takes no upper-case letter in oci:PATH
	link=$(dirname "$BATS_RUN_TMPDIR")/bock-podman-$$
	ln -s "$STORE" "$link"
	run podman --root "$T/podman" --runroot "$T/podman-run" --cgroup-manager cgroupfs --events-backend file \
		--runtime "$(command -v runc)" run --rm --network none --ulimit nofile=1024:1024 \
		--ulimit nproc=1000:1000 "oci:$link:x:1"
	rm "$link"
	umount "$T/podman/overlay" 2>/dev/null || :
	assert_status 0
	assert_output -p "made by a step"
}

@test "another OCI runtime does it too" {
	need_cmd runc
	stage '- run: echo "hello $WHO" > /x'
	run bock_build --runtime "$(command -v runc)" -t x:1 ctx
	assert_status 0
	run layer x:1 -1
	assert_output "-rw-r--r-- 0/0 x"
	run bock_build --runtime /nowhere/runtime -t x:1 ctx
	assert_status 1
	assert_output -p "/nowhere/runtime"
}

@test "what a build made runs" {
	stage '- run: echo "made by a step" > /x'
	bock_build -q -t x:1 ctx
	bock_image unpack x:1 bundle
	run bock_runc run -b bundle "$ID"
	assert_status 0
	assert_output "made by a step"
}
