/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "mount/mount_move.h"

static void whole(const char *mountinfo, const char *want)
{
	bk_autostrv char **found = mount_move_whole(mountinfo, "/srv/root");
	bk_autofree char *joined = bk_strv_join(found, " ; ");

	assert_string_equal(joined, want);
}

static void test_whole(void **state)
{
	(void)state;
	whole("", "");
	whole("22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n"
	      "23 1 0:21 / /sys rw - sysfs sysfs rw\n"
	      "24 1 8:1 / / rw - ext4 /dev/sda rw\n"
	      "25 24 0:20 / /a\\040b/\\134x rw master:1 propagate_from:2 - proc proc rw\n",
	      "/proc ; /sys ; /a b/\\x");
	/* a part of one gives no way to the rest */
	whole("22 1 0:20 /sys /x rw - proc proc rw\n", "");
	/* the container's own */
	whole("22 1 0:20 / /srv/root/proc rw - proc proc rw\n"
	      "23 1 0:20 / /srv/rootless rw - proc proc rw\n",
	      "/srv/rootless");
	/* nothing to read in those */
	whole("22 1 0:20 / /x rw\n22 1 0:20 / /x rw -\nproc\n- - - - - - - - -\n", "");
}

BK_TEST_MAIN(cmocka_unit_test(test_whole))
