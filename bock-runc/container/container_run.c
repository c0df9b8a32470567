/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_run.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/bk_auto.h"
#include "container/container_restore.h"
#include "container/container_watch.h"
#include "init/init_trace.h"
#include "tty/tty_proxy.h"

/* Its program runs, or goes on, when both have returned. */
static int make(const struct container_create *p, struct container_created *r, struct bk_err **err)
{
	return p->restore ? container_restore(p, r, err) : container_create(p, r, err);
}

static int started(const struct container_create *p, struct container_created *r, struct bk_err **err)
{
	return p->restore ? 0 : container_created_started(r, err);
}

static int run_detached(struct container_create *p, struct bk_err **err)
{
	struct container_created r = CONTAINER_CREATED_INIT;
	int rc = container_prepare(p, &r, err);

	if (rc == 0)
		rc = make(p, &r, err);
	if (rc < 0)
		return rc;
	rc = started(p, &r, err);
	if (rc < 0) {
		container_created_undo(&r);
	} else if (p->service.notify) {
		container_unlock(&r.c); /* who gets tired of waiting can kill it */
		container_notify_wait(&r.notify, r.pidfd, r.pid, p->root->timeout_ms, p->warnings);
	}
	container_created_done(&r);
	return rc;
}

static void serve_notify(void *arg)
{
	container_notify_turn(arg);
}

/* Somebody's `delete --force` may have ended the container that we waited for: then it is done. */
static int delete_own(struct container *c, char ***warnings, struct bk_err **err)
{
	int rc = container_relock(c, err);

	if (rc == -BK_ERR_NOT_FOUND) {
		if (err)
			bk_err_clear(err);
		return 0;
	}
	return rc < 0 ? rc : container_delete(c, false, warnings, err);
}

static int live(const struct container_create *p, struct container_created *r, bool keep,
		struct tty_proxy *proxy, int *ret_status, char ***warnings, struct bk_err **err)
{
	int rc = make(p, r, err);

	if (rc < 0)
		return rc;
	rc = started(p, r, err);
	if (rc == 0) {
		container_unlock(&r->c);
		proxy->side_fd = r->notify.sock;
		proxy->side = serve_notify;
		proxy->side_arg = &r->notify;
		rc = tty_proxy_run(proxy, r->master, r->pidfd, err);
	}
	if (rc == 0)
		rc = init_trace_mark(p->trace, "run", container_created_reap(r, ret_status, err));
	tty_proxy_end(proxy);
	if (rc < 0)
		container_created_undo(r);
	else if (!keep)
		rc = delete_own(&r->c, warnings, err);
	container_created_done(r);
	return rc;
}

static int run_foreground(struct container_create *p, bool keep, int *ret_status, char ***warnings,
			  struct bk_err **err)
{
	struct container_created r = CONTAINER_CREATED_INIT;
	struct container_watch watch = CONTAINER_WATCH_INIT;
	struct tty_proxy proxy = TTY_PROXY_INIT;
	int rc;

	p->own_terminal = !p->console_socket;
	p->die_with_runtime = true;
	rc = container_prepare(p, &r, err);
	if (rc < 0)
		return rc;
	rc = container_watch_begin(p->root, p->id, r.owner_pid, r.owner_start, &watch, err);
	if (rc == 0)
		rc = tty_proxy_begin(&proxy, err);
	if (rc == 0) {
		r.proxy = &proxy;
		/* cppcheck-suppress autoVariables ; *p is done with before proxy is */
		p->signal_mask = &proxy.saved_mask;
		p->watch_fd = watch.pipe;
		rc = live(p, &r, keep, &proxy, ret_status, warnings, err);
	} else {
		container_created_done(&r);
	}
	tty_proxy_end(&proxy);
	if (rc < 0)
		container_watch_abandon(&watch); /* it may be able to do what we are not */
	else
		container_watch_end(&watch);
	return rc;
}

int container_run(struct container_create *p, bool detach, bool keep, int *ret_status,
		  char ***warnings, struct bk_err **err)
{
	return detach ? run_detached(p, err) : run_foreground(p, keep, ret_status, warnings, err);
}
