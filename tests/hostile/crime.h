/* crime.h - what the tests of evil helper programs share: a host for them, and documents that name
 * what their workers are to do. */
#ifndef WEFT_TESTS_HOSTILE_CRIME_H
#define WEFT_TESTS_HOSTILE_CRIME_H

#include "tests/ingest/decoded.h"

/* Not `locked`: the walls stay down, for what a worker could not even try behind them. */
static inline WeftIngest *open_evil(gboolean locked)
{
	g_autoptr(GError) error = NULL;
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, &error);
	g_assert_no_error(error);
	g_assert_true(weft_ingest_lock(ingest, locked, &error));
	return ingest;
}

/* In the document `fd`, which says what. */
static inline Decoded commit_in(WeftIngest *ingest, int fd, double timeout_s)
{
	WeftDecodeOptions options = {.want_rasters = TRUE, .limits.total_s = timeout_s};
	return decode_fd(ingest, fd, &options);
}

static inline Decoded commit_crime(WeftIngest *ingest, const char *crime, double timeout_s)
{
	int fd = file_of(crime, strlen(crime));
	Decoded decoded = commit_in(ingest, fd, timeout_s);
	close(fd);
	return decoded;
}

#endif
