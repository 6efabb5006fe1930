#include "ingest/ocr.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include <tesseract/capi.h>

#include "ingest/ocr_ground.h"
#include "ingest/ocr_page.h"

#define DPI_SMALL 200.0 /* below, letters of 10 points are lower than the model was taught */
#define DPI_GOOD 300.0
#define SIDE_SMALL 1000u /* pictures without a resolution: shorter ones are doubled */
#define ENLARGED_MAX_PIXELS 40e6
#define PASSES 3u
#define WORDS_MAX 20000u
#define CONFIDENCE_MIN 0.2f  /* first pass: less is texture */
#define CONFIDENCE_REST 0.6f /* the others look where there may be no text at all */
#define CONTRAST_MIN 24      /* levels; the grain of paper reaches 12, a soft pencil 60 */
#define LANGUAGES_DEFAULT "eng"

typedef struct OcrState {
	TessBaseAPI *api;
} OcrState;

/* A grey picture: pixels[height][width]. */
typedef struct Grey {
	int width, height;
	guint8 *pixels;
	double factor; /* pixels of this for one of the raster */
} Grey;

static void ocr_close(void *opaque)
{
	OcrState *state = opaque;
	TessBaseAPIEnd(state->api);
	TessBaseAPIDelete(state->api);
	g_free(state);
}

static TessBaseAPI *open_api(const char *languages)
{
	TessBaseAPI *api = TessBaseAPICreate();
	(void)TessBaseAPISetVariable(api, "debug_file", "/dev/null");
	if (TessBaseAPIInit2(api, NULL, languages, OEM_LSTM_ONLY) == 0)
		return api;
	TessBaseAPIDelete(api);
	return NULL;
}

/* Names as Tesseract has them: "eng", "chi_sim", "script/Latin", joined by "+". */
static gboolean is_language_list(const char *languages)
{
	if (strlen(languages) > 200 || languages[0] == '/' || strstr(languages, ".."))
		return FALSE;
	for (const char *c = languages; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("_+/-", *c))
			return FALSE;
	return languages[0] != '\0';
}

static gboolean ocr_open(const char *languages, void **ret_state, GError **error)
{
	if (!languages || !*languages)
		languages = LANGUAGES_DEFAULT;
	TessBaseAPI *api = is_language_list(languages) ? open_api(languages) : NULL;
	if (!api) {
		g_autofree char *version = weft_ocr_version();
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER,
		            "Tesseract has no data for \"%s\" (%s)", languages, version);
		return FALSE;
	}
	OcrState *state = g_new0(OcrState, 1);
	state->api = api;
	*ret_state = state;
	return TRUE;
}

char *weft_ocr_version(void)
{
	GString *line = g_string_new("tesseract ");
	g_string_append(line, TessVersion());
	TessBaseAPI *api = open_api(LANGUAGES_DEFAULT);
	char **names = api ? TessBaseAPIGetAvailableLanguagesAsVector(api) : NULL;
	for (guint i = 0; names && names[i]; i++) {
		struct stat facts;
		g_autofree char *path =
		    g_strdup_printf("%s/%s.traineddata", TessBaseAPIGetDatapath(api), names[i]);
		if (stat(path, &facts) == 0)
			g_string_append_printf(line, " %s:%" G_GINT64_FORMAT, names[i],
			                       (gint64)facts.st_size);
	}
	if (names)
		TessDeleteTextArray(names);
	if (api)
		TessBaseAPIDelete(api);
	return g_string_free(line, FALSE);
}

/* 0: not known. Below 64 it is a picture that was decoded smaller, whose unit is its own pixel. */
static double dpi_of(const WeftRaster *raster)
{
	double dpi = raster->points_per_pixel > 0 ? 72 / raster->points_per_pixel : 0;
	return dpi >= 64 ? dpi : 0;
}

