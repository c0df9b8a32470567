/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_json.h"

#include <stdio.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "codec/bk_doc_store.h"
#include "codec/bk_utf8.h"

/* ---- yajl's events to the reader's ----------------------------------------------------------- */

struct decoder {
	struct bk_doc_reader reader;
	int rc; /* of the event that stopped the parser */
};

/* yajl goes on where a callback returns other than 0. */
static int result(struct decoder *d, int rc)
{
	d->rc = rc;
	return rc == 0;
}

static int on_scalar(struct decoder *d, enum bk_doc_node node, const char *text, size_t len)
{
	struct bk_doc_scalar s = { .node = node, .text = text, .len = len };

	return result(d, bk_doc_reader_scalar(&d->reader, &s));
}

static int on_null(void *ctx)
{
	return on_scalar(ctx, BK_DOC_NODE_NULL, "null", 4);
}

static int on_boolean(void *ctx, int value)
{
	return value ? on_scalar(ctx, BK_DOC_NODE_BOOL, "true", 4)
		     : on_scalar(ctx, BK_DOC_NODE_BOOL, "false", 5);
}

static int on_number(void *ctx, const char *text, size_t len)
{
	return on_scalar(ctx, BK_DOC_NODE_NUMBER, text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	return on_scalar(ctx, BK_DOC_NODE_STRING, (const char *)text, len);
}

static int on_start_map(void *ctx)
{
	struct decoder *d = ctx;

	return result(d, bk_doc_reader_begin(&d->reader, true));
}

static int on_start_array(void *ctx)
{
	struct decoder *d = ctx;

	return result(d, bk_doc_reader_begin(&d->reader, false));
}

static int on_map_key(void *ctx, const unsigned char *key, size_t len)
{
	struct decoder *d = ctx;

	return result(d, bk_doc_reader_key(&d->reader, (const char *)key, len));
}

static int on_end(void *ctx)
{
	struct decoder *d = ctx;

	return result(d, bk_doc_reader_end(&d->reader));
}

/* With yajl_number, numbers come as text: uint64 would not fit into yajl's long long. */
static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_map_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end,
};

static void *yajl_malloc_(void *ctx, size_t size)
{
	(void)ctx;
	return bk_malloc(size);
}

static void *yajl_realloc_(void *ctx, void *p, size_t size)
{
	(void)ctx;
	return bk_reallocarray(p, size, 1);
}

static void yajl_free_(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

/* ---- before and after the parser ------------------------------------------------------------- */

static int fail_text(const char *text, size_t offset, struct bk_err **err, const char *why)
{
	size_t line = 1;
	size_t start = 0;

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "line %zu, column %zu (byte %zu): %s", line,
			  offset - start + 1, offset, why);
}

static bool is_hex_of(const char *s, const char *first, const char *second)
{
	return strchr(first, s[0]) && s[0] && strchr(second, s[1]) && s[1];
}

/* The escape s[0..len), which begins with \u: does it stand for half a character of UTF-16? */
static bool is_surrogate(const char *s, size_t len, const char *second)
{
	return len >= 6 && s[0] == '\\' && s[1] == 'u' && is_hex_of(s + 2, "dD", second);
}

/*
 * The offset of the first escaped surrogate without its partner, which yajl would silently turn
 * into '?' or into bytes that are no UTF-8; len where there is none. Escapes occur in strings only, so
 * what a text does elsewhere with a backslash the parser refuses anyway.
 */
static size_t find_lone_surrogate(const char *text, size_t len)
{
	static const char high[] = "89abAB";
	static const char low[] = "cdefCDEF";
	const char *end = text + len;
	const char *p = text;

	while (p < end && (p = memchr(p, '\\', (size_t)(end - p)))) {
		if (is_surrogate(p, (size_t)(end - p), low))
			return (size_t)(p - text);
		if (!is_surrogate(p, (size_t)(end - p), high)) {
			p += 2;
			continue;
		}
		if (!is_surrogate(p + 6, (size_t)(end - p) - 6, low))
			return (size_t)(p - text);
		p += 12;
	}
	return len;
}

