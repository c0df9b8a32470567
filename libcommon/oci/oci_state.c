/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_state.h"

const struct bk_doc_name oci_status_names[] = {
	{ "creating", OCI_CREATING }, { "created", OCI_CREATED }, { "running", OCI_RUNNING },
	{ "stopped", OCI_STOPPED },   { "paused", OCI_PAUSED },	  { NULL, 0 },
};

static const struct bk_doc_field state_fields[] = {
	BK_DOC_STR_F(struct oci_state, oci_version, "ociVersion", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_state, id, "id", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_state, pid, "pid", BK_DOC_I32, BK_DOC_ALWAYS),
	BK_DOC_ENUM_F(struct oci_state, status, "status", BK_DOC_REQUIRED, oci_status_names),
	BK_DOC_STR_F(struct oci_state, bundle, "bundle", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_state, rootfs, "rootfs", 0),
	BK_DOC_STR_F(struct oci_state, created, "created", 0),
	BK_DOC_STRMAP_F(struct oci_state, annotations, n_annotations, "annotations", 0),
	BK_DOC_STR_F(struct oci_state, owner, "owner", 0),
	BK_DOC_END,
};
const struct bk_doc_type oci_state_type = BK_DOC_TYPE(struct oci_state, state_fields);

static const struct bk_doc_field process_state_fields[] = {
	BK_DOC_STR_F(struct oci_process_state, oci_version, "ociVersion", BK_DOC_REQUIRED),
	BK_DOC_STRV_F(struct oci_process_state, fds, "fds", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_process_state, pid, "pid", BK_DOC_I32, BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_process_state, metadata, "metadata", 0),
	BK_DOC_OBJ_F(struct oci_process_state, state, "state", BK_DOC_REQUIRED, oci_state_type),
	BK_DOC_END,
};
const struct bk_doc_type oci_process_state_type =
	BK_DOC_TYPE(struct oci_process_state, process_state_fields);
