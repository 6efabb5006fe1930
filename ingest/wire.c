#include "ingest/wire.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ingest/decoder.h"

#define PASSWORDS_MAX 256u
#define PASSWORD_MAX_BYTES 255u

void weft_wire_begin(WeftWireOut *out, WeftWireType type)
{
	out->bytes = g_byte_array_new();
	out->overflow = FALSE;
	weft_wire_put_u32(out, type);
	weft_wire_put_u32(out, 0);
}

void weft_wire_done(WeftWireOut *out)
{
	g_clear_pointer(&out->bytes, g_byte_array_unref);
}

static void put(WeftWireOut *out, const void *bytes, gsize size)
{
	if (out->overflow || size > WEFT_WIRE_MESSAGE_MAX - out->bytes->len) {
		out->overflow = TRUE;
		return;
	}
	g_byte_array_append(out->bytes, bytes, (guint)size);
}

void weft_wire_put_u8(WeftWireOut *out, guint8 value)
{
	put(out, &value, 1);
}

void weft_wire_put_u32(WeftWireOut *out, guint32 value)
{
	guint32 le = GUINT32_TO_LE(value);
	put(out, &le, sizeof le);
}

void weft_wire_put_u64(WeftWireOut *out, guint64 value)
{
	guint64 le = GUINT64_TO_LE(value);
	put(out, &le, sizeof le);
}

void weft_wire_put_f64(WeftWireOut *out, double value)
{
	guint64 bits;
	memcpy(&bits, &value, sizeof bits);
	weft_wire_put_u64(out, bits);
}

void weft_wire_put_string(WeftWireOut *out, const char *value)
{
	if (!value) {
		weft_wire_put_u32(out, G_MAXUINT32);
		return;
	}
	gsize size = strlen(value);
	weft_wire_put_u32(out, (guint32)MIN(size, G_MAXUINT32 - 1));
	put(out, value, size);
}

void weft_wire_put_anchor(WeftWireOut *out, const WeftAnchor *anchor)
{
	weft_wire_put_u32(out, anchor->page);
	weft_wire_put_u32(out, anchor->track);
	weft_wire_put_u8(out, (guint8)((anchor->has_bbox ? 1 : 0) | (anchor->has_time ? 2 : 0)));
	for (int i = 0; anchor->has_bbox && i < 4; i++)
		weft_wire_put_f64(out, anchor->bbox[i]);
	for (int i = 0; anchor->has_time && i < 2; i++)
		weft_wire_put_f64(out, anchor->time[i]);
}

void weft_wire_put_options(WeftWireOut *out, const WeftDecodeOptions *options)
{
	guint n_passwords = 0;
	weft_wire_put_f64(out, options->page_dpi);
	weft_wire_put_u32(out, options->raster_side_max);
	weft_wire_put_u8(out, (guint8)((options->want_rasters ? 1 : 0) |
	                               (options->want_all_pages ? 2 : 0)));
	weft_wire_put_u8(out, options->want_pcm != FALSE);
	weft_wire_put_u8(out, options->want_silence != FALSE);
	weft_wire_put_u8(out, options->apart != FALSE);
	weft_wire_put_u32(out, options->page_first);
	weft_wire_put_u32(out, options->page_last);
	weft_wire_put_u32(out, options->page_from);
	weft_wire_put_f64(out, options->time_first);
	weft_wire_put_f64(out, options->time_end);
	weft_wire_put_f64(out, options->frame_interval_s);
	for (const WeftLimit *limit = weft_limit_table(); limit->name; limit++)
		weft_wire_put_f64(out, weft_limit_of(&options->limits, limit));
	while (options->passwords && options->passwords[n_passwords] && n_passwords < PASSWORDS_MAX)
		n_passwords++;
	weft_wire_put_u32(out, n_passwords);
	for (guint i = 0; i < n_passwords; i++)
		weft_wire_put_string(out, options->passwords[i]);
}

