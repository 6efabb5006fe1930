#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/draw.h"
#include "base/error.h"
#include "encoders/transcript_private.h"
#include "encoders/whisper_text.h"
#include "encoders/word_times.h"

/* The reference's program. */
#define BEAM_SIZE 5
#define BEST_OF 5
/* Windows hotter than this are no prompt for the next. */
#define HOT 0.5
/* Samples between frames 0 and 1, and how far a frame hears. */
#define HOP WEFT_MEL_HOP
#define REACH WEFT_MEL_REACH
#define WINDOW WEFT_MEL_WINDOW_FRAMES
/* Seconds that a recording may begin at: 30 years, so that sample numbers stay exact. */
#define TIME_MAX_S 1e9

static gboolean copy_speech(WeftTranscript *transcript, const WeftTranscriptSound *sound,
			    GError **error)
{
	gboolean is_open = sound->is_all_speech || transcript->as_reference;
	double before_s = 0;

	for (gsize i = 0; i < sound->n_speech && !is_open; i++) {
		const double *time = sound->speech[i].time;

		if (!(time[0] >= before_s && time[1] >= time[0] && time[1] <= TIME_MAX_S)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
				    "speech from %g to %g s behind %g s", time[0], time[1],
				    before_s);
			return FALSE;
		}
		before_s = time[1];
	}
	transcript->largest = sound->largest;
	transcript->speech = g_memdup2(sound->speech, sound->n_speech * sizeof(WeftStretch));
	transcript->gate = (WeftSpeechGate){ transcript->speech, sound->n_speech, is_open };
	return TRUE;
}

static gboolean set_language(WeftTranscript *transcript, const WeftTranscriptOptions *options,
			     GError **error)
{
	const WeftWhisperTokens *tokens = transcript->tokens;
	TranscriptState *state = &transcript->state;

	state->language = NO_LANGUAGE;
	transcript->translates = options->translates;
	if (!tokens->n_languages) {
		state->language_probability = 1;
		if (!options->translates &&
		    (!options->language || g_ascii_strcasecmp(options->language, "en") == 0))
			return TRUE;
	} else if (!options->language) {
		return TRUE;
	} else if (weft_whisper_tokens_find(tokens, options->language, &state->language)) {
		state->language_probability = 1;
		return TRUE;
	}
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "this Whisper knows no %s%s",
		    options->translates ? "translation from " : "",
		    options->language ? options->language : "other language");
	return FALSE;
}

/* Terms take at most half of a prompt. */
static void set_terms(WeftTranscript *transcript, const char *terms)
{
	const char *first;
	gsize size_bytes, n_max = transcript->n_prompt_max / 2;

	transcript->terms = g_array_new(FALSE, FALSE, sizeof(guint32));
	if (!terms)
		return;
	weft_whisper_text_strip(terms, strlen(terms), &first, &size_bytes);
	if (!size_bytes)
		return;
	g_autofree char *text = g_strdup_printf(" %.*s", (int)size_bytes, first);

	weft_whisper_tokens_encode(transcript->tokens, text, strlen(text), transcript->terms);
	if (transcript->terms->len > n_max) {
		transcript->state.counts.n_terms_left_out = transcript->terms->len - n_max;
		g_array_set_size(transcript->terms, (guint)n_max);
	}
}

static gboolean set_search(WeftTranscript *transcript, const WeftTranscriptOptions *options,
			   GError **error)
{
	gsize beam_size = options->beam_size ? options->beam_size : BEAM_SIZE;
	gsize best_of = options->best_of ? options->best_of : BEST_OF;

	if (MAX(beam_size, best_of) > WEFT_SEARCH_ROWS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "beam of %" G_GSIZE_FORMAT ", best of %" G_GSIZE_FORMAT
			    ": at most %d are searched side by side",
			    beam_size, best_of, WEFT_SEARCH_ROWS_MAX);
		return FALSE;
	}
	transcript->search = (WeftSearch){
		.beam_size = beam_size,
		.best_of = best_of,
		.patience = 1,
		.length_penalty = -1,
		.seed = options->seed,
		.seed_key = options->seed_key,
	};
	return TRUE;
}

