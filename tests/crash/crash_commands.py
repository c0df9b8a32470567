# SPDX-License-Identifier: Apache-2.0
"""The commands of bock-runc that are broken: what is there before, and what must hold afterwards."""
import json
import os
import time

from crash_host import SETTLE, descendants, reap
from crash_runc import CRIU_NEEDS, Wrong

STATUS_OF_RUN = 7  # what the payload ends with in the foreground


class Command:
    """One command line that is broken. words: the status that may be there after it was killed."""

    good = 0
    words = ("running",)
    clean = False  # when it fails, nothing is left, without any delete
    users = True  # a user may; "systemd": who has a cgroup of his systemd's
    net = False  # network devices matter

    def __init__(self, name, args, **more):
        self.name, self.args_ = name, args
        self.__dict__.update(more)

    def fits(self, b):
        if b.flavour == "net":
            return self.net
        return not b.user or self.users is True or self.users == "systemd" and b.systemd

    def args(self, b):
        return [word.replace("ID", b.id) for word in self.args_]

    def prepare(self, b):
        b.running()

    def check(self, b, struck):
        """It says that it succeeded: did it?"""

    def after_kill(self, b):
        word = b.status()
        if word not in self.words:
            raise Wrong(f"state says {word}")
        return word

    def may_die(self, b):
        return b.status() in ("stopped", None)

    def failed(self, b):
        """It failed and said so: what may be there is as after a kill."""
        if self.clean:
            b.complain(b.host.left(2))
            if self.mode == "fault":  # a bock-net that is killed puts nothing back
                b.check_devices()
        else:
            self.after_kill(b)


class Create(Command):
    words = (None, "stopped", "created")
    clean = True
    net = True

    def args(self, b):
        return b.create_args("create")

    def prepare(self, b):
        pass

    def check(self, b, struck):
        b.take_console()
        if b.status() != "created":
            raise Wrong(f"created, and state says {b.status()}")
        b.check_hooks(struck, "prestart", "createRuntime", "createContainer")
        b.start()
        b.check_print()

    def after_kill(self, b):
        b.take_console()
        # one that still says creating or created may be about to notice that it is alone
        word = super().after_kill(b)
        if word == "created":
            status, _, err = b.rt("start", b.id)
            if status == 0:
                b.check_hooks(None, "prestart", "createRuntime", "createContainer")
                b.check_print()
            elif status != 1 or len(err.splitlines()) != 1:
                raise Wrong(f"start afterwards: {status} {err}")
        return word


class Start(Command):
    words = ("created", "running", "stopped")

    @staticmethod
    def settled(b):
        """Runs, as a whole; or is being killed, because a poststart hook failed."""
        try:
            b.check_print()
        except Wrong:
            if b.status() != "stopped":
                raise

    def prepare(self, b):
        b.create()

    def check(self, b, struck):
        b.check_print()
        b.check_hooks(struck, "poststart")
        if b.status() != "running":
            raise Wrong(f"started, and state says {b.status()}")

    def after_kill(self, b):
        word = super().after_kill(b)
        if word == "running":
            self.settled(b)
        return word


class RunDetached(Create):
    words = (None, "stopped", "created", "running")

    def after_kill(self, b):
        b.take_console()
        word = Command.after_kill(self, b)
        if word == "running":
            Start.settled(b)
        return word

    def args(self, b):
        return b.create_args("run", "-d")

    def check(self, b, struck):
        b.take_console()
        b.check_print()
        b.check_hooks(struck, "prestart", "createRuntime", "createContainer", "poststart")
        if b.status() != "running":
            raise Wrong(f"it runs, and state says {b.status()}")


