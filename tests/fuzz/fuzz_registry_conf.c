/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf: TOML, and what a name becomes by it. */
#include <stdint.h>

#include "base/bk_str.h"
#include "registry/registry_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "alpine", "example.com/foo/x:1", "a.b.c/d" };
	bk_autoregistryconf struct registry_conf *c = registry_conf_new();

	if (registry_conf_add(c, "conf", (const char *)data, size, NULL) < 0)
		return 0;
	for (size_t i = 0; i < BK_ARRAY_SIZE(names); i++) {
		bk_autostrv char **list = NULL;
		bk_autoref struct ref ref = REF_INIT;
		struct registry_endpoint *e;
		size_t n;

		(void)registry_conf_names(c, names[i], &list, NULL);
		if (ref_parse(names[i], &ref, NULL) == 0)
			(void)registry_conf_resolve(c, &ref, true, &e, &n, NULL);
	}
	return 0;
}
