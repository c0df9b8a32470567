/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "creds/creds.h"
#include "lib/bock_priv.h"
#include "lib/image.h"

static char *copy0(const char *s)
{
	return s ? bk_strdup(s) : NULL;
}

static struct bock_credential *to_public(const char *registry, const struct credential *c)
{
	struct bock_credential *p = bk_calloc(1, sizeof(*p));

	p->registry = bk_strdup(registry);
	p->username = copy0(c->username);
	p->password = copy0(c->password);
	p->identity_token = copy0(c->identity_token);
	p->email = copy0(c->email);
	return p;
}

static void to_private(const struct bock_credential *p, struct credential *ret)
{
	*ret = (struct credential){
		.username = copy0(p->username),
		.password = copy0(p->password),
		.identity_token = copy0(p->identity_token),
		.email = copy0(p->email),
	};
}

struct bock_credential *bock_credential_new(const char *registry, const char *username,
					    const char *password)
{
	struct bock_credential *c = bk_calloc(1, sizeof(*c));

	c->registry = bk_strdup(registry);
	c->username = bk_strdup(username);
	c->password = copy0(password);
	return c;
}

struct bock_credential *bock_credential_with_token(const char *registry, const char *token)
{
	struct bock_credential *c = bk_calloc(1, sizeof(*c));

	c->registry = bk_strdup(registry);
	c->identity_token = bk_strdup(token);
	return c;
}

void bock_credential_free(struct bock_credential *credential)
{
	struct credential secrets;

	if (!credential)
		return;
	secrets = (struct credential){
		.username = credential->username,
		.password = credential->password,
		.identity_token = credential->identity_token,
		.email = credential->email,
	};
	credential_done(&secrets);
	free(credential->registry);
	free(credential);
}

char *bock_credential_to_docker_auth(const struct bock_credential *credential)
{
	bk_autocredential struct credential c = CREDENTIAL_INIT;

	to_private(credential, &c);
	return credential_to_docker_auth(&c);
}

int bock_credential_from_docker_auth(const char *registry, const char *auth,
				     struct bock_credential **ret_credential, struct bk_err **err)
{
	bk_autocredential struct credential c = CREDENTIAL_INIT;
	int rc = credential_from_docker_auth(auth, &c, err);

	if (rc == 0)
		*ret_credential = to_public(registry, &c);
	return rc;
}

/* ---- stores ---------------------------------------------------------------------------------------- */

/* A back end of the caller's. */
struct asking {
	struct creds creds;
	int (*ask)(void *ctx, const char *registry, struct bock_credential **ret_credential);
	void *ctx;
};

static int ask_get(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
		   struct bk_err **err)
{
	const struct asking *a = (const struct asking *)(const void *)s;
	struct bock_credential *answer = NULL;

	if (a->ask(a->ctx, key, &answer) != 0)
		return bk_err_set(err, BK_ERR_PERMISSION, 0,
				  "credentials for '%s': the caller gave up", key);
	*ret_found = answer != NULL;
	if (answer)
		to_private(answer, ret);
	bock_credential_free(answer);
	return 0;
}

static void ask_release(struct creds *s)
{
	free(s);
}

static const struct creds_ops ask_ops = {
	.name = "callback",
	.get = ask_get,
	.release = ask_release,
};

static struct bock_credential_store *wrap(struct creds *creds)
{
	struct bock_credential_store *s = bk_calloc(1, sizeof(*s));

	s->creds = creds;
	return s;
}

struct bock_credential_store *bock_credential_store_file(const char *path)
{
	return wrap(creds_file_new(path, false));
}

struct bock_credential_store *bock_credential_store_pass(void)
{
	return wrap(creds_pass_new());
}

struct bock_credential_store *bock_credential_store_env(void)
{
	return wrap(creds_env_new());
}

int bock_credential_store_helper(const char *name, struct bock_credential_store **ret_store,
				 struct bk_err **err)
{
	struct creds *creds;
	int rc = creds_helper_new(name, &creds, err);

	if (rc == 0)
		*ret_store = wrap(creds);
	return rc;
}

struct bock_credential_store *bock_credential_store_manager(const char *path)
{
	return wrap(creds_manager_new(path));
}

struct bock_credential_store *bock_credential_store_callback(
	int (*ask)(void *ctx, const char *registry, struct bock_credential **ret_credential),
	void *ctx)
{
	struct asking *a = bk_calloc(1, sizeof(*a));

	a->creds.ops = &ask_ops;
	a->ask = ask;
	a->ctx = ctx;
	return wrap(&a->creds);
}

void bock_credential_store_free(struct bock_credential_store *store)
{
	if (!store)
		return;
	creds_free(store->creds);
	free(store);
}

int bock_credential_store_get(struct bock_credential_store *store, const char *registry,
			      struct bock_credential **ret_credential, struct bk_err **err)
{
	bk_autocredential struct credential c = CREDENTIAL_INIT;
	bk_autofree char *key = creds_key(registry);
	bool found = false;
	int rc = creds_get(store->creds, key, &c, &found, err);

	if (rc == 0)
		*ret_credential = found ? to_public(registry, &c) : NULL;
	return rc;
}

int bock_credential_store_put(struct bock_credential_store *store,
			      const struct bock_credential *credential, struct bk_err **err)
{
	bk_autocredential struct credential c = CREDENTIAL_INIT;
	bk_autofree char *key = creds_key(credential->registry);

	to_private(credential, &c);
	return creds_store(store->creds, key, &c, err);
}

int bock_credential_store_delete(struct bock_credential_store *store, const char *registry,
				 bool *ret_deleted, struct bk_err **err)
{
	bk_autofree char *key = creds_key(registry);
	bool found = false;
	int rc = creds_erase(store->creds, key, &found, err);

	if (rc == 0 && ret_deleted)
		*ret_deleted = found;
	return rc;
}

int bock_credential_store_list(struct bock_credential_store *store, char ***ret_registries,
			       struct bk_err **err)
{
	char **list = NULL;
	int rc = creds_list(store->creds, &list, err);

	if (rc == 0)
		*ret_registries = list ? list : bk_calloc(1, sizeof(*list));
	return rc;
}

int bock_credential_store_clear(struct bock_credential_store *store, struct bk_err **err)
{
	return creds_clear(store->creds, err);
}

const char *bock_credential_store_name(const struct bock_credential_store *store)
{
	return creds_name(store->creds);
}

void bock_strings_free(char **strings)
{
	bk_strv_free(strings);
}
