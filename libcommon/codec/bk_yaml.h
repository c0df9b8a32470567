/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML (libyaml) into the same tables as JSON. Every scalar is a string; anchors, aliases and merge keys
 * (<<) for maps work within limits; duplicate keys, tabs as indentation, several documents, NUL and
 * control characters, and too much depth are errors with line and column.
 */
#ifndef BK_YAML_H
#define BK_YAML_H

#include <stddef.h>

#include "base/bk_err.h"
#include "codec/bk_doc.h"

/* Parses one document into a value tree; `source` names it in messages. */
int bk_yaml_parse(const char *source, const char *text, size_t len, const struct bk_doc_limits *limits,
		  struct bk_arena *arena, struct bk_doc_value *ret, struct bk_err **err);

/* Parses and stores by a table. */
int bk_yaml_decode(const struct bk_doc_type *t, const char *source, const char *text, size_t len,
		   const struct bk_doc_limits *limits, struct bk_arena *arena, void *obj,
		   struct bk_err **err);

#endif
