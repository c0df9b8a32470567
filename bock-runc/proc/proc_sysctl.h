/* SPDX-License-Identifier: Apache-2.0 */
/* linux.sysctl (config-linux.md "Sysctl"): only what a namespace of the container confines. */
#ifndef PROC_SYSCTL_H
#define PROC_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_err.h"

/*
 * Checks that key is namespaced and that the container has that namespace for itself (has_ns[enum oci_ns]),
 * and writes its path below /proc, "sys/net/ipv4/ip_forward", into path.
 */
int proc_sysctl_path(const char *key, const bool *has_ns, char *path, size_t size,
		     struct bk_err **err);

#endif
