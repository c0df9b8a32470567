/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_mounts.h"

#include <inttypes.h>
#include <string.h>

#include "base/bk_num.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "bundle/bundle_linux.h"

#define DEVPTS_GID 5	/* tty, everywhere */

struct mount_row {
	const char *destination, *type, *source;
	const char *options; /* comma-separated */
};

/* As `runc spec` writes them. */
static const struct mount_row rows[] = {
	{ "/proc", "proc", "proc", "" },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
	{ "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620" },
	{ "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k" },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro" },
};

static void add_options(struct bk_arena *a, char ***v, const char *text)
{
	bk_autostrv char **parts = bk_strv_split(text, ",");

	for (char **p = parts; p && *p; p++)
		bk_doc_strv_add(a, v, *p);
}

static bool has_user_namespace(const struct bundle_opts *o)
{
	return o->rootless || o->ids.n_uids > 0;
}

static void make_row(const struct bundle_opts *o, const struct mount_row *row, struct bk_arena *a,
		     struct oci_mount *m)
{
	/* In a user namespace sysfs can be mounted only with a network namespace of its own; the host's can be seen. */
	bool bind = bk_streq(row->type, "sysfs") && has_user_namespace(o) &&
		    (!bundle_linux_own_net(o) || o->net == BUNDLE_NET_PATH);
	uint32_t host;

	*m = (struct oci_mount){
		.destination = bk_arena_strdup(a, row->destination),
		.type = bk_arena_strdup(a, bind ? "none" : row->type),
		.source = bk_arena_strdup(a, bind ? "/sys" : row->source),
	};
	add_options(a, &m->options, bind ? "rbind,nosuid,noexec,nodev,ro" : row->options);
	if (bk_streq(row->type, "devpts") && !o->rootless &&
	    layer_ids_host(o->ids.gids, o->ids.n_gids, DEVPTS_GID, &host))
		bk_doc_strv_add(a, &m->options, "gid=5");
}

static void make_bound(const struct bundle_bind *b, struct bk_arena *a, struct oci_mount *m)
{
	*m = (struct oci_mount){
		.destination = bk_arena_strdup(a, b->destination),
		.type = bk_arena_strdup(a, b->source ? "bind" : "tmpfs"),
		.source = bk_arena_strdup(a, b->source ? b->source : "tmpfs"),
	};
	add_options(a, &m->options, b->source ? "rbind,nosuid,nodev" : "nosuid,nodev,tmpcopyup");
}

void bundle_mounts_make(const struct bundle_opts *opts, struct bk_arena *arena,
			struct oci_runtime_config *c)
{
	size_t n = 0;

	c->n_mounts = BK_ARRAY_SIZE(rows) + opts->n_binds + opts->n_mounts;
	c->mounts = bk_arena_alloc(arena, sizeof(*c->mounts) * c->n_mounts);
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++)
		make_row(opts, &rows[i], arena, &c->mounts[n++]);
	for (size_t i = 0; i < opts->n_binds; i++)
		make_bound(&opts->binds[i], arena, &c->mounts[n++]);
	for (size_t i = 0; i < opts->n_mounts; i++)
		c->mounts[n++] = opts->mounts[i];
}

/* ---- --mount ------------------------------------------------------------------------------------ */

struct mount_words {
	char *type, *source, *target, *propagation, *size, *mode;
	char **options;
	bool readonly, nonrecursive, idmap;
};

static int take_bool(const char *key, const char *value, bool *ret, struct bk_err **err)
{
	if (!value || bk_streq(value, "true") || bk_streq(value, "1"))
		*ret = true;
	else if (bk_streq(value, "false") || bk_streq(value, "0"))
		*ret = false;
	else
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s=%s: neither true nor false", key, value);
	return 0;
}

static int take_word(struct mount_words *w, struct bk_arena *a, char *word, struct bk_err **err)
{
	const struct {
		const char *key;
		char **text;
		bool *flag;
	} keys[] = {
		{ "type", &w->type, NULL },
		{ "source", &w->source, NULL },
		{ "src", &w->source, NULL },
		{ "target", &w->target, NULL },
		{ "destination", &w->target, NULL },
		{ "dst", &w->target, NULL },
		{ "bind-propagation", &w->propagation, NULL },
		{ "tmpfs-size", &w->size, NULL },
		{ "tmpfs-mode", &w->mode, NULL },
		{ "readonly", NULL, &w->readonly },
		{ "ro", NULL, &w->readonly },
		{ "bind-nonrecursive", NULL, &w->nonrecursive },
		{ "idmap", NULL, &w->idmap },
	};
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < BK_ARRAY_SIZE(keys); i++) {
		if (!bk_streq(word, keys[i].key))
			continue;
		if (keys[i].flag)
			return take_bool(word, value, keys[i].flag, err);
		if (!value || !*value)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "%s has no value", word);
		if (*keys[i].text)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "%s stands twice", word);
		*keys[i].text = bk_arena_strdup(a, value);
		return 0;
	}
	if (bk_streq(word, "option") && value && *value) {
		bk_doc_strv_add(a, &w->options, value);
		return 0;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is none of its members", word);
}

