/* SPDX-License-Identifier: Apache-2.0 */
#include "step/step.h"

#include "base/bk_str.h"
#include "bockfile/bockfile_subst.h"
#include "snap/snap_layer.h"

#define HISTORY_COMMENT "bock"

/* ---- beginning ---------------------------------------------------------------------------------------- */

static void add_diff_id(struct step_stage *s, const char *diff_id)
{
	bk_doc_strv_add(s->arena, &s->diff_ids, diff_id);
}

static struct oci_descriptor *grow_layers(struct step_stage *s)
{
	s->layers = bk_arena_grow(s->arena, s->layers, s->n_layers, sizeof(*s->layers));
	return &s->layers[s->n_layers++];
}

static struct oci_image_history *grow_history(struct step_stage *s)
{
	s->history = bk_arena_grow(s->arena, s->history, s->n_history, sizeof(*s->history));
	return &s->history[s->n_history++];
}

static void add_history(struct step_stage *s, const struct bk_doc_value *v, const char *prefix,
			bool empty_layer)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_DOC);
	struct oci_image_history *h = grow_history(s);

	if (prefix) {
		bk_buf_adds(&text, prefix);
		bockfile_text_flow(v, &text);
	} else {
		bockfile_text_flow_step(v, &text);
	}
	h->created = bk_arena_strdup(s->arena, s->build->created);
	h->created_by = bk_arena_strdup(s->arena, bk_buf_str(&text));
	h->comment = bk_arena_strdup(s->arena, HISTORY_COMMENT);
	h->empty_layer = empty_layer;
}

static void take_exec(struct step_stage *s, const struct oci_image_exec *exec)
{
	s->exec = *exec;
	s->env = bk_strv_dup(exec->env);
	if (exec->user && *exec->user)
		s->user = bk_strdup(exec->user);
	if (exec->working_dir && *exec->working_dir) {
		free(s->workdir);
		s->workdir = bk_strdup(exec->working_dir);
		s->has_workdir = true;
	}
}

/* Without its layers an image has no history to tell: what comes back is history of those it has. */
static void start_on_image(struct step_stage *s, const struct store_image *image)
{
	for (size_t i = 0; i < image->manifest.n_layers; i++)
		*grow_layers(s) = image->manifest.layers[i];
	for (char **id = image->config.rootfs ? image->config.rootfs->diff_ids : NULL; id && *id;
	     id++)
		add_diff_id(s, *id);
	for (size_t i = 0; i < image->config.n_history; i++)
		*grow_history(s) = image->config.history[i];
	if (image->config.config)
		take_exec(s, image->config.config);
	if (image->manifest.n_layers > 0)
		snap_chain_image(&s->chain, image);
	s->base_name = image->name;
	s->base_digest = image->desc.digest;
}

static void start_on_stage(struct step_stage *s, const struct step_stage *from)
{
	for (size_t i = 0; i < from->n_layers; i++)
		*grow_layers(s) = from->layers[i];
	for (char **id = from->diff_ids; id && *id; id++)
		add_diff_id(s, *id);
	for (size_t i = 0; i < from->n_history; i++)
		*grow_history(s) = from->history[i];
	s->exec = from->exec;
	s->env = bk_strv_dup(from->env);
	s->user = from->user ? bk_strdup(from->user) : NULL;
	free(s->workdir);
	s->workdir = bk_strdup(from->workdir);
	s->has_workdir = from->has_workdir;
	s->base_name = from->base_name;
	s->base_digest = from->base_digest;
	snap_chain_inherit(&s->chain, &from->chain);
}

static int start_members(struct step_stage *s, const struct bockfile_stage *stage,
			 struct bk_err **err)
{
	int rc = 0;

