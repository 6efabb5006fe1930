#include "encoders/whisper_decoder.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "encoders/blocks.h"
#include "encoders/mel.h"
#include "encoders/tower.h"
#include "encoders/whisper_past.h"

#define PAGE WEFT_PAGE_POSITIONS
/* Rows whose logits are computed together where only a number of each is kept: 6 MB. */
#define HEAD_ROWS 32

typedef struct Attention {
	WeftNorm norm;
	WeftLinear q, k, v, o;
} Attention;

typedef struct Layer {
	Attention own, cross;
	WeftNorm norm;
	WeftLinear fc1, fc2;
} Layer;

struct WeftWhisperDecoder {
	WeftListener listener; /* first: a listener is the decoder */
	const WeftKernels *kernels;
	const WeftWhisper *encoder;
	gsize width, ffn, n_layers, n_heads, n_context, n_vocab;
	gsize n_frames; /* of the encoder's rows */
	const GArray *alignment_heads; /* WeftAlignmentHead */
	WeftTensor tokens;             /* [n_vocab, width], also the head */
	float *positions;              /* [n_context][width] */
	WeftNorm norm;
	Layer *layers;
};

/* ---- weights ---- */

static gboolean load_attention(const WeftWhisperDecoder *decoder, const WeftTower *from,
			       const char *name, Attention *attention, GError **error)
{
	const struct {
		const char *name;
		WeftLinear *linear;
		gboolean has_bias;
	} linears[] = {
		{ "q_proj", &attention->q, TRUE },
		{ "k_proj", &attention->k, FALSE },
		{ "v_proj", &attention->v, TRUE },
		{ "out_proj", &attention->o, TRUE },
	};
	gsize w = decoder->width;
	g_autofree char *norm = g_strconcat(name, "_layer_norm", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(linears); i++) {
		g_autofree char *full = g_strconcat(name, ".", linears[i].name, NULL);

		if (!weft_tower_linear(from, full, w, w, linears[i].has_bias, linears[i].linear,
				       error))
			return FALSE;
	}
	return weft_tower_norm(from, norm, w, &attention->norm, error);
}

static gboolean load(WeftWhisperDecoder *decoder, const WeftBundle *bundle, GError **error)
{
	WeftTower from = { bundle, decoder->kernels, "decoder." };
	gsize w = decoder->width, f = decoder->ffn;

	if (!weft_tower_matrix(&from, "embed_tokens.weight", decoder->n_vocab, w, &decoder->tokens,
			       error) ||
	    !weft_tower_table(&from, "embed_positions.weight", decoder->n_context, w,
			      &decoder->positions, error) ||
	    !weft_tower_norm(&from, "layer_norm", w, &decoder->norm, error))
		return FALSE;
	decoder->layers = weft_alloc_array(decoder->n_layers, sizeof(Layer), 0, "layers", error);
	for (gsize i = 0; i < decoder->n_layers; i++) {
		g_autofree char *prefix = g_strdup_printf("decoder.layers.%" G_GSIZE_FORMAT ".", i);
		WeftTower of_layer = { bundle, decoder->kernels, prefix };
		Layer *layer = decoder->layers ? &decoder->layers[i] : NULL;

		if (!layer || !load_attention(decoder, &of_layer, "self_attn", &layer->own, error) ||
		    !load_attention(decoder, &of_layer, "encoder_attn", &layer->cross, error) ||
		    !weft_tower_norm(&of_layer, "final_layer_norm", w, &layer->norm, error) ||
		    !weft_tower_linear(&of_layer, "fc1", f, w, TRUE, &layer->fc1, error) ||
		    !weft_tower_linear(&of_layer, "fc2", w, f, TRUE, &layer->fc2, error))
			return FALSE;
	}
	return TRUE;
}

static WeftScorer *listen(WeftListener *listener, const float *mel, gsize mel_stride,
			  GError **error)
{
	const WeftWhisperDecoder *decoder = (WeftWhisperDecoder *)listener;
	gsize n = weft_whisper_frames_max(decoder->encoder);
	g_autofree float *rows = NULL;

	if (!weft_whisper_encode(decoder->encoder, mel, mel_stride, n, n, &rows, error))
		return NULL;
	return weft_whisper_decoder_hear(decoder, rows, error);
}

