/* template.h - the prompt of a family, as token ids.
 *
 * A prompt is begin, then turns: open with the content's first words, more content, close; at the
 * end an assistant turn that stays open. The families, as their published templates render them:
 *   llama4   BOS <|header_start|>ROLE<|header_end|>\n\n ... <|eot|>
 *   llama3   BOS <|start_header_id|>ROLE<|end_header_id|>\n\n ... <|eot_id|>; where the bundle's
 *            template has the block "Cutting Knowledge Date ... Today Date ..." (3.1 and later), it
 *            stands before the system text, or in a system turn of its own, with the date that is
 *            written in the template and never the day's: the same run gives the same record
 *   mixtral  BOS [INST] system\n\nuser [/INST], with blanks as the template has them
 *   plain    turns divided by blank lines, the assistant's opened by "Answer:"
 * Content is put in trimmed: a leading line feed would join the two of a header.
 *
 * Templates are programs in Jinja and are never run. The bundle's is only compared: the family is
 * the one whose marks stand in its text; without a template, the one whose header tokens the
 * tokenizer has. A template of no family is not followed: the prompt is plain then, and
 * weft_template_reason says so. Part of the door: include "bundle/bundle.h".
 */
#ifndef WEFT_BUNDLE_TEMPLATE_H
#define WEFT_BUNDLE_TEMPLATE_H

#include <glib.h>

#include "bundle/chat.h"
#include "bundle/tokenizer.h"

typedef enum {
	WEFT_TURN_SYSTEM,
	WEFT_TURN_USER,
	WEFT_TURN_ASSISTANT,
} WeftTurn;

typedef struct WeftTemplate WeftTemplate;

/* The tokenizer must outlive it. `bos_id` (-1: none) and `eos_ids` are the configuration's; the
 * family's own end tokens are added to them. `chat`: the bundle's template, or NULL. */
WeftTemplate *weft_template_new(const WeftTokenizer *tokenizer, gint32 bos_id,
				const GArray *eos_ids, const WeftChat *chat);
void weft_template_free(WeftTemplate *template);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTemplate, weft_template_free)

/* "llama4", "llama3", "mixtral", "plain". */
const char *weft_template_family(const WeftTemplate *template);
/* Why the bundle's template is not followed, in one line; NULL when it is, or when it has none. */
const char *weft_template_reason(const WeftTemplate *template);

/* Each appends ids (gint32). A turn is opened together with the first `size_bytes` of its content,
 * because a blank before them may become part of their token; `is_first`: no turn stands before. */
void weft_template_begin(const WeftTemplate *template, GArray *ids); /* BOS, once */
void weft_template_open_turn(const WeftTemplate *template, WeftTurn turn, gboolean is_first,
			     const char *content, gsize size_bytes, GArray *ids);
void weft_template_close_turn(const WeftTemplate *template, WeftTurn turn, GArray *ids);

/* Ids that end an answer. */
gboolean weft_template_is_end(const WeftTemplate *template, gint32 id);
const gint32 *weft_template_end_ids(const WeftTemplate *template, gsize *ret_n_ids);

#endif
