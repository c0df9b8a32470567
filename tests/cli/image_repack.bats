#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image repack: what was changed in a bundle becomes a layer, and the image that has it unpacks to what the bundle was.

setup() {
	load ../helpers/common
	common_setup
	need_root
	need_program image
	need_cmd python3
	need_cmd jq
	export T STORE TOP
}

teardown() {
	common_teardown
	[ -z "${U-}" ] || rm -rf "$U"
}

tree() { "$TOP/tests/helpers/tree-list" "$1" root; }

# same_tree BUNDLE IMAGE [unpack's options]
same_tree() {
	local bundle=$1 image=$2
	shift 2
	rm -rf "$T/again"
	bock_image unpack "$@" "$image" "$T/again" -- x
	# of a directory that no layer names, the time is when it was made
	tree "$bundle/rootfs" | sed -E "/^'implicit' /s/ [0-9]{19} / now /" >"$T/tree.changed"
	tree "$T/again/rootfs" | sed -E "/^'implicit' /s/ [0-9]{19} / now /" >"$T/tree.again"
	[ "$(wc -l <"$T/tree.again")" -gt 3 ]
	diff "$T/tree.changed" "$T/tree.again" >&2
}

# what the topmost layer of an image holds, one name a line
top_layer() {
	local digest
	digest=$(bock_image inspect --raw "$1" | jq -r '.layers[-1].digest')
	python3 -c 'import sys, tarfile
for e in tarfile.open(sys.argv[1]):
    print(e.name, "->" + e.linkname if e.linkname else "")' "$STORE/blobs/sha256/${digest#sha256:}" | sed 's/ $//'
}

digest_of() { # NAME
	jq -r --arg name "$1" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $name).digest' "$STORE/index.json"
}

small() { # NAME
	"$TOP/tests/helpers/make-image" "$STORE" "$1" <<-'END'
		dir . mtime=1500000000
		dir d mode=750 uid=3 gid=4
		file d/one one mtime=1500000001.5
		file d/two two
		dir d/sub
		file d/sub/deep deep
		dir e
		file e/a shared uid=7 mode=640
		hardlink e/b e/a
		symlink to d/one
		file implicit/x x
	END
}

unpack() { bock_image unpack "$1" "$T/b" -- x; }

@test "every kind of change comes back" {
	"$TOP/tests/helpers/rich-image" "$STORE" rich:1
	unpack rich:1
	cd "$T/b/rootfs"
	echo new >new
	touch -d '1960-01-01 00:00:00.25' new
	touch -d '2001-01-01 00:00:00.000000001' etc/user
	rm -r hl
	ln bin/su bin/su9
	chown 5:6 etc/passwd
	chmod 6711 etc/user2
	mknod dev/block b 8 3
	mkdir -m 1733 d
	mkfifo d/fifo
	ln -s ../nowhere d/link
	rm bin/sh secret fifo
	mkdir bin/sh
	echo z >bin/sh/z
	rm -r replaced opaque
	echo file >replaced
	mkdir opaque
	echo o >opaque/o
	mv var/sparse var/moved
	python3 -c 'import os
os.setxattr("bin/new", "user.k", b"a\0b")
os.setxattr("bin/ping", "user.k", b"v")
os.setxattr("d", "user.d", b"")
os.removexattr("etc/user", "user.note")
os.mkdir(b"\xff\n")
os.mkdir("x" * 200)
open("x" * 200 + "/" + "y" * 200, "w").close()'
	cd "$T"
	tree "$T/b/rootfs" >"$T/before"
	SOURCE_DATE_EPOCH=1600000000 run -0 --separate-stderr bock_image repack --author me -m why --created-by vi "$T/b" new:1
	[[ $output =~ ^new:1\ sha256:[0-9a-f]{64}$ ]]
	[ -z "$stderr" ]
	same_tree "$T/b" new:1
	# the bundle is as it was, and nothing is left in it
	tree "$T/b/rootfs" | diff "$T/before" - >&2
	run -0 ls -A "$T/b"
	assert_output $'bock-bundle.json\nconfig.json\nrootfs'
	run -0 bock_image fsck
	# the same bytes again
	local first
	first=$(digest_of new:1)
	SOURCE_DATE_EPOCH=1600000000 bock_image repack -q --author me -m why --created-by vi "$T/b" new:2
	[ "$(digest_of new:2)" = "$first" ]
	run -0 bock_image inspect --config new:1
	[ "$(jq -cS '.history[-1]' <<<"$output")" = '{"author":"me","comment":"why","created":"2020-09-13T12:26:40Z","created_by":"vi"}' ]
	[ "$(jq -r '.created' <<<"$output")" = 2020-09-13T12:26:40Z ]
	[ "$(jq '.rootfs.diff_ids | length' <<<"$output")" = 4 ]
}

