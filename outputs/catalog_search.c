#include "outputs/catalog_search.h"

#include <string.h>

#include "base/error.h"
#include "outputs/catalog_private.h"
#include "outputs/record_source.h"

/* Of a query; longer ones are refused. */
#define QUERY_BYTES_MAX 4096

/* What is said about a document counts four times as much as what stands in it. */
static const char MAKE[] =
	"CREATE TABLE IF NOT EXISTS text_of ("
	" number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, path BLOB NOT NULL,"
	" places TEXT NOT NULL);"
	"CREATE VIRTUAL TABLE IF NOT EXISTS text USING fts5("
	" body, about, tokenize = 'unicode61 remove_diacritics 2');";
static const char SET_RANK[] =
	"INSERT OR REPLACE INTO text(text, rank) VALUES ('rank', 'bm25(1.0, 4.0)')";
static const char HAS_TABLES[] = "SELECT 1 FROM sqlite_master WHERE name = 'text'";

static const char FIND_NUMBER[] = "SELECT number FROM text_of WHERE id = ?";
static const char IS_SAME[] =
	"SELECT 1 FROM text JOIN text_of ON text_of.number = text.rowid"
	" WHERE text.rowid = ? AND body = ? AND about = ? AND places = ?";
static const char ERASE_TEXT[] = "DELETE FROM text WHERE rowid = ?";
static const char ERASE_TEXT_OF[] = "DELETE FROM text_of WHERE number = ?";
static const char PUT_TEXT_OF[] = "INSERT INTO text_of (id, path, places) VALUES (?, ?, ?)";
static const char PUT_TEXT[] = "INSERT INTO text (rowid, body, about) VALUES (?, ?, ?)";

/* The marks of search.h. */
static const char SEARCH[] = "SELECT rowid, highlight(text, 0, char(2), char(3)),"
			     " highlight(text, 1, char(2), char(3))"
			     " FROM text WHERE text MATCH ? ORDER BY rank";
static const char TEXT_OF[] = "SELECT id, path, places FROM text_of WHERE number = ?";
static const char PATHS_OF[] = "SELECT path FROM source WHERE id = ? GROUP BY path ORDER BY path";

/* ---- a transaction of its own, where none is at hand ---- */

static gboolean begin(WeftCatalog *catalog, gboolean *ret_is_own, GError **error)
{
	*ret_is_own = sqlite3_get_autocommit(catalog->database) != 0;
	return !*ret_is_own || weft_catalog_execute(catalog, "BEGIN IMMEDIATE", error);
}

static gboolean end(WeftCatalog *catalog, gboolean is_own, gboolean is_good, GError **error)
{
	if (!is_own)
		return is_good;
	if (is_good && weft_catalog_execute(catalog, "COMMIT", error))
		return TRUE;
	/* The first error is the one to tell. */
	sqlite3_exec(catalog->database, "ROLLBACK", NULL, NULL, NULL);
	return FALSE;
}

gboolean weft_catalog_make_search(WeftCatalog *catalog, GError **error)
{
	gboolean is_own, is_good;
	sqlite3_stmt *statement = weft_catalog_statement(catalog, HAS_TABLES);
	int step = sqlite3_step(statement);

	if (step != SQLITE_ROW && step != SQLITE_DONE)
		(void)weft_catalog_fail(catalog, error);
	weft_catalog_reset(statement);
	if (step != SQLITE_DONE)
		return step == SQLITE_ROW;
	if (!begin(catalog, &is_own, error))
		return FALSE;
	is_good = weft_catalog_execute(catalog, MAKE, error) &&
		  weft_catalog_execute(catalog, SET_RANK, error);
	return end(catalog, is_own, is_good, error);
}

/* ---- putting ---- */

/* *ret_number: 0 when the id has none. */
static gboolean find_number(WeftCatalog *catalog, const char *id, gint64 *ret_number,
			    GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, FIND_NUMBER);

	weft_catalog_bind_text(statement, 1, id);
	int step = sqlite3_step(statement);
	*ret_number = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		(void)weft_catalog_fail(catalog, error);
	weft_catalog_reset(statement);
	return step == SQLITE_ROW || step == SQLITE_DONE;
}

static gboolean run_with_number(WeftCatalog *catalog, const char *sql, gint64 number,
				GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, sql);

	sqlite3_bind_int64(statement, 1, number);
	return weft_catalog_run(catalog, statement, error);
}

