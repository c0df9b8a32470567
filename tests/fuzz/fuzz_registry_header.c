/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of registries. */
#include <stdint.h>
#include <stdlib.h>

#include "base/bk_mem.h"
#include "http/bk_http.h"
#include "registry/registry_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *text = bk_strndup((const char *)data, size);
	char *link = registry_link_next(text);
	struct registry_challenge *c = NULL;
	int64_t a, b, d;
	size_t n = 0;

	if (registry_challenge_parse(text, arena, &c, &n, NULL) == 0 && n > REGISTRY_CHALLENGES_MAX)
		abort();
	free(link);
	(void)registry_content_range(text, &a, &b, &d);
	(void)registry_upload_range(text, &a);
	(void)bk_http_retry_after_ms(text, 0);
	return 0;
}
