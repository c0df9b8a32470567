/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that the store keeps unpacked: keys, building, markers, the hash of a tree, who needs them, what gc and fsck do. */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "store/store_gc.h"
#include "store/store_layers.h"

#define DIFF_A "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define DIFF_B "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/* sha256 of "DIFF_A DIFF_B" and of "that DIFF_A", by sha256sum */
#define CHAIN_AB  "sha256:c446928add63eb037664fde7815185b434038a80444b97e14eababbb53ee028e"
#define CHAIN_ABA "sha256:b8970c493e140cc1b509b04d7bc34a16342ff58fea71a3afb08b989f81cdf175"
#define KEY_A	  "sha256-2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

struct fix {
	char base[64];
	char path[80];
	struct store *s;
	struct bk_arena *arena;
};

static int setup(void **state)
{
	struct fix *f = bk_calloc(1, sizeof(*f));
	struct bk_err *err = NULL;

	snprintf(f->base, sizeof(f->base), "/tmp/bk-layers-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	snprintf(f->path, sizeof(f->path), "%s/store", f->base);
	f->arena = bk_arena_new();
	assert_ok(store_open(f->path, STORE_CREATE, &f->s, &err), &err);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	store_close(f->s);
	bk_arena_free(f->arena);
	(void)bk_file_rmtree(AT_FDCWD, f->base, NULL);
	free(f);
	return 0;
}

static void put(int dirfd, const char *path, const char *text, mode_t mode)
{
	struct bk_err *err = NULL;

	assert_ok(bk_file_write_atomic(dirfd, path, text, strlen(text), mode, false, &err), &err);
}

static void test_keys(void **state)
{
	char *diff_ids[] = { (char *)DIFF_A, (char *)DIFF_B, (char *)DIFF_A };
	const struct fix *f = *state;
	char **chain = store_layer_chain(diff_ids, 3, f->arena);
	char key[STORE_LAYER_KEY_SIZE];

	assert_string_equal(chain[0], DIFF_A);
	assert_string_equal(chain[1], CHAIN_AB);
	assert_string_equal(chain[2], CHAIN_ABA);
	assert_null(chain[3]);
	assert_null(store_layer_chain(NULL, 0, f->arena)[0]);
	store_layer_key(DIFF_A, STORE_LAYER_ROOT, key);
	assert_string_equal(key, KEY_A);
	store_layer_key(DIFF_A, STORE_LAYER_NS, key);
	assert_string_equal(key, KEY_A ".ns");
	store_layer_key(DIFF_A, STORE_LAYER_USER, key);
	assert_string_equal(key, KEY_A ".user");
}

static bool is_there(const struct fix *f, const char *key, struct store_layer *ret)
{
	struct store_layer layer;
	struct bk_err *err = NULL;
	bool there = false;

	assert_ok(store_layer_read(f->s, key, f->arena, &there, ret ? ret : &layer, &err), &err);
	return there;
}

/* A layer of one file under DIFF_A's key. */
static void build(const struct fix *f, const char *key)
{
	char diff_id[] = DIFF_A;
	struct store_layer l = { .chain_id = diff_id, .diff_id = diff_id, .entries = 1, .bytes = 1536 };
	bk_autolayerbuild struct store_layer_build *b = NULL;
	bk_autofree char *file = NULL;
	bk_autoclose int layers = -1;
	struct bk_err *err = NULL;

	assert_ok(store_layer_begin(f->s, key, &b, &err), &err);
	assert_non_null(b);
	assert_ok(store_layers_open(f->s, false, &layers, &err), &err);
	file = bk_asprintf("%s/file", store_layer_build_fs(b));
	put(layers, file, "x", 0644);
	/* until it is whole nobody sees it */
	assert_false(is_there(f, key, NULL));
	assert_ok(store_layer_commit(b, &l, &err), &err);
}

static void test_build(void **state)
{
	const struct fix *f = *state;
	struct store_layer_build *b = NULL;
	struct store_layer l = { 0 };
	bk_autoclose int layers = -1;
	bk_autofree char *tmp = NULL;
	struct bk_err *err = NULL;

	assert_err(store_layers_open(f->s, false, &layers, &err), &err, BK_ERR_NOT_FOUND, "open");
	assert_false(is_there(f, KEY_A, NULL));
	/* given up: nothing of it stays */
	assert_ok(store_layer_begin(f->s, KEY_A, &b, &err), &err);
	assert_ok(store_layers_open(f->s, false, &layers, &err), &err);
	tmp = bk_strdup(store_layer_build_fs(b));
	assert_int_equal(faccessat(layers, tmp, F_OK, 0), 0);
	assert_int_equal(faccessat(layers, store_layer_build_work(b), F_OK, 0), 0);
	store_layer_build_free(b);
	assert_int_equal(faccessat(layers, tmp, F_OK, 0), -1);
	assert_false(is_there(f, KEY_A, NULL));
	build(f, KEY_A);
	assert_true(is_there(f, KEY_A, &l));
	assert_string_equal(l.chain_id, DIFF_A);
	assert_int_equal(l.entries, 1);
	assert_int_equal(l.bytes, 1536);
	assert_int_equal(faccessat(layers, KEY_A "/fs/file", F_OK, 0), 0);
	assert_int_equal(faccessat(layers, KEY_A "/work", F_OK, 0), -1);
	/* who comes second has nothing to build */
	b = NULL;
	assert_ok(store_layer_begin(f->s, KEY_A, &b, &err), &err);
	assert_null(b);
}

static void test_marker(void **state)
{
	const struct fix *f = *state;
	struct store_layer l;
	bk_autoclose int layers = -1;
	struct bk_err *err = NULL;
	bool there;

	build(f, KEY_A);
	assert_ok(store_layers_open(f->s, false, &layers, &err), &err);
	/* by another kind's key it is the same layer, by another layer's it is not */
	assert_int_equal(renameat(layers, KEY_A, layers, KEY_A ".user"), 0);
	assert_true(is_there(f, KEY_A ".user", &l));
	assert_int_equal(renameat(layers, KEY_A ".user", layers, KEY_A "0"), 0);
	assert_err(store_layer_read(f->s, KEY_A "0", f->arena, &there, &l, &err), &err, BK_ERR_CONFIG, "marker is that of");
	assert_int_equal(renameat(layers, KEY_A "0", layers, KEY_A), 0);
	put(layers, KEY_A "/done", "{\"chainID\":\"x\",\"diffID\":\"" DIFF_A "\",\"metadata\":\"x\"}", 0644);
	assert_err(store_layer_read(f->s, KEY_A, f->arena, &there, &l, &err), &err, BK_ERR_CONFIG, "an id that is none");
	assert_int_equal(unlinkat(layers, KEY_A "/done", 0), 0);
	assert_err(store_layer_read(f->s, KEY_A, f->arena, &there, &l, &err), &err, BK_ERR_NOT_FOUND, KEY_A);
	assert_false(there);
}

/* ---- the hash ----------------------------------------------------------------------------------- */

static void hash(int fd, char ret[BK_DIGEST_TEXT_SIZE])
{
	struct bk_err *err = NULL;

	assert_ok(store_layer_hash(fd, ret, &err), &err);
}

static void assert_hash(int fd, const char *is, bool same)
{
	char now[BK_DIGEST_TEXT_SIZE];

	hash(fd, now);
	assert_int_equal(bk_streq(now, is), same);
}

static void set_time(int fd, const char *name, long nsec)
{
	const struct timespec t[2] = { { .tv_sec = 5 }, { .tv_sec = 1600000000, .tv_nsec = nsec } };

	assert_int_equal(utimensat(fd, name, t, AT_SYMLINK_NOFOLLOW), 0);
}

static void test_hash(void **state)
{
	const struct fix *f = *state;
	bk_autoclose int fd = open(f->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), tree = -1;
	char is[BK_DIGEST_TEXT_SIZE];

	assert_int_equal(mkdirat(fd, "tree", 0755), 0);
	tree = openat(fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(tree, "b", "x", 0644);
	put(tree, "a", "x", 0644);
	assert_int_equal(symlinkat("a", tree, "l"), 0);
	set_time(tree, "a", 1);
	set_time(tree, "b", 1);
	set_time(tree, "l", 1);
	set_time(tree, ".", 1);
	hash(tree, is);
	assert_hash(tree, is, true);
	/* the content is not part of it, the rest is; and what is made undone is as if it had not been */
	put(fd, "other", "y", 0644);
	assert_int_equal(renameat(fd, "other", tree, "b"), 0);
	set_time(tree, "b", 1);
	set_time(tree, ".", 1);
	assert_hash(tree, is, true);
	set_time(tree, "b", 2);
	assert_hash(tree, is, false);
	set_time(tree, "b", 1);
	assert_int_equal(fchmodat(tree, "b", 0600, 0), 0);
	assert_hash(tree, is, false);
	assert_int_equal(fchmodat(tree, "b", 0644, 0), 0);
	assert_int_equal(linkat(tree, "b", fd, "link", 0), 0);
	assert_hash(tree, is, false);
	assert_int_equal(unlinkat(fd, "link", 0), 0);
	assert_hash(tree, is, true);
	assert_int_equal(unlinkat(tree, "l", 0), 0);
	assert_int_equal(symlinkat("b", tree, "l"), 0);
	set_time(tree, "l", 1);
	set_time(tree, ".", 1);
	assert_hash(tree, is, false);
	assert_int_equal(unlinkat(tree, "l", 0), 0);
	assert_int_equal(symlinkat("a", tree, "l"), 0);
	set_time(tree, "l", 1);
	set_time(tree, ".", 1);
	assert_hash(tree, is, true);
	assert_int_equal(renameat(tree, "b", tree, "c"), 0);
	set_time(tree, ".", 1);
	assert_hash(tree, is, false);
}

static void test_hash_attributes(void **state)
{
	const struct fix *f = *state;
	bk_autoclose int fd = open(f->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), tree = -1;
	char is[BK_DIGEST_TEXT_SIZE];

	assert_int_equal(mkdirat(fd, "tree", 0755), 0);
	tree = openat(fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hash(tree, is);
	if (fsetxattr(tree, "user.note", "a", 1, 0) < 0)
		skip_because("no user.* attributes in /tmp (setfattr -n user.note -v a FILE)");
	assert_hash(tree, is, false);
	hash(tree, is);
	assert_int_equal(fsetxattr(tree, "user.note", "b", 1, 0), 0);
	assert_hash(tree, is, false);
	assert_int_equal(fsetxattr(tree, "user.note", "a", 1, 0), 0);
	/* what overlayfs notes for itself is not the layer's, but for what makes a directory opaque */
	assert_int_equal(fsetxattr(tree, "user.overlay.origin", "x", 1, 0), 0);
	assert_hash(tree, is, true);
	assert_int_equal(fsetxattr(tree, "user.overlay.opaque", "y", 1, 0), 0);
	assert_hash(tree, is, false);
}

/* ---- who needs them ----------------------------------------------------------------------------- */

static void use(const struct fix *f, const char *bundle, bool other_inode)
{
	bk_autofree char *upper = bk_asprintf("%s/upper", bundle);
	char *keys[] = { (char *)KEY_A, NULL };
	struct store_use u = { .path = (char *)(uintptr_t)bundle, .image = (char *)DIFF_B, .layers = keys };
	struct bk_err *err = NULL;
	struct stat st;

	if (mkdir(bundle, 0755) == 0)
		assert_int_equal(mkdir(upper, 0755), 0);
	assert_int_equal(stat(upper, &st), 0);
	u.inode = st.st_ino + (other_inode ? 1 : 0);
	assert_ok(store_use_add(f->s, &u, &err), &err);
}

static size_t n_uses(const struct fix *f, struct store_use **ret)
{
	struct bk_err *err = NULL;
	size_t n;

	assert_ok(store_use_list(f->s, f->arena, ret, &n, &err), &err);
	return n;
}

static void test_uses(void **state)
{
	const struct fix *f = *state;
	bk_autofree char *bundle = bk_asprintf("%s/bundle", f->base);
	bk_autofree char *other = bk_asprintf("%s/other", f->base);
	bk_autoclose int layers = -1;
	struct store_use *uses, mount = { .path = bundle, .mount = true, .count = 1 };
	struct bk_err *err = NULL;

	assert_int_equal(n_uses(f, &uses), 0);
	use(f, bundle, false);
	assert_int_equal(n_uses(f, &uses), 1);
	assert_string_equal(uses->path, bundle);
	assert_string_equal(uses->layers[0], KEY_A);
	assert_true(store_use_is_live(uses));
	assert_false(store_use_is_mounted(uses));
	/* a newer note of a path takes the older one's place; a mount at the same path is another use */
	use(f, bundle, true);
	assert_int_equal(n_uses(f, &uses), 1);
	assert_false(store_use_is_live(uses));
	assert_ok(store_use_here(&mount, f->arena, &err), &err);
	assert_ok(store_use_add(f->s, &mount, &err), &err);
	assert_int_equal(n_uses(f, &uses), 2);
	/* nothing is mounted there */
	assert_false(store_use_is_mounted(&mount));
	assert_false(store_use_is_live(&mount));
	assert_ok(store_use_del(f->s, bundle, &err), &err);
	assert_ok(store_use_del(f->s, bundle, &err), &err);
	assert_int_equal(n_uses(f, &uses), 1);
	use(f, other, false);
	assert_int_equal(n_uses(f, &uses), 2);
	/* one that can't be read may be of a bundle that lives */
	assert_ok(store_layers_open(f->s, false, &layers, &err), &err);
	put(layers, "uses/0123456789abcdef0123456789abcdef", "{", 0644);
	assert_err(store_use_list(f->s, f->arena, &uses, &(size_t){ 0 }, &err), &err, BK_ERR_CONFIG, "0123456789abcdef0123456789abcdef");
}

static void gc(const struct fix *f, bool dry_run, uint64_t removed, uint64_t kept)
{
	const struct store_gc_opts opts = { .dry_run = dry_run };
	struct store_gc_result r = { 0 };
	struct bk_err *err = NULL;

	assert_ok(store_gc(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.layers_removed, removed);
	assert_int_equal(r.layers_kept, kept);
}

static void test_gc(void **state)
{
	const struct fix *f = *state;
	bk_autofree char *bundle = bk_asprintf("%s/bundle", f->base);
	bk_autoclose int layers = -1;
	struct store_use *uses;
	struct bk_err *err = NULL;

	build(f, KEY_A);
	use(f, bundle, false);
	assert_ok(store_layers_open(f->s, false, &layers, &err), &err);
	/* what a builder left that died, and the note that was being written */
	assert_int_equal(mkdirat(layers, "tmp-0123456789abcdef", 0755), 0);
	put(layers, "tmp-0123456789abcdef/x", "x", 0644);
	put(layers, "uses/.bk-0123456789abcdef.tmp", "{", 0644);
	gc(f, true, 0, 1);
	assert_int_equal(faccessat(layers, "tmp-0123456789abcdef", F_OK, 0), 0);
	gc(f, false, 0, 1);
	assert_int_equal(faccessat(layers, "tmp-0123456789abcdef", F_OK, 0), -1);
	assert_int_equal(faccessat(layers, "uses/.bk-0123456789abcdef.tmp", F_OK, 0), -1);
	assert_int_equal(faccessat(layers, KEY_A ".lock", F_OK, 0), -1);
	assert_true(is_there(f, KEY_A, NULL));
	/* when the bundle is gone so is what only it needed, and the note */
	assert_ok(bk_file_rmtree(AT_FDCWD, bundle, &err), &err);
	gc(f, true, 1, 0);
	assert_true(is_there(f, KEY_A, NULL));
	gc(f, false, 1, 0);
	assert_false(is_there(f, KEY_A, NULL));
	assert_int_equal(n_uses(f, &uses), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_build, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marker, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hash_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_uses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gc, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
