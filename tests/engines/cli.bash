# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # of lib.bash; what containers expand
# The cells of engines with the command line that docker began. Such an engine sets CLI, the program,
# EXEC_MISSING, how its exec ends when the command is missing, and ALL_CAPS, where it does not know all
# capabilities of the kernel; and it has `gone CONTAINER` and `gone_all`, which remove.

IMAGE=localhost/bb:1
# runs until it is told to end, and says what it is told
TRAPPER='trap "echo term; exit 7" TERM; trap "echo usr1" USR1; echo up; while :; do sleep 0.1; done'

# pr OPTION...: `run` without a network
pr() { must "$CLI" run --network=none "$@"; }
state() { "$CLI" inspect --format "{{.State.$1}}" "$2"; }
# Sets CG of a container
cli_cgroup() { cgroup_of "$(state Pid "$1")"; }

# A profile that refuses one thing
seccomp_profile() {
	printf '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}\n' >"$E/profile.json"
}

cli_cell_run() {
	ends 7 out "$CLI" run --rm --network=none "$IMAGE" sh -c 'echo out; echo err >&2; exit 7'
	same stderr "$err" err
	ends 127 '' "$CLI" run --rm --network=none "$IMAGE" nosuchcommand
	like stderr "$err" 'executable file not found in \$PATH'
	ends 127 '' "$CLI" run --rm --network=none "$IMAGE" /no/such
	ends 126 '' "$CLI" run --rm --network=none "$IMAGE" /bin/not-executable
	like stderr "$err" 'permission denied'
	ends 0 $'1000\n1001\n1001 7\nhere\n/tmp\nb c' "$CLI" run --rm --network=none --user 1000:1001 \
		--group-add 7 --hostname here --workdir /tmp --env 'A=b c' "$IMAGE" \
		sh -c 'id -u; id -g; id -G; hostname; pwd; echo "$A"'
	same input "$(fed "$(head -c 299999 /dev/zero | tr "\\0" x)" "$CLI" run --rm --network=none -i "$IMAGE" wc -c)" 300000
}

cli_cell_terminal() {
	dialogue "$CLI run --network=none -it --name eng-tty $IMAGE sh -c 'trap \"echo caught; exit 9\" INT; size; echo ready; read x; echo \"got \$x\"; read x'" \
		ready 'some words\n' 'got some words' '\003'
	same 'status' "$status" 9
	like 'the screen' "$dialogue_out" '41 93.*ready.*got some words.*caught'
	must "$CLI" start eng-tty
	dialogue "$CLI exec -it eng-tty sh -c 'tty; size; read x; echo \"so \$x\"; exit 6'" '41 93' 'word\n'
	same 'status of exec' "$status" 6
	like 'the screen of exec' "$dialogue_out" '/dev/pts/[0-9]+.*41 93.*so word'
	gone eng-tty
}

cli_cell_detach() {
	pr -d --name eng-detach "$IMAGE" sh -c 'echo first; sleep 0.2; echo second >&2; exit 3'
	must "$CLI" wait eng-detach
	same 'what wait says' "$out" 3
	must "$CLI" logs eng-detach
	same logs "$out/$err" first/second
	ends 3 '' "$CLI" start --attach eng-detach
	gone eng-detach
}

cli_cell_exec() {
	pr -d --name eng-exec --env A=1 "$IMAGE" sleep 1000
	ends 5 $'1000\n7\n/tmp\n12' "$CLI" exec --user 1000:7 --workdir /tmp --env B=2 eng-exec \
		sh -c 'id -u; id -g; pwd; echo "$A$B"; echo err >&2; exit 5'
	same stderr "$err" err
	same input "$(fed typed "$CLI" exec --interactive eng-exec cat)" typed
	ends "$EXEC_MISSING" '' "$CLI" exec eng-exec nosuchcommand
	like "what it says" "$err$out" 'executable file not found in \$PATH'
	ends 126 '' "$CLI" exec eng-exec /bin/not-executable
	ends 137 '' "$CLI" exec eng-exec sh -c 'kill -KILL $$'
	must "$CLI" exec --detach eng-exec sh -c 'echo detached >/var/done'
	soon "$CLI" exec eng-exec test -s /var/done
	ends 0 '0::/' "$CLI" exec eng-exec cat /proc/self/cgroup
	gone eng-exec
}

cli_cell_stop() {
	pr -d --name eng-stop "$IMAGE" sh -c "$TRAPPER"
	soon says up "$CLI" logs eng-stop
	must "$CLI" kill --signal USR1 eng-stop
	soon says usr1 "$CLI" logs eng-stop
	must "$CLI" stop --time 60 eng-stop
	same state "$(state 'Status}} {{.State.ExitCode' eng-stop)" 'exited 7'
	must "$CLI" restart --time 60 eng-stop
	same state "$(state Status eng-stop)" running
	must "$CLI" kill eng-stop
	soon prints 'exited 137' state 'Status}} {{.State.ExitCode' eng-stop
	gone eng-stop
}

