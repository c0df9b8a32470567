/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_facts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_map.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "digest/bk_digest.h"
#include "store/store_priv.h"

#define STAMPS_MAX   3 /* an index, a manifest, a configuration; images of nested indexes are not kept */
#define STAMP_FIELDS 5
#define FIXED_FIELDS 7
#define FIELDS_MAX   (FIXED_FIELDS + STAMPS_MAX * STAMP_FIELDS)

/* A document, as it was when its digest was right. */
struct stamp {
	const char *digest;
	uint64_t size, inode, sec, nsec; /* of its last change */
};

struct entry {
	const char *digest, *media_type; /* of the entry of index.json */
	uint64_t size;
	struct store_fact fact;
	struct stamp stamps[STAMPS_MAX];
	size_t n_stamps;
	bool live;	    /* among those that will be written */
	struct entry *next; /* of these */
};

struct store_facts {
	const struct store *store;
	struct timespec now;
	struct bk_arena *arena;
	struct bk_buf text; /* the file; lines are cut up in it */
	struct bk_map *by_digest;
	struct entry *first, **end; /* what will be written */
	size_t added;
};

/* ---- documents ----------------------------------------------------------------------------------- */

static bool take_stamp(const struct store *s, const char *digest, struct stamp *ret)
{
	char path[STORE_BLOB_PATH_MAX];
	struct stat st;

	if (store_blob_path_(digest, path, NULL) < 0 || fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_ctim.tv_sec < 0)
		return false;
	*ret = (struct stamp){
		.digest = digest,
		.size = (uint64_t)st.st_size,
		.inode = st.st_ino,
		.sec = (uint64_t)st.st_ctim.tv_sec,
		.nsec = (uint64_t)st.st_ctim.tv_nsec,
	};
	return true;
}

static bool is_unchanged(const struct store *s, const struct stamp *was)
{
	struct stamp is;

	return take_stamp(s, was->digest, &is) && is.size == was->size && is.inode == was->inode && is.sec == was->sec &&
	       is.nsec == was->nsec;
}

/* ---- reading ------------------------------------------------------------------------------------- */

/* The numbers of a line. */
static bool read_number(const char *text, uint64_t *ret)
{
	return bk_num_u64(text, UINT64_MAX, ret, NULL) == 0;
}

static bool read_stamp(char *const *field, struct stamp *ret)
{
	ret->digest = field[0];
	return read_number(field[1], &ret->size) && read_number(field[2], &ret->inode) && read_number(field[3], &ret->sec) &&
	       read_number(field[4], &ret->nsec);
}

/* One line, which is cut up; false: it is none of ours. */
static bool read_line(struct store_facts *f, char *line)
{
	struct entry *e = bk_arena_alloc(f->arena, sizeof(*e));
	char *field[FIELDS_MAX];
	size_t n = 0;

	while (n < FIELDS_MAX) {
		field[n++] = line;
		line = strchr(line, '\t');
		if (!line)
			break;
		*line++ = '\0';
	}
	/* line: there is more than it can have */
	if (line || n <= FIXED_FIELDS || (n - FIXED_FIELDS) % STAMP_FIELDS != 0)
		return false;
	e->digest = field[0];
	e->media_type = field[1];
	e->fact = (struct store_fact){ .id = field[3], .platform = field[4], .created = *field[5] ? field[5] : NULL };
	e->n_stamps = (n - FIXED_FIELDS) / STAMP_FIELDS;
	for (size_t i = 0; i < e->n_stamps; i++)
		if (!read_stamp(&field[FIXED_FIELDS + i * STAMP_FIELDS], &e->stamps[i]))
			return false;
	if (!read_number(field[2], &e->size) || !read_number(field[6], &e->fact.size))
		return false;
	(void)bk_map_set(f->by_digest, e->digest, e);
	return true;
}

/* The first line: what of, by which machine, and the digest of the rest. */
static char *header(const void *data, size_t len)
{
	char digest[BK_DIGEST_TEXT_SIZE];

	bk_digest_of(BK_DIGEST_SHA256, data, len, digest);
	return bk_asprintf("bock-image facts 1 %s %s\n", store_machine_arch(), digest);
}

/* The whole file; whoever may write the caller's or root's files may write all of the store. */
static bool read_file(const struct store *s, struct bk_buf *text)
{
	bk_autoclose int fd = openat(s->fd, STORE_FACTS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t room = 0;
	ssize_t n;
	char *to;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) || st.st_size <= 0 || (uint64_t)st.st_size > text->max)
		return false;
	to = bk_buf_room(text, (size_t)st.st_size, &room);
	if (room < (size_t)st.st_size)
		return false;
	n = bk_fd_read_full(fd, to, (size_t)st.st_size);
	if (n != st.st_size)
		return false;
	bk_buf_extend(text, (size_t)n);
	return true;
}

static bool read_facts(struct store_facts *f)
{
	bk_autofree char *expected = NULL;
	char *next, *line;

	if (!read_file(f->store, &f->text))
		return false;
	line = memchr(f->text.data, '\n', f->text.len);
	if (!line)
		return false;
	line++;
	expected = header(line, f->text.len - (size_t)(line - f->text.data));
	if (strncmp(f->text.data, expected, strlen(expected)) != 0 || memchr(f->text.data, '\0', f->text.len))
		return false;
	for (; *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			return false;
		*next++ = '\0';
		if (!read_line(f, line))
			return false;
	}
	return true;
}

