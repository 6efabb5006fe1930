/* Answers questions about lexemes, one JSON object a line, for lexeme_brute.py.
 *
 *     {"patterns": [..], "not": [..], "formats": [..], "min": 0, "max": 5, "loose": false}
 *
 * is answered by {"error": ".."} or {"empty": true} or by what "ask" says:
 *     "tree"   {"states": [[prefix, allowed bytes, accepts, close, forced], ..]}: every prefix that
 *              allowed bytes lead to, prefixes and bytes in hexadecimal; at most "limit" of them
 *     "walk"   {"texts": [..]}: "n" random walks to an end, in hexadecimal; every step is checked
 *              against close
 *     "has"    {"has": [..]}: whether each of "texts" is in the set
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "schema/lexeme.h"

static WeftLexeme *lexeme_of(WeftLexemeMaker *maker, const json_t *question, GError **error)
{
	static const char *const keys[] = {"patterns", "not", "formats"};
	g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(WeftLexemePart));
	for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
		json_t *list = json_object_get(question, keys[k]);
		for (gsize i = 0; i < json_array_size(list); i++) {
			WeftLexemePart part = {
				.kind = k == 2 ? WEFT_LEXEME_FORMAT : WEFT_LEXEME_PATTERN,
				.text = json_string_value(json_array_get(list, i)),
				.is_loose = json_is_true(json_object_get(question, "loose")),
				.is_not = k == 1};
			g_array_append_val(parts, part);
		}
	}
	json_t *max = json_object_get(question, "max");
	WeftLexemeSpec spec = {
		.parts = (const WeftLexemePart *)(const void *)parts->data,
		.n_parts = parts->len,
		.length_min = (guint32)json_integer_value(json_object_get(question, "min")),
		.length_max = max ? (guint32)json_integer_value(max) : WEFT_LEXEME_UNLIMITED};
	return weft_lexeme_new(maker, &spec, error);
}

static void append_hex(GString *out, const char *bytes, gsize n)
{
	for (gsize i = 0; i < n; i++)
		g_string_append_printf(out, "%02x", (guint8)bytes[i]);
}

typedef struct Place {
	char *prefix;
	gsize n;
	WeftLexemeState state;
} Place;

/* All that may be asked of one state. */
static void append_state(GString *out, const WeftLexeme *lexeme, const Place *place, GArray *stack)
{
	g_string_append(out, "[\"");
	append_hex(out, place->prefix, place->n);
	g_string_append(out, "\",\"");
	for (int byte = 255; byte >= 0; byte--) {
		WeftLexemeState next = weft_lexeme_step(lexeme, place->state, (guint8)byte);
		if (next.id == WEFT_LEXEME_DEAD)
			continue;
		char letter = (char)byte;
		append_hex(out, &letter, 1);
		Place below = {g_malloc(place->n + 1), place->n + 1, next};
		memcpy(below.prefix, place->prefix, place->n);
		below.prefix[place->n] = letter;
		g_array_append_val(stack, below);
	}
	g_string_append_printf(out, "\",%d,%u,%d],", weft_lexeme_accepts(lexeme, place->state),
			       weft_lexeme_close(lexeme, place->state),
			       weft_lexeme_forced(lexeme, place->state));
}

static void answer_tree(GString *out, const WeftLexeme *lexeme, gsize limit)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(Place));
	Place root = {g_strdup(""), 0, weft_lexeme_begin(lexeme)};
	gsize n = 0;
	g_array_append_val(stack, root);
	g_string_append(out, "{\"states\":[");
	while (stack->len > 0) {
		Place place = g_array_index(stack, Place, stack->len - 1);
		g_array_set_size(stack, stack->len - 1);
		if (n++ < limit)
			append_state(out, lexeme, &place, stack);
		g_free(place.prefix);
	}
	g_string_truncate(out, out->len - 1);
	g_string_append_printf(out, "],\"n\":%" G_GSIZE_FORMAT "}", n);
}

