/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the library share. */
#ifndef BOCK_PRIV_H
#define BOCK_PRIV_H

#include "creds/creds.h"
#include "store/store.h"

struct bock_store {
	struct store *s;
};

struct bock_credential_store {
	struct creds *creds;
};

#endif
