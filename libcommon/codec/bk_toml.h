/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML as configuration files of containers use it (no library of Debian's reads it in C): tables, arrays of tables, bare and
 * quoted keys, strings on one line, integers, booleans, arrays. Inline tables, dotted keys, floats, dates and strings of
 * several lines are refused by name. Duplicate keys and tables are errors, as TOML says.
 *
 * Uses: bk_doc. Used by: registry.
 */
#ifndef BK_TOML_H
#define BK_TOML_H

#include <stddef.h>

#include "base/bk_err.h"
#include "codec/bk_doc.h"

/* Parses into a value tree (a map) for bk_doc_store; `source` names it in messages, which tell the line. */
int bk_toml_parse(const char *source, const char *text, size_t len, const struct bk_doc_limits *limits,
		  struct bk_arena *arena, struct bk_doc_value *ret, struct bk_err **err);

#endif
