/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML parser under the limits of a Bockfile, and the store of what it read by a table. */
#include "fuzz_doc.h"

#include "codec/bk_yaml.h"
#include "oci/oci_runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_runtime_config config;
	struct bk_doc_value value;
	struct bk_err *err = NULL;

	memset(&config, 0, sizeof(config));
	if (bk_yaml_parse("input", (const char *)data, size, &bk_doc_limits_strict, arena, &value,
			  &err) < 0 ||
	    bk_doc_store(&oci_runtime_config_type, &value, &bk_doc_limits_strict, arena, &config,
			 &err) < 0)
		bk_err_clear(&err);
	return 0;
}
