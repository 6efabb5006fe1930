/* whisper_past.h - keys and values of the rows that a Whisper decoder is writing; private.
 *
 * All rows have the same number of positions. A row is a list of pages of 64 positions through all
 * layers; rows with the same past share pages, and a page that is not full is copied when two rows
 * go on from it.
 */
#ifndef WEFT_ENCODERS_WHISPER_PAST_H
#define WEFT_ENCODERS_WHISPER_PAST_H

#include <glib.h>

#include "kernels/kernels.h"

typedef struct WeftWhisperPage WeftWhisperPage;

typedef struct WeftWhisperPast {
	const WeftKernels *kernels;
	gsize n_layers, width;
	gsize n_row_pages;       /* that a row can have */
	WeftWhisperPage **rows;  /* [n_rows][n_row_pages]; NULL: not begun */
	gsize n_rows, length;    /* positions of every row */
	GPtrArray *spare;        /* pages without rows */
} WeftWhisperPast;

void weft_whisper_past_init(WeftWhisperPast *past, const WeftKernels *kernels, gsize n_layers,
			    gsize width, gsize n_context);
void weft_whisper_past_done(WeftWhisperPast *past);

/* n_rows rows that go on from `parents`, in place of those before; parents NULL: rows without a
 * past. */
gboolean weft_whisper_past_begin(WeftWhisperPast *past, const guint32 *parents, gsize n_rows,
				 GError **error);
/* Every row can be written at n more positions, within n_context. `length` is the caller's to move,
 * when it has written. */
gboolean weft_whisper_past_grow(WeftWhisperPast *past, gsize n, GError **error);

/* key[width], value[width] of a position that growing made room for. */
void weft_whisper_past_write(const WeftWhisperPast *past, gsize row, gsize layer, gsize position,
			     const float *key, const float *value);
/* The pages of a row and layer as attention takes them: [n_row_pages] each. */
void weft_whisper_past_pages(const WeftWhisperPast *past, gsize row, gsize layer,
			     const void **ret_keys, const void **ret_values);

#endif
