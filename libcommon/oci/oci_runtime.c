/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_runtime.h"

#include <string.h>

#include "base/bk_str.h"

/* Members stand in the order in which other runtimes' `spec` prints them. */

#define OTHER_PLATFORM \
	"of another platform: it MAY be set only where that is the target (config.md)"
#define CPU_LIST "a list of CPUs such as 0-3,7"

/* ^RLIMIT_[A-Z]+$ */
static bool is_rlimit(const char *text)
{
	const char *name = bk_skip_prefix(text, "RLIMIT_");

	return name && bk_str_all_of(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

/* ^[0-9, -]*$ */
static bool is_cpu_list(const char *text)
{
	return text[strspn(text, "0123456789, -")] == '\0';
}

static const struct bk_doc_field root_fields[] = {
	BK_DOC_STR_F(struct oci_root, path, "path", BK_DOC_REQUIRED),
	BK_DOC_BOOL_F(struct oci_root, readonly, "readonly", 0),
	BK_DOC_END,
};
static const struct bk_doc_type root_type = BK_DOC_TYPE(struct oci_root, root_fields);

static const struct bk_doc_field id_mapping_fields[] = {
	BK_DOC_NUM_F(struct oci_id_mapping, container_id, "containerID", BK_DOC_U32,
		     BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_id_mapping, host_id, "hostID", BK_DOC_U32, BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_id_mapping, size, "size", BK_DOC_U32, BK_DOC_REQUIRED),
	BK_DOC_END,
};
const struct bk_doc_type oci_id_mapping_type = BK_DOC_TYPE(struct oci_id_mapping,
							   id_mapping_fields);

static const struct bk_doc_field mount_fields[] = {
	BK_DOC_STR_F(struct oci_mount, destination, "destination", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_mount, type, "type", 0),
	BK_DOC_STR_F(struct oci_mount, source, "source", 0),
	BK_DOC_STRV_F(struct oci_mount, options, "options", 0),
	BK_DOC_OBJV_F(struct oci_mount, uid_mappings, n_uid_mappings, "uidMappings", 0,
		      oci_id_mapping_type),
	BK_DOC_OBJV_F(struct oci_mount, gid_mappings, n_gid_mappings, "gidMappings", 0,
		      oci_id_mapping_type),
	BK_DOC_END,
};
const struct bk_doc_type oci_mount_type = BK_DOC_TYPE(struct oci_mount, mount_fields);

static const struct bk_doc_field box_fields[] = {
	BK_DOC_NUM_F(struct oci_box, height, "height", BK_DOC_U32, BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_box, width, "width", BK_DOC_U32, BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type box_type = BK_DOC_TYPE(struct oci_box, box_fields);

static const struct bk_doc_field rlimit_fields[] = {
	BK_DOC_STR_CHECK_F(struct oci_rlimit, type, "type", BK_DOC_REQUIRED, is_rlimit,
			   "a limit such as RLIMIT_NOFILE"),
	BK_DOC_NUM_F(struct oci_rlimit, hard, "hard", BK_DOC_U64, BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_rlimit, soft, "soft", BK_DOC_U64, BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type rlimit_type = BK_DOC_TYPE(struct oci_rlimit, rlimit_fields);

static const struct bk_doc_field capabilities_fields[] = {
	BK_DOC_STRV_F(struct oci_capabilities, bounding, "bounding", 0),
	BK_DOC_STRV_F(struct oci_capabilities, effective, "effective", 0),
	BK_DOC_STRV_F(struct oci_capabilities, inheritable, "inheritable", 0),
	BK_DOC_STRV_F(struct oci_capabilities, permitted, "permitted", 0),
	BK_DOC_STRV_F(struct oci_capabilities, ambient, "ambient", 0),
	BK_DOC_END,
};
static const struct bk_doc_type capabilities_type = BK_DOC_TYPE(struct oci_capabilities,
								capabilities_fields);

static const struct bk_doc_field user_fields[] = {
	BK_DOC_NUM_F(struct oci_user, uid, "uid", BK_DOC_U32, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct oci_user, gid, "gid", BK_DOC_U32, BK_DOC_ALWAYS),
	BK_DOC_NUM_OPT(struct oci_user, umask, has_umask, "umask", BK_DOC_U32, 0),
	BK_DOC_NUMV_F(struct oci_user, additional_gids, n_additional_gids, "additionalGids",
		      BK_DOC_U32, 0),
	BK_DOC_STR_F(struct oci_user, username, "username", 0),
	BK_DOC_END,
};
static const struct bk_doc_type user_type = BK_DOC_TYPE(struct oci_user, user_fields);

static const struct bk_doc_field scheduler_fields[] = {
	BK_DOC_STR_F(struct oci_scheduler, policy, "policy", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_scheduler, nice, "nice", BK_DOC_I32, 0),
	BK_DOC_NUM_F(struct oci_scheduler, priority, "priority", BK_DOC_I32, 0),
	BK_DOC_STRV_F(struct oci_scheduler, flags, "flags", 0),
	BK_DOC_NUM_F(struct oci_scheduler, runtime, "runtime", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct oci_scheduler, deadline, "deadline", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct oci_scheduler, period, "period", BK_DOC_U64, 0),
	BK_DOC_END,
};
static const struct bk_doc_type scheduler_type = BK_DOC_TYPE(struct oci_scheduler,
							     scheduler_fields);

static const struct bk_doc_field io_priority_fields[] = {
	BK_DOC_STR_F(struct oci_io_priority, class_name, "class", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_io_priority, priority, "priority", BK_DOC_I32, BK_DOC_ALWAYS),
	BK_DOC_END,
};
static const struct bk_doc_type io_priority_type = BK_DOC_TYPE(struct oci_io_priority,
							       io_priority_fields);

static const struct bk_doc_field cpu_affinity_fields[] = {
	BK_DOC_STR_CHECK_F(struct oci_cpu_affinity, initial, "initial", 0, is_cpu_list, CPU_LIST),
	BK_DOC_STR_CHECK_F(struct oci_cpu_affinity, final, "final", 0, is_cpu_list, CPU_LIST),
	BK_DOC_END,
};
static const struct bk_doc_type cpu_affinity_type = BK_DOC_TYPE(struct oci_cpu_affinity,
								cpu_affinity_fields);

static const struct bk_doc_field process_fields[] = {
	BK_DOC_BOOL_F(struct oci_process, terminal, "terminal", 0),
	BK_DOC_OBJ_F(struct oci_process, console_size, "consoleSize", 0, box_type),
	BK_DOC_OBJ_F(struct oci_process, user, "user", 0, user_type),
	BK_DOC_STRV_F(struct oci_process, args, "args", 0),
	BK_DOC_STR_F(struct oci_process, command_line, "commandLine", 0),
	BK_DOC_STRV_F(struct oci_process, env, "env", 0),
	BK_DOC_STR_F(struct oci_process, cwd, "cwd", BK_DOC_REQUIRED),
	BK_DOC_OBJ_F(struct oci_process, capabilities, "capabilities", 0, capabilities_type),
	BK_DOC_OBJV_F(struct oci_process, rlimits, n_rlimits, "rlimits", 0, rlimit_type),
	BK_DOC_BOOL_F(struct oci_process, no_new_privileges, "noNewPrivileges", 0),
	BK_DOC_STR_F(struct oci_process, apparmor_profile, "apparmorProfile", 0),
	BK_DOC_NUM_OPT(struct oci_process, oom_score_adj, has_oom_score_adj, "oomScoreAdj",
		       BK_DOC_I32, 0),
	BK_DOC_OBJ_F(struct oci_process, scheduler, "scheduler", 0, scheduler_type),
	BK_DOC_STR_F(struct oci_process, selinux_label, "selinuxLabel", 0),
	BK_DOC_OBJ_F(struct oci_process, io_priority, "ioPriority", 0, io_priority_type),
	BK_DOC_OBJ_F(struct oci_process, exec_cpu_affinity, "execCPUAffinity", 0,
		     cpu_affinity_type),
	BK_DOC_END,
};
const struct bk_doc_type oci_process_type = BK_DOC_TYPE(struct oci_process, process_fields);

static const struct bk_doc_field hook_fields[] = {
	BK_DOC_STR_F(struct oci_hook, path, "path", BK_DOC_REQUIRED),
	BK_DOC_STRV_F(struct oci_hook, args, "args", 0),
	BK_DOC_STRV_F(struct oci_hook, env, "env", 0),
	BK_DOC_NUM_OPT(struct oci_hook, timeout, has_timeout, "timeout", BK_DOC_I32, 0),
	BK_DOC_END,
};
const struct bk_doc_type oci_hook_type = BK_DOC_TYPE(struct oci_hook, hook_fields);

static const struct bk_doc_field hooks_fields[] = {
	BK_DOC_OBJV_F(struct oci_hooks, prestart, n_prestart, "prestart", 0, oci_hook_type),
	BK_DOC_OBJV_F(struct oci_hooks, create_runtime, n_create_runtime, "createRuntime", 0,
		      oci_hook_type),
	BK_DOC_OBJV_F(struct oci_hooks, create_container, n_create_container, "createContainer", 0,
		      oci_hook_type),
	BK_DOC_OBJV_F(struct oci_hooks, start_container, n_start_container, "startContainer", 0,
		      oci_hook_type),
	BK_DOC_OBJV_F(struct oci_hooks, poststart, n_poststart, "poststart", 0, oci_hook_type),
	BK_DOC_OBJV_F(struct oci_hooks, poststop, n_poststop, "poststop", 0, oci_hook_type),
	BK_DOC_END,
};
static const struct bk_doc_type hooks_type = BK_DOC_TYPE(struct oci_hooks, hooks_fields);

static const struct bk_doc_field config_fields[] = {
	BK_DOC_STR_F(struct oci_runtime_config, oci_version, "ociVersion", BK_DOC_REQUIRED),
	BK_DOC_OBJ_F(struct oci_runtime_config, process, "process", 0, oci_process_type),
	BK_DOC_OBJ_F(struct oci_runtime_config, root, "root", 0, root_type),
	BK_DOC_STR_F(struct oci_runtime_config, hostname, "hostname", 0),
	BK_DOC_STR_F(struct oci_runtime_config, domainname, "domainname", 0),
	BK_DOC_OBJV_F(struct oci_runtime_config, mounts, n_mounts, "mounts", 0, oci_mount_type),
	BK_DOC_OBJ_F(struct oci_runtime_config, hooks, "hooks", 0, hooks_type),
	BK_DOC_STRMAP_F(struct oci_runtime_config, annotations, n_annotations, "annotations", 0),
	BK_DOC_OBJ_F(struct oci_runtime_config, linux_, "linux", 0, oci_linux_type),
	BK_DOC_IGNORED_F("solaris", OTHER_PLATFORM),
	BK_DOC_IGNORED_F("windows", OTHER_PLATFORM),
	BK_DOC_IGNORED_F("zos", OTHER_PLATFORM),
	BK_DOC_IGNORED_F("freebsd", OTHER_PLATFORM),
	/* who asks for a virtual machine must not get a shared kernel without being told */
	BK_DOC_UNSUPPORTED_F("vm", "this runtime makes no virtual machines"),
	BK_DOC_END,
};
const struct bk_doc_type oci_runtime_config_type = BK_DOC_TYPE(struct oci_runtime_config,
							       config_fields);
