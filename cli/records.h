/* records.h - the records that a verb works on, one by one: those that are named, or all of an output
 * folder in the order of their documents' paths, each once. Nothing grows with their number.
 *
 * Beside them what people keep about answers: corrections, and the calibration that was made of them.
 */
#ifndef WEFT_CLI_RECORDS_H
#define WEFT_CLI_RECORDS_H

#include <glib.h>

#include "outputs/outputs.h"

typedef struct WeftRecords {
	WeftOutputs *outputs; /* borrowed, as are the names */
	char **names;         /* IDs and paths; NULL: all */
	gsize n_given;
	char *after;
} WeftRecords;

void weft_records_init(WeftRecords *records, WeftOutputs *outputs, char **names);
void weft_records_done(WeftRecords *records);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftRecords, weft_records_done)
/* The file of the next record; *ret_path NULL at the end. *ret_fingerprint, of its job, may be NULL: not
 * known without reading the record. Caller frees both. */
gboolean weft_records_next(WeftRecords *records, char **ret_path, char **ret_fingerprint,
			   GError **error);

/* Takes a schema of answers. FALSE: no more of them. */
typedef gboolean (*WeftTakeSchema)(gpointer data, const char *schema, gboolean is_of_type,
				   GError **error);
/* Those of all jobs that made these records, as they are kept beside them, each job's once: first those
 * for its types of documents. A job that is not kept is told on stderr. */
gboolean weft_records_schemas(WeftOutputs *outputs, char **names, const char *verb,
			      WeftTakeSchema take, gpointer data, GError **error);

typedef struct WeftSaid {
	WeftCorrections *corrections; /* maybe none */
	WeftCalibration *calibration; /* NULL: none */
} WeftSaid;

/* From `file` (NULL: OUT/corrections.csv, where it is) and OUT/calibration.json. Lines that can't be used
 * go to stderr as "weft VERB: ...". */
gboolean weft_said_read(WeftSaid *said, const char *verb, const char *out, const char *file,
			GError **error);
/* The corrections alone. */
gboolean weft_said_corrections(WeftSaid *said, const char *verb, const char *file, GError **error);
void weft_said_done(WeftSaid *said);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftSaid, weft_said_done)

/* The record with its corrections; of those that fit nowhere stderr tells. NULL on error. */
WeftJson *weft_said_apply(WeftSaid *said, const char *verb, WeftJson *take_record, GError **error);

#endif
