/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_toml.h"

#define SYSTEM "/etc/containers"

struct mirror {
	char *location;
	bool insecure;
	char *pull; /* "all", "digest-only", "tag-only"; NULL: as the registry says */
};
static const struct bk_doc_field mirror_fields[] = {
	BK_DOC_STR_F(struct mirror, location, "location", BK_DOC_REQUIRED | BK_DOC_NOT_EMPTY),
	BK_DOC_BOOL_F(struct mirror, insecure, "insecure", 0),
	BK_DOC_STR_F(struct mirror, pull, "pull-from-mirror", 0),
	BK_DOC_END,
};
static const struct bk_doc_type mirror_type = BK_DOC_TYPE(struct mirror, mirror_fields);

struct entry {
	char *prefix, *location;
	bool insecure, blocked, digest_only;
	struct mirror *mirrors;
	size_t n_mirrors;
};
static const struct bk_doc_field entry_fields[] = {
	BK_DOC_STR_F(struct entry, prefix, "prefix", 0),
	BK_DOC_STR_F(struct entry, location, "location", 0),
	BK_DOC_BOOL_F(struct entry, insecure, "insecure", 0),
	BK_DOC_BOOL_F(struct entry, blocked, "blocked", 0),
	BK_DOC_BOOL_F(struct entry, digest_only, "mirror-by-digest-only", 0),
	BK_DOC_OBJV_F(struct entry, mirrors, n_mirrors, "mirror", 0, mirror_type),
	BK_DOC_END,
};
static const struct bk_doc_type entry_type = BK_DOC_TYPE(struct entry, entry_fields);

struct file {
	char **search;
	struct entry *entries;
	size_t n_entries;
	struct bk_doc_pair *aliases;
	size_t n_aliases;
};
static const struct bk_doc_field file_fields[] = {
	BK_DOC_STRV_F(struct file, search, "unqualified-search-registries", 0),
	BK_DOC_OBJV_F(struct file, entries, n_entries, "registry", 0, entry_type),
	BK_DOC_STRMAP_F(struct file, aliases, n_aliases, "aliases", 0),
	BK_DOC_UNSUPPORTED_F("registries", "version 1 of the file"),
	BK_DOC_END,
};
static const struct bk_doc_type file_type = BK_DOC_TYPE(struct file, file_fields);

struct registry_conf {
	struct bk_arena *arena;
	char **search;
	struct entry *entries; /* a later one of the same prefix wins */
	size_t n_entries;
	struct bk_doc_pair *aliases;
	size_t n_aliases;
};

struct registry_conf *registry_conf_new(void)
{
	struct registry_conf *c = bk_calloc(1, sizeof(*c));

	c->arena = bk_arena_new();
	return c;
}

void registry_conf_free(struct registry_conf *c)
{
	if (!c)
		return;
	bk_arena_free(c->arena);
	free(c);
}

static int check_entry(const char *source, struct entry *e, struct bk_err **err)
{
	static const char *const modes[] = { "all", "digest-only", "tag-only" };

	if (!e->prefix || !*e->prefix)
		e->prefix = e->location;
	if (!e->prefix || !*e->prefix)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s: a registry has neither a prefix nor a location", source);
	if (*e->prefix == '*' && (!bk_skip_prefix(e->prefix, "*.") || strchr(e->prefix, '/')))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s: prefix '%.200s': only '*.DOMAIN' is a pattern", source,
				  e->prefix);
	for (size_t i = 0; i < e->n_mirrors; i++) {
		const char *pull = e->mirrors[i].pull;
		bool known = !pull || !*pull;

		for (size_t k = 0; !known && k < BK_ARRAY_SIZE(modes); k++)
			known = bk_streq(pull, modes[k]);
		if (!known)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: pull-from-mirror '%.100s'",
					  source, pull);
	}
	return 0;
}

int registry_conf_add(struct registry_conf *c, const char *source, const char *text, size_t len,
		      struct bk_err **err)
{
	struct bk_doc_value tree;
	struct file f = { 0 };
	int rc = bk_toml_parse(source, text, len, &bk_doc_limits_oci, c->arena, &tree, err);

