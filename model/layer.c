#include "model/layer.h"

#include <string.h>

typedef struct Buffer {
	gpointer *to;
	gsize n, item_bytes; /* per row */
} Buffer;

/* Where a pass keeps what, per row. */
#define BUFFERS_MAX 24
static gsize list_buffers(WeftPass *pass, Buffer buffers[BUFFERS_MAX])
{
	const WeftArch *arch = pass->arch;
	gsize n = 0, n_q = arch->n_heads * arch->head_width;
	gsize n_kv = arch->n_kv_heads * arch->head_width;
	gsize n_ffn = MAX(arch->ffn_expert, arch->ffn_dense);
	gsize n_active = MAX(arch->n_experts_active, 1);
#define BUFFER(field, count) \
	buffers[n++] = (Buffer){(gpointer *)&pass->field, count, sizeof(*pass->field)}
	BUFFER(x, arch->width);
	BUFFER(h, arch->width);
	BUFFER(q, n_q);
	BUFFER(mixed, n_q);
	BUFFER(k, n_kv);
	BUFFER(v, n_kv);
	BUFFER(gate, n_ffn);
	BUFFER(up, n_ffn);
	BUFFER(routed, arch->width);
	BUFFER(y, arch->width);
	BUFFER(cosine, arch->head_width / 2);
	BUFFER(sine, arch->head_width / 2);
	BUFFER(temperature, 1);
	BUFFER(router_logits, MAX(arch->n_experts, 1));
	BUFFER(router_weights, n_active);
	BUFFER(router_index, n_active);
	BUFFER(expert_rows, 1);
	BUFFER(expert_factors, 1);
	BUFFER(positions, 1);
	BUFFER(key_end, 1);
	BUFFER(key_first, 1);
	BUFFER(key_zero, 1);
	BUFFER(jobs, 1);
	BUFFER(adapters, 1);
#undef BUFFER
	g_assert(n <= BUFFERS_MAX);
	return n;
}

WeftPass *weft_pass_new(const WeftArch *arch, const WeftWeights *weights,
			const WeftKernels *kernels, gsize rows_max, GError **error)
{
	g_autoptr(WeftPass) pass = g_new0(WeftPass, 1);
	Buffer buffers[BUFFERS_MAX];
	pass->arch = arch;
	pass->weights = weights;
	pass->kernels = kernels;
	pass->rows_max = rows_max;
	pass->residency = weft_residency_new(weights, arch->n_experts);
	gsize n = list_buffers(pass, buffers);
	for (gsize i = 0; i < n; i++) {
		gpointer memory = weft_kernels_alloc(kernels, rows_max * buffers[i].n,
						     buffers[i].item_bytes, error);
		if (!memory)
			return NULL;
		memcpy(buffers[i].to, &memory, sizeof(memory));
	}
	memset(pass->key_zero, 0, rows_max * sizeof(*pass->key_zero));
	return g_steal_pointer(&pass);
}

gsize weft_pass_size_bytes(const WeftArch *arch, gsize rows_max)
{
	WeftPass pass = {.arch = arch};
	Buffer buffers[BUFFERS_MAX];
	gsize n = list_buffers(&pass, buffers), size_bytes = 0;
	for (gsize i = 0; i < n; i++)
		size_bytes += rows_max * buffers[i].n * buffers[i].item_bytes;
	return size_bytes;
}

void weft_pass_free(WeftPass *pass)
{
	if (!pass)
		return;
	Buffer buffers[BUFFERS_MAX];
	gsize n = list_buffers(pass, buffers);
	for (gsize i = 0; i < n; i++) {
		gpointer memory;
		memcpy(&memory, buffers[i].to, sizeof(memory));
		weft_kernels_free(pass->kernels, memory);
	}
	weft_residency_free(pass->residency);
	weft_kernels_free(pass->kernels, pass->adapter_room);
	g_free(pass);
}

