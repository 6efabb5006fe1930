/* Whisper's encoder over a whole window of 30 s, weights in float16, against transformers
 * (tests/golden/whisper, see ORIGIN there). */
#include <string.h>

#include "check.h"

#define N_BINS 128
#define N_FRAMES 3000
#define ROW_STEP 50

static void test_window(void)
{
	Opened opened = check_open_tier(WEFT_WHISPER, NULL, NULL);
	g_autofree float *mel = g_new(float, N_BINS * N_FRAMES);
	g_autofree float *rows = NULL;
	g_autofree float *kept = NULL;
	g_autoptr(GError) error = NULL;
	gsize n_rows = 0, width = 0;

	for (gsize b = 0; b < N_BINS; b++) {
		for (gsize t = 0; t < N_FRAMES; t++)
			mel[b * N_FRAMES + t] =
				((float)((b * 7 + t * 13 + b * t % 11) % 17) - 8) / 8;
	}
	weft_encoders_whisper(opened.encoders, mel, N_BINS, N_FRAMES, &rows, &n_rows, &width,
			      &error);
	g_assert_no_error(error);
	g_assert_cmpuint(n_rows, ==, N_FRAMES / 2);
	g_assert_cmpuint(width, ==, 16);
	kept = g_new(float, n_rows / ROW_STEP * width);
	for (gsize i = 0; i < n_rows / ROW_STEP; i++)
		memcpy(kept + i * width, rows + i * ROW_STEP * width, width * sizeof *kept);
	check_close_to(kept, n_rows / ROW_STEP * width, WEFT_WHISPER "/rows.npy");
	check_close(&opened);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/whisper/window", test_window);
	return g_test_run();
}