WeftTranscript *weft_transcript_new(WeftListener *listener, const WeftWhisperTokens *tokens,
				    const WeftKernels *kernels,
				    const WeftTranscriptOptions *options,
				    const WeftTranscriptSound *sound, GError **error)
{
	g_autoptr(WeftTranscript) transcript = g_new0(WeftTranscript, 1);

	transcript->listener = listener;
	transcript->tokens = tokens;
	transcript->kernels = kernels;
	transcript->mel = weft_mel_new(listener->n_bins);
	transcript->as_reference = options->as_reference;
	transcript->track = options->track;
	transcript->n_prompt_max = listener->n_context / 2 - 1;
	transcript->sound = weft_sound_buffer_new();
	transcript->state.prompt = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_queue_init(&transcript->heard);
	if (!copy_speech(transcript, sound, error) || !set_language(transcript, options, error) ||
	    !set_search(transcript, options, error))
		return NULL;
	set_terms(transcript, options->terms);
	return g_steal_pointer(&transcript);
}

static void free_heard(gpointer heard)
{
	weft_heard_free(heard);
}

void weft_transcript_free(WeftTranscript *transcript)
{
	if (!transcript)
		return;
	weft_mel_free(transcript->mel);
	if (transcript->terms)
		g_array_unref(transcript->terms);
	g_free(transcript->speech);
	weft_sound_buffer_free(transcript->sound);
	g_array_unref(transcript->state.prompt);
	g_queue_clear_full(&transcript->heard, free_heard);
	g_free(transcript);
}

void weft_transcript_push(WeftTranscript *transcript, const float *samples, gsize n, double time_s)
{
	double first = rint(CLAMP(time_s, 0, TIME_MAX_S) * WEFT_MEL_RATE_HZ);

	g_return_if_fail(!transcript->is_ended);
	weft_sound_buffer_push(transcript->sound, samples, n, (guint64)first);
}

void weft_transcript_end(WeftTranscript *transcript)
{
	transcript->is_ended = TRUE;
}

/* Moves on to where speech is, and sound. FALSE: there is none (yet). */
static gboolean seek_speech(WeftTranscript *transcript)
{
	gsize n_known = weft_sound_buffer_end(transcript->sound) / HOP;
	gsize from = transcript->state.seek, next, behind_hole;

	for (;; from = behind_hole) {
		if (!weft_speech_gate_next(&transcript->gate, from, n_known, &next))
			next = MAX(n_known, from);
		behind_hole = weft_sound_buffer_next(transcript->sound, next * HOP) / HOP;
		if (next >= n_known || behind_hole <= next)
			break;
	}
	if (transcript->is_ended)
		next = MIN(next, MAX(n_known, transcript->state.seek));
	transcript->state.counts.n_frames_skipped += next - transcript->state.seek;
	transcript->state.seek = next;
	return next < n_known;
}

/* mel[n_bins][WINDOW]: the window at seek, with silence where the recording has ended. */
static float *measure(const WeftTranscript *transcript, GError **error)
{
	gsize n = (WINDOW - 1) * HOP + 2 * REACH, n_bins = weft_mel_n_bins(transcript->mel);
	guint64 centre = (guint64)transcript->state.seek * HOP;
	g_autofree float *samples = weft_alloc_array(n, sizeof(float), 0, "samples", error);
	g_autofree float *mel = weft_alloc_array(n_bins * WINDOW, sizeof(float), 0, "mel", error);
	float largest;

	if (!samples || !mel)
		return NULL;
	if (centre >= REACH) {
		weft_sound_buffer_read(transcript->sound, centre - REACH, n, samples);
	} else {
		weft_sound_buffer_read(transcript->sound, centre, n - REACH, samples + REACH);
		for (gsize i = 1; i <= REACH; i++)
			samples[REACH - i] = samples[REACH + i]; /* the begin is mirrored */
	}
	if (!weft_mel_measure(transcript->mel, transcript->kernels, samples, WINDOW, mel, WINDOW,
			      &largest, error))
		return NULL;
	weft_mel_clamp(transcript->mel, mel, WINDOW, WINDOW, transcript->largest);
	return g_steal_pointer(&mel);
}

static WeftScorer *hear(WeftTranscript *transcript, const float *mel, GError **error)
{
	transcript->state.counts.n_encodes++;
	return transcript->listener->listen(transcript->listener, mel, WINDOW, error);
}

