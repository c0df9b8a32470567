# SPDX-License-Identifier: Apache-2.0
"""What the groups of tests are written with.

A scenario does something with the runtime once and returns facts, mostly the report of the probe that ran
as the container's process. Its checks are tests: each names its level, where in the specification the
sentence stands, which properties of config.json it proves, and a function of the facts which says whether
it holds. When a scenario fails (the runtime refused), so do all of its checks; so what a runtime may lack has a
scenario of its own.
"""
import copy
import json
import os
import re
import shutil
import subprocess
import threading
import time

TIMEOUT = 20  # seconds a command may take


class Skip(Exception):
    """This can't be asked here; the text is the reason."""


class Failed(Exception):
    """The check does not hold, and why."""


# ---- declaring -----------------------------------------------------------------------------------


class Check:
    def __init__(self, level, name, section, props, text, test, skip):
        self.level, self.name, self.section, self.text = level, name, section, text
        self.props = props.split()
        self.test, self.skip = test, skip


class Scenario:
    def __init__(self, group, facts, checks, need):
        self.group, self.facts, self.checks, self.need = group, facts, checks, need


SCENARIOS = []


def must(name, section, props, text, test=lambda f: True, skip=None):
    return Check("MUST", name, section, props, text, test, skip)


def should(name, section, props, text, test=lambda f: True, skip=None):
    return Check("SHOULD", name, section, props, text, test, skip)


def may(name, section, props, text, test=lambda f: True, skip=None):
    """What a runtime may do; if it refuses, that's no failure."""
    return Check("MAY", name, section, props, text, test, skip)


def scenario(group, facts, *checks, need=None):
    SCENARIOS.append(Scenario(group, facts, checks, need))


# ---- saying what is expected ---------------------------------------------------------------------


def eq(got, want):
    if got != want:
        raise Failed(f"it is {got!r}, expected {want!r}")
    return True


def same_set(got, want):
    missing, extra = sorted(set(want) - set(got)), sorted(set(got) - set(want))
    if missing or extra:
        raise Failed(f"missing {missing}, too much {extra}")
    return True


def holds(value, what):
    if not value:
        raise Failed(what)
    return True


class Facts(dict):
    """Facts, as attributes. A report of the probe is `r`."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError as e:
            raise AttributeError(name) from e

    def mount(self, target):
        """The topmost mount at TARGET."""
        found = [m for m in self["r"]["mounts"] if m["target"] == target]
        if not found:
            raise Failed(f"nothing is mounted on {target}")
        return found[-1]

    def options(self, target):
        return self.mount(target)["options"].split(",")

    def tried(self, text):
        outcome = self["r"]["tries"][text]
        if "signal" in outcome:
            return f"signal {outcome['signal']}"
        return outcome["result"]

    def data(self, text):
        outcome = self["r"]["tries"][text]
        if outcome.get("result") != "ok":
            raise Failed(f"{text}: {outcome}")
        return outcome["data"]

    def value(self, text):
        outcome = self["r"]["tries"][text]
        if outcome.get("result") != "ok":
            raise Failed(f"{text}: {outcome}")
        return outcome["value"]


# ---- config.json ---------------------------------------------------------------------------------

DELETE = object()
PROC = {"destination": "/proc", "type": "proc", "source": "proc"}
DEV = {
    "destination": "/dev",
    "type": "tmpfs",
    "source": "tmpfs",
    "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
}
PTS = {
    "destination": "/dev/pts",
    "type": "devpts",
    "source": "devpts",
    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
}
SHM = {
    "destination": "/dev/shm",
    "type": "tmpfs",
    "source": "shm",
    "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
}
MQUEUE = {
    "destination": "/dev/mqueue",
    "type": "mqueue",
    "source": "mqueue",
    "options": ["nosuid", "noexec", "nodev"],
}
SYS = {
    "destination": "/sys",
    "type": "sysfs",
    "source": "sysfs",
    "options": ["nosuid", "noexec", "nodev", "ro"],
}


def granted():
    """The names of the capabilities that we may hand out."""
    names = CAPABILITIES
    for line in open("/proc/self/status", encoding="ascii"):
        if line.startswith("CapBnd:"):
            bits = int(line.split()[1], 16)
            return [names[i] for i in range(len(names)) if bits >> i & 1]
    return []


CAPABILITIES = [
    "CAP_" + name
    for name in """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
    LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE
    SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
    WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()
]