@test "a layer holds what was changed and no more, whiteouts behind their directory" {
	small s:1
	unpack s:1
	cd "$T/b/rootfs"
	echo ONE >d/one
	rm -r d/sub
	rm d/two
	mkdir d/new
	cd "$T"
	run -0 bock_image repack "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'d\nd/.wh.sub\nd/.wh.two\nd/new\nd/one'
	same_tree "$T/b" s:2
	# the next one is of the image that it was made of, with a layer more
	rm -rf "$T/b"
	unpack s:2
	rm "$T/b/rootfs/implicit/x"
	run -0 bock_image repack --compression none "$T/b" s:3
	run -0 top_layer s:3
	assert_output $'implicit\nimplicit/.wh.x'
	run -0 bock_image inspect --raw s:3
	[ "$(jq -c '[.layers[].mediaType | sub(".*v1."; "")]' <<<"$output")" = '["tar+gzip","tar+gzip","tar"]' ]
	same_tree "$T/b" s:3
}

@test "without a change there is no layer: the image gets one more name" {
	small s:1
	unpack s:1
	run -0 --separate-stderr bock_image repack "$T/b" s:2
	[ "$output" = "s:2 $(digest_of s:1)" ]
	[[ $stderr == *"nothing was changed in '$T/b'"* ]]
	[ "$(digest_of s:2)" = "$(digest_of s:1)" ]
	# of a directory that no layer names, the time is nobody's
	touch "$T/b/rootfs/implicit"
	bock_image repack -q "$T/b" s:2 2>/dev/null
	[ "$(digest_of s:2)" = "$(digest_of s:1)" ]
}

@test "content that was changed behind the same size and times is found" {
	small s:1
	unpack s:1
	touch -r "$T/b/rootfs/d/one" "$T/time"
	printf eno | dd of="$T/b/rootfs/d/one" conv=notrunc status=none
	touch -r "$T/time" "$T/b/rootfs/d/one"
	bock_image repack -q "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'d\nd/one'
	same_tree "$T/b" s:2
}

@test "names of one file come together, with its owner" {
	small s:1
	unpack s:1
	ln "$T/b/rootfs/e/b" "$T/b/rootfs/z"
	bock_image repack -q "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'.\ne\ne/a\ne/b ->e/a\nz ->e/a'
	same_tree "$T/b" s:2
	local digest
	digest=$(bock_image inspect --raw s:2 | jq -r '.layers[-1].digest')
	run -0 python3 -c 'import sys, tarfile
print([(e.name, e.uid, oct(e.mode)) for e in tarfile.open(sys.argv[1]) if e.islnk()])' "$STORE/blobs/sha256/${digest#sha256:}"
	assert_output "[('e/b', 7, '0o640'), ('z', 7, '0o640')]"
	# one of them is another file now
	rm "$T/b/rootfs/e/a"
	echo other >"$T/b/rootfs/e/a"
	bock_image repack -q "$T/b" s:3
	same_tree "$T/b" s:3
	# the first is gone
	rm "$T/b/rootfs/e/a"
	bock_image repack -q "$T/b" s:4
	same_tree "$T/b" s:4
}

# $U/own: a folder of an ordinary user's, with the programs beside it
user_dir() {
	need_cmd setpriv util-linux
	U=$(mktemp -d)
	mkdir "$U/bock-image"
	cp "$BOCK_IMAGE" "$BOCK_BUILDDIR/bock-image/bock-image-transfer" "$U/bock-image"
	chmod 755 "$U"
	install -d -m 700 -o 65534 -g 65534 "$U/own"
	as_user "$U/bock-image/bock-image" --version >/dev/null || skip "a user does not reach $U"
}

as_user() {
	(cd "$U/own" && setpriv --reuid 65534 --regid 65534 --clear-groups env -u BOCK_IMAGE_ROOT HOME="$U/own" XDG_DATA_HOME= "$@")
}

