#include "schema/verbatim.h"

#include <stdlib.h>
#include <string.h>

#include "schema/spans.h"

/* A suffix and its first bytes, which decide most comparisons without a look at the text. */
typedef struct Suffix {
	guint64 head; /* big-endian */
	guint32 place; /* in WeftIndexed.starts before sorting */
} Suffix;

struct WeftVerbatim {
	WeftIndexed indexed; /* of the text itself */
	GPtrArray *spans;    /* WeftSpans */
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

static int compare(const void *a, const void *b, void *data)
{
	const Suffix *x = a, *y = b;
	const WeftIndexed *indexed = data;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	/* Behind a bar the order means nothing, because nobody goes on there; it is the same each time. */
	int order = memcmp(indexed->text + indexed->starts[x->place].offset,
			   indexed->text + indexed->starts[y->place].offset,
			   WEFT_VERBATIM_SORTED_BYTES);
	return order ? order : (x->place > y->place) - (x->place < y->place);
}

static void sort(WeftIndexed *indexed)
{
	g_autofree Suffix *suffixes = g_new(Suffix, indexed->n);
	WeftStart *sorted = g_new(WeftStart, indexed->n);

	for (guint32 i = 0; i < indexed->n; i++) {
		const guint8 *p = indexed->text + indexed->starts[i].offset;
		suffixes[i].place = i;
		memcpy(&suffixes[i].head, p, sizeof suffixes[i].head);
		suffixes[i].head = GUINT64_FROM_BE(suffixes[i].head);
	}
	if (indexed->n > 0)
		qsort_r(suffixes, indexed->n, sizeof *suffixes, compare, indexed);
	for (guint32 i = 0; i < indexed->n; i++)
		sorted[i] = indexed->starts[suffixes[i].place];
	g_free(indexed->starts);
	indexed->starts = sorted;
}

WeftVerbatim *weft_verbatim_new(const WeftRunningText *text)
{
	WeftVerbatim *verbatim = g_new0(WeftVerbatim, 1);

	verbatim->indexed.ends = g_array_new(FALSE, FALSE, sizeof(WeftStart));
	verbatim->spans = g_ptr_array_new_with_free_func((GDestroyNotify)weft_spans_free);
	spell(&verbatim->indexed, text);
	sort(&verbatim->indexed);
	return verbatim;
}

void weft_verbatim_free(WeftVerbatim *verbatim)
{
	if (!verbatim)
		return;
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
		if (is_same(&spans->rule, rule))
			return spans;
	}
	g_ptr_array_add(verbatim->spans, weft_spans_new(&verbatim->indexed, rule));
	return verbatim->spans->pdata[verbatim->spans->len - 1];
}
