# SPDX-License-Identifier: Apache-2.0
"""config.md, hooks: when each kind is called, where, with what, and what its failure does."""
import json
import os
import time

from suite import Box, Facts, eq, holds, must, needs, refusal, refused_at_last, same_set, scenario, should, wait_for

LIFE = "runtime.md Lifecycle"
HOOKS = "config.md POSIX-platform Hooks"
KINDS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
SECTION = {k: f"config.md {k[0].upper()}{k[1:]}" + ("" if k in ("prestart", "poststart", "poststop") else " Hooks") for k in KINDS}
NOTES = {"com.example.key": "value"}
# sh: the pid of the state on stdin
PID = 'pid=$(tr -d "\\n" | sed "s/.*\\"pid\\": *\\([0-9]*\\).*/\\1/"); '
IN_CONTAINER = ("createContainer", "startContainer")


def hook(box, kind, name, **more):
    """A hook that writes what it sees to the log of the container, which startContainer reaches by another path."""
    program, log = (box.world.template, box.path("conf/log"))
    if kind == "startContainer":
        program, log = "/probe", "/conf/log"
    return {"path": program, "args": ["hook-name", "hook", log, name], **more}


def log_of(box):
    path = box.path("conf/log")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def names_of(box):
    return [entry["hook"] for entry in log_of(box)]


def all_kinds(world):
    with Box(world, {"annotations": NOTES, "process.env": ["PATH=/bin", "OF=process"]},
             args=["/probe", "wait", "/conf/report", "stat /conf/log"]) as box:
        box.config["hooks"] = {k: [hook(box, k, k, env=["KEY=value", "OTHER=two words"])] for k in KINDS}
        f = Facts(box=box)
        needs(box.create(env={**os.environ, "LEAKED": "yes"}), "create")
        f["pid"] = box.state()["pid"]
        f["at_create"] = names_of(box)
        f["inside"] = {n: os.readlink(f"/proc/{f.pid}/ns/{n}") for n in ("mnt", "pid", "uts", "net")}
        f["outside"] = {n: os.readlink(f"/proc/self/ns/{n}") for n in ("mnt", "pid", "uts", "net")}
        needs(box.start(), "start")
        f["at_start"] = names_of(box)
        f["r"] = box.report()
        wait_for(lambda: os.path.exists(box.path("conf/report.ready")), "the probe")
        f["root_outside"] = os.stat("/").st_ino, os.stat("/").st_dev
        f["root_inside"] = os.stat(box.rootfs).st_ino
        needs(box.kill("TERM"), "kill")
        box.await_status("stopped")
        f["at_stop"] = names_of(box)
        needs(box.delete(), "delete")
        f["at_delete"] = names_of(box)
        f["log"] = {e["hook"]: e for e in log_of(box)}
        f["state"] = {k: json.loads(e["stdin"]) for k, e in f.log.items()}
        return f


def where(kind):
    """The kind's namespaces."""

    def test(f):
        side = f.inside if kind in IN_CONTAINER else f.outside
        return eq({n: f.log[kind]["ns"][n] for n in ("mnt", "uts", "net")}, {n: side[n] for n in ("mnt", "uts", "net")})

    return test


# Until create has ended a container is "creating", but the hooks of create come after step 2, from which
# on the specification's words in brackets call it "created": both are right.
CREATING = ("creating", "created")
STATUS = {"prestart": CREATING, "createRuntime": CREATING, "createContainer": CREATING, "startContainer": ("created",),
          "poststart": ("running",), "poststop": ("stopped",)}


def status_of(kind):
    return lambda f: holds(f.state[kind]["status"] in STATUS[kind], f"it is {f.state[kind]['status']}")


def pid_of(kind):
    def test(f):
        want = 1 if kind in IN_CONTAINER else f.pid
        return eq(f.state[kind].get("pid"), want)

    return test


