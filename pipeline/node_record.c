/* node_record.c - everything that came of a document becomes its record.
 */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "pipeline/members.h"
#include "pipeline/record_ledger.h"
#include "pipeline/record_settle.h"
#include "pipeline/run.h"
#include "pipeline/slides.h"

/* Contents of a document that wait in memory for its end; what is more waits in a file. Documents of a
 * few hundred pages have less. */
#define CONTENTS_BYTES_MAX ((gsize)1 << 20)

typedef struct Building {
	WeftDocument *document;
	WeftRecord *record;
	GHashTable *confidences; /* pointer (char *) -> double *; NULL: no answer yet */
	GHashTable *declines;    /* pointer -> GUINT_TO_POINTER(WeftDecline) of the nulls that have one */
	WeftRouting *routing;    /* of all answers; NULL: not counted */
	double output_bytes; /* of its contents */
	gsize contents_bytes; /* of them in memory */
	WeftPartFault *changed; /* the file was written to while it was decoded; NULL: it was not */
	WeftFileSound sound; /* of the file at hand */
	GArray *files;       /* WeftFileSound: of those that are over (record_ledger.h) */
	WeftHeardCounts heard; /* of all */
	guint type;          /* of the task's types, from 1; 0: of none */
	guint64 begin_ns;
} Building;

typedef struct Records {
	WeftRun *run;
	WeftLimits limits;
	GHashTable *buildings; /* number of the document -> Building */
	WeftRouting *routing;  /* of all documents */
} Records;

static void building_free(void *data)
{
	Building *building = data;

	weft_document_free(building->document);
	weft_part_fault_free(building->changed);
	weft_record_free(building->record);
	g_clear_pointer(&building->confidences, g_hash_table_unref);
	g_hash_table_unref(building->declines);
	weft_routing_free(building->routing);
	g_array_unref(building->files);
	g_free(building);
}

static gboolean record_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Records *records = g_new0(Records, 1);

	records->run = shared;
	records->limits = records->run->job->limits;
	weft_limits_fill(&records->limits);
	records->buildings =
	    g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, building_free);
	*ret_state = records;
	return TRUE;
}

/* What is known before anything is decoded. */
static WeftRecord *record_of(const WeftRun *run, const WeftDocument *document)
{
	WeftRecord *record = weft_record_new();

	record->id = g_strdup(document->id);
	record->sha256 = document->sha256[0] != '\0' ? g_strdup(document->sha256) : NULL;
	record->size_bytes = document->size_bytes;
	if (document->sniff.media_type != NULL)
		record->media_type = g_strdup(document->sniff.media_type);
	if (document->members == NULL)
		g_ptr_array_add(record->paths, g_strdup(document->path));
	if (record->sha256 != NULL && document->sidecar_path != NULL) {
		record->sidecar_path = g_strdup(document->sidecar_path);
		if (document->sidecar_sha256[0] != '\0')
			record->sidecar_sha256 = g_strdup(document->sidecar_sha256);
	}
	if (run->guard != NULL) {
		const WeftBundle *guard = weft_engine_bundle(run->guard);

		weft_record_set_guard(record, weft_bundle_name(guard), weft_bundle_id(guard));
	}
	if (document->is_skipped)
		record->status = WEFT_STATUS_SKIPPED;
	if (document->fault != NULL)
		weft_record_add_fault(record, document->fault->stage, document->fault->error,
		                      &document->fault->at);
	return record;
}

/* Takes the document out of the item. */
static void begin_record(Records *records, WeftItem *item)
{
	Building *building = g_new0(Building, 1);
	guint64 *key = g_new(guint64, 1);

	building->document = g_steal_pointer(&item->begin);
	building->record = record_of(records->run, building->document);
	building->files = g_array_new(FALSE, TRUE, sizeof(WeftFileSound));
	if (building->document->members != NULL) /* they count from 1 */
		g_array_set_size(building->files, 1);
	building->declines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	building->begin_ns = weft_trace_now_ns();
	*key = building->document->number;
	g_hash_table_insert(records->buildings, key, building);
}

/* ---- several files that are one document ---- */

