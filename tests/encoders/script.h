/* script.h - a network that plays a script: what the rules of decoding do with given logits.
 *
 * A script has windows in order, a window has takes in order: each search begins a take (the last
 * one stands for all that follow). In a take the k-th token has `gap` more than all others.
 */
#ifndef WEFT_TESTS_ENCODERS_SCRIPT_H
#define WEFT_TESTS_ENCODERS_SCRIPT_H

#include <glib.h>
#include <math.h>
#include <string.h>

#include "encoders/scorer.h"
#include "encoders/whisper_rules.h"
#include "encoders/whisper_tokens.h"

#define SCRIPT_CONTEXT 448
#define SCRIPT_SURE 30 /* a gap that leaves no doubt */

typedef struct Take {
	const char *says; /* "0.00| Hello.|2.00": times and text between bars; "": nothing */
	float gap;
	double no_speech;
} Take;

typedef struct Vocabulary {
	WeftTokenizer *tokenizer;
	WeftWhisperTokens *tokens;
} Vocabulary;

static inline Vocabulary vocabulary_open(void)
{
	Vocabulary vocabulary = { 0 };
	g_autoptr(GError) error = NULL;

	vocabulary.tokenizer = weft_tokenizer_open(WEFT_HEAR "/tokenizer.json", &error);
	g_assert_no_error(error);
	gint32 first = weft_tokenizer_id(vocabulary.tokenizer, "<|notimestamps|>") + 1;

	vocabulary.tokens = weft_whisper_tokens_new(vocabulary.tokenizer,
						    (gsize)first + WEFT_WHISPER_TIMES, &error);
	g_assert_no_error(error);
	return vocabulary;
}

static inline void vocabulary_close(Vocabulary *vocabulary)
{
	weft_whisper_tokens_free(vocabulary->tokens);
	weft_tokenizer_free(vocabulary->tokenizer);
}

/* Ids (guint32) of "0.00| Hello.|2.00". */
static inline GArray *script_ids(const WeftWhisperTokens *tokens, const char *says)
{
	g_auto(GStrv) pieces = g_strsplit(says, "|", -1);
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint32));

	for (gsize i = 0; pieces[i]; i++) {
		char *end;
		double time_s = g_ascii_strtod(pieces[i], &end);

		if (end == pieces[i] || *end || pieces[i][0] == ' ') {
			weft_whisper_tokens_encode(tokens, pieces[i], strlen(pieces[i]), ids);
			continue;
		}
		guint32 id = tokens->first_timestamp + (guint32)lrint(time_s * 50);

		g_array_append_val(ids, id);
	}
	return ids;
}

typedef struct Script {
	WeftListener listener;
	const WeftWhisperTokens *tokens;
	const Take *const *windows; /* each ends with a take whose says is NULL */
	gsize n_windows;
	gboolean repeats; /* the last window stands for all that follow */
	gboolean detects; /* the first sound is heard for its language, too */
	guint32 language; /* token that is the likeliest behind sot */
	gsize n_listens, n_begins, n_steps, n_aligns;
	GArray *prompt;   /* of guint32: of the last begin */
	GArray *sounds;   /* of float: mel[0][0] of each window that was heard */
	gsize n_silent;   /* frames at the end of the last window that are 0 in all bins */
} Script;

typedef struct ScriptScorer {
	WeftScorer scorer;
	Script *script;
	const Take *takes;
	gsize n_begins;
	const Take *take;
	GArray *ids;
	gsize depth;
} ScriptScorer;

static inline void script_logits(const ScriptScorer *s, gsize n_rows, float *ret_logits)
{
	gsize n_vocab = s->scorer.n_vocab;

	memset(ret_logits, 0, n_rows * n_vocab * sizeof(float));
	for (gsize i = 0; i < n_rows; i++) {
		guint32 id = s->depth < s->ids->len ? g_array_index(s->ids, guint32, s->depth) :
						      s->script->tokens->eot;
		ret_logits[i * n_vocab + id] = s->take->gap;
	}
}

