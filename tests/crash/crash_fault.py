# SPDX-License-Identifier: Apache-2.0
"""With what errors a system call may fail, and which failures may go by without a word."""
import errno
import fnmatch
import os
import re
import signal

HERE = os.path.dirname(os.path.abspath(__file__))

# Names that begin so, what they may answer; the first that fits. "after": the call is made, then said to have failed.
ERRORS = [
    ("open", "EIO ENOSPC EROFS EDQUOT EMFILE ENFILE ENOMEM"),
    ("mkdir mknod symlink link rename bind mkdtemp", "EIO ENOSPC EROFS EDQUOT ENOMEM"),
    ("unlink rmdir", "EIO EROFS"),
    ("write pwrite sendfile copy_file_range fallocate ftruncate truncate", "EIO ENOSPC EDQUOT"),
    ("read pread getdents lseek", "EIO"),
    ("fsync fdatasync syncfs sync_file_range", "EIO ENOSPC EDQUOT"),
    ("close_range", "ENOMEM"),
    ("close", "after:EIO"),
    ("chmod fchmod chown fchown lchown utimens setxattr fsetxattr lsetxattr", "EIO EROFS EDQUOT"),
    ("stat fstat lstat newfstatat access faccessat getxattr listxattr statfs fstatfs", "EIO ENOMEM"),
    ("mmap mremap mprotect munmap madvise", "ENOMEM"),
    ("clone fork vfork", "EAGAIN ENOMEM"),
    ("socket pipe memfd_create eventfd epoll_create pidfd_open dup signalfd timerfd_create inotify_init",
     "EMFILE ENFILE ENOMEM"),
    ("connect listen accept sendto sendmsg recvfrom recvmsg shutdown setsockopt getsockopt", "ENOMEM"),
    ("mount fsopen fsmount fsconfig fspick move_mount pivot_root", "ENOMEM EIO EROFS"),
    ("umount", "ENOMEM EBUSY"),
    ("setns unshare", "ENOMEM ENOSPC"),
    ("execve", "EIO ENOMEM EMFILE"),
    ("flock", "EIO ENOLCK"),
    ("poll ppoll epoll_wait epoll_ctl select pselect wait", "ENOMEM"),
    ("bpf seccomp keyctl add_key", "ENOMEM EPERM"),
    ("prctl capset setresuid setresgid setgroups setsid sethostname setdomainname prlimit setrlimit ioctl fcntl "
     "kill tgkill pidfd_send_signal sched_setaffinity setpriority chdir fchdir chroot pidfd_getfd tcsetattr", "EPERM ENOMEM"),
]
# The kernel has no way to fail these; rt_sig* and nanosleep are told nothing that could be wrong. brk says no otherwise: by
# the old end.
NEVER = re.compile(r"(exit|brk|exit_group|rt_sig.*|arch_prctl|set_tid_address|set_robust_list|rseq|get[a-z]*id|getrandom|umask|"
                   r"clock_.*|nanosleep|gettimeofday|time|futex|restart_syscall|sched_yield|alarm|uname|getcwd|sysinfo|"
                   r"capget|getrlimit|sched_getaffinity|execve)$")


BEFORE_MAIN = 13


def errors_of(point):
    # before its main() a program is the C library's
    if NEVER.match(point.name) or point.process == 0 and point.call < BEFORE_MAIN:
        return []
    # of what is open it says how; musl's fdopendir takes a failure for an O_PATH
    if point.name == "fcntl" and re.search(r"F_GETF[DL] \d+$", point.what):
        return []
    for names, errors in ERRORS:
        if any(point.name.startswith(name) for name in names.split()):
            return errors.split()
    return ["EIO"]


class Row:
    """A line of the file `ignored`."""

    def __init__(self, line):
        kinds, self.command, self.call, self.what, self.why = line.rstrip("\n").split(None, 4)
        self.kinds = kinds.split(",")

    def fits(self, command, call, what):
        return all(fnmatch.fnmatchcase(text, pattern) for text, pattern in
                   ((command, self.command), (call, self.call), (what or "-", self.what)))


def load_ignored():
    with open(os.path.join(HERE, "ignored")) as f:
        return [Row(line) for line in f if line.strip() and not line.startswith("#")]


def row_of(rows, command, point, what):
    for row in rows:
        if row.fits(command, point.name, what):
            return row
    return None


def plain(what, b):
    """What a call is about, without what is another number each time."""
    what = what.replace(b.base, "BASE").replace(getattr(b, "id", "//"), "ID")
    return re.sub(r"\d+", "N", what).replace(" ", "_")


def without_memory(struck, number):
    """What needs memory and gets none is aborted."""
    return (struck.status == 128 + signal.SIGABRT and struck.err == "out of memory\n" and number == errno.ENOMEM and
            struck.point.name in ("mmap", "mremap", "brk"))


def judge_message(command, err, number):
    """One line, from the program, that names the reason."""
    lines = err.splitlines()
    if len(lines) != 1:
        return f"{len(lines)} lines: {err!r}"
    if not re.match(r"bock-[a-z-]+: ", lines[0]):
        return f"not from the program: {err!r}"
    if os.strerror(number) not in lines[0]:
        return f"without the reason: {lines[0]}"
    return None
