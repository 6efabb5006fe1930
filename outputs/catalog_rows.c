#include "outputs/catalog_rows.h"

#include <string.h>

#include "outputs/catalog_private.h"
#include "outputs/catalog_search.h"

/* The file may be anybody's: an id and a checksum have their lengths. */
static const char NEXT_RECORD[] = "SELECT id, file_sha256 FROM record WHERE id > ?"
				  " AND id LIKE 'sha256:%' AND LENGTH(id) = 71"
				  " AND LENGTH(file_sha256) = 64 ORDER BY id LIMIT 1";
static const char IS_READ[] = "SELECT 1 FROM record WHERE id = ? AND sha256 IS NOT NULL";
static const char COUNT_RECORDS[] = "SELECT COUNT(*) FROM record";
static const char UNWHOLE[] = "SELECT id FROM record WHERE status IN (1, 2)"
			      " AND id LIKE 'sha256:%' AND LENGTH(id) = 71 ORDER BY status DESC, id";
static const char COUNT_STATUS[] = "SELECT status, COUNT(*), SUM(file_bytes) FROM record"
				   " WHERE status BETWEEN 0 AND 3 GROUP BY status";
/* A path is gone when no job has it any more. */
static const char COUNT_PATHS[] = "SELECT SUM(gone = 0), SUM(gone != 0) FROM"
				  " (SELECT MIN(gone) AS gone FROM source GROUP BY path)";
/* Of several jobs with the same record, one that has not lost the file. */
static const char SOURCE_ROW[] = "SELECT gone, bytes, mtime_ns FROM source WHERE path = ? AND id = ?"
				 " ORDER BY gone, bytes IS NULL LIMIT 1";

/* One more row of a statement that is read to its end; *ret_is_row FALSE at the end. */
static gboolean next_row(WeftCatalog *catalog, sqlite3_stmt *statement, gboolean *ret_is_row,
			 GError **error)
{
	int step = sqlite3_step(statement);

	*ret_is_row = step == SQLITE_ROW;
	if (step == SQLITE_ROW)
		return TRUE;
	if (step != SQLITE_DONE)
		(void)weft_catalog_fail(catalog, error); /* before the reset clears the message */
	weft_catalog_reset(statement);
	return step == SQLITE_DONE;
}

static const char NEXT_GONE[] = "SELECT id, MIN(path) FROM source WHERE id > ? AND LENGTH(id) = 71"
				" GROUP BY id HAVING MIN(gone) != 0 ORDER BY id LIMIT 1";
/* Neither failed nor WEFT_RETRY_ALWAYS. */
static const char SAMPLE[] = "SELECT id, fingerprint, sha256 FROM record"
			     " WHERE (?1 IS NULL OR fingerprint = ?1) AND status != 2 AND retry != 2"
			     " AND LENGTH(id) = 71 AND LENGTH(sha256) = 64 AND EXISTS"
			     " (SELECT 1 FROM source WHERE source.id = record.id AND gone = 0)"
			     " ORDER BY id LIMIT ?2";
static const char FINGERPRINTS[] = "SELECT DISTINCT fingerprint FROM record";
static const char ERASE_SOURCES[] = "DELETE FROM source WHERE id = ?";
static const char ERASE_RECORD[] = "DELETE FROM record WHERE id = ?";

/* As LIST_PATHS (catalog.c) row by row: of a path the record that was put last, and of a record's paths
 * the first. An empty BLOB is before every path. */
static const char NEXT_DOCUMENT[] =
	"SELECT path, id, (SELECT fingerprint FROM record WHERE record.id = s.id) FROM source AS s"
	" WHERE path > ?1 AND LENGTH(id) = 71"
	" AND NOT EXISTS (SELECT 1 FROM source t WHERE t.path = s.path AND t.rowid > s.rowid)"
	" AND NOT EXISTS (SELECT 1 FROM source q WHERE q.id = s.id AND q.path < s.path"
	"  AND NOT EXISTS (SELECT 1 FROM source t WHERE t.path = q.path AND t.rowid > q.rowid))"
	" ORDER BY path LIMIT 1";

