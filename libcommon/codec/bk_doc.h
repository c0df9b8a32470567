/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents as tables: one row a member. A table drives decoding (bk_json.h, bk_yaml.h), encoding and
 * the completeness check against the published schemas. The document's memory is one arena: there
 * are no destructors.
 *
 *	struct oci_root { char *path; bool readonly; };
 *	static const struct bk_doc_field root_fields[] = {
 *		BK_DOC_STR_F(struct oci_root, path, "path", BK_DOC_REQUIRED),
 *		BK_DOC_BOOL_F(struct oci_root, readonly, "readonly", 0),
 *		BK_DOC_END };
 *	const struct bk_doc_type oci_root_type = BK_DOC_TYPE(struct oci_root, root_fields);
 *
 * Presence. A string, object, array or map that is absent is a NULL pointer; an empty array is a
 * non-NULL pointer with count 0. A scalar whose absence differs from 0 has a `bool has_X` member, given to
 * the _OPT rows; others read as 0/false and are encoded only when not 0 (or BK_DOC_ALWAYS).
 * JSON null reads as absent. Duplicate members and wrong types are errors with the path
 * ("mounts[3].destination: expected a string, found a number").
 */
#ifndef BK_DOC_H
#define BK_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_mem.h"

enum bk_doc_kind {
	BK_DOC_STR,		/* char * */
	BK_DOC_BOOL,		/* bool */
	BK_DOC_I64,		/* int64_t */
	BK_DOC_U64,		/* uint64_t */
	BK_DOC_I32,		/* int32_t */
	BK_DOC_U32,		/* uint32_t */
	BK_DOC_U16,		/* uint16_t */
	BK_DOC_ENUM,		/* int, through names; unknown text is an error listing what is known */
	BK_DOC_OBJ,		/* struct x *, through sub */
	BK_DOC_STRV,		/* char **, NULL-terminated: array of strings */
	BK_DOC_ENUMV,		/* int *, count member: array of enum texts */
	BK_DOC_NUMV,		/* array of numbers of `elem` kind (I64 U64 U32), count member */
	BK_DOC_OBJV,		/* struct x *, count member: array of objects, contiguous */
	BK_DOC_STRMAP,		/* struct bk_doc_pair *, count member: object of strings, in order */
	BK_DOC_OBJMAP,		/* struct x *, count member: object of objects; struct x begins with char *key */
	BK_DOC_SETMAP,		/* char **: object whose keys matter and whose values are {} ("ExposedPorts") */
	BK_DOC_RAW,		/* char *: any value, kept as compact JSON text */
	BK_DOC_CUSTOM,		/* a value of several forms, read only: see bk_doc_custom */
};

enum {
	BK_DOC_REQUIRED = 1,	/* absent or null is an error; always encoded, 0 and [] included */
	BK_DOC_ALWAYS = 2,	/* encoded even when 0, false or absent (as 0, false, "", [], {}) */
	BK_DOC_NULL = 4,	/* with ALWAYS: an absent one is encoded as null */
	BK_DOC_NOT_EMPTY = 8,	/* an empty string or array is an error */
	BK_DOC_UNSUPPORTED = 16, /* known, but not to be had yet: its presence is BK_ERR_UNSUPPORTED */
	BK_DOC_IGNORED = 32,	/* known and without effect here, by the spec; note says why; not stored */
};

struct bk_doc_pair {
	char *key;
	char *value;
};

/* One text of an enumeration; a table ends with a NULL name. */
struct bk_doc_name {
	const char *name;
	int value;
};

struct bk_doc_type;
struct bk_doc_field;
struct bk_doc_value;

/*
 * For values of several forms (a Bockfile's `run` is a string or a list): gets the parsed value tree and
 * stores what it means. Context for errors: bk_doc_value_error().
 */
typedef int (*bk_doc_custom)(const struct bk_doc_field *f, const struct bk_doc_value *v,
			     struct bk_arena *arena, void *member, struct bk_err **err);

