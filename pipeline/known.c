#include "pipeline/known.h"

#include <string.h>

#include "base/files.h"

static gboolean is_whole(WeftStatus status)
{
	return status == WEFT_STATUS_OK || status == WEFT_STATUS_SKIPPED;
}

/* What was said of it is lost with the run; its record has the words. */
static void tell(WeftRun *run, const char *path, const WeftKnown *known)
{
	g_autofree char *shown = weft_path_display(path);

	weft_run_say(run, g_strdup_printf("%s: %s, in a run that did not come to its end; weft show "
					  "%.12s says why", shown,
					  known->status == WEFT_STATUS_FAILED ? "failed" : "partial",
					  known->id + strlen("sha256:")));
}

gboolean weft_known_count(WeftRun *run, const char *path, const WeftKnown *known, GError **error)
{
	gboolean is_untold = FALSE;

	if (!is_whole(known->status) &&
	    !weft_store_take_over(run->store, known->id, &is_untold, error))
		return FALSE;
	if (is_untold) {
		if (known->status == WEFT_STATUS_FAILED)
			WEFT_COUNT(run, n_failed, 1);
		else
			WEFT_COUNT(run, n_partial, 1);
		tell(run, path, known);
		return TRUE;
	}
	WEFT_COUNT(run, n_unchanged, 1);
	if (!is_whole(known->status))
		WEFT_COUNT(run, n_known, 1);
	return TRUE;
}

/* Tried again, and no better and no worse than in an earlier run. */
static gboolean has_failed_again(const WeftKnown *before, const WeftRecord *record)
{
	WeftKnown now;

	weft_known_of_record(record, &now);
	return now.status == before->status && strcmp(now.faults, before->faults) == 0;
}

gboolean weft_known_is_news(WeftRun *run, const WeftDocument *document, const WeftRecord *record,
			    gboolean *ret_is_news, GError **error)
{
	gboolean is_untold = FALSE;

	*ret_is_news = TRUE;
	if (document->has_before &&
	    !weft_store_take_over(run->store, document->id, &is_untold, error))
		return FALSE;
	if (is_whole(record->status))
		return TRUE;
	*ret_is_news = !document->has_before || is_untold ||
		       !has_failed_again(&document->before, record);
	return !*ret_is_news || is_untold || weft_store_will_tell(run->store, document->id, error);
}
