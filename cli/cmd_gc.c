/* cmd_gc.c - weft gc: bounds what is kept, and takes away what nobody needs.
 */
#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"
#include "cli/archive.h"
#include "cli/cmd.h"
#include "pipeline/pipeline.h"

typedef struct Cleaning {
	char *out, *state, *cache;
	gboolean erases_gone, is_dry, is_quiet;
	guint64 cache_bytes;
} Cleaning;

/* Each record of documents that are gone is a line; *ret_n: how many. */
static gboolean erase_gone(const Cleaning *cleaning, WeftOutputs *outputs, guint64 *ret_n,
			   GError **error)
{
	WeftGone gone = {.id = ""};

	for (;;) {
		char after[72];

		g_strlcpy(after, gone.id, sizeof after);
		if (!weft_outputs_next_gone(outputs, after, &gone, error))
			return FALSE;
		if (gone.id[0] == '\0')
			return TRUE;
		g_autofree char *path = gone.path;
		g_autofree char *shown = weft_path_display(path);
		if (!cleaning->is_dry && !weft_outputs_erase(outputs, gone.id, error))
			return FALSE;
		++*ret_n;
		if (!cleaning->is_quiet)
			printf("%s: %s record %s\n", shown,
			       cleaning->is_dry ? "gone, would erase" : "gone, erased", gone.id);
	}
}

static void say(const Cleaning *cleaning, guint64 n_erased, const WeftStashCounts *counts)
{
	g_autofree char *kept = g_format_size(counts->size_bytes);
	g_autofree char *freed = g_format_size(counts->freed_bytes);

	if (cleaning->is_quiet)
		return;
	fprintf(stderr, "%" G_GUINT64_FORMAT " records %s; ", n_erased,
		cleaning->is_dry ? "would be erased" : "erased");
	if (cleaning->is_dry)
		fprintf(stderr, "%s kept for other questions\n", kept);
	else
		fprintf(stderr, "%s kept for other questions, %s freed\n", kept, freed);
}

/* Nothing is changed, so no lock is taken. */
static int look(const Cleaning *cleaning, GError **error)
{
	g_autoptr(WeftOutputs) outputs = weft_outputs_open_existing(
		cleaning->out ? cleaning->out : "weft-out", cleaning->state, error);
	g_autoptr(WeftStock) stock = outputs ? weft_stock_take(outputs, error) : NULL;
	WeftStashCounts counts = {0};
	guint64 n_gone = 0;

	if (!stock || (cleaning->erases_gone && !erase_gone(cleaning, outputs, &n_gone, error)))
		return WEFT_EXIT_NOT_STARTED;
	counts.size_bytes = stock->cache_bytes + stock->work_bytes;
	say(cleaning, n_gone, &counts);
	return WEFT_EXIT_DONE;
}

static int clean(const Cleaning *cleaning, GError **error)
{
	g_autoptr(WeftOutputs) outputs =
		weft_archive_open("gc", cleaning->out, cleaning->state, error);
	WeftStashCounts counts = {0};
	guint64 n_erased = 0;

	if (!outputs)
		return weft_archive_exit(*error, FALSE);
	g_autofree char *state = weft_outputs_state_dir(outputs);
	if ((cleaning->erases_gone && !erase_gone(cleaning, outputs, &n_erased, error)) ||
	    !weft_outputs_tidy(outputs, cleaning->erases_gone, error) ||
	    !weft_stash_collect(state, cleaning->cache_bytes, &counts, error))
		return weft_archive_exit(*error, TRUE);
	say(cleaning, n_erased, &counts);
	return WEFT_EXIT_DONE;
}

int weft_cmd_gc(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* works on an output folder only */
	Cleaning cleaning = {.cache_bytes = WEFT_CACHE_DEFAULT_BYTES};
	const GOptionEntry entries[] = {
		WEFT_CMD_OPTION_OUT(&cleaning.out),
		WEFT_CMD_OPTION_STATE(&cleaning.state),
		{"cache", 0, 0, G_OPTION_ARG_FILENAME, &cleaning.cache,
		 "of what was read, keep at most so much for other questions (2G)", "SIZE"},
		{"gone", 0, 0, G_OPTION_ARG_NONE, &cleaning.erases_gone,
		 "erase the records of documents that are marked gone", NULL},
		{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &cleaning.is_dry,
		 "say what would be erased, and change nothing", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &cleaning.is_quiet, "say nothing but errors", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	GError *error = NULL;
	int code = WEFT_EXIT_USAGE;

	g_option_context_set_summary(
		context, "Bounds what is kept in the state folder of OUT and removes what killed runs left. No\n"
			 "record is erased unless --gone asks for it.");
	g_option_context_set_description(
		context, "Exit codes: 0 done; 2 usage; 3 no records here; 74 something can't be erased or written,\n"
			 "run again; 75 a run holds the lock.\n");
	g_option_context_add_main_entries(context, entries, NULL);
	if (g_option_context_parse(context, &argc, &argv, &error) &&
	    weft_cmd_takes_no_arguments(argc, argv, &error)) {
		if (cleaning.cache && !weft_size_parse(cleaning.cache, &cleaning.cache_bytes))
			g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE,
				    "cache: '%s' is not a size like 2G", cleaning.cache);
		else
			code = cleaning.is_dry ? look(&cleaning, &error) : clean(&cleaning, &error);
	}
	g_free(cleaning.out);
	g_free(cleaning.state);
	g_free(cleaning.cache);
	return error ? weft_cmd_fail("gc", &error, code) : code;
}
