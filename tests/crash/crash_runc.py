# SPDX-License-Identifier: Apache-2.0
"""The commands of bock-runc, on containers that have much of what a container can have."""
import array
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import time

from crash_host import BUILD, PAYLOAD, SETTLE, Hangs, Host, call, cgroup_root, descendants, reap, strike

RUNC = os.environ.get("BOCK_RUNC", os.path.join(BUILD, "bock-runc/bock-runc"))
STATUS_OF_RUN = 7  # what the payload ends with in the foreground
EXISTS_NOT = "container does not exist"
OURS = ("bock", "memfd:")  # programs whose calls are struck: hooks and newuidmap are others'


class Skip(Exception):
    """This can't be tried here; the text is the reason."""


class Wrong(Exception):
    """What should not be."""


def user_of_tests():
    """An ordinary user with ids in /etc/subuid."""
    if os.geteuid() != 0:
        return None
    try:
        with open("/etc/subuid") as f:
            for line in f:
                name, first, count = line.strip().split(":")
                if int(count) >= 65536:
                    return pwd.getpwnam(name), int(first)
    except (FileNotFoundError, KeyError, ValueError):
        pass
    return None


class Bench:
    """A place with one bundle; the container of it always has the same id. flavour: a word, see FLAVOURS."""

    def __init__(self, base, flavour, systemd=False):
        self.base, self.flavour, self.systemd = base, flavour, systemd
        self.id = f"crash{os.getpid()}"
        self.bundle, self.state = f"{base}/bundle", f"{base}/state"
        self.out, self.hooks = f"{base}/out", f"{base}/hooks"
        self.user = None
        if flavour == "rootless":
            found = user_of_tests()
            if not found:
                raise Skip("no user with ids in /etc/subuid, or not root")
            self.user, self.subids = found
        self.cgroups = cgroup_root()
        self.env = {"PATH": os.environ["PATH"], "HOME": base, "ASAN_OPTIONS": "detect_leaks=0"}
        self.systemctl = ["systemctl"] if systemd else None
        if systemd and self.user:
            self.enter_session()
        self.lay()
        self.console = None
        if flavour == "tty":
            self.console = socket.socket(socket.AF_UNIX)
            self.console.bind(f"{base}/console")
            self.console.listen(8)
            self.console.settimeout(10)
        self.host = Host(self.id, [(self.state, (".cache",)), (self.bundle, ())], self.systemctl)
        self.print = self.good_print()

    def close(self):
        self.rt("delete", "--force", self.id)
        if self.console:
            self.console.close()
        if self.systemd and self.user:
            self.leave_session()

    # ---- a user's systemd

    def as_user(self, *args):
        return ["setpriv", "--reuid", str(self.user.pw_uid), "--regid", str(self.user.pw_gid), "--clear-groups", *args]

    def enter_session(self):
        """Whatever we run is in a service of the user's own manager from now on, as in a session of the user's."""
        uid, unit = self.user.pw_uid, f"bock-session{os.getpid()}.service"
        self.env["XDG_RUNTIME_DIR"] = f"/run/user/{uid}"
        self.systemctl = self.as_user("env", f"XDG_RUNTIME_DIR=/run/user/{uid}", "systemctl", "--user")
        subprocess.run(["systemctl", "start", f"user@{uid}.service"], check=True)
        subprocess.run([*self.systemctl[:-2], "systemd-run", "--user", "--quiet", "--collect", f"--unit={unit}",
                        "-p", "Delegate=yes", "sleep", "infinity"], check=True)
        path = subprocess.run([*self.systemctl, "show", "-P", "ControlGroup", unit], check=True, capture_output=True,
                              text=True).stdout.strip()
        with open("/proc/self/cgroup") as f:
            self.left = next(line for line in f if line.startswith("0::")).strip()[3:]
        self.session = unit
        self.move_to(path)

    def leave_session(self):
        self.move_to(self.left)
        subprocess.run([*self.systemctl, "stop", self.session], check=True)

    def move_to(self, path):
        with open(f"{self.cgroups}{path}/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))

    # ---- the bundle

    def lay(self):
        root = f"{self.bundle}/rootfs"
        for name in "proc", "dev", "sys", "tmp", "out", "bin", "etc", "mnt/a", "mnt/b", "etc/masked.d":
            os.makedirs(f"{root}/{name}")
        for name in "etc/hosts", "etc/masked", "etc/fixed":
            with open(f"{root}/{name}", "w") as f:
                f.write("x\n")
        os.makedirs(self.out)
        os.makedirs(self.hooks)
        os.makedirs(f"{self.base}/source")
        with open(f"{self.base}/hosts", "w") as f:
            f.write("127.0.0.1 here\n")
        shutil.copy(PAYLOAD, f"{root}/bin/payload")
        shutil.copy("/bin/busybox", f"{root}/bin/true")
        subprocess.run([RUNC, "spec", "-b", self.bundle] + (["--rootless"] if self.user else []), check=True)
        with open(f"{self.bundle}/config.json") as f:
            self.config = json.load(f)
        self.shape(self.config)
        with open(f"{self.bundle}/config.json", "w") as f:
            json.dump(self.config, f)
        os.chmod(self.base, 0o711)
        os.chmod(self.out, 0o777)
        os.chmod(self.hooks, 0o777)
        if self.user:
            subprocess.run(["chown", "-R", str(self.user.pw_uid), self.base], check=True)

    def hook(self, name):
        return {"path": "/usr/bin/touch", "args": ["touch", f"{self.hooks}/{name}"], "env": ["PATH=/usr/bin"]}

    def shape(self, c):
        p, linux = c["process"], c["linux"]
        c["root"] = {"path": "rootfs", "readonly": self.flavour != "rootless"}
        c["hostname"], c["domainname"] = "crash", "test"
        p.update(terminal=self.flavour == "tty", args=["/bin/payload", "/out/print", "stay"], cwd="/tmp",
                 env=["PATH=/bin", "A=b"], oomScoreAdj=500 if self.flavour != "rootless" else 600,
                 rlimits=[{"type": "RLIMIT_NOFILE", "soft": 512, "hard": 600}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])
        c["mounts"] += [
            {"destination": "/out", "type": "bind", "source": self.out, "options": ["rbind", "rw", "nosuid"]},
            {"destination": "/etc/hosts", "type": "bind", "source": f"{self.base}/hosts", "options": ["bind", "ro"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "size=64k"]},
        ]
        linux["maskedPaths"] = ["/etc/masked", "/etc/masked.d", "/proc/kcore", "/proc/keys"]
        linux["readonlyPaths"] = ["/etc/fixed", "/proc/sys", "/proc/irq"]
        linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NATIVE"] * 0, "syscalls": [
            {"names": ["acct"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77}]}
        c["hooks"] = {name: [self.hook(name)] for name in ("prestart", "createRuntime", "createContainer",
                                                           "poststart", "poststop")}
        if self.flavour == "sealed":
            c["hooks"]["startContainer"] = [{"path": "/bin/true", "args": ["true"]}]
        if self.flavour == "rootless":
            for kind, own in ("uid", self.user.pw_uid), ("gid", self.user.pw_gid):
                linux[f"{kind}Mappings"] = [{"containerID": 0, "hostID": own, "size": 1},
                                            {"containerID": 1, "hostID": self.subids, "size": 1000}]
            if self.systemd:
                linux["cgroupsPath"] = f"user.slice:bock:{self.id}"
            return
        linux["cgroupsPath"] = f"crash.slice:bock:{self.id}" if self.systemd else f"/{self.id}/a/{self.id}"
        linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
        linux["devices"] = [{"path": "/dev/odd", "type": "c", "major": 10, "minor": 200, "fileMode": 0o640, "uid": 5, "gid": 6}]
        linux["resources"] = {"devices": [{"allow": False, "access": "rwm"},
                                          {"allow": True, "type": "c", "major": 10, "minor": 200, "access": "rw"}]}
        with open(f"{self.cgroups}/cgroup.controllers") as f:
            controllers = f.read().split()
        if "pids" in controllers and "memory" in controllers:
            linux["resources"].update(pids={"limit": 200}, memory={"limit": 200 << 20, "reservation": 100 << 20})
        if self.flavour == "userns":
            linux["devices"] = []  # the host has no such device that could be bound
            linux["namespaces"].append({"type": "user"})
            ids = [{"containerID": 0, "hostID": 300000, "size": 65536}]
            linux["uidMappings"] = linux["gidMappings"] = ids
            subprocess.run(["chown", "-R", "300000:300000", f"{self.bundle}/rootfs", self.out], check=True)

    # ---- commands

    def argv(self, *args):
        line = [RUNC, "--root", self.state] + (["--systemd-cgroup"] if self.systemd else []) + list(args)
        return self.as_user(*line) if self.user else line

    def rt(self, *args):
        with open(f"{self.base}/rt.out", "w+") as out, open(f"{self.base}/rt.err", "w+") as err:
            status = call(self.argv(*args), stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.env)
            out.seek(0)
            err.seek(0)
            return status, out.read(), err.read()

    def must(self, *args):
        status, out, err = self.rt(*args)
        if status != 0 or err:
            raise Wrong(f"{' '.join(args)}: status {status}: {err.strip()}")
        return out

    def create_args(self, *args):
        console = ["--console-socket", f"{self.base}/console"] if self.console else []
        return [args[0], "-b", self.bundle, *console, *args[1:], self.id]

    def struck(self, args, how=()):
        if self.user:
            how = ["--execs", "2", *how]
        shutil.rmtree(f"{self.state}/.cache", ignore_errors=True)  # or the profile is not compiled again
        return strike(self.base, self.argv(*args), how, env=self.env)

    def take_console(self):
        if not self.console:
            return
        self.console.setblocking(False)
        while True:
            try:
                peer, _ = self.console.accept()
            except BlockingIOError:
                return
            # the master is kept until the container is gone: a closed one would hang it up
            fds = array.array("i")
            try:
                peer.settimeout(5)
                _, anc, _, _ = peer.recvmsg(4096, socket.CMSG_LEN(fds.itemsize))
                for _, _, data in anc:
                    fds.frombytes(data[:fds.itemsize])
                self.masters.extend(fds)
            except OSError:
                pass
            peer.close()

    def fresh(self):
        """Nothing of the last turn is there."""
        for fd in getattr(self, "masters", ()):
            os.close(fd)
        self.masters = []
        for folder in self.out, self.hooks:
            for name in os.listdir(folder):
                os.unlink(f"{folder}/{name}")

    def create(self):
        self.must(*self.create_args("create"))
        self.take_console()

    def start(self):
        self.must("start", self.id)

    def running(self):
        self.create()
        self.start()
        self.read_print()

    def status(self):
        """As state and list say it; None: there is none. Between the two a watcher or so may be at work."""
        for nap in 0.1, 0.4, 1.5:
            try:
                return self.status_once()
            except Wrong:
                time.sleep(nap)
        return self.status_once()

    def status_once(self):
        status, out, err = self.rt("state", self.id)
        if status == 0:
            said = json.loads(out)
            if said["id"] != self.id or said["bundle"] != self.bundle or err:
                raise Wrong(f"state: {out} {err}")
            word = said["status"]
        elif status == 1 and EXISTS_NOT in err and not out:
            word = None
        else:
            raise Wrong(f"state: status {status}: {err.strip()} {out}")
        listed = {c["id"] for c in json.loads(self.must("list", "--format", "json")) or []}
        if listed != ({self.id} if word else set()):
            raise Wrong(f"state says {word}, list has {listed}")
        return word

    def wait_status(self, *words, seconds=10):
        deadline = time.monotonic() + seconds
        while True:
            word = self.status()
            if word in words or time.monotonic() > deadline:
                return word
            time.sleep(0.01)

    def init_pid(self):
        return json.loads(self.must("state", self.id))["pid"]

    # ---- what the container saw

    def read_print(self, name="print", seconds=10):
        deadline = time.monotonic() + seconds
        while True:
            try:
                with open(f"{self.out}/{name}") as f:
                    return self.plain(f.read())
            except FileNotFoundError:
                if time.monotonic() > deadline or self.status() == "stopped":
                    raise Wrong("the container's program never ran") from None
                time.sleep(0.002)

    def plain(self, text):
        text = re.sub(r"keyring;(\d+);(\d+);[0-9a-f]+;.*", r"keyring;\1;\2", text)
        # /dev/pts has what the host's other terminals let it have; inode tables are as large as the memory that is free
        return re.sub(r"(,size=\d+k)?,nr_inodes=\d+", "", text)

    def good_print(self):
        self.fresh()
        self.create()
        self.start()
        text = self.read_print()
        self.must("delete", "--force", self.id)
        self.complain(self.host.left())
        return text

    def check_print(self):
        text = self.read_print()
        if text != self.print:
            ours, theirs = set(self.print.splitlines()), set(text.splitlines())
            raise Wrong(f"the container is not whole: lacks {sorted(ours - theirs)}, has {sorted(theirs - ours)}")

    def check_hooks(self, struck, *names):
        if struck and "hook" in struck.err:
            return  # it was said that they did not
        missing = set(names) - set(os.listdir(self.hooks))
        if missing:
            raise Wrong(f"hooks did not run: {missing}")

    @staticmethod
    def complain(left):
        if left:
            raise Wrong("left behind: " + "; ".join(left))

    def sweep(self):
        """After anything: delete --force takes all of it away, and says nothing."""
        self.must("delete", "--force", self.id)
        self.take_console()
        self.complain(self.host.left())

    def rescue(self):
        """After a complaint, so that the next turn begins clean; nothing is judged."""
        self.rt("resume", self.id)
        self.rt("delete", "--force", self.id)
        self.host.left(2)
        self.host = Host(self.id, self.host.folders, self.systemctl)


