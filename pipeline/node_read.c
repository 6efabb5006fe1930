/* node_read.c - Tesseract reads the pictures that nothing has read yet.
 *
 * One thread and one inbox for each thread of decode, so documents come one after the other here;
 * each has a reader of its own, started at its first picture. What was read goes in front of the
 * picture; a picture in which nothing is legible is content too, with an empty text.
 */
#include "base/error.h"
#include "pipeline/run.h"

typedef struct Read {
	WeftRun *run;
	WeftReader *reader; /* of the document at hand, or NULL */
} Read;

static gboolean read_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Read *read = g_new0(Read, 1);

	read->run = shared;
	*ret_state = read;
	return TRUE;
}

static gboolean read_picture(Read *read, const WeftPart *part, GPtrArray **ret_contents,
                             GError **error)
{
	if (read->reader == NULL)
		read->reader =
		    weft_ingest_reader(read->run->ingest, read->run->job->ocr_languages,
		                       &read->run->job->limits, error);
	if (read->reader == NULL)
		return FALSE;
	if (weft_reader_read(read->reader, &part->raster, part->anchor, ret_contents, error))
		return TRUE;
	/* It may have ended: the next picture gets a fresh one. */
	g_clear_pointer(&read->reader, weft_reader_close);
	return FALSE;
}

static bool send_contents(WeftRunner *runner, guint64 number, const WeftPart *part,
                          GPtrArray *contents)
{
	WeftContentKind kind =
	    part->kind == WEFT_PART_FRAME ? WEFT_CONTENT_FRAME : WEFT_CONTENT_IMAGE;
	bool is_sent = true;

	if (contents->len == 0)
		return weft_item_send_content(
		    runner, number,
		    weft_content_new(kind, WEFT_BY_TESSERACT, g_strdup(""), part->anchor));
	g_ptr_array_set_free_func(contents, NULL);
	for (guint i = 0; i < contents->len; i++) {
		WeftContent *content = g_ptr_array_index(contents, i);

		if (is_sent)
			is_sent = weft_item_send_content(runner, number, content);
		else
			weft_content_free(content);
	}
	return is_sent;
}

static WeftStep read_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Read *read = state;
	g_autoptr(WeftItem) item = take_item;
	const WeftPart *part = item->part;
	g_autoptr(GPtrArray) contents = NULL;
	GError *failure = NULL;
	bool is_sent;

	if (item->kind == WEFT_ITEM_END)
		g_clear_pointer(&read->reader, weft_reader_close);
	if (item->kind != WEFT_ITEM_PART || item->picture != WEFT_PICTURE_UNREAD ||
	    (part->kind != WEFT_PART_RASTER && part->kind != WEFT_PART_FRAME))
		return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
	if (weft_stop_is_asked(read->run->stop))
		return weft_step_after(weft_item_send_stop(runner, item->document));

	if (read_picture(read, part, &contents, &failure)) {
		is_sent = send_contents(runner, item->document, part, contents);
		item->picture = WEFT_PICTURE_READ;
	} else if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE)) {
		g_propagate_error(error, failure);
		return WEFT_STEP_FAILED;
	} else {
		is_sent =
		    weft_item_send_fault(runner, item->document, "read", failure, &part->anchor);
		item->picture = WEFT_PICTURE_FAULTED;
	}
	return weft_step_after(is_sent && weft_runner_send(runner, g_steal_pointer(&item)));
}

static void read_done(void *state)
{
	Read *read = state;

	g_clear_pointer(&read->reader, weft_reader_close);
	g_free(read);
}

const WeftNodeClass weft_node_read = {"read", read_init, read_step, NULL, read_done};
