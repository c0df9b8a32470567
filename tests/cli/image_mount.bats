#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images mounted from the layers that the store keeps. All mounts are made in mount namespaces of the tests' own, and the
# caller's is the same afterwards.

setup() {
	load ../helpers/common
	common_setup
	need_root
	need_program image
	need_cmd python3
	need_cmd unshare util-linux
	grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip "this kernel has no overlayfs"
	LAYERS=$STORE/.bock/layers MOUNTS=$STORE/.bock/mounts
	export T STORE LAYERS MOUNTS BOCK_IMAGE TOP
	cat >"$T/rc" <<-'END'
		img() { "$BOCK_IMAGE" --root "$STORE" "$@"; }
		kept() { find "$LAYERS" -mindepth 1 -maxdepth 1 -name "sha256-*" ! -name "*.lock" | wc -l; }
		fail() { echo "$*" >&2; exit 1; }
		# expect STATUS TEXT COMMAND...: it ends so and says so
		expect() {
			local out rc=0
			out=$("${@:3}" 2>&1) || rc=$?
			[ "$rc" -eq "$1" ] && [[ $out == *"$2"* ]] || fail "status $rc of ${*:3}: $out"
		}
	END
	mountinfo >"$T/mountinfo"
}

teardown() {
	local same=0
	mountinfo | diff "$T/mountinfo" - >&2 || same=1
	common_teardown
	[ -z "${U-}" ] || rm -rf "$U"
	return "$same"
}

# what is mounted beside the runs of others: nothing of ours
mountinfo() { grep -cF " $T" /proc/self/mountinfo || true; }

# ns <script: bash with img and expect, in a mount namespace of its own
ns() {
	{ cat "$T/rc"; echo 'cd "$T"'; cat; } >"$T/script"
	unshare -m --propagation private bash -e "$T/script" >&2
}

# as a user who is root of a user namespace of one id
user_ns() {
	{ cat "$T/rc"; echo 'cd "$U"'; cat; } >"$U/script"
	setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$U" U="$U" STORE="$U/store" BOCK_IMAGE="$U/bock-image/bock-image" \
		LAYERS="$U/store/.bock/layers" MOUNTS="$U/store/.bock/mounts" "$@" bash -e "$U/script" >&2
}

user_dir() {
	need_cmd setpriv util-linux
	U=$(mktemp -d)
	mkdir "$U/bock-image"
	cp "$BOCK_IMAGE" "$BOCK_BUILDDIR/bock-image/bock-image-transfer" "$U/bock-image"
	cp -a "$STORE" "$U/store"
	chown -R 65534:65534 "$U"
	chmod 755 "$U"
	user_ns true <<<'img --version' || skip "a user does not reach $U"
	user_ns unshare -Urm <<<'true' || skip "a user can make no user namespace here"
}

make_image() { # NAME <script
	"$TOP/tests/helpers/make-image" "$STORE" "$@"
}

two_layers() {
	make_image two:1 <<-'END'
		layer
		dir d uid=7
		file d/low low
		file gone x
		file su x mode=4755 uid=3
		layer
		file d/high high
		file .wh.gone
	END
}

one_layer() {
	make_image one:1 <<-'END'
		layer
		file f one uid=5
		char null 1 3 mode=666
	END
}

@test "mount: an image of all that layers can hold is what a copy of it is, read-only; umount ends it" {
	"$TOP/tests/helpers/rich-image" "$STORE" rich:1
	bock_image unpack --mode copy rich:1 "$T/copy" -- x
	"$TOP/tests/helpers/tree-list" "$T/copy/rootfs" root >"$T/tree.copy"
	ns <<-'END'
		p=$(img mount rich:1 2>/dev/null)
		[ "${p%/*}" = "$MOUNTS" ]
		"$TOP/tests/helpers/tree-list" "$p" root >"$T/tree"
		expect 1 "Read-only file system" touch "$p/x"
		o=$(findmnt -n -o FSTYPE,OPTIONS "$p")
		[[ $o == overlay*ro,nodev* && $o != *nosuid* && $o != *upperdir* ]] || fail "$o"
		expect 0 "$p" img umount rich:1
		[ ! -e "$p" ]
		[ -z "$(ls "$LAYERS/uses")" ]
		[ "$(grep -c " $T" /proc/self/mountinfo)" -eq 0 ]
		img fsck
	END
	# a hard link of a lower file's other name is a file of its own
	[ "$(diff "$T/tree.copy" "$T/tree" | grep -c '^[<>]')" -eq 2 ]
	[ "$(wc -l <"$T/tree")" -ge 35 ]
}

