#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images that attack who unpacks them. Each test is named after the advisory that it comes from. What is
# refused leaves no bundle; what is contained leaves the folder beside it as it was.

setup() {
	load ../helpers/common
	common_setup
	need_program image
	need_cmd python3
	OUT=$T/outside
	mkdir "$OUT"
	echo untouched >"$OUT/victim"
	chmod 640 "$OUT/victim"
	touch -d @1000000000 "$OUT/victim" "$OUT"
	BEFORE=$(outside)
}

teardown() {
	common_teardown
}

outside() {
	find "$OUT" -printf '%p %m %U %G %T@ %s %n\n'
	cat "$OUT/victim"
}

# attack: the script on stdin becomes an image, which is unpacked to $T/b
attack() {
	sed "s|@OUT@|$OUT|g; s|@UP@|../../../../../../../../../..$OUT|g" |
		"$TOP/tests/helpers/make-image" "$STORE" evil
	run -"${1:-1}" bock_image unpack evil "$T/b"
	# the bundle's folder changes the time of $T, not of what is in it
	[ "$(outside)" = "$BEFORE" ] || fail "outside is changed: $(outside)"
	[ "$status" -eq 0 ] || [ ! -e "$T/b" ] || fail "a refused image left a bundle"
}

@test "CVE-2014-6407: a name with .. in it is refused" {
	attack <<-'END'
		file ../../../outside/victim evil
	END
	assert_output -p "leads upwards"
}

@test "CVE-2014-9356: an absolute name is one below the root" {
	attack 0 <<-'END'
		file @OUT@/victim evil
	END
	[ "$(cat "$T/b/rootfs$OUT/victim")" = evil ]
}

@test "CVE-2014-9356: an absolute symbolic link in the middle of a name leads inside the root" {
	attack 0 <<-'END'
		symlink a @OUT@
		file a/victim evil
	END
	[ "$(cat "$T/b/rootfs$OUT/victim")" = evil ]
}

@test "CVE-2014-9356: a relative symbolic link in the middle of a name stays inside" {
	attack 0 <<-'END'
		symlink a @UP@
		file a/victim evil
	END
	[ "$(cat "$T/b/rootfs$OUT/victim")" = evil ]
}

@test "CVE-2025-5981: links in one layer, the write through them in the next" {
	attack 0 <<-'END'
		layer
		symlink a b
		symlink b @OUT@
		layer
		file a/victim evil
	END
	[ "$(cat "$T/b/rootfs$OUT/victim")" = evil ]
}

@test "a file over a symbolic link replaces the link and not what it leads to" {
	attack 0 <<-'END'
		layer
		symlink a @OUT@/victim
		layer
		file a evil
	END
	[ ! -L "$T/b/rootfs/a" ]
	[ "$(cat "$T/b/rootfs/a")" = evil ]
}

@test "a file over a symbolic link of its own layer does so too" {
	attack 0 <<-'END'
		symlink a @OUT@/victim
		file a evil
	END
	[ ! -L "$T/b/rootfs/a" ]
}

@test "CVE-2014-9356: a hard link out of the root is refused" {
	attack <<-'END'
		hardlink a ../../../outside/victim
	END
	assert_output -p "leads upwards"
}

@test "CVE-2014-9356: a hard link to an absolute name is looked for inside" {
	attack <<-'END'
		hardlink a @OUT@/victim
	END
	assert_output -p "hard link '/a'"
}

@test "CVE-2026-50163: the target of a hard link is not looked for in the current folder" {
	cd "$OUT"
	attack <<-'END'
		hardlink a victim
	END
	assert_output -p "hard link '/a'"
}

@test "CVE-2026-50163: a hard link through a symbolic link stays inside" {
	attack <<-'END'
		symlink d @OUT@
		hardlink a d/victim
	END
	assert_output -p "hard link '/a'"
}

