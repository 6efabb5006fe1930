#include "cli/probe_media.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "base/error.h"

#define RATE_HZ 16000
/* Ten hours: what a probe may hold in memory at once. */
#define SAMPLES_MAX (10u * 3600 * RATE_HZ)

static WeftDecoding *decode_file(WeftIngest *ingest, const char *path,
                                 const WeftDecodeOptions *options, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", path, g_strerror(errno));
		return NULL;
	}
	WeftSniff sniff;
	WeftDecoding *decoding = NULL;
	if (weft_sniff(fd, &sniff, error)) {
		if (sniff.family == WEFT_FAMILY_NONE)
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED, "%s: %s", path,
			            sniff.name);
		else
			decoding = weft_ingest_decode(ingest, &sniff, fd, path, options, error);
	}
	(void)close(fd); /* only read from */
	return decoding;
}

WeftPart *weft_probe_picture(WeftIngest *ingest, const char *path, GError **error)
{
	const WeftDecodeOptions options = {.want_rasters = TRUE};
	g_autoptr(WeftDecoding) decoding = decode_file(ingest, path, &options, error);
	if (!decoding)
		return NULL;
	for (;;) {
		g_autoptr(WeftPart) part = NULL;
		if (!weft_decoding_next(decoding, &part, error))
			return NULL;
		if (!part) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY, "%s: no picture in it",
			            path);
			return NULL;
		}
		if (part->kind == WEFT_PART_RASTER || part->kind == WEFT_PART_FRAME)
			return g_steal_pointer(&part);
	}
}

static gboolean place_samples(GArray *samples, const WeftPart *part, const char *path,
                              GError **error)
{
	double first = part->anchor.has_time ? round(part->anchor.time[0] * RATE_HZ) : samples->len;
	if (!(first >= 0 && first + (double)part->pcm.n_samples <= SAMPLES_MAX)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "%s: longer than ten hours", path);
		return FALSE;
	}
	if ((guint)first > samples->len)
		g_array_set_size(samples, (guint)first);
	/* Windows may touch by a rounded sample: the earlier one keeps it. */
	gsize skip = MIN(samples->len - (guint)first, part->pcm.n_samples);
	g_array_append_vals(samples, part->pcm.samples + skip, (guint)(part->pcm.n_samples - skip));
	return TRUE;
}

GArray *weft_probe_sound(WeftIngest *ingest, const char *path, GError **error)
{
	const WeftDecodeOptions options = {.want_pcm = TRUE, .want_silence = TRUE};
	g_autoptr(WeftDecoding) decoding = decode_file(ingest, path, &options, error);
	if (!decoding)
		return NULL;
	g_autoptr(GArray) samples = g_array_new(FALSE, TRUE, sizeof(float));
	for (;;) {
		g_autoptr(WeftPart) part = NULL;
		if (!weft_decoding_next(decoding, &part, error))
			return NULL;
		if (!part)
			return g_steal_pointer(&samples);
		if (part->kind == WEFT_PART_PCM && !place_samples(samples, part, path, error))
			return NULL;
	}
}
