#include "bundle/quantize.h"

#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/gguf_metadata.h"
#include "bundle/gguf_set.h"
#include "bundle/gguf_writer.h"
#include "bundle/quantize_plan.h"
#include "kernels/blocks.h"

#define CONFIG_BYTES_MAX ((gsize)16 << 20)
#define SLICE_VALUES_MAX ((gsize)1 << 20)
#define SLICE_ROWS_MAX 256

struct WeftQuantizer {
	WeftBundle *bundle;
	char *folder, *target;
	WeftQuantizePlan plan;
	WeftGgufWriter *writer;
	gboolean has_begun; /* the header is written */
	guint64 done_bytes;
	guint i_piece, i_matrix; /* of the next slice */
	gsize row;
	float *values, *scratch; /* of one slice; of one column of it */
	guint8 *blocks;
};

gboolean weft_quantize_type(const char *name, WeftDtype *ret_dtype)
{
	static const WeftDtype types[] = {WEFT_DTYPE_Q8_0, WEFT_DTYPE_Q6_K, WEFT_DTYPE_Q4_K,
					  WEFT_DTYPE_Q4_0};
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (g_ascii_strcasecmp(name, weft_dtype_name(types[i])) == 0) {
			*ret_dtype = types[i];
			return TRUE;
		}
	}
	return FALSE;
}

/* ---- the header ---- */

/* Keeps a file of the folder in the metadata, where it is there. */
static gboolean keep_file(WeftQuantizer *quantizer, const char *name, const char *key,
			  GError **error)
{
	g_autofree char *path = g_build_filename(quantizer->folder, name, NULL);
	g_autofree char *text = NULL;
	gsize size_bytes;
	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	if (!weft_file_read(path, CONFIG_BYTES_MAX, &text, &size_bytes, error))
		return FALSE;
	weft_gguf_writer_text(quantizer->writer, key, text, size_bytes);
	return TRUE;
}

static gboolean add_metadata(WeftQuantizer *quantizer, const WeftQuantizeJob *job, GError **error)
{
	WeftQuantizePlan *plan = &quantizer->plan;
	if (job->is_vision) {
		weft_gguf_metadata_vision(quantizer->writer, quantizer->bundle);
		return keep_file(quantizer, "preprocessor_config.json", WEFT_GGUF_PREPROCESSOR_KEY,
				 error);
	}
	weft_gguf_metadata_text(quantizer->writer, quantizer->bundle, plan->architecture, job->dtype,
				plan->notes);
	return weft_gguf_metadata_vocabulary(quantizer->writer, quantizer->folder,
					     &weft_bundle_config(quantizer->bundle)->text,
					     plan->notes, error) &&
	       keep_file(quantizer, "config.json", WEFT_GGUF_CONFIG_KEY, error) &&
	       keep_file(quantizer, "generation_config.json", WEFT_GGUF_GENERATION_KEY, error);
}

static gsize slice_rows(const WeftMatrixSource *source)
{
	gsize fitting = SLICE_VALUES_MAX / source->n_cols;
	return CLAMP(fitting, 1, SLICE_ROWS_MAX);
}

/* Room for the largest slice of all. */
static void make_room(WeftQuantizer *quantizer)
{
	gsize n_values = 1;
	for (guint i = 0; i < quantizer->plan.pieces->len; i++) {
		const WeftQuantizePiece *piece = g_ptr_array_index(quantizer->plan.pieces, i);
		const WeftMatrixSource *source = &g_array_index(piece->matrices, WeftMatrixSource, 0);
		n_values = MAX(n_values, MIN(slice_rows(source), source->n_rows) * source->n_cols);
	}
	quantizer->values = g_new(float, n_values);
	quantizer->scratch = g_new(float, SLICE_ROWS_MAX);
	quantizer->blocks = g_malloc(n_values * sizeof(float)); /* no type is wider */
}

