/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to systemd: the system's manager, or that of the calling user. Every call has the time that
 * was left of the whole.
 *
 * The way there is systemd's own socket, which needs no bus daemon, or the bus.
 */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/bk_err.h"

#define BUS_TIMEOUT_MS 20000	/* for all that one command does, unless told otherwise */

struct bus {
	sd_bus *sd;
	uint64_t deadline;	/* CLOCK_MONOTONIC, microseconds */
	uint32_t timeout_ms;	/* what it was at first */
	unsigned int version;	/* of systemd */
};

/* Connects and asks for the version. */
int bus_open(bool user, uint32_t timeout_ms, struct bus *ret, struct bk_err **err);
void bus_close(struct bus *b);
#define bus_auto __attribute__((cleanup(bus_close)))

/* Microseconds until the deadline; 0: it has passed. */
uint64_t bus_left(const struct bus *b);

/* A call of org.freedesktop.systemd1.Manager. */
int bus_manager_call(struct bus *b, const char *member, sd_bus_message **ret_msg, struct bk_err **err);
/*
 * Sends it; ret_reply may be NULL. *ret_name (may be NULL) is the D-Bus name of a failure, for the caller
 * to free.
 */
int bus_send(struct bus *b, sd_bus_message *msg, const char *what, sd_bus_message **ret_reply,
	     char **ret_name, struct bk_err **err);

/* A property of the manager, or of the unit whose object path it is, that is a string; heap string. */
int bus_get_string(struct bus *b, const char *path, const char *interface, const char *property,
		   char **ret, struct bk_err **err);

#define BUS_DEST "org.freedesktop.systemd1"
#define BUS_MANAGER_PATH "/org/freedesktop/systemd1"
#define BUS_MANAGER "org.freedesktop.systemd1.Manager"

#endif
