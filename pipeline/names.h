/* names.h - private: who the speakers are: "S1=Anna,S2=Ben".
 *
 * The left side is a label as the record has it, or the title of a track. A label that is not sure
 * ("S1?") stays so ("Anna?"). What was heard is kept under the labels, so that other names cost
 * nothing.
 */
#ifndef WEFT_PIPELINE_NAMES_H
#define WEFT_PIPELINE_NAMES_H

#include <glib.h>

typedef struct WeftNames WeftNames;

/* `text` NULL: no names. WEFT_ERROR_USAGE: not of this form. */
WeftNames *weft_names_new(const char *text, GError **error);
void weft_names_free(WeftNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftNames, weft_names_free)

/* The name for a label; NULL: it keeps its own. Caller frees. */
char *weft_names_of(const WeftNames *names, const char *label);

#endif
