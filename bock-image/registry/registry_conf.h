/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers-registries.conf(5), version 2: where the images of a name are, mirrors, what is blocked, and short names.
 *
 * Uses: bk_toml, ref. Used by: cmd.
 */
#ifndef REGISTRY_CONF_H
#define REGISTRY_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"
#include "ref/ref.h"

#define REGISTRY_CONF_MAX ((size_t)1 << 20)	/* bytes of a file */
#define REGISTRY_CONF_FILES_MAX 200

struct registry_conf;

/* A place to ask; strings are the configuration's arena's. */
struct registry_endpoint {
	char *domain;
	char *repo;
	bool insecure;	/* certificates are not verified, and http will do */
	bool mirror;
};

/*
 * Reads path alone (NULL: $CONTAINERS_REGISTRIES_CONF alone, else the user's or the system's file, and what is in
 * registries.conf.d of both). Files that are not there are none.
 */
int registry_conf_load(const char *path, struct registry_conf **ret, struct bk_err **err);
void registry_conf_free(struct registry_conf *c);
BK_DEFINE_AUTO(registry_conf, registry_conf_free);
#define bk_autoregistryconf bk_auto(bk_auto_registry_conf_)

/*
 * What a name as typed may mean: an alias, or the registries that are searched, or itself. strv of names to try in their order,
 * which the caller frees; a name with a registry in front is itself.
 */
int registry_conf_names(const struct registry_conf *c, const char *name, char ***ret, struct bk_err **err);

/* Where r is: with mirrors in front if for_pull. An array of *ret_n, the configuration's. -BK_ERR_PERMISSION: blocked. */
int registry_conf_resolve(struct registry_conf *c, const struct ref *r, bool for_pull,
			  struct registry_endpoint **ret, size_t *ret_n, struct bk_err **err);

/* Parses one file's text into c, over what is there: for tests and fuzzing. */
int registry_conf_add(struct registry_conf *c, const char *source, const char *text, size_t len,
		      struct bk_err **err);
struct registry_conf *registry_conf_new(void);

#endif
