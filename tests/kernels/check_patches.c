/* unfold (with gemm: a convolution), patchify and pixel_shuffle of every tier. */
#include "check.h"

static CheckTiers tiers;

/* The definition of torch's conv1d, in f64, from a signal of either layout. */
static void expected_convolution(double *y, const WeftUnfold *u, const WeftTensor *w, size_t n_out)
{
	size_t n_filters = w->size[0];
	for (size_t t = 0; t < n_out; t++) {
		for (size_t f = 0; f < n_filters; f++) {
			double sum = 0;
			for (size_t c = 0; c < u->n_channels; c++) {
				for (size_t i = 0; i < u->kernel; i++) {
					gint64 frame = (gint64)(t * u->stride + i) - (gint64)u->padding;
					if (frame < 0 || frame >= (gint64)u->n_frames)
						continue;
					sum += check_at(w, f, c * u->kernel + i) *
					       (double)u->x[c * u->channel_stride +
							    (size_t)frame * u->frame_stride];
				}
			}
			y[t * n_filters + f] = sum;
		}
	}
}

static void check_convolution(WeftUnfold u, size_t n_filters, gboolean channels_first)
{
	guint64 state = u.n_frames;
	float *x = check_floats(&state, u.n_channels * u.n_frames);
	size_t n_out = (u.n_frames + 2 * u.padding - u.kernel) / u.stride + 1;
	size_t width = u.n_channels * u.kernel, n = n_out * n_filters;
	u.x = x;
	u.channel_stride = channels_first ? u.n_frames : 1;
	u.frame_stride = channels_first ? 1 : u.n_channels;
	WeftTensor w = check_matrix(&state, WEFT_DTYPE_F32, n_filters, width, 0);
	double *expected = g_new(double, n);
	expected_convolution(expected, &u, &w, n_out);
	for (size_t i = 0; i < tiers.n; i++) {
		WeftKernels *k = tiers.eight[i];
		float *unfolded = check_output(n_out * width), *y = check_output(n);
		k->unfold(k->team, unfolded, &u);
		k->gemm(k->team, y, unfolded, n_out, &w, NULL);
		check_near("convolution", y, expected, n, (double)width * 0x1p-24); /* |terms| <= 1 */
		check_output_free(unfolded, n_out * width);
		check_output_free(y, n);
	}
	check_free(x);
	check_free(w.data);
	g_free(expected);
}

static void test_unfold(void)
{
	check_convolution((WeftUnfold){.n_channels = 80, .n_frames = 301, .kernel = 3, .stride = 1,
				       .padding = 1}, 12, TRUE);
	check_convolution((WeftUnfold){.n_channels = 33, .n_frames = 300, .kernel = 3, .stride = 2,
				       .padding = 1}, 12, FALSE);
	check_convolution((WeftUnfold){.n_channels = 3, .n_frames = 9, .kernel = 4, .stride = 3,
				       .padding = 2}, 5, FALSE);
	check_convolution((WeftUnfold){.n_channels = 2, .n_frames = 1, .kernel = 3, .stride = 2,
				       .padding = 1}, 5, TRUE);
}

static void test_patchify(void)
{
	guint64 state = 3;
	static const size_t shapes[][4] = {{3, 336, 336, 14}, {1, 4, 6, 2}, {2, 6, 3, 3}, {3, 5, 7, 1}};
	for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
		size_t channels = shapes[s][0], height = shapes[s][1], width = shapes[s][2];
		size_t side = shapes[s][3], n = channels * height * width, number = 0;
		float *x = check_floats(&state, n);
		double *expected = g_new(double, n);
		for (size_t row = 0; row < height / side; row++)
			for (size_t col = 0; col < width / side; col++)
				for (size_t c = 0; c < channels; c++)
					for (size_t j = 0; j < side; j++)
						for (size_t i = 0; i < side; i++)
							expected[number++] = (double)
								x[(c * height + row * side + j) * width +
								  col * side + i];
		for (size_t i = 0; i < tiers.n; i++) {
			float *y = check_output(n);
			tiers.eight[i]->patchify(tiers.eight[i]->team, y, x, channels, height, width,
						 side);
			check_near("patches", y, expected, n, 0);
			check_output_free(y, n);
		}
		check_free(x);
		g_free(expected);
	}
}

/* transformers' pixel_shuffle: view [h, w/f, C*f], swap, view [w/f, h/f, C*f*f], swap. */
static double *reference_shuffle(const float *x, size_t h, size_t w, size_t c, size_t f)
{
	double *y = g_new(double, h * w * c);
	for (size_t i = 0; i < h * w * c; i++) {
		size_t row = i / (w * c), a = i / (c * f) % (w / f), b = i % (c * f);
		size_t swapped = (a * h + row) * (c * f) + b; /* [w/f, h, C*f] */
		size_t a2 = swapped / (h * c * f), d = swapped / (c * f * f) % (h / f);
		size_t e = swapped % (c * f * f);             /* [w/f, h/f, C*f*f] */
		y[(d * (w / f) + a2) * (c * f * f) + e] = (double)x[i];
	}
	return y;
}

static void test_pixel_shuffle(void)
{
	guint64 state = 4;
	static const size_t shapes[][4] = {{24, 24, 1408, 2}, {4, 6, 5, 2}, {6, 3, 7, 3}, {3, 2, 4, 1}};
	for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
		size_t n_rows = shapes[s][0], n_cols = shapes[s][1], width = shapes[s][2];
		size_t n = n_rows * n_cols * width;
		float *x = check_floats(&state, n);
		double *expected = reference_shuffle(x, n_rows, n_cols, width, shapes[s][3]);
		for (size_t i = 0; i < tiers.n; i++) {
			float *y = check_output(n);
			tiers.eight[i]->pixel_shuffle(tiers.eight[i]->team, y, x, n_rows, n_cols, width,
						      shapes[s][3]);
			check_near("shuffled", y, expected, n, 0);
			check_output_free(y, n);
		}
		check_free(x);
		g_free(expected);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/patches/unfold", test_unfold);
	g_test_add_func("/patches/patchify", test_patchify);
	g_test_add_func("/patches/pixel-shuffle", test_pixel_shuffle);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
