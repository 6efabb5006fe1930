#include "schema/lexeme_private.h"

#include <string.h>

#include "schema/format.h"

/* All lexemes of a schema together. A step is a few nanoseconds: all of them take 0.3 s. */
#define FUEL_STEPS 60000000u
#define TABLE_BYTES (32u << 20)
/* ^X{m,n}$ with a longer repetition is ^X*$ with a length: one state instead of n. */
#define REPEAT_STATES_MAX 16u
/* Look-aheads of one pattern that are tried. */
#define LOOKS_MAX 8u

struct WeftLexemeMaker {
	WeftFuel fuel;
	gsize bytes_left;
	WeftCharacters *characters;
	GHashTable *patterns;   /* char *, see pattern_key, to WeftDfa */
};

WeftLexemeMaker *weft_lexeme_maker_new(void)
{
	WeftLexemeMaker *maker = g_new0(WeftLexemeMaker, 1);
	maker->fuel.steps = FUEL_STEPS;
	maker->bytes_left = TABLE_BYTES;
	maker->characters = weft_characters_new();
	maker->patterns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify)weft_dfa_unref);
	return maker;
}

void weft_lexeme_maker_free(WeftLexemeMaker *maker)
{
	if (!maker)
		return;
	weft_characters_free(maker->characters);
	g_hash_table_unref(maker->patterns);
	g_free(maker);
}

/* What is being put together: the parts so far, and the length that is still to hold. */
typedef struct Sum {
	WeftDfa *dfa;           /* NULL: all texts */
	guint32 length_min, length_max;
} Sum;

static gboolean take_part(Sum *sum, WeftDfa *dfa, WeftFuel *fuel, GError **error)
{
	g_autoptr(WeftDfa) part = dfa;
	if (!sum->dfa) {
		sum->dfa = g_steal_pointer(&part);
		return TRUE;
	}
	WeftDfa *both = weft_dfa_intersection(sum->dfa, part, fuel, error);
	if (!both)
		return FALSE;
	weft_dfa_unref(sum->dfa);
	sum->dfa = both;
	return TRUE;
}

/* Texts of characters of one set. */
static WeftDfa *star_of(const GArray *set, WeftFuel *fuel, GError **error)
{
	g_autoptr(WeftDfa) dfa = weft_dfa_alloc(2, 2);
	dfa->start = 1;
	dfa->accepts[1] = 1;
	dfa->next[2 + 1] = 1;
	weft_class_runs_add(dfa->runs, 1, weft_charset_has(set, 1));
	for (guint i = 0; i < set->len; i++) {
		const WeftRange *range = &g_array_index(set, WeftRange, i);
		/* A gap goes with what is before it: see charset.h. */
		WeftRange gap = weft_charset_gap(range->last + 1);
		guint32 after = range->last + 1 == gap.first ? gap.last + 1 : range->last + 1;
		gboolean goes_on = i + 1 < set->len && range[1].first == after;
		weft_class_runs_add(dfa->runs, range->first, 1);
		if (!goes_on && after <= WEFT_CHARSET_LAST)
			weft_class_runs_add(dfa->runs, after, 0);
	}
	return weft_dfa_smallest(dfa, fuel, error);
}

/* The texts in which a node of the pattern is found, or all others. */
static WeftDfa *compile_root(WeftLexemeMaker *maker, const WeftPattern *pattern, guint32 root,
			     gboolean is_loose, gboolean is_not, GError **error)
{
	g_autoptr(WeftNfa) nfa =
		weft_nfa_new(pattern, root, is_loose, maker->characters, &maker->fuel, error);
	if (!nfa)
		return NULL;
	g_autoptr(WeftDfa) dfa = weft_dfa_of_nfa(nfa, &maker->fuel, error);
	if (!dfa || !is_not)
		return g_steal_pointer(&dfa);
	return weft_dfa_complement(dfa, &maker->fuel, error);
}

