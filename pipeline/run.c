#include "pipeline/run.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "pipeline/fingerprint.h"
#include "pipeline/join.h"
#include "pipeline/keep_job.h"
#include "pipeline/lost.h"
#include "pipeline/members.h"
#include "pipeline/walk.h"

#define THREADS_MAX 64
/* Documents under way: enough that no thread waits for one, few enough that each may hold its text. */
#define DOCUMENTS_PER_THREAD 2
#define DOCUMENTS_MORE 4

static guint count_threads(const WeftJob *job)
{
	cpu_set_t set;

	if (job->jobs > 0)
		return MIN(job->jobs, THREADS_MAX);
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	return CLAMP((guint)CPU_COUNT(&set), 1, THREADS_MAX);
}

static gboolean choose_reader(WeftRun *run, GError **error)
{
	const WeftConfig *config =
		run->engine != NULL ? weft_bundle_config(weft_engine_bundle(run->engine)) : NULL;
	gboolean can_see = config != NULL && config->has_vision;

	if (!run->task->reads)
		run->reader = WEFT_READ_NONE;
	else if (run->job->reader != WEFT_READ_AUTO)
		run->reader = run->job->reader;
	else if (can_see && config->traits.reads)
		run->reader = WEFT_READ_BUNDLE;
	else
		run->reader = weft_ingest_has_ocr(run->ingest) ? WEFT_READ_TESSERACT : WEFT_READ_NONE;

	if (run->reader == WEFT_READ_BUNDLE && !can_see) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "reader: %s has no part for pictures", run->job->model);
		return FALSE;
	}
	if (run->reader == WEFT_READ_TESSERACT && !weft_ingest_has_ocr(run->ingest)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "reader: tesseract is not there: install tesseract-ocr, and weft with "
			    "weft-decode-ocr");
		return FALSE;
	}
	if (run->job->checks_text && run->reader != WEFT_READ_TESSERACT) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "check-text: Tesseract is who reads places alone, and this run does not read with it "
			    "(--reader tesseract)");
		return FALSE;
	}
	return TRUE;
}

/* The model is there only where something will be asked of it. */
static gboolean open_engine(WeftRun *run, GError **error)
{
	gboolean asks = run->task->windows != WEFT_WINDOWS_NONE;
	gboolean may_read = run->task->reads && (run->job->reader == WEFT_READ_AUTO ||
						 run->job->reader == WEFT_READ_BUNDLE);

	if (asks || may_read) {
		run->engine = weft_engine_new(run->job, run->task, run->n_threads, error);
		if (run->engine == NULL)
			return FALSE;
	}
	if (!choose_reader(run, error))
		return FALSE;
	if (!asks && run->reader != WEFT_READ_BUNDLE)
		g_clear_pointer(&run->engine, weft_engine_free);
	if (run->job->guard != NULL) {
		run->guard = weft_engine_new_guard(run->job, run->n_threads, error);
		return run->guard != NULL;
	}
	return TRUE;
}

static void set_decoders(WeftRun *run)
{
	g_autofree char *versions = weft_run_versions(run);

	weft_decoders_key(versions, run->decoders);
}

/* There may be millions: those that are tidy are the job's own. */
static void tidy_inputs(WeftRun *run)
{
	const GPtrArray *inputs = run->job->inputs;

	run->inputs = g_ptr_array_sized_new(inputs->len);
	run->tidied = g_string_chunk_new(4096);
	for (guint i = 0; i < inputs->len; i++) {
		char *path = g_ptr_array_index(inputs, i);
		g_autofree char *tidy = weft_path_tidy(path);

		g_ptr_array_add(run->inputs, strcmp(tidy, path) == 0
						     ? path
						     : g_string_chunk_insert(run->tidied, tidy));
	}
}

/* What earlier runs have left, to read only; NULL: nothing, or nothing that can be read. */
static WeftOutputs *look_at_outputs(const WeftJob *job)
{
	if (strcmp(job->output, "-") == 0)
		return NULL;
	return weft_outputs_open_existing(job->output, job->state, NULL);
}

static void open_cache(WeftRun *run)
{
	const WeftJob *job = run->job;
	g_autofree char *state = job->state != NULL ? g_strdup(job->state)
						    : g_build_filename(job->output, "state", NULL);

	if (weft_store_is_folder(run->store)) {
		run->stash = weft_stash_new(state, job->cache_bytes);
		weft_run_beat_begin(run, state);
		run->state_dir = g_steal_pointer(&state);
	}
}

