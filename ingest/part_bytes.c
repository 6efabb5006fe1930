/* part_bytes.c - parts as bytes: the messages of workers (wire.h), kept instead of sent. */
#include "ingest/wire.h"

#include "base/error.h"

gboolean weft_part_write(const WeftPart *part, GByteArray *bytes)
{
	g_auto(WeftWireOut) out = {0};

	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, 0);
	if (out.overflow)
		return FALSE;
	g_byte_array_append(bytes, out.bytes->data + WEFT_WIRE_HEADER_BYTES,
	                    out.bytes->len - WEFT_WIRE_HEADER_BYTES);
	return TRUE;
}

WeftPart *weft_part_read(const guint8 *data, gsize size_bytes, GError **error)
{
	WeftWireIn in = {.type = WEFT_WIRE_PART, .at = data, .end = data + size_bytes};
	guint32 slot;
	gsize size;
	g_autoptr(WeftPart) part = weft_wire_part(&in, &slot, &size);

	return weft_wire_close(&in, error) ? g_steal_pointer(&part) : NULL;
}

void weft_decode_options_hash(const WeftDecodeOptions *options, GChecksum *sum)
{
	g_auto(WeftWireOut) out = {0};
	WeftDecodeOptions decisive = *options;

	decisive.passwords = NULL;
	decisive.page_from = 0;
	weft_limits_fill(&decisive.limits);
	for (const WeftLimit *limit = weft_limit_table(); limit->name != NULL; limit++) {
		if (!limit->changes_records)
			G_STRUCT_MEMBER(double, &decisive.limits, limit->offset) = 0;
	}
	weft_wire_begin(&out, WEFT_WIRE_START);
	weft_wire_put_options(&out, &decisive);
	g_checksum_update(sum, out.bytes->data, (gssize)out.bytes->len);
}
