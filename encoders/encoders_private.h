/* encoders_private.h - what a WeftEncoders is made of, and the pieces of a prompt.
 *
 * Private to the room. Parts that the bundle does not have are NULL.
 */
#ifndef WEFT_ENCODERS_ENCODERS_PRIVATE_H
#define WEFT_ENCODERS_ENCODERS_PRIVATE_H

#include <glib.h>

#include "encoders/audio.h"
#include "encoders/encoders.h"
#include "encoders/mel.h"
#include "encoders/pixels.h"
#include "encoders/vision.h"
#include "encoders/whisper.h"
#include "encoders/whisper_decoder.h"

typedef struct WeftImageIds {
	gint32 start, end, column_end, row_end, image, patch;
} WeftImageIds;

struct WeftEncoders {
	const WeftKernels *kernels;
	const WeftTokenizer *tokenizer;
	const WeftTemplate *template;
	gsize width;              /* of the backbone's rows; 0: no text model */
	gboolean counts_only;     /* without towers */
	gboolean has_tiling;
	WeftTiling tiling;
	gsize tokens_per_tile;
	WeftImageIds image_ids;   /* valid with a tokenizer and has_tiling */
	WeftVision *vision;
	WeftWhisper *whisper;
	WeftWhisperDecoder *decoder;
	WeftMel *mel;             /* of whisper */
	WeftAudio *audio;
	gboolean has_audio_shape; /* sound counts: there is a projector of this base */
	WeftAudioShape audio_shape;
	char *deaf;               /* why audio is NULL */
	const WeftBundle *bundle;
	GPtrArray *vision_loras;  /* WeftVisionLora; NULL: none was added */
};

/* The lines that stand before a part; empty when nothing changed. */
void weft_text_markers(const WeftAnchor *at, const WeftAnchor *before, GString *text);

/* The ids of the name that stands before a text, and of the text as it stands in a request, line feed
 * included; nothing for a text of space, and no name when nobody is known to speak. */
void weft_text_encode_speaker(const WeftEncoders *encoders, const WeftPassage *passage, GArray *ids);
void weft_text_encode(const WeftEncoders *encoders, const WeftPassage *passage, GArray *ids);
/* Plain text, as it is. */
void weft_text_encode_plain(const WeftEncoders *encoders, const char *text, GArray *ids);
/* The text without the space around it: where it begins. */
const char *weft_text_trim(const char *text, gsize *ret_size_bytes);

/* A picture on its way into a sequence: the caller sets raster, anchor and content, init adds the
 * canvas and the rows. */
typedef struct WeftImage {
	const WeftRaster *raster;
	const WeftLora *adapter; /* NULL: none */
	WeftAnchor anchor;
	guint32 content;
	gsize n_rows, n_cols; /* of the canvas */
	float *rows;
} WeftImage;

gboolean weft_image_init(WeftImage *image, const WeftEncoders *encoders, gboolean single_tile,
			 GError **error);
void weft_image_done(WeftImage *image);
/* Start, tiles with separators, the global tile, end; a span for each, those of tiles with the part
 * of the picture that they show. */
void weft_image_append(const WeftImage *image, const WeftEncoders *encoders,
		       WeftSequence *sequence);
gsize weft_image_n_tokens(const WeftEncoders *encoders, gsize n_rows, gsize n_cols);

#endif
