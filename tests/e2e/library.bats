# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # status and output are bats'
#
# libbock-image as others use it: installed, found by pkg-config, linked from outside of the tree.

setup() {
	load ../helpers/common
	common_setup
	need_cmd pkg-config
	need_cmd cc gcc
	[ -e "$BOCK_BUILDDIR/bock-image/libbock-image.so.0" ] || skip "the library is not built in $BOCK_BUILDDIR"
	nm -D "$BOCK_BUILDDIR/bock-image/libbock-image.so.0" | grep -q __asan_init && skip "a sanitized library wants a sanitized program"
	make -s -C "$BOCK_BUILDDIR" install-bocklibPROGRAMS install-bockincludeHEADERS install-nodist_pkgconfigDATA \
		install-bock-image-link DESTDIR="$T/inst" >"$T/install.log" 2>&1 || { cat "$T/install.log" >&2; return 1; }
	pc=$(find "$T/inst" -name bock-image.pc)
	export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$T/inst PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
	LIBRARY=$(find "$T/inst" -name libbock-image.so.0)
	export LD_LIBRARY_PATH=${LIBRARY%/*}
	cp "$TOP"/docs/examples/*.c "$T"
	for program in image registry; do
		# shellcheck disable=SC2046 # words
		(cd "$T" && cc -Wall -Wextra -Werror -o $program $program.c $(pkg-config --cflags --libs bock-image))
	done
}

teardown() { common_teardown; }

@test "the example makes a store, saves, lists, unpacks and says what is wrong" {
	run -0 "$T/image" "$STORE"
	run -0 "$T/image" "$STORE"
	assert_output -e '^empty:1 sha256:[0-9a-f]{64} linux/amd64 [0-9]+$'
	mkdir -p "$T/r/etc"
	echo hi >"$T/r/etc/x"
	tar -C "$T/r" -cf "$T/r.tar" .
	bock_image import -q "$T/r.tar" a:1
	run -0 "$T/image" "$STORE" a:1 "$T/out"
	assert_output -p "$(bock_image inspect --raw a:1 | jq -r '.layers[0].digest')"
	[ "$(cat "$T/out/etc/x")" = hi ]
	run -1 "$T/image" "$STORE" nosuch:1 "$T/out2"
	assert_output -p "no image 'nosuch:1'"
	run -1 "$T/image" "$T/r"
	assert_output -p "image store"
	bock_image fsck -q
}

@test "the library gives its public functions and nothing else; the header is C++ as well" {
	run -0 bash -c 'nm -D --defined-only "$0" | awk "{ print \$3 }" | grep -v ^bock_ || :' "$LIBRARY"
	assert_output ""
	grep -oE '^BOCK_API .*\bbock_[a-z_]+\(|^BOCK_API .*\*bock_[a-z_]+\(' "$TOP/bock-image/lib/image.h" |
		grep -oE 'bock_[a-z_]+\($' | tr -d '(' | sort >"$T/declared"
	nm -D --defined-only "$LIBRARY" | awk '{ print $3 }' | sort >"$T/defined"
	diff "$T/declared" "$T/defined" >&2
	need_cmd c++ g++
	printf '#include <bock/image.h>\nint main() { return bock_error_errno(nullptr); }\n' >"$T/x.cc"
	# shellcheck disable=SC2046 # words
	c++ -Wall -Wextra -Werror -o "$T/x" "$T/x.cc" $(pkg-config --cflags --libs bock-image)
	"$T/x"
}

@test "the example pulls from a registry, and asks for credentials where they are wanted" {
	load ../helpers/registry.bash
	need_cmd python3
	mkdir -p "$T/r/etc"
	echo hi >"$T/r/etc/x"
	tar -C "$T/r" -cf "$T/r.tar" .
	"$BOCK_IMAGE" --root "$T/layout" import -q "$T/r.tar" x:1
	digest=$("$BOCK_IMAGE" --root "$T/layout" list -q)
	export no_proxy=127.0.0.1
	registry_start "$T/layout" "$T"
	host=$registry_host
	run -0 --separate-stderr "$T/registry" "$host" ok/x 1 "$STORE"
	ok_output=$output ok_stderr=$stderr
	run -1 "$T/registry" "$host" ok/x nosuch "$STORE"
	nosuch_output=$output
	run -0 --separate-stderr "$T/registry" "$host" basic/x 1 "$STORE" bob secret
	basic_stderr=$stderr
	run -1 "$T/registry" "$host" basic/x 1 "$T/other" bob wrong
	refused_output=$output
	run -1 "$T/registry" "$host" ../x 1 "$T/other"
	name_output=$output
	mkdir -p "$T/home/.config/containers"
	echo '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"'"$host"'/ok":[{"type":"reject"}]}}}' \
		>"$T/home/.config/containers/policy.json"
	HOME=$T/home run -1 "$T/registry" "$host" ok/x 1 "$T/unwanted"
	policy_output=$output
	# one whose name has no dot, which begins a name of Docker Hub as well, and Docker Hub by its host; all behind a proxy
	echo '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"reg/ok":[{"type":"reject"}],"docker.io/ok":[{"type":"reject"}]}}}' \
		>"$T/home/.config/containers/policy.json"
	HOME=$T/home http_proxy=http://$host run -1 "$T/registry" http://reg ok/x 1 "$T/unwanted"
	dotless_output=$output
	HOME=$T/home http_proxy=http://$host run -1 "$T/registry" http://registry-1.docker.io ok/x 1 "$T/unwanted"
	hub_output=$output
	kill "$registry_pid"
	output=$ok_output
	assert_output -p "image $host/ok/x:1 $digest"
	assert_output -p 'config {'
	[[ $ok_stderr == *"is there"* ]]
	output=$nosuch_output
	assert_output -p "manifest 'nosuch'"
	[[ $basic_stderr == *"credentials for $host"* ]]
	output=$refused_output
	assert_output -p 401
	refute_output -p wrong
	output=$name_output
	assert_output -p "repository '../x'"
	output=$policy_output
	assert_output -p "policy '$T/home/.config/containers/policy.json' (docker '$host/ok'): it is rejected"
	output=$dotless_output
	assert_output -p "(docker 'reg/ok'): it is rejected"
	output=$hub_output
	assert_output -p "(docker 'docker.io/ok'): it is rejected"
	[ -z "$(bock_image --root "$T/unwanted" list -q)" ]
	[ -z "$(find "$T/unwanted/blobs" -type f)" ]
	# for fsck --repair
	jq -e --arg s "$host/ok/x" '.manifests | map(.annotations["io.bock.source"]) | index($s)' "$STORE/index.json" >/dev/null ||
		fail "$(cat "$STORE/index.json")"
	bock_image fsck -q
}

@test "an import obeys the policy" {
	mkdir -p "$T/r/etc"
	tar -C "$T/r" -cf "$T/r.tar" .
	"$BOCK_IMAGE" --root "$T/layout" import -q "$T/r.tar" x:1
	cat >"$T/import.c" <<-'END'
		#include <bock/image.h>
		#include <stdio.h>

		int main(int argc, char **argv)
		{
			struct bock_store *store = NULL;
			struct bk_err *err = NULL;
			char text[1024];
			int rc = bock_store_open(argc > 2 ? argv[1] : NULL, BOCK_STORE_CREATE, &store, &err);

			if (rc == 0)
				rc = bock_store_import(store, argv[2], false, &err);
			if (rc < 0)
				printf("%d %s", -rc, bock_error_text(err, text, sizeof(text)));
			bock_error_free(&err);
			bock_store_close(store);
			return rc < 0;
		}
	END
	# shellcheck disable=SC2046 # words
	(cd "$T" && cc -Wall -Wextra -Werror -o import import.c $(pkg-config --cflags --libs bock-image))
	mkdir -p "$T/home/.config/containers"
	policy=$T/home/.config/containers/policy.json
	export HOME=$T/home
	echo '{"default":[{"type":"reject"}]}' >"$policy"
	run -1 "$T/import" "$STORE" "$T/layout"
	assert_output "8 load '$T/layout': policy '$policy' (default): it is rejected"
	echo '{"default":[{"type":"reject"}],"transports":{"oci":{"":[{"type":"insecureAcceptAnything"}]}}}' >"$policy"
	run -0 "$T/import" "$STORE" "$T/layout"
	[ "$(bock_image list -q | wc -l)" -eq 1 ]
}
