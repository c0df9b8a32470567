/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "creds/creds_priv.h"

#define MEMBERS_MAX 8

struct creds_manager {
	struct creds base;
	struct creds *members[MEMBERS_MAX]; /* in the order that they are asked in */
	size_t n;
	struct creds *writer; /* one of them */
};

static int manager_get(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
		       struct bk_err **err)
{
	const struct creds_manager *m = (const struct creds_manager *)s;
	int rc = 0;

	for (size_t i = 0; rc == 0 && !*ret_found && i < m->n; i++)
		rc = m->members[i]->ops->get(m->members[i], key, ret, ret_found, err);
	return rc;
}

static int manager_store(struct creds *s, const char *key, const struct credential *c,
			 struct bk_err **err)
{
	struct creds *w = ((struct creds_manager *)s)->writer;

	return w->ops->store(w, key, c, err);
}

/* Of every one that can forget it. */
static int manager_erase(struct creds *s, const char *key, bool *ret_found, struct bk_err **err)
{
	const struct creds_manager *m = (const struct creds_manager *)s;
	bool any = false;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->n; i++) {
		bool found = false;

		if (m->members[i]->ops->erase)
			rc = m->members[i]->ops->erase(m->members[i], key, &found, err);
		any |= found;
	}
	if (rc == 0)
		*ret_found = any;
	return rc;
}

static int manager_list(struct creds *s, char ***ret, struct bk_err **err)
{
	const struct creds_manager *m = (const struct creds_manager *)s;
	bk_autostrv char **all = NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->n; i++) {
		bk_autostrv char **keys = NULL;

		rc = m->members[i]->ops->list(m->members[i], &keys, err);
		for (char **k = keys; rc == 0 && k && *k; k++)
			if (!bk_strv_has(all, *k))
				bk_strv_add(&all, *k);
	}
	if (rc == 0)
		*ret = bk_steal_ptr(&all);
	return rc;
}

static int manager_clear(struct creds *s, struct bk_err **err)
{
	struct creds *w = ((struct creds_manager *)s)->writer;

	return w->ops->clear(w, err);
}

static void manager_release(struct creds *s)
{
	struct creds_manager *m = (struct creds_manager *)s;

	for (size_t i = 0; i < m->n; i++)
		creds_free(m->members[i]);
	free(m);
}

static const struct creds_ops manager_ops = {
	.name = "manager",
	.get = manager_get,
	.store = manager_store,
	.erase = manager_erase,
	.list = manager_list,
	.clear = manager_clear,
	.release = manager_release,
};

static const char *set_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static void add(struct creds_manager *m, struct creds *c)
{
	m->members[m->n++] = c;
}

/* "DIR/rest", or where there is no DIR "HOME/below/rest" if there is a home. */
static void add_file(struct creds_manager *m, const char *dir, const char *below, const char *rest,
		     bool legacy)
{
	const char *home = set_env("HOME");
	bk_autofree char *path = NULL;

	if (dir)
		path = bk_asprintf("%s/%s", dir, rest);
	else if (home)
		path = bk_asprintf("%s/%s%s", home, below, rest);
	if (path)
		add(m, creds_file_new(path, legacy));
}

struct creds *creds_manager_new(const char *authfile)
{
	struct creds_manager *m = bk_calloc(1, sizeof(*m));
	bk_autofree char *run = NULL;

	m->base.ops = &manager_ops;
	add(m, creds_env_new());
	if (!authfile)
		authfile = set_env("REGISTRY_AUTH_FILE");
	if (authfile) {
		m->writer = creds_file_new(authfile, false);
		add(m, m->writer);
		return &m->base;
	}
	if (set_env("XDG_RUNTIME_DIR"))
		run = bk_strdup(set_env("XDG_RUNTIME_DIR"));
	else
		/* where podman and skopeo have it then */
		run = bk_asprintf("/run/containers/%u", (unsigned int)getuid());
	add_file(m, run, "", set_env("XDG_RUNTIME_DIR") ? "containers/auth.json" : "auth.json",
		 false);
	m->writer = m->members[m->n - 1];
	add_file(m, set_env("XDG_CONFIG_HOME"), ".config/", "containers/auth.json", false);
	add_file(m, set_env("DOCKER_CONFIG"), ".docker/", "config.json", false);
	add_file(m, NULL, "", ".dockercfg", true);
	add(m, creds_pass_new());
	return &m->base;
}
