#include "schema/dfa.h"

#include <stdlib.h>
#include <string.h>

WeftDfa *weft_dfa_alloc(guint32 n_states, guint32 n_classes)
{
	WeftDfa *dfa = g_rc_box_new0(WeftDfa);
	dfa->n_states = n_states;
	dfa->n_classes = n_classes;
	dfa->next = g_new0(guint32, (gsize)n_states * n_classes);
	dfa->accepts = g_new0(guint8, n_states);
	dfa->runs = g_array_new(FALSE, FALSE, sizeof(WeftClassRun));
	return dfa;
}

WeftDfa *weft_dfa_ref(WeftDfa *dfa)
{
	return g_rc_box_acquire(dfa);
}

static void clear(gpointer data)
{
	WeftDfa *dfa = data;
	g_free(dfa->next);
	g_free(dfa->accepts);
	g_array_unref(dfa->runs);
}

void weft_dfa_unref(WeftDfa *dfa)
{
	if (dfa)
		g_rc_box_release_full(dfa, clear);
}

guint32 weft_dfa_class(const WeftDfa *dfa, guint32 character)
{
	guint low = 0, high = dfa->runs->len;
	while (high - low > 1) {
		guint middle = (low + high) / 2;
		if (g_array_index(dfa->runs, WeftClassRun, middle).first <= character)
			low = middle;
		else
			high = middle;
	}
	return g_array_index(dfa->runs, WeftClassRun, low).class_id;
}

void weft_class_runs_add(GArray *runs, guint32 first, guint32 class_id)
{
	WeftClassRun run = {first, class_id};
	if (runs->len == 0 || g_array_index(runs, WeftClassRun, runs->len - 1).class_id != class_id)
		g_array_append_val(runs, run);
}

WeftDfa *weft_dfa_of_length(guint32 length_min, guint32 length_max, WeftFuel *fuel, GError **error)
{
	gboolean is_open = length_max == G_MAXUINT32;
	guint32 last = is_open ? length_min : length_max;
	if (last + 2 > WEFT_DFA_STATES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "a length of %u cannot be counted together with these patterns, limit %u",
			    last, WEFT_DFA_STATES_MAX - 2);
		return NULL;
	}
	g_autoptr(WeftDfa) dfa = weft_dfa_alloc(last + 2, 1);
	weft_class_runs_add(dfa->runs, 1, 0);
	dfa->start = 1;
	for (guint32 n = 0; n <= last; n++) {
		dfa->accepts[1 + n] = n >= length_min && n <= length_max;
		dfa->next[1 + n] = n < last ? n + 2 : is_open ? n + 1 : 0;
	}
	return weft_dfa_smallest(dfa, fuel, error);
}

/* Characters into classes: those that the same sets have. */
typedef struct Classes {
	GArray *runs;           /* of WeftClassRun */
	guint32 n;
	GPtrArray *of_set;      /* of GArray of guint32: the classes of each set */
} Classes;

typedef struct Turn {
	guint32 at, set;        /* here the set begins or ends */
} Turn;

static int compare_turns(gconstpointer a, gconstpointer b)
{
	guint32 first = ((const Turn *)a)->at, second = ((const Turn *)b)->at;
	return first < second ? -1 : first > second;
}

static GArray *all_turns(const GPtrArray *sets)
{
	GArray *turns = g_array_new(FALSE, FALSE, sizeof(Turn));
	for (guint32 set = 0; set < sets->len; set++) {
		const GArray *ranges = g_ptr_array_index(sets, set);
		for (guint i = 0; i < ranges->len; i++) {
			const WeftRange *range = &g_array_index(ranges, WeftRange, i);
			Turn first = {range->first, set}, last = {range->last + 1, set};
			/* Nobody writes what is in a gap: a set goes on behind it, if it does. */
			WeftRange gap = weft_charset_gap(last.at);
			if (last.at == gap.first)
				last.at = gap.last + 1;
			g_array_append_val(turns, first);
			g_array_append_val(turns, last);
		}
	}
	qsort(turns->data, turns->len, sizeof(Turn), compare_turns);
	return turns;
}

