#include "pipeline/engine.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "pipeline/budget.h"

/* What a window must hold beside prompt and answer, or the bundle is refused. */
#define DOCUMENT_TOKENS_MIN 256
/* The room for one answer where the task does not state it: an eighth of the context. */
#define ANSWER_TOKENS_MIN 256
#define ANSWER_TOKENS_MAX 2048
/* Requests that the nodes may have under way; the model takes what it has room for. */
#define IN_FLIGHT_MAX 16

/* What the shipped bundle was trained on, and plain enough for any other. */
#define READ_SYSTEM "Write down the text in the picture, line by line."

#define MERGE_SYSTEM                                                                               \
	"These are answers about the parts of one document, in order. Make one answer of them. Where " \
	"they disagree, the first that is certain counts."

#define DIVIDE_SYSTEM                                                                              \
	"These are pages of one file that holds several documents, one after another. A line such as " \
	"[p. 3] stands before each page. List the numbers of the pages on which another document begins."
/* Of a few hundred pages, a number each. */
#define BEGINS_TOKENS_MIN 64

/* Longer than any name of a type: every byte has a token. */
#define NAME_TOKENS 80

/* Llama Guard 4: "unsafe" and its categories; its card generates 10 to 20 tokens. */
#define VERDICT_TOKENS 20

struct WeftEngine {
	const WeftJob *job;
	const WeftTask *task; /* NULL: the guard's engine */
	guint n_threads;
	WeftBundle *bundle;
	GPtrArray *loras; /* WeftLora: all that were named */
	const WeftLora *adapter; /* of them; NULL: none */
	WeftRound rounds[WEFT_N_ROUNDS];
	WeftRound *typed; /* [types][2]: answer and merge of each type of the task */
	gsize capacities[WEFT_N_ROUNDS];
	const WeftStop *stop;

	pthread_mutex_t mutex; /* guards all below until the engine is open */
	gboolean is_open, is_cancelled;
	GError *failure;
	WeftKernels *kernels;
	WeftEncoders *encoders;
	WeftBatcher *batcher;
};

static gsize answer_tokens(const WeftTask *task, const WeftSchema *schema, gsize context)
{
	gsize n_tokens = CLAMP(context / 8, ANSWER_TOKENS_MIN, ANSWER_TOKENS_MAX);

	if (task->answer_tokens > 0)
		return task->answer_tokens;
	if (schema != NULL)
		n_tokens = MAX(n_tokens, weft_schema_min_bytes(schema) + 64);
	return n_tokens;
}

/* One of documents of this type; 0: of none. */
static WeftRound answer_round(const WeftEngine *engine, guint type)
{
	const WeftTask *task = engine->task;
	gsize context = weft_bundle_config(engine->bundle)->text.context_max;
	const WeftTaskType *of = type > 0 ? task->types->pdata[type - 1] : NULL;
	const WeftSchema *schema = of != NULL                     ? of->schema
	                           : task->element_schema != NULL ? task->element_schema
	                                                          : task->schema;

	return (WeftRound){
	    .number = WEFT_ROUND_ANSWER,
	    .stage = "answer",
	    .system = g_strdup(of != NULL ? of->system : task->system),
	    .question = g_strdup(task->question),
	    .schema = schema,
	    .answer_tokens = answer_tokens(task, schema, context),
	    .adapter = engine->adapter,
	};
}

static WeftRound merge_round(const WeftEngine *engine, guint type)
{
	WeftRound round = answer_round(engine, type);
	const WeftTask *task = engine->task;
	const char *schema = type > 0 ? ((WeftTaskType *)task->types->pdata[type - 1])->schema_text
	                              : task->schema_text;

	round.number = WEFT_ROUND_MERGE;
	round.stage = "merge";
	g_free(round.system);
	round.system = schema != NULL ? weft_task_system(MERGE_SYSTEM, schema,
	                                                 task->schema_options.declines)
	                              : NULL;
	return round;
}

