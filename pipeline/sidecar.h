/* sidecar.h - private: captions that lie beside a recording (beside.h), opened and read.
 *
 * They are opened as the walk opens files, hashed, and read by the jailed helper as any text is. What
 * stands in them is speech by the sidecar, in the order of time. When nothing does, a fault says so, and
 * the recording is as if they were not there. One thread at a time.
 */
#ifndef WEFT_PIPELINE_SIDECAR_H
#define WEFT_PIPELINE_SIDECAR_H

#include <glib.h>
#include <sys/stat.h>

#include "ingest/ingest.h"
#include "pipeline/walk.h"

typedef struct WeftSidecar {
	char *name;         /* in the folder of the recording */
	int fd;             /* -1: could not be opened */
	struct stat status; /* before it was hashed */
	WeftSniff sniff;
	char sha256[65];    /* "": could not be read */
	GError *failure;    /* why; or NULL */
} WeftSidecar;

/* `path`: of the recording. NULL: nothing is there by that name any more. */
WeftSidecar *weft_sidecar_open(const WeftFolder *folder, const char *path, const char *name);
void weft_sidecar_free(WeftSidecar *sidecar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSidecar, weft_sidecar_free)

/* TRUE for WebVTT and SubRip, by their bytes. */
gboolean weft_sidecar_is_type(const WeftSniff *sniff);

/* *ret_contents: WeftContent, those that the options want; NULL when no captions stand in it at all.
 * *ret_faults: GError, what is wrong with it. FALSE: WEFT_ERROR_CHANGED, or WEFT_ERROR_GONE. */
gboolean weft_sidecar_read(const WeftSidecar *sidecar, WeftIngest *ingest,
			   const WeftDecodeOptions *options, GPtrArray **ret_contents,
			   GPtrArray **ret_faults, GError **error);

#endif
