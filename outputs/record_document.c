#include "outputs/record_document.h"

#include "outputs/record_members.h"

static void write_pages(WeftJsonWriter *w, const WeftRecord *record)
{
	weft_json_write_key(w, "pages");
	weft_json_write_array(w);
	for (guint i = 0; i < record->pages->len; i++) {
		const WeftPage *page = &g_array_index(record->pages, WeftPage, i);
		weft_json_write_object(w);
		write_document_number(w, page->document);
		write_count(w, "n", page->n);
		write_rounded(w, "width", page->width, BOX_DECIMALS);
		write_rounded(w, "height", page->height, BOX_DECIMALS);
		weft_json_write_key(w, "rotation");
		weft_json_write_int(w, page->rotation);
		if (page->ink >= 0)
			write_rounded(w, "ink", page->ink, SHARE_DECIMALS);
		write_member(w, "status", page->status);
		weft_json_write_object_end(w);
	}
	weft_json_write_array_end(w);
}

static void write_tracks(WeftJsonWriter *w, const WeftRecord *record)
{
	weft_json_write_key(w, "tracks");
	weft_json_write_array(w);
	for (guint i = 0; i < record->tracks->len; i++) {
		const WeftTrack *track = &g_array_index(record->tracks, WeftTrack, i);
		weft_json_write_object(w);
		write_document_number(w, track->document);
		write_count(w, "n", track->n);
		write_member(w, "kind", track->kind);
		if (track->seconds >= 0)
			write_rounded(w, "seconds", track->seconds, TIME_DECIMALS);
		if (track->language)
			write_member(w, "language", track->language);
		weft_json_write_object_end(w);
	}
	weft_json_write_array_end(w);
}

/* All values of a key that a file states more than once become a list at its first place. Keys are
 * compared as they will be written, so that no two are equal in the record. */
static void write_metadata(WeftJsonWriter *w, const WeftRecord *record)
{
	g_autoptr(GHashTable) lists =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i + 1 < record->metadata->len; i += 2) {
		g_autofree char *key = g_utf8_make_valid(record->metadata->pdata[i], -1);
		GPtrArray *values = g_hash_table_lookup(lists, key);
		if (!values) {
			values = g_ptr_array_new();
			g_hash_table_insert(lists, key, values);
			g_ptr_array_add(keys, g_steal_pointer(&key));
		}
		g_ptr_array_add(values, record->metadata->pdata[i + 1]);
	}
	weft_json_write_key(w, "metadata");
	weft_json_write_object(w);
	for (guint i = 0; i < keys->len; i++) {
		const GPtrArray *values = g_hash_table_lookup(lists, keys->pdata[i]);
		weft_json_write_key(w, keys->pdata[i]);
		if (values->len > 1)
			weft_json_write_array(w);
		for (guint k = 0; k < values->len; k++)
			weft_json_write_string(w, values->pdata[k]);
		if (values->len > 1)
			weft_json_write_array_end(w);
	}
	weft_json_write_object_end(w);
}

void weft_record_document_write(WeftJsonWriter *w, const WeftRecord *record)
{
	weft_json_write_key(w, "document");
	weft_json_write_object(w);
	write_pages(w, record);
	write_tracks(w, record);
	write_metadata(w, record);
	weft_json_write_key(w, "outline");
	weft_json_write_array(w);
	for (guint i = 0; i < record->outline->len; i++) {
		const WeftOutlineEntry *entry =
			&g_array_index(record->outline, WeftOutlineEntry, i);
		weft_json_write_object(w);
		write_document_number(w, entry->document);
		write_member(w, "title", entry->title);
		write_count(w, "level", entry->level);
		if (entry->page)
			write_count(w, "page", entry->page);
		weft_json_write_object_end(w);
	}
	weft_json_write_array_end(w);
	weft_json_write_key(w, "embedded");
	weft_json_write_array(w);
	for (guint i = 0; i < record->embedded->len; i++) {
		const WeftEmbedded *embedded = &g_array_index(record->embedded, WeftEmbedded, i);
		weft_json_write_object(w);
		write_document_number(w, embedded->document);
		write_member(w, "name", embedded->name);
		if (embedded->size_bytes != G_MAXUINT64)
			write_count(w, "bytes", embedded->size_bytes);
		weft_json_write_object_end(w);
	}
	weft_json_write_array_end(w);
	weft_json_write_object_end(w);
}
