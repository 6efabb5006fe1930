#include "model/plan.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "model/batch.h"

/* What Linux maps around a fault in a file (fault_around_bytes), where it was not measured: so much
 * of the embedding comes with a row. Large folios may bring more. */
#define FAULT_AROUND_BYTES 65536.0
/* Positions of a request; keys of so many would fill any machine. */
#define CONTEXT_MAX ((gsize)1 << 32)
/* Operations of a layer beside those of experts, of an expert, and of a pass (layer.c, moe.c). */
#define LAYER_OPERATIONS 22
#define EXPERT_OPERATIONS 7
#define PASS_OPERATIONS 6

const char *weft_weight_group_name(WeftWeightGroup group)
{
	static const char *const names[] = {"embedding", "attention", "feed-forward",
					    "routed experts", "head", "norms, routers",
					    "vision", "audio"};
	return names[group];
}

/* ---- the table of tensors ---- */

/* The first part that a name has decides: of what a tensor is, as files of all families name it. */
static const struct {
	const char *part;
	WeftWeightGroup group;
} name_parts[] = {
	{"vision_model", WEFT_GROUP_VISION},
	{"vision_tower", WEFT_GROUP_VISION},
	{"multi_modal_projector", WEFT_GROUP_VISION},
	{"embed_tokens", WEFT_GROUP_EMBEDDING},
	{"token_embd", WEFT_GROUP_EMBEDDING},
	{"lm_head", WEFT_GROUP_HEAD},
	{"norm", WEFT_GROUP_SMALL},
	{"router", WEFT_GROUP_SMALL},
	{"ffn_gate_inp", WEFT_GROUP_SMALL},
	{"block_sparse_moe.gate", WEFT_GROUP_SMALL},
	{"mlp.gate.weight", WEFT_GROUP_SMALL},
	{"experts.", WEFT_GROUP_EXPERTS},
	{"_exps", WEFT_GROUP_EXPERTS},
	{"attn", WEFT_GROUP_ATTENTION},
	{"feed_forward", WEFT_GROUP_FFN},
	{"shared_expert", WEFT_GROUP_FFN},
	{"ffn_", WEFT_GROUP_FFN},
	{"mlp", WEFT_GROUP_FFN},
};

static WeftWeightGroup group_of_name(const char *name)
{
	if (g_str_has_prefix(name, "v.") || g_str_has_prefix(name, "mm."))
		return WEFT_GROUP_VISION; /* an mmproj's */
	if (g_str_equal(name, "output.weight"))
		return WEFT_GROUP_HEAD;
	for (gsize i = 0; i < G_N_ELEMENTS(name_parts); i++)
		if (strstr(name, name_parts[i].part))
			return name_parts[i].group;
	return WEFT_GROUP_SMALL;
}

static void add_bundle(WeftPlan *plan, const WeftBundle *bundle, gboolean is_audio)
{
	guint64 all = 0;
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(bundle, i);
		WeftWeightGroup group = is_audio ? WEFT_GROUP_AUDIO : group_of_name(view->name);
		plan->n_weights[group][view->dtype] += weft_tensor_view_n_values(view);
		plan->bytes[group] += view->size_bytes;
		all += view->size_bytes;
		if (strstr(view->name, "experts.gate_up_proj") && plan->arch->experts_are_kn)
			plan->experts_are_kn = TRUE;
	}
	guint64 files = weft_bundle_size_bytes(bundle);
	/* Headers are small; what is left over beyond them has a type that is not read. */
	if (files > all && files - all > all / 8)
		plan->unread_bytes += files - all;
}

/* ---- tensors that follow from the configuration ---- */

static void assume(WeftPlan *plan, WeftWeightGroup group, WeftDtype dtype, guint64 n_rows,
		   guint64 n_cols)
{
	if (n_rows == 1 && dtype >= WEFT_DTYPE_HALVES_END)
		dtype = WEFT_DTYPE_F32; /* as GGUF files keep vectors */
	else if (n_cols % weft_dtype_block_values(dtype) != 0)
		dtype = WEFT_DTYPE_BF16;
	plan->n_weights[group][dtype] += n_rows * n_cols;
	plan->bytes[group] += n_rows * weft_dtype_row_bytes(dtype, n_cols);
}

