/* Any bytes as JSON: what is accepted is written, read again and written again as the same bytes,
 * and the events end where the tree did. */
#include "base/json.h"
#include "fuzz.h"

static GString *written(const WeftJson *value)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	weft_json_write_tree(&writer, value);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *text = (const char *)data;
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(text, size_bytes, WEFT_JSON_STRICT);
	g_autoptr(WeftJson) value = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, NULL);
	WeftJsonType event = WEFT_JSON_NULL;
	gboolean is_good = TRUE;

	while (is_good && event != WEFT_JSON_END)
		is_good = weft_json_reader_next(reader, &event, NULL);
	g_assert_true(is_good == (value != NULL));
	if (!value)
		return 0;
	g_autoptr(GString) once = written(value);
	g_autoptr(WeftJson) again = weft_json_parse(once->str, once->len, WEFT_JSON_STRICT, NULL);
	g_assert_nonnull(again);
	g_autoptr(GString) twice = written(again);
	g_assert_true(g_string_equal(once, twice));
	return 0;
}
