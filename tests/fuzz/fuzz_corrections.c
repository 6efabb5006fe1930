/* Any bytes as a table of corrections, a record and a schema, a NUL between them: the record is corrected
 * and written in every form. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "outputs/csv.h"
#include "outputs/outputs.h"

/* What was read is written, and read again the same, but for the apostrophe of a formula and controls. */
static void check_table(const char *text, size_t size_bytes)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) again = g_ptr_array_new_with_free_func(g_free);
	WeftCsvReader reader, second;
	guint64 line, line_before = 0;

	weft_csv_reader_init(&reader, text, size_bytes);
	for (size_t n = 0;; n++) {
		g_autoptr(GString) row = g_string_new(NULL);
		if (n > size_bytes + 1)
			abort(); /* it does not end */
		if (!weft_csv_next(&reader, cells, &line, NULL))
			continue;
		if (cells->len == 0)
			return;
		if (line <= line_before)
			abort();
		line_before = line;
		for (guint i = 0; i < cells->len; i++)
			weft_csv_add(row, i == 0, cells->pdata[i]);
		weft_csv_end_row(row);
		weft_csv_reader_init(&second, row->str, row->len);
		if (!weft_csv_next(&second, again, &line, NULL))
			abort();
		/* a row of one empty cell is an empty line, which is none */
		if (again->len != cells->len && !(cells->len == 1 && again->len == 0))
			abort();
		for (guint i = 0; i < again->len; i++)
			if (strchr("=+-@\t\r\n", *(char *)again->pdata[i]) && *(char *)again->pdata[i])
				abort();
	}
}

static void write_all(const WeftJson *record, const char *schema)
{
	static const char *const formats[] = {"srt", "vtt", "md", "txt", "docling"};
	g_autoptr(WeftTable) table = weft_table_new(NULL);
	g_autoptr(GString) rows = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		weft_export_format(formats[i])->write(text, record);
		if (!g_utf8_validate(text->str, (gssize)text->len, NULL))
			abort();
		if (i == 4) {
			g_autoptr(WeftJson) docling =
				weft_json_parse(text->str, text->len, WEFT_JSON_STRICT, NULL);
			if (!docling)
				abort();
		}
	}
	(void)weft_table_add_schema(table, schema, NULL); /* what is no schema has no columns */
	weft_table_heading(table, rows);
	weft_table_add(table, rows, record);
	if (!g_utf8_validate(rows->str, (gssize)rows->len, NULL))
		abort();
	g_autoptr(WeftReport) report = weft_report_new();
	g_autoptr(GString) html = g_string_new(NULL);
	(void)weft_report_add_schema(report, schema, NULL);
	weft_report_add(report, record, "records/x.json");
	weft_report_write(report, schema, html);
	if (!g_utf8_validate(html->str, (gssize)html->len, NULL) || strstr(html->str, "<script"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	g_autofree char *text = g_strndup((const char *)data, size_bytes);
	g_autofree char *copy = g_memdup2(data, size_bytes);
	const char *first = memchr(data, 0, size_bytes);
	const char *second = first ? memchr(first + 1, 0, size_bytes - (size_t)(first + 1 - (const char *)data)) : NULL;
	g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);

	check_table(text, strlen(text));
	if (size_bytes > 0)
		check_table(copy, size_bytes);
	if (!second)
		return 0;
	g_autofree char *schema = g_strndup(second + 1, size_bytes - (size_t)(second + 1 - (const char *)data));
	g_autoptr(WeftJson) stored = weft_json_parse(first + 1, (size_t)(second - first - 1),
						     WEFT_JSON_STRICT, NULL);
	if (!stored)
		return 0;
	g_autoptr(WeftCorrections) corrections = weft_corrections_parse("table", text, strlen(text), bad);
	g_autoptr(WeftJson) record =
		weft_corrections_apply(corrections, g_steal_pointer(&stored), bad, NULL);
	if (record)
		write_all(record, schema);
	return 0;
}