static void assume_layer(WeftPlan *plan, WeftDtype dtype, const WeftLayerConfig *layer)
{
	const WeftArch *arch = plan->arch;
	guint64 w = arch->width, q = arch->n_heads * arch->head_width;
	guint64 kv = arch->n_kv_heads * arch->head_width;
	guint64 ffn = layer->is_moe ? arch->ffn_expert : arch->ffn_dense;

	assume(plan, WEFT_GROUP_ATTENTION, dtype, q + 2 * kv, w);
	assume(plan, WEFT_GROUP_ATTENTION, dtype, w, q);
	assume(plan, WEFT_GROUP_SMALL, dtype, 1, 2 * w);
	if (!layer->is_moe || arch->has_shared_expert) {
		assume(plan, WEFT_GROUP_FFN, dtype, 2 * ffn, w);
		assume(plan, WEFT_GROUP_FFN, dtype, w, ffn);
	}
	if (layer->is_moe) {
		assume(plan, WEFT_GROUP_SMALL, dtype, arch->n_experts, w);
		assume(plan, WEFT_GROUP_EXPERTS, dtype, arch->n_experts * 2 * ffn, w);
		assume(plan, WEFT_GROUP_EXPERTS, dtype, arch->n_experts * w, ffn);
	}
}

/* The tower of encoders/vision.h; an mmproj keeps it in halves whatever the text model has. */
static void assume_vision(WeftPlan *plan, WeftDtype dtype, const WeftVisionConfig *v)
{
	guint64 w = v->width, grid = v->patch_size > 0 ? v->image_size / v->patch_size : 0;
	guint64 joined = w * v->shuffle * v->shuffle;

	if (dtype >= WEFT_DTYPE_HALVES_END)
		dtype = WEFT_DTYPE_BF16;
	assume(plan, WEFT_GROUP_VISION, dtype, w, v->n_channels * v->patch_size * v->patch_size);
	assume(plan, WEFT_GROUP_VISION, dtype, grid * grid + 1, w);
	assume(plan, WEFT_GROUP_VISION, dtype, 1, 5 * w); /* class row, two norms */
	for (gsize i = 0; i < v->n_layers; i++) {
		assume(plan, WEFT_GROUP_VISION, dtype, 4 * w, w);
		assume(plan, WEFT_GROUP_VISION, dtype, 2 * v->ffn, w);
		assume(plan, WEFT_GROUP_VISION, dtype, 1, 9 * w + v->ffn);
	}
	assume(plan, WEFT_GROUP_VISION, dtype, v->projector_input, joined);
	assume(plan, WEFT_GROUP_VISION, dtype, v->projector_output, v->projector_input);
	assume(plan, WEFT_GROUP_VISION, dtype, plan->width, v->projector_output);
}

static void assume_all(WeftPlan *plan, WeftDtype dtype)
{
	const WeftArch *arch = plan->arch;

	plan->is_assumed = TRUE;
	plan->experts_are_kn = arch->experts_are_kn && dtype < WEFT_DTYPE_HALVES_END;
	assume(plan, WEFT_GROUP_EMBEDDING, dtype, arch->n_vocab, arch->width);
	if (!arch->tie_embeddings)
		assume(plan, WEFT_GROUP_HEAD, dtype, arch->n_vocab, arch->width);
	assume(plan, WEFT_GROUP_SMALL, dtype, 1, arch->width);
	for (gsize i = 0; i < arch->n_layers; i++)
		assume_layer(plan, dtype, &arch->layers[i]);
	if (plan->config->has_vision)
		assume_vision(plan, dtype, &plan->config->vision);
}

/* ---- the plan ---- */

static guint64 count_of(const WeftPlan *plan, WeftWeightGroup group)
{
	guint64 n = 0;
	for (int d = 0; d < WEFT_DTYPE_COUNT; d++)
		n += plan->n_weights[group][d];
	return n;
}

