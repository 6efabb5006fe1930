#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "model/pages.h"

#define PAGE_BYTES ((gsize)12288) /* whole pages of the system */
#define ODD_BYTES ((gsize)1472)   /* none */

static WeftPage *take(WeftPageStore *store)
{
	GError *error = NULL;
	WeftPage *page = weft_page_take(store, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(page->n_holders, ==, 1);
	return page;
}

static void assert_usage(const WeftPageStore *store, gsize memory_bytes, gsize file_bytes)
{
	WeftPageUsage usage = weft_page_store_usage(store);
	g_assert_cmpuint(usage.memory_bytes, ==, memory_bytes);
	g_assert_cmpuint(usage.file_bytes, ==, file_bytes);
	g_assert_cmpuint(usage.disk_bytes, >=, file_bytes);
	g_assert_cmpuint(usage.peak_bytes, >=, memory_bytes + file_bytes);
}

/* Each page keeps what was written to it, wherever it lies and whatever comes and goes beside. */
static void check_spill(gsize page_bytes)
{
	enum { N = 40, N_MEMORY = 25 };
	WeftPage *pages[N];
	g_autoptr(WeftPageStore) store =
		weft_page_store_new(page_bytes, N_MEMORY * page_bytes + page_bytes / 2, g_get_tmp_dir());
	for (int i = 0; i < N; i++) {
		pages[i] = take(store);
		memset(weft_page_data(store, pages[i]), i + 1, page_bytes);
	}
	assert_usage(store, N_MEMORY * page_bytes, (N - N_MEMORY) * page_bytes);
	/* One given back in memory: the next lies there, and one after it in the file again. */
	weft_page_release(store, pages[3]);
	assert_usage(store, (N_MEMORY - 1) * page_bytes, (N - N_MEMORY) * page_bytes);
	pages[3] = take(store);
	memset(weft_page_data(store, pages[3]), 4, page_bytes);
	assert_usage(store, N_MEMORY * page_bytes, (N - N_MEMORY) * page_bytes);
	WeftPage *last = take(store);
	assert_usage(store, N_MEMORY * page_bytes, (N - N_MEMORY + 1) * page_bytes);
	g_assert_cmpuint(weft_page_store_usage(store).peak_bytes, ==, (N + 1) * page_bytes);
	weft_page_release(store, last);
	for (int i = 0; i < N; i++) {
		const char *data = weft_page_data(store, pages[i]);
		for (gsize b = 0; b < page_bytes; b++)
			g_assert_cmpint(data[b], ==, i + 1);
		weft_page_release(store, pages[i]);
	}
	assert_usage(store, 0, 0);
	g_assert_cmpuint(weft_page_store_usage(store).disk_bytes, ==, 0);
	g_assert_cmpuint(weft_page_store_usage(store).peak_bytes, ==, (N + 1) * page_bytes);
}

static void test_spill(void)
{
	check_spill(PAGE_BYTES);
	check_spill(ODD_BYTES);
}

static gsize resident_bytes(void)
{
	g_autofree char *text = NULL;
	unsigned long long size = 0, resident = 0;
	g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
	g_assert_cmpint(sscanf(text, "%llu %llu", &size, &resident), ==, 2);
	return resident * (gsize)sysconf(_SC_PAGESIZE);
}

/* Every second page of 64 MiB: their memory goes back although no extent is empty. */
static void test_given_back(void)
{
	enum { N = (64 << 20) / PAGE_BYTES };
	g_autofree WeftPage **pages = g_new(WeftPage *, N);
	g_autoptr(WeftPageStore) store = weft_page_store_new(PAGE_BYTES, 0, NULL);
	gsize before = resident_bytes();
	for (int i = 0; i < N; i++) {
		pages[i] = take(store);
		memset(weft_page_data(store, pages[i]), 1, PAGE_BYTES);
	}
	gsize full = resident_bytes();
	g_assert_cmpuint(full - before, >, N * PAGE_BYTES * 9 / 10);
	for (int i = 0; i < N; i += 2)
		weft_page_release(store, pages[i]);
	g_assert_cmpuint(full - resident_bytes(), >, N * PAGE_BYTES * 4 / 10);
	for (int i = 1; i < N; i += 2)
		weft_page_release(store, pages[i]);
	g_assert_cmpuint(full - resident_bytes(), >, N * PAGE_BYTES * 9 / 10);
}

/* What a million pages cost beside their numbers: nothing of it is written, so it shows. */
static void test_records(void)
{
	enum { N = 1 << 20 };
	g_autoptr(WeftPageStore) store = weft_page_store_new(PAGE_BYTES, 0, NULL);
	g_autofree WeftPage **pages = g_new0(WeftPage *, N);
	gsize before = resident_bytes();
	gint64 start_us = g_get_monotonic_time();
	for (int i = 0; i < N; i++)
		pages[i] = take(store);
	gsize each = (resident_bytes() - before) / N;
	g_test_message("%d pages: %" G_GSIZE_FORMAT " bytes each beside the numbers, %.3f s", N,
		       each, (double)(g_get_monotonic_time() - start_us) / 1e6);
	g_assert_cmpuint(each, <, 32);
	for (int i = N; i-- > 0;)
		weft_page_release(store, pages[i]);
}

/* A file may have no more than 1 MiB: smaller steps are taken until the disk is full. */
static void test_disk_full(void)
{
	enum { N = 85 }; /* pages in 1 MiB */
	WeftPage *pages[N + 1];
	struct rlimit old, low;
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftPageStore) store = weft_page_store_new(PAGE_BYTES, 1, g_get_tmp_dir());
	(void)signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
	low = old;
	low.rlim_cur = 1 << 20;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
	for (int i = 0; i < N; i++) {
		pages[i] = take(store);
		memset(weft_page_data(store, pages[i]), 1, PAGE_BYTES);
	}
	low.rlim_cur = 0;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
	while (weft_page_store_usage(store).disk_bytes >
	       weft_page_store_usage(store).file_bytes)
		(void)take(store); /* what the last step has left */
	g_assert_null(weft_page_take(store, &error));
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_assert_nonnull(strstr(error->message, g_get_tmp_dir()));
	g_assert_nonnull(strstr(error->message, "--kv-memory"));
	/* And goes on when there is room again. */
	weft_page_release(store, pages[0]);
	pages[0] = take(store);
}

static void test_no_folder(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftPageStore) store =
		weft_page_store_new(PAGE_BYTES, PAGE_BYTES, "/nonexistent/weft");
	WeftPage *page = take(store);
	g_assert_null(weft_page_take(store, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_assert_nonnull(strstr(error->message, "/nonexistent/weft"));
	weft_page_release(store, page);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pages/spill", test_spill);
	g_test_add_func("/pages/given-back", test_given_back);
	g_test_add_func("/pages/records", test_records);
	g_test_add_func("/pages/disk-full", test_disk_full);
	g_test_add_func("/pages/no-folder", test_no_folder);
	return g_test_run();
}
