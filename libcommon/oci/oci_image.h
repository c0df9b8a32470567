/* SPDX-License-Identifier: Apache-2.0 */
/* Image manifest, index, configuration and layout (image-spec 1.1; Docker schema 2 reads the same). */
#ifndef OCI_IMAGE_H
#define OCI_IMAGE_H

#include "oci/oci_descriptor.h"

struct oci_manifest {
	int32_t schema_version;
	char *media_type;
	char *artifact_type;
	struct oci_descriptor *config;
	struct oci_descriptor *layers;
	size_t n_layers;
	struct oci_descriptor *subject;
	struct bk_doc_pair *annotations;
	size_t n_annotations;
	char *manifests;	/* RAW: present only in a confused document (CVE-2021-41190): to be refused */
};

struct oci_index {
	int32_t schema_version;
	char *media_type;
	char *artifact_type;
	struct oci_descriptor *manifests;
	size_t n_manifests;
	struct oci_descriptor *subject;
	struct bk_doc_pair *annotations;
	size_t n_annotations;
	char *layers, *config;	/* RAW: as in oci_manifest */
};

struct oci_image_healthcheck {
	char **test;
	int64_t interval, timeout, start_period, start_interval;	/* nanoseconds */
	int32_t retries;
};

struct oci_image_exec {		/* the "config" object */
	char *user;
	char **exposed_ports;	/* SETMAP */
	char **env;
	char **entrypoint;
	char **cmd;
	char **volumes;		/* SETMAP */
	char *working_dir;
	struct bk_doc_pair *labels;
	size_t n_labels;
	char *stop_signal;
	bool args_escaped;
	struct oci_image_healthcheck *healthcheck;
	char **shell;
	char **on_build;
};

struct oci_image_rootfs {
	char *type;		/* "layers" */
	char **diff_ids;
};

struct oci_image_history {
	char *created;
	char *author;
	char *created_by;
	char *comment;
	bool empty_layer;
};

struct oci_image_config {
	char *created;
	char *author;
	char *architecture;
	char *variant;
	char *os;
	char *os_version;
	char **os_features;
	struct oci_image_exec *config;
	struct oci_image_rootfs *rootfs;
	struct oci_image_history *history;
	size_t n_history;
};

struct oci_layout {
	char *version;	/* "1.0.0" */
};

extern const struct bk_doc_type oci_manifest_type;
extern const struct bk_doc_type oci_index_type;
extern const struct bk_doc_type oci_image_config_type;
extern const struct bk_doc_type oci_layout_type;

#endif
