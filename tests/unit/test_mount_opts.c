/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <sys/mount.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "mount/mount_idmap.h"
#include "mount/mount_opts.h"
#include "mount/mount_plan.h"

/* Parses "a,b,c" and prints it: what the plan says, and what the words add up to. */
static void parse(const char *words, struct mount_flags *ret, struct bk_arena *arena)
{
	bk_autostrv char **v = bk_strv_split(words, ",");
	struct bk_err *err = NULL;

	assert_ok(mount_opts_parse(v, "mounts[0]", arena, ret, &err), &err);
}

static void prints(const char *words, const char *want)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct mount_flags f;

	parse(words, &f, arena);
	mount_opts_print(&f, &b);
	if (!bk_streq(bk_buf_str(&b), want))
		print_error("for %s\n", words);
	assert_string_equal(bk_buf_str(&b), want);
}

static void test_print(void **state)
{
	(void)state;
	prints("", "defaults");
	prints("defaults", "defaults");
	prints("nosuid,noexec,ro,mode=755,size=1k", "noexec,nosuid,ro,mode=755,size=1k");
	prints("ro,rw", "rw");
	prints("rw,ro", "ro");
	prints("noatime,strictatime", "strictatime");
}

static void test_attributes(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct mount_flags f;

	(void)state;
	parse("ro,nosuid,nodev,noexec,nosymfollow,nodiratime", &f, arena);
	assert_true(f.attr_set ==
		    (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
		     MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODIRATIME));
	assert_true(f.attr_clr == 0);
	/* the last word wins, for each attribute on its own */
	parse("ro,nosuid,rw", &f, arena);
	assert_true(f.attr_set == MOUNT_ATTR_NOSUID);
	assert_true(f.attr_clr == MOUNT_ATTR_RDONLY);
	/* atime is one choice of several: clearing all of it comes with each */
	parse("noatime", &f, arena);
	assert_true(f.attr_set == MOUNT_ATTR_NOATIME && f.attr_clr == MOUNT_ATTR__ATIME);
	parse("noatime,relatime", &f, arena);
	assert_true(f.attr_set == MOUNT_ATTR_RELATIME && f.attr_clr == MOUNT_ATTR__ATIME);
	assert_true((f.ms & (MS_NOATIME | MS_RELATIME)) == MS_RELATIME);
	parse("rro,rnosuid,rrw", &f, arena);
	assert_true(f.rec_set == MOUNT_ATTR_NOSUID && f.rec_clr == MOUNT_ATTR_RDONLY);
	assert_true(f.attr_set == 0 && f.attr_clr == 0);
	parse("sync,lazytime,async", &f, arena);
	assert_true(f.super == MS_LAZYTIME && f.super_clr == MS_SYNCHRONOUS);
	/* a new file system gets the same as a bind does */
	parse("norelatime", &f, arena);
	assert_true(f.attr_set == MOUNT_ATTR_STRICTATIME);
	assert_true((f.ms & (MS_RELATIME | MS_STRICTATIME)) == MS_STRICTATIME);
	parse("noatime,atime", &f, arena);
	assert_true((f.ms & (MS_NOATIME | MS_RELATIME)) == MS_RELATIME);
}

static void test_kinds(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct mount_flags f;

	(void)state;
	parse("bind", &f, arena);
	assert_true(f.bind && !f.recursive && !f.remount);
	parse("rbind,rslave,shared", &f, arena);
	assert_true(f.bind && f.recursive);
	assert_int_equal(f.n_propagation, 2);
	assert_true(f.propagation[0] == (MS_SLAVE | MS_REC) && f.propagation[1] == MS_SHARED);
	parse("remount,x=1,y", &f, arena);
	assert_true(f.remount);
	assert_string_equal(f.data, "x=1,y");
	parse("tmpcopyup,src-nofollow,ridmap", &f, arena);
	assert_true(f.extra == (MOUNT_COPY_UP | MOUNT_SRC_NOFOLLOW | MOUNT_RIDMAP));
	assert_null(f.idmap);
	parse("idmap=uids=0-1-2;gids=3-4-5,ro", &f, arena);
	assert_true(f.extra == MOUNT_IDMAP);
	assert_string_equal(f.idmap, "uids=0-1-2;gids=3-4-5");
	parse("idmap=", &f, arena);
	assert_true(f.extra == MOUNT_IDMAP && !f.idmap);
}

