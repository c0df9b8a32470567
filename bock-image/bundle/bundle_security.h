/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image says of its own container's security: annotations of its manifest, or labels, of the names
 *
 *	io.bock.security.read-only-rootfs	true: the root file system is read-only
 *	io.bock.security.no-new-privileges	true: as it is anyway
 *	io.bock.security.capabilities.drop	ALL, or names with commas: taken from the default set
 *	io.bock.security.capabilities.add	names: given back of what drop took, never more
 *
 * Anybody can publish an image, so they only take privileges away (CVE-2026-53488); what would give any,
 * and what is unknown here, is warned of and has no effect.
 *
 * Uses / used by: oci / bundle_config.
 */
#ifndef BUNDLE_SECURITY_H
#define BUNDLE_SECURITY_H

#include "bundle/bundle_opts.h"

#define BUNDLE_SECURITY "io.bock.security."

/* Changes c, whose process and root are made, by opts->annotations and these labels. */
void bundle_security_apply(const struct bundle_opts *opts, const struct bk_doc_pair *labels,
			   size_t n_labels, struct bk_arena *arena, struct oci_runtime_config *c);

#endif
