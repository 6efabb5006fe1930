#include "schema/spelling.h"

#include <string.h>

#include "base/utf8.h"

typedef struct Builder {
	GArray *nodes;          /* of WeftSpellingNode */
	GArray *ways;           /* of guint16 */
	GArray *leaves;         /* of WeftSpellingLeaf */
	const WeftDfa *dfa;
	guint8 *is_written;     /* [n_classes] */
	GHashTable *known;      /* GBytes of first byte and ways to node */
	guint16 *best;          /* [n_classes]: fewest bytes below the node in work, 0: not there */
	guint16 *plain;         /* [3 * n_classes]: nodes of one class alone, by bytes to come; 0: none yet */
	WeftFuel *fuel;
	GError **error;
	gboolean has_failed;
} Builder;

/* The way that ends a character. */
static guint16 class_way(const Builder *builder, guint32 character)
{
	guint32 class_id = weft_dfa_class(builder->dfa, character);
	if (!builder->is_written[class_id] || weft_utf8_is_noncharacter(character))
		return 0;
	return (guint16)(WEFT_SPELLING_CLASS | class_id);
}

static void offer(Builder *builder, GArray *classes, guint16 class_id, guint16 n_bytes)
{
	if (builder->best[class_id] == 0)
		g_array_append_val(classes, class_id);
	if (builder->best[class_id] == 0 || n_bytes < builder->best[class_id])
		builder->best[class_id] = n_bytes;
}

/* The classes below a node, and how far they are. */
static void find_leaves(Builder *builder, WeftSpellingNode *node, const guint16 *ways)
{
	g_autoptr(GArray) classes = g_array_new(FALSE, FALSE, sizeof(guint16));
	for (guint i = 0; i < node->n_ways; i++) {
		if (ways[i] & WEFT_SPELLING_CLASS) {
			offer(builder, classes, ways[i] & ~WEFT_SPELLING_CLASS, 1);
			continue;
		}
		if (ways[i] == 0 || (i > 0 && ways[i] == ways[i - 1]))
			continue;
		const WeftSpellingNode *below = &g_array_index(builder->nodes, WeftSpellingNode, ways[i]);
		for (guint j = below->leaf; j < below->leaf + below->n_leaves; j++) {
			const WeftSpellingLeaf *leaf = &g_array_index(builder->leaves, WeftSpellingLeaf, j);
			offer(builder, classes, leaf->class_id, leaf->n_bytes + 1);
		}
	}
	node->leaf = builder->leaves->len;
	node->n_leaves = (guint16)classes->len;
	for (guint i = 0; i < classes->len; i++) {
		guint16 class_id = g_array_index(classes, guint16, i);
		WeftSpellingLeaf leaf = {class_id, builder->best[class_id]};
		g_array_append_val(builder->leaves, leaf);
		builder->best[class_id] = 0;
	}
}

static WeftSpellingNode make_node(Builder *builder, guint8 first, const guint16 *ways, guint n)
{
	WeftSpellingNode node = {.first = first, .n_ways = (guint16)n, .way = builder->ways->len};
	find_leaves(builder, &node, ways);
	g_array_append_vals(builder->ways, ways, n);
	if (!builder->has_failed &&
	    !weft_fuel_spend(builder->fuel, 4 * (gsize)n + node.n_leaves, builder->error))
		builder->has_failed = TRUE;
	return node;
}

/* The node with these ways, made when it is new; 0 when they lead nowhere. */
static guint16 add_node(Builder *builder, guint8 first, const guint16 *ways, guint n)
{
	guint16 key[1 + 256];
	guint i = 0;
	while (i < n && ways[i] == 0)
		i++;
	if (i == n || builder->has_failed)
		return 0;
	key[0] = first;
	memcpy(key + 1, ways, n * sizeof(guint16));
	GBytes *bytes = g_bytes_new(key, (n + 1) * sizeof(guint16));
	guint16 id = (guint16)GPOINTER_TO_UINT(g_hash_table_lookup(builder->known, bytes));
	if (id > 0) {
		g_bytes_unref(bytes);
		return id;
	}
	WeftSpellingNode node = make_node(builder, first, ways, n);
	g_array_append_val(builder->nodes, node);
	id = (guint16)(builder->nodes->len - 1);
	g_hash_table_insert(builder->known, bytes, GUINT_TO_POINTER((guint)id));
	/* There are at most 1,114 * 64 blocks of characters, but ids have 15 bits. */
	if (id >= WEFT_SPELLING_CLASS - 1 && !builder->has_failed) {
		builder->has_failed = TRUE;
		g_set_error(builder->error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "the pattern tells too many kinds of characters apart");
	}
	return id;
}

