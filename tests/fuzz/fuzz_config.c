/* Any bytes as config.json, and as the image processor's beside a good one. */
#include <string.h>

#include "bundle/config.h"
#include "fuzz.h"

static const char GOOD[] =
	"{\"model_type\":\"llama4\",\"text_config\":{\"vocab_size\":100,\"hidden_size\":32,"
	"\"num_hidden_layers\":1,\"num_attention_heads\":2,\"intermediate_size\":12,"
	"\"num_local_experts\":4,\"max_position_embeddings\":512,\"rms_norm_eps\":1e-5,"
	"\"rope_theta\":1e4},\"vision_config\":{\"image_size\":28,\"patch_size\":7,"
	"\"hidden_size\":16,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
	"\"intermediate_size\":64,\"projector_input_dim\":24,\"projector_output_dim\":24},"
	"\"boi_token_index\":80,\"eoi_token_index\":81,\"image_token_index\":92}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *text = (const char *)data;

	weft_config_free(weft_config_new("input", text, size_bytes, NULL, 0, NULL));
	weft_config_free(
	    weft_config_new("config.json", GOOD, strlen(GOOD), text, size_bytes, NULL));
	return 0;
}
