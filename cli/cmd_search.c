/* cmd_search.c - weft search: which documents hold these words, and where.
 *
 * To people two lines for each document: where, and the words around what was found. To programs
 * one line with tabs between path, place and words; a name or a text never holds a tab or newline
 * then.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/cmd.h"
#include "cli/glance.h"
#include "outputs/outputs.h"

#define HITS_DEFAULT 20
#define HITS_MAX 100000

typedef struct Look {
	char *out, *state;
	char **words;
	int limit;
} Look;

/* "p.3", "00:14", "(about)" for what is said about the document, or "". */
static char *place_of(const WeftHit *hit)
{
	if (hit->is_about)
		return g_strdup("(about)");
	if (hit->page > 0)
		return g_strdup_printf("p.%u", hit->page);
	return hit->time_s >= 0 ? weft_glance_clock(hit->time_s) : g_strdup("");
}

/* Between the marks of a found word, bold; without colour the marks are left out. */
static char *words_of(const WeftHit *hit, gboolean is_bold)
{
	GString *line = g_string_new(NULL);
	g_auto(GStrv) parts = g_strsplit_set(hit->snippet, "\002\003", -1);

	for (gsize i = 0; parts[i]; i++) {
		g_autofree char *shown = weft_path_display(parts[i]);
		gboolean is_found = i % 2 == 1;

		g_string_append_printf(line, "%s%s%s", is_found && is_bold ? "\033[1m" : "", shown,
				       is_found && is_bold ? "\033[0m" : "");
	}
	return g_string_free(line, FALSE);
}

static void print_hit(const WeftHit *hit, gboolean is_terminal)
{
	g_autofree char *path = weft_path_display(hit->path);
	g_autofree char *place = place_of(hit);
	g_autofree char *words = words_of(hit, is_terminal);

	if (!is_terminal) {
		printf("%s\t%s\t%s\n", path, place, words);
		return;
	}
	printf("%s%s%s", path, *place ? "  " : "", place);
	if (hit->n_paths > 1)
		printf("  (and %u more %s)", hit->n_paths - 1, hit->n_paths > 2 ? "places" : "place");
	printf("\n    %s\n", words);
}

static int search(const Look *look, GError **error)
{
	g_autoptr(WeftOutputs) outputs = weft_outputs_open_existing(
		look->out ? look->out : "weft-out", look->state, error);
	g_autofree char *joined = g_strjoinv(" ", look->words);
	g_autofree char *query = g_utf8_make_valid(joined, -1);
	gboolean is_cut = FALSE;

	if (!outputs)
		return WEFT_EXIT_NOT_STARTED;
	g_autoptr(GPtrArray) hits =
		weft_outputs_search(outputs, query, (guint)look->limit, &is_cut, error);
	if (!hits)
		return g_error_matches(*error, WEFT_ERROR, WEFT_ERROR_USAGE)
			       ? WEFT_EXIT_USAGE
			       : WEFT_EXIT_NOT_STARTED;
	for (guint i = 0; i < hits->len; i++)
		print_hit(g_ptr_array_index(hits, i), isatty(STDOUT_FILENO));
	if (is_cut)
		fprintf(stderr, "weft search: the best %u; --limit N shows more\n", hits->len);
	return hits->len > 0 ? WEFT_EXIT_DONE : WEFT_EXIT_SOME_FAILED;
}

int weft_cmd_search(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* reads an output folder only */
	Look look = {.limit = HITS_DEFAULT};
	const GOptionEntry entries[] = {
		WEFT_CMD_OPTION_OUT(&look.out),
		WEFT_CMD_OPTION_STATE(&look.state),
		{"limit", 'n', 0, G_OPTION_ARG_INT, &look.limit,
		 "at most so many documents (20), the best first", "N"},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &look.words, NULL, "QUERY"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	GError *error = NULL;
	int code = WEFT_EXIT_USAGE;

	g_option_context_set_summary(
		context, "Finds documents by their words, as far as runs have read them, and says where the\n"
			 "words stand. All words must be there, in any case and with or without accents;\n"
			 "'\"two words\"' stand together, 'begin*' begins so, OR, NOT and NEAR are known.");
	g_option_context_set_description(context, "Exit codes: 0 found; 1 nothing found; 2 usage; 3 no "
						  "output folder, or no catalogue.\n");
	g_option_context_add_main_entries(context, entries, NULL);
	if (g_option_context_parse(context, &argc, &argv, &error)) {
		if (!look.words)
			g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE, "what to look for is missing");
		else if (look.limit < 1 || look.limit > HITS_MAX)
			g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE,
				    "limit: %d is not a number from 1 to %d", look.limit, HITS_MAX);
		else
			code = search(&look, &error);
	}
	g_strfreev(look.words);
	g_free(look.out);
	g_free(look.state);
	return error ? weft_cmd_fail("search", &error, code) : code;
}