static void refused(char *const *v, enum bk_err_kind kind, const char *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct mount_flags f;

	assert_err(mount_opts_parse(v, "mounts[3]", arena, &f, &err), &err, kind, words);
}

static void test_refused(void **state)
{
	bk_autofree char *big = bk_malloc(MOUNT_DATA_MAX + 2);

	(void)state;
	memset(big, 'x', MOUNT_DATA_MAX + 1);
	big[MOUNT_DATA_MAX + 1] = '\0';
	refused((char *[]){ big, NULL }, BK_ERR_CONFIG, "mounts[3].options: more than");
	refused((char *[]){ (char *)"rsync", NULL }, BK_ERR_UNSUPPORTED, "mounts[3].options: 'rsync'");
	refused((char *[]){ (char *)"rmand", NULL }, BK_ERR_UNSUPPORTED, "'rmand'");
	refused((char *[]){ (char *)"shared", (char *)"slave", (char *)"private", (char *)"shared",
			    (char *)"slave", NULL },
		BK_ERR_CONFIG, "words of propagation");
}

/* The table is searched by halves: every name in it must be found. */
static void test_table(void **state)
{
	size_t n = 0;

	(void)state;
	for (const char *name; (name = mount_opts_name(n)); n++) {
		bk_autoarena struct bk_arena *arena = bk_arena_new();
		struct mount_flags f;

		parse(name, &f, arena);
		if (f.data)
			print_error("%s is not found\n", name);
		assert_null(f.data);
		if (n)
			assert_true(strcmp(mount_opts_name(n - 1), name) < 0);
	}
	assert_true(n > 50);
	assert_true(mount_opts_propagation("rshared") == (MS_SHARED | MS_REC));
	assert_true(mount_opts_propagation("ro") == 0);
	assert_true(mount_opts_propagation("x") == 0);
	assert_string_equal(mount_opts_propagation_name(MS_UNBINDABLE), "unbindable");
}

/* ---- mounts[] --------------------------------------------------------------------------------- */

static int compile(const struct oci_mount *m, struct bk_arena *arena, struct mount_op *ret,
		   struct bk_err **err)
{
	const struct mount_ctx ctx = { .bundle = "/bundle", .cgroup_dir = "/cg/x" };

	return mount_plan_op(m, 2, &ctx, arena, ret, err);
}

static void plan(const char *dest, const char *type, const char *source, const char *options,
		 const char *want)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autostrv char **v = bk_strv_split(options, ",");
	struct oci_mount m = { .destination = (char *)dest,
			       .type = (char *)type,
			       .source = (char *)source,
			       .options = v };
	struct bk_err *err = NULL;
	struct mount_op op;

	assert_ok(compile(&m, arena, &op, &err), &err);
	mount_plan_print(&op, &b);
	assert_string_equal(bk_buf_str(&b), want);
}

static void plan_refused(const char *dest, const char *type, const char *source,
			 const char *options, enum bk_err_kind kind, const char *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autostrv char **v = bk_strv_split(options, ",");
	struct oci_mount m = { .destination = (char *)dest,
			       .type = (char *)type,
			       .source = (char *)source,
			       .options = v };
	struct bk_err *err = NULL;
	struct mount_op op;

	assert_err(compile(&m, arena, &op, &err), &err, kind, words);
}

/* The first of the mounts, which may be a file system for the root. */
static int compile_root(const char *type, const char *options, struct bk_arena *arena, bool host_mounts,
			struct mount_op *ret, struct bk_err **err)
{
	const struct mount_ctx ctx = { .bundle = "/bundle", .host_mounts = host_mounts, .roots = 1 };
	bk_autostrv char **v = bk_strv_split(options, ",");
	struct oci_mount m = { .destination = (char *)"/", .type = (char *)type, .source = (char *)"t",
			       .options = v };

	return mount_plan_op(&m, 0, &ctx, arena, ret, err);
}

static void plan_root(const char *type, const char *options, const char *want)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;
	struct mount_op op;

	assert_ok(compile_root(type, options, arena, false, &op, &err), &err);
	assert_int_equal(op.kind, MOUNT_ROOT);
	mount_plan_print(&op, &b);
	assert_string_equal(bk_buf_str(&b), want);
	assert_err(compile_root(type, options, arena, true, &op, &err), &err, BK_ERR_CONFIG,
		   "is the root itself");
}

