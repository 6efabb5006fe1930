/* decoder.h - private: what a format must offer to be read by a helper program.
 *
 * A decoder lives in a worker: a process forked for one document, which holds nothing but the
 * document's descriptor, a socket and two blocks of shared memory. It gives parts one at a time
 * and keeps no more than one page, window or frame in memory. Everything that it reads is hostile:
 * sizes are checked before they are used, and every loop over input has a limit. It may end in a
 * crash without harm to anything but its document, so it never works around the libraries.
 *
 * A program is one family: main() is helper.c, and the family defines `weft_helper_program`.
 */
#ifndef WEFT_INGEST_DECODER_H
#define WEFT_INGEST_DECODER_H

#include <glib.h>

#include "base/error.h"
#include "ingest/ingest.h"
#include "ingest/part.h"

/* What one part may hold. Longer text is given as several contents. */
#define WEFT_PART_TEXT_MAX_BYTES 32768u
#define WEFT_PART_WORDS_MAX 1024u
#define WEFT_PART_ANCHORS_MAX 16u
#define WEFT_PART_VALUE_MAX_BYTES 16384u /* of META, OUTLINE, EMBEDDED; weft_part_new_* cut */
#define WEFT_PCM_SAMPLES_MAX (16000u * 120)

/* No limit can be set above these: a raster has to fit a slot of shared memory, its sides the
 * libraries (cairo), a track its place in an array. */
#define WEFT_RASTER_SIDE_MAX 32767u
#define WEFT_RASTER_PIXELS_MAX (64u * 1000 * 1000)
#define WEFT_RASTER_SIDE_PIXELS_MAX 4294836225.0 /* 65,535 a side: what a JPEG can state */
#define WEFT_AV_STREAMS_MAX 256

/* `fd` is the worker's own (offset 0, read only, seekable, a regular file) and stays open until
 * close. `options` lives as long as the state; passwords are a NULL-terminated array, never NULL.
 */
typedef struct WeftDecodeJob {
	int fd;
	guint64 size_bytes;
	WeftFamily family;
	const char *media_type;
	const WeftDecodeOptions *options;
	void (*claim)(gsize size_bytes); /* or NULL: weigh.h */
} WeftDecodeJob;

typedef struct WeftDecoder {
	const char *name;
	WeftFamily family;
	const char *const *media_types; /* NULL-terminated, or NULL: all of the family */

	/* On failure nothing is kept. */
	gboolean (*open)(const WeftDecodeJob *job, void **ret_state, GError **error);

	/* As weft_decoding_next: TRUE with NULL at the end; FALSE when the document can't be read
	 * further. What is wrong with one page or stretch only is a WEFT_PART_FAULT. */
	gboolean (*next)(void *state, WeftPart **ret_part, GError **error);
	void (*close)(void *state);
} WeftDecoder;

/* Reads text in rasters (Tesseract). */
typedef struct WeftPictureReader {
	gboolean (*open)(const char *languages, void **ret_state, GError **error);

	/* Contents as weft_reader_read promises; the array has weft_content_free as its
	 * element-free function. */
	gboolean (*read)(void *state, const WeftRaster *raster, WeftAnchor at,
	                 GPtrArray **ret_contents, GError **error);
	void (*close)(void *state);
} WeftPictureReader;

typedef struct WeftHelperProgram {
	const char *name;       /* "weft-decode-pdf" */
	char *(*version)(void); /* "poppler 22.12.0": libraries as they are loaded; owned */
	void (*warm)(void);     /* once in the zygote, before any fork; or NULL */
	const WeftDecoder *const *decoders; /* NULL-terminated; the first that fits is taken */
	const WeftPictureReader *reader;    /* or NULL */
	const char *const *folders; /* that a worker reads files of, NULL-terminated; NULL: opens none */
} WeftHelperProgram;

extern const WeftHelperProgram weft_helper_program;

/* For decoders: parts in one line. Texts that are not UTF-8 are repaired, long ones cut. */
WeftPart *weft_part_new_meta(const char *key, const char *value);
WeftPart *weft_part_new_fault(WeftAnchor at, WeftErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
WeftPart *weft_part_new_content(WeftContent *take_content);

/* Takes `pixels` (malloc'ed, width * height * 3 bytes) and measures the ink. */
WeftPart *weft_part_new_raster(WeftPartKind kind, WeftAnchor at, guint32 width, guint32 height,
                               guint8 *take_pixels, double points_per_pixel);

#endif
