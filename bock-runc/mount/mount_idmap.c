/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_idmap.h"

#include <string.h>

#include "base/bk_num.h"
#include "base/bk_str.h"

static int bad_range(const char *where, const char *range, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0,
			  "%s.options: idmap: '%s' is not a range ON-DISK-HOST-COUNT, such as 0-1000-1",
			  where, range);
}

/* "@": the second id is one of the container, and the whole range must lie in one range of its map. */
static int to_host(struct oci_id_mapping *m, const struct oci_id_mapping *maps, size_t n,
		   const char *where, const char *range, struct bk_err **err)
{
	for (size_t i = 0; i < n; i++) {
		const struct oci_id_mapping *c = &maps[i];

		if (m->host_id >= c->container_id && m->size <= c->size &&
		    m->host_id - c->container_id <= c->size - m->size) {
			m->host_id = m->host_id - c->container_id + c->host_id;
			return 0;
		}
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0,
			  "%s.options: idmap: '%s' is not within one range of the container's map", where,
			  range);
}

static int parse_range(const char *range, const struct oci_id_mapping *maps, size_t n,
		       const char *where, struct oci_id_mapping *ret, struct bk_err **err)
{
	bool relative = *range == '@';
	bk_autostrv char **parts = bk_strv_split(range + relative, "-");
	struct oci_id_mapping m;

	if (bk_strv_len(parts) != 3 ||
	    bk_num_u32(parts[0], UINT32_MAX - 1, &m.container_id, NULL) < 0 ||
	    bk_num_u32(parts[1], UINT32_MAX - 1, &m.host_id, NULL) < 0 ||
	    bk_num_u32(parts[2], UINT32_MAX - 1, &m.size, NULL) < 0 || m.size == 0)
		return bad_range(where, range, err);
	if (relative) {
		int rc = to_host(&m, maps, n, where, range, err);

		if (rc < 0)
			return rc;
	}
	*ret = m;
	return 0;
}

static int parse_list(const char *list, const struct oci_id_mapping *maps, size_t n_maps,
		      const char *where, struct bk_arena *arena, const struct oci_id_mapping **ret,
		      size_t *ret_n, struct bk_err **err)
{
	bk_autostrv char **ranges = bk_strv_split(list, "#");
	size_t n = bk_strv_len(ranges);
	struct oci_id_mapping *v;

	if (n == 0 || n > MOUNT_IDMAP_MAX)
		return bad_range(where, list, err);
	v = bk_arena_alloc(arena, n * sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		int rc = parse_range(ranges[i], maps, n_maps, where, &v[i], err);

		if (rc < 0)
			return rc;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

static int parse_text(const char *text, const struct mount_idmap_ctx *ctx, const char *where,
		      struct bk_arena *arena, struct mount_idmap *m, struct bk_err **err)
{
	bk_autostrv char **parts = bk_strv_split(text, ";");

	for (char **part = parts; part && *part; part++) {
		const char *uids = bk_skip_prefix(*part, "uids=");
		const char *gids = bk_skip_prefix(*part, "gids=");
		int rc;

		if (uids && !m->uids)
			rc = parse_list(uids, ctx->uids, ctx->n_uids, where, arena, &m->uids, &m->n_uids,
					err);
		else if (gids && !m->gids)
			rc = parse_list(gids, ctx->gids, ctx->n_gids, where, arena, &m->gids, &m->n_gids,
					err);
		else
			rc = bk_err_set(err, BK_ERR_CONFIG, 0,
					"%s.options: idmap: '%s' is neither uids=... nor gids=..., or there "
					"twice", where, *part);
		if (rc < 0)
			return rc;
	}
	if (!m->uids || !m->gids)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s.options: idmap: needs both uids=... and gids=...", where);
	return 0;
}

int mount_idmap_compile(const struct oci_mount *m, const struct mount_flags *f,
			const struct mount_idmap_ctx *ctx, const char *where,
			struct bk_arena *arena, const struct mount_idmap **ret, struct bk_err **err)
{
	bool members = m->n_uid_mappings || m->n_gid_mappings;
	struct mount_idmap *map;
	int rc = 0;

	*ret = NULL;
	if (!members && !(f->extra & (MOUNT_IDMAP | MOUNT_RIDMAP)))
		return 0;
	if (members && (!m->n_uid_mappings || !m->n_gid_mappings))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s.%s: uidMappings and gidMappings must be there both, or neither", where,
				  m->n_uid_mappings ? "gidMappings" : "uidMappings");
	if (members && f->idmap)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s.options: idmap: uidMappings and gidMappings are there too", where);
	map = bk_arena_alloc(arena, sizeof(*map));
	map->recursive = f->extra & MOUNT_RIDMAP;
	if (members) {
		map->uids = m->uid_mappings;
		map->n_uids = m->n_uid_mappings;
		map->gids = m->gid_mappings;
		map->n_gids = m->n_gid_mappings;
	} else if (f->idmap) {
		rc = parse_text(f->idmap, ctx, where, arena, map, err);
	} else if (!ctx->userns) {
		rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				"%s.options: %s needs uidMappings and gidMappings, or a user namespace of "
				"the container", where, map->recursive ? "ridmap" : "idmap");
	}
	if (rc == 0)
		*ret = map;
	return rc;
}

static void print_map(const char *what, const struct oci_id_mapping *m, size_t n, struct bk_buf *out)
{
	bk_buf_adds(out, what);
	for (size_t i = 0; i < n; i++)
		bk_buf_printf(out, " %u:%u:%u", m[i].container_id, m[i].host_id, m[i].size);
}

void mount_idmap_print(const struct mount_idmap *m, struct bk_buf *out)
{
	if (!m->uids) {
		bk_buf_adds(out, "by the container's user namespace");
		return;
	}
	print_map("uid", m->uids, m->n_uids, out);
	print_map(" gid", m->gids, m->n_gids, out);
}

static bool same(const struct oci_id_mapping *a, size_t n_a, const struct oci_id_mapping *b, size_t n_b)
{
	return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a * sizeof(*a)) == 0);
}

bool mount_idmap_same(const struct mount_idmap *a, const struct mount_idmap *b)
{
	return same(a->uids, a->n_uids, b->uids, b->n_uids) &&
	       same(a->gids, a->n_gids, b->gids, b->n_gids);
}
