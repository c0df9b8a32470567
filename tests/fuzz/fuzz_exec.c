/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: a process object to plan, in the container of `spec`; and, from the same bytes, --user. What is refused has
 * an error, what is not has a plan.
 */
#include "fuzz_doc.h"

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "container/container_exec.h"
#include "init/init_plan.h"

static void check(int rc, struct bk_err **err)
{
	if (rc < 0 && !*err)
		fuzz_die("refused without an error", NULL);
	bk_err_clear(err);
}

static void plan(struct spec *spec, struct oci_process *process)
{
	static const struct init_params params[] = {
		{ .id = "x", .cgroup = "/x", .exec = true },
		{ .id = "x", .rootless = true, .exec = true },
	};

	spec->config->process = process;
	for (size_t i = 0; i < BK_ARRAY_SIZE(params); i++) {
		bk_autobuf struct bk_buf b = BK_BUF_INIT((size_t)64 << 20);
		struct bk_err *err = NULL;
		struct init_plan p;
		int rc = init_plan_compile_exec(spec, &params[i], &p, &err);

		check(rc, &err);
		if (rc < 0)
			continue;
		init_plan_print(&p, &b);
		if (!b.len)
			fuzz_die("a plan of nothing", NULL);
		init_plan_done(&p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autospec struct spec spec = { .arena = bk_arena_new(), .bundle = "/b", .rootfs = "/b/r" };
	bk_autofree char *text = strndup((const char *)data, size);
	char *user[] = { text, NULL };
	const struct container_exec exec = { .changes = { .user = text, .gids = user, .cwd = text,
							  .caps = user } };
	struct oci_process *process = NULL;
	struct bk_err *err = NULL;
	int rc;

	fuzz_doc(&oci_process_type, data, size);
	spec.config = spec_default(spec.arena, false, 0, 0);
	rc = container_exec_process(&exec, &spec, &process, &err);
	check(rc, &err);
	if (rc == 0)
		plan(&spec, process);
	process = bk_arena_alloc(spec.arena, sizeof(*process));
	rc = bk_json_decode(&oci_process_type, "input", (const char *)data, size, &bk_doc_limits_oci,
			    spec.arena, process, &err);
	if (rc == 0)
		rc = spec_check_process(process, &err);
	check(rc, &err);
	if (rc == 0)
		plan(&spec, process);
	return 0;
}
