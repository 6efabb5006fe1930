/* task_types.h - private: the kinds of document that a task tells apart, each with a schema of its own.
 *
 *     [type invoice]
 *     about=a bill for goods or services     one line, for the model that chooses
 *     match=invoice no;amount due;Rechnung   words that decide without it; divided by ';'
 *     schema=@invoice.schema.json            text, or @file beside the task file
 *
 * A type is chosen by the first window of a document: by the first type in the order of the file of
 * which a word stands in it (base/fold.h), else by the model, which is asked for a name out of all
 * of them, or none.
 */
#ifndef WEFT_PIPELINE_TASK_TYPES_H
#define WEFT_PIPELINE_TASK_TYPES_H

#include "pipeline/task.h"

#define WEFT_TASK_TYPES_MAX 64

/* The types of the file; task->types stays NULL when it has none. WEFT_ERROR_CONFIG, _SCHEMA. */
gboolean weft_task_types_read(WeftTask *task, GKeyFile *file, const char *path, GError **error);
/* What is asked to choose one, and each one's own instructions: once the task's are known. */
void weft_task_types_ask(WeftTask *task, const char *instructions);

void weft_task_type_free(gpointer type);

/* ---- task.c, for both ---- */

/* Text of a key: as it stands, or of the @file beside the task file. *ret_text NULL: no such key. */
gboolean weft_task_text(GKeyFile *file, const char *path, const char *group, const char *key,
                        char **ret_text, GError **error);
/* Words divided by ';', as they stand and folded; both NULL and empty without the key. */
gboolean weft_task_words(GKeyFile *file, const char *path, const char *group, const char *key,
                         char ***ret_words, GPtrArray **ret_folded, GError **error);

#endif
