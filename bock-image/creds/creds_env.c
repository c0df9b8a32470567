/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "creds/creds_priv.h"

#define DOCKER_TEXT "DOCKER_AUTH_CONFIG"

/* BOCK_REGISTRY_<HOST>_<WHAT>: upper case, what is no letter or digit becomes '_'. NULL where unset or empty. */
static const char *variable(const char *key, const char *what)
{
	bk_autofree char *name = bk_asprintf("BOCK_REGISTRY_%.*s_%s", (int)strcspn(key, "/"), key,
					     what);
	const char *value;

	for (char *p = name; *p; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (!(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9'))
			*p = '_';
	}
	value = getenv(name);
	return value && *value ? value : NULL;
}

static int env_get(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
		   struct bk_err **err)
{
	const char *user = variable(key, "USERNAME");
	const char *password = variable(key, "PASSWORD");
	const char *token = variable(key, "TOKEN");
	const char *text = getenv(DOCKER_TEXT);

	(void)s;
	if (token || (user && password)) {
		*ret = (struct credential){
			.username = user ? bk_strdup(user) : NULL,
			.password = password ? bk_strdup(password) : NULL,
			.registry_token = token ? bk_strdup(token) : NULL,
		};
		*ret_found = true;
		return 0;
	}
	if (user || password)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "of BOCK_REGISTRY_..._USERNAME and _PASSWORD only one is set");
	if (!text || !*text)
		return 0;
	return creds_file_get_text_(text, strlen(text), DOCKER_TEXT, false, key, ret, ret_found,
				    err);
}

static int env_list(struct creds *s, char ***ret, struct bk_err **err)
{
	char **out = NULL;

	(void)s;
	(void)err;
	/* The host's own spelling can't be had back from the variable's name. */
	for (char **e = environ; *e; e++)
		if (bk_skip_prefix(*e, "BOCK_REGISTRY_") || bk_skip_prefix(*e, DOCKER_TEXT "="))
			bk_strv_push(&out, bk_strndup(*e, strcspn(*e, "=")));
	*ret = out;
	return 0;
}

static void env_release(struct creds *s)
{
	free(s);
}

static const struct creds_ops env_ops = {
	.name = "environment",
	.get = env_get,
	.list = env_list,
	.release = env_release,
};

struct creds *creds_env_new(void)
{
	struct creds *s = bk_calloc(1, sizeof(*s));

	s->ops = &env_ops;
	return s;
}