/* Whether the characters from `first` to `last` are all of one class. */
static gboolean is_uniform(const Builder *builder, guint32 first, guint32 last)
{
	const GArray *runs = builder->dfa->runs;
	guint low = 0, high = runs->len;
	while (high - low > 1) {
		guint middle = (low + high) / 2;
		if (g_array_index(runs, WeftClassRun, middle).first <= first)
			low = middle;
		else
			high = middle;
	}
	return low + 1 == runs->len || g_array_index(runs, WeftClassRun, low + 1).first > last;
}

/* The node in front of the last `n_bytes` bytes of characters that are all of one class. */
static guint16 add_plain(Builder *builder, guint32 class_id, guint n_bytes)
{
	guint16 ways[64], *known = &builder->plain[(n_bytes - 1) * builder->dfa->n_classes + class_id];
	if (!builder->is_written[class_id] || *known != 0)
		return *known;
	guint16 way = n_bytes == 1 ? (guint16)(WEFT_SPELLING_CLASS | class_id)
				   : add_plain(builder, class_id, n_bytes - 1);
	for (guint i = 0; i < G_N_ELEMENTS(ways); i++)
		ways[i] = way;
	*known = add_node(builder, 0x80, ways, G_N_ELEMENTS(ways));
	return *known;
}

/* Whether there are noncharacters in it, where it begins at a multiple of its size, 64 or more. */
static gboolean has_noncharacter(guint32 first, guint32 last)
{
	return (first <= 0xfdd0 && last >= 0xfdef) || (last & 0xffff) == 0xffff;
}

/* The node in front of the last `n_bytes` bytes of the characters from `base` on, of which those
 * below `least` have a shorter spelling. */
static guint16 add_span(Builder *builder, guint32 base, guint n_bytes, guint32 least)
{
	guint16 ways[64] = {0};
	guint32 step = 1u << 6 * (n_bytes - 1), last = base + 64 * step - 1;
	if (base >= least && last <= WEFT_CHARSET_LAST && (last < 0xd800 || base > 0xdfff) &&
	    !has_noncharacter(base, last) && is_uniform(builder, base, last))
		return add_plain(builder, weft_dfa_class(builder->dfa, base), n_bytes);
	for (guint32 i = 0; i < 64; i++) {
		guint32 at = base + i * step;
		if (at + step <= least || at > WEFT_CHARSET_LAST || (at >= 0xd800 && at <= 0xdfff))
			continue;
		ways[i] = n_bytes == 1 ? class_way(builder, at)
				       : add_span(builder, at, n_bytes - 1, least);
	}
	return add_node(builder, 0x80, ways, 64);
}

/* Behind a backslash. */
static guint16 add_escapes(Builder *builder)
{
	guint16 digits[2]['f' - '0' + 1] = {{0}}, zero[1], high[2], ways['u' - '"' + 1] = {0};
	for (guint32 c = 1; c < 0x20; c++) {
		guint digit = c % 16 < 10 ? c % 16 : 'a' - '0' + c % 16 - 10;
		if (c != '\n' && c != '\t')
			digits[c / 16][digit] = class_way(builder, c);
	}
	for (guint i = 0; i < 2; i++)
		high[i] = add_node(builder, '0', digits[i], G_N_ELEMENTS(digits[i]));
	zero[0] = add_node(builder, '0', high, 2);
	zero[0] = add_node(builder, '0', zero, 1);
	ways['u' - '"'] = add_node(builder, '0', zero, 1);
	ways[0] = class_way(builder, '"');
	ways['\\' - '"'] = class_way(builder, '\\');
	ways['n' - '"'] = class_way(builder, '\n');
	ways['t' - '"'] = class_way(builder, '\t');
	return add_node(builder, '"', ways, G_N_ELEMENTS(ways));
}

