/* SPDX-License-Identifier: Apache-2.0 */
#include "ns/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/bk_auto.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct ns_info ns_table[OCI_NS_MAX_] = {
	[OCI_NS_PID] = { OCI_NS_PID, CLONE_NEWPID, "pid", "pid" },
	[OCI_NS_NETWORK] = { OCI_NS_NETWORK, CLONE_NEWNET, "network", "net" },
	[OCI_NS_MOUNT] = { OCI_NS_MOUNT, CLONE_NEWNS, "mount", "mnt" },
	[OCI_NS_IPC] = { OCI_NS_IPC, CLONE_NEWIPC, "ipc", "ipc" },
	[OCI_NS_UTS] = { OCI_NS_UTS, CLONE_NEWUTS, "uts", "uts" },
	[OCI_NS_USER] = { OCI_NS_USER, CLONE_NEWUSER, "user", "user" },
	[OCI_NS_CGROUP] = { OCI_NS_CGROUP, CLONE_NEWCGROUP, "cgroup", "cgroup" },
	[OCI_NS_TIME] = { OCI_NS_TIME, CLONE_NEWTIME, "time", "time" },
};

const struct ns_info *ns_info_of(int type)
{
	return &ns_table[type];
}

int ns_open(const char *path, int type, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int found;

	/* O_NONBLOCK: the path might be a FIFO */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open %s namespace '%s'",
				  ns_table[type].name, path);
	found = ioctl(fd, NS_GET_NSTYPE);
	if (found < 0 && errno != ENOTTY)
		return bk_err_set(err, BK_ERR_IO, errno, "ask of which type the namespace '%s' is", path);
	if (found < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is not a namespace", path);
	if (found != ns_table[type].clone_flag)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is not a %s namespace", path,
				  ns_table[type].name);
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

int ns_join(int fd, int type, const char *path, struct bk_err **err)
{
	if (setns(fd, ns_table[type].clone_flag) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "join %s namespace '%s'",
				  ns_table[type].name, path);
	return 0;
}

int ns_loopback_up(struct bk_err **err)
{
	bk_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "bring up the loopback device");
	return 0;
}

bool ns_is_own(const char *path, int type)
{
	char own_path[32];
	struct stat own, st;

	snprintf(own_path, sizeof(own_path), "/proc/self/ns/%s", ns_table[type].proc_name);
	return stat(own_path, &own) == 0 && stat(path, &st) == 0 && own.st_dev == st.st_dev &&
	       own.st_ino == st.st_ino;
}

bool ns_in_userns(void)
{
	bk_autoclose int fd = -1;
	char buf[128];
	ssize_t n;
	unsigned long in, out, len;

	fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return true; /* no mapping yet: certainly not the initial one */
	buf[n] = '\0';
	if (sscanf(buf, "%lu %lu %lu", &in, &out, &len) != 3)
		return true;
	return !(in == 0 && out == 0 && len == 4294967295UL);
}

bool ns_denies_setgroups(void)
{
	bk_autoclose int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
	char word[4];

	return fd >= 0 && read(fd, word, sizeof(word)) == (ssize_t)sizeof(word) &&
	       memcmp(word, "deny", sizeof(word)) == 0;
}
