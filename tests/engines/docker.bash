# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016,SC2034 # of lib.bash; what containers expand; for cli.bash
# docker, which has a containerd of its own. Most cells are in cli.bash.

# docker makes 126 of all that an exec could not start; 20.10 knows 38 capabilities and has BuildKit for `docker build`,
# where 26 wants a program that Debian packages apart
CLI=docker EXEC_MISSING=126 ALL_CAPS='' builders=(0)
if [ "${BOCK_ENGINES_DISTRIBUTION:-bookworm}" = bookworm ]; then
	ALL_CAPS=0000003fffffffff builders=(0 1)
fi

docker_up() {
	local -a network=(--bridge none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false)
	! wants network || network=()
	mkdir -p "$E/bin"
	# the BuildKit in it takes the first runc of its path
	ln -sf "$RUNTIME" "$E/bin/runc"
	(
		unset GOGC
		PATH=$E/bin:$PATH exec setsid dockerd --data-root "$E/data" --storage-driver overlay2 --experimental \
			${network[@]+"${network[@]}"} </dev/null >"$E/log" 2>&1
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

# Live, in place, and by another container of the same configuration
docker_cell_checkpoint() {
	mkdir -p "$E/counter"
	pr -d --name eng-saved --memory 64m --volume "$E/counter:/v" "$IMAGE" sh -c "$COUNTER"
	soon test -s "$E/counter/n"
	must docker checkpoint create --leave-running eng-saved live
	same state "$(state Status eng-saved)" running
	went_on "$(<"$E/counter/n")"
	must docker checkpoint create eng-saved last
	soon prints exited state Status eng-saved
	must docker start --checkpoint last eng-saved
	cli_cgroup eng-saved
	holds memory.max 67108864
	went_on "$(<"$E/counter/n")"
	must docker exec eng-saved true
	gone eng-saved
}

docker_cell_build() {
	export DOCKER_BUILDKIT
	for DOCKER_BUILDKIT in "${builders[@]}"; do
		cli_cell_build --network none
	done
}

# By the daemon's socket: to an emulated processor a start of the client is dearer than what it asks for.
cli_crowd_one() { # NAME
	local api=(curl -sS --fail-with-body --unix-socket /var/run/docker.sock -H 'Content-Type: application/json' -X POST)
	local id
	id=$("${api[@]}" "http://docker/containers/create?name=$1" -d "{\"Image\": \"$IMAGE\",
		\"Cmd\": [\"sleep\", \"1000000\"], \"HostConfig\": {\"NetworkMode\": \"none\"}}") || { echo "$id" && return 1; }
	"${api[@]}" "http://docker/containers/$1/start" && sed -E 's/.*"Id":"([0-9a-f]*)".*/\1/' <<<"$id"
}

docker_cell_oom() {
	ends 137 '' docker run --network=none --name eng-oom --memory 16m --memory-swap 16m "$IMAGE" tail /dev/zero
	same 'OOMKilled' "$(state OOMKilled eng-oom)" true
	gone eng-oom
}
