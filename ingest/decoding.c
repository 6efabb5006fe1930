#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/host.h"

/* A document of more parts than this is a decoder that does not end: of the smallest, the limit of
 * output stops fewer. */
#define PARTS_MAX 10000000u

struct WeftDecoding {
	WeftWorker worker;
	/* what a second try needs */
	WeftIngest *ingest;
	WeftFamily family;
	int document;
	WeftWireOut start;
	WeftLimits limits;
	gboolean is_second;

	char *name;
	guint n_parts;
	double output_bytes, output_bytes_max;
	gboolean ended;
};

static WeftProgramId program_of(WeftFamily family)
{
	switch (family) {
	case WEFT_FAMILY_PDF:
		return WEFT_PROGRAM_PDF;
	case WEFT_FAMILY_AV:
		return WEFT_PROGRAM_AV;
	default: /* text is decoded there too: light, and as hostile as the rest */
		return WEFT_PROGRAM_IMAGE;
	}
}

static gboolean start_worker(WeftDecoding *decoding, GError **error)
{
	return weft_worker_start(&decoding->worker, decoding->ingest, program_of(decoding->family),
	                         decoding->document, &decoding->limits, &decoding->start, error);
}

WeftDecoding *weft_ingest_decode(WeftIngest *ingest, const WeftSniff *sniff, int fd,
                                 const char *name, const WeftDecodeOptions *options, GError **error)
{
	if (sniff->family == WEFT_FAMILY_NONE) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED, "%s%s%s is not read",
		            name ? name : "", name ? ": " : "", sniff->name);
		return NULL;
	}
	g_autoptr(WeftDecoding) decoding = g_new0(WeftDecoding, 1);
	decoding->ingest = ingest;
	decoding->family = sniff->family;
	decoding->limits = options->limits;
	decoding->name = g_strdup(name);
	decoding->document = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (decoding->document < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "the document's descriptor: %s",
		            g_strerror(errno));
		return NULL;
	}
	weft_limits_fill(&decoding->limits);
	decoding->output_bytes_max = decoding->limits.output_bytes;
	weft_wire_begin(&decoding->start, WEFT_WIRE_START);
	weft_wire_put_u8(&decoding->start, (guint8)sniff->family);
	weft_wire_put_string(&decoding->start, sniff->media_type);
	weft_wire_put_options(&decoding->start, options);
	return start_worker(decoding, error) ? g_steal_pointer(&decoding) : NULL;
}

static void set_cut_error(const WeftPart *part, double limit, GError **error)
{
	g_autofree char *where =
	    part->anchor.page > 0 ? g_strdup_printf("page %u and ", part->anchor.page)
	    : part->anchor.has_time
	        ? g_strdup_printf("second %.3f and ", part->anchor.time[0])
	        : g_strdup("");
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
	            "%swhat follows not read: limit output-bytes=%.15g", where, limit);
}

/* A fresh worker, as far as the lost one was: decoders give the same parts each time. */
static gboolean try_again(WeftDecoding *decoding, GError **error)
{
	decoding->is_second = TRUE;
	weft_worker_stop(&decoding->worker);
	if (!start_worker(decoding, error))
		return FALSE;
	for (guint i = 0; i < decoding->n_parts; i++) {
		g_autoptr(WeftPart) part = NULL;
		if (!weft_worker_next(&decoding->worker, &part, error))
			return FALSE;
		if (!part) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CRASHED,
			            "decoder was killed after %u parts, and then gave %u",
			            decoding->n_parts, i);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean receive_part(WeftDecoding *decoding, WeftPart **ret_part, GError **error)
{
	GError *failure = NULL;
	if (weft_worker_next(&decoding->worker, ret_part, &failure))
		return TRUE;
	if (!decoding->worker.lost || decoding->is_second) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	g_clear_error(&failure);
	return try_again(decoding, error) && weft_worker_next(&decoding->worker, ret_part, error);
}

static gboolean next(WeftDecoding *decoding, WeftPart **ret_part, GError **error)
{
	WeftPart *part = NULL;
	if (!receive_part(decoding, &part, error))
		return FALSE;
	if (part && ++decoding->n_parts > PARTS_MAX) {
		weft_part_free(part);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "decoder sent more than %u parts",
		            PARTS_MAX);
		return FALSE;
	}
	decoding->output_bytes += part ? (double)weft_part_output_bytes(part) : 0;
	if (part && decoding->output_bytes > decoding->output_bytes_max) {
		set_cut_error(part, decoding->output_bytes_max, error);
		weft_part_free(part);
		return FALSE;
	}
	*ret_part = part;
	return TRUE;
}

gboolean weft_decoding_next(WeftDecoding *decoding, WeftPart **ret_part, GError **error)
{
	WeftPart *part = NULL;
	if (!decoding->ended) {
		if (!next(decoding, &part, error)) {
			decoding->ended = TRUE;
			if (decoding->name)
				g_prefix_error(error, "%s: ", decoding->name);
			return FALSE;
		}
		decoding->ended = part == NULL;
	}
	*ret_part = part;
	return TRUE;
}

void weft_decoding_add_known(WeftDecoding *decoding, gsize output_bytes)
{
	decoding->output_bytes += (double)output_bytes;
}

void weft_decoding_close(WeftDecoding *decoding)
{
	if (!decoding)
		return;
	weft_worker_stop(&decoding->worker);
	weft_wire_done(&decoding->start);
	if (decoding->document >= 0)
		close(decoding->document);
	g_free(decoding->name);
	g_free(decoding);
}
