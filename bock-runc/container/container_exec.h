/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `exec`: a further process in a container that is there.
 *
 *	container_exec(&p, &status, err);
 *
 * The process is what a file says (--process), or the container's own with changes. It is prepared outside of
 * the container's pid namespace and gets there by the fork of the last stage (init_plan_exec.c).
 */
#ifndef CONTAINER_EXEC_H
#define CONTAINER_EXEC_H

#include "container/container.h"
#include "spec/spec_load.h"

/* How the process differs from the container's own. */
struct container_exec_changes {
	char *const *args;	/* NULL or empty: the container's */
	const char *cwd;	/* NULL: the container's; so for all that follow */
	const char *user;	/* "UID[:GID]", numbers only */
	char *const *env;	/* added; the last of duplicates wins */
	char *const *gids;	/* added to the additional groups; numbers */
	char *const *caps;	/* added to bounding, effective, permitted and ambient */
	const char *apparmor;
	const char *label;	/* SELinux */
	bool no_new_privs;	/* true: set; else the container's */
	bool terminal;		/* not the container's: false where nobody asks */
};

struct container_exec {
	const struct container_root *root;
	const char *id;
	const char *process_path;	/* a file with a process object; NULL: changes */
	struct container_exec_changes changes;
	const char *console_socket;
	const char *pid_file;
	const char *pidfd_socket;	/* NULL: none */
	const char *cgroup;		/* below the container's; NULL: that itself */
	uint32_t preserve_fds;
	bool detach;
	struct init_trace *trace;	/* NULL: none */
	bool ignore_paused;
	char ***warnings;		/* strv that what is ignored is appended to; NULL: nobody asks */
};

/*
 * Runs it. Detached: returns when the program has been executed. Foreground: hands signals and, where
 * the process has one, the terminal on, and *ret_status is its exit status (128 + signal). Errors beside
 * those of create: "cannot exec in a stopped container", "cannot exec in a paused container".
 */
int container_exec(const struct container_exec *p, int *ret_status, struct bk_err **err);

/* The process object of p for the container of spec, in spec's arena; a pure function but for the file. */
int container_exec_process(const struct container_exec *p, const struct spec *spec,
			   struct oci_process **ret, struct bk_err **err);

#endif
