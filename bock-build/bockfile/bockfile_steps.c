/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step is a map whose kind is named by one of its members: run, copy and add have tables of their own;
 * env, workdir and user stand alone (`env: NAME` with `value: …`).
 */
#include <string.h>

#include "base/bk_str.h"
#include "bockfile/bockfile.h"

static const char *const kinds[] = { "run", "copy", "add", "env", "workdir", "user" };

static const struct bk_doc_value *member_of(const struct bk_doc_value *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (bk_streq(v->keys[i], name))
			return &v->items[i];
	return NULL;
}

static int read_run(const struct bk_doc_value *v, struct bk_arena *arena,
		    struct bockfile_step *step, struct bk_err **err)
{
	step->kind = BOCKFILE_STEP_RUN;
	step->run = bk_arena_alloc(arena, sizeof(*step->run));
	return bk_doc_store(&bockfile_run_type, v, &bk_doc_limits_strict, arena, step->run, err);
}

static int read_copy(const struct bk_doc_value *v, struct bk_arena *arena,
		     struct bockfile_step *step, struct bk_err **err)
{
	step->kind = BOCKFILE_STEP_COPY;
	step->copy = bk_arena_alloc(arena, sizeof(*step->copy));
	return bk_doc_store(&bockfile_copy_type, v, &bk_doc_limits_strict, arena, step->copy, err);
}

static int read_add(const struct bk_doc_value *v, struct bk_arena *arena, struct bk_err **err)
{
	struct bockfile_copy unused = { 0 };
	int rc = bk_doc_store(&bockfile_add_type, v, &bk_doc_limits_strict, arena, &unused, err);

	if (rc == 0) /* `add:` without a value */
		rc = bk_doc_value_error(v, err, "'add' needs a value");
	return rc;
}

/* Every member but those named is one too many. */
static int refuse_others(const struct bk_doc_value *v, const char *kind, const char *other,
			 struct bk_err **err)
{
	for (size_t i = 0; i < v->n; i++) {
		if (bk_streq(v->keys[i], kind) || (other && bk_streq(v->keys[i], other)))
			continue;
		return bk_doc_value_error(v->key_marks ? &v->key_marks[i] : v, err,
					  "member '%s' does not belong to a step '%s'", v->keys[i],
					  kind);
	}
	return 0;
}

static int read_env(const struct bk_doc_value *v, struct bk_arena *arena,
		    struct bockfile_step *step, struct bk_err **err)
{
	static const struct bk_doc_field map_row = { .name = "env", .flags = BK_DOC_NOT_EMPTY };
	static const struct bk_doc_field text_row = { .name = "value" };
	const struct bk_doc_value *env = member_of(v, "env");
	const struct bk_doc_value *value = member_of(v, "value");
	struct bockfile_pair *pair;
	int rc = refuse_others(v, "env", "value", err);

	step->kind = BOCKFILE_STEP_ENV;
	if (rc < 0)
		return rc;
	if (env->node == BK_DOC_NODE_MAP) {
		if (value)
			return bk_doc_value_error(value, err, "'value' needs 'env' to be a name");
		return bockfile_text_read_map(&map_row, env, arena, &step->env, err);
	}
	if (!value)
		return bk_doc_value_error(env, err,
					  "expected a map, or a name together with 'value'");
	pair = bk_arena_alloc(arena, sizeof(*pair));
	rc = bockfile_text_read(&text_row, env, arena, &pair->value, err);
	if (rc < 0)
		return rc;
	pair->key = pair->value.text;
	rc = bockfile_text_read(&text_row, value, arena, &pair->value, err);
	if (rc < 0)
		return rc;
	step->env = (struct bockfile_map){ .items = pair, .n = 1, .at = env };
	return 0;
}

static int read_single(const struct bk_doc_value *v, const char *name, enum bockfile_step_kind kind,
		       struct bk_arena *arena, struct bockfile_step *step, struct bk_err **err)
{
	static const struct bk_doc_field row = { .name = "step", .flags = BK_DOC_NOT_EMPTY };
	int rc = refuse_others(v, name, NULL, err);

	step->kind = kind;
	return rc < 0 ? rc : bockfile_text_read(&row, member_of(v, name), arena, &step->text, err);
}

static const char *kind_name(size_t i, const void *ctx)
{
	(void)ctx;
	return kinds[i];
}

/* No member names a kind: the first one is likely a typing error. */
static int fail_kind(const struct bk_doc_value *v, struct bk_err **err)
{
	for (size_t i = 0; i < v->n; i++) {
		const char *nearest = bk_str_nearest(v->keys[i], kind_name, NULL,
						     BK_ARRAY_SIZE(kinds));

		if (nearest)
			return bk_doc_value_error(v->key_marks ? &v->key_marks[i] : v, err,
						  "unknown member '%s' in '%s', did you mean '%s'?",
						  v->keys[i], v->path ? v->path : "", nearest);
	}
	return bk_doc_value_error(v, err, "a step is one of run, copy, add, env, workdir and user");
}

static int read_step(const struct bk_doc_value *v, struct bk_arena *arena,
		     struct bockfile_step *step, struct bk_err **err)
{
	if (v->node != BK_DOC_NODE_MAP)
		return bk_doc_value_error(v, err, "a step is a map, as in '- run: make'");
	step->at = v;
	if (member_of(v, "run"))
		return read_run(v, arena, step, err);
	if (member_of(v, "copy"))
		return read_copy(v, arena, step, err);
	if (member_of(v, "add"))
		return read_add(v, arena, err);
	if (member_of(v, "env"))
		return read_env(v, arena, step, err);
	if (member_of(v, "workdir"))
		return read_single(v, "workdir", BOCKFILE_STEP_WORKDIR, arena, step, err);
	if (member_of(v, "user"))
		return read_single(v, "user", BOCKFILE_STEP_USER, arena, step, err);
	return fail_kind(v, err);
}

int bockfile_steps_read(const struct bk_doc_field *f, const struct bk_doc_value *v,
			struct bk_arena *arena, void *member, struct bk_err **err)
{
	struct bockfile_steps *steps = member;
	int rc;

	(void)f;
	if (v->node != BK_DOC_NODE_SEQ)
		return bk_doc_value_error(v, err, "expected a list of steps");
	steps->items = bk_arena_alloc(arena, (v->n + 1) * sizeof(*steps->items));
	for (size_t i = 0; i < v->n; i++) {
		rc = read_step(&v->items[i], arena, &steps->items[i], err);
		if (rc < 0)
			return rc;
	}
	steps->n = v->n;
	return 0;
}
