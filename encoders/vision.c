#include "encoders/vision.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "encoders/blocks.h"
#include "encoders/tower.h"

/* Tiles that pass through the layers together: enough rows for a matrix product, and the memory of
 * a picture stays that of four tiles. */
#define TILES_AT_ONCE 4

struct WeftVision {
	const WeftKernels *kernels;
	gsize side, patch, grid; /* pixels of a tile and of a patch, patches along a side */
	gsize shuffle, n_tokens; /* factor, rows of a tile after it */
	gsize adapter, out;      /* widths after fc1, after fc2 */
	gsize width_text;
	WeftTensor patches, fc1, fc2, linear_1;
	float *class_row, *positions;
	float *pre_weight, *pre_bias, *post_weight, *post_bias;
	float *cosine, *sine; /* [grid * grid + 1][D / 2] */
	WeftBlocks blocks;
};

gsize weft_vision_tokens_per_tile(const WeftVisionConfig *config)
{
	gsize side = config->image_size / config->patch_size / config->shuffle;

	return side * side;
}

static gboolean check_config(const WeftConfig *config, GError **error)
{
	const WeftVisionConfig *v = &config->vision;
	const char *reason = NULL;

	if (v->n_channels != 3)
		reason = "num_channels is not 3";
	else if (!v->patch_size || !v->image_size || v->image_size % v->patch_size)
		reason = "image_size is not a multiple of patch_size";
	else if (!v->shuffle || v->image_size / v->patch_size % v->shuffle)
		reason = "patches along a side are not a multiple of 1 / pixel_shuffle_ratio";
	else if (!v->n_heads || v->width % v->n_heads || v->width / v->n_heads % 4)
		reason = "hidden_size / num_attention_heads is not a multiple of 4";
	else if (v->image_size != config->preprocessor.tile_width)
		reason = "image_size differs from the preprocessor's size";
	if (reason)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "vision_config: %s", reason);
	return !reason;
}

static gboolean init_rotation(WeftVision *vision, double theta, GError **error)
{
	gsize n_rows = vision->grid * vision->grid + 1;
	gsize n_pairs = vision->blocks.width / vision->blocks.n_heads / 2, half = n_pairs / 2;

	vision->cosine = weft_alloc_array(n_rows * n_pairs, sizeof(float), 0, "rotation", error);
	vision->sine = weft_alloc_array(n_rows * n_pairs, sizeof(float), 0, "rotation", error);
	if (!vision->cosine || !vision->sine)
		return FALSE;
	for (gsize t = 0; t < n_rows; t++)
		for (gsize m = 0; m < n_pairs; m++) {
			gsize along = m < half ? t % vision->grid : t / vision->grid;
			double place = t + 1 == n_rows ? 0 : (double)along + 1;
			double exponent = -(double)(m % half) / (double)half;
			double angle = place * pow(theta, exponent);

			vision->cosine[t * n_pairs + m] = (float)cos(angle);
			vision->sine[t * n_pairs + m] = (float)sin(angle);
		}
	return TRUE;
}

static gboolean load(WeftVision *vision, const WeftBundle *bundle, const WeftVisionConfig *config,
		     GError **error)
{
	WeftTower tower = { bundle, vision->kernels, "vision_model." };
	WeftTower layers = { bundle, vision->kernels, "vision_model.model." };
	WeftTower whole = { bundle, vision->kernels, "" };
	gsize w = config->width, joined = w * vision->shuffle * vision->shuffle;

	return weft_tower_matrix(&tower, "patch_embedding.linear.weight", w,
				   3 * vision->patch * vision->patch, &vision->patches, error) &&
	       weft_tower_vector(&tower, "class_embedding", w, &vision->class_row, error) &&
	       weft_tower_table(&tower, "positional_embedding_vlm",
				  vision->grid * vision->grid + 1, w, &vision->positions, error) &&
	       weft_tower_vector(&tower, "layernorm_pre.weight", w, &vision->pre_weight, error) &&
	       weft_tower_vector(&tower, "layernorm_pre.bias", w, &vision->pre_bias, error) &&
	       weft_tower_vector(&tower, "layernorm_post.weight", w, &vision->post_weight,
				   error) &&
	       weft_tower_vector(&tower, "layernorm_post.bias", w, &vision->post_bias, error) &&
	       weft_blocks_init(&vision->blocks, &layers, WEFT_BLOCKS_VISION, error) &&
	       weft_tower_matrix(&tower, "vision_adapter.mlp.fc1.weight", vision->adapter, joined,
				   &vision->fc1, error) &&
	       weft_tower_matrix(&tower, "vision_adapter.mlp.fc2.weight", vision->out,
				   vision->adapter, &vision->fc2, error) &&
	       weft_tower_matrix(&whole, "multi_modal_projector.linear_1.weight",
				   vision->width_text, vision->out, &vision->linear_1, error);
}

