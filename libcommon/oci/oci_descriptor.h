/* SPDX-License-Identifier: Apache-2.0 */
/* Content descriptors (image-spec descriptor.md). */
#ifndef OCI_DESCRIPTOR_H
#define OCI_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "codec/bk_doc.h"

struct oci_platform {
	char *architecture;
	char *os;
	char *os_version;
	char **os_features;
	char *variant;
};

struct oci_descriptor {
	char *media_type;
	char *digest;
	int64_t size;
	char **urls;
	struct bk_doc_pair *annotations;
	size_t n_annotations;
	char *data;		/* base64 */
	char *artifact_type;
	struct oci_platform *platform;
};

#define OCI_ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"

extern const struct bk_doc_type oci_descriptor_type;
extern const struct bk_doc_type oci_platform_type;

#endif
