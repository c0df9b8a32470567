/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_plan.h"

#include <string.h>
#include <sys/mount.h>

#include "base/bk_path.h"
#include "base/bk_str.h"

/*
 * Below /proc only these files may be covered, with binds (lxcfs does that): anything else could give
 * the runtime or the container a false procfs (CVE-2019-16884, CVE-2019-19921).
 */
static const char *const proc_allowed[] = {
	"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps",
	"/proc/uptime", "/proc/loadavg", "/proc/slabinfo", "/proc/net/dev",
	"/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
};

static int check_proc(const struct mount_op *op, struct bk_err **err)
{
	if (!bk_path_below(op->dest, "/proc"))
		return 0;
	if (bk_streq(op->dest, "/proc")) {
		/* a bind of a procfs is verified when it is made */
		if (op->kind == MOUNT_BIND || (op->type && bk_streq(op->type, "proc")))
			return 0;
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s.destination: only a proc file system can be mounted on '/proc'",
				  op->where);
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(proc_allowed); i++) {
		if (bk_streq(op->dest, proc_allowed[i]))
			return 0;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0,
			  "%s.destination: '%s' cannot be mounted because it is inside /proc",
			  op->where, op->dest);
}

/*
 * Words of file systems and of engines that a bind mount has no use for: podman 4 leaves "nocopy" of a volume in,
 * and what has a value, as "mode=755", can't be a misspelled flag. The kernel ignores them too.
 */
static bool means_nothing(const char *data)
{
	bk_autostrv char **words = bk_strv_split(data, ",");

	for (char **w = words; w && *w; w++) {
		if (!strchr(*w, '=') && !bk_streq(*w, "nocopy") && !bk_streq(*w, "copy"))
			return false;
	}
	return true;
}

static int check_bind(struct mount_op *op, struct bk_err **err)
{
	if (!op->source || !*op->source)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s.source: a bind mount needs a source",
				  op->where);
	if (op->f.data && means_nothing(op->f.data))
		op->f.data = NULL;
	if (op->f.data)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s.options: '%s' is unknown, and a bind mount takes no file system options",
				  op->where, op->f.data);
	/* silent and loud hold for a bind mount too: making it says nothing */
	if (op->f.super & ~(unsigned long)MS_SILENT)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "%s.options: a bind mount can't change options of the file system "
				  "itself (sync, dirsync, lazytime, mand, iversion)",
				  op->where);
	return 0;
}

static int bad_extra(const struct mount_op *op, const char *what, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "%s.options: %s", op->where, what);
}

/* What the options of our own go with. */
static int check_extra(const struct mount_op *op, struct bk_err **err)
{
	unsigned int x = op->f.extra;

	if (x & MOUNT_COPY_UP && !(op->kind == MOUNT_NEW && bk_streq(op->type, "tmpfs")))
		return bad_extra(op, "tmpcopyup is for tmpfs only", err);
	if (x & MOUNT_COPY_UP && op->idmap)
		return bad_extra(op, "tmpcopyup and idmap exclude each other", err);
	if (x & (MOUNT_COPY_SYMLINK | MOUNT_SRC_NOFOLLOW | MOUNT_DEST_NOFOLLOW) &&
	    op->kind != MOUNT_BIND)
		return bad_extra(op, "copy-symlink, src-nofollow and dest-nofollow are for bind mounts only",
				 err);
	if (x & MOUNT_COPY_SYMLINK && x & (MOUNT_SRC_NOFOLLOW | MOUNT_DEST_NOFOLLOW))
		return bad_extra(op, "copy-symlink excludes src-nofollow and dest-nofollow", err);
	if (op->idmap && x & MOUNT_COPY_SYMLINK)
		return bad_extra(op, "copy-symlink and idmap exclude each other", err);
	if (op->idmap && op->kind != MOUNT_BIND && op->kind != MOUNT_NEW)
		return bad_extra(op, "idmap is for bind mounts and new file systems only", err);
	return 0;
}

/*
 * linux.mountLabel. proc and sysfs have labels of their own kind, a bind mount those of its files, and an
 * mqueue takes none as an option, only on its root.
 */
static void add_label(struct mount_op *op, const struct mount_ctx *ctx, struct bk_arena *arena)
{
	if (!ctx->label || (op->kind != MOUNT_NEW && op->kind != MOUNT_ROOT) || bk_streq(op->type, "proc") ||
	    bk_streq(op->type, "sysfs"))
		return;
	if (bk_streq(op->type, "mqueue")) {
		op->label = ctx->label;
		return;
	}
	op->f.data = bk_arena_printf(arena, "%s%s%s=\"%s\"", op->f.data ? op->f.data : "",
				     op->f.data ? "," : "",
				     ctx->label_option ? ctx->label_option : "context", ctx->label);
}

