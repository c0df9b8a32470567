#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# bock-image diff: what two images hold, by their layers alone; held against what unpack makes of the same image.

setup() {
	load ../helpers/common
	common_setup
	need_program image
	need_cmd python3
}

teardown() {
	common_teardown
}

make_image() { # NAME <script
	"$TOP/tests/helpers/make-image" "$STORE" "$@"
}

# differs: the lines that a diff must have are on stdin
differs() { # OLD NEW
	run -0 bock_image diff "$@"
	diff <(cat) <(printf '%s' "${output:+$output
}") >&2
}

# as_unpacked IMAGE: diff against an empty image tells of each file what is on the disk when it is unpacked
as_unpacked() {
	make_image empty <<<layer
	bock_image unpack "$1" "$T/b" -- x 2>/dev/null
	bock_image diff --json empty "$1" >"$T/diff.json"
	python3 - "$T/b/rootfs" "$T/diff.json" "$TOP" <<-'END'
		import json, os, stat, sys
		root, changes = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
		kinds = {stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFREG: "file", stat.S_IFCHR: "char",
		         stat.S_IFBLK: "block", stat.S_IFIFO: "fifo"}
		disk, said = {}, {}
		def look(path, name):
		    st = os.lstat(path)
		    f = {"type": kinds[stat.S_IFMT(st.st_mode)], "uid": st.st_uid, "gid": st.st_gid,
		         "mtime": "%d.%09d" % divmod(st.st_mtime_ns, 10**9)}
		    if f["type"] != "symlink":
		        f["mode"] = "%04o" % stat.S_IMODE(st.st_mode)
		    if f["type"] == "file":
		        f["size"] = st.st_size
		    if f["type"] == "symlink":
		        f["target"] = os.readlink(path)
		    if f["type"] in ("char", "block"):
		        f["device"] = "%d:%d" % (os.major(st.st_rdev), os.minor(st.st_rdev))
		    names = [n for n in sorted(os.listxattr(path, follow_symlinks=False)) if n != "security.selinux"]
		    if names:
		        f["xattrs"] = names
		    disk[name] = f
		for folder, dirs, files in os.walk(root):
		    for n in dirs + files:
		        path = os.path.join(folder, n)
		        look(path, path[len(root):])
		order = [c["path"].split("/") for c in changes]
		assert order == sorted(order), "not sorted"
		for c in changes:
		    if c["path"] == "/":
		        continue
		    assert c["change"] == "A" and "old" not in c, c
		    said[c["path"]] = c["new"]
		    if "mtime" not in c["new"]:     # a directory that no entry names
		        disk[c["path"]].pop("mtime")
		for name in sorted(disk.keys() | said.keys()):
		    if disk.get(name) != said.get(name):
		        sys.exit(f"{name}: on the disk {disk.get(name)}, by diff {said.get(name)}")
		assert len(said) >= 5
	END
	rm -rf "$T/b"
}

@test "an image with all that layers can hold is what unpack makes of it" {
	need_root
	"$TOP/tests/helpers/rich-image" "$STORE" rich
	as_unpacked rich
	run -0 bock_image diff rich rich
	assert_output ""
	run -0 bock_image diff --json --exit-code rich rich
	assert_output "[]"
}

@test "whiteouts, opaque folders, links in names and hard links mean what they mean to unpack" {
	need_root
	cat >"$T/script" <<-'END'
		dir real/sub
		file real/sub/low low
		symlink way real/sub
		symlink abs /way
		symlink gone ../../not/there
		file hard x
		hardlink hard2 hard
		dir op
		file op/a a
		file op/b/c c
		file file x
		dir folder
		file folder/x x
		layer
		file abs/through x
		file gone/made x
		file real/.wh.sub
		file real/sub/kept x
		file op/new x
		file op/.wh..wh..opq
		file .wh.hard
		hardlink hard3 hard2
		dir file
		file file/in x
		file folder x
		file implied/deep/x x
		layer
		file way/.wh.kept
		dir op/b
		file .wh..wh..opq
		file hard4 x
		hardlink hard5 hard4
		layer
		file after x
		file after/.wh.x
	END
	make_image one <"$T/script"
	as_unpacked one
	grep -v '^file .wh..wh..opq' "$T/script" | make_image two
	as_unpacked two
}

