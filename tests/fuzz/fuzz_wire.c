/* Any bytes as a message of a worker: what a taken-over decoder can say to weft. */
#include <stdlib.h>

#include "fuzz.h"
#include "ingest/decoder.h"
#include "ingest/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	WeftWireIn in;
	guint32 slot;
	gsize size;
	if (!weft_wire_open(&in, data, size_bytes, NULL))
		return 0;
	if (in.type == WEFT_WIRE_START) {
		WeftWireOptions options;
		weft_wire_options(&in, &options);
		weft_wire_options_done(&options);
		return 0;
	}
	g_autoptr(WeftPart) part = weft_wire_part(&in, &slot, &size);
	if (!weft_wire_close(&in, NULL))
		return 0;
	/* what passes fits: the slot exists, and holds it */
	if (slot >= WEFT_WIRE_SLOTS || size > WEFT_WIRE_SLOT_BYTES)
		abort();
	if (part->content && part->content->words && !part->content->text &&
	    g_array_index(part->content->words, WeftWord, 0).char_end > 0)
		abort();
	(void)weft_part_size_bytes(part); /* walks all of it */
	return 0;
}
