#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "golden.h"
#include "model/kv.h"
#include "model/layer.h"
#include "model/batch.h"

#define GIB 1073741824.0

/* A folder with nothing but this configuration. */
static char *folder_of(const char *config_path)
{
	g_autofree char *text = NULL;
	gsize size;
	char *folder = g_dir_make_tmp("weft-plan-XXXXXX", NULL);
	g_autofree char *to = g_build_filename(folder, "config.json", NULL);
	g_assert_true(g_file_get_contents(config_path, &text, &size, NULL));
	g_assert_true(g_file_set_contents(to, text, (gssize)size, NULL));
	return folder;
}

static void remove_folder(char *folder)
{
	g_autofree char *file = g_build_filename(folder, "config.json", NULL);
	g_remove(file);
	g_rmdir(folder);
	g_free(folder);
}

typedef struct Made {
	char *folder; /* of our own, or NULL */
	WeftBundle *bundle;
	WeftPlan *plan;
} Made;

static Made make(const char *path, gboolean is_config, const WeftPlanOptions *options)
{
	Made made = {.folder = is_config ? folder_of(path) : NULL};
	GError *error = NULL;
	made.bundle = weft_bundle_open(is_config ? made.folder : path, &error);
	g_assert_no_error(error);
	made.plan = weft_plan_new(made.bundle, options, &error);
	g_assert_no_error(error);
	return made;
}

static void done(Made *made)
{
	weft_plan_free(made->plan);
	weft_bundle_close(made->bundle);
	if (made->folder)
		remove_folder(made->folder);
}

static Made make_published(const char *name, const WeftPlanOptions *options)
{
	g_autofree char *path = g_strconcat(TEST_DATA "/published/", name, ".json", NULL);
	return make(path, TRUE, options);
}

static guint64 count(const WeftPlan *plan, WeftWeightGroup group)
{
	guint64 n = 0;
	for (int d = 0; d < WEFT_DTYPE_COUNT; d++)
		n += plan->n_weights[group][d];
	return n;
}

/* The counts that their makers publish, to the last weight. */
static void test_published(void)
{
	WeftPlanOptions options = {.context = 10485760, .assumed = WEFT_DTYPE_BF16};
	Made scout = make_published("scout", &options);
	g_assert_true(scout.plan->is_assumed);
	g_assert_cmpuint(scout.plan->weights_count, ==, 108641793536u);
	g_assert_cmpuint(scout.plan->weights_bytes, ==, 2 * 108641793536u);
	g_assert_cmpuint(count(scout.plan, WEFT_GROUP_EXPERTS), ==, 96636764160u);
	g_assert_cmpuint(count(scout.plan, WEFT_GROUP_HEAD), ==, 1034485760u);
	g_assert_cmpuint(count(scout.plan, WEFT_GROUP_VISION), ==, 850960896u + 20971520u);
	/* 16.14 billion with the head, without the row of the embedding. */
	g_assert_cmpuint((scout.plan->touched_count + 5000000) / 10000000, ==, 1614);
	/* 12 full layers of 4096 bytes a position, 36 of 8192 positions: 480 + 1.125 GiB. */
	g_assert_cmpfloat_with_epsilon((double)scout.plan->cache_bytes / GIB, 481.125, 0.05);
	g_assert_cmpuint(scout.plan->cache_token_bytes, ==, 12 * 4096);
	g_assert_cmpuint(scout.plan->tokens_per_tile, ==, 144);
	done(&scout);

	options = (WeftPlanOptions){.context = 131072, .kv_type = "q8_0"};
	Made maverick = make_published("maverick", &options);
	g_assert_cmpuint(maverick.plan->weights_count, ==, 401583781376u);
	g_assert_cmpuint(count(maverick.plan, WEFT_GROUP_EXPERTS), ==, 24ull * 128 * 125829120);
	/* 7.125 GiB in bf16; blocks of 32 numbers take 34 bytes of 64. */
	g_assert_cmpfloat_with_epsilon((double)maverick.plan->cache_bytes / GIB, 7.125 * 34 / 64, 0.02);
	done(&maverick);

	options = (WeftPlanOptions){.context = 131072, .assumed = WEFT_DTYPE_BF16};
	Made llama = make_published("llama31-8b", &options);
	g_assert_cmpuint(llama.plan->weights_count, ==, 8030261248u);
	/* All 32 layers full: 32 * 2 * 8 * 128 * 2 bytes * 131072 = 16 GiB. */
	g_assert_cmpfloat_with_epsilon((double)llama.plan->cache_bytes / GIB, 16, 1e-9);
	done(&llama);
}

