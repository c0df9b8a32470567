/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device access of a cgroup: linux.resources.devices as a BPF_PROG_TYPE_CGROUP_DEVICE program.
 *
 * Rules are read in order and the last one that speaks about an access wins, for each of read,
 * write and mknod on its own; what no rule speaks about is denied. Behind the rules of the
 * configuration come the defaults that every container gets: mknod of anything, and all access to
 * null, zero, full, random, urandom, tty, ptmx, the ptys and tun.
 *
 * System calls of cgroup_devices_apply: bpf(PROG_LOAD), bpf(PROG_ATTACH), close.
 */
#ifndef CGROUP_DEVICES_H
#define CGROUP_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "oci/oci_runtime_linux.h"

#define CGROUP_DEVICE_RULES_MAX 1024

struct bpf_insn;

struct cgroup_device_rule {
	bool allow;
	char type;		/* 'a', 'b' or 'c' */
	uint8_t access;		/* BPF_DEVCG_ACC_* bits */
	int64_t major, minor;	/* -1: any */
};

/* The rules of the configuration, checked, followed by the defaults; heap array. -BK_ERR_CONFIG. */
int cgroup_devices_rules(const struct oci_device_rule *rules, size_t n,
			 struct cgroup_device_rule **ret, size_t *ret_n, struct bk_err **err);

/* The program; heap array. A pure function that cannot fail. */
void cgroup_devices_compile(const struct cgroup_device_rule *rules, size_t n, struct bpf_insn **ret,
			    size_t *ret_n);

/*
 * Compiles, loads and attaches to the cgroup. Where `rootless` and the kernel forbids it (bpf(2)
 * needs CAP_BPF), the rules are skipped if they deny nothing but "all": the user's own rights
 * bound the container then. *ret_attached tells.
 */
int cgroup_devices_apply(int dirfd, const struct oci_device_rule *rules, size_t n, bool rootless,
			 bool *ret_attached, struct bk_err **err);

/*
 * The same for a cgroup in use: the program of cgroup_devices_apply() is replaced in one step, so that at no
 * time more is allowed, or less, than by the one or the other. Needs what bpf(2) asks for. Both programs
 * (old: -1, there was none) are for cgroup_devices_put_back(), which undoes it, and for the caller to close.
 */
int cgroup_devices_replace(int dirfd, const struct oci_device_rule *rules, size_t n, int *ret_new,
			   int *ret_old, struct bk_err **err);
void cgroup_devices_put_back(int dirfd, int new_fd, int old_fd);

/* Appends "allow c 1:3 rwm" (any: "*"), for the plan. */
void cgroup_devices_print(const struct cgroup_device_rule *rule, struct bk_buf *out);

#endif