void weft_pass_embed(WeftPass *pass, gsize row, const gint32 *ids, gsize n,
		     const WeftAdapter *adapter)
{
	const WeftKernels *kernels = pass->kernels;
	/* gint32 that are not negative read the same as guint32. */
	const guint32 *index = (const guint32 *)ids;
	gboolean has_own = adapter && adapter->embed.data;
	float *x = pass->x + row * pass->arch->width;
	kernels->fetch_rows(kernels->team, x, has_own ? &adapter->embed : &pass->weights->embed,
			    index, n);
	if (adapter)
		weft_pass_adapt_embeddings(pass, adapter, x, index, n);
}

static void prepare_rows(WeftPass *pass, const WeftSegment *segments, gsize n_segments)
{
	const WeftArch *arch = pass->arch;
	gsize row = 0;
	pass->n_adapted = 0;
	for (gsize s = 0; s < n_segments; s++) {
		g_assert(segments[s].row_first == row);
		pass->n_adapted += segments[s].adapter ? segments[s].n_rows : 0;
		for (gsize i = 0; i < segments[s].n_rows; i++, row++) {
			gsize position = segments[s].position + i;
			pass->positions[row] = (gint64)position;
			pass->key_end[row] = (guint32)position + 1;
			pass->key_first[row] =
				arch->chunk_size > 0
					? (guint32)(position / arch->chunk_size * arch->chunk_size)
					: 0;
			pass->temperature[row] = weft_arch_temperature(arch, position);
			pass->adapters[row] = segments[s].adapter;
		}
	}
	g_assert(row <= pass->rows_max);
	pass->n_rows = row;
	pass->kernels->rope_table(pass->kernels->team, pass->cosine, pass->sine, pass->positions,
				  row, arch->frequencies, arch->head_width / 2);
}

/* q and k of a layer with rotation. */
static void rotate(WeftPass *pass, float *x, gsize n_heads)
{
	const WeftArch *arch = pass->arch;
	const WeftKernels *kernels = pass->kernels;
	if (arch->rope_halves)
		kernels->rope_halves(kernels->team, x, pass->cosine, pass->sine, pass->n_rows,
				     n_heads, arch->head_width);
	else
		kernels->rope_pairs(kernels->team, x, pass->cosine, pass->sine, pass->n_rows,
				    n_heads, arch->head_width);
	if (arch->qk_norm)
		kernels->rmsnorm(kernels->team, x, x, NULL, pass->n_rows * n_heads,
				 arch->head_width, arch->norm_eps);
}

/* x += o(attention(h)). */
static void attend(WeftPass *pass, gsize index, const WeftSegment *segments, gsize n_segments)
{
	const WeftArch *arch = pass->arch;
	const WeftKernels *kernels = pass->kernels;
	const WeftLayerWeights *layer = &pass->weights->layers[index];
	const WeftLayerConfig *config = &arch->layers[index];
	gsize n_q = arch->n_heads * arch->head_width, n_kv = arch->n_kv_heads * arch->head_width;

	kernels->gemm(kernels->team, pass->q, pass->h, pass->n_rows, &layer->q, NULL);
	kernels->gemm(kernels->team, pass->k, pass->h, pass->n_rows, &layer->k, NULL);
	kernels->gemm(kernels->team, pass->v, pass->h, pass->n_rows, &layer->v, NULL);
	weft_pass_adapt(pass, layer, WEFT_ADAPTED_Q, pass->q, pass->h);
	weft_pass_adapt(pass, layer, WEFT_ADAPTED_K, pass->k, pass->h);
	weft_pass_adapt(pass, layer, WEFT_ADAPTED_V, pass->v, pass->h);
	if (config->has_rope) {
		rotate(pass, pass->q, arch->n_heads);
		rotate(pass, pass->k, arch->n_kv_heads);
	} else if (arch->temperature_tuning) {
		kernels->scale_rows(kernels->team, pass->q, pass->q, pass->temperature,
				    pass->n_rows, n_q);
	}
	for (gsize s = 0; s < n_segments; s++) {
		const WeftSegment *segment = &segments[s];
		gsize row = segment->row_first;
		gboolean is_followed = segment->gaze && !config->is_chunked;
		weft_cache_store(segment->cache, index, segment->position, segment->n_rows,
				 pass->k + row * n_kv, pass->v + row * n_kv);
		pass->jobs[s] = (WeftAttention){
			.y = pass->mixed + row * n_q,
			.q = pass->q + row * n_q,
			.k_pages = weft_cache_k_pages(segment->cache, index),
			.v_pages = weft_cache_v_pages(segment->cache, index),
			.dtype = weft_cache_dtype(segment->cache),
			.key_first = (config->is_chunked ? pass->key_first : pass->key_zero) + row,
			.key_end = pass->key_end + row,
			.n_rows = segment->n_rows,
			.n_heads = arch->n_heads,
			.n_kv_heads = arch->n_kv_heads,
			.head_width = arch->head_width,
			.scale = arch->score_scale,
			.mass = is_followed ? weft_gaze_room(segment->gaze, segment->position +
									    segment->n_rows)
					    : NULL,
		};
	}
	kernels->attention(kernels->team, pass->jobs, n_segments);
	for (gsize s = 0; s < n_segments; s++)
		if (pass->jobs[s].mass)
			weft_gaze_add(segments[s].gaze);
	kernels->gemm(kernels->team, pass->y, pass->mixed, pass->n_rows, &layer->o, NULL);
	weft_pass_adapt(pass, layer, WEFT_ADAPTED_O, pass->y, pass->mixed);
	kernels->add(kernels->team, pass->x, pass->y, pass->n_rows * arch->width);
}

