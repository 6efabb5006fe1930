#include "schema/constraint.h"

#include <string.h>

#include "schema/way.h"

static gboolean is_number(const char *value, gsize size_bytes, const void *of)
{
	const WeftNode *node = of;
	WeftNumberState state = {0};
	for (gsize i = 0; i < size_bytes; i++)
		if (!weft_numbers_step(node->numbers, &state, (guint8)value[i]))
			return FALSE;
	return weft_numbers_accepts(node->numbers, &state);
}

static gboolean is_day(const char *value, gsize size_bytes, const void *of)
{
	const WeftNode *node = of;
	return weft_lexeme_contains(node->lexeme, value, size_bytes);
}

static const WeftSpans *spans_of(const WeftNode *node, WeftVerbatim *verbatim)
{
	const WeftSpansRule rule = {.n_chars_min = node->length_min,
				    .n_chars_max = node->length_max == WEFT_SCHEMA_UNLIMITED
							   ? G_MAXSIZE
							   : node->length_max,
				    .lexeme = node->lexeme,
				    .allows_empty = TRUE};
	if (!node->is_verbatim)
		return NULL;
	if (node->kind == WEFT_NODE_NUMBER)
		return weft_verbatim_values(verbatim, WEFT_VERBATIM_NUMBERS, is_number, node);
	if (node->is_day)
		return weft_verbatim_values(verbatim, WEFT_VERBATIM_DAYS, is_day, node);
	return weft_verbatim_spans(verbatim, &rule);
}

static void find_spans(WeftConstraint *constraint, WeftVerbatim *verbatim)
{
	const GPtrArray *nodes = constraint->schema->nodes;
	constraint->spans =
		weft_levels_alloc(constraint->levels, nodes->len * sizeof(constraint->spans[0]));
	for (guint i = 0; i < nodes->len; i++)
		constraint->spans[i] = spans_of(g_ptr_array_index(nodes, i), verbatim);
}

void weft_constraint_init(WeftConstraint *constraint, const WeftSchema *schema,
			  WeftLevels *levels, WeftVerbatim *verbatim, guint64 text_key)
{
	constraint->schema = schema;
	constraint->levels = levels;
	constraint->spans = NULL;
	constraint->text_key = 0;
	if (verbatim && schema->tables->has_verbatim) {
		constraint->text_key = text_key;
		find_spans(constraint, verbatim);
	}
	constraint->n_ways = 1;
	memset(constraint->ways, 0, sizeof(constraint->ways[0]));
	weft_cursor_begin(&constraint->ways[0].cursor, WEFT_CURSOR_VALUE, schema->root);
}

void weft_constraint_copy(WeftConstraint *to, const WeftConstraint *from)
{
	memcpy(to, from, G_STRUCT_OFFSET(WeftConstraint, ways) +
				 from->n_ways * sizeof(from->ways[0]));
}

gboolean weft_constraint_advance(WeftConstraint *constraint, guint8 byte)
{
	WeftWay before[WEFT_CONSTRAINT_WAYS_MAX];
	guint n = constraint->n_ways;
	memcpy(before, constraint->ways, n * sizeof(before[0]));
	constraint->n_ways = 0;
	for (guint i = 0; i < n; i++)
		weft_way_step(constraint, &before[i], byte);
	return constraint->n_ways > 0;
}

gboolean weft_constraint_allows(const WeftConstraint *constraint, const char *bytes,
				gsize size_bytes, gsize *ret_close_bytes)
{
	WeftConstraint next;
	WeftLevelsMark mark = weft_levels_mark(constraint->levels);
	gboolean allows = TRUE;
	weft_constraint_copy(&next, constraint);
	for (gsize i = 0; i < size_bytes && allows; i++)
		allows = weft_constraint_advance(&next, (guint8)bytes[i]);
	if (allows)
		*ret_close_bytes = weft_constraint_close_bytes(&next);
	weft_levels_release(constraint->levels, mark);
	return allows;
}

gboolean weft_constraint_is_complete(const WeftConstraint *constraint)
{
	for (guint i = 0; i < constraint->n_ways; i++)
		if (weft_way_is_complete(constraint, &constraint->ways[i]))
			return TRUE;
	return FALSE;
}

/* The first byte from `from` on that may come next; 256: none. */
static int next_allowed(const WeftConstraint *constraint, int from)
{
	WeftConstraint next;
	WeftLevelsMark mark = weft_levels_mark(constraint->levels);
	gboolean is_allowed = FALSE;
	int byte = from;
	for (; byte < 256 && !is_allowed; byte += is_allowed ? 0 : 1) {
		weft_constraint_copy(&next, constraint);
		is_allowed = weft_constraint_advance(&next, (guint8)byte);
		weft_levels_release(constraint->levels, mark);
	}
	return byte;
}

gboolean weft_constraint_is_closed(const WeftConstraint *constraint)
{
	gboolean all_ended = TRUE;
	for (guint i = 0; i < constraint->n_ways; i++)
		all_ended &= !constraint->ways[i].level &&
			     constraint->ways[i].cursor.kind == WEFT_CURSOR_GAP;
	return all_ended || (weft_constraint_is_complete(constraint) &&
			     next_allowed(constraint, 0) == 256);
}

gsize weft_constraint_close_bytes(const WeftConstraint *constraint)
{
	gsize least = G_MAXSIZE;
	for (guint i = 0; i < constraint->n_ways; i++)
		least = MIN(least, weft_way_close(constraint, &constraint->ways[i]));
	return least;
}

int weft_constraint_forced(const WeftConstraint *constraint)
{
	int forced = constraint->n_ways == 1 ? weft_way_forced(constraint, &constraint->ways[0]) : -2;
	if (forced != -2)
		return forced;
	if (weft_constraint_is_complete(constraint))
		return -1;
	forced = next_allowed(constraint, 0);
	return next_allowed(constraint, forced + 1) == 256 ? forced : -1;
}

gboolean weft_schema_accepts(const WeftSchema *schema, const char *text, gsize size_bytes,
			     gsize *ret_byte)
{
	g_autoptr(WeftLevels) levels = weft_levels_new();
	WeftConstraint constraint;
	gsize i = 0;
	weft_constraint_init(&constraint, schema, levels, NULL, 0);
	while (i < size_bytes && weft_constraint_advance(&constraint, (guint8)text[i]))
		i++;
	if (i == size_bytes && weft_constraint_is_complete(&constraint))
		return TRUE;
	*ret_byte = i;
	return FALSE;
}
