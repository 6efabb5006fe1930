#include "outputs/catalog.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "outputs/catalog_found.h"
#include "outputs/catalog_private.h"
#include "outputs/catalog_search.h"

/* PRAGMA user_version: raised with every change of a table, which makes the catalogue anew. */
#define CATALOG_VERSION 3
/* Readers (weft show) and writers wait for each other this long: a commit on a busy disk may take
 * seconds, and several runs may share the folder. */
#define BUSY_MS 60000

static const char SCHEMA[] =
	"CREATE TABLE record ("
	" id TEXT PRIMARY KEY, status INTEGER NOT NULL, retry INTEGER NOT NULL, decoders TEXT,"
	" sha256 TEXT, fingerprint TEXT NOT NULL,"
	" file_sha256 TEXT NOT NULL, file_bytes INTEGER NOT NULL, file_inode INTEGER NOT NULL,"
	" file_mtime_ns INTEGER NOT NULL) WITHOUT ROWID;"
	/* The order of rowid is the order in which paths were put. */
	"CREATE TABLE source ("
	" path BLOB NOT NULL, fingerprint TEXT NOT NULL, id TEXT NOT NULL,"
	" device INTEGER, inode INTEGER, bytes INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,"
	" gone INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE (path, fingerprint));"
	"CREATE INDEX source_id ON source (id);";

static const char PUT_RECORD[] = "INSERT OR REPLACE INTO record VALUES"
				 " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char PUT_SOURCE[] = "INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)";
static const char FIND_SOURCE[] =
	"SELECT source.id, record.status, record.retry, record.decoders"
	" FROM source JOIN record ON record.id = source.id"
	" WHERE path = ? AND source.fingerprint = ? AND device = ? AND inode = ?"
	" AND bytes = ? AND mtime_ns = ? AND ctime_ns = ? AND gone = 0";
static const char ID_OF_PATH[] = "SELECT id FROM source WHERE path = ? ORDER BY rowid DESC LIMIT 1";
static const char FILE_SHA256[] = "SELECT file_sha256 FROM record WHERE id = ? AND file_bytes = ?"
				  " AND file_inode = ? AND file_mtime_ns = ?";
/* BLOBs compare bytewise; of one path the row that was put last counts. */
static const char LIST_PATHS[] =
	"SELECT path, id, MAX(rowid) FROM source GROUP BY path ORDER BY path";

gboolean weft_catalog_fail(WeftCatalog *catalog, GError **error)
{
	g_autofree char *name = weft_path_display(catalog->path);
	int code = sqlite3_errcode(catalog->database);
	gboolean is_damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;

	catalog->is_damaged |= is_damaged;
	g_set_error(error, WEFT_ERROR, is_damaged ? WEFT_ERROR_CORRUPT : WEFT_ERROR_IO, "%s: %s", name,
		    sqlite3_errmsg(catalog->database));
	return FALSE;
}

gboolean weft_catalog_execute(WeftCatalog *catalog, const char *sql, GError **error)
{
	if (sqlite3_exec(catalog->database, sql, NULL, NULL, NULL) != SQLITE_OK)
		return weft_catalog_fail(catalog, error);
	return TRUE;
}

static gboolean read_version(WeftCatalog *catalog, int *ret_version, GError **error)
{
	sqlite3_stmt *statement = NULL;
	gboolean is_good = sqlite3_prepare_v2(catalog->database, "PRAGMA user_version", -1,
					      &statement, NULL) == SQLITE_OK &&
			   sqlite3_step(statement) == SQLITE_ROW;
	if (is_good)
		*ret_version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return is_good || weft_catalog_fail(catalog, error);
}