static gboolean open_outputs(WeftRun *run, GError **error)
{
	WeftOutputs *outputs = NULL;

	if (run->job->is_dry) {
		run->store = weft_store_new(look_at_outputs(run->job), run->fingerprint, error);
		return run->store != NULL;
	}
	if (strcmp(run->job->output, "-") != 0) {
		outputs = weft_outputs_open(run->job->output, run->job->state,
					    run->job->joins ? WEFT_OUTPUTS_JOIN : WEFT_OUTPUTS_FIRST,
					    error);
		if (outputs == NULL)
			return FALSE;
		if (weft_outputs_note(outputs) != NULL)
			weft_run_say(run, g_strdup(weft_outputs_note(outputs)));
	}
	run->store = weft_store_new(outputs, run->fingerprint, error);
	if (run->store == NULL)
		return FALSE;
	open_cache(run);
	return weft_run_keep_job(run, error);
}

static void set_stop(WeftRun *run)
{
	const WeftJob *job = run->job;

	run->stop = weft_stop_new();
	if (job->max_time_s > 0)
		weft_stop_after(run->stop, job->max_time_s);
	if (job->until_s > 0)
		weft_stop_after(run->stop,
				(double)job->until_s - (double)g_get_real_time() / G_USEC_PER_SEC);
}

static gboolean share_memory(WeftRun *run, GError **error)
{
	const WeftJob *job = run->job;
	gsize percent = (gsize)(job->memory_bytes / 100);

	if (weft_ingest_limit_memory(run->ingest, percent * WEFT_PERCENT_DECODE,
				     percent * WEFT_PERCENT_READ, &job->limits,
				     run->reader == WEFT_READ_TESSERACT, error))
		return TRUE;
	g_prefix_error(error, "memory: %" G_GUINT64_FORMAT " bytes are too few: ", job->memory_bytes);
	return FALSE;
}

WeftRun *weft_run_new(const WeftJob *job, WeftIngest *ingest, GError **error)
{
	g_autoptr(WeftRun) run = g_new0(WeftRun, 1);
	char *untaught;

	run->job = job;
	run->ingest = ingest;
	run->n_threads = count_threads(job);
	run->begin_ns = weft_trace_now_ns();
	set_stop(run);
	pthread_mutex_init(&run->tally.mutex, NULL);
	g_queue_init(&run->tally.messages);
	run->done_fd = eventfd(0, EFD_CLOEXEC);
	if (run->done_fd < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "eventfd: %s", g_strerror(errno));
		return NULL;
	}
	if (job->inputs->len == 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "no files and no folders are given");
		return NULL;
	}
	if (!weft_ingest_lock(ingest, !job->is_unlocked, error))
		return NULL;
	run->task = weft_task_open(job, error);
	if (run->task == NULL || !weft_members_check(job, run->task, error) || !open_engine(run, error) || !share_memory(run, error))
		return NULL;
	run->names = weft_names_new(job->names, error);
	if (run->names == NULL)
		return NULL;
	if (run->task->reads && !weft_ears_new(job, run->n_threads, &run->ears, error))
		return NULL;
	weft_engine_heed(run->engine, run->stop);
	weft_engine_heed(run->guard, run->stop);
	weft_fingerprint_job(run, run->fingerprint);
	weft_fingerprint_before(run, run->fingerprint_before);
	set_decoders(run);
	tidy_inputs(run);
	if (!open_outputs(run, error))
		return NULL;
	if (job->sample > 0 || job->is_dry)
		run->tally.estimate = weft_estimate_new();
	if (job->trace != NULL && !job->is_dry) {
		run->trace = weft_trace_open(job->trace, error);
		if (run->trace == NULL)
			return NULL;
	}
	run->budget = weft_budget_new(DOCUMENTS_PER_THREAD * run->n_threads + DOCUMENTS_MORE);
	weft_join(run);
	if ((untaught = weft_engine_untaught(run->engine)) != NULL)
		weft_run_remark(run, untaught);
	return g_steal_pointer(&run);
}

static void message_free(void *data)
{
	WeftMessage *message = data;

	g_free(message->text);
	g_free(message);
}

