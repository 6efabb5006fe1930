/* node_window.c - cuts each document into windows, beside the parts that go on to the record.
 *
 * What was read is written to the document's journal here, behind the last node that reads.
 * Content is numbered here in the order in which the record will hold it. Text that the page does
 * not show is never asked about. What nothing read and nothing can look at becomes a fault; speech
 * and frames are told once for each document, with the stretch of time that they cover. Where the
 * task asks nothing, windows are there for a guard alone, cut for its bundle.
 *
 * Of several files that are one document together, what comes of each gets its number here, behind the
 * journal, which knows none: places and the labels of speakers, who are others in each. What is told once
 * for a document is told for each file.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "pipeline/run.h"

#define OUTLINE_LINES_MAX 40

/* Of the document's file, or of one of several. */
typedef struct File {
	gboolean has_captions; /* what is said stands in the file, or beside it */
	WeftAnchor unasked;    /* sound in windows that are not asked; has_time FALSE: none */
	double unheard_s;      /* of sound that came, and whose words nobody has heard */
	gboolean has_more;     /* than sound: a track of pictures or captions */
} File;

typedef struct Flow {
	guint32 member;     /* that comes now (members.h); 0: the document is one file */
	WeftCutter *cutter; /* NULL: nothing is asked about this document */
	guint32 n_contents;
	guint n_outline;
	gboolean has_substance; /* more than what the file says about itself */
	GArray *files;          /* File, by their number */
	WeftWindow *held;       /* asked only if it is the last */
	guint32 n_windows, n_windows_skipped;
	WeftAnchor unheard, unseen; /* time ranges; has_time FALSE: none */
	guint n_unseen;
	GArray *facts; /* WeftWindowFacts */
	WeftJournal *journal; /* of what was read; NULL: not kept */
} Flow;

typedef struct Windows {
	WeftRun *run;
	GHashTable *flows; /* number of the document -> Flow */
} Windows;

static void flow_free(void *data)
{
	Flow *flow = data;

	weft_cutter_free(flow->cutter);
	weft_window_free(flow->held);
	g_clear_pointer(&flow->facts, g_array_unref);
	g_array_unref(flow->files);
	weft_journal_close(flow->journal);
	g_free(flow);
}

static File *file_of(const Flow *flow, guint32 number)
{
	if (number >= flow->files->len)
		g_array_set_size(flow->files, number + 1);
	return &g_array_index(flow->files, File, number);
}

static gboolean window_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Windows *windows = g_new0(Windows, 1);

	windows->run = shared;
	windows->flows = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, flow_free);
	*ret_state = windows;
	return TRUE;
}

static gboolean asks(const WeftRun *run)
{
	return run->task->windows != WEFT_WINDOWS_NONE;
}

static const WeftEncoders *encoders_of(const WeftRun *run)
{
	return weft_engine_encoders(asks(run) ? run->engine : run->guard);
}

static gboolean begin_flow(Windows *windows, WeftItem *item, GError **error)
{
	WeftRun *run = windows->run;
	const WeftDocument *document = item->begin;
	Flow *flow = g_new0(Flow, 1);
	guint64 *key = g_new(guint64, 1);

	*key = document->number;
	flow->journal = g_steal_pointer(&item->journal);
	flow->files = g_array_new(FALSE, TRUE, sizeof(File));
	file_of(flow, 0)->has_more = document->sidecar_path != NULL;
	g_hash_table_insert(windows->flows, key, flow);
	if ((!asks(run) && run->guard == NULL) || document->fault != NULL || document->is_copy)
		return TRUE;
	if (!weft_engine_open(asks(run) ? run->engine : run->guard, error))
		return FALSE;
	flow->cutter = weft_cutter_new(
	    encoders_of(run), asks(run) ? weft_engine_capacity(run->engine, WEFT_ROUND_ANSWER)
	                                : weft_engine_capacity(run->guard, WEFT_ROUND_GUARD));
	if (asks(run) && run->task->chooses_frames)
		weft_cutter_choose_frames(flow->cutter);
	return TRUE;
}

