/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/spec_annotations.h"

#include "base/bk_str.h"

const struct spec_annotation_info spec_annotations[SPEC_ANNOTATION_MAX_] = {
	[SPEC_DELEGATE_CGROUP] = { "run.oci.delegate-cgroup",
				   "a cgroup below the container's that its processes have to themselves", true },
	[SPEC_CRIU_CONFIG] = { "org.criu.config", "criu's configuration file; empty: none", true },
	[SPEC_HOOKS_STDOUT] = { "run.oci.hooks.stdout", "a file that the hooks' output goes to", true },
	[SPEC_HOOKS_STDERR] = { "run.oci.hooks.stderr", "a file that the hooks' errors go to", true },
	[SPEC_KEEP_GROUPS] = { "run.oci.keep_original_groups",
			       "keep the supplementary groups of the caller", true },
	[SPEC_MOUNT_CONTEXT] = { "run.oci.mount_context_type",
				 "the mount option that takes linux.mountLabel", true },
	[SPEC_PIDFD_RECEIVER] = { "run.oci.pidfd_receiver",
				  "a socket that receives a pidfd of the first process", true },
	[SPEC_SECCOMP_BPF] = { "run.oci.seccomp_bpf_data",
			       "a BPF program in base64 in place of linux.seccomp", true },
	[SPEC_SECCOMP_FAIL_UNKNOWN] = { "run.oci.seccomp_fail_unknown_syscall",
					"unknown names in linux.seccomp are an error", false },
	[SPEC_SECCOMP_RECEIVER] = { "run.oci.seccomp.receiver",
				    "the socket of linux.seccomp.listenerPath", true },
	[SPEC_SYSTEMD_SUBGROUP] = { "run.oci.systemd.subgroup",
				    "a cgroup below the scope's that is the container's", true },
	[SPEC_SYSTEMD_PROPERTY] = { "org.systemd.property.",
				    "with the name of a property behind it: of the container's scope", true },
};

const char *spec_annotation(const struct oci_runtime_config *c, enum spec_annotation which)
{
	for (size_t i = 0; i < c->n_annotations; i++) {
		if (bk_streq(c->annotations[i].key, spec_annotations[which].name))
			return *c->annotations[i].value ? c->annotations[i].value : NULL;
	}
	return NULL;
}

bool spec_annotation_on(const struct oci_runtime_config *c, enum spec_annotation which)
{
	const char *value = spec_annotation(c, which);

	return value && !bk_streq(value, "0") && !bk_streq(value, "false");
}
