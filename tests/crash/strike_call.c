/* SPDX-License-Identifier: Apache-2.0 */
/* strike.h: a system call: its name, what it is about, and how it is made to fail. */
#include "strike.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ERRNO_LAST 133

char *strike_call_name(uint64_t nr)
{
	char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), (int)nr);

	if (!name && asprintf(&name, "call-%llu", (unsigned long long)nr) < 0)
		abort();
	return name;
}

int strike_errno(const char *name)
{
	for (int e = 1; e <= ERRNO_LAST; e++) {
		const char *known = strerrorname_np(e);

		if (known && strcmp(known, name) == 0)
			return e;
	}
	return 0;
}

/* Which argument of a call is a path, which a descriptor; -1: none. */
struct subject {
	long nr;
	int path, fd;
};

static const struct subject subjects[] = {
#ifdef SYS_open
	{ SYS_open, 0, -1 },
	{ SYS_access, 0, -1 },
	{ SYS_mkdir, 0, -1 },
	{ SYS_rmdir, 0, -1 },
	{ SYS_unlink, 0, -1 },
	{ SYS_rename, 1, -1 },
	{ SYS_readlink, 0, -1 },
	{ SYS_chmod, 0, -1 },
	{ SYS_chown, 0, -1 },
	{ SYS_lchown, 0, -1 },
	{ SYS_symlink, 1, -1 },
	{ SYS_stat, 0, -1 },
	{ SYS_lstat, 0, -1 },
	{ SYS_mknod, 0, -1 },
#endif
	{ SYS_openat, 1, 0 },
	{ SYS_openat2, 1, 0 },
	{ SYS_mkdirat, 1, 0 },
	{ SYS_unlinkat, 1, 0 },
	{ SYS_renameat, 3, 2 },
	{ SYS_renameat2, 3, 2 },
	{ SYS_readlinkat, 1, 0 },
	{ SYS_faccessat, 1, 0 },
	{ SYS_faccessat2, 1, 0 },
	{ SYS_fchmodat, 1, 0 },
	{ SYS_fchownat, 1, 0 },
	{ SYS_symlinkat, 2, 1 },
	{ SYS_linkat, 3, 2 },
	{ SYS_mknodat, 1, 0 },
	{ SYS_newfstatat, 1, 0 },
	{ SYS_statx, 1, 0 },
	{ SYS_statfs, 0, -1 },
	{ SYS_execve, 0, -1 },
	{ SYS_execveat, 1, 0 },
	{ SYS_chdir, 0, -1 },
	{ SYS_mount, 1, -1 },
	{ SYS_umount2, 0, -1 },
	{ SYS_pivot_root, 0, -1 },
	{ SYS_open_tree, 1, 0 },
	{ SYS_move_mount, 3, 2 },
	{ SYS_mount_setattr, 1, 0 },
	{ SYS_truncate, 0, -1 },
	{ SYS_read, -1, 0 },
	{ SYS_pread64, -1, 0 },
	{ SYS_write, -1, 0 },
	{ SYS_writev, -1, 0 },
	{ SYS_pwrite64, -1, 0 },
	{ SYS_close, -1, 0 },
	{ SYS_fsync, -1, 0 },
	{ SYS_fdatasync, -1, 0 },
	{ SYS_syncfs, -1, 0 },
	{ SYS_fstat, -1, 0 },
	{ SYS_fchmod, -1, 0 },
	{ SYS_fchown, -1, 0 },
	{ SYS_fchdir, -1, 0 },
	{ SYS_ftruncate, -1, 0 },
	{ SYS_fallocate, -1, 0 },
	{ SYS_flock, -1, 0 },
	{ SYS_fcntl, -1, 0 },
	{ SYS_ioctl, -1, 0 },
	{ SYS_lseek, -1, 0 },
	{ SYS_getdents64, -1, 0 },
	{ SYS_dup3, -1, 0 },
	{ SYS_setns, -1, 0 },
	{ SYS_bind, -1, 0 },
	{ SYS_listen, -1, 0 },
	{ SYS_connect, -1, 0 },
	{ SYS_sendto, -1, 0 },
	{ SYS_recvfrom, -1, 0 },
	{ SYS_sendmsg, -1, 0 },
	{ SYS_recvmsg, -1, 0 },
};

/* What a call that does many things is to do: its number there, in argument 0 of prctl, 1 of fcntl. */
struct word {
	long nr;
	uint64_t number;
	const char *name;
};

