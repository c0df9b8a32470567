# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables are the tests'
#
# For bats files that speak with tests/helpers/registry, whose faults are the first component of a repository's name:
#
#	setup_file() {
#		load ../helpers/registry.bash
#		registry_file_setup
#		... $F/rootfs.tar
#		registry_image [OPTION of import...]
#		registry_serve
#	}
#	teardown_file() {
#		load ../helpers/registry.bash
#		registry_file_teardown
#	}
#	setup() {
#		load ../helpers/registry.bash
#		registry_setup
#	}
#
# $F is a folder of the file's own, $F/layout what the registry serves, $F/log what it was asked in this test, $HOST where it
# listens.

load ../helpers/common

registry_file_setup() {
	common_setup
	need_program image
	need_cmd python3
	need_cmd jq
	F=$BATS_FILE_TMPDIR
	export F
}

# Makes x:1 of $F/rootfs.tar, whose layer is LAYER, configuration CONFIG, and manifest DIGEST.
registry_image() {
	"$BOCK_IMAGE" --root "$F/layout" import -q "$@" "$F/rootfs.tar" x:1
	LAYER=$("$BOCK_IMAGE" --root "$F/layout" inspect --json x:1 | jq -r '.manifest.layers[0].digest')
	CONFIG=$("$BOCK_IMAGE" --root "$F/layout" inspect --json x:1 | jq -r '.manifest.config.digest')
	DIGEST=$("$BOCK_IMAGE" --root "$F/layout" list -q)
	export LAYER CONFIG DIGEST
}

# registry_start LAYOUT DIR [OPTION...]: one that keeps its files in DIR; its process in $registry_pid, where it listens in $registry_host
registry_start() {
	local layout=$1 dir=$2
	shift 2
	"$TOP/tests/helpers/registry" "$layout" "$dir" "$@" 3>&- &
	registry_pid=$!
	wait_for 30 test -s "$dir/port"
	registry_host=127.0.0.1:$(cat "$dir/port")
}

# The one of all tests of the file.
registry_serve() {
	registry_start "$F/layout" "$F"
	echo "$registry_pid" >"$F/pid"
	HOST=$registry_host
	export HOST
}

registry_file_teardown() {
	[ ! -e "$BATS_FILE_TMPDIR/pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}

# common_setup, and nothing of who runs the tests: credentials, proxies, registries.conf
registry_setup() {
	common_setup
	need_program image
	export HOME=$T XDG_RUNTIME_DIR=$T DOCKER_CONFIG='' no_proxy=127.0.0.1
	unset REGISTRY_AUTH_FILE COSIGN_PASSWORD
	export CONTAINERS_REGISTRIES_CONF=$T/registries.conf
	: >"$CONTAINERS_REGISTRIES_CONF"
	: >"$F/log"
}
