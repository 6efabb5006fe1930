#include "schema/vocabulary.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

#define NODES_MAX 0xffffffu

gboolean weft_word_is_usable(const WeftWord *word)
{
	if (word->size_bytes == 0 || word->size_bytes > WEFT_WORD_BYTES_MAX)
		return FALSE;
	for (guint32 i = 0; i < word->size_bytes; i++)
		if ((guint8)word->bytes[i] < 0x20)
			return FALSE;
	return TRUE;
}

/* The characters of a safe word, or -1. */
static int safe_chars(const WeftWord *word)
{
	const guint8 *p = (const guint8 *)word->bytes, *end = p + word->size_bytes;
	int n = 0;
	for (; p < end; n++) {
		gboolean is_valid;
		if (*p == '"' || *p == '\\')
			return -1;
		p += weft_utf8_step(p, end, &is_valid);
		if (!is_valid)
			return -1;
	}
	return n;
}

/* Characters of a word, of which its ends may be parts. */
static guint32 n_chars_of(const WeftWord *word)
{
	guint32 n = 0;
	for (guint32 i = 0; i < word->size_bytes; i++)
		n += i == 0 || ((guint8)word->bytes[i] & 0xc0) != 0x80;
	return n;
}

static void count_most(WeftVocabulary *vocabulary, const WeftWord *word)
{
	guint32 n_opened = 0, n_closed = 0, n_items = 0;
	for (guint32 i = 0; i < word->size_bytes; i++) {
		char byte = word->bytes[i];
		n_opened += byte == '[' || byte == '{';
		n_closed += byte == ']' || byte == '}';
		/* An item of an array or map begins behind a comma or a bracket. */
		n_items += (byte == ',' && (i == 0 || word->bytes[i - 1] != ',')) || byte == '[' ||
			   byte == '{';
	}
	vocabulary->n_chars_max = MAX(vocabulary->n_chars_max, n_chars_of(word));
	vocabulary->n_opened_max = MAX(vocabulary->n_opened_max, n_opened);
	vocabulary->n_closed_max = MAX(vocabulary->n_closed_max, n_closed);
	vocabulary->n_items_max = MAX(vocabulary->n_items_max, n_items + 1);
}

typedef struct Sorted {
	const WeftWord *words;
	guint32 *ids;
	gsize n;
} Sorted;

