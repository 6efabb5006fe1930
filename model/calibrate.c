/* calibrate.c - this machine, measured through its kernels.
 *
 * Products are timed on weights of zeros in memory of our own: their time depends on type and
 * shape, not on values, and what is on the disk does not mix with it. One row is timed on more
 * weights than caches hold (unless the model has fewer), as a token of an answer meets them; many
 * rows on fewer, so that it takes a second and not a minute.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"
#include "model/machine.h"

#define STREAM_BYTES ((gsize)256 << 20)
#define STREAM_PIECE_BYTES ((gsize)1 << 20)
#define TOUCH_BYTES ((gsize)64 << 20)
/* Weights for 1, 2, 8, 32 and 256 rows: the first beyond any cache, the last a few columns. */
static const gsize rate_bytes[WEFT_RATE_POINTS] = {(gsize)96 << 20, (gsize)48 << 20,
						   (gsize)16 << 20, (gsize)8 << 20,
						   (gsize)4 << 20};
#define TRY_US (40 * 1000) /* a product is timed again until so much has gone by */
#define TRIES_MAX 20
#define CACHE_BYTES ((gsize)32 << 20) /* keys and values for one row of attention */
#define FAULT_TOUCHES 32 /* so far from each other: */
#define FAULT_AWAY_BYTES ((gsize)8 << 20)
#define MANY_ROWS 256
#define MANY_KEYS 512
#define SMALL_SHARE 200 /* types with less than 1/200 of the weights are not timed */

/* ---- plain reading ---- */

typedef struct Stream {
	const guint64 *data;
	guint64 *sums; /* of each piece, so that nothing is optimised away */
} Stream;

static void read_piece(void *context, size_t piece, void *scratch)
{
	Stream *stream = context;
	const guint64 *data = stream->data + piece * (STREAM_PIECE_BYTES / sizeof(guint64));
	guint64 sums[8] = {0};
	for (gsize i = 0; i < STREAM_PIECE_BYTES / sizeof(guint64); i += 8)
		for (int j = 0; j < 8; j++)
			sums[j] += data[i + (gsize)j];
	stream->sums[piece] = sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] +
			      sums[7];
}

static double since_s(gint64 begin_us)
{
	return (double)MAX(g_get_monotonic_time() - begin_us, 1) / G_USEC_PER_SEC;
}

static double stream_bytes_s(const WeftKernels *kernels, const void *memory, gsize size_bytes)
{
	gsize n = size_bytes / STREAM_PIECE_BYTES;
	g_autofree guint64 *sums = g_new(guint64, n);
	Stream stream = {memory, sums};
	double best = 0;
	for (int i = 0; i < 3; i++) {
		gint64 begin_us = g_get_monotonic_time();
		weft_team_run(kernels->team, n, read_piece, &stream);
		best = MAX(best, (double)(n * STREAM_PIECE_BYTES) / since_s(begin_us));
	}
	return best;
}

/* ---- products ---- */

typedef struct Bench {
	const WeftKernels *kernels;
	const void *zeros; /* STREAM_BYTES */
	float *x, *y;      /* MANY_ROWS rows of `width_max` */
	gsize width_max;
} Bench;

/* The median of what one call takes. */
static double time_gemm(const Bench *bench, const WeftTensor *w, gsize n_rows, gboolean is_kn)
{
	double seconds[TRIES_MAX], total = 0;
	int n = 0;
	for (int i = -1; i < TRIES_MAX && (i < 3 || total * G_USEC_PER_SEC < TRY_US); i++) {
		gint64 begin_us = g_get_monotonic_time();
		if (is_kn)
			bench->kernels->gemm_kn(bench->kernels->team, bench->y, bench->x, n_rows, w, NULL);
		else
			bench->kernels->gemm(bench->kernels->team, bench->y, bench->x, n_rows, w, NULL);
		double took = since_s(begin_us);
		total += took;
		if (i < 0 && took * G_USEC_PER_SEC < TRY_US)
			continue; /* the first one warms up, unless once is long enough */
		seconds[n++] = took;
		if (i < 0)
			break;
	}
	for (int i = 1; i < n; i++)
		for (int j = i; j > 0 && seconds[j] < seconds[j - 1]; j--) {
			double swap = seconds[j];
			seconds[j] = seconds[j - 1];
			seconds[j - 1] = swap;
		}
	return seconds[n / 2];
}

