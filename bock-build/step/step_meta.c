/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bk_path.h"
#include "base/bk_str.h"
#include "bockfile/bockfile_subst.h"
#include "step/step.h"

int step_meta_add_env(const struct bockfile_scope *scope, const struct bockfile_map *map,
		      char ***env, struct bk_err **err)
{
	struct bockfile_scope here = *scope;

	for (size_t i = 0; i < map->n; i++) {
		const struct bockfile_pair *pair = &map->items[i];
		bk_autofree char *value = NULL;
		bk_autofree char *assignment = NULL;
		int rc;

		if (!*pair->key || strchr(pair->key, '='))
			return bk_doc_value_error(pair->value.at, err,
						  "'%.64s' can't be the name of a variable",
						  pair->key);
		here.env = *env;
		here.has_env = true;
		rc = bockfile_subst(&here, &pair->value, &value, err);
		if (rc < 0)
			return rc;
		assignment = bk_asprintf("%s=%s", pair->key, value);
		bk_env_set(env, assignment);
	}
	return 0;
}

int step_meta_env(struct step_stage *s, const struct bockfile_map *env, struct bk_err **err)
{
	int rc = step_meta_add_env(&s->scope, env, &s->env, err);

	s->scope.env = s->env;
	return rc;
}

int step_meta_path(const struct bockfile_scope *scope, const struct bockfile_text *text,
		   const char *base, char **ret, struct bk_err **err)
{
	bk_autofree char *value = NULL;
	bk_autofree char *joined = NULL;
	int rc = bockfile_subst(scope, text, &value, err);

	if (rc < 0)
		return rc;
	if (!*value)
		return bk_doc_value_error(text->at, err, "must not be empty");
	joined = bk_path_join(base, value);
	*ret = bk_path_clean(joined);
	return 0;
}

int step_meta_workdir(struct step_stage *s, const struct bockfile_text *text, struct bk_err **err)
{
	char *workdir = NULL;
	int rc = step_meta_path(&s->scope, text, s->workdir, &workdir, err);

	if (rc < 0)
		return rc;
	free(s->workdir);
	s->workdir = workdir;
	s->has_workdir = true;
	return 0;
}

int step_meta_user(struct step_stage *s, const struct bockfile_text *text, struct bk_err **err)
{
	char *user = NULL;
	int rc = bockfile_subst(&s->scope, text, &user, err);

	if (rc < 0)
		return rc;
	free(s->user);
	s->user = user;
	return 0;
}