static WeftDfa *compile(WeftLexemeMaker *maker, const WeftPattern *pattern, gboolean is_loose,
			gboolean is_not, GError **error)
{
	g_autoptr(WeftDfa) dfa =
		compile_root(maker, pattern, pattern->root, is_loose, FALSE, error);
	for (guint i = 0; dfa && i < pattern->looks->len; i++) {
		const WeftPatternLook *look = &g_array_index(pattern->looks, WeftPatternLook, i);
		g_autoptr(WeftDfa) ahead = compile_root(maker, pattern, look->root,
							is_loose != look->is_not, look->is_not, error);
		WeftDfa *both = ahead ? weft_dfa_intersection(dfa, ahead, &maker->fuel, error) : NULL;
		weft_dfa_unref(dfa);
		dfa = both;
	}
	if (!dfa || !is_not)
		return g_steal_pointer(&dfa);
	return weft_dfa_complement(dfa, &maker->fuel, error);
}

/* ---- look-ahead inside a pattern ---- */

/* Behind a sign of a pattern's text, an escape or a class. */
static const char *behind_sign(const char *p)
{
	if (*p == '\\')
		return p + 1 + (p[1] != '\0');
	if (*p != '[')
		return p + 1;
	for (p++; *p && *p != ']'; p++)
		p += *p == '\\' && p[1];
	return p + (*p == ']');
}

/* The parenthesis that closes the group around `p`, with `stops_at_bar` also the bar behind the
 * alternative; or the end. */
static const char *group_end(const char *p, gboolean stops_at_bar)
{
	for (guint depth = 0; *p; p = behind_sign(p)) {
		if (depth == 0 && (*p == ')' || (*p == '|' && stops_at_bar)))
			return p;
		depth += *p == '(';
		depth -= *p == ')';
	}
	return p;
}

/* What the pattern asks of the text behind `p`; NULL: a repetition may lead back. */
static char *rest_of(const char *p)
{
	g_autoptr(GString) rest = g_string_new("^");
	while (TRUE) {
		const char *end = group_end(p, TRUE);
		g_string_append_len(rest, p, end - p);
		end = group_end(end, FALSE);
		if (!*end)
			return g_string_free(g_steal_pointer(&rest), FALSE);
		p = end + 1;
		if (*p && strchr("*+?{", *p))
			return NULL;
	}
}

/* Whether each text in which `rest` stands at the beginning also begins with one of `look`. Read alone,
 * neither may ask what is in front of it. */
static gboolean is_implied(WeftLexemeMaker *maker, const char *rest, const char *look)
{
	guint32 *shortest = NULL, *longest = NULL;
	if (strchr(rest + 1, '^') || strchr(look + 1, '^') || strstr(rest, "\\b") || strstr(rest, "\\B") ||
	    strstr(look, "\\b") || strstr(look, "\\B"))
		return FALSE;
	g_autoptr(WeftPattern) a = weft_pattern_new(rest, FALSE, maker->characters, NULL);
	g_autoptr(WeftPattern) b = a ? weft_pattern_new(look, FALSE, maker->characters, NULL) : NULL;
	g_autoptr(WeftDfa) has = b ? compile(maker, a, FALSE, FALSE, NULL) : NULL;
	g_autoptr(WeftDfa) lacks = has ? compile(maker, b, FALSE, TRUE, NULL) : NULL;
	g_autoptr(WeftDfa) both =
		lacks ? weft_dfa_intersection(has, lacks, &maker->fuel, NULL) : NULL;
	gboolean is_empty = both && weft_dfa_lengths(both, &shortest, &longest, &maker->fuel, NULL) &&
			    shortest[both->start] == G_MAXUINT32;
	g_free(shortest);
	g_free(longest);
	return is_empty;
}

/* The first look-ahead that is none of those behind a leading ^, which the reader of patterns takes. */
static const char *find_look(const char *text)
{
	const char *p = text + (text[0] == '^');
	while (p > text && (g_str_has_prefix(p, "(?=") || g_str_has_prefix(p, "(?!"))) {
		p = group_end(p + 3, FALSE);
		p += *p == ')';
	}
	while (*p && !g_str_has_prefix(p, "(?="))
		p = behind_sign(p);
	return *p ? p : NULL;
}

/* The pattern without look-aheads that say no more than what stands behind them. What is left of others,
 * the reader refuses. Caller frees. */
