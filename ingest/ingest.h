/* ingest.h - the door of ingest: a file goes in, parts come out.
 *
 * weft links no decoder. Each family of formats has a helper program (weft-decode-pdf, -image,
 * -av, -ocr) that is started once, before any thread exists, and forks one worker per document.
 * The document reaches the worker as an open descriptor; messages come back over a socket, rasters
 * and samples through shared memory, sizes always in the message. Before it touches a byte a worker
 * locks itself down (jail.h): no files, no network, no processes. A worker that crashes, stalls or
 * talks nonsense costs its own document and nothing else.
 *
 * One WeftIngest serves all threads (it says so here because little else does); a WeftDecoding and
 * a WeftReader belong to one thread at a time.
 */
#ifndef WEFT_INGEST_INGEST_H
#define WEFT_INGEST_INGEST_H

#include <glib.h>

#include "ingest/limit.h"
#include "ingest/part.h"

typedef struct WeftIngest WeftIngest;
typedef struct WeftDecoding WeftDecoding;
typedef struct WeftReader WeftReader;

/* What a file is, from its bytes alone. */
typedef enum {
	WEFT_FAMILY_NONE,  /* not read by weft: `name` says what it is, `hint` how to convert it */
	WEFT_FAMILY_TEXT,
	WEFT_FAMILY_PDF,
	WEFT_FAMILY_IMAGE,
	WEFT_FAMILY_AV,
} WeftFamily;

typedef struct WeftSniff {
	WeftFamily family;
	const char *media_type; /* "application/pdf", "application/octet-stream" when unknown */
	const char *name;       /* for people: "Word document" */
	const char *hint;       /* for people: how to convert it, or NULL */
} WeftSniff;

/* Looks at the first bytes (and may look elsewhere) through the descriptor; its offset is left at
 * 0. All strings are static. Fails only when reading fails. An empty file has the media type
 * "application/x-empty". */
gboolean weft_sniff(int fd, WeftSniff *ret_sniff, GError **error);

typedef struct WeftDecodeOptions {
	double page_dpi;          /* pages are rendered at this; 0: chosen for the largest canvas */
	guint32 raster_side_max;  /* longest side of a raster that anything downstream can use; 0:
	                           * no bound but the limits. Pages are rendered to fit; a JPEG is
	                           * decoded by the smallest eighth that is not below; others are
	                           * not scaled. */
	gboolean want_rasters;    /* FALSE: nothing looks at pixels; ink is still measured, and a
	                           * picture is a content of kind image without text */
	gboolean want_all_pages;  /* with want_rasters: a page comes as a raster also when its text
	                           * stands in the file, or when it is blank */
	gboolean want_pcm;        /* FALSE: nothing hears; silence and segments are still measured */
	gboolean want_silence;    /* with want_pcm: all samples come, those of silent stretches too,
	                           * and no content says where it is silent */
	gboolean apart;           /* with want_pcm: what has exactly two channels comes as two windows
	                           * of the same time, left and then right, instead of one that is
	                           * mixed (WeftPcm.channel); a stretch is silent when both are */
	guint32 page_first, page_last; /* 0, 0: all */
	guint32 page_from;        /* what the document states of itself, and its pages before this one,
	                           * are known and not given; limits count as if they were. 0: nothing
	                           * is. PDF only */
	double time_first, time_end;   /* seconds; 0, 0: all */
	double frame_interval_s;  /* longest time between two looks at a video: what is new then is
	                           * given, also where nothing else speaks for it; 0: none */
	const char *const *passwords; /* NULL-terminated, or NULL */
	WeftLimits limits;        /* a field of 0: its default */
} WeftDecodeOptions;

/* `helper_dir`: where the helper programs are. Starts those that are there; a missing one is an
 * error only when it is needed (WEFT_ERROR_NO_READER then, naming the program). One that ends later
 * is started again; when that can't be, it is WEFT_ERROR_GONE for all documents that come after: the
 * caller ends its run. Call it before the first thread is made. */
WeftIngest *weft_ingest_open(const char *helper_dir, GError **error);
void weft_ingest_close(WeftIngest *ingest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftIngest, weft_ingest_close)

