# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # of lib.bash; what containers expand
# containerd, by ctr, whose containers have neither a network nor their logs kept.

containerd_up() {
	sed -e "s|^version = 2|&\nroot = \"$E/root\"\nstate = \"$E/state\"\n[grpc]\n  address = \"$E/socket\"|" \
		/etc/containerd/config.toml >"$E/config.toml"
	export CONTAINERD_ADDRESS=$E/socket
	# with --uidmap, ctr forgets --runc-binary: then the shim takes the first runc of its path
	mkdir -p "$E/bin"
	ln -sf "$RUNTIME" "$E/bin/runc"
	(
		unset GOGC
		PATH=$E/bin:$PATH exec setsid containerd --config "$E/config.toml" </dev/null >"$E/log" 2>&1
	) &
	echo "$!" >"$E/pid"
	soon ctr version || bad "$(tail -n 20 "$E/log")"
	# an image as `docker save` writes it
	mkdir -p "$E/image"
	cp "$W/bb.tar" "$E/image/layer.tar"
	printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$(sha256sum <"$W/bb.tar" | cut -d ' ' -f 1)" >"$E/image/config.json"
	printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$IMAGE" >"$E/image/manifest.json"
	tar -C "$E/image" -cf "$E/image.tar" manifest.json config.json layer.tar
	must ctr image import "$E/image.tar"
}

containerd_down() {
	local pid
	pid=$(<"$E/pid")
	kill "$pid"
	soon eval "! kill -0 $pid"
}

# cr OPTION... IMAGE ID COMMAND...: `ctr run`; crd: in the background, its output in a file
cr() { ends "$1" "$2" ctr run --rm --runc-binary "$RUNTIME" "${@:3}"; }
crd() { # ID OPTION... -- COMMAND...
	local id=$1
	local -a options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	must ctr run -d --runc-binary "$RUNTIME" --log-uri "file://$E/$id.log" ${options[@]+"${options[@]}"} "$IMAGE" "$id" "${@:2}"
}

pid_of() { ctr task ls | awk -v id="$1" '$1 == id { print $2 }'; }
status_of() { ctr task ls | awk -v id="$1" '$1 == id { print $3 }'; }
has_logged() { grep -q -- "$2" "$E/$1.log"; }

# removes a task that ended so; ctr says it in a warning
task_rm() { # CODE ID
	must ctr task rm "$2"
	like "the end of $2" "$err" "exit code $1"
}

# ends a task and removes its container
gone() {
	local id
	for id; do
		must ctr task rm --force "$id"
		must ctr container rm "$id"
	done
}

containerd_cell_run() {
	cr 7 out "$IMAGE" eng-run sh -c 'echo out; echo err >&2; exit 7'
	same stderr "$err" err
	cr 1 '' "$IMAGE" eng-run nosuchcommand
	like stderr "$err" 'executable file not found in \$PATH'
	cr 1 '' "$IMAGE" eng-run /bin/not-executable
	like stderr "$err" 'permission denied'
	cr 0 $'0\n/tmp\nb c' --cwd /tmp --env 'A=b c' "$IMAGE" eng-run sh -c 'id -u; pwd; echo "$A"'
	cr 0 busybox --rootfs "$W/rootfs" eng-run /bin/sh -c '/bin/basename "$(/bin/readlink /bin/sh)"'
}

containerd_cell_terminal() {
	dialogue "ctr run --rm -t --runc-binary $RUNTIME $IMAGE eng-tty sh -c 'trap \"echo caught; exit 9\" INT; size; echo ready; read x; echo \"got \$x\"; read x'" \
		ready 'some words\n' 'got some words' '\003'
	same 'status' "$status" 9
	like 'the screen' "$dialogue_out" '41 93.*ready.*got some words.*caught'
	crd eng-tty -- sleep 1000
	dialogue "ctr task exec -t --exec-id one eng-tty sh -c 'tty; read x; echo \"so \$x\"; exit 6'" '/dev/pts' 'word\n'
	same 'status of exec' "$status" 6
	like 'the screen of exec' "$dialogue_out" '/dev/pts/[0-9]+.*so word'
	gone eng-tty
}

