/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a resctrl file schemata: "L3:0=7f0;1=1f", "    MB:0= 20;1= 70". */
#ifndef RDT_SCHEMA_H
#define RDT_SCHEMA_H

#include "base/bk_err.h"

/*
 * Whether everything that the lines of schema say stands in schemata, the text of the file, too. Spaces,
 * leading zeros and "0x" don't count. -BK_ERR_CONFIG with what differs, or if schema is none.
 */
int rdt_schema_within(const char *schema, const char *schemata, struct bk_err **err);

#endif
