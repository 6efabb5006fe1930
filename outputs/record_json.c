#include "outputs/record_json.h"

#include <malloc.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "outputs/record_division.h"
#include "outputs/record_document.h"
#include "outputs/record_members.h"
#include "outputs/record_source.h"

#define TRIM_WORDS 800000u /* 16 MB */

static const char *const STATUS_NAMES[] = { "ok", "partial", "failed", "skipped" };
static const char *const PROVENANCE_NAMES[] = { "copied", "derived", "pointed", "matched", "none" };

const char *weft_status_name(WeftStatus status)
{
	return STATUS_NAMES[status];
}

gboolean weft_status_from_name(const char *name, WeftStatus *ret_status)
{
	for (gsize i = 0; i < G_N_ELEMENTS(STATUS_NAMES); i++) {
		if (g_strcmp0(name, STATUS_NAMES[i]) == 0) {
			*ret_status = (WeftStatus)i;
			return TRUE;
		}
	}
	return FALSE;
}

/* ---- small pieces ---- */

static void write_numbers(WeftJsonWriter *w, const char *key, const double *values, gsize n,
			  guint n_decimals)
{
	weft_json_write_key(w, key);
	weft_json_write_numbers(w, values, n, n_decimals);
}

static gboolean is_whole_document(const WeftAnchor *at)
{
	return at->document == 0 && at->page == 0 && at->track == 0 && !at->has_bbox && !at->has_time;
}

static void write_anchor(WeftJsonWriter *w, const WeftAnchor *at)
{
	weft_json_write_object(w);
	write_document_number(w, at->document);
	if (at->page)
		write_count(w, "page", at->page);
	if (at->track)
		write_count(w, "track", at->track);
	if (at->has_time)
		write_numbers(w, "time", at->time, 2, TIME_DECIMALS);
	if (at->has_bbox)
		write_numbers(w, "bbox", at->bbox, 4, BOX_DECIMALS);
	weft_json_write_object_end(w);
}

/* An anchor that is the whole document says nothing: the list is empty then. */
static void write_anchors(WeftJsonWriter *w, const WeftAnchor *anchors, gsize n)
{
	weft_json_write_key(w, "at");
	weft_json_write_array(w);
	for (gsize i = 0; i < n; i++)
		if (!is_whole_document(&anchors[i]))
			write_anchor(w, &anchors[i]);
	weft_json_write_array_end(w);
}

static void write_chars(WeftJsonWriter *w, guint32 first, guint32 end)
{
	weft_json_write_key(w, "chars");
	weft_json_write_array(w);
	weft_json_write_uint(w, first);
	weft_json_write_uint(w, end);
	weft_json_write_array_end(w);
}

static void write_content_name(WeftJsonWriter *w, guint32 index)
{
	char id[16];
	g_snprintf(id, sizeof(id), "c%u", index + 1);
	weft_json_write_string(w, id);
}

static void write_content_id(WeftJsonWriter *w, const char *key, guint32 index)
{
	weft_json_write_key(w, key);
	write_content_name(w, index);
}

static void write_errors(WeftJsonWriter *w, const WeftRecord *record)
{
	weft_json_write_key(w, "errors");
	weft_json_write_array(w);
	for (guint i = 0; i < record->faults->len; i++) {
		const WeftFault *fault = &g_array_index(record->faults, WeftFault, i);
		weft_json_write_object(w);
		write_member(w, "stage", fault->stage);
		write_member(w, "code", weft_error_code_name(fault->code));
		write_member(w, "message", fault->message);
		weft_json_write_key(w, "at");
		if (is_whole_document(&fault->at))
			weft_json_write_null(w);
		else
			write_anchor(w, &fault->at);
		weft_json_write_object_end(w);
	}
	weft_json_write_array_end(w);
}

/* ---- content ---- */

static void write_words(WeftJsonWriter *w, const WeftContent *content)
{
	WeftWordReader reader = weft_content_words(content);
	WeftWord word;

	weft_json_write_key(w, "words");
	weft_json_write_array(w);
	while (weft_word_next(&reader, &word)) {
		weft_json_write_object(w);
		write_chars(w, word.char_first, word.char_end);
		if (!is_whole_document(&word.at)) {
			weft_json_write_key(w, "at");
			write_anchor(w, &word.at);
		}
		if (word.confidence >= 0)
			write_rounded(w, "confidence", word.confidence, SHARE_DECIMALS);
		weft_json_write_object_end(w);
	}
	weft_json_write_array_end(w);
}

