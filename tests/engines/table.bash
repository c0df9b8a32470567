# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # used by those who read this file
# The matrix of tests/engines/run: its engines and its features.

# name guest(plain|systemd) user(root|user) file callers(in the table of calls)
engines=(
	"podman              plain   root podman     podman,buildah"
	"podman-systemd      systemd root podman     podman,buildah"
	"podman-user         plain   user podman     podman,buildah"
	"podman-user-systemd systemd user podman     podman,buildah"
	"containerd          plain   root containerd containerd"
	"buildah             plain   root buildah    buildah"
	"docker              plain   root docker     containerd,docker"
	"docker-systemd      systemd root docker     containerd,docker"
)

# Of the short selection, as patterns of engines: those of which it wants much, and those of which a cell each shows that
# they work. What is not in it: docs/ENGINES.md.
quick_root='podman|podman-systemd|containerd'
quick_all="$quick_root|podman-user-systemd|docker-systemd|buildah"

# name who quick what: who is a pattern of engines, where "any" is all but buildah, which only builds; quick is such a
# pattern, of those that have it in the short selection, too: "root" and "all" are the above, "-" is none
features=(
	"run      *                        all                    exit codes, 126 and 127, output, input, user, folder, environment"
	"terminal *                        podman                 run -it and exec -t: size, what is typed, ^C"
	"detach   any                      -                      run -d, logs, wait"
	"exec     any                      podman|containerd      with input, exit codes, user, detached"
	"stop     any                      -                      kill, stop, start"
	"pause    any                      root                   pause and unpause; removal of what is paused"
	"limits   any                      root                   memory, cpu, pids, cpuset, io: the kernel's files"
	"update   podman*|docker*          podman|podman-systemd  of these limits"
	"stats    any                      root                   stats and top"
	"oom      any                      -                      killed for want of memory: 137, and how it is reported"
	"devices  any                      root                   devices, and rules for devices"
	"volumes  *                        -                      words of propagation, ro, tmpfs, a read-only root"
	"userns   podman*|containerd       -                      user namespaces"
	"security *                        podman                 seccomp profiles, capabilities, privileged"
	"health   podman*|docker*          -                      health checks"
	"restart  podman*|docker*          -                      restart policies"
	"build    podman*|docker*|buildah* -                      a step of a build"
	"pod      podman*                  -                      containers that share namespaces and a cgroup"
	"network  podman*|docker*          -                      a network with an address, a port of the machine's"
	"checkpoint podman|podman-systemd|containerd|docker* - checkpoint and restore by criu"
	"crowd    any                      -                      fifty at once"
	"calls    *                        all                    each call of the runtime is one that is known"
	"clean    *                        all                    no process, cgroup, mount, state or unit is left"
)

# Sets engine_guest, engine_user, engine_kind, engine_callers; false when there is no such engine
engine_find() {
	local line name
	for line in "${engines[@]}"; do
		read -r name engine_guest engine_user engine_kind engine_callers <<<"$line"
		[ "$name" != "$1" ] || return 0
	done
	return 1
}

# absent ENGINE FEATURE: says why this distribution can't show it; false when it can
absent() {
	case ${BOCK_ENGINES_DISTRIBUTION:-bookworm}:$1:$2 in
	bookworm:podman*:network) echo "podman 4.3's networks want netavark, which is tried with podman 5" ;;
	trixie:*:checkpoint) echo 'Debian 13 has no criu' ;;
	*) return 1 ;;
	esac
}

# features_of ENGINE [QUICK]: the names of its cells, one a line
features_of() {
	local line name pattern quick
	for line in "${features[@]}"; do
		read -r name pattern quick _ <<<"$line"
		pattern=${pattern/#any/!(buildah*)}
		case $quick in
		root) quick=$quick_root ;;
		all) quick=$quick_all ;;
		esac
		# shellcheck disable=SC2053 # patterns
		[ -z "${2-}" ] || [[ $1 == @($quick) ]] || continue
		# shellcheck disable=SC2053 # a pattern
		if [[ $1 == @($pattern) ]] && ! absent "$1" "$name" >/dev/null; then printf '%s\n' "$name"; fi
	done
}