static gboolean erase_number(WeftCatalog *catalog, gint64 number, GError **error)
{
	return run_with_number(catalog, ERASE_TEXT, number, error) &&
	       run_with_number(catalog, ERASE_TEXT_OF, number, error);
}

static void bind_string(sqlite3_stmt *statement, int i, const GString *text)
{
	sqlite3_bind_text64(statement, i, text->str, text->len, SQLITE_STATIC, SQLITE_UTF8);
}

static gboolean is_same(WeftCatalog *catalog, gint64 number, const WeftSearchText *text)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, IS_SAME);

	sqlite3_bind_int64(statement, 1, number);
	bind_string(statement, 2, text->body);
	bind_string(statement, 3, text->about);
	bind_string(statement, 4, text->places);
	gboolean is_same = sqlite3_step(statement) == SQLITE_ROW;
	weft_catalog_reset(statement);
	return is_same;
}

static gboolean insert(WeftCatalog *catalog, const char *id, const char *path,
		       const WeftSearchText *text, GError **error)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, PUT_TEXT_OF);

	weft_catalog_bind_text(statement, 1, id);
	weft_catalog_bind_path(statement, 2, path);
	bind_string(statement, 3, text->places);
	if (!weft_catalog_run(catalog, statement, error))
		return FALSE;
	statement = weft_catalog_statement(catalog, PUT_TEXT);
	sqlite3_bind_int64(statement, 1, sqlite3_last_insert_rowid(catalog->database));
	bind_string(statement, 2, text->body);
	bind_string(statement, 3, text->about);
	return weft_catalog_run(catalog, statement, error);
}

gboolean weft_catalog_put_text(WeftCatalog *catalog, const char *id, const char *path,
			       const WeftSearchText *text, GError **error)
{
	gboolean is_empty = text->body->len == 0 && text->about->len == 0;
	gboolean is_own, is_good;
	gint64 number;

	if (!begin(catalog, &is_own, error))
		return FALSE;
	is_good = find_number(catalog, id, &number, error);
	if (is_good && number != 0 && is_same(catalog, number, text))
		return end(catalog, is_own, TRUE, error);
	if (is_good && number != 0)
		is_good = erase_number(catalog, number, error);
	if (is_good && !is_empty)
		is_good = insert(catalog, id, path, text, error);
	return end(catalog, is_own, is_good, error);
}

gboolean weft_catalog_erase_text(WeftCatalog *catalog, const char *id, GError **error)
{
	gboolean is_own, is_good;
	gint64 number;

	if (!begin(catalog, &is_own, error))
		return FALSE;
	is_good = find_number(catalog, id, &number, error) &&
		  (number == 0 || erase_number(catalog, number, error));
	return end(catalog, is_own, is_good, error);
}

/* ---- searching ---- */

static void hit_free(void *data)
{
	WeftHit *hit = data;

	g_free(hit->path);
	g_free(hit->snippet);
	g_free(hit);
}

/* Each word of the query in quotes, so that nothing in it means anything but itself; a star behind
 * a word stays. */
static char *as_words(const char *query)
{
	g_auto(GStrv) words = g_strsplit_set(query, " \t\r\n\f\v\"", -1);
	GString *text = g_string_new(NULL);

	for (char **word = words; *word; word++) {
		gsize size = strlen(*word);
		gboolean is_begin = size > 1 && (*word)[size - 1] == '*';

		if (size > 0)
			g_string_append_printf(text, "%s\"%s\"%s", text->len > 0 ? " " : "", *word,
					       is_begin ? " *" : "");
	}
	return g_string_free(text, FALSE);
}

/* The path that comes first, and how many there are; the one that was put with the text where no
 * record has come yet. Of several that are one together the one with this name; NULL: of all. FALSE:
 * there are none. */
static gboolean find_paths(WeftCatalog *catalog, WeftHit *hit, const char *name)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, PATHS_OF);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	weft_catalog_bind_text(statement, 1, hit->id);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *path = sqlite3_column_blob(statement, 0);

		if (path)
			g_ptr_array_add(paths,
					g_strndup(path, (gsize)sqlite3_column_bytes(statement, 0)));
	}
	weft_catalog_reset(statement);
	const char *part = name ? weft_record_part_path(paths, name) : NULL;

	hit->n_paths = part ? 1 : paths->len;
	if (paths->len == 0)
		return FALSE;
	g_free(hit->path);
	hit->path = g_strdup(part ? part : paths->pdata[0]);
	return TRUE;
}

