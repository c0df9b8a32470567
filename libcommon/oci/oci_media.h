/* SPDX-License-Identifier: Apache-2.0 */
/* Media types of image-spec 1.1 and their Docker equivalents. */
#ifndef OCI_MEDIA_H
#define OCI_MEDIA_H

#include <stdbool.h>

#define OCI_MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_MEDIA_LAYER "application/vnd.oci.image.layer.v1.tar"
#define OCI_MEDIA_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_MEDIA_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define OCI_MEDIA_DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI_MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define OCI_MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define OCI_MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define OCI_MEDIA_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"

enum oci_media_kind {
	OCI_MEDIA_KIND_UNKNOWN, OCI_MEDIA_KIND_INDEX, OCI_MEDIA_KIND_MANIFEST, OCI_MEDIA_KIND_CONFIG,
	OCI_MEDIA_KIND_LAYER,
};
enum oci_media_compression { OCI_MEDIA_PLAIN, OCI_MEDIA_GZIP, OCI_MEDIA_ZSTD };

/* What a media type is (nondistributable layers are layers); NULL and unknown text: UNKNOWN. */
enum oci_media_kind oci_media_kind_of(const char *media_type);
enum oci_media_compression oci_media_compression_of(const char *media_type);
/* Whether it is of a layer that is not to be given on: OCI's nondistributable ones, Docker's foreign ones. */
bool oci_media_is_foreign(const char *media_type);

#endif
