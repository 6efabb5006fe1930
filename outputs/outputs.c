#include "outputs/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/catalog_search.h"
#include "outputs/outputs_private.h"
#include "outputs/record_json.h"
#include "outputs/record_paths.h"
#include "outputs/retry.h"
#include "outputs/search_text.h"

/* A record is read back whole. */
#define RECORD_BYTES_MAX ((gsize)1 << 30)
/* Records in one of the 256 folders. */
#define FOLDER_NAMES_MAX ((gsize)1 << 24)
#define PREFIX_BYTES_MIN 8

/* ---- opening ---- */

static char *catalog_path(const char *out_dir, const char *state_dir)
{
	if (state_dir)
		return g_build_filename(state_dir, "catalog.db", NULL);
	return g_build_filename(out_dir, "state", "catalog.db", NULL);
}

static WeftOutputs *new_outputs(const char *out_dir, const char *state_dir)
{
	WeftOutputs *outputs = g_new0(WeftOutputs, 1);
	outputs->folder = g_strdup(out_dir);
	outputs->database = catalog_path(out_dir, state_dir);
	outputs->records = g_build_filename(out_dir, "records", NULL);
	return outputs;
}

/* One that can't be believed is made anew, and that is said, unless nothing was there before. */
static gboolean open_catalog(WeftOutputs *outputs, GError **error)
{
	g_autoptr(GError) failure = NULL;
	WeftRebuilt rebuilt;

	outputs->catalog = weft_catalog_open(outputs->database, FALSE, &failure);
	if (outputs->catalog)
		return TRUE;
	if (!g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_CORRUPT) &&
	    !g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED) &&
	    !g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_EMPTY)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (!weft_outputs_rebuild(outputs, &rebuilt, error))
		return FALSE;
	if (rebuilt.n_records + rebuilt.n_damaged > 0 ||
	    !g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_EMPTY))
		outputs->note = g_strdup_printf("%s; built anew from %" G_GUINT64_FORMAT
						" records (%" G_GUINT64_FORMAT " damaged)",
						failure->message, rebuilt.n_records,
						rebuilt.n_damaged);
	return TRUE;
}

WeftOutputs *weft_outputs_open(const char *out_dir, const char *state_dir, GError **error)
{
	g_autoptr(WeftOutputs) outputs = new_outputs(out_dir, state_dir);
	g_autofree char *lock_path = g_build_filename(out_dir, "lock", NULL);
	g_autofree char *state = g_path_get_dirname(outputs->database);

	if (!weft_folder_make(out_dir, 0700, error))
		return NULL;
	outputs->lock = weft_lock_open(lock_path, error);
	if (!outputs->lock || !weft_folder_make(outputs->records, 0700, error) ||
	    !weft_folder_make(state, 0700, error) || !open_catalog(outputs, error))
		return NULL;
	return g_steal_pointer(&outputs);
}

/* To read only, without its catalogue. */
static WeftOutputs *open_folder(const char *out_dir, const char *state_dir, GError **error)
{
	g_autoptr(WeftOutputs) outputs = new_outputs(out_dir, state_dir);

	if (!g_file_test(outputs->records, G_FILE_TEST_IS_DIR)) {
		g_autofree char *name = weft_path_display(out_dir);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: no records here", name);
		return NULL;
	}
	return g_steal_pointer(&outputs);
}

WeftOutputs *weft_outputs_open_existing(const char *out_dir, const char *state_dir, GError **error)
{
	g_autoptr(WeftOutputs) outputs = open_folder(out_dir, state_dir, error);

	/* Ids are found without it, paths are not. */
	if (outputs && g_file_test(outputs->database, G_FILE_TEST_EXISTS)) {
		outputs->catalog = weft_catalog_open(outputs->database, TRUE, error);
		if (!outputs->catalog) {
			g_prefix_error(error, "the next run makes it anew: ");
			return NULL;
		}
	}
	return g_steal_pointer(&outputs);
}

