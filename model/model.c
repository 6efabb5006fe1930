#include "model/model.h"

#include "base/error.h"
#include "base/files.h"
#include "model/batch.h"
#include "model/bench.h"

struct WeftModel {
	WeftBundle *bundle; /* borrowed */
	const WeftKernels *kernels;
	WeftArch *arch;
	WeftWeights *weights;
	WeftLexicon *lexicon; /* NULL until the first request */
	WeftPagePoolOptions cache;
	char *kv_folder;
	WeftPagePool *pool;
	WeftPass *pass;
	WeftBatch *batch;
	GPtrArray *adapters; /* WeftAdapter */
	gsize context;
};

/* *dtype stays when there is no name. */
static gboolean name_cache(const char *kv_type, WeftDtype *dtype, GError **error)
{
	if (!kv_type || weft_cache_dtype_named(kv_type, dtype))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		    "keys and values can be f32, bf16, q8_0 or q4, not '%s'", kv_type);
	return FALSE;
}

gboolean weft_model_check(const WeftBundle *bundle, const char *kv_type, GError **error)
{
	g_autoptr(WeftArch) arch = weft_arch_new(weft_bundle_config(bundle), error);
	WeftDtype dtype = WEFT_DTYPE_F32;
	return arch && name_cache(kv_type, &dtype, error) &&
	       weft_cache_dtype_fits(arch, dtype, error);
}

/* The cache is as exact as the weights, at most. */
static gboolean choose_cache(WeftModel *model, const WeftModelOptions *options, GError **error)
{
	gboolean is_f32 = model->weights->embed.dtype == WEFT_DTYPE_F32;
	model->cache.dtype = is_f32 ? WEFT_DTYPE_F32 : WEFT_DTYPE_BF16;
	model->kv_folder = g_strdup(options->kv_folder);
	model->cache.folder = model->kv_folder;
	model->cache.memory_max_bytes = options->kv_memory_max_bytes;
	return name_cache(options->kv_type, &model->cache.dtype, error);
}

static gboolean lock_weights(const WeftBundle *bundle, GError **error)
{
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(bundle, i);
		if (!weft_mapping_lock(view->data, view->size_bytes, error)) {
			g_prefix_error(error, "--mlock, for weights of %.1f GB: ",
				       (double)weft_bundle_size_bytes(bundle) / 1e9);
			return FALSE;
		}
	}
	return TRUE;
}

WeftModel *weft_model_open(WeftBundle *bundle, const WeftKernels *kernels,
			   const WeftModelOptions *options, GError **error)
{
	g_autoptr(WeftModel) model = g_new0(WeftModel, 1);
	static const WeftModelOptions DEFAULTS = {0};
	options = options ? options : &DEFAULTS;
	gsize requests_max = options->batch_max > 0 ? options->batch_max : WEFT_BATCH_DEFAULT;

	if (requests_max > WEFT_BATCH_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "%" G_GSIZE_FORMAT " requests in flight, limit %d", requests_max,
			    WEFT_BATCH_MAX);
		return NULL;
	}
	model->bundle = bundle;
	model->kernels = kernels;
	model->arch = weft_arch_new(weft_bundle_config(bundle), error);
	if (!model->arch)
		return NULL;
	model->context = model->arch->context_max;
	if (options->context_max > 0)
		model->context = MIN(model->context, options->context_max);
	if (options->locks_weights && !lock_weights(bundle, error))
		return NULL;
	model->weights = weft_weights_new(bundle, model->arch, kernels, error);
	if (!model->weights)
		return NULL;
	model->pass = weft_pass_new(model->arch, model->weights, kernels, WEFT_STEP_ROWS, error);
	if (!model->pass)
		return NULL;
	if (options->prefetches_weights)
		weft_residency_prefetch(model->pass->residency);
	if (!choose_cache(model, options, error))
		return NULL;
	model->pool = weft_page_pool_new(model->arch, kernels, &model->cache, error);
	if (!model->pool)
		return NULL;
	model->batch = weft_batch_new(model->pass, model->pool, requests_max, error);
	return model->batch ? g_steal_pointer(&model) : NULL;
}

void weft_model_close(WeftModel *model)
{
	if (!model)
		return;
	weft_batch_free(model->batch);
	weft_page_pool_free(model->pool);
	weft_pass_free(model->pass);
	weft_lexicon_free(model->lexicon);
	weft_weights_free(model->weights);
	g_clear_pointer(&model->adapters, g_ptr_array_unref);
	weft_arch_free(model->arch);
	g_free(model->kv_folder);
	g_free(model);
}

static void free_adapter(gpointer adapter)
{
	weft_adapter_free(adapter);
}

gboolean weft_model_add_adapter(WeftModel *model, const WeftLora *lora, GError **error)
{
	g_autoptr(WeftAdapter) adapter =
		weft_adapter_new(lora, weft_bundle_config(model->bundle), model->arch,
				 model->weights, model->kernels, error);
	if (!adapter || !weft_pass_prepare(model->pass, adapter, error))
		return FALSE;
	if (!model->adapters)
		model->adapters = g_ptr_array_new_with_free_func(free_adapter);
	g_ptr_array_add(model->adapters, g_steal_pointer(&adapter));
	return TRUE;
}

