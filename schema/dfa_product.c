#include "schema/dfa.h"

#include <string.h>

/* Pairs of numbers, numbered in the order in which they come. */
typedef struct Pairs {
	GArray *list;           /* guint64 */
	guint64 *keys;          /* [n_slots]: pair + 1 */
	guint32 *ids;
	guint32 n_slots;
} Pairs;

static void pairs_init(Pairs *pairs, guint32 n_slots)
{
	pairs->list = g_array_new(FALSE, FALSE, sizeof(guint64));
	pairs->n_slots = n_slots;
	pairs->keys = g_new0(guint64, n_slots);
	pairs->ids = g_new0(guint32, n_slots);
}

static void pairs_done(Pairs *pairs)
{
	g_array_unref(pairs->list);
	g_free(pairs->keys);
	g_free(pairs->ids);
}

/* The table has to have room: see PAIRS_SLOTS. */
static guint32 pair_id(Pairs *pairs, guint32 a, guint32 b)
{
	guint64 pair = (guint64)a << 32 | b;
	guint64 hash = pair * 0x9e3779b97f4a7c15u;
	guint32 slot = (guint32)(hash >> 40) & (pairs->n_slots - 1);
	for (; pairs->keys[slot] != 0; slot = (slot + 1) & (pairs->n_slots - 1))
		if (pairs->keys[slot] == pair + 1)
			return pairs->ids[slot];
	pairs->keys[slot] = pair + 1;
	pairs->ids[slot] = pairs->list->len;
	g_array_append_val(pairs->list, pair);
	return pairs->ids[slot];
}

#define PAIRS_SLOTS (1u << 16)
#define CLASSES_MAX 16384u

/* Classes of both: a run begins where one of either begins. */
static gboolean merge_runs(const WeftDfa *a, const WeftDfa *b, Pairs *classes, GArray *runs,
			   WeftFuel *fuel, GError **error)
{
	guint i = 0, j = 0;
	if (!weft_fuel_spend(fuel, 8 * ((gsize)a->runs->len + b->runs->len), error))
		return FALSE;
	while (i < a->runs->len && j < b->runs->len) {
		const WeftClassRun *p = &g_array_index(a->runs, WeftClassRun, i);
		const WeftClassRun *q = &g_array_index(b->runs, WeftClassRun, j);
		weft_class_runs_add(runs, MAX(p->first, q->first),
				    pair_id(classes, p->class_id, q->class_id));
		if (classes->list->len > CLASSES_MAX) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
				    "the patterns tell more than %u kinds of characters apart",
				    CLASSES_MAX);
			return FALSE;
		}
		guint32 p_end = i + 1 < a->runs->len ? p[1].first : G_MAXUINT32;
		guint32 q_end = j + 1 < b->runs->len ? q[1].first : G_MAXUINT32;
		i += p_end <= q_end;
		j += q_end <= p_end;
	}
	return TRUE;
}

/* The states behind each pair of states; pair 0 is the dead one. */
static gboolean multiply(const WeftDfa *a, const WeftDfa *b, const Pairs *classes, Pairs *states,
			 GArray *next, WeftFuel *fuel, GError **error)
{
	pair_id(states, 0, 0);
	if (a->start != 0 && b->start != 0)
		pair_id(states, a->start, b->start);
	for (guint32 state = 0; state < states->list->len; state++) {
		guint64 pair = g_array_index(states->list, guint64, state);
		const guint32 *p = a->next + (gsize)(pair >> 32) * a->n_classes;
		const guint32 *q = b->next + (gsize)(guint32)pair * b->n_classes;
		if (!weft_fuel_spend(fuel, 2 * (gsize)classes->list->len, error))
			return FALSE;
		for (guint c = 0; c < classes->list->len; c++) {
			guint64 both = g_array_index(classes->list, guint64, c);
			guint32 x = p[both >> 32], y = q[(guint32)both];
			guint32 to = x == 0 || y == 0 ? 0 : pair_id(states, x, y);
			g_array_append_val(next, to);
		}
		if (states->list->len > WEFT_DFA_STATES_MAX) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
				    "the patterns and lengths of one string have more than %u "
				    "states together; write one pattern that says it all",
				    WEFT_DFA_STATES_MAX);
			return FALSE;
		}
	}
	return TRUE;
}

WeftDfa *weft_dfa_intersection(const WeftDfa *a, const WeftDfa *b, WeftFuel *fuel, GError **error)
{
	Pairs classes, states;
	g_autoptr(WeftDfa) dfa = NULL;
	g_autoptr(GArray) next = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(WeftClassRun));
	pairs_init(&classes, PAIRS_SLOTS);
	pairs_init(&states, PAIRS_SLOTS);
	if (merge_runs(a, b, &classes, runs, fuel, error) &&
	    multiply(a, b, &classes, &states, next, fuel, error)) {
		dfa = weft_dfa_alloc(states.list->len, classes.list->len);
		dfa->start = dfa->n_states > 1 ? 1 : 0;
		memcpy(dfa->next, next->data, next->len * sizeof(guint32));
		g_array_append_vals(dfa->runs, runs->data, runs->len);
		for (guint32 state = 1; state < dfa->n_states; state++) {
			guint64 pair = g_array_index(states.list, guint64, state);
			dfa->accepts[state] = a->accepts[pair >> 32] && b->accepts[(guint32)pair];
		}
	}
	pairs_done(&classes);
	pairs_done(&states);
	return dfa ? weft_dfa_smallest(dfa, fuel, error) : NULL;
}

/* The dead state becomes an ordinary one, behind the others, and a new dead one is added. */
WeftDfa *weft_dfa_complement(const WeftDfa *dfa, WeftFuel *fuel, GError **error)
{
	g_autoptr(WeftDfa) out = weft_dfa_alloc(dfa->n_states + 1, dfa->n_classes);
	guint32 last = dfa->n_states;
	out->start = dfa->start == 0 ? last : dfa->start;
	g_array_append_vals(out->runs, dfa->runs->data, dfa->runs->len);
	for (guint32 state = 0; state < dfa->n_states; state++) {
		guint32 to = state == 0 ? last : state;
		out->accepts[to] = !dfa->accepts[state];
		for (guint32 c = 0; c < dfa->n_classes; c++) {
			guint32 head = dfa->next[(gsize)state * dfa->n_classes + c];
			out->next[(gsize)to * dfa->n_classes + c] = head == 0 ? last : head;
		}
	}
	return weft_dfa_smallest(out, fuel, error);
}
