/* explain.h - one value of an answer and all that speaks for it.
 *
 * Prints the value, what became of it, and of each evidence its kind, the quote in its sentence, where that
 * stands, who read it and how surely. The place itself is cut out of the document, as it is now (when
 * its bytes are still those that were read), and written to the record's folder of crops: a picture of the box with a little
 * around it, or the seconds of sound. A list or an object is explained value by value.
 */
#ifndef WEFT_CLI_EXPLAIN_H
#define WEFT_CLI_EXPLAIN_H

#include "cli/cmd.h"
#include "cli/records.h"

typedef struct WeftExplain {
	WeftIngest *ingest;
	WeftOutputs *outputs;
	const WeftSaid *said;
	gboolean is_missing; /* set: of some evidence there is no crop */
	char *sha256, *path; /* private: the document that was found last, which was read as a whole for it */
	int fd;
} WeftExplain;

void weft_explain_done(WeftExplain *explain);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftExplain, weft_explain_done)

/* `record` with its corrections. WEFT_ERROR_USAGE: the answer has nothing at this pointer; WEFT_ERROR_IO: a
 * crop can't be written. */
gboolean weft_explain(WeftExplain *explain, const WeftJson *record, const char *pointer,
		      GError **error);

#endif