static char *without_implied(WeftLexemeMaker *maker, const char *text)
{
	GString *left = g_string_new(text);
	for (guint n = 0; n < LOOKS_MAX && left->len <= WEFT_PATTERN_BYTES_MAX; n++) {
		const char *look = find_look(left->str);
		const char *end = look ? group_end(look + 3, FALSE) : "";
		if (*end != ')')
			break;
		g_autofree char *rest = rest_of(end + 1);
		g_autofree char *body = g_strndup(look + 3, (gsize)(end - look - 3));
		g_autofree char *begins = g_strdup_printf("^(?:%s)", body);
		if (!rest || !is_implied(maker, rest, begins))
			break;
		g_string_erase(left, look - left->str, end + 1 - look);
	}
	return g_string_free(left, FALSE);
}

static gboolean add_pattern(WeftLexemeMaker *maker, Sum *sum, const char *said, gboolean is_loose,
			    gboolean is_not, GError **error)
{
	g_autofree char *key = g_strdup_printf("%d%d%s", is_loose, is_not, said);
	WeftDfa *known = g_hash_table_lookup(maker->patterns, key);
	if (known)
		return take_part(sum, weft_dfa_ref(known), &maker->fuel, error);
	g_autofree char *text = without_implied(maker, said);
	g_autoptr(WeftPattern) pattern =
		weft_pattern_new(text, is_loose, maker->characters, error);
	if (!pattern)
		return FALSE;
	guint32 repeat = is_not ? 0 : weft_pattern_single_repeat(pattern);
	const WeftPatternNode *node = weft_pattern_node(pattern, repeat);
	guint32 n_most = node->n_max == WEFT_PATTERN_UNLIMITED ? node->n_min : node->n_max;
	if (repeat != 0 && n_most > REPEAT_STATES_MAX) {
		const WeftPatternNode *child = weft_pattern_node(pattern, node->child);
		WeftDfa *star = star_of(g_ptr_array_index(pattern->sets, child->set), &maker->fuel, error);
		sum->length_min = MAX(sum->length_min, node->n_min);
		sum->length_max = MIN(sum->length_max, node->n_max);
		return star && take_part(sum, star, &maker->fuel, error);
	}
	WeftDfa *dfa = compile(maker, pattern, is_loose, is_not, error);
	if (!dfa)
		return FALSE;
	g_hash_table_insert(maker->patterns, g_steal_pointer(&key), weft_dfa_ref(dfa));
	return take_part(sum, dfa, &maker->fuel, error);
}

static gboolean add_format(WeftLexemeMaker *maker, Sum *sum, const WeftLexemePart *part, GError **error)
{
	const WeftFormat *format = weft_format_find(part->text);
	if (!format) {
		g_autofree char *known = g_strjoinv(", ", (char **)weft_format_names());
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "\"%s\" is not a format that can be guaranteed; these can: %s", part->text,
			    known);
		return FALSE;
	}
	if (part->is_not || part->is_loose) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "what is outside of format \"%s\" can't be guaranteed; write a pattern",
			    part->text);
		return FALSE;
	}
	sum->length_max = MIN(sum->length_max, format->length_max);
	for (gsize i = 0; i < G_N_ELEMENTS(format->patterns) && format->patterns[i]; i++)
		if (!add_pattern(maker, sum, format->patterns[i], FALSE, FALSE, error))
			return FALSE;
	return TRUE;
}

static gboolean add_parts(WeftLexemeMaker *maker, const WeftLexemeSpec *spec, Sum *sum, GError **error)
{
	if (spec->n_parts > WEFT_LEXEME_PARTS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "%" G_GSIZE_FORMAT " patterns and formats for one string, limit %u",
			    spec->n_parts, WEFT_LEXEME_PARTS_MAX);
		return FALSE;
	}
	for (gsize i = 0; i < spec->n_parts; i++) {
		const WeftLexemePart *part = &spec->parts[i];
		gboolean is_added =
			part->kind == WEFT_LEXEME_FORMAT
				? add_format(maker, sum, part, error)
				: add_pattern(maker, sum, part->text, part->is_loose, part->is_not, error);
		if (!is_added)
			return FALSE;
	}
	if (!sum->dfa)
		sum->dfa = weft_dfa_of_length(0, G_MAXUINT32, &maker->fuel, error);
	return sum->dfa != NULL;
}

