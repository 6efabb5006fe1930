/* manifest.c - what the end of a run leaves beside the records: summary.json and manifest.sha256.
 *
 * Folder by folder: the names of one of 256 are in memory at a time, and the manifest grows on disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/outputs_private.h"

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
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", id, g_strerror(errno));
		return FALSE;
	}
	gboolean is_good = weft_fd_sha256(fd, file, ret_hex, &size, error);
	close(fd);
	return is_good;
}

/* A temporary file of a run that was killed: nobody else writes here. */
static gboolean remove_leftover(const char *path, GError **error)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return TRUE;
	g_autofree char *shown = weft_path_display(path);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", shown, g_strerror(errno));
	return FALSE;
}

/* Removes what is temporary in the folder; `manifest` NULL, or the lines of its records are added. */
static gboolean list_folder(WeftOutputs *outputs, const char *folder, const char *name_in_manifest,
			    GString *manifest, GError **error)
{
	if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
		return TRUE;
	g_autoptr(GPtrArray) names = weft_folder_names(folder, WEFT_FOLDER_NAMES_MAX, error);
	if (!names)
		return FALSE;
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *file = g_build_filename(folder, name, NULL);
		char hex[65];

		if (weft_file_is_temporary(name)) {
			if (!remove_leftover(file, error))
				return FALSE;
		} else if (manifest && g_str_has_prefix(name, name_in_manifest) &&
			   weft_record_is_name(name)) {
			if (!hash_record(outputs, file, name, hex, error))
				return FALSE;
			outputs->n_listed++;
			g_string_append_printf(manifest, "%s  records/%s/%s\n", hex,
					       name_in_manifest, name);
		}
	}
	return TRUE;
}

static gboolean list_records(WeftOutputs *outputs, WeftNewFile *file, GError **error)
{
	g_autoptr(GString) lines = g_string_new(NULL);

	outputs->n_listed = 0;
	for (int i = 0; i < 256; i++) {
		char name[3];
		g_snprintf(name, sizeof(name), "%02x", i);
		g_autofree char *folder = g_build_filename(outputs->records, name, NULL);
		g_string_truncate(lines, 0);
		if (!list_folder(outputs, folder, name, lines, error) ||
		    !weft_new_file_write(file, lines->str, lines->len, error))
			return FALSE;
	}
	return TRUE;
}

gboolean weft_outputs_clean(WeftOutputs *outputs, GError **error)
{
	return list_folder(outputs, outputs->folder, "", NULL, error);
}

gboolean weft_outputs_clean_crops(WeftOutputs *outputs, GError **error)
{
	g_autofree char *crops = g_build_filename(outputs->folder, "crops", NULL);

	if (!g_file_test(crops, G_FILE_TEST_IS_DIR))
		return TRUE;
	g_autoptr(GPtrArray) names = weft_folder_names(crops, WEFT_FOLDER_NAMES_MAX, error);
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *folder = g_build_filename(crops, names->pdata[i], NULL);

		if (!list_folder(outputs, folder, "", NULL, error))
			return FALSE;
	}
	return names != NULL;
}

gboolean weft_outputs_write_manifest(WeftOutputs *outputs, GError **error)
{
	g_autofree char *path = g_build_filename(outputs->folder, "manifest.sha256", NULL);
	g_autoptr(WeftNewFile) file = weft_new_file_open(path, error);

	return file && list_records(outputs, file, error) && weft_new_file_publish(file, error);
}

/* A folder that was removed or moved away is made anew by the records that came after, and the ones
 * before are not in it. */
static gboolean is_still_there(const WeftOutputs *outputs, GError **error)
{
	g_autofree char *lock_path = g_build_filename(outputs->folder, "lock", NULL);
	if (weft_lock_is_at(outputs->lock, lock_path))
		return TRUE;
	g_autofree char *name = weft_path_display(outputs->folder);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO,
		    "%s: removed or moved away while this run wrote to it; run again", name);
	return FALSE;
}

gboolean weft_outputs_finish(WeftOutputs *outputs, const char *summary_json, GError **error)
{
	g_autofree char *path = g_build_filename(outputs->folder, "summary.json", NULL);
	g_autofree char *summary = g_strconcat(summary_json, "\n", NULL);
	g_autoptr(GError) failure = NULL;

	if (!weft_outputs_commit(outputs, error) || !is_still_there(outputs, error) ||
	    !weft_file_write(path, summary, strlen(summary), error))
		return FALSE;
	if (weft_outputs_is_last(outputs, &failure))
		return weft_outputs_clean(outputs, error) &&
		       weft_outputs_write_manifest(outputs, error) &&
		       weft_outputs_clean_jobs(outputs, FALSE, error);
	if (!failure)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}
