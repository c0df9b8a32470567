/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows what a registry has under a tag, and pulls it into a store, with credentials that are asked for when the
 * registry wants some.
 *
 *	cc -o registry registry.c $(pkg-config --cflags --libs bock-image)
 *	./registry HOST REPOSITORY TAG STORE [USER PASSWORD]
 */
#include <bock/image.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct login {
	const char *user, *password;
};

static int ask(void *ctx, const char *registry, struct bock_credential **ret)
{
	const struct login *login = ctx;

	fprintf(stderr, "credentials for %s\n", registry);
	*ret = login->user ? bock_credential_new(registry, login->user, login->password) : NULL;
	return 0;
}

static void progress(void *ctx, const char *digest, uint64_t done, uint64_t size)
{
	(void)ctx;
	if (done == size)
		fprintf(stderr, "%s is there, %" PRIu64 " bytes\n", digest, size);
}

int main(int argc, char **argv)
{
	struct login login = { argc > 6 ? argv[5] : NULL, argc > 6 ? argv[6] : NULL };
	struct bock_pull_options pull = { .progress = progress };
	struct bock_credential_store *credentials;
	struct bock_registry_options options = { 0 };
	struct bock_registry *registry = NULL;
	struct bock_store *store = NULL;
	struct bock_image *image = NULL;
	struct bk_err *err = NULL;
	char *manifest = NULL, **tags = NULL, name[600], text[1024];
	void *config = NULL;
	size_t size;

	if (argc < 5) {
		fprintf(stderr, "usage: %s HOST REPOSITORY TAG STORE [USER PASSWORD]\n", argv[0]);
		return 2;
	}
	snprintf(name, sizeof(name), "%s/%s:%s", argv[1], argv[2], argv[3]);
	credentials = bock_credential_store_callback(ask, &login);
	options.credentials = credentials;
	if (bock_registry_new(argv[1], &options, &registry, &err) == 0 &&
	    bock_registry_list_tags(registry, argv[2], &tags, &err) == 0 &&
	    bock_registry_get_manifest(registry, argv[2], argv[3], &manifest, &size, NULL, &err) == 0 &&
	    bock_store_open(argv[4], BOCK_STORE_CREATE, &store, &err) == 0 &&
	    bock_registry_pull(registry, argv[2], argv[3], store, name, &pull, &image, &err) == 0 &&
	    bock_registry_get_blob(registry, argv[2], image->config_digest, 0, &config, &size, &err) == 0) {
		for (char **tag = tags; *tag; tag++)
			printf("tag %s\n", *tag);
		printf("manifest %s\n", manifest);
		printf("config %.*s\n", (int)size, (const char *)config);
		printf("image %s %s\n", image->reference, image->digest);
	}
	if (err)
		fprintf(stderr, "%s\n", bock_error_text(err, text, sizeof(text)));
	bock_error_free(&err);
	bock_image_free(image);
	free(config);
	free(manifest);
	bock_strings_free(tags);
	bock_store_close(store);
	bock_registry_free(registry);
	bock_credential_store_free(credentials);
	return image ? 0 : 1;
}
