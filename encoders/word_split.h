/* word_split.h - which tokens are one word.
 *
 * As openai/whisper (tokenizer.py, split_to_word_tokens; timing.py, merge_punctuations): tokens are
 * joined until they are whole characters. In languages that write no blanks each of these pieces is
 * a word; in the others a word begins with a piece that begins with a blank or is punctuation.
 * Then opening marks go to the word behind them, closing marks to the word before them; what is
 * left empty stays in its place, without tokens.
 */
#ifndef WEFT_ENCODERS_WORD_SPLIT_H
#define WEFT_ENCODERS_WORD_SPLIT_H

#include "encoders/whisper_tokens.h"

/* `text` with its blank before it. Times count from the begin of the window or of the recording:
 * who has the array says which. */
typedef struct WeftTimedWord {
	char *text; /* owned */
	gsize token_first, n_tokens; /* among the ids that were split */
	double time[2];
	double probability; /* mean of its tokens' */
} WeftTimedWord;

/* Frees its words with it. */
GArray *weft_timed_words_new(void);

/* Of text ids (all below eot), in order; their n_tokens add up to n_ids. */
GArray *weft_word_split(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids,
			const char *language);
void weft_word_merge_marks(GArray *words);

/* TRUE for "." ... and for nothing at all: `text` stands within the marks that end a sentence. */
gboolean weft_word_ends_sentence(const char *text);

#endif
