/* agreement.h - values that have to agree: what the schema's `x-weft-check` says, and what readers say.
 *
 *     "x-weft-check": [
 *         {"sum": "/lines/ * /total", "equals": "/net", "within": 0.01},     without the spaces
 *         {"before": ["/issued", "/due"]}
 *     ]
 *
 * stands at the root of a schema. `sum` is a JSON pointer into the answer or a list of them, whose
 * numbers, added up, have to be the number at `equals`, give or take `within` (0); `before` has two
 * or more pointers to days, none of which may be earlier than the one in front of it. `*` in the place
 * of a key or an index is every one: in `equals`, and in the first pointer of `before`, it makes
 * a check of each, and then the first `*`s of the other pointers are the same ones; what `*`s are
 * left in `sum` are added up.
 *
 * An answer that is a list of documents has its checks at the root as well, with pointers that begin with
 * a star. A pointer to a place that no answer has is refused when the schema is read.
 *
 * Sums are exact, of the digits as they were written. A string counts by what it means, if that is one
 * thing (base/usage.h). A check in which a value is missing says that it could not be made. Nothing is
 * ever corrected: the result goes to the record, and whoever reads it decides.
 *
 * Where the place that a value was found in was read by somebody else as well, and he read something else,
 * that is a disagreement: the page was read as a whole, or the pixels of the place alone, to see whether
 * the text that lies over them says what they show (pipeline/node_confirm.c). Letters and digits count, not
 * their case and accents, nor what divides words.
 */
#ifndef WEFT_OUTPUTS_AGREEMENT_H
#define WEFT_OUTPUTS_AGREEMENT_H

#include "base/content.h"
#include "base/json.h"
#include "base/usage.h"
#include "schema/schema.h"

#define WEFT_AGREEMENT_RULES_MAX 100
#define WEFT_AGREEMENT_RESULTS_MAX 1000 /* of all rules; and so many disagreements */
#define WEFT_AGREEMENT_ADDENDS_MAX 10000

typedef struct WeftRecord WeftRecord;

typedef enum {
	WEFT_AGREEMENT_SUM,
	WEFT_AGREEMENT_ORDER,
	WEFT_AGREEMENT_DISAGREEMENT,
} WeftAgreementKind;

typedef enum {
	WEFT_AGREEMENT_OK,
	WEFT_AGREEMENT_FAILED,
	WEFT_AGREEMENT_OPEN, /* `reason` says why it could not be made */
} WeftAgreementState;

/* Another reading of the place of a value. */
typedef struct WeftOtherReading {
	guint32 content;  /* index into contents: the item, or the one at whose place it was read alone */
	WeftBy by;
	char *text;
} WeftOtherReading;

typedef struct WeftAgreement {
	WeftAgreementKind kind;
	WeftAgreementState state;
	guint rule;           /* in x-weft-check; not for DISAGREEMENT */
	GPtrArray *pointers;  /* of char *: what is added up; in this order; the value */
	char *equals;         /* SUM: pointer */
	GPtrArray *values;    /* of char *: SUM: the sum and what it should be; ORDER: the days */
	GArray *readings;     /* DISAGREEMENT: WeftOtherReading, the value's own first; else NULL */
	const char *reason;   /* static, OPEN */
} WeftAgreement;

/* Frees what is in it. */
void weft_agreement_done(WeftAgreement *agreement);

/* Checks the `x-weft-check` of a schema, whose tree this is: its form, and that answers may have a number, or
 * a text that may mean one, at each of its pointers, or a day. FALSE: WEFT_ERROR_SCHEMA with pointer,
 * keyword, reason and form. */
gboolean weft_agreement_read(const WeftJson *tree, const WeftSchema *schema, GError **error);

/* Appends to the record's agreements what the schema's rules say of its answer, as weft_agreement_read
 * takes them; NULL: none. */
void weft_record_agree(WeftRecord *record, const WeftJson *schema, const WeftUsage *usage);
/* The same for disagreements about values with evidence. */
void weft_record_compare_readings(WeftRecord *record);

/* Whether the place of this evidence (an index into provenance) may be read alone: its quote is short, in letters or
 * digits, and is in a text layer that somebody has laid over the picture of a page, or, `drawn_too`, in text that
 * a page draws. */
gboolean weft_record_can_be_read(const WeftRecord *record, guint evidence, gboolean drawn_too);
/* What was read at that place alone (WeftContent with words in its units): notes in the evidence whether it
 * says the same, and appends a disagreement where it does not. Where nothing was read, nothing is said. */
void weft_record_note_reading(WeftRecord *record, guint evidence, const GPtrArray *contents);

#endif
