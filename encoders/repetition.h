/* repetition.h - loops: the decoder says the same thing again and again.
 *
 * Two kinds. Within a segment: a run of tokens that follows itself at once, four times or more and
 * for 12 tokens or more, and makes up most (60 %) of the segment. Or the whole segment packs to
 * less than 1 / 2.4 of its size, which is what the reference calls too repetitive in a window.
 * From segment to segment: the same words, without regard to case and blanks, for the third time
 * in a row; the sixth for one or two words, which people do say ("Yes.", "Thank you.").
 * The guard knows nothing of sound; a person who does repeat herself so is marked, too.
 */
#ifndef WEFT_ENCODERS_REPETITION_H
#define WEFT_ENCODERS_REPETITION_H

#include <glib.h>

/* What of the segments before counts; all zero at the begin. */
typedef struct WeftRepetition {
	guint64 last;  /* hash of the last segment's words */
	guint32 n_last; /* how often it came in a row */
} WeftRepetition;

/* Whether ids[n_ids] (text alone) with the text `text` is a loop; notes the text. */
gboolean weft_repetition_catches(WeftRepetition *repetition, const guint32 *ids, gsize n_ids,
				 const char *text);

#endif
