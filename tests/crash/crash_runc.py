# SPDX-License-Identifier: Apache-2.0
"""Containers that have much of what a container can have, and what holds of them."""
import array
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import time

from crash_host import BUILD, PAYLOAD, TOP, Host, call, cgroup_root, strike

RUNC = os.environ.get("BOCK_RUNC", os.path.join(BUILD, "bock-runc/bock-runc"))
EXISTS_NOT = "container does not exist"
OURS = ("bock", "memfd:")  # programs whose calls are struck: hooks and newuidmap are others'
FLAVOURS = ["root", "userns", "sealed", "tty", "net", "rootless"]
DEVICES = {"bkcrash0": "eth0", "bkcrash1": ""}  # network devices, and their names in the container; each has a peer
CRIU_FAKE = os.path.join(TOP, "tests/helpers/criu-fake")
CRIU_NEEDS = "/usr/lib/python3/dist-packages/pycriu/rpc_pb2.py"  # of Debian's criu


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
        self.make_devices()
        self.host = Host(self.id, [(self.state, (".cache",)), (self.bundle, ())], self.systemctl)
        self.print = self.good_print()

    def close(self):
        self.rt("delete", "--force", self.id)
        self.remove_devices()
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

    # ---- network devices

    def make_devices(self):
        """In the network namespace that is ours alone; each is one end of a pair, whose other end stays here."""
        if self.flavour != "net":
            return
        self.remove_devices()
        script = ""
        for i, name in enumerate(DEVICES):
            script += (f"link add {name} type veth peer name {name}p\nlink set {name} mtu 140{i}\n"
                       f"addr add 10.77.{i}.1/24 dev {name}\n")
        made = subprocess.run(["ip", "-batch", "-"], input=script, capture_output=True, text=True, check=False)
        if made.returncode:
            raise Skip(f"no veth devices: {made.stderr.strip()}")

    def remove_devices(self):
        # what has become of a pair whose other end is in a namespace that ends is the kernel's, which takes its time
        for name in DEVICES if self.flavour == "net" else ():
            for each in name, f"{name}p":
                subprocess.run(["ip", "link", "del", each], stderr=subprocess.DEVNULL, check=False)

    def check_devices(self):
        """All of them are here, or none."""
        with open("/proc/self/net/dev") as f:
            here = {line.split(":")[0].strip() for line in f} & set(DEVICES)
        if here and here != set(DEVICES):
            raise Wrong(f"of the network devices only {here} are here")

    # ---- criu

    def lay_criu(self):
        """A criu that is none, and images that it does not read."""
        os.makedirs(f"{self.base}/fake")
        os.makedirs(f"{self.base}/images")
        with open(f"{self.base}/criu", "w") as f:
            f.write(f"#!/bin/sh\nexec {CRIU_FAKE} {self.base}/fake \"$@\"\n")
        os.chmod(f"{self.base}/criu", 0o755)

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
        self.lay_criu()
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
        if self.flavour == "net":
            linux["netDevices"] = {name: {"name": inside} if inside else {} for name, inside in DEVICES.items()}
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
        self.make_devices()
        for folder in self.out, self.hooks, f"{self.base}/fake", f"{self.base}/images":
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
        self.make_devices()
        self.host = Host(self.id, self.host.folders, self.systemctl)
