#include "schema/spans.h"

#include "schema/lexeme.h"

#define NEAR_BYTES 64

/* ---- which ends there are ---- */

static const WeftStart *end_at(const WeftIndexed *indexed, guint i)
{
	return &g_array_index(indexed->ends, WeftStart, i);
}

/* The first end at or behind this place, ends->len if there is none. Offsets, characters and bars grow
 * together. */
static guint first_end(const WeftIndexed *indexed, guint32 offset, guint64 n_chars)
{
	guint low = 0, high = indexed->ends->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const WeftStart *end = end_at(indexed, middle);
		if (end->offset < offset || end->n_chars < n_chars)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static gboolean is_in_length(const WeftSpansRule *rule, guint32 n_chars)
{
	return n_chars >= rule->n_chars_min && n_chars <= rule->n_chars_max;
}

/* The ends of a suffix in order, as far as rule and bars let it go. */
typedef struct Walk {
	const WeftSpans *spans;
	const WeftStart *start;
	guint next;
	guint32 offset;          /* of the lexeme */
	WeftLexemeState state;
} Walk;

static Walk walk_from(const WeftSpans *spans, guint32 suffix)
{
	const WeftStart *start = &spans->indexed->starts[suffix];
	Walk walk = { .spans = spans, .start = start, .offset = start->offset };

	walk.next = first_end(spans->indexed, start->offset + 1,
			      (guint64)start->n_chars + spans->rule.n_chars_min);
	if (spans->rule.lexeme)
		walk.state = weft_lexeme_begin(spans->rule.lexeme);
	return walk;
}

static gboolean lexeme_takes(Walk *walk, guint32 end)
{
	const WeftLexeme *lexeme = walk->spans->rule.lexeme;

	for (; walk->offset < end && walk->state.id != WEFT_LEXEME_DEAD; walk->offset++)
		walk->state = weft_lexeme_step(lexeme, walk->state,
					       walk->spans->indexed->text[walk->offset]);
	return walk->state.id != WEFT_LEXEME_DEAD && weft_lexeme_accepts(lexeme, walk->state);
}

/* Bytes from the start to the next end; 0: there is none. */
static guint32 walk_next(Walk *walk)
{
	const WeftIndexed *indexed = walk->spans->indexed;
	const WeftSpansRule *rule = &walk->spans->rule;

	for (; walk->next < indexed->ends->len; walk->next++) {
		const WeftStart *end = end_at(indexed, walk->next);
		guint32 n_bytes = end->offset - walk->start->offset;

		if (end->n_bars > walk->start->n_bars ||
		    end->n_chars - walk->start->n_chars > rule->n_chars_max)
			return 0;
		if (rule->lexeme && n_bytes > WEFT_VERBATIM_LEXEME_BYTES)
			return 0;
		if (!rule->lexeme || lexeme_takes(walk, end->offset)) {
			walk->next++;
			return n_bytes;
		}
		if (walk->state.id == WEFT_LEXEME_DEAD)
			return 0;
	}
	return 0;
}

/* The last end of all, without a walk over them: the one in front of a bar or of what is too long. */
static guint32 last_end(const WeftSpans *spans, guint32 suffix)
{
	const WeftIndexed *indexed = spans->indexed;
	const WeftStart *start = &indexed->starts[suffix];
	guint low = first_end(indexed, start->offset + 1,
			      (guint64)start->n_chars + spans->rule.n_chars_min);
	guint first = low, high = indexed->ends->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const WeftStart *end = end_at(indexed, middle);
		if (end->n_bars > start->n_bars ||
		    end->n_chars - start->n_chars > spans->rule.n_chars_max)
			high = middle;
		else
			low = middle + 1;
	}
	return low > first ? end_at(indexed, low - 1)->offset - start->offset : 0;
}

