/* Long form over scripts: which windows are heard, what they are asked, what is believed. */
#include "encoders/transcript.h"

#include "script.h"

#define WINDOWS(...) (const Take *const[]){ __VA_ARGS__ }
#define TAKES(...) (const Take[]){ __VA_ARGS__, { NULL, 0, 0 } }
#define SURE(says) { says, SCRIPT_SURE, 0.01 }

typedef struct Run {
	Vocabulary vocabulary;
	WeftKernels *kernels;
	Script script;
	WeftTranscriptOptions options;
	WeftTranscriptSound sound;
	GPtrArray *heard; /* of WeftHeard */
	WeftTranscriptCounts counts;
} Run;

static void free_heard(gpointer heard)
{
	weft_heard_free(heard);
}

static Run run_new(const Take *const *windows, gsize n_windows)
{
	g_autoptr(GError) error = NULL;
	Run run = { .vocabulary = vocabulary_open() };

	run.kernels = weft_kernels_open(NULL, 1, &error);
	g_assert_no_error(error);
	script_open(&run.script, run.vocabulary.tokens, windows, n_windows);
	run.options = (WeftTranscriptOptions){ .language = "en", .beam_size = 1, .best_of = 1,
					       .seed = 1 };
	run.sound = (WeftTranscriptSound){ .largest = 0, .is_all_speech = TRUE };
	run.heard = g_ptr_array_new_with_free_func(free_heard);
	return run;
}

static void run_close(Run *run)
{
	g_ptr_array_unref(run->heard);
	script_close(&run->script);
	weft_kernels_close(run->kernels);
	vocabulary_close(&run->vocabulary);
}

static WeftTranscript *transcript_new(Run *run)
{
	g_autoptr(GError) error = NULL;
	WeftTranscript *transcript =
		weft_transcript_new(&run->script.listener, run->vocabulary.tokens, run->kernels,
				    &run->options, &run->sound, &error);

	g_assert_no_error(error);
	return transcript;
}

/* FALSE: a window was decoded, and there may be more. */
static gboolean listen_once(Run *run, WeftTranscript *transcript)
{
	g_autoptr(GError) error = NULL;
	WeftHeard *heard;
	gboolean did;

	g_assert_true(weft_transcript_listen(transcript, &did, &error));
	g_assert_no_error(error);
	while ((heard = weft_transcript_take(transcript)))
		g_ptr_array_add(run->heard, heard);
	return !did;
}

/* A second of noise at time_s; the same noise at the same time. */
static void push_second(WeftTranscript *transcript, double time_s)
{
	float samples[16000];
	guint32 state = (guint32)(time_s * 1000) + 1;

	for (gsize i = 0; i < G_N_ELEMENTS(samples); i++) {
		state = state * 1664525u + 1013904223u;
		samples[i] = (float)(state >> 16) / 65536.0F - 0.5F;
	}
	weft_transcript_push(transcript, samples, G_N_ELEMENTS(samples), time_s);
}

static void listen_to(Run *run, guint seconds)
{
	g_autoptr(WeftTranscript) transcript = transcript_new(run);

	for (guint i = 0; i < seconds; i++) {
		push_second(transcript, i);
		while (!listen_once(run, transcript))
			;
	}
	weft_transcript_end(transcript);
	while (!listen_once(run, transcript))
		;
	run->counts = weft_transcript_counts(transcript);
}

static const WeftHeard *heard_at(const Run *run, guint i)
{
	g_assert_cmpuint(i, <, run->heard->len);
	return run->heard->pdata[i];
}

static void check_heard(const Run *run, guint i, const char *text, double begin_s, double end_s,
			WeftDoubt doubt)
{
	const WeftHeard *heard = heard_at(run, i);
	const WeftAnchor *at = &g_array_index(heard->content->anchors, WeftAnchor, 0);

	g_assert_cmpstr(heard->content->text, ==, text);
	g_assert_cmpfloat_with_epsilon(at->time[0], begin_s, 1e-9);
	g_assert_cmpfloat_with_epsilon(at->time[1], end_s, 1e-9);
	g_assert_cmpstr(weft_doubt_name(heard->doubt), ==, weft_doubt_name(doubt));
}

/* What stands before sot in the last prompt. */
static void check_prompt(const Run *run, const char *says)
{
	const WeftWhisperTokens *tokens = run->vocabulary.tokens;
	const GArray *prompt = run->script.prompt;
	g_autoptr(GArray) wanted = script_ids(tokens, says);
	guint n = wanted->len, first = n ? 1 : 0;

	g_assert_cmpuint(prompt->len, ==, first + n + 3);
	if (n)
		g_assert_cmpuint(g_array_index(prompt, guint32, 0), ==, tokens->startofprev);
	g_assert_cmpmem((const guint32 *)(gconstpointer)prompt->data + first, n * 4, wanted->data,
			n * 4);
	g_assert_cmpuint(g_array_index(prompt, guint32, first + n), ==, tokens->sot);
}

