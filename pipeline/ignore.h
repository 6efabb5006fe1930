/* ignore.h - private: what is left aside while folders are walked.
 *
 * Two sources: names that systems and programs make for themselves and nobody means to be read (the
 * rests of file servers, of waste bins, of office programs), and the file .weftignore of a folder.
 * Its lines are those of .gitignore:
 *
 *     *.tmp          a name without slash: in this folder and all below it
 *     /drafts        with a slash, in front or within: the path from this folder on
 *     cache/         with a slash at the end: folders alone
 *     !keep.tmp      brings back what a line before it, or a folder above, leaves aside
 *     # words        a comment; \# and \! are names that begin so
 *
 * `*`, `?` and `[...]` as in fnmatch(3); a line that begins with `**` and a slash fits at any depth.
 * `*` passes no slash, but in a line with another `**` every star does. The last line that fits
 * decides, the folder nearest to the file first; then the names. A folder that is left aside is not
 * looked into, so nothing in it can be brought back.
 */
#ifndef WEFT_PIPELINE_IGNORE_H
#define WEFT_PIPELINE_IGNORE_H

#include <glib.h>

#define WEFT_IGNORE_FILE ".weftignore"

/* The lines of one folder. */
typedef struct WeftIgnore WeftIgnore;

typedef enum {
	WEFT_IGNORE_SILENT, /* no line fits */
	WEFT_IGNORE_ASIDE,
	WEFT_IGNORE_BACK,
} WeftIgnoreVerdict;

/* Reads .weftignore of the open folder; WEFT_ERROR_LIMIT when it is larger than 1 MiB. A link is
 * not followed, lines that are longer than a path are passed over. */
WeftIgnore *weft_ignore_open(int folder_fd, GError **error);
void weft_ignore_free(WeftIgnore *ignore);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftIgnore, weft_ignore_free)

/* `path` from the folder of the lines on, without a slash in front. */
WeftIgnoreVerdict weft_ignore_judge(const WeftIgnore *ignore, const char *path, gboolean is_folder);

/* TRUE for names that nobody means to be read. */
gboolean weft_ignore_is_debris(const char *name);

#endif