/* The scorer of the window's first n_frames. The language is heard on the way, when it is not
 * known: with the silence behind a window that is not full, where decoding has zeros. */
static WeftScorer *hear_window(WeftTranscript *transcript, gsize n_frames, GError **error)
{
	TranscriptState *state = &transcript->state;
	g_autofree float *mel = measure(transcript, error);
	g_autoptr(WeftScorer) scorer = NULL;

	if (!mel)
		return NULL;
	if (transcript->tokens->n_languages && state->language == NO_LANGUAGE) {
		scorer = hear(transcript, mel, error);
		if (!scorer ||
		    !weft_window_detect(scorer, transcript->tokens, &state->language,
					&state->language_probability, error))
			return NULL;
		if (n_frames == WINDOW)
			return g_steal_pointer(&scorer);
	}
	for (gsize i = 0; i < weft_mel_n_bins(transcript->mel); i++)
		for (gsize t = n_frames; t < WINDOW; t++)
			mel[i * WINDOW + t] = 0;
	weft_scorer_free(scorer);
	scorer = hear(transcript, mel, error);
	return g_steal_pointer(&scorer);
}

static gboolean decode(WeftTranscript *transcript, WeftScorer *scorer, WeftWindow *ret_window,
		       GError **error)
{
	TranscriptState *state = &transcript->state;
	g_autoptr(GArray) before = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GArray) prompt = g_array_new(FALSE, FALSE, sizeof(guint32));
	guint n_room = (guint)transcript->n_prompt_max - transcript->terms->len;
	guint n_text = MIN(state->prompt->len, n_room);
	WeftSearch search = transcript->search;

	g_array_append_vals(before, transcript->terms->data, transcript->terms->len);
	for (guint i = state->prompt->len - n_text; i < state->prompt->len; i++)
		g_array_append_val(before, g_array_index(state->prompt, guint32, i));
	weft_window_prompt(transcript->tokens, scorer->n_context,
			   (const guint32 *)(gconstpointer)before->data, before->len,
			   state->language, transcript->translates, prompt);
	search.seed_key = weft_draw_mix(search.seed_key ^ weft_draw_mix(state->seek));
	if (!weft_window_decode(&search, scorer, transcript->tokens,
				(const guint32 *)(gconstpointer)prompt->data, prompt->len,
				ret_window, error))
		return FALSE;
	state->counts.n_windows++;
	state->counts.n_searches += ret_window->n_searches;
	return TRUE;
}

/* The end of the last word, of the last segment when none has words. */
static double end_of(const GArray *segments)
{
	for (guint i = segments->len; i-- > 0;) {
		const GArray *words = g_array_index(segments, WeftSegment, i).words;

		if (words->len)
			return g_array_index(words, WeftTimedWord, words->len - 1).time[1];
	}
	return g_array_index(segments, WeftSegment, segments->len - 1).time[1];
}

/* Words of all segments; the next window begins behind the last one. */
static gboolean time_words(WeftTranscript *transcript, WeftScorer *scorer, gsize n_frames,
			   WeftCut *cut, GError **error)
{
	TranscriptState *state = &transcript->state;
	WeftWordTimes times = { .scorer = scorer,
				.tokens = transcript->tokens,
				.language = state->language,
				.translates = transcript->translates,
				.seek = state->seek,
				.n_frames = n_frames };

	if (!weft_word_times_add(&times, cut, &state->last_speech_s, error))
		return FALSE;
	double end_s = end_of(cut->segments);

	if (!cut->is_whole && end_s > (double)state->seek / WEFT_FRAMES_PER_S)
		cut->seek = (gsize)rint(end_s * WEFT_FRAMES_PER_S);
	state->last_speech_s = end_s;
	return TRUE;
}

