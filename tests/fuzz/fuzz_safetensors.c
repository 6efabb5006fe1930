/* Any bytes as a weight file and as an index; what is found must be readable to its last byte. */
#include "bundle/safetensors.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	gsize header_bytes = 0;
	volatile guint8 sum = 0;
	g_autoptr(GPtrArray) entries =
		weft_safetensors_read("input", data, size_bytes, &header_bytes, NULL);
	g_autoptr(GHashTable) index =
		weft_safetensors_index("input", (const char *)data, size_bytes, NULL);

	for (guint i = 0; entries && i < entries->len; i++) {
		const WeftTensorEntry *entry = g_ptr_array_index(entries, i);
		const guint8 *bytes = entry->view.data;
		for (gsize k = 0; k < entry->view.size_bytes; k++)
			sum ^= bytes[k];
	}
	return 0;
}
