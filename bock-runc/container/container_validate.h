/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a bundle can become a container here: the document against the specification and against what
 * this runtime has, the files that it names, and what this kernel has. It needs no right but to read the
 * bundle, makes nothing, and goes on behind a problem as far as that is possible.
 *
 * It is the same code that create runs, part by part; a part with a problem is then left out, so that
 * the others are looked at. Whoever runs it, the question is whether root could run the container.
 */
#ifndef CONTAINER_VALIDATE_H
#define CONTAINER_VALIDATE_H

#include <stddef.h>

struct cgroup_manager;

/* One problem a call; text begins with the JSON path where there is one. */
typedef void (*container_validate_fn)(const char *text, void *ctx);

/*
 * manager makes the cgroup (NULL: none is made). bundle and config_path as spec_load. Returns how many problems were found. warnings (strv): what is
 * ignored.
 */
size_t container_validate(const struct cgroup_manager *manager, const char *bundle,
			  const char *config_path, container_validate_fn found, void *ctx, char ***warnings);

#endif
