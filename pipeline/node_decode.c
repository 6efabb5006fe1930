/* node_decode.c - a document becomes its parts, one at a time.
 *
 * What an earlier run has read of it stands in its journal, under the content's key, and goes down
 * the flow once more; decoding goes on behind it. Marks tell the journal how far reading got.
 * What goes no further (a fault, a skipped type, a copy) is passed on with its end at once. A page
 * whose text stands in the file is marked as read, so that no reader looks at its picture again.
 *
 * Of several files that are one document together, each has its own journal, and goes down the flow
 * between MEMBER and MEMBER_END as it would by itself: nobody here knows its number.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "pipeline/answers.h"
#include "pipeline/inventory.h"
#include "pipeline/members.h"
#include "pipeline/replay.h"
#include "pipeline/sound_pass.h"

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
	decode->options =
	    weft_decode_flow_options(run, (const char *const *)decode->passwords);
	decode->options.want_rasters = run->task->reads;
	decode->options.want_pcm = run->task->reads && asks && run->ears == NULL &&
	                           encoders != NULL && weft_encoders_can_hear(encoders) &&
	                           (weft_engine_hears_words(run->engine) ||
	                            weft_engine_knows_task(run->engine));
	if (run->reader == WEFT_READ_TESSERACT && job->page_dpi == 0 && !job->is_dry)
		decode->options.page_dpi = WEFT_TESSERACT_DPI;
	else if (run->reader != WEFT_READ_TESSERACT && encoders != NULL)
		decode->options.raster_side_max = weft_encoders_raster_side_max(encoders);
	decode->has_options = TRUE;
	return TRUE;
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

/* The record that is to be made, and all that is read for it. */
typedef struct Asked {
	char id[72], content_key[65];
} Asked;

static Asked asked_of(const WeftDocument *document)
{
	Asked asked;

	g_strlcpy(asked.id, document->id, sizeof asked.id);
	g_strlcpy(asked.content_key, document->content_key, sizeof asked.content_key);
	return asked;
}

/* Whose windows are answered already; a guard looks at all of them again. *ret_at: as the file knows
 * it, which is the `member` of that number, or the only one. */
static gboolean find_seen(const Decode *decode, const Asked *asked, guint32 member, WeftAnchor *ret_at)
{
	WeftRun *run = decode->run;
	char key[65];
	g_autoptr(WeftJournalReader) reader = NULL;
	g_autoptr(WeftAnswers) answers = NULL;
	WeftAnchor at;

	if (run->guard != NULL || run->task->windows == WEFT_WINDOWS_NONE)
		return FALSE;
	weft_answers_key(asked->id, asked->content_key, WEFT_ROUND_ANSWER, key);
	reader = weft_stash_look(run->stash, key);
	answers = weft_answers_read(reader);
	if (answers == NULL || !weft_answers_last_part(answers, &at) || at.document < member)
		return FALSE;
	if (at.document == member)
		at.document = 0; /* else a later one: nothing of this is behind it */
	*ret_at = at;
	return TRUE;
}

/* ---- a document ---- */

/* What is known, then the rest. A journal that the disk does not give any more ends the run: parts of
 * it have gone down the flow, and the document is not to blame. The next run begins it anew. */
static bool send_known(WeftDecodeFlow *flow, WeftJournalReader *known, const WeftAnchor *seen,
                       guint64 position, const WeftDocument *document, GError **error)
{
	GError *failure = NULL;

	if (!weft_replay_send(flow, known, seen, &failure)) {
		if (failure != NULL && failure->code != WEFT_ERROR_GONE)
			weft_stash_forget(flow->run->stash, document->content_key);
		if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO))
			flow->run->failed_to_write = TRUE;
		if (failure != NULL)
			g_propagate_error(error, failure);
		return false;
	}
	return weft_journal_reader_is_complete(known) ||
	       (weft_decode_flow_caption(flow, document->sidecar, true, error) &&
		weft_inventory_send(flow, document, position, error));
}

static bool send_new(WeftDecodeFlow *flow, const WeftDocument *document, GError **error)
{
	gboolean listens = flow->run->ears != NULL && !flow->run->job->is_dry &&
			   flow->sniff.family == WEFT_FAMILY_AV;

	return weft_decode_flow_caption(flow, document->sidecar, false, error) &&
	       (!listens || flow->captions != NULL || weft_sound_pass(flow, error)) &&
	       weft_inventory_send(flow, document, 0, error);
}

