/* Any bytes as a GGUF file: its values, its tensors to their last byte, the configuration that it
 * amounts to as each architecture, with itself as the vision part too. The vocabulary is
 * fuzz_tokenizer's. */
#include "bundle/gguf_config.h"
#include "bundle/gguf_set.h"
#include "fuzz.h"

static void read_values(const WeftGguf *gguf)
{
	for (gsize i = 0; i < weft_gguf_n_values(gguf); i++) {
		const WeftGgufValue *value = weft_gguf_value_at(gguf, i);
		WeftGgufStrings strings = weft_gguf_strings(value);
		gsize size_bytes = 0, n = weft_gguf_length(value), n_strings = 0;
		const char *text = weft_gguf_text(value, &size_bytes);
		double number;
		guint64 whole;

		g_free(text ? g_strndup(text, size_bytes) : NULL); /* reads */
		(void)weft_gguf_double(value, &number);
		(void)weft_gguf_uint(value, &whole);
		for (gsize k = 0; n > 0 && k < 3; k++)
			(void)weft_gguf_double_at(value, k == 0 ? 0 : n - 1 + k - 1, &number);
		while (weft_gguf_strings_next(&strings, &text, &size_bytes)) {
			g_free(g_strndup(text, size_bytes));
			n_strings++;
		}
		g_assert_true(n_strings == 0 || n_strings == n);
	}
}

static void read_tensors(const WeftGguf *gguf)
{
	const GPtrArray *tensors = weft_gguf_tensors(gguf);
	for (guint i = 0; i < tensors->len; i++) {
		const WeftTensorEntry *entry = g_ptr_array_index(tensors, i);
		GBytes *bytes = g_bytes_new(entry->view.data, entry->view.size_bytes); /* reads */
		g_bytes_unref(bytes);
		g_free(weft_gguf_name_read(WEFT_GGUF_LLAMA4, entry->view.name));
		g_free(weft_gguf_name_read(WEFT_GGUF_CLIP, entry->view.name));
		g_assert_true(weft_gguf_tensor(gguf, entry->view.name) == entry);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	g_autoptr(WeftGguf) gguf = weft_gguf_new("input.gguf", data, size_bytes, NULL);
	if (!gguf)
		return 0;
	read_values(gguf);
	read_tensors(gguf);
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	g_ptr_array_add(parts, gguf);
	for (int kind = 0; kind < 4; kind++) {
		const WeftGgufSet set = {.folder = (char *)".",
					 .name = (char *)"input",
					 .architecture = kind % 2 ? WEFT_GGUF_LLAMA : WEFT_GGUF_LLAMA4,
					 .parts = parts,
					 .vision = kind / 2 ? gguf : NULL};
		static const char over[] = "{\"rms_norm_eps\": 0.5, \"head_dim\": null}";
		weft_config_free(weft_gguf_config_new(&set, kind == 1 ? over : NULL, sizeof over - 1,
						      NULL, 0, NULL));
	}
	return 0;
}
