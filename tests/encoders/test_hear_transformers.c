/* Windows by the rules of decoding, against generate() of transformers with the same made-up weights:
 * golden/hear/transformers-*.txt. The long form is transformers' own (without words: the next window
 * begins at the last time; what was drawn cold is the prompt), put together here of the same pieces
 * that transcript.c has. What differs between the two is in whisper_search.h and whisper_window.h. */
#include <string.h>

#include "base/draw.h"
#include "check.h"
#include "encoders/segments.h"
#include "encoders/whisper_window.h"
#include "listen.h"

/* Averages of logarithms of probabilities: sums of f32 in another order. */
#define TOLERANCE 1e-3
#define COLD 0.5

typedef struct Case {
	const char *name;
	double seconds;
	guint32 seed;
	const char *language, *prompt; /* NULL: heard; none */
	gboolean translates, is_told;  /* told: what was said before is the prompt */
	gboolean falls_back;           /* to higher temperatures */
	gsize beam_size;
	double length_penalty;
} Case;

static const Case cases[] = {
	{ "greedy", 30, 1, .beam_size = 1, .length_penalty = -1 },
	{ "short", 7.3, 3, .language = "fr", .beam_size = 1, .length_penalty = -1 },
	{ "translate", 30, 5, .language = "de", .prompt = " Anna, Ben", .translates = TRUE,
	  .beam_size = 1, .length_penalty = -1 },
	{ "beam", 30, 2, .beam_size = 5, .length_penalty = 0 },
	{ "long", 75, 1, .is_told = TRUE, .beam_size = 1, .length_penalty = -1 },
	{ "fallback", 45, 22, .is_told = TRUE, .falls_back = TRUE, .beam_size = 1,
	  .length_penalty = -1 },
	{ "cool", 45, 24, .is_told = TRUE, .falls_back = TRUE, .beam_size = 1,
	  .length_penalty = -1 },
};

typedef struct Run {
	const Case *c;
	Opened opened;
	WeftWhisperTokens *tokens;
	float *mel; /* [n_bins][n_frames] */
	gsize n_bins, n_frames, seek;
	guint32 language;
	GArray *before;       /* of guint32: what goes before the start of the next window */
	GArray *said;         /* of guint32: tokens of all segments */
	GString *out, *segments;
} Run;

/* All frames of the recording, mirrored at both ends. */
static void measure(Run *run)
{
	gsize n, reach = WEFT_MEL_REACH;
	g_autofree float *samples = listen_sound_new(run->c->seconds, run->c->seed, &n);
	g_autofree float *padded = g_new0(float, n + 2 * reach);
	g_autoptr(WeftMel) mel = weft_mel_new(run->n_bins);
	float largest;

	memcpy(padded + reach, samples, n * sizeof(float));
	for (gsize i = 1; i <= reach; i++) {
		padded[reach - i] = samples[i];
		padded[reach + n - 1 + i] = samples[n - 1 - i];
	}
	run->n_frames = n / WEFT_MEL_HOP;
	run->mel = g_new(float, run->n_bins * run->n_frames);
	g_assert_true(weft_mel_measure(mel, run->opened.kernels, padded, run->n_frames, run->mel,
				       run->n_frames, &largest, NULL));
	weft_mel_clamp(mel, run->mel, run->n_frames, run->n_frames, largest);
}

/* Of the window at seek; zeros behind the end. */
static WeftScorer *hear(const Run *run)
{
	gsize width = WEFT_MEL_WINDOW_FRAMES, n = MIN(run->n_frames - run->seek, width);
	WeftListener *listener = weft_encoders_listener(run->opened.encoders);
	g_autofree float *window = g_new0(float, run->n_bins * width);
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < run->n_bins; i++)
		memcpy(window + i * width, run->mel + i * run->n_frames + run->seek,
		       n * sizeof(float));
	WeftScorer *scorer = listener->listen(listener, window, width, &error);

	g_assert_no_error(error);
	return scorer;
}

static void put_ids(GString *out, const guint32 *ids, gsize n)
{
	for (gsize i = 0; i < n; i++)
		g_string_append_printf(out, "%s%u", i ? "," : "", ids[i]);
}

/* transformers counts the end only where the text has one. */
static double average_of(const WeftHypothesis *found, const WeftScorer *scorer)
{
	gboolean has_end = found->n_tokens < scorer->n_context / 2;

	return found->log_probability / (double)(found->n_tokens + has_end);
}

static WeftWindow decode(const Run *run, WeftScorer *scorer)
{
	const Case *c = run->c;
	WeftSearch search = { .beam_size = c->beam_size, .best_of = 1, .patience = 1,
			      .length_penalty = c->length_penalty,
			      .seed_key = weft_draw_mix(weft_draw_mix(run->seek)) };
	g_autoptr(GArray) prompt = g_array_new(FALSE, FALSE, sizeof(guint32));
	WeftWindow window = { 0 };

	weft_window_prompt(run->tokens, scorer->n_context,
			   (const guint32 *)(gconstpointer)run->before->data, run->before->len,
			   run->language, c->translates, prompt);
	const guint32 *ids = (const guint32 *)(gconstpointer)prompt->data;

	g_assert_true(c->falls_back ?
			      weft_window_decode(&search, scorer, run->tokens, ids, prompt->len,
						 &window, NULL) :
			      weft_whisper_search(&search, scorer, run->tokens, ids, prompt->len,
						  &window.hypothesis, NULL));
	g_string_append_printf(run->out, "window %zu %.1f %.7g ", run->seek, window.temperature,
			       average_of(&window.hypothesis, scorer));
	put_ids(run->out, ids, prompt->len);
	g_string_append_c(run->out, ' ');
	put_ids(run->out, window.hypothesis.tokens, window.hypothesis.n_tokens);
	g_string_append_c(run->out, '\n');
	return window;
}