static void build_root(Builder *builder)
{
	guint16 ways[256] = {0};
	for (guint32 byte = 0x20; byte < 0x80; byte++)
		if (byte != '"' && byte != '\\')
			ways[byte] = class_way(builder, byte);
	ways['\\'] = add_escapes(builder);
	for (guint32 byte = 0xc2; byte < 0xe0; byte++)
		ways[byte] = add_span(builder, (byte & 31) << 6, 1, 0x80);
	for (guint32 byte = 0xe0; byte < 0xf0; byte++)
		ways[byte] = add_span(builder, (byte & 15) << 12, 2, 0x800);
	for (guint32 byte = 0xf0; byte < 0xf5; byte++)
		ways[byte] = add_span(builder, (byte & 7) << 18, 3, 0x10000);
	g_array_index(builder->nodes, WeftSpellingNode, 0) =
		make_node(builder, 0, ways, G_N_ELEMENTS(ways));
}

static guint8 *find_written(const WeftDfa *dfa)
{
	guint8 *is_written = g_new0(guint8, dfa->n_classes);
	for (guint32 state = 1; state < dfa->n_states; state++)
		for (guint32 class_id = 0; class_id < dfa->n_classes; class_id++)
			is_written[class_id] |=
				dfa->next[(gsize)state * dfa->n_classes + class_id] != 0;
	return is_written;
}

static WeftSpelling *take_built(Builder *builder)
{
	WeftSpelling *spelling = g_new0(WeftSpelling, 1);
	spelling->n_nodes = builder->nodes->len;
	spelling->n_ways = builder->ways->len;
	spelling->n_leaves = builder->leaves->len;
	spelling->nodes = (WeftSpellingNode *)(void *)g_array_free(builder->nodes, FALSE);
	spelling->ways = (guint16 *)(void *)g_array_free(builder->ways, FALSE);
	spelling->leaves = (WeftSpellingLeaf *)(void *)g_array_free(builder->leaves, FALSE);
	return spelling;
}

WeftSpelling *weft_spelling_new(const WeftDfa *dfa, WeftFuel *fuel, GError **error)
{
	Builder builder = {.dfa = dfa, .fuel = fuel, .error = error};
	if (dfa->n_classes >= WEFT_SPELLING_CLASS) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "the pattern tells %u kinds of characters apart, limit %u", dfa->n_classes,
			    WEFT_SPELLING_CLASS - 1);
		return NULL;
	}
	builder.nodes = g_array_new(FALSE, TRUE, sizeof(WeftSpellingNode));
	builder.ways = g_array_new(FALSE, FALSE, sizeof(guint16));
	/* Not NULL, also without leaves. */
	builder.leaves = g_array_sized_new(FALSE, FALSE, sizeof(WeftSpellingLeaf), 16);
	g_array_set_size(builder.nodes, 1);
	builder.is_written = find_written(dfa);
	builder.best = g_new0(guint16, dfa->n_classes);
	builder.plain = g_new0(guint16, 3 * (gsize)dfa->n_classes);
	builder.known = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					      (GDestroyNotify)g_bytes_unref, NULL);
	build_root(&builder);
	g_hash_table_unref(builder.known);
	g_free(builder.is_written);
	g_free(builder.best);
	g_free(builder.plain);
	g_autoptr(WeftSpelling) spelling = take_built(&builder);
	return builder.has_failed ? NULL : g_steal_pointer(&spelling);
}

void weft_spelling_free(WeftSpelling *spelling)
{
	if (!spelling)
		return;
	g_free(spelling->nodes);
	g_free(spelling->ways);
	g_free(spelling->leaves);
	g_free(spelling);
}

gsize weft_spelling_bytes(const WeftSpelling *spelling)
{
	return spelling->n_nodes * sizeof(WeftSpellingNode) + spelling->n_ways * sizeof(guint16) +
	       spelling->n_leaves * sizeof(WeftSpellingLeaf);
}
