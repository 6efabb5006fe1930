/* cmd_status.c - weft status: what runs, what the last runs did, what the folder holds.
 *
 * Reads only: it works while a run holds the lock.
 */
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/glance.h"
#include "cli/plan_words.h"
#include "outputs/outputs.h"

#define RUNS_SHOWN 5
#define REASONS_SHOWN 10
#define TICK_S 10 /* a living run that has said nothing for so long is told as that */

static guint64 count(const WeftJson *note, const char *key)
{
	guint64 n = 0;
	return weft_json_uint(weft_json_member(note, key), &n) ? n : 0;
}

static char *when(guint64 unix_s)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_local((gint64)MIN(unix_s, G_MAXINT32));
	return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
}

static char *how_long(double seconds)
{
	if (seconds < 90)
		return g_strdup_printf("%.0f s", seconds);
	if (seconds < 90 * 60)
		return g_strdup_printf("%.0f min", seconds / 60);
	return seconds < 48 * 3600 ? g_strdup_printf("%.1f h", seconds / 3600)
				   : g_strdup_printf("%.1f d", seconds / 86400);
}

static char *outcomes(const WeftJson *note)
{
	static const char *const KEYS[] = {"done", "partial", "failed", "skipped", "copies",
					   "unchanged", "gone"};
	GString *line = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(KEYS); i++)
		weft_words_add_count(line, count(note, KEYS[i]), KEYS[i]);
	return g_string_free(line, FALSE);
}

/* ---- runs ---- */

static void print_running(guint64 number, const WeftJson *note)
{
	static const char *const ENDED[] = {"done", "partial", "failed", "skipped", "copies",
					    "unchanged"};
	guint64 n_all = count(note, "inputs"), n_ended = 0, n_made;
	gboolean is_listed = FALSE;
	g_autofree char *begin = when(count(note, "begin_s"));
	g_autofree char *results = outcomes(note);
	guint64 now_s = (guint64)(g_get_real_time() / G_USEC_PER_SEC);
	double elapsed_s = (double)now_s - (double)count(note, "begin_s");
	const char *current = weft_json_string(weft_json_member(note, "current"), NULL);
	g_autofree char *path = weft_path_display(current ? current : "");

	for (gsize i = 0; i < G_N_ELEMENTS(ENDED); i++)
		n_ended += count(note, ENDED[i]);
	n_made = n_ended - count(note, "unchanged");
	(void)weft_json_bool(weft_json_member(note, "is_listed"), &is_listed);
	printf("running     run %" G_GUINT64_FORMAT " since %s: %" G_GUINT64_FORMAT
	       " of %" G_GUINT64_FORMAT "%s files, %" G_GUINT64_FORMAT " pages",
	       number, begin, n_ended, n_all, is_listed ? "" : " or more", count(note, "pages"));
	if (count(note, "hearing_s") > 0) {
		g_autofree char *heard = weft_glance_clock((double)count(note, "heard_s"));
		g_autofree char *all = weft_glance_clock((double)count(note, "hearing_s"));
		printf(", heard %s of %s", heard, all);
	}
	/* What is unchanged takes no time: it says nothing of the rest. */
	if (elapsed_s >= 1 && n_made > 0) {
		double rate = (double)n_made / elapsed_s;
		printf(", %.2g a second", rate);
		if (is_listed && n_all > n_ended) {
			g_autofree char *rest = how_long((double)(n_all - n_ended) / rate);
			printf(", about %s left", rest);
		}
	}
	printf("\n            %s%snow %s\n", results, *results ? "; " : "", path);
	if (now_s > count(note, "updated_s") + TICK_S) {
		g_autofree char *last = when(count(note, "updated_s"));
		printf("            it has not said how far it is since %s\n", last);
	}
}

static void print_ended(const WeftRunNote *run, const WeftJson *note, gboolean is_first)
{
	static const struct {
		const char *state, *words;
	} STATES[] = {
		{"done", "done"},
		{"left", "stopped, with work left"},
		{"failed", "could not go on"},
		{"running", "killed; nothing that was written is lost"},
	};
	const char *state = weft_json_string(weft_json_member(note, "state"), NULL);
	const char *words = "?";
	g_autofree char *begin = when(count(note, "begin_s"));
	g_autofree char *end = when(count(note, "updated_s"));
	g_autofree char *results = outcomes(note);

	for (gsize i = 0; i < G_N_ELEMENTS(STATES); i++)
		if (g_strcmp0(state, STATES[i].state) == 0)
			words = STATES[i].words;
	printf("%-11s run %" G_GUINT64_FORMAT ", %s to %s: %s%s%s", is_first ? "last runs" : "",
	       run->number, begin, end, words, *results ? "; " : "", results);
	if (count(note, "left") > 0)
		printf(", %" G_GUINT64_FORMAT " left", count(note, "left"));
	putchar('\n');
}

