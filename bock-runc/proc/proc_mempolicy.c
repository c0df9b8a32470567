/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_mempolicy.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"

/* Newer than the headers (kernel 6.9). */
#define MODE_WEIGHTED_INTERLEAVE 6

const struct bk_doc_name proc_mempolicy_modes[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },
	{ "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
	{ "MPOL_LOCAL", MPOL_LOCAL },
	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_WEIGHTED_INTERLEAVE", MODE_WEIGHTED_INTERLEAVE },
	{ NULL, 0 },
};

const struct bk_doc_name proc_mempolicy_flags[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ NULL, 0 },
};

static int compile_flags(char *const *names, int *ret, struct bk_err **err)
{
	int value;

	for (size_t i = 0; names && names[i]; i++) {
		if (!bk_doc_name_find(proc_mempolicy_flags, names[i], &value))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.memoryPolicy.flags[%zu]: invalid memory policy flag '%s'",
					  i, names[i]);
		*ret |= value;
	}
	if ((*ret & MPOL_F_STATIC_NODES) && (*ret & MPOL_F_RELATIVE_NODES))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.memoryPolicy.flags: invalid memory policy: MPOL_F_STATIC_NODES and "
				  "MPOL_F_RELATIVE_NODES exclude each other");
	return 0;
}

static int compile_nodes(const char *text, const char *mode, struct bk_arena *arena,
			 struct proc_mempolicy *m, struct bk_err **err)
{
	int rc = 0;

	if (text)
		rc = proc_mask_parse(text, PROC_MEMPOLICY_NODES_MAX, arena, &m->nodes, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "linux.memoryPolicy.nodes: invalid memory policy node");
	if (m->mode == MPOL_DEFAULT || m->mode == MPOL_LOCAL) {
		if (m->nodes.n_words)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.memoryPolicy.nodes: invalid memory policy: %s has no nodes",
					  mode);
	} else if (m->mode != MPOL_PREFERRED && !m->nodes.n_words) {
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.memoryPolicy.nodes: invalid memory policy: %s needs at least one node",
				  mode);
	}
	return 0;
}

int proc_mempolicy_compile(const struct oci_memory_policy *m, struct bk_arena *arena,
			   struct proc_mempolicy *ret, struct bk_err **err)
{
	struct proc_mempolicy out = { 0 };
	int rc;

	if (!m->mode)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.memoryPolicy.mode: invalid memory policy: required member is "
				  "missing");
	if (!bk_doc_name_find(proc_mempolicy_modes, m->mode, &out.mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.memoryPolicy.mode: invalid memory policy mode '%s'", m->mode);
	rc = compile_flags(m->flags, &out.flags, err);
	if (rc == 0)
		rc = compile_nodes(m->nodes, m->mode, arena, &out, err);
	if (rc < 0)
		return rc;
	*ret = out;
	return 0;
}

int proc_mempolicy_check(struct bk_err **err)
{
	if (syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0) >= 0 || errno != ENOSYS)
		return 0;
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
			  "linux.memoryPolicy: this kernel knows of no memory nodes (CONFIG_NUMA)");
}

int proc_mempolicy_set(const struct proc_mempolicy *m, struct bk_err **err)
{
	/* the kernel takes one bit less than it is told (set_mempolicy(2) "BUGS") */
	size_t bits = m->nodes.n_words ? m->nodes.n_words * PROC_MASK_WORD_BITS + 1 : 0;
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	int errnum;

	if (syscall(SYS_set_mempolicy, m->mode | m->flags, m->nodes.words, bits) >= 0)
		return 0;
	errnum = errno;
	proc_mempolicy_print(m, &text);
	if (errnum == EINVAL)
		return bk_err_set(err, BK_ERR_CONFIG, errnum,
				  "linux.memoryPolicy: invalid memory policy for this kernel and its nodes: %s",
				  bk_buf_str(&text));
	return bk_err_set(err, BK_ERR_IO, errnum, "linux.memoryPolicy: set the memory policy %s",
			  bk_buf_str(&text));
}

void proc_mempolicy_print(const struct proc_mempolicy *m, struct bk_buf *out)
{
	bk_buf_adds(out, bk_doc_name_of(proc_mempolicy_modes, m->mode));
	if (m->nodes.n_words) {
		bk_buf_adds(out, " nodes ");
		proc_mask_print(&m->nodes, out);
	}
	for (const struct bk_doc_name *f = proc_mempolicy_flags; f->name; f++) {
		if (m->flags & f->value)
			bk_buf_printf(out, " %s", f->name);
	}
}