/* The member goes back into its document. */
static void begin_member(Building *building, WeftItem *item)
{
	const WeftDocument *member = item->begin;
	WeftRecordPart part = {
	    .n = member->member,
	    .name = g_strdup(member->name),
	    .sha256 = member->sha256[0] != '\0' ? g_strdup(member->sha256) : NULL,
	    .size_bytes = member->size_bytes,
	    .media_type = g_strdup(member->sniff.media_type),
	    .sidecar_name = g_strdup(member->sidecar_name),
	};

	if (member->sidecar_sha256[0] != '\0')
		part.sidecar_sha256 = g_strdup(member->sidecar_sha256);
	g_array_append_val(building->record->parts, part);
	g_ptr_array_add(building->document->members, g_steal_pointer(&item->begin));
}

/* The file at hand is over, whether it is the only one or not. */
static void end_file(Building *building, const WeftItem *end)
{
	WeftRecord *record = building->record;

	building->sound.is_heard = end->heard.is_heard;
	building->sound.missing = end->ledgers.milliseconds;
	g_array_append_val(building->files, building->sound);
	building->sound = (WeftFileSound){0};
	record->page_ledger.in += end->ledgers.pages.in;
	record->page_ledger.failed += end->ledgers.pages.failed;
	record->page_ledger.skipped += end->ledgers.pages.skipped;
	weft_heard_add(&building->heard, &end->heard);
}

static void add_paths(WeftRecord *record, const WeftDocument *document)
{
	for (guint i = 0; document->members != NULL && i < document->members->len; i++) {
		const WeftDocument *member = document->members->pdata[i];

		g_ptr_array_add(record->paths, g_strdup(member->path));
	}
}

/* What was decoded is of other bytes than the hash: the record says that and no more, under the id
 * of what could not be read. */
static void forget_what_changed(const WeftRun *run, Building *building)
{
	WeftDocument *document = building->document;

	document->sha256[0] = '\0';
	document->fault = g_steal_pointer(&building->changed);
	if (document->members != NULL)
		weft_members_sort(document->members);
	weft_document_name(document, run->fingerprint);
	weft_record_free(building->record);
	building->record = record_of(run, document);
}

static void take_page(WeftRecord *record, guint32 document, const WeftPageFacts *facts)
{
	WeftPage page = {
	    .document = document,
	    .n = facts->n,
	    .width = facts->width,
	    .height = facts->height,
	    .rotation = facts->rotation,
	    .ink = facts->ink,
	};

	g_array_append_val(record->pages, page);
}

static void take_track(WeftRecord *record, guint32 document, const WeftTrackFacts *facts)
{
	WeftTrack track = {
	    .document = document,
	    .n = facts->n,
	    .kind = g_strdup(facts->kind),
	    .language = facts->language[0] != '\0' ? g_strdup(facts->language) : NULL,
	    .seconds = facts->seconds,
	};

	g_array_append_val(record->tracks, track);
}

/* It waits for the end of the document. */
static gboolean keep_content(const WeftRun *run, Building *building, WeftContent *take_content,
                             GError **error)
{
	WeftRecord *record = building->record;
	gsize size_bytes;

	weft_content_pack(take_content);
	g_ptr_array_add(record->contents, take_content);
	size_bytes = weft_content_bytes(take_content);
	if (run->state_dir == NULL || building->contents_bytes + size_bytes <= CONTENTS_BYTES_MAX) {
		building->contents_bytes += size_bytes;
		return TRUE;
	}
	if (record->spill == NULL)
		record->spill = weft_spill_new(run->state_dir);
	return weft_content_spill(take_content, record->spill, error);
}

/* What readers find counts, too, so the limit that decoding has kept is kept here again. */
static gboolean take_content(const Records *records, Building *building, WeftPart *part,
                             GError **error)
{
	guint32 n_files = MAX(building->document->n_members, 1); /* each may have so much */
	double limit_bytes = records->limits.output_bytes * n_files;
	gboolean was_full = building->output_bytes > limit_bytes;

	building->output_bytes += (double)weft_content_output_bytes(part->content);
	if (building->output_bytes > limit_bytes && building->sound.heard_ms == 0 &&
	    weft_ledger_is_sound(part->content))
		building->sound.unkept_ms += weft_ledger_milliseconds(&part->anchor);
	if (building->output_bytes <= limit_bytes)
		return keep_content(records->run, building, g_steal_pointer(&part->content), error);
	if (!was_full) {
		g_autoptr(GError) limit =
		    g_error_new(WEFT_ERROR, WEFT_ERROR_LIMIT,
		                "what was read from here on is not kept: limit output-bytes=%.15g",
		                limit_bytes);

		weft_record_add_fault(building->record, "record", limit, &part->anchor);
	}
	return TRUE;
}

