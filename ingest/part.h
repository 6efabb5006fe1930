/* part.h - the product of ingest: one decoded piece of a document.
 *
 * A decoder gives parts one at a time, in reading order, each with the anchor that says where it
 * came from. A part owns its memory; pixels and samples are copies of what the helper program put
 * into shared memory, so that nothing a hostile decoder does later can change them.
 * Parts are immutable once they left ingest.
 */
#ifndef WEFT_INGEST_PART_H
#define WEFT_INGEST_PART_H

#include <glib.h>

#include "base/anchor.h"
#include "base/content.h"

typedef enum {
	WEFT_PART_CONTENT, /* text that stands in the file, or a blank page / silence: `content` */
	WEFT_PART_RASTER,  /* a page or picture that something must look at: `raster`. Its box is
	                    * the whole page, or the whole picture in the picture's own pixels,
	                    * also where the raster was decoded smaller */
	WEFT_PART_FRAME,   /* a video frame: `raster`, anchor.time says from when to when it stood */
	WEFT_PART_PCM,     /* a window of sound: `pcm` */
	WEFT_PART_PAGE,    /* facts of a page, before its contents: `page` */
	WEFT_PART_TRACK,   /* facts of a stream, before its contents: `track` */
	WEFT_PART_META,    /* one fact of the document as the file states it: `key`, `value` */
	WEFT_PART_OUTLINE, /* one entry of the outline, in order: `value` = title, `level`, anchor.page */
	WEFT_PART_EMBEDDED,/* the name of a file inside the file: `value`; `size_bytes` */
	WEFT_PART_FAULT,   /* something that should have been read was not: `fault`, at `anchor`;
	                    * page.n: pages from there on that were left out for a limit, or 0 */
	WEFT_PART_EXTENT,  /* how much there is to come, before all of it: `extent`. A later one takes
	                    * the place of an earlier one */
} WeftPartKind;

/* RGB, 8 bit, rows without padding: pixels[height][width][3]. */
typedef struct WeftRaster {
	guint32 width, height;
	guint8 *pixels;
	double points_per_pixel; /* to carry a box back: PDF points per pixel of a page; for a picture
	                          * that was decoded smaller, its own pixels per pixel; else 0 */
	double ink;              /* share of pixels that differ from the ground, 0..1 */
} WeftRaster;

/* 16 kHz mono in -1..1. */
typedef struct WeftPcm {
	float *samples;
	gsize n_samples;
	guint32 channel;         /* 0: all channels mixed; 1: left, 2: right, which comes right behind
	                          * its left and has the same times (WeftDecodeOptions.apart) */
	double rms;              /* root mean square of the window */
} WeftPcm;

typedef struct WeftPageFacts {
	guint32 n;               /* from 1 */
	double width, height;    /* points, crop box after rotation */
	int rotation;            /* 0, 90, 180, 270 as the file states it */
	double ink;              /* share of inked pixels; negative: not rendered */
} WeftPageFacts;

typedef struct WeftTrackFacts {
	guint32 n;               /* from 1 */
	char kind[12];           /* "audio" | "video" | "subtitle" | "data" */
	char language[12];       /* as the file states it, or "" */
	double seconds;          /* negative: not known */
} WeftTrackFacts;

/* As the document states it, of what was asked for; the second number is behind a limit. Parts that
 * say what is there may say otherwise: this counts when they end too early. */
typedef struct WeftExtent {
	guint32 n_pages, n_pages_cut;
	double sound_s, sound_s_cut; /* of all tracks that are heard; 0: not known */
} WeftExtent;

typedef struct WeftPart {
	WeftPartKind kind;
	WeftAnchor anchor;
	WeftContent *content;
	WeftRaster raster;
	WeftPcm pcm;
	WeftPageFacts page;
	WeftTrackFacts track;
	WeftExtent extent;
	char *key, *value;
	guint level;             /* outline: from 0 */
	guint64 size_bytes;
	GError *fault;
	struct WeftMemoryShare *memory; /* what its pixels or samples hold of the memory of ingest,
	                                 * given back when it is freed; NULL: nothing */
	gint n_more_owners;      /* part.c's */
} WeftPart;

WeftPart *weft_part_new(WeftPartKind kind, WeftAnchor anchor);
/* The same part, with one owner more: each frees it, from any thread, and the last one's call counts. */
WeftPart *weft_part_share(WeftPart *part);
void weft_part_free(WeftPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPart, weft_part_free)

/* It holds nothing of the memory of ingest any more: it waits for more of its document, whose
 * decoder may wait for that memory. */
void weft_part_release_memory(WeftPart *part);

/* Bytes that the part holds: what a channel counts against its budget. */
gsize weft_part_size_bytes(const WeftPart *part);

/* About how many bytes of a record it becomes (base/content.h); pictures and sound: none. */
gsize weft_part_output_bytes(const WeftPart *part);

#endif
