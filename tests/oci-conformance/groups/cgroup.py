# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: control groups, their path, their file system, the allowed devices and the limits of cgroup v2."""
import os

from suite import (Box, Facts, Skip, cgroup2, eq, holds, must, namespaces, need_cgroup2, need_controller, needs,
                   probed, refusal, refused_at_last, scenario, should)

PATH = "config-linux.md Cgroups Path"
OWNER = "config-linux.md Cgroup ownership"
ALLOWED = "config-linux.md Allowed Device list"
CGROUP = {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}


def paths_of(pid):
    """The cgroups of a process: what follows the last colon, the root left out."""
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
        return {line.rstrip("\n").split(":", 2)[2] for line in f} - {"/"}


def folders(path):
    """Where a cgroup of this path is, in whatever hierarchy."""
    top = "/sys/fs/cgroup"
    return [p for p in (os.path.join(top, n, path.lstrip("/")) for n in ["", *os.listdir(top)]) if os.path.isdir(p)]


def placed(path, changes=None):
    """Two containers of the same cgroupsPath, one after the other."""

    def facts(world):
        seen = []
        for _ in range(2):
            with Box(world, {"linux.cgroupsPath": path, **(changes or {})}, args=["/probe", "sleep"]) as box:
                box.up()
                mine = paths_of(box.state()["pid"])
                there = [p for m in mine for p in folders(m)]
                needs(box.kill("KILL"), "kill")
                box.await_status("stopped")
                needs(box.delete(), "delete")
                seen.append((mine, there, [p for p in there if os.path.isdir(p) and path.strip("/") in p]))
        return Facts(first=seen[0], second=seen[1])

    return facts


NAME = f"conf-{os.getpid()}-path"
scenario(
    "cgroup",
    placed(f"/{NAME}/deep"),
    must("absolute", PATH, "linux.cgroupsPath", "an absolute path is relative to the cgroups mount point", lambda f: holds([p for p in f.first[0] if p == f"/{NAME}/deep"], f.first[0])),
    must("made", PATH, "linux.cgroupsPath", "the cgroup is made when it doesn't exist", lambda f: holds(f.first[1], f.first)),
    must("consistent", PATH, "linux.cgroupsPath", "the same path leads to the same place", lambda f: eq(f.second[0], f.first[0])),
    must("removed", "runtime.md Delete", "linux.cgroupsPath", "delete removes the cgroup that was made", lambda f: eq([p for p in f.first[2] if p.endswith("deep")], [])),
)
scenario(
    "cgroup",
    placed(f"{NAME}-relative"),
    must("relative", PATH, "linux.cgroupsPath", "a relative path is taken", lambda f: holds([p for p in f.first[0] if f"{NAME}-relative" in p], f.first[0])),
    must("relative-consistent", PATH, "linux.cgroupsPath", "and leads to the same place each time", lambda f: eq(f.second[0], f.first[0])),
)


def given_cgroup(world):
    """A parent that existed before stays."""
    top = cgroup2()
    parent = os.path.join(top, f"{NAME}-given")
    os.mkdir(parent)
    try:
        f = placed(f"/{NAME}-given/inner")(world)
        f["parent"] = os.path.isdir(parent)
        return f
    finally:
        os.rmdir(parent)


scenario("cgroup", given_cgroup, must("given", "runtime.md Delete", "linux.cgroupsPath", "delete leaves a cgroup that it did not make", lambda f: f.parent), need=need_cgroup2)


def unset(world):
    with Box(world, args=["/probe", "sleep"]) as box:
        box.up()
        return Facts(paths=paths_of(box.state()["pid"]), own=paths_of("self"))


scenario("cgroup", unset, should("unset", PATH, "linux.cgroupsPath", "without a path the container has a cgroup of its own, too", lambda f: holds(f.paths - f.own, f.paths)))

