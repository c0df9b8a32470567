#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --mode erofs: an image as an index of its layers' tars. What the kernel shows of it is what the mode copy makes.

setup() {
	load ../helpers/common
	common_setup
	need_root
	need_program image
	need_cmd python3
	need_cmd jq
	need_cmd unshare util-linux
	grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip "this kernel has no overlayfs"
	grep -qw erofs /proc/filesystems || modprobe erofs 2>/dev/null || skip "this kernel has no EROFS"
	LAYERS=$STORE/.bock/layers
	export T STORE LAYERS TOP BOCK_IMAGE
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it can't where another process traces, as strike does
	make_image probe:1 <<<"file a x"
	run bock_image unpack --mode erofs probe:1 "$T/probe" -- x
	[[ $output != *CONFIG_EROFS_FS_BACKED_BY_FILE* ]] || skip "this kernel mounts no EROFS from a file (Linux 6.12)"
	[ "$status" -eq 0 ] || fail "$output"
	rm -rf "$T/probe"
	bock_image rm probe:1
	bock_image gc >/dev/null
}

teardown() {
	common_teardown
	[ -z "${U-}" ] || rm -rf "$U"
}

make_image() { # NAME <script
	"$TOP/tests/helpers/make-image" "$STORE" "$@"
}

unpack() { # NAME BUNDLE [options]
	local name=$1 bundle=$2
	shift 2
	bock_image unpack --mode erofs "$@" "$name" "$bundle" -- x
}

# merged BUNDLE COMMAND...: with the mounts that are its root, in a mount namespace of its own; $M is the root there
merged() {
	unshare -m --propagation private bash -e -c '
		python3 - "$1" <<-END
			import ctypes, json, os, sys
			libc = ctypes.CDLL(None, use_errno=True)
			for m in json.load(open(sys.argv[1] + "/config.json"))["mounts"]:
			    if m["destination"] == "/":
			        data = ",".join(o for o in m["options"] if o not in ("ro", "nodev"))
			        if libc.mount(os.fsencode(m["source"]), os.fsencode(sys.argv[1] + "/rootfs"), m["type"].encode(), "ro" in m["options"],
			                      os.fsencode(data)):
			            sys.exit(m["type"] + ": " + os.strerror(ctypes.get_errno()))
		END
		M=$1/rootfs; export M
		shift
		eval "$@"' - "$@"
}