@test "each kind of change is named, and nothing else" {
	make_image a <<-'END'
		dir d
		file d/content abc
		file d/gone x
		file d/grown abc
		file d/mode x
		file d/owner x
		file d/same x
		file d/time x
		file d/xattr x xattr.user.note=a
		symlink link one
		file type x
		char null 1 3
		empty zeros 100000
		dir tree
		file tree/x x
		symlink linkmode x
	END
	make_image b <<-'END'
		dir d
		file d/content abd
		file d/grown abcd
		file d/mode x mode=4755
		file d/new x
		file d/owner x uid=5
		file d/same x
		file d/time x mtime=1700000001
		file d/xattr x xattr.user.note=b
		symlink link two
		dir type
		file type/x x
		char null 1 5
		empty zeros 100001
		symlink linkmode x mode=777
	END
	differs a b <<-'END'
		C /d/content (content)
		D /d/gone
		C /d/grown (content, size)
		C /d/mode (mode)
		A /d/new
		C /d/owner (owner)
		C /d/time (mtime)
		C /d/xattr (xattrs)
		C /link (target)
		C /null (device)
		D /tree
		D /tree/x
		C /type (type, mode)
		A /type/x
		C /zeros (content, size)
	END
	run -1 bock_image diff --exit-code a b
	run -0 bock_image diff --json a b
	[ "$(jq -r '.[] | .change + " " + .path + (if .what then " (" + (.what | join(", ")) + ")" else "" end)' <<<"$output")" = \
		"$(bock_image diff a b)" ]
	[ "$(jq -c '.[] | select(.path == "/d/mode") | [.old.mode, .new.mode, .new.size]' <<<"$output")" = '["0644","4755",1]' ]
	[ "$(jq -c '.[] | select(.path == "/link") | [.old.target, .new.target]' <<<"$output")" = '["one","two"]' ]
	[ "$(jq -c '.[] | select(.change == "D") | has("new")' <<<"$output" | sort -u)" = false ]
}

@test "how an image came to be makes no difference: layers, compression, holes" {
	mkdir "$T/t"
	printf x | dd of="$T/t/f" bs=1 seek=3000000 conv=notrunc status=none
	truncate -s 4M "$T/t/f"
	tar -C "$T/t" -b1 -S --format=pax --mtime=@1 --owner=0 --group=0 -cf "$T/sparse.tar" f
	tar -C "$T/t" -b1 --format=gnu --mtime=@1 --owner=0 --group=0 -cf "$T/full.tar" f
	make_image a <<-END
		tar $T/sparse.tar
		file x old
		layer
		file y y
		file x x
	END
	make_image b <<-END
		layer none
		file x x
		file y y
		tar $T/full.tar
	END
	differs a b </dev/null
}

@test "what both begin with is read once, and not at all where there is nothing else" {
	for i in a b; do
		make_image "$i" <<-END
			file low x
			layer
			file $i x
		END
	done
	make_image c <<-END
		file low x
		layer
		file b x
	END
	differs a b <<-'END'
		D /a
		A /b
	END
	low=$(bock_image inspect --raw a | jq -r '.layers[0].digest')
	rm "$STORE/blobs/${low/://}"
	differs b c </dev/null
	run -2 bock_image diff a b
	assert_output -p "${low#*:}"
}

@test "names of any bytes reach no terminal, and are valid JSON" {
	make_image a <<<'layer'
	python3 - "$T/t.tar" <<-'END'
		import sys, tarfile
		with tarfile.open(sys.argv[1], "w", format=tarfile.GNU_FORMAT) as t:
		    for name in (b"a\x1b[31mb", b"n\nl", b"\xff\xfe"):
		        t.addfile(tarfile.TarInfo(name.decode("utf-8", "surrogateescape")))
	END
	python3 -c 'import sys; d = open(sys.argv[1], "rb").read().rstrip(b"\0"); d += bytes(-len(d) % 512 + 1024); open(sys.argv[1], "wb").write(d)' "$T/t.tar"
	make_image b <<<"tar $T/t.tar"
	run -0 bock_image diff a b
	[ "${lines[0]}" = 'A /a\x1b[31mb' ]
	[ "${lines[1]}" = 'A /n\x0al' ]
	[ "${#lines[@]}" -eq 3 ]
	[ "$(bock_image diff --json a b | jq -c '[.[].path]')" = '["/a\u001b[31mb","/n\nl","/��"]' ]
}

