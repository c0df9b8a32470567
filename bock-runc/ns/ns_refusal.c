/* SPDX-License-Identifier: Apache-2.0 */
#include "ns/ns_refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"

/* Whether the setting is there and its one digit is that. */
static bool is(const char *sysctls, const char *name, char digit)
{
	bk_autofree char *path = bk_path_join(sysctls, name);
	bk_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[2] = "";

	return fd >= 0 && read(fd, text, sizeof(text)) > 0 && text[0] == digit &&
	       (text[1] == '\n' || text[1] == '\0');
}

const char *ns_refusal_hint(const char *sysctls, int errnum)
{
	switch (errnum) {
	case ENOSPC: /* user_namespaces(7) */
	case EUSERS:
		return is(sysctls, "user/max_user_namespaces", '0') ?
			       "user namespaces are switched off: the sysctl user.max_user_namespaces is 0" :
			       "there are too many: see the sysctl user.max_user_namespaces; they nest 32 deep at most";
	case EPERM:
	case EACCES:
		if (is(sysctls, "kernel/unprivileged_userns_clone", '0'))
			return "user namespaces are root's alone: the sysctl kernel.unprivileged_userns_clone is 0";
		if (is(sysctls, "kernel/apparmor_restrict_unprivileged_userns", '1'))
			return "AppArmor restricts user namespaces (the sysctl kernel.apparmor_restrict_unprivileged_userns "
			       "is 1): bock-runc needs a profile with 'userns,'";
		return "whoever is in a chroot, or under a seccomp filter or a security module that forbids it, can't make "
		       "a user namespace";
	default:
		return NULL;
	}
}
