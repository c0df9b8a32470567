/* SPDX-License-Identifier: Apache-2.0 */
/* The last stage; see stage.h. Built without a C library: nothing here may call one. */
#include "stage/stage.h"

#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stddef.h>

#if STAGE_HAVE

#define SIGKILL_ 9
#define SIG_SETMASK_ 2
#define SOCK_CLOEXEC_ 02000000
#define F_SETFD_ 2
#define FD_CLOEXEC_ 1
#define MSG_PEEK_ 0x2
#define MSG_DONTWAIT_ 0x40
#define MSG_NOSIGNAL_ 0x4000
#define PROT_READ_ 1
#define MAP_PRIVATE_ 2
#define CLONE_PARENT_ 0x8000
#define RLIMIT_NPROC_ 6

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
#endif
}

static long call4(long nr, long a, long b, long c, long d)
{
	return call6(nr, a, b, c, d, 0, 0);
}

static long addr(const void *p)
{
	return (long)p;
}

static _Noreturn void leave(void)
{
	for (;;)
		call4(__NR_exit_group, 1, 0, 0, 0);
}

static const struct stage_control *ctl;
static volatile unsigned char wire[STAGE_WIRE_SIZE]; /* volatile: or the compiler calls memcpy */

static const void *at(uint32_t offset)
{
	return (const char *)ctl + offset;
}

static _Noreturn void fail(long fd, enum stage_failure why, long errnum)
{
	const unsigned char *message = at(ctl->fail[why]);
	const unsigned char *number = (const unsigned char *)&(const int32_t){ (int32_t)errnum };

	for (uint32_t i = 0; i < ctl->fail[why + 1] - ctl->fail[why]; i++)
		wire[i] = message[i];
	if (why >= STAGE_FAIL_OTHER) {
		for (uint32_t i = 0; i < 4; i++) /* an int32_t of this machine's order, maybe unaligned */
			wire[ctl->errnum_offset + i] = number[i];
	}
	call4(__NR_write, fd, (long)wire, STAGE_WIRE_SIZE, 0);
	leave();
}

static const char *number(const char *s, long *ret)
{
	long n = 0;

	while (*s >= '0' && *s <= '9')
		n = n * 10 + (*s++ - '0');
	*ret = n;
	return *s == ':' ? s + 1 : s;
}

/* Of the talk with the runtime. */
static long must(long rc)
{
	if (rc < 0)
		fail(ctl->sync, STAGE_FAIL_TALK, -rc);
	return rc;
}

/* Mapped, not read: pages of the filter that the kernel copies from need no copy here. */
static void map_control(const char *where)
{
	long fd, offset, size, map;

	where = number(where, &fd);
	where = number(where, &offset);
	(void)number(where, &size);
	map = call6(__NR_mmap, 0, size, PROT_READ_, MAP_PRIVATE_, fd, 0);
	if (map < 0 && map > -4096)
		leave();
	ctl = (const struct stage_control *)(map + offset);
	call4(__NR_close, fd, 0, 0, 0);
}

static void say_ready(long pid)
{
	struct stage_msg m = { .letter = ctl->ready, .pid = (int32_t)pid };

	must(call6(__NR_sendto, ctl->sync, addr(&m), sizeof(m), MSG_NOSIGNAL_, 0, 0));
}

/*
 * The child is the runtime's own (CLONE_PARENT), and in the container's pid namespace, which nobody of us
 * was before: there is nothing to be seen of us but this image. Stack and memory are copies.
 */
static void fork_into_container(void)
{
	long pid = call6(__NR_clone, CLONE_PARENT_, 0, 0, 0, 0, 0);

	if (pid < 0)
		fail(ctl->sync, STAGE_FAIL_FORK, -pid);
	if (pid > 0) {
		say_ready(pid);
		for (;;)
			call4(__NR_exit_group, 0, 0, 0, 0);
	}
	call4(__NR_setsid, 0, 0, 0, 0);
	if (ctl->flags & STAGE_TERMINAL)
		call4(__NR_ioctl, 0, TIOCSCTTY, 0, 0);
	if (ctl->flags & STAGE_NPROC)
		call4(__NR_prlimit64, 0, RLIMIT_NPROC_, addr(ctl->nproc), 0);
}