WeftWhisperDecoder *weft_whisper_decoder_new(const WeftBundle *bundle, const WeftWhisper *encoder,
					     const WeftKernels *kernels, GError **error)
{
	const WeftAudioConfig *config = &weft_bundle_config(bundle)->audio;
	g_autoptr(WeftWhisperDecoder) decoder = g_new0(WeftWhisperDecoder, 1);

	if (config->n_positions > WEFT_MEL_WINDOW_FRAMES / 2 ||
	    config->width / config->decoder_heads > WEFT_HEAD_WIDTH_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "audio: %" G_GSIZE_FORMAT " positions, limit %d; heads of %" G_GSIZE_FORMAT
			    " numbers, limit %d", config->n_positions, WEFT_MEL_WINDOW_FRAMES / 2,
			    config->width / config->decoder_heads, WEFT_HEAD_WIDTH_MAX);
		return NULL;
	}
	decoder->listener =
		(WeftListener){ .n_bins = weft_whisper_n_bins(encoder),
				.n_context = config->decoder_positions,
				.listen = listen };
	decoder->kernels = kernels;
	decoder->encoder = encoder;
	decoder->width = config->width;
	decoder->ffn = config->decoder_ffn;
	decoder->n_layers = config->decoder_layers;
	decoder->n_heads = config->decoder_heads;
	decoder->n_context = config->decoder_positions;
	decoder->n_vocab = config->n_vocab;
	decoder->n_frames = config->n_positions;
	decoder->alignment_heads = config->alignment_heads;
	return load(decoder, bundle, error) ? g_steal_pointer(&decoder) : NULL;
}

static void attention_done(Attention *attention)
{
	WeftLinear *linears[] = { &attention->q, &attention->k, &attention->v, &attention->o };

	for (gsize i = 0; i < G_N_ELEMENTS(linears); i++)
		weft_linear_done(linears[i]);
	weft_norm_done(&attention->norm);
}

void weft_whisper_decoder_free(WeftWhisperDecoder *decoder)
{
	if (!decoder)
		return;
	for (gsize i = 0; decoder->layers && i < decoder->n_layers; i++) {
		Layer *layer = &decoder->layers[i];

		attention_done(&layer->own);
		attention_done(&layer->cross);
		weft_norm_done(&layer->norm);
		weft_linear_done(&layer->fc1);
		weft_linear_done(&layer->fc2);
	}
	g_free(decoder->layers);
	g_free(decoder->positions);
	weft_norm_done(&decoder->norm);
	g_free(decoder);
}

WeftListener *weft_whisper_decoder_listener(WeftWhisperDecoder *decoder)
{
	return &decoder->listener;
}

/* ---- one pass ---- */

typedef struct Scorer {
	WeftScorer base; /* first: a WeftScorer is this one */
	const WeftWhisperDecoder *decoder;
	float *sound;    /* [layer][key, value][n_frames][width] */
	WeftWhisperPast past;
} Scorer;

/* Where the scores of the alignment heads go, one after the other. */
typedef struct Scores {
	float *head; /* [n][n_frames] */
	gsize n_frames;
	WeftTakeHead *take;
	gpointer data;
} Scores;

/* The rows of a pass, row after row, each with n_each positions. */
typedef struct Pass {
	Scorer *scorer;
	gsize n, n_each;
	float *x, *norm, *q, *k, *v; /* [n][width] */
	float *hidden;               /* [n][ffn] */
	uint32_t *key_first, *own_end, *sound_end; /* [n] */
	const void **pages;          /* [n_rows][key, value][n_row_pages] */
	const void **sound_pages;    /* [key, value][pages of the sound] */
	WeftAttention *jobs;         /* [n_rows] */
} Pass;