/* What is asked before the answer, by models that may never have been told of it. */
static void set_rounds_ahead(WeftEngine *engine)
{
	const WeftTask *task = engine->task;
	guint n_types = task->types != NULL ? task->types->len : 0;
	gsize context = weft_bundle_config(engine->bundle)->text.context_max;

	if (n_types > 0)
		engine->rounds[WEFT_ROUND_TYPE] = (WeftRound){
		    .number = WEFT_ROUND_TYPE,
		    .stage = "type",
		    .system = g_strdup(task->type_system),
		    .schema = task->type_schema,
		    .answer_tokens = weft_schema_min_bytes(task->type_schema) + NAME_TOKENS,
		    .adapter = engine->adapter,
		};
	if (task->element_text != NULL && task->begins == NULL)
		engine->rounds[WEFT_ROUND_DIVIDE] = (WeftRound){
		    .number = WEFT_ROUND_DIVIDE,
		    .stage = "divide",
		    .system = weft_task_system(DIVIDE_SYSTEM, WEFT_TASK_BEGINS_SCHEMA, FALSE),
		    .schema = task->begins_schema,
		    .answer_tokens = CLAMP(context / 8, BEGINS_TOKENS_MIN, ANSWER_TOKENS_MAX),
		    .adapter = engine->adapter,
		};
	engine->typed = g_new0(WeftRound, 2 * n_types + 1);
	for (guint i = 0; i < n_types; i++) {
		engine->typed[2 * i] = answer_round(engine, i + 1);
		engine->typed[2 * i + 1] = merge_round(engine, i + 1);
	}
}

static void set_rounds(WeftEngine *engine)
{
	gsize context = weft_bundle_config(engine->bundle)->text.context_max;
	WeftRound *rounds = engine->rounds;

	rounds[WEFT_ROUND_READ] = (WeftRound){
	    .number = WEFT_ROUND_READ,
	    .stage = "read",
	    .system = g_strdup(READ_SYSTEM),
	    .answer_tokens = CLAMP(context / 4, ANSWER_TOKENS_MIN, ANSWER_TOKENS_MAX),
	};
	rounds[WEFT_ROUND_ANSWER] = answer_round(engine, 0);
	rounds[WEFT_ROUND_MERGE] = merge_round(engine, 0);
	set_rounds_ahead(engine);
}

static void close_lora(gpointer lora)
{
	weft_lora_close(lora);
}

/* Names tell adapters apart, in task files and in records. */
static WeftLora *open_lora(WeftEngine *engine, const char *path, GError **error)
{
	WeftLora *lora = weft_lora_open(path, error);

	if (lora == NULL)
		return NULL;
	for (guint i = 0; i < engine->loras->len; i++) {
		if (strcmp(weft_lora_name(engine->loras->pdata[i]), weft_lora_name(lora)) != 0)
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "adapter %s: another one has the name %s, too", path,
		            weft_lora_name(lora));
		weft_lora_close(lora);
		return NULL;
	}
	g_ptr_array_add(engine->loras, lora);
	return lora;
}

static char *list_names(const GPtrArray *loras)
{
	GString *names = g_string_new(loras->len > 0 ? NULL : "none");

	for (guint i = 0; i < loras->len; i++)
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
		                       weft_lora_name(loras->pdata[i]));
	return g_string_free(names, FALSE);
}

static gboolean choose_adapter(WeftEngine *engine, GError **error)
{
	const WeftTask *task = engine->task;
	g_autofree char *names = list_names(engine->loras);

	for (guint i = 0; task->adapter != NULL && i < engine->loras->len; i++) {
		if (strcmp(weft_lora_name(engine->loras->pdata[i]), task->adapter) == 0)
			engine->adapter = engine->loras->pdata[i];
	}
	if (task->adapter == NULL && engine->loras->len == 1)
		engine->adapter = engine->loras->pdata[0];
	if (engine->adapter != NULL || (task->adapter == NULL && engine->loras->len == 0))
		return TRUE;
	if (task->adapter != NULL)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "task %s: adapter=%s is none of those given with --adapter (%s)",
		            task->name, task->adapter, names);
	else
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "task %s names none of the adapters %s: adapter=NAME in its file, or one "
		            "--adapter alone",
		            task->name, names);
	return FALSE;
}

static gboolean open_adapters(WeftEngine *engine, GError **error)
{
	const GPtrArray *paths = engine->job->adapters;
	const WeftTask *task = engine->task;

	engine->loras = g_ptr_array_new_with_free_func(close_lora);
	for (guint i = 0; i < paths->len; i++) {
		if (open_lora(engine, paths->pdata[i], error) == NULL)
			return FALSE;
	}
	if (task->adapter_path == NULL)
		return choose_adapter(engine, error);
	engine->adapter = open_lora(engine, task->adapter_path, error);
	return engine->adapter != NULL;
}