@test "CVE-2021-32760: a hard link to a symbolic link is one to the link, and what follows replaces it" {
	attack 0 <<-'END'
		symlink s @OUT@/victim mode=777
		hardlink h s
		file h evil mode=4777 uid=1
	END
	[ -f "$T/b/rootfs/h" ]
	[ "$(cat "$T/b/rootfs/h")" = evil ]
}

@test "CVE-2021-29136: an entry that is the root must be a directory (symbolic link)" {
	for name in . / ./ //; do
		attack <<-END
			symlink $name @OUT@
		END
		assert_output -p "replaces the root"
		rm -rf "$STORE"
	done
}

@test "CVE-2021-29136: an entry that is the root must be a directory (file, hard link)" {
	attack <<-'END'
		file x 1
		hardlink . x
	END
	assert_output -p "replaces the root"
	rm -rf "$STORE"
	attack <<-'END'
		file ./ evil type=0 pax.path=.
	END
	assert_output -p "root"
}

@test "CVE-2021-32760: modes and owners are those of the entry, never of what a link leads to" {
	attack 0 <<-'END'
		symlink victim @OUT@/victim mode=4777 uid=12 gid=12
		symlink dir @OUT@ mode=777 uid=12 gid=12
	END
	[ -L "$T/b/rootfs/dir" ]
}

@test "a whiteout below a symbolic link to the host removes nothing there" {
	attack 0 <<-'END'
		layer
		symlink etc @OUT@
		layer
		file etc/.wh.victim
		file etc/.wh..wh..opq
	END
	[ -L "$T/b/rootfs/etc" ]
}

@test "singularity#1605: the whiteout of a symbolic link removes the link" {
	attack 0 <<-'END'
		layer
		symlink link @OUT@
		symlink file @OUT@/victim
		layer
		file .wh.link
		file .wh.file
	END
	[ ! -L "$T/b/rootfs/link" ]
	[ ! -L "$T/b/rootfs/file" ]
}

@test "a whiteout of nothing, of . and of .. is refused" {
	for name in .wh. .wh.. .wh...; do
		attack <<-END
			layer
			dir d
			layer
			file d/$name
		END
		assert_output -p "whiteout"
		rm -rf "$STORE"
	done
}

@test "a whiteout that is a directory, or has something below it, is refused" {
	attack <<-'END'
		dir .wh.x
	END
	assert_output -p "whiteout"
	rm -rf "$STORE"
	attack <<-'END'
		file .wh.x/y evil
	END
	assert_output -p "whiteout"
}

@test "CVE-2025-62518: a header of a sum that is wrong is refused, not skipped" {
	attack <<-'END'
		file a 1
		raw 6100000000000000000000000000000000000000000000000000000000000000
		file b 2
	END
	assert_output -p "tar"
}

@test "CVE-2025-62518: a size in the pax header that is not the other one is refused" {
	# 1536 bytes by pax, none by ustar: who believes the second one finds an entry in the content
	attack <<-'END'
		file a '' pax.size=1536
		file inside hidden
	END
	assert_output -p "1536 bytes by its pax header, and 0 by the other"
}

@test "CVE-2025-62518: an extended header before a long name, or twice, is refused" {
	attack <<-'END'
		file x '18 comment=before\n' type=x
		file ././@LongLink 'name' type=L
		file a 1
	END
	assert_output -p "two headers that say one entry's name"
	rm -rf "$STORE"
	attack <<-'END'
		file x '12 path=one\n' type=x
		file a 1 pax.path=two
	END
	assert_output -p "two extended headers"
}

@test "CVE-2025-62518: a global header that renames, and an entry behind the end, are refused" {
	attack <<-'END'
		file g '13 path=evil\n' type=g
		file a 1
	END
	assert_output -p "a global header that sets 'path'"
	rm -rf "$STORE"
	attack <<-END
		file a 1
		raw $(printf '00%.0s' $(seq 1024))
		file hidden 1
	END
	assert_output -p "behind its end"
}

@test "CVE-2026-53655: a body behind a link, a folder or a device is refused" {
	for kind in 'symlink a b' 'dir a' 'fifo a' 'hardlink a b'; do
		attack <<-END
			$kind size=512
			file hidden 1
		END
		assert_output -p "has a body"
		rm -rf "$STORE"
	done
}

