/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_net.h"

#include <stdio.h>

#include "base/bk_auto.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"
#include "ns/ns.h"
#include "sys/sys_helper.h"

#define HELPER	   "bock-net"
#define OUTPUT_MAX ((size_t)16 << 10) /* bytes of its messages; the last ones are kept */

static const struct oci_linux *linux_of(const struct container_created *r)
{
	return r->spec.config->linux_;
}

/* netns -1: only what can be checked without the namespace. */
static int run_helper(const struct container_created *r, int netns, bool check, struct bk_err **err)
{
	const struct oci_linux *l = linux_of(r);
	bk_autobuf struct bk_buf errout = BK_BUF_INIT(OUTPUT_MAX);
	char *const nothing[] = { NULL };
	bk_autofree char *path = NULL;
	bk_autostrv char **argv = NULL;
	struct bk_proc_spec spec = {
		.env = nothing,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
		.keep_fds = &netns,
		.n_keep_fds = netns < 0 ? 0 : 1,
		.keep_latest = true,
		.no_new_privs = true,
	};
	int status, rc = sys_helper_find(HELPER, &path, err);

	if (rc < 0)
		return rc;
	bk_strv_add(&argv, HELPER);
	bk_strv_add(&argv, "move");
	if (check)
		bk_strv_add(&argv, "--check");
	if (netns >= 0)
		bk_strv_push(&argv, bk_asprintf("--netns-fd=%d", netns));
	bk_strv_add(&argv, "--");
	for (size_t i = 0; i < l->n_net_devices; i++) {
		const struct oci_net_device *d = &l->net_devices[i];
		bool named = d->name && *d->name;

		bk_strv_push(&argv,
			     bk_asprintf("%s%s%s", d->key, named ? ":" : "", named ? d->name : ""));
	}
	spec.path = path;
	spec.argv = argv;
	rc = bk_proc_run(&spec, NULL, 0, NULL, &errout, CONTAINER_NET_TIMEOUT_MS, &status, err);
	if (rc < 0)
		return rc;
	return status == 0 ? 0 : sys_helper_failed(HELPER, status, &errout, err);
}

int container_net_check(const struct container_created *r, struct bk_err **err)
{
	const char *path = r->plan.join[OCI_NS_NETWORK];
	bk_autoclose int netns = -1;
	int rc = 0;

	if (!linux_of(r)->n_net_devices)
		return 0;
	if (path)
		rc = ns_open(path, OCI_NS_NETWORK, &netns, err);
	if (rc == 0)
		rc = run_helper(r, netns, true, err);
	return rc < 0 ? bk_err_wrap(err, rc, "linux.netDevices") : 0;
}

int container_net_move(const struct container_created *r, struct bk_err **err)
{
	bk_autoclose int netns = -1;
	char path[64];
	int rc;

	/* the child is ours and not reaped: the number is its own */
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)r->pid);
	rc = ns_open(path, OCI_NS_NETWORK, &netns, err);
	if (rc == 0)
		rc = run_helper(r, netns, false, err);
	return rc < 0 ? bk_err_wrap(err, rc, "linux.netDevices") : 0;
}
