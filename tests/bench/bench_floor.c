/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_floor ROOTFS PROGRAM: what the kernel alone takes for a container like that of `bock-runc spec`: the
 * same namespaces, mounts, devices, masked and read-only paths and pivot_root, by plain mount(2) on path
 * strings, then PROGRAM. No configuration, state, cgroup, limit, capability or seccomp: a bound that no
 * runtime reaches, and no example of how a runtime mounts.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE 16384

struct mount_row {
	const char *source, *target, *type, *data;
	unsigned long flags;
};

static const struct mount_row mounts[] = {
	{ "proc", "proc", "proc", NULL, 0 },
	{ "tmpfs", "dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME },
	{ "devpts", "dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
	  MS_NOSUID | MS_NOEXEC },
	{ "shm", "dev/shm", "tmpfs", "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV },
	{ "mqueue", "dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
	{ "sysfs", "sys", "sysfs", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY },
	{ "cgroup", "sys/fs/cgroup", "cgroup2", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY },
};

static const struct {
	const char *name;
	unsigned int major, minor;
} devices[] = {
	{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
	{ "dev/tty", 5, 0 },  { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 },
};

static const char *const links[][2] = {
	{ "/proc/self/fd", "dev/fd" },	     { "/proc/self/fd/0", "dev/stdin" },
	{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
	{ "pts/ptmx", "dev/ptmx" },
};

static const char *const masked[] = {
	"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
};

static const char *const readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static char stack[STACK_SIZE] __attribute__((aligned(16)));

static int die(const char *what)
{
	perror(what);
	return 1;
}

static int make_root(const char *rootfs)
{
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(rootfs) < 0)
		return die(rootfs);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		const struct mount_row *m = &mounts[i];

		(void)mkdir(m->target, 0755);
		if (mount(m->source, m->target, m->type, m->flags, m->data) < 0)
			return die(m->target);
	}
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (mknod(devices[i].name, S_IFCHR | 0666,
			  makedev(devices[i].major, devices[i].minor)) < 0)
			return die(devices[i].name);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			return die(links[i][1]);
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return die("pivot_root");
	return 0;
}

static void cover(void)
{
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++) {
		(void)mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL);
		(void)mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
	}
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) < 0)
			(void)mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL);
	(void)mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

static int child(void *arg)
{
	char **argv = arg;
	char *const program[] = { argv[2], NULL };
	char *const env[] = { NULL };

	if (make_root(argv[1]) != 0 || sethostname("floor", 5) < 0)
		return 1;
	cover();
	(void)execve(argv[2], program, env);
	return die(argv[2]);
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc != 3) {
		(void)fputs("usage: bench_floor ROOTFS PROGRAM\n", stderr);
		return 2;
	}
	pid = clone(child, stack + sizeof(stack),
		    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
			    CLONE_NEWCGROUP | SIGCHLD,
		    argv);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return die("clone");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
