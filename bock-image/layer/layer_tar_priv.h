/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the tar parser share. */
#ifndef LAYER_TAR_PRIV_H
#define LAYER_TAR_PRIV_H

#include "base/bk_buf.h"
#include "layer/layer_tar.h"

#define TAR_BLOCK 512
#define TAR_SPARSE_MAX ((size_t)1 << 18)	/* extents of one file */

/* POSIX.1-1988 with 1003.1-2001's magic; and the places where GNU's old form differs. */
struct tar_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char chksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	union {
		char prefix[155];
		struct {
			char times[41];
			char sparse[96];	/* four extents */
			char extended;		/* more of them in a block behind this */
			char realsize[12];
		} gnu;
	};
	char pad[12];
};

struct tar_extent {
	uint64_t offset, size;
};

/* The map of a sparse file, as far as headers have said. */
struct tar_sparse {
	bool any;			/* one of GNU.sparse.* */
	bool has_major, has_minor, has_real, has_count;
	uint64_t major, minor, real, count;
	bool half;			/* an offset without its size */
	struct tar_extent *extents;
	size_t n;
};

/* What extended headers said of the next entry. */
struct tar_said {
	bool any;			/* there was one */
	uint32_t seen;			/* rows of the table of keys */
	char *path, *link, *sparse_name;
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size;
	unsigned int uid, gid;
	struct timespec mtime;
	struct layer_xattr *xattrs;
	size_t n_xattrs;
	bool from_archive[LAYER_XATTRS_MAX];	/* which of them only libarchive's record has given so far */
	char *left_out;
	struct tar_sparse sparse;
};

struct layer_tar {
	struct layer_stream *stream;
	size_t max_name, max_pax;
	unsigned int max_depth;
	uint64_t max_file;
	const unsigned char *data;	/* what is left of the stream's block */
	size_t len;
	uint64_t at;			/* bytes read so far */
	uint64_t body;			/* of the entry, as stored, not yet read */
	unsigned int pad;		/* behind it */
	struct tar_header header;
	struct tar_said said;
	char *long_name, *long_link;	/* of GNU's headers before the entry */
	char *path, *link;		/* of the entry */
	bool sparse;			/* the entry's content has the map said.sparse */
	uint64_t real;			/* its size with holes */
};

/* -BK_ERR_CONFIG with where in the tar it is. */
int tar_bad_(const struct layer_tar *t, struct bk_err **err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));
/* Makes t->len more than 0, but at the end; and takes n of those bytes. */
int tar_need_(struct layer_tar *t, struct bk_err **err);
void tar_advance_(struct layer_tar *t, size_t n);
/* Exactly n bytes; an end before that is an error. */
int tar_read_(struct layer_tar *t, void *buf, size_t n, struct bk_err **err);
/* Notes that a body of so many bytes follows; and leaves it behind, with its padding. */
int tar_start_body_(struct layer_tar *t, uint64_t size, struct bk_err **err);
int tar_skip_body_(struct layer_tar *t, struct bk_err **err);
/* Reads headers up to the one of an entry; *ret_size is what that says of its body. */
int tar_next_header_(struct layer_tar *t, uint64_t *ret_size, bool *ret_more, struct bk_err **err);
/* Whether the header is of the form that has a prefix. */
bool tar_is_ustar_(const struct tar_header *h);
/* A number of the header, within bounds. */
int tar_header_number_(const struct layer_tar *t, const char *what, const char *field, size_t len,
		       int64_t min, int64_t max, int64_t *ret, struct bk_err **err);
#define TAR_NUMBER(t, field, min, max, ret, err)                                                    \
	tar_header_number_(t, #field, (t)->header.field, sizeof((t)->header.field), min, max, ret, err)
/* An octal or base-256 number of a header; false: it is none. Base-256 ones may be negative. */
bool tar_number_(const char *field, size_t len, int64_t *ret);
/* Decimal, digits only, all of len bytes. */
bool tar_decimal_(const char *text, size_t len, uint64_t *ret);

void tar_said_clear_(struct tar_said *s);
/* The records of an extended header, or of a global one. text is changed. */
int tar_pax_parse_(struct layer_tar *t, char *text, size_t len, bool global, struct bk_err **err);

/* One of GNU.sparse.*: name is what stands behind that. */
int tar_sparse_take_(struct layer_tar *t, const char *name, const char *value, size_t len,
		     struct bk_err **err);
/* Completes the map of the entry whose header was read, from the header or from the body, and checks it. */
int tar_sparse_read_(struct layer_tar *t, struct bk_err **err);

#endif