static void write_content(WeftJsonWriter *w, const WeftContent *content, guint32 index)
{
	weft_json_write_object(w);
	write_content_id(w, "id", index);
	write_member(w, "kind", weft_content_kind_name(content->kind));
	write_member(w, "text", content->text);
	write_anchors(w, (const WeftAnchor *)(gpointer)content->anchors->data,
		      content->anchors->len);
	write_member(w, "by", weft_by_name(content->by));
	if (content->confidence >= 0)
		write_rounded(w, "confidence", content->confidence, SHARE_DECIMALS);
	if (content->speaker)
		write_member(w, "speaker", content->speaker);
	if (content->reason)
		write_member(w, "reason", content->reason);
	if (weft_content_n_words(content) > 0)
		write_words(w, content);
	weft_json_write_object_end(w);
}

/* `takes`: the words go as they are written. */
static void write_contents(WeftJsonWriter *w, const WeftRecord *record, const char *key,
			   gboolean are_hidden, gboolean takes)
{
	gsize n_words = 0;

	weft_json_write_key(w, key);
	weft_json_write_array(w);
	for (guint i = 0; i < record->contents->len; i++) {
		WeftContent *content = record->contents->pdata[i];
		if (!content->hidden != !are_hidden)
			continue;
		write_content(w, content, i);
		if (!takes)
			continue;
		n_words += weft_content_n_words(content);
		weft_content_drop_words(content);
		if (n_words >= TRIM_WORDS) { /* blocks of this size the C library keeps otherwise */
			(void)malloc_trim(0);
			n_words = 0;
		}
	}
	weft_json_write_array_end(w);
}

/* ---- answer ---- */

static void write_answer(WeftJsonWriter *w, const WeftRecord *record)
{
	weft_json_write_key(w, "answer");
	g_autoptr(WeftJson) answer = NULL;
	if (record->answer)
		answer = weft_json_parse(record->answer, strlen(record->answer), WEFT_JSON_STRICT,
					 NULL);
	/* Free text, where a request had no schema, is a string. */
	if (record->answer && !answer)
		weft_json_write_string(w, record->answer);
	else
		weft_json_write_tree(w, answer);
}

static void write_absent(WeftJsonWriter *w, const WeftRecord *record)
{
	g_autoptr(GHashTable) written = g_hash_table_new(g_str_hash, g_str_equal);

	weft_json_write_key(w, "absent");
	weft_json_write_object(w);
	for (guint i = 0; i < record->absent->len; i++) {
		const WeftAbsent *absent = &g_array_index(record->absent, WeftAbsent, i);
		if (g_hash_table_add(written, absent->pointer)) /* the first reason counts */
			write_member(w, absent->pointer, absent->reason);
	}
	weft_json_write_object_end(w);
}

/* What stands in the file itself, or what something read off it: a text layer, too, was read by some
 * program, whenever that was. */
static const char *rests_on(const WeftContent *content)
{
	if (!content->text) /* pixels, or sound */
		return "reading";
	switch (content->by) {
	case WEFT_BY_FILE:
	case WEFT_BY_SIDECAR:
		return "file";
	default:
		return "reading";
	}
}

static void write_readings(WeftJsonWriter *w, char *const *readings)
{
	weft_json_write_key(w, "readings");
	weft_json_write_array(w);
	for (gsize i = 0; readings[i]; i++)
		weft_json_write_string(w, readings[i]);
	weft_json_write_array_end(w);
}

static void write_boxes(WeftJsonWriter *w, const GArray *boxes)
{
	weft_json_write_key(w, "boxes");
	weft_json_write_array(w);
	for (guint i = 0; i < boxes->len; i++)
		weft_json_write_numbers(w, &g_array_index(boxes, double, 4 * i), 4, BOX_DECIMALS);
	weft_json_write_array_end(w);
}

