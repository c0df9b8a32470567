/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "oci/oci_runtime_linux.h"
#include "proc/proc_sysctl.h"

static const bool all[OCI_NS_MAX_] = {
	[OCI_NS_IPC] = true, [OCI_NS_NETWORK] = true, [OCI_NS_UTS] = true
};
static const bool none[OCI_NS_MAX_];

static void path(const char *key, const char *want)
{
	struct bk_err *err = NULL;
	char text[256];

	assert_ok(proc_sysctl_path(key, all, text, sizeof(text), &err), &err);
	assert_string_equal(text, want);
}

static void refused(const char *key, const bool *has, const char *words)
{
	struct bk_err *err = NULL;
	char text[64];

	assert_err(proc_sysctl_path(key, has, text, sizeof(text), &err), &err, BK_ERR_CONFIG,
		   words);
}

static void test_paths(void **state)
{
	(void)state;
	path("net.ipv4.ip_forward", "sys/net/ipv4/ip_forward");
	path("net/ipv4/ip_forward", "sys/net/ipv4/ip_forward");
	/* the first separator says which one it is: an interface's name may hold the other */
	path("net.ipv4.conf.eth0/100.rp_filter", "sys/net/ipv4/conf/eth0.100/rp_filter");
	path("net/ipv4/conf/eth0.100/rp_filter", "sys/net/ipv4/conf/eth0.100/rp_filter");
	path("kernel.shmmax", "sys/kernel/shmmax");
	path("kernel.sem", "sys/kernel/sem");
	path("fs.mqueue.msg_max", "sys/fs/mqueue/msg_max");
	path("kernel.domainname", "sys/kernel/domainname");
}

static void test_refused(void **state)
{
	(void)state;
	refused("kernel.core_pattern", all, "'kernel.core_pattern' is not in a separate kernel");
	refused("kernel.hostname", all, "'kernel.hostname' conflicts with 'hostname'");
	refused("vm.swappiness", all, "is not in a separate");
	refused("kernel.shmmax_extra", all, "is not in a separate");
	refused("kernel.semaphore", all, "is not in a separate");
	refused("net", all, "is not in a separate");
	refused("network.x", all, "is not in a separate");
	refused("fs.mqueue", all, "is not in a separate");
	refused("", all, "is not in a separate");
	refused("net/../kernel/core_pattern", all, "is no sysctl");
	refused("net.ipv4..conf", all, "is no sysctl");
	refused("net.a_name_that_is_longer_than_what_the_caller_has_room_for_in_its_buffer", all,
		"is no sysctl");
	refused("net.ipv4.ip_forward", none, "no network namespace");
	refused("kernel.shmmax", none, "no ipc namespace");
	refused("kernel.domainname", none, "no uts namespace");
}

BK_TEST_MAIN(cmocka_unit_test(test_paths), cmocka_unit_test(test_refused))
