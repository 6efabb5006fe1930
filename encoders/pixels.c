#include "encoders/pixels.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* The weights of one axis: output i is the sum of k[i * taps_max + j] * v[first[i] + j], j <
 * taps[i], in units of 2^-precision. */
typedef struct Axis {
	guint32 *first, *taps;
	gint16 *k;
	guint32 taps_max;
	int precision;
} Axis;

static void axis_done(Axis *axis)
{
	g_free(axis->first);
	g_free(axis->taps);
	g_free(axis->k);
}

/* The largest precision at which every weight fits 16 bits: as torch chooses it. */
static int axis_precision(double weight_max)
{
	int precision = 0;

	while (precision < 22 && 0.5 + weight_max * (double)(1 << (precision + 1)) < 32768)
		precision++;
	return precision;
}

static gboolean axis_init(Axis *axis, guint32 n_in, guint32 n_out)
{
	double scale = (double)n_in / n_out;
	double support = MAX(scale, 1.0), inverse = scale >= 1.0 ? 1.0 / scale : 1.0;
	guint32 taps_max = (guint32)ceil(support) * 2 + 1;
	g_autofree double *w = g_try_new(double, (gsize)n_out * taps_max);
	double weight_max = 0;

	*axis = (Axis){ .taps_max = taps_max };
	axis->first = g_try_new(guint32, n_out);
	axis->taps = g_try_new(guint32, n_out);
	axis->k = g_try_new(gint16, (gsize)n_out * taps_max);
	if (!w || !axis->first || !axis->taps || !axis->k)
		return FALSE;
	for (guint32 i = 0; i < n_out; i++) {
		double centre = scale * (i + 0.5), sum = 0, *wi = w + (gsize)i * taps_max;
		gint64 lo = MAX((gint64)(centre - support + 0.5), 0);
		gint64 hi = MIN((gint64)(centre + support + 0.5), (gint64)n_in);

		axis->first[i] = (guint32)lo;
		axis->taps[i] = (guint32)CLAMP(hi - lo, 0, (gint64)taps_max);
		for (guint32 j = 0; j < axis->taps[i]; j++) {
			wi[j] = fmax(0.0, 1.0 - fabs((j + ((double)lo - centre) + 0.5) * inverse));
			sum += wi[j];
		}
		for (guint32 j = 0; sum != 0 && j < axis->taps[i]; j++) {
			wi[j] /= sum;
			weight_max = fmax(weight_max, wi[j]);
		}
	}
	axis->precision = axis_precision(weight_max);
	for (guint32 i = 0; i < n_out; i++)
		for (guint32 j = 0; j < axis->taps[i]; j++) {
			gsize at = (gsize)i * taps_max + j;
			axis->k[at] = (gint16)(0.5 + w[at] * (double)(1 << axis->precision));
		}
	return TRUE;
}

static guint8 rounded(gint32 sum, int precision)
{
	sum >>= precision;
	return (guint8)CLAMP(sum, 0, 255);
}

static void pass_horizontal(const Axis *axis, const guint8 *src, guint32 width, guint32 height,
			    guint8 *dst, guint32 width_dst)
{
	for (guint32 y = 0; y < height; y++) {
		const guint8 *row = src + (gsize)y * width * 3;
		guint8 *out = dst + (gsize)y * width_dst * 3;

		for (guint32 x = 0; x < width_dst; x++) {
			const gint16 *k = axis->k + (gsize)x * axis->taps_max;
			const guint8 *v = row + (gsize)axis->first[x] * 3;
			gint32 half = axis->precision ? 1 << (axis->precision - 1) : 0;
			gint32 sum[3] = { half, half, half };

			for (guint32 j = 0; j < axis->taps[x]; j++, v += 3)
				for (int c = 0; c < 3; c++)
					sum[c] += v[c] * k[j];
			for (int c = 0; c < 3; c++)
				out[(gsize)x * 3 + c] = rounded(sum[c], axis->precision);
		}
	}
}

