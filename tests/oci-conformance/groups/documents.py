# SPDX-License-Identifier: Apache-2.0
"""features.md, annotations, and what a config.json may and may not hold."""
import json
import os

from suite import (DELETE, Box, Facts, Failed, Skip, base, eq, granted, holds, must, needs, probed, refusal, refused, refused_at_last,
                   same_set, scenario, should, version_of)

FEATURES = "features.md Features Structure"
VERSION = "features.md Specification version"
LINUX = "features-linux.md"
EXTEND = "config.md Extensibility"
VALUES = "config.md Valid values"
OCI = "config.md Specification version"

# ---- features ------------------------------------------------------------------------------------


def asked(world):
    done = world.call("features")
    features = world.features()
    if features is None:
        raise Failed(f"features: {done.rc} {done.err}")
    return Facts(j=features, linux=features.get("linux") or {}, seccomp=(features.get("linux") or {}).get("seccomp") or {})


# what features.md of 1.3 defines
MEMBERS = {
    "": {"ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "annotations", "potentiallyUnsafeConfigAnnotations", "linux"},
    "linux": {"namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt", "memoryPolicy", "mountExtensions", "netDevices"},
    "linux.cgroup": {"v1", "v2", "systemd", "systemdUser", "rdma"},
    "linux.seccomp": {"enabled", "actions", "operators", "archs", "knownFlags", "supportedFlags"},
    "linux.intelRdt": {"enabled", "schemata", "monitoring"},
    "linux.memoryPolicy": {"modes", "flags"},
    "linux.mountExtensions": {"idmap"},
}


def only_defined(f):
    for path, known in MEMBERS.items():
        at = f.j
        for key in path.split(".") if path else ():
            at = (at or {}).get(key)
        same = set(at or {}) - known
        holds(not same, f"{path or 'the top'} has {sorted(same)}")
    return True


def strings(value):
    return holds(value is None or (isinstance(value, list) and all(isinstance(v, str) for v in value)), f"{value!r} is no array of strings")


def flags(table):
    return holds(all(isinstance(v, bool) for v in (table or {}).values() if v is not None), f"{table}")


F = "features."
scenario(
    "features",
    asked,
    must("version-min", VERSION, F + "ociVersionMin", "ociVersionMin is a version", lambda f: holds(version_of(f.j["ociVersionMin"]), f.j["ociVersionMin"])),
    must("version-max", VERSION, F + "ociVersionMax", "ociVersionMax is a version", lambda f: holds(version_of(f.j["ociVersionMax"]), f.j["ociVersionMax"])),
    must("version-order", VERSION, F + "ociVersionMax", "ociVersionMax is not less than ociVersionMin", lambda f: holds(version_of(f.j["ociVersionMax"]) >= version_of(f.j["ociVersionMin"]), f.j)),
    must("defined", VERSION, "", "there are no properties that the specification doesn't define", only_defined),
    must("hooks-type", FEATURES, F + "hooks", "hooks is an array of strings", lambda f: strings(f.j.get("hooks"))),
    must("options-type", FEATURES, F + "mountOptions", "mountOptions is an array of strings", lambda f: strings(f.j.get("mountOptions"))),
    must("annotations", "features.md Annotations", F + "annotations", "annotations has strings for keys and values", lambda f: holds(all(k and isinstance(v, str) for k, v in (f.j.get("annotations") or {}).items()), f.j.get("annotations"))),
    must("unsafe", "features.md Unsafe annotations in config.json", F + "potentiallyUnsafeConfigAnnotations", "potentiallyUnsafeConfigAnnotations is an array of strings", lambda f: strings(f.j.get("potentiallyUnsafeConfigAnnotations"))),
    must("namespaces-type", LINUX + " Namespaces", F + "linux.namespaces", "linux.namespaces is an array of strings", lambda f: strings(f.linux.get("namespaces"))),
    must("capabilities-type", LINUX + " Capabilities", F + "linux.capabilities", "linux.capabilities is an array of strings", lambda f: strings(f.linux.get("capabilities"))),
    must("cgroup", LINUX + " Cgroup", " ".join(F + "linux.cgroup." + k for k in sorted(MEMBERS["linux.cgroup"])), "linux.cgroup has booleans", lambda f: flags(f.linux.get("cgroup"))),
    must("seccomp", LINUX + " Seccomp", F + "linux.seccomp.enabled", "linux.seccomp.enabled is a boolean", lambda f: holds(isinstance(f.seccomp.get("enabled", True), bool), f.seccomp)),
    must("lsm", LINUX + " AppArmor", F + "linux.apparmor.enabled " + F + "linux.selinux.enabled", "apparmor and selinux have booleans", lambda f: flags(f.linux.get("apparmor")) and flags(f.linux.get("selinux"))),
    must("rdt", LINUX + " Intel RDT", " ".join(F + "linux.intelRdt." + k for k in ("enabled", "schemata", "monitoring")), "intelRdt has booleans", lambda f: flags(f.linux.get("intelRdt"))),
    must("policy", LINUX + " MemoryPolicy", F + "linux.memoryPolicy.modes " + F + "linux.memoryPolicy.flags", "memoryPolicy has arrays of strings", lambda f: strings((f.linux.get("memoryPolicy") or {}).get("modes")) and strings((f.linux.get("memoryPolicy") or {}).get("flags"))),
    must("idmap", LINUX + " MountExtensions", F + "linux.mountExtensions.idmap.enabled", "mountExtensions.idmap has a boolean", lambda f: flags((f.linux.get("mountExtensions") or {}).get("idmap"))),
    must("netdevices", LINUX + " NetDevices", F + "linux.netDevices.enabled", "netDevices has a boolean", lambda f: flags(f.linux.get("netDevices"))),
    must("seccomp-supported", LINUX + " Seccomp", F + "linux.seccomp.supportedFlags", "supportedFlags are among knownFlags", lambda f: holds(set(f.seccomp.get("supportedFlags") or []) <= set(f.seccomp.get("knownFlags") or []), f.seccomp)),
    should("options-data", FEATURES, F + "mountOptions", "mountOptions has no options of single file systems", lambda f: holds(
        not {"size", "mode", "uid", "gid", "nr_inodes", "newinstance", "ptmxmode"} & {o.split("=")[0] for o in f.j.get("mountOptions") or []}, f.j.get("mountOptions"))),
)
OPTIONS = """async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec noiversion
nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave runbindable rw shared silent slave
strictatime suid sync unbindable""".split()
scenario(
    "features",
    asked,
    should("options-all", FEATURES, F + "mountOptions", "mountOptions, where it is there, has all options that must be implemented", lambda f: holds(
        f.j.get("mountOptions") is None or set(OPTIONS) <= set(f.j["mountOptions"]), sorted(set(OPTIONS) - set(f.j.get("mountOptions") or [])))),
    should("hooks-all", FEATURES, F + "hooks", "hooks, where it is there, has all six kinds", lambda f: holds(f.j.get("hooks") is None or same_set(f.j["hooks"], ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]), "")),
)