static gboolean take_part(const Records *records, Building *building, WeftPart *part, GError **error)
{
	WeftRecord *record = building->record;
	guint32 document = part->anchor.document;
	WeftOutlineEntry entry = {document, NULL, part->level, part->anchor.page};
	WeftEmbedded embedded = {document, NULL, part->size_bytes};

	switch (part->kind) {
	case WEFT_PART_PAGE:
		take_page(record, document, &part->page);
		break;
	case WEFT_PART_TRACK:
		take_track(record, document, &part->track);
		break;
	case WEFT_PART_META:
		g_ptr_array_add(record->metadata, g_steal_pointer(&part->key));
		g_ptr_array_add(record->metadata, g_steal_pointer(&part->value));
		break;
	case WEFT_PART_OUTLINE:
		entry.title = g_steal_pointer(&part->value);
		g_array_append_val(record->outline, entry);
		break;
	case WEFT_PART_EMBEDDED:
		embedded.name = g_steal_pointer(&part->value);
		g_array_append_val(record->embedded, embedded);
		break;
	case WEFT_PART_CONTENT:
		return take_content(records, building, part, error);
	case WEFT_PART_PCM: /* Whisper has listened to it */
		building->sound.heard_ms += weft_ledger_sound(part);
		break;
	case WEFT_PART_FAULT: /* pages that were not read, for a limit */
		record->page_ledger.in += part->page.n;
		record->page_ledger.skipped += part->page.n;
		break;
	default: /* pictures have been looked at */
		break;
	}
	return TRUE;
}

static void add_routing(WeftRouting **sum, const WeftRouting *routing)
{
	if (*sum == NULL)
		*sum = weft_routing_copy(routing);
	else
		weft_routing_add(*sum, routing);
}

static void take_answer(Building *building, WeftItem *item)
{
	WeftRecord *record = building->record;
	WeftAnswer *answer = item->answer;

	record->n_text += answer->n_text;
	record->n_patch += answer->n_patch;
	record->n_audio += answer->n_audio;
	record->n_generated += answer->n_generated;
	if (answer->routing != NULL)
		add_routing(&building->routing, answer->routing);
	if (answer->json == NULL)
		return;
	g_free(record->answer);
	record->answer = g_steal_pointer(&answer->json);
	g_clear_pointer(&record->elements, g_array_unref);
	record->elements = g_steal_pointer(&item->elements);
	g_hash_table_remove_all(record->value_windows);
	g_hash_table_remove_all(record->value_pointed);
	g_hash_table_remove_all(building->declines);
	g_clear_pointer(&building->confidences, g_hash_table_unref);
	building->confidences = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = 0; i < answer->values->len; i++) {
		const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, i);

		g_hash_table_insert(building->confidences, g_strdup(value->pointer),
		                    g_memdup2(&value->confidence, sizeof value->confidence));
		if (value->decline != WEFT_DECLINE_NONE)
			g_hash_table_insert(building->declines, g_strdup(value->pointer),
			                    GUINT_TO_POINTER(value->decline));
		if (value->window > 0)
			g_hash_table_insert(record->value_windows, g_strdup(value->pointer),
			                    GUINT_TO_POINTER(value->window));
		if (value->pointed.is_known)
			g_hash_table_insert(record->value_pointed, g_strdup(value->pointer),
			                    g_memdup2(&value->pointed, sizeof value->pointed));
	}
	for (guint i = 0; item->withheld != NULL && i < item->withheld->len; i++) {
		WeftAbsent absent = {g_strdup(g_ptr_array_index(item->withheld, i)),
		                     "not_examined"};

		g_array_append_val(record->absent, absent);
	}
}

/* ---- the end of a document ---- */

/* pointer -> reason, of the nulls of which the model said one. The pointers are borrowed. */
static GHashTable *reasons_of(const WeftRun *run, const Building *building)
{
	GHashTable *reasons = g_hash_table_new(g_str_hash, g_str_equal);
	const char *of[WEFT_DECLINE_NOT_EXAMINED + 1]; /* a look at the whole record each, so once */
	GHashTableIter all;
	gpointer pointer, decline;

	for (guint i = 0; i < G_N_ELEMENTS(of); i++)
		of[i] = weft_record_reason_of_null(building->record, run, (WeftDecline)i);
	g_hash_table_iter_init(&all, building->declines);
	while (g_hash_table_iter_next(&all, &pointer, &decline))
		g_hash_table_insert(reasons, pointer, (gpointer)of[GPOINTER_TO_UINT(decline)]);
	return reasons;
}

