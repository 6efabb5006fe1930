#include <string.h>

#include "bundle/bpe.h"

#define SLOTS_FIRST 1024
#define NONE G_MAXUINT32
#define ARITY 4 /* children of a place in the heap: half the cache misses of 2 */
#define SHORT_SYMBOLS 32 /* measured: beyond about 40 the heap is faster */

typedef struct Merge {
	gint32 left, right; /* left -1: a free slot */
	gint32 result;
	guint32 rank;
} Merge;

struct WeftBpe {
	Merge *slots; /* open addressing, at most half full */
	gsize n_slots, n_used; /* n_slots is a power of two */
};

/* A token of the piece so far; they form a list in the order of the text. */
typedef struct Link {
	gint32 id; /* -1: joined to its left neighbour */
	guint32 before, after;
} Link;

/* A merge that fitted when it was put in: stale when one of its symbols changed since. */
typedef struct Candidate {
	guint32 rank, at;
	gint32 left, right;
} Candidate;

static Merge *new_slots(gsize n_slots)
{
	Merge *slots = g_new(Merge, n_slots);
	memset(slots, 0xff, n_slots * sizeof *slots);
	return slots;
}

WeftBpe *weft_bpe_new(void)
{
	WeftBpe *bpe = g_new0(WeftBpe, 1);
	bpe->n_slots = SLOTS_FIRST;
	bpe->slots = new_slots(SLOTS_FIRST);
	return bpe;
}

void weft_bpe_free(WeftBpe *bpe)
{
	if (!bpe)
		return;
	g_free(bpe->slots);
	g_free(bpe);
}

static Merge *slot_of(const WeftBpe *bpe, gint32 left, gint32 right)
{
	guint64 hash = ((guint64)(guint32)left << 32 | (guint32)right) * 0x9e3779b97f4a7c15u;
	gsize slot = (hash ^ hash >> 29) & (bpe->n_slots - 1);
	while (bpe->slots[slot].left >= 0 &&
	       (bpe->slots[slot].left != left || bpe->slots[slot].right != right))
		slot = (slot + 1) & (bpe->n_slots - 1);
	return &bpe->slots[slot];
}

void weft_bpe_add_merge(WeftBpe *bpe, gint32 left, gint32 right, guint32 rank, gint32 result)
{
	Merge *slot = slot_of(bpe, left, right);
	gboolean is_new = slot->left < 0;
	*slot = (Merge){left, right, result, rank};
	if (!is_new || ++bpe->n_used <= bpe->n_slots / 2)
		return;
	g_autofree Merge *old = bpe->slots;
	gsize n_old = bpe->n_slots;
	bpe->n_slots *= 2;
	bpe->slots = new_slots(bpe->n_slots);
	for (gsize i = 0; i < n_old; i++) {
		if (old[i].left >= 0)
			*slot_of(bpe, old[i].left, old[i].right) = old[i];
	}
}

void weft_bpe_scratch_init(WeftBpeScratch *scratch)
{
	scratch->links = g_array_new(FALSE, FALSE, sizeof(Link));
	scratch->heap = g_array_new(FALSE, FALSE, sizeof(Candidate));
}

void weft_bpe_scratch_done(WeftBpeScratch *scratch)
{
	g_array_unref(scratch->links);
	g_array_unref(scratch->heap);
}

/* ---- short pieces ---- */

static void encode_short(const WeftBpe *bpe, const gint32 *symbols, gsize n, GArray *ids)
{
	gint32 left[SHORT_SYMBOLS];
	const Merge *merges[SHORT_SYMBOLS]; /* of each symbol with the next one */

	memcpy(left, symbols, n * sizeof *left);
	for (gsize i = 0; i + 1 < n; i++)
		merges[i] = slot_of(bpe, left[i], left[i + 1]);
	while (n > 1) {
		gsize best = n;
		guint32 rank = NONE;
		for (gsize i = 0; i + 1 < n; i++) {
			if (merges[i]->left >= 0 && (merges[i]->rank < rank || best == n)) {
				rank = merges[i]->rank;
				best = i;
			}
		}
		if (best == n)
			break;
		left[best] = merges[best]->result;
		n--;
		memmove(left + best + 1, left + best + 2, (n - best - 1) * sizeof *left);
		if (best + 1 < n) {
			memmove(merges + best + 1, merges + best + 2,
				(n - best - 2) * sizeof *merges);
			merges[best] = slot_of(bpe, left[best], left[best + 1]);
		}
		if (best > 0)
			merges[best - 1] = slot_of(bpe, left[best - 1], left[best]);
	}
	g_array_append_vals(ids, left, (guint)n);
}

