/* number.h - a set of numbers as an automaton over the bytes of their JSON spelling.
 *
 * A set is what a schema says of one number: integers or not, bounds, steps. It is asked byte by
 * byte, as a lexeme is (lexeme.h): a byte is allowed only when some number of the set begins that
 * way, and the distance to the nearest end is known exactly everywhere. A number has no closing
 * byte: it ends where what follows it stands.
 *
 * Spelling: an optional '-', no leading zeros, no exponent, no "-0". Integers lie within +-(2^53 - 1),
 * others have at most WEFT_NUMBER_DIGITS_MAX digits, of which at most WEFT_NUMBER_FRACTION_MAX stand
 * behind the point, so each of them survives a double. Zeros may end a fraction.
 *
 * Bounds and steps are taken from the text of the schema, exponents included, and hold exactly, in
 * decimals: 0.3 is a multiple of 0.1, though not in a judge that divides doubles. They are kept as
 * integers scaled by 10^WEFT_NUMBER_FRACTION_MAX (by 1 for integers). A set may turn out empty: then
 * what the schema allows cannot be spelled so, or it allows nothing.
 *
 * Threads: a set that is put together never changes.
 */
#ifndef WEFT_SCHEMA_NUMBER_H
#define WEFT_SCHEMA_NUMBER_H

#include <glib.h>

#define WEFT_NUMBER_DIGITS_MAX 15
#define WEFT_NUMBER_FRACTION_MAX 6
#define WEFT_NUMBER_NEVER G_MAXUINT32   /* weft_numbers_close: no number at all */

typedef struct WeftNumbers WeftNumbers;

/* All numbers, or all integers, that have a spelling. */
WeftNumbers *weft_numbers_new(gboolean is_integer);
void weft_numbers_free(WeftNumbers *numbers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftNumbers, weft_numbers_free)

/* Take numbers out of the set: those below, above, or not multiples of a number as JSON spells it.
 * WEFT_ERROR_SCHEMA: a bound beyond all that can be spelled, a step that is not above 0 or has too
 * many digits. */
gboolean weft_numbers_min(WeftNumbers *numbers, const char *text, gboolean is_exclusive, GError **error);
gboolean weft_numbers_max(WeftNumbers *numbers, const char *text, gboolean is_exclusive, GError **error);
gboolean weft_numbers_multiple_of(WeftNumbers *numbers, const char *text, GError **error);

gboolean weft_numbers_is_empty(const WeftNumbers *numbers);

/* Where a walk stands, all zero in front of the first byte: plain storage. */
typedef struct WeftNumberState {
	gint64 digits;          /* all digits so far, without sign and point */
	guint8 n_whole, n_fraction;
	guint8 is_negative, has_point;
} WeftNumberState;

/* FALSE, and the state unchanged, when no number of the set goes on with `byte`. */
gboolean weft_numbers_step(const WeftNumbers *numbers, WeftNumberState *state, guint8 byte);

/* Whether the bytes so far are a number of the set. */
gboolean weft_numbers_accepts(const WeftNumbers *numbers, const WeftNumberState *state);

/* The fewest bytes to the end of a number of the set, 0 when here. */
guint32 weft_numbers_close(const WeftNumbers *numbers, const WeftNumberState *state);

/* The byte that must come next; -1 when there is a choice, ending here being one. */
int weft_numbers_forced(const WeftNumbers *numbers, const WeftNumberState *state);

/* For caches: two states with the same key allow the same along all of at most `reach` further
 * bytes. */
guint64 weft_numbers_key(const WeftNumbers *numbers, const WeftNumberState *state, guint32 reach);

#endif
