/* cmd_bench.c - weft bench: tokens per second, as one JSON object. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "bundle/bundle.h"
#include "cli/cmd.h"
#include "kernels/kernels.h"
#include "model/model.h"

#define DEPTH_MAX ((guint64)1 << 28)
#define REPEATS_MAX 1000

typedef struct Bench {
	char *bundle_path, *kv_type, *kv_memory, *kv_folder, *tier, *depth_text;
	int n_prompt, n_generate, batch, n_repeats, n_threads;
	gboolean locks_weights, prefetches_weights;
	guint64 depth, kv_memory_bytes;
	/* opened */
	WeftBundle *bundle;
	WeftKernels *kernels;
	WeftModel *model;
	WeftBench *bench;
	/* measured */
	double *prefill, *decode; /* [n_repeats], tokens per second; 0: there were none */
	double fill_s;
	WeftModelUsage usage;     /* when the caches were at their longest */
} Bench;

static double now_s(void)
{
	return (double)g_get_monotonic_time() / 1e6;
}

/* On a terminal one line that is drawn over itself; otherwise nothing. */
static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void say(const char *format, ...)
{
	va_list arguments;
	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fflush(stderr);
}

static gboolean refuse(GError **error, const char *name, const char *what)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s: %s", name, what);
	return FALSE;
}

static gboolean check(Bench *bench, GError **error)
{
	if (!bench->bundle_path)
		return refuse(error, "-m", "a bundle is needed");
	if (bench->depth_text && !weft_size_parse(bench->depth_text, &bench->depth))
		return refuse(error, "--depth", "a number of tokens like 65536 or 1M is expected");
	if (bench->kv_memory && (!weft_size_parse(bench->kv_memory, &bench->kv_memory_bytes) ||
	                         bench->kv_memory_bytes == 0))
		return refuse(error, "--kv-memory", "a size like 8G is expected");
	if (bench->n_prompt < 0 || bench->n_generate < 0 ||
	    bench->n_prompt + (gint64)bench->n_generate == 0)
		return refuse(error, "-p, -n", "numbers of tokens are expected, one of them not 0");
	if (bench->n_repeats < 1 || bench->n_repeats > REPEATS_MAX)
		return refuse(error, "--repeats", "a number from 1 to 1000 is expected");
	if (bench->batch < 1)
		return refuse(error, "--batch", "a number from 1 is expected");
	if (bench->depth + (guint64)bench->n_prompt + (guint64)bench->n_generate > DEPTH_MAX)
		return refuse(error, "--depth", "depth, prompt and answer may be 268435456 at most");
	return TRUE;
}

static gboolean parse(Bench *bench, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = {
	    {"model", 'm', 0, G_OPTION_ARG_FILENAME, &bench->bundle_path,
	     "a folder as Hugging Face publishes it, or a GGUF file", "BUNDLE"},
	    {"prompt", 'p', 0, G_OPTION_ARG_INT, &bench->n_prompt,
	     "tokens of each prompt (default: 512)", "N"},
	    {"generate", 'n', 0, G_OPTION_ARG_INT, &bench->n_generate,
	     "tokens of each answer (default: 128)", "N"},
	    {"batch", 0, 0, G_OPTION_ARG_INT, &bench->batch, "requests side by side (default: 1)",
	     "B"},
	    {"depth", 0, 0, G_OPTION_ARG_FILENAME, &bench->depth_text,
	     "tokens before the prompt, as in 1M: keys and values are made up, not computed", "N"},
	    {"repeats", 0, 0, G_OPTION_ARG_INT, &bench->n_repeats,
	     "how often to measure (default: 3)", "N"},
	    {"kv-type", 0, 0, G_OPTION_ARG_FILENAME, &bench->kv_type,
	     "keys and values as f32, bf16, q8_0 or q4 (default: f32 for weights in f32, else bf16)",
	     "TYPE"},
	    {"kv-memory", 0, 0, G_OPTION_ARG_FILENAME, &bench->kv_memory,
	     "keys and values in memory at most; the rest goes to a file without a name",
	     "SIZE"},
	    {"state", 0, 0, G_OPTION_ARG_FILENAME, &bench->kv_folder,
	     "where that file goes (default: TMPDIR, else /tmp)", "DIR"},
	    {"mlock", 0, 0, G_OPTION_ARG_NONE, &bench->locks_weights,
	     "lock the model's weights in memory", NULL},
	    {"prefetch", 0, 0, G_OPTION_ARG_NONE, &bench->prefetches_weights,
	     "read at once what every token needs of the weights", NULL},
	    {"tier", 0, 0, G_OPTION_ARG_FILENAME, &bench->tier,
	     "kernels: ref, avx2, avx512 (default: the best of this machine)", "NAME"},
	    {"jobs", 'j', 0, G_OPTION_ARG_INT, &bench->n_threads,
	     "threads (default: one per core)", "N"},
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- measure tokens per second");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_description(
	    context, "Prints one JSON object: rates are medians over the repeats, *_min the least.\n");
	if (!g_option_context_parse(context, &argc, &argv, error))
		return FALSE;
	if (argc > 1) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "'%s' is not expected", argv[1]);
		return FALSE;
	}
	return check(bench, error);
}

