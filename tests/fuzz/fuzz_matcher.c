/* A schema, a byte 0, and choices: where a choice may stand as a byte it is written, else the next
 * byte that may. There is always one until the document is complete, it comes to its end in as many
 * bytes as promised, and then it is JSON without equal keys, once the reasons of nulls are out where they
 * may stand. Small masks equal trying each token. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "schema/decline.h"
#include "schema/mask.h"

#define SCHEMA_BYTES_MAX 2000
#define CHOICES_MAX 200
#define CLOSE_MAX 2000

static void check(gboolean holds)
{
	if (!holds)
		abort();
}

/* The first byte from `wanted` on, around, behind which less than `limit` is missing; -1: none. */
static int find_byte(const WeftConstraint *now, guint8 wanted, gsize limit)
{
	for (int i = 0; i < 256; i++) {
		char byte = (char)(wanted + i);
		gsize close;
		if (weft_constraint_allows(now, &byte, 1, &close) && close < limit)
			return (guint8)byte;
	}
	return -1;
}

static void check_mask(WeftMasks *masks, const WeftWord *words, gsize n, const WeftConstraint *now,
		       gsize limit)
{
	WeftMask mask = weft_masks_find(masks, now, limit);
	for (gsize id = 0; id < n; id++) {
		gsize close;
		gboolean may = weft_word_is_usable(&words[id]) &&
			       weft_constraint_allows(now, words[id].bytes, words[id].size_bytes,
						      &close) &&
			       close < limit;
		check(may == weft_mask_has(&mask, (gint32)id));
	}
}

static void follow(const WeftSchema *schema, WeftMasks *masks, const WeftWord *words, gsize n,
		   const guint8 *choices, gsize n_choices)
{
	g_autoptr(WeftLevels) levels = weft_levels_new();
	g_autoptr(GString) text = g_string_new(NULL);
	WeftConstraint now;
	weft_constraint_init(&now, schema, levels, NULL, 0);
	for (gsize i = 0; i < n_choices || !weft_constraint_is_complete(&now); i++) {
		gsize close = weft_constraint_close_bytes(&now);
		gboolean is_complete = weft_constraint_is_complete(&now);
		check(is_complete == (close == 0));
		if (i % 16 == 3)
			check_mask(masks, words, n, &now, i % 32 == 3 ? G_MAXSIZE : close + 2);
		int byte = find_byte(&now, i < n_choices ? choices[i] : 0,
				     i < n_choices ? G_MAXSIZE : close);
		if (byte < 0) {
			check(is_complete);
			break;
		}
		int forced = weft_constraint_forced(&now);
		check(forced < 0 || forced == byte);
		check(weft_constraint_advance(&now, (guint8)byte));
		g_string_append_c(text, (char)byte);
		if (i >= n_choices)
			check(weft_constraint_close_bytes(&now) < close);
		if (weft_constraint_close_bytes(&now) > CLOSE_MAX)
			return; /* true, but long */
	}
	g_autoptr(GArray) declined = g_array_new(FALSE, FALSE, sizeof(WeftDeclined));
	weft_decline_take_out(text, declined);
	g_autoptr(WeftJson) json = weft_json_parse(text->str, text->len, WEFT_JSON_STRICT, NULL);
	check(json != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static const char *const pieces[] = {"\":", "\",\"", "\"}", "null", "12", "1,", "aa", "\"a\"",
					     "\xc3\xa9", "\xc3", "\\u00", "]]", "},{", "\"]", "a\",\"",
					     "null:", ":absent", "un"};
	const guint8 *end = memchr(data, 0, MIN(size_bytes, (size_t)SCHEMA_BYTES_MAX));
	char bytes[256];
	WeftWord words[256 + G_N_ELEMENTS(pieces)];
	if (!end)
		return 0;
	for (int i = 0; i < 256; i++) {
		bytes[i] = (char)i;
		words[i] = (WeftWord){&bytes[i], 1};
	}
	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++)
		words[256 + i] = (WeftWord){pieces[i], (guint32)strlen(pieces[i])};
	g_autoptr(WeftVocabulary) vocabulary =
		weft_vocabulary_new(words, G_N_ELEMENTS(words), NULL);
	g_autoptr(WeftMasks) masks = weft_masks_new(vocabulary, 1 << 20);
	for (int declines = 0; declines < 2; declines++) {
		const WeftSchemaOptions options = {.declines = declines};
		g_autoptr(WeftSchema) schema = weft_schema_new((const char *)data, (gsize)(end - data),
							       &options, NULL);
		if (schema && weft_schema_min_bytes(schema) <= CLOSE_MAX)
			follow(schema, masks, words, G_N_ELEMENTS(words), end + 1,
			       MIN(size_bytes - (gsize)(end - data) - 1, (gsize)CHOICES_MAX));
	}
	return 0;
}
