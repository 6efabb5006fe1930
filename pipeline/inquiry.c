/* inquiry.c - a question over many documents, answered from their records.
 *
 * First the catalogue is searched for the words of the question (outputs/passages.h), without a model; where
 * nothing is found the answer is null, with the reason, and no model is opened. Else the best
 * passages, as many as fit the context, go into one request, each behind a mark of its own:
 *
 *     <document>
 *     <document d2 c17>              of the second document's record the item c17
 *     [p. 3]
 *     the passage
 *     </document>
 *     ...
 *     </document>
 *
 *     the question
 *
 * Passages of one document stand together, in its order. No passage can spell such a mark (encoders.h). What
 * the answer says is looked for in the passages that were given: evidence names record, item, characters,
 * page or time. The files themselves are not needed.
 */
#include <string.h>

#include "base/error.h"
#include "outputs/outputs.h"
#include "pipeline/engine.h"
#include "pipeline/merge.h"
#include "pipeline/pipeline.h"

/* Of one document, so that the first does not take all the room. */
#define PASSAGES_EACH 8
/* Tokens of a passage's two marks, at least. */
#define MARKS_TOKENS 64
#define VALUES_MAX 1000u
#define DEPTH_MAX 64
#define SHARE_DECIMALS 4
#define BOX_DECIMALS 2
#define TIME_DECIMALS 3

typedef struct Inquiry {
	const WeftJob *job;
	WeftTask *task;
	WeftPassages *passages;
	gboolean *is_given;  /* one for each passage */
	WeftEngine *engine;  /* NULL: no model was needed */
	WeftAnswer *answer;  /* json NULL: there is none */
	GPtrArray *withheld; /* char *: pointers; or NULL */
	const char *reason;  /* why there is no answer; NULL: there is */
	char *untaught;      /* what the engine says of itself */
	GError *failure;     /* of the model's answer; NULL */
	guint n_values;
} Inquiry;

static void inquiry_done(Inquiry *inquiry)
{
	g_clear_pointer(&inquiry->withheld, g_ptr_array_unref);
	g_clear_pointer(&inquiry->answer, weft_answer_free);
	g_clear_error(&inquiry->failure);
	weft_engine_free(inquiry->engine);
	weft_passages_free(inquiry->passages);
	weft_task_free(inquiry->task);
	g_free(inquiry->is_given);
	g_free(inquiry->untaught);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Inquiry, inquiry_done)

/* ---- the request ---- */

static WeftPassage encoded(const WeftHeldPassage *passage)
{
	const WeftContent *content = passage->content;

	return (WeftPassage){.text = content->text,
	                     .size_bytes = strlen(content->text),
	                     .speaker = content->speaker,
	                     .content = WEFT_SPAN_NO_CONTENT,
	                     .at = g_array_index(content->anchors, WeftAnchor, 0)};
}

/* The best that fit the room, whatever is left of it for a shorter one. */
static void choose(Inquiry *inquiry)
{
	const WeftEncoders *encoders = weft_engine_encoders(inquiry->engine);
	gsize room = weft_engine_capacity(inquiry->engine, WEFT_ROUND_ANSWER);
	const GPtrArray *passages = inquiry->passages->passages;

	for (guint i = 0; i < passages->len; i++) {
		WeftPassage passage = encoded(passages->pdata[i]);
		gsize n_tokens = weft_encoders_text_tokens(encoders, &passage, NULL) + MARKS_TOKENS;

		if (n_tokens > room)
			continue;
		room -= n_tokens;
		inquiry->is_given[i] = TRUE;
	}
}

static guint number_of(const WeftHeldPassage *passage)
{
	return (guint)g_ascii_strtoull(passage->item + 1, NULL, 10);
}

/* By document, then as they stand in it. */
static gint compare_places(gconstpointer a, gconstpointer b)
{
	const WeftHeldPassage *one = *(WeftHeldPassage *const *)a, *other = *(WeftHeldPassage *const *)b;

	if (one->document != other->document)
		return one->document < other->document ? -1 : 1;
	return (number_of(one) > number_of(other)) - (number_of(one) < number_of(other));
}

/* Those that are given, borrowed. */
static GPtrArray *given_in_order(const Inquiry *inquiry)
{
	const GPtrArray *passages = inquiry->passages->passages;
	GPtrArray *given = g_ptr_array_new();

	for (guint i = 0; i < passages->len; i++)
		if (inquiry->is_given[i])
			g_ptr_array_add(given, passages->pdata[i]);
	g_ptr_array_sort(given, compare_places);
	return given;
}