def base():
    """A configuration that every runtime takes: all capabilities that there are, six namespaces."""
    caps = granted()
    return {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs"},
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["/probe", "report"],
            "env": ["PATH=/bin"],
            "cwd": "/",
            "capabilities": {k: list(caps) for k in ("bounding", "effective", "permitted")},
        },
        "mounts": copy.deepcopy([PROC, DEV, PTS, SHM, MQUEUE, SYS]),
        "linux": {
            "namespaces": [
                {"type": t} for t in ("pid", "network", "ipc", "uts", "mount", "cgroup")
            ]
        },
    }


def edit(config, changes):
    """Sets members by their path, "linux.sysctl"; DELETE removes; a path that ends in + appends a list."""
    for path, value in changes.items():
        *way, last = path.rstrip("+").split(".")
        at = config
        for key in way:
            at = at.setdefault(key, {})
        if value is DELETE:
            at.pop(last, None)
        elif path.endswith("+"):
            at[last] = at.get(last, []) + copy.deepcopy(value)
        else:
            at[last] = copy.deepcopy(value)
    return config


def namespaces(*types, **paths):
    """linux.namespaces of these types, and others by path."""
    return [{"type": t} for t in types] + [{"type": t, "path": p} for t, p in paths.items()]


# ---- the runtime and its containers --------------------------------------------------------------


class World:
    """The runtime under test and the places of this run."""

    def __init__(self, runtime, probe, work):
        self.runtime, self.work = runtime, work
        self.state = os.path.join(work, "state")
        self.template = os.path.join(work, "probe")
        shutil.copy(probe, self.template)
        os.chmod(self.template, 0o755)
        self.lock = threading.RLock()
        self.count = 0
        self.cached = {}

    def once(self, key, function):
        """What FUNCTION returned the first time."""
        with self.lock:
            if key not in self.cached:
                self.cached[key] = function()
            return self.cached[key]

    def number(self):
        with self.lock:
            self.count += 1
            return self.count

    def call(self, *words, wrap=(), cwd=None, stdin=None, output=None, timeout=TIMEOUT, env=None, fds=()):
        """Runs the runtime. Its output goes through files: containers may keep them open."""
        n = self.number()
        out = output or os.path.join(self.work, f"out{n}")
        err = os.path.join(self.work, f"err{n}")
        argv = [*wrap, self.runtime, "--root", self.state, *words]
        with open(out, "wb") as o, open(err, "wb") as e, open(stdin or "/dev/null", "rb") as i:
            p = subprocess.Popen(argv, stdin=i, stdout=o, stderr=e, cwd=cwd, env=env, pass_fds=fds)
            try:
                rc = p.wait(timeout)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
                rc = -1
        with open(out, errors="replace", encoding="utf-8") as o, open(err, errors="replace", encoding="utf-8") as e:
            result = Facts(rc=rc, out=o.read(), err=e.read() + ("timed out\n" if rc == -1 else ""))
        os.unlink(err)
        if not output:
            os.unlink(out)
        return result

    def sanitized(self):
        """Whether the program is built with AddressSanitizer."""

        def look():
            with open(self.runtime, "rb") as f:
                return b"__asan_init" in f.read()

        return self.once("sanitized", look)

    def features(self):
        def ask():
            done = self.call("features")
            try:
                return json.loads(done.out) if done.rc == 0 else None
            except ValueError:
                return None

        return self.once("features", ask)


