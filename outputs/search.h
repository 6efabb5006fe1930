/* search.h - part of the door of outputs: the words of all documents.
 *
 * For each record id the catalogue keeps the text of its document (what the file states, what was
 * read off its pages, what was said in it) and, apart from it and counting more, what is said about
 * it: strings of the answer, metadata, outline, names of embedded files. Text that a page does not
 * show is left out. Where the text of each page or stretch of time begins is kept beside it, so
 * that a hit has a place. The index is SQLite's FTS5: words are compared without case and accents.
 *
 * weft_outputs_put keeps the text of what it writes. weft_outputs_put_text is for text that was
 * found before there is a record; the record's text takes its place.
 */
#ifndef WEFT_OUTPUTS_SEARCH_H
#define WEFT_OUTPUTS_SEARCH_H

#include <glib.h>

#include "base/content.h"

struct WeftOutputs;

/* ---- what can be found ---- */

typedef struct WeftSearchText WeftSearchText;

WeftSearchText *weft_search_text_new(void);
void weft_search_text_free(WeftSearchText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSearchText, weft_search_text_free)

/* The next item of the document, in reading order; hidden ones and those without text are passed
 * over. */
void weft_search_text_add_content(WeftSearchText *text, const WeftContent *content);
/* Something said about the document: a title, an author, a file in it. NULL is nothing. */
void weft_search_text_add_about(WeftSearchText *text, const char *about);

/* What can be found of the document at `path` that has, or will have, the record `id`, in place of
 * what could be found of it before. By itself, or as part of the transaction at hand. */
gboolean weft_outputs_put_text(struct WeftOutputs *outputs, const char *id, const char *path,
			       const WeftSearchText *text, GError **error);

/* ---- looking for it ---- */

typedef struct WeftHit {
	char *path;         /* bytes as the file system has them; the first of several, or, of several that
			     * are one document together, the one in which the snippet stands */
	guint32 document;   /* number of that one; 0: it is no document of several */
	char id[72];        /* of the record that has it, or will have it */
	guint n_paths;      /* where the same bytes lie, this path among them */
	guint32 page;       /* of the snippet; 0: not on a page */
	double time_s;      /* negative: not in a recording */
	gboolean is_about;  /* the snippet is of what is said about the document */
	char *snippet;      /* UTF-8; WEFT_HIT_FIRST and WEFT_HIT_END stand around found words, no
			     * other control character is in it */
} WeftHit;

#define WEFT_HIT_FIRST '\002'
#define WEFT_HIT_END '\003'

/* Looks for `query` (UTF-8), best documents first, at most `n_max` of them, each path once:
 * WeftHit, with a free function. Words must all be in the document; "two words" stand together;
 * word* begins so; OR, NOT, NEAR and parentheses are FTS5's. What is not in that language is taken
 * as words. *ret_is_cut: there are more. */
GPtrArray *weft_outputs_search(struct WeftOutputs *outputs, const char *query, guint n_max,
			       gboolean *ret_is_cut, GError **error);

#endif
