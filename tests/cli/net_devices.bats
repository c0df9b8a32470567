#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.netDevices of bock-runc, and bock-net move, which does it. Both run in a network namespace of the test's own
# ($HOST, a process that holds it), where veth pairs stand for the host's devices.

setup() {
	load ../helpers/runc
	runc_setup
	# in place of the helpers' own
	bock_runc() { here "$BOCK_RUNC" --root "$STATE" "$@"; }
	need_program net
	need_cmd ip iproute2
	need_cmd nsenter util-linux
	HOST=$(hold_netns)
	here ip link set lo up
	here ip link add bkt0 type veth peer name bkt1 2>/dev/null || skip "no veth devices (ip link add type veth)"
}

teardown() {
	common_teardown
	local pid
	for pid in $(cat "$T/.netns" 2>/dev/null); do
		kill "$pid" 2>/dev/null || :
	done
}

# A new network namespace: the pid of the process that holds it.
hold_netns() {
	unshare --net sleep 1000 >/dev/null 2>&1 </dev/null 3>&- &
	echo $! >>"$T/.netns"
	wait_for 5 different_netns $!
	echo $!
}
different_netns() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

in_netns() { # PID COMMAND...
	local pid=$1
	shift
	nsenter --net="/proc/$pid/ns/net" "$@"
}
here() { in_netns "$HOST" "$@"; }
bock_net() { here "$BOCK_NET" "$@"; }

# addresses PID DEVICE: those of global scope, in the kernel's order
addresses() {
	in_netns "$1" ip -j addr show dev "$2" | jq -r '.[].addr_info[] | select(.scope == "global") |
		"\(.local)/\(.prefixlen) \(.address // "-") \(.broadcast // "-") \(.metric // "-") \(.label // "-")"' |
		sed "s/\\b$2\\b/DEV/"
}
has_device() { in_netns "$1" ip link show dev "$2" >/dev/null 2>&1; } # PID DEVICE
no_device() {
	if has_device "$@"; then fail "$2 is there"; fi
}
is_up() { in_netns "$1" ip -j link show dev "$2" | jq -e '.[0].flags | index("UP")' >/dev/null; }
attribute() { in_netns "$1" ip -j link show dev "$2" | jq -r ".[0].$3"; } # PID DEVICE NAME

devices() { edit ".linux.netDevices = $1"; } # JSON

join() { # PID
	edit --arg path "/proc/$1/ns/net" '(.linux.namespaces[] | select(.type == "network")).path = $path'
}

# Runs the sleeper in the background; $C is the pid of the container's process.
start_it() {
	detached run -d -b "$B" "$ID"
	assert_ok
	C=$(pid_of)
}

# ---- what moves with a device ------------------------------------------------------------------------

@test "net: a device has its attributes and addresses in the container, and is up" {
	sleeper
	devices '{"bkt0": {"name": "data0"}, "bkt1": {}}'
	here ip link set bkt0 mtu 1400
	here ip link set bkt0 up
	here ip addr add 10.77.0.1/24 brd + dev bkt0 label bkt0:web
	here ip addr add 10.77.0.2/24 dev bkt0
	here ip addr add 10.78.0.1 peer 10.78.0.2 dev bkt0 metric 77
	here ip addr add fd77::1/64 dev bkt0 nodad
	here ip addr add fd77::2/64 dev bkt0 nodad
	local mac before
	mac=$(attribute "$HOST" bkt0 address)
	before=$(addresses "$HOST" bkt0)
	[ "$(wc -l <<<"$before")" -eq 5 ]
	start_it
	no_device "$HOST" bkt0
	no_device "$HOST" bkt1
	[ "$(addresses "$C" data0)" = "$before" ] || fail "before:
$before
in the container:
$(addresses "$C" data0)"
	[ "$(attribute "$C" data0 mtu)" = 1400 ]
	[ "$(attribute "$C" data0 address)" = "$mac" ]
	is_up "$C" data0
	is_up "$C" bkt1
}

