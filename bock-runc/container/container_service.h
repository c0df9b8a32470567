/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service manager (systemd) hands to a service, and a container gets in its place: listening
 * descriptors by sd_listen_fds(3), and a socket to say that it is ready by sd_notify(3).
 */
#ifndef CONTAINER_SERVICE_H
#define CONTAINER_SERVICE_H

#include <stdint.h>

#include "base/bk_err.h"

#define CONTAINER_LISTEN_FDS_MAX 65536U

struct container_service {
	uint32_t listen_fds;		/* LISTEN_FDS, from 3, where LISTEN_PID says that they are ours */
	const char *listen_names;	/* LISTEN_FDNAMES; NULL: none */
	const char *notify;		/* NOTIFY_SOCKET; NULL: nobody wants to know */
};

/* Reads our environment; the strings are its own. */
int container_service_read(struct container_service *ret, struct bk_err **err);

#endif
