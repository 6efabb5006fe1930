/* decline.h - null with a reason: how whoever writes an instance says why a value is missing.
 *
 * With the option `declines` (schema.h) a null may be followed by a reason, in the text that the
 * automaton follows:
 *
 *     null:absent         the document does not have it
 *     null:unreadable     it is there, and can't be read
 *     null:not_examined   what would have to be looked at was not shown
 *
 * `null` alone stays what it was, and says no reason: so the least text of a schema is the same with
 * the option and without, a document that has to be closed is closed without a reason that nobody gave,
 * and a model that has never seen such a thing writes what it always wrote. A reason may stand only
 * where null is a choice: not where the schema leaves nothing but null, and not in an array whose
 * items must differ (two reasons are two texts of one value).
 *
 * The text is not JSON until the reasons are taken out of it; then it is an instance of the schema.
 */
#ifndef WEFT_SCHEMA_DECLINE_H
#define WEFT_SCHEMA_DECLINE_H

#include <glib.h>

typedef struct WeftSchema WeftSchema; /* schema.h */

typedef enum {
	WEFT_DECLINE_NONE, /* no reason is given */
	WEFT_DECLINE_ABSENT,
	WEFT_DECLINE_UNREADABLE,
	WEFT_DECLINE_NOT_EXAMINED,
} WeftDecline;

/* "absent", "unreadable", "not_examined"; NULL for none. Static. */
const char *weft_decline_name(WeftDecline decline);

/* What stands behind a null, appended; nothing for none. */
void weft_decline_spell(GString *text, WeftDecline decline);

/* A reason that was taken out. */
typedef struct WeftDeclined {
	gsize byte;    /* of what is left: the end of the null that it belongs to */
	gsize n_bytes; /* that it took */
	WeftDecline decline;
} WeftDeclined;

/* Takes the reasons out of a text, or the beginning of one, that such an automaton wrote, and appends
 * one WeftDeclined for each, in their order. One that is not finished is none, and goes, too. */
void weft_decline_take_out(GString *text, GArray *declined);

/* Private to weft_schema_new: lets a reason follow the nulls of a finished graph. */
void weft_decline_add(WeftSchema *schema);

#endif