static WeftEngine *engine_new(const WeftJob *job, guint n_threads, const char *model,
                              GError **error)
{
	g_autoptr(WeftEngine) engine = g_new0(WeftEngine, 1);

	engine->job = job;
	engine->n_threads = n_threads;
	pthread_mutex_init(&engine->mutex, NULL);
	engine->bundle = weft_bundle_open(model, error);
	if (engine->bundle == NULL)
		return NULL;
	if (!weft_bundle_config(engine->bundle)->has_text ||
	    weft_bundle_tokenizer(engine->bundle) == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "%s: not a bundle that answers: it has no %s", model,
		            weft_bundle_tokenizer(engine->bundle) == NULL ? "tokenizer"
		                                                          : "text model");
		return NULL;
	}
	if (!weft_model_check(engine->bundle, job->kv_type, error)) {
		g_prefix_error(error, "%s: ", weft_bundle_name(engine->bundle));
		return NULL;
	}
	return g_steal_pointer(&engine);
}

WeftEngine *weft_engine_new(const WeftJob *job, const WeftTask *task, guint n_threads,
                            GError **error)
{
	g_autoptr(WeftEngine) engine = NULL;
	const char *reason;

	if (job->model == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "task %s needs a model: -m DIR",
		            task->name);
		return NULL;
	}
	engine = engine_new(job, n_threads, job->model, error);
	if (engine == NULL)
		return NULL;
	if (job->audio != NULL && !weft_bundle_attach_audio(engine->bundle, job->audio, error))
		return NULL;
	engine->task = task;
	if (!open_adapters(engine, error))
		return NULL;
	reason = weft_template_reason(weft_bundle_template(engine->bundle));
	if (reason)
		g_warning("%s: %s", job->model, reason);
	set_rounds(engine);
	return g_steal_pointer(&engine);
}

WeftEngine *weft_engine_new_guard(const WeftJob *job, guint n_threads, GError **error)
{
	g_autoptr(WeftEngine) engine = engine_new(job, n_threads, job->guard, error);
	const char *family, *reason;

	if (engine == NULL)
		return NULL;
	family = weft_template_family(weft_bundle_template(engine->bundle));
	reason = weft_template_reason(weft_bundle_template(engine->bundle));
	if (strcmp(family, "llama4") != 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "%s: not a Llama Guard 4: its prompt is \"%s\", not \"llama4\"%s%s",
		            job->guard, family, reason != NULL ? ": " : "",
		            reason != NULL ? reason : "");
		return NULL;
	}
	for (WeftRoundNumber i = WEFT_ROUND_GUARD; i <= WEFT_ROUND_GUARD_MERGE; i++)
		engine->rounds[i] = (WeftRound){
		    .number = i,
		    .stage = "guard",
		    .answer_tokens = VERDICT_TOKENS,
		    .is_greedy = TRUE,
		    .watched = "unsafe",
		};
	return g_steal_pointer(&engine);
}

static void round_clear(WeftRound *round)
{
	g_free(round->system);
	g_free(round->question);
}

static guint n_types(const WeftEngine *engine)
{
	return engine->task != NULL && engine->task->types != NULL ? engine->task->types->len : 0;
}

void weft_engine_free(WeftEngine *engine)
{
	if (engine == NULL)
		return;
	weft_batcher_free(engine->batcher);
	g_clear_pointer(&engine->encoders, weft_encoders_close);
	weft_kernels_close(engine->kernels);
	g_clear_pointer(&engine->bundle, weft_bundle_close);
	g_clear_pointer(&engine->loras, g_ptr_array_unref);
	g_clear_error(&engine->failure);
	for (guint i = 0; i < WEFT_N_ROUNDS; i++)
		round_clear(&engine->rounds[i]);
	for (guint i = 0; engine->typed != NULL && i < 2 * n_types(engine); i++)
		round_clear(&engine->typed[i]);
	g_free(engine->typed);
	pthread_mutex_destroy(&engine->mutex);
	g_free(engine);
}

void weft_engine_heed(WeftEngine *engine, const WeftStop *stop)
{
	if (engine != NULL)
		engine->stop = stop;
}

void weft_engine_cancel(WeftEngine *engine)
{
	if (engine == NULL)
		return;
	pthread_mutex_lock(&engine->mutex);
	engine->is_cancelled = TRUE;
	weft_batcher_cancel(engine->batcher);
	pthread_mutex_unlock(&engine->mutex);
}

const WeftBundle *weft_engine_bundle(const WeftEngine *engine)
{
	return engine->bundle;
}

const WeftLora *weft_engine_adapter(const WeftEngine *engine)
{
	return engine->adapter;
}

