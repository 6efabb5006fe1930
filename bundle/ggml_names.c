#include "bundle/ggml_names.h"

#include <string.h>

#define LAYER_DIGITS_MAX 4

typedef struct Pair {
	const char *openai, *known;
} Pair;

/* Outside the layers. */
static const Pair WHOLE[] = {
	{"encoder.conv1.weight", "encoder.conv1.weight"},
	{"encoder.conv1.bias", "encoder.conv1.bias"},
	{"encoder.conv2.weight", "encoder.conv2.weight"},
	{"encoder.conv2.bias", "encoder.conv2.bias"},
	{"encoder.positional_embedding", "encoder.embed_positions.weight"},
	{"encoder.ln_post.weight", "encoder.layer_norm.weight"},
	{"encoder.ln_post.bias", "encoder.layer_norm.bias"},
	{"decoder.positional_embedding", "decoder.embed_positions.weight"},
	{"decoder.token_embedding.weight", "decoder.embed_tokens.weight"},
	{"decoder.ln.weight", "decoder.layer_norm.weight"},
	{"decoder.ln.bias", "decoder.layer_norm.bias"},
};

/* In a layer; the encoder has no cross attention. */
static const Pair PARTS[] = {
	{"mlp_ln", "final_layer_norm"},
	{"mlp.0", "fc1"},
	{"mlp.2", "fc2"},
	{"attn_ln", "self_attn_layer_norm"},
	{"attn.query", "self_attn.q_proj"},
	{"attn.key", "self_attn.k_proj"},
	{"attn.value", "self_attn.v_proj"},
	{"attn.out", "self_attn.out_proj"},
	{"cross_attn_ln", "encoder_attn_layer_norm"},
	{"cross_attn.query", "encoder_attn.q_proj"},
	{"cross_attn.key", "encoder_attn.k_proj"},
	{"cross_attn.value", "encoder_attn.v_proj"},
	{"cross_attn.out", "encoder_attn.out_proj"},
};

/* "encoder.blocks.N." of the name; then *ret_rest is behind it. */
static const char *side_of(const char *name, gsize *ret_number, const char **ret_rest)
{
	static const char *const sides[] = {"encoder", "decoder"};

	for (gsize i = 0; i < G_N_ELEMENTS(sides); i++) {
		g_autofree char *prefix = g_strconcat(sides[i], ".blocks.", NULL);
		if (!g_str_has_prefix(name, prefix))
			continue;
		const char *digits = name + strlen(prefix), *p = digits;
		gsize number = 0;
		while (g_ascii_isdigit(*p) && p - digits < LAYER_DIGITS_MAX)
			number = 10 * number + (gsize)(*p++ - '0');
		if (p == digits || (*digits == '0' && p - digits > 1) || *p != '.')
			return NULL;
		*ret_number = number;
		*ret_rest = p + 1;
		return sides[i];
	}
	return NULL;
}

char *weft_ggml_name_read(const char *name)
{
	gsize number = 0;
	const char *rest = NULL, *side = side_of(name, &number, &rest);

	for (gsize i = 0; !side && i < G_N_ELEMENTS(WHOLE); i++) {
		if (strcmp(name, WHOLE[i].openai) == 0)
			return g_strdup(WHOLE[i].known);
	}
	for (gsize i = 0; side && i < G_N_ELEMENTS(PARTS); i++) {
		gsize n = strlen(PARTS[i].openai);
		if (strncmp(rest, PARTS[i].openai, n) == 0 &&
		    (strcmp(rest + n, ".weight") == 0 || strcmp(rest + n, ".bias") == 0))
			return g_strdup_printf("%s.layers.%zu.%s%s", side, number, PARTS[i].known,
					       rest + n);
	}
	return NULL;
}
