#include <stdlib.h>
#include <string.h>

#include "schema/spans.h"

/* A suffix and its first bytes, which decide most comparisons without a look at the text. */
typedef struct Suffix {
	guint64 head; /* big-endian */
	guint32 place; /* in WeftIndexed.starts before sorting */
} Suffix;

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

void weft_indexed_sort(WeftIndexed *indexed)
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

void weft_indexed_done(WeftIndexed *indexed)
{
	g_free(indexed->text);
	g_free(indexed->starts);
	g_clear_pointer(&indexed->ends, g_array_unref);
}

/* Each begins at its first byte and ends behind its last one. */
static WeftIndexed *index_list(const GPtrArray *values)
{
	WeftIndexed *indexed = g_new0(WeftIndexed, 1);
	g_autoptr(GString) text = g_string_new(NULL);

	indexed->n = values->len;
	indexed->starts = g_new(WeftStart, values->len);
	indexed->ends = g_array_new(FALSE, FALSE, sizeof(WeftStart));
	for (guint32 i = 0; i < values->len; i++) {
		WeftStart at = { (guint32)text->len, (guint32)text->len, i };

		indexed->starts[i] = at;
		g_string_append(text, values->pdata[i]);
		at.offset = at.n_chars = (guint32)text->len;
		g_array_append_val(indexed->ends, at);
		g_string_append_c(text, '\0');
	}
	indexed->size_bytes = text->len;
	for (gsize i = 0; i <= WEFT_VERBATIM_SORTED_BYTES; i++)
		g_string_append_c(text, '\0');
	indexed->text = (guint8 *)g_string_free(g_steal_pointer(&text), FALSE);
	weft_indexed_sort(indexed);
	return indexed;
}

WeftSpans *weft_spans_of_list(const GPtrArray *values, const void *of)
{
	WeftIndexed *indexed = index_list(values);
	WeftSpans *spans = weft_spans_new(indexed, &(WeftSpansRule){ .n_chars_max = G_MAXSIZE });

	spans->own = indexed;
	spans->of = of;
	return spans;
}
