/* Any bytes as a file of whisper.cpp: its tensors to their last byte, its configuration, its words as
 * a tokenizer. */
#include <string.h>

#include "bundle/config.h"
#include "bundle/ggml.h"
#include "bundle/tokenizer_private.h"
#include "fuzz.h"

static void read_tensors(const WeftGgml *ggml)
{
	const GPtrArray *tensors = weft_ggml_tensors(ggml);

	for (guint i = 0; i < tensors->len; i++) {
		const WeftTensorEntry *entry = g_ptr_array_index(tensors, i);
		GBytes *bytes = g_bytes_new(entry->view.data, entry->view.size_bytes); /* reads */
		g_bytes_unref(bytes);
		g_assert_nonnull(entry->name_known);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	g_autoptr(WeftGgml) ggml = weft_ggml_new("input.bin", data, size_bytes, NULL);

	if (!ggml)
		return 0;
	read_tensors(ggml);
	g_autofree char *text = weft_ggml_config(ggml);
	weft_config_free(weft_config_new("input.bin", text, strlen(text), NULL, 0, NULL));
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_new_ggml(ggml, NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	if (tokenizer)
		weft_tokenizer_encode(tokenizer, (const char *)data, size_bytes, FALSE, ids);
	return 0;
}