/* What one token of an answer goes through. */
static void sum_weights(WeftPlan *plan)
{
	static const WeftWeightGroup always[] = {WEFT_GROUP_ATTENTION, WEFT_GROUP_FFN,
						 WEFT_GROUP_SMALL};
	WeftWeightGroup head = plan->head_is_embedding ? WEFT_GROUP_EMBEDDING : WEFT_GROUP_HEAD;

	for (int g = 0; g < WEFT_GROUP_COUNT; g++) {
		plan->weights_bytes += plan->bytes[g];
		plan->weights_count += count_of(plan, (WeftWeightGroup)g);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(always); i++) {
		plan->touched_bytes += plan->bytes[always[i]];
		plan->touched_count += count_of(plan, always[i]);
	}
	plan->touched_bytes += plan->bytes[head];
	plan->touched_count += count_of(plan, head);
	plan->touched_bytes += plan->bytes[WEFT_GROUP_EMBEDDING] / MAX(plan->n_vocab, 1);
	if (plan->n_experts > 0) {
		plan->touched_bytes +=
			plan->bytes[WEFT_GROUP_EXPERTS] / plan->n_experts * plan->n_experts_active;
		plan->touched_count += count_of(plan, WEFT_GROUP_EXPERTS) / plan->n_experts *
				       plan->n_experts_active;
	}
}

static void size_encoder(WeftPlan *plan)
{
	const WeftVisionConfig *v = &plan->config->vision;
	gsize side;

	if (!plan->config->has_vision || v->patch_size == 0 || v->shuffle == 0)
		return;
	side = v->image_size / v->patch_size / v->shuffle;
	plan->tokens_per_tile = side * side;
	/* The largest canvas and the global tile. */
	plan->encoder_bytes = (plan->config->preprocessor.tiles_max + 1) * plan->tokens_per_tile *
			      plan->width * sizeof(float);
}

/* As a run chooses it: the cache is as exact as plain weights, and half of f32 otherwise. */
static WeftDtype default_kv(const WeftPlan *plan)
{
	return plan->n_weights[WEFT_GROUP_EMBEDDING][WEFT_DTYPE_F32] > 0 ? WEFT_DTYPE_F32
									 : WEFT_DTYPE_BF16;
}

static gboolean size_cache(WeftPlan *plan, const WeftPlanOptions *options, GError **error)
{
	const WeftArch *arch = plan->arch;
	guint64 n_full = 0, one;

	plan->context_max = arch->context_max;
	plan->context = options->context > 0 ? options->context : arch->context_max;
	plan->n_requests = MAX(options->n_requests, 1);
	plan->kv_dtype = default_kv(plan);
	if (options->kv_type && !weft_cache_dtype_named(options->kv_type, &plan->kv_dtype)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "kv-type: '%s' is not f32, bf16, q8_0 or q4", options->kv_type);
		return FALSE;
	}
	if (!weft_cache_dtype_fits(arch, plan->kv_dtype, error))
		return FALSE;
	plan->kv_type = weft_cache_dtype_name(plan->kv_dtype);
	one = plan->context <= CONTEXT_MAX ? weft_cache_bytes(arch, plan->kv_dtype, plan->context)
					   : G_MAXSIZE;
	if (one >= G_MAXSIZE / plan->n_requests) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT,
			    "a cache of %" G_GSIZE_FORMAT " positions for %" G_GSIZE_FORMAT
			    " requests: no machine has so many bytes",
			    plan->context, plan->n_requests);
		return FALSE;
	}
	plan->cache_bytes = one * plan->n_requests;
	for (gsize i = 0; i < arch->n_layers; i++)
		n_full += !arch->layers[i].is_chunked;
	plan->cache_token_bytes = n_full * 2 *
				  weft_dtype_row_bytes(plan->kv_dtype,
						       arch->n_kv_heads * arch->head_width);
	plan->pass_bytes = weft_pass_size_bytes(arch, WEFT_STEP_ROWS);
	plan->logits_bytes = (guint64)WEFT_BATCH_DEFAULT * arch->n_vocab * sizeof(float);
	return TRUE;
}

WeftPlan *weft_plan_new(const WeftBundle *bundle, const WeftPlanOptions *options, GError **error)
{
	g_autoptr(WeftPlan) plan = g_new0(WeftPlan, 1);
	const WeftBundle *audio = weft_bundle_audio(bundle);
	const WeftBundle *projector = weft_bundle_projector(bundle);

	plan->config = weft_bundle_config(bundle);
	plan->arch = weft_arch_new(plan->config, error);
	if (!plan->arch)
		return NULL;
	plan->n_layers = plan->arch->n_layers;
	plan->n_experts = plan->arch->n_experts;
	plan->n_experts_active = plan->arch->n_experts_active;
	plan->width = plan->arch->width;
	plan->n_vocab = plan->arch->n_vocab;
	plan->head_is_embedding = plan->arch->tie_embeddings;
	for (gsize i = 0; i < plan->n_layers; i++)
		plan->n_moe_layers += plan->arch->layers[i].is_moe;
	if (weft_bundle_n_tensors(bundle) > 0)
		add_bundle(plan, bundle, FALSE);
	else
		assume_all(plan, options->assumed);
	if (audio && audio != bundle)
		add_bundle(plan, audio, TRUE);
	if (projector && projector != bundle && projector != audio)
		add_bundle(plan, projector, TRUE);
	sum_weights(plan);
	size_encoder(plan);
	return size_cache(plan, options, error) ? g_steal_pointer(&plan) : NULL;
}

