/* stop_words.h - private: words that say nothing about what a text is about.
 *
 * Of English, German, French and Spanish, folded (base/fold.h): articles, pronouns, prepositions, forms of
 * to be and to have, words that ask.
 */
#ifndef WEFT_OUTPUTS_STOP_WORDS_H
#define WEFT_OUTPUTS_STOP_WORDS_H

#include <glib.h>

gboolean weft_stop_words_have(const char *folded);

#endif
