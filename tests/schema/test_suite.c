/* JSON-Schema-Test-Suite, draft 2020-12 (suite.jsonl, see tools/pack_schema_suite.py): no instance that is
 * none is accepted, at least 60 % of the groups are taken, and which are not, and how many of the
 * instances can be written, is what suite_expected.txt says. `test_suite --write FILE` writes it
 * anew. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "schema/schema.h"

static gsize n_accepted(const WeftSchema *schema, const WeftJson *instances)
{
	gsize n = 0;
	for (gsize i = 0; i < weft_json_length(instances); i++) {
		g_autofree char *text = weft_json_compact(weft_json_at(instances, i));
		gsize byte;
		n += weft_schema_accepts(schema, text, strlen(text), &byte) ? 1 : 0;
	}
	return n;
}

/* From `keyword "x"` on, or all of it: places and reasons may be worded anew. */
static char *reason_of(const char *message)
{
	const char *keyword = strstr(message, "keyword \"");
	if (!keyword)
		return g_strdup(message);
	const char *end = strchr(keyword + strlen("keyword \""), '"');
	return g_strndup(keyword, (gsize)(end + 1 - keyword));
}

static char *run_group(const char *line, gsize *n_compiled, gsize *n_wrong)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftJson) group = weft_json_parse(line, strlen(line), WEFT_JSON_STRICT, &error);
	g_assert_no_error(error);
	const char *name = weft_json_string(weft_json_member(group, "name"), NULL);
	const WeftJson *valid = weft_json_member(group, "valid");
	g_autofree char *text = weft_json_compact(weft_json_member(group, "schema"));
	g_autoptr(WeftSchema) schema = weft_schema_new(text, strlen(text), NULL, &error);
	if (!schema) {
		g_autofree char *reason = reason_of(error->message);
		return g_strdup_printf("%s\trefused\t%s", name, reason);
	}
	gsize n_false = n_accepted(schema, weft_json_member(group, "invalid"));
	(*n_compiled)++;
	*n_wrong += n_false;
	if (n_false > 0)
		g_printerr("%s: accepts what is no instance\n", name);
	return g_strdup_printf("%s\ttaken\t%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT, name,
			       n_accepted(schema, valid), weft_json_length(valid));
}

static char *run_all(gsize *n_groups, gsize *n_compiled, gsize *n_wrong)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "suite.jsonl", NULL);
	g_autofree char *suite = NULL;
	GString *found = g_string_new(NULL);
	g_assert_true(g_file_get_contents(path, &suite, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(suite, "\n", 0);
	*n_groups = *n_compiled = *n_wrong = 0;
	for (gsize i = 0; lines[i] && lines[i][0]; i++) {
		g_autofree char *said = run_group(lines[i], n_compiled, n_wrong);
		g_string_append_printf(found, "%s\n", said);
		(*n_groups)++;
	}
	return g_string_free(found, FALSE);
}

static void test_suite(void)
{
	gsize n_groups, n_compiled, n_wrong;
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "suite_expected.txt", NULL);
	g_autofree char *expected = NULL;
	g_autofree char *found = run_all(&n_groups, &n_compiled, &n_wrong);
	g_test_message("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " groups taken", n_compiled, n_groups);
	g_assert_cmpuint(n_wrong, ==, 0);
	g_assert_cmpuint(n_compiled * 10, >=, n_groups * 6);
	g_assert_true(g_file_get_contents(path, &expected, NULL, NULL));
	g_auto(GStrv) expected_lines = g_strsplit(expected, "\n", 0);
	g_auto(GStrv) found_lines = g_strsplit(found, "\n", 0);
	for (gsize i = 0; expected_lines[i] && found_lines[i]; i++)
		g_assert_cmpstr(found_lines[i], ==, expected_lines[i]);
	g_assert_cmpuint(g_strv_length(found_lines), ==, g_strv_length(expected_lines));
}

static gboolean any_accepts(const char *bytes, gsize size_bytes)
{
	gsize byte;
	g_autoptr(WeftSchema) any = weft_schema_new("{}", 2, NULL, NULL);
	g_assert_nonnull(any);
	return weft_schema_accepts(any, bytes, size_bytes, &byte);
}

/* JSONTestSuite: what is no JSON is no instance of {} either, the two files that are too large to carry
 * included. */
static void test_not_json(void)
{
	g_autofree char *text = NULL;
	guint n = 2;
	g_assert_true(g_file_get_contents(TEST_JSON_SUITE, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] && lines[i][0]; i++) {
		g_auto(GStrv) fields = g_strsplit(lines[i], "\t", 2);
		gsize size_bytes = 0;
		g_autofree guchar *bytes = g_base64_decode(fields[1], &size_bytes);
		if (!g_str_has_prefix(fields[0], "n_"))
			continue;
		n++;
		if (any_accepts((const char *)bytes, size_bytes))
			g_error("%s is accepted", fields[0]);
	}
	g_assert_cmpuint(n, ==, 188);
	for (gsize deep = 0; deep < 2; deep++) {
		g_autoptr(GString) arrays = g_string_new(NULL);
		for (int i = 0; i < 100000; i++)
			g_string_append(arrays, deep ? "[{\"\":" : "[");
		g_assert_false(any_accepts(arrays->str, arrays->len));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	if (argc == 3 && !strcmp(argv[1], "--write")) {
		gsize n_groups, n_compiled, n_wrong;
		g_autofree char *found = run_all(&n_groups, &n_compiled, &n_wrong);
		return g_file_set_contents(argv[2], found, -1, NULL) && n_wrong == 0 ? 0 : 1;
	}
	g_test_add_func("/schema/suite", test_suite);
	g_test_add_func("/schema/not-json", test_not_json);
	return g_test_run();
}
