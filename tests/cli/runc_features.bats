# SPDX-License-Identifier: Apache-2.0
# bock-runc features: a document of the specification, which says what is so. And the other documents that
# the program writes, against the published schemas.

setup() {
	load ../helpers/runc
	runc_setup
	SPECS=${BOCK_SPECS:-$TOP/../shared/specs}/runtime-spec
}
teardown() { common_teardown; }

# matches SCHEMA <DOCUMENT
matches() {
	local rc=0
	"$RUNC_HELPERS/schema-check" "$SPECS/$1" >"$T/faults" || rc=$?
	[ "$rc" -ne 77 ] || skip "no $SPECS/$1, or no python3-jsonschema"
	[ "$rc" -eq 0 ] || fail "$1: $(cat "$T/faults")"
}

feature() { "$BOCK_RUNC" features | jq -r "$1"; }

@test "schema: features" {
	"$BOCK_RUNC" features >"$T/f"
	matches features-schema.json <"$T/f"
	# a schema that takes anything proves nothing
	jq '.hooks = 1' "$T/f" >"$T/wrong"
	run matches features-schema.json <"$T/wrong"
	[ "$status" -ne 0 ]
}

@test "schema: state, of a created and of a stopped container" {
	sleeper
	edit '.annotations = {"a": "b"}'
	detached create -b "$B" "$ID"
	bock_runc state "$ID" | matches state-schema.json
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	bock_runc state "$ID" | matches state-schema.json
}

@test "schema: spec and spec --rootless" {
	"$BOCK_RUNC" spec -b "$T" -f one.json
	"$BOCK_RUNC" spec -b "$T" --rootless -f two.json
	matches config-schema.json <"$T/one.json"
	matches config-schema.json <"$T/two.json"
}

@test "features: each namespace, capability, hook and option is one that is taken" {
	bundle true
	feature '.linux.namespaces[]' | sort >"$T/namespaces"
	[ "$(wc -l <"$T/namespaces")" -eq 8 ]
	jq --rawfile n "$T/namespaces" '.linux.namespaces = ($n | rtrimstr("\n") | split("\n") | map({type: .})) |
		.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 1}] | .linux.gidMappings = .linux.uidMappings' \
		"$B/config.json" >"$T/c.json"
	"$BOCK_RUNC" validate -b "$B" -f "$T/c.json"

	feature '.linux.capabilities[]' >"$T/caps"
	jq --rawfile c "$T/caps" '.process.capabilities.bounding = ($c | rtrimstr("\n") | split("\n"))' \
		"$B/config.json" >"$T/c.json"
	run --separate-stderr "$BOCK_RUNC" validate -b "$B" -f "$T/c.json"
	assert_ok ''

	feature '.hooks[]' >"$T/hooks"
	jq --rawfile h "$T/hooks" '.hooks = ($h | rtrimstr("\n") | split("\n") | map({key: ., value: [{path: "/bin/true"}]}) |
		from_entries)' "$B/config.json" >"$T/c.json"
	"$BOCK_RUNC" validate -b "$B" -f "$T/c.json"
	[ "$("$BOCK_RUNC" run --dry-run -b "$B" -f "$T/c.json" "$ID" | grep -c 'hooks .*/bin/true')" -ge 3 ]

	for option in $(feature '.mountOptions[]'); do
		jq --arg o "$option" '.mounts += [{"destination": "/x", "type": "tmpfs", "source": "x", "options": [$o]}]' \
			"$B/config.json" >"$T/c.json"
		run --separate-stderr "$BOCK_RUNC" validate -b "$B" -f "$T/c.json"
		refute_output -p 'not supported'
		# none is data for the file system
		if [ "$status" -eq 0 ]; then
			"$BOCK_RUNC" run --dry-run -b "$B" -f "$T/c.json" "$ID" >"$T/plan"
			grep -q "on '/x'\|'/x'" "$T/plan" || fail "$option: $(cat "$T/plan")"
		fi
	done
}

@test "features: seccomp's words are those that are taken" {
	bundle true
	for action in $(feature '.linux.seccomp.actions[]'); do
		[ "$action" != SCMP_ACT_NOTIFY ] || continue
		edit ".linux.seccomp = {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"getcwd\"], \"action\": \"$action\"}]}"
		run --separate-stderr "$BOCK_RUNC" validate -b "$B"
		[ "$status" -eq 0 ] || [ "$action" = SCMP_ACT_ALLOW ] || fail "$action: $output"
	done
	for op in $(feature '.linux.seccomp.operators[]'); do
		edit ".linux.seccomp = {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"getcwd\"],
			\"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, \"value\": 1, \"op\": \"$op\"}]}]}"
		run --separate-stderr "$BOCK_RUNC" validate -b "$B"
		assert_ok ''
	done
	for arch in $(feature '.linux.seccomp.archs[]'); do
		edit ".linux.seccomp = {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"$arch\"]}"
		run --separate-stderr "$BOCK_RUNC" validate -b "$B"
		refute_output -p 'unknown'
	done
	[ "$(feature '.linux.seccomp | .supportedFlags - .knownFlags | length')" -eq 0 ]
}

@test "features: cgroups: no version 1; systemd where its library was; rdma is compiled to a limit" {
	local systemd=false
	[ ! -x "$BOCK_BUILDDIR/bock-runc-systemd/bock-runc-systemd" ] || systemd=true
	[ "$(feature '.linux.cgroup | [.v1, .v2, .systemd, .systemdUser, .rdma] | tostring')" = "[false,true,$systemd,$systemd,true]" ]
}

@test "features: the annotations that docker and cri-o read" {
	[ "$(feature '.annotations["org.opencontainers.runc.version"]')" = "$("$BOCK_RUNC" --version | sed -n '1s/.* //p')" ]
	[ "$(feature '.annotations["org.opencontainers.runc.commit"]')" = "$("$BOCK_RUNC" --version | sed -n '2s/.* //p')" ]
	[ "$(feature '.annotations["io.github.seccomp.libseccomp.version"]')" = "$("$BOCK_RUNC" --version | sed -n '4s/.* //p')" ]
	# as long as the command is refused
	if "$BOCK_RUNC" checkpoint --help >/dev/null 2>&1; then want=true; else want=false; fi
	[ "$(feature '.annotations["org.opencontainers.runc.checkpoint.enabled"]')" = "$want" ]
	[ "$(feature '[.. | arrays | select(length == 0)] | length')" -eq 0 ]
}
