/* Whisper's encoder against transformers, the projector in both Ultravox layouts against the same
 * formulas in torch (golden/, see ORIGIN). The checkpoints have 100 positions (two pages of keys):
 * a chunk is 200 frames of mel, 32,000 samples. */
#include "check.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "sound.h"

static void check_whisper(const char *tier)
{
	Opened opened = check_open_tier(WEFT_GOLDEN "/whisper", NULL, tier);
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftNpy) mel = weft_npy_read(WEFT_GOLDEN "/whisper.mel.npy", &error);
	g_autofree float *frames = NULL;
	gsize n_frames = 0, width = 0;

	g_assert_no_error(error);
	weft_encoders_whisper(opened.encoders, mel->f32, mel->shape[0], mel->shape[1], &frames,
			      &n_frames, &width, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(n_frames, ==, 100);
	g_assert_cmpuint(width, ==, 16);
	check_close_to(frames, n_frames * width, WEFT_GOLDEN "/whisper.frames.npy");
	g_assert_false(weft_encoders_can_hear(opened.encoders));
	g_assert_false(weft_encoders_can_see(opened.encoders));
	check_close(&opened);
}

static void test_whisper(void)
{
	check_whisper("ref");
	check_whisper(NULL);
}

static void test_whisper_shape(void)
{
	Opened opened = check_open(WEFT_GOLDEN "/whisper", NULL);
	g_autofree float *mel = g_new0(float, 128 * 202);
	float *frames = NULL;
	gsize n_frames = 0, width = 0;
	g_autoptr(GError) bins = NULL;
	g_autoptr(GError) length = NULL;

	g_assert_false(weft_encoders_whisper(opened.encoders, mel, 128, 200, &frames, &n_frames,
					     &width, &bins));
	g_assert_error(bins, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_nonnull(strstr(bins->message, "128"));
	g_assert_false(weft_encoders_whisper(opened.encoders, mel, 20, 202, &frames, &n_frames,
					     &width, &length));
	g_assert_error(length, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_null(frames);
	check_close(&opened);
}

/* Adds the clip block by block; between two blocks comes text, as it does in a recording. */
static void add_blocks(WeftRequest *request, const WeftEncoders *encoders, const WeftPcm *pcm,
		       const WeftAnchor *at)
{
	gsize n_rows = weft_encoders_audio_rows(encoders, pcm->n_samples), n;
	WeftAnchor before = { 0 };
	g_autoptr(GError) error = NULL;

	for (gsize row = 0; row < n_rows; row += n) {
		gsize length = weft_request_length(request);
		WeftAnchor block;

		n = weft_encoders_audio_block(encoders, pcm->n_samples, at, row, &block);
		weft_request_add_audio(request, &(WeftSoundSlice){ pcm, row, n }, 5, block, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(weft_request_length(request) - length, ==,
				 weft_encoders_audio_tokens(encoders, n, &block,
							    row ? &before : NULL));
		before = block;
		weft_request_add_text(request,
				      &(WeftPassage){ "So.", 3, NULL, WEFT_SPAN_NO_CONTENT, block },
				      NULL);
	}
}

/* Each span lies in its block, begins where the one before it ends, and has the rows that begin in it. */
static void check_spans(const WeftSequence *sequence, const WeftAnchor *at)
{
	double end = at->time[0];
	gsize n_audio = 0;

	for (guint i = 0; i < sequence->spans->len; i++) {
		const WeftSpan *span = &g_array_index(sequence->spans, WeftSpan, i);

		if (span->kind != WEFT_SPAN_AUDIO)
			continue;
		g_assert_cmpuint(span->content, ==, 5);
		g_assert_cmpuint(span->anchor.track, ==, 1);
		g_assert_cmpfloat(span->anchor.time[0], ==, end);
		end = span->anchor.time[1];
		/* rows are 160 ms apart, but for the last of a chunk */
		g_assert_cmpfloat(fabs(end - span->anchor.time[0] - 0.16 * (double)span->n_tokens), <,
				  0.17);
		g_assert_true(n_audio == 0 || fmod(span->anchor.time[0], WEFT_BLOCK_S) < 0.16);
		g_assert_cmpint(g_array_index(sequence->ids, gint32, span->token_first), ==,
				WEFT_SEQUENCE_ROW_ID);
		n_audio += span->n_tokens;
	}
	g_assert_cmpfloat(end, ==, at->time[1]);
	g_assert_cmpuint(n_audio * sequence->width, ==, sequence->rows->len);
}

static void check_rows(const char *audio, const char *layout, gsize n_samples)
{
	Opened opened = check_open(WEFT_SCOUT, audio);
	g_autofree char *path =
		g_strdup_printf("%s/rows-%s-%zu.npy", WEFT_GOLDEN, layout, n_samples);
	WeftPcm pcm = { sound_new(n_samples), n_samples, .rms = 0.2 };
	WeftAnchor at = { .track = 1, .has_time = TRUE, .time = { 3.3, 3.3 + (double)n_samples / 16000 } };
	g_autoptr(GError) error = NULL;
	WeftRequest *request = weft_request_new(opened.encoders, NULL);

	g_assert_true(weft_encoders_can_hear(opened.encoders));
	add_blocks(request, opened.encoders, &pcm, &at);
	g_autoptr(WeftSequence) sequence = weft_request_finish(request, NULL, &error);

	g_assert_no_error(error);
	check_close_to((const float *)(void *)sequence->rows->data, sequence->rows->len, path);
	check_spans(sequence, &at);
	g_free(pcm.samples);
	check_close(&opened);
}

static void test_layout_post(void)
{
	check_rows(WEFT_GOLDEN "/whisper", "post", 9000);
	check_rows(WEFT_GOLDEN "/whisper", "post", 50000);
}

static void test_layout_mid(void)
{
	check_rows(WEFT_GOLDEN "/ultravox", "mid", 9000);
	check_rows(WEFT_GOLDEN "/ultravox", "mid", 50000);
}

/* The padding of a short clip, and the mel of whole windows. */
static void test_short(void)
{
	Opened opened = check_open(WEFT_SCOUT, WEFT_GOLDEN "/ultravox");
	WeftPcm pcm = { sound_new(1), 1, .rms = 0.2 };
	WeftAnchor nowhere = { 0 };
	g_autoptr(WeftRequest) request = weft_request_new(opened.encoders, NULL);
	gsize before = weft_request_length(request);

	g_assert_true(
		weft_request_add_audio(request, &(WeftSoundSlice){ &pcm, 0, 1 }, 0, nowhere, NULL));
	g_assert_cmpuint(weft_request_length(request) - before, ==,
			 weft_encoders_audio_tokens(opened.encoders, 1, &nowhere, NULL));
	g_assert_cmpuint(weft_encoders_audio_rows(opened.encoders, 1), ==, 1);
	g_assert_cmpuint(weft_encoders_audio_block(opened.encoders, 100000, &nowhere, 3, &nowhere), ==,
			 weft_encoders_audio_rows(opened.encoders, 100000) - 3);
	g_free(pcm.samples);
	check_close(&opened);
}

/* Rows that a clip does not have are not added. */
static void test_slices_of_the_clip(void)
{
	Opened opened = check_open(WEFT_SCOUT, WEFT_GOLDEN "/ultravox");
	WeftPcm pcm = { sound_new(9000), 9000, .rms = 0.2 };
	WeftAnchor nowhere = { 0 };
	g_autoptr(WeftRequest) request = weft_request_new(opened.encoders, NULL);
	gsize before = weft_request_length(request);
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_request_add_audio(request, &(WeftSoundSlice){ &pcm, 3, 2 }, 0, nowhere,
					      &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_cmpuint(weft_request_length(request), ==, before);
	g_free(pcm.samples);
	check_close(&opened);
}

/* Without weights as many are counted as the tower makes. */
static void test_counted(void)
{
	Opened opened = check_open(WEFT_SCOUT, WEFT_GOLDEN "/ultravox");
	g_autoptr(WeftEncoders) counting = weft_encoders_open_to_count(opened.bundle, NULL);

	g_assert_true(weft_encoders_can_hear(counting));
	for (gsize n = 1; n < 100000; n = n * 3 + 1)
		g_assert_cmpuint(weft_encoders_audio_rows(counting, n), ==,
				 weft_encoders_audio_rows(opened.encoders, n));
	check_close(&opened);
}

/* Whisper without a projector: sound cannot become rows, and the error says why. */
static void test_refused(void)
{
	Opened opened = check_open(WEFT_SCOUT, NULL);
	float sample = 0;
	WeftPcm pcm = { &sample, 1, .rms = 0 };
	WeftAnchor nowhere = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftRequest) request = weft_request_new(opened.encoders, NULL);
	gsize before = weft_request_length(request);

	g_assert_false(weft_request_add_audio(request, &(WeftSoundSlice){ &pcm, 0, 1 }, 0, nowhere,
					      &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER);
	g_assert_cmpuint(weft_request_length(request), ==, before);
	check_close(&opened);
}

/* Shapes agree, the recorded base does not: the projector is not used, and the error names both. */
static void test_other_base(void)
{
	g_autofree char *folder = g_dir_make_tmp("weft-XXXXXX", NULL);
	g_autofree char *config = g_build_filename(folder, "config.json", NULL);
	g_autofree char *weights = g_build_filename(folder, "model.safetensors", NULL);
	g_autofree char *json = NULL;
	g_autofree char *bytes = NULL;
	gsize n;
	float sample = 0;
	WeftPcm pcm = { &sample, 1, .rms = 0 };
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_get_contents(WEFT_GOLDEN "/ultravox/config.json", &json, NULL, NULL));
	g_assert_true(g_file_get_contents(WEFT_GOLDEN "/ultravox/model.safetensors", &bytes, &n,
					  NULL));
	char *base = strstr(json, "weft/scout");

	g_assert_nonnull(base);
	memcpy(base, "weft/SC0UT", 10);
	g_assert_true(g_file_set_contents(config, json, -1, NULL));
	g_assert_true(g_file_set_contents(weights, bytes, (gssize)n, NULL));
	Opened opened = check_open(WEFT_SCOUT, folder);
	g_autoptr(WeftRequest) request = weft_request_new(opened.encoders, NULL);
	WeftAnchor nowhere = { 0 };

	g_assert_false(weft_encoders_can_hear(opened.encoders));
	g_assert_false(weft_request_add_audio(request, &(WeftSoundSlice){ &pcm, 0, 1 }, 0, nowhere,
					      &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER);
	g_assert_nonnull(strstr(error->message, "weft/SC0UT"));
	check_close(&opened);
	g_unlink(config);
	g_unlink(weights);
	g_rmdir(folder);
}

static void test_mel_windows(void)
{
	Opened opened = check_open(WEFT_GOLDEN "/whisper", NULL);
	g_autofree float *samples = sound_new(481000);
	g_autofree float *mel = NULL;
	gsize n_bins = 0, n_frames = 0;

	g_assert_true(weft_encoders_mel(opened.encoders, samples, 481000, &mel, &n_bins, &n_frames,
					NULL));
	g_assert_cmpuint(n_bins, ==, 20);
	g_assert_cmpuint(n_frames, ==, 6000);
	check_close(&opened);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/audio/whisper", test_whisper);
	g_test_add_func("/audio/whisper-shape", test_whisper_shape);
	g_test_add_func("/audio/layout-post", test_layout_post);
	g_test_add_func("/audio/layout-mid", test_layout_mid);
	g_test_add_func("/audio/short", test_short);
	g_test_add_func("/audio/slices-of-the-clip", test_slices_of_the_clip);
	g_test_add_func("/audio/counted", test_counted);
	g_test_add_func("/audio/refused", test_refused);
	g_test_add_func("/audio/other-base", test_other_base);
	g_test_add_func("/audio/mel-windows", test_mel_windows);
	return g_test_run();
}