def taken(values, changes, path):
    """That the runtime takes each of what it lists: create with it, and no error. VALUES(features) are the
    listed ones, CHANGES(value) ways to ask, of which one must work; none: it isn't asked for."""

    def facts(world):
        features = world.features()
        if features is None:
            raise Failed("there is no features")
        listed = values(features)
        if not listed:
            raise Skip(f"{path} is not in its features")
        errors = {}
        for value in listed:
            for config in changes(value):
                with Box(world, config, args=["/probe", "exit", "0"]) as box:
                    if "/m" in json.dumps(config.get("mounts+", "")):
                        os.mkdir(box.path("m"))
                        os.makedirs(os.path.join(box.dir, "source"))
                    done = box.create()
                errors[value] = done.err.strip()[-160:]
                if done.rc == 0:
                    del errors[value]
                    break
        return Facts(errors=errors)

    return facts


def of(*path):
    def values(features):
        for key in path:
            features = (features or {}).get(key)
        return features

    return values


def recognized(name, section, prop, text, values, changes):
    scenario("features", taken(values, changes, prop), must(name, section, prop, text, lambda f: eq(f.errors, {})))


def mount_option(option):
    """The option, on mounts that it may have a meaning for."""
    if option in ("idmap", "ridmap"):
        maps = [{"containerID": 0, "hostID": 0, "size": 1000}]
        return [{"ociVersion": "1.2.1", "mounts+": [{"destination": "/m", "type": "bind", "source": "source", "options": ["rbind", option], "uidMappings": maps, "gidMappings": maps}]}]
    tmpfs = {"destination": "/m", "type": "tmpfs", "source": "tmpfs"}
    if option == "remount":
        return [{"mounts+": [tmpfs, {**tmpfs, "options": ["remount", "ro"]}]}]
    if option in ("mand", "nomand"):
        return []  # the kernel warns
    bind = {"destination": "/m", "type": "bind", "source": "source", "options": ["rbind", option]}
    return [{"mounts+": [bind]}, {"mounts+": [{**tmpfs, "options": [option]}]}]