/* K inputs, as the model has them; so many outputs that the weights take about `size_bytes`. */
static WeftTensor slice_of(const Bench *bench, WeftDtype dtype, gboolean is_kn, gsize n_inner,
			   gsize size_bytes)
{
	gsize block = weft_dtype_block_values(dtype);
	gsize n_outer, inner = MAX(n_inner / block * block, block);

	if (is_kn) {
		n_outer = CLAMP(size_bytes / weft_dtype_row_bytes(dtype, inner), 1, bench->width_max);
		n_outer = MAX(n_outer / block * block, block);
		return weft_tensor_matrix(bench->zeros, dtype, inner, n_outer);
	}
	n_outer = CLAMP(size_bytes / weft_dtype_row_bytes(dtype, inner), 1, bench->width_max);
	return weft_tensor_matrix(bench->zeros, dtype, n_outer, inner);
}

/* Many products over neighbouring weights would be more than one call when a matrix of the model is
 * smaller than the slice: outputs are bounded by width_max, which holds the widest of the model. */
static void time_rate(const Bench *bench, WeftDtype dtype, gboolean is_kn, gsize n_inner,
		      gsize limit_bytes, WeftRate *rate)
{
	rate->is_known = TRUE;
	for (int i = 0; i < WEFT_RATE_POINTS; i++) {
		WeftTensor w = slice_of(bench, dtype, is_kn, n_inner,
					MIN(rate_bytes[i], MAX(limit_bytes, 4096)));
		rate->seconds[i] = time_gemm(bench, &w, WEFT_RATE_ROWS[i], is_kn) /
				   (double)(w.size[0] * w.size[1]);
	}
}

/* ---- the rest ---- */

static gboolean time_attention(const Bench *bench, const WeftTextConfig *text, WeftDtype kv,
			       WeftMachine *machine, GError **error)
{
	gsize n_kv = text->n_kv_heads * text->head_dim;
	gsize half_bytes = WEFT_PAGE_POSITIONS * weft_dtype_row_bytes(kv, n_kv);
	gsize n_pages = CLAMP(CACHE_BYTES / 2 / MAX(half_bytes, 1), 8, 4096);
	g_autofree const void **pages = g_new(const void *, n_pages);
	g_autofree guint32 *first = g_new0(guint32, MANY_ROWS);
	g_autofree guint32 *end = g_new(guint32, MANY_ROWS);
	gsize rows[] = {1, MANY_ROWS}, keys[] = {n_pages * WEFT_PAGE_POSITIONS, MANY_KEYS};
	double *results[] = {&machine->attend_one_s, &machine->attend_many_s};

	if (half_bytes * 8 > STREAM_BYTES || text->n_heads * text->head_dim > bench->width_max) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "keys of %" G_GSIZE_FORMAT " numbers are too wide to be measured", n_kv);
		return FALSE;
	}
	for (gsize i = 0; i < n_pages; i++)
		pages[i] = (const char *)bench->zeros + i * half_bytes % (STREAM_BYTES - half_bytes);
	for (int i = 0; i < 2; i++) {
		gsize n_keys = MIN(keys[i], n_pages * WEFT_PAGE_POSITIONS);
		for (gsize row = 0; row < rows[i]; row++)
			end[row] = (guint32)n_keys;
		WeftAttention job = {.y = bench->y, .q = bench->x, .k_pages = pages,
				     .v_pages = pages, .dtype = kv, .key_first = first,
				     .key_end = end, .n_rows = rows[i], .n_heads = text->n_heads,
				     .n_kv_heads = text->n_kv_heads, .head_width = text->head_dim,
				     .scale = 1};
		double best = G_MAXDOUBLE;
		for (int try = 0; try < 3; try++) {
			gint64 begin_us = g_get_monotonic_time();
			bench->kernels->attention(bench->kernels->team, &job, 1);
			best = MIN(best, since_s(begin_us));
		}
		*results[i] = best / (double)(rows[i] * n_keys * text->n_heads);
	}
	return TRUE;
}

static void time_rows(const Bench *bench, gsize width, WeftMachine *machine)
{
	const WeftKernels *k = bench->kernels;
	/* Little work, in as many pieces as the model's: waking threads is what it costs. */
	WeftTensor tiny = weft_tensor_matrix(bench->zeros, WEFT_DTYPE_F32, MIN(width, 1024), 8);
	gsize n_rows = MANY_ROWS / 2;
	double norm = G_MAXDOUBLE, swiglu = G_MAXDOUBLE;

	for (int i = 0; i < 3; i++) {
		gint64 begin_us = g_get_monotonic_time();
		k->rmsnorm(k->team, bench->y, bench->x, NULL, n_rows, width, 1e-5f);
		norm = MIN(norm, since_s(begin_us));
		begin_us = g_get_monotonic_time();
		k->swiglu(k->team, bench->y, bench->x, bench->x + n_rows * width, n_rows, width, width);
		swiglu = MIN(swiglu, since_s(begin_us));
	}
	machine->norm_s = norm / (double)(n_rows * width);
	machine->swiglu_s = swiglu / (double)(n_rows * width);
	machine->operation_s = G_MAXDOUBLE;
	for (int i = 0; i < 10; i++) { /* the best: others may have taken the cores */
		gint64 begin_us = g_get_monotonic_time();
		for (int j = 0; j < 20; j++)
			k->gemm(k->team, bench->y, bench->x, 1, &tiny, NULL);
		machine->operation_s = MIN(machine->operation_s, since_s(begin_us) / 20);
	}
}

