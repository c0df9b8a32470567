/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_err.h"
#include "lib/image.h"

_Static_assert((int)BOCK_ERROR_IO == (int)BK_ERR_IO &&
		       (int)BOCK_ERROR_CONFIG == (int)BK_ERR_CONFIG &&
		       (int)BOCK_ERROR_INTERNAL == (int)BK_ERR_INTERNAL &&
		       (int)BOCK_ERROR_NETWORK == (int)BK_ERR_NETWORK &&
		       (int)BOCK_ERROR_REGISTRY == (int)BK_ERR_REGISTRY &&
		       (int)BOCK_ERROR_UNSUPPORTED == (int)BK_ERR_UNSUPPORTED &&
		       (int)BOCK_ERROR_NOT_FOUND == (int)BK_ERR_NOT_FOUND &&
		       (int)BOCK_ERROR_PERMISSION == (int)BK_ERR_PERMISSION,
	       "the kinds have the same numbers inside and outside");

enum bock_error_kind bock_error_kind(const struct bk_err *err)
{
	return (enum bock_error_kind)bk_err_kind_of(err);
}

int bock_error_errno(const struct bk_err *err)
{
	return bk_err_errno(err);
}

const char *bock_error_text(const struct bk_err *err, char *buf, size_t size)
{
	return bk_err_print(err, buf, size);
}

const char *bock_error_hint(const struct bk_err *err)
{
	return bk_err_hint_text(err);
}

void bock_error_free(struct bk_err **err)
{
	if (err)
		bk_err_clear(err);
}