struct bk_doc_field {
	const char *name;
	enum bk_doc_kind kind;
	unsigned int flags;
	size_t offset;		/* of the member */
	size_t aux;		/* of the count, or of has_X; BK_DOC_NO_AUX: none */
	enum bk_doc_kind elem;	/* BK_DOC_NUMV */
	const struct bk_doc_type *sub;
	const struct bk_doc_name *names;
	bk_doc_custom custom;
	const char *note;	/* reason of IGNORED and UNSUPPORTED; what `check` accepts */
	bool (*check)(const char *text);	/* STR: whether the text has the form it must have */
};
#define BK_DOC_NO_AUX ((size_t)-1)

struct bk_doc_type {
	size_t size;
	const struct bk_doc_field *fields;	/* at most BK_DOC_FIELDS_MAX, ended by a NULL name */
};
#define BK_DOC_FIELDS_MAX 64
#define BK_DOC_TYPE(c_type, table) { .size = sizeof(c_type), .fields = (table) }

#define BK_DOC_ROW_(c_type, m, json, k, fl, ...)                                        \
	{ .name = (json), .kind = (k), .flags = (fl), .offset = offsetof(c_type, m), \
	  .aux = BK_DOC_NO_AUX, __VA_ARGS__ }
#define BK_DOC_STR_F(t, m, json, fl) BK_DOC_ROW_(t, m, json, BK_DOC_STR, fl, )
/* "expected WHAT, found 'text'" where fn(text) is false. */
#define BK_DOC_STR_CHECK_F(t, m, json, fl, fn, what) \
	BK_DOC_ROW_(t, m, json, BK_DOC_STR, fl, .check = (fn), .note = (what))
#define BK_DOC_BOOL_F(t, m, json, fl) BK_DOC_ROW_(t, m, json, BK_DOC_BOOL, fl, )
#define BK_DOC_NUM_F(t, m, json, k, fl) BK_DOC_ROW_(t, m, json, k, fl, )
#define BK_DOC_ENUM_F(t, m, json, fl, table) BK_DOC_ROW_(t, m, json, BK_DOC_ENUM, fl, .names = (table))
#define BK_DOC_OBJ_F(t, m, json, fl, type) BK_DOC_ROW_(t, m, json, BK_DOC_OBJ, fl, .sub = &(type))
#define BK_DOC_STRV_F(t, m, json, fl) BK_DOC_ROW_(t, m, json, BK_DOC_STRV, fl, )
#define BK_DOC_SETMAP_F(t, m, json, fl) BK_DOC_ROW_(t, m, json, BK_DOC_SETMAP, fl, )
#define BK_DOC_RAW_F(t, m, json, fl) BK_DOC_ROW_(t, m, json, BK_DOC_RAW, fl, )
#define BK_DOC_CUSTOM_F(t, m, json, fl, fn) BK_DOC_ROW_(t, m, json, BK_DOC_CUSTOM, fl, .custom = (fn))
/* These have a count or presence member: row(type, member, aux_member, name, ...). */
#define BK_DOC_ROW_AUX_(c_type, m, a, json, k, fl, ...)                                 \
	{ .name = (json), .kind = (k), .flags = (fl), .offset = offsetof(c_type, m), \
	  .aux = offsetof(c_type, a), __VA_ARGS__ }
#define BK_DOC_BOOL_OPT(t, m, has, json, fl) BK_DOC_ROW_AUX_(t, m, has, json, BK_DOC_BOOL, fl, )
#define BK_DOC_NUM_OPT(t, m, has, json, k, fl) BK_DOC_ROW_AUX_(t, m, has, json, k, fl, )
#define BK_DOC_ENUM_OPT(t, m, has, json, fl, table) \
	BK_DOC_ROW_AUX_(t, m, has, json, BK_DOC_ENUM, fl, .names = (table))
#define BK_DOC_ENUMV_F(t, m, n, json, fl, table) \
	BK_DOC_ROW_AUX_(t, m, n, json, BK_DOC_ENUMV, fl, .names = (table))
#define BK_DOC_NUMV_F(t, m, n, json, k, fl) BK_DOC_ROW_AUX_(t, m, n, json, BK_DOC_NUMV, fl, .elem = (k))
#define BK_DOC_OBJV_F(t, m, n, json, fl, type) \
	BK_DOC_ROW_AUX_(t, m, n, json, BK_DOC_OBJV, fl, .sub = &(type))
