/* SPDX-License-Identifier: Apache-2.0 */
/* container_update.h: `events`. */
#include "container/container_update.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_clock.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "cgroup/cgroup.h"
#include "cgroup/cgroup_stats.h"
#include "codec/bk_json.h"
#include "sys/sys_words.h"

#define EVENT_MAX ((size_t)1 << 20) /* bytes of a line */

struct event {
	char *type, *id;
	struct cgroup_stats *data;
};

static const struct bk_doc_field event_fields[] = {
	BK_DOC_STR_F(struct event, type, "type", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct event, id, "id", BK_DOC_REQUIRED),
	BK_DOC_OBJ_F(struct event, data, "data", 0, cgroup_stats_type),
	BK_DOC_END,
};
static const struct bk_doc_type event_type = BK_DOC_TYPE(struct event, event_fields);

struct watch {
	const struct container *c;
	int out_fd, cgroup, inotify, pidfd;
	uint64_t oom_kills;
};

static int print(const struct watch *w, const char *type, struct cgroup_stats *data,
		 struct bk_err **err)
{
	bk_autobuf struct bk_buf line = BK_BUF_INIT(EVENT_MAX);
	struct event e = { .type = (char *)type, .id = (char *)w->c->id, .data = data };
	int rc = bk_json_encode(&event_type, &e, BK_JSON_NEWLINE, &line, err);

	if (rc == 0)
		rc = bk_buf_check(&line, "an event", err);
	if (rc < 0)
		return rc;
	rc = bk_fd_write_all(w->out_fd, line.data, line.len);
	return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc, "write an event") : 0;
}

static int print_stats(const struct watch *w, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct cgroup_stats stats;

	cgroup_stats_read(w->cgroup, arena, &stats);
	return print(w, "stats", &stats, err);
}

/* One event for each process that was killed since. */
static int print_ooms(struct watch *w, struct bk_err **err)
{
	uint64_t now = cgroup_stats_oom_kills(w->cgroup);
	char ignored[sizeof(struct inotify_event) + NAME_MAX + 1];
	int rc = 0;

	while (read(w->inotify, ignored, sizeof(ignored)) > 0)
		;
	for (; rc == 0 && w->oom_kills < now; w->oom_kills++)
		rc = print(w, "oom", NULL, err);
	return rc;
}

static int follow(struct watch *w, int interval_ms, struct bk_err **err)
{
	int64_t next = bk_clock_ms() + interval_ms;
	int rc = 0;

	while (rc == 0) {
		struct pollfd fds[] = { { .fd = w->pidfd, .events = POLLIN },
					{ .fd = w->inotify, .events = POLLIN } };
		int64_t left = next - bk_clock_ms();

		if (poll(fds, BK_ARRAY_SIZE(fds), left > 0 ? (int)left : 0) < 0 && errno != EINTR)
			return bk_err_set(err, BK_ERR_IO, errno, "wait for events");
		if (fds[1].revents)
			rc = print_ooms(w, err);
		if (fds[0].revents)
			return rc;
		if (rc == 0 && bk_clock_ms() >= next) {
			rc = print_stats(w, err);
			next = bk_clock_ms() + interval_ms;
		}
	}
	return rc;
}

/* A cgroup without the memory controller has no such file, and no such events. */
static int watch_ooms(const struct watch *w, const struct cgroup_host *host, int *ret_inotify,
		      struct bk_err **err)
{
	bk_autoclose int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	bk_autofree char *file = bk_asprintf("%s%s/memory.events", host->mount, w->c->state.cgroup);

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "inotify_init1");
	if (inotify_add_watch(fd, file, IN_MODIFY) < 0 && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "watch '%s'", file);
	*ret_inotify = bk_steal_fd(&fd);
	return 0;
}

int container_events(const struct container *c, const struct container_events *p, int out_fd,
		     struct bk_err **err)
{
	struct watch w = { .c = c, .out_fd = out_fd };
	bk_autoclose int cgroup = -1, inotify = -1, pidfd = -1;
	struct cgroup_host host;
	int rc = container_pidfd(c, &pidfd, err);

	if (rc < 0)
		return rc;
	if (!c->state.cgroup)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "the container has no cgroup");
	cgroup_find(&host);
	rc = cgroup_open(&host, c->state.cgroup, &cgroup, err);
	if (rc < 0)
		return rc;
	w.cgroup = cgroup;
	w.pidfd = pidfd;
	if (p->once)
		return print_stats(&w, err);
	w.oom_kills = cgroup_stats_oom_kills(w.cgroup);
	rc = watch_ooms(&w, &host, &inotify, err);
	w.inotify = inotify;
	return rc < 0 ? rc : follow(&w, p->interval_ms, err);
}
