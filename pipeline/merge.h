/* merge.h - the answers of a document's windows, put together field by field.
 *
 * In the order of the windows: a scalar is the first that is not null; arrays are joined without
 * exact repetitions, up to the schema's maxItems; objects are merged member by member. Values of
 * which the model was less sure than `confidence_min` are withheld first: null where the schema
 * allows it, left out of an array where it can be shorter; where neither is possible they stay.
 * Items beyond maxItems are left out, and counted.
 *
 * Where all windows have null, they say together why (WeftAnswerValue.decline): unreadable if one says
 * so, else not_examined if one says so, else absent if all do, a window that has null for the whole
 * object speaking for its members. One that gives no reason, or is not sure of its null, leaves it open.
 *
 * What comes out can fail to be an instance of the schema, though every answer is one: alternatives get
 * mixed, items that were two become one. Whoever merges asks weft_schema_judge_refuses, and then keeps one
 * answer (weft_merge_keep_one).
 */
#ifndef WEFT_PIPELINE_MERGE_H
#define WEFT_PIPELINE_MERGE_H

#include <glib.h>

#include "base/json.h"
#include "model/answer.h"

typedef struct WeftMerge WeftMerge;

/* Items of an array for which its schema has no room. */
typedef struct WeftMergeCut {
	char *pointer;
	guint64 n_max, n_left_out;
} WeftMergeCut;

/* The schema is borrowed. */
WeftMerge *weft_merge_new(const WeftJson *schema, double confidence_min);
void weft_merge_free(WeftMerge *merge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftMerge, weft_merge_free)

/* Takes the next window's answer; FALSE when it is not JSON. `window`: its number from 1; 0: it has
 * none. `element`: of a file with many documents the one that it is about, from 1, in their order, for all
 * windows or none (0). Then the schema is that of a list, each answer is an item of it, and those about one
 * document become one. */
gboolean weft_merge_add(WeftMerge *merge, WeftAnswer *take_answer, guint32 window, guint32 element,
                        GError **error);
guint weft_merge_n_answers(const WeftMerge *merge);
const WeftAnswer *weft_merge_answer(const WeftMerge *merge, guint i);
/* The number of its window; 0: it has none. */
guint32 weft_merge_window(const WeftMerge *merge, guint i);

/* What the last finish left out (WeftMergeCut), each array once. Borrowed. */
const GArray *weft_merge_cuts(const WeftMerge *merge);

/* The merged answer: its values have pointers, confidences and windows, of nulls only those with a
 * reason are there; its tokens are the sums. That one of them was cut is theirs to tell: it is cut
 * nowhere.
 * `ret_withheld`: the pointers (char *) at which something was withheld and nothing else stands.
 * Needs at least one answer. */
WeftAnswer *weft_merge_finish(WeftMerge *merge, GPtrArray **ret_withheld);
/* Makes of `merged`, which finish gave, what the window that says most answered, nothing withheld; the
 * tokens stay. Returns the window's number. */
guint weft_merge_keep_one(const WeftMerge *merge, WeftAnswer *merged);
/* Of which document each item of the last finish is (guint32); NULL: the file is one. Borrowed. */
const GArray *weft_merge_elements(const WeftMerge *merge);

#endif
