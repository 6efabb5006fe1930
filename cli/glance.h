/* glance.h - a record at a glance: what it is, one fact from it, where that stands.
 *
 * Reads the JSON of a record (outputs/record.h writes it). The fact is a value of the answer that
 * was found in the document; without one, the line of its text that looks most like a fact (an
 * amount, a date); for sound that nothing could read, the stretch of speech; for what failed or was
 * skipped, the reason.
 */
#ifndef WEFT_CLI_GLANCE_H
#define WEFT_CLI_GLANCE_H

#include <glib.h>

#include "base/json.h"

typedef struct WeftGlance {
	char *kind;   /* "PDF, 3 pages" */
	char *fact;   /* one line, or "" */
	char *where;  /* "p.2", "00:14", or "" */
	char *status; /* "ok" ... */
} WeftGlance;

void weft_glance_init(WeftGlance *glance, const WeftJson *record);
void weft_glance_done(WeftGlance *glance);

/* "p.2", "00:14", "1:02:03", or "" for an item of "at" (NULL is fine); with the number of the file in
 * front where several are one document: "2/00:14", "2/p.2". Caller frees. */
char *weft_glance_place(const WeftJson *at);
/* "00:14", "1:02:03". Caller frees. */
char *weft_glance_clock(double seconds);

#endif
