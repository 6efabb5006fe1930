#include "schema/least.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define INFINITE G_MAXSIZE

typedef struct Least {
	WeftReading *reading;
	guint n;
	WeftLeast *tried;   /* by id: the best so far */
	guint8 *is_done;    /* by id: node->least is set */
	guint *n_missing;   /* by id: needed values that are not done */
	GArray **parents;   /* by id, of guint: for each edge one; NULL: none */
	GTree *waiting;     /* of ids + 1, by tried */
} Least;

static WeftNode *node_at(const Least *least, guint id)
{
	return g_ptr_array_index(least->reading->schema->nodes, id);
}

/* ---- the least of one node, from those of its values ---- */

static gsize add(gsize a, gsize b)
{
	gsize sum;
	return weft_size_add(a, b, &sum) ? sum : INFINITE;
}

static gsize times(gsize a, gsize n)
{
	gsize product;
	return weft_size_multiply(a, n, &product) ? product : INFINITE;
}

static gint compare_lengths(gconstpointer a, gconstpointer b)
{
	gsize a_size = *(const gsize *)a, b_size = *(const gsize *)b;
	return a_size < b_size ? -1 : a_size > b_size;
}

/* Of `n` different literals. */
static gsize shortest_literals(const WeftNode *node, gsize n)
{
	gsize sum = 0;
	g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(gsize));
	for (guint i = 0; i < node->literals->len; i++) {
		gsize size = strlen(node->literals->pdata[i]);
		g_array_append_val(sizes, size);
	}
	g_array_sort(sizes, compare_lengths);
	for (gsize i = 0; i < n; i++)
		sum = add(sum, i < sizes->len ? g_array_index(sizes, gsize, i) : INFINITE);
	return sum;
}

static const WeftNode *only_branch(const WeftNode *node)
{
	return node->kind == WEFT_NODE_BRANCHES && node->branches->len == 1
		       ? weft_node_branch(node, 0)
		       : node;
}

static WeftLeast array_least(const WeftNode *node)
{
	guint32 n_prefix = node->prefix ? MIN(node->prefix->len, node->n_min) : 0;
	WeftLeast least = {2, 0};
	if (node->n_min > node->n_max)
		return (WeftLeast){INFINITE, 0};
	for (guint32 i = 0; i < n_prefix; i++) {
		const WeftNode *item = g_ptr_array_index(node->prefix, i);
		least.bytes = add(least.bytes, item->least.bytes);
		least.height = MAX(least.height, item->least.height);
	}
	guint32 n_rest = node->n_min - n_prefix;
	if (n_rest > 0 && !node->items)
		return (WeftLeast){INFINITE, 0};
	if (n_rest > 0) {
		const WeftNode *items = only_branch(node->items);
		least.bytes = add(least.bytes, node->is_unique
						       ? shortest_literals(items, n_rest)
						       : times(items->least.bytes, n_rest));
		least.height = MAX(least.height, items->least.height);
	}
	least.bytes = add(least.bytes, node->n_min > 1 ? node->n_min - 1 : 0);
	least.height++;
	return least;
}

/* The fewest bytes of a map's i-th key, all being different, quotes included. Of one character there
 * are 94 that are spelled in one byte, so 94 * 94 of two: more than a map may have. */
static gsize key_bytes(const WeftNode *keys, guint32 i)
{
	if (keys->lexeme)
		return 2 + (gsize)weft_lexeme_close(keys->lexeme, weft_lexeme_begin(keys->lexeme));
	if (keys->length_min >= 2)
		return 2 + (gsize)keys->length_min;
	guint32 n_empty = keys->length_min == 0;
	return i < n_empty ? 2 : i < n_empty + 94 ? 3 : 4;
}

static WeftLeast map_least(const WeftNode *node)
{
	WeftLeast least = {2, 1};
	if (node->n_min > node->n_max)
		return (WeftLeast){INFINITE, 0};
	for (guint32 i = 0; i < node->n_min; i++) {
		least.bytes = add(least.bytes, key_bytes(node->keys, i) + 1 + (i > 0));
		least.bytes = add(least.bytes, node->items->least.bytes);
		least.height = 1 + node->items->least.height;
	}
	return least;
}

static gboolean is_better(WeftLeast a, WeftLeast b)
{
	return a.bytes < b.bytes || (a.bytes == b.bytes && a.height < b.height);
}

