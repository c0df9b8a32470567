/* SPDX-License-Identifier: Apache-2.0 */
/* A copy step: its rules are step_copy's, its layer is written straight from the sources. */
#include "base/bk_str.h"
#include "bockfile/bockfile_subst.h"
#include "bundle/bundle_user.h"
#include "step/step.h"
#include "step/step_copy.h"
#include "step/step_mode.h"

/* Everything that a step_copy points to and that is ours. */
struct texts {
	char **sources, **exclude;
	char *to, *chmod;
};

static void texts_done(struct texts *t)
{
	bk_strv_free(t->sources);
	bk_strv_free(t->exclude);
	free(t->to);
	free(t->chmod);
}

static int substitute(const struct step_stage *s, const struct bockfile_copy *copy, struct texts *t,
		      struct bk_err **err)
{
	mode_t checked = 0;
	int rc = bockfile_subst_list(&s->scope, &copy->sources, &t->sources, err);

	if (rc == 0)
		rc = bockfile_subst(&s->scope, &copy->to, &t->to, err);
	if (rc == 0 && !*t->to)
		rc = bk_doc_value_error(copy->to.at, err, "must not be empty");
	if (rc == 0 && copy->exclude.at)
		rc = bockfile_subst_list(&s->scope, &copy->exclude, &t->exclude, err);
	if (rc == 0 && copy->chmod.text) {
		rc = bockfile_subst(&s->scope, &copy->chmod, &t->chmod, err);
		if (rc == 0 && step_mode_apply(t->chmod, 0, &checked, err) < 0)
			rc = bockfile_text_wrap(copy->chmod.at, err, -BK_ERR_CONFIG);
	}
	return rc;
}

static bool is_numeric(const char *owner)
{
	return bk_str_all_of(owner, "0123456789:");
}

/* Names are those of the stage; numbers need no file to be read. */
static int resolve_owner(const struct step_stage *s, const struct bockfile_text *chown,
			 struct step_copy *c, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *owner = NULL;
	struct bk_root none = BK_ROOT_INIT;
	struct bundle_user user = { 0 };
	int rc = bockfile_subst(&s->scope, chown, &owner, err);

	if (rc < 0)
		return rc;
	if (!c->view && !is_numeric(owner))
		return bk_doc_value_error(chown->at, err,
					  "'%s' is a name, and the stage has no /etc/passwd yet",
					  owner);
	rc = bundle_user_resolve(owner, c->view ? c->view : &none, arena, &user, err);
	if (rc < 0)
		return bockfile_text_wrap(chown->at, err, rc);
	c->has_owner = true;
	c->uid = user.uid;
	c->gid = user.gid;
	return 0;
}

int step_put(struct step_stage *s, const struct bockfile_step *step, struct step_stage *from,
	     bool *ret_layer, struct bk_err **err)
{
	const struct bockfile_copy *copy = step->copy;
	bk_auto(texts_done) struct texts t = { 0 };
	snap_autolist struct snap_list *list = snap_list_new();
	struct step_copy c = { .from = s->build->context,
			       .workdir = s->workdir,
			       .parents = copy->parents,
			       .mtime = s->build->now };
	struct layer_info layer;
	int rc = substitute(s, copy, &t, err);

	c.sources = t.sources;
	c.exclude = t.exclude;
	c.to = t.to;
	c.chmod = t.chmod;
	if (from)
		c.keep_owner = true;
	else
		c.ignore = s->build->ignore;
	if (rc == 0)
		rc = snap_chain_view(&s->chain, &c.view, err);
	if (rc == 0 && from)
		rc = snap_chain_view(&from->chain, &c.from, err);
	if (rc == 0 && from && !c.from)
		rc = bk_doc_value_error(copy->from.at, err, "stage '%s' has nothing in it",
					from->name);
	if (rc == 0 && copy->chown.text)
		rc = resolve_owner(s, &copy->chown, &c, err);
	if (rc == 0)
		rc = step_copy_list(&c, list, err);
	if (rc == 0)
		rc = step_add_layer(s, list, &layer, ret_layer, err);
	if (rc == 0 && *ret_layer)
		snap_chain_layer(&s->chain, &layer);
	return rc;
}
