/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_personality.h"

#include <errno.h>
#include <sys/personality.h>

const struct bk_doc_name proc_personality_domains[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ NULL, 0 },
};

int proc_personality_compile(const struct oci_personality *p, int *ret_value, struct bk_err **err)
{
	if (!p->domain)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.personality.domain: required member is missing");
	if (!bk_doc_name_find(proc_personality_domains, p->domain, ret_value))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "linux.personality.domain: '%s' is unknown",
				  p->domain);
	if (p->flags && p->flags[0])
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.personality.flags[0]: '%s' is unknown: there are no flags yet",
				  p->flags[0]);
	return 0;
}

int proc_personality_set(int value, struct bk_err **err)
{
	if (personality((unsigned long)value) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the personality %s",
				  bk_doc_name_of(proc_personality_domains, value));
	return 0;
}
