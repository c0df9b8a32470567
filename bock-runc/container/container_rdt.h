/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.intelRdt in a container's life (rdt/rdt.h). Without it in the configuration or in the state none of
 * these does anything.
 */
#ifndef CONTAINER_RDT_H
#define CONTAINER_RDT_H

#include "container/container_made.h"

/* Where resctrl is mounted; heap. */
int container_rdt_find(char **ret_mount, struct bk_err **err);
/* With the plan: finds resctrl and decides what is to be made. */
int container_rdt_plan(struct container_created *r, struct bk_err **err);
/* Puts what is about to be made into the state, for the first save. */
void container_rdt_state(struct container_created *r);
/* Makes the groups and writes the schemata. */
int container_rdt_make(struct container_created *r, struct bk_err **err);
/* The container is made: a group that has a closID is not deleted with it. */
int container_rdt_keep(struct container_created *r, struct bk_err **err);
/*
 * `update`: l3CacheSchema and memBwSchema of r go to the container's group of allocation. *ret_old is for
 * container_rdt_put_back(), which is for an update that fails further on: it adds to its error (rc) if it fails.
 * -BK_ERR_UNSUPPORTED: the container has no group.
 */
int container_rdt_update(const struct container *c, const struct oci_intel_rdt *r, char **ret_old,
			 struct bk_err **err);
int container_rdt_put_back(const struct container *c, const char *old, int rc, struct bk_err **err);
/* Moves a process of the container into its groups: the first one, and each that exec brings in. */
int container_rdt_join(const struct container *c, pid_t pid, struct bk_err **err);
/* Removes what the state says was made. */
int container_rdt_remove(const struct container *c, struct bk_err **err);

#endif