@test "net: what is not permanent or not global stays behind" {
	sleeper
	devices '{"bkt0": {}}'
	here ip addr add 10.77.0.1/24 dev bkt0
	here ip addr add 10.77.1.1/24 dev bkt0 valid_lft 1000 preferred_lft 1000
	here ip addr add 10.77.2.1/24 dev bkt0 scope link
	start_it
	[ "$(in_netns "$C" ip -j -4 addr show dev bkt0 | jq -r '.[].addr_info[].local')" = 10.77.0.1 ]
}

@test "net: a template is numbered by the kernel" {
	bundle sh -c 'ls /sys/class/net | sort | xargs'
	devices '{"bkt0": {"name": "data%d"}, "bkt1": {"name": "data%d"}}'
	run_it
	assert_ok 'data0 data1 lo'
}

@test "net: a template takes no name that another device is to have" {
	sleeper
	local mac
	mac=$(attribute "$HOST" bkt1 address)
	devices '{"bkt0": {"name": "data%d"}, "bkt1": {"name": "data0"}}'
	start_it
	[ "$(attribute "$C" data0 address)" = "$mac" ]
	has_device "$C" data1
}

@test "net: names that are exchanged" {
	sleeper
	local mac
	mac=$(attribute "$HOST" bkt0 address)
	devices '{"bkt0": {"name": "bkt1"}, "bkt1": {"name": "bkt0"}}'
	start_it
	[ "$(attribute "$C" bkt1 address)" = "$mac" ]
	has_device "$C" bkt0
}

@test "net: an empty name is none; an alternative name will do" {
	sleeper
	here ip link property add dev bkt1 altname bkt-other
	devices '{"bkt0": {"name": ""}, "bkt-other": {}}'
	start_it
	has_device "$C" bkt0
	has_device "$C" bkt1
	[ "$(in_netns "$C" ip -j link show dev bkt-other | jq -r '.[0].ifname')" = bkt1 ]
}

@test "net: into a namespace that is joined, where indexes are taken" {
	sleeper
	local other
	other=$(hold_netns)
	# as many devices as there are in the test's
	in_netns "$other" ip link add x0 type veth peer name x1
	devices '{"bkt0": {"name": "data0"}}'
	here ip addr add 10.77.0.1/24 dev bkt0
	join "$other"
	start_it
	[ "$(addresses "$other" data0)" = "10.77.0.1/24 - - - DEV" ]
	bock_runc delete --force "$ID"
	# it is the namespace's now, and not ours to take away
	has_device "$other" data0
}

@test "net: into the namespace of a user namespace" {
	need_user_namespaces
	sleeper
	open_path
	edit '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
	chown -R 100000:100000 "$B/rootfs"
	devices '{"bkt0": {"name": "data0"}}'
	here ip addr add 10.77.0.1/24 dev bkt0
	start_it
	[ "$(addresses "$C" data0)" = "10.77.0.1/24 - - - DEV" ]
	is_up "$C" data0
}

