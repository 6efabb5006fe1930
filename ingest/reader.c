#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/decoder.h"
#include "ingest/host.h"

/* Measured: Tesseract takes 6 to 7 bytes for each pixel of a grey picture, three passes long. */
#define READING_BYTES_PER_PIXEL 7u
#define CONTENTS_MAX 20000u

struct WeftReader {
	WeftWorker worker;
	/* what a second try needs */
	WeftIngest *ingest;
	WeftWireOut start;
	WeftLimits limits;
};

static gboolean start_worker(WeftReader *reader, GError **error)
{
	return weft_worker_start(&reader->worker, reader->ingest, WEFT_PROGRAM_OCR, -1,
	                         &reader->limits, &reader->start, error);
}

WeftReader *weft_ingest_reader(WeftIngest *ingest, const char *languages, const WeftLimits *limits,
                               GError **error)
{
	g_autoptr(WeftReader) reader = g_new0(WeftReader, 1);
	reader->ingest = ingest;
	reader->limits = limits ? *limits : (WeftLimits){0};
	weft_limits_fill(&reader->limits);
	weft_wire_begin(&reader->start, WEFT_WIRE_READER);
	weft_wire_put_string(&reader->start, languages);
	return start_worker(reader, error) ? g_steal_pointer(&reader) : NULL;
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
	weft_wire_put_u64(&read, weft_memory_held(reader->worker.memory));
	if (!write_slot(reader->worker.slots[0], raster->pixels,
	                (gsize)raster->width * raster->height * 3, error))
		return FALSE;
	/* it may have ended: what is received tells why */
	(void)weft_worker_send(&reader->worker, &read, NULL);
	return TRUE;
}

gsize weft_reading_bytes(guint32 width, guint32 height)
{
	return WEFT_WIRE_READER_BASE_BYTES + (gsize)width * height * (3 + READING_BYTES_PER_PIXEL);
}

static gboolean read_once(WeftReader *reader, const WeftRaster *raster, const WeftAnchor *at,
                          GPtrArray *contents, GError **error)
{
	reader->worker.waited_s = reader->worker.silent_s = 0;
	g_ptr_array_set_size(contents, 0);
	weft_memory_hold(reader->worker.memory, weft_reading_bytes(raster->width, raster->height));
	if (!send_raster(reader, raster, at, error))
		return FALSE;
	while (contents->len < CONTENTS_MAX) {
		g_autoptr(WeftPart) part = NULL;
		if (!weft_worker_next(&reader->worker, &part, error))
			return FALSE;
		if (!part)
			return TRUE;
		if (!part->content)
			break;
		g_ptr_array_add(contents, g_steal_pointer(&part->content));
	}
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "reader sent item %u, which is no content",
	            contents->len);
	return FALSE;
}

gboolean weft_reader_read(WeftReader *reader, const WeftRaster *raster, WeftAnchor at,
                          GPtrArray **ret_contents, GError **error)
{
	g_autoptr(GPtrArray) contents =
	    g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);
	GError *failure = NULL;
	if ((guint64)raster->width * raster->height > WEFT_RASTER_PIXELS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "picture of %u x %u pixels, limit %u", raster->width, raster->height,
		            WEFT_RASTER_PIXELS_MAX);
		return FALSE;
	}
	gboolean ok = read_once(reader, raster, &at, contents, &failure);
	if (!ok && reader->worker.lost) {
		g_clear_error(&failure);
		weft_worker_stop(&reader->worker);
		ok = start_worker(reader, &failure) &&
		     read_once(reader, raster, &at, contents, &failure);
	}
	if (!ok) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	weft_memory_hold(reader->worker.memory, WEFT_WIRE_READER_BASE_BYTES);
	*ret_contents = g_steal_pointer(&contents);
	return TRUE;
}

void weft_reader_close(WeftReader *reader)
{
	if (!reader)
		return;
	weft_worker_stop(&reader->worker);
	weft_wire_done(&reader->start);
	g_free(reader);
}
