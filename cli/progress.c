#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/glance.h"
#include "cli/plan_words.h"

#define BAR_COLUMNS 24
#define NAME_COLUMNS 30
#define PLAIN_INTERVAL_US (30 * G_USEC_PER_SEC)
#define MEASURED_MIN 10u /* documents: the rate of fewer says nothing about the rest */
/* A run that is over sooner says nothing but its last line. */
#define FIRST_DRAW_US (200 * 1000)

struct WeftBar {
	gboolean is_quiet, is_json, is_terminal;
	gboolean is_drawn, has_told_reader;
	gint64 begin_us, drawn_us;
};

WeftBar *weft_bar_new(gboolean is_quiet, gboolean is_json)
{
	WeftBar *bar = g_new0(WeftBar, 1);
	const char *terminal = g_getenv("TERM");

	bar->is_quiet = is_quiet;
	bar->is_json = is_json;
	bar->is_terminal = !is_json && isatty(STDERR_FILENO) && g_strcmp0(terminal, "dumb") != 0;
	bar->begin_us = bar->drawn_us = g_get_monotonic_time();
	return bar;
}

void weft_bar_free(WeftBar *bar)
{
	g_free(bar);
}

static void wipe(WeftBar *bar)
{
	if (bar->is_drawn)
		fputs("\r\033[K", stderr);
	bar->is_drawn = FALSE;
}

/* A document may not talk to the terminal. */
static char *escape(const char *text)
{
	GString *out = g_string_new(NULL);

	weft_utf8_append_harmless(out, text, TRUE);
	return g_string_free(out, FALSE);
}

void weft_bar_say(WeftBar *bar, const char *level, const char *text)
{
	g_autofree char *safe = escape(text);
	g_autoptr(GString) line = g_string_new(NULL);
	WeftJsonWriter writer;

	wipe(bar);
	if (!bar->is_json) {
		fprintf(stderr, "%s%s", safe, g_str_has_suffix(safe, "\n") ? "" : "\n");
		return;
	}
	weft_json_writer_init(&writer, line);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "level");
	weft_json_write_string(&writer, level);
	weft_json_write_key(&writer, "message");
	weft_json_write_string(&writer, text);
	weft_json_write_object_end(&writer);
	fprintf(stderr, "%s\n", line->str);
}

void weft_bar_say_unless_quiet(WeftBar *bar, const char *level, const char *text)
{
	if (!bar->is_quiet)
		weft_bar_say(bar, level, text);
}

static void say_messages(WeftBar *bar, WeftRun *run)
{
	gboolean is_news;
	char *message;

	if (!bar->has_told_reader && !bar->is_quiet) {
		g_autofree char *line = g_strdup_printf("pictures are read by: %s",
							weft_run_reader(run));

		weft_bar_say(bar, "info", line);
		if (weft_run_listener(run) != NULL) {
			g_autofree char *who = g_strdup_printf("recordings are heard by: %s",
							       weft_run_listener(run));

			weft_bar_say(bar, "info", who);
		}
	}
	bar->has_told_reader = TRUE;
	while ((message = weft_run_next_message(run, &is_news)) != NULL) {
		if (is_news)
			weft_bar_say(bar, "warning", message);
		else
			weft_bar_say_unless_quiet(bar, "info", message);
		g_free(message);
	}
}

static guint64 n_ended(const WeftProgress *progress)
{
	return progress->n_done + progress->n_partial + progress->n_failed + progress->n_skipped +
	       progress->n_copies + progress->n_unchanged + progress->n_elsewhere + progress->n_new +
	       progress->n_changed;
}

/* A long recording is one document for hours. */
static char *heard_text(const WeftProgress *progress)
{
	g_autofree char *heard = weft_glance_clock(progress->heard_s);
	g_autofree char *all = weft_glance_clock(progress->hearing_s);
	g_autofree char *measured = weft_glance_clock(progress->measured_s);
	g_autofree char *measuring = weft_glance_clock(progress->measuring_s);
	GString *text = g_string_new(NULL);

	if (progress->measuring_s >= 1)
		g_string_append_printf(text, ", sound measured %s of %s", measured, measuring);
	if (progress->hearing_s > 0)
		g_string_append_printf(text, ", heard %s of %s", heard, all);
	return g_string_free(text, FALSE);
}

static void draw_bar(WeftBar *bar, const WeftProgress *progress, double elapsed_s)
{
	guint64 ended = n_ended(progress);
	guint64 n_full = progress->n_inputs > 0 ? ended * BAR_COLUMNS / progress->n_inputs : 0;
	g_autofree char *heard = heard_text(progress);
	g_autofree char *path = weft_path_display(progress->current);
	g_autofree char *name = g_utf8_substring(path, 0, MIN(g_utf8_strlen(path, -1), NAME_COLUMNS));

	fputs("\r\033[K", stderr);
	if (progress->is_finding) {
		fprintf(stderr, "looking at all files first: %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT
				"  %s", progress->n_walked, progress->n_inputs, name);
		fflush(stderr);
		bar->is_drawn = TRUE;
		return;
	}
	fputc('[', stderr);
	for (guint64 i = 0; i < BAR_COLUMNS; i++)
		fputc(i < n_full ? '#' : '.', stderr);
	fprintf(stderr, "] %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "  %" G_GUINT64_FORMAT
			" pages%s  %.1f/s  %s",
		ended, progress->n_inputs, progress->n_pages, heard,
		elapsed_s > 0 ? (double)ended / elapsed_s : 0, name);
	fflush(stderr);
	bar->is_drawn = TRUE;
}

