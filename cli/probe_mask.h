/* probe_mask.h - `weft probe mask`: could this text be an answer? */
#ifndef WEFT_CLI_PROBE_MASK_H
#define WEFT_CLI_PROBE_MASK_H

#include <glib.h>

/* Prints "accepted" or "rejected at byte N"; the text is taken byte for byte. FALSE for what could not
 * be asked: a file, a tokenizer, a schema that is refused. */
gboolean weft_probe_mask(const char *bundle_path, const char *schema_path, const char *text,
			 gsize size_bytes, gboolean *ret_accepts, GError **error);

#endif
