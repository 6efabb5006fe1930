#include "encoders/blocks.h"

#include <math.h>

#include "base/bytes.h"

struct WeftBlock {
	WeftNorm norm1, norm2;
	WeftLinear q, k, v, o, fc1, fc2;
};

typedef struct Names {
	const char *norm1, *norm2, *q, *k, *v, *o, *fc1, *fc2;
	gboolean k_has_bias;
} Names;

static const Names names_of[] = {
	[WEFT_BLOCKS_VISION] = { "input_layernorm", "post_attention_layernorm", "self_attn.q_proj",
				 "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
				 "mlp.fc1", "mlp.fc2", TRUE },
	[WEFT_BLOCKS_WHISPER] = { "self_attn_layer_norm", "final_layer_norm", "self_attn.q_proj",
				  "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
				  "fc1", "fc2", FALSE },
};

static gboolean load_layer(const WeftBlocks *blocks, const WeftTower *in, const Names *names,
			   WeftBlock *layer, GError **error)
{
	gsize w = blocks->width, f = blocks->ffn;

	return weft_tower_norm(in, names->norm1, w, &layer->norm1, error) &&
	       weft_tower_linear(in, names->q, w, w, TRUE, &layer->q, error) &&
	       weft_tower_linear(in, names->k, w, w, names->k_has_bias, &layer->k, error) &&
	       weft_tower_linear(in, names->v, w, w, TRUE, &layer->v, error) &&
	       weft_tower_linear(in, names->o, w, w, TRUE, &layer->o, error) &&
	       weft_tower_norm(in, names->norm2, w, &layer->norm2, error) &&
	       weft_tower_linear(in, names->fc1, f, w, TRUE, &layer->fc1, error) &&
	       weft_tower_linear(in, names->fc2, w, f, TRUE, &layer->fc2, error);
}

gboolean weft_blocks_init(WeftBlocks *blocks, const WeftTower *weights, WeftBlocksNames names,
			  GError **error)
{
	blocks->layers = weft_alloc_array(blocks->n_layers, sizeof(WeftBlock), 0, "layers", error);
	if (!blocks->layers)
		return FALSE;
	for (gsize i = 0; i < blocks->n_layers; i++) {
		g_autofree char *prefix =
			g_strdup_printf("%slayers.%" G_GSIZE_FORMAT ".", weights->prefix, i);
		WeftTower of_layer = { weights->bundle, weights->kernels, prefix };

		if (!load_layer(blocks, &of_layer, &names_of[names], &blocks->layers[i], error))
			return FALSE;
	}
	return TRUE;
}

void weft_blocks_done(WeftBlocks *blocks)
{
	for (gsize i = 0; blocks->layers && i < blocks->n_layers; i++) {
		WeftBlock *layer = &blocks->layers[i];
		WeftLinear *linears[] = { &layer->q, &layer->k,   &layer->v,
					  &layer->o, &layer->fc1, &layer->fc2 };

		for (gsize j = 0; j < G_N_ELEMENTS(linears); j++)
			weft_linear_done(linears[j]);
		weft_norm_done(&layer->norm1);
		weft_norm_done(&layer->norm2);
	}
	g_clear_pointer(&blocks->layers, g_free);
}

/* What one pass through the layers needs beside x. */
typedef struct Work {
	const WeftKernels *kernels;
	float *norm, *q, *k, *v; /* [sequences][rows][width] */
	float *hidden;           /* [sequences][rows][ffn] */
	uint32_t *key_first, *key_end;
	const void **k_pages, **v_pages;
	WeftAttention *jobs;
	float *room;             /* of the parts of an adapter, or NULL */
} Work;

