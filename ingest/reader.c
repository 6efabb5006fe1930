#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/decoder.h"
#include "ingest/host.h"

#define CONTENTS_MAX 20000u

struct WeftReader {
	WeftWorker worker;
};

WeftReader *weft_ingest_reader(WeftIngest *ingest, const char *languages, const WeftLimits *limits,
                               GError **error)
{
	WeftLimits filled = limits ? *limits : (WeftLimits){0};
	g_autoptr(WeftReader) reader = g_new0(WeftReader, 1);
	g_auto(WeftWireOut) start = {0};
	weft_wire_begin(&start, WEFT_WIRE_READER);
	weft_wire_put_string(&start, languages);
	weft_limits_fill(&filled);
	if (!weft_worker_start(&reader->worker, ingest, WEFT_PROGRAM_OCR, -1, &filled, error) ||
	    !weft_worker_send(&reader->worker, &start, error))
		return NULL;
	return g_steal_pointer(&reader);
}

static gboolean write_slot(int fd, const guint8 *bytes, gsize size, GError **error)
{
	gsize at = 0;
	while (at < size) {
		ssize_t n = pwrite(fd, bytes + at, size - at, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "shared memory: %s",
			            g_strerror(errno));
			return FALSE;
		}
		at += (gsize)n;
	}
	return TRUE;
}

static gboolean send_raster(WeftReader *reader, const WeftRaster *raster, const WeftAnchor *at,
                            GError **error)
{
	g_auto(WeftWireOut) read = {0};
	weft_wire_begin(&read, WEFT_WIRE_READ);
	weft_wire_put_u32(&read, 0);
	weft_wire_put_u32(&read, raster->width);
	weft_wire_put_u32(&read, raster->height);
	weft_wire_put_f64(&read, raster->points_per_pixel);
	weft_wire_put_anchor(&read, at);
	return write_slot(reader->worker.slots[0], raster->pixels,
	                  (gsize)raster->width * raster->height * 3, error) &&
	       weft_worker_send(&reader->worker, &read, error);
}

gboolean weft_reader_read(WeftReader *reader, const WeftRaster *raster, WeftAnchor at,
                          GPtrArray **ret_contents, GError **error)
{
	g_autoptr(GPtrArray) contents =
	    g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);
	WeftWireIn in;
	if ((guint64)raster->width * raster->height > WEFT_RASTER_PIXELS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "picture of %u x %u pixels, limit %u", raster->width, raster->height,
		            WEFT_RASTER_PIXELS_MAX);
		return FALSE;
	}
	reader->worker.waited_s = 0;
	if (!send_raster(reader, raster, &at, error))
		return FALSE;
	while (contents->len < CONTENTS_MAX) {
		if (!weft_worker_receive(&reader->worker, &in, error))
			return FALSE;
		if (in.type == WEFT_WIRE_FAIL)
			return weft_worker_failed(&in, error);
		if (in.type == WEFT_WIRE_END) {
			if (!weft_wire_close(&in, error))
				return FALSE;
			*ret_contents = g_steal_pointer(&contents);
			return TRUE;
		}
		if (in.type != WEFT_WIRE_PART)
			break;
		g_autoptr(WeftPart) part = weft_worker_part(&reader->worker, &in, error);
		if (!part)
			return FALSE;
		if (!part->content)
			break;
		g_ptr_array_add(contents, g_steal_pointer(&part->content));
	}
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "reader sent item %u of type %u",
	            contents->len, (guint)in.type);
	return FALSE;
}

void weft_reader_close(WeftReader *reader)
{
	if (!reader)
		return;
	weft_worker_stop(&reader->worker);
	g_free(reader);
}
