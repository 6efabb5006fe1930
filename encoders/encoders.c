#include "encoders/encoders_private.h"

#include "base/bytes.h"
#include "base/error.h"

/* One window of Whisper is 30 s; more than a day of sound at once is a mistake somewhere. */
#define MEL_WINDOWS_MAX 2880

static gboolean open_tiling(WeftEncoders *encoders, const WeftConfig *config, GError **error)
{
	const WeftPreprocessor *p = &config->preprocessor;

	if (p->tile_width != p->tile_height || !p->tile_width ||
	    p->tile_width > WEFT_TILING_SIDE_MAX || !p->tiles_max ||
	    p->tiles_max > WEFT_TILING_TILES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "preprocessor: tiles of %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
			    " pixels, at most %" G_GSIZE_FORMAT " of them; they must be square, "
			    "at most %d pixels, 1 to %d", p->tile_width, p->tile_height,
			    p->tiles_max, WEFT_TILING_SIDE_MAX, WEFT_TILING_TILES_MAX);
		return FALSE;
	}
	encoders->tiling = (WeftTiling){ .side = (guint32)p->tile_width,
					 .n_tiles_max = (guint32)p->tiles_max,
					 .largest_canvas = p->to_max_canvas,
					 .rescale = (float)p->rescale };
	for (int c = 0; c < 3; c++) {
		encoders->tiling.mean[c] = (float)p->mean[c];
		encoders->tiling.std[c] = (float)p->std[c];
	}
	encoders->has_tiling = TRUE;
	return TRUE;
}

