/* node_decode.c - a document becomes its parts, one at a time.
 *
 * What an earlier run has read of it stands in its journal, under the content's key, and goes down
 * the flow once more; decoding goes on behind it. Marks tell the journal how far reading got.
 * What goes no further (a fault, a skipped type, a copy) is passed on with its end at once. A page
 * whose text stands in the file is marked as read, so that no reader looks at its picture again.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "pipeline/answers.h"
#include "pipeline/replay.h"

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

	if (!asks && run->guard != NULL && !weft_engine_open(run->guard, error))
		return FALSE;
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

static gboolean is_visible_text(const WeftPart *part)
{
	const WeftContent *content = part->content;

	return part->kind == WEFT_PART_CONTENT && !content->hidden && content->text != NULL &&
	       (content->kind == WEFT_CONTENT_TEXT || content->kind == WEFT_CONTENT_TABLE);
}

/* Takes the part. */
static bool send_part(const WeftDecodeFlow *flow, WeftPart *part, guint32 *page_with_text)
{
	WeftItem *item;

	if (part->kind == WEFT_PART_FAULT) {
		bool is_sent;

		weft_run_tally_fault(flow->run, part->fault, &part->anchor);
		is_sent = weft_item_send_fault(flow->runner, flow->number, "decode",
		                                    g_steal_pointer(&part->fault), &part->anchor);

		/* Pages behind a limit: the part goes on, for the ledger. */
		weft_run_tally_part(flow->run, part);
		if (is_sent && part->page.n > 0)
			return weft_item_send_part(flow->runner, flow->number, part);
		weft_part_free(part);
		return is_sent;
	}
	weft_run_tally_part(flow->run, part);
	item = weft_item_new(WEFT_ITEM_PART, flow->number);
	item->part = part;
	if (is_visible_text(part))
		*page_with_text = part->anchor.page;
	else if (part->kind == WEFT_PART_RASTER && part->anchor.page > 0 &&
	         part->anchor.page == *page_with_text)
		item->picture = WEFT_PICTURE_READ;
	return weft_runner_send(flow->runner, item);
}

static bool send_mark(const WeftDecodeFlow *flow, guint64 position)
{
	WeftItem *item;

	if (flow->run->stash == NULL)
		return true;
	item = weft_item_new(WEFT_ITEM_MARK, flow->number);
	item->position = position;
	return weft_runner_send(flow->runner, item);
}

/* Decodes what is not known yet. `position` is a mark of the journal, 0 at the start: of a PDF the
 * page to go on with, of a recording the number of parts that are known. FALSE: nobody receives any
 * more, or error is set. A stop freezes the journal, so that its end is not kept. */
static bool send_parts(const WeftDecodeFlow *flow, guint64 position, GError **error)
{
	gboolean has_pages = flow->sniff.family == WEFT_FAMILY_PDF;
	gboolean has_time = flow->sniff.family == WEFT_FAMILY_AV;
	WeftDecodeOptions options = *flow->options;
	guint32 page_with_text = 0;
	guint64 n_parts = 0;
	g_autoptr(WeftDecoding) decoding = NULL;

	if (has_pages && position > 0)
		options.page_from = (guint32)MIN(position, G_MAXUINT32);
	decoding = weft_ingest_decode(flow->run->ingest, &flow->sniff, flow->fd, NULL, &options, error);
	if (decoding != NULL && has_pages)
		weft_decoding_add_known(decoding, flow->known_bytes);
	while (decoding != NULL && !weft_runner_is_cancelled(flow->runner)) {
		WeftPart *part = NULL;
		bool is_sent = true;

		if (!weft_decoding_next(decoding, &part, error))
			return false;
		if (part == NULL)
			return true;
		if (has_time && position > 0 && n_parts++ < position) {
			weft_part_free(part);
			continue;
		}
		if (has_pages && part->kind == WEFT_PART_PAGE)
			is_sent = send_mark(flow, part->page.n);
		/* A page that was begun is finished. */
		if (weft_stop_is_asked(flow->run->stop) &&
		    (!has_pages || part->kind == WEFT_PART_PAGE)) {
			weft_part_free(part);
			return is_sent && weft_item_send_stop(flow->runner, flow->number);
		}
		is_sent = is_sent && send_part(flow, part, &page_with_text);
		if (has_time && is_sent)
			is_sent = send_mark(flow, position > 0 ? n_parts : ++n_parts);
		if (!is_sent)
			return false;
	}
	return false;
}