static const struct word words[] = {
	{ SYS_prctl, PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG" },
	{ SYS_prctl, PR_SET_DUMPABLE, "PR_SET_DUMPABLE" },
	{ SYS_prctl, PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS" },
	{ SYS_prctl, PR_SET_NAME, "PR_SET_NAME" },
	{ SYS_prctl, PR_SET_SECCOMP, "PR_SET_SECCOMP" },
	{ SYS_prctl, PR_CAPBSET_READ, "PR_CAPBSET_READ" },
	{ SYS_prctl, PR_CAPBSET_DROP, "PR_CAPBSET_DROP" },
	{ SYS_prctl, PR_SET_CHILD_SUBREAPER, "PR_SET_CHILD_SUBREAPER" },
	{ SYS_prctl, PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS" },
	{ SYS_prctl, PR_CAP_AMBIENT, "PR_CAP_AMBIENT" },
	{ SYS_fcntl, F_DUPFD, "F_DUPFD" },
	{ SYS_fcntl, F_GETFD, "F_GETFD" },
	{ SYS_fcntl, F_SETFD, "F_SETFD" },
	{ SYS_fcntl, F_GETFL, "F_GETFL" },
	{ SYS_fcntl, F_SETFL, "F_SETFL" },
	{ SYS_fcntl, F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC" },
	{ SYS_fcntl, F_ADD_SEALS, "F_ADD_SEALS" },
	{ SYS_fcntl, F_GET_SEALS, "F_GET_SEALS" },
};

/* The word and the argument behind it ("PR_CAPBSET_DROP 21"); nothing for other calls. */
static void read_words(uint64_t nr, const uint64_t *args, char *ret, size_t size)
{
	int which = nr == SYS_prctl ? 0 : 1;

	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (words[i].nr == (long)nr && words[i].number == args[which])
			snprintf(ret, size, "%s %d", words[i].name, (int)args[which + 1]);
	}
}

static void read_text(pid_t pid, uint64_t address, char *ret, size_t size)
{
	struct iovec to = { .iov_base = ret, .iov_len = size - 1 };
	/* not beyond the page, behind which there may be none */
	uint64_t left = 4096 - address % 4096;
	struct iovec from = { .iov_base = (void *)(uintptr_t)address,
			      .iov_len = left < size - 1 ? left : size - 1 };
	ssize_t n = process_vm_readv(pid, &to, 1, &from, 1, 0);

	ret[n > 0 ? n : 0] = '\0';
}

static void read_fd(pid_t pid, int fd, char *ret, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(link, ret, size - 1);
	ret[n > 0 ? n : 0] = '\0';
}

void strike_detail(pid_t pid, uint64_t nr, const uint64_t *args, char *ret, size_t size)
{
	char dir[STRIKE_DETAIL / 2] = "", path[STRIKE_DETAIL / 2] = "", last[STRIKE_WORDS];

	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		const struct subject *s = &subjects[i];

		if (s->nr != (long)nr)
			continue;
		if (s->path >= 0)
			read_text(pid, args[s->path], path, sizeof(path));
		if (s->fd >= 0 && path[0] != '/' && (int)args[s->fd] >= 0)
			read_fd(pid, (int)args[s->fd], dir, sizeof(dir));
	}
	read_words(nr, args, last, sizeof(last));
	snprintf(ret, size, "%s%s%s%s%s", dir, dir[0] && path[0] ? "/" : "", path, dir[0] && last[0] ? " " : "", last);
	for (char *p = ret; *p; p++) {
		if ((unsigned char)*p < ' ')
			*p = '?';
	}
}

/* A call that moves bytes: which argument is their number, which the descriptor. */
struct mover {
	long nr;
	int len, fd;
};

static const struct mover movers[] = {
	{ SYS_read, 2, 0 },	{ SYS_pread64, 2, 0 },	{ SYS_write, 2, 0 },
	{ SYS_pwrite64, 2, 0 }, { SYS_sendfile, 3, 0 }, { SYS_copy_file_range, 4, 2 },
};

/* What the kernel makes up as it is read has no halves, and half of what is written there is another thing. */
static bool is_file(pid_t pid, int fd)
{
	static const long made_up[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
					DEBUGFS_MAGIC, NSFS_MAGIC };
	char link[64];
	struct stat st;
	struct statfs fs;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	if (stat(link, &st) < 0 || !S_ISREG(st.st_mode) || statfs(link, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof(made_up) / sizeof(*made_up); i++) {
		if (fs.f_type == made_up[i])
			return false;
	}
	return true;
}

static bool set_argument(pid_t pid, int argument, uint64_t value);

bool strike_short_call(pid_t pid, uint64_t nr, const uint64_t *args)
{
	for (size_t i = 0; i < sizeof(movers) / sizeof(*movers); i++) {
		const struct mover *m = &movers[i];

		if (m->nr != (long)nr)
			continue;
		return args[m->len] > 1 && is_file(pid, (int)args[m->fd]) && set_argument(pid, m->len, args[m->len] / 2);
	}
	return false;
}

#if defined(__x86_64__)
bool strike_skip_call(pid_t pid)
{
	return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L) == 0;
}

bool strike_fail_call(pid_t pid, int errnum)
{
	return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), (long)-errnum) == 0;
}

static bool set_argument(pid_t pid, int argument, uint64_t value)
{
	static const size_t registers[] = {
		offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
		offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, r10),
		offsetof(struct user_regs_struct, r8),
	};

	return ptrace(PTRACE_POKEUSER, pid, registers[argument], value) == 0;
}
#elif defined(__aarch64__)
bool strike_skip_call(pid_t pid)
{
	int nr = -1;
	struct iovec io = { .iov_base = &nr, .iov_len = sizeof(nr) };

	return ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &io) == 0;
}

bool strike_fail_call(pid_t pid, int errnum)
{
	struct user_regs_struct regs;
	struct iovec io = { .iov_base = &regs, .iov_len = sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) < 0)
		return false;
	regs.regs[0] = (unsigned long long)-errnum;
	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io) == 0;
}

static bool set_argument(pid_t pid, int argument, uint64_t value)
{
	struct user_regs_struct regs;
	struct iovec io = { .iov_base = &regs, .iov_len = sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) < 0)
		return false;
	regs.regs[argument] = value;
	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io) == 0;
}
#else
bool strike_skip_call(pid_t pid)
{
	(void)pid;
	return false;
}

bool strike_fail_call(pid_t pid, int errnum)
{
	(void)pid;
	(void)errnum;
	return false;
}

static bool set_argument(pid_t pid, int argument, uint64_t value)
{
	(void)pid;
	(void)argument;
	(void)value;
	return false;
}
#endif
