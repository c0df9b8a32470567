/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_config [--seccomp] [--namespaces mount,pid,...] [--resources FILE] IN OUT ARG...: writes the config.json IN as OUT, of
 * version 1.0.2, without a terminal, with ARG... as process.args; with the default seccomp profile; with
 * these new namespaces alone; with the linux.resources of FILE.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "bundle/bundle_seccomp.h"
#include "codec/bk_json.h"
#include "oci/oci_runtime.h"
#include "oci/oci_runtime_linux.h"

static void keep_namespaces(struct oci_linux *l, const char *names)
{
	bk_autostrv char **keep = bk_strv_split(names, ",");
	size_t n = 0;

	for (size_t i = 0; i < l->n_namespaces; i++)
		if (bk_strv_has(keep, bk_doc_name_of(oci_ns_names, l->namespaces[i].type)))
			l->namespaces[n++] = l->namespaces[i];
	l->n_namespaces = n;
}

struct options {
	bool seccomp;
	const char *namespaces, *resources;
};

static int convert(const struct options *o, char **argv, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_DOC);
	struct oci_runtime_config config;
	int rc = bk_json_decode_file(&oci_runtime_config_type, AT_FDCWD, argv[0], &bk_doc_limits_oci,
				     arena, &config, err);

	if (rc < 0)
		return rc;
	config.oci_version = bk_arena_strdup(arena, "1.0.2"); /* older runtimes refuse a newer one */
	config.process->terminal = false;
	config.process->args = argv + 2;
	if (o->seccomp)
		bundle_seccomp_default(arena, config.process->capabilities->bounding,
				       &config.linux_->seccomp);
	if (o->namespaces)
		keep_namespaces(config.linux_, o->namespaces);
	if (o->resources) {
		config.linux_->resources = bk_arena_alloc(arena, sizeof(*config.linux_->resources));
		rc = bk_json_decode_file(&oci_resources_type, AT_FDCWD, o->resources, &bk_doc_limits_oci, arena,
					 config.linux_->resources, err);
		if (rc < 0)
			return rc;
	}
	rc = bk_json_encode(&oci_runtime_config_type, &config,
			    BK_JSON_PRETTY | BK_JSON_TAB | BK_JSON_NEWLINE, &out, err);
	if (rc < 0)
		return rc;
	return bk_file_write_atomic(AT_FDCWD, argv[1], out.data, out.len, 0644, false, err);
}

int main(int argc, char **argv)
{
	struct bk_err *err = NULL;
	struct options o = { .seccomp = false };
	int i = 1;

	if (i < argc && bk_streq(argv[i], "--seccomp")) {
		o.seccomp = true;
		i++;
	}
	if (i + 1 < argc && bk_streq(argv[i], "--namespaces")) {
		o.namespaces = argv[i + 1];
		i += 2;
	}
	if (i + 1 < argc && bk_streq(argv[i], "--resources")) {
		o.resources = argv[i + 1];
		i += 2;
	}
	if (argc - i < 3) {
		(void)fputs("usage: bench_config [--seccomp] [--namespaces LIST] [--resources FILE] IN OUT ARG...\n",
			    stderr);
		return 2;
	}
	if (convert(&o, argv + i, &err) < 0) {
		char text[1024];

		(void)fprintf(stderr, "bench_config: %s\n", bk_err_print(err, text, sizeof(text)));
		bk_err_clear(&err);
		return 1;
	}
	return 0;
}