/* The file may be anybody's: nothing in it is code, and no page is believed unchecked. */
static gboolean harden(WeftCatalog *catalog, GError **error)
{
	static const int SWITCHES[][2] = { { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
					   { SQLITE_DBCONFIG_DEFENSIVE, 1 },
					   { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
					   { SQLITE_DBCONFIG_ENABLE_VIEW, 0 } };

	for (gsize i = 0; i < G_N_ELEMENTS(SWITCHES); i++)
		if (sqlite3_db_config(catalog->database, SWITCHES[i][0], SWITCHES[i][1], NULL) !=
		    SQLITE_OK)
			return weft_catalog_fail(catalog, error);
	return weft_catalog_execute(catalog,
				    "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
				    "PRAGMA synchronous = NORMAL",
				    error);
}

static void finalize(void *statement)
{
	(void)sqlite3_finalize(statement); /* told by its last step */
}

/* On a disk that is mounted to read only SQLite can't make the shared memory of write-ahead mode; it
 * does without where it is told that nobody writes. NULL: an ordinary place. */
static char *immutable_uri(const char *path)
{
	struct statvfs disk;
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *log = g_strconcat(path, "-wal", NULL);
	g_autofree char *uri = NULL;

	if (statvfs(path, &disk) < 0 || !(disk.f_flag & ST_RDONLY) ||
	    g_file_test(log, G_FILE_TEST_EXISTS))
		return NULL;
	uri = g_filename_to_uri(absolute, NULL, NULL);
	return uri ? g_strconcat(uri, "?immutable=1", NULL) : NULL;
}

static WeftCatalog *open_database(const char *path, int flags, GError **error)
{
	g_autoptr(WeftCatalog) catalog = g_new0(WeftCatalog, 1);
	g_autofree char *uri = flags & SQLITE_OPEN_READONLY ? immutable_uri(path) : NULL;

	catalog->path = g_strdup(path);
	catalog->is_read_only = (flags & SQLITE_OPEN_READONLY) != 0;
	catalog->statements = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
						    finalize);
	if (sqlite3_open_v2(uri ? uri : path, &catalog->database, uri ? flags | SQLITE_OPEN_URI : flags,
			    NULL) != SQLITE_OK) {
		(void)weft_catalog_fail(catalog, error);
		return NULL;
	}
	sqlite3_busy_timeout(catalog->database, BUSY_MS);
	return harden(catalog, error) ? g_steal_pointer(&catalog) : NULL;
}

/* A file that says it is of this version and lacks a table is damaged. */
static gboolean has_tables(WeftCatalog *catalog, GError **error)
{
	if (weft_catalog_statement(catalog, FILE_SHA256) &&
	    weft_catalog_statement(catalog, FIND_SOURCE))
		return TRUE;
	if (sqlite3_errcode(catalog->database) != SQLITE_ERROR)
		return weft_catalog_fail(catalog, error);
	g_autofree char *name = weft_path_display(catalog->path);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "%s: %s", name,
		    sqlite3_errmsg(catalog->database));
	return FALSE;
}

WeftCatalog *weft_catalog_open(const char *path, gboolean is_read_only, GError **error)
{
	g_autofree char *name = weft_path_display(path);
	int version = 0;

	if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY, "%s: no catalogue", name);
		return NULL;
	}
	g_autoptr(WeftCatalog) catalog = open_database(
		path, is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, error);
	if (!catalog || !read_version(catalog, &version, error))
		return NULL;
	if (version == 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY, "%s: not finished", name);
		return NULL;
	}
	if (version != CATALOG_VERSION) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    "%s: catalogue of version %d, this program keeps %d", name, version,
			    CATALOG_VERSION);
		return NULL;
	}
	return has_tables(catalog, error) ? g_steal_pointer(&catalog) : NULL;
}

static gboolean remove_files(const char *path, GError **error)
{
	static const char *const TAILS[] = { "-wal", "-shm", "-journal", "" };

	for (gsize i = 0; i < G_N_ELEMENTS(TAILS); i++) {
		g_autofree char *file = g_strconcat(path, TAILS[i], NULL);
		if (unlink(file) < 0 && errno != ENOENT) {
			g_autofree char *name = weft_path_display(file);
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", name,
				    g_strerror(errno));
			return FALSE;
		}
	}
	return TRUE;
}

WeftCatalog *weft_catalog_make(const char *path, GError **error)
{
	if (!remove_files(path, error))
		return NULL;
	g_autoptr(WeftCatalog) catalog =
		open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
	if (!catalog || !weft_catalog_execute(catalog, "PRAGMA journal_mode = WAL", error) ||
	    !weft_catalog_begin(catalog, error) || !weft_catalog_execute(catalog, SCHEMA, error) ||
	    !weft_catalog_make_search(catalog, error) ||
	    !weft_catalog_make_found(catalog, error))
		return NULL;
	return g_steal_pointer(&catalog);
}

