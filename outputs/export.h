/* export.h - part of the door of outputs: a record as a file that other programs read.
 *
 *     srt, vtt   what was said, as captions; WebVTT names who speaks (<v Anna>)
 *     md         Markdown to paste into a wiki: answer, then what was read or said, with places
 *     txt        what was read or said alone, with places
 *     docling    what was read or said as a DoclingDocument (JSON), with places
 *     csv        all answers as one table (outputs/table.h)
 *     jsonl      all records as they are, one a line
 *
 * Of several files that are one document, a place says of which it is ("[2/00:01:24]", as labels of
 * speakers do: "2/S1"), and its name stands above; WebVTT has a note and numbers cues "2-14", a cue of
 * SubRip begins with the file's name in brackets, since neither format knows several recordings.
 *
 * Everything in a record comes from documents and is hostile: control characters never pass, and
 * what would be markup in the format is escaped, so that a document can't add a heading, a link, a
 * tag or a cue of its own.
 */
#ifndef WEFT_OUTPUTS_EXPORT_H
#define WEFT_OUTPUTS_EXPORT_H

#include <glib.h>

#include "base/json.h"

typedef enum {
	WEFT_EXPORT_FILES, /* a file for each record: `write` */
	WEFT_EXPORT_TABLE, /* one file, rows: WeftTable */
	WEFT_EXPORT_LINES, /* one file, records: weft_record_pass_on */
} WeftExportKind;

typedef struct WeftExportFormat {
	const char *name;
	const char *extension; /* of a file */
	WeftExportKind kind;
	gboolean needs_speech; /* of a record without speech there is nothing to write */
	/* FALSE: there is nothing of the record in what was written. */
	gboolean (*write)(GString *out, const WeftJson *record);
} WeftExportFormat;

/* By name; NULL: there is no such format. */
const WeftExportFormat *weft_export_format(const char *name);
/* "srt, vtt, md, ...". Caller frees. */
char *weft_export_formats(void);
/* The name of the record's first path, or its id, on one line; of several files that are one document,
 * of the first of them, and how many more there are. Caller frees. */
char *weft_export_title(const WeftJson *record);

/* ---- private to the formats ---- */

/* "[00:01:24] ", "[p. 3] " or "[2/00:01:24] " of the item's first anchor, or "". Caller frees. */
char *weft_export_place(const WeftJson *item);
/* Of several files that are one document, that of the item's first anchor; 0: it is of one file. */
guint64 weft_export_document(const WeftJson *item);
/* "2: NAME" on one line. Caller frees. */
char *weft_export_document_name(const WeftJson *record, guint64 document);

gboolean weft_export_markdown(GString *out, const WeftJson *record);
gboolean weft_export_docling(GString *out, const WeftJson *record);

#endif
