/* journal.h - a file of entries that grows while work goes on, and says how far it got.
 *
 * A journal belongs to one key (64 hexadecimal digits, of whatever decides its content). Entries are
 * appended; a mark says that what stands before it is whole, and carries a position whose meaning is
 * the writer's (the page to go on with); the end says that nothing follows. A writer that is killed
 * leaves a tail: the next one finds the last mark, and cuts off what stands behind it.
 *
 * The file: "weftjrnl", version, the key's 32 bytes; then frames of a length (u32), a checksum (u32,
 * FNV-1a over length and payload) and the payload, whose first byte is the kind of the entry.
 * Numbers are little-endian. All that is read back is hostile: lengths are checked against the file
 * and a limit before they are used, a frame that does not fit ends the journal at the mark before it.
 *
 * What is written goes to the system at marks, after WEFT_JOURNAL_FLUSH_BYTES or
 * WEFT_JOURNAL_FLUSH_MS, the rhythm of group commits; nothing is synced: a lost tail costs its pages.
 * A journal that can't be written (a full disk) is silently none: it saves work, it is no result.
 *
 * A writer and a reader belong to one thread each. The writer holds flock(2) on the file.
 */
#ifndef WEFT_PIPELINE_JOURNAL_H
#define WEFT_PIPELINE_JOURNAL_H

#include <glib.h>

#define WEFT_JOURNAL_VERSION 1u
#define WEFT_JOURNAL_KEY_DIGITS 64u
#define WEFT_JOURNAL_HEADER_BYTES 44u
#define WEFT_JOURNAL_ENTRY_MAX_BYTES ((gsize)1 << 20)
#define WEFT_JOURNAL_FLUSH_BYTES ((gsize)64 << 10)
#define WEFT_JOURNAL_FLUSH_MS 200

typedef struct WeftJournal WeftJournal;
typedef struct WeftJournalReader WeftJournalReader;

/* Kinds of entries; the rest is the writers' (entry.h, answers.h). */
#define WEFT_JOURNAL_MARK 1u
#define WEFT_JOURNAL_END 2u

/* Opens the journal, to go on behind its last mark, or begins it: a file of another key or version,
 * or one that is damaged before its first mark, begins anew. WEFT_ERROR_CANCELLED: another run
 * writes to it; WEFT_ERROR_IO. */
WeftJournal *weft_journal_open(const char *path, const char *key, GError **error);
/* Writes what is left and lets go of the file. */
void weft_journal_close(WeftJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftJournal, weft_journal_close)

const char *weft_journal_key(const WeftJournal *journal);
const char *weft_journal_path(const WeftJournal *journal);
/* Of the last mark; 0: there is none. */
guint64 weft_journal_position(const WeftJournal *journal);
gboolean weft_journal_is_complete(const WeftJournal *journal);

/* What is longer than an entry may be freezes the journal. */
void weft_journal_add(WeftJournal *journal, guint8 kind, gconstpointer data, gsize size_bytes);
void weft_journal_mark(WeftJournal *journal, guint64 position);
void weft_journal_end(WeftJournal *journal);
/* Nothing is added from here on: what follows is not to be kept. */
void weft_journal_freeze(WeftJournal *journal);
/* Hands everything to the system now. */
void weft_journal_flush(WeftJournal *journal);

/* Reads what stood in the journal when it was opened, whatever is appended meanwhile. */
WeftJournalReader *weft_journal_reader_new(const WeftJournal *journal, GError **error);
/* Reads a journal that may be anybody's. NULL: it is not there, of another key, or damaged. */
WeftJournalReader *weft_journal_reader_open(const char *path, const char *key, GError **error);
void weft_journal_reader_close(WeftJournalReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftJournalReader, weft_journal_reader_close)
gboolean weft_journal_reader_is_complete(const WeftJournalReader *reader);

/* The next entry, marks included; *ret_kind 0: there are no more. The data are the reader's until the
 * next call. FALSE: the file can't be read, or has changed. */
gboolean weft_journal_next(WeftJournalReader *reader, guint8 *ret_kind, const guint8 **ret_data,
                           gsize *ret_size_bytes, GError **error);
/* The position that a mark's data hold; FALSE: they hold none. */
gboolean weft_journal_mark_position(const guint8 *data, gsize size_bytes, guint64 *ret_position);

#endif
