/* The smallest automaton: A. Valmari, "Fast brief practical DFA minimization", Information Processing
 * Letters 112 (2012). States and transitions are both partitioned; only states from which
 * something is accepted, and the transitions between them, take part. */
#include "schema/dfa.h"

#include <string.h>

/* Elements 0..n-1 in blocks: those of block b are elements[firsts[b] .. ends[b] - 1]. */
typedef struct Blocks {
	guint32 n_blocks;
	guint32 *elements, *places, *block_of, *firsts, *ends;
	guint32 *n_marked;      /* [n blocks]: they stand first in their block */
	guint32 *touched;       /* blocks with marks */
	guint32 n_touched;
} Blocks;

static void blocks_init(Blocks *blocks, guint32 n)
{
	blocks->elements = g_new(guint32, n + 1);
	blocks->places = g_new(guint32, n + 1);
	blocks->block_of = g_new0(guint32, n + 1);
	blocks->firsts = g_new0(guint32, n + 1);
	blocks->ends = g_new0(guint32, n + 1);
	blocks->n_marked = g_new0(guint32, n + 1);
	blocks->touched = g_new(guint32, n + 1);
	blocks->n_touched = 0;
	blocks->n_blocks = n > 0;
	blocks->ends[0] = n;
	for (guint32 i = 0; i < n; i++)
		blocks->elements[i] = blocks->places[i] = i;
}

static void blocks_done(Blocks *blocks)
{
	g_free(blocks->elements);
	g_free(blocks->places);
	g_free(blocks->block_of);
	g_free(blocks->firsts);
	g_free(blocks->ends);
	g_free(blocks->n_marked);
	g_free(blocks->touched);
}

static void mark(Blocks *blocks, guint32 element)
{
	guint32 block = blocks->block_of[element], from = blocks->places[element];
	guint32 to = blocks->firsts[block] + blocks->n_marked[block];
	if (from < to)
		return; /* marked before */
	blocks->elements[from] = blocks->elements[to];
	blocks->places[blocks->elements[from]] = from;
	blocks->elements[to] = element;
	blocks->places[element] = to;
	if (blocks->n_marked[block]++ == 0)
		blocks->touched[blocks->n_touched++] = block;
}

/* Marked and unmarked elements of a block become two; the smaller is the new one. */
static void split(Blocks *blocks)
{
	while (blocks->n_touched > 0) {
		guint32 block = blocks->touched[--blocks->n_touched];
		guint32 middle = blocks->firsts[block] + blocks->n_marked[block];
		guint32 fresh = blocks->n_blocks;
		gboolean is_whole = middle == blocks->ends[block];
		if (is_whole) {
			blocks->n_marked[block] = 0;
			continue;
		}
		if (blocks->n_marked[block] <= blocks->ends[block] - middle) {
			blocks->firsts[fresh] = blocks->firsts[block];
			blocks->ends[fresh] = blocks->firsts[block] = middle;
		} else {
			blocks->ends[fresh] = blocks->ends[block];
			blocks->firsts[fresh] = blocks->ends[block] = middle;
		}
		for (guint32 i = blocks->firsts[fresh]; i < blocks->ends[fresh]; i++)
			blocks->block_of[blocks->elements[i]] = fresh;
		blocks->n_marked[block] = blocks->n_marked[fresh] = 0;
		blocks->n_blocks++;
	}
}

/* Transitions between live states, sorted by class. */
typedef struct Transitions {
	guint32 n;
	guint32 *tails, *heads, *classes;
	guint32 *into;          /* transitions sorted by head */
	guint32 *into_firsts;   /* [n_states + 1] */
} Transitions;

static void transitions_done(Transitions *transitions)
{
	g_free(transitions->tails);
	g_free(transitions->heads);
	g_free(transitions->classes);
	g_free(transitions->into);
	g_free(transitions->into_firsts);
}

static void sort_by_head(Transitions *transitions, guint32 n_states)
{
	guint32 *firsts = g_new0(guint32, (gsize)n_states + 2);
	transitions->into = g_new(guint32, (gsize)transitions->n + 1);
	for (guint32 i = 0; i < transitions->n; i++)
		firsts[transitions->heads[i] + 2]++;
	for (guint32 state = 0; state < n_states; state++)
		firsts[state + 2] += firsts[state + 1];
	for (guint32 i = 0; i < transitions->n; i++)
		transitions->into[firsts[transitions->heads[i] + 1]++] = i;
	transitions->into_firsts = firsts;
}

