/* catalog_private.h - what the files of the catalogue share: outputs/catalog.c opens it and keeps
 * records and paths, each other group of tables has a file of its own beside it.
 *
 * Statements are prepared once and kept; `sql` must be a string that lives as long as the program,
 * and is found again by its address. What is NULL because it could not be prepared may be bound and
 * run: the run fails and says why.
 */
#ifndef WEFT_OUTPUTS_CATALOG_PRIVATE_H
#define WEFT_OUTPUTS_CATALOG_PRIVATE_H

#include <sqlite3.h>

#include "outputs/catalog.h"

struct WeftCatalog {
	sqlite3 *database;
	GHashTable *statements; /* address of the text -> sqlite3_stmt */
	char *path;
	gboolean is_read_only;
	gboolean is_damaged; /* SQLite said so: it goes when it is closed, the next run makes it anew */
};

/* Sets the error to what SQLite said last; always FALSE. WEFT_ERROR_CORRUPT for a damaged file, else
 * WEFT_ERROR_IO. */
gboolean weft_catalog_fail(WeftCatalog *catalog, GError **error);

/* Statements without parameters and rows. */
gboolean weft_catalog_execute(WeftCatalog *catalog, const char *sql, GError **error);

sqlite3_stmt *weft_catalog_statement(WeftCatalog *catalog, const char *sql);

/* Runs a statement that gives no rows, and makes it ready for the next use. SQLite tells the end of
 * a statement, a failed commit among others, by the reset only. */
gboolean weft_catalog_run(WeftCatalog *catalog, sqlite3_stmt *statement, GError **error);

/* Makes a statement whose rows were read ready for the next use. */
void weft_catalog_reset(sqlite3_stmt *statement);

/* NULL becomes null. A path is a BLOB: bytes as the file system has them. */
void weft_catalog_bind_text(sqlite3_stmt *statement, int i, const char *text);
void weft_catalog_bind_path(sqlite3_stmt *statement, int i, const char *path);

gint64 weft_catalog_nanoseconds(const struct timespec *time);

#endif
