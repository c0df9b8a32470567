# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: namespaces, id maps, clocks, devices, names, sysctl, masked and read-only paths, network devices."""
import json
import os
import stat
import subprocess
import time

from suite import (Box, Facts, Skip, base, eq, holds, must, namespaces, needs,
                   need_file, probed, refusal, refused, refused_at_last, same_set, scenario, should)

NAMESPACES = "config-linux.md Namespaces"
TYPE, PATH = "linux.namespaces[].type", "linux.namespaces[].path"
# type: the file in /proc/PID/ns
KINDS = {"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "user": "user", "cgroup": "cgroup", "time": "time"}
MAP = [{"containerID": 0, "hostID": 100000, "size": 65536}]
USERNS = {
    "linux.namespaces": namespaces("pid", "network", "ipc", "uts", "mount", "cgroup", "user"),
    "linux.uidMappings": MAP,
    "linux.gidMappings": MAP,
}


def need_kind(kind):
    def check(_):
        if not os.path.exists(f"/proc/self/ns/{KINDS[kind]}"):
            raise Skip(f"the kernel has no {kind} namespaces (/proc/self/ns/{KINDS[kind]})")
        if kind == "user" and subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode:
            raise Skip("user namespaces are refused (unshare --user true)")

    return check


def ours(kind):
    return os.readlink(f"/proc/self/ns/{KINDS[kind]}")


ALL = ["pid", "network", "ipc", "uts", "mount", "cgroup"]


def with_kind(kind):
    changes = {"linux.namespaces": namespaces(*dict.fromkeys([*ALL, kind]))}
    if kind == "user":
        changes.update(USERNS)
    return changes


for kind, name in KINDS.items():
    scenario(
        "namespaces",
        probed(with_kind(kind)),
        should(f"{kind}-new", NAMESPACES, TYPE, f"{kind} without a path is a new namespace", lambda f, k=kind, n=name: holds(f.r["ns"][n] != ours(k), "it is the runtime's")),
        need=need_kind(kind),
    )
    if kind == "mount":
        continue  # see host_mounts()
    # without a pid namespace, kill of all needs the cgroup: that's kept
    scenario(
        "namespaces",
        probed({"linux.namespaces": namespaces(*[k for k in ALL if k != kind]), **({"mounts": [m for m in base()["mounts"] if m["type"] not in ("sysfs", "mqueue")]} if kind in ("network", "ipc") else {})}),
        must(f"{kind}-inherited", NAMESPACES, TYPE, f"without {kind} the runtime's is inherited", lambda f, k=kind, n=name: eq(f.r["ns"][n], ours(k))),
        need=need_kind(kind),
    )


# in a mount namespace that ends with it, since the container's mounts are made there
HOST_MOUNTS = """
runtime=$1 state=$2 id=$3 dir=$4
"$runtime" --root "$state" create --bundle "$dir" "$id" >"$dir/output" || exit
"$runtime" --root "$state" start "$id" || exit
for i in $(seq 500); do
    [ "$("$runtime" --root "$state" state "$id" | jq -r .status)" != stopped ] || break
    sleep 0.01
done
readlink /proc/self/ns/mnt
awk -v d="$dir/rootfs/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo
echo deleted
"$runtime" --root "$state" delete "$id" || exit
awk -v d="$dir/rootfs/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo
"""


def host_mounts(world):
    with Box(world, {"linux.namespaces": namespaces(*[k for k in ALL if k != "mount"])}) as box:
        box.write()
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", HOST_MOUNTS, "-", world.runtime, world.state, box.id, box.dir],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        needs(Facts(rc=done.returncode, err=done.stderr), "create, start or delete")
        namespace, *mounts = done.stdout.split()
        at = mounts.index("deleted")
        with open(os.path.join(box.dir, "output"), encoding="utf-8") as f:
            return Facts(r=json.load(f), namespace=namespace, before=mounts[:at], after=mounts[at + 1:])


scenario(
    "namespaces",
    host_mounts,
    must("mount-inherited", NAMESPACES, TYPE, "without mount the runtime's is inherited", lambda f: eq(f.r["ns"]["mnt"], f.namespace)),
    must("mount-inherited-root", "config.md Root", "root.path", "and its root is that of the container all the same", lambda f: holds(f.before, "nothing was mounted below it")),
    must("mount-inherited-delete", "runtime.md Delete", "", "and delete unmounts what create has mounted", lambda f: eq(f.after, [])),
)


def joined(kind):
    """A container in the namespace of another one's process."""

    def facts(world):
        with Box(world, with_kind(kind), args=["/probe", "sleep"]) as owner:
            owner.up()
            pid = owner.state()["pid"]
            given = os.readlink(f"/proc/{pid}/ns/{KINDS[kind]}")
            changes = {"linux.namespaces": namespaces(*[k for k in ALL if k != kind], **{kind: f"/proc/{pid}/ns/{KINDS[kind]}"})}
            if kind == "ipc":
                changes["mounts"] = [m for m in base()["mounts"] if m["type"] != "mqueue"]
            f = probed(changes)(world)
            f["given"] = given
            return f

    return facts


for kind, name in KINDS.items():
    if kind == "mount":
        continue  # the container's root would be that of the other
    scenario(
        "namespaces",
        joined(kind),
        must(f"{kind}-path", NAMESPACES, PATH, f"the process is in the {kind} namespace of path", lambda f, n=name: eq(f.r["ns"][n], f.given)),
        need=need_kind(kind),
    )
    wrong = "/proc/self/ns/uts" if kind != "uts" else "/proc/self/ns/ipc"
    scenario("namespaces", refusal({"linux.namespaces": namespaces(*[k for k in ALL if k != kind], **{kind: wrong})}),
             must(f"{kind}-wrong", NAMESPACES, PATH, f"{kind} with the path of another type is an error", refused), need=need_kind(kind))
scenario("namespaces", refusal({"linux.namespaces": namespaces("pid", "mount", network="proc/self/ns/net")}), must("path-relative", NAMESPACES, PATH, "a relative path is an error", refused))
scenario("namespaces", refusal({"linux.namespaces": namespaces("pid", "mount", network="/no/such/namespace")}), must("path-missing", NAMESPACES, PATH, "a path that is not there is an error", refused))
scenario("namespaces", refusal({"linux.namespaces": namespaces("pid", "mount", network="/etc/passwd")}), must("path-file", NAMESPACES, PATH, "a path that is no namespace is an error", refused))
for kind in KINDS:
    if kind != "user":
        scenario("namespaces", refusal({"linux.namespaces": namespaces(*dict.fromkeys([*ALL, kind])) + [{"type": kind}]}),
                 must(f"{kind}-twice", NAMESPACES, TYPE, f"{kind} twice is an error", refused), need=need_kind(kind))
scenario("namespaces", refusal({"linux.namespaces": namespaces("pid", "mount", "bogus")}), must("unknown", "config.md Valid values", TYPE, "an unknown type is an error", refused))
scenario("namespaces", refusal({"linux.namespaces": namespaces("pid", "mount") + [{"path": "/proc/self/ns/net"}]}), must("type-absent", NAMESPACES, TYPE, "an entry without a type is an error", refused))

scenario(
    "namespaces",
    probed({"linux.namespaces": namespaces(*ALL)}, ["sethostname other", "list /proc"]),
    must("pid-alone", NAMESPACES, TYPE, "in a new pid namespace only its own processes are seen", lambda f: eq(f.r["pid"], 1)),
    must("network-alone", NAMESPACES, TYPE, "a new network namespace has none of the host's devices", lambda f: holds({n["name"] for n in f.r["net"]} <= {"lo", "sit0", "tunl0", "ip6tnl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6gre0", "teql0"}, f.r["net"])),
    should("network-loopback", NAMESPACES, TYPE, "and its loopback device is up", lambda f: holds([n for n in f.r["net"] if n["name"] == "lo" and n["up"]], f.r["net"])),
    must("uts-alone", NAMESPACES, TYPE, "a name that the container sets is its own", lambda f: holds(f.tried("sethostname other") == "ok" and os.uname().nodename != "other", f.r["tries"])),
    must("cgroup-alone", NAMESPACES, TYPE, "in a new cgroup namespace its cgroup is the root", lambda f: holds([c for c in f.r["cgroup"].split("\n") if c.endswith(":/")], f.r["cgroup"])),
)

# ---- user namespaces -----------------------------------------------------------------------------

MAPPINGS = "config-linux.md User namespace mappings"
UID = "linux.uidMappings[].containerID linux.uidMappings[].hostID linux.uidMappings[].size"
GID = "linux.gidMappings[].containerID linux.gidMappings[].hostID linux.gidMappings[].size"
TWO = [{"containerID": 0, "hostID": 100000, "size": 1000}, {"containerID": 5000, "hostID": 300000, "size": 10}]


def lines(text):
    return [[int(n) for n in line.split()] for line in text.split("\n")]


def entries(mappings):
    return [[m["containerID"], m["hostID"], m["size"]] for m in mappings]


def given_root(box):
    """Lets root of the container write to its root folder."""
    for path in ("", "conf", "tmp"):
        os.chown(box.path(path), 100000, 100000)


scenario(
    "userns",
    probed({**USERNS, "linux.uidMappings": TWO, "linux.gidMappings": TWO}, ["create /conf/new", "stat /probe"], given_root),
    must("uids", MAPPINGS, UID, "uidMappings are the map of user ids", lambda f: eq(lines(f.r["uid_map"]), entries(TWO))),
    must("gids", MAPPINGS, GID, "gidMappings are the map of group ids", lambda f: eq(lines(f.r["gid_map"]), entries(TWO))),
    must("root", MAPPINGS, UID, "a file of the container's root is the host id's", lambda f: eq((os.stat(f.box.path("conf/new")).st_uid, os.stat(f.box.path("conf/new")).st_gid), (100000, 100000))),
    should("owners", MAPPINGS, "linux.uidMappings", "files are not given to others for the map", lambda f: eq((os.stat(f.box.path("probe")).st_uid, f.data("stat /probe").split()[1]), (0, "65534:65534"))),
    need=need_kind("user"),
)
scenario(
    "userns",
    probed({**USERNS, "process.user": {"uid": 1000, "gid": 1000, "additionalGids": [7]}, "hostname": "mapped", "process.noNewPrivileges": True,
            "process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}], "process.oomScoreAdj": 200}, (), given_root),
    must("user", "config.md POSIX-platform User", "process.user.uid process.user.gid", "uid and gid are those in the container's user namespace", lambda f: eq((f.r["uids"], f.r["gids"]), ([1000] * 3, [1000] * 3))),
    must("groups", "config.md POSIX-platform User", "process.user.additionalGids", "additionalGids are those in the container's user namespace", lambda f: same_set([g for g in f.r["groups"] if g != 1000], [7])),
    must("hostname", "config.md Hostname", "hostname", "the hostname is set", lambda f: eq(f.r["hostname"], "mapped")),
    must("rlimits", "config.md POSIX process", "process.rlimits", "limits are set", lambda f: eq(f.r["rlimits"]["RLIMIT_NOFILE"], {"soft": 100, "hard": 200})),
    must("oom", "config.md Linux Process", "process.oomScoreAdj", "oom_score_adj is set", lambda f: eq(f.r["oom_score_adj"], "200")),
    must("nnp", "config.md Linux Process", "process.noNewPrivileges", "no_new_privs is set", lambda f: eq(f.r["nnp"], 1)),
    need=need_kind("user"),
)
DEVICES_TRIED = [f"open /dev/{n}" for n in ("null", "zero", "full", "random", "urandom")]
scenario(
    "userns",
    probed({**USERNS, "linux.maskedPaths": ["/proc/kcore", "/sys/firmware"], "linux.readonlyPaths": ["/proc/sys"], "root.readonly": True},
           [*DEVICES_TRIED, "read /proc/kcore", "write /proc/sys/kernel/msgmax", "create /conf/new"], given_root),
    must("devices", "config-linux.md Default Devices", "linux.devices", "the default devices can be opened", lambda f: eq([f.tried(t) for t in DEVICES_TRIED], ["ok"] * 5)),
    must("masked", "config-linux.md Masked Paths", "linux.maskedPaths", "masked paths can't be read", lambda f: holds(f.tried("read /proc/kcore") != "ok" or f.data("read /proc/kcore") == "", f.r["tries"])),
    must("readonly-path", "config-linux.md Readonly Paths", "linux.readonlyPaths", "read-only paths can't be written to", lambda f: eq(f.tried("write /proc/sys/kernel/msgmax"), "EROFS")),
    must("readonly-root", "config.md Root", "root.readonly", "a read-only root is read-only", lambda f: eq(f.tried("create /conf/new"), "EROFS")),
    need=need_kind("user"),
)
scenario("userns", refusal({"linux.uidMappings": [{"hostID": 0, "size": 1}], "linux.namespaces": USERNS["linux.namespaces"], "linux.gidMappings": MAP}),
         must("container-id-absent", MAPPINGS, "linux.uidMappings[].containerID", "a mapping without containerID is an error", refused), need=need_kind("user"))

# ---- time ----------------------------------------------------------------------------------------

TIME = "config-linux.md Offset for Time Namespace"
TIMENS = {"ociVersion": "1.1.0", "linux.namespaces": namespaces(*ALL, "time")}


def clock(name, offset_ms):
    which = {"monotonic": time.CLOCK_MONOTONIC, "boottime": time.CLOCK_BOOTTIME}[name]

    def test(f):
        off = f.r["clocks"][name] - time.clock_gettime(which) * 1000 - offset_ms
        return holds(abs(off) < 20000, f"it is {off} ms off")

    return test


scenario(
    "timens",
    probed({**TIMENS, "linux.timeOffsets": {"monotonic": {"secs": 7200, "nanosecs": 500000000}, "boottime": {"secs": 86400}}}),
    must("monotonic", TIME, "linux.timeOffsets linux.timeOffsets.monotonic.secs linux.timeOffsets.monotonic.nanosecs", "monotonic: the clock has the offset", clock("monotonic", 7200500)),
    must("boottime", TIME, "linux.timeOffsets.boottime.secs", "boottime: the clock has the offset", clock("boottime", 86400000)),
    must("offsets", TIME, "linux.timeOffsets.monotonic.secs linux.timeOffsets.monotonic.nanosecs linux.timeOffsets.boottime.secs linux.timeOffsets.boottime.nanosecs", "secs and nanosecs are those of the namespace", lambda f: eq(
        [line.split() for line in f.r["timens_offsets"].split("\n")], [["monotonic", "7200", "500000000"], ["boottime", "86400", "0"]])),
    need=need_kind("time"),
)
scenario(
    "timens",
    probed({**TIMENS, "linux.timeOffsets": {"boottime": {"secs": 1 << 32}}}),
    must("large", TIME, "linux.timeOffsets.boottime.secs", "secs has 64 bits", lambda f: holds(str(1 << 32) in f.r["timens_offsets"], f.r["timens_offsets"])),
    need=need_kind("time"),
)
scenario(
    "timens",
    probed({**TIMENS, "linux.timeOffsets": {"monotonic": {"secs": -1, "nanosecs": 5}}}),
    must("negative", TIME, "linux.timeOffsets.boottime.secs", "secs may be negative", lambda f: holds("-1" in f.r["timens_offsets"], f.r["timens_offsets"])),
    need=need_kind("time"),
)
scenario("timens", refusal({"ociVersion": "1.1.0", "linux.timeOffsets": {"monotonic": {"secs": 1}}}), must("no-namespace", "runtime.md Create", "linux.timeOffsets", "offsets without a time namespace, which can't be set, are an error", refused_at_last), need=need_kind("time"))

# ---- devices -------------------------------------------------------------------------------------

DEVICES = "config-linux.md Devices"
DEFAULTS = "config-linux.md Default Devices"
NODES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}


def device(path, number=(1, 3), kind="c"):
    def test(f):
        node = f.r["files"].get(path)
        holds(node, f"{path} is not there")
        return eq((node["type"], node.get("major"), node.get("minor")), (kind, *number))

    return test


DEFAULT_TRIES = [f"open /dev/{n}" for n in NODES if n != "tty"]
scenario(
    "devices",
    probed({}, [*DEFAULT_TRIES, "open /dev/ptmx", "read /dev/zero", "write /dev/null text", "write /dev/full text"]),
    *[must(f"default-{n}", DEFAULTS, "linux.devices", f"/dev/{n} is supplied", device(f"/dev/{n}", number)) for n, number in NODES.items()],
    *[must(f"default-{n}-open", DEFAULTS, "linux.devices", f"and /dev/{n} can be opened", lambda f, n=n: eq(f.tried(f"open /dev/{n}"), "ok")) for n in NODES if n != "tty"],
    should("default-modes", DEFAULTS, "linux.devices", "the default devices are for everybody", lambda f: eq({f.r["files"][f"/dev/{n}"]["mode"] for n in NODES}, {0o666})),
    must("default-ptmx", DEFAULTS, "linux.devices", "/dev/ptmx is a link to or a bind mount of /dev/pts/ptmx", lambda f: holds(
        f.r["files"]["/dev/ptmx"].get("target") in ("pts/ptmx", "/dev/pts/ptmx") or f.r["files"]["/dev/ptmx"]["ino"] == f.r["files"]["/dev/pts/ptmx"]["ino"], f.r["files"]["/dev/ptmx"])),
    must("default-ptmx-open", DEFAULTS, "linux.devices", "and opens", lambda f: eq(f.tried("open /dev/ptmx"), "ok")),
    must("default-full-write", DEFAULTS, "linux.devices", "/dev/full is full", lambda f: eq(f.tried("write /dev/full text"), "ENOSPC")),
    *[must(f"link-{n}", "runtime-linux.md Dev symbolic links", "", f"/dev/{n} is a link to {to}", lambda f, n=n, to=to: eq(f.r["files"].get(f"/dev/{n}", {}).get("target"), to))
      for n, to in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"))],
)
GIVEN = [
    {"path": "/dev/given", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 3, "gid": 4},
    {"path": "/conf/deep/outside", "type": "c", "major": 1, "minor": 7, "fileMode": 0o666},
    {"path": "/dev/block", "type": "b", "major": 7, "minor": 200, "fileMode": 0o600, "uid": 0, "gid": 0},
    {"path": "/dev/pipe", "type": "p", "fileMode": 0o622},
    {"path": "/dev/unbuffered", "type": "u", "major": 1, "minor": 8},
    {"path": "/dev/folder/node", "type": "c", "major": 1, "minor": 9},
]
for n, entry, checks in (
    ("char", GIVEN[0], [
        must("char", DEVICES, "linux.devices[].type linux.devices[].path linux.devices[].major linux.devices[].minor", "a character device has its numbers", device("/dev/given", (1, 5))),
        must("mode", DEVICES, "linux.devices[].fileMode", "fileMode is its mode", lambda f: eq(f.r["files"]["/dev/given"]["mode"], 0o640)),
        must("uid", DEVICES, "linux.devices[].uid", "uid is its owner", lambda f: eq(f.r["files"]["/dev/given"]["uid"], 3)),
        must("gid", DEVICES, "linux.devices[].gid", "gid is its group", lambda f: eq(f.r["files"]["/dev/given"]["gid"], 4))]),
    ("outside", GIVEN[1], [must("outside", DEVICES, "linux.devices[].path", "a device may be outside of /dev", device("/conf/deep/outside", (1, 7)))]),
    ("block", GIVEN[2], [must("block", DEVICES, "linux.devices[].type", "a block device has its numbers", device("/dev/block", (7, 200), "b"))]),
    ("pipe", GIVEN[3], [must("pipe", DEVICES, "linux.devices[].type", "type p is a FIFO, without numbers", lambda f: eq(f.r["files"]["/dev/pipe"]["type"], "p")),
                        must("pipe-mode", DEVICES, "linux.devices[].fileMode", "with its mode", lambda f: eq(f.r["files"]["/dev/pipe"]["mode"], 0o622))]),
    ("unbuffered", GIVEN[4], [must("unbuffered", DEVICES, "linux.devices[].type", "type u is a character device", device("/dev/unbuffered", (1, 8)))]),
    ("folder", GIVEN[5], [should("folder", DEVICES, "linux.devices[].path", "a folder that lacks is made", device("/dev/folder/node", (1, 9)))]),
):
    scenario("devices", probed({"linux.devices": [entry]}, (), lambda box: box.file("conf/deep/.keep")), *checks)
scenario("devices", probed({"linux.devices": GIVEN[:4]}, ["open /dev/given"], lambda box: box.file("conf/deep/.keep")),
         must("all", DEVICES, "linux.devices", "all devices of the list are there", lambda f: same_set([p for p in ("/dev/given", "/conf/deep/outside", "/dev/block", "/dev/pipe") if p in f.r["files"]], ["/dev/given", "/conf/deep/outside", "/dev/block", "/dev/pipe"])))


def existing(kind):
    def prepare(box):
        os.makedirs(box.path("conf/dev"))
        if kind == "same":
            os.mknod(box.path("conf/dev/x"), stat.S_IFCHR | 0o600, os.makedev(1, 3))
        elif kind == "other":
            os.mknod(box.path("conf/dev/x"), stat.S_IFCHR | 0o600, os.makedev(1, 5))
        else:
            box.file("conf/dev/x", "a file")

    return prepare


AT = [{"path": "/conf/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666, "uid": 0, "gid": 0}]
scenario("devices", probed({"linux.devices": AT}, ["stat /conf/dev/x"], existing("same")), must("exists", DEVICES, "linux.devices[].path", "a file at path that matches the device is taken", lambda f: eq(f.data("stat /conf/dev/x").split()[0], "20000")))
scenario("devices", refusal({"linux.devices": AT}, existing("other")), must("exists-other", DEVICES, "linux.devices[].path", "another device at path is an error", refused_at_last))
scenario("devices", refusal({"linux.devices": AT}, existing("file")), must("exists-file", DEVICES, "linux.devices[].path", "a file at path that is no device is an error", refused_at_last))
scenario("devices", refusal({"linux.devices": [{**AT[0], "type": "x"}]}), must("type-unknown", "config.md Valid values", "linux.devices[].type", "an unknown type is an error", refused))
scenario("devices", refusal({"linux.devices": [{k: v for k, v in AT[0].items() if k != "path"}]}), must("path-absent", DEVICES, "linux.devices[].path", "a device without a path is an error", refused))
scenario("devices", refusal({"linux.devices": [{k: v for k, v in AT[0].items() if k != "type"}]}), must("type-absent", DEVICES, "linux.devices[].type", "a device without a type is an error", refused))

# ---- names ---------------------------------------------------------------------------------------

scenario(
    "hostname",
    probed({"hostname": "slartibartfast"}),
    must("set", "config.md Hostname", "hostname", "hostname is what the container sees", lambda f: eq(f.r["hostname"], "slartibartfast")),
    must("outside", "config.md Hostname", "hostname", "and the host's stays", lambda f: holds(os.uname().nodename != "slartibartfast", "it was changed")),
)
scenario("hostname", probed({"hostname": "h" * 64}), must("long", "config.md Hostname", "hostname", "a name may have 64 characters", lambda f: eq(f.r["hostname"], "h" * 64)))
scenario("hostname", refusal({"hostname": "h" * 65}), must("too-long", "runtime.md Create", "hostname", "a name that can't be set is an error", refused_at_last))
scenario("hostname", probed({"ociVersion": "1.1.0", "domainname": "foobarbaz.test"}), must("domainname", "config.md Domainname", "domainname", "domainname is what the container sees", lambda f: eq(f.r["domainname"], "foobarbaz.test")))
scenario("hostname", probed(), must("unset", "config.md Hostname", "hostname", "without hostname it stays as it is", lambda f: eq(f.r["hostname"], os.uname().nodename)))


def name_in_joined(world):
    with Box(world, {"hostname": "owner"}, args=["/probe", "sleep"]) as owner:
        owner.up()
        pid = owner.state()["pid"]
        return probed({"hostname": "guest", "linux.namespaces": namespaces("pid", "mount", "ipc", "network", uts=f"/proc/{pid}/ns/uts")})(world)


scenario("hostname", name_in_joined, must("joined", "config.md Hostname", "hostname", "it is set in a namespace that is joined, too", lambda f: eq(f.r["hostname"], "guest")))

# ---- sysctl --------------------------------------------------------------------------------------

SYSCTL = "config-linux.md Sysctl"
PARAMETERS = {
    "kernel.shmmax": "12345678", "kernel.msgmax": "4096", "kernel.sem": "100\t200\t50\t60", "kernel.shm_rmid_forced": "1",
    "net.ipv4.ip_forward": "1", "net.core.somaxconn": "256", "net.ipv4.conf.lo.forwarding": "1", "fs.mqueue.msg_max": "20",
}
for key, value in PARAMETERS.items():
    path = "/proc/sys/" + key.replace(".", "/")
    scenario(
        "sysctl",
        probed({"linux.sysctl": {key: value}}, ["read " + path]),
        must(key.replace(".", "-"), SYSCTL, "linux.sysctl", f"{key} is set", lambda f, p=path, v=value: eq(f.data("read " + p), v)),
        need=need_file(path, "the kernel has no such parameter"),
    )


def before_and_after(world):
    path = "/proc/sys/kernel/shmmni"
    with open(path, encoding="ascii") as f:
        before = f.read()
    facts = probed({"linux.sysctl": {"kernel.shmmni": "777"}})(world)
    with open(path, encoding="ascii") as f:
        facts["same"] = f.read() == before
    return facts


scenario("sysctl", before_and_after, must("outside", SYSCTL, "linux.sysctl", "the host's parameters stay", lambda f: holds(f.same, "it was changed")))
scenario("sysctl", probed({"linux.sysctl": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "5000"}, "linux.readonlyPaths": ["/proc/sys"]}, ["read /proc/sys/net/ipv4/ip_forward", "read /proc/sys/kernel/msgmax"]),
         must("several", SYSCTL, "linux.sysctl", "several are all set, also where /proc/sys is read-only", lambda f: eq([f.data("read /proc/sys/net/ipv4/ip_forward"), f.data("read /proc/sys/kernel/msgmax")], ["1", "5000"])))
scenario("sysctl", probed({"linux.sysctl": {"net/ipv4/ip_forward": "1"}}, ["read /proc/sys/net/ipv4/ip_forward"]), should("slashes", SYSCTL, "linux.sysctl", "slashes part the words too, as for sysctl(8)", lambda f: eq(f.data("read /proc/sys/net/ipv4/ip_forward"), "1")))
scenario("sysctl", refusal({"linux.sysctl": {"net.ipv4.no_such_parameter": "1"}}), must("unknown", "runtime.md Create", "linux.sysctl", "a parameter that is not there is an error", refused_at_last))
scenario("sysctl", refusal({"linux.sysctl": {"net.ipv4.ip_forward": "bogus"}}), must("value", "runtime.md Create", "linux.sysctl", "a value that the kernel refuses is an error", refused_at_last))

# ---- masked and read-only paths ------------------------------------------------------------------

MASKED, READONLY = "config-linux.md Masked Paths", "config-linux.md Readonly Paths"


def secrets(box):
    for name in ("conf/file", "conf/folder/inner", "conf/open/inner", "conf/ro/inner", "conf/ro/deep/inner", "conf/rofile"):
        box.file(name, "secret", 0o666)


scenario(
    "paths",
    probed({"linux.maskedPaths": ["/conf/file", "/conf/folder", "/conf/missing", "/proc/kcore"], "linux.readonlyPaths": ["/conf/ro", "/conf/rofile", "/conf/none", "/proc/sys"]},
           ["read /conf/file", "list /conf/folder", "read /conf/folder/inner", "read /proc/kcore", "read /conf/open/inner", "create /conf/folder/new",
            "read /conf/ro/inner", "write /conf/ro/inner", "create /conf/ro/new", "write /conf/ro/deep/inner", "write /conf/rofile", "read /conf/rofile", "write /conf/open/inner",
            "write /proc/sys/kernel/msgmax", "read /proc/sys/kernel/msgmax", "lstat /conf/missing"], secrets),
    must("masked-file", MASKED, "linux.maskedPaths", "a masked file can't be read", lambda f: holds(f.tried("read /conf/file") != "ok" or f.data("read /conf/file") == "", f.r["tries"]["read /conf/file"])),
    must("masked-folder", MASKED, "linux.maskedPaths", "a masked folder shows nothing", lambda f: holds(f.tried("list /conf/folder") != "ok" or f.value("list /conf/folder") == 0, f.r["tries"]["list /conf/folder"])),
    must("masked-inner", MASKED, "linux.maskedPaths", "and what is in it can't be read", lambda f: holds(f.tried("read /conf/folder/inner") != "ok", "it can")),
    must("masked-kcore", MASKED, "linux.maskedPaths", "/proc/kcore can be masked", lambda f: holds(f.tried("read /proc/kcore") != "ok" or f.data("read /proc/kcore") == "", f.r["tries"]["read /proc/kcore"])),
    must("masked-missing", MASKED, "linux.maskedPaths", "what is not there needs no mask, and is not made", lambda f: eq(f.tried("lstat /conf/missing"), "ENOENT")),
    must("masked-others", MASKED, "linux.maskedPaths", "others are left", lambda f: eq(f.data("read /conf/open/inner"), "secret")),
    should("masked-write", MASKED, "linux.maskedPaths", "a masked folder can't be written to", lambda f: holds(f.tried("create /conf/folder/new") != "ok", "it can")),
    must("readonly-write", READONLY, "linux.readonlyPaths", "a read-only folder's files can't be written to", lambda f: eq(f.tried("write /conf/ro/inner"), "EROFS")),
    must("readonly-create", READONLY, "linux.readonlyPaths", "nor can files be made", lambda f: eq(f.tried("create /conf/ro/new"), "EROFS")),
    must("readonly-deep", READONLY, "linux.readonlyPaths", "nor deeper", lambda f: eq(f.tried("write /conf/ro/deep/inner"), "EROFS")),
    must("readonly-read", READONLY, "linux.readonlyPaths", "but they can be read", lambda f: eq(f.data("read /conf/ro/inner"), "secret")),
    must("readonly-file", READONLY, "linux.readonlyPaths", "a read-only file can't be written to", lambda f: eq((f.tried("write /conf/rofile"), f.data("read /conf/rofile")), ("EROFS", "secret"))),
    must("readonly-sys", READONLY, "linux.readonlyPaths", "/proc/sys can be read-only", lambda f: eq((f.tried("write /proc/sys/kernel/msgmax"), f.tried("read /proc/sys/kernel/msgmax")), ("EROFS", "ok"))),
    must("readonly-others", READONLY, "linux.readonlyPaths", "others are left", lambda f: eq(f.tried("write /conf/open/inner"), "ok")),
)
scenario("paths", refusal({"linux.maskedPaths": ["proc/kcore"]}), must("masked-relative", MASKED, "linux.maskedPaths", "a relative masked path is an error", refused))
scenario("paths", refusal({"linux.readonlyPaths": ["proc/sys"]}), must("readonly-relative", READONLY, "linux.readonlyPaths", "a relative read-only path is an error", refused))


def linked(box):
    secrets(box)
    os.symlink("/conf/file", box.path("conf/link"))
    os.symlink("/", box.path("conf/up"))


scenario(
    "paths",
    probed({"linux.maskedPaths": ["/conf/link"]}, ["read /conf/link"], linked),
    must("masked-link", MASKED, "linux.maskedPaths", "through a link, what it leads to in the container is masked", lambda f: holds(f.tried("read /conf/link") != "ok" or f.data("read /conf/link") == "", f.r["tries"])),
)

# ---- network devices -----------------------------------------------------------------------------

NET = "config-linux.md Network Devices"
# sh: a network namespace of the test's own, with a device in it, and then the runtime
DEVICE = '{ ip link add dum0 type dummy || ip link add dum0 type veth peer name dum1; } 2>/dev/null && ip addr add 192.0.2.7/24 dev dum0 && ip addr add 2001:db8::7/64 dev dum0 nodad && ip link set dum0 mtu 1400 && exec "$@"'


def need_dummy(_):
    done = subprocess.run(["unshare", "--net", "sh", "-c", DEVICE, "sh", "true"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"no dummy device can be made: {done.stderr.strip()}")


def moved(devices, **more):
    return probed({"ociVersion": "1.3.0", "linux.netDevices": devices, **more}, ["read /sys/class/net/dum0/mtu"], wrap=["unshare", "--net", "sh", "-c", DEVICE, "sh"])


def addresses(f, name):
    return [n["address"] for n in f.r["net"] if n["name"] == name and n["address"]]


scenario(
    "netdevices", moved({"dum0": {}}),
    must("moved", NET, "linux.netDevices", "the device is in the container", lambda f: holds("dum0" in [n["name"] for n in f.r["net"]], f.r["net"])),
    must("up", NET, "linux.netDevices", "it is up", lambda f: holds([n for n in f.r["net"] if n["name"] == "dum0" and n["up"]], f.r["net"])),
    must("mtu", NET, "linux.netDevices", "it keeps its attributes, as the MTU", lambda f: eq(f.data("read /sys/class/net/dum0/mtu"), "1400")),
    must("address-4", NET, "linux.netDevices", "it keeps its global IPv4 address", lambda f: holds("192.0.2.7" in addresses(f, "dum0"), f.r["net"])),
    must("address-6", NET, "linux.netDevices", "it keeps its global IPv6 address", lambda f: holds("2001:db8::7" in addresses(f, "dum0"), f.r["net"])),
    need=need_dummy,
)
scenario("netdevices", moved({"dum0": {"name": "inner0"}}), must("renamed", NET, "linux.netDevices.*.name", "name is its name in the container", lambda f: holds("inner0" in [n["name"] for n in f.r["net"]] and "192.0.2.7" in [n["address"] for n in f.r["net"]], f.r["net"])), need=need_dummy)
scenario("netdevices", moved({"dum0": {"name": "tpl%d"}}), must("template", NET, "linux.netDevices.*.name", "a name with %d is a template", lambda f: holds([n for n in f.r["net"] if n["name"].startswith("tpl")], f.r["net"])), need=need_dummy)
OWN_NET = ["unshare", "--net", "sh", "-c", DEVICE, "sh"]
scenario("netdevices", refusal({"ociVersion": "1.3.0", "linux.netDevices": {"none0": {}}}, wrap=OWN_NET), must("missing", "runtime.md Create", "linux.netDevices", "a device that is not there is an error", refused_at_last), need=need_dummy)
scenario("netdevices", refusal({"ociVersion": "1.3.0", "linux.netDevices": {"dum0": {"name": "lo"}}}, wrap=OWN_NET), must("taken", NET, "linux.netDevices.*.name", "a name that the container has is an error", refused_at_last), need=need_dummy)
scenario("netdevices", refusal({"ociVersion": "1.3.0", "linux.netDevices": {"dum0": {}}, "linux.namespaces": namespaces("pid", "mount", "uts")}, wrap=OWN_NET),
         should("no-namespace", NET, "linux.netDevices", "without a network namespace of its own, moving is not possible and an error", refused_at_last), need=need_dummy)

# ---- Intel RDT -----------------------------------------------------------------------------------

RDT = "config-linux.md IntelRdt"


def without_resctrl(_):
    if os.path.exists("/sys/fs/resctrl/schemata"):
        raise Skip("resctrl is mounted here: what needs none can't be asked")


def with_resctrl(_):
    if not os.path.exists("/sys/fs/resctrl/schemata"):
        raise Skip("no resctrl is mounted on /sys/fs/resctrl")


def in_resctrl(name):
    """Whether the container's process is in this group."""

    def test(f):
        with open(f"/sys/fs/resctrl/{name}/tasks", encoding="ascii") as t:
            return holds(t.read() != "" or f.r, "no tasks")

    return test


for word, value in (("closid", {"closID": "group"}), ("l3", {"l3CacheSchema": "L3:0=f"}), ("mb", {"memBwSchema": "MB:0=70"}),
                    ("schemata", {"schemata": ["L3:0=f"]}), ("monitoring", {"enableMonitoring": True})):
    key = list(value)[0]
    scenario("rdt", refusal({"ociVersion": "1.3.0", "linux.intelRdt": value}),
             must(f"{word}-none", RDT, f"linux.intelRdt.{key}", f"{key} without a mounted resctrl is an error", refused_at_last), need=without_resctrl)
scenario("rdt", probed({"ociVersion": "1.3.0", "linux.intelRdt": {"closID": "/"}}), must("root", RDT, "linux.intelRdt.closID", "/ is the root of resctrl", in_resctrl(".")), need=with_resctrl)
