/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_ids.h"

#include "base/bk_num.h"
#include "base/bk_str.h"

bool layer_ids_host(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t *ret)
{
	if (n == 0)
		*ret = id;
	for (size_t i = 0; i < n; i++) {
		if (id < maps[i].container_id || id - maps[i].container_id >= maps[i].size)
			continue;
		*ret = maps[i].host_id + (id - maps[i].container_id);
		return true;
	}
	return n == 0;
}

bool layer_ids_container(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t *ret)
{
	if (n == 0)
		*ret = id;
	for (size_t i = 0; i < n; i++) {
		if (id < maps[i].host_id || id - maps[i].host_id >= maps[i].size)
			continue;
		*ret = maps[i].container_id + (id - maps[i].host_id);
		return true;
	}
	return n == 0;
}

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

int layer_ids_parse(const char *text, struct bk_arena *arena, struct oci_id_mapping **maps, size_t *n,
		    struct bk_err **err)
{
	bk_autostrv char **parts = bk_strv_split(text, ":");
	struct oci_id_mapping m;

	if (bk_strv_len(parts) != 3 || bk_num_u32(parts[0], UINT32_MAX - 1, &m.container_id, NULL) < 0 ||
	    bk_num_u32(parts[1], UINT32_MAX - 1, &m.host_id, NULL) < 0 ||
	    bk_num_u32(parts[2], UINT32_MAX, &m.size, NULL) < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is not CONTAINER:HOST:SIZE", text);
	if (m.size == 0 || m.size > UINT32_MAX - m.container_id || m.size > UINT32_MAX - m.host_id)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s': no such ids", text);
	for (size_t i = 0; i < *n; i++)
		if (overlap((*maps)[i].container_id, (*maps)[i].size, m.container_id, m.size) ||
		    overlap((*maps)[i].host_id, (*maps)[i].size, m.host_id, m.size))
			return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' overlaps another", text);
	if (*n >= LAYER_IDS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d of them", LAYER_IDS_MAX);
	*maps = bk_arena_grow(arena, *maps, *n, sizeof(**maps));
	(*maps)[(*n)++] = m;
	return 0;
}
