/* cmd_ask.c - weft ask: a question over all documents of an output folder, answered from their records.
 *
 * The answer is one JSON object on one line, as weft schema ask describes it. Options that concern the model
 * are keys of a job, as those of weft run.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/cmd.h"
#include "pipeline/pipeline.h"

#define TASK "across"

typedef struct Ask {
	char *out, *state, *model, *task, *adapter, *seed, *temperature, *tier, *threads;
	char **words;
	int limit;
} Ask;

static void ask_done(Ask *ask)
{
	char *const texts[] = {ask->out,  ask->state,       ask->model, ask->task,   ask->adapter,
			       ask->seed, ask->temperature, ask->tier,  ask->threads};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	g_strfreev(ask->words);
}

static gboolean fill_job(const Ask *ask, const WeftPlaces *places, WeftJob *job, GError **error)
{
	const struct {
		const char *key, *text;
	} settings[] = {{"output", ask->out},
			{"state", ask->state},
			{"model", ask->model ? ask->model : places->default_bundle},
			{"task", ask->task ? ask->task : TASK},
			{"adapter", ask->adapter},
			{"seed", ask->seed},
			{"temperature", ask->temperature},
			{"tier", ask->tier},
			{"jobs", ask->threads}};

	for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
		if (settings[i].text && !weft_job_set(job, settings[i].key, settings[i].text, error))
			return FALSE;
	g_autofree char *joined = g_strjoinv(" ", ask->words);
	g_autofree char *question = g_utf8_make_valid(joined, -1);
	job->tasks_dir = g_strdup(places->tasks_dir);
	return weft_job_set(job, "question", g_strstrip(question), error);
}

static int answer(const Ask *ask, const WeftPlaces *places, GError **error)
{
	g_autoptr(WeftJob) job = weft_job_new();
	g_autofree char *json = NULL;
	gboolean is_answered = FALSE;

	if (!fill_job(ask, places, job, error) ||
	    !weft_inquiry(job, (guint)ask->limit, &json, &is_answered, error))
		return g_error_matches(*error, WEFT_ERROR, WEFT_ERROR_USAGE) ? WEFT_EXIT_USAGE
									     : WEFT_EXIT_NOT_STARTED;
	puts(json);
	return is_answered ? WEFT_EXIT_DONE : WEFT_EXIT_SOME_FAILED;
}

int weft_cmd_ask(const WeftPlaces *places, int argc, char **argv)
{
	Ask ask = {.limit = WEFT_INQUIRY_DOCUMENTS_DEFAULT};
	const GOptionEntry entries[] = {
		WEFT_CMD_OPTION_OUT(&ask.out),
		WEFT_CMD_OPTION_STATE(&ask.state),
		{"model", 'm', 0, G_OPTION_ARG_FILENAME, &ask.model,
		 "the bundle that answers (default: the shipped one)", "BUNDLE"},
		{"task", 't', 0, G_OPTION_ARG_FILENAME, &ask.task,
		 "instructions and schema of the answer (default: across)", "NAME|FILE"},
		{"limit", 'n', 0, G_OPTION_ARG_INT, &ask.limit,
		 "look at the best so many documents (20)", "N"},
		{"adapter", 0, 0, G_OPTION_ARG_FILENAME, &ask.adapter, "a LoRA adapter that answers", "DIR"},
		{"seed", 0, 0, G_OPTION_ARG_FILENAME, &ask.seed, "of every random choice (0)", "N"},
		{"temperature", 0, 0, G_OPTION_ARG_FILENAME, &ask.temperature,
		 "0 (default): always the most likely token", "T"},
		{"tier", 0, 0, G_OPTION_ARG_FILENAME, &ask.tier, "kernels: ref, avx2, avx512", "NAME"},
		{"jobs", 'j', 0, G_OPTION_ARG_FILENAME, &ask.threads, "threads (1)", "N"},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &ask.words, NULL, "QUESTION"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	GError *error = NULL;
	int code = WEFT_EXIT_USAGE;

	g_option_context_set_summary(
		context, "Answers a question from the records of an output folder: looks for its words first,\n"
			 "then asks the model about the best passages. Prints one JSON object (weft schema ask):\n"
			 "the answer, what it rests on, which documents were looked at and which were not.");
	g_option_context_set_description(context, "Exit codes: 0 answered; 1 no answer, and why; 2 usage; 3 no "
						  "output folder, no catalogue, or no model.\n");
	g_option_context_add_main_entries(context, entries, NULL);
	if (g_option_context_parse(context, &argc, &argv, &error)) {
		if (!ask.words)
			g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE, "the question is missing");
		else if (ask.limit < 1 || ask.limit > WEFT_INQUIRY_DOCUMENTS_MAX)
			g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE,
				    "limit: %d is not a number from 1 to %d", ask.limit,
				    WEFT_INQUIRY_DOCUMENTS_MAX);
		else
			code = answer(&ask, places, &error);
	}
	ask_done(&ask);
	return error ? weft_cmd_fail("ask", &error, code) : code;
}
