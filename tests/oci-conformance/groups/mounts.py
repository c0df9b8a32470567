# SPDX-License-Identifier: Apache-2.0
"""config.md, root and mounts: each option, order, sources and destinations, propagation, id maps."""
import json
import os

from suite import (DELETE, PROC, Facts, Skip, Box, eq, holds, may, mount, must, needs, probed, refusal, refused,
                   refused_at_last, scenario, should)

ROOT = "config.md Root"
MOUNTS = "config.md Mounts"
OPTIONS = "config.md Linux mount options"
POSIX = "config.md POSIX-platform Mounts"
PROPAGATION = "config-linux.md Rootfs Mount Propagation"
OPT = "mounts[].options"
M = "/conf/m"  # where most of these mounts go

# ---- root ----------------------------------------------------------------------------------------

TRIES = ["create /new", "mkdir /etc/dir", "create /tmpfs/new", "create /conf/new"]
TMPFS = {"destination": "/tmpfs", "type": "tmpfs", "source": "tmpfs"}
scenario(
    "root",
    probed({"root.readonly": True, "mounts+": [TMPFS]}, TRIES, lambda box: os.mkdir(box.path("tmpfs"))),
    must("readonly", ROOT, "root.readonly", "readonly true: the root is read-only", lambda f: eq(f.tried("create /new"), "EROFS")),
    must("readonly-below", ROOT, "root.readonly", "and so are its folders", lambda f: eq(f.tried("mkdir /etc/dir"), "EROFS")),
    must("readonly-flag", ROOT, "root.readonly", "and its mount says so", lambda f: holds("ro" in f.options("/"), f.mount("/"))),
    must("readonly-mounts", ROOT, "root.readonly", "mounts below it aren't, unless they say so", lambda f: eq(f.tried("create /tmpfs/new"), "ok")),
)
scenario(
    "root",
    probed({"root.readonly": False}, TRIES),
    must("writable", ROOT, "root.readonly", "readonly false: the root can be written to", lambda f: eq(f.tried("create /new"), "ok")),
    must("path", ROOT, "root.path", "path is the container's root", lambda f: eq(f.r["root"]["ino"], os.stat(f.box.rootfs).st_ino)),
    must("only", ROOT, "root.path", "and nothing of the host's file system is mounted above it", lambda f: eq([m["target"] for m in f.r["mounts"] if m["target"] == "/"], ["/"])),
)
scenario("root", probed({}, TRIES), must("writable-default", ROOT, "root.readonly", "readonly is false by default", lambda f: eq(f.tried("create /new"), "ok")))


def absolute_root(world):
    with Box(world) as box:
        box.config["root"]["path"] = box.rootfs
        needs(box.run(), "run")
        return Facts()


def other_root(world):
    """A root with another name, which is relative to the bundle."""
    with Box(world) as box:
        os.makedirs(os.path.join(box.dir, "some"))
        os.rename(box.rootfs, os.path.join(box.dir, "some/where"))
        box.config["root"]["path"] = "some/where"
        needs(box.run(cwd="/"), "run")
        return Facts()


scenario("root", absolute_root, must("absolute", ROOT, "root.path", "path may be absolute"))
scenario("root", other_root, must("relative", ROOT, "root.path", "a relative path is relative to the bundle"))
scenario("root", refusal({"root": DELETE}), must("absent", ROOT, "root", "an absent root is an error", refused))
scenario("root", refusal({"root.path": DELETE}), must("path-absent", ROOT, "root.path", "an absent path is an error", refused))
scenario("root", refusal({"root.path": "config.json"}), must("path-file", ROOT, "root.path", "a path that is no folder is an error", refused))

# ---- the options ---------------------------------------------------------------------------------


