#include "bundle/config_audio.h"

/* Far beyond any published model. */
#define SIZE_MAX_WIDTH (1u << 20)
#define SIZE_MAX_LAYERS 4096u
#define SIZE_MAX_POSITIONS (1u << 20)
#define DECODER_HEADS_MAX 1024u /* all of them are listed where none is known to follow the sound */

#define AT(field) G_STRUCT_OFFSET(WeftAudioConfig, field)

static const WeftSizeKey ENCODER_SIZES[] = {
	{"d_model", AT(width), 4, SIZE_MAX_WIDTH, TRUE, 0},
	{"num_mel_bins", AT(n_bins), 1, 1024, TRUE, 0},
	{"max_source_positions", AT(n_positions), 1, SIZE_MAX_POSITIONS, FALSE, 1500},
	{"encoder_layers", AT(n_layers), 1, SIZE_MAX_LAYERS, TRUE, 0},
	{"encoder_attention_heads", AT(n_heads), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"encoder_ffn_dim", AT(ffn), 1, SIZE_MAX_WIDTH, TRUE, 0},
};

static const WeftSizeKey DECODER_SIZES[] = {
	{"decoder_layers", AT(decoder_layers), 1, SIZE_MAX_LAYERS, TRUE, 0},
	{"decoder_attention_heads", AT(decoder_heads), 1, DECODER_HEADS_MAX, TRUE, 0},
	{"decoder_ffn_dim", AT(decoder_ffn), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"max_target_positions", AT(decoder_positions), 1, SIZE_MAX_POSITIONS, FALSE, 448},
	{"vocab_size", AT(n_vocab), 1, 1u << 26, TRUE, 0},
};

static const WeftSizeKey PROJECTOR_SIZES[] = {
	{"stack_factor", AT(stack_factor), 1, 1024, FALSE, 8},
	{"hidden_size", AT(projector_width), 2, SIZE_MAX_WIDTH, TRUE, 0},
	{"audio_latency_block_size", AT(latency_block), 0, SIZE_MAX_POSITIONS, FALSE, 0},
};
#undef AT

static gboolean read_encoder(const WeftKeys *keys, WeftAudioConfig *audio, GError **error)
{
	if (!weft_keys_sizes(keys, ENCODER_SIZES, G_N_ELEMENTS(ENCODER_SIZES), audio, error) ||
	    !weft_keys_must_be(keys, "activation_function", "gelu", error) ||
	    !weft_keys_must_be_false(keys, "scale_embedding", error))
		return FALSE;
	if (audio->width % audio->n_heads != 0 || audio->width % 2 != 0)
		return weft_keys_error(keys, "encoder_attention_heads", error,
				       "%zu heads of d_model %zu", audio->n_heads, audio->width);
	return TRUE;
}

/* ---- alignment heads ---- */

#define HEADS_MAX 24

/* Heads whose attention follows the sound, by openai/whisper (_ALIGNMENT_HEADS), which also made
 * those of the published generation_config.json. A model is known by its sizes; large-v1 has those
 * of large-v2, whose heads it is given. */
static const struct {
	guint16 n_layers, decoder_layers, width, n_vocab;
	guint8 heads[HEADS_MAX][2]; /* layer, head; 0, 0 (no head of any model) ends them */
} PUBLISHED[] = {
	/* tiny, base, small, medium: in English, then with languages */
	{4, 4, 384, 51864, {{1, 0}, {2, 0}, {2, 5}, {3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 4}}},
	{4, 4, 384, 51865, {{2, 2}, {3, 0}, {3, 2}, {3, 3}, {3, 4}, {3, 5}}},
	{6, 6, 512, 51864, {{3, 3}, {4, 7}, {5, 1}, {5, 5}, {5, 7}}},
	{6, 6, 512, 51865,
	 {{3, 1}, {4, 2}, {4, 3}, {4, 7}, {5, 1}, {5, 2}, {5, 4}, {5, 6}}},
	{12, 12, 768, 51864,
	 {{6, 6}, {7, 0}, {7, 3}, {7, 8}, {8, 2}, {8, 5}, {8, 7}, {9, 0}, {9, 4}, {9, 8}, {9, 10},
	  {10, 0}, {10, 1}, {10, 2}, {10, 3}, {10, 6}, {10, 11}, {11, 2}, {11, 4}}},
	{12, 12, 768, 51865,
	 {{5, 3}, {5, 9}, {8, 0}, {8, 4}, {8, 7}, {8, 8}, {9, 0}, {9, 7}, {9, 9}, {10, 5}}},
	{24, 24, 1024, 51864,
	 {{11, 4}, {14, 1}, {14, 12}, {14, 14}, {15, 4}, {16, 0}, {16, 4}, {16, 9}, {17, 12},
	  {17, 14}, {18, 7}, {18, 10}, {18, 15}, {20, 0}, {20, 3}, {20, 9}, {20, 14}, {21, 12}}},
	{24, 24, 1024, 51865,
	 {{13, 15}, {15, 4}, {15, 15}, {16, 1}, {20, 0}, {23, 4}}},
	/* large-v2, large-v3, turbo */
	{32, 32, 1280, 51865,
	 {{10, 12}, {13, 17}, {16, 11}, {16, 12}, {16, 13}, {17, 15}, {17, 16}, {18, 4}, {18, 11},
	  {18, 19}, {19, 11}, {21, 2}, {21, 3}, {22, 3}, {22, 9}, {22, 12}, {23, 5}, {23, 7},
	  {23, 13}, {25, 5}, {26, 1}, {26, 12}, {27, 15}}},
	{32, 32, 1280, 51866,
	 {{7, 0}, {10, 17}, {12, 18}, {13, 12}, {16, 1}, {17, 14}, {19, 11}, {21, 4}, {24, 1},
	  {25, 6}}},
	{32, 4, 1280, 51866, {{2, 4}, {2, 11}, {3, 3}, {3, 6}, {3, 11}, {3, 14}}},
};

