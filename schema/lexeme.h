/* lexeme.h - a set of strings as an automaton over the bytes of their JSON spelling.
 *
 * A lexeme is what a schema says of one string: all of its `parts` (patterns and formats) and its
 * length in code points. It is asked byte by byte, from behind the opening quote to in front of the
 * closing one, which it does not read.
 *
 * Spelling: UTF-8, each character in one way: \" \\ \n \t, \u0001 to \u001f with lower-case digits
 * for the other controls, all else as it is. U+0000, which ends strings in too many readers,
 * surrogates and noncharacters (RFC 7493) are never written.
 *
 * What is promised. A byte is allowed only when some string of the set goes on that way, so a walk
 * along allowed bytes never gets stuck, and weft_lexeme_close has the exact number of bytes that a
 * shortest end takes. Each string of the set can be written, nothing else can.
 *
 * Patterns are ECMA-262's with the flag u, in the search sense of JSON Schema: "b" is any text with
 * a b, ^ and $ are the ends of the text wherever they stand. There is: alternation, groups (also
 * named), quantifiers (lazy ones say the same), classes, . \d \D \w \W \s \S \b \B, \t \n \v \f \r
 * \0 \cX \xHH \uHHHH \u{H...}, \p{...} and \P{...} with general categories, scripts (sc=, scx= as
 * sc) and a few properties, escaped punctuation. A name or a rule that engines read in different
 * ways is either refused, or read so that all agree: validators match \d, \w, \s, \b and . by
 * ASCII or by Unicode, and what one of them would refuse is not written ("\D" is no digit of any
 * script, "\d" is 0 to 9). WeftLexemePart.is_loose turns that round: what one of them would take
 * (then $ stands in front of a line feed at the end, too).
 * Look-ahead is there behind a leading ^, where it speaks of the whole text, and elsewhere when what
 * follows in the pattern fulfils it anyway (that is proved), as in what Pydantic makes of a Decimal.
 * Refused: other look-around, back-references, [] and [^], {,n}, letters that are no escape, and what
 * the limits below forbid.
 *
 * Formats: see weft_format_known. They give a subset of what the RFCs allow (no leap second, no
 * comment in an address, no user in a URI), all of which validators take.
 *
 * How it is made. Each part becomes an automaton over classes of code points, determined, made
 * smallest, multiplied with the others; where the length matters it stays a counter beside the
 * state, so that maxLength 1200 costs nothing, or is multiplied in when the set's own lengths lie
 * so that counting at the ends is not enough. A tree over bytes finds the class of a character.
 * All of it is done when the lexeme is made, and bounded by a budget of work and memory that
 * all lexemes of a schema share: counts, no times, so it ends in the same way on every machine.
 *
 * Threads: a lexeme never changes; any number of threads may ask it.
 *
 * Left out on purpose: a lexeme does not know whether keys repeat (map) or where text stands in a
 * document (verbatim).
 */
#ifndef WEFT_SCHEMA_LEXEME_H
#define WEFT_SCHEMA_LEXEME_H

#include <glib.h>

#define WEFT_LEXEME_UNLIMITED G_MAXUINT32     /* no maxLength */
#define WEFT_LEXEME_NEVER G_MAXUINT32         /* weft_lexeme_close: no string at all */
#define WEFT_LEXEME_DEAD G_MAXUINT32          /* WeftLexemeState.id after a byte that is not allowed */
#define WEFT_PATTERN_BYTES_MAX 4096u
#define WEFT_PATTERN_DEPTH_MAX 100u           /* groups in groups */
#define WEFT_LEXEME_STATES_MAX 10000u         /* of one part, and of all parts together */
#define WEFT_LEXEME_PARTS_MAX 64u

typedef struct WeftLexeme WeftLexeme;

typedef enum {
	WEFT_LEXEME_PATTERN,
	WEFT_LEXEME_FORMAT,
} WeftLexemeKind;

