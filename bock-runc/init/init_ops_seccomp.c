/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_ops.h"
#include "init/init_sync.h"
#include "sec/sec_notify.h"

int init_op_seccomp(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct init_sync_msg m = { .letter = SYNC_SECCOMP };
	int rc;

	(void)op;
	rc = c->bpf->notify ? sec_notify_load(c->bpf, c->sync, &m, sizeof(m), err) :
			      sec_seccomp_load(c->bpf, err);
	return rc < 0 ? bk_err_wrap(err, rc, "linux.seccomp") : 0;
}
