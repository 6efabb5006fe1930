/* trace.h - who worked when, in the Chrome trace format (about:tracing, Perfetto).
 *
 * One complete event ("X") per step of a node, one counter ("C") of the bytes under way. Events are
 * written as they come, so that a run of any length needs no memory for its trace.
 */
#ifndef WEFT_PIPELINE_TRACE_H
#define WEFT_PIPELINE_TRACE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct WeftTrace WeftTrace;

/* Makes or replaces the file. */
WeftTrace *weft_trace_open(const char *path, GError **error);
/* Writes the end; FALSE when any part of the file could not be written. */
gboolean weft_trace_close(WeftTrace *trace, GError **error);

uint64_t weft_trace_now_ns(void);

/* From any thread. `trace` NULL: nothing. */
void weft_trace_step(WeftTrace *trace, unsigned thread, const char *node, const char *label,
                     uint64_t begin_ns, uint64_t end_ns);
void weft_trace_bytes(WeftTrace *trace, uint64_t at_ns, size_t bytes);
void weft_trace_thread(WeftTrace *trace, unsigned thread, const char *name);

#endif
