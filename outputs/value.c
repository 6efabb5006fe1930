#include "outputs/value.h"

#include <string.h>

#define SECONDS_MAX 3.6e8 /* 100,000 hours: beyond is nonsense */

/* Why there is nothing: what the record says of the place, or of what would hold it; else `other`. */
static const char *reason_of(const WeftJson *record, const char *pointer, const char *other)
{
	const WeftJson *absent = weft_json_member(record, "absent");
	g_autofree char *at = g_strdup(pointer);

	for (;;) {
		const char *reason = weft_json_string(weft_json_member(absent, at), NULL);
		char *slash = strrchr(at, '/');

		if (reason)
			return reason;
		if (!slash)
			return other;
		*slash = '\0';
	}
}

static double confidence_of(const WeftJson *provenance)
{
	double confidence;

	for (gsize i = 0; i < weft_json_length(provenance); i++) {
		const WeftJson *evidence = weft_json_at(provenance, i);

		if (weft_json_double(weft_json_member(evidence, "confidence"), &confidence) &&
		    confidence >= 0 && confidence <= 1)
			return confidence;
	}
	return -1;
}

WeftValue weft_value_of(const WeftJson *record, const char *pointer)
{
	const WeftJson *answer = weft_json_member(record, "answer");
	WeftValue found = {
		.value = weft_json_at_pointer(answer, pointer),
		.provenance = weft_json_member(weft_json_member(record, "provenance"), pointer),
		.correction = weft_json_member(weft_json_member(record, "corrections"), pointer),
		.status = "ok",
	};
	gboolean confirms = TRUE;

	found.evidence = weft_json_at(found.provenance, 0);
	found.confidence = confidence_of(found.provenance);
	if (found.correction)
		(void)weft_json_bool(weft_json_member(found.correction, "confirms"), &confirms);
	if (!confirms)
		found.status = "corrected";
	else if (weft_json_type(answer) == WEFT_JSON_NULL)
		found.status = "";
	else if (weft_json_type(found.value) == WEFT_JSON_NULL)
		/* of types that are told apart each has a schema of its own: the place may be another's */
		found.status = reason_of(record, pointer,
					 found.value || !weft_json_member(record, "type") ? "absent" : "");
	return found;
}

/* Appends the page or the time of a place, unless it is the one before. */
static void add_place(GString *line, const WeftJson *at, char **before)
{
	g_autofree char *place = NULL, *alone = NULL;
	guint64 page, document;
	double seconds;

	if (weft_json_uint(weft_json_member(at, "page"), &page)) {
		place = g_strdup_printf("%" G_GUINT64_FORMAT, page);
	} else if (weft_json_double(weft_json_at(weft_json_member(at, "time"), 0), &seconds) &&
		   seconds >= 0 && seconds < SECONDS_MAX) {
		guint whole = (guint)seconds;

		place = g_strdup_printf("%02u:%02u:%02u", whole / 3600, whole / 60 % 60, whole % 60);
	}
	if (place && weft_json_uint(weft_json_member(at, "document"), &document)) {
		alone = g_steal_pointer(&place);
		place = g_strdup_printf("file %" G_GUINT64_FORMAT ": %s", document, alone);
	}
	if (!place || g_strcmp0(place, *before) == 0)
		return;
	g_string_append_printf(line, "%s%s", line->len > 0 ? ", " : "", place);
	g_free(*before);
	*before = g_steal_pointer(&place);
}

char *weft_value_place(const WeftJson *provenance)
{
	GString *line = g_string_new(NULL);
	g_autofree char *before = NULL;

	for (gsize i = 0; i < weft_json_length(provenance); i++) {
		const WeftJson *places = weft_json_member(weft_json_at(provenance, i), "at");

		for (gsize k = 0; k < weft_json_length(places); k++)
			add_place(line, weft_json_at(places, k), &before);
	}
	return g_string_free(line, FALSE);
}

char *weft_value_quote(const WeftJson *provenance)
{
	GString *line = g_string_new(NULL);

	for (gsize i = 0; i < weft_json_length(provenance); i++) {
		const char *quote =
			weft_json_string(weft_json_member(weft_json_at(provenance, i), "quote"), NULL);

		if (quote)
			g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", quote);
	}
	return g_string_free(line, FALSE);
}

/* From the strongest to the weakest. */
static const char *const KINDS[] = { "copied", "derived", "matched", "pointed", "none" };

const char *weft_value_kind(const WeftJson *provenance)
{
	const char *kind =
		weft_json_string(weft_json_member(weft_json_at(provenance, 0), "kind"), NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
		if (g_strcmp0(kind, KINDS[i]) == 0)
			return KINDS[i];
	return "";
}

const char *weft_value_kind_least(const char *a, const char *b)
{
	for (gsize i = G_N_ELEMENTS(KINDS); i > 0; i--)
		if (strcmp(a, KINDS[i - 1]) == 0 || strcmp(b, KINDS[i - 1]) == 0)
			return KINDS[i - 1];
	return "";
}

const WeftJson *weft_value_content(const WeftJson *record, const char *id)
{
	static const char *const lists[] = { "content", "hidden" };

	for (gsize k = 0; id && k < G_N_ELEMENTS(lists); k++) {
		const WeftJson *items = weft_json_member(record, lists[k]);

		for (gsize i = 0; i < weft_json_length(items); i++) {
			const WeftJson *item = weft_json_at(items, i);
			const char *name = weft_json_string(weft_json_member(item, "id"), NULL);

			if (g_strcmp0(name, id) == 0)
				return item;
		}
	}
	return NULL;
}
