/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_platform.h"

#include <string.h>

#include "base/bk_num.h"
#include "base/bk_str.h"
#include "oci/oci_media.h"

#define FIT_LEAST 1
#define FIT_EXACT 100

int store_platform_parse(const char *text, struct bk_arena *arena, struct oci_platform *ret,
			 struct bk_err **err)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789._-/";
	bk_autostrv char **parts = bk_strv_split(text, "/");
	size_t n = parts ? bk_strv_len(parts) : 0;

	if (n == 0 || n > 3 || strlen(text) > 128 || !bk_str_all_of(text, set) || *text == '/' ||
	    bk_has_suffix(text, "/") || strstr(text, "//"))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "platform '%.128s': not OS/ARCHITECTURE[/VARIANT]", text);
	*ret = (struct oci_platform){
		.os = bk_arena_strdup(arena, n == 1 ? "linux" : parts[0]),
		.architecture = bk_arena_strdup(arena, parts[n == 1 ? 0 : 1]),
		.variant = n == 3 ? bk_arena_strdup(arena, parts[2]) : NULL,
	};
	return 0;
}

/* "v7" as 7; what an absent one means; -1: no number. */
static int level(const char *arch, const char *variant)
{
	uint32_t n;

	if (!variant || !*variant) {
		if (bk_streq(arch, "amd64"))
			return 1;
		if (bk_streq(arch, "arm64"))
			return 8;
		return bk_streq(arch, "arm") ? 7 : 0;
	}
	if (*variant != 'v' || bk_num_u32(variant + 1, 50, &n, NULL) < 0)
		return -1;
	return (int)n;
}

unsigned int store_platform_fit(const struct oci_platform *want, const struct oci_platform *have)
{
	int w, h;

	if (!have)
		return FIT_LEAST;
	if (!bk_streq(want->os, have->os) || !bk_streq(want->architecture, have->architecture))
		return 0;
	if (bk_streq0(want->variant, have->variant))
		return FIT_EXACT;
	w = level(want->architecture, want->variant);
	h = level(want->architecture, have->variant);
	if (w < 0 || h < 0 || h > w)
		return 0;
	return (unsigned int)(FIT_EXACT - 1 - (w - h));
}

const struct oci_descriptor *store_platform_choose(const struct oci_platform *want,
						   const struct oci_descriptor *d, size_t n)
{
	const struct oci_descriptor *best = NULL;
	unsigned int best_fit = 0;

	for (size_t i = 0; i < n; i++) {
		enum oci_media_kind kind = oci_media_kind_of(d[i].media_type);
		unsigned int fit = store_platform_fit(want, d[i].platform);

		if ((kind != OCI_MEDIA_KIND_MANIFEST && kind != OCI_MEDIA_KIND_INDEX) ||
		    fit <= best_fit)
			continue;
		best = &d[i];
		best_fit = fit;
	}
	return best;
}

char *store_platform_text(const struct oci_platform *p)
{
	bool variant = p->variant && *p->variant;

	return bk_asprintf("%s/%s%s%s", p->os, p->architecture, variant ? "/" : "",
			   variant ? p->variant : "");
}