/* Takes out bounds that hold anyway; multiplies them in where counters beside the states would not
 * be enough: between n_min and n_max there has to be room for a round through all states, else a
 * string that is long enough may not have an end that is short enough. */
static gboolean settle_lengths(WeftLexemeMaker *maker, Sum *sum, GError **error)
{
	g_autofree guint32 *shortest = NULL;
	g_autofree guint32 *longest = NULL;
	if (!weft_dfa_lengths(sum->dfa, &shortest, &longest, &maker->fuel, error))
		return FALSE;
	guint32 start = sum->dfa->start;
	if (sum->length_min <= shortest[start])
		sum->length_min = 0;
	if (longest[start] <= sum->length_max)
		sum->length_max = WEFT_LEXEME_UNLIMITED;
	gboolean is_open = sum->length_min == 0 || sum->length_max == WEFT_LEXEME_UNLIMITED;
	if (start == 0 || is_open || sum->length_max < sum->length_min ||
	    sum->length_max - sum->length_min >= sum->dfa->n_states - 1)
		return TRUE;
	WeftDfa *length =
		weft_dfa_of_length(sum->length_min, sum->length_max, &maker->fuel, error);
	if (!length || !take_part(sum, length, &maker->fuel, error))
		return FALSE;
	sum->length_min = 0;
	sum->length_max = WEFT_LEXEME_UNLIMITED;
	return TRUE;
}

static guint bits_for(guint32 n)
{
	guint bits = 0;
	while (n > 1u << bits)
		bits++;
	return bits;
}

/* Whether a string may have read `n` characters when it comes to the state. */
static inline gboolean is_open(const WeftLexeme *lexeme, guint32 state, guint32 n)
{
	if (state == 0)
		return FALSE;
	if (lexeme->length_max != WEFT_LEXEME_UNLIMITED &&
	    (guint64)n + lexeme->shortest[state] > lexeme->length_max)
		return FALSE;
	return n >= lexeme->length_min || lexeme->longest[state] == WEFT_LEXEME_UNLIMITED ||
	       n + lexeme->longest[state] >= lexeme->length_min;
}

static gboolean charge_tables(WeftLexemeMaker *maker, const WeftDfa *dfa, const WeftSpelling *spelling,
			      GError **error)
{
	gsize n_bytes = (gsize)dfa->n_states * dfa->n_classes * sizeof(guint32) +
			weft_spelling_bytes(spelling) + dfa->n_states * 6 * sizeof(guint32);
	if (n_bytes <= maker->bytes_left) {
		maker->bytes_left -= n_bytes;
		return TRUE;
	}
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		    "the schema's patterns take more than %u bytes of tables", TABLE_BYTES);
	return FALSE;
}

WeftLexeme *weft_lexeme_new(WeftLexemeMaker *maker, const WeftLexemeSpec *spec, GError **error)
{
	Sum sum = {.length_min = spec->length_min, .length_max = spec->length_max};
	g_autoptr(WeftLexeme) lexeme = g_new0(WeftLexeme, 1);
	gboolean is_settled =
		add_parts(maker, spec, &sum, error) && settle_lengths(maker, &sum, error);
	lexeme->dfa = sum.dfa;
	if (!is_settled)
		return NULL;
	lexeme->length_min = sum.length_min;
	lexeme->length_max = sum.length_max;
	lexeme->is_empty = sum.dfa->start == 0 || sum.length_min > sum.length_max;
	if (lexeme->is_empty)
		return g_steal_pointer(&lexeme);
	lexeme->spelling = weft_spelling_new(sum.dfa, &maker->fuel, error);
	if (!lexeme->spelling || !charge_tables(maker, sum.dfa, lexeme->spelling, error) ||
	    !weft_lexeme_measure(lexeme, &maker->fuel, &maker->bytes_left, error))
		return NULL;
	lexeme->node_bits = bits_for(lexeme->spelling->n_nodes);
	lexeme->is_empty = !is_open(lexeme, sum.dfa->start, 0);
	return g_steal_pointer(&lexeme);
}

