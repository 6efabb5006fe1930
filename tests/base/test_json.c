#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

static WeftJson *parse(const char *text, GError **error)
{
	return weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, error);
}

/* Same values in both trees, jansson's the judge. */
static void assert_same(const WeftJson *ours, const json_t *theirs)
{
	gsize size;

	if (json_is_object(theirs)) {
		g_assert_cmpint(weft_json_type(ours), ==, WEFT_JSON_OBJECT);
		g_assert_cmpuint(weft_json_length(ours), >=, json_object_size(theirs));
		for (gsize i = 0; i < weft_json_length(ours); i++) {
			const char *key = weft_json_key_at(ours, i, &size);
			if (strlen(key) != size) /* jansson's own lookup ends at U+0000 */
				continue;
			assert_same(weft_json_member(ours, key), json_object_get(theirs, key));
		}
	} else if (json_is_array(theirs)) {
		g_assert_cmpint(weft_json_type(ours), ==, WEFT_JSON_ARRAY);
		g_assert_cmpuint(weft_json_length(ours), ==, json_array_size(theirs));
		for (gsize i = 0; i < weft_json_length(ours); i++)
			assert_same(weft_json_at(ours, i), json_array_get(theirs, i));
	} else if (json_is_string(theirs)) {
		const char *text = weft_json_string(ours, &size);
		g_assert_cmpmem(text, size, json_string_value(theirs), json_string_length(theirs));
	} else if (json_is_integer(theirs)) {
		gint64 value;
		g_assert_true(weft_json_int(ours, &value));
		g_assert_cmpint(value, ==, json_integer_value(theirs));
	} else if (json_is_real(theirs)) {
		double value;
		g_assert_true(weft_json_double(ours, &value));
		g_assert_true(value == json_real_value(theirs));
	} else {
		g_assert_true(theirs);
		g_assert_cmpint(weft_json_type(ours), ==,
				json_is_true(theirs)	? WEFT_JSON_TRUE
				: json_is_false(theirs) ? WEFT_JSON_FALSE
							: WEFT_JSON_NULL);
	}
}

/* Where jansson is no judge: it refuses numbers that do not fit its types (we keep their text) and
 * U+0000 in keys, and takes a NUL for the end of the text. */
static gboolean is_beyond_jansson(const char *name)
{
	return g_str_has_prefix(name, "i_number_") || g_str_has_suffix(name, "_then_00") ||
	       g_str_has_suffix(name, "_null_in_key");
}

static void check_case(const char *name, const char *text, gsize size)
{
	g_autoptr(GError) error = NULL;
	WeftJsonFlags flags = strstr(name, "duplicated_key") ? WEFT_JSON_ALLOW_DUPLICATES
							     : WEFT_JSON_STRICT;
	g_autoptr(WeftJson) ours = weft_json_parse(text, size, flags, &error);
	json_t *theirs = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	g_test_message("%s: %s", name, error ? error->message : "accepted");
	g_assert_true(!ours == !!error);
	if (name[0] == 'y')
		g_assert_no_error(error);
	if (name[0] == 'n')
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	if (g_str_has_prefix(name, "i_number_"))
		g_assert_no_error(error);
	if (!is_beyond_jansson(name))
		g_assert_true(!ours == !theirs);
	if (ours && theirs)
		assert_same(ours, theirs);
	json_decref(theirs);
}

static void test_suite(void)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "json", "suite.txt", NULL);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	guint n = 0;

	for (guint i = 0; lines[i] && lines[i][0]; i++, n++) {
		g_auto(GStrv) fields = g_strsplit(lines[i], "\t", 2);
		gsize size = 0;
		g_autofree guchar *bytes = g_base64_decode(fields[1], &size);
		/* An own block of the exact size, so that a sanitizer sees a byte too far. */
		g_autofree char *exact = g_memdup2(bytes, size);
		check_case(fields[0], exact, size);
	}
	g_assert_cmpuint(n, ==, 316);
}

