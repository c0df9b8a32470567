/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A property of a unit as one word of a command line:
 *
 *	NAME[>=VERSION]:TYPE:VALUE	MemoryMax:t:1048576   CPUWeight>=252:t:0
 *
 * VERSION is the systemd that knows it: an older one is not told. TYPE is a signature of D-Bus:
 *	b true, false   s text   t u x i number   as lines   ay hexadecimal digits   a(st) lines "PATH NUMBER"
 */
#ifndef BUS_PROP_H
#define BUS_PROP_H

#include "base/bk_err.h"

#define BUS_PROP_NAME_MAX 128	/* bytes of a name */
#define BUS_PROP_BYTES_MAX 4096	/* bytes of an ay */

struct bus_prop {
	char name[BUS_PROP_NAME_MAX];
	unsigned int version;	/* 0: any */
	char type[8];
	const char *value;	/* in the word */
};

/* -BK_ERR_CONFIG: not of this form, or of a type that is not there. Values are checked when they are sent. */
int bus_prop_parse(const char *word, struct bus_prop *ret, struct bk_err **err);

/* Appends it to a message, as one struct of an a(sv). */
struct sd_bus_message;
int bus_prop_append(struct sd_bus_message *m, const struct bus_prop *p, struct bk_err **err);

#endif
