#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What list keeps of images, and when it looks again.

setup() {
	load ../helpers/common
	common_setup
	need_program image
	need_cmd python3
	export T STORE
	FACTS="$STORE/.bock/facts"
}

teardown() {
	common_teardown
	[ -z "${U-}" ] || rm -rf "$U"
}

# Documents that are two seconds old are kept note of.
make_facts() {
	local end=$((SECONDS + 60))

	"$TOP/tests/helpers/make-image" "$T/layout" demo:1 <<<$'layer\nfile a b'
	bock_image load -q "$T/layout"
	until [ -e "$FACTS" ]; do
		[ $SECONDS -lt $end ] || fail "list writes no $FACTS"
		bock_image list >/dev/null
		sleep 0.1
	done
}

blob_of() { # DIGEST
	echo "$STORE/blobs/${1/:/\/}"
}

@test "list says the same of what it has read and of what it has kept, and opens no blob then" {
	need_cmd strace
	make_facts
	cp "$FACTS" "$T/facts"
	json=$(bock_image list --json)
	table=$(bock_image list)
	ASAN_OPTIONS=detect_leaks=0 run -0 strace -f -e trace=open,openat,openat2 -o "$T/trace" "$BOCK_IMAGE" --root "$STORE" list
	run -1 grep blobs/ "$T/trace"
	rm "$FACTS"
	[ "$(bock_image list --json)" = "$json" ]
	rm -f "$FACTS"
	[ "$(bock_image list)" = "$table" ]
	cmp "$FACTS" "$T/facts"
	# another name of it costs nothing new, nor does its end
	bock_image tag demo:1 other:1
	[ "$(bock_image list --json | jq -c '[.[].platform] | unique | length')" = 1 ]
	bock_image rm other:1
	cmp "$FACTS" "$T/facts"
	[ "$(bock_image list --json)" = "$json" ]
}

@test "a document that is changed or lost shows, whatever was kept of it" {
	make_facts
	manifest=$(blob_of "$(bock_image list --json | jq -r '.[0].digest')")
	config=$(blob_of "$(bock_image list --json | jq -r '.[0].id')")
	for blob in "$manifest" "$config"; do
		cp -p "$blob" "$T/blob"
		chmod u+w "$blob"
		# its size and time of modification stay
		printf '[' | dd of="$blob" conv=notrunc status=none
		touch -r "$T/blob" "$blob"
		run -0 bock_image list --no-header
		assert_output -p damaged
		cp -p "$T/blob" "$blob"
		run -0 bock_image list --no-header
		refute_output -p damaged
		mv "$blob" "$T/blob"
		run -0 bock_image list --no-header
		assert_output -p damaged
		mv "$T/blob" "$blob"
	done
}

@test "what was kept and can't be read, or is another's to write, is left out of account" {
	make_facts
	table=$(bock_image list)
	sed 's/linux/lunix/' "$FACTS" >"$T/facts"
	cat "$T/facts" >"$FACTS"
	[ "$(bock_image list)" = "$table" ]
	# with a right sum, but of a file that others may write
	{
		printf 'bock-image facts 1 %s sha256:%s\n' "$(head -n 1 "$FACTS" | cut -d ' ' -f 4)" \
			"$(tail -n +2 "$T/facts" | sha256sum | cut -d ' ' -f 1)"
		tail -n +2 "$T/facts"
	} >"$T/forged"
	rm "$FACTS"
	cp "$T/forged" "$FACTS"
	chmod 600 "$FACTS"
	run -0 bock_image list
	assert_output -p lunix
	# nothing but the list says so
	run -0 bock_image inspect demo:1
	refute_output -p lunix
	chmod 660 "$FACTS"
	[ "$(bock_image list)" = "$table" ]
}

@test "no file is left in another user's store, and none in one without a folder of ours" {
	need_root
	need_cmd setpriv util-linux
	make_facts
	rm "$FACTS"
	chown -R 65534 "$STORE"
	bock_image list >/dev/null
	[ ! -e "$FACTS" ]
	chown -R 0 "$STORE"
	rm -r "$STORE/.bock"
	bock_image list >/dev/null
	[ ! -e "$STORE/.bock" ]
}

@test "gc takes away what a list that was killed has not finished" {
	make_facts
	touch "$STORE/.bock/.bk-0123456789abcdef.tmp"
	bock_image gc -q
	[ ! -e "$STORE/.bock/.bk-0123456789abcdef.tmp" ]
	[ -e "$FACTS" ]
}