static inline gboolean script_begin(WeftScorer *scorer, const guint32 *ids, gsize n_ids, gsize at,
				    float *ret_logits_at, float *ret_logits_last, GError **error)
{
	ScriptScorer *s = (ScriptScorer *)scorer;
	Script *script = s->script;

	(void)error;
	g_assert_cmpuint(ids[at], ==, script->tokens->sot);
	if (n_ids == 1) { /* which language? */
		memset(ret_logits_last, 0, scorer->n_vocab * sizeof(float));
		ret_logits_last[script->language] = SCRIPT_SURE;
		return TRUE;
	}
	script->n_begins++;
	g_array_set_size(script->prompt, 0);
	g_array_append_vals(script->prompt, ids, (guint)n_ids);
	if (s->n_begins++ == 0)
		s->take = s->takes;
	else if (s->take[1].says)
		s->take++;
	g_clear_pointer(&s->ids, g_array_unref);
	s->ids = script_ids(script->tokens, s->take->says);
	s->depth = 0;
	script_logits(s, 1, ret_logits_last);
	memset(ret_logits_at, 0, scorer->n_vocab * sizeof(float));
	ret_logits_at[script->tokens->nospeech] =
		(float)(log(s->take->no_speech / (1 - s->take->no_speech)) +
			log((double)scorer->n_vocab - 1));
	return TRUE;
}

static inline gboolean script_step(WeftScorer *scorer, const guint32 *parents, const guint32 *ids,
				   gsize n_rows, float *ret_logits, GError **error)
{
	ScriptScorer *s = (ScriptScorer *)scorer;

	(void)parents;
	(void)ids;
	(void)error;
	s->depth++;
	s->script->n_steps++;
	script_logits(s, n_rows, ret_logits);
	return TRUE;
}

/* Every token is said 20 frames (0.4 s) behind the one before it. */
static inline gboolean script_align(WeftScorer *scorer, const guint32 *ids, gsize n_ids,
				    gsize n_frames, guint32 n_plain, WeftTakeHead *take_head,
				    gpointer data, float *ret_probabilities, GError **error)
{
	ScriptScorer *s = (ScriptScorer *)scorer;
	g_autofree float *scores = g_new(float, n_ids * n_frames);

	(void)error;
	s->script->n_aligns++;
	for (gsize i = 0; i < n_ids; i++) {
		ret_probabilities[i] = ids[i] < n_plain ? 0.75F : 0;
		for (gsize j = 0; j < n_frames; j++)
			scores[i * n_frames + j] = j / 20 + 3 == i ? 20 : 0;
	}
	take_head(scores, data);
	return TRUE;
}

static inline void script_free(WeftScorer *scorer)
{
	ScriptScorer *s = (ScriptScorer *)scorer;

	g_clear_pointer(&s->ids, g_array_unref);
	g_free(s);
}

static inline WeftScorer *script_listen(WeftListener *listener, const float *mel, gsize mel_stride,
					GError **error)
{
	Script *script = (Script *)listener;
	gsize n_before = script->n_listens++;
	gsize window = n_before - (script->detects && n_before > 0);
	ScriptScorer *s = g_new0(ScriptScorer, 1);

	(void)error;
	if (script->repeats)
		window = MIN(window, script->n_windows - 1);
	g_assert_cmpuint(window, <, script->n_windows);
	g_array_append_val(script->sounds, mel[0]);
	for (script->n_silent = 0; script->n_silent < mel_stride; script->n_silent++) {
		gsize t = mel_stride - 1 - script->n_silent, bin = 0;

		while (bin < listener->n_bins && mel[bin * mel_stride + t] == 0)
			bin++;
		if (bin < listener->n_bins)
			break;
	}
	s->scorer = (WeftScorer){ .n_vocab = script->tokens->n_vocab,
				  .n_context = SCRIPT_CONTEXT,
				  .n_heads = 1,
				  .begin = script_begin,
				  .step = script_step,
				  .align = script_align,
				  .free = script_free };
	s->script = script;
	s->takes = script->windows[window];
	return &s->scorer;
}

static inline void script_open(Script *script, const WeftWhisperTokens *tokens,
			       const Take *const *windows, gsize n_windows)
{
	*script = (Script){ .listener = { .n_bins = 4,
					  .n_context = SCRIPT_CONTEXT,
					  .listen = script_listen },
			    .tokens = tokens,
			    .windows = windows,
			    .n_windows = n_windows,
			    .language = tokens->first_language,
			    .prompt = g_array_new(FALSE, FALSE, sizeof(guint32)),
			    .sounds = g_array_new(FALSE, FALSE, sizeof(float)) };
}

static inline void script_close(Script *script)
{
	g_array_unref(script->prompt);
	g_array_unref(script->sounds);
}

#endif
