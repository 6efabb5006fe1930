#include "schema/tables.h"

#include <stdlib.h>
#include <string.h>

/* A range of so few is searched from one end. */
#define FEW 8

static gint compare_texts(gconstpointer a, gconstpointer b)
{
	const WeftText *x = a, *y = b;
	int order = memcmp(x->bytes, y->bytes, MIN(x->size_bytes, y->size_bytes));
	if (order != 0)
		return order;
	return x->size_bytes < y->size_bytes ? -1 : x->size_bytes > y->size_bytes;
}

static gint compare_sizes(gconstpointer a, gconstpointer b, gpointer data)
{
	const WeftTexts *texts = data;
	guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;
	guint32 x_bytes = texts->sorted[x].size_bytes, y_bytes = texts->sorted[y].size_bytes;
	if (x_bytes != y_bytes)
		return x_bytes < y_bytes ? -1 : 1;
	return x < y ? -1 : x > y;
}

static guint n_powers(guint32 n)
{
	return n == 0 ? 0 : (guint)g_bit_storage(n);
}

static void index_sizes(WeftTexts *texts)
{
	guint32 n = texts->n;
	texts->by_size = g_new(guint32, n);
	for (guint32 i = 0; i < n; i++)
		texts->by_size[i] = i;
	if (n > 1)
		g_qsort_with_data(texts->by_size, (gint)n, sizeof(guint32), compare_sizes,
				  texts);
	texts->shortest = g_new0(guint32 *, n_powers(n) + 1);
	for (guint k = 0; k < n_powers(n); k++) {
		guint32 n_spans = n - (1u << k) + 1;
		texts->shortest[k] = g_new(guint32, n_spans);
		for (guint32 i = 0; i < n_spans; i++) {
			const guint32 *half = k > 0 ? texts->shortest[k - 1] : NULL;
			texts->shortest[k][i] =
				half ? MIN(half[i], half[i + (1u << (k - 1))])
				     : texts->sorted[i].size_bytes;
		}
	}
}

static WeftTexts *texts_of(const WeftNode *node)
{
	gboolean is_object = node->kind == WEFT_NODE_OBJECT;
	WeftTexts *texts = g_new0(WeftTexts, 1);
	texts->n = is_object ? node->properties->len : node->literals->len;
	texts->sorted = g_new(WeftText, texts->n);
	for (guint32 i = 0; i < texts->n; i++) {
		const char *bytes = is_object ? weft_node_property(node, i)->key
					      : g_ptr_array_index(node->literals, i);
		texts->sorted[i] = (WeftText){bytes, (guint32)strlen(bytes), i};
	}
	if (texts->n > 1)
		qsort(texts->sorted, texts->n, sizeof(WeftText), compare_texts);
	index_sizes(texts);
	return texts;
}

static void texts_free(WeftTexts *texts)
{
	if (!texts)
		return;
	for (guint k = 0; k < n_powers(texts->n); k++)
		g_free(texts->shortest[k]);
	g_free(texts->shortest);
	g_free(texts->by_size);
	g_free(texts->sorted);
	g_free(texts);
}

static gsize *prefix_bytes_of(const WeftNode *node)
{
	gsize *sums = g_new(gsize, node->prefix->len + 1);
	sums[0] = 0;
	for (guint i = 0; i < node->prefix->len; i++)
		sums[i + 1] = sums[i] + 1 + weft_node_item(node, i)->least.bytes;
	return sums;
}

WeftTables *weft_tables_new(const GPtrArray *nodes)
{
	WeftTables *tables = g_new0(WeftTables, 1);
	tables->n_nodes = nodes->len;
	tables->texts = g_new0(WeftTexts *, nodes->len);
	tables->prefix_bytes = g_new0(gsize *, nodes->len);
	for (guint i = 0; i < nodes->len; i++) {
		const WeftNode *node = g_ptr_array_index(nodes, i);
		g_assert(node->id == i);
		if (node->kind == WEFT_NODE_LITERALS || node->kind == WEFT_NODE_OBJECT)
			tables->texts[i] = texts_of(node);
		if (node->kind == WEFT_NODE_ARRAY && node->prefix)
			tables->prefix_bytes[i] = prefix_bytes_of(node);
		tables->has_verbatim |= node->is_verbatim;
		tables->height_max = MAX(tables->height_max, node->least.height);
	}
	return tables;
}

void weft_tables_free(WeftTables *tables)
{
	if (!tables)
		return;
	for (guint i = 0; i < tables->n_nodes; i++) {
		texts_free(tables->texts[i]);
		g_free(tables->prefix_bytes[i]);
	}
	g_free(tables->texts);
	g_free(tables->prefix_bytes);
	g_free(tables);
}

/* The byte that decides; -1 for a text that ends here, which is before all that go on. */
static int byte_of(const WeftText *text, guint32 n_bytes)
{
	return n_bytes < text->size_bytes ? (guint8)text->bytes[n_bytes] : -1;
}

/* The first place of [first, end) whose byte is at least `byte`. */
static guint32 lower_bound(const WeftTexts *texts, guint32 first, guint32 end,
			   guint32 n_bytes, int byte)
{
	while (end - first > FEW) {
		guint32 middle = first + (end - first) / 2;
		if (byte_of(&texts->sorted[middle], n_bytes) < byte)
			first = middle + 1;
		else
			end = middle;
	}
	while (first < end && byte_of(&texts->sorted[first], n_bytes) < byte)
		first++;
	return first;
}

gboolean weft_texts_narrow(const WeftTexts *texts, guint32 *first, guint32 *end,
			       guint32 n_bytes, guint8 byte)
{
	guint32 from = lower_bound(texts, *first, *end, n_bytes, byte);
	if (from == *end || byte_of(&texts->sorted[from], n_bytes) != byte)
		return FALSE;
	guint32 to = lower_bound(texts, from + 1, *end, n_bytes, byte + 1);
	*first = from;
	*end = to;
	return TRUE;
}

guint32 weft_texts_shortest(const WeftTexts *texts, guint32 first, guint32 end)
{
	guint k = (guint)g_bit_storage(end - first) - 1;
	guint32 a = texts->shortest[k][first], b = texts->shortest[k][end - (1u << k)];
	return MIN(a, b);
}
