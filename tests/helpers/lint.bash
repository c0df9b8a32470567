# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # flags, top and builddir are of lib.bash, which the caller has read
# For the linters that look at one file at a time, each of which looks at a copy of its own.

# A function returns 0 or less, by the rule of the house, but an analyzer sees one file at a time and would follow
# `rc < 0` with an rc above 0 into uninitialised variables. It reads a copy that says != 0.
#
# lint_copy TOOL FILE: makes it; sets $copy, and flags, with which it is compiled
lint_copy() {
	local file=$2
	copy=$builddir/$1/src/$file
	compile_flags "$file"
	case $file in
	libcommon/base/bk_err*.c | libcommon/codec/bk_doc.c) ;;
	bock-runc/sys/sys_helper.c) flags+=(-DBK_LINT_HELPER -include "$top/tests/helpers/lint.h") ;;
	*) flags+=(-include "$top/tests/helpers/lint.h") ;;
	esac
	mkdir -p "$(dirname "$copy")"
	sed 's/\<rc < 0/rc != 0/g' "$top/$file" >"$copy"
}

# lint_each TOOL DEPENDENCY SCRIPT [FILE...]: SCRIPT --one FILE STAMP for each file (all sources of programs and
# libraries, where none is named), some at a time. What passed and did not change since is not looked at again; a
# changed header, or a changed DEPENDENCY (a pattern of files), makes all of it new.
lint_each() {
	local tool=$1 dependency=$2 script=$3 headers file stamp
	shift 3
	headers=$(cd "$top" && project_files '*.h' "$dependency" 'tests/helpers/lint*' | tr '\n' '\0' | xargs -0 sha256sum |
		sha256sum | cut -c1-16)
	local -a files
	mapfile -t files < <(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else
		# init_stage_blob.c is an .incbin of what the build made
		project_files 'libcommon/*.c' 'bock-*/*.c' | grep -v /init_stage_blob.c
	fi)
	for file in "${files[@]}"; do
		stamp=$builddir/$tool/$headers/$file.$(sha256sum <"$top/$file" | cut -c1-16)
		[ -e "$stamp" ] || printf '%s\0%s\0' "$file" "$stamp"
	done | xargs -0 -r -n 2 -P "$(nproc)" "$script" --one
}
