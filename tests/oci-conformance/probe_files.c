/* SPDX-License-Identifier: Apache-2.0 */
/* What is open and what is there: descriptors, the terminal, /dev, the root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "probe.h"

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFCHR: return "c";
	case S_IFBLK: return "b";
	case S_IFIFO: return "p";
	case S_IFDIR: return "d";
	case S_IFLNK: return "l";
	case S_IFREG: return "f";
	case S_IFSOCK: return "s";
	default: return "?";
	}
}

static void attributes(const struct stat *st)
{
	json_string("type", kind_of(st->st_mode));
	json_number("mode", st->st_mode & 07777);
	json_number("uid", st->st_uid);
	json_number("gid", st->st_gid);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		json_number("major", major(st->st_rdev));
		json_number("minor", minor(st->st_rdev));
	}
	json_number("dev", (int64_t)st->st_dev);
	json_number("ino", (int64_t)st->st_ino);
	json_number("size", st->st_size);
}

/* Without /proc, and without opening anything meanwhile. */
static void descriptors(void)
{
	json_object("fds");
	for (int fd = 0; fd < 4096; fd++) {
		char name[16], path[32];
		struct stat st;
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || fstat(fd, &st))
			continue;
		snprintf(name, sizeof(name), "%d", fd);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		json_object(name);
		attributes(&st);
		json_link("path", path);
		json_bool("cloexec", flags & FD_CLOEXEC);
		json_bool("tty", isatty(fd));
		json_end();
	}
	json_end();
}

static void terminal(void)
{
	char name[256];
	struct winsize size = { 0 };
	int fd;

	json_object("terminal");
	json_string("name", ttyname_r(0, name, sizeof(name)) ? NULL : name);
	if (!ioctl(0, TIOCGWINSZ, &size)) {
		json_number("height", size.ws_row);
		json_number("width", size.ws_col);
	}
	json_number("foreground", tcgetpgrp(0));
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	json_bool("controlling", fd >= 0);
	if (fd >= 0)
		close(fd);
	fd = open("/dev/console", O_RDWR | O_CLOEXEC | O_NOCTTY);
	json_string("console", fd < 0 || ttyname_r(fd, name, sizeof(name)) ? NULL : name);
	if (fd >= 0)
		close(fd);
	json_end();
}

static void entry(const char *dir, const char *name, int deep);

static void folder(const char *dir, int deep)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			entry(dir, e->d_name, deep);
	}
	closedir(d);
}

static void entry(const char *dir, const char *name, int deep)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (lstat(path, &st))
		return;
	json_object(path);
	attributes(&st);
	if (S_ISLNK(st.st_mode))
		json_link("target", path);
	json_end();
	if (S_ISDIR(st.st_mode) && deep)
		folder(path, deep - 1);
}

void report_files(void)
{
	struct statvfs fs;
	struct stat st;

	descriptors();
	terminal();
	json_object("root");
	if (!stat("/", &st))
		attributes(&st);
	if (!statvfs("/", &fs))
		json_bool("readonly", fs.f_flag & ST_RDONLY);
	json_end();
	json_object("files");
	folder("/dev", 1);
	folder("/conf", 1);
	json_end();
}