WeftOutputs *weft_outputs_open_records(const char *out_dir, const char *state_dir,
				       char **ret_reason, GError **error)
{
	g_autoptr(WeftOutputs) outputs = open_folder(out_dir, state_dir, error);
	g_autoptr(GError) failure = NULL;

	if (!outputs)
		return NULL;
	outputs->catalog = weft_catalog_open(outputs->database, TRUE, &failure);
	*ret_reason = failure ? g_strdup(failure->message) : NULL;
	return g_steal_pointer(&outputs);
}

const char *weft_outputs_note(const WeftOutputs *outputs)
{
	return outputs->note;
}

void weft_outputs_close(WeftOutputs *outputs)
{
	if (!outputs)
		return;
	weft_catalog_close(outputs->catalog);
	weft_lock_close(outputs->lock);
	g_free(outputs->note);
	g_free(outputs->database);
	g_free(outputs->records);
	g_free(outputs->folder);
	g_free(outputs);
}

/* ---- record files ---- */

/* "sha256:<hex>" or "<hex>": the hex digits when there are n_min to 64 of them, all lower case. */
static const char *hex_of(const char *id, gsize n_min)
{
	const char *hex = g_str_has_prefix(id, "sha256:") ? id + strlen("sha256:") : id;
	gsize n = strspn(hex, "0123456789abcdef");
	return hex[n] == '\0' && n >= n_min && n <= WEFT_HEX_BYTES ? hex : NULL;
}

static char *file_of_hex(const WeftOutputs *outputs, const char *hex)
{
	char folder[3] = { hex[0], hex[1], '\0' };
	g_autofree char *name = g_strconcat(hex, ".json", NULL);
	return g_build_filename(outputs->records, folder, name, NULL);
}

/* NULL with an error when the id is none. */
static char *file_of_id(const WeftOutputs *outputs, const char *id, GError **error)
{
	const char *hex = hex_of(id, WEFT_HEX_BYTES);
	if (!hex) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s: not the id of a record", id);
		return NULL;
	}
	return file_of_hex(outputs, hex);
}

WeftJson *weft_record_read(const char *file, const char *id, char ret_sha256[65], GError **error)
{
	g_autofree char *text = NULL;
	gsize size;
	if (!weft_file_read(file, RECORD_BYTES_MAX, &text, &size, error))
		return NULL;
	g_autoptr(WeftJson) record = weft_json_parse(text, size, WEFT_JSON_STRICT, error);
	if (!record) {
		g_autofree char *name = weft_path_display(file);
		g_prefix_error(error, "%s: ", name);
		return NULL;
	}
	if (g_strcmp0(weft_json_string(weft_json_member(record, "id"), NULL), id) != 0) {
		g_autofree char *name = weft_path_display(file);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "%s: not the record %s", name, id);
		return NULL;
	}
	if (ret_sha256) {
		g_autofree char *hex =
			g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)text, size);
		g_strlcpy(ret_sha256, hex, 65);
	}
	return g_steal_pointer(&record);
}

gboolean weft_record_row(const WeftJson *record, const char *id, WeftKnown *ret_known,
			 WeftCatalogRecord *ret_row)
{
	const char *fingerprint =
		weft_json_string(weft_json_at_pointer(record, "/run/fingerprint"), NULL);
	WeftKnown known = {0};

	if (!weft_status_from_name(weft_json_string(weft_json_member(record, "status"), NULL),
				   &known.status))
		return FALSE;
	g_strlcpy(known.id, id, sizeof(known.id));
	weft_retry_of_json(record, &known);
	*ret_known = known;
	*ret_row = (WeftCatalogRecord){
		.id = ret_known->id,
		.status = known.status,
		.known = ret_known,
		.sha256 = weft_json_string(weft_json_at_pointer(record, "/source/sha256"), NULL),
		.fingerprint = fingerprint ? fingerprint : "",
	};
	return TRUE;
}

/* The record's folder, made and synced into its parent where it is missing. */
static gboolean make_record_folder(const WeftOutputs *outputs, const char *file, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(file);
	if (g_file_test(folder, G_FILE_TEST_IS_DIR))
		return TRUE;
	return weft_folder_make(folder, 0700, error) &&
	       weft_folder_sync(outputs->records, error);
}