/* The two files of the suite that are too large to carry. */
static void test_suite_deep(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (int i = 0; i < 100000; i++)
		g_string_append_c(text, '[');
	g_assert_null(weft_json_parse(text->str, text->len, WEFT_JSON_STRICT, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_clear_error(&error);
	g_string_truncate(text, 0);
	for (int i = 0; i < 50000; i++)
		g_string_append(text, "[{\"\":");
	g_assert_null(weft_json_parse(text->str, text->len, WEFT_JSON_STRICT, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
}

static void test_depth(void)
{
	for (int n = WEFT_JSON_DEPTH_MAX; n <= WEFT_JSON_DEPTH_MAX + 1; n++) {
		g_autoptr(GString) text = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		for (int i = 0; i < n; i++)
			g_string_append_c(text, '[');
		for (int i = 0; i < n; i++)
			g_string_append_c(text, ']');
		g_autoptr(WeftJson) value = parse(text->str, &error);
		if (n > WEFT_JSON_DEPTH_MAX)
			g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
		else
			g_assert_no_error(error);
		g_assert_true(!value == !!error);
	}
}

/* Every beginning of a text is refused, and so is every text with one byte more. */
static void test_truncated(void)
{
	static const char TEXT[] = "{\"a\\u00e9\\ud83d\\ude00\":[1.5e-3,\"\xC3\xA9\\n\",true],\"b\":{}}";
	for (gsize size = 0; size < sizeof(TEXT) - 1; size++) {
		g_autofree char *exact = g_memdup2(TEXT, MAX(size, 1));
		g_autoptr(GError) error = NULL;
		g_assert_null(weft_json_parse(exact, size, WEFT_JSON_STRICT, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	}
	g_autoptr(WeftJson) whole = parse(TEXT, NULL);
	g_assert_nonnull(whole);
}

static void assert_refused(const char *text, const char *message)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(parse(text, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	g_assert_cmpstr(error->message, ==, message);
}

static void test_messages(void)
{
	assert_refused("{\"a\":1,}", "byte 7: expected a key, not '}'");
	assert_refused("[1 2]", "byte 3: expected ',' or ']', not '2'");
	assert_refused("{\"a\":1,\n\"b\":\n}", "byte 13 (line 3): expected a value, not '}'");
	assert_refused("\xEF\xBB\xBF{}",
		       "byte 0: expected a value, not byte 0xEF; JSON is UTF-8 without a byte order mark");
	assert_refused("  ", "byte 2: expected a value, but the text ends");
	assert_refused("1 x", "byte 2: expected nothing after the value, not 'x'");
	assert_refused("[\"\\ud800x\"]", "byte 2: a high surrogate without its low one");
	assert_refused("\"\x01\"", "byte 1: a control character in a string");
	assert_refused("\"\x1F\"", "byte 1: a control character in a string");
	assert_refused("\"\\udfff\"", "byte 1: a low surrogate without its high one");
	assert_refused("\"\xED\xA0\x80\"", "byte 1: not UTF-8");
}

static void test_duplicates(void)
{
	assert_refused("{\"a\":1,\"a\":2}", "byte 7: this key is already in the object: a");
	assert_refused("{\"a\":1,\"\\u0061\":2}", "byte 7: this key is already in the object: a");
	assert_refused("[{\"x\":{\"k\":0,\"q\":1,\"k\":2}}]",
		       "byte 19: this key is already in the object: k");
	static const char TWICE[] = "{\"a\":1,\"b\":2,\"a\":{\"a\":3}}";
	g_autoptr(WeftJson) value =
		weft_json_parse(TWICE, strlen(TWICE), WEFT_JSON_ALLOW_DUPLICATES, NULL);
	g_assert_cmpuint(weft_json_length(value), ==, 3);
	g_assert_cmpstr(weft_json_raw_number(weft_json_at_pointer(value, "/a/a")), ==, "3");
	g_autoptr(WeftJson) apart = parse("[{\"a\":1},{\"a\":{\"a\":1},\"b\":{\"a\":2}}]", NULL);
	g_assert_nonnull(apart);
}

/* Many members: the sorted search, and a duplicate among many. */
static void test_large_object(void)
{
	g_autoptr(GString) text = g_string_new("{");
	for (int i = 0; i < 5000; i++)
		g_string_append_printf(text, "\"k%d\":%d,", i, i * 7);
	g_autofree char *twice = g_strdup_printf("%s\"k4321\":1}", text->str);
	g_string_append(text, "\"end\":null}");
	g_autoptr(WeftJson) value = parse(text->str, NULL);
	for (int i = 0; i < 5000; i++) {
		g_autofree char *key = g_strdup_printf("k%d", i);
		gint64 number;
		g_assert_true(weft_json_int(weft_json_member(value, key), &number));
		g_assert_cmpint(number, ==, i * 7);
	}
	g_assert_null(weft_json_member(value, "k5000"));
	g_assert_null(weft_json_member(value, ""));
	g_autoptr(GError) error = NULL;
	g_assert_null(parse(twice, &error));
	g_assert_nonnull(strstr(error->message, "already in the object"));
}

static void test_tree_access(void)
{
	g_autoptr(WeftJson) value =
		parse("{\"a/b\":[10,{\"m~n\":\"x\"}],\"nul\":\"p\\u0000q\",\"t\":true}", NULL);
	gsize size;
	gboolean is_true = FALSE;
	g_assert_cmpstr(weft_json_string(weft_json_at_pointer(value, "/a~1b/1/m~0n"), NULL), ==,
			"x");
	g_assert_true(weft_json_at_pointer(value, "") == value);
	g_assert_null(weft_json_at_pointer(value, "/a~1b/01"));
	g_assert_null(weft_json_at_pointer(value, "/a~1b/2"));
	g_assert_null(weft_json_at_pointer(value, "/a~1b/-"));
	g_assert_null(weft_json_at_pointer(value, "a~1b"));
	g_assert_null(weft_json_at_pointer(value, "/a~2b"));
	g_assert_null(weft_json_string(weft_json_member(value, "nul"), NULL));
	g_assert_cmpmem(weft_json_string(weft_json_member(value, "nul"), &size), 3, "p\0q", 3);
	g_assert_true(weft_json_bool(weft_json_member(value, "t"), &is_true) && is_true);
	g_assert_false(weft_json_bool(weft_json_member(value, "nul"), &is_true));
	g_assert_cmpuint(weft_json_offset(weft_json_member(value, "t")), ==, 45);
	g_assert_null(weft_json_member(NULL, "x"));
	g_assert_null(weft_json_at(weft_json_member(value, "t"), 0));
}

static void test_stream(void)
{
	static const char TEXT[] = " {\"skip\":[[1,{\"a\":2}],3],\"keep\":{\"x\":[true]},\"n\":-0.50} ";
	g_autoptr(WeftJsonReader) reader =
		weft_json_reader_new(TEXT, strlen(TEXT), WEFT_JSON_STRICT);
	WeftJsonType event;
	gsize size;
	g_autoptr(WeftJson) kept = NULL;

	g_assert_true(weft_json_reader_next(reader, &event, NULL));
	g_assert_cmpint(event, ==, WEFT_JSON_OBJECT);
	while (weft_json_reader_next(reader, &event, NULL) && event == WEFT_JSON_KEY) {
		if (weft_json_reader_is(reader, "skip")) {
			g_assert_true(weft_json_reader_skip(reader, NULL));
			g_assert_cmpuint(weft_json_reader_end_offset(reader), ==, 24);
		} else if (weft_json_reader_is(reader, "keep")) {
			kept = weft_json_reader_tree(reader, NULL);
		} else {
			g_assert_true(weft_json_reader_is(reader, "n"));
			g_assert_true(weft_json_reader_next(reader, &event, NULL));
			const char *raw = weft_json_reader_text(reader, &size);
			g_assert_cmpmem(raw, size, "-0.50", 5);
		}
		g_assert_cmpuint(weft_json_reader_depth(reader), ==, 1);
	}
	g_assert_cmpint(event, ==, WEFT_JSON_OBJECT_END);
	for (int i = 0; i < 2; i++) {
		g_assert_true(weft_json_reader_next(reader, &event, NULL));
		g_assert_cmpint(event, ==, WEFT_JSON_END);
	}
	g_assert_cmpint(weft_json_type(weft_json_at_pointer(kept, "/x/0")), ==, WEFT_JSON_TRUE);
}

static void test_stream_error_stays(void)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new("[1,]", 4, WEFT_JSON_STRICT);
	WeftJsonType event = WEFT_JSON_NULL;
	for (int i = 0; i < 2; i++)
		g_assert_true(weft_json_reader_next(reader, &event, NULL));
	for (int i = 0; i < 3; i++) {
		g_autoptr(GError) error = NULL;
		g_assert_false(weft_json_reader_next(reader, &event, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
		g_assert_cmpint(event, ==, WEFT_JSON_NUMBER); /* untouched */
	}
}

static void test_integers(void)
{
	static const struct {
		const char *text;
		gboolean fits_int, fits_uint;
	} CASES[] = {
		{ "0", TRUE, TRUE },
		{ "-0", TRUE, FALSE },
		{ "9223372036854775807", TRUE, TRUE },
		{ "9223372036854775808", FALSE, TRUE },
		{ "-9223372036854775808", TRUE, FALSE },
		{ "-9223372036854775809", FALSE, FALSE },
		{ "18446744073709551615", FALSE, TRUE },
		{ "18446744073709551616", FALSE, FALSE },
		{ "99999999999999999999999", FALSE, FALSE },
		{ "1.0", FALSE, FALSE },
		{ "1e3", FALSE, FALSE },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(WeftJson) value = parse(CASES[i].text, NULL);
		gint64 number = 0;
		guint64 natural = 0;
		g_assert_cmpint(weft_json_int(value, &number), ==, CASES[i].fits_int);
		g_assert_cmpint(weft_json_uint(value, &natural), ==, CASES[i].fits_uint);
		if (CASES[i].fits_int)
			g_assert_cmpint(number, ==, strtoll(CASES[i].text, NULL, 10));
		if (CASES[i].fits_uint)
			g_assert_cmpuint(natural, ==, strtoull(CASES[i].text, NULL, 10));
	}
}

static char *written(double number)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	weft_json_write_double(&writer, number);
	return g_string_free(text, FALSE);
}

static void test_number_format(void)
{
	static const struct {
		double number;
		const char *text;
	} CASES[] = {
		{ 0, "0" }, { -0.0, "0" }, { 1, "1" }, { -12, "-12" }, { 0.1, "0.1" },
		{ 1240.5, "1240.5" }, { 1e15, "1000000000000000" }, { 1e21, "1e+21" },
		{ 5e-324, "5e-324" }, { 0.07, "0.07" }, { 0.1 + 0.2, "0.30000000000000004" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
		{ 9007199254740993.0, "9007199254740992" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *text = written(CASES[i].number);
		g_assert_cmpstr(text, ==, CASES[i].text);
	}
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	g_assert_false(weft_json_write_double(&writer, NAN));
	g_assert_false(weft_json_write_double(&writer, -INFINITY));
	g_assert_true(weft_json_write_rounded(&writer, 72.000000001, 3));
	g_assert_true(weft_json_write_rounded(&writer, 0.12345678, 4));
	g_assert_true(weft_json_write_rounded(&writer, -1e300, 2));
	g_assert_cmpstr(text->str, ==, "null,null,72,0.1235,-1e+300");
}

/* strtod is the judge: every double comes back as itself. Fixed seed. */
static void test_number_round_trip(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(7);
	for (int i = 0; i < 50000; i++) {
		union {
			guint64 bits;
			double number;
		} any = { (guint64)g_rand_int(random) << 32 | g_rand_int(random) };
		if (i % 3 == 0) /* near zero: subnormal */
			any.bits &= 0x800FFFFFFFFFFFFFu;
		if (i % 3 == 1)
			any.number = g_rand_int(random) / 1000.0;
		if (!isfinite(any.number))
			continue;
		g_autofree char *text = written(any.number);
		g_assert_true(strtod(text, NULL) == any.number);
		g_autoptr(WeftJson) value = parse(text, NULL);
		double back;
		g_assert_true(weft_json_double(value, &back) && back == any.number);
	}
}

static void test_write(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "z");
	weft_json_write_array(&writer);
	weft_json_write_string(&writer, "a\"\\\n\x01\x7F/\xC3\xA9"
					"\xC2\x9B\xC2\xA0\xE2\x80\xA8\xE2\x80\xAA\xE2\x80\xAF\xE2\x81\xA9\xE2\x81\xAA");
	weft_json_write_string(&writer, NULL);
	weft_json_write_array(&writer);
	weft_json_write_array_end(&writer);
	weft_json_write_bool(&writer, TRUE);
	weft_json_write_array_end(&writer);
	weft_json_write_key(&writer, "a\"");
	weft_json_write_raw(&writer, "{}", 2);
	weft_json_write_key(&writer, "n");
	weft_json_write_uint(&writer, G_MAXUINT64);
	weft_json_write_object_end(&writer);
	g_assert_cmpstr(text->str, ==,
			"{\"z\":[\"a\\\"\\\\\\n\\u0001\\u007F/\xC3\xA9"
			"\\u009B\xC2\xA0\\u2028\\u202A\xE2\x80\xAF\\u2069\xE2\x81\xAA\",null,[],true],"
			"\"a\\\"\":{},\"n\":18446744073709551615}");
}

/* What Python's bytes.decode(errors='replace') makes of the same bytes. */
static void test_write_invalid_utf8(void)
{
	static const struct {
		const char *bytes, *text;
	} CASES[] = {
		{ "a\xFFz", "\"a\xEF\xBF\xBDz\"" },
		{ "\xE2\x82", "\"\xEF\xBF\xBD\"" },
		{ "\xE2\x82x", "\"\xEF\xBF\xBDx\"" },
		{ "\xF0\x9F\x98", "\"\xEF\xBF\xBD\"" },
		{ "\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
		{ "\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },
		{ "\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
		{ "\xC2\x80\xC2", "\"\\u0080\xEF\xBF\xBD\"" },
		{ "\xE2\x80", "\"\xEF\xBF\xBD\"" },
		{ "\xE2\x82\"", "\"\xEF\xBF\xBD\\\"\"" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		WeftJsonWriter writer;
		weft_json_writer_init(&writer, text);
		weft_json_write_string(&writer, CASES[i].bytes);
		g_assert_cmpstr(text->str, ==, CASES[i].text);
	}
}

/* Reading and writing back: jansson sees the same value in both. */
static void test_tree_written(void)
{
	static const char TEXT[] = "{ \"b\" : [1.50, -0, 1E5, \"\\u00e9\\u0000\\/\"], \"a\":{\"\":null} }";
	g_autoptr(WeftJson) value = parse(TEXT, NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	weft_json_write_tree(&writer, value);
	g_assert_cmpstr(text->str, ==,
			"{\"b\":[1.50,-0,1E5,\"\xC3\xA9\\u0000/\"],\"a\":{\"\":null}}");
	json_t *before = json_loads(TEXT, JSON_ALLOW_NUL, NULL);
	json_t *after = json_loads(text->str, JSON_ALLOW_NUL, NULL);
	g_assert_true(before && after && json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

static void test_pointer_add(void)
{
	g_autoptr(GString) pointer = g_string_new(NULL);
	weft_json_pointer_add(pointer, "a/b", 3);
	weft_json_pointer_add(pointer, "m~n", 3);
	weft_json_pointer_add(pointer, "", 0);
	g_assert_cmpstr(pointer->str, ==, "/a~1b/m~0n/");
}

typedef struct Taken {
	GString *all;
	guint n, n_max; /* then it fails */
} Taken;

static gboolean take(gpointer data, const char *text, gsize size_bytes, GError **error)
{
	Taken *taken = data;
	g_assert_cmpuint(size_bytes, <=, 3 * WEFT_JSON_PIECE_BYTES); /* U+FFFD for each byte */
	if (taken->n++ == taken->n_max) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "full");
		return FALSE;
	}
	g_string_append_len(taken->all, text, (gssize)size_bytes);
	return TRUE;
}

/* Cuts at other places each time: also inside of characters, and of what is none. */
static void write_long(WeftJsonWriter *writer)
{
	g_autoptr(GString) text = g_string_new(NULL);
	while (text->len < 3 * WEFT_JSON_PIECE_BYTES)
		g_string_append(text, "x€𝄞\xe2\x82 \xf0\x9d \xff\n\xc2\x9b");
	weft_json_write_array(writer);
	for (guint i = 0; i < 9; i++)
		weft_json_write_text(writer, text->str + i, text->len - i);
	weft_json_write_array_end(writer);
}

static void test_pieces(void)
{
	g_autoptr(GString) whole = g_string_new(NULL), piece = g_string_new(NULL),
			   all = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	WeftJsonWriter writer;
	Taken taken = {all, 0, G_MAXUINT};

	weft_json_writer_init(&writer, whole);
	write_long(&writer);
	g_assert_true(weft_json_writer_finish(&writer, &error));
	weft_json_writer_init(&writer, piece);
	weft_json_writer_hand_on(&writer, take, &taken);
	write_long(&writer);
	g_assert_true(weft_json_writer_finish(&writer, &error));
	g_assert_cmpuint(taken.n, >, 9);
	g_assert_true(g_string_equal(all, whole));
}

static void test_pieces_refused(void)
{
	g_autoptr(GString) piece = g_string_new(NULL), all = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	WeftJsonWriter writer;
	Taken taken = {all, 0, 3};

	weft_json_writer_init(&writer, piece);
	weft_json_writer_hand_on(&writer, take, &taken);
	write_long(&writer);
	g_assert_false(weft_json_writer_finish(&writer, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_assert_cmpuint(taken.n, ==, 4); /* not asked again */
	g_assert_cmpuint(piece->len, <=, 3 * WEFT_JSON_PIECE_BYTES);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/suite", test_suite);
	g_test_add_func("/json/suite-deep", test_suite_deep);
	g_test_add_func("/json/depth", test_depth);
	g_test_add_func("/json/truncated", test_truncated);
	g_test_add_func("/json/messages", test_messages);
	g_test_add_func("/json/duplicates", test_duplicates);
	g_test_add_func("/json/large-object", test_large_object);
	g_test_add_func("/json/tree-access", test_tree_access);
	g_test_add_func("/json/stream", test_stream);
	g_test_add_func("/json/stream-error-stays", test_stream_error_stays);
	g_test_add_func("/json/integers", test_integers);
	g_test_add_func("/json/number-format", test_number_format);
	g_test_add_func("/json/number-round-trip", test_number_round_trip);
	g_test_add_func("/json/write", test_write);
	g_test_add_func("/json/write-invalid-utf8", test_write_invalid_utf8);
	g_test_add_func("/json/tree-written", test_tree_written);
	g_test_add_func("/json/pointer-add", test_pointer_add);
	g_test_add_func("/json/pieces", test_pieces);
	g_test_add_func("/json/pieces-refused", test_pieces_refused);
	return g_test_run();
}
