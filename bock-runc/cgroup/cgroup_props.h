/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits and annotations as properties of a systemd unit: pure functions. A property is one word for
 * bock-runc-systemd, NAME[>=VERSION]:TYPE:VALUE (bock-runc-systemd(8)), VERSION being the systemd that knows it.
 */
#ifndef CGROUP_PROPS_H
#define CGROUP_PROPS_H

#include "base/bk_err.h"
#include "cgroup/cgroup_limits.h"
#include "codec/bk_doc.h"

#define CGROUP_PROPS_ANNOTATION "org.systemd.property."
#define CGROUP_PROPS_CPUS_MAX 8192	/* CPUs or memory nodes in a bit mask */

/*
 * Appends to the strv what systemd has a property for. The other limits, and values that a property can't hold
 * exactly (the quota of cpu.max is rounded up to 10 ms), are for who writes the files afterwards.
 */
void cgroup_props_limits(const struct cgroup_limits *limits, char ***props);

/*
 * org.systemd.property.NAME: VALUE. VALUE is GVariant text: true, 5 (int32), uint32 5, int64 5, uint64 5, 'text' or
 * "text", ['text', ...]. NAMESec with a number is NAMEUSec in microseconds. -BK_ERR_CONFIG; the properties that make
 * the scope the container's are refused.
 */
int cgroup_props_annotations(const struct bk_doc_pair *annotations, size_t n, char ***props,
			     struct bk_err **err);

#endif
