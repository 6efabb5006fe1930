/* plan_page.h - a plan as a page for people, or as one JSON object.
 *
 * Everything is already computed; here it only gets words. Weights and devices are counted in powers
 * of 1000 (GB), as their makers state them, caches in powers of 1024 (GiB), as the papers do.
 */
#ifndef WEFT_CLI_PLAN_PAGE_H
#define WEFT_CLI_PLAN_PAGE_H

#include <glib.h>

#include "cli/plan_words.h"
#include "model/model.h"
#include "pipeline/pipeline.h"

/* The documents of the paths: what they hold (counted), and how long they take. */
typedef struct WeftPlanPaths {
	const WeftEstimate *estimate;
	WeftPlanWork work;
	double read_s, model_s;  /* decoding and reading here; the model, on the machine planned for */
	double measured_s;       /* all of it, from a sample that was run here; 0: none was */
	guint64 n_sampled;
	double error;            /* of measured_s, as a share */
} WeftPlanPaths;

typedef struct WeftPlanPage {
	const char *name, *task;
	const WeftPlan *plan;
	const WeftMachine *machine;
	const WeftDevices *devices;
	/* One request, for the rates. */
	gsize n_prompt, n_answer;
	guint64 base_bytes;         /* of the program itself, tokenizer and all */
	const WeftPlanPaths *paths; /* NULL: none were given */
} WeftPlanPage;

void weft_plan_page_print(const WeftPlanPage *page);
/* Caller frees. */
char *weft_plan_page_json(const WeftPlanPage *page);

#endif
