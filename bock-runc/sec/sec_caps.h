/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities of the container's process (runtime-spec config.md, "Linux Process":
 * capabilities).
 *
 * Calling order in the child: sec_caps_drop_bounding() while CAP_SETPCAP is still there, then
 * PR_SET_KEEPCAPS, setgroups, setgid, setuid, then sec_caps_set(). The masks are plain bit sets:
 * bit i is capability i of <linux/capability.h>.
 *
 * System calls: one prctl for each capability left out of the bounding set and one more; one
 * capset; and one prctl for each ambient capability, plus one where an ambient set could exist at
 * all.
 */
#ifndef SEC_CAPS_H
#define SEC_CAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "oci/oci_runtime.h"

struct sec_caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
	uint64_t ambient_refused;	/* asked for as ambient, but see sec_caps_compile */
};

/*
 * Turns the names into masks. c may be NULL: all masks are empty. A list that is absent is empty.
 * Names that nobody knows are ignored, as the spec asks, and collected once each in *ret_unknown
 * (heap strv, NULL where there are none; for a warning by the caller; ret_unknown may be NULL).
 * -BK_ERR_CONFIG: effective holds what permitted does not. An ambient capability that is not both
 * permitted and inheritable would be refused by the kernel: it is left out of the mask and kept
 * in ambient_refused, worth a line in the debug log. (runc's own default configuration has three
 * of them.)
 */
int sec_caps_compile(const struct oci_capabilities *c, struct sec_caps *ret, char ***ret_unknown,
		     struct bk_err **err);

/*
 * Drops everything that is not in caps->bounding from the bounding set of the calling thread,
 * capabilities that are newer than this program included. Needs CAP_SETPCAP.
 */
int sec_caps_drop_bounding(const struct sec_caps *caps, struct bk_err **err);

/*
 * Sets effective, permitted and inheritable in one capset, then the ambient set. Where the kernel
 * refuses, the error names the capabilities that this process does not have itself.
 */
int sec_caps_set(const struct sec_caps *caps, struct bk_err **err);

/*
 * The same, without what can't be granted here (config.md: that is no reason to fail): what this process
 * lacks itself, and inheritable ones that are not in its bounding set. *ret_less: whether any was left out.
 * Costs further system calls only then.
 */
int sec_caps_set_granted(const struct sec_caps *caps, bool *ret_less, struct bk_err **err);
/* What of caps the process pid does not have, 0 if it is gone. */
uint64_t sec_caps_missing(const struct sec_caps *caps, pid_t pid);

/* "CAP_CHOWN" for 0, ...; NULL for i >= sec_caps_count(). */
const char *sec_caps_name(unsigned int i);
unsigned int sec_caps_count(void);
/* The number of a name ("CAP_CHOWN", any case), or -1. */
int sec_caps_find(const char *name);
/* Appends the names of a mask, separated by one space; "-" for the empty mask. */
void sec_caps_print(uint64_t mask, struct bk_buf *out);

#endif
