/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id maps of a new user namespace (user_namespaces(7)), written from outside for a process that
 * waits. With CAP_SETUID/CAP_SETGID they are written straight; without, a single line that maps the
 * caller itself is written straight and everything else goes through newuidmap(1)/newgidmap(1).
 */
#ifndef NS_MAPS_H
#define NS_MAPS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/bk_err.h"
#include "oci/oci_runtime.h"

/* The kernel takes 340 lines (5 before 4.15). */
#define NS_MAPS_MAX 340

/* Ranges not empty, not wrapping, not overlapping on either side; `what` is the JSON path. */
int ns_maps_check(const struct oci_id_mapping *maps, size_t n, const char *what,
		  struct bk_err **err);

/* Writes both maps for pid; setgroups is denied first where we lack CAP_SETGID. */
int ns_maps_write(pid_t pid, const struct oci_id_mapping *uids, size_t n_uids,
		  const struct oci_id_mapping *gids, size_t n_gids, bool privileged,
		  struct bk_err **err);

/*
 * Whether the map of the user namespace that this process has joined is the one that the configuration
 * says beside the path; file is "uid_map" or "gid_map". maps are sorted by nobody: any order is equal.
 */
int ns_maps_same(const char *file, const struct oci_id_mapping *maps, size_t n, const char *what,
		 struct bk_err **err);

/* What id on the inside is outside; false where it is not mapped. */
bool ns_maps_to_host(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t *ret);

/* True if id on the inside is mapped. */
bool ns_maps_has(const struct oci_id_mapping *maps, size_t n, uint32_t id);

#endif