/* All transitions but those to state 0 and those of states that are not `live` (NULL: all are). */
static void find_transitions(Transitions *transitions, const WeftDfa *dfa, const guint8 *live)
{
	guint32 n = 0;
	for (gsize i = 0; i < (gsize)dfa->n_states * dfa->n_classes; i++)
		n += dfa->next[i] != 0;
	transitions->tails = g_new(guint32, (gsize)n + 1);
	transitions->heads = g_new(guint32, (gsize)n + 1);
	transitions->classes = g_new(guint32, (gsize)n + 1);
	transitions->n = 0;
	for (guint32 class_id = 0; class_id < dfa->n_classes; class_id++)
		for (guint32 state = 1; state < dfa->n_states; state++) {
			guint32 head = dfa->next[(gsize)state * dfa->n_classes + class_id];
			if (head == 0 || (live && (!live[state] || !live[head])))
				continue;
			transitions->tails[transitions->n] = state;
			transitions->heads[transitions->n] = head;
			transitions->classes[transitions->n++] = class_id;
		}
	sort_by_head(transitions, dfa->n_states);
}

/* States from which an accepting one can be reached. All of them are reachable by construction. */
static guint8 *find_live(const WeftDfa *dfa)
{
	Transitions all = {0};
	guint8 *live = g_new0(guint8, dfa->n_states);
	guint32 *stack = g_new(guint32, dfa->n_states), n = 0;
	find_transitions(&all, dfa, NULL);
	for (guint32 state = 1; state < dfa->n_states; state++)
		if (dfa->accepts[state]) {
			live[state] = 1;
			stack[n++] = state;
		}
	while (n > 0) {
		guint32 head = stack[--n];
		for (guint32 i = all.into_firsts[head]; i < all.into_firsts[head + 1]; i++) {
			guint32 tail = all.tails[all.into[i]];
			if (live[tail])
				continue;
			live[tail] = 1;
			stack[n++] = tail;
		}
	}
	transitions_done(&all);
	g_free(stack);
	return live;
}

/* Transitions in one block for each class. */
static void init_cords(Blocks *cords, const Transitions *transitions)
{
	blocks_init(cords, transitions->n);
	if (transitions->n == 0)
		return;
	cords->n_blocks = 0;
	for (guint32 i = 0; i < transitions->n; i++) {
		if (i > 0 && transitions->classes[i] != transitions->classes[i - 1]) {
			cords->ends[cords->n_blocks++] = i;
			cords->firsts[cords->n_blocks] = i;
		}
		cords->block_of[i] = cords->n_blocks;
	}
	cords->ends[cords->n_blocks++] = transitions->n;
}

static void refine(Blocks *states, Blocks *cords, const Transitions *transitions)
{
	guint32 block = 1;
	for (guint32 cord = 0; cord < cords->n_blocks; cord++) {
		for (guint32 i = cords->firsts[cord]; i < cords->ends[cord]; i++)
			mark(states, transitions->tails[cords->elements[i]]);
		split(states);
		for (; block < states->n_blocks; block++) {
			for (guint32 i = states->firsts[block]; i < states->ends[block]; i++) {
				guint32 head = states->elements[i];
				for (guint32 j = transitions->into_firsts[head];
				     j < transitions->into_firsts[head + 1]; j++)
					mark(cords, transitions->into[j]);
			}
			split(cords);
		}
	}
}

