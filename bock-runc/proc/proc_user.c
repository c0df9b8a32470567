/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_user.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "config.json's groups are the kernel's");

int proc_user_become(const struct oci_user *user, bool keep_groups,
		     bool setgroups_denied, struct bk_err **err)
{
	size_t n = keep_groups ? 0 : user->n_additional_gids;

	if (setgroups_denied && n)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.user.additionalGids: setgroups is denied in this user namespace");
	if (!keep_groups && !setgroups_denied && setgroups(n, user->additional_gids) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set groups");
	if (user->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "keep capabilities");
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "become group %u", user->gid);
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "become user %u", user->uid);
	return 0;
}
