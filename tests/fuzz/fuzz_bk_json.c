/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON parser without a table, and the quoting of any bytes, which must give valid JSON. */
#include "fuzz_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autobuf struct bk_buf quoted = BK_BUF_INIT(BK_BUF_DOC);
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *text = bk_strndup((const char *)data, size);
	struct bk_doc_value value;
	struct bk_err *err = NULL;

	if (bk_json_parse("input", (const char *)data, size, &bk_doc_limits_oci, arena, &value, &err) < 0)
		bk_err_clear(&err);
	bk_json_quote(&quoted, text);
	if (!quoted.overflow && bk_json_parse("quoted", bk_buf_str(&quoted), quoted.len,
					      &bk_doc_limits_oci, arena, &value, &err) < 0)
		fuzz_die("a quoted string does not parse", err);
	return 0;
}
