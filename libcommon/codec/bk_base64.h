/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4648 base64, standard alphabet, strict: padding required, nothing else accepted. */
#ifndef BK_BASE64_H
#define BK_BASE64_H

#include <stddef.h>

#include "base/bk_err.h"

/* Heap string. */
char *bk_base64_encode(const void *data, size_t len);
/* Heap bytes (with a NUL behind them that does not count). */
int bk_base64_decode(const char *text, size_t len, unsigned char **ret, size_t *ret_len,
		     struct bk_err **err);

#endif