static enum mount_kind kind_of(const struct oci_mount *m, const struct mount_flags *f)
{
	if (f->remount)
		return MOUNT_REMOUNT;
	if (f->bind)
		return MOUNT_BIND;
	if (m->type && (bk_streq(m->type, "cgroup") || bk_streq(m->type, "cgroup2")))
		return MOUNT_CGROUP;
	return MOUNT_NEW;
}

/* The trap words of cgroup v1 mounts that engines still write are not data for cgroup2. */
static void cgroup_data(struct mount_op *op)
{
	if (op->f.data && bk_streq(op->f.data, "none"))
		op->f.data = NULL;
}

static bool is_root(const char *destination)
{
	bk_autofree char *abs = bk_path_join("/", destination);
	bk_autofree char *clean = bk_path_clean(abs);

	return bk_streq(clean, "/");
}

size_t mount_plan_roots(const struct oci_mount *mounts, size_t n)
{
	size_t roots = 0;

	while (roots < n && is_root(mounts[roots].destination))
		roots++;
	return roots;
}

/* A new file system on "/" is the container's root, and what is mounted elsewhere before it would be below it. */
static int check_dest(struct mount_op *op, bool first, struct bk_err **err)
{
	if (!bk_streq(op->dest, "/"))
		return 0;
	if (op->kind == MOUNT_NEW && first && !op->host_mounts && !op->idmap) {
		op->kind = MOUNT_ROOT;
		return 0;
	}
	if (op->kind != MOUNT_REMOUNT)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s.destination: is the root itself: only the first of the mounts can be new file "
				  "systems for it, without mapped ids and in a mount namespace of the container's",
				  op->where);
	if (op->host_mounts)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "%s.destination: without a mount namespace the root is on a mount of the host, "
				  "which is left as it is", op->where);
	return 0;
}

int mount_plan_op(const struct oci_mount *m, size_t index, const struct mount_ctx *ctx,
		  struct bk_arena *arena, struct mount_op *ret, struct bk_err **err)
{
	struct mount_op op = { .where = bk_arena_printf(arena, "mounts[%zu]", index),
			       .cgroup_dir = ctx->cgroup_dir, .cgroup_ns = ctx->cgroup_ns,
			       .host_mounts = ctx->host_mounts,
			       .userns = ctx->maps.userns || ctx->rootless };
	bk_autofree char *abs = NULL;
	bk_autofree char *clean = NULL;
	int rc;

	rc = mount_opts_parse(m->options, op.where, arena, &op.f, err);
	if (rc < 0)
		return rc;
	rc = mount_idmap_compile(m, &op.f, &ctx->maps, op.where, arena, &op.idmap, err);
	if (rc < 0)
		return rc;
	op.kind = kind_of(m, &op.f);
	abs = bk_path_join("/", m->destination);
	clean = bk_path_clean(abs);
	op.dest = bk_arena_strdup(arena, clean);
	rc = check_dest(&op, index < ctx->roots, err);
	if (rc < 0)
		return rc;
	op.type = m->type;
	op.nolinks = bk_streq(op.dest, "/proc") || bk_streq(op.dest, "/sys");

	if (op.kind == MOUNT_BIND) {
		bk_autofree char *src = NULL;

		op.source = m->source;
		rc = check_bind(&op, err);
		if (rc < 0)
			return rc;
		src = bk_path_join(ctx->bundle, m->source);
		op.source = bk_arena_strdup(arena, src);
	} else {
		if ((op.kind == MOUNT_NEW || op.kind == MOUNT_ROOT) && (!op.type || !*op.type || bk_streq(op.type, "none") ||
					     bk_streq(op.type, "bind")))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "%s.type: is '%s' and options have neither bind nor remount",
					  op.where, op.type ? op.type : "");
		op.source = m->source && *m->source ? m->source : op.type;
		if (op.kind == MOUNT_CGROUP)
			cgroup_data(&op);
	}
	rc = check_proc(&op, err);
	if (rc == 0)
		rc = check_extra(&op, err);
	if (rc < 0)
		return rc;
	add_label(&op, ctx, arena);
	*ret = op;
	return 0;
}

void mount_plan_print(const struct mount_op *op, struct bk_buf *out)
{
	switch (op->kind) {
	case MOUNT_BIND:
		bk_buf_printf(out, "bind '%s' on '%s' (", op->source, op->dest);
		break;
	case MOUNT_REMOUNT:
		bk_buf_printf(out, "remount '%s' (", op->dest);
		break;
	case MOUNT_CGROUP:
		bk_buf_printf(out, "mount cgroup2 on '%s' (", op->dest);
		break;
	case MOUNT_NEW:
	case MOUNT_ROOT:
		bk_buf_printf(out, "mount '%s' on '%s' type %s (", op->source, op->dest, op->type);
		break;
	}
	mount_opts_print(&op->f, out);
	bk_buf_addc(out, ')');
	if (op->label)
		bk_buf_printf(out, " label %s", op->label);
}
