#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image: the store, archives in and out of other tools, unpacking against umoci's.

setup() {
	load ../helpers/common
	common_setup
	need_program image
	export T STORE
}

teardown() {
	common_teardown
	[ -z "${U-}" ] || rm -rf "$U"
}

# A folder that a user without rights owns and reaches (bats' own are closed to others), with the program
# in it: $U. as_user runs a command as that user.
user_dir() {
	need_root
	need_cmd setpriv util-linux
	U=$(mktemp -d)
	# in a folder of that name the program finds its helper beside it
	mkdir "$U/bock-image"
	cp "$BOCK_IMAGE" "$BOCK_BUILDDIR/bock-image/bock-image-transfer" "$U/bock-image"
	chown 65534:65534 "$U"
	chmod 755 "$U"
	as_user "$U/bock-image/bock-image" --version >/dev/null || skip "a user does not reach $U"
}

as_user() {
	setpriv --reuid 65534 --regid 65534 --clear-groups env -u BOCK_IMAGE_ROOT HOME="$U" XDG_DATA_HOME= "$@"
}

make_image() { # LAYOUT NAME <script
	need_cmd python3
	"$TOP/tests/helpers/make-image" "$@"
}

demo_tar() {
	mkdir -p "$T/rootfs/etc" "$T/rootfs/bin" "$T/rootfs/tmp"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$T/rootfs/etc/passwd"
	echo "${1-hello}" >"$T/rootfs/etc/greeting"
	ln -sf busybox "$T/rootfs/bin/sh"
	chmod 1777 "$T/rootfs/tmp"
	# tar keeps whole seconds only
	find "$T/rootfs" -exec touch -h -d @1600000000 {} +
	tar -C "$T/rootfs" -cf "$T/rootfs.tar" .
}

demo_image() { # [NAME]
	demo_tar "${1-demo:1}"
	bock_image import -q "$T/rootfs.tar" "${1-demo:1}"
}

# same_tree A B
same_tree() {
	"$TOP/tests/helpers/tree-list" "$1" root >"$T/tree.a"
	"$TOP/tests/helpers/tree-list" "$2" root >"$T/tree.b"
	diff "$T/tree.a" "$T/tree.b" >&2
}

@test "import, list, inspect, unpack, rm, gc" {
	demo_tar
	run -0 bock_image import "$T/rootfs.tar" demo:1
	assert_output -e '^demo:1 sha256:[0-9a-f]{64}$'
	run -0 bock_image list
	assert_output -e 'demo:1 +[0-9a-f]{12} +linux/'
	run -0 bock_image ls -q
	assert_output -e '^sha256:[0-9a-f]{64}$'
	run -0 bash -c '"$BOCK_IMAGE" --root "$0" list --json | jq -r ".[0].name"' "$STORE"
	assert_output demo:1
	run -0 bock_image inspect demo:1
	assert_output -p "Layers"
	run -0 bash -c '"$BOCK_IMAGE" --root "$0" inspect --json demo:1 | jq -r .manifest.schemaVersion' "$STORE"
	assert_output 2
	run -0 bock_image unpack demo:1 "$T/b" -- /bin/sh -c 'echo hi'
	[ "$(jq -c .process.args "$T/b/config.json")" = '["/bin/sh","-c","echo hi"]' ]
	same_tree "$T/rootfs" "$T/b/rootfs"
	run -0 bock_image rm demo:1
	run -0 bock_image gc
	assert_output -p "kept 0 blobs"
	[ -z "$(find "$STORE/blobs" -type f)" ]
	run -1 bock_image inspect demo:1
	assert_output -p "no image 'demo:1'"
}

