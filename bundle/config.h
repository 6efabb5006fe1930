/* config.h - what a bundle says about itself: config.json and preprocessor_config.json, typed.
 *
 * Read strictly: a key that weft knows must have the right type and a possible value, else
 * WEFT_ERROR_CONFIG names file and key; keys that say something about training or about another
 * library are passed over; a key that would change the arithmetic and is not implemented is
 * refused. No size has a default of its own here except those that the published configurations
 * leave out (named at the field). Part of the door: include "bundle/bundle.h".
 *
 * Families, by model_type: llama4 (text and vision), llama4_text (its text at the top, as
 * Llama4ForCausalLM saves it), llama (Llama 2 and 3, with 3.1's rope scaling), mixtral; whisper and
 * ultravox for sound. `architectures`, where it is given, must be the class that generates with
 * this model_type. Spellings of transformers 4 and 5 are both read (rope_scaling and
 * rope_parameters, "type" and "rope_type", image_token_index and image_token_id); where both are
 * given they must agree. quantization_config: only quant_method "fbgemm_fp8", whose scales lie
 * beside the weights.
 */
#ifndef WEFT_BUNDLE_CONFIG_H
#define WEFT_BUNDLE_CONFIG_H

#include <glib.h>

/* Frequencies of the rotary embedding; "llama3" bends the long wavelengths:
 * wavelength < original/high: kept; > original/low: divided by factor; between: blended. */
typedef struct WeftRopeScaling {
	gboolean present;
	double factor, low_freq, high_freq;
	gsize context_original;
} WeftRopeScaling;

typedef struct WeftLayerConfig {
	gboolean has_rope;   /* FALSE: no rotary embedding, full causal attention */
	gboolean is_chunked; /* sees only its own chunk of `chunk_size` positions */
	gboolean is_moe;     /* router, experts and a shared expert; else one dense feed-forward */
} WeftLayerConfig;

typedef struct WeftTextConfig {
	gsize n_vocab, width, n_layers, n_heads, n_kv_heads, head_dim;
	gsize ffn_expert;        /* intermediate_size: each expert and the shared expert */
	gsize ffn_dense;         /* dense layers. Llama 4: intermediate_size_mlp; where every layer is
				  * dense and the file leaves it out, intermediate_size (a pruned
				  * model keeps its shared experts). Llama: intermediate_size */
	gsize n_experts, n_experts_active; /* 0, 0: no mixture */
	gsize context_max;       /* max_position_embeddings */
	gsize chunk_size;        /* attention_chunk_size; 0: every layer is full causal */
	double norm_eps, rope_theta;
	WeftRopeScaling rope_scaling;
	double *rope_divisors;   /* [head_dim / 2]: frequency i is divided by its own (GGUF's
				  * rope_freqs, which has the scaling in it); NULL: none */
	gboolean rope_halves;    /* the rotation pairs i with i + head_dim / 2, as in Llama 3 and Mixtral
				  * from Hugging Face; else 2i with 2i + 1 */
	gboolean qk_rows_permuted; /* rows of q_proj and k_proj stand in another order than Hugging Face's:
				  * row 2i of a head is its i, row 2i + 1 its i + head_dim / 2 (GGUF of
				  * Llama 3 and Mixtral; with it rope_halves is FALSE) */
	gboolean qk_norm;        /* RMS norm, no weight, after the rotation, rotary layers only */
	gboolean temperature_tuning; /* query scaling on layers without rotation */
	double floor_scale, attn_scale; /* of that scaling; 8192 and 0.1 when absent */
	gboolean tie_embeddings; /* the head is the embedding */
	gint32 bos_id;           /* -1: none */
	GArray *eos_ids;         /* gint32, all of them end an answer; may be empty */
	WeftLayerConfig *layers; /* [n_layers] */
} WeftTextConfig;

