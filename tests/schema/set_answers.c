/* Answers questions about lexemes and sets of numbers, one JSON object a line, for set_brute.py.
 *
 *     {"patterns": [..], "not": [..], "formats": [..], "min": 0, "max": 5}
 *     {"numbers": [["minimum", "0.5"], ["multipleOf", "0.1"], ..], "integer": false}
 *
 * is answered by {"error": ".."} or {"empty": true} or by what "ask" says:
 *     "tree"   {"states": [[prefix, allowed bytes, accepts, close, forced], ..], "n": ..}: every prefix
 *              that allowed bytes lead to, prefixes and bytes in hexadecimal; at most "limit"
 *     "walk"   {"texts": [..]}: "n" random walks to an end, in hexadecimal, which begins after at most
 *              "free" bytes; every step is checked against close
 *     "has"    {"has": [..]}: whether each of "texts" is in the set
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "schema/lexeme.h"
#include "schema/number.h"

/* One of both; what a walk needs is the same. */
typedef struct Set {
	WeftLexeme *lexeme;
	WeftNumbers *numbers;
} Set;

typedef struct State {
	WeftLexemeState lexeme;
	WeftNumberState number;
} State;

static State begin(const Set *set)
{
	State state = {0};
	if (set->lexeme)
		state.lexeme = weft_lexeme_begin(set->lexeme);
	return state;
}

static gboolean step(const Set *set, State *state, guint8 byte)
{
	if (set->numbers)
		return weft_numbers_step(set->numbers, &state->number, byte);
	state->lexeme = weft_lexeme_step(set->lexeme, state->lexeme, byte);
	return state->lexeme.id != WEFT_LEXEME_DEAD;
}

static gboolean accepts(const Set *set, const State *state)
{
	return set->numbers ? weft_numbers_accepts(set->numbers, &state->number)
			    : weft_lexeme_accepts(set->lexeme, state->lexeme);
}

static guint32 close_bytes(const Set *set, const State *state)
{
	return set->numbers ? weft_numbers_close(set->numbers, &state->number)
			    : weft_lexeme_close(set->lexeme, state->lexeme);
}

static int forced(const Set *set, const State *state)
{
	return set->numbers ? weft_numbers_forced(set->numbers, &state->number)
			    : weft_lexeme_forced(set->lexeme, state->lexeme);
}

static gboolean is_empty(const Set *set)
{
	return set->numbers ? weft_numbers_is_empty(set->numbers)
			    : weft_lexeme_is_empty(set->lexeme);
}

/* States with one key are alike: so many further bytes of all states must be, too. */
static guint64 key_of(const Set *set, const State *state)
{
	return set->numbers ? weft_numbers_key(set->numbers, &state->number, 2)
			    : weft_lexeme_key(set->lexeme, state->lexeme, 2);
}

static gboolean is_alike(const Set *set, State a, State b, guint n_bytes)
{
	if (accepts(set, &a) != accepts(set, &b))
		return FALSE;
	for (int byte = 0; byte < 256 && n_bytes > 0; byte++) {
		State c = a, d = b;
		gboolean is_allowed = step(set, &c, (guint8)byte);
		if (is_allowed != step(set, &d, (guint8)byte) ||
		    (is_allowed && !is_alike(set, c, d, n_bytes - 1)))
			return FALSE;
	}
	return TRUE;
}

static WeftNumbers *numbers_of(const json_t *question, GError **error)
{
	g_autoptr(WeftNumbers) numbers =
		weft_numbers_new(json_is_true(json_object_get(question, "integer")));
	json_t *list = json_object_get(question, "numbers");
	for (gsize i = 0; i < json_array_size(list); i++) {
		json_t *pair = json_array_get(list, i);
		const char *keyword = json_string_value(json_array_get(pair, 0));
		const char *text = json_string_value(json_array_get(pair, 1));
		gboolean is_exclusive = g_str_has_prefix(keyword, "exclusive"), is_taken;
		if (g_str_equal(keyword, "multipleOf"))
			is_taken = weft_numbers_multiple_of(numbers, text, error);
		else if (g_str_has_suffix(keyword, "inimum"))
			is_taken = weft_numbers_min(numbers, text, is_exclusive, error);
		else
			is_taken = weft_numbers_max(numbers, text, is_exclusive, error);
		if (!is_taken)
			return NULL;
	}
	return g_steal_pointer(&numbers);
}

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
				.is_loose = k == 1,
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
	State state;
} Place;

/* All that may be asked of one state. */
static void append_state(GString *out, const Set *set, const Place *place, GArray *stack)
{
	g_string_append(out, "[\"");
	append_hex(out, place->prefix, place->n);
	g_string_append(out, "\",\"");
	for (int byte = 255; byte >= 0; byte--) {
		Place below = {NULL, place->n + 1, place->state};
		char letter = (char)byte;
		if (!step(set, &below.state, (guint8)byte))
			continue;
		append_hex(out, &letter, 1);
		below.prefix = g_malloc(place->n + 1);
		memcpy(below.prefix, place->prefix, place->n);
		below.prefix[place->n] = letter;
		g_array_append_val(stack, below);
	}
	g_string_append_printf(out, "\",%d,%u,%d],", accepts(set, &place->state),
			       close_bytes(set, &place->state), forced(set, &place->state));
}

