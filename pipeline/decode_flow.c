#include "pipeline/decode_flow.h"

#include <math.h>

#include "base/error.h"

/* Raised when the same file would give other parts, or a reader other text, by a change of ours. */
#define READING_EPOCH "4"
#define FRAME_INTERVAL_S 10

WeftDecodeOptions weft_decode_flow_options(const WeftRun *run, const char *const *passwords)
{
	const WeftJob *job = run->job;

	return (WeftDecodeOptions){
		.page_dpi = job->page_dpi,
		.page_first = job->page_first,
		.page_last = job->page_last,
		.time_first = job->time_first,
		.time_end = job->time_end,
		.frame_interval_s = FRAME_INTERVAL_S,
		.passwords = passwords,
		.limits = job->limits,
	};
}

void weft_content_key(const WeftRun *run, WeftReadBy reader, const WeftDecodeOptions *options,
                      const WeftDocument *document, char ret_key[65])
{
	static const char *const readers[] = {"auto", "bundle", "tesseract", "none"};
	const WeftJob *job = run->job;
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autoptr(GString) text = g_string_new("content " READING_EPOCH "\n");

	g_string_append_printf(text, "%s\n%s\n%s\n%s\n", document->sha256,
	                       document->sniff.media_type, weft_ingest_versions(run->ingest),
	                       readers[reader]);
	/* Rasters of pages that have text are there only for tasks that show all. */
	if (options->want_rasters && run->task->pictures == WEFT_PICTURES_ALL)
		g_string_append(text, "all pictures\n");
	if (reader == WEFT_READ_TESSERACT)
		g_string_append_printf(text, "%s\n", job->ocr_languages);
	if (reader == WEFT_READ_BUNDLE) {
		char temperature[G_ASCII_DTOSTR_BUF_SIZE];

		g_ascii_dtostr(temperature, sizeof temperature, job->temperature);
		g_string_append_printf(text, "%s\n%s\n%s\n%" G_GUINT64_FORMAT "\n",
		                       weft_bundle_id(weft_engine_bundle(run->engine)),
		                       job->kv_type != NULL ? job->kv_type : "", temperature,
		                       job->seed);
	}
	if (document->sidecar_path != NULL)
		g_string_append_printf(text, "captions %s\n", document->sidecar_sha256);
	if (run->ears != NULL && document->sniff.family == WEFT_FAMILY_AV)
		weft_ears_describe(run->ears, text);
	g_checksum_update(sum, (const guchar *)text->str, (gssize)text->len);
	weft_decode_options_hash(options, sum);
	g_strlcpy(ret_key, g_checksum_get_string(sum), 65);
}

/* ---- parts ---- */

gboolean weft_part_is_visible_text(const WeftPart *part)
{
	const WeftContent *content = part->content;

	return part->kind == WEFT_PART_CONTENT && !content->hidden && content->text != NULL &&
	       (content->kind == WEFT_CONTENT_TEXT || content->kind == WEFT_CONTENT_TABLE);
}

static void note_part(WeftDecodeFlow *flow, const WeftPart *part)
{
	if (part->kind == WEFT_PART_EXTENT)
		flow->extent = part->extent;
	else if (part->kind == WEFT_PART_PAGE)
		flow->n_pages++;
	else if (part->kind == WEFT_PART_FAULT && part->page.n > 0)
		flow->has_cut = TRUE;
	else
		flow->sound_ms += weft_ledger_sound(part);
}

static void note_fault(WeftDecodeFlow *flow, const GError *fault, const WeftAnchor *at)
{
	flow->has_cut |= g_error_matches(fault, WEFT_ERROR, WEFT_ERROR_LIMIT) && at->has_time;
}

void weft_decode_flow_tally(WeftDecodeFlow *flow, const WeftPart *part)
{
	/* Of a recording that was listened to, all sound comes as PCM; silence is told beside it. */
	if (flow->is_heard && part->kind == WEFT_PART_CONTENT &&
	    part->content->kind == WEFT_CONTENT_SILENCE)
		return;
	weft_run_tally_part(flow->run, part);
	note_part(flow, part);
}