static void write_evidence(WeftJsonWriter *w, const WeftRecord *record,
			   const WeftProvenance *provenance)
{
	weft_json_write_object(w);
	write_member(w, "kind", PROVENANCE_NAMES[provenance->kind]);
	if (provenance->content < record->contents->len) {
		write_member(w, "rests_on", rests_on(record->contents->pdata[provenance->content]));
		write_content_id(w, "content", provenance->content);
		if (provenance->char_end > provenance->char_first)
			write_chars(w, provenance->char_first, provenance->char_end);
	} else if (provenance->kind == WEFT_PROVENANCE_POINTED) {
		write_member(w, "rests_on", "reading"); /* of pixels, or of sound */
	}
	if (provenance->quote)
		write_member(w, "quote", provenance->quote);
	if (provenance->readings)
		write_readings(w, provenance->readings);
	if (provenance->n_occurrences > 1)
		write_count(w, "occurrences", provenance->n_occurrences);
	if (provenance->kind != WEFT_PROVENANCE_NONE)
		write_anchors(w, &provenance->at, 1);
	if (provenance->boxes)
		write_boxes(w, provenance->boxes);
	if (provenance->window > 0)
		write_count(w, "window", provenance->window);
	if (provenance->confidence >= 0)
		write_rounded(w, "confidence", provenance->confidence, SHARE_DECIMALS);
	if (provenance->attention > 0)
		write_rounded(w, "attention", provenance->attention, SHARE_DECIMALS);
	if (provenance->read) {
		weft_json_write_key(w, "confirmed");
		weft_json_write_bool(w, provenance->is_confirmed);
		write_member(w, "read", provenance->read);
	}
	weft_json_write_object_end(w);
}

static void write_provenance(WeftJsonWriter *w, const WeftRecord *record)
{
	const GArray *all = record->provenance;
	/* Pointer -> the evidence for it, in the order in which pointers first come. */
	g_autoptr(GHashTable) lists =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GPtrArray) pointers = g_ptr_array_new();

	for (guint i = 0; i < all->len; i++) {
		WeftProvenance *provenance = &g_array_index(all, WeftProvenance, i);
		GPtrArray *list = g_hash_table_lookup(lists, provenance->pointer);
		if (!list) {
			list = g_ptr_array_new();
			g_hash_table_insert(lists, provenance->pointer, list);
			g_ptr_array_add(pointers, provenance->pointer);
		}
		g_ptr_array_add(list, provenance);
	}
	weft_json_write_key(w, "provenance");
	weft_json_write_object(w);
	for (guint i = 0; i < pointers->len; i++) {
		const GPtrArray *list = g_hash_table_lookup(lists, pointers->pdata[i]);
		weft_json_write_key(w, pointers->pdata[i]);
		weft_json_write_array(w);
		for (guint k = 0; k < list->len; k++)
			write_evidence(w, record, list->pdata[k]);
		weft_json_write_array_end(w);
	}
	weft_json_write_object_end(w);
}

/* ---- checks ---- */

static void write_strings(WeftJsonWriter *w, const char *key, const GPtrArray *strings)
{
	weft_json_write_key(w, key);
	weft_json_write_array(w);
	for (guint i = 0; i < strings->len; i++)
		weft_json_write_string(w, strings->pdata[i]);
	weft_json_write_array_end(w);
}

static void write_other_readings(WeftJsonWriter *w, const GArray *readings)
{
	weft_json_write_key(w, "readings");
	weft_json_write_array(w);
	for (guint i = 0; i < readings->len; i++) {
		const WeftOtherReading *reading = &g_array_index(readings, WeftOtherReading, i);

		weft_json_write_object(w);
		write_content_id(w, "content", reading->content);
		write_member(w, "by", weft_by_name(reading->by));
		write_member(w, "text", reading->text);
		weft_json_write_object_end(w);
	}
	weft_json_write_array_end(w);
}

