/* cues.h - private: what was said, cut into pieces that a player can show.
 *
 * Speech with a time becomes cues, in the order of time. A cue holds at most two lines of 42
 * characters and stands at most 7 s, as broadcasters' guidelines for subtitles have it; it ends
 * earlier at the end of a sentence, and where nobody spoke for a second. Speech without times of
 * words is cut the same way, its time shared by the length of the pieces. Of
 * several files that are one document each has its own time; its cues come behind those of the file before.
 */
#ifndef WEFT_OUTPUTS_CUES_H
#define WEFT_OUTPUTS_CUES_H

#include <glib.h>

#include "base/json.h"

typedef struct WeftCue {
	guint64 document;     /* which of several that are one document; 0: it is one file */
	double from_s, to_s;
	const char *speaker; /* the record's, or NULL */
	char *text;          /* one line, valid UTF-8 without control characters */
} WeftCue;

#define WEFT_CUE_LINE_CHARS 42u

/* The cues of a written record: WeftCue, with a free function. */
GPtrArray *weft_cues_of(const WeftJson *record);

/* `text` on one line: what terminals and players obey, and runs of space, become one space.
 * NULL is "". Caller frees. */
char *weft_cue_line(const char *text);

#endif
