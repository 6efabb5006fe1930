#include "cli/reliability_svg.h"

#define WIDTH 460
#define LEFT 64
#define TOP 62
#define SIDE 360 /* of the plot */
#define COUNTS_TOP (TOP + SIDE + 48)
#define COUNTS_HEIGHT 60
#define HEIGHT (COUNTS_TOP + COUNTS_HEIGHT + 42)
#define BIN_WIDTH (SIDE / WEFT_CALIBRATION_BINS)

#define BAR "#86b7de"
#define BAR_EDGE "#1b5294"
#define CURVE "#b3400e"
#define GREY "#5c6670"

/* SVG wants a point, whatever the locale has. */
static const char *number(char *to, double value)
{
	return g_ascii_formatd(to, G_ASCII_DTOSTR_BUF_SIZE, "%.2f", value);
}

static double x_of(double confidence)
{
	return LEFT + confidence * SIDE;
}

static double y_of(double share)
{
	return TOP + (1 - share) * SIDE;
}

static void add_line(GString *svg, double x1, double y1, double x2, double y2, const char *style)
{
	char text[4][G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append_printf(svg, "<path d=\"M%s %sL%s %s\" fill=\"none\" %s/>\n", number(text[0], x1),
			       number(text[1], y1), number(text[2], x2), number(text[3], y2), style);
}

static void add_text(GString *svg, double x, double y, const char *anchor, const char *format, ...)
	G_GNUC_PRINTF(5, 6);
static void add_text(GString *svg, double x, double y, const char *anchor, const char *format, ...)
{
	char text[2][G_ASCII_DTOSTR_BUF_SIZE];
	va_list arguments;

	g_string_append_printf(svg, "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\">", number(text[0], x),
			       number(text[1], y), anchor);
	va_start(arguments, format);
	g_string_append_vprintf(svg, format, arguments);
	va_end(arguments);
	g_string_append(svg, "</text>\n");
}

static void add_axes(GString *svg)
{
	for (int i = 0; i <= 5; i++) {
		double at = i / 5.0;

		add_line(svg, LEFT, y_of(at), LEFT + SIDE, y_of(at), "stroke=\"#e4e8ec\"");
		add_text(svg, LEFT - 8, y_of(at) + 4, "end", "%d.%d", i / 5, i * 2 % 10);
		add_text(svg, x_of(at), TOP + SIDE + 16, "middle", "%d.%d", i / 5, i * 2 % 10);
	}
	add_line(svg, LEFT, TOP, LEFT, TOP + SIDE, "stroke=\"" GREY "\"");
	add_line(svg, LEFT, TOP + SIDE, LEFT + SIDE, TOP + SIDE, "stroke=\"" GREY "\"");
	add_text(svg, LEFT + SIDE / 2.0, TOP + SIDE + 33, "middle", "confidence of the model");
	g_string_append_printf(svg, "<text transform=\"translate(18 %d) rotate(-90)\" "
			       "text-anchor=\"middle\">share of right values</text>\n",
			       TOP + SIDE / 2);
}

static void add_bars(GString *svg, const WeftReliability *reliability)
{
	guint64 most = 1;

	for (guint i = 0; i < WEFT_CALIBRATION_BINS; i++)
		most = MAX(most, reliability->bins[i].n);
	for (guint i = 0; i < WEFT_CALIBRATION_BINS; i++) {
		const WeftReliabilityBin *bin = &reliability->bins[i];
		double share = bin->n > 0 ? (double)bin->n_right / (double)bin->n : 0;
		double part = (double)bin->n / (double)most * COUNTS_HEIGHT;
		char text[4][G_ASCII_DTOSTR_BUF_SIZE];

		if (bin->n == 0)
			continue;
		g_string_append_printf(svg,
				       "<rect x=\"%u\" y=\"%s\" width=\"%d\" height=\"%s\" fill=\"" BAR
				       "\" stroke=\"" BAR_EDGE "\"/>\n",
				       LEFT + i * BIN_WIDTH + 2, number(text[0], y_of(share)),
				       BIN_WIDTH - 4, number(text[1], share * SIDE));
		g_string_append_printf(svg,
				       "<rect x=\"%u\" y=\"%s\" width=\"%d\" height=\"%s\" fill=\"#c3ccd4\"/>\n",
				       LEFT + i * BIN_WIDTH + 2,
				       number(text[2], COUNTS_TOP + COUNTS_HEIGHT - part), BIN_WIDTH - 4,
				       number(text[3], part));
		add_text(svg, LEFT + (i + 0.5) * BIN_WIDTH, COUNTS_TOP + COUNTS_HEIGHT + 14, "middle",
			 "%" G_GUINT64_FORMAT, bin->n);
	}
}

/* Beyond its ends the calibration goes on level. */
static void add_curve(GString *svg, const WeftCalibration *calibration)
{
	const GArray *points = weft_calibration_points(calibration);
	char text[2][G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append(svg, "<path fill=\"none\" stroke=\"" CURVE "\" stroke-width=\"2.5\" "
			"stroke-linejoin=\"round\" d=\"");
	g_string_append_printf(svg, "M%d %s", LEFT,
			       number(text[0], y_of(g_array_index(points, WeftCalibrationPoint, 0).share)));
	for (guint i = 0; i < points->len; i++) {
		const WeftCalibrationPoint *point = &g_array_index(points, WeftCalibrationPoint, i);

		g_string_append_printf(svg, "L%s %s", number(text[0], x_of(point->confidence)),
				       number(text[1], y_of(point->share)));
	}
	g_string_append_printf(svg, "L%d %s\"/>\n", LEFT + SIDE, text[1]);
	add_line(svg, LEFT + 204, TOP - 14, LEFT + 228, TOP - 14,
		 "stroke=\"" CURVE "\" stroke-width=\"2.5\"");
	add_text(svg, LEFT + 234, TOP - 10, "start", "calibration");
}

char *weft_reliability_svg(const WeftReliability *reliability, const WeftCalibration *calibration)
{
	GString *svg = g_string_new(NULL);
	char ece[G_ASCII_DTOSTR_BUF_SIZE], brier[G_ASCII_DTOSTR_BUF_SIZE];

	g_ascii_formatd(ece, sizeof ece, "%.3f", reliability->ece);
	g_ascii_formatd(brier, sizeof brier, "%.3f", reliability->brier);
	g_string_append_printf(svg,
			       "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
			       "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" "
			       "fill=\"#22282e\">\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
			       WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
	g_string_append_printf(svg, "<text x=\"%d\" y=\"24\" font-size=\"15\">%" G_GUINT64_FORMAT
			       " values looked at: ECE %s, Brier %s</text>\n", LEFT, reliability->n, ece,
			       brier);
	add_axes(svg);
	add_bars(svg, reliability);
	add_line(svg, LEFT, TOP + SIDE, LEFT + SIDE, TOP, "stroke=\"" GREY "\" stroke-dasharray=\"5 4\"");
	add_line(svg, LEFT, TOP - 14, LEFT + 24, TOP - 14, "stroke=\"" GREY "\" stroke-dasharray=\"5 4\"");
	add_text(svg, LEFT + 30, TOP - 10, "start", "as sure as right");
	if (calibration)
		add_curve(svg, calibration);
	add_text(svg, LEFT + SIDE / 2.0, COUNTS_TOP + COUNTS_HEIGHT + 32, "middle", "values in each bin");
	g_string_append(svg, "</svg>\n");
	return g_string_free(svg, FALSE);
}