WeftVision *weft_vision_new(const WeftBundle *bundle, const WeftKernels *kernels, GError **error)
{
	const WeftConfig *config = weft_bundle_config(bundle);
	const WeftVisionConfig *v = &config->vision;
	g_autoptr(WeftVision) vision = g_new0(WeftVision, 1);

	if (!check_config(config, error))
		return NULL;
	vision->kernels = kernels;
	vision->side = v->image_size;
	vision->patch = v->patch_size;
	vision->grid = v->image_size / v->patch_size;
	vision->shuffle = v->shuffle;
	vision->n_tokens = weft_vision_tokens_per_tile(v);
	vision->adapter = v->projector_input;
	vision->out = v->projector_output;
	vision->width_text = config->text.width;
	vision->blocks = (WeftBlocks){ .n_layers = v->n_layers,
				       .width = v->width,
				       .n_heads = v->n_heads,
				       .ffn = v->ffn };
	if (!load(vision, bundle, v, error) || !init_rotation(vision, v->rope_theta, error))
		return NULL;
	return g_steal_pointer(&vision);
}

void weft_vision_free(WeftVision *vision)
{
	if (!vision)
		return;
	weft_blocks_done(&vision->blocks);
	g_free(vision->class_row);
	g_free(vision->positions);
	g_free(vision->pre_weight);
	g_free(vision->pre_bias);
	g_free(vision->post_weight);
	g_free(vision->post_bias);
	g_free(vision->cosine);
	g_free(vision->sine);
	g_free(vision);
}

typedef struct Work {
	const WeftKernels *kernels;
	float *patches; /* of one tile */
	float *x;
	float *joined, *between; /* after the shuffle, inside the adapter */
	const WeftVisionLora *lora; /* NULL: none */
	float *room;                /* for its additions */
} Work;

static void work_done(Work *work)
{
	weft_kernels_free(work->kernels, work->patches);
	weft_kernels_free(work->kernels, work->x);
	weft_kernels_free(work->kernels, work->joined);
	weft_kernels_free(work->kernels, work->between);
	weft_kernels_free(work->kernels, work->room);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_done)

static gboolean work_init(Work *work, const WeftVision *vision, gsize n_tiles,
			  const WeftVisionLora *lora, GError **error)
{
	const WeftKernels *k = vision->kernels;
	gsize w = vision->blocks.width, n_patches = vision->grid * vision->grid;
	gsize n_tokens = n_tiles * vision->n_tokens, f = sizeof(float);

	work->kernels = k;
	work->lora = lora;
	return (!lora || (work->room = weft_kernels_alloc(k, lora->room, f, error))) &&
	       (work->patches = weft_kernels_alloc(k, 3 * vision->side * vision->side, f, error)) &&
	       (work->x = weft_kernels_alloc(k, n_tiles * (n_patches + 1) * w, f, error)) &&
	       (work->joined = weft_kernels_alloc(k, n_tiles * n_patches * w, f, error)) &&
	       (work->between = weft_kernels_alloc(
			k, n_tokens * (vision->adapter + vision->out), f, error));
}

/* y = x W^T, and what an adapter adds. */
static void product(const Work *work, float *y, const float *x, gsize n, const WeftTensor *w,
		    const WeftLowRank *part)
{
	const WeftKernels *k = work->kernels;

	k->gemm(k->team, y, x, n, w, NULL);
	if (part && part->a.data)
		weft_low_rank_add(k, part, y, x, n, work->room);
}

