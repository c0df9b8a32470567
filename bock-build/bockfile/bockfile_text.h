/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of a Bockfile together with the place where it stands, so that what is found wrong much later
 * (a substitution, a failing step) can still name line and column. All memory is the arena's into
 * which the document was read; `at` points into its value tree.
 *
 * Uses / used by: codec/bk_doc / all of bock-build.
 */
#ifndef BOCKFILE_TEXT_H
#define BOCKFILE_TEXT_H

#include <stddef.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "codec/bk_doc.h"

struct bockfile_text {
	const char *text; /* NULL: absent */
	const struct bk_doc_value *at;
};

struct bockfile_list {
	struct bockfile_text *items;
	size_t n;
	const struct bk_doc_value *at; /* NULL: absent, which is not the same as empty */
};

struct bockfile_pair {
	const char *key;
	struct bockfile_text value;
};

struct bockfile_map {
	struct bockfile_pair *items;
	size_t n;
	const struct bk_doc_value *at;
};

/* A command: one string for the shell, or a list that is executed as it is. */
struct bockfile_command {
	bool shell;
	struct bockfile_list args; /* with shell: one item; at NULL: absent */
};

/* Readers for BK_DOC_CUSTOM rows, each for a member of the type that its name says. */
int bockfile_text_read(const struct bk_doc_field *f, const struct bk_doc_value *v,
		       struct bk_arena *arena, void *member, struct bk_err **err);
int bockfile_text_read_list(const struct bk_doc_field *f, const struct bk_doc_value *v,
			    struct bk_arena *arena, void *member, struct bk_err **err);
/* A single string counts as a list of one. */
int bockfile_text_read_one_or_list(const struct bk_doc_field *f, const struct bk_doc_value *v,
				   struct bk_arena *arena, void *member, struct bk_err **err);
int bockfile_text_read_map(const struct bk_doc_field *f, const struct bk_doc_value *v,
			   struct bk_arena *arena, void *member, struct bk_err **err);
int bockfile_text_read_command(const struct bk_doc_field *f, const struct bk_doc_value *v,
			       struct bk_arena *arena, void *member, struct bk_err **err);

/* Rows of tables: type, member, name, flags. */
#define BOCKFILE_TEXT_F(t, m, name, fl) BK_DOC_CUSTOM_F(t, m, name, fl, bockfile_text_read)
#define BOCKFILE_LIST_F(t, m, name, fl) BK_DOC_CUSTOM_F(t, m, name, fl, bockfile_text_read_list)
#define BOCKFILE_MAP_F(t, m, name, fl)	BK_DOC_CUSTOM_F(t, m, name, fl, bockfile_text_read_map)
#define BOCKFILE_COMMAND_F(t, m, name, fl) \
	BK_DOC_CUSTOM_F(t, m, name, fl, bockfile_text_read_command)

/* -BK_ERR_UNSUPPORTED "SOURCE:LINE:COL: PATH: message". Its brother is bk_doc_value_error(). */
int bockfile_text_unsupported(const struct bk_doc_value *at, struct bk_err **err, const char *fmt,
			      ...) __attribute__((format(printf, 3, 4), cold));
/* Puts "SOURCE:LINE:COL: PATH" in front of *err; returns rc. at NULL: nothing is added. */
int bockfile_text_wrap(const struct bk_doc_value *at, struct bk_err **err, int rc);

/*
 * Appends a value as one line of flow YAML: what a history record says. Strings that are not plain are
 * quoted as in JSON. _step leaves the braces of the map itself away ("run: make -j2, user: root").
 */
void bockfile_text_flow(const struct bk_doc_value *v, struct bk_buf *out);
void bockfile_text_flow_step(const struct bk_doc_value *v, struct bk_buf *out);

#endif