static double enlargement(const WeftRaster *raster)
{
	double dpi = dpi_of(raster), factor = 1;
	if (dpi > 0 && dpi < DPI_SMALL)
		factor = MIN(DPI_GOOD / dpi, 4);
	else if (dpi <= 0 && MAX(raster->width, raster->height) < SIDE_SMALL)
		factor = 2;
	double pixels = (double)raster->width * raster->height;
	return MAX(1, MIN(factor, sqrt(ENLARGED_MAX_PIXELS / pixels)));
}

static guint8 grey_at(const WeftRaster *raster, guint32 x, guint32 y)
{
	const guint8 *p = raster->pixels + ((gsize)y * raster->width + x) * 3;
	return (guint8)((p[0] * 77u + p[1] * 150u + p[2] * 29u + 128) >> 8); /* Rec. 601 */
}

/* Between the four nearest pixels. */
static guint8 grey_between(const WeftRaster *raster, double x, double y)
{
	x = CLAMP(x, 0, raster->width - 1);
	y = CLAMP(y, 0, raster->height - 1);
	guint32 x0 = (guint32)x, y0 = (guint32)y;
	guint32 x1 = MIN(x0 + 1, raster->width - 1), y1 = MIN(y0 + 1, raster->height - 1);
	double fx = x - x0, fy = y - y0;
	double above = grey_at(raster, x0, y0) * (1 - fx) + grey_at(raster, x1, y0) * fx;
	double below = grey_at(raster, x0, y1) * (1 - fx) + grey_at(raster, x1, y1) * fx;
	return (guint8)(above * (1 - fy) + below * fy + 0.5);
}

static gboolean grey_of(const WeftRaster *raster, Grey *ret_grey, GError **error)
{
	double factor = enlargement(raster);
	Grey grey = {(int)(raster->width * factor), (int)(raster->height * factor), NULL, factor};
	grey.pixels = g_try_malloc((gsize)grey.width * (gsize)grey.height);
	if (!grey.pixels) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory for %d x %d pixels",
		            grey.width, grey.height);
		return FALSE;
	}
	guint8 *to = grey.pixels;
	for (int y = 0; y < grey.height; y++)
		for (int x = 0; x < grey.width; x++)
			*to++ = factor > 1 ? grey_between(raster, (x + 0.5) / factor - 0.5,
			                                  (y + 0.5) / factor - 0.5)
			                   : grey_at(raster, (guint32)x, (guint32)y);
	*ret_grey = grey;
	return TRUE;
}

/* Is there anything but ground and its noise? Without this, the grain of a scanned empty sheet is
 * taken for letters. */
static gboolean has_contrast(const Grey *grey)
{
	guint counts[256] = {0};
	gsize n = (gsize)grey->width * (gsize)grey->height, few = n / 10000, below = 0, above = 0;
	int dark = 0, middle = 0, light = 255;
	for (gsize i = 0; i < n; i++)
		counts[grey->pixels[i]]++;
	while (dark < 255 && (below += counts[dark]) <= few)
		dark++;
	while (light > 0 && (above += counts[light]) <= few)
		light--;
	for (gsize sum = counts[0]; sum <= n / 2 && middle < 255;)
		sum += counts[++middle];
	return MAX(middle - dark, light - middle) >= CONTRAST_MIN;
}

/* With a little around it, where boxes are too narrow. */
static void wipe(Grey *grey, const int box[4])
{
	int more = MAX(box[3] - box[1], 0) / 8;
	int x0 = CLAMP(box[0] - more, 0, grey->width), x1 = CLAMP(box[2] + more, x0, grey->width);
	for (int y = MAX(box[1] - more, 0); y < MIN(box[3] + more, grey->height); y++)
		memset(grey->pixels + (gsize)y * (gsize)grey->width + x0, 255, (gsize)(x1 - x0));
}

static gboolean has_letter(const char *text)
{
	for (const char *c = text; *c; c = g_utf8_next_char(c))
		if (g_unichar_isalnum(g_utf8_get_char(c)))
			return TRUE;
	return FALSE;
}

