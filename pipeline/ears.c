#include "pipeline/ears.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"

/* Positions of the encoder for 30 s, the window of every published Whisper. */
#define WINDOW_POSITIONS 1500u
/* Names and words for a prompt: it holds 223 tokens, and half of them. */
#define TERMS_MAX_BYTES ((gsize)64 << 10)

struct WeftEars {
	const WeftJob *job;
	guint n_threads;
	WeftBundle *bundle;
	char *terms; /* or NULL */

	pthread_mutex_t mutex; /* guards all below until they are open */
	gboolean is_open;
	WeftKernels *kernels;
	WeftEncoders *encoders;
	WeftWhisperTokens *tokens;
};

static const WeftBundle *whisper_of(const WeftBundle *bundle)
{
	const WeftBundle *audio = weft_bundle_audio(bundle);

	return audio != NULL && weft_bundle_config(audio)->audio.has_decoder ? audio : NULL;
}

static gboolean open_tokens(WeftEars *ears, GError **error)
{
	const WeftBundle *whisper = whisper_of(ears->bundle);

	if (ears->tokens != NULL)
		return TRUE;
	if (weft_bundle_tokenizer(whisper) == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: no tokenizer: put the tokenizer.json of the same Whisper "
			    "beside its weights",
			    weft_bundle_name(whisper));
		return FALSE;
	}
	ears->tokens = weft_whisper_tokens_new(weft_bundle_tokenizer(whisper),
					       weft_bundle_config(whisper)->audio.n_vocab, error);
	return ears->tokens != NULL;
}

/* Lines of the file, as one text with commas. */
static gboolean read_terms(WeftEars *ears, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GString) terms = g_string_new(NULL);
	g_auto(GStrv) lines = NULL;
	gsize size_bytes;

	if (ears->job->terms == NULL)
		return TRUE;
	if (!weft_file_read(ears->job->terms, TERMS_MAX_BYTES, &text, &size_bytes, error))
		return FALSE;
	if (!g_utf8_validate(text, (gssize)size_bytes, NULL)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: the terms are not UTF-8; save the file as UTF-8, a line for each name or "
			    "word", ears->job->terms);
		return FALSE;
	}
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] != NULL; i++) {
		if (*g_strstrip(lines[i]) != '\0')
			g_string_append_printf(terms, "%s%s", terms->len > 0 ? ", " : "", lines[i]);
	}
	if (terms->len > 0)
		ears->terms = g_string_free(g_steal_pointer(&terms), FALSE);
	return TRUE;
}

/* Before the first document, not with the first recording. */
static gboolean check_language(WeftEars *ears, GError **error)
{
	const char *language = ears->job->language;
	guint32 id;

	if (language == NULL && !ears->job->translates)
		return TRUE;
	if (!open_tokens(ears, error))
		return FALSE;
	if (language != NULL && strcmp(language, "en") != 0 &&
	    !weft_whisper_tokens_find(ears->tokens, language, &id)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "language: %s does not know '%s'",
			    weft_bundle_name(ears->bundle), language);
		return FALSE;
	}
	if (ears->job->translates && ears->tokens->n_languages == 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "translate: %s knows English alone", weft_bundle_name(ears->bundle));
		return FALSE;
	}
	return TRUE;
}

gboolean weft_ears_new(const WeftJob *job, guint n_threads, WeftEars **ret_ears, GError **error)
{
	const char *path = job->audio != NULL ? job->audio : job->model;
	g_autoptr(WeftEars) ears = g_new0(WeftEars, 1);

	*ret_ears = NULL;
	pthread_mutex_init(&ears->mutex, NULL);
	ears->job = job;
	ears->n_threads = n_threads;
	if (path == NULL)
		return TRUE;
	ears->bundle = weft_bundle_open(path, error);
	if (ears->bundle == NULL)
		return FALSE;
	if (whisper_of(ears->bundle) == NULL)
		return TRUE;
	if (weft_bundle_config(whisper_of(ears->bundle))->audio.n_positions != WINDOW_POSITIONS) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%s has max_source_positions %zu: it hears %g s at once; one that hears 30 s "
			    "(%u) is needed", weft_ears_name(ears),
			    weft_bundle_config(whisper_of(ears->bundle))->audio.n_positions,
			    (double)weft_bundle_config(whisper_of(ears->bundle))->audio.n_positions / 50,
			    WINDOW_POSITIONS);
		return FALSE;
	}
	if (!read_terms(ears, error) || !check_language(ears, error))
		return FALSE;
	*ret_ears = g_steal_pointer(&ears);
	return TRUE;
}

void weft_ears_free(WeftEars *ears)
{
	if (ears == NULL)
		return;
	weft_whisper_tokens_free(ears->tokens);
	g_clear_pointer(&ears->encoders, weft_encoders_close);
	weft_kernels_close(ears->kernels);
	g_clear_pointer(&ears->bundle, weft_bundle_close);
	pthread_mutex_destroy(&ears->mutex);
	g_free(ears->terms);
	g_free(ears);
}

const char *weft_ears_name(const WeftEars *ears)
{
	return weft_bundle_name(whisper_of(ears->bundle));
}

const char *weft_ears_id(const WeftEars *ears)
{
	return weft_bundle_id(whisper_of(ears->bundle));
}

void weft_ears_describe(const WeftEars *ears, GString *text)
{
	const WeftJob *job = ears->job;

	g_string_append_printf(text, "whisper %s\nlanguage %s\ntranslate %d\nseed %" G_GUINT64_FORMAT
			       "\nterms %s\n", weft_bundle_id(whisper_of(ears->bundle)),
			       job->language != NULL ? job->language : "", job->translates,
			       job->seed, ears->terms != NULL ? ears->terms : "");
}

static gboolean open_kernels(WeftEars *ears, GError **error)
{
	if (ears->kernels == NULL)
		ears->kernels = weft_kernels_open(ears->job->tier, (int)ears->n_threads, error);
	return ears->kernels != NULL;
}

WeftSounder *weft_ears_sound(WeftEars *ears, GError **error)
{
	gboolean is_open;

	pthread_mutex_lock(&ears->mutex);
	is_open = open_kernels(ears, error);
	pthread_mutex_unlock(&ears->mutex);
	return is_open ? weft_sounder_new(ears->kernels, weft_bundle_config(whisper_of(ears->bundle))
								 ->audio.n_bins)
		       : NULL;
}

static gboolean open_ears(WeftEars *ears, GError **error)
{
	if (!open_kernels(ears, error))
		return FALSE;
	ears->encoders = weft_encoders_open(ears->bundle, ears->kernels, error);
	return ears->encoders != NULL && open_tokens(ears, error);
}

WeftTranscript *weft_ears_listen(WeftEars *ears, const WeftTranscriptSound *sound, guint32 track,
				 guint64 key, GError **error)
{
	const WeftTranscriptOptions options = {
		.language = ears->job->language,
		.translates = ears->job->translates,
		.terms = ears->terms,
		.seed = ears->job->seed,
		.seed_key = key,
		.track = track,
	};

	pthread_mutex_lock(&ears->mutex);
	ears->is_open = ears->is_open || open_ears(ears, error);
	pthread_mutex_unlock(&ears->mutex);
	if (!ears->is_open)
		return NULL;
	return weft_transcript_new(weft_encoders_listener(ears->encoders), ears->tokens,
				   ears->kernels, &options, sound, error);
}
