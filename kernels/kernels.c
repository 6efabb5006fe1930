#include "kernels/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "base/error.h"
#include "kernels/arith.h"
#include "kernels/attention.h"
#include "kernels/gemm.h"
#include "kernels/norm.h"
#include "kernels/patches.h"
#include "kernels/rope.h"
#include "kernels/rows.h"
#include "kernels/spectrum.h"

typedef struct Tier {
	const char *name;
	gboolean (*is_supported)(void);
	void (*fill)(WeftKernels *kernels); /* over what the tiers before it gave */
} Tier;

static gboolean supports_ref(void)
{
	return TRUE;
}

static void fill_ref(WeftKernels *kernels)
{
	kernels->gemm = weft_gemm_ref;
	kernels->gemm_kn = weft_gemm_kn_ref;
	kernels->attention = weft_attention_ref;
	kernels->rmsnorm = weft_rmsnorm_ref;
	kernels->layernorm = weft_layernorm_ref;
	kernels->softmax = weft_softmax_ref;
	kernels->rope_table = weft_rope_table_ref;
	kernels->rope_pairs = weft_rope_pairs_ref;
	kernels->rope_halves = weft_rope_halves_ref;
	kernels->swiglu = weft_swiglu_ref;
	kernels->gelu = weft_gelu_ref;
	kernels->add = weft_add_ref;
	kernels->scale = weft_scale_ref;
	kernels->scale_rows = weft_scale_rows_ref;
	kernels->to_f32 = weft_to_f32_ref;
	kernels->from_f32 = weft_from_f32_ref;
	kernels->fetch_rows = weft_fetch_rows_ref;
	kernels->add_rows = weft_add_rows_ref;
	kernels->router_topk = weft_router_topk_ref;
	kernels->unfold = weft_unfold_ref;
	kernels->patchify = weft_patchify_ref;
	kernels->pixel_shuffle = weft_pixel_shuffle_ref;
	kernels->power_spectrum = weft_power_spectrum_ref;
}

#if defined(__x86_64__)
static gboolean supports_avx2(void)
{
	unsigned int a, b, c, d;
	/* clang 14's __builtin_cpu_supports does not know f16c. */
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	       __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0;
}

static void fill_avx2(WeftKernels *kernels)
{
	kernels->gemm = weft_gemm_avx2;
	kernels->gemm_kn = weft_gemm_kn_avx2;
	kernels->attention = weft_attention_avx2;
}

static gboolean supports_avx512(void)
{
	return supports_avx2() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
}

static void fill_avx512(WeftKernels *kernels)
{
	kernels->gemm = weft_gemm_avx512;
	kernels->gemm_kn = weft_gemm_kn_avx512;
	kernels->attention = weft_attention_avx512;
}
#endif

/* The ladder, from below. */
static const Tier tiers[] = {
	{"ref", supports_ref, fill_ref},
#if defined(__x86_64__)
	{"avx2", supports_avx2, fill_avx2},
	{"avx512", supports_avx512, fill_avx512},
#endif
};

/* Number of the tier, or -1 with the error set. */
static int choose_tier(const char *name, GError **error)
{
	int best = 0;
	for (int i = 0; i < (int)G_N_ELEMENTS(tiers); i++) {
		gboolean is_supported = tiers[i].is_supported();
		if (!name && is_supported)
			best = i;
		if (!name || strcmp(name, tiers[i].name) != 0)
			continue;
		if (is_supported)
			return i;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    "this machine has no %s instructions", name);
		return -1;
	}
	if (!name)
		return best;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "no kernel tier \"%s\"", name);
	return -1;
}

static int usable_cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1; /* more cores than the set holds: the caller says how many */
	return MIN(CPU_COUNT(&set), WEFT_TEAM_THREADS_MAX);
}

WeftKernels *weft_kernels_open(const char *tier, int n_threads, GError **error)
{
	int best = choose_tier(tier, error);
	if (best < 0)
		return NULL;
	if (n_threads < 0 || n_threads > WEFT_TEAM_THREADS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%d threads, limit %d", n_threads,
			    WEFT_TEAM_THREADS_MAX);
		return NULL;
	}
	n_threads = n_threads == 0 ? usable_cores() : n_threads;
	WeftTeam *team = weft_team_new(n_threads);
	if (!team) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "%d threads: %s", n_threads,
			    g_strerror(errno));
		return NULL;
	}
	WeftKernels *kernels = g_new0(WeftKernels, 1);
	kernels->name = tiers[best].name;
	kernels->team = team;
	for (int i = 0; i <= best; i++)
		tiers[i].fill(kernels);
	return kernels;
}

void weft_kernels_close(WeftKernels *kernels)
{
	if (!kernels)
		return;
	weft_team_free(kernels->team);
	g_free(kernels);
}

void *weft_kernels_alloc(const WeftKernels *kernels, size_t n, size_t size, GError **error)
{
	size_t n_bytes;
	void *memory = NULL;
	/* aligned_alloc takes multiples of the alignment; nothing still is a pointer. */
	if (!__builtin_mul_overflow(n, size, &n_bytes) && n_bytes <= PTRDIFF_MAX - 64)
		memory = aligned_alloc(64, (MAX(n_bytes, 1) + 63) & ~(size_t)63);
	if (!memory)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory for %zu x %zu bytes", n,
			    size);
	return memory;
}

void weft_kernels_free(const WeftKernels *kernels, void *memory)
{
	free(memory);
}