@test "import takes plain, gzip, zstd and xz, from a file or a pipe; the DiffID is the same" {
	demo_tar
	gzip -k "$T/rootfs.tar"
	need_cmd zstd
	need_cmd xz xz-utils
	zstd -q "$T/rootfs.tar"
	xz -k "$T/rootfs.tar"
	for suffix in '' .gz .zst .xz; do
		run -0 bock_image import - "demo:x$suffix" <"$T/rootfs.tar$suffix"
		bock_image inspect --config "demo:x$suffix" | jq -r '.rootfs.diff_ids[0]' >>"$T/ids"
	done
	[ "$(sort -u "$T/ids")" = "sha256:$(sha256sum <"$T/rootfs.tar" | cut -d' ' -f1)" ]
}

@test "import: the same tar gives the same layer; --compression none keeps it as it is" {
	demo_tar
	bock_image import -q "$T/rootfs.tar" a:1
	bock_image import -q "$T/rootfs.tar" b:1
	[ "$(bock_image inspect --raw a:1 | jq -r '.layers[0].digest')" = "$(bock_image inspect --raw b:1 | jq -r '.layers[0].digest')" ]
	bock_image import -q --compression none "$T/rootfs.tar" c:1
	[ "$(bock_image inspect --raw c:1 | jq -r '.layers[0].digest')" = "sha256:$(sha256sum <"$T/rootfs.tar" | cut -d' ' -f1)" ]
}

