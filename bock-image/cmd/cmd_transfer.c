/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_transfer.h"

/* Which images are taken. */
#define POLICY_ROW(type)                                                                          \
	{ "policy", 0, BK_CLI_STR, offsetof(type, policy), "FILE",                                \
	  "which images are taken, in place of policy.json", BK_CLI_PATH, NULL }

static const char *const compressions[] = { "gzip", "none", NULL };

static const struct bk_cli_opt import_opts[] = {
	{ "cmd", 'c', BK_CLI_STRV, offsetof(struct cmd_import_opts, cmd), "WORD",
	  "word of the image's command (one a use)", 0, NULL },
	{ "env", 'e', BK_CLI_STRV, offsetof(struct cmd_import_opts, env), "NAME=VALUE",
	  "variable of the image's environment", 0, NULL },
	{ "user", 'u', BK_CLI_STR, offsetof(struct cmd_import_opts, user), "USER[:GROUP]",
	  "user of the image", 0, NULL },
	{ "workdir", 'w', BK_CLI_STR, offsetof(struct cmd_import_opts, workdir), "DIR",
	  "working directory of the image", 0, NULL },
	{ "arch", 0, BK_CLI_STR, offsetof(struct cmd_import_opts, arch), "ARCH",
	  "architecture, as Go names it (default: this machine's)", 0, NULL },
	{ "compression", 0, BK_CLI_CHOICE, offsetof(struct cmd_import_opts, compression), "HOW",
	  "how the layer is kept: gzip or none", 0, compressions },
	POLICY_ROW(struct cmd_import_opts),
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_import_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_import = {
	.name = "import",
	.synopsis = "TAR NAME",
	.help = "make an image of one layer from the tar of a root file system",
	.min_args = 2,
	.max_args = 2,
	.opts = import_opts,
	.opts_size = sizeof(struct cmd_import_opts),
};

static const struct bk_cli_opt load_opts[] = {
	{ "name", 'n', BK_CLI_STR, offsetof(struct cmd_load_opts, name), "NAME",
	  "name of the image, instead of its own", 0, NULL },
	POLICY_ROW(struct cmd_load_opts),
	{ "replace", 'r', BK_CLI_FLAG, offsetof(struct cmd_load_opts, replace), NULL,
	  "take over names that other images have", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_load_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_load = {
	.name = "load",
	.synopsis = "FILE",
	.help = "take images from an OCI layout, oci-archive or docker-archive",
	.min_args = 1,
	.max_args = 1,
	.opts = load_opts,
	.opts_size = sizeof(struct cmd_load_opts),
};

static const struct bk_cli_opt repack_opts[] = {
	{ "author", 0, BK_CLI_STR, offsetof(struct cmd_repack_opts, author), "TEXT",
	  "who made the change, for the history", 0, NULL },
	{ "created-by", 0, BK_CLI_STR, offsetof(struct cmd_repack_opts, created_by), "TEXT",
	  "what made it, for the history (default: bock-image repack)", 0, NULL },
	{ "message", 'm', BK_CLI_STR, offsetof(struct cmd_repack_opts, message), "TEXT",
	  "comment in the history", 0, NULL },
	{ "mask-path", 0, BK_CLI_STRV, offsetof(struct cmd_repack_opts, mask), "PATH",
	  "leave out what was changed there and below it", 0, NULL },
	{ "compression", 0, BK_CLI_CHOICE, offsetof(struct cmd_repack_opts, compression), "HOW",
	  "how the layer is kept: gzip or none", 0, compressions },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_repack_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_repack = {
	.name = "repack",
	.synopsis = "BUNDLE NAME",
	.help = "make an image of a changed bundle: the one it was made of, and a layer",
	.min_args = 2,
	.max_args = 2,
	.opts = repack_opts,
	.opts_size = sizeof(struct cmd_repack_opts),
};

/* As enum layer_confine_how. */
const char *const cmd_bounds_confine[] = { "auto", "required", "none", NULL };

static const struct bk_cli_opt diff_opts[] = {
	BOUNDS_ROWS(struct cmd_diff_opts),
	{ "exit-code", 0, BK_CLI_FLAG, offsetof(struct cmd_diff_opts, exit_code), NULL,
	  "exit with 1 where the images differ", 0, NULL },
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct cmd_diff_opts, json), NULL,
	  "print an array of objects", 0, NULL },
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_diff_opts, platform), "OS/ARCH[/VARIANT]",
	  "the images for this platform (default: this machine's)", 0, NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_diff = {
	.name = "diff",
	.synopsis = "IMAGE IMAGE",
	.help = "compare two images file by file",
	.min_args = 2,
	.max_args = 2,
	.opts = diff_opts,
	.opts_size = sizeof(struct cmd_diff_opts),
	.fail_status = 2, /* as of diff(1): 1 is that they differ */
};

/* As enum bundle_mode. */
static const char *const modes[] = { "copy", "overlay", "reflink", "erofs", "auto", NULL };
/* As enum bundle_volumes. */
const char *const cmd_container_volumes[] = { "dir", "tmpfs", "none", NULL };

static const struct bk_cli_opt unpack_opts[] = {
	{ "mode", 0, BK_CLI_CHOICE, offsetof(struct cmd_unpack_opts, mode), "MODE",
	  "what the root is: copy, overlay, reflink, erofs or auto (default: copy)", 0, modes },
	BOUNDS_ROWS(struct cmd_unpack_opts),
	CONTAINER_ROWS(struct cmd_unpack_opts),
	BK_CLI_END
};

const struct bk_cli_cmd cmd_unpack = {
	.name = "unpack",
	.synopsis = "NAME BUNDLE [-- ARG...]",
	.help = "make a bundle that a runtime can run",
	.min_args = 2,
	.max_args = -1,
	.opts = unpack_opts,
	.opts_size = sizeof(struct cmd_unpack_opts),
};

/* ---- registries ---------------------------------------------------------------------------------- */

#define REGISTRY_ROWS(type)                                                                       \
	{ "authfile", 0, BK_CLI_STR, offsetof(type, registry.authfile), "FILE",                   \
	  "credentials (default: $REGISTRY_AUTH_FILE, or those of containers and Docker)",        \
	  BK_CLI_PATH, NULL },                                                                    \
	{ "cert-dir", 0, BK_CLI_STR, offsetof(type, registry.cert_dir), "DIR",                    \
	  "*.crt, *.cert and *.key for the registry, in place of certs.d", BK_CLI_DIR, NULL },    \
	{ "registries-conf", 0, BK_CLI_STR, offsetof(type, registry.registries_conf), "FILE",     \
	  "mirrors, aliases, blocks, in place of registries.conf", BK_CLI_PATH, NULL },           \
	{ "tls-verify", 0, BK_CLI_FLAG, offsetof(type, registry.tls_verify), NULL,                \
	  "the registry's certificate must be valid (default; --tls-verify=false: any)", 0,       \
	  NULL },                                                                                 \
	{ "plain-http", 0, BK_CLI_FLAG, offsetof(type, registry.plain_http), NULL,                \
	  "ask the registry by http, unencrypted", 0, NULL },                                     \
	{ "timeout", 0, BK_CLI_STR, offsetof(type, registry.timeout), "DURATION",                 \
	  "give up a transfer of less than 1 KiB/s after this (default: 60s)", 0, NULL },         \
	{ "retries", 0, BK_CLI_U32, offsetof(type, registry.retries), "N",                        \
	  "try again so often what may pass (default: 5)", 0, NULL }
/* As enum cmd_foreign. */
static const char *const foreigns[] = { "fetch", "refuse", NULL };
#define FOREIGN_ROW(type)                                                                         \
	{ "foreign-layers", 0, BK_CLI_CHOICE, offsetof(type, registry.foreign_layers), "HOW",     \
	  "layers that only their own URLs have: fetch (default) or refuse", 0, foreigns }
/* What goes along with an image. */
#define REFERRERS_ROW(type)                                                                       \
	{ "referrers", 0, BK_CLI_FLAG, offsetof(type, referrers), NULL,                           \
	  "signatures, SBOMs and what else refers to the image come along", 0, NULL }
#define REGISTRY_DEFAULTS { .tls_verify = true, .retries = 5 }

static const struct bk_cli_opt pull_opts[] = {
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_pull_opts, platform), "OS/ARCH[/VARIANT]",
	  "the image for this platform (default: this machine's)", 0, NULL },
	{ "all-platforms", 'a', BK_CLI_FLAG, offsetof(struct cmd_pull_opts, all_platforms), NULL,
	  "the images for all platforms", 0, NULL },
	{ "jobs", 0, BK_CLI_U32, offsetof(struct cmd_pull_opts, jobs), "N",
	  "requests at a time (default: 4)", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_pull_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct cmd_pull_opts, json), NULL,
	  "print what happens as objects, one a line", 0, NULL },
	POLICY_ROW(struct cmd_pull_opts),
	REFERRERS_ROW(struct cmd_pull_opts),
	FOREIGN_ROW(struct cmd_pull_opts),
	REGISTRY_ROWS(struct cmd_pull_opts),
	BK_CLI_END
};
static const struct cmd_pull_opts pull_defaults = { .registry = REGISTRY_DEFAULTS, .jobs = 4 };

