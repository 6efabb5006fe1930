/* mask.h - which tokens may come next.
 *
 * A token may come when all its bytes may, one after the other (constraint.h). Masks are the same
 * bit for bit as trying every token of the vocabulary, but cost microseconds: the automaton walks
 * the trie and leaves it where a byte may not come; inside a string of any text the safe tokens are
 * looked up, and only the trie of the others is walked; and what was found is kept, under a key that
 * says of the constraint what can make a difference within the length of a token: the cursors, counts as
 * far as one token can bring them, and as many open containers as one token can close. The least
 * recently used give way when there is more than the limit.
 *
 * A budget: a token is only allowed when what completes the document behind it fits in what is left
 * (one byte, one token: every byte has one). That is looked at when the end is so near that some
 * token could do harm; else the mask that is kept will do.
 *
 * One WeftMasks for each thread and vocabulary, for any schemas (told apart by their fingerprints) and
 * texts (by the keys that weft_masks_text_key gives).
 */
#ifndef WEFT_SCHEMA_MASK_H
#define WEFT_SCHEMA_MASK_H

#include "schema/constraint.h"
#include "schema/vocabulary.h"

#define WEFT_MASKS_BYTES_MAX ((gsize)64 << 20)

/* Tokens of `bits` (NULL: none) and those of `ids`, which are in ascending order and not in bits. */
typedef struct WeftMask {
	const guint64 *bits;
	const gint32 *ids;
	gsize n_ids;
} WeftMask;

typedef struct WeftMasks WeftMasks;

/* The vocabulary must outlive it. `bytes_max`: of what is kept; 0: nothing is. */
WeftMasks *weft_masks_new(const WeftVocabulary *vocabulary, gsize bytes_max);
void weft_masks_free(WeftMasks *masks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftMasks, weft_masks_free)

const WeftVocabulary *weft_masks_vocabulary(const WeftMasks *masks);

/* The tokens behind which the document can be completed in less than `limit` bytes (G_MAXSIZE: any
 * number). Valid until the next call. */
WeftMask weft_masks_find(WeftMasks *masks, const WeftConstraint *constraint, gsize limit);

/* A key that no text has had before: for weft_constraint_init. */
guint64 weft_masks_text_key(WeftMasks *masks);

gboolean weft_mask_has(const WeftMask *mask, gint32 id);

/* Whether a token begins with `head` and goes on in a way that `behind`, the constraint behind the
 * head, allows: then the bytes of `head` may be spelled with what follows them. */
gboolean weft_masks_spans(WeftMasks *masks, const WeftConstraint *behind, const char *head,
			  gsize size_bytes);

#endif
