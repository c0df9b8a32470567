/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/sec_caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_str.h"

/* By number. A capability that the kernel gets after these is dropped, never kept. */
static const char *const cap_names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

_Static_assert(BK_ARRAY_SIZE(cap_names) == 41 && CAP_CHECKPOINT_RESTORE == 40 &&
		       CAP_SETFCAP == 31 && CAP_SYS_RESOURCE == 24,
	       "the table is in the kernel's order");

const char *sec_caps_name(unsigned int i)
{
	return i < BK_ARRAY_SIZE(cap_names) ? cap_names[i] : NULL;
}

unsigned int sec_caps_count(void)
{
	return BK_ARRAY_SIZE(cap_names);
}

int sec_caps_find(const char *name)
{
	for (size_t i = 0; i < BK_ARRAY_SIZE(cap_names); i++)
		if (strcasecmp(name, cap_names[i]) == 0)
			return (int)i;
	return -1;
}

static inline uint64_t bit(unsigned int i)
{
	return UINT64_C(1) << i;
}

void sec_caps_print(uint64_t mask, struct bk_buf *out)
{
	const char *sep = "";

	if (!mask)
		bk_buf_adds(out, "-");
	for (unsigned int i = 0; i < BK_ARRAY_SIZE(cap_names); i++) {
		if (!(mask & bit(i)))
			continue;
		bk_buf_printf(out, "%s%s", sep, cap_names[i]);
		sep = " ";
	}
}

static uint64_t mask_of(char *const *names, char ***unknown)
{
	uint64_t mask = 0;

	for (; names && *names; names++) {
		int i = sec_caps_find(*names);

		if (i >= 0)
			mask |= bit((unsigned int)i);
		else if (!bk_strv_has(*unknown, *names))
			bk_strv_add(unknown, *names);
	}
	return mask;
}

int sec_caps_compile(const struct oci_capabilities *c, struct sec_caps *ret, char ***ret_unknown,
		     struct bk_err **err)
{
	bk_autostrv char **unknown = NULL;
	struct sec_caps caps = { 0 };
	uint64_t missing;

	if (c) {
		caps.bounding = mask_of(c->bounding, &unknown);
		caps.effective = mask_of(c->effective, &unknown);
		caps.inheritable = mask_of(c->inheritable, &unknown);
		caps.permitted = mask_of(c->permitted, &unknown);
		caps.ambient = mask_of(c->ambient, &unknown);
	}
	missing = caps.effective & ~caps.permitted;
	if (missing) {
		bk_autobuf struct bk_buf names = BK_BUF_INIT(BK_BUF_SMALL);

		sec_caps_print(missing, &names);
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.capabilities.effective: %s not in permitted",
				  bk_buf_str(&names));
	}
	caps.ambient_refused = caps.ambient & ~(caps.permitted & caps.inheritable);
	caps.ambient &= ~caps.ambient_refused;
	*ret = caps;
	if (ret_unknown)
		*ret_unknown = bk_steal_ptr(&unknown);
	return 0;
}

int sec_caps_drop_bounding(const struct sec_caps *caps, struct bk_err **err)
{
	/*
	 * Dropping what is not there is no error, so what is there need not be asked. Behind the
	 * last name it goes on until the kernel knows no more (EINVAL): a newer capability must
	 * not stay.
	 */
	for (unsigned int i = 0; i < 64; i++) {
		int errnum;

		if (caps->bounding & bit(i))
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
			continue;
		errnum = errno;
		if (errnum == EINVAL && i > 0)
			return 0;
		if (errnum == EPERM && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 0)
			continue;
		return bk_err_set(err, BK_ERR_IO, errnum,
				  "drop %s from the capability bounding set",
				  i < sec_caps_count() ? cap_names[i] : "an unknown capability");
	}
	return 0;
}

static void to_kernel(const struct sec_caps *caps, struct __user_cap_data_struct data[2])
{
	for (unsigned int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(caps->effective >> (32 * i));
		data[i].permitted = (uint32_t)(caps->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(caps->inheritable >> (32 * i));
	}
}

/* Says which of the capabilities asked for this process does not have itself. */
static int capset_error(const struct sec_caps *caps, int errnum, struct bk_err **err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	bk_autobuf struct bk_buf names = BK_BUF_INIT(BK_BUF_SMALL);
	uint64_t held, missing;

	if (errnum != EPERM || syscall(SYS_capget, &header, data) < 0)
		return bk_err_set(err, BK_ERR_IO, errnum, "set capabilities");
	held = data[0].permitted | (uint64_t)data[1].permitted << 32;
	missing = (caps->permitted | caps->inheritable) & ~held;
	if (!missing)
		return bk_err_set(err, BK_ERR_IO, errnum, "set capabilities");
	sec_caps_print(missing, &names);
	return bk_err_set(err, BK_ERR_IO, errnum, "set capabilities: this process itself lacks %s",
			  bk_buf_str(&names));
}

int sec_caps_set(const struct sec_caps *caps, struct bk_err **err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	to_kernel(caps, data);
	if (syscall(SYS_capset, &header, data) < 0)
		return capset_error(caps, errno, err);
	/* capset has taken away from the ambient set what is not permitted and inheritable now */
	if (!(caps->permitted & caps->inheritable))
		return 0;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "clear the ambient capabilities");
	for (unsigned int i = 0; i < sec_caps_count(); i++)
		if ((caps->ambient & bit(i)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "raise ambient %s", cap_names[i]);
	return 0;
}

static int get(pid_t pid, uint64_t *ret_permitted, uint64_t *ret_inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = pid };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	*ret_permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	*ret_inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

/* True if something had to go. */
static bool limit(struct sec_caps *caps)
{
	const struct sec_caps before = *caps;
	uint64_t held, inheritable;

	if (get(0, &held, &inheritable) < 0)
		return false;
	for (unsigned int i = 0; i < sec_caps_count(); i++) {
		if ((caps->inheritable & bit(i)) && prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 1)
			caps->inheritable &= ~bit(i);
	}
	caps->permitted &= held;
	caps->effective &= held;
	caps->inheritable &= held;
	caps->ambient &= caps->permitted & caps->inheritable;
	return caps->permitted != before.permitted || caps->inheritable != before.inheritable;
}

int sec_caps_set_granted(const struct sec_caps *caps, bool *ret_less, struct bk_err **err)
{
	struct sec_caps less = *caps;
	struct bk_err *e = NULL;
	int rc = sec_caps_set(caps, &e);

	*ret_less = rc < 0 && bk_err_errno(e) == EPERM && limit(&less);
	if (*ret_less) {
		bk_err_clear(&e);
		return sec_caps_set(&less, err);
	}
	bk_err_move(err, e);
	return rc;
}

uint64_t sec_caps_missing(const struct sec_caps *caps, pid_t pid)
{
	uint64_t permitted, inheritable;

	if (get(pid, &permitted, &inheritable) < 0)
		return 0;
	return (caps->permitted & ~permitted) | (caps->inheritable & ~inheritable);
}
