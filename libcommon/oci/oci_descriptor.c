/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_descriptor.h"

static const struct bk_doc_field platform_fields[] = {
	BK_DOC_STR_F(struct oci_platform, architecture, "architecture", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_platform, os, "os", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_platform, os_version, "os.version", 0),
	BK_DOC_STRV_F(struct oci_platform, os_features, "os.features", 0),
	BK_DOC_STR_F(struct oci_platform, variant, "variant", 0),
	BK_DOC_END,
};
const struct bk_doc_type oci_platform_type = BK_DOC_TYPE(struct oci_platform, platform_fields);

static const struct bk_doc_field descriptor_fields[] = {
	BK_DOC_STR_F(struct oci_descriptor, media_type, "mediaType", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_descriptor, digest, "digest", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_descriptor, size, "size", BK_DOC_I64, BK_DOC_REQUIRED),
	BK_DOC_STRV_F(struct oci_descriptor, urls, "urls", 0),
	BK_DOC_STRMAP_F(struct oci_descriptor, annotations, n_annotations, "annotations", 0),
	BK_DOC_STR_F(struct oci_descriptor, data, "data", 0),
	BK_DOC_OBJ_F(struct oci_descriptor, platform, "platform", 0, oci_platform_type),
	BK_DOC_STR_F(struct oci_descriptor, artifact_type, "artifactType", 0),
	BK_DOC_END,
};
const struct bk_doc_type oci_descriptor_type = BK_DOC_TYPE(struct oci_descriptor,
							   descriptor_fields);
