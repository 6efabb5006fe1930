/* csv.h - private: tables as text (RFC 4180), read and written.
 *
 * Read: LF or CRLF, quoted cells with line ends in them, a byte order mark before all. A row that is
 * none (a quote inside a bare cell, a quoted one that does not end, bytes that are no UTF-8, a NUL) is
 * an error of its line alone: reading goes on behind that line.
 *
 * Written: rows end with CRLF. What programs of tables would take for a formula is made text by an
 * apostrophe before it (OWASP, "CSV Injection": cells that begin with = + - @, a tab or a line end);
 * control characters but tab and line ends never pass. Numbers are no formulas and stay as they are.
 */
#ifndef WEFT_OUTPUTS_CSV_H
#define WEFT_OUTPUTS_CSV_H

#include <glib.h>

typedef struct WeftCsvReader {
	const char *at, *end;
	guint64 line;   /* that is next, from 1 */
	char separator; /* a comma; may be set to another before the first row */
} WeftCsvReader;

/* The text is borrowed. */
void weft_csv_reader_init(WeftCsvReader *reader, const char *text, gsize size_bytes);
/* Cells (char *) of the next row that is not empty into `cells`, which is emptied first and has a free
 * function; *ret_line: where it begins. Without cells: the end. FALSE: this row is none; the reader
 * stands behind its first line. WEFT_ERROR_CORRUPT. */
gboolean weft_csv_next(WeftCsvReader *reader, GPtrArray *cells, guint64 *ret_line, GError **error);

/* Appends a cell; needs no comma before it when it is the first of its row. NULL is empty. */
void weft_csv_add(GString *row, gboolean is_first, const char *text);
/* The same for digits that were checked to be a number. */
void weft_csv_add_number(GString *row, gboolean is_first, const char *digits);
void weft_csv_end_row(GString *row);

#endif
