#include "pipeline/replay.h"

#include <string.h>

#include "base/error.h"
#include "pipeline/track_sound.h"

/* A gap of pages that are not needed: rendering a few costs less than opening anew. */
#define PAGES_PASSED_MAX 8

/* Where pixels and samples come from. */
typedef struct Pixels {
	WeftDecoding *decoding;
	guint32 page; /* the last that it gave */
} Pixels;

WeftJournal *weft_replay_begin(WeftStash *stash, const char *key, WeftJournalReader **ret_known)
{
	*ret_known = NULL;
	for (guint i = 0; stash != NULL && i < 2; i++) {
		g_autoptr(WeftJournal) journal = weft_stash_begin(stash, key);
		g_autoptr(WeftJournalReader) check = NULL;

		if (journal == NULL || (weft_journal_position(journal) == 0 &&
					!weft_journal_is_complete(journal)))
			return g_steal_pointer(&journal);
		check = weft_journal_reader_new(journal, NULL);
		if (check != NULL && weft_entries_are_sound(check))
			*ret_known = weft_journal_reader_new(journal, NULL);
		if (*ret_known != NULL)
			return g_steal_pointer(&journal);
		weft_stash_forget(stash, key);
	}
	return NULL;
}

static gboolean is_visual(const WeftPart *part)
{
	return part->kind == WEFT_PART_RASTER || part->kind == WEFT_PART_FRAME ||
	       part->kind == WEFT_PART_PCM;
}

static gboolean is_looked_at(const WeftDecodeFlow *flow, const WeftItem *item, gboolean is_seen)
{
	if (item->kind != WEFT_ITEM_PART || !is_visual(item->part))
		return FALSE;
	if (item->part->kind != WEFT_PART_PCM && item->picture == WEFT_PICTURE_UNREAD &&
	    flow->run->reader != WEFT_READ_NONE)
		return TRUE;
	return !is_seen && weft_run_shows(flow->run, item);
}

static gboolean open_pixels(const WeftDecodeFlow *flow, Pixels *pixels, guint32 page, GError **error)
{
	WeftDecodeOptions options = *flow->options;

	if (pixels->decoding != NULL &&
	    (page == 0 || (page > pixels->page && page - pixels->page <= PAGES_PASSED_MAX)))
		return TRUE;
	g_clear_pointer(&pixels->decoding, weft_decoding_close);
	if (flow->sniff.family == WEFT_FAMILY_PDF) {
		options.page_from = page;
		pixels->page = page - 1;
	}
	pixels->decoding = weft_ingest_decode(flow->run->ingest, &flow->sniff, flow->fd, NULL, &options,
					      error);
	return pixels->decoding != NULL;
}

static gboolean is_same(const WeftPart *a, const WeftPart *b)
{
	return a->kind == b->kind && weft_anchor_equal(&a->anchor, &b->anchor) &&
	       a->raster.width == b->raster.width && a->raster.height == b->raster.height &&
	       a->pcm.n_samples == b->pcm.n_samples;
}

/* Puts the pixels or samples into the item's part. */
static gboolean add_pixels(const WeftDecodeFlow *flow, Pixels *pixels, WeftItem *item, GError **error)
{
	guint32 page = flow->sniff.family == WEFT_FAMILY_PDF ? item->part->anchor.page : 0;
	WeftPart *part;

	if (!open_pixels(flow, pixels, page, error))
		return FALSE;
	while (weft_decoding_next(pixels->decoding, &part, error)) {
		if (part == NULL || (page > 0 && part->kind == WEFT_PART_PAGE && part->page.n > page)) {
			weft_part_free(part);
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CHANGED,
				    "what was read of it before does not fit; run again");
			return FALSE;
		}
		if (part->kind == WEFT_PART_PAGE)
			pixels->page = part->page.n;
		if (is_same(part, item->part)) {
			weft_part_free(item->part);
			item->part = part;
			return TRUE;
		}
		weft_part_free(part);
	}
	return FALSE;
}

void weft_replay_tally(WeftDecodeFlow *flow, const WeftItem *item)
{
	const WeftPart *part = item->part;

	if (item->kind == WEFT_ITEM_FAULT && strcmp(item->fault->stage, "decode") == 0) {
		g_autoptr(WeftPart) fault = weft_part_new(WEFT_PART_FAULT, item->fault->at);

		fault->fault = g_error_copy(item->fault->error);
		flow->known_bytes += weft_part_output_bytes(fault);
		weft_decode_flow_tally_fault(flow, item->fault->error, &item->fault->at);
	}
	if (part == NULL)
		return;
	if (part->kind == WEFT_PART_FAULT) {
		weft_decode_flow_tally(flow, part);
		return;
	}
	if (part->content == NULL || part->content->by == WEFT_BY_FILE ||
	    part->content->by == WEFT_BY_OCR_LAYER)
		flow->known_bytes += weft_part_output_bytes(part);
	weft_decode_flow_tally(flow, part);
	if (part->kind == WEFT_PART_PAGE)
		WEFT_COUNT(flow->run, n_pages_kept, 1);
}

bool weft_replay_send(WeftDecodeFlow *flow, WeftJournalReader *reader, const WeftAnchor *seen,
		      GError **error)
{
	Pixels pixels = {0};
	gboolean is_seen = seen != NULL;
	const guint8 *data;
	gsize size_bytes;
	guint8 kind;
	bool is_sent = true;

	while (is_sent && !weft_runner_is_cancelled(flow->runner)) {
		g_autoptr(WeftItem) item = NULL;

		if (weft_stop_is_asked(flow->run->stop)) {
			is_sent = weft_item_send_stop(flow->runner, flow->number);
			break;
		}
		is_sent = weft_journal_next(reader, &kind, &data, &size_bytes, error);
		if (!is_sent || kind == 0)
			break;
		if (kind == WEFT_JOURNAL_MARK || kind == WEFT_JOURNAL_END)
			continue;
		item = weft_entry_read(kind, data, size_bytes, flow->number, error);
		if (item == NULL ||
		    (is_looked_at(flow, item, is_seen) && !add_pixels(flow, &pixels, item, error))) {
			is_sent = false;
			break;
		}
		if (is_seen && item->part != NULL && is_visual(item->part) &&
		    weft_anchor_equal(&item->part->anchor, seen))
			is_seen = FALSE;
		weft_replay_tally(flow, item);
		if (item->kind == WEFT_ITEM_SOUNDING) {
			flow->is_heard = TRUE;
			flow->is_apart |= weft_track_sound_is_side(item->bytes);
		}
		is_sent = weft_runner_send(flow->runner, g_steal_pointer(&item));
	}
	weft_decoding_close(pixels.decoding);
	return is_sent && !weft_runner_is_cancelled(flow->runner);
}