const WeftRound *weft_engine_round(const WeftEngine *engine, WeftRoundNumber number)
{
	return &engine->rounds[number];
}

const WeftRound *weft_engine_round_of(const WeftEngine *engine, WeftRoundNumber number, guint type)
{
	if (type == 0 || (number != WEFT_ROUND_ANSWER && number != WEFT_ROUND_MERGE))
		return &engine->rounds[number];
	return &engine->typed[2 * (type - 1) + (number == WEFT_ROUND_MERGE ? 1 : 0)];
}

/* What the round leaves for the document, where the rounds before have left more. */
static gboolean fit_round(WeftEngine *engine, const WeftRound *round, gsize *capacity, gsize context,
                          GError **error)
{
	gsize frame = weft_encoders_frame_tokens(engine->encoders, round->system, round->question);

	if (frame > context || round->answer_tokens > context - frame ||
	    DOCUMENT_TOKENS_MIN > context - frame - round->answer_tokens) {
		g_set_error(
		    error, WEFT_ERROR, WEFT_ERROR_CONTEXT,
		    "%s: a context of %zu tokens does not hold the prompt of task %s (%zu), "
		    "the answer (%zu) and %d of the document",
		    weft_bundle_name(engine->bundle), context, engine->task->name, frame,
		    round->answer_tokens, DOCUMENT_TOKENS_MIN);
		return FALSE;
	}
	*capacity = MIN(*capacity, context - frame - round->answer_tokens);
	return TRUE;
}