/* Sends the item, and all that comes of its document; `end` is for the caller to send. FALSE: nobody
 * receives any more, or error is set. A failure becomes a fault that is sent on, except the end of a
 * helper program: no document is blamed for that. The document has its content key. */
static bool send_document(Decode *decode, WeftRunner *runner, WeftItem *take_item, const Asked *asked,
                          WeftItem *end, GError **error)
{
	WeftDocument *document = take_item->begin;
	WeftDecodeFlow flow = {.run = decode->run,
	                       .runner = runner,
	                       .number = take_item->document,
	                       .sniff = document->sniff,
	                       .fd = document->fd,
	                       .options = &decode->options,
	                       .status = document->status};
	g_autoptr(WeftJournalReader) known = NULL;
	g_autoptr(WeftSidecar) sidecar = g_steal_pointer(&document->sidecar);
	GError *failure = NULL;
	WeftAnchor seen;
	gboolean has_seen;
	guint64 position;
	WeftDocument facts = {0}; /* what is needed of it once it has gone */

	g_strlcpy(facts.content_key, document->content_key, sizeof facts.content_key);
	g_strlcpy(facts.sha256, document->sha256, sizeof facts.sha256);
	facts.sniff = document->sniff;
	facts.sidecar = sidecar;
	take_item->journal = weft_replay_begin(decode->run->stash, document->content_key, &known);
	has_seen = known != NULL && find_seen(decode, asked, document->member, &seen);
	position = known != NULL ? weft_journal_position(take_item->journal) : 0;
	document->fd = -1; /* the caller closes it */
	if (!weft_runner_send(runner, take_item))
		return false;
	end->is_replayed = known != NULL && weft_journal_reader_is_complete(known);
	end->is_whole = known != NULL ? send_known(&flow, known, has_seen ? &seen : NULL, position,
	                                           &facts, &failure)
	                              : send_new(&flow, &facts, &failure);
	g_clear_pointer(&flow.captions, g_ptr_array_unref);
	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE) ||
	    (failure != NULL && decode->run->failed_to_write)) {
		g_propagate_error(error, failure);
		return false;
	}
	if (end->is_whole || failure != NULL)
		end->ledgers = weft_decode_flow_end(&flow, failure);
	if (failure != NULL)
		return weft_item_send_fault(runner, flow.number, "decode", failure, NULL);
	return end->is_whole;
}

static void set_content_key(const Decode *decode, WeftDocument *document)
{
	weft_content_key(decode->run, decode->run->reader, &decode->options, document,
	                 document->content_key);
}

/* ---- several that are one document together ---- */

/* Takes the error. */
static void set_fault(WeftDocument *member, const char *stage, GError *take_error)
{
	member->fault = weft_part_fault_new(stage, take_error, NULL);
}

static void set_changed(WeftDocument *member, const char *what)
{
	set_fault(member, "decode",
	          g_error_new(WEFT_ERROR, WEFT_ERROR_CHANGED, "%s changed while it was read; run again",
	                      what));
}

/* The captions that were hashed, or a fault. */
static void open_captions(WeftDocument *member)
{
	if (member->sidecar_path == NULL)
		return;
	member->sidecar = weft_sidecar_open(member->folder, member->path, member->captions);
	if (member->sidecar == NULL || strcmp(member->sidecar->sha256, member->sidecar_sha256) != 0)
		set_changed(member, "captions that lie beside the file");
}

/* The file that was hashed, or a fault. */
static void open_member(WeftDocument *member)
{
	struct stat status;

	member->fd = weft_folder_open_file(member->folder, member->path);
	if (member->fd < 0 || fstat(member->fd, &status) != 0)
		set_fault(member, "open",
		          g_error_new(WEFT_ERROR, WEFT_ERROR_IO, "%s", g_strerror(errno)));
	else if (status.st_dev != member->status.st_dev || status.st_ino != member->status.st_ino ||
	         weft_document_has_changed(&member->status, member->fd))
		set_changed(member, "the file");
	else
		open_captions(member);
}

/* One that can't be read is its fault. */
static bool send_faulty(WeftRunner *runner, WeftItem *take_item)
{
	guint64 number = take_item->document;
	const char *stage = take_item->begin->fault->stage;
	GError *fault = g_error_copy(take_item->begin->fault->error);

	take_item->begin->fd = -1;
	if (weft_runner_send(runner, take_item))
		return weft_item_send_fault(runner, number, stage, fault, NULL);
	g_error_free(fault);
	return false;
}

