/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default seccomp profile of a bundle: the same system calls as in Docker's documented
 * default, so that what runs there runs here. Everything that is not named gets EPERM; what is
 * newer than all of it gets ENOSYS from bock-runc.
 *
 * Uses / used by: oci / bundle_config, bock-build.
 */
#ifndef BUNDLE_SECCOMP_H
#define BUNDLE_SECCOMP_H

#include "base/bk_mem.h"
#include "oci/oci_runtime_linux.h"

/*
 * The profile for a container with these capabilities (a strv of "CAP_X", its bounding set; may
 * be NULL), for this machine's architecture and the ones that its kernel runs besides. Memory is
 * the arena's. Cannot fail.
 */
void bundle_seccomp_default(struct bk_arena *arena, char *const *caps, struct oci_seccomp **ret);

#endif
