/* vocabulary.h - tokens by id and by their bytes; private to bundle/. */
#ifndef WEFT_BUNDLE_VOCABULARY_H
#define WEFT_BUNDLE_VOCABULARY_H

#include <glib.h>

/* Published vocabularies end near 300,000; the limit bounds the arrays that a file can ask for. */
#define WEFT_VOCABULARY_IDS_MAX ((gint32)1 << 23)

typedef struct WeftVocabulary WeftVocabulary;

WeftVocabulary *weft_vocabulary_new(void);
void weft_vocabulary_free(WeftVocabulary *vocabulary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftVocabulary, weft_vocabulary_free)

/* FALSE when the id (below WEFT_VOCABULARY_IDS_MAX) has a token already. `findable`: the bytes lead
 * back to the id, unless an earlier token has the same. */
gboolean weft_vocabulary_add(WeftVocabulary *vocabulary, gint32 id, const char *bytes,
			     gsize size_bytes, gboolean findable);

/* Id of a findable token, or -1. */
gint32 weft_vocabulary_find(const WeftVocabulary *vocabulary, const char *bytes, gsize size_bytes);

/* Bytes of a token, borrowed; NULL when the id has none. */
const char *weft_vocabulary_bytes(const WeftVocabulary *vocabulary, gint32 id,
				  gsize *ret_size_bytes);

/* Largest id + 1. */
gsize weft_vocabulary_size(const WeftVocabulary *vocabulary);

#endif