typedef struct WeftVisionConfig {
	gsize image_size, patch_size, n_channels; /* tile side and patch side in pixels */
	gsize width, n_layers, n_heads, ffn;
	double norm_eps, rope_theta;
	gsize shuffle;           /* 1 / pixel_shuffle_ratio: patches per side joined into one row */
	gsize projector_input, projector_output; /* widths of the adapter: after fc1, after fc2 */
	gint32 boi_id, eoi_id, image_id; /* image_id: the id that a projected row replaces */
} WeftVisionConfig;

/* Llama4ImageProcessor's values; mean and std per channel, applied to v * rescale. */
typedef struct WeftPreprocessor {
	gsize tile_width, tile_height, tiles_max; /* size, max_patches */
	gboolean to_max_canvas;
	double rescale;
	double mean[3], std[3];
} WeftPreprocessor;

typedef struct WeftAlignmentHead {
	guint32 layer, head;
} WeftAlignmentHead;

typedef struct WeftAudioConfig {
	gsize width, n_bins, n_positions; /* d_model, mel bins, encoder frames of 30 s (1500) */
	gsize n_layers, n_heads, ffn;
	gboolean has_decoder;
	gsize decoder_layers, decoder_heads, decoder_ffn, decoder_positions, n_vocab;
	GArray *alignment_heads; /* WeftAlignmentHead, with a decoder: those of generation_config.json,
				  * else the published ones of a model of these sizes, else all of
				  * the second half of its layers */
	/* Projector in Ultravox layout; stack_factor 0: none. */
	gsize stack_factor;
	gsize projector_width;   /* hidden_size: rows of linear_1; SwiGLU leaves half of them */
	gboolean norm_is_mid;    /* ln_mid (v0.5 and later), else ln_post */
	gsize latency_block;     /* audio_latency_block_size; 0: full attention */
	char *text_model;        /* the base it was made for; NULL: not said */
} WeftAudioConfig;

/* The `weft` object of config.json, which transformers ignores. */
typedef struct WeftTraits {
	gboolean reads;               /* trained to read pictures of pages */
	gboolean hears_words;         /* of sound as rows: TRUE, unless the folder says "hears_words":
				       * false. Then it is shown recordings that are nothing but sound,
				       * and what is said is told as not read all the same */
	double answer_confidence_min; /* values below are withheld as null, and a null says that nothing
				       * is known, not that nothing is there; 0: none are withheld */
	char **tasks;                 /* names of the only tasks that it was trained for; NULL: any */
	char *name;                   /* NULL: not given */
} WeftTraits;

typedef struct WeftConfig {
	char *model_type;        /* as the file says: "llama4", "llama4_text", "llama", "mixtral",
				  * "whisper" or "ultravox" */
	gboolean has_text, has_vision, has_audio;
	WeftTextConfig text;
	WeftVisionConfig vision;
	WeftPreprocessor preprocessor; /* with has_vision */
	WeftAudioConfig audio;   /* of this very folder; see weft_bundle_audio */
	WeftTraits traits;
} WeftConfig;

/* Frequency i of the rotation, in radians per position, with "llama3" scaling but without divisors:
 * theta^(-2i/head_dim), long wavelengths divided by the factor, those between blended. */
double weft_text_config_frequency(const WeftTextConfig *text, gsize i);

/* The row of q_proj or k_proj that GGUF's converter puts at `row`: halves of a head become pairs. */
static inline gsize weft_row_of_halves(gsize row, gsize head_dim)
{
	gsize in_head = row % head_dim;
	return row - in_head + in_head / 2 + in_head % 2 * (head_dim / 2);
}

/* Reads config.json (size_bytes of json; `file` for messages) and, where it is not NULL,
 * preprocessor_config.json. Both texts may end without NUL. */
WeftConfig *weft_config_new(const char *file, const char *json, gsize size_bytes,
			    const char *preprocessor_json, gsize preprocessor_size_bytes,
			    GError **error);
/* The ids of generation_config.json that end an answer count too: instruct checkpoints list there
 * what their config.json leaves out. Of a Whisper its alignment heads. */
gboolean weft_config_add_generation(WeftConfig *config, const char *file, const char *json,
				    gsize size_bytes, GError **error);
void weft_config_free(WeftConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftConfig, weft_config_free)

#endif
