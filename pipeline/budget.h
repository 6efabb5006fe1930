/* budget.h - bytes and documents under way in a run.
 *
 * Two accounts. Bytes: what lies in the channels of a graph, together, with its peak. The limit is
 * kept by handing each channel a share of it, so nothing ever waits here and no two nodes can
 * deadlock over memory. Documents: the source takes a place for each document before it lets it go,
 * the sink gives it back; that bounds what every node holds of unfinished documents, and how far
 * the sink can be asked to reorder.
 */
#ifndef WEFT_PIPELINE_BUDGET_H
#define WEFT_PIPELINE_BUDGET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* How the memory of a run is shared out, in percent: to decoders and readers with their pictures
 * (ingest/ingest.h), to what lies in channels, to requests that the model works on. The rest is for
 * weft itself: the contents of documents under way, the catalogue, the helper programs. */
enum {
	WEFT_PERCENT_DECODE = 22,
	WEFT_PERCENT_READ = 42,
	WEFT_PERCENT_CHANNELS = 12,
	WEFT_PERCENT_REQUESTS = 8,
};

typedef struct WeftBudget WeftBudget;

WeftBudget *weft_budget_new(unsigned documents_max);
void weft_budget_free(WeftBudget *budget);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftBudget, weft_budget_free)

void weft_budget_add(WeftBudget *budget, size_t size_bytes);
void weft_budget_remove(WeftBudget *budget, size_t size_bytes);
size_t weft_budget_bytes(WeftBudget *budget);
size_t weft_budget_peak(WeftBudget *budget);

/* Waits for a place; false when cancelled. */
bool weft_budget_enter(WeftBudget *budget);
/* Waits until no document has a place; false when cancelled. */
bool weft_budget_drain(WeftBudget *budget);
void weft_budget_leave(WeftBudget *budget);
/* Nobody waits from here on. */
void weft_budget_cancel(WeftBudget *budget);

#endif
