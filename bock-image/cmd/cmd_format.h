/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --format: a template over a JSON document, of what people use of Go's templates with docker and skopeo:
 *
 *	{{.Path.To.Member}}  {{json .Path}}  {{index .Path "key"}}  {{join .Path ", "}}
 *	{{range .Path}}...{{.}}...{{end}}    \n and \t between them
 *
 * Members are found without regard to case. What an object lacks is looked for in its member "config", if
 * it has one: so that .Architecture, .Config.Env and .Env of an image mean what they do elsewhere. What is
 * nowhere prints as "<no value>". Lists print as [a b], objects as map[a:1 b:2].
 *
 * Uses / used by: codec / cmd.
 */
#ifndef CMD_FORMAT_H
#define CMD_FORMAT_H

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "codec/bk_doc.h"

#define CMD_FORMAT_DEPTH_MAX 16	/* ranges in ranges */

/* Appends the text. -BK_ERR_CONFIG says where the template is wrong. Control characters become \xNN. */
int cmd_format(const char *text, const struct bk_doc_value *v, struct bk_buf *out, struct bk_err **err);

#endif