static gboolean plan_header(WeftQuantizer *quantizer, const WeftQuantizeJob *job, GError **error)
{
	quantizer->writer = weft_gguf_writer_new();
	if (!add_metadata(quantizer, job, error))
		return FALSE;
	for (guint i = 0; i < quantizer->plan.pieces->len; i++) {
		const WeftQuantizePiece *piece = g_ptr_array_index(quantizer->plan.pieces, i);
		weft_gguf_writer_tensor(quantizer->writer, piece->name, piece->dtype, piece->n_dims,
					piece->shape, piece->size_bytes);
	}
	return TRUE;
}

WeftQuantizer *weft_quantizer_open(const WeftQuantizeJob *job, GError **error)
{
	g_autoptr(WeftQuantizer) quantizer = g_new0(WeftQuantizer, 1);

	if (weft_gguf_set_is_at(job->folder)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%s: is GGUF already; a folder with config.json and safetensors is "
			    "needed", job->folder);
		return NULL;
	}
	quantizer->folder = g_strdup(job->folder);
	quantizer->target = g_strdup(job->target);
	quantizer->bundle = weft_bundle_open(job->folder, error);
	if (!quantizer->bundle)
		return NULL;
	if (!(job->is_vision ?
		      weft_quantize_plan_vision(&quantizer->plan, quantizer->bundle, error) :
		      weft_quantize_plan_text(&quantizer->plan, quantizer->bundle, job->dtype, error)) ||
	    !plan_header(quantizer, job, error))
		return NULL;
	make_room(quantizer);
	return g_steal_pointer(&quantizer);
}

void weft_quantizer_close(WeftQuantizer *quantizer)
{
	if (!quantizer)
		return;
	weft_gguf_writer_free(quantizer->writer);
	weft_quantize_plan_clear(&quantizer->plan);
	weft_bundle_close(quantizer->bundle);
	g_free(quantizer->values);
	g_free(quantizer->scratch);
	g_free(quantizer->blocks);
	g_free(quantizer->folder);
	g_free(quantizer->target);
	g_free(quantizer);
}

gboolean weft_quantizer_has_vision(const WeftQuantizer *quantizer)
{
	return weft_bundle_config(quantizer->bundle)->has_vision;
}

/* ---- the data ---- */

gboolean weft_quantizer_next(WeftQuantizer *quantizer, gboolean *ret_is_done, GError **error)
{
	const GPtrArray *pieces = quantizer->plan.pieces;
	*ret_is_done = quantizer->i_piece == pieces->len;
	if (!quantizer->has_begun) {
		quantizer->has_begun = TRUE;
		return weft_gguf_writer_begin(quantizer->writer, quantizer->target, error);
	}
	if (*ret_is_done)
		return weft_gguf_writer_publish(quantizer->writer, error);

	const WeftQuantizePiece *piece = g_ptr_array_index(pieces, quantizer->i_piece);
	const WeftMatrixSource *source =
		&g_array_index(piece->matrices, WeftMatrixSource, quantizer->i_matrix);
	gsize n_rows = MIN(slice_rows(source), source->n_rows - quantizer->row);
	gsize size_bytes = n_rows * weft_dtype_row_bytes(piece->dtype, source->n_cols);

	weft_matrix_source_rows(source, quantizer->row, n_rows, quantizer->values,
				quantizer->scratch);
	weft_blocks_narrow(quantizer->blocks, quantizer->values, piece->dtype,
			   n_rows * source->n_cols);
	if (!weft_gguf_writer_data(quantizer->writer, quantizer->blocks, size_bytes, error))
		return FALSE;
	quantizer->done_bytes += size_bytes;
	quantizer->row += n_rows;
	if (quantizer->row < source->n_rows)
		return TRUE;
	quantizer->row = 0;
	if (++quantizer->i_matrix == piece->matrices->len) {
		quantizer->i_matrix = 0;
		quantizer->i_piece++;
	}
	return TRUE;
}

guint64 weft_quantizer_done_bytes(const WeftQuantizer *quantizer)
{
	return quantizer->done_bytes;
}

guint64 weft_quantizer_size_bytes(const WeftQuantizer *quantizer)
{
	return weft_gguf_writer_size_bytes(quantizer->writer);
}

const GPtrArray *weft_quantizer_notes(const WeftQuantizer *quantizer)
{
	return quantizer->plan.notes;
}
