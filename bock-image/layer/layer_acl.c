/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_acl.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

#define FIELDS_MAX   4
#define FIELD_SIZE   64
#define MODE_ENTRIES 3 /* user, group, other: what a mode says */

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

static const struct tag {
	const char *name;
	char letter;
	uint16_t own, named; /* without and with an id; 0: never has one */
} tags[] = {
	{ "user", 'u', ACL_USER_OBJ, ACL_USER },
	{ "group", 'g', ACL_GROUP_OBJ, ACL_GROUP },
	{ "mask", 'm', ACL_MASK, 0 },
	{ "other", 'o', ACL_OTHER, 0 },
};

/* "a:b:c" into fields; how many, or 0. */
static size_t split(const char *text, size_t len, char fields[FIELDS_MAX][FIELD_SIZE])
{
	const char *end = text + len;
	size_t n = 0;

	for (;;) {
		const char *colon = memchr(text, ':', (size_t)(end - text));
		size_t part = (size_t)((colon ? colon : end) - text);

		if (n == FIELDS_MAX || part >= FIELD_SIZE)
			return 0;
		memcpy(fields[n], text, part);
		fields[n++][part] = '\0';
		if (!colon)
			return n;
		text = colon + 1;
	}
}

static bool parse_perm(const char *text, uint16_t *ret)
{
	uint16_t perm = 0;

	for (; *text; text++) {
		if (*text == 'r')
			perm |= ACL_READ;
		else if (*text == 'w')
			perm |= ACL_WRITE;
		else if (*text == 'x')
			perm |= ACL_EXECUTE;
		else if (*text != '-')
			return false;
	}
	*ret = perm;
	return true;
}

static const struct tag *find_tag(const char *name)
{
	for (size_t i = 0; i < BK_ARRAY_SIZE(tags); i++) {
		const char letter[2] = { tags[i].letter, '\0' };

		if (bk_streq(name, tags[i].name) || bk_streq(name, letter))
			return &tags[i];
	}
	return NULL;
}

static bool parse_entry(const char *text, size_t len, struct acl_entry *ret, char **ret_why)
{
	char f[FIELDS_MAX][FIELD_SIZE];
	size_t n = split(text, len, f);
	const struct tag *tag = n >= 2 ? find_tag(f[0]) : NULL;
	const char *id;

	/* "mask:rwx" is "mask::rwx" */
	if (n == 2 && tag && !tag->named) {
		memcpy(f[2], f[1], FIELD_SIZE);
		f[1][0] = '\0';
		n = 3;
	}
	if (n < 3 || !tag || !parse_perm(f[2], &ret->perm) || (f[1][0] && !tag->named)) {
		*ret_why = bk_asprintf("'%.*s' is no entry of an access control list",
				       len < FIELD_SIZE ? (int)len : FIELD_SIZE, text);
		return false;
	}
	ret->id = (uint32_t)ACL_UNDEFINED_ID;
	ret->tag = f[1][0] ? tag->named : tag->own;
	if (!f[1][0])
		return true;
	id = n == 4 ? f[3] : f[1];
	if (bk_num_u32(id, UINT32_MAX - 1, &ret->id, NULL) == 0)
		return true;
	*ret_why = bk_asprintf("an access control list names '%s', and not by number", f[1]);
	return false;
}

/* The kernel wants them by tag, and users and groups by id. */
static int by_tag(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void add_all(struct acl_entry *list, size_t n, struct bk_buf *out)
{
	uint32_t version = htole32(POSIX_ACL_XATTR_VERSION);

	qsort(list, n, sizeof(*list), by_tag);
	bk_buf_add(out, &version, sizeof(version));
	for (size_t i = 0; i < n; i++) {
		const struct posix_acl_xattr_entry e = {
			.e_tag = htole16(list[i].tag),
			.e_perm = htole16(list[i].perm),
			.e_id = htole32(list[i].id),
		};

		bk_buf_add(out, &e, sizeof(e));
	}
}

bool layer_acl_encode(const char *text, bool is_default, struct bk_buf *out, char **ret_why)
{
	bk_autofree struct acl_entry *list = NULL;
	size_t n = 0, cap = 0;

	while (*text) {
		size_t len = strcspn(text, ",\n");

		if (len > 0) {
			if (n == LAYER_ACL_ENTRIES_MAX) {
				*ret_why = bk_strdup("an access control list is too long");
				return false;
			}
			if (n == cap) {
				cap = cap ? 2 * cap : 8;
				list = bk_reallocarray(list, cap, sizeof(*list));
			}
			if (!parse_entry(text, len, &list[n++], ret_why))
				return false;
		}
		text += len + (text[len] != '\0');
	}
	if (n > (is_default ? 0 : MODE_ENTRIES))
		add_all(list, n, out);
	return true;
}
