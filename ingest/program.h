/* program.h - private: one helper program as weft sees it: its process, its socket, what it said.
 *
 * A program is started before any thread exists. When it has ended (killed from outside, by an
 * update, for want of memory), weft_program_ask starts it once more: a fork from whatever thread asks,
 * which is why a program that was started anew does not die with the thread that did it, as the
 * first one dies with weft's main thread; it ends when its socket to weft closes. A program that has
 * changed meanwhile, or that ends again and again, is gone for good.
 *
 * Programs get few of weft's environment variables: a worker that a document took over can read them,
 * and may tell them in its parts.
 *
 * One thread at a time: the ingest's mutex guards them.
 */
#ifndef WEFT_INGEST_PROGRAM_H
#define WEFT_INGEST_PROGRAM_H

#include <glib.h>
#include <sys/types.h>

#include "ingest/wire.h"

typedef struct WeftProgram {
	char *path;
	gboolean is_up; /* it has a socket; else it is not there, or has ended */
	pid_t pid;      /* 0: somebody else plays it (tests) */
	int socket;
	gboolean has_reader;
	guint n_starts;
	char *versions;
	char *walls, *refusal; /* of its workers; one of them is NULL */
} WeftProgram;

/* Starts the program at `path`; nothing when there is none. It is there once it has greeted. */
gboolean weft_program_start(WeftProgram *program, const char *path, GError **error);

/* Waits for its greeting; a program that gives none is as good as not there. */
void weft_program_greet(WeftProgram *program);
void weft_program_stop(WeftProgram *program);

/* Asks for a worker with these descriptors. WEFT_ERROR_GONE: the program has ended, and can't be had
 * again. */
gboolean weft_program_ask(WeftProgram *program, gboolean locked, const int fds[WEFT_WIRE_FDS_MAX],
                          GError **error);

#endif