gboolean weft_catalog_seal(WeftCatalog *catalog, GError **error)
{
	g_autofree char *sql = g_strdup_printf("PRAGMA user_version = %d", CATALOG_VERSION);

	return weft_catalog_execute(catalog, sql, error) && weft_catalog_commit(catalog, error);
}

void weft_catalog_close(WeftCatalog *catalog)
{
	if (!catalog)
		return;
	g_clear_pointer(&catalog->statements, g_hash_table_unref);
	sqlite3_close(catalog->database);
	if (catalog->is_damaged && !catalog->is_read_only)
		(void)remove_files(catalog->path, NULL); /* the damage has been told */
	g_free(catalog->path);
	g_free(catalog);
}

/* ---- binding ---- */

gint64 weft_catalog_nanoseconds(const struct timespec *time)
{
	return (gint64)time->tv_sec * 1000000000 + time->tv_nsec;
}

void weft_catalog_bind_text(sqlite3_stmt *statement, int i, const char *text)
{
	sqlite3_bind_text(statement, i, text, -1, SQLITE_TRANSIENT);
}

void weft_catalog_bind_path(sqlite3_stmt *statement, int i, const char *path)
{
	sqlite3_bind_blob(statement, i, path, strlen(path), SQLITE_TRANSIENT);
}

/* Device, inode, size and times from parameter i on. */
static void bind_stat(sqlite3_stmt *statement, int i, const struct stat *status)
{
	sqlite3_bind_int64(statement, i, (gint64)status->st_dev);
	sqlite3_bind_int64(statement, i + 1, (gint64)status->st_ino);
	sqlite3_bind_int64(statement, i + 2, status->st_size);
	sqlite3_bind_int64(statement, i + 3, weft_catalog_nanoseconds(&status->st_mtim));
	sqlite3_bind_int64(statement, i + 4, weft_catalog_nanoseconds(&status->st_ctim));
}

sqlite3_stmt *weft_catalog_statement(WeftCatalog *catalog, const char *sql)
{
	sqlite3_stmt *statement = g_hash_table_lookup(catalog->statements, sql);

	if (statement == NULL &&
	    sqlite3_prepare_v3(catalog->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
			       NULL) == SQLITE_OK)
		g_hash_table_insert(catalog->statements, (gpointer)sql, statement);
	return statement;
}

void weft_catalog_reset(sqlite3_stmt *statement)
{
	if (statement == NULL)
		return;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

gboolean weft_catalog_run(WeftCatalog *catalog, sqlite3_stmt *statement, GError **error)
{
	gboolean is_good = statement != NULL && sqlite3_step(statement) == SQLITE_DONE;
	is_good = sqlite3_reset(statement) == SQLITE_OK && is_good;
	is_good = is_good || weft_catalog_fail(catalog, error);
	weft_catalog_reset(statement);
	return is_good;
}

/* The first column of the only row, as text; a missing row and an error are the same here: the
 * catalogue does not know. */
static gboolean find_text(sqlite3_stmt *statement, char *ret_text, gsize size_bytes)
{
	gboolean is_found = sqlite3_step(statement) == SQLITE_ROW;
	if (is_found) {
		const char *text = (const char *)sqlite3_column_text(statement, 0);
		is_found = text && strlen(text) < size_bytes;
		if (is_found)
			g_strlcpy(ret_text, text, size_bytes);
	}
	weft_catalog_reset(statement);
	return is_found;
}

/* ---- verbs ---- */

gboolean weft_catalog_begin(WeftCatalog *catalog, GError **error)
{
	return weft_catalog_execute(catalog, "BEGIN IMMEDIATE", error);
}

gboolean weft_catalog_commit(WeftCatalog *catalog, GError **error)
{
	return weft_catalog_execute(catalog, "COMMIT", error);
}

void weft_catalog_rollback(WeftCatalog *catalog)
{
	sqlite3_exec(catalog->database, "ROLLBACK", NULL, NULL, NULL);
}

gboolean weft_catalog_put_record(WeftCatalog *catalog, const WeftCatalogRecord *record,
				 GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, PUT_RECORD);
	weft_catalog_bind_text(statement, 1, record->id);
	sqlite3_bind_int(statement, 2, record->status);
	sqlite3_bind_int(statement, 3, record->known->retry);
	weft_catalog_bind_text(statement, 4, record->known->decoders);
	weft_catalog_bind_text(statement, 5, record->sha256);
	weft_catalog_bind_text(statement, 6, record->fingerprint);
	weft_catalog_bind_text(statement, 7, record->file_sha256);
	sqlite3_bind_int64(statement, 8, record->file_status.st_size);
	sqlite3_bind_int64(statement, 9, (gint64)record->file_status.st_ino);
	sqlite3_bind_int64(statement, 10, weft_catalog_nanoseconds(&record->file_status.st_mtim));
	return weft_catalog_run(catalog, statement, error);
}

