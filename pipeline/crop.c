#include "pipeline/crop.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define SECONDS_MAX 3.6e8 /* 100,000 hours: beyond is nonsense */

/* Anchors may come from a record that anybody has written. */
static gboolean is_place(const WeftAnchor *at, const char *name, GError **error)
{
	if (at->page == 0 && !at->has_bbox && !at->has_time) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED,
			    "%s: the document as a whole is no place to cut out", name);
		return FALSE;
	}
	if (!at->has_time ||
	    (at->time[0] >= 0 && at->time[1] >= at->time[0] && at->time[1] < SECONDS_MAX))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "%s: from %g s to %g s is no time", name,
		    at->time[0], at->time[1]);
	return FALSE;
}

static WeftDecodeOptions decode_options(const WeftAnchor *at, const WeftCropOptions *options)
{
	gboolean is_sound = at->page == 0 && !at->has_bbox;
	WeftDecodeOptions decode = {
		.page_dpi = options->page_dpi,
		.want_rasters = !is_sound,
		.want_all_pages = TRUE,
		.want_pcm = is_sound,
		.want_silence = is_sound,
		.page_first = at->page,
		.page_last = at->page,
		.passwords = options->passwords,
		.limits = options->limits,
	};

	if (at->has_time) {
		double around_s = is_sound ? options->around_s : 0;

		decode.time_first = MAX(at->time[0] - around_s, 0);
		decode.time_end = MAX(at->time[1] + around_s, decode.time_first + 0.001);
		if (is_sound)
			decode.time_end = MIN(decode.time_end, decode.time_first + WEFT_CROP_S_MAX);
	}
	return decode;
}

static gboolean is_of_track(const WeftPart *part, const WeftAnchor *at)
{
	return at->track == 0 || part->anchor.track == 0 || part->anchor.track == at->track;
}

/* ---- pixels ---- */

/* From [first, end) in units to whole pixels that cover it, of n. */
static void cover(double first, double end, double units_per_pixel, guint32 n, guint32 *ret_first,
		  guint32 *ret_end)
{
	double from = floor(first / units_per_pixel), to = ceil(end / units_per_pixel);

	*ret_first = (guint32)CLAMP(from, 0, n - 1);
	*ret_end = (guint32)CLAMP(to, *ret_first + 1.0, n);
}

static WeftPart *cut_raster(const WeftPart *whole, const WeftAnchor *at, double margin)
{
	const WeftRaster *raster = &whole->raster;
	double unit = raster->points_per_pixel > 0 ? raster->points_per_pixel : 1;
	double box[4] = { 0, 0, raster->width * unit, raster->height * unit };
	guint32 first[2], end[2];

	if (at->has_bbox) {
		for (int i = 0; i < 4; i++)
			box[i] = at->bbox[i] + (i < 2 ? -margin : margin);
	}
	cover(box[0], box[2], unit, raster->width, &first[0], &end[0]);
	cover(box[1], box[3], unit, raster->height, &first[1], &end[1]);
	WeftPart *part = weft_part_new(whole->kind, *at);
	gsize row_bytes = (gsize)(end[0] - first[0]) * 3;

	part->raster = *raster;
	part->raster.width = end[0] - first[0];
	part->raster.height = end[1] - first[1];
	part->raster.pixels = g_malloc(row_bytes * part->raster.height);
	for (guint32 y = 0; y < part->raster.height; y++)
		memcpy(part->raster.pixels + y * row_bytes,
		       raster->pixels + ((gsize)(first[1] + y) * raster->width + first[0]) * 3,
		       row_bytes);
	part->anchor.has_bbox = TRUE;
	for (int i = 0; i < 2; i++) {
		part->anchor.bbox[i] = first[i] * unit;
		part->anchor.bbox[i + 2] = end[i] * unit;
	}
	return part;
}

/* ---- samples ---- */

/* Times of windows are rounded, so one may begin a sample early or late. */
static void place_samples(WeftPart *clip, const WeftPart *window)
{
	double begin = round((window->anchor.time[0] - clip->anchor.time[0]) * WEFT_CROP_RATE_HZ);
	const float *samples = window->pcm.samples;
	gsize n = window->pcm.n_samples;

	if (!(begin > -(double)n && begin < (double)clip->pcm.n_samples))
		return;
	gsize skip = begin < 0 ? (gsize)-begin : 0, to = begin < 0 ? 0 : (gsize)begin;

	n = MIN(n - skip, clip->pcm.n_samples - to);
	memcpy(clip->pcm.samples + to, samples + skip, n * sizeof *samples);
	clip->anchor.time[1] = MAX(clip->anchor.time[1],
				   clip->anchor.time[0] + (double)(to + n) / WEFT_CROP_RATE_HZ);
}