static void pass_vertical(const Axis *axis, const guint8 *src, guint32 width, guint8 *dst,
			  guint32 height_dst)
{
	gsize stride = (gsize)width * 3;

	for (guint32 y = 0; y < height_dst; y++) {
		const gint16 *k = axis->k + (gsize)y * axis->taps_max;
		const guint8 *column = src + axis->first[y] * stride;

		for (gsize x = 0; x < stride; x++, column++) {
			gint32 sum = axis->precision ? 1 << (axis->precision - 1) : 0;

			for (guint32 j = 0; j < axis->taps[y]; j++)
				sum += column[j * stride] * k[j];
			dst[y * stride + x] = rounded(sum, axis->precision);
		}
	}
}

gboolean weft_pixels_resize(const guint8 *src, guint32 width, guint32 height, guint8 *dst,
			    guint32 width_dst, guint32 height_dst)
{
	g_autofree guint8 *between = NULL;
	const guint8 *from = src;
	Axis axis = { 0 };

	if (width != width_dst) {
		guint8 *to = dst;

		if (height != height_dst) {
			to = between = g_try_malloc((gsize)width_dst * height * 3);
			if (!between)
				return FALSE;
		}
		if (!axis_init(&axis, width, width_dst)) {
			axis_done(&axis);
			return FALSE;
		}
		pass_horizontal(&axis, src, width, height, to, width_dst);
		axis_done(&axis);
		from = to;
	}
	if (height != height_dst) {
		if (!axis_init(&axis, height, height_dst)) {
			axis_done(&axis);
			return FALSE;
		}
		pass_vertical(&axis, from, width_dst, dst, height_dst);
		axis_done(&axis);
	} else if (from != dst) {
		memcpy(dst, from, (gsize)width * height * 3);
	}
	return TRUE;
}

void weft_tiling_canvas(const WeftTiling *tiling, guint32 width, guint32 height,
			gboolean single_tile, guint32 *ret_n_rows, guint32 *ret_n_cols)
{
	guint32 n_rows = 1, n_cols = 1;
	float best = 0;

	for (guint32 a = 1; !single_tile && a <= tiling->n_tiles_max; a++)
		for (guint32 b = 1; a * b <= tiling->n_tiles_max; b++) {
			float s_w = (float)(b * tiling->side) / (float)width;
			float s_h = (float)(a * tiling->side) / (float)height;
			float s = s_h > s_w ? s_w : s_h;
			gboolean better;

			if (tiling->largest_canvas || best < 1)
				better = s > best;
			else
				better = s >= 1 && s < best;
			if (better || (s == best && a * b < n_rows * n_cols)) {
				best = s;
				n_rows = a;
				n_cols = b;
			}
		}
	*ret_n_rows = n_rows;
	*ret_n_cols = n_cols;
}

/* The reference mixes precisions: a side that the canvas limits divides in f32, one that the
 * picture itself limits in f64; two scales are compared in f32 when either is. It decides by one
 * pixel (300 x 800 on one tile of 336: 125 rows, not 126). */
typedef struct Scale {
	gboolean single;
	double value;
} Scale;

static Scale scale_of(guint32 target, guint32 size, gboolean single)
{
	Scale scale = { single, (double)target / size };

	if (single)
		scale.value = (float)target / (float)size;
	return scale;
}

static guint32 scaled(guint32 size, Scale scale, guint32 limit)
{
	double x = scale.single ? (float)size * (float)scale.value : size * scale.value;

	return (guint32)CLAMP(floor(x), 1, limit);
}

