#include "outputs/pointed_time.h"

#include <string.h>

/* "00:12:34", as a marker tells it; FALSE: it is something else. */
static gboolean read_marker(const char *text, double *ret_time_s)
{
	static const char form[] = "99:59:59"; /* the highest digits */

	for (gsize i = 0; i < sizeof(form); i++)
		if (g_ascii_isdigit(form[i]) ? text[i] < '0' || text[i] > form[i] : text[i] != form[i])
			return FALSE;
	*ret_time_s = g_ascii_strtoull(text, NULL, 10) * 3600.0 +
		      g_ascii_strtoull(text + 3, NULL, 10) * 60.0 +
		      g_ascii_strtoull(text + 6, NULL, 10);
	return TRUE;
}

gboolean weft_pointed_time_is(const char *text)
{
	double time_s;

	return read_marker(text, &time_s);
}

/* The file in which another value of the same object was found; 0: none was. */
static guint32 document_of_siblings(const WeftRecord *record, const char *pointer)
{
	const char *slash = strrchr(pointer, '/');
	gsize size = slash ? (gsize)(slash + 1 - pointer) : 0;

	for (guint i = 0; i < record->provenance->len; i++) {
		const WeftProvenance *found =
			&g_array_index(record->provenance, WeftProvenance, i);

		if (found->kind != WEFT_PROVENANCE_NONE && found->kind != WEFT_PROVENANCE_POINTED &&
		    strncmp(found->pointer, pointer, size) == 0 && found->at.document > 0)
			return found->at.document;
	}
	return 0;
}

typedef struct Hints {
	guint32 siblings, looked;       /* documents; 0: not known */
	guint32 content_first, content_last; /* of the window; first > last: not known */
} Hints;

static Hints hints_of(const WeftRecord *record, const char *pointer)
{
	guint32 window = GPOINTER_TO_UINT(g_hash_table_lookup(record->value_windows, pointer));
	const WeftPointed *looked = g_hash_table_lookup(record->value_pointed, pointer);
	Hints hints = { .siblings = document_of_siblings(record, pointer), .content_first = 1 };

	if (looked && looked->is_known)
		hints.looked = looked->at.document;
	if (window > 0 && window <= record->windows->len) {
		const WeftWindowFacts *facts =
			&g_array_index(record->windows, WeftWindowFacts, window - 1);

		hints.content_first = facts->content_first;
		hints.content_last = facts->content_last;
	}
	return hints;
}

static guint rank_of(const Hints *hints, guint32 index, guint32 document)
{
	return (document == hints->siblings ? 4u : 0u) +
	       (index >= hints->content_first && index <= hints->content_last ? 2u : 0u) +
	       (document == hints->looked ? 1u : 0u);
}

gboolean weft_pointed_time_find(const WeftRecord *record, const char *pointer, const char *text,
				guint32 *ret_content)
{
	gboolean has_parts = record->parts->len > 1;
	Hints hints = has_parts ? hints_of(record, pointer) : (Hints){ 0 };
	WeftAnchor wanted = { .has_time = TRUE };
	guint best = 0; /* 1 + twice the rank, and one for speech */

	if (!read_marker(text, &wanted.time[0]))
		return FALSE;
	for (guint32 i = 0; i < record->contents->len; i++) {
		const WeftContent *content = record->contents->pdata[i];
		const WeftAnchor *at = &g_array_index(content->anchors, WeftAnchor, 0);
		guint worth;

		if (!content->text || content->hidden || !at->has_time ||
		    weft_anchor_block(at) != weft_anchor_block(&wanted))
			continue;
		worth = 1 + (has_parts ? 2 * rank_of(&hints, i, at->document) : 0) +
			(content->kind == WEFT_CONTENT_SPEECH ? 1 : 0);
		if (worth <= best)
			continue;
		best = worth;
		*ret_content = i;
	}
	return best > 0;
}