@test "mount: one layer is a bind mount without devices" {
	one_layer
	ns <<-'END'
		mkdir m
		expect 0 "$T/m" img mount one:1 m
		[ "$(cat m/f; stat -c %u m/f)" = one5 ]
		o=$(findmnt -n -o FSTYPE,OPTIONS m)
		[[ $o != overlay* && $o == *ro*nodev* && $o != *nosuid* ]] || fail "$o"
		expect 1 "Read-only file system" touch m/x
		expect 1 "Permission denied" cat m/null
		expect 0 "" img umount m
		[ -d m ] && [ -z "$(ls m)" ]
	END
}

@test "mount: whiteouts and owners; layers that are there are not unpacked again; no argument lists" {
	two_layers
	one_layer
	ns <<-'END'
		mkdir m "a b"
		img mount two:1 m
		[ "$(ls m m/d; stat -c '%u %a' m/d m/su)" = $'m:\nd\nsu\n\nm/d:\nhigh\nlow\n7 755\n3 4755' ] || fail "$(ls -lR m)"
		ls -li --time-style=full-iso "$LAYERS"/sha256-*/done >before
		img mount two:1 "a b"
		ls -li --time-style=full-iso "$LAYERS"/sha256-*/done | diff before -
		p=$(img mount one:1)
		img mount >list
		[ "$(sed 's/  */ /g' list | cut -d' ' -f1,3-)" = $'NAME COUNT PATH\ntwo:1 1 '"$T/a b"$'\ntwo:1 1 '"$T/m"$'\none:1 1 '"$p" ] || fail "$(cat list)"
		[ "$(img mount --no-header | wc -l)" -eq 3 ]
		img mount --json >list
		[ "$(jq -r '.[] | "\(.name) \(.count) \(.path) \(.layers | length)"' list)" = $'two:1 1 '"$T/a b"$' 2\ntwo:1 1 '"$T/m"$' 2\none:1 1 '"$p 1" ] || fail "$(cat list)"
		[ "$(jq -r '.[0].digest' list)" = "$(img inspect --json two:1 | jq -r .digest)" ]
		expect 1 "mounted at several places" img umount two:1
		expect 0 "$T/a b" img umount "a b"
		expect 0 "$T/m" img umount two:1
		expect 1 "this mount namespace" img umount two:1
		expect 1 "this mount namespace" img umount m
		[ "$(img mount --json | jq length)" -eq 1 ]
	END
	# the namespace is gone, and so is what was mounted there
	[ "$(bock_image mount --json | jq length)" -eq 0 ]
}

@test "mount: at the store's folder it counts; umount --all does not" {
	two_layers
	one_layer
	ns <<-'END'
		p=$(img mount two:1)
		[ "$(img mount two:1)" = "$p" ]
		img mount "$(img inspect --json two:1 | jq -r .digest)"
		mkdir m
		img mount two:1 m
		[ "$(img mount --json | jq -c 'map(.count)')" = '[1,3]' ] || fail "$(img mount)"
		[ "$(grep -c " $p " /proc/self/mountinfo)" -eq 1 ]
		[ -z "$(img umount two:1)" ]
		[ -z "$(img umount "$p")" ]
		[ -e "$p/su" ]
		[ "$(img umount two:1)" = "$p" ]
		[ ! -e "$p" ]
		img mount two:1; img mount two:1; img mount one:1
		expect 1 "--all takes no names" img umount --all two:1
		expect 1 "or --all" img umount
		[ "$(img umount -a | wc -l)" -eq 3 ]
		[ "$(img umount -a | wc -l)" -eq 0 ]
		[ "$(grep -c " $T" /proc/self/mountinfo)" -eq 0 ]
		[ -z "$(find "$MOUNTS" "$LAYERS/uses" -mindepth 1)" ]
	END
}

