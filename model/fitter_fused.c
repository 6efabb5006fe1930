/* fitter_fused.c - the pairs of fused experts, which PEFT reaches by target_parameters. */
#include "base/error.h"
#include "model/fitter.h"

/* One fused pair: lora_A [E r, X], expert slowest, and lora_B [Y, E r], expert fastest. X is the
 * side of the inputs, or (swapped) that of the outputs. */
typedef struct Fused {
	const WeftLoraPair *pair;
	gsize rank;
	gboolean is_swapped, is_down;
} Fused;

static gboolean pick_expert(WeftFitter *fitter, const Fused *fused, gsize expert,
			    WeftLowRank *part, GError **error)
{
	const WeftLoraPair *pair = fused->pair;
	gsize rank = fused->rank;
	gsize x = pair->a->shape[1], y = pair->b->shape[0], n_experts = fitter->arch->n_experts;
	gsize a_first = expert * rank * x, b_step = rank * n_experts;
	const WeftPick a = {rank, x, a_first, x, 1}, a_turned = {x, rank, a_first, 1, x};
	const WeftPick b = {y, rank, expert, b_step, n_experts};
	const WeftPick b_turned = {rank, y, expert, n_experts, b_step};
	if (fused->is_swapped)
		return weft_fitter_pick(fitter, pair->b, &b_turned, &part->a, error) &&
		       weft_fitter_pick(fitter, pair->a, &a_turned, &part->b, error);
	return weft_fitter_pick(fitter, pair->a, &a, &part->a, error) &&
	       weft_fitter_pick(fitter, pair->b, &b, &part->b, error);
}

/* The first or second half of the outputs. */
static WeftLowRank half_of(const WeftLowRank *both, gsize half)
{
	WeftLowRank part = *both;
	part.b.size[0] /= 2;
	part.b.data = weft_tensor_row(&both->b, half * part.b.size[0]);
	return part;
}

static gboolean fit_fused_expert(WeftFitter *fitter, const Fused *fused, gsize expert,
				 WeftAdapterExpert *parts, GError **error)
{
	const WeftPlace place = {.parameter = fused->is_down ? "down_proj" : "gate_up_proj"};
	WeftLowRank *first =
		&parts->parts[fused->is_down ? WEFT_ADAPTED_DOWN - WEFT_ADAPTED_GATE : 0];
	WeftLowRank both = *first;
	if (!weft_fitter_claim(fitter, &place, fused->pair, fused->rank, &both, error) ||
	    !pick_expert(fitter, fused, expert, &both, error))
		return FALSE;
	*first = fused->is_down ? both : half_of(&both, 0);
	if (!fused->is_down)
		parts->parts[WEFT_ADAPTED_UP - WEFT_ADAPTED_GATE] = half_of(&both, 1);
	return TRUE;
}

gboolean weft_fitter_fused(WeftFitter *fitter, const WeftLoraPair *pair, WeftAdapterLayer *layer,
			  GError **error)
{
	const WeftArch *arch = fitter->arch;
	gsize x = pair->a->shape[1], y = pair->b->shape[0], n_ranks = pair->a->shape[0];
	gsize w = arch->width, f = arch->ffn_expert;
	gboolean is_down = (x == w && y == f) || (x == f && y == w);
	gsize in = is_down ? f : w, out = is_down ? w : 2 * f;
	const Fused fused = {.pair = pair,
			     .rank = n_ranks / arch->n_experts,
			     .is_swapped = in == out ? arch->experts_are_kn : x == out,
			     .is_down = is_down};

	if (!(x == in && y == out) && !(x == out && y == in)) {
		g_autofree char *a = weft_lora_shape(pair->a);
		g_autofree char *b = weft_lora_shape(pair->b);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: lora_A %s and lora_B %s fit neither gate_up_proj (%" G_GSIZE_FORMAT
			    ", %" G_GSIZE_FORMAT ") nor down_proj (%" G_GSIZE_FORMAT ", %"
			    G_GSIZE_FORMAT ") of the base", pair->path, a, b, w, 2 * f, f, w);
		return FALSE;
	}
	if (n_ranks % arch->n_experts != 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: %" G_GSIZE_FORMAT " rows of lora_A for %" G_GSIZE_FORMAT " experts",
			    pair->path, n_ranks, arch->n_experts);
		return FALSE;
	}
	if (pair->magnitude || pair->bias || pair->is_embedding)
		return weft_fitter_refuse(
			pair->path, "has a magnitude or a bias: not for fused experts", error);
	for (gsize e = 0; e < arch->n_experts; e++)
		if (!fit_fused_expert(fitter, &fused, e, &layer->experts[e], error))
			return FALSE;
	return TRUE;
}
