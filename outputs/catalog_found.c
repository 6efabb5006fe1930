/* catalog_found.c - rows of `found`: files that a job knows of and that may have no record yet. */
#include "outputs/catalog_found.h"

#include "outputs/catalog_private.h"
#include "outputs/catalog_search.h"
#include "outputs/found.h"
#include "outputs/outputs_private.h"

static const char MAKE[] =
	"CREATE TABLE IF NOT EXISTS found ("
	" path BLOB PRIMARY KEY, fingerprint TEXT NOT NULL, id TEXT NOT NULL, device INTEGER NOT NULL,"
	" inode INTEGER NOT NULL, bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
	" ctime_ns INTEGER NOT NULL, media_type TEXT, pages INTEGER NOT NULL, seconds REAL NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS found_id ON found (id);";
static const char PUT[] =
	"INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char IS_FOUND[] = "SELECT 1 FROM found WHERE path = ? AND fingerprint = ? AND device = ?"
			       " AND inode = ? AND bytes = ? AND mtime_ns = ? AND ctime_ns = ?";
static const char COUNT[] = "SELECT count(*) FROM found"
			    " WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.id = found.id)";
static const char WITHOUT_RECORD[] =
	"SELECT id FROM found WHERE fingerprint = ?"
	" AND NOT EXISTS (SELECT 1 FROM record WHERE record.id = found.id) LIMIT 1000";
/* Of the same path under another job, or as it was: nothing else will ever name it. */
static const char FORMER[] =
	"SELECT id FROM found WHERE path = ? AND id != ?"
	" AND NOT EXISTS (SELECT 1 FROM record WHERE record.id = found.id)";
static const char DELETE_ID[] = "DELETE FROM found WHERE id = ?";
static const char DELETE_ALL[] = "DELETE FROM found WHERE fingerprint = ?";

gboolean weft_catalog_make_found(WeftCatalog *catalog, GError **error)
{
	return weft_catalog_execute(catalog, MAKE, error);
}

static void bind_status(sqlite3_stmt *statement, int i, const struct stat *status)
{
	sqlite3_bind_int64(statement, i, (sqlite3_int64)status->st_dev);
	sqlite3_bind_int64(statement, i + 1, (sqlite3_int64)status->st_ino);
	sqlite3_bind_int64(statement, i + 2, (sqlite3_int64)status->st_size);
	sqlite3_bind_int64(statement, i + 3, weft_catalog_nanoseconds(&status->st_mtim));
	sqlite3_bind_int64(statement, i + 4, weft_catalog_nanoseconds(&status->st_ctim));
}

static gboolean erase_former(WeftCatalog *catalog, const WeftFoundFile *file, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, FORMER);
	g_autofree char *id = NULL;

	weft_catalog_bind_path(statement, 1, file->path);
	weft_catalog_bind_text(statement, 2, file->id);
	if (sqlite3_step(statement) == SQLITE_ROW)
		id = g_strdup((const char *)sqlite3_column_text(statement, 0));
	weft_catalog_reset(statement);
	return id == NULL || weft_catalog_erase_text(catalog, id, error);
}

gboolean weft_outputs_put_found(WeftOutputs *outputs, const WeftFoundFile *file,
				const char *fingerprint, const WeftSearchText *text, GError **error)
{
	WeftCatalog *catalog = outputs->catalog;
	sqlite3_stmt *statement;

	/* The text first: a row says that it is there. */
	if (!erase_former(catalog, file, error))
		return FALSE;
	if (text != NULL && !weft_catalog_put_text(catalog, file->id, file->path, text, error))
		return FALSE;
	if (file->status == NULL)
		return TRUE;
	statement = weft_catalog_statement(catalog, PUT);
	weft_catalog_bind_path(statement, 1, file->path);
	weft_catalog_bind_text(statement, 2, fingerprint);
	weft_catalog_bind_text(statement, 3, file->id);
	bind_status(statement, 4, file->status);
	weft_catalog_bind_text(statement, 9, file->media_type);
	sqlite3_bind_int64(statement, 10, (sqlite3_int64)file->n_pages);
	sqlite3_bind_double(statement, 11, file->seconds);
	return weft_catalog_run(catalog, statement, error);
}

gboolean weft_outputs_is_found(WeftOutputs *outputs, const char *path, const struct stat *status,
			       const char *fingerprint)
{
	sqlite3_stmt *statement = weft_catalog_statement(outputs->catalog, IS_FOUND);
	gboolean is_found;

	weft_catalog_bind_path(statement, 1, path);
	weft_catalog_bind_text(statement, 2, fingerprint);
	bind_status(statement, 3, status);
	is_found = sqlite3_step(statement) == SQLITE_ROW;
	weft_catalog_reset(statement);
	return is_found;
}

gboolean weft_outputs_count_found(WeftOutputs *outputs, guint64 *ret_n, GError **error)
{
	sqlite3_stmt *statement;
	gboolean is_counted;

	if (outputs->catalog == NULL) {
		*ret_n = 0;
		return TRUE;
	}
	statement = weft_catalog_statement(outputs->catalog, COUNT);
	is_counted = sqlite3_step(statement) == SQLITE_ROW;
	if (is_counted)
		*ret_n = (guint64)sqlite3_column_int64(statement, 0);
	else
		(void)weft_catalog_fail(outputs->catalog, error);
	weft_catalog_reset(statement);
	return is_counted;
}

/* Some that have no record; an empty array when there are no more. */
static GPtrArray *some_without_record(WeftCatalog *catalog, const char *fingerprint)
{
	GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
	sqlite3_stmt *statement = weft_catalog_statement(catalog, WITHOUT_RECORD);

	weft_catalog_bind_text(statement, 1, fingerprint);
	while (sqlite3_step(statement) == SQLITE_ROW)
		g_ptr_array_add(ids, g_strdup((const char *)sqlite3_column_text(statement, 0)));
	weft_catalog_reset(statement);
	return ids;
}

gboolean weft_outputs_settle_found(WeftOutputs *outputs, const char *fingerprint, GError **error)
{
	WeftCatalog *catalog = outputs->catalog;
	sqlite3_stmt *statement;
	guint n;

	do {
		g_autoptr(GPtrArray) ids = some_without_record(catalog, fingerprint);

		n = ids->len;
		for (guint i = 0; i < n; i++) {
			const char *id = g_ptr_array_index(ids, i);

			statement = weft_catalog_statement(catalog, DELETE_ID);
			weft_catalog_bind_text(statement, 1, id);
			if (!weft_catalog_erase_text(catalog, id, error) ||
			    !weft_catalog_run(catalog, statement, error))
				return FALSE;
		}
	} while (n > 0);
	statement = weft_catalog_statement(catalog, DELETE_ALL);
	weft_catalog_bind_text(statement, 1, fingerprint);
	return weft_catalog_run(catalog, statement, error);
}
