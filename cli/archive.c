#include "cli/archive.h"

#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/cmd.h"

#define TICK_US (200 * 1000)

WeftOutputs *weft_archive_open(const char *verb, const char *out, const char *state, GError **error)
{
	const char *folder = out ? out : "weft-out";
	g_autofree char *records = g_build_filename(folder, "records", NULL);

	if (!g_file_test(records, G_FILE_TEST_IS_DIR)) {
		g_autofree char *name = weft_path_display(folder);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: no records here", name);
		return NULL;
	}
	WeftOutputs *outputs = weft_outputs_open(folder, state, WEFT_OUTPUTS_ALONE, error);
	if (outputs && weft_outputs_note(outputs)) {
		g_autofree char *note = weft_path_display(weft_outputs_note(outputs));
		fprintf(stderr, "weft %s: %s\n", verb, note);
	}
	return outputs;
}

int weft_archive_exit(const GError *error, gboolean is_open)
{
	if (error->domain == G_OPTION_ERROR ||
	    g_error_matches(error, WEFT_ERROR, WEFT_ERROR_USAGE))
		return WEFT_EXIT_USAGE;
	if (g_error_matches(error, WEFT_ERROR, WEFT_ERROR_CANCELLED))
		return WEFT_EXIT_LOCKED;
	return is_open ? WEFT_EXIT_OUTPUT : WEFT_EXIT_NOT_STARTED;
}

void weft_ticker_init(WeftTicker *ticker, gboolean is_quiet)
{
	*ticker = (WeftTicker){
		.is_shown = !is_quiet && isatty(STDERR_FILENO) &&
			    g_strcmp0(g_getenv("TERM"), "dumb") != 0,
		.drawn_us = g_get_monotonic_time(),
	};
}

gboolean weft_ticker_is_due(const WeftTicker *ticker)
{
	return ticker->is_shown && g_get_monotonic_time() - ticker->drawn_us > TICK_US;
}

void weft_ticker_draw(WeftTicker *ticker, const char *text)
{
	if (!ticker->is_shown)
		return;
	fprintf(stderr, "\r\033[K%s", text);
	fflush(stderr);
	ticker->drawn_us = g_get_monotonic_time();
	ticker->is_drawn = TRUE;
}

void weft_ticker_wipe(WeftTicker *ticker)
{
	if (ticker->is_drawn)
		fputs("\r\033[K", stderr);
	ticker->is_drawn = FALSE;
}
