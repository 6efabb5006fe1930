/* mask_key.h - what of a constraint can make a difference within one token. Private to masks. */
#ifndef WEFT_SCHEMA_MASK_KEY_H
#define WEFT_SCHEMA_MASK_KEY_H

#include "schema/mask.h"

/* 128 bits of hash: that two constraints that differ have the same is never expected. */
typedef struct WeftMaskKey {
	guint64 high, low;
} WeftMaskKey;

/* FALSE: a mask of this constraint is not worth keeping. */
gboolean weft_mask_key(const WeftVocabulary *vocabulary, const WeftConstraint *constraint,
		       WeftMaskKey *ret_key);

#endif
