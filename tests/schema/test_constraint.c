#include <string.h>

#include "tests/model/judge.h"
#include "samples.h"
#include "schema/constraint.h"

typedef struct Sample {
	WeftSchema *schema;
	WeftLevels *levels;
	WeftConstraint now;
} Sample;

static void sample_open(Sample *sample, const char *text)
{
	GError *error = NULL;
	sample->schema = weft_schema_new(text, strlen(text), NULL, &error);
	g_assert_no_error(error);
	sample->levels = weft_levels_new();
	weft_constraint_init(&sample->now, sample->schema, sample->levels, NULL, 0);
}

static void sample_close(Sample *sample)
{
	weft_levels_free(sample->levels);
	weft_schema_free(sample->schema);
}

/* Bytes that may come next, in order; *ret_least: the nearest end behind any of them. */
static gsize allowed_bytes(const Sample *sample, guint8 bytes[256], gsize limit, gsize *ret_least)
{
	gsize n = 0;
	*ret_least = G_MAXSIZE;
	for (int byte = 0; byte < 256; byte++) {
		WeftConstraint next;
		WeftLevelsMark mark = weft_levels_mark(sample->levels);
		weft_constraint_copy(&next, &sample->now);
		if (weft_constraint_advance(&next, (guint8)byte)) {
			gsize close = weft_constraint_close_bytes(&next);
			*ret_least = MIN(*ret_least, close);
			if (close < limit)
				bytes[n++] = (guint8)byte;
		}
		weft_levels_release(sample->levels, mark);
	}
	return n;
}

/* What is promised of every state. */
static void check_state(const Sample *sample)
{
	guint8 bytes[256];
	gsize least, close = weft_constraint_close_bytes(&sample->now);
	gsize n = allowed_bytes(sample, bytes, G_MAXSIZE, &least);
	gboolean is_complete = weft_constraint_is_complete(&sample->now);
	int forced = weft_constraint_forced(&sample->now);
	g_assert_cmpint(is_complete, ==, close == 0);
	if (!is_complete)
		g_assert_cmpuint(least + 1, ==, close);
	g_assert_cmpint(forced, ==, n == 1 && !is_complete ? bytes[0] : -1);
	g_assert_cmpint(weft_constraint_is_closed(&sample->now), ==, is_complete && n == 0);
}

/* A monkey types random allowed bytes that leave enough of the budget to finish. */
static char *type_at_random(Sample *sample, gsize n_left, GRand *dice)
{
	GString *text = g_string_new(NULL);
	while (!weft_constraint_is_closed(&sample->now)) {
		guint8 bytes[256];
		gsize least, n = allowed_bytes(sample, bytes, n_left, &least);
		gboolean is_complete = weft_constraint_is_complete(&sample->now);
		check_state(sample);
		if (is_complete && (n == 0 || g_rand_int_range(dice, 0, 3) == 0))
			break;
		g_assert_cmpuint(n, >, 0);
		guint8 byte = bytes[g_rand_int_range(dice, 0, (gint32)n)];
		for (gsize i = 0; i < n; i++) /* closers more often than by chance */
			if (strchr("\"]}", bytes[i]) && g_rand_int_range(dice, 0, 8) == 0)
				byte = bytes[i];
		g_assert_true(weft_constraint_advance(&sample->now, byte));
		g_string_append_c(text, (char)byte);
		n_left--;
	}
	return g_string_free(text, FALSE);
}

