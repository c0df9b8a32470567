/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_image.h"

static const struct bk_doc_field manifest_fields[] = {
	BK_DOC_NUM_F(struct oci_manifest, schema_version, "schemaVersion", BK_DOC_I32,
		     BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_manifest, media_type, "mediaType", 0),
	BK_DOC_STR_F(struct oci_manifest, artifact_type, "artifactType", 0),
	BK_DOC_OBJ_F(struct oci_manifest, config, "config", BK_DOC_REQUIRED, oci_descriptor_type),
	BK_DOC_OBJV_F(struct oci_manifest, layers, n_layers, "layers", BK_DOC_REQUIRED,
		      oci_descriptor_type),
	BK_DOC_OBJ_F(struct oci_manifest, subject, "subject", 0, oci_descriptor_type),
	BK_DOC_STRMAP_F(struct oci_manifest, annotations, n_annotations, "annotations", 0),
	BK_DOC_RAW_F(struct oci_manifest, manifests, "manifests", 0),
	BK_DOC_END,
};
const struct bk_doc_type oci_manifest_type = BK_DOC_TYPE(struct oci_manifest, manifest_fields);

static const struct bk_doc_field index_fields[] = {
	BK_DOC_NUM_F(struct oci_index, schema_version, "schemaVersion", BK_DOC_I32,
		     BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_index, media_type, "mediaType", 0),
	BK_DOC_STR_F(struct oci_index, artifact_type, "artifactType", 0),
	BK_DOC_OBJV_F(struct oci_index, manifests, n_manifests, "manifests", BK_DOC_REQUIRED,
		      oci_descriptor_type),
	BK_DOC_OBJ_F(struct oci_index, subject, "subject", 0, oci_descriptor_type),
	BK_DOC_STRMAP_F(struct oci_index, annotations, n_annotations, "annotations", 0),
	BK_DOC_RAW_F(struct oci_index, layers, "layers", 0),
	BK_DOC_RAW_F(struct oci_index, config, "config", 0),
	BK_DOC_END,
};
const struct bk_doc_type oci_index_type = BK_DOC_TYPE(struct oci_index, index_fields);

static const struct bk_doc_field healthcheck_fields[] = {
	BK_DOC_STRV_F(struct oci_image_healthcheck, test, "Test", 0),
	BK_DOC_NUM_F(struct oci_image_healthcheck, interval, "Interval", BK_DOC_I64, 0),
	BK_DOC_NUM_F(struct oci_image_healthcheck, timeout, "Timeout", BK_DOC_I64, 0),
	BK_DOC_NUM_F(struct oci_image_healthcheck, start_period, "StartPeriod", BK_DOC_I64, 0),
	BK_DOC_NUM_F(struct oci_image_healthcheck, start_interval, "StartInterval", BK_DOC_I64, 0),
	BK_DOC_NUM_F(struct oci_image_healthcheck, retries, "Retries", BK_DOC_I32, 0),
	BK_DOC_END,
};
static const struct bk_doc_type healthcheck_type = BK_DOC_TYPE(struct oci_image_healthcheck,
							       healthcheck_fields);

static const struct bk_doc_field exec_fields[] = {
	BK_DOC_STR_F(struct oci_image_exec, user, "User", 0),
	BK_DOC_SETMAP_F(struct oci_image_exec, exposed_ports, "ExposedPorts", 0),
	BK_DOC_STRV_F(struct oci_image_exec, env, "Env", 0),
	BK_DOC_STRV_F(struct oci_image_exec, entrypoint, "Entrypoint", 0),
	BK_DOC_STRV_F(struct oci_image_exec, cmd, "Cmd", 0),
	BK_DOC_OBJ_F(struct oci_image_exec, healthcheck, "Healthcheck", 0, healthcheck_type),
	BK_DOC_SETMAP_F(struct oci_image_exec, volumes, "Volumes", 0),
	BK_DOC_STR_F(struct oci_image_exec, working_dir, "WorkingDir", 0),
	BK_DOC_STRV_F(struct oci_image_exec, on_build, "OnBuild", 0),
	BK_DOC_STRMAP_F(struct oci_image_exec, labels, n_labels, "Labels", 0),
	BK_DOC_STR_F(struct oci_image_exec, stop_signal, "StopSignal", 0),
	BK_DOC_STRV_F(struct oci_image_exec, shell, "Shell", 0),
	BK_DOC_BOOL_F(struct oci_image_exec, args_escaped, "ArgsEscaped", 0),
	BK_DOC_END,
};
static const struct bk_doc_type exec_type = BK_DOC_TYPE(struct oci_image_exec, exec_fields);

static const struct bk_doc_field rootfs_fields[] = {
	BK_DOC_STR_F(struct oci_image_rootfs, type, "type", BK_DOC_REQUIRED),
	BK_DOC_STRV_F(struct oci_image_rootfs, diff_ids, "diff_ids", BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type rootfs_type = BK_DOC_TYPE(struct oci_image_rootfs, rootfs_fields);

static const struct bk_doc_field history_fields[] = {
	BK_DOC_STR_F(struct oci_image_history, created, "created", 0),
	BK_DOC_STR_F(struct oci_image_history, created_by, "created_by", 0),
	BK_DOC_STR_F(struct oci_image_history, author, "author", 0),
	BK_DOC_STR_F(struct oci_image_history, comment, "comment", 0),
	BK_DOC_BOOL_F(struct oci_image_history, empty_layer, "empty_layer", 0),
	BK_DOC_END,
};
static const struct bk_doc_type history_type = BK_DOC_TYPE(struct oci_image_history,
							   history_fields);

static const struct bk_doc_field config_fields[] = {
	BK_DOC_STR_F(struct oci_image_config, created, "created", 0),
	BK_DOC_STR_F(struct oci_image_config, author, "author", 0),
	BK_DOC_STR_F(struct oci_image_config, architecture, "architecture", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_image_config, variant, "variant", 0),
	BK_DOC_STR_F(struct oci_image_config, os, "os", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_image_config, os_version, "os.version", 0),
	BK_DOC_STRV_F(struct oci_image_config, os_features, "os.features", 0),
	BK_DOC_OBJ_F(struct oci_image_config, config, "config", 0, exec_type),
	BK_DOC_OBJ_F(struct oci_image_config, rootfs, "rootfs", BK_DOC_REQUIRED, rootfs_type),
	BK_DOC_OBJV_F(struct oci_image_config, history, n_history, "history", 0, history_type),
	BK_DOC_END,
};
const struct bk_doc_type oci_image_config_type = BK_DOC_TYPE(struct oci_image_config,
							     config_fields);

static const struct bk_doc_field layout_fields[] = {
	BK_DOC_STR_F(struct oci_layout, version, "imageLayoutVersion", BK_DOC_REQUIRED),
	BK_DOC_END,
};
const struct bk_doc_type oci_layout_type = BK_DOC_TYPE(struct oci_layout, layout_fields);
