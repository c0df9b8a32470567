/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/sec_notify.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"

#define POLL_NS	   (50L * 1000)
#define NO_FD_YET  (-1)
#define NOT_LOADED (-2)

/* What both threads see. */
struct shared {
	atomic_int listener;	/* NO_FD_YET, NOT_LOADED or the descriptor */
	atomic_int tid;		/* of the second thread; the kernel makes it 0 when that has ended */
	int result;		/* of the sending: 0 or -errno; to be read when tid is 0 */
	int sock;
	const void *message;
	size_t len;
};

__attribute__((no_sanitize("address", "undefined"))) static int
send_listener(const struct shared *s, int listener)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)s->message, .iov_len = s->len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	long n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &listener, sizeof(listener));
	do
		n = syscall(SYS_sendmsg, s->sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/*
 * The second thread. It shares the first one's thread-local storage, errno with it, so it makes raw
 * calls, and none that fails before the first has what it wants of errno. The first thread can't wake it:
 * that would be a system call.
 */
__attribute__((no_sanitize("address", "undefined"))) static int second(void *arg)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct shared *s = arg;
	int listener;

	while ((listener = atomic_load(&s->listener)) == NO_FD_YET)
		(void)syscall(SYS_nanosleep, &pause, NULL);
	if (listener >= 0) {
		s->result = send_listener(s, listener);
		/* while we held it, calls would wait for an agent that is gone */
		(void)syscall(SYS_close, listener);
	}
	return 0;
}

/* Without a system call: the filter may hold us up in any. It lasts as long as one sendmsg. */
static void join(const struct shared *s)
{
	while (atomic_load(&s->tid) != 0)
		__asm__ volatile("" ::: "memory");
}

int sec_notify_load(const struct sec_bpf *b, int sock, const void *message, size_t len,
		    struct bk_err **err)
{
	const int thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			   CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	const unsigned int flags = (b->flags & ~(unsigned int)SECCOMP_FILTER_FLAG_TSYNC) |
				   SECCOMP_FILTER_FLAG_NEW_LISTENER;
	struct sock_fprog prog = { .len = (unsigned short)b->n, .filter = b->insns };
	struct shared s = { .listener = NO_FD_YET, .sock = sock, .message = message, .len = len };
	_Alignas(16) char stack[SEC_NOTIFY_STACK];
	long listener;
	int errnum;

	if (clone(second, stack + sizeof(stack), thread, &s, &s.tid, NULL, &s.tid) < 0)
		return bk_err_set(err, BK_ERR_IO, errno,
				  "start a thread for the listener (which linux.resources.pids.limit and "
				  "RLIMIT_NPROC must leave room for)");
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	errnum = errno;
	atomic_store(&s.listener, listener < 0 ? NOT_LOADED : (int)listener);
	join(&s);
	if (listener < 0)
		return sec_seccomp_load_error(b, errnum, err);
	if (s.result < 0)
		return bk_err_set(err, BK_ERR_IO, -s.result, "pass the seccomp listener on");
	return 0;
}