void weft_decode_flow_tally_fault(WeftDecodeFlow *flow, const GError *fault, const WeftAnchor *at)
{
	weft_run_tally_fault(flow->run, fault, at);
	note_fault(flow, fault, at);
}

WeftLedgers weft_decode_flow_end(const WeftDecodeFlow *flow, const GError *failure)
{
	const WeftExtent *extent = &flow->extent;
	guint64 stated_ms = (guint64)llround(CLAMP(extent->sound_s, 0, 1e9) * 1e3);
	guint64 n_pages = extent->n_pages - MIN(flow->n_pages, extent->n_pages);
	guint64 ms = failure != NULL ? stated_ms - MIN(flow->sound_ms, stated_ms) : 0;
	gboolean is_limit = g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_LIMIT);
	WeftLedgers end = {.pages = {.in = n_pages}, .milliseconds = {.in = ms}}, in;

	*(is_limit ? &end.pages.skipped : &end.pages.failed) = n_pages;
	*(is_limit ? &end.milliseconds.skipped : &end.milliseconds.failed) = ms;
	if (failure != NULL && !flow->has_cut) {
		guint64 cut_ms = (guint64)llround(CLAMP(extent->sound_s_cut, 0, 1e9) * 1e3);

		end.pages.in += extent->n_pages_cut;
		end.pages.skipped += extent->n_pages_cut;
		end.milliseconds.in += cut_ms;
		end.milliseconds.skipped += cut_ms;
	}
	in = (WeftLedgers){.pages.in = end.pages.in, .milliseconds.in = end.milliseconds.in};
	weft_run_add_ledgers(flow->run, &in);
	return end;
}

/* Takes the part. Sound that is listened to, and faults of it, are counted for the run by hear, which knows
 * what comes a second time. */
static bool send_part(WeftDecodeFlow *flow, WeftPart *part, guint32 *page_with_text)
{
	WeftItem *item;

	flow->known_bytes += weft_part_output_bytes(part);
	if (part->kind == WEFT_PART_FAULT) {
		bool is_sent;

		note_fault(flow, part->fault, &part->anchor);
		if (!flow->is_heard)
			weft_run_tally_fault(flow->run, part->fault, &part->anchor);
		is_sent = weft_item_send_fault(flow->runner, flow->number, "decode",
		                               g_steal_pointer(&part->fault), &part->anchor);

		/* Pages behind a limit: the part goes on, for the ledger. */
		weft_decode_flow_tally(flow, part);
		if (is_sent && part->page.n > 0)
			return weft_item_send_part(flow->runner, flow->number, part);
		weft_part_free(part);
		return is_sent;
	}
	note_part(flow, part);
	if (!flow->is_heard || part->kind != WEFT_PART_PCM)
		weft_run_tally_part(flow->run, part);
	item = weft_item_new(WEFT_ITEM_PART, flow->number);
	item->part = part;
	if (weft_part_is_visible_text(part))
		*page_with_text = part->anchor.page;
	else if (part->kind == WEFT_PART_RASTER && part->anchor.page > 0 &&
	         part->anchor.page == *page_with_text)
		item->picture = WEFT_PICTURE_READ;
	return weft_runner_send(flow->runner, item);
}

/* ---- captions that lie beside it ---- */

bool weft_decode_flow_caption(WeftDecodeFlow *flow, const WeftSidecar *sidecar, bool is_known,
			      GError **error)
{
	g_autoptr(GPtrArray) faults = NULL;
	bool is_sent = true;

	if (sidecar == NULL)
		return true;
	if (!weft_sidecar_read(sidecar, flow->run->ingest, flow->options, &flow->captions, &faults,
			       error))
		return false;
	for (guint i = 0; i < faults->len && !is_known && is_sent; i++)
		is_sent = weft_item_send_fault(flow->runner, flow->number, "decode",
					       g_error_copy(faults->pdata[i]), NULL);
	return is_sent;
}

