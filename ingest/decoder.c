#include "ingest/decoder.h"

#include <stdarg.h>
#include <string.h>

#include "ingest/raster.h"

/* Valid UTF-8 of at most `limit_bytes`, cut between characters. */
static char *tame(const char *text, gsize limit_bytes)
{
	gsize size = strnlen(text, limit_bytes + 4);
	g_autofree char *valid = g_utf8_make_valid(text, (gssize)size);
	if (strlen(valid) <= limit_bytes)
		return g_steal_pointer(&valid);
	const char *end = g_utf8_find_prev_char(valid, valid + limit_bytes + 1);
	return g_strndup(valid, end ? (gsize)(end - valid) : 0);
}

WeftPart *weft_part_new_meta(const char *key, const char *value)
{
	WeftAnchor whole = {0};
	WeftPart *part = weft_part_new(WEFT_PART_META, whole);
	part->key = tame(key, 256);
	part->value = tame(value, WEFT_PART_VALUE_MAX_BYTES);
	return part;
}

WeftPart *weft_part_new_fault(WeftAnchor at, WeftErrorCode code, const char *format, ...)
{
	WeftPart *part = weft_part_new(WEFT_PART_FAULT, at);
	va_list args;
	va_start(args, format);
	g_autofree char *raw = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *message = tame(raw, 1024);
	part->fault = g_error_new_literal(WEFT_ERROR, code, message);
	return part;
}

WeftPart *weft_part_new_content(WeftContent *take_content)
{
	WeftPart *part =
	    weft_part_new(WEFT_PART_CONTENT, g_array_index(take_content->anchors, WeftAnchor, 0));
	part->content = take_content;
	return part;
}

WeftPart *weft_part_new_raster(WeftPartKind kind, WeftAnchor at, guint32 width, guint32 height,
                               guint8 *take_pixels, double points_per_pixel)
{
	WeftPart *part = weft_part_new(kind, at);
	part->raster.width = width;
	part->raster.height = height;
	part->raster.pixels = take_pixels;
	part->raster.points_per_pixel = points_per_pixel;
	part->raster.ink = weft_raster_ink_of(take_pixels, width, height, (gsize)width * 3);
	return part;
}
