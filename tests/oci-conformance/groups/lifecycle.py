# SPDX-License-Identifier: Apache-2.0
"""runtime.md: state and the operations create, start, kill, delete, and the order of a container's life."""
import json
import os
import re

from suite import (Box, Failed, Facts, eq, holds, may, must, needs, refusal, refused, refused_at_last, scenario, should,
                   wait_for)

STATE = "runtime.md State"
LIFE = "runtime.md Lifecycle"
QUERY = "runtime.md Query State"
CREATE = "runtime.md Create"
START = "runtime.md Start"
KILL = "runtime.md Kill"
DELETE = "runtime.md Delete"
ERRORS = "runtime.md Errors"
NOTES = {"com.example.key": "value", "com.example.empty": ""}


def one_life(world):
    """A container from create to delete, its state at each step."""
    f = Facts()
    with Box(world, {"annotations": NOTES}, args=["/probe", "wait", "/conf/report"]) as box:
        f["box"] = box
        f["create"] = needs(box.create(), "create")
        f["created"] = box.state()
        pid = f.created["pid"]
        f["ran_at_create"] = os.path.exists(box.path("conf/report"))
        f["alive"] = os.path.exists(f"/proc/{pid}")
        f["pid_ns"] = os.readlink(f"/proc/{pid}/ns/pid")
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as m:
            f["mounts"] = [line.split()[4] for line in m]
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as c:
            f["cgroup"] = c.read()
        f["id_again"] = world.call("create", "--bundle", box.dir, box.id)
        f["after_again"] = box.state()
        f["delete_created_state"] = None
        f["start"] = needs(box.start(), "start")
        f["report"] = box.report()
        wait_for(lambda: os.path.exists(box.path("conf/report.ready")), "the probe")
        f["running"] = box.state()
        f["start_running"] = box.start()
        f["delete_running"] = box.delete()
        f["after_bad"] = box.state()
        f["kill_usr1"] = box.kill("USR1")
        f["kill_12"] = box.kill("12")
        signals = box.path("conf/report.signals")
        wait_for(lambda: os.path.getsize(signals) >= 6, "two signals")
        f["kill_term"] = box.kill("TERM")
        box.await_status("stopped")
        with open(signals, encoding="ascii") as s:
            f["signals"] = s.read().split()
        f["stopped"] = box.state()
        f["start_stopped"] = box.start()
        f["kill_stopped"] = box.kill("TERM")
        f["after_stopped"] = box.state()
        f["bundle_before"] = sorted(os.listdir(box.dir))
        f["delete"] = box.delete()
        f["bundle_after"] = sorted(os.listdir(box.dir))
        f["deleted"] = box.state()
        f["query_deleted"] = box.call("state")
        f["kill_deleted"] = box.kill("TERM")
        f["delete_deleted"] = box.delete()
        f["start_deleted"] = box.start()
        f["cgroup_left"] = [
            p for line in f.cgroup.split() for p in cgroup_folders(line.split(":", 2)[2]) if box.id in p
        ]
        f["state_left"] = os.path.exists(os.path.join(world.state, box.id))
        f["again"] = box.create()
        f["again_state"] = box.state()
    return f


def cgroup_folders(path):
    base = "/sys/fs/cgroup"
    names = [""] + [n for n in os.listdir(base) if os.path.isdir(os.path.join(base, n))]
    return [p for p in (os.path.join(base, n, path.lstrip("/")) for n in names) if os.path.isdir(p)]


