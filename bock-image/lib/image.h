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

/*
 * Loads an OCI layout, oci-archive or docker-archive (bock-image load), if the user's or the system's policy takes it, as
 * bock_registry_pull says.
 */
BOCK_API int bock_store_import(struct bock_store *store, const char *path, bool replace, struct bk_err **err);
/* Writes images (NULL at the end) to fd as one archive (bock-image save). */
BOCK_API int bock_store_export(const struct bock_store *store, char *const *references, int fd,
			       struct bk_err **err);

/* ---- credentials ------------------------------------------------------------------------------------ */

/* What a registry knows somebody by. From malloc; NULL where there is none. */
struct bock_credential {
	char *registry;		/* "docker.io", "localhost:5000", "host/path" */
	char *username;
	char *password;
	char *identity_token;	/* an OAuth2 refresh token, in place of a password */
	char *email;
};

BOCK_API struct bock_credential *bock_credential_new(const char *registry, const char *username,
						     const char *password);
BOCK_API struct bock_credential *bock_credential_with_token(const char *registry, const char *token);
/* Secrets are overwritten. */
BOCK_API void bock_credential_free(struct bock_credential *credential);
/* "user:password" in base64, as Docker's files have it; from malloc. */
BOCK_API char *bock_credential_to_docker_auth(const struct bock_credential *credential);
/* The reverse: split at the first ':'. */
BOCK_API int bock_credential_from_docker_auth(const char *registry, const char *auth,
					      struct bock_credential **ret_credential, struct bk_err **err);

/* Where credentials are kept: one of several back ends. */
struct bock_credential_store;

/* auth.json of containers, or config.json of Docker, at path; it need not exist. */
BOCK_API struct bock_credential_store *bock_credential_store_file(const char *path);
/* The password store `pass`. */
BOCK_API struct bock_credential_store *bock_credential_store_pass(void);
/* BOCK_REGISTRY_<HOST>_USERNAME, _PASSWORD, _TOKEN and DOCKER_AUTH_CONFIG; read only. */
BOCK_API struct bock_credential_store *bock_credential_store_env(void);
/* The program docker-credential-NAME. */
BOCK_API int bock_credential_store_helper(const char *name, struct bock_credential_store **ret_store,
					  struct bk_err **err);
/* All of these in their order; path (NULL: where containers' tools have it): the file to write to. */
BOCK_API struct bock_credential_store *bock_credential_store_manager(const char *path);
/*
 * A back end of the caller's: ask returns 0 and a credential (from bock_credential_new; NULL: none), or
 * something else to give the request up.
 */
BOCK_API struct bock_credential_store *bock_credential_store_callback(
	int (*ask)(void *ctx, const char *registry, struct bock_credential **ret_credential), void *ctx);
BOCK_API void bock_credential_store_free(struct bock_credential_store *store);

/* *ret_credential is NULL where there is none. */
BOCK_API int bock_credential_store_get(struct bock_credential_store *store, const char *registry,
				       struct bock_credential **ret_credential, struct bk_err **err);
BOCK_API int bock_credential_store_put(struct bock_credential_store *store,
				       const struct bock_credential *credential, struct bk_err **err);
/* *ret_deleted (may be NULL): whether there was one. */
BOCK_API int bock_credential_store_delete(struct bock_credential_store *store, const char *registry,
					  bool *ret_deleted, struct bk_err **err);
/* Registries, NULL at the end: bock_strings_free. */
BOCK_API int bock_credential_store_list(struct bock_credential_store *store, char ***ret_registries,
					struct bk_err **err);
BOCK_API int bock_credential_store_clear(struct bock_credential_store *store, struct bk_err **err);
/* "file", "pass", ... */
BOCK_API const char *bock_credential_store_name(const struct bock_credential_store *store);
BOCK_API void bock_strings_free(char **strings);

/* ---- registries ------------------------------------------------------------------------------------- */

struct bock_registry;

/* All zero is what most want. */
struct bock_registry_options {
	struct bock_credential_store *credentials;	/* NULL: none; must outlive the registry */
	bool insecure;					/* certificates are not verified */
	const char *cert_dir;				/* in place of certs.d */
	/* Told of waits and of warnings; may be NULL. */
	void (*notice)(void *ctx, const char *text);
	void *ctx;
	bool refuse_foreign;				/* foreign layers are not fetched from their own URLs */
};

/*
 * A client of the registry at base_url: "https://host[:port]", "http://host[:port]", or "host[:port]" alone, which is
 * https but on this machine, where http will do. options may be NULL.
 */
BOCK_API int bock_registry_new(const char *base_url, const struct bock_registry_options *options,
			       struct bock_registry **ret_registry, struct bk_err **err);
/* Docker Hub. */
BOCK_API int bock_registry_docker_hub(const struct bock_registry_options *options,
				      struct bock_registry **ret_registry, struct bk_err **err);
BOCK_API void bock_registry_free(struct bock_registry *registry);

/*
 * The manifest or index that reference (a tag or a digest) of a repository (as "library/alpine") names: its text, from
 * malloc, checked against the digest that was asked for and the one that the registry tells. ret_size and
 * ret_media_type (from malloc) may be NULL.
 */
BOCK_API int bock_registry_get_manifest(struct bock_registry *registry, const char *name, const char *reference,
					char **ret_text, size_t *ret_size, char **ret_media_type,
					struct bk_err **err);
/* A blob's content, from malloc, checked; at most max_size bytes (0: 64 MiB). */
BOCK_API int bock_registry_get_blob(struct bock_registry *registry, const char *name, const char *digest,
				    size_t max_size, void **ret_data, size_t *ret_size, struct bk_err **err);
/* All tags of a repository, NULL at the end: bock_strings_free. */
BOCK_API int bock_registry_list_tags(struct bock_registry *registry, const char *name, char ***ret_tags,
				     struct bk_err **err);

struct bock_pull_options {
	const char *platform;	/* "linux/arm64"; NULL: this machine's */
	bool all_platforms;
	unsigned int jobs;	/* requests at a time; 0: a few */
	/* Told what becomes of a blob: how many of its bytes are there. May be NULL. */
	void (*progress)(void *ctx, const char *digest, uint64_t done, uint64_t size);
	void *ctx;
	const char *policy;	/* a containers-policy.json(5) to obey; NULL: as below */
};

/*
 * Fetches an image into a store and names it there, with a note of where it came from, for bock-image fsck --repair, if the policy takes
 * it: that of options, else the user's (~/.config/containers/policy.json), else the system's (/etc/containers/policy.json); where there is
 * none, all are taken. What it does not take is -BOCK_ERROR_PERMISSION (-BOCK_ERROR_UNSUPPORTED: it asks for what can't be checked).
 * options and ret_image may be NULL.
 */
BOCK_API int bock_registry_pull(struct bock_registry *registry, const char *name, const char *reference,
				struct bock_store *store, const char *store_reference,
				const struct bock_pull_options *options, struct bock_image **ret_image,
				struct bk_err **err);

#ifdef __cplusplus
}
#endif
#endif
