/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sched.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"

/* Where we look for programs when nobody says. */
#define PROC_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* The child's own stack: it needs a page or two; what is not touched costs nothing. */
#define PROC_STACK ((size_t)256 << 10)
/* A killed process that is not gone by then sits in the kernel, and is left to it. */
#define PROC_KILL_MS 10000

/*
 * What the child is told and what it tells. It runs in our memory while we are stopped
 * (CLONE_VM | CLONE_VFORK), so that starting a program costs the same whatever our size is, and an
 * error comes back as a plain store: no pipe.
 */
struct child {
	const struct bk_proc_spec *spec;
	const char *path;
	char *const *env;
	int fds[3];
	pid_t parent;
	const char *act; /* what failed, with errnum */
	int errnum;
};

static const char act_chdir[] = "change directory";
static const char act_execute[] = "execute";

/* The child runs on a stack that the sanitizer doesn't know, and leaves it without returning. */
#define PROC_CHILD __attribute__((no_sanitize("address")))

/*
 * By the system call itself, because libc does not let go of the signals that it keeps to itself, and
 * those are inherited as ignored, too. In all zeroes the kernel reads SIG_DFL, whatever the layout of
 * its struct sigaction.
 */
PROC_CHILD void bk_proc_default_signal(int sig)
{
	static const unsigned long dfl[16];

	(void)syscall(SYS_rt_sigaction, sig, dfl, NULL, (size_t)(_NSIG - 1) / 8);
}

/* execve(2) keeps what is ignored ignored: a program starts with everything as it is by default. */
PROC_CHILD static void child_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < _NSIG; sig++)
		bk_proc_default_signal(sig);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

PROC_CHILD static const char *child_fds(struct child *c)
{
	if (c->fds[0] < 0)
		c->fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (c->fds[0] < 0)
		return "open /dev/null";
	/* First out of the way of each other: stdout may be asked to be our stdin. */
	for (int i = 0; i < 3; i++) {
		if (c->fds[i] > 2 || c->fds[i] == i || c->fds[i] < 0)
			continue;
		c->fds[i] = fcntl(c->fds[i], F_DUPFD_CLOEXEC, 3);
		if (c->fds[i] < 0)
			return "duplicate a descriptor";
	}
	for (int i = 0; i < 3; i++) {
		int fd = c->fds[i];

		if (fd >= 0 && (fd == i ? fcntl(i, F_SETFD, 0) : dup2(fd, i)) < 0)
			return "duplicate a descriptor";
	}
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return "close_range";
	for (size_t i = 0; i < c->spec->n_keep_fds; i++)
		if (fcntl(c->spec->keep_fds[i], F_SETFD, 0) < 0)
			return "pass on a descriptor";
	return NULL;
}