/* The words of the script are 0.4 s a token; the next window begins behind the last word, or,
 * where one time ends the window, behind the window. */
static void test_seeking(void)
{
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| Yes.|2.00|2.00| No.|4.00|4.00| lost")),
				  TAKES(SURE("0.00| Okay.|5.00")), TAKES(SURE("0.00| the|1.00"))),
			  3);

	listen_to(&run, 45);
	g_assert_cmpuint(run.heard->len, ==, 4);
	check_heard(&run, 0, "Yes.", 0, 0.4, WEFT_DOUBT_NONE);
	g_assert_cmpuint(heard_at(&run, 1)->seek, ==, 0);
	g_assert_cmpstr(heard_at(&run, 1)->content->text, ==, "No.");
	double end_s = g_array_index(heard_at(&run, 1)->content->anchors, WeftAnchor, 0).time[1];

	g_assert_cmpuint(heard_at(&run, 2)->seek, ==, (gsize)lrint(end_s * 100));
	g_assert_cmpuint(heard_at(&run, 3)->seek, ==, heard_at(&run, 2)->seek + 3000);
	/* The last window is not full: silence behind it is 0. */
	g_assert_cmpuint(run.script.n_silent, ==, 3000 - (4500 - heard_at(&run, 3)->seek));
	g_assert_cmpuint(run.counts.n_windows, ==, 3);
	g_assert_cmpuint(run.counts.n_encodes, ==, 3);
	g_assert_cmpuint(run.counts.n_doubted, ==, 0);
	run_close(&run);
}

static void test_words(void)
{
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| Yes, the house.|4.00"))), 1);

	listen_to(&run, 10);
	const WeftContent *content = heard_at(&run, 0)->content;

	g_assert_cmpstr(content->text, ==, "Yes, the house.");
	g_assert_cmpuint(weft_content_n_words(content), ==, 3);
	const WeftWord *words = (const WeftWord *)(gconstpointer)content->words->data;

	g_assert_cmpuint(words[0].char_first, ==, 0);
	g_assert_cmpuint(words[0].char_end, ==, 4);
	g_assert_cmpuint(words[1].char_first, ==, 5);
	g_assert_cmpuint(words[1].char_end, ==, 8);
	g_assert_cmpuint(words[2].char_first, ==, 9);
	g_assert_cmpuint(words[2].char_end, ==, 15);
	g_assert_cmpfloat(words[1].at.time[0], >=, words[0].at.time[1]);
	g_assert_cmpfloat(words[1].confidence, ==, 0.75F);
	g_assert_cmpfloat(content->confidence, ==, 0.75);
	run_close(&run);
}

static void test_prompt(void)
{
	/* The third window is decoded hot (0.6): the fourth gets the terms alone. */
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| Yes.|5.00")), TAKES(SURE("0.00| No.|5.00")),
				  TAKES({ "0.00| a", 1, 0.01 }, { "0.00| a", 1, 0.01 },
					{ "0.00| a", 1, 0.01 }, SURE("0.00| Okay.|5.00")),
				  TAKES(SURE("0.00| the|1.00"))),
			  4);

	run.options.terms = "  Anna Ben\n";
	listen_to(&run, 65);
	check_prompt(&run, "| Anna Ben|0.00| Yes.|5.00|0.00| No.|5.00");
	g_assert_cmpuint(run.counts.n_searches, ==, 1 + 1 + 4);
	g_assert_cmpfloat_with_epsilon(heard_at(&run, 2)->temperature, 0.6, 1e-9);
	g_ptr_array_set_size(run.heard, 0);
	run.script.n_listens = 0;
	listen_to(&run, 95);
	check_prompt(&run, "| Anna Ben");
	run_close(&run);
}

static void test_terms_too_many(void)
{
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| Yes.|5.00"))), 1);
	g_autoptr(GString) terms = g_string_new(NULL);

	for (gsize i = 0; i < 300; i++)
		g_string_append(terms, " the");
	run.options.terms = terms->str;
	listen_to(&run, 3);
	g_assert_cmpuint(run.counts.n_terms_left_out, ==, 300 - 111);
	g_assert_cmpuint(run.script.prompt->len, ==, 1 + 111 + 3);
	run_close(&run);
}

