# SPDX-License-Identifier: Apache-2.0
"""config.md, process: arguments, environment, user, limits, capabilities, scheduling and the like."""
import json
import os
import subprocess

from suite import (CAPABILITIES, DELETE, Box, Facts, Skip, accepted, eq, granted, holds, may, must, need_capability,
                   need_file, needs, probed, refusal, refused, refused_at_last, same_set, scenario, should)

PROCESS = "config.md Process"
POSIX = "config.md POSIX process"
LINUX = "config.md Linux Process"
USER = "config.md POSIX-platform User"
VALUES = "config.md Valid values"

# ---- args, env, cwd ------------------------------------------------------------------------------

ODD = ["/probe", "report", "", "two words", "new\nline", "*", "\u00fc\u20ac", "--", "$HOME", "'"]
ENV = ["PATH=/bin", "A=1", "EMPTY=", "WITH=equals=signs", "SPACE=a b", "NEW=a\nb", "UTF=\u00fc"]


def utf(strings):
    """The probe prints bytes; JSON has text."""
    return [s.encode("latin-1").decode("utf-8") for s in strings]


def odd_report(world):
    return probed({"process.args": ODD, "process.env": ENV, "process.cwd": "/etc"})(world)


scenario(
    "process",
    odd_report,
    must("args", PROCESS, "process.args", "args are passed as they are, be they empty or odd", lambda f: eq(utf(f.r["args"]), ODD)),
    must("env", PROCESS, "process.env", "each variable of env is there with its value", lambda f: holds(set(ENV) <= set(utf(f.r["env"])), f.r["env"])),
    must("cwd", PROCESS, "process.cwd", "cwd is the working directory", lambda f: eq(f.r["cwd"], "/etc")),
    must("pid-1", PROCESS, "process", "the program is the container's first process", lambda f: eq(f.r["pid"], 1)),
    should("env-only", PROCESS, "process.env", "nothing of the runtime's environment is added (HOME aside)", lambda f: holds(
        {e.split("=")[0] for e in f.r["env"]} <= {e.split("=")[0] for e in ENV} | {"HOME", "container"}, f.r["env"])),
    should("session", PROCESS, "process", "the program leads a session of its own", lambda f: eq(f.r["sid"], 1)),
    should("signals-blocked", PROCESS, "process", "no signal is blocked", lambda f: eq(f.r["blocked"], [])),
    should("signals-ignored", PROCESS, "process", "no signal is ignored", lambda f: eq(f.r["ignored"], [])),
)
scenario(
    "process",
    probed({"process.args": ["probe", "report"], "process.env": ["PATH=/nowhere:/bin"]}),
    must("path", PROCESS, "process.args process.env", "the first of args is looked for in the PATH of env, as execvp does", lambda f: eq(f.r["args"][0], "probe")),
    must("path-exe", PROCESS, "process.args", "and found below the container's root", lambda f: eq(f.r["exe"], "/bin/probe")),
)
scenario(
    "process",
    probed({"process.args": ["bin/probe", "report"], "process.cwd": "/"}),
    must("args-relative", PROCESS, "process.args", "a first of args with a slash is a path from cwd", lambda f: eq(f.r["exe"], "/bin/probe")),
)
scenario(
    "process",
    probed({"process.env": DELETE, "process.args": ["/probe", "report"]}),
    must("env-absent", PROCESS, "process.env", "env may be absent"),
)
scenario("process", refusal({"process.cwd": "etc"}), must("cwd-relative", PROCESS, "process.cwd", "a relative cwd is an error", refused))
scenario("process", refusal({"process.cwd": DELETE}), must("cwd-absent", PROCESS, "process.cwd", "an absent cwd is an error", refused))
scenario("process", refusal({"process.args": []}), must("args-empty", PROCESS, "process.args", "empty args are an error", refused_at_last))
scenario("process", refusal({"process.args": DELETE}), must("args-absent", PROCESS, "process.args", "absent args are an error", refused_at_last))
scenario(
    "process",
    refusal({"process.args": ["/etc/plain"]}, prepare=lambda box: box.file("etc/plain", "text")),
    must("args-not-executable", PROCESS, "process.args", "a program that is not executable is an error", refused_at_last),
)

