#include "pipeline/estimate.h"

/* 10 PDFs (1 known) of which 3 are measured at 1, 2 and 3 s with 4 pages each, 4 pictures of which
 * one is measured at 2 s, 2 files without an end of which none is. */
static WeftEstimate *make(void)
{
	WeftEstimate *estimate = weft_estimate_new();
	const WeftEstimateCounts counts = {.n_pages = 4, .n_tokens = 100};
	const WeftEstimateCounts picture = {.n_read = 1, .n_tokens = 300};

	for (int i = 0; i < 10; i++)
		weft_estimate_add_file(estimate, i % 2 ? "a/x.PDF" : "a/y.pdf", 1000, i == 0);
	for (int i = 0; i < 4; i++)
		weft_estimate_add_file(estimate, "p.jpg", 10, FALSE);
	weft_estimate_add_file(estimate, "a.b/README", 10, FALSE);
	weft_estimate_add_file(estimate, ".hidden", 10, FALSE);
	for (int i = 1; i <= 3; i++)
		weft_estimate_add_work(estimate, "z.pdf", i, &counts);
	weft_estimate_add_work(estimate, "z.jpg", 2, &picture);
	return estimate;
}

static void test_total(void)
{
	g_autoptr(WeftEstimate) estimate = make();
	WeftEstimateTotal total = weft_estimate_total(estimate);

	g_assert_cmpuint(total.n_files, ==, 16);
	g_assert_cmpuint(total.n_known, ==, 1);
	g_assert_cmpuint(total.n_measured, ==, 4);
	/* 9 PDFs to do: 3 for each measured one: 36 pages. Files of unmeasured classes are like the
	 * mean of the four: 12 pages / 4 * 2 = 6. */
	g_assert_cmpfloat_with_epsilon(total.counts.n_pages, 36 + 6, 1e-9);
	g_assert_cmpfloat_with_epsilon(total.counts.n_tokens, 900 + 1200 + 300, 1e-9);
	g_assert_cmpfloat_with_epsilon(total.counts.n_read, 4 + 0.5, 1e-9);
	/* Work: 6 s * 3 + 2 s * 4 + 8 s / 4 * 2, measured 8 s. */
	g_assert_cmpfloat_with_epsilon(total.times, (18 + 8 + 4) / 8.0, 1e-9);
	g_assert_cmpfloat(total.error, >, 0.1);
	g_assert_cmpfloat(total.error, <, 1);
}

static void test_classes(void)
{
	g_autoptr(WeftEstimate) estimate = make();

	g_assert_cmpuint(weft_estimate_n_classes(estimate), ==, 3);
	g_assert_cmpstr(weft_estimate_class(estimate, 0)->name, ==, "pdf");
	g_assert_cmpstr(weft_estimate_class(estimate, 1)->name, ==, "jpg");
	g_assert_cmpstr(weft_estimate_class(estimate, 2)->name, ==, "");
	g_assert_cmpfloat_with_epsilon(weft_estimate_class_counts(estimate, 0).n_pages, 36, 1e-9);
	g_assert_cmpfloat_with_epsilon(weft_estimate_class_counts(estimate, 2).n_pages, 6, 1e-9);
}

/* One of each: how far documents differ is taken from all of them. */
static void test_single(void)
{
	g_autoptr(WeftEstimate) estimate = weft_estimate_new();

	for (int i = 0; i < 4; i++)
		weft_estimate_add_file(estimate, i < 2 ? "x.txt" : "x.pdf", 1, FALSE);
	weft_estimate_add_work(estimate, "x.txt", 1, NULL);
	weft_estimate_add_work(estimate, "x.pdf", 3, NULL);
	/* s^2 = 2; each class: 2^2 * 2 / 1 * (1 - 1/2) = 4; the root of 8 of 2 * (1 + 3). */
	g_assert_cmpfloat_with_epsilon(weft_estimate_total(estimate).error, 0.353553, 1e-5);
}

/* All of it measured: nothing is carried over, and nothing is uncertain. */
static void test_whole(void)
{
	g_autoptr(WeftEstimate) estimate = weft_estimate_new();

	for (int i = 1; i <= 5; i++) {
		weft_estimate_add_file(estimate, "x.txt", 1, FALSE);
		weft_estimate_add_work(estimate, "x.txt", i, NULL);
	}
	g_assert_cmpfloat_with_epsilon(weft_estimate_total(estimate).times, 1, 1e-12);
	g_assert_cmpfloat_with_epsilon(weft_estimate_total(estimate).error, 0, 1e-12);
}

static void test_nothing(void)
{
	g_autoptr(WeftEstimate) estimate = weft_estimate_new();

	g_assert_cmpfloat(weft_estimate_total(estimate).times, ==, 0);
	weft_estimate_add_file(estimate, "x.txt", 1, FALSE);
	g_assert_cmpfloat(weft_estimate_total(estimate).times, ==, 0);
}

/* Names that a person makes up can't make the table grow without end. */
static void test_many_classes(void)
{
	g_autoptr(WeftEstimate) estimate = weft_estimate_new();

	for (int i = 0; i < 1000; i++) {
		g_autofree char *name = g_strdup_printf("x.e%d", i);

		weft_estimate_add_file(estimate, name, 1, FALSE);
		weft_estimate_add_work(estimate, name, 1, NULL);
	}
	g_assert_cmpuint(weft_estimate_n_classes(estimate), <=, 65);
	g_assert_cmpfloat_with_epsilon(weft_estimate_total(estimate).times, 1, 1e-9);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/estimate/total", test_total);
	g_test_add_func("/estimate/classes", test_classes);
	g_test_add_func("/estimate/single", test_single);
	g_test_add_func("/estimate/whole", test_whole);
	g_test_add_func("/estimate/nothing", test_nothing);
	g_test_add_func("/estimate/many-classes", test_many_classes);
	return g_test_run();
}