static int check_text(const char *text, size_t len, const struct bk_doc_limits *limits,
		      struct bk_err **err)
{
	size_t at;

	if (len > limits->max_size)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "larger than %zu bytes", limits->max_size);
	at = bk_utf8_check(text, len);
	if (at < len)
		return fail_text(text, at, err, "not UTF-8");
	at = find_lone_surrogate(text, len);
	if (at < len)
		return fail_text(text, at, err, "half of a surrogate pair");
	return 0;
}

/* yajl's message of a syntax error, without its line end. */
static int fail_syntax(yajl_handle yajl, const char *text, size_t len, struct bk_err **err)
{
	size_t offset = yajl_get_bytes_consumed(yajl);
	unsigned char *message = yajl_get_error(yajl, 0, NULL, 0);
	char why[128];
	int rc;

	snprintf(why, sizeof(why), "not JSON: %.*s",
		 message ? (int)strcspn((const char *)message, ".\n") : 0,
		 message ? (const char *)message : "");
	/* yajl counts the token that it stumbled over */
	offset = offset < len ? offset : len;
	rc = fail_text(text, offset > 0 ? offset - 1 : 0, err, why);
	yajl_free_error(yajl, message);
	return rc;
}

static int run_yajl(struct decoder *d, const char *text, size_t len, struct bk_err **err)
{
	yajl_alloc_funcs memory = { yajl_malloc_, yajl_realloc_, yajl_free_, NULL };
	yajl_handle yajl = yajl_alloc(&callbacks, &memory, d);
	yajl_status status;
	int rc = 0;

	/* check_text() has done that, for the whole text and more strictly */
	yajl_config(yajl, yajl_dont_validate_strings, 1);
	status = yajl_parse(yajl, (const unsigned char *)text, len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(yajl);
	if (d->rc < 0)
		rc = d->rc;
	else if (status != yajl_status_ok)
		rc = fail_syntax(yajl, text, len, err);
	yajl_free(yajl);
	return rc;
}

static int decode(struct decoder *d, const char *text, size_t len,
		  const struct bk_doc_limits *limits, struct bk_err **err)
{
	int rc = check_text(text, len, limits, err);

	d->rc = 0;
	d->reader.text = text;
	d->reader.text_end = text + len;
	if (rc == 0)
		rc = run_yajl(d, text, len, err);
	bk_doc_reader_done(&d->reader);
	return rc;
}

int bk_json_decode(const struct bk_doc_type *t, const char *what, const char *text, size_t len,
		   const struct bk_doc_limits *limits, struct bk_arena *arena, void *obj,
		   struct bk_err **err)
{
	struct decoder d;
	int rc;

	memset(obj, 0, t->size);
	bk_doc_reader_init(&d.reader, limits, arena, err);
	d.reader.type = t;
	d.reader.obj = obj;
	rc = decode(&d, text, len, limits, err);
	return rc < 0 ? bk_err_wrap(err, rc, "%s", what) : 0;
}

int bk_json_decode_file(const struct bk_doc_type *t, int dirfd, const char *path,
			const struct bk_doc_limits *limits, struct bk_arena *arena, void *obj,
			struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(limits->max_size);
	int rc = bk_file_read(dirfd, path, &text, err);

	if (rc < 0)
		return rc;
	return bk_json_decode(t, path, bk_buf_str(&text), text.len, limits, arena, obj, err);
}

int bk_json_parse(const char *what, const char *text, size_t len,
		  const struct bk_doc_limits *limits, struct bk_arena *arena,
		  struct bk_doc_value *ret, struct bk_err **err)
{
	struct bk_doc_value value = { 0 };
	struct decoder d;
	int rc;

	bk_doc_reader_init(&d.reader, limits, arena, err);
	d.reader.tree = &value;
	rc = decode(&d, text, len, limits, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "%s", what);
	bk_doc_path_name_tree(&value, arena, "", what);
	*ret = value;
	return 0;
}
