/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "oci/oci_media.h"
#include "registry/registry_manifest.h"
#include "registry/registry_signature.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"

int cmd_target_temp(char **path, struct store **ret, struct bk_err **err)
{
	const char *dir = getenv("TMPDIR");
	bk_autofree char *made = bk_asprintf("%s/bock-image-XXXXXX", dir && *dir ? dir : "/var/tmp");

	if (!mkdtemp(made))
		return bk_err_set(err, BK_ERR_IO, errno, "make a folder '%s'", made);
	*path = bk_steal_ptr(&made);
	return store_open(*path, STORE_CREATE, ret, err);
}

void cmd_target_temp_done(char **path)
{
	if (*path)
		(void)bk_file_rmtree(AT_FDCWD, *path, NULL);
	free(*path);
	*path = NULL;
}

int cmd_target_push(struct registry *r, const char *repo, char *const *tags, const struct store *s,
		    const struct oci_descriptor *d, const struct registry_push_opts *po,
		    struct bk_err **err)
{
	bk_autostore struct store *other = NULL;
	char *tmp = NULL;
	int rc = registry_push(r, repo, tags, s, d, po, err);

	if (rc < 0 || !po->referrers || !registry_signatures_any(s, d))
		return rc;
	rc = cmd_target_temp(&tmp, &other, err);
	if (rc == 0)
		rc = registry_signatures_push(r, repo, s, d, other, err);
	cmd_target_temp_done(&tmp);
	return rc;
}

static int find_remote(struct cmd_target *t, const struct bk_cli_call *call, const char *name,
		       const struct cmd_registry_opts *o, struct bk_err **err)
{
	int rc = ref_parse(name, &t->ref, err);

	if (rc == 0)
		rc = cmd_registry_open(&t->c, call, o, err);
	if (rc == 0)
		rc = cmd_registry_find(&t->c, &t->ref, &t->registry, &t->repo, err);
	if (rc == 0)
		rc = cmd_target_temp(&t->tmp, &t->store, err);
	return rc < 0 ? rc : registry_manifest_get(t->registry, t->repo,
						   t->ref.digest ? t->ref.digest : t->ref.tag, NULL,
						   t->store, t->arena, &t->d, err);
}

static int find_local(struct cmd_target *t, const struct bk_cli_call *call, const char *name,
		      bool write, struct bk_err **err)
{
	const char *found;
	int rc = cmd_open_store(call, write ? STORE_WRITE : 0, &t->store, err);

	if (rc == 0)
		rc = store_name_find(t->store, name, t->arena, &t->d, err);
	if (rc < 0)
		return rc;
	found = store_index_name(&t->d);
	if (!found || ref_parse(found, &t->ref, NULL) < 0)
		t->ref = (struct ref)REF_INIT;
	return 0;
}

static int choose(struct cmd_target *t, const char *platform, struct bk_err **err)
{
	const struct oci_descriptor *best;
	struct oci_platform p;
	struct oci_index index;
	int rc = store_platform_parse(platform, t->arena, &p, err);

	if (rc < 0 || oci_media_kind_of(t->d.media_type) != OCI_MEDIA_KIND_INDEX)
		return rc;
	rc = store_manifests_read(t->store, &t->d, t->arena, &index, err);
	if (rc < 0)
		return rc;
	best = store_platform_choose(&p, index.manifests, index.n_manifests);
	if (!best)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "it has no image for %s", platform);
	if (oci_media_kind_of(best->media_type) == OCI_MEDIA_KIND_INDEX)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "its image for %s is an index itself: name that by its digest",
				  platform);
	t->d = *best;
	return 0;
}

int cmd_target_open(struct cmd_target *t, const struct bk_cli_call *call, const char *name,
		    const struct cmd_registry_opts *o, const char *platform, bool write,
		    struct bk_err **err)
{
	const char *remote = bk_skip_prefix(name, "docker://");
	int rc;

	*t = (struct cmd_target){ .arena = bk_arena_new() };
	rc = remote ? find_remote(t, call, remote, o, err) : find_local(t, call, name, write, err);
	if (rc == 0 && platform)
		rc = choose(t, platform, err);
	return rc < 0 ? bk_err_wrap(err, rc, "'%s'", name) : 0;
}

void cmd_target_done(struct cmd_target *t)
{
	if (!t->arena)
		return;
	cmd_registry_done(&t->c);
	store_close(t->store);
	cmd_target_temp_done(&t->tmp);
	ref_done(&t->ref);
	bk_arena_free(t->arena);
	*t = (struct cmd_target){ 0 };
}
