/* whisper_text.h - ids of Whisper's vocabulary as text, the way the reference counts and cuts it.
 *
 * Blank is what Python's str.strip() takes away. Ids that begin or end within a character give
 * U+FFFD, one for each broken part, as bytes.decode("utf-8", "replace") does.
 */
#ifndef WEFT_ENCODERS_WHISPER_TEXT_H
#define WEFT_ENCODERS_WHISPER_TEXT_H

#include "encoders/whisper_tokens.h"

/* Appends the text of the ids. Of the special ones a language is written <|de|> (no rule forbids a
 * model to say one in the middle of its text), the others are nothing. */
void weft_whisper_text_append(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids,
			      GString *text);

/* The part of valid UTF-8 without blank space at its ends. */
void weft_whisper_text_strip(const char *text, gsize size_bytes, const char **ret_first,
			     gsize *ret_size_bytes);

/* Bytes of the text divided by bytes of its zlib stream: high for what repeats. */
double weft_whisper_text_compression(const char *text, gsize size_bytes);

#endif