checks = []
for kind in KINDS:
    lower = kind.lower()
    P = f"hooks.{kind}[].path"
    side = "container" if kind in IN_CONTAINER else "runtime"
    checks += [
        must(f"{lower}-called", SECTION[kind], f"{P} hooks.{kind}", f"{kind} hooks are called", lambda f, k=kind: k in f.log),
        must(f"{lower}-namespace", SECTION[kind], f"hooks.{kind}", f"{kind} hooks run in the {side} namespace", where(kind)),
        must(f"{lower}-args", HOOKS, f"hooks.{kind}[].args", f"{kind}: args are as they are, argv[0] too",
             lambda f, k=kind: eq(f.log[k]["args"][:2] + f.log[k]["args"][3:], ["hook-name", "hook", k])),
        must(f"{lower}-env", HOOKS, f"hooks.{kind}[].env", f"{kind}: the variables of env are there",
             lambda f, k=kind: holds({"KEY=value", "OTHER=two words"} <= set(f.log[k]["env"]), f.log[k]["env"])),
        should(f"{lower}-env-only", HOOKS, f"hooks.{kind}[].env", f"{kind}: and no others, as with environ of execve",
               lambda f, k=kind: eq(sorted(f.log[k]["env"]), ["KEY=value", "OTHER=two words"])),
        must(f"{lower}-state-id", HOOKS, f"hooks.{kind} state.id", f"{kind}: the state comes over stdin: id and bundle",
             lambda f, k=kind: eq((f.state[k]["id"], f.state[k]["bundle"]), (f.box.id, f.box.dir))),
        must(f"{lower}-state-annotations", HOOKS, f"hooks.{kind} state.annotations", f"{kind}: with annotations", lambda f, k=kind: eq(f.state[k]["annotations"], NOTES)),
        must(f"{lower}-state-version", HOOKS, f"hooks.{kind} state.ociVersion", f"{kind}: and ociVersion", lambda f, k=kind: holds(f.state[k]["ociVersion"], f.state[k])),
        must(f"{lower}-state-status", HOOKS, f"hooks.{kind} state.status", f"{kind}: status is {' or '.join(STATUS[kind])}", status_of(kind)),
    ]
    if kind != "poststop":
        seen = "as the container sees it" if kind in IN_CONTAINER else "as the runtime sees it"
        checks.append(must(f"{lower}-state-pid", "runtime.md State", f"hooks.{kind} state.pid", f"{kind}: pid is the container process {seen}", pid_of(kind)))
checks += [
    must("order", LIFE, "hooks", "the kinds are called in the order of the lifecycle", lambda f: eq(f.at_delete, KINDS)),
    must("create", LIFE, "hooks.prestart hooks.createRuntime hooks.createContainer", "prestart, createRuntime and createContainer are called by create", lambda f: eq(f.at_create, KINDS[:3])),
    must("start", LIFE, "hooks.startContainer hooks.poststart", "startContainer and poststart are called by start, before it returns", lambda f: same_set(set(f.at_start) - set(f.at_create), ["startContainer", "poststart"])),
    must("stop", LIFE, "hooks.poststop", "poststop is not called when the process ends", lambda f: holds("poststop" not in f.at_stop, f.at_stop)),
    must("delete", LIFE, "hooks.poststop", "but by delete, before it returns", lambda f: eq(f.at_delete[-1], "poststop")),
    must("createcontainer-before-pivot", SECTION["createContainer"], "hooks.createContainer", "createContainer runs before pivot_root: its root is the runtime's", lambda f: eq(f.log["createContainer"]["root"]["ino"], f.root_outside[0])),
    must("createcontainer-mounts", SECTION["createContainer"], "hooks.createContainer", "and sees the container's mounts", lambda f: holds(
        f.box.rootfs + "/proc" in [m["target"] for m in f.log["createContainer"]["mounts"]], [m["target"] for m in f.log["createContainer"]["mounts"]][-8:])),
    must("startcontainer-root", SECTION["startContainer"], "hooks.startContainer", "startContainer runs in the container's root", lambda f: eq(f.log["startContainer"]["root"]["ino"], f.root_inside)),
    must("startcontainer-path", SECTION["startContainer"], "hooks.startContainer[].path", "its path resolves in the container namespace", lambda f: eq(f.log["startContainer"]["exe"], "/probe")),
    must("createcontainer-path", SECTION["createContainer"], "hooks.createContainer[].path", "that of createContainer in the runtime namespace", lambda f: holds(f.log["createContainer"]["args"], "")),
    must("startcontainer-before", SECTION["startContainer"], "hooks.startContainer", "startContainer is called before the program", lambda f: eq(f.tried("stat /conf/log"), "ok")),
]
scenario("hooks", all_kinds, *checks)


def program_was_executed(world):
    """poststart finds the program running in the container's process."""
    with Box(world, args=["/probe", "sleep"]) as box:
        script = PID + ' readlink /proc/$pid/exe >"$0.exe"; tr "\\0" " " </proc/$pid/cmdline >"$0.args"'
        marker = os.path.join(box.dir, "marker")
        box.config["hooks"] = {"poststart": [{"path": "/bin/sh", "args": ["sh", "-c", script, marker], "env": ["PATH=/usr/bin:/bin"]}]}
        box.up()
        with open(marker + ".args", encoding="utf-8") as f:
            return Facts(args=f.read().split())


