/* Any bytes as a picture or a text, by the decoder that the type calls for. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "ingest/decoder.h"
#include "ingest/picture.h"
#include "ingest/text.h"

static void run(const WeftDecoder *decoder, const WeftDecodeJob *job)
{
	void *state = NULL;
	gboolean more = decoder->open(job, &state, NULL);
	if (!more)
		return;
	for (guint n = 0; more && n < 1000; n++) {
		g_autoptr(WeftPart) part = NULL;
		more = decoder->next(state, &part, NULL) && part;
	}
	decoder->close(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	WeftDecodeOptions options = {.want_rasters = TRUE, .raster_side_max = 64};
	static const WeftDecoder *const DECODERS[] = {&weft_png_decoder, &weft_jpeg_decoder,
	                                              &weft_text_decoder, &weft_other_decoder};
	WeftSniff sniff;
	int fd = memfd_create("document", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size_bytes) != (ssize_t)size_bytes)
		return 0;
	weft_limits_fill(&options.limits);
	WeftDecodeJob job = {.fd = fd, .size_bytes = size_bytes, .options = &options};
	if (weft_sniff(fd, &sniff, NULL)) {
		job.family = sniff.family;
		job.media_type = sniff.media_type;
		for (guint i = 0; i < G_N_ELEMENTS(DECODERS); i++) {
			const WeftDecoder *decoder = DECODERS[i];
			if (decoder->family != sniff.family ||
			    (decoder->media_types &&
			     !g_strv_contains(decoder->media_types, sniff.media_type)))
				continue;
			run(decoder, &job);
			break;
		}
	}
	close(fd);
	return 0;
}
