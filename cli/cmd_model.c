/* cmd_model.c - `weft model inspect ...` (model_inspect.c) and `weft model quantize ...`. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"
#include "cli/cmd.h"
#include "cli/model_inspect.h"

#define DRAW_EVERY_US (G_USEC_PER_SEC / 5)

typedef struct Options {
	char *type, *output, *vision;
} Options;

static void options_clear(Options *options)
{
	g_free(options->type);
	g_free(options->output);
	g_free(options->vision);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* One line, drawn again in place. */
static void draw(const WeftQuantizer *quantizer, const char *name, gint64 begin_us)
{
	double done = (double)weft_quantizer_done_bytes(quantizer);
	double all = (double)weft_quantizer_size_bytes(quantizer);
	double elapsed_s = (double)(g_get_monotonic_time() - begin_us) / G_USEC_PER_SEC;
	fprintf(stderr, "\r%s: %.1f of %.1f MB, %.0f MB/s, %.0f s left \033[K", name, done / 1e6,
		all / 1e6, elapsed_s > 0 ? done / 1e6 / elapsed_s : 0,
		done > 0 ? (all - done) / done * elapsed_s : 0);
}

/* Ctrl-C and its like are asked for between slices, so that nothing half-written stays. */
static gboolean check_interrupted(const sigset_t *watched, GError **error)
{
	const struct timespec now = {0};
	if (sigtimedwait(watched, NULL, &now) < 0)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED, "interrupted, nothing is written");
	return FALSE;
}

static gboolean write_file(WeftQuantizer *quantizer, const char *target, GError **error)
{
	g_autofree char *base = g_path_get_basename(target);
	g_autofree char *name = weft_path_display(base);
	gboolean is_terminal = isatty(STDERR_FILENO), is_done = FALSE, is_good = TRUE;
	gint64 begin_us = g_get_monotonic_time(), drawn_us = 0;
	sigset_t watched;

	sigemptyset(&watched);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &watched, NULL); /* fails for wrong arguments only */
	while (is_good && !is_done) {
		is_good = check_interrupted(&watched, error) &&
			  weft_quantizer_next(quantizer, &is_done, error);
		gint64 now_us = g_get_monotonic_time();
		if (is_terminal && now_us - drawn_us >= DRAW_EVERY_US) {
			draw(quantizer, name, begin_us);
			drawn_us = now_us;
		}
	}
	if (is_terminal)
		fputs("\r\033[K", stderr);
	return is_good;
}

/* "model.gguf" -> "model-mmproj.gguf" */
static char *vision_path(const char *output)
{
	gsize length = strlen(output);
	if (g_str_has_suffix(output, ".gguf"))
		length -= strlen(".gguf");
	return g_strdup_printf("%.*s-mmproj.gguf", (int)length, output);
}

/* One of the two files; *ret_has_vision: the checkpoint has a vision part. The exit code. */
static int quantize_part(const WeftQuantizeJob *job, gboolean *ret_has_vision)
{
	GError *error = NULL;
	g_autoptr(WeftQuantizer) quantizer = weft_quantizer_open(job, &error);
	if (!quantizer)
		return weft_cmd_fail("model", &error, WEFT_EXIT_NOT_STARTED);
	const GPtrArray *notes = weft_quantizer_notes(quantizer);
	for (guint i = 0; i < notes->len; i++)
		fprintf(stderr, "weft model: %s\n", (const char *)g_ptr_array_index(notes, i));
	if (!write_file(quantizer, job->target, &error))
		return weft_cmd_fail("model", &error,
				     g_error_matches(error, WEFT_ERROR, WEFT_ERROR_CANCELLED) ?
					     WEFT_EXIT_INTERRUPTED :
					     WEFT_EXIT_OUTPUT);
	g_autofree char *shown = weft_path_display(job->target);
	printf("%s: %.1f MB\n", shown, (double)weft_quantizer_size_bytes(quantizer) / 1e6);
	*ret_has_vision = weft_quantizer_has_vision(quantizer);
	return WEFT_EXIT_DONE;
}

static int quantize(int argc, char **argv)
{
	g_auto(Options) options = {0};
	const GOptionEntry entries[] = {
		{"type", 't', 0, G_OPTION_ARG_FILENAME, &options.type,
		 "type of the matrices: q8_0, q6_k, q4_k or q4_0 (default: q8_0)", "TYPE"},
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "the file to write",
		 "FILE.gguf"},
		{"mmproj", 0, 0, G_OPTION_ARG_FILENAME, &options.vision,
		 "the file for the vision part (default: FILE-mmproj.gguf)", "FILE"},
		G_OPTION_ENTRY_NULL};
	g_autoptr(GOptionContext) context = g_option_context_new("BUNDLE -o FILE.gguf");
	g_set_prgname("weft model quantize"); /* for its usage line */
	GError *error = NULL;
	gboolean has_vision = FALSE;
	WeftDtype dtype = WEFT_DTYPE_Q8_0;

	g_option_context_set_summary(context, "Writes a safetensors checkpoint as GGUF.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return weft_cmd_fail("model", &error, WEFT_EXIT_USAGE);
	if (argc != 2 || !options.output ||
	    (options.type && !weft_quantize_type(options.type, &dtype))) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s",
			    argc != 2         ? "quantize takes one bundle" :
			    !options.output   ? "quantize needs -o FILE.gguf" :
						"--type is q8_0, q6_k, q4_k or q4_0");
		return weft_cmd_fail("model", &error, WEFT_EXIT_USAGE);
	}
	WeftQuantizeJob job = {argv[1], options.output, dtype, FALSE};
	int code = quantize_part(&job, &has_vision);
	if (code != WEFT_EXIT_DONE || !has_vision)
		return code;
	g_autofree char *vision =
		options.vision ? g_strdup(options.vision) : vision_path(options.output);
	job.target = vision;
	job.is_vision = TRUE;
	return quantize_part(&job, &has_vision);
}

int weft_cmd_model(const WeftPlaces *places, int argc, char **argv)
{
	if (argc >= 2 && !strcmp(argv[1], "inspect"))
		return weft_model_inspect(places, argc - 1, argv + 1);
	if (argc >= 2 && !strcmp(argv[1], "quantize"))
		return quantize(argc - 1, argv + 1);
	gboolean is_help = argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
	fputs("Usage:\n"
	      "  weft model inspect [--verify] [--routing] [-o FILE.svg] BUNDLE [PATH...]\n"
	      "                           say what it is; read all weights; show which experts it uses\n"
	      "  weft model quantize BUNDLE -o FILE.gguf [--type TYPE] [--mmproj FILE]\n"
	      "                           write a safetensors checkpoint as GGUF\n",
	      is_help ? stdout : stderr);
	return is_help ? WEFT_EXIT_DONE : WEFT_EXIT_USAGE;
}
