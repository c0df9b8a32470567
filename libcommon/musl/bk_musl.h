/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bk_musl.h: what glibc 2.36 declares and musl does not, or has otherwise. Makefile.am puts it in front of every file
 * that is compiled for musl, before bk_banned.h, so that no other file knows which of the two it is
 * compiled for. (libcommon/musl/sys has the headers that musl lacks altogether.)
 *
 * Each function has a name of its own and a macro in front of it, so that a musl which brings one some day still
 * compiles: the headers come first.
 *
 * Three things are otherwise on purpose:
 * - Signal 34 is the first real-time signal, as containers know it: musl keeps it to itself for
 *   threads, of which we have none. So it is in sets, can be waited for and is restored.
 * - Users and groups are set by the system call alone: musl's functions stop all threads before,
 *   which is a dozen calls for nothing. Nor are there threads whose ids could differ.
 * - fork() is the system call alone. musl's takes locks, and blocks signals meanwhile.
 *
 * Uses: musl, kernel headers. Used by: everything in a program linked with musl.
 */
#ifndef BK_MUSL_H
#define BK_MUSL_H

#include <errno.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* constants and structures that glibc takes from the kernel's headers */
#include <linux/close_range.h>
#include <linux/mount.h>
#ifndef STATX_TYPE
#include <linux/stat.h>
#endif
#ifndef RENAME_NOREPLACE
#include <linux/fs.h>
#endif

/* ---- calls ----------------------------------------------------------------------------------- */

static inline int bk_musl_close_range(unsigned int first, unsigned int last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}
#define close_range bk_musl_close_range

static inline int bk_musl_renameat2(int from_dir, const char *from, int to_dir, const char *to,
				    unsigned int flags)
{
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}
#define renameat2 bk_musl_renameat2

static inline int bk_musl_statx(int dir, const char *restrict path, int flags, unsigned int mask,
				struct statx *restrict ret)
{
	return (int)syscall(SYS_statx, dir, path, flags, mask, ret);
}
/* with arguments, for there is a structure of that name */
#define statx(...) bk_musl_statx(__VA_ARGS__)

static inline int bk_musl_fsopen(const char *type, unsigned int flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}
#define fsopen bk_musl_fsopen

static inline int bk_musl_fsconfig(int fd, unsigned int command, const char *key, const void *value,
				   int aux)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}
#define fsconfig bk_musl_fsconfig

static inline int bk_musl_fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	return (int)syscall(SYS_fsmount, fd, flags, attributes);
}
#define fsmount bk_musl_fsmount

static inline int bk_musl_fspick(int dir, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_fspick, dir, path, flags);
}
#define fspick bk_musl_fspick

static inline int bk_musl_open_tree(int dir, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags);
}
#define open_tree bk_musl_open_tree

static inline int bk_musl_move_mount(int from_dir, const char *from, int to_dir, const char *to,
				     unsigned int flags)
{
	return (int)syscall(SYS_move_mount, from_dir, from, to_dir, to, flags);
}
#define move_mount bk_musl_move_mount

static inline int bk_musl_mount_setattr(int dir, const char *path, unsigned int flags,
					struct mount_attr *attributes, size_t size)
{
	return (int)syscall(SYS_mount_setattr, dir, path, flags, attributes, size);
}
#define mount_setattr bk_musl_mount_setattr

/* musl's macro compares numbers with and without a sign where it is used. */
static inline struct cmsghdr *bk_musl_cmsg_next(const struct msghdr *m, const struct cmsghdr *c)
{
	size_t at = (size_t)((const char *)c - (const char *)m->msg_control);
	size_t room = m->msg_controllen - at;
	size_t len = CMSG_ALIGN(c->cmsg_len);

	if (c->cmsg_len < sizeof(*c) || len > room || room - len < sizeof(*c))
		return NULL;
	return (struct cmsghdr *)((char *)m->msg_control + at + len);
}
#undef CMSG_NXTHDR
#define CMSG_NXTHDR(m, c) bk_musl_cmsg_next(m, c)

/* ---- processes and users --------------------------------------------------------------------- */

static inline pid_t bk_musl_fork(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}
#define fork bk_musl_fork

/*
 * musl's clone() behind its check of the flags, which refuses what starts a thread from 1.2.4 on. It answers as the
 * kernel does, and leaves errno alone.
 */
int __clone(int (*start)(void *), void *stack, int flags, void *arg, ...);
static inline int bk_musl_clone_answer(int answer)
{
	if (answer >= 0)
		return answer;
	errno = -answer;
	return -1;
}
#define clone(...) bk_musl_clone_answer(__clone(__VA_ARGS__))

static inline int bk_musl_setgroups(size_t n, const gid_t *groups)
{
	return (int)syscall(SYS_setgroups, n, groups);
}
#define setgroups bk_musl_setgroups

static inline int bk_musl_setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return (int)syscall(SYS_setresgid, real, effective, saved);
}
#define setresgid bk_musl_setresgid

static inline int bk_musl_setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return (int)syscall(SYS_setresuid, real, effective, saved);
}
#define setresuid bk_musl_setresuid

/* ---- signals --------------------------------------------------------------------------------- */

#undef SIGRTMIN
#define SIGRTMIN 34

static inline uint64_t bk_musl_sigbit(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

/* The kernel's set is the first eight bytes of musl's, on machines of 64 bits. */
_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "64 bits");

static inline int bk_musl_sigfillset(sigset_t *set)
{
	/* as glibc does, without the two that are the C library's in a program with threads */
	const uint64_t bits = ~(bk_musl_sigbit(32) | bk_musl_sigbit(33));

	memset(set, 0, sizeof(*set));
	memcpy(set, &bits, sizeof(bits));
	return 0;
}
#define sigfillset bk_musl_sigfillset

static inline int bk_musl_sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict ret_old)
{
	return (int)syscall(SYS_rt_sigprocmask, how, set, ret_old, sizeof(uint64_t));
}
#define sigprocmask bk_musl_sigprocmask

static inline int bk_musl_pthread_sigmask(int how, const sigset_t *restrict set,
					  sigset_t *restrict ret_old)
{
	return bk_musl_sigprocmask(how, set, ret_old) < 0 ? errno : 0;
}
#define pthread_sigmask bk_musl_pthread_sigmask

#endif