static void find_ends(WeftSpans *spans, guint32 suffix)
{
	Walk walk = walk_from(spans, suffix);
	guint32 n = spans->indexed->n, n_bytes;
	gboolean is_long = FALSE;

	while (!is_long && (n_bytes = walk_next(&walk)) > 0) {
		spans->far[suffix] = n_bytes;
		if (n_bytes < NEAR_BYTES)
			spans->near[n + suffix] |= (guint64)1 << n_bytes;
		is_long = n_bytes >= NEAR_BYTES && !spans->rule.lexeme;
	}
	if (is_long)
		spans->far[suffix] = last_end(spans, suffix);
}

/* ---- trees: node i has the children 2i and 2i + 1, leaves begin at n ---- */

static guint32 further(const WeftSpans *spans, guint32 a, guint32 b)
{
	if (a == G_MAXUINT32 || b == G_MAXUINT32)
		return MIN(a, b);
	if (spans->far[a] != spans->far[b])
		return spans->far[a] > spans->far[b] ? a : b;
	return MIN(a, b);
}

static guint32 furthest(const WeftSpans *spans, guint32 low, guint32 high)
{
	guint32 found = G_MAXUINT32, n = spans->indexed->n;

	for (low += n, high += n; low < high; low /= 2, high /= 2) {
		if (low & 1)
			found = further(spans, found, spans->furthest[low++]);
		if (high & 1)
			found = further(spans, found, spans->furthest[--high]);
	}
	return found;
}

static guint64 near_ends(const WeftSpans *spans, guint32 low, guint32 high)
{
	guint64 found = 0;
	guint32 n = spans->indexed->n;

	for (low += n, high += n; low < high; low /= 2, high /= 2) {
		if (low & 1)
			found |= spans->near[low++];
		if (high & 1)
			found |= spans->near[--high];
	}
	return found;
}

WeftSpans *weft_spans_new(const WeftIndexed *indexed, const WeftSpansRule *rule)
{
	WeftSpans *spans = g_new0(WeftSpans, 1);
	guint32 n = indexed->n;

	spans->rule = *rule;
	spans->indexed = indexed;
	spans->far = g_new0(guint32, n);
	spans->furthest = g_new0(guint32, 2 * (gsize)n);
	spans->near = g_new0(guint64, 2 * (gsize)n);
	for (guint32 i = 0; i < n; i++) {
		if (!rule->lexeme || !weft_lexeme_is_empty(rule->lexeme))
			find_ends(spans, i);
		spans->furthest[n + i] = i;
	}
	for (guint32 i = n; i-- > 1;) {
		spans->furthest[i] = further(spans, spans->furthest[2 * i], spans->furthest[2 * i + 1]);
		spans->near[i] = spans->near[2 * i] | spans->near[2 * i + 1];
	}
	return spans;
}

void weft_spans_free(WeftSpans *spans)
{
	if (!spans)
		return;
	if (spans->own)
		weft_indexed_done(spans->own);
	g_free(spans->own);
	g_free(spans->far);
	g_free(spans->furthest);
	g_free(spans->near);
	g_free(spans);
}

/* ---- stepping ---- */

static guint8 byte_of(const WeftSpans *spans, guint32 suffix, guint32 n_bytes)
{
	return spans->indexed->text[spans->indexed->starts[suffix].offset + n_bytes];
}