/* Classes that do the same in all states of the new automaton become one: *ret_map [n_classes]. */
static guint32 merge_classes(const guint32 *next, guint32 n_states, guint32 n_classes,
			     guint32 **ret_map)
{
	guint32 *map = g_new(guint32, n_classes), n = 0;
	g_autoptr(GHashTable) known = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
							    (GDestroyNotify)g_bytes_unref, NULL);
	for (guint32 class_id = 0; class_id < n_classes; class_id++) {
		guint32 *column = g_new(guint32, n_states);
		for (guint32 state = 0; state < n_states; state++)
			column[state] = next[(gsize)state * n_classes + class_id];
		GBytes *key = g_bytes_new_take(column, n_states * sizeof(guint32));
		guint32 id = GPOINTER_TO_UINT(g_hash_table_lookup(known, key));
		if (id > 0) {
			g_bytes_unref(key);
		} else {
			id = ++n;
			g_hash_table_insert(known, key, GUINT_TO_POINTER(id));
		}
		map[class_id] = id - 1;
	}
	*ret_map = map;
	return n;
}

/* Numbers the blocks in the order in which they are reached; returns how many, the dead one
 * included. *ret_table: [n * n_classes], *ret_members: a state of each. */
static guint32 number_blocks(const WeftDfa *dfa, const Blocks *states, const guint8 *live,
			     guint32 **ret_table, guint32 **ret_members)
{
	guint32 *ids = g_new0(guint32, (gsize)states->n_blocks + 1), n = 1;
	guint32 *members = g_new0(guint32, (gsize)states->n_blocks + 2);
	guint32 *table = g_new0(guint32, ((gsize)states->n_blocks + 2) * dfa->n_classes);
	if (live[dfa->start]) {
		ids[states->block_of[dfa->start]] = n;
		members[n++] = dfa->start;
	}
	for (guint32 id = 1; id < n; id++)
		for (guint32 class_id = 0; class_id < dfa->n_classes; class_id++) {
			guint32 head = dfa->next[(gsize)members[id] * dfa->n_classes + class_id];
			if (head == 0 || !live[head])
				continue;
			guint32 *to = &ids[states->block_of[head]];
			if (*to == 0) {
				*to = n;
				members[n++] = head;
			}
			table[(gsize)id * dfa->n_classes + class_id] = *to;
		}
	g_free(ids);
	*ret_table = table;
	*ret_members = members;
	return n;
}

static WeftDfa *join_blocks(const WeftDfa *dfa, const Blocks *states, const guint8 *live)
{
	guint32 *table, *members, *map;
	guint32 n_states = number_blocks(dfa, states, live, &table, &members);
	guint32 n_classes = merge_classes(table, n_states, dfa->n_classes, &map);
	WeftDfa *out = weft_dfa_alloc(n_states, n_classes);
	out->start = n_states > 1 ? 1 : 0;
	for (guint32 state = 0; state < n_states; state++) {
		out->accepts[state] = state > 0 && dfa->accepts[members[state]];
		for (guint32 class_id = 0; class_id < dfa->n_classes; class_id++)
			out->next[(gsize)state * n_classes + map[class_id]] =
				table[(gsize)state * dfa->n_classes + class_id];
	}
	for (guint i = 0; i < dfa->runs->len; i++) {
		const WeftClassRun *run = &g_array_index(dfa->runs, WeftClassRun, i);
		weft_class_runs_add(out->runs, run->first, map[run->class_id]);
	}
	g_free(table);
	g_free(members);
	g_free(map);
	return out;
}

WeftDfa *weft_dfa_smallest(const WeftDfa *dfa, WeftFuel *fuel, GError **error)
{
	Transitions transitions = {0};
	Blocks states, cords;
	gsize n_places = (gsize)dfa->n_states * dfa->n_classes;
	/* n log n, as most automata take less. */
	if (!weft_fuel_spend(fuel, 4 * n_places, error))
		return NULL;
	guint8 *live = find_live(dfa);
	find_transitions(&transitions, dfa, live);
	blocks_init(&states, dfa->n_states);
	/* The dead states are one block, and have no part in what follows. */
	for (guint32 state = 0; state < dfa->n_states; state++)
		if (live[state] && dfa->accepts[state])
			mark(&states, state);
	split(&states);
	for (guint32 state = 0; state < dfa->n_states; state++)
		if (!live[state])
			mark(&states, state);
	split(&states);
	init_cords(&cords, &transitions);
	refine(&states, &cords, &transitions);
	WeftDfa *smallest = join_blocks(dfa, &states, live);
	transitions_done(&transitions);
	blocks_done(&states);
	blocks_done(&cords);
	g_free(live);
	return smallest;
}