typedef struct WeftLexemePart {
	WeftLexemeKind kind;
	const char *text;       /* the pattern, UTF-8; the format's name */
	gboolean is_loose;      /* what any reading of the pattern takes, not what all do */
	gboolean is_not;        /* the strings outside of that: of a loose one they are so in every
				 * reading; not for formats */
} WeftLexemePart;

typedef struct WeftLexemeSpec {
	const WeftLexemePart *parts;  /* the strings that are in all of them */
	gsize n_parts;
	guint32 length_min, length_max; /* code points; both included */
} WeftLexemeSpec;

/* Makes the lexemes of one schema: holds their common budget, and what two of them share while
 * they are made. The lexemes outlive it. One thread at a time. */
typedef struct WeftLexemeMaker WeftLexemeMaker;

WeftLexemeMaker *weft_lexeme_maker_new(void);
void weft_lexeme_maker_free(WeftLexemeMaker *maker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftLexemeMaker, weft_lexeme_maker_free)

/* NULL: WEFT_ERROR_SCHEMA for what can't be held exactly (the message has the place in the
 * pattern, the reason, the nearest form), WEFT_ERROR_LIMIT for what is too large. A set without
 * strings is no error. */
WeftLexeme *weft_lexeme_new(WeftLexemeMaker *maker, const WeftLexemeSpec *spec, GError **error);
void weft_lexeme_free(WeftLexeme *lexeme);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftLexeme, weft_lexeme_free)

/* Whether the format has a name that weft_lexeme_new takes. NULL-terminated list of them. */
gboolean weft_format_known(const char *name);
/* It says nothing of the text ("password"): an annotation. */
gboolean weft_format_is_hint(const char *name);
const char *const *weft_format_names(void);

/* No string at all: then no state may be asked. */
gboolean weft_lexeme_is_empty(const WeftLexeme *lexeme);

/* Whether the string is in the set; `text` is valid UTF-8 as it is meant, not as it is spelled. */
gboolean weft_lexeme_contains(const WeftLexeme *lexeme, const char *text, gsize size_bytes);

/* Where a walk stands: plain storage, two equal ones go on alike. */
typedef struct WeftLexemeState {
	guint32 id;
	guint32 n;              /* code points complete, counted as far as the length is still open */
} WeftLexemeState;

WeftLexemeState weft_lexeme_begin(const WeftLexeme *lexeme);

/* The state behind `byte`; id WEFT_LEXEME_DEAD when it is not allowed. A few nanoseconds. */
WeftLexemeState weft_lexeme_step(const WeftLexeme *lexeme, WeftLexemeState state, guint8 byte);

/* No larger byte of the string may come next; -1: none may. */
int weft_lexeme_last(const WeftLexeme *lexeme, WeftLexemeState state);

/* Whether the string may end here: the closing quote may come. */
gboolean weft_lexeme_accepts(const WeftLexeme *lexeme, WeftLexemeState state);

/* The fewest bytes to a place where it may end, 0 when here. WEFT_LEXEME_NEVER only for the
 * beginning of an empty set. */
guint32 weft_lexeme_close(const WeftLexeme *lexeme, WeftLexemeState state);

/* The byte that must come next; -1 when there is a choice, ending here being one. */
int weft_lexeme_forced(const WeftLexeme *lexeme, WeftLexemeState state);

/* For caches: two states with the same key allow the same bytes, and the same ends, along all texts
 * of at most `reach` further code points. */
guint64 weft_lexeme_key(const WeftLexeme *lexeme, WeftLexemeState state, guint32 reach);

/* TRUE between two characters when from here on any text may follow and end anywhere, but for its
 * length: at least *ret_min more code points, at most *ret_max (or WEFT_LEXEME_UNLIMITED). */
gboolean weft_lexeme_is_free(const WeftLexeme *lexeme, WeftLexemeState state, guint32 *ret_min,
			     guint32 *ret_max);

#endif
