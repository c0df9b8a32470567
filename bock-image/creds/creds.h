/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials for registries, and where they are kept. A back end is a const table of functions:
 *
 *	creds_file_new	  auth.json of containers, config.json and .dockercfg of Docker
 *	creds_helper_new  a program docker-credential-NAME
 *	creds_pass_new	  the password store `pass`
 *	creds_env_new	  BOCK_REGISTRY_<HOST>_USERNAME, _PASSWORD, _TOKEN, and DOCKER_AUTH_CONFIG
 *	creds_manager_new all of these, in their order
 *
 * A key is "host[:port][/path]"; "docker.io" is Docker Hub under all its names. The most specific key wins.
 *
 * Secrets never stand on a command line, in an error or in a log; memory that held one is cleared.
 *
 * Uses: base, codec. Used by: registry, cmd.
 */
#ifndef CREDS_H
#define CREDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"

#define CREDS_FILE_MAX ((size_t)1 << 20)	/* bytes of a file of credentials */
#define CREDS_KEY_MAX 512
#define CREDS_HELPER_TIMEOUT_MS 60000		/* a person may have to type a password */

/* Heap strings, NULL where there is none. */
struct credential {
	char *username;
	char *password;
	char *identity_token;	/* an OAuth2 refresh token */
	char *registry_token;	/* a bearer token, ready for use */
	char *email;
};
#define CREDENTIAL_INIT { 0 }

void credential_done(struct credential *c);
#define bk_autocredential bk_auto(credential_done)
/* "user:password" in base64, as Docker's files have it; heap. */
char *credential_to_docker_auth(const struct credential *c);
/* The reverse: split at the first ':', NULs at the end dropped. Fills *ret, which must be empty. */
int credential_from_docker_auth(const char *auth, struct credential *ret, struct bk_err **err);

struct creds;

struct creds_ops {
	const char *name;
	/* *ret_found false, and *ret untouched, where there is none for key, nor for a part of it. */
	int (*get)(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
		   struct bk_err **err);
	/* Replaces what key has. */
	int (*store)(struct creds *s, const char *key, const struct credential *c, struct bk_err **err);
	int (*erase)(struct creds *s, const char *key, bool *ret_found, struct bk_err **err);
	/* The keys that there are; strv that the caller frees. */
	int (*list)(struct creds *s, char ***ret, struct bk_err **err);
	int (*clear)(struct creds *s, struct bk_err **err);
	void (*release)(struct creds *s);
};

/* The first member of each back end's struct. */
struct creds {
	const struct creds_ops *ops;
};

/* NULL ops of a back end (environment: store, erase, clear) are refused by name here. */
int creds_get(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
	      struct bk_err **err);
int creds_store(struct creds *s, const char *key, const struct credential *c, struct bk_err **err);
int creds_erase(struct creds *s, const char *key, bool *ret_found, struct bk_err **err);
int creds_list(struct creds *s, char ***ret, struct bk_err **err);
int creds_clear(struct creds *s, struct bk_err **err);
const char *creds_name(const struct creds *s);
void creds_free(struct creds *s);
BK_DEFINE_AUTO(creds, creds_free);
#define bk_autocreds bk_auto(bk_auto_creds_)

/*
 * path: the file, which need not exist. legacy: .dockercfg, without "auths" around it. What the file itself says
 * of helpers (credHelpers, credsStore) is honoured.
 */
struct creds *creds_file_new(const char *path, bool legacy);
/* suffix: of docker-credential-SUFFIX; -BK_ERR_CONFIG where it is no plain name. */
int creds_helper_new(const char *suffix, struct creds **ret, struct bk_err **err);
struct creds *creds_pass_new(void);
struct creds *creds_env_new(void);
/*
 * Reads: environment; then authfile alone if it (or $REGISTRY_AUTH_FILE) is given, else the files of containers
 * and Docker in their order; then pass. Writes: authfile, or the first file of containers.
 */
struct creds *creds_manager_new(const char *authfile);

/* A key in its one form: scheme and "/v1/" gone, Docker Hub as "docker.io"; heap. */
char *creds_key(const char *text);

#endif
