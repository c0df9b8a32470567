/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a bundle's config.json.
 *
 * Uses / used by: oci, bundle_linux / bundle_config, cmd.
 */
#ifndef BUNDLE_MOUNTS_H
#define BUNDLE_MOUNTS_H

#include "bundle/bundle_opts.h"

/* Those that `runc spec` writes, as the namespaces allow, then opts->binds, then opts->mounts. */
void bundle_mounts_make(const struct bundle_opts *opts, struct bk_arena *arena,
			struct oci_runtime_config *c);

/*
 * One mount of the form that Docker's --mount has: members separated by commas.
 *
 *	type=bind|tmpfs	(bind)		source=, src=		target=, destination=, dst=
 *	readonly, ro [=BOOL]		bind-propagation=WORD	bind-nonrecursive [=BOOL]
 *	tmpfs-size=SIZE			tmpfs-mode=OCTAL
 *	idmap [=BOOL]: a bind mount whose owners are seen through the container's id maps
 *	option=WORD: any other option that a runtime has
 *
 * The source of a bind mount is made absolute. -BK_ERR_CONFIG names what it does not know.
 */
int bundle_mount_parse(const char *text, struct bk_arena *arena, struct oci_mount *ret,
		       struct bk_err **err);

#endif