static void work_done(Work *work)
{
	weft_kernels_free(work->kernels, work->norm);
	weft_kernels_free(work->kernels, work->q);
	weft_kernels_free(work->kernels, work->k);
	weft_kernels_free(work->kernels, work->v);
	weft_kernels_free(work->kernels, work->hidden);
	weft_kernels_free(work->kernels, work->room);
	g_free(work->key_first);
	g_free(work->key_end);
	g_free(work->k_pages);
	g_free(work->v_pages);
	g_free(work->jobs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_done)

static gboolean work_alloc(Work *work, gsize n_sequences, gsize n_rows, gsize n_pages, gsize width,
			   gsize ffn, GError **error)
{
	const WeftKernels *kernels = work->kernels;
	gsize n = n_sequences * n_rows;

	return (work->norm = weft_kernels_alloc(kernels, n, width * sizeof(float), error)) &&
	       (work->q = weft_kernels_alloc(kernels, n, width * sizeof(float), error)) &&
	       (work->k = weft_kernels_alloc(kernels, n, width * sizeof(float), error)) &&
	       (work->v = weft_kernels_alloc(kernels, n, width * sizeof(float), error)) &&
	       (work->hidden = weft_kernels_alloc(kernels, n, ffn * sizeof(float), error)) &&
	       (work->key_first = weft_alloc_array(n_rows, sizeof(uint32_t), 0, "keys", error)) &&
	       (work->key_end = weft_alloc_array(n_rows, sizeof(uint32_t), 0, "keys", error)) &&
	       (work->k_pages = weft_alloc_array(n_pages, sizeof(void *), 0, "pages", error)) &&
	       (work->v_pages = weft_alloc_array(n_pages, sizeof(void *), 0, "pages", error)) &&
	       (work->jobs = weft_alloc_array(n_sequences, sizeof(WeftAttention), 0, "jobs",
					    error));
}

/* The keys of a sequence lie one after the other: its pages are places in them. The output of the
 * attention goes where the normed rows were, which nothing needs any more. */
static gboolean work_init(Work *work, const WeftBlocks *blocks, gsize n_sequences, gsize n_rows,
			  gsize n_keys, GError **error)
{
	gsize n_pages = (n_keys + WEFT_PAGE_POSITIONS - 1) / WEFT_PAGE_POSITIONS;
	gsize w = blocks->width, head_width = w / blocks->n_heads;

	if (!work_alloc(work, n_sequences, n_rows, n_sequences * n_pages, w, blocks->ffn, error))
		return FALSE;
	if (blocks->parts && !(work->room = weft_kernels_alloc(work->kernels, blocks->parts_room,
							       sizeof(float), error)))
		return FALSE;
	for (gsize t = 0; t < n_rows; t++)
		work->key_end[t] = (uint32_t)n_keys;
	for (gsize s = 0; s < n_sequences; s++) {
		gsize first = s * n_rows * w;

		for (gsize p = 0; p < n_pages; p++) {
			gsize at = first + p * WEFT_PAGE_POSITIONS * w;
			work->k_pages[s * n_pages + p] = work->k + at;
			work->v_pages[s * n_pages + p] = work->v + at;
		}
		work->jobs[s] = (WeftAttention){
			.y = work->norm + first, .q = work->q + first,
			.k_pages = work->k_pages + s * n_pages,
			.v_pages = work->v_pages + s * n_pages, .dtype = WEFT_DTYPE_F32,
			.key_first = work->key_first, .key_end = work->key_end,
			.n_rows = n_rows, .n_heads = blocks->n_heads,
			.n_kv_heads = blocks->n_heads, .head_width = head_width,
			.scale = (float)(1 / sqrt((double)head_width)),
		};
	}
	return TRUE;
}

/* y = x W^T + bias, and what an adapter adds. */
static void product(const Work *work, float *y, const float *x, gsize n, const WeftLinear *linear,
		    const WeftLowRank *part)
{
	const WeftKernels *kernels = work->kernels;

	kernels->gemm(kernels->team, y, x, n, &linear->weight, linear->bias);
	if (part->a.data)
		weft_low_rank_add(kernels, part, y, x, n, work->room);
}

gboolean weft_blocks_apply(const WeftBlocks *blocks, const WeftKernels *kernels, float *x,
			   gsize n_sequences, gsize n_rows, gsize n_keys, const float *cosine,
			   const float *sine, GError **error)
{
	gsize w = blocks->width, n = n_sequences * n_rows, heads = blocks->n_heads;
	const WeftBlockParts no_parts = { 0 };
	WeftTeam *team = kernels->team;
	g_auto(Work) work = { .kernels = kernels };

	if (!work_init(&work, blocks, n_sequences, n_rows, n_keys, error))
		return FALSE;
	for (gsize i = 0; i < blocks->n_layers; i++) {
		const WeftBlock *layer = &blocks->layers[i];
		const WeftBlockParts *parts = blocks->parts ? &blocks->parts[i] : &no_parts;

		kernels->layernorm(team, work.norm, x, layer->norm1.weight, layer->norm1.bias, n, w,
				   WEFT_BLOCKS_NORM_EPS);
		product(&work, work.q, work.norm, n, &layer->q, &parts->q);
		product(&work, work.k, work.norm, n, &layer->k, &parts->k);
		product(&work, work.v, work.norm, n, &layer->v, &parts->v);
		for (gsize s = 0; cosine && s < n_sequences; s++) {
			gsize first = s * n_rows * w;

			kernels->rope_pairs(team, work.q + first, cosine, sine, n_rows, heads,
					    w / heads);
			kernels->rope_pairs(team, work.k + first, cosine, sine, n_rows, heads,
					    w / heads);
		}
		kernels->attention(team, work.jobs, n_sequences);
		product(&work, work.q, work.norm, n, &layer->o, &parts->o);
		kernels->add(team, x, work.q, n * w);
		kernels->layernorm(team, work.norm, x, layer->norm2.weight, layer->norm2.bias, n, w,
				   WEFT_BLOCKS_NORM_EPS);
		product(&work, work.hidden, work.norm, n, &layer->fc1, &parts->fc1);
		kernels->gelu(team, work.hidden, work.hidden, n * blocks->ffn);
		product(&work, work.q, work.hidden, n, &layer->fc2, &parts->fc2);
		kernels->add(team, x, work.q, n * w);
	}
	return TRUE;
}
