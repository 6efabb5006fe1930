#include "bundle/gguf_names.h"

#include <string.h>

typedef struct Name {
	const char *gguf, *ours; /* without "blk.N." and "layers.N." in the tables of blocks */
} Name;

typedef struct Table {
	const char *gguf_prefix, *our_prefix; /* before the number of the layer; NULL: no layers */
	const Name *names;                    /* the first of two with one `ours` is written */
	gsize n_names;
} Table;

static const Name TEXT[] = {
	{"token_embd.weight", "embed_tokens.weight"},
	{"output_norm.weight", "norm.weight"},
	{"output.weight", "lm_head.weight"},
};

static const Name BLOCK[] = {
	{"attn_norm.weight", "input_layernorm.weight"},
	{"attn_q.weight", "self_attn.q_proj.weight"},
	{"attn_k.weight", "self_attn.k_proj.weight"},
	{"attn_v.weight", "self_attn.v_proj.weight"},
	{"attn_output.weight", "self_attn.o_proj.weight"},
	{"ffn_norm.weight", "post_attention_layernorm.weight"},
};

static const Name BLOCK_LLAMA4[] = {
	{"ffn_gate.weight", "feed_forward.gate_proj.weight"},
	{"ffn_up.weight", "feed_forward.up_proj.weight"},
	{"ffn_down.weight", "feed_forward.down_proj.weight"},
	{"ffn_gate_inp.weight", "feed_forward.router.weight"},
	{"ffn_gate_shexp.weight", "feed_forward.shared_expert.gate_proj.weight"},
	{"ffn_up_shexp.weight", "feed_forward.shared_expert.up_proj.weight"},
	{"ffn_down_shexp.weight", "feed_forward.shared_expert.down_proj.weight"},
	{"ffn_gate_exps.weight", "feed_forward.experts.gate_proj.weight"},
	{"ffn_up_exps.weight", "feed_forward.experts.up_proj.weight"},
	{"ffn_down_exps.weight", "feed_forward.experts.down_proj.weight"},
};

static const Name BLOCK_LLAMA[] = {
	{"ffn_gate.weight", "mlp.gate_proj.weight"},
	{"ffn_up.weight", "mlp.up_proj.weight"},
	{"ffn_down.weight", "mlp.down_proj.weight"},
	{"ffn_gate_inp.weight", "block_sparse_moe.gate.weight"},
	{"ffn_gate_exps.weight", "block_sparse_moe.experts.gate_proj.weight"},
	{"ffn_up_exps.weight", "block_sparse_moe.experts.up_proj.weight"},
	{"ffn_down_exps.weight", "block_sparse_moe.experts.down_proj.weight"},
};

/* Where two names are given for one tensor the second is Ollama's. */
static const Name VISION[] = {
	{"v.class_embd", "vision_model.class_embedding"},
	{"v.class_embedding", "vision_model.class_embedding"},
	{"v.patch_embd.weight", "vision_model.patch_embedding.linear.weight"},
	{"v.patch_embedding.weight", "vision_model.patch_embedding.linear.weight"},
	{"v.position_embd.weight", "vision_model.positional_embedding_vlm"},
	{"v.positional_embedding_vlm", "vision_model.positional_embedding_vlm"},
	{"v.pre_ln.weight", "vision_model.layernorm_pre.weight"},
	{"v.pre_ln.bias", "vision_model.layernorm_pre.bias"},
	{"v.layernorm_pre.weight", "vision_model.layernorm_pre.weight"},
	{"v.layernorm_pre.bias", "vision_model.layernorm_pre.bias"},
	{"v.post_ln.weight", "vision_model.layernorm_post.weight"},
	{"v.post_ln.bias", "vision_model.layernorm_post.bias"},
	{"v.layernorm_post.weight", "vision_model.layernorm_post.weight"},
	{"v.layernorm_post.bias", "vision_model.layernorm_post.bias"},
	{"mm.model.mlp.1.weight", "vision_model.vision_adapter.mlp.fc1.weight"},
	{"v.vision_adapter.mlp.fc1.weight", "vision_model.vision_adapter.mlp.fc1.weight"},
	{"mm.model.mlp.2.weight", "vision_model.vision_adapter.mlp.fc2.weight"},
	{"v.vision_adapter.mlp.fc2.weight", "vision_model.vision_adapter.mlp.fc2.weight"},
	{"mm.model.fc.weight", "multi_modal_projector.linear_1.weight"},
	{"mm.linear_1.weight", "multi_modal_projector.linear_1.weight"},
};

static const Name VISION_BLOCK[] = {
	{"ln1.weight", "input_layernorm.weight"},
	{"ln1.bias", "input_layernorm.bias"},
	{"attn_norm.weight", "input_layernorm.weight"},
	{"attn_norm.bias", "input_layernorm.bias"},
	{"attn_q.weight", "self_attn.q_proj.weight"},
	{"attn_q.bias", "self_attn.q_proj.bias"},
	{"attn_k.weight", "self_attn.k_proj.weight"},
	{"attn_k.bias", "self_attn.k_proj.bias"},
	{"attn_v.weight", "self_attn.v_proj.weight"},
	{"attn_v.bias", "self_attn.v_proj.bias"},
	{"attn_out.weight", "self_attn.o_proj.weight"},
	{"attn_out.bias", "self_attn.o_proj.bias"},
	{"attn_output.weight", "self_attn.o_proj.weight"},
	{"attn_output.bias", "self_attn.o_proj.bias"},
	{"ln2.weight", "post_attention_layernorm.weight"},
	{"ln2.bias", "post_attention_layernorm.bias"},
	{"ffn_norm.weight", "post_attention_layernorm.weight"},
	{"ffn_norm.bias", "post_attention_layernorm.bias"},
	{"attn_post_norm.weight", "post_attention_layernorm.weight"}, /* llama.cpp's converter of 2026 */
	{"attn_post_norm.bias", "post_attention_layernorm.bias"},
	{"ffn_up.weight", "mlp.fc1.weight"},
	{"ffn_up.bias", "mlp.fc1.bias"},
	{"mlp.fc1.weight", "mlp.fc1.weight"},
	{"mlp.fc1.bias", "mlp.fc1.bias"},
	{"ffn_down.weight", "mlp.fc2.weight"},
	{"ffn_down.bias", "mlp.fc2.bias"},
	{"mlp.fc2.weight", "mlp.fc2.weight"},
	{"mlp.fc2.bias", "mlp.fc2.bias"},
};