/* The state is like the first one with its key. */
static void check_key(const Set *set, GHashTable *keys, const State *state)
{
	guint64 key = key_of(set, state);
	const State *first = g_hash_table_lookup(keys, &key);
	if (first)
		g_assert_true(is_alike(set, *first, *state, 2));
	else
		g_hash_table_insert(keys, g_memdup2(&key, sizeof(key)),
				    g_memdup2(state, sizeof(*state)));
}

static void answer_tree(GString *out, const Set *set, gsize limit)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(Place));
	g_autoptr(GHashTable) keys =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	Place root = {g_strdup(""), 0, begin(set)};
	gsize n = 0;
	g_array_append_val(stack, root);
	g_string_append(out, "{\"states\":[");
	while (stack->len > 0) {
		Place place = g_array_index(stack, Place, stack->len - 1);
		g_array_set_size(stack, stack->len - 1);
		if (n++ < limit) {
			append_state(out, set, &place, stack);
			if (n < 2000)
				check_key(set, keys, &place.state);
		}
		g_free(place.prefix);
	}
	g_string_truncate(out, out->len - 1);
	g_string_append_printf(out, "],\"n\":%" G_GSIZE_FORMAT "}", n);
}

/* One way to an end; after `n_free` bytes only by bytes that come nearer to it. */
static void walk(GString *text, const Set *set, GRand *rand, guint n_free)
{
	State state = begin(set);
	for (;;) {
		guint8 bytes[256];
		guint n = 0;
		guint32 close = close_bytes(set, &state);
		gboolean is_near = FALSE, may_end = accepts(set, &state);
		g_assert_cmpint(close == 0, ==, may_end);
		if (may_end && (text->len >= n_free || g_rand_int_range(rand, 0, 8) == 0))
			return;
		for (int byte = 0; byte < 256; byte++) {
			State next = state;
			if (!step(set, &next, (guint8)byte))
				continue;
			guint32 left = close_bytes(set, &next);
			g_assert_cmpuint(left + 1, >=, close);
			is_near = is_near || left + 1 == close;
			if (text->len < n_free || left + 1 == close)
				bytes[n++] = (guint8)byte;
		}
		g_assert_true(is_near || may_end);
		if (n == 0)
			return;
		guint8 byte = bytes[g_rand_int_range(rand, 0, (gint32)n)];
		g_assert_true(forced(set, &state) < 0 || forced(set, &state) == byte);
		g_string_append_c(text, (char)byte);
		g_assert_true(step(set, &state, byte));
	}
}

static void answer_walks(GString *out, const Set *set, const json_t *question)
{
	json_int_t n = json_integer_value(json_object_get(question, "n"));
	json_t *free_bytes = json_object_get(question, "free");
	gint32 n_free = free_bytes ? (gint32)json_integer_value(free_bytes) : 60;
	GRand *rand = g_rand_new_with_seed(
		(guint32)json_integer_value(json_object_get(question, "seed")));
	g_string_append(out, "{\"texts\":[");
	for (json_int_t i = 0; i < n; i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		walk(text, set, rand, (guint)g_rand_int_range(rand, 0, n_free));
		g_string_append(out, i > 0 ? ",\"" : "\"");
		append_hex(out, text->str, text->len);
		g_string_append_c(out, '"');
	}
	g_string_append(out, "]}");
	g_rand_free(rand);
}

/* Whether the bytes of the text, as they are, lead to an end. */
static gboolean takes(const Set *set, const json_t *text)
{
	State state = begin(set);
	if (set->lexeme)
		return weft_lexeme_contains(set->lexeme, json_string_value(text),
					    json_string_length(text));
	for (const char *p = json_string_value(text); *p; p++)
		if (!step(set, &state, (guint8)*p))
			return FALSE;
	return accepts(set, &state);
}

static void answer_has(GString *out, const Set *set, const json_t *texts)
{
	g_string_append(out, "{\"has\":[");
	for (gsize i = 0; i < json_array_size(texts); i++)
		g_string_append_printf(out, i > 0 ? ",%d" : "%d", takes(set, json_array_get(texts, i)));
	g_string_append(out, "]}");
}

static void answer_error(GString *out, const GError *error)
{
	json_t *message = json_pack("{s:s}", "error", error->message);
	char *text = json_dumps(message, JSON_COMPACT);
	g_string_append(out, text);
	free(text);
	json_decref(message);
}

static void answer(GString *out, const json_t *question)
{
	g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftLexeme) lexeme = NULL;
	g_autoptr(WeftNumbers) numbers = NULL;
	const char *ask = json_string_value(json_object_get(question, "ask"));
	if (json_object_get(question, "numbers"))
		numbers = numbers_of(question, &error);
	else
		lexeme = lexeme_of(maker, question, &error);
	Set set = {lexeme, numbers};
	if (error)
		answer_error(out, error);
	else if (g_str_equal(ask, "has"))
		answer_has(out, &set, json_object_get(question, "texts"));
	else if (is_empty(&set))
		g_string_append(out, "{\"empty\":true}");
	else if (g_str_equal(ask, "tree"))
		answer_tree(out, &set,
			    (gsize)json_integer_value(json_object_get(question, "limit")));
	else
		answer_walks(out, &set, question);
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
