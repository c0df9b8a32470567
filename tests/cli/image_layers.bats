#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Unpacked layers that the store keeps, and the bundles and mounts that are made of them: what they are is what the
# mode copy makes of the same image.

setup() {
	load ../helpers/common
	common_setup
	need_root
	need_program image
	need_cmd python3
	need_cmd unshare util-linux
	grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip "this kernel has no overlayfs"
	LAYERS=$STORE/.bock/layers
	export T STORE
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it can't where another process traces, as strike does
}

teardown() {
	common_teardown
	[ -z "${U-}" ] || rm -rf "$U"
}

# $U: a folder that an ordinary user reaches, with the programs; it is his
user_dir() {
	need_cmd setpriv util-linux
	U=$(mktemp -d)
	mkdir "$U/bock-image"
	cp "$BOCK_IMAGE" "$BOCK_BUILDDIR/bock-image/bock-image-transfer" "$U/bock-image"
	cp "$BOCK_RUNC" "$U/bock-runc"
	chown 65534:65534 "$U"
	chmod 755 "$U"
	as_user "$U/bock-image/bock-image" --version >/dev/null || skip "a user does not reach $U"
	as_user unshare -Urm true || skip "a user can make no user namespace here"
}

as_user() {
	setpriv --reuid 65534 --regid 65534 --clear-groups env -u BOCK_IMAGE_ROOT HOME="$U" XDG_DATA_HOME= XDG_RUNTIME_DIR= "$@"
}

make_image() { # NAME <script
	"$TOP/tests/helpers/make-image" "$STORE" "$@"
}

# merged BUNDLE [COMMAND...]: by the mount that config.json has, in a mount namespace of its own; $M is the root there
merged() {
	unshare -m --propagation private bash -c '
		o=$(jq -r ".mounts[0].options | join(\",\")" "$1/config.json")
		M=$1/rootfs; export M
		mount -t overlay overlay -o "$o" "$M" || exit 9
		shift
		eval "$@"' - "$@"
}

# same_as_copy IMAGE: an overlay bundle of it shows what a copy is
same_as_copy() {
	bock_image unpack --mode copy "$1" "$T/copy" -- x 2>/dev/null
	bock_image unpack --mode overlay "$1" "$T/over" -- x
	same_trees "$T/copy" "$T/over"
}

# Of directories that no entry names the time is when they were made: all times but make-image's own are left out.
same_trees() { # COPY OVERLAY
	list() { "$TOP/tests/helpers/tree-list" "$@" | sed -E '/ 1700000000000000000 /!s/ [0-9]{19} / now /'; }
	export -f list
	export TOP
	list "$1/rootfs" root >"$T/tree.copy"
	merged "$2" 'list "$M" root' >"$T/tree.over"
	[ "$(wc -l <"$T/tree.over")" -gt 3 ]
	diff "$T/tree.copy" "$T/tree.over" >&2
}

kept() { find "$LAYERS" -mindepth 1 -maxdepth 1 -name 'sha256-*' ! -name '*.lock' | wc -l; }

box_image() { # NAME [import's options]
	need_busybox
	rootfs_make "$T/busybox"
	tar -C "$T/busybox" -cf "$T/busybox.tar" .
	local name=$1
	shift
	bock_image import -q "$@" "$T/busybox.tar" "$name"
}

