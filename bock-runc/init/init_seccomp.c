/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_seccomp.h"

#include "spec/spec_annotations.h"

int init_seccomp_compile(const struct oci_runtime_config *c, struct init_seccomp *ret,
			 struct bk_err **err)
{
	struct init_seccomp s = { .profile = c->linux_->seccomp,
				  .raw = spec_annotation(c, SPEC_SECCOMP_BPF) };
	const char *listener = spec_annotation(c, SPEC_SECCOMP_RECEIVER);

	s.has = s.profile || s.raw;
	if (spec_annotation_on(c, SPEC_SECCOMP_FAIL_UNKNOWN))
		s.how |= SEC_SECCOMP_FAIL_UNKNOWN;
	if (s.profile && !s.raw) {
		int rc;

		if (!listener && s.profile->listener_path && *s.profile->listener_path)
			listener = s.profile->listener_path;
		rc = sec_seccomp_check(s.profile, listener != NULL, err);
		if (rc < 0)
			return rc;
		s.listener = sec_seccomp_notifies(s.profile) ? listener : NULL;
	}
	*ret = s;
	return 0;
}

int init_seccomp_program(const struct init_seccomp *s, int cache_dirfd, struct sec_bpf *ret,
			 struct bk_err **err)
{
	int rc;

	if (!s->raw)
		return sec_seccomp_get(s->profile, s->how, cache_dirfd, ret, err);
	rc = sec_seccomp_raw(s->raw, ret, err);
	return rc < 0 ? bk_err_wrap(err, rc, "annotations: '%s'",
				    spec_annotations[SPEC_SECCOMP_BPF].name) : 0;
}
