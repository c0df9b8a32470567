/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "bockfile/bockfile_args.h"
#include "graph/graph.h"

static int make(struct bk_arena *arena, const char *text, const char *target, struct graph *ret,
		struct bk_err **err)
{
	struct bockfile *b = bk_arena_alloc(arena, sizeof(*b));
	struct bockfile_scope *scope = bk_arena_alloc(arena, sizeof(*scope));
	int rc = bockfile_parse("Bockfile", text, strlen(text), arena, b, err);

	if (rc == 0)
		rc = bockfile_args_resolve(b, NULL, "", arena, scope, err);
	return rc < 0 ? rc : graph_make(scope, target, arena, ret, err);
}

static void order(const char *text, const char *target, const char *want)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;
	struct graph g;

	assert_ok(make(arena, text, target, &g, &err), &err);
	for (size_t i = 0; i < g.n_order; i++)
		bk_buf_printf(&got, "%s%s", i > 0 ? " " : "", g.nodes[g.order[i]].stage->name.text);
	assert_string_equal(bk_buf_str(&got), want);
}

static void refuse(const char *text, const char *target, enum bk_err_kind kind, const char *message)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct graph g;

	assert_err(make(arena, text, target, &g, &err), &err, kind, message);
}

static const char stages[] = "from: scratch\n"
			     "args: {WHERE: d}\n"
			     "stages:\n"
			     "- {name: a, from: c}\n"
			     "- {name: b}\n"
			     "- name: c\n"
			     "  steps:\n"
			     "  - {copy: x, to: /, from: '${WHERE}'}\n"
			     "  - {copy: x, to: /, from: context}\n"
			     "- {name: d, from: debian}\n"
			     "- {name: e, depends: [b, d]}\n";

static void test_order(void **state)
{
	(void)state;
	order(stages, NULL, "b d e");
	order(stages, "a", "d c a");
	order(stages, "b", "b");
	order(stages, "d", "d");
	/* the file's own `from` is an image, whatever stages are called */
	order("from: b\nstages:\n- {name: b}\n- {name: a}\n", NULL, "a");
}

static void test_refused(void **state)
{
	(void)state;
	refuse(stages, "z", BK_ERR_NOT_FOUND, "no stage is named 'z'");
	refuse("stages:\n- {name: a, from: b}\n- {name: b, from: c}\n- {name: c, from: b}\n", NULL,
	       BK_ERR_CONFIG,
	       "Bockfile:3:10: stages[1].name: stages need each other in a cycle: b -> c -> b");
	refuse("stages:\n- {name: a, from: a}\n", NULL, BK_ERR_CONFIG, "in a cycle: a -> a");
	refuse("from: scratch\nstages:\n- {name: a, depends: [b]}\n- {name: b, depends: [a]}\n- {name: c}\n",
	       NULL, BK_ERR_CONFIG, "cycle: a -> b -> a");
	refuse("stages: [{name: a}]\n", NULL, BK_ERR_CONFIG, "stage 'a' has no 'from'");
	refuse("stages: [{name: a, from: x, depends: [y]}]\n", NULL, BK_ERR_CONFIG,
	       "stages[0].depends[0]: no stage is named 'y'");
	refuse("stages: [{name: a, from: '${X}'}]\n", NULL, BK_ERR_CONFIG,
	       "stages[0].from: ${X}: unknown");
	refuse("stages: [{name: a, from: x, steps: [{copy: a, to: b, from: alpine}]}]\n", NULL,
	       BK_ERR_UNSUPPORTED, "stages[0].steps[0].from: no stage is named 'alpine'");
}

BK_TEST_MAIN(cmocka_unit_test(test_order), cmocka_unit_test(test_refused))
