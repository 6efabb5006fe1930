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
#define SHADOW_SHARE 5       /* of a word's contrast: JPEG leaves up to a fifth of it around letters */
#define SHADOW_PIXELS 32     /* its blocks have 8 pixels, a page of 75 dpi is four times enlarged */
#define INK_MIN_PIXELS 64u   /* a full stop of 10 points at 300 dpi has 25, the figure 1 has 180 */
#define LETTER_MIN_PIXELS 8  /* lower ones are dirt: nobody reads letters of 2 points */
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
		            "Tesseract has no data for \"%s\" (%s); Debian has that of each language as "
		            "tesseract-ocr-LANGUAGE",
		            languages, version);
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

/* Of pixels: the darkest, the middle one, and the lightest, but for a few (one in `part`). */
typedef struct Levels {
	int dark, middle, light;
} Levels;

static Levels levels_in(const guint counts[256], gsize n, gsize part)
{
	gsize few = n / part, below = 0, above = 0;
	Levels levels = {.light = 255};
	while (levels.dark < 255 && (below += counts[levels.dark]) <= few)
		levels.dark++;
	while (levels.light > 0 && (above += counts[levels.light]) <= few)
		levels.light--;
	for (gsize sum = counts[0]; sum <= n / 2 && levels.middle < 255;)
		sum += counts[++levels.middle];
	return levels;
}

static Levels levels_of(const Grey *grey)
{
	guint counts[256] = {0};
	gsize n = (gsize)grey->width * (gsize)grey->height;
	for (gsize i = 0; i < n; i++)
		counts[grey->pixels[i]]++;
	return levels_in(counts, n, 10000);
}

/* Is there anything but ground and its noise? Without this, the grain of a scanned empty sheet is
 * taken for letters. */
static gboolean has_contrast(const Grey *grey)
{
	Levels levels = levels_of(grey);
	return MAX(levels.middle - levels.dark, levels.light - levels.middle) >= CONTRAST_MIN;
}

/* The box with `more` pixels around it, as far as the picture goes. */
static void around(const Grey *grey, const int box[4], int more, int ret_area[4])
{
	ret_area[0] = CLAMP(box[0] - more, 0, grey->width);
	ret_area[1] = CLAMP(box[1] - more, 0, grey->height);
	ret_area[2] = CLAMP(box[2] + more, ret_area[0], grey->width);
	ret_area[3] = CLAMP(box[3] + more, ret_area[1], grey->height);
}

static guint8 *row_of(const Grey *grey, int y)
{
	return grey->pixels + (gsize)y * (gsize)grey->width;
}

/* The level above which a pixel beside the word is paper, or what JPEG left on it. */
static int shadow_of(const Grey *grey, const int area[4])
{
	guint counts[256] = {0};
	for (int y = area[1]; y < area[3]; y++)
		for (int x = area[0]; x < area[2]; x++)
			counts[row_of(grey, y)[x]]++;
	Levels levels = levels_in(counts, (gsize)(area[2] - area[0]) * (gsize)(area[3] - area[1]), 50);
	return levels.light - (levels.light - levels.dark) / SHADOW_SHARE;
}

/* With a little around it, where boxes are too narrow. */
static void wipe(Grey *grey, const int box[4])
{
	int area[4];
	around(grey, box, MAX(box[3] - box[1], 0) / 8, area);
	for (int y = area[1]; y < area[3]; y++)
		memset(row_of(grey, y) + area[0], 255, (gsize)(area[2] - area[0]));
}

/* A word and what JPEG left around it, which would be read once the letters are gone. */
static void wipe_with_shadow(Grey *grey, const int box[4])
{
	int height = MAX(box[3] - box[1], 0), area[4];
	around(grey, box, height / 8, area);
	int shadow = shadow_of(grey, area);
	wipe(grey, box);
	around(grey, box, MIN(height, SHADOW_PIXELS), area);
	for (int y = area[1]; y < area[3]; y++)
		for (int x = area[0]; x < area[2]; x++)
			if (row_of(grey, y)[x] > shadow)
				row_of(grey, y)[x] = 255;
}

/* Is the ground the lightest there is? Not where paper lies on a table: of a photograph it can't be
 * told what is paper and what is shadow. */
static gboolean is_page(const Levels *levels)
{
	return levels->light - levels->middle < CONTRAST_MIN;
}

static gboolean has_ink(const Grey *grey, const Levels *levels)
{
	gsize n = (gsize)grey->width * (gsize)grey->height, n_ink = 0;
	for (gsize i = 0; i < n; i++)
		n_ink += grey->pixels[i] <= levels->middle - CONTRAST_MIN;
	return n_ink >= INK_MIN_PIXELS;
}

/* Takes away what was read. FALSE: a page on which nothing is left. */
static gboolean wipe_words(Grey *grey, const GArray *boxes, const Levels *levels)
{
	for (guint i = 0; i + 3 < boxes->len; i += 4) {
		const int *box = &g_array_index(boxes, int, i);
		if (is_page(levels))
			wipe_with_shadow(grey, box);
		else
			wipe(grey, box);
	}
	return !is_page(levels) || has_ink(grey, levels);
}

static gboolean has_letter(const char *text)
{
	for (const char *c = text; *c; c = g_utf8_next_char(c))
		if (g_unichar_isalnum(g_utf8_get_char(c)))
			return TRUE;
	return FALSE;
}

/* In the first pass signs are words, too; in the others a line may be taken for a dash, and what
 * is left of a wiped letter for a small one. */
static gboolean is_word(const char *text, float confidence, const int box[4], gboolean is_first)
{
	if (!text || !g_utf8_validate(text, -1, NULL) || !text[strspn(text, " \t\r\n")])
		return FALSE;
	return is_first ? confidence >= CONFIDENCE_MIN
	                : confidence >= CONFIDENCE_REST && has_letter(text) &&
	                      box[3] - box[1] >= LETTER_MIN_PIXELS;
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
		if (TessPageIteratorBoundingBox(place, RIL_WORD, &box[0], &box[1], &box[2],
		                                &box[3]) &&
		    is_word(text, confidence, box, pass == 0)) {
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
	Levels levels = levels_of(&grey);
	g_autoptr(GArray) boxes = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(WeftOcrPage) page = recognise(state->api, &grey, dpi, 0, boxes);
	for (guint pass = 1; pass < PASSES; pass++) {
		if (!wipe_words(&grey, boxes, &levels))
			break;
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