def tree(box):
    """A source with a mount below it, and one of everything that a flag may forbid."""
    source = os.path.join(box.dir, "source")
    os.mkdir(source)
    mount("-t", "tmpfs", "-o", "mode=0777", "source", source)
    sub = os.path.join(source, "sub")
    os.mkdir(sub)
    mount("-t", "tmpfs", "-o", "mode=0777", "sub", sub)
    for folder in (source, sub):
        for name in ("prog", "set"):
            with open(os.path.join(folder, name), "wb") as f, open(box.path("probe"), "rb") as p:
                f.write(p.read())
            os.chmod(os.path.join(folder, name), 0o755)
        os.chown(os.path.join(folder, "set"), 77, 77)
        os.chmod(os.path.join(folder, "set"), 0o4755)
        os.mknod(os.path.join(folder, "null"), 0o020666, os.makedev(1, 3))
        os.symlink("prog", os.path.join(folder, "link"))
    os.makedirs(box.path(M))


def tree_shared(box):
    tree(box)
    mount("--make-rshared", os.path.join(box.dir, "source"))


def bind(*options):
    return {"destination": M, "type": "bind", "source": "source", "options": list(options)}


def tmpfs(*options):
    return {"destination": M, "type": "tmpfs", "source": "tmpfs", "options": list(options)}


def option(level, name, entry, text, test, tries=(), prepare=tree, props=OPT, before=()):
    scenario(
        "mounts",
        probed({"mounts+": [*before, entry]}, tries, prepare),
        level("opt-" + name, OPTIONS, props, f"{name}: {text}", test),
    )


def has(*words, at=M):
    return lambda f: holds(set(words) <= set(f.options(at)), f.mount(at))


def hasnt(*words, at=M):
    return lambda f: holds(not set(words) & set(f.options(at)), f.mount(at))


def super_has(word):
    return lambda f: holds(word in f.mount(M)["super"].split(","), f.mount(M))


def super_hasnt(word):
    return lambda f: holds(word not in f.mount(M)["super"].split(","), f.mount(M))


def both(*tests):
    return lambda f: all(t(f) for t in tests)


def mounted(f):
    return eq(f.mount(M)["type"], "tmpfs")


