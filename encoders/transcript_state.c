#include <math.h>

#include "base/bytes.h"
#include "encoders/transcript_private.h"

/* First bytes of a state: what it is, and which edition. */
#define MAGIC 0x31525457u /* "WTR1" */

void weft_transcript_save(const WeftTranscript *transcript, GByteArray *bytes)
{
	const TranscriptState *state = &transcript->state;

	g_return_if_fail(g_queue_is_empty((GQueue *)&transcript->heard));
	weft_bytes_put_le64(bytes, MAGIC);
	weft_bytes_put_le64(bytes, state->seek);
	weft_bytes_put_le64(bytes, state->language);
	weft_bytes_put_f64(bytes, state->language_probability);
	weft_bytes_put_f64(bytes, state->last_speech_s);
	weft_bytes_put_le64(bytes, state->repetition.last);
	weft_bytes_put_le64(bytes, state->repetition.n_last);
	weft_bytes_put_le64(bytes, state->counts.n_windows);
	weft_bytes_put_le64(bytes, state->counts.n_encodes);
	weft_bytes_put_le64(bytes, state->counts.n_searches);
	weft_bytes_put_le64(bytes, state->counts.n_frames_skipped);
	weft_bytes_put_le64(bytes, state->counts.n_doubted);
	weft_bytes_put_le64(bytes, state->prompt->len);
	for (guint i = 0; i < state->prompt->len; i++)
		weft_bytes_put_le64(bytes, g_array_index(state->prompt, guint32, i));
}

static gboolean read_real(WeftBytes *bytes, double *ret_value)
{
	return weft_bytes_f64(bytes, ret_value) && isfinite(*ret_value);
}

static gboolean read_u32(WeftBytes *bytes, guint32 *ret_value)
{
	guint64 value;

	if (!weft_bytes_le64(bytes, &value) || value > G_MAXUINT32)
		return FALSE;
	*ret_value = (guint32)value;
	return TRUE;
}

static gboolean read_counts(WeftBytes *bytes, WeftTranscriptCounts *counts)
{
	return weft_bytes_le64(bytes, &counts->n_windows) &&
	       weft_bytes_le64(bytes, &counts->n_encodes) &&
	       weft_bytes_le64(bytes, &counts->n_searches) &&
	       weft_bytes_le64(bytes, &counts->n_frames_skipped) &&
	       weft_bytes_le64(bytes, &counts->n_doubted);
}

static gboolean read_prompt(WeftBytes *bytes, const WeftTranscript *transcript, GArray *prompt)
{
	guint64 n;

	if (!weft_bytes_le64(bytes, &n) || n > transcript->n_prompt_max ||
	    weft_bytes_left(bytes) != n * sizeof(guint64))
		return FALSE;
	for (guint64 i = 0; i < n; i++) {
		guint32 id;

		if (!read_u32(bytes, &id) || id >= transcript->tokens->n_vocab)
			return FALSE;
		g_array_append_val(prompt, id);
	}
	return TRUE;
}

/* Frames of 30 years: beyond it numbers of samples would not be exact. */
#define SEEK_MAX 100000000000u

gboolean weft_transcript_restore(WeftTranscript *transcript, const guint8 *data, gsize size_bytes)
{
	WeftBytes bytes = weft_bytes(data, size_bytes);
	TranscriptState state = transcript->state;
	g_autoptr(GArray) prompt = g_array_new(FALSE, FALSE, sizeof(guint32));
	guint64 magic, seek;

	if (!weft_bytes_le64(&bytes, &magic) || magic != MAGIC ||
	    !weft_bytes_le64(&bytes, &seek) || seek > SEEK_MAX ||
	    !read_u32(&bytes, &state.language) ||
	    !read_real(&bytes, &state.language_probability) ||
	    !read_real(&bytes, &state.last_speech_s) ||
	    !weft_bytes_le64(&bytes, &state.repetition.last) ||
	    !read_u32(&bytes, &state.repetition.n_last) || !read_counts(&bytes, &state.counts) ||
	    !read_prompt(&bytes, transcript, prompt))
		return FALSE;
	if (state.language != NO_LANGUAGE &&
	    !weft_whisper_tokens_language(transcript->tokens, state.language))
		return FALSE;
	g_array_unref(transcript->state.prompt);
	state.seek = (gsize)seek;
	state.prompt = g_steal_pointer(&prompt);
	transcript->state = state;
	weft_sound_buffer_drop(transcript->sound,
			       (guint64)(weft_transcript_needs_from_s(transcript) *
					 WEFT_MEL_RATE_HZ));
	return TRUE;
}