scenario("hooks", program_was_executed, must("poststart-after", SECTION["poststart"], "hooks.poststart", "poststart is called after the program was executed", lambda f: eq(f.args, ["/probe", "sleep"])))


def several(world):
    with Box(world, args=["/probe", "exit", "0"]) as box:
        box.config["hooks"] = {k: [hook(box, k, f"{k}{n}") for n in (1, 2, 3)] for k in KINDS}
        box.up()
        box.await_status("stopped")
        needs(box.delete(), "delete")
        return Facts(names=names_of(box))


scenario("hooks", several, *[
    must(f"{k.lower()}-listed", HOOKS, f"hooks.{k}", f"{k} hooks are called in the listed order", lambda f, k=k: eq([n for n in f.names if n.startswith(k) and n[len(k):].isdigit()], [f"{k}{n}" for n in (1, 2, 3)]))
    for k in KINDS
])


def bare(world):
    """Hooks with a path only."""
    with Box(world, {"process.env": ["PATH=/bin", "OF=process"]}, args=["/probe", "file", "/conf/report"]) as box:
        box.config["hooks"] = {k: [hook(box, k, k)] for k in KINDS}
        box.up(env={**os.environ, "LEAKED": "yes"})
        box.await_status("stopped")
        needs(box.delete(), "delete")
        return Facts(log={e["hook"]: e for e in log_of(box)})


scenario("hooks", bare, *[
    should(f"{k.lower()}-env-none", HOOKS, f"hooks.{k}[].env", f"{k}: without env there is none", lambda f, k=k: eq(f.log[k]["env"], []))
    for k in KINDS
])


def failing(kind):
    def facts(world):
        with Box(world, args=["/probe", "wait", "/conf/report"]) as box:
            false = {"path": "/bin/false", "args": ["false"]}
            if kind == "startContainer":
                false = {"path": "/probe", "args": ["probe", "exit", "1"]}
            box.config["hooks"] = {kind: [false, hook(box, kind, "second")], "poststop": [hook(box, "poststop", "poststop")]}
            f = Facts(create=box.create())
            f["start"] = box.start() if f.create.rc == 0 else None
            time.sleep(0.05)
            f["state"] = box.state()
            f["ran"] = os.path.exists(box.path("conf/report"))
            f["names"] = names_of(box)
            return f

    return facts


for kind in KINDS[:3]:
    scenario(
        "hooks", failing(kind),
        must(f"{kind.lower()}-fails", LIFE, f"hooks.{kind}", f"when a {kind} hook fails, create generates an error", lambda f: holds(f.create.rc != 0, "create succeeded")),
        must(f"{kind.lower()}-fails-stops", LIFE, f"hooks.{kind}", "and the container is destroyed", lambda f: holds(f.state is None and not f.ran, f"{f.state}")),
        must(f"{kind.lower()}-fails-others", LIFE, f"hooks.{kind}", "without its other hooks", lambda f: holds("second" not in f.names, f.names)),
        must(f"{kind.lower()}-fails-poststop", LIFE, "hooks.poststop", "and poststop hooks are called, step 13", lambda f: holds("poststop" in f.names, f.names)),
    )
scenario(
    "hooks", failing("startContainer"),
    must("startcontainer-fails", LIFE, "hooks.startContainer", "when a startContainer hook fails, start generates an error", lambda f: holds(f.start.rc != 0, "start succeeded")),
    must("startcontainer-fails-program", LIFE, "hooks.startContainer", "the program does not run", lambda f: not f.ran),
    must("startcontainer-fails-stops", LIFE, "hooks.startContainer", "and the container is stopped", lambda f: holds((f.state or {}).get("status") in (None, "stopped"), f"{f.state}")),
)
scenario(
    "hooks", failing("poststart"),
    must("poststart-fails", LIFE, "hooks.poststart", "when a poststart hook fails, start generates an error", lambda f: holds(f.start and f.start.rc != 0, "start succeeded")),
    must("poststart-fails-stops", LIFE, "hooks.poststart", "and the container is stopped", lambda f: holds((f.state or {}).get("status") in (None, "stopped"), f"{f.state}")),
)


