# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the scripts under tests/: what is a project file, and how one is compiled by itself.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
builddir=${BOCK_BUILDDIR:-$top/build}

# The project's files, below the top folder, one a line: what git tracks and what it could, or in an
# unpacked release all there is. Arguments: patterns, as git's.
project_files() {
	local -a patterns=("$@")
	[ ${#patterns[@]} -gt 0 ] || patterns=('*')
	if [ -e "$top/.git" ]; then
		(cd "$top" && git ls-files --cached --others --exclude-standard -- "${patterns[@]}" |
			while IFS= read -r file; do [ -e "$file" ] && printf '%s\n' "$file"; done) | sort -u
	else
		local pattern
		for pattern in "${patterns[@]}"; do
			(cd "$top" && find . -type f -path "./$pattern" -printf '%P\n')
		done | sort -u
	fi
}

# The folder whose layer a source belongs to: libcommon, bock-runc, ..., tests
unit_of() {
	printf '%s\n' "${1%%/*}"
}

# Sets the array flags: how the compiler is called for FILE, which decides the include path.
compile_flags() {
	local file=$1
	flags=(-std=gnu17 -include "$builddir/config.h"
		-include "$top/libcommon/base/bk_banned.h" -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
		"-I$top/libcommon")
	case $file in
	bock-runc/*) flags+=("-I$top/bock-runc" '-DBOCK_LIBEXECDIR="/usr/libexec/bock"') ;;
	bock-image/*) flags+=("-I$top/bock-image" '-DBOCK_LIBEXECDIR="/usr/libexec/bock"') ;;
	bock-build/*) flags+=("-I$top/bock-build" "-I$top/bock-image") ;;
	bock-net/*) flags+=("-I$top/bock-net") ;;
	bock-runc-systemd/*) flags+=("-I$top/bock-runc-systemd") ;;
	tests/*) flags+=("-I$top/bock-runc" "-I$top/bock-image" "-I$top/bock-build" "-I$top/tests/unit") ;;
	esac
}