# ---- user ----------------------------------------------------------------------------------------

scenario(
    "user",
    probed({"process.user": {"uid": 1000, "gid": 2000, "additionalGids": [5, 6, 70000], "umask": 0o027}}, ["create /conf/new"]),
    must("uid", USER, "process.user.uid", "uid is the user id: real, effective and saved", lambda f: eq(f.r["uids"], [1000] * 3)),
    must("gid", USER, "process.user.gid", "gid is the group id: real, effective and saved", lambda f: eq(f.r["gids"], [2000] * 3)),
    must("groups", USER, "process.user.additionalGids", "additionalGids are the additional groups", lambda f: same_set([g for g in f.r["groups"] if g != 2000], [5, 6, 70000])),
    must("umask", USER, "process.user.umask", "umask is the umask", lambda f: eq(f.r["umask"], 0o027)),
    must("umask-effect", USER, "process.user.umask", "and a new file's mode is cut by it", lambda f: eq(f.value("create /conf/new"), 0o640)),
)
scenario(
    "user",
    probed({"process.user": {"uid": 0, "gid": 0, "umask": 0}}, ["create /conf/new"]),
    must("umask-zero", USER, "process.user.umask", "umask 0 is not taken for an absent one", lambda f: eq(f.r["umask"], 0)),
    must("groups-none", USER, "process.user.additionalGids", "without additionalGids there are none, not those of the runtime", lambda f: holds(set(f.r["groups"]) <= {0}, f.r["groups"])),
)
scenario(
    "user",
    probed(wrap=["setpriv", "--groups", "10,20", "--"]),
    must("groups-inherited", USER, "process.user.additionalGids", "groups of the runtime's caller are not handed on", lambda f: holds(set(f.r["groups"]) <= {0}, f.r["groups"])),
)
scenario(
    "user",
    probed(wrap=["sh", "-c", 'umask 0007; exec "$@"', "sh"]),
    should("umask-unset", USER, "process.user.umask", "without umask that of the calling process stays", lambda f: eq(f.r["umask"], 0o007)),
)
scenario(
    "user",
    probed({"process.user": {"uid": 4294967294, "gid": 4294967294}}),
    should("uid-largest", USER, "process.user.uid process.user.gid", "the largest id there is can be used", lambda f: eq((f.r["uids"], f.r["gids"]), ([4294967294] * 3,) * 2)),
)

# ---- rlimits -------------------------------------------------------------------------------------

INFINITY = 18446744073709551615
LIMITS = {
    "RLIMIT_AS": (1 << 32, 1 << 33),
    "RLIMIT_CORE": (1024, 2048),
    "RLIMIT_CPU": (1000, 2000),
    "RLIMIT_DATA": (1 << 31, 1 << 32),
    "RLIMIT_FSIZE": (1 << 30, 1 << 31),
    "RLIMIT_LOCKS": (100, 200),
    "RLIMIT_MEMLOCK": (4096, 65536),
    "RLIMIT_MSGQUEUE": (4096, 8192),
    "RLIMIT_NICE": (0, 0),
    "RLIMIT_NOFILE": (512, 1024),
    "RLIMIT_NPROC": (5000, 6000),
    "RLIMIT_RSS": (1 << 30, 1 << 31),
    "RLIMIT_RTPRIO": (0, 0),
    "RLIMIT_RTTIME": (100000, 200000),
    "RLIMIT_SIGPENDING": (100, 200),
    "RLIMIT_STACK": (1 << 20, 1 << 22),
}


def limit(kind, soft, hard):
    return {"type": kind, "soft": soft, "hard": hard}


def need_memory(world):
    if world.sanitized():
        raise Skip("the runtime is built with AddressSanitizer, which needs the memory for itself")


