#include "base/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define N_TRIES 200000

static void *ask_for_quarks(void *data)
{
	const atomic_bool *is_done = data;

	while (!atomic_load(is_done))
		(void)g_quark_from_string("weft-test-error");
	return NULL;
}

/* Others wait for the lock of GLib's quarks: errno, the argument behind WEFT_ERROR, stays. */
static void test_errno_stays(void)
{
	atomic_bool is_done = FALSE;
	pthread_t threads[3];

	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_assert_cmpint(pthread_create(&threads[i], NULL, ask_for_quarks, &is_done), ==, 0);
	for (guint i = 0; i < N_TRIES; i++) {
		errno = ENOENT;
		(void)weft_error_quark();
		g_assert_cmpint(errno, ==, ENOENT);
	}
	atomic_store(&is_done, TRUE);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/error/errno-stays", test_errno_stays);
	return g_test_run();
}
