/* Any bytes as config.json, as the image processor's and generation_config.json beside a good one,
 * and as an adapter's. What opens must keep the promises that the model relies on. */
#include <string.h>

#include "bundle/config.h"
#include "bundle/lora_config.h"
#include "fuzz.h"

static const char GOOD[] =
	"{\"model_type\":\"llama4\",\"text_config\":{\"vocab_size\":100,\"hidden_size\":32,"
	"\"num_hidden_layers\":1,\"num_attention_heads\":2,\"intermediate_size\":12,"
	"\"num_local_experts\":4,\"max_position_embeddings\":512,\"rms_norm_eps\":1e-5,"
	"\"rope_theta\":1e4},\"vision_config\":{\"image_size\":28,\"patch_size\":7,"
	"\"hidden_size\":16,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
	"\"intermediate_size\":64,\"projector_input_dim\":24,\"projector_output_dim\":24},"
	"\"boi_token_index\":80,\"eoi_token_index\":81,\"image_token_index\":92}";

static void check_text(const WeftTextConfig *text)
{
	g_assert_cmpuint(text->n_layers, >, 0);
	g_assert_cmpuint(text->n_heads % text->n_kv_heads, ==, 0);
	g_assert_cmpuint(text->head_dim % 2, ==, 0);
	g_assert_true(text->rope_theta > 0 && text->floor_scale >= 1);
	g_assert_cmpint(text->bos_id, <, (gint64)text->n_vocab);
	for (guint i = 0; i < text->eos_ids->len; i++)
		g_assert_cmpint(g_array_index(text->eos_ids, gint32, i), <, (gint64)text->n_vocab);
	for (gsize i = 0; i < text->n_layers; i++) {
		const WeftLayerConfig *layer = &text->layers[i];
		g_assert_true(layer->is_moe ? text->n_experts_active > 0 : text->ffn_dense > 0);
		g_assert_true(!layer->is_chunked || text->chunk_size > 0);
	}
	g_assert_cmpuint(text->n_experts_active, <=, text->n_experts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *text = (const char *)data;
	g_autoptr(WeftConfig) config =
		weft_config_new("input", text, size_bytes, NULL, 0, NULL);
	g_autoptr(WeftConfig) beside =
		weft_config_new("config.json", GOOD, strlen(GOOD), text, size_bytes, NULL);
	g_autoptr(WeftConfig) good =
		weft_config_new("config.json", GOOD, strlen(GOOD), NULL, 0, NULL);

	if (config && config->has_text)
		check_text(&config->text);
	g_assert_true(good && (!beside || beside->has_vision));
	(void)weft_config_add_generation(good, "input", text, size_bytes, NULL); /* any answer */
	check_text(&good->text);
	g_autoptr(WeftLoraConfig) adapter = weft_lora_config_new(text, size_bytes, NULL);
	double scale;
	if (adapter) {
		weft_lora_config_scale(adapter, "model.layers.12.self_attn.q_proj", 2, &scale, NULL);
		weft_lora_config_scale(adapter, "model.layers.0.mlp.experts.down_proj", 2, &scale,
				       NULL);
	}
	return 0;
}
