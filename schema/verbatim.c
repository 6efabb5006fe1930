#include "schema/verbatim.h"

#include <string.h>

#include "base/usage.h"
#include "schema/spans.h"

struct WeftVerbatim {
	const WeftRunningText *text;
	WeftIndexed indexed; /* of the text itself */
	GPtrArray *spans;    /* WeftSpans */
	GPtrArray *meanings[WEFT_VERBATIM_KINDS]; /* of char *: all values; NULL: not asked for yet */
};

/* The text as JSON spells it, marks at each byte, and starts and ends in order. */
static void spell(WeftIndexed *indexed, const WeftRunningText *text)
{
	gsize size;
	const char *bytes = weft_running_text_bytes(text, &size);
	g_autoptr(GString) spelled = g_string_sized_new(size + WEFT_VERBATIM_SORTED_BYTES + 1);
	g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(WeftStart));
	guint32 n_chars = 0, n_bars = 0;

	for (gsize i = 0; i <= size; i++) {
		guint marks = weft_running_text_marks(text, i);
		WeftStart start = { (guint32)spelled->len, n_chars, n_bars };

		if (marks & WEFT_TEXT_BEGINS)
			g_array_append_val(starts, start);
		if (marks & WEFT_TEXT_ENDS)
			g_array_append_val(indexed->ends, start);
		if (i == size)
			break;
		n_bars += bytes[i] == '\0';
		n_chars += ((guint8)bytes[i] & 0xc0) != 0x80;
		if (bytes[i] == '"' || bytes[i] == '\\')
			g_string_append_c(spelled, '\\');
		g_string_append_c(spelled, bytes[i]);
	}
	indexed->size_bytes = spelled->len;
	for (gsize i = 0; i <= WEFT_VERBATIM_SORTED_BYTES; i++)
		g_string_append_c(spelled, '\0');
	indexed->text = (guint8 *)g_string_free(g_steal_pointer(&spelled), FALSE);
	indexed->n = starts->len;
	indexed->starts = (WeftStart *)g_array_free(g_steal_pointer(&starts), FALSE);
}

WeftVerbatim *weft_verbatim_new(const WeftRunningText *text)
{
	WeftVerbatim *verbatim = g_new0(WeftVerbatim, 1);

	verbatim->text = text;
	verbatim->indexed.ends = g_array_new(FALSE, FALSE, sizeof(WeftStart));
	verbatim->spans = g_ptr_array_new_with_free_func((GDestroyNotify)weft_spans_free);
	spell(&verbatim->indexed, text);
	weft_indexed_sort(&verbatim->indexed);
	return verbatim;
}

void weft_verbatim_free(WeftVerbatim *verbatim)
{
	if (!verbatim)
		return;
	for (int kind = 0; kind < WEFT_VERBATIM_KINDS; kind++)
		g_clear_pointer(&verbatim->meanings[kind], g_ptr_array_unref);
	g_ptr_array_unref(verbatim->spans);
	weft_indexed_done(&verbatim->indexed);
	g_free(verbatim);
}

static gboolean is_same(const WeftSpansRule *a, const WeftSpansRule *b)
{
	return a->n_chars_min == b->n_chars_min && a->n_chars_max == b->n_chars_max &&
	       a->lexeme == b->lexeme && a->allows_empty == b->allows_empty;
}

const WeftSpans *weft_verbatim_spans(WeftVerbatim *verbatim, const WeftSpansRule *rule)
{
	for (guint i = 0; i < verbatim->spans->len; i++) {
		const WeftSpans *spans = verbatim->spans->pdata[i];
		if (!spans->of && is_same(&spans->rule, rule))
			return spans;
	}
	g_ptr_array_add(verbatim->spans, weft_spans_new(&verbatim->indexed, rule));
	return verbatim->spans->pdata[verbatim->spans->len - 1];
}

/* ---- what it means ---- */

static void add_readings(GHashTable *found, const WeftReadings *readings)
{
	for (guint i = 0; i < readings->n; i++)
		if (!g_hash_table_contains(found, readings->values[i]))
			g_hash_table_add(found, g_strdup(readings->values[i]));
}

static void find_numbers(GHashTable *found, const char *text, gsize size_bytes)
{
	WeftAmounts amounts = { .text = text, .size_bytes = size_bytes };
	WeftAmount amount;

	while (weft_amount_next(&amounts, &amount)) {
		WeftReadings readings = weft_usage_read_amount(&(WeftUsage){ 0 }, &amount);
		add_readings(found, &readings);
	}
}

static void find_days(GHashTable *found, const char *text, gsize size_bytes)
{
	WeftDay day;

	for (gsize at = 0; weft_day_next(text, size_bytes, &at, &day);) {
		WeftReadings readings = weft_usage_read_day(&(WeftUsage){ 0 }, &day);
		add_readings(found, &readings);
	}
}

static const GPtrArray *meanings_of(WeftVerbatim *verbatim, WeftVerbatimKind kind)
{
	g_autoptr(GHashTable) found = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	gpointer value;
	gsize size;
	const char *bytes = weft_running_text_bytes(verbatim->text, &size);

	if (verbatim->meanings[kind])
		return verbatim->meanings[kind];
	if (kind == WEFT_VERBATIM_NUMBERS)
		find_numbers(found, bytes, size);
	else
		find_days(found, bytes, size);
	verbatim->meanings[kind] = g_ptr_array_new_with_free_func(g_free);
	g_hash_table_iter_init(&iter, found);
	while (g_hash_table_iter_next(&iter, &value, NULL))
		g_ptr_array_add(verbatim->meanings[kind], value);
	return verbatim->meanings[kind];
}

const WeftSpans *weft_verbatim_values(WeftVerbatim *verbatim, WeftVerbatimKind kind,
				      WeftVerbatimFits fits, const void *of)
{
	g_autoptr(GPtrArray) values = g_ptr_array_new();
	const GPtrArray *meanings = meanings_of(verbatim, kind);

	for (guint i = 0; i < verbatim->spans->len; i++)
		if (((const WeftSpans *)verbatim->spans->pdata[i])->of == of)
			return verbatim->spans->pdata[i];
	for (guint i = 0; i < meanings->len; i++)
		if (fits(meanings->pdata[i], strlen(meanings->pdata[i]), of))
			g_ptr_array_add(values, meanings->pdata[i]);
	g_ptr_array_add(verbatim->spans, weft_spans_of_list(values, of));
	return verbatim->spans->pdata[verbatim->spans->len - 1];
}