@test "CVE-2025-62518: a malformed pax header is refused" {
	attack <<-'END'
		# a header of type x, 12 bytes: "99 path=foo\n" says that it has 99
		file x '99 path=fooo' type=x
		file a 1
	END
	assert_output -p "tar"
}

@test "CVE-2024-3727: a digest that is a path is refused" {
	"$TOP/tests/helpers/make-image" "$STORE" evil <<<'file a 1'
	for digest in sha256:../../../../etc/passwd 'sha256:..' 'sha256:' ../x \
		sha256:ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789; do
		jq --arg d "$digest" '.manifests[0].digest = $d' "$STORE/index.json" >"$T/index" &&
			cp "$T/index" "$STORE/index.json"
		run -1 bock_image unpack evil "$T/b"
		assert_output -p digest
		[ ! -e "$T/b" ]
	done
}

# A document in place of the image's manifest: its text on stdin.
replace_manifest() { # [MEDIATYPE]
	local text digest
	text=$(cat)
	digest=$(printf %s "$text" | sha256sum | cut -d' ' -f1)
	printf %s "$text" >"$STORE/blobs/sha256/$digest"
	jq --arg d "sha256:$digest" --argjson s "${#text}" --arg t "${1:-application/vnd.oci.image.manifest.v1+json}" \
		'.manifests[0] |= (.digest = $d | .size = $s | .mediaType = $t)' "$STORE/index.json" >"$T/index"
	cp "$T/index" "$STORE/index.json"
}

manifest_text() {
	cat "$STORE/blobs/sha256/$(jq -r '.manifests[0].digest' "$STORE/index.json" | cut -d: -f2)"
}

@test "CVE-2021-41190: a document that is manifest and index at once is refused" {
	"$TOP/tests/helpers/make-image" "$STORE" evil <<<'file a 1'
	manifest_text | jq -c '.manifests = []' | replace_manifest
	run -1 bock_image unpack evil "$T/b"
	assert_output -p "manifest and index at once"
}

@test "CVE-2021-41190: a mediaType that is not the descriptor's is refused" {
	"$TOP/tests/helpers/make-image" "$STORE" evil <<<'file a 1'
	manifest_text | jq -c '.mediaType = "application/vnd.oci.image.index.v1+json"' | replace_manifest
	run -1 bock_image unpack evil "$T/b"
	assert_output -p "it says that it is"
}

@test "CVE-2025-24882: content that is not what its digest says is refused" {
	"$TOP/tests/helpers/make-image" "$STORE" evil <<<'file a 1'
	blob=$STORE/blobs/sha256/$(jq -r '.manifests[0].digest' "$STORE/index.json" | cut -d: -f2)
	sed -i 's/"schemaVersion": 2/"schemaVersion": 2/; s/sha256:/sha256:/; s/"size": \([0-9]\)/"size": \1/; s/ "layers"/\t"layers"/' "$blob"
	run -1 bock_image unpack evil "$T/b"
	assert_output -p "damaged"
}

@test "a layer whose digest is wrong is refused" {
	attack <<-'END'
		file a 1
		break digest
	END
	assert_output -p "digest"
}

@test "a layer whose DiffID is wrong is refused" {
	attack <<-'END'
		file a 1
		break diffid
	END
	assert_output -p "DiffID"
}

@test "a layer whose size is wrong is refused" {
	attack <<-'END'
		file a 1
		break size
	END
	assert_output -p "bytes instead of"
}

@test "CVE-2020-1702: a manifest of 5 MiB is refused" {
	"$TOP/tests/helpers/make-image" "$STORE" evil <<<'file a 1'
	head -c 5300000 /dev/zero | tr '\0' x >"$T/text"
	digest=$(sha256sum <"$T/text" | cut -d' ' -f1)
	cp "$T/text" "$STORE/blobs/sha256/$digest"
	jq --arg d "sha256:$digest" '.manifests[0] |= (.digest = $d | .size = 5300000)' "$STORE/index.json" >"$T/index"
	cp "$T/index" "$STORE/index.json"
	run -1 bock_image unpack evil "$T/b"
	assert_output -p "are read"
}

