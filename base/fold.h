/* fold.h - text as it is compared by people: words, without case, accents and layout.
 *
 * Letters and digits are kept, in lower case and without what stands above or below them; all else is one
 * space, and one stands at either end. So a word, or words that stand together, are in a text when their
 * folded form is a part of its folded form: " no 17 " of " invoice no 17 of may ". Characters of scripts
 * that put no spaces between words are words of their own. The full-text index compares in the
 * same way, but for those scripts.
 */
#ifndef WEFT_BASE_FOLD_H
#define WEFT_BASE_FOLD_H

#include <glib.h>

/* Of valid UTF-8. Caller frees. */
char *weft_fold(const char *text);

/* The words of a folded text (char *), in their order, with a free function. */
GPtrArray *weft_fold_words(const char *folded);

#endif
