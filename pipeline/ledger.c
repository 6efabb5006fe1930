#include "pipeline/ledger.h"

#include <math.h>

#include "base/error.h"
#include "base/json.h"
#include "pipeline/run.h"

typedef struct Count {
	const char *key;
	guint64 n;
} Count;

#define N_PLACES_MAX 9 /* where a file can have gone */

gboolean weft_ledger_is_sound(const WeftContent *content)
{
	return content->kind == WEFT_CONTENT_SILENCE ||
	       (content->kind == WEFT_CONTENT_SPEECH && content->text == NULL);
}

guint64 weft_ledger_milliseconds(const WeftAnchor *at)
{
	double milliseconds = at->has_time ? (at->time[1] - at->time[0]) * 1e3 : 0;

	return milliseconds > 0 && milliseconds < 1e15 ? (guint64)llround(milliseconds) : 0;
}

guint64 weft_ledger_sound(const WeftPart *part)
{
	gboolean is_sound = part->kind == WEFT_PART_PCM
				    ? part->pcm.channel <= 1
				    : part->kind == WEFT_PART_CONTENT &&
					      weft_ledger_is_sound(part->content);

	return is_sound ? weft_ledger_milliseconds(&part->anchor) : 0;
}

static void add_sum(WeftSum *sum, const WeftSum *more)
{
	sum->in += more->in;
	sum->done += more->done;
	sum->failed += more->failed;
	sum->skipped += more->skipped;
	sum->left += more->left;
}

void weft_ledger_add(WeftLedgers *ledgers, const WeftLedgers *more)
{
	add_sum(&ledgers->pages, &more->pages);
	add_sum(&ledgers->milliseconds, &more->milliseconds);
}

/* Where files have gone; ended by a NULL. */
static void list_files(const WeftProgress *progress, Count counts[N_PLACES_MAX])
{
	const Count files[N_PLACES_MAX] = {
	    {"done", progress->n_done},       {"partial", progress->n_partial},
	    {"failed", progress->n_failed},   {"skipped", progress->n_skipped},
	    {"copies", progress->n_copies},   {"unchanged", progress->n_unchanged},
	    {"elsewhere", progress->n_elsewhere}, {"left", progress->n_left},
	    {NULL, 0},
	};

	for (guint i = 0; i < N_PLACES_MAX; i++)
		counts[i] = files[i];
}

static void list_sum(const WeftSum *sum, Count counts[N_PLACES_MAX])
{
	const Count places[] = {{"done", sum->done}, {"failed", sum->failed},
				{"skipped", sum->skipped}, {"left", sum->left}, {NULL, 0}};

	for (guint i = 0; i < G_N_ELEMENTS(places); i++)
		counts[i] = places[i];
}

static guint64 total(const Count *counts)
{
	guint64 n = 0;

	for (; counts->key != NULL; counts++)
		n += counts->n;
	return n;
}

static guint64 rest(guint64 n_in, guint64 n_placed)
{
	return n_in - MIN(n_placed, n_in);
}

static guint64 left_of_sum(const WeftSum *sum)
{
	return rest(sum->in, sum->done + sum->failed + sum->skipped);
}

void weft_ledger_close(WeftRun *run, gboolean is_whole)
{
	WeftProgress *progress = &run->tally.progress;
	Count counts[N_PLACES_MAX];

	if (is_whole)
		return;
	progress->n_left = 0;
	progress->is_cut |= !progress->is_listed;
	list_files(progress, counts);
	progress->n_left =
	    rest(progress->n_inputs, total(counts) + progress->n_new + progress->n_changed);
	run->tally.ledgers.pages.left = left_of_sum(&run->tally.ledgers.pages);
	run->tally.ledgers.milliseconds.left = left_of_sum(&run->tally.ledgers.milliseconds);
}

static gboolean check_sum(const char *name, guint64 n_in, const Count *counts, GError **error)
{
	g_autoptr(GString) places = g_string_new(NULL);

	if (total(counts) == n_in)
		return TRUE;
	for (const Count *count = counts; count->key != NULL; count++)
		g_string_append_printf(places, ", %" G_GUINT64_FORMAT " %s", count->n, count->key);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL,
		    "the ledger of %s does not balance: %" G_GUINT64_FORMAT " in, %" G_GUINT64_FORMAT
		    " accounted for%s; this is a mistake of weft, please report it",
		    name, n_in, total(counts), places->str);
	return FALSE;
}

