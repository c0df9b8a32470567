/* SPDX-License-Identifier: Apache-2.0 */
/* Extended headers: POSIX.1-2001 pax, and the keys of GNU tar, star (SCHILY) and libarchive. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_base64.h"
#include "layer/layer_acl.h"
#include "layer/layer_tar_priv.h"

#define XATTR_NAME_MAX 255 /* linux/limits.h */
#define RECORD_DIGITS  7   /* of a record's length: max_pax is below that */
#define NSEC_DIGITS    9

void tar_said_clear_(struct tar_said *s)
{
	for (size_t i = 0; i < s->n_xattrs; i++) {
		free(s->xattrs[i].name);
		free(s->xattrs[i].value);
	}
	free(s->xattrs);
	free(s->path);
	free(s->link);
	free(s->sparse_name);
	free(s->left_out);
	free(s->sparse.extents);
	*s = (struct tar_said){ 0 };
}

/* ---- attributes --------------------------------------------------------------------------------- */

/* Where it is, or n_xattrs. */
static size_t find_xattr(const struct tar_said *s, const char *name)
{
	size_t i = 0;

	while (i < s->n_xattrs && !bk_streq(s->xattrs[i].name, name))
		i++;
	return i;
}

static int add_xattr(struct layer_tar *t, const char *name, const void *value, size_t size,
		     bool from_archive, struct bk_err **err)
{
	struct tar_said *s = &t->said;

	if (!*name || strlen(name) > XATTR_NAME_MAX)
		return tar_bad_(t, err, "an attribute of that name: '%.64s'", name);
	if (!layer_xattr_taken(name))
		return 0;
	if (s->n_xattrs >= LAYER_XATTRS_MAX)
		return tar_bad_(t, err, "more than %d attributes", LAYER_XATTRS_MAX);
	s->from_archive[s->n_xattrs] = from_archive;
	s->xattrs = bk_reallocarray(s->xattrs, s->n_xattrs + 1, sizeof(*s->xattrs));
	s->xattrs[s->n_xattrs++] = (struct layer_xattr){
		.name = bk_strdup(name),
		.value = bk_memdup(size ? value : "", size ? size : 1),
		.size = size,
	};
	return 0;
}

static int take_xattr(struct layer_tar *t, const char *name, const char *value, size_t len,
		      struct bk_err **err)
{
	struct tar_said *s = &t->said;
	size_t i = find_xattr(s, name);

	if (i == s->n_xattrs)
		return add_xattr(t, name, value, len, false, err);
	if (!s->from_archive[i])
		return tar_bad_(t, err, "the attribute '%s' is repeated", name);
	s->from_archive[i] = false;
	free(s->xattrs[i].value);
	s->xattrs[i].value = bk_memdup(len ? value : "", len ? len : 1);
	s->xattrs[i].size = len;
	return 0;
}

