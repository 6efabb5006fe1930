#include <string.h>

#include "judge.h"
#include "model/constrain.h"
#include "schemas.h"

static WeftSchema *schema_of(const char *text)
{
	GError *error = NULL;
	WeftSchema *schema = weft_schema_new(text, strlen(text), &error);
	g_assert_no_error(error);
	return schema;
}

/* Where the text stops being acceptable, -1 when it is an instance. */
static int walk(const WeftSchema *schema, const char *text)
{
	gsize byte;
	return weft_schema_accepts(schema, text, strlen(text), &byte) ? -1 : (int)byte;
}

/* A monkey types random allowed bytes that leave enough of the budget to finish. */
static char *type_at_random(const WeftSchema *schema, gsize n_left, GRand *dice)
{
	GString *text = g_string_new(NULL);
	WeftConstraint now;
	weft_constraint_init(&now, schema);
	while (!weft_constraint_is_closed(&now)) {
		guint8 bytes[256];
		gsize n = 0;
		if (weft_constraint_is_complete(&now) &&
		    (n_left == 0 || g_rand_int_range(dice, 0, 3) == 0))
			break;
		for (int byte = 0; byte < 256; byte++) {
			WeftConstraint next;
			weft_constraint_copy(&next, &now);
			if (weft_constraint_advance(&next, (guint8)byte) &&
			    weft_constraint_close_bytes(&next) < n_left)
				bytes[n++] = (guint8)byte;
		}
		if (n == 0 && weft_constraint_is_complete(&now))
			break; /* a number that could only go on for longer than the budget */
		g_assert_cmpuint(n, >, 0);
		guint8 byte = bytes[g_rand_int_range(dice, 0, (gint32)n)];
		for (gsize i = 0; i < n; i++) /* closers more often than by chance */
			if (strchr("\"]}", bytes[i]) && g_rand_int_range(dice, 0, 8) == 0)
				byte = bytes[i];
		int forced = weft_constraint_forced(&now);
		g_assert_true(forced < 0 || (n == 1 && forced == byte));
		g_assert_true(weft_constraint_advance(&now, byte));
		g_string_append_c(text, (char)byte);
		n_left--;
	}
	return g_string_free(text, FALSE);
}

static void test_monkey(void)
{
	g_autoptr(GRand) dice = g_rand_new_with_seed(7);
	for (gsize i = 0; i < G_N_ELEMENTS(schemas); i++) {
		g_autoptr(WeftSchema) schema = schema_of(schemas[i]);
		gsize least = weft_schema_min_bytes(schema);
		for (gsize n = 0; n < 120; n++) {
			gsize budget = least + (n < 40 ? n : 10 * n);
			g_autofree char *text = type_at_random(schema, budget, dice);
			g_assert_cmpuint(strlen(text), <=, budget);
			g_assert_true(g_utf8_validate(text, -1, NULL));
			g_autofree char *wrong = judge(schemas[i], text);
			if (wrong)
				g_test_message("%s: %s", text, wrong);
			g_assert_null(wrong);
		}
	}
}

static void test_strings(void)
{
	g_autoptr(WeftSchema) schema = schema_of("{\"type\":\"string\",\"maxLength\":3}");
	g_assert_cmpint(walk(schema, "\"\""), ==, -1);
	g_assert_cmpint(walk(schema, "\"abc\""), ==, -1);
	g_assert_cmpint(walk(schema, "\"abcd\""), ==, 4);
	g_assert_cmpint(walk(schema, "\"\xf0\x9f\x98\x80\xc3\xbc\xe2\x82\xac\""), ==, -1);
	g_assert_cmpint(walk(schema, "\"\xed\xa0\x80\""), ==, 2);     /* a surrogate */
	g_assert_cmpint(walk(schema, "\"\xc0\x80\""), ==, 1);         /* overlong */
	g_assert_cmpint(walk(schema, "\"\xf4\x90\x80\x80\""), ==, 2); /* beyond U+10FFFF */
	g_assert_cmpint(walk(schema, "\"\xc3\""), ==, 2);
	g_assert_cmpint(walk(schema, "\"a\nb\""), ==, 2);
	g_assert_cmpint(walk(schema, "\"\\n\\t\\\"\""), ==, -1);
	g_assert_cmpint(walk(schema, "\"\\u0000\""), ==, 6);
	g_assert_cmpint(walk(schema, "\"\\u001f\""), ==, -1);
	g_assert_cmpint(walk(schema, "\"\\u0041\""), ==, 5);
	g_assert_cmpint(walk(schema, "\"\\/\""), ==, 2);
	g_assert_cmpint(walk(schema, "\"ab"), ==, 3);
}

static void test_layout(void)
{
	g_autoptr(WeftSchema) schema = schema_of(
		"{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"integer\"},\"a\":"
		"{\"type\":\"array\",\"items\":{\"type\":\"null\"}}}}");
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[null,null]}"), ==, -1);
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[]}"), ==, -1);
	g_assert_cmpint(walk(schema, "{\"a\":[],\"b\":1}"), ==, 2);
	g_assert_cmpint(walk(schema, "{ \"b\":1}"), ==, 1);
	g_assert_cmpint(walk(schema, "{\"b\":1}"), ==, 6);
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[null,]}"), ==, 17);
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[]} "), ==, 14);
}

/* From the beginning, the way of the fewest bytes has exactly as many as promised. */
static void test_close_is_exact(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(schemas); i++) {
		g_autoptr(WeftSchema) schema = schema_of(schemas[i]);
		g_autoptr(GRand) dice = g_rand_new_with_seed(3);
		g_autofree char *text =
			type_at_random(schema, weft_schema_min_bytes(schema), dice);
		g_assert_cmpuint(strlen(text), ==, weft_schema_min_bytes(schema));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/constrain/monkey", test_monkey);
	g_test_add_func("/constrain/strings", test_strings);
	g_test_add_func("/constrain/layout", test_layout);
	g_test_add_func("/constrain/close-is-exact", test_close_is_exact);
	return g_test_run();
}
