#include "ingest/limit.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ingest/decoder.h"

#define MIB ((double)(1 << 20))
#define FIELD(name) G_STRUCT_OFFSET(WeftLimits, name)

static const WeftLimit TABLE[] = {
    {"stall-seconds", FIELD(stall_s), 120, 0.1, 1e6, FALSE, FALSE,
     "seconds without a page, picture or window of sound from a decoder",
     "the heaviest real pages (maps, 600 dpi scans in JPEG 2000) take 20 s on a slow core"},
    {"total-seconds", FIELD(total_s), 14400, 0.1, 1e7, FALSE, FALSE,
     "seconds that decoding one document may take; waiting for memory or for readers does not count",
     "ten hours of 1080p video at five times its speed take two hours, 10,000 scans less"},
    {"reading-seconds", FIELD(reading_s), 300, 0.1, 1e6, FALSE, FALSE,
     "seconds that Tesseract may take for one picture",
     "a dense newspaper page takes 60 s on a slow core"},
    {"pages", FIELD(pages), 50000, 1, 1e6, FALSE, TRUE, "pages read of one document",
     "the longest files in public archives have about 30,000"},
    {"seconds", FIELD(recording_s), 172800, 1, 1e7, FALSE, TRUE,
     "seconds read of one recording", "two days; recorders split sooner"},
    {"pixels", FIELD(pixels), 1e9, 1, WEFT_RASTER_SIDE_PIXELS_MAX, FALSE, TRUE,
     "pixels of a picture, as its file states them",
     "scanned maps reach 500 million; memory has its own limit, decoder-bytes"},
    {"raster-pixels", FIELD(raster_pixels), 40e6, 10000, WEFT_RASTER_PIXELS_MAX, FALSE, TRUE,
     "pixels of a page or picture once decoded; larger ones are made smaller, which is no error",
     "A2 at 300 dpi has 35 million; what reads them enlarges to 40 million at most"},
    {"streams", FIELD(streams), 32, 1, WEFT_AV_STREAMS_MAX, FALSE, TRUE,
     "tracks of a recording that are looked at",
     "films with dubs and subtitles have up to 30; thousands are an attack"},
    {"scenes", FIELD(scenes), 20000, 1, 1e6, FALSE, TRUE, "frames chosen from one video",
     "a day of slides, one every four seconds"},
    {"nesting", FIELD(nesting), 32, 1, 256, FALSE, TRUE, "levels of an outline",
     "manuals have eight"},
    {"entries", FIELD(entries), 5000, 1, 1e6, FALSE, TRUE,
     "entries of an outline, and names of embedded files",
     "the outline of a 10,000-page manual has 3,000"},
    {"output-bytes", FIELD(output_bytes), 768 * MIB, 65536, 896 * MIB, TRUE, TRUE,
     "bytes of text, words and items that a record may hold",
     "10,000 dense pages with a box for each word take 400 MiB; up to 1 GiB can be read back"},
    {"decoder-bytes", FIELD(decoder_bytes), 640 * MIB, 64 * MIB, 2048 * MIB, TRUE, TRUE,
     "bytes of memory that decoding one document may take",
     "a progressive JPEG of 100 million pixels takes 580 MiB; it has to fit --memory"},
    {NULL, 0, 0, 0, 0, FALSE, FALSE, NULL, NULL},
};

const WeftLimit *weft_limit_table(void)
{
	return TABLE;
}

double weft_limit_of(const WeftLimits *limits, const WeftLimit *limit)
{
	return G_STRUCT_MEMBER(const double, limits, limit->offset);
}

void weft_limits_fill(WeftLimits *limits)
{
	for (const WeftLimit *limit = TABLE; limit->name; limit++) {
		double *field = &G_STRUCT_MEMBER(double, limits, limit->offset);
		if (*field == 0)
			*field = limit->value;
	}
}

static gboolean parse(const WeftLimit *limit, const char *text, double *ret_value)
{
	guint64 bytes;
	char *end = NULL;
	if (limit->is_bytes) {
		if (!weft_size_parse(text, &bytes))
			return FALSE;
		*ret_value = (double)bytes;
	} else {
		*ret_value = g_ascii_strtod(text, &end);
		if (end == text || *end != '\0')
			return FALSE;
	}
	gboolean is_time = g_str_has_suffix(limit->name, "seconds");
	return *ret_value >= limit->least && *ret_value <= limit->most &&
	       (is_time || *ret_value == (double)(guint64)*ret_value);
}

gboolean weft_limits_set(WeftLimits *limits, const char *name, const char *text, GError **error)
{
	const WeftLimit *limit = TABLE;
	double value;
	while (limit->name && strcmp(limit->name, name) != 0)
		limit++;
	if (!limit->name) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "limit %s: no such limit; weft-run(1) lists them under LIMITS", name);
		return FALSE;
	}
	if (!parse(limit, text, &value)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "limit %s: '%s' is not a number from %.15g to %.15g", name, text,
		            limit->least, limit->most);
		return FALSE;
	}
	G_STRUCT_MEMBER(double, limits, limit->offset) = value;
	return TRUE;
}

char *weft_limits_text(const WeftLimits *limits)
{
	GString *text = g_string_new(NULL);
	char number[G_ASCII_DTOSTR_BUF_SIZE];
	for (const WeftLimit *limit = TABLE; limit->name; limit++) {
		double value = weft_limit_of(limits, limit);
		if (!limit->changes_records || value == 0 || value == limit->value)
			continue;
		g_string_append_printf(text, "%s%s=%s", text->len ? " " : "", limit->name,
		                       g_ascii_formatd(number, sizeof number, "%.15g", value));
	}
	return g_string_free(text, FALSE);
}
