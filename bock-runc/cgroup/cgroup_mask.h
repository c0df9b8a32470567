/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of CPUs and memory nodes as the bit masks that systemd takes. */
#ifndef CGROUP_MASK_H
#define CGROUP_MASK_H

#include <stddef.h>

/*
 * "0-2,5" as bytes in hexadecimal digits, bit 0 of the first byte being number 0; heap string. "" is "".
 * NULL: not such a list, or a number of `most` or more.
 */
char *cgroup_mask_hex(const char *list, size_t most);

#endif
