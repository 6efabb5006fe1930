/* disjoint.h - proofs that no value fits both of two things.
 *
 * One side is a shape, of which only counts what is written of it: with declared keys, no others.
 * The other side is a set with all that it allows. FALSE as a result means "not proved".
 */
#ifndef WEFT_SCHEMA_DISJOINT_H
#define WEFT_SCHEMA_DISJOINT_H

#include "schema/shape.h"

/* Whether what the shape writes of one type (STRING, NUMBER, ARRAY or OBJECT) never fits `other`, a
 * set without choices. */
gboolean weft_disjoint_part(WeftReading *reading, const WeftSchemaShape *shape, guint type,
			    const GArray *other, gboolean *ret_is_disjoint, GError **error);

/* Whether no value fits both of two sets as they are met. */
gboolean weft_disjoint_sets(WeftReading *reading, const GArray *a, const GArray *b,
			    gboolean *ret_is_disjoint, GError **error);

#endif