/* Takes segments into the queue, and their tokens into the prompt of the next window. */
static void keep_segments(WeftTranscript *transcript, const WeftWindow *window, const WeftCut *cut,
			  gsize n_frames)
{
	TranscriptState *state = &transcript->state;
	gboolean is_loop = FALSE;

	for (guint i = 0; i < cut->segments->len; i++) {
		const WeftSegment *segment = &g_array_index(cut->segments, WeftSegment, i);
		WeftHeard *heard = weft_heard_new(transcript, window, segment, state->seek,
						  n_frames);

		if (!heard)
			continue;
		g_queue_push_tail(&transcript->heard, heard);
		is_loop |= heard->doubt == WEFT_DOUBT_REPETITION;
		if (heard->doubt == WEFT_DOUBT_NONE)
			g_array_append_vals(state->prompt, segment->tokens,
					    (guint)segment->n_tokens);
		else
			state->counts.n_doubted++;
	}
	if (is_loop || window->temperature > HOT)
		g_array_set_size(state->prompt, 0);
	else if (state->prompt->len > transcript->n_prompt_max)
		g_array_remove_range(state->prompt, 0,
				     state->prompt->len - (guint)transcript->n_prompt_max);
}

static void keep_silence(WeftTranscript *transcript, const WeftWindow *window, gsize n_frames)
{
	WeftHeard *heard = transcript->as_reference ?
				   NULL :
				   weft_heard_new_silent(transcript, window,
							 transcript->state.seek, n_frames);

	if (!heard)
		return;
	g_queue_push_tail(&transcript->heard, heard);
	transcript->state.counts.n_doubted++;
}

static gboolean listen_to(WeftTranscript *transcript, gsize n_frames, GError **error)
{
	TranscriptState *state = &transcript->state;
	g_autoptr(WeftScorer) scorer = hear_window(transcript, n_frames, error);
	g_auto(WeftWindow) window = { 0 };
	g_auto(WeftCut) cut = { 0 };

	if (!scorer || !decode(transcript, scorer, &window, error))
		return FALSE;
	if (window.hypothesis.no_speech > WEFT_WINDOW_NO_SPEECH_MAX &&
	    !(window.hypothesis.average > WEFT_WINDOW_AVERAGE_MIN)) {
		keep_silence(transcript, &window, n_frames);
		state->seek += n_frames;
		return TRUE;
	}
	weft_segments_cut(transcript->tokens, window.hypothesis.tokens, window.hypothesis.n_tokens,
			  state->seek, n_frames, &cut);
	if (!time_words(transcript, scorer, n_frames, &cut, error))
		return FALSE;
	keep_segments(transcript, &window, &cut, n_frames);
	/* Times beyond what was heard, and windows that would never end, are broken weights. */
	state->seek = cut.seek > state->seek ? MIN(cut.seek, state->seek + n_frames) :
					       state->seek + n_frames;
	return TRUE;
}

gboolean weft_transcript_listen(WeftTranscript *transcript, gboolean *ret_did, GError **error)
{
	TranscriptState *state = &transcript->state;

	g_return_val_if_fail(g_queue_is_empty(&transcript->heard), FALSE);
	gboolean has_speech = seek_speech(transcript);
	guint64 first = (guint64)state->seek * HOP;

	weft_sound_buffer_drop(transcript->sound, first > REACH ? first - REACH : 0);
	*ret_did = FALSE;
	if (!has_speech)
		return TRUE;
	guint64 end = weft_sound_buffer_end(transcript->sound);

	if (!transcript->is_ended && end < first + WINDOW * HOP + REACH)
		return TRUE;
	gsize n_frames = MIN((gsize)(end / HOP) - state->seek, WINDOW);

	n_frames = weft_speech_gate_window(&transcript->gate, state->seek, n_frames);
	if (!listen_to(transcript, n_frames, error))
		return FALSE;
	*ret_did = TRUE;
	return TRUE;
}

WeftHeard *weft_transcript_take(WeftTranscript *transcript)
{
	return g_queue_pop_head(&transcript->heard);
}

const char *weft_transcript_language(const WeftTranscript *transcript, double *ret_probability)
{
	const TranscriptState *state = &transcript->state;

	*ret_probability = state->language_probability;
	if (!transcript->tokens->n_languages)
		return "en";
	return state->language == NO_LANGUAGE ?
		       NULL :
		       weft_whisper_tokens_language(transcript->tokens, state->language);
}

WeftTranscriptCounts weft_transcript_counts(const WeftTranscript *transcript)
{
	return transcript->state.counts;
}

double weft_transcript_needs_from_s(const WeftTranscript *transcript)
{
	guint64 first = (guint64)transcript->state.seek * HOP;

	return first > REACH ? (double)(first - REACH) / WEFT_MEL_RATE_HZ : 0;
}