/* The rows of a record file that is there, in one transaction. `path` NULL: the record's alone. */
static gboolean put_rows(WeftOutputs *outputs, const char *file, WeftCatalogRecord *row,
			 const char *path, const struct stat *status, const char *fingerprint,
			 GError **error)
{
	WeftCatalog *catalog = outputs->catalog;

	if (stat(file, &row->file_status) < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: vanished after writing", row->id);
		return FALSE;
	}
	if (!weft_catalog_begin(catalog, error))
		return FALSE;
	if (weft_catalog_put_record(catalog, row, error) &&
	    (!path ||
	     weft_catalog_put_source(catalog, row->id, path, status, fingerprint, error)) &&
	    (!path || !row->text ||
	     weft_catalog_put_text(catalog, row->id, path, row->text, error)) &&
	    weft_catalog_commit(catalog, error))
		return TRUE;
	weft_catalog_rollback(catalog);
	return FALSE;
}

/* The one way a record gets onto the disk: text + newline, then its rows. */
static gboolean publish(WeftOutputs *outputs, const char *file, const char *text, gsize size_bytes,
			WeftCatalogRecord *row, const char *path, const struct stat *status,
			const char *fingerprint, GError **error)
{
	g_autofree char *line = g_malloc(size_bytes + 2);
	memcpy(line, text, size_bytes);
	strcpy(line + size_bytes, "\n");
	g_autofree char *hex =
		g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)line, size_bytes + 1);

	row->file_sha256 = hex;
	return make_record_folder(outputs, file, error) &&
	       weft_file_write(file, line, size_bytes + 1, error) &&
	       put_rows(outputs, file, row, path, status, fingerprint, error);
}

/* ---- verbs ---- */

gboolean weft_outputs_is_unchanged(WeftOutputs *outputs, const char *path,
				   const struct stat *status, const char *fingerprint,
				   WeftKnown *ret_known)
{
	WeftKnown known;
	if (!outputs->catalog || !weft_catalog_is_unchanged(outputs->catalog, path, status,
							    fingerprint, &known))
		return FALSE;
	g_autofree char *file = file_of_id(outputs, known.id, NULL);
	if (!file || access(file, F_OK) < 0)
		return FALSE;
	*ret_known = known;
	return TRUE;
}

static void add_path(GPtrArray *paths, const char *path)
{
	g_ptr_array_add(paths, g_strdup(path));
	weft_record_paths_settle(paths);
}

/* ---- paths that a record loses ---- */

/* Writes the record again with these paths. */
static gboolean write_paths(WeftOutputs *outputs, const char *file, const WeftJson *record,
			    WeftCatalogRecord *row, GPtrArray *paths, const char *path,
			    const struct stat *status, const char *fingerprint, GError **error)
{
	gsize size;
	g_autofree char *text = weft_record_paths_replace(record, paths, &size);
	return publish(outputs, file, text, size, row, path, status, fingerprint, error);
}

gboolean weft_outputs_look(WeftOutputs *outputs, const char *id, WeftKnown *ret_known)
{
	g_autofree char *file = file_of_id(outputs, id, NULL);
	if (!file || access(file, F_OK) < 0)
		return FALSE;
	g_autoptr(WeftJson) record = weft_record_read(file, id, NULL, NULL);
	WeftCatalogRecord row;
	return record && weft_record_row(record, id, ret_known, &row);
}

/* Of a record that says no more than that its path could not be read. */
static gboolean remove_record(WeftOutputs *outputs, const char *file, const char *id, GError **error)
{
	if (unlink(file) < 0 && errno != ENOENT) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", id, g_strerror(errno));
		return FALSE;
	}
	return weft_catalog_forget_record(outputs->catalog, id, error);
}

/* The path leaves the record. keeps_last: not when it is the only one of something that was read. A
 * damaged record is left as it is; one that the disk does not give would keep the path for good. */
