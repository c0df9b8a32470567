# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # status and output are bats'
#
# Bundles and images that other tools made or read.

setup() {
	load ../helpers/common
	common_setup
	need_root
	need_busybox
	need_cmd jq
	B=$T/bundle
}

teardown() { common_teardown; }

# busybox as a rootfs tar
busybox_tar() {
	rootfs_make "$T/rootfs"
	tar -C "$T/rootfs" -cf "$1" .
}

# An image of bock-build: busybox, a RUN step, an entry point.
build_demo() {
	mkdir -p "$T/context/root"
	rootfs_make "$T/context/root"
	cat >"$T/context/Bockfile" <<-'BOCKFILE'
		from: scratch
		stages:
		  - name: image
		    env: {PATH: /bin}
		    steps:
		      - copy: [root/]
		        to: /
		      - run: echo built by RUN > /greeting
		runtime:
		  cmd: ["/bin/cat", "/greeting"]
		  env: {PATH: /bin}
	BOCKFILE
	bock_build -t demo:1 "$T/context"
}

@test "one bundle runs under runc and under bock-runc" {
	need_cmd runc
	bundle_make "$B" sh -c 'echo one bundle; exit 4'
	run --separate-stderr bock_runc run -b "$B" "$ID"
	assert_status 4
	assert_output 'one bundle'
	run --separate-stderr runc --root "$T/runc" run -b "$B" "$ID"
	assert_status 4
	assert_output 'one bundle'
}

@test "a bundle that umoci made runs under bock-runc" {
	need_cmd umoci
	umoci init --layout "$T/layout"
	umoci new --image "$T/layout:empty"
	umoci unpack --image "$T/layout:empty" "$B"
	rootfs_make "$B/rootfs"
	bundle_edit "$B" '.process.terminal = false | .process.args = ["/bin/echo", "from umoci"]'
	run --separate-stderr bock_runc run -b "$B" "$ID"
	assert_status 0
	assert_output 'from umoci'
	assert_no_leftovers
}

@test "an image that bock-build made is read in place by skopeo and umoci" {
	build_demo
	need_cmd skopeo
	run skopeo inspect "oci:$STORE:demo:1"
	assert_status 0
	run skopeo inspect --config "oci:$STORE:demo:1"
	assert_status 0
	assert_output -p '/greeting'
	need_cmd umoci
	run umoci ls --layout "$STORE"
	assert_output -p 'demo:1'
}

@test "an image that bock-build made runs under podman" {
	need_cmd podman
	need_cmd runc
	build_demo
	cat >"$T/storage.conf" <<-CONF
		[storage]
		driver = "vfs"
		graphroot = "$T/graph"
		runroot = "$T/run"
	CONF
	# this host may lack CAP_SYS_RESOURCE, which podman's own default limits need
	nofile=$(ulimit -Hn)
	[ "$nofile" != unlimited ] || nofile=1024
	cat >"$T/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=$nofile:$nofile", "nproc=1000:1000"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
	CONF
	export CONTAINERS_CONF=$T/containers.conf CONTAINERS_STORAGE_CONF=$T/storage.conf
	# podman makes a name of the path, and a name has no capitals
	link=/tmp/bock-e2e-$$
	ln -s "$STORE" "$link"
	status=0
	podman --tmpdir "$T/tmp" pull --quiet "oci:$link:demo:1" || status=$?
	rm "$link"
	[ "$status" -eq 0 ]
	image=$(podman --tmpdir "$T/tmp" images --quiet | head -n 1)
	run --separate-stderr podman --tmpdir "$T/tmp" run --rm --network none "$image"
	assert_status 0
	assert_output 'built by RUN'
	umount "$T"/graph/* 2>/dev/null || :
}

@test "an image that skopeo and umoci copied goes through bock-image to bock-runc" {
	need_cmd skopeo
	busybox_tar "$T/bb.tar"
	bock_image import "$T/bb.tar" bb:1
	skopeo copy --quiet "oci:$STORE:bb:1" "oci-archive:$T/bb.oci.tar:bb:2"
	skopeo copy --quiet "oci:$STORE:bb:1" "docker-archive:$T/bb.docker.tar:bb:3"
	bock_image load "$T/bb.oci.tar"
	bock_image load "$T/bb.docker.tar"
	for name in bb:2 bb:3; do
		found=$(bock_image list | awk '{ print $1 }' | grep -- "$name\$")
		bock_image unpack "$found" "$T/b-${name#bb:}" -- /bin/echo "$name"
		run --separate-stderr bock_runc run -b "$T/b-${name#bb:}" "$ID"
		assert_status 0
		assert_output "$name"
	done
	assert_no_leftovers
}

@test "the chain that the README shows: Bockfile, image, bundle, container" {
	build_demo
	bock_image unpack demo:1 "$B"
	run --separate-stderr bock_runc run -b "$B" "$ID"
	assert_status 0
	assert_output 'built by RUN'
	assert_no_leftovers
}

@test "what save writes, skopeo and podman read, both as oci-archive and as docker-archive" {
	need_cmd skopeo
	mkdir -p "$T/r/etc"
	echo hi >"$T/r/etc/x"
	tar -C "$T/r" -cf "$T/r.tar" .
	bock_image import -q --cmd /bin/x "$T/r.tar" a:1
	bock_image save -o "$T/x.tar" a:1
	run -0 skopeo inspect --raw "oci-archive:$T/x.tar:a:1"
	[ "sha256:$(printf '%s' "$output" | sha256sum | cut -d' ' -f1)" = "$(bock_image inspect --json a:1 | jq -r .digest)" ]
	run -0 skopeo inspect --config "docker-archive:$T/x.tar:docker.io/library/a:1"
	[ "$(jq -c .rootfs.diff_ids <<<"$output")" = "$(bock_image inspect --config a:1 | jq -c .rootfs.diff_ids)" ]
	run -0 skopeo copy -q "docker-archive:$T/x.tar" "dir:$T/d"
	run -0 skopeo copy -q "oci-archive:$T/x.tar:a:1" "dir:$T/e"
	need_cmd podman
	run -0 podman --root "$T/pod" --runroot "$T/podrun" --storage-driver vfs load -q -i "$T/x.tar"
	assert_output -p "docker.io/library/a:1"
}
