/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_acl.h"

#include <archive.h>
#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bk_mem.h"

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

static uint16_t tag_of(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER:
		return ACL_USER;
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return ACL_USER_OBJ;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return ACL_GROUP;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return ACL_GROUP_OBJ;
	case ARCHIVE_ENTRY_ACL_MASK:
		return ACL_MASK;
	default:
		return ACL_OTHER;
	}
}

/* The kernel wants them by tag, and users and groups by id. */
static int by_tag(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

bool layer_acl_encode(struct archive_entry *entry, bool is_default, struct bk_buf *out)
{
	int want = is_default ? ARCHIVE_ENTRY_ACL_TYPE_DEFAULT : ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	int count = archive_entry_acl_reset(entry, want);
	bk_autofree struct acl_entry *list = NULL;
	int type, perm, tag, id, n = 0;
	const char *name;
	uint32_t version = htole32(POSIX_ACL_XATTR_VERSION);

	/* The access list of a file without one is its mode: three entries. */
	if (count <= (is_default ? 0 : 3))
		return false;
	list = bk_calloc((size_t)count, sizeof(*list));
	while (n < count &&
	       archive_entry_acl_next(entry, want, &type, &perm, &tag, &id, &name) == ARCHIVE_OK) {
		bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;

		list[n++] = (struct acl_entry){
			.tag = tag_of(tag),
			.perm = (uint16_t)(perm & 7),
			.id = named ? (uint32_t)id : (uint32_t)ACL_UNDEFINED_ID,
		};
	}
	qsort(list, (size_t)n, sizeof(*list), by_tag);
	bk_buf_add(out, &version, sizeof(version));
	for (int i = 0; i < n; i++) {
		const struct posix_acl_xattr_entry e = {
			.e_tag = htole16(list[i].tag),
			.e_perm = htole16(list[i].perm),
			.e_id = htole32(list[i].id),
		};

		bk_buf_add(out, &e, sizeof(e));
	}
	return true;
}