SUB = M + "/sub"
option(must, "async", tmpfs("sync", "async"), "undoes sync", super_hasnt("sync"))
option(must, "atime", bind("bind", "noatime", "atime"), "undoes noatime", hasnt("noatime"))
option(must, "bind", bind("bind"), "a bind mount of the source", lambda f: eq(f.tried(f"exec {M}/prog"), "ok"), [f"exec {M}/prog"])
option(must, "defaults", tmpfs("defaults"), "rw, suid, dev, exec, async", both(mounted, hasnt("ro", "nosuid", "nodev", "noexec"), super_hasnt("sync")))
option(must, "dev", bind("bind", "nodev", "dev"), "undoes nodev", hasnt("nodev"))
option(must, "diratime", bind("bind", "nodiratime", "diratime"), "undoes nodiratime", hasnt("nodiratime"))
option(must, "dirsync", tmpfs("dirsync"), "folders are written at once", super_has("dirsync"))
option(must, "exec", bind("bind", "noexec", "exec"), "undoes noexec", lambda f: eq(f.tried(f"exec {M}/prog"), "ok"), [f"exec {M}/prog"])
option(must, "iversion", tmpfs("iversion"), "is accepted", mounted)
option(must, "lazytime", tmpfs("lazytime"), "times are written late", super_has("lazytime"))
option(must, "loud", tmpfs("silent", "loud"), "undoes silent", mounted)
option(may, "mand", tmpfs("mand"), "is accepted", mounted)
option(must, "noatime", bind("bind", "noatime"), "no access times", has("noatime"))
option(must, "nodev", bind("bind", "nodev"), "devices can't be opened", both(has("nodev"), lambda f: eq(f.tried(f"open {M}/null"), "EACCES")), [f"open {M}/null"])
option(must, "nodiratime", bind("bind", "nodiratime"), "no access times of folders", has("nodiratime"))
option(must, "noexec", bind("bind", "noexec"), "nothing can be executed", both(has("noexec"), lambda f: eq(f.tried(f"exec {M}/prog"), "EACCES")), [f"exec {M}/prog"])
option(must, "noiversion", tmpfs("iversion", "noiversion"), "undoes iversion", mounted)
option(must, "nolazytime", tmpfs("lazytime", "nolazytime"), "undoes lazytime", super_hasnt("lazytime"))
option(may, "nomand", tmpfs("mand", "nomand"), "undoes mand", mounted)
option(must, "norelatime", tmpfs("norelatime"), "is accepted", both(mounted, hasnt("noatime")))
option(must, "nostrictatime", tmpfs("strictatime", "nostrictatime"), "undoes strictatime", has("relatime"))
option(must, "nosuid", bind("bind", "nosuid"), "set-user-id has no effect", both(has("nosuid"), lambda f: eq(f.value(f"exec {M}/set"), 0)), [f"exec {M}/set"])
option(should, "nosymfollow", bind("bind", "nosymfollow"), "links aren't followed", lambda f: eq(f.tried(f"read {M}/link"), "ELOOP"), [f"read {M}/link"])
option(must, "rbind", bind("rbind"), "a bind mount of the source and what is mounted below", lambda f: eq(f.mount(SUB)["type"], "tmpfs"))
option(must, "relatime", bind("bind", "relatime"), "relative access times", has("relatime"))
option(must, "remount", tmpfs("remount", "ro"), "changes the options of a mount", lambda f: eq(f.tried(f"create {M}/new"), "EROFS"), [f"create {M}/new"], before=[tmpfs("rw")])
option(must, "ro", bind("bind", "ro"), "read-only", both(has("ro"), lambda f: eq(f.tried(f"create {M}/new"), "EROFS")), [f"create {M}/new"])
option(must, "ro-tmpfs", tmpfs("ro"), "read-only, of a new file system", lambda f: eq(f.tried(f"create {M}/new"), "EROFS"), [f"create {M}/new"])
option(must, "rw", bind("bind", "ro", "rw"), "undoes ro", lambda f: eq(f.tried(f"create {M}/new"), "ok"), [f"create {M}/new"])
option(must, "silent", tmpfs("silent"), "is accepted", mounted)
option(must, "strictatime", bind("bind", "strictatime"), "access times, always", hasnt("relatime", "noatime"))
option(must, "suid", bind("bind", "nosuid", "suid"), "undoes nosuid", lambda f: eq(f.value(f"exec {M}/set"), 77), [f"exec {M}/set"])
option(should, "symfollow", bind("bind", "nosymfollow", "symfollow"), "undoes nosymfollow", lambda f: eq(f.tried(f"read {M}/link"), "ok"), [f"read {M}/link"])
option(must, "sync", tmpfs("sync"), "writes at once", super_has("sync"))

# recursive ones: on the mount and on what is mounted below it
for name, flag in (("rro", "ro"), ("rnosuid", "nosuid"), ("rnodev", "nodev"), ("rnoexec", "noexec"), ("rnoatime", "noatime"),
                   ("rnodiratime", "nodiratime"), ("rrelatime", "relatime")):
    option(should, name, bind("rbind", name), f"{flag} on all mounts of the tree", both(has(flag), has(flag, at=SUB)))
