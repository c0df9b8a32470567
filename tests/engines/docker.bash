# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016,SC2034 # of lib.bash; what containers expand; for cli.bash
# docker, which has a containerd of its own. Most cells are in cli.bash.

# docker 20.10 makes 126 of all that an exec could not start, and knows 38 capabilities
CLI=docker EXEC_MISSING=126 ALL_CAPS=0000003fffffffff

docker_up() {
	mkdir -p "$E/bin"
	# the BuildKit in it takes the first runc of its path
	ln -sf "$RUNTIME" "$E/bin/runc"
	(
		unset GOGC
		PATH=$E/bin:$PATH exec setsid dockerd --data-root "$E/data" --bridge none --iptables=false --ip6tables=false \
			--ip-forward=false --ip-masq=false --storage-driver overlay2 </dev/null >"$E/log" 2>&1
	) &
	echo "$!" >"$E/pid"
	soon docker version || bad "$(tail -n 20 "$E/log")"
	must docker import --change 'ENV PATH=/bin' "$W/bb.tar" "$IMAGE"
	like 'docker info' "$(docker info --format '{{.DefaultRuntime}} {{.CgroupVersion}} {{.CgroupDriver}}')" \
		"^bock-runc 2 $(systemd_driver && echo systemd || echo cgroupfs)\$"
	[ "${#bad_lines[@]}" -eq 0 ] || bad "$(tail -n 20 "$E/log")"
}

gone() { must docker rm --force "$@"; }
gone_all() {
	# shellcheck disable=SC2046 # a list
	must docker rm --force $(docker ps --all --quiet)
}

docker_down() {
	local pid
	pid=$(<"$E/pid")
	kill "$pid"
	soon eval "! kill -0 $pid"
}

docker_cell_build() {
	export DOCKER_BUILDKIT
	for DOCKER_BUILDKIT in 0 1; do
		cli_cell_build --network none
	done
}

docker_cell_oom() {
	ends 137 '' docker run --network=none --name eng-oom --memory 16m --memory-swap 16m "$IMAGE" tail /dev/zero
	same 'OOMKilled' "$(state OOMKilled eng-oom)" true
	gone eng-oom
}