/* *ret_adapter is NULL where no adapter is asked for. */
static gboolean find_adapter(const WeftModel *model, const WeftLora *lora,
			     const WeftAdapter **ret_adapter, GError **error)
{
	*ret_adapter = NULL;
	if (!lora)
		return TRUE;
	for (guint i = 0; model->adapters && i < model->adapters->len; i++) {
		const WeftAdapter *adapter = g_ptr_array_index(model->adapters, i);
		if (adapter->lora == lora)
			*ret_adapter = adapter;
	}
	if (!*ret_adapter)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "adapter %s has not been added to the model", weft_lora_name(lora));
	return *ret_adapter != NULL;
}

gsize weft_model_context(const WeftModel *model)
{
	return model->context;
}

gsize weft_model_width(const WeftModel *model)
{
	return model->arch->width;
}

gsize weft_model_vocab(const WeftModel *model)
{
	return model->arch->n_vocab;
}

gboolean weft_model_logits(WeftModel *model, const WeftSequence *sequence, const WeftLora *adapter,
			   gboolean step, gboolean exact, float *ret_logits, GError **error)
{
	const WeftAdapter *fitted;
	WeftPagePoolOptions cache_options = model->cache;
	gsize n = weft_sequence_length(sequence), n_rows_fed = 0, n_piece;

	if (!weft_sequence_check(sequence, model->arch->width, model->arch->n_vocab, error) ||
	    !find_adapter(model, adapter, &fitted, error))
		return FALSE;
	if (n > model->context) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT,
			    "%" G_GSIZE_FORMAT " tokens, context of %" G_GSIZE_FORMAT, n,
			    model->context);
		return FALSE;
	}
	if (exact)
		cache_options.dtype = WEFT_DTYPE_F32;
	g_autoptr(WeftPagePool) pool =
		weft_page_pool_new(model->arch, model->kernels, &cache_options, error);
	if (!pool)
		return FALSE;
	g_autoptr(WeftCache) cache = weft_cache_new(pool);
	for (gsize at = 0; at < n; at += n_piece) {
		n_piece = step ? 1 : MIN(n - at, WEFT_PIECE_ROWS);
		if (!weft_cache_extend(cache, at, n_piece, error))
			return FALSE;
		weft_batch_embed(model->pass, 0, sequence,
				 (const gint32 *)(const void *)sequence->ids->data, at, n_piece,
				 fitted, &n_rows_fed);
		WeftSegment segment = {
			.cache = cache, .n_rows = n_piece, .position = at, .adapter = fitted};
		weft_pass_run(model->pass, &segment, 1);
		weft_pass_logits(model->pass, NULL, n_piece, ret_logits + at * model->arch->n_vocab);
	}
	return TRUE;
}

gboolean weft_model_has_room(const WeftModel *model)
{
	return weft_batch_has_room(model->batch);
}

gboolean weft_model_submit(WeftModel *model, WeftSequence *take_sequence,
			   const WeftGeneration *generation, guint64 *ret_ticket, GError **error)
{
	const WeftAdapter *adapter;
	if (!find_adapter(model, generation->adapter, &adapter, error)) {
		weft_sequence_free(take_sequence);
		return FALSE;
	}
	if (!weft_batch_has_room(model->batch)) {
		weft_sequence_free(take_sequence);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "no room for another request in flight");
		return FALSE;
	}
	if (!model->lexicon)
		model->lexicon =
			weft_lexicon_new(model->bundle, model->arch->n_vocab, error);
	if (!model->lexicon) {
		weft_sequence_free(take_sequence);
		return FALSE;
	}
	WeftActive *active = weft_active_new(take_sequence, generation, model->lexicon,
					     model->arch->width, model->context, error);
	if (!active)
		return FALSE;
	active->adapter = adapter;
	*ret_ticket = weft_batch_add(model->batch, active);
	return TRUE;
}

gboolean weft_model_step(WeftModel *model, GError **error)
{
	(void)error; /* what goes wrong belongs to one request and comes with it */
	weft_batch_step(model->batch);
	return TRUE;
}

gboolean weft_model_take(WeftModel *model, guint64 *ret_ticket, WeftAnswer **ret_answer,
			 GError **ret_fault)
{
	WeftActive *active = weft_batch_take(model->batch);
	if (!active)
		return FALSE;
	*ret_ticket = active->ticket;
	*ret_answer = active->fault ? NULL : weft_active_answer(active);
	if (active->fault && ret_fault)
		*ret_fault = g_steal_pointer(&active->fault);
	weft_active_free(active);
	return TRUE;
}

WeftModelUsage weft_model_usage(const WeftModel *model)
{
	WeftPageUsage pages = weft_page_pool_usage(model->pool);
	return (WeftModelUsage){.cache_memory_bytes = pages.memory_bytes,
				.cache_file_bytes = pages.file_bytes,
				.weight_bytes = weft_residency_bytes(model->pass->residency),
				.kv_type = weft_cache_dtype_name(model->cache.dtype)};
}

WeftBench *weft_bench_new(WeftModel *model, gsize n_sequences, GError **error)
{
	return weft_bench_of_pass(model->pass, model->pool, n_sequences, error);
}

void weft_model_cancel(WeftModel *model, guint64 ticket)
{
	weft_batch_cancel(model->batch, ticket);
}
