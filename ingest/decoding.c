#include "base/error.h"
#include "ingest/host.h"

/* A document of more parts than this is a decoder that does not end: of the smallest, the limit of
 * output stops fewer. */
#define PARTS_MAX 10000000u

struct WeftDecoding {
	WeftWorker worker;
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

WeftDecoding *weft_ingest_decode(WeftIngest *ingest, const WeftSniff *sniff, int fd,
                                 const char *name, const WeftDecodeOptions *options, GError **error)
{
	g_auto(WeftWireOut) start = {0};
	WeftLimits limits = options->limits;
	weft_limits_fill(&limits);
	if (sniff->family == WEFT_FAMILY_NONE) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED, "%s%s%s is not read",
		            name ? name : "", name ? ": " : "", sniff->name);
		return NULL;
	}
	g_autoptr(WeftDecoding) decoding = g_new0(WeftDecoding, 1);
	weft_wire_begin(&start, WEFT_WIRE_START);
	weft_wire_put_u8(&start, (guint8)sniff->family);
	weft_wire_put_string(&start, sniff->media_type);
	weft_wire_put_options(&start, options);
	decoding->name = g_strdup(name);
	decoding->output_bytes_max = limits.output_bytes;
	if (!weft_worker_start(&decoding->worker, ingest, program_of(sniff->family), fd,
	                       &limits, error))
		return NULL;
	if (!weft_worker_send(&decoding->worker, &start, error))
		return NULL;
	return g_steal_pointer(&decoding);
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

static gboolean next(WeftDecoding *decoding, WeftPart **ret_part, GError **error)
{
	WeftWireIn in;
	if (!weft_worker_receive(&decoding->worker, &in, error))
		return FALSE;
	if (in.type == WEFT_WIRE_FAIL)
		return weft_worker_failed(&in, error);
	if (in.type == WEFT_WIRE_END) {
		if (!weft_wire_close(&in, error))
			return FALSE;
		*ret_part = NULL;
		return TRUE;
	}
	if (in.type != WEFT_WIRE_PART || ++decoding->n_parts > PARTS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "decoder sent message %u of type %u", decoding->n_parts,
		            (guint)in.type);
		return FALSE;
	}
	WeftPart *part = weft_worker_part(&decoding->worker, &in, error);
	if (!part)
		return FALSE;
	decoding->output_bytes += (double)weft_part_output_bytes(part);
	if (decoding->output_bytes > decoding->output_bytes_max) {
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
	g_free(decoding->name);
	g_free(decoding);
}