static int hex_of(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* "%41" -> "A" */
static char *percent_decode(const char *text)
{
	char *out = bk_strdup(text), *to = out;

	for (const char *p = text; *p; p++) {
		int high = *p == '%' ? hex_of(p[1]) : -1;
		int low = high >= 0 ? hex_of(p[2]) : -1;

		*to++ = low >= 0 ? (char)(high << 4 | low) : *p;
		p += low >= 0 ? 2 : 0;
	}
	*to = '\0';
	return out;
}

/* libarchive writes each twice; what only it says is taken, without padding as it writes it. */
static int take_archive_xattr(struct layer_tar *t, const char *name, const char *value, size_t len,
			      struct bk_err **err)
{
	bk_autofree char *plain = percent_decode(name);
	bk_autobuf struct bk_buf text = BK_BUF_INIT(t->max_pax + 4);
	bk_autofree unsigned char *bytes = NULL;
	size_t n;

	if (find_xattr(&t->said, plain) < t->said.n_xattrs)
		return 0;
	(void)bk_buf_add(&text, value, len);
	while (text.len % 4)
		(void)bk_buf_addc(&text, '=');
	if (bk_base64_decode(bk_buf_str(&text), text.len, &bytes, &n, NULL) < 0)
		return tar_bad_(t, err, "the attribute '%s' is not base64", plain);
	return add_xattr(t, plain, bytes, n, true, err);
}

static int take_acl(struct layer_tar *t, const char *name, bool is_default, const char *value,
		    struct bk_err **err)
{
	bk_autobuf struct bk_buf acl = BK_BUF_INIT(LAYER_ACL_SIZE_MAX);
	char *why = NULL;

	if (!layer_acl_encode(value, is_default, &acl, &why)) {
		free(t->said.left_out);
		t->said.left_out = why;
		return 0;
	}
	return acl.len == 0 || find_xattr(&t->said, name) < t->said.n_xattrs
		       ? 0
		       : add_xattr(t, name, acl.data, acl.len, false, err);
}

static int take_acl_access(struct layer_tar *t, const char *name, const char *value, size_t len,
			   struct bk_err **err)
{
	(void)name;
	(void)len;
	return take_acl(t, LAYER_ACL_ACCESS, false, value, err);
}

static int take_acl_default(struct layer_tar *t, const char *name, const char *value, size_t len,
			    struct bk_err **err)
{
	(void)name;
	(void)len;
	return take_acl(t, LAYER_ACL_DEFAULT, true, value, err);
}

/* ---- what the header has too --------------------------------------------------------------------- */

static int take_name(struct layer_tar *t, char **to, const char *value, size_t len,
		     struct bk_err **err)
{
	if (len == 0 || strlen(value) != len)
		return tar_bad_(t, err, "a name that is empty or has a NUL in it");
	*to = bk_strdup(value);
	return 0;
}

static int take_path(struct layer_tar *t, const char *name, const char *value, size_t len,
		     struct bk_err **err)
{
	(void)name;
	return take_name(t, &t->said.path, value, len, err);
}

static int take_linkpath(struct layer_tar *t, const char *name, const char *value, size_t len,
			 struct bk_err **err)
{
	(void)name;
	return take_name(t, &t->said.link, value, len, err);
}

static int take_size(struct layer_tar *t, const char *name, const char *value, size_t len,
		     struct bk_err **err)
{
	(void)name;
	if (!tar_decimal_(value, len, &t->said.size) || t->said.size > INT64_MAX)
		return tar_bad_(t, err, "a size that is none");
	t->said.has_size = true;
	return 0;
}

static int take_id(struct layer_tar *t, const char *name, const char *value, size_t len,
		   struct bk_err **err)
{
	bool user = *name == 'u';
	uint64_t id;

	if (!tar_decimal_(value, len, &id) || id >= UINT32_MAX)
		return tar_bad_(t, err, "%s '%.32s' is none", user ? "user" : "group", value);
	if (user) {
		t->said.has_uid = true;
		t->said.uid = (unsigned int)id;
	} else {
		t->said.has_gid = true;
		t->said.gid = (unsigned int)id;
	}
	return 0;
}

/* "-1.5" is a second and a half before 1970; digits past nanoseconds are cut. */
static bool parse_time(const char *text, size_t len, struct timespec *ret)
{
	bool minus = len > 0 && *text == '-';
	const char *dot = memchr(text, '.', len);
	const char *start = text + minus;
	size_t whole = (size_t)((dot ? dot : text + len) - start);
	uint64_t sec;
	long nsec = 0;

	if (!tar_decimal_(start, whole, &sec) || sec > INT64_MAX / 2)
		return false;
	if (dot) {
		size_t rest = len - (size_t)(dot + 1 - text);

		for (size_t i = 0; i < rest; i++)
			if (dot[1 + i] < '0' || dot[1 + i] > '9')
				return false;
		for (size_t i = 0; i < NSEC_DIGITS; i++)
			nsec = nsec * 10 + (i < rest ? dot[1 + i] - '0' : 0);
	}
	ret->tv_sec = minus ? -(time_t)sec : (time_t)sec;
	ret->tv_nsec = nsec;
	if (minus && nsec > 0) {
		ret->tv_sec--;
		ret->tv_nsec = 1000000000 - nsec;
	}
	return true;
}

static int take_mtime(struct layer_tar *t, const char *name, const char *value, size_t len,
		      struct bk_err **err)
{
	(void)name;
	if (!parse_time(value, len, &t->said.mtime))
		return tar_bad_(t, err, "a time that is none: '%.32s'", value);
	t->said.has_mtime = true;
	return 0;
}

/* Names are bytes to us: both mean that. */
static int take_charset(struct layer_tar *t, const char *name, const char *value, size_t len,
			struct bk_err **err)
{
	(void)name;
	(void)len;
	if (!bk_streq(value, "BINARY") && !bk_streq(value, "ISO-IR 10646 2000 UTF-8"))
		return tar_bad_(t, err, "names in the encoding '%.64s'", value);
	return 0;
}

static int refuse(struct layer_tar *t, const char *name, const char *value, size_t len,
		  struct bk_err **err)
{
	(void)value;
	(void)len;
	return tar_bad_(t, err, "a record '%.64s', which is not supported", name);
}

/* ---- records ------------------------------------------------------------------------------------ */

/* What readers ignore is not here. A prefix ends in '.'; its rows get what stands behind it. */
static const struct key {
	const char *key;
	int (*take)(struct layer_tar *t, const char *name, const char *value, size_t len,
		    struct bk_err **err);
	bool global; /* harmless in a global header */
} keys[] = {
	{ "path", take_path, false },
	{ "linkpath", take_linkpath, false },
	{ "size", take_size, false },
	{ "uid", take_id, false },
	{ "gid", take_id, false },
	{ "mtime", take_mtime, false },
	{ "hdrcharset", take_charset, true },
	{ "SCHILY.xattr.", take_xattr, false },
	{ "LIBARCHIVE.xattr.", take_archive_xattr, false },
	{ "SCHILY.acl.access", take_acl_access, false },
	{ "SCHILY.acl.default", take_acl_default, false },
	{ "GNU.sparse.", tar_sparse_take_, false },
	{ "GNU.dumpdir", refuse, false },
	{ "GNU.volume.", refuse, false },
	{ "SCHILY.realsize", refuse, false },
	{ "SCHILY.devmajor", refuse, false },
	{ "SCHILY.devminor", refuse, false },
	{ "SCHILY.filetype", refuse, false },
};

static int take_record(struct layer_tar *t, const char *name, const char *value, size_t len,
		       bool global, struct bk_err **err)
{
	for (size_t i = 0; i < BK_ARRAY_SIZE(keys); i++) {
		const struct key *k = &keys[i];
		bool prefix = k->key[strlen(k->key) - 1] == '.';
		const char *rest = bk_skip_prefix(name, k->key);

		if (!rest || (!prefix && *rest))
			continue;
		if (global && !k->global)
			return tar_bad_(t, err, "a global header that sets '%.64s'", name);
		if (!prefix && (t->said.seen & (1u << i)))
			return tar_bad_(t, err, "the record '%s' is repeated", name);
		t->said.seen |= global ? 0 : 1u << i;
		return k->take(t, prefix ? rest : name, value, len, err);
	}
	return 0;
}

/* "LENGTH KEY=VALUE\n": *ret_len is LENGTH, *ret_digits how long that is. */
static bool record_length(const char *text, size_t len, size_t *ret_len, size_t *ret_digits)
{
	size_t n = 0;
	uint64_t value;

	while (n < len && n < RECORD_DIGITS + 1 && text[n] != ' ')
		n++;
	if (n == len || n > RECORD_DIGITS || text[n] != ' ' || *text == '0' ||
	    !tar_decimal_(text, n, &value) || value > len || value < n + 4)
		return false;
	*ret_len = (size_t)value;
	*ret_digits = n;
	return text[value - 1] == '\n';
}

int tar_pax_parse_(struct layer_tar *t, char *text, size_t len, bool global, struct bk_err **err)
{
	while (len > 0) {
		size_t n, digits;
		char *name, *value;
		int rc;

		if (!record_length(text, len, &n, &digits))
			return tar_bad_(t, err, "a malformed pax header");
		name = text + digits + 1;
		value = memchr(name, '=', n - digits - 2);
		if (!value || value == name || memchr(name, '\0', (size_t)(value - name)))
			return tar_bad_(t, err, "a malformed pax header");
		*value++ = '\0';
		text[n - 1] = '\0';
		rc = take_record(t, name, value, (size_t)(text + n - 1 - value), global, err);
		if (rc < 0)
			return rc;
		text += n;
		len -= n;
	}
	return 0;
}