/* Blocks of 256 numbers in 144 bytes: 4.5 bits; the tower stays in halves. */
static void test_assumed_type(void)
{
	WeftPlanOptions options = {.context = 4096, .assumed = WEFT_DTYPE_Q4_K};
	Made scout = make_published("scout", &options);
	g_assert_cmpuint(scout.plan->bytes[WEFT_GROUP_EXPERTS], ==, 96636764160u / 256 * 144);
	g_assert_cmpuint(scout.plan->bytes[WEFT_GROUP_VISION], ==, 2 * (850960896u + 20971520u));
	g_assert_cmpuint(scout.plan->n_weights[WEFT_GROUP_SMALL][WEFT_DTYPE_F32], ==, 97 * 5120);
	done(&scout);
}

/* The table of tensors and the one that follows from the configuration agree, group by group. */
static void test_tables_agree(void)
{
	static const char *const names[] = {"scout", "maverick", "scout_text", "llama31", "mixtral",
					    "mixtral_fused", "guard4", "linearised"};
	WeftPlanOptions options = {.assumed = WEFT_DTYPE_F32};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *folder = g_build_filename(TEST_GOLDEN, names[i], NULL);
		g_autofree char *config = g_build_filename(folder, "config.json", NULL);
		Made real = make(folder, FALSE, &options), assumed = make(config, TRUE, &options);
		g_assert_false(real.plan->is_assumed);
		g_test_message("%s", names[i]);
		for (int g = 0; g < WEFT_GROUP_COUNT; g++)
			g_assert_cmpuint(count(real.plan, (WeftWeightGroup)g), ==,
					 count(assumed.plan, (WeftWeightGroup)g));
		g_assert_cmpuint(real.plan->touched_count, ==, assumed.plan->touched_count);
		guint64 bytes = 0;
		for (gsize t = 0; t < weft_bundle_n_tensors(real.bundle); t++)
			bytes += weft_bundle_tensor_at(real.bundle, t)->size_bytes;
		g_assert_cmpuint(real.plan->weights_bytes, ==, bytes);
		g_assert_cmpuint(real.plan->unread_bytes, ==, 0);
		done(&assumed);
		done(&real);
	}
}

/* Three shapes: with chunks, with dense layers between, and dense altogether. */
static void test_cache_is_what_a_run_allocates(void)
{
	static const char *const names[] = {"scout", "maverick", "llama31"};
	static const gsize lengths[] = {1, 63, 64, 200, 1000, 1500};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		for (gsize l = 0; l < G_N_ELEMENTS(lengths); l++) {
			g_autofree char *folder = g_build_filename(TEST_GOLDEN, names[i], NULL);
			WeftPlanOptions options = {.context = lengths[l]};
			Made made = make(folder, FALSE, &options);
			g_autoptr(WeftKernels) kernels = weft_kernels_open("ref", 1, NULL);
			WeftPagePoolOptions pages = {made.plan->kv_dtype, 0, NULL};
			g_autoptr(WeftPagePool) pool =
				weft_page_pool_new(made.plan->arch, kernels, &pages, NULL);
			WeftCache *cache = weft_cache_new(pool);
			for (gsize at = 0; at < lengths[l]; at += WEFT_PIECE_ROWS)
				g_assert_true(weft_cache_extend(
					cache, at, MIN(WEFT_PIECE_ROWS, lengths[l] - at), NULL));
			g_assert_cmpuint(made.plan->cache_bytes, ==,
					 weft_page_pool_usage(pool).peak_bytes);
			weft_cache_free(cache);
			done(&made);
		}
}