@test "mount: eight at once are one mount with a count of eight" {
	two_layers
	ns <<-'END'
		for i in 1 2 3 4 5 6 7 8; do img mount two:1 >"p$i" & pids[i]=$!; done
		for i in 1 2 3 4 5 6 7 8; do wait "${pids[i]}"; done
		[ "$(cat p? | sort -u | wc -l)" -eq 1 ]
		[ "$(img mount --json | jq '.[0].count')" -eq 8 ]
		[ "$(grep -c " $T" /proc/self/mountinfo)" -eq 1 ]
		for i in 1 2 3 4 5 6 7 8; do img umount two:1 & pids[i]=$!; done
		for i in 1 2 3 4 5 6 7 8; do wait "${pids[i]}"; done
		[ "$(grep -c " $T" /proc/self/mountinfo)" -eq 0 ]
	END
}

@test "gc beside: what is mounted stays, here and in other namespaces, though the image is removed; what ended goes" {
	two_layers
	ns <<-'END'
		p=$(img mount two:1)
		img rm two:1
		expect 0 "removed 0 unpacked layers; kept 2" img gc --layers
		# another namespace, which has a copy of the mount
		export -f img expect fail
		unshare -m --propagation private bash -e -c '
			expect 0 "removed 0 unpacked layers; kept 2" img gc --layers
			expect 1 "this mount namespace" img umount two:1
			[ "$(img mount --json | jq length)" -eq 0 ]'
		[ "$(cat "$p/d/high")" = high ]
		# by the name that it had when it was mounted
		expect 0 "$p" img umount two:1
		expect 0 "removed 2 unpacked layers; kept 0" img gc
		[ "$(kept)" -eq 0 ]
	END
}

