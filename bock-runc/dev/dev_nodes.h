/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev of the container (config-linux.md "Devices", "Default Devices", "Dev symbolic links"): the default
 * devices, linux.devices, and the links. Nodes are made by mknodat(2) on a descriptor of their directory;
 * in a user namespace, where the kernel forbids that, the host's node is bind mounted.
 */
#ifndef DEV_NODES_H
#define DEV_NODES_H

#include <stdbool.h>

#include "base/bk_buf.h"
#include "base/bk_root.h"
#include "oci/oci_runtime_linux.h"

struct dev_node {
	const char *where;	/* "linux.devices[0]", NULL for a default device */
	const char *path;	/* cleaned, absolute inside the rootfs */
	mode_t mode;		/* S_IFCHR, S_IFBLK or S_IFIFO, and permissions */
	dev_t dev;
	uid_t uid;
	gid_t gid;
};

/*
 * Compiles the default devices and linux.devices (which replace defaults of the same path) into an
 * arena array. Pure.
 */
int dev_nodes_compile(const struct oci_device *devices, size_t n, struct bk_arena *arena,
		      struct dev_node **ret, size_t *ret_n, struct bk_err **err);

/* One line: "device '/dev/null' c 1:3 0666 0:0". */
void dev_nodes_print(const struct dev_node *d, struct bk_buf *out);

/*
 * Makes the nodes. The caller's umask must be 0. bind: bind mount the host's nodes instead (fallback for
 * user namespaces). Before the pivot.
 */
int dev_nodes_make(const struct dev_node *nodes, size_t n, bool bind, const struct bk_root *root,
		   struct bk_err **err);

/* fd, stdin, stdout, stderr, core (if the kernel has /proc/kcore) and ptmx -> pts/ptmx. */
int dev_nodes_links(const struct bk_root *root, struct bk_err **err);

#endif
