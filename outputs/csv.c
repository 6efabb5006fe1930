#include "outputs/csv.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

/* ---- reading ---- */

void weft_csv_reader_init(WeftCsvReader *reader, const char *text, gsize size_bytes)
{
	static const char mark[] = "\xef\xbb\xbf";

	reader->at = text;
	reader->end = text + size_bytes;
	reader->line = 1;
	reader->separator = ',';
	if (size_bytes >= 3 && memcmp(text, mark, 3) == 0)
		reader->at += 3;
}

static gboolean fail(const char *why, GError **error)
{
	g_set_error_literal(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, why);
	return FALSE;
}

/* A quoted cell, whose first quote is at hand. */
static gboolean take_quoted(WeftCsvReader *reader, GString *cell, GError **error)
{
	for (reader->at++; reader->at < reader->end; reader->at++) {
		char c = *reader->at;

		if (c == '"' && reader->at + 1 < reader->end && reader->at[1] == '"') {
			reader->at++;
		} else if (c == '"') {
			reader->at++;
			return TRUE;
		}
		reader->line += c == '\n';
		g_string_append_c(cell, c);
	}
	return fail("a quote begins a cell and none ends it", error);
}

static gboolean is_line_end(const WeftCsvReader *reader)
{
	const char *at = reader->at;

	return at == reader->end || *at == '\n' ||
	       (*at == '\r' && at + 1 < reader->end && at[1] == '\n');
}

static gboolean take_bare(WeftCsvReader *reader, GString *cell, GError **error)
{
	while (!is_line_end(reader) && *reader->at != reader->separator) {
		if (*reader->at == '"')
			return fail("a quote stands inside a cell that has none around it", error);
		g_string_append_c(cell, *reader->at++);
	}
	return TRUE;
}

static gboolean take_cell(WeftCsvReader *reader, GPtrArray *cells, GError **error)
{
	g_autoptr(GString) cell = g_string_new(NULL);
	gboolean is_quoted = reader->at < reader->end && *reader->at == '"';

	if (!(is_quoted ? take_quoted(reader, cell, error) : take_bare(reader, cell, error)))
		return FALSE;
	if (!is_line_end(reader) && *reader->at != reader->separator)
		return fail("something stands behind the quote that ends a cell", error);
	if (!g_utf8_validate(cell->str, (gssize)cell->len, NULL))
		return fail("a cell is not UTF-8, or has a NUL; save the table as UTF-8", error);
	g_ptr_array_add(cells, g_string_free(g_steal_pointer(&cell), FALSE));
	return TRUE;
}

static void take_line_end(WeftCsvReader *reader)
{
	if (reader->at < reader->end && *reader->at == '\r')
		reader->at++;
	if (reader->at < reader->end)
		reader->at++;
	reader->line++;
}

static gboolean take_row(WeftCsvReader *reader, GPtrArray *cells, GError **error)
{
	for (;;) {
		if (!take_cell(reader, cells, error))
			return FALSE;
		if (is_line_end(reader))
			break;
		reader->at++; /* the separator */
	}
	take_line_end(reader);
	return TRUE;
}

gboolean weft_csv_next(WeftCsvReader *reader, GPtrArray *cells, guint64 *ret_line, GError **error)
{
	g_ptr_array_set_size(cells, 0);
	while (reader->at < reader->end && is_line_end(reader))
		take_line_end(reader);
	*ret_line = reader->line;
	if (reader->at == reader->end)
		return TRUE;
	const char *begin = reader->at;
	if (take_row(reader, cells, error))
		return TRUE;
	const char *newline = memchr(begin, '\n', (gsize)(reader->end - begin));
	reader->at = newline ? newline + 1 : reader->end;
	reader->line = *ret_line + 1;
	g_ptr_array_set_size(cells, 0);
	return FALSE;
}

/* ---- writing ---- */

/* Some programs drop space before a cell. */
static gboolean is_formula(const char *text)
{
	static const char *const wide[] = { "＝", "＋", "－", "＠" };

	text += strspn(text, " ");
	if (*text && strchr("=+-@\t\r\n", *text))
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(wide); i++)
		if (g_str_has_prefix(text, wide[i]))
			return TRUE;
	return FALSE;
}

static void add_text(GString *row, const char *text)
{
	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (weft_utf8_is_obeyed(c) && c != '\n' && c != '\t' && c != '\r')
			g_string_append_c(row, ' ');
		else if (c == '"')
			g_string_append(row, "\"\"");
		else
			g_string_append_unichar(row, c);
	}
}

void weft_csv_add(GString *row, gboolean is_first, const char *text)
{
	g_autoptr(GString) valid = g_string_new(NULL);

	if (!is_first)
		g_string_append_c(row, ',');
	if (!text || !*text)
		return;
	weft_utf8_append_valid(valid, text, strlen(text));
	g_string_replace(valid, "\xef\xbb\xbf", "", 0); /* a byte order mark is taken away by readers */
	if (valid->len == 0)
		return;
	gboolean is_escaped = is_formula(valid->str);
	gboolean is_quoted = is_escaped || strpbrk(valid->str, ",\"\r\n\t;") ||
			     valid->str[0] == ' ' || valid->str[valid->len - 1] == ' ';

	if (is_quoted)
		g_string_append_c(row, '"');
	if (is_escaped)
		g_string_append_c(row, '\'');
	add_text(row, valid->str);
	if (is_quoted)
		g_string_append_c(row, '"');
}

void weft_csv_add_number(GString *row, gboolean is_first, const char *digits)
{
	if (!is_first)
		g_string_append_c(row, ',');
	g_string_append(row, digits);
}

void weft_csv_end_row(GString *row)
{
	g_string_append(row, "\r\n");
}
