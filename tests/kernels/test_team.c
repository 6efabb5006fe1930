/* The team: every piece once, by any number of threads, for several callers in turn. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "kernels/team.h"

typedef struct Count {
	atomic_int done[1000];
	atomic_int n_misplaced;
} Count;

static void count_piece(void *context, size_t piece, void *scratch)
{
	Count *count = context;
	atomic_fetch_add(&count->done[piece], 1);
	if ((guintptr)scratch % 64 != 0)
		atomic_fetch_add(&count->n_misplaced, 1);
	((char *)scratch)[0] = ((char *)scratch)[WEFT_TEAM_SCRATCH_BYTES - 1] = 1;
}

static void check_runs(WeftTeam *team)
{
	static const size_t n_pieces[] = {0, 1, 2, 7, 1000};
	for (size_t i = 0; i < 50 * G_N_ELEMENTS(n_pieces); i++) {
		size_t n = n_pieces[i % G_N_ELEMENTS(n_pieces)];
		g_autofree Count *count = g_new0(Count, 1);
		weft_team_run(team, n, count_piece, count);
		for (size_t piece = 0; piece < 1000; piece++)
			g_assert_cmpint(count->done[piece], ==, piece < n);
		g_assert_cmpint(count->n_misplaced, ==, 0);
	}
}

static void test_pieces(void)
{
	static const int n_threads[] = {1, 2, 8, 33};
	for (size_t i = 0; i < G_N_ELEMENTS(n_threads); i++) {
		WeftTeam *team = weft_team_new(n_threads[i]);
		g_assert_nonnull(team);
		g_assert_cmpint(weft_team_n_threads(team), ==, n_threads[i]);
		check_runs(team);
		weft_team_free(team);
	}
}

static void *caller_main(void *team)
{
	check_runs(team);
	return NULL;
}

static void test_callers(void)
{
	WeftTeam *team = weft_team_new(3);
	pthread_t callers[4];
	for (size_t i = 0; i < G_N_ELEMENTS(callers); i++)
		g_assert_cmpint(pthread_create(&callers[i], NULL, caller_main, team), ==, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(callers); i++)
		pthread_join(callers[i], NULL);
	weft_team_free(team);
}

static void test_limits(void)
{
	g_assert_null(weft_team_new(0));
	g_assert_null(weft_team_new(WEFT_TEAM_THREADS_MAX + 1));
	weft_team_free(NULL);
}

/* No thread can have a stack of a pebibyte: what was made is undone. */
static void test_no_threads(void)
{
	pthread_attr_t before, huge;
	g_assert_cmpint(pthread_getattr_default_np(&before), ==, 0);
	pthread_attr_init(&huge);
	g_assert_cmpint(pthread_attr_setstacksize(&huge, (size_t)1 << 50), ==, 0);
	g_assert_cmpint(pthread_setattr_default_np(&huge), ==, 0);
	g_autoptr(GError) error = NULL;
	g_assert_null(weft_kernels_open("ref", 4, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_assert_cmpint(pthread_setattr_default_np(&before), ==, 0);
	pthread_attr_destroy(&huge);
	pthread_attr_destroy(&before);
}

static void test_open(void)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(weft_kernels_open("mmx", 1, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_clear_error(&error);
	g_assert_null(weft_kernels_open("ref", -1, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_clear_error(&error);
	g_autoptr(WeftKernels) ref = weft_kernels_open("ref", 0, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(ref->name, ==, "ref");
	g_autoptr(WeftKernels) best = weft_kernels_open(NULL, 2, &error);
	g_assert_no_error(error);
	g_assert_cmpint(weft_team_n_threads(best->team), ==, 2);
}

static void test_alloc(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftKernels) k = weft_kernels_open("ref", 1, &error);
	void *memory = weft_kernels_alloc(k, 3, 7, &error);
	g_assert_no_error(error);
	g_assert_cmpuint((guintptr)memory % 64, ==, 0);
	weft_kernels_free(k, memory);
	static const size_t evil[][2] = {{SIZE_MAX, 2}, {SIZE_MAX / 2, 1}, {SIZE_MAX - 3, 1}};
	for (size_t i = 0; i < G_N_ELEMENTS(evil); i++) {
		g_assert_null(weft_kernels_alloc(k, evil[i][0], evil[i][1], &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
		g_clear_error(&error);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/team/pieces", test_pieces);
	g_test_add_func("/team/callers", test_callers);
	g_test_add_func("/team/limits", test_limits);
	g_test_add_func("/kernels/open", test_open);
	g_test_add_func("/kernels/alloc", test_alloc);
	g_test_add_func("/kernels/no-threads", test_no_threads);
	return g_test_run();
}
