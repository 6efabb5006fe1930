/* value.h - part of the door of outputs: one value of an answer, with all that its record says of it.
 *
 * A view of the record's tree: where the value stands (a JSON pointer into the answer), what became of
 * it, and its evidence, whatever wrote that. Corrections count where they were applied before
 * (outputs/corrections.h).
 */
#ifndef WEFT_OUTPUTS_VALUE_H
#define WEFT_OUTPUTS_VALUE_H

#include <glib.h>

#include "base/json.h"

typedef struct WeftValue {
	const WeftJson *value;      /* NULL: the answer has no such place */
	/* "ok"; why it is null or left out: "absent", "unreadable", "not_examined", "ambiguous";
	 * "corrected": somebody has said another value; "": the record has no answer at all. */
	const char *status;
	const WeftJson *provenance; /* the list of evidence, maybe empty; NULL: none is noted */
	const WeftJson *evidence;   /* the first of it; NULL: none */
	const WeftJson *correction; /* who, when, confirms, was; NULL: nobody said anything */
	double confidence;          /* as the model had it; negative: not known */
} WeftValue;

/* Borrows from the record. */
WeftValue weft_value_of(const WeftJson *record, const char *pointer);

/* Where a value stands by all of its evidence: "3" for a page, "00:01:24" for a time, "3, 4" where it goes on,
 * "file 2: 3" where several are one document; "" where nothing is known. Caller frees. */
char *weft_value_place(const WeftJson *provenance);
/* What stands there, a space between what several items have of it; "" where nothing is known. Caller frees. */
char *weft_value_quote(const WeftJson *provenance);

/* The kind of evidence of a value, "copied" to "none"; "": nothing is noted. Static. */
const char *weft_value_kind(const WeftJson *provenance);
/* Of two kinds the weaker: what a list of values rests on. */
const char *weft_value_kind_least(const char *a, const char *b);

/* The item of the record's contents (or of what is hidden) of this id; NULL: none. */
const WeftJson *weft_value_content(const WeftJson *record, const char *id);

#endif