struct store_facts *store_facts_open(const struct store *s, struct timespec now)
{
	struct store_facts *f = bk_calloc(1, sizeof(*f));

	f->store = s;
	f->now = now;
	f->end = &f->first;
	f->arena = bk_arena_new();
	f->text = (struct bk_buf)BK_BUF_INIT(STORE_FACTS_MAX);
	f->by_digest = bk_map_new(NULL);
	if (!read_facts(f)) {
		bk_map_free(f->by_digest);
		f->by_digest = bk_map_new(NULL);
	}
	return f;
}

static void keep(struct store_facts *f, struct entry *e)
{
	if (e->live)
		return;
	e->live = true;
	*f->end = e;
	f->end = &e->next;
}

bool store_facts_find(struct store_facts *f, const struct oci_descriptor *d, struct store_fact *ret)
{
	struct entry *e = bk_map_get(f->by_digest, d->digest);

	if (!e || !bk_streq(e->media_type, d->media_type) || d->size < 0 || (uint64_t)d->size != e->size)
		return false;
	for (size_t i = 0; i < e->n_stamps; i++)
		if (!is_unchanged(f->store, &e->stamps[i]))
			return false;
	keep(f, e);
	*ret = e->fact;
	return true;
}

/* ---- writing ------------------------------------------------------------------------------------- */

/* What a field can hold. */
static bool is_plain(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return *text != '\0';
}

static bool is_old(const struct store_facts *f, const struct stamp *s)
{
	return f->now.tv_sec > STORE_FACTS_AGE && s->sec < (uint64_t)f->now.tv_sec - STORE_FACTS_AGE;
}

static bool add_stamp(const struct store_facts *f, const char *digest, struct entry *e)
{
	struct stamp *s = &e->stamps[e->n_stamps];

	/* after the document was read: what has changed it meanwhile has made it young */
	if (!take_stamp(f->store, digest, s) || !is_old(f, s))
		return false;
	s->digest = bk_arena_strdup(f->arena, digest);
	e->n_stamps++;
	return true;
}

void store_facts_add(struct store_facts *f, const struct oci_descriptor *d, const struct store_image *image,
		     const struct store_fact *fact)
{
	struct entry *e;

	if (image->n_indexes > 1 || d->size < 0 || !is_plain(d->media_type) || !is_plain(fact->id) || !is_plain(fact->platform) ||
	    (fact->created && !is_plain(fact->created)))
		return;
	e = bk_arena_alloc(f->arena, sizeof(*e));
	if (!add_stamp(f, d->digest, e) || (image->n_indexes == 1 && !add_stamp(f, image->desc.digest, e)) ||
	    !add_stamp(f, image->manifest.config->digest, e))
		return;
	e->digest = e->stamps[0].digest;
	e->media_type = bk_arena_strdup(f->arena, d->media_type);
	e->size = (uint64_t)d->size;
	e->fact = (struct store_fact){
		.id = bk_arena_strdup(f->arena, fact->id),
		.platform = bk_arena_strdup(f->arena, fact->platform),
		.created = fact->created ? bk_arena_strdup(f->arena, fact->created) : NULL,
		.size = fact->size,
	};
	(void)bk_map_set(f->by_digest, e->digest, e);
	keep(f, e);
	f->added++;
}

static void write_entry(const struct entry *e, struct bk_buf *out)
{
	bk_buf_printf(out, "%s\t%s\t%" PRIu64 "\t%s\t%s\t%s\t%" PRIu64, e->digest, e->media_type, e->size, e->fact.id,
		      e->fact.platform, e->fact.created ? e->fact.created : "", e->fact.size);
	for (size_t i = 0; i < e->n_stamps; i++) {
		const struct stamp *s = &e->stamps[i];

		bk_buf_printf(out, "\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, s->digest, s->size, s->inode,
			      s->sec, s->nsec);
	}
	bk_buf_addc(out, '\n');
}

void store_facts_save(const struct store_facts *f)
{
	bk_autobuf struct bk_buf lines = BK_BUF_INIT(STORE_FACTS_MAX);
	bk_autobuf struct bk_buf all = BK_BUF_INIT(STORE_FACTS_MAX);
	bk_autofree char *first = NULL;
	struct stat st;

	/* without the lease gc might take the unfinished file away; another's store is not filled with our files */
	if (f->added == 0 || f->store->lease < 0 || fstatat(f->store->fd, STORE_PRIVATE, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return;
	for (const struct entry *e = f->first; e; e = e->next)
		write_entry(e, &lines);
	first = header(bk_buf_str(&lines), lines.len);
	bk_buf_adds(&all, first);
	bk_buf_add(&all, bk_buf_str(&lines), lines.len);
	if (lines.overflow || all.overflow)
		return;
	(void)bk_file_write_atomic(f->store->fd, STORE_FACTS, all.data, all.len, 0600, false, NULL);
}

void store_facts_free(struct store_facts *f)
{
	if (!f)
		return;
	bk_map_free(f->by_digest);
	bk_buf_done(&f->text);
	bk_arena_free(f->arena);
	free(f);
}