option(should, "rrw", bind("rbind", "rro", "rrw"), "undoes rro on all", both(hasnt("ro"), hasnt("ro", at=SUB)))
option(should, "rsuid", bind("rbind", "rnosuid", "rsuid"), "undoes rnosuid on all", both(hasnt("nosuid"), hasnt("nosuid", at=SUB)))
option(should, "rdev", bind("rbind", "rnodev", "rdev"), "undoes rnodev on all", both(hasnt("nodev"), hasnt("nodev", at=SUB)))
option(should, "rexec", bind("rbind", "rnoexec", "rexec"), "undoes rnoexec on all", both(hasnt("noexec"), hasnt("noexec", at=SUB)))
option(should, "ratime", bind("rbind", "rnoatime", "ratime"), "undoes rnoatime on all", both(hasnt("noatime"), hasnt("noatime", at=SUB)))
option(should, "rdiratime", bind("rbind", "rnodiratime", "rdiratime"), "undoes rnodiratime on all", both(hasnt("nodiratime"), hasnt("nodiratime", at=SUB)))
option(should, "rstrictatime", bind("rbind", "rstrictatime"), "access times on all", both(hasnt("relatime", "noatime"), hasnt("relatime", "noatime", at=SUB)))
option(should, "rnostrictatime", bind("rbind", "rnostrictatime"), "is accepted", both(hasnt("noatime"), hasnt("noatime", at=SUB)))
option(should, "rnorelatime", bind("rbind", "rnorelatime"), "is accepted", lambda f: eq(f.mount(SUB)["type"], "tmpfs"))
LINKS = [f"read {M}/link", f"read {SUB}/link"]
option(should, "rnosymfollow", bind("rbind", "rnosymfollow"), "no links are followed in the whole tree", lambda f: eq([f.tried(t) for t in LINKS], ["ELOOP"] * 2), LINKS)
option(should, "rsymfollow", bind("rbind", "rnosymfollow", "rsymfollow"), "undoes rnosymfollow on all", lambda f: eq([f.tried(t) for t in LINKS], ["ok"] * 2), LINKS)
option(must, "ro-rbind", bind("rbind", "ro"), "ro with rbind is of the mount itself, not of those below", both(has("ro"), hasnt("ro", at=SUB)))
option(must, "bind-sub", bind("bind"), "what is mounted below the source is not taken along", lambda f: holds(SUB not in [m["target"] for m in f.r["mounts"]], "it is"))

# propagation
MARKS = {"shared": "shared:", "slave": "master:", "private": "", "unbindable": "unbindable"}


def marked(word, at=M):
    def test(f):
        marks = f.mount(at)["propagation"]
        if not MARKS[word]:
            return eq(marks, [])
        return holds(any(m.startswith(MARKS[word]) for m in marks), f"{at}: {marks}")

    return test


for word in MARKS:
    option(must, word, bind("bind", word), f"the mount is {word}", marked(word), prepare=tree_shared)
    option(must, "r" + word, bind("rbind", "r" + word), f"the mount and those below are {word}", both(marked(word), marked(word, SUB)), prepare=tree_shared)

# the rest goes to the file system
option(should, "data", tmpfs("size=1m", "uid=7", "gid=8"), "unknown options go to the file system: size, uid, gid", both(
    lambda f: eq(f.value(f"size {M}"), 1 << 20), lambda f: eq(f.data(f"stat {M}").split()[1], "7:8")), [f"size {M}", f"stat {M}"])
option(should, "data-mode", tmpfs("mode=1750"), "unknown options go to the file system: mode", lambda f: eq(f.value(f"stat {M}"), 0o1750), [f"stat {M}"])
scenario("mounts", refusal({"mounts+": [tmpfs("no-such-option")]}, prepare=tree), must("opt-unknown", "config.md Valid values", OPT, "an option that neither the runtime nor the file system knows is an error", refused))


def below(box):
    tree(box)
    os.mkdir(box.path(M + "/dir"))
    box.file(M + "/dir/file", "text", 0o640)
    os.chown(box.path(M + "/dir/file"), 5, 6)


option(may, "tmpcopyup", tmpfs("tmpcopyup"), "the tmpfs has what was below it", lambda f: eq((f.data(f"read {M}/dir/file"), f.value(f"stat {M}/dir/file")), ("text", 0o640)),
       [f"read {M}/dir/file", f"stat {M}/dir/file"], prepare=below)

# ---- id maps -------------------------------------------------------------------------------------

MAP = [{"containerID": 0, "hostID": 1000, "size": 1000}]
IDMAP = {"ociVersion": "1.2.1"}
UID = "mounts[].uidMappings[].containerID mounts[].uidMappings[].hostID mounts[].uidMappings[].size"
GID = "mounts[].gidMappings[].containerID mounts[].gidMappings[].hostID mounts[].gidMappings[].size"


def owned(box):
    tree(box)
    source = os.path.join(box.dir, "source")
    for entry in box.config["mounts"]:
        if entry["source"] == "source":
            entry["source"] = source
    for folder in (source, source + "/sub"):
        with open(folder + "/mine", "w", encoding="ascii"):
            pass
        os.chown(folder + "/mine", 5, 6)


