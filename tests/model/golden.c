#include "golden.h"

#include "base/files.h"
#include "base/json.h"

Golden *golden_open(const char *name, const char *tier, int n_threads)
{
	g_autofree char *path = g_build_filename(TEST_GOLDEN, name, NULL);
	return golden_open_folder(path, tier, n_threads);
}

Golden *golden_open_folder(const char *path, const char *tier, int n_threads)
{
	GError *error = NULL;
	Golden *golden = g_new0(Golden, 1);
	golden->bundle = weft_bundle_open(path, &error);
	g_assert_no_error(error);
	golden->kernels = weft_kernels_open(tier, n_threads, &error);
	g_assert_no_error(error);
	golden->model = weft_model_open(golden->bundle, golden->kernels, NULL, &error);
	g_assert_no_error(error);
	return golden;
}

void golden_free(Golden *golden)
{
	if (!golden)
		return;
	weft_model_close(golden->model);
	weft_kernels_close(golden->kernels);
	weft_bundle_close(golden->bundle);
	g_free(golden);
}

WeftSequence *golden_sequence(const Golden *golden, const char *name, const char *what)
{
	GError *error = NULL;
	g_autofree char *file = g_strdup_printf("%s/%s/%s.ids.json", TEST_GOLDEN, name, what);
	g_autofree char *rows_file = g_strdup_printf("%s/%s.rows.npy", TEST_DATA, name);
	g_autofree char *text = NULL;
	gsize size, n_rows = 0, width = weft_model_width(golden->model);
	gint32 image_id = weft_bundle_config(golden->bundle)->vision.image_id;

	weft_file_read(file, 1 << 20, &text, &size, &error);
	g_assert_no_error(error);
	g_autoptr(WeftJson) ids = weft_json_parse(text, size, WEFT_JSON_STRICT, &error);
	g_assert_no_error(error);
	g_autoptr(WeftNpy) rows = g_str_equal(what, "image") ? weft_npy_read(rows_file, &error)
							      : NULL;
	g_assert_no_error(error);
	WeftSequence *sequence = weft_sequence_new(width);
	for (gsize i = 0; i < weft_json_length(ids); i++) {
		gint64 id;
		g_assert_true(weft_json_int(weft_json_at(ids, i), &id));
		if (rows && id == image_id)
			weft_sequence_add_rows(sequence, image_id, rows->f32 + n_rows++ * width, 1);
		else
			weft_sequence_add_id(sequence, (gint32)id);
	}
	g_assert_true(!rows || n_rows * width == rows->n_items);
	return sequence;
}

WeftNpy *golden_logits(const char *name, const char *what)
{
	GError *error = NULL;
	g_autofree char *file = g_strdup_printf("%s/%s/%s.logits.npy", TEST_GOLDEN, name, what);
	WeftNpy *logits = weft_npy_read(file, &error);
	g_assert_no_error(error);
	return logits;
}

float *golden_run(const Golden *golden, const WeftSequence *sequence, gboolean step, gboolean exact)
{
	GError *error = NULL;
	float *logits = g_new(float, weft_sequence_length(sequence) * weft_model_vocab(golden->model));
	weft_model_logits(golden->model, sequence, NULL, step, exact, logits, &error);
	g_assert_no_error(error);
	return logits;
}