@test "overlay: an image of all that layers can hold is what a copy of it is" {
	"$TOP/tests/helpers/rich-image" "$STORE" rich:1
	run -0 bock_image unpack --mode copy rich:1 "$T/copy" -- x
	run -0 bock_image unpack --mode overlay rich:1 "$T/over" -- x
	# what overlayfs can't keep is said
	assert_output "bock-image: warning: hard link '/bin/su3' to '/bin/su': other names that it has in lower layers are files of their own by overlayfs"
	"$TOP/tests/helpers/tree-list" "$T/copy/rootfs" root >"$T/tree.copy"
	merged "$T/over" "$TOP/tests/helpers/tree-list \$M root" >"$T/tree.over"
	[ "$(wc -l <"$T/tree.over")" -ge 35 ]
	run diff "$T/tree.copy" "$T/tree.over"
	# su2 alone: the name of the lower layer
	[ "$(grep -c '^[<>]' <<<"$output")" -eq 2 ] && [ "$(grep -c "^[<>] 'bin/su2'" <<<"$output")" -eq 2 ] || fail "$output"
	[ "$(kept)" -eq 3 ]
	run -0 bock_image fsck
	assert_output -p ": 0 problems"
	assert_output -p "3 unpacked layers"
	# a second one shares them, and nothing is unpacked again
	ls -li --time-style=full-iso "$LAYERS"/sha256-*/done >"$T/before"
	run -0 bock_image unpack --mode overlay rich:1 "$T/two" -- x
	assert_output ''
	ls -li --time-style=full-iso "$LAYERS"/sha256-*/done | diff "$T/before" - >&2
	[ "$(stat -c %a "$T/two/upper")" = "$(stat -c %a "$T/copy/rootfs")" ]
}

@test "overlay: links in the middle of names, unnamed directories, whiteouts and what comes back, across layers" {
	make_image x:1 <<-'END'
		layer
		dir usr
		dir usr/bin mode=711 uid=4
		symlink bin usr/bin
		dir a mode=700 uid=7
		dir a/b mode=750
		file a/b/old old
		file a/keep keep
		dir gone
		file gone/x x
		file f x
		dir d
		dir d/sub
		file d/sub/x x
		layer
		file bin/new new mode=755
		file a/b/c/new new
		file a/b/.wh.old
		file .wh.gone
		dir f
		file f/in in
		layer
		dir gone
		file gone/back back
		file d/.wh.sub
		file a/b/old again
		file usr/.wh.bin
		layer
		dir d/sub mode=705
		file f now-a-file
		file usr/bin no-directory
	END
	same_as_copy x:1
	merged "$T/over" 'cat "$M/gone/back" "$M/a/b/old" "$M/usr/bin"; [ ! -e "$M/gone/x" ] && stat -c "%a %u" "$M/a" && ls "$M/d/sub"' >"$T/out"
	[ "$(cat "$T/out")" = "backagainno-directory700 7" ]
}

@test "overlay: the bundle runs under bock-runc and runc; it writes to its upper folder, and to no other bundle's" {
	need_program runc
	box_image box:1 -c sh -c -c -c 'cat /mark 2>/dev/null; echo "$0" >/mark; rm -f /bin/ls; id -u'
	bock_image unpack --mode overlay --user nobody box:1 "$T/n"
	run -0 bock_runc run -b "$T/n" "$ID-0"
	assert_output -p 65534
	for b in a b; do bock_image unpack --mode overlay box:1 "$T/$b" 2>&1; done
	run -0 bock_runc run -b "$T/a" "$ID-1"
	assert_output 0
	run -0 bock_runc run -b "$T/a" "$ID-2"
	assert_output $'sh\n0'
	run -0 bock_runc run -b "$T/b" "$ID-3"
	assert_output 0
	[ "$(cat "$T/a/upper/mark")" = sh ]
	[ -z "$(ls -A "$T/a/rootfs")" ]
	bock_image fsck >&2
	assert_no_leftovers
	need_cmd runc
	run -0 unshare -m runc --root "$T/runc" run -b "$T/a" "$ID-4"
	assert_output $'sh\n0'
	bock_image unpack --mode overlay --read-only box:1 "$T/ro"
	run -0 bock_runc run -b "$T/ro" "$ID-5"
	[ ! -e "$T/ro/upper/mark" ]
}