static void pass_done(Pass *pass)
{
	const WeftKernels *kernels = pass->scorer->decoder->kernels;

	weft_kernels_free(kernels, pass->x);
	weft_kernels_free(kernels, pass->norm);
	weft_kernels_free(kernels, pass->q);
	weft_kernels_free(kernels, pass->k);
	weft_kernels_free(kernels, pass->v);
	weft_kernels_free(kernels, pass->hidden);
	g_free(pass->key_first);
	g_free(pass->own_end);
	g_free(pass->sound_end);
	g_free(pass->pages);
	g_free(pass->sound_pages);
	g_free(pass->jobs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pass, pass_done)

static gsize sound_pages(const WeftWhisperDecoder *decoder)
{
	return (decoder->n_frames + PAGE - 1) / PAGE;
}

static gboolean pass_init(Pass *pass, GError **error)
{
	const WeftWhisperDecoder *decoder = pass->scorer->decoder;
	const WeftWhisperPast *past = &pass->scorer->past;
	const WeftKernels *kernels = decoder->kernels;
	gsize n = pass->n, row_bytes = decoder->width * sizeof(float);

	if (!(pass->x = weft_kernels_alloc(kernels, n, row_bytes, error)) ||
	    !(pass->norm = weft_kernels_alloc(kernels, n, row_bytes, error)) ||
	    !(pass->q = weft_kernels_alloc(kernels, n, row_bytes, error)) ||
	    !(pass->k = weft_kernels_alloc(kernels, n, row_bytes, error)) ||
	    !(pass->v = weft_kernels_alloc(kernels, n, row_bytes, error)) ||
	    !(pass->hidden = weft_kernels_alloc(kernels, n, decoder->ffn * sizeof(float), error)) ||
	    !(pass->key_first = weft_alloc_array(n, sizeof(uint32_t), 0, "keys", error)) ||
	    !(pass->own_end = weft_alloc_array(n, sizeof(uint32_t), 0, "keys", error)) ||
	    !(pass->sound_end = weft_alloc_array(n, sizeof(uint32_t), 0, "keys", error)) ||
	    !(pass->pages = weft_alloc_array(past->n_rows * 2 * past->n_row_pages, sizeof(void *),
					     0, "pages", error)) ||
	    !(pass->sound_pages = weft_alloc_array(2 * sound_pages(decoder), sizeof(void *), 0,
						   "pages", error)) ||
	    !(pass->jobs = weft_alloc_array(past->n_rows, sizeof(WeftAttention), 0, "jobs",
					    error)))
		return FALSE;
	for (gsize i = 0; i < n; i++) {
		pass->own_end[i] = (uint32_t)(past->length + i % pass->n_each + 1);
		pass->sound_end[i] = (uint32_t)decoder->n_frames;
	}
	return TRUE;
}

static WeftAttention attention_job(const Pass *pass, gsize first, gsize n_rows, const void **pages,
				   gsize n_pages, const uint32_t *key_end)
{
	const WeftWhisperDecoder *decoder = pass->scorer->decoder;
	gsize w = decoder->width, head_width = w / decoder->n_heads;

	return (WeftAttention){ .y = pass->norm + first * w, .q = pass->q + first * w,
				.k_pages = pages, .v_pages = pages + n_pages,
				.dtype = WEFT_DTYPE_F32, .key_first = pass->key_first,
				.key_end = key_end, .n_rows = n_rows,
				.n_heads = decoder->n_heads, .n_kv_heads = decoder->n_heads,
				.head_width = head_width,
				.scale = (float)(1 / sqrt((double)head_width)) };
}

/* y = x W^T + bias over the rows of the pass. */
static void product(const Pass *pass, float *y, const float *x, const WeftLinear *linear)
{
	const WeftKernels *kernels = pass->scorer->decoder->kernels;

	kernels->gemm(kernels->team, y, x, pass->n, &linear->weight, linear->bias);
}

static void normalise(const Pass *pass, const WeftNorm *norm)
{
	const WeftKernels *kernels = pass->scorer->decoder->kernels;

	kernels->layernorm(kernels->team, pass->norm, pass->x, norm->weight, norm->bias, pass->n,
			   pass->scorer->decoder->width, WEFT_BLOCKS_NORM_EPS);
}

/* x += o(norm), where attention has left its rows. */
static void add_out(const Pass *pass, const WeftLinear *o)
{
	const WeftKernels *kernels = pass->scorer->decoder->kernels;

	product(pass, pass->q, pass->norm, o);
	kernels->add(kernels->team, pass->x, pass->q, pass->n * pass->scorer->decoder->width);
}

/* Attention of each row to its own past: keys and values go there first. */
static void attend_own(const Pass *pass, const Layer *layer, gsize number)
{
	const WeftWhisperPast *past = &pass->scorer->past;
	const WeftKernels *kernels = pass->scorer->decoder->kernels;
	gsize w = pass->scorer->decoder->width, n_pages = past->n_row_pages;

	normalise(pass, &layer->own.norm);
	product(pass, pass->q, pass->norm, &layer->own.q);
	product(pass, pass->k, pass->norm, &layer->own.k);
	product(pass, pass->v, pass->norm, &layer->own.v);
	for (gsize i = 0; i < pass->n; i++)
		weft_whisper_past_write(past, i / pass->n_each, number, pass->own_end[i] - 1,
					pass->k + i * w, pass->v + i * w);
	for (gsize r = 0; r < past->n_rows; r++) {
		const void **pages = pass->pages + r * 2 * n_pages;

		weft_whisper_past_pages(past, r, number, pages, pages + n_pages);
		pass->jobs[r] = attention_job(pass, r * pass->n_each, pass->n_each, pages, n_pages,
					      pass->own_end);
	}
	kernels->attention(kernels->team, pass->jobs, past->n_rows);
	add_out(pass, &layer->own.o);
}

/* The scores of one head before softmax; q of the head lies in pass->k, which nothing needs. */
static void score_head(const Pass *pass, const float *keys, gsize head, const Scores *scores)
{
	const WeftWhisperDecoder *decoder = pass->scorer->decoder;
	const WeftKernels *kernels = decoder->kernels;
	gsize w = decoder->width, d = w / decoder->n_heads, n = pass->n;
	WeftTensor of_head =
		weft_tensor_matrix(keys + head * d, WEFT_DTYPE_F32, scores->n_frames, d);

	of_head.row_bytes = w * sizeof(float);
	for (gsize i = 0; i < n; i++)
		memcpy(pass->k + i * d, pass->q + i * w + head * d, d * sizeof(float));
	kernels->gemm(kernels->team, scores->head, pass->k, n, &of_head, NULL);
	kernels->scale(kernels->team, scores->head, scores->head, (float)(1 / sqrt((double)d)),
		       n * scores->n_frames);
	scores->take(scores->head, scores->data);
}

/* Attention of all rows to the sound. */
static void attend_sound(const Pass *pass, const Layer *layer, gsize number, const Scores *scores)
{
	const WeftWhisperDecoder *decoder = pass->scorer->decoder;
	const WeftKernels *kernels = decoder->kernels;
	gsize w = decoder->width, n_pages = sound_pages(decoder), one = decoder->n_frames * w;
	const float *sound = pass->scorer->sound + 2 * number * one;

	normalise(pass, &layer->cross.norm);
	product(pass, pass->q, pass->norm, &layer->cross.q);
	for (gsize i = 0; scores && i < decoder->alignment_heads->len; i++) {
		WeftAlignmentHead at =
			g_array_index(decoder->alignment_heads, WeftAlignmentHead, i);

		if (at.layer == number)
			score_head(pass, sound, at.head, scores);
	}
	for (gsize p = 0; p < n_pages; p++) {
		pass->sound_pages[p] = sound + p * PAGE * w;
		pass->sound_pages[n_pages + p] = sound + one + p * PAGE * w;
	}
	WeftAttention job = attention_job(pass, 0, pass->n, pass->sound_pages, n_pages,
					  pass->sound_end);

	kernels->attention(kernels->team, &job, 1);
	add_out(pass, &layer->cross.o);
}

/* Goes through all layers with n_each more tokens of every row; norm holds the normed rows then. */
static gboolean run(Pass *pass, const guint32 *ids, const Scores *scores, GError **error)
{
	const WeftWhisperDecoder *decoder = pass->scorer->decoder;
	WeftWhisperPast *past = &pass->scorer->past;
	const WeftKernels *kernels = decoder->kernels;
	gsize w = decoder->width;

	pass->n = past->n_rows * pass->n_each;
	if (past->length + pass->n_each > decoder->n_context) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "%" G_GSIZE_FORMAT " tokens, this Whisper takes %" G_GSIZE_FORMAT,
			    past->length + pass->n_each, decoder->n_context);
		return FALSE;
	}
	for (gsize i = 0; i < pass->n; i++) {
		if (ids[i] < decoder->n_vocab)
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "id %u, this Whisper has ids below %" G_GSIZE_FORMAT, ids[i],
			    decoder->n_vocab);
		return FALSE;
	}
	if (!weft_whisper_past_grow(past, pass->n_each, error) || !pass_init(pass, error))
		return FALSE;
	kernels->fetch_rows(kernels->team, pass->x, &decoder->tokens, ids, pass->n);
	for (gsize i = 0; i < pass->n; i++)
		kernels->add(kernels->team, pass->x + i * w,
			     decoder->positions + (pass->own_end[i] - 1) * w, w);
	for (gsize number = 0; number < decoder->n_layers; number++) {
		const Layer *layer = &decoder->layers[number];

		attend_own(pass, layer, number);
		attend_sound(pass, layer, number, scores);
		normalise(pass, &layer->norm);
		product(pass, pass->hidden, pass->norm, &layer->fc1);
		kernels->gelu(kernels->team, pass->hidden, pass->hidden, pass->n * decoder->ffn);
		product(pass, pass->q, pass->hidden, &layer->fc2);
		kernels->add(kernels->team, pass->x, pass->q, pass->n * w);
	}
	normalise(pass, &decoder->norm);
	past->length += pass->n_each;
	return TRUE;
}

