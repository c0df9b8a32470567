/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 * Uses / used by: nothing / the codecs.
 */
#ifndef BK_UTF8_H
#define BK_UTF8_H

#include <stddef.h>

/* Length (1 to 4) of the well-formed sequence that s[0..len) begins with, or 0. */
size_t bk_utf8_step(const char *s, size_t len);
/* Offset of the first byte that is not part of well-formed UTF-8; len where all is well. */
size_t bk_utf8_check(const char *s, size_t len);

#endif