/* ---- memory and disk ---- */

static double number_after(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;
	return at ? g_ascii_strtod(at + strlen(key), NULL) : 0;
}

/* What is free for a program, and what its control group allows. */
static double free_memory_bytes(void)
{
	g_autofree char *text = NULL;
	g_autofree char *limit = NULL;
	gsize size_bytes;
	double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

	if (weft_file_read("/proc/meminfo", 1 << 16, &text, &size_bytes, NULL) &&
	    number_after(text, "MemAvailable:") > 0)
		bytes = number_after(text, "MemAvailable:") * 1024;
	if (weft_file_read("/sys/fs/cgroup/memory.max", 64, &limit, &size_bytes, NULL) &&
	    g_ascii_isdigit(limit[0]))
		bytes = MIN(bytes, g_ascii_strtod(limit, NULL));
	return bytes;
}

static double resident_bytes(void)
{
	g_autofree char *text = NULL;
	gsize size_bytes;

	if (!weft_file_read("/proc/self/smaps_rollup", 1 << 16, &text, &size_bytes, NULL))
		return 0;
	return number_after(text, "Rss:") * 1024;
}

/* What a touch of one byte brings into memory: the kernel maps what lies around it, how much
 * depends on kernel and file system. Touches places all over the tensor. */
static double fault_bytes(const WeftTensorView *view)
{
	const volatile char *data = view->data;
	gsize n = MIN(FAULT_TOUCHES, view->size_bytes / FAULT_AWAY_BYTES);
	double before = resident_bytes(), after;
	guint sum = 0;

	for (gsize i = 0; i < n; i++)
		sum += (guint)data[view->size_bytes / n * i];
	after = resident_bytes() + (sum == 1 ? 1 : 0);
	return n > 0 && before > 0 && after > before ? (after - before) / (double)n : 0;
}

/* A piece of the mapped weights, whole pages, and how many of them are not in memory. */
typedef struct Window {
	guintptr first;
	gsize n_pages, n_absent;
} Window;

static void count_absent(Window *window, gsize page_bytes)
{
	g_autofree guchar *there = g_new0(guchar, window->n_pages);
	window->n_absent = 0;
	if (mincore((void *)window->first, window->n_pages * page_bytes, there) != 0)
		return;
	for (gsize i = 0; i < window->n_pages; i++)
		window->n_absent += !(there[i] & 1);
}

/* Looks through all weights; nothing is read. Gives the share that is not in memory, and the pieces
 * with the most and with the fewest pages of that kind; n_pages 0: there are none. */
static double look_through(const WeftBundle *bundle, gsize page_bytes, Window *ret_most,
			   Window *ret_fewest)
{
	gsize n_pages = 0, n_absent = 0;
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(bundle, i);
		guintptr first = ((guintptr)view->data + page_bytes - 1) / page_bytes * page_bytes;
		guintptr end = ((guintptr)view->data + view->size_bytes) / page_bytes * page_bytes;
		for (; first + page_bytes <= end; first += TOUCH_BYTES) {
			Window window = {first, MIN(end - first, TOUCH_BYTES) / page_bytes, 0};
			count_absent(&window, page_bytes);
			n_pages += window.n_pages;
			n_absent += window.n_absent;
			if (window.n_absent > ret_most->n_absent || ret_most->n_pages == 0)
				*ret_most = window;
			if (window.n_pages - window.n_absent > ret_fewest->n_pages - ret_fewest->n_absent)
				*ret_fewest = window;
		}
	}
	return n_pages > 0 ? (double)n_absent / (double)n_pages : 0;
}

/* Seconds of the first touch of all its pages. */
static double touch(const Window *window, gsize page_bytes)
{
	const volatile char *at = (const volatile char *)window->first;
	guint sum = 0;
	gint64 begin_us = g_get_monotonic_time();
	for (gsize i = 0; i < window->n_pages; i++)
		sum += (guint)at[i * page_bytes];
	return since_s(begin_us) + (sum == 1 ? 1e-9 : 0);
}

/* Pages of a file that nothing has written to can be let go: the next touch reads the disk. Only
 * the owner of the file may; for others nothing happens. */
static void let_go(Window *window, gsize page_bytes)
{
	(void)madvise((void *)window->first, window->n_pages * page_bytes, MADV_PAGEOUT);
	count_absent(window, page_bytes);
}

