/* whisper_tokens.h - the vocabulary of a Whisper checkpoint: its special tokens by meaning.
 *
 * Ids below eot are text; eot and what lies above it are special; ids from first_timestamp on are
 * times, 0.02 s apart, up to the end of the vocabulary. The ids differ between the multilingual
 * vocabularies of 99 and 100 languages and the English one (n_languages 0: there are no language
 * and task tokens in a prompt). Fields are public and never change after opening.
 * Source: openai/whisper, tokenizer.py; transformers' WhisperTokenizer has the same ids.
 */
#ifndef WEFT_ENCODERS_WHISPER_TOKENS_H
#define WEFT_ENCODERS_WHISPER_TOKENS_H

#include <glib.h>

#include "bundle/bundle.h"

typedef struct WeftWhisperTokens {
	gsize n_vocab;
	guint32 eot, sot;
	guint32 first_language;     /* the languages stand behind each other */
	gsize n_languages;          /* 0: English alone */
	guint32 translate, transcribe, startoflm, startofprev, nospeech, notimestamps;
	guint32 first_timestamp;
	guint32 blank;              /* the token of one blank */
	const guint32 *non_speech;  /* symbols that are annotation, not speech: in order of id */
	gsize n_non_speech;
	const WeftTokenizer *tokenizer; /* borrowed */
} WeftWhisperTokens;

/* The tokenizer must outlive it. WEFT_ERROR_CONFIG with the name of what is missing. */
WeftWhisperTokens *weft_whisper_tokens_new(const WeftTokenizer *tokenizer, gsize n_vocab,
					   GError **error);
void weft_whisper_tokens_free(WeftWhisperTokens *tokens);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftWhisperTokens, weft_whisper_tokens_free)

/* "en", "de", ... of a language token; NULL: it is none. */
const char *weft_whisper_tokens_language(const WeftWhisperTokens *tokens, guint32 id);
/* The token of "de"; FALSE: this vocabulary has none. */
gboolean weft_whisper_tokens_find(const WeftWhisperTokens *tokens, const char *language,
				  guint32 *ret_id);
/* The bytes of a text id, not always whole characters; NULL and 0 from eot on. Borrowed. */
const char *weft_whisper_tokens_text(const WeftWhisperTokens *tokens, guint32 id,
				     gsize *ret_size_bytes);
/* Appends ids (guint32) of plain text. */
void weft_whisper_tokens_encode(const WeftWhisperTokens *tokens, const char *text,
				gsize size_bytes, GArray *ids);

#endif
