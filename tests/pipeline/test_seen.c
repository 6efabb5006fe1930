#include "pipeline/seen.h"

#define N_IDS 50000

static char *id_of(guint i)
{
	g_autofree char *text = g_strdup_printf("%u", i);
	g_autofree char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

	return g_strconcat("sha256:", hex, NULL);
}

/* What was added is there, however much came after it, and nothing else is. */
static void test_ids(void)
{
	g_autoptr(WeftSeen) seen = weft_seen_new();

	for (guint i = 0; i < N_IDS; i += 2) {
		g_autofree char *id = id_of(i);

		g_assert_false(weft_seen_has(seen, id));
		weft_seen_add(seen, id);
		weft_seen_add(seen, id);
		g_assert_true(weft_seen_has(seen, id));
	}
	for (guint i = 0; i < N_IDS; i++) {
		g_autofree char *id = id_of(i);

		g_assert_cmpint(weft_seen_has(seen, id), ==, i % 2 == 0);
	}
}

/* Ids that somebody has chosen: all of them begin at the same slot of the same table. */
static void test_chosen(void)
{
	g_autoptr(WeftSeen) seen = weft_seen_new();

	for (guint i = 0; i < 2000; i++) {
		g_autofree char *id = g_strdup_printf("sha256:ffffffff%06x00%048x", i, 0);

		g_assert_false(weft_seen_has(seen, id));
		weft_seen_add(seen, id);
	}
	for (guint i = 0; i < 4000; i++) {
		g_autofree char *id = g_strdup_printf("sha256:ffffffff%06x00%048x", i, 0);

		g_assert_cmpint(weft_seen_has(seen, id), ==, i < 2000);
	}
}

static void test_zero(void)
{
	g_autoptr(WeftSeen) seen = weft_seen_new();
	g_autofree char *zero = g_strdup_printf("sha256:%064x", 0);

	g_assert_false(weft_seen_has(seen, zero));
	weft_seen_add(seen, zero);
	g_assert_true(weft_seen_has(seen, zero));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/seen/ids", test_ids);
	g_test_add_func("/seen/chosen", test_chosen);
	g_test_add_func("/seen/zero", test_zero);
	return g_test_run();
}
