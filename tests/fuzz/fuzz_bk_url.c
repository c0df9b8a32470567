/* SPDX-License-Identifier: Apache-2.0 */
/* URLs: what is taken prints as something that means the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "http/bk_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autofree char *text = bk_strndup((const char *)data, size);
	bk_autourl struct bk_url base = BK_URL_INIT, u = BK_URL_INIT, again = BK_URL_INIT;
	bk_autofree char *printed = NULL;

	if (bk_url_parse("https://h:8443/a/b?c", &base, NULL) < 0)
		abort();
	if (bk_url_resolve(&base, text, &u, NULL) < 0)
		return 0;
	printed = bk_url_text(&u);
	if (bk_url_parse(printed, &again, NULL) < 0 || !bk_url_same_origin(&u, &again) ||
	    !bk_streq(u.path, again.path) || !bk_streq0(u.query, again.query))
		abort();
	return 0;
}
