/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_media.h"

#include <stddef.h>

#include "base/bk_str.h"

static const struct media {
	const char *type;
	enum oci_media_kind kind;
	enum oci_media_compression compression;
} media[] = {
	{ OCI_MEDIA_INDEX, OCI_MEDIA_KIND_INDEX, OCI_MEDIA_PLAIN },
	{ OCI_MEDIA_MANIFEST, OCI_MEDIA_KIND_MANIFEST, OCI_MEDIA_PLAIN },
	{ OCI_MEDIA_CONFIG, OCI_MEDIA_KIND_CONFIG, OCI_MEDIA_PLAIN },
	{ OCI_MEDIA_LAYER, OCI_MEDIA_KIND_LAYER, OCI_MEDIA_PLAIN },
	{ OCI_MEDIA_LAYER_GZIP, OCI_MEDIA_KIND_LAYER, OCI_MEDIA_GZIP },
	{ OCI_MEDIA_LAYER_ZSTD, OCI_MEDIA_KIND_LAYER, OCI_MEDIA_ZSTD },
	{ OCI_MEDIA_DOCKER_INDEX, OCI_MEDIA_KIND_INDEX, OCI_MEDIA_PLAIN },
	{ OCI_MEDIA_DOCKER_MANIFEST, OCI_MEDIA_KIND_MANIFEST, OCI_MEDIA_PLAIN },
	{ OCI_MEDIA_DOCKER_CONFIG, OCI_MEDIA_KIND_CONFIG, OCI_MEDIA_PLAIN },
	{ OCI_MEDIA_DOCKER_LAYER_GZIP, OCI_MEDIA_KIND_LAYER, OCI_MEDIA_GZIP },
	{ OCI_MEDIA_DOCKER_LAYER, OCI_MEDIA_KIND_LAYER, OCI_MEDIA_PLAIN },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", OCI_MEDIA_KIND_LAYER,
	  OCI_MEDIA_ZSTD },
	/* deprecated by image-spec 1.1, but still met; the same content under another promise */
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", OCI_MEDIA_KIND_LAYER,
	  OCI_MEDIA_PLAIN },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", OCI_MEDIA_KIND_LAYER,
	  OCI_MEDIA_GZIP },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", OCI_MEDIA_KIND_LAYER,
	  OCI_MEDIA_ZSTD },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar", OCI_MEDIA_KIND_LAYER,
	  OCI_MEDIA_PLAIN },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", OCI_MEDIA_KIND_LAYER,
	  OCI_MEDIA_GZIP },
};

static const struct media *find(const char *media_type)
{
	for (size_t i = 0; media_type && i < BK_ARRAY_SIZE(media); i++)
		if (bk_streq(media[i].type, media_type))
			return &media[i];
	return NULL;
}

enum oci_media_kind oci_media_kind_of(const char *media_type)
{
	const struct media *m = find(media_type);

	return m ? m->kind : OCI_MEDIA_KIND_UNKNOWN;
}

enum oci_media_compression oci_media_compression_of(const char *media_type)
{
	const struct media *m = find(media_type);

	return m ? m->compression : OCI_MEDIA_PLAIN;
}

bool oci_media_is_foreign(const char *media_type)
{
	return media_type &&
	       (bk_skip_prefix(media_type, "application/vnd.oci.image.layer.nondistributable.") ||
		bk_skip_prefix(media_type, "application/vnd.docker.image.rootfs.foreign."));
}