void weft_lexeme_free(WeftLexeme *lexeme)
{
	if (!lexeme)
		return;
	weft_dfa_unref(lexeme->dfa);
	weft_spelling_free(lexeme->spelling);
	g_free(lexeme->shortest);
	g_free(lexeme->longest);
	g_clear_pointer(&lexeme->ways, g_array_unref);
	g_free(lexeme->way_firsts);
	g_free(lexeme->least);
	g_free(lexeme);
}

gboolean weft_lexeme_is_empty(const WeftLexeme *lexeme)
{
	return lexeme->is_empty;
}

gboolean weft_lexeme_contains(const WeftLexeme *lexeme, const char *text, gsize size_bytes)
{
	const WeftDfa *dfa = lexeme->dfa;
	guint32 state = dfa->start, n = 0;
	for (const char *p = text; p < text + size_bytes; p = g_utf8_next_char(p), n++) {
		guint32 character = g_utf8_get_char(p);
		if (character == 0 || n == lexeme->length_max)
			return FALSE;
		state = dfa->next[(gsize)state * dfa->n_classes + weft_dfa_class(dfa, character)];
	}
	return dfa->accepts[state] && n >= lexeme->length_min;
}

WeftLexemeState weft_lexeme_begin(const WeftLexeme *lexeme)
{
	return (WeftLexemeState){.id = lexeme->dfa->start << lexeme->node_bits};
}

/* The count after one more character. */
static inline guint32 count(const WeftLexeme *lexeme, guint32 n)
{
	if (lexeme->length_max != WEFT_LEXEME_UNLIMITED)
		return n + 1;
	return n < lexeme->length_min ? n + 1 : n;
}

static inline const guint32 *row_of(const WeftLexeme *lexeme, guint32 id)
{
	return lexeme->dfa->next + (gsize)(id >> lexeme->node_bits) * lexeme->dfa->n_classes;
}

static inline const WeftSpellingNode *node_of(const WeftLexeme *lexeme, guint32 id)
{
	return &lexeme->spelling->nodes[id & ((1u << lexeme->node_bits) - 1)];
}

WeftLexemeState weft_lexeme_step(const WeftLexeme *lexeme, WeftLexemeState state, guint8 byte)
{
	static const WeftLexemeState dead = {.id = WEFT_LEXEME_DEAD};
	const guint32 *row = row_of(lexeme, state.id);
	guint32 way = weft_spelling_way(lexeme->spelling, node_of(lexeme, state.id), byte);
	guint32 n = count(lexeme, state.n);
	if (way == 0)
		return dead;
	if (way & WEFT_SPELLING_CLASS) {
		guint32 next = row[way & ~WEFT_SPELLING_CLASS];
		if (!is_open(lexeme, next, n))
			return dead;
		return (WeftLexemeState){next << lexeme->node_bits, n};
	}
	/* In the middle of a character: one of those that begin so has to fit. */
	const WeftSpellingNode *node = &lexeme->spelling->nodes[way];
	const WeftSpellingLeaf *leaves = &lexeme->spelling->leaves[node->leaf];
	for (guint i = 0; i < node->n_leaves; i++)
		if (is_open(lexeme, row[leaves[i].class_id], n))
			return (WeftLexemeState){
				(state.id >> lexeme->node_bits) << lexeme->node_bits | way, state.n};
	return dead;
}

static gboolean is_between(const WeftLexeme *lexeme, WeftLexemeState state)
{
	return (state.id & ((1u << lexeme->node_bits) - 1)) == 0;
}

int weft_lexeme_last(const WeftLexeme *lexeme, WeftLexemeState state)
{
	const WeftSpellingNode *node = node_of(lexeme, state.id);
	if (is_between(lexeme, state) && (lexeme->longest[state.id >> lexeme->node_bits] == 0 ||
					  state.n == lexeme->length_max))
		return -1;
	return node->first + node->n_ways - 1;
}