@test "image-spec#1285: a size that is negative or missing is refused" {
	"$TOP/tests/helpers/make-image" "$STORE" evil <<<'file a 1'
	manifest_text | jq -c '.layers[0].size = -1' | replace_manifest
	run -1 bock_image unpack evil "$T/b"
	assert_output -p "size"
	manifest_text | jq -c 'del(.layers[0].size)' | replace_manifest
	run -1 bock_image unpack evil "$T/b"
	assert_output -p "size"
}

@test "bomb: 300 MB of zeros in a layer of 300 kB are refused" {
	attack <<-'END'
		empty zeros 300000000
	END
	assert_output -p "times its size"
}

@test "bomb: a name of 2 MB, a path of 5,000 bytes, and one of 300 folders are refused" {
	long=$(printf 'n%.0s' $(seq 5000))
	attack <<-END
		file $long 1
	END
	rm -rf "$STORE"
	deep=$(printf 'd/%.0s' $(seq 300))
	attack <<-END
		file ${deep}f 1
	END
	assert_output -p "deeper than"
	rm -rf "$STORE"
	attack <<<'file a 1 pax.comment=@2000000'
}

@test "bomb: a sparse file of 2^62 bytes is refused" {
	attack <<-'END'
		file a '' pax.GNU.sparse.major=1 pax.GNU.sparse.minor=0 pax.GNU.sparse.name=a pax.GNU.sparse.realsize=4611686018427387904
	END
}

@test "CVE-2024-40635: a user of 2^32 is refused, not root" {
	for user in 4294967296 4294967295 99999999999999999999 -1; do
		attack <<-END
			config '{"config":{"Cmd":["x"],"User":"$user"}}'
			dir etc
			file etc/passwd 'root:x:0:0::/:\n$user:x:0:0::/:'
		END
		assert_output -p "user"
		rm -rf "$STORE"
	done
}

@test "CVE-2026-46680: a user of digits is a number, whatever the image's passwd says" {
	"$TOP/tests/helpers/make-image" "$STORE" evil <<-'END'
		config '{"config":{"Cmd":["x"],"User":"1000"}}'
		dir etc
		file etc/passwd '1000:x:0:0::/:'
	END
	run -0 bock_image unpack evil "$T/b"
	[ "$(jq -c .process.user "$T/b/config.json")" = '{"uid":1000,"gid":0}' ]
}

@test "CVE-2024-9676: a passwd that is a link to the host, a FIFO or a directory gives no user" {
	echo "evil:x:0:0::/:" >"$OUT/passwd"
	BEFORE=$(outside)
	attack <<-'END'
		config '{"config":{"Cmd":["x"],"User":"evil"}}'
		dir etc
		symlink etc/passwd @OUT@/passwd
	END
	for kind in 'fifo etc/passwd' 'dir etc/passwd' 'empty etc/passwd 5000000'; do
		rm -rf "$STORE"
		attack <<-END
			config '{"config":{"Cmd":["x"],"User":"evil"}}'
			dir etc
			$kind
		END
	done
}

@test "CVE-2022-2989: the primary group is among the additional ones" {
	"$TOP/tests/helpers/make-image" "$STORE" good <<-'END'
		config '{"config":{"Cmd":["x"],"User":"u"}}'
		dir etc
		file etc/passwd 'u:x:7:8::/home/u:\n'
		file etc/group 'g:x:9:a,u\n'
	END
	run -0 bock_image unpack good "$T/b"
	[ "$(jq -c .process.user "$T/b/config.json")" = '{"uid":7,"gid":8,"additionalGids":[8,9]}' ] ||
		fail "$(jq -c .process.user "$T/b/config.json")"
}

