/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "codec/bk_json_write.h"

#define PAGE_TEXT  ((size_t)256 << 10) /* what the child may say; memory is used as far as it does */
#define TEXT_MAX   ((size_t)300) /* bytes of a member */

/* Written by the child alone: text first, then `used`. */
struct init_trace_page {
	size_t used;
	char text[PAGE_TEXT];
};

static int64_t now(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int init_trace_open(const char *path, const char *command, const char *id, struct init_trace *ret,
		    struct bk_err **err)
{
	struct init_trace t = { .fd = -1, .command = command, .id = id };
	void *page;

	t.monotonic = now(CLOCK_MONOTONIC);
	t.realtime = now(CLOCK_REALTIME);
	page = mmap(NULL, sizeof(*t.page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return bk_err_set(err, BK_ERR_IO, errno, "--trace: map memory");
	t.page = page;
	t.fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	if (t.fd < 0) {
		int errnum = errno;

		(void)munmap(page, sizeof(*t.page));
		return bk_err_set(err, BK_ERR_IO, errnum, "--trace: open '%s'", path);
	}
	*ret = t;
	return 0;
}

void init_trace_close(struct init_trace *t)
{
	if (!t || !t->page)
		return;
	init_trace_flush(t);
	bk_close(&t->fd);
	(void)munmap(t->page, sizeof(*t->page));
	t->page = NULL;
}

static void put(struct init_trace *t, const struct bk_buf *line)
{
	size_t used;

	if (line->overflow)
		return;
	if (!t->in_child) {
		(void)bk_fd_write_all(t->fd, line->data, line->len);
		return;
	}
	used = t->page->used;
	if (line->len > PAGE_TEXT - used)
		return;
	memcpy(t->page->text + used, line->data, line->len);
	__atomic_store_n(&t->page->used, used + line->len, __ATOMIC_RELEASE);
}

void init_trace_flush(struct init_trace *t)
{
	size_t used;

	if (!t || !t->page)
		return;
	/* a hostile container never has the page: it is gone with execve */
	used = __atomic_load_n(&t->page->used, __ATOMIC_ACQUIRE);
	if (used > t->flushed)
		(void)bk_fd_write_all(t->fd, t->page->text + t->flushed, used - t->flushed);
	t->flushed = used;
}

static void member(struct bk_buf *line, const char *name, const char *text, size_t len)
{
	bk_buf_printf(line, "\"%s\":", name);
	(void)bk_json_write_string(line, text, len < TEXT_MAX ? len : TEXT_MAX);
	bk_buf_addc(line, ',');
}

/*
 * detail: behind the first phase_len bytes of phase and a blank. clocks_jump: the phase may have entered a
 * time namespace, which has a monotonic clock of its own.
 */
static void mark(struct init_trace *t, const char *phase, size_t phase_len, size_t len,
		 bool clocks_jump, int rc)
{
	static const char *const who[] = { "runtime", "container" };
	bk_autobuf struct bk_buf line = BK_BUF_INIT(BK_BUF_SMALL);
	int64_t monotonic = now(CLOCK_MONOTONIC), realtime = now(CLOCK_REALTIME);
	int64_t took = clocks_jump ? realtime - t->realtime : monotonic - t->monotonic;

	took = (took > 0 ? took : 0) / 1000;
	t->us += took;
	t->monotonic = monotonic;
	t->realtime = realtime;
	bk_buf_addc(&line, '{');
	member(&line, "command", t->command, strlen(t->command));
	member(&line, "id", t->id, strlen(t->id));
	member(&line, "process", who[t->in_child], strlen(who[t->in_child]));
	member(&line, "phase", phase, phase_len);
	if (len > phase_len)
		member(&line, "detail", phase + phase_len + 1, len - phase_len - 1);
	bk_buf_printf(&line, "\"us\":%" PRId64 ",\"took\":%" PRId64 "%s}\n", t->us, took,
		      rc < 0 ? ",\"failed\":true" : "");
	put(t, &line);
}

int init_trace_mark(struct init_trace *t, const char *phase, int rc)
{
	if (t)
		mark(t, phase, strlen(phase), strlen(phase), false, rc);
	return rc;
}

int init_trace_op(struct init_trace *t, const struct init_plan *p, enum init_stage stage,
		  const struct init_op *op, int rc)
{
	if (t) {
		bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_DOC);

		init_op_print(p, stage, op, &text);
		/* one that prints on several lines is known by the first */
		mark(t, bk_buf_str(&text), strcspn(bk_buf_str(&text), " \n"),
		     strcspn(bk_buf_str(&text), "\n"), op->kind == OP_TIME_NS || op->kind == OP_JOIN, rc);
	}
	return rc;
}

void init_trace_child(struct init_trace *t)
{
	if (t)
		t->in_child = true;
}