const struct bk_cli_cmd cmd_pull = {
	.name = "pull",
	.synopsis = "NAME...",
	.help = "fetch images from registries",
	.min_args = 1,
	.max_args = -1,
	.opts = pull_opts,
	.opts_size = sizeof(struct cmd_pull_opts),
	.opts_defaults = &pull_defaults,
};

static const struct bk_cli_opt push_opts[] = {
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_push_opts, platform), "OS/ARCH[/VARIANT]",
	  "of an index the image for this platform", 0, NULL },
	{ "chunk", 0, BK_CLI_STR, offsetof(struct cmd_push_opts, chunk), "SIZE",
	  "send blobs larger than this in pieces (default: 64m)", 0, NULL },
	{ "jobs", 0, BK_CLI_U32, offsetof(struct cmd_push_opts, jobs), "N",
	  "requests at a time (default: 4)", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_push_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct cmd_push_opts, json), NULL,
	  "print what happens as objects, one a line", 0, NULL },
	REFERRERS_ROW(struct cmd_push_opts),
	REGISTRY_ROWS(struct cmd_push_opts),
	BK_CLI_END
};
static const struct cmd_push_opts push_defaults = { .registry = REGISTRY_DEFAULTS, .jobs = 4 };

const struct bk_cli_cmd cmd_push = {
	.name = "push",
	.synopsis = "NAME [DESTINATION...]",
	.help = "send an image to registries",
	.min_args = 1,
	.max_args = -1,
	.opts = push_opts,
	.opts_size = sizeof(struct cmd_push_opts),
	.opts_defaults = &push_defaults,
};

