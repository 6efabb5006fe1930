#include "outputs/record.h"

#include "base/error.h"

static void clear_fault(gpointer item)
{
	WeftFault *fault = item;
	g_free(fault->stage);
	g_free(fault->message);
}

static void clear_part(gpointer item)
{
	WeftRecordPart *part = item;
	g_free(part->name);
	g_free(part->sha256);
	g_free(part->media_type);
	g_free(part->sidecar_name);
	g_free(part->sidecar_sha256);
}

static void clear_page(gpointer item)
{
	WeftPage *page = item;
	g_free(page->status);
}

static void clear_track(gpointer item)
{
	WeftTrack *track = item;
	g_free(track->kind);
	g_free(track->language);
}

static void clear_outline_entry(gpointer item)
{
	WeftOutlineEntry *entry = item;
	g_free(entry->title);
}

static void clear_embedded(gpointer item)
{
	WeftEmbedded *embedded = item;
	g_free(embedded->name);
}

static void clear_absent(gpointer item)
{
	WeftAbsent *absent = item;
	g_free(absent->pointer);
}

static void clear_provenance(gpointer item)
{
	WeftProvenance *provenance = item;
	g_free(provenance->pointer);
	g_free(provenance->quote);
	g_free(provenance->read);
	g_strfreev(provenance->readings);
	g_clear_pointer(&provenance->boxes, g_array_unref);
}

static GArray *new_array(gsize item_bytes, GDestroyNotify clear)
{
	GArray *array = g_array_new(FALSE, TRUE, item_bytes);
	g_array_set_clear_func(array, clear);
	return array;
}

WeftRecord *weft_record_new(void)
{
	WeftRecord *record = g_new0(WeftRecord, 1);
	record->paths = g_ptr_array_new_with_free_func(g_free);
	record->parts = new_array(sizeof(WeftRecordPart), clear_part);
	record->faults = new_array(sizeof(WeftFault), clear_fault);
	record->pages = new_array(sizeof(WeftPage), clear_page);
	record->tracks = new_array(sizeof(WeftTrack), clear_track);
	record->metadata = g_ptr_array_new_with_free_func(g_free);
	record->outline = new_array(sizeof(WeftOutlineEntry), clear_outline_entry);
	record->embedded = new_array(sizeof(WeftEmbedded), clear_embedded);
	record->contents = g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);
	record->absent = new_array(sizeof(WeftAbsent), clear_absent);
	record->agreements = new_array(sizeof(WeftAgreement), (GDestroyNotify)weft_agreement_done);
	record->provenance = new_array(sizeof(WeftProvenance), clear_provenance);
	record->windows = g_array_new(FALSE, TRUE, sizeof(WeftWindowFacts));
	record->value_windows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	record->value_pointed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	record->run = g_ptr_array_new_with_free_func(g_free);
	return record;
}

static void safety_free(WeftSafety *safety)
{
	if (!safety)
		return;
	for (int i = 0; i < WEFT_N_CHECKS; i++)
		g_free(safety->checks[i].verdict.reason);
	g_free(safety->model_name);
	g_free(safety->model_id);
	g_free(safety);
}

WeftTypeFacts *weft_type_facts_new(void)
{
	WeftTypeFacts *facts = g_new0(WeftTypeFacts, 1);
	facts->content = G_MAXUINT32;
	facts->confidence = -1;
	return facts;
}

void weft_type_facts_free(WeftTypeFacts *facts)
{
	if (!facts)
		return;
	g_free(facts->name);
	g_free(facts->word);
	g_free(facts->reason);
	g_free(facts);
}

void weft_record_free(WeftRecord *record)
{
	if (!record)
		return;
	g_free(record->id);
	g_free(record->sha256);
	g_free(record->media_type);
	g_free(record->sidecar_path);
	g_free(record->sidecar_sha256);
	g_ptr_array_unref(record->paths);
	g_array_unref(record->parts);
	g_array_unref(record->faults);
	g_array_unref(record->pages);
	g_array_unref(record->tracks);
	g_ptr_array_unref(record->metadata);
	g_array_unref(record->outline);
	g_array_unref(record->embedded);
	g_ptr_array_unref(record->contents);
	weft_spill_free(record->spill);
	g_free(record->answer);
	g_array_unref(record->absent);
	g_array_unref(record->agreements);
	g_array_unref(record->provenance);
	weft_type_facts_free(record->type);
	g_array_unref(record->windows);
	g_clear_pointer(&record->elements, g_array_unref);
	g_hash_table_unref(record->value_windows);
	g_hash_table_unref(record->value_pointed);
	g_free(record->model_name);
	g_free(record->model_id);
	g_free(record->model_type);
	g_free(record->adapter);
	g_free(record->adapter_id);
	safety_free(record->safety);
	g_ptr_array_unref(record->run);
	g_free(record);
}

void weft_record_add_fault(WeftRecord *record, const char *stage, const GError *fault,
			   const WeftAnchor *at)
{
	WeftFault copy = {
		.stage = g_strdup(stage),
		.code = fault->domain == WEFT_ERROR ? fault->code : WEFT_ERROR_INTERNAL,
		.message = g_strdup(fault->message),
	};
	if (at)
		copy.at = *at;
	g_array_append_val(record->faults, copy);
}

void weft_record_set_guard(WeftRecord *record, const char *name, const char *id)
{
	record->safety = g_new0(WeftSafety, 1);
	record->safety->model_name = g_strdup(name);
	record->safety->model_id = g_strdup(id);
}

static int badness(WeftVerdictKind kind)
{
	return kind == WEFT_VERDICT_UNSAFE ? 2 : kind == WEFT_VERDICT_NONE ? 1 : 0;
}

void weft_record_add_verdict(WeftRecord *record, WeftCheck check, const WeftVerdict *verdict,
			     guint32 n_windows)
{
	WeftChecked *checked = &record->safety->checks[check];
	WeftVerdict *joined = &checked->verdict;

	if (!checked->is_made || badness(verdict->kind) > badness(joined->kind))
		joined->kind = verdict->kind;
	joined->score = checked->is_made ? MAX(joined->score, verdict->score) : verdict->score;
	joined->categories |= verdict->categories;
	if (!joined->reason)
		joined->reason = g_strdup(verdict->reason);
	checked->n_windows += n_windows;
	checked->is_made = TRUE;
}

/* What is told of it, and nothing went wrong but that a limit cut it: a scan of which one page was
 * looked at, in a run that reads no pictures. */
static gboolean is_cut(const WeftRecord *record)
{
	for (guint i = 0; i < record->faults->len; i++)
		if (g_array_index(record->faults, WeftFault, i).code != WEFT_ERROR_LIMIT)
			return FALSE;
	return record->pages->len + record->tracks->len > 0;
}

void weft_record_settle(WeftRecord *record)
{
	if (record->status == WEFT_STATUS_SKIPPED)
		return;
	if (record->faults->len == 0)
		record->status = WEFT_STATUS_OK;
	else if (record->contents->len == 0 && !record->answer && !is_cut(record))
		record->status = WEFT_STATUS_FAILED;
	else
		record->status = WEFT_STATUS_PARTIAL;
}
