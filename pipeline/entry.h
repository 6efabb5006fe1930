/* entry.h - items of a document as entries of its journal, and back.
 *
 * What is kept is what leaves the reading: all parts but pixels and samples, each picture with what
 * became of it, faults, tokens of readings, in the order in which they come; and marks. A fault that
 * another try might not meet (the disk, a crash, a time limit, a reader that is not there) freezes
 * the journal: what follows it is not kept.
 */
#ifndef WEFT_PIPELINE_ENTRY_H
#define WEFT_PIPELINE_ENTRY_H

#include <glib.h>

#include "pipeline/item.h"
#include "pipeline/journal.h"

/* PART, FAULT, ANSWER (tokens), SOUNDING, HEARING and MARK; other kinds are nothing to keep. */
void weft_entry_write(WeftJournal *journal, const WeftItem *item);

/* The item of an entry, is_replayed; pictures and sound without pixels and samples. Of a MARK, too.
 * WEFT_ERROR_CORRUPT: no such entry. */
WeftItem *weft_entry_read(guint8 kind, const guint8 *data, gsize size_bytes, guint64 document,
			  GError **error);

/* TRUE when all that is left to read of the journal holds together. */
gboolean weft_entries_are_sound(WeftJournalReader *reader);

#endif