/* Logits of the ids below n_vocab, of n rows from `first` on. */
static void project(const Pass *pass, gsize first, gsize n, gsize n_vocab, float *ret_logits)
{
	const WeftWhisperDecoder *decoder = pass->scorer->decoder;
	const WeftKernels *kernels = decoder->kernels;
	WeftTensor head = decoder->tokens;

	head.size[0] = n_vocab;
	kernels->gemm(kernels->team, ret_logits, pass->norm + first * decoder->width, n, &head,
		      NULL);
}

/* ---- the scorer ---- */

static gboolean begin(WeftScorer *base, const guint32 *ids, gsize n_ids, gsize at,
		      float *ret_logits_at, float *ret_logits_last, GError **error)
{
	Scorer *scorer = (Scorer *)base;
	g_auto(Pass) pass = { .scorer = scorer, .n_each = n_ids };

	g_return_val_if_fail(n_ids > 0 && at < n_ids, FALSE);
	if (!weft_whisper_past_begin(&scorer->past, NULL, 1, error) || !run(&pass, ids, NULL, error))
		return FALSE;
	if (ret_logits_at)
		project(&pass, at, 1, base->n_vocab, ret_logits_at);
	project(&pass, n_ids - 1, 1, base->n_vocab, ret_logits_last);
	return TRUE;
}

