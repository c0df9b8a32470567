/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_fd.h"
#include "base/bk_str.h"
#include "init/init_sync.h"
#include "stage/stage.h"
#include "sys/sys_helper.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define MEMFD_NAME "bock"
#define MEMFD_NAME_MAX 249 /* bytes, memfd_create(2) */
#define SELF_MAX ((off_t)256 << 20)	/* bytes of our program; a sanitizer build is large */
#define CMDLINE_MAX ((size_t)4 << 20)
/* the image, a filter of the kernel's maximum, a path and the messages */
#define STAGE_FILE_MAX ((size_t)128 << 10)

_Static_assert(STAGE_WIRE_SIZE == BK_ERR_WIRE_SIZE, "the stage sends our errors");
_Static_assert(sizeof(struct stage_insn) == sizeof(struct sock_filter), "the stage loads our filters");

/* keep: the descriptor stays open over execve, for the stage to read what is behind its image. */
static int new_memfd(const char *name, bool keep, int *ret_fd, struct bk_err **err)
{
	int fd = memfd_create(name, MFD_ALLOW_SEALING | (keep ? 0 : MFD_CLOEXEC));

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "memfd_create");
	*ret_fd = fd;
	return 0;
}

static int seal(int fd, struct bk_err **err)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "seal the memfd");
	return 0;
}

/* Adds a message without the zeros that it ends with. */
static void add_failure(struct bk_err *e, struct bk_buf *b)
{
	unsigned char wire[BK_ERR_WIRE_SIZE];

	bk_buf_add(b, wire, bk_err_encode(e, wire));
	bk_err_clear(&e);
}

/* The messages that the stage can only choose from. They stand for those of op_exec. */
static void add_failures(const struct init_child *c, size_t start, struct stage_control *ctl,
			 struct bk_buf *b)
{
	static const int errnums[] = { [STAGE_FAIL_NOENT] = ENOENT, [STAGE_FAIL_ACCES] = EACCES,
				       [STAGE_FAIL_NOEXEC] = ENOEXEC, [STAGE_FAIL_OTHER] = EIO };
	struct bk_err *e = NULL;

	for (size_t i = 0; i < STAGE_FAIL_MAX; i++) {
		ctl->fail[i] = (uint32_t)(b->len - start);
		if (i == STAGE_FAIL_SECCOMP)
			(void)bk_err_set(&e, BK_ERR_CONFIG, EIO, "linux.seccomp: load the filter");
		else if (i == STAGE_FAIL_FORK)
			(void)bk_err_set(&e, BK_ERR_IO, EIO, "clone in the container's pid namespace");
		else if (i == STAGE_FAIL_TALK)
			(void)bk_err_set(&e, BK_ERR_IO, EIO, "wait for the runtime's word");
		else
			(void)init_exec_error(c->program, errnums[i], &e);
		add_failure(bk_steal_ptr(&e), b);
	}
	ctl->fail[STAGE_FAIL_MAX] = (uint32_t)(b->len - start);
}

/* Image, struct stage_control and what that leads to; *ret_start is where the struct is. */
static int make_file(const struct init_child *c, struct bk_buf *b, size_t *ret_start,
		     struct bk_err **err)
{
	const struct oci_runtime_config *config = c->plan->spec->config;
	struct stage_control ctl = {
		.sync = c->sync,
		.listen_fd = c->listen_fd,
		.flags = c->die_with_parent ? STAGE_DIE_WITH_PARENT : 0,
		.errnum_offset = (uint32_t)bk_err_wire_errnum(),
		.ready = SYNC_READY,
		.go = SYNC_GO,
	};
	size_t start;