/*
 * Whether the runtime's word had come before we set the death signal, and the runtime has gone in between: its
 * end of the socket is closed then (0), and open as long as it lives (EAGAIN).
 */
static int is_orphan(void)
{
	struct stage_msg m;

	return call6(__NR_recvfrom, ctl->sync, addr(&m), sizeof(m), MSG_PEEK_ | MSG_DONTWAIT_, 0, 0) >= 0;
}

/* The runtime being gone ends us: nobody would know of this container. */
static void agree(void)
{
	struct stage_msg m = { .letter = 0 };
	long got;

	if (ctl->flags & STAGE_FORK)
		fork_into_container();
	must(call4(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL_, 0, 0));
	if (!(ctl->flags & STAGE_FORK))
		say_ready(0);
	/* silence is what it takes for success */
	got = must(call4(__NR_read, ctl->sync, addr(&m), sizeof(m), 0));
	if (got != sizeof(m) || m.letter != ctl->go)
		leave();
	if (!(ctl->flags & STAGE_DIE_WITH_PARENT))
		must(call4(__NR_prctl, PR_SET_PDEATHSIG, 0, 0, 0));
	else if ((ctl->flags & STAGE_FORK) && is_orphan())
		leave();
}

static long wait_for_start(void)
{
	long conn;

	call4(__NR_close, ctl->sync, 0, 0, 0); /* lets the runtime go */
	do
		conn = call4(__NR_accept4, ctl->listen_fd, 0, 0, SOCK_CLOEXEC_);
	while (conn == -EINTR);
	if (conn < 0)
		leave();
	call4(__NR_close, ctl->listen_fd, 0, 0, 0);
	return conn;
}

static enum stage_failure why(long errnum)
{
	switch (errnum) {
	case ENOENT:
		return STAGE_FAIL_NOENT;
	case EACCES:
		return STAGE_FAIL_ACCES;
	case ENOEXEC:
		return STAGE_FAIL_NOEXEC;
	default:
		return STAGE_FAIL_OTHER;
	}
}

__attribute__((used)) _Noreturn void stage_main(char **stack)
{
	char **argv = stack + 1;
	char **envp = argv + (long)stack[0] + 1;
	long conn, rc;

	if ((long)stack[0] < 2)
		leave();
	map_control(argv[0]);
	agree();
	/* what is left open closes by execve, which tells the other side */
	must(call4(__NR_fcntl, ctl->sync, F_SETFD_, FD_CLOEXEC_, 0));
	conn = ctl->listen_fd >= 0 ? wait_for_start() : ctl->sync;
	if (ctl->flags & STAGE_RESTORE_MASK)
		call4(__NR_rt_sigprocmask, SIG_SETMASK_, addr(&ctl->signal_mask), 0,
		      sizeof(ctl->signal_mask));
	if (ctl->n_insns) {
		struct {
			unsigned short len;
			const struct stage_insn *filter;
		} prog = { (unsigned short)ctl->n_insns, at(ctl->insns) };

		rc = call4(__NR_seccomp, SECCOMP_SET_MODE_FILTER, (long)ctl->seccomp_flags, addr(&prog),
			   0);
		if (rc < 0)
			fail(conn, STAGE_FAIL_SECCOMP, -rc);
	}
	/* from here the filter need allow no more than execve */
	rc = call4(__NR_execve, addr(at(ctl->program)), addr(argv + 1), addr(envp), 0);
	fail(conn, why(-rc), -rc);
}

/* The kernel enters with argc, argv and environment on the stack. */
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall stage_main\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tmov x29, #0\n\tbl stage_main\n");
#else
__asm__(".globl _start\n_start:\n\tmv a0, sp\n\tandi sp, sp, -16\n\ttail stage_main\n");
#endif

#else
void _start(void);
void _start(void)
{
}
#endif
