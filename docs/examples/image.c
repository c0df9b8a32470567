/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists the images of a store, with their layers; with a name, unpacks that image; an image of its own
 * making goes in first if the store is empty.
 *
 *	cc -o image image.c $(pkg-config --cflags --libs bock-image)
 *	./image STORE [NAME DIRECTORY]
 */
#include <bock/image.h>
#include <stdio.h>
#include <string.h>

static int fail(struct bk_err **err)
{
	char text[1024];

	fprintf(stderr, "%s\n", bock_error_text(*err, text, sizeof(text)));
	if (bock_error_hint(*err))
		fprintf(stderr, "(%s)\n", bock_error_hint(*err));
	bock_error_free(err);
	return 1;
}

/* An image without layers. */
static int save_empty(struct bock_store *store, struct bk_err **err)
{
	static const char config[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
	char digest[BOCK_DIGEST_SIZE], manifest[1024];
	int rc = bock_store_store_blob(store, config, strlen(config), digest, err);

	if (rc < 0)
		return rc;
	snprintf(manifest, sizeof(manifest),
		 "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		 "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		 "\"digest\":\"%s\",\"size\":%zu},\"layers\":[]}",
		 digest, strlen(config));
	return bock_store_save(store, "empty:1", manifest, strlen(manifest), config, strlen(config), NULL, 0,
			       NULL, err);
}

int main(int argc, char **argv)
{
	struct bock_store *store = NULL;
	struct bock_image **images = NULL;
	struct bk_err *err = NULL;
	size_t n = 0;
	int status = 0;

	if (argc != 2 && argc != 4) {
		fprintf(stderr, "usage: %s STORE [NAME DIRECTORY]\n", argv[0]);
		return 2;
	}
	if (bock_store_open(argv[1], BOCK_STORE_CREATE, &store, &err) < 0)
		return fail(&err);
	if (bock_store_list(store, &images, &n, &err) < 0 || (n == 0 && save_empty(store, &err) < 0) ||
	    (argc == 4 && bock_store_extract_layers(store, argv[2], argv[3], NULL, NULL, &err) < 0))
		status = fail(&err);
	for (size_t i = 0; i < n; i++) {
		printf("%s %s %s/%s %llu\n", images[i]->reference ? images[i]->reference : "<none>",
		       images[i]->digest, images[i]->os, images[i]->architecture,
		       (unsigned long long)images[i]->size);
		for (size_t k = 0; k < images[i]->n_layers; k++)
			printf("\t%s\n", images[i]->layers[k]);
	}
	bock_images_free(images);
	bock_store_close(store);
	return status;
}
