/* SPDX-License-Identifier: Apache-2.0 */
/* What the back ends share. */
#ifndef CREDS_PRIV_H
#define CREDS_PRIV_H

#include "creds/creds.h"

#define CREDS_HUB "docker.io"
#define CREDS_HUB_URL "https://index.docker.io/v1/"

/* The key as helpers and files of Docker have it: CREDS_HUB_URL for Docker Hub. */
const char *creds_server_(const char *key);
/* Frees a string after clearing it. */
void creds_forget_(char **s);
/* The key's next less specific form, in place: "h/a/b" to "h/a"; false at the host. */
bool creds_key_parent_(char *key);
/* As the file's get, from text: DOCKER_AUTH_CONFIG. what names it in messages. */
int creds_file_get_text_(const char *text, size_t len, const char *what, bool legacy, const char *key,
			 struct credential *ret, bool *ret_found, struct bk_err **err);

#endif
