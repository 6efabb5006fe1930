/* node_decode.c - a document becomes its parts, one at a time.
 *
 * What goes no further (a fault, a skipped type, a copy) is passed on with its end at once. A page
 * whose text stands in the file is marked as read, so that no reader looks at its picture again.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "pipeline/run.h"

/* Tesseract is at its best near this; for others the decoder chooses. */
#define TESSERACT_DPI 300
#define FRAME_INTERVAL_S 10

typedef struct Decode {
	WeftRun *run;
	WeftDecodeOptions options;
	gboolean has_options;
	char **passwords;
} Decode;

static gboolean decode_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Decode *decode = g_new0(Decode, 1);
	const GPtrArray *passwords = ((WeftRun *)shared)->job->passwords;

	decode->run = shared;
	decode->passwords = g_new0(char *, passwords->len + 1);
	for (guint i = 0; i < passwords->len; i++)
		decode->passwords[i] = g_ptr_array_index(passwords, i);
	*ret_state = decode;
	return TRUE;
}

/* What the decoders need to know; asks the encoders what they can use, which opens the model. */
static gboolean set_options(Decode *decode, GError **error)
{
	WeftRun *run = decode->run;
	const WeftJob *job = run->job;
	const WeftEncoders *encoders = NULL;
	gboolean asks = run->task->windows != WEFT_WINDOWS_NONE;

	if (run->engine != NULL) {
		if (!weft_engine_open(run->engine, error))
			return FALSE;
		encoders = weft_engine_encoders(run->engine);
	}
	decode->options = (WeftDecodeOptions){
	    .page_dpi = job->page_dpi,
	    .want_rasters = run->task->reads,
	    .want_pcm =
	        run->task->reads && asks && encoders != NULL && weft_encoders_can_hear(encoders),
	    .page_first = job->page_first,
	    .page_last = job->page_last,
	    .time_first = job->time_first,
	    .time_end = job->time_end,
	    .frame_interval_s = FRAME_INTERVAL_S,
	    .passwords = (const char *const *)decode->passwords,
	    .limits = job->limits,
	};
	if (run->reader == WEFT_READ_TESSERACT && job->page_dpi == 0 && !job->is_dry)
		decode->options.page_dpi = TESSERACT_DPI;
	else if (run->reader != WEFT_READ_TESSERACT && encoders != NULL)
		decode->options.raster_side_max = weft_encoders_raster_side_max(encoders);
	decode->has_options = TRUE;
	return TRUE;
}

static void tally_part(WeftRun *run, const WeftPart *part)
{
	if (part->kind == WEFT_PART_PAGE)
		WEFT_COUNT(run, n_pages, 1);
	else if (part->kind == WEFT_PART_TRACK && part->track.seconds > 0)
		weft_run_add_seconds(run, part->track.seconds);
}

static gboolean is_visible_text(const WeftPart *part)
{
	const WeftContent *content = part->content;

	return part->kind == WEFT_PART_CONTENT && !content->hidden && content->text != NULL &&
	       (content->kind == WEFT_CONTENT_TEXT || content->kind == WEFT_CONTENT_TABLE);
}

/* Takes the part. */
static bool send_part(Decode *decode, WeftRunner *runner, guint64 number, WeftPart *part,
                      guint32 *page_with_text)
{
	WeftItem *item;

	if (part->kind == WEFT_PART_FAULT) {
		bool is_sent = weft_item_send_fault(runner, number, "decode",
		                                    g_steal_pointer(&part->fault), &part->anchor);

		/* Pages behind a limit: the part goes on, for the ledger. */
		if (is_sent && part->page.n > 0)
			return weft_item_send_part(runner, number, part);
		weft_part_free(part);
		return is_sent;
	}
	tally_part(decode->run, part);
	item = weft_item_new(WEFT_ITEM_PART, number);
	item->part = part;
	if (is_visible_text(part))
		*page_with_text = part->anchor.page;
	else if (part->kind == WEFT_PART_RASTER && part->anchor.page > 0 &&
	         part->anchor.page == *page_with_text)
		item->picture = WEFT_PICTURE_READ;
	return weft_runner_send(runner, item);
}

/* FALSE: nobody receives any more, or error is set. A failure becomes a fault that is sent on,
 * except the end of a helper program: no document is blamed for that. */
static bool send_parts(Decode *decode, WeftRunner *runner, guint64 number, const WeftSniff *sniff,
                       int fd, GError **error)
{
	GError *failure = NULL;
	guint32 page_with_text = 0;
	g_autoptr(WeftDecoding) decoding =
	    weft_ingest_decode(decode->run->ingest, sniff, fd, NULL, &decode->options, &failure);

	while (decoding != NULL && !weft_runner_is_cancelled(runner)) {
		WeftPart *part = NULL;

		if (weft_stop_is_asked(decode->run->stop))
			return weft_item_send_stop(runner, number);
		if (!weft_decoding_next(decoding, &part, &failure) || part == NULL)
			break;
		if (!send_part(decode, runner, number, part, &page_with_text))
			return false;
	}
	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE)) {
		g_propagate_error(error, failure);
		return false;
	}
	if (failure != NULL)
		return weft_item_send_fault(runner, number, "decode", failure, NULL);
	return !weft_runner_is_cancelled(runner);
}

static bool check_changed(WeftRunner *runner, guint64 number, int fd, const struct stat *before)
{
	struct stat after;

	if (fstat(fd, &after) == 0 && after.st_size == before->st_size &&
	    after.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	    after.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
		return true;
	return weft_item_send_fault(runner, number, "decode",
	                            g_error_new(WEFT_ERROR, WEFT_ERROR_CHANGED,
	                                        "the file changed while it was read; run again"),
	                            NULL);
}

static WeftStep decode_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Decode *decode = state;
	WeftItem *item = take_item;
	WeftDocument *document = item->begin;
	guint64 number = item->document;
	WeftSniff sniff = document->sniff;
	gboolean is_open = document->fault == NULL && !document->is_copy;
	int fd = document->fd;
	struct stat before = {0};
	GError *gone = NULL;
	bool is_sent;

	if (is_open && !decode->has_options && !set_options(decode, error)) {
		weft_item_free(item);
		return WEFT_STEP_FAILED;
	}
	document->fd = -1;
	is_sent = weft_runner_send(runner, item);
	if (is_sent && is_open && fstat(fd, &before) == 0)
		is_sent = send_parts(decode, runner, number, &sniff, fd, &gone) &&
		          check_changed(runner, number, fd, &before);
	if (fd >= 0)
		close(fd);
	if (gone != NULL) {
		g_propagate_error(error, gone);
		return WEFT_STEP_FAILED;
	}
	if (is_sent)
		is_sent = weft_runner_send(runner, weft_item_new(WEFT_ITEM_END, number));
	return weft_step_after(is_sent);
}

static void decode_done(void *state)
{
	Decode *decode = state;

	g_free(decode->passwords);
	g_free(decode);
}

const WeftNodeClass weft_node_decode = {"decode", decode_init, decode_step, NULL, decode_done};
