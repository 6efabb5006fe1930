/* commit.h - private: record files on their way onto the disk, together.
 *
 * A file that must outlive a power cut waits for the disk twice: for its bytes, and for its name. A
 * commit waits twice for all of its files. Each is written at once into a temporary file beside its
 * place; weft_commit_publish makes all bytes last, then renames one after the other in the order in
 * which they came, then makes the names last. Only then do the rows follow (weft_outputs_put_commit).
 *
 * Publishing uses nothing but the commit, so it may run in a thread of its own. Meanwhile others may
 * read file, temporary, known and is_removed of its entries: these never change. A temporary file
 * that is not there any more has become the record.
 *
 * Another run may write the same record meanwhile (a copy of the document, at another path). Before
 * a file is renamed, and under a lock that all runs of a folder share, the record in its place is
 * compared with what it was when the new one was made, and merged when it is another.
 *
 * A failure leaves the commit to be freed: temporary files go away, nothing is tried again.
 */
#ifndef WEFT_OUTPUTS_COMMIT_H
#define WEFT_OUTPUTS_COMMIT_H

#include "base/files.h"
#include "outputs/catalog.h"
#include "outputs/gather.h"
#include "outputs/record_file.h"

typedef struct WeftCommitEntry {
	char *file;              /* the record's */
	char *temporary;         /* where its bytes lie until it has its name; NULL: nothing written */
	WeftNewFile *written;
	gboolean has_record;     /* FALSE: there is none any more, only rows of paths */
	gboolean is_new;         /* a document's result; else a record that was there, with other paths */
	gboolean is_removed;     /* the record goes away */
	gboolean has_before;
	struct stat before;      /* the record that this one was made from, or replaces */
	WeftKnown known;
	char *sha256, *fingerprint;
	char file_sha256[65];
	struct stat file_status;
	WeftSearchText *text;    /* or NULL */
	GArray *changes;         /* WeftPathChange: the paths that the record gets and loses */
} WeftCommitEntry;

struct WeftCommit {
	GPtrArray *entries;      /* WeftCommitEntry, in the order in which they came */
	GHashTable *last;        /* id -> the last WeftCommitEntry that changes its record */
	gsize size_bytes;        /* of text to search: records are on the disk */
	char *records;           /* the folder above their folders */
	char *untold;            /* a folder with new marks (untold.h), or NULL */
	char *lock_path;         /* that all runs of the folder share */
	gboolean makes_folders;  /* `records` has a new folder */
	gboolean syncs_alone;    /* each file by itself: a sync of all waits for what others write, too */
	gint64 first_us;         /* when it began, as g_get_monotonic_time */
	gint64 sync_us;          /* what the sync of all took; 0: there was none */
};

WeftCommit *weft_commit_new(const char *records, const char *lock_path, gboolean syncs_alone);

/* NULL: this commit does not change the record. */
const WeftCommitEntry *weft_commit_find(const WeftCommit *commit, const char *id);

/* Takes the entry, whose `known.id` is set. */
void weft_commit_add(WeftCommit *commit, WeftCommitEntry *take_entry);
void weft_commit_entry_free(WeftCommitEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftCommitEntry, weft_commit_entry_free)

/* What a record file is to say: a record, whose words go as they are written; or one that is there,
 * with other paths (weft_record_file_copy). */
typedef struct WeftRecordText {
	WeftRecord *record;          /* NULL: the other */
	WeftRecordFile *before;
	const WeftAddress *address;  /* or NULL */
	const GPtrArray *paths;
} WeftRecordText;

/* Writes the text and a newline into the entry's temporary file, piece by piece, and its folder where
 * it is missing. */
gboolean weft_commit_write(WeftCommit *commit, WeftCommitEntry *entry, const WeftRecordText *text,
			   GError **error);

#endif