static void write_agreement(WeftJsonWriter *w, const WeftAgreement *agreement)
{
	static const char *const names[] = { "sum", "order", "disagreement" };

	weft_json_write_object(w);
	write_member(w, "kind", names[agreement->kind]);
	if (agreement->kind != WEFT_AGREEMENT_DISAGREEMENT) {
		g_autofree char *rule = g_strdup_printf("/x-weft-check/%u", agreement->rule);
		write_member(w, "rule", rule);
	}
	weft_json_write_key(w, "ok");
	if (agreement->state == WEFT_AGREEMENT_OPEN)
		weft_json_write_null(w);
	else
		weft_json_write_bool(w, agreement->state == WEFT_AGREEMENT_OK);
	if (agreement->state == WEFT_AGREEMENT_OPEN)
		write_member(w, "reason", agreement->reason);
	write_strings(w, "of", agreement->pointers);
	if (agreement->equals)
		write_member(w, "equals", agreement->equals);
	if (agreement->values && agreement->values->len > 0)
		write_strings(w, "values", agreement->values);
	if (agreement->readings)
		write_other_readings(w, agreement->readings);
	weft_json_write_object_end(w);
}

static void write_agreements(WeftJsonWriter *w, const WeftRecord *record)
{
	weft_json_write_key(w, "checks");
	weft_json_write_array(w);
	for (guint i = 0; i < record->agreements->len; i++)
		write_agreement(w, &g_array_index(record->agreements, WeftAgreement, i));
	weft_json_write_array_end(w);
}

static void write_window(WeftJsonWriter *w, const WeftWindowFacts *facts)
{
	weft_json_write_object(w);
	write_count(w, "n", facts->n);
	weft_json_write_key(w, "asked");
	weft_json_write_bool(w, facts->is_asked);
	weft_json_write_key(w, "from");
	write_anchor(w, &facts->from);
	weft_json_write_key(w, "to");
	write_anchor(w, &facts->to);
	if (facts->content_first != G_MAXUINT32) {
		weft_json_write_key(w, "content");
		weft_json_write_array(w);
		write_content_name(w, facts->content_first);
		write_content_name(w, facts->content_last);
		weft_json_write_array_end(w);
	}
	write_count(w, "tokens", facts->n_tokens);
	write_count(w, "pictures", facts->n_pictures);
	write_count(w, "left_out", facts->n_left_out);
	if (facts->element > 0)
		write_count(w, "element", facts->element);
	weft_json_write_object_end(w);
}

static void write_windows(WeftJsonWriter *w, const WeftRecord *record)
{
	if (record->windows->len == 0) /* nothing was asked; older records do not know it */
		return;
	weft_json_write_key(w, "windows");
	weft_json_write_array(w);
	for (guint i = 0; i < record->windows->len; i++)
		write_window(w, &g_array_index(record->windows, WeftWindowFacts, i));
	weft_json_write_array_end(w);
}

static void write_model(WeftJsonWriter *w, const WeftRecord *record)
{
	weft_json_write_key(w, "model");
	if (!record->model_id) {
		weft_json_write_null(w);
		return;
	}
	weft_json_write_object(w);
	write_member(w, "name", record->model_name);
	write_member(w, "id", record->model_id);
	write_member(w, "type", record->model_type);
	write_member(w, "adapter", record->adapter);
	if (record->adapter_id)
		write_member(w, "adapter_id", record->adapter_id);
	weft_json_write_key(w, "tokens");
	weft_json_write_object(w);
	write_count(w, "text", record->n_text);
	write_count(w, "patch", record->n_patch);
	write_count(w, "audio", record->n_audio);
	write_count(w, "generated", record->n_generated);
	weft_json_write_object_end(w);
	weft_json_write_object_end(w);
}

/* ---- safety ---- */

static const char *const VERDICT_NAMES[] = { "none", "safe", "unsafe" };
static const char *const CHECK_NAMES[] = { "input", "output" };

static void write_check(WeftJsonWriter *w, const WeftChecked *checked)
{
	const WeftVerdict *verdict = &checked->verdict;

	if (!checked->is_made) {
		weft_json_write_null(w);
		return;
	}
	weft_json_write_object(w);
	write_member(w, "verdict", VERDICT_NAMES[verdict->kind]);
	weft_json_write_key(w, "categories");
	weft_json_write_array(w);
	for (guint i = 0; i < WEFT_VERDICT_CATEGORIES; i++) {
		char name[8];
		g_snprintf(name, sizeof(name), "S%u", i + 1);
		if (verdict->categories & 1u << i)
			weft_json_write_string(w, name);
	}
	weft_json_write_array_end(w);
	if (verdict->score >= 0)
		write_rounded(w, "score", verdict->score, SHARE_DECIMALS);
	write_count(w, "windows", checked->n_windows);
	if (verdict->reason)
		write_member(w, "reason", verdict->reason);
	weft_json_write_object_end(w);
}