static WeftSequence *compose(const Inquiry *inquiry, GError **error)
{
	const WeftRound *round = weft_engine_round(inquiry->engine, WEFT_ROUND_ANSWER);
	g_autoptr(WeftRequest) request =
	    weft_request_new(weft_engine_encoders(inquiry->engine), round->system);
	g_autoptr(GPtrArray) given = given_in_order(inquiry);

	for (guint i = 0; i < given->len; i++) {
		const WeftHeldPassage *held = given->pdata[i];
		WeftPassage passage = encoded(held);
		g_autofree char *mark =
		    g_strdup_printf("<document d%u %s>", held->document + 1, held->item);

		weft_request_add_mark(request, mark);
		weft_request_forget_place(request);
		if (!weft_request_add_text(request, &passage, error))
			return NULL;
		weft_request_add_quote(request, passage.text); /* what verbatim values may be of */
		weft_request_add_mark(request, "</document>");
	}
	return weft_request_finish(g_steal_pointer(&request), round->question, error);
}

/* The answer, less what the model is not sure enough of; what goes wrong is kept. */
static void ask(Inquiry *inquiry)
{
	const WeftTraits *traits =
	    &weft_bundle_config(weft_engine_bundle(inquiry->engine))->traits;
	const WeftRound *round = weft_engine_round(inquiry->engine, WEFT_ROUND_ANSWER);
	const WeftJob *job = inquiry->job;
	WeftGeneration generation = {.schema = round->schema,
	                             .n_tokens_max = round->answer_tokens,
	                             .seed = job->seed,
	                             .temperature = job->temperature,
	                             .adapter = round->adapter};
	g_autoptr(WeftMerge) merge =
	    weft_merge_new(inquiry->task->schema_tree, weft_engine_knows_task(inquiry->engine)
	                                                   ? traits->answer_confidence_min
	                                                   : G_MAXDOUBLE);
	WeftSequence *sequence = compose(inquiry, &inquiry->failure);
	g_autoptr(WeftPending) pending = NULL;
	WeftAnswer *answer = NULL;

	if (sequence == NULL)
		return;
	pending = weft_batcher_submit(weft_engine_batcher(inquiry->engine), sequence, &generation);
	if (weft_pending_wait(pending, &answer, &inquiry->failure) &&
	    weft_merge_add(merge, answer, 0, 0, &inquiry->failure))
		inquiry->answer = weft_merge_finish(merge, &inquiry->withheld);
}

static const WeftAnswerValue *value_at(const Inquiry *inquiry, const char *pointer)
{
	for (guint i = 0; i < inquiry->answer->values->len; i++) {
		const WeftAnswerValue *value =
		    &g_array_index(inquiry->answer->values, WeftAnswerValue, i);

		if (strcmp(value->pointer, pointer) == 0)
			return value;
	}
	return NULL;
}

/* What a null means: what the model said of it, but that it is not there only if the model may claim so
 * and was given all that was found; then it means that, too, where nothing was said. */
static const char *reason_of_null(const Inquiry *inquiry, const char *pointer)
{
	const WeftTraits *traits =
	    &weft_bundle_config(weft_engine_bundle(inquiry->engine))->traits;
	const WeftAnswerValue *value = value_at(inquiry, pointer);
	gboolean is_withheld = inquiry->withheld != NULL &&
	                       g_ptr_array_find_with_equal_func(inquiry->withheld, pointer,
	                                                        g_str_equal, NULL);
	gboolean is_whole = !inquiry->passages->is_cut && weft_engine_knows_task(inquiry->engine) &&
	                    traits->answer_confidence_min <= 0;

	for (guint i = 0; i < inquiry->passages->passages->len; i++)
		is_whole = is_whole && inquiry->is_given[i];
	if (!is_withheld && value != NULL &&
	    (value->decline == WEFT_DECLINE_UNREADABLE ||
	     value->decline == WEFT_DECLINE_NOT_EXAMINED))
		return weft_decline_name(value->decline);
	return weft_decline_name(is_whole && !is_withheld ? WEFT_DECLINE_ABSENT
	                                                  : WEFT_DECLINE_NOT_EXAMINED);
}

/* ---- what comes out ---- */

