/* Documents written at random under a schema with verbatim strings: whatever is written, and however
 * little room there is, each of them stands in the text, and fits what the schema says of it. */
#include <string.h>

#include "base/json.h"
#include "schema/constraint.h"

static const char schema_text[] =
	"{\"type\":\"object\",\"required\":[\"free\",\"short\",\"code\",\"rows\"],\"properties\":{"
	"\"free\":{\"type\":\"string\"},"
	"\"short\":{\"type\":[\"string\",\"null\"],\"minLength\":4,\"maxLength\":12},"
	"\"code\":{\"type\":[\"string\",\"null\"],\"pattern\":\"^[A-Z]{2}-[0-9]+$\",\"x-weft-verbatim\":true},"
	"\"none\":{\"type\":[\"string\",\"null\"],\"pattern\":\"^x{40}$\",\"x-weft-verbatim\":true},"
	"\"rows\":{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"string\"}}}}";

static const char *const pieces[] = { "Invoice RE-17 from \"Acme\\Bolt\" \xe2\x80\x94 12 rows of rows",
				      "\xe6\x9d\xb1\xe4\xba\xac RE-2024 na\xc3\xafve rows" };

static gboolean stands(const WeftRunningText *text, const char *value)
{
	gsize size, length = strlen(value);
	const char *bytes = weft_running_text_bytes(text, &size);

	if (length == 0)
		return TRUE;
	for (const char *p = bytes; (p = memmem(p, (gsize)(bytes + size - p), value, length)); p++)
		if ((weft_running_text_marks(text, (gsize)(p - bytes)) & WEFT_TEXT_BEGINS) &&
		    (weft_running_text_marks(text, (gsize)(p - bytes) + length) & WEFT_TEXT_ENDS))
			return TRUE;
	return FALSE;
}

/* With bytes for tokens, as much as `budget` allows. Closing is told in advance and kept. */
static char *write_document(const WeftSchema *schema, WeftVerbatim *verbatim, gsize budget)
{
	g_autoptr(WeftLevels) levels = weft_levels_new();
	g_autofree WeftConstraint *now = g_new(WeftConstraint, 1);
	g_autofree WeftConstraint *next = g_new(WeftConstraint, 1);
	GString *text = g_string_new(NULL);

	weft_constraint_init(now, schema, levels, verbatim, 1);
	g_assert_cmpuint(weft_constraint_close_bytes(now), <=, budget);
	for (gsize left = budget; !weft_constraint_is_closed(now); left--) {
		guint8 allowed[256];
		guint n = 0;

		for (int byte = 0; byte < 256; byte++) {
			weft_constraint_copy(next, now);
			if (weft_constraint_advance(next, (guint8)byte) &&
			    weft_constraint_close_bytes(next) < left)
				allowed[n++] = (guint8)byte;
		}
		g_assert_cmpuint(n, >, 0);
		guint8 byte = allowed[g_test_rand_int_range(0, (gint32)n)];
		g_assert_true(weft_constraint_advance(now, byte));
		g_string_append_c(text, (char)byte);
	}
	g_assert_cmpuint(text->len, <=, budget);
	return g_string_free(text, FALSE);
}

static void assert_string(const WeftRunningText *text, const WeftJson *value, gboolean may_be_null)
{
	const char *string = weft_json_string(value, NULL);

	g_assert_true(string ? stands(text, string) : may_be_null);
}

static void test_answers(gconstpointer data)
{
	gboolean is_blank = GPOINTER_TO_INT(data);
	const WeftSchemaOptions options = { .is_verbatim = TRUE };
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftSchema) schema =
		weft_schema_new(schema_text, strlen(schema_text), &options, &error);
	g_autoptr(WeftRunningText) text = weft_running_text_new();
	gsize least, n_written = 0;

	g_assert_no_error(error);
	least = weft_schema_min_bytes(schema);
	g_assert_cmpuint(weft_schema_n_verbatim(schema), ==, 5);
	for (gsize i = 0; !is_blank && i < G_N_ELEMENTS(pieces); i++)
		weft_running_text_add(text, pieces[i], strlen(pieces[i]), (guint32)i, 0, FALSE);
	g_autoptr(WeftVerbatim) verbatim = weft_verbatim_new(text);
	for (gsize round = 0; round < 120; round++) {
		g_autofree char *json = write_document(schema, verbatim, least + round);
		g_autoptr(WeftJson) answer =
			weft_json_parse(json, strlen(json), WEFT_JSON_STRICT, NULL);
		const WeftJson *rows = weft_json_member(answer, "rows");
		const char *code = weft_json_string(weft_json_member(answer, "code"), NULL);
		const char *few = weft_json_string(weft_json_member(answer, "short"), NULL);

		g_assert_nonnull(answer);
		assert_string(text, weft_json_member(answer, "free"), FALSE);
		assert_string(text, weft_json_member(answer, "short"), TRUE);
		assert_string(text, weft_json_member(answer, "code"), TRUE);
		g_assert_null(weft_json_string(weft_json_member(answer, "none"), NULL));
		for (gsize i = 0; i < weft_json_length(rows); i++)
			assert_string(text, weft_json_at(rows, i), FALSE);
		g_assert_true(!code || strcmp(code, "RE-17") == 0 || strcmp(code, "RE-2024") == 0);
		g_assert_true(!few || (g_utf8_strlen(few, -1) >= 4 && g_utf8_strlen(few, -1) <= 12));
		n_written += code && few;
	}
	g_assert_cmpint(n_written > 0, ==, !is_blank);
}

