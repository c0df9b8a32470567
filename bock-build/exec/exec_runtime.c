/* SPDX-License-Identifier: Apache-2.0 */
#include "exec/exec_runtime.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"

#define ASK_TIMEOUT_MS 10000 /* for kill and delete */
#define END_TIMEOUT_MS 10000 /* for a runtime whose container was killed */

static const char *const beside[] = { "bock-runc", "../bock-runc/bock-runc", "../sbin/bock-runc" };

int exec_runtime_find(const char *given, char **ret, struct bk_err **err)
{
	char self[4096];
	bk_autofree char *dir = NULL;
	ssize_t len;

	if (!given || !*given)
		given = getenv("BOCK_RUNC");
	if (given && *given && !strchr(given, '/')) {
		*ret = bk_strdup(given);
		return 0;
	}
	if (given && *given)
		return bk_path_absolute(given, ret, err);
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read '/proc/self/exe'");
	self[len] = '\0';
	dir = bk_path_dir(self);
	for (size_t i = 0; i < BK_ARRAY_SIZE(beside); i++) {
		bk_autofree char *path = bk_path_join(dir, beside[i]);
		struct stat st;

		if (access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			*ret = bk_path_clean(path);
			return 0;
		}
	}
	*ret = bk_strdup("bock-runc");
	return 0;
}

/* Asks the runtime for something about the container; whether it can is seen by what follows. */
static void ask(const struct exec_runtime *rt, const char *const words[3])
{
	char *const argv[] = { (char *)(uintptr_t)rt->path,
			       (char *)(uintptr_t) "--root",
			       (char *)(uintptr_t)rt->root,
			       (char *)(uintptr_t)words[0],
			       (char *)(uintptr_t)words[1],
			       (char *)(uintptr_t)words[2],
			       NULL };
	const struct bk_proc_spec spec = {
		.path = rt->path, .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autobuf struct bk_buf errout = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *ignored = NULL;
	int status = 0;

	bk_proc_run(&spec, NULL, 0, &out, &errout, ASK_TIMEOUT_MS, &status, &ignored);
	bk_err_clear(&ignored);
}

/* Waits for the process or a signal to us; *ret_sig is 0 or the signal. */
static int wait_for(const struct bk_proc *p, int sigfd, int *ret_sig, struct bk_err **err)
{
	struct pollfd fds[] = { { .fd = p->pidfd, .events = POLLIN },
				{ .fd = sigfd, .events = POLLIN } };
	struct signalfd_siginfo info;

	while (poll(fds, BK_ARRAY_SIZE(fds), -1) < 0)
		if (errno != EINTR)
			return bk_err_set(err, BK_ERR_IO, errno, "wait for the runtime");
	*ret_sig = 0;
	if (fds[1].revents && read(sigfd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		*ret_sig = (int)info.ssi_signo;
	return 0;
}

static int run_blocked(const struct exec_runtime *rt, const char *bundle, const char *id, int sigfd,
		       int *ret_code, struct bk_err **err)
{
	char *const argv[] = { (char *)(uintptr_t)rt->path,    (char *)(uintptr_t) "--root",
			       (char *)(uintptr_t)rt->root,    (char *)(uintptr_t) "run",
			       (char *)(uintptr_t) "--bundle", (char *)(uintptr_t)bundle,
			       (char *)(uintptr_t)id,	       NULL };
	/* a build that is killed takes the runtime, and that its container, with it */
	const struct bk_proc_spec spec = { .path = rt->path,
					   .argv = argv,
					   .stdin_fd = -1,
					   .stdout_fd = rt->output >= 0 ? rt->output
									: STDERR_FILENO,
					   .stderr_fd = rt->output,
					   .death_signal = SIGKILL };
	struct bk_proc p = BK_PROC_INIT;
	int status = 0;
	int sig = 0;
	int rc = bk_proc_spawn(&spec, &p, err);

	if (rc < 0)
		return rc;
	rc = wait_for(&p, sigfd, &sig, err);
	if (sig)
		ask(rt, (const char *const[]){ "kill", id, "KILL" });
	if (rc == 0)
		rc = bk_proc_wait(&p, sig ? END_TIMEOUT_MS : -1, &status, err);
	if (sig)
		ask(rt, (const char *const[]){ "delete", "--force", id });
	if (rc == 0 && sig)
		rc = bk_err_set(err, BK_ERR_IO, 0, "ended by signal %d (%s)", sig,
				sigabbrev_np(sig));
	if (rc == 0)
		*ret_code = bk_proc_exit_code(status);
	return rc;
}

int exec_runtime_run(const struct exec_runtime *rt, const char *bundle, const char *id,
		     int *ret_code, struct bk_err **err)
{
	bk_autoclose int sigfd = -1;
	sigset_t caught;
	sigset_t before;
	int rc;

	sigemptyset(&caught);
	sigaddset(&caught, SIGINT);
	sigaddset(&caught, SIGTERM);
	sigaddset(&caught, SIGHUP);
	sigfd = signalfd(-1, &caught, SFD_CLOEXEC);
	if (sigfd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "signalfd");
	if (sigprocmask(SIG_BLOCK, &caught, &before) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "block signals");
	rc = run_blocked(rt, bundle, id, sigfd, ret_code, err);
	if (sigprocmask(SIG_SETMASK, &before, NULL) < 0 && rc == 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "restore the signal mask");
	return rc;
}