@test "import: SOURCE_DATE_EPOCH makes the image the same, too" {
	demo_tar
	run -0 env SOURCE_DATE_EPOCH=1700000000 "$BOCK_IMAGE" --root "$STORE" import "$T/rootfs.tar" a:1
	first=${output#* }
	sleep 1
	run -0 env SOURCE_DATE_EPOCH=1700000000 "$BOCK_IMAGE" --root "$STORE" import "$T/rootfs.tar" b:1
	[ "$first" = "${output#* }" ]
}

@test "import refuses what is no tar, an empty file, a cut one and a bad name, and leaves nothing" {
	demo_tar
	head -c 100000 /dev/urandom >"$T/noise"
	: >"$T/empty"
	head -c 1000 "$T/rootfs.tar" >"$T/cut"
	for bad in noise empty cut absent; do
		run -1 bock_image import "$T/$bad" demo:1
	done
	for name in 'a b' ../x '' -x 'a//b' a:; do
		run -1 bock_image import -- "$T/rootfs.tar" "$name"
	done
	[ -z "$(find "$STORE" -name '*.part')" ]
	[ -z "$(find "$STORE/blobs" -type f)" ]
}

@test "names: what was typed is kept, and found in other forms" {
	demo_image demo
	run -0 bock_image inspect demo:latest
	run -0 bock_image inspect docker.io/library/demo
	run -1 bock_image inspect demo:2
	digest=$(bock_image list -q)
	run -0 bock_image inspect "$digest"
	run -0 bock_image inspect "$(cut -c 8-18 <<<"$digest")"
	demo_image demo:latest
	[ "$(bock_image list -q | wc -l)" -eq 1 ]
	run -0 bock_image list --no-header
	assert_output -e '^demo:latest '
}

@test "the store: mode 0700, blobs 0444, and a folder with something else in it is not one" {
	demo_image
	[ "$(stat -c %a "$STORE")" = 700 ]
	[ "$(find "$STORE/blobs" -type f -printf '%m\n' | sort -u)" = 444 ]
	mkdir "$T/full"
	touch "$T/full/file"
	run -1 "$BOCK_IMAGE" --root "$T/full" import "$T/rootfs.tar" demo:1
	assert_output -p "not empty"
	[ "$(ls -A "$T/full")" = file ]
}

@test "the store's place: --root, BOCK_IMAGE_ROOT, and a user's own" {
	demo_tar
	run -0 env BOCK_IMAGE_ROOT="$T/env" "$BOCK_IMAGE" import "$T/rootfs.tar" demo:1
	[ -e "$T/env/oci-layout" ]
	user_dir
	run -0 as_user "$U/bock-image/bock-image" list
	run -0 as_user "$U/bock-image/bock-image" import - demo:1 <"$T/rootfs.tar"
	[ -e "$U/.local/share/bock/images/oci-layout" ]
}

@test "forty names given by four at once are all there" {
	local pids=()
	demo_tar
	for i in 1 2 3 4; do
		(for k in $(seq 10); do "$BOCK_IMAGE" --root "$STORE" import -q "$T/rootfs.tar" "p$i:$k" || echo "p$i:$k" >>"$T/failed"; done) 3>&- &
		pids+=($!)
	done
	# by pid: a bare wait would also wait for bats' own time-out of the test
	wait "${pids[@]}"
	[ ! -e "$T/failed" ]
	[ "$(bock_image list -q | wc -l)" -eq 40 ]
	run -0 bock_image gc
	assert_output -p "removed 0 blobs"
}

@test "kill -9 of an import leaves a store that works, and gc takes the rest" {
	demo_image
	head -c 30000000 /dev/urandom >"$T/rootfs/big"
	tar -C "$T/rootfs" -cf "$T/big.tar" .
	for i in 1 2 3 4 5; do
		"$BOCK_IMAGE" --root "$STORE" import -q "$T/big.tar" big:1 3>&- &
		sleep "0.$((i * 2 - 1))"
		kill -9 $! 2>/dev/null || :
		wait $! 2>/dev/null || :
	done
	run -0 bock_image inspect demo:1
	bock_image rm big:1 2>/dev/null || :
	run -0 bock_image gc
	[ -z "$(find "$STORE" -name '*.part' -o -name '*.tmp')" ]
	[ "$(find "$STORE/blobs" -type f | wc -l)" -eq 3 ]
}

@test "gc waits for those who use the store, keeps what is young when told, and only looks with --dry-run" {
	need_cmd flock util-linux
	demo_image
	bock_image rm demo:1
	run -0 bock_image gc --dry-run
	assert_output -p "would remove 3 blobs"
	run -0 bock_image gc --grace 1h
	assert_output -p "3 of these are garbage younger"
	exec 9<"$STORE/.bock/lease"
	flock --shared 9
	run -1 bash -c 'exec 9>&-; exec "$BOCK_IMAGE" --root "$0" gc' "$STORE"
	assert_output -p "in use"
	exec 9>&-
	run -0 bock_image gc
	[ -z "$(find "$STORE/blobs" -type f)" ]
}

@test "unpack: a bundle that is there already, or a folder that is not empty, is left alone" {
	demo_image
	mkdir "$T/full" "$T/empty"
	touch "$T/full/file"
	run -1 bock_image unpack demo:1 "$T/full" -- x
	assert_output -p "already"
	[ "$(ls -A "$T/full")" = file ]
	run -0 bock_image unpack demo:1 "$T/empty" -- x
	run -1 bock_image unpack demo:1 "$T/empty" -- x
	[ -e "$T/empty/config.json" ]
	run -1 bock_image unpack demo:1 "$T/none"
	assert_output -p "neither an entrypoint nor a command"
	[ ! -e "$T/none" ]
}

@test "unpack: overrides" {
	demo_image
	run -0 bock_image unpack --env A=1 --env PATH=/x --user 5:6 --cwd /tmp --hostname h --tty --read-only demo:1 "$T/b" -- a b
	run -0 jq -c '[.process.env, .process.user, .process.cwd, .hostname, .process.terminal, .root.readonly, .process.args]' "$T/b/config.json"
	assert_output '[["A=1","PATH=/x","HOME=/","TERM=xterm"],{"uid":5,"gid":6},"/tmp","h",true,true,["a","b"]]'
	run -1 bock_image unpack --env A demo:1 "$T/c" -- a
	run -1 bock_image unpack --user nobody-here demo:1 "$T/c" -- a
	assert_output -p "not in the image's /etc/passwd"
	[ ! -e "$T/c" ]
	run -1 bock_image unpack --cwd relative demo:1 "$T/c" -- a
}

@test "unpack: entrypoint and command are joined; arguments replace the command; --entrypoint both" {
	make_image "$STORE" e:1 <<-'END'
		config '{"config":{"Entrypoint":["/e"],"Cmd":["c"]}}'
		dir etc
	END
	bock_image unpack e:1 "$T/1"
	bock_image unpack e:1 "$T/2" -- x y
	bock_image unpack --entrypoint /f e:1 "$T/3"
	bock_image unpack --entrypoint '' e:1 "$T/4" -- z
	[ "$(jq -c .process.args "$T"/[1234]/config.json | tr '\n' ' ')" = '["/e","c"] ["/e","x","y"] ["/f"] ["z"] ' ]
}

@test "unpack: labels and implied annotations (conversion.md)" {
	make_image "$STORE" l:1 <<-'END'
		config '{"author":"me","variant":"v1","config":{"Cmd":["x"],"Labels":{"a":"b","org.opencontainers.image.author":"label"},"StopSignal":"SIGINT","ExposedPorts":{"80/tcp":{},"53/udp":{}}}}'
		dir etc
	END
	bock_image unpack l:1 "$T/b"
	run -0 jq -Sc .annotations "$T/b/config.json"
	assert_output '{"a":"b","org.opencontainers.image.architecture":"amd64","org.opencontainers.image.author":"label","org.opencontainers.image.created":"2026-01-02T03:04:05Z","org.opencontainers.image.exposedPorts":"80/tcp,53/udp","org.opencontainers.image.os":"linux","org.opencontainers.image.stopSignal":"SIGINT","org.opencontainers.image.variant":"v1"}'
}

@test "unpack: null members, no config at all, no layers" {
	make_image "$STORE" n:1 <<-'END'
		config '{"config":null,"history":null,"author":null}'
		dir etc
	END
	run -0 bock_image unpack n:1 "$T/b" -- x
	make_image "$STORE" none:1 </dev/null
	run -0 bock_image unpack none:1 "$T/c" -- x
	[ -z "$(ls -A "$T/c/rootfs")" ]
}

# layers NAME: the script's image unpacked by both, compared, and by us in $T/b
against_umoci() {
	need_root
	need_cmd umoci
	make_image "$STORE" "$1"
	run -0 bock_image unpack "$1" "$T/b"
	umoci unpack --image "$STORE:$1" "$T/u" >&2
	same_tree "$T/b/rootfs" "$T/u/rootfs"
}

@test "unpack: layers, whiteouts and opaque folders are as umoci's" {
	against_umoci w:1 <<-'END'
		layer
		dir ./ mode=755 mtime=1500000000
		dir a mtime=1600000001
		file a/one 1
		file a/two 2
		dir a/sub mode=700 uid=5 gid=6 mtime=1600000002
		file a/sub/x x
		dir o mtime=1600000003
		file o/low low
		dir o/deep
		file o/deep/low low
		symlink link a/one
		layer
		dir a mtime=1600000004
		file a/.wh.one
		file a/three 3 uid=1000 gid=1000 mode=4755
		dir o mtime=1600000005
		file o/.wh..wh..opq
		file o/high high
		file .wh.link
		layer
		file a/sub/y y
		file a/two changed mode=600
	END
	[ ! -e "$T/b/rootfs/a/one" ] && [ ! -L "$T/b/rootfs/link" ]
	[ "$(ls "$T/b/rootfs/o")" = high ]
}

@test "unpack: kinds that replace each other are as umoci's" {
	against_umoci r:1 <<-'END'
		layer
		dir . mtime=1500000000
		dir d
		file d/f 1
		file f 1
		symlink l d
		file h1 same mode=640
		hardlink h2 h1
		layer
		file d now-a-file
		dir f mode=711 mtime=1600000001
		file f/x 1
		dir l mtime=1600000002
		file l/y 1
		hardlink h3 h1
		fifo p mode=622
		char null 1 3 mode=666
	END
	[ -d "$T/b/rootfs/l" ] && [ ! -L "$T/b/rootfs/l" ]
	[ "$(stat -c %h "$T/b/rootfs/h1")" -eq 3 ]
}

@test "unpack: a whiteout hides lower layers only, wherever it stands (image-spec layer.md)" {
	need_root
	make_image "$STORE" s:1 <<-'END'
		layer
		dir d
		file d/low low
		file e low
		dir q
		file q/low low
		layer
		file d/new new
		file d/.wh..wh..opq
		file e new
		file .wh.e
		dir q
		file q/new new
		file .wh.q
	END
	run -0 bock_image unpack s:1 "$T/b"
	[ "$(ls "$T/b/rootfs/d")" = new ]
	[ "$(cat "$T/b/rootfs/e")" = new ]
	[ "$(ls "$T/b/rootfs/q")" = new ]
	[ -z "$(find "$T/b/rootfs" -name '.wh*')" ]
}

@test "unpack: a merged /usr is written through its links, and whiteouts through them find what the layer made" {
	make_image "$STORE" m:1 <<-'END'
		layer
		dir usr
		dir usr/bin
		file usr/bin/old old
		symlink bin usr/bin
		layer
		file bin/new new
		file usr/bin/.wh..wh..opq
		layer
		file bin/.wh.absent
		file usr/bin/third 3
	END
	run -0 bock_image unpack m:1 "$T/b"
	[ -L "$T/b/rootfs/bin" ]
	[ "$(ls "$T/b/rootfs/usr/bin" | tr '\n' ' ')" = 'new third ' ]
}

@test "unpack: xattrs, capabilities, setuid, times of a fraction of a second, names that are no ASCII" {
	need_root
	against_umoci x:1 <<-'END'
		layer
		dir .
		dir bin
		file bin/ping x mode=4755 uid=3 gid=4
		file cap x "xattr.security.capability=\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		file user x xattr.user.comment=hello
		file t x mtime=1600000000.25
		file grüße x
		dir sgid mode=2775 gid=7
		file sgid/f x gid=0
	END
	[ "$(stat -c %a "$T/b/rootfs/bin/ping")" = 4755 ]
	grep -q "^'cap' .*security.capability" "$T/tree.a"
	grep -q "^'user' .*user.comment" "$T/tree.a" || skip "the file system of $T keeps no user.* attributes"
}

@test "unpack: what other machines must not tell us is left out (selinux, overlay)" {
	need_root
	make_image "$STORE" x:2 <<-'END'
		file a x xattr.security.selinux=evil xattr.trusted.overlay.opaque=y xattr.user.overlay.x=y
		dir d xattr.trusted.overlay.redirect=/x
	END
	run -0 bock_image unpack x:2 "$T/b"
	[ -z "$("$TOP/tests/helpers/tree-list" "$T/b/rootfs" | grep -E 'overlay|evil')" ]
}

@test "unpack: holes stay holes" {
	need_root
	mkdir "$T/sparse"
	truncate -s 50M "$T/sparse/file"
	printf end >>"$T/sparse/file"
	tar -C "$T/sparse" --sparse --format=pax -cf "$T/sparse.tar" .
	bock_image import -q "$T/sparse.tar" sparse:1
	run -0 bock_image unpack sparse:1 "$T/b" -- x
	cmp "$T/sparse/file" "$T/b/rootfs/file"
	[ "$(du -k "$T/b/rootfs/file" | cut -f1)" -lt 1000 ]
}

@test "unpack: gzip of several members and zstd of several frames" {
	demo_tar
	need_cmd zstd
	head -c 5000 "$T/rootfs.tar" | gzip >"$T/two.gz"
	tail -c +5001 "$T/rootfs.tar" | gzip >>"$T/two.gz"
	head -c 5000 "$T/rootfs.tar" | zstd -q >"$T/two.zst"
	printf '\x50\x2a\x4d\x18\x04\x00\x00\x00skip' >>"$T/two.zst"
	tail -c +5001 "$T/rootfs.tar" | zstd -q >>"$T/two.zst"
	for how in gz zst; do
		run -0 bock_image import "$T/two.$how" "two:$how"
		[ "$(bock_image inspect --config "two:$how" | jq -r '.rootfs.diff_ids[0]')" = "sha256:$(sha256sum <"$T/rootfs.tar" | cut -d' ' -f1)" ]
	done
}

@test "gzip that is cut or has a wrong checksum is refused; padding behind it is taken" {
	demo_tar
	gzip -k "$T/rootfs.tar"
	size=$(stat -c %s "$T/rootfs.tar.gz")
	for keep in 5 15 200 $((size - 9)) $((size - 4)) $((size - 1)); do
		head -c "$keep" "$T/rootfs.tar.gz" >"$T/cut.gz"
		run -1 bock_image import "$T/cut.gz" cut:1
	done
	{
		head -c $((size - 8)) "$T/rootfs.tar.gz"
		printf '\1\2\3\4'
		tail -c 4 "$T/rootfs.tar.gz"
	} >"$T/sum.gz"
	run -1 bock_image import "$T/sum.gz" sum:1
	{
		cat "$T/rootfs.tar.gz"
		head -c 1000 /dev/zero
	} >"$T/pad.gz"
	run -0 bock_image import "$T/pad.gz" pad:1
	[ "$(bock_image inspect --config pad:1 | jq -r '.rootfs.diff_ids[0]')" = "sha256:$(sha256sum <"$T/rootfs.tar" | cut -d' ' -f1)" ]
}

@test "unpack --rootless: all files are the caller's, devices are left out with a warning, ids are mapped" {
	make_image "$STORE" u:1 <<-'END'
		layer
		file a x uid=1234 gid=1234
		char null 1 3
		dir ro mode=555
		file ro/f 1
		dir closed mode=0
		layer
		file ro/g 2
		dir closed mode=100
	END
	run -0 bock_image unpack --rootless u:1 "$T/b"
	assert_output -p "device '/null' left out"
	[ "$(stat -c %u "$T/b/rootfs/a")" -eq "$(id -u)" ]
	[ ! -e "$T/b/rootfs/null" ]
	[ "$(jq -c '[.linux.uidMappings[0].hostID, (.linux.namespaces | map(.type) | index("user") != null)]' "$T/b/config.json")" = "[$(id -u),true]" ]
	user_dir
	cp -r "$STORE" "$U/store"
	chown -R 65534 "$U/store"
	run -0 as_user "$U/bock-image/bock-image" --root "$U/store" unpack u:1 "$U/b"
	[ "$(cat "$U/b/rootfs/ro/f" "$U/b/rootfs/ro/g")" = 12 ]
	[ "$(stat -c '%a %u' "$U/b/rootfs/ro")" = "555 65534" ]
	[ "$(stat -c %a "$U/b/rootfs/closed")" = 100 ]
	[ "$(stat -c %u "$U/b/rootfs/a")" -eq 65534 ]
}

@test "a full disk: import and unpack say so and leave nothing" {
	need_root
	need_cmd unshare util-linux
	demo_image
	head -c 5000000 /dev/urandom >"$T/rootfs/big"
	tar -C "$T/rootfs" -cf "$T/big.tar" .
	bock_image import -q "$T/big.tar" big:1
	mkdir "$T/small"
	run -0 unshare -m bash -c '
		mount -t tmpfs -o size=3m none "$T/small" || exit 9
		"$BOCK_IMAGE" --root "$T/small/s" import "$T/big.tar" big:1 && exit 1
		find "$T/small/s" -path "*/blobs/*/*" -o -name "*.part" | grep . && exit 2
		"$BOCK_IMAGE" --root "$STORE" unpack big:1 "$T/small/b" -- x && exit 3
		[ ! -e "$T/small/b" ] || exit 4
		"$BOCK_IMAGE" --root "$T/small/s" import -q "$T/rootfs.tar" demo:1
	' <<<"" || fail "$output"
	assert_output -p "No space left"
}

@test "a store that is read-only can be listed, shown and unpacked, and is not changed" {
	need_root
	need_cmd unshare util-linux
	demo_image
	run -0 unshare -m bash -c '
		mount --bind "$STORE" "$STORE" && mount -o remount,ro,bind "$STORE" || exit 9
		"$BOCK_IMAGE" --root "$STORE" list >&2 && "$BOCK_IMAGE" --root "$STORE" inspect demo:1 >&2 &&
			"$BOCK_IMAGE" --root "$STORE" unpack demo:1 "$T/b" -- x || exit 1
		! "$BOCK_IMAGE" --root "$STORE" rm demo:1
	'
	assert_output -p "Read-only file system"
}

@test "the bundle runs under bock-runc and, unchanged, under runc" {
	need_root
	need_busybox
	need_program runc
	rootfs_make "$T/busybox"
	tar -C "$T/busybox" -cf "$T/busybox.tar" .
	bock_image import -q -c sh -c -c -c 'id -u; cat /etc/passwd | head -1; exit 7' "$T/busybox.tar" box:1
	bock_image unpack --user nobody box:1 "$T/b"
	run -7 bock_runc run -b "$T/b" "$ID"
	assert_output -p 65534
	assert_output -p "root:x:0:0"
	need_cmd runc
	run unshare -m runc --root "$T/runc" run -b "$T/b" "$ID-2"
	assert_status 7
	assert_output -p 65534
}

@test "unpack --rootless refuses a user that a map of one user does not have" {
	demo_image
	run -1 bock_image unpack --rootless --user 5 demo:1 "$T/b" -- x
	assert_output -p "has root only"
	[ ! -e "$T/b" ]
}

# ---- other tools ----------------------------------------------------------------------------------

@test "skopeo and umoci read the store in place" {
	need_cmd skopeo
	need_cmd umoci
	demo_image
	[ "$(skopeo inspect "oci:$STORE:demo:1" | jq -r .Digest)" = "$(bock_image list -q)" ]
	[ "$(umoci ls --layout "$STORE")" = demo:1 ]
}

@test "load: what skopeo writes (oci-archive, docker-archive, OCI layout), also through a pipe and compressed" {
	need_cmd skopeo
	demo_image
	digest=$(bock_image list -q)
	config=$(bock_image inspect --config demo:1 | sha256sum)
	skopeo copy -q "oci:$STORE:demo:1" "oci-archive:$T/a.tar:a:1"
	skopeo copy -q "oci:$STORE:demo:1" "docker-archive:$T/b.tar:b:1"
	skopeo copy -q "oci:$STORE:demo:1" "oci:$T/layout:c:1"
	gzip -k "$T/b.tar"
	STORE=$T/other
	run -0 bock_image load "$T/a.tar"
	assert_output "a:1 $digest"
	run -0 bock_image load "$T/b.tar"
	run -0 bock_image load "$T/layout"
	assert_output "c:1 $digest"
	run -0 bock_image load --name d:1 - <"$T/b.tar.gz"
	run -0 bash -c 'cat "$1" | "$BOCK_IMAGE" --root "$2" load --name e:1 -' - "$T/a.tar" "$STORE"
	assert_output "e:1 $digest"
	[ "$(bock_image inspect --config b:1 | sha256sum)" = "$config" ]
	for name in a:1 b:1 c:1; do
		run -0 bock_image unpack "$name" "$T/bundle-${name%:1}" -- x
		same_tree "$T/rootfs" "$T/bundle-${name%:1}/rootfs"
	done
}

@test "load: what podman saves in both formats" {
	need_root
	need_cmd podman
	need_cmd skopeo
	demo_image
	skopeo copy -q "oci:$STORE:demo:1" "docker-archive:$T/in.tar:localhost/pod:1"
	podman="podman --root $T/pod --runroot $T/podrun --storage-driver vfs"
	$podman load -q -i "$T/in.tar" >/dev/null 2>&1 || skip "podman does not load here ($podman load)"
	$podman save -q -o "$T/docker.tar" localhost/pod:1
	$podman save -q --format oci-archive -o "$T/oci.tar" localhost/pod:1
	STORE=$T/other
	for kind in docker oci; do
		run -0 bock_image load --replace "$T/$kind.tar"
		assert_output -e '^localhost/pod:1 sha256:'
		run -0 bock_image unpack localhost/pod:1 "$T/bundle-$kind" -- x
		same_tree "$T/rootfs" "$T/bundle-$kind/rootfs"
	done
}

@test "load: an umoci layout; a bundle of umoci's image" {
	need_cmd umoci
	umoci init --layout "$T/layout"
	umoci new --image "$T/layout:new"
	run -0 bock_image load "$T/layout"
	run -0 bock_image unpack new "$T/b" -- x
}

@test "load: an archive of Docker 25 and later (a layout with manifest.json on top)" {
	make_image "$T/layout" latest <<<'file a 1'
	jq '.manifests[0].annotations["io.containerd.image.name"] = "docker.io/library/d25:latest"' "$T/layout/index.json" >"$T/index"
	cp "$T/index" "$T/layout/index.json"
	echo '[{"Config":"blobs/sha256/x","RepoTags":["d25:latest"],"Layers":[]}]' >"$T/layout/manifest.json"
	tar -C "$T/layout" -cf "$T/d25.tar" blobs index.json manifest.json oci-layout
	run -0 bock_image load "$T/d25.tar"
	assert_output -e '^docker.io/library/d25:latest sha256:'
	run -0 bock_image inspect d25
}

@test "load: an old docker-archive, whose layers are links to layers" {
	demo_tar
	mkdir -p "$T/d/one" "$T/d/two"
	cp "$T/rootfs.tar" "$T/d/one/layer.tar"
	ln -s ../one/layer.tar "$T/d/two/layer.tar"
	id=$(sha256sum <"$T/rootfs.tar" | cut -d' ' -f1)
	printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["x"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}}' "$id" "$id" >"$T/d/c.json"
	printf '[{"Config":"c.json","RepoTags":["old:1","old:2"],"Layers":["one/layer.tar","two/layer.tar"]}]' >"$T/d/manifest.json"
	tar -C "$T/d" -cf "$T/d.tar" .
	run -0 bock_image load "$T/d.tar"
	[ "$(bock_image list -q | wc -l)" -eq 2 ]
	run -0 bock_image unpack old:2 "$T/b"
	same_tree "$T/rootfs" "$T/b/rootfs"
}

