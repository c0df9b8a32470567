#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The tar parser against GNU tar and bsdtar, and the forms of sparse files that GNU tar writes.

setup() {
	load ../helpers/common
	common_setup
	need_program image
}

teardown() {
	common_teardown
}

@test "what the parser takes of archives changed at random, GNU tar takes and sees the same" {
	need_cmd python3
	LISTER=${BOCK_BUILDDIR:-build}/tests/unit/layer_tar_list
	[ -x "$LISTER" ] || skip "tests/unit/layer_tar_list is not built (make check TESTS=)"
	run "$TOP/tests/helpers/tar-differential" "$LISTER" 100 "$((RANDOM))" "$T/differ"
	assert_status 0
}

@test "the trees of what the parser takes are those that GNU tar and bsdtar make" {
	need_root
	need_cmd python3
	need_cmd bsdtar
	MAKER=${BOCK_BUILDDIR:-build}/tests/unit/layer_tree_make
	[ -x "$MAKER" ] || skip "tests/unit/layer_tree_make is not built (make check TESTS=)"
	# seeds whose archives were looked at; the eighth has a header that libarchive took for a sparse file's
	for seed in 7 8; do
		run "$TOP/tests/helpers/tar-trees" "$MAKER" 60 "$seed" "$T/differ"
		assert_status 0
	done
}

@test "sparse files of all four forms come out the same, with their holes" {
	mkdir "$T/tree"
	for i in 0 1 2 3 4 5 6 7 8 9; do
		printf 'piece %d' "$i" | dd of="$T/tree/sparse" bs=1 seek=$((i * 1000000 + 65536)) conv=notrunc status=none
	done
	truncate -s 12M "$T/tree/sparse"
	truncate -s 3M "$T/tree/hole"
	printf x >>"$T/tree/hole"
	for form in gnu 'posix --sparse-version=0.0' 'posix --sparse-version=0.1' 'posix --sparse-version=1.0'; do
		# shellcheck disable=SC2086 # two words
		tar -C "$T/tree" --sparse --format=$form -cf "$T/s.tar" .
		[ "$(stat -c %s "$T/s.tar")" -lt 2000000 ] || fail "$form: no sparse archive"
		run -0 bock_image import "$T/s.tar" "sparse:1" -c /bin/x
		run -0 bock_image unpack sparse:1 "$T/b"
		cmp "$T/tree/sparse" "$T/b/rootfs/sparse"
		cmp "$T/tree/hole" "$T/b/rootfs/hole"
		[ "$(stat -c %b "$T/b/rootfs/sparse")" -lt 4000 ] || fail "$form: the holes are filled"
		rm -rf "$T/b"
		run -0 bock_image rm sparse:1
	done
}
