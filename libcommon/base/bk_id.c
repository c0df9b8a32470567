/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_id.h"

#include <string.h>

#include "base/bk_str.h"

#define ID_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-"

static const char *id_fault(const char *id)
{
	if (!*id)
		return "it is empty";
	if (strnlen(id, BK_ID_MAX + 1) > BK_ID_MAX)
		return "it is longer than 255 bytes";
	if (!bk_str_all_of(id, ID_CHARS))
		return "only letters, digits and _ + . - are allowed";
	if (bk_streq(id, ".") || bk_streq(id, ".."))
		return "it would name a directory";
	return NULL;
}

_Static_assert(BK_ID_MAX == 255, "id_fault names the number");

int bk_id_check(const char *id, struct bk_err **err)
{
	const char *fault = id_fault(id);

	if (!fault)
		return 0;
	return bk_err_set(err, BK_ERR_CONFIG, 0, "invalid container ID format: '%.300s': %s", id,
			  fault);
}
