/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_affinity.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"

static int compile(const char *text, const char *what, struct bk_arena *arena, struct proc_mask *ret,
		   struct bk_err **err)
{
	struct proc_mask m = { 0 };
	int rc;

	if (!text || !*text)
		return 0;
	rc = proc_mask_parse(text, PROC_AFFINITY_CPUS_MAX, arena, &m, err);
	if (rc == 0 && !m.n_words)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' names no CPU", text);
	if (rc < 0)
		return bk_err_wrap(err, rc, "process.execCPUAffinity.%s", what);
	*ret = m;
	return 0;
}

int proc_affinity_compile(const struct oci_cpu_affinity *a, struct bk_arena *arena,
			  struct proc_affinity *ret, struct bk_err **err)
{
	struct proc_affinity out = { 0 };
	int rc = 0;

	if (a)
		rc = compile(a->initial, "initial", arena, &out.initial, err);
	if (a && rc == 0)
		rc = compile(a->final, "final", arena, &out.final, err);
	if (rc < 0)
		return rc;
	*ret = out;
	return 0;
}

/* By syscall(2): the C library's wrapper is the same, its cpu_set_t has room for 1,024. */
int proc_affinity_set(const struct proc_mask *cpus, struct bk_err **err)
{
	bk_autobuf struct bk_buf list = BK_BUF_INIT(BK_BUF_SMALL);
	int errnum;

	if (!cpus->n_words)
		return 0;
	if (syscall(SYS_sched_setaffinity, 0, cpus->n_words * sizeof(*cpus->words), cpus->words) >= 0)
		return 0;
	errnum = errno;
	proc_mask_print(cpus, &list);
	if (errnum == EINVAL)
		return bk_err_set(err, BK_ERR_CONFIG, errnum,
				  "run on the CPUs '%s': none of them is there and allowed here",
				  bk_buf_str(&list));
	return bk_err_set(err, BK_ERR_IO, errnum, "run on the CPUs '%s'", bk_buf_str(&list));
}

void proc_affinity_reset(void)
{
	unsigned long all[PROC_AFFINITY_CPUS_MAX / PROC_MASK_WORD_BITS];

	memset(all, 0xff, sizeof(all));
	(void)syscall(SYS_sched_setaffinity, 0, sizeof(all), all);
}
