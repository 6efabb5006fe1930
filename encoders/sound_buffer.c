#include "encoders/sound_buffer.h"

#include <string.h>

#define JITTER 160 /* samples: 10 ms */

typedef struct Piece {
	guint64 first;
	gsize n;
	float samples[];
} Piece;

struct WeftSoundBuffer {
	GQueue pieces; /* of Piece, in order, not overlapping */
	guint64 end;   /* of all that was pushed */
	guint64 needed_from;
	gboolean is_begun;
};

WeftSoundBuffer *weft_sound_buffer_new(void)
{
	WeftSoundBuffer *buffer = g_new0(WeftSoundBuffer, 1);

	g_queue_init(&buffer->pieces);
	return buffer;
}

void weft_sound_buffer_free(WeftSoundBuffer *buffer)
{
	if (!buffer)
		return;
	g_queue_clear_full(&buffer->pieces, g_free);
	g_free(buffer);
}

void weft_sound_buffer_push(WeftSoundBuffer *buffer, const float *samples, gsize n, guint64 first)
{
	guint64 end = buffer->end;

	if (buffer->is_begun && first + JITTER > end && first < end + JITTER)
		first = end;
	buffer->end = MAX(end, first + n);
	buffer->is_begun = TRUE;
	guint64 from = MAX(end, buffer->needed_from);

	if (first < from) {
		gsize n_known = (gsize)MIN(from - first, (guint64)n);

		samples += n_known;
		n -= n_known;
		first = from;
	}
	if (n == 0)
		return;
	Piece *piece = g_malloc(sizeof(Piece) + n * sizeof(float));

	piece->first = first;
	piece->n = n;
	memcpy(piece->samples, samples, n * sizeof(float));
	g_queue_push_tail(&buffer->pieces, piece);
}

guint64 weft_sound_buffer_end(const WeftSoundBuffer *buffer)
{
	return buffer->end;
}

guint64 weft_sound_buffer_next(const WeftSoundBuffer *buffer, guint64 from)
{
	for (const GList *link = buffer->pieces.head; link; link = link->next) {
		const Piece *piece = link->data;

		if (piece->first + piece->n > from)
			return MAX(piece->first, from);
	}
	return MAX(buffer->end, from);
}

void weft_sound_buffer_read(const WeftSoundBuffer *buffer, guint64 first, gsize n, float *out)
{
	memset(out, 0, n * sizeof(float));
	for (const GList *link = buffer->pieces.head; link; link = link->next) {
		const Piece *piece = link->data;
		guint64 begin = MAX(piece->first, first);
		guint64 end = MIN(piece->first + piece->n, first + n);

		if (begin < end)
			memcpy(out + (begin - first), piece->samples + (begin - piece->first),
			       (gsize)(end - begin) * sizeof(float));
	}
}

void weft_sound_buffer_drop(WeftSoundBuffer *buffer, guint64 before)
{
	const Piece *piece;

	while ((piece = g_queue_peek_head(&buffer->pieces)) && piece->first + piece->n <= before)
		g_free(g_queue_pop_head(&buffer->pieces));
	buffer->needed_from = MAX(buffer->needed_from, before);
}
