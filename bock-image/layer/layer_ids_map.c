/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_ids_map.h"

#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_str.h"
#include "layer/layer_acl.h"

#define CAPABILITY "security.capability"

typedef bool (*map_fn)(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t *ret);

static int not_mapped(const char *what, uint32_t id, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "%s %u is not among the mapped ids", what, id);
}

static int map_acl(const struct layer_ids *ids, map_fn map, struct layer_xattr *x, struct bk_err **err)
{
	struct posix_acl_xattr_entry e;
	unsigned char *p = x->value;

	for (size_t at = sizeof(struct posix_acl_xattr_header); at + sizeof(e) <= x->size;
	     at += sizeof(e)) {
		uint32_t id;
		bool user, ok;

		memcpy(&e, p + at, sizeof(e));
		user = le16toh(e.e_tag) == ACL_USER;
		if (!user && le16toh(e.e_tag) != ACL_GROUP)
			continue;
		ok = user ? map(ids->uids, ids->n_uids, le32toh(e.e_id), &id)
			  : map(ids->gids, ids->n_gids, le32toh(e.e_id), &id);
		if (!ok)
			return not_mapped(user ? "an ACL's user" : "an ACL's group", le32toh(e.e_id), err);
		e.e_id = htole32(id);
		memcpy(p + at, &e, sizeof(e));
	}
	return 0;
}

/* A capability of the second form is for the root of the first user namespace; the third says for whose. */
static void capability_to_host(const struct layer_ids *ids, struct layer_xattr *x)
{
	const struct vfs_cap_data *two = x->value;
	struct vfs_ns_cap_data *three;
	uint32_t root;

	if (x->size != XATTR_CAPS_SZ_2 || !layer_ids_host(ids->uids, ids->n_uids, 0, &root))
		return;
	three = bk_calloc(1, sizeof(*three));
	memcpy(three->data, two->data, sizeof(three->data));
	three->magic_etc = htole32((le32toh(two->magic_etc) & VFS_CAP_FLAGS_EFFECTIVE) |
				   VFS_CAP_REVISION_3);
	three->rootid = htole32(root);
	free(x->value);
	x->value = three;
	x->size = sizeof(*three);
}

static void capability_to_container(const struct layer_ids *ids, struct layer_xattr *x)
{
	struct vfs_ns_cap_data *three = x->value;
	uint32_t root;

	if (x->size != XATTR_CAPS_SZ_3 || !layer_ids_host(ids->uids, ids->n_uids, 0, &root) ||
	    le32toh(three->rootid) != root)
		return;
	three->magic_etc = htole32((le32toh(three->magic_etc) & VFS_CAP_FLAGS_EFFECTIVE) |
				   VFS_CAP_REVISION_2);
	x->size = XATTR_CAPS_SZ_2;
}

static int map_all(const struct layer_ids *ids, bool to_host, struct layer_attrs *attrs,
		   struct bk_err **err)
{
	map_fn map = to_host ? layer_ids_host : layer_ids_container;
	uint32_t uid, gid;

	if (ids->n_uids == 0 && ids->n_gids == 0)
		return 0;
	if (!map(ids->uids, ids->n_uids, attrs->uid, &uid))
		return not_mapped("the owner", attrs->uid, err);
	if (!map(ids->gids, ids->n_gids, attrs->gid, &gid))
		return not_mapped("the group", attrs->gid, err);
	attrs->uid = uid;
	attrs->gid = gid;
	for (size_t i = 0; i < attrs->n_xattrs; i++) {
		struct layer_xattr *x = &attrs->xattrs[i];
		int rc = 0;

		if (bk_streq(x->name, LAYER_ACL_ACCESS) || bk_streq(x->name, LAYER_ACL_DEFAULT))
			rc = map_acl(ids, map, x, err);
		else if (bk_streq(x->name, CAPABILITY) && to_host)
			capability_to_host(ids, x);
		else if (bk_streq(x->name, CAPABILITY))
			capability_to_container(ids, x);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int layer_ids_map(const struct layer_ids *ids, struct layer_attrs *attrs, struct bk_err **err)
{
	return map_all(ids, true, attrs, err);
}

int layer_ids_unmap(const struct layer_ids *ids, struct layer_attrs *attrs, struct bk_err **err)
{
	return map_all(ids, false, attrs, err);
}
