#include "encoders/whisper_tokens.h"

#include <string.h>

#include "base/error.h"

/* What the codes of languages look like: <|en|>, <|yue|>, <|haw|>. */
#define CODE_MAX 8
/* <|endoftext|> of GPT-2's vocabulary: the English models. They have tokens of languages, too, and
 * never learned them (model.py, is_multilingual). */
#define EOT_OF_ENGLISH 50256

/* Symbols of annotation. tokenizer.py, non_speech_tokens: with and without a blank before them,
 * those that are one token; of the notes of music also the first of several, which they share. */
static const char *const symbols[] = {
	"\"", "#",  "(",  ")",  "*",   "+",   "/",  ":",  ";",  "<",  "=",    ">",   "@",
	"[",  "\\", "]",  "^",  "_",   "`",   "{",  "|",  "}",  "~",  "「",   "」",  "『",
	"』", "<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", "(\"", "((", "))",
	"(((", ")))", "[[", "]]", "{{", "}}", "♪♪", "♪♪♪",
};
static const char *const notes[] = { "♩", "♪", "♫", "♬", "♭", "♮", "♯" };

typedef struct Owned {
	WeftWhisperTokens tokens; /* first: what is given out */
	GArray *non_speech;
	char **codes; /* of the languages */
} Owned;

void weft_whisper_tokens_free(WeftWhisperTokens *tokens)
{
	Owned *owned = (Owned *)tokens;

	if (!owned)
		return;
	g_array_unref(owned->non_speech);
	g_strfreev(owned->codes);
	g_free(owned);
}

static gboolean find(const WeftWhisperTokens *tokens, const char *name, guint32 *ret_id,
		     GError **error)
{
	gint32 id = weft_tokenizer_id(tokens->tokenizer, name);

	if (id < 0 || (gsize)id >= tokens->n_vocab) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "the vocabulary of Whisper has no %s below %" G_GSIZE_FORMAT, name,
			    tokens->n_vocab);
		return FALSE;
	}
	*ret_id = (guint32)id;
	return TRUE;
}

static gboolean find_specials(WeftWhisperTokens *tokens, GError **error)
{
	const char *nospeech = weft_tokenizer_id(tokens->tokenizer, "<|nospeech|>") >= 0 ?
				       "<|nospeech|>" :
				       "<|nocaptions|>"; /* its name in the first files */

	return find(tokens, "<|endoftext|>", &tokens->eot, error) &&
	       find(tokens, "<|startoftranscript|>", &tokens->sot, error) &&
	       find(tokens, "<|translate|>", &tokens->translate, error) &&
	       find(tokens, "<|transcribe|>", &tokens->transcribe, error) &&
	       find(tokens, "<|startoflm|>", &tokens->startoflm, error) &&
	       find(tokens, "<|startofprev|>", &tokens->startofprev, error) &&
	       find(tokens, nospeech, &tokens->nospeech, error) &&
	       find(tokens, "<|notimestamps|>", &tokens->notimestamps, error);
}

/* The languages stand between sot and translate. */
static gboolean find_languages(Owned *owned, GError **error)
{
	WeftWhisperTokens *tokens = &owned->tokens;
	g_autoptr(GPtrArray) codes = g_ptr_array_new_with_free_func(g_free);

	tokens->first_language = tokens->sot + 1;
	for (guint32 id = tokens->first_language;
	     tokens->eot != EOT_OF_ENGLISH && id < tokens->translate; id++) {
		gsize size_bytes;
		const char *name =
			weft_tokenizer_token(tokens->tokenizer, (gint32)id, &size_bytes);

		if (!name || size_bytes < 6 || size_bytes > CODE_MAX + 4 ||
		    memcmp(name, "<|", 2) != 0 || memcmp(name + size_bytes - 2, "|>", 2) != 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
				    "the vocabulary of Whisper: %u stands among the languages and "
				    "is none", id);
			return FALSE;
		}
		g_ptr_array_add(codes, g_strndup(name + 2, size_bytes - 4));
	}
	tokens->n_languages = codes->len;
	g_ptr_array_add(codes, NULL);
	owned->codes = (char **)g_ptr_array_free(g_steal_pointer(&codes), FALSE);
	return TRUE;
}