static void plan_root_refused(const char *type, const char *options, enum bk_err_kind kind, const char *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct mount_op op;

	assert_err(compile_root(type, options, arena, false, &op, &err), &err, kind, words);
}

static void count_roots(void)
{
	struct oci_mount m[] = { { .destination = (char *)"/" }, { .destination = (char *)"a/.." }, { .destination = (char *)"/x" },
				 { .destination = (char *)"/" } };

	assert_int_equal(mount_plan_roots(m, 0), 0);
	assert_int_equal(mount_plan_roots(m, 1), 1);
	assert_int_equal(mount_plan_roots(m, 4), 2);
	assert_int_equal(mount_plan_roots(m + 2, 2), 0);
}

static void test_plan(void **state)
{
	(void)state;
	plan("/x", "tmpfs", NULL, "ro", "mount 'tmpfs' on '/x' type tmpfs (ro)");
	plan("x//y/../z/", "tmpfs", "t", "", "mount 't' on '/x/z' type tmpfs (defaults)");
	plan("/../../x", "tmpfs", "t", "", "mount 't' on '/x' type tmpfs (defaults)");
	plan("/c", "cgroup", "cgroup", "ro", "mount cgroup2 on '/c' (ro)");
	plan("/c", "cgroup2", "cgroup", "none", "mount cgroup2 on '/c' (defaults)");
	plan("/proc", "proc", "proc", "", "mount 'proc' on '/proc' type proc (defaults)");
	plan_refused("/x", "none", "t", "", BK_ERR_CONFIG, "mounts[2].type");
	plan_refused("/x", NULL, "t", "", BK_ERR_CONFIG, "mounts[2].type");
	plan_refused("/", "tmpfs", "t", "", BK_ERR_CONFIG, "is the root itself");
	plan_root("tmpfs", "", "mount 't' on '/' type tmpfs (defaults)");
	plan_root_refused("tmpfs", "bind", BK_ERR_CONFIG, "is the root itself");
	count_roots();
	plan_root_refused("none", "", BK_ERR_CONFIG, "mounts[0].type");
	plan_refused("/x/..", "tmpfs", "t", "", BK_ERR_CONFIG, "is the root itself");
	plan_refused("/proc", "tmpfs", "t", "", BK_ERR_CONFIG, "only a proc file system");
	plan_refused("/proc/../proc/sys", "tmpfs", "t", "", BK_ERR_CONFIG, "inside /proc");
	plan_refused("/x", "bind", "", "bind", BK_ERR_CONFIG, "mounts[2].source");
	plan("/x", "bind", "/s", "bind,size=1,nocopy", "bind '/s' on '/x' (bind)");
	plan_refused("/x", "bind", "s", "bind,nosiud", BK_ERR_CONFIG, "'nosiud'");
	plan_refused("/x", "bind", "s", "bind,dirsync", BK_ERR_UNSUPPORTED, "mounts[2].options");
	plan("/x", "bind", "/s", "bind,silent,ro", "bind '/s' on '/x' (bind,ro,silent)");
	plan("/x", "tmpfs", "t", "tmpcopyup,ro", "mount 't' on '/x' type tmpfs (ro,tmpcopyup)");
	plan_refused("/x", "ext4", "t", "tmpcopyup", BK_ERR_CONFIG, "tmpcopyup is for tmpfs only");
	plan_refused("/x", "bind", "s", "bind,tmpcopyup", BK_ERR_CONFIG, "tmpcopyup is for tmpfs only");
	plan_refused("/x", "tmpfs", "s", "dest-nofollow", BK_ERR_CONFIG, "are for bind mounts only");
	plan_refused("/x", "bind", "s", "bind,copy-symlink,src-nofollow", BK_ERR_CONFIG, "excludes");
	plan_refused("/x", "tmpfs", "s", "tmpcopyup,idmap=uids=0-0-1;gids=0-0-1", BK_ERR_CONFIG,
		     "tmpcopyup and idmap");
	plan_refused("/c", "cgroup", "s", "idmap=uids=0-0-1;gids=0-0-1", BK_ERR_CONFIG, "idmap is for");
}

