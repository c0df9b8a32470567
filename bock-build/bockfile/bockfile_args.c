/* SPDX-License-Identifier: Apache-2.0 */
#include "bockfile/bockfile_args.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

#include "base/bk_str.h"
#include "bockfile/bockfile_subst.h"

static bool is_arg_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return *s == '\0';
}

static int read_arg(const struct bk_doc_value *v, struct bk_arena *arena, struct bockfile_arg *arg,
		    struct bk_err **err)
{
	static const struct bk_doc_field row = { .name = "default" };

	if (v->node == BK_DOC_NODE_MAP)
		return bk_doc_store(&bockfile_arg_type, v, &bk_doc_limits_strict, arena, arg, err);
	if (v->node == BK_DOC_NODE_NULL) /* `NAME:` declares it without a default */
		return 0;
	return bockfile_text_read(&row, v, arena, &arg->value, err);
}

int bockfile_args_read(const struct bk_doc_field *f, const struct bk_doc_value *v,
		       struct bk_arena *arena, void *member, struct bk_err **err)
{
	struct bockfile_args *args = member;
	int rc;

	(void)f;
	if (v->node != BK_DOC_NODE_MAP)
		return bk_doc_value_error(v, err, "expected a map of arguments");
	args->items = bk_arena_alloc(arena, (v->n + 1) * sizeof(*args->items));
	for (size_t i = 0; i < v->n; i++) {
		struct bockfile_arg *arg = &args->items[i];

		if (!is_arg_name(v->keys[i]))
			return bk_doc_value_error(
				&v->items[i], err,
				"invalid name of an argument: [A-Za-z_][A-Za-z0-9_]* is asked for");
		rc = read_arg(&v->items[i], arena, arg, err);
		if (rc < 0)
			return rc;
		arg->name = v->keys[i];
		arg->at = &v->items[i];
	}
	args->n = v->n;
	return 0;
}

static int check_choices(const struct bockfile_arg *arg, const char *value, struct bk_err **err)
{
	bk_autobuf struct bk_buf known = BK_BUF_INIT(BK_BUF_SMALL);

	for (size_t i = 0; i < arg->choices.n; i++) {
		if (bk_streq(arg->choices.items[i].text, value))
			return 0;
		bk_buf_printf(&known, "%s%s", i > 0 ? ", " : "", arg->choices.items[i].text);
	}
	return bk_doc_value_error(arg->at, err, "'%.200s' is none of: %.600s", value,
				  bk_buf_str(&known));
}

static int check_pattern(const struct bockfile_arg *arg, const char *value, struct bk_err **err)
{
	bk_autofree char *whole = bk_asprintf("^(%s)$", arg->pattern.text);
	char why[128];
	regex_t re;
	int rc = regcomp(&re, whole, REG_EXTENDED | REG_NOSUB);

	if (rc != 0) {
		regerror(rc, &re, why, sizeof(why));
		return bk_doc_value_error(arg->pattern.at, err, "not a regular expression: %s",
					  why);
	}
	rc = regexec(&re, value, 0, NULL, 0);
	regfree(&re);
	if (rc != 0)
		return bk_doc_value_error(arg->at, err, "'%.200s' is not like '%s'", value,
					  arg->pattern.text);
	return 0;
}

static int resolve_arg(struct bockfile_scope *scope, const struct bockfile_arg *arg,
		       char *const *build_args, struct bk_arena *arena, struct bk_err **err)
{
	const char *value = bk_env_get(build_args, arg->name);
	bk_autofree char *own = NULL;
	int rc = 0;

	if (!value && arg->env.text)
		value = getenv(arg->env.text);
	if (!value && arg->value.text) {
		rc = bockfile_subst(scope, &arg->value, &own, err);
		value = own;
	}
	if (rc < 0)
		return rc;
	if (!value && arg->required)
		return bk_doc_value_error(arg->at, err,
					  "required: give it with --build-arg %s=VALUE", arg->name);
	if (!value)
		return 0;
	if (arg->choices.at)
		rc = check_choices(arg, value, err);
	if (rc == 0 && arg->pattern.text)
		rc = check_pattern(arg, value, err);
	if (rc == 0)
		bk_doc_pair_set(arena, &scope->args, &scope->n_args, arg->name, value);
	return rc;
}

static const char *arg_name(size_t i, const void *ctx)
{
	return ((const struct bockfile_arg *)ctx)[i].name;
}

static int check_build_args(const struct bockfile *b, char *const *build_args, struct bk_err **err)
{
	for (; build_args && *build_args; build_args++) {
		const char *equal = strchr(*build_args, '=');
		bk_autofree char *name = NULL;
		const char *nearest;
		size_t i = 0;

		if (!equal || equal == *build_args)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "--build-arg '%s': expected NAME=VALUE", *build_args);
		name = bk_strndup(*build_args, (size_t)(equal - *build_args));
		while (i < b->args.n && !bk_streq(b->args.items[i].name, name))
			i++;
		if (i < b->args.n)
			continue;
		nearest = bk_str_nearest(name, arg_name, b->args.items, b->args.n);
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--build-arg '%s': %s declares no such argument%s%s%s", name,
				  b->source, nearest ? ", did you mean '" : "",
				  nearest ? nearest : "", nearest ? "'?" : "");
	}
	return 0;
}

static int resolve_metadata(const struct bockfile_scope *scope, const struct bockfile_text *text,
			    struct bk_arena *arena, const char **ret, struct bk_err **err)
{
	if (!text->text)
		return 0;

	bk_autofree char *value = NULL;
	int rc = bockfile_subst(scope, text, &value, err);

	if (rc == 0)
		*ret = bk_arena_strdup(arena, value);
	return rc;
}

int bockfile_args_resolve(const struct bockfile *b, char *const *build_args, const char *timestamp,
			  struct bk_arena *arena, struct bockfile_scope *ret, struct bk_err **err)
{
	struct bockfile_scope scope = { .bockfile = b };
	int rc = check_build_args(b, build_args, err);

	scope.timestamp = bk_arena_strdup(arena, timestamp);
	for (size_t i = 0; i < b->args.n && rc == 0; i++)
		rc = resolve_arg(&scope, &b->args.items[i], build_args, arena, err);
	if (rc == 0 && b->metadata)
		rc = resolve_metadata(&scope, &b->metadata->name, arena, &scope.name, err);
	if (rc == 0 && b->metadata)
		rc = resolve_metadata(&scope, &b->metadata->version, arena, &scope.version, err);
	if (rc == 0)
		*ret = scope;
	return rc;
}
