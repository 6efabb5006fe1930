/* reference.h - the logits of a few prompts beside those of transformers.
 *
 * REF.json is written by tools/reference_logits.py: of each prompt its ids (and, where it is plain
 * text, the text), and of its last positions the largest logits. The picture of the prompt with a
 * picture follows from a rule that both sides have. The ids of the reference are used; that the
 * bundle's tokenizer gives the same ones is a result of its own.
 */
#ifndef WEFT_CLI_REFERENCE_H
#define WEFT_CLI_REFERENCE_H

#include <glib.h>

#include "encoders/encoders.h"
#include "model/model.h"

typedef struct WeftComparison {
	char *made_by, *dtype;   /* "transformers 5.23.0", "float32" */
	guint n_prompts;
	guint n_rows, n_same;    /* positions; those whose likeliest token is the same, or as likely
				  * in the reference as its own within the tolerance */
	guint n_ids_wrong;       /* prompts that the tokenizer encodes otherwise */
	double difference;       /* largest |difference| over largest |logit| of the row */
	double divergence;       /* largest KL divergence over the reference's largest logits */
	double tolerance;        /* of `difference` */
	gboolean agrees;
	GPtrArray *lines;        /* char *: one for each prompt, for people */
} WeftComparison;

void weft_comparison_free(WeftComparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftComparison, weft_comparison_free)

/* Prompts with a picture are left out when the bundle does not see. WEFT_ERROR_CORRUPT names file
 * and member; WEFT_ERROR_CONTEXT, _USAGE: a prompt that this model can't have had. */
WeftComparison *weft_reference_compare(const char *path, WeftBundle *bundle, WeftModel *model,
				       const WeftEncoders *encoders, GError **error);

#endif