#define BK_DOC_STRMAP_F(t, m, n, json, fl) BK_DOC_ROW_AUX_(t, m, n, json, BK_DOC_STRMAP, fl, )
#define BK_DOC_OBJMAP_F(t, m, n, json, fl, type) \
	BK_DOC_ROW_AUX_(t, m, n, json, BK_DOC_OBJMAP, fl, .sub = &(type))
#define BK_DOC_IGNORED_F(json, why) \
	{ .name = (json), .flags = BK_DOC_IGNORED, .aux = BK_DOC_NO_AUX, .note = (why) }
#define BK_DOC_UNSUPPORTED_F(json, why) \
	{ .name = (json), .flags = BK_DOC_UNSUPPORTED, .aux = BK_DOC_NO_AUX, .note = (why) }
#define BK_DOC_END { .name = NULL }

/*
 * A parsed value before it is stored: what a reader (JSON, YAML) builds for CUSTOM members, and what
 * the YAML reader builds of the whole document. JSON documents are otherwise stored straight from
 * parser events.
 */
enum bk_doc_node { BK_DOC_NODE_NULL, BK_DOC_NODE_BOOL, BK_DOC_NODE_NUMBER, BK_DOC_NODE_STRING,
		   BK_DOC_NODE_SEQ, BK_DOC_NODE_MAP };

struct bk_doc_value {
	enum bk_doc_node node;
	bool plain;			/* YAML: an unquoted scalar (may be read as number, bool, null) */
	char *text;			/* scalars: their text */
	struct bk_doc_value *items;	/* sequence items, or map values */
	char **keys;			/* map: keys */
	const struct bk_doc_value *key_marks;	/* map: where each key stands (line, column), YAML only */
	size_t n;
	unsigned int line, column;	/* 1-based; 0 where the format has none */
	const char *path;		/* "stages[0].steps[2].run" */
	const char *source;		/* name of the document for messages */
};

/* How strict a reader is, and its bounds. */
struct bk_doc_limits {
	size_t max_size;	/* bytes of text */
	unsigned int max_depth;	/* nesting, at most 128 */
	size_t max_nodes;	/* values in all, aliases expanded */
	bool unknown_is_error;	/* with "did you mean"; else unknown members are skipped */
};
/* What OCI documents get: 16 MiB, 64 levels, 1,000,000 values, unknown members ignored. */
extern const struct bk_doc_limits bk_doc_limits_oci;
/* What a Bockfile gets: 1 MiB, 64 levels, 10,000 values, unknown members are errors. */
extern const struct bk_doc_limits bk_doc_limits_strict;

/*
 * Stores a value tree into obj (of t->size bytes, zeroed) by the table: the engine behind YAML. In
 * YAML every scalar is a string that the member types: `version: 1.20` is "1.20". Only an unquoted one
 * may become a number or a boolean; ~, null and nothing are null, which is absent for a member and an
 * error for an item or a map's value. v may be a part of a
 * tree: messages name the whole path to it.
 */
int bk_doc_store(const struct bk_doc_type *t, const struct bk_doc_value *v,
		 const struct bk_doc_limits *limits, struct bk_arena *arena, void *obj,
		 struct bk_err **err);

/* -BK_ERR_CONFIG "SOURCE:LINE:COL: PATH: message" (or "PATH: message" where there is no line). */
int bk_doc_value_error(const struct bk_doc_value *v, struct bk_err **err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The text of value in a name table, or NULL; and the reverse (false where unknown). */
const char *bk_doc_name_of(const struct bk_doc_name *names, int value);
bool bk_doc_name_find(const struct bk_doc_name *names, const char *text, int *ret_value);

/* Looks a field up by name; NULL where the table has none. */
const struct bk_doc_field *bk_doc_field_find(const struct bk_doc_type *t, const char *name);

/* In a STRMAP: the value of key, or NULL. And adding or replacing one. */
const char *bk_doc_pair_get(const struct bk_doc_pair *pairs, size_t n, const char *key);
void bk_doc_pair_set(struct bk_arena *arena, struct bk_doc_pair **pairs, size_t *n, const char *key,
		     const char *value);
/* Appends a copy of s to a NULL-terminated arena vector (BK_DOC_STRV). */
void bk_doc_strv_add(struct bk_arena *arena, char ***v, const char *s);

#endif
