/* model_verify.c - all bytes of a bundle's weights, read once.
 *
 * A file is hashed slice by slice, and what the slice held is looked at while it is still in memory,
 * so that a checkpoint larger than memory is read from disk once. Quantised blocks are widened first:
 * a scale that is not finite makes its whole block so.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/model_inspect.h"
#include "kernels/kernels.h"

#define SLICE_BYTES ((guint64)16 << 20)
#define PIECE_VALUES ((gsize)1 << 16) /* whole blocks of every type */
#define DRAW_EVERY_US (G_USEC_PER_SEC / 5)

typedef struct Reading {
	WeftKernels *kernels;
	guint8 *bytes; /* of a piece, aligned */
	float *values;
	guint64 n_values, n_bad;
	guint64 done_bytes, all_bytes;
	gint64 begin_us, drawn_us;
	gboolean is_terminal;
} Reading;

/* Where the look at a file's tensors has come to. */
typedef struct Place {
	GPtrArray *tensors; /* const WeftTensorView *, in the order of their bytes */
	guint i;
	gsize at;           /* bytes of tensor i that are done */
	guint64 n_nan, n_infinite; /* in tensor i */
	guint64 done_bytes; /* of all */
} Place;

static void draw(Reading *reading, const char *name)
{
	gint64 now_us = g_get_monotonic_time();
	double done = (double)reading->done_bytes, all = (double)reading->all_bytes;
	double elapsed_s = (double)(now_us - reading->begin_us) / G_USEC_PER_SEC;
	if (!reading->is_terminal || now_us - reading->drawn_us < DRAW_EVERY_US)
		return;
	reading->drawn_us = now_us;
	fprintf(stderr, "\r%s: %.1f of %.1f MB, %.0f MB/s, %.0f s left \033[K", name, done / 1e6, all / 1e6,
	        elapsed_s > 0 ? done / 1e6 / elapsed_s : 0,
	        done > 0 ? (all - done) / done * elapsed_s : 0);
}

static void end_tensor(Reading *reading, Place *place, const WeftTensorView *tensor)
{
	guint64 n_bad = place->n_nan + place->n_infinite;
	if (n_bad > 0) {
		g_autofree char *name = weft_path_display(tensor->name);
		if (reading->is_terminal)
			fputs("\r\033[K", stderr);
		printf("  %s: %" G_GUINT64_FORMAT " NaN, %" G_GUINT64_FORMAT " infinite\n", name,
		       place->n_nan, place->n_infinite);
	}
	reading->n_bad += n_bad;
	place->i++;
	place->at = 0;
	place->n_nan = place->n_infinite = 0;
}

/* The next piece of the tensor at hand. */
static void look_at_piece(Reading *reading, Place *place)
{
	const WeftTensorView *tensor = g_ptr_array_index(place->tensors, place->i);
	gsize piece_bytes = weft_dtype_row_bytes(tensor->dtype, PIECE_VALUES);
	gsize n_bytes = MIN(piece_bytes, tensor->size_bytes - place->at);
	gsize n = n_bytes / weft_dtype_block_bytes(tensor->dtype) *
	          weft_dtype_block_values(tensor->dtype);

	memcpy(reading->bytes, (const guint8 *)tensor->data + place->at, n_bytes);
	reading->kernels->to_f32(reading->kernels->team, reading->values, reading->bytes,
	                         tensor->dtype, n);
	for (gsize k = 0; k < n; k++) {
		place->n_nan += isnan(reading->values[k]) ? 1 : 0;
		place->n_infinite += isinf(reading->values[k]) ? 1 : 0;
	}
	reading->n_values += n;
	place->at += n_bytes;
	place->done_bytes += n_bytes;
	if (place->at >= tensor->size_bytes)
		end_tensor(reading, place, tensor);
}

