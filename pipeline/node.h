/* node.h - one kind of work in the graph.
 *
 * A node is a class (a static const table, below) with one or more threads, each with a state of
 * its own made from the `shared` pointer that the graph was given. A thread runs
 *
 *     init                       once; allocate here
 *     step(item) step(item) ...  takes each item of the inbox over; sends any number on
 *     flush                      once, when the inbox is at its end (not when cancelled)
 *     done                       once, always when init succeeded
 *
 * A node without inbox is a source: its step is called with NULL until it answers WEFT_STEP_END.
 * A node never waits for anything but its inbox, its room to send, and what its own room does.
 * An error from init, step or flush stops the whole graph; what concerns one document is not such
 * an error but an item that travels on (fault.h).
 */
#ifndef WEFT_PIPELINE_NODE_H
#define WEFT_PIPELINE_NODE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct WeftRunner WeftRunner; /* one thread of one node */

typedef enum {
	WEFT_STEP_MORE,
	WEFT_STEP_END,    /* nothing more to do here: the ones before are told to stop sending */
	WEFT_STEP_FAILED, /* error is set */
} WeftStep;

typedef struct WeftNodeClass {
	const char *name;
	/* `*ret_state` may stay NULL. All but step may be NULL. */
	gboolean (*init)(void *shared, WeftRunner *runner, void **ret_state, GError **error);
	WeftStep (*step)(void *state, WeftRunner *runner, void *take_item, GError **error);
	WeftStep (*flush)(void *state, WeftRunner *runner, GError **error);
	void (*done)(void *state);
} WeftNodeClass;

/* What runs through the channels of a graph. */
typedef struct WeftItemClass {
	size_t (*size_bytes)(const void *item);
	void (*free)(void *item);
	/* A short name for the trace, copied into `label`; may be NULL. */
	void (*label)(const void *item, char *label, size_t size);
} WeftItemClass;

/* Sends to the node that follows. FALSE: nobody receives any more; the item is freed and the node had
 * better end. */
bool weft_runner_send(WeftRunner *runner, void *take_item);
bool weft_runner_is_cancelled(const WeftRunner *runner);

#endif
