/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/graph.h"

#include "base/bk_str.h"
#include "bockfile/bockfile_subst.h"

static size_t index_of(const struct bockfile *b, const char *name)
{
	const struct bockfile_stage *stage = bockfile_stage_find(b, name);

	return stage ? (size_t)(stage - b->stages) : GRAPH_NONE;
}

static void add_need(struct bk_arena *arena, struct graph_node *node, size_t index)
{
	for (size_t i = 0; i < node->n_needs; i++)
		if (node->needs[i] == index)
			return;
	node->needs = bk_arena_grow(arena, node->needs, node->n_needs, sizeof(*node->needs));
	node->needs[node->n_needs++] = index;
}

static int resolve(const struct bockfile_scope *scope, const struct bockfile_text *text,
		   struct bk_arena *arena, const char **ret, struct bk_err **err)
{
	bk_autofree char *value = NULL;
	int rc = bockfile_subst(scope, text, &value, err);

	if (rc == 0)
		*ret = bk_arena_strdup(arena, value);
	return rc;
}

static int resolve_from(const struct bockfile_scope *scope, struct graph_node *node,
			struct bk_arena *arena, struct bk_err **err)
{
	const struct bockfile *b = scope->bockfile;
	const struct bockfile_text *from = node->stage->from.text ? &node->stage->from : &b->from;
	int rc;

	node->from_stage = GRAPH_NONE;
	node->from_at = from->at;
	if (!from->text)
		return bk_doc_value_error(node->stage->name.at, err,
					  "stage '%s' has no 'from', and neither has the file",
					  node->stage->name.text);
	rc = resolve(scope, from, arena, &node->from, err);
	if (rc < 0)
		return rc;
	if (!*node->from)
		return bk_doc_value_error(from->at, err, "must not be empty");
	/* the file's own `from` is the base of stages, so it never means one */
	if (from != &b->from)
		node->from_stage = index_of(b, node->from);
	if (node->from_stage != GRAPH_NONE)
		add_need(arena, node, node->from_stage);
	return 0;
}

static int resolve_depends(const struct bockfile_scope *scope, struct graph_node *node,
			   struct bk_arena *arena, struct bk_err **err)
{
	for (size_t i = 0; i < node->stage->depends.n; i++) {
		const struct bockfile_text *item = &node->stage->depends.items[i];
		const char *name = NULL;
		int rc = resolve(scope, item, arena, &name, err);
		size_t index;

		if (rc < 0)
			return rc;
		index = index_of(scope->bockfile, name);
		if (index == GRAPH_NONE)
			return bk_doc_value_error(item->at, err, "no stage is named '%s'", name);
		add_need(arena, node, index);
	}
	return 0;
}

static int resolve_copy(const struct bockfile_scope *scope, struct graph_node *node, size_t step,
			struct bk_arena *arena, struct bk_err **err)
{
	const struct bockfile_copy *copy = node->stage->steps.items[step].copy;
	const char *name = NULL;
	int rc;

	node->copy_from[step] = GRAPH_NONE;
	if (!copy || !copy->from.text)
		return 0;
	rc = resolve(scope, &copy->from, arena, &name, err);
	if (rc < 0 || bk_streq(name, "context"))
		return rc;
	node->copy_from[step] = index_of(scope->bockfile, name);
	if (node->copy_from[step] == GRAPH_NONE)
		return bockfile_text_unsupported(
			copy->from.at, err,
			"no stage is named '%s', and copying from an image is not supported by this version",
			name);
	add_need(arena, node, node->copy_from[step]);
	return 0;
}

static int make_node(const struct bockfile_scope *scope, struct graph_node *node,
		     struct bk_arena *arena, struct bk_err **err)
{
	size_t n_steps = node->stage->steps.n;
	int rc = resolve_from(scope, node, arena, err);

	if (rc == 0)
		rc = resolve_depends(scope, node, arena, err);
	node->copy_from = bk_arena_alloc(arena, (n_steps + 1) * sizeof(*node->copy_from));
	for (size_t i = 0; i < n_steps && rc == 0; i++)
		rc = resolve_copy(scope, node, i, arena, err);
	return rc;
}

/* ---- order --------------------------------------------------------------------------------------- */

enum mark { NEW, OPEN, DONE };

struct visit {
	struct graph *g;
	enum mark *marks;
	size_t *path; /* the open nodes, from the target on */
	size_t depth;
};

static int fail_cycle(const struct visit *v, size_t again, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	size_t i = 0;

	while (v->path[i] != again)
		i++;
	for (; i < v->depth; i++)
		bk_buf_printf(&text, "%s -> ", v->g->nodes[v->path[i]].stage->name.text);
	bk_buf_adds(&text, v->g->nodes[again].stage->name.text);
	return bk_doc_value_error(v->g->nodes[again].stage->name.at, err,
				  "stages need each other in a cycle: %s", bk_buf_str(&text));
}

/* As deep as there are stages, of which there are at most BOCKFILE_STAGES_MAX. */
static int visit(struct visit *v, size_t index, struct bk_err **err)
{
	const struct graph_node *node = &v->g->nodes[index];
	int rc = 0;

	if (v->marks[index] == DONE)
		return 0;
	if (v->marks[index] == OPEN)
		return fail_cycle(v, index, err);
	v->marks[index] = OPEN;
	v->path[v->depth++] = index;
	for (size_t i = 0; i < node->n_needs && rc == 0; i++)
		rc = visit(v, node->needs[i], err);
	v->depth--;
	v->marks[index] = DONE;
	if (rc == 0)
		v->g->order[v->g->n_order++] = index;
	return rc;
}

int graph_make(const struct bockfile_scope *scope, const char *target, struct bk_arena *arena,
	       struct graph *ret, struct bk_err **err)
{
	const struct bockfile *b = scope->bockfile;
	size_t last = target ? index_of(b, target) : b->n_stages - 1;
	struct graph g = { .n = b->n_stages };
	struct visit v = { .g = &g };
	int rc = 0;

	if (last == GRAPH_NONE)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "%s: no stage is named '%s'", b->source,
				  target);
	g.nodes = bk_arena_alloc(arena, g.n * sizeof(*g.nodes));
	g.order = bk_arena_alloc(arena, g.n * sizeof(*g.order));
	v.marks = bk_arena_alloc(arena, g.n * sizeof(*v.marks));
	v.path = bk_arena_alloc(arena, g.n * sizeof(*v.path));
	for (size_t i = 0; i < g.n && rc == 0; i++) {
		g.nodes[i].stage = &b->stages[i];
		rc = make_node(scope, &g.nodes[i], arena, err);
	}
	/* every stage is looked at, so that a cycle is found whatever the target is */
	for (size_t i = 0; i < g.n && rc == 0; i++)
		rc = visit(&v, i, err);
	if (rc < 0)
		return rc;
	g.n_order = 0;
	for (size_t i = 0; i < g.n; i++)
		v.marks[i] = NEW;
	rc = visit(&v, last, err);
	if (rc == 0)
		*ret = g;
	return rc;
}