for kind, (soft, hard) in LIMITS.items():
    word = kind[7:].lower()
    scenario(
        "rlimits",
        probed({"process.rlimits": [limit(kind, soft, hard)]}),
        must(f"{word}-soft", POSIX, "process.rlimits[].type process.rlimits[].soft", f"{kind}: rlim_cur is soft",
             lambda f, k=kind, v=soft: eq(f.r["rlimits"][k]["soft"], v)),
        must(f"{word}-hard", POSIX, "process.rlimits[].hard", f"{kind}: rlim_max is hard",
             lambda f, k=kind, v=hard: eq(f.r["rlimits"][k]["hard"], v)),
        need=need_memory if kind in ("RLIMIT_AS", "RLIMIT_DATA") else None,
    )
scenario(
    "rlimits",
    probed({"process.rlimits": [limit("RLIMIT_CORE", INFINITY, INFINITY)]}),
    must("infinity", POSIX, "process.rlimits[].soft process.rlimits[].hard", "the largest number is no limit", lambda f: eq(f.r["rlimits"]["RLIMIT_CORE"], {"soft": INFINITY, "hard": INFINITY})),
)
scenario(
    "rlimits",
    probed({"process.rlimits": [limit("RLIMIT_NOFILE", 64, 100), limit("RLIMIT_CORE", 0, 0), limit("RLIMIT_STACK", 1 << 20, 1 << 21)]}),
    must("several", POSIX, "process.rlimits", "several limits are all set", lambda f: eq(
        [tuple(f.r["rlimits"][k].values()) for k in ("RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_STACK")],
        [(64, 100), (0, 0), (1 << 20, 1 << 21)])),
)
scenario(
    "rlimits",
    probed(),
    should("unset", POSIX, "process.rlimits", "limits that aren't in rlimits stay as they are", lambda f: eq(f.r["rlimits"]["RLIMIT_CORE"]["hard"], INFINITY)),
)
scenario("rlimits", refusal({"process.rlimits": [limit("RLIMIT_BOGUS", 1, 1)]}), must("unknown", POSIX, "process.rlimits[].type", "a type that the kernel doesn't have is an error", refused))
scenario("rlimits", refusal({"process.rlimits": [limit("RLIMIT_CORE", 1, 1), limit("RLIMIT_CORE", 2, 2)]}), must("duplicate", POSIX, "process.rlimits[].type", "two entries of a type are an error", refused))
scenario("rlimits", refusal({"process.rlimits": [limit("RLIMIT_CORE", 2, 1)]}), must("soft-above-hard", VALUES, "process.rlimits[].soft", "a soft limit above the hard one is an error", refused_at_last))

# ---- capabilities --------------------------------------------------------------------------------

SETS = {
    "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"],
    "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID"],
    "effective": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
    "inheritable": ["CAP_NET_BIND_SERVICE", "CAP_KILL"],
    "ambient": ["CAP_NET_BIND_SERVICE"],
}
# root gets what is bounding at execve; an ordinary user what is ambient
USERS = {"process.user": {"uid": 1000, "gid": 1000}, "process.capabilities": SETS}