# same_as_copy IMAGE: of directories that no entry names the time is when they were made
same_as_copy() {
	local no_time='/ 1700000000000000000 /!s/ -?[0-9]+ (- .-. \[)/ now \1/'
	rm -rf "$T/copy" "$T/index"
	bock_image unpack --mode copy "$1" "$T/copy" -- x 2>/dev/null
	unpack "$1" "$T/index" 2>/dev/null
	"$TOP/tests/helpers/tree-list" "$T/copy/rootfs" root | sed -E "$no_time" >"$T/tree.copy"
	merged "$T/index" '"$TOP/tests/helpers/tree-list" $M root' | sed -E "$no_time" >"$T/tree.index"
	[ "$(wc -l <"$T/tree.index")" -gt 3 ]
	diff "$T/tree.copy" "$T/tree.index" >&2
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

@test "an image of all that layers can hold is what a copy of it is, times and hard links across layers included" {
	"$TOP/tests/helpers/rich-image" "$STORE" rich:1
	run -0 unpack rich:1 "$T/index"
	assert_output ''
	run -0 bock_image unpack --mode copy rich:1 "$T/copy" -- x
	"$TOP/tests/helpers/tree-list" "$T/copy/rootfs" root >"$T/tree.copy"
	merged "$T/index" '"$TOP/tests/helpers/tree-list" $M root' >"$T/tree.index"
	[ "$(wc -l <"$T/tree.index")" -ge 35 ]
	diff "$T/tree.copy" "$T/tree.index" >&2
	# three tars, and one index
	[ "$(kept)" -eq 4 ]
	run -0 bock_image fsck
	assert_output -p ": 0 problems"
	assert_output -p "4 unpacked layers"
	# a second one shares them, and nothing is made again
	ls -li --time-style=full-iso "$LAYERS"/sha256-*/done >"$T/before"
	run -0 unpack rich:1 "$T/two"
	ls -li --time-style=full-iso "$LAYERS"/sha256-*/done | diff "$T/before" - >&2
	[ "$(stat -c %a "$T/two/upper")" = "$(stat -c %a "$T/copy/rootfs")" ]
}

@test "links in the middle of names, unnamed directories, whiteouts and what comes back, across layers" {
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
		layer zstd
		file bin/new new mode=755
		file a/b/c/new new
		file a/b/.wh.old
		file .wh.gone
		dir f
		file f/in in
		layer none
		dir gone
		file gone/back back
		file a/b/old again
		hardlink kept a/keep
		dir opq
		file opq/.wh..wh..opq
		file a/keep other
	END
	same_as_copy x:1
}

@test "names, attributes and sizes at the bounds of blocks, and more than 4 GiB" {
	{
		echo layer none
		printf 'dir . mode=755\ndir big\n'
		for n in $(seq 2500); do echo "file big/n$n-$(printf "%0$((n % 200))d" 0) $n"; done
		for c in '!' '#' '+' ',' '-' .a ..b A _ '~'; do echo "file 'big/$c' x"; done
		long=$(printf 'n%.0s' {1..255})
		echo "dir long"
		for n in 0 1 2 3 4; do echo "file long/$n${long:1} $n"; done
		for n in 1 511 512 513 1023 1024 1025 4096 100000; do echo "empty size$n $n uid=$((n * 20000)) gid=$n"; done
		echo "symlink one x"
		for n in 511 512 513 4000; do echo "symlink link$n $(printf "%0${n}d" 0)"; done
		for n in 1 395 396 397 398 399 400 401 500 2000; do echo "file attr$n x xattr.user.a=$(printf "%0${n}d" 0) xattr.trusted.b=$n xattr.user.c="; done
		echo "char dev1 1 3"
		echo "char dev2 4095 1048575"
		echo "char dev3 300 5"
	} | make_image b:1
	same_as_copy b:1
	[ "$(wc -l <"$T/tree.index")" -gt 2530 ]
	mkdir "$T/t"
	cd "$T/t"
	truncate -s 6G sparse
	printf end | dd of=sparse bs=1 seek=5368709121 conv=notrunc status=none
	truncate -s 1M hole
	truncate -s 70001 odd
	printf odd | dd of=odd bs=1 seek=12345 conv=notrunc status=none
	for form in gnu posix; do
		tar -b1 --format=$form -S -cf ../sparse.tar sparse hole odd
		make_image "s:$form" <<<$'layer\ntar '"$T/sparse.tar"
		unpack "s:$form" "$T/$form"
		merged "$T/$form" 'for f in hole odd; do cmp $M/$f '"$T"'/t/$f; done; stat -c "%n %s" $M/sparse; dd if=$M/sparse bs=1M skip=5119 count=2 status=none | cmp - <(dd if='"$T"'/t/sparse bs=1M skip=5119 count=2 status=none); dd if=$M/sparse bs=1M skip=6142 status=none | tr -d "\0" | wc -c' >"$T/out"
		[ "$(cat "$T/out")" = "$T/$form/rootfs/sparse 6442450944"$'\n'0 ] || fail "$(cat "$T/out")"
	done
}

@test "the bundle runs under bock-runc and runc, writes to its upper folder, and is repacked" {
	need_program runc
	box_image box:1 -c sh -c -c -c 'cat /mark; echo x >/mark; rm -f /bin/ls; id -u'
	unpack box:1 "$T/a" 2>/dev/null || true
	rm -rf "$T/a"
	bock_image unpack --mode erofs box:1 "$T/a"
	bock_image unpack --mode erofs box:1 "$T/b"
	run bock_runc run -b "$T/a" "$ID"
	assert_output -p 0
	[ "$(cat "$T/a/upper/mark")" = x ]
	run -0 bock_runc run -b "$T/a" "$ID"
	assert_output $'x\n0'
	[ ! -e "$T/b/upper/mark" ]
	if command -v runc >/dev/null; then
		run runc --root "$T/runc" run -b "$T/b" "$ID"
		assert_output -p 0
		[ "$(cat "$T/b/upper/mark")" = x ]
	fi
	bock_image repack -q "$T/a" box:2
	bock_image unpack --mode erofs box:2 "$T/c"
	run -0 bock_runc run -b "$T/c" "$ID"
	assert_output $'x\n0'
	[ -e "$T/busybox/bin/ls" ]
	merged "$T/c" '[ ! -e $M/bin/ls ]'
	bock_image unpack --mode erofs --read-only --user nobody box:1 "$T/ro" -- sh -c 'echo x >/mark || echo refused'
	run bock_runc run -b "$T/ro" "$ID"
	assert_output -p refused
	[ -z "$(ls -A "$T/ro/rootfs")" ]
	assert_no_leftovers
}

@test "mount --mode erofs; gc leaves what bundles and mounts need, and no more" {
	make_image a:1 <<-'END'
		layer
		file base x
		layer
		file two x
	END
	make_image b:1 <<-'END'
		layer
		file base x
		layer
		file three x
	END
	unpack a:1 "$T/b"
	cat >"$T/go" <<-'END'
		set -e
		M=$("$BOCK_IMAGE" --root "$STORE" mount --mode erofs b:1)
		[ "$(ls "$M")" = $'base\nthree' ]
		[ "$(cat "$M/three")" = x ]
		! touch "$M/new" 2>/dev/null
		awk -v m="$M" '$5 == m' /proc/self/mountinfo | grep -q ' - erofs '
		# again: counted, not mounted again
		[ "$("$BOCK_IMAGE" --root "$STORE" mount --mode erofs b:1)" = "$M" ]
		"$BOCK_IMAGE" --root "$STORE" rm b:1
		"$BOCK_IMAGE" --root "$STORE" gc >/dev/null
		[ "$(find "$LAYERS" -maxdepth 1 -name 'sha256-*' ! -name '*.lock' | wc -l)" -eq 5 ]
		[ "$(cat "$M/three")" = x ]
		"$BOCK_IMAGE" --root "$STORE" umount "$M"
		"$BOCK_IMAGE" --root "$STORE" umount "$M"
		[ ! -e "$M/three" ]
	END
	run -0 unshare -m --propagation private bash "$T/go"
	run -0 bock_image gc
	[ "$(kept)" -eq 3 ]
	bock_image rm a:1
	bock_image gc >/dev/null
	[ "$(kept)" -eq 3 ]
	merged "$T/b" 'cat $M/two'
	rm -rf "$T/b"
	run -0 bock_image gc
	[ "$(kept)" -eq 0 ]
	[ -z "$(ls "$LAYERS/uses")" ]
}

@test "fsck: a tar or an index that was changed or is gone" {
	make_image a:1 <<-'END'
		layer
		file base x
		layer
		file two x
	END
	unpack a:1 "$T/b"
	for data in "$LAYERS"/sha256-*/fs/data; do
		cp -a "$data" "$T/data"
		touch -r "$data" "$T/time"
		printf X | dd of="$data" bs=1 seek=1100 conv=notrunc status=none
		touch -r "$T/time" "$data"
		run -1 bock_image fsck
		assert_output -p "its file 'data' was changed"
		run -0 bock_image fsck --quick
		truncate -s 512 "$data"
		run -1 bock_image fsck
		assert_output -p "its tree was changed"
		rm "$data"
		run -1 bock_image fsck
		cp -a "$T/data" "$data"
		touch -r "$T/data" "$data"
		touch -r "$(dirname "$data")/../done" "$T/time"
		run bock_image fsck
		rm -rf "$T/b"
		bock_image gc --layers >/dev/null
		[ "$(kept)" -eq 0 ]
		unpack a:1 "$T/b"
		run -0 bock_image fsck
	done
}

@test "an index that is damaged is refused by the kernel, or read as it is: no crash" {
	make_image a:1 <<<"file a x"
	unpack a:1 "$T/b"
	data=$(echo "$LAYERS"/*.erofs/fs/data)
	truncate -s 100 "$data"
	run -1 unpack a:1 "$T/c"
	assert_output -p "mount EROFS"
	[ ! -e "$T/c" ]
}

@test "a layer that is not what it must be is kept in no form" {
	make_image bad:1 <<-'END'
		layer
		file a x
		layer
		file b x
		break diffid
	END
	run -1 unpack bad:1 "$T/b"
	[ ! -e "$T/b" ]
	[ "$(kept)" -eq 1 ]
	[ -z "$(find "$LAYERS" -name 'tmp-*')" ]
	make_image bad:2 <<-'END'
		layer
		file a x
		raw 6a6b
	END
	run -1 unpack bad:2 "$T/b"
	[ ! -e "$T/b" ]
	[ -z "$(find "$LAYERS" -name '*.erofs')" ]
	run -0 bock_image fsck
}

@test "who can't have it is told what else there is; what it can't hold is said" {
	make_image a:1 <<-'END'
		file a x xattr.user.overlay.opaque=y xattr.trusted.overlay.whiteout=y
		char zero 0 0
		file b x xattr.btrfs.compression=zstd
	END
	run -0 unpack a:1 "$T/b"
	assert_output "bock-image: warning: '/b': attribute 'btrfs.compression' left out: EROFS has none of this kind
bock-image: warning: device '/zero' left out: 0:0 is what overlayfs takes for a whiteout"
	merged "$T/b" '[ "$(ls $M)" = $'"'a\\nb'"' ]'
	run -1 unpack a:1 "$T/c" --rootless
	assert_output -p "--mode overlay and copy give them to the caller"
	run -1 unpack a:1 "$T/c" --uid-map 0:1000:1000
	assert_output -p "--mode copy maps them"
	run -1 unshare -Urm "$BOCK_IMAGE" --root "$STORE" unpack --mode erofs a:1 "$T/c" -- x
	assert_output -p "--mode overlay takes any user"
	run -1 unshare -Urm "$BOCK_IMAGE" --root "$STORE" mount --mode erofs a:1
	assert_output -p "--mode overlay takes any user"
	[ ! -e "$T/c" ]
	run -1 bock_image mount --mode nonsense a:1
}

@test "a store whose path is longer than fsconfig(2) takes" {
	long=$(printf 'p%.0s' {1..180})
	mkdir "$T/$long"
	make_image a:1 <<<"file a x"
	mv "$STORE" "$T/$long/store"
	STORE=$T/$long/store
	unpack a:1 "$T/b"
	merged "$T/b" 'cat $M/a' >"$T/out"
	[ "$(cat "$T/out")" = x ]
}

@test "killed at any of its calls it leaves nothing that gc does not remove" {
	STRIKE=$BOCK_BUILDDIR/tests/crash/strike
	[ -x "$STRIKE" ] || STRIKE=$TOP/build/tests/crash/strike
	[ -x "$STRIKE" ] || skip "tests/crash/strike is not built"
	make_image a:1 <<-'END'
		layer
		file base x
		layer
		file two x
		file .wh.base
	END
	"$STRIKE" --report "$T/calls" --execs 2 "$BOCK_IMAGE" --root "$STORE" unpack --mode erofs a:1 "$T/b" -- x >&2 || fail "$(head "$T/calls")"
	calls=$(grep -c '^0' "$T/calls")
	[ "$calls" -gt 100 ]
	rm -rf "$T/b" "$LAYERS"
	from=$(grep -n mkdirat "$T/calls" | head -1 | cut -d: -f1)
	for ((at = from; at < calls; at += (calls - from) / 12 + 1)); do
		"$STRIKE" --at "0:$at" --kill tree --execs 2 "$BOCK_IMAGE" --root "$STORE" unpack --mode erofs a:1 "$T/b" -- x >/dev/null 2>&1 || true
		rm -rf "$T/b"
		run -0 bock_image fsck
		run -0 bock_image gc --layers
		[ -z "$(find "$LAYERS" -mindepth 1 -maxdepth 1 ! -name empty ! -name uses 2>/dev/null)" ] || fail "at $at: $(find "$LAYERS")"
		[ -z "$(ls "$LAYERS/uses" 2>/dev/null)" ]
	done
	unpack a:1 "$T/b"
	merged "$T/b" 'ls "$M"' >"$T/out"
	[ "$(cat "$T/out")" = two ]
}
