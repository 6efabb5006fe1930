/* Tables as text: what RFC 4180 says, and what spreadsheets would take for a formula. */
#include <string.h>

#include "outputs/csv.h"

/* All rows: cells with | between them, rows with / between them, "!LINE" for one that is none. */
static char *read_all(const char *text, gsize size)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	GString *all = g_string_new(NULL);
	WeftCsvReader reader;
	guint64 line;
	weft_csv_reader_init(&reader, text, size);
	for (;;) {
		gboolean is_good = weft_csv_next(&reader, cells, &line, NULL);
		if (is_good && cells->len == 0)
			return g_string_free(all, FALSE);
		g_string_append(all, all->len > 0 ? "/" : "");
		if (!is_good)
			g_string_append_printf(all, "!%" G_GUINT64_FORMAT, line);
		for (guint i = 0; i < cells->len; i++)
			g_string_append_printf(all, "%s%s", i > 0 ? "|" : "", (char *)cells->pdata[i]);
	}
}

static void assert_read(const char *text, const char *rows)
{
	g_autofree char *all = read_all(text, strlen(text));
	g_assert_cmpstr(all, ==, rows);
}

static void test_read(void)
{
	assert_read("", "");
	assert_read("\n\r\n\n", "");
	assert_read("a,b\r\nc,d", "a|b/c|d");
	assert_read("a,\n,b\n", "a|/|b");
	assert_read("\xef\xbb\xbf" "a\n", "a");
	assert_read("\"a,b\",\"c\"\"d\",\"e\nf\r\ng\"\nh\n", "a,b|c\"d|e\nf\r\ng/h");
	assert_read("\"\",\"\"\"\"\n", "|\"");
	assert_read("a\rb\n", "a\rb"); /* alone it ends no line */
}

/* A row that is none costs its own line. */
static void test_damaged(void)
{
	assert_read("a\"b,c\nd\n", "!1/d");
	assert_read("a\n\"b\nc,d\n", "a/!2/c|d");
	assert_read("\"a\"b,c\nd\n", "!1/d");
	assert_read("\"a\n\"b\nc", "!1/!2/c");
	assert_read("\xff\nb", "!1/b");
	g_autofree char *nul = read_all("a\0b\nc\n", 6);
	g_assert_cmpstr(nul, ==, "!1/c");
}

static void assert_written(const char *text, const char *cell)
{
	g_autoptr(GString) row = g_string_new("x");
	g_autofree char *wanted = g_strconcat("x,", cell, NULL);
	weft_csv_add(row, FALSE, text);
	g_assert_cmpstr(row->str, ==, wanted);
}

static void test_write(void)
{
	assert_written(NULL, "");
	assert_written("", "");
	assert_written("a b", "a b");
	assert_written("a,b", "\"a,b\"");
	assert_written("a\"b", "\"a\"\"b\"");
	assert_written("a\nb", "\"a\nb\"");
	assert_written(" a", "\" a\"");
	assert_written("a\x1b[31m\xe2\x80\xae" "b", "a [31m b");
	assert_written("\xff", "\xef\xbf\xbd");
	assert_written("\xef\xbb\xbf", "");
}

static void test_formulas(void)
{
	static const char *const formulas[] = {"=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", " =1", "  -1",
					       "＝1", "＋1", "－1", "＠1"};
	for (gsize i = 0; i < G_N_ELEMENTS(formulas); i++) {
		g_autofree char *cell = g_strconcat("\"'", formulas[i], "\"", NULL);
		assert_written(formulas[i], cell);
	}
	assert_written("\xef\xbb\xbf=1", "\"'=1\""); /* a mark that readers take away */
	assert_written("a=1", "a=1");
	g_autoptr(GString) row = g_string_new(NULL);
	weft_csv_add_number(row, TRUE, "-1.5e3");
	weft_csv_end_row(row);
	g_assert_cmpstr(row->str, ==, "-1.5e3\r\n");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/csv/read", test_read);
	g_test_add_func("/csv/damaged", test_damaged);
	g_test_add_func("/csv/write", test_write);
	g_test_add_func("/csv/formulas", test_formulas);
	return g_test_run();
}
