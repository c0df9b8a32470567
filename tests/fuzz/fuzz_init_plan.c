/* SPDX-License-Identifier: Apache-2.0 */
/* config.json to plan: what is checked and compiled also prints, and what isn't has an error. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bk_auto.h"
#include "codec/bk_json.h"
#include "init/init_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void compile(const struct spec *spec, const struct init_params *params)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT((size_t)64 << 20);
	struct bk_err *err = NULL;
	struct init_plan plan;

	if (init_plan_compile(spec, params, &plan, &err) < 0) {
		if (!err)
			die("failed without an error");
		bk_err_clear(&err);
		return;
	}
	init_plan_print(&plan, &b);
	if (!b.len)
		die("a plan of nothing");
	init_plan_done(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct init_params params[] = {
		{ .id = "x", .cgroup = "/x", .cgroup_mount = "/sys/fs/cgroup" },
		{ .id = "x", .rootless = true, .setgroups_denied = true },
	};
	bk_autospec struct spec spec = { .arena = bk_arena_new(),
					 .bundle = "/b",
					 .rootfs = "/b/r" };
	struct bk_err *err = NULL;

	spec.config = bk_arena_alloc(spec.arena, sizeof(*spec.config));
	if (bk_json_decode(&oci_runtime_config_type, "input", (const char *)data, size,
			   &bk_doc_limits_oci, spec.arena, spec.config, &err) < 0 ||
	    spec_check(spec.config, &err) < 0) {
		if (!err)
			die("refused without an error");
		bk_err_clear(&err);
		return 0;
	}
	spec_fill_process(&spec);
	for (size_t i = 0; i < BK_ARRAY_SIZE(params); i++)
		compile(&spec, &params[i]);
	return 0;
}