/* ---- long pieces ---- */

static gboolean comes_before(const Candidate *a, const Candidate *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void heap_push(GArray *heap, Candidate candidate)
{
	g_array_append_val(heap, candidate);
	Candidate *items = (Candidate *)(gpointer)heap->data;
	gsize at = heap->len - 1;
	while (at > 0 && comes_before(&candidate, &items[(at - 1) / ARITY])) {
		items[at] = items[(at - 1) / ARITY];
		at = (at - 1) / ARITY;
	}
	items[at] = candidate;
}

static Candidate heap_pop(GArray *heap)
{
	Candidate *items = (Candidate *)(gpointer)heap->data;
	Candidate first = items[0], last = items[heap->len - 1];
	gsize n = heap->len - 1, at = 0;

	g_array_set_size(heap, (guint)n);
	for (gsize first_child = 1; first_child < n; first_child = ARITY * at + 1) {
		gsize child = first_child;
		for (gsize i = child + 1; i < MIN(first_child + ARITY, n); i++) {
			if (comes_before(&items[i], &items[child]))
				child = i;
		}
		if (!comes_before(&items[child], &last))
			break;
		items[at] = items[child];
		at = child;
	}
	if (n > 0)
		items[at] = last;
	return first;
}

static void push_pair(const WeftBpe *bpe, const Link *links, guint32 at, GArray *heap)
{
	if (at == NONE || links[at].after == NONE)
		return;
	gint32 left = links[at].id, right = links[links[at].after].id;
	const Merge *merge = slot_of(bpe, left, right);
	if (merge->left >= 0)
		heap_push(heap, (Candidate){merge->rank, at, left, right});
}

/* Joins the symbol at `at` with the one after it, unless the candidate is stale. */
static void join(const WeftBpe *bpe, Link *links, const Candidate *candidate, GArray *heap)
{
	Link *link = &links[candidate->at];
	if (link->id != candidate->left || link->after == NONE ||
	    links[link->after].id != candidate->right)
		return;
	Link *gone = &links[link->after];
	link->id = slot_of(bpe, candidate->left, candidate->right)->result;
	link->after = gone->after;
	gone->id = -1;
	if (link->after != NONE)
		links[link->after].before = candidate->at;
	push_pair(bpe, links, link->before, heap);
	push_pair(bpe, links, candidate->at, heap);
}

void weft_bpe_encode(const WeftBpe *bpe, const gint32 *symbols, gsize n_symbols,
		     WeftBpeScratch *scratch, GArray *ids)
{
	guint32 n = (guint32)n_symbols;

	if (n == 0)
		return;
	if (n <= SHORT_SYMBOLS) {
		encode_short(bpe, symbols, n, ids);
		return;
	}
	g_array_set_size(scratch->heap, 0);
	g_array_set_size(scratch->links, n);
	Link *links = (Link *)(gpointer)scratch->links->data;
	for (guint32 i = 0; i < n; i++)
		links[i] = (Link){symbols[i], i > 0 ? i - 1 : NONE, i + 1 < n ? i + 1 : NONE};
	for (guint32 i = 0; i + 1 < n; i++)
		push_pair(bpe, links, i, scratch->heap);
	while (scratch->heap->len > 0) {
		Candidate candidate = heap_pop(scratch->heap);
		join(bpe, links, &candidate, scratch->heap);
	}
	for (guint32 i = 0; i != NONE; i = links[i].after)
		g_array_append_val(ids, links[i].id);
}
