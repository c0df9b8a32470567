/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "container/container_probe.h"

static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0)
		(void)pause();
	return pid;
}

/* Ends it, and leaves it a zombie. */
static void end_child(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_start(void **state)
{
	pid_t pid = start_child();
	uint64_t start = container_probe_start(pid);

	(void)state;
	assert_true(start > 0);
	assert_true(container_probe_alive(pid, start));
	assert_false(container_probe_alive(pid, start + 1));
	assert_false(container_probe_alive(pid, 0));
	end_child(pid);
	assert_false(container_probe_alive(pid, start));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(container_probe_alive(pid, start));
	assert_int_equal(container_probe_start(pid), 0);
}

static void test_inode(void **state)
{
	pid_t pid = start_child(), other = start_child();
	bk_autoclose int fd = pidfd_open(pid, 0);
	bk_autoclose int other_fd = pidfd_open(other, 0);
	bk_autoclose int none = dup(0);
	uint64_t inode = container_probe_inode(fd);

	(void)state;
	assert_int_equal(container_probe_inode(none), 0); /* no pidfd, no inode that says anything */
	if (inode) {
		assert_int_not_equal(inode, container_probe_inode(other_fd));
		assert_true(container_probe_pidfd(fd, inode));
		assert_false(container_probe_pidfd(other_fd, inode));
	}
	end_child(pid);
	end_child(other);
	if (inode)
		assert_false(container_probe_pidfd(fd, inode)); /* a zombie */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(waitpid(other, NULL, 0), other);
	if (!inode)
		skip_because("this kernel has no pidfs (Linux 6.9)");
	assert_false(container_probe_pidfd(fd, inode));
}

static void test_self(void **state)
{
	uint64_t ignored = 0;
	void (*before)(int) = signal(SIGUSR2, SIG_IGN);
	pid_t self;

	(void)state;
	assert_true(container_probe_self(&self, &ignored) > 0);
	assert_int_equal(self, getpid());
	assert_true(ignored & (UINT64_C(1) << (SIGUSR2 - 1)));
	(void)signal(SIGUSR2, SIG_DFL);
	assert_true(container_probe_self(&self, &ignored) > 0);
	assert_false(ignored & (UINT64_C(1) << (SIGUSR2 - 1)));
	(void)signal(SIGUSR2, before);
}

BK_TEST_MAIN(cmocka_unit_test(test_start), cmocka_unit_test(test_inode),
	     cmocka_unit_test(test_self))
