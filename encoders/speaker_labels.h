/* speaker_labels.h - who said it: turns of speakers (speakers.h) upon what was heard.
 *
 * Each word belongs to the speaker in whose turns most of its time lies; a word between turns goes
 * with its neighbour. A content whose words are of several speakers becomes several, cut between the
 * words nearest to the change: text, words, times and confidence are shared out. Without words it
 * stays whole and gets the speaker of most of its time.
 *
 * Labels: "S1"; "S1?" where the margin of the turn is below WEFT_TURN_MARGIN_SURE, from which on the
 * measured error is below 10 %; none below WEFT_TURN_MARGIN_MIN. "S1+S2" where a second one speaks
 * at the same time for at least half of it.
 */
#ifndef WEFT_ENCODERS_SPEAKER_LABELS_H
#define WEFT_ENCODERS_SPEAKER_LABELS_H

#include <glib.h>

#include "base/content.h"
#include "encoders/sounding.h"

/* What `content` becomes, at least itself, in order of time (WeftContent; the array frees them).
 * Takes it; a content that has a speaker, or no time, is passed on as it is. Words must not be
 * packed. */
GPtrArray *weft_sounding_label(const WeftSounding *sounding, WeftContent *take_content);

#endif
