/* Any bytes as a sounding. What passes the checks becomes the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "encoders/sounding.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	g_autoptr(WeftSounding) sounding = weft_sounding_from_bytes(data, size_bytes, NULL);

	if (sounding != NULL) {
		g_autoptr(GBytes) bytes = weft_sounding_to_bytes(sounding);
		g_autoptr(GArray) speech = weft_sounding_speech(sounding);

		if (speech->len > sounding->intervals->len || g_bytes_get_size(bytes) != size_bytes ||
		    memcmp(g_bytes_get_data(bytes, NULL), data, size_bytes) != 0)
			abort();
	}
	return 0;
}
