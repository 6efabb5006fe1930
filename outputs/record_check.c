#include "outputs/record_check.h"

#include <string.h>

#include "outputs/record_json.h"

static char *check_status(const WeftJson *record)
{
	gboolean has_errors = weft_json_length(weft_json_member(record, "errors")) > 0;
	gboolean has_answer = weft_json_type(weft_json_member(record, "answer")) != WEFT_JSON_NULL;
	gboolean has_content = weft_json_length(weft_json_member(record, "content")) > 0;
	WeftStatus status = WEFT_STATUS_OK;

	(void)weft_status_from_name(weft_json_string(weft_json_member(record, "status"), NULL),
				    &status); /* the schema has seen to it */
	if (status == WEFT_STATUS_OK && has_errors)
		return g_strdup("status ok, with errors");
	if ((status == WEFT_STATUS_PARTIAL || status == WEFT_STATUS_FAILED) && !has_errors)
		return g_strdup("status partial or failed, without an error");
	if (status == WEFT_STATUS_FAILED && (has_answer || has_content))
		return g_strdup("status failed, with an answer or contents");
	return NULL;
}

static char *check_ledger(const WeftJson *record)
{
	const WeftJson *ledger = weft_json_member(record, "ledger");
	gsize n_pages = weft_json_length(weft_json_at_pointer(record, "/document/pages"));

	for (gsize i = 0; i < weft_json_length(ledger); i++) {
		static const char *const KEYS[] = { "in", "done", "failed", "skipped" };
		const WeftJson *sums = weft_json_at(ledger, i);
		const char *name = weft_json_key_at(ledger, i, NULL);
		guint64 n[G_N_ELEMENTS(KEYS)] = { 0 };

		for (gsize k = 0; k < G_N_ELEMENTS(KEYS); k++)
			(void)weft_json_uint(weft_json_member(sums, KEYS[k]), &n[k]);
		if (n[0] != n[1] + n[2] + n[3])
			return g_strdup_printf("ledger of %s: %" G_GUINT64_FORMAT
					       " in, but %" G_GUINT64_FORMAT
					       " done, %" G_GUINT64_FORMAT
					       " failed, %" G_GUINT64_FORMAT " skipped",
					       name ? name : "", n[0], n[1], n[2], n[3]);
		if (g_strcmp0(name, "pages") == 0 && n[0] < n_pages)
			return g_strdup_printf("ledger of pages: %" G_GUINT64_FORMAT
					       " in, but %" G_GSIZE_FORMAT " are described",
					       n[0], n_pages);
	}
	return NULL;
}

/* ---- contents and evidence ---- */

/* Id of an item -> the item; NULL when an id stands twice. */
static GHashTable *items_of(const WeftJson *record)
{
	static const char *const LISTS[] = { "content", "hidden" };
	g_autoptr(GHashTable) items = g_hash_table_new(g_str_hash, g_str_equal);

	for (gsize k = 0; k < G_N_ELEMENTS(LISTS); k++) {
		const WeftJson *list = weft_json_member(record, LISTS[k]);
		for (gsize i = 0; i < weft_json_length(list); i++) {
			const WeftJson *item = weft_json_at(list, i);
			const char *id = weft_json_string(weft_json_member(item, "id"), NULL);
			if (!id || !g_hash_table_insert(items, (gpointer)id, (gpointer)item))
				return NULL;
		}
	}
	return g_steal_pointer(&items);
}

/* Does the evidence name an item, and quote the characters that it points to? */
static gboolean is_quoted(const WeftJson *evidence, GHashTable *items)
{
	const char *id = weft_json_string(weft_json_member(evidence, "content"), NULL);
	const char *quote = weft_json_string(weft_json_member(evidence, "quote"), NULL);
	const WeftJson *chars = weft_json_member(evidence, "chars");
	const WeftJson *item = id ? g_hash_table_lookup(items, id) : NULL;
	const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
	guint64 first, end;

	if (!id)
		return TRUE;
	if (!item)
		return FALSE;
	if (!quote || !chars || !text)
		return TRUE;
	if (!weft_json_uint(weft_json_at(chars, 0), &first) ||
	    !weft_json_uint(weft_json_at(chars, 1), &end) || end < first ||
	    end > (guint64)g_utf8_strlen(text, -1))
		return FALSE;
	const char *begin = g_utf8_offset_to_pointer(text, (glong)first);
	const char *behind = g_utf8_offset_to_pointer(begin, (glong)(end - first));
	return (gsize)(behind - begin) == strlen(quote) &&
	       memcmp(begin, quote, (gsize)(behind - begin)) == 0;
}

static char *check_evidence(const WeftJson *record)
{
	const WeftJson *answer = weft_json_member(record, "answer");
	const WeftJson *provenance = weft_json_member(record, "provenance");
	const WeftJson *absent = weft_json_member(record, "absent");
	g_autoptr(GHashTable) items = items_of(record);

	if (!items)
		return g_strdup("two items of content have the same id");
	for (gsize i = 0; i < weft_json_length(provenance); i++) {
		const char *pointer = weft_json_key_at(provenance, i, NULL);
		const WeftJson *list = weft_json_at(provenance, i);
		if (!pointer || !weft_json_at_pointer(answer, pointer))
			return g_strdup_printf("evidence for %s, which the answer has not",
					       pointer ? pointer : "");
		for (gsize k = 0; k < weft_json_length(list); k++)
			if (!is_quoted(weft_json_at(list, k), items))
				return g_strdup_printf("evidence for %s does not quote its item",
						       pointer);
	}
	for (gsize i = 0; i < weft_json_length(absent); i++) {
		const char *pointer = weft_json_key_at(absent, i, NULL);
		const WeftJson *value = pointer ? weft_json_at_pointer(answer, pointer) : NULL;
		if (!value || weft_json_type(value) != WEFT_JSON_NULL)
			return g_strdup_printf("%s is absent, but not null in the answer",
					       pointer ? pointer : "");
	}
	return NULL;
}

char *weft_record_check(const WeftJson *record)
{
	char *reason = check_status(record);

	if (!reason)
		reason = check_ledger(record);
	return reason ? reason : check_evidence(record);
}