static void note_window(Flow *flow, const WeftWindow *window)
{
	WeftWindowFacts facts = weft_window_facts(window);

	if (flow->facts == NULL)
		flow->facts = g_array_new(FALSE, TRUE, sizeof facts);
	g_array_append_val(flow->facts, facts);
}

static bool send_window(WeftRunner *runner, guint64 number, WeftWindow *take_window)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_WINDOW, number);

	item->window = take_window;
	return weft_runner_send(runner, item);
}

static void cover_time(WeftAnchor *covered, const WeftAnchor *at)
{
	if (!at->has_time)
		return;
	if (!covered->has_time) {
		covered->has_time = TRUE;
		covered->time[0] = at->time[0];
		covered->time[1] = at->time[1];
		return;
	}
	covered->time[0] = fmin(covered->time[0], at->time[0]);
	covered->time[1] = fmax(covered->time[1], at->time[1]);
}

/* What a window that is not asked held, and nothing else has read. Takes the window. */
static bool leave_out(WeftRunner *runner, guint64 number, Flow *flow, gboolean hears_words,
                      WeftWindow *take_window)
{
	g_autoptr(WeftWindow) window = take_window;
	bool is_sent = true;

	flow->n_windows_skipped++;
	g_array_index(flow->facts, WeftWindowFacts, window->number).is_asked = FALSE;
	for (guint i = 0; i < window->pieces->len && is_sent; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		if (piece->part == NULL || piece->content == WEFT_SPAN_NO_CONTENT)
			continue;
		if (piece->part->kind == WEFT_PART_PCM) { /* told once, for all of it */
			File *file = file_of(flow, piece->anchor.document);

			if (!hears_words)
				continue;
			cover_time(&file->unasked, &piece->anchor);
			file->unheard_s += piece->anchor.time[1] - piece->anchor.time[0];
			continue;
		}
		is_sent = weft_item_send_fault(
		    runner, number, "window",
		    g_error_new(WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED,
		                "not looked at: the task asks about the first and the last window "
		                "only, and no reader is there"),
		    &piece->anchor);
	}
	return is_sent;
}

static bool send_full(Windows *windows, WeftRunner *runner, guint64 number, Flow *flow)
{
	bool is_sent = true;
	WeftWindow *window;

	while (is_sent && flow->cutter != NULL &&
	       (window = weft_cutter_take(flow->cutter)) != NULL) {
		flow->n_windows++;
		note_window(flow, window);
		if (windows->run->task->windows == WEFT_WINDOWS_ENDS && window->number > 0) {
			if (flow->held != NULL)
				is_sent = leave_out(runner, number, flow,
				                    weft_engine_hears_words(windows->run->engine),
				                    g_steal_pointer(&flow->held));
			flow->held = window;
		} else {
			is_sent = send_window(runner, number, window);
		}
	}
	return is_sent;
}

/* "S1", "S1+S3?": who that is, only the recording says. */
static gboolean is_label(const char *speaker)
{
	return speaker[0] == 'S' && g_ascii_isdigit(speaker[1]) &&
	       speaker[1 + strspn(speaker + 1, "0123456789S+?")] == '\0';
}

static void name_speaker(const WeftNames *names, guint32 member, WeftContent *content)
{
	g_autofree char *label = member > 0 && is_label(content->speaker)
					 ? g_strdup_printf("%u/%s", member, content->speaker)
					 : g_strdup(content->speaker);
	char *name = weft_names_of(names, label);

	g_free(content->speaker);
	content->speaker = name != NULL ? name : g_steal_pointer(&label);
}

static bool take_content(Windows *windows, WeftRunner *runner, Flow *flow, WeftItem *take_item)
{
	WeftContent *content = take_item->part->content;
	guint64 number = take_item->document;

	if (content->speaker != NULL)
		name_speaker(windows->run->names, flow->member, content);

	if (content->kind == WEFT_CONTENT_SPEECH && content->text != NULL)
		file_of(flow, flow->member)->has_captions = TRUE;
	if (content->kind == WEFT_CONTENT_SPEECH && content->text == NULL &&
	    windows->run->task->reads)
		cover_time(&flow->unheard, &take_item->part->anchor);
	if (flow->cutter != NULL && !content->hidden) {
		weft_cutter_add_content(flow->cutter, content, flow->n_contents);
		flow->has_substance |= content->text != NULL && content->text[0] != '\0';
	}
	flow->n_contents++;
	return weft_runner_send(runner, take_item) && send_full(windows, runner, number, flow);
}