scenario(
    "cgroup",
    probed({"mounts+": [CGROUP]}, ["list /sys/fs/cgroup", "mkdir /sys/fs/cgroup/new", "read /sys/fs/cgroup/cgroup.procs"]),
    must("mount", "config.md Mounts", "mounts[].type", "type cgroup mounts the cgroup file system", lambda f: holds(f.mount("/sys/fs/cgroup")["type"] in ("cgroup2", "tmpfs", "cgroup"), f.mount("/sys/fs/cgroup"))),
    must("mount-readonly", "config.md Mounts", "mounts[].options", "ro: it can't be changed", lambda f: eq(f.tried("mkdir /sys/fs/cgroup/new"), "EROFS")),
)
scenario(
    "cgroup",
    probed({"mounts+": [CGROUP], "linux.namespaces": namespaces("pid", "mount", "uts", "ipc")}, ["mkdir /sys/fs/cgroup/new"]),
    must("mount-no-namespace", "config.md Mounts", "mounts[].type", "type cgroup is mounted without a cgroup namespace, too", lambda f: eq(f.tried("mkdir /sys/fs/cgroup/new"), "EROFS")),
)

# ---- ownership -----------------------------------------------------------------------------------

MAP = [{"containerID": 0, "hostID": 100000, "size": 65536}]


def owners(options, kinds=("pid", "network", "ipc", "uts", "mount", "cgroup", "user")):
    def facts(world):
        changes = {
            "linux.namespaces": namespaces(*kinds), "linux.uidMappings": MAP, "linux.gidMappings": MAP,
            "mounts+": [{**CGROUP, "options": options}],
        }
        with Box(world, changes, args=["/probe", "sleep"]) as box:
            for path in ("", "conf"):
                os.chown(box.path(path), 100000, 100000)
            box.up()
            # the folder of the container: where the first cgroup below the root is
            with open(f"/proc/{box.state()['pid']}/cgroup", encoding="ascii") as f:
                path = [line.rstrip("\n")[3:] for line in f if line.startswith("0::")][0]
            folder = os.path.join(cgroup2(), path.lstrip("/"))
            uids = {name: os.stat(os.path.join(folder, name)).st_uid for name in os.listdir(folder)}
            return Facts(folder=os.stat(folder).st_uid, files=uids, path=path)

    return facts


def delegated():
    try:
        with open("/sys/kernel/cgroup/delegate", encoding="ascii") as f:
            return f.read().split()
    except OSError:
        return ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]


def need_userns(world):
    need_cgroup2(world)
    if not os.path.exists("/proc/self/ns/user"):
        raise Skip("the kernel has no user namespaces")


RW = ["nosuid", "noexec", "nodev", "relatime"]
scenario(
    "cgroup", owners(RW),
    should("owner", OWNER, "mounts[].options", "with a cgroup namespace and a cgroup mount that is writable, the cgroup belongs to the container's user", lambda f: eq(f.folder, 100000)),
    should("owner-files", OWNER, "", "and so do the files that may be delegated", lambda f: eq({n for n in delegated() if n in f.files and f.files[n] != 100000}, set())),
    should("owner-others", OWNER, "", "and no other files", lambda f: eq({n for n in f.files if f.files[n] == 100000} - set(delegated()), set())),
    need=need_userns,
)
scenario("cgroup", owners(RW + ["ro"]), should("owner-readonly", OWNER, "mounts[].options", "with a read-only cgroup mount its owner stays", lambda f: eq(f.folder, 0)), need=need_userns)

# ---- allowed devices -----------------------------------------------------------------------------

RULES = "linux.resources.devices[].allow linux.resources.devices[].access"
DENY = {"allow": False, "access": "rwm"}


def nodes(box):
    for name, minor in (("null", 3), ("zero", 5), ("full", 7)):
        os.makedirs(box.path("conf/n"), exist_ok=True)
        os.mknod(box.path(f"conf/n/{name}"), 0o020666, os.makedev(1, minor))
    os.mknod(box.path("conf/n/mem"), 0o020666, os.makedev(1, 1))
    os.mknod(box.path("conf/n/kmsg"), 0o020666, os.makedev(1, 11))
    os.mknod(box.path("conf/n/tty7"), 0o020666, os.makedev(4, 7))
    os.mknod(box.path("conf/n/loop"), 0o060666, os.makedev(7, 250))


