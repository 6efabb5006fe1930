/* What is large waits for its turn, and everybody's turn comes. */
#include <pthread.h>
#include <stdatomic.h>

#include "ingest/memory_share.h"

#define MIB ((gsize)1 << 20)

static WeftMemory *memory_of(gsize decode_mib, gsize read_mib)
{
	WeftMemory *memory = weft_memory_new();
	weft_memory_limit(memory, decode_mib * MIB, read_mib * MIB);
	return memory;
}

static void test_alone(void)
{
	WeftMemory *memory = memory_of(100, 50);
	WeftMemoryShare *share = weft_memory_share_new(memory, WEFT_MEMORY_DECODE);
	weft_memory_hold(share, 150 * MIB); /* borrows what nobody reads with */
	g_assert_cmpuint(weft_memory_bytes(memory), ==, 150 * MIB);
	weft_memory_hold(share, 80 * MIB);
	g_assert_null(weft_memory_part(share, 81 * MIB));
	WeftMemoryShare *part = weft_memory_part(share, 30 * MIB);
	g_assert_cmpuint(weft_memory_held(share), ==, 50 * MIB);
	weft_memory_share_free(share);
	g_assert_cmpuint(weft_memory_bytes(memory), ==, 30 * MIB);
	weft_memory_share_free(part);
	weft_memory_share_free(NULL);
	g_assert_cmpuint(weft_memory_bytes(memory), ==, 0);
	g_assert_cmpuint(weft_memory_peak(memory), ==, 150 * MIB);
	weft_memory_unref(memory);
}

typedef struct Documents {
	WeftMemory *memory;
	guint seed, n_pages;
	gsize page_mib;
	atomic_uint n_done;
} Documents;

/* As documents do: a base, then pages, each with a part that is read by somebody else. */
static void *work(void *data)
{
	Documents *documents = data;
	g_autoptr(GRand) chance = g_rand_new_with_seed(documents->seed++);
	for (guint n = 0; n < 20; n++) {
		g_autoptr(WeftMemoryShare) decoder =
		    weft_memory_share_new(documents->memory, WEFT_MEMORY_DECODE);
		weft_memory_hold(decoder, 4 * MIB);
		for (guint page = 0; page < documents->n_pages; page++) {
			gsize size = (gsize)g_rand_int_range(chance, 1, (gint32)documents->page_mib);
			weft_memory_hold(decoder, (4 + size) * MIB);
			WeftMemoryShare *part = weft_memory_part(decoder, size * MIB);
			g_autoptr(WeftMemoryShare) reader =
			    weft_memory_share_new(documents->memory, WEFT_MEMORY_READ);
			weft_memory_hold(reader, 2 * size * MIB);
			weft_memory_share_free(part);
		}
		atomic_fetch_add(&documents->n_done, 1);
	}
	return NULL;
}

static void run(Documents *documents, guint n_threads)
{
	pthread_t threads[16];
	for (guint i = 0; i < n_threads; i++)
		g_assert_cmpint(pthread_create(&threads[i], NULL, work, documents), ==, 0);
	for (guint i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	g_assert_cmpuint(documents->n_done, ==, 20 * n_threads);
	g_assert_cmpuint(weft_memory_bytes(documents->memory), ==, 0);
}

/* Pages that ask for no more than there is, once: the sum is kept. */
static void test_sum_is_kept(void)
{
	Documents documents = {memory_of(100, 60), 1, 10, 30, 0};
	run(&documents, 16);
	g_assert_cmpuint(weft_memory_peak(documents.memory), <=, 160 * MIB);
	g_assert_cmpuint(weft_memory_peak(documents.memory), >, 60 * MIB);
	weft_memory_unref(documents.memory);
}

/* Two that hold half each and want more can't both wait: the eldest goes on. */
static void *grow(void *data)
{
	WeftMemoryShare *share = data;
	weft_memory_hold(share, 90 * MIB);
	weft_memory_share_free(share);
	return NULL;
}

static void test_nobody_waits_for_ever(void)
{
	WeftMemory *memory = memory_of(100, 10);
	pthread_t threads[2];
	WeftMemoryShare *shares[2];
	for (guint i = 0; i < 2; i++) {
		shares[i] = weft_memory_share_new(memory, WEFT_MEMORY_DECODE);
		weft_memory_hold(shares[i], 50 * MIB);
	}
	for (guint i = 0; i < 2; i++)
		g_assert_cmpint(pthread_create(&threads[i], NULL, grow, shares[i]), ==, 0);
	for (guint i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	g_assert_cmpuint(weft_memory_bytes(memory), ==, 0);
	g_assert_cmpuint(weft_memory_peak(memory), <=, 140 * MIB);
	weft_memory_unref(memory);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/memory/alone", test_alone);
	g_test_add_func("/memory/sum-is-kept", test_sum_is_kept);
	g_test_add_func("/memory/nobody-waits-for-ever", test_nobody_waits_for_ever);
	return g_test_run();
}