@test "net: before the hooks and the sysctls; a sealed runtime finds bock-net" {
	bundle sh -c 'cat /proc/sys/net/ipv4/conf/data0/forwarding'
	devices '{"bkt0": {"name": "data0"}}'
	cat >"$T/hook" <<-EOF
		#!/bin/sh
		pid=\$(jq .pid)
		nsenter --net=/proc/\$pid/ns/net ip -br link show dev data0 | cut -d' ' -f1 >>$T/seen
	EOF
	chmod +x "$T/hook"
	edit --arg hook "$T/hook" '.linux.sysctl = {"net.ipv4.conf.data0.forwarding": "1"}
		| .hooks = {"prestart": [{"path": $hook, "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}],
			"createRuntime": [{"path": $hook, "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}],
			"startContainer": [{"path": "/bin/true"}]}'
	run_it
	assert_ok 1
	[ "$(cut -d@ -f1 "$T/seen" | xargs)" = "data0 data0" ]
}

@test "net: --dry-run prints it and moves nothing" {
	bundle true
	devices '{"bkt0": {"name": "data0"}, "bkt1": {}}'
	run_it --dry-run
	assert_ok
	assert_output -p "net-devices bkt0:data0 bkt1"
	has_device "$HOST" bkt0
}

# ---- refusals, before anything is made ---------------------------------------------------------------

@test "net: refused by the document alone" {
	bundle true
	refused '.linux.netDevices = {"bkt0": {}} | .linux.namespaces -= [{"type": "network"}]' \
		'linux.netDevices: needs a network namespace'
	refused '.linux.netDevices = {"bkt0": {"name": "a/b"}}' "linux.netDevices: 'a/b' is not a name"
	refused '.linux.netDevices = {"bkt0": {"name": "a b"}}' 'white space'
	refused '.linux.netDevices = {"bkt0": {"name": "a:b"}}' 'is not a name'
	refused '.linux.netDevices = {"bkt0": {"name": ".."}}' 'would name a directory'
	refused '.linux.netDevices = {"bkt0": {"name": "a%s"}}' "only in one '%d'"
	refused '.linux.netDevices = {"bkt0": {"name": "0123456789abcdef"}}' 'longer than 15 bytes'
	refused '.linux.netDevices = {"": {}}' 'it is empty'
	refused '.linux.netDevices = {"bkt0": {"name": "lo"}}' "linux.netDevices: bkt0: 'lo' is the loopback device"
	refused '.linux.netDevices = {"bkt0": {"name": "bkt1"}, "bkt1": {}}' \
		"linux.netDevices: bkt1.name: 'bkt1' is that of 'bkt0', too"
}

@test "net: refused by what is there" {
	bundle true
	refused '.linux.netDevices = {"bkt9": {}}' "linux.netDevices: network device 'bkt9': it does not exist"
	refused '.linux.netDevices = {"bkt0": {}, "bkt9": {}}' "'bkt9': it does not exist"
	refused '.linux.netDevices = {"lo": {"name": "x"}}' "network device 'lo': a loopback device can't be moved"
	here ip link property add dev bkt0 altname bkt-other
	refused '.linux.netDevices = {"bkt0": {}, "bkt-other": {"name": "x"}}' 'the same device as'
	has_device "$HOST" bkt0
}

@test "net: refused by what a joined namespace has" {
	bundle true
	local other
	other=$(hold_netns)
	in_netns "$other" ip link add bkt0 type veth peer name x1
	join "$other"
	refused '.linux.netDevices = {"bkt1": {}, "bkt0": {}}' \
		"network device 'bkt0': a device 'bkt0' is in the network namespace already"
	refused '.linux.netDevices = {"bkt1": {"name": "lo"}}' "a device 'lo' is in the network namespace already"
	join "$HOST"
	refused '.linux.netDevices = {"bkt0": {}}' 'linux.netDevices: the devices are in that network namespace already'
	has_device "$HOST" bkt0
	has_device "$HOST" bkt1
}

@test "net: an ordinary user is refused" {
	user_setup
	user_bundle true
	edit '.linux.namespaces += [{"type": "network"}] | .linux.netDevices = {"bkt0": {}}'
	user_runs
	user_teardown
	assert_error 'linux.netDevices: moving network devices needs root of the host'
}

# ---- all or none --------------------------------------------------------------------------------------

@test "net: a failure half-way brings back what was moved, as it was" {
	sleeper
	local other before0 before1 index
	other=$(hold_netns)
	in_netns "$other" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	here ip link add name bktbr type bridge
	here ip link set bktbr up
	here ip link set bkt0 master bktbr
	here ip link set bkt0 up
	here ip link set bkt0 mtu 1300
	here ip addr add 10.77.0.1/24 brd + dev bkt0 label bkt0:web
	here ip addr add 10.77.0.2/24 dev bkt0
	# no IPv6 in the other namespace: this address can't be added there
	here ip addr add 10.79.0.1/24 dev bkt1
	here ip addr add fd77::1/64 dev bkt1 nodad
	before0=$(addresses "$HOST" bkt0)
	before1=$(addresses "$HOST" bkt1)
	index=$(attribute "$HOST" bkt0 ifindex)
	join "$other"
	refused '.linux.netDevices = {"bkt0": {"name": "data0"}, "bkt1": {"name": "data%d"}}' \
		"linux.netDevices: network device 'bkt1': add address 'fd77::1/64'"
	[[ $stderr != *"moved back"* ]] || fail "stderr: $stderr"
	[ "$(addresses "$HOST" bkt0)" = "$before0" ] || fail "$(addresses "$HOST" bkt0)"
	[ "$(addresses "$HOST" bkt1)" = "$before1" ] || fail "$(addresses "$HOST" bkt1)"
	[ "$(attribute "$HOST" bkt0 ifindex)" = "$index" ]
	[ "$(attribute "$HOST" bkt0 master)" = bktbr ]
	[ "$(attribute "$HOST" bkt0 mtu)" = 1300 ]
	is_up "$HOST" bkt0
	[ "$(attribute "$HOST" bkt1 operstate)" = DOWN ]
	no_device "$other" data0
	no_device "$other" data1
}

# ---- which bock-net is executed -----------------------------------------------------------------------

# A bock-runc of a build tree without bock-net.
lonely_runc() {
	[ ! -e /usr/libexec/bock/bock-net ] || skip "bock-net is installed (/usr/libexec/bock/bock-net)"
	mkdir -p "$T/place/bock-runc"
	cp "$BOCK_RUNC" "$T/place/bock-runc/bock-runc"
	BOCK_RUNC=$T/place/bock-runc/bock-runc
}

@test "net: without bock-net it is an error that says where it should be" {
	bundle true
	lonely_runc
	refused '.linux.netDevices = {"bkt0": {}}' "linux.netDevices: the program '/"
	[[ $stderr == *"/bock/bock-net', which does this, is not installed"* ]]
}

@test "net: no other bock-net is executed, by PATH or with another owner" {
	bundle true
	lonely_runc
	mkdir -p "$T/place/bock-net"
	printf '#!/bin/sh\ntouch %s/executed\n' "$T" >"$T/place/bock-net/bock-net"
	chmod 755 "$T/place/bock-net/bock-net"
	chown 65534 "$T/place/bock-net/bock-net"
	PATH=$T/place/bock-net:$PATH refused '.linux.netDevices = {"bkt0": {}}' 'is not installed'
	chown 0 "$T/place/bock-net/bock-net"
	chown 65534 "$T/place/bock-net"
	PATH=$T/place/bock-net:$PATH refused '.linux.netDevices = {"bkt0": {}}' 'is not installed'
	[ ! -e "$T/executed" ]
	# the test can fail: root's own is executed
	chown 0 "$T/place/bock-net"
	edit '.linux.netDevices = {"bkt0": {}}'
	run_it
	[ -e "$T/executed" ]
}

@test "net: a bock-net that fails in its own way is reported" {
	bundle true
	lonely_runc
	mkdir -p "$T/place/bock-net"
	printf '#!/bin/sh\necho oops >&2\nexit 3\n' >"$T/place/bock-net/bock-net"
	chmod 755 "$T/place/bock-net/bock-net"
	refused '.linux.netDevices = {"bkt0": {}}' 'linux.netDevices: bock-net ended with status 3: oops'
	printf '#!/bin/sh\nkill -9 $$\n' >"$T/place/bock-net/bock-net"
	refused '.linux.netDevices = {"bkt0": {}}' 'linux.netDevices: bock-net was killed by signal 9'
}

@test "net: bock-net gains no rights, and gets none of the caller's variables" {
	bundle true
	lonely_runc
	mkdir -p "$T/place/bock-net"
	printf '#!/bin/sh\nset >"%s/set"\ngrep NoNewPrivs /proc/self/status >"%s/seen"\n' "$T" "$T" >"$T/place/bock-net/bock-net"
	chmod 755 "$T/place/bock-net/bock-net"
	edit '.linux.netDevices = {"bkt0": {}}'
	CANARY=sings run_it
	[ "$(cat "$T/seen")" = "NoNewPrivs:	1" ]
	! grep CANARY "$T/set" || fail "it has variables of the caller"
}

@test "net: what can be checked is, before anything is made" {
	bundle true
	lonely_runc
	mkdir -p "$T/place/bock-net"
	# what it was asked, and what there was of the container then
	printf '#!/bin/sh\necho "$@" >>%s/calls\nls %s >>%s/made 2>/dev/null\nexit 1\n' "$T" "$STATE" "$T" \
		>"$T/place/bock-net/bock-net"
	chmod 755 "$T/place/bock-net/bock-net"
	refused '.linux.netDevices = {"bkt0": {"name": "x"}, "bkt1": {}}' linux.netDevices
	[ "$(cat "$T/calls")" = "move --check -- bkt0:x bkt1" ]
	if grep -F "$ID" "$T/made"; then fail "the container was made before the check"; fi
	join "$(hold_netns)"
	refused '.linux.netDevices = {"bkt0": {}}' linux.netDevices
	[[ $(tail -n 1 "$T/calls") == "move --check --netns-fd="*" -- bkt0" ]]
}

@test "net: a move that fails when the container is half made leaves nothing of it" {
	sleeper
	lonely_runc
	mkdir -p "$T/place/bock-net"
	# the check passes, the move doesn't
	printf '#!/bin/sh\n[ "$2" = --check ] && exit 0\necho "bock-net: network device: no luck" >&2\nexit 1\n' \
		>"$T/place/bock-net/bock-net"
	chmod 755 "$T/place/bock-net/bock-net"
	refused '.linux.netDevices = {"bkt0": {}}' 'linux.netDevices: network device: no luck'
	has_device "$HOST" bkt0
}

# ---- bock-net by itself -------------------------------------------------------------------------------

net() { run --separate-stderr bock_net "$@"; }

@test "net: bock-net move there and back" {
	local other
	other=$(hold_netns)
	here ip addr add 10.77.0.1/24 dev bkt0
	net move --netns "/proc/$other/ns/net" bkt0:data%d bkt1
	assert_ok ''
	[ "$(addresses "$other" data0)" = "10.77.0.1/24 - - - DEV" ]
	run --separate-stderr in_netns "$other" "$BOCK_NET" move --netns "/proc/$HOST/ns/net" data0:bkt0
	assert_ok ''
	[ "$(addresses "$HOST" bkt0)" = "10.77.0.1/24 - - - DEV" ]
}

@test "net: bock-net move --check moves nothing" {
	local other
	other=$(hold_netns)
	net move --check bkt0 bkt1
	assert_ok ''
	net move --check --netns "/proc/$other/ns/net" bkt0 bkt1:x
	assert_ok ''
	net move --check --netns "/proc/$other/ns/net" bkt0 bkt1:lo
	assert_error "network device 'bkt1': a device 'lo' is in the network namespace already"
	net move --check bkt0 bkt9
	assert_error "network device 'bkt9': it does not exist"
	has_device "$HOST" bkt0
	has_device "$HOST" bkt1
}

@test "net: bock-net move and its descriptors" {
	local other
	other=$(hold_netns)
	here sh -c "exec '$BOCK_NET' move --netns-fd 7 bkt0 7</proc/$other/ns/net"
	has_device "$other" bkt0
	net move --netns-fd 77 bkt1
	assert_error '--netns-fd: descriptor 77: Bad file descriptor'
	net move --netns-fd 4294967295 bkt1
	assert_error '--netns-fd: descriptor 4294967295'
	net move --netns /dev/null bkt1
	assert_error 'enter the network namespace: Invalid argument'
	net move --netns "$T/none" bkt1
	assert_error "open '$T/none': No such file or directory"
}

@test "net: bock-net and its command line" {
	net move bkt0
	assert_error '--netns or --netns-fd is needed'
	net move --netns /x --netns-fd 5 bkt0
	assert_error 'exclude each other'
	net move --check
	[ "$status" -ne 0 ]
	net move --check bkt0:
	assert_error 'it is empty'
	net move --check :x
	assert_error 'it is empty'
	net move --check bkt0:a:b
	assert_error "'a:b' is not a name of a network device"
	net --version
	assert_ok
	assert_output -e '^bock-net version [0-9.]+$'
	net --help
	assert_ok
	assert_output -p move
}

@test "net: bock-net needs its rights" {
	local other
	other=$(hold_netns)
	run --separate-stderr here setpriv --bounding-set -net_admin,-sys_admin --inh-caps -all \
		"$BOCK_NET" move --netns "/proc/$other/ns/net" bkt0
	assert_error 'Operation not permitted'
	has_device "$HOST" bkt0
}
