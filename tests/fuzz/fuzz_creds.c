/* SPDX-License-Identifier: Apache-2.0 */
/* Files of credentials, as text in DOCKER_AUTH_CONFIG is read. A helper that is named there is not executed: PATH is empty. */
#include <stdint.h>
#include <stdlib.h>

#include "base/bk_mem.h"
#include "creds/creds_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = { "docker.io/library/x", "quay.io/a/b", "h" };
	bk_autofree char *text = bk_strndup((const char *)data, size);

	(void)setenv("PATH", "/nonexistent", 1);
	for (size_t i = 0; i < BK_ARRAY_SIZE(keys); i++) {
		bk_autocredential struct credential c = CREDENTIAL_INIT;
		bool found = false;

		(void)creds_file_get_text_(text, strlen(text), "text", i == 2, keys[i], &c, &found,
					   NULL);
	}
	return 0;
}
