/* cue_text.h - private: the text of one caption becomes content.
 *
 * Tags of WebVTT and SubRip go, but for what they say: <v Anna> names who speaks (a caption with two
 * voices becomes two contents), <00:01:24.500> when the words behind it begin. So do ASS's {\...}.
 * Character references become characters. Lines are joined by a space. A '<' that begins no tag
 * stays what it is.
 */
#ifndef WEFT_INGEST_CUE_TEXT_H
#define WEFT_INGEST_CUE_TEXT_H

#include <glib.h>

#include "base/anchor.h"
#include "base/content.h"

/* Appends WeftContent of kind speech, by the file, to `out`; nothing for a caption without text.
 * `text`: valid UTF-8. */
void weft_cue_text_add(GQueue *out, const char *text, WeftAnchor at);

/* The same from one event of ASS as FFmpeg gives it: "order,layer,style,name,l,r,v,effect,text". The
 * name is who speaks. */
void weft_cue_text_add_ass(GQueue *out, const char *event, WeftAnchor at);

/* "00:01:24.500", "01:24,5", with hours where there are: seconds, and *ret_end behind it; negative:
 * there is none. */
double weft_cue_time(const char *text, const char **ret_end);

#endif