gboolean weft_catalog_next_record(WeftCatalog *catalog, const char *after, char ret_id[72],
				  char ret_file_sha256[65], GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, NEXT_RECORD);
	gboolean is_row;

	weft_catalog_bind_text(statement, 1, after);
	ret_id[0] = ret_file_sha256[0] = '\0';
	if (!next_row(catalog, statement, &is_row, error))
		return FALSE;
	if (is_row) {
		g_strlcpy(ret_id, (const char *)sqlite3_column_text(statement, 0), 72);
		g_strlcpy(ret_file_sha256, (const char *)sqlite3_column_text(statement, 1), 65);
	}
	weft_catalog_reset(statement);
	return TRUE;
}

gboolean weft_catalog_is_read(WeftCatalog *catalog, const char *id)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, IS_READ);
	gboolean is_read;

	weft_catalog_bind_text(statement, 1, id);
	is_read = sqlite3_step(statement) == SQLITE_ROW;
	weft_catalog_reset(statement);
	return is_read;
}

gboolean weft_catalog_next_unwhole(WeftCatalog *catalog, const char **ret_id, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, UNWHOLE);
	gboolean is_row;

	*ret_id = NULL;
	if (!next_row(catalog, statement, &is_row, error))
		return FALSE;
	if (is_row)
		*ret_id = (const char *)sqlite3_column_text(statement, 0);
	return TRUE;
}

gboolean weft_catalog_count(WeftCatalog *catalog, guint64 *ret_n_status, guint64 *ret_size_bytes,
			    guint64 *ret_n_paths, guint64 *ret_n_gone, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, COUNT_STATUS);
	gboolean is_row = TRUE;

	*ret_size_bytes = 0;
	while (is_row) {
		if (!next_row(catalog, statement, &is_row, error))
			return FALSE;
		if (is_row) {
			ret_n_status[sqlite3_column_int(statement, 0)] =
				(guint64)sqlite3_column_int64(statement, 1);
			*ret_size_bytes += (guint64)sqlite3_column_int64(statement, 2);
		}
	}
	statement = weft_catalog_statement(catalog, COUNT_PATHS);
	if (!next_row(catalog, statement, &is_row, error))
		return FALSE;
	*ret_n_paths = is_row ? (guint64)sqlite3_column_int64(statement, 0) : 0;
	*ret_n_gone = is_row ? (guint64)sqlite3_column_int64(statement, 1) : 0;
	weft_catalog_reset(statement);
	return TRUE;
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

gboolean weft_catalog_next_gone(WeftCatalog *catalog, const char *after, char ret_id[72],
				char **ret_path, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, NEXT_GONE);
	gboolean is_row;

	weft_catalog_bind_text(statement, 1, after);
	ret_id[0] = '\0';
	if (!next_row(catalog, statement, &is_row, error))
		return FALSE;
	if (is_row) {
		const char *path = sqlite3_column_blob(statement, 1);
		gsize size = (gsize)sqlite3_column_bytes(statement, 1);

		g_strlcpy(ret_id, (const char *)sqlite3_column_text(statement, 0), 72);
		*ret_path = g_strndup(path ? path : "", path ? size : 0);
	}
	weft_catalog_reset(statement);
	return TRUE;
}

static gboolean erase_rows(WeftCatalog *catalog, const char *sql, const char *id, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, sql);

	weft_catalog_bind_text(statement, 1, id);
	return weft_catalog_run(catalog, statement, error);
}

gboolean weft_catalog_erase(WeftCatalog *catalog, const char *id, GError **error)
{
	if (!weft_catalog_begin(catalog, error))
		return FALSE;
	if (erase_rows(catalog, ERASE_SOURCES, id, error) &&
	    erase_rows(catalog, ERASE_RECORD, id, error) &&
	    weft_catalog_erase_text(catalog, id, error) && weft_catalog_commit(catalog, error))
		return TRUE;
	weft_catalog_rollback(catalog);
	return FALSE;
}