scenario(
    "caps",
    probed(USERS),
    must("bounding", LINUX, "process.capabilities.bounding", "the bounding set is what bounding says", lambda f: same_set(f.r["caps"]["bounding"], SETS["bounding"])),
    must("inheritable", LINUX, "process.capabilities.inheritable", "the inheritable set is what inheritable says", lambda f: same_set(f.r["caps"]["inheritable"], SETS["inheritable"])),
    must("ambient", LINUX, "process.capabilities.ambient", "the ambient set is what ambient says", lambda f: same_set(f.r["caps"]["ambient"], SETS["ambient"])),
    must("user-effective", LINUX, "process.capabilities.effective", "a user's program has the ambient ones in effect", lambda f: same_set(f.r["caps"]["effective"], SETS["ambient"])),
    must("user-permitted", LINUX, "process.capabilities.permitted", "and permitted", lambda f: same_set(f.r["caps"]["permitted"], SETS["ambient"])),
    should("securebits", LINUX, "process.capabilities", "no secure bits are left set", lambda f: eq(f.r["securebits"], 0)),
)
FEW = ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"]
scenario(
    "caps",
    probed({"process.capabilities": {"bounding": FEW, "effective": FEW, "permitted": FEW}}),
    must("effective", LINUX, "process.capabilities.effective", "the effective set is what effective says", lambda f: same_set(f.r["caps"]["effective"], FEW)),
    must("permitted", LINUX, "process.capabilities.permitted", "the permitted set is what permitted says", lambda f: same_set(f.r["caps"]["permitted"], FEW)),
    must("inheritable-empty", LINUX, "process.capabilities.inheritable", "without inheritable there are none", lambda f: eq(f.r["caps"]["inheritable"], [])),
    must("ambient-empty", LINUX, "process.capabilities.ambient", "without ambient there are none", lambda f: eq(f.r["caps"]["ambient"], [])),
)
scenario(
    "caps",
    probed({"process.capabilities": {"bounding": [], "effective": [], "permitted": [], "inheritable": [], "ambient": []}},
           ["mount tmpfs /conf", "mknod c 1 3 /conf/null"]),
    must("none", LINUX, "process.capabilities", "empty sets are empty", lambda f: eq(f.r["caps"], {k: [] for k in SETS})),
    must("none-mount", LINUX, "process.capabilities", "and without CAP_SYS_ADMIN nothing is mounted", lambda f: eq(f.tried("mount tmpfs /conf"), "EPERM")),
    must("none-mknod", LINUX, "process.capabilities", "and without CAP_MKNOD no device is made", lambda f: eq(f.tried("mknod c 1 3 /conf/null"), "EPERM")),
)
scenario(
    "caps",
    probed({"process.user": {"uid": 1000, "gid": 1000}, "process.capabilities": {k: FEW for k in ("bounding", "effective", "permitted")}}),
    must("user-none", LINUX, "process.capabilities", "a user's program without ambient ones has none in effect", lambda f: eq(f.r["caps"]["effective"] + f.r["caps"]["permitted"], [])),
    must("user-bounding", LINUX, "process.capabilities.bounding", "and its bounding set all the same", lambda f: same_set(f.r["caps"]["bounding"], FEW)),
)
scenario(
    "caps",
    probed({"process.capabilities": {k: FEW + ["CAP_BOGUS"] for k in ("bounding", "effective", "permitted")}}),
    should("unknown", LINUX, "process.capabilities", "a capability that the kernel doesn't know does not fail the container", lambda f: same_set(f.r["caps"]["effective"], FEW)),
)


def need_ungranted(_):
    if set(CAPABILITIES) <= set(granted()):
        raise Skip("we hold every capability (CapBnd in /proc/self/status)")


def ungranted(world):
    lacking = sorted(set(CAPABILITIES) - set(granted()))[:1]
    return probed({"process.capabilities": {k: FEW + lacking for k in ("bounding", "effective", "permitted")}})(world)


scenario(
    "caps",
    ungranted,
    should("ungranted", LINUX, "process.capabilities", "one that can't be granted does not fail the container", lambda f: same_set(f.r["caps"]["effective"], FEW)),
    need=need_ungranted,
)
for cap in CAPABILITIES:
    scenario(
        "caps",
        probed({"process.capabilities": {k: [cap] for k in ("bounding", "effective", "permitted")}}),
        must("only-" + cap[4:].lower().replace("_", "-"), LINUX, "process.capabilities", f"{cap} alone is in effect, permitted and bounding",
             lambda f, c=cap: eq([f.r["caps"][k] for k in ("effective", "permitted", "bounding")], [[c]] * 3)),
        need=need_capability(cap),
    )

# ---- no_new_privs, oom score, LSM ----------------------------------------------------------------


def setuid_program(box):
    path = box.path("bin/set")
    with open(box.path("probe"), "rb") as p, open(path, "wb") as q:
        q.write(p.read())
    os.chown(path, 77, 77)
    os.chmod(path, 0o4755)