/* Those that begin up to this time; `is_known`: they went before. */
static bool send_captions(WeftDecodeFlow *flow, double time_s, bool is_known)
{
	bool is_sent = true;

	while (flow->captions != NULL && flow->next_caption < flow->captions->len && is_sent) {
		WeftContent *content = flow->captions->pdata[flow->next_caption];

		if (g_array_index(content->anchors, WeftAnchor, 0).time[0] > time_s)
			break;
		flow->captions->pdata[flow->next_caption++] = NULL;
		if (is_known)
			weft_content_free(content);
		else
			is_sent = weft_item_send_content(flow->runner, flow->number, content);
	}
	return is_sent;
}

/* Subtitles inside a recording say the same once more. */
static void hide_subtitles(const WeftDecodeFlow *flow, const WeftPart *part)
{
	WeftContent *content = part->content;

	if (flow->captions == NULL || content == NULL || content->kind != WEFT_CONTENT_SPEECH ||
	    content->text == NULL)
		return;
	content->hidden = TRUE;
	g_free(content->reason);
	content->reason = g_strdup("sidecar");
}

/* What was said before the part. Chapters have their times, and come with the facts, before all. */
static bool send_before(WeftDecodeFlow *flow, const WeftPart *part, bool is_known)
{
	gboolean is_in_time = part->anchor.has_time && part->kind != WEFT_PART_OUTLINE;

	hide_subtitles(flow, part);
	return !is_in_time || send_captions(flow, part->anchor.time[0], is_known);
}

bool weft_decode_flow_mark(const WeftDecodeFlow *flow, guint64 position)
{
	WeftItem *item;

	if (flow->run->stash == NULL || weft_document_has_changed(&flow->status, flow->fd))
		return true;
	item = weft_item_new(WEFT_ITEM_MARK, flow->number);
	item->position = position;
	return weft_runner_send(flow->runner, item);
}

bool weft_decode_flow_send(WeftDecodeFlow *flow, guint64 position, guint32 page_last, GError **error)
{
	gboolean has_pages = flow->sniff.family == WEFT_FAMILY_PDF;
	gboolean has_time = flow->sniff.family == WEFT_FAMILY_AV;
	WeftDecodeOptions options = *flow->options;
	guint32 page_with_text = 0;
	guint64 n_parts = 0, n_known = has_time && position > 0 ? position - WEFT_POSITION_MEASURED : 0;
	g_autoptr(WeftDecoding) decoding = NULL;

	if (has_pages && position > 0)
		options.page_from = (guint32)MIN(position, G_MAXUINT32);
	if (page_last > 0)
		options.page_last = page_last;
	if (flow->is_heard)
		options.want_pcm = options.want_silence = TRUE;
	options.apart = flow->is_apart;
	decoding = weft_ingest_decode(flow->run->ingest, &flow->sniff, flow->fd, NULL, &options, error);
	if (decoding == NULL) /* what was said is known all the same */
		(void)send_captions(flow, INFINITY, false);
	if (decoding != NULL && has_pages)
		weft_decoding_add_known(decoding, flow->known_bytes);
	while (decoding != NULL && !weft_runner_is_cancelled(flow->runner)) {
		WeftPart *part = NULL;
		bool is_sent = true;

		if (!weft_decoding_next(decoding, &part, error)) {
			(void)send_captions(flow, INFINITY, false);
			return false;
		}
		if (part == NULL)
			return send_captions(flow, INFINITY, false);
		if (has_time)
			is_sent = send_before(flow, part, n_parts < n_known);
		if (has_time && n_parts++ < n_known) {
			weft_part_free(part);
			continue;
		}
		if (has_pages && part->kind == WEFT_PART_PAGE)
			is_sent = weft_decode_flow_mark(flow, part->page.n);
		/* A page that was begun is finished. */
		if (weft_stop_is_asked(flow->run->stop) &&
		    (!has_pages || part->kind == WEFT_PART_PAGE)) {
			weft_part_free(part);
			return is_sent && weft_item_send_stop(flow->runner, flow->number);
		}
		is_sent = is_sent && send_part(flow, part, &page_with_text);
		if (has_time && is_sent)
			is_sent = weft_decode_flow_mark(flow, n_parts + WEFT_POSITION_MEASURED);
		if (!is_sent)
			return false;
	}
	return false;
}