static const struct bk_cli_opt copy_opts[] = {
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_copy_opts, platform), "OS/ARCH[/VARIANT]",
	  "the image for this platform (default: this machine's)", 0, NULL },
	{ "all-platforms", 'a', BK_CLI_FLAG, offsetof(struct cmd_copy_opts, all_platforms), NULL,
	  "the images for all platforms", 0, NULL },
	{ "jobs", 0, BK_CLI_U32, offsetof(struct cmd_copy_opts, jobs), "N",
	  "requests at a time (default: 4)", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_copy_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	POLICY_ROW(struct cmd_copy_opts),
	REFERRERS_ROW(struct cmd_copy_opts),
	FOREIGN_ROW(struct cmd_copy_opts),
	REGISTRY_ROWS(struct cmd_copy_opts),
	BK_CLI_END
};
static const struct cmd_copy_opts copy_defaults = { .registry = REGISTRY_DEFAULTS, .jobs = 4 };

const struct bk_cli_cmd cmd_copy = {
	.name = "copy",
	.synopsis = "SOURCE DESTINATION",
	.help = "copy an image between registries, layouts, archives and the store",
	.min_args = 2,
	.max_args = 2,
	.opts = copy_opts,
	.opts_size = sizeof(struct cmd_copy_opts),
	.opts_defaults = &copy_defaults,
};

static const struct bk_cli_opt login_opts[] = {
	{ "username", 'u', BK_CLI_STR, offsetof(struct cmd_login_opts, username), "USER",
	  "who logs in", 0, NULL },
	{ "password-stdin", 0, BK_CLI_FLAG, offsetof(struct cmd_login_opts, password_stdin), NULL,
	  "read the password from standard input (default: ask for it)", 0, NULL },
	{ "store", 0, BK_CLI_STR, offsetof(struct cmd_login_opts, store), "WHERE",
	  "keep it in a file, in pass, or by docker-credential-WHERE (default: file)", 0, NULL },
	REGISTRY_ROWS(struct cmd_login_opts),
	BK_CLI_END
};
static const struct cmd_login_opts login_defaults = { .registry = REGISTRY_DEFAULTS };

const struct bk_cli_cmd cmd_login = {
	.name = "login",
	.synopsis = "REGISTRY",
	.help = "try credentials at a registry and keep them",
	.min_args = 1,
	.max_args = 1,
	.opts = login_opts,
	.opts_size = sizeof(struct cmd_login_opts),
	.opts_defaults = &login_defaults,
};