static void test_no_speech(void)
{
	Run run = run_new(WINDOWS(TAKES({ "0.00| Thank you.|2.00", 3, 0.9 }),
				  TAKES({ "0.00| Yes.|2.00", SCRIPT_SURE, 0.9 })),
			  2);

	listen_to(&run, 40);
	/* Unlikely and without speech: no other temperature is tried. Likely: it is speech. */
	g_assert_cmpuint(run.counts.n_searches, ==, 2);
	g_assert_cmpuint(run.heard->len, ==, 2);
	g_assert_cmpint(heard_at(&run, 0)->doubt, ==, WEFT_DOUBT_NO_SPEECH);
	g_assert_cmpuint(heard_at(&run, 1)->seek, ==, 3000);
	check_heard(&run, 1, "Yes.", 30, 30.4, WEFT_DOUBT_NONE);
	check_prompt(&run, "");
	run_close(&run);
}

static void test_low_confidence(void)
{
	Run run = run_new(WINDOWS(TAKES({ "0.00| Yes.|2.00", 1, 0.1 })), 1);

	run.script.repeats = TRUE;
	listen_to(&run, 1);
	g_assert_cmpuint(run.counts.n_searches, ==, 6 * run.counts.n_windows);
	for (guint i = 0; i < run.heard->len; i++)
		g_assert_cmpint(heard_at(&run, i)->doubt, !=, WEFT_DOUBT_NONE);
	g_assert_cmpuint(run.heard->len, >, 0);
	run_close(&run);
}

static void test_loop_in_segment(void)
{
	static const char loop[] = "0.00| and so on and so on and so on and so on and so on|"
				   "9.00|9.00| Yes.|10.00";
	Run run = run_new(WINDOWS(TAKES(SURE(loop)), TAKES(SURE("0.00| No.|1.00"))), 2);

	listen_to(&run, 35);
	g_assert_cmpint(heard_at(&run, 0)->doubt, ==, WEFT_DOUBT_REPETITION);
	g_assert_true(g_str_has_prefix(heard_at(&run, 0)->content->text, "and so on and so"));
	g_assert_cmpint(heard_at(&run, 1)->doubt, ==, WEFT_DOUBT_NONE);
	/* The next window is not told. */
	check_prompt(&run, "");
	g_assert_cmpuint(run.counts.n_doubted, ==, 1);
	/* The reference believes it. */
	g_ptr_array_set_size(run.heard, 0);
	run.script.n_listens = 0;
	run.options.as_reference = TRUE;
	listen_to(&run, 35);
	g_assert_cmpint(heard_at(&run, 0)->doubt, ==, WEFT_DOUBT_NONE);
	g_assert_cmpuint(run.script.prompt->len, >, 20);
	run_close(&run);
}

static void test_same_again(void)
{
	static const char thrice[] = "0.00| That will cost more.|1.00|1.00| That will cost more.|"
				     "2.00|2.00| that will cost  more.|3.00|3.00| Yes.|4.00|4.00| "
				     "Yes.|5.00|5.00| Yes.|6.00";
	Run run = run_new(WINDOWS(TAKES(SURE(thrice))), 1);

	listen_to(&run, 20);
	g_assert_cmpuint(run.heard->len, ==, 6);
	for (guint i = 0; i < 6; i++)
		g_assert_cmpint(heard_at(&run, i)->doubt, ==,
				i == 2 ? WEFT_DOUBT_REPETITION : WEFT_DOUBT_NONE);
	run_close(&run);
}

static void test_gate(void)
{
	static const WeftStretch speech[] = { { { 10.5, 14.0 } }, { { 100.0, 104.0 } } };
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| Yes.|2.00|2.00| No.|20.00")),
				  TAKES(SURE("0.00| Okay.|2.00"))),
			  2);

	run.sound = (WeftTranscriptSound){ .largest = 0, .speech = speech, .n_speech = 2 };
	run.options.language = NULL;
	run.script.language = run.vocabulary.tokens->first_language + 2;
	run.script.detects = TRUE;
	listen_to(&run, 150);
	/* Two windows, for two stretches; one encoding more to hear the language. */
	g_assert_cmpuint(run.counts.n_windows, ==, 2);
	g_assert_cmpuint(run.script.n_begins, ==, 2);
	g_assert_cmpuint(run.counts.n_encodes, ==, 3);
	g_assert_cmpuint(heard_at(&run, 0)->seek, ==, 1050);
	g_assert_cmpuint(g_array_index(run.script.prompt, guint32, run.script.prompt->len - 2), ==,
			 run.script.language);
	/* A window ends half a second behind its speech when silence follows. */
	g_assert_cmpuint(run.script.n_silent, ==, 3000 - 451);
	const WeftHeard *last = heard_at(&run, run.heard->len - 1);

	g_assert_cmpuint(last->seek, ==, 10000);
	g_assert_cmpuint(run.counts.n_frames_skipped, ==, 15000 - 401 - 451);
	run_close(&run);
}

