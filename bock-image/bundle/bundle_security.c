/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_security.h"

#include <stdio.h>

#include "base/bk_str.h"

struct wish {
	bool read_only;
	bool drops;		/* drop stands there, be it empty */
	char **drop, **add;	/* strvs */
};

static void warn(const struct bundle_opts *o, const char *key, const char *value, const char *why)
{
	char text[BK_ERR_MSG_MAX];

	if (!o->warn)
		return;
	(void)snprintf(text, sizeof(text), "the image's %s%s=%.64s: %s", BUNDLE_SECURITY, key, value,
		       why);
	o->warn(o->ctx, text);
}

static bool is_true(const char *value)
{
	return bk_streq(value, "true") || bk_streq(value, "1");
}

static void add_names(char ***v, const char *text)
{
	bk_autostrv char **names = bk_strv_split(text, ",");

	for (char **p = names; p && *p; p++)
		bk_strv_add(v, *p);
}

static void read_one(const struct bundle_opts *o, const struct bk_doc_pair *p, struct wish *w)
{
	const char *key = bk_skip_prefix(p->key, BUNDLE_SECURITY);
	const char *value = p->value ? p->value : "";
	bool on = is_true(value);

	if (!key)
		return;
	if (bk_streq(key, "read-only-rootfs")) {
		w->read_only = w->read_only || on;
	} else if (bk_streq(key, "no-new-privileges")) {
		if (!on)
			warn(o, key, value, "ignored: an image gives itself no privileges");
	} else if (bk_streq(key, "capabilities.drop")) {
		add_names(&w->drop, value);
		w->drops = true;
	} else if (bk_streq(key, "capabilities.add")) {
		add_names(&w->add, value);
	} else {
		warn(o, key, value, "ignored: this version does not know it");
	}
}

/* Whether the list has the capability, with or without "CAP_". */
static bool lists(char *const *list, const char *cap)
{
	const char *bare = bk_skip_prefix(cap, "CAP_");

	return bk_strv_has(list, cap) || (bare && bk_strv_has(list, bare));
}

static void keep_capabilities(const struct bundle_opts *o, const struct wish *w, struct bk_arena *a,
			      struct oci_capabilities *c)
{
	bool all = bk_strv_has(w->drop, "ALL") || bk_strv_has(w->drop, "all");
	char *const *had = c->bounding;
	char **kept = NULL;

	for (char *const *p = had; p && *p; p++)
		if (!(all || lists(w->drop, *p)) || lists(w->add, *p))
			bk_doc_strv_add(a, &kept, *p);
	for (char *const *p = w->add; p && *p; p++) {
		bk_autofree char *full = bk_skip_prefix(*p, "CAP_") ? bk_strdup(*p)
								    : bk_asprintf("CAP_%s", *p);

		if (!bk_strv_has(had, full))
			warn(o, "capabilities.add", *p, "ignored: an image gives itself no privileges");
	}
	c->bounding = c->effective = c->permitted = kept;
}

void bundle_security_apply(const struct bundle_opts *opts, const struct bk_doc_pair *labels,
			   size_t n_labels, struct bk_arena *arena, struct oci_runtime_config *c)
{
	struct wish w = { 0 };

	for (size_t i = 0; i < opts->n_annotations; i++)
		read_one(opts, &opts->annotations[i], &w);
	for (size_t i = 0; i < n_labels; i++)
		read_one(opts, &labels[i], &w);
	if (w.read_only)
		c->root->readonly = true;
	if (w.drops || w.add)
		keep_capabilities(opts, &w, arena, c->process->capabilities);
	bk_strv_free(w.drop);
	bk_strv_free(w.add);
}
