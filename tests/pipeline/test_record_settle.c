#include "pipeline/record_settle.h"

#include "base/error.h"

static void add_fault(WeftRecord *record, int code)
{
	g_autoptr(GError) error = g_error_new(WEFT_ERROR, code, "x");

	weft_record_add_fault(record, "decode", error, NULL);
}

static void add_reading(WeftRecord *record, double confidence)
{
	WeftContent *content = weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_TESSERACT, g_strdup("l2,5O"),
	                                        (WeftAnchor){.page = 1});

	content->confidence = confidence;
	g_ptr_array_add(record->contents, content);
}

/* What is known of a document, and what its nulls mean then: without a word of the model, and with each. */
static void test_last_word(void)
{
	static const struct {
		const char *what;
		int fault;
		double reading;
		guint64 n_skipped;
		const char *reasons[4]; /* by WeftDecline */
	} rows[] = {
	    {"all was read well", 0, 0.9, 0, {"absent", "absent", "unreadable", "not_examined"}},
	    {"a reading is bad, and was shown", 0, 0.3, 0,
	     {"unreadable", "absent", "unreadable", "not_examined"}},
	    {"a page is damaged", WEFT_ERROR_CORRUPT, 0.9, 0,
	     {"unreadable", "unreadable", "unreadable", "not_examined"}},
	    {"a page was left out", WEFT_ERROR_LIMIT, 0.9, 0,
	     {"not_examined", "not_examined", "unreadable", "not_examined"}},
	    {"a window was not asked about", 0, 0.9, 1,
	     {"not_examined", "not_examined", "unreadable", "not_examined"}},
	    {"left out, and badly read", WEFT_ERROR_LIMIT, 0.3, 0,
	     {"not_examined", "not_examined", "unreadable", "not_examined"}},
	};
	const WeftRun run = {.job = NULL};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(WeftRecord) record = weft_record_new();

		add_reading(record, rows[i].reading);
		record->window_ledger.skipped = rows[i].n_skipped;
		if (rows[i].fault != 0)
			add_fault(record, rows[i].fault);
		for (guint d = 0; d < G_N_ELEMENTS(rows[i].reasons); d++) {
			g_test_message("%s, %u", rows[i].what, d);
			g_assert_cmpstr(weft_record_reason_of_null(record, &run, (WeftDecline)d), ==,
			                rows[i].reasons[d]);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/record-settle/last-word", test_last_word);
	return g_test_run();
}
