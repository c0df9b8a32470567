# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # of lib.bash; what containers expand
# buildah, whose steps are containers with the isolation "oci".

buildah_up() {
	containers_conf
	export BUILDAH_ISOLATION=oci BUILDAH_RUNTIME=$RUNTIME
	mkdir -p "$E/build"
	cp "$W/bb.tar" "$E/build/"
	printf 'FROM scratch\nADD bb.tar /\nENV PATH=/bin\n' >"$E/build/Dockerfile"
	must buildah build --quiet --tag "$IMAGE" "$E/build"
	must buildah from --name eng-from "$IMAGE"
}

buildah_down() { buildah rm --all >/dev/null; }

buildah_cell_run() {
	ends 0 $'out\n0' buildah run eng-from sh -c 'echo out; id -u; echo err >&2'
	like stderr "$err" err
	ends 7 '' buildah run eng-from sh -c 'exit 7'
	must buildah run --user 1000:1001 --workingdir /tmp --env 'A=b c' --hostname here eng-from sh -c 'id -u; pwd; echo "$A"; hostname'
	same output "$out" $'1000\n/tmp\nb c\nhere'
	got buildah run eng-from nosuchcommand
	[ "$status" -ne 0 ] || bad 'a missing command succeeds'
	like stderr "$err" 'executable file not found in \$PATH'
	same input "$(fed typed buildah run eng-from cat)" typed
}

buildah_cell_terminal() {
	dialogue "buildah run --terminal eng-from sh -c 'size; echo ready; read x; echo \"got \$x\"; exit 9'" ready 'some words\n'
	same 'status' "$status" 9
	like 'the screen' "$dialogue_out" '41 93.*ready.*got some words'
}

buildah_cell_volumes() {
	# buildah binds them itself before, privately: there is no propagation
	mkdir -p "$E/v"
	must buildah run --volume "$E/v:/v/ro:ro" --volume "$E/v:/v/rw" --mount type=tmpfs,destination=/scratch,tmpfs-size=64k eng-from \
		awk '$5 ~ /^.(v|scratch)/ { print $5, $6, $7 }' /proc/self/mountinfo
	like ro "$out" '/v/ro ro'
	like rw "$out" '/v/rw rw'
	like tmpfs "$out" '/scratch rw'
}

buildah_cell_security() {
	must buildah run --cap-drop CAP_CHOWN --cap-add CAP_NET_RAW eng-from cat /proc/self/status
	# bit 13 is there, bit 0 is not
	like 'a status' "$out" 'CapEff:.00000000[0-9a-f]{4}[2367abef][0-9a-f]{2}[02468ace].*Seccomp:.2'
	seccomp_profile
	printf 'FROM %s\nRUN mkdir /d 2>/refused || true\nRUN cat /refused\n' "$IMAGE" >"$E/build/Dockerfile"
	must buildah build --security-opt "seccomp=$E/profile.json" "$E/build"
	like 'a profile' "$out$err" 'Permission denied'
}

buildah_cell_build() {
	mkdir -p "$E/build"
	printf 'FROM %s\nRUN echo made >/made && id -u >>/made\nUSER 1000\nRUN id -u && cat /made\n' "$IMAGE" >"$E/build/Dockerfile"
	must buildah build --memory 64m --tag localhost/built:1 "$E/build"
	like output "$out" $'1000\nmade\n0'
	must buildah rmi localhost/built:1
}