@test "CVE-2014-9358: names in a docker-archive are keys, not paths" {
	mkdir -p "$T/d"
	printf '[{"Config":"../../../outside/victim","RepoTags":["a:1"],"Layers":["../../x/layer.tar"]}]' >"$T/d/manifest.json"
	tar -C "$T/d" -cf "$T/d.tar" manifest.json
	run -1 bock_image load "$T/d.tar"
	assert_output -p "not in the archive"
}

@test "CVE-2014-9357: a layer of a docker-archive may link to another of it only" {
	mkdir -p "$T/d/x"
	ln -s "$OUT/victim" "$T/d/x/layer.tar"
	printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%064d"]}}' 0 >"$T/d/c.json"
	printf '[{"Config":"c.json","RepoTags":["a:1"],"Layers":["x/layer.tar"]}]' >"$T/d/manifest.json"
	tar -C "$T/d" -cf "$T/d.tar" manifest.json c.json x
	run -1 bock_image load "$T/d.tar"
	assert_output -p "not in the archive"
	[ -z "$(find "$STORE/blobs" -type f)" ] || fail "a refused archive left blobs"
}

@test "CVE-2026-50195: an archive takes over no name of another image unless told to" {
	"$TOP/tests/helpers/make-image" "$T/one" app:1 <<<'file a 1'
	"$TOP/tests/helpers/make-image" "$T/two" app:1 <<<'file a 2'
	run -0 bock_image load "$T/one"
	run -1 bock_image load "$T/two"
	assert_output -p "is there already"
	run -0 bock_image load "$T/one"
	run -0 bock_image load --replace "$T/two"
}

@test "CVE-2025-47290: links that others swap in while an image is unpacked lead nowhere" {
	need_root
	{
		for i in $(seq 2000); do
			printf 'dir d\nfile d/f%d %d\n' "$i" "$i"
		done
	} | "$TOP/tests/helpers/make-image" "$STORE" many
	(
		for _ in $(seq 3000); do
			mv -T "$T/b/rootfs/d" "$T/b/rootfs/d.was" 2>/dev/null && ln -s "$OUT" "$T/b/rootfs/d"
		done
	) &
	swapper=$!
	run bock_image unpack many "$T/b"
	wait "$swapper" || :
	[ -z "$(find "$OUT" -name 'f*')" ] || fail "files were written outside"
}

@test "CVE-2014-9357: what reads a layer works in a process that can do nothing else" {
	need_cmd strace
	"$TOP/tests/helpers/make-image" "$STORE" good <<-'END'
		file a 1 mode=4755 xattr.user.x=y
		hardlink b a
		symlink c a
	END
	for how in auto none; do
		run -0 bock_image unpack --confine "$how" good "$T/b-$how"
		[ "$(stat -c %a "$T/b-$how/rootfs/a")" = 4755 ]
	done
	strace -f -o "$T/trace" -e trace=openat,openat2,landlock_restrict_self,prctl,seccomp,socket,execve \
		"$BOCK_IMAGE" --root "$STORE" unpack good "$T/b" ||
		skip "unpack works by itself, and not under strace (ptrace refused, or a sanitizer that refuses strace)"
	run -0 grep -E 'PR_SET_NO_NEW_PRIVS, 1|PR_SET_SECCOMP' "$T/trace"
	[ -f "$T/b/rootfs/b" ]
	run -1 bock_image unpack --confine maybe good "$T/b2"
}

@test "bombs: bounds that a caller sets are kept" {
	"$TOP/tests/helpers/make-image" "$STORE" many <<-'END'
		dir d
		file d/name 12345
		file e 1
	END
	for bound in max-depth=1 max-entries=2 max-file=4 max-name=5 max-size=1k; do
		run -1 bock_image unpack "--$bound" many "$T/b"
		[ ! -e "$T/b" ]
	done
	run -1 bock_image unpack --max-name 5000 many "$T/b"
	assert_output -p "can't be more than"
	run -0 bock_image unpack --max-depth 2 --max-entries 3 --max-file 5 --max-name 6 --max-size 8k --threads 1 many "$T/b"
}
