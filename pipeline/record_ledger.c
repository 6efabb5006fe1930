#include "pipeline/record_ledger.h"

#include <string.h>

#include "base/error.h"

static const WeftAnchor *place_of(const WeftContent *content)
{
	return &g_array_index(content->anchors, WeftAnchor, 0);
}

static const char *page_status(const WeftRecord *record, const WeftPage *page, gboolean reads)
{
	const char *status = NULL;

	for (guint i = 0; i < record->contents->len; i++) {
		const WeftContent *content = g_ptr_array_index(record->contents, i);
		const WeftAnchor *at = place_of(content);

		if (at->page != page->n || at->document != page->document || content->hidden)
			continue;
		if (content->kind == WEFT_CONTENT_BLANK)
			return "blank";
		if (content->text != NULL)
			status = "done";
	}
	for (guint i = 0; i < record->faults->len && status == NULL; i++) {
		const WeftFault *fault = &g_array_index(record->faults, WeftFault, i);

		if (fault->at.page != page->n || fault->at.document != page->document)
			continue;
		if (fault->code == WEFT_ERROR_NO_READER)
			status = "not_read";
		else
			status = fault->code == WEFT_ERROR_NOT_EXAMINED ? "skipped" : "failed";
	}
	if (status != NULL)
		return status;
	return reads ? "done" : "not_read";
}

void weft_record_ledger_pages(WeftRecord *record, gboolean reads)
{
	for (guint i = 0; i < record->pages->len; i++) {
		WeftPage *page = &g_array_index(record->pages, WeftPage, i);
		const char *status = page_status(record, page, reads);

		page->status = g_strdup(status);
		record->page_ledger.in++;
		if (strcmp(status, "failed") == 0)
			record->page_ledger.failed++;
		else if (strcmp(status, "not_read") == 0 || strcmp(status, "skipped") == 0)
			record->page_ledger.skipped++;
		else
			record->page_ledger.done++;
	}
}

static WeftFileSound *file_of(const GArray *files, const WeftAnchor *at)
{
	return &g_array_index(files, WeftFileSound, at->document < files->len ? at->document : 0);
}

static void find_captions(const WeftRecord *record, const GArray *files)
{
	for (guint i = 0; i < record->contents->len; i++) {
		const WeftContent *content = g_ptr_array_index(record->contents, i);

		if (content->kind == WEFT_CONTENT_SPEECH && content->text != NULL &&
		    content->by != WEFT_BY_WHISPER)
			file_of(files, place_of(content))->has_captions = TRUE;
	}
}

WeftSum weft_record_ledger_sound(const WeftRecord *record, const GArray *files, guint64 unheard_ms)
{
	WeftSum sum = {0};

	find_captions(record, files);
	for (guint i = 0; i < files->len; i++) {
		const WeftFileSound *file = &g_array_index(files, WeftFileSound, i);

		sum.in += file->unkept_ms + file->heard_ms + file->missing.in;
		sum.done += file->heard_ms;
		sum.failed += file->missing.failed;
	}
	for (guint i = 0; i < record->contents->len; i++) {
		const WeftContent *content = g_ptr_array_index(record->contents, i);
		const WeftFileSound *file = file_of(files, place_of(content));
		guint64 ms = weft_ledger_milliseconds(place_of(content));

		if (!weft_ledger_is_sound(content) ||
		    (file->is_heard && content->kind == WEFT_CONTENT_SILENCE))
			continue; /* all that was listened to has come as sound */
		sum.in += ms;
		if (content->kind == WEFT_CONTENT_SILENCE || file->has_captions || record->n_audio > 0)
			sum.done += ms;
	}
	if (record->n_audio > 0)
		sum.done -= MIN(unheard_ms, sum.done);
	/* what lies behind a limit was to be read, too, and what never came */
	for (guint i = 0; i < record->faults->len; i++) {
		const WeftFault *fault = &g_array_index(record->faults, WeftFault, i);

		if (fault->code == WEFT_ERROR_LIMIT && strcmp(fault->stage, "decode") == 0)
			sum.in += weft_ledger_milliseconds(&fault->at);
	}
	sum.skipped = sum.in - sum.done - sum.failed;
	return sum;
}

void weft_record_ledger_seconds(WeftRecord *record, const WeftSum *sound)
{
	record->second_ledger.in = (sound->in + 500) / 1000;
	record->second_ledger.done = MIN((sound->done + 500) / 1000, record->second_ledger.in);
	record->second_ledger.failed = MIN((sound->failed + 500) / 1000,
	                                   record->second_ledger.in - record->second_ledger.done);
	record->second_ledger.skipped = record->second_ledger.in - record->second_ledger.done -
	                                record->second_ledger.failed;
}

WeftLedgers weft_record_ledger_unrecorded(const WeftRecord *record, gboolean is_left,
                                          const WeftSum *sound)
{
	guint64 n_pages = record->pages->len + record->page_ledger.in; /* and those behind a limit */

	if (is_left)
		return (WeftLedgers){.pages.left = n_pages, .milliseconds.left = sound->in};
	return (WeftLedgers){.pages.failed = n_pages, .milliseconds.failed = sound->in};
}

WeftLedgers weft_record_ledger_of(const WeftRecord *record, const WeftSum *sound)
{
	const WeftLedger *pages = &record->page_ledger;

	return (WeftLedgers){
	    .pages = {.done = pages->done, .failed = pages->failed, .skipped = pages->skipped},
	    .milliseconds = {.done = sound->done, .failed = sound->failed,
	                     .skipped = sound->skipped},
	};
}

void weft_record_ledger_windows(WeftRecord *record, const WeftItem *end)
{
	guint64 n_asked = end->n_windows - end->n_windows_skipped;

	for (guint i = 0; end->windows != NULL && i < end->windows->len; i++) {
		WeftWindowFacts facts = g_array_index(end->windows, WeftWindowFacts, i);

		/* what lies behind a limit was not kept */
		if (facts.content_first < record->contents->len)
			facts.content_last = MIN(facts.content_last, record->contents->len - 1);
		else
			facts.content_first = facts.content_last = G_MAXUINT32;
		g_array_append_val(record->windows, facts);
	}
	record->window_ledger.in = end->n_windows;
	record->window_ledger.skipped = end->n_windows_skipped;
	for (guint i = 0; i < record->faults->len; i++) {
		const WeftFault *fault = &g_array_index(record->faults, WeftFault, i);

		/* LIMIT: it was answered, and the answer was cut. */
		if (strcmp(fault->stage, "answer") == 0 && fault->code != WEFT_ERROR_LIMIT)
			record->window_ledger.failed++;
	}
	record->window_ledger.failed = MIN(record->window_ledger.failed, n_asked);
	record->window_ledger.done = n_asked - record->window_ledger.failed;
}
