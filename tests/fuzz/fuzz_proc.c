/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bock-runc reads of /proc and of cgroup files, and the lists that config.json writes in the kernel's form. All
 * of them get the same bytes: none may read beyond the end, and what prints must be JSON.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_auto.h"
#include "cgroup/cgroup.h"
#include "cgroup/cgroup_stats.h"
#include "cmd/cmd_ps.h"
#include "codec/bk_json.h"
#include "container/container_probe.h"
#include "proc/proc_mask.h"
#include "proc/proc_signal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void probe(const char *text)
{
	bk_autofree char *copy = bk_strdup(text);
	uint64_t ignored = 0;
	char state = 0;
	pid_t pid = 0;

	if (container_probe_parse(copy, &pid, &state, &ignored) && pid < 0)
		abort();
}

static void cgroup(const char *text, struct bk_arena *arena)
{
	bk_autofree char *path = cgroup_in_text(text);
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_DOC);
	struct cgroup_stats_cpu cpu = { .psi = cgroup_stats_psi(text, arena) };
	struct cgroup_stats_blkio io = { .n_bytes = 0 };
	struct cgroup_stats s = { .cpu = &cpu, .blkio = &io, .cpuset = (char *)"{}",
				  .intel_rdt = (char *)"{}", .network_interfaces = (char *)"null" };
	struct bk_doc_value v;

	if (path && strchr(path, '\n'))
		abort();
	(void)cgroup_stats_value(text, "oom_kill");
	cgroup_stats_io(text, arena, &io);
	if (bk_json_encode(&cgroup_stats_type, &s, 0, &out, NULL) < 0)
		return;
	if (bk_json_parse("output", bk_buf_str(&out), out.len, &bk_doc_limits_oci, arena, &v, NULL) < 0)
		abort();
}

static void mask(const char *text, struct bk_arena *arena)
{
	bk_autobuf struct bk_buf first = BK_BUF_INIT(BK_BUF_DOC);
	bk_autobuf struct bk_buf second = BK_BUF_INIT(BK_BUF_DOC);
	struct proc_mask m;

	if (proc_mask_parse(text, 65536, arena, &m, NULL) < 0)
		return;
	proc_mask_print(&m, &first);
	if (first.overflow || proc_mask_parse(bk_buf_str(&first), 65536, arena, &m, NULL) < 0)
		abort();
	proc_mask_print(&m, &second);
	if (strcmp(bk_buf_str(&first), bk_buf_str(&second)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const pid_t pids[] = { 1, 7, 4711 };
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *text = strndup((const char *)data, size);
	bk_autobuf struct bk_buf rows = BK_BUF_INIT(BK_BUF_DOC);
	int sig;

	probe(text);
	cgroup(text, arena);
	mask(text, arena);
	(void)cmd_ps_filter(text, pids, BK_ARRAY_SIZE(pids), &rows, NULL);
	if (proc_signal_parse(text, &sig, NULL) == 0 && (sig < 0 || sig >= _NSIG))
		abort();
	return 0;
}
