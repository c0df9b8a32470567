/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_criu.h"

#include "base/bk_str.h"

const char *const cmd_criu_cgroups[] = { "soft", "full", "strict", "ignore", NULL };
const char *const cmd_criu_locks[] = { "iptables", "nftables", "skip", NULL };

/* Each ends with what stands for an option that was not given. */
static const int cgroup_modes[] = { CRIU_CG_SOFT, CRIU_CG_FULL, CRIU_CG_STRICT, CRIU_CG_IGNORE,
				    CRIU_CG_DEFAULT };
static const int lock_methods[] = { CRIU_LOCK_IPTABLES, CRIU_LOCK_NFTABLES, CRIU_LOCK_SKIP, 0 };

int cmd_criu_fill(const struct cmd_criu_opts *o, struct container_criu_opts *ret, struct bk_err **err)
{
	for (char **ns = o->empty_ns; ns && *ns; ns++) {
		if (!bk_streq(*ns, "network"))
			return bk_err_set(err, BK_ERR_CONFIG, 0, "--empty-ns: '%s' is not network", *ns);
	}
	if (o->timeout > CMD_CRIU_TIMEOUT_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--timeout: %u is more than %d seconds", o->timeout,
				  CMD_CRIU_TIMEOUT_MAX);
	*ret = (struct container_criu_opts){
		.program = o->criu,
		.images = o->image_path,
		.work = o->work_path,
		.silence_ms = (int)o->timeout * 1000,
		.tcp_established = o->tcp_established,
		.ext_unix_sk = o->ext_unix_sk,
		.shell_job = o->shell_job,
		.file_locks = o->file_locks,
		.auto_dedup = o->auto_dedup,
		.lazy_pages = o->lazy_pages,
		.cgroups = cgroup_modes[o->cgroups],
		.network_lock = lock_methods[o->network_lock],
		.status_fd = -1,
	};
	return 0;
}
