/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol buffers (proto2, the wire format as protobuf.dev/programming-guides/encoding has it) as far as criu's
 * messages need them: tables of field number, type and offset, as bk_doc has them for documents.
 *
 * Known: varints (bool, int32, uint32, enum), strings, messages, and repeated ones of the latter two. Numbers are
 * a struct criu_pb_num, because in proto2 a number that is absent is another thing than one that is 0. Fields that
 * a table does not have are passed over when decoding, whatever their wire type.
 */
#ifndef CRIU_PB_H
#define CRIU_PB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "base/bk_mem.h"

#define CRIU_PB_DEPTH_MAX 4	/* messages in messages */
#define CRIU_PB_FIELDS_MAX 64	/* rows of a table */
#define CRIU_PB_REPEAT_MAX 65536 /* elements of a repeated field */

struct criu_pb_num {
	bool set;
	int64_t v;
};

enum criu_pb_kind {
	CRIU_PB_BOOL,	/* struct criu_pb_num */
	CRIU_PB_I32,	/* struct criu_pb_num; also enums */
	CRIU_PB_U32,	/* struct criu_pb_num */
	CRIU_PB_STR,	/* const char *; NULL: absent */
	CRIU_PB_STRV,	/* const char **, and their count */
	CRIU_PB_MSG,	/* pointer to a struct; NULL: absent */
	CRIU_PB_MSGV,	/* pointer to an array of structs, and their count */
};

struct criu_pb_type;

struct criu_pb_field {
	uint32_t number;
	enum criu_pb_kind kind;
	size_t offset;
	size_t count;			/* CRIU_PB_STRV, CRIU_PB_MSGV: where the size_t is */
	const struct criu_pb_type *sub;	/* CRIU_PB_MSG, CRIU_PB_MSGV */
	bool required;
};

struct criu_pb_type {
	const char *name;
	size_t size;
	size_t n;
	const struct criu_pb_field *fields;	/* by number */
};

#define CRIU_PB_NUM_F(type, member, kind, number) \
	{ number, kind, offsetof(type, member), 0, NULL, false }
#define CRIU_PB_STR_F(type, member, number) \
	{ number, CRIU_PB_STR, offsetof(type, member), 0, NULL, false }
#define CRIU_PB_STRV_F(type, member, number) \
	{ number, CRIU_PB_STRV, offsetof(type, member), offsetof(type, n_##member), NULL, false }
#define CRIU_PB_MSG_F(type, member, number, sub) \
	{ number, CRIU_PB_MSG, offsetof(type, member), 0, &(sub), false }
#define CRIU_PB_MSGV_F(type, member, number, sub) \
	{ number, CRIU_PB_MSGV, offsetof(type, member), offsetof(type, n_##member), &(sub), false }
#define CRIU_PB_REQUIRED_F(type, member, kind, number) \
	{ number, kind, offsetof(type, member), 0, NULL, true }
#define CRIU_PB_TYPE(name, type, table) { name, sizeof(type), sizeof(table) / sizeof(*(table)), table }

/* Appends the message; what does not fit is found by bk_buf_check. */
void criu_pb_encode(const struct criu_pb_type *type, const void *msg, struct bk_buf *out);

/*
 * Fills msg, which is zero, from len bytes; memory is the arena's, at most a small multiple of len. -BK_ERR_CONFIG:
 * cut off, too deep, a number that does not fit, a string with a NUL in it, a required field that is not there,
 * a wire type that is not the field's.
 */
int criu_pb_decode(const struct criu_pb_type *type, const void *data, size_t len,
		   struct bk_arena *arena, void *msg, struct bk_err **err);

#endif