static void write_member(WeftJsonWriter *w, const char *key, const char *value)
{
	weft_json_write_key(w, key);
	weft_json_write_string(w, value);
}

static void write_anchor(WeftJsonWriter *w, const WeftAnchor *at)
{
	const struct {
		const char *key;
		guint32 value;
	} numbers[] = {{"document", at->document}, {"page", at->page}, {"track", at->track}};

	weft_json_write_object(w);
	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
		if (numbers[i].value == 0)
			continue;
		weft_json_write_key(w, numbers[i].key);
		weft_json_write_uint(w, numbers[i].value);
	}
	for (int box = 0; box < 2; box++) {
		const double *values = box ? at->bbox : at->time;

		if (box ? !at->has_bbox : !at->has_time)
			continue;
		weft_json_write_key(w, box ? "bbox" : "time");
		weft_json_write_numbers(w, values, box ? 4 : 2, box ? BOX_DECIMALS : TIME_DECIMALS);
	}
	weft_json_write_object_end(w);
}

static void write_spot(const Inquiry *inquiry, WeftJsonWriter *w, const char *pointer,
                       const WeftPassageSpot *spot)
{
	const WeftHeldPassage *passage = inquiry->passages->passages->pdata[spot->passage];
	const WeftHeldDocument *document = inquiry->passages->documents->pdata[passage->document];
	WeftBy by = passage->content->by;
	gboolean is_of_file = by == WEFT_BY_FILE || by == WEFT_BY_SIDECAR;

	write_member(w, "kind", weft_schema_place(inquiry->task->schema, pointer).is_verbatim ? "copied"
	                                                                                      : "matched");
	write_member(w, "rests_on", is_of_file ? "file" : "reading");
	write_member(w, "record", document->id);
	write_member(w, "content", passage->item);
	weft_json_write_key(w, "chars");
	weft_json_write_array(w);
	weft_json_write_uint(w, spot->char_first);
	weft_json_write_uint(w, spot->char_end);
	weft_json_write_array_end(w);
	write_member(w, "quote", spot->quote);
	weft_json_write_key(w, "at");
	weft_json_write_array(w);
	write_anchor(w, &spot->at);
	weft_json_write_array_end(w);
	if (spot->boxes == NULL)
		return;
	weft_json_write_key(w, "boxes");
	weft_json_write_array(w);
	for (guint i = 0; i < spot->boxes->len; i++)
		weft_json_write_numbers(w, &g_array_index(spot->boxes, double, 4 * i), 4, BOX_DECIMALS);
	weft_json_write_array_end(w);
}

static void write_evidence(const Inquiry *inquiry, WeftJsonWriter *w, const char *pointer,
                           const char *text)
{
	const WeftAnswerValue *value = value_at(inquiry, pointer);
	double confidence = value != NULL ? value->confidence : -1;
	WeftPassageSpot spot = {.boxes = NULL};

	weft_json_write_key(w, pointer);
	weft_json_write_array(w);
	weft_json_write_object(w);
	if (weft_passages_find(inquiry->passages, inquiry->is_given, text, &spot))
		write_spot(inquiry, w, pointer, &spot);
	else
		write_member(w, "kind", "none");
	if (confidence >= 0) {
		weft_json_write_key(w, "confidence");
		(void)weft_json_write_rounded(w, confidence, SHARE_DECIMALS);
	}
	weft_json_write_object_end(w);
	weft_json_write_array_end(w);
	g_free(spot.quote);
	g_clear_pointer(&spot.boxes, g_array_unref);
}

/* Strings and numbers with their evidence, or, `of_nulls`, why what is null is. Gives how many there were. */
static guint write_values(Inquiry *inquiry, WeftJsonWriter *w, const WeftJson *value, GString *pointer,
                          gboolean of_nulls, int depth)
{
	WeftJsonType type = weft_json_type(value);
	gsize size = pointer->len;
	guint n = 0;

	if (type != WEFT_JSON_OBJECT && type != WEFT_JSON_ARRAY) {
		const char *text = type == WEFT_JSON_STRING ? weft_json_string(value, NULL)
		                                            : weft_json_raw_number(value);

		if ((type == WEFT_JSON_NULL) != of_nulls || inquiry->n_values++ >= VALUES_MAX)
			return 0;
		if (of_nulls)
			write_member(w, pointer->str, reason_of_null(inquiry, pointer->str));
		else if (text != NULL)
			write_evidence(inquiry, w, pointer->str, text);
		return 1;
	}
	for (gsize i = 0; i < weft_json_length(value) && depth < DEPTH_MAX; i++) {
		gsize key_size = 0;
		g_autofree char *number = g_strdup_printf("%" G_GSIZE_FORMAT, i);
		const char *key = weft_json_key_at(value, i, &key_size);

		weft_json_pointer_add(pointer, key != NULL ? key : number,
		                      key != NULL ? key_size : strlen(number));
		n += write_values(inquiry, w, weft_json_at(value, i), pointer, of_nulls, depth + 1);
		g_string_truncate(pointer, size);
	}
	return n;
}

