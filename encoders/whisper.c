#include "encoders/whisper.h"

#include "base/bytes.h"
#include "base/error.h"
#include "encoders/blocks.h"
#include "encoders/tower.h"

#define KERNEL 3

struct WeftWhisper {
	const WeftKernels *kernels;
	gsize n_bins, n_positions;
	WeftTensor conv1, conv2;
	float *conv1_bias, *conv2_bias, *positions, *norm_weight, *norm_bias;
	WeftBlocks blocks;
};

static gboolean load(WeftWhisper *whisper, const WeftTower *from, GError **error)
{
	gsize w = whisper->blocks.width;

	return weft_tower_conv(from, "conv1.weight", w, whisper->n_bins, KERNEL, &whisper->conv1,
				 error) &&
	       weft_tower_vector(from, "conv1.bias", w, &whisper->conv1_bias, error) &&
	       weft_tower_conv(from, "conv2.weight", w, w, KERNEL, &whisper->conv2, error) &&
	       weft_tower_vector(from, "conv2.bias", w, &whisper->conv2_bias, error) &&
	       weft_tower_table(from, "embed_positions.weight", whisper->n_positions, w,
				  &whisper->positions, error) &&
	       weft_blocks_init(&whisper->blocks, from, WEFT_BLOCKS_WHISPER, error) &&
	       weft_tower_vector(from, "layer_norm.weight", w, &whisper->norm_weight, error) &&
	       weft_tower_vector(from, "layer_norm.bias", w, &whisper->norm_bias, error);
}

WeftWhisper *weft_whisper_new(const WeftBundle *bundle, const WeftAudioConfig *config,
			      const char *prefix, const WeftKernels *kernels, GError **error)
{
	WeftTower from = { bundle, kernels, prefix };
	g_autoptr(WeftWhisper) whisper = g_new0(WeftWhisper, 1);

	if (!config->n_heads || !config->width || config->width % config->n_heads ||
	    !config->n_bins || !config->n_positions) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "audio: d_model %" G_GSIZE_FORMAT " with %" G_GSIZE_FORMAT
			    " heads, %" G_GSIZE_FORMAT " mel bins, %" G_GSIZE_FORMAT " positions",
			    config->width, config->n_heads, config->n_bins, config->n_positions);
		return NULL;
	}
	whisper->kernels = kernels;
	whisper->n_bins = config->n_bins;
	whisper->n_positions = config->n_positions;
	whisper->blocks = (WeftBlocks){ .n_layers = config->n_layers,
					.width = config->width,
					.n_heads = config->n_heads,
					.ffn = config->ffn };
	if (!load(whisper, &from, error))
		return NULL;
	return g_steal_pointer(&whisper);
}

void weft_whisper_free(WeftWhisper *whisper)
{
	if (!whisper)
		return;
	weft_blocks_done(&whisper->blocks);
	g_free(whisper->conv1_bias);
	g_free(whisper->conv2_bias);
	g_free(whisper->positions);
	g_free(whisper->norm_weight);
	g_free(whisper->norm_bias);
	g_free(whisper);
}

gsize weft_whisper_n_bins(const WeftWhisper *whisper)
{
	return whisper->n_bins;
}

gsize weft_whisper_width(const WeftWhisper *whisper)
{
	return whisper->blocks.width;
}

gsize weft_whisper_frames_max(const WeftWhisper *whisper)
{
	return 2 * whisper->n_positions;
}

/* rows[(n_frames + 1) / 2][width] = both convolutions of the mel, with positions. */
static gboolean convolve(const WeftWhisper *whisper, const float *mel, gsize mel_stride,
			 gsize n_frames, float *rows, GError **error)
{
	const WeftKernels *k = whisper->kernels;
	gsize w = whisper->blocks.width, n_rows = (n_frames + 1) / 2;
	WeftUnfold first = { mel, whisper->n_bins, n_frames, mel_stride, 1, KERNEL, 1, 1 };
	gsize n_unfolded = MAX(n_frames * whisper->n_bins, n_rows * w) * KERNEL;
	g_autofree float *unfolded =
		weft_alloc_array(n_unfolded, sizeof(float), 0, "frames of mel", error);
	g_autofree float *between =
		weft_alloc_array(n_frames * w, sizeof(float), 0, "frames of mel", error);

	if (!unfolded || !between)
		return FALSE;
	k->unfold(k->team, unfolded, &first);
	k->gemm(k->team, between, unfolded, n_frames, &whisper->conv1, whisper->conv1_bias);
	k->gelu(k->team, between, between, n_frames * w);
	WeftUnfold second = { between, w, n_frames, 1, w, KERNEL, 2, 1 };

	k->unfold(k->team, unfolded, &second);
	k->gemm(k->team, rows, unfolded, n_rows, &whisper->conv2, whisper->conv2_bias);
	k->gelu(k->team, rows, rows, n_rows * w);
	k->add(k->team, rows, whisper->positions, n_rows * w);
	return TRUE;
}

gboolean weft_whisper_encode(const WeftWhisper *whisper, const float *mel, gsize mel_stride,
			     gsize n_frames, gsize n_heard, float **ret_rows, GError **error)
{
	const WeftKernels *k = whisper->kernels;
	gsize w = whisper->blocks.width, n_rows = (n_frames + 1) / 2;
	g_autofree float *rows = NULL;

	if (n_frames < 1 || n_frames > weft_whisper_frames_max(whisper)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "%" G_GSIZE_FORMAT " frames of mel, the encoder takes 1 to %"
			    G_GSIZE_FORMAT, n_frames, weft_whisper_frames_max(whisper));
		return FALSE;
	}
	rows = weft_alloc_array(n_rows * w, sizeof(float), 0, "frames of sound", error);
	if (!rows || !convolve(whisper, mel, mel_stride, n_frames, rows, error) ||
	    !weft_blocks_apply(&whisper->blocks, k, rows, 1, n_rows, (n_heard + 1) / 2, NULL, NULL,
			       error))
		return FALSE;
	k->layernorm(k->team, rows, rows, whisper->norm_weight, whisper->norm_bias, n_rows, w,
		     WEFT_BLOCKS_NORM_EPS);
	*ret_rows = g_steal_pointer(&rows);
	return TRUE;
}