class Run(Command):
    words = (None, "stopped", "created", "running")
    clean = True
    net = True
    good = STATUS_OF_RUN

    def args(self, b):
        return b.create_args("run")

    def prepare(self, b):
        b.config["process"]["args"][-1] = str(STATUS_OF_RUN)
        self.write(b)

    @staticmethod
    def write(b):
        with open(f"{b.bundle}/config.json", "w") as f:
            json.dump(b.config, f)

    def finish(self, b):
        b.config["process"]["args"][-1] = "stay"
        self.write(b)

    def check(self, b, struck):
        b.check_print()
        b.check_hooks(struck, "prestart", "createRuntime", "createContainer", "poststart", "poststop")
        b.complain(b.host.left(2))

    def after_kill(self, b):
        """The watcher deletes what a killed runtime has left, unless it was killed too."""
        if self.mode == "main":
            b.complain(b.host.left())
        super().after_kill(b)


class Exec(Command):
    def args(self, b):
        return ["exec", *self.args_, b.id, "/bin/payload", "/out/exec", "stay" if "-d" in self.args_ else str(self.good)]

    def check(self, b, struck):
        text = b.read_print("exec")
        if not hasattr(b, "exec_print"):
            b.exec_print = text
        elif text != b.exec_print:
            raise Wrong(f"the process is not whole: {set(text.splitlines()) ^ set(b.exec_print.splitlines())}")

    def may_die(self, b):
        return b.status() == "running" and not os.path.exists(f"{b.out}/exec")

    def failed(self, b):
        """Of the process that was to be nothing is left."""
        super().failed(b)
        init, deadline = b.init_pid(), time.monotonic() + SETTLE
        while True:
            more = [f"process {pid} {line}" for pid, line in descendants() if pid != init and pid not in b.host.known]
            if not more:
                return
            if time.monotonic() > deadline:
                b.complain(more)
            reap()
            time.sleep(0.01)


class Kill(Command):
    words = ("running", "stopped")

    def check(self, b, struck):
        if b.wait_status("stopped") != "stopped":
            raise Wrong("killed, and it runs")


class Pause(Command):
    words = ("running", "paused")

    def check(self, b, struck):
        if b.status() != "paused":
            raise Wrong(f"paused, and state says {b.status()}")

    def after_kill(self, b):
        if super().after_kill(b) == "paused":
            b.must("resume", b.id)
        if b.status() != "running":
            raise Wrong(f"after resume: {b.status()}")


class Resume(Pause):
    def prepare(self, b):
        b.running()
        b.must("pause", b.id)

    def check(self, b, struck):
        if b.status() != "running":
            raise Wrong(f"resumed, and state says {b.status()}")


class Delete(Command):
    words = (None, "running", "stopped", "created")

    def prepare(self, b):
        if self.of == "created":
            b.create()
            return
        b.running()
        if self.of == "stopped":
            b.must("kill", b.id, "KILL")
            b.wait_status("stopped")

    def check(self, b, struck):
        b.complain(b.host.left())
        b.check_hooks(struck, "poststop")


class Update(Command):
    def args(self, b):
        with open(f"{b.base}/resources", "w") as f:
            # a user's has nothing that could be set here, and is kept all the same
            json.dump({} if b.user else {"devices": [{"allow": False, "access": "rwm"},
                                   {"allow": True, "type": "c", "major": 1, "minor": 1, "access": "r"}],
                       **({"pids": {"limit": 150}, "memory": {"limit": 150 << 20}} if "pids" in b.config["linux"]["resources"]
                          else {})}, f)
        return ["update", "-r", f"{b.base}/resources", b.id]

    def check(self, b, struck):
        with open(f"{b.state}/{b.id}/resources.json") as f:
            kept = json.load(f)
        if b.user:
            return
        if not any(d.get("minor") == 1 for d in kept["devices"]):
            raise Wrong(f"updated, and the state has {kept}")
        if "pids" in b.config["linux"]["resources"]:
            with open(f"/proc/{b.init_pid()}/cgroup") as f:
                path = b.cgroups + [line for line in f if line.startswith("0::")][0].strip()[3:]
            with open(f"{path}/pids.max") as f:
                if f.read().strip() != "150":
                    raise Wrong("updated, and pids.max is not")

    def after_kill(self, b):
        super().after_kill(b)
        b.must(*self.args(b))
        self.check(b, None)


