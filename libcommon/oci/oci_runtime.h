/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime configuration, config.json (runtime-spec 1.3, config.md). Types and tables only: what a
 * value means and whether it can be had is decided in bock-runc's spec/. All memory is the arena's.
 *
 * Uses: codec/bk_doc. Used by: bock-runc, bock-image (conversion), bock-build.
 */
#ifndef OCI_RUNTIME_H
#define OCI_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/bk_doc.h"

#define OCI_RUNTIME_VERSION "1.3.0"

struct oci_linux;

struct oci_root {
	char *path;
	bool readonly;
};

struct oci_id_mapping {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct oci_mount {
	char *destination;
	char *type;
	char *source;
	char **options;
	struct oci_id_mapping *uid_mappings;
	size_t n_uid_mappings;
	struct oci_id_mapping *gid_mappings;
	size_t n_gid_mappings;
};

struct oci_box {
	uint32_t height;
	uint32_t width;
};

struct oci_rlimit {
	char *type;	/* "RLIMIT_NOFILE" */
	uint64_t soft;
	uint64_t hard;
};

struct oci_capabilities {
	char **bounding;
	char **effective;
	char **inheritable;
	char **permitted;
	char **ambient;
};

struct oci_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t umask;
	bool has_umask;
	uint32_t *additional_gids;
	size_t n_additional_gids;
	char *username;		/* Windows; ignored here by the spec */
};

struct oci_scheduler {
	char *policy;	/* "SCHED_OTHER" */
	int32_t nice;
	int32_t priority;
	char **flags;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

struct oci_io_priority {
	char *class_name;	/* "IOPRIO_CLASS_BE" */
	int32_t priority;
};

struct oci_cpu_affinity {
	char *initial;
	char *final;
};

struct oci_process {
	bool terminal;
	struct oci_box *console_size;
	struct oci_user *user;		/* NULL where absent: 0:0 */
	char **args;
	char *command_line;		/* Windows */
	char **env;
	char *cwd;
	struct oci_capabilities *capabilities;
	struct oci_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	char *apparmor_profile;
	int32_t oom_score_adj;
	bool has_oom_score_adj;
	char *selinux_label;
	struct oci_scheduler *scheduler;
	struct oci_io_priority *io_priority;
	struct oci_cpu_affinity *exec_cpu_affinity;
};

struct oci_hook {
	char *path;
	char **args;
	char **env;
	int32_t timeout;	/* seconds */
	bool has_timeout;
};

struct oci_hooks {
	struct oci_hook *prestart, *create_runtime, *create_container;
	struct oci_hook *start_container, *poststart, *poststop;
	size_t n_prestart, n_create_runtime, n_create_container;
	size_t n_start_container, n_poststart, n_poststop;
};

struct oci_runtime_config {
	char *oci_version;
	struct oci_process *process;
	struct oci_root *root;
	char *hostname;
	char *domainname;
	struct oci_mount *mounts;
	size_t n_mounts;
	struct oci_hooks *hooks;
	struct bk_doc_pair *annotations;
	size_t n_annotations;
	struct oci_linux *linux_;	/* "linux" is a macro of gcc's gnu modes */
};

extern const struct bk_doc_type oci_runtime_config_type;
extern const struct bk_doc_type oci_process_type;	/* also exec --process */
extern const struct bk_doc_type oci_mount_type;
extern const struct bk_doc_type oci_id_mapping_type;
extern const struct bk_doc_type oci_hook_type;
extern const struct bk_doc_type oci_linux_type;	/* struct oci_linux: oci_runtime_linux.h */

#endif
