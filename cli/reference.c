#include "cli/reference.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

#define FILE_BYTES_MAX ((gsize)64 << 20)
#define PROMPTS_MAX 64
#define IDS_MAX 8192
#define ROWS_MAX 16
#define LOGITS_BYTES_MAX ((gsize)4 << 30)
#define TOP_MAX 1024
#define PICTURE_SIDE_MAX 1024
/* Of the difference. Reference in f32, weights as they are: sums in another order. In bf16 every
 * step of the reference rounds to 8 bits. Weights in blocks are others than the reference's. */
#define TOLERANCE_F32 1e-3
#define TOLERANCE_BF16 5e-2
#define TOLERANCE_BLOCKS 0.3

typedef struct Side {
	WeftBundle *bundle;
	WeftModel *model;
	const WeftEncoders *encoders;
} Side;

void weft_comparison_free(WeftComparison *comparison)
{
	if (!comparison)
		return;
	g_free(comparison->made_by);
	g_free(comparison->dtype);
	if (comparison->lines)
		g_ptr_array_unref(comparison->lines);
	g_free(comparison);
}

static gboolean refuse(const char *what, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		    "%s is not as reference_logits.py writes it", what);
	return FALSE;
}

/* The picture of both sides: red 5 x, green 7 y, blue 3 (x + y), modulo 256. */
static WeftRaster make_picture(guint32 width, guint32 height)
{
	WeftRaster raster = {.width = width, .height = height,
			     .pixels = g_malloc((gsize)width * height * 3)};
	guint8 *at = raster.pixels;
	for (guint32 y = 0; y < height; y++)
		for (guint32 x = 0; x < width; x++) {
			*at++ = (guint8)(x * 5);
			*at++ = (guint8)(y * 7);
			*at++ = (guint8)((x + y) * 3);
		}
	return raster;
}

/* ids [first, end) of the prompt, which are no negative numbers. */
static gboolean add_ids(WeftSequence *sequence, const WeftJson *ids, gsize first, gsize end,
			GError **error)
{
	for (gsize i = first; i < end; i++) {
		guint64 id;
		if (!weft_json_uint(weft_json_at(ids, i), &id) || id > G_MAXINT32)
			return refuse("/prompts/ids", error);
		weft_sequence_add_id(sequence, (gint32)id);
	}
	return TRUE;
}

static gboolean add_picture(const Side *side, WeftSequence *sequence, const WeftJson *prompt,
			    gsize n_expected, GError **error)
{
	const WeftJson *size = weft_json_member(prompt, "picture");
	guint64 width, height;
	gsize before = weft_sequence_length(sequence);

	if (!weft_json_uint(weft_json_at(size, 0), &width) || width < 1 || width > PICTURE_SIDE_MAX ||
	    !weft_json_uint(weft_json_at(size, 1), &height) || height < 1 ||
	    height > PICTURE_SIDE_MAX)
		return refuse("/prompts/picture", error);
	WeftRaster raster = make_picture((guint32)width, (guint32)height);
	gboolean is_added = weft_encoders_add_image(side->encoders, sequence, &raster, FALSE, NULL, error);
	g_free(raster.pixels);
	if (is_added && weft_sequence_length(sequence) - before != n_expected) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
			    "the picture takes %zu tokens here, %zu in the reference: another image "
			    "processor?", weft_sequence_length(sequence) - before, n_expected);
		return FALSE;
	}
	return is_added;
}

/* NULL with *ret_left_out: it has a picture, and the bundle does not see. */
static WeftSequence *sequence_of(const Side *side, const WeftJson *prompt, gboolean *ret_left_out,
				 GError **error)
{
	const WeftJson *ids = weft_json_member(prompt, "ids");
	gsize n = weft_json_length(ids);
	guint64 first = 0, end = 0;
	gboolean has_picture = weft_json_member(prompt, "picture") != NULL;
	g_autoptr(WeftSequence) sequence = weft_sequence_new(weft_model_width(side->model));

	*ret_left_out = FALSE;
	if (n < 1 || n > IDS_MAX) {
		(void)refuse("/prompts/ids", error);
		return NULL;
	}
	if (has_picture && (!weft_json_uint(weft_json_member(prompt, "image_first"), &first) ||
			    !weft_json_uint(weft_json_member(prompt, "image_end"), &end) ||
			    first > end || end > n)) {
		(void)refuse("/prompts/image_first", error);
		return NULL;
	}
	if (has_picture && !weft_encoders_can_see(side->encoders)) {
		*ret_left_out = TRUE;
		return NULL;
	}
	if (!add_ids(sequence, ids, 0, has_picture ? first : n, error) ||
	    (has_picture && (!add_picture(side, sequence, prompt, end - first, error) ||
			     !add_ids(sequence, ids, end, n, error))))
		return NULL;
	return g_steal_pointer(&sequence);
}

