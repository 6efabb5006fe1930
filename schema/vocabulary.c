#include "schema/vocabulary.h"

#include <string.h>

#include "base/error.h"
#include "schema/free_text.h"

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

typedef enum {
	FOREIGN, /* can't come between two characters of a string */
	SAFE,
	INSIDE,
	EXIT,
} Sort;

/* A token as it is inside a string of any text. */
typedef struct Token {
	guint8 sort;      /* Sort; unused tokens are foreign */
	guint8 n_chars;   /* begun inside */
	guint8 exit;      /* EXIT: where what stands behind the quote begins */
} Token;

static Token token_of(const WeftWord *word)
{
	Token token = {.sort = SAFE};
	WeftFreeText text = {0};
	for (guint32 i = 0; i < word->size_bytes; i++) {
		guint8 byte = (guint8)word->bytes[i];
		if (byte == '"' && weft_free_text_is_between(&text)) {
			token.sort = EXIT;
			token.exit = (guint8)(i + 1);
			break;
		}
		if (byte == '\\')
			token.sort = INSIDE;
		if (!weft_free_text_step(&text, byte, G_MAXUINT32))
			return (Token){.sort = FOREIGN};
	}
	if (token.sort == SAFE && !weft_free_text_is_between(&text))
		token.sort = INSIDE;
	token.n_chars = (guint8)text.n;
	return token;
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

static gboolean same_bytes(const WeftWord *a, const WeftWord *b)
{
	return a->size_bytes == b->size_bytes && memcmp(a->bytes, b->bytes, a->size_bytes) == 0;
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
	for (guint byte = 0; byte < G_N_ELEMENTS(trie->roots); byte++)
		trie->roots[byte] = trie->n_nodes;
	for (guint32 i = 0; i < trie->n_nodes; i = trie->nodes[i].next)
		trie->roots[trie->nodes[i].byte] = i;
	trie->nodes = g_renew(WeftTrieNode, trie->nodes, MAX(trie->n_nodes, 1));
	return TRUE;
}

/* Which numbers of characters make a difference. */
static void find_steps(WeftVocabulary *vocabulary, const Token *tokens)
{
	guint8 counts[WEFT_WORD_BYTES_MAX + 1] = {1};
	for (gsize id = 0; id < vocabulary->n_tokens; id++)
		if (tokens[id].sort != FOREIGN)
			counts[tokens[id].n_chars] = 1;
	vocabulary->steps = g_new(guint32, WEFT_WORD_BYTES_MAX + 1);
	for (guint32 n = 0; n <= WEFT_WORD_BYTES_MAX; n++)
		if (counts[n])
			vocabulary->steps[vocabulary->n_steps++] = n;
}

static guint64 **sets_new(const WeftVocabulary *vocabulary)
{
	guint64 **sets = g_new(guint64 *, vocabulary->n_steps);
	for (guint step = 0; step < vocabulary->n_steps; step++)
		sets[step] = g_new0(guint64, vocabulary->n_words);
	return sets;
}

static void sets_free(guint64 **sets, guint n_steps)
{
	for (guint step = 0; sets && step < n_steps; step++)
		g_free(sets[step]);
	g_free(sets);
}

/* What may come where there is room for fewer characters may where there is for more. */
static void sets_sum(const WeftVocabulary *vocabulary, guint64 **sets)
{
	for (guint step = 1; step < vocabulary->n_steps; step++)
		for (gsize i = 0; i < vocabulary->n_words; i++)
			sets[step][i] |= sets[step - 1][i];
}

static void fill_sets(WeftVocabulary *vocabulary, const WeftWord *words, const Token *tokens)
{
	vocabulary->safe = sets_new(vocabulary);
	vocabulary->inside = sets_new(vocabulary);
	vocabulary->ended = sets_new(vocabulary);
	for (gsize id = 0; id < vocabulary->n_tokens; id++) {
		const Token *token = &tokens[id];
		guint64 bit = (guint64)1 << (id % 64);
		guint step = weft_vocabulary_step(vocabulary, token->n_chars);
		gboolean ends = token->sort == EXIT && token->exit == words[id].size_bytes;
		if (token->sort == SAFE)
			vocabulary->safe[step][id / 64] |= bit;
		if (token->sort == SAFE || token->sort == INSIDE)
			vocabulary->inside[step][id / 64] |= bit;
		if (token->sort == SAFE || token->sort == INSIDE || ends)
			vocabulary->ended[step][id / 64] |= bit;
	}
	sets_sum(vocabulary, vocabulary->safe);
	sets_sum(vocabulary, vocabulary->inside);
	sets_sum(vocabulary, vocabulary->ended);
}

/* `ids`: room for all of them. FALSE: too many nodes. */
static gboolean fill_exits(WeftVocabulary *vocabulary, const WeftWord *words, const Token *tokens,
			   guint32 *ids)
{
	g_autofree WeftWord *behind = g_new0(WeftWord, vocabulary->n_tokens);
	Sorted sorted = {behind, ids, 0};
	vocabulary->endings = g_new(WeftExit, vocabulary->n_tokens);
	for (gsize id = 0; id < vocabulary->n_tokens; id++) {
		const WeftWord *word = &words[id];
		guint8 at = tokens[id].exit;
		if (tokens[id].sort != EXIT)
			continue;
		behind[id] = (WeftWord){word->bytes + at, word->size_bytes - at};
		if (behind[id].size_bytes > 0)
			ids[sorted.n++] = (guint32)id;
		else
			vocabulary->endings[vocabulary->n_endings++] =
				(WeftExit){(gint32)id, tokens[id].n_chars};
	}
	if (sorted.n > 1)
		g_qsort_with_data(ids, (gint)sorted.n, sizeof(guint32), compare_words, behind);
	vocabulary->exit_tokens = g_new(WeftExit, sorted.n);
	vocabulary->exit_first = g_new(guint32, sorted.n + 1);
	g_autofree WeftWord *texts = g_new(WeftWord, sorted.n + 1);
	guint32 n_texts = 0;
	for (gsize i = 0; i < sorted.n; i++) {
		if (i == 0 || !same_bytes(&behind[ids[i]], &behind[ids[i - 1]])) {
			vocabulary->exit_first[n_texts] = (guint32)i;
			texts[n_texts++] = behind[ids[i]];
		}
		vocabulary->exit_tokens[i] = (WeftExit){(gint32)ids[i], tokens[ids[i]].n_chars};
	}
	vocabulary->exit_first[n_texts] = (guint32)sorted.n;
	for (guint32 i = 0; i < n_texts; i++)
		ids[i] = i;
	sorted = (Sorted){texts, ids, n_texts};
	return trie_build(&vocabulary->exits, &sorted, NULL);
}

static gboolean has_twins(const WeftWord *words, const Sorted *sorted)
{
	for (gsize i = 1; i < sorted->n; i++)
		if (same_bytes(&words[sorted->ids[i - 1]], &words[sorted->ids[i]]))
			return TRUE;
	return FALSE;
}

WeftVocabulary *weft_vocabulary_new(const WeftWord *words, gsize n_tokens, GError **error)
{
	g_autoptr(WeftVocabulary) vocabulary = g_new0(WeftVocabulary, 1);
	gboolean fits = n_tokens < NODES_MAX;
	g_autofree guint32 *ids = g_new(guint32, fits ? n_tokens + 1 : 1);
	g_autofree Token *tokens = g_new0(Token, fits ? n_tokens + 1 : 1);
	Sorted sorted = {words, ids, 0};

	vocabulary->n_tokens = fits ? n_tokens : 0;
	vocabulary->n_words = (vocabulary->n_tokens + 63) / 64;
	for (gsize id = 0; id < vocabulary->n_tokens; id++) {
		if (!weft_word_is_usable(&words[id]))
			continue;
		tokens[id] = token_of(&words[id]);
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
		if (tokens[ids[i]].sort != SAFE)
			ids[n_crossing++] = ids[i];
	sorted.n = n_crossing;
	fits = fits && trie_build(&vocabulary->crossing, &sorted, NULL) &&
	       fill_exits(vocabulary, words, tokens, ids);
	if (!fits) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "vocabulary of %" G_GSIZE_FORMAT " tokens, limit 2^24 of them and of "
			    "the nodes of their trie",
			    n_tokens);
		return NULL;
	}
	find_steps(vocabulary, tokens);
	fill_sets(vocabulary, words, tokens);
	return g_steal_pointer(&vocabulary);
}

void weft_vocabulary_free(WeftVocabulary *vocabulary)
{
	if (!vocabulary)
		return;
	sets_free(vocabulary->safe, vocabulary->n_steps);
	sets_free(vocabulary->inside, vocabulary->n_steps);
	sets_free(vocabulary->ended, vocabulary->n_steps);
	g_free(vocabulary->endings);
	g_free(vocabulary->exit_tokens);
	g_free(vocabulary->exit_first);
	g_free(vocabulary->exits.nodes);
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
