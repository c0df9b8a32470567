/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the state folder before anything else of a container is made. */
#ifndef CONTAINER_BEGIN_H
#define CONTAINER_BEGIN_H

#include "container/container_made.h"

/*
 * The id is reserved: writes the state, with all that is about to be made in it, and a copy of the configuration.
 * r->c.state borrows from r and id. config: container_reserve's, which is closed.
 */
int container_begin(struct container_created *r, const char *id, bool no_new_keyring, int *config,
		    struct bk_err **err);

#endif
