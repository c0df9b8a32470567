/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "ns/ns_maps.h"

#define MAP(c, h, n)                                             \
	{                                                        \
		.container_id = (c), .host_id = (h), .size = (n) \
	}

static void refused(const struct oci_id_mapping *maps, size_t n, const char *words)
{
	struct bk_err *err = NULL;

	assert_err(ns_maps_check(maps, n, "linux.uidMappings", &err), &err, BK_ERR_CONFIG, words);
}

static void taken(const struct oci_id_mapping *maps, size_t n)
{
	struct bk_err *err = NULL;

	assert_ok(ns_maps_check(maps, n, "linux.uidMappings", &err), &err);
}

static void test_check(void **state)
{
	(void)state;
	taken((struct oci_id_mapping[]){ MAP(0, 100000, 65536) }, 1);
	taken((struct oci_id_mapping[]){ MAP(0, 1000, 1), MAP(1, 100000, 65535) }, 2);
	taken((struct oci_id_mapping[]){ MAP(10, 20, 10), MAP(0, 30, 10), MAP(20, 10, 10) }, 3);
	taken((struct oci_id_mapping[]){ MAP(0, 0, UINT32_MAX) }, 1);
	refused((struct oci_id_mapping[]){ MAP(0, 0, 0) }, 1, "linux.uidMappings[0].size: is 0");
	refused((struct oci_id_mapping[]){ MAP(1, 0, UINT32_MAX) }, 1, "range ends above");
	refused((struct oci_id_mapping[]){ MAP(0, 1, UINT32_MAX) }, 1, "range ends above");
	refused((struct oci_id_mapping[]){ MAP(UINT32_MAX, 5, 1) }, 1, "range ends above");
	/* an overlap by one, on either side, of neighbours and of others */
	refused((struct oci_id_mapping[]){ MAP(0, 100, 10), MAP(9, 200, 10) }, 2,
		"linux.uidMappings[1]: overlaps with entry 0");
	refused((struct oci_id_mapping[]){ MAP(0, 100, 10), MAP(10, 109, 10) }, 2, "[1]: overlaps");
	refused((struct oci_id_mapping[]){ MAP(5, 100, 1), MAP(50, 50, 1), MAP(0, 0, 10) }, 3,
		"linux.uidMappings[2]: overlaps with entry 0");
}

static void test_count(void **state)
{
	bk_autofree struct oci_id_mapping *maps = bk_calloc(NS_MAPS_MAX + 1, sizeof(*maps));

	(void)state;
	for (uint32_t i = 0; i <= NS_MAPS_MAX; i++)
		maps[i] = (struct oci_id_mapping)MAP(i, 1000 + i, 1);
	taken(maps, NS_MAPS_MAX);
	refused(maps, NS_MAPS_MAX + 1, "the kernel takes");
}

static void test_has(void **state)
{
	const struct oci_id_mapping maps[] = { MAP(0, 1000, 1), MAP(10, 100000, 5) };

	(void)state;
	assert_true(ns_maps_has(maps, 2, 0));
	assert_false(ns_maps_has(maps, 2, 1));
	assert_false(ns_maps_has(maps, 2, 9));
	assert_true(ns_maps_has(maps, 2, 10));
	assert_true(ns_maps_has(maps, 2, 14));
	assert_false(ns_maps_has(maps, 2, 15));
	assert_false(ns_maps_has(maps, 2, UINT32_MAX));
	assert_false(ns_maps_has(NULL, 0, 0));
}

BK_TEST_MAIN(cmocka_unit_test(test_check), cmocka_unit_test(test_count), cmocka_unit_test(test_has))