	if (stage->env.at) {
		rc = step_meta_env(s, &stage->env, err);
		add_history(s, stage->env.at, "env: ", true);
	}
	if (rc == 0 && stage->workdir.text) {
		rc = step_meta_workdir(s, &stage->workdir, err);
		add_history(s, stage->workdir.at, "workdir: ", true);
	}
	if (rc == 0 && stage->user.text) {
		rc = step_meta_user(s, &stage->user, err);
		add_history(s, stage->user.at, "user: ", true);
	}
	if (rc == 0 && stage->shell.at)
		return bockfile_subst_list(&s->scope, &stage->shell, &s->shell, err);
	bk_strv_add(&s->shell, "/bin/sh");
	bk_strv_add(&s->shell, "-ec");
	return rc;
}

int step_stage_start(struct step_stage *s, struct step_build *build,
		     const struct bockfile_scope *scope, const struct bockfile_stage *stage,
		     const struct store_image *image, const struct step_stage *from,
		     struct bk_err **err)
{
	*s = (struct step_stage){ .build = build,
				  .arena = bk_arena_new(),
				  .name = stage->name.text,
				  .scope = *scope,
				  .workdir = bk_strdup("/") };
	snap_chain_init(&s->chain, build->space, build->store);
	if (image)
		start_on_image(s, image);
	else if (from)
		start_on_stage(s, from);
	s->scope.env = s->env;
	s->scope.has_env = true;
	return start_members(s, stage, err);
}

void step_stage_done(struct step_stage *s)
{
	if (!s->arena)
		return;
	snap_chain_done(&s->chain);
	bk_strv_free(s->env);
	bk_strv_free(s->shell);
	free(s->workdir);
	free(s->user);
	bk_arena_free(s->arena);
	*s = (struct step_stage){ 0 };
}

/* ---- steps -------------------------------------------------------------------------------------------- */

int step_add_layer(struct step_stage *s, struct snap_list *l, struct layer_info *ret,
		   bool *ret_layer, struct bk_err **err)
{
	int rc = snap_layer_write(l, s->build->max_mtime, s->build->store, ret, ret_layer, err);

	if (rc < 0 || !*ret_layer)
		return rc;
	if (s->n_layers >= STORE_LAYERS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d layers", STORE_LAYERS_MAX);
	bk_strv_add(&s->build->written, ret->digest);
	layer_info_descriptor(ret, s->arena, grow_layers(s));
	add_diff_id(s, ret->diff_id);
	return 0;
}

static int dispatch(struct step_stage *s, const struct bockfile_step *step, struct step_stage *from,
		    bool *layer, struct bk_err **err)
{
	switch (step->kind) {
	case BOCKFILE_STEP_RUN:
		return step_run(s, step, layer, err);
	case BOCKFILE_STEP_COPY:
		return step_put(s, step, from, layer, err);
	case BOCKFILE_STEP_ENV:
		return step_meta_env(s, &step->env, err);
	case BOCKFILE_STEP_WORKDIR:
		return step_meta_workdir(s, &step->text, err);
	case BOCKFILE_STEP_USER:
		return step_meta_user(s, &step->text, err);
	}
	return bk_err_set(err, BK_ERR_INTERNAL, 0, "a step of kind %d", (int)step->kind);
}

/* An error that names the file already has a place, and a better one. */
static bool has_place(const struct step_stage *s, const struct bk_err *err)
{
	const char *first = err ? bk_err_link(err, 0) : NULL;
	const char *rest = first ? bk_skip_prefix(first, s->scope.bockfile->source) : NULL;

	return rest && *rest == ':';
}

int step_execute(struct step_stage *s, const struct bockfile_step *step, struct step_stage *from,
		 struct bk_err **err)
{
	struct bk_err *why = NULL;
	bool layer = false;
	int rc = dispatch(s, step, from, &layer, &why);

	if (rc < 0) {
		if (!has_place(s, why))
			bockfile_text_wrap(step->at, &why, rc);
		bk_err_move(err, why);
		return rc;
	}
	add_history(s, step->at, NULL, !layer);
	return 0;
}
