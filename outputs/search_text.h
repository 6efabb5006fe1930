/* search_text.h - private: what can be found of one document, before it goes into the catalogue.
 *
 * Control characters become spaces here, so that marks around found words can't be forged.
 */
#ifndef WEFT_OUTPUTS_SEARCH_TEXT_H
#define WEFT_OUTPUTS_SEARCH_TEXT_H

#include <glib.h>

#include "base/json.h"
#include "outputs/record.h"
#include "outputs/search.h"

struct WeftSearchText {
	GString *body;   /* items, divided by newlines */
	GString *about;  /* the same */
	GString *places; /* "<offset in body> p<page>\n" or "<offset> t<seconds>\n", where it changes; of
			  * several that are one together with " d<number>" before the newline, and at the
			  * end "d<number> <name>\n" of each (percent-encoded) */
	guint32 document, page; /* of the last item; 0: none */
	double time_s;   /* negative: none */
};

/* In memory. */
gsize weft_search_text_bytes(const WeftSearchText *text);

/* Of a record before it is written. */
WeftSearchText *weft_search_text_of_record(const WeftRecord *record);
/* The same words of a written one: its items in their order (a WeftRecordItem, `data` is the text),
 * and what else it says, for which its head will do. */
gboolean weft_search_text_take_item(gpointer data, const char *list, const WeftJson *item);
void weft_search_text_add_head(WeftSearchText *text, const WeftJson *head);

/* The place of byte `offset` of a body with these places. */
typedef struct WeftSearchPlace {
	guint32 document, page; /* 0: none */
	double time_s;          /* negative: none */
} WeftSearchPlace;
WeftSearchPlace weft_search_text_place(const char *places, gsize offset);
/* The name of a document, as bytes; NULL: there is none. Caller frees. */
char *weft_search_text_name(const char *places, guint32 document);

/* Of a text with marks around found words the part with the most of them. *ret_offset: where it
 * begins in the text without marks. Caller frees. */
char *weft_search_text_snippet(const char *marked, gsize *ret_offset, guint *ret_n_marks);

#endif
