/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML parser, under the limits of a Bockfile. */
#include "fuzz_doc.h"

#include "codec/bk_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_doc_value value;
	struct bk_err *err = NULL;

	if (bk_yaml_parse("input", (const char *)data, size, &bk_doc_limits_strict, arena, &value, &err) < 0)
		bk_err_clear(&err);
	return 0;
}
