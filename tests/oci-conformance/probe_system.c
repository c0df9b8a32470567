/* SPDX-License-Identifier: Apache-2.0 */
/* What is around the process: namespaces, mounts, cgroup, names, network, clocks. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define FIELDS_MAX 32

static void namespaces(void)
{
	static const char *const kinds[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };

	json_object("ns");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		json_link(kinds[i], path);
	}
	json_end();
}

/* undoes \040 and the like */
static char *plain(char *s)
{
	char *to = s;

	for (char *from = s; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return s;
}

/* id parent maj:min root target options [optional...] - type source options */
static void mount_line(char *line)
{
	char *field[FIELDS_MAX], *save = NULL;
	size_t n = 0, dash = 6;

	for (char *s = strtok_r(line, " \n", &save); s && n < FIELDS_MAX; s = strtok_r(NULL, " \n", &save))
		field[n++] = s;
	while (dash < n && strcmp(field[dash], "-") != 0)
		dash++;
	if (n < 7 || dash + 2 >= n)
		return;
	json_object(NULL);
	json_number("id", to_number(field[0]));
	json_number("parent", to_number(field[1]));
	json_string("device", field[2]);
	json_string("root", plain(field[3]));
	json_string("target", plain(field[4]));
	json_string("options", field[5]);
	json_array("propagation");
	for (size_t i = 6; i < dash; i++)
		json_string(NULL, field[i]);
	json_end();
	json_string("type", field[dash + 1]);
	json_string("source", dash + 3 < n ? plain(field[dash + 2]) : "");
	json_string("super", field[n - 1]);
	json_end();
}

static void mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	json_array("mounts");
	while (f && getline(&line, &size, f) > 0)
		mount_line(line);
	json_end();
	free(line);
	if (f)
		fclose(f);
}

static void names(void)
{
	struct utsname u;

	if (uname(&u))
		return;
	json_string("hostname", u.nodename);
	json_string("domainname", u.domainname);
	json_string("machine", u.machine);
}

static void network(void)
{
	struct ifaddrs *all = NULL;

	json_array("net");
	if (!getifaddrs(&all)) {
		for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
			char host[INET6_ADDRSTRLEN] = "";

			if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET)
				inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr,
					  host, sizeof(host));
			if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET6)
				inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr,
					  host, sizeof(host));
			json_object(NULL);
			json_string("name", a->ifa_name);
			json_bool("up", a->ifa_flags & IFF_UP);
			json_string("address", host);
			json_end();
		}
		freeifaddrs(all);
	}
	json_end();
}

static void clock_now(const char *key, clockid_t id)
{
	struct timespec t = { 0 };

	clock_gettime(id, &t);
	json_number(key, (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

void report_system(void)
{
	namespaces();
	mounts();
	names();
	network();
	json_file("cgroup", "/proc/self/cgroup");
	json_file("uid_map", "/proc/self/uid_map");
	json_file("gid_map", "/proc/self/gid_map");
	json_file("setgroups", "/proc/self/setgroups");
	json_file("timens_offsets", "/proc/self/timens_offsets");
	json_object("clocks");
	clock_now("monotonic", CLOCK_MONOTONIC);
	clock_now("boottime", CLOCK_BOOTTIME);
	clock_now("realtime", CLOCK_REALTIME);
	json_end();
}
