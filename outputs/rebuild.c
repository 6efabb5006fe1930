#include "base/error.h"
#include "outputs/catalog_search.h"
#include "outputs/outputs_private.h"
#include "outputs/record_paths.h"
#include "outputs/search_text.h"

/* A record's rows and those of its paths; *ret_is_whole FALSE for a file that is no record. */
static gboolean adopt(WeftCatalog *catalog, const char *file, const char *id,
		      gboolean *ret_is_whole, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(WeftSearchText) text = weft_search_text_new();
	g_autoptr(WeftRecordFile) record =
		weft_record_file_open(file, id, weft_search_text_take_item, text, &failure);
	WeftCatalogRecord row;
	WeftKnown known;

	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (!record || !weft_record_row(record->head, id, &known, &row)) {
		*ret_is_whole = FALSE;
		return TRUE;
	}
	row.file_sha256 = record->facts.sha256;
	row.file_status = record->facts.status;
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record->head);
	weft_search_text_add_head(text, record->head);
	if (!weft_catalog_put_record(catalog, &row, error))
		return FALSE;
	for (guint i = 0; i < paths->len; i++)
		if (!weft_catalog_put_source(catalog, id, paths->pdata[i], NULL, row.fingerprint,
					     error) ||
		    (i == 0 && !weft_catalog_put_text(catalog, id, paths->pdata[i], text, error)))
			return FALSE;
	*ret_is_whole = TRUE;
	return TRUE;
}

static gboolean adopt_folder(const WeftOutputs *outputs, WeftCatalog *catalog, const char *folder,
			     WeftRebuilt *rebuilt, GError **error)
{
	g_autoptr(GPtrArray) names = weft_outputs_names(outputs, folder, folder, error);

	if (!names)
		return FALSE;
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *file = g_build_filename(outputs->records, folder, name, NULL);
		g_autofree char *id = g_strdup_printf("sha256:%.*s", WEFT_HEX_BYTES, name);
		gboolean is_whole;

		if (!adopt(catalog, file, id, &is_whole, error))
			return FALSE;
		if (is_whole)
			rebuilt->n_records++;
		else
			rebuilt->n_damaged++;
	}
	return TRUE;
}

gboolean weft_outputs_rebuild(WeftOutputs *outputs, WeftRebuilt *ret_rebuilt, GError **error)
{
	WeftRebuilt rebuilt = { 0 };

	g_clear_pointer(&outputs->catalog, weft_catalog_close);
	g_autoptr(WeftCatalog) catalog = weft_catalog_make(outputs->database, error);
	if (!catalog)
		return FALSE;
	for (int i = 0; i < 256; i++) {
		char folder[3];
		g_snprintf(folder, sizeof(folder), "%02x", i);
		if (!adopt_folder(outputs, catalog, folder, &rebuilt, error))
			return FALSE;
	}
	if (!weft_catalog_seal(catalog, error))
		return FALSE;
	outputs->catalog = g_steal_pointer(&catalog);
	*ret_rebuilt = rebuilt;
	return TRUE;
}
