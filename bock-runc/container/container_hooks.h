/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks that run in the runtime's namespaces once a container is more than a plan. */
#ifndef CONTAINER_HOOKS_H
#define CONTAINER_HOOKS_H

#include "container/container.h"
#include "oci/oci_runtime.h"

/* poststart: the first failure is the error. */
int container_hooks_poststart(const struct container *c, struct bk_err **err);
/* poststop: all run; failures are appended to warnings. The state folder may be gone by then. */
void container_hooks_poststop(const struct container *c, const struct oci_runtime_config *config,
			      char ***warnings);

#endif
