/* SPDX-License-Identifier: Apache-2.0 */
/* Image names: a canonical form is its own canonical form, and what parses passes the weaker check. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "ref/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok, const char *what, const char *text)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_ref: %s: '%s'\n", what, text);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autofree char *text = bk_strndup((const char *)data, size);
	bk_autofree char *once = NULL;
	bk_autofree char *twice = NULL;
	bk_autoref struct ref r = REF_INIT;
	bk_autoref struct ref again = REF_INIT;
	struct bk_err *err = NULL;

	if (ref_check(text, &err) < 0)
		bk_err_clear(&err);
	if (ref_parse(text, &r, &err) < 0) {
		must(!r.path && !r.domain && !r.tag && !r.digest, "output after a failure", text);
		bk_err_clear(&err);
		return 0;
	}
	must(ref_check(text, NULL) == 0, "parsed, but not a name", text);
	once = ref_text(&r);
	must(ref_parse(once, &again, &err) == 0, "the canonical form does not parse", once);
	twice = ref_text(&again);
	must(bk_streq(once, twice), "the canonical form has another", once);
	must(ref_same(text, once), "not the same as its canonical form", once);
	return 0;
}