@test "stale notes: of umount(8), of a namespace that ended, of another boot, of another mount at the place" {
	two_layers
	one_layer
	ns <<-'END'
		p=$(img mount two:1)
		umount "$p"
		[ "$(img mount --json | jq length)" -eq 0 ]
		expect 1 "this mount namespace" img umount "$p"
		# it is mounted there again, with a count of its own
		[ "$(img mount two:1)" = "$p" ]
		[ "$(img mount --json | jq '.[0].count')" -eq 1 ]
		umount "$p"
		# what another mounts there is not ours to end
		mount -t tmpfs other "$p"
		[ "$(img mount --json | jq length)" -eq 0 ]
		expect 1 "this mount namespace" img umount "$p"
		img umount -a
		[ "$(findmnt -n -o SOURCE "$p")" = other ]
		umount "$p"
		img gc
		[ ! -e "$p" ] && [ -z "$(ls "$LAYERS/uses")" ]
		# over it
		p=$(img mount two:1)
		mount -t tmpfs other "$p"
		expect 1 "something else is mounted over" img umount "$p"
		umount "$p"
		expect 0 "$p" img umount "$p"
		mkdir m
		img mount one:1 m
		img mount two:1
	END
	# all of that namespace is over; its number may be another's at once, which gc takes for it until that ends, too
	[ "$(find "$LAYERS/uses" -type f | wc -l)" -eq 2 ]
	number=$(cat "$LAYERS"/uses/* | jq -rs '.[0].inode')
	number_is_free() { ! readlink /proc/[0-9]*/ns/mnt | grep -qF "[$number]"; }
	wait_for 60 number_is_free
	bock_image rm two:1
	run -0 bock_image gc
	assert_output -p "removed 2 unpacked layers; kept 1"
	[ -z "$(find "$LAYERS/uses" "$MOUNTS" -mindepth 1)" ]
	ns <<-'END'
		img mount one:1
		sed -i 's/"boot": "[0-9a-f]*/"boot": "0/' "$LAYERS"/uses/*
		[ "$(img mount --json | jq length)" -eq 0 ]
		img gc
		[ -z "$(ls "$LAYERS/uses")" ]
	END
}

@test "umount: EBUSY names who holds it, and nothing is lost" {
	two_layers
	ns <<-'END'
		p=$(img mount two:1)
		cd "$p/d"
		expect 1 "unmount '$p': Device or resource busy" img umount two:1
		expect 1 "it ($$ bash" img umount "$p"
		cd /
		exec 7<"$p/su"
		expect 1 "$$ bash" img umount -a
		exec 7<&-
		[ "$(img mount --json | jq '.[0].count')" -eq 1 ]
		expect 0 "$p" img umount two:1
	END
}

@test "hostile: a DIR that is a link, a file, missing or not empty is refused, and nothing is mounted" {
	two_layers
	ns <<-'END'
		mkdir m full
		touch full/x file
		ln -s m link
		expect 1 "'link' is a symbolic link; name the directory itself" img mount two:1 link
		expect 1 "'file': Not a directory" img mount two:1 file
		expect 1 "'absent': No such file or directory" img mount two:1 absent
		expect 1 "what is in it would be hidden" img mount two:1 full
		img mount two:1 m
		expect 1 "what is in it would be hidden" img mount two:1 m
		expect 0 "$T/m" img umount link
		expect 1 "no image" img mount absent:1 m
		expect 1 "for the list" img mount --json two:1
		expect 1 "to be mounted" img mount --platform linux/arm
		[ "$(grep -c " $T" /proc/self/mountinfo)" -eq 0 ] && [ -z "$(find "$LAYERS/uses" "$MOUNTS" -mindepth 1)" ]
		# in a folder whose name mountinfo writes otherwise
		d=$'we ird\\\n#,:"'
		mkdir "$d"
		img mount two:1 "$d"
		[ "$(img mount --json | jq -r '.[0].path')" = "$T/$d" ]
		img gc --layers
		[ "$(cat "$d/d/high")" = high ]
		img umount "$d"
		[ -z "$(ls "$d")" ]
	END
}

@test "a kill between the note and the mount leaves nothing that gc does not remove" {
	need_cmd strace
	two_layers
	ns <<-'END'
		img mount two:1 && img umount two:1
		strace -f -qq -o /dev/null -e trace=move_mount -e inject=move_mount:signal=KILL:error=EIO:when=1 \
			"$BOCK_IMAGE" --root "$STORE" mount two:1 && fail "it lived"
		[ "$(find "$LAYERS/uses" -type f | wc -l)" -eq 1 ] && [ "$(ls "$MOUNTS" | wc -l)" -eq 1 ]
		[ "$(img mount --json | jq length)" -eq 0 ]
		img gc
		[ "$(find "$LAYERS/uses" -type f | wc -l)" -eq 0 ] && [ "$(ls "$MOUNTS" | wc -l)" -eq 0 ]
		# and a refusal leaves nothing
		expect 1 "mount on '$MOUNTS" strace -f -qq -o /dev/null -e trace=move_mount -e inject=move_mount:error=EIO:when=1 \
			"$BOCK_IMAGE" --root "$STORE" mount two:1
		[ "$(find "$LAYERS/uses" -type f | wc -l)" -eq 0 ] && [ "$(ls "$MOUNTS" | wc -l)" -eq 0 ]
	END
}

@test "mount: a kernel without lowerdir+ is given all layers at once" {
	need_cmd strace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it can't under strace
	two_layers
	ns <<-'END'
		img mount two:1 && img umount two:1
		mkdir m
		# the first of them in the process that mounts
		expect 0 "$T/m" strace -f -qq -s 500 -o calls -e trace=fsconfig,mount -e inject=fsconfig:error=EINVAL:when=1 \
			"$BOCK_IMAGE" --root "$STORE" mount two:1 m
		grep -q 'lowerdir=.*/fs:' calls
		[ "$(cat m/d/high m/d/low; ls m)" = $'highlowd\nsu' ] || fail "$(ls m)"
		o=$(findmnt -n -o OPTIONS m)
		[[ $o == ro,nodev* ]] || fail "$o"
		expect 0 "$T/m" img umount two:1
	END
}

