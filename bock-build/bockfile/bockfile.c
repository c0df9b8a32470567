/* SPDX-License-Identifier: Apache-2.0 */
#include "bockfile/bockfile.h"

#include <fcntl.h>
#include <string.h>

#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "codec/bk_yaml.h"

#define NAME_FIRST "abcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_REST  NAME_FIRST "._-"

static const char *const default_names[] = { "Bockfile", "Bockfile.yaml", "Bockfile.yml",
					     "Bockfile.json" };

const struct bockfile_stage *bockfile_stage_find(const struct bockfile *b, const char *name)
{
	for (size_t i = 0; i < b->n_stages; i++)
		if (bk_streq(b->stages[i].name.text, name))
			return &b->stages[i];
	return NULL;
}

int bockfile_healthcheck_read(const struct bk_doc_field *f, const struct bk_doc_value *v,
			      struct bk_arena *arena, void *member, struct bk_err **err)
{
	struct bockfile_healthcheck *h = bk_arena_alloc(arena, sizeof(*h));
	int rc = bk_doc_store(&bockfile_healthcheck_type, v, &bk_doc_limits_strict, arena, h, err);

	(void)f;
	if (rc < 0)
		return rc;
	h->at = v;
	*(struct bockfile_healthcheck **)member = h;
	return 0;
}

static int check_stage_name(const struct bockfile *b, size_t i, struct bk_err **err)
{
	const struct bockfile_text *name = &b->stages[i].name;
	const struct bockfile_stage *first;

	if (!*name->text || !strchr(NAME_FIRST, name->text[0]) ||
	    !bk_str_all_of(name->text, NAME_REST))
		return bk_doc_value_error(
			name->at, err, "invalid stage name '%s': [a-z0-9][a-z0-9._-]* is asked for",
			name->text);
	if (bk_streq(name->text, "scratch") || bk_streq(name->text, "context"))
		return bk_doc_value_error(name->at, err,
					  "'%s' means something else and can't name a stage",
					  name->text);
	first = bockfile_stage_find(b, name->text);
	if (first != &b->stages[i])
		return bk_doc_value_error(name->at, err, "stage '%s' is there already, in line %u",
					  name->text, first->name.at->line);
	return 0;
}

static int check(const struct bockfile *b, struct bk_err **err)
{
	int rc = 0;

	if (b->version.text && !bk_streq(b->version.text, "1"))
		return bk_doc_value_error(b->version.at, err,
					  "version '%s' is not known: this is version 1",
					  b->version.text);
	if (b->n_stages > BOCKFILE_STAGES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: more than %d stages", b->source,
				  BOCKFILE_STAGES_MAX);
	for (size_t i = 0; i < b->n_stages && rc == 0; i++)
		rc = check_stage_name(b, i, err);
	return rc;
}

int bockfile_parse(const char *source, const char *text, size_t len, struct bk_arena *arena,
		   struct bockfile *ret, struct bk_err **err)
{
	struct bockfile b = { 0 };
	int rc;

	rc = bk_yaml_decode(&bockfile_type, source, text, len, &bk_doc_limits_strict, arena, &b,
			    err);
	if (rc < 0)
		return rc;
	b.source = bk_arena_strdup(arena, source);
	rc = check(&b, err);
	if (rc < 0)
		return rc;
	*ret = b;
	return 0;
}

static int load_file(const char *path, struct bk_arena *arena, struct bockfile *ret,
		     struct bk_err **err)
{
	/* one byte more than allowed, so that the parser's own message about the size is reached */
	bk_autobuf struct bk_buf text = BK_BUF_INIT(bk_doc_limits_strict.max_size + 1);
	int rc = bk_file_read(AT_FDCWD, path, &text, err);

	if (rc < 0)
		return rc;
	return bockfile_parse(bk_path_base(path), bk_buf_str(&text), text.len, arena, ret, err);
}

int bockfile_load(const char *context, const char *path, struct bk_arena *arena,
		  struct bockfile *ret, struct bk_err **err)
{
	if (path)
		return load_file(path, arena, ret, err);
	for (size_t i = 0; i < BK_ARRAY_SIZE(default_names); i++) {
		bk_autofree char *name = bk_path_join(context, default_names[i]);

		if (access(name, F_OK) == 0)
			return load_file(name, arena, ret, err);
	}
	return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "no Bockfile in '%s'", context);
}