static gboolean open_image_ids(WeftEncoders *encoders, GError **error)
{
	WeftImageIds *ids = &encoders->image_ids;
	const struct {
		const char *token;
		gint32 *id;
	} tokens[] = {
		{ "<|image_start|>", &ids->start },
		{ "<|image_end|>", &ids->end },
		{ "<|tile_x_separator|>", &ids->column_end },
		{ "<|tile_y_separator|>", &ids->row_end },
		{ "<|image|>", &ids->image },
		{ "<|patch|>", &ids->patch },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++) {
		*tokens[i].id = weft_tokenizer_id(encoders->tokenizer, tokens[i].token);
		if (*tokens[i].id < 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
				    "tokenizer: no token %s, which pictures need",
				    tokens[i].token);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean open_vision(WeftEncoders *encoders, const WeftBundle *bundle, GError **error)
{
	const WeftConfig *config = weft_bundle_config(bundle);

	if (!open_tiling(encoders, config, error))
		return FALSE;
	if (encoders->tokenizer && !open_image_ids(encoders, error))
		return FALSE;
	if (encoders->counts_only) {
		encoders->tokens_per_tile = weft_vision_tokens_per_tile(&config->vision);
		return TRUE;
	}
	/* Weights saved again without the tower, or no weights at all: pictures become tiles. */
	if (!weft_bundle_find(bundle, "vision_model.class_embedding") &&
	    !weft_bundle_find(bundle, "multi_modal_projector.linear_1.weight"))
		return TRUE;
	encoders->vision = weft_vision_new(bundle, encoders->kernels, error);
	if (!encoders->vision)
		return FALSE;
	encoders->tokens_per_tile = weft_vision_tokens_per_tile(&config->vision);
	return TRUE;
}

/* Weights saved again with the encoder alone have none. */
static gboolean open_decoder(WeftEncoders *encoders, const WeftBundle *audio, GError **error)
{
	if (!weft_bundle_config(audio)->audio.has_decoder ||
	    !weft_bundle_find(audio, "decoder.embed_tokens.weight"))
		return TRUE;
	encoders->decoder =
		weft_whisper_decoder_new(audio, encoders->whisper, encoders->kernels, error);
	return encoders->decoder != NULL;
}

/* What can be told of sound without weights. */
static void open_audio_shape(WeftEncoders *encoders, const WeftBundle *bundle)
{
	encoders->deaf = weft_audio_mismatch(bundle);
	encoders->has_audio_shape = !encoders->deaf && encoders->width > 0;
	if (encoders->has_audio_shape)
		encoders->audio_shape = weft_audio_shape(bundle);
}

static gboolean open_audio(WeftEncoders *encoders, const WeftBundle *bundle, GError **error)
{
	const WeftBundle *audio = weft_bundle_audio(bundle);

	if (audio && weft_bundle_find(audio, "encoder.conv1.weight")) {
		encoders->whisper = weft_whisper_new(audio, &weft_bundle_config(audio)->audio,
						     "encoder.", encoders->kernels, error);
		if (!encoders->whisper)
			return FALSE;
		encoders->mel = weft_mel_new(weft_whisper_n_bins(encoders->whisper));
		if (!open_decoder(encoders, audio, error))
			return FALSE;
	}
	if (!encoders->has_audio_shape)
		return TRUE;
	encoders->audio = weft_audio_new(bundle, encoders->width, encoders->kernels, error);
	return encoders->audio != NULL;
}

WeftEncoders *weft_encoders_open(WeftBundle *bundle, const WeftKernels *kernels, GError **error)
{
	const WeftConfig *config = weft_bundle_config(bundle);
	g_autoptr(WeftEncoders) encoders = g_new0(WeftEncoders, 1);

	encoders->kernels = kernels;
	encoders->bundle = bundle;
	encoders->tokenizer = weft_bundle_tokenizer(bundle);
	encoders->template = weft_bundle_template(bundle);
	encoders->width = config->has_text ? config->text.width : 0;
	if (config->has_vision && !open_vision(encoders, bundle, error))
		return NULL;
	open_audio_shape(encoders, bundle);
	if (!open_audio(encoders, bundle, error))
		return NULL;
	return g_steal_pointer(&encoders);
}

WeftEncoders *weft_encoders_open_to_count(WeftBundle *bundle, GError **error)
{
	const WeftConfig *config = weft_bundle_config(bundle);
	g_autoptr(WeftEncoders) encoders = g_new0(WeftEncoders, 1);

	encoders->counts_only = TRUE;
	encoders->tokenizer = weft_bundle_tokenizer(bundle);
	encoders->template = weft_bundle_template(bundle);
	encoders->width = config->has_text ? config->text.width : 0;
	if (config->has_vision && !open_vision(encoders, bundle, error))
		return NULL;
	open_audio_shape(encoders, bundle);
	return g_steal_pointer(&encoders);
}

void weft_encoders_close(WeftEncoders *encoders)
{
	if (!encoders)
		return;
	weft_vision_free(encoders->vision);
	weft_whisper_decoder_free(encoders->decoder);
	weft_whisper_free(encoders->whisper);
	weft_mel_free(encoders->mel);
	weft_audio_free(encoders->audio);
	g_clear_pointer(&encoders->vision_loras, g_ptr_array_unref);
	g_free(encoders->deaf);
	g_free(encoders);
}

static void free_vision_lora(gpointer lora)
{
	weft_vision_lora_free(lora);
}

gboolean weft_encoders_add_adapter(WeftEncoders *encoders, const WeftLora *lora, GError **error)
{
	WeftVisionLora *fitted;

	if (!encoders->vision)
		return TRUE;
	fitted = weft_vision_lora_new(lora, encoders->bundle, encoders->kernels, error);
	if (!fitted)
		return FALSE;
	if (!encoders->vision_loras)
		encoders->vision_loras = g_ptr_array_new_with_free_func(free_vision_lora);
	g_ptr_array_add(encoders->vision_loras, fitted);
	return TRUE;
}

gboolean weft_encoders_can_see(const WeftEncoders *encoders)
{
	gboolean has_tower = encoders->vision || (encoders->counts_only && encoders->has_tiling);

	return has_tower && encoders->tokenizer;
}

gboolean weft_encoders_can_hear(const WeftEncoders *encoders)
{
	return encoders->has_audio_shape && encoders->tokenizer;
}

gsize weft_encoders_tile_tokens(const WeftEncoders *encoders)
{
	return encoders->tokens_per_tile;
}

guint32 weft_encoders_raster_side_max(const WeftEncoders *encoders)
{
	return encoders->has_tiling ? weft_tiling_side_useful(&encoders->tiling) : 0;
}

gboolean weft_encoders_tiles(const WeftEncoders *encoders, const WeftRaster *raster,
			     gboolean single_tile, WeftTiles *ret_tiles, GError **error)
{
	if (!encoders->has_tiling) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER,
			    "the bundle's configuration has no vision part");
		return FALSE;
	}
	return weft_tiling_apply(&encoders->tiling, raster, single_tile, ret_tiles, error);
}

gboolean weft_encoders_see(const WeftEncoders *encoders, const WeftTiles *tiles,
			   const WeftLora *adapter, float **ret_rows, gsize *ret_n_rows,
			   GError **error)
{
	const WeftVisionLora *lora = NULL;

	if (!encoders->vision) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER,
			    "the bundle has no vision tower");
		return FALSE;
	}
	for (guint i = 0; encoders->vision_loras && i < encoders->vision_loras->len; i++) {
		const WeftVisionLora *known = g_ptr_array_index(encoders->vision_loras, i);
		if (known->lora == adapter)
			lora = known;
	}
	if (adapter && !lora) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "adapter %s has not been added to the encoders", weft_lora_name(adapter));
		return FALSE;
	}
	return weft_vision_see(encoders->vision, tiles, lora, ret_rows, ret_n_rows, error);
}