@test "load refuses archives without images, damaged ones, and more images than names" {
	need_cmd skopeo
	demo_image
	skopeo copy -q "oci:$STORE:demo:1" "oci-archive:$T/a.tar:a:1"
	skopeo copy -q "oci:$STORE:demo:1" "oci:$T/nameless"
	STORE=$T/other
	head -c 3000 "$T/a.tar" >"$T/cut.tar"
	run -1 bock_image load "$T/cut.tar"
	run -1 bock_image load "$T/rootfs.tar"
	assert_output -p "neither an OCI image layout"
	run -1 bock_image load "$T/rootfs"
	assert_output -p "not an OCI image layout"
	run -1 bock_image load "$T/nameless"
	assert_output -p "no name"
	run -0 bock_image load --name n:1 "$T/nameless"
	bock_image rm n:1
	bock_image gc -q
	[ -z "$(find "$STORE/blobs" -type f)" ]
}

@test "an unknown command is refused by its name" {
	run -1 bock_image pulll alpine
	assert_output -p "unknown command 'pulll', did you mean 'pull'?"
}

@test "without its helper bock-image lists and helps, and says what is missing for the rest" {
	demo_image demo:1
	cp "$BOCK_IMAGE" "$T/alone"
	run -0 "$T/alone" --root "$STORE" list -q
	run -0 "$T/alone" unpack --help
	assert_output -p --rootless
	run -0 "$T/alone" completion bash
	run -1 "$T/alone" --root "$STORE" unpack demo:1 "$T/b"
	assert_output -e "the program '/.*/bock-image-transfer', which does this, is not installed"
	[ ! -e "$T/b" ]
	# a mistake is refused before the helper is looked for
	run -1 "$T/alone" unpack demo:1
	assert_output -p 'requires at least 2 arguments'
}