def namespace_kind(kind):
    maps = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    changes = {"linux.namespaces": [{"type": t} for t in dict.fromkeys(["pid", "mount", "network", "ipc", "uts", "cgroup", kind])]}
    if kind == "user":
        changes.update({"linux.uidMappings": maps, "linux.gidMappings": maps})
    return [changes] if os.path.exists("/proc/self/ns/" + {"network": "net", "mount": "mnt"}.get(kind, kind)) else []


def seccomp(**more):
    return [{"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sysinfo"], "action": "SCMP_ACT_ERRNO"}], **more}}]


def seccomp_action(action):
    if action == "SCMP_ACT_NOTIFY":
        return []  # needs an agent: group seccomp
    return [{"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW" if action != "SCMP_ACT_ALLOW" else "SCMP_ACT_LOG", "syscalls": [{"names": ["sysinfo"], "action": action}]}}]


# which libseccomp can't put into one filter with those of this machine
OTHER_ENDIAN = ["SCMP_ARCH_" + a for a in ("MIPS", "MIPS64", "MIPS64N32", "PPC", "PPC64", "S390", "S390X", "PARISC", "PARISC64", "M68K", "SHEB")]


def policy_of(mode, *flags_given):
    nodes = {} if mode in ("MPOL_DEFAULT", "MPOL_LOCAL") else {"nodes": "0"}
    return [{"ociVersion": "1.3.0", "linux.memoryPolicy": {"mode": mode, **nodes, **({"flags": list(flags_given)} if flags_given else {})}}]


recognized("min-accepted", VERSION, F + "ociVersionMin", "ociVersionMin is taken as ociVersion", lambda j: [j["ociVersionMin"]], lambda v: [{"ociVersion": v}])
recognized("max-accepted", VERSION, F + "ociVersionMax", "ociVersionMax is taken as ociVersion", lambda j: [j["ociVersionMax"]], lambda v: [{"ociVersion": v}])
recognized("hooks-taken", "features.md Hooks", F + "hooks", "each of hooks is supported", of("hooks"), lambda h: [{"hooks": {h: [{"path": "/probe" if h == "startContainer" else "/bin/true", "args": ["x", "exit", "0"]}]}}])
recognized("options-taken", "features.md Mount Options", F + "mountOptions", "each of mountOptions is recognized", of("mountOptions"), mount_option)
recognized("namespaces-taken", LINUX + " Namespaces", F + "linux.namespaces", "each of namespaces is recognized", of("linux", "namespaces"), namespace_kind)
recognized("capabilities-taken", LINUX + " Capabilities", F + "linux.capabilities", "each of capabilities is recognized", of("linux", "capabilities"), lambda c: [{"process.capabilities": {"bounding": [c], "permitted": [c], "effective": [c]}}] if c in granted() else [])
recognized("actions-taken", LINUX + " Seccomp", F + "linux.seccomp.actions", "each of actions is recognized", of("linux", "seccomp", "actions"), seccomp_action)
recognized("operators-taken", LINUX + " Seccomp", F + "linux.seccomp.operators", "each of operators is recognized", of("linux", "seccomp", "operators"),
           lambda o: [{"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["umask"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": o}]}]}}])