void weft_plan_free(WeftPlan *plan)
{
	if (!plan)
		return;
	weft_arch_free(plan->arch);
	g_free(plan);
}

/* ---- memory ---- */

guint64 weft_plan_working_bytes(const WeftPlan *plan)
{
	return plan->cache_bytes + plan->pass_bytes + plan->logits_bytes + plan->encoder_bytes;
}

guint64 weft_plan_request_bytes(const WeftPlan *plan, gsize n_tokens)
{
	return weft_cache_bytes(plan->arch, plan->kv_dtype, n_tokens) +
	       weft_pass_size_bytes(plan->arch, MIN(n_tokens, WEFT_PIECE_ROWS)) +
	       plan->n_vocab * sizeof(float);
}

/* Of a layer's experts, those that one of n tokens chose. */
static double touched_share(const WeftPlan *plan, double n_tokens)
{
	if (plan->n_experts == 0)
		return 0;
	double chosen = (double)plan->n_experts_active / (double)plan->n_experts;
	return chosen >= 1 ? 1 : 1 - exp(n_tokens * log1p(-chosen));
}

guint64 weft_plan_resident_bytes(const WeftPlan *plan, const WeftMachine *machine,
				 guint64 n_tokens)
{
	double fault = machine->fault_bytes > 0 ? machine->fault_bytes : FAULT_AROUND_BYTES;
	double embedding = (double)plan->bytes[WEFT_GROUP_EMBEDDING];
	double experts = (double)plan->bytes[WEFT_GROUP_EXPERTS];
	guint64 always = plan->bytes[WEFT_GROUP_ATTENTION] + plan->bytes[WEFT_GROUP_FFN] +
			 plan->bytes[WEFT_GROUP_SMALL] + plan->bytes[WEFT_GROUP_HEAD];

	/* Tokens repeat, and rows lie beside each other: 1 - exp(-share) of the pieces are hit. */
	if (!plan->head_is_embedding && embedding > 0)
		embedding *= 1 - exp(-(double)n_tokens * fault / embedding);
	return always +
	       (guint64)(embedding + experts * touched_share(plan, (double)n_tokens));
}

WeftPlacement weft_plan_place(const WeftPlan *plan, const WeftMachine *machine)
{
	WeftPlacement place = {0};
	double experts = (double)plan->bytes[WEFT_GROUP_EXPERTS];
	double first = (double)weft_plan_working_bytes(plan) + (double)plan->weights_bytes - experts;
	double left = machine->memory_bytes - first;

	place.runs = left >= 0;
	place.fits = left >= experts;
	place.memory_bytes = first + (place.runs ? MIN(experts, left) : 0);
	if (!place.fits) {
		double absent = experts - (place.runs ? left : 0);
		place.host_bytes = MIN(absent, machine->host_bytes);
		place.disk_bytes = absent - place.host_bytes;
		place.experts_absent = experts > 0 ? absent / experts : 0;
	}
	return place;
}

/* ---- time ---- */

static double group_s(const WeftPlan *plan, const WeftMachine *machine, WeftWeightGroup group,
		      double rows)
{
	double seconds = 0;
	for (int d = 0; d < WEFT_DTYPE_COUNT; d++)
		if (plan->n_weights[group][d] > 0)
			seconds += (double)plan->n_weights[group][d] *
				   weft_machine_gemm_s(machine, (WeftDtype)d, FALSE, rows);
	return seconds;
}

/* P(r) of a binomial (n, p), 0 < p < 1. */
static double binomial(gsize n, gsize r, double p)
{
	return exp(lgamma((double)n + 1) - lgamma((double)r + 1) - lgamma((double)(n - r) + 1) +
		   (double)r * log(p) + (double)(n - r) * log1p(-p));
}