/* A fault of its own for each page and picture, one for all frames. */
static bool note_unseen(Flow *flow, WeftRunner *runner, guint64 number, const WeftPart *part)
{
	if (part->kind == WEFT_PART_FRAME) {
		cover_time(&flow->unseen, &part->anchor);
		flow->n_unseen++;
		return true;
	}
	return weft_item_send_fault(
	    runner, number, "read",
	    g_error_new(WEFT_ERROR, WEFT_ERROR_NO_READER,
	                "the picture was not read: install Tesseract (tesseract-ocr), or use a "
	                "bundle that reads (-m)"),
	    &part->anchor);
}

static bool take_picture(Windows *windows, WeftRunner *runner, Flow *flow, WeftItem *take_item)
{
	g_autoptr(WeftItem) item = take_item;
	WeftPart *part = item->part;
	guint64 number = item->document;
	guint32 content = WEFT_SPAN_NO_CONTENT;
	gboolean is_shown = flow->cutter != NULL && weft_run_shows(windows->run, item);
	gboolean is_looked_at = is_shown && asks(windows->run);
	GError *failure = NULL;
	WeftAnchor at = part->anchor;

	if (item->picture != WEFT_PICTURE_READ) {
		WeftContentKind kind =
		    part->kind == WEFT_PART_FRAME ? WEFT_CONTENT_FRAME : WEFT_CONTENT_IMAGE;

		if (!weft_item_send_content(runner, number,
		                            weft_content_new(kind, WEFT_BY_FILE, NULL, at)))
			return false;
		content = flow->n_contents++;
	}
	flow->has_substance |= is_shown;
	if (!is_looked_at && item->picture == WEFT_PICTURE_UNREAD && windows->run->task->reads &&
	    !note_unseen(flow, runner, number, part))
		return false;
	if (!is_shown)
		return true;
	weft_part_release_memory(item->part);
	if (!weft_cutter_add_part(flow->cutter, g_steal_pointer(&item->part), content,
	                          item->picture == WEFT_PICTURE_READ, &failure))
		return weft_item_send_fault(runner, number, "window", failure, &at);
	return send_full(windows, runner, number, flow);
}

static bool take_sound(Windows *windows, WeftRunner *runner, Flow *flow, WeftItem *take_item)
{
	g_autoptr(WeftItem) item = take_item;
	WeftAnchor at = item->part->anchor;
	guint64 number = item->document;
	guint32 content;
	GError *failure = NULL;

	if (item->picture == WEFT_PICTURE_READ) /* what was said in it comes as content */
		return weft_runner_send(runner, g_steal_pointer(&item));
	content = flow->n_contents++;
	if (!weft_item_send_content(runner, number,
	                            weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_FILE, NULL, at)))
		return false;
	if (flow->cutter == NULL || !asks(windows->run)) {
		cover_time(&flow->unheard, &at);
		return true;
	}
	if (!weft_engine_hears_words(windows->run->engine)) {
		cover_time(&flow->unheard, &at);
		file_of(flow, flow->member)->unheard_s += at.time[1] - at.time[0];
		/* what is read says more, and is not to be disturbed */
		if (file_of(flow, flow->member)->has_more)
			return true;
	}
	flow->has_substance = TRUE;
	weft_part_release_memory(item->part);
	if (!weft_cutter_add_part(flow->cutter, g_steal_pointer(&item->part), content, FALSE,
	                          &failure))
		return weft_item_send_fault(runner, number, "window", failure, &at);
	return send_full(windows, runner, number, flow);
}