static gboolean step(WeftScorer *base, const guint32 *parents, const guint32 *ids, gsize n_rows,
		     float *ret_logits, GError **error)
{
	Scorer *scorer = (Scorer *)base;
	g_auto(Pass) pass = { .scorer = scorer, .n_each = 1 };

	for (gsize i = 0; i < n_rows; i++)
		g_return_val_if_fail(parents[i] < scorer->past.n_rows, FALSE);
	if (!weft_whisper_past_begin(&scorer->past, parents, n_rows, error) || !run(&pass, ids, NULL, error))
		return FALSE;
	project(&pass, 0, n_rows, base->n_vocab, ret_logits);
	return TRUE;
}

/* The probability of the next id behind each row. */
static gboolean find_probabilities(const Pass *pass, const guint32 *ids, guint32 n_plain,
				   float *ret_probabilities, GError **error)
{
	const WeftKernels *kernels = pass->scorer->decoder->kernels;
	g_autofree float *logits = weft_alloc_array((gsize)HEAD_ROWS * n_plain, sizeof(float), 0,
						    "logits", error);

	if (!logits)
		return FALSE;
	ret_probabilities[0] = 0;
	for (gsize first = 0; first + 1 < pass->n; first += HEAD_ROWS) {
		gsize n = MIN((gsize)HEAD_ROWS, pass->n - 1 - first);

		project(pass, first, n, n_plain, logits);
		kernels->softmax(kernels->team, logits, logits, n, n_plain);
		for (gsize i = 0; i < n; i++) {
			guint32 id = ids[first + i + 1];

			ret_probabilities[first + i + 1] =
				id < n_plain ? logits[i * n_plain + id] : 0;
		}
	}
	return TRUE;
}

