# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # status and output are bats'
#
# unpack's options: what each writes into config.json, that bock-runc validate takes it, and what the container sees.

setup() {
	load ../helpers/common
	common_setup
	need_busybox
	need_cmd jq
	B=$T/b
}

teardown() {
	[ -z "${U-}" ] || rm -rf "$U"
	common_teardown
}

# image NAME [JSON]: busybox and a few files, with that "config" object
image() {
	if [ ! -e "$T/rootfs.tar" ]; then
		rootfs_make "$T/rootfs"
		mkdir -p "$T/rootfs/data/sub" "$T/rootfs/app"
		echo seed >"$T/rootfs/data/sub/file"
		ln "$T/rootfs/data/sub/file" "$T/rootfs/data/twin"
		chmod 750 "$T/rootfs/data/sub"
		chown 12:13 "$T/rootfs/data/sub" 2>/dev/null || :
		ln -s data "$T/rootfs/link"
		ln -s /proc/sys "$T/rootfs/trap"
		printf 'app:x:1000:2000:App:/app:/bin/sh\n' >>"$T/rootfs/etc/passwd"
		printf 'app:x:2000:\nextra:x:2001:app\n' >>"$T/rootfs/etc/group"
		tar -C "$T/rootfs" -cf "$T/rootfs.tar" .
	fi
	bock_image import -q --cmd /bin/true "$T/rootfs.tar" "$1"
	[ $# -lt 2 ] || image_config "$1" "$2"
}

# Another configuration for the image, and (a third argument) annotations of its manifest.
image_config() {
	python3 - "$STORE" "$@" <<-'PY'
		import hashlib, json, os, sys
		store, name, config = sys.argv[1:4]
		index = json.load(open(store + "/index.json"))
		blob = lambda d: store + "/blobs/" + d.replace(":", "/")
		def put(doc):
		    text = json.dumps(doc).encode()
		    d = "sha256:" + hashlib.sha256(text).hexdigest()
		    open(blob(d), "wb").write(text)
		    return {"digest": d, "size": len(text)}
		for entry in index["manifests"]:
		    if entry["annotations"]["org.opencontainers.image.ref.name"] != name:
		        continue
		    manifest = json.load(open(blob(entry["digest"])))
		    doc = json.load(open(blob(manifest["config"]["digest"])))
		    doc["config"] = dict(doc["config"], **json.loads(config))
		    manifest["config"].update(put(doc))
		    if len(sys.argv) > 4:
		        manifest["annotations"] = json.loads(sys.argv[4])
		    entry.update(put(manifest))
		json.dump(index, open(store + "/index.json", "w"))
	PY
}

unpack() { # OPTION... [-- ARG...]; a fresh bundle each time
	rm -rf "$B"
	bock_image unpack "$@"
}

config() { jq -ce "$@" "$B/config.json"; }

valid() {
	run --separate-stderr bock_runc validate -b "$B"
	[ "$status" -eq 0 ] || fail "validate: $output"
}

# in_container COMMAND...: what it prints
in_container() {
	bundle_args "$B" "$@"
	run --separate-stderr bock_runc run -b "$B" "$ID"
	assert_status 0
}

@test "limits, network and mounts are in config.json, and a malformed option is named" {
	image i:1
	unpack --memory 64m --cpus 1.5 --pids-limit 20 --net /run/netns/x --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700,ro \
		--mount type=bind,src="$T",dst=/src,readonly,bind-propagation=rslave --mount source=/etc,target=/e,bind-nonrecursive,option=nosuid i:1 "$B"
	config '.linux.resources | .memory == {limit: 67108864} and .cpu == {quota: 150000, period: 100000} and .pids == {limit: 20}'
	config '.linux.namespaces | map(select(.type == "network")) == [{type: "network", path: "/run/netns/x"}]'
	config --arg t "$T" '.mounts[-3:] == [
		{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec", "size=1048576", "mode=0700", "ro"]},
		{destination: "/src", type: "bind", source: $t, options: ["rbind", "rslave", "ro"]},
		{destination: "/e", type: "bind", source: "/etc", options: ["bind", "nosuid"]}]'
	config '.linux.seccomp.defaultAction == "SCMP_ACT_ERRNO"'
	unpack --net host --pids-limit -1 --cpus 0.01 i:1 "$B"
	config '(.linux.namespaces | all(.type != "network")) and .linux.resources.pids.limit == -1 and .linux.resources.cpu.quota == 1000'
	while read -r words; do
		# shellcheck disable=SC2086 # words
		run -1 unpack $words i:1 "$B"
		assert_output -e "${words%% *}"
		[ ! -e "$B" ]
	done <<-'END'
		--memory 0
		--memory x
		--cpus 0
		--cpus 1.
		--cpus 1.123456
		--cpus -1
		--pids-limit 0
		--pids-limit -2
		--net bridge
		--env A
		--env =1
		--hostname a/b
		--mount target=/x
		--mount type=bind,source=/x
		--mount type=volume,source=x,target=/x
		--mount source=/x,target=rel
		--mount source=/x,target=/x,target=/y
		--mount source=/x,target=/x,what=1
		--mount source=/x,target=/x,ro=maybe
		--mount source=/x,target=/x,bind-propagation=up
		--mount type=tmpfs,source=/x,target=/x
		--mount type=tmpfs,target=/x,tmpfs-mode=9
		--uid-map 0:0
		--uid-map 0:100:0
		--uid-map 0:4294967290:100
		--gid-map 0:1:1
	END
}

@test "the container has what the options say: words, environment, user, folder, terminal, read-only root" {
	need_root
	image i:1 '{"Env": ["A=image", "B=image"], "Cmd": ["echo", "cmd"], "Entrypoint": ["/bin/env"], "WorkingDir": "/app", "User": "app"}'
	unpack i:1 "$B"
	config '.process | .args == ["/bin/env", "echo", "cmd"] and .cwd == "/app" and .user == {uid: 1000, gid: 2000, additionalGids: [2000, 2001]}'
	in_container /bin/sh -c 'id; echo $A $HOME; pwd'
	assert_output "uid=1000(app) gid=2000(app) groups=2000(app),2001(extra)
image /app
/app"
	unpack --env A=mine --env C=3 --user 7:8 --cwd /data --read-only --hostname box --entrypoint '' i:1 "$B" -- /bin/sh -c \
		'id -u; id -g; echo $A $B $C; pwd; hostname; cat /etc/hostname; touch /x'
	valid
	run --separate-stderr bock_runc run -b "$B" "$ID"
	assert_status 1
	assert_output "7
8
mine image 3
/data
box
box"
	[[ $stderr == *'touch: /x: Read-only file system'* ]]
	unpack --tty i:1 "$B"
	config '.process.terminal and (.process.env | index("TERM=xterm"))'
	assert_no_leftovers
}

@test "mounts, resolv.conf and hosts, and a host's network from inside" {
	need_root
	image i:1
	echo nameserver 192.0.2.1 >"$T/resolv"
	echo 192.0.2.2 elsewhere >"$T/hosts"
	mkdir "$T/src"
	echo there >"$T/src/f"
	unpack --resolv-conf "$T/resolv" --hosts "$T/hosts" --mount type=bind,source="$T/src",target=/s,ro --mount type=tmpfs,target=/t,tmpfs-size=64k \
		--net none i:1 "$B"
	valid
	in_container /bin/sh -c 'cat /etc/resolv.conf /etc/hosts /s/f; touch /s/g 2>&1; df -k /t | tail -n 1 | tr -s " " | cut -d" " -f2; ls /sys/class/net'
	assert_output "nameserver 192.0.2.1
192.0.2.2 elsewhere
there
touch: /s/g: Read-only file system
64
lo"
	# the bundle has its own copies
	[ "$(readlink -f "$B/resolv.conf")" = "$B/resolv.conf" ]
	unpack --net host i:1 "$B"
	valid
	in_container /bin/readlink /proc/self/ns/net
	assert_output "$(readlink /proc/self/ns/net)"
	run -1 unpack --hosts "$T/absent" i:1 "$B"
	assert_output -p "$T/absent"
	[ ! -e "$B" ]
	assert_no_leftovers
}

@test "volumes begin as what the image has there, through links inside the root, and never over /proc" {
	need_root
	need_cmd python3
	image i:1 '{"Volumes": {"/link": {}, "/new/one": {}, "/proc": {}, "/trap": {}, "/": {}, "/dev/../sys/x": {}}}'
	run -0 unpack i:1 "$B"
	for path in /proc /trap / /dev/../sys/x; do
		assert_output -p "the image's volume '$path' is left out"
	done
	config '.mounts[7:] == [
		{destination: "/data", type: "bind", source: "volumes/0", options: ["rbind", "nosuid", "nodev"]},
		{destination: "/new/one", type: "bind", source: "volumes/1", options: ["rbind", "nosuid", "nodev"]}]'
	valid
	diff <("$TOP/tests/helpers/tree-list" "$B/rootfs/data" root) <("$TOP/tests/helpers/tree-list" "$B/volumes/0" root)
	in_container /bin/sh -c 'cat /data/twin && echo changed >/data/twin && echo x >/new/one/x'
	assert_output seed
	[ "$(cat "$B/volumes/0/sub/file" "$B/rootfs/data/sub/file" "$B/volumes/1/x")" = "changed
seed
x" ]
	unpack --volumes tmpfs --mount type=tmpfs,target=/new/one i:1 "$B" 2>/dev/null
	config '.mounts[7:] == [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "tmpcopyup"]},
		{destination: "/new/one", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec"]}]'
	valid
	in_container /bin/sh -c 'cat /data/twin'
	assert_output seed
	unpack --volumes none i:1 "$B"
	config '.mounts | length == 7'
	assert_no_leftovers
}

@test "id maps: owners are mapped while unpacking, and seen as in the image from inside" {
	need_root
	need_user_namespaces
	image i:1 '{"User": "app", "Volumes": {"/data": {}}}'
	mkdir "$T/src"
	chown 5:6 "$T/src"
	unpack --uid-map 0:100000:65536 --mount source="$T/src",target=/s,idmap i:1 "$B"
	valid
	config '.linux.uidMappings == [{containerID: 0, hostID: 100000, size: 65536}] and .linux.gidMappings == .linux.uidMappings'
	[ "$(stat -c %u:%g "$B/rootfs" "$B/rootfs/data/sub" "$B/volumes/0/sub" | tr '\n' ' ')" = '100000:100000 100012:100013 100012:100013 ' ]
	# the owner of what an ordinary user can reach: the runtime must get to the root file system as the mapped root
	U=$(mktemp -d)
	chmod 755 "$U"
	mv "$B" "$U/b"
	B=$U/b
	# not everything below bats' own folder can be reached by the mapped root: the source is taken as it is
	in_container /bin/sh -c 'id -u; stat -c %u:%g / /data/sub /s'
	assert_output "1000
0:0
12:13
5:6"
	B=$T/b
	run -1 unpack --uid-map 0:100000:10 i:1 "$B"
	assert_output -p "is not among the mapped ids"
	run -1 unpack --uid-map 1:100000:65535 i:1 "$B"
	assert_output -p "0"
	run -1 unpack --rootless --uid-map 0:1:1 i:1 "$B"
	assert_output -p "--rootless"
	[ ! -e "$B" ]
	assert_no_leftovers
}

@test "CVE-2026-53488: labels trigger nothing, and io.bock.security.* takes privileges away only" {
	need_root
	need_cmd python3
	image i:1 '{"Labels": {"run.oci.hooks.stdout": "/tmp/evil", "org.systemd.property.X": "1", "org.criu.config": "/x", "cdi.k8s.io/x": "vendor.com/gpu=all", "plain": "label",
		"io.bock.security.read-only-rootfs": "true", "io.bock.security.no-new-privileges": "false",
		"io.bock.security.capabilities.drop": "ALL", "io.bock.security.capabilities.add": "CHOWN,SYS_ADMIN", "io.bock.security.seccomp": "unconfined"}}'
	run -0 unpack i:1 "$B"
	assert_output -p "io.bock.security.no-new-privileges=false: ignored"
	assert_output -p "io.bock.security.capabilities.add=SYS_ADMIN: ignored"
	assert_output -p "io.bock.security.seccomp=unconfined: ignored"
	config '.annotations | keys | all(test("^(run[.]oci|org[.]systemd|org[.]criu|cdi|io[.]bock)") | not)'
	config '.annotations.plain == "label" and .root.readonly and .process.noNewPrivileges and .linux.seccomp.defaultAction == "SCMP_ACT_ERRNO"'
	config '.process.capabilities | .bounding == ["CAP_CHOWN"] and .effective == ["CAP_CHOWN"] and .permitted == ["CAP_CHOWN"]'
	valid
	in_container /bin/sh -c 'grep CapBnd /proc/self/status; touch /x 2>&1 || :'
	assert_output "CapBnd:	0000000000000001
touch: /x: Read-only file system"
	# the same in the manifest's annotations
	image_config i:1 '{"Labels": null}' '{"io.bock.security.capabilities.drop": "CAP_NET_RAW,MKNOD"}'
	unpack i:1 "$B"
	config '.process.capabilities.bounding | length == 12 and all(. != "CAP_NET_RAW" and . != "CAP_MKNOD")'
	config '.root.readonly != true'
}