containerd_cell_detach() {
	crd eng-detach -- sh -c 'echo first; sleep 0.2; echo second >&2; exit 3'
	soon prints STOPPED status_of eng-detach
	same logs "$(<"$E/eng-detach.log")" $'first\nsecond'
	task_rm 3 eng-detach
	must ctr container rm eng-detach
}

containerd_cell_exec() {
	crd eng-exec --env A=1 -- sleep 1000
	ends 5 $'1000\n/tmp\n1' ctr task exec --exec-id one --user 1000 --cwd /tmp eng-exec \
		sh -c 'id -u; pwd; echo "$A"; echo err >&2; exit 5'
	same stderr "$err" err
	# ctr misses an end of its input that comes before the process is there
	mkfifo "$E/typed"
	timeout -k 5 "$PATIENCE" ctr task exec --exec-id two eng-exec cat <"$E/typed" >"$E/read" 2>&1 &
	{
		echo typed
		soon grep -q typed "$E/read"
	} >"$E/typed"
	wait "$!"
	same input "$(<"$E/read")" typed
	ends 1 '' ctr task exec --exec-id three eng-exec nosuchcommand
	ends 137 '' ctr task exec --exec-id four eng-exec sh -c 'kill -KILL $$'
	gone eng-exec
}

containerd_cell_stop() {
	crd eng-stop -- sh -c "$TRAPPER"
	soon has_logged eng-stop up
	must ctr task kill --signal SIGUSR1 eng-stop
	soon has_logged eng-stop usr1
	must ctr task kill --signal SIGTERM eng-stop
	soon prints STOPPED status_of eng-stop
	task_rm 7 eng-stop
	must ctr task start -d eng-stop
	must ctr task kill --all --signal SIGKILL eng-stop
	soon prints STOPPED status_of eng-stop
	task_rm 137 eng-stop
	must ctr container rm eng-stop
}

containerd_cell_pause() {
	crd eng-pause -- sh -c "$TRAPPER"
	cgroup_of "$(pid_of eng-pause)"
	must ctr task pause eng-pause
	same state "$(status_of eng-pause)" PAUSED
	holds cgroup.freeze 1
	got ctr task exec --exec-id one eng-pause true
	[ "$status" -ne 0 ] || bad 'exec in what is paused succeeds'
	like 'a refusal' "$err" 'paused'
	must ctr task resume eng-pause
	holds cgroup.freeze 0
	must ctr task pause eng-pause
	gone eng-pause
}

# ctr's options know some of the limits; a whole specification, as CRI makes it, has them all
containerd_spec() { # ID CHANGES-OF-IT COMMAND
	"$W/bock-runc/bock-runc" spec --bundle "$E" || bad 'no specification is made'
	jq --arg root "$W/rootfs" --arg cgroup "/default/$1" --arg command "$3" '
		.root = {"path": $root, "readonly": true} | .process.terminal = false | .linux.cgroupsPath = $cgroup
		| .process.env = ["PATH=/bin"] | .process.args = ["sh", "-c", $command] | '"$2" "$E/config.json" >"$E/spec.json"
	rm "$E/config.json"
}

