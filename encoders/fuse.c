#include <string.h>

#include "base/error.h"
#include "encoders/encoders_private.h"

#define FENCE_OPEN "<document>\n"
#define FENCE_CLOSE "</document>"

struct WeftRequest {
	const WeftEncoders *encoders;
	WeftSequence *sequence;
	GArray *ids;         /* of the piece at hand */
	gboolean has_last;
	WeftAnchor last;     /* of the part added last */
	gboolean is_text;    /* it was text of an item */
	char *speaker;       /* who said it, or NULL */
	const WeftLora *adapter;
	GHashTable *heard;   /* const WeftPcm * -> Heard: clips of which slices may come */
};

/* A clip behind the tower. */
typedef struct Heard {
	float *rows;
	gsize n_rows;
} Heard;

static void heard_free(void *data)
{
	Heard *heard = data;

	g_free(heard->rows);
	g_free(heard);
}

/* Moves the piece's ids to the sequence. */
static void flush(WeftRequest *request)
{
	for (guint i = 0; i < request->ids->len; i++)
		weft_sequence_add_id(request->sequence, g_array_index(request->ids, gint32, i));
	g_array_set_size(request->ids, 0);
}

static void add_plain(WeftRequest *request, const char *text)
{
	weft_text_encode_plain(request->encoders, text, request->ids);
	flush(request);
}

WeftRequest *weft_request_new(const WeftEncoders *encoders, const char *system)
{
	g_return_val_if_fail(encoders->tokenizer && encoders->template, NULL);
	WeftRequest *request = g_new0(WeftRequest, 1);
	gsize size_bytes = 0;
	const char *content = weft_text_trim(system ? system : "", &size_bytes);

	request->encoders = encoders;
	request->sequence = weft_sequence_new(encoders->width);
	request->ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	request->heard = g_hash_table_new_full(NULL, NULL, NULL, heard_free);
	weft_template_begin(encoders->template, request->ids);
	if (size_bytes) {
		weft_template_open_turn(encoders->template, WEFT_TURN_SYSTEM, TRUE, content,
					size_bytes, request->ids);
		weft_template_close_turn(encoders->template, WEFT_TURN_SYSTEM, request->ids);
	}
	flush(request);
	request->sequence->n_prefix = weft_sequence_length(request->sequence);
	weft_template_open_turn(encoders->template, WEFT_TURN_USER, size_bytes == 0, FENCE_OPEN,
				strlen(FENCE_OPEN), request->ids);
	flush(request);
	return request;
}

void weft_request_free(WeftRequest *request)
{
	if (!request)
		return;
	weft_sequence_free(request->sequence);
	g_array_unref(request->ids);
	g_hash_table_unref(request->heard);
	g_free(request->speaker);
	g_free(request);
}

gsize weft_request_length(const WeftRequest *request)
{
	return weft_sequence_length(request->sequence);
}

void weft_request_adapt(WeftRequest *request, const WeftLora *adapter)
{
	request->adapter = adapter;
}

static void add_markers(WeftRequest *request, const WeftAnchor *anchor)
{
	g_autoptr(GString) text = g_string_new(NULL);
	gsize first = weft_request_length(request);

	weft_text_markers(anchor, request->has_last ? &request->last : NULL, text);
	add_plain(request, text->str);
	weft_sequence_add_span(request->sequence, WEFT_SPAN_TEXT, first, *anchor,
			       WEFT_SPAN_NO_CONTENT);
	request->has_last = TRUE;
	request->last = *anchor;
}

/* The text of items goes on from one to the next while the same one speaks; markers and names are no
 * text of the document. */
static void add_running(WeftRequest *request, const WeftPassage *passage)
{
	gboolean is_text = passage->content != WEFT_SPAN_NO_CONTENT;
	gboolean joins = request->is_text && request->last.document == passage->at.document &&
			 g_strcmp0(request->speaker, passage->speaker) == 0;

	if (is_text)
		weft_running_text_add(request->sequence->text, passage->text, passage->size_bytes,
				      passage->content, 0, joins);
	request->is_text = is_text;
	g_free(request->speaker);
	request->speaker = g_strdup(passage->speaker);
}

void weft_request_add_quote(WeftRequest *request, const char *text)
{
	weft_running_text_add(request->sequence->text, text, strlen(text), WEFT_SPAN_NO_CONTENT, 0,
			      FALSE);
	request->is_text = FALSE;
}

void weft_request_add_mark(WeftRequest *request, const char *mark)
{
	g_autofree char *line = g_strconcat(mark, "\n", NULL);

	add_plain(request, line);
}

void weft_request_forget_place(WeftRequest *request)
{
	request->has_last = FALSE;
}