	bk_buf_add(b, init_stage_image, init_stage_image_size);
	while (b->len % STAGE_ALIGN)
		bk_buf_addc(b, '\0');
	start = b->len;
	bk_buf_add(b, &ctl, sizeof(ctl));
	if (c->plan->stage_forks)
		ctl.flags |= STAGE_FORK | (config->process->terminal ? STAGE_TERMINAL : 0);
	if (c->plan->nproc) {
		ctl.flags |= STAGE_NPROC;
		ctl.nproc[0] = c->plan->nproc->soft;
		ctl.nproc[1] = c->plan->nproc->hard;
	}
	if (c->restore_mask) {
		ctl.flags |= STAGE_RESTORE_MASK;
		memcpy(&ctl.signal_mask, &c->signal_mask, sizeof(ctl.signal_mask));
	}
	if (c->plan->seccomp.has && config->process->no_new_privileges) {
		ctl.seccomp_flags = c->bpf->flags;
		ctl.n_insns = (uint32_t)c->bpf->n;
		ctl.insns = (uint32_t)(b->len - start);
		bk_buf_add(b, c->bpf->insns, c->bpf->n * sizeof(*c->bpf->insns));
	}
	ctl.program = (uint32_t)(b->len - start);
	bk_buf_add(b, c->program, strlen(c->program) + 1);
	add_failures(c, start, &ctl, b);
	if (!b->overflow)
		memcpy(b->data + start, &ctl, sizeof(ctl));
	*ret_start = start;
	return bk_buf_check(b, "the last stage", err);
}

int init_stage_exec(struct init_child *c, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(STAGE_FILE_MAX);
	char *const *args = c->plan->spec->config->process->args;
	bk_autofree char **argv = NULL;
	bk_autoclose int fd = -1;
	size_t start;
	char where[64];
	int rc;

	rc = make_file(c, &b, &start, err);
	if (rc == 0)
		rc = new_memfd(MEMFD_NAME, true, &fd, err);
	if (rc < 0)
		return rc;
	rc = bk_fd_write_all(fd, b.data, b.len);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "write the last stage");
	rc = seal(fd, err);
	if (rc < 0)
		return rc;
	snprintf(where, sizeof(where), "%d:%zu:%zu", fd, start, b.len);
	argv = bk_calloc(bk_strv_len(args) + 2, sizeof(*argv));
	argv[0] = where;
	memcpy(argv + 1, args, bk_strv_len(args) * sizeof(*argv));
	/* the stage needs these two; for the container's program it closes them or has no use for */
	if (fcntl(c->sync, F_SETFD, 0) < 0 ||
	    (c->listen_fd >= 0 && fcntl(c->listen_fd, F_SETFD, 0) < 0))
		return bk_err_set(err, BK_ERR_IO, errno, "keep a descriptor over execve");
	(void)syscall(SYS_execveat, fd, "", argv, c->env, AT_EMPTY_PATH);
	return bk_err_set(err, BK_ERR_IO, errno, "execute the last stage");
}

static int read_args(char **ret_text, char ***ret_argv, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CMDLINE_MAX);
	bk_autofree char **argv = NULL;
	bk_autoclose int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	size_t n = 0, len;
	char *text;
	int rc;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/proc/self/cmdline'");
	rc = bk_fd_read_buf(fd, &b, "/proc/self/cmdline", err);
	if (rc < 0)
		return rc;
	len = b.len;
	text = bk_buf_steal(&b);
	argv = bk_calloc(len + 1, sizeof(*argv));
	for (size_t i = 0; i < len; i += strlen(text + i) + 1)
		argv[n++] = text + i;
	*ret_text = text;
	*ret_argv = bk_steal_ptr(&argv);
	return 0;
}

static int copy_self(int self, int to, struct bk_err **err)
{
	struct stat st;
	off_t done = 0;

	if (fstat(self, &st) < 0 || st.st_size > SELF_MAX)
		return bk_err_set(err, BK_ERR_IO, errno, "status of our own program");
	while (done < st.st_size) {
		if (sendfile(to, self, &done, (size_t)(st.st_size - done)) <= 0)
			return bk_err_set(err, BK_ERR_IO, errno, "copy our own program");
	}
	return 0;
}

int init_stage_seal_self(struct bk_err **err)
{
	bk_autoclose int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bk_autoclose int fd = -1;
	bk_autofree char *text = NULL;
	bk_autofree char **argv = NULL;
	char name[MEMFD_NAME_MAX + 1];
	int rc;

	if (self < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open our own program");
	if (fcntl(self, F_GET_SEALS) >= 0 && (fcntl(self, F_GET_SEALS) & SEALS) == SEALS)
		return 0;
	rc = new_memfd(sys_helper_build_tree(name, sizeof(name)) ? name : MEMFD_NAME, false, &fd, err);
	if (rc == 0)
		rc = copy_self(self, fd, err);
	if (rc == 0)
		rc = seal(fd, err);
	if (rc == 0)
		rc = read_args(&text, &argv, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "seal");
	(void)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return bk_err_set(err, BK_ERR_IO, errno, "execute a sealed copy of our own program");
}