/* What decoders, and readers, may hold together, with the pictures that came of it: what is large
 * waits for its turn. Before the first thread; without it there is no limit. Fails when one document
 * at its limits would not fit (WEFT_ERROR_USAGE, with the numbers). `reads`: weft_ingest_reader will
 * be called. */
gboolean weft_ingest_limit_memory(WeftIngest *ingest, gsize decode_bytes, gsize read_bytes,
				  const WeftLimits *limits, gboolean reads, GError **error);
/* Ends the helper programs and their workers, so that nothing waits for one any more; all that is
 * asked for afterwards fails. From any thread. */
void weft_ingest_interrupt(WeftIngest *ingest);

/* "weft-decode-pdf poppler 22.12.0; ..." for the `run` of records and `weft doctor`. Owned by
 * ingest. */
const char *weft_ingest_versions(const WeftIngest *ingest);
gboolean weft_ingest_has_ocr(const WeftIngest *ingest);

/* What holds the workers of one helper program, as a trial worker saw it when the program started. */
typedef struct WeftWallsFacts {
	const char *program; /* with its versions, as in weft_ingest_versions */
	const char *walls;   /* "seccomp, Landlock 7, limits, privileges"; NULL: see refusal */
	const char *refusal; /* why workers can't be locked down, or NULL */
} WeftWallsFacts;

/* Of the i-th program that is there; FALSE: there are no more. Strings are ingest's. */
gboolean weft_ingest_walls(const WeftIngest *ingest, guint i, WeftWallsFacts *ret_facts);

/* Says, before the first document, whether workers must be locked down (they must until this says
 * otherwise). FALSE: they must and a program's can't be; without this call, that is the error
 * (WEFT_ERROR_GONE) of each document of that program. Without a jail the limits remain. */
gboolean weft_ingest_lock(WeftIngest *ingest, gboolean wanted, GError **error);

/* Starts decoding. `fd` stays the caller's and may be closed after the call; its offset is not
 * shared with the worker. `name` begins the messages of errors; NULL: nothing does. */
WeftDecoding *weft_ingest_decode(WeftIngest *ingest, const WeftSniff *sniff, int fd,
				 const char *name, const WeftDecodeOptions *options, GError **error);

/* TRUE with *ret_part == NULL at the end. A worker that was killed from outside, or ended with its
 * program, is tried once again before its document is blamed; parts come as if nothing had been.
 * FALSE: the document can't be read further; what came before remains valid. */
gboolean weft_decoding_next(WeftDecoding *decoding, WeftPart **ret_part, GError **error);
/* So much of the limit of output bytes is spent: on parts that are known (page_from). */
void weft_decoding_add_known(WeftDecoding *decoding, gsize output_bytes);
void weft_decoding_close(WeftDecoding *decoding);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftDecoding, weft_decoding_close)

/* ---- parts as bytes, to be kept by whoever has use for them ---- */

/* Appends the part, less pixels and samples. FALSE: it holds more than the limits of a part, and
 * nothing was appended. */
gboolean weft_part_write(const WeftPart *part, GByteArray *bytes);
/* What weft_part_write made, of all of these bytes; they may be anybody's. raster.pixels and
 * pcm.samples are NULL. WEFT_ERROR_CORRUPT. */
WeftPart *weft_part_read(const guint8 *data, gsize size_bytes, GError **error);
/* Adds all that decides which parts come of a document: not passwords, page_from, time limits. */
void weft_decode_options_hash(const WeftDecodeOptions *options, GChecksum *sum);

/* Reading of page pictures by Tesseract, one worker per document. `limits` NULL: the defaults. */
WeftReader *weft_ingest_reader(WeftIngest *ingest, const char *languages, const WeftLimits *limits,
			       GError **error);

/* Reads one raster; the items (WeftContent, element-free function set) have words, boxes and
 * confidences, anchored like `at` (boxes in points for pages, in pixels for pictures). An empty
 * array: nothing legible. */
gboolean weft_reader_read(WeftReader *reader, const WeftRaster *raster, WeftAnchor at,
			  GPtrArray **ret_contents, GError **error);
void weft_reader_close(WeftReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftReader, weft_reader_close)

#endif
