/* cmd_verify.c - weft verify: are the records what was written, and the documents what was read?
 *
 * Each thing that is wrong is a line on stdout. Nothing is written and no lock is taken, so it may
 * run beside anything.
 */
#include <stdio.h>

#include "base/error.h"
#include "cli/archive.h"
#include "cli/cmd.h"
#include "cli/verify_sample.h"

static void draw(WeftTicker *ticker, WeftVerify *verify)
{
	WeftVerifyCounts counts = weft_verify_counts(verify);
	g_autofree char *line = g_strdup_printf(
		"%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT
		" documents as they were, %" G_GUINT64_FORMAT " findings",
		counts.n_records, MAX(counts.n_all, counts.n_records), counts.n_sources,
		counts.n_findings);

	weft_ticker_draw(ticker, line);
}

static void print_findings(WeftTicker *ticker, WeftVerify *verify)
{
	char *finding;

	while ((finding = weft_verify_next_finding(verify)) != NULL) {
		weft_ticker_wipe(ticker);
		puts(finding);
		g_free(finding);
	}
}

static void print_counts(const WeftVerifyCounts *counts)
{
	g_autoptr(GString) line = g_string_new(NULL);

	g_string_append_printf(line,
			       "%" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT
			       " documents as they were",
			       counts->n_records, counts->n_sources);
	if (counts->n_gone > 0)
		g_string_append_printf(line, ", %" G_GUINT64_FORMAT " gone", counts->n_gone);
	if (counts->n_newer > 0)
		g_string_append_printf(line, ", %" G_GUINT64_FORMAT " newer than the manifest",
				       counts->n_newer);
	if (counts->n_findings > 0)
		g_string_append_printf(line, "; %" G_GUINT64_FORMAT " finding%s", counts->n_findings,
				       counts->n_findings == 1 ? "" : "s");
	else
		g_string_append(line, "; nothing is wrong");
	fprintf(stderr, "%s\n", line->str);
}

/* FALSE: the folder can't be read. */
static gboolean look(WeftOutputs *outputs, gboolean has_sources, gboolean is_quiet,
		     gboolean *ret_is_good, GError **error)
{
	g_autoptr(WeftVerify) verify = weft_verify_new(outputs, has_sources, error);
	gboolean is_end = FALSE;
	WeftTicker ticker;

	if (!verify)
		return FALSE;
	weft_ticker_init(&ticker, is_quiet);
	while (!is_end) {
		gboolean is_read = weft_verify_step(verify, &is_end, error);

		print_findings(&ticker, verify);
		if (weft_ticker_is_due(&ticker))
			draw(&ticker, verify);
		if (!is_read) {
			weft_ticker_wipe(&ticker);
			return FALSE;
		}
	}
	weft_ticker_wipe(&ticker);
	WeftVerifyCounts counts = weft_verify_counts(verify);
	if (!is_quiet)
		print_counts(&counts);
	*ret_is_good = counts.n_findings == 0;
	return TRUE;
}

/* *ret_is_good becomes FALSE when a record did not come out the same. */
static gboolean do_again(const WeftSample *sample, int n, gboolean is_quiet, gboolean *ret_is_good,
			 GError **error)
{
	const WeftSampleCounts *counts = sample->counts;

	if (n == 0)
		return TRUE;
	if (!weft_verify_sample(sample, (guint)n, error))
		return FALSE;
	if (!is_quiet) {
		fprintf(stderr,
			"%" G_GUINT64_FORMAT " documents done again gave the same record, %" G_GUINT64_FORMAT
			" another",
			counts->n_same, counts->n_other);
		if (counts->n_not_done > 0)
			fprintf(stderr, "; %" G_GUINT64_FORMAT " could not be done again",
				counts->n_not_done);
		fputs("\n", stderr);
	}
	if (counts->n_other + counts->n_not_done > 0)
		*ret_is_good = FALSE;
	return TRUE;
}

int weft_cmd_verify(const WeftPlaces *places, WeftIngest *ingest, int argc, char **argv)
{
	g_autofree char *out = NULL, *state = NULL, *reason = NULL, *job = NULL;
	int n_sample = 0;
	gboolean is_quiet = FALSE, has_no_sources = FALSE, is_good = FALSE;
	const GOptionEntry entries[] = {
		WEFT_CMD_OPTION_OUT(&out),
		WEFT_CMD_OPTION_STATE(&state),
		{"records-only", 0, 0, G_OPTION_ARG_NONE, &has_no_sources,
		 "do not open the documents", NULL},
		{"sample", 0, 0, G_OPTION_ARG_INT, &n_sample,
		 "do N documents again: they must give the same records", "N"},
		{"job", 'c', 0, G_OPTION_ARG_FILENAME, &job,
		 "for --sample: this job, of the last run, in place of the kept ones", "FILE"},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &is_quiet, "print nothing but what is wrong",
		 NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	GError *error = NULL;

	g_option_context_set_summary(
		context, "Compares the records of OUT with manifest.sha256, the catalogue and the schema, each\n"
			 "with itself, and each document with the bytes that its record was made from.");
	g_option_context_set_description(
		context, "Exit codes: 0 nothing is wrong; 1 something is, a line each on stdout; 2 usage;\n"
			 "3 no records here, or they can't be read.\n");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) ||
	    !weft_cmd_takes_no_arguments(argc, argv, &error))
		return weft_cmd_fail("verify", &error, WEFT_EXIT_USAGE);
	if (n_sample < 0 || (n_sample == 0 && job != NULL)) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    n_sample < 0 ? "sample: a number of documents"
					 : "a job file (-c) is for --sample N");
		return weft_cmd_fail("verify", &error, WEFT_EXIT_USAGE);
	}
	g_autoptr(WeftOutputs) outputs =
		weft_outputs_open_records(out ? out : "weft-out", state, &reason, &error);
	WeftSampleCounts counts = {0};
	const WeftSample sample = {places, ingest, outputs, job, &counts};
	if (!outputs || !look(outputs, !has_no_sources, is_quiet, &is_good, &error) ||
	    !do_again(&sample, n_sample, is_quiet, &is_good, &error))
		return weft_cmd_fail("verify", &error, WEFT_EXIT_NOT_STARTED);
	if (reason)
		printf("%s; weft rebuild-index makes it from the records\n", reason);
	return is_good && !reason ? WEFT_EXIT_DONE : WEFT_EXIT_SOME_FAILED;
}
