/* encoders.h - the door of the encoders: content, pictures and sound become a Sequence.
 *
 * A WeftEncoders belongs to one bundle: it knows the tokenizer, the prompt of the family, the
 * image processor, the vision tower and, where the bundle has one, the audio tower. It is
 * immutable after opening and may serve several threads; the objects it makes belong to one
 * thread at a time.
 *
 * A request is composed in order: weft_request_new writes the system turn (instructions + schema,
 * the shared prefix) and opens the fenced document; add_text, add_image and add_audio append its
 * parts; weft_request_finish closes the document, asks, and opens the assistant's turn:
 *
 *     [begin] system turn: `system`, trimmed     (left out when empty)
 *     user turn:
 *     <document>
 *     [p. 3]                                     when the page differs from the last part's
 *     [00:01:24]                                 when the block of time differs from the last part's
 *     the part: text without leading line ends and trailing space, or the image's tokens, or
 *     rows of sound; what somebody says stands behind the name: "Anna: Shall we begin?"
 *     </document>
 *                                                an empty line and `question`, trimmed, if any
 *     assistant header, open
 *
 * Time is told in blocks of WEFT_BLOCK_S seconds (base/anchor.h): what begins in [84, 86) stands behind
 * [00:01:24], so that a player that is sent there does not miss its beginning. Who adds the parts of a
 * recording adds those of a block in this order: frames, what is said, sound (pipeline/window.h). A clip
 * of sound goes through the tower as a whole, in its windows of 30 s, and is added block by block: what
 * stands behind a marker are the rows that begin in its two seconds (weft_encoders_audio_block).
 *
 * Fences and markers are plain text, one line each; every part ends with a line feed. No part and no
 * name can close the fence or open another: where one spells "<document" or "</document", in any case and with
 * spaces, the "<" is told as U+2039, and the item itself stays as it is. Fence,
 * markers, name, part and question are each encoded by themselves, special tokens as plain text. The
 * tokens of a part depend on the part and on the anchor of the part before it, nothing else, so
 * that windows can be cut before anything is encoded: frame + sum of parts = length, exactly. A name
 * belongs to no item: its span has none, and characters of an item are counted in its own text.
 */
#ifndef WEFT_ENCODERS_ENCODERS_H
#define WEFT_ENCODERS_ENCODERS_H

#include <glib.h>

#include "base/content.h"
#include "bundle/bundle.h"
#include "encoders/scorer.h"
#include "encoders/sequence.h"
#include "encoders/sounding.h"
#include "encoders/speaker_labels.h"
#include "encoders/transcript.h"
#include "ingest/part.h"
#include "kernels/kernels.h"

typedef struct WeftEncoders WeftEncoders;
typedef struct WeftRequest WeftRequest;

/* Some of the rows that a clip becomes, 160 ms each with the published projectors. */
typedef struct WeftSoundSlice {
	const WeftPcm *pcm;
	gsize row_first, n_rows;
} WeftSoundSlice;

/* A text on its way into a request. */
typedef struct WeftPassage {
	const char *text;
	gsize size_bytes;
	const char *speaker; /* who says it, or NULL; of a long name the beginning is told */
	guint32 content;     /* number of the item in the document, or WEFT_SPAN_NO_CONTENT */
	WeftAnchor at;
} WeftPassage;

/* Who says it, as a request tells it: on one line; NULL: nobody is known to. Caller frees. */
char *weft_passage_name(const WeftPassage *passage);

/* The bundle and the kernels must outlive it. Opens whatever the bundle has (a folder with nothing
 * but a tokenizer, or a Whisper folder, will do); what is there must be whole: WEFT_ERROR_CONFIG,
 * WEFT_ERROR_WEIGHTS with the name of the tensor. */
WeftEncoders *weft_encoders_open(WeftBundle *bundle, const WeftKernels *kernels, GError **error);
/* Belongs to opening: from here on requests and pictures may be of this adapter, which must outlive
 * the encoders. What it says about the vision tower is checked: WEFT_ERROR_WEIGHTS. Without a tower
 * that is nothing. */
gboolean weft_encoders_add_adapter(WeftEncoders *encoders, const WeftLora *lora, GError **error);
/* The same without towers: it counts tokens and can do nothing else. Pictures count when the
 * configuration has a part for them, sound when there is a projector for this base. Reads no weights;
 * there need be none. */
