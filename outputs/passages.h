/* passages.h - part of the door of outputs: what the records of many documents say about a question.
 *
 * The words of the question, less those that every sentence has (of English, German, French and Spanish), are
 * looked for in the catalogue (search.h), any of them, the best documents first; a word of five letters and
 * more finds those that begin as it does, but for its last letter. Of each document's record the items are taken in which the
 * most of these words stand. The documents themselves need not be there. What a page does not show is
 * never taken.
 *
 * An item that is longer than WEFT_PASSAGE_BYTES_MAX is narrowed to the words in it, and still knows its
 * characters.
 */
#ifndef WEFT_OUTPUTS_PASSAGES_H
#define WEFT_OUTPUTS_PASSAGES_H

#include <glib.h>

#include "base/content.h"

struct WeftOutputs;

#define WEFT_PASSAGE_BYTES_MAX 2000u

typedef struct WeftHeldDocument {
	char id[72];   /* of its record */
	char *path;    /* bytes as the file system has them; the first of several */
	char *reason;  /* why nothing was taken of it, or NULL */
} WeftHeldDocument;

typedef struct WeftHeldPassage {
	guint document;    /* its number in the list, from 0 */
	char item[16];     /* "c17" */
	guint n_words;     /* of those looked for */
	guint32 char_first; /* of the item, where the passage begins */
	WeftContent *content; /* the passage, its words counted from its own begin */
} WeftHeldPassage;

typedef struct WeftPassages {
	GPtrArray *words;     /* char *, folded: looked for */
	GPtrArray *documents; /* WeftHeldDocument, best first */
	GPtrArray *passages;  /* WeftHeldPassage, best first */
	gboolean is_cut;      /* there are more documents */
} WeftPassages;

void weft_passages_free(WeftPassages *passages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPassages, weft_passages_free)

/* At most so many documents, and passages of each. Without words there are none. Errors as
 * weft_outputs_search. */
WeftPassages *weft_outputs_passages(struct WeftOutputs *outputs, const char *question,
				    guint n_documents_max, guint n_each_max, GError **error);

/* Where a text stands among the passages that are marked (`is_given`, one for each; white space is as good
 * as other white space), in the first of them. */
typedef struct WeftPassageSpot {
	guint passage;
	guint32 char_first, char_end; /* of the item */
	WeftAnchor at;
	GArray *boxes; /* as of a value's evidence (record.h); caller frees */
	char *quote;   /* caller frees */
} WeftPassageSpot;
gboolean weft_passages_find(const WeftPassages *passages, const gboolean *is_given, const char *text,
			    WeftPassageSpot *ret_spot);

#endif
