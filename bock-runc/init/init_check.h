/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this kernel has what a plan needs, asked before anything is made. */
#ifndef INIT_CHECK_H
#define INIT_CHECK_H

#include "init/init_plan.h"

/* -BK_ERR_UNSUPPORTED with the property. What the plan doesn't ask for costs no system call. */
int init_check(const struct init_plan *p, struct bk_err **err);
/* All that is lacking, each given to found (which takes the error); how many. */
size_t init_check_each(const struct init_plan *p, void (*found)(struct bk_err *e, void *ctx), void *ctx);

#endif