/* x[n_tiles][patches + 1][width] from the pixels. */
static void embed(const WeftVision *vision, const Work *work, const float *pixels, gsize n_tiles)
{
	float *patches = work->patches, *x = work->x;
	const WeftKernels *k = vision->kernels;
	gsize w = vision->blocks.width, n_patches = vision->grid * vision->grid;
	gsize n_tile = 3 * vision->side * vision->side;

	for (gsize i = 0; i < n_tiles; i++) {
		float *xi = x + i * (n_patches + 1) * w;

		k->patchify(k->team, patches, pixels + i * n_tile, 3, vision->side, vision->side,
			    vision->patch);
		product(work, xi, patches, n_patches, &vision->patches,
			work->lora ? &work->lora->patches : NULL);
		memcpy(xi + n_patches * w, vision->class_row, w * sizeof(float));
		k->add(k->team, xi, vision->positions, (n_patches + 1) * w);
	}
	k->layernorm(k->team, x, x, vision->pre_weight, vision->pre_bias,
		     n_tiles * (n_patches + 1), w, WEFT_BLOCKS_NORM_EPS);
}

/* rows[n_tiles][n_tokens][width_text] from x. */
static void adapt(const WeftVision *vision, const Work *work, gsize n_tiles, float *rows)
{
	float *x = work->x, *joined = work->joined, *between = work->between;
	const WeftVisionLora *lora = work->lora;
	const WeftKernels *k = vision->kernels;
	gsize w = vision->blocks.width, n_patches = vision->grid * vision->grid;
	gsize n = n_tiles * vision->n_tokens, w_joined = w * vision->shuffle * vision->shuffle;

	k->layernorm(k->team, x, x, vision->post_weight, vision->post_bias,
		     n_tiles * (n_patches + 1), w, WEFT_BLOCKS_NORM_EPS);
	for (gsize i = 0; i < n_tiles; i++)
		k->pixel_shuffle(k->team, joined + i * vision->n_tokens * w_joined,
				 x + i * (n_patches + 1) * w, vision->grid, vision->grid, w,
				 vision->shuffle);
	float *first = between, *second = between + n * vision->adapter;

	product(work, first, joined, n, &vision->fc1, lora ? &lora->fc1 : NULL);
	k->gelu(k->team, first, first, n * vision->adapter);
	product(work, second, first, n, &vision->fc2, lora ? &lora->fc2 : NULL);
	k->gelu(k->team, second, second, n * vision->out);
	product(work, rows, second, n, &vision->linear_1, lora ? &lora->linear_1 : NULL);
}

gboolean weft_vision_see(const WeftVision *vision, const WeftTiles *tiles,
			 const WeftVisionLora *lora, float **ret_rows, gsize *ret_n_rows,
			 GError **error)
{
	WeftBlocks blocks = vision->blocks;
	gsize n_patches = vision->grid * vision->grid;
	gsize n_rows = tiles->n_tiles * vision->n_tokens;
	g_auto(Work) work = { 0 };
	g_autofree float *rows = NULL;

	if (lora && !lora->is_empty) {
		blocks.parts = lora->blocks;
		blocks.parts_room = lora->room;
	} else {
		lora = NULL;
	}
	if (tiles->side != vision->side) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "tiles of %" G_GSIZE_FORMAT " pixels, the vision tower has %"
			    G_GSIZE_FORMAT, tiles->side, vision->side);
		return FALSE;
	}
	rows = weft_alloc_array(n_rows * vision->width_text, sizeof(float), 0, "image rows", error);
	if (!rows || !work_init(&work, vision, MIN(tiles->n_tiles, TILES_AT_ONCE), lora, error))
		return FALSE;
	for (gsize i = 0; i < tiles->n_tiles; i += TILES_AT_ONCE) {
		gsize n = MIN(tiles->n_tiles - i, TILES_AT_ONCE);

		embed(vision, &work, tiles->pixels + i * 3 * vision->side * vision->side, n);
		if (!weft_blocks_apply(&blocks, vision->kernels, work.x, n, n_patches + 1,
				       n_patches + 1, vision->cosine, vision->sine, error))
			return FALSE;
		adapt(vision, &work, n, rows + i * vision->n_tokens * vision->width_text);
	}
	*ret_rows = g_steal_pointer(&rows);
	*ret_n_rows = n_rows;
	return TRUE;
}
