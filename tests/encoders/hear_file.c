/* hear_file - what a Whisper folder hears in a recording, by the rules of openai/whisper alone: for
 * tools/compare_whisper.py.
 *
 * Usage: hear_file FOLDER SAMPLES.npy [BEAM [LANGUAGE]]      samples: float32, 16 kHz, one channel
 * Prints the text of each segment on a line.
 */
#include <locale.h>

#include "listen.h"

static void print(const WeftHeard *heard, gpointer data)
{
	(void)data;
	g_print("%s\n", heard->content->text);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	if (argc < 3) {
		g_printerr("usage: hear_file FOLDER SAMPLES.npy [BEAM [LANGUAGE]]\n");
		return 2;
	}
	setlocale(LC_ALL, "C.UTF-8");
	g_autoptr(WeftNpy) samples = weft_npy_read(argv[2], &error);

	if (!samples) {
		g_printerr("%s\n", error->message);
		return 2;
	}
	WeftTranscriptOptions options = { .beam_size = argc > 3 ? (gsize)atoi(argv[3]) : 1,
					  .best_of = 1,
					  .language = argc > 4 ? argv[4] : NULL };
	Opened opened = check_open_tier(argv[1], NULL, NULL);

	g_free(listen_as_reference(&opened, &options, samples->f32, samples->n_items, print, NULL));
	check_close(&opened);
	return 0;
}
