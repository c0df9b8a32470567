/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "layer/layer_out.h"
#include "store/store_blob.h"
#include "store/store_fsck.h"
#include "store/store_gc.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_lease.h"
#include "store/store_part.h"

#define HELLO_HEX "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define HELLO_DIGEST "sha256:" HELLO_HEX

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

	snprintf(f->base, sizeof(f->base), "/tmp/bk-store-XXXXXX");
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

static void test_open(void **state)
{
	const struct fix *f = *state;
	bk_autofree char *other = bk_asprintf("%s/other", f->base);
	struct store *s = NULL;
	struct bk_err *err = NULL;
	struct stat st;

	assert_err(store_open(other, 0, &s, &err), &err, BK_ERR_NOT_FOUND, "image store");
	assert_err(store_open(other, STORE_WRITE, &s, &err), &err, BK_ERR_NOT_FOUND, "image store");
	assert_null(s);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* A second one beside the first, and one that only reads. */
	assert_ok(store_open(f->path, STORE_CREATE, &s, &err), &err);
	store_close(s);
	assert_ok(store_open(f->path, 0, &s, &err), &err);
	assert_err(store_name_delete(s, "x", &err), &err, BK_ERR_INTERNAL, "reading only");
	store_close(s);
	/* A making that was cut short is taken up. */
	assert_int_equal(unlinkat(store_fd(f->s), "oci-layout", 0), 0);
	assert_ok(store_open(f->path, STORE_CREATE, &s, &err), &err);
	store_close(s);
	assert_ok(bk_file_write_atomic(store_fd(f->s), "oci-layout",
				       "{\"imageLayoutVersion\":\"9\"}", 26, 0644, false, &err),
		  &err);
	assert_err(store_open(f->path, 0, &s, &err), &err, BK_ERR_UNSUPPORTED, "version '9'");
}

static void test_blob(void **state)
{
	const struct fix *f = *state;
	struct oci_descriptor d = { 0 };
	bk_autobuf struct bk_buf text = BK_BUF_INIT(64);
	bk_autobuf struct bk_buf tiny = BK_BUF_INIT(2);
	struct bk_err *err = NULL;
	struct store_writer *w = NULL;
	int fd = -1;

	assert_ok(store_blob_add(f->s, "text/plain", "hello", 5, f->arena, &d, &err), &err);
	assert_string_equal(d.digest, HELLO_DIGEST);
	/* The second time is a success, too. */
	assert_ok(store_blob_add(f->s, "text/plain", "hello", 5, f->arena, &d, &err), &err);
	assert_true(store_blob_has(f->s, HELLO_DIGEST, 5));
	assert_false(store_blob_has(f->s, HELLO_DIGEST, 6));
	assert_false(store_blob_has(f->s, "sha256:../../x", -1));
	assert_ok(store_blob_read(f->s, &d, &text, &err), &err);
	assert_string_equal(bk_buf_str(&text), "hello");
	assert_err(store_blob_read(f->s, &d, &tiny, &err), &err, BK_ERR_CONFIG, "at most 2");
	assert_err(store_blob_open(f->s, HELLO_DIGEST, 4, &fd, NULL, &err), &err, BK_ERR_CONFIG,
		   "5 bytes instead of 4");
	assert_err(store_blob_open(f->s, "../index.json", -1, &fd, NULL, &err), &err, BK_ERR_CONFIG,
		   "digest");

	assert_ok(store_writer_new(f->s, HELLO_DIGEST, 5, &w, &err), &err);
	assert_err(store_writer_write(w, "hello!", 6, &err), &err, BK_ERR_CONFIG, "longer than 5");
	store_writer_free(w);
	assert_ok(store_writer_new(f->s, HELLO_DIGEST, 5, &w, &err), &err);
	assert_ok(store_writer_write(w, "hell", 4, &err), &err);
	assert_err(store_writer_commit(w, NULL, NULL, &err), &err, BK_ERR_CONFIG,
		   "4 bytes instead of 5");
	store_writer_free(w);
	assert_ok(store_writer_new(f->s, HELLO_DIGEST, -1, &w, &err), &err);
	assert_ok(store_writer_write(w, "other", 5, &err), &err);
	assert_err(store_writer_commit(w, NULL, NULL, &err), &err, BK_ERR_CONFIG, "has the digest");
	store_writer_free(w);
}

