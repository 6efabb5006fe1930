/* catalog_source.c - rows of `source` by the folder that they lie in, and those whose file is gone.
 *
 * `gone` is 0 for a path that was there when it was last looked for, else the time at which it was
 * first missed, in seconds since 1970. A row that is gone never counts as unchanged, so that a file
 * that comes back is looked at and its row put again, with 0.
 */
#include <string.h>

#include "outputs/catalog_private.h"

/* Bytewise between "FOLDER/" and "FOLDER0" ('0' follows '/'): all that lies beneath. */
static const char BENEATH[] =
	"SELECT path, id, device, inode, bytes, mtime_ns FROM source"
	" WHERE path > ? AND path < ? AND fingerprint = ? AND gone = 0 ORDER BY path LIMIT ?";
static const char ANY_BENEATH[] =
	"SELECT 1 FROM source WHERE path > ? AND path < ? AND gone = 0 LIMIT 1";
static const char ID_OF_SOURCE[] = "SELECT id FROM source WHERE path = ? AND fingerprint = ?";
static const char HAS_SOURCE[] =
	"SELECT 1 FROM source WHERE path = ? AND fingerprint = ? AND gone = 0";
static const char PATHS_OF_ID[] = "SELECT path FROM source WHERE id = ? AND gone = 0";
static const char SET_GONE[] = "UPDATE source SET gone = CAST(strftime('%s', 'now') AS INTEGER)"
			       " WHERE path = ? AND fingerprint = ? AND gone = 0";
static const char DELETE_RECORD[] = "DELETE FROM record WHERE id = ?";
static const char DELETE_SOURCES[] = "DELETE FROM source WHERE id = ?";

static void source_clear(void *data)
{
	WeftSource *source = data;
	g_free(source->path);
}

/* What all paths beneath begin with. "." is where relative paths begin: they begin with nothing. */
static GString *beginning_of(const char *folder)
{
	GString *beginning = g_string_new(NULL);
	if (strcmp(folder, ".") == 0)
		return beginning;
	g_string_append(beginning, folder);
	if (!g_str_has_suffix(folder, "/"))
		g_string_append_c(beginning, '/');
	return beginning;
}

static void bind_bytes(sqlite3_stmt *statement, int i, const GString *text)
{
	sqlite3_bind_blob(statement, i, text->str, (int)text->len, SQLITE_TRANSIENT);
}

/* Binds the two ends; `after` in place of the first when it lies behind. */
static void bind_beneath(sqlite3_stmt *statement, const char *folder, const char *after)
{
	g_autoptr(GString) first = beginning_of(folder);
	g_autoptr(GString) end = g_string_new_len(first->str, (gssize)first->len);

	if (end->len > 0)
		end->str[end->len - 1]++;
	else
		g_string_append_c(end, (char)0xFF); /* no path of ours is behind it that matters */
	if (after)
		g_string_assign(first, after);
	bind_bytes(statement, 1, first);
	bind_bytes(statement, 2, end);
}

gboolean weft_catalog_sources(WeftCatalog *catalog, const char *folder, const char *after,
			      const char *fingerprint, guint n_max, GArray **ret_sources,
			      GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, BENEATH);
	g_autoptr(GArray) sources = g_array_new(FALSE, TRUE, sizeof(WeftSource));
	int step;

	g_array_set_clear_func(sources, source_clear);
	bind_beneath(statement, folder, after);
	weft_catalog_bind_text(statement, 3, fingerprint);
	sqlite3_bind_int64(statement, 4, n_max);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *path = sqlite3_column_blob(statement, 0);
		WeftSource source = {
			.has_status = sqlite3_column_type(statement, 2) != SQLITE_NULL,
			.device = (guint64)sqlite3_column_int64(statement, 2),
			.inode = (guint64)sqlite3_column_int64(statement, 3),
			.size_bytes = (guint64)sqlite3_column_int64(statement, 4),
			.mtime_ns = sqlite3_column_int64(statement, 5),
		};
		source.path = g_strndup(path ? path : "",
					(gsize)sqlite3_column_bytes(statement, 0));
		g_array_append_val(sources, source);
	}
	if (step != SQLITE_DONE)
		(void)weft_catalog_fail(catalog, error);
	weft_catalog_reset(statement);
	if (step != SQLITE_DONE)
		return FALSE;
	*ret_sources = g_steal_pointer(&sources);
	return TRUE;
}

gboolean weft_catalog_has_beneath(WeftCatalog *catalog, const char *folder)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, ANY_BENEATH);
	gboolean has;

	bind_beneath(statement, folder, NULL);
	has = sqlite3_step(statement) == SQLITE_ROW;
	weft_catalog_reset(statement);
	return has;
}

gboolean weft_catalog_has_source(WeftCatalog *catalog, const char *path, const char *fingerprint)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, HAS_SOURCE);
	gboolean has;

	weft_catalog_bind_path(statement, 1, path);
	weft_catalog_bind_text(statement, 2, fingerprint);
	has = sqlite3_step(statement) == SQLITE_ROW;
	weft_catalog_reset(statement);
	return has;
}

gboolean weft_catalog_id_of_source(WeftCatalog *catalog, const char *path, const char *fingerprint,
				   char ret_id[72], GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, ID_OF_SOURCE);
	const char *id = NULL;
	int step;

	weft_catalog_bind_path(statement, 1, path);
	weft_catalog_bind_text(statement, 2, fingerprint);
	step = sqlite3_step(statement);
	if (step == SQLITE_ROW)
		id = (const char *)sqlite3_column_text(statement, 0);
	else if (step != SQLITE_DONE)
		(void)weft_catalog_fail(catalog, error); /* before the reset clears the message */
	if (step == SQLITE_ROW || step == SQLITE_DONE)
		g_strlcpy(ret_id, id ? id : "", 72);
	weft_catalog_reset(statement);
	return step == SQLITE_ROW || step == SQLITE_DONE;
}

gboolean weft_catalog_paths_of(WeftCatalog *catalog, const char *id, GPtrArray *ret_paths,
			       GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, PATHS_OF_ID);
	int step;

	weft_catalog_bind_text(statement, 1, id);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *path = sqlite3_column_blob(statement, 0);

		if (path)
			g_ptr_array_add(ret_paths,
					g_strndup(path, (gsize)sqlite3_column_bytes(statement, 0)));
	}
	if (step != SQLITE_DONE)
		(void)weft_catalog_fail(catalog, error); /* before the reset clears the message */
	weft_catalog_reset(statement);
	return step == SQLITE_DONE;
}

gboolean weft_catalog_set_gone(WeftCatalog *catalog, const char *path, const char *fingerprint,
			       GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, SET_GONE);

	weft_catalog_bind_path(statement, 1, path);
	weft_catalog_bind_text(statement, 2, fingerprint);
	return weft_catalog_run(catalog, statement, error);
}

gboolean weft_catalog_forget_record(WeftCatalog *catalog, const char *id, GError **error)
{
	sqlite3_stmt *record = weft_catalog_statement(catalog, DELETE_RECORD);
	sqlite3_stmt *sources = weft_catalog_statement(catalog, DELETE_SOURCES);

	weft_catalog_bind_text(record, 1, id);
	weft_catalog_bind_text(sources, 1, id);
	return weft_catalog_run(catalog, record, error) && weft_catalog_run(catalog, sources, error);
}