def poststop_fails(world):
    with Box(world, args=["/probe", "exit", "0"]) as box:
        box.config["hooks"] = {"poststop": [{"path": "/bin/false"}, hook(box, "poststop", "second")]}
        box.up()
        box.await_status("stopped")
        done = box.delete()
        return Facts(done=done, state=box.state(), names=names_of(box))


scenario(
    "hooks", poststop_fails,
    must("poststop-fails", LIFE, "hooks.poststop", "when a poststop hook fails, the remaining ones are called", lambda f: eq(f.names, ["second"])),
    must("poststop-fails-deleted", LIFE, "hooks.poststop", "and the container is deleted as if it had succeeded", lambda f: eq((f.done.rc, f.state), (0, None))),
)


def too_long(kind):
    def facts(world):
        with Box(world, args=["/probe", "wait", "/conf/report"]) as box:
            slow = {"path": world.template if kind != "startContainer" else "/probe", "args": ["probe", "sleep"], "timeout": 1}
            box.config["hooks"] = {kind: [slow]}
            begun = time.monotonic()
            f = Facts(create=box.create())
            f["start"] = box.start() if f.create.rc == 0 else None
            f["seconds"] = time.monotonic() - begun
            if kind == "poststop":
                box.kill("KILL")
                box.await_status("stopped")
                begun = time.monotonic()
                f["delete"] = box.delete()
                f["seconds"] = time.monotonic() - begun
            return f

    return facts


for kind in KINDS:
    scenario(
        "hooks", too_long(kind),
        must(f"{kind.lower()}-timeout", HOOKS, f"hooks.{kind}[].timeout", f"{kind}: a hook that takes longer than its timeout is aborted", lambda f, k=kind: holds(
            0.5 < f.seconds < 5 and (k == "poststop" or f.create.rc != 0 or f.start.rc != 0), f"{f.seconds:.1f} seconds, create {f.create.rc}, start {f.start and f.start.rc}")),
    )

for kind in KINDS:
    scenario("hooks", refusal({"hooks": {kind: [{"path": "bin/true", "args": ["true"]}]}}), must(f"{kind.lower()}-relative", HOOKS, f"hooks.{kind}[].path", f"{kind}: a relative path is an error", refused_at_last))
scenario("hooks", refusal({"hooks": {"createRuntime": [{"path": "/bin/true", "timeout": 0}]}}), must("timeout-zero", HOOKS, "hooks.createRuntime[].timeout", "a timeout of 0 is an error", refused_at_last))
scenario("hooks", refusal({"hooks": {"createRuntime": [{"path": "/bin/true", "timeout": -1}]}}), must("timeout-negative", HOOKS, "hooks.createRuntime[].timeout", "a negative timeout is an error", refused_at_last))
scenario("hooks", refusal({"hooks": {"createRuntime": [{"args": ["true"]}]}}), must("path-absent", HOOKS, "hooks.createRuntime[].path", "a hook without a path is an error", refused_at_last))
scenario("hooks", refusal({"hooks": {"createRuntime": [{"path": "/no/such/hook"}]}}), must("path-missing", LIFE, "hooks.createRuntime[].path", "a hook that is not there is an error", refused_at_last))


def prestart_before_pivot(world):
    """The runtime's hooks find the container's process not yet in its root."""
    with Box(world, args=["/probe", "exit", "0"]) as box:
        script = PID + ' stat -Lc %i /proc/$pid/root/ >"$0"; readlink /proc/$pid/ns/net >>"$0"'
        f = Facts(root=str(os.stat("/").st_ino), net=os.readlink("/proc/self/ns/net"))
        for kind in ("prestart", "createRuntime"):
            marker = os.path.join(box.dir, kind)
            box.config.setdefault("hooks", {})[kind] = [{"path": "/bin/sh", "args": ["sh", "-c", script, marker], "env": ["PATH=/usr/bin:/bin"]}]
        needs(box.create(), "create")
        for kind in ("prestart", "createRuntime"):
            with open(os.path.join(box.dir, kind), encoding="ascii") as r:
                f[kind] = r.read().split()
        return f


scenario("hooks", prestart_before_pivot, *[
    must(f"{k.lower()}-before-pivot", SECTION[k], f"hooks.{k}", f"{k} is called before pivot_root", lambda f, k=k: eq(f[k][0], f.root)) for k in ("prestart", "createRuntime")
], *[
    must(f"{k.lower()}-after-namespaces", SECTION[k], f"hooks.{k}", f"{k} is called after the namespaces were made", lambda f, k=k: holds(f[k][1] != f.net, f[k])) for k in ("prestart", "createRuntime")
])