#define TABLE(gguf, ours, names) {gguf, ours, names, G_N_ELEMENTS(names)}

static const Table VISION_TABLES[] = {
	TABLE(NULL, NULL, VISION),
	TABLE("v.blk.", "vision_model.model.layers.", VISION_BLOCK),
};

static const Table LLAMA4_TABLES[] = {
	TABLE(NULL, NULL, TEXT),
	TABLE("blk.", "layers.", BLOCK),
	TABLE("blk.", "layers.", BLOCK_LLAMA4),
	TABLE(NULL, NULL, VISION), /* Ollama's files have both in one */
	TABLE("v.blk.", "vision_model.model.layers.", VISION_BLOCK),
};

static const Table LLAMA_TABLES[] = {
	TABLE(NULL, NULL, TEXT),
	TABLE("blk.", "layers.", BLOCK),
	TABLE("blk.", "layers.", BLOCK_LLAMA),
};

static const Table *tables_of(WeftGgufArchitecture architecture, gsize *ret_n_tables)
{
	switch (architecture) {
	case WEFT_GGUF_LLAMA4:
		*ret_n_tables = G_N_ELEMENTS(LLAMA4_TABLES);
		return LLAMA4_TABLES;
	case WEFT_GGUF_LLAMA:
		*ret_n_tables = G_N_ELEMENTS(LLAMA_TABLES);
		return LLAMA_TABLES;
	default:
		*ret_n_tables = G_N_ELEMENTS(VISION_TABLES);
		return VISION_TABLES;
	}
}

/* Behind "PREFIXn.", with n in *ret_number as it is spelt; NULL when the name is no such. */
static const char *behind_number(const char *name, const char *prefix, char **ret_number)
{
	if (!g_str_has_prefix(name, prefix))
		return NULL;
	name += strlen(prefix);
	gsize n_digits = strspn(name, "0123456789");
	if (n_digits == 0 || n_digits > 6 || name[n_digits] != '.')
		return NULL;
	g_free(*ret_number);
	*ret_number = g_strndup(name, n_digits);
	return name + n_digits + 1;
}

/* `blk.N.ffn_gate.E.weight` of early mixtures: one tensor for each expert. */
static char *name_of_expert(WeftGgufArchitecture architecture, const char *stored)
{
	static const Name kinds[] = {
		{"ffn_gate.", "gate_proj"}, {"ffn_up.", "up_proj"}, {"ffn_down.", "down_proj"}};
	const char *ffn = architecture == WEFT_GGUF_LLAMA4 ? "feed_forward" : "block_sparse_moe";
	g_autofree char *layer = NULL;
	g_autofree char *expert = NULL;
	const char *rest = behind_number(stored, "blk.", &layer);

	for (gsize i = 0; rest && i < G_N_ELEMENTS(kinds); i++) {
		const char *last = behind_number(rest, kinds[i].gguf, &expert);
		if (last && strcmp(last, "weight") == 0)
			return g_strdup_printf("layers.%s.%s.experts.%s.%s.weight", layer, ffn,
					       expert, kinds[i].ours);
	}
	return NULL;
}

static char *translate(WeftGgufArchitecture architecture, const char *name, gboolean to_gguf)
{
	gsize n_tables;
	const Table *tables = tables_of(architecture, &n_tables);
	g_autofree char *number = NULL;

	for (gsize t = 0; t < n_tables; t++) {
		const char *from = to_gguf ? tables[t].our_prefix : tables[t].gguf_prefix;
		const char *to = to_gguf ? tables[t].gguf_prefix : tables[t].our_prefix;
		const char *rest = from ? behind_number(name, from, &number) : name;
		for (gsize i = 0; rest && i < tables[t].n_names; i++) {
			const Name *row = &tables[t].names[i];
			const char *other = to_gguf ? row->gguf : row->ours;
			if (strcmp(rest, to_gguf ? row->ours : row->gguf) == 0)
				return to ? g_strconcat(to, number, ".", other, NULL) :
					    g_strdup(other);
		}
	}
	return NULL;
}

/* As Hugging Face's text models have it: all under "model." but the head. */
static char *with_wrapper(char *name)
{
	if (!name || g_str_has_prefix(name, "lm_head.") || g_str_has_prefix(name, "vision_model.") ||
	    g_str_has_prefix(name, "multi_modal_projector."))
		return name;
	char *whole = g_strconcat("model.", name, NULL);
	g_free(name);
	return whole;
}

char *weft_gguf_name_read(WeftGgufArchitecture architecture, const char *stored)
{
	char *name = translate(architecture, stored, FALSE);
	if (!name && architecture != WEFT_GGUF_CLIP)
		name = name_of_expert(architecture, stored);
	return with_wrapper(name);
}

char *weft_gguf_name_written(WeftGgufArchitecture architecture, const char *name)
{
	return translate(architecture, name, TRUE);
}
