/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_ifname.h"

#include <net/if.h>
#include <string.h>

#include "base/bk_str.h"

_Static_assert(BK_IFNAME_MAX == IFNAMSIZ - 1, "the kernel's limit");
_Static_assert(BK_IFNAME_MAX == 15, "name_fault names the number");

static const char *name_fault(const char *name)
{
	if (!*name)
		return "it is empty";
	if (strnlen(name, BK_IFNAME_MAX + 1) > BK_IFNAME_MAX)
		return "it is longer than 15 bytes";
	if (bk_streq(name, ".") || bk_streq(name, ".."))
		return "it would name a directory";
	/* \240: a space of Latin-1, which the kernel takes for one */
	if (strpbrk(name, "/: \t\n\v\f\r\240"))
		return "it holds a '/', a ':' or white space";
	return NULL;
}

static const char *template_fault(const char *name)
{
	const char *percent = strchr(name, '%');

	if (percent && (percent[1] != 'd' || strchr(percent + 1, '%')))
		return "'%' stands only in one '%d'";
	return NULL;
}

static int fail(const char *name, const char *fault, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "'%.300s' is not a name of a network device: %s",
			  name, fault);
}

int bk_ifname_check(const char *name, struct bk_err **err)
{
	const char *fault = name_fault(name);

	return fault ? fail(name, fault, err) : 0;
}

int bk_ifname_check_new(const char *name, struct bk_err **err)
{
	const char *fault = name_fault(name);

	if (!fault)
		fault = template_fault(name);
	return fault ? fail(name, fault, err) : 0;
}

bool bk_ifname_is_template(const char *name)
{
	return strchr(name, '%') != NULL;
}