def need_idmap(world):
    """Whether the kernel and the file system have it: mount(8) of util-linux 2.39 could say, but isn't everywhere."""
    if tuple(int(n) for n in os.uname().release.split(".")[:2]) < (6, 3):
        raise Skip("tmpfs takes id maps since Linux 6.3")
    _ = world


def mapped(entry):
    return probed({**IDMAP, "mounts+": [entry]}, [f"stat {M}/mine", f"stat {SUB}/mine"], owned)


def owner(f, path):
    return f.data(f"stat {path}").split()[1]


both_maps = {"uidMappings": MAP, "gidMappings": MAP}
scenario(
    "mounts",
    mapped({**bind("bind", "idmap"), **both_maps}),
    should("idmap-uid", OPTIONS, f"{OPT} {UID}", "idmap with mappings: a file's user is mapped", lambda f: eq(owner(f, M + "/mine").split(":")[0], "1005")),
    should("idmap-gid", OPTIONS, f"{OPT} {GID}", "idmap with mappings: a file's group is mapped", lambda f: eq(owner(f, M + "/mine").split(":")[1], "1006")),
    should("idmap-source", POSIX, UID, "the source's files are left as they are", lambda f: eq(os.stat(os.path.join(f.box.dir, "source/mine")).st_uid, 5)),
    need=need_idmap,
)
scenario(
    "mounts",
    mapped({**bind("rbind", "idmap"), **both_maps}),
    should("idmap-not-below", OPTIONS, OPT, "idmap does not map what is mounted below", lambda f: eq((owner(f, M + "/mine"), owner(f, SUB + "/mine")), ("1005:1006", "5:6"))),
    need=need_idmap,
)
scenario(
    "mounts",
    mapped({**bind("rbind", "ridmap"), **both_maps}),
    should("ridmap", OPTIONS, OPT, "ridmap maps what is mounted below, too", lambda f: eq((owner(f, M + "/mine"), owner(f, SUB + "/mine")), ("1005:1006", "1005:1006"))),
    need=need_idmap,
)
scenario(
    "mounts",
    mapped({**bind("bind"), **both_maps}),
    should("idmap-implied", POSIX, UID, "mappings without idmap map, too", lambda f: eq(owner(f, M + "/mine"), "1005:1006")),
    need=need_idmap,
)
scenario("mounts", refusal({**IDMAP, "mounts+": [bind("bind", "idmap")]}, prepare=owned), must("idmap-none", OPTIONS, OPT, "idmap without mappings and without a user namespace is an error", refused_at_last))
scenario("mounts", refusal({**IDMAP, "mounts+": [bind("rbind", "ridmap")]}, prepare=owned), must("ridmap-none", OPTIONS, OPT, "ridmap without mappings and without a user namespace is an error", refused_at_last))
scenario("mounts", refusal({**IDMAP, "mounts+": [{**bind("bind", "idmap"), "uidMappings": MAP}]}, prepare=owned), must("idmap-uid-only", POSIX, "mounts[].gidMappings", "uidMappings without gidMappings is an error", refused_at_last))
scenario("mounts", refusal({**IDMAP, "mounts+": [{**bind("bind", "idmap"), "gidMappings": MAP}]}, prepare=owned), must("idmap-gid-only", POSIX, "mounts[].uidMappings", "gidMappings without uidMappings is an error", refused_at_last))

# ---- sources, destinations, types, order ---------------------------------------------------------


def source_file(box):
    tree(box)
    with open(os.path.join(box.dir, "single"), "w", encoding="ascii") as f:
        f.write("single")


scenario(
    "mounts",
    probed({"mounts+": [{"destination": "/conf/file", "type": "bind", "source": "single", "options": ["bind", "ro"]}]},
           ["read /conf/file", "write /conf/file"], source_file),
    must("source-relative", MOUNTS, "mounts[].source", "the source of a bind mount may be relative to the bundle", lambda f: eq(f.data("read /conf/file"), "single")),
    must("source-file", MOUNTS, "mounts[].source", "it may be a file, and ro holds for it", lambda f: eq(f.tried("write /conf/file"), "EROFS")),
)


