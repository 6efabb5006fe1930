/* print_sounding [--repeat N] FILE.wav... : the sounding of each file (16 kHz, s16, one or two
 * channels, as tools/make_speech_corpus.py writes them), one JSON object a line; the file N times
 * in a row is one recording. For tests and measurements. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "encoders/mel.h"
#include "encoders/sounding.h"

#define HEADER_BYTES 44
#define PIECE 8000 /* samples that are pushed at once: not a multiple of anything inside */

static void push_file(WeftSounder *sounder, const char *data, gsize size_bytes, double from_s)
{
	gsize n_channels = (guint8)data[22], n = (size_bytes - HEADER_BYTES) / 2 / n_channels;
	float left[PIECE], right[PIECE];

	for (gsize first = 0; first < n; first += PIECE) {
		gsize some = MIN(n - first, (gsize)PIECE);
		double time_s = from_s + (double)first / WEFT_MEL_RATE_HZ;

		for (gsize i = 0; i < some; i++) {
			gint16 frame[2];
			memcpy(frame, data + HEADER_BYTES + (first + i) * 2 * n_channels,
			       2 * n_channels);
			left[i] = (float)frame[0] / 32768;
			right[i] = (float)frame[n_channels - 1] / 32768;
		}
		if (n_channels == 2)
			weft_sounder_push_sides(sounder, left, right, some, time_s);
		else
			weft_sounder_push(sounder, left, some, time_s);
	}
}

static void print(const char *path, const WeftSounding *sounding, double cpu_s)
{
	static const char *names[] = {"silence", "sound", "speech"};
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"file\": \"%s\", \"seconds\": %.6f, \"largest\": %.7f, \"two_sided\": %s, "
	       "\"cpu_s\": %.3f, \"peak_kib\": %ld, \"intervals\": [",
	       path, sounding->seconds, (double)sounding->largest,
	       sounding->is_two_sided ? "true" : "false", cpu_s, usage.ru_maxrss);
	for (guint i = 0; i < sounding->intervals->len; i++) {
		const WeftInterval *in = &g_array_index(sounding->intervals, WeftInterval, i);
		printf("%s[%.2f, %.2f, \"%s\"]", i > 0 ? ", " : "", in->from_s, in->to_s,
		       names[in->activity]);
	}
	printf("], \"turns\": [");
	for (guint i = 0; i < sounding->turns->len; i++) {
		const WeftVoiceTurn *turn = &g_array_index(sounding->turns, WeftVoiceTurn, i);
		printf("%s[%.2f, %.2f, %u, %.2f, %d]", i > 0 ? ", " : "", turn->from_s, turn->to_s,
		       turn->speaker, (double)turn->margin, turn->is_overlap);
	}
	printf("]}\n");
}

int main(int argc, char **argv)
{
	g_autoptr(WeftKernels) kernels = weft_kernels_open("ref", 1, NULL);
	int n_repeats = argc > 2 && strcmp(argv[1], "--repeat") == 0 ? atoi(argv[2]) : 1;

	for (int i = n_repeats > 1 ? 3 : 1; i < argc; i++) {
		g_autoptr(WeftSounder) sounder = weft_sounder_new(kernels, 80);
		g_autofree char *data = NULL;
		gsize size_bytes;
		clock_t begin = clock();

		if (!g_file_get_contents(argv[i], &data, &size_bytes, NULL) ||
		    size_bytes < HEADER_BYTES || (data[22] != 1 && data[22] != 2)) {
			fprintf(stderr, "%s: no such recording\n", argv[i]);
			return 2;
		}
		double seconds =
		    (double)((size_bytes - HEADER_BYTES) / 2 / (guint8)data[22]) / WEFT_MEL_RATE_HZ;

		for (int k = 0; k < n_repeats; k++)
			push_file(sounder, data, size_bytes, k * seconds);
		g_autoptr(WeftSounding) sounding = weft_sounder_end(sounder);

		print(argv[i], sounding, (double)(clock() - begin) / CLOCKS_PER_SEC);
	}
	return 0;
}