@test "hostile and damaged layers are errors that name them, and print nothing" {
	make_image good <<<'file x x'
	bad() { # MESSAGE <script
		make_image bad"$((++n))"
		run --separate-stderr -2 bock_image diff good "bad$n"
		[ -z "$output" ]
		[[ $stderr == *"$1"* ]] || fail "$stderr"
	}
	n=0
	bad "leads upwards" <<<'file ../x x'
	bad "links on the way" <<-'END'
		symlink a b
		symlink b a
		file a/x x
	END
	bad "Not a directory" <<-'END'
		file a x
		file a/x x
	END
	bad "hard link '/b' to '/a'" <<<'hardlink b a'
	bad "to the directory" <<-'END'
		dir a
		hardlink b a
	END
	bad "hard link '/a' to '/a/b'" <<-'END'
		file a/b x
		hardlink a a/b
	END
	bad "replaces the root" <<<'symlink . x'
	bad "damaged" <<-'END'
		file x y
		break digest
	END
	bad "DiffID" <<-'END'
		file x y
		break diffid
	END
	bad "times its size" <<<'empty big 100000000'
	bad "'bad$((n + 1))': layer 1" <<<'raw 00ff'
	run -2 bock_image diff good nothing
	assert_output -p "image 'nothing'"
	run -2 bock_image diff --platform linux//x good good
	assert_output -p "--platform"
}

@test "what a layer may hold is bounded by the options that unpack has" {
	make_image a <<-'END'
		file x x
		empty zeros 70000000
	END
	make_image b <<-END
		file x x
		file d/e/f x
		file p x pax.comment=@2000
		empty zeros 70000000
		file $(printf 'n%.0s' {1..90}) x
	END
	bounded() { # MESSAGE OPTION...
		local message=$1
		shift
		run --separate-stderr -2 bock_image diff "$@" a b
		[ -z "$output" ]
		[[ $stderr == *"$message"* ]] || fail "$stderr"
	}
	run -0 bock_image diff --max-ratio 2000 --max-depth 3 --max-entries 5 --max-file 70m --max-name 90 --max-pax 3k --max-size 71m --threads 1 a b
	[ "${#lines[@]}" -eq 5 ]
	bounded "times its size"
	bounded "times its size" --max-ratio 100
	bounded "deeper than 2 directories" --max-ratio 2000 --max-depth 2
	bounded "more than 4 entries" --max-ratio 2000 --max-entries 4
	bounded "bytes, at most 62914560 are taken" --max-ratio 2000 --max-file 60m
	bounded "at most 89" --max-ratio 2000 --max-name 89
	bounded "an extended header of" --max-ratio 2000 --max-pax 1k
	bounded "more than 60000000 bytes" --max-ratio 2000 --max-size 60000000
	bounded "--max-file" --max-file much
	bounded "can't be more than" --max-name 5000
	# the same bounds hold for the image that both have all layers of, once they are read
	run -0 bock_image diff --max-entries 1 a a
}

@test "the platform chooses of an index, and the confinement can be demanded or turned off" {
	make_image a <<<'file x x'
	make_image b <<<'file y y'
	python3 - "$STORE" <<-'END'
		import hashlib, json, sys
		path = sys.argv[1] + "/index.json"
		index = json.load(open(path, encoding="utf-8"))
		both = []
		for arch, d in zip(("amd64", "arm64"), index["manifests"]):
		    both.append({k: v for k, v in d.items() if k != "annotations"} | {"platform": {"os": "linux", "architecture": arch}})
		text = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": both}).encode()
		digest = hashlib.sha256(text).hexdigest()
		open(f"{sys.argv[1]}/blobs/sha256/{digest}", "wb").write(text)
		index["manifests"].append({"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "sha256:" + digest,
		                           "size": len(text), "annotations": {"org.opencontainers.image.ref.name": "both"}})
		json.dump(index, open(path, "w", encoding="utf-8"))
	END
	differs --platform linux/arm64 both b </dev/null
	differs --platform linux/amd64 both a </dev/null
	differs --platform linux/amd64 both b <<-'END'
		D /x
		A /y
	END
	run -2 bock_image diff --platform linux/s390x both b
	assert_output -p "it has no image for linux/s390x"
	[ "$(bock_image diff --confine none a b)" = "$(bock_image diff a b)" ]
}