	if (rc == 0)
		rc = bk_doc_store(&file_type, &tree, &bk_doc_limits_oci, c->arena, &f, err);
	for (size_t i = 0; rc == 0 && i < f.n_entries; i++)
		rc = check_entry(source, &f.entries[i], err);
	if (rc < 0)
		return rc;
	if (f.search)
		c->search = f.search;
	for (size_t i = 0; i < f.n_entries; i++) {
		c->entries = bk_arena_grow(c->arena, c->entries, c->n_entries, sizeof(*c->entries));
		c->entries[c->n_entries++] = f.entries[i];
	}
	for (size_t i = 0; i < f.n_aliases; i++)
		bk_doc_pair_set(c->arena, &c->aliases, &c->n_aliases, f.aliases[i].key,
				f.aliases[i].value);
	return 0;
}

/* *ret_there false: there is no such file. */
static int add_file(struct registry_conf *c, const char *path, bool *ret_there, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(REGISTRY_CONF_MAX);
	struct bk_err *why = NULL;
	int rc = bk_file_read(AT_FDCWD, path, &text, &why);

	*ret_there = rc == 0;
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, why);
		return rc;
	}
	return registry_conf_add(c, bk_arena_strdup(c->arena, path), bk_buf_str(&text), text.len, err);
}

static int is_conf(const struct dirent *e)
{
	return e->d_name[0] != '.' && bk_has_suffix(e->d_name, ".conf");
}

/* DIR/registries.conf.d/NAME.conf in the order of their names. */
static int add_dir(struct registry_conf *c, const char *dir, struct bk_err **err)
{
	bk_autofree char *path = bk_asprintf("%s/registries.conf.d", dir);
	struct dirent **list = NULL;
	int n = scandir(path, &list, is_conf, alphasort);
	int rc = 0;

	if (n > REGISTRY_CONF_FILES_MAX)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' has more than %d files", path,
				REGISTRY_CONF_FILES_MAX);
	for (int i = 0; i < n; i++) {
		bk_autofree char *file = bk_asprintf("%s/%s", path, list[i]->d_name);
		bool there;

		if (rc == 0)
			rc = add_file(c, file, &there, err);
		free(list[i]);
	}
	free(list);
	return rc;
}

int registry_conf_load(const char *path, struct registry_conf **ret, struct bk_err **err)
{
	bk_autoregistryconf struct registry_conf *c = registry_conf_new();
	const char *home = getenv("HOME");
	const char *config = getenv("XDG_CONFIG_HOME");
	bk_autofree char *own = NULL;
	bk_autofree char *file = NULL;
	bool there = false;
	int rc = 0;

	if (!path)
		path = getenv("CONTAINERS_REGISTRIES_CONF");
	if (path && *path) {
		rc = add_file(c, path, &there, err);
		if (rc == 0 && !there)
			rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0, "there is no '%s'", path);
		if (rc == 0)
			*ret = bk_steal_ptr(&c);
		return rc;
	}
	if (config && *config)
		own = bk_asprintf("%s/containers", config);
	else if (home && *home)
		own = bk_asprintf("%s/.config/containers", home);
	if (own) {
		file = bk_asprintf("%s/registries.conf", own);
		rc = add_file(c, file, &there, err);
	}
	if (rc == 0 && !there)
		rc = add_file(c, SYSTEM "/registries.conf", &there, err);
	if (rc == 0)
		rc = add_dir(c, SYSTEM, err);
	if (rc == 0 && own)
		rc = add_dir(c, own, err);
	if (rc == 0)
		*ret = bk_steal_ptr(&c);
	return rc;
}

/* ---- short names --------------------------------------------------------------------------------- */

