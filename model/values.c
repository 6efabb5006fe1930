#include "model/values.h"

#include <string.h>

#include "base/json.h"

typedef struct Level {
	gboolean is_array;
	gsize n_items;
	gsize pointer_size; /* of the container's own pointer */
} Level;

/* Puts the pointer to the next child of the innermost container; keys come by themselves. */
static void begin_child(GArray *levels, GString *pointer)
{
	if (levels->len == 0)
		return;
	Level *level = &g_array_index(levels, Level, levels->len - 1);
	if (level->is_array) {
		g_string_truncate(pointer, level->pointer_size);
		g_string_append_printf(pointer, "/%" G_GSIZE_FORMAT, level->n_items++);
	}
}

static void begin_key(GArray *levels, GString *pointer, const WeftJsonReader *reader)
{
	gsize size;
	const char *key = weft_json_reader_text(reader, &size);
	g_string_truncate(pointer, g_array_index(levels, Level, levels->len - 1).pointer_size);
	weft_json_pointer_add(pointer, key, size);
}

/* TRUE for a scalar, to which the pointer leads then. */
static gboolean follow(GArray *levels, GString *pointer, const WeftJsonReader *reader,
		       WeftJsonType event)
{
	if (event == WEFT_JSON_KEY) {
		begin_key(levels, pointer, reader);
		return FALSE;
	}
	if (event == WEFT_JSON_ARRAY_END || event == WEFT_JSON_OBJECT_END) {
		g_array_set_size(levels, levels->len - 1);
		return FALSE;
	}
	begin_child(levels, pointer);
	if (event != WEFT_JSON_ARRAY && event != WEFT_JSON_OBJECT)
		return TRUE;
	Level level = {event == WEFT_JSON_ARRAY, 0, pointer->len};
	g_array_append_val(levels, level);
	return FALSE;
}

void weft_values_find(const char *json, GArray *values)
{
	g_autoptr(WeftJsonReader) reader =
		weft_json_reader_new(json, strlen(json), WEFT_JSON_STRICT);
	g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
	g_autoptr(GString) pointer = g_string_new(NULL);
	WeftJsonType event;

	while (weft_json_reader_next(reader, &event, NULL) && event != WEFT_JSON_END) {
		if (!follow(levels, pointer, reader, event))
			continue;
		WeftAnswerValue value = {.pointer = g_strdup(pointer->str),
					 .byte_first = weft_json_reader_offset(reader),
					 .byte_end = weft_json_reader_end_offset(reader),
					 .confidence = 1};
		g_array_append_val(values, value);
	}
}

/* A value that is begun, where the text ends, is behind what the reader can tell of. */
static void begin_open(GArray *levels, GString *pointer, const char *rest, gboolean has_key,
		       gboolean in_number)
{
	if (levels->len == 0 || has_key || in_number)
		return;
	const Level *level = &g_array_index(levels, Level, levels->len - 1);
	gboolean has_comma = *rest == ',';
	g_string_truncate(pointer, level->pointer_size);
	if (level->is_array && rest[has_comma ? 1 : 0] != '\0')
		begin_child(levels, pointer);
}

char *weft_values_open(const char *json, gsize size_bytes)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(json, size_bytes, WEFT_JSON_STRICT);
	g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
	GString *pointer = g_string_new(NULL);
	WeftJsonType event = WEFT_JSON_NULL, last = WEFT_JSON_NULL;
	gsize end = 0;

	while (weft_json_reader_next(reader, &event, NULL) && event != WEFT_JSON_END) {
		last = event;
		end = weft_json_reader_end_offset(reader);
		(void)follow(levels, pointer, reader, event); /* scalars are passed over */
	}
	begin_open(levels, pointer, json + end, last == WEFT_JSON_KEY,
		   last == WEFT_JSON_NUMBER && end == size_bytes);
	return g_string_free(pointer, FALSE);
}
