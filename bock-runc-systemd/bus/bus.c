/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_errno.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_stuck.h"

#define SYSTEM_SOCKET "/run/systemd/private"
#define USEC_PER_MS 1000U

static uint64_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U;
}

uint64_t bus_left(const struct bus *b)
{
	uint64_t t = now();

	return t < b->deadline ? b->deadline - t : 0;
}

static char *escaped(const char *path)
{
	bk_autofree char *out = bk_malloc(3 * strlen(path) + 1);
	char *to = out;

	/* the characters that an address may hold as they are (D-Bus specification, "Server Addresses") */
	for (; *path; path++) {
		static const char digits[] = "0123456789abcdef";
		unsigned char c = (unsigned char)*path;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c && strchr("-_/.*\\", c))) {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = digits[c >> 4];
			*to++ = digits[c & 15];
		}
	}
	*to = '\0';
	return bk_steal_ptr(&out);
}

/* Connects to an address; daemon: a bus, to which one says hello. */
static int connect_to(const char *address, bool daemon, sd_bus **ret)
{
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0 && daemon)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		(void)sd_bus_close_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

static int connect_path(const char *path, bool daemon, sd_bus **ret)
{
	bk_autofree char *clean = escaped(path);
	bk_autofree char *address = bk_asprintf("unix:path=%s", clean);

	return access(path, F_OK) < 0 ? -errno : connect_to(address, daemon, ret);
}

static int connect_system(sd_bus **ret, struct bk_err **err)
{
	int r = geteuid() == 0 ? connect_path(SYSTEM_SOCKET, false, ret) : -EACCES;

	if (r < 0)
		r = sd_bus_open_system(ret);
	if (r >= 0)
		return 0;
	return bk_err_set(err, BK_ERR_IO, -r,
			  "connect to systemd: neither '" SYSTEM_SOCKET "' nor the system bus answers");
}

static int connect_user(sd_bus **ret, struct bk_err **err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	bool has_runtime = runtime && *runtime;
	int r = -ENOENT;

	if (has_runtime) {
		bk_autofree char *path = bk_asprintf("%s/systemd/private", runtime);

		r = connect_path(path, false, ret);
	}
	if (r < 0 && address && *address)
		r = connect_to(address, true, ret);
	if (r < 0 && has_runtime) {
		bk_autofree char *path = bk_asprintf("%s/bus", runtime);

		r = connect_path(path, true, ret);
	}
	if (r >= 0)
		return 0;
	if (!has_runtime && !(address && *address))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "connect to the user's systemd: neither XDG_RUNTIME_DIR nor "
				  "DBUS_SESSION_BUS_ADDRESS is set");
	return bk_err_set(err, BK_ERR_IO, -r, "connect to the user's systemd%s%s",
			  has_runtime ? ": XDG_RUNTIME_DIR is " : "", has_runtime ? runtime : "");
}

/* "252.39-1~deb12u2", "v255": the number in front. */
static unsigned int version_of(const char *text)
{
	bk_autofree char *digits = NULL;
	uint32_t version = 0;

	if (*text == 'v')
		text++;
	digits = bk_strndup(text, strspn(text, "0123456789"));
	(void)bk_num_u32(digits, UINT32_MAX, &version, NULL);
	return version;
}

/* Who is at the other end of systemd's own socket; heap string, NULL: a bus is, or nobody knows. */
static char *peer_of(const struct bus *b)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd = sd_bus_get_fd(b->sd);

	if (fd < 0 || sd_bus_is_bus_client(b->sd) != 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return NULL;
	return peer.pid > 0 ? bk_stuck_describe(peer.pid) : NULL;
}

static int timed_out(const struct bus *b, const char *what, struct bk_err **err)
{
	bk_autofree char *who = peer_of(b);
	int rc = bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "%s: systemd does not answer for %u.%03u s%s%s", what,
			    b->timeout_ms / 1000, b->timeout_ms % 1000, who ? ": " : "", who ? who : "");

	return bk_err_hint(err, rc, "it is slow, for which --timeout gives it more, or has stopped after a fault, which only "
			   "its restart cures; --cgroup-manager cgroupfs does without it");
}

