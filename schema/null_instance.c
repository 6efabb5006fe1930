#include <string.h>

#include "schema/node.h"
#include "schema/number.h"
#include "schema/lexeme.h"

/* From here on optional properties are left out even where they are null. */
#define NULLS_BYTES_MAX (1u << 20)

static void append_node(GString *json, const WeftNode *node);

static gboolean takes_null(const WeftNode *node)
{
	if (node->kind == WEFT_NODE_BRANCHES) {
		for (guint i = 0; i < node->branches->len; i++)
			if (takes_null(weft_node_branch(node, i)))
				return TRUE;
		return FALSE;
	}
	return node->kind == WEFT_NODE_LITERALS &&
	       g_ptr_array_find_with_equal_func(node->literals, "null", g_str_equal, NULL);
}

/* The shortest, the first of equals. */
static void append_literal(GString *json, const WeftNode *node)
{
	const char *best = node->literals->pdata[0];
	for (guint i = 1; i < node->literals->len; i++)
		if (strlen(node->literals->pdata[i]) < strlen(best))
			best = node->literals->pdata[i];
	g_string_append(json, best);
}

static gint compare_sizes(gconstpointer a, gconstpointer b)
{
	gsize a_size = strlen(*(const char *const *)a), b_size = strlen(*(const char *const *)b);
	return a_size < b_size ? -1 : a_size > b_size ? 1 : strcmp(*(const char *const *)a,
								  *(const char *const *)b);
}

static void append_string(GString *json, const WeftNode *node)
{
	g_string_append_c(json, '"');
	for (guint32 i = 0; !node->lexeme && i < node->length_min; i++)
		g_string_append_c(json, ' ');
	if (node->lexeme) {
		WeftLexemeState state = weft_lexeme_begin(node->lexeme);
		guint32 missing;
		while ((missing = weft_lexeme_close(node->lexeme, state)) > 0)
			for (guint byte = 0x20; byte < 256; byte++) {
				WeftLexemeState next =
					weft_lexeme_step(node->lexeme, state, (guint8)byte);
				if (next.id == WEFT_LEXEME_DEAD ||
				    weft_lexeme_close(node->lexeme, next) >= missing)
					continue;
				g_string_append_c(json, (char)byte);
				state = next;
				break;
			}
	}
	g_string_append_c(json, '"');
}

/* A shortest number, the one with the lowest digits. */
static void append_number(GString *json, const WeftNumbers *numbers)
{
	WeftNumberState state = {0};
	guint32 missing;
	while ((missing = weft_numbers_close(numbers, &state)) > 0)
		for (const char *byte = "0123456789-."; *byte; byte++) {
			WeftNumberState next = state;
			if (weft_numbers_step(numbers, &next, (guint8)*byte) &&
			    weft_numbers_close(numbers, &next) < missing) {
				g_string_append_c(json, *byte);
				state = next;
				break;
			}
		}
}

static void append_array(GString *json, const WeftNode *node)
{
	g_autoptr(GPtrArray) sorted = NULL;
	guint n_prefix = node->prefix ? node->prefix->len : 0;
	if (node->is_unique) {
		sorted = g_ptr_array_new();
		for (guint i = 0; i < node->items->literals->len; i++)
			g_ptr_array_add(sorted, node->items->literals->pdata[i]);
		g_ptr_array_sort(sorted, compare_sizes);
	}
	g_string_append_c(json, '[');
	for (guint32 i = 0; i < node->n_min; i++) {
		if (i > 0)
			g_string_append_c(json, ',');
		if (sorted && i >= n_prefix)
			g_string_append(json, sorted->pdata[i - n_prefix]);
		else
			append_node(json, weft_node_item(node, i));
	}
	g_string_append_c(json, ']');
}

/* Whether a shortest rest begins with this optional property. */
static gboolean is_needed(const WeftNode *node, guint i, guint n_missing)
{
	return n_missing > 0 &&
	       weft_node_tail(node, i, n_missing).bytes < weft_node_tail(node, i + 1, n_missing).bytes;
}

static void append_object(GString *json, const WeftNode *node)
{
	guint n_optional = 0, n_written = 0;
	g_string_append_c(json, '{');
	for (guint i = 0; i < node->properties->len; i++) {
		const WeftProperty *property = weft_node_property(node, i);
		guint n_missing =
			node->n_optional_min > n_optional ? node->n_optional_min - n_optional : 0;
		gboolean is_null = takes_null(property->node) && json->len < NULLS_BYTES_MAX &&
				   n_optional < node->n_optional_max;
		if (!property->is_required && !is_null && !is_needed(node, i, n_missing))
			continue;
		n_optional += !property->is_required;
		if (n_written++ > 0)
			g_string_append_c(json, ',');
		g_string_append(json, property->key);
		append_node(json, property->node);
	}
	g_string_append_c(json, '}');
}

/* Keys of a map without a lexeme: none, one, or two characters more than what they need. */
static void append_key(GString *json, const WeftNode *keys, guint32 i)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	const guint32 n = G_N_ELEMENTS(letters) - 1;
	if (keys->lexeme) {
		append_string(json, keys);
		return;
	}
	g_string_append_c(json, '"');
	gsize begin = json->len;
	for (guint32 rest = i; rest > 0; rest = (rest - 1) / n)
		g_string_append_c(json, letters[(rest - 1) % n]);
	while (json->len - begin < keys->length_min)
		g_string_append_c(json, ' ');
	g_string_append_c(json, '"');
}

static void append_map(GString *json, const WeftNode *node)
{
	g_string_append_c(json, '{');
	for (guint32 i = 0; i < node->n_min; i++) {
		if (i > 0)
			g_string_append_c(json, ',');
		append_key(json, node->keys, i);
		g_string_append_c(json, ':');
		append_node(json, node->items);
	}
	g_string_append_c(json, '}');
}

static void append_branch(GString *json, const WeftNode *node)
{
	const WeftNode *best = weft_node_branch(node, 0);
	for (guint i = 1; i < node->branches->len; i++) {
		const WeftNode *branch = weft_node_branch(node, i);
		if (branch->least.bytes < best->least.bytes ||
		    (branch->least.bytes == best->least.bytes &&
		     branch->least.height < best->least.height))
			best = branch;
	}
	append_node(json, best);
}

/* As deep as the height of the least, and as long, but for the nulls. */
static void append_node(GString *json, const WeftNode *node)
{
	if (takes_null(node)) {
		g_string_append(json, "null");
		return;
	}
	switch (node->kind) {
	case WEFT_NODE_LITERALS:
		append_literal(json, node);
		break;
	case WEFT_NODE_STRING:
		append_string(json, node);
		break;
	case WEFT_NODE_NUMBER:
		append_number(json, node->numbers);
		break;
	case WEFT_NODE_ARRAY:
		append_array(json, node);
		break;
	case WEFT_NODE_OBJECT:
		append_object(json, node);
		break;
	case WEFT_NODE_MAP:
		append_map(json, node);
		break;
	case WEFT_NODE_BRANCHES:
		append_branch(json, node);
		break;
	}
}

char *weft_schema_null_instance(const WeftSchema *schema)
{
	GString *json = g_string_new(NULL);
	append_node(json, schema->root);
	return g_string_free(json, FALSE);
}