/* A document in which there is nothing to ask about has the answer that says so. */
static void settle_answer(const WeftRun *run, Building *building, guint32 n_windows)
{
	WeftRecord *record = building->record;
	const WeftSchema *schema = weft_task_schema(run->task, building->type);

	if (schema == NULL || building->document->fault != NULL)
		return;
	if (run->task->tells_slides && record->contents->len > 0)
		weft_slides_answer(record);
	if (record->answer == NULL && n_windows == 0 && record->contents->len > 0)
		record->answer = weft_schema_null_instance(schema);
	if (record->answer != NULL) {
		g_autoptr(GError) failure = NULL;
		g_autoptr(GHashTable) reasons = reasons_of(run, building);
		const WeftTraceRules rules = {.reason_of_null = weft_record_reason_of_null(
						  record, run, WEFT_DECLINE_NONE),
		                              .reasons = reasons,
		                              .schema = schema,
		                              .usage = weft_task_usage(run->task, building->type)};

		if (!weft_record_trace(record, &rules, &failure))
			weft_record_add_fault(record, "trace", failure, NULL);
		weft_record_agree(record, weft_task_schema_tree(run->task, building->type),
		                  &rules.usage);
		weft_record_compare_readings(record);
	}
	for (guint i = 0; building->confidences != NULL && i < record->provenance->len; i++) {
		WeftProvenance *provenance = &g_array_index(record->provenance, WeftProvenance, i);
		const double *confidence =
		    g_hash_table_lookup(building->confidences, provenance->pointer);

		if (confidence != NULL && provenance->confidence < 0)
			provenance->confidence = *confidence * provenance->reading;
	}
}

static void add_run_fact(WeftRecord *record, const char *key, char *take_json)
{
	g_ptr_array_add(record->run, g_strdup(key));
	g_ptr_array_add(record->run, take_json);
}

static char *json_string(const char *text)
{
	GString *json = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, json);
	weft_json_write_string(&writer, text);
	return g_string_free(json, FALSE);
}

/* Of a recording, in a run that listens. */
static void add_heard(const WeftRun *run, WeftRecord *record, const WeftHeardCounts *heard)
{
	char skipped[G_ASCII_DTOSTR_BUF_SIZE];
	g_autofree char *name = json_string(weft_ears_name(run->ears));
	g_autofree char *id = json_string(weft_ears_id(run->ears));

	g_ascii_formatd(skipped, sizeof skipped, "%.2f", heard->skipped_s);
	add_run_fact(record, "heard",
		     g_strdup_printf("{\"by\": %s, \"id\": %s, \"windows\": %" G_GUINT64_FORMAT
				     ", \"encoder_calls\": %" G_GUINT64_FORMAT
				     ", \"decoder_passes\": %" G_GUINT64_FORMAT
				     ", \"seconds_skipped\": %s, \"terms_left_out\": %zu}",
				     name, id, heard->n_windows, heard->n_encodes,
				     heard->n_searches, skipped, heard->n_terms_left_out));
}

static void settle_run(const WeftRun *run, Building *building, const WeftHeardCounts *heard)
{
	char seconds[G_ASCII_DTOSTR_BUF_SIZE];
	g_autofree char *versions = weft_run_versions(run);
	WeftEngine *engine = run->engine != NULL ? run->engine : run->guard;
	const char *tier = engine != NULL ? weft_engine_tier(engine) : NULL;

	g_ascii_formatd(seconds, sizeof seconds, "%.3f",
	                (double)(weft_trace_now_ns() - building->begin_ns) / 1e9);
	add_run_fact(building->record, "weft", g_strdup("\"" WEFT_VERSION "\""));
	add_run_fact(building->record, "fingerprint", json_string(run->fingerprint));
	add_run_fact(building->record, "decoders", json_string(versions));
	add_run_fact(building->record, "seconds", g_strdup(seconds));
	if (tier != NULL)
		add_run_fact(building->record, "tier", g_strdup_printf("\"%s\"", tier));
	if (heard->is_heard)
		add_heard(run, building->record, heard);
	if (building->routing != NULL)
		add_run_fact(building->record, "routing", weft_routing_json(building->routing));
}

