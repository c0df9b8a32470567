/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "cmd/cmd.h"
#include "net/net_move.h"

struct move_opts {
	const char *netns;
	uint32_t netns_fd;
	bool check;
};

/* No descriptor: 0 to 2 are never a namespace. */
static const struct move_opts defaults = { .netns_fd = 0 };

static const struct bk_cli_opt opts[] = {
	{ "netns", 0, BK_CLI_STR, offsetof(struct move_opts, netns), "PATH",
	  "the network namespace to move to, such as /proc/PID/ns/net", BK_CLI_PATH, NULL },
	{ "netns-fd", 0, BK_CLI_U32, offsetof(struct move_opts, netns_fd), "FD",
	  "the same by an open descriptor", 0, NULL },
	{ "check", 0, BK_CLI_FLAG, offsetof(struct move_opts, check), NULL,
	  "only check that it is possible; without a namespace, what can be checked here", 0,
	  NULL },
	BK_CLI_END,
};

static int open_ns(const struct move_opts *o, int *ret_fd, struct bk_err **err)
{
	if (o->netns && o->netns_fd)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--netns and --netns-fd exclude each other");
	if (!o->netns && !o->netns_fd && !o->check)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--netns or --netns-fd is needed");
	if (o->netns)
		*ret_fd = open(o->netns, O_RDONLY | O_CLOEXEC);
	else if (o->netns_fd)
		*ret_fd = fcntl((int)o->netns_fd, F_DUPFD_CLOEXEC, 3);
	else
		return 0;
	if (*ret_fd >= 0)
		return 0;
	return o->netns ? bk_err_set(err, BK_ERR_IO, errno, "open '%s'", o->netns)
			: bk_err_set(err, BK_ERR_IO, errno, "--netns-fd: descriptor %u",
				     o->netns_fd);
}

/* DEVICE[:NAME]: the kernel allows no ':' in a name. The text is split in place. */
static void split(char *text, struct net_move *ret)
{
	char *colon = strchr(text, ':');

	if (colon)
		*colon = '\0';
	*ret = (struct net_move){ .device = text, .name = colon ? colon + 1 : NULL };
}

/* An interrupt between two devices would leave them in two places. */
static void hold_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGPIPE);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct move_opts *o = call->opts;
	size_t n = (size_t)call->n_args;
	bk_autofree struct net_move *moves = bk_calloc(n, sizeof(*moves));
	bk_autoclose int fd = -1;
	int rc = open_ns(o, &fd, err);

	(void)ret_status;
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		split(call->args[i], &moves[i]);
	if (o->check)
		return net_move_check(fd, moves, n, err);
	hold_signals();
	return net_move(fd, moves, n, err);
}

const struct bk_cli_cmd cmd_move = {
	.name = "move",
	.synopsis = "DEVICE[:NAME]...",
	.help = "move network devices into another network namespace, all or none",
	.min_args = 1,
	.max_args = -1,
	.opts = opts,
	.opts_size = sizeof(struct move_opts),
	.opts_defaults = &defaults,
	.run = run,
};
