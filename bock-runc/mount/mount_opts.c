/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_opts.h"

#include <string.h>
#include <sys/mount.h>

#include "base/bk_str.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

enum opt_kind {
	OPT_ATTR,	/* a per-mount attribute: ms and attr_* */
	OPT_REC,	/* the recursive form: attr_* over the tree */
	OPT_SUPER,	/* a superblock flag: ms only */
	OPT_PROPAGATION,
	OPT_BIND,
	OPT_REMOUNT,
	OPT_NOTHING,	/* defaults */
	OPT_EXTRA,	/* ours to do, not the kernel's: ms is a MOUNT_* bit of extra */
	OPT_NEVER,	/* known from elsewhere, and nothing that a kernel can do */
};

struct opt {
	const char *name;
	enum opt_kind kind;
	bool clear;
	unsigned long ms;
	uint64_t set, clr;
};

#define ATIME MOUNT_ATTR__ATIME

static const struct opt opt_table[] = {
	{ "async", OPT_SUPER, true, MS_SYNCHRONOUS, 0, 0 },
	{ "atime", OPT_ATTR, true, MS_NOATIME, MOUNT_ATTR_RELATIME, ATIME },
	{ "bind", OPT_BIND, false, 0, 0, 0 },
	{ "copy-symlink", OPT_EXTRA, false, MOUNT_COPY_SYMLINK, 0, 0 },
	{ "defaults", OPT_NOTHING, false, 0, 0, 0 },
	{ "dest-nofollow", OPT_EXTRA, false, MOUNT_DEST_NOFOLLOW, 0, 0 },
	{ "dev", OPT_ATTR, true, MS_NODEV, 0, MOUNT_ATTR_NODEV },
	{ "diratime", OPT_ATTR, true, MS_NODIRATIME, 0, MOUNT_ATTR_NODIRATIME },
	{ "dirsync", OPT_SUPER, false, MS_DIRSYNC, 0, 0 },
	{ "exec", OPT_ATTR, true, MS_NOEXEC, 0, MOUNT_ATTR_NOEXEC },
	{ "idmap", OPT_EXTRA, false, MOUNT_IDMAP, 0, 0 },
	{ "iversion", OPT_SUPER, false, MS_I_VERSION, 0, 0 },
	{ "lazytime", OPT_SUPER, false, MS_LAZYTIME, 0, 0 },
	{ "loud", OPT_SUPER, true, MS_SILENT, 0, 0 },
	{ "mand", OPT_SUPER, false, MS_MANDLOCK, 0, 0 },
	{ "noatime", OPT_ATTR, false, MS_NOATIME, MOUNT_ATTR_NOATIME, ATIME },
	{ "nodev", OPT_ATTR, false, MS_NODEV, MOUNT_ATTR_NODEV, 0 },
	{ "nodiratime", OPT_ATTR, false, MS_NODIRATIME, MOUNT_ATTR_NODIRATIME, 0 },
	{ "noexec", OPT_ATTR, false, MS_NOEXEC, MOUNT_ATTR_NOEXEC, 0 },
	{ "noiversion", OPT_SUPER, true, MS_I_VERSION, 0, 0 },
	{ "nolazytime", OPT_SUPER, true, MS_LAZYTIME, 0, 0 },
	{ "nomand", OPT_SUPER, true, MS_MANDLOCK, 0, 0 },
	{ "norelatime", OPT_ATTR, true, MS_RELATIME, MOUNT_ATTR_STRICTATIME, ATIME },
	{ "nostrictatime", OPT_ATTR, true, MS_STRICTATIME, MOUNT_ATTR_RELATIME, ATIME },
	{ "nosuid", OPT_ATTR, false, MS_NOSUID, MOUNT_ATTR_NOSUID, 0 },
	{ "nosymfollow", OPT_ATTR, false, MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "private", OPT_PROPAGATION, false, MS_PRIVATE, 0, 0 },
	{ "rasync", OPT_NEVER, false, 0, 0, 0 },
	{ "ratime", OPT_REC, true, 0, MOUNT_ATTR_RELATIME, ATIME },
	{ "rbind", OPT_BIND, false, MS_REC, 0, 0 },
	{ "rdev", OPT_REC, true, 0, 0, MOUNT_ATTR_NODEV },
	{ "rdiratime", OPT_REC, true, 0, 0, MOUNT_ATTR_NODIRATIME },
	{ "rdirsync", OPT_NEVER, false, 0, 0, 0 },
	{ "relatime", OPT_ATTR, false, MS_RELATIME, MOUNT_ATTR_RELATIME, ATIME },
	{ "remount", OPT_REMOUNT, false, 0, 0, 0 },
	{ "rexec", OPT_REC, true, 0, 0, MOUNT_ATTR_NOEXEC },
	{ "ridmap", OPT_EXTRA, false, MOUNT_RIDMAP, 0, 0 },
	{ "rmand", OPT_NEVER, false, 0, 0, 0 },
	{ "rnoatime", OPT_REC, false, 0, MOUNT_ATTR_NOATIME, ATIME },
	{ "rnodev", OPT_REC, false, 0, MOUNT_ATTR_NODEV, 0 },
	{ "rnodiratime", OPT_REC, false, 0, MOUNT_ATTR_NODIRATIME, 0 },
	{ "rnoexec", OPT_REC, false, 0, MOUNT_ATTR_NOEXEC, 0 },
	{ "rnomand", OPT_NEVER, false, 0, 0, 0 },
	{ "rnorelatime", OPT_REC, true, 0, MOUNT_ATTR_STRICTATIME, ATIME },
	{ "rnostrictatime", OPT_REC, true, 0, MOUNT_ATTR_RELATIME, ATIME },
	{ "rnosuid", OPT_REC, false, 0, MOUNT_ATTR_NOSUID, 0 },
	{ "rnosymfollow", OPT_REC, false, 0, MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "ro", OPT_ATTR, false, MS_RDONLY, MOUNT_ATTR_RDONLY, 0 },
	{ "rprivate", OPT_PROPAGATION, false, MS_PRIVATE | MS_REC, 0, 0 },
	{ "rrelatime", OPT_REC, false, 0, MOUNT_ATTR_RELATIME, ATIME },
	{ "rro", OPT_REC, false, 0, MOUNT_ATTR_RDONLY, 0 },
	{ "rrw", OPT_REC, true, 0, 0, MOUNT_ATTR_RDONLY },
	{ "rshared", OPT_PROPAGATION, false, MS_SHARED | MS_REC, 0, 0 },
	{ "rslave", OPT_PROPAGATION, false, MS_SLAVE | MS_REC, 0, 0 },
	{ "rstrictatime", OPT_REC, false, 0, MOUNT_ATTR_STRICTATIME, ATIME },
	{ "rsuid", OPT_REC, true, 0, 0, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", OPT_REC, true, 0, 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "rsync", OPT_NEVER, false, 0, 0, 0 },
	{ "runbindable", OPT_PROPAGATION, false, MS_UNBINDABLE | MS_REC, 0, 0 },
	{ "rw", OPT_ATTR, true, MS_RDONLY, 0, MOUNT_ATTR_RDONLY },
	{ "shared", OPT_PROPAGATION, false, MS_SHARED, 0, 0 },
	{ "silent", OPT_SUPER, false, MS_SILENT, 0, 0 },
	{ "slave", OPT_PROPAGATION, false, MS_SLAVE, 0, 0 },
	{ "src-nofollow", OPT_EXTRA, false, MOUNT_SRC_NOFOLLOW, 0, 0 },
	{ "strictatime", OPT_ATTR, false, MS_STRICTATIME, MOUNT_ATTR_STRICTATIME, ATIME },
	{ "suid", OPT_ATTR, true, MS_NOSUID, 0, MOUNT_ATTR_NOSUID },
	{ "symfollow", OPT_ATTR, true, MS_NOSYMFOLLOW, 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "sync", OPT_SUPER, false, MS_SYNCHRONOUS, 0, 0 },
	{ "tmpcopyup", OPT_EXTRA, false, MOUNT_COPY_UP, 0, 0 },
	{ "unbindable", OPT_PROPAGATION, false, MS_UNBINDABLE, 0, 0 },
};

static const struct opt *opt_find(const char *name)
{
	size_t lo = 0, hi = BK_ARRAY_SIZE(opt_table);

	while (lo < hi) { /* the table is sorted */
		size_t mid = (lo + hi) / 2;
		int c = strcmp(name, opt_table[mid].name);

		if (c == 0)
			return &opt_table[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const char *mount_opts_name(size_t i)
{
	for (size_t k = 0; k < BK_ARRAY_SIZE(opt_table); k++) {
		if (opt_table[k].kind != OPT_NEVER && i-- == 0)
			return opt_table[k].name;
	}
	return NULL;
}

unsigned long mount_opts_propagation(const char *word)
{
	const struct opt *o = opt_find(word);

	return o && o->kind == OPT_PROPAGATION ? o->ms : 0;
}

const char *mount_opts_propagation_name(unsigned long flags)
{
	for (size_t i = 0; i < BK_ARRAY_SIZE(opt_table); i++) {
		if (opt_table[i].kind == OPT_PROPAGATION && opt_table[i].ms == flags)
			return opt_table[i].name;
	}
	return "?";
}

/* A later word of the same attribute replaces an earlier one: "ro,rw" is rw. */
static void attr_apply(const struct opt *o, uint64_t *set, uint64_t *clr)
{
	if (o->clr & ATIME) {
		*set = (*set & ~(uint64_t)ATIME) | o->set;
		*clr |= ATIME;
		return;
	}
	*set = (*set & ~o->clr) | o->set;
	*clr = (*clr & ~o->set) | o->clr;
}

/* mount(2) has a flag for each choice; without one the kernel takes relatime. */
static unsigned long ms_of_atime(uint64_t set)
{
	switch (set & ATIME) {
	case MOUNT_ATTR_NOATIME:
		return MS_NOATIME;
	case MOUNT_ATTR_STRICTATIME:
		return MS_STRICTATIME;
	default:
		return MS_RELATIME;
	}
}

static int apply(const struct opt *o, const char *where, struct mount_flags *f, struct bk_err **err)
{
	switch (o->kind) {
	case OPT_ATTR:
		attr_apply(o, &f->attr_set, &f->attr_clr);
		if (o->clr & ATIME) {
			f->ms &= ~(unsigned long)(MS_NOATIME | MS_RELATIME | MS_STRICTATIME);
			f->ms |= ms_of_atime(o->set);
			return 0;
		}
		f->ms = o->clear ? f->ms & ~o->ms : f->ms | o->ms;
		return 0;
	case OPT_REC:
		attr_apply(o, &f->rec_set, &f->rec_clr);
		return 0;
	case OPT_SUPER:
		f->ms = o->clear ? f->ms & ~o->ms : f->ms | o->ms;
		f->super = o->clear ? f->super & ~o->ms : f->super | o->ms;
		f->super_clr = o->clear ? f->super_clr | o->ms : f->super_clr & ~o->ms;
		return 0;
	case OPT_PROPAGATION:
		if (f->n_propagation == MOUNT_PROPAGATIONS_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "%s.options: more than %d words of propagation", where,
					  MOUNT_PROPAGATIONS_MAX);
		f->propagation[f->n_propagation++] = o->ms;
		return 0;
	case OPT_BIND:
		f->bind = true;
		f->recursive |= o->ms != 0;
		return 0;
	case OPT_REMOUNT:
		f->remount = true;
		return 0;
	case OPT_EXTRA:
		f->extra |= (unsigned int)o->ms;
		return 0;
	case OPT_NOTHING:
		return 0;
	case OPT_NEVER:
		break;
	}
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
			  "%s.options: '%s' is of the file system, and no kernel can change it for a tree "
			  "of mounts", where, o->name);
}

/* "idmap=uids=...;gids=...": the mapping stands in the option itself. */
static bool idmap_with_value(const char *word, struct bk_arena *arena, struct mount_flags *f)
{
	const char *value = bk_skip_prefix(word, "idmap=");
	unsigned int bit = MOUNT_IDMAP;

	if (!value) {
		value = bk_skip_prefix(word, "ridmap=");
		bit = MOUNT_RIDMAP;
	}
	if (!value)
		return false;
	f->extra |= bit;
	if (*value)
		f->idmap = bk_arena_strdup(arena, value);
	return true;
}

int mount_opts_parse(char *const *options, const char *where, struct bk_arena *arena,
		     struct mount_flags *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf data = BK_BUF_INIT(MOUNT_DATA_LAYERS_MAX);
	struct mount_flags f = { 0 };

	for (; options && *options; options++) {
		const struct opt *o = opt_find(*options);
		int rc;

		if (!o && idmap_with_value(*options, arena, &f))
			continue;
		if (!o) {
			if (data.len)
				bk_buf_addc(&data, ',');
			bk_buf_adds(&data, *options);
			continue;
		}
		rc = apply(o, where, &f, err);
		if (rc < 0)
			return rc;
	}
	if (data.overflow || (data.len > MOUNT_DATA_MAX && !strstr(bk_buf_str(&data), "lowerdir+=")))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s.options: more than %d bytes of file system options", where,
				  data.overflow ? MOUNT_DATA_LAYERS_MAX : MOUNT_DATA_MAX);
	if (data.len)
		f.data = bk_arena_strdup(arena, bk_buf_str(&data));
	*ret = f;
	return 0;
}

static void print_word(struct bk_buf *out, bool *first, const char *word)
{
	if (!*first)
		bk_buf_addc(out, ',');
	bk_buf_adds(out, word);
	*first = false;
}

/* The access-time words are one enumeration, and only its plain names are printed. */
static bool attr_is_on(const struct opt *o, uint64_t set, uint64_t clr)
{
	if (o->clr & ATIME)
		return !o->clear && clr & ATIME && (set & ATIME) == o->set;
	return o->clear ? clr & o->clr : set & o->set;
}

static bool opt_is_on(const struct opt *o, const struct mount_flags *f)
{
	switch (o->kind) {
	case OPT_SUPER:
		return !o->clear && f->super & o->ms;
	case OPT_ATTR:
		return attr_is_on(o, f->attr_set, f->attr_clr);
	case OPT_REC:
		return attr_is_on(o, f->rec_set, f->rec_clr);
	case OPT_EXTRA:
		return f->extra & o->ms;
	default:
		return false;
	}
}

void mount_opts_print(const struct mount_flags *f, struct bk_buf *out)
{
	bool first = true;

	if (f->bind)
		print_word(out, &first, f->recursive ? "rbind" : "bind");
	if (f->remount)
		print_word(out, &first, "remount");
	for (size_t i = 0; i < BK_ARRAY_SIZE(opt_table); i++) {
		if (opt_is_on(&opt_table[i], f))
			print_word(out, &first, opt_table[i].name);
	}
	for (size_t i = 0; i < f->n_propagation; i++)
		print_word(out, &first, mount_opts_propagation_name(f->propagation[i]));
	if (f->data)
		print_word(out, &first, f->data);
	if (first)
		bk_buf_adds(out, "defaults");
}
