/* decode_flow.h - private to decode: one document on its way through, and what is decoded of it.
 */
#ifndef WEFT_PIPELINE_DECODE_FLOW_H
#define WEFT_PIPELINE_DECODE_FLOW_H

#include "pipeline/run.h"

/* Tesseract is at its best near this; for other readers the decoder chooses. */
#define WEFT_TESSERACT_DPI 300
/* The mark of a recording of which nothing is known but what the first pass measured. */
#define WEFT_POSITION_MEASURED 1u

typedef struct WeftDecodeFlow {
	WeftRun *run;
	WeftRunner *runner;
	guint64 number; /* of the document */
	WeftSniff sniff;
	int fd;
	const WeftDecodeOptions *options;
	struct stat status; /* of the file when it was hashed */
	gsize known_bytes; /* of output so far, for the limit */
	WeftExtent extent; /* as the document states it */
	guint64 n_pages, sound_ms; /* of that, what has come */
	gboolean has_cut;  /* what is behind a limit was told */
	GPtrArray *captions; /* WeftContent of its sidecar, in order of time, those that went are NULL; or
			      * NULL: it has none */
	guint next_caption;
	gboolean is_heard; /* a recording whose sound was measured (sound_pass.h): Whisper listens */
	gboolean is_apart; /* to the channels of a track by themselves */
} WeftDecodeFlow;

/* Counts a part that came in, for the run and for the flow. */
void weft_decode_flow_tally(WeftDecodeFlow *flow, const WeftPart *part);
/* The same for a fault at its place. */
void weft_decode_flow_tally_fault(WeftDecodeFlow *flow, const GError *fault, const WeftAnchor *at);
/* What was announced and did not come, of a document that has ended: pages; sound, when it ended by a
 * failure (else what is stated is the file's mistake). It has failed, or was skipped for a limit, and
 * has come in, which is counted here. */
WeftLedgers weft_decode_flow_end(const WeftDecodeFlow *flow, const GError *failure);

/* Of a decode for the run's job that looks at no pixels and hears nothing. */
WeftDecodeOptions weft_decode_flow_options(const WeftRun *run, const char *const *passwords);

/* All that decides what is read of a document, and nothing of what is asked about it. */
void weft_content_key(const WeftRun *run, WeftReadBy reader, const WeftDecodeOptions *options,
                      const WeftDocument *document, char ret_key[65]);

gboolean weft_part_is_visible_text(const WeftPart *part);

/* Decodes what is not known yet, and sends it with its marks. `position` is a mark of the journal, 0 at
 * the start: of a PDF the page to go on with, of a recording 1 + the number of parts that are known.
 * `page_last` 0: as far as the options say. FALSE: nobody receives any more, or error is set. A stop
 * freezes the journal, so that its end is not kept. */
bool weft_decode_flow_send(WeftDecodeFlow *flow, guint64 position, guint32 page_last, GError **error);
/* Reads the captions that lie beside it, before anything else of it; what is wrong with them is sent,
 * unless `is_known`. NULL: none do. FALSE as above. */
bool weft_decode_flow_caption(WeftDecodeFlow *flow, const WeftSidecar *sidecar, bool is_known,
			      GError **error);
/* None of a file that is not what it was when it was hashed: what was read may be of other bytes. */
bool weft_decode_flow_mark(const WeftDecodeFlow *flow, guint64 position);

#endif
