/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libbock-image: images, and the store that keeps them, for programs in C and whatever can call it.
 *
 *	cc program.c $(pkg-config --cflags --libs bock-image)
 *
 * Every function that can fail returns 0, or -kind (enum bock_error_kind) and, where err isn't NULL, sets
 * *err, which must be NULL before and is the caller's: bock_error_free. What comes back through ret_...
 * is untouched on failure. Strings are UTF-8 and end in NUL. Out of memory ends the program.
 *
 * Handles are not for several threads at once; different handles are independent of each other, in one
 * process or several: stores are locked for what needs it.
 */
#ifndef BOCK_IMAGE_H
#define BOCK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BOCK_API __attribute__((visibility("default")))

/* ---- errors -------------------------------------------------------------------------------------- */

enum bock_error_kind {
	BOCK_ERROR_IO = 1,	/* a system call or a file failed */
	BOCK_ERROR_CONFIG,	/* what the caller or a document said is wrong */
	BOCK_ERROR_INTERNAL,	/* a fault of the library's: to be reported */
	BOCK_ERROR_NETWORK,	/* a peer can't be reached or broke off */
	BOCK_ERROR_REGISTRY,	/* a registry answered, and the answer is a failure */
	BOCK_ERROR_UNSUPPORTED, /* well-formed, but not to be had here */
	BOCK_ERROR_NOT_FOUND,	/* no such image, blob, store */
	BOCK_ERROR_PERMISSION	/* the kernel or a rule forbids it */
};

struct bk_err;

BOCK_API enum bock_error_kind bock_error_kind(const struct bk_err *err);
/* The errno that belongs to it; 0 where none does. */
BOCK_API int bock_error_errno(const struct bk_err *err);
/* "image store '/x': open it: No such file or directory", cut at size; returns buf. */
BOCK_API const char *bock_error_text(const struct bk_err *err, char *buf, size_t size);
/* The way out, a sentence; NULL where there is none. Owned by err. */
BOCK_API const char *bock_error_hint(const struct bk_err *err);
/* Frees *err and sets it to NULL; NULL is fine in both places. */
BOCK_API void bock_error_free(struct bk_err **err);

/* ---- the store ------------------------------------------------------------------------------------ */

/* "sha512:" and 128 hex digits and NUL, rounded up. */
#define BOCK_DIGEST_SIZE 144

struct bock_store;

enum {
	BOCK_STORE_READ = 0,
	BOCK_STORE_WRITE = 1,	/* to add, name and remove */
	BOCK_STORE_CREATE = 2	/* the same, and make the store if there is none */
};

/*
 * Opens the store at path, an OCI image layout (NULL: where bock-image has it for this user). Content that
 * is added stays safe from others' bock_store_gc until the store is closed: name it before.
 */
BOCK_API int bock_store_open(const char *path, unsigned int flags, struct bock_store **ret_store,
			     struct bk_err **err);
BOCK_API void bock_store_close(struct bock_store *store);

/* An image as stored. */
struct bock_image {
	char *reference;	/* its name in the store; NULL: it has none */
	char *digest;		/* of its manifest; of an index, of the manifest for this machine */
	char *config_digest;
	char **layers;		/* digests of the layers' blobs, in order; NULL at the end */
	size_t n_layers;
	uint64_t size;		/* bytes of all its blobs */
	char *created;		/* RFC 3339, as the image says; NULL: it doesn't */
	char *architecture;
	char *os;
};

BOCK_API void bock_image_free(struct bock_image *image);
/* What bock_store_list returned. */
BOCK_API void bock_images_free(struct bock_image **images);

/* A layer to save: what it is (NULL: by its first bytes), and its bytes. */
struct bock_layer {
	const char *media_type;
	const void *data;
	size_t size;
};

/*
 * Saves an image under a name, which another image may lose: manifest and config byte for byte, whose
 * digests and sizes must be what the manifest says of them, and so must the layers'. A layer that the
 * manifest names may be left out where the store has it. ret_image may be NULL.
 */
BOCK_API int bock_store_save(struct bock_store *store, const char *reference, const void *manifest,
			     size_t manifest_size, const void *config, size_t config_size,
			     const struct bock_layer *layers, size_t n_layers, struct bock_image **ret_image,
			     struct bk_err **err);

/*
 * Finds an image by its name, a name that means the same, its digest or the first 7 or more hex digits of
 * that. *ret_image is NULL where there is none.
 */
BOCK_API int bock_store_load(const struct bock_store *store, const char *reference,
			     struct bock_image **ret_image, struct bk_err **err);

/* All images, NULL at the end; what can't be read is left out. ret_n may be NULL. */
BOCK_API int bock_store_list(const struct bock_store *store, struct bock_image ***ret_images, size_t *ret_n,
			     struct bk_err **err);

/* Takes the name away. *ret_deleted (may be NULL): whether there was one. */
BOCK_API int bock_store_delete(struct bock_store *store, const char *reference, bool *ret_deleted,
			       struct bk_err **err);

/* Gives an image another name. */
BOCK_API int bock_store_tag(struct bock_store *store, const char *reference, const char *new_reference,
			    struct bk_err **err);

/*
 * Unpacks all layers, in order, into dest: a folder that is empty, or is made. Digests are checked on the
 * way; after a failure the folder holds what was unpacked until then. warn (may be NULL) is told what
 * was left out, and why: as another user than root, files belong to the caller and devices can't be.
 */
BOCK_API int bock_store_extract_layers(const struct bock_store *store, const char *reference, const char *dest,
				       void (*warn)(void *ctx, const char *message), void *ctx,
				       struct bk_err **err);

/* Removes what no image needs. *ret_bytes (may be NULL): how much that was. */
BOCK_API int bock_store_gc(struct bock_store *store, uint64_t *ret_bytes, struct bk_err **err);

/*
 * Checks the whole store. problem (may be NULL) is told of each: image (NULL: a blob by itself), the blob's
 * digest (NULL: none) and what it is. *ret_problems: how many.
 */
BOCK_API int bock_store_check(const struct bock_store *store,
			      void (*problem)(void *ctx, const char *image, const char *digest, const char *what),
			      void *ctx, uint64_t *ret_problems, struct bk_err **err);

/* Adds a blob; its digest (sha256). */
BOCK_API int bock_store_store_blob(struct bock_store *store, const void *data, size_t size,
				   char ret_digest[BOCK_DIGEST_SIZE], struct bk_err **err);
/* A blob's content, checked against its digest; from malloc. *ret_data is NULL where there is none. */
BOCK_API int bock_store_get_blob(const struct bock_store *store, const char *digest, void **ret_data,
				 size_t *ret_size, struct bk_err **err);
BOCK_API bool bock_store_has_blob(const struct bock_store *store, const char *digest);

/* Loads an OCI layout, oci-archive or docker-archive (bock-image load). */
BOCK_API int bock_store_import(struct bock_store *store, const char *path, bool replace, struct bk_err **err);
/* Writes images (NULL at the end) to fd as one archive (bock-image save). */
BOCK_API int bock_store_export(const struct bock_store *store, char *const *references, int fd,
			       struct bk_err **err);

#ifdef __cplusplus
}
#endif
#endif
