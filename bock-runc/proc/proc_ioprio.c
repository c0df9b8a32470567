/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_ioprio.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PRIORITY_MAX 7

const struct bk_doc_name proc_ioprio_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ NULL, 0 },
};

int proc_ioprio_compile(const struct oci_io_priority *p, int *ret_value, struct bk_err **err)
{
	int class;

	if (!bk_doc_name_find(proc_ioprio_classes, p->class_name, &class))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "process.ioPriority.class: '%s' is unknown",
				  p->class_name);
	if (p->priority < 0 || p->priority > PRIORITY_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.ioPriority.priority: %d is not within 0..%d", p->priority,
				  PRIORITY_MAX);
	*ret_value = class << IOPRIO_CLASS_SHIFT | p->priority;
	return 0;
}

int proc_ioprio_set(int value, struct bk_err **err)
{
	int rc;

	/* the thread, not its group: that is ours alone once the session is made, and no other's before */
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) >= 0)
		return 0;
	rc = bk_err_set(err, BK_ERR_IO, errno, "set the I/O priority");
	if (errno == EPERM)
		return bk_err_hint(err, rc, "IOPRIO_CLASS_RT needs CAP_SYS_NICE of the host");
	return rc;
}

void proc_ioprio_print(int value, struct bk_buf *out)
{
	bk_buf_printf(out, "%s %d", bk_doc_name_of(proc_ioprio_classes, value >> IOPRIO_CLASS_SHIFT),
		      value & PRIORITY_MAX);
}