/* A list of strings that differ, until the text has no more of them. */
static void test_differing(void)
{
	static const char list[] = "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":5},"
				   "\"uniqueItems\":true,\"minItems\":1}";
	static const char piece[] = "to be or to be";
	const WeftSchemaOptions options = { .is_verbatim = TRUE };
	g_autoptr(WeftSchema) schema = weft_schema_new(list, strlen(list), &options, NULL);
	g_autoptr(WeftRunningText) text = weft_running_text_new();
	gsize n_most = 0;

	g_assert_nonnull(schema);
	g_assert_cmpuint(weft_schema_n_verbatim(schema), ==, 1);
	weft_running_text_add(text, piece, strlen(piece), 0, 0, FALSE);
	g_autoptr(WeftVerbatim) verbatim = weft_verbatim_new(text);
	for (gsize round = 0; round < 400; round++) {
		g_autofree char *json =
			write_document(schema, verbatim, weft_schema_min_bytes(schema) + round % 80);
		g_autoptr(WeftJson) answer = weft_json_parse(json, strlen(json), WEFT_JSON_STRICT, NULL);
		g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

		for (gsize i = 0; i < weft_json_length(answer); i++) {
			assert_string(text, weft_json_at(answer, i), FALSE);
			g_assert_true(g_hash_table_add(
				seen, (gpointer)weft_json_string(weft_json_at(answer, i), NULL)));
		}
		n_most = MAX(n_most, weft_json_length(answer));
	}
	g_assert_cmpuint(n_most, ==, 7); /* "", to, be, or, "to be", "be or", "or to" */
}

static gboolean is_one_of(const char *text, const char *const *list)
{
	return !text || g_strv_contains(list, text);
}

/* Numbers and days that the text means, all that it may mean, within what the schema says of them. */
static void test_meanings(void)
{
	static const char meanings[] =
		"{\"type\":\"object\",\"required\":[\"net\",\"n\",\"day\",\"never\"],\"properties\":{"
		"\"net\":{\"type\":[\"number\",\"null\"],\"minimum\":-7,\"x-weft-verbatim\":true},"
		"\"n\":{\"type\":[\"integer\",\"null\"],\"x-weft-verbatim\":true},"
		"\"day\":{\"type\":[\"string\",\"null\"],\"format\":\"date\",\"x-weft-verbatim\":true},"
		"\"never\":{\"type\":[\"number\",\"null\"],\"minimum\":100000,\"x-weft-verbatim\":true}}}";
	static const char *const numbers[] = { "1240.5", "17", "1.875", "1875", "-6.25", "0.5",
					       "12", "2024", NULL };
	static const char *const integers[] = { "17", "1875", "-17", "12", "2024", NULL };
	static const char *const days[] = { "2024-03-12", "2024-04-03", "2024-03-04", NULL };
	g_autoptr(WeftSchema) schema = weft_schema_new(meanings, strlen(meanings), NULL, NULL);
	g_autoptr(WeftRunningText) text = weft_running_text_new();
	static const char said[] = "net 1.240,50 and 17 rows, 1.875 -6.25 0.5 -17 on 12. M\xc3\xa4rz 2024, 03/04/2024";
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	g_assert_nonnull(schema);
	weft_running_text_add(text, said, strlen(said), 0, 0, FALSE);
	g_autoptr(WeftVerbatim) verbatim = weft_verbatim_new(text);
	for (gsize round = 0; round < 400; round++) {
		g_autofree char *json =
			write_document(schema, verbatim, weft_schema_min_bytes(schema) + round % 40);
		g_autoptr(WeftJson) answer =
			weft_json_parse(json, strlen(json), WEFT_JSON_STRICT, NULL);
		const char *net = weft_json_raw_number(weft_json_member(answer, "net"));
		const char *n = weft_json_raw_number(weft_json_member(answer, "n"));
		const char *day = weft_json_string(weft_json_member(answer, "day"), NULL);

		g_assert_nonnull(answer);
		g_assert_true(is_one_of(net, numbers) && is_one_of(n, integers) && is_one_of(day, days));
		g_assert_cmpint(weft_json_type(weft_json_member(answer, "never")), ==, WEFT_JSON_NULL);
		g_hash_table_add(seen, g_strdup_printf("net %s", net ? net : "null"));
		g_hash_table_add(seen, g_strdup_printf("n %s", n ? n : "null"));
		g_hash_table_add(seen, g_strdup_printf("day %s", day ? day : "null"));
	}
	g_assert_cmpuint(g_hash_table_size(seen), ==, 9 + 6 + 4); /* each of them, and null */
	static const char refused[] = "{\"type\":\"number\",\"x-weft-verbatim\":true}";
	g_assert_null(weft_schema_new(refused, strlen(refused), NULL, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/verbatim-answers/text", GINT_TO_POINTER(FALSE), test_answers);
	g_test_add_data_func("/verbatim-answers/blank", GINT_TO_POINTER(TRUE), test_answers);
	g_test_add_func("/verbatim-answers/meanings", test_meanings);
	g_test_add_func("/verbatim-answers/differing", test_differing);
	return g_test_run();
}