/* Windows are cut once, for whatever will be asked about them. */
static gboolean fit_answers(WeftEngine *engine, gsize context, GError **error)
{
	gsize *answer = &engine->capacities[WEFT_ROUND_ANSWER];
	gsize *merge = &engine->capacities[WEFT_ROUND_MERGE];
	static const WeftRoundNumber ahead[] = {WEFT_ROUND_TYPE, WEFT_ROUND_DIVIDE};

	*answer = *merge = G_MAXSIZE;
	for (guint i = 0; i <= n_types(engine); i++) {
		const WeftRound *round = weft_engine_round_of(engine, WEFT_ROUND_ANSWER, i);

		if (round->schema == NULL)
			continue;
		if (!fit_round(engine, round, answer, context, error) ||
		    !fit_round(engine, weft_engine_round_of(engine, WEFT_ROUND_MERGE, i), merge, context,
		               error))
			return FALSE;
	}
	if (*answer == G_MAXSIZE)
		*answer = *merge = 0; /* nothing is asked */
	for (guint i = 0; i < G_N_ELEMENTS(ahead); i++) {
		const WeftRound *round = &engine->rounds[ahead[i]];

		if (round->schema != NULL && !fit_round(engine, round, answer, context, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean fit_guard(WeftEngine *engine, gsize context, GError **error)
{
	gsize frame = weft_encoders_conversation_tokens(engine->encoders) + VERDICT_TOKENS;

	if (frame > context || DOCUMENT_TOKENS_MIN > context - frame) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT,
		            "%s: a context of %zu tokens does not hold the prompt of the guard and "
		            "its answer (%zu) and %d of the document",
		            weft_bundle_name(engine->bundle), context, frame, DOCUMENT_TOKENS_MIN);
		return FALSE;
	}
	engine->capacities[WEFT_ROUND_GUARD] = context - frame;
	engine->capacities[WEFT_ROUND_GUARD_MERGE] = context - frame;
	return TRUE;
}

static gboolean fit_task(WeftEngine *engine, gsize context, GError **error)
{
	gsize *read = &engine->capacities[WEFT_ROUND_READ];

	*read = G_MAXSIZE;
	return fit_round(engine, &engine->rounds[WEFT_ROUND_READ], read, context, error) &&
	       fit_answers(engine, context, error);
}

static gboolean open_to_count(WeftEngine *engine, GError **error)
{
	gsize context = weft_bundle_config(engine->bundle)->text.context_max;

	engine->encoders = weft_encoders_open_to_count(engine->bundle, error);
	return engine->encoders != NULL &&
	       (engine->task != NULL ? fit_task(engine, context, error)
	                             : fit_guard(engine, context, error));
}

static gboolean open_locked(WeftEngine *engine, GError **error)
{
	const WeftJob *job = engine->job;
	/* A guard shares what requests have of the memory, and the cache. */
	guint n_engines = job->guard != NULL ? 2 : 1;
	/* Rounded up, because 0 is no limit. */
	guint64 kv_bytes = (job->kv_memory_bytes + n_engines - 1) / n_engines;
	g_autofree char *state = job->state != NULL            ? g_strdup(job->state)
				 : strcmp(job->output, "-") != 0 ? g_build_filename(job->output,
										    "state", NULL)
								 : NULL;
	WeftModelOptions options = {.kv_type = job->kv_type,
				    .kv_memory_max_bytes = kv_bytes,
				    .kv_folder = state,
				    .locks_weights = job->locks_weights,
				    .prefetches_weights = job->prefetches_weights};
	g_autoptr(WeftModel) model = NULL;
	gsize context;

	if (engine->job->is_dry)
		return open_to_count(engine, error);
	engine->kernels = weft_kernels_open(engine->job->tier, (int)engine->n_threads, error);
	if (engine->kernels == NULL)
		return FALSE;
	engine->encoders = weft_encoders_open(engine->bundle, engine->kernels, error);
	if (engine->encoders == NULL)
		return FALSE;
	model = weft_model_open(engine->bundle, engine->kernels, &options, error);
	if (model == NULL) {
		if (n_engines > 1) /* which of the two it is */
			g_prefix_error(error, "%s: ", weft_bundle_name(engine->bundle));
		return FALSE;
	}
	if (engine->adapter != NULL &&
	    (!weft_encoders_add_adapter(engine->encoders, engine->adapter, error) ||
	     !weft_model_add_adapter(model, engine->adapter, error)))
		return FALSE;
	context = weft_model_context(model);
	if (engine->task != NULL ? !fit_task(engine, context, error)
	                         : !fit_guard(engine, context, error))
		return FALSE;
	engine->batcher = weft_batcher_new(g_steal_pointer(&model), IN_FLIGHT_MAX,
	                                   engine->job->memory_bytes / 100 *
	                                       WEFT_PERCENT_REQUESTS / n_engines, error);
	if (engine->batcher != NULL)
		weft_batcher_heed(engine->batcher, engine->stop);
	return engine->batcher != NULL;
}

gboolean weft_engine_open(WeftEngine *engine, GError **error)
{
	gboolean is_open;

	pthread_mutex_lock(&engine->mutex);
	if (!engine->is_open && engine->failure == NULL) {
		engine->is_open = open_locked(engine, &engine->failure);
		if (engine->is_open && engine->is_cancelled)
			weft_batcher_cancel(engine->batcher);
	}
	is_open = engine->is_open;
	if (!is_open)
		g_propagate_error(error, g_error_copy(engine->failure));
	pthread_mutex_unlock(&engine->mutex);
	return is_open;
}

const WeftEncoders *weft_engine_encoders(const WeftEngine *engine)
{
	return engine->encoders;
}

WeftBatcher *weft_engine_batcher(const WeftEngine *engine)
{
	return engine->batcher;
}

gsize weft_engine_capacity(const WeftEngine *engine, WeftRoundNumber number)
{
	return engine->capacities[number];
}

gsize weft_engine_tile_tokens(const WeftEngine *engine)
{
	return engine != NULL ? weft_encoders_tile_tokens(engine->encoders) : 0;
}

gboolean weft_engine_knows_task(const WeftEngine *engine)
{
	const WeftTraits *traits = &weft_bundle_config(engine->bundle)->traits;

	return traits->tasks == NULL || engine->adapter != NULL ||
	       (engine->job->schema == NULL &&
	        g_strv_contains((const char *const *)traits->tasks, engine->task->name));
}

char *weft_engine_untaught(const WeftEngine *engine)
{
	const WeftTraits *traits;
	g_autofree char *names = NULL;

	if (engine == NULL || engine->task->windows == WEFT_WINDOWS_NONE || weft_engine_knows_task(engine))
		return NULL;
	traits = &weft_bundle_config(engine->bundle)->traits;
	names = g_strjoinv(", ", traits->tasks);
	return g_strdup_printf("%s was trained for %s alone: values of this answer will be null "
	                       "(not_examined); -m names a model that follows instructions",
	                       weft_bundle_name(engine->bundle), names);
}

gboolean weft_engine_hears_words(const WeftEngine *engine)
{
	return engine != NULL && weft_bundle_config(engine->bundle)->traits.hears_words;
}

const char *weft_engine_tier(WeftEngine *engine)
{
	const char *name = NULL;

	pthread_mutex_lock(&engine->mutex);
	if (engine->kernels != NULL)
		name = engine->kernels->name;
	pthread_mutex_unlock(&engine->mutex);
	return name;
}
