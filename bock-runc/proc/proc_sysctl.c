/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_sysctl.h"

#include <stdio.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "oci/oci_runtime_linux.h"

struct sysctl_rule {
	const char *prefix;	/* with a final '/': everything below */
	int ns;
};

static const struct sysctl_rule sysctl_rules[] = {
	{ "kernel/msgmax", OCI_NS_IPC },	{ "kernel/msgmnb", OCI_NS_IPC },
	{ "kernel/msgmni", OCI_NS_IPC },	{ "kernel/msg_next_id", OCI_NS_IPC },
	{ "kernel/sem", OCI_NS_IPC },		{ "kernel/sem_next_id", OCI_NS_IPC },
	{ "kernel/shmall", OCI_NS_IPC },	{ "kernel/shmmax", OCI_NS_IPC },
	{ "kernel/shmmni", OCI_NS_IPC },	{ "kernel/shm_next_id", OCI_NS_IPC },
	{ "kernel/shm_rmid_forced", OCI_NS_IPC }, { "fs/mqueue/", OCI_NS_IPC },
	{ "net/", OCI_NS_NETWORK },		{ "kernel/domainname", OCI_NS_UTS },
};

/* sysctl(8)'s rule: the first separator met says which of '.' and '/' separates. */
static void normalize(char *s)
{
	char *sep = strpbrk(s, "./");

	if (!sep || *sep == '/')
		return;
	for (; *s; s++) {
		if (*s == '.')
			*s = '/';
		else if (*s == '/')
			*s = '.';
	}
}

int proc_sysctl_path(const char *key, const bool *has_ns, char *path, size_t size,
		     struct bk_err **err)
{
	char *name = path + strlen("sys/");

	if (strlen(key) + sizeof("sys/") > size || strstr(key, ".."))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "linux.sysctl: '%s' is no sysctl", key);
	snprintf(path, size, "sys/%s", key);
	normalize(name);
	if (bk_streq(name, "kernel/hostname"))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.sysctl: '%s' conflicts with 'hostname': set that instead", key);
	for (size_t i = 0; i < BK_ARRAY_SIZE(sysctl_rules); i++) {
		const struct sysctl_rule *r = &sysctl_rules[i];
		bool tree = bk_has_suffix(r->prefix, "/");

		if (tree ? !bk_skip_prefix(name, r->prefix) : !bk_streq(name, r->prefix))
			continue;
		if (!has_ns[r->ns])
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.sysctl: '%s' is not in a separate kernel namespace: "
					  "the container has no %s namespace of its own", key,
					  oci_ns_names[r->ns].name);
		return 0;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0,
			  "linux.sysctl: '%s' is not in a separate kernel namespace", key);
}