static gboolean open_model(Bench *bench, GError **error)
{
	const WeftModelOptions options = {.batch_max = (gsize)bench->batch,
	                                  .kv_type = bench->kv_type,
	                                  .kv_memory_max_bytes = bench->kv_memory_bytes,
	                                  .kv_folder = bench->kv_folder,
	                                  .locks_weights = bench->locks_weights,
	                                  .prefetches_weights = bench->prefetches_weights};
	say("opening %s", bench->bundle_path);
	bench->bundle = weft_bundle_open(bench->bundle_path, error);
	if (!bench->bundle)
		return FALSE;
	bench->kernels = weft_kernels_open(bench->tier, bench->n_threads, error);
	if (!bench->kernels)
		return FALSE;
	bench->model = weft_model_open(bench->bundle, bench->kernels, &options, error);
	if (!bench->model)
		return FALSE;
	bench->bench = weft_bench_new(bench->model, (gsize)bench->batch, error);
	return bench->bench != NULL;
}

static gboolean fill(Bench *bench, GError **error)
{
	double start_s = now_s();
	for (int i = 0; bench->depth > 0 && i < bench->batch; i++) {
		say("making up %" G_GUINT64_FORMAT " tokens, %d of %d", bench->depth, i + 1,
		    bench->batch);
		if (!weft_bench_fill(bench->bench, bench->depth, error))
			return FALSE;
	}
	bench->fill_s = now_s() - start_s;
	return TRUE;
}

/* `n` more tokens of every sequence from `from` on; in steps of `step` tokens, or 0: as they fit. */
static gboolean measure(Bench *bench, const char *name, guint64 from, int n, int step,
                        double *ret_rate, GError **error)
{
	double start_s = now_s(), total = (double)n * bench->batch;
	gsize done = 0, n_rows;
	for (int at = 0; at < n;) {
		at = step > 0 ? at + step : n;
		do {
			if (!weft_bench_advance(bench->bench, from + (guint64)at, &n_rows, error))
				return FALSE;
			done += n_rows;
			say("%s: %.0f of %.0f tokens, %.1f per second", name, (double)done, total,
			    (double)done / MAX(now_s() - start_s, 1e-9));
		} while (n_rows > 0);
	}
	*ret_rate = n > 0 ? (double)done / MAX(now_s() - start_s, 1e-9) : 0;
	return TRUE;
}

static gboolean measure_all(Bench *bench, GError **error)
{
	for (int i = 0; i < bench->n_repeats; i++) {
		g_autofree char *prefill = g_strdup_printf("prefill %d/%d", i + 1, bench->n_repeats);
		g_autofree char *decode = g_strdup_printf("decoding %d/%d", i + 1, bench->n_repeats);
		weft_bench_rewind(bench->bench);
		if (!measure(bench, prefill, bench->depth, bench->n_prompt, 0, &bench->prefill[i],
		             error) ||
		    !measure(bench, decode, bench->depth + (guint64)bench->n_prompt,
		             bench->n_generate, 1, &bench->decode[i], error))
			return FALSE;
		bench->usage = weft_model_usage(bench->model);
	}
	say("%s", "");
	return TRUE;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* NAME and NAME_min; null where nothing was to be measured. */
static void write_rates(WeftJsonWriter *writer, const char *name, double *rates, int n)
{
	g_autofree char *least = g_strconcat(name, "_min", NULL);
	qsort(rates, (gsize)n, sizeof(*rates), compare);
	double median = (rates[(n - 1) / 2] + rates[n / 2]) / 2;
	const char *const names[] = {name, least};
	const double values[] = {median, rates[0]};
	for (int i = 0; i < 2; i++) {
		weft_json_write_key(writer, names[i]);
		if (median > 0)
			weft_json_write_rounded(writer, values[i], 3);
		else
			weft_json_write_null(writer);
	}
}

static void write_string(WeftJsonWriter *writer, const char *key, const char *text)
{
	weft_json_write_key(writer, key);
	weft_json_write_string(writer, text);
}

static void write_uint(WeftJsonWriter *writer, const char *key, guint64 value)
{
	weft_json_write_key(writer, key);
	weft_json_write_uint(writer, value);
}

/* In which most bytes of the weights are stored. */
static const char *type_of_weights(const WeftBundle *bundle)
{
	guint64 bytes[WEFT_DTYPE_COUNT] = {0};
	int most = 0;
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(bundle, i);
		bytes[view->dtype] += view->size_bytes;
	}
	for (int i = 0; i < WEFT_DTYPE_COUNT; i++)
		most = bytes[i] > bytes[most] ? i : most;
	return weft_dtype_name((WeftDtype)most);
}

