/* untold.h - part of the door of outputs: failures that no run has told of in its end.
 *
 * A failure is new once: the run that comes to its end with it says so in its exit code and in
 * summary.json. A run that is killed says nothing, though the record stands, so before a record that
 * is not whole is published, a mark is made beside it: STATE/untold/<hex of the id>, a symbolic link
 * to the number of the run (STATE/runs/<number>, whose lock says whether it lives). The run removes
 * its marks when it has told; a mark of a run that lives no more is found by whoever meets the
 * record next, who takes it over and tells in its place. Marks are no part of the catalogue: that is
 * made anew from records, which do not change when something was told.
 *
 * One thread at a time, as the rest of the door. Errors: WEFT_ERROR_IO.
 */
#ifndef WEFT_OUTPUTS_UNTOLD_H
#define WEFT_OUTPUTS_UNTOLD_H

#include <glib.h>

struct WeftOutputs;

/* The run is that of STATE/runs/<number>; until then, and with 0, its marks are nobody's. */
void weft_outputs_set_run(struct WeftOutputs *outputs, guint64 number);

/* This run will tell of the record of this id, which is not whole; before it is put. */
gboolean weft_outputs_will_tell(struct WeftOutputs *outputs, const char *id, GError **error);

/* *ret_is_untold: a run has left this record, and lives no more, and nobody has told of it. Then this
 * run will. Of outputs that were opened to read, always FALSE. */
gboolean weft_outputs_take_over(struct WeftOutputs *outputs, const char *id, gboolean *ret_is_untold,
				GError **error);

/* The run has told of all: its marks go away, and those of records that are not there any more. */
gboolean weft_outputs_has_told(struct WeftOutputs *outputs, GError **error);

/* Of a record that is erased. */
gboolean weft_outputs_forget_untold(struct WeftOutputs *outputs, const char *id, GError **error);

#endif
