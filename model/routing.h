/* routing.h - which experts the tokens of a request chose; a product of the model.
 *
 * Counted are all rows that went through the layers: the prompt, a shared prefix as if the request
 * had computed it, and the answer up to its last choice (that token, and what a schema forces behind
 * it, no layer sees). A row counts once for each of its `n_active` experts. So the counts of a
 * request do not depend on what ran beside it.
 *
 * A layer is called collapsed when it uses so few of its experts that the others might as well not
 * be there: the effective number of experts (2 to the entropy of their shares) lies below an eighth
 * of them, or below one and a half times those that a token takes, whichever is more; and only
 * where there were 20 tokens for each expert, because few tokens can't use many.
 */
#ifndef WEFT_MODEL_ROUTING_H
#define WEFT_MODEL_ROUTING_H

#include <glib.h>

#define WEFT_ROUTING_TOKENS_PER_EXPERT 20

typedef struct WeftRouting {
	gsize n_layers, n_experts; /* layers that have experts */
	gsize n_active;            /* experts that a token takes */
	guint32 *layers;           /* [n_layers]: their numbers in the model, from 0 */
	guint64 *counts;           /* [n_layers][n_experts] */
} WeftRouting;

/* Nothing counted; the layers' numbers are 0 until they are set. */
WeftRouting *weft_routing_new(gsize n_layers, gsize n_experts, gsize n_active);
WeftRouting *weft_routing_copy(const WeftRouting *routing);
void weft_routing_free(WeftRouting *routing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftRouting, weft_routing_free)

/* Adds the counts of `more`, which is of the same model. */
void weft_routing_add(WeftRouting *routing, const WeftRouting *more);

typedef struct WeftRoutingFigures {
	guint64 n_tokens;     /* that went through the layer */
	double entropy;       /* of the experts' shares in bits: log2(n_experts) when all are even */
	double effective;     /* 2^entropy: so many experts, evenly used, would have that entropy */
	double load_max;      /* largest share over the mean: 1 when all are even */
	gsize expert_max;     /* which one has it */
	gsize n_unused;       /* experts that no token took */
	gboolean is_collapsed;
} WeftRoutingFigures;

/* Of the i-th of n_layers. All zero without tokens. */
void weft_routing_figures(const WeftRouting *routing, gsize i, WeftRoutingFigures *ret_figures);
/* The expert's part of all choices in the layer, 0..1. */
double weft_routing_share(const WeftRouting *routing, gsize i, gsize expert);

/* What to say about the i-th of n_layers when it has collapsed, else NULL; caller frees. */
char *weft_routing_warning(const WeftRouting *routing, gsize i);
/* {"experts", "active", "layers": [{"layer", "tokens", "entropy", "effective", "load_max",
 * "collapsed", "counts": [per expert], "shares": [per expert]}]}; caller frees. */
char *weft_routing_json(const WeftRouting *routing);

#endif
