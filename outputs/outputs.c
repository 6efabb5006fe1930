#include "outputs/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/catalog_rows.h"
#include "outputs/outputs_private.h"
#include "outputs/record_json.h"
#include "outputs/retry.h"

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
	g_autofree char *state = weft_outputs_state_dir(outputs);
	outputs->untold = g_build_filename(state, "untold", NULL);
	outputs->claims = -1;
	outputs->gather = weft_gather_new();
	return outputs;
}

/* One that can't be believed is made anew, and that is said, unless nothing was there before. */
gboolean weft_outputs_open_catalog(WeftOutputs *outputs, GError **error)
{
	g_autoptr(GError) failure = NULL;
	WeftRebuilt rebuilt;

	outputs->catalog = weft_catalog_open(outputs->database, FALSE, &failure);
	if (outputs->catalog)
		return TRUE;
	gboolean can_mend = g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_CORRUPT) ||
			    g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED) ||
			    g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_EMPTY);
	if (!can_mend || !outputs->is_alone) {
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

WeftOutputs *weft_outputs_open(const char *out_dir, const char *state_dir, WeftOutputsMode mode,
			       GError **error)
{
	g_autoptr(WeftOutputs) outputs = new_outputs(out_dir, state_dir);

	return weft_outputs_begin(outputs, mode, error) ? g_steal_pointer(&outputs) : NULL;
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

char *weft_outputs_state_dir(const WeftOutputs *outputs)
{
	return g_path_get_dirname(outputs->database);
}

const char *weft_outputs_note(const WeftOutputs *outputs)
{
	return outputs->note;
}

void weft_outputs_close(WeftOutputs *outputs)
{
	if (!outputs)
		return;
	weft_commit_free(outputs->open);
	weft_gather_free(outputs->gather);
	weft_catalog_close(outputs->catalog);
	weft_lock_close(outputs->lock);
	if (outputs->claims >= 0)
		close(outputs->claims);
	g_free(outputs->job);
	g_free(outputs->untold);
	g_free(outputs->publish_lock);
	g_free(outputs->gate_lock);
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

char *weft_outputs_file_of_id(const WeftOutputs *outputs, const char *id, GError **error)
{
	const char *hex = hex_of(id, WEFT_HEX_BYTES);
	if (!hex) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s: not the id of a record", id);
		return NULL;
	}
	return file_of_hex(outputs, hex);
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

/* ---- verbs ---- */

const WeftCommitEntry *weft_outputs_waiting(const WeftOutputs *outputs, const char *id)
{
	const WeftCommitEntry *entry = weft_commit_find(outputs->open, id);
	return entry ? entry : weft_commit_find(outputs->taken, id);
}

/* A path is asked for before its document comes, so nothing that waits knows it. */
gboolean weft_outputs_is_unchanged(WeftOutputs *outputs, const char *path,
				   const struct stat *status, const char *fingerprint,
				   WeftKnown *ret_known)
{
	WeftKnown known;
	if (!outputs->catalog || !weft_catalog_is_unchanged(outputs->catalog, path, status,
							    fingerprint, &known))
		return FALSE;
	g_autofree char *file = weft_outputs_file_of_id(outputs, known.id, NULL);
	if (!file || access(file, F_OK) < 0)
		return FALSE;
	*ret_known = known;
	return TRUE;
}

gboolean weft_outputs_look(WeftOutputs *outputs, const char *id, WeftKnown *ret_known)
{
	const WeftCommitEntry *waiting = weft_outputs_waiting(outputs, id);
	g_autofree char *file = weft_outputs_file_of_id(outputs, id, NULL);
	if (waiting && !waiting->is_removed)
		*ret_known = waiting->known;
	if (waiting || !file)
		return waiting && !waiting->is_removed;
	g_autoptr(WeftRecordFile) record = weft_record_file_open(file, id, NULL, NULL, NULL);
	WeftCatalogRecord row;
	return record && weft_record_row(record->head, id, ret_known, &row);
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

gboolean weft_outputs_count_paths(WeftOutputs *outputs, const char *id, guint64 *ret_n,
				  GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	if (outputs->catalog && !weft_catalog_paths_of(outputs->catalog, id, paths, error))
		return FALSE;
	*ret_n = paths->len;
	return TRUE;
}

gboolean weft_outputs_has_seen(WeftOutputs *outputs, const char *path, const char *fingerprint)
{
	return outputs->catalog && weft_catalog_has_source(outputs->catalog, path, fingerprint);
}

gboolean weft_outputs_knows_folder(WeftOutputs *outputs, const char *folder)
{
	return outputs->catalog && weft_catalog_has_beneath(outputs->catalog, folder);
}

/* The catalogue saw a file written that is still there as it was, or the file is read. */
gboolean weft_outputs_has(WeftOutputs *outputs, const char *id)
{
	g_autofree char *file = weft_outputs_file_of_id(outputs, id, NULL);
	struct stat status;
	char hex[65];
	WeftKnown known;
	if (!weft_outputs_waiting(outputs, id) && file && outputs->catalog &&
	    stat(file, &status) == 0 &&
	    weft_catalog_file_sha256(outputs->catalog, id, &status, hex))
		return TRUE;
	return weft_outputs_look(outputs, id, &known);
}

gboolean weft_record_is_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == WEFT_HEX_BYTES &&
	       strcmp(name + WEFT_HEX_BYTES, ".json") == 0;
}

GPtrArray *weft_outputs_names(const WeftOutputs *outputs, const char *folder_name,
			      const char *prefix, GError **error)
{
	g_autofree char *folder = g_build_filename(outputs->records, folder_name, NULL);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	if (g_file_test(folder, G_FILE_TEST_IS_DIR)) {
		g_autoptr(GPtrArray) names = weft_folder_names(folder, WEFT_FOLDER_NAMES_MAX, error);
		if (!names)
			return NULL;
		for (guint i = 0; i < names->len; i++) {
			const char *name = names->pdata[i];
			if (g_str_has_prefix(name, prefix) && weft_record_is_name(name))
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
	return weft_outputs_file_of_id(outputs, id, NULL);
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

static void listed_free(void *data)
{
	WeftListed *listed = data;

	g_free(listed->path);
	g_free(listed->id);
	g_free(listed->record_path);
	g_free(listed);
}

/* Without it the paths are not known, and saying that there are none would be a lie. */
static gboolean has_catalog(const WeftOutputs *outputs, GError **error)
{
	g_autofree char *folder = NULL;

	if (outputs->catalog)
		return TRUE;
	folder = weft_path_display(outputs->folder);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY,
		    "%s: no catalogue: the next run, or weft rebuild-index, makes it from the records",
		    folder);
	return FALSE;
}

GPtrArray *weft_outputs_list(WeftOutputs *outputs, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(listed_free);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

	if (!has_catalog(outputs, error) ||
	    !weft_catalog_list(outputs->catalog, paths, ids, error))
		return NULL;
	for (guint i = 0; i < paths->len; i++) {
		WeftListed *listed = g_new0(WeftListed, 1);

		g_ptr_array_add(all, listed);
		listed->path = g_strdup(g_ptr_array_index(paths, i));
		listed->id = g_strdup(g_ptr_array_index(ids, i));
		listed->record_path = weft_outputs_file_of_id(outputs, listed->id, error);
		if (!listed->record_path)
			return NULL;
	}
	return g_steal_pointer(&all);
}

void weft_document_row_free(WeftDocumentRow *row)
{
	if (!row)
		return;
	g_free(row->path);
	g_free(row->record_path);
	g_free(row->fingerprint);
	g_free(row);
}

gboolean weft_outputs_next_document(WeftOutputs *outputs, const char *after,
				    WeftDocumentRow **ret_row, GError **error)
{
	g_autoptr(WeftDocumentRow) row = g_new0(WeftDocumentRow, 1);

	if (!has_catalog(outputs, error) ||
	    !weft_catalog_next_document(outputs->catalog, after, &row->path, row->id, &row->fingerprint,
					error))
		return FALSE;
	if (!row->path) {
		*ret_row = NULL;
		return TRUE;
	}
	row->record_path = weft_outputs_file_of_id(outputs, row->id, error);
	if (!row->record_path)
		return FALSE;
	*ret_row = g_steal_pointer(&row);
	return TRUE;
}
