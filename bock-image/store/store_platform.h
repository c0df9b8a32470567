/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms: "os/architecture[/variant]" as Go names them, and which of an index's images fits one.
 *
 * The machine's own: store_machine_platform.
 *
 * Uses: oci. Used by: store_image, registry, cmd.
 */
#ifndef STORE_PLATFORM_H
#define STORE_PLATFORM_H

#include "oci/oci_descriptor.h"

/* "linux/arm/v7", or an architecture alone of linux; strings in the arena. Lower case letters, digits, '.', '_', '-'. */
int store_platform_parse(const char *text, struct bk_arena *arena, struct oci_platform *ret,
			 struct bk_err **err);
/*
 * How well what an index has fits what is wanted: 0 not at all, more is better. Lower levels of a family fit too
 * (arm v6 where v7 is wanted, amd64 v2 for v3), and an absent variant means the lowest of amd64 and v8 of arm64. Without a
 * platform (NULL) it fits least.
 */
unsigned int store_platform_fit(const struct oci_platform *want, const struct oci_platform *have);
/* The best fit of n descriptors that are manifests or indexes, the first of equals; NULL: none. */
const struct oci_descriptor *store_platform_choose(const struct oci_platform *want,
						   const struct oci_descriptor *d, size_t n);
/* "linux/arm/v7"; heap. */
char *store_platform_text(const struct oci_platform *p);

#endif