/* Few documents may well have use for few experts; all together should not. */
static WeftStep record_flush(void *state, WeftRunner *runner, GError **error)
{
	const Records *records = state;

	(void)runner, (void)error;
	for (gsize i = 0; records->routing != NULL && i < records->routing->n_layers; i++) {
		char *warning = weft_routing_warning(records->routing, i);

		if (warning != NULL)
			weft_run_say(records->run, warning);
	}
	return WEFT_STEP_MORE;
}

/* Of a document that is left nothing is kept: a part of it is not what the whole would be. */
static void note_fault(Building *building, const WeftItem *item)
{
	building->document->is_left |= weft_item_is_stop(item);
	if (building->changed == NULL &&
	    g_error_matches(item->fault->error, WEFT_ERROR, WEFT_ERROR_CHANGED))
		building->changed = weft_part_fault_new(
		    item->fault->stage, g_error_copy(item->fault->error), NULL);
	weft_record_add_fault(building->record, item->fault->stage, item->fault->error,
	                      &item->fault->at);
}

static bool end_record(Records *records, WeftRunner *runner, WeftItem *item)
{
	Building *building = g_hash_table_lookup(records->buildings, &item->document);
	WeftItem *out = weft_item_new(WEFT_ITEM_RECORD, item->document);
	WeftRecord *record = building->record;
	gboolean has_changed = building->changed != NULL;
	WeftSum sound;

	end_file(building, item);
	sound = weft_record_ledger_sound(record, building->files, item->unheard_ms);
	if (has_changed || building->document->is_left)
		out->ledgers = weft_record_ledger_unrecorded(record, building->document->is_left,
		                                             &sound);
	if (has_changed) {
		forget_what_changed(records->run, building);
		record = building->record;
		sound = (WeftSum){0};
	}
	if (!building->document->is_copy && !building->document->is_left) {
		weft_record_ledger_windows(record, item);
		weft_record_ledger_pages(record, records->run->task->reads);
		weft_record_ledger_seconds(record, &sound);
		weft_record_name_model(record, records->run);
		weft_record_settle_type(record, records->run, building->type);
		settle_answer(records->run, building, item->n_windows);
		settle_run(records->run, building, &building->heard);
		add_paths(record, building->document);
		if (building->routing != NULL)
			add_routing(&records->routing, building->routing);
		weft_record_settle(record);
		if (!has_changed)
			out->ledgers = weft_record_ledger_of(record, &sound);
		out->record = g_steal_pointer(&building->record);
	}
	out->begin = g_steal_pointer(&building->document);
	out->journal = g_steal_pointer(&item->journal);
	out->answers = g_steal_pointer(&item->answers);
	g_hash_table_remove(records->buildings, &item->document);
	return weft_runner_send(runner, out);
}

static WeftStep record_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Records *records = state;
	g_autoptr(WeftItem) item = take_item;
	Building *building;

	if (item->kind == WEFT_ITEM_BEGIN) {
		begin_record(records, item);
		return WEFT_STEP_MORE;
	}
	building = g_hash_table_lookup(records->buildings, &item->document);
	if (item->kind == WEFT_ITEM_PART && !take_part(records, building, item->part, error)) {
		records->run->failed_to_write = TRUE;
		return WEFT_STEP_FAILED;
	}
	if (item->kind == WEFT_ITEM_TYPE) {
		building->type = item->type;
		building->record->type = g_steal_pointer(&item->chosen);
	} else if (item->kind == WEFT_ITEM_FAULT)
		note_fault(building, item);
	else if (item->kind == WEFT_ITEM_MEMBER)
		begin_member(building, item);
	else if (item->kind == WEFT_ITEM_MEMBER_END)
		end_file(building, item);
	else if (item->kind == WEFT_ITEM_ANSWER)
		take_answer(building, item);
	else if (item->kind == WEFT_ITEM_VERDICT)
		weft_record_add_verdict(building->record, item->check, item->verdict,
		                        item->n_windows);
	else if (item->kind == WEFT_ITEM_END)
		return weft_step_after(end_record(records, runner, item));
	return WEFT_STEP_MORE;
}

static void record_done(void *state)
{
	Records *records = state;

	g_hash_table_unref(records->buildings);
	weft_routing_free(records->routing);
	g_free(records);
}

const WeftNodeClass weft_node_record = {"record", record_init, record_step, record_flush,
                                        record_done};