gboolean weft_request_add_text(WeftRequest *request, const WeftPassage *passage, GError **error)
{
	add_running(request, passage);
	add_markers(request, &passage->at);
	gsize first = weft_request_length(request);

	weft_text_encode_speaker(request->encoders, passage, request->ids);
	flush(request);
	weft_sequence_add_span(request->sequence, WEFT_SPAN_TEXT, first, passage->at,
			       WEFT_SPAN_NO_CONTENT);
	first = weft_request_length(request);
	weft_text_encode(request->encoders, passage, request->ids);
	flush(request);
	weft_sequence_add_span(request->sequence, WEFT_SPAN_TEXT, first, passage->at,
			       passage->content);
	return TRUE;
}

static void add_line_feed(WeftRequest *request, const WeftAnchor *anchor)
{
	gsize first = weft_request_length(request);

	request->is_text = FALSE;
	add_plain(request, "\n");
	weft_sequence_add_span(request->sequence, WEFT_SPAN_TEXT, first, *anchor,
			       WEFT_SPAN_NO_CONTENT);
}

gboolean weft_request_add_image(WeftRequest *request, const WeftRaster *raster,
				gboolean single_tile, guint32 content, WeftAnchor anchor,
				GError **error)
{
	WeftImage image = { .raster = raster,
			    .adapter = request->adapter,
			    .anchor = anchor,
			    .content = content };

	if (!weft_image_init(&image, request->encoders, single_tile, error))
		return FALSE;
	add_markers(request, &anchor);
	weft_image_append(&image, request->encoders, request->sequence);
	add_line_feed(request, &anchor);
	weft_image_done(&image);
	return TRUE;
}

/* The clip's rows, which stay until the last of them is added. */
static Heard *hear(WeftRequest *request, const WeftPcm *pcm, GError **error)
{
	Heard *heard = g_hash_table_lookup(request->heard, pcm);
	float *rows;
	gsize n_rows;

	if (heard)
		return heard;
	if (!weft_audio_hear(request->encoders->audio, pcm->samples, pcm->n_samples, &rows, &n_rows,
			     error))
		return NULL;
	heard = g_new0(Heard, 1);
	heard->rows = rows;
	heard->n_rows = n_rows;
	g_hash_table_insert(request->heard, (gpointer)pcm, heard);
	return heard;
}

gboolean weft_request_add_audio(WeftRequest *request, const WeftSoundSlice *slice, guint32 content,
				WeftAnchor anchor, GError **error)
{
	const WeftEncoders *encoders = request->encoders;
	Heard *heard;

	if (!encoders->audio) {
		g_set_error_literal(error, WEFT_ERROR, WEFT_ERROR_NO_READER, encoders->deaf);
		return FALSE;
	}
	heard = hear(request, slice->pcm, error);
	if (!heard)
		return FALSE;
	if (slice->row_first > heard->n_rows || slice->n_rows > heard->n_rows - slice->row_first) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "rows %" G_GSIZE_FORMAT " + %" G_GSIZE_FORMAT " of a clip that has %"
			    G_GSIZE_FORMAT, slice->row_first, slice->n_rows, heard->n_rows);
		return FALSE;
	}
	add_markers(request, &anchor);
	gsize first = weft_request_length(request);

	weft_sequence_add_rows(request->sequence, WEFT_SEQUENCE_ROW_ID,
			       heard->rows + slice->row_first * request->sequence->width,
			       slice->n_rows);
	weft_sequence_add_span(request->sequence, WEFT_SPAN_AUDIO, first, anchor, content);
	add_line_feed(request, &anchor);
	if (slice->row_first + slice->n_rows == heard->n_rows)
		g_hash_table_remove(request->heard, slice->pcm);
	return TRUE;
}

/* FNV-1a, 64 bits. */
static guint64 hash_ids(const WeftSequence *sequence)
{
	guint64 hash = G_GUINT64_CONSTANT(14695981039346656037);

	for (guint i = (guint)sequence->n_prefix; i < sequence->ids->len; i++) {
		guint32 id = (guint32)g_array_index(sequence->ids, gint32, i);

		for (int byte = 0; byte < 4; byte++) {
			hash ^= id >> (8 * byte) & 255;
			hash *= G_GUINT64_CONSTANT(1099511628211);
		}
	}
	return hash;
}

WeftSequence *weft_request_finish(WeftRequest *take_request, const char *question, GError **error)
{
	const WeftEncoders *encoders = take_request->encoders;
	g_autoptr(WeftRequest) request = take_request;
	gsize size_bytes = 0;
	const char *asked = weft_text_trim(question ? question : "", &size_bytes);

	weft_text_encode_plain(encoders, size_bytes ? FENCE_CLOSE "\n\n" : FENCE_CLOSE,
			       request->ids);
	weft_tokenizer_continue(encoders->tokenizer, asked, size_bytes, FALSE, request->ids);
	weft_template_close_turn(encoders->template, WEFT_TURN_USER, request->ids);
	weft_template_open_turn(encoders->template, WEFT_TURN_ASSISTANT, FALSE, "", 0,
				request->ids);
	flush(request);
	request->sequence->seed_key = hash_ids(request->sequence);
	return g_steal_pointer(&request->sequence);
}