/* In the first pass signs are words, too; in the others a line may be taken for a dash. */
static gboolean is_word(const char *text, float confidence, gboolean is_first)
{
	if (!text || !g_utf8_validate(text, -1, NULL) || !text[strspn(text, " \t\r\n")])
		return FALSE;
	return is_first ? confidence >= CONFIDENCE_MIN
	                : confidence >= CONFIDENCE_REST && has_letter(text);
}

/* One pass; words that are taken are noted in `boxes` (four ints each). */
static WeftOcrPage *recognise(TessBaseAPI *api, const Grey *grey, double dpi, guint pass,
                              GArray *boxes)
{
	static const TessPageSegMode passes[PASSES] = {PSM_AUTO, PSM_SINGLE_BLOCK, PSM_SPARSE_TEXT};
	WeftOcrPage *page = weft_ocr_page_new();
	TessBaseAPISetPageSegMode(api, passes[pass]);
	TessBaseAPISetImage(api, grey->pixels, grey->width, grey->height, 1, grey->width);
	TessBaseAPISetSourceResolution(api, (int)(dpi > 0 ? dpi : DPI_GOOD / 2));
	TessResultIterator *results =
	    TessBaseAPIRecognize(api, NULL) == 0 ? TessBaseAPIGetIterator(api) : NULL;
	TessPageIterator *place = results ? TessResultIteratorGetPageIterator(results) : NULL;
	gboolean block = TRUE, line = TRUE;
	for (guint n = 0; results && n < WORDS_MAX; n++) {
		block |= TessPageIteratorIsAtBeginningOf(place, RIL_BLOCK);
		line |= TessPageIteratorIsAtBeginningOf(place, RIL_TEXTLINE);
		char *text = TessResultIteratorGetUTF8Text(results, RIL_WORD);
		float confidence = TessResultIteratorConfidence(results, RIL_WORD) / 100;
		int box[4];
		if (is_word(text, confidence, pass == 0) &&
		    TessPageIteratorBoundingBox(place, RIL_WORD, &box[0], &box[1], &box[2],
		                                &box[3])) {
			double there[4];
			for (guint i = 0; i < 4; i++)
				there[i] = box[i] / grey->factor;
			weft_ocr_page_add(page, block, line, text, there, CLAMP(confidence, 0, 1));
			g_array_append_vals(boxes, box, 4);
			block = line = FALSE;
		}
		TessDeleteText(text);
		if (!TessResultIteratorNext(results, RIL_WORD))
			break;
	}
	if (results)
		TessResultIteratorDelete(results);
	TessBaseAPIClear(api);
	TessBaseAPIClearAdaptiveClassifier(api); /* nothing is learned from one page for the next */
	return page;
}

static gboolean ocr_read(void *opaque, const WeftRaster *raster, WeftAnchor at,
                         GPtrArray **ret_contents, GError **error)
{
	OcrState *state = opaque;
	Grey grey;
	if (!grey_of(raster, &grey, error))
		return FALSE;
	double dpi = dpi_of(raster) * grey.factor;
	if (!has_contrast(&grey)) {
		g_free(grey.pixels);
		*ret_contents = g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);
		return TRUE;
	}
	weft_ocr_even_ground(grey.pixels, (guint32)grey.width, (guint32)grey.height);
	g_autoptr(GArray) boxes = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(WeftOcrPage) page = recognise(state->api, &grey, dpi, 0, boxes);
	for (guint pass = 1; pass < PASSES; pass++) {
		for (guint i = 0; i + 3 < boxes->len; i += 4)
			wipe(&grey, &g_array_index(boxes, int, i));
		weft_ocr_page_merge(page, recognise(state->api, &grey, dpi, pass, boxes));
	}
	g_free(grey.pixels);
	double unit = raster->points_per_pixel > 0 ? raster->points_per_pixel : 1;
	*ret_contents = weft_ocr_page_contents(page, unit, &at);
	return TRUE;
}

const WeftPictureReader weft_ocr_reader = {
    .open = ocr_open,
    .read = ocr_read,
    .close = ocr_close,
};