static void time_touch(const WeftBundle *bundle, WeftMachine *machine)
{
	gsize page_bytes = (gsize)sysconf(_SC_PAGESIZE);
	const WeftTensorView *embed = weft_bundle_find(bundle, "model.embed_tokens.weight");
	Window most = {0}, fewest = {0};
	gboolean is_too_large = (double)weft_bundle_size_bytes(bundle) > machine->memory_bytes;

	machine->absent_share = look_through(bundle, page_bytes, &most, &fewest);
	if (fewest.n_pages > fewest.n_absent)
		machine->touch_bytes_s =
			(double)(fewest.n_pages * page_bytes) / touch(&fewest, page_bytes);
	/* Weights that memory does not hold will come from the disk, again and again. */
	if (is_too_large && most.n_absent < most.n_pages / 2)
		let_go(&most, page_bytes);
	if (most.n_absent > most.n_pages / 4)
		machine->link_bytes_s =
			(double)(most.n_absent * page_bytes) / touch(&most, page_bytes);
	machine->fault_bytes = embed ? fault_bytes(embed) : 0;
}

/* ---- all of it ---- */

static void time_types(const Bench *bench, const WeftCalibration *calibration, WeftMachine *machine)
{
	const WeftBundle *bundle = calibration->bundle;
	const WeftConfig *config = weft_bundle_config(bundle);
	guint64 bytes[WEFT_DTYPE_COUNT][2] = {{0}}, all = 0;

	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(bundle, i);
		gboolean is_kn = view->dtype < WEFT_DTYPE_Q4_0 &&
				 (strstr(view->name, "experts.gate_up_proj") ||
				  (strstr(view->name, "experts.down_proj") && view->n_dims == 3));
		if (view->n_dims < 2)
			continue;
		bytes[view->dtype][is_kn] += view->size_bytes;
		all += view->size_bytes;
	}
	if (all == 0)
		bytes[calibration->assumed][0] = bytes[calibration->assumed][1] = all = G_MAXSIZE / 4;
	for (int d = 0; d < WEFT_DTYPE_COUNT; d++)
		for (int kn = 0; kn < 2; kn++)
			if (bytes[d][kn] > all / SMALL_SHARE &&
			    !(kn == 1 && d >= WEFT_DTYPE_Q4_0))
				time_rate(bench, (WeftDtype)d, kn == 1, config->text.width, all,
					  &machine->gemm[d][kn]);
}

WeftMachine *weft_machine_measure(const WeftKernels *kernels, const WeftCalibration *calibration,
				  GError **error)
{
	g_autoptr(WeftMachine) machine = g_new0(WeftMachine, 1);
	const WeftTextConfig *text = &weft_bundle_config(calibration->bundle)->text;
	Bench bench = {.kernels = kernels};
	gsize n_x = 0;
	void *zeros = NULL;
	gboolean is_measured = FALSE;

	bench.width_max = MAX(MAX(MAX(text->width, text->ffn_expert), text->ffn_dense),
			      text->n_heads * text->head_dim);
	bench.width_max = MAX(bench.width_max, 32768);
	if (weft_size_multiply(MANY_ROWS, bench.width_max, &n_x)) {
		zeros = weft_kernels_alloc(kernels, 1, STREAM_BYTES, error);
		bench.x = zeros ? weft_kernels_alloc(kernels, n_x, sizeof(float), error) : NULL;
		bench.y = bench.x ? weft_kernels_alloc(kernels, n_x, sizeof(float), error) : NULL;
	}
	if (bench.y) {
		memset(zeros, 0, STREAM_BYTES);
		memset(bench.x, 0, n_x * sizeof(float));
		memset(bench.y, 0, n_x * sizeof(float));
		bench.zeros = zeros;
		machine->is_measured = TRUE;
		machine->name = g_strdup("cpu");
		machine->n_threads = weft_team_n_threads(kernels->team);
		machine->tier = kernels->name;
		machine->title = g_strdup_printf("this machine, %d threads, %s", machine->n_threads,
						 kernels->name);
		machine->watts = calibration->core_watts * machine->n_threads;
		machine->memory_bytes = free_memory_bytes();
		machine->read_peak_bytes_s = stream_bytes_s(kernels, zeros, STREAM_BYTES);
		machine->read_bytes_s = machine->read_peak_bytes_s;
		machine->reach_bandwidth = machine->reach_flops = 1;
		time_types(&bench, calibration, machine);
		time_rows(&bench, MIN(text->width, bench.width_max / 2), machine);
		is_measured = time_attention(&bench, text, calibration->kv, machine, error);
		if (is_measured && calibration->touches && weft_bundle_n_tensors(calibration->bundle) > 0)
			time_touch(calibration->bundle, machine);
	}
	weft_kernels_free(kernels, zeros);
	weft_kernels_free(kernels, bench.x);
	weft_kernels_free(kernels, bench.y);
	return is_measured ? g_steal_pointer(&machine) : NULL;
}
