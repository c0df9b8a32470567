/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "mount/mount_below.h"

/* "PATH" of what is the host's own peer gets a "!". */
static void below(const char *mountinfo, const char *want)
{
	bk_auto(mount_below_done) struct mount_below b = { 0 };
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);

	mount_below_parse(mountinfo, "/srv/root", &b);
	for (size_t i = 0; i < b.n; i++)
		bk_buf_printf(&got, "%s%s%s", i ? " " : "", b.rows[i].path, b.rows[i].foreign ? "!" : "");
	assert_string_equal(bk_buf_str(&got), want);
}

static void test_below(void **state)
{
	(void)state;
	below("", "");
	below("24 1 8:1 / / rw - ext4 /dev/sda rw\n"
	      "30 24 0:20 / /srv/root rw - overlay o rw\n"
	      "31 30 0:21 / /srv/root/proc rw - proc proc rw\n"
	      "32 24 0:22 / /srv/rootless rw - proc proc rw\n"
	      "34 31 0:24 / /srv/root/proc/a\\040b rw - tmpfs t rw\n"
	      "33 31 0:23 / /srv/root/proc/a\\040b rw - tmpfs t rw\n",
	      "/proc /proc/a b /proc/a b");
	/* nothing to read in those */
	below("22 1 0:20 / /srv/root/x rw\n22 1 0:20 / x rw -\nproc\n- - - - - - - - -\n"
	      "22 1 0:20 / /srv/root/x rw shared:y - proc proc rw\n"
	      "99999999999999999999 1 0:20 / /srv/root/x rw - proc proc rw", "");
}

static void test_foreign(void **state)
{
	(void)state;
	/* a bind mount of /data, and of what is below it */
	below("24 1 8:1 / / rw shared:1 - ext4 /dev/sda rw\n"
	      "25 24 8:2 / /data rw shared:2 - ext4 /dev/sdb rw\n"
	      "26 25 8:3 / /data/sub rw shared:3 - ext4 /dev/sdc rw\n"
	      "30 24 8:2 / /srv/root/data rw shared:2 - ext4 /dev/sdb rw\n"
	      "31 30 8:3 / /srv/root/data/sub rw shared:3 - ext4 /dev/sdc rw\n"
	      "32 24 0:21 / /srv/root/proc rw shared:9 - proc proc rw\n",
	      "/data! /data/sub! /proc");
	/* one of the host's whole root: its parent is no peer of what it is mounted on */
	below("24 1 8:1 / / rw shared:1 - ext4 /dev/sda rw\n"
	      "25 24 0:20 / /proc rw shared:2 - proc proc rw\n"
	      "30 24 8:1 / /srv/root/host rw shared:1 - ext4 /dev/sda rw\n"
	      "31 30 0:20 / /srv/root/host/proc rw shared:2 - proc proc rw\n",
	      "/host! /host/proc!");
	/* slaves get, and give nothing */
	below("24 1 8:1 / / rw shared:1 - ext4 /dev/sda rw\n"
	      "30 24 8:1 / /srv/root/host rw shared:7 master:1 - ext4 /dev/sda rw\n",
	      "/host");
	/* "/" is also at /mnt, and has there what was mounted below the root */
	below("24 1 8:1 / / rw shared:1 - ext4 /dev/sda rw\n"
	      "25 24 8:1 / /mnt rw shared:1 - ext4 /dev/sda rw\n"
	      "30 24 0:20 / /srv/root/proc rw shared:5 - proc proc rw\n"
	      "31 25 0:20 / /mnt/srv/root/proc rw shared:5 - proc proc rw\n"
	      "32 30 0:21 / /srv/root/proc/bus rw shared:6 - tmpfs t rw\n"
	      "33 31 0:21 / /mnt/srv/root/proc/bus rw shared:6 - tmpfs t rw\n",
	      "/proc /proc/bus");
}

BK_TEST_MAIN(cmocka_unit_test(test_below), cmocka_unit_test(test_foreign))