WeftEncoders *weft_encoders_open_to_count(WeftBundle *bundle, GError **error);
void weft_encoders_close(WeftEncoders *encoders);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftEncoders, weft_encoders_close)

/* Pictures, sound as rows of the sequence. Sound needs a projector that was made for this base. */
gboolean weft_encoders_can_see(const WeftEncoders *encoders);
gboolean weft_encoders_can_hear(const WeftEncoders *encoders);
/* Tokens of one tile of a picture; 0: none. */
gsize weft_encoders_tile_tokens(const WeftEncoders *encoders);
/* Longest side in pixels of a raster that the image processor can use (pictures up to 2:1); 0:
 * none. */
guint32 weft_encoders_raster_side_max(const WeftEncoders *encoders);

/* Tokens that adding a part takes, markers included. `at` is the anchor of the part, `before` that
 * of the part added before it, NULL for the first of a request. */
gsize weft_encoders_text_tokens(const WeftEncoders *encoders, const WeftPassage *passage,
				const WeftAnchor *before);
gsize weft_encoders_image_tokens(const WeftEncoders *encoders, guint32 width, guint32 height,
				 gboolean single_tile, const WeftAnchor *at,
				 const WeftAnchor *before);
gsize weft_encoders_audio_tokens(const WeftEncoders *encoders, gsize n_rows, const WeftAnchor *at,
				 const WeftAnchor *before);
/* Rows that a clip becomes, at least one. */
gsize weft_encoders_audio_rows(const WeftEncoders *encoders, gsize n_samples);
/* How many rows, from row_first on, begin in one block of time. `at`: of the clip; without a time it is
 * one block. *ret_at: from where the first begins to where the next behind them does. */
gsize weft_encoders_audio_block(const WeftEncoders *encoders, gsize n_samples, const WeftAnchor *at,
				gsize row_first, WeftAnchor *ret_at);
/* Tokens of a request without parts (prefix, fences, question, assistant header). */
gsize weft_encoders_frame_tokens(const WeftEncoders *encoders, const char *system,
				 const char *question);

/* The image processor: pixels[tiles][3][side][side], normalised, global tile last. `single_tile`:
 * the whole picture in one tile, proportions kept (video frames). Caller frees pixels (g_free). */
typedef struct WeftTiles {
	gsize n_tiles, side;
	gsize n_rows, n_cols; /* of the canvas: 1, 1 when there is only one tile */
	float *pixels;
} WeftTiles;
gboolean weft_encoders_tiles(const WeftEncoders *encoders, const WeftRaster *raster,
			     gboolean single_tile, WeftTiles *ret_tiles, GError **error);

/* Vision tower and projector: ret_rows[n_tiles * tokens_per_tile][width]. `adapter`: NULL, or one
 * that was added. Caller frees. */
gboolean weft_encoders_see(const WeftEncoders *encoders, const WeftTiles *tiles,
			   const WeftLora *adapter, float **ret_rows, gsize *ret_n_rows,
			   GError **error);

/* Appends one picture to a bare sequence (probes): the ids that the processor puts in place of
 * <|image|>, and the rows. Nothing is appended on failure. */
gboolean weft_encoders_add_image(const WeftEncoders *encoders, WeftSequence *sequence,
				 const WeftRaster *raster, gboolean single_tile,
				 const WeftLora *adapter, GError **error);

/* Log-mel: ret_mel[bins][3000 * n_windows], samples padded with silence to whole windows of 30 s,
 * the loudest value taken per window, as WhisperFeatureExtractor does. Caller frees. */
gboolean weft_encoders_mel(const WeftEncoders *encoders, const float *samples, gsize n_samples,
			   float **ret_mel, gsize *ret_n_bins, gsize *ret_n_frames, GError **error);

/* Whisper's encoder on one window of log-mel[n_bins][n_frames], at most 3000 frames:
 * ret_frames[(n_frames + 1) / 2][d]. WEFT_ERROR_NO_READER when the bundle has no Whisper,
 * WEFT_ERROR_USAGE with both numbers when the shape does not fit. Caller frees. */
