/* crop.h - the place that an anchor names, cut out of its document: pixels of a page, a picture or a
 * frame, or samples of a track.
 *
 * The document is decoded once more, by the helper programs as ever, and only as much of it as is
 * needed: one page, or the seconds in question. What comes out is a part like those of ingest:
 *
 *     at has a page or a box    RASTER or FRAME: its pixels are the box and a margin around it, as far
 *                               as the page goes; anchor.bbox says which box that is, in the units
 *                               of `at` (points of a page, pixels of a picture or a frame)
 *     else at has a time        PCM: 16 kHz mono, anchor.time says from when to when; where the track
 *                               has no sound, zeros. Never longer than WEFT_CROP_S_MAX
 *
 * Whether the file still is the document that the anchor was made for, the caller has to know.
 */
#ifndef WEFT_PIPELINE_CROP_H
#define WEFT_PIPELINE_CROP_H

#include <glib.h>

#include "ingest/ingest.h"

#define WEFT_CROP_S_MAX 600.0
#define WEFT_CROP_RATE_HZ 16000u

typedef struct WeftCropOptions {
	double page_dpi;       /* at which a page is rendered; 0: what ingest takes */
	double margin;         /* around a box, in its units */
	double around_s;       /* before and behind a time */
	const char *const *passwords; /* NULL-terminated, or NULL */
	WeftLimits limits;     /* a field of 0: its default */
} WeftCropOptions;

/* `fd` stays the caller's; `name` begins the messages of errors. WEFT_ERROR_EMPTY: there is nothing
 * at this place; WEFT_ERROR_NOT_EXAMINED: `at` is the document as a whole; WEFT_ERROR_UNSUPPORTED: a
 * file without pixels and sound. Caller frees. */
WeftPart *weft_crop(WeftIngest *ingest, int fd, const char *name, const WeftAnchor *at,
		    const WeftCropOptions *options, GError **error);
/* The same for `n` places of one page, picture or frame, which is decoded once: a part for each, in their
 * order. Of sound there is the first. */
GPtrArray *weft_crop_all(WeftIngest *ingest, int fd, const char *name, const WeftAnchor *places, guint n,
			 const WeftCropOptions *options, GError **error);

#endif
