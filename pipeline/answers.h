/* answers.h - answers about the windows of one document, kept until its record is written.
 *
 * One journal for each document and round; its key is made of the record's id, the content's key and
 * the round, so an answer is only found again by the job that asked. An entry names the window by its
 * number and by a digest of all that it held: an answer is used for that very window, or not at all.
 * Answers come in the order of windows. Which experts were chosen is not kept.
 */
#ifndef WEFT_PIPELINE_ANSWERS_H
#define WEFT_PIPELINE_ANSWERS_H

#include <glib.h>

#include "pipeline/item.h"
#include "pipeline/journal.h"

typedef struct WeftAnswers WeftAnswers;

void weft_answers_key(const char *id, const char *content_key, guint round, char ret_key[65]);
/* Says which window it is, and what is in it. */
void weft_asked_set_window(WeftAsked *asked, const WeftWindow *window);

/* All that can be read of the journal; NULL when that is nothing. `reader` may be NULL. */
WeftAnswers *weft_answers_read(WeftJournalReader *reader);
void weft_answers_free(WeftAnswers *answers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftAnswers, weft_answers_free)
/* The answer about this window, the caller's from here on, or NULL. */
WeftAnswer *weft_answers_take(WeftAnswers *answers, const WeftAsked *asked);
/* The last part with pixels or samples that no window needs which is not answered. FALSE: there is none. */
gboolean weft_answers_last_part(const WeftAnswers *answers, WeftAnchor *ret_at);

/* One answer as the bytes of an entry, and that entry appended. */
GByteArray *weft_answers_entry(const WeftAsked *asked, const WeftAnswer *answer);
void weft_answers_write(WeftJournal *journal, guint32 window, const GByteArray *entry);

#endif
