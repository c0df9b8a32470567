/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_facts.h"

#define FACTS ".bock/facts"

struct fix {
	char base[64];
	char path[80];
	struct store *s;
	struct bk_arena *arena;
	struct timespec later; /* when all that is written now is old */
	struct oci_descriptor d;
	struct store_image *image;
	struct store_fact fact;
};

/* An image without layers, of that date. */
static void put(struct fix *f, const char *created, struct oci_descriptor *ret)
{
	struct oci_image_rootfs rootfs = { .type = bk_arena_strdup(f->arena, "layers") };
	const struct oci_image_config config = {
		.created = created ? bk_arena_strdup(f->arena, created) : NULL,
		.architecture = bk_arena_strdup(f->arena, "amd64"),
		.os = bk_arena_strdup(f->arena, "linux"),
		.rootfs = &rootfs,
	};
	struct bk_err *err = NULL;

	assert_ok(store_image_put(f->s, "x:1", &config, NULL, 0, NULL, 0, f->arena, ret, &err), &err);
}

static int setup(void **state)
{
	struct fix *f = bk_calloc(1, sizeof(*f));
	struct bk_err *err = NULL;

	snprintf(f->base, sizeof(f->base), "/tmp/bk-facts-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	snprintf(f->path, sizeof(f->path), "%s/store", f->base);
	f->arena = bk_arena_new();
	assert_ok(store_open(f->path, STORE_CREATE, &f->s, &err), &err);
	put(f, "2026-01-02T03:04:05Z", &f->d);
	assert_ok(store_image_open_desc(f->s, &f->d, &f->image, &err), &err);
	f->fact = (struct store_fact){
		.id = f->image->manifest.config->digest,
		.platform = bk_arena_strdup(f->arena, "linux/amd64"),
		.created = f->image->config.created,
		.size = 77,
	};
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &f->later), 0);
	f->later.tv_sec += 100;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	store_image_free(f->image);
	store_close(f->s);
	bk_arena_free(f->arena);
	(void)bk_file_rmtree(AT_FDCWD, f->base, NULL);
	free(f);
	return 0;
}