static void test_damaged(void **state)
{
	const struct fix *f = *state;
	bk_autobuf struct bk_buf text = BK_BUF_INIT(64);
	struct oci_descriptor d = { 0 };
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;

	assert_ok(store_blob_add(f->s, "text/plain", "hello", 5, f->arena, &d, &err), &err);
	assert_int_equal(
		fchmodat(store_fd(f->s),
			 "blobs/sha256/"
			 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
			 0644, 0),
		0);
	fd = openat(store_fd(f->s),
		    "blobs/sha256/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		    O_WRONLY);
	assert_int_equal(write(fd, "H", 1), 1);
	assert_err(store_blob_read(f->s, &d, &text, &err), &err, BK_ERR_CONFIG, "is damaged");
}

/* An image of one layer that holds `content` (no tar: nobody unpacks it here). */
static void put_image(const struct fix *f, const char *name, const char *content,
		      struct oci_descriptor *ret)
{
	struct layer_out *o = NULL;
	struct layer_info info;
	struct oci_descriptor layer;
	struct bk_err *err = NULL;
	char *ids[2] = { NULL, NULL };
	struct oci_image_rootfs rootfs = { .type = bk_arena_strdup(f->arena, "layers"),
					   .diff_ids = ids };
	struct oci_image_config config = {
		.architecture = bk_arena_strdup(f->arena, store_machine_arch()),
		.os = bk_arena_strdup(f->arena, "linux"),
		.rootfs = &rootfs,
	};

	assert_ok(layer_out_new(f->s, OCI_MEDIA_GZIP, &o, &err), &err);
	assert_ok(layer_out_write(o, content, strlen(content), &err), &err);
	assert_ok(layer_out_commit(o, &info, &err), &err);
	layer_out_free(o);
	ids[0] = bk_arena_strdup(f->arena, info.diff_id);
	layer_info_descriptor(&info, f->arena, &layer);
	assert_ok(store_image_put(f->s, name, &config, &layer, 1, NULL, 0, f->arena, ret, &err),
		  &err);
}

static void test_names(void **state)
{
	const struct fix *f = *state;
	struct oci_descriptor a, b, found;
	struct store_image *image = NULL;
	struct oci_index index;
	struct bk_err *err = NULL;
	char prefix[16];

	put_image(f, "app:1", "one", &a);
	put_image(f, "app", "two", &b);
	assert_ok(store_name_find(f->s, "app:1", f->arena, &found, &err), &err);
	assert_string_equal(found.digest, a.digest);
	assert_ok(store_name_find(f->s, "docker.io/library/app:latest", f->arena, &found, &err),
		  &err);
	assert_string_equal(found.digest, b.digest);
	assert_ok(store_name_find(f->s, a.digest, f->arena, &found, &err), &err);
	snprintf(prefix, sizeof(prefix), "%.10s", a.digest + strlen("sha256:"));
	assert_ok(store_name_find(f->s, prefix, f->arena, &found, &err), &err);
	assert_string_equal(found.digest, a.digest);
	assert_err(store_name_find(f->s, "absent", f->arena, &found, &err), &err, BK_ERR_NOT_FOUND,
		   "no image 'absent'");
	assert_ok(store_image_open(f->s, "app:latest", &image, &err), &err);
	assert_string_equal(image->name, "app");
	assert_int_equal(image->manifest.n_layers, 1);
	store_image_free(image);
	/* A name that means the same takes the other's place. */
	put_image(f, "docker.io/library/app", "three", &b);
	assert_ok(store_index_read(f->s, f->arena, &index, &err), &err);
	assert_int_equal(index.n_manifests, 2);
	assert_ok(store_name_delete(f->s, "app", &err), &err);
	assert_err(store_name_delete(f->s, "app", &err), &err, BK_ERR_NOT_FOUND, "no image 'app'");
}

static void test_taken(void **state)
{
	const struct fix *f = *state;
	struct oci_descriptor a, b;
	struct oci_descriptor absent = { .media_type = bk_arena_strdup(f->arena, "x"),
					 .digest = bk_arena_strdup(f->arena, HELLO_DIGEST),
					 .size = 5 };
	struct bk_err *err = NULL;
	struct oci_index index;

	put_image(f, "a:1", "one", &a);
	put_image(f, "b:1", "two", &b);
	{
		const struct store_naming both[] = { { "c:1", &a }, { "a:1", &b } };

		assert_err(store_names_set(f->s, both, 2, false, &err), &err, BK_ERR_CONFIG,
			   "is there already");
	}
	/* All or none. */
	assert_ok(store_index_read(f->s, f->arena, &index, &err), &err);
	assert_int_equal(index.n_manifests, 2);
	assert_err(store_name_set(f->s, "d:1", &absent, &err), &err, BK_ERR_NOT_FOUND,
		   "not in the store");
	assert_err(store_name_set(f->s, "d 1", &a, &err), &err, BK_ERR_CONFIG, "image name");
}

static void test_gc(void **state)
{
	const struct fix *f = *state;
	struct store_gc_opts opts = { .dry_run = true };
	struct store_gc_result r = { 0 };
	struct store *other = NULL;
	struct oci_descriptor a, b;
	struct bk_err *err = NULL;

	put_image(f, "a:1", "one", &a);
	put_image(f, "b:1", "two", &b);
	assert_ok(store_name_delete(f->s, "b:1", &err), &err);
	assert_ok(store_gc(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.removed, 3);
	assert_int_equal(r.kept, 3);
	assert_true(store_blob_has(f->s, b.digest, -1));
	opts = (struct store_gc_opts){ .grace_ms = 3600000 };
	assert_ok(store_gc(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.young, 3);
	assert_true(store_blob_has(f->s, b.digest, -1));
	/* Somebody else uses the store: what a failed command leaves stays. */
	assert_ok(store_open(f->path, 0, &other, &err), &err);
	store_gc_discard(f->s, (char *[]){ b.digest, a.digest, NULL });
	assert_true(store_blob_has(f->s, b.digest, -1));
	store_close(other);
	store_gc_discard(f->s, (char *[]){ b.digest, a.digest, NULL });
	assert_false(store_blob_has(f->s, b.digest, -1));
	assert_true(store_blob_has(f->s, a.digest, -1));
	opts.grace_ms = 0;
	assert_ok(store_gc(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.removed, 2);
	assert_ok(store_image_complete(f->s, &a, &err), &err);
}

/* Text in place of a manifest. */
static void manifest(const struct fix *f, const char *media_type, const char *text,
		     enum bk_err_kind kind, const char *message)
{
	struct oci_descriptor d;
	struct store_image *image = NULL;
	struct bk_err *err = NULL;

	assert_ok(store_blob_add(f->s, media_type, text, strlen(text), f->arena, &d, &err), &err);
	assert_err(store_image_open_desc(f->s, &d, &image, &err), &err, kind, message);
	assert_null(image);
}

static void test_documents(void **state)
{
	const struct fix *f = *state;
	static const char config[] = "\"config\":{\"mediaType\":\"" OCI_MEDIA_CONFIG
				     "\",\"digest\":\"" HELLO_DIGEST "\",\"size\":5}";
	bk_autofree char *both =
		bk_asprintf("{\"schemaVersion\":2,%s,\"layers\":[],\"manifests\":[]}", config);
	bk_autofree char *old = bk_asprintf("{\"schemaVersion\":1,%s,\"layers\":[]}", config);
	bk_autofree char *good = bk_asprintf("{\"schemaVersion\":2,%s,\"layers\":[]}", config);
	bk_autofree char *self =
		bk_asprintf("{\"schemaVersion\":2,\"mediaType\":\"x\",%s,\"layers\":[]}", config);

	manifest(f, OCI_MEDIA_MANIFEST, both, BK_ERR_CONFIG, "at once");
	manifest(f, OCI_MEDIA_MANIFEST, old, BK_ERR_UNSUPPORTED, "schemaVersion 1");
	manifest(f, OCI_MEDIA_MANIFEST, self, BK_ERR_CONFIG, "it says that it is 'x'");
	manifest(f, "text/plain", good, BK_ERR_UNSUPPORTED, "'text/plain'");
	manifest(f, OCI_MEDIA_MANIFEST, good, BK_ERR_NOT_FOUND, "is not in the store");
	manifest(f, OCI_MEDIA_INDEX, good, BK_ERR_CONFIG, "manifests");
	manifest(f, OCI_MEDIA_INDEX, "{\"schemaVersion\":2,\"manifests\":[]}", BK_ERR_NOT_FOUND,
		 "no image for linux/");
	manifest(f, OCI_MEDIA_MANIFEST, "not JSON", BK_ERR_CONFIG, "");
}

/* A known stream: the header of gzip is fixed, and so is the rest with one zlib. */
static void test_layer_out(void **state)
{
	const struct fix *f = *state;
	static const unsigned char header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	unsigned char got[sizeof(header)];
	struct oci_descriptor a, b;
	struct store_image *image = NULL;
	struct bk_err *err = NULL;
	struct layer_out *o = NULL;
	bk_autoclose int fd = -1;

	put_image(f, "a:1", "content", &a);
	put_image(f, "b:1", "content", &b);
	assert_string_equal(a.digest, b.digest);
	assert_ok(store_image_open(f->s, "a:1", &image, &err), &err);
	assert_ok(store_blob_open(f->s, image->manifest.layers[0].digest, -1, &fd, NULL, &err),
		  &err);
	assert_int_equal(read(fd, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, header, sizeof(header));
	store_image_free(image);
	assert_err(layer_out_new(f->s, OCI_MEDIA_ZSTD, &o, &err), &err, BK_ERR_UNSUPPORTED, "zstd");
}

static void test_unset(void **state)
{
	const struct fix *f = *state;
	struct oci_descriptor a, found;
	struct oci_index index;
	struct bk_err *err = NULL;

	put_image(f, "a:1", "content", &a);
	assert_ok(store_name_set(f->s, "b:1", &a, &err), &err);
	assert_err(store_name_unset(f->s, a.digest, &err), &err, BK_ERR_NOT_FOUND, "no image");
	assert_err(store_name_unset(f->s, "c:1", &err), &err, BK_ERR_NOT_FOUND, "no image 'c:1'");
	/* a name that means the same */
	assert_ok(store_name_unset(f->s, "docker.io/library/a:1", &err), &err);
	assert_ok(store_index_read(f->s, f->arena, &index, &err), &err);
	assert_int_equal(index.n_manifests, 1);
	assert_ok(store_name_unset(f->s, "b:1", &err), &err);
	assert_ok(store_index_read(f->s, f->arena, &index, &err), &err);
	assert_int_equal(index.n_manifests, 1);
	assert_null(store_index_name(&index.manifests[0]));
	assert_ok(store_name_find(f->s, a.digest, f->arena, &found, &err), &err);
}

struct told {
	size_t n;
	char text[512];
};

static void told(void *ctx, const struct store_fsck_problem *p)
{
	struct told *t = ctx;

	t->n++;
	snprintf(t->text, sizeof(t->text), "%s|%s|%s", p->image ? p->image : "-",
		 p->digest ? p->digest : "-", p->what);
}

static void test_fsck(void **state)
{
	const struct fix *f = *state;
	struct told t = { 0 };
	struct store_fsck_opts opts = { .problem = told, .ctx = &t };
	struct store_fsck_result r;
	struct oci_descriptor a, nowhere = { 0 };
	struct bk_err *err = NULL;

	put_image(f, "a:1", "content", &a);
	assert_ok(store_fsck(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.images, 1);
	assert_int_equal(r.blobs, 3);
	assert_int_equal(r.problems, 0);
	assert_int_equal(t.n, 0);

	/* what is no image is a leaf, and is looked at, too */
	assert_ok(store_blob_add(f->s, "text/plain", "hello", 5, f->arena, &nowhere, &err), &err);
	assert_ok(store_name_set(f->s, "text:1", &nowhere, &err), &err);
	assert_ok(store_fsck(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.problems, 0);
	assert_int_equal(unlinkat(store_fd(f->s), "blobs/sha256/" HELLO_HEX, 0), 0);
	assert_ok(store_fsck(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.problems, 1);
	assert_string_equal(t.text, "text:1|sha256:" HELLO_HEX "|blob sha256:" HELLO_HEX
				    " is not in the store");
	/* a FIFO in its place doesn't hold us */
	assert_int_equal(mkfifoat(store_fd(f->s), "blobs/sha256/" HELLO_HEX, 0600), 0);
	assert_ok(store_fsck(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.problems, 2);
}

static void test_lease(void **state)
{
	const struct fix *f = *state;
	struct store_gc_opts opts = { .dry_run = false };
	struct store_gc_result r = { 0 };
	struct store *other = NULL;
	struct oci_descriptor a, b;
	struct bk_err *err = NULL;
	const char *one[1];

	put_image(f, "a:1", "one", &a);
	put_image(f, "b:1", "two", &b);
	assert_ok(store_name_delete(f->s, "a:1", &err), &err);
	assert_ok(store_name_delete(f->s, "b:1", &err), &err);
	one[0] = a.digest;
	assert_ok(store_open(f->path, STORE_WRITE, &other, &err), &err);
	assert_ok(store_lease_begin(other, one, 1, &err), &err);
	/* gc runs beside, and leaves what is leased: the digest alone, not what it leads to. */
	assert_ok(store_gc(f->s, &opts, &r, &err), &err);
	assert_int_equal(r.removed, 5);
	assert_true(store_blob_has(f->s, a.digest, -1));
	/* More of it later; who fails meanwhile leaves it, too. */
	assert_ok(store_lease_end(other, &err), &err);
	put_image(f, "b:1", "two", &b);
	one[0] = b.digest;
	assert_ok(store_lease_begin(other, one, 1, &err), &err);
	assert_ok(store_name_delete(f->s, "b:1", &err), &err);
	store_gc_discard(f->s, (char *[]){ b.digest, a.digest, NULL });
	assert_true(store_blob_has(f->s, a.digest, -1));
	assert_true(store_blob_has(f->s, b.digest, -1));
	/* Held again, gc is not beside. */
	assert_ok(store_lease_end(other, &err), &err);
	store_gc_discard(f->s, (char *[]){ b.digest, a.digest, NULL });
	assert_true(store_blob_has(f->s, b.digest, -1));
	store_close(other);
	assert_ok(store_gc(f->s, &opts, &r, &err), &err);
	assert_false(store_blob_has(f->s, a.digest, -1));
	assert_int_equal(r.kept, 0);
}

static void test_part(void **state)
{
	static const char path[] = ".bock/ingest/sha256-" HELLO_HEX ".part";
	const struct fix *f = *state;
	struct store_part *p = NULL, *q = NULL;
	struct bk_err *err = NULL;

	/* what is there and none of ours is left alone */
	assert_int_equal(mkfifoat(store_fd(f->s), path, 0600), 0);
	assert_err(store_part_open(f->s, HELLO_DIGEST, 5, &p, &err), &err, BK_ERR_IO,
		   "no regular file");
	assert_int_equal(unlinkat(store_fd(f->s), path, 0), 0);

	assert_ok(store_part_open(f->s, HELLO_DIGEST, 5, &p, &err), &err);
	assert_non_null(p);
	/* a second is told to wait, and takes nothing away */
	assert_ok(store_part_open(f->s, HELLO_DIGEST, 5, &q, &err), &err);
	assert_null(q);
	assert_ok(store_part_write(p, 0, "hello", 5, &err), &err);
	assert_ok(store_part_commit(p, &err), &err);
	store_part_free(p);
	assert_true(store_blob_has(f->s, HELLO_DIGEST, 5));
	assert_int_equal(faccessat(store_fd(f->s), path, F_OK, 0), -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
BK_TEST_MAIN(T(test_open), T(test_blob), T(test_damaged), T(test_names), T(test_taken), T(test_gc),
	     T(test_lease), T(test_part), T(test_unset), T(test_fsck), T(test_documents), T(test_layer_out))
