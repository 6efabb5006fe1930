/* gather.h - private: paths that records are to get and to lose, until those are written again.
 *
 * The same bytes at many places are one record with all paths in it: written again for each of them, a
 * file with a hundred thousand copies would take the square of that. So changes of paths wait here, by
 * record, the longer the larger the records are, and writing again stays a small part of the time. They
 * come out by record, each with all of its changes, in the order in which the records came in.
 *
 * What waits stands nowhere else. A path gets its row in the catalogue with the last of the records that
 * it concerns, the one that it leaves and the one that it goes to (WeftPathRow). So a run that is killed
 * has done nothing about the path, as far as the next one sees, and that one does it again.
 */
#ifndef WEFT_OUTPUTS_GATHER_H
#define WEFT_OUTPUTS_GATHER_H

#include "outputs/outputs.h"

/* What waits for others, copies and records, waits at most so long, where records are not large. */
#define WEFT_COMMIT_WAIT_US ((gint64)200 * 1000)

/* What the catalogue will say of a path. Shared by the changes that it waits for. */
typedef struct WeftPathRow {
	guint n_refs;
	guint n_changes;         /* that are not on the disk yet */
	char id[72];
	char *path, *fingerprint;
	gboolean is_gone;
	gboolean has_status;
	struct stat status;
} WeftPathRow;

/* `status` NULL: the file could not be stat'ed. */
WeftPathRow *weft_path_row_new(const char *id, const char *path, const struct stat *status,
			       const char *fingerprint);
void weft_path_row_unref(WeftPathRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPathRow, weft_path_row_unref)

typedef struct WeftPathChange {
	WeftPathRow *row;
	gboolean is_lost;        /* the record loses the path; FALSE: it gets it */
} WeftPathChange;

/* Of WeftPathChange, which it clears. */
GArray *weft_path_changes_new(void);
/* The row waits for this change, too. */
void weft_path_changes_add(GArray *changes, WeftPathRow *row, gboolean is_lost);
/* In their order, on the paths of a record. `keeps_last`: a file that is gone does not take the last
 * path with it. FALSE: all stands there as it should. */
gboolean weft_path_changes_apply(const GArray *changes, GPtrArray *paths, gboolean keeps_last);

/* The changes of one record. */
typedef struct WeftGathered {
	char id[72];
	GArray *changes;
	gboolean has_known;
	WeftKnown known;         /* when a path is to be added */
} WeftGathered;
void weft_gathered_free(WeftGathered *gathered);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftGathered, weft_gathered_free)

typedef struct WeftGather WeftGather;

WeftGather *weft_gather_new(void);
void weft_gather_free(WeftGather *gather);
/* Of the record; NULL: none that more can be added to. */
WeftGathered *weft_gather_find(const WeftGather *gather, const char *id);
/* `size_bytes`: of the record's file. */
WeftGathered *weft_gather_open(WeftGather *gather, const char *id, gsize size_bytes);
void weft_gather_add(WeftGather *gather, WeftGathered *gathered, WeftPathRow *row, gboolean is_lost);
/* Changes that wait, and whether they are so many that they should not wait for more. */
guint weft_gather_n_waiting(const WeftGather *gather);
gboolean weft_gather_is_full(const WeftGather *gather);
/* When those that wait should be written, as g_get_monotonic_time; G_MAXINT64: there is none. */
gint64 weft_gather_due_us(const WeftGather *gather);
/* The next record to be written again, when its time has come, or `at_once`; NULL: none. */
WeftGathered *weft_gather_take(WeftGather *gather, gboolean at_once);

#endif
