/* verbatim.h - strings that stand in the document, and nothing else.
 *
 * A WeftVerbatim is an index of one window's text (base/running_text.h says what counts as its text:
 * white space normalised, soft hyphens gone, markers and names of speakers no part of it), spelled as
 * it stands inside a JSON string: \" and \\ are the only escapes that occur. Its suffixes that begin
 * where a value may begin are sorted; so all occurrences of what a string says so far are one
 * interval of them, and a state is three numbers that are copied, stepped and thrown away.
 *
 * WeftSpans are the values that one string of the schema may have: the spans of the text that begin
 * and end at words and fit its length, its pattern and its format. Which ends are left is known for
 * every occurrence beforehand, so a byte is only allowed when some value goes on that way: there are
 * no dead ends, and the fewest bytes to an end are known at every state. A string that is empty stands nowhere; it is a value
 * where the schema leaves no other way to say that there is none.
 *
 * Numbers and days that have to stand in the document are WeftSpans, too, over a list of the values
 * that some span of the text means (base/usage.h; all that it may mean, where that is more than one
 * thing): their bytes are those of the JSON value, digits of a number bare, a day without its quotes.
 *
 * Stepping: begin (FALSE: there is no value at all, the string may not be opened), then step with
 * each byte inside the quotes; accepts says whether the closing quote may follow. A mask is built
 * along the text: weft_spans_byte_at lists the bytes that may follow in order, so that a walk through
 * the trie of tokens touches what text and vocabulary have in common and nothing else; with few
 * occurrences that is a handful of tokens. What may follow after the value is the caller's affair.
 * States are of one window's text: masks are not worth keeping but that of the beginning.
 *
 * Of text that repeats itself for more than WEFT_VERBATIM_SORTED_BYTES only one occurrence is
 * followed further; what a lexeme takes is looked for in the first WEFT_VERBATIM_LEXEME_BYTES of a
 * suffix. Both leave spans out, neither lets one in.
 *
 * Threads: an index belongs to one thread, because spans are made when they are first asked for; the
 * states are values.
 */
#ifndef WEFT_SCHEMA_VERBATIM_H
#define WEFT_SCHEMA_VERBATIM_H

#include "base/running_text.h"

#define WEFT_VERBATIM_SORTED_BYTES 256
#define WEFT_VERBATIM_LEXEME_BYTES 1024

typedef struct WeftLexeme WeftLexeme;
typedef struct WeftVerbatim WeftVerbatim;
typedef struct WeftSpans WeftSpans;

/* The text must outlive it. An empty one is fine: nothing stands there. */
WeftVerbatim *weft_verbatim_new(const WeftRunningText *text);
void weft_verbatim_free(WeftVerbatim *verbatim);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftVerbatim, weft_verbatim_free)

/* What a string of the schema asks of its values. */
typedef struct WeftSpansRule {
	gsize n_chars_min, n_chars_max; /* code points; 0 and G_MAXSIZE: any */
	const WeftLexeme *lexeme;       /* pattern and format; NULL: any */
	gboolean allows_empty;          /* "" is a value, too, if length and lexeme say so */
} WeftSpansRule;

/* The index owns it and keeps one for each rule: ask for it once per node, before stepping. The lexeme
 * must outlive the index. */
const WeftSpans *weft_verbatim_spans(WeftVerbatim *verbatim, const WeftSpansRule *rule);

typedef enum {
	WEFT_VERBATIM_NUMBERS, /* -1240.5: no exponent, no plus, no zeros at the end */
	WEFT_VERBATIM_DAYS,    /* 2024-03-12 */
	WEFT_VERBATIM_KINDS,
} WeftVerbatimKind;
/* May this value stand at the place `of` of the schema? */
typedef gboolean (*WeftVerbatimFits)(const char *value, gsize size_bytes, const void *of);
/* Those that fit; `of` is the node, which names the list: asked again, the same one is returned. */
const WeftSpans *weft_verbatim_values(WeftVerbatim *verbatim, WeftVerbatimKind kind,
				      WeftVerbatimFits fits, const void *of);

/* Occurrences [low, high) of the n_bytes that are written. */
typedef struct WeftSpansState {
	guint32 low, high;
	guint32 n_bytes;
} WeftSpansState;

/* FALSE: no value, not even the empty one. */
gboolean weft_spans_begin(const WeftSpans *spans, WeftSpansState *ret_state);
/* FALSE: the byte may not come next; the state is as it was. */
gboolean weft_spans_step(const WeftSpans *spans, WeftSpansState *state, guint8 byte);
/* What is written is a value. */
gboolean weft_spans_accepts(const WeftSpans *spans, const WeftSpansState *state);
/* The fewest bytes from here to a value, the closing quote not counted. It falls by at least one with
 * some byte that may come next, until it is 0. */
gsize weft_spans_close_bytes(const WeftSpans *spans, const WeftSpansState *state);
/* The lowest byte from `from` (0 to 256) on that may come next, or -1. Forced: byte_at(0) is the only
 * one, and what is written is no value. */
int weft_spans_byte_at(const WeftSpans *spans, const WeftSpansState *state, int from);

#endif
