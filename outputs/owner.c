/* owner.c - a state folder belongs to one output folder.
 *
 * Two that shared one would take each other's rows for their own. A state folder that lies elsewhere
 * (--state) says in STATE/output which folder it belongs to: its path, and its device and inode, by
 * which one that was moved is known. When that folder is not there any more, whoever comes next has
 * the state folder, and its catalogue is made anew.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/outputs_private.h"

#define TEXT_MAX_BYTES ((gsize)64 << 10)

/* "<device>:<inode>" of a folder; NULL: there is none. Caller frees. */
static char *identity_of(const char *folder)
{
	struct stat status;

	if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode))
		return NULL;
	return g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
			       (guint64)status.st_dev, (guint64)status.st_ino);
}

static gboolean write_owner(const char *path, const char *identity, const char *folder,
			    GError **error)
{
	g_autofree char *whole = g_canonicalize_filename(folder, NULL);
	g_autofree char *text = g_strdup_printf("%s\n%s", identity, whole);

	return weft_file_write(path, text, strlen(text), error);
}

static gboolean forget_catalog(const WeftOutputs *outputs, GError **error)
{
	static const char *const ENDS[] = { "", "-wal", "-shm" };

	for (gsize i = 0; i < G_N_ELEMENTS(ENDS); i++) {
		g_autofree char *path = g_strconcat(outputs->database, ENDS[i], NULL);

		if (unlink(path) != 0 && errno != ENOENT) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", path,
				    g_strerror(errno));
			return FALSE;
		}
	}
	return TRUE;
}

gboolean weft_outputs_own_state(WeftOutputs *outputs, const char *state, GError **error)
{
	g_autofree char *above = g_path_get_dirname(state);
	g_autofree char *around = identity_of(above);
	g_autofree char *identity = identity_of(outputs->folder);
	g_autofree char *path = g_build_filename(state, "output", NULL);
	g_autofree char *text = NULL, *alive = NULL;
	gsize size_bytes;

	if (!identity || g_strcmp0(around, identity) == 0) /* OUT/state: nobody else finds it */
		return TRUE;
	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return write_owner(path, identity, outputs->folder, error);
	if (!weft_file_read(path, TEXT_MAX_BYTES, &text, &size_bytes, error))
		return FALSE;
	char *line_end = strchr(text, '\n');
	const char *folder = line_end ? line_end + 1 : "";

	if (line_end)
		*line_end = '\0';
	if (!strcmp(text, identity))
		return TRUE;
	alive = identity_of(folder);
	if (g_strcmp0(alive, text) == 0) {
		g_autofree char *shown = weft_path_display(folder);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%s belongs to the output folder %s: each needs a state folder of its own "
			    "(--state)", state, shown);
		return FALSE;
	}
	return forget_catalog(outputs, error) &&
	       write_owner(path, identity, outputs->folder, error);
}
