#include "encoders/audio.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "encoders/mel.h"
#include "encoders/tower.h"
#include "encoders/whisper.h"

#define NORM_EPS 1e-6F

struct WeftAudio {
	const WeftKernels *kernels;
	WeftAudioShape shape;
	gsize width_in, width_mid, width; /* width_mid: after SwiGLU */
	gboolean norm_is_mid;
	WeftWhisper *tower;
	WeftMel *mel;
	float *norm_pre, *norm; /* norm: ln_mid or ln_post */
	WeftTensor linear_1, linear_2;
};

/* "meta-llama/Llama-4-Scout-17B-16E-Instruct" and a folder of that last name are the same base. */
static gboolean names_same_base(const char *recorded, const char *name)
{
	g_autofree char *base = g_path_get_basename(recorded);

	return g_ascii_strcasecmp(base, name) == 0 || strcmp(recorded, name) == 0;
}

char *weft_audio_mismatch(const WeftBundle *bundle)
{
	const WeftBundle *projector = weft_bundle_projector(bundle);
	const char *name = weft_bundle_name(bundle);

	if (!projector)
		return g_strdup("the bundle has no audio projector");
	const char *recorded = weft_bundle_config(projector)->audio.text_model;

	if (!recorded)
		return g_strdup("the audio projector does not say for which model it was made");
	if (!names_same_base(recorded, name))
		return g_strdup_printf("the audio projector was made for %s, this is %s", recorded,
				       name);
	return NULL;
}

/* Where the encoder is that the projector stands behind; NULL: nowhere. */
static const WeftBundle *find_tower(const WeftBundle *bundle, gboolean *ret_is_own)
{
	const WeftBundle *projector = weft_bundle_projector(bundle);

	*ret_is_own = weft_bundle_find(projector, "audio_tower.conv1.weight") != NULL;
	return *ret_is_own ? projector : weft_bundle_audio(bundle);
}

static gboolean load(WeftAudio *audio, const WeftBundle *bundle, GError **error)
{
	const WeftKernels *kernels = audio->kernels;
	WeftTower from = { weft_bundle_projector(bundle), kernels, "multi_modal_projector." };
	gsize w = audio->width_in, mid = audio->width_mid;
	gboolean own;
	const WeftBundle *tower = find_tower(bundle, &own);

	if (!tower) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "the audio projector has no encoder: no audio_tower.conv1.weight");
		return FALSE;
	}
	audio->tower = weft_whisper_new(tower, &weft_bundle_config(tower)->audio,
					own ? "audio_tower." : "encoder.", kernels, error);
	if (!audio->tower)
		return FALSE;
	audio->mel = weft_mel_new(weft_whisper_n_bins(audio->tower));
	audio->width_in = w = audio->shape.stack * weft_whisper_width(audio->tower);
	return weft_tower_vector(&from, "ln_pre.weight", w, &audio->norm_pre, error) &&
	       weft_tower_matrix(&from, "linear_1.weight", 2 * mid, w, &audio->linear_1, error) &&
	       (audio->norm_is_mid ?
			weft_tower_vector(&from, "ln_mid.weight", mid, &audio->norm, error) :
			weft_tower_vector(&from, "ln_post.weight", audio->width, &audio->norm,
					    error)) &&
	       weft_tower_matrix(&from, "linear_2.weight", audio->width, mid, &audio->linear_2,
				   error);
}

WeftAudio *weft_audio_new(const WeftBundle *bundle, gsize width, const WeftKernels *kernels,
			  GError **error)
{
	const WeftAudioConfig *config = &weft_bundle_config(weft_bundle_projector(bundle))->audio;
	g_autoptr(WeftAudio) audio = g_new0(WeftAudio, 1);

	if (!config->stack_factor || !config->projector_width || config->projector_width % 2) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "audio projector: stack_factor %" G_GSIZE_FORMAT ", hidden_size %"
			    G_GSIZE_FORMAT, config->stack_factor, config->projector_width);
		return NULL;
	}
	if (config->latency_block) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    "audio projector: audio_latency_block_size %" G_GSIZE_FORMAT
			    " (block-causal attention)", config->latency_block);
		return NULL;
	}
	audio->kernels = kernels;
	audio->shape = weft_audio_shape(bundle);
	audio->width_mid = config->projector_width / 2;
	audio->width = width;
	audio->norm_is_mid = config->norm_is_mid;
	if (!load(audio, bundle, error))
		return NULL;
	return g_steal_pointer(&audio);
}

void weft_audio_free(WeftAudio *audio)
{
	if (!audio)
		return;
	weft_whisper_free(audio->tower);
	weft_mel_free(audio->mel);
	g_free(audio->norm_pre);
	g_free(audio->norm);
	g_free(audio);
}

static gsize n_hops(gsize n_samples)
{
	return MAX((n_samples + WEFT_MEL_HOP - 1) / WEFT_MEL_HOP, 2);
}