/* transformers' last segment has the time with which the next would begin, too. */
static void put_segments(Run *run, const WeftWindow *window, const WeftCut *cut)
{
	for (guint i = 0; i < cut->segments->len; i++) {
		const WeftSegment *s = &g_array_index(cut->segments, WeftSegment, i);
		gboolean is_open = i + 1 == cut->segments->len && !cut->is_whole &&
				   s->tokens + s->n_tokens <
					   window->hypothesis.tokens + window->hypothesis.n_tokens;

		g_string_append_printf(run->segments, "segment %.2f %.2f ", s->time[0], s->time[1]);
		put_ids(run->segments, s->tokens, s->n_tokens + is_open);
		g_string_append_c(run->segments, '\n');
		g_array_append_vals(run->said, s->tokens, (guint)s->n_tokens);
	}
}

static void listen_to_window(Run *run)
{
	g_autoptr(WeftScorer) scorer = hear(run);
	gsize n_frames = MIN(run->n_frames - run->seek, (gsize)WEFT_MEL_WINDOW_FRAMES);
	g_auto(WeftWindow) window = { 0 };
	g_auto(WeftCut) cut = { 0 };
	double probability;

	if (run->seek == 0 && !run->c->language)
		g_assert_true(weft_window_detect(scorer, run->tokens, &run->language, &probability,
						 NULL));
	window = decode(run, scorer);
	weft_segments_cut(run->tokens, window.hypothesis.tokens, window.hypothesis.n_tokens,
			  run->seek, n_frames, &cut);
	put_segments(run, &window, &cut);
	if (run->c->is_told) {
		g_array_set_size(run->before, 0);
		if (window.temperature < COLD)
			g_array_append_vals(run->before, run->said->data, run->said->len);
	}
	run->seek = cut.seek;
}

static char *transcribe(const Case *c)
{
	Run run = { .c = c,
		    .opened = check_open_tier(WEFT_HEAR, NULL, NULL),
		    .before = g_array_new(FALSE, FALSE, sizeof(guint32)),
		    .said = g_array_new(FALSE, FALSE, sizeof(guint32)),
		    .out = g_string_new(NULL),
		    .segments = g_string_new(NULL) };
	const WeftAudioConfig *audio = &weft_bundle_config(run.opened.bundle)->audio;

	run.tokens = weft_whisper_tokens_new(weft_bundle_tokenizer(run.opened.bundle),
					     audio->n_vocab, NULL);
	run.n_bins = audio->n_bins;
	if (c->language)
		g_assert_true(weft_whisper_tokens_find(run.tokens, c->language, &run.language));
	if (c->prompt)
		weft_whisper_tokens_encode(run.tokens, c->prompt, strlen(c->prompt), run.before);
	measure(&run);
	while (run.seek < run.n_frames)
		listen_to_window(&run);
	char *all = g_strdup_printf("language %s\n%s%s",
				    weft_whisper_tokens_language(run.tokens, run.language),
				    run.out->str, run.segments->str);

	g_string_free(run.out, TRUE);
	g_string_free(run.segments, TRUE);
	g_array_unref(run.before);
	g_array_unref(run.said);
	g_free(run.mel);
	weft_whisper_tokens_free(run.tokens);
	check_close(&run.opened);
	return all;
}

/* All fields are equal but the average (3), where the golden file has one. */
static void check_line(const char *ours, const char *golden)
{
	g_auto(GStrv) a = g_strsplit(ours, " ", -1), b = g_strsplit(golden, " ", -1);
	gboolean is_window = g_str_has_prefix(ours, "window ");

	if (g_strv_length(a) != g_strv_length(b))
		g_error("%s\nexpected\n%s", ours, golden);
	for (gsize i = 0; a[i]; i++) {
		double x = g_ascii_strtod(a[i], NULL), y = g_ascii_strtod(b[i], NULL);

		if (is_window && i == 3 ? b[i][0] && strcmp(b[i], "-") && fabs(x - y) > TOLERANCE :
					  strcmp(a[i], b[i]) != 0)
			g_error("field %zu of\n%s\nexpected\n%s", i, ours, golden);
	}
}

static void check_case(gconstpointer which)
{
	const Case *c = which;
	g_autofree char *path = g_strdup_printf(WEFT_HEAR "/transformers-%s.txt", c->name);
	g_autofree char *ours = transcribe(c), *golden = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(path, &golden, NULL, &error);
	g_assert_no_error(error);
	g_auto(GStrv) a = g_strsplit(ours, "\n", -1), b = g_strsplit(golden, "\n", -1);

	for (gsize i = 0; a[i] && b[i]; i++)
		check_line(a[i], b[i]);
	g_assert_cmpuint(g_strv_length(a), ==, g_strv_length(b));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/hear_transformers/", cases[i].name, NULL);

		g_test_add_data_func(path, &cases[i], check_case);
	}
	return g_test_run();
}
