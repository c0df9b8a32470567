/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_space.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"

#define OPTIONS_MAX 4096 /* of one mount(2): a page */

int snap_space_open(struct snap_space *s, const char *parent, struct bk_err **err)
{
	bk_autofree char *path = NULL;
	bk_autofree char *absolute = NULL;
	int rc;

	if (!parent || !*parent)
		parent = getenv("TMPDIR");
	if (!parent || !*parent)
		parent = "/var/tmp";
	rc = bk_path_absolute(parent, &absolute, err);
	if (rc < 0)
		return rc;
	path = bk_path_join(absolute, "bock-build-XXXXXX");
	if (!mkdtemp(path))
		return bk_err_set(err, BK_ERR_IO, errno, "make a folder like '%s'", path);
	s->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0) {
		rc = bk_err_set(err, BK_ERR_IO, errno, "open '%s'", path);
		(void)rmdir(path);
		return rc;
	}
	s->path = bk_steal_ptr(&path);
	return 0;
}

/* Mounts have names "m…" and "v…"; nothing crosses a mount while removing. */
void snap_space_close(struct snap_space *s)
{
	struct bk_err *ignored = NULL;

	if (!s->path)
		return;
	for (unsigned int i = 0; s->private && i < s->next; i++) {
		char name[32];

		snprintf(name, sizeof(name), "m%u", i);
		snap_space_unmount(s, name);
		name[0] = 'v';
		snap_space_unmount(s, name);
	}
	bk_close(&s->fd);
	bk_file_rmtree(AT_FDCWD, s->path, &ignored);
	bk_err_clear(&ignored);
	free(s->path);
	*s = (struct snap_space)SNAP_SPACE_INIT;
}

int snap_space_mkdir(struct snap_space *s, const char *kind, char **ret_name, struct bk_err **err)
{
	bk_autofree char *name = bk_asprintf("%s%u", kind, s->next++);

	if (mkdirat(s->fd, name, 0755) < 0 || fchmodat(s->fd, name, 0755, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s/%s'", s->path, name);
	*ret_name = bk_steal_ptr(&name);
	return 0;
}

int snap_space_root(const struct snap_space *s, const char *name, struct bk_root *ret,
		    struct bk_err **err)
{
	bk_autofree char *path = snap_space_path(s, name);

	return bk_root_open(ret, path, err);
}

char *snap_space_path(const struct snap_space *s, const char *name)
{
	return bk_path_join(s->path, name);
}

/* mount(2) in the folder, so that the names of many layers fit into its options. */
static int mount_here(const struct snap_space *s, const char *on, unsigned long flags,
		      const char *options)
{
	bk_autoclose int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int errnum = 0;

	if (here < 0 || fchdir(s->fd) < 0)
		return errno;
	if (mount("overlay", on, "overlay", flags, options) < 0)
		errnum = errno;
	return fchdir(here) < 0 ? errno : errnum;
}

static int mount_overlay(const struct snap_space *s, const char *on, const char *lower,
			 const char *upper, const char *work, int *ret_errnum)
{
	char options[OPTIONS_MAX];
	int len;

	/*
	 * A renamed directory must be in the upper one as a whole, a changed file with its content, and
	 * nothing may point back into this folder.
	 */
	if (upper)
		len = snprintf(
			options, sizeof(options),
			"lowerdir=%s,upperdir=%s,workdir=%s,redirect_dir=off,metacopy=off,index=off,xino=off",
			lower, upper, work);
	else
		len = snprintf(options, sizeof(options),
			       "lowerdir=%s,redirect_dir=off,metacopy=off,index=off", lower);
	if (len < 0 || (size_t)len >= sizeof(options))
		*ret_errnum = E2BIG;
	else
		*ret_errnum = mount_here(s, on, MS_NODEV | (upper ? 0 : MS_RDONLY), options);
	return *ret_errnum;
}

int snap_space_overlay(const struct snap_space *s, const char *on, const char *lower,
		       const char *upper, const char *work, struct bk_err **err)
{
	int errnum = 0;

	if (mount_overlay(s, on, lower, upper, work, &errnum) == 0)
		return 0;
	if (errnum == E2BIG)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "the stage has too many layers for one mount");
	return bk_err_set(err, BK_ERR_IO, errnum, "mount overlay on '%s/%s'", s->path, on);
}

void snap_space_unmount(const struct snap_space *s, const char *on)
{
	bk_autofree char *path = snap_space_path(s, on);

	(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/* Tries it, with directories of the kind that will be used. */
static int probe(struct snap_space *s, struct bk_err **err)
{
	static const char *const kinds[] = { "l", "l", "w", "m" };
	char *names[BK_ARRAY_SIZE(kinds)] = { NULL };
	int rc = 0;
	int errnum = 0;

	for (size_t i = 0; i < BK_ARRAY_SIZE(kinds) && rc == 0; i++)
		rc = snap_space_mkdir(s, kinds[i], &names[i], err);
	if (rc == 0) {
		s->overlay = mount_overlay(s, names[3], names[0], names[1], names[2], &errnum) == 0;
		if (s->overlay)
			snap_space_unmount(s, names[3]);
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(kinds); i++)
		free(names[i]);
	return rc;
}

int snap_space_enter(struct snap_space *s, struct bk_err **err)
{
	int rc;

	if (s->private)
		return 0;
	if (unshare(CLONE_NEWNS) < 0) {
		rc = errno;
		if (rc != EPERM)
			return bk_err_set(err, BK_ERR_IO, rc, "unshare the mount namespace");
		return bk_err_set(
			err, BK_ERR_UNSUPPORTED, 0,
			"the root file system of a stage needs root: this version makes no user namespace");
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make mounts private");
	/* a descriptor of before is of the old namespace, in which nothing can be mounted from here */
	bk_close(&s->fd);
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", s->path);
	s->private = true;
	return probe(s, err);
}
