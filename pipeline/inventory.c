#include "pipeline/inventory.h"

#include <unistd.h>

#include "base/error.h"
#include "pipeline/replay.h"

/* ---- the first time ---- */

typedef struct Look {
	WeftRun *run;
	WeftRunner *runner;
	WeftDocument *document;
	WeftDecodeOptions options;
	WeftJournal *journal;
	WeftSearchText *text;
	guint64 n_pages;
	double seconds;
	gboolean is_left; /* the run is stopping */
} Look;

static void take_words(Look *look, const WeftPart *part)
{
	if (part->kind == WEFT_PART_CONTENT)
		weft_search_text_add_content(look->text, part->content);
	else if (part->kind == WEFT_PART_META || part->kind == WEFT_PART_OUTLINE ||
		 part->kind == WEFT_PART_EMBEDDED)
		weft_search_text_add_about(look->text, part->value);
	else if (part->kind == WEFT_PART_PAGE)
		look->n_pages++;
	else if (part->kind == WEFT_PART_TRACK && part->track.seconds > look->seconds)
		look->seconds = part->track.seconds;
}

static void take_known(Look *look, WeftJournalReader *reader)
{
	const guint8 *data;
	gsize size_bytes;
	guint8 kind;

	while (weft_journal_next(reader, &kind, &data, &size_bytes, NULL) && kind != 0) {
		g_autoptr(WeftItem) item = NULL;

		if (kind != WEFT_JOURNAL_END)
			item = weft_entry_read(kind, data, size_bytes, 0, NULL);
		if (item != NULL && item->part != NULL)
			take_words(look, item->part);
	}
}

static void mark(Look *look, guint64 position)
{
	g_autoptr(WeftItem) item = weft_item_new(WEFT_ITEM_MARK, 0);

	item->position = position;
	if (look->journal != NULL &&
	    !weft_document_has_changed(&look->document->status, look->document->fd))
		weft_entry_write(look->journal, item);
}

/* Takes the part; the items that decode would have sent. */
static void take_part(Look *look, WeftPart *part)
{
	g_autoptr(WeftItem) item = weft_item_new(WEFT_ITEM_PART, 0);

	if (part->kind == WEFT_PART_FAULT) {
		g_autoptr(WeftItem) fault = weft_item_new(WEFT_ITEM_FAULT, 0);

		fault->fault = weft_part_fault_new("decode", g_steal_pointer(&part->fault),
						   &part->anchor);
		if (look->journal != NULL)
			weft_entry_write(look->journal, fault);
	} else {
		take_words(look, part);
	}
	item->part = part;
	if (look->journal != NULL && (part->kind != WEFT_PART_FAULT || part->page.n > 0))
		weft_entry_write(look->journal, item);
}

static gboolean decode_rest(Look *look, guint64 position, GError **error)
{
	WeftFamily family = look->document->sniff.family;
	g_autoptr(WeftDecoding) decoding = NULL;
	WeftPart *part = NULL;
	guint64 n_parts = 0;

	if (family == WEFT_FAMILY_PDF)
		look->options.page_from = (guint32)MIN(position, G_MAXUINT32);
	decoding = weft_ingest_decode(look->run->ingest, &look->document->sniff, look->document->fd,
				      NULL, &look->options, error);
	if (decoding == NULL)
		return FALSE;
	while (weft_decoding_next(decoding, &part, error)) {
		if (part == NULL)
			return TRUE;
		if (family == WEFT_FAMILY_PDF && part->kind == WEFT_PART_PAGE)
			mark(look, part->page.n);
		look->is_left = weft_stop_is_asked(look->run->stop) ||
				weft_runner_is_cancelled(look->runner);
		if (look->is_left) {
			weft_part_free(part);
			return FALSE;
		}
		if (family == WEFT_FAMILY_AV && n_parts++ < position) {
			weft_part_free(part);
			continue;
		}
		take_part(look, part);
		if (family == WEFT_FAMILY_AV)
			mark(look, n_parts);
	}
	return FALSE;
}

/* FALSE: a helper has ended. That they have changed will be told by the record. */
static gboolean take_captions(Look *look, GError **error)
{
	g_autoptr(GPtrArray) contents = NULL;
	g_autoptr(GPtrArray) faults = NULL;
	GError *failure = NULL;

	if (!weft_sidecar_read(look->document->sidecar, look->run->ingest, &look->options, &contents,
			       &faults, &failure)) {
		if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE)) {
			g_propagate_error(error, failure);
			return FALSE;
		}
		g_clear_error(&failure);
	}
	for (guint i = 0; contents != NULL && i < contents->len; i++)
		weft_search_text_add_content(look->text, contents->pdata[i]);
	return TRUE;
}

