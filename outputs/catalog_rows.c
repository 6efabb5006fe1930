#include "outputs/catalog_rows.h"

#include "outputs/catalog_private.h"

static const char ALL_RECORDS[] = "SELECT id, file_sha256 FROM record ORDER BY id";
static const char COUNT_RECORDS[] = "SELECT COUNT(*) FROM record";
/* Of several jobs with the same record, one that has not lost the file. */
static const char SOURCE_ROW[] = "SELECT gone, bytes, mtime_ns FROM source WHERE path = ? AND id = ?"
				 " ORDER BY gone, bytes IS NULL LIMIT 1";

gboolean weft_catalog_next_record(WeftCatalog *catalog, const char **ret_id,
				  const char **ret_file_sha256, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, ALL_RECORDS);
	int step = sqlite3_step(statement);

	*ret_id = *ret_file_sha256 = NULL;
	if (step == SQLITE_ROW) {
		*ret_id = (const char *)sqlite3_column_text(statement, 0);
		*ret_file_sha256 = (const char *)sqlite3_column_text(statement, 1);
		return TRUE;
	}
	if (step != SQLITE_DONE)
		(void)weft_catalog_fail(catalog, error); /* before the reset clears the message */
	weft_catalog_reset(statement);
	return step == SQLITE_DONE;
}

void weft_catalog_end_records(WeftCatalog *catalog)
{
	weft_catalog_reset(weft_catalog_statement(catalog, ALL_RECORDS));
}

guint64 weft_catalog_count_records(WeftCatalog *catalog)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, COUNT_RECORDS);
	guint64 n = sqlite3_step(statement) == SQLITE_ROW
			    ? (guint64)sqlite3_column_int64(statement, 0)
			    : 0;

	weft_catalog_reset(statement);
	return n;
}

WeftSourceRow weft_catalog_source_row(WeftCatalog *catalog, const char *path, const char *id)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, SOURCE_ROW);
	WeftSourceRow row = {0};

	weft_catalog_bind_path(statement, 1, path);
	weft_catalog_bind_text(statement, 2, id);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		row.is_there = TRUE;
		row.is_gone = sqlite3_column_int64(statement, 0) != 0;
		row.has_status = sqlite3_column_type(statement, 1) != SQLITE_NULL;
		row.size_bytes = sqlite3_column_int64(statement, 1);
		row.mtime_ns = sqlite3_column_int64(statement, 2);
	}
	weft_catalog_reset(statement);
	return row;
}
