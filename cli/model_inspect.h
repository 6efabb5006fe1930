/* model_inspect.h - `weft model inspect`: what a bundle is, whether its bytes are sound, and which
 * experts it uses.
 *
 * Split by what is done: model_inspect.c tells what the headers say, model_verify.c reads all
 * weights, model_routing.c runs documents and draws routing_svg.c's picture of it.
 */
#ifndef WEFT_CLI_MODEL_INSPECT_H
#define WEFT_CLI_MODEL_INSPECT_H

#include <glib.h>

#include "bundle/bundle.h"
#include "cli/cmd.h"
#include "model/routing.h"

int weft_model_inspect(const WeftPlaces *places, int argc, char **argv);

/* Reads every weight once: NaN and infinities per tensor, SHA-256 per file (as sha256sum prints it)
 * on stdout, progress on a terminal. `path` is where the bundle was opened. *ret_n_bad counts what
 * is not finite. */
gboolean weft_model_verify(const WeftBundle *bundle, const char *path, guint64 *ret_n_bad,
			   GError **error);

typedef struct WeftRoutingJob {
	const WeftPlaces *places;
	WeftBundle *bundle;       /* open */
	const char *path;         /* of the bundle */
	char **paths;             /* documents; none: a few prompts that are built in */
} WeftRoutingJob;

/* Runs them, prints the table and warnings; *ret_picture is the SVG of it, caller frees.
 * WEFT_ERROR_UNSUPPORTED: a model without experts. */
gboolean weft_model_routing(const WeftRoutingJob *job, char **ret_picture, GError **error);

/* A panel for each layer: a row for each document, a column for each expert, darker where the
 * expert took more than its even part. `labels` (char *) and `routings` (WeftRouting *) go together.
 * Caller frees. */
char *weft_routing_svg(const char *title, const GPtrArray *labels, const GPtrArray *routings);

#endif
