/* check.h - what the tests of the encoders share: opening a bundle, comparing with a golden
 * array, a picture. */
#ifndef WEFT_TESTS_ENCODERS_CHECK_H
#define WEFT_TESTS_ENCODERS_CHECK_H

#include <glib.h>
#include <math.h>

#include "base/npy.h"
#include "encoders/encoders.h"

/* Sums of f32 in another order: relative to the largest value, as for the logits. */
#define CHECK_TOLERANCE 1e-4F

typedef struct Opened {
	WeftBundle *bundle;
	WeftKernels *kernels;
	WeftEncoders *encoders;
} Opened;

/* `audio`: a folder to attach, or NULL. `tier`: of the kernels, NULL for the machine's best. */
static inline Opened check_open_tier(const char *path, const char *audio, const char *tier)
{
	Opened opened = { 0 };
	g_autoptr(GError) error = NULL;

	opened.bundle = weft_bundle_open(path, &error);
	g_assert_no_error(error);
	if (audio)
		weft_bundle_attach_audio(opened.bundle, audio, &error);
	g_assert_no_error(error);
	opened.kernels = weft_kernels_open(tier, 2, &error);
	g_assert_no_error(error);
	opened.encoders = weft_encoders_open(opened.bundle, opened.kernels, &error);
	g_assert_no_error(error);
	return opened;
}

static inline Opened check_open(const char *path, const char *audio)
{
	return check_open_tier(path, audio, "ref");
}

static inline void check_close(Opened *opened)
{
	weft_encoders_close(opened->encoders);
	weft_kernels_close(opened->kernels);
	weft_bundle_close(opened->bundle);
}

static inline void check_close_to(const float *values, gsize n, const char *golden_path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftNpy) golden = weft_npy_read(golden_path, &error);
	float largest = 0;

	g_assert_no_error(error);
	g_assert_cmpuint(golden->n_items, ==, n);
	for (gsize i = 0; i < n; i++)
		largest = fmaxf(largest, fabsf(golden->f32[i]));
	g_assert_cmpfloat(largest, >, 0);
	for (gsize i = 0; i < n; i++)
		if (!(fabsf(values[i] - golden->f32[i]) <= CHECK_TOLERANCE * largest))
			g_error("%s: item %zu is %g, expected %g", golden_path, i, values[i],
				golden->f32[i]);
}

/* The formula of tools/make_golden_encoders.py. The caller frees the pixels. */
static inline WeftRaster check_picture(guint32 width, guint32 height, double points_per_pixel)
{
	WeftRaster raster = { .width = width, .height = height,
			      .points_per_pixel = points_per_pixel };
	guint8 *p = raster.pixels = g_malloc((gsize)width * height * 3);

	for (guint32 y = 0; y < height; y++)
		for (guint32 x = 0; x < width; x++)
			for (guint32 c = 0; c < 3; c++)
				*p++ = (guint8)((x * 7 + y * 13 + c * 71 + ((x * y) >> 2)) ^
						((x * x) >> 3));
	return raster;
}

/* Special tokens among the sequence's ids. */
static inline gsize check_specials(const Opened *opened, const WeftSequence *sequence)
{
	gsize n = 0;

	for (guint i = 0; i < sequence->ids->len; i++)
		n += weft_tokenizer_is_special(weft_bundle_tokenizer(opened->bundle),
					       g_array_index(sequence->ids, gint32, i));
	return n;
}

#endif