recognized("archs-taken", LINUX + " Seccomp", F + "linux.seccomp.archs", "each of archs is recognized", of("linux", "seccomp", "archs"), lambda a: [] if a in OTHER_ENDIAN else seccomp(architectures=[a]))
recognized("flags-taken", LINUX + " Seccomp", F + "linux.seccomp.supportedFlags", "each of supportedFlags is supported", of("linux", "seccomp", "supportedFlags"), lambda v: [] if "KILLABLE" in v else seccomp(flags=[v]))
recognized("known-taken", LINUX + " Seccomp", F + "linux.seccomp.knownFlags", "each of knownFlags is recognized", of("linux", "seccomp", "knownFlags"), lambda v: [] if "KILLABLE" in v else seccomp(flags=[v]))
recognized("modes-taken", LINUX + " MemoryPolicy", F + "linux.memoryPolicy.modes", "each of memoryPolicy.modes is recognized", of("linux", "memoryPolicy", "modes"), policy_of)
recognized("policy-flags-taken", LINUX + " MemoryPolicy", F + "linux.memoryPolicy.flags", "each of memoryPolicy.flags is recognized", of("linux", "memoryPolicy", "flags"), lambda v: policy_of("MPOL_BIND", v))

# ---- annotations ---------------------------------------------------------------------------------

ANNOTATIONS = "config.md Annotations"


def noted(notes):
    def facts(world):
        with Box(world, {"annotations": notes}, args=["/probe", "sleep"]) as box:
            needs(box.create(), "create")
            return Facts(state=box.state())

    return facts


ODD = {"com.example.a": "", "com.example.b": "with \"quotes\" and \\ and \n", "com.example.\u00fc": "\u20ac", "plain": "1"}
scenario("annotations", noted(ODD), must("odd", ANNOTATIONS, "annotations", "values may be empty, and are kept as they are", lambda f: eq(f.state["annotations"], ODD)))
scenario("annotations", noted({"org.example.unknown": "x", "org.opencontainers.image.os": "linux"}), must("unknown", ANNOTATIONS, "annotations", "unknown keys are no error", lambda f: eq(len(f.state["annotations"]), 2)))
scenario("annotations", noted({}), must("empty", "runtime.md State", "annotations state.annotations", "no annotations: the state's are absent or empty", lambda f: holds(not f.state.get("annotations"), f.state)))
scenario("annotations", refusal({"annotations": {"": "x"}}), must("key-empty", ANNOTATIONS, "annotations", "an empty key is an error", refused))
scenario("annotations", refusal({"annotations": {"a": 1}}), must("value-number", ANNOTATIONS, "annotations", "a value that is no string is an error", refused))
scenario("annotations", refusal({"annotations": ["a"]}), must("array", ANNOTATIONS, "annotations", "annotations that are no object are an error", refused))

# ---- versions ------------------------------------------------------------------------------------

for version in ("1.0.0", "1.0.2", "1.1.0", "1.2.1"):
    scenario("config", probed({"ociVersion": version}), must(f"version-{version}", OCI, "ociVersion", f"a configuration of {version} is taken by a runtime of {version} or later, and by others of this major version here"))
scenario("config", refusal({"ociVersion": DELETE}), must("version-absent", OCI, "ociVersion", "an absent ociVersion is an error", refused))
for word, version in (("empty", ""), ("word", "latest"), ("two", "1.0"), ("major", "2.0.0"), ("zero", "01.0.0")):
    level = must if word != "zero" else should
    scenario("config", refusal({"ociVersion": version}), level(f"version-{word}", OCI, "ociVersion", f"'{version}', which is no version that it runs, is an error", refused))

