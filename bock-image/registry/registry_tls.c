/* SPDX-License-Identifier: Apache-2.0 */
/* certs.d: which certificates hold for a server (containers-certs.d(5)). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "registry/registry_priv.h"

#define CA_MAX ((size_t)4 << 20) /* bytes of all certificates of a server */

struct registry_tls {
	struct bk_http_tls tls;
	char *ca, *cert, *key, *ca_dir;
	int ca_fd; /* a memfd of all *.crt */
};

void registry_tls_free_(void *tls)
{
	struct registry_tls *t = tls;

	bk_close(&t->ca_fd);
	free(t->ca);
	free(t->ca_dir);
	free(t->cert);
	free(t->key);
	free(t);
}

/* All *.crt of a folder behind each other, where libcurl wants one file. */
static void bundle(struct registry_tls *t, const struct bk_buf *pem)
{
	if (pem->len == 0)
		return;
	t->ca_fd = memfd_create("bock-ca", MFD_CLOEXEC);
	if (t->ca_fd < 0 || bk_fd_write_all(t->ca_fd, pem->data, pem->len) < 0)
		return;
	free(t->ca);
	t->ca = bk_asprintf("/proc/self/fd/%d", t->ca_fd);
}

/* What a folder of certs.d has; false: there is no such folder. */
static bool read_dir(struct registry_tls *t, const char *path)
{
	bk_autobuf struct bk_buf pem = BK_BUF_INIT(CA_MAX);
	bk_autoclosedir DIR *d = opendir(path);
	const struct dirent *e;

	if (!d)
		return false;
	while ((e = readdir(d))) {
		bk_autofree char *key = NULL;

		if (bk_has_suffix(e->d_name, ".crt")) {
			bk_autobuf struct bk_buf one = BK_BUF_INIT(CA_MAX);

			if (bk_file_read(dirfd(d), e->d_name, &one, NULL) == 0) {
				bk_buf_add(&pem, bk_buf_str(&one), one.len);
				bk_buf_addc(&pem, '\n');
			}
		} else if (bk_has_suffix(e->d_name, ".cert") && !t->cert) {
			key = bk_asprintf("%.*skey", (int)(strlen(e->d_name) - strlen("cert")),
					  e->d_name);
			if (faccessat(dirfd(d), key, R_OK, 0) < 0)
				continue;
			t->cert = bk_asprintf("%s/%s", path, e->d_name);
			t->key = bk_asprintf("%s/%s", path, key);
		}
	}
	bundle(t, &pem);
	return true;
}

static void search(struct registry_tls *t, const char *authority)
{
	static const char *const system[] = { "/etc/containers/certs.d", "/etc/docker/certs.d" };
	const char *home = getenv("HOME");
	const char *config = getenv("XDG_CONFIG_HOME");
	bk_autofree char *own = NULL;

	if (config && *config)
		own = bk_asprintf("%s/containers/certs.d/%s", config, authority);
	else if (home && *home)
		own = bk_asprintf("%s/.config/containers/certs.d/%s", home, authority);
	if (own && read_dir(t, own))
		return;
	for (size_t i = 0; i < BK_ARRAY_SIZE(system); i++) {
		bk_autofree char *path = bk_asprintf("%s/%s", system[i], authority);

		if (read_dir(t, path))
			return;
	}
}

void registry_tls_add_(struct registry_client *c, const char *authority, bool ours, bool insecure)
{
	struct registry_tls *t = bk_calloc(1, sizeof(*t));
	const char *file = getenv("SSL_CERT_FILE");
	const char *dir = getenv("SSL_CERT_DIR");

	t->ca_fd = -1;
	/* libcurl itself does not look at these, other tools of registries do */
	t->ca = file && *file ? bk_strdup(file) : NULL;
	t->ca_dir = dir && *dir ? bk_strdup(dir) : NULL;
	if (ours && c->opts.cert_dir)
		(void)read_dir(t, c->opts.cert_dir);
	else
		search(t, authority);
	t->tls = (struct bk_http_tls){
		.insecure = insecure,
		.ca_file = t->ca,
		.ca_dir = t->ca_dir,
		.cert_file = t->cert,
		.key_file = t->key,
	};
	(void)bk_map_set(c->tls, authority, t);
}

const struct bk_http_tls *registry_tls_for_(void *client, const struct bk_url *url)
{
	struct registry_client *c = client;
	bk_autofree char *authority = bk_url_authority(url);
	const struct registry_tls *t = bk_map_get(c->tls, authority);

	if (!t) {
		registry_tls_add_(c, authority, false, false);
		t = bk_map_get(c->tls, authority);
	}
	return &t->tls;
}
