# SPDX-License-Identifier: Apache-2.0
# What is installed for other programs: it names the program where it is installed, and its readers can read it.

setup() {
	load ../helpers/common
	common_setup
	SHARED=$BOCK_BUILDDIR/share
}
teardown() { common_teardown; }

# toml FILE: as JSON
toml() { python3 -c 'import json, sys, tomllib; json.dump(tomllib.load(open(sys.argv[1], "rb")), sys.stdout)' "$1"; }

@test "share: the files for podman, docker, containerd and CRI-O name bock-runc by its path" {
	local bindir
	bindir=$(make -s -C "$BOCK_BUILDDIR" --no-print-directory print-bindir)
	[[ $bindir == /* ]]
	[ "$(jq -r '.runtimes."bock-runc".path' "$SHARED/docker/daemon.json")" = "$bindir/bock-runc" ]
	[ "$(toml "$SHARED/containers.conf.d/50-bock-runc.conf" | jq -r '.engine.runtimes."bock-runc"[0]')" = "$bindir/bock-runc" ]
	[ "$(toml "$SHARED/containerd/config.toml" | jq -r '.. | .BinaryName? // empty')" = "$bindir/bock-runc" ]
	[ "$(toml "$SHARED/crio/50-bock-runc.conf" | jq -r '.crio.runtime.runtimes."bock-runc".runtime_path')" = "$bindir/bock-runc" ]
}