static gboolean align(WeftScorer *base, const guint32 *ids, gsize n_ids, gsize n_frames,
		      guint32 n_plain, WeftTakeHead *take_head, gpointer data,
		      float *ret_probabilities, GError **error)
{
	Scorer *scorer = (Scorer *)base;
	g_auto(Pass) pass = { .scorer = scorer, .n_each = n_ids };

	g_return_val_if_fail(n_ids > 0 && n_frames <= scorer->decoder->n_frames &&
				     n_plain <= base->n_vocab, FALSE);
	g_autofree float *head = weft_alloc_array(n_ids * n_frames, sizeof(float), 0, "attention",
						  error);
	const Scores scores = { head, n_frames, take_head, data };

	if (!head)
		return FALSE;
	return weft_whisper_past_begin(&scorer->past, NULL, 1, error) && run(&pass, ids, &scores, error) &&
	       find_probabilities(&pass, ids, n_plain, ret_probabilities, error);
}

gboolean weft_whisper_decoder_logits(WeftScorer *base, const guint32 *ids, gsize n_ids,
				     float *ret_logits, GError **error)
{
	Scorer *scorer = (Scorer *)base;
	g_auto(Pass) pass = { .scorer = scorer, .n_each = n_ids };

	g_return_val_if_fail(n_ids > 0, FALSE);
	if (!weft_whisper_past_begin(&scorer->past, NULL, 1, error) || !run(&pass, ids, NULL, error))
		return FALSE;
	project(&pass, 0, n_ids, base->n_vocab, ret_logits);
	return TRUE;
}

static void scorer_free(WeftScorer *base)
{
	Scorer *scorer = (Scorer *)base;

	weft_whisper_past_done(&scorer->past);
	weft_kernels_free(scorer->decoder->kernels, scorer->sound);
	g_free(scorer);
}

WeftScorer *weft_whisper_decoder_hear(const WeftWhisperDecoder *decoder, const float *rows,
				      GError **error)
{
	const WeftKernels *kernels = decoder->kernels;
	gsize one = decoder->n_frames * decoder->width;
	Scorer *scorer = g_new0(Scorer, 1);

	scorer->base = (WeftScorer){ .n_vocab = decoder->n_vocab,
				     .n_context = decoder->n_context,
				     .n_heads = decoder->alignment_heads->len,
				     .begin = begin, .step = step, .align = align,
				     .free = scorer_free };
	scorer->decoder = decoder;
	weft_whisper_past_init(&scorer->past, kernels, decoder->n_layers, decoder->width,
			       decoder->n_context);
	scorer->sound = weft_kernels_alloc(kernels, 2 * decoder->n_layers, one * sizeof(float),
					   error);
	if (!scorer->sound) {
		scorer_free(&scorer->base);
		return NULL;
	}
	for (gsize i = 0; i < decoder->n_layers; i++) {
		const Attention *cross = &decoder->layers[i].cross;
		float *keys = scorer->sound + 2 * i * one;

		kernels->gemm(kernels->team, keys, rows, decoder->n_frames, &cross->k.weight, NULL);
		kernels->gemm(kernels->team, keys + one, rows, decoder->n_frames, &cross->v.weight,
			      cross->v.bias);
	}
	return &scorer->base;
}