/* Fills node->tails: from the last property to the first. */
static void measure_tails(WeftNode *node)
{
	guint n = node->properties->len, n_missing = node->n_optional_min;
	gsize stride = n_missing + 1;
	if (!node->tails)
		node->tails = g_new(WeftLeast, (n + 1) * stride);
	for (guint m = 0; m <= n_missing; m++)
		node->tails[n * stride + m] = (WeftLeast){m == 0 ? 1 : INFINITE, 0};
	for (guint i = n; i-- > 0;) {
		const WeftProperty *property = weft_node_property(node, i);
		for (guint m = 0; m <= n_missing; m++) {
			const WeftLeast *behind = &node->tails[(i + 1) * stride];
			WeftLeast with = behind[property->is_required || m == 0 ? m : m - 1];
			with.bytes = add(with.bytes, add(property->node->least.bytes,
							 1 + property->key_bytes));
			with.height = MAX(with.height, property->node->least.height);
			gboolean is_without = !property->is_required &&
					      (m == 0 || is_better(behind[m], with));
			node->tails[i * stride + m] = is_without ? behind[m] : with;
		}
	}
}

static WeftLeast object_least(WeftNode *node)
{
	measure_tails(node);
	WeftLeast least = weft_node_tail(node, 0, node->n_optional_min);
	if (least.bytes == INFINITE)
		return least;
	if (least.bytes == 1)
		least.bytes = 2;
	least.height++;
	return least;
}

static WeftLeast string_least(const WeftNode *node)
{
	if (node->lexeme) {
		WeftLexemeState begin = weft_lexeme_begin(node->lexeme);
		if (node->is_verbatim && !weft_lexeme_accepts(node->lexeme, begin))
			return (WeftLeast){INFINITE, 0};
		return (WeftLeast){2 + (gsize)weft_lexeme_close(node->lexeme, begin), 0};
	}
	if (node->is_verbatim && node->length_min > 0)
		return (WeftLeast){INFINITE, 0};
	return (WeftLeast){2 + (gsize)node->length_min, 0};
}

static WeftLeast branches_least(const WeftNode *node)
{
	WeftLeast least = {INFINITE, 0};
	for (guint i = 0; i < node->branches->len; i++)
		if (is_better(weft_node_branch(node, i)->least, least))
			least = weft_node_branch(node, i)->least;
	return least;
}

static WeftLeast measure(WeftNode *node)
{
	switch (node->kind) {
	case WEFT_NODE_LITERALS:
		return (WeftLeast){shortest_literals(node, 1), 0};
	case WEFT_NODE_STRING:
		return string_least(node);
	case WEFT_NODE_NUMBER:
		if (node->is_verbatim)
			return (WeftLeast){INFINITE, 0};
		return (WeftLeast){weft_numbers_close(node->numbers, &(WeftNumberState){0}), 0};
	case WEFT_NODE_ARRAY:
		return array_least(node);
	case WEFT_NODE_MAP:
		return map_least(node);
	case WEFT_NODE_OBJECT:
		return object_least(node);
	default:
		return branches_least(node);
	}
}

/* ---- all nodes ---- */

static gint compare_tried(gconstpointer a_item, gconstpointer b_item, gpointer context)
{
	const Least *least = context;
	guint a = GPOINTER_TO_UINT(a_item) - 1, b = GPOINTER_TO_UINT(b_item) - 1;
	if (a == b)
		return 0;
	if (is_better(least->tried[a], least->tried[b]))
		return -1;
	if (is_better(least->tried[b], least->tried[a]))
		return 1;
	return a < b ? -1 : 1;
}

static void try(Least *least, guint id)
{
	if (least->is_done[id] || least->n_missing[id] > 0)
		return;
	WeftLeast found = measure(node_at(least, id));
	if (!is_better(found, least->tried[id]))
		return;
	if (least->tried[id].bytes != INFINITE)
		g_tree_remove(least->waiting, GUINT_TO_POINTER(id + 1));
	least->tried[id] = found;
	g_tree_insert(least->waiting, GUINT_TO_POINTER(id + 1), NULL);
}

static void add_edge(Least *least, const WeftNode *parent, const WeftNode *child,
		     gboolean is_needed)
{
	if (!least->parents[child->id])
		least->parents[child->id] = g_array_new(FALSE, FALSE, sizeof(guint));
	/* The lowest bit says whether the parent waits for it. */
	guint edge = parent->id * 2 + (is_needed ? 1 : 0);
	g_array_append_val(least->parents[child->id], edge);
	least->n_missing[parent->id] += is_needed ? 1 : 0;
}

static void add_edges(Least *least, const WeftNode *node)
{
	for (guint i = 0; node->branches && i < node->branches->len; i++)
		add_edge(least, node, weft_node_branch(node, i), FALSE);
	for (guint i = 0; node->prefix && i < node->prefix->len; i++)
		add_edge(least, node, g_ptr_array_index(node->prefix, i), i < node->n_min);
	guint n_prefix = node->prefix ? node->prefix->len : 0;
	if (node->items)
		add_edge(least, node, node->items,
			 node->kind == WEFT_NODE_MAP ? node->n_min > 0 : node->n_min > n_prefix);
	for (guint i = 0; node->properties && i < node->properties->len; i++)
		add_edge(least, node, weft_node_property(node, i)->node,
			 weft_node_property(node, i)->is_required);
}

