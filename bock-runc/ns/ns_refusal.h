/* SPDX-License-Identifier: Apache-2.0 */
/* Why a user namespace could not be made: what administrators and distributions switch it off with. */
#ifndef NS_REFUSAL_H
#define NS_REFUSAL_H

/*
 * The way out for errnum of clone(2) with CLONE_NEWUSER, by the settings below sysctls ("/proc/sys"); NULL where it
 * is none of these. A literal.
 */
const char *ns_refusal_hint(const char *sysctls, int errnum);

#endif