/* Counted from the fields of WeftPass: x, h, routed, y; q, mixed; k, v; gate, up; ... */
static void test_activations(void)
{
	g_autoptr(Golden) golden = golden_open("scout", "ref", 1);
	g_autoptr(WeftArch) a = weft_arch_new(weft_bundle_config(golden->bundle), NULL);
	gsize q = a->n_heads * a->head_width, kv = a->n_kv_heads * a->head_width;
	gsize ffn = MAX(a->ffn_expert, a->ffn_dense);
	gsize floats = 4 * a->width + 2 * q + 2 * kv + 2 * ffn + a->head_width /* cosine, sine */ +
		       1 /* temperature */ + a->n_experts + a->n_experts_active + 1 /* factors */;
	gsize words = a->n_experts_active + 1 + 3; /* index, rows of an expert, key_end, first, zero */
	gsize one = 4 * (floats + words) + 8 /* position */ + sizeof(void *) /* adapter */ +
		    sizeof(WeftAttention);
	g_assert_cmpuint(weft_pass_size_bytes(a, 512), ==, 512 * one);
}

static void test_limits(void)
{
	WeftPlanOptions options = {.context = (gsize)G_MAXINT64};
	g_autofree char *folder = g_build_filename(TEST_GOLDEN, "llama31", NULL);
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, NULL);
	GError *error = NULL;
	g_assert_null(weft_plan_new(bundle, &options, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT);
	g_clear_error(&error);
	options = (WeftPlanOptions){.kv_type = "q3"};
	g_assert_null(weft_plan_new(bundle, &options, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_clear_error(&error);
	/* What a run refuses is not planned: its heads are no whole blocks of 32. */
	g_assert_cmpuint(weft_bundle_config(bundle)->text.head_dim % 32, !=, 0);
	options = (WeftPlanOptions){.kv_type = "q8_0"};
	g_assert_null(weft_plan_new(bundle, &options, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED);
	g_clear_error(&error);
}

/* ---- time ---- */

static WeftMachine roofline(double memory_bytes)
{
	return (WeftMachine){.memory_bytes = memory_bytes, .read_bytes_s = 1e12, .flops = 1e14,
			     .reach_bandwidth = 0.5, .reach_flops = 0.25, .link_bytes_s = 1e10};
}

static void test_roofline(void)
{
	WeftPlanOptions options = {.context = 8192, .assumed = WEFT_DTYPE_BF16};
	Made scout = make_published("scout", &options);
	WeftMachine machine = roofline(1e12);
	/* One token at position 0 reads what it touches, less the row of the embedding, at 0.5e12
	 * bytes a second; its own keys are nothing beside that. */
	double bytes = (double)scout.plan->touched_bytes - 10240;
	double step = weft_plan_decode_s(scout.plan, &machine, 1, 0, 1);
	g_assert_cmpfloat_with_epsilon(step, bytes / 0.5e12, 1e-4 * step);
	/* 256 rows: 2 * 256 operations for each weight of attention and feed-forward at 2.5e13 are
	 * longer than reading it; experts get 16 rows: reading (4e-12 s) is longer than 32 / 2.5e13. */
	double dense = (double)(count(scout.plan, WEFT_GROUP_ATTENTION) +
				count(scout.plan, WEFT_GROUP_FFN) + count(scout.plan, WEFT_GROUP_SMALL));
	double low = dense * 512 / 2.5e13 + 0.99 * 96636764160.0 * 4e-12;
	double pass = weft_plan_pass_s(scout.plan, &machine, 256, 1, 0);
	g_assert_cmpfloat(pass, >, low);
	g_assert_cmpfloat(pass, <, 1.05 * low);
	/* More tokens, more time; deeper, more time. */
	g_assert_cmpfloat(weft_plan_prefill_s(scout.plan, &machine, 8192), >,
			  31 * weft_plan_prefill_s(scout.plan, &machine, 256) * 0.99);
	g_assert_cmpfloat(weft_plan_decode_s(scout.plan, &machine, 1, 8190, 1), >, step);
	done(&scout);
}

static void test_place(void)
{
	WeftPlanOptions options = {.context = 8192, .assumed = WEFT_DTYPE_BF16};
	Made scout = make_published("scout", &options);
	double experts = (double)scout.plan->bytes[WEFT_GROUP_EXPERTS];
	double rest = (double)(scout.plan->weights_bytes + weft_plan_working_bytes(scout.plan)) - experts;
	WeftMachine machine = roofline(rest + experts);
	WeftPlacement place = weft_plan_place(scout.plan, &machine);
	g_assert_true(place.fits && place.runs);
	machine.memory_bytes = rest + experts / 4;
	machine.host_bytes = experts / 2;
	place = weft_plan_place(scout.plan, &machine);
	g_assert_true(!place.fits && place.runs);
	g_assert_cmpfloat_with_epsilon(place.experts_absent, 0.75, 1e-9);
	g_assert_cmpfloat_with_epsilon(place.host_bytes, experts / 2, 1);
	g_assert_cmpfloat_with_epsilon(place.disk_bytes, experts / 4, 1);
	/* One token brings three quarters of its 48 experts of 251.7 MB over 10 GB/s. */
	double step = weft_plan_decode_s(scout.plan, &machine, 1, 0, 1);
	g_assert_cmpfloat(step, >, 48 * 251658240.0 * 0.75 / 1e10);
	machine.memory_bytes = rest / 2;
	g_assert_false(weft_plan_place(scout.plan, &machine).runs);
	done(&scout);
}

static void test_resident(void)
{
	WeftPlanOptions options = {.context = 8192, .assumed = WEFT_DTYPE_Q4_K};
	Made maverick = make_published("maverick", &options);
	const WeftPlan *plan = maverick.plan;
	double always = (double)(plan->bytes[WEFT_GROUP_ATTENTION] + plan->bytes[WEFT_GROUP_FFN] +
				 plan->bytes[WEFT_GROUP_SMALL] + plan->bytes[WEFT_GROUP_HEAD]);
	double experts = (double)plan->bytes[WEFT_GROUP_EXPERTS];
	WeftMachine machine = roofline(1e12);
	/* One token: an expert of each mixture, and a piece of 64 KiB of the embedding. */
	g_assert_cmpfloat_with_epsilon((double)weft_plan_resident_bytes(plan, &machine, 1),
				       always + experts / 128 + 65536, 1e4);
	/* 512 tokens: 1 - (127/128)^512 = 0.98198 of them. */
	double embedding = (double)plan->bytes[WEFT_GROUP_EMBEDDING];
	g_assert_cmpfloat_with_epsilon((double)weft_plan_resident_bytes(plan, &machine, 512),
				       always + 0.98198 * experts + embedding * 0.0560,
				       1e-4 * experts);
	done(&maverick);
}

static void test_measured(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	WeftPlanOptions options = {0};
	g_autoptr(WeftPlan) plan = weft_plan_new(golden->bundle, &options, NULL);
	WeftCalibration calibration = {.bundle = golden->bundle, .kv = plan->kv_dtype,
				       .touches = TRUE, .core_watts = 8};
	GError *error = NULL;
	g_autoptr(WeftMachine) machine =
		weft_machine_measure(golden->kernels, &calibration, &error);
	g_assert_no_error(error);
	g_assert_cmpfloat(machine->read_bytes_s, >, 1e8);
	g_assert_cmpfloat(machine->memory_bytes, >, 1e7);
	g_assert_true(machine->gemm[WEFT_DTYPE_F32][0].is_known);
	g_assert_true(machine->gemm[WEFT_DTYPE_F32][1].is_known);
	g_assert_false(machine->gemm[WEFT_DTYPE_Q4_K][0].is_known);
	g_assert_cmpfloat(machine->attend_one_s, >, 0);
	g_assert_cmpfloat(machine->operation_s, >, 0);
	/* A row more never makes a product faster. */
	for (double rows = 1; rows < 600; rows++)
		g_assert_cmpfloat(weft_machine_gemm_s(machine, WEFT_DTYPE_F32, FALSE, rows + 1), >=,
				  weft_machine_gemm_s(machine, WEFT_DTYPE_F32, FALSE, rows) * 0.999);
	g_assert_cmpfloat(weft_plan_prefill_s(plan, machine, 100), >, 0);
}

/* ---- the table of devices ---- */

#define HEAD "[money]\ncurrency=USD\n[energy]\nprice_kwh=0.1\nsource=s\ndate=d\n" \
	     "[cpu]\nwatts_core=8\nsource=s\n"
#define DEVICE "[device x]\ntitle=X\nmemory_gb=80\nbandwidth_gbs=1000\ntflops=100\n" \
	       "reach_bandwidth=0.7\nreach_flops=0.5\nlink_gbs=10\nwatts=100\nsource=s\ndate=d\n"

static WeftDevices *table(const char *text, GError **error)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("weft-devices-XXXXXX", &path, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_close(fd, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	WeftDevices *devices = weft_devices_open(path, error);
	g_remove(path);
	return devices;
}

static void test_table(void)
{
	GError *error = NULL;
	g_autoptr(WeftDevices) devices = table(
		HEAD DEVICE "[api a]\nmodel_type=llama4\nexperts=4\nwidth=1\nprovider=p\ninput=1\n"
			    "output=2\nsource=s\ndate=d\n", &error);
	g_assert_no_error(error);
	g_autoptr(WeftMachine) machine = weft_devices_machine(devices, "x", &error);
	g_assert_no_error(error);
	g_assert_cmpfloat_with_epsilon(machine->memory_bytes, 80e9, 1);
	g_assert_cmpfloat_with_epsilon(machine->flops, 1e14, 1);
	g_assert_cmpfloat(machine->price_hour, ==, 0);
	g_assert_null(weft_devices_machine(devices, "y", &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_nonnull(strstr(error->message, "cpu, x"));
	g_clear_error(&error);
}

static void test_table_errors(void)
{
	static const struct {
		const char *text, *said;
	} wrong[] = {
		{"", "money"},
		{"[money\n", "devices"},
		{HEAD "[device x]\ntitle=X\n", "memory_gb"},
		{HEAD DEVICE "price_hour=2\n", "price_source"},
		{HEAD "[device x]\ntitle=X\nmemory_gb=many\n", "\"many\" is not a number"},
		{HEAD "[device x]\ntitle=X\nmemory_gb=0\n", "above 0"},
		{HEAD "[device x]\ntitle=X\nmemory_gb=inf\n", "\"inf\""},
		{HEAD "[devise x]\n", "[devise x]"},
		{HEAD "[api a]\nmodel_type=llama4\nexperts=-1\n", "experts"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		GError *error = NULL;
		g_assert_null(table(wrong[i].text, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
		g_test_message("%s", error->message);
		g_assert_nonnull(strstr(error->message, wrong[i].said));
		g_clear_error(&error);
	}
}

static void test_shipped_table(void)
{
	GError *error = NULL;
	const char *source, *date;
	Made scout = make_published("scout", &(WeftPlanOptions){.context = 1});
	g_autoptr(WeftDevices) devices = weft_devices_open(TEST_DEVICES, &error);
	g_assert_no_error(error);
	static const char *const names[] = {"h100", "h200", "rtx4090"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(WeftMachine) machine = weft_devices_machine(devices, names[i], &error);
		g_assert_no_error(error);
		g_assert_cmpuint(strlen(machine->source), >, 0);
		g_assert_true(g_str_has_prefix(machine->date, "20"));
	}
	g_assert_cmpfloat(weft_devices_kwh(devices, &source, &date), >, 0);
	g_autoptr(GPtrArray) apis = weft_devices_apis(devices, scout.plan->config);
	g_assert_cmpuint(apis->len, >=, 1);
	done(&scout);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plan/published", test_published);
	g_test_add_func("/plan/assumed-type", test_assumed_type);
	g_test_add_func("/plan/tables-agree", test_tables_agree);
	g_test_add_func("/plan/cache", test_cache_is_what_a_run_allocates);
	g_test_add_func("/plan/activations", test_activations);
	g_test_add_func("/plan/limits", test_limits);
	g_test_add_func("/plan/roofline", test_roofline);
	g_test_add_func("/plan/place", test_place);
	g_test_add_func("/plan/resident", test_resident);
	g_test_add_func("/plan/measured", test_measured);
	g_test_add_func("/plan/table", test_table);
	g_test_add_func("/plan/table-errors", test_table_errors);
	g_test_add_func("/plan/shipped-table", test_shipped_table);
	return g_test_run();
}
