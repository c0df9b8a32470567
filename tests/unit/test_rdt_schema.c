/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "rdt/rdt_schema.h"

/* As the kernel prints it: names to the right, values of MB with spaces, masks with zeros. */
static const char file[] = "    MB:0= 20;1=100\n"
			   "    L3:0=007f0;1=fffff\n"
			   "L3CODE:0=3\n";

static void good(const char *schema)
{
	struct bk_err *err = NULL;

	assert_ok(rdt_schema_within(schema, file, &err), &err);
}

static void bad(const char *schema, const char *words)
{
	struct bk_err *err = NULL;

	assert_err(rdt_schema_within(schema, file, &err), &err, BK_ERR_CONFIG, words);
}

static void test_within(void **state)
{
	(void)state;
	good("MB:0=20;1=100");
	good("MB:1=100");
	good("L3:0=7f0;1=FFFFF");
	good("L3: 0 = 0x7f0 ;1=fffff\n");
	good("L3:0=7f0\nMB:0=20\n\n");
	good("L3CODE:0=3;");
	good("");
}

static void test_differs(void **state)
{
	(void)state;
	bad("MB:0=21", "MB:0=21 does not match the group that is there, which has 20");
	bad("L3:0=7f0;1=ffff", "L3:1=ffff does not match the group that is there, which has fffff");
	bad("L3:2=1", "L3:2=1 does not match the group that is there, which has no such domain");
	bad("L3DATA:0=3", "no such domain");
	bad("MB:0=20\nL3:0=1", "L3:0=1");
}

static void test_malformed(void **state)
{
	(void)state;
	bad("L3", "'L3' is not RESOURCE:DOMAIN=VALUE");
	bad("L3:0", "'0' is not DOMAIN=VALUE");
	bad("L3:=1", "is not DOMAIN=VALUE");
	bad("L3:0=", "is not DOMAIN=VALUE");
	bad("MB:0=20; ", "is not DOMAIN=VALUE");
}

BK_TEST_MAIN(cmocka_unit_test(test_within), cmocka_unit_test(test_differs),
	     cmocka_unit_test(test_malformed))