static bool check_changed(WeftRunner *runner, guint64 number, int fd, const struct stat *before,
                          gboolean *ret_is_whole)
{
	if (!weft_document_has_changed(before, fd))
		return true;
	*ret_is_whole = FALSE;
	return weft_item_send_fault(runner, number, "decode",
	                            g_error_new(WEFT_ERROR, WEFT_ERROR_CHANGED,
	                                        "the file changed while it was read; run again"),
	                            NULL);
}

/* ---- what is known of earlier runs ---- */

/* Raised when the same file would give other parts, or a reader other text, by a change of ours. */
#define READING_EPOCH "1"

/* All that decides what is read of a document, and nothing of what is asked about it. */
static void set_content_key(const Decode *decode, WeftDocument *document)
{
	const WeftRun *run = decode->run;
	const WeftJob *job = run->job;
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autoptr(GString) text = g_string_new("content " READING_EPOCH "\n");

	g_string_append_printf(text, "%s\n%s\n%s\n%s\n", document->sha256,
	                       document->sniff.media_type, weft_ingest_versions(run->ingest),
	                       weft_run_reader(run));
	if (run->reader == WEFT_READ_TESSERACT)
		g_string_append_printf(text, "%s\n", job->ocr_languages);
	if (run->reader == WEFT_READ_BUNDLE) {
		char temperature[G_ASCII_DTOSTR_BUF_SIZE];

		g_ascii_dtostr(temperature, sizeof temperature, job->temperature);
		g_string_append_printf(text, "%s\n%s\n%s\n%" G_GUINT64_FORMAT "\n",
		                       weft_bundle_id(weft_engine_bundle(run->engine)),
		                       job->kv_type != NULL ? job->kv_type : "", temperature,
		                       job->seed);
	}
	g_checksum_update(sum, (const guchar *)text->str, (gssize)text->len);
	weft_decode_options_hash(&decode->options, sum);
	g_strlcpy(document->content_key, g_checksum_get_string(sum), sizeof document->content_key);
}

/* The journal of the document, which the item takes to window; its entries, or NULL when it begins
 * here. */
static WeftJournalReader *begin_journal(const Decode *decode, WeftItem *item)
{
	WeftStash *stash = decode->run->stash;
	const char *key = item->begin->content_key;
	g_autoptr(WeftJournalReader) check = NULL;

	if (stash == NULL)
		return NULL;
	for (guint try = 0; try < 2; try++) {
		item->journal = weft_stash_begin(stash, key);
		if (item->journal == NULL || (weft_journal_position(item->journal) == 0 &&
		                              !weft_journal_is_complete(item->journal)))
			return NULL;
		check = weft_journal_reader_new(item->journal, NULL);
		if (check != NULL && weft_entries_are_sound(check))
			return weft_journal_reader_new(item->journal, NULL);
		g_clear_pointer(&check, weft_journal_reader_close);
		weft_stash_forget(stash, key);
		g_clear_pointer(&item->journal, weft_journal_close);
	}
	return NULL;
}

/* Whose windows are answered already; a guard looks at all of them again. */
static gboolean find_seen(const Decode *decode, const WeftDocument *document, WeftAnchor *ret_at)
{
	WeftRun *run = decode->run;
	char key[65];
	g_autoptr(WeftJournalReader) reader = NULL;
	g_autoptr(WeftAnswers) answers = NULL;

	if (run->guard != NULL || run->task->windows == WEFT_WINDOWS_NONE)
		return FALSE;
	weft_answers_key(document->id, document->content_key, WEFT_ROUND_ANSWER, key);
	reader = weft_stash_look(run->stash, key);
	answers = weft_answers_read(reader);
	return answers != NULL && weft_answers_last_picture(answers, ret_at);
}

