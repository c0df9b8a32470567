# SPDX-License-Identifier: Apache-2.0
"""config-linux.md, Seccomp: actions, operators, arguments, flags, and the agent's socket."""
import array
import json
import os
import socket
import subprocess
import threading

from suite import Box, Facts, Skip, eq, holds, must, needs, probed, refusal, refused_at_last, scenario, should

SECCOMP = "config-linux.md Seccomp"
STATE = "config-linux.md The Container Process State"
S = "linux.seccomp."
RULE = S + "syscalls[]."
ARG = RULE + "args[]."
VALUES = "config.md Valid values"


def profile(*rules, **more):
    return {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": list(rules), **more}}


def rule(names, action="SCMP_ACT_ERRNO", **more):
    return {"names": names if isinstance(names, list) else [names], "action": action, **more}


# ---- actions -------------------------------------------------------------------------------------

# action: what comes of sysinfo(NULL)
ACTIONS = {
    "SCMP_ACT_ALLOW": "EFAULT", "SCMP_ACT_ERRNO": "EPERM", "SCMP_ACT_LOG": "EFAULT", "SCMP_ACT_TRACE": "ENOSYS",
    "SCMP_ACT_TRAP": "signal 31", "SCMP_ACT_KILL": "signal 31", "SCMP_ACT_KILL_THREAD": "signal 31",
    "SCMP_ACT_KILL_PROCESS": "signal 31",
}
for action, outcome in ACTIONS.items():
    # what a rule allows must be denied without it
    if action == "SCMP_ACT_ALLOW":
        changes = profile(rule("sysinfo", action), defaultAction="SCMP_ACT_LOG")
    else:
        changes = profile(rule("sysinfo", action))
    scenario(
        "seccomp",
        probed(changes, ["syscall sysinfo"]),
        must("act-" + action[9:].lower().replace("_", "-"), SECCOMP, RULE + "action " + RULE + "names", f"{action}: the call's outcome is {outcome}", lambda f, o=outcome: eq(f.tried("syscall sysinfo"), o)),
    )
scenario(
    "seccomp",
    probed(profile(rule("sysinfo"), rule("times", errnoRet=38), rule(["getpgid", "getsid"], errnoRet=13)), ["syscall sysinfo", "syscall times", "syscall getpgid 0", "syscall getsid 0", "syscall sched_yield"]),
    must("mode", SECCOMP, S + "defaultAction", "a filter is loaded", lambda f: eq(f.r["seccomp"], 2)),
    must("errno-default", SECCOMP, RULE + "errnoRet", "the errno is EPERM by default", lambda f: eq(f.tried("syscall sysinfo"), "EPERM")),
    must("errno", SECCOMP, RULE + "errnoRet", "errnoRet is the errno", lambda f: eq(f.tried("syscall times"), "ENOSYS")),
    must("names", SECCOMP, RULE + "names", "a rule is of all its names", lambda f: eq((f.tried("syscall getpgid 0"), f.tried("syscall getsid 0")), ("EACCES", "EACCES"))),
    must("others", SECCOMP, S + "defaultAction", "other calls have the default action", lambda f: eq(f.tried("syscall sched_yield"), "ok")),
)
scenario("seccomp", probed(), must("none", SECCOMP, "linux.seccomp", "without seccomp there is no filter", lambda f: eq(f.r["seccomp"], 0)))
with open(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "syscalls.txt"), encoding="ascii") as names_file:
    EVERY = names_file.read().split()
