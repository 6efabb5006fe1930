#include "pipeline/record_settle.h"

#include "base/error.h"

/* Of a reading of which the reader itself believes less than half. */
#define UNREADABLE_BELOW 0.5

void weft_record_name_model(WeftRecord *record, const WeftRun *run)
{
	const WeftLora *adapter;
	const WeftBundle *bundle;

	if (run->engine == NULL || record->n_text + record->n_patch + record->n_audio == 0)
		return;
	bundle = weft_engine_bundle(run->engine);
	adapter = weft_engine_adapter(run->engine);
	record->model_name = g_strdup(weft_bundle_name(bundle));
	record->model_id = g_strdup(weft_bundle_id(bundle));
	record->model_type = g_strdup(weft_bundle_config(bundle)->model_type);
	if (adapter != NULL) {
		record->adapter = g_strdup(weft_lora_name(adapter));
		record->adapter_id = g_strdup(weft_lora_id(adapter));
	}
}

/* A fault by which a part could not be read: nobody saw it. Others left a part out. */
static gboolean is_damage(const WeftFault *fault)
{
	return fault->code == WEFT_ERROR_CORRUPT || fault->code == WEFT_ERROR_TRUNCATED ||
	       fault->code == WEFT_ERROR_CRASHED || fault->code == WEFT_ERROR_ENCRYPTED;
}

static gboolean is_damaged(const WeftRecord *record)
{
	for (guint i = 0; i < record->faults->len; i++)
		if (is_damage(&g_array_index(record->faults, WeftFault, i)))
			return TRUE;
	return FALSE;
}

static gboolean is_read_badly(const WeftRecord *record)
{
	for (guint i = 0; i < record->contents->len; i++) {
		const WeftContent *content = g_ptr_array_index(record->contents, i);

		if (content->confidence >= 0 && content->confidence < UNREADABLE_BELOW && !content->hidden)
			return TRUE;
	}
	return FALSE;
}

/* A part was left out that might have been read. */
static gboolean is_left_out(const WeftRecord *record)
{
	for (guint i = 0; i < record->faults->len; i++)
		if (!is_damage(&g_array_index(record->faults, WeftFault, i)))
			return TRUE;
	return record->window_ledger.skipped > 0;
}

const char *weft_record_reason_of_null(const WeftRecord *record, const WeftRun *run, WeftDecline chosen)
{
	gboolean withholds =
	    record->model_id != NULL &&
	    weft_bundle_config(weft_engine_bundle(run->engine))->traits.answer_confidence_min > 0;

	if (chosen == WEFT_DECLINE_UNREADABLE || chosen == WEFT_DECLINE_NOT_EXAMINED)
		return weft_decline_name(chosen);
	if (withholds || is_left_out(record))
		return weft_decline_name(WEFT_DECLINE_NOT_EXAMINED);
	return weft_decline_name(is_damaged(record) || (chosen != WEFT_DECLINE_ABSENT &&
	                                                is_read_badly(record))
	                             ? WEFT_DECLINE_UNREADABLE
	                             : WEFT_DECLINE_ABSENT);
}

void weft_record_settle_type(WeftRecord *record, const WeftRun *run, guint type)
{
	g_autoptr(GString) names = g_string_new(NULL);
	g_autoptr(GError) fault = NULL;

	if (record->type == NULL || record->faults->len > 0 ||
	    weft_task_schema(run->task, type) != NULL)
		return;
	for (guint i = 0; i < run->task->types->len; i++)
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
		                       ((const WeftTaskType *)run->task->types->pdata[i])->name);
	fault = g_error_new(WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
	                    "none of the task's types (%s), and it has no schema for others", names->str);
	weft_record_add_fault(record, "type", fault, NULL);
	record->status = WEFT_STATUS_SKIPPED;
}
