#include "model/routing.h"

#include <math.h>

/* Below so many effective experts a layer has collapsed: of all, and of those that a token takes. */
#define EFFECTIVE_SHARE_MIN 0.125
#define EFFECTIVE_ACTIVE_MIN 1.5

WeftRouting *weft_routing_new(gsize n_layers, gsize n_experts, gsize n_active)
{
	WeftRouting *routing = g_new0(WeftRouting, 1);
	routing->n_layers = n_layers;
	routing->n_experts = n_experts;
	routing->n_active = n_active;
	routing->layers = g_new0(guint32, n_layers);
	routing->counts = g_new0(guint64, n_layers * n_experts);
	return routing;
}

WeftRouting *weft_routing_copy(const WeftRouting *routing)
{
	WeftRouting *copy =
		weft_routing_new(routing->n_layers, routing->n_experts, routing->n_active);
	for (gsize i = 0; i < routing->n_layers; i++)
		copy->layers[i] = routing->layers[i];
	weft_routing_add(copy, routing);
	return copy;
}

void weft_routing_free(WeftRouting *routing)
{
	if (!routing)
		return;
	g_free(routing->layers);
	g_free(routing->counts);
	g_free(routing);
}

void weft_routing_add(WeftRouting *routing, const WeftRouting *more)
{
	g_return_if_fail(routing->n_layers == more->n_layers &&
			 routing->n_experts == more->n_experts);
	for (gsize i = 0; i < routing->n_layers * routing->n_experts; i++)
		routing->counts[i] += more->counts[i];
}

static guint64 choices_of(const WeftRouting *routing, gsize i)
{
	guint64 n = 0;
	for (gsize e = 0; e < routing->n_experts; e++)
		n += routing->counts[i * routing->n_experts + e];
	return n;
}

double weft_routing_share(const WeftRouting *routing, gsize i, gsize expert)
{
	guint64 n = choices_of(routing, i);
	return n ? (double)routing->counts[i * routing->n_experts + expert] / (double)n : 0;
}

void weft_routing_figures(const WeftRouting *routing, gsize i, WeftRoutingFigures *ret_figures)
{
	const guint64 *counts = routing->counts + i * routing->n_experts;
	double n = (double)choices_of(routing, i), n_experts = (double)routing->n_experts;
	WeftRoutingFigures figures = {0};

	for (gsize e = 0; e < routing->n_experts && n > 0; e++) {
		double share = (double)counts[e] / n;
		figures.entropy -= share > 0 ? share * log2(share) : 0;
		figures.n_unused += counts[e] == 0;
		if (counts[e] > counts[figures.expert_max])
			figures.expert_max = e;
	}
	if (n > 0) {
		figures.n_tokens = (guint64)n / routing->n_active;
		figures.effective = exp2(figures.entropy);
		figures.load_max = (double)counts[figures.expert_max] / n * n_experts;
		figures.is_collapsed =
			(double)figures.n_tokens >= WEFT_ROUTING_TOKENS_PER_EXPERT * n_experts &&
			figures.effective < fmax(EFFECTIVE_SHARE_MIN * n_experts,
						 EFFECTIVE_ACTIVE_MIN * (double)routing->n_active);
	}
	*ret_figures = figures;
}
