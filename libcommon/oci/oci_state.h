/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a container (runtime-spec 1.3, runtime.md "State"), as `state` prints and hooks read it. */
#ifndef OCI_STATE_H
#define OCI_STATE_H

#include "codec/bk_doc.h"

enum oci_status { OCI_CREATING, OCI_CREATED, OCI_RUNNING, OCI_STOPPED, OCI_PAUSED };

struct oci_state {
	char *oci_version;
	char *id;
	int status;		/* enum oci_status */
	int32_t pid;		/* 0: none; encoded always, as callers expect */
	char *bundle;
	char *rootfs;		/* beyond the spec, as runc prints it; NULL: left out */
	char *created;		/* RFC 3339; NULL: left out */
	struct bk_doc_pair *annotations;
	size_t n_annotations;
	char *owner;		/* runc prints ""; NULL: left out */
};

/*
 * config-linux.md "The Container Process State": what goes with descriptors to an agent of seccomp
 * notifications.
 */
struct oci_process_state {
	char *oci_version;
	char **fds;		/* names of the descriptors, in the order in which they are sent */
	int32_t pid;		/* of the process, as the runtime sees it */
	char *metadata;		/* listenerMetadata; NULL: left out */
	struct oci_state *state;
};

extern const struct bk_doc_type oci_process_state_type;
#define OCI_SECCOMP_FD_NAME "seccompFd"

/* Member order as runc prints: ociVersion id pid status bundle rootfs created annotations owner. */
extern const struct bk_doc_type oci_state_type;
extern const struct bk_doc_name oci_status_names[];

#endif
