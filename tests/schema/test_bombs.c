/* Schemas that are small and cost much (tools/make_schema_bombs.py): each is taken or refused, in 256 MB.
 * What bounds the time is counted, not measured, so a second is enough with room to spare; here it is only
 * printed. */
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "schema/schema.h"

/* Sanitizers take more than the program. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_MAX_KIB (1024 * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_MAX_KIB (1024 * 1024)
#endif
#endif
#ifndef MEMORY_MAX_KIB
#define MEMORY_MAX_KIB (256 * 1024)
#endif
#define BOMBS_MIN 25

static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void run_bomb(const char *path)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	gsize size_bytes;
	g_assert_true(g_file_get_contents(path, &text, &size_bytes, NULL));
	double start_ms = cpu_ms();
	g_autoptr(WeftSchema) schema = weft_schema_new(text, size_bytes, NULL, &error);
	g_assert_true((schema == NULL) == (error != NULL));
	g_test_message("%s: %.0f ms: %s", path, cpu_ms() - start_ms,
		       error ? error->message : "taken");
	if (!schema)
		return;
	g_autofree char *null = weft_schema_null_instance(schema);
	g_assert_cmpuint(strlen(null), >=, weft_schema_min_bytes(schema));
}

static void test_bombs(void)
{
	struct rusage usage;
	guint n = 0;
	GDir *folder = g_dir_open(TEST_BOMBS, 0, NULL);
	g_assert_nonnull(folder);
	for (const char *name; (name = g_dir_read_name(folder)); n++) {
		g_autofree char *path = g_build_filename(TEST_BOMBS, name, NULL);
		run_bomb(path);
	}
	g_dir_close(folder);
	g_assert_cmpuint(n, >=, BOMBS_MIN);
	g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
	g_assert_cmpint(usage.ru_maxrss, <, MEMORY_MAX_KIB);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/schema/bombs", test_bombs);
	return g_test_run();
}