static void put_content(WeftWireOut *out, const WeftContent *content)
{
	guint n_words = content->words ? content->words->len : 0;
	weft_wire_put_u8(out, (guint8)content->kind);
	weft_wire_put_u8(out, (guint8)content->by);
	weft_wire_put_u8(out, content->hidden != FALSE);
	weft_wire_put_f64(out, content->confidence);
	weft_wire_put_string(out, content->text);
	weft_wire_put_string(out, content->speaker);
	weft_wire_put_string(out, content->reason);
	weft_wire_put_u32(out, content->anchors->len);
	for (guint i = 0; i < content->anchors->len; i++)
		weft_wire_put_anchor(out, &g_array_index(content->anchors, WeftAnchor, i));
	weft_wire_put_u32(out, n_words);
	for (guint i = 0; i < n_words; i++) {
		const WeftWord *word = &g_array_index(content->words, WeftWord, i);
		weft_wire_put_u32(out, word->char_first);
		weft_wire_put_u32(out, word->char_end);
		weft_wire_put_anchor(out, &word->at);
		weft_wire_put_f64(out, word->confidence);
	}
}

void weft_wire_put_part(WeftWireOut *out, const WeftPart *part, guint32 slot)
{
	weft_wire_put_u8(out, (guint8)part->kind);
	weft_wire_put_anchor(out, &part->anchor);
	switch (part->kind) {
	case WEFT_PART_CONTENT:
		put_content(out, part->content);
		break;
	case WEFT_PART_RASTER:
	case WEFT_PART_FRAME:
		weft_wire_put_u32(out, slot);
		weft_wire_put_u32(out, part->raster.width);
		weft_wire_put_u32(out, part->raster.height);
		weft_wire_put_f64(out, part->raster.points_per_pixel);
		weft_wire_put_f64(out, part->raster.ink);
		break;
	case WEFT_PART_PCM:
		weft_wire_put_u32(out, slot);
		weft_wire_put_u64(out, part->pcm.n_samples);
		weft_wire_put_u8(out, (guint8)part->pcm.channel);
		weft_wire_put_f64(out, part->pcm.rms);
		break;
	case WEFT_PART_PAGE:
		weft_wire_put_u32(out, part->page.n);
		weft_wire_put_f64(out, part->page.width);
		weft_wire_put_f64(out, part->page.height);
		weft_wire_put_u32(out, (guint32)part->page.rotation);
		weft_wire_put_f64(out, part->page.ink);
		break;
	case WEFT_PART_TRACK:
		weft_wire_put_u32(out, part->track.n);
		weft_wire_put_string(out, part->track.kind);
		weft_wire_put_string(out, part->track.language);
		weft_wire_put_f64(out, part->track.seconds);
		break;
	case WEFT_PART_META:
	case WEFT_PART_OUTLINE:
	case WEFT_PART_EMBEDDED:
		weft_wire_put_string(out, part->key);
		weft_wire_put_string(out, part->value);
		weft_wire_put_u32(out, part->level);
		weft_wire_put_u64(out, part->size_bytes);
		break;
	case WEFT_PART_FAULT:
		weft_wire_put_u32(out, (guint32)part->fault->code);
		weft_wire_put_string(out, part->fault->message);
		weft_wire_put_u32(out, part->page.n);
		break;
	case WEFT_PART_EXTENT:
		weft_wire_put_u32(out, part->extent.n_pages);
		weft_wire_put_u32(out, part->extent.n_pages_cut);
		weft_wire_put_f64(out, part->extent.sound_s);
		weft_wire_put_f64(out, part->extent.sound_s_cut);
		break;
	}
}