@test "a user's bundle keeps the owners that its files are noted to have" {
	user_dir
	"$TOP/tests/helpers/make-image" "$U/own/store" r:1 <<-'END'
		dir . mtime=1500000000
		dir d mode=555 uid=3
		file d/x x uid=5 gid=6
		file secret x mode=000 uid=9
		file gone x
		char dev/null 1 3
	END
	chown -R 65534:65534 "$U/own"
	local image=("$U/bock-image/bock-image" --root store)
	as_user "${image[@]}" unpack r:1 b -- x 2>/dev/null
	as_user sh -c 'cd b/rootfs && rm gone && echo new >new && chmod 400 d/x'
	run -0 as_user "${image[@]}" repack b r:2
	as_user "${image[@]}" unpack r:2 again -- x 2>/dev/null
	tree "$U/own/b/rootfs" >"$T/1"
	tree "$U/own/again/rootfs" >"$T/2"
	diff "$T/1" "$T/2" >&2
	# by root, with the owners of the image and the device that was never there
	STORE=$U/own/store
	bock_image unpack r:2 "$T/b" -- x
	run -0 stat -c '%n %u:%g %a %F' "$T/b/rootfs/d" "$T/b/rootfs/d/x" "$T/b/rootfs/new" "$T/b/rootfs/secret" "$T/b/rootfs/dev/null"
	assert_output "$T/b/rootfs/d 3:0 555 directory
$T/b/rootfs/d/x 5:6 400 regular file
$T/b/rootfs/new 0:0 644 regular file
$T/b/rootfs/secret 9:0 0 regular file
$T/b/rootfs/dev/null 0:0 644 character special file"
	[ ! -e "$T/b/rootfs/gone" ]
	# a bundle of root's is not his
	bock_image unpack r:1 "$U/own/roots" -- x
	run -1 as_user "${image[@]}" repack roots r:3
	assert_output -p "root unpacked it"
}

@test "mapped owners are mapped back" {
	small s:1
	bock_image unpack --uid-map 0:100000:1000 s:1 "$T/b" -- x
	[ "$(stat -c %u:%g "$T/b/rootfs/d")" = 100003:100004 ]
	echo x >"$T/b/rootfs/d/new"
	chown 100009:100010 "$T/b/rootfs/d/new"
	bock_image repack -q "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'d\nd/new'
	same_tree "$T/b" s:2 --uid-map 0:100000:1000
	bock_image unpack s:2 "$T/plain" -- x
	[ "$(stat -c %u:%g "$T/plain/rootfs/d/new")" = 9:10 ]
	chown 5:5 "$T/b/rootfs/d/new"
	run -1 bock_image repack "$T/b" s:3
	assert_output -p "/d/new'"
	run -0 ls -A "$T/b"
	assert_output $'bock-bundle.json\nconfig.json\nrootfs'
}

@test "what can be in no layer is named" {
	small s:1
	unpack s:1
	python3 -c 'import os, socket, sys
os.chdir(sys.argv[1])
socket.socket(socket.AF_UNIX).bind("sock")' "$T/b/rootfs/d"
	run -0 bock_image repack "$T/b" s:2
	assert_output -p "'/d/sock': a socket can't be in a layer: left out"
	[ "$(grep -c sock <<<"$output")" = 1 ]
	echo >"$T/b/rootfs/d/.wh.one"
	run -1 bock_image repack "$T/b" s:3
	assert_output -p "'/d/.wh.one' can't be in a layer"
	run -1 bock_image inspect s:3
	rm "$T/b/rootfs/d/.wh.one"
	run -1 unshare -m bash -c 'mount -t tmpfs none "$1/rootfs/e" && "${@:2}"' - "$T/b" "$BOCK_IMAGE" --root "$STORE" repack "$T/b" s:3
	assert_output -p "something is mounted on '/e'"
}

@test "links and FIFOs of the bundle lead and wait nowhere" {
	small s:1
	unpack s:1
	cd "$T/b/rootfs"
	rm -r d e/a
	ln -s /etc d
	mkfifo e/a
	ln -s "$T" out
	cd "$T"
	run -0 timeout 20 "$BOCK_IMAGE" --root "$STORE" repack "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'.\nd ->/etc\ne\ne/a\ne/b\nout ->'"$T"
	same_tree "$T/b" s:2
	mv "$T/b/rootfs" "$T/b/real"
	ln -s real "$T/b/rootfs"
	run -1 bock_image repack "$T/b" s:3
	assert_output -p "open 'rootfs'"
}

