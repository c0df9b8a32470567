/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_doc.h: for targets that decode a JSON document by a table. What decodes must encode; what was
 * encoded must decode and encode to the same text again.
 */
#ifndef FUZZ_DOC_H
#define FUZZ_DOC_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "base/bk_mem.h"
#include "codec/bk_doc.h"
#include "codec/bk_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_die(const char *what, const struct bk_err *err)
{
	char text[BK_ERR_MSG_MAX];

	fprintf(stderr, "%s: %s\n", what, bk_err_print(err, text, sizeof(text)));
	abort();
}

static inline void fuzz_doc(const struct bk_doc_type *type, const uint8_t *data, size_t size)
{
	bk_autobuf struct bk_buf first = BK_BUF_INIT(4 * BK_BUF_DOC);
	bk_autobuf struct bk_buf second = BK_BUF_INIT(4 * BK_BUF_DOC);
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	void *obj = bk_arena_alloc(arena, type->size);
	struct bk_err *err = NULL;

	if (bk_json_decode(type, "input", (const char *)data, size, &bk_doc_limits_oci, arena, obj,
			   &err) < 0) {
		if (!err)
			fuzz_die("failed without an error", NULL);
		bk_err_clear(&err);
		return;
	}
	if (bk_json_encode(type, obj, 0, &first, &err) < 0)
		fuzz_die("decoded, and does not encode", err);
	if (bk_json_decode(type, "output", bk_buf_str(&first), first.len, &bk_doc_limits_oci, arena,
			   obj, &err) < 0)
		fuzz_die("encoded, and does not decode", err);
	if (bk_json_encode(type, obj, 0, &second, &err) < 0)
		fuzz_die("does not encode twice", err);
	if (first.len != second.len || memcmp(bk_buf_str(&first), bk_buf_str(&second), first.len) != 0)
		fuzz_die("encodes differently the second time", NULL);
}

#endif