static const struct bk_cli_opt logout_opts[] = {
	{ "authfile", 0, BK_CLI_STR, offsetof(struct cmd_logout_opts, authfile), "FILE",
	  "credentials (default: as for login)", BK_CLI_PATH, NULL },
	{ "all", 'a', BK_CLI_FLAG, offsetof(struct cmd_logout_opts, all), NULL,
	  "forget the credentials of all registries in the file", 0, NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_logout = {
	.name = "logout",
	.synopsis = "[REGISTRY]",
	.help = "forget credentials",
	.min_args = 0,
	.max_args = 1,
	.opts = logout_opts,
	.opts_size = sizeof(struct cmd_logout_opts),
};

static const struct bk_cli_opt fsck_opts[] = {
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct cmd_fsck_opts, json), NULL, "print an object", 0,
	  NULL },
	{ "quick", 0, BK_CLI_FLAG, offsetof(struct cmd_fsck_opts, quick), NULL,
	  "sizes and documents only: layers are not read", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_fsck_opts, quiet), NULL,
	  "print nothing: the exit status tells", 0, NULL },
	{ "repair", 0, BK_CLI_FLAG, offsetof(struct cmd_fsck_opts, repair), NULL,
	  "fetch what is broken from where it was pulled, by digest, and mend index.json", 0, NULL },
	FOREIGN_ROW(struct cmd_fsck_opts),
	REGISTRY_ROWS(struct cmd_fsck_opts),
	BK_CLI_END
};
static const struct cmd_fsck_opts fsck_defaults = { .registry = REGISTRY_DEFAULTS };

const struct bk_cli_cmd cmd_fsck = {
	.name = "fsck",
	.synopsis = "",
	.help = "check that the store is whole, and repair it",
	.max_args = 0,
	.opts = fsck_opts,
	.opts_size = sizeof(struct cmd_fsck_opts),
	.opts_defaults = &fsck_defaults,
};

static const struct bk_cli_opt tags_opts[] = {
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct cmd_tags_opts, json), NULL, "print an array", 0,
	  NULL },
	REGISTRY_ROWS(struct cmd_tags_opts),
	BK_CLI_END
};
static const struct cmd_tags_opts tags_defaults = { .registry = REGISTRY_DEFAULTS };

const struct bk_cli_cmd cmd_tags = {
	.name = "tags",
	.synopsis = "NAME",
	.help = "list the tags of a registry's repository",
	.min_args = 1,
	.max_args = 1,
	.opts = tags_opts,
	.opts_size = sizeof(struct cmd_tags_opts),
	.opts_defaults = &tags_defaults,
};

static const struct bk_cli_opt digest_opts[] = {
	REGISTRY_ROWS(struct cmd_digest_opts),
	BK_CLI_END
};
static const struct cmd_digest_opts digest_defaults = { .registry = REGISTRY_DEFAULTS };

const struct bk_cli_cmd cmd_digest = {
	.name = "digest",
	.synopsis = "NAME",
	.help = "print the digest that a registry has for a name",
	.min_args = 1,
	.max_args = 1,
	.opts = digest_opts,
	.opts_size = sizeof(struct cmd_digest_opts),
	.opts_defaults = &digest_defaults,
};

/* ---- what refers to images ------------------------------------------------------------------------ */

static const struct bk_cli_opt referrers_opts[] = {
	{ "artifact-type", 0, BK_CLI_STR, offsetof(struct cmd_referrers_opts, artifact_type), "TYPE",
	  "those of this type only", 0, NULL },
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_referrers_opts, platform),
	  "OS/ARCH[/VARIANT]", "of an index the image for this platform", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_referrers_opts, quiet), NULL,
	  "print digests only", 0, NULL },
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct cmd_referrers_opts, json), NULL,
	  "print an index of them, as registries do", 0, NULL },
	REGISTRY_ROWS(struct cmd_referrers_opts),
	BK_CLI_END
};
static const struct cmd_referrers_opts referrers_defaults = { .registry = REGISTRY_DEFAULTS };

const struct bk_cli_cmd cmd_referrers = {
	.name = "referrers",
	.synopsis = "NAME",
	.help = "list what refers to an image of the store, or with docker://NAME of a registry",
	.min_args = 1,
	.max_args = 1,
	.opts = referrers_opts,
	.opts_size = sizeof(struct cmd_referrers_opts),
	.opts_defaults = &referrers_defaults,
};

