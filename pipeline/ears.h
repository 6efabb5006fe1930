/* ears.h - what a run hears with: a Whisper checkpoint, opened when the first recording needs it.
 *
 * It stands beside any bundle (--audio), or in the bundle's folder audio/. A run whose recordings are
 * all known never loads a weight of it. What a recording needs of it is made by weft_ears_listen.
 */
#ifndef WEFT_PIPELINE_EARS_H
#define WEFT_PIPELINE_EARS_H

#include <glib.h>

#include "encoders/encoders.h"
#include "pipeline/pipeline.h"

typedef struct WeftEars WeftEars;

/* *ret_ears NULL: the job has no Whisper that can write (an encoder alone can't). Opens the
 * configuration and the file of terms, not the weights. Borrows the job. */
gboolean weft_ears_new(const WeftJob *job, guint n_threads, WeftEars **ret_ears, GError **error);
void weft_ears_free(WeftEars *ears);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftEars, weft_ears_free)

/* The model's, static. */
const char *weft_ears_name(const WeftEars *ears);
const char *weft_ears_id(const WeftEars *ears);
/* All that decides what is heard: model, language, translation, terms, seed. Appends lines. */
void weft_ears_describe(const WeftEars *ears, GString *text);

/* For the first pass over a track: no weights are needed. Any thread. */
WeftSounder *weft_ears_sound(WeftEars *ears, GError **error);
/* Any thread; the first call opens the weights. A transcript of one track; `key` decides its draws. */
WeftTranscript *weft_ears_listen(WeftEars *ears, const WeftTranscriptSound *sound, guint32 track,
				 guint64 key, GError **error);

#endif