@test "a bundle whose image is gone, or that none is known of, is refused" {
	small s:1
	unpack s:1
	echo x >"$T/b/rootfs/x"
	bock_image rm s:1
	bock_image gc >/dev/null
	run -1 bock_image repack "$T/b" s:2
	assert_output -p "the image that it was made of, 's:1' (sha256:"
	assert_output -p "is not whole in the store '$STORE'"
	small s:1
	bock_image repack -q "$T/b" s:2
	# the name is another image's: it is the digest that counts
	"$TOP/tests/helpers/make-image" "$STORE" s:1 <<<'file other x'
	bock_image repack -q "$T/b" s:3
	[ "$(bock_image inspect --raw s:2 | jq .layers)" = "$(bock_image inspect --raw s:3 | jq .layers)" ]
	rm "$T/b/bock-bundle.json"
	run -1 bock_image repack "$T/b" s:4
	assert_output -p "find the image that the bundle was made of: "
	assert_output -p "only bundles that 'bock-image unpack' made know it"
	run -1 bock_image repack "$T/none" s:4
	assert_output -p "repack '$T/none': open it: No such file or directory"
	run -1 bock_image repack "$T/b" 'NOT A NAME'
}

need_overlay() {
	grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip "this kernel has no overlayfs"
}

# in_root BUNDLE SCRIPT: in the bundle's root, which a runtime would mount; the script must fail where a command of it does
in_root() {
	unshare -m --propagation private bash -e -c '
		o=$(jq -r ".mounts[0] | select(.type == \"overlay\").options | join(\",\")" "$1/config.json")
		[ -z "$o" ] || mount -t overlay overlay -o "$o" "$1/rootfs"
		cd "$1/rootfs"
		eval "$2"' - "$@"
}

# the layer that a script makes of a bundle of each mode is the same; it must set the times of what it touches
same_layers() { # IMAGE SCRIPT
	local mode
	for mode in copy overlay; do
		rm -rf "${T:?}/$mode"
		bock_image unpack --mode "$mode" "$1" "$T/$mode" -- x 2>/dev/null
		in_root "$T/$mode" "$2"
		bock_image repack -q "$T/$mode" "$mode:2"
	done
	[ "$(bock_image inspect --raw copy:2 | jq '.layers | length')" -gt "$(bock_image inspect --raw "$1" | jq '.layers | length')" ]
	diff <(top_layer copy:2) <(top_layer overlay:2) >&2
	[ "$(bock_image inspect --raw copy:2 | jq .layers)" = "$(bock_image inspect --raw overlay:2 | jq .layers)" ]
}

