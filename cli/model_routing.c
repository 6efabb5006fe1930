/* model_routing.c - which experts a model uses, over documents or over prompts that are built in.
 *
 * Documents go through an ordinary run of the task index, whose records are kept in memory; the
 * prompts go to the model as they are.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/model_inspect.h"
#include "encoders/encoders.h"
#include "ingest/ingest.h"
#include "model/model.h"
#include "pipeline/pipeline.h"

#define RECORDS_MAX_BYTES ((gsize)1 << 30)
#define PROMPT_ANSWER_TOKENS 16

/* Of different kinds, because experts are said to be. */
static const struct {
	const char *label, *text;
} PROMPTS[] = {
    {"prose", "It was the last week of October, and the ferry had stopped running for the year. Nobody "
              "in the village had expected the letter, least of all the keeper of the lighthouse."},
    {"German", "Die Sitzung des Gemeinderats beginnt am Dienstag um 19 Uhr im Rathaus. Auf der "
               "Tagesordnung stehen der Haushalt und die neue Turnhalle."},
    {"Spanish", "El niño dejó la bicicleta junto a la puerta y entró corriendo en la cocina, donde su "
                "abuela preparaba el pan para la semana."},
    {"Japanese", "来週の会議は三階の会議室で行います。資料は金曜日までに送ってください。"},
    {"C", "static int compare(const void *a, const void *b)\n{\n\tconst int *x = a, *y = b;\n\n"
          "\treturn (*x > *y) - (*x < *y);\n}\n"},
    {"JSON", "{\"invoice\": {\"number\": \"2024-0117\", \"lines\": [{\"item\": \"paper\", \"n\": 4, "
             "\"price\": 3.75}], \"total\": 15.00, \"paid\": null}}"},
    {"numbers", "1,240.00 89.50 2024-03-17 0.0625 7 11 13 17 19 23 29 31 37 41 43 47 +49 30 901820 "
                "192.168.0.1 17:45 3/4 100%"},
    {"mathematics", "Let f be continuous on [a, b] and differentiable on (a, b). Then there is a c in "
                    "(a, b) with f'(c) = (f(b) - f(a)) / (b - a)."},
};

typedef struct Findings {
	GPtrArray *labels;   /* char * */
	GPtrArray *routings; /* WeftRouting * */
} Findings;

static void routing_free(gpointer routing)
{
	weft_routing_free(routing);
}

static void findings_init(Findings *findings)
{
	findings->labels = g_ptr_array_new_with_free_func(g_free);
	findings->routings = g_ptr_array_new_with_free_func(routing_free);
}

static void findings_clear(Findings *findings)
{
	g_ptr_array_unref(findings->labels);
	g_ptr_array_unref(findings->routings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Findings, findings_clear)

static void add_finding(Findings *findings, char *take_label, WeftRouting *take_routing)
{
	g_ptr_array_add(findings->labels, take_label);
	g_ptr_array_add(findings->routings, take_routing);
}

/* ---- prompts ---- */

static gboolean ask(const WeftEncoders *encoders, WeftModel *model, const char *text,
                    WeftRouting **ret_routing, GError **error)
{
	const WeftGeneration generation = {.n_tokens_max = PROMPT_ANSWER_TOKENS,
	                                   .counts_routing = TRUE};
	g_autoptr(WeftRequest) request = weft_request_new(encoders, NULL);
	g_autoptr(WeftAnswer) answer = NULL;
	const WeftPassage passage = {text, strlen(text), NULL, WEFT_SPAN_NO_CONTENT, {0}};
	guint64 ticket;

	if (!weft_request_add_text(request, &passage, error))
		return FALSE;
	WeftSequence *sequence = weft_request_finish(g_steal_pointer(&request), NULL, error);
	if (!sequence || !weft_model_submit(model, sequence, &generation, &ticket, error))
		return FALSE;
	GError *fault = NULL;
	while (!weft_model_take(model, &ticket, &answer, &fault))
		if (!weft_model_step(model, error))
			return FALSE;
	if (fault) {
		g_propagate_error(error, fault);
		return FALSE;
	}
	*ret_routing = g_steal_pointer(&answer->routing);
	return TRUE;
}

static gboolean ask_prompts(const WeftRoutingJob *job, Findings *findings, GError **error)
{
	g_autoptr(WeftKernels) kernels = weft_kernels_open(NULL, 0, error);
	if (!kernels)
		return FALSE;
	g_autoptr(WeftEncoders) encoders = weft_encoders_open(job->bundle, kernels, error);
	if (!encoders)
		return FALSE;
	g_autoptr(WeftModel) model = weft_model_open(job->bundle, kernels, NULL, error);
	for (gsize i = 0; model && i < G_N_ELEMENTS(PROMPTS); i++) {
		WeftRouting *routing = NULL;
		if (!ask(encoders, model, PROMPTS[i].text, &routing, error))
			return FALSE;
		add_finding(findings, g_strdup(PROMPTS[i].label), routing);
	}
	return model != NULL;
}

/* ---- documents ---- */

static WeftRouting *read_routing(const WeftJson *value)
{
	const WeftJson *layers = weft_json_member(value, "layers");
	guint64 n_experts = 0, n_active = 0;
	if (!weft_json_uint(weft_json_member(value, "experts"), &n_experts) ||
	    !weft_json_uint(weft_json_member(value, "active"), &n_active))
		return NULL;
	WeftRouting *routing = weft_routing_new(weft_json_length(layers), n_experts, n_active);
	for (gsize i = 0; i < routing->n_layers; i++) {
		const WeftJson *layer = weft_json_at(layers, i);
		const WeftJson *counts = weft_json_member(layer, "counts");
		guint64 n = 0;
		(void)weft_json_uint(weft_json_member(layer, "layer"), &n); /* weft wrote it */
		routing->layers[i] = (guint32)n;
		for (gsize e = 0; e < n_experts; e++)
			(void)weft_json_uint(weft_json_at(counts, e),
			                     &routing->counts[i * n_experts + e]);
	}
	return routing;
}

static gboolean take_record(Findings *findings, const char *line, gsize size, GError **error)
{
	g_autoptr(WeftJson) record = weft_json_parse(line, size, WEFT_JSON_STRICT, error);
	if (!record)
		return FALSE;
	const WeftJson *run = weft_json_member(record, "run");
	const WeftJson *paths = weft_json_member(weft_json_member(record, "source"), "paths");
	const char *path = weft_json_string(weft_json_at(paths, 0), NULL);
	WeftRouting *routing = read_routing(weft_json_member(run, "routing"));
	if (routing) /* else the model was not asked about it */
		add_finding(findings, g_path_get_basename(path ? path : "?"), routing);
	return TRUE;
}

static gboolean take_records(Findings *findings, int fd, GError **error)
{
	g_autofree char *text = NULL;
	gsize size;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    !weft_fd_read(fd, "records", RECORDS_MAX_BYTES, &text, &size, error))
		return FALSE;
	for (gsize at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		gsize length = end ? (gsize)(end - text) - at : size - at;
		if (length > 0 && !take_record(findings, text + at, length, error))
			return FALSE;
		at += length + 1;
	}
	return TRUE;
}