/* *ret_has_left: the last run has left work, and none is at it. */
static void print_runs(const GPtrArray *runs, gboolean *ret_has_left)
{
	guint n_ended = 0, n_alive = 0;

	for (guint pass = 0; pass < 2; pass++)
		for (guint i = 0; i < runs->len && n_ended < RUNS_SHOWN; i++) {
			const WeftRunNote *run = runs->pdata[i];
			g_autoptr(WeftJson) note = weft_json_parse(run->json, strlen(run->json),
								   WEFT_JSON_STRICT, NULL);
			const char *state = weft_json_string(weft_json_member(note, "state"), NULL);

			if (run->is_alive == (pass == 1))
				continue;
			if (run->is_alive) {
				print_running(run->number, note);
				n_alive++;
				continue;
			}
			if (n_ended == 0)
				*ret_has_left = n_alive == 0 && g_strcmp0(state, "done") != 0;
			print_ended(run, note, n_ended++ == 0);
		}
}

/* ---- what is there ---- */

static void print_reasons(const WeftStock *stock)
{
	for (guint i = 0; i < stock->reasons->len && i < REASONS_SHOWN; i++) {
		const WeftStockReason *reason = stock->reasons->pdata[i];
		g_autofree char *stage = weft_path_display(reason->stage);
		g_autofree char *code = weft_path_display(reason->code);
		g_autofree char *path = weft_path_display(reason->path);

		printf("%-11s %7" G_GUINT64_FORMAT " %s: %s%s%s\n", i == 0 ? "not whole" : "",
		       reason->n, stage, code, *path ? ", as in " : "", path);
	}
	if (stock->reasons->len > REASONS_SHOWN)
		printf("            and %u more reasons\n", stock->reasons->len - REASONS_SHOWN);
	if (stock->n_not_read > 0)
		printf("            and %" G_GUINT64_FORMAT " more, not looked up\n", stock->n_not_read);
}

static void print_stock(const WeftStock *stock)
{
	static const char *const STATUSES[] = {"ok", "partial", "failed", "skipped"};
	g_autoptr(GString) statuses = g_string_new(NULL);
	g_autofree char *records = g_format_size(stock->records_bytes);
	g_autofree char *catalog = g_format_size(stock->catalog_bytes);
	g_autofree char *cache = g_format_size(stock->cache_bytes);
	g_autofree char *work = g_format_size(stock->work_bytes);
	guint64 n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(STATUSES); i++) {
		weft_words_add_count(statuses, stock->n_status[i], STATUSES[i]);
		n += stock->n_status[i];
	}
	if (stock->has_catalog) {
		printf("records     %" G_GUINT64_FORMAT "%s%s, %s\n", n, n > 0 ? ": " : "", statuses->str,
		       records);
		printf("documents   %" G_GUINT64_FORMAT ", and %" G_GUINT64_FORMAT " gone\n",
		       stock->n_paths, stock->n_gone);
		if (stock->n_found > 0)
			printf("found       %" G_GUINT64_FORMAT " more files, not yet done\n",
			       stock->n_found);
	} else {
		puts("catalogue   none: the next run, or weft rebuild-index, makes it from the records");
	}
	print_reasons(stock);
	if (stock->n_work > 0)
		printf("unfinished  %" G_GUINT64_FORMAT " journals, %s read so far\n",
		       stock->n_work, work);
	printf("state       catalogue %s; kept for other questions: %" G_GUINT64_FORMAT
	       " journals, %s (weft gc bounds it)\n",
	       catalog, stock->n_cache, cache);
}

static gboolean print_status(const char *out, const char *state, GError **error)
{
	g_autofree char *reason = NULL;
	g_autoptr(WeftOutputs) outputs = weft_outputs_open_records(out, state, &reason, error);
	g_autoptr(WeftStock) stock = outputs ? weft_stock_take(outputs, error) : NULL;
	gboolean has_left = FALSE;

	if (!stock)
		return FALSE;
	g_autoptr(GPtrArray) runs = weft_run_file_read_all(stock->state_dir);
	g_autofree char *name = weft_path_display(out);
	print_runs(runs, &has_left);
	print_stock(stock);
	if (reason)
		printf("            %s\n", reason);
	if (has_left)
		printf("to go on    weft run, with the same job and -o %s\n", name);
	return TRUE;
}

int weft_cmd_status(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* reads an output folder only */
	g_autofree char *out = NULL, *state = NULL;
	const GOptionEntry entries[] = {
		WEFT_CMD_OPTION_OUT(&out),
		WEFT_CMD_OPTION_STATE(&state),
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	GError *error = NULL;

	g_option_context_set_summary(context, "Says what runs on OUT and how far it is, what the last runs "
					      "did, and what OUT holds.");
	g_option_context_set_description(
		context, "Exit codes: 0 said; 2 usage; 3 no records here, or they can't be read.\n");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) ||
	    !weft_cmd_takes_no_arguments(argc, argv, &error))
		return weft_cmd_fail("status", &error, WEFT_EXIT_USAGE);
	if (!print_status(out ? out : "weft-out", state, &error))
		return weft_cmd_fail("status", &error, WEFT_EXIT_NOT_STARTED);
	return WEFT_EXIT_DONE;
}
