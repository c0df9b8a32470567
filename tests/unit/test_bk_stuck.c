/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_mem.h"
#include "base/bk_stuck.h"

static void test_stuck(void **state)
{
	bk_autofree char *stopped = NULL;
	bk_autofree char *ended = NULL;
	bk_autofree char *gone = NULL;
	bk_autofree char *want = NULL;
	bk_autofree char *by_fd = NULL;
	bk_autoclose int pidfd = -1;
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "a) b\n");
		(void)raise(SIGSTOP);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	stopped = bk_stuck_describe(pid);
	want = bk_asprintf("process %d (a) b?, state T", (int)pid);
	assert_memory_equal(stopped, want, strlen(want));
	pidfd = pidfd_open(pid, 0);
	assert_true(pidfd >= 0);
	by_fd = bk_stuck_describe_fd(pidfd);
	assert_string_equal(by_fd, stopped);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ended = bk_stuck_describe(pid);
	free(want);
	want = bk_asprintf("process %d, which has ended", (int)pid);
	assert_string_equal(ended, want);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	gone = bk_stuck_describe(pid);
	assert_string_equal(gone, want);
}

BK_TEST_MAIN(cmocka_unit_test(test_stuck))