/* One way to an end; after `n_free` bytes only by bytes that come nearer to it. */
static void walk(GString *text, const WeftLexeme *lexeme, GRand *rand, guint n_free)
{
	WeftLexemeState state = weft_lexeme_begin(lexeme);
	for (;;) {
		guint8 bytes[256];
		guint n = 0;
		guint32 close = weft_lexeme_close(lexeme, state);
		gboolean is_near = FALSE, accepts = weft_lexeme_accepts(lexeme, state);
		g_assert_cmpuint(close == 0, ==, accepts);
		if (accepts && (text->len >= n_free || g_rand_int_range(rand, 0, 8) == 0))
			return;
		for (int byte = 0; byte < 256; byte++) {
			WeftLexemeState next = weft_lexeme_step(lexeme, state, (guint8)byte);
			if (next.id == WEFT_LEXEME_DEAD)
				continue;
			guint32 left = weft_lexeme_close(lexeme, next);
			g_assert_cmpuint(left + 1, >=, close);
			is_near = is_near || left + 1 == close;
			if (text->len < n_free || left + 1 == close)
				bytes[n++] = (guint8)byte;
		}
		g_assert_true(is_near || accepts);
		if (n == 0)
			return;
		int forced = weft_lexeme_forced(lexeme, state);
		g_assert_true(forced < 0 || (n == 1 && forced == bytes[0]));
		guint8 byte = bytes[g_rand_int_range(rand, 0, (gint32)n)];
		g_string_append_c(text, (char)byte);
		state = weft_lexeme_step(lexeme, state, byte);
	}
}

static void answer_walks(GString *out, const WeftLexeme *lexeme, const json_t *question)
{
	json_int_t n = json_integer_value(json_object_get(question, "n"));
	GRand *rand = g_rand_new_with_seed(
		(guint32)json_integer_value(json_object_get(question, "seed")));
	g_string_append(out, "{\"texts\":[");
	for (json_int_t i = 0; i < n; i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		walk(text, lexeme, rand, (guint)g_rand_int_range(rand, 0, 60));
		g_string_append(out, i > 0 ? ",\"" : "\"");
		append_hex(out, text->str, text->len);
		g_string_append_c(out, '"');
	}
	g_string_append(out, "]}");
	g_rand_free(rand);
}

static void answer_has(GString *out, const WeftLexeme *lexeme, const json_t *texts)
{
	g_string_append(out, "{\"has\":[");
	for (gsize i = 0; i < json_array_size(texts); i++) {
		const json_t *text = json_array_get(texts, i);
		g_string_append_printf(out, i > 0 ? ",%d" : "%d",
				       weft_lexeme_contains(lexeme, json_string_value(text),
							    json_string_length(text)));
	}
	g_string_append(out, "]}");
}

static void answer(GString *out, const json_t *question)
{
	g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftLexeme) lexeme = lexeme_of(maker, question, &error);
	const char *ask = json_string_value(json_object_get(question, "ask"));
	if (!lexeme) {
		json_t *message = json_pack("{s:s}", "error", error->message);
		char *text = json_dumps(message, JSON_COMPACT);
		g_string_append(out, text);
		free(text);
		json_decref(message);
	} else if (g_str_equal(ask, "has")) {
		answer_has(out, lexeme, json_object_get(question, "texts"));
	} else if (weft_lexeme_is_empty(lexeme)) {
		g_string_append(out, "{\"empty\":true}");
	} else if (g_str_equal(ask, "tree")) {
		answer_tree(out, lexeme,
			    (gsize)json_integer_value(json_object_get(question, "limit")));
	} else {
		answer_walks(out, lexeme, question);
	}
}

int main(void)
{
	g_autofree char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, stdin) > 0) {
		json_error_t error;
		json_t *question = json_loads(line, JSON_ALLOW_NUL, &error);
		g_assert_nonnull(question);
		g_autoptr(GString) out = g_string_new(NULL);
		answer(out, question);
		json_decref(question);
		puts(out->str);
		fflush(stdout);
	}
	return 0;
}
