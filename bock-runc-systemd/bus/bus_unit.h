/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with the scope of a container. Properties: bus_prop.h; each function takes a strv of them. */
#ifndef BUS_UNIT_H
#define BUS_UNIT_H

#include <stddef.h>
#include <sys/types.h>

#include "bus/bus.h"

/*
 * Starts the transient scope `unit` around process pid and waits until that is done; *ret_cgroup, heap string, is
 * its cgroup. A unit that failed, and was left over under the name, is reset first.
 */
int bus_unit_start(struct bus *b, const char *unit, pid_t pid, char *const *properties,
		   char **ret_cgroup, struct bk_err **err);

/* A process joins the unit, or the cgroup below the unit's ("/NAME"; "": none). */
int bus_unit_attach(struct bus *b, const char *unit, const char *below, pid_t pid, struct bk_err **err);

/*
 * Stops and forgets it; there being none is success. description (NULL: whatever it is): one that has another
 * is not meant, and left alone.
 */
int bus_unit_stop(struct bus *b, const char *unit, const char *description, struct bk_err **err);

/* Sets properties until the next boot; returns when they are in force. */
int bus_unit_set(struct bus *b, const char *unit, char *const *properties, struct bk_err **err);

/* Its cgroup, heap string; -BK_ERR_NOT_FOUND. */
int bus_unit_where(struct bus *b, const char *unit, char **ret_cgroup, struct bk_err **err);

#endif