gboolean weft_catalog_put_source(WeftCatalog *catalog, const char *id, const char *path,
				 const struct stat *status, const char *fingerprint, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, PUT_SOURCE);
	weft_catalog_bind_path(statement, 1, path);
	weft_catalog_bind_text(statement, 2, fingerprint);
	weft_catalog_bind_text(statement, 3, id);
	if (status)
		bind_stat(statement, 4, status);
	return weft_catalog_run(catalog, statement, error);
}

/* Columns id, status, retry, decoders; FALSE when they are not ours. */
static gboolean known_of_row(sqlite3_stmt *statement, WeftKnown *ret_known)
{
	const char *id = (const char *)sqlite3_column_text(statement, 0);
	const char *decoders = (const char *)sqlite3_column_text(statement, 3);
	int status = sqlite3_column_int(statement, 1), retry = sqlite3_column_int(statement, 2);

	if (!id || status < 0 || status > WEFT_STATUS_SKIPPED || retry < 0 ||
	    retry > WEFT_RETRY_ALWAYS)
		return FALSE;
	*ret_known = (WeftKnown){.status = (WeftStatus)status, .retry = (WeftRetry)retry};
	g_strlcpy(ret_known->id, id, sizeof(ret_known->id));
	g_strlcpy(ret_known->decoders, decoders ? decoders : "", sizeof(ret_known->decoders));
	return TRUE;
}

gboolean weft_catalog_is_unchanged(WeftCatalog *catalog, const char *path,
				   const struct stat *status, const char *fingerprint,
				   WeftKnown *ret_known)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, FIND_SOURCE);
	gboolean is_found;

	weft_catalog_bind_path(statement, 1, path);
	weft_catalog_bind_text(statement, 2, fingerprint);
	bind_stat(statement, 3, status);
	is_found = sqlite3_step(statement) == SQLITE_ROW && known_of_row(statement, ret_known);
	weft_catalog_reset(statement);
	return is_found;
}

gboolean weft_catalog_id_of_path(WeftCatalog *catalog, const char *path, char ret_id[72])
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, ID_OF_PATH);

	weft_catalog_bind_path(statement, 1, path);
	return find_text(statement, ret_id, 72);
}

gboolean weft_catalog_file_sha256(WeftCatalog *catalog, const char *id,
				  const struct stat *file_status, char ret_hex[65])
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, FILE_SHA256);
	weft_catalog_bind_text(statement, 1, id);
	sqlite3_bind_int64(statement, 2, file_status->st_size);
	sqlite3_bind_int64(statement, 3, (gint64)file_status->st_ino);
	sqlite3_bind_int64(statement, 4, weft_catalog_nanoseconds(&file_status->st_mtim));
	return find_text(statement, ret_hex, 65);
}

gboolean weft_catalog_list(WeftCatalog *catalog, GPtrArray *ret_paths, GPtrArray *ret_ids,
			   GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, LIST_PATHS);
	int step;

	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *path = sqlite3_column_blob(statement, 0);
		const char *id = (const char *)sqlite3_column_text(statement, 1);

		if (!path || !id)
			continue;
		g_ptr_array_add(ret_paths,
				g_strndup(path, (gsize)sqlite3_column_bytes(statement, 0)));
		g_ptr_array_add(ret_ids, g_strdup(id));
	}
	if (step != SQLITE_DONE)
		(void)weft_catalog_fail(catalog, error); /* before the reset clears the message */
	weft_catalog_reset(statement);
	return step == SQLITE_DONE;
}
