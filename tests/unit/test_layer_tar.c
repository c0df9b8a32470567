/* SPDX-License-Identifier: Apache-2.0 */
/* The tar parser: what it takes and how it reads it, and what it refuses. Archives are made block by block. */
#include "bk_test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_str.h"
#include "layer/layer_acl.h"
#include "layer/layer_tar.h"
#include "layer/layer_tar_priv.h"

#define TAR_MAX ((size_t)1 << 20)

static struct tar_header header(char type, const char *name, uint64_t size)
{
	struct tar_header h = { .type = type };

	memcpy(h.name, name, strnlen(name, sizeof(h.name)));
	memcpy(h.mode, "0000644", 8);
	memcpy(h.uid, "0000001", 8);
	memcpy(h.gid, "0000002", 8);
	snprintf(h.size, sizeof(h.size), "%011llo", (unsigned long long)size);
	memcpy(h.mtime, "00000001000", 12);
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	if (type == '1' || type == '2')
		memcpy(h.link, "target", 7);
	return h;
}

static void put(struct bk_buf *b, struct tar_header h)
{
	const unsigned char *p = (const unsigned char *)&h;
	unsigned int sum = 0;

	memset(h.chksum, ' ', sizeof(h.chksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += p[i];
	snprintf(h.chksum, sizeof(h.chksum), "%06o", sum);
	bk_buf_add(b, &h, sizeof(h));
}

static void put_body(struct bk_buf *b, const void *data, size_t len)
{
	static const char zeros[TAR_BLOCK];

	bk_buf_add(b, data, len);
	bk_buf_add(b, zeros, -len % TAR_BLOCK);
}

static void put_pax(struct bk_buf *b, char type, const char *records)
{
	put(b, header(type, "pax", strlen(records)));
	put_body(b, records, strlen(records));
}

/* "key=value" as a record of the right length. */
static const char *record(const char *text)
{
	static char line[8][512];
	static unsigned int next;
	char *out = line[next++ % 8];
	int n = (int)strlen(text) + 2;

	while (snprintf(out, sizeof(line[0]), "%d %s\n", n, text) != n)
		n = (int)strlen(out);
	return out;
}

static void end(struct bk_buf *b)
{
	static const char zeros[2 * TAR_BLOCK];

	bk_buf_add(b, zeros, sizeof(zeros));
}

/* Several records in a row. */
static const char *records_of(const char *const *texts)
{
	static char all[2048];
	size_t n = 0;

	for (; *texts; texts++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s", record(*texts));
	return all;
}

#define RECORDS(...) records_of((const char *const[]){ __VA_ARGS__, NULL })

struct reader {
	struct layer_stream *stream;
	struct layer_tar *tar;
	int fd;
};

static void reader_open(struct reader *r, const struct bk_buf *b, const struct layer_opts *opts)
{
	const struct layer_stream_opts so = { .max_size = 1 << 30, .threads = 1 };
	struct bk_err *err = NULL;

	*r = (struct reader){ .fd = memfd_create("tar", MFD_CLOEXEC) };
	assert_int_equal(write(r->fd, b->data, b->len), b->len);
	assert_int_equal(lseek(r->fd, 0, SEEK_SET), 0);
	assert_ok(layer_stream_new(r->fd, &so, &r->stream, &err), &err);
	assert_ok(layer_tar_new(r->stream, opts, &r->tar, &err), &err);
}

static void reader_close(struct reader *r)
{
	layer_tar_free(r->tar);
	layer_stream_free(r->stream);
	(void)close(r->fd);
}

/* Reads all entries, content too. */
static int read_all(struct reader *r, struct bk_err **err)
{
	for (;;) {
		bk_autoclose int out = memfd_create("content", MFD_CLOEXEC);
		struct layer_entry e;
		bool more;
		int rc = layer_tar_next(r->tar, &e, &more, err);

		if (rc < 0 || !more)
			return rc;
		if (S_ISREG(e.attrs.mode) && !e.is_hardlink)
			rc = layer_tar_content(r->tar, out, err);
		if (rc < 0)
			return rc;
	}
}

static void refused(const struct bk_buf *b, const char *message)
{
	struct bk_err *err = NULL;
	struct reader r;

	reader_open(&r, b, NULL);
	assert_err(read_all(&r, &err), &err, BK_ERR_CONFIG, message);
	reader_close(&r);
}

static void taken(const struct bk_buf *b)
{
	struct bk_err *err = NULL;
	struct reader r;

	reader_open(&r, b, NULL);
	assert_ok(read_all(&r, &err), &err);
	reader_close(&r);
}

/* One entry behind an extended header of these records. */
static void with_pax(struct bk_buf *b, const char *records, struct tar_header h, const char *body)
{
	bk_buf_reset(b);
	put_pax(b, 'x', records);
	put(b, h);
	put_body(b, body, strlen(body));
	end(b);
}

#define FIELD(h, field, text) memcpy((h).field, text, sizeof((h).field))

static void test_numbers(void **state)
{
	static const struct {
		const char *field;
		size_t len;
		bool ok;
		int64_t value;
	} rows[] = {
		{ "0000644\0", 8, true, 0644 },
		{ "12345670", 8, true, 012345670 },
		{ "   12 \0\0", 8, true, 012 },
		{ "0\0\0\0\0\0\0\0", 8, true, 0 },
		{ "\0\0\0\0\0\0\0\0", 8, true, 0 },
		{ "        ", 8, false, 0 },
		{ "\0001234567", 8, false, 0 },
		{ "00000009", 8, false, 0 },
		{ "0644\0x\0\0", 8, false, 0 },
		{ "-0000001", 8, false, 0 },
		{ "0x000001", 8, false, 0 },
		{ "\x80\0\0\0\0\0\1\2", 8, true, 0x102 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xfe", 8, true, -2 },
		{ "\x81\0\0\0\0\0\0\1", 8, false, 0 },
		{ "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, true, INT64_MAX },
		{ "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 12, false, 0 },
		{ "\x80\0\0\1\0\0\0\0\0\0\0\0", 12, false, 0 },
		{ "777777777777777777777", 21, true, INT64_MAX },
		{ "1000000000000000000000", 22, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		int64_t n = 0;

		if (tar_number_(rows[i].field, rows[i].len, &n) != rows[i].ok ||
		    n != rows[i].value) {
			print_error("row %zu: %lld\n", i, (long long)n);
			fail();
		}
	}
}

static void test_headers(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TAR_MAX);
	struct tar_header h;
	static const struct {
		char type;
		uint64_t size;
		const char *name, *message;
	} rows[] = {
		{ '0', 0, "", "without a name" },	 { '0', 0, "dir/", "the regular file" },
		{ '\0', 1, "dir/", "the regular file" }, { '1', 1, "a", "that has a body" },
		{ '2', 1, "a", "that has a body" },	 { '3', 1, "a", "that has a body" },
		{ '5', 1, "a", "that has a body" },	 { '6', 1, "a", "that has a body" },
		{ '8', 0, "a", "unknown type" },	 { 'V', 0, "a", "unknown type" },
		{ 'M', 0, "a", "unknown type" },	 { 'D', 0, "a", "unknown type" },
		{ 'X', 0, "a", "unknown type" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_buf_reset(&b);
		put(&b, header(rows[i].type, rows[i].name, rows[i].size));
		put_body(&b, "x", rows[i].size);
		end(&b);
		refused(&b, rows[i].message);
	}
	bk_buf_reset(&b);
	put(&b, header('0', "a", 0));
	end(&b);
	taken(&b);
	b.data[0] = 'b';
	refused(&b, "checksum");
#define REFUSE_FIELD(kind, field, text, message) \
	h = header(kind, "a", 0);                \
	FIELD(h, field, text);                   \
	bk_buf_reset(&b);                        \
	put(&b, h);                              \
	end(&b);                                 \
	refused(&b, message)
	REFUSE_FIELD('0', magic, "ustaR", "unknown form");
	REFUSE_FIELD('0', version, "01", "unknown version");
	REFUSE_FIELD('0', pad, "\0\0\0\0\0\0\0\0tar", "unknown version");
	REFUSE_FIELD('0', size, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "size is none");
	REFUSE_FIELD('0', uid, "\xff\xff\xff\xff\xff\xff\xff\xff", "uid is none");
	REFUSE_FIELD('0', gid, "\x80\0\0\0\xff\xff\xff\xff", "gid is none");
	REFUSE_FIELD('3', devmajor, "0010000", "devmajor is none");
	REFUSE_FIELD('1', link, ((const char[100]){ 0 }), "without a target");
}

/* What libarchive takes for the size and map of a file that GNU tar sees as it is. */
static void test_no_sparse_file(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TAR_MAX);
	const size_t at[] = { offsetof(struct tar_header, gnu.realsize), offsetof(struct tar_header, gnu.sparse),
			      offsetof(struct tar_header, gnu.extended) };
	static const char types[] = { '0', '5', '1', 'L', 'x', '\0' };

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(at) * BK_ARRAY_SIZE(types); i++) {
		struct tar_header h = header(types[i % BK_ARRAY_SIZE(types)], "a", 0);

		memcpy(h.magic, "ustar ", sizeof(h.magic));
		memcpy(h.version, " ", sizeof(h.version));
		((char *)&h)[at[i / BK_ARRAY_SIZE(types)]] = '1';
		bk_buf_reset(&b);
		put(&b, h);
		put(&b, header('0', "b", 0));
		end(&b);
		refused(&b, "a map of holes");
	}
	/* where a prefix is, it is a prefix */
	bk_buf_reset(&b);
	put(&b, header('0', "a", 0));
	end(&b);
	taken(&b);
}

static void test_end(void **state)
{
	static const char zeros[4 * TAR_BLOCK];
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TAR_MAX);

	(void)state;
	taken(&b); /* nothing at all */
	put(&b, header('0', "a", 5));
	put_body(&b, "12345", 5);
	taken(&b); /* no mark of the end */
	bk_buf_add(&b, zeros, TAR_BLOCK);
	taken(&b);
	bk_buf_add(&b, zeros, sizeof(zeros));
	taken(&b);
	put(&b, header('0', "hidden", 0));
	refused(&b, "something behind its end");
	bk_buf_reset(&b);
	put(&b, header('0', "a", 0));
	bk_buf_add(&b, zeros, TAR_BLOCK);
	put(&b, header('0', "hidden", 0));
	end(&b);
	refused(&b, "something behind its end");
	bk_buf_reset(&b);
	put(&b, header('0', "a", 5));
	refused(&b, "cut short");
	bk_buf_add(&b, "12345", 5);
	refused(&b, "cut short");
	bk_buf_reset(&b);
	bk_buf_add(&b, "ustar", 5);
	refused(&b, "cut short");
}

/* CVE-2025-62518 and its kin: two sizes, two names, headers that say nothing. */
static void test_pax(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TAR_MAX);
	static const char *const malformed[] = {
		"6 a=b",    /* no newline */
		"7 a=b\n",  /* one too long */
		"5 a=b\n",  /* one too short */
		"06 a=b\n", /* a zero in front */
		" 6 a=b\n", "6  a=b\n x",     "a=b\n", "6 ab=\n5 x\n",
		"5 =b\n",   "99999999 a=b\n", "\n",    "-6 a=b\n",
	};
	static const struct {
		const char *records, *message;
	} rows[] = {
		{ "path=", "empty or has a NUL" },
		{ "size=-1", "a size that is none" },
		{ "size=", "a size that is none" },
		{ "size=0x1", "a size that is none" },
		{ "size=9223372036854775808", "a size that is none" },
		{ "size=99999999999999999999", "a size that is none" },
		{ "size=512", "512 bytes by its pax header, and 3" },
		{ "uid=-1", "user '-1'" },
		{ "uid=4294967295", "user '4294967295'" },
		{ "gid=1.5", "group '1.5'" },
		{ "mtime=now", "a time that is none" },
		{ "mtime=1.x", "a time that is none" },
		{ "mtime=", "a time that is none" },
		{ "hdrcharset=KOI8-R", "encoding" },
		{ "SCHILY.xattr.=x", "an attribute of that name" },
		{ "SCHILY.realsize=5", "not supported" },
		{ "GNU.volume.label=x", "not supported" },
		{ "GNU.sparse.major=1", "a sparse file without a size" },
		{ "LIBARCHIVE.xattr.user.a=?", "not base64" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(malformed); i++) {
		with_pax(&b, malformed[i], header('0', "a", 0), "");
		refused(&b, "malformed pax");
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		with_pax(&b, record(rows[i].records), header('0', "a", 3), "abc");
		refused(&b, rows[i].message);
	}
	with_pax(&b, record("comment=of any kind"), header('0', "a", 3), "abc");
	taken(&b);
	bk_buf_reset(&b);
	put(&b, header('x', "pax", 12));
	put_body(&b, "12 path=a\0b\n", 12);
	put(&b, header('0', "a", 0));
	end(&b);
	refused(&b, "empty or has a NUL");
	with_pax(&b, RECORDS("path=a", "path=b"), header('0', "c", 0), "");
	refused(&b, "is repeated");
	with_pax(&b, RECORDS("SCHILY.xattr.user.a=1", "SCHILY.xattr.user.a=2"), header('0', "c", 0),
		 "");
	refused(&b, "is repeated");
}

static void test_order(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TAR_MAX);

	(void)state;
	/* x before L, L before x, x twice, L twice */
	for (int i = 0; i < 4; i++) {
		bk_buf_reset(&b);
		for (int k = 0; k < 2; k++) {
			bool x = i == 2 || (i < 2 && i == k);

			if (x) {
				put_pax(&b, 'x', record("comment=x"));
			} else {
				put(&b, header('L', "././@LongLink", 5));
				put_body(&b, "name", 5);
			}
		}
		put(&b, header('0', "a", 0));
		end(&b);
		refused(&b, i == 2 || i == 1 ? "two extended headers" : "two headers that say");
	}
	/* K and L belong together */
	bk_buf_reset(&b);
	put(&b, header('K', "././@LongLink", 5));
	put_body(&b, "link", 5);
	put(&b, header('L', "././@LongLink", 4));
	put_body(&b, "name", 4);
	put(&b, header('2', "a", 0));
	end(&b);
	taken(&b);
	/* for nothing, and with a NUL in the middle */
	bk_buf_reset(&b);
	put_pax(&b, 'x', record("comment=x"));
	end(&b);
	refused(&b, "without an entry");
	bk_buf_reset(&b);
	put(&b, header('L', "././@LongLink", 5));
	put_body(&b, "n\0me", 5);
	refused(&b, "empty or has a NUL");
	/* global: harmless, or said of an entry */
	bk_buf_reset(&b);
	put_pax(&b, 'g', record("comment=52e7b07"));
	put(&b, header('0', "a", 0));
	end(&b);
	taken(&b);
	bk_buf_reset(&b);
	put_pax(&b, 'g', record("path=other"));
	refused(&b, "a global header that sets 'path'");
	bk_buf_reset(&b);
	put_pax(&b, 'g', record("size=1"));
	refused(&b, "a global header that sets 'size'");
}

static void test_what_is_read(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TAR_MAX);
	struct tar_header h = header('0', "short", 3);
	struct bk_err *err = NULL;
	struct layer_entry e;
	struct reader r;
	bool more;

	(void)state;
	put_pax(&b, 'x',
		RECORDS("path=./long//name", "uid=70000000", "size=3", "mtime=-1.25",
			"LIBARCHIVE.xattr.user.a%2fb=eHg", "SCHILY.xattr.user.a/b=yy",
			"SCHILY.xattr.trusted.overlay.opaque=y"));
	put(&b, h);
	put_body(&b, "abc", 3);
	memcpy(h.prefix, "pre/fix", 8);
	put(&b, h);
	put_body(&b, "abc", 3);
	h = header('\0', "old/", 0);
	memset(h.magic, 0, 8);
	put(&b, h);
	put(&b, header('1', "hard", 0));
	reader_open(&r, &b, NULL);
	assert_ok(layer_tar_next(r.tar, &e, &more, &err), &err);
	assert_string_equal(e.path, "long/name");
	assert_int_equal(e.attrs.uid, 70000000);
	assert_int_equal(e.attrs.gid, 2);
	assert_int_equal(e.size, 3);
	assert_int_equal(e.attrs.mtime.tv_sec, -2);
	assert_int_equal(e.attrs.mtime.tv_nsec, 750000000);
	assert_int_equal(e.attrs.n_xattrs, 1);
	assert_string_equal(e.attrs.xattrs[0].name, "user.a/b");
	assert_memory_equal(e.attrs.xattrs[0].value, "yy", 2);
	assert_ok(layer_tar_next(r.tar, &e, &more, &err), &err);
	assert_string_equal(e.path, "pre/fix/short");
	assert_int_equal(e.attrs.mode, S_IFREG | 0644);
	assert_int_equal(e.attrs.mtime.tv_sec, 01000);
	assert_int_equal(e.attrs.n_xattrs, 0);
	assert_ok(layer_tar_next(r.tar, &e, &more, &err), &err);
	assert_true(S_ISDIR(e.attrs.mode));
	assert_ok(layer_tar_next(r.tar, &e, &more, &err), &err);
	assert_true(e.is_hardlink);
	assert_string_equal(e.link, "target");
	assert_ok(layer_tar_next(r.tar, &e, &more, &err), &err);
	assert_false(more);
	reader_close(&r);
}

static void test_sparse(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TAR_MAX);
	static const struct {
		const char *records[6];
		const char *body, *message; /* NULL: taken */
	} rows[] = {
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=1", "GNU.sparse.map=2,3" },
		  "abc",
		  NULL },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=2", "GNU.sparse.map=2,3" },
		  "abc",
		  "1 pieces instead of 2" },
		{ { "GNU.sparse.size=4", "GNU.sparse.numblocks=1", "GNU.sparse.map=2,3" },
		  "abc",
		  "overlap or lie outside" },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=2", "GNU.sparse.map=2,2,3,1" },
		  "abc",
		  "overlap or lie outside" },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=2", "GNU.sparse.map=4,2,1,1" },
		  "abc",
		  "overlap or lie outside" },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=1", "GNU.sparse.map=2,4" },
		  "abc",
		  "of 4 bytes for 3" },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=1",
		    "GNU.sparse.map=18446744073709551615,3" },
		  "abc",
		  "overlap or lie outside" },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=1", "GNU.sparse.map=2" },
		  "abc",
		  "half a piece" },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=1", "GNU.sparse.map=2,,3" },
		  "abc",
		  "a sparse map that is none" },
		{ { "GNU.sparse.numblocks=1", "GNU.sparse.map=2,3" }, "abc", "without a size" },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=1", "GNU.sparse.offset=2",
		    "GNU.sparse.numbytes=3" },
		  "abc",
		  NULL },
		{ { "GNU.sparse.size=10", "GNU.sparse.numblocks=1", "GNU.sparse.numbytes=3",
		    "GNU.sparse.offset=2" },
		  "abc",
		  "out of place" },
		{ { "GNU.sparse.major=2", "GNU.sparse.minor=0", "GNU.sparse.realsize=10" },
		  "abc",
		  "of version 2.0" },
		{ { "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=10" },
		  "abc",
		  "cut short" },
		{ { "GNU.sparse.major=1", "GNU.sparse.minor=0",
		    "GNU.sparse.realsize=4611686018427387904" },
		  "abc",
		  "cut short" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autobuf struct bk_buf records = BK_BUF_INIT(4096);

		for (size_t k = 0; k < 6 && rows[i].records[k]; k++)
			bk_buf_adds(&records, record(rows[i].records[k]));
		with_pax(&b, bk_buf_str(&records), header('0', "a", strlen(rows[i].body)),
			 rows[i].body);
		if (rows[i].message) {
			refused(&b, rows[i].message);
			continue;
		}
		taken(&b);
		with_pax(&b, bk_buf_str(&records), header('5', "a", 0), "");
		refused(&b, "which is no file");
	}
}

