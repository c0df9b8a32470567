/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces (config-linux.md "Namespaces"): the table of the eight types, and opening one by path.
 */
#ifndef NS_H
#define NS_H

#include "base/bk_err.h"
#include "oci/oci_runtime_linux.h"

struct ns_info {
	int type;		/* enum oci_ns */
	int clone_flag;		/* CLONE_NEW* */
	const char *name;	/* as config.json says it */
	const char *proc_name;	/* as /proc/PID/ns says it */
};

/* The row of a type (enum oci_ns). */
const struct ns_info *ns_info_of(int type);

/*
 * Opens the namespace at path and checks with NS_GET_NSTYPE (kernel 4.11) that it is of that type:
 * "namespace path '/proc/1/ns/net' is not a pid namespace".
 */
int ns_open(const char *path, int type, int *ret_fd, struct bk_err **err);

/* Joins fd. The pid type takes effect for children only. */
int ns_join(int fd, int type, const char *path, struct bk_err **err);

/* Brings up the loopback device of the network namespace that this process is in. */
int ns_loopback_up(struct bk_err **err);

/* True if path is the namespace of that type that this process is in. */
bool ns_is_own(const char *path, int type);

/* True if we are not in the initial user namespace (its uid_map is not the identity). */
bool ns_in_userns(void);

/* True if our user namespace denies setgroups(2), as one that an unprivileged user made does. */
bool ns_denies_setgroups(void);

#endif