/* FALSE with an error: a helper has ended. What else goes wrong will be told by the record. */
static gboolean decode(Look *look, GError **error)
{
	WeftStash *stash = look->run->stash;
	g_autoptr(WeftJournalReader) known = NULL;
	GError *failure = NULL;
	gboolean is_whole;
	char key[65];

	weft_content_key(look->run, WEFT_READ_NONE, &look->options, look->document, key);
	look->journal = weft_replay_begin(stash, key, &known);
	if (look->document->sidecar != NULL && !take_captions(look, error))
		return FALSE;
	if (known != NULL)
		take_known(look, known);
	is_whole = (known != NULL && weft_journal_reader_is_complete(known)) ||
		   decode_rest(look, known != NULL ? weft_journal_position(look->journal) : 0,
			       &failure);
	/* What was read of a file that has changed may be of other bytes. */
	look->is_left |= weft_document_has_changed(&look->document->status, look->document->fd);
	if (look->journal != NULL && is_whole && !look->is_left)
		weft_journal_end(look->journal);
	if (look->journal != NULL && !look->is_left) /* those that came first are asked first */
		weft_stash_keep(stash, g_steal_pointer(&look->journal), FALSE);
	g_clear_pointer(&look->journal, weft_journal_close);
	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_GONE)) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	g_clear_error(&failure);
	return TRUE;
}

static gboolean note_found(Look *look, GError **error)
{
	const WeftDocument *document = look->document;
	struct stat status = weft_document_row_status(document);
	const WeftFoundFile file = {
		.id = document->id,
		.path = document->path,
		.status = document->has_status ? &status : NULL,
		.media_type = document->sniff.media_type,
		.n_pages = look->n_pages,
		.seconds = look->seconds,
	};

	WEFT_COUNT(look->run, n_found, 1);
	if (weft_store_put_found(look->run->store, &file, look->text, error))
		return TRUE;
	look->run->failed_to_write = TRUE;
	return FALSE;
}

bool weft_inventory_take(WeftRun *run, WeftRunner *runner, WeftDocument *take_document,
			 const char *const *passwords, GError **error)
{
	g_autoptr(WeftDocument) document = take_document;
	g_autoptr(WeftSearchText) text = weft_search_text_new();
	Look look = {.run = run,
		     .runner = runner,
		     .document = document,
		     .options = weft_decode_flow_options(run, passwords),
		     .text = text};
	gboolean is_good = TRUE;

	/* What can't be opened, or has its record already, is the second look's. */
	if (!document->is_left && document->sha256[0] != '\0' &&
	    !weft_store_has(run->store, document->id)) {
		is_good = document->fault != NULL || decode(&look, error);
		if (is_good && !look.is_left)
			is_good = note_found(&look, error);
	}
	if (document->fd >= 0)
		close(document->fd);
	document->fd = -1;
	return is_good && !weft_runner_is_cancelled(runner);
}

/* ---- the second time ---- */

/* A page as it was decoded without pixels, or what stands before the first. */
typedef struct Page {
	guint32 n; /* 0: before the first */
	gboolean has_text;
	GPtrArray *items; /* WeftItem */
} Page;

typedef struct Reuse {
	WeftDecodeFlow *flow;
	guint64 position;
	guint32 gap_first; /* pages from here on have to be decoded; 0: none have */
	Page page;
} Reuse;

static bool decode_gap(Reuse *reuse, guint32 page_last, GError **error)
{
	guint32 first = reuse->gap_first;

	reuse->gap_first = 0;
	return first == 0 || weft_decode_flow_send(reuse->flow, first, page_last, error);
}

static bool send_items(Reuse *reuse)
{
	bool is_sent = true;

	for (guint i = 0; i < reuse->page.items->len && is_sent; i++) {
		WeftItem *item = g_steal_pointer(&reuse->page.items->pdata[i]);

		item->is_replayed = FALSE; /* it is new to this journal */
		weft_replay_tally(reuse->flow, item);
		is_sent = weft_runner_send(reuse->flow->runner, item);
	}
	return is_sent;
}