static gsize chunk_tokens(const WeftAudioShape *shape, gsize n_frames)
{
	return (n_frames + 2 * shape->stack - 1) / (2 * shape->stack);
}

WeftAudioShape weft_audio_shape(const WeftBundle *bundle)
{
	const WeftBundle *projector = weft_bundle_projector(bundle);
	gboolean is_own;
	const WeftBundle *tower = find_tower(bundle, &is_own);

	return (WeftAudioShape){
		.stack = weft_bundle_config(projector)->audio.stack_factor,
		.frames_max = 2 * weft_bundle_config(tower ? tower : projector)->audio.n_positions,
	};
}

gsize weft_audio_tokens(const WeftAudioShape *shape, gsize n_samples)
{
	gsize n_frames = n_hops(n_samples), chunk = shape->frames_max;

	return n_frames / chunk * chunk_tokens(shape, chunk) +
	       chunk_tokens(shape, n_frames % chunk);
}

double weft_audio_token_s(const WeftAudioShape *shape, gsize token)
{
	gsize per_chunk = chunk_tokens(shape, shape->frames_max);
	gsize frame = token / per_chunk * shape->frames_max + token % per_chunk * 2 * shape->stack;

	return (double)(frame * WEFT_MEL_HOP) / WEFT_MEL_RATE_HZ;
}

/* rows[n_tokens][width] from stacked[n_tokens][width_in], which it overwrites. */
static gboolean project(const WeftAudio *audio, float *stacked, gsize n_tokens, float *rows,
			GError **error)
{
	const WeftKernels *k = audio->kernels;
	gsize mid = audio->width_mid;
	g_autofree float *both =
		weft_alloc_array(n_tokens * 2 * mid, sizeof(float), 0, "audio rows", error);
	g_autofree float *y =
		weft_alloc_array(n_tokens * mid, sizeof(float), 0, "audio rows", error);

	if (!both || !y)
		return FALSE;
	k->rmsnorm(k->team, stacked, stacked, audio->norm_pre, n_tokens, audio->width_in, NORM_EPS);
	k->gemm(k->team, both, stacked, n_tokens, &audio->linear_1, NULL);
	k->swiglu(k->team, y, both + mid, both, n_tokens, mid, 2 * mid);
	if (audio->norm_is_mid)
		k->rmsnorm(k->team, y, y, audio->norm, n_tokens, mid, NORM_EPS);
	k->gemm(k->team, rows, y, n_tokens, &audio->linear_2, NULL);
	if (!audio->norm_is_mid)
		k->rmsnorm(k->team, rows, rows, audio->norm, n_tokens, audio->width, NORM_EPS);
	return TRUE;
}

/* One chunk: n_frames of mel, of which the first n_heard are sound. */
static gboolean hear_chunk(const WeftAudio *audio, const float *mel, gsize mel_stride,
			   gsize n_frames, gsize n_heard, float *rows, GError **error)
{
	gsize width = weft_whisper_width(audio->tower);
	gsize n_tokens = chunk_tokens(&audio->shape, n_heard);
	gsize n_rows = MIN((n_frames + 1) / 2, n_tokens * audio->shape.stack);
	g_autofree float *encoded = NULL;
	g_autofree float *stacked = weft_alloc_array(n_tokens * audio->width_in, sizeof(float), 0,
						     "audio rows", error);

	if (!stacked || !weft_whisper_encode(audio->tower, mel, mel_stride, n_frames, n_heard,
					     &encoded, error))
		return FALSE;
	memcpy(stacked, encoded, n_rows * width * sizeof(float));
	return project(audio, stacked, n_tokens, rows, error);
}

gboolean weft_audio_hear(const WeftAudio *audio, const float *samples, gsize n_samples,
			 float **ret_rows, gsize *ret_n_rows, GError **error)
{
	gsize n_frames = n_hops(n_samples), chunk = audio->shape.frames_max;
	gsize stride = n_frames <= chunk ? n_frames : (n_frames + chunk - 1) / chunk * chunk;
	gsize n_tokens = weft_audio_tokens(&audio->shape, n_samples), done = 0;
	g_autofree float *mel = weft_alloc_array(stride * weft_mel_n_bins(audio->mel),
						 sizeof(float), 0, "mel", error);
	g_autofree float *rows =
		weft_alloc_array(n_tokens * audio->width, sizeof(float), 0, "audio rows", error);

	if (!mel || !rows ||
	    !weft_mel_apply(audio->mel, audio->kernels, samples, n_samples,
			    n_frames * WEFT_MEL_HOP - n_samples, mel, stride, error))
		return FALSE;
	for (gsize t = 0; t < n_frames; t += chunk) {
		gsize n_heard = MIN(n_frames - t, chunk);

		if (!hear_chunk(audio, mel + t, stride, MIN(stride, chunk), n_heard,
				rows + done * audio->width, error))
			return FALSE;
		done += chunk_tokens(&audio->shape, n_heard);
	}
	*ret_rows = g_steal_pointer(&rows);
	*ret_n_rows = n_tokens;
	return TRUE;
}
