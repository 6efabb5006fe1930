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
	GString *places; /* "<offset in body> p<page>\n" or "<offset> t<seconds>\n", where it changes */
	guint32 page;    /* of the last item; 0: none */
	double time_s;   /* negative: none */
};

/* Of a record before it is written, and of a written one: the same words. */
WeftSearchText *weft_search_text_of_record(const WeftRecord *record);
WeftSearchText *weft_search_text_of_json(const WeftJson *record);

/* The place of byte `offset` of a body with these places. */
void weft_search_text_place(const char *places, gsize offset, guint32 *ret_page,
			    double *ret_time_s);

/* Of a text with marks around found words the part with the most of them. *ret_offset: where it
 * begins in the text without marks. Caller frees. */
char *weft_search_text_snippet(const char *marked, gsize *ret_offset, guint *ret_n_marks);

#endif
