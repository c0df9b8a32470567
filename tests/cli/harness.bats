# SPDX-License-Identifier: Apache-2.0
# The harness itself: how TAP is counted, and that each style check can fail.

setup() {
	load ../helpers/common
	T=$BATS_TEST_TMPDIR
	export BOCK_BUILDDIR
}

tap() { # STATUS LINE...
	local status=$1
	shift
	printf '%s\n' "$@" | awk -v status="$status" -f "$TOP/tests/helpers/tap.awk"
}

# A tree with one module and the style checks; arguments: FILE CONTENT pairs.
tree() {
	mkdir -p "$T/tree/tests" "$T/tree/libcommon/base" "$T/tree/libcommon/codec" "$T/tree/man"
	cp -r "$TOP/tests/style" "$TOP/tests/helpers" "$T/tree/tests/"
	cp "$TOP/libcommon/base/bk_banned.h" "$T/tree/libcommon/base/"
	cp "$TOP/libcommon/Makemodule.am" "$T/tree/libcommon/"
	cp "$TOP/man/Makemodule.am" "$T/tree/man/"
	mkdir -p "$T/tree/tests/unit" "$T/tree/tests/fuzz"
	cp "$TOP/tests/unit/Makemodule.am" "$T/tree/tests/unit/"
	while [ $# -gt 0 ]; do
		mkdir -p "$(dirname "$T/tree/$1")"
		printf '%b' "$2" >"$T/tree/$1"
		shift 2
	done
}

# check NAME WORDS: the style check fails and says WORDS
refused() {
	run "$T/tree/tests/style/$1"
	assert_status 1
	assert_output -p "$2"
}

spdx='/* SPDX-License-Identifier: Apache-2.0 */\n'

@test "tap: counts what passed, failed and was skipped, in the words of cmocka and of bats" {
	[ "$(tap 0 1..2 'ok 1 - a' 'ok 2 - b')" = "2 0 0" ]
	[ "$(tap 1 1..2 'ok 1 - a' 'not ok 2 - b')" = "1 1 0" ]
	[ "$(tap 0 1..2 'ok 1 a # skip not root' 'not ok 2 # SKIP b')" = "0 0 2" ]
}

@test "tap: tests that never reported have failed" {
	[ "$(tap 139 1..3 'ok 1 - a')" = "1 2 0" ]
}

@test "tap: a status of its own is a failure, even without a test" {
	[ "$(tap 1)" = "0 1 0" ]
	[ "$(tap 1 1..1 'ok 1 - a')" = "1 1 0" ]
}

@test "style: layers refuses an arrow that points the wrong way" {
	tree libcommon/codec/bk_a.h "$spdx" libcommon/base/bk_a.c "$spdx#include \"codec/bk_a.h\"\n"
	refused layers "libcommon/base may not include libcommon/codec"
}

@test "style: layers refuses leaves that include each other" {
	tree bock-runc/ns/ns_a.h "$spdx" bock-runc/mount/mount_a.c "$spdx#include \"ns/ns_a.h\"\n"
	refused layers "bock-runc/mount may not include bock-runc/ns"
}

@test "style: layers refuses an include that names no folder, and a folder that has no layer" {
	tree libcommon/base/bk_a.c "$spdx#include \"bk_b.h\"\n" libcommon/new/x.c "$spdx"
	refused layers "an include names its folder"
	assert_output -p "no line for libcommon/new"
}

@test "style: layers keeps yajl to its wrapper" {
	tree libcommon/oci/oci_a.c "$spdx#include <yajl/yajl_tree.h>\n"
	refused layers "<yajl/yajl_tree.h>"
}

@test "style: cycles refuses two modules that include each other" {
	tree libcommon/base/bk_a.h "$spdx#include \"base/bk_b.h\"\n" \
		libcommon/base/bk_b.h "$spdx" libcommon/base/bk_b.c "$spdx#include \"base/bk_a.h\"\n"
	refused cycles "libcommon/base/bk_b"
}

@test "style: banned refuses an #undef of a banned call" {
	tree libcommon/base/bk_a.c "$spdx#undef strcpy\n"
	refused banned "lifts the ban on strcpy"
}

@test "style: headers refuses a header that does not include what it uses" {
	[ -e "$BOCK_BUILDDIR/config.h" ] || skip "$BOCK_BUILDDIR/config.h is missing"
	tree libcommon/base/bk_a.h "$spdx#ifndef A\n#define A\nstruct bk_a { bool b; };\n#endif\n"
	run "$T/tree/tests/style/headers"
	[ "$status" -ne 0 ]
	assert_output -p "bk_a.h: does not compile alone"
}

@test "style: size refuses a long file, a long function and a complex one" {
	need_cmd ctags universal-ctags
	need_cmd pmccabe
	tree libcommon/base/bk_a.c "$spdx$(printf '%0.s\\n' {1..700})" \
		libcommon/base/bk_b.c "${spdx}void f(void);\nvoid f(void)\n{\n$(printf '%0.s\\n' {1..78})}\n" \
		libcommon/base/bk_c.c "${spdx}int g(int a)\n{\n$(printf '\\tif (a == %d)\\n\\t\\treturn 1;\\n' {1..20})\treturn 0;\n}\n"
	refused size "bk_a.c: 701 lines"
	assert_output -p "f() has 81 lines"
	assert_output -p "complexity 21"
}

@test "style: sources refuses what has no SPDX line, is not listed or names somebody's folder" {
	tree libcommon/base/bk_a.c 'int a;\n' libcommon/base/bk_b.c "$spdx/* see /""work/x */\n"
	refused sources "bk_a.c:1: the first line"
	assert_output -p "libcommon/base/bk_a.c: not in libcommon/Makemodule.am"
	assert_output -p "a path of one machine"
}

@test "style: sources refuses a public function without a comment" {
	tree libcommon/base/bk_a.h "${spdx}\nstruct bk_a {\n\tint b;\n};\n\nint bk_a_get(struct bk_a *a);\n"
	printf '%%D%%/base/bk_a.h\n' >>"$T/tree/libcommon/Makemodule.am"
	refused sources "no comment on: int bk_a_get"
}

@test "style: man refuses what mandoc warns of, and a page that is not installed" {
	need_cmd mandoc
	tree man/nothing.1 '.Dd $Mdocdate$\n.Dt NOTHING 1\n.Os\n.Sh NAME\nnothing\n'
	refused man "nothing.1"
	assert_output -p "not in man/Makemodule.am"
}

@test "style: shell refuses what shellcheck warns of" {
	need_cmd shellcheck
	tree bad.sh '#!/bin/sh\nrm $1/x\n'
	refused shell "SC2086"
}

@test "style: options refuses an option that the man page lacks, and one that the program lacks" {
	need_cmd mandoc
	tree bock-runc/main.c "$spdx" man/bock-runc.8 \
		'.Dd January 1, 2026\n.Dt BOCK-RUNC 8\n.Os\n.Sh NAME\n.Nm bock-runc\n.Nd x\n.Bl -tag\n.It Fl -root Ar DIR\nx\n.It Fl -gone\ny\n.El\n'
	mkdir -p "$T/build/bock-runc"
	cat >"$T/build/bock-runc/bock-runc" <<'END'
#!/bin/sh
case $1 in
__options) printf '\t--root\t\tDIR\n\t--log\t\tFILE\n' ;;
*) echo "--root DIR --log FILE" ;;
esac
END
	chmod +x "$T/build/bock-runc/bock-runc"
	BOCK_BUILDDIR=$T/build refused options "man page of bock-runc (global) does not name --log"
	assert_output -p "describes gone"
}