/* The handshake; a call would wait for it without end. */
static int wait_ready(const struct bus *b, struct bk_err **err)
{
	int r;

	while ((r = sd_bus_is_ready(b->sd)) == 0) {
		uint64_t left = bus_left(b);

		if (!left)
			return timed_out(b, "connect", err);
		r = sd_bus_process(b->sd, NULL);
		if (r == 0)
			r = sd_bus_wait(b->sd, left);
		if (r < 0 && r != -EINTR)
			break;
	}
	return r < 0 ? bk_err_set(err, BK_ERR_IO, -r, "connect to systemd") : 0;
}

int bus_open(bool user, uint32_t timeout_ms, struct bus *ret, struct bk_err **err)
{
	struct bus b = { .deadline = now() + (uint64_t)timeout_ms * USEC_PER_MS, .timeout_ms = timeout_ms };
	bk_autofree char *version = NULL;
	int rc = user ? connect_user(&b.sd, err) : connect_system(&b.sd, err);

	if (rc == 0)
		rc = wait_ready(&b, err);
	if (rc == 0)
		rc = bus_get_string(&b, BUS_MANAGER_PATH, BUS_MANAGER, "Version", &version, err);
	if (rc < 0) {
		bus_close(&b);
		return rc;
	}
	b.version = version_of(version);
	*ret = b;
	return 0;
}

void bus_close(struct bus *b)
{
	b->sd = sd_bus_close_unref(b->sd);
}

int bus_manager_call(struct bus *b, const char *member, sd_bus_message **ret_msg, struct bk_err **err)
{
	int r = sd_bus_message_new_method_call(b->sd, ret_msg, BUS_DEST, BUS_MANAGER_PATH, BUS_MANAGER,
					       member);

	return r < 0 ? bk_err_set(err, BK_ERR_INTERNAL, -r, "%s", member) : 0;
}

static enum bk_err_kind kind_of(int errnum)
{
	switch (errnum) {
	case EACCES:
	case EPERM:
		return BK_ERR_PERMISSION;
	case EINVAL:
		return BK_ERR_CONFIG;
	case ENOENT:
		return BK_ERR_NOT_FOUND;
	default:
		return BK_ERR_IO;
	}
}

int bus_send(struct bus *b, sd_bus_message *msg, const char *what, sd_bus_message **ret_reply,
	     char **ret_name, struct bk_err **err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	uint64_t left = bus_left(b);
	int r = left ? sd_bus_call(b->sd, msg, left, &e, ret_reply) : -ETIMEDOUT;
	int rc = 0;

	if (r == -ETIMEDOUT)
		rc = timed_out(b, what, err);
	else if (r < 0)
		rc = bk_err_set(err, kind_of(-r), 0, "%s: %s", what, e.message ? e.message : bk_errno_text(-r));
	if (r < 0 && ret_name && e.name)
		*ret_name = bk_strdup(e.name);
	sd_bus_error_free(&e);
	return rc;
}

int bus_get_string(struct bus *b, const char *path, const char *interface, const char *property,
		   char **ret, struct bk_err **err)
{
	sd_bus_message *msg = NULL, *reply = NULL;
	const char *text = NULL;
	int r, rc;

	r = sd_bus_message_new_method_call(b->sd, &msg, BUS_DEST, path, "org.freedesktop.DBus.Properties",
					   "Get");
	if (r >= 0)
		r = sd_bus_message_append(msg, "ss", interface, property);
	rc = r < 0 ? bk_err_set(err, BK_ERR_INTERNAL, -r, "get '%s'", property) :
		     bus_send(b, msg, property, &reply, NULL, err);
	if (rc == 0) {
		r = sd_bus_message_read(reply, "v", "s", &text);
		if (r < 0)
			rc = bk_err_set(err, BK_ERR_INTERNAL, -r, "read '%s'", property);
		else
			*ret = bk_strdup(text);
	}
	sd_bus_message_unref(msg);
	sd_bus_message_unref(reply);
	return rc;
}
