#include "schema/lexeme_private.h"

#include <string.h>

/* Transitions by the state that they lead to. */
typedef struct Backward {
	guint32 *firsts;        /* [n_states + 1] */
	guint32 *tails;
	guint32 *costs;         /* bytes of the class */
	guint32 n;
} Backward;

static void backward_init(Backward *backward, const WeftDfa *dfa, const guint32 *costs)
{
	gsize n_places = (gsize)dfa->n_states * dfa->n_classes;
	backward->firsts = g_new0(guint32, (gsize)dfa->n_states + 2);
	backward->n = 0;
	for (gsize i = 0; i < n_places; i++)
		if (dfa->next[i] != 0) {
			backward->firsts[dfa->next[i] + 1]++;
			backward->n++;
		}
	for (guint32 state = 0; state < dfa->n_states; state++)
		backward->firsts[state + 1] += backward->firsts[state];
	backward->tails = g_new(guint32, (gsize)backward->n + 1);
	backward->costs = g_new0(guint32, (gsize)backward->n + 1);
	guint32 *at = g_memdup2(backward->firsts, (dfa->n_states + 1) * sizeof(guint32));
	for (gsize i = 0; i < n_places; i++) {
		if (dfa->next[i] == 0)
			continue;
		guint32 place = at[dfa->next[i]]++;
		backward->tails[place] = (guint32)(i / dfa->n_classes);
		backward->costs[place] = costs ? costs[i % dfa->n_classes] : 0;
	}
	g_free(at);
}

static void backward_done(Backward *backward)
{
	g_free(backward->firsts);
	g_free(backward->tails);
	g_free(backward->costs);
}

/* Breadth first from the states that accept. */
static guint32 *find_shortest(const WeftDfa *dfa, const Backward *backward)
{
	guint32 *shortest = g_new(guint32, dfa->n_states), *queue = g_new(guint32, dfa->n_states);
	guint32 n = 0;
	for (guint32 state = 0; state < dfa->n_states; state++) {
		shortest[state] = dfa->accepts[state] ? 0 : WEFT_LEXEME_NEVER;
		if (dfa->accepts[state])
			queue[n++] = state;
	}
	for (guint32 i = 0; i < n; i++)
		for (guint32 j = backward->firsts[queue[i]]; j < backward->firsts[queue[i] + 1]; j++) {
			guint32 tail = backward->tails[j];
			if (shortest[tail] != WEFT_LEXEME_NEVER)
				continue;
			shortest[tail] = shortest[queue[i]] + 1;
			queue[n++] = tail;
		}
	g_free(queue);
	return shortest;
}

/* From the states without a way on, backwards; what can reach a cycle is never taken. */
static guint32 *find_longest(const WeftDfa *dfa, const Backward *backward)
{
	guint32 *longest = g_new0(guint32, dfa->n_states), *n_out = g_new0(guint32, dfa->n_states);
	guint32 *stack = g_new(guint32, dfa->n_states), n = 0;
	for (guint32 i = 0; i < backward->n; i++)
		n_out[backward->tails[i]]++;
	for (guint32 state = 1; state < dfa->n_states; state++)
		if (n_out[state] == 0)
			stack[n++] = state;
	while (n > 0) {
		guint32 head = stack[--n];
		for (guint32 j = backward->firsts[head]; j < backward->firsts[head + 1]; j++) {
			guint32 tail = backward->tails[j];
			longest[tail] = MAX(longest[tail], longest[head] + 1);
			if (--n_out[tail] == 0)
				stack[n++] = tail;
		}
	}
	for (guint32 state = 1; state < dfa->n_states; state++)
		if (n_out[state] > 0)
			longest[state] = WEFT_LEXEME_UNLIMITED;
	g_free(n_out);
	g_free(stack);
	return longest;
}

gboolean weft_dfa_lengths(const WeftDfa *dfa, guint32 **ret_shortest, guint32 **ret_longest,
			  WeftFuel *fuel, GError **error)
{
	Backward backward;
	if (!weft_fuel_spend(fuel, (gsize)dfa->n_states * dfa->n_classes, error))
		return FALSE;
	backward_init(&backward, dfa, NULL);
	*ret_shortest = find_shortest(dfa, &backward);
	*ret_longest = find_longest(dfa, &backward);
	backward_done(&backward);
	return TRUE;
}

/* A way of some state, found in one round of the search below. */
typedef struct Found {
	guint32 state;
	WeftWay way;
} Found;

/* Round n finds the fewest bytes in at most n characters: what got fewer in round n - 1 is offered to
 * the states before it. *ret_found: in the order of rounds. */
static gboolean search_ways(const WeftDfa *dfa, const Backward *backward, GArray *found,
			    guint32 *best, WeftFuel *fuel, GError **error)
{
	guint32 *offered = g_new0(guint32, dfa->n_states); /* round + 1 of the last way */
	guint first = 0;
	gboolean is_done = TRUE;
	for (guint32 state = 0; state < dfa->n_states; state++) {
		Found end = {state, {0, 0}};
		best[state] = dfa->accepts[state] ? 0 : WEFT_LEXEME_NEVER;
		if (dfa->accepts[state])
			g_array_append_val(found, end);
	}
	/* `best` is changed at the end of a round, so that a round sees only the one before. */
	for (guint32 n = 1; is_done && first < found->len; n++) {
		guint end = found->len;
		for (guint i = first; i < end && is_done; i++) {
			Found from = g_array_index(found, Found, i);
			guint32 j = backward->firsts[from.state];
			/* A way stays in memory: so many that all fuel makes 40 MB of them. */
			is_done = weft_fuel_spend(fuel, backward->firsts[from.state + 1] - j + 24, error);
			for (; j < backward->firsts[from.state + 1]; j++) {
				guint32 tail = backward->tails[j];
				guint32 n_bytes = from.way.n_bytes + backward->costs[j];
				Found way = {tail, {n, n_bytes}};
				if (n_bytes >= best[tail])
					continue;
				best[tail] = n_bytes;
				if (offered[tail] > end) {
					g_array_index(found, Found, offered[tail] - 1) = way;
				} else {
					g_array_append_val(found, way);
					offered[tail] = found->len;
				}
			}
		}
		first = end;
	}
	g_free(offered);
	return is_done;
}