containerd_cell_limits() {
	crd eng-limits --memory-limit 67108864 --cpus 0.5 --cpu-shares 512 -- sleep 1000
	cgroup_of "$(pid_of eng-limits)"
	holds memory.max 67108864
	holds cpu.max '50000 100000'
	holds cpu.weight 59
	gone eng-limits
	containerd_spec eng-limits '.linux.resources += {"memory": {"limit": 67108864, "reservation": 33554432, "swap": 134217728},
		"cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "1"}, "pids": {"limit": 50},
		"blockIO": {"weight": 200}, "unified": {"memory.high": "60000000"}}' 'sleep 1000'
	must ctr run -d --runc-binary "$RUNTIME" --config "$E/spec.json" eng-limits
	cgroup_of "$(pid_of eng-limits)"
	holds memory.max 67108864
	holds memory.swap.max 67108864
	holds memory.low 33554432
	holds memory.high 59998208
	holds cpu.max '50000 100000'
	holds cpu.weight 59
	holds pids.max 50
	holds cpuset.cpus 1
	holds io.weight 'default 1920'
	gone eng-limits
}

containerd_cell_stats() {
	crd eng-stats --memory-limit 67108864 -- sh -c 'sleep 1001 & sleep 1002 & wait'
	cgroup_of "$(pid_of eng-stats)"
	soon grep -q 3 "$CG/pids.current"
	must ctr task metrics --format json eng-stats
	same 'the limit of memory' "$(jq '.usage_limit // .memory.usage_limit' <<<"$out")" 67108864
	must ctr task ps eng-stats
	same 'how many processes' "$(grep -c '^[0-9]' <<<"$out")" 3
	gone eng-stats
}

containerd_cell_oom() {
	local events
	setsid ctr events >"$E/events" 2>&1 &
	events=$!
	cr 137 '' --memory-limit 16777216 "$IMAGE" eng-oom tail /dev/zero
	soon grep -q '/tasks/oom.*eng-oom' "$E/events"
	kill "$events"
}

containerd_cell_devices() {
	local major
	cr 0 $'given\ndenied' --device /dev/loop0 --cap-add CAP_MKNOD "$IMAGE" eng-devices sh -c '
		(: </dev/loop0) && echo given
		mknod /dev/other b 7 1; (: </dev/other) 2>/dev/null || echo denied'
	# a device that may be read only, and a rule without a device
	major=$((0x$(stat -c %t /dev/vda)))
	containerd_spec eng-devices '.process.capabilities[] += ["CAP_MKNOD"]
		| .linux.devices = [{"path": "/dev/given", "type": "b", "major": 7, "minor": 0, "fileMode": 438}]
		| .linux.resources.devices = [{"allow": false, "access": "rwm"},
			{"allow": true, "type": "b", "major": 7, "minor": 0, "access": "r"},
			{"allow": true, "type": "b", "major": '"$major"', "minor": 0, "access": "rm"},
			{"allow": true, "type": "b", "major": 7, "minor": 1, "access": "m"}]' "
		(: </dev/given) && echo given
		(: <>/dev/given) 2>/dev/null || echo given: no write
		mknod /dev/allowed b $major 0; head -c 1 /dev/allowed >/dev/null && echo allowed
		(: <>/dev/allowed) 2>/dev/null || echo allowed: no write
		mknod /dev/other b 7 1; (: </dev/other) 2>/dev/null || echo denied"
	ends 0 $'given\ngiven: no write\nallowed\nallowed: no write\ndenied' \
		ctr run --rm --runc-binary "$RUNTIME" --config "$E/spec.json" eng-devices
}

containerd_cell_volumes() {
	local word want
	local -a options=()
	mkdir -p "$E/v/sub"
	for word in rprivate rslave rshared; do
		options+=(--mount "type=bind,src=$E/v,dst=/v/$word,options=rbind:$word")
	done
	ends 0 '' ctr run --rm --runc-binary "$RUNTIME" --read-only "${options[@]}" \
		--mount "type=bind,src=$E/v,dst=/v/ro,options=rbind:ro:noexec" \
		--mount type=tmpfs,src=tmpfs,dst=/scratch,options=size=64k:mode=1770:noexec "$IMAGE" eng-volumes sh -c '
		touch /x 2>/dev/null || echo read-only; touch /v/ro/x 2>/dev/null || echo no; stat -c %a /scratch
		df -k /scratch | tail -n 1 | awk "{ print \$2 }"
		awk "\$5 ~ /^.(v|scratch)/ { print \$5, \$6, \$7 }" /proc/self/mountinfo'
	like 'the file systems' "$out" $'^read-only\nno\n1770\n64\n'
	for word in rprivate rslave rshared; do
		case $word in
		rprivate) want=- ;;
		rslave) want='master:[0-9]+' ;;
		rshared) want='shared:[0-9]+' ;;
		esac
		like "$word" "$out" "/v/$word rw[^ ]* $want"
	done
	like ro "$out" '/v/ro ro[^ ]*noexec'
}