static const struct bk_cli_opt attach_opts[] = {
	{ "artifact-type", 0, BK_CLI_STR, offsetof(struct cmd_attach_opts, artifact_type), "TYPE",
	  "what it is, a media type as application/spdx+json (needed)", 0, NULL },
	{ "annotation", 'a', BK_CLI_STRV, offsetof(struct cmd_attach_opts, annotations), "KEY=VALUE",
	  "annotation of the artifact's manifest", 0, NULL },
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_attach_opts, platform), "OS/ARCH[/VARIANT]",
	  "to the image for this platform, not to the index", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_attach_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	REGISTRY_ROWS(struct cmd_attach_opts),
	BK_CLI_END
};
static const struct cmd_attach_opts attach_defaults = { .registry = REGISTRY_DEFAULTS };

const struct bk_cli_cmd cmd_attach = {
	.name = "attach",
	.synopsis = "NAME FILE[:MEDIA-TYPE]...",
	.help = "make an artifact of files that refers to an image of the store or of a registry",
	.min_args = 2,
	.max_args = -1,
	.opts = attach_opts,
	.opts_size = sizeof(struct cmd_attach_opts),
	.opts_defaults = &attach_defaults,
};

/* As enum form of cmd_sign.c. */
static const char *const forms[] = { "tag", "referrers", "both", NULL };

static const struct bk_cli_opt sign_opts[] = {
	{ "key", 'k', BK_CLI_STR, offsetof(struct cmd_sign_opts, key), "FILE",
	  "private key in PEM (needed)", BK_CLI_PATH, NULL },
	{ "passphrase-file", 0, BK_CLI_STR, offsetof(struct cmd_sign_opts, passphrase_file), "FILE",
	  "the key's pass phrase is the first line of this file", BK_CLI_PATH, NULL },
	{ "passphrase-fd", 0, BK_CLI_I64, offsetof(struct cmd_sign_opts, passphrase_fd), "N",
	  "or of this descriptor (default: $COSIGN_PASSWORD)", 0, NULL },
	{ "identity", 0, BK_CLI_STR, offsetof(struct cmd_sign_opts, identity), "NAME",
	  "what the signature calls the image (default: its name)", 0, NULL },
	{ "form", 0, BK_CLI_CHOICE, offsetof(struct cmd_sign_opts, form), "FORM",
	  "how a registry keeps it: tag, referrers or both (default: tag)", 0, forms },
	{ "recursive", 'r', BK_CLI_FLAG, offsetof(struct cmd_sign_opts, recursive), NULL,
	  "of an index sign each image, too", 0, NULL },
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_sign_opts, platform), "OS/ARCH[/VARIANT]",
	  "the image for this platform, not the index", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_sign_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	REGISTRY_ROWS(struct cmd_sign_opts),
	BK_CLI_END
};
static const struct cmd_sign_opts sign_defaults = { .registry = REGISTRY_DEFAULTS,
						    .passphrase_fd = -1 };

const struct bk_cli_cmd cmd_sign = {
	.name = "sign",
	.synopsis = "NAME",
	.help = "sign an image of the store, or with docker://NAME of a registry",
	.min_args = 1,
	.max_args = 1,
	.opts = sign_opts,
	.opts_size = sizeof(struct cmd_sign_opts),
	.opts_defaults = &sign_defaults,
};

static const struct bk_cli_opt verify_opts[] = {
	{ "key", 'k', BK_CLI_STRV, offsetof(struct cmd_verify_opts, keys), "FILE",
	  "public key in PEM; one of several will do", BK_CLI_PATH, NULL },
	{ "policy", 0, BK_CLI_STR, offsetof(struct cmd_verify_opts, policy), "FILE",
	  "what this policy.json asks, in place of keys", BK_CLI_PATH, NULL },
	{ "identity", 0, BK_CLI_STR, offsetof(struct cmd_verify_opts, identity), "NAME",
	  "what the signature must call it (default: its repository)", 0, NULL },
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_verify_opts, platform), "OS/ARCH[/VARIANT]",
	  "the image for this platform, not the index", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_verify_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	REGISTRY_ROWS(struct cmd_verify_opts),
	BK_CLI_END
};
static const struct cmd_verify_opts verify_defaults = { .registry = REGISTRY_DEFAULTS };

const struct bk_cli_cmd cmd_verify = {
	.name = "verify",
	.synopsis = "NAME",
	.help = "verify the signature of an image of the store, or with docker://NAME of a registry",
	.min_args = 1,
	.max_args = 1,
	.opts = verify_opts,
	.opts_size = sizeof(struct cmd_verify_opts),
	.opts_defaults = &verify_defaults,
};