gboolean weft_encoders_whisper(const WeftEncoders *encoders, const float *mel, gsize n_bins,
			       gsize n_frames, float **ret_frames, gsize *ret_n_frames,
			       gsize *ret_width, GError **error);

/* Whisper's ears and tongue for decoding (scorer.h); NULL: the bundle has no Whisper with a decoder.
 * Borrowed; several threads may listen, each with scorers of its own. */
WeftListener *weft_encoders_listener(const WeftEncoders *encoders);

/* The decoder for the rows[n_rows][d] of a whole window (weft_encoders_whisper), and a place for its
 * logits. */
typedef struct WeftWhisperText {
	const float *rows;
	gsize n_rows;
	const guint32 *ids;
	gsize n_ids;
	gboolean step; /* token by token, else in one pass: the same bits */
} WeftWhisperText;

/* ret_logits[n_ids][n_vocab] behind each id. WEFT_ERROR_NO_READER, WEFT_ERROR_USAGE. Caller frees. */
gboolean weft_encoders_whisper_logits(const WeftEncoders *encoders, const WeftWhisperText *text,
				      float **ret_logits, gsize *ret_n_vocab, GError **error);

/* `system` may be NULL. */
WeftRequest *weft_request_new(const WeftEncoders *encoders, const char *system);
void weft_request_free(WeftRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftRequest, weft_request_free)
gsize weft_request_length(const WeftRequest *request);
/* Pictures added from here on are seen with this adapter; NULL: the base alone. */
void weft_request_adapt(WeftRequest *request, const WeftLora *adapter);

/* A line of the caller's own between parts, as it stands: a mark of the fence that no part can spell. */
void weft_request_add_mark(WeftRequest *request, const char *mark);
/* The next part tells its place, also where it is that of the one before: of another document. */
void weft_request_forget_place(WeftRequest *request);
/* `content`: number of the item in the document, or WEFT_SPAN_NO_CONTENT. Text that is empty or
 * only space adds its marker alone. On failure the request is as it was. */
gboolean weft_request_add_text(WeftRequest *request, const WeftPassage *passage, GError **error);
/* A text that verbatim values may be besides what stands in items, and not part of the request: the
 * values of other windows, which stand in theirs. */
void weft_request_add_quote(WeftRequest *request, const char *text);
gboolean weft_request_add_image(WeftRequest *request, const WeftRaster *raster,
				gboolean single_tile, guint32 content, WeftAnchor anchor,
				GError **error);
/* The clip must live until the request is finished or freed: slices of it may come at any time, and it
 * goes through the tower once. */
gboolean weft_request_add_audio(WeftRequest *request, const WeftSoundSlice *slice, guint32 content,
				WeftAnchor anchor, GError **error);
/* `question` may be NULL. seed_key is a hash of the ids behind the prefix; a caller that knows the
 * document puts its own there. */
WeftSequence *weft_request_finish(WeftRequest *take_request, const char *question, GError **error);

/* A conversation that Llama Guard 4 is asked about: a user's turn, pictures before its text, and
 * the reply to it. The prompt is the one of the family's guard (S1 to S14, without S14 when there is
 * a picture), a user's turn of its own, then the open assistant header. Texts are put in trimmed,
 * divided by a line feed, special tokens as plain text; everything between special tokens is
 * encoded in one piece, as a tokenizer would encode the rendered prompt. What stands before the
 * conversation is the shared prefix. The bundle must have the family's template ("llama4"). */
typedef struct WeftConversation WeftConversation;
WeftConversation *weft_conversation_new(const WeftEncoders *encoders);
void weft_conversation_free(WeftConversation *conversation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftConversation, weft_conversation_free)
void weft_conversation_add_text(WeftConversation *conversation, const char *text);
/* The picture goes through the tower once, however often is asked. */
gboolean weft_conversation_add_image(WeftConversation *conversation, const WeftRaster *raster,
				     gboolean single_tile, GError **error);
/* `reply` NULL: is the user's turn safe? Else: is the reply? */
WeftSequence *weft_conversation_ask(const WeftConversation *conversation, const char *reply);
/* Tokens of the longest such prompt about an empty conversation. */
gsize weft_encoders_conversation_tokens(const WeftEncoders *encoders);

#endif