static gboolean drop_path(WeftOutputs *outputs, const char *id, const char *path,
			  gboolean keeps_last, GError **error)
{
	g_autofree char *file = file_of_id(outputs, id, NULL);
	g_autoptr(GError) failure = NULL;
	WeftCatalogRecord row;
	WeftKnown known;

	if (!file || access(file, F_OK) < 0)
		return TRUE;
	g_autoptr(WeftJson) record = weft_record_read(file, id, NULL, &failure);
	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (!record || !weft_record_row(record, id, &known, &row))
		return TRUE;
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record);
	gboolean is_there = FALSE;
	for (guint i = paths->len; i > 0; i--) {
		if (strcmp(paths->pdata[i - 1], path) != 0 || (keeps_last && row.sha256 && paths->len == 1))
			continue;
		is_there = TRUE;
		g_ptr_array_remove_index(paths, i - 1);
	}
	if (!is_there)
		return TRUE;
	if (paths->len == 0 && !row.sha256)
		return remove_record(outputs, file, id, error);
	return write_paths(outputs, file, record, &row, paths, NULL, NULL, NULL, error);
}

/* Before the path gets its new record, so that a run that is killed in between does it again. */
static gboolean leave_record_before(WeftOutputs *outputs, const char *id, const char *path,
				    const char *fingerprint, GError **error)
{
	char before[72];

	if (!weft_catalog_id_of_source(outputs->catalog, path, fingerprint, before, error))
		return FALSE;
	if (before[0] == '\0' || strcmp(before, id) == 0)
		return TRUE;
	return drop_path(outputs, before, path, FALSE, error);
}

gboolean weft_outputs_sources(WeftOutputs *outputs, const char *folder, const char *after,
			      const char *fingerprint, guint n_max, GArray **ret_sources,
			      GError **error)
{
	if (!outputs->catalog) {
		*ret_sources = g_array_new(FALSE, TRUE, sizeof(WeftSource));
		return TRUE;
	}
	return weft_catalog_sources(outputs->catalog, folder, after, fingerprint, n_max,
				    ret_sources, error);
}

gboolean weft_outputs_has_seen(WeftOutputs *outputs, const char *path, const char *fingerprint)
{
	return outputs->catalog && weft_catalog_has_source(outputs->catalog, path, fingerprint);
}

gboolean weft_outputs_knows_folder(WeftOutputs *outputs, const char *folder)
{
	return outputs->catalog && weft_catalog_has_beneath(outputs->catalog, folder);
}

gboolean weft_outputs_lose(WeftOutputs *outputs, const char *path, const char *fingerprint,
			   GError **error)
{
	char id[72];

	if (!weft_catalog_id_of_source(outputs->catalog, path, fingerprint, id, error))
		return FALSE;
	if (id[0] == '\0')
		return TRUE;
	return drop_path(outputs, id, path, TRUE, error) &&
	       weft_catalog_set_gone(outputs->catalog, path, fingerprint, error);
}

gboolean weft_outputs_put(WeftOutputs *outputs, WeftRecord *record, const char *path,
			  const struct stat *status, const char *fingerprint, GError **error)
{
	g_autofree char *file = file_of_id(outputs, record->id ? record->id : "", error);
	if (!file)
		return FALSE;
	if (g_file_test(file, G_FILE_TEST_EXISTS)) {
		g_autoptr(GError) failure = NULL;
		g_autoptr(WeftJson) before = weft_record_read(file, record->id, NULL, &failure);
		/* A damaged one is replaced. One that the disk does not give may be whole: it has
		 * paths that stand nowhere else. */
		if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO)) {
			g_propagate_error(error, g_steal_pointer(&failure));
			return FALSE;
		}
		g_autoptr(GPtrArray) paths = weft_record_paths_read(before);
		for (guint i = 0; i < paths->len; i++)
			add_path(record->paths, paths->pdata[i]);
	}
	add_path(record->paths, path);

	gsize size;
	g_autofree char *text = weft_record_json(record, TRUE, &size);
	g_autoptr(WeftSearchText) found = weft_search_text_of_record(record);
	WeftKnown known;
	weft_known_of_record(record, &known);
	WeftCatalogRecord row = {
		.id = record->id,
		.status = record->status,
		.known = &known,
		.sha256 = record->sha256,
		.fingerprint = fingerprint,
		.text = found,
	};
	return leave_record_before(outputs, record->id, path, fingerprint, error) &&
	       publish(outputs, file, text, size, &row, path, status, fingerprint, error);
}