/* The class of the sets in `members` (bits), a new one when they are. */
static guint32 class_of(Classes *classes, GHashTable *known, const GByteArray *members)
{
	GBytes *key = g_bytes_new(members->data, members->len);
	guint32 id = GPOINTER_TO_UINT(g_hash_table_lookup(known, key));
	if (id > 0) {
		g_bytes_unref(key);
		return id - 1;
	}
	id = classes->n++;
	g_hash_table_insert(known, key, GUINT_TO_POINTER(id + 1));
	for (guint32 set = 0; set < classes->of_set->len; set++)
		if (members->data[set / 8] >> set % 8 & 1)
			g_array_append_val((GArray *)g_ptr_array_index(classes->of_set, set), id);
	return id;
}

static gboolean find_classes(Classes *classes, const GPtrArray *sets, WeftFuel *fuel, GError **error)
{
	g_autoptr(GArray) turns = all_turns(sets);
	g_autoptr(GByteArray) members = g_byte_array_new();
	g_autoptr(GHashTable) known = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
							    (GDestroyNotify)g_bytes_unref, NULL);
	g_byte_array_set_size(members, sets->len / 8 + 1);
	memset(members->data, 0, members->len);
	for (guint i = 0; i < sets->len; i++)
		g_ptr_array_add(classes->of_set, g_array_new(FALSE, FALSE, sizeof(guint32)));
	guint i = 0;
	guint32 at = 1;
	while (at <= WEFT_CHARSET_LAST) {
		for (; i < turns->len && g_array_index(turns, Turn, i).at == at; i++) {
			guint32 set = g_array_index(turns, Turn, i).set;
			members->data[set / 8] ^= (guint8)(1u << set % 8);
		}
		if (!weft_fuel_spend(fuel, sets->len / 8 + 8, error))
			return FALSE;
		weft_class_runs_add(classes->runs, at, class_of(classes, known, members));
		at = i < turns->len ? g_array_index(turns, Turn, i).at : WEFT_CHARSET_LAST + 1;
	}
	return TRUE;
}

/* Sets of states, kept once each. */
typedef struct Subsets {
	GArray *members;        /* guint32, sorted within each subset */
	GArray *firsts;         /* guint32 [n + 1] */
	guint32 *table;         /* [n_slots]: subset + 1 */
	guint32 n_slots;
} Subsets;