def absolute_source(world):
    with Box(world, args=["/probe", "report", "read /conf/file"]) as box:
        source_file(box)
        box.config["mounts"].append({"destination": "/conf/file", "source": os.path.join(box.dir, "single"), "options": ["bind"]})
        done = needs(box.run(cwd="/"), "run")
        return Facts(r=json.loads(done.out))


scenario(
    "mounts",
    absolute_source,
    must("source-absolute", MOUNTS, "mounts[].source", "or absolute", lambda f: eq(f.data("read /conf/file"), "single")),
    must("type-absent", MOUNTS, "mounts[].type", "and type may be absent", lambda f: eq(f.data("read /conf/file"), "single")),
)
scenario(
    "mounts",
    probed({"mounts+": [{**bind("bind"), "type": "none"}]}, [f"exec {M}/prog"], tree),
    must("type-none", MOUNTS, "mounts[].type", "with bind, the type is a dummy: none", lambda f: eq(f.tried(f"exec {M}/prog"), "ok")),
)
scenario(
    "mounts",
    probed({"mounts+": [{**bind("rbind"), "type": "tmpfs"}]}, [f"exec {M}/prog"], tree),
    must("type-dummy", MOUNTS, "mounts[].type mounts[].source", "with rbind, any type is a dummy", lambda f: eq(f.tried(f"exec {M}/prog"), "ok")),
)
scenario(
    "mounts",
    probed({"mounts+": [{**tmpfs(), "destination": "conf/m"}]}, (), tree),
    must("destination-relative", MOUNTS, "mounts[].destination", "a relative destination is relative to /", mounted),
)
scenario(
    "mounts",
    probed({"mounts+": [{**tmpfs(), "destination": "/conf/made/deep"}]}),
    should("destination-made", MOUNTS, "mounts[].destination", "a destination that is not there is made", lambda f: eq(f.mount("/conf/made/deep")["type"], "tmpfs")),
)
scenario(
    "mounts",
    probed({"mounts+": [{**tmpfs(), "destination": "/link"}]}, (), lambda box: (os.mkdir(box.path("conf/target")), os.symlink("/conf/target", box.path("link")))),
    must("destination-link", MOUNTS, "mounts[].destination", "a destination is a path inside the container, also where it is a link", lambda f: eq(f.mount("/conf/target")["type"], "tmpfs")),
)
scenario(
    "mounts",
    probed({"mounts+": [{**tmpfs(), "destination": "/etc/../conf/m"}]}, (), tree),
    must("destination-dots", MOUNTS, "mounts[].destination", "dots in a destination are walked inside the container", mounted),
)
scenario("mounts", refusal({"mounts+": [{"type": "tmpfs", "source": "tmpfs"}]}), must("destination-absent", MOUNTS, "mounts[].destination", "an absent destination is an error", refused))
scenario("mounts", refusal({"mounts+": [{**tmpfs(), "type": "no-such-fs"}]}), must("type-unknown", POSIX, "mounts[].type", "a file system that the kernel doesn't have is an error", refused))

def sized(destination, megabytes):
    return {**tmpfs(f"size={megabytes}m"), "destination": destination}


def megabytes(f, path):
    return f.value(f"size {path}") >> 20


ORDER = [sized("/conf/a", 1), sized("/conf/a/b", 2), sized("/conf/a/b/c", 3), sized("/conf/d", 4), sized("/conf/d", 5)]
scenario(
    "mounts",
    probed({"mounts+": ORDER}, ["size /conf/a", "size /conf/a/b", "size /conf/a/b/c", "size /conf/d"]),
    must("order-nested", MOUNTS, "mounts", "entries are mounted in their order: one within another", lambda f: eq([megabytes(f, f"/conf/{p}") for p in ("a", "a/b", "a/b/c")], [1, 2, 3])),
    must("order-over", MOUNTS, "mounts", "and one over another", lambda f: eq(megabytes(f, "/conf/d"), 5)),
    must("order-list", MOUNTS, "mounts", "as /proc/self/mountinfo tells, too", lambda f: eq([m["target"] for m in f.r["mounts"] if m["target"].startswith("/conf/")], [m["destination"] for m in ORDER])),
)
scenario(
    "mounts",
    probed({"mounts+": [sized("/conf/a/b", 2), sized("/conf/a", 1)]}, ["size /conf/a", "lstat /conf/a/b"]),
    must("order-hidden", MOUNTS, "mounts", "a later one hides an earlier one below it", lambda f: eq((megabytes(f, "/conf/a"), f.tried("lstat /conf/a/b")), (1, "ENOENT"))),
)