DENIED = ["sysinfo", "times"]
scenario(
    "seccomp",
    probed({"linux.seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "syscalls": [rule([n for n in EVERY if n not in DENIED], "SCMP_ACT_ALLOW")]}},
           ["syscall sysinfo", "syscall times", "syscall sched_yield"]),
    must("default-errno", SECCOMP, S + "defaultAction " + S + "defaultErrnoRet", "the default action may be SCMP_ACT_ERRNO with an errno", lambda f: eq([f.tried(f"syscall {n}") for n in (*DENIED, "sched_yield")], ["EACCES", "EACCES", "ok"])),
)
scenario(
    "seccomp",
    probed({"linux.seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule([n for n in EVERY if n not in DENIED], "SCMP_ACT_ALLOW")]}}, ["syscall sysinfo"]),
    must("default-errno-unset", SECCOMP, S + "defaultErrnoRet", "which is EPERM by default", lambda f: eq(f.tried("syscall sysinfo"), "EPERM")),
)
scenario(
    "seccomp",
    probed({**profile(rule("sysinfo")), "process.noNewPrivileges": True, "process.user": {"uid": 1000, "gid": 1000}, "process.capabilities": {"bounding": []}}, ["syscall sysinfo"]),
    must("nnp-user", SECCOMP, "linux.seccomp", "the filter is there for a user without capabilities, with no_new_privs", lambda f: eq((f.r["seccomp"], f.tried("syscall sysinfo")), (2, "EPERM"))),
)
scenario(
    "seccomp",
    probed({**profile(rule("sysinfo")), "process.noNewPrivileges": False, "process.user": {"uid": 1000, "gid": 1000}, "process.capabilities": {"bounding": []}}, ["syscall sysinfo"]),
    must("user", SECCOMP, "linux.seccomp", "and without it", lambda f: eq((f.r["seccomp"], f.tried("syscall sysinfo")), (2, "EPERM"))),
)

# ---- operators, on the second argument of getpriority(which, who), or personality's first ---------

# operator: value, valueTwo, arguments that match, arguments that don't
OPERATORS = {
    "SCMP_CMP_NE": (5, 0, [4, 6], [5]),
    "SCMP_CMP_LT": (5, 0, [4, 0], [5, 6]),
    "SCMP_CMP_LE": (5, 0, [4, 5], [6]),
    "SCMP_CMP_EQ": (5, 0, [5], [4, 6]),
    "SCMP_CMP_GE": (5, 0, [5, 6], [4]),
    "SCMP_CMP_GT": (5, 0, [6, 100], [5, 4]),
    "SCMP_CMP_MASKED_EQ": (0xF0, 0x20, [0x20, 0x2F], [0x30, 0x12]),
}


def argument(op, value, two=0, index=0):
    return {"index": index, "value": value, "valueTwo": two, "op": op}


for op, (value, two, match, rest) in OPERATORS.items():
    word = op[9:].lower().replace("_", "-")
    # umask takes any number, and changes nothing but the mask of the child that tries it
    tries = {n: f"syscall umask {n}" for n in [*match, *rest]}
    scenario(
        "seccomp",
        probed(profile(rule("umask", args=[argument(op, value, two)], errnoRet=38)), list(tries.values())),
        must(f"op-{word}", SECCOMP, f"{ARG}op {ARG}value {ARG}valueTwo {ARG}index", f"{op} matches", lambda f, m=match, t=tries: eq([f.tried(t[n]) for n in m], ["ENOSYS"] * len(m))),
        must(f"op-{word}-not", SECCOMP, f"{ARG}op", f"{op} does not match what it shouldn't", lambda f, m=rest, t=tries: eq([f.tried(t[n]) for n in m], ["ok"] * len(m))),
    )
AND = ["syscall getpriority 0 0", "syscall getpriority 0 1", "syscall getpriority 1 0"]
scenario(
    "seccomp",
    probed(profile(rule("getpriority", args=[argument("SCMP_CMP_EQ", 0, 0, 0), argument("SCMP_CMP_EQ", 0, 0, 1)], errnoRet=38)), AND),
    must("args-and", SECCOMP, RULE + "args", "all of several args must match", lambda f: eq([f.tried(AND[0]), f.tried(AND[1]) == "ENOSYS", f.tried(AND[2]) == "ENOSYS"], ["ENOSYS", False, False])),
    must("args-index", SECCOMP, ARG + "index", "index is the argument's number, from 0", lambda f: holds(f.tried(AND[2]) != "ENOSYS", "it matched another")),
)
OR = [f"syscall umask {n}" for n in (1, 2, 3)]
scenario(
    "seccomp",
    probed(profile(rule("umask", args=[argument("SCMP_CMP_EQ", 1)], errnoRet=38), rule("umask", args=[argument("SCMP_CMP_EQ", 2)], errnoRet=38)), OR),
    must("rules-or", SECCOMP, S + "syscalls", "of several rules of a call one must match", lambda f: eq([f.tried(t) for t in OR], ["ENOSYS", "ENOSYS", "ok"])),
)
WIDE = [f"syscall umask {n}" for n in (0x100000001, 1)]
scenario(
    "seccomp",
    probed(profile(rule("umask", args=[argument("SCMP_CMP_EQ", 0x100000001)], errnoRet=38)), WIDE),
    must("value-64", SECCOMP, ARG + "value", "value has 64 bits", lambda f: eq([f.tried(t) for t in WIDE], ["ENOSYS", "ok"])),
)

# ---- architectures, flags ------------------------------------------------------------------------


def native(_):
    if os.uname().machine != "x86_64":
        raise Skip(f"the machine is a {os.uname().machine}")


scenario(
    "seccomp",
    probed(profile(rule("sysinfo"), architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]), ["syscall sysinfo"]),
    must("archs", SECCOMP, S + "architectures", "architectures of the machine are taken", lambda f: eq(f.tried("syscall sysinfo"), "EPERM")), need=native,
)
for flag in ("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"):
    scenario("seccomp", probed(profile(rule("sysinfo"), flags=[flag]), ["syscall sysinfo"]),
             should("flag-" + flag[20:].lower().replace("_", "-"), SECCOMP, S + "flags", f"{flag} is taken, and the filter works", lambda f: eq(f.tried("syscall sysinfo"), "EPERM")))
scenario("seccomp", probed(profile(rule("sysinfo"), flags=["SECCOMP_FILTER_FLAG_SPEC_ALLOW"])),
         should("flag-spec-allow-effect", SECCOMP, S + "flags", "SECCOMP_FILTER_FLAG_SPEC_ALLOW leaves speculation as it is", lambda f: holds(
             "Speculation_Store_Bypass:\tthread force mitigated" not in f.r["status"], [line for line in f.r["status"].split("\n") if "Spec" in line])))

# ---- what is invalid -----------------------------------------------------------------------------

for word, level, section, props, text, changes in (
    ("action-unknown", must, VALUES, RULE + "action", "an unknown action", profile(rule("sysinfo", "SCMP_ACT_BOGUS"))),
    ("default-unknown", must, VALUES, S + "defaultAction", "an unknown default action", profile(defaultAction="SCMP_ACT_BOGUS")),
    ("default-absent", must, SECCOMP, S + "defaultAction", "an absent default action", {"linux.seccomp": {"syscalls": [rule("sysinfo")]}}),
    ("op-unknown", must, VALUES, ARG + "op", "an unknown operator", profile(rule("umask", args=[argument("SCMP_CMP_BOGUS", 1)]))),
    ("arch-unknown", must, VALUES, S + "architectures", "an unknown architecture", profile(rule("sysinfo"), architectures=["SCMP_ARCH_BOGUS"])),
    ("flag-unknown", must, VALUES, S + "flags", "an unknown flag", profile(rule("sysinfo"), flags=["SECCOMP_FILTER_FLAG_BOGUS"])),
    ("names-empty", must, SECCOMP, RULE + "names", "a rule without names", profile({"names": [], "action": "SCMP_ACT_ERRNO"})),
    ("names-absent", must, SECCOMP, RULE + "names", "a rule whose names are absent", profile({"action": "SCMP_ACT_ERRNO"})),
    ("action-absent", must, SECCOMP, RULE + "action", "a rule without an action", profile({"names": ["sysinfo"]})),
    ("errno-allow", must, SECCOMP, RULE + "errnoRet", "errnoRet with an action that has none (SCMP_ACT_ALLOW)", profile(rule("sysinfo", "SCMP_ACT_ALLOW", errnoRet=1), defaultAction="SCMP_ACT_LOG")),
    ("errno-kill", must, SECCOMP, RULE + "errnoRet", "errnoRet with an action that has none (SCMP_ACT_KILL_PROCESS)", profile(rule("sysinfo", "SCMP_ACT_KILL_PROCESS", errnoRet=1))),
    ("default-errno-allow", must, SECCOMP, S + "defaultErrnoRet", "defaultErrnoRet with an action that has none", profile(rule("sysinfo"), defaultErrnoRet=1)),
    ("index-range", must, VALUES, ARG + "index", "an index of 6, which no call has", profile(rule("umask", args=[argument("SCMP_CMP_EQ", 1, 0, 6)]))),
    ("metadata-alone", must, SECCOMP, S + "listenerMetadata", "listenerMetadata without listenerPath", profile(rule("sysinfo"), listenerMetadata="x")),
    ("notify-no-listener", must, "runtime.md Create", S + "listenerPath", "SCMP_ACT_NOTIFY without a listener", profile(rule("sysinfo", "SCMP_ACT_NOTIFY"))),
    ("notify-dead", must, SECCOMP, S + "listenerPath", "a listener that can't be sent to", profile(rule("sysinfo", "SCMP_ACT_NOTIFY"), listenerPath="/no/such/socket")),
):
    scenario("seccomp", refusal(changes), level(word, section, props, f"{text} is an error", refused_at_last))
scenario("seccomp", probed(profile(rule("sysinfo"), listenerPath="/no/such/socket"), ["syscall sysinfo"]),
         must("listener-ignored", SECCOMP, S + "listenerPath", "listenerPath is ignored where SCMP_ACT_NOTIFY is not used", lambda f: eq(f.tried("syscall sysinfo"), "EPERM")))
scenario("seccomp", probed(profile(rule(["no_such_call", "sysinfo"])), ["syscall sysinfo"]),
         should("name-unknown", SECCOMP, RULE + "names", "a call that this kernel doesn't have is passed over", lambda f: eq(f.tried("syscall sysinfo"), "EPERM")))

# ---- the agent -----------------------------------------------------------------------------------

# An agent in as few lines as can be: it answers one call of the filter with an errno of its own.
AGENT = r"""
import fcntl, os, struct, sys
fd = int(sys.argv[1])
request = bytearray(80)
fcntl.ioctl(fd, 0xC0502100, request)
number, = struct.unpack_from("Q", request)
response = bytearray(struct.pack("QqiI", number, 0, -19, 0))
fcntl.ioctl(fd, 0xC0182101, response)
"""


def notified(world):
    with Box(world, {**profile(rule("sysinfo", "SCMP_ACT_NOTIFY"), listenerMetadata="for the agent"), "annotations": {"a": "b"}},
             args=["/probe", "file", "/conf/report", "syscall sysinfo"]) as box:
        path = os.path.join(box.world.work, f"agent{box.world.number()}")
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(path)
        server.listen(4)
        server.settimeout(10)
        box.config["linux"]["seccomp"]["listenerPath"] = path
        f = Facts(payload=b"", fds=[], closed=False, box=box, parts=[])
        agents = []

        def serve():
            try:
                connection, _ = server.accept()
                connection.settimeout(10)
                while True:
                    data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(16))
                    got = array.array("i")
                    for _, _, raw in ancillary:
                        got.frombytes(raw)
                    f.fds.extend(got)
                    f["parts"].append(len(got))
                    if not data:
                        f["closed"] = True
                        break
                    f["payload"] += data
                connection.close()
                if f.fds:
                    agents.append(subprocess.Popen(["/usr/bin/python3", "-c", AGENT, str(f.fds[0])], pass_fds=[f.fds[0]], stderr=subprocess.DEVNULL))
            except OSError:
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            needs(box.create(), "create")
            f["pid"] = box.state()["pid"]
            needs(box.start(), "start")
            f["r"] = box.report()
            thread.join(10)
            f["state"] = json.loads(f["payload"])
            return f
        finally:
            server.close()
            thread.join(11)
            for agent in agents:
                agent.kill()
                agent.wait()
            for fd in f.fds:
                os.close(fd)


scenario(
    "seccomp",
    notified,
    must("notify", SECCOMP, S + "syscalls[].action " + S + "listenerPath", "SCMP_ACT_NOTIFY: the agent decides what the call returns", lambda f: eq(f.tried("syscall sysinfo"), "ENODEV")),
    must("notify-one", SECCOMP, S + "listenerPath", "exactly one state comes over the connection", lambda f: holds(isinstance(f.state, dict), f.payload)),
    must("notify-closed", SECCOMP, S + "listenerPath", "which is closed after it", lambda f: f.closed),
    must("notify-fds", STATE, S + "listenerPath", "fds names the descriptor that came", lambda f: eq((f.state["fds"], len(f.fds)), (["seccompFd"], 1))),
    must("notify-fds-first", STATE, S + "listenerPath", "which came with the first message", lambda f: eq(f.parts[0], 1)),
    must("notify-version", STATE, S + "listenerPath", "ociVersion is there", lambda f: holds(isinstance(f.state["ociVersion"], str), f.state)),
    must("notify-pid", STATE, S + "listenerPath", "pid is the process as the runtime sees it", lambda f: eq(f.state["pid"], f.pid)),
    must("notify-metadata", STATE, S + "listenerMetadata", "metadata is listenerMetadata", lambda f: eq(f.state["metadata"], "for the agent")),
    must("notify-state", STATE, S + "listenerPath", "state is the container's", lambda f: eq((f.state["state"]["id"], f.state["state"]["bundle"], f.state["state"]["annotations"]), (f.box.id, f.box.dir, {"a": "b"}))),
    must("notify-status", STATE, S + "listenerPath", "its status is creating (or created, where the filter is loaded at start)", lambda f: holds(f.state["state"]["status"] in ("creating", "created"), f.state)),
)