/* TRUE when the bundle's tokenizer gives the reference's ids, or the prompt is no plain text. */
static gboolean has_same_ids(const Side *side, const WeftJson *prompt)
{
	gsize size_bytes = 0;
	const char *text = weft_json_string(weft_json_member(prompt, "text"), &size_bytes);
	const WeftTokenizer *tokenizer = weft_bundle_tokenizer(side->bundle);
	const WeftJson *ids = weft_json_member(prompt, "ids");

	if (!text || !tokenizer)
		return TRUE;
	g_autoptr(GArray) ours = g_array_new(FALSE, FALSE, sizeof(gint32));
	weft_template_begin(weft_bundle_template(side->bundle), ours);
	weft_tokenizer_encode(tokenizer, text, size_bytes, FALSE, ours);
	gboolean is_same = ours->len == weft_json_length(ids);
	for (guint i = 0; is_same && i < ours->len; i++) {
		guint64 id = 0;
		is_same = weft_json_uint(weft_json_at(ids, i), &id) &&
			  id == (guint64)g_array_index(ours, gint32, i);
	}
	return is_same;
}

typedef struct RowResult {
	double difference, divergence;
	gboolean is_same;
} RowResult;

/* log of the sum of exponentials. */
static double log_sum(const double *values, gsize n)
{
	double sum = 0;
	for (gsize i = 0; i < n; i++)
		sum += exp(values[i] - values[0]);
	return values[0] + log(sum);
}

/* One position: the reference's largest logits, largest first, beside ours. */
static gboolean compare_row(const WeftJson *row, const float *ours, gsize n_vocab, double tolerance,
			    RowResult *ret_result, GError **error)
{
	const WeftJson *top = weft_json_member(row, "top");
	gsize n = weft_json_length(top), best = 0, best_rank = G_MAXSIZE;
	double max_abs = 0, theirs[TOP_MAX], mine[TOP_MAX];
	RowResult result = {0};

	if (n < 1 || n > TOP_MAX || !weft_json_double(weft_json_member(row, "max_abs"), &max_abs) ||
	    !(max_abs > 0))
		return refuse("/prompts/rows", error);
	for (gsize i = 0; i < n_vocab; i++) {
		if (!isfinite(ours[i])) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
				    "logit %zu is not finite: damaged weights?", i);
			return FALSE;
		}
		best = ours[i] > ours[best] ? i : best;
	}
	for (gsize i = 0; i < n; i++) {
		guint64 id;
		if (!weft_json_uint(weft_json_at(weft_json_at(top, i), 0), &id) ||
		    !weft_json_double(weft_json_at(weft_json_at(top, i), 1), &theirs[i]))
			return refuse("/prompts/rows/top", error);
		if (id >= n_vocab) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
				    "/prompts/rows/top has token %" G_GUINT64_FORMAT ", but the model has "
				    "%zu: a reference of another model?", id, n_vocab);
			return FALSE;
		}
		mine[i] = (double)ours[id];
		result.difference = MAX(result.difference, fabs(mine[i] - theirs[i]) / max_abs);
		if (id == best)
			best_rank = i;
	}
	/* As likely as the reference's own, when the tolerance can't tell them apart. */
	result.is_same = best_rank == 0 || (best_rank < n && theirs[0] - theirs[best_rank] <=
								     2 * tolerance * max_abs);
	double their_sum = log_sum(theirs, n), my_sum = log_sum(mine, n);
	for (gsize i = 0; i < n; i++)
		result.divergence += exp(theirs[i] - their_sum) *
				     ((theirs[i] - their_sum) - (mine[i] - my_sum));
	*ret_result = result;
	return TRUE;
}