gboolean weft_outputs_has(WeftOutputs *outputs, const char *id)
{
	WeftKnown known;
	return weft_outputs_look(outputs, id, &known);
}

static gboolean names_path(const GPtrArray *paths, const char *path)
{
	for (guint i = 0; i < paths->len; i++)
		if (strcmp(paths->pdata[i], path) == 0)
			return TRUE;
	return FALSE;
}

gboolean weft_outputs_add_path(WeftOutputs *outputs, const char *id, const char *path,
			       const struct stat *status, const char *fingerprint,
			       WeftKnown *ret_known, GError **error)
{
	char hex[65];
	g_autofree char *file = file_of_id(outputs, id, error);
	g_autoptr(WeftJson) record = file ? weft_record_read(file, id, hex, error) : NULL;
	WeftCatalogRecord row;
	WeftKnown known;
	gboolean is_added;

	if (!record || !leave_record_before(outputs, id, path, fingerprint, error))
		return FALSE;
	if (!weft_record_row(record, id, &known, &row)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "%s: record without status", id);
		return FALSE;
	}
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record);
	if (names_path(paths, path)) {
		row.file_sha256 = hex;
		is_added = put_rows(outputs, file, &row, path, status, fingerprint, error);
	} else {
		add_path(paths, path);
		is_added = write_paths(outputs, file, record, &row, paths, path, status,
				       fingerprint, error);
	}
	if (is_added)
		*ret_known = known;
	return is_added;
}

GPtrArray *weft_outputs_names(const WeftOutputs *outputs, const char *folder_name,
			      const char *prefix, GError **error)
{
	g_autofree char *folder = g_build_filename(outputs->records, folder_name, NULL);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	if (g_file_test(folder, G_FILE_TEST_IS_DIR)) {
		g_autoptr(GPtrArray) names = weft_folder_names(folder, FOLDER_NAMES_MAX, error);
		if (!names)
			return NULL;
		for (guint i = 0; i < names->len; i++) {
			const char *name = names->pdata[i];
			if (g_str_has_prefix(name, prefix) && g_str_has_suffix(name, ".json") &&
			    strspn(name, "0123456789abcdef") == WEFT_HEX_BYTES)
				g_ptr_array_add(found, g_strdup(name));
		}
	}
	return g_steal_pointer(&found);
}

/* *ret_file stays NULL when nothing begins so. */
static gboolean find_prefix(const WeftOutputs *outputs, const char *hex, char **ret_file,
			    GError **error)
{
	char folder[3] = { hex[0], hex[1], '\0' };
	g_autoptr(GPtrArray) names = weft_outputs_names(outputs, folder, hex, error);
	if (!names)
		return FALSE;
	if (names->len > 1) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s: %u records begin so", hex,
			    names->len);
		return FALSE;
	}
	if (names->len == 1)
		*ret_file = g_build_filename(outputs->records, folder, names->pdata[0], NULL);
	return TRUE;
}

static char *find_path(const WeftOutputs *outputs, const char *path)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	char id[72];
	if (!outputs->catalog || (!weft_catalog_id_of_path(outputs->catalog, path, id) &&
				  !weft_catalog_id_of_path(outputs->catalog, absolute, id)))
		return NULL;
	return file_of_id(outputs, id, NULL);
}

