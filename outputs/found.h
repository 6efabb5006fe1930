/* found.h - part of the door of outputs: files that are known, and not yet done.
 *
 * A run that asks a model looks at all its inputs first, without one: what each file is, and the text
 * that stands in it, which can be searched from then on (search.h). Until a file has its record, a row
 * here says that it was found, under which job, and what stat(2) said, so that the next run need not
 * look again. Rows of files that have their record, or are gone when a run comes to its end, go.
 */
#ifndef WEFT_OUTPUTS_FOUND_H
#define WEFT_OUTPUTS_FOUND_H

#include <glib.h>
#include <sys/stat.h>

#include "outputs/search.h"

struct WeftOutputs;

typedef struct WeftFoundFile {
	const char *id;   /* of the record that it will have */
	const char *path;
	const struct stat *status; /* NULL: too fresh to be known again; it gets no row */
	const char *media_type;
	guint64 n_pages;
	double seconds;   /* of sound and video */
} WeftFoundFile;

/* The row and the text, in place of what was found at this path before. `text` NULL: none can be read. */
gboolean weft_outputs_put_found(struct WeftOutputs *outputs, const WeftFoundFile *file,
				const char *fingerprint, const WeftSearchText *text, GError **error);
/* TRUE when the file was found by this job as it is now. */
gboolean weft_outputs_is_found(struct WeftOutputs *outputs, const char *path,
			       const struct stat *status, const char *fingerprint);
/* Files that have no record yet, of all jobs. */
gboolean weft_outputs_count_found(struct WeftOutputs *outputs, guint64 *ret_n, GError **error);
/* The job has done all that is there: its rows go, and with those that have no record their text. */
gboolean weft_outputs_settle_found(struct WeftOutputs *outputs, const char *fingerprint,
				   GError **error);

#endif