static void test_outside_speech(void)
{
	/* " No." has no place in the sound: its words are put where the script's attention is. */
	static const WeftStretch speech[] = { { { 0.0, 0.3 } } };
	Run run = run_new(
		WINDOWS(TAKES(SURE("0.00| Yes.|1.00|1.00| That will cost more than we have."
				   "|6.00"))),
		1);

	run.sound = (WeftTranscriptSound){ .largest = 0, .speech = speech, .n_speech = 1 };
	listen_to(&run, 1);
	g_assert_cmpint(heard_at(&run, 0)->doubt, ==, WEFT_DOUBT_NONE);
	g_assert_cmpint(heard_at(&run, 1)->doubt, ==, WEFT_DOUBT_OUTSIDE_SPEECH);
	run_close(&run);
}

/* A segment whose only piece belongs to the word before it keeps its own times: 20 s into 3. */
static void test_behind_the_end(void)
{
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| the|1.00|20.00|se|25.00"))), 1);
	const WeftAnchor *at;

	listen_to(&run, 3);
	g_assert_cmpuint(run.heard->len, ==, 2);
	g_assert_cmpint(heard_at(&run, 0)->doubt, ==, WEFT_DOUBT_NONE);
	g_assert_cmpint(heard_at(&run, 1)->doubt, ==, WEFT_DOUBT_OUTSIDE_SPEECH);
	at = &g_array_index(heard_at(&run, 1)->content->anchors, WeftAnchor, 0);
	g_assert_cmpfloat(at->time[0], ==, 3);
	g_assert_cmpfloat(at->time[1], ==, 3);
	run_close(&run);
}

/* Marked as speech from begin to end is the same as not marked at all. */
static void test_all_speech(void)
{
	static const WeftStretch speech[] = { { { 0, 31.1 } } };
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| Yes.|2.00")), TAKES(SURE("0.00| No.|1.00"))), 2);
	g_autofree float *sounds = NULL;

	listen_to(&run, 31);
	g_assert_cmpuint(run.script.sounds->len, ==, 2);
	sounds = g_memdup2(run.script.sounds->data, 2 * sizeof(float));
	g_array_set_size(run.script.sounds, 0);
	run.script.n_listens = 0;
	run.sound = (WeftTranscriptSound){ .largest = 0, .speech = speech, .n_speech = 1 };
	listen_to(&run, 31);
	g_assert_cmpmem(run.script.sounds->data, run.script.sounds->len * sizeof(float), sounds,
			2 * sizeof(float));
	g_assert_cmpuint(run.counts.n_frames_skipped, ==, 0);
	run_close(&run);
}

/* A recording that begins late and has a hole of an hour: no window of nothing. */
static void test_hole(void)
{
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| Yes.|2.00")), TAKES(SURE("0.00| No.|1.00"))), 2);
	g_autoptr(WeftTranscript) transcript = transcript_new(&run);

	for (guint i = 0; i < 20; i++)
		push_second(transcript, 100 + i);
	for (guint i = 0; i < 20; i++) {
		push_second(transcript, 3700 + i);
		while (!listen_once(&run, transcript))
			;
	}
	weft_transcript_end(transcript);
	while (!listen_once(&run, transcript))
		;
	g_assert_cmpuint(run.heard->len, ==, 2);
	check_heard(&run, 0, "Yes.", 100, 100.4, WEFT_DOUBT_NONE);
	check_heard(&run, 1, "No.", 3700, 3700.4, WEFT_DOUBT_NONE);
	run_close(&run);
}

