#include "encoders/word_split.h"

#include <string.h>

#include "base/utf8.h"
#include "encoders/whisper_text.h"

#define REPLACEMENT 0xfffd

/* The reference asks whether a word is a piece of these strings: an empty one is. */
static const char ascii_marks[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
static const char opening_marks[] = "\"'“¿([{-";
static const char closing_marks[] = "\"'.。,，!！?？:：”)]}、";
static const char ending_marks[] = ".。!！?？";

static void clear_word(gpointer word)
{
	g_free(((WeftTimedWord *)word)->text);
}

GArray *weft_timed_words_new(void)
{
	GArray *words = g_array_new(FALSE, TRUE, sizeof(WeftTimedWord));

	g_array_set_clear_func(words, clear_word);
	return words;
}

static gboolean writes_no_blanks(const char *language)
{
	static const char *const languages[] = { "zh", "ja", "th", "lo", "my", "yue", NULL };

	return language && g_strv_contains(languages, language);
}

static gboolean is_mark(const char *marks, const char *text)
{
	const char *first;
	gsize size_bytes;

	weft_whisper_text_strip(text, strlen(text), &first, &size_bytes);
	g_autofree char *stripped = g_strndup(first, size_bytes);

	return strstr(marks, stripped) != NULL;
}

/* Whether the ids are whole characters: no U+FFFD, or one that stands in the whole text, too. */
static gboolean is_whole(const char *text, const gunichar *all, glong n_all, glong offset)
{
	for (glong i = 0; *text; text = g_utf8_next_char(text), i++)
		if (g_utf8_get_char(text) == REPLACEMENT)
			return offset + i < n_all && all[offset + i] == REPLACEMENT;
	return TRUE;
}

/* Pieces of whole characters. */
static GArray *split_on_characters(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids)
{
	g_autoptr(GString) whole = g_string_new(NULL);
	GArray *pieces = weft_timed_words_new();
	glong n_all, offset = 0;
	gsize first = 0;

	weft_whisper_text_append(tokens, ids, n_ids, whole);
	g_autofree gunichar *all = g_utf8_to_ucs4_fast(whole->str, (glong)whole->len, &n_all);

	for (gsize end = 1; end <= n_ids; end++) {
		g_autoptr(GString) text = g_string_new(NULL);

		weft_whisper_text_append(tokens, ids + first, end - first, text);
		if (end < n_ids && !is_whole(text->str, all, n_all, offset))
			continue;
		offset += g_utf8_strlen(text->str, (gssize)text->len);
		WeftTimedWord piece = { .text = g_strdup(text->str),
					.token_first = first,
					.n_tokens = end - first };

		g_array_append_val(pieces, piece);
		first = end;
	}
	return pieces;
}

GArray *weft_word_split(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids,
			const char *language)
{
	g_autoptr(GArray) pieces = split_on_characters(tokens, ids, n_ids);

	if (writes_no_blanks(language))
		return g_steal_pointer(&pieces);
	GArray *words = weft_timed_words_new();

	for (guint i = 0; i < pieces->len; i++) {
		WeftTimedWord *piece = &g_array_index(pieces, WeftTimedWord, i);

		if (words->len == 0 || piece->text[0] == ' ' || is_mark(ascii_marks, piece->text)) {
			g_array_append_val(words, *piece);
			piece->text = NULL;
			continue;
		}
		WeftTimedWord *word = &g_array_index(words, WeftTimedWord, words->len - 1);
		char *joined = g_strconcat(word->text, piece->text, NULL);

		g_free(word->text);
		word->text = joined;
		word->n_tokens += piece->n_tokens;
	}
	return words;
}

/* `to` becomes both texts; `from` is left empty. Which stands first, the caller says. */
static void join(WeftTimedWord *first, WeftTimedWord *second, WeftTimedWord *to)
{
	WeftTimedWord *from = to == first ? second : first;
	char *joined = g_strconcat(first->text, second->text, NULL);

	g_free(to->text);
	g_free(from->text);
	to->text = joined;
	to->token_first = first->token_first;
	to->n_tokens += from->n_tokens;
	from->text = g_strdup("");
	from->n_tokens = 0;
}

void weft_word_merge_marks(GArray *words)
{
	WeftTimedWord *word = (WeftTimedWord *)(gpointer)words->data;

	for (guint i = words->len, next = words->len - 1; i-- > 1;) {
		WeftTimedWord *mark = &word[i - 1];

		if (mark->text[0] == ' ' && is_mark(opening_marks, mark->text))
			join(mark, &word[next], &word[next]);
		else
			next = i - 1;
	}
	for (guint i = 1, last = 0; i < words->len; i++) {
		if (!g_str_has_suffix(word[last].text, " ") &&
		    strstr(closing_marks, word[i].text))
			join(&word[last], &word[i], &word[last]);
		else
			last = i;
	}
}

gboolean weft_word_ends_sentence(const char *text)
{
	return strstr(ending_marks, text) != NULL;
}
