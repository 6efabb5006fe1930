/* host.h - private: weft's side of a helper program.
 *
 * A WeftWorker is one forked worker with its two sockets and two slots of shared memory. Slots come
 * from a pool that the ingest keeps; they go back cleared, and only when the program has reported
 * that the worker is dead, so no worker ever shares memory with another's document. What a worker
 * does wrong is an error of its document: a message that does not fit, silence, or its end.
 *
 * Starting and stopping may happen on any thread; the pool and the programs' sockets are guarded by
 * the ingest's mutex. A worker belongs to one thread at a time.
 */
#ifndef WEFT_INGEST_HOST_H
#define WEFT_INGEST_HOST_H

#include <glib.h>

#include "ingest/ingest.h"
#include "ingest/memory_share.h"
#include "ingest/part.h"
#include "ingest/wire.h"

typedef enum {
	WEFT_PROGRAM_PDF,
	WEFT_PROGRAM_IMAGE,
	WEFT_PROGRAM_AV,
	WEFT_PROGRAM_OCR,
	WEFT_N_PROGRAMS,
} WeftProgramId;

typedef struct WeftWorker {
	WeftIngest *ingest;
	int work, control;
	int slots[WEFT_WIRE_SLOTS];
	guint8 *message;
	double stall_s, total_s; /* limits: for one message, for all of them */
	gboolean started;        /* its walls stand; what happens from here on is its document's */
	gboolean is_reader;
	gboolean lost;           /* it ended, and not by what its document did: worth a second try */
	gboolean dead;           /* the program has reported its end */
	double silent_s;         /* of waited_s, since its last message of another kind than ASK */
	WeftMemoryShare *memory; /* what it may hold */
	double memory_bytes_max; /* of its document */
	double waited_s;         /* only time in which weft waited for the worker counts */
} WeftWorker;

/* For tests: the caller plays the program, at the other end of `socket`. */
void weft_ingest_adopt(WeftIngest *ingest, WeftProgramId id, int take_socket);

/* `document` is duplicated by way of /proc, so the offset is the worker's own; -1: none. The times
 * of `limits` are the worker's. `first` is sent to it; it may have ended by then, which is told by
 * what is received. */
gboolean weft_worker_start(WeftWorker *worker, WeftIngest *ingest, WeftProgramId id, int document,
                           const WeftLimits *limits, WeftWireOut *first, GError **error);
void weft_worker_stop(WeftWorker *worker);

gboolean weft_worker_send(WeftWorker *worker, WeftWireOut *out, GError **error);

/* The next part of the worker's answer, with its pixels or samples; NULL at the answer's end. What
 * the worker says went wrong, its end, its silence and a message that does not fit are errors. */
gboolean weft_worker_next(WeftWorker *worker, WeftPart **ret_part, GError **error);

/* What reading a raster of that size takes, with the raster (reader.c). */
gsize weft_reading_bytes(guint32 width, guint32 height);

#endif