static gboolean compare_prompt(const Side *side, const WeftJson *prompt, WeftComparison *sum,
			       GError **error)
{
	const char *name = weft_json_string(weft_json_member(prompt, "name"), NULL);
	const WeftJson *rows = weft_json_member(prompt, "rows");
	gsize n_rows = weft_json_length(rows), n_vocab = weft_model_vocab(side->model);
	gboolean left_out;
	double difference = 0;
	g_autoptr(WeftSequence) sequence = sequence_of(side, prompt, &left_out, error);

	if (left_out)
		return TRUE;
	if (!sequence)
		return FALSE;
	gsize n = weft_sequence_length(sequence);
	if (!name || n_rows < 1 || n_rows > MIN(n, ROWS_MAX))
		return refuse("/prompts/rows", error);
	g_autofree float *logits = weft_alloc_array(n_vocab * n, sizeof(float), LOGITS_BYTES_MAX,
						    "logits of a prompt", error);
	if (!logits || !weft_model_logits(side->model, sequence, NULL, FALSE, TRUE, logits, error))
		return FALSE;
	guint n_same = 0;
	for (gsize i = 0; i < n_rows; i++) {
		RowResult result;
		if (!compare_row(weft_json_at(rows, i), logits + (n - 1 - i) * n_vocab, n_vocab,
				 sum->tolerance, &result, error))
			return FALSE;
		difference = MAX(difference, result.difference);
		sum->divergence = MAX(sum->divergence, result.divergence);
		n_same += result.is_same;
	}
	gboolean has_ids = has_same_ids(side, prompt);
	sum->n_prompts++;
	sum->n_rows += (guint)n_rows;
	sum->n_same += n_same;
	sum->n_ids_wrong += !has_ids;
	sum->difference = MAX(sum->difference, difference);
	g_autofree char *shown = g_strescape(name, NULL);
	g_ptr_array_add(sum->lines, g_strdup_printf("%s: %zu tokens%s, likeliest token the same at %u "
						    "of %zu positions, difference %.2g",
						    shown, n, has_ids ? "" : " (ENCODED OTHERWISE HERE)",
						    n_same, n_rows, difference));
	return TRUE;
}

/* Blocks where most of the weights' bytes are in them. */
static double tolerance_of(const WeftBundle *bundle, const char *dtype)
{
	guint64 blocks = 0, all = 0;
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(bundle, i);
		blocks += view->dtype >= WEFT_DTYPE_HALVES_END ? view->size_bytes : 0;
		all += view->size_bytes;
	}
	if (blocks > all / 2)
		return TOLERANCE_BLOCKS;
	return g_str_equal(dtype, "float32") ? TOLERANCE_F32 : TOLERANCE_BF16;
}

static gboolean compare_all(const Side *side, const WeftJson *root, WeftComparison *sum,
			    GError **error)
{
	const WeftJson *prompts = weft_json_member(root, "prompts");
	const char *made_by = weft_json_string(weft_json_member(root, "made_by"), NULL);
	const char *dtype = weft_json_string(weft_json_member(root, "dtype"), NULL);
	guint64 version;

	if (!weft_json_uint(weft_json_member(root, "weft_reference"), &version) || version != 1)
		return refuse("/weft_reference", error);
	if (!made_by || !dtype || weft_json_length(prompts) < 1 ||
	    weft_json_length(prompts) > PROMPTS_MAX)
		return refuse("/prompts", error);
	sum->made_by = g_strescape(made_by, NULL);
	sum->dtype = g_strescape(dtype, NULL);
	sum->tolerance = tolerance_of(side->bundle, dtype);
	for (gsize i = 0; i < weft_json_length(prompts); i++)
		if (!compare_prompt(side, weft_json_at(prompts, i), sum, error))
			return FALSE;
	sum->agrees = sum->n_prompts > 0 && sum->n_ids_wrong == 0 && sum->n_same == sum->n_rows &&
		      sum->difference <= sum->tolerance;
	return TRUE;
}

WeftComparison *weft_reference_compare(const char *path, WeftBundle *bundle, WeftModel *model,
				       const WeftEncoders *encoders, GError **error)
{
	const Side side = {bundle, model, encoders};
	g_autoptr(WeftComparison) sum = g_new0(WeftComparison, 1);
	g_autofree char *text = NULL;
	g_autoptr(WeftJson) root = NULL;
	gsize size_bytes;

	sum->lines = g_ptr_array_new_with_free_func(g_free);
	if (!weft_file_read(path, FILE_BYTES_MAX, &text, &size_bytes, error))
		return NULL;
	root = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, error);
	if (!root || !compare_all(&side, root, sum, error)) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}
	return g_steal_pointer(&sum);
}
