/* least.h - the fewest bytes of every node, and the end of what has no text. Private.
 *
 * The graph has cycles, so the least is a fixpoint: nodes are finished in the order of their bytes,
 * each once, and a node that is never finished has no text. Then optional properties, branches and
 * items without a text are taken out, slots with one branch are replaced by it, and what the root no
 * longer reaches is freed.
 */
#ifndef WEFT_SCHEMA_LEAST_H
#define WEFT_SCHEMA_LEAST_H

#include "schema/reading.h"

/* Ends the graph that begins at `root`, and sets schema->root. Refuses a schema without instances
 * (WEFT_ERROR_SCHEMA, with the place and the reason), and one whose shortest instance is too long or
 * too deep. */
gboolean weft_least_finish(WeftReading *reading, WeftNode *root, GError **error);

#endif
