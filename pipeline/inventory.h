/* inventory.h - private to decode: a look at each file before anything is asked of a model.
 *
 * Source sends all files through sniff and decode once, ahead of their documents. Here they are
 * decoded without pixels and sound, which opens no model: what each is, and the text that stands in
 * it, goes to the catalogue (found.h), what was decoded to a journal of its own (stash.h). The second
 * time, pages whose text stood in the file come out of that journal; those that have to be looked
 * at, pictures, and recordings that will be heard or watched are decoded as the job wants them. Either
 * way the record is the same.
 */
#ifndef WEFT_PIPELINE_INVENTORY_H
#define WEFT_PIPELINE_INVENTORY_H

#include "pipeline/decode_flow.h"

/* Takes the document to its end here. FALSE with an error: the run ends (WEFT_ERROR_GONE, or the
 * catalogue can't be written, run->failed_to_write); without: it is cancelled. */
bool weft_inventory_take(WeftRun *run, WeftRunner *runner, WeftDocument *take_document,
                         const char *const *passwords, GError **error);

/* As weft_decode_flow_send, as far as possible out of what was decoded then. */
bool weft_inventory_send(WeftDecodeFlow *flow, const WeftDocument *document, guint64 position,
                         GError **error);

#endif