static void finish_one(Least *least, guint id)
{
	const GArray *parents = least->parents[id];
	least->is_done[id] = TRUE;
	node_at(least, id)->least = least->tried[id];
	for (guint i = 0; parents && i < parents->len; i++) {
		guint edge = g_array_index(parents, guint, i);
		least->n_missing[edge / 2] -= edge & 1;
		try(least, edge / 2);
	}
}

static void measure_all(Least *least)
{
	GTreeNode *first;
	for (guint id = 0; id < least->n; id++)
		add_edges(least, node_at(least, id));
	for (guint id = 0; id < least->n; id++)
		try(least, id);
	while ((first = g_tree_node_first(least->waiting))) {
		guint id = GPOINTER_TO_UINT(g_tree_node_key(first)) - 1;
		g_tree_remove(least->waiting, GUINT_TO_POINTER(id + 1));
		finish_one(least, id);
	}
}

static void least_init(Least *least, WeftReading *reading)
{
	*least = (Least){.reading = reading, .n = reading->schema->nodes->len};
	least->tried = g_new(WeftLeast, least->n);
	least->is_done = g_new0(guint8, least->n);
	least->n_missing = g_new0(guint, least->n);
	least->parents = g_new0(GArray *, least->n);
	least->waiting = g_tree_new_with_data(compare_tried, least);
	for (guint id = 0; id < least->n; id++)
		least->tried[id] = (WeftLeast){INFINITE, 0};
}

static void least_done(Least *least)
{
	for (guint id = 0; id < least->n; id++)
		g_clear_pointer(&least->parents[id], g_array_unref);
	g_free(least->tried);
	g_free(least->is_done);
	g_free(least->n_missing);
	g_free(least->parents);
	g_tree_destroy(least->waiting);
}

/* ---- taking out what has no text ---- */

/* A verbatim value without a least counts, where null stands beside it. */
static gboolean has_text(const WeftNode *node)
{
	return node->least.bytes != INFINITE ||
	       ((node->kind == WEFT_NODE_STRING || node->kind == WEFT_NODE_NUMBER) &&
		node->is_verbatim);
}

static const WeftNode *straight(const WeftNode *node)
{
	return node ? only_branch(node) : NULL;
}

static void prune_branches(WeftNode *node)
{
	for (guint i = node->branches->len; i-- > 0;)
		if (!has_text(weft_node_branch(node, i)))
			g_ptr_array_remove_index(node->branches, i);
}

static void prune_array(WeftNode *node)
{
	for (guint i = 0; node->prefix && i < node->prefix->len; i++) {
		const WeftNode *item = g_ptr_array_index(node->prefix, i);
		if (item->least.bytes == INFINITE)
			node->n_max = MIN(node->n_max, i);
	}
	if (node->prefix && node->prefix->len > node->n_max)
		g_ptr_array_set_size(node->prefix, (gint)node->n_max);
	guint n_prefix = node->prefix ? node->prefix->len : 0;
	if (node->items && node->items->least.bytes == INFINITE)
		node->n_max = MIN(node->n_max, n_prefix);
	if (node->n_max <= n_prefix)
		node->items = NULL;
	node->is_unique = node->is_unique && node->items;
	for (guint i = 0; i < n_prefix; i++)
		node->prefix->pdata[i] = (gpointer)straight(node->prefix->pdata[i]);
	node->items = straight(node->items);
	if (node->is_unique)
		node->n_max = MIN(node->n_max, n_prefix + node->items->literals->len);
}

static void prune_object(WeftNode *node)
{
	guint n = 0, n_optional = 0;
	for (guint i = 0; i < node->properties->len; i++) {
		WeftProperty *property = &g_array_index(node->properties, WeftProperty, i);
		if (property->node->least.bytes == INFINITE) {
			g_free(property->key);
			continue;
		}
		property->node = straight(property->node);
		n_optional += !property->is_required;
		g_array_index(node->properties, WeftProperty, n++) = *property;
	}
	g_array_set_size(node->properties, n);
	node->n_optional_max = MIN(node->n_optional_max, n_optional);
	g_clear_pointer(&node->tails, g_free);
	measure_tails(node);
}

static void prune_map(WeftNode *node)
{
	if (node->items->least.bytes != INFINITE && node->n_max > 0) {
		node->items = straight(node->items);
		return;
	}
	node->kind = WEFT_NODE_OBJECT;
	node->keys = node->items = NULL;
	node->n_min = node->n_max = 0;
	node->properties = g_array_new(FALSE, FALSE, sizeof(WeftProperty));
	measure_tails(node);
}

