/* stash.h - where journals lie: those under way, and those that may be used again.
 *
 *     STATE/work/<key>          of a document that is being read, or was when its run was killed
 *     STATE/cache/ab/<key>      what was read of documents that have their record
 *
 * A journal is begun in work; it is taken out of the cache when its document is read again. Once the
 * record is written it goes to the cache, whose size is bounded: what was used longest ago goes
 * first. Files count with the blocks that they take. Everything here only saves work: all of it may
 * be deleted at any time, and nothing that fails here fails a document.
 *
 * Any thread. Runs that share a state folder may use it together: a journal that another run writes
 * is not there for this one.
 */
#ifndef WEFT_PIPELINE_STASH_H
#define WEFT_PIPELINE_STASH_H

#include <glib.h>

#include "pipeline/journal.h"
#include "pipeline/pipeline.h"

typedef struct WeftStash WeftStash;

/* Touches nothing yet. `limit_bytes` 0: nothing is kept once a record is written. */
WeftStash *weft_stash_new(const char *state_dir, guint64 limit_bytes);
void weft_stash_free(WeftStash *stash);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftStash, weft_stash_free)

/* The journal of this key, begun or gone on with; NULL: there can be none. */
WeftJournal *weft_stash_begin(WeftStash *stash, const char *key);
/* To read only; NULL: there is none. */
WeftJournalReader *weft_stash_look(WeftStash *stash, const char *key);
/* The document has its record: into the cache, or away when there is no room for it. With
 * `may_evict` FALSE nothing else goes for it. */
void weft_stash_keep(WeftStash *stash, WeftJournal *take_journal, gboolean may_evict);
/* Away once the record is surely on disk: some dozens of records later, or when the cache is freed. */
void weft_stash_drop(WeftStash *stash, WeftJournal *take_journal);
/* What stands in a journal under way does not hold together: the next run begins it anew. */
void weft_stash_forget(WeftStash *stash, const char *key);
/* A run came to its end: what still lies in work belongs to documents that are gone, or to another
 * job, and from here on is bounded like the rest. */
void weft_stash_settle(WeftStash *stash);

#endif