static WeftPart *new_clip(const WeftAnchor *at, const WeftDecodeOptions *decode)
{
	WeftPart *clip = weft_part_new(WEFT_PART_PCM, *at);
	double seconds = decode->time_end - decode->time_first;

	clip->anchor.time[0] = clip->anchor.time[1] = decode->time_first;
	clip->pcm.n_samples = (gsize)ceil(seconds * WEFT_CROP_RATE_HZ);
	clip->pcm.samples = g_new0(float, clip->pcm.n_samples);
	return clip;
}

/* ---- decoding ---- */

static gboolean is_wanted_raster(const WeftPart *part, const WeftAnchor *at)
{
	gboolean is_picture = part->kind == WEFT_PART_RASTER || part->kind == WEFT_PART_FRAME;

	return is_picture && is_of_track(part, at) &&
	       (at->page == 0 || part->anchor.page == at->page);
}

/* What says why a place has nothing: the first fault that has to do with it. */
static void keep_fault(GError **fault, const WeftPart *part)
{
	if (!*fault && part->kind == WEFT_PART_FAULT && part->fault)
		*fault = g_error_copy(part->fault);
}

/* FALSE: the document can't be read. Without parts there is nothing, and *fault may say why. */
static gboolean take(WeftDecoding *decoding, const WeftAnchor *places, guint n, double margin,
		     WeftPart *clip, GPtrArray *parts, GError **fault, GError **error)
{
	for (;;) {
		g_autoptr(WeftPart) part = NULL;

		if (!weft_decoding_next(decoding, &part, error))
			return FALSE;
		if (!part)
			return TRUE;
		keep_fault(fault, part);
		if (clip && part->kind == WEFT_PART_PCM && is_of_track(part, places)) {
			place_samples(clip, part);
		} else if (!clip && is_wanted_raster(part, places)) {
			for (guint i = 0; i < n; i++)
				g_ptr_array_add(parts, cut_raster(part, &places[i], margin));
			return TRUE;
		}
	}
}

static WeftDecoding *open_decoding(WeftIngest *ingest, int fd, const char *name,
				   const WeftDecodeOptions *options, GError **error)
{
	WeftSniff sniff;

	if (!weft_sniff(fd, &sniff, error))
		return NULL;
	if (sniff.family == WEFT_FAMILY_NONE || sniff.family == WEFT_FAMILY_TEXT) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    "%s: %s, which has neither pixels nor sound", name, sniff.name);
		return NULL;
	}
	return weft_ingest_decode(ingest, &sniff, fd, name, options, error);
}

static gboolean are_places(const WeftAnchor *places, guint n, const char *name, GError **error)
{
	for (guint i = 0; i < n; i++)
		if (!is_place(&places[i], name, error))
			return FALSE;
	return TRUE;
}

GPtrArray *weft_crop_all(WeftIngest *ingest, int fd, const char *name, const WeftAnchor *places, guint n,
			 const WeftCropOptions *options, GError **error)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func((GDestroyNotify)weft_part_free);
	g_autoptr(WeftPart) clip = NULL;
	g_autoptr(GError) fault = NULL;

	if (!are_places(places, n, name, error))
		return NULL;
	const WeftDecodeOptions decode = decode_options(places, options);
	g_autoptr(WeftDecoding) decoding = open_decoding(ingest, fd, name, &decode, error);
	if (!decoding)
		return NULL;
	if (decode.want_pcm)
		clip = new_clip(places, &decode);
	if (!take(decoding, places, n, options->margin, clip, parts, &fault, error))
		return NULL;
	if (clip && clip->anchor.time[1] > clip->anchor.time[0]) {
		double seconds = clip->anchor.time[1] - clip->anchor.time[0];

		clip->pcm.n_samples = MIN(clip->pcm.n_samples,
					  (gsize)round(seconds * WEFT_CROP_RATE_HZ));
		g_ptr_array_add(parts, g_steal_pointer(&clip));
	}
	if (parts->len > 0)
		return g_steal_pointer(&parts);
	g_set_error(error, WEFT_ERROR, fault ? fault->code : WEFT_ERROR_EMPTY, "%s: %s", name,
		    fault ? fault->message : "there is nothing at this place any more");
	return NULL;
}

WeftPart *weft_crop(WeftIngest *ingest, int fd, const char *name, const WeftAnchor *at,
		    const WeftCropOptions *options, GError **error)
{
	g_autoptr(GPtrArray) parts = weft_crop_all(ingest, fd, name, at, 1, options, error);

	return parts ? g_ptr_array_steal_index(parts, 0) : NULL;
}
