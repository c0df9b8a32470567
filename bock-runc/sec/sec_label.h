/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor profile and SELinux label of the process (config.md "Linux Process": apparmorProfile, selinuxLabel).
 *
 * Both are written to an attribute of the calling process in /proc and take effect at its next execve, so the
 * program must be the next thing that is executed; a fork hands them on.
 *
 * Calling order: sec_label_check() before anything is made; in the process sec_label_open_proc() while /proc
 * is the host's; sec_label_write() where everything is prepared but no right is lost and no filter loaded.
 * What the container has mounted or linked can't come between: the descriptor is of procfs itself, and nothing
 * below it is reached through a link or another mount (CVE-2019-16884, CVE-2025-52881).
 */
#ifndef SEC_LABEL_H
#define SEC_LABEL_H

#include <stdbool.h>

#include "base/bk_err.h"

enum sec_label {
	SEC_LABEL_APPARMOR,	/* attr/apparmor/exec, or attr/exec before kernel 5.8: "exec PROFILE" */
	SEC_LABEL_SELINUX,	/* attr/exec */
	SEC_LABEL_KEY,		/* attr/keycreate: SELinux's label for the keyring that is made next */
};

#define SEC_LABEL_MAX 4000	/* bytes; the kernel takes what fits into a page */

/*
 * Whether this kernel has the label's security module and it is enabled, and text is none that it would cut.
 * sys is "/sys"; tests give a tree of their own. -BK_ERR_UNSUPPORTED or -BK_ERR_CONFIG, with the property.
 */
int sec_label_check(enum sec_label which, const char *text, const char *sys, struct bk_err **err);

/* Opens the root of the procfs on /proc, and makes sure that it is one. */
int sec_label_open_proc(int *ret_fd, struct bk_err **err);

/* Writes the label of the calling process, in one write. The error names the property. */
int sec_label_write(int proc_fd, enum sec_label which, const char *text, struct bk_err **err);

#endif