# ---- unknown properties --------------------------------------------------------------------------

for path in ("x-unknown", "process.x-unknown", "process.user.x-unknown", "process.capabilities.x-unknown", "root.x-unknown", "linux.x-unknown", "linux.resources.x-unknown", "linux.seccomp.x-unknown"):
    more = {"linux.seccomp.defaultAction": "SCMP_ACT_ALLOW"} if "seccomp" in path else {}
    scenario("config", probed({**more, path: {"deep": [1, "two", None]}}), must("unknown-" + path.replace(".x-unknown", "").replace(".", "-").replace("x-unknown", "top"), EXTEND, "", f"an unknown property is ignored: {path}"))
for word, path, entry in (("mount", "mounts+", [{"destination": "/conf", "type": "tmpfs", "source": "tmpfs", "x-unknown": 1}]),
                          ("namespace", "linux.namespaces", [*({"type": t} for t in ("pid", "uts")), {"type": "mount", "x-unknown": 1}]),
                          ("device", "linux.devices", [{"path": "/dev/n", "type": "c", "major": 1, "minor": 3, "x-unknown": 1}]),
                          ("hook", "hooks", {"createRuntime": [{"path": "/bin/true", "x-unknown": 1}]}),
                          ("hooks", "hooks", {"x-unknown": [{"path": "/bin/false"}]}),
                          ("rlimit", "process.rlimits", [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0, "x-unknown": 1}]),
                          ("platform", "solaris", {"milestone": "svc:/milestone/container:default"}),
                          ("windows", "windows", {"layerFolders": ["x"]})):
    scenario("config", probed({path: entry}), must("unknown-" + word, EXTEND, "", f"an unknown property is ignored: of {word}"))

# ---- what is no config.json ----------------------------------------------------------------------

for word, text in (("empty", ""), ("syntax", "{"), ("array", "[]"), ("string", '"text"'), ("trailing", '{"ociVersion": "1.0.2"} {}'), ("null", "null")):
    scenario("config", refusal(text=text), must("json-" + word, "config.md Configuration", "", f"a config.json that is no JSON object is an error: {text!r}", refused))
WRONG = {
    "ociVersion": 1, "process": [], "process.args": "sh", "process.env": {}, "process.cwd": 1, "process.terminal": "yes", "process.user": "root",
    "process.user.uid": "0", "process.user.gid": -1, "process.rlimits": {}, "process.capabilities": [], "process.noNewPrivileges": 1, "process.oomScoreAdj": "1",
    "root": "rootfs", "root.path": 1, "root.readonly": "true", "hostname": 1, "mounts": {}, "hooks": [], "linux": [], "linux.namespaces": {}, "linux.devices": {},
    "linux.maskedPaths": "/proc", "linux.readonlyPaths": {}, "linux.sysctl": [], "linux.seccomp": [], "linux.uidMappings": {}, "linux.rootfsPropagation": 1,
    "linux.cgroupsPath": [], "linux.resources": [],
}
for path, value in WRONG.items():
    scenario("config", refusal({path: value}), must("type-" + path.replace(".", "-"), VALUES, path, f"a value of a wrong type is an error: {path}: {json.dumps(value)}", refused_at_last))
for path, value in (("process.user.uid", 4294967296), ("process.user.uid", 4294967295), ("process.oomScoreAdj", -1001), ("linux.uidMappings", [{"containerID": 0, "hostID": 0, "size": -1}])):
    scenario("config", refusal({path: value}), must(f"range-{path.replace('.', '-')}-{abs(value) if isinstance(value, int) else 'negative'}", VALUES, path, f"a value out of range is an error: {path}: {json.dumps(value)}", refused_at_last))


def no_config(world):
    with Box(world) as box:
        done = box.call("create", "--bundle", box.dir)
        return Facts(create=done, left=box.state(), ran=False, start=None)


scenario("config", no_config, must("missing", "bundle.md Container Format", "", "a bundle without config.json is an error", refused))
