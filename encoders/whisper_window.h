/* whisper_window.h - one window of 30 s: language, prompt, and one temperature after the other.
 *
 * As openai/whisper (transcribe.py, decode_with_fallback): at temperature 0 first, by beam; then
 * 0.2, 0.4 ... 1.0, drawn, as long as the text repeats itself (compression above 2.4) or is
 * unlikely (average log probability below -1). What is unlikely in a window that probably holds no
 * speech (above 0.6) is silence, and no other temperature would help. The last one stands whatever
 * it is; is_accepted tells.
 *
 * transformers (5.23, generation_whisper.py) compresses not the text but its ids, as numbers of 16
 * bits, so other windows fall back there; all else is equal. (It leaves the task's token out when
 * it was told neither language nor task, and hears a language in full windows alone.)
 */
#ifndef WEFT_ENCODERS_WHISPER_WINDOW_H
#define WEFT_ENCODERS_WHISPER_WINDOW_H

#include "encoders/whisper_search.h"

#define WEFT_WINDOW_COMPRESSION_MAX 2.4
#define WEFT_WINDOW_AVERAGE_MIN (-1.0)
#define WEFT_WINDOW_NO_SPEECH_MAX 0.6

typedef struct WeftWindow {
	WeftHypothesis hypothesis;
	double temperature;
	double compression;
	guint n_searches;
	gboolean is_accepted; /* FALSE: every temperature failed */
} WeftWindow;

void weft_window_done(WeftWindow *window);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftWindow, weft_window_done)

/* The language that the model hears: the likeliest of the language tokens behind sot. A vocabulary
 * of English alone has none: FALSE is an error of the caller. */
gboolean weft_window_detect(WeftScorer *scorer, const WeftWhisperTokens *tokens,
			    guint32 *ret_language, double *ret_probability, GError **error);

/* Appends the tokens of the start: sot, and where the vocabulary has languages, language and task.
 * (Behind them come times, or the notimestamps token.) */
void weft_window_start(const WeftWhisperTokens *tokens, guint32 language, gboolean translates,
		       GArray *ids);
/* Appends the prompt of a window: startofprev and the last n_context / 2 - 1 tokens of
 * before[n_before], if there are any, then the start. */
void weft_window_prompt(const WeftWhisperTokens *tokens, gsize n_context, const guint32 *before,
			gsize n_before, guint32 language, gboolean translates, GArray *ids);

/* The temperature of `search` is not looked at. */
gboolean weft_window_decode(const WeftSearch *search, WeftScorer *scorer,
			    const WeftWhisperTokens *tokens, const guint32 *prompt, gsize n_prompt,
			    WeftWindow *ret_window, GError **error);

#endif