/* Killed behind any window, restored into a new one, pushed what it needs. */
static void test_restore(void)
{
	static const char same[] = "0.00| That will cost more.|2.00|2.00| lost";
	Run run = run_new(WINDOWS(TAKES(SURE(same)), TAKES(SURE(same)), TAKES(SURE(same)),
				  TAKES(SURE("0.00| Yes.|1.00"))),
			  4);
	g_autoptr(GByteArray) state = g_byte_array_new(), again = g_byte_array_new();

	run.options.language = NULL;
	run.script.detects = FALSE;
	listen_to(&run, 34);
	guint n = run.heard->len;
	g_autoptr(GString) all = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		g_string_append_printf(all, "%s %d %zu\n", heard_at(&run, i)->content->text,
				       heard_at(&run, i)->doubt, heard_at(&run, i)->seek);
	g_assert_nonnull(strstr(all->str, " 2 ")); /* the third time is a loop */
	g_ptr_array_set_size(run.heard, 0);
	run.script.n_listens = 0;
	for (gboolean is_done = FALSE; !is_done;) {
		g_autoptr(WeftTranscript) transcript = transcript_new(&run);

		if (state->len)
			g_assert_true(
				weft_transcript_restore(transcript, state->data, state->len));
		g_byte_array_set_size(again, 0);
		weft_transcript_save(transcript, again);
		if (state->len)
			g_assert_cmpmem(again->data, again->len, state->data, state->len);
		for (guint i = (guint)weft_transcript_needs_from_s(transcript); i < 34; i++)
			push_second(transcript, i);
		weft_transcript_end(transcript);
		is_done = listen_once(&run, transcript);
		g_byte_array_set_size(state, 0);
		weft_transcript_save(transcript, state);
	}
	for (guint i = 0; i < run.heard->len; i++) {
		g_autofree char *line =
			g_strdup_printf("%s %d %zu\n", heard_at(&run, i)->content->text,
					heard_at(&run, i)->doubt, heard_at(&run, i)->seek);

		g_assert_true(g_str_has_prefix(all->str, line));
		g_string_erase(all, 0, (gssize)strlen(line));
	}
	g_assert_cmpuint(all->len, ==, 0);
	run_close(&run);
}

static void test_broken_state(void)
{
	Run run = run_new(WINDOWS(TAKES(SURE("0.00| Yes.|1.00|1.00| lost"))), 1);
	g_autoptr(WeftTranscript) transcript = transcript_new(&run);
	g_autoptr(GByteArray) state = g_byte_array_new();

	for (guint i = 0; i < 31; i++)
		push_second(transcript, i);
	g_assert_false(listen_once(&run, transcript));
	weft_transcript_save(transcript, state);
	for (gsize n = 0; n < state->len; n++)
		g_assert_false(weft_transcript_restore(transcript, state->data, n));
	for (gsize i = 0; i < state->len; i += 8) {
		g_autofree guint8 *broken = g_memdup2(state->data, state->len);
		g_autoptr(WeftTranscript) fresh = transcript_new(&run);

		memset(broken + i, 0xff, 8);
		(void)weft_transcript_restore(fresh, broken, state->len); /* it may say no */
	}
	run_close(&run);
}

static void check_refused(const WeftTranscriptOptions *options, const WeftTranscriptSound *sound,
			  const char *words)
{
	Run run = run_new(WINDOWS(TAKES(SURE(""))), 1);
	g_autoptr(GError) error = NULL;

	g_assert_null(weft_transcript_new(&run.script.listener, run.vocabulary.tokens, run.kernels,
					  options, sound, &error));
	g_assert_nonnull(strstr(error->message, words));
	run_close(&run);
}

static void test_refused(void)
{
	static const WeftStretch speech[] = { { { 5, 6 } }, { { 3, 4 } } };
	WeftTranscriptSound sound = { .is_all_speech = TRUE };
	WeftTranscriptOptions options = { .language = "xx" };

	check_refused(&options, &sound, "xx");
	options = (WeftTranscriptOptions){ .beam_size = 100 };
	check_refused(&options, &sound, "100");
	options = (WeftTranscriptOptions){ 0 };
	sound = (WeftTranscriptSound){ .speech = speech, .n_speech = 2 };
	check_refused(&options, &sound, "3 to 4");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transcript/seeking", test_seeking);
	g_test_add_func("/transcript/words", test_words);
	g_test_add_func("/transcript/prompt", test_prompt);
	g_test_add_func("/transcript/terms_too_many", test_terms_too_many);
	g_test_add_func("/transcript/no_speech", test_no_speech);
	g_test_add_func("/transcript/low_confidence", test_low_confidence);
	g_test_add_func("/transcript/loop_in_segment", test_loop_in_segment);
	g_test_add_func("/transcript/same_again", test_same_again);
	g_test_add_func("/transcript/gate", test_gate);
	g_test_add_func("/transcript/outside_speech", test_outside_speech);
	g_test_add_func("/transcript/behind_the_end", test_behind_the_end);
	g_test_add_func("/transcript/all_speech", test_all_speech);
	g_test_add_func("/transcript/hole", test_hole);
	g_test_add_func("/transcript/restore", test_restore);
	g_test_add_func("/transcript/broken_state", test_broken_state);
	g_test_add_func("/transcript/refused", test_refused);
	return g_test_run();
}
