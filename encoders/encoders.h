/* encoders.h - the door of the encoders: content, pictures and sound become a Sequence.
 *
 * A WeftEncoders belongs to one bundle: it knows the tokenizer, the prompt of the family, the
 * image processor, the vision tower and, where the bundle has one, the audio tower. It is
 * immutable after opening and may serve several threads; the objects it makes belong to one
 * thread at a time.
 *
 * A request is composed in order: weft_request_new opens the system turn (instructions + schema,
 * the shared prefix) and the fenced document; add_text, add_image and add_audio append its parts;
 * weft_request_finish closes the document, asks, and opens the assistant's turn. The size of each
 * part in tokens is known before it is added (the *_tokens functions), which is what windows are
 * cut by.
 */
#ifndef WEFT_ENCODERS_ENCODERS_H
#define WEFT_ENCODERS_ENCODERS_H

#include <glib.h>

#include "base/content.h"
#include "bundle/bundle.h"
#include "encoders/sequence.h"
#include "ingest/part.h"
#include "kernels/kernels.h"

typedef struct WeftEncoders WeftEncoders;
typedef struct WeftRequest WeftRequest;

/* The bundle and the kernels must outlive it. */
WeftEncoders *weft_encoders_open(WeftBundle *bundle, const WeftKernels *kernels, GError **error);
void weft_encoders_close(WeftEncoders *encoders);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftEncoders, weft_encoders_close)

gboolean weft_encoders_can_see(const WeftEncoders *encoders);
gboolean weft_encoders_can_hear(const WeftEncoders *encoders);
/* Longest side in pixels of a raster that the image processor can use; 0: none. */
guint32 weft_encoders_raster_side_max(const WeftEncoders *encoders);

/* Tokens that a part of a document would take, markers included. `text` is document text: special
 * tokens in it are plain text. */
gsize weft_encoders_text_tokens(const WeftEncoders *encoders, const char *text, gsize size_bytes);
gsize weft_encoders_image_tokens(const WeftEncoders *encoders, guint32 width, guint32 height,
				 gboolean single_tile);
/* Tokens of an empty request with these instructions (prefix, fences, assistant header). */
gsize weft_encoders_frame_tokens(const WeftEncoders *encoders, const char *system, const char *question);

/* The image processor: pixels[tiles][3][side][side], normalised, global tile last. Caller frees
 * *ret_pixels with g_free. */
typedef struct WeftTiles {
	gsize n_tiles, side;
	gsize n_rows, n_cols; /* of the canvas: 1, 1 when there is only one tile */
	float *pixels;
} WeftTiles;
gboolean weft_encoders_tiles(const WeftEncoders *encoders, const WeftRaster *raster,
			     gboolean single_tile, WeftTiles *ret_tiles, GError **error);

/* Vision tower and projector: ret_rows[n_tiles * tokens_per_tile][width]. Caller frees. */
gboolean weft_encoders_see(const WeftEncoders *encoders, const WeftTiles *tiles, float **ret_rows,
			   gsize *ret_n_rows, GError **error);

/* Log-mel: ret_mel[bins][3000 * n_windows], padded per 30 s. Caller frees. */
gboolean weft_encoders_mel(const WeftEncoders *encoders, const float *samples, gsize n_samples,
			   float **ret_mel, gsize *ret_n_bins, gsize *ret_n_frames, GError **error);

WeftRequest *weft_request_new(const WeftEncoders *encoders, const char *system);
void weft_request_free(WeftRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftRequest, weft_request_free)
gsize weft_request_length(const WeftRequest *request);

/* `content`: number of the item in the document, or WEFT_SPAN_NO_CONTENT. */
gboolean weft_request_add_text(WeftRequest *request, const char *text, gsize size_bytes,
			       guint32 content, WeftAnchor anchor, GError **error);
gboolean weft_request_add_image(WeftRequest *request, const WeftRaster *raster,
				gboolean single_tile, guint32 content, WeftAnchor anchor,
				GError **error);
gboolean weft_request_add_audio(WeftRequest *request, const WeftPcm *pcm, guint32 content,
				WeftAnchor anchor, GError **error);
WeftSequence *weft_request_finish(WeftRequest *take_request, const char *question, GError **error);

#endif