/* NULL: no such number, or nothing to be told any more. */
static WeftHit *hit_of(WeftCatalog *catalog, gint64 number, const char *body, const char *about)
{
	sqlite3_stmt *statement = weft_catalog_statement(catalog, TEXT_OF);
	g_autofree char *name = NULL, *first_name = NULL;
	WeftHit *hit = NULL;

	sqlite3_bind_int64(statement, 1, number);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		const char *path = sqlite3_column_blob(statement, 1);
		const char *places = (const char *)sqlite3_column_text(statement, 2);
		gsize offset;
		guint n_marks;

		hit = g_new0(WeftHit, 1);
		g_strlcpy(hit->id, (const char *)sqlite3_column_text(statement, 0),
			  sizeof(hit->id));
		hit->path = g_strndup(path ? path : "", (gsize)sqlite3_column_bytes(statement, 1));
		hit->snippet = weft_search_text_snippet(body, &offset, &n_marks);
		hit->time_s = -1;
		first_name = weft_search_text_name(places, 1);
		if (n_marks > 0) {
			WeftSearchPlace place = weft_search_text_place(places, offset);

			hit->document = place.document;
			hit->page = place.page;
			hit->time_s = place.time_s;
			name = weft_search_text_name(places, place.document);
		} else {
			g_free(hit->snippet);
			hit->snippet = weft_search_text_snippet(about, &offset, &n_marks);
			hit->is_about = TRUE;
		}
	}
	weft_catalog_reset(statement);
	/* Without paths: a record of fewer files, or of other ones, has come for those of this one. */
	if (hit && !find_paths(catalog, hit, name) && first_name)
		g_clear_pointer(&hit, hit_free);
	return hit;
}

/* The rows of one query, as FTS5 reads it. FALSE, with SQLite's code: it could not be run. */
static gboolean collect(WeftCatalog *catalog, const char *query, guint n_max, GPtrArray *hits,
			gboolean *ret_is_cut, int *ret_code)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	sqlite3_stmt *statement = weft_catalog_statement(catalog, SEARCH);
	int step = SQLITE_DONE;

	*ret_is_cut = FALSE;
	weft_catalog_bind_text(statement, 1, query);
	while (!*ret_is_cut && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *body = (const char *)sqlite3_column_text(statement, 1);
		const char *about = (const char *)sqlite3_column_text(statement, 2);
		WeftHit *hit = hit_of(catalog, sqlite3_column_int64(statement, 0),
				      body ? body : "", about ? about : "");

		/* The same document, as another job has read it. */
		if (hit && g_hash_table_contains(seen, hit->path)) {
			hit_free(hit);
		} else if (hit && hits->len == n_max) {
			*ret_is_cut = TRUE;
			hit_free(hit);
		} else if (hit) {
			g_ptr_array_add(hits, hit);
			g_hash_table_add(seen, hit->path);
		}
	}
	*ret_code = *ret_is_cut ? SQLITE_DONE : step;
	return *ret_code == SQLITE_DONE;
}

GPtrArray *weft_catalog_search(WeftCatalog *catalog, const char *query, guint n_max,
			       gboolean *ret_is_cut, GError **error)
{
	g_autoptr(GPtrArray) hits = g_ptr_array_new_with_free_func(hit_free);
	g_autofree char *words = as_words(query);
	int code;

	if (strlen(query) > QUERY_BYTES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "a query of %" G_GSIZE_FORMAT " bytes, limit %d", strlen(query),
			    QUERY_BYTES_MAX);
		return NULL;
	}
	gboolean is_good = collect(catalog, query, n_max, hits, ret_is_cut, &code);
	/* SQLITE_ERROR: among others, that it is no query of FTS5's. */
	if (!is_good && code == SQLITE_ERROR) {
		weft_catalog_reset(weft_catalog_statement(catalog, SEARCH));
		g_ptr_array_set_size(hits, 0);
		is_good = *words == '\0' || collect(catalog, words, n_max, hits, ret_is_cut, &code);
	}
	if (!is_good)
		(void)weft_catalog_fail(catalog, error); /* before the reset clears the message */
	weft_catalog_reset(weft_catalog_statement(catalog, SEARCH));
	return is_good ? g_steal_pointer(&hits) : NULL;
}
