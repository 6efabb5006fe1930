/* template.h - the prompt of a family, as token ids.
 *
 * The family is found by its header tokens: Llama 4 (<|header_start|> ... <|eot|>), Llama 3
 * (<|start_header_id|> ... <|eot_id|>), else plain: turns divided by blank lines, the assistant's
 * turn opened by "Answer:". A prompt is begin, then turns: open, the caller's content, close; at
 * the end an assistant turn that stays open. Content is put in trimmed: a leading line feed would
 * join the two of the header. Part of the door: include "bundle/bundle.h".
 */
#ifndef WEFT_BUNDLE_TEMPLATE_H
#define WEFT_BUNDLE_TEMPLATE_H

#include <glib.h>

#include "bundle/tokenizer.h"

typedef enum {
	WEFT_TURN_SYSTEM,
	WEFT_TURN_USER,
	WEFT_TURN_ASSISTANT,
} WeftTurn;

typedef struct WeftTemplate WeftTemplate;

/* The tokenizer must outlive it. `bos_id` (-1: none) and `eos_ids` are the configuration's; the
 * family's own end tokens are added to them. */
WeftTemplate *weft_template_new(const WeftTokenizer *tokenizer, gint32 bos_id,
				const GArray *eos_ids);
void weft_template_free(WeftTemplate *template);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTemplate, weft_template_free)

const char *weft_template_family(const WeftTemplate *template); /* "llama4", "llama3", "plain" */

/* Each appends ids (gint32). */
void weft_template_begin(const WeftTemplate *template, GArray *ids); /* BOS, once */
void weft_template_open_turn(const WeftTemplate *template, WeftTurn turn, GArray *ids);
void weft_template_close_turn(const WeftTemplate *template, GArray *ids);

/* Ids that end an answer. */
gboolean weft_template_is_end(const WeftTemplate *template, gint32 id);
const gint32 *weft_template_end_ids(const WeftTemplate *template, gsize *ret_n_ids);

#endif
