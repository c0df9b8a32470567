/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The annotations of a configuration that mean something to this runtime, in one table: `features`
 * prints it, and whoever acts on one asks for it here. The names are crun's, whose callers set them.
 *
 * An annotation is as trusted as the rest of config.json. Engines that let an image set annotations
 * must filter those that are unsafe, which is what `features` tells them.
 */
#ifndef SPEC_ANNOTATIONS_H
#define SPEC_ANNOTATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "oci/oci_runtime.h"

enum spec_annotation {
	SPEC_DELEGATE_CGROUP,
	SPEC_CRIU_CONFIG,
	SPEC_HOOKS_STDOUT,
	SPEC_HOOKS_STDERR,
	SPEC_KEEP_GROUPS,
	SPEC_MOUNT_CONTEXT,
	SPEC_PIDFD_RECEIVER,
	SPEC_SECCOMP_BPF,
	SPEC_SECCOMP_FAIL_UNKNOWN,
	SPEC_SECCOMP_RECEIVER,
	SPEC_SYSTEMD_SUBGROUP,
	SPEC_SYSTEMD_PROPERTY,	/* a prefix: see cgroup_props.h */
	SPEC_ANNOTATION_MAX_
};

struct spec_annotation_info {
	const char *name;
	const char *what;	/* one line for a reader */
	bool unsafe;		/* reaches beyond the container, or weakens what holds it */
};

/* In the order of the enum. */
extern const struct spec_annotation_info spec_annotations[SPEC_ANNOTATION_MAX_];

/* The value of an annotation; NULL where it is not there or empty. */
const char *spec_annotation(const struct oci_runtime_config *c, enum spec_annotation which);

/* One that is switched on: any value but "0" and "false". */
bool spec_annotation_on(const struct oci_runtime_config *c, enum spec_annotation which);

#endif