class Mounts(Command):
    def args(self, b):
        mounts = [{"destination": f"/mnt/{name}", "type": "bind", "source": f"{b.base}/source", "options": ["bind", "ro"]}
                  for name in "ab"]
        with open(f"{b.base}/mounts", "w") as f:
            json.dump(mounts, f)
        return ["mounts", self.what, b.id, f"{b.base}/mounts"]

    def prepare(self, b):
        b.running()
        if self.what == "remove":
            b.must("mounts", "add", *self.args(b)[2:])

    def there(self, b):
        with open(f"/proc/{b.init_pid()}/mountinfo") as f:
            return sum(1 for line in f if line.split()[4].startswith("/mnt/"))

    def check(self, b, struck):
        if self.there(b) != (2 if self.what == "add" else 0):
            raise Wrong(f"{self.there(b)} mounts")

    def after_kill(self, b):
        super().after_kill(b)
        # what is killed in the middle of the container's own namespaces has done half of it, which delete takes away
        if self.mode == "main":
            deadline = time.monotonic() + 5
            while self.there(b) == 1 and time.monotonic() < deadline:
                time.sleep(0.01)
            if self.there(b) == 1:
                raise Wrong("one of two mounts")


class Look(Command):
    """What changes nothing says what it says when nothing is broken."""

    def check(self, b, struck):
        _, out, _ = b.rt(*self.args(b))
        if out != struck.out:
            raise Wrong(f"it says {struck.out!r} instead of {out!r}")



class Checkpoint(Command):
    """By tests/helpers/criu-fake, which kills what it dumps."""

    users = False
    words = ("running", "stopped", None)

    def fits(self, b):
        # a terminal needs more of a criu than there is
        return super().fits(b) and b.flavour != "tty" and os.path.exists(CRIU_NEEDS)

    @staticmethod
    def options(b):
        return ["--criu", f"{b.base}/criu", "--image-path", f"{b.base}/images"]

    def args(self, b):
        return ["checkpoint", *self.options(b), *self.args_, b.id]

    def check(self, b, struck):
        with open(f"{b.base}/images/descriptors.json") as f:
            if len(json.load(f)) != 6:
                raise Wrong("checkpointed, and the images have not what restore reads")
        if self.args_:
            if b.status() != "running":
                raise Wrong(f"checkpointed and left running, and state says {b.status()}")
        elif not struck.err:
            b.complain(b.host.left())


class Restore(Checkpoint):
    # one that is killed when the process is there, and not yet released
    words = (None, "creating", "stopped", "running")
    clean = True

    def prepare(self, b):
        with open(f"{b.base}/images/descriptors.json", "w") as f:
            json.dump(["/dev/null"] * 3, f)

    def args(self, b):
        return ["restore", *self.options(b), "-b", b.bundle, "-d", b.id]

    def check(self, b, struck):
        if b.status() != "running":
            raise Wrong(f"restored, and state says {b.status()}")
        b.check_hooks(struck, "prestart", "createRuntime")
        with open(f"/proc/{b.init_pid()}/cgroup") as f:
            if b.id not in f.read():
                raise Wrong("restored outside of its cgroup")


COMMANDS = [
    Create("create", []),
    Start("start", ["start", "ID"]),
    RunDetached("run-d", []),
    Run("run", []),
    Exec("exec", [], good=STATUS_OF_RUN),
    Exec("exec-d", ["-d"]),
    Update("update", [], users="systemd"),
    Kill("kill", ["kill", "ID", "KILL"]),
    Pause("pause", ["pause", "ID"], users="systemd"),
    Resume("resume", ["resume", "ID"], users="systemd"),
    Mounts("mounts-add", [], what="add", users=False),
    Mounts("mounts-remove", [], what="remove", users=False),
    Delete("delete", ["delete", "ID"], of="stopped"),
    Delete("delete-created", ["delete", "ID"], of="created"),
    Delete("delete-force", ["delete", "--force", "ID"], of="running", net=True),
    Look("state", ["state", "ID"]),
    Look("list", ["list"]),
    Look("ps", ["ps", "ID"]),
    Checkpoint("checkpoint", []),
    Checkpoint("checkpoint-live", ["--leave-running"]),
    Restore("restore", []),
]