void weft_feed_forward_run(WeftPass *pass, const WeftLayerWeights *layer)
{
	const WeftKernels *kernels = pass->kernels;
	gsize width = layer->gate.size[0];
	kernels->gemm(kernels->team, pass->gate, pass->h, pass->n_rows, &layer->gate, NULL);
	kernels->gemm(kernels->team, pass->up, pass->h, pass->n_rows, &layer->up, NULL);
	weft_pass_adapt(pass, layer, WEFT_ADAPTED_GATE, pass->gate, pass->h);
	weft_pass_adapt(pass, layer, WEFT_ADAPTED_UP, pass->up, pass->h);
	kernels->swiglu(kernels->team, pass->up, pass->gate, pass->up, pass->n_rows, width, width);
	kernels->gemm(kernels->team, pass->y, pass->up, pass->n_rows, &layer->down, NULL);
	weft_pass_adapt(pass, layer, WEFT_ADAPTED_DOWN, pass->y, pass->up);
}

static void norm(WeftPass *pass, const float *weight)
{
	const WeftKernels *kernels = pass->kernels;
	kernels->rmsnorm(kernels->team, pass->h, pass->x, weight, pass->n_rows, pass->arch->width,
			 pass->arch->norm_eps);
}

void weft_pass_run(WeftPass *pass, const WeftSegment *segments, gsize n_segments)
{
	const WeftArch *arch = pass->arch;
	const WeftKernels *kernels = pass->kernels;

	prepare_rows(pass, segments, n_segments);
	pass->segments = segments;
	pass->n_segments = n_segments;
	for (gsize i = 0; i < arch->n_layers; i++) {
		const WeftLayerWeights *layer = &pass->weights->layers[i];
		weft_residency_need_layer(pass->residency, i);
		norm(pass, layer->input_norm);
		attend(pass, i, segments, n_segments);
		norm(pass, layer->post_norm);
		if (arch->layers[i].is_moe)
			weft_moe_run(pass, i);
		else
			weft_feed_forward_run(pass, layer);
		kernels->add(kernels->team, pass->x, pass->y, pass->n_rows * arch->width);
	}
	norm(pass, pass->weights->norm);
}

void weft_pass_logits(WeftPass *pass, const guint32 *rows, gsize n, float *logits)
{
	const WeftKernels *kernels = pass->kernels;
	const float *h = pass->h;
	if (rows) {
		WeftTensor all = weft_tensor_matrix(pass->h, WEFT_DTYPE_F32, pass->n_rows,
						    pass->arch->width);
		kernels->fetch_rows(kernels->team, pass->routed, &all, rows, n);
		h = pass->routed;
	}
	weft_residency_need_head(pass->residency);
	kernels->gemm(kernels->team, logits, h, n, &pass->weights->head, NULL);
	weft_pass_adapt_logits(pass, rows, n, logits, h);
}
