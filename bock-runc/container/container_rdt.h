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
/* Moves a process of the container into its groups: the first one, and each that exec brings in. */
int container_rdt_join(const struct container *c, pid_t pid, struct bk_err **err);
/* Removes what the state says was made. */
int container_rdt_remove(const struct container *c, struct bk_err **err);

#endif
