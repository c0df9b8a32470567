/* SPDX-License-Identifier: Apache-2.0 */
/* Each test is a child with a mount namespace, a devpts and a /dev of its own. */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "tty/tty_console.h"

static char dir[] = "/tmp/bock-console-XXXXXX"; /* machine-path-ok */

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return bk_file_rmtree(AT_FDCWD, dir, NULL);
}

/* Leaves with the line where something went wrong. */
#define must(condition)                                                                      \
	do {                                                                                 \
		if (!(condition)) {                                                          \
			dprintf(2, "line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
			_exit(1);                                                            \
		}                                                                            \
	} while (0)

struct place {
	int dev, pts;
};

static struct place enter(void)
{
	struct place p;
	char path[256];

	must(unshare(CLONE_NEWNS) == 0);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	must(mount("tmpfs", dir, "tmpfs", 0, "mode=755") == 0);
	p.dev = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(p.dev >= 0 && mkdirat(p.dev, "pts", 0755) == 0);
	snprintf(path, sizeof(path), "%s/pts", dir);
	must(mount("devpts", path, "devpts", 0, "newinstance,ptmxmode=0666,mode=0620,gid=5") == 0);
	p.pts = openat(p.dev, "pts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(p.pts >= 0);
	return p;
}

static void in_child(void (*fn)(void))
{
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		skip_because("mounting a devpts needs root, and this is uid %u", geteuid());
	pid = fork();
	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void do_whole(void)
{
	struct place p = enter();
	struct bk_err *err = NULL;
	struct stat console, slave_st;
	struct winsize size;
	unsigned int index = 99;
	int master = -1, slave = -1, socks[2], got = -1;
	char buf[64] = "";
	size_t n = 0;

	must(tty_console_open(p.pts, &master, &slave, &index, &err) == 0);
	must(index == 0); /* an instance of its own */
	must(fcntl(master, F_GETFD) == FD_CLOEXEC && fcntl(slave, F_GETFD) == FD_CLOEXEC);
	must(tty_console_size(slave, 33, 99, &err) == 0);
	must(ioctl(master, TIOCGWINSZ, &size) == 0 && size.ws_row == 33 && size.ws_col == 99);
	must(tty_console_size(slave, 0, 0, &err) == 0);
	must(ioctl(master, TIOCGWINSZ, &size) == 0 && size.ws_row == 33);
	must(tty_console_size(slave, 70000, 1, &err) == -BK_ERR_CONFIG);
	bk_err_clear(&err);

	must(tty_console_bind(p.dev, slave, &err) == 0);
	must(fstatat(p.dev, "console", &console, 0) == 0 && fstat(slave, &slave_st) == 0);
	must(S_ISCHR(console.st_mode) && console.st_rdev == slave_st.st_rdev);
	must(console.st_dev == slave_st.st_dev && console.st_ino == slave_st.st_ino);

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) == 0);
	must(tty_console_send(socks[0], master, "/dev/pts/0", &err) == 0);
	must(bk_fd_recv(socks[1], &got, 1, &n, buf, sizeof(buf)) == 10 && n == 1);
	must(memcmp(buf, "/dev/pts/0", 10) == 0);

	must(tty_console_stdio(&slave, true, &err) == 0);
	must(slave == -1);
	must(tcgetsid(0) == getpid() && isatty(1) && isatty(2));
	must(write(1, "hello", 5) == 5);
	must(read(got, buf, sizeof(buf)) == 5 && memcmp(buf, "hello", 5) == 0);
	must(tty_stdio_owner(1234, &err) == 0);
	must(fstat(0, &slave_st) == 0 && slave_st.st_uid == 1234 && slave_st.st_gid == 5);
}

static void test_whole(void **state)
{
	(void)state;
	in_child(do_whole);
}

/* What a prepared /dev could hold in the place of what is looked for. */
static void do_hostile(void)
{
	struct place p = enter();
	struct bk_err *err = NULL;
	unsigned int index;
	struct stat st;
	int master = -1, slave = -1, trap;
	char path[256];

	/* not a devpts */
	must(tty_console_open(p.dev, &master, &slave, &index, &err) == -BK_ERR_CONFIG);
	bk_err_clear(&err);
	must(tty_console_open(p.pts, &master, &slave, &index, &err) == 0);
	/* console as a link: neither followed nor replaced */
	trap = openat(p.dev, "trap", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(trap >= 0 && symlinkat("trap", p.dev, "console") == 0);
	must(tty_console_bind(p.dev, slave, &err) == -BK_ERR_CONFIG);
	bk_err_clear(&err);
	must(fstatat(p.dev, "trap", &st, 0) == 0 && S_ISREG(st.st_mode));
	must(unlinkat(p.dev, "console", 0) == 0 && mkdirat(p.dev, "console", 0755) == 0);
	must(tty_console_bind(p.dev, slave, &err) == -BK_ERR_CONFIG);
	bk_err_clear(&err);
	/* another file on the node of ptmx */
	snprintf(path, sizeof(path), "%s/pts/ptmx", dir);
	must(mount("/dev/zero", path, NULL, MS_BIND, NULL) == 0);
	must(tty_console_open(p.pts, &master, &slave, &index, &err) == -BK_ERR_CONFIG);
	bk_err_clear(&err);
}

static void test_hostile(void **state)
{
	(void)state;
	in_child(do_hostile);
}

/* Standard files that are no terminal: /dev/null keeps its owner, a file gets one, none is no error. */
static void do_owner(void)
{
	struct place p = enter();
	struct bk_err *err = NULL;
	struct stat before, after;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int file = openat(p.dev, "log", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	must(null >= 0 && file >= 0 && fstat(null, &before) == 0);
	must(dup2(null, 0) == 0 && dup2(file, 1) == 1);
	must(close(2) == 0);
	must(tty_stdio_owner(4321, &err) == 0);
	must(fstat(0, &after) == 0 && after.st_uid == before.st_uid);
	must(fstat(1, &after) == 0 && after.st_uid == 4321);
}

static void test_owner(void **state)
{
	(void)state;
	in_child(do_owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