PROC_CHILD static int child_main(void *arg)
{
	struct child *c = arg;

	child_signals();
	if (c->spec->death_signal)
		(void)prctl(PR_SET_PDEATHSIG, (unsigned long)c->spec->death_signal, 0, 0, 0);
	/* who was killed before that sends no signal any more; 0: the parent is in another pid namespace */
	if (c->spec->death_signal && getppid() != c->parent && getppid() != 0)
		_exit(127);
	c->act = child_fds(c);
	if (!c->act && c->spec->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		c->act = "set no_new_privs";
	if (!c->act && c->spec->cwd && chdir(c->spec->cwd) < 0)
		c->act = act_chdir;
	if (!c->act) {
		(void)execve(c->path, c->spec->argv, c->env);
		c->act = act_execute;
	}
	c->errnum = errno;
	_exit(127);
}

/* The first executable file of that name in PATH; NULL where there is none. */
static char *find_program(const char *name)
{
	const char *dirs = getenv("PATH");
	const char *end;

	if (!dirs || *dirs == '\0')
		dirs = PROC_PATH;
	for (;; dirs = end + 1) {
		bk_autofree char *path = NULL;
		struct stat st;

		end = strchrnul(dirs, ':');
		/* Not the current directory, which an empty or relative part would mean. */
		if (*dirs == '/') {
			path = bk_asprintf("%.*s/%s", (int)(end - dirs), dirs, name);
			if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
				return bk_steal_ptr(&path);
		}
		if (*end == '\0')
			return NULL;
	}
}

/* Before the child has descriptors of its own that could take the number of a closed one. */
static int check_fds(const struct bk_proc_spec *spec, struct bk_err **err)
{
	const int std[] = { spec->stdin_fd, spec->stdout_fd, spec->stderr_fd };

	for (size_t i = 0; i < 3; i++)
		if (std[i] >= 0 && fcntl(std[i], F_GETFD) < 0)
			return bk_err_set(err, BK_ERR_INTERNAL, errno,
					  "execute '%s': descriptor %d", spec->path, std[i]);
	for (size_t i = 0; i < spec->n_keep_fds; i++)
		if (spec->keep_fds[i] < 3 || fcntl(spec->keep_fds[i], F_GETFD) < 0)
			return bk_err_set(err, BK_ERR_INTERNAL, EBADF,
					  "execute '%s': pass on descriptor %d", spec->path,
					  spec->keep_fds[i]);
	return 0;
}

/* Runs child_main on a stack of its own; returns after its execve(2) or its end. 0 or -errno. */
static int start(struct child *c, struct bk_proc *ret)
{
	struct bk_proc p = BK_PROC_INIT;
	sigset_t all, before;
	char *stack;
	int rc = 0;

	stack = mmap(NULL, PROC_STACK, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return -errno;
	/* No handler of ours may run in the child: it would do so in our memory. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	p.pid = clone(child_main, stack + PROC_STACK,
		      CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, c, &p.pidfd);
	if (p.pid < 0)
		rc = -errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)munmap(stack, PROC_STACK);
	if (rc == 0)
		*ret = p;
	return rc;
}

static int reap(pid_t pid, int *ret_status)
{
	pid_t got;

	do
		got = waitpid(pid, ret_status, 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : 0;
}

int bk_proc_spawn(const struct bk_proc_spec *spec, struct bk_proc *ret, struct bk_err **err)
{
	bk_autofree char *found = NULL;
	struct bk_proc p = BK_PROC_INIT;
	struct child c = {
		.spec = spec,
		.path = spec->path,
		.env = spec->env ? spec->env : environ,
		.fds = { spec->stdin_fd, spec->stdout_fd, spec->stderr_fd },
		.parent = getpid(),
	};
	int status;
	int rc = check_fds(spec, err);

	if (rc < 0)
		return rc;
	if (!strchr(spec->path, '/')) {
		found = find_program(spec->path);
		if (!found)
			return bk_err_set(err, BK_ERR_NOT_FOUND, ENOENT, "execute '%s'",
					  spec->path);
		c.path = found;
	}
	rc = start(&c, &p);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "make a process for '%s'", spec->path);
	if (!c.act) {
		*ret = p;
		return 0;
	}
	(void)reap(p.pid, &status);
	bk_close(&p.pidfd);
	if (c.act == act_execute)
		return bk_err_set(err, c.errnum == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, c.errnum,
				  "execute '%s'", spec->path);
	if (c.act == act_chdir)
		return bk_err_set(err, BK_ERR_IO, c.errnum,
				  "execute '%s': change directory to '%s'", spec->path, spec->cwd);
	return bk_err_set(err, BK_ERR_IO, c.errnum, "execute '%s': %s", spec->path, c.act);
}

int bk_proc_wait(struct bk_proc *p, int timeout_ms, int *ret_status, struct bk_err **err)
{
	const int pid = (int)p->pid;
	bool late = false;
	int status;
	int rc = 1;

	if (timeout_ms >= 0)
		rc = bk_fd_wait(p->pidfd, POLLIN, timeout_ms);
	if (rc == 0) {
		late = true;
		(void)syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
		rc = bk_fd_wait(p->pidfd, POLLIN, PROC_KILL_MS);
	}
	if (rc > 0)
		rc = reap(p->pid, &status);
	bk_close(&p->pidfd);
	p->pid = -1;
	if (late)
		return bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "wait for process %d", pid);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "wait for process %d", pid);
	*ret_status = status;
	return 0;
}

int bk_proc_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The 22nd field; the second, a name in parentheses, may hold blanks and parentheses itself. */
static int parse_start_time(char *stat, uint64_t *ret)
{
	char *p = strrchr(stat, ')');
	char *save = NULL;

	p = p ? strtok_r(p + 1, " ", &save) : NULL;
	for (int field = 3; p && field < 22; field++)
		p = strtok_r(NULL, " ", &save);
	if (!p || bk_num_u64(p, UINT64_MAX, ret, NULL) < 0 || *ret == 0)
		return -EINVAL;
	return 0;
}

int bk_proc_start_time(pid_t pid, uint64_t *ret_ticks, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	char path[32];
	char stat[4096];
	uint64_t ticks;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -errno : bk_fd_read_full(fd, stat, sizeof(stat) - 1);
	if (n == -ENOENT || n == -ESRCH)
		return bk_err_set(err, BK_ERR_NOT_FOUND, ESRCH, "read '%s'", path);
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, (int)-n, "read '%s'", path);
	stat[n] = '\0';
	if (parse_start_time(stat, &ticks) < 0)
		return bk_err_set(err, BK_ERR_IO, EINVAL, "read '%s': no start time in it", path);
	*ret_ticks = ticks;
	return 0;
}