/* The page is whole: sent, or left to the gap. */
static bool end_page(Reuse *reuse, GError **error)
{
	Page *page = &reuse->page;
	bool is_sent = true;

	if (page->n == 0)
		is_sent = reuse->position > 0 || send_items(reuse);
	else if (page->n < reuse->position)
		is_sent = true;
	else if (page->has_text)
		is_sent = decode_gap(reuse, page->n - 1, error) &&
			  weft_decode_flow_mark(reuse->flow, page->n) && send_items(reuse);
	else if (reuse->gap_first == 0)
		reuse->gap_first = page->n;
	page->has_text = FALSE;
	g_ptr_array_set_size(page->items, 0);
	return is_sent;
}

static void free_item(void *item)
{
	weft_item_free(item);
}

static bool send_pages(Reuse *reuse, WeftJournalReader *reader, GError **error)
{
	const guint8 *data;
	gsize size_bytes;
	guint8 kind;

	while (weft_journal_next(reader, &kind, &data, &size_bytes, error)) {
		g_autoptr(WeftItem) item = NULL;

		if (kind == 0)
			return end_page(reuse, error) && decode_gap(reuse, 0, error);
		if (kind == WEFT_JOURNAL_MARK || kind == WEFT_JOURNAL_END)
			continue;
		item = weft_entry_read(kind, data, size_bytes, reuse->flow->number, error);
		if (item == NULL)
			return false;
		if (item->part != NULL && item->part->kind == WEFT_PART_PAGE) {
			if (!end_page(reuse, error))
				return false;
			if (weft_stop_is_asked(reuse->flow->run->stop))
				return weft_item_send_stop(reuse->flow->runner, reuse->flow->number);
			reuse->page.n = item->part->page.n;
		}
		if (item->part != NULL && weft_part_is_visible_text(item->part))
			reuse->page.has_text = TRUE;
		g_ptr_array_add(reuse->page.items, g_steal_pointer(&item));
	}
	return false;
}

/* Recordings without a picture that nobody will hear, and plain text, are the same either way. */
static gboolean is_same_without_pixels(const WeftDecodeFlow *flow, WeftJournalReader *reader)
{
	const guint8 *data;
	gsize size_bytes;
	guint8 kind;
	gboolean is_same = flow->sniff.family == WEFT_FAMILY_TEXT ||
			   (flow->sniff.family == WEFT_FAMILY_AV && !flow->options->want_pcm &&
			    flow->run->ears == NULL);

	while (is_same && weft_journal_next(reader, &kind, &data, &size_bytes, NULL) && kind != 0) {
		g_autoptr(WeftItem) item = NULL;

		if (kind != WEFT_JOURNAL_END)
			item = weft_entry_read(kind, data, size_bytes, 0, NULL);
		is_same = item == NULL || item->part == NULL ||
			  item->part->kind != WEFT_PART_TRACK ||
			  g_strcmp0(item->part->track.kind, "video") != 0;
	}
	return is_same;
}

/* What was decoded then; NULL when it is of no use. */
static WeftJournalReader *look_up(const WeftDecodeFlow *flow, const WeftDocument *document)
{
	WeftRun *run = flow->run;
	WeftDecodeOptions options = weft_decode_flow_options(run, NULL);
	g_autoptr(WeftJournalReader) check = NULL;
	char key[65];

	if (run->stash == NULL || !run->task->reads || run->task->pictures == WEFT_PICTURES_ALL ||
	    flow->sniff.family == WEFT_FAMILY_IMAGE)
		return NULL;
	weft_content_key(run, WEFT_READ_NONE, &options, document, key);
	check = weft_stash_look(run->stash, key);
	if (check == NULL || !weft_journal_reader_is_complete(check) ||
	    !weft_entries_are_sound(check))
		return NULL;
	if (flow->sniff.family != WEFT_FAMILY_PDF) {
		g_autoptr(WeftJournalReader) all = weft_stash_look(run->stash, key);

		if (all == NULL || !is_same_without_pixels(flow, all))
			return NULL;
	}
	return weft_stash_look(run->stash, key);
}

bool weft_inventory_send(WeftDecodeFlow *flow, const WeftDocument *document, guint64 position,
			 GError **error)
{
	g_autoptr(WeftJournalReader) reader = look_up(flow, document);
	g_autoptr(GPtrArray) items = NULL;
	Reuse reuse = {.flow = flow, .position = position};

	/* A recording that was begun is decoded to its end: its marks count parts. */
	if (reader == NULL || flow->captions != NULL ||
	    (flow->sniff.family != WEFT_FAMILY_PDF && position > 0))
		return weft_decode_flow_send(flow, position, 0, error);
	items = g_ptr_array_new_with_free_func(free_item);
	reuse.page.items = items;
	return send_pages(&reuse, reader, error);
}