gboolean weft_wire_open(WeftWireIn *in, const guint8 *message, gsize size, GError **error)
{
	in->at = message;
	in->end = message + size;
	in->failed = FALSE;
	guint32 type = weft_wire_u32(in);
	guint32 length = weft_wire_u32(in);
	in->type = (WeftWireType)type;
	if (!in->failed && length == size - WEFT_WIRE_HEADER_BYTES && type >= WEFT_WIRE_HELLO &&
	    type <= WEFT_WIRE_GRANT)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
	            "decoder sent a message of type %u, length %u in %zu bytes", type, length,
	            size);
	return FALSE;
}

static const guint8 *take(WeftWireIn *in, gsize size)
{
	if (in->failed || size > (gsize)(in->end - in->at)) {
		in->failed = TRUE;
		return NULL;
	}
	const guint8 *at = in->at;
	in->at += size;
	return at;
}

guint8 weft_wire_u8(WeftWireIn *in)
{
	const guint8 *at = take(in, 1);
	return at ? *at : 0;
}

guint32 weft_wire_u32(WeftWireIn *in)
{
	const guint8 *at = take(in, 4);
	guint32 value = 0;
	if (at)
		memcpy(&value, at, sizeof value);
	return GUINT32_FROM_LE(value);
}

guint64 weft_wire_u64(WeftWireIn *in)
{
	const guint8 *at = take(in, 8);
	guint64 value = 0;
	if (at)
		memcpy(&value, at, sizeof value);
	return GUINT64_FROM_LE(value);
}

double weft_wire_f64(WeftWireIn *in)
{
	guint64 bits = weft_wire_u64(in);
	double value;
	memcpy(&value, &bits, sizeof value);
	if (isfinite(value))
		return value;
	in->failed = TRUE;
	return 0;
}

char *weft_wire_string(WeftWireIn *in, guint32 limit_bytes)
{
	guint32 size = weft_wire_u32(in);
	if (size == G_MAXUINT32)
		return NULL;
	const guint8 *at = size <= limit_bytes ? take(in, size) : NULL;
	/* g_utf8_validate refuses NUL when the length is given */
	if (!at || !g_utf8_validate((const char *)at, size, NULL)) {
		in->failed = TRUE;
		return NULL;
	}
	return g_strndup((const char *)at, size);
}

WeftAnchor weft_wire_anchor(WeftWireIn *in)
{
	WeftAnchor anchor = {0};
	anchor.page = weft_wire_u32(in);
	anchor.track = weft_wire_u32(in);
	guint8 flags = weft_wire_u8(in);
	anchor.has_bbox = (flags & 1) != 0;
	anchor.has_time = (flags & 2) != 0;
	for (int i = 0; anchor.has_bbox && i < 4; i++)
		anchor.bbox[i] = weft_wire_f64(in);
	for (int i = 0; anchor.has_time && i < 2; i++)
		anchor.time[i] = weft_wire_f64(in);
	if (flags > 3)
		in->failed = TRUE;
	return anchor;
}

gboolean weft_wire_close(WeftWireIn *in, GError **error)
{
	if (!in->failed && in->at == in->end)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
	            "decoder sent a message of type %u that does not hold together",
	            (guint)in->type);
	return FALSE;
}

void weft_wire_options(WeftWireIn *in, WeftWireOptions *ret_options)
{
	WeftDecodeOptions *options = &ret_options->options;
	memset(options, 0, sizeof *options);
	options->page_dpi = weft_wire_f64(in);
	options->raster_side_max = weft_wire_u32(in);
	guint8 rasters = weft_wire_u8(in);
	options->want_rasters = (rasters & 1) != 0;
	options->want_all_pages = (rasters & 2) != 0;
	options->want_pcm = weft_wire_u8(in) != 0;
	options->want_silence = weft_wire_u8(in) != 0;
	options->apart = weft_wire_u8(in) != 0;
	options->page_first = weft_wire_u32(in);
	options->page_last = weft_wire_u32(in);
	options->page_from = weft_wire_u32(in);
	options->time_first = weft_wire_f64(in);
	options->time_end = weft_wire_f64(in);
	options->frame_interval_s = weft_wire_f64(in);
	for (const WeftLimit *limit = weft_limit_table(); limit->name; limit++)
		G_STRUCT_MEMBER(double, &options->limits, limit->offset) = weft_wire_f64(in);
	weft_limits_fill(&options->limits);
	guint32 n_passwords = weft_wire_u32(in);
	if (n_passwords > PASSWORDS_MAX) {
		in->failed = TRUE;
		n_passwords = 0;
	}
	ret_options->passwords = g_new0(char *, n_passwords + 1);
	for (guint32 i = 0; i < n_passwords && !in->failed; i++) {
		ret_options->passwords[i] = weft_wire_string(in, PASSWORD_MAX_BYTES);
		if (!ret_options->passwords[i]) /* it would end the list before those behind it */
			in->failed = TRUE;
	}
	options->passwords = (const char *const *)ret_options->passwords;
}