static int make_tmpfs(const struct mount_words *w, struct bk_arena *a, struct oci_mount *m,
		      struct bk_err **err)
{
	uint64_t size;
	uint32_t mode;
	int rc = 0;

	if (w->source || w->propagation || w->nonrecursive || w->idmap)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "a tmpfs has %s",
				  w->source ? "no source" : "no bind-propagation, bind-nonrecursive or idmap");
	m->source = bk_arena_strdup(a, "tmpfs");
	add_options(a, &m->options, "nosuid,nodev,noexec");
	if (w->size) {
		rc = bk_num_size(w->size, &size, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "tmpfs-size");
		bk_doc_strv_add(a, &m->options, bk_arena_printf(a, "size=%" PRIu64, size));
	}
	if (w->mode) {
		rc = bk_num_mode(w->mode, 07777, &mode, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "tmpfs-mode");
		bk_doc_strv_add(a, &m->options, bk_arena_printf(a, "mode=%04o", mode));
	}
	return 0;
}

static int make_bind(const struct mount_words *w, struct bk_arena *a, struct oci_mount *m,
		     struct bk_err **err)
{
	static const char *const words[] = { "private", "rprivate", "slave",	 "rslave",
					     "shared",	"rshared",  "unbindable", "runbindable" };
	bk_autofree char *source = NULL;
	size_t i = 0;
	int rc;

	if (!w->source)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "it has no source");
	if (w->size || w->mode)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "tmpfs-size and tmpfs-mode are for type=tmpfs");
	rc = bk_path_absolute(w->source, &source, err);
	if (rc < 0)
		return rc;
	m->source = bk_arena_strdup(a, source);
	bk_doc_strv_add(a, &m->options, w->nonrecursive ? "bind" : "rbind");
	if (w->idmap)
		bk_doc_strv_add(a, &m->options, w->nonrecursive ? "idmap" : "ridmap");
	if (!w->propagation)
		return 0;
	while (i < BK_ARRAY_SIZE(words) && !bk_streq(words[i], w->propagation))
		i++;
	if (i == BK_ARRAY_SIZE(words))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "bind-propagation=%s is unknown", w->propagation);
	bk_doc_strv_add(a, &m->options, w->propagation);
	return 0;
}

static int make_mount(const struct mount_words *w, struct bk_arena *a, struct oci_mount *ret,
		      struct bk_err **err)
{
	struct oci_mount m = { 0 };
	bool tmpfs = w->type && bk_streq(w->type, "tmpfs");
	int rc;

	if (w->type && !tmpfs && !bk_streq(w->type, "bind"))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "type=%s: there are bind and tmpfs", w->type);
	if (!w->target || *w->target != '/')
		return bk_err_set(err, BK_ERR_CONFIG, 0, "its target is not an absolute path");
	m.destination = bk_arena_strdup(a, w->target);
	m.type = bk_arena_strdup(a, tmpfs ? "tmpfs" : "bind");
	rc = tmpfs ? make_tmpfs(w, a, &m, err) : make_bind(w, a, &m, err);
	if (rc < 0)
		return rc;
	if (w->readonly)
		bk_doc_strv_add(a, &m.options, "ro");
	for (char **o = w->options; o && *o; o++)
		bk_doc_strv_add(a, &m.options, *o);
	*ret = m;
	return 0;
}

int bundle_mount_parse(const char *text, struct bk_arena *arena, struct oci_mount *ret,
		       struct bk_err **err)
{
	bk_autostrv char **parts = bk_strv_split(text, ",");
	struct mount_words w = { 0 };
	int rc = 0;

	for (char **p = parts; rc == 0 && p && *p; p++)
		rc = take_word(&w, arena, *p, err);
	return rc < 0 ? rc : make_mount(&w, arena, ret, err);
}