/* All routed experts of all layers; each gets its share of the rows. */
static double experts_s(const WeftPlan *plan, const WeftMachine *machine, gsize n_rows)
{
	double p = (double)plan->n_experts_active / (double)MAX(plan->n_experts, 1), seconds = 0;

	for (int d = 0; d < WEFT_DTYPE_COUNT; d++) {
		double n_weights = (double)plan->n_weights[WEFT_GROUP_EXPERTS][d], one = 0;
		if (n_weights == 0)
			continue;
		if (p >= 1)
			one = weft_machine_gemm_s(machine, (WeftDtype)d, plan->experts_are_kn,
						  (double)n_rows);
		for (gsize r = 1; p < 1 && r <= n_rows; r++)
			one += binomial(n_rows, r, p) *
			       weft_machine_gemm_s(machine, (WeftDtype)d, plan->experts_are_kn,
						   (double)r);
		seconds += n_weights * one;
	}
	return seconds;
}

/* Touched experts that memory does not hold come over the link. */
static double absent_s(const WeftPlan *plan, const WeftMachine *machine, gsize n_rows)
{
	WeftPlacement place = weft_plan_place(plan, machine);
	double bytes = place.experts_absent * (double)plan->bytes[WEFT_GROUP_EXPERTS] *
		       touched_share(plan, (double)n_rows);
	return bytes > 0 && machine->link_bytes_s > 0 ? bytes / machine->link_bytes_s : 0;
}

/* n rows of one request at `position`: the keys that they see, over all layers. */
static double keys_of(const WeftPlan *plan, gsize n, gsize position)
{
	const WeftArch *arch = plan->arch;
	double half = ((double)n + 1) / 2, keys = 0;

	for (gsize i = 0; i < arch->n_layers; i++) {
		gsize first = weft_arch_key_first(arch, i, position);
		keys += (double)n * ((double)(position - first) + half);
	}
	return keys;
}

static double attention_s(const WeftPlan *plan, const WeftMachine *machine, gsize n, gsize position)
{
	const WeftArch *arch = plan->arch;
	double keys = keys_of(plan, n, position);

	if (machine->is_measured)
		return keys * (double)arch->n_heads *
		       (n == 1 ? machine->attend_one_s : machine->attend_many_s);
	/* One reading of the keys and values serves all rows of a piece. */
	double bytes = keys / (double)n * 2 *
		       (double)weft_dtype_row_bytes(plan->kv_dtype,
						    arch->n_kv_heads * arch->head_width);
	double flops = keys * 4 * (double)(arch->n_heads * arch->head_width);
	return MAX(bytes / (machine->read_bytes_s * machine->reach_bandwidth),
		   flops / (machine->flops * machine->reach_flops));
}

/* Norms, rotations and the like, by the numbers that they go over. */
static double rows_s(const WeftPlan *plan, const WeftMachine *machine, double n_rows)
{
	const WeftArch *arch = plan->arch;
	double q = (double)(arch->n_heads * arch->head_width);
	double kv = (double)(arch->n_kv_heads * arch->head_width);
	double layers = (double)arch->n_layers, moe = (double)plan->n_moe_layers;
	double n_norm = layers * (4 * (double)arch->width + 2 * (q + kv) + 2 * kv) +
			moe * 3 * (double)arch->width;
	double n_swiglu = (layers - moe) * (double)arch->ffn_dense +
			  moe * (double)arch->ffn_expert *
				  ((arch->has_shared_expert ? 1 : 0) +
				   (double)arch->n_experts_active);
	return n_rows * (n_norm * machine->norm_s + n_swiglu * machine->swiglu_s);
}