/* Whether what stands in front of the first '/' is a registry, as ref_parse sees it. */
static bool has_domain(const char *name)
{
	size_t n = strcspn(name, "/");
	bk_autofree char *first = bk_strndup(name, n);

	return name[n] == '/' &&
	       (strpbrk(first, ".:") || bk_streq(first, "localhost") ||
		strpbrk(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
}

int registry_conf_names(const struct registry_conf *c, const char *name, char ***ret,
			struct bk_err **err)
{
	size_t len = strcspn(name, ":@");
	bk_autofree char *repo = bk_strndup(name, len);
	const char *alias = bk_doc_pair_get(c->aliases, c->n_aliases, repo);
	bk_autostrv char **names = NULL;

	(void)err;
	if (has_domain(name)) {
		bk_strv_add(&names, name);
	} else if (alias && *alias) {
		bk_autofree char *full = bk_asprintf("%s%s", alias, name + len);

		/* what it means anyway is kept as it was typed */
		bk_strv_add(&names, ref_same(full, name) ? name : full);
	} else {
		for (char **s = c->search; s && *s; s++)
			bk_strv_push(&names, bk_streq(*s, REF_DEFAULT_DOMAIN) ?
						     bk_strdup(name) :
						     bk_asprintf("%s/%s", *s, name));
		if (!names)
			bk_strv_add(&names, name);
	}
	*ret = bk_steal_ptr(&names);
	return 0;
}

/* ---- where --------------------------------------------------------------------------------------- */

/* How much of name the prefix covers, 0: it is another's. */
static size_t covers(const char *prefix, const char *name)
{
	size_t host = strcspn(name, "/");
	size_t len = strlen(prefix);

	if (*prefix == '*') {
		len--;
		/* the host's end; a port belongs to it */
		return host > len && strncmp(name + host - len, prefix + 1, len) == 0 ? host : 0;
	}
	if (strncmp(prefix, name, len) != 0)
		return 0;
	return name[len] == '\0' || strchr("/:@", name[len]) ? len : 0;
}

static const struct entry *find(const struct registry_conf *c, const char *name, size_t *ret_len)
{
	const struct entry *best = NULL;
	size_t best_len = 0;
	bool best_pattern = false;

	for (size_t i = 0; i < c->n_entries; i++) {
		const struct entry *e = &c->entries[i];
		bool pattern = *e->prefix == '*';
		size_t len = covers(e->prefix, name);

		/* the longest; a pattern is less than the host itself */
		if (len == 0 || len < best_len || (len == best_len && pattern && best && !best_pattern))
			continue;
		best = e;
		best_len = len;
		best_pattern = pattern;
	}
	*ret_len = best_len;
	return best;
}

/* location and the rest of the name behind the prefix: checked as a name. */
static int add_endpoint(struct registry_conf *c, const char *location, const char *rest, bool insecure,
			bool mirror, struct registry_endpoint *ret, struct bk_err **err)
{
	bk_autofree char *name = bk_asprintf("%s%s", location, rest);
	bk_autoref struct ref ref = REF_INIT;
	int rc = has_domain(name) ? ref_parse(name, &ref, err) :
				    bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' has no registry", name);

	if (rc < 0)
		return bk_err_wrap(err, rc, "registries.conf: location '%.200s'", location);
	*ret = (struct registry_endpoint){
		.domain = bk_arena_strdup(c->arena, ref.domain),
		.repo = bk_arena_strdup(c->arena, ref.path),
		.insecure = insecure,
		.mirror = mirror,
	};
	return 0;
}

static bool wanted(const struct entry *e, const struct mirror *m, bool by_digest)
{
	const char *pull = m->pull && *m->pull ? m->pull : e->digest_only ? "digest-only" : "all";

	return bk_streq(pull, "all") || bk_streq(pull, by_digest ? "digest-only" : "tag-only");
}

int registry_conf_resolve(struct registry_conf *c, const struct ref *r, bool for_pull,
			  struct registry_endpoint **ret, size_t *ret_n, struct bk_err **err)
{
	bk_autofree char *name = ref_text(r);
	size_t len, n = 0;
	const struct entry *e = find(c, name, &len);
	struct registry_endpoint *list =
		bk_arena_alloc(c->arena, ((e ? e->n_mirrors : 0) + 1) * sizeof(*list));
	const char *location;
	int rc = 0;

	if (!e) {
		list[0] = (struct registry_endpoint){ .domain = bk_arena_strdup(c->arena, r->domain),
						      .repo = bk_arena_strdup(c->arena, r->path) };
		*ret = list;
		*ret_n = 1;
		return 0;
	}
	if (e->blocked)
		return bk_err_set(err, BK_ERR_PERMISSION, 0,
				  "registries.conf blocks '%s' (prefix '%.200s')", name, e->prefix);
	for (size_t i = 0; rc == 0 && for_pull && i < e->n_mirrors; i++)
		if (wanted(e, &e->mirrors[i], r->digest != NULL))
			rc = add_endpoint(c, e->mirrors[i].location, name + len,
					  e->mirrors[i].insecure, true, &list[n++], err);
	location = e->location && *e->location ? e->location : NULL;
	if (rc == 0 && !location)
		rc = add_endpoint(c, name, "", e->insecure, false, &list[n++], err);
	else if (rc == 0)
		rc = add_endpoint(c, location, name + len, e->insecure, false, &list[n++], err);
	if (rc < 0)
		return rc;
	*ret = list;
	*ret_n = n;
	return 0;
}
