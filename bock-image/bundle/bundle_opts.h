/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the caller says of a bundle beside what the image says.
 *
 * Uses / used by: oci, layer_ids / bundle, bock-build.
 */
#ifndef BUNDLE_OPTS_H
#define BUNDLE_OPTS_H

#include <stdbool.h>

#include "layer/layer_ids.h"
#include "oci/oci_runtime.h"

#define BUNDLE_CPU_PERIOD 100000 /* microseconds */

/* What network the container has. */
enum bundle_net {
	BUNDLE_NET_DEFAULT,	/* a namespace of its own, of a rootless container the host's */
	BUNDLE_NET_NONE,	/* a namespace of its own */
	BUNDLE_NET_HOST,	/* none of its own */
	BUNDLE_NET_PATH,	/* the namespace netns */
};

/* What becomes of the image's volumes. */
enum bundle_volumes {
	BUNDLE_VOLUMES_DIR,	/* folders of the bundle that begin as what the image has there */
	BUNDLE_VOLUMES_TMPFS,	/* the same in memory, anew for each container */
	BUNDLE_VOLUMES_NONE,
};

/* A mount of something in the bundle. */
struct bundle_bind {
	const char *source;	/* relative to the bundle; NULL: a tmpfs that begins as what is there */
	const char *destination;
};

/* Edits of the image configuration before it is converted, and how the container is run. */
struct bundle_opts {
	char *const *args;	/* NULL: the image's entrypoint and cmd; else in place of both */
	char *const *cmd;	/* NULL: the image's cmd; else in its place, behind the entrypoint */
	const char *entrypoint;	/* NULL: the image's; else in its place ("": none), without its cmd */
	char *const *env;	/* strv of NAME=VALUE, added or replacing; may be NULL */
	const char *user;	/* NULL: the image's */
	const char *cwd;	/* NULL: the image's */
	const char *hostname;	/* NULL: "bock" */
	const char *rootfs;	/* root.path; NULL: "rootfs" */
	bool tty;
	bool readonly;		/* root.readonly */
	bool rootless;		/* a user namespace that maps the caller (euid, egid) to 0, and no other */
	struct layer_ids ids;	/* with any: a user namespace of these; not together with rootless */
	enum bundle_net net;
	const char *netns;	/* absolute */
	const struct oci_mount *mounts;	/* behind all others */
	size_t n_mounts;
	const struct bundle_bind *binds;	/* before these; bundle_unpack makes them */
	size_t n_binds;
	/* bundle_unpack: files of the host that are copied into the bundle and mounted there in /etc; or NULL */
	const char *resolv_conf, *hosts;
	enum bundle_volumes volumes;
	int64_t memory;		/* bytes; 0: no limit */
	int64_t cpu_quota;	/* microseconds of each BUNDLE_CPU_PERIOD; 0: no limit */
	int64_t pids_limit;	/* 0: no limit */
	/* Of the manifest: what of it takes privilege away is obeyed (bundle_security.h). */
	const struct bk_doc_pair *annotations;
	size_t n_annotations;
	void (*warn)(void *ctx, const char *message);	/* may be NULL */
	void *ctx;
	bool allow_no_args;	/* an image without a command is no error: the shell /bin/sh is taken */
};

#endif
