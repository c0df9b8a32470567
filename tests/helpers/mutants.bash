# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # top is of lib.bash, which the caller has read
# For scripts that build the programs with a fault built in, one after the other: a copy of the tree, which is what
# is changed, and its build. The caller has die().

# mutants_tree TARGET...: copies the tree to $mutants_dir/src and builds these targets there; goes into the build
# folder, which is BOCK_BUILDDIR from then on
mutants_tree() {
	mutants_dir=$(mktemp -d "${TMPDIR:-/tmp}/mutants.XXXXXX")
	trap 'rm -rf "$mutants_dir"' EXIT
	mutants_log=$mutants_dir/log
	mutants_targets=("$@")
	cd "$top" || die "$top"
	[ -x configure ] || autoreconf -fi >"$mutants_log" 2>&1 || die 'autoreconf fails'
	mkdir "$mutants_dir/src"
	# with what autoreconf made
	{ project_files; find . -maxdepth 1 -type f -printf '%P\n'; find build-aux -type f 2>/dev/null; } | sort -u |
		tar -c --files-from=- | tar -x -C "$mutants_dir/src"
	mkdir "$mutants_dir/src/build"
	cd "$mutants_dir/src/build" || die "$mutants_dir"
	export BOCK_BUILDDIR=$PWD
	../configure CFLAGS=-O0 --disable-static-runc >"$mutants_log" 2>&1 ||
		die "configure fails: $(tail -n 1 "$mutants_log")"
	mutants_make 'without a fault'
}

mutants_make() { # WHAT
	make -j"$(nproc)" "${mutants_targets[@]}" >"$mutants_log" 2>&1 || {
		grep -E 'error|warning' "$mutants_log" | head -n 20 >&2
		die "$1: it does not build"
	}
}

# mutants_change NAME FILE SUBSTITUTION: which must apply; the file is as it was after mutants_restore
mutants_change() {
	local kept=$mutants_dir/kept/$2
	if [ ! -e "$kept" ]; then
		mkdir -p "$(dirname "$kept")"
		cp -p "../$2" "$kept"
	fi
	cp -p "../$2" "$mutants_dir/unchanged"
	sed -i "$3" "../$2"
	! cmp -s "$mutants_dir/unchanged" "../$2" || die "$1: the substitution does not fit $2 any more"
}

mutants_restore() {
	local file
	[ -d "$mutants_dir/kept" ] || return 0
	while IFS= read -r file; do
		cp -p "$mutants_dir/kept/$file" "../$file"
		touch "../$file"
	done < <(cd "$mutants_dir/kept" && find . -type f -printf '%P\n')
	rm -rf "$mutants_dir/kept"
}

# mutants_fits FILE SUBSTITUTION: whether it changes the file in the tree
mutants_fits() {
	! sed "$2" "$top/$1" | cmp -s - "$top/$1"
}
