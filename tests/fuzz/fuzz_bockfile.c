/* SPDX-License-Identifier: Apache-2.0 */
/* A Bockfile as bock-build reads it: tables, arguments, substitution, the order of stages, modes, patterns. */
#include "fuzz_doc.h"

#include "graph/graph.h"
#include "bockfile/bockfile_args.h"
#include "bockfile/bockfile_subst.h"
#include "step/step_glob.h"
#include "step/step_mode.h"

static void use_text(const struct bockfile_scope *scope, const struct bockfile_text *text)
{
	struct bk_err *err = NULL;
	char *out = NULL;
	mode_t mode = 0;

	if (!text->text || bockfile_subst(scope, text, &out, &err) < 0) {
		bk_err_clear(&err);
		return;
	}
	if (step_mode_apply(out, 0644, &mode, &err) < 0)
		bk_err_clear(&err);
	(void)step_glob_match(out, "a/b.c");
	(void)step_glob_match("**/x/*", out);
	free(out);
}

static void use_step(const struct bockfile_scope *scope, const struct bockfile_step *step)
{
	bk_autobuf struct bk_buf flow = BK_BUF_INIT(BK_BUF_DOC);

	bockfile_text_flow_step(step->at, &flow);
	use_text(scope, &step->text);
	if (!step->copy)
		return;
	use_text(scope, &step->copy->to);
	use_text(scope, &step->copy->chmod);
	for (size_t i = 0; i < step->copy->sources.n; i++)
		use_text(scope, &step->copy->sources.items[i]);
}

/* glibc's regcomp(3) takes what a pattern asks for; it is not what is tested here. */
static bool has_pattern(const struct bockfile *b)
{
	for (size_t i = 0; i < b->args.n; i++)
		if (b->args.items[i].pattern.text)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bockfile_scope scope;
	struct bk_err *err = NULL;
	struct bockfile b;
	struct graph g;

	if (bockfile_parse("Bockfile", (const char *)data, size, arena, &b, &err) == 0 &&
	    !has_pattern(&b) &&
	    bockfile_args_resolve(&b, NULL, "2026-01-02T03:04:05Z", arena, &scope, &err) == 0) {
		for (size_t i = 0; i < b.n_stages; i++)
			for (size_t k = 0; k < b.stages[i].steps.n; k++)
				use_step(&scope, &b.stages[i].steps.items[k]);
		(void)graph_make(&scope, NULL, arena, &g, &err);
	}
	bk_err_clear(&err);
	return 0;
}
