#include "pipeline/ledger.h"

#include "base/error.h"
#include "pipeline/run.h"

static void set_up(WeftRun *run, WeftJob *job)
{
	*run = (WeftRun){.job = job};
	run->tally.progress = (WeftProgress){.n_inputs = 20, .is_listed = TRUE, .n_done = 7,
					     .n_partial = 1, .n_failed = 2, .n_skipped = 1,
					     .n_copies = 3, .n_unchanged = 4, .n_left = 2};
	run->tally.ledgers.pages = (WeftSum){.in = 30, .done = 20, .failed = 3, .skipped = 2, .left = 5};
	run->tally.ledgers.milliseconds = (WeftSum){.in = 1500, .done = 1000, .skipped = 500};
}

static void assert_message(WeftRun *run, const char *begin)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_ledger_check(run, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL);
	g_test_message("%s", error->message);
	g_assert_true(g_str_has_prefix(error->message, begin));
}

static void test_check(void)
{
	g_autoptr(WeftJob) job = weft_job_new();
	WeftRun run;

	set_up(&run, job);
	g_assert_true(weft_ledger_check(&run, NULL));
	run.tally.progress.n_copies--;
	assert_message(&run, "the ledger of files does not balance: 20 in, 19 accounted for, 7 done, 1 partial, "
			     "2 failed, 1 skipped, 2 copies, 4 unchanged, 0 elsewhere, 2 left;");
	set_up(&run, job);
	run.tally.ledgers.pages.done++; /* one twice */
	assert_message(&run, "the ledger of pages does not balance: 30 in, 31 accounted for, 21 done, 3 failed, "
			     "2 skipped, 5 left;");
	set_up(&run, job);
	run.tally.ledgers.milliseconds.in++;
	assert_message(&run, "the ledger of milliseconds does not balance: 1501 in, 1500 accounted for");
	job->is_dry = TRUE; /* nothing goes anywhere */
	g_assert_true(weft_ledger_check(&run, NULL));
}

/* Of a run that ended by an error what nobody saw is left. */
static void test_close(void)
{
	g_autoptr(WeftJob) job = weft_job_new();
	WeftRun run;

	set_up(&run, job);
	run.tally.progress.n_left = 1;
	weft_ledger_close(&run, TRUE);
	g_assert_cmpuint(run.tally.progress.n_left, ==, 1);
	weft_ledger_close(&run, FALSE);
	g_assert_cmpuint(run.tally.progress.n_left, ==, 2);
	g_assert_cmpuint(run.tally.ledgers.pages.left, ==, 5);
	g_assert_false(run.tally.progress.is_cut);
	g_assert_true(weft_ledger_check(&run, NULL));
	run.tally.progress = (WeftProgress){0};
	weft_ledger_close(&run, FALSE);
	g_assert_true(run.tally.progress.is_cut); /* it was not even listed */
}

static void test_milliseconds(void)
{
	WeftAnchor at = {.has_time = TRUE, .time = {0.0004, 1.5}};
	WeftAnchor back = {.has_time = TRUE, .time = {2, 1}};
	WeftAnchor none = {.time = {0, 1}};

	g_assert_cmpuint(weft_ledger_milliseconds(&at), ==, 1500);
	g_assert_cmpuint(weft_ledger_milliseconds(&back), ==, 0);
	g_assert_cmpuint(weft_ledger_milliseconds(&none), ==, 0);
	at.time[1] = 1e300;
	g_assert_cmpuint(weft_ledger_milliseconds(&at), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ledger/check", test_check);
	g_test_add_func("/ledger/close", test_close);
	g_test_add_func("/ledger/milliseconds", test_milliseconds);
	return g_test_run();
}