void weft_run_free(WeftRun *run)
{
	if (run == NULL)
		return;
	weft_run_beat_end(run, "failed");
	weft_engine_cancel(run->engine);
	weft_engine_cancel(run->guard);
	weft_graph_free(run->graph);
	weft_engine_free(run->engine);
	weft_engine_free(run->guard);
	weft_ears_free(run->ears);
	weft_names_free(run->names);
	(void)weft_trace_close(run->trace, NULL); /* told by join, if it was called */
	weft_budget_free(run->budget);
	weft_stop_free(run->stop);
	weft_store_free(run->store);
	weft_stash_free(run->stash);
	g_free(run->state_dir);
	weft_task_free(run->task);
	g_clear_pointer(&run->inputs, g_ptr_array_unref);
	g_clear_pointer(&run->tidied, g_string_chunk_free);
	g_queue_clear_full(&run->tally.messages, message_free);
	weft_estimate_free(run->tally.estimate);
	pthread_mutex_destroy(&run->tally.mutex);
	if (run->done_fd >= 0)
		close(run->done_fd);
	g_free(run);
}

gboolean weft_run_start(WeftRun *run, GError **error)
{
	return weft_graph_start(run->graph, error);
}

void weft_run_stop(WeftRun *run)
{
	weft_stop_ask(run->stop);
}

gboolean weft_run_is_stopping(const WeftRun *run)
{
	return weft_stop_is_asked(run->stop);
}

void weft_run_cancel(WeftRun *run)
{
	weft_graph_cancel(run->graph);
	weft_ingest_interrupt(run->ingest);
	weft_engine_cancel(run->engine);
	weft_engine_cancel(run->guard);
}

int weft_run_done_fd(const WeftRun *run)
{
	return run->done_fd;
}