def semver(text):
    return holds(re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", text), f"'{text}' is no version")


def schema_like(state):
    """What state-schema.json asks of a state."""
    for key, kind in (("ociVersion", str), ("id", str), ("status", str), ("bundle", str)):
        holds(isinstance(state.get(key), kind), f"{key} is {state.get(key)!r}")
    holds(isinstance(state.get("pid", 0), int) and state.get("pid", 0) >= 0, f"pid is {state.get('pid')!r}")
    notes = state.get("annotations", {})
    return holds(
        isinstance(notes, dict) and all(isinstance(v, str) for v in notes.values()), f"annotations are {notes!r}"
    )


scenario(
    "state",
    one_life,
    must("oci-version", STATE, "state.ociVersion", "ociVersion is a version", lambda f: semver(f.created["ociVersion"])),
    must("id", STATE, "state.id", "id is the container's id", lambda f: eq(f.created["id"], f.box.id)),
    must("created", STATE, "state.status", "status is created after create", lambda f: eq(f.created["status"], "created")),
    must("running", STATE, "state.status", "status is running once the program runs", lambda f: eq(f.running["status"], "running")),
    must("stopped", STATE, "state.status", "status is stopped once the program has ended", lambda f: eq(f.stopped["status"], "stopped")),
    must("pid-created", STATE, "state.pid", "pid is there when created, and names a process", lambda f: f.alive),
    must("pid-running", STATE, "state.pid", "pid is there when running, and is the same", lambda f: eq(f.running["pid"], f.created["pid"])),
    must("pid-outside", STATE, "state.pid", "pid is the process in the container's namespaces, as the runtime sees it", lambda f: eq(f.pid_ns, f.report["ns"]["pid"])),
    must("bundle", STATE, "state.bundle", "bundle is the absolute path of the bundle", lambda f: eq(f.created["bundle"], f.box.dir)),
    must("annotations", STATE, "state.annotations annotations", "annotations are those of config.json", lambda f: eq(f.created["annotations"], NOTES)),
    must("annotations-running", STATE, "state.annotations", "annotations are there when running", lambda f: eq(f.running["annotations"], NOTES)),
    must("annotations-stopped", STATE, "state.annotations", "annotations are there when stopped", lambda f: eq(f.stopped["annotations"], NOTES)),
    must("schema-created", STATE, "", "the state of a created container has the schema's members and types", lambda f: schema_like(f.created)),
    must("schema-running", STATE, "", "the state of a running container has the schema's members and types", lambda f: schema_like(f.running)),
    must("schema-stopped", STATE, "", "the state of a stopped container has the schema's members and types", lambda f: schema_like(f.stopped)),
    must("deleted", QUERY, "", "the state of a container that was deleted is an error", lambda f: holds(f.query_deleted.rc != 0, f.query_deleted.out)),
    must("not-run", LIFE, "process.args", "the program does not run at create", lambda f: not f.ran_at_create),
    must("environment-made", LIFE, "mounts linux.namespaces", "the mounts are made at create", lambda f: holds({"/proc", "/dev", "/sys"} <= set(f.mounts), f.mounts)),
    must("id-taken", CREATE, "", "create with an id that is taken is an error", lambda f: holds(f.id_again.rc != 0, "it succeeded")),
    must("id-taken-left", CREATE, "", "the container whose id was taken is left alone", lambda f: eq(f.after_again, f.created)),
    must("runs", START, "process.args", "start runs the program", lambda f: eq(f.report["args"][0], "/probe")),
    must("same-process", LIFE, "process", "the process of create becomes the program", lambda f: eq(f.report["pid"], 1)),
    must("start-running", START, "", "start of a running container is an error", lambda f: holds(f.start_running.rc != 0, "it succeeded")),
    must("start-running-left", START, "", "start of a running container has no effect on it", lambda f: eq(f.after_bad, f.running)),
    must("start-stopped", START, "", "start of a stopped container is an error", lambda f: holds(f.start_stopped.rc != 0, "it succeeded")),
    must("start-stopped-left", START, "", "start of a stopped container has no effect on it", lambda f: eq(f.after_stopped["status"], "stopped")),
    must("start-deleted", START, "", "start of a container that was deleted is an error", lambda f: holds(f.start_deleted.rc != 0, "it succeeded")),
    must("kill-name", KILL, "", "kill with a signal's name sends it", lambda f: holds(f.kill_usr1.rc == 0 and "10" in f.signals, f.signals)),
    must("kill-number", KILL, "", "kill with a signal's number sends it", lambda f: holds(f.kill_12.rc == 0 and "12" in f.signals, f.signals)),
    must("kill-once", KILL, "", "each signal arrives once, and no other", lambda f: eq(sorted(f.signals), ["10", "12", "15"])),
    must("kill-stopped", KILL, "", "kill of a stopped container is an error", lambda f: holds(f.kill_stopped.rc != 0, "it succeeded")),
    must("kill-stopped-left", KILL, "", "kill of a stopped container has no effect on it", lambda f: eq(f.after_stopped["status"], "stopped")),
    must("kill-deleted", KILL, "", "kill of a container that was deleted is an error", lambda f: holds(f.kill_deleted.rc != 0, "it succeeded")),
    must("delete-running", DELETE, "", "delete of a running container is an error", lambda f: holds(f.delete_running.rc != 0, "it succeeded")),
    must("delete-running-left", DELETE, "", "delete of a running container has no effect on it", lambda f: eq(f.after_bad, f.running)),
    must("delete", DELETE, "", "delete of a stopped container succeeds", lambda f: eq((f.delete.rc, f.deleted), (0, None))),
    must("delete-cgroup", DELETE, "", "delete removes the cgroups that create made", lambda f: eq(f.cgroup_left, [])),
    must("delete-others", DELETE, "", "delete leaves the bundle, which create did not make", lambda f: eq(f.bundle_after, f.bundle_before)),
    should("delete-state", DELETE, "", "delete leaves nothing of the container in the state folder", lambda f: not f.state_left),
    must("delete-deleted", DELETE, "", "delete of a container that was deleted is an error", lambda f: holds(f.delete_deleted.rc != 0, "it succeeded")),
    may("id-free", DELETE, "", "the id of a deleted container can be used again", lambda f: eq((f.again.rc, f.again_state["status"]), (0, "created"))),
)


def without_arguments(world):
    with Box(world, args=["/probe", "exit", "0"]) as box:
        box.write()
        return Facts(
            **{name: world.call(name, cwd=box.dir) for name in ("state", "start", "kill", "delete", "create")},
            unknown={name: world.call(name, f"no-such-{os.getpid()}") for name in ("state", "start", "delete")},
            unknown_kill=world.call("kill", f"no-such-{os.getpid()}", "TERM"),
            no_bundle=world.call("create", "--bundle", box.dir + ".none", box.id),
            after=box.state(),
        )


scenario(
    "operations",
    without_arguments,
    must("state-no-id", QUERY, "", "state without an id is an error", lambda f: f.state.rc != 0),
    must("create-no-id", CREATE, "", "create without an id is an error", lambda f: f.create.rc != 0),
    must("start-no-id", START, "", "start without an id is an error", lambda f: f.start.rc != 0),
    must("kill-no-id", KILL, "", "kill without an id is an error", lambda f: f.kill.rc != 0),
    must("delete-no-id", DELETE, "", "delete without an id is an error", lambda f: f.delete.rc != 0),
    must("state-unknown", QUERY, "", "state of an unknown container is an error", lambda f: f.unknown["state"].rc != 0),
    must("start-unknown", START, "", "start of an unknown container is an error", lambda f: f.unknown["start"].rc != 0),
    must("delete-unknown", DELETE, "", "delete of an unknown container is an error", lambda f: f.unknown["delete"].rc != 0),
    must("kill-unknown", KILL, "", "kill of an unknown container is an error", lambda f: f.unknown_kill.rc != 0),
    must("create-no-bundle", CREATE, "", "create with a bundle that is not there is an error", lambda f: f.no_bundle.rc != 0),
    must("create-no-bundle-left", CREATE, "", "and leaves no container", lambda f: f.after is None),
)

for word, name in (("dots", ".."), ("slash", "a/b"), ("empty", ""), ("climbing", "../../x"), ("space", "a b")):

    def invalid_id(world, name=name):
        with Box(world, args=["/probe", "exit", "0"]) as box:
            box.write()
            done = world.call("create", "--bundle", box.dir, name)
            left = world.call("state", name)
            if left.rc == 0:
                world.call("delete", "--force", name)
            return Facts(done=done, left=left)

    level = should if word == "space" else must
    scenario(
        "operations",
        invalid_id,
        level(f"create-id-{word}", CREATE, "", f"an id that is not valid ('{name}') is an error, and nothing is made",
              lambda f: holds(f.done.rc != 0 and f.left.rc != 0, f"create: {f.done.rc}, state: {f.left.rc}")),
    )


def killed_before_start(world):
    with Box(world, args=["/probe", "file", "/conf/report"]) as box:
        needs(box.create(), "create")
        refused_delete = box.delete()
        state = box.state()
        f = Facts(delete=refused_delete, after=state)
        if state is None:
            return f
        f["kill"] = box.kill("KILL")
        box.await_status("stopped")
        f["ran"] = os.path.exists(box.path("conf/report"))
        f["deleted"] = box.delete()
        return f


scenario(
    "state",
    killed_before_start,
    must("delete-created", DELETE, "", "delete of a container that is created, not stopped, is an error", lambda f: holds(f.delete.rc != 0, "it succeeded")),
    must("delete-created-left", DELETE, "", "and has no effect on it", lambda f: eq((f.after or {}).get("status"), "created")),
)


def kill_created(world):
    with Box(world, args=["/probe", "file", "/conf/report"]) as box:
        needs(box.create(), "create")
        kill = box.kill("KILL")
        box.await_status("stopped")
        return Facts(kill=kill, ran=os.path.exists(box.path("conf/report")), deleted=box.delete(), state=box.state())


scenario(
    "state",
    kill_created,
    must("kill-created", KILL, "", "kill of a created container sends the signal", lambda f: eq(f.kill.rc, 0)),
    must("kill-created-not-run", KILL, "", "whose program then never runs", lambda f: not f.ran),
    must("kill-created-deleted", DELETE, "", "and which can be deleted", lambda f: eq((f.deleted.rc, f.state), (0, None))),
)


def changed_config(world):
    with Box(world, {"hostname": "before"}, args=["/probe", "file", "/conf/before"]) as box:
        needs(box.create(), "create")
        box.config["process"]["args"] = ["/probe", "file", "/conf/after"]
        box.config["hostname"] = "after"
        box.write()
        needs(box.start(), "start")
        box.await_status("stopped")
        names = os.listdir(box.path("conf"))
        with open(box.path("conf/before"), encoding="utf-8") as r:
            report = json.load(r)
        return Facts(names=names, r=report)


def removed_config(world):
    with Box(world, args=["/probe", "file", "/conf/report"]) as box:
        needs(box.create(), "create")
        os.unlink(os.path.join(box.dir, "config.json"))
        started = box.start()
        state = box.state()
        needs(started, "start")
        box.await_status("stopped")
        deleted = box.delete()
        return Facts(state=state, deleted=deleted, after=box.state())


scenario(
    "lifecycle",
    changed_config,
    must("config-changed-args", LIFE, "", "an update of config.json after create does not change what runs", lambda f: eq(f.names, ["before"])),
    must("config-changed-name", LIFE, "", "nor the environment", lambda f: eq(f.r["hostname"], "before")),
)
scenario(
    "lifecycle",
    removed_config,
    must("config-removed", LIFE, "", "a container starts when its config.json was removed after create"),
    must("config-removed-delete", LIFE, "", "and can be deleted", lambda f: eq((f.deleted.rc, f.after), (0, None))),
)


def relative_bundle(world):
    with Box(world, args=["/probe", "sleep"]) as box:
        box.write()
        needs(world.call("create", "--bundle", os.path.basename(box.dir), box.id, cwd=world.work,
                         output=os.path.join(box.dir, "output")), "create")
        return Facts(state=box.state(), box=box)


def in_bundle(world):
    with Box(world, args=["/probe", "sleep"]) as box:
        box.write()
        needs(world.call("create", box.id, cwd=box.dir, output=os.path.join(box.dir, "output")), "create")
        return Facts(state=box.state(), box=box)


scenario(
    "lifecycle",
    relative_bundle,
    must("bundle-relative", STATE, "state.bundle", "bundle is absolute when the path given was relative", lambda f: eq(f.state["bundle"], f.box.dir)),
)
scenario(
    "lifecycle",
    in_bundle,
    may("bundle-cwd", CREATE, "", "the bundle may be the current folder", lambda f: eq(f.state["bundle"], f.box.dir)),
)


def failed_create(world):
    """An error in the midst of create: a bind mount of what isn't there."""
    bad = {"mounts+": [{"destination": "/mnt", "type": "bind", "source": "/no/such/folder", "options": ["bind"]}],
           "annotations": NOTES}
    with Box(world, bad, args=["/probe", "exit", "0"]) as box:
        failed = box.create()
        state = box.state()
        config = box.config
        config["mounts"].pop()
        cgroups = cgroups_of(box)
        needs(box.create(), "the second create")
        needs(box.start(), "start")
        box.await_status("stopped")
        return Facts(failed=failed, state=state, cgroups=cgroups)


def cgroups_of(box):
    """The cgroups that carry the container's id."""
    return [path for path, _, _ in os.walk("/sys/fs/cgroup") if os.path.basename(path) == box.id]


scenario(
    "lifecycle",
    failed_create,
    must("create-error", LIFE, "", "when the environment can't be made, create generates an error", lambda f: f.failed.rc != 0),
    must("create-error-undone", ERRORS, "", "an error leaves things as if the operation were never attempted: no container", lambda f: f.state is None),
    must("create-error-cgroup", ERRORS, "linux.cgroupsPath", "and no cgroup", lambda f: eq(f.cgroups, [])),
    must("create-error-again", ERRORS, "", "and its id can be used"),
)


def no_process(world):
    with Box(world) as box:
        del box.config["process"]
        created = box.create()
        started = box.start()
        return Facts(create=created, start=started)


scenario(
    "lifecycle",
    no_process,
    must("create-no-process", "config.md Process", "process", "process is required when start is called: create does without", lambda f: eq(f.create.rc, 0)),
    must("start-no-process", START, "process", "start generates an error when process was not set", lambda f: f.start.rc != 0),
)


def two_containers(world):
    with Box(world, args=["/probe", "sleep"]) as one, Box(world, args=["/probe", "sleep"]) as two:
        one.up()
        two.up()
        first, second = one.state(), two.state()
        needs(one.kill("KILL"), "kill")
        one.await_status("stopped")
        needs(one.delete(), "delete")
        return Facts(first=first, second=second, after=two.state())


scenario(
    "lifecycle",
    two_containers,
    must("two", STATE, "state.id state.pid", "two containers have each their own id and process", lambda f: holds(f.first["id"] != f.second["id"] and f.first["pid"] != f.second["pid"], f"{f}")),
    must("two-left", DELETE, "", "the end and deletion of one leave the other running", lambda f: eq(f.after, f.second)),
)


def same_id_other_user(world):
    """The scope of an operation: what created it can use it."""
    with Box(world, args=["/probe", "sleep"]) as box:
        box.up()
        other = world.call("state", box.id)
        return Facts(state=other)


scenario(
    "lifecycle",
    same_id_other_user,
    must("scope", "runtime.md Scope of a Container", "", "who created a container can use the operations on it", lambda f: eq(f.state.rc, 0)),
)


def shares_namespace(world):
    """A network namespace and a bind source that existed before."""
    with Box(world, args=["/probe", "sleep"]) as owner:
        owner.up()
        path = f"/proc/{owner.state()['pid']}/ns/net"
        changes = {
            "linux.namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts")] + [{"type": "network", "path": path}]
        }
        source = os.path.join(owner.dir, "given")
        os.mkdir(source)
        changes["mounts+"] = [{"destination": "/given", "type": "bind", "source": source, "options": ["bind"]}]
        with Box(world, changes, args=["/probe", "file", "/given/report"]) as guest:
            guest.up()
            guest.await_status("stopped")
            needs(guest.delete(), "delete")
        if not os.path.exists(os.path.join(source, "report")):
            raise Failed("the guest did not run")
        return Facts(owner=owner.state(), path=os.path.exists(path), source=os.listdir(source))


scenario(
    "lifecycle",
    shares_namespace,
    must("delete-shared", DELETE, "", "delete leaves a namespace that it was given by path", lambda f: holds(f.owner["status"] == "running" and f.path, f"{f}")),
    must("delete-shared-source", DELETE, "", "and the source of a bind mount", lambda f: eq(f.source, ["report"])),
)

scenario(
    "lifecycle",
    refusal(prepare=lambda box: os.rename(box.rootfs, box.rootfs + ".gone")),
    must("no-root", CREATE, "root.path", "a root folder that is not there is an error, and no container is created", refused),
)
scenario(
    "lifecycle",
    refusal({"process.args": ["/no/such/program"]}),
    must("no-program", START, "process.args", "a program that is not there is an error of create or start", refused_at_last),
)
