/* SPDX-License-Identifier: Apache-2.0 */
/* The filter is installed in a child; the test is its agent. */
#include "bk_test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "sec/sec_notify.h"

#define ANSWER 4242

/* Notifies about getppid and sendmsg; of TSYNC nothing may come. */
static struct sock_filter some_calls[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static struct sock_filter all_calls[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF) };

static _Noreturn void child(int sock, const struct sec_bpf *b)
{
	long got;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    sec_notify_load(b, sock, "word", 4, NULL) < 0)
		_exit(1);
	got = syscall(SYS_getppid);
	_exit(got == ANSWER ? 0 : 2);
}

/* Answers getppid, lets all else go on, until the child is gone. */
static void serve(int listener)
{
	for (;;) {
		struct pollfd p = { .fd = listener, .events = POLLIN };
		struct seccomp_notif n = { 0 };
		struct seccomp_notif_resp r = { 0 };

		assert_true(poll(&p, 1, 20000) == 1);
		if (!(p.revents & POLLIN))
			return;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
			continue; /* it is gone */
		r.id = n.id;
		if (n.data.nr == SYS_getppid)
			r.val = ANSWER;
		else
			r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
	}
}

static void load_and_serve(const struct sec_bpf *b)
{
	bk_autoclose int listener = -1;
	size_t n = 0;
	char word[8];
	int fds[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	pid = fork();
	if (pid == 0)
		child(fds[1], b);
	(void)close(fds[1]);
	assert_int_equal(bk_fd_recv(fds[0], &listener, 1, &n, word, sizeof(word)), 4);
	assert_memory_equal(word, "word", 4);
	assert_int_equal(n, 1);
	serve(listener);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(fds[0]);
}

static void test_some(void **state)
{
	const struct sec_bpf b = { .insns = some_calls, .n = BK_ARRAY_SIZE(some_calls),
				   .flags = SECCOMP_FILTER_FLAG_TSYNC, .notify = true };

	(void)state;
	load_and_serve(&b);
}

static void test_all(void **state)
{
	const struct sec_bpf b = { .insns = all_calls, .n = 1, .notify = true };

	(void)state;
	load_and_serve(&b);
}

/* What the kernel refuses leaves no thread behind and loads nothing. */
static void test_refused(void **state)
{
	struct sock_filter bad = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sec_bpf b = { .insns = &bad, .n = 1, .flags = 1U << 30, .notify = true };
	struct bk_err *err = NULL;
	char dummy = 0;

	(void)state;
	assert_err(sec_notify_load(&b, -1, &dummy, 1, &err), &err, BK_ERR_IO,
		   "install the seccomp filter");
	assert_int_equal(getppid() > 0, 1);
}

BK_TEST_MAIN(cmocka_unit_test(test_some), cmocka_unit_test(test_all), cmocka_unit_test(test_refused))
