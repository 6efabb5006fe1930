/* kept_job.h - part of the door of outputs: the jobs that made the records, kept beside them.
 *
 * OUT/jobs/<fingerprint>/ has the job as a job file (job) that names a task file beside it
 * (NAME.task) and the schema of its answers (schema.json; of those about documents of a type, NAME.type.json): all that the fingerprint depends on, but
 * for models, of which it has the paths. So a record can be checked against its schema and its
 * document done again when the files that the job came from have changed. No secrets are kept: of
 * passwords only where their file is. A job is kept while a record of it is there; they are as many
 * as there are jobs with records, and a few more.
 *
 * What is read back may be anybody's. Errors: WEFT_ERROR_IO.
 */
#ifndef WEFT_OUTPUTS_KEPT_JOB_H
#define WEFT_OUTPUTS_KEPT_JOB_H

#include <glib.h>

struct WeftOutputs;

/* Texts of the files, and the name of the task file without its end; `schema` NULL: none. */
typedef struct WeftKeptJob {
	const char *job, *task_name, *task, *schema;
	const char *const *types; /* name, schema, name, schema, ..., NULL; or NULL: there are none */
} WeftKeptJob;

/* Writes what is not there yet, or is another: the job file last. */
gboolean weft_outputs_keep_job(struct WeftOutputs *outputs, const char *fingerprint,
			       const WeftKeptJob *job, GError **error);
/* The path of its job file; NULL: it is not kept, or `fingerprint` is none. Caller frees. */
char *weft_outputs_job_file(const struct WeftOutputs *outputs, const char *fingerprint);
/* The text of its schema, or of that for documents of `type` (NULL: of none); NULL without an error: it
 * has none, or is not kept. Caller frees. */
char *weft_outputs_job_schema(const struct WeftOutputs *outputs, const char *fingerprint,
			      const char *type, GError **error);
/* The names of its types (char *, sorted, with a free function); empty: it has none, or is not kept. */
GPtrArray *weft_outputs_job_types(const struct WeftOutputs *outputs, const char *fingerprint);

#endif