double weft_plan_pass_s(const WeftPlan *plan, const WeftMachine *machine, gsize n_rows,
			gsize n_requests, gsize position)
{
	WeftWeightGroup head = plan->head_is_embedding ? WEFT_GROUP_EMBEDDING : WEFT_GROUP_HEAD;
	double rows = (double)n_rows;
	double touched = touched_share(plan, rows) * (double)(plan->n_experts * plan->n_moe_layers);
	double seconds = group_s(plan, machine, WEFT_GROUP_ATTENTION, rows) +
			 group_s(plan, machine, WEFT_GROUP_FFN, rows) +
			 group_s(plan, machine, WEFT_GROUP_SMALL, rows) +
			 group_s(plan, machine, head, (double)n_requests);

	if (plan->n_moe_layers > 0)
		seconds += experts_s(plan, machine, n_rows) + absent_s(plan, machine, n_rows);
	seconds += (double)n_requests *
		   attention_s(plan, machine, MAX(n_rows / MAX(n_requests, 1), 1), position);
	seconds += rows_s(plan, machine, rows);
	return seconds + machine->operation_s *
				 ((double)plan->n_layers * LAYER_OPERATIONS +
				  touched * EXPERT_OPERATIONS + PASS_OPERATIONS);
}

double weft_plan_prefill_s(const WeftPlan *plan, const WeftMachine *machine, gsize n_tokens)
{
	WeftWeightGroup head = plan->head_is_embedding ? WEFT_GROUP_EMBEDDING : WEFT_GROUP_HEAD;
	gsize n_whole = n_tokens / WEFT_PIECE_ROWS, rest = n_tokens % WEFT_PIECE_ROWS;
	/* Passes differ in their attention only; just the last asks the head. */
	double head_s = group_s(plan, machine, head, 1);
	double whole = weft_plan_pass_s(plan, machine, WEFT_PIECE_ROWS, 1, 0) - head_s -
		       attention_s(plan, machine, WEFT_PIECE_ROWS, 0);
	double seconds = head_s + (double)n_whole * whole;

	for (gsize i = 0; i < n_whole; i++)
		seconds += attention_s(plan, machine, WEFT_PIECE_ROWS, i * WEFT_PIECE_ROWS);
	if (rest > 0)
		seconds += weft_plan_pass_s(plan, machine, rest, 1, n_tokens - rest) - head_s;
	return seconds;
}

double weft_plan_decode_s(const WeftPlan *plan, const WeftMachine *machine, gsize n_requests,
			  gsize position, gsize n_tokens)
{
	return (double)n_tokens *
	       weft_plan_pass_s(plan, machine, n_requests, n_requests, position + n_tokens / 2);
}

double weft_plan_work_s(const WeftPlan *plan, const WeftMachine *machine, const WeftPlanWork *work)
{
	if (work->n_requests <= 0)
		return 0;
	double prompt = work->frame_tokens + work->n_tokens / work->n_requests;
	gsize n_beside = (gsize)CLAMP(work->n_requests, 1, WEFT_BATCH_DEFAULT);
	gsize n_share = (gsize)CLAMP(WEFT_STEP_ROWS / MAX(prompt, 1), 1, (double)n_beside);
	double pass = weft_plan_pass_s(plan, machine, WEFT_STEP_ROWS, n_share, (gsize)(prompt / 2));
	double step = weft_plan_pass_s(plan, machine, n_beside, n_beside, (gsize)prompt);

	return (work->n_tokens + work->frame_tokens) / WEFT_STEP_ROWS * pass +
	       work->n_requests * work->answer_tokens / (double)n_beside * step +
	       work->n_tiles * weft_plan_tile_s(plan, machine);
}

double weft_plan_tile_s(const WeftPlan *plan, const WeftMachine *machine)
{
	const WeftVisionConfig *v = &plan->config->vision;
	gsize grid = v->patch_size > 0 ? v->image_size / v->patch_size : 0;
	double rows = (double)(grid * grid + 1);
	double pairs = rows * rows * (double)v->n_layers;

	if (plan->tokens_per_tile == 0)
		return 0;
	double seconds = group_s(plan, machine, WEFT_GROUP_VISION, rows);
	if (machine->is_measured)
		return seconds + pairs * (double)v->width / (double)plan->arch->head_width *
					 machine->attend_many_s;
	return seconds + pairs * 4 * (double)v->width / (machine->flops * machine->reach_flops);
}

double weft_plan_touch_s(const WeftPlan *plan, const WeftMachine *machine, guint64 n_tokens)
{
	double bytes = (double)weft_plan_resident_bytes(plan, machine, n_tokens);
	double absent = machine->absent_share * bytes, seconds = 0;

	if (machine->touch_bytes_s > 0)
		seconds += (bytes - absent) / machine->touch_bytes_s;
	if (machine->link_bytes_s > 0 && machine->is_measured)
		seconds += absent / machine->link_bytes_s;
	return seconds;
}