void weft_tiling_fit(const WeftTiling *tiling, guint32 width, guint32 height, guint32 n_rows,
		     guint32 n_cols, guint32 *ret_width, guint32 *ret_height)
{
	guint32 canvas_h = n_rows * tiling->side, canvas_w = n_cols * tiling->side;
	guint32 h = tiling->largest_canvas ? canvas_h : MIN(MAX(height, tiling->side), canvas_h);
	guint32 w = tiling->largest_canvas ? canvas_w : MIN(MAX(width, tiling->side), canvas_w);
	Scale scale_w = scale_of(w, width,
				 tiling->largest_canvas || MAX(width, tiling->side) > canvas_w);
	Scale scale_h = scale_of(h, height,
				 tiling->largest_canvas || MAX(height, tiling->side) > canvas_h);
	gboolean narrow = scale_w.single || scale_h.single ?
				  (float)scale_w.value < (float)scale_h.value :
				  scale_w.value < scale_h.value;

	if (narrow)
		h = scaled(height, scale_w, h);
	else
		w = scaled(width, scale_h, w);
	*ret_width = w;
	*ret_height = h;
}

guint32 weft_tiling_side_useful(const WeftTiling *tiling)
{
	guint32 longest = 1;

	for (guint32 cols = 1; cols <= tiling->n_tiles_max; cols++)
		longest = MAX(longest, MIN(tiling->n_tiles_max / cols, 2 * cols));
	return longest * tiling->side;
}

/* One tile of [side][side] from the picture at (x0, y0), black where the picture ends. */
static void tile_from(const WeftTiling *tiling, const guint8 *pixels, guint32 width,
		      guint32 height, guint32 x0, guint32 y0, float *tile)
{
	gsize side = tiling->side, n = side * side;

	for (int c = 0; c < 3; c++) {
		float levels[256];

		for (int v = 0; v < 256; v++)
			levels[v] = ((float)v * tiling->rescale - tiling->mean[c]) / tiling->std[c];
		for (gsize y = 0; y < side; y++)
			for (gsize x = 0; x < side; x++) {
				gboolean inside = x0 + x < width && y0 + y < height;
				gsize at = ((y0 + y) * width + x0 + x) * 3 + (gsize)c;
				tile[(gsize)c * n + y * side + x] = levels[inside ? pixels[at] : 0];
			}
	}
}

gboolean weft_tiling_apply(const WeftTiling *tiling, const WeftRaster *raster,
			   gboolean single_tile, WeftTiles *ret_tiles, GError **error)
{
	guint32 n_rows, n_cols, width, height;
	gsize side = tiling->side, n_values = 3 * side * side;

	if (!raster->width || !raster->height) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY, "picture of %u x %u pixels",
			    raster->width, raster->height);
		return FALSE;
	}
	weft_tiling_canvas(tiling, raster->width, raster->height, single_tile, &n_rows, &n_cols);
	weft_tiling_fit(tiling, raster->width, raster->height, n_rows, n_cols, &width, &height);
	gsize n_tiles = (gsize)n_rows * n_cols + (n_rows * n_cols > 1);
	g_autofree guint8 *fitted = g_try_malloc((gsize)width * height * 3);
	g_autofree guint8 *global = g_try_malloc(side * side * 3);
	g_autofree float *pixels = g_try_malloc(n_tiles * n_values * sizeof(float));

	if (!fitted || !global || !pixels ||
	    !weft_pixels_resize(raster->pixels, raster->width, raster->height, fitted, width,
				height) ||
	    (n_tiles > 1 && !weft_pixels_resize(raster->pixels, raster->width, raster->height,
						global, tiling->side, tiling->side))) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "no memory for %" G_GSIZE_FORMAT " tiles of %u x %u pixels", n_tiles,
			    tiling->side, tiling->side);
		return FALSE;
	}
	for (guint32 a = 0; a < n_rows; a++)
		for (guint32 b = 0; b < n_cols; b++)
			tile_from(tiling, fitted, width, height, b * tiling->side, a * tiling->side,
				  pixels + ((gsize)a * n_cols + b) * n_values);
	if (n_tiles > 1)
		tile_from(tiling, global, tiling->side, tiling->side, 0, 0,
			  pixels + (n_tiles - 1) * n_values);
	*ret_tiles = (WeftTiles){ n_tiles, side, n_rows, n_cols, g_steal_pointer(&pixels) };
	return TRUE;
}