/* What the file says about itself stands in the first window of a task that asks about the ends. */
static void take_fact(Windows *windows, Flow *flow, const WeftPart *part)
{
	static const char *const told[] = {"title", "author", "subject", "keywords", NULL};
	g_autofree char *key = NULL;
	g_autofree char *line = NULL;

	if (flow->cutter == NULL || windows->run->task->windows != WEFT_WINDOWS_ENDS ||
	    flow->n_contents > 0 || part->value == NULL)
		return;
	if (part->kind == WEFT_PART_OUTLINE) {
		if (flow->n_outline++ < OUTLINE_LINES_MAX)
			weft_cutter_add_text(flow->cutter, part->value);
		return;
	}
	key = part->key != NULL ? g_ascii_strdown(part->key, -1) : NULL;
	if (part->kind != WEFT_PART_META || key == NULL || !g_strv_contains(told, key))
		return;
	line = g_strdup_printf("%s: %s", key, part->value);
	weft_cutter_add_text(flow->cutter, line);
}

static bool take_part(Windows *windows, WeftRunner *runner, Flow *flow, WeftItem *take_item)
{
	switch (take_item->part->kind) {
	case WEFT_PART_CONTENT:
		return take_content(windows, runner, flow, take_item);
	case WEFT_PART_RASTER:
	case WEFT_PART_FRAME:
		return take_picture(windows, runner, flow, take_item);
	case WEFT_PART_PCM:
		return take_sound(windows, runner, flow, take_item);
	case WEFT_PART_TRACK:
		if (strcmp(take_item->part->track.kind, "audio") != 0)
			file_of(flow, flow->member)->has_more = TRUE;
		return weft_runner_send(runner, take_item);
	default:
		take_fact(windows, flow, take_item->part);
		return weft_runner_send(runner, take_item);
	}
}

static bool send_unread(Flow *flow, WeftRunner *runner, guint64 number)
{
	bool is_sent = true;

	flow->unheard.document = flow->unseen.document = flow->member;
	if (flow->unheard.has_time && !file_of(flow, flow->member)->has_captions)
		is_sent = weft_item_send_fault(
		    runner, number, "read",
		    g_error_new(WEFT_ERROR, WEFT_ERROR_NO_READER,
		                "speech was found and not read: a Whisper would write it down "
		                "(--audio DIR, a checkpoint that can write)"),
		    &flow->unheard);
	if (is_sent && flow->n_unseen > 0)
		is_sent = weft_item_send_fault(
		    runner, number, "read",
		    g_error_new(
		        WEFT_ERROR, WEFT_ERROR_NO_READER,
		        "%u frames were not read: install Tesseract (tesseract-ocr), or use "
		        "a bundle that reads (-m)",
		        flow->n_unseen),
		    &flow->unseen);
	return is_sent;
}

/* Sound of windows between the first and the last, where nobody else has listened. */
static bool send_unasked(const Flow *flow, WeftRunner *runner, WeftItem *end)
{
	bool is_sent = true;

	for (guint32 i = 0; i < flow->files->len && is_sent; i++) {
		File *file = file_of(flow, i);

		if (file->has_captions)
			continue;
		end->unheard_ms += (guint64)llround(CLAMP(file->unheard_s, 0, 1e9) * 1e3);
		file->unasked.document = i;
		if (file->unasked.has_time)
			is_sent = weft_item_send_fault(
			    runner, end->document, "window",
			    g_error_new(WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED,
			                "%.0f s of sound were not listened to: the task asks about the first "
			                "and the last window only",
			                file->unheard_s),
			    &file->unasked);
	}
	return is_sent;
}

/* Frames that nothing read, in windows that show others. */
static bool send_left_out(const Flow *flow, WeftRunner *runner, guint64 number)
{
	WeftLeftOut left_out = {0};

	if (flow->cutter != NULL)
		left_out = weft_cutter_left_out(flow->cutter);
	return left_out.n_frames == 0 ||
	       weft_item_send_fault(
	           runner, number, "window",
	           g_error_new(WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED,
	                       "%u of %u frames were not looked at: the task shows %d of a window, "
	                       "spread over it (frames=all in its file: every one)",
	                       left_out.n_frames, left_out.n_of, WEFT_WINDOW_PICTURES_MAX),
	           &left_out.at);
}

/* ---- several files together ---- */