cli_cell_pause() {
	pr -d --name eng-pause "$IMAGE" sh -c "$TRAPPER"
	cli_cgroup eng-pause
	must "$CLI" pause eng-pause
	same state "$(state Status eng-pause)" paused
	holds cgroup.freeze 1
	got "$CLI" exec eng-pause true
	[ "$status" -ne 0 ] || bad 'exec in what is paused succeeds'
	# they know it themselves, and don't ask the runtime
	like 'a refusal' "$err" 'is paused|on running containers'
	must "$CLI" unpause eng-pause
	holds cgroup.freeze 0
	must "$CLI" pause eng-pause
	gone eng-pause
}

cli_cell_limits() {
	local -a options=(--memory 64m --memory-reservation 32m --memory-swap 128m --cpus 0.5 --cpu-shares 512
		--pids-limit 50 --cpuset-cpus 1 --blkio-weight 200)
	limits_start "${options[@]}"
	holds memory.max 67108864
	holds memory.swap.max 67108864
	holds memory.low 33554432
	holds cpu.max '50000 100000'
	holds cpu.weight 59
	holds pids.max 50
	holds cpuset.cpus 1
	holds io.weight 'default 1920'
}

cli_cell_update() {
	[ -n "${CG-}" ] || limits_start --memory 64m
	must "$CLI" update --memory 80m --memory-swap 160m --cpus 1.5 --cpuset-cpus 0 --cpu-shares 1024 --blkio-weight 100 eng-limits
	holds memory.max 83886080
	holds memory.swap.max 83886080
	holds cpu.max '150000 100000'
	holds cpu.weight 100
	holds cpuset.cpus 0
	holds io.weight 'default 910'
	gone eng-limits
	CG=
}

# A container eng-limits and its CG, for two cells
limits_start() {
	pr -d --name eng-limits "$@" "$IMAGE" sleep 1000
	cli_cgroup eng-limits
}

cli_cell_stats() {
	pr -d --name eng-stats --memory 64m --pids-limit 50 "$IMAGE" sh -c 'sleep 1001 & sleep 1002 & wait'
	cli_cgroup eng-stats
	soon grep -q 3 "$CG/pids.current"
	must "$CLI" stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' eng-stats
	like stats "$out" '^[0-9.]+[kKMi]*B / (67.11MB|64MiB) 3$'
	must "$CLI" top eng-stats -o pid,args
	like top "$out" '[0-9] .*sleep 1001.*sleep 1002'
	gone eng-stats
}

cli_cell_oom() {
	ends 137 '' "$CLI" run --network=none --name eng-oom --memory 16m --memory-swap 16m "$IMAGE" tail /dev/zero
	same 'exit code' "$(state ExitCode eng-oom)" 137
	gone eng-oom
	# who goes on after it, and the kernel's count of it
	pr -d --name eng-oom --memory 16m --memory-swap 16m "$IMAGE" sh -c 'tail /dev/zero; echo "ended with $?"; sleep 1000'
	cli_cgroup eng-oom
	soon says 'ended with 137' "$CLI" logs eng-oom
	like 'memory.events' "$(<"$CG/memory.events")" 'oom_kill 1'
	gone eng-oom
}

# A device that is given, and one that a rule allows: /dev/loop0 and /dev/vda may be read, and not written
cli_cell_devices() {
	local major
	if rootless; then
		ends 0 3 "$CLI" run --rm --network=none --device /dev/zero:/dev/zz "$IMAGE" sh -c 'head -c 3 /dev/zz | wc -c'
		return
	fi
	major=$((0x$(stat -c %t /dev/vda)))
	ends 0 $'given\ngiven: no write\nallowed\nallowed: no write\ndenied' "$CLI" run --rm --network=none --cap-add MKNOD \
		--device /dev/loop0:/dev/given:r --device-cgroup-rule "b $major:0 r" "$IMAGE" sh -c "
		(: </dev/given) && echo given
		(: <>/dev/given) 2>/dev/null || echo given: no write
		mknod /dev/allowed b $major 0; head -c 1 /dev/allowed >/dev/null && echo allowed
		(: <>/dev/allowed) 2>/dev/null || echo allowed: no write
		mknod /dev/other b 7 1; (: </dev/other) 2>/dev/null || echo denied"
}

cli_cell_volumes() {
	local word want
	local -a options=()
	mkdir -p "$E/v/sub"
	for word in private rprivate slave rslave shared rshared; do
		options+=(--volume "$E/v:/v/$word:$word")
	done
	must "$CLI" run --rm --network=none "${options[@]}" --volume "$E/v:/v/ro:ro" --tmpfs /scratch:size=64k,mode=1770,noexec \
		--read-only "$IMAGE" sh -c 'touch /x 2>/dev/null || echo read-only; touch /scratch/x && echo writable
		touch /v/ro/x 2>/dev/null || echo no; stat -c %a /scratch; df -k /scratch | tail -n 1 | awk "{ print \$2 }"
		awk "\$5 ~ /^.(v|scratch)/ { print \$5, \$6, \$7 }" /proc/self/mountinfo'
	like 'the file systems' "$out" $'^read-only\nwritable\nno\n1770\n64\n'
	for word in private rprivate slave rslave shared rshared; do
		case $word in
		*private) want=- ;;
		*slave) want='master:[0-9]+' ;;
		*shared) want='shared:[0-9]+' ;;
		esac
		# a user's engine has a mount namespace of its own, below the shared one
		like "$word" "$out" "/v/$word rw[^ ]* $want"
	done
	like ro "$out" '/v/ro ro'
	like tmpfs "$out" '/scratch rw[^ ]*noexec'
}

