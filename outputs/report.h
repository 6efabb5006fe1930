/* report.h - part of the door of outputs: an output folder as one page of HTML.
 *
 * What there is (documents by status and by type of file, pages, hours), what went wrong (by stage and code,
 * with some of the documents), how far the values of the answers are filled, why not, and on what they
 * rest, and a table of documents with links to them and to their records. Records are added one by one;
 * nothing but counts and a bounded number of lines is kept.
 *
 * The page stands alone: no script, nothing from elsewhere (and a policy that forbids both). All that comes
 * from documents is text on one line, without control characters.
 */
#ifndef WEFT_OUTPUTS_REPORT_H
#define WEFT_OUTPUTS_REPORT_H

#include <glib.h>

#include "base/json.h"

#define WEFT_REPORT_DOCUMENTS_MAX 2000u
#define WEFT_REPORT_EXAMPLES_MAX 10u

typedef struct WeftReport WeftReport;

WeftReport *weft_report_new(void);
void weft_report_free(WeftReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftReport, weft_report_free)

/* Fields of answers of this JSON Schema; before the first record. */
gboolean weft_report_add_schema(WeftReport *report, const char *schema, GError **error);
/* The record's contents are not needed. `link` is what leads from the page to its file. */
void weft_report_add(WeftReport *report, const WeftJson *record, const char *link);
void weft_report_add_damaged(WeftReport *report, const char *message);
/* Appends the page. `title` is any text. */
void weft_report_write(const WeftReport *report, const char *title, GString *html);

#endif
