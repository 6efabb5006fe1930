#include "schema/decline.h"

#include <string.h>

#include "schema/node.h"

#define NULL_TEXT "null"
#define NULL_BYTES (sizeof NULL_TEXT - 1)
#define MARK ':' /* no JSON has it behind a value */

static const char *const names[] = {NULL, "absent", "unreadable", "not_examined"};

const char *weft_decline_name(WeftDecline decline)
{
	return names[decline];
}

void weft_decline_spell(GString *text, WeftDecline decline)
{
	if (decline == WEFT_DECLINE_NONE)
		return;
	g_string_append_c(text, MARK);
	g_string_append(text, names[decline]);
}

static WeftDecline decline_of(const char *word, gsize size_bytes)
{
	for (guint i = WEFT_DECLINE_ABSENT; i < G_N_ELEMENTS(names); i++)
		if (strlen(names[i]) == size_bytes && memcmp(names[i], word, size_bytes) == 0)
			return (WeftDecline)i;
	return WEFT_DECLINE_NONE;
}

static gsize word_bytes(const char *word)
{
	gsize n = 0;
	while (g_ascii_islower(word[n]) || word[n] == '_')
		n++;
	return n;
}

/* Behind the string that begins at `at`, or the end of the text. */
static gsize string_end(const GString *text, gsize at)
{
	for (at++; at < text->len && text->str[at] != '"'; at++)
		at += text->str[at] == '\\' && at + 1 < text->len;
	return MIN(at + 1, text->len);
}

void weft_decline_take_out(GString *text, GArray *declined)
{
	gsize size = 0; /* of what is left so far */
	for (gsize at = 0, end; at < text->len; at = end) {
		gboolean is_string = text->str[at] == '"';
		end = is_string ? string_end(text, at) : at + 1;
		if (text->str[at] == MARK && size >= NULL_BYTES &&
		    memcmp(text->str + size - NULL_BYTES, NULL_TEXT, NULL_BYTES) == 0) {
			gsize n = word_bytes(text->str + at + 1);
			WeftDeclined one = {size, 1 + n, decline_of(text->str + at + 1, n)};
			if (one.decline != WEFT_DECLINE_NONE)
				g_array_append_val(declined, one);
			end = at + one.n_bytes;
			continue;
		}
		memmove(text->str + size, text->str + at, end - at);
		size += end - at;
	}
	g_string_truncate(text, size);
}

/* ---- the graph ---- */

static gint compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean takes_null(const WeftNode *node)
{
	return node->kind == WEFT_NODE_LITERALS &&
	       g_ptr_array_find_with_equal_func(node->literals, NULL_TEXT, g_str_equal, NULL);
}

/* By WeftNode.id: whether the place of a node offers more than its literals. */
typedef enum {
	PLACE_ALONE,
	PLACE_BRANCH,
	PLACE_UNIQUE, /* an item that may not come twice: stays as it is */
} Place;

static void note_places(const WeftNode *node, Place *places)
{
	if (node->kind == WEFT_NODE_ARRAY && node->is_unique)
		places[node->items->id] = PLACE_UNIQUE;
	for (guint i = 0; node->kind == WEFT_NODE_BRANCHES && i < node->branches->len; i++) {
		Place *place = &places[weft_node_branch(node, i)->id];
		*place = MAX(*place, PLACE_BRANCH);
	}
}

void weft_decline_add(WeftSchema *schema)
{
	g_autofree Place *places = g_new0(Place, schema->nodes->len);
	for (guint i = 0; i < schema->nodes->len; i++)
		note_places(schema->nodes->pdata[i], places);
	for (guint i = 0; i < schema->nodes->len; i++) {
		WeftNode *node = schema->nodes->pdata[i];
		gboolean is_choice = takes_null(node) && (node->literals->len > 1 ||
							  places[node->id] == PLACE_BRANCH);
		if (!is_choice || places[node->id] == PLACE_UNIQUE)
			continue;
		for (guint k = WEFT_DECLINE_ABSENT; k < G_N_ELEMENTS(names); k++) {
			GString *text = g_string_new(NULL_TEXT);
			weft_decline_spell(text, (WeftDecline)k);
			g_ptr_array_add(node->literals, g_string_free(text, FALSE));
		}
		g_ptr_array_sort(node->literals, compare_texts);
	}
}
