/* SPDX-License-Identifier: Apache-2.0 */
/* Names of network devices, by the kernel's rules, before they get near it. */
#ifndef BK_IFNAME_H
#define BK_IFNAME_H

#include <stdbool.h>

#include "base/bk_err.h"

#define BK_IFNAME_MAX 15	/* bytes: IFNAMSIZ without its NUL */

/*
 * 1 to BK_IFNAME_MAX bytes, no '/', ':' or white space, not "." or "..": 0, or -BK_ERR_CONFIG
 * "'x/y' is not a name of a network device: ...".
 */
int bk_ifname_check(const char *name, struct bk_err **err);
/* The same for a name to be given: a '%' makes it a template, and must be one "%d" then. */
int bk_ifname_check_new(const char *name, struct bk_err **err);
/* Whether the kernel is to find the number. */
bool bk_ifname_is_template(const char *name);

#endif