/* The end, but for what the run says of it. */
static gboolean join(WeftRun *run, GError **error)
{
	gboolean is_whole = weft_graph_join(run->graph, error);
	g_autofree char *summary = NULL;
	g_autoptr(GError) failure = NULL;

	run->is_joined = TRUE;
	weft_ledger_close(run, is_whole);
	if (run->is_refused)
		return FALSE;
	/* What is not there any more is settled when everything else is. */
	if (is_whole && run->n_lost > 0 && !weft_stop_is_asked(run->stop) &&
	    !weft_lost_settle(run, error)) {
		run->failed_to_write = TRUE;
		return FALSE;
	}
	summary = weft_ledger_summary(run, is_whole);
	/* The ledger of a run that was stopped is written too; its first error is the one to tell. */
	if (!run->job->is_dry && !run->failed_to_write && !weft_store_finish(run->store, summary, &failure)) {
		run->failed_to_write = TRUE;
		if (is_whole)
			g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (is_whole && run->stash != NULL && run->tally.progress.n_left == 0) {
		weft_stash_settle(run->stash);
		/* rows that stay are counted as not done until the next run ends */
		(void)weft_store_settle_found(run->store, NULL);
	}
	if (!weft_trace_close(g_steal_pointer(&run->trace), &failure)) {
		if (is_whole)
			g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	return is_whole && weft_ledger_check(run, error);
}

/* The exit code will say what failed: not of a run that has left something. */
static gboolean settle_told(WeftRun *run, GError **error)
{
	WeftProgress progress = weft_run_progress(run);

	if (run->job->is_dry || progress.n_left > 0 || progress.is_cut ||
	    weft_store_has_told(run->store, error))
		return TRUE;
	run->failed_to_write = TRUE;
	return FALSE;
}

gboolean weft_run_join(WeftRun *run, GError **error)
{
	gboolean is_whole = join(run, error) && settle_told(run, error);
	gboolean has_left = weft_run_progress(run).n_left > 0;

	weft_run_beat_end(run, run->failed_to_write || run->is_refused ? "failed"
			       : is_whole && !has_left ? "done"
						       : "left");
	return is_whole;
}

gboolean weft_run_failed_to_write(const WeftRun *run)
{
	return run->failed_to_write;
}

const char *weft_run_reader(const WeftRun *run)
{
	static const char *const names[] = {"auto", "bundle", "tesseract", "none"};

	return names[run->reader];
}

const char *weft_run_listener(const WeftRun *run)
{
	return run->ears != NULL ? weft_ears_name(run->ears) : NULL;
}

char *weft_run_versions(const WeftRun *run)
{
	return g_strdup_printf("weft %s; %s", WEFT_VERSION, weft_ingest_versions(run->ingest));
}

gboolean weft_run_tries_again(const WeftRun *run, const WeftKnown *known)
{
	gboolean is_whole = known->status == WEFT_STATUS_OK || known->status == WEFT_STATUS_SKIPPED;
	gboolean is_upgraded = strcmp(known->decoders, run->decoders) != 0;

	return (run->job->upgrades && is_upgraded) || (run->job->retries_failed && !is_whole) ||
	       known->retry == WEFT_RETRY_ALWAYS ||
	       (known->retry == WEFT_RETRY_UPGRADE && is_upgraded);
}

char *weft_run_graph(WeftRun *run)
{
	return weft_graph_text(run->graph);
}

/* ---- the tally ---- */

WeftProgress weft_run_progress(WeftRun *run)
{
	WeftProgress progress;

	pthread_mutex_lock(&run->tally.mutex);
	progress = run->tally.progress;
	pthread_mutex_unlock(&run->tally.mutex);
	return progress;
}

char *weft_run_next_message(WeftRun *run, gboolean *ret_is_news)
{
	WeftMessage *message;
	char *text = NULL;

	pthread_mutex_lock(&run->tally.mutex);
	message = g_queue_pop_head(&run->tally.messages);
	pthread_mutex_unlock(&run->tally.mutex);
	if (message == NULL)
		return NULL;
	text = g_steal_pointer(&message->text);
	if (ret_is_news != NULL)
		*ret_is_news = message->is_news;
	message_free(message);
	return text;
}

void weft_run_count(WeftRun *run, gsize field_offset, guint64 n)
{
	pthread_mutex_lock(&run->tally.mutex);
	G_STRUCT_MEMBER(guint64, &run->tally.progress, field_offset) += n;
	pthread_mutex_unlock(&run->tally.mutex);
}

static void add_seconds(WeftRun *run, double seconds)
{
	pthread_mutex_lock(&run->tally.mutex);
	run->tally.progress.seconds += seconds;
	pthread_mutex_unlock(&run->tally.mutex);
}

void weft_run_tally_part(WeftRun *run, const WeftPart *part)
{
	WeftLedgers in = {0};

	if (part->kind == WEFT_PART_PAGE) {
		WEFT_COUNT(run, n_pages, 1);
		in.pages.in = 1;
	} else if (part->kind == WEFT_PART_FAULT) {
		in.pages.in = part->page.n; /* those behind a limit */
	} else if (part->kind == WEFT_PART_TRACK && part->track.seconds > 0) {
		add_seconds(run, part->track.seconds);
	} else {
		in.milliseconds.in = weft_ledger_sound(part);
	}
	weft_run_add_ledgers(run, &in);
}

void weft_run_tally_fault(WeftRun *run, const GError *fault, const WeftAnchor *at)
{
	WeftLedgers in = {0};

	if (g_error_matches(fault, WEFT_ERROR, WEFT_ERROR_LIMIT))
		in.milliseconds.in = weft_ledger_milliseconds(at);
	weft_run_add_ledgers(run, &in);
}

void weft_run_tally_heard(WeftRun *run, double heard_s, double hearing_s)
{
	pthread_mutex_lock(&run->tally.mutex);
	run->tally.progress.heard_s += heard_s;
	run->tally.progress.hearing_s += hearing_s;
	pthread_mutex_unlock(&run->tally.mutex);
}

void weft_run_tally_measured(WeftRun *run, double measured_s, double measuring_s)
{
	pthread_mutex_lock(&run->tally.mutex);
	run->tally.progress.measured_s += measured_s;
	run->tally.progress.measuring_s += measuring_s;
	pthread_mutex_unlock(&run->tally.mutex);
}

void weft_run_add_ledgers(WeftRun *run, const WeftLedgers *more)
{
	pthread_mutex_lock(&run->tally.mutex);
	weft_ledger_add(&run->tally.ledgers, more);
	pthread_mutex_unlock(&run->tally.mutex);
}

gboolean weft_run_shows(const WeftRun *run, const WeftItem *item)
{
	gboolean asks = run->task->windows != WEFT_WINDOWS_NONE;

	if (item->part->kind == WEFT_PART_PCM)
		return asks && item->picture != WEFT_PICTURE_READ;
	if ((!asks && run->guard == NULL) || run->task->pictures == WEFT_PICTURES_NONE)
		return FALSE;
	return (run->task->pictures == WEFT_PICTURES_ALL || item->picture != WEFT_PICTURE_READ) &&
	       weft_encoders_can_see(weft_engine_encoders(asks ? run->engine : run->guard));
}

void weft_run_begin_file(WeftRun *run, const char *path)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *shown = weft_path_display(name);

	pthread_mutex_lock(&run->tally.mutex);
	g_strlcpy(run->tally.progress.current, shown, sizeof run->tally.progress.current);
	pthread_mutex_unlock(&run->tally.mutex);
}

void weft_run_listed(WeftRun *run, guint64 n_inputs, gboolean is_whole)
{
	pthread_mutex_lock(&run->tally.mutex);
	run->tally.progress.n_inputs = n_inputs;
	run->tally.progress.is_listed = TRUE;
	run->tally.progress.is_cut = !is_whole;
	pthread_mutex_unlock(&run->tally.mutex);
}

void weft_run_add_file(WeftRun *run, const char *path, guint64 size_bytes, gboolean is_known)
{
	pthread_mutex_lock(&run->tally.mutex);
	if (run->tally.estimate != NULL)
		weft_estimate_add_file(run->tally.estimate, path, size_bytes, is_known);
	pthread_mutex_unlock(&run->tally.mutex);
}

void weft_run_measured(WeftRun *run, const WeftDocument *document, const WeftEstimateCounts *counts)
{
	guint64 now_ns = weft_trace_now_ns();

	pthread_mutex_lock(&run->tally.mutex);
	if (run->tally.first_ns == 0 || document->begin_ns < run->tally.first_ns)
		run->tally.first_ns = document->begin_ns;
	run->tally.last_ns = MAX(run->tally.last_ns, now_ns);
	if (run->tally.estimate != NULL)
		weft_estimate_add_work(run->tally.estimate, document->path,
				       (double)(now_ns - document->begin_ns) / 1e9, counts);
	pthread_mutex_unlock(&run->tally.mutex);
}

const WeftEstimate *weft_run_estimate(const WeftRun *run)
{
	return run->tally.estimate;
}

guint weft_run_n_threads(const WeftRun *run)
{
	return run->n_threads;
}

double weft_run_busy_s(const WeftRun *run)
{
	return (double)(run->tally.last_ns - run->tally.first_ns) / 1e9;
}

WeftRunAsks weft_run_asks(const WeftRun *run)
{
	WeftRunAsks asks = {0};
	const WeftRound *round;

	if (run->engine == NULL || run->task->windows == WEFT_WINDOWS_NONE)
		return asks;
	round = weft_engine_round(run->engine, WEFT_ROUND_ANSWER);
	asks.context = weft_bundle_config(weft_engine_bundle(run->engine))->text.context_max;
	asks.answer_tokens = round->answer_tokens;
	/* What the context leaves beside the document is frame and answer; nothing before the engine
	 * was opened. */
	if (weft_engine_capacity(run->engine, WEFT_ROUND_ANSWER) > 0)
		asks.frame_tokens = asks.context - asks.answer_tokens -
				    weft_engine_capacity(run->engine, WEFT_ROUND_ANSWER);
	return asks;
}

void weft_run_finds(WeftRun *run, gboolean is_finding)
{
	pthread_mutex_lock(&run->tally.mutex);
	run->tally.progress.is_finding = is_finding;
	pthread_mutex_unlock(&run->tally.mutex);
}

static void push_message(WeftRun *run, char *take_text, gboolean is_news)
{
	WeftMessage *message = g_new0(WeftMessage, 1);

	message->text = take_text;
	message->is_news = is_news;
	pthread_mutex_lock(&run->tally.mutex);
	g_queue_push_tail(&run->tally.messages, message);
	pthread_mutex_unlock(&run->tally.mutex);
}

void weft_run_say(WeftRun *run, char *take_message)
{
	push_message(run, take_message, TRUE);
}

void weft_run_remark(WeftRun *run, char *take_message)
{
	push_message(run, take_message, FALSE);
}