FILESYSTEMS = "config-linux.md Default Filesystems"
scenario(
    "mounts",
    probed(),
    should("proc", FILESYSTEMS, "", "/proc is a proc", lambda f: eq(f.mount("/proc")["type"], "proc")),
    should("sys", FILESYSTEMS, "", "/sys is a sysfs", lambda f: eq(f.mount("/sys")["type"], "sysfs")),
    should("devpts", FILESYSTEMS, "", "/dev/pts is a devpts", lambda f: eq(f.mount("/dev/pts")["type"], "devpts")),
    should("shm", FILESYSTEMS, "", "/dev/shm is a tmpfs", lambda f: eq(f.mount("/dev/shm")["type"], "tmpfs")),
    must("dev-options", MOUNTS, OPT, "/dev has its options", lambda f: holds("nosuid" in f.options("/dev") and "mode=755" in f.mount("/dev")["super"] and "size=65536k" in f.mount("/dev")["super"], f.mount("/dev"))),
    must("shm-options", MOUNTS, OPT, "/dev/shm has its options", lambda f: holds({"nosuid", "noexec", "nodev"} <= set(f.options("/dev/shm")), f.mount("/dev/shm"))),
    must("pts-options", MOUNTS, OPT, "/dev/pts has its options", lambda f: holds("ptmxmode=666" in f.mount("/dev/pts")["super"] and "mode=620" in f.mount("/dev/pts")["super"], f.mount("/dev/pts"))),
    must("sys-ro", MOUNTS, OPT, "/sys is read-only when it says ro", lambda f: holds("ro" in f.options("/sys"), f.mount("/sys"))),
    must("mqueue", MOUNTS, "mounts[].type", "/dev/mqueue is a mqueue", lambda f: eq(f.mount("/dev/mqueue")["type"], "mqueue")),
    must("no-others", MOUNTS, "mounts", "nothing else is mounted", lambda f: holds(
        {m["target"] for m in f.r["mounts"]} <= {"/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/dev/console"} | {
            m["target"] for m in f.r["mounts"] if m["target"].startswith("/dev/")}, [m["target"] for m in f.r["mounts"]])),
)
scenario(
    "mounts",
    probed({"mounts": [PROC]}),
    must("few", MOUNTS, "mounts", "what isn't listed isn't mounted", lambda f: holds("/sys" not in [m["target"] for m in f.r["mounts"]], "it is")),
)

# ---- rootfsPropagation ---------------------------------------------------------------------------



def shared_root(box):
    mount("--bind", box.rootfs, box.rootfs)
    mount("--make-shared", box.rootfs)


for word in MARKS:
    scenario(
        "propagation",
        probed({"linux.rootfsPropagation": word}, prepare=shared_root),
        must(f"root-{word}", PROPAGATION, "linux.rootfsPropagation", f"{word}: the root mount is {word}", marked(word, "/")),
    )
scenario("propagation", refusal({"linux.rootfsPropagation": "bogus"}), must("unknown", PROPAGATION, "linux.rootfsPropagation", "an unknown value is an error", refused))


def later_mount(word):
    """Whether a mount below the rootfs that is made on the host later shows in the container, and the reverse."""

    def facts(world):
        with Box(world, {"linux.rootfsPropagation": word}, args=["/probe", "wait", "/conf/report"]) as box:
            shared_root(box)
            os.mkdir(box.path("later"))
            box.up()
            box.report()
            mount("-t", "tmpfs", "later", box.path("later"))
            with open(f"/proc/{box.state()['pid']}/mountinfo", encoding="utf-8") as f:
                return Facts(seen="/later" in [line.split()[4] for line in f])

    return facts


