/* corrections.h - part of the door of outputs: what people say about answers.
 *
 * A table (CSV, outputs/csv.h) with the columns id, pointer, value, who, when, kept by people beside
 * the records, which are never edited:
 *
 *     id,pointer,value,who,when
 *     sha256:00ab...,/total,1240.50,anna,2026-11-21
 *     sha256:00ab...,/seller/name,"""Müller & Co.""",anna,2026-11-21
 *
 * id is the whole id of a record, with or without "sha256:"; pointer a JSON pointer into its answer;
 * value JSON. A value that is the answer's own confirms it. Of two lines about one place the later
 * counts. The first line may be the heading; semicolons or tabs may stand where commas do, and rows of
 * empty cells mean nothing. A line that can't be used is told, with its number, and the others count.
 */
#ifndef WEFT_OUTPUTS_CORRECTIONS_H
#define WEFT_OUTPUTS_CORRECTIONS_H

#include <glib.h>

#include "base/json.h"

typedef struct WeftCorrection {
	char *pointer;
	char *value;      /* JSON text, compact */
	char *who, *when; /* as they stand there, "" where nothing does */
	guint64 line;
} WeftCorrection;

typedef struct WeftCorrections WeftCorrections;

/* Lines that can't be used are appended to `bad` (char *, "FILE: line 7: why", which may have
 * control characters of the file). WEFT_ERROR_IO, WEFT_ERROR_LIMIT. */
WeftCorrections *weft_corrections_read(const char *path, GPtrArray *bad, GError **error);
/* The same of a text; `name` is for messages. */
WeftCorrections *weft_corrections_parse(const char *name, const char *text, gsize size_bytes,
					GPtrArray *bad);
/* None. */
WeftCorrections *weft_corrections_new(void);
void weft_corrections_free(WeftCorrections *corrections);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftCorrections, weft_corrections_free)

guint weft_corrections_count(const WeftCorrections *corrections);
/* WeftCorrection of the record, in the order of their lines; NULL: none. Borrowed. */
const GPtrArray *weft_corrections_of(const WeftCorrections *corrections, const char *id);
/* Ids (const char *, "sha256:...") of records that have some, sorted. Caller unrefs. */
GPtrArray *weft_corrections_ids(const WeftCorrections *corrections);

/* TRUE when both are the same value: numbers by their worth, members in any order. */
gboolean weft_json_is_equal(const WeftJson *a, const WeftJson *b);

/* The record with its corrections: in "answer" stands what people say, and a member "corrections" says of each
 * pointer who said so and when, whether that confirms the answer, and what the answer "was":
 *
 *     "corrections": {"/total": {"confirms": false, "was": 1240, "who": "anna", "when": "2026-11-21"}}
 *
 * The same tree where there are none. A place that the answer has not is told in `bad`. Caller frees
 * the result; NULL on error, the record is gone then, too. */
WeftJson *weft_corrections_apply(const WeftCorrections *corrections, WeftJson *take_record,
				 GPtrArray *bad, GError **error);

#endif
