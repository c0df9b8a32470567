# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # status and output are bats'
#
# The same image, unpacked by bock-image and by umoci: the same tree, to the nanosecond and the attribute.

setup() {
	load ../helpers/common
	common_setup
	need_root
	need_cmd umoci
	need_cmd python3
}

teardown() {
	rm -rf "${U:-}"
	common_teardown
}

tree() { "$TOP/tests/helpers/tree-list" "$1" root; }

rich_image() { # LAYOUT
	"$TOP/tests/helpers/rich-image" "$1" rich:1
	: >"$T/probe"
	setfattr_probe || skip "the file system of $T keeps no user.* or no system.posix_acl_* attributes"
}

# $U: a folder that an ordinary user reaches, with the programs; $U/own is his
user_dir() {
	need_cmd setpriv util-linux
	U=$(mktemp -d)
	mkdir "$U/bock-image"
	cp "$BOCK_IMAGE" "$BOCK_BUILDDIR/bock-image/bock-image-transfer" "$U/bock-image"
	chmod 755 "$U"
	install -d -m 700 -o 65534 -g 65534 "$U/own"
	as_user "$U/bock-image/bock-image" --version >/dev/null || skip "a user does not reach $U"
	cd "$U/own" || return 1
}

as_user() {
	setpriv --reuid 65534 --regid 65534 --clear-groups env -u BOCK_IMAGE_ROOT HOME="$U/own" XDG_DATA_HOME= "$@"
}

setfattr_probe() {
	python3 -c 'import os, sys
os.setxattr(sys.argv[1], "user.probe", b"x")
os.setxattr(sys.argv[1], "system.posix_acl_access", bytes.fromhex("0200000001000600ffffffff04000400ffffffff20000400ffffffff"))' "$T/probe" 2>/dev/null
}

@test "an image of all that layers can hold is unpacked as by umoci" {
	rich_image "$STORE"
	run -0 bock_image unpack rich:1 "$T/b" -- x
	assert_output ''
	umoci unpack --image "$STORE:rich:1" "$T/u" >&2
	tree "$T/b/rootfs" >"$T/ours"
	tree "$T/u/rootfs" >"$T/theirs"
	diff "$T/ours" "$T/theirs" >&2
	# and it is what the image says: the comparison is no empty one
	[ "$(wc -l <"$T/ours")" -ge 35 ]
	for text in security.capability posix_acl_access posix_acl_default user.note trusted.mine \
		1500000002000000001 "'bin/su3' 0o104755 7 8" 0o42770 "-315619200000000000" "1,3 "; do
		grep -q -- "$text" "$T/ours" || fail "'$text' is not in the tree"
	done
	run -1 grep -e "'tmp'" -e "'gone/x'" -e "'opaque/low'" -e '[.]wh[.]' "$T/ours"
	# the hole is one here, which umoci fills
	[ "$(stat -c %b "$T/b/rootfs/var/sparse")" -lt 2048 ]
}

@test "rootless, the owners are noted as by umoci" {
	user_dir
	rich_image "$U/store"
	chmod -R a+rX "$U/store"
	run -0 as_user "$U/bock-image/bock-image" --root "$U/store" unpack rich:1 ours -- x
	assert_output -p "'/bin/sh': its owner 12:13 is not noted"
	assert_output -p "device '/dev/null' left out"
	as_user umoci unpack --rootless --image "$U/store:rich:1" theirs >&2
	tree ours/rootfs >"$T/ours"
	# umoci puts an empty file where a device can't be
	tree theirs/rootfs | grep -v "^'dev/null'" >"$T/theirs"
	diff "$T/ours" "$T/theirs" >&2
	grep -q "^'bin/su3' .*user.rootlesscontainers', '08071008'" "$T/ours"
	grep -q "^'sgid' .*user.rootlesscontainers', '08ffffffff0f1009'" "$T/ours"
}

@test "rootless, an owner is noted of what its owner may not write to, and a layer's own note is not taken over" {
	user_dir
	"$TOP/tests/helpers/make-image" "$U/store" r:1 <<-'END'
		file f x mode=444 uid=5 gid=6 xattr.user.a=b
		dir d mode=555 uid=3
		file d/x x
		file liar x xattr.user.rootlesscontainers=lie
	END
	chmod -R a+rX "$U/store"
	as_user "$U/bock-image/bock-image" --root "$U/store" unpack r:1 b -- x
	run -0 tree b/rootfs
	assert_output -e "'f' 0o100444 .*'user.a', '62'.*'user.rootlesscontainers', '08051006'"
	assert_output -e "'d' 0o40555 .*'user.rootlesscontainers', '080310ffffffff0f'"
	assert_output -e "'liar' [^']*'-' \[\]"
}

@test "what is repacked is read by umoci and skopeo, and what umoci repacked is the same" {
	need_cmd skopeo
	need_cmd jq
	rich_image "$STORE"
	bock_image unpack rich:1 "$T/b" -- x
	umoci unpack --image "$STORE:rich:1" "$T/u" >&2
	for rootfs in "$T/b/rootfs" "$T/u/rootfs"; do
		(
			cd "$rootfs"
			rm -r hl opaque
			rm bin/sh
			mkdir bin/sh opaque
			echo z >opaque/new
			ln bin/su bin/su9
			chown 5:6 etc/passwd
			mkfifo bin/fifo
			python3 -c 'import os; os.setxattr("bin/new", "user.k", b"v")'
			touch -d @1600000000.25 bin/sh opaque opaque/new bin/fifo
			touch -d @1600000001 bin opaque etc .
		)
	done
	bock_image repack -q "$T/b" ours:1
	umoci repack --image "$STORE:theirs" "$T/u" >&2
	tree "$T/b/rootfs" >"$T/changed"
	umoci unpack --image "$STORE:ours:1" "$T/u2" >&2
	tree "$T/u2/rootfs" | diff "$T/changed" - >&2
	# times of umoci's layers are rounded to seconds
	bock_image unpack theirs "$T/b2" -- x
	tree "$T/b2/rootfs" | sed -E 's/ (-?[0-9]+)[0-9]{9} / \1 /' >"$T/theirs"
	sed -E 's/ (-?[0-9]+)[0-9]{9} / \1 /' "$T/changed" | diff - "$T/theirs" >&2
	skopeo copy -q "oci:$STORE:ours:1" "dir:$T/dir" >&2
	[ "$(jq '.layers | length' "$T/dir/manifest.json")" = 4 ]
}