/* TRUE: the answer says something. */
static gboolean write_answer(Inquiry *inquiry, WeftJsonWriter *w)
{
	const char *json = inquiry->answer != NULL ? inquiry->answer->json : NULL;
	g_autoptr(WeftJson) tree =
	    json != NULL ? weft_json_parse(json, strlen(json), WEFT_JSON_STRICT, NULL) : NULL;
	g_autoptr(GString) pointer = g_string_new(NULL);
	gboolean says;

	weft_json_write_key(w, "answer");
	weft_json_write_tree(w, tree);
	if (inquiry->reason != NULL)
		write_member(w, "reason", inquiry->reason);
	weft_json_write_key(w, "absent");
	weft_json_write_object(w);
	if (tree != NULL)
		(void)write_values(inquiry, w, tree, pointer, TRUE, 0);
	weft_json_write_object_end(w);
	inquiry->n_values = 0;
	weft_json_write_key(w, "provenance");
	weft_json_write_object(w);
	says = tree != NULL && write_values(inquiry, w, tree, pointer, FALSE, 0) > 0;
	weft_json_write_object_end(w);
	return says;
}

static void write_path(WeftJsonWriter *w, const char *path)
{
	if (g_utf8_validate(path, -1, NULL)) {
		write_member(w, "path", path);
	} else {
		g_autofree char *encoded = g_base64_encode((const guchar *)path, strlen(path));

		write_member(w, "path_b64", encoded);
	}
}

static void write_document(const Inquiry *inquiry, WeftJsonWriter *w, const GPtrArray *given, guint number)
{
	const WeftHeldDocument *document = inquiry->passages->documents->pdata[number];
	guint n = 0;

	weft_json_write_object(w);
	write_member(w, "record", document->id);
	write_path(w, document->path);
	weft_json_write_key(w, "content");
	weft_json_write_array(w);
	for (guint i = 0; i < given->len; i++) {
		const WeftHeldPassage *passage = given->pdata[i];

		if (passage->document != number)
			continue;
		weft_json_write_string(w, passage->item);
		n++;
	}
	weft_json_write_array_end(w);
	weft_json_write_key(w, "looked_at");
	weft_json_write_bool(w, n > 0);
	if (n == 0)
		write_member(w, "reason",
		             document->reason != NULL ? document->reason : "no room in the context");
	weft_json_write_object_end(w);
}

static void write_documents(const Inquiry *inquiry, WeftJsonWriter *w)
{
	const WeftPassages *passages = inquiry->passages;
	g_autoptr(GPtrArray) given = given_in_order(inquiry);

	weft_json_write_key(w, "words");
	weft_json_write_array(w);
	for (guint i = 0; i < passages->words->len; i++)
		weft_json_write_string(w, passages->words->pdata[i]);
	weft_json_write_array_end(w);
	weft_json_write_key(w, "documents");
	weft_json_write_array(w);
	for (guint i = 0; i < passages->documents->len; i++)
		write_document(inquiry, w, given, i);
	weft_json_write_array_end(w);
	weft_json_write_key(w, "more");
	weft_json_write_bool(w, passages->is_cut);
}

static void write_model(const Inquiry *inquiry, WeftJsonWriter *w)
{
	const WeftLora *adapter = inquiry->engine != NULL ? weft_engine_adapter(inquiry->engine) : NULL;
	const WeftBundle *bundle;

	weft_json_write_key(w, "model");
	if (inquiry->answer == NULL) {
		weft_json_write_null(w);
		return;
	}
	bundle = weft_engine_bundle(inquiry->engine);
	weft_json_write_object(w);
	write_member(w, "name", weft_bundle_name(bundle));
	write_member(w, "id", weft_bundle_id(bundle));
	write_member(w, "type", weft_bundle_config(bundle)->model_type);
	write_member(w, "adapter", adapter != NULL ? weft_lora_name(adapter) : NULL);
	weft_json_write_key(w, "tokens");
	weft_json_write_object(w);
	weft_json_write_key(w, "text");
	weft_json_write_uint(w, inquiry->answer->n_text);
	weft_json_write_key(w, "generated");
	weft_json_write_uint(w, inquiry->answer->n_generated);
	weft_json_write_object_end(w);
	weft_json_write_object_end(w);
}

