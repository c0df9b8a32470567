/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint.h: what the analyzers, which see one file at a time, have to be told about functions of another:
 * bk_err_set() and its like never return 0. Put in front of every file but those that define them.
 */
#ifndef BK_LINT_H
#define BK_LINT_H

#include "base/bk_err.h"
#include "codec/bk_doc.h"
#if __has_include("sys/sys_helper.h") && !defined(BK_LINT_HELPER)
#include "sys/sys_helper.h"
#define sys_helper_failed(name, status, said, err) ((void)(sys_helper_failed)(name, status, said, err), -1)
#endif

#define bk_err_set(err, kind, ...) ((void)(bk_err_set)(err, kind, __VA_ARGS__), -(int)(kind))
#define bk_doc_value_error(v, err, ...) \
	((void)(bk_doc_value_error)(v, err, __VA_ARGS__), -(int)BK_ERR_CONFIG)
#define bk_err_wrap(err, rc, ...) bk_lint_same_(rc, (bk_err_wrap)(err, rc, __VA_ARGS__))
#define bk_err_hint(err, rc, ...) bk_lint_same_(rc, (bk_err_hint)(err, rc, __VA_ARGS__))

static inline int bk_lint_same_(int rc, int ignored)
{
	(void)ignored;
	return rc;
}

#endif
