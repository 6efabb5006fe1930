/* A schema, a byte 0, and an answer: rules of x-weft-check that were taken are made, at most so many and as
 * JSON; and what an answer that fits has at a place, the schema allows there. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "outputs/agreement.h"
#include "outputs/record.h"

#define SCHEMA_BYTES_MAX 3000
#define VALUES_MAX 200

static void check(gboolean holds)
{
	if (!holds)
		abort();
}

static guint kind_of(const WeftJson *value)
{
	switch (weft_json_type(value)) {
	case WEFT_JSON_NUMBER:
		return WEFT_SCHEMA_NUMBERS;
	case WEFT_JSON_STRING:
		return WEFT_SCHEMA_STRINGS | WEFT_SCHEMA_DAYS | WEFT_SCHEMA_OTHERS; /* by its format */
	default:
		return WEFT_SCHEMA_OTHERS;
	}
}

/* As far down as the reader lets a text be. */
static void check_places(const WeftSchema *schema, const WeftJson *value, GString *path, guint *n_left)
{
	gsize size = path->len, n_bytes;

	if (*n_left == 0)
		return;
	--*n_left;
	check((weft_schema_kinds(schema, path->str, &n_bytes) & kind_of(value)) != 0 && n_bytes == path->len);
	g_autofree char *below = weft_schema_below(schema, path->str, 3);
	check(weft_json_length(value) == 0 || *below);
	for (gsize i = 0; i < weft_json_length(value); i++) {
		gsize key_bytes;
		const char *key = weft_json_type(value) == WEFT_JSON_OBJECT
					  ? weft_json_key_at(value, i, &key_bytes) : NULL;
		if (!key)
			g_string_append_printf(path, "/%" G_GSIZE_FORMAT, i);
		else if ((key_bytes == 1 && *key == '*') || memchr(key, 0, key_bytes))
			continue; /* no path names them */
		else
			weft_json_pointer_add(path, key, key_bytes);
		check_places(schema, weft_json_at(value, i), path, n_left);
		g_string_truncate(path, size);
		g_string_append(path, "/*");
		check(weft_schema_kinds(schema, path->str, &n_bytes) != 0);
		g_string_truncate(path, size);
	}
}

static void try_answer(const WeftJson *tree, const WeftSchema *schema, const char *text)
{
	gsize byte, size_bytes;
	guint n_left = VALUES_MAX;
	g_autoptr(WeftJson) answer = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, NULL);
	g_autoptr(GString) path = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	if (!answer)
		return;
	if (weft_schema_accepts(schema, text, strlen(text), &byte))
		check_places(schema, answer, path, &n_left);
	if (!weft_agreement_read(tree, schema, &error)) {
		check(error != NULL && *error->message == '#');
		return;
	}
	g_autoptr(WeftRecord) record = weft_record_new();
	record->answer = g_strdup(text);
	weft_record_agree(record, tree, &(WeftUsage){ 0 });
	check(record->agreements->len <= WEFT_AGREEMENT_RESULTS_MAX);
	g_autofree char *json = weft_record_json(record, FALSE, &size_bytes);
	g_autoptr(WeftJson) again = weft_json_parse(json, size_bytes, WEFT_JSON_STRICT, NULL);
	check(again != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const uint8_t *end = memchr(data, 0, MIN(size_bytes, (size_t)SCHEMA_BYTES_MAX));
	const char *text = (const char *)data;
	if (!end)
		return 0;
	g_autoptr(WeftJson) tree = weft_json_parse(text, (gsize)(end - data), WEFT_JSON_STRICT, NULL);
	g_autoptr(WeftSchema) schema = tree ? weft_schema_new(text, (gsize)(end - data), NULL, NULL) : NULL;
	if (!schema)
		return 0;
	g_autofree char *answer = g_strndup(text + (end - data) + 1, size_bytes - (size_t)(end - data) - 1);
	g_autofree char *smallest = weft_schema_null_instance(schema);
	try_answer(tree, schema, smallest);
	try_answer(tree, schema, answer);
	return 0;
}