void weft_wire_options_done(WeftWireOptions *options)
{
	g_clear_pointer(&options->passwords, g_strfreev);
}

/* Words in order, without overlap, within the text. */
static void take_words(WeftWireIn *in, WeftContent *content)
{
	guint32 n_words = weft_wire_u32(in);
	guint32 last = 0;
	glong n_chars = content->text ? g_utf8_strlen(content->text, -1) : 0;
	if (n_words > WEFT_PART_WORDS_MAX)
		in->failed = TRUE;
	for (guint32 i = 0; i < n_words && !in->failed; i++) {
		WeftWord word = {0};
		word.char_first = weft_wire_u32(in);
		word.char_end = weft_wire_u32(in);
		word.at = weft_wire_anchor(in);
		word.confidence = (float)weft_wire_f64(in);
		if (word.char_first < last || word.char_end < word.char_first ||
		    word.char_end > (guint32)n_chars)
			in->failed = TRUE;
		last = word.char_end;
		weft_content_add_word(content, word);
	}
}

static WeftContent *take_content(WeftWireIn *in)
{
	guint8 kind = weft_wire_u8(in);
	guint8 by = weft_wire_u8(in);
	guint8 hidden = weft_wire_u8(in);
	double confidence = weft_wire_f64(in);
	char *text = weft_wire_string(in, WEFT_PART_TEXT_MAX_BYTES);
	g_autofree char *speaker = weft_wire_string(in, 256);
	g_autofree char *reason = weft_wire_string(in, 256);
	guint32 n_anchors = weft_wire_u32(in);
	if (kind > WEFT_CONTENT_SOUND || by > WEFT_BY_SIDECAR || n_anchors < 1 ||
	    n_anchors > WEFT_PART_ANCHORS_MAX || (kind == WEFT_CONTENT_TEXT && !text))
		in->failed = TRUE;
	WeftAnchor first = weft_wire_anchor(in);
	WeftContent *content = weft_content_new((WeftContentKind)kind, (WeftBy)by, text, first);
	content->hidden = hidden != 0;
	content->confidence = confidence;
	content->speaker = g_steal_pointer(&speaker);
	content->reason = g_steal_pointer(&reason);
	for (guint32 i = 1; i < n_anchors && !in->failed; i++) {
		WeftAnchor anchor = weft_wire_anchor(in);
		g_array_append_val(content->anchors, anchor);
	}
	take_words(in, content);
	return content;
}

static void take_raster(WeftWireIn *in, WeftPart *part, guint32 *ret_slot, gsize *ret_size_bytes)
{
	WeftRaster *raster = &part->raster;
	*ret_slot = weft_wire_u32(in);
	raster->width = weft_wire_u32(in);
	raster->height = weft_wire_u32(in);
	raster->points_per_pixel = weft_wire_f64(in);
	raster->ink = weft_wire_f64(in);
	if (*ret_slot >= WEFT_WIRE_SLOTS || raster->width < 1 || raster->height < 1 ||
	    raster->width > WEFT_RASTER_SIDE_MAX || raster->height > WEFT_RASTER_SIDE_MAX ||
	    (guint64)raster->width * raster->height > WEFT_RASTER_PIXELS_MAX)
		in->failed = TRUE;
	else
		*ret_size_bytes = (gsize)raster->width * raster->height * 3;
}

