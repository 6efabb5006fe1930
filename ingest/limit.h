/* limit.h - what one document may cost: time, pages, pixels, seconds, memory, bytes of output.
 *
 * One table has them all, with name, default, bounds, help and the reason for the default; job files
 * ([limits]), the command line (--limit KEY=VALUE), the manual and the decoders go by it. What goes
 * beyond a limit is cut there, and an error with code `limit`, the name and the number says so;
 * what came before stays. None depends on how much memory or how many threads a run has: the same
 * limits give the same record.
 *
 * Numbers are doubles, so that seconds may have fractions; all are whole below 2^53 otherwise. A
 * field of 0 is the default, so that options in which nobody has set a limit are right.
 */
#ifndef WEFT_INGEST_LIMIT_H
#define WEFT_INGEST_LIMIT_H

#include <glib.h>

typedef struct WeftLimits {
	double stall_s, total_s, reading_s;
	double pages;
	double recording_s;
	double pixels, raster_pixels;
	double streams, scenes;
	double nesting, entries;
	double output_bytes;
	double decoder_bytes;
} WeftLimits;

typedef struct WeftLimit {
	const char *name; /* as job files and the command line have it */
	gsize offset;     /* of its field */
	double value, least, most;
	gboolean is_bytes;        /* may be written as 256M */
	gboolean changes_records; /* FALSE: of time; what is done is the same */
	const char *help, *reason; /* what it bounds; why the default is what it is */
} WeftLimit;

/* The table; the last name is NULL. */
const WeftLimit *weft_limit_table(void);
double weft_limit_of(const WeftLimits *limits, const WeftLimit *limit);

/* Defaults in place of zeros. */
void weft_limits_fill(WeftLimits *limits);

/* Sets one from its text. WEFT_ERROR_USAGE names the key and its bounds. */
gboolean weft_limits_set(WeftLimits *limits, const char *name, const char *text, GError **error);

/* Those that can change a record and are not the default, "pages=5000 seconds=60" in the order of
 * the table: what a fingerprint needs, which so stays the same when a limit is added here. */
char *weft_limits_text(const WeftLimits *limits);

#endif