class Box:
    """A bundle, and the container made of it."""

    def __init__(self, world, changes=None, config=None, args=None):
        n = world.number()
        self.world = world
        self.id = f"conf-{os.getpid()}-{n}"
        self.dir = os.path.join(world.work, f"b{n}")
        self.rootfs = os.path.join(self.dir, "rootfs")
        for name in ("proc", "sys", "dev", "bin", "tmp", "etc", "conf"):
            os.makedirs(os.path.join(self.rootfs, name))
        os.chmod(self.path("tmp"), 0o1777)
        os.chmod(self.path("conf"), 0o777)
        for name in ("probe", "bin/probe"):
            os.link(world.template, self.path(name))
        self.config = config if config is not None else edit(base(), changes or {})
        if args is not None:
            self.config["process"]["args"] = list(args)

    def path(self, name):
        """Of a file in the container's root, on the host."""
        return os.path.join(self.rootfs, name.lstrip("/"))

    def write(self, text=None):
        with open(os.path.join(self.dir, "config.json"), "w", encoding="utf-8") as f:
            f.write(json.dumps(self.config) if text is None else text)

    def file(self, name, text="", mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def call(self, command, *words, **options):
        return self.world.call(command, *words, self.id, **options)

    def run(self, *words, **options):
        self.write()
        return self.call("run", "--bundle", self.dir, *words, **options)

    def create(self, *words, **options):
        self.write()
        options.setdefault("output", os.path.join(self.dir, "output"))
        return self.call("create", "--bundle", self.dir, *words, **options)

    def start(self):
        return self.call("start")

    def kill(self, signal):
        return self.world.call("kill", self.id, str(signal))

    def delete(self, *words):
        return self.call("delete", *words)

    def state(self):
        """The state, or None when there is none."""
        done = self.call("state")
        if done.rc != 0:
            return None
        try:
            return json.loads(done.out)
        except ValueError:
            return None

    def status(self):
        return (self.state() or {}).get("status")

    def await_status(self, status):
        return wait_for(lambda: self.status() == status, f"status {status}, which is {self.status()}")

    def report(self, name="conf/report"):
        """What the probe wrote to a file."""
        path = self.path(name)
        wait_for(lambda: os.path.exists(path), f"{name}, which the container's process should write")
        with open(path, encoding="utf-8") as f:
            return json.loads(f.read())

    def up(self, *words, **options):
        """create and start, which must succeed."""
        needs(self.create(*words, **options), "create")
        needs(self.start(), "start")
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.world.call("delete", "--force", self.id)


def needs(done, what):
    if done.rc != 0:
        raise Failed(f"{what} failed with {done.rc}: {done.err.strip()[-500:]}")
    return done


def wait_for(test, what, seconds=5):
    end = time.monotonic() + seconds
    while not (value := test()):
        if time.monotonic() > end:
            raise Failed(f"waited in vain for {what}")
        time.sleep(0.01)
    return value


# ---- scenarios that many tests share -------------------------------------------------------------


def probed(changes=None, tries=(), prepare=None, words=(), **options):
    """One run of the probe under base() with CHANGES; the facts are its report."""

    def facts(world):
        with Box(world, changes) as box:
            if prepare:
                prepare(box)
            if tries:
                box.config["process"]["args"] = ["/probe", "report", *tries]
            done = needs(box.run(*words, **options), "run")
            try:
                report = json.loads(done.out)
            except ValueError as e:
                raise Failed(f"no report but: {done.out[-300:]!r} {done.err[-300:]!r}") from e
            return Facts(r=report, box=box, err=done.err)

    return facts


def refusal(changes=None, prepare=None, text=None, **options):
    """create of what must be refused; the checks say `refused`."""

    def facts(world):
        with Box(world, {"process.args": ["/probe", "file", "/conf/ran"], **(changes or {})}) as box:
            if prepare:
                prepare(box)
            box.write(text)
            options.setdefault("output", os.path.join(box.dir, "output"))
            done = box.call("create", "--bundle", box.dir, **options)
            created = done.rc == 0
            started = box.start() if created else None
            if started is not None and started.rc == 0:
                wait_for(lambda: box.status() in (None, "stopped"), "its end")
            return Facts(
                create=done,
                start=started,
                left=box.state() if not created else None,
                ran=os.path.exists(box.path("conf/ran")),
                box=box,
            )

    return facts


def refused(f):
    """create generated an error and no container was created."""
    holds(f.create.rc != 0, f"create succeeded; start: {f.start and (f.start.rc, f.start.err.strip())}")
    holds(f.left is None, f"create failed, and left a container: {f.left}")
    return holds(not f.ran, "the program ran")


def refused_at_last(f):
    """create or start generated an error, and the program did not run."""
    holds(f.create.rc != 0 or f.start.rc != 0, "create and start succeeded")
    return holds(not f.ran, "the program ran")


def accepted(f):
    return holds(f.create.rc == 0, f"create failed: {f.create.err.strip()[-300:]}")


# ---- what this host has --------------------------------------------------------------------------


def cgroup2():
    """Where the cgroup v2 hierarchy is mounted."""
    for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(os.path.join(path, "cgroup.controllers")):
            return path
    return None


def need_cgroup2(_):
    if cgroup2() is None:
        raise Skip("no cgroup v2 hierarchy is mounted")


def need_controller(name):
    def check(world):
        need_cgroup2(world)
        with open(os.path.join(cgroup2(), "cgroup.controllers"), encoding="ascii") as f:
            if name not in f.read().split():
                raise Skip(f"cgroup v2 does not hold the controller {name} here (cgroup.controllers)")

    return check


def need_file(path, why):
    def check(_):
        if not os.path.exists(path):
            raise Skip(f"{why} ({path} is not there)")

    return check


def need_capability(name):
    def check(_):
        if name not in granted():
            raise Skip(f"we have no {name} to give (CapBnd in /proc/self/status)")

    return check


def mount(*words):
    """mount(8), in the mount namespace of this run."""
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"mount {' '.join(words)}: {done.stderr.strip()}")


def version_of(text):
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text or "")
    return tuple(int(n) for n in found.groups()) if found else None
