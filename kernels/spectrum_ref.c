#include "kernels/spectrum.h"

#include <math.h>
#include <string.h>


/* Frames side by side in a piece, as the lanes of vectors. */
#define PIECE_FRAMES 16

typedef double Lanes __attribute__((vector_size(8 * PIECE_FRAMES), aligned(8), may_alias));

_Static_assert((2 * WEFT_FRAME_SIZE_MAX + PIECE_FRAMES * (WEFT_FRAME_SIZE_MAX + 2)) * 8 <=
		       WEFT_TEAM_SCRATCH_BYTES, "tables and folded frames fit");

typedef struct Spectrum {
	float *power;
	const float *samples;
	const double *window;
	size_t n_frames, frame_size, hop;
} Spectrum;

/* The samples are real: x[n] and x[F - n] meet the same cosine and opposite sines. even[n] is their
 * sum, odd[n] their difference, n = 0 .. F/2; 0 and F/2 have no partner. */
static void fold_frames(const Spectrum *self, size_t frame, size_t n_frames, double *even,
			double *odd)
{
	size_t size = self->frame_size;
	memset(even, 0, (size / 2 + 1) * sizeof(Lanes));
	memset(odd, 0, (size / 2 + 1) * sizeof(Lanes));
	for (size_t t = 0; t < n_frames; t++) {
		const float *x = self->samples + (frame + t) * self->hop;
		for (size_t n = 0; n <= size / 2; n++) {
			double a = (double)x[n] * self->window[n], b = 0;
			if (n != 0 && 2 * n != size)
				b = (double)x[size - n] * self->window[size - n];
			even[n * PIECE_FRAMES + t] = a + b;
			odd[n * PIECE_FRAMES + t] = a - b;
		}
	}
}

static void spectrum_piece(void *context, size_t piece, void *scratch)
{
	const Spectrum *self = context;
	size_t size = self->frame_size, n_bins = size / 2 + 1;
	size_t frame = piece * PIECE_FRAMES, n_frames = self->n_frames - frame;
	n_frames = n_frames < PIECE_FRAMES ? n_frames : PIECE_FRAMES;
	double *cosine = scratch, *sine = cosine + size; /* of 2 pi i / F */
	double *even = sine + size, *odd = even + n_bins * PIECE_FRAMES;
	for (size_t i = 0; i < size; i++) {
		double angle = 2 * M_PI * (double)i / (double)size;
		cosine[i] = cos(angle);
		sine[i] = sin(angle);
	}
	fold_frames(self, frame, n_frames, even, odd);
	for (size_t k = 0; k < n_bins; k++) {
		Lanes real = {0}, imaginary = {0};
		for (size_t n = 0, turn = 0; n < n_bins; n++) {
			real += cosine[turn] * *(const Lanes *)(const void *)(even + n * PIECE_FRAMES);
			imaginary += sine[turn] * *(const Lanes *)(const void *)(odd + n * PIECE_FRAMES);
			turn += k; /* k * n mod F */
			turn -= turn >= size ? size : 0;
		}
		Lanes square = real * real + imaginary * imaginary;
		for (size_t t = 0; t < n_frames; t++)
			self->power[(frame + t) * n_bins + k] = (float)square[t];
	}
}

WEFT_POWER_SPECTRUM(weft_power_spectrum_ref)
{
	Spectrum self = {power, samples, window, n_frames, frame_size, hop};
	weft_team_run(team, (n_frames + PIECE_FRAMES - 1) / PIECE_FRAMES, spectrum_piece, &self);
}
