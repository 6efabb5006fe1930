/* fuel.h - work that may be done for one schema; private to schema/.
 *
 * Counted, not timed, so that it ends in the same way on every machine.
 */
#ifndef WEFT_SCHEMA_FUEL_H
#define WEFT_SCHEMA_FUEL_H

#include <glib.h>

#include "base/error.h"

typedef struct WeftFuel {
	gsize steps;
} WeftFuel;

/* FALSE with WEFT_ERROR_LIMIT when less than `n` is left; then nothing is. */
static inline gboolean weft_fuel_spend(WeftFuel *fuel, gsize n, GError **error)
{
	if (fuel->steps >= n) {
		fuel->steps -= n;
		return TRUE;
	}
	fuel->steps = 0;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		    "the schema's patterns take too much work; write shorter repetitions, fewer "
		    "patterns for one string, or ^ and $ at the ends");
	return FALSE;
}

#endif
