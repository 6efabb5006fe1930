#include "ingest/transport.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

static gboolean send_message(int socket, WeftWireOut *out, const int *fds, guint n_fds, int flags,
                             GError **error)
{
	if (out->overflow) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL, "message of more than %u bytes",
		            WEFT_WIRE_MESSAGE_MAX);
		return FALSE;
	}
	guint32 length = GUINT32_TO_LE(out->bytes->len - WEFT_WIRE_HEADER_BYTES);
	memcpy(out->bytes->data + 4, &length, sizeof length);
	struct iovec iov = {out->bytes->data, out->bytes->len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * WEFT_WIRE_FDS_MAX)];
	} control = {0};
	if (n_fds > 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}
	ssize_t sent;
	do
		sent = sendmsg(socket, &msg, MSG_NOSIGNAL | flags);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)out->bytes->len)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "message to a decoder: %s",
	            sent < 0 ? g_strerror(errno) : "sent in part");
	return FALSE;
}

gboolean weft_wire_send(int socket, WeftWireOut *out, const int *fds, guint n_fds, GError **error)
{
	return send_message(socket, out, fds, n_fds, 0, error);
}

gboolean weft_wire_send_now(int socket, WeftWireOut *out, const int *fds, guint n_fds,
                            GError **error)
{
	return send_message(socket, out, fds, n_fds, MSG_DONTWAIT, error);
}

static gboolean wait_readable(int socket, int timeout_ms, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	for (;;) {
		struct pollfd wait = {.fd = socket, .events = POLLIN};
		gint64 left_us = deadline_us - g_get_monotonic_time();
		int left_ms = timeout_ms < 0 ? -1 : (int)MAX((left_us + 999) / 1000, 0);
		int n = poll(&wait, 1, left_ms);
		if (n > 0)
			return TRUE;
		if (n == 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_TIMEOUT,
			            "no message within %.3g s", timeout_ms / 1000.0);
			return FALSE;
		}
		if (errno != EINTR) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "waiting for a decoder: %s",
			            g_strerror(errno));
			return FALSE;
		}
	}
}

/* Descriptors that nobody asked for are closed, so that a peer can't fill our table. */
static void take_fds(struct msghdr *msg, int *ret_fds, guint *ret_n_fds)
{
	guint n_fds = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		gsize n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (gsize i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
			if (ret_fds && n_fds < WEFT_WIRE_FDS_MAX)
				ret_fds[n_fds++] = fd;
			else
				close(fd);
		}
	}
	if (ret_n_fds)
		*ret_n_fds = n_fds;
}

gboolean weft_wire_receive(int socket, guint8 *buffer, gsize *ret_size, int *ret_fds,
                           guint *ret_n_fds, int timeout_ms, GError **error)
{
	struct iovec iov = {buffer, WEFT_WIRE_MESSAGE_MAX};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * WEFT_WIRE_FDS_MAX)];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	guint n_resets = 0;
	ssize_t size;
	do {
		if (!wait_readable(socket, timeout_ms, error))
			return FALSE;
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof control.space;
		size = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		/* a peer that ended before it read our last word resets the socket: told once,
		 * before what it had sent */
	} while (size < 0 &&
	         (errno == EINTR || errno == EAGAIN || (errno == ECONNRESET && n_resets++ == 0)));
	if (size < 0 && errno == ECONNRESET)
		size = 0;
	if (size < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "message from a decoder: %s",
		            g_strerror(errno));
		return FALSE;
	}
	take_fds(&msg, ret_fds, ret_n_fds);
	if (msg.msg_flags & MSG_TRUNC) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "decoder sent a message of more than %u bytes", WEFT_WIRE_MESSAGE_MAX);
		return FALSE;
	}
	*ret_size = (gsize)size;
	return TRUE;
}