gboolean weft_ledger_check(WeftRun *run, GError **error)
{
	const WeftProgress *progress = &run->tally.progress;
	const WeftLedgers *ledgers = &run->tally.ledgers;
	Count files[N_PLACES_MAX], pages[N_PLACES_MAX], milliseconds[N_PLACES_MAX];

	if (run->job->is_dry)
		return TRUE;
	list_files(progress, files);
	list_sum(&ledgers->pages, pages);
	list_sum(&ledgers->milliseconds, milliseconds);
	return check_sum("files", progress->n_inputs, files, error) &&
	       check_sum("pages", ledgers->pages.in, pages, error) &&
	       check_sum("milliseconds", ledgers->milliseconds.in, milliseconds, error);
}

static void write_counts(WeftJsonWriter *writer, const Count *counts)
{
	for (; counts->key != NULL; counts++) {
		weft_json_write_key(writer, counts->key);
		weft_json_write_uint(writer, counts->n);
	}
}

static void write_ledger(WeftJsonWriter *writer, const char *name, guint64 n_in, const Count *counts)
{
	weft_json_write_key(writer, name);
	weft_json_write_object(writer);
	weft_json_write_key(writer, "in");
	weft_json_write_uint(writer, n_in);
	write_counts(writer, counts);
	weft_json_write_object_end(writer);
}

static void write_ledgers(WeftJsonWriter *writer, WeftRun *run, const WeftProgress *progress)
{
	const WeftLedgers *ledgers = &run->tally.ledgers;
	Count counts[N_PLACES_MAX];

	weft_json_write_key(writer, "ledger");
	weft_json_write_object(writer);
	list_files(progress, counts);
	write_ledger(writer, "files", progress->n_inputs, counts);
	list_sum(&ledgers->pages, counts);
	write_ledger(writer, "pages", ledgers->pages.in, counts);
	list_sum(&ledgers->milliseconds, counts);
	write_ledger(writer, "milliseconds", ledgers->milliseconds.in, counts);
	weft_json_write_object_end(writer);
}

static void write_text(WeftJsonWriter *writer, const char *key, const char *text)
{
	weft_json_write_key(writer, key);
	weft_json_write_string(writer, text);
}

char *weft_ledger_summary(WeftRun *run, gboolean is_whole)
{
	WeftProgress progress = weft_run_progress(run);
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;
	const Count counts[] = {
	    {"inputs", progress.n_inputs},   {"done", progress.n_done},
	    {"partial", progress.n_partial}, {"failed", progress.n_failed},
	    {"skipped", progress.n_skipped}, {"copies", progress.n_copies},
	    {"unchanged", progress.n_unchanged}, {"known_failures", progress.n_known},
	    {"gone", progress.n_gone}, {"ignored", progress.n_ignored},
	    {"elsewhere", progress.n_elsewhere}, {"left", progress.n_left}, 
	    {"left_out", progress.n_left_out},
	    {"pages", progress.n_pages}, {"found", progress.n_found}, {"pages_kept", progress.n_pages_kept},
	    {"windows_kept", progress.n_windows_kept}, {NULL, 0},
	};

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "weft");
	weft_json_write_int(&writer, WEFT_RECORD_VERSION);
	write_text(&writer, "task", run->task->name);
	write_text(&writer, "fingerprint", run->fingerprint);
	write_text(&writer, "reader", weft_run_reader(run));
	write_text(&writer, "end", !is_whole ? "error"
				   : progress.n_left > 0 || progress.is_cut ? "stopped" : "done");
	write_ledgers(&writer, run, &progress);
	write_counts(&writer, counts);
	weft_json_write_key(&writer, "seconds");
	weft_json_write_rounded(&writer, (double)(weft_trace_now_ns() - run->begin_ns) / 1e9, 3);
	weft_json_write_key(&writer, "bytes_peak");
	weft_json_write_uint(&writer, weft_budget_peak(run->budget));
	weft_json_write_object_end(&writer);
	return g_string_free(text, FALSE);
}