@test "overlay: a bundle of kept layers is made without the helper, and is what the helper makes" {
	need_cmd strace
	make_image x:1 <<-'END'
		config '{"config": {"User": "7:8", "Volumes": {"/data": {}}, "Env": ["A=b"]}}'
		layer
		dir data
		file data/a b
		layer
		file c d
	END
	traced() { strace -f -e trace=execve -o "$T/trace" "$BOCK_IMAGE" --root "$STORE" unpack --mode overlay "$@"; }
	traced x:1 "$T/first" -- x
	grep -q bock-image-transfer "$T/trace"
	traced --hostname h x:1 "$T/over" -- x
	run -1 grep bock-image-transfer "$T/trace"
	mv "$T/over" "$T/small"
	"$BOCK_BUILDDIR/bock-image/bock-image-transfer" --root "$STORE" unpack --mode overlay --hostname h x:1 "$T/over" -- x
	diff -r "$T/small" "$T/over"
	[ -e "$T/over/volumes/1/a" ]
	# the lowest layer is missing: the helper is asked, and keeps it again
	lower=$(jq -r '.mounts[0].options[0]' "$T/first/config.json")
	rm -r "$(dirname "${lower##*:}")"
	traced x:1 "$T/again" -- x
	grep -q bock-image-transfer "$T/trace"
	[ "$(find "$LAYERS" -maxdepth 1 -name 'sha256-*[0-9a-f]' | wc -l)" -eq 2 ]
	# what is wrong is said in the same words
	make_image bare:1 <<<"config '{\"config\": {\"Cmd\": [\"x\"]}}'"
	for words in "x:1 $T/over" "x:1 $T/n" "x:1 $T/n,o -- x" "x:1 $T/no/n -- x" "bare:1 $T/n" "nothing:1 $T/n" \
		"--memory 0 x:1 $T/n" "--max-depth 9999 x:1 $T/n" "--uid-map 0:1:2 x:1 $T/n"; do
		# shellcheck disable=SC2086
		run -1 bock_image unpack --mode overlay $words
		small=$output
		# shellcheck disable=SC2086
		run -1 "$BOCK_BUILDDIR/bock-image/bock-image-transfer" --root "$STORE" unpack --mode overlay $words
		[ "$output" = "$small" ] || fail "$words: '$small', and '$output'"
		[ ! -e "$T/n" ]
		[ ! -e "$T/n,o" ]
	done
}

@test "overlay: a user's, who mounts in a namespace of his own" {
	user_dir
	need_busybox
	rootfs_make "$T/busybox"
	tar -C "$T/busybox" -cf "$T/busybox.tar" .
	chmod 644 "$T/busybox.tar"
	cp "$T/busybox.tar" "$U/"
	cd "$U"
	img() { as_user "$U/bock-image/bock-image" --root "$U/store" "$@"; }
	img import -q -c sh -c -c -c 'cat /mark 2>/dev/null; echo x >/mark; rm -f /bin/ls; ls /opq; id -u' "$U/busybox.tar" box:1
	"$TOP/tests/helpers/make-image" "$U/store2" u:1 <<-'END'
		layer
		dir opq
		file opq/low low
		file su x mode=4755 uid=12
		file closed x mode=000
		dir shut mode=000
		char null 1 3
		layer
		dir opq
		file opq/.wh..wh..opq
		file opq/high high
		file .wh.su
		char dev0 0 0
	END
	chmod -R a+rX "$U/store2"
	cp -r "$U/store2" "$U/store3"
	chown -R 65534:65534 "$U/store3"
	run -0 as_user "$U/bock-image/bock-image" --root "$U/store3" unpack --mode overlay u:1 "$U/ov" -- x
	assert_output -p "device '/null' left out: only root makes devices"
	assert_output -p "device '/dev0' left out: 0:0 is what overlayfs takes for a whiteout"
	run -0 as_user "$U/bock-image/bock-image" --root "$U/store3" fsck
	assert_output -p "0 problems"
	run -0 as_user "$U/bock-image/bock-image" --root "$U/store3" unpack u:1 "$U/copy" -- x
	jq -r '.mounts[0].options | join(",")' "$U/ov/config.json" >"$U/options"
	grep -q userxattr "$U/options"
	list() { "$TOP/tests/helpers/tree-list" "$1" root; }
	list "$U/copy/rootfs" >"$T/tree.copy"
	# seen by root of the user's namespace, ids mapped back; root of ours may read all
	as_user unshare -Urm bash -c 'mount -t overlay overlay -o "$(cat options)" ov/rootfs && cd ov/rootfs && ls -A . opq && stat -c "%a" closed shut' >"$T/seen"
	[ "$(cat "$T/seen")" = $'.:\nclosed\nopq\nshut\n\nopq:\nhigh\n0\n0' ]
	(cd "$U/copy/rootfs" && ls -A . opq && stat -c "%a" closed shut) | diff - "$T/seen" >&2
	# and it runs
	img unpack --mode overlay box:1 b
	run -0 as_user "$U/bock-runc" --root "$U/state" run -b b "$ID"
	assert_output -p 0
	[ -e "$U/b/upper/mark" ]
	run -0 as_user "$U/bock-runc" --root "$U/state" run -b b "$ID"
	assert_output $'x\nls: /opq: No such file or directory\n0'
}

@test "gc: kept layers go with their images and bundles, and what builders left that died" {
	make_image a:1 <<-'END'
		layer
		file base x
		layer
		file two x
	END
	bock_image unpack --mode overlay a:1 "$T/b" -- x
	[ "$(kept)" -eq 2 ]
	mkdir -p "$LAYERS/tmp-0123456789abcdef/fs/x" "$LAYERS/tmp-0123456789abcdef/work/work"
	run -0 bock_image gc -n
	assert_output -p "would remove 0 unpacked layers; kept 2"
	run -0 bock_image gc
	assert_output -p "removed 0 unpacked layers; kept 2"
	[ ! -e "$LAYERS/tmp-0123456789abcdef" ]
	bock_image rm a:1
	run -0 bock_image gc
	assert_output -p "removed 0 unpacked layers; kept 2"
	[ "$(bock_image df --json | jq .blobs)" -eq 0 ]
	merged "$T/b" 'ls "$M"' >"$T/out"
	[ "$(cat "$T/out")" = $'base\ntwo' ]
	run -0 bock_image fsck
	# another folder in its place is not the bundle
	mv "$T/b" "$T/elsewhere"
	mkdir -p "$T/b/upper"
	run -0 bock_image gc
	assert_output -p "removed 2 unpacked layers; kept 0"
	[ "$(kept)" -eq 0 ]
	[ -z "$(ls "$LAYERS/uses")" ]
}

@test "gc: layers that only an image needs go with --layers" {
	make_image a:1 <<<"file a x"
	bock_image unpack --mode overlay a:1 "$T/b" -- x
	make_image b:1 <<<"file b x"
	bock_image unpack --mode overlay b:1 "$T/c" -- x
	rm -rf "$T/c"
	run -0 bock_image gc
	assert_output -p "removed 0 unpacked layers; kept 2"
	run -0 bock_image gc --layers
	assert_output -p "removed 1 unpacked layers; kept 1"
	bock_image unpack --mode overlay b:1 "$T/c" -- x
	[ "$(kept)" -eq 2 ]
}

@test "fsck: a kept layer that was changed, one without its marker, a bundle whose layers are gone" {
	make_image a:1 <<-'END'
		layer
		file base x
		file other x xattr.user.a=b
		layer
		file two x
	END
	bock_image unpack --mode overlay a:1 "$T/b" -- x
	layer=$(dirname "$(find "$LAYERS" -path '*/fs/base')")
	for change in 'chmod 600 base' 'touch -d @1 base' 'echo y >>base; touch -r other base' 'ln base link' 'python3 -c "import os; os.setxattr(\"other\", \"user.a\", b\"c\")"' 'chown 1 .' 'rm base'; do
		cp -a "$layer" "$T/fs"
		(cd "$layer" && eval "$change")
		run -1 bock_image fsck
		assert_output -p "its tree was changed"
		run -0 bock_image fsck --quick
		rm -rf "$layer"
		cp -a "$T/fs" "$layer"
		rm -rf "$T/fs"
		run -0 bock_image fsck
	done
	mv "$layer/../done" "$T/done"
	run -1 bock_image fsck
	assert_output -p "unpacked layer 'sha256-"
	run -1 bock_image unpack --mode overlay a:1 "$T/c" -- x
	assert_output -p "gc --layers removes it"
	[ ! -e "$T/c" ]
	mv "$T/done" "$layer/../done"
	mv "$(dirname "$layer")" "$T/away"
	run -1 bock_image fsck --json
	[ "$(jq -r '.problems[0].problem' <<<"$output")" = "the bundle '$T/b' needs the unpacked layer '$(basename "$(dirname "$layer")")', which is gone" ] || fail "$output"
}

@test "two processes that unpack the same layers have them once" {
	make_image a:1 <<-'END'
		layer
		file base x
		empty big 20000000
		layer
		file two x
		layer
		file three x
	END
	for i in 1 2 3 4; do
		bock_image --debug unpack --mode overlay a:1 "$T/b$i" -- x 2>"$T/log$i" &
		pids[i]=$!
	done
	for i in 1 2 3 4; do wait "${pids[i]}"; done
	[ "$(kept)" -eq 3 ]
	[ -z "$(find "$LAYERS" -name 'tmp-*')" ]
	# each layer was unpacked by one of them
	[ "$(sed -n 's/.* \([0-9]*\) entries.*/\1/p' "$T"/log? | paste -sd+ | bc)" -eq 4 ] || fail "$(cat "$T"/log?)"
	run -0 bock_image fsck
}

@test "a kill at any call leaves nothing that gc does not remove, and no half layer" {
	STRIKE=$BOCK_BUILDDIR/tests/crash/strike
	[ -x "$STRIKE" ] || STRIKE=$TOP/build/tests/crash/strike
	[ -x "$STRIKE" ] || skip "tests/crash/strike is not built (make check TESTS=)"
	make_image a:1 <<-'END'
		layer
		file base x
		layer
		file two x
		file .wh.base
	END
	"$STRIKE" --report "$T/calls" --execs 2 "$BOCK_IMAGE" --root "$STORE" unpack --mode overlay a:1 "$T/b" -- x >&2 || fail "$(head "$T/calls")"
	calls=$(grep -c '^0' "$T/calls")
	[ "$calls" -gt 100 ]
	rm -rf "$T/b" "$LAYERS"
	# from where it begins to write, a dozen points
	from=$(grep -n mkdirat "$T/calls" | head -1 | cut -d: -f1)
	for ((at = from; at < calls; at += (calls - from) / 12 + 1)); do
		"$STRIKE" --at "0:$at" --kill tree --execs 2 "$BOCK_IMAGE" --root "$STORE" unpack --mode overlay a:1 "$T/b" -- x >/dev/null 2>&1 || true
		rm -rf "$T/b"
		run -0 bock_image fsck
		run -0 bock_image gc --layers
		[ -z "$(find "$LAYERS" -mindepth 1 -maxdepth 1 ! -name empty ! -name uses 2>/dev/null)" ] || fail "at $at: $(find "$LAYERS")"
		[ -z "$(ls "$LAYERS/uses" 2>/dev/null)" ]
	done
	bock_image unpack --mode overlay a:1 "$T/b" -- x
	merged "$T/b" 'ls "$M"' >"$T/out"
	[ "$(cat "$T/out")" = two ]
}

# A folder that could be read in part only must not pass for all of it: gc would remove layers that a bundle needs, and a
# layer would be noted with the metadata of a part.
@test "a folder that can't be read to its end is an error, and no layer is lost or noted wrongly" {
	STRIKE=$BOCK_BUILDDIR/tests/crash/strike
	[ -x "$STRIKE" ] || STRIKE=$TOP/build/tests/crash/strike
	[ -x "$STRIKE" ] || skip "tests/crash/strike is not built (make check TESTS=)"
	make_image a:1 <<-'END'
		layer
		dir base
		file base/one x
		layer
		dir base
		file base/.wh..wh..opq
		file two x
	END
	# every_getdents PATTERN COMMAND...: struck at the first call of each folder that fits, then $after
	every_getdents() {
		local pattern=$1 at hit n=0
		shift
		"$STRIKE" --report "$T/calls" "$BOCK_IMAGE" --root "$STORE" "$@" >&2
		eval "$after"
		for at in $(awk -F'\t' -v p="$pattern" '$3 == "getdents64" && $5 ~ p && !seen[$1 $5]++ { print $1 ":" $2 }' "$T/calls"); do
			# threads, and a sanitizer, make calls of their own: what was struck may be another one
			for _ in 1 2 3 4 5; do
				run "$STRIKE" --report "$T/struck" --at "$at" --fault EIO "$BOCK_IMAGE" --root "$STORE" "$@"
				hit=$(cut -f3 "$T/struck")
				[ "$hit" != getdents64 ] || [ "$status" -eq 0 ] || assert_output -p "Input/output error"
				eval "$after"
				[ "$hit" != getdents64 ] || break
			done
			[ "$hit" != getdents64 ] || n=$((n + 1))
		done
		[ "$n" -ge "$least" ] || fail "struck $n times: $(grep getdents "$T/calls")"
	}
	least=6 after='rm -rf "$T/b"; run -0 bock_image fsck; run -0 bock_image gc --layers'
	every_getdents . unpack --mode overlay a:1 "$T/b" -- x
	bock_image unpack --mode overlay a:1 "$T/b" -- x
	bock_image rm a:1
	bock_image gc -q # so that the next has nothing to do, and the same calls
	least=2 after='[ "$(kept)" -eq 2 ] || fail "it has removed layers that a bundle needs"; run -0 bock_image fsck'
	every_getdents '/layers' gc -q
	least=2 after=
	every_getdents '/layers' fsck
	[ "$status" -ne 0 ]
}

@test "attack: an image's trusted.overlay.* and user.overlay.* attributes and its devices 0:0 mean nothing" {
	make_image evil:1 <<-'END'
		layer
		dir d
		file d/low low
		dir real
		file real/secret x
		file f low
		layer
		dir d xattr.trusted.overlay.opaque=y xattr.user.overlay.opaque=y
		dir moved xattr.trusted.overlay.redirect=/real xattr.user.overlay.redirect=/real
		file f2 x xattr.trusted.overlay.metacopy= xattr.trusted.overlay.redirect=/f
		char white 0 0
		layer
		char f 0 0
	END
	run -0 bock_image unpack --mode overlay evil:1 "$T/b" -- x
	assert_output -p "device '/white' left out: 0:0 is what overlayfs takes for a whiteout"
	merged "$T/b" 'cat "$M/d/low" "$M/f2"; ls "$M/moved"' >"$T/out"
	[ "$(cat "$T/out")" = lowx ]
	merged "$T/b" 'ls -A "$M"' >"$T/out"
	# the device took the place of f before it was left out
	[ "$(tr '\n' ' ' <"$T/out")" = "d f2 moved real " ]
	run -1 grep -rl redirect "$LAYERS"
	[ -z "$(find "$LAYERS" -path '*/fs/*' -exec python3 -c 'import os, sys
for p in sys.argv[1:]:
    for x in os.listxattr(p, follow_symlinks=False):
        if "redirect" in x or "metacopy" in x: print(p, x)' {} +)" ]
}

@test "attack: links to outside, whiteouts and setuid through layers stay in the layers" {
	OUT=$T/outside
	mkdir "$OUT"
	echo untouched >"$OUT/victim"
	chmod 640 "$OUT/victim"
	touch -d @1000000000 "$OUT/victim" "$OUT"
	before=$(find "$OUT" -printf '%p %m %U %G %T@ %s %n\n'; cat "$OUT/victim")
	make_image evil:1 <<-END
		layer
		symlink etc $OUT
		symlink deep ../../../../../../../../..$OUT
		file su x mode=4755
		dir dir
		layer
		file etc/victim evil
		file etc/.wh.victim
		file deep/.wh.victim
		file .wh.su
		symlink dir $OUT
		layer
		file dir/victim evil mode=4777
		hardlink mine dir/victim
		file dir/.wh..wh..opq
		file su y
	END
	run -0 bock_image unpack --mode overlay evil:1 "$T/b" -- x
	[ "$(find "$OUT" -printf '%p %m %U %G %T@ %s %n\n'; cat "$OUT/victim")" = "$before" ]
	merged "$T/b" 'stat -c %a "$M/su"; cat "$M/su"' >"$T/out"
	[ "$(cat "$T/out")" = $'644\ny' ]
	bock_image unpack --mode copy evil:1 "$T/copy" -- x
	same_trees "$T/copy" "$T/b"
	[ "$(find "$OUT" -printf '%p %m %U %G %T@ %s %n\n'; cat "$OUT/victim")" = "$before" ]
}

@test "a layer that is refused is not kept" {
	make_image bad:1 <<-'END'
		layer
		file ok x
		layer
		break diffid
		file two x
	END
	run -1 bock_image unpack --mode overlay bad:1 "$T/b" -- x
	[ ! -e "$T/b" ]
	[ "$(kept)" -eq 1 ]
	[ -z "$(find "$LAYERS" -name 'tmp-*')" ]
	run -1 bock_image unpack --mode overlay bad:1 "$T/b" -- x
	[ "$(kept)" -eq 1 ]
}

@test "what a mode can't do is an error that says the way out" {
	make_image a:1 <<<"file a x"
	run -1 bock_image unpack --mode overlay a:1 "$T/a,b" -- x
	assert_output -p "--mode copy takes any"
	[ ! -e "$T/a,b" ]
	run -1 bock_image unpack --mode nonsense a:1 "$T/b" -- x
	mkdir "$T/tmpfs"
	run -1 unshare -m --propagation private sh -c 'mount -t tmpfs none "$T/tmpfs" && "$BOCK_IMAGE" --root "$STORE" unpack --mode reflink a:1 "$T/tmpfs/b" -- x'
	assert_output -p "can't share blocks"
	assert_output -p "--mode auto copies where it must"
	run -0 unshare -m --propagation private sh -c 'mount -t tmpfs none "$T/tmpfs" && "$BOCK_IMAGE" --root "$STORE" unpack --mode auto a:1 "$T/tmpfs/b" -- x && cat "$T/tmpfs/b/rootfs/a"'
	assert_output x
	# which copies no layer that it would have to unpack first
	[ "$(find "$STORE/.bock" -path '*/fs/a' | wc -l)" -eq 0 ]
	# and copies from those that are there
	bock_image unpack --mode overlay a:1 "$T/over" -- x
	run -0 unshare -m --propagation private sh -c 'mount -t tmpfs none "$T/tmpfs" && mv "$STORE/blobs" "$T/blobs" && mkdir -p "$STORE/blobs/sha256" &&
		for b in "$T"/blobs/sha256/*; do [ "$(head -c1 "$b")" != "{" ] || cp "$b" "$STORE/blobs/sha256"; done &&
		"$BOCK_IMAGE" --root "$STORE" unpack --mode auto a:1 "$T/tmpfs/b" -- x && cat "$T/tmpfs/b/rootfs/a"'
	assert_output x
	rm -rf "$STORE/blobs"
	mv "$T/blobs" "$STORE/blobs"
	run -1 unshare -m --propagation private sh -c 'mount --bind "$STORE" "$STORE" && mount -o remount,ro,bind "$STORE" && "$BOCK_IMAGE" --root "$STORE" unpack --mode overlay a:1 "$T/b" -- x'
	assert_output -p "Read-only file system"
}

# overlayfs is mounted read-only where it can make nothing in its work folder; the words must be those of the cause.
@test "overlay: on a file system that has no room for another file each error says so, and nothing stays" {
	make_image a:1 <<-'END'
		layer
		file base x
		layer
		file two x
	END
	mkdir "$T/disk"
	cat >"$T/script" <<-'END'
		mount -t tmpfs none "$T/disk"
		cp -a "$STORE" "$T/disk/store"
		for ((room = 1; ; room++)); do
			used=$(($(stat -f -c '%c - %d' "$T/disk")))
			mount -o "remount,nr_inodes=$((used + room))" "$T/disk"
			! "$BOCK_IMAGE" --root "$T/disk/store" unpack --mode overlay a:1 "$T/disk/b" -- x 2>"$T/err" || break
			echo "$room: $(<"$T/err")"
			grep -q 'No space left on device' "$T/err"
			[ ! -e "$T/disk/b" ]
			mount -o remount,nr_inodes=1000 "$T/disk"
			"$BOCK_IMAGE" --root "$T/disk/store" gc -q --layers
			rm -rf "$T/disk/store/.bock/layers"
		done
		[ "$room" -gt 12 ]
		"$BOCK_IMAGE" --root "$T/disk/store" fsck
	END
	unshare -m --propagation private bash -e "$T/script" >&2
}

@test "reflink: the tree is what a copy is, and shares the store's blocks, on btrfs and xfs" {
	need_cmd mkfs.btrfs btrfs-progs
	need_cmd mkfs.xfs xfsprogs
	"$TOP/tests/helpers/rich-image" "$STORE" rich:1
	for fs in btrfs xfs; do
		grep -qw "$fs" /proc/filesystems || modprobe "$fs" 2>/dev/null || skip "this kernel has no $fs"
		rm -f "$T/disk"
		truncate -s 400M "$T/disk"
		"mkfs.$fs" -q "$T/disk" >&2
		mkdir -p "$T/mnt"
		unshare -m --propagation private bash -e -c '
			mount -o loop "$T/disk" "$T/mnt" || exit 9
			cp -a "$STORE" "$T/mnt/store"
			img() { "$BOCK_IMAGE" --root "$T/mnt/store" "$@"; }
			cd "$T/mnt"
			img unpack --mode copy rich:1 copy -- x
			img unpack --mode reflink rich:1 one -- x 2>/dev/null
			img unpack --mode auto rich:1 two -- x
			img fsck
			for b in copy one two; do "$1/tests/helpers/tree-list" $b/rootfs root >"$T/tree.$b"; done
			sync
			filefrag -v one/rootfs/var/sparse two/rootfs/var/sparse store/.bock/layers/*/fs/var/sparse | grep -c shared >"$T/shared"
			echo changed >>two/rootfs/opaque/high
			cat one/rootfs/opaque/high store/.bock/layers/*/fs/opaque/high >"$T/high"
		' - "$TOP" >&2 || { [ $? -ne 9 ] || skip "no loop device can be mounted here"; fail "$fs"; }
		diff "$T/tree.one" "$T/tree.two" >&2
		# as in an overlay: a file of a lower layer that gets another name is a copy of it
		[ "$(diff "$T/tree.copy" "$T/tree.one" | grep -c '^[<>]')" -le 2 ] || fail "$(diff "$T/tree.copy" "$T/tree.one")"
		[ "$(cat "$T/shared")" -ge 3 ]
		run -1 grep changed "$T/high"
	done
}
