/* decode_flow.h - private to decode: one document on its way through, and what is decoded of it.
 */
#ifndef WEFT_PIPELINE_DECODE_FLOW_H
#define WEFT_PIPELINE_DECODE_FLOW_H

#include "pipeline/run.h"

#define WEFT_FRAME_INTERVAL_S 10

typedef struct WeftDecodeFlow {
	WeftRun *run;
	WeftRunner *runner;
	guint64 number; /* of the document */
	WeftSniff sniff;
	int fd;
	const WeftDecodeOptions *options;
	struct stat status; /* of the file when it was hashed */
	gsize known_bytes; /* of output so far, for the limit */
} WeftDecodeFlow;

/* All that decides what is read of a document, and nothing of what is asked about it. */
void weft_content_key(const WeftRun *run, WeftReadBy reader, const WeftDecodeOptions *options,
                      const WeftDocument *document, char ret_key[65]);

gboolean weft_part_is_visible_text(const WeftPart *part);

/* Decodes what is not known yet, and sends it with its marks. `position` is a mark of the journal, 0 at
 * the start: of a PDF the page to go on with, of a recording the number of parts that are known.
 * `page_last` 0: as far as the options say. FALSE: nobody receives any more, or error is set. A stop
 * freezes the journal, so that its end is not kept. */
bool weft_decode_flow_send(WeftDecodeFlow *flow, guint64 position, guint32 page_last, GError **error);
/* None of a file that is not what it was when it was hashed: what was read may be of other bytes. */
bool weft_decode_flow_mark(const WeftDecodeFlow *flow, guint64 position);

#endif