static void test_bounds(void **state)
{
	static const struct layer_opts pax = { .max_pax = 20 }, name = { .max_name = 4 },
				       depth = { .max_depth = 2 }, file = { .max_file = 100 };
	static const struct {
		const struct layer_opts *opts;
		const char *record, *message;
	} rows[] = {
		{ &pax, "comment=longer than that", "at most 20 are taken" },
		{ &name, "path=abcde", "at most 4 are taken" },
		{ &depth, "path=a/b/c", "deeper than 2" },
		{ &file, "size=101", "at most 100 are taken" },
	};
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TAR_MAX);

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		struct bk_err *err = NULL;
		struct reader r;

		with_pax(&b, record(rows[i].record), header('0', "a", i == 3 ? 101 : 0), "");
		reader_open(&r, &b, rows[i].opts);
		assert_err(read_all(&r, &err), &err, BK_ERR_CONFIG, rows[i].message);
		reader_close(&r);
	}
}

static void test_acl(void **state)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(LAYER_ACL_SIZE_MAX);
	static const char *const bad[] = { "user",	   "user:1000",
					   "u:1:rwz",	   "mask:1:rwx",
					   "x::rwx",	   "user:root:rwx",
					   "user:1:r:2:3", "user:4294967295:r--" };
	char *why = NULL;

	(void)state;
	assert_true(layer_acl_encode("user::rwx,group::r-x,other::r-x", false, &out, &why));
	assert_int_equal(out.len, 0);
	assert_true(layer_acl_encode("user::rwx\nuser:7:r-x\ngroup::r-x\nmask::r-x\nother::---\n",
				     false, &out, &why));
	assert_int_equal(out.len, 4 + 5 * 8);
	assert_memory_equal(out.data + 12, "\x02\0\5\0\7\0\0\0",
			    8); /* by tag: user 7 is the second */
	bk_buf_reset(&out);
	assert_true(layer_acl_encode("u::rwx,g::r-x,o:r-x", true, &out, &why));
	assert_int_equal(out.len, 4 + 3 * 8);
	bk_buf_reset(&out);
	assert_true(layer_acl_encode("u::r,u:lisa:w:502,g::r,m:x,o::-", false, &out, &why));
	assert_int_equal(out.len, 4 + 5 * 8);
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		why = NULL;
		assert_false(layer_acl_encode(bad[i], false, &out, &why));
		assert_non_null(why);
		free(why);
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_numbers), cmocka_unit_test(test_headers), cmocka_unit_test(test_no_sparse_file),
	     cmocka_unit_test(test_end), cmocka_unit_test(test_pax), cmocka_unit_test(test_order),
	     cmocka_unit_test(test_what_is_read), cmocka_unit_test(test_sparse),
	     cmocka_unit_test(test_bounds), cmocka_unit_test(test_acl))