gboolean weft_encoders_mel(const WeftEncoders *encoders, const float *samples, gsize n_samples,
			   float **ret_mel, gsize *ret_n_bins, gsize *ret_n_frames, GError **error)
{
	const gsize window = WEFT_MEL_WINDOW_FRAMES * WEFT_MEL_HOP;
	gsize n_windows = MAX((n_samples + window - 1) / window, 1);
	gsize stride = n_windows * WEFT_MEL_WINDOW_FRAMES;
	g_autofree float *mel = NULL;

	if (!encoders->mel) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER,
			    "the bundle has no audio part: the number of mel bins is its");
		return FALSE;
	}
	gsize n_bins = weft_mel_n_bins(encoders->mel);

	mel = weft_alloc_array(stride * n_bins, sizeof(float),
			       MEL_WINDOWS_MAX * n_bins * WEFT_MEL_WINDOW_FRAMES * sizeof(float),
			       "mel", error);
	if (!mel)
		return FALSE;
	for (gsize i = 0; i < n_windows; i++) {
		gsize n = MIN(n_samples - i * window, window);

		if (!weft_mel_apply(encoders->mel, encoders->kernels, samples + i * window, n,
				    window - n, mel + i * WEFT_MEL_WINDOW_FRAMES, stride, error))
			return FALSE;
	}
	*ret_mel = g_steal_pointer(&mel);
	*ret_n_bins = n_bins;
	*ret_n_frames = stride;
	return TRUE;
}

gboolean weft_encoders_whisper(const WeftEncoders *encoders, const float *mel, gsize n_bins,
			       gsize n_frames, float **ret_frames, gsize *ret_n_frames,
			       gsize *ret_width, GError **error)
{
	const WeftWhisper *whisper = encoders->whisper;

	if (!whisper) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER,
			    "the bundle has no Whisper encoder");
		return FALSE;
	}
	if (n_bins != weft_whisper_n_bins(whisper)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "mel of %" G_GSIZE_FORMAT " bins, this Whisper takes %" G_GSIZE_FORMAT,
			    n_bins, weft_whisper_n_bins(whisper));
		return FALSE;
	}
	if (!weft_whisper_encode(whisper, mel, n_frames, n_frames, n_frames, ret_frames, error))
		return FALSE;
	*ret_n_frames = (n_frames + 1) / 2;
	*ret_width = weft_whisper_width(whisper);
	return TRUE;
}

WeftListener *weft_encoders_listener(const WeftEncoders *encoders)
{
	return encoders->decoder ? weft_whisper_decoder_listener(encoders->decoder) : NULL;
}

static gboolean check_text(const WeftEncoders *encoders, const WeftWhisperText *text,
			   GError **error)
{
	if (!encoders->decoder) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER,
			    "the bundle has no Whisper decoder");
		return FALSE;
	}
	if (2 * text->n_rows != weft_whisper_frames_max(encoders->whisper)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "%" G_GSIZE_FORMAT " frames of sound, the decoder takes %" G_GSIZE_FORMAT,
			    text->n_rows, weft_whisper_frames_max(encoders->whisper) / 2);
		return FALSE;
	}
	return TRUE;
}

static gboolean step_through(WeftScorer *scorer, const WeftWhisperText *text, float *ret_logits,
			     GError **error)
{
	const guint32 parent = 0;

	if (!scorer->begin(scorer, text->ids, 1, 0, NULL, ret_logits, error))
		return FALSE;
	for (gsize i = 1; i < text->n_ids; i++)
		if (!scorer->step(scorer, &parent, text->ids + i, 1,
				  ret_logits + i * scorer->n_vocab, error))
			return FALSE;
	return TRUE;
}

gboolean weft_encoders_whisper_logits(const WeftEncoders *encoders, const WeftWhisperText *text,
				      float **ret_logits, gsize *ret_n_vocab, GError **error)
{
	g_autoptr(WeftScorer) scorer = NULL;
	g_autofree float *logits = NULL;

	if (!check_text(encoders, text, error))
		return FALSE;
	scorer = weft_whisper_decoder_hear(encoders->decoder, text->rows, error);
	if (!scorer)
		return FALSE;
	if (text->n_ids > scorer->n_context) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "%" G_GSIZE_FORMAT " ids, this Whisper takes %" G_GSIZE_FORMAT,
			    text->n_ids, scorer->n_context);
		return FALSE;
	}
	logits = weft_alloc_array(text->n_ids * scorer->n_vocab, sizeof(float), 0, "logits", error);
	if (!logits || !(text->step ? step_through(scorer, text, logits, error) :
				      weft_whisper_decoder_logits(scorer, text->ids, text->n_ids,
								  logits, error)))
		return FALSE;
	*ret_logits = g_steal_pointer(&logits);
	*ret_n_vocab = scorer->n_vocab;
	return TRUE;
}
