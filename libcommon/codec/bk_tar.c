/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_tar.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"

/* ustar's fields (POSIX.1-2017, pax, "ustar Interchange Format"). */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8], prefix[155],
		pad[12];
};

/* Octal digits and a NUL; false, and 0 written, where the field can't hold it. */
static bool octal(char *field, size_t size, uint64_t value)
{
	bool fits = value < UINT64_C(1) << (3 * (size - 1));

	if (!fits)
		value = 0;
	field[--size] = '\0';
	while (size > 0) {
		field[--size] = (char)('0' + (value & 7));
		value >>= 3;
	}
	return fits;
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

/* A name field needs no NUL at its end. True if that says it all. */
static bool name_field(char *field, size_t size, const char *s)
{
	size_t len = strlen(s);

	memcpy(field, s, len < size ? len : size);
	return len <= size && is_ascii(s);
}

static void checksum(struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned int sum = 0;

	memset(h->chksum, ' ', sizeof(h->chksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	octal(h->chksum, 7, sum);
}

/* "LEN KEY=VALUE\n", where LEN counts itself. */
static void pax_record(struct bk_buf *out, const char *prefix, const char *key, const void *value,
		       size_t len)
{
	size_t rest = strlen(prefix) + strlen(key) + len + strlen(" =\n");
	size_t digits = 1;

	for (size_t limit = 10; rest + digits >= limit; limit *= 10)
		digits++;
	bk_buf_printf(out, "%zu %s%s=", rest + digits, prefix, key);
	bk_buf_add(out, value, len);
	bk_buf_addc(out, '\n');
}

static void pax_text(struct bk_buf *out, const char *key, const char *value)
{
	pax_record(out, "", key, value, strlen(value));
}

static void pax_number(struct bk_buf *out, const char *key, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	pax_text(out, key, text);
}

/* In decimal, as pax has it: -1 s and 3/4 s are "-0.25...". */
static void pax_time(struct bk_buf *out, int64_t sec, uint32_t nsec)
{
	bool minus = sec < 0;
	char text[48];

	if (nsec == 0) {
		pax_number(out, "mtime", sec);
		return;
	}
	snprintf(text, sizeof(text), "%s%lld.%09u", minus ? "-" : "", (long long)(minus ? -(sec + 1) : sec),
		 minus ? 1000000000 - nsec : nsec);
	pax_text(out, "mtime", text);
}

static char type_of(const struct bk_tar_entry *e)
{
	if (e->hardlink)
		return '1';
	switch (e->mode & S_IFMT) {
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '0';
	}
}

bool bk_tar_has_content(const struct bk_tar_entry *e)
{
	return type_of(e) == '0';
}

size_t bk_tar_padding(uint64_t size)
{
	size_t over = (size_t)(size % BK_TAR_BLOCK);

	return over ? BK_TAR_BLOCK - over : 0;
}

/* Fills the header, and pax with what does not fit into it. */
static void describe(const struct bk_tar_entry *e, struct header *h, struct bk_buf *pax)
{
	bk_autofree char *name = bk_asprintf("%s%s", e->path, S_ISDIR(e->mode) ? "/" : "");

	memset(h, 0, sizeof(*h));
	memcpy(h->magic, "ustar", sizeof("ustar"));
	memcpy(h->version, "00", sizeof(h->version));
	h->type = type_of(e);
	octal(h->mode, sizeof(h->mode), e->mode & 07777);
	if (!name_field(h->name, sizeof(h->name), name))
		pax_text(pax, "path", name);
	if (e->link && !name_field(h->link, sizeof(h->link), e->link))
		pax_text(pax, "linkpath", e->link);
	if (!octal(h->size, sizeof(h->size), e->size))
		pax_number(pax, "size", (int64_t)e->size);
	if (!octal(h->uid, sizeof(h->uid), e->uid))
		pax_number(pax, "uid", e->uid);
	if (!octal(h->gid, sizeof(h->gid), e->gid))
		pax_number(pax, "gid", e->gid);
	/* a time before 1970 is, without its sign, one that doesn't fit */
	if (!octal(h->mtime, sizeof(h->mtime), (uint64_t)e->mtime) || e->mtime_nsec)
		pax_time(pax, e->mtime, e->mtime_nsec);
	octal(h->devmajor, sizeof(h->devmajor), major(e->rdev));
	octal(h->devminor, sizeof(h->devminor), minor(e->rdev));
	for (size_t i = 0; i < e->n_xattrs; i++)
		pax_record(pax, "SCHILY.xattr.", e->xattrs[i].name, e->xattrs[i].value,
			   e->xattrs[i].size);
}

static void put_zeros(struct bk_buf *out, size_t n)
{
	static const char zeros[BK_TAR_BLOCK];

	bk_buf_add(out, zeros, n);
}

static void put_pax(struct bk_buf *out, const struct bk_buf *pax)
{
	struct header h = { .type = 'x', .name = "pax", .magic = "ustar", .version = { '0', '0' } };

	octal(h.mode, sizeof(h.mode), 0644);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), pax->len);
	octal(h.mtime, sizeof(h.mtime), 0);
	checksum(&h);
	bk_buf_add(out, &h, sizeof(h));
	bk_buf_add(out, pax->data, pax->len);
	put_zeros(out, bk_tar_padding(pax->len));
}

int bk_tar_header(const struct bk_tar_entry *e, struct bk_buf *out, struct bk_err **err)
{
	bk_autobuf struct bk_buf pax = BK_BUF_INIT(BK_TAR_PAX_MAX);
	struct header h;
	int rc;

	_Static_assert(sizeof(struct header) == BK_TAR_BLOCK, "a tar header is one block");
	describe(e, &h, &pax);
	rc = bk_buf_check(&pax, "what tar is to say of a file", err);
	if (rc < 0)
		return rc;
	if (pax.len > 0)
		put_pax(out, &pax);
	checksum(&h);
	bk_buf_add(out, &h, sizeof(h));
	return bk_buf_check(out, "headers of a tar", err);
}
