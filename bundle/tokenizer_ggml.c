/* The vocabulary of a whisper.cpp model: GPT-2's words by their ranks, which are their ids. Special
 * tokens are not in the file; their ids follow from the size of the vocabulary. */
#include <string.h>

#include "bundle/tokenizer_private.h"

#define N_VOCAB_ENGLISH 51864
#define N_TIMESTAMPS 1501 /* 0.00 to 30.00 s in steps of 0.02 */

/* In the order of their tokens (openai/whisper, tokenizer.py); the last since large-v3. */
static const char *const LANGUAGES[] = {
	"en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv",
	"it", "id", "hi", "fi", "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no",
	"th", "ur", "hr", "bg", "lt", "la", "mi", "ml", "cy", "sk", "te", "fa", "lv", "bn", "sr",
	"az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs", "kk", "sq", "sw",
	"gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu",
	"am", "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl",
	"mg", "as", "tt", "haw", "ln", "ha", "ba", "jw", "su", "yue",
};

typedef struct Layout {
	gint64 eot;
	gsize n_languages;
} Layout;

static Layout layout_of(const WeftGgml *ggml)
{
	gsize n_vocab = weft_ggml_n_vocab(ggml);
	gboolean is_english = n_vocab == N_VOCAB_ENGLISH;
	/* 99 languages have places in the English vocabulary too. */
	Layout layout = {is_english ? 50256 : 50257,
			 G_N_ELEMENTS(LANGUAGES) - (n_vocab == 51866 ? 0 : 1)};
	return layout;
}

static gboolean add_words(WeftTokenizer *tokenizer, const WeftGgml *ggml, gint64 eot, GError **error)
{
	g_autoptr(GArray) ranked = g_array_new(FALSE, FALSE, sizeof(WeftRanked));
	WeftGgmlWords words = weft_ggml_words(ggml);
	const char *text;
	gsize size_bytes;

	/* What converters wrote from eot on is the spelling of special tokens. */
	for (gint32 id = 0; id < eot && weft_ggml_words_next(&words, &text, &size_bytes); id++) {
		if (!weft_vocabulary_add(tokenizer, id, text, size_bytes, size_bytes > 0, error))
			return FALSE;
		g_array_append_val(ranked, ((WeftRanked){id, (guint32)id}));
	}
	/* Converters of 2022 wrote U+FFFD for whatever is no whole character. */
	if (!weft_vocabulary_find_bytes(tokenizer, NULL))
		return weft_vocabulary_refuse(tokenizer, error,
					      "vocabulary: not every byte has a word, as in files of "
					      "2022: convert the model again");
	return weft_vocabulary_add_splits(tokenizer, (const WeftRanked *)(gpointer)ranked->data,
					  ranked->len, error);
}

static gboolean add_special(WeftTokenizer *tokenizer, gint64 *id, const char *name, GError **error)
{
	g_autofree char *text = g_strconcat("<|", name, "|>", NULL);
	return weft_vocabulary_add_special(tokenizer, (*id)++, text, strlen(text), TRUE, error);
}

static gboolean add_specials(WeftTokenizer *tokenizer, Layout layout, GError **error)
{
	static const char *const behind[] = {"translate",   "transcribe", "startoflm",
					     "startofprev", "nospeech",   "notimestamps"};
	gint64 id = layout.eot;

	if (!add_special(tokenizer, &id, "endoftext", error) ||
	    !add_special(tokenizer, &id, "startoftranscript", error))
		return FALSE;
	for (gsize i = 0; i < layout.n_languages; i++) {
		if (!add_special(tokenizer, &id, LANGUAGES[i], error))
			return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(behind); i++) {
		if (!add_special(tokenizer, &id, behind[i], error))
			return FALSE;
	}
	for (guint i = 0; i < N_TIMESTAMPS; i++) {
		g_autofree char *time = g_strdup_printf("%u.%02u", i / 50, i % 50 * 2);
		if (!add_special(tokenizer, &id, time, error))
			return FALSE;
	}
	return TRUE;
}

WeftTokenizer *weft_tokenizer_new_ggml(const WeftGgml *ggml, GError **error)
{
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_new_empty(weft_ggml_file(ggml));
	Layout layout = layout_of(ggml);

	tokenizer->rule = WEFT_PRESPLIT_GPT2;
	tokenizer->ignore_merges = TRUE;
	if (!add_words(tokenizer, ggml, layout.eot, error) ||
	    !add_specials(tokenizer, layout, error) || !weft_vocabulary_finish(tokenizer, error))
		return NULL;
	return g_steal_pointer(&tokenizer);
}
