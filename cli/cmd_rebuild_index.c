/* cmd_rebuild_index.c - weft rebuild-index: the catalogue anew, from the record files. */
#include <stdio.h>

#include "cli/archive.h"
#include "cli/cmd.h"

int weft_cmd_rebuild_index(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* works on an output folder only */
	g_autofree char *out = NULL, *state = NULL;
	gboolean is_quiet = FALSE;
	const GOptionEntry entries[] = {
		WEFT_CMD_OPTION_OUT(&out),
		WEFT_CMD_OPTION_STATE(&state),
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &is_quiet, "say nothing but errors", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	GError *error = NULL;
	WeftRebuilt rebuilt;

	g_option_context_set_summary(
		context, "Makes the catalogue of OUT anew from its record files, in place of the one that is\n"
			 "there. Runs do this by themselves when it is gone or damaged.");
	g_option_context_set_description(
		context, "Exit codes: 0 done; 1 some files in records are damaged (weft verify says which);\n"
			 "2 usage; 3 no records here; 74 the catalogue can't be written; 75 a run holds the lock.\n");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) ||
	    !weft_cmd_takes_no_arguments(argc, argv, &error))
		return weft_cmd_fail("rebuild-index", &error, WEFT_EXIT_USAGE);
	g_autoptr(WeftOutputs) outputs = weft_archive_open("rebuild-index", out, state, &error);
	if (!outputs)
		return weft_cmd_fail("rebuild-index", &error, weft_archive_exit(error, FALSE));
	if (!weft_outputs_rebuild(outputs, &rebuilt, &error))
		return weft_cmd_fail("rebuild-index", &error, weft_archive_exit(error, TRUE));
	if (!is_quiet)
		fprintf(stderr,
			"%" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT " damaged\n",
			rebuilt.n_records, rebuilt.n_damaged);
	return rebuilt.n_damaged > 0 ? WEFT_EXIT_SOME_FAILED : WEFT_EXIT_DONE;
}
