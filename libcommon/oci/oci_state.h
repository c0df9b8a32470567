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

/* Member order as runc prints: ociVersion id pid status bundle rootfs created annotations owner. */
extern const struct bk_doc_type oci_state_type;
extern const struct bk_doc_name oci_status_names[];

#endif
