/* Any bytes as a weight file and as an index; what is found must be readable to its last byte. */
#include "bundle/safetensors.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	gsize header_bytes = 0;
	g_autoptr(GPtrArray) entries =
		weft_safetensors_read("input", data, size_bytes, &header_bytes, NULL);
	GHashTable *index =
		weft_safetensors_index("input", (const char *)data, size_bytes, NULL);

	for (guint i = 0; entries && i < entries->len; i++) {
		const WeftTensorEntry *entry = g_ptr_array_index(entries, i);
		GBytes *bytes = g_bytes_new(entry->view.data, entry->view.size_bytes); /* reads */
		g_bytes_unref(bytes);
	}
	g_clear_pointer(&index, g_hash_table_unref);
	return 0;
}
