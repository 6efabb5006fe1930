#include "outputs/record_check.h"

#include <string.h>

#include "outputs/record_json.h"

struct WeftItemsCheck {
	GHashTable *ids; /* char * */
	gboolean has_double;
};

WeftItemsCheck *weft_items_check_new(void)
{
	WeftItemsCheck *check = g_new0(WeftItemsCheck, 1);

	check->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return check;
}

void weft_items_check_free(WeftItemsCheck *check)
{
	if (!check)
		return;
	g_hash_table_unref(check->ids);
	g_free(check);
}

void weft_items_check_add(WeftItemsCheck *check, const WeftJson *item)
{
	const char *id = weft_json_string(weft_json_member(item, "id"), NULL);

	if (!id || !g_hash_table_add(check->ids, g_strdup(id)))
		check->has_double = TRUE;
}

static char *check_status(const WeftJson *record, gboolean has_content)
{
	gboolean has_errors = weft_json_length(weft_json_member(record, "errors")) > 0;
	gboolean has_answer = weft_json_type(weft_json_member(record, "answer")) != WEFT_JSON_NULL;
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

/* Does the evidence quote the characters of the item that it points to? */
static gboolean is_quoted(const WeftJson *evidence, const WeftJson *item)
{
	const char *quote = weft_json_string(weft_json_member(evidence, "quote"), NULL);
	const WeftJson *chars = weft_json_member(evidence, "chars");
	const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
	guint64 first, end;

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

/* One thing that evidence quotes. */
typedef struct Quote {
	const char *pointer;      /* into the answer; as the next, of the head */
	const WeftJson *evidence;
} Quote;

typedef struct Quotes {
	GHashTable *items; /* id of an item (char *) -> GArray of Quote */
	const char *wrong; /* pointer of the first one that is wrong; NULL: none */
} Quotes;

static gboolean check_item(gpointer data, const char *list, const WeftJson *item)
{
	Quotes *quotes = data;
	const char *id = weft_json_string(weft_json_member(item, "id"), NULL);
	const GArray *here = id ? g_hash_table_lookup(quotes->items, id) : NULL;

	(void)list;
	for (guint i = 0; here && i < here->len && !quotes->wrong; i++) {
		const Quote *quote = &g_array_index(here, Quote, i);

		if (!is_quoted(quote->evidence, item))
			quotes->wrong = quote->pointer;
	}
	return !quotes->wrong;
}

static void add_quote(Quotes *quotes, const char *pointer, const WeftJson *evidence,
		      const char *id, const WeftItemsCheck *items)
{
	const Quote quote = {pointer, evidence};
	GArray *here = g_hash_table_lookup(quotes->items, id);

	if (!here) {
		here = g_array_new(FALSE, FALSE, sizeof(Quote));
		g_hash_table_insert(quotes->items, (gpointer)id, here);
	}
	g_array_append_val(here, quote);
	if (!g_hash_table_contains(items->ids, id) && !quotes->wrong)
		quotes->wrong = pointer;
}

/* The quotes of one pointer. */
static void add_quotes(Quotes *quotes, const char *pointer, const WeftJson *list,
		       const WeftItemsCheck *items)
{
	for (gsize k = 0; k < weft_json_length(list); k++) {
		const WeftJson *evidence = weft_json_at(list, k);
		const char *id = weft_json_string(weft_json_member(evidence, "content"), NULL);

		if (id)
			add_quote(quotes, pointer, evidence, id, items);
	}
}

static char *check_absent(const WeftJson *record)
{
	const WeftJson *answer = weft_json_member(record, "answer");
	const WeftJson *absent = weft_json_member(record, "absent");

	for (gsize i = 0; i < weft_json_length(absent); i++) {
		const char *pointer = weft_json_key_at(absent, i, NULL);
		const WeftJson *value = pointer ? weft_json_at_pointer(answer, pointer) : NULL;
		if (!value || weft_json_type(value) != WEFT_JSON_NULL)
			return g_strdup_printf("%s is absent, but not null in the answer",
					       pointer ? pointer : "");
	}
	return NULL;
}

static char *check_evidence(WeftRecordFile *record, const WeftItemsCheck *items)
{
	const WeftJson *answer = weft_json_member(record->head, "answer");
	const WeftJson *provenance = weft_json_member(record->head, "provenance");
	g_autoptr(GHashTable) quoted = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
							     (GDestroyNotify)g_array_unref);
	g_autoptr(GError) failure = NULL;
	Quotes quotes = {quoted, NULL};

	if (items->has_double)
		return g_strdup("two items of content have the same id");
	for (gsize i = 0; i < weft_json_length(provenance); i++) {
		const char *pointer = weft_json_key_at(provenance, i, NULL);

		if (!pointer || !weft_json_at_pointer(answer, pointer))
			return g_strdup_printf("evidence for %s, which the answer has not",
					       pointer ? pointer : "");
		add_quotes(&quotes, pointer, weft_json_at(provenance, i), items);
	}
	if (!quotes.wrong && g_hash_table_size(quoted) > 0 &&
	    !weft_record_file_items(record, check_item, &quotes, &failure))
		return g_strdup(failure->message);
	if (quotes.wrong)
		return g_strdup_printf("evidence for %s does not quote its item", quotes.wrong);
	return check_absent(record->head);
}

char *weft_record_check(WeftRecordFile *record, const WeftItemsCheck *items)
{
	char *reason = check_status(record->head, record->has_content);

	if (!reason)
		reason = check_ledger(record->head);
	return reason ? reason : check_evidence(record, items);
}