gboolean weft_lexeme_accepts(const WeftLexeme *lexeme, WeftLexemeState state)
{
	return is_between(lexeme, state) &&
	       lexeme->dfa->accepts[state.id >> lexeme->node_bits] &&
	       state.n >= lexeme->length_min;
}

/* The fewest bytes to the end from a state of the automaton that is open. */
static guint32 close_state(const WeftLexeme *lexeme, guint32 state, guint32 n)
{
	guint32 n_left = G_MAXUINT32, first = lexeme->way_firsts[state];
	guint32 end = lexeme->way_firsts[state + 1];
	if (n < lexeme->length_min)
		return lexeme->least[(gsize)(lexeme->length_min - n - 1) * lexeme->dfa->n_states +
				     state];
	if (lexeme->length_max != WEFT_LEXEME_UNLIMITED)
		n_left = lexeme->length_max - n;
	while (end - first > 1 && g_array_index(lexeme->ways, WeftWay, end - 1).n > n_left)
		end--;
	return g_array_index(lexeme->ways, WeftWay, end - 1).n_bytes;
}

guint32 weft_lexeme_close(const WeftLexeme *lexeme, WeftLexemeState state)
{
	guint32 best = WEFT_LEXEME_NEVER, n = count(lexeme, state.n);
	if (lexeme->is_empty)
		return WEFT_LEXEME_NEVER;
	if (is_between(lexeme, state))
		return close_state(lexeme, state.id >> lexeme->node_bits, state.n);
	const guint32 *row = row_of(lexeme, state.id);
	const WeftSpellingNode *node = node_of(lexeme, state.id);
	const WeftSpellingLeaf *leaves = &lexeme->spelling->leaves[node->leaf];
	for (guint i = 0; i < node->n_leaves; i++) {
		guint32 next = row[leaves[i].class_id];
		if (is_open(lexeme, next, n))
			best = MIN(best, leaves[i].n_bytes + close_state(lexeme, next, n));
	}
	return best;
}

int weft_lexeme_forced(const WeftLexeme *lexeme, WeftLexemeState state)
{
	const WeftSpellingNode *node = node_of(lexeme, state.id);
	int forced = -1;
	if (weft_lexeme_accepts(lexeme, state))
		return -1;
	for (guint i = 0; i < node->n_ways; i++) {
		guint8 byte = (guint8)(node->first + i);
		if (weft_lexeme_step(lexeme, state, byte).id == WEFT_LEXEME_DEAD)
			continue;
		if (forced >= 0)
			return -1;
		forced = byte;
	}
	return forced;
}

/* Beyond what `reach` characters and the longest way to an end can tell, counts are alike. */
guint64 weft_lexeme_key(const WeftLexeme *lexeme, WeftLexemeState state, guint32 reach)
{
	guint64 to_min = 0, to_max = 0;
	reach = MIN(reach, 50000);
	if (state.n < lexeme->length_min)
		to_min = MIN(lexeme->length_min - state.n,
			     (guint64)reach + lexeme->longest_most + 2);
	if (lexeme->length_max != WEFT_LEXEME_UNLIMITED)
		to_max = MIN(lexeme->length_max - state.n,
			     (guint64)reach + lexeme->shortest_most + 2);
	return (guint64)state.id << 32 | to_min << 16 | to_max;
}

gboolean weft_lexeme_is_free(const WeftLexeme *lexeme, WeftLexemeState state, guint32 *ret_min,
			     guint32 *ret_max)
{
	guint32 at = state.id >> lexeme->node_bits;
	if (!is_between(lexeme, state) || !lexeme->dfa->accepts[at])
		return FALSE;
	for (guint32 c = 0; c < lexeme->dfa->n_classes; c++)
		if (lexeme->dfa->next[(gsize)at * lexeme->dfa->n_classes + c] != at)
			return FALSE;
	*ret_min = lexeme->length_min > state.n ? lexeme->length_min - state.n : 0;
	*ret_max = lexeme->length_max == WEFT_LEXEME_UNLIMITED ? WEFT_LEXEME_UNLIMITED
							       : lexeme->length_max - state.n;
	return TRUE;
}
