/* tidy.c - what weft gc takes away: records of documents that are gone, files of killed runs.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/catalog_rows.h"
#include "outputs/outputs_private.h"

gboolean weft_outputs_next_gone(WeftOutputs *outputs, const char *after, WeftGone *ret_gone,
				GError **error)
{
	*ret_gone = (WeftGone){ .id = "" };
	return !outputs->catalog || weft_catalog_next_gone(outputs->catalog, after, ret_gone->id,
							   &ret_gone->path, error);
}

/* Names in a folder of crops: a few for each value of an answer. */
#define CROPS_MAX ((gsize)1 << 20)
/* Digits of the id: enough that no other record has them. */
#define CROPS_NAME_BYTES 16

char *weft_outputs_crops_dir(const WeftOutputs *outputs, const char *id, GError **error)
{
	g_autofree char *file = weft_outputs_file_of_id(outputs, id, error); /* a record's id may be anything */

	if (!file)
		return NULL;
	g_autofree char *name = g_strndup(id + strlen("sha256:"), CROPS_NAME_BYTES);
	return g_build_filename(outputs->folder, "crops", name, NULL);
}

static gboolean erase_crops(const WeftOutputs *outputs, const char *id, GError **error)
{
	g_autofree char *folder = weft_outputs_crops_dir(outputs, id, error);

	if (!folder)
		return FALSE;
	if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
		return TRUE;
	g_autoptr(GPtrArray) names = weft_folder_names(folder, CROPS_MAX, error);
	if (!names)
		return FALSE;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);

		(void)unlink(path); /* where it stays, the folder does, and that is told */
	}
	if (rmdir(folder) == 0 || errno == ENOENT)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", folder, g_strerror(errno));
	return FALSE;
}

gboolean weft_outputs_erase(WeftOutputs *outputs, const char *id, GError **error)
{
	g_autofree char *file = weft_outputs_file_of_id(outputs, id, error);

	if (!file || !erase_crops(outputs, id, error))
		return FALSE;
	/* The file first: rows without a file are looked up again, a file without rows would be taken
	 * for a record. */
	if (unlink(file) < 0 && errno != ENOENT) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", id, g_strerror(errno));
		return FALSE;
	}
	g_autofree char *folder = g_path_get_dirname(file);
	return (access(folder, F_OK) < 0 || weft_folder_sync(folder, error)) &&
	       weft_catalog_erase(outputs->catalog, id, error) &&
	       weft_outputs_forget_untold(outputs, id, error);
}

gboolean weft_outputs_tidy(WeftOutputs *outputs, gboolean forgets_gone, GError **error)
{
	if (forgets_gone && !weft_catalog_forget_gone(outputs->catalog, error))
		return FALSE;
	if (!weft_outputs_clean(outputs, error) || !weft_outputs_clean_crops(outputs, error) ||
	    !weft_outputs_write_manifest(outputs, error) ||
	    !weft_outputs_clean_jobs(outputs, TRUE, error))
		return FALSE;
	weft_catalog_shrink(outputs->catalog);
	return TRUE;
}
