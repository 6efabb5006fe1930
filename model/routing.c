#include "model/routing.h"

#include <math.h>

#include "base/json.h"

/* Below so many effective experts a layer has collapsed: of all, and of those that a token takes. */
#define EFFECTIVE_SHARE_MIN 0.125
#define EFFECTIVE_ACTIVE_MIN 1.5
#define JSON_DECIMALS 4

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

char *weft_routing_warning(const WeftRouting *routing, gsize i)
{
	WeftRoutingFigures figures;
	weft_routing_figures(routing, i, &figures);
	if (!figures.is_collapsed)
		return NULL;
	return g_strdup_printf("layer %u uses few of its %zu experts: %.1f in effect, expert %zu takes "
			       "%.0f %% of the choices (%" G_GUINT64_FORMAT " tokens)",
			       routing->layers[i], routing->n_experts, figures.effective,
			       figures.expert_max,
			       100 * weft_routing_share(routing, i, figures.expert_max),
			       figures.n_tokens);
}

static void write_number(WeftJsonWriter *w, const char *key, double value)
{
	weft_json_write_key(w, key);
	(void)weft_json_write_rounded(w, value, JSON_DECIMALS); /* all are finite */
}

static void write_layer(WeftJsonWriter *w, const WeftRouting *routing, gsize i)
{
	WeftRoutingFigures figures;
	weft_routing_figures(routing, i, &figures);
	weft_json_write_object(w);
	weft_json_write_key(w, "layer");
	weft_json_write_uint(w, routing->layers[i]);
	weft_json_write_key(w, "tokens");
	weft_json_write_uint(w, figures.n_tokens);
	write_number(w, "entropy", figures.entropy);
	write_number(w, "effective", figures.effective);
	write_number(w, "load_max", figures.load_max);
	weft_json_write_key(w, "collapsed");
	weft_json_write_bool(w, figures.is_collapsed);
	weft_json_write_key(w, "counts");
	weft_json_write_array(w);
	for (gsize e = 0; e < routing->n_experts; e++)
		weft_json_write_uint(w, routing->counts[i * routing->n_experts + e]);
	weft_json_write_array_end(w);
	weft_json_write_key(w, "shares");
	weft_json_write_array(w);
	for (gsize e = 0; e < routing->n_experts; e++)
		(void)weft_json_write_rounded(w, weft_routing_share(routing, i, e), JSON_DECIMALS);
	weft_json_write_array_end(w);
	weft_json_write_object_end(w);
}

char *weft_routing_json(const WeftRouting *routing)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "experts");
	weft_json_write_uint(&writer, routing->n_experts);
	weft_json_write_key(&writer, "active");
	weft_json_write_uint(&writer, routing->n_active);
	weft_json_write_key(&writer, "layers");
	weft_json_write_array(&writer);
	for (gsize i = 0; i < routing->n_layers; i++)
		write_layer(&writer, routing, i);
	weft_json_write_array_end(&writer);
	weft_json_write_object_end(&writer);
	return g_string_free(text, FALSE);
}
