/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_origin.h"

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"

#define ORIGIN_VERSION "1"
#define ORIGIN_MAX     ((size_t)1 << 20) /* the longest maps are some 50 KiB */

static const struct bk_doc_field origin_fields[] = {
	BK_DOC_STR_F(struct bundle_origin, version, "version", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct bundle_origin, name, "name", 0),
	BK_DOC_OBJ_F(struct bundle_origin, image, "image", BK_DOC_REQUIRED, oci_descriptor_type),
	BK_DOC_BOOL_F(struct bundle_origin, rootless, "rootless", 0),
	BK_DOC_BOOL_F(struct bundle_origin, overlay, "overlay", 0),
	BK_DOC_BOOL_F(struct bundle_origin, userxattr, "userxattr", 0),
	BK_DOC_OBJV_F(struct bundle_origin, ids.uids, ids.n_uids, "uidMappings", 0, oci_id_mapping_type),
	BK_DOC_OBJV_F(struct bundle_origin, ids.gids, ids.n_gids, "gidMappings", 0, oci_id_mapping_type),
	BK_DOC_END
};
static const struct bk_doc_type origin_type = BK_DOC_TYPE(struct bundle_origin, origin_fields);

int bundle_origin_write(int dirfd, const struct bundle_origin *o, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(ORIGIN_MAX);
	struct bundle_origin copy = *o;
	char version[] = ORIGIN_VERSION;
	int rc;

	copy.version = version;
	rc = bk_json_encode(&origin_type, &copy, BK_JSON_PRETTY | BK_JSON_TAB | BK_JSON_NEWLINE, &text, err);
	if (rc == 0)
		rc = bk_buf_check(&text, BUNDLE_ORIGIN, err);
	if (rc == 0)
		rc = bk_file_write_atomic(dirfd, BUNDLE_ORIGIN, text.data, text.len, 0644, false, err);
	return rc < 0 ? bk_err_wrap(err, rc, BUNDLE_ORIGIN) : 0;
}

int bundle_origin_read(int dirfd, struct bk_arena *arena, struct bundle_origin *ret, struct bk_err **err)
{
	int rc = bk_json_decode_file(&origin_type, dirfd, BUNDLE_ORIGIN, &bk_doc_limits_oci, arena, ret, err);

	if (rc == -BK_ERR_NOT_FOUND)
		return bk_err_hint(err, bk_err_wrap(err, rc, "find the image that the bundle was made of"),
				   "only bundles that 'bock-image unpack' made know it");
	if (rc == 0 && !bk_streq(ret->version, ORIGIN_VERSION))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, BUNDLE_ORIGIN ": version '%s', where " ORIGIN_VERSION
				  " is known", ret->version);
	return rc;
}