cli_cell_security() {
	local all
	seccomp_profile
	must "$CLI" run --rm --network=none --security-opt "seccomp=$E/profile.json" "$IMAGE" sh -c 'mkdir /d 2>&1; grep ^Seccomp: /proc/self/status'
	like 'a profile' "$out" 'Permission denied.*Seccomp:.2'
	must "$CLI" run --rm --network=none --security-opt seccomp=unconfined --security-opt no-new-privileges --cap-drop ALL --cap-add NET_RAW "$IMAGE" \
		cat /proc/self/status
	like 'a status' "$out" 'CapEff:.0000000000002000.*NoNewPrivs:.1.*Seccomp:.0'
	all=${ALL_CAPS:-$(awk '/^CapBnd/ { print $2 }' /proc/self/status)}
	must "$CLI" run --rm --network=none --privileged "$IMAGE" \
		sh -c 'grep CapEff /proc/self/status; mount -t tmpfs none /tmp && echo mounted; ls /dev/vda; grep -c " /proc/.* ro" /proc/self/mountinfo; :'
	like 'a status' "$out" "$all.*mounted"
	rootless || like 'a status' "$out" $'/dev/vda\n0$'
	got "$CLI" run --rm --network=none "$IMAGE" mount -t tmpfs none /tmp
	like 'a mount' "$err" '[Pp]ermission denied'
}

# Sick, then well, as it is looked at every second
cli_cell_health() {
	pr -d --name eng-health --health-cmd 'test -e /var/well' --health-interval 1s --health-retries 1 "$IMAGE" sleep 1000
	soon prints unhealthy state Health.Status eng-health
	must "$CLI" exec eng-health touch /var/well
	soon prints healthy state Health.Status eng-health
	gone eng-health
}

cli_cell_restart() {
	pr -d --name eng-restart --restart on-failure:2 "$IMAGE" sh -c 'echo run; exit 3'
	soon prints '2 exited 3' "$CLI" inspect --format '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' eng-restart
	ends 0 $'run\nrun\nrun' "$CLI" logs eng-restart
	gone eng-restart
}

# A container with an address of its own, whose port is one of the machine's
cli_cell_network() {
	must "$CLI" run -d --name eng-web --publish 8099:80 "$IMAGE" \
		sh -c 'mkdir /w; echo "hello from $(hostname)" >/w/index.html; exec httpd -f -p 80 -h /w'
	soon says 'hello from [0-9a-f]+' curl -s --max-time 10 http://127.0.0.1:8099/
	must "$CLI" exec eng-web sh -c 'ip -o link | grep -c -v ": lo"; cat /etc/resolv.conf >/dev/null && echo names'
	same 'devices' "$out" $'1\nnames'
	must "$CLI" run --rm --network container:eng-web "$IMAGE" wget -qO- http://127.0.0.1/
	like 'what a neighbour reads' "$out" 'hello from'
	must "$CLI" run --rm --network host "$IMAGE" sh -c 'wget -qO- http://127.0.0.1:8099/'
	like 'what the machine reads' "$out" 'hello from'
	gone eng-web
}

# One of many, of which it tells the id: NAME. They outlive how long the last of them may wait for a processor.
cli_crowd_one() { "$CLI" run -d --network=none --name "$1" "$IMAGE" sleep 1000000; }

cli_cell_crowd() {
	local count=$CROWD i
	export CLI IMAGE
	export -f cli_crowd_one
	for ((i = 1; i <= count; i++)); do echo "eng-crowd$i"; done |
		xargs -P 6 -I {} bash -c 'cli_crowd_one "$1"' - {} >"$E/crowd" 2>&1
	must "$CLI" ps --quiet --filter name=eng-crowd
	same 'how many run' "$(grep -c . <<<"$out")" "$count"
	[ "$(grep -cE '^[0-9a-f]{64}$' "$E/crowd")" = "$count" ] || bad "$(grep -vE '^[0-9a-f]{64}$' "$E/crowd")"
	ends 0 crowd "$CLI" exec eng-crowd3 echo crowd
	gone_all
}

# A file that a step of a build makes
cli_cell_build() { # [OPTION...]
	mkdir -p "$E/build"
	printf 'FROM %s\nRUN echo made >/made && id -u >>/made\nCMD ["cat", "/made"]\n' "$IMAGE" >"$E/build/Dockerfile"
	must "$CLI" build "$@" --tag localhost/built:1 "$E/build"
	ends 0 $'made\n0' "$CLI" run --rm --network=none localhost/built:1
	must "$CLI" rmi localhost/built:1
}