@test "rootless: a user's bundle with a mount, a volume and no network runs" {
	need_root
	need_cmd setpriv util-linux
	need_user_namespaces
	image i:1 '{"Volumes": {"/data": {}}}'
	U=$(mktemp -d)
	mkdir "$U/bock-image"
	cp "$BOCK_IMAGE" "$BOCK_BUILDDIR/bock-image/bock-image-transfer" "$U/bock-image"
	cp -r "$STORE" "$U/store"
	cp "$BOCK_RUNC" "$U/bock-runc"
	chmod 755 "$U"
	chmod -R a+rX "$U/store"
	install -d -m 700 -o 65534 -g 65534 "$U/own"
	as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$U/own" XDG_RUNTIME_DIR="$U/own")
	"${as_user[@]}" "$U/bock-runc" --version >/dev/null || skip "a user does not reach $U"
	cd "$U/own" || return 1
	"${as_user[@]}" "$U/bock-image/bock-image" --root "$U/store" unpack --net none --mount source=.,target=/s i:1 b -- \
		/bin/sh -c 'id -u; cat /data/twin; ls /s; ls /sys/class/net'
	run --separate-stderr "${as_user[@]}" "$U/bock-runc" --root "$U/own/state" run -b b "$ID"
	assert_status 0
	assert_output "0
seed
b
state
lo"
	run -1 "${as_user[@]}" "$U/bock-image/bock-image" --root "$U/store" unpack --uid-map 0:100000:65536 i:1 c
	assert_output -p "another user has one id to map"
}