static void begin_member(Flow *flow, WeftItem *item)
{
	flow->member = item->begin->member;
	flow->journal = g_steal_pointer(&item->journal);
	flow->n_outline = 0;
	if (flow->cutter != NULL)
		weft_cutter_begin_member(flow->cutter, flow->member, item->begin->name);
}

/* The journal stays where it is until the run ends: stash.h. */
static bool end_member(Flow *flow, WeftRunner *runner, WeftItem *take_item)
{
	bool is_sent = send_unread(flow, runner, take_item->document);

	flow->unheard = flow->unseen = (WeftAnchor){0};
	flow->n_unseen = 0;
	if (flow->journal != NULL && take_item->is_whole)
		weft_journal_end(flow->journal);
	g_clear_pointer(&flow->journal, weft_journal_close);
	if (is_sent)
		return weft_runner_send(runner, take_item);
	weft_item_free(take_item);
	return false;
}

static void set_member(const Flow *flow, WeftItem *item)
{
	if (item->part != NULL) {
		item->part->anchor.document = flow->member;
		if (item->part->content != NULL)
			weft_content_set_document(item->part->content, flow->member);
	}
	if (item->fault != NULL)
		item->fault->at.document = flow->member;
}

static bool end_flow(Windows *windows, WeftRunner *runner, Flow *flow, WeftItem *take_item)
{
	g_autoptr(WeftItem) item = take_item;
	guint64 number = item->document;
	bool is_sent;

	flow->member = 0;
	if (flow->cutter != NULL && flow->has_substance)
		weft_cutter_end(flow->cutter);
	is_sent = send_full(windows, runner, number, flow);
	if (is_sent && flow->held != NULL)
		is_sent = send_window(runner, number, g_steal_pointer(&flow->held));
	if (is_sent)
		is_sent = send_unread(flow, runner, number) &&
		          send_unasked(flow, runner, item) &&
		          send_left_out(flow, runner, number);
	item->n_windows = asks(windows->run) ? flow->n_windows : 0;
	item->n_windows_skipped = flow->n_windows_skipped;
	if (asks(windows->run))
		item->windows = g_steal_pointer(&flow->facts);
	if (flow->journal != NULL && item->is_whole)
		weft_journal_end(flow->journal);
	item->journal = g_steal_pointer(&flow->journal);
	g_hash_table_remove(windows->flows, &number);
	return is_sent && weft_runner_send(runner, g_steal_pointer(&item));
}

static WeftStep window_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Windows *windows = state;
	WeftItem *item = take_item;
	Flow *flow;

	if (item->kind == WEFT_ITEM_BEGIN && !begin_flow(windows, item, error)) {
		weft_item_free(item);
		return WEFT_STEP_FAILED;
	}
	flow = g_hash_table_lookup(windows->flows, &item->document);
	if (weft_item_is_stop(item)) {
		/* What would follow is not what would follow in a run that goes on. */
		g_clear_pointer(&flow->cutter, weft_cutter_free);
		g_clear_pointer(&flow->held, weft_window_free);
	}
	if (flow->journal != NULL && !item->is_replayed)
		weft_entry_write(flow->journal, item);
	if (item->kind == WEFT_ITEM_MEMBER)
		begin_member(flow, item);
	else if (item->kind == WEFT_ITEM_MEMBER_END)
		return weft_step_after(end_member(flow, runner, item));
	else if (flow->member > 0)
		set_member(flow, item);
	if (item->kind == WEFT_ITEM_MARK || item->kind == WEFT_ITEM_SOUNDING ||
	    item->kind == WEFT_ITEM_HEARING) {
		weft_item_free(item);
		return WEFT_STEP_MORE;
	}
	if (item->kind == WEFT_ITEM_PART)
		return weft_step_after(take_part(windows, runner, flow, item));
	if (item->kind == WEFT_ITEM_END)
		return weft_step_after(end_flow(windows, runner, flow, item));
	return weft_step_after(weft_runner_send(runner, item));
}

static void window_done(void *state)
{
	Windows *windows = state;

	g_hash_table_unref(windows->flows);
	g_free(windows);
}

const WeftNodeClass weft_node_window = {"window", window_init, window_step, NULL, window_done};