static gboolean run_job(const WeftJob *job, WeftIngest *ingest, GError **error)
{
	g_autoptr(WeftRun) run = weft_run_new(job, ingest, error);
	gboolean is_whole =
	    run && weft_run_start(run, error) && weft_run_join(run, error);
	char *message;
	while (run && (message = weft_run_next_message(run, NULL)) != NULL) {
		fprintf(stderr, "%s\n", message);
		g_free(message);
	}
	return is_whole;
}

static gboolean read_documents(const WeftRoutingJob *job, WeftIngest *ingest, Findings *findings,
                               GError **error)
{
	g_autoptr(WeftJob) run = weft_job_new();
	int fd = memfd_create("weft-records", MFD_CLOEXEC);
	gboolean is_good = fd >= 0;

	if (!is_good)
		g_set_error_literal(error, WEFT_ERROR, WEFT_ERROR_IO, "memfd_create for the records");
	for (char **path = job->paths; *path; path++)
		g_ptr_array_add(run->inputs, g_strdup(*path));
	run->tasks_dir = g_strdup(job->places->tasks_dir);
	run->model = g_strdup(job->path);
	run->counts_routing = TRUE;
	run->lines_fd = fd;
	is_good = is_good && weft_job_set(run, "output", "-", error) && run_job(run, ingest, error) &&
	          take_records(findings, fd, error);
	if (fd >= 0)
		close(fd);
	return is_good;
}

/* ---- what came of it ---- */

static void print_layer(const WeftRouting *all, gsize i)
{
	WeftRoutingFigures figures;
	weft_routing_figures(all, i, &figures);
	printf("  %5u %9" G_GUINT64_FORMAT " %9.2f %9.1f %9.2f %9zu %9zu %s\n", all->layers[i],
	       figures.n_tokens, figures.entropy, figures.effective, figures.load_max,
	       figures.expert_max, figures.n_unused, figures.is_collapsed ? "  collapsed" : "");
}

static void print_table(const WeftRouting *all, gsize n_documents)
{
	printf("\nrouting of %zu %s: %zu experts, %zu for each token\n"
	       "  layer    tokens   entropy effective  load max of expert    unused\n",
	       n_documents, n_documents == 1 ? "text" : "texts", all->n_experts, all->n_active);
	for (gsize i = 0; i < all->n_layers; i++)
		print_layer(all, i);
	for (gsize i = 0; i < all->n_layers; i++) {
		g_autofree char *warning = weft_routing_warning(all, i);
		if (warning)
			fprintf(stderr, "weft model: %s\n", warning);
	}
}

static gboolean has_experts(const WeftBundle *bundle)
{
	const WeftConfig *config = weft_bundle_config(bundle);
	gboolean has = FALSE;
	for (gsize i = 0; config->has_text && i < config->text.n_layers; i++)
		has |= config->text.layers[i].is_moe;
	return has;
}

gboolean weft_model_routing(const WeftRoutingJob *job, char **ret_picture, GError **error)
{
	g_auto(Findings) findings;
	WeftIngest *ingest = NULL;
	gboolean is_good;

	findings_init(&findings);
	if (!has_experts(job->bundle)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		            "%s: no experts to choose from", job->path);
		return FALSE;
	}
	if (!weft_bundle_tokenizer(job->bundle)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "%s: no tokenizer, so nothing can be asked of it", job->path);
		return FALSE;
	}
	if (*job->paths) {
		/* Before the run has threads: the helpers fork. */
		ingest = weft_ingest_open(job->places->helper_dir, error);
		is_good = ingest && read_documents(job, ingest, &findings, error);
		weft_ingest_close(ingest);
	} else {
		is_good = ask_prompts(job, &findings, error);
	}
	if (!is_good)
		return FALSE;
	if (findings.routings->len == 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY,
		            "nothing in these documents that the model was asked about");
		return FALSE;
	}
	g_autoptr(WeftRouting) all = weft_routing_copy(findings.routings->pdata[0]);
	for (guint i = 1; i < findings.routings->len; i++)
		weft_routing_add(all, findings.routings->pdata[i]);
	print_table(all, findings.routings->len);
	*ret_picture =
	    weft_routing_svg(weft_bundle_name(job->bundle), findings.labels, findings.routings);
	return TRUE;
}