ORDINARY = {"process.user": {"uid": 1000, "gid": 1000}}
scenario(
    "nnp",
    probed({"process.noNewPrivileges": True, **ORDINARY}, ["exec /bin/set"], setuid_program),
    must("true", LINUX, "process.noNewPrivileges", "true sets no_new_privs", lambda f: eq(f.r["nnp"], 1)),
    must("true-setuid", LINUX, "process.noNewPrivileges", "and a set-user-id program gains nothing", lambda f: eq(f.value("exec /bin/set"), 1000 & 0xFF)),
)
scenario(
    "nnp",
    probed({"process.noNewPrivileges": False, **ORDINARY}, ["exec /bin/set"], setuid_program),
    must("false", LINUX, "process.noNewPrivileges", "false leaves no_new_privs unset", lambda f: eq(f.r["nnp"], 0)),
    must("false-setuid", LINUX, "process.noNewPrivileges", "and a set-user-id program gets its user", lambda f: eq(f.value("exec /bin/set"), 77)),
)
scenario("nnp", probed(), must("absent", LINUX, "process.noNewPrivileges", "absent is false", lambda f: eq(f.r["nnp"], 0)))

scenario("oom", probed({"process.oomScoreAdj": 321}), must("set", LINUX, "process.oomScoreAdj", "oomScoreAdj is the process's oom_score_adj", lambda f: eq(f.r["oom_score_adj"], "321")))
scenario(
    "oom",
    probed({"process.oomScoreAdj": 0}),
    must("zero", LINUX, "process.oomScoreAdj", "0 is set too", lambda f: eq(f.r["oom_score_adj"], "0")),
)
scenario(
    "oom",
    probed(wrap=["choom", "-n", "123", "--"]),
    must("unset", LINUX, "process.oomScoreAdj", "without oomScoreAdj that of the runtime stays", lambda f: eq(f.r["oom_score_adj"], "123")),
)
scenario("oom", refusal({"process.oomScoreAdj": 1001}), must("range", VALUES, "process.oomScoreAdj", "a score above 1000 is an error", refused_at_last))


def lsm(name):
    try:
        with open("/sys/kernel/security/lsm", encoding="ascii") as f:
            return name in f.read().split(",")
    except OSError:
        return os.path.exists("/sys/fs/selinux" if name == "selinux" else "/sys/kernel/security/apparmor")


def without(name):
    def check(_):
        if lsm(name):
            raise Skip(f"{name} is active here: a label that it lacks is another test")

    return check


def with_lsm(name):
    def check(_):
        if not lsm(name):
            raise Skip(f"{name} is not active in this kernel")

    return check


scenario(
    "labels",
    refusal({"process.apparmorProfile": "no-such-profile"}),
    must("apparmor-cannot", "runtime.md Create", "process.apparmorProfile", "an AppArmor profile that can't be applied is an error", refused_at_last),
)
scenario(
    "labels",
    probed({"process.apparmorProfile": "unconfined"}),
    must("apparmor", LINUX, "process.apparmorProfile", "the process has the profile", lambda f: eq(f.r["label"], "unconfined")),
    need=with_lsm("apparmor"),
)
scenario(
    "labels",
    refusal({"process.selinuxLabel": "system_u:system_r:container_t:s0:c1,c2"}),
    must("selinux-cannot", "runtime.md Create", "process.selinuxLabel", "a SELinux label that can't be applied is an error", refused_at_last),
    need=without("selinux"),
)
scenario(
    "labels",
    probed({"process.selinuxLabel": "system_u:system_r:container_t:s0:c1,c2"}),
    must("selinux", LINUX, "process.selinuxLabel", "the process has the label", lambda f: eq(f.r["label"].strip("\0"), "system_u:system_r:container_t:s0:c1,c2")),
    need=with_lsm("selinux"),
)
scenario(
    "labels",
    refusal({"linux.mountLabel": "system_u:object_r:container_file_t:s0:c1,c2"}),
    must("mount-label-cannot", "runtime.md Create", "linux.mountLabel", "a mount label that can't be applied is an error", refused_at_last),
    need=without("selinux"),
)
scenario(
    "labels",
    probed({"linux.mountLabel": "system_u:object_r:container_file_t:s0:c1,c2"}),
    must("mount-label", "config-linux.md Mount Label", "linux.mountLabel", "mounts have the label as their context", lambda f: holds("context=" in f.mount("/dev")["super"], f.mount("/dev"))),
    need=with_lsm("selinux"),
)

# ---- scheduler, ioPriority, affinity -------------------------------------------------------------

POLICIES = {"SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_IDLE": 5, "SCHED_DEADLINE": 6}