static int compare_data(gconstpointer a, gconstpointer b)
{
	const WeftTensorView *x = *(const WeftTensorView *const *)a;
	const WeftTensorView *y = *(const WeftTensorView *const *)b;
	return ((guintptr)x->data > (guintptr)y->data) - ((guintptr)x->data < (guintptr)y->data);
}

static gboolean read_file(Reading *reading, const char *folder, const char *name,
                          GPtrArray *tensors, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *shown = weft_path_display(name);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	Place place = {.tensors = tensors};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	guint64 offset = 0, before = 0;
	gboolean is_good = fd >= 0;

	if (!is_good)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: can't be opened", path);
	g_ptr_array_sort(tensors, compare_data);
	while (is_good) {
		before = offset;
		is_good = weft_fd_hash(fd, path, sum, SLICE_BYTES, &offset, error);
		if (!is_good || offset == before)
			break;
		while (place.i < tensors->len && place.done_bytes < offset)
			look_at_piece(reading, &place);
		reading->done_bytes += offset - before;
		draw(reading, shown);
	}
	if (fd >= 0)
		close(fd);
	if (!is_good)
		return FALSE;
	while (place.i < tensors->len)
		look_at_piece(reading, &place);
	if (reading->is_terminal)
		fputs("\r\033[K", stderr);
	printf("  %s  %s\n", g_checksum_get_string(sum), shown);
	return TRUE;
}

/* File -> its tensors, in the order of their names. */
static GPtrArray *tensors_of(const WeftBundle *bundle, const char *file)
{
	GPtrArray *tensors = g_ptr_array_new();
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *tensor = weft_bundle_tensor_at(bundle, i);
		if (strcmp(tensor->file, file) == 0)
			g_ptr_array_add(tensors, (gpointer)tensor);
	}
	return tensors;
}

static gboolean read_bundle(Reading *reading, const WeftBundle *bundle, const char *folder,
                            GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) files = g_ptr_array_new();
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const char *file = weft_bundle_tensor_at(bundle, i)->file;
		if (g_hash_table_add(seen, (gpointer)file))
			g_ptr_array_add(files, (gpointer)file);
	}
	weft_names_sort(files);
	for (guint i = 0; i < files->len; i++) {
		g_autoptr(GPtrArray) tensors = tensors_of(bundle, files->pdata[i]);
		if (!read_file(reading, folder, files->pdata[i], tensors, error))
			return FALSE;
	}
	return TRUE;
}

gboolean weft_model_verify(const WeftBundle *bundle, const char *path, guint64 *ret_n_bad,
                           GError **error)
{
	const WeftBundle *audio = weft_bundle_audio(bundle);
	gboolean is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);
	g_autofree char *folder = is_folder ? g_strdup(path) : g_path_get_dirname(path);
	g_autofree char *audio_folder = g_build_filename(folder, "audio", NULL);
	Reading reading = {.all_bytes = weft_bundle_size_bytes(bundle),
	                   .begin_us = g_get_monotonic_time(),
	                   .is_terminal = isatty(STDERR_FILENO)};
	gboolean is_good;

	reading.kernels = weft_kernels_open(NULL, 1, error);
	if (!reading.kernels)
		return FALSE;
	if (audio && audio != bundle)
		reading.all_bytes += weft_bundle_size_bytes(audio);
	reading.values = g_new(float, PIECE_VALUES);
	reading.bytes = g_malloc(PIECE_VALUES * sizeof(float));
	printf("\nverify\n");
	is_good = read_bundle(&reading, bundle, folder, error) &&
	          (!audio || audio == bundle || read_bundle(&reading, audio, audio_folder, error));
	if (is_good && reading.n_bad == 0)
		printf("  all %" G_GUINT64_FORMAT " numbers are finite\n", reading.n_values);
	else if (is_good)
		printf("  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " numbers are not finite\n",
		       reading.n_bad, reading.n_values);
	*ret_n_bad = reading.n_bad;
	g_free(reading.values);
	g_free(reading.bytes);
	weft_kernels_close(reading.kernels);
	return is_good;
}