/* Takes the member. What was read of one that has changed is not of its hash. */
static bool send_member(Decode *decode, WeftRunner *runner, guint64 number, WeftDocument *take_member,
                        const Asked *asked, GError **error)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_MEMBER, number);
	g_autoptr(WeftItem) end = weft_item_new(WEFT_ITEM_MEMBER_END, number);
	struct stat before = take_member->status;
	char key[65];
	bool is_sent;
	int fd;

	item->begin = take_member;
	weft_run_begin_file(decode->run, take_member->path);
	g_strlcpy(key, take_member->content_key, sizeof key);
	if (take_member->fault == NULL)
		open_member(take_member);
	fd = take_member->fd;
	if (take_member->fault != NULL) {
		is_sent = send_faulty(runner, item);
	} else {
		is_sent = send_document(decode, runner, item, asked, end, error) &&
		          check_changed(runner, number, fd, &before, &end->is_whole);
		if (weft_document_has_changed(&before, fd) && decode->run->stash != NULL)
			weft_stash_forget(decode->run->stash, key);
	}
	if (fd >= 0)
		close(fd);
	return is_sent && weft_runner_send(runner, g_steal_pointer(&end));
}

/* As send_document, of all members. */
static bool send_members(Decode *decode, WeftRunner *runner, WeftItem *take_item, WeftItem *end,
                         GError **error)
{
	WeftDocument *document = take_item->begin;
	g_autoptr(GPtrArray) members = weft_members_take(document);
	guint64 number = take_item->document;
	GError *failure = NULL;
	bool is_sent;
	Asked asked;

	for (guint i = 0; i < members->len; i++)
		set_content_key(decode, members->pdata[i]);
	weft_members_content_key(members, document->content_key);
	asked = asked_of(document);
	is_sent = weft_runner_send(runner, take_item);
	for (guint i = 0; i < members->len && is_sent; i++) {
		if (weft_stop_is_asked(decode->run->stop))
			return weft_item_send_stop(runner, number);
		is_sent = send_member(decode, runner, number, g_steal_pointer(&members->pdata[i]), &asked,
		                      &failure) &&
		          failure == NULL;
	}
	if (failure != NULL)
		g_propagate_error(error, failure);
	end->is_whole = is_sent;
	return is_sent;
}

static bool send_closed(WeftRunner *runner, WeftItem *take_item)
{
	take_item->begin->fd = -1;
	return weft_runner_send(runner, take_item);
}

static bool send_one(Decode *decode, WeftRunner *runner, WeftItem *take_item, WeftItem *end,
                     GError **error)
{
	Asked asked;

	set_content_key(decode, take_item->begin);
	asked = asked_of(take_item->begin);
	return send_document(decode, runner, take_item, &asked, end, error);
}

static WeftStep decode_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Decode *decode = state;
	WeftItem *item = take_item;
	g_autoptr(WeftItem) end = weft_item_new(WEFT_ITEM_END, item->document);
	WeftDocument *document = item->begin;
	gboolean is_open = document->fault == NULL && !document->is_copy;
	int fd = document->fd;
	struct stat before = document->status; /* when it was hashed */
	GError *failure = NULL;
	bool is_sent;

	if (document->is_inventory) {
		is_sent = weft_inventory_take(decode->run, runner, g_steal_pointer(&item->begin),
		                              (const char *const *)decode->passwords, &failure);
		weft_item_free(item);
		if (failure != NULL)
			g_propagate_error(error, failure);
		return failure != NULL ? WEFT_STEP_FAILED : weft_step_after(is_sent);
	}
	if (is_open && !decode->has_options && !set_options(decode, error)) {
		weft_item_free(item);
		return WEFT_STEP_FAILED;
	}
	if (is_open && document->members != NULL)
		is_sent = send_members(decode, runner, item, end, &failure);
	else if (is_open)
		is_sent = send_one(decode, runner, item, end, &failure) &&
		          check_changed(runner, end->document, fd, &before, &end->is_whole);
	else
		is_sent = send_closed(runner, item);
	if (fd >= 0)
		close(fd);
	if (failure != NULL) {
		g_propagate_error(error, failure);
		return WEFT_STEP_FAILED;
	}
	return weft_step_after(is_sent && weft_runner_send(runner, g_steal_pointer(&end)));
}

static void decode_done(void *state)
{
	Decode *decode = state;

	g_free(decode->passwords);
	g_free(decode);
}

const WeftNodeClass weft_node_decode = {"decode", decode_init, decode_step, NULL, decode_done};