static gboolean find_ways(WeftLexeme *lexeme, const Backward *backward, guint32 *best, WeftFuel *fuel,
			  GError **error)
{
	const WeftDfa *dfa = lexeme->dfa;
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
	if (!search_ways(dfa, backward, found, best, fuel, error))
		return FALSE;
	lexeme->way_firsts = g_new0(guint32, (gsize)dfa->n_states + 2);
	for (guint i = 0; i < found->len; i++)
		lexeme->way_firsts[g_array_index(found, Found, i).state + 2]++;
	for (guint32 state = 0; state < dfa->n_states; state++)
		lexeme->way_firsts[state + 2] += lexeme->way_firsts[state + 1];
	lexeme->ways = g_array_sized_new(FALSE, FALSE, sizeof(WeftWay), found->len);
	g_array_set_size(lexeme->ways, found->len);
	for (guint i = 0; i < found->len; i++) {
		const Found *f = &g_array_index(found, Found, i);
		g_array_index(lexeme->ways, WeftWay, lexeme->way_firsts[f->state + 1]++) = f->way;
	}
	return TRUE;
}

/* Row n - 1: the fewest bytes with at least n characters more, from the row before (`best`: 0). */
static gboolean find_least(WeftLexeme *lexeme, const guint32 *best, const guint32 *costs, WeftFuel *fuel,
			   gsize *bytes_left, GError **error)
{
	const WeftDfa *dfa = lexeme->dfa;
	gsize n_bytes = (gsize)lexeme->length_min * dfa->n_states * sizeof(guint32);
	gsize n_steps = (gsize)lexeme->length_min * dfa->n_states * dfa->n_classes;
	if (lexeme->length_min == 0)
		return TRUE;
	if (n_bytes > *bytes_left) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "minLength %u with these patterns takes %" G_GSIZE_FORMAT
			    " bytes of tables, %" G_GSIZE_FORMAT " are left",
			    lexeme->length_min, n_bytes, *bytes_left);
		return FALSE;
	}
	if (!weft_fuel_spend(fuel, n_steps, error))
		return FALSE;
	*bytes_left -= n_bytes;
	lexeme->least = g_new(guint32, (gsize)lexeme->length_min * dfa->n_states);
	const guint32 *before = best;
	for (guint32 n = 0; n < lexeme->length_min; n++) {
		guint32 *row = lexeme->least + (gsize)n * dfa->n_states;
		for (guint32 state = 0; state < dfa->n_states; state++) {
			const guint32 *next = dfa->next + (gsize)state * dfa->n_classes;
			row[state] = WEFT_LEXEME_NEVER;
			for (guint32 c = 0; c < dfa->n_classes; c++)
				if (next[c] != 0 && before[next[c]] != WEFT_LEXEME_NEVER)
					row[state] = MIN(row[state], before[next[c]] + costs[c]);
		}
		before = row;
	}
	return TRUE;
}

/* The fewest bytes of a character of each class. */
static guint32 *find_costs(const WeftLexeme *lexeme)
{
	guint32 *costs = g_new0(guint32, lexeme->dfa->n_classes);
	const WeftSpellingNode *root = &lexeme->spelling->nodes[0];
	const WeftSpellingLeaf *leaves = &lexeme->spelling->leaves[root->leaf];
	for (guint i = 0; i < root->n_leaves; i++)
		costs[leaves[i].class_id] = leaves[i].n_bytes;
	return costs;
}

gboolean weft_lexeme_measure(WeftLexeme *lexeme, WeftFuel *fuel, gsize *bytes_left, GError **error)
{
	const WeftDfa *dfa = lexeme->dfa;
	Backward backward;
	if (!weft_fuel_spend(fuel, (gsize)dfa->n_states * dfa->n_classes, error))
		return FALSE;
	guint32 *costs = find_costs(lexeme), *best = g_new(guint32, dfa->n_states);
	backward_init(&backward, dfa, costs);
	lexeme->shortest = find_shortest(dfa, &backward);
	lexeme->longest = find_longest(dfa, &backward);
	for (guint32 state = 1; state < dfa->n_states; state++) {
		lexeme->shortest_most = MAX(lexeme->shortest_most, lexeme->shortest[state]);
		if (lexeme->longest[state] != WEFT_LEXEME_UNLIMITED)
			lexeme->longest_most = MAX(lexeme->longest_most, lexeme->longest[state]);
	}
	gboolean is_done = find_ways(lexeme, &backward, best, fuel, error) &&
			   find_least(lexeme, best, costs, fuel, bytes_left, error);
	backward_done(&backward);
	g_free(costs);
	g_free(best);
	return is_done;
}