static guint64 peak_bytes(void)
{
	struct rusage usage = {0};
	(void)getrusage(RUSAGE_SELF, &usage); /* of ourselves it can't fail */
	return (guint64)usage.ru_maxrss * 1024;
}

static void print(const Bench *bench)
{
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	write_string(&writer, "model", weft_bundle_name(bench->bundle));
	write_string(&writer, "id", weft_bundle_id(bench->bundle));
	write_string(&writer, "type", type_of_weights(bench->bundle));
	write_string(&writer, "kv_type", bench->usage.kv_type);
	write_string(&writer, "tier", bench->kernels->name);
	write_uint(&writer, "threads", (guint64)weft_team_n_threads(bench->kernels->team));
	write_uint(&writer, "p", (guint64)bench->n_prompt);
	write_uint(&writer, "n", (guint64)bench->n_generate);
	write_uint(&writer, "batch", (guint64)bench->batch);
	write_uint(&writer, "depth", bench->depth);
	write_uint(&writer, "repeats", (guint64)bench->n_repeats);
	write_rates(&writer, "prefill_tokens_per_s", bench->prefill, bench->n_repeats);
	write_rates(&writer, "decode_tokens_per_s", bench->decode, bench->n_repeats);
	weft_json_write_key(&writer, "fill_s");
	weft_json_write_rounded(&writer, bench->fill_s, 3);
	weft_json_write_key(&writer, "cache_bytes");
	weft_json_write_object(&writer);
	write_uint(&writer, "memory", bench->usage.cache_memory_bytes);
	write_uint(&writer, "file", bench->usage.cache_file_bytes);
	weft_json_write_object_end(&writer);
	write_uint(&writer, "weights_bytes", bench->usage.weight_bytes);
	write_uint(&writer, "peak_rss_bytes", peak_bytes());
	weft_json_write_object_end(&writer);
	puts(text->str);
}

static void bench_done(Bench *bench)
{
	weft_bench_free(bench->bench);
	weft_model_close(bench->model);
	weft_kernels_close(bench->kernels);
	weft_bundle_close(bench->bundle);
	g_free(bench->bundle_path);
	g_free(bench->kv_type);
	g_free(bench->kv_memory);
	g_free(bench->kv_folder);
	g_free(bench->tier);
	g_free(bench->depth_text);
	g_free(bench->prefill);
	g_free(bench->decode);
}

int weft_cmd_bench(const WeftPlaces *places, int argc, char **argv)
{
	Bench bench = {.n_prompt = 512, .n_generate = 128, .batch = 1, .n_repeats = 3};
	GError *error = NULL;
	int code = WEFT_EXIT_DONE;
	if (!parse(&bench, argc, argv, &error)) {
		code = weft_cmd_fail("bench", &error, WEFT_EXIT_USAGE);
	} else {
		bench.prefill = g_new0(double, bench.n_repeats);
		bench.decode = g_new0(double, bench.n_repeats);
		if (open_model(&bench, &error) && fill(&bench, &error) &&
		    measure_all(&bench, &error)) {
			print(&bench);
		} else {
			gboolean is_usage = g_error_matches(error, WEFT_ERROR, WEFT_ERROR_USAGE);
			say("%s", "");
			code = weft_cmd_fail("bench", &error,
			                     is_usage ? WEFT_EXIT_USAGE : WEFT_EXIT_NOT_STARTED);
		}
	}
	bench_done(&bench);
	return code;
}