def allowed(name, rules, text, tries, props=RULES):
    scenario(
        "devicelist",
        probed({"linux.resources": {"devices": rules}}, list(tries), nodes),
        must(name, ALLOWED, props, text, lambda f: eq({t: f.tried(t) for t in tries}, tries)),
    )


allowed("deny", [DENY], "a device that is denied can't be opened", {"read /conf/n/kmsg": "EPERM", "open /conf/n/tty7": "EPERM"})
allowed("allow", [DENY, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"}], "one that is allowed can", {"read /conf/n/kmsg": "ok", "open /conf/n/tty7": "EPERM"},
        f"{RULES} linux.resources.devices[].type linux.resources.devices[].major linux.resources.devices[].minor")
allowed("read", [DENY, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"}], "access r is for reading only", {"read /conf/n/kmsg": "ok", "write /conf/n/kmsg": "EPERM"})
allowed("write", [DENY, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "w"}], "access w is for writing only", {"read /conf/n/kmsg": "EPERM", "write /conf/n/kmsg": "ok"})
allowed("major", [DENY, {"allow": True, "type": "c", "major": 1, "access": "rwm"}], "without minor all of a major are meant", {"read /conf/n/kmsg": "ok", "open /conf/n/tty7": "EPERM"},
        "linux.resources.devices[].minor")
allowed("order", [{"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"}, DENY], "the rules hold in their order: all is denied at last", {"read /conf/n/kmsg": "EPERM"}, "linux.resources.devices")
allowed("order-again", [DENY, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rw"}, {"allow": False, "type": "c", "major": 1, "minor": 11, "access": "w"}],
        "a later rule takes back a part of an earlier one", {"read /conf/n/kmsg": "ok", "write /conf/n/kmsg": "EPERM"}, "linux.resources.devices")
allowed("defaults", [DENY], "the default devices stay usable", {"open /dev/null": "ok", "read /dev/zero": "ok", "open /dev/full": "ok", "read /dev/urandom": "ok", "open /dev/ptmx": "ok"}, "linux.resources.devices")
scenario("devicelist", refusal({"linux.resources": {"devices": [{"allow": True, "type": "x", "access": "rwm"}]}}), must("type-unknown", "config.md Valid values", "linux.resources.devices[].type", "an unknown type is an error", refused_at_last))
scenario("devicelist", refusal({"linux.resources": {"devices": [{"allow": True, "access": "q"}]}}), must("access-unknown", "config.md Valid values", "linux.resources.devices[].access", "an unknown access is an error", refused_at_last))

# ---- limits of cgroup v2 -------------------------------------------------------------------------

R = "linux.resources."
GIB = 1 << 30
# test, controller, resources, file, value, properties
LIMITS = [
    ("memory-limit", "memory", {"memory": {"limit": GIB}}, "memory.max", str(GIB), "memory.limit"),
    ("memory-reservation", "memory", {"memory": {"reservation": GIB}}, "memory.low", str(GIB), "memory.reservation"),
    ("memory-swap", "memory", {"memory": {"limit": GIB, "swap": 2 * GIB}}, "memory.swap.max", str(GIB), "memory.swap"),
    ("memory-unlimited", "memory", {"memory": {"limit": -1}}, "memory.max", "max", "memory.limit"),
    ("cpu-shares", "cpu", {"cpu": {"shares": 1024}}, "cpu.weight", ("100", "39"), "cpu.shares"),
    ("cpu-quota", "cpu", {"cpu": {"quota": 50000, "period": 100000}}, "cpu.max", "50000 100000", "cpu.quota cpu.period"),
    ("cpu-burst", "cpu", {"cpu": {"quota": 50000, "period": 100000, "burst": 20000}}, "cpu.max.burst", "20000", "cpu.burst"),
    ("cpu-idle", "cpu", {"cpu": {"idle": 1}}, "cpu.idle", "1", "cpu.idle"),
    ("cpu-cpus", "cpuset", {"cpu": {"cpus": "0"}}, "cpuset.cpus", "0", "cpu.cpus"),
    ("cpu-mems", "cpuset", {"cpu": {"mems": "0"}}, "cpuset.mems", "0", "cpu.mems"),
    ("pids-limit", "pids", {"pids": {"limit": 100}}, "pids.max", "100", "pids.limit"),
    ("pids-unlimited", "pids", {"pids": {"limit": -1}}, "pids.max", "max", "pids.limit"),
    ("io-weight", "io", {"blockIO": {"weight": 100}}, ("io.weight", "io.bfq.weight"), ("default 100", "default 910"), "blockIO.weight"),
    ("hugetlb", "hugetlb", {"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}, "hugetlb.2MB.max", "4194304", "hugepageLimits[].pageSize hugepageLimits[].limit"),
    ("rdma", "rdma", {"rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}}}, "rdma.max", "mlx5_1 hca_handle=3 hca_object=10000", "rdma.*.hcaHandles rdma.*.hcaObjects"),
    ("unified", "hugetlb", {"unified": {"hugetlb.2MB.max": "2097152"}}, "hugetlb.2MB.max", "2097152", "unified"),
]


def block_device():
    """A device that I/O limits can be set for."""
    for name in sorted(os.listdir("/sys/block")) if os.path.isdir("/sys/block") else ():
        with open(f"/sys/block/{name}/dev", encoding="ascii") as f:
            major, minor = f.read().strip().split(":")
        return {"major": int(major), "minor": int(minor)}
    return {"major": 7, "minor": 0}


DISK = block_device()
NUMBERS = f"{DISK['major']}:{DISK['minor']}"
for key, word in (("throttleReadBpsDevice", "rbps"), ("throttleWriteBpsDevice", "wbps"), ("throttleReadIOPSDevice", "riops"), ("throttleWriteIOPSDevice", "wiops")):
    line = " ".join(f"{w}={'1000000' if w == word else 'max'}" for w in ("rbps", "wbps", "riops", "wiops"))
    LIMITS.append((f"io-{word}", "io", {"blockIO": {key: [{**DISK, "rate": 1000000}]}}, "io.max", f"{NUMBERS} {line}",
                   " ".join(f"blockIO.{key}[].{m}" for m in ("major", "minor", "rate"))))
LIMITS.append(("io-weight-device", "io", {"blockIO": {"weightDevice": [{**DISK, "weight": 100}]}}, ("io.bfq.weight", "io.weight"),
               (f"default 100\n{NUMBERS} 100", f"default 100\n{NUMBERS} 910"), " ".join(f"blockIO.weightDevice[].{m}" for m in ("major", "minor", "weight"))))


def limited(resources, files):
    def facts(world):
        with Box(world, {"linux.resources": resources}, args=["/probe", "sleep"]) as box:
            box.up()
            with open(f"/proc/{box.state()['pid']}/cgroup", encoding="ascii") as f:
                path = [line.rstrip("\n")[3:] for line in f if line.startswith("0::")][0]
            folder = os.path.join(cgroup2(), path.lstrip("/"))
            for name in files:
                if os.path.exists(os.path.join(folder, name)):
                    with open(os.path.join(folder, name), encoding="ascii") as f:
                        return Facts(content=f.read().strip())
            return Facts(content=None)

    return facts


for name, controller, resources, file, value, props in LIMITS:
    files, values = (v if isinstance(v, tuple) else (v,) for v in (file, value))
    scenario(
        "resources",
        limited(resources, files),
        must(name, "config-linux.md Control groups", " ".join(R + p for p in props.split()), f"it is written to {' or '.join(files)}", lambda f, v=values: holds(f.content in v, f"it is {f.content!r}, expected {' or '.join(v)}")),
        need=need_controller(controller),
    )
scenario("resources", refusal({"linux.resources": {"unified": {"no.such.file": "1"}}}), must("unified-missing", "config-linux.md Unified", R + "unified", "a file that the cgroup doesn't have is an error", refused_at_last))
scenario("resources", refusal({"linux.resources": {"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}}), must("hugetlb-missing", "runtime.md Create", R + "hugepageLimits[].pageSize", "a page size that the kernel doesn't have is an error", refused_at_last))