static int by_id(gconstpointer a, gconstpointer b)
{
	const guint32 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void add_symbol(Owned *owned, const char *before, const char *symbol, gboolean also_first)
{
	g_autofree char *text = g_strconcat(before, symbol, NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint32));

	weft_whisper_tokens_encode(&owned->tokens, text, strlen(text), ids);
	if (ids->len == 1 || (ids->len && also_first))
		g_array_append_vals(owned->non_speech, ids->data, 1);
}

static void find_non_speech(Owned *owned)
{
	for (gsize i = 0; i < G_N_ELEMENTS(symbols); i++) {
		add_symbol(owned, "", symbols[i], FALSE);
		add_symbol(owned, " ", symbols[i], FALSE);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(notes); i++) {
		add_symbol(owned, "", notes[i], TRUE);
		add_symbol(owned, " ", notes[i], TRUE);
	}
	/* Inside a word they are speech. */
	add_symbol(owned, " ", "-", TRUE);
	add_symbol(owned, " ", "'", TRUE);
	g_array_sort(owned->non_speech, by_id);
	guint n = 0;
	guint32 *ids = (guint32 *)(gpointer)owned->non_speech->data;

	for (guint i = 0; i < owned->non_speech->len; i++)
		if (n == 0 || ids[n - 1] != ids[i])
			ids[n++] = ids[i];
	g_array_set_size(owned->non_speech, n);
	owned->tokens.non_speech = ids;
	owned->tokens.n_non_speech = n;
}

WeftWhisperTokens *weft_whisper_tokens_new(const WeftTokenizer *tokenizer, gsize n_vocab,
					   GError **error)
{
	Owned *owned = g_new0(Owned, 1);
	g_autoptr(WeftWhisperTokens) tokens = &owned->tokens;
	g_autoptr(GArray) blank = g_array_new(FALSE, FALSE, sizeof(guint32));

	owned->non_speech = g_array_new(FALSE, FALSE, sizeof(guint32));
	tokens->tokenizer = tokenizer;
	tokens->n_vocab = n_vocab;
	if (!find_specials(tokens, error) || !find_languages(owned, error))
		return NULL;
	tokens->first_timestamp = tokens->notimestamps + 1;
	weft_whisper_tokens_encode(tokens, " ", 1, blank);
	if (tokens->first_timestamp >= n_vocab || blank->len != 1 || tokens->eot > tokens->sot) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "the vocabulary of Whisper: %" G_GSIZE_FORMAT " ids, <|endoftext|> %u, "
			    "<|startoftranscript|> %u, <|notimestamps|> %u, a blank is %u tokens",
			    n_vocab, tokens->eot, tokens->sot, tokens->notimestamps, blank->len);
		return NULL;
	}
	tokens->blank = g_array_index(blank, guint32, 0);
	find_non_speech(owned);
	return g_steal_pointer(&tokens);
}

const char *weft_whisper_tokens_language(const WeftWhisperTokens *tokens, guint32 id)
{
	const Owned *owned = (const Owned *)tokens;

	return id >= tokens->first_language && id - tokens->first_language < tokens->n_languages ?
		       owned->codes[id - tokens->first_language] :
		       NULL;
}

gboolean weft_whisper_tokens_find(const WeftWhisperTokens *tokens, const char *language,
				  guint32 *ret_id)
{
	const Owned *owned = (const Owned *)tokens;

	for (guint32 i = 0; i < tokens->n_languages; i++)
		if (g_ascii_strcasecmp(owned->codes[i], language) == 0) {
			*ret_id = tokens->first_language + i;
			return TRUE;
		}
	return FALSE;
}

const char *weft_whisper_tokens_text(const WeftWhisperTokens *tokens, guint32 id,
				     gsize *ret_size_bytes)
{
	const char *text = id < tokens->eot ? weft_tokenizer_token(tokens->tokenizer, (gint32)id,
								   ret_size_bytes) :
					      NULL;

	if (!text)
		*ret_size_bytes = 0;
	return text;
}

void weft_whisper_tokens_encode(const WeftWhisperTokens *tokens, const char *text,
				gsize size_bytes, GArray *ids)
{
	weft_tokenizer_encode(tokens->tokenizer, text, size_bytes, FALSE, ids);
}