static void add_head(WeftAudioConfig *audio, gsize layer, gsize head)
{
	WeftAlignmentHead item = {(guint32)layer, (guint32)head};
	g_array_append_val(audio->alignment_heads, item);
}

/* Where nothing is known: all heads of the second half of the layers, as openai/whisper does. */
static void guess_heads(WeftAudioConfig *audio)
{
	audio->alignment_heads = g_array_new(FALSE, FALSE, sizeof(WeftAlignmentHead));
	for (gsize i = 0; i < G_N_ELEMENTS(PUBLISHED); i++) {
		if (PUBLISHED[i].n_layers != audio->n_layers ||
		    PUBLISHED[i].decoder_layers != audio->decoder_layers ||
		    PUBLISHED[i].width != audio->width || PUBLISHED[i].n_vocab != audio->n_vocab ||
		    audio->decoder_heads != audio->width / 64)
			continue;
		for (gsize k = 0; k < HEADS_MAX && PUBLISHED[i].heads[k][0]; k++)
			add_head(audio, PUBLISHED[i].heads[k][0], PUBLISHED[i].heads[k][1]);
		return;
	}
	for (gsize layer = audio->decoder_layers / 2; layer < audio->decoder_layers; layer++) {
		for (gsize head = 0; head < audio->decoder_heads; head++)
			add_head(audio, layer, head);
	}
}

gboolean weft_config_alignment(const WeftKeys *keys, WeftAudioConfig *audio, GError **error)
{
	const WeftJson *heads = weft_keys_member(keys, "alignment_heads");
	gsize n = weft_json_length(heads);

	if (!heads)
		return TRUE;
	if (weft_json_type(heads) != WEFT_JSON_ARRAY || n == 0 ||
	    n > audio->decoder_layers * audio->decoder_heads)
		return weft_keys_error(keys, "alignment_heads", error,
				       "must be a list of 1 to %zu pairs of layer and head",
				       audio->decoder_layers * audio->decoder_heads);
	g_array_set_size(audio->alignment_heads, 0);
	for (gsize i = 0; i < n; i++) {
		const WeftJson *pair = weft_json_at(heads, i);
		guint64 layer, head;
		if (weft_json_length(pair) != 2 || !weft_json_uint(weft_json_at(pair, 0), &layer) ||
		    !weft_json_uint(weft_json_at(pair, 1), &head) ||
		    layer >= audio->decoder_layers || head >= audio->decoder_heads)
			return weft_keys_error(keys, "alignment_heads", error,
					       "pair %zu must be a layer below %zu and a head "
					       "below %zu", i, audio->decoder_layers,
					       audio->decoder_heads);
		add_head(audio, layer, head);
	}
	return TRUE;
}

/* ---- the models ---- */

gboolean weft_config_whisper(const WeftKeys *keys, WeftAudioConfig *audio, GError **error)
{
	if (!read_encoder(keys, audio, error))
		return FALSE;
	audio->has_decoder = TRUE;
	if (!weft_keys_sizes(keys, DECODER_SIZES, G_N_ELEMENTS(DECODER_SIZES), audio, error))
		return FALSE;
	if (audio->width % audio->decoder_heads != 0)
		return weft_keys_error(keys, "decoder_attention_heads", error,
				       "%zu heads of d_model %zu", audio->decoder_heads,
				       audio->width);
	guess_heads(audio);
	return TRUE;
}

gboolean weft_config_ultravox(const WeftKeys *keys, WeftAudioConfig *audio, GError **error)
{
	WeftKeys section;

	if (!weft_keys_section(keys, "audio_config", "audio_config.", &section, error))
		return FALSE;
	if (!section.object)
		return weft_keys_error(keys, "audio_config", error, "is missing");
	if (!read_encoder(&section, audio, error) ||
	    !weft_keys_sizes(keys, PROJECTOR_SIZES, G_N_ELEMENTS(PROJECTOR_SIZES), audio, error) ||
	    !weft_keys_must_be(keys, "projector_act", "swiglu", error) ||
	    !weft_keys_truth(keys, "projector_ln_mid", FALSE, &audio->norm_is_mid, error) ||
	    !weft_keys_string(keys, "text_model_id", &audio->text_model, error))
		return FALSE;
	if (audio->projector_width % 2 != 0)
		return weft_keys_error(keys, "hidden_size", error, "%zu is odd, SwiGLU halves it",
				       audio->projector_width);
	return TRUE;
}