/* ---- whose ids -------------------------------------------------------------------------------- */

static const struct oci_id_mapping own[] = { { 0, 1000, 1 }, { 1, 100000, 65535 } };
static const struct mount_idmap_ctx in_userns = { true, own, own, 2, 2 };
static const struct mount_idmap_ctx in_none = { .userns = false };

static void idmap(const char *option, const struct mount_idmap_ctx *ctx, const char *want)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	const struct oci_mount m = { 0 };
	const struct mount_idmap *map;
	struct bk_err *err = NULL;
	struct mount_flags f;

	parse(option, &f, arena);
	assert_ok(mount_idmap_compile(&m, &f, ctx, "mounts[1]", arena, &map, &err), &err);
	if (map)
		mount_idmap_print(map, &b);
	assert_string_equal(map ? bk_buf_str(&b) : "none", want);
}

static void idmap_refused(const struct oci_mount *m, const char *option,
			  const struct mount_idmap_ctx *ctx, const char *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	const struct mount_idmap *map;
	struct bk_err *err = NULL;
	struct mount_flags f;

	parse(option, &f, arena);
	assert_err(mount_idmap_compile(m, &f, ctx, "mounts[1]", arena, &map, &err), &err, BK_ERR_CONFIG,
		   words);
}

static void test_idmap(void **state)
{
	struct oci_id_mapping maps[] = { { 0, 5, 6 } };
	const struct oci_mount none = { 0 };
	const struct oci_mount uids = { .uid_mappings = maps, .n_uid_mappings = 1 };
	const struct oci_mount gids = { .gid_mappings = maps, .n_gid_mappings = 1 };
	const struct oci_mount both = { .uid_mappings = maps, .n_uid_mappings = 1,
					.gid_mappings = maps, .n_gid_mappings = 1 };

	(void)state;
	idmap("ro", &in_userns, "none");
	idmap("idmap", &in_userns, "by the container's user namespace");
	idmap("ridmap=", &in_userns, "by the container's user namespace");
	idmap("idmap=uids=0-1-10#10-11-5;gids=0-100-10", &in_none, "uid 0:1:10 10:11:5 gid 0:100:10");
	idmap("idmap=gids=@0-0-1;uids=@7-1-65535#9-9-9", &in_userns,
	      "uid 7:100000:65535 9:9:9 gid 0:1000:1");
	idmap_refused(&none, "idmap", &in_none, "mounts[1].options: idmap needs uidMappings");
	idmap_refused(&none, "ridmap", &in_none, "mounts[1].options: ridmap needs");
	idmap_refused(&uids, "idmap", &in_userns, "mounts[1].gidMappings");
	idmap_refused(&gids, "ro", &in_userns, "mounts[1].uidMappings");
	idmap_refused(&both, "idmap=uids=0-0-1;gids=0-0-1", &in_userns, "are there too");
	idmap_refused(&none, "idmap=uids=0-0-1", &in_userns, "needs both");
	idmap_refused(&none, "idmap=x", &in_userns, "'x' is neither");
	idmap_refused(&none, "idmap=uids=0-0-1;uids=0-0-1", &in_userns, "there twice");
	idmap_refused(&none, "idmap=uids=0-0;gids=0-0-1", &in_userns, "'0-0' is not a range");
	idmap_refused(&none, "idmap=uids=0-0-1x;gids=0-0-1", &in_userns, "'0-0-1x' is not a range");
	idmap_refused(&none, "idmap=uids=;gids=0-0-1", &in_userns, "is not a range");
	/* a range that begins in one of the container's and ends outside of it, with and without overflow */
	idmap_refused(&none, "idmap=uids=@0-0-2;gids=0-0-1", &in_userns, "is not within one range");
	idmap_refused(&none, "idmap=uids=@0-65535-2;gids=0-0-1", &in_userns, "is not within one range");
	idmap_refused(&none, "idmap=uids=@0-1-4294967294;gids=0-0-1", &in_userns, "is not within");
}

BK_TEST_MAIN(cmocka_unit_test(test_idmap), cmocka_unit_test(test_print), cmocka_unit_test(test_attributes),
	     cmocka_unit_test(test_kinds), cmocka_unit_test(test_refused),
	     cmocka_unit_test(test_table), cmocka_unit_test(test_plan))
