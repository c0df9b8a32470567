/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container of a RUN step as a config.json: what bock-image makes for any image (Docker's
 * capabilities, masked and read-only paths, its own mount, pid, ipc, uts and cgroup namespaces), with
 * the default seccomp profile, with no_new_privileges off, because package managers have set-user-ID helpers,
 * and on the host's network unless it is to have none.
 *
 * Uses / used by: bundle_config, bundle_seccomp / step_run.
 */
#ifndef EXEC_CONFIG_H
#define EXEC_CONFIG_H

#include <stdbool.h>

#include "base/bk_root.h"
#include "oci/oci_runtime.h"

struct exec_step {
	char *const *args;  /* strv */
	char *const *env;   /* strv */
	const char *user;   /* NULL: root */
	const char *cwd;    /* absolute */
	const char *rootfs; /* absolute path of the tree */
	bool network;	    /* the host's; false: none but loopback */
	const char *bundle; /* where copies of resolv.conf and hosts may be put; absolute */
};

/* Fills *ret from the arena. rootfs is where user names are looked up. */
int exec_config_make(const struct exec_step *step, const struct bk_root *rootfs,
		     struct bk_arena *arena, struct oci_runtime_config *ret, struct bk_err **err);
/* Writes it into the bundle. */
int exec_config_write(const struct exec_step *step, const struct oci_runtime_config *config,
		      struct bk_err **err);

#endif
