# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016,SC2034 # of lib.bash; what containers expand; for cli.bash
# podman, as root and as a user, with both of its cgroup managers. Most cells are in cli.bash.

CLI=podman EXEC_MISSING=127

podman_up() {
	containers_conf
	must podman import --quiet --change 'ENV PATH=/bin' "$W/bb.tar" "$IMAGE"
}

gone() { must podman rm --force --time 0 "$@"; }
# a few at a time, each in its time
gone_all() { podman ps --all --quiet --no-trunc | xargs -r -n 10 timeout -k 5 "$PATIENCE" podman rm --force --time 0 >/dev/null || bad 'not all go'; }

# Without systemd there is none who looks at times
podman_cell_health() {
	if systemd_driver; then
		cli_cell_health
		return
	fi
	pr -d --name eng-health --health-cmd 'test -e /var/well' --health-interval disable --health-retries 1 "$IMAGE" sleep 1000
	ends 1 '' podman healthcheck run eng-health
	same health "$(state Health.Status eng-health)" unhealthy
	must podman exec eng-health touch /var/well
	must podman healthcheck run eng-health
	same health "$(state Health.Status eng-health)" healthy
	gone eng-health
}

podman_cell_build() { cli_cell_build --isolation oci --network none; }

podman_down() {
	podman rm --force --all --time 0 >/dev/null 2>&1
	! rootless || podman system migrate >/dev/null 2>&1
}

podman_cell_userns() {
	local want=$'0 100000 65536\n0 200000 65536\n0\n0:0'
	local -a options=(--uidmap 0:100000:65536 --gidmap 0:200000:65536)
	mkdir -p "$E/u"
	if rootless; then
		ends 0 "$(id -u)"$'\n'"$(id -u):$(id -g)" podman run --rm --network=none --userns keep-id --volume "$E/u:/u" \
			"$IMAGE" sh -c 'id -u; touch /u/new; stat -c %u:%g /u'
		same 'the owner outside' "$(stat -c %u "$E/u/new")" "$(id -u)"
		# groups that only the user has: an annotation of crun's
		must podman run --rm --network=none --group-add keep-groups "$IMAGE" grep Groups /proc/self/status
		like 'groups' "$out" 65534
		options=(--uidmap 0:1:1000 --gidmap 0:1:1000)
		want=$'0 1 1000\n0 1 1000\n0'
		ends 0 "$want" podman run --rm --network=none "${options[@]}" "$IMAGE" \
			sh -c 'cat /proc/self/uid_map /proc/self/gid_map | awk "{ print \$1, \$2, \$3 }"; id -u'
	else
		chown 100000:200000 "$E/u"
		ends 0 "$want" podman run --rm --network=none "${options[@]}" --volume "$E/u:/u" "$IMAGE" \
			sh -c 'cat /proc/self/uid_map /proc/self/gid_map | awk "{ print \$1, \$2, \$3 }"; id -u; touch /u/new; stat -c %u:%g /u'
		same 'the owner outside' "$(stat -c %u:%g "$E/u/new")" 100000:200000
		# a mount with mapped ids, of a file system that knows them
		mkdir -p "$W/disk/idmap"
		ends 0 0:0 podman run --rm --network=none "${options[@]}" --volume "$W/disk/idmap:/u:idmap" \
			"$IMAGE" sh -c 'touch /u/new; stat -c %u:%g /u/new'
		same 'the owner outside of mapped ids' "$(stat -c %u:%g "$W/disk/idmap/new")" 0:0
		rm "$W/disk/idmap/new"
	fi
	pr -d --name eng-userns "${options[@]}" --memory 64m "$IMAGE" sleep 1000
	ends 0 $'7\n8\n0' podman exec --user 7:8 eng-userns sh -c 'id -u; id -g; awk "/^Uid/ { print \$2 }" /proc/1/status'
	gone eng-userns
}

podman_cell_pod() {
	must podman pod create --name eng-pod --network=none --hostname inpod --cpus 1 --infra-image "$IMAGE" --infra-command 'sleep 1000'
	must podman run -d --pod eng-pod --name eng-one "$IMAGE" sh -c 'echo x >/dev/shm/one; sleep 1000'
	must podman run --rm --pod eng-pod "$IMAGE" sh -c 'hostname; cat /dev/shm/one'
	same 'what they share' "$out" $'inpod\nx'
	cli_cgroup eng-one
	# podman makes a cgroup for a user's pod by systemd only
	if ! rootless || systemd_driver; then
		CG=$(dirname "$CG")
		holds cpu.max '100000 100000'
	fi
	must podman pod pause eng-pod
	same state "$(state Status eng-one)" paused
	must podman pod unpause eng-pod
	must podman pod stop --time 0 eng-pod
	must podman pod rm --force --time 0 eng-pod
}

# Live, in place, and by an archive to another container; with a terminal
podman_cell_checkpoint() {
	mkdir -p "$E/counter"
	pr -dt --name eng-saved --memory 64m --volume "$E/counter:/v" "$IMAGE" sh -c "$COUNTER"
	soon test -s "$E/counter/n"
	must podman container checkpoint --leave-running eng-saved
	same state "$(state Status eng-saved)" running
	went_on "$(<"$E/counter/n")"
	must podman container checkpoint eng-saved
	same state "$(state Status eng-saved)" exited
	must podman container restore eng-saved
	cli_cgroup eng-saved
	holds memory.max 67108864
	went_on "$(<"$E/counter/n")"
	must podman exec eng-saved sh -c 'tty </proc/1/fd/0; stat -L -c %t /proc/1/fd/0; readlink /proc/1/fd/1'
	same 'its terminal' "$out" $'/dev/pts/0\n88\n/dev/pts/0'
	must podman container checkpoint --compress none --export "$E/saved.tar" eng-saved
	gone eng-saved
	must podman container restore --import "$E/saved.tar" --name eng-other
	same state "$(state Status eng-other)" running
	went_on "$(<"$E/counter/n")"
	must podman exec eng-other true
	gone eng-other
}