/* "120 of 2,000 documents ..., 1.5/s, about 20 min left, now a.pdf". Caller frees. */
static char *progress_line(const WeftBar *bar, const WeftProgress *progress)
{
	GString *line = g_string_new(NULL);
	g_autofree char *heard = heard_text(progress);
	double elapsed_s = (double)(g_get_monotonic_time() - bar->begin_us) / G_USEC_PER_SEC;
	guint64 ended = n_ended(progress);
	/* What was not opened took no time: it says nothing about the rest. */
	guint64 n_worked = ended - MIN(progress->n_unchanged, ended);
	double rate = elapsed_s > 0 ? (double)n_worked / elapsed_s : 0;

	if (!progress->is_listed) {
		g_string_append_printf(line, "looking for documents, %.0f s so far", elapsed_s);
		return g_string_free(line, FALSE);
	}
	if (progress->is_finding) {
		g_string_append_printf(line,
				       "looking at all files before the first question: %"
				       G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ", %.0f s so far",
				       progress->n_walked, progress->n_inputs, elapsed_s);
		return g_string_free(line, FALSE);
	}
	g_string_append_printf(line,
			       "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
			       " documents, %" G_GUINT64_FORMAT " pages, %.2f/s, %" G_GUINT64_FORMAT
			       " left",
			       ended, progress->n_inputs, progress->n_pages, rate,
			       progress->n_inputs - MIN(ended, progress->n_inputs));
	if (n_worked >= MEASURED_MIN && rate > 0) {
		g_autofree char *left =
			weft_words_time((double)(progress->n_inputs - MIN(ended, progress->n_inputs)) / rate);

		g_string_append_printf(line, " (about %s)", left);
	}
	g_string_append(line, heard);
	if (progress->current[0] != '\0')
		g_string_append_printf(line, ", now %s", progress->current);
	return g_string_free(line, FALSE);
}

void weft_bar_report(WeftBar *bar, WeftRun *run, gboolean prints_graph)
{
	WeftProgress progress = weft_run_progress(run);
	g_autofree char *line = progress_line(bar, &progress);

	weft_bar_say(bar, "info", line);
	if (prints_graph) {
		g_autofree char *graph = weft_run_graph(run);

		weft_bar_say(bar, "info", graph);
	}
}

void weft_bar_draw(WeftBar *bar, WeftRun *run)
{
	gint64 now_us = g_get_monotonic_time();
	WeftProgress progress = weft_run_progress(run);
	g_autofree char *line = NULL;

	say_messages(bar, run);
	if (bar->is_quiet || now_us - bar->begin_us < FIRST_DRAW_US || !progress.is_listed)
		return;
	if (bar->is_terminal) {
		draw_bar(bar, &progress, (double)(now_us - bar->begin_us) / G_USEC_PER_SEC);
		return;
	}
	if (now_us - bar->drawn_us < PLAIN_INTERVAL_US)
		return;
	bar->drawn_us = now_us;
	line = progress_line(bar, &progress);
	weft_bar_say(bar, "info", line);
}

void weft_bar_end(WeftBar *bar, WeftRun *run, gboolean is_whole)
{
	WeftProgress progress = weft_run_progress(run);
	g_autoptr(GString) line = g_string_new(NULL);
	double elapsed_s = (double)(g_get_monotonic_time() - bar->begin_us) / G_USEC_PER_SEC;

	say_messages(bar, run);
	weft_words_add_count(line, progress.n_done, "done");
	weft_words_add_count(line, progress.n_partial, "partial");
	weft_words_add_count(line, progress.n_failed, "failed");
	weft_words_add_count(line, progress.n_skipped, "skipped");
	weft_words_add_count(line, progress.n_copies, progress.n_copies == 1 ? "copy" : "copies");
	weft_words_add_count(line, progress.n_unchanged, "unchanged");
	weft_words_add_count(line, progress.n_elsewhere, "elsewhere (another run is at work on them)");
	if (progress.n_known > 0)
		g_string_append_printf(line, " (%" G_GUINT64_FORMAT " of them not whole)",
				       progress.n_known);
	if (line->len == 0 && (!is_whole || progress.n_left > 0 || progress.is_cut)) {
		wipe(bar);
		return;
	}
	if (line->len == 0)
		g_string_append(line, "nothing to do");
	weft_words_add_count(line, progress.n_gone, "gone");
	weft_words_add_count(line, progress.n_ignored, "ignored (debris, .weftignore)");
	weft_words_add_count(line, progress.n_left_out, "left out (links, special files, excluded)");
	g_string_append_printf(line, ", %.1f s", elapsed_s);
	if (bar->is_quiet)
		wipe(bar);
	else
		weft_bar_say(bar, "info", line->str);
}