/* The first suffix of [low, high) whose next byte is at least `byte`. */
static guint32 lower(const WeftSpans *spans, guint32 low, guint32 high, guint32 n_bytes, int byte)
{
	while (low < high) {
		guint32 middle = low + (high - low) / 2;
		if (byte_of(spans, middle, n_bytes) < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Some value goes on behind so many bytes, or ends there. */
static gboolean goes_on(const WeftSpans *spans, guint32 low, guint32 high, guint32 n_bytes)
{
	guint32 suffix = furthest(spans, low, high);

	return suffix != G_MAXUINT32 && spans->far[suffix] > 0 && spans->far[suffix] >= n_bytes;
}

static gboolean takes_empty(const WeftSpans *spans)
{
	const WeftSpansRule *rule = &spans->rule;

	return rule->allows_empty && rule->n_chars_min == 0 &&
	       (!rule->lexeme || weft_lexeme_contains(rule->lexeme, "", 0));
}

gboolean weft_spans_begin(const WeftSpans *spans, WeftSpansState *ret_state)
{
	WeftSpansState state = { 0, spans->indexed->n, 0 };

	if (!goes_on(spans, state.low, state.high, 0) && !takes_empty(spans))
		return FALSE;
	*ret_state = state;
	return TRUE;
}

gboolean weft_spans_step(const WeftSpans *spans, WeftSpansState *state, guint8 byte)
{
	WeftSpansState next = { .n_bytes = state->n_bytes + 1 };

	if (byte == 0)
		return FALSE;
	next.low = lower(spans, state->low, state->high, state->n_bytes, byte);
	next.high = lower(spans, next.low, state->high, state->n_bytes, byte + 1);
	if (next.low == next.high || !goes_on(spans, next.low, next.high, next.n_bytes))
		return FALSE;
	if (next.n_bytes >= WEFT_VERBATIM_SORTED_BYTES) {
		next.low = furthest(spans, next.low, next.high);
		next.high = next.low + 1;
	}
	*state = next;
	return TRUE;
}

/* Behind NEAR_BYTES: the value may end behind n_bytes of this suffix. */
static gboolean ends_at(const WeftSpans *spans, guint32 suffix, guint32 n_bytes)
{
	const WeftIndexed *indexed = spans->indexed;
	const WeftStart *start = &indexed->starts[suffix];
	guint i = first_end(indexed, start->offset + n_bytes, 0);

	if (n_bytes > spans->far[suffix] || i == indexed->ends->len ||
	    end_at(indexed, i)->offset != start->offset + n_bytes ||
	    !is_in_length(&spans->rule, end_at(indexed, i)->n_chars - start->n_chars))
		return FALSE;
	Walk walk = walk_from(spans, suffix);
	return !spans->rule.lexeme || lexeme_takes(&walk, start->offset + n_bytes);
}

gboolean weft_spans_accepts(const WeftSpans *spans, const WeftSpansState *state)
{
	if (state->n_bytes == 0)
		return takes_empty(spans);
	if (state->n_bytes < NEAR_BYTES)
		return near_ends(spans, state->low, state->high) >> state->n_bytes & 1;
	for (guint32 i = state->low; i < state->high; i++)
		if (ends_at(spans, i, state->n_bytes))
			return TRUE;
	return FALSE;
}

gsize weft_spans_close_bytes(const WeftSpans *spans, const WeftSpansState *state)
{
	guint32 n_bytes = state->n_bytes, end;

	if (n_bytes == 0 && takes_empty(spans))
		return 0;
	if (n_bytes < NEAR_BYTES) {
		guint64 ends = near_ends(spans, state->low, state->high) >> n_bytes;
		if (ends)
			return (gsize)g_bit_nth_lsf((gulong)ends, -1);
	}
	Walk walk = walk_from(spans, furthest(spans, state->low, state->high));
	guint first = first_end(spans->indexed, walk.start->offset + n_bytes, 0);

	walk.next = MAX(walk.next, first);
	end = walk_next(&walk);
	g_assert(end >= n_bytes); /* it has an end there, or the state would not be */
	return end - n_bytes;
}

int weft_spans_byte_at(const WeftSpans *spans, const WeftSpansState *state, int from)
{
	guint32 low = state->low;

	for (int byte = MAX(from, 1); byte < 256; byte++) {
		low = lower(spans, low, state->high, state->n_bytes, byte);
		if (low == state->high)
			return -1;
		byte = byte_of(spans, low, state->n_bytes);
		guint32 high = lower(spans, low, state->high, state->n_bytes, byte + 1);
		if (goes_on(spans, low, high, state->n_bytes + 1))
			return byte;
	}
	return -1;
}