/* ---- a document ---- */

/* What is known, then the rest. */
static bool send_known(WeftDecodeFlow *flow, WeftJournalReader *known, const WeftAnchor *seen,
                       guint64 position, const char *key, GError **error)
{
	GError *failure = NULL;

	if (!weft_replay_send(flow, known, seen, &failure)) {
		if (failure != NULL && failure->code != WEFT_ERROR_GONE)
			weft_stash_forget(flow->run->stash, key);
		if (failure != NULL)
			g_propagate_error(error, failure);
		return false;
	}
	return weft_journal_reader_is_complete(known) || send_parts(flow, position, error);
}

/* Sends the item, and all that comes of its document. FALSE: nobody receives any more, or error is
 * set. A failure becomes a fault that is sent on, except the end of a helper program: no document is
 * blamed for that. */
static bool send_document(Decode *decode, WeftRunner *runner, WeftItem *take_item,
                          gboolean *ret_is_whole, GError **error)
{
	WeftDocument *document = take_item->begin;
	WeftDecodeFlow flow = {decode->run,     runner,       take_item->document,
	                       document->sniff, document->fd, &decode->options, 0};
	g_autoptr(WeftJournalReader) known = NULL;
	GError *failure = NULL;
	WeftAnchor seen;
	gboolean has_seen;
	guint64 position;
	char key[65];

	set_content_key(decode, document);
	g_strlcpy(key, document->content_key, sizeof key);
	known = begin_journal(decode, take_item);
	has_seen = known != NULL && find_seen(decode, document, &seen);
	position = known != NULL ? weft_journal_position(take_item->journal) : 0;
	document->fd = -1; /* decode_step closes it */
	if (!weft_runner_send(runner, take_item))
		return false;
	*ret_is_whole = known != NULL ? send_known(&flow, known, has_seen ? &seen : NULL, position, key,
	                                           &failure)
	                              : send_parts(&flow, 0, &failure);
	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE)) {
		g_propagate_error(error, failure);
		return false;
	}
	if (failure != NULL)
		return weft_item_send_fault(runner, flow.number, "decode", failure, NULL);
	return *ret_is_whole;
}

static bool send_closed(WeftRunner *runner, WeftItem *take_item)
{
	take_item->begin->fd = -1;
	return weft_runner_send(runner, take_item);
}

static WeftStep decode_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Decode *decode = state;
	WeftItem *item = take_item;
	WeftItem *end;
	WeftDocument *document = item->begin;
	guint64 number = item->document;
	gboolean is_open = document->fault == NULL && !document->is_copy, is_whole = FALSE;
	int fd = document->fd;
	struct stat before = document->status; /* when it was hashed */
	GError *failure = NULL;
	bool is_sent;

	if (is_open && !decode->has_options && !set_options(decode, error)) {
		weft_item_free(item);
		return WEFT_STEP_FAILED;
	}
	if (is_open)
		is_sent = send_document(decode, runner, item, &is_whole, &failure) &&
		          check_changed(runner, number, fd, &before, &is_whole);
	else
		is_sent = send_closed(runner, item);
	if (fd >= 0)
		close(fd);
	if (failure != NULL) {
		g_propagate_error(error, failure);
		return WEFT_STEP_FAILED;
	}
	if (!is_sent)
		return WEFT_STEP_END;
	end = weft_item_new(WEFT_ITEM_END, number);
	end->is_whole = is_whole;
	return weft_step_after(weft_runner_send(runner, end));
}

static void decode_done(void *state)
{
	Decode *decode = state;

	g_free(decode->passwords);
	g_free(decode);
}

const WeftNodeClass weft_node_decode = {"decode", decode_init, decode_step, NULL, decode_done};