static guint32 hash_of(const guint32 *members, guint n)
{
	guint32 hash = 2166136261u;
	for (guint i = 0; i < n; i++)
		hash = (hash ^ members[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static guint n_subsets(const Subsets *subsets)
{
	return subsets->firsts->len - 1;
}

/* The number of the subset; adds it when it is new. */
static guint32 intern(Subsets *subsets, const GArray *bucket)
{
	const guint32 *members = (const guint32 *)(const void *)bucket->data;
	guint32 slot = hash_of(members, bucket->len) & (subsets->n_slots - 1);
	for (; subsets->table[slot] != 0; slot = (slot + 1) & (subsets->n_slots - 1)) {
		guint32 id = subsets->table[slot] - 1;
		guint32 first = g_array_index(subsets->firsts, guint32, id);
		guint32 n = g_array_index(subsets->firsts, guint32, id + 1) - first;
		if (n == bucket->len &&
		    (n == 0 || memcmp(&g_array_index(subsets->members, guint32, first), members,
				      n * sizeof(guint32)) == 0))
			return id;
	}
	g_array_append_vals(subsets->members, members, bucket->len);
	g_array_append_val(subsets->firsts, subsets->members->len);
	subsets->table[slot] = n_subsets(subsets);
	return n_subsets(subsets) - 1;
}

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	guint32 first = *(const guint32 *)a, second = *(const guint32 *)b;
	return first < second ? -1 : first > second;
}

/* Sorted, each member once: `bits`, all clear, has one for each that there may be. */
static void order_large(GArray *bucket, guint64 *bits, guint n_words)
{
	for (guint i = 0; i < bucket->len; i++) {
		guint32 member = g_array_index(bucket, guint32, i);
		bits[member / 64] |= G_GUINT64_CONSTANT(1) << member % 64;
	}
	g_array_set_size(bucket, 0);
	for (guint word = 0; word < n_words; word++)
		for (; bits[word] != 0; bits[word] &= bits[word] - 1) {
			guint32 member = word * 64 + (guint32)__builtin_ctzll(bits[word]);
			g_array_append_val(bucket, member);
		}
}

static void order_small(GArray *bucket)
{
	guint32 *members = (guint32 *)(void *)bucket->data;
	guint n = 0;
	if (bucket->len < 2)
		return;
	qsort(members, bucket->len, sizeof(guint32), compare_numbers);
	for (guint i = 1; i < bucket->len; i++)
		if (members[i] != members[n])
			members[++n] = members[i];
	g_array_set_size(bucket, n + 1);
}

typedef struct Determiner {
	const WeftNfa *nfa;
	Classes classes;
	Subsets subsets;
	GPtrArray *buckets;     /* [n_classes] of GArray of guint32 */
	GArray *next;           /* guint32 [n_subsets * n_classes] */
	GByteArray *accepts;
	guint32 any;            /* the one state that stands for all with is_any */
	guint64 *bits;          /* [n_words], all clear: one for each state of the nfa */
	guint n_words;
	WeftFuel *fuel;
	GError **error;
} Determiner;

static guint32 find_any(const WeftNfa *nfa)
{
	for (guint32 state = 0; state < nfa->n_states; state++)
		if (nfa->is_any->data[state])
			return state;
	return WEFT_NFA_NONE;
}

/* Where the subset leads with each class. */
static gboolean fill_buckets(Determiner *determiner, guint32 subset)
{
	const WeftNfa *nfa = determiner->nfa;
	guint32 first = g_array_index(determiner->subsets.firsts, guint32, subset);
	guint32 last = g_array_index(determiner->subsets.firsts, guint32, subset + 1);
	for (guint32 i = first; i < last; i++) {
		guint32 state = g_array_index(determiner->subsets.members, guint32, i);
		guint32 edge = g_array_index(nfa->firsts, guint32, state);
		for (; edge < g_array_index(nfa->firsts, guint32, state + 1); edge++) {
			const WeftNfaEdge *e = &g_array_index(nfa->edges, WeftNfaEdge, edge);
			const GArray *ids = g_ptr_array_index(determiner->classes.of_set, e->set);
			if (!weft_fuel_spend(determiner->fuel, ids->len + 1, determiner->error))
				return FALSE;
			for (guint c = 0; c < ids->len; c++)
				g_array_append_val(
					(GArray *)g_ptr_array_index(determiner->buckets,
								    g_array_index(ids, guint32, c)),
					e->target);
		}
	}
	return TRUE;
}

/* A subset with a state that accepts whatever follows is that state alone. */
static void reduce_any(const Determiner *determiner, GArray *bucket)
{
	for (guint i = 0; i < bucket->len; i++)
		if (determiner->nfa->is_any->data[g_array_index(bucket, guint32, i)]) {
			g_array_set_size(bucket, 0);
			g_array_append_val(bucket, determiner->any);
			return;
		}
}

static gboolean subset_accepts(const Determiner *determiner, guint32 subset)
{
	guint32 first = g_array_index(determiner->subsets.firsts, guint32, subset);
	guint32 last = g_array_index(determiner->subsets.firsts, guint32, subset + 1);
	for (guint32 i = first; i < last; i++)
		if (determiner->nfa->accepts
			    ->data[g_array_index(determiner->subsets.members, guint32, i)])
			return TRUE;
	return FALSE;
}

static gboolean determine_subset(Determiner *determiner, guint32 subset)
{
	guint8 accepts = subset_accepts(determiner, subset);
	g_byte_array_append(determiner->accepts, &accepts, 1);
	if (!fill_buckets(determiner, subset))
		return FALSE;
	for (guint32 c = 0; c < determiner->classes.n; c++) {
		GArray *bucket = g_ptr_array_index(determiner->buckets, c);
		if (!weft_fuel_spend(determiner->fuel, 4 * (gsize)bucket->len + 4, determiner->error))
			return FALSE;
		reduce_any(determiner, bucket);
		if (bucket->len > 8 && bucket->len > determiner->n_words / 8)
			order_large(bucket, determiner->bits, determiner->n_words);
		else
			order_small(bucket);
		guint32 target = intern(&determiner->subsets, bucket);
		g_array_append_val(determiner->next, target);
		g_array_set_size(bucket, 0);
	}
	if (n_subsets(&determiner->subsets) > WEFT_DFA_STATES_MAX) {
		g_set_error(determiner->error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "the pattern has more than %u states; write ^ and $ at its ends, or "
			    "shorter repetitions",
			    WEFT_DFA_STATES_MAX);
		return FALSE;
	}
	return TRUE;
}

static gboolean determine(Determiner *determiner)
{
	guint32 zero = 0;
	g_autoptr(GArray) bucket = g_array_new(FALSE, FALSE, sizeof(guint32));
	if (!find_classes(&determiner->classes, determiner->nfa->sets, determiner->fuel,
			  determiner->error))
		return FALSE;
	for (guint32 c = 0; c < determiner->classes.n; c++)
		g_ptr_array_add(determiner->buckets, g_array_new(FALSE, FALSE, sizeof(guint32)));
	g_array_append_val(determiner->subsets.firsts, zero);
	intern(&determiner->subsets, bucket); /* the empty one: dead */
	g_array_append_val(bucket, zero);
	reduce_any(determiner, bucket);
	intern(&determiner->subsets, bucket);
	for (guint32 subset = 0; subset < n_subsets(&determiner->subsets); subset++)
		if (!determine_subset(determiner, subset))
			return FALSE;
	return TRUE;
}

static WeftDfa *take_determined(Determiner *determiner)
{
	WeftDfa *dfa = weft_dfa_alloc(n_subsets(&determiner->subsets), determiner->classes.n);
	dfa->start = 1;
	memcpy(dfa->next, determiner->next->data, determiner->next->len * sizeof(guint32));
	memcpy(dfa->accepts, determiner->accepts->data, determiner->accepts->len);
	g_array_append_vals(dfa->runs, determiner->classes.runs->data, determiner->classes.runs->len);
	return dfa;
}

WeftDfa *weft_dfa_of_nfa(const WeftNfa *nfa, WeftFuel *fuel, GError **error)
{
	Determiner determiner = {.nfa = nfa, .any = find_any(nfa), .fuel = fuel, .error = error};
	g_autoptr(WeftDfa) dfa = NULL;
	determiner.classes.runs = g_array_new(FALSE, FALSE, sizeof(WeftClassRun));
	determiner.classes.of_set = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	determiner.subsets.members = g_array_new(FALSE, FALSE, sizeof(guint32));
	determiner.subsets.firsts = g_array_new(FALSE, FALSE, sizeof(guint32));
	/* Half full at most: one state's subsets may be beyond the limit. */
	determiner.subsets.n_slots = 1u << 16;
	determiner.subsets.table = g_new0(guint32, determiner.subsets.n_slots);
	determiner.buckets = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	determiner.next = g_array_new(FALSE, FALSE, sizeof(guint32));
	determiner.accepts = g_byte_array_new();
	determiner.n_words = nfa->n_states / 64 + 1;
	determiner.bits = g_new0(guint64, determiner.n_words);
	if (determine(&determiner))
		dfa = take_determined(&determiner);
	g_array_unref(determiner.classes.runs);
	g_ptr_array_unref(determiner.classes.of_set);
	g_array_unref(determiner.subsets.members);
	g_array_unref(determiner.subsets.firsts);
	g_free(determiner.subsets.table);
	g_ptr_array_unref(determiner.buckets);
	g_array_unref(determiner.next);
	g_byte_array_unref(determiner.accepts);
	g_free(determiner.bits);
	return dfa ? weft_dfa_smallest(dfa, fuel, error) : NULL;
}