@test "overlay: the layer is byte for byte that of a copy with the same change" {
	need_overlay
	"$TOP/tests/helpers/rich-image" "$STORE" rich:1
	same_layers rich:1 '
		echo new >new
		touch -d "2001-01-01 00:00:00.000000001" etc/user
		chown 5:6 etc/passwd
		chmod 6711 etc/user2
		echo longer >>etc/acl
		mknod dev/block b 8 3
		mkdir -m 1733 d
		mkfifo d/fifo
		echo 1 >d/one
		ln d/one d/two
		ln -s ../nowhere d/link
		rm -r secret fifo gone bin/sh
		mkdir bin/sh
		echo z >bin/sh/z
		rm -r replaced opaque etc/acld
		echo file >replaced
		mkdir opaque
		echo o >opaque/o
		mv var/sparse var/moved
		mkdir -p sgid/a/b
		python3 -c "import os
os.setxattr(\"bin/new\", \"user.k\", b\"a\\0b\")
os.setxattr(\"bin/ping\", \"user.k\", b\"v\")
os.setxattr(\"d\", \"user.d\", b\"\")
os.mkdir(b\"\\xff\\n\")"
		touch -h -d "2002-02-02 00:00:00.5" . new etc etc/acl dev dev/block d d/* bin/sh bin/sh/z bin replaced opaque opaque/o var sgid/a/b \
			sgid/a sgid $'"'\\xff\\n'"''
	# and it unpacks to what is mounted
	rm -rf "$T/again"
	bock_image unpack overlay:2 "$T/again" -- x
	tree "$T/again/rootfs" | sed -E "s/ 1[6-9][0-9]{17} / now /" >"$T/tree.again"
	in_root "$T/overlay" '"$TOP/tests/helpers/tree-list" . root' | sed -E "s/ 1[6-9][0-9]{17} / now /" >"$T/tree.over"
	[ "$(wc -l <"$T/tree.over")" -gt 30 ]
	# su2: overlayfs has lost that it is the file that su is, when the layers were kept
	run diff "$T/tree.over" "$T/tree.again"
	[ "$(grep -c '^[<>]' <<<"$output")" -eq 2 ] && [ "$(grep -c "^[<>] 'bin/su2'" <<<"$output")" -eq 2 ] || fail "$output"
	run -0 ls -A "$T/overlay"
	assert_output $'bock-bundle.json\nconfig.json\nrootfs\nupper\nwork'
}

@test "overlay: directories that were emptied, replaced, moved and made again; what overlayfs notes is in no layer" {
	need_overlay
	small s:1
	same_layers s:1 '
		rm -r d; mkdir d; mkdir d/sub; echo again >d/two
		mv e f
		rm -r implicit; echo file >implicit
		touch -d @1600000000 . d d/sub d/two f implicit'
	run -0 top_layer overlay:2
	assert_output $'.\n.wh.e\nd\nd/.wh.one\nd/sub\nd/sub/.wh.deep\nd/two\nf\nf/a\nf/b ->f/a\nimplicit'
	run -0 bock_image inspect --raw overlay:2
	[ "$(zcat "$STORE/blobs/sha256/$(jq -r '.layers[-1].digest | ltrimstr("sha256:")' <<<"$output")" | grep -ac overlay)" = 0 ]
	# nothing was changed; a container that only looked has changed nothing
	bock_image unpack --mode overlay s:1 "$T/b" -- x
	in_root "$T/b" 'cat d/one >/dev/null; touch -r d/one d/one; touch implicit/n; rm implicit/n'
	run -0 --separate-stderr bock_image repack "$T/b" s:2
	[[ $stderr == *"nothing was changed in '$T/b'"* ]]
	[ "$(digest_of s:2)" = "$(digest_of s:1)" ]
}

@test "overlay: hard links of the layers below that were written to" {
	need_overlay
	small s:1
	bock_image unpack --mode overlay s:1 "$T/b" -- x
	in_root "$T/b" 'echo one >e/a'
	bock_image repack -q "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'e\ne/a'
	bock_image unpack s:2 "$T/c" -- x
	[ "$(cat "$T/c/rootfs/e/a" "$T/c/rootfs/e/b")" = $'one\nshared' ]
	in_root "$T/b" 'rm e/a; ln e/b e/c; ln d/one z'
	bock_image repack -q "$T/b" s:3
	run -0 top_layer s:3
	assert_output $'.\nd\nd/one\ne\ne/.wh.a\ne/b\ne/c ->e/b\nz ->d/one'
	rm -rf "$T/c"
	bock_image unpack s:3 "$T/c" -- x
	tree "$T/c/rootfs" | sed -E "/^'implicit' /s/ [0-9]{19} / now /" >"$T/1"
	in_root "$T/b" '"$TOP/tests/helpers/tree-list" . root' | sed -E "/^'implicit' /s/ [0-9]{19} / now /" >"$T/2"
	diff "$T/1" "$T/2" >&2
}

@test "overlay: a socket, whiteouts by attribute, and what refers to the layers below" {
	need_overlay
	small s:1
	bock_image unpack --mode overlay s:1 "$T/b" -- x
	in_root "$T/b" 'rm d/one; python3 -c "import socket
socket.socket(socket.AF_UNIX).bind(\"d/one\")"; mkdir m; : >m/x'
	python3 -c 'import os, sys
os.chdir(sys.argv[1])
open("d/two", "w").close()
os.setxattr("d/two", "trusted.overlay.whiteout", b"")
open("d/not", "w").close()
os.setxattr("d/not", "user.overlay.whiteout", b"")' "$T/b/upper"
	run -0 bock_image repack "$T/b" s:2
	assert_output -p "'/d/one': a socket can't be in a layer: left out"
	[ "$(grep -c "'/d/one'" <<<"$output")" = 1 ]
	run -0 top_layer s:2
	assert_output $'.\nd\nd/.wh.one\nd/.wh.two\nd/not\nm\nm/x'
	python3 -c 'import os, sys
os.setxattr(sys.argv[1] + "/m", "trusted.overlay.redirect", b"/d")' "$T/b/upper"
	run -1 bock_image repack "$T/b" s:3
	assert_output -p "'/m' has overlayfs's attribute 'redirect': it was mounted with redirect_dir=on"
	python3 -c 'import os, sys
os.removexattr(sys.argv[1] + "/m", "trusted.overlay.redirect")
os.setxattr(sys.argv[1] + "/m/x", "trusted.overlay.metacopy", b"")' "$T/b/upper"
	run -1 bock_image repack "$T/b" s:3
	assert_output -p "'/m/x' has overlayfs's attribute 'metacopy'"
	run -1 bock_image inspect s:3
	[ ! -e "$T/b/.repack" ]
}

@test "overlay: a user's, whose attributes are in user.overlay" {
	need_overlay
	user_dir
	as_user unshare -Urm true || skip "a user can make no user namespace here"
	"$TOP/tests/helpers/make-image" "$U/own/store" r:1 <<-'END'
		dir . mtime=1500000000
		dir d uid=3
		file d/x x uid=5 gid=6
		file d/y y
		dir e
		file e/old x
		file gone x
	END
	chown -R 65534:65534 "$U/own"
	local image=("$U/bock-image/bock-image" --root store)
	as_user "${image[@]}" unpack --mode overlay r:1 b -- x
	as_user jq -e '.userxattr and .rootless and .overlay' b/bock-bundle.json
	jq -r '.mounts[0].options | join(",")' "$U/own/b/config.json" >"$U/own/options"
	as_user unshare -Urm bash -e -c 'mount -t overlay overlay -o "$(cat options)" b/rootfs
		cd b/rootfs; rm gone; rm -r e; mkdir e; echo n >e/new; echo new >new; chmod 600 d/x; : >d/empty; chmod 0 d/empty'
	run -0 as_user "${image[@]}" repack b r:2
	refute_output -p warning
	STORE=$U/own/store
	run -0 top_layer r:2
	assert_output $'.\n.wh.gone\nd\nd/empty\nd/x\ne\ne/.wh.old\ne/new\nnew'
	bock_image unpack r:2 "$T/b" -- x
	run -0 stat -c '%n %u:%g %a' "$T/b/rootfs/d" "$T/b/rootfs/d/x" "$T/b/rootfs/e" "$T/b/rootfs/new" "$T/b/rootfs/d/empty"
	assert_output "$T/b/rootfs/d 3:0 755
$T/b/rootfs/d/x 5:6 600
$T/b/rootfs/e 0:0 755
$T/b/rootfs/new 0:0 644
$T/b/rootfs/d/empty 0:0 0"
}

@test "--mask-path: changes at it and below it are left out" {
	small s:1
	unpack s:1
	cd "$T/b/rootfs"
	rm -r d/sub d/two
	echo n >d/new
	echo changed >d/one
	mkdir -p cache/deep
	echo x >cache/deep/x
	ln cache/deep/x z
	rm e/a
	cd "$T"
	run -0 bock_image repack --mask-path /d/sub --mask-path ./d/one/ --mask-path cache --mask-path e/a "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'.\nd\nd/.wh.two\nd/new\ne\nz'
	# a mount there is none of its business
	run -0 unshare -m bash -c 'mount -t tmpfs none "$1/rootfs/cache" && "${@:2}"' - "$T/b" "$BOCK_IMAGE" --root "$STORE" repack --mask-path cache "$T/b" s:3
	# a directory above it that is gone takes it along
	rm -r "$T/b/rootfs/d"
	bock_image repack -q --mask-path d/sub --mask-path cache "$T/b" s:3
	run -0 top_layer s:3
	assert_output $'.\n.wh.d\ne\ne/.wh.a\ne/b\nz'
	for bad in / . '' .. a/../b; do
		run -1 bock_image repack --mask-path "$bad" "$T/b" s:4
		assert_output -p "mask path '$bad'"
	done
}

@test "overlay: --mask-path" {
	need_overlay
	small s:1
	bock_image unpack --mode overlay s:1 "$T/b" -- x
	in_root "$T/b" 'rm -r d/sub e; mkdir e; echo x >e/b; echo n >d/new; rm d/two'
	run -0 bock_image repack --mask-path d/sub --mask-path e/a --mask-path d/new "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'.\nd\nd/.wh.two\ne\ne/b'
}

@test "one repack at a time, and what a killed one left goes with the next" {
	need_cmd flock util-linux
	small s:1
	unpack s:1
	mkdir -p "$T/b/.repack/rootfs/d"
	echo x >"$T/b/.repack/rootfs/d/old"
	run -1 flock "$T/b" "$BOCK_IMAGE" --root "$STORE" repack "$T/b" s:2
	assert_output -p "another repack is at work on it"
	rm "$T/b/rootfs/to"
	run -0 bock_image repack "$T/b" s:2
	run -0 top_layer s:2
	assert_output $'.\n.wh.to'
	[ ! -e "$T/b/.repack" ]
}
