/* transport.h - private: how messages of wire.h travel, with descriptors, over a socket.
 *
 * Sockets are SOCK_SEQPACKET: a message arrives whole or not at all. The peer is hostile: what it
 * sends too long is an error, descriptors that nobody asked for are closed, and only the caller's
 * timeout says how long is waited. Nothing here looks into a message. Any thread; a socket is one
 * thread's at a time for each direction.
 */
#ifndef WEFT_INGEST_TRANSPORT_H
#define WEFT_INGEST_TRANSPORT_H

#include "ingest/wire.h"

/* Sends a whole message, waiting as long as it takes; `fds` may be NULL. */
gboolean weft_wire_send(int socket, WeftWireOut *out, const int *fds, guint n_fds, GError **error);

/* As weft_wire_send, but never waits: a peer that does not read its messages is an error. */
gboolean weft_wire_send_now(int socket, WeftWireOut *out, const int *fds, guint n_fds,
                            GError **error);

/* Receives one message into `buffer` (WEFT_WIRE_MESSAGE_MAX bytes); *ret_size 0: the peer is gone.
 * Descriptors that come along are stored in `ret_fds` (WEFT_WIRE_FDS_MAX) when it is given, closed
 * otherwise. `timeout_ms` -1: for ever; WEFT_ERROR_TIMEOUT when nothing came. */
gboolean weft_wire_receive(int socket, guint8 *buffer, gsize *ret_size, int *ret_fds,
                           guint *ret_n_fds, int timeout_ms, GError **error);

#endif