char *weft_outputs_record_path(WeftOutputs *outputs, const char *id_or_path, GError **error)
{
	const char *hex = hex_of(id_or_path, PREFIX_BYTES_MIN);
	char *file = NULL;

	if (hex && !find_prefix(outputs, hex, &file, error))
		return NULL;
	if (!file)
		file = find_path(outputs, id_or_path);
	if (!file) {
		g_autofree char *name = weft_path_display(id_or_path);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s: no record of this id or path",
			    name);
	}
	return file;
}

/* ---- the end of a run ---- */

/* From the catalogue when the file is the one that it saw written, else from the file. */
static gboolean hash_record(WeftOutputs *outputs, const char *file, const char *name,
			    char ret_hex[65], GError **error)
{
	g_autofree char *id = g_strdup_printf("sha256:%.*s", WEFT_HEX_BYTES, name);
	struct stat status;
	guint64 size;

	if (stat(file, &status) == 0 &&
	    weft_catalog_file_sha256(outputs->catalog, id, &status, ret_hex))
		return TRUE;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: can't be opened", id);
		return FALSE;
	}
	gboolean is_good = weft_fd_sha256(fd, file, ret_hex, &size, error);
	close(fd);
	return is_good;
}

/* Temporary files of a run that was killed: nobody else writes here while we hold the lock. */
static gboolean remove_leftovers(const char *folder, GError **error)
{
	if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
		return TRUE;
	g_autoptr(GPtrArray) names = weft_folder_names(folder, FOLDER_NAMES_MAX, error);
	if (!names)
		return FALSE;
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *path = g_build_filename(folder, name, NULL);
		if (weft_file_is_temporary(name) && unlink(path) < 0) {
			g_autofree char *shown = weft_path_display(path);
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", shown,
				    g_strerror(errno));
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean list_folder(WeftOutputs *outputs, const char *folder, GString *manifest,
			    GError **error)
{
	g_autofree char *path = g_build_filename(outputs->records, folder, NULL);
	if (!remove_leftovers(path, error))
		return FALSE;
	g_autoptr(GPtrArray) names = weft_outputs_names(outputs, folder, folder, error);
	if (!names)
		return FALSE;
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *file = g_build_filename(outputs->records, folder, name, NULL);
		char hex[65];
		if (!hash_record(outputs, file, name, hex, error))
			return FALSE;
		g_string_append_printf(manifest, "%s  records/%s/%s\n", hex, folder, name);
	}
	return TRUE;
}

gboolean weft_outputs_finish(WeftOutputs *outputs, const char *summary_json, GError **error)
{
	g_autofree char *summary_path = g_build_filename(outputs->folder, "summary.json", NULL);
	g_autofree char *manifest_path = g_build_filename(outputs->folder, "manifest.sha256", NULL);
	g_autofree char *summary = g_strconcat(summary_json, "\n", NULL);
	g_autoptr(GString) manifest = g_string_new(NULL);

	if (!remove_leftovers(outputs->folder, error))
		return FALSE;
	for (int i = 0; i < 256; i++) {
		char folder[3];
		g_snprintf(folder, sizeof(folder), "%02x", i);
		if (!list_folder(outputs, folder, manifest, error))
			return FALSE;
	}
	return weft_file_write(summary_path, summary, strlen(summary), error) &&
	       weft_file_write(manifest_path, manifest->str, manifest->len, error);
}

static void listed_free(void *data)
{
	WeftListed *listed = data;

	g_free(listed->path);
	g_free(listed->id);
	g_free(listed->record_path);
	g_free(listed);
}

GPtrArray *weft_outputs_list(WeftOutputs *outputs, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(listed_free);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

	if (outputs->catalog && !weft_catalog_list(outputs->catalog, paths, ids, error))
		return NULL;
	for (guint i = 0; i < paths->len; i++) {
		WeftListed *listed = g_new0(WeftListed, 1);

		g_ptr_array_add(all, listed);
		listed->path = g_strdup(g_ptr_array_index(paths, i));
		listed->id = g_strdup(g_ptr_array_index(ids, i));
		listed->record_path = file_of_id(outputs, listed->id, error);
		if (!listed->record_path)
			return NULL;
	}
	return g_steal_pointer(&all);
}
