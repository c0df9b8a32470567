/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload: the program of the containers that tests/crash/run makes and breaks. It writes down what it finds around
 * itself, so that a container of which a part was silently left out is told from a whole one.
 *
 *	payload OUT stay|DIGIT		writes OUT, then waits for ever, or ends with that status
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#define KEYCTL_DESCRIBE 6
#define KEY_SPEC_SESSION_KEYRING (-3)

static FILE *out;

static void print_file(const char *path)
{
	char line[4096];
	FILE *f = fopen(path, "re");

	if (!f) {
		fprintf(out, "%s: %s\n", path, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), f))
		fprintf(out, "%s: %s", path, line);
	(void)fclose(f);
}

/* Without what is another number each time: the ids of the mounts and of their devices. */
static void print_mounts(void)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof(line), f)) {
		int skip = 0;

		(void)!sscanf(line, "%*s %*s %*s %n", &skip);
		/* nor the groups that they propagate in */
		char *tail = strstr(line, " - ");
		char *shared = strstr(line, "shared:"), *master = strstr(line, "master:");
		char *cut = shared && shared < tail ? shared : master && master < tail ? master : tail;

		if (tail)
			fprintf(out, "mount: %.*s%s%s%s", (int)(cut - line - skip), line + skip,
				shared ? "shared" : "", master ? "master" : "", tail);
	}
	if (f)
		(void)fclose(f);
}

static void print_status(void)
{
	static const char *const keys[] = { "Umask:",  "Uid:",	  "Gid:",	 "Groups:", "SigBlk:", "SigIgn:",
					    "CapInh:", "CapPrm:", "CapEff:",	 "CapBnd:", "CapAmb:", "NoNewPrivs:",
					    "Seccomp:", "Seccomp_filters:", "Cpus_allowed:" };
	char line[4096];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f)) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				fprintf(out, "status: %s", line);
		}
	}
	if (f)
		(void)fclose(f);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void print_folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, by_name);

	for (int i = 0; i < n; i++) {
		char full[PATH_MAX], link[PATH_MAX] = "";
		struct stat st;

		snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && lstat(full, &st) == 0) {
			if (S_ISLNK(st.st_mode))
				(void)!readlink(full, link, sizeof(link) - 1);
			fprintf(out, "%s %o %u:%u %u:%u %s\n", full, st.st_mode, st.st_uid, st.st_gid,
				major(st.st_rdev), minor(st.st_rdev), link);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static void print_limits(void)
{
	for (int i = 0; i < 16; i++) {
		struct rlimit r;

		if (getrlimit((__rlimit_resource_t)i, &r) == 0)
			fprintf(out, "limit %d: %llu %llu\n", i, (unsigned long long)r.rlim_cur,
				(unsigned long long)r.rlim_max);
	}
}

/* What the seccomp profile, the devices' program and the keyring's owner have to say. */
static void print_tries(void)
{
	char text[256] = "";
	int fd, rc = mknod("/dev/shm/disk", S_IFBLK | 0600, makedev(7, 200));

	fprintf(out, "mknod: %s\n", rc < 0 ? strerror(errno) : "made");
	fd = open("/dev/shm/disk", O_RDONLY | O_CLOEXEC);
	fprintf(out, "open disk: %s\n", fd < 0 ? strerror(errno) : "open");
	(void)unlink("/dev/shm/disk");
	/* what the profile answers with an error of its own */
	rc = (int)syscall(SYS_acct, "/nowhere");
	fprintf(out, "acct: %s\n", rc < 0 ? strerror(errno) : "done");
	rc = (int)syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1);
	fprintf(out, "keyring: %s\n", rc < 0 ? strerror(errno) : text);
}

static void print_fds(void)
{
	for (int i = 0; i < 64; i++) {
		if (fcntl(i, F_GETFD) >= 0 && i != fileno(out))
			fprintf(out, "descriptor: %d\n", i);
	}
}

/* Those of a network namespace of its own are the container's; none has addresses that the kernel makes up later. */
static void print_devices(void)
{
	struct if_nameindex *names = if_nameindex();
	struct ifaddrs *addrs = NULL;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (struct if_nameindex *n = names; n && n->if_index; n++) {
		struct ifreq r = { 0 }, mtu;

		snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", n->if_name);
		mtu = r;
		if (ioctl(fd, SIOCGIFFLAGS, &r) == 0 && ioctl(fd, SIOCGIFMTU, &mtu) == 0)
			fprintf(out, "device %s: %s, %d\n", n->if_name, r.ifr_flags & IFF_UP ? "up" : "down", mtu.ifr_mtu);
	}
	if (names)
		if_freenameindex(names);
	(void)close(fd);
	if (getifaddrs(&addrs) < 0)
		return;
	for (struct ifaddrs *a = addrs; a; a = a->ifa_next) {
		char text[INET_ADDRSTRLEN] = "";
		struct sockaddr_in in;

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&in, a->ifa_addr, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
		fprintf(out, "address %s: %s\n", a->ifa_name, text);
	}
	freeifaddrs(addrs);
}

int main(int argc, char **argv, char **env)
{
	char path[PATH_MAX], cwd[PATH_MAX] = "";
	struct utsname u;

	if (argc != 3)
		return 125;
	snprintf(path, sizeof(path), "%s.new", argv[1]);
	out = fopen(path, "we");
	if (!out)
		return 124;
	(void)uname(&u);
	fprintf(out, "name: %s %s\n", u.nodename, u.domainname);
	fprintf(out, "cwd: %s\n", getcwd(cwd, sizeof(cwd)));
	fprintf(out, "pid: %s\n", getpid() == 1 ? "first" : "other");
	for (char **e = env; *e; e++)
		fprintf(out, "env: %s\n", *e);
	print_status();
	print_mounts();
	print_limits();
	print_tries();
	print_fds();
	print_file("/proc/self/oom_score_adj");
	print_file("/proc/self/uid_map");
	print_file("/proc/self/gid_map");
	print_file("/proc/sys/net/ipv4/ip_forward");
	print_devices();
	print_folder("/dev");
	if (fclose(out) != 0 || rename(path, argv[1]) < 0)
		return 123;
	if (strcmp(argv[2], "stay") != 0)
		return argv[2][0] - '0';
	for (;;)
		pause();
}