/* The verdict of the record: the worse of the two, none where nothing was asked. */
static WeftVerdictKind verdict_of(const WeftSafety *safety)
{
	gboolean is_safe = FALSE, is_none = FALSE;

	for (int i = 0; i < WEFT_N_CHECKS; i++) {
		WeftVerdictKind kind = safety->checks[i].verdict.kind;
		if (!safety->checks[i].is_made)
			continue;
		if (kind == WEFT_VERDICT_UNSAFE)
			return kind;
		is_safe |= kind == WEFT_VERDICT_SAFE;
		is_none |= kind == WEFT_VERDICT_NONE;
	}
	return is_safe && !is_none ? WEFT_VERDICT_SAFE : WEFT_VERDICT_NONE;
}

static void write_safety(WeftJsonWriter *w, const WeftSafety *safety)
{
	if (!safety)
		return;
	weft_json_write_key(w, "safety");
	weft_json_write_object(w);
	write_member(w, "verdict", VERDICT_NAMES[verdict_of(safety)]);
	weft_json_write_key(w, "model");
	weft_json_write_object(w);
	write_member(w, "name", safety->model_name);
	write_member(w, "id", safety->model_id);
	weft_json_write_object_end(w);
	for (int i = 0; i < WEFT_N_CHECKS; i++) {
		weft_json_write_key(w, CHECK_NAMES[i]);
		write_check(w, &safety->checks[i]);
	}
	weft_json_write_object_end(w);
}

static void write_ledger(WeftJsonWriter *w, const char *key, const WeftLedger *ledger)
{
	weft_json_write_key(w, key);
	weft_json_write_object(w);
	write_count(w, "in", ledger->in);
	write_count(w, "done", ledger->done);
	write_count(w, "failed", ledger->failed);
	write_count(w, "skipped", ledger->skipped);
	weft_json_write_object_end(w);
}

static void write_run(WeftJsonWriter *w, const WeftRecord *record)
{
	weft_json_write_key(w, "run");
	weft_json_write_object(w);
	for (guint i = 0; i + 1 < record->run->len; i += 2) {
		const char *json = record->run->pdata[i + 1];
		weft_json_write_key(w, record->run->pdata[i]);
		weft_json_write_raw(w, json, strlen(json));
	}
	weft_json_write_object_end(w);
}

static void write_record(WeftJsonWriter *w, const WeftRecord *record, gboolean with_run,
			 gboolean takes)
{
	weft_json_write_object(w);
	write_count(w, "weft", WEFT_RECORD_VERSION);
	write_member(w, "id", record->id);
	weft_record_source_begin(w, record);
	write_member(w, "status", weft_status_name(record->status));
	write_errors(w, record);
	weft_record_document_write(w, record);
	write_contents(w, record, "content", FALSE, takes);
	write_contents(w, record, "hidden", TRUE, takes);
	write_answer(w, record);
	write_absent(w, record);
	write_agreements(w, record);
	write_provenance(w, record);
	write_windows(w, record);
	weft_record_division_write(w, record);
	write_model(w, record);
	write_safety(w, record->safety);
	weft_json_write_key(w, "ledger");
	weft_json_write_object(w);
	write_ledger(w, "pages", &record->page_ledger);
	write_ledger(w, "seconds", &record->second_ledger);
	write_ledger(w, "windows", &record->window_ledger);
	weft_json_write_object_end(w);
	if (with_run)
		write_run(w, record);
	weft_json_write_object_end(w);
}

char *weft_record_json(const WeftRecord *record, gboolean with_run, gsize *ret_size_bytes)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	write_record(&writer, record, with_run, FALSE);
	if (ret_size_bytes)
		*ret_size_bytes = text->len;
	return g_string_free(text, FALSE);
}

void weft_record_take(WeftRecord *record, WeftJsonWriter *writer)
{
	write_record(writer, record, TRUE, TRUE);
}
