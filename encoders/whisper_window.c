#include "encoders/whisper_window.h"

#include <math.h>

#include "base/bytes.h"
#include "base/draw.h"
#include "encoders/whisper_rules.h"
#include "encoders/whisper_text.h"

static const double temperatures[] = { 0.0, 0.2, 0.4, 0.6, 0.8, 1.0 };

void weft_window_done(WeftWindow *window)
{
	g_free(window->hypothesis.tokens);
	window->hypothesis.tokens = NULL;
}

gboolean weft_window_detect(WeftScorer *scorer, const WeftWhisperTokens *tokens,
			    guint32 *ret_language, double *ret_probability, GError **error)
{
	g_autofree float *logits = weft_alloc_array(tokens->n_vocab, sizeof(float), 0, "logits",
						    error);

	g_assert(tokens->n_languages > 0);
	if (!logits || !scorer->begin(scorer, &tokens->sot, 1, 0, NULL, logits, error))
		return FALSE;
	const float *languages = logits + tokens->first_language;
	guint32 best = 0;

	for (guint32 i = 1; i < tokens->n_languages; i++)
		if (languages[i] > languages[best] || isnan(languages[best]))
			best = i;
	*ret_language = tokens->first_language + best;
	*ret_probability = weft_whisper_probability(languages, tokens->n_languages, best);
	return TRUE;
}

void weft_window_start(const WeftWhisperTokens *tokens, guint32 language, gboolean translates,
		       GArray *ids)
{
	guint32 task = translates ? tokens->translate : tokens->transcribe;

	g_array_append_val(ids, tokens->sot);
	if (tokens->n_languages) {
		g_array_append_val(ids, language);
		g_array_append_val(ids, task);
	}
}

void weft_window_prompt(const WeftWhisperTokens *tokens, gsize n_context, const guint32 *before,
			gsize n_before, guint32 language, gboolean translates, GArray *ids)
{
	gsize n_kept = MIN(n_before, n_context / 2 - 1);

	if (n_kept) {
		g_array_append_val(ids, tokens->startofprev);
		g_array_append_vals(ids, before + n_before - n_kept, (guint)n_kept);
	}
	weft_window_start(tokens, language, translates, ids);
}

static double compression_of(const WeftWhisperTokens *tokens, const WeftHypothesis *hypothesis)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const char *first;
	gsize size_bytes;

	weft_whisper_text_append(tokens, hypothesis->tokens, hypothesis->n_tokens, text);
	weft_whisper_text_strip(text->str, text->len, &first, &size_bytes);
	return weft_whisper_text_compression(first, size_bytes);
}

static gboolean is_acceptable(const WeftWindow *window)
{
	const WeftHypothesis *found = &window->hypothesis;
	gboolean is_unlikely = found->average < WEFT_WINDOW_AVERAGE_MIN;

	if (is_unlikely && found->no_speech > WEFT_WINDOW_NO_SPEECH_MAX)
		return TRUE; /* silence */
	return !is_unlikely && window->compression <= WEFT_WINDOW_COMPRESSION_MAX;
}

gboolean weft_window_decode(const WeftSearch *search, WeftScorer *scorer,
			    const WeftWhisperTokens *tokens, const guint32 *prompt, gsize n_prompt,
			    WeftWindow *ret_window, GError **error)
{
	g_auto(WeftWindow) window = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(temperatures) && !window.is_accepted; i++) {
		WeftSearch attempt = *search;

		attempt.temperature = temperatures[i];
		attempt.seed_key = weft_draw_mix(search->seed_key ^ i);
		weft_window_done(&window);
		if (!weft_whisper_search(&attempt, scorer, tokens, prompt, n_prompt,
					 &window.hypothesis, error))
			return FALSE;
		window.n_searches++;
		window.temperature = temperatures[i];
		window.compression = compression_of(tokens, &window.hypothesis);
		window.is_accepted = is_acceptable(&window);
	}
	*ret_window = window;
	window.hypothesis.tokens = NULL;
	return TRUE;
}