static bool there(const struct fix *f)
{
	return faccessat(store_fd(f->s), FACTS, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void save(const struct fix *f, struct timespec now)
{
	bk_autostorefacts struct store_facts *facts = store_facts_open(f->s, now);

	store_facts_add(facts, &f->d, f->image, &f->fact);
	store_facts_save(facts);
}

/* What another run finds of d. */
static bool finds(const struct fix *f, const struct oci_descriptor *d)
{
	bk_autostorefacts struct store_facts *facts = store_facts_open(f->s, f->later);
	struct store_fact fact = { 0 };

	if (!store_facts_find(facts, d, &fact))
		return false;
	assert_string_equal(fact.id, f->fact.id);
	assert_string_equal(fact.platform, "linux/amd64");
	assert_int_equal(bk_streq0(fact.created, f->fact.created), 1);
	assert_int_equal(fact.size, 77);
	/* twice named, it is found twice */
	assert_true(store_facts_find(facts, d, &fact));
	return true;
}

static void blob_path(const char *digest, char path[160])
{
	snprintf(path, 160, "blobs/sha256/%s", strchr(digest, ':') + 1);
}

static void write_blob(const struct fix *f, const char *digest, const char *text, size_t len)
{
	struct bk_err *err = NULL;
	char path[160];

	blob_path(digest, path);
	assert_int_equal(unlinkat(store_fd(f->s), path, 0), 0);
	assert_ok(bk_file_write_atomic(store_fd(f->s), path, text, len, 0644, false, &err), &err);
}

static void test_kept(void **state)
{
	struct fix *f = *state;
	struct oci_descriptor other = f->d;
	struct stat st;

	assert_false(finds(f, &f->d));
	save(f, f->later);
	assert_true(finds(f, &f->d));
	assert_int_equal(fstatat(store_fd(f->s), FACTS, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* the entry of index.json says something else of it */
	other.size++;
	assert_false(finds(f, &other));
	other = f->d;
	other.media_type = bk_arena_strdup(f->arena, OCI_MEDIA_INDEX);
	assert_false(finds(f, &other));
	other = f->d;
	other.digest = f->image->manifest.config->digest;
	assert_false(finds(f, &other));
}

static void test_no_date(void **state)
{
	struct fix *f = *state;

	f->fact.created = NULL;
	save(f, f->later);
	assert_true(finds(f, &f->d));
}

/* A change may leave the time of a young file as it is. */
static void test_young(void **state)
{
	struct fix *f = *state;

	f->later.tv_sec -= 100;
	save(f, f->later);
	assert_false(there(f));
	assert_false(finds(f, &f->d));
}

static void test_documents(void **state)
{
	struct fix *f = *state;
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	const struct oci_descriptor *docs[] = { &f->d, f->image->manifest.config };
	struct bk_err *err = NULL;
	char path[160];

	for (size_t i = 0; i < BK_ARRAY_SIZE(docs); i++) {
		save(f, f->later);
		assert_true(finds(f, &f->d));
		bk_buf_reset(&text);
		assert_ok(store_blob_read(f->s, docs[i], &text, &err), &err);
		/* of the same size */
		text.data[0] = '[';
		write_blob(f, docs[i]->digest, text.data, text.len);
		assert_false(finds(f, &f->d));
		text.data[0] = '{';
		/* the right one, but another file: it is read again */
		write_blob(f, docs[i]->digest, text.data, text.len);
		assert_false(finds(f, &f->d));
		save(f, f->later);
		assert_true(finds(f, &f->d));
		blob_path(docs[i]->digest, path);
		assert_int_equal(fchmodat(store_fd(f->s), path, 0600, 0), 0);
		assert_false(finds(f, &f->d));
		save(f, f->later);
		assert_int_equal(renameat(store_fd(f->s), path, store_fd(f->s), "away"), 0);
		assert_false(finds(f, &f->d));
		assert_int_equal(renameat(store_fd(f->s), "away", store_fd(f->s), path), 0);
	}
}

static void test_not_believed(void **state)
{
	struct fix *f = *state;
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	save(f, f->later);
	assert_ok(bk_file_read(store_fd(f->s), FACTS, &text, &err), &err);
	for (size_t i = 0; i < text.len; i += 7) {
		char was = text.data[i];

		text.data[i] = was == '1' ? '2' : '1';
		assert_ok(bk_file_write_atomic(store_fd(f->s), FACTS, text.data, text.len, 0600, false, &err), &err);
		assert_false(finds(f, &f->d));
		text.data[i] = '\0';
		assert_ok(bk_file_write_atomic(store_fd(f->s), FACTS, text.data, text.len, 0600, false, &err), &err);
		assert_false(finds(f, &f->d));
		assert_ok(bk_file_write_atomic(store_fd(f->s), FACTS, text.data, i, 0600, false, &err), &err);
		assert_false(finds(f, &f->d));
		text.data[i] = was;
	}
	assert_ok(bk_file_write_atomic(store_fd(f->s), FACTS, text.data, text.len, 0600, false, &err), &err);
	assert_true(finds(f, &f->d));
	assert_int_equal(fchmodat(store_fd(f->s), FACTS, 0620, 0), 0);
	assert_false(finds(f, &f->d));
	assert_int_equal(fchmodat(store_fd(f->s), FACTS, 0602, 0), 0);
	assert_false(finds(f, &f->d));
	assert_int_equal(fchmodat(store_fd(f->s), FACTS, 0600, 0), 0);
	assert_int_equal(renameat(store_fd(f->s), FACTS, store_fd(f->s), ".bock/other"), 0);
	assert_int_equal(symlinkat("other", store_fd(f->s), FACTS), 0);
	assert_false(finds(f, &f->d));
	assert_int_equal(unlinkat(store_fd(f->s), FACTS, 0), 0);
	assert_int_equal(mkfifoat(store_fd(f->s), FACTS, 0600), 0);
	assert_false(finds(f, &f->d));
}

/* With a right sum, but made by something else. */
static void test_foreign_lines(void **state)
{
	static const char *const lines[] = {
		"x\n", "\n", "\t\t\t\t\t\t\t\t\t\t\t\n", "a\tb\t1\tc\td\te\t2\tf\t1\t1\t1\t1\tg\n",
		"a\tb\t1\tc\td\te\t2\tf\t1\t1\t1\t1\tg\t1\t1\t1\t1\th\t1\t1\t1\t1\ti\t1\t1\t1\t1\n",
		"a\tb\t-1\tc\td\te\t2\tf\t1\t1\t1\t1\n", "a\tb\t1\tc\td\te\t2\t../../x\t1\t1\t1\t1", "a",
	};
	struct fix *f = *state;

	for (size_t i = 0; i < BK_ARRAY_SIZE(lines); i++) {
		char digest[BK_DIGEST_TEXT_SIZE];
		bk_autofree char *text = NULL;
		struct bk_err *err = NULL;

		bk_digest_of(BK_DIGEST_SHA256, lines[i], strlen(lines[i]), digest);
		text = bk_asprintf("bock-image facts 1 %s %s\n%s", store_machine_arch(), digest, lines[i]);
		assert_ok(bk_file_write_atomic(store_fd(f->s), FACTS, text, strlen(text), 0600, false, &err), &err);
		assert_false(finds(f, &f->d));
	}
}

/* What a line can't hold is read each time. */
static void test_not_kept(void **state)
{
	static const char *const bad[] = { "", "2026\t", "a\nb", "\x7f" };
	struct fix *f = *state;

	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		f->fact.created = bk_arena_strdup(f->arena, bad[i]);
		save(f, f->later);
		assert_false(there(f));
	}
	f->fact.created = NULL;
	f->image->n_indexes = 2;
	save(f, f->later);
	assert_false(there(f));
}

/* Of an index the manifest that was chosen counts, too. */
static void test_index(void **state)
{
	struct fix *f = *state;
	bk_autofree char *text = bk_asprintf("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\","
					     "\"size\":%lld}]}", OCI_MEDIA_MANIFEST, f->d.digest, (long long)f->d.size);
	struct oci_descriptor manifest = f->d;
	struct bk_err *err = NULL;
	char path[160];

	assert_ok(store_blob_add(f->s, OCI_MEDIA_INDEX, text, strlen(text), f->arena, &f->d, &err), &err);
	store_image_free(f->image);
	f->image = NULL;
	assert_ok(store_image_open_desc(f->s, &f->d, &f->image, &err), &err);
	assert_int_equal(f->image->n_indexes, 1);
	f->fact.id = f->image->manifest.config->digest;
	f->fact.created = f->image->config.created;
	save(f, f->later);
	assert_true(finds(f, &f->d));
	assert_false(finds(f, &manifest));
	blob_path(manifest.digest, path);
	assert_int_equal(unlinkat(store_fd(f->s), path, 0), 0);
	assert_false(finds(f, &f->d));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
BK_TEST_MAIN(T(test_kept), T(test_no_date), T(test_young), T(test_documents), T(test_not_believed), T(test_foreign_lines),
	     T(test_not_kept), T(test_index))
