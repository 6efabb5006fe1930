/* table.h - part of the door of outputs: records as rows of a table for spreadsheets (CSV).
 *
 * First come the record's id, the first path of its document and its status; then, for each scalar of
 * the schemas that were added (outputs/columns.h has the names):
 *
 *     name              the value; of a list of scalars all of them, "; " between them; of what has no
 *                       fixed number of values, JSON text
 *     name.page         where it stands: the page, or hours, minutes and seconds
 *     name.quote        what stands there
 *     name.status       outputs/value.h
 *     name.evidence     its kind: copied, derived, matched, pointed, none (outputs/record.h); of a list the
 *                       weakest
 *     name.confidence   as the model had it; of a list the least
 *     name.calibrated   the same by the calibration, where there is one
 *
 * A column of JSON text has only its status beside it. A document is one row; where a schema's root is
 * a list of objects, each element is one, and the columns `element` and `element.pages` behind the status
 * count them from 1 and tell their pages. Of jobs that tell types of documents apart there is `type` before.
 *
 * Answers are anybody's: outputs/csv.h says what is escaped.
 */
#ifndef WEFT_OUTPUTS_TABLE_H
#define WEFT_OUTPUTS_TABLE_H

#include <glib.h>

#include "base/json.h"
#include "outputs/calibration.h"

typedef struct WeftTable WeftTable;

/* `calibration` is borrowed; NULL: there is none. */
WeftTable *weft_table_new(const WeftCalibration *calibration);
void weft_table_free(WeftTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTable, weft_table_free)

/* Columns for answers of this JSON Schema; before the heading. */
gboolean weft_table_add_schema(WeftTable *table, const char *schema, GError **error);
/* There are records that have a type. */
void weft_table_set_types(WeftTable *table);
void weft_table_heading(const WeftTable *table, GString *out);
/* Its row, or rows; the record's contents are not needed. */
void weft_table_add(const WeftTable *table, GString *out, const WeftJson *record);

#endif