def may_schedule(*words):
    """Whether the kernel lets root do this here: groups may have no real-time share."""

    def check(_):
        done = subprocess.run(["chrt", *words, "true"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skip(f"chrt {' '.join(words)} true: {done.stderr.strip()}")

    return check


def scheduler(name, config, tests, need=None, **options):
    scenario("scheduler", probed({"ociVersion": "1.1.0", "process.scheduler": config}, **options), *[
        must(f"{name}{suffix}", LINUX, props, text, lambda f, k=key, v=value: eq(f.r["scheduler"][k], v))
        for suffix, props, text, key, value in tests
    ], need=need)


P, N, Q = "process.scheduler.policy", "process.scheduler.nice", "process.scheduler.priority"
scheduler("other", {"policy": "SCHED_OTHER", "nice": 5}, [
    ("", P, "SCHED_OTHER is the policy", "policy", 0), ("-nice", N, "SCHED_OTHER has the nice value", "nice", 5)])
scheduler("other-negative", {"policy": "SCHED_OTHER", "nice": -5}, [("", N, "a negative nice value is set", "nice", -5)])
scheduler("nice-unset", {"policy": "SCHED_OTHER"}, [("", N, "without nice it is 0, whatever the runtime's is", "nice", 0)], wrap=["nice", "-n", "7"])
scheduler("batch", {"policy": "SCHED_BATCH", "nice": 3}, [
    ("", P, "SCHED_BATCH is the policy", "policy", 3), ("-nice", N, "SCHED_BATCH has the nice value", "nice", 3)])
scheduler("idle", {"policy": "SCHED_IDLE"}, [("", P, "SCHED_IDLE is the policy", "policy", 5)])
scheduler("fifo", {"policy": "SCHED_FIFO", "priority": 10}, [
    ("", P, "SCHED_FIFO is the policy", "policy", 1), ("-priority", Q, "SCHED_FIFO has the priority", "priority", 10)], may_schedule("-f", "10"))
scheduler("rr", {"policy": "SCHED_RR", "priority": 20}, [
    ("", P, "SCHED_RR is the policy", "policy", 2), ("-priority", Q, "SCHED_RR has the priority", "priority", 20)], may_schedule("-r", "20"))
scheduler("deadline", {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 5000000, "period": 10000000}, [
    ("", P, "SCHED_DEADLINE is the policy", "policy", 6),
    ("-runtime", "process.scheduler.runtime", "SCHED_DEADLINE has the run time", "runtime", 1000000),
    ("-deadline", "process.scheduler.deadline", "SCHED_DEADLINE has the deadline", "deadline", 5000000),
    ("-period", "process.scheduler.period", "SCHED_DEADLINE has the period", "period", 10000000)],
    may_schedule("-d", "-T", "1000000", "-D", "5000000", "-P", "10000000", "0"))
scheduler("reset-on-fork", {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_RESET_ON_FORK"]}, [
    ("", "process.scheduler.flags", "SCHED_FLAG_RESET_ON_FORK is set", "flags", 1)])
scenario("scheduler", refusal({"ociVersion": "1.1.0", "process.scheduler": {"policy": "SCHED_BOGUS"}}), must("unknown", VALUES, P, "an unknown policy is an error", refused_at_last))
scenario("scheduler", refusal({"ociVersion": "1.1.0", "process.scheduler": {"nice": 1}}), must("policy-absent", LINUX, P, "a scheduler without a policy is an error", refused_at_last))
scenario("scheduler", refusal({"ociVersion": "1.1.0", "process.scheduler": {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_BOGUS"]}}),
         must("flag-unknown", VALUES, "process.scheduler.flags", "an unknown flag is an error", refused_at_last))

for word, kind, number in (("rt", "IOPRIO_CLASS_RT", 1), ("be", "IOPRIO_CLASS_BE", 2), ("idle", "IOPRIO_CLASS_IDLE", 3)):
    level = 0 if word == "idle" else 6
    scenario(
        "ioprio",
        probed({"ociVersion": "1.1.0", "process.ioPriority": {"class": kind, "priority": level}}),
        must(word, LINUX, "process.ioPriority.class", f"{kind} is the class", lambda f, n=number: eq(f.r["ioprio"] >> 13, n)),
        must(word + "-priority", LINUX, "process.ioPriority.priority", f"{kind} has the priority", lambda f, n=level: eq(f.r["ioprio"] & 7, n)),
    )
scenario("ioprio", refusal({"ociVersion": "1.1.0", "process.ioPriority": {"class": "IOPRIO_CLASS_BOGUS", "priority": 1}}),
         must("unknown", VALUES, "process.ioPriority.class", "an unknown class is an error", refused_at_last))
scenario("ioprio", refusal({"ociVersion": "1.1.0", "process.ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}}),
         must("range", VALUES, "process.ioPriority.priority", "a priority above 7 is an error", refused_at_last))


def executed(process, wrap=(), changes=None):
    """The probe's report from `exec` in a container that sleeps."""

    def facts(world):
        with Box(world, {"ociVersion": "1.2.1", **(changes or {})}, args=["/probe", "sleep"]) as box:
            box.config["process"].update(process)
            box.up()
            path = os.path.join(box.dir, "process.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump({**box.config["process"], "args": ["/probe", "file", "/conf/report"]}, f)
            done = world.call("exec", "--process", path, box.id, wrap=wrap)
            needs(done, "exec")
            return Facts(r=box.report(), box=box)

    return facts


def two_processors(_):
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip("this machine has one processor")


AFFINITY = "process.execCPUAffinity"
scenario(
    "affinity",
    executed({"execCPUAffinity": {"initial": "0", "final": "1"}}),
    must("final", LINUX, f"{AFFINITY}.final", "final is where a process of exec runs", lambda f: eq(f.r["cpus"], [1])),
    need=two_processors,
)
scenario(
    "affinity",
    executed({"execCPUAffinity": {"initial": "1"}}),
    must("initial", LINUX, f"{AFFINITY}.initial", "initial is accepted, and exec succeeds", lambda f: holds(f.r["cpus"], f.r)),
    need=two_processors,
)
scenario(
    "affinity",
    probed({"ociVersion": "1.2.1", "process.execCPUAffinity": {"initial": "0", "final": "0"}}),
    must("init", LINUX, AFFINITY, "it is not applied to the container's first process", lambda f: eq(f.r["cpus"], sorted(os.sched_getaffinity(0)))),
    need=two_processors,
)

# ---- personality, memory policy ------------------------------------------------------------------

scenario(
    "personality",
    probed({"linux.personality": {"domain": "LINUX32"}}),
    must("linux32", "config-linux.md Personality", "linux.personality.domain", "LINUX32 is the execution domain", lambda f: eq(f.r["personality"] & 0xFF, 8)),
    must("linux32-machine", "config-linux.md Personality", "linux.personality.domain", "and uname shows a machine of 32 bits",
         lambda f: eq(f.r["machine"], "i686"), skip=lambda _: need_x86()),
)


def need_x86():
    if os.uname().machine != "x86_64":
        raise Skip(f"the machine is a {os.uname().machine}")


scenario("personality", probed({"linux.personality": {"domain": "LINUX"}}), must("linux", "config-linux.md Personality", "linux.personality.domain", "LINUX is the execution domain", lambda f: eq(f.r["personality"] & 0xFF, 0)))
scenario("personality", refusal({"linux.personality": {"domain": "BOGUS"}}), must("unknown", VALUES, "linux.personality.domain", "an unknown domain is an error", refused_at_last))
scenario("personality", refusal({"linux.personality": {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}}), must("flags", "config-linux.md Personality", "linux.personality.flags", "a flag is an error: there are none", refused_at_last))

need_numa = need_file("/sys/devices/system/node/node0", "the kernel has no NUMA nodes")
POLICY = "config-linux.md Memory policy"
# mode: its number, nodes
MODES = {
    "MPOL_DEFAULT": (0, ""), "MPOL_PREFERRED": (1, "0"), "MPOL_BIND": (2, "0"), "MPOL_INTERLEAVE": (3, "0"),
    "MPOL_LOCAL": (4, ""), "MPOL_PREFERRED_MANY": (5, "0"), "MPOL_WEIGHTED_INTERLEAVE": (6, "0"),
}
for mode, (number, nodes) in MODES.items():
    policy = {"mode": mode, **({"nodes": nodes} if nodes else {})}
    checks = [must(mode[5:].lower().replace("_", "-"), POLICY, "linux.memoryPolicy.mode", f"{mode} is the policy", lambda f, n=number: eq(f.r["mempolicy"]["mode"] & 0xFF, n))]
    if nodes:
        checks.append(must(mode[5:].lower().replace("_", "-") + "-nodes", POLICY, "linux.memoryPolicy.nodes", f"{mode} has the nodes", lambda f: eq(f.r["mempolicy"]["nodes"], 1)))
    scenario("mempolicy", probed({"ociVersion": "1.3.0", "linux.memoryPolicy": policy}), *checks, need=need_numa)
for flag, bit in (("MPOL_F_STATIC_NODES", 1 << 15), ("MPOL_F_RELATIVE_NODES", 1 << 14), ("MPOL_F_NUMA_BALANCING", 1 << 13)):
    scenario(
        "mempolicy",
        probed({"ociVersion": "1.3.0", "linux.memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": [flag]}}),
        must(flag[7:].lower().replace("_", "-"), POLICY, "linux.memoryPolicy.flags", f"{flag} is set", lambda f, b=bit: holds(f.r["mempolicy"]["mode"] & b, f.r["mempolicy"])),
        need=need_numa,
    )
for word, policy, props in (
    ("mode-unknown", {"mode": "MPOL_BOGUS"}, "linux.memoryPolicy.mode"),
    ("mode-absent", {"nodes": "0"}, "linux.memoryPolicy.mode"),
    ("flag-unknown", {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_BOGUS"]}, "linux.memoryPolicy.flags"),
    ("nodes-bad", {"mode": "MPOL_BIND", "nodes": "zero"}, "linux.memoryPolicy.nodes"),
    ("nodes-missing", {"mode": "MPOL_BIND"}, "linux.memoryPolicy.nodes"),
):
    scenario("mempolicy", refusal({"ociVersion": "1.3.0", "linux.memoryPolicy": policy}), must(word, VALUES, props, f"{json.dumps(policy)} is an error", refused_at_last))

# ---- descriptors ---------------------------------------------------------------------------------


def three_only(f):
    return eq(sorted(f.r["fds"], key=int), ["0", "1", "2"])


FILES = "runtime-linux.md File descriptors"
scenario(
    "fds",
    probed(),
    must("three", FILES, "", "only stdin, stdout and stderr are open", three_only),
    must("cloexec", FILES, "", "none of them is closed on execve", lambda f: not any(d["cloexec"] for d in f.r["fds"].values())),
)
scenario(
    "fds",
    probed(wrap=["bash", "-c", 'exec 5</etc/passwd 9</ 200>/dev/null; exec "$@"', "bash"]),
    must("leak", FILES, "", "what the runtime inherited is not handed on", three_only),
)
scenario(
    "fds",
    probed(words=["--preserve-fds", "2"], wrap=["bash", "-c", 'exec 3</etc/passwd 4</dev/null 5</; exec "$@"', "bash"]),
    may("preserve", FILES, "", "descriptors are passed where that is asked for (--preserve-fds), and no more", lambda f: eq(sorted(f.r["fds"]), ["0", "1", "2", "3", "4"])),
)
scenario(
    "fds",
    probed({"process.user": {"uid": 1000, "gid": 1000}}),
    must("user", FILES, "", "only three are open for an ordinary user", three_only),
)


def started(world):
    with Box(world, args=["/probe", "file", "/conf/report"]) as box:
        box.up(wrap=["bash", "-c", 'exec 7</; exec "$@"', "bash"])
        return Facts(r=box.report())


scenario("fds", started, must("start", FILES, "", "after create and start only three are open", three_only))
scenario("process", probed({"process.args": ["/probe", "report"]}, words=[]), must("accepted", PROCESS, "process", "the plain configuration runs", lambda f: eq(f.r["args"], ["/probe", "report"])))
assert accepted