static gint compare_words(gconstpointer a, gconstpointer b, gpointer data)
{
	const WeftWord *words = data;
	guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;
	const WeftWord *p = &words[x], *q = &words[y];
	int order = memcmp(p->bytes, q->bytes, MIN(p->size_bytes, q->size_bytes));
	if (order != 0)
		return order;
	if (p->size_bytes != q->size_bytes)
		return p->size_bytes < q->size_bytes ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Ends the nodes of the path that are deeper than `depth`. */
static void end_nodes(WeftTrie *trie, const guint32 *path, guint32 *n_path, guint32 depth)
{
	while (*n_path > depth)
		trie->nodes[path[--*n_path]].next = trie->n_nodes & NODES_MAX;
}

/* FALSE: too many nodes. Of words with equal bytes the first is in the trie. */
static gboolean trie_build(WeftTrie *trie, const Sorted *sorted, gint32 *same)
{
	guint32 path[WEFT_WORD_BYTES_MAX], n_path = 0, last = 0;
	gsize n_most = 0;
	for (gsize i = 0; i < sorted->n; i++)
		n_most += sorted->words[sorted->ids[i]].size_bytes;
	trie->nodes = g_new(WeftTrieNode, MIN(n_most, (gsize)NODES_MAX));
	for (gsize i = 0; i < sorted->n; i++) {
		const WeftWord *word = &sorted->words[sorted->ids[i]];
		guint32 shared = 0;
		while (shared < n_path && shared < word->size_bytes &&
		       trie->nodes[path[shared]].byte == (guint8)word->bytes[shared])
			shared++;
		end_nodes(trie, path, &n_path, shared);
		if (shared == word->size_bytes) {
			/* Sorted, so it is the word before once more. */
			if (same)
				same[last] = (gint32)sorted->ids[i];
			last = sorted->ids[i];
			continue;
		}
		for (; n_path < word->size_bytes; n_path++) {
			if (trie->n_nodes == NODES_MAX)
				return FALSE;
			path[n_path] = trie->n_nodes;
			trie->nodes[trie->n_nodes++] = (WeftTrieNode){
				.id = WEFT_TRIE_NONE,
				.byte = (guint8)word->bytes[n_path],
				.depth = (n_path + 1) & 0xff,
			};
		}
		last = sorted->ids[i];
		trie->nodes[path[n_path - 1]].id = last & NODES_MAX;
	}
	end_nodes(trie, path, &n_path, 0);
	trie->nodes = g_renew(WeftTrieNode, trie->nodes, MAX(trie->n_nodes, 1));
	return TRUE;
}

/* Which numbers of characters make a difference: those of safe words, and each up to the longest of
 * the others, which may leave the string behind any of their characters. */
static void find_steps(WeftVocabulary *vocabulary, const WeftWord *words, const int *chars)
{
	g_autofree guint8 *counts = g_new0(guint8, WEFT_WORD_BYTES_MAX + 1);
	counts[0] = 1;
	for (gsize i = 0; i < vocabulary->n_tokens; i++) {
		if (chars[i] >= 0)
			counts[chars[i]] = 1;
		else if (chars[i] == -1)
			memset(counts, 1, n_chars_of(&words[i]) + 1);
	}
	vocabulary->steps = g_new(guint32, WEFT_WORD_BYTES_MAX + 1);
	for (guint32 n = 0; n <= WEFT_WORD_BYTES_MAX; n++)
		if (counts[n])
			vocabulary->steps[vocabulary->n_steps++] = n;
}

static void fill_safe(WeftVocabulary *vocabulary, const int *chars)
{
	vocabulary->safe = g_new(guint64 *, vocabulary->n_steps);
	for (guint step = 0; step < vocabulary->n_steps; step++)
		vocabulary->safe[step] = g_new0(guint64, vocabulary->n_words);
	for (gsize id = 0; id < vocabulary->n_tokens; id++)
		if (chars[id] >= 0)
			vocabulary->safe[weft_vocabulary_step(vocabulary, (guint32)chars[id])]
					[id / 64] |= (guint64)1 << (id % 64);
	for (guint step = 1; step < vocabulary->n_steps; step++)
		for (gsize i = 0; i < vocabulary->n_words; i++)
			vocabulary->safe[step][i] |= vocabulary->safe[step - 1][i];
}

static gboolean has_twins(const WeftWord *words, const Sorted *sorted)
{
	for (gsize i = 1; i < sorted->n; i++) {
		const WeftWord *a = &words[sorted->ids[i - 1]], *b = &words[sorted->ids[i]];
		if (a->size_bytes == b->size_bytes && memcmp(a->bytes, b->bytes, a->size_bytes) == 0)
			return TRUE;
	}
	return FALSE;
}

WeftVocabulary *weft_vocabulary_new(const WeftWord *words, gsize n_tokens, GError **error)
{
	g_autoptr(WeftVocabulary) vocabulary = g_new0(WeftVocabulary, 1);
	gboolean fits = n_tokens < NODES_MAX;
	g_autofree guint32 *ids = g_new(guint32, fits ? n_tokens + 1 : 1);
	g_autofree int *chars = g_new(int, fits ? n_tokens + 1 : 1); /* -1: not safe, -2: not used */
	Sorted sorted = {words, ids, 0};

	vocabulary->n_tokens = fits ? n_tokens : 0;
	vocabulary->n_words = (vocabulary->n_tokens + 63) / 64;
	for (gsize id = 0; id < vocabulary->n_tokens; id++) {
		chars[id] = -2;
		if (!weft_word_is_usable(&words[id]))
			continue;
		chars[id] = safe_chars(&words[id]);
		ids[sorted.n++] = (guint32)id;
		count_most(vocabulary, &words[id]);
	}
	if (sorted.n > 1)
		g_qsort_with_data(ids, (gint)sorted.n, sizeof(guint32), compare_words,
				  (gpointer)words);
	if (has_twins(words, &sorted)) {
		vocabulary->same = g_new(gint32, n_tokens);
		memset(vocabulary->same, 0xff, n_tokens * sizeof(gint32)); /* -1 */
	}
	fits = fits && trie_build(&vocabulary->all, &sorted, vocabulary->same);
	gsize n_crossing = 0;
	for (gsize i = 0; i < sorted.n; i++)
		if (chars[ids[i]] == -1)
			ids[n_crossing++] = ids[i];
	sorted.n = n_crossing;
	fits = fits && trie_build(&vocabulary->crossing, &sorted, NULL);
	if (!fits) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "vocabulary of %" G_GSIZE_FORMAT " tokens, limit 2^24 of them and of "
			    "the nodes of their trie",
			    n_tokens);
		return NULL;
	}
	find_steps(vocabulary, words, chars);
	fill_safe(vocabulary, chars);
	return g_steal_pointer(&vocabulary);
}

void weft_vocabulary_free(WeftVocabulary *vocabulary)
{
	if (!vocabulary)
		return;
	for (guint step = 0; vocabulary->safe && step < vocabulary->n_steps; step++)
		g_free(vocabulary->safe[step]);
	g_free(vocabulary->safe);
	g_free(vocabulary->steps);
	g_free(vocabulary->same);
	g_free(vocabulary->all.nodes);
	g_free(vocabulary->crossing.nodes);
	g_free(vocabulary);
}

guint weft_vocabulary_step(const WeftVocabulary *vocabulary, guint32 n_chars)
{
	guint first = 0, end = vocabulary->n_steps;
	while (end - first > 1) {
		guint middle = (first + end) / 2;
		if (vocabulary->steps[middle] <= n_chars)
			first = middle;
		else
			end = middle;
	}
	return first;
}
