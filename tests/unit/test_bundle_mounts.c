/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a bundle, and the words of --mount. */
#include "bk_test.h"

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "bundle/bundle_mounts.h"

/* "type source destination options" */
static const char *text_of(const struct oci_mount *m, struct bk_arena *a)
{
	bk_autofree char *options = bk_strv_join(m->options, ",");

	return bk_arena_printf(a, "%s %s %s %s", m->type, m->source, m->destination, options ? options : "");
}

static void parse(const char *text, const char *want)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct bk_err *err = NULL;
	struct oci_mount m;

	assert_ok(bundle_mount_parse(text, a, &m, &err), &err);
	assert_string_equal(text_of(&m, a), want);
}

static void refuse(const char *text, enum bk_err_kind kind, const char *message)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct bk_err *err = NULL;
	struct oci_mount m;

	assert_err(bundle_mount_parse(text, a, &m, &err), &err, kind, message);
}

static void test_parse(void **state)
{
	(void)state;
	parse("source=/a,target=/b", "bind /a /b rbind");
	parse("type=bind,src=/a,dst=/b,ro", "bind /a /b rbind,ro");
	parse("src=/a,destination=/b,readonly=false", "bind /a /b rbind");
	parse("src=/a,dst=/b,bind-nonrecursive,bind-propagation=rslave,readonly=1", "bind /a /b bind,rslave,ro");
	parse("src=/a,dst=/b,idmap", "bind /a /b rbind,ridmap");
	parse("src=/a,dst=/b,idmap,bind-nonrecursive=true", "bind /a /b bind,idmap");
	parse("src=/a,dst=/b,option=nodev,option=noexec", "bind /a /b rbind,nodev,noexec");
	parse("type=tmpfs,dst=/t", "tmpfs tmpfs /t nosuid,nodev,noexec");
	parse("type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777", "tmpfs tmpfs /t nosuid,nodev,noexec,size=1048576,mode=1777");
	/* what it is relative to is the caller's folder */
	parse("src=/a/../b/./c,dst=/d", "bind /b/c /d rbind");
}

static void test_refused(void **state)
{
	(void)state;
	refuse("", BK_ERR_CONFIG, "its target");
	refuse("src=/a", BK_ERR_CONFIG, "its target");
	refuse("src=/a,dst=b", BK_ERR_CONFIG, "its target");
	refuse("dst=/b", BK_ERR_CONFIG, "no source");
	refuse("src=,dst=/b", BK_ERR_CONFIG, "src has no value");
	refuse("src=/a,source=/c,dst=/b", BK_ERR_CONFIG, "stands twice");
	refuse("src=/a,dst=/b,ro=maybe", BK_ERR_CONFIG, "neither true nor false");
	refuse("src=/a,dst=/b,bind-propagation=up", BK_ERR_CONFIG, "bind-propagation=up");
	refuse("src=/a,dst=/b,volume-opt=x", BK_ERR_CONFIG, "'volume-opt'");
	refuse("src=/a,dst=/b,tmpfs-size=1m", BK_ERR_CONFIG, "type=tmpfs");
	refuse("type=volume,src=a,dst=/b", BK_ERR_UNSUPPORTED, "type=volume");
	refuse("type=tmpfs,src=/a,dst=/b", BK_ERR_CONFIG, "no source");
	refuse("type=tmpfs,dst=/b,idmap", BK_ERR_CONFIG, "no bind-propagation");
	refuse("type=tmpfs,dst=/b,tmpfs-size=much", BK_ERR_CONFIG, "tmpfs-size");
	refuse("type=tmpfs,dst=/b,tmpfs-mode=9", BK_ERR_CONFIG, "tmpfs-mode");
	refuse("src=/a,dst=/b,option=", BK_ERR_CONFIG, "'option'");
}

static void expect(const struct bundle_opts *o, const char *destination, const char *want)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct oci_runtime_config c = { 0 };
	size_t found = 0;

	bundle_mounts_make(o, a, &c);
	for (size_t i = 0; i < c.n_mounts; i++)
		if (bk_streq(c.mounts[i].destination, destination)) {
			assert_string_equal(text_of(&c.mounts[i], a), want);
			found++;
		}
	assert_int_equal(found, 1);
}

static void test_made(void **state)
{
	static const char sysfs[] = "sysfs sysfs /sys nosuid,noexec,nodev,ro";
	static const char hosts[] = "none /sys /sys rbind,nosuid,noexec,nodev,ro";
	static const char pts[] = "devpts devpts /dev/pts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620";
	static const char pts5[] = "devpts devpts /dev/pts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5";
	struct oci_id_mapping map[] = { { .container_id = 0, .host_id = 100000, .size = 3 } };
	struct bundle_opts o = { 0 };

	(void)state;
	expect(&o, "/proc", "proc proc /proc ");
	expect(&o, "/sys", sysfs);
	expect(&o, "/dev/pts", pts5);
	/* without a network namespace a user namespace can't mount sysfs, nor with one that is another's */
	o.net = BUNDLE_NET_HOST;
	expect(&o, "/sys", sysfs);
	o = (struct bundle_opts){ .rootless = true };
	expect(&o, "/sys", hosts);
	expect(&o, "/dev/pts", pts);
	o.net = BUNDLE_NET_NONE;
	expect(&o, "/sys", sysfs);
	o = (struct bundle_opts){ .ids = { .uids = map, .n_uids = 1, .gids = map, .n_gids = 1 }, .net = BUNDLE_NET_PATH };
	expect(&o, "/sys", hosts);
	/* the group tty is not mapped */
	expect(&o, "/dev/pts", pts);
	map[0].size = 6;
	expect(&o, "/dev/pts", pts5);
}

static void test_order(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	const struct bundle_bind binds[] = { { "resolv.conf", "/etc/resolv.conf" }, { NULL, "/data" } };
	char destination[] = "/last", type[] = "bind", source[] = "/x";
	const struct oci_mount last = { .destination = destination, .type = type, .source = source };
	const struct bundle_opts o = { .binds = binds, .n_binds = 2, .mounts = &last, .n_mounts = 1 };
	struct oci_runtime_config c = { 0 };

	(void)state;
	bundle_mounts_make(&o, a, &c);
	assert_string_equal(text_of(&c.mounts[0], a), "proc proc /proc ");
	assert_string_equal(text_of(&c.mounts[c.n_mounts - 3], a), "bind resolv.conf /etc/resolv.conf rbind,nosuid,nodev");
	assert_string_equal(text_of(&c.mounts[c.n_mounts - 2], a), "tmpfs tmpfs /data nosuid,nodev,tmpcopyup");
	assert_string_equal(text_of(&c.mounts[c.n_mounts - 1], a), "bind /x /last ");
}

BK_TEST_MAIN(cmocka_unit_test(test_parse), cmocka_unit_test(test_refused), cmocka_unit_test(test_made),
	     cmocka_unit_test(test_order))
