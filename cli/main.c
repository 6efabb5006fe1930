/* main.c - starts the helper programs, then the verb. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/cmd.h"
#include "cli/lost_file.h"

typedef struct WeftVerb {
	const char *name, *arguments, *summary;
	gboolean for_developers;
	/* One of the two; the second kind decodes documents. (run starts the helpers itself, once it knows
	 * what is asked.) */
	int (*plain)(const WeftPlaces *places, int argc, char **argv);
	int (*decoding)(const WeftPlaces *places, WeftIngest *ingest, int argc, char **argv);
} WeftVerb;

static const WeftVerb VERBS[] = {
    {"run", "[OPTIONS] PATH...", "read documents and write a record for each", FALSE,
     weft_cmd_run, NULL},
    {"show", "[-o OUT] [ID|PATH...]", "list the records, print them, explain a value", FALSE,
     weft_cmd_show, NULL},
    {"search", "[-o OUT] QUERY", "find documents by their words", FALSE, weft_cmd_search, NULL},
    {"ask", "[-o OUT] [-m BUNDLE] QUESTION", "answer a question from the records of many documents", FALSE,
     weft_cmd_ask, NULL},
    {"export", "[-o OUT] -f FORMAT [ID|PATH...]", "records as table, captions, Markdown ...", FALSE,
     weft_cmd_export, NULL},
    {"report", "[-o OUT] [--to FILE]", "one page of HTML about the records", FALSE, weft_cmd_report,
     NULL},
    {"calibrate", "[-o OUT] [--plot FILE]", "compare confidence with what people say", FALSE,
     weft_cmd_calibrate, NULL},
    {"status", "[-o OUT]", "what runs and how far it is; what the records are", FALSE,
     weft_cmd_status, NULL},
    {"verify", "[-o OUT]", "compare records and documents with their checksums", FALSE, NULL,
     weft_cmd_verify},
    {"gc", "[-o OUT] [--gone]", "bound what is kept; erase records of gone documents", FALSE,
     weft_cmd_gc, NULL},
    {"rebuild-index", "[-o OUT]", "make the catalogue anew from the records", FALSE,
     weft_cmd_rebuild_index, NULL},
    {"plan", "BUNDLE [PATH...]", "memory, time and cost before anything is loaded", FALSE, NULL,
     weft_cmd_plan},
    {"schema", "check FILE | record | ask", "check a schema; print that of records or answers", FALSE,
     weft_cmd_schema, NULL},
    {"model", "inspect|quantize BUNDLE ...", "say what a model is; write it as GGUF", FALSE, weft_cmd_model, NULL},
    {"doctor", "[-m BUNDLE]", "say what is installed and try a model", FALSE, NULL,
     weft_cmd_doctor},
    {"bench", "-m BUNDLE [-p N] [-n N] ...", "measure tokens per second", FALSE, weft_cmd_bench,
     NULL},
    {"probe", "logits|tokens|pixels|mel ...", "compare with a reference implementation", TRUE, weft_cmd_probe,
     NULL},
};

static void print_verbs(FILE *to)
{
	fputs("weft reads documents, pictures, sound and video and writes one JSON record for "
	      "each.\n\n",
	      to);
	for (int developers = 0; developers < 2; developers++) {
		fputs(developers ? "\nFor developers:\n" : "Commands:\n", to);
		for (gsize i = 0; i < G_N_ELEMENTS(VERBS); i++)
			if (VERBS[i].for_developers == developers)
				fprintf(to, "  weft %-13s %-30s %s\n", VERBS[i].name,
				        VERBS[i].arguments, VERBS[i].summary);
	}
	fputs("\nFirst steps: weft run FOLDER; weft show\n"
	      "Options of a command: weft COMMAND --help; manual: man weft, man weft-run\n",
	      to);
}

int weft_cmd_fail(const char *verb, GError **error, int code)
{
	g_autoptr(GString) text = g_string_new(NULL);
	weft_utf8_append_harmless(text, (*error)->message, TRUE);
	fprintf(stderr, "weft %s: %s\n", verb, text->str);
	if (g_error_matches(*error, WEFT_ERROR, WEFT_ERROR_USAGE) ||
	    (*error)->domain == G_OPTION_ERROR)
		fprintf(stderr, "weft %s --help lists its options.\n", verb);
	g_clear_error(error);
	return code;
}

static int run_verb(const WeftVerb *verb, int argc, char **argv)
{
	WeftPlaces places = {0};
	g_autofree char *name = g_strdup_printf("weft %s", verb->name);
	g_set_prgname(name); /* what --help of the verb begins with */
	weft_places_find(&places);
	int code;
	if (verb->plain) {
		code = verb->plain(&places, argc, argv);
	} else {
		/* Before any thread: the helpers fork. */
		GError *error = NULL;
		WeftIngest *ingest = weft_ingest_open(places.helper_dir, &error);
		code = ingest ? verb->decoding(&places, ingest, argc, argv)
		              : weft_cmd_fail(verb->name, &error, WEFT_EXIT_NOT_STARTED);
		weft_ingest_close(ingest);
	}
	weft_places_done(&places);
	return code;
}

int main(int argc, char **argv)
{
	static const WeftLogOptions LOG = {0};
	const char *name = argc > 1 ? argv[1] : "--help";

	(void)signal(SIGPIPE, SIG_IGN); /* a write then fails with EPIPE and is reported */
	(void)signal(SIGXFSZ, SIG_IGN); /* the same with EFBIG */
	weft_lost_file_watch();
	/* weft and what it starts gain nothing by running programs of others */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!strcmp(name, "--version")) {
		puts("weft " WEFT_VERSION);
		return WEFT_EXIT_DONE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_verbs(argc > 1 ? stdout : stderr);
		return argc > 1 ? WEFT_EXIT_DONE : WEFT_EXIT_USAGE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(VERBS); i++)
		if (!strcmp(name, VERBS[i].name)) {
			weft_log_init(&LOG);
			return run_verb(&VERBS[i], argc - 1, argv + 1);
		}
	g_autofree char *shown = weft_path_display(name);
	fprintf(stderr, "weft: there is no command \"%s\"; weft --help lists them.\n", shown);
	return WEFT_EXIT_USAGE;
}

gboolean weft_cmd_takes_no_arguments(int argc, char **argv, GError **error)
{
	if (argc <= 1)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		    "'%s' is not expected: the output folder is given with -o", argv[1]);
	return FALSE;
}