static void take_pcm(WeftWireIn *in, WeftPart *part, guint32 *ret_slot, gsize *ret_size_bytes)
{
	*ret_slot = weft_wire_u32(in);
	guint64 n_samples = weft_wire_u64(in);
	part->pcm.channel = weft_wire_u8(in);
	part->pcm.rms = weft_wire_f64(in);
	if (*ret_slot >= WEFT_WIRE_SLOTS || n_samples < 1 || n_samples > WEFT_PCM_SAMPLES_MAX ||
	    part->pcm.channel > 2) {
		in->failed = TRUE;
		return;
	}
	part->pcm.n_samples = (gsize)n_samples;
	*ret_size_bytes = (gsize)n_samples * sizeof(float);
}

static void take_short(WeftWireIn *in, char *ret_text, gsize size)
{
	g_autofree char *text = weft_wire_string(in, (guint32)size - 1);
	g_strlcpy(ret_text, text ? text : "", size);
}

static void take_facts(WeftWireIn *in, WeftPart *part)
{
	if (part->kind == WEFT_PART_PAGE) {
		part->page.n = weft_wire_u32(in);
		part->page.width = weft_wire_f64(in);
		part->page.height = weft_wire_f64(in);
		part->page.rotation = (int)(weft_wire_u32(in) % 360);
		part->page.ink = weft_wire_f64(in);
	} else if (part->kind == WEFT_PART_TRACK) {
		part->track.n = weft_wire_u32(in);
		take_short(in, part->track.kind, sizeof part->track.kind);
		take_short(in, part->track.language, sizeof part->track.language);
		part->track.seconds = weft_wire_f64(in);
	} else if (part->kind == WEFT_PART_EXTENT) {
		part->extent.n_pages = weft_wire_u32(in);
		part->extent.n_pages_cut = weft_wire_u32(in);
		part->extent.sound_s = weft_wire_f64(in);
		part->extent.sound_s_cut = weft_wire_f64(in);
	} else if (part->kind == WEFT_PART_FAULT) {
		guint32 code = weft_wire_u32(in);
		g_autofree char *message = weft_wire_string(in, WEFT_PART_VALUE_MAX_BYTES);
		part->page.n = weft_wire_u32(in);
		if (!message || code > WEFT_ERROR_INTERNAL)
			in->failed = TRUE;
		part->fault = g_error_new_literal(WEFT_ERROR, (int)MIN(code, WEFT_ERROR_INTERNAL),
		                                  message ? message : "");
	} else {
		part->key = weft_wire_string(in, 256);
		part->value = weft_wire_string(in, WEFT_PART_VALUE_MAX_BYTES);
		part->level = weft_wire_u32(in);
		part->size_bytes = weft_wire_u64(in);
		if (!part->value || (part->kind == WEFT_PART_META && !part->key))
			in->failed = TRUE;
	}
}

WeftPart *weft_wire_part(WeftWireIn *in, guint32 *ret_slot, gsize *ret_size_bytes)
{
	guint8 kind = weft_wire_u8(in);
	*ret_slot = 0;
	*ret_size_bytes = 0;
	if (kind > WEFT_PART_EXTENT)
		in->failed = TRUE;
	WeftPart *part = weft_part_new((WeftPartKind)kind, weft_wire_anchor(in));
	if (in->failed)
		return part;
	if (kind == WEFT_PART_CONTENT)
		part->content = take_content(in);
	else if (kind == WEFT_PART_RASTER || kind == WEFT_PART_FRAME)
		take_raster(in, part, ret_slot, ret_size_bytes);
	else if (kind == WEFT_PART_PCM)
		take_pcm(in, part, ret_slot, ret_size_bytes);
	else
		take_facts(in, part);
	return part;
}