static void write_error(WeftJsonWriter *w, const char *code, const char *message)
{
	weft_json_write_object(w);
	write_member(w, "stage", "answer");
	write_member(w, "code", code);
	write_member(w, "message", message);
	weft_json_write_object_end(w);
}

static void write_errors(const Inquiry *inquiry, WeftJsonWriter *w)
{
	g_autofree char *cut =
	    inquiry->answer != NULL ? weft_answer_cut_message(inquiry->answer) : NULL;

	weft_json_write_key(w, "errors");
	weft_json_write_array(w);
	if (inquiry->failure != NULL)
		write_error(w, weft_error_code_name(inquiry->failure->code), inquiry->failure->message);
	if (cut != NULL)
		write_error(w, weft_error_code_name(WEFT_ERROR_LIMIT), cut);
	weft_json_write_array_end(w);
}

/* ---- all of it ---- */

/* FALSE: nothing could start. */
static gboolean look(Inquiry *inquiry, guint n_documents_max, GError **error)
{
	const WeftJob *job = inquiry->job;
	g_autoptr(WeftOutputs) outputs = weft_outputs_open_existing(job->output, job->state, error);

	if (outputs == NULL)
		return FALSE;
	inquiry->passages = weft_outputs_passages(outputs, job->question, n_documents_max,
	                                          PASSAGES_EACH, error);
	if (inquiry->passages == NULL)
		return FALSE;
	inquiry->is_given = g_new0(gboolean, inquiry->passages->passages->len + 1);
	if (inquiry->passages->words->len == 0)
		inquiry->reason = "the question has no words";
	else if (inquiry->passages->documents->len == 0)
		inquiry->reason = "no document has any of the words";
	else if (inquiry->passages->passages->len == 0)
		inquiry->reason = "no record has any of the words in its text";
	return TRUE;
}

static gboolean answer(Inquiry *inquiry, GError **error)
{
	const WeftJob *job = inquiry->job;

	inquiry->engine = weft_engine_new(job, inquiry->task, job->jobs > 0 ? job->jobs : 1, error);
	if (inquiry->engine == NULL || !weft_engine_open(inquiry->engine, error))
		return FALSE;
	choose(inquiry);
	ask(inquiry);
	inquiry->untaught = weft_engine_untaught(inquiry->engine);
	inquiry->reason = inquiry->untaught;
	if (inquiry->failure != NULL)
		inquiry->reason = "the model could not answer";
	return TRUE;
}

gboolean weft_inquiry(const WeftJob *job, guint n_documents_max, char **ret_json,
                      gboolean *ret_is_answered, GError **error)
{
	g_auto(Inquiry) inquiry = {.job = job};
	g_autoptr(GString) json = g_string_new(NULL);
	WeftJsonWriter w;

	inquiry.task = weft_task_open(job, error);
	if (inquiry.task == NULL)
		return FALSE;
	if (inquiry.task->schema == NULL || inquiry.task->types != NULL ||
	    inquiry.task->element_text != NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "task %s: a question over many documents takes a task with one schema, and no "
		            "types",
		            inquiry.task->name);
		return FALSE;
	}
	if (!look(&inquiry, n_documents_max, error) ||
	    (inquiry.reason == NULL && !answer(&inquiry, error)))
		return FALSE;
	weft_json_writer_init(&w, json);
	weft_json_write_object(&w);
	weft_json_write_key(&w, "weft");
	weft_json_write_uint(&w, WEFT_RECORD_VERSION);
	write_member(&w, "question", job->question);
	*ret_is_answered = write_answer(&inquiry, &w);
	write_documents(&inquiry, &w);
	write_model(&inquiry, &w);
	write_errors(&inquiry, &w);
	weft_json_write_object_end(&w);
	*ret_json = g_string_free(g_steal_pointer(&json), FALSE);
	return TRUE;
}