gboolean weft_catalog_forget_gone(WeftCatalog *catalog, GError **error)
{
	return weft_catalog_execute(catalog, "DELETE FROM source WHERE gone != 0", error);
}

static void sampled_free(void *data)
{
	WeftSampled *sampled = data;

	g_ptr_array_unref(sampled->paths);
	g_free(sampled->fingerprint);
	g_free(sampled);
}

static gint64 read_number(WeftCatalog *catalog, const char *sql)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, sql);
	gint64 number = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;

	weft_catalog_reset(statement);
	return number;
}

void weft_catalog_shrink(WeftCatalog *catalog)
{
	gint64 n_free = read_number(catalog, "PRAGMA freelist_count");

	if (n_free > 0 && n_free >= read_number(catalog, "PRAGMA page_count") / 4)
		(void)weft_catalog_execute(catalog, "VACUUM", NULL); /* all or nothing */
}

GPtrArray *weft_catalog_sample(WeftCatalog *catalog, const char *fingerprint, guint n,
			       GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(sampled_free);
	sqlite3_stmt *statement = weft_catalog_statement(catalog, SAMPLE);
	gboolean is_row = TRUE;

	weft_catalog_bind_text(statement, 1, fingerprint);
	sqlite3_bind_int64(statement, 2, n);
	while (is_row) {
		if (!next_row(catalog, statement, &is_row, error))
			return NULL;
		if (!is_row)
			break;
		WeftSampled *sampled = g_new0(WeftSampled, 1);
		sampled->paths = g_ptr_array_new_with_free_func(g_free);
		g_strlcpy(sampled->id, (const char *)sqlite3_column_text(statement, 0),
			  sizeof(sampled->id));
		sampled->fingerprint =
			g_strdup((const char *)sqlite3_column_text(statement, 1));
		g_strlcpy(sampled->sha256, (const char *)sqlite3_column_text(statement, 2),
			  sizeof(sampled->sha256));
		g_ptr_array_add(all, sampled);
	}
	for (guint i = 0; i < all->len; i++) {
		WeftSampled *sampled = all->pdata[i];
		if (!weft_catalog_paths_of(catalog, sampled->id, sampled->paths, error))
			return NULL;
	}
	return g_steal_pointer(&all);
}

GHashTable *weft_catalog_fingerprints(WeftCatalog *catalog, GError **error)
{
	g_autoptr(GHashTable) all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	sqlite3_stmt *statement = weft_catalog_statement(catalog, FINGERPRINTS);
	gboolean is_row = TRUE;

	while (is_row) {
		if (!next_row(catalog, statement, &is_row, error))
			return NULL;
		if (is_row)
			g_hash_table_add(all, g_strdup((const char *)sqlite3_column_text(statement, 0)));
	}
	return g_steal_pointer(&all);
}

gboolean weft_catalog_next_document(WeftCatalog *catalog, const char *after, char **ret_path,
				    char ret_id[72], char **ret_fingerprint, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, NEXT_DOCUMENT);
	gboolean is_row;

	weft_catalog_bind_path(statement, 1, after ? after : "");
	if (!next_row(catalog, statement, &is_row, error))
		return FALSE;
	*ret_path = NULL;
	if (is_row) {
		const char *fingerprint = (const char *)sqlite3_column_text(statement, 2);

		*ret_path = g_strndup(sqlite3_column_blob(statement, 0),
				      (gsize)sqlite3_column_bytes(statement, 0));
		g_strlcpy(ret_id, (const char *)sqlite3_column_text(statement, 1), 72);
		*ret_fingerprint = g_strdup(fingerprint ? fingerprint : "");
	}
	weft_catalog_reset(statement);
	return TRUE;
}