static void test_monkey(void)
{
	g_autoptr(GRand) dice = g_rand_new_with_seed(7);
	for (gsize i = 0; i < G_N_ELEMENTS(samples); i++)
		for (gsize n = 0; n < 25; n++) {
			Sample sample;
			gsize byte;
			sample_open(&sample, samples[i]);
			gsize budget = weft_schema_min_bytes(sample.schema) + n * n / 2;
			g_autofree char *text = type_at_random(&sample, budget, dice);
			g_assert_cmpuint(strlen(text), <=, budget);
			if (n == 0)
				g_assert_cmpuint(strlen(text), ==, budget);
			g_assert_true(g_utf8_validate(text, -1, NULL));
			g_assert_true(weft_schema_accepts(sample.schema, text, strlen(text), &byte));
			g_autofree char *wrong = judge(samples[i], text);
			if (wrong)
				g_test_message("%s", text);
			g_assert_cmpstr(wrong, ==, NULL);
			sample_close(&sample);
		}
}

/* Where the text stops being acceptable, -1 when it is an instance. */
static int walk(const char *schema_text, const char *text)
{
	GError *error = NULL;
	gsize byte;
	g_autoptr(WeftSchema) schema =
		weft_schema_new(schema_text, strlen(schema_text), NULL, &error);
	g_assert_no_error(error);
	return weft_schema_accepts(schema, text, strlen(text), &byte) ? -1 : (int)byte;
}

static void test_strings(void)
{
	const char *schema = "{\"type\":\"string\",\"maxLength\":3}";
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
	g_assert_cmpint(walk(schema, "\"\\u000a\""), ==, 6); /* has the spelling \n */
	g_assert_cmpint(walk(schema, "\"\\u000d\""), ==, -1);
	g_assert_cmpint(walk(schema, "\"\\u0041\""), ==, 5);
	g_assert_cmpint(walk(schema, "\"\\/\""), ==, 2);
	g_assert_cmpint(walk(schema, "\"ab"), ==, 3);
}

/* Characters as a value and as a key, of the later planes the last ones; on the way to those that may not
 * be there every state keeps its promises. */
static void test_noncharacters(void)
{
	static const char *const schemas[] = {
		"{\"type\":\"string\",\"maxLength\":3}",
		"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"null\"}}",
		"{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^[^a]\"},{\"type\":\"string\",\"maxLength\":2}]}",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(schemas); i++) {
		Sample sample;
		sample_open(&sample, schemas[i]);
		WeftConstraint begin = sample.now;
		WeftLevelsMark mark = weft_levels_mark(sample.levels);
		for (guint32 c = 0x80; c <= 0x10ffff; c++) {
			char text[16] = "{\"";
			gsize head = i == 1 ? 2 : 1;
			gboolean is_nobodys = (c >= 0xfdd0 && c <= 0xfdef) || c % 0x10000 >= 0xfffe;
			if ((c >= 0xd800 && c <= 0xdfff) || (c > 0x20000 && c % 0x10000 < 0xff00))
				continue;
			text[head - 1] = '"';
			text[head + (gsize)g_unichar_to_utf8(c, text + head)] = '\0';
			weft_constraint_copy(&sample.now, &begin);
			const char *p = text;
			while (*p && weft_constraint_advance(&sample.now, (guint8)*p)) {
				p++;
				if (is_nobodys && p[0] && (guint8)p[-1] >= 0x80)
					check_state(&sample);
			}
			g_assert_cmpint(*p == '\0', ==, !is_nobodys);
			weft_levels_release(sample.levels, mark);
		}
		sample_close(&sample);
	}
}

static void test_layout(void)
{
	const char *schema =
		"{\"type\":\"object\",\"required\":[\"b\",\"a\"],\"properties\":{\"b\":{\"type\":"
		"\"integer\"},\"a\":{\"type\":\"array\",\"items\":{\"type\":\"null\"}},"
		"\"c\":{\"type\":\"null\"}}}";
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[null,null]}"), ==, -1);
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[],\"c\":null}"), ==, -1);
	g_assert_cmpint(walk(schema, "{\"a\":[],\"b\":1}"), ==, 2);
	g_assert_cmpint(walk(schema, "{ \"b\":1}"), ==, 1);
	g_assert_cmpint(walk(schema, "{\"b\":1}"), ==, 6);
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[null,]}"), ==, 17);
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[]} "), ==, 14);
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[],\"\\u0063\":null}"), ==, 15);
	g_assert_cmpint(walk(schema, "{\"b\":1,\"a\":[],\"d\":null}"), ==, 15);
}