@test "mount: --platform takes that of an index, and refuses another" {
	make_image amd:1 <<<"file amd x"
	two_layers
	ns <<-'END'
		mkdir m
		arch=$(img inspect --json two:1 | jq -r .config.architecture)
		expect 0 "$T/m" img mount --platform "linux/$arch" two:1 m
		img umount m
		expect 1 "not for linux/s390x" img mount --platform linux/s390x two:1 m
		# an index of two: the second is not this machine's
		cd "$STORE"
		python3 - <<-'PY'
			import hashlib, json
			def put(o):
			    b = json.dumps(o).encode()
			    h = hashlib.sha256(b).hexdigest()
			    open("blobs/sha256/" + h, "wb").write(b)
			    return {"digest": "sha256:" + h, "size": len(b)}
			ix = json.load(open("index.json"))
			name = "org.opencontainers.image.ref.name"
			two, amd = (next(m for m in ix["manifests"] if m["annotations"][name] == n) for n in ("two:1", "amd:1"))
			m = json.load(open("blobs/" + amd["digest"].replace(":", "/")))
			c = json.load(open("blobs/" + m["config"]["digest"].replace(":", "/")))
			c["architecture"] = "s390x"
			m["config"].update(put(c))
			def entry(d, arch):
			    return {"mediaType": two["mediaType"], "digest": d["digest"], "size": d["size"], "platform": {"os": "linux", "architecture": arch}}
			first = json.load(open("blobs/" + json.load(open("blobs/" + two["digest"].replace(":", "/")))["config"]["digest"].replace(":", "/")))
			i = put({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry(two, first["architecture"]), entry(put(m), "s390x")]})
			ix["manifests"].append({"mediaType": "application/vnd.oci.image.index.v1+json", **i, "annotations": {name: "multi:1"}})
			json.dump(ix, open("index.json", "w"))
		PY
		cd "$T"
		img mount multi:1 m
		[ -e m/su ]
		img umount m
		img mount --platform linux/s390x multi:1 m
		[ "$(ls m)" = amd ]
		# the name means this machine's, but it is what it was called
		expect 0 "$T/m" img umount multi:1
		expect 1 "no image for linux/riscv64" img mount --platform linux/riscv64 multi:1 m
	END
}

@test "a user: an error that says the way out; in a namespace of his own it is mounted" {
	two_layers
	one_layer
	user_dir
	user_ns true <<-'END'
		expect 1 "mount 'two:1': mount an image here: Operation not permitted" img mount two:1
		expect 1 "unshare -Urm" img mount two:1
		[ ! -e "$LAYERS" ] && [ ! -e "$MOUNTS" ]
	END
	user_ns unshare -Urm <<-'END'
		mkdir m o
		p=$(img mount two:1)
		[ "$(ls "$p"; cat "$p/d/high" "$p/d/low"; stat -c %u "$p/d")" = $'d\nsu\nhighlow0' ] || fail "$(ls -lR "$p")"
		expect 1 "Read-only file system" touch "$p/x"
		img mount one:1 m
		[ "$(cat m/f)" = one ]
		expect 0 "removed 0 unpacked layers; kept 3" img gc --layers
		# the user outside, and in a namespace beside: neither can tell, or it lives
		unshare -Urm "$BOCK_IMAGE" --root "$STORE" gc --layers >beside
		grep -q "removed 0 unpacked layers; kept 3" beside
		[ "$(cat "$p/d/high" m/f)" = highone ]
		img fsck
		[ "$(img umount -a | wc -l)" -eq 2 ]
		img mount two:1
	END
	# that ended with its namespace
	user_ns true <<-'END'
		expect 0 "removed 3 unpacked layers; kept 0" img gc --layers
		[ -z "$(find "$LAYERS/uses" "$MOUNTS" -mindepth 1)" ]
	END
}

@test "mount: a store that is read-only, an image without layers, a layer that is damaged: an error, and no mount" {
	two_layers
	make_image bad:1 <<-'END'
		layer
		file ok x
		layer
		break diffid
		file two x
	END
	ns <<-'END'
		mkdir m
		expect 1 "DiffID" img mount bad:1 m
		mount --bind "$STORE" "$STORE"
		mount -o remount,ro,bind "$STORE"
		expect 1 "Read-only file system" img mount two:1 m
		umount "$STORE"
		[ -z "$(ls m)" ] && [ -z "$(ls "$LAYERS/uses")" ]
	END
}
