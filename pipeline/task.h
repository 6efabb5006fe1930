/* task.h - what is asked of each document: a prompt, a schema, and how a long one is asked.
 *
 * A task is a key file, so that users write their own:
 *
 *     [task]
 *     summary=one line for lists
 *     prompt=@invoice.md             text, or @file beside the task file
 *     schema=@invoice.schema.json    without it: -s, or nothing is asked
 *     merge=fields                   or "model": the answers of windows are merged by asking again
 *     windows=all                    "ends": the first and the last only; "none": nothing is asked
 *     pictures=unread                which the model is shown: "unread" (those in which no text was
 *                                    read), "all", "none"
 *     frames=all                     of those, in a recording: "all": a window ends before its fifth;
 *                                    "even": a window holds as much time as fits, and four of its
 *                                    frames, spread over it (window.h)
 *     read=true                      false: pictures and sound are not read (nor is a fault noted)
 *     inventory=true                 all inputs are found, and their text can be searched, before the
 *                                    model is asked about the first (inventory.h); default: false
 *     answer=slides                  with windows=none: the answer comes by rule of what was read, and
 *                                    no model is asked (slides.h); needs a schema
 *     verbatim=true                  free strings have to stand in the document (schema.h); default: false
 *     declines=true                  the model is told that it may say of each null why, and may
 *                                    (schema/decline.h); default: false
 *     question=true                  needs --question
 *     answer_tokens=800              the room for one answer; without it, chosen by the context
 *     documents=many                 a file holds one document after another, and the answer has an
 *                                    element for each (node_divide.c): the default for a schema whose root
 *                                    is an array of objects; "one": it is one document
 *     begins=Invoice No;Rechnung Nr  words that stand on the first page of each; without them the model
 *                                    says where one begins
 *     adapter=invoices               the LoRA adapter that answers: one of the job's, by the name of
 *                                    its folder, or @folder beside the task file. Without it: the
 *                                    job's only one, if it has one
 *
 * Groups [type NAME] tell kinds of document apart, each with a schema of its own (task_types.h); `schema`
 * is then that of documents of no type, which are skipped without it.
 *
 * `{document}` is the only placeholder of a prompt: what stands before it is the system turn
 * (instructions; the schema is added), what stands after it follows the document.
 */
#ifndef WEFT_PIPELINE_TASK_H
#define WEFT_PIPELINE_TASK_H

#include <glib.h>

#include "base/json.h"
#include "base/usage.h"
#include "pipeline/pipeline.h"
#include "schema/schema.h"

typedef enum {
	WEFT_MERGE_FIELDS,
	WEFT_MERGE_MODEL,
} WeftMergeBy;

typedef enum {
	WEFT_WINDOWS_ALL,
	WEFT_WINDOWS_ENDS,
	WEFT_WINDOWS_NONE,
} WeftWindowsAsked;

typedef enum {
	WEFT_PICTURES_UNREAD,
	WEFT_PICTURES_ALL,
	WEFT_PICTURES_NONE,
} WeftPicturesShown;

/* What the model answers, asked where documents begin: numbers of pages. */
#define WEFT_TASK_BEGINS_SCHEMA                                                                    \
	"{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000}," \
	"\"maxItems\":500}"

typedef struct WeftTaskType {
	char *name, *about;   /* about may be NULL */
	char **words;         /* that decide, as the file has them; NULL: none */
	GPtrArray *match;     /* char *: the same, folded */
	char *system;         /* instructions and its schema */
	char *schema_text;    /* minified */
	WeftJson *schema_tree;
	WeftUsage usage; /* x-weft-locale */
	WeftSchema *schema;
} WeftTaskType;

typedef struct WeftTask {
	char *name;
	char *prompt;      /* as the task file has it; NULL when nothing is asked */
	char *system;      /* instructions and schema; NULL when nothing is asked */
	char *question;    /* behind the document, or NULL */
	char *schema_text; /* minified */
	WeftJson *schema_tree;
	WeftUsage usage; /* x-weft-locale */
	WeftSchemaOptions schema_options; /* of all of them */
	WeftSchema *schema; /* NULL also: only documents of the types are asked about */
	GPtrArray *types;   /* WeftTaskType; NULL: it tells none apart */
	char *type_system;  /* what is asked to choose one */
	WeftSchema *type_schema;
	char *element_text; /* of a file with many documents: the schema of each, minified; NULL: it is
	                     * one */
	WeftSchema *element_schema;
	WeftSchema *begins_schema; /* WEFT_TASK_BEGINS_SCHEMA */
	char **begins_words; /* on the first page of each, as the file has them; NULL: the model is asked */
	GPtrArray *begins;   /* char *: the same, folded */
	WeftMergeBy merge_by;
	WeftWindowsAsked windows;
	WeftPicturesShown pictures;
	gboolean chooses_frames; /* frames=even */
	gboolean tells_slides;   /* answer=slides */
	gboolean reads;
	gboolean inventories; /* looks at all inputs before the model is asked about the first */
	gsize answer_tokens; /* 0: not stated */
	char *adapter;       /* name of one of the job's; or NULL */
	char *adapter_path;  /* folder of its own; or NULL */
} WeftTask;

/* The task of the job. WEFT_ERROR_USAGE, _CONFIG (file and key), _SCHEMA. */
WeftTask *weft_task_open(const WeftJob *job, GError **error);
void weft_task_free(WeftTask *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTask, weft_task_free)

/* The schema of a document of this type, by its number from 1; 0: of none. NULL: such documents are not
 * asked about. */
const WeftSchema *weft_task_schema(const WeftTask *task, guint type);
WeftUsage weft_task_usage(const WeftTask *task, guint type);
const char *weft_task_schema_text(const WeftTask *task, guint type);
const WeftJson *weft_task_schema_tree(const WeftTask *task, guint type);

/* The sentence and the schema that end a system turn; `declines`: and how a null says why. */
char *weft_task_system(const char *instructions, const char *schema_text, gboolean declines);

#endif
