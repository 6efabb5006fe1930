/* sound_buffer.h - the part of a recording that is still needed, by sample number.
 *
 * Samples come in pieces, in order, and may leave holes; what is read where there is no piece is
 * silence. A piece that begins within 10 ms of the end of the one before continues it: clocks of
 * containers jitter. What overlaps further is dropped.
 */
#ifndef WEFT_ENCODERS_SOUND_BUFFER_H
#define WEFT_ENCODERS_SOUND_BUFFER_H

#include <glib.h>

typedef struct WeftSoundBuffer WeftSoundBuffer;

WeftSoundBuffer *weft_sound_buffer_new(void);
void weft_sound_buffer_free(WeftSoundBuffer *buffer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSoundBuffer, weft_sound_buffer_free)

/* Copies samples[n], whose first is number `first` of the recording. */
void weft_sound_buffer_push(WeftSoundBuffer *buffer, const float *samples, gsize n, guint64 first);
/* Number of the sample behind the last one. */
guint64 weft_sound_buffer_end(const WeftSoundBuffer *buffer);
/* Number of the first sample at or behind `from` that is no hole; the end when there is none. */
guint64 weft_sound_buffer_next(const WeftSoundBuffer *buffer, guint64 from);
/* out[n] = samples [first, first + n). */
void weft_sound_buffer_read(const WeftSoundBuffer *buffer, guint64 first, gsize n, float *out);
/* Forgets what lies before; pushing it again does nothing. */
void weft_sound_buffer_drop(WeftSoundBuffer *buffer, guint64 before);

#endif
