# SPDX-License-Identifier: Apache-2.0
"""What a program may leave behind on this machine, and the driver (strike.c) that stops it in the middle."""
import ctypes
import os
import signal
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
MS_REC_PRIVATE = (1 << 14) | (1 << 18)
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
SETTLE = 10  # seconds that the kernel may take to remove what was killed
HANG = int(os.environ.get("CRASH_HANG", 60))  # seconds after which a command hangs

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BOCK_BUILDDIR", os.path.join(TOP, "build")))
STRIKE = os.path.join(BUILD, "tests/crash/strike")
PAYLOAD = os.path.join(BUILD, "tests/crash/payload")
LIBC = ctypes.CDLL(None, use_errno=True)


def enclose():
    """Orphans come to us, mounts and sockets of others don't."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.geteuid() == 0:
        if LIBC.unshare(CLONE_NEWNS | CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), "unshare")
        if LIBC.mount(b"none", b"/", None, MS_REC_PRIVATE, None) < 0:
            raise OSError(ctypes.get_errno(), "make mounts private")


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


class Hangs(Exception):
    """A command has not ended in time."""


def call(argv, **more):
    """Runs argv and returns its status (128 + signal); who is an orphan meanwhile is reaped by us, as init would."""
    def late(_signal, _frame):
        raise Hangs(f"{argv} has not ended after {2 * HANG} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(2 * HANG)
    try:
        child = subprocess.Popen(argv, **more)
        while True:
            done, status = os.waitpid(-1, 0)
            if done == child.pid:
                child.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
                return child.returncode
    finally:
        signal.alarm(0)


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                found += [int(word) for word in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def descendants():
    """All processes below us, but zombies of which we are not the parent (they are reaped by whoever is)."""
    todo, found = children(os.getpid()), []
    while todo:
        pid = todo.pop()
        todo += children(pid)
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read().replace(b"\0", b" ").decode(errors="replace").strip()
            with open(f"/proc/{pid}/stat") as f:
                line += f" ({f.read().split(')')[-1].split()[0]})"
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.append((pid, line))
    return found


def cgroup_root():
    for path in "/sys/fs/cgroup", "/sys/fs/cgroup/unified":
        if os.path.exists(os.path.join(path, "cgroup.subtree_control")) or os.path.exists(
            os.path.join(path, "cgroup.procs")) and "cgroup2" in subprocess.run(
                ["stat", "-f", "-c", "%T", path], capture_output=True, text=True).stdout:
            return path
    return None


def tree(path, but=()):
    """Every file below, with its kind and size."""
    found = set()
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if name not in but]
        for name in folders + files:
            full = os.path.join(folder, name)
            try:
                st = os.lstat(full)
            except FileNotFoundError:
                continue
            found.add(f"file {full} {st.st_mode:o}")
    return found


class Host:
    """The machine as it was, and what is there now that was not."""

    def __init__(self, tag, folders, systemctl=None):
        """systemctl: the command that asks the systemd that has the units, if one has."""
        self.tag, self.folders, self.systemctl = tag, folders, systemctl
        self.cgroups = cgroup_root()
        reap()
        self.known = {pid for pid, _ in descendants()}
        self.before = self.look()

    def look(self):
        found = set()
        with open("/proc/self/mountinfo") as f:
            for line in f:
                word = line.split()
                found.add(f"mount {word[4]} {' '.join(word[word.index('-') + 1:][:2])}")
        with open("/proc/net/unix") as f:
            for line in f.readlines()[1:]:
                word = line.split()
                if len(word) > 7:
                    found.add(f"socket {word[7]}")
        with open("/proc/self/net/dev") as f:
            found |= {f"device {line.split(':')[0].strip()}" for line in f.readlines()[2:]}
        for folder, but in self.folders:
            found |= tree(folder, but)
        if self.cgroups:
            for folder, folders, _ in os.walk(self.cgroups):
                for name in folders:
                    if self.tag in name:
                        found.add(f"cgroup {folder}/{name}")
        if self.systemctl:
            found |= {f"unit {line.strip()}" for line in self.units().splitlines()}
        return found

    def units(self):
        for try_ in range(3):
            ran = subprocess.run([*self.systemctl, "list-units", "--all", "--plain", "--no-legend", f"*{self.tag}*"],
                                 capture_output=True, text=True, check=False)
            if ran.returncode == 0:
                return ran.stdout
            time.sleep(try_)  # a busy machine's systemd may let a connection wait too long
        raise OSError(f"systemctl list-units: {ran.stderr.strip()}")

    def left(self, seconds=SETTLE, known=()):
        """What is new, once it does not go away by itself."""
        deadline = time.monotonic() + seconds
        nap = 0.001
        while True:
            reap()
            new = [f"process {pid} {line}" for pid, line in descendants()
                   if pid not in self.known and pid not in known]
            new += sorted(self.look() - self.before)
            if not new or time.monotonic() > deadline:
                return new
            time.sleep(nap)
            nap = min(2 * nap, 0.1)


class Point:
    def __init__(self, line):
        process, call, self.name, self.exe, self.what = line.rstrip("\n").split("\t")
        self.process, self.call = int(process), int(call)

    def __str__(self):
        return f"{self.process}:{self.call} {self.name}({self.what}) in {self.exe}"


class Struck:
    """How a run of the driver went: status (128 + signal), what was said, the point (None: not passed)."""

    def __init__(self, status, out, err, points):
        self.status, self.out, self.err, self.points = status, out, err, points
        self.point = points[0] if points else None


def strike(folder, argv, how=(), env=None):
    """Runs argv under the driver; how: its options. What stays behind keeps the output, so it goes to files."""
    report, out, err = (os.path.join(folder, name) for name in ("report", "stdout", "stderr"))
    with open(out, "w") as o, open(err, "w") as e:
        status = call([STRIKE, "--timeout", str(HANG), "--leave", "payload", "--report", report, *how, "--", *argv],
                      stdin=subprocess.DEVNULL, stdout=o, stderr=e, env=env)
    with open(out, errors="replace") as o, open(err, errors="replace") as e, open(report, errors="replace") as r:
        return Struck(status, o.read(), e.read(), [Point(line) for line in r])