scenario("propagation", later_mount("slave"), must("slave-receives", PROPAGATION, "linux.rootfsPropagation", "slave: what is mounted on the host later appears in the container", lambda f: holds(f.seen, "it does not")))
scenario("propagation", later_mount("private"), must("private-alone", PROPAGATION, "linux.rootfsPropagation", "private: what is mounted on the host later does not", lambda f: holds(not f.seen, "it does")))


def isolated(world):
    """The container's own mounts don't reach the runtime's namespace."""
    with Box(world, {"mounts+": [tmpfs()]}, args=["/probe", "wait", "/conf/report"]) as box:
        os.makedirs(box.path(M))
        shared_root(box)
        box.up()
        box.report()
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            outside = [line.split()[4] for line in f]
        return Facts(outside=[t for t in outside if t.startswith(box.rootfs + "/")])


scenario("propagation", isolated, must("isolated", "config-linux.md Namespaces", "linux.namespaces[].type", "the container's mounts do not appear in the runtime's mount namespace", lambda f: eq(f.outside, [])))


def received(word):
    """Whether a later mount below a bind mount's source appears in the container. The root is told so too, as
    engines do: without that a runtime may have cut it all off."""

    def facts(world):
        with Box(world, {"mounts+": [bind("rbind", word)], "linux.rootfsPropagation": word[1:]}, args=["/probe", "wait", "/conf/report"]) as box:
            tree_shared(box)
            source = os.path.join(box.dir, "source")
            os.mkdir(source + "/later")
            box.up()
            box.report()
            mount("-t", "tmpfs", "later", source + "/later")
            with open(f"/proc/{box.state()['pid']}/mountinfo", encoding="utf-8") as f:
                seen = M + "/later" in [line.split()[4] for line in f]
            with open("/proc/self/mountinfo", encoding="utf-8") as f:
                return Facts(seen=seen, kept=source + "/sub" in [line.split()[4] for line in f])

    return facts


def kept(word):
    return must(f"host-{word}", "config-linux.md Namespaces", "linux.namespaces[].type linux.rootfsPropagation",
                f"with rootfsPropagation {word} what is mounted below a shared mount of the host stays there", lambda f: holds(f.kept, "it was unmounted"))


scenario("propagation", received("rslave"), must("mount-rslave", OPTIONS, OPT, "rslave: a later mount below the source appears", lambda f: holds(f.seen, "it does not")), kept("slave"))
scenario("propagation", received("rshared"), must("mount-rshared", OPTIONS, OPT, "rshared: a later mount below the source appears", lambda f: holds(f.seen, "it does not")), kept("shared"))
scenario("propagation", received("rprivate"), must("mount-rprivate", OPTIONS, OPT, "rprivate: a later mount below the source does not appear", lambda f: holds(not f.seen, "it does")), kept("private"))


def given_back(word):
    """Whether what the container mounts below the mount appears below its source."""

    def facts(world):
        changes = {"mounts+": [bind("rbind", word)], "linux.rootfsPropagation": word[1:]}
        with Box(world, changes, args=["/probe", "wait", "/conf/report", f"mount tmpfs {M}/later"]) as box:
            tree_shared(box)
            source = os.path.join(box.dir, "source")
            os.mkdir(source + "/later")
            box.up()
            r = box.report()
            with open("/proc/self/mountinfo", encoding="utf-8") as f:
                return Facts(r=r, seen=source + "/later" in [line.split()[4] for line in f])

    return facts


BACK = f"mount tmpfs {M}/later"
scenario("propagation", given_back("rshared"), must("back-rshared", OPTIONS, OPT, "rshared: what the container mounts appears below the source", lambda f: holds(f.tried(BACK) == "ok" and f.seen, f.r["tries"])))
scenario("propagation", given_back("rslave"), must("back-rslave", OPTIONS, OPT, "rslave: what the container mounts does not appear below the source", lambda f: holds(f.tried(BACK) == "ok" and not f.seen, f.r["tries"])))