static void prune(WeftNode *node)
{
	if (node->kind == WEFT_NODE_ARRAY)
		prune_array(node);
	else if (node->kind == WEFT_NODE_OBJECT)
		prune_object(node);
	else if (node->kind == WEFT_NODE_MAP)
		prune_map(node);
}

/* ---- what is left ---- */

static void reach(GPtrArray *found, GHashTable *seen, const WeftNode *node)
{
	if (node && g_hash_table_add(seen, (gpointer)node))
		g_ptr_array_add(found, (gpointer)node);
}

/* Only what the root leads to, numbered in the order in which it is met. */
static void keep_reached(WeftSchema *schema)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	GPtrArray *found = g_ptr_array_new_with_free_func(weft_node_free);
	reach(found, seen, schema->root);
	for (guint i = 0; i < found->len; i++) {
		const WeftNode *node = g_ptr_array_index(found, i);
		for (guint j = 0; node->branches && j < node->branches->len; j++)
			reach(found, seen, weft_node_branch(node, j));
		for (guint j = 0; node->prefix && j < node->prefix->len; j++)
			reach(found, seen, g_ptr_array_index(node->prefix, j));
		reach(found, seen, node->items);
		reach(found, seen, node->keys);
		for (guint j = 0; node->properties && j < node->properties->len; j++)
			reach(found, seen, weft_node_property(node, j)->node);
	}
	for (guint i = 0; i < schema->nodes->len; i++)
		if (!g_hash_table_contains(seen, schema->nodes->pdata[i]))
			weft_node_free(schema->nodes->pdata[i]);
	g_ptr_array_set_free_func(schema->nodes, NULL);
	g_ptr_array_unref(schema->nodes);
	schema->nodes = found;
	for (guint i = 0; i < found->len; i++)
		((WeftNode *)found->pdata[i])->id = i;
}

/* ---- nothing is left ---- */

/* The value without text that keeps a node from having one; NULL: none. */
static const WeftNode *culprit(const WeftNode *node)
{
	for (guint i = 0; node->properties && i < node->properties->len; i++)
		if (weft_node_property(node, i)->is_required &&
		    weft_node_property(node, i)->node->least.bytes == INFINITE)
			return weft_node_property(node, i)->node;
	for (guint i = 0; node->prefix && i < MIN(node->prefix->len, node->n_min); i++)
		if (((const WeftNode *)node->prefix->pdata[i])->least.bytes == INFINITE)
			return node->prefix->pdata[i];
	if (node->items && node->items->least.bytes == INFINITE)
		return node->items;
	return node->branches && node->branches->len > 0 ? weft_node_branch(node, 0) : NULL;
}

static gboolean refuse_empty(WeftReading *reading, const WeftNode *root, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	const WeftJson *place = reading->root;
	const char *reason = NULL;
	for (const WeftNode *node = root; node && g_hash_table_add(seen, (gpointer)node);
	     node = culprit(node)) {
		if (reading->places->pdata[node->id])
			place = reading->places->pdata[node->id];
		reason = reading->reasons->pdata[node->id];
		if (reason)
			break;
	}
	g_autofree char *pointer = weft_reading_pointer(reading, place);
	if (reason && reason[0] == '#')
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "%s; so the schema has no instance",
			    reason);
	else if (reason)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#%s: %s; so the schema has no instance", pointer, reason);
	else
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#%s: every instance would have to hold another one, without end; make "
			    "what leads back optional, or give it a way out such as null",
			    pointer);
	return FALSE;
}

gboolean weft_least_finish(WeftReading *reading, WeftNode *root, GError **error)
{
	WeftSchema *schema = reading->schema;
	Least least;
	least_init(&least, reading);
	measure_all(&least);
	least_done(&least);
	if (root->least.bytes == INFINITE)
		return refuse_empty(reading, root, error);
	if (root->least.bytes > WEFT_SCHEMA_LEAST_BYTES_MAX ||
	    root->least.height > WEFT_SCHEMA_DEPTH_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema whose shortest instance has %" G_GSIZE_FORMAT
			    " bytes, limit %u, and %u levels, limit %d",
			    root->least.bytes, WEFT_SCHEMA_LEAST_BYTES_MAX, root->least.height,
			    WEFT_SCHEMA_DEPTH_MAX);
		return FALSE;
	}
	for (guint i = 0; i < schema->nodes->len; i++) {
		WeftNode *node = schema->nodes->pdata[i];
		if (node->kind == WEFT_NODE_BRANCHES)
			prune_branches(node);
	}
	for (guint i = 0; i < schema->nodes->len; i++)
		if (((WeftNode *)schema->nodes->pdata[i])->least.bytes != INFINITE)
			prune(schema->nodes->pdata[i]);
	schema->root = straight(root);
	keep_reached(schema);
	return TRUE;
}