static void test_keys(void)
{
	const char *map = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"null\"}}";
	g_assert_cmpint(walk(map, "{\"a\":null,\"ab\":null,\"b\":null}"), ==, -1);
	g_assert_cmpint(walk(map, "{\"a\":null,\"ab\":null,\"a\":null}"), ==, 22);
	g_assert_cmpint(walk(map, "{\"a\":null,\"\\u0061\":null}"), ==, 15);
	/* Of the last key that is left, all is forced; then there is none. */
	const char *few = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"null\"},"
			  "\"propertyNames\":{\"enum\":[\"a\",\"b\"]}}";
	g_assert_cmpint(walk(few, "{\"b\":null}"), ==, -1);
}

static void test_depth(void)
{
	const char *schema = "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}";
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < WEFT_SCHEMA_DEPTH_MAX; i++)
		g_string_append_c(text, '[');
	for (int i = 0; i < WEFT_SCHEMA_DEPTH_MAX; i++)
		g_string_append_c(text, ']');
	g_assert_cmpint(walk(schema, text->str), ==, -1);
	g_string_prepend_c(text, '[');
	g_assert_cmpint(walk(schema, text->str), ==, WEFT_SCHEMA_DEPTH_MAX);
	/* What needs two levels is not begun where there is one. */
	const char *tree = "{\"type\":\"object\",\"required\":[\"v\"],\"properties\":{\"n\":{\"$ref\":"
			   "\"#\"},\"v\":{\"type\":\"array\",\"items\":{\"type\":\"null\"}}}}";
	g_string_truncate(text, 0);
	for (int i = 0; i < WEFT_SCHEMA_DEPTH_MAX; i++)
		g_string_append(text, "{\"n\":");
	/* The 255th object has no room for another one, only for its array. */
	g_assert_cmpint(walk(tree, text->str), ==, (WEFT_SCHEMA_DEPTH_MAX - 2) * 5 + 2);
}

/* More readings than are followed: the first and the shortest are kept, and none is wrong. */
static void test_many_ways(void)
{
	g_autoptr(GString) schema = g_string_new("{\"anyOf\":[");
	gsize byte;
	for (int i = 0; i < 60; i++)
		g_string_append_printf(schema,
				       "%s{\"type\":\"array\",\"minItems\":%d,\"maxItems\":%d,"
				       "\"items\":{\"anyOf\":[{\"type\":\"string\",\"maxLength\":%d},"
				       "{\"type\":\"string\",\"minLength\":%d}]}}",
				       i > 0 ? "," : "", 60 - i, 60 - i, i, i + 2);
	g_string_append(schema, "]}");
	Sample sample;
	sample_open(&sample, schema->str);
	gsize least = weft_schema_min_bytes(sample.schema);
	GRand *dice = g_rand_new_with_seed(1);
	for (gsize n = 0; n < 4; n++) {
		weft_constraint_init(&sample.now, sample.schema, sample.levels, NULL, 0);
		g_autofree char *text = type_at_random(&sample, least + 20 * n, dice);
		g_assert_cmpuint(strlen(text), <=, least + 20 * n);
		g_assert_true(weft_schema_accepts(sample.schema, text, strlen(text), &byte));
	}
	g_rand_free(dice);
	sample_close(&sample);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/constraint/monkey", test_monkey);
	g_test_add_func("/constraint/strings", test_strings);
	g_test_add_func("/constraint/noncharacters", test_noncharacters);
	g_test_add_func("/constraint/layout", test_layout);
	g_test_add_func("/constraint/keys", test_keys);
	g_test_add_func("/constraint/depth", test_depth);
	g_test_add_func("/constraint/many-ways", test_many_ways);
	return g_test_run();
}