containerd_cell_userns() {
	cr 0 $'0 100000 65536\n0 200000 65536\n0\n0:0' --uidmap 0:100000:65536 --gidmap 0:200000:65536 "$IMAGE" eng-userns \
		sh -c 'cat /proc/self/uid_map /proc/self/gid_map | awk "{ print \$1, \$2, \$3 }"; id -u; touch /new; stat -c %u:%g /new'
}

containerd_cell_security() {
	seccomp_profile
	ends 0 '' ctr run --rm --runc-binary "$RUNTIME" --seccomp --seccomp-profile "$E/profile.json" "$IMAGE" eng-security \
		sh -c 'mkdir /d 2>&1; grep ^Seccomp: /proc/self/status'
	like 'a profile' "$out" 'Permission denied.*Seccomp:.2'
	ends 0 '' ctr run --rm --runc-binary "$RUNTIME" --seccomp "$IMAGE" eng-security cat /proc/self/status
	like 'a status' "$out" 'CapEff:.00000000a80425fb.*NoNewPrivs:.1.*Seccomp:.2'
	ends 0 '' ctr run --rm --runc-binary "$RUNTIME" --privileged "$IMAGE" eng-security \
		sh -c 'grep CapEff /proc/self/status; mount -t tmpfs none /tmp && echo mounted'
	like 'a status' "$out" "$(awk '/^CapBnd/ { print $2 }' /proc/self/status).*mounted"
}

containerd_cell_crowd() {
	local i
	for ((i = 1; i <= CROWD; i++)); do echo "$i"; done | xargs -P 6 -I {} ctr run -d --runc-binary "$RUNTIME" \
		"$IMAGE" 'eng-crowd{}' sleep 1000000 >"$E/crowd" 2>&1
	must ctr task ls
	same 'how many run' "$(grep -c 'eng-crowd.*RUNNING' <<<"$out")" "$CROWD"
	[ ! -s "$E/crowd" ] || bad "$(<"$E/crowd")"
	ends 0 crowd ctr task exec --exec-id one eng-crowd3 echo crowd
	# shellcheck disable=SC2046 # a list
	gone $(ctr container ls --quiet)
}

# To a folder, then to an image, from which it is made anew. Its input is the null device, that of what ctr restores a pipe.
containerd_cell_checkpoint() {
	local at
	mkdir -p "$E/counter"
	crd eng-saved --memory-limit 67108864 --mount "type=bind,src=$E/counter,dst=/v,options=rbind:rw" -- sh -c "$COUNTER"
	soon test -s "$E/counter/n"
	must ctr task checkpoint --image-path "$E/saved" eng-saved
	same state "$(status_of eng-saved)" RUNNING
	must ctr container checkpoint --image --rw --task eng-saved localhost/saved:1
	same state "$(status_of eng-saved)" RUNNING
	went_on "$(<"$E/counter/n")"
	gone eng-saved
	at=$(<"$E/counter/n")
	must ctr container restore --rw --live eng-saved localhost/saved:1
	same state "$(status_of eng-saved)" RUNNING
	went_on "$at"
	same 'its input' "$(readlink "/proc/$(pid_of eng-saved)/fd/0")" /dev/null
	cgroup_of "$(pid_of eng-saved)"
	holds memory.max 67108864
	gone eng-saved
	must ctr image rm localhost/saved:1
}