class Command:
    """One command line that is broken. words: the status that may be there after it was killed."""

    good = 0
    words = ("running",)
    clean = False  # when it fails, nothing is left, without any delete

    def __init__(self, name, args, **more):
        self.name, self.args_ = name, args
        self.__dict__.update(more)

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
        else:
            self.after_kill(b)


class Create(Command):
    words = (None, "stopped", "created")
    clean = True

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
            json.dump({"devices": [{"allow": False, "access": "rwm"},
                                   {"allow": True, "type": "c", "major": 1, "minor": 1, "access": "r"}],
                       **({"pids": {"limit": 150}, "memory": {"limit": 150 << 20}} if "pids" in b.config["linux"]["resources"]
                          else {})}, f)
        return ["update", "-r", f"{b.base}/resources", b.id]

    def check(self, b, struck):
        with open(f"{b.state}/{b.id}/resources.json") as f:
            kept = json.load(f)
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

COMMANDS = [
    Create("create", []),
    Start("start", ["start", "ID"]),
    RunDetached("run-d", []),
    Run("run", []),
    Exec("exec", [], good=STATUS_OF_RUN),
    Exec("exec-d", ["-d"]),
    Update("update", []),
    Kill("kill", ["kill", "ID", "KILL"]),
    Pause("pause", ["pause", "ID"]),
    Resume("resume", ["resume", "ID"]),
    Mounts("mounts-add", [], what="add"),
    Mounts("mounts-remove", [], what="remove"),
    Delete("delete", ["delete", "ID"], of="stopped"),
    Delete("delete-created", ["delete", "ID"], of="created"),
    Delete("delete-force", ["delete", "--force", "ID"], of="running"),
    Look("state", ["state", "ID"]),
    Look("list", ["list"]),
    Look("ps", ["ps", "ID"]),
]
FLAVOURS = ["root", "userns", "sealed", "tty", "rootless"]
