/* Any bytes as sound or video, with all that can be asked for. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "ingest/av.h"

#define PARTS_MAX 2000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	weft_av_quiet();
	WeftDecodeOptions options = {.want_rasters = TRUE,
	                             .want_pcm = TRUE,
	                             .want_silence = TRUE,
	                             .apart = size_bytes % 2 != 0,
	                             .raster_side_max = 64,
	                             .frame_interval_s = 1};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size_bytes) != (ssize_t)size_bytes) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	weft_limits_fill(&options.limits);
	WeftDecodeJob job = {.fd = fd,
	                     .size_bytes = size_bytes,
	                     .family = WEFT_FAMILY_AV,
	                     .media_type = "video/mp4",
	                     .options = &options};
	void *state = NULL;
	if (weft_av_decoder.open(&job, &state, NULL)) {
		for (guint i = 0; i < PARTS_MAX; i++) {
			g_autoptr(WeftPart) part = NULL;
			if (!weft_av_decoder.next(state, &part, NULL) || !part)
				break;
			g_assert_cmpuint(part->raster.width, <=, 64);
			g_assert_cmpuint(part->pcm.n_samples, <=, WEFT_PCM_SAMPLES_MAX);
			g_assert_true(!part->anchor.has_time ||
			              part->anchor.time[1] >= part->anchor.time[0]);
		}
		weft_av_decoder.close(state);
	}
	close(fd);
	return 0;
}
