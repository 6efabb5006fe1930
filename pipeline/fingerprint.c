#include "pipeline/fingerprint.h"

typedef enum {
	FORMULA_VERSIONS, /* of the first weft: the decoders' versions, no epoch */
	FORMULA_EPOCH,
} Formula;

static void add_line(GChecksum *checksum, const char *key, const char *value)
{
	g_checksum_update(checksum, (const guchar *)key, -1);
	g_checksum_update(checksum, (const guchar *)"=", 1);
	if (value != NULL)
		g_checksum_update(checksum, (const guchar *)value, -1);
	g_checksum_update(checksum, (const guchar *)"\n", 1);
}

static void add_number(GChecksum *checksum, const char *key, double value)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	add_line(checksum, key, g_ascii_dtostr(text, sizeof text, value));
}

/* Only of tasks that have them. */
static void add_types(GChecksum *checksum, const WeftTask *task)
{
	add_line(checksum, "types", task->type_system);
	for (guint i = 0; i < task->types->len; i++) {
		const WeftTaskType *type = task->types->pdata[i];

		add_line(checksum, "type", type->system);
		for (guint k = 0; k < type->match->len; k++)
			add_line(checksum, "match", type->match->pdata[k]);
	}
}

/* What is asked, and of which parts of a document. */
static void add_task(GChecksum *checksum, const WeftTask *task)
{
	add_line(checksum, "task", task->name);
	add_line(checksum, "system", task->system);
	add_line(checksum, "question", task->question);
	add_line(checksum, "schema", task->schema_text);
	add_number(checksum, "merge", task->merge_by);
	add_number(checksum, "windows", task->windows);
	add_number(checksum, "pictures", task->pictures);
	if (task->schema_options.is_verbatim)
		add_line(checksum, "verbatim", "true");
	if (task->schema_options.declines)
		add_line(checksum, "declines", "true");
	if (task->types != NULL)
		add_types(checksum, task);
	if (task->element_text != NULL)
		add_line(checksum, "documents", "many");
	for (guint i = 0; task->begins != NULL && i < task->begins->len; i++)
		add_line(checksum, "begins", task->begins->pdata[i]);
	if (task->chooses_frames)
		add_line(checksum, "frames", "even");
	if (task->tells_slides)
		add_line(checksum, "answer", "slides");
	add_number(checksum, "reads", task->reads);
	add_number(checksum, "answer-tokens", (double)task->answer_tokens);
}

/* Whose answers are taken. */
static void add_models(GChecksum *checksum, const WeftRun *run)
{
	add_line(checksum, "model",
		 run->engine != NULL ? weft_bundle_id(weft_engine_bundle(run->engine)) : NULL);
	if (run->engine != NULL && weft_engine_adapter(run->engine) != NULL)
		add_line(checksum, "adapter", weft_lora_id(weft_engine_adapter(run->engine)));
	if (run->guard != NULL)
		add_line(checksum, "guard", weft_bundle_id(weft_engine_bundle(run->guard)));
}

/* How the model chooses its words. */
static void add_sampling(GChecksum *checksum, const WeftRun *run)
{
	const WeftJob *job = run->job;

	if (run->engine != NULL) {
		g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, job->seed);

		add_line(checksum, "seed", seed);
		add_number(checksum, "temperature", job->temperature);
	}
	if (job->kv_type != NULL && (run->engine != NULL || run->guard != NULL))
		add_line(checksum, "kv-type", job->kv_type);
}

/* What is read of the inputs, and how recordings are heard. */
static void add_reading(GChecksum *checksum, const WeftRun *run)
{
	const WeftJob *job = run->job;
	g_autofree char *limits = weft_limits_text(&job->limits);

	if (run->ears != NULL) {
		g_autoptr(GString) heard = g_string_new(NULL);

		weft_ears_describe(run->ears, heard);
		add_line(checksum, "ears", heard->str);
	}
	if (job->names != NULL)
		add_line(checksum, "names", job->names);
	if (job->checks_text)
		add_line(checksum, "check-text", "true");
	if (job->is_together)
		add_line(checksum, "together", "true");
	add_number(checksum, "page-dpi", job->page_dpi);
	add_number(checksum, "page-first", job->page_first);
	add_number(checksum, "page-last", job->page_last);
	add_number(checksum, "time-first", job->time_first);
	add_number(checksum, "time-end", job->time_end);
	if (limits[0] != '\0') /* those that are not the default: a new limit redoes nothing */
		add_line(checksum, "limits", limits);
}

/* The order of lines is part of it. */
static void set_fingerprint(const WeftRun *run, Formula formula, char ret_hex[65])
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

	add_number(checksum, "record", WEFT_RECORD_VERSION);
	if (formula == FORMULA_EPOCH)
		add_number(checksum, "epoch", WEFT_FINGERPRINT_EPOCH);
	add_task(checksum, run->task);
	add_models(checksum, run);
	add_line(checksum, "reader", weft_run_reader(run));
	add_line(checksum, "ocr-languages", run->job->ocr_languages);
	if (formula == FORMULA_VERSIONS)
		add_line(checksum, "decoders", weft_ingest_versions(run->ingest));
	add_sampling(checksum, run);
	add_reading(checksum, run);
	g_strlcpy(ret_hex, g_checksum_get_string(checksum), 65);
}

void weft_fingerprint_job(const WeftRun *run, char ret_hex[65])
{
	set_fingerprint(run, FORMULA_EPOCH, ret_hex);
}

void weft_fingerprint_before(const WeftRun *run, char ret_hex[65])
{
	set_fingerprint(run, FORMULA_VERSIONS, ret_hex);
}
