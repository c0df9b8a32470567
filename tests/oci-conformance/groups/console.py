# SPDX-License-Identifier: Apache-2.0
"""config.md, process.terminal and consoleSize, by the socket that engines give (--console-socket)."""
import array
import os
import socket
import threading

from suite import Box, Facts, eq, holds, must, needs, probed, scenario, should

PROCESS = "config.md Process"
DEVICES = "config-linux.md Default Devices"


def on_terminal(changes):
    def facts(world):
        with Box(world, changes, args=["/probe", "file", "/conf/report", "stat /dev/console", "open /dev/console", "open /dev/tty"]) as box:
            path = os.path.join(box.dir, "s")
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            cwd = os.open(box.dir, os.O_PATH)
            server.bind(f"/proc/self/fd/{cwd}/s")
            os.close(cwd)
            server.listen(1)
            server.settimeout(10)
            got = []

            def receive():
                try:
                    connection, _ = server.accept()
                    fds = array.array("i")
                    _, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(fds.itemsize))
                    for _, _, data in ancillary:
                        fds.frombytes(data)
                    got.extend(fds)
                    connection.close()
                except OSError:
                    pass

            thread = threading.Thread(target=receive)
            thread.start()
            try:
                needs(box.create("--console-socket", path), "create")
                thread.join(10)
                needs(box.start(), "start")
                return Facts(r=box.report(), got=len(got), master=os.isatty(got[0]) if got else None)
            finally:
                server.close()
                thread.join(11)
                for fd in got:
                    os.close(fd)

    return facts


SIZE = "process.consoleSize.height process.consoleSize.width"
scenario(
    "console",
    on_terminal({"process.terminal": True, "process.consoleSize": {"height": 31, "width": 97}}),
    must("stdio", PROCESS, "process.terminal", "stdin, stdout and stderr are a terminal", lambda f: eq([f.r["fds"][n]["tty"] for n in "012"], [True] * 3)),
    must("same", PROCESS, "process.terminal", "the same one", lambda f: eq(len({(f.r["fds"][n]["major"], f.r["fds"][n]["minor"]) for n in "012"}), 1)),
    must("name", PROCESS, "process.terminal", "which has its name in the container", lambda f: holds((f.r["terminal"]["name"] or "").startswith("/dev/"), f.r["terminal"])),
    must("console", DEVICES, "process.terminal", "/dev/console is there", lambda f: eq(f.tried("open /dev/console"), "ok")),
    must("console-same", DEVICES, "process.terminal", "and is the terminal", lambda f: eq(f.data("stat /dev/console").split()[2:], [str(f.r["fds"]["0"][k]) for k in ("ino", "dev")])),
    must("console-bind", DEVICES, "process.terminal", "by a bind mount", lambda f: eq(f.mount("/dev/console")["type"], "devpts")),
    must("size", PROCESS, SIZE, "its size is consoleSize", lambda f: eq((f.r["terminal"]["height"], f.r["terminal"]["width"]), (31, 97))),
    should("controlling", PROCESS, "process.terminal", "it is the controlling terminal", lambda f: holds(f.r["terminal"]["controlling"], f.r["terminal"])),
    should("session", PROCESS, "process.terminal", "of a session of its own", lambda f: eq(f.r["sid"], f.r["pid"])),
    should("foreground", PROCESS, "process.terminal", "in its foreground", lambda f: eq(f.r["terminal"]["foreground"], f.r["pgid"])),
    should("socket", PROCESS, "process.terminal", "whose master the caller gets", lambda f: eq((f.got, f.master), (1, True))),
    must("fds", "runtime-linux.md File descriptors", "", "only three descriptors are open", lambda f: eq(sorted(f.r["fds"]), ["0", "1", "2"])),
)
scenario(
    "console",
    on_terminal({"process.terminal": True, "process.user": {"uid": 1000, "gid": 1000}}),
    should("owner", PROCESS, "process.terminal", "the terminal belongs to the user", lambda f: eq(f.r["fds"]["0"]["uid"], 1000)),
    must("owner-open", DEVICES, "process.terminal", "who can open /dev/console", lambda f: eq(f.tried("open /dev/console"), "ok")),
)
scenario(
    "console",
    probed({"process.terminal": False, "process.consoleSize": {"height": 31, "width": 97}}),
    must("size-ignored", PROCESS, SIZE, "consoleSize is ignored without a terminal"),
    must("false", PROCESS, "process.terminal", "terminal false: there is none", lambda f: holds(not any(d["tty"] for d in f.r["fds"].values()), f.r["fds"])),
)
scenario("console", probed(), must("default", PROCESS, "process.terminal", "terminal is false by default", lambda f: holds(not any(d["tty"] for d in f.r["fds"].values()), f.r["fds"])))
