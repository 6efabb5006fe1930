/* record.h - the product of outputs: the result of one document.
 *
 * The pipeline fills it while the document passes, part by part; weft_record_json writes it in one
 * fixed order of keys, so that the same facts are the same bytes. All that may differ between two
 * runs over the same bytes lies in `run`.
 */
#ifndef WEFT_OUTPUTS_RECORD_H
#define WEFT_OUTPUTS_RECORD_H

#include <glib.h>

#include "base/content.h"
#include "base/json.h"
#include "base/usage.h"
#include "model/answer.h"
#include "outputs/agreement.h"

#define WEFT_RECORD_VERSION 1

typedef enum {
	WEFT_STATUS_OK,
	WEFT_STATUS_PARTIAL,
	WEFT_STATUS_FAILED,
	WEFT_STATUS_SKIPPED,
} WeftStatus;

typedef struct WeftFault {
	char *stage;     /* "open", "sniff", "decode", "read", "answer", ... */
	int code;        /* WeftErrorCode */
	char *message;   /* without times, pids, addresses */
	WeftAnchor at;
} WeftFault;

/* One of several inputs that are one document together. */
typedef struct WeftRecordPart {
	guint32 n;           /* from 1; WeftAnchor.document names it */
	char *name;          /* its path from the folder on that all lie in, bytes */
	char *sha256;        /* NULL when it could not be read */
	guint64 size_bytes;
	char *media_type;    /* or NULL */
	char *sidecar_name;  /* of its captions, as `name`; NULL: it has none */
	char *sidecar_sha256;
} WeftRecordPart;

typedef struct WeftPage {
	guint32 document;    /* as in an anchor; of those below, too */
	guint32 n;
	double width, height;
	int rotation;
	double ink;          /* negative: not measured */
	char *status;        /* "done" | "blank" | "failed" | "skipped" | "not_read" */
} WeftPage;

typedef struct WeftTrack {
	guint32 document;
	guint32 n;
	char *kind, *language;  /* language may be NULL */
	double seconds;         /* negative: not known */
} WeftTrack;

typedef struct WeftOutlineEntry {
	guint32 document;
	char *title;
	guint level;
	guint32 page;           /* 0: not known */
} WeftOutlineEntry;

typedef struct WeftEmbedded {
	guint32 document;
	char *name;
	guint64 size_bytes;     /* G_MAXUINT64: the document does not say */
} WeftEmbedded;

typedef enum {
	WEFT_PROVENANCE_COPIED,  /* nothing else than what stands in the document could be written */
	WEFT_PROVENANCE_DERIVED, /* a number or a day that the quote means */
	WEFT_PROVENANCE_POINTED,
	WEFT_PROVENANCE_MATCHED, /* found afterwards */
	WEFT_PROVENANCE_NONE,
} WeftProvenanceKind;

typedef struct WeftProvenance {
	char *pointer;          /* JSON pointer into the answer */
	WeftProvenanceKind kind;
	guint32 content;        /* index into contents; G_MAXUINT32: none */
	guint32 char_first, char_end;
	char *quote;            /* or NULL */
	char **readings;        /* all that the quote may mean, where that is more than one thing; NULL */
	guint32 n_occurrences;  /* COPIED: places of the window where it stands; 0: not counted */
	guint32 window;         /* whose answer gave the value, from 1; 0: not known */
	WeftAnchor at;
	GArray *boxes;          /* four doubles for each line that the quote stands on; NULL: one, or none known */
	double reading;         /* 0..1: how sure the reader of the content was; 1: it stands in the file */
	double confidence;      /* of the value, the reading counted; negative: not known */
	double attention;       /* POINTED: 0..1 of what the model looked at; 0: its time points there */
	double patch;           /* POINTED in a picture: how wide a patch is there, in units of `at` */
	char *read;             /* POINTED: what the place says, read alone; NULL: nobody has read it */
	gboolean is_confirmed;  /* the value stands in it */
} WeftProvenance;

/* A piece of the document about which one request was made. */
typedef struct WeftWindowFacts {
	guint32 n;              /* from 1 */
	gboolean is_asked;      /* FALSE: the task asks about the first and the last only */
	WeftAnchor from, to;    /* the places of its first and last part; none: it has no place */
	guint32 content_first, content_last; /* indices into contents; G_MAXUINT32: of none */
	guint64 n_tokens;       /* of its parts */
	guint32 n_pictures, n_left_out; /* shown; and frames that it had no room for */
	guint32 element;        /* of a file with many documents the one that it is of, from 1; 0: it is not
				 * such a file */
} WeftWindowFacts;

/* Which of the task's types the document is taken for, and by whom. */
typedef struct WeftTypeFacts {
	char *name;             /* NULL: none of them */
	gboolean is_by_rule;    /* a word of the task's stands in it; else the model chose */
	char *word;             /* by rule: that word */
	guint32 content;        /* by rule: the item in which it stands; else G_MAXUINT32 */
	double confidence;      /* of the model; negative: not known */
	char *reason;           /* why none, where nobody chose; or NULL */
} WeftTypeFacts;

WeftTypeFacts *weft_type_facts_new(void);
void weft_type_facts_free(WeftTypeFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTypeFacts, weft_type_facts_free)

typedef struct WeftAbsent {
	char *pointer;
	const char *reason;     /* "absent" | "unreadable" | "not_examined" | "ambiguous" */
} WeftAbsent;

typedef struct WeftLedger {
	guint64 in, done, failed, skipped;
} WeftLedger;

/* What a guard was asked about: the document, or the answer. */
typedef enum {
	WEFT_CHECK_INPUT,
	WEFT_CHECK_OUTPUT,
	WEFT_N_CHECKS,
} WeftCheck;

typedef struct WeftChecked {
	gboolean is_made;       /* FALSE: nothing was asked */
	WeftVerdict verdict;    /* joined over the windows */
	guint32 n_windows;      /* that the guard was asked about */
} WeftChecked;

typedef struct WeftSafety {
	char *model_name, *model_id; /* of the guard */
	WeftChecked checks[WEFT_N_CHECKS];
} WeftSafety;

typedef struct WeftRecord {
	char *id;               /* "sha256:<64 hex>" */
	char *sha256;           /* of the content, 64 hex; NULL when it could not be read; of parts: of a
				 * line for each, with its own */
	guint64 size_bytes;
	char *media_type;
	char *sidecar_path;     /* of the captions of a recording; NULL: it has none beside it */
	char *sidecar_sha256;   /* 64 hex; NULL when they could not be read */
	GPtrArray *paths;       /* char *, bytes as the file system has them */
	GArray *parts;          /* WeftRecordPart; empty: the document is one input */
	WeftStatus status;      /* set by weft_record_settle from faults and contents */
	GArray *faults;         /* WeftFault */
	GArray *pages;          /* WeftPage */
	GArray *tracks;         /* WeftTrack */
	GPtrArray *metadata;    /* char *: key, value, key, value ... as the file states it */
	GArray *outline;        /* WeftOutlineEntry */
	GArray *embedded;       /* WeftEmbedded */
	GPtrArray *contents;    /* WeftContent; hidden ones are written under "hidden" */
	WeftSpill *spill;       /* where text and words of contents may lie; NULL: in none */
	char *answer;           /* JSON text, or NULL */
	GArray *absent;         /* WeftAbsent */
	GArray *agreements;     /* WeftAgreement: "checks" */
	GArray *provenance;     /* WeftProvenance */
	WeftTypeFacts *type;    /* NULL: the task tells no types apart */
	GArray *windows;        /* WeftWindowFacts */
	GArray *elements;       /* guint32: of which document of the file each item of the answer is; NULL: the
				 * file is one document */
	GHashTable *value_windows; /* pointer into the answer (char *) -> GUINT_TO_POINTER(window) */
	GHashTable *value_pointed; /* the same -> WeftPointed * */
	char *model_name, *model_id, *model_type;  /* NULL when no model was asked */
	char *adapter, *adapter_id;  /* name and id of the one that answered; NULL: none */
	guint64 n_text, n_patch, n_audio, n_generated;
	WeftSafety *safety;     /* NULL: a run without guard */
	WeftLedger page_ledger, second_ledger, window_ledger;
	GPtrArray *run;         /* char *: key, JSON text, key, JSON text ... what may differ */
} WeftRecord;

WeftRecord *weft_record_new(void);
void weft_record_free(WeftRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftRecord, weft_record_free)

/* Copies all strings. `at` may be NULL: the document. */
void weft_record_add_fault(WeftRecord *record, const char *stage, const GError *fault,
			   const WeftAnchor *at);

/* A run with this guard: `safety` is there. */
void weft_record_set_guard(WeftRecord *record, const char *name, const char *id);
/* One more verdict, about `n_windows` (0: about something that the guard could not be shown). The
 * worst counts: unsafe, then none, then safe; categories are joined, of scores the highest and of
 * reasons the first is kept. Only after weft_record_set_guard. */
void weft_record_add_verdict(WeftRecord *record, WeftCheck check, const WeftVerdict *verdict,
			     guint32 n_windows);

/* Decides `status`: no fault: ok; a fault, and neither content nor answer: failed, unless there are
 * pages or tracks and limits are the only faults; else partial. SKIPPED stays. */
void weft_record_settle(WeftRecord *record);

typedef struct WeftSchema WeftSchema; /* schema/schema.h */

typedef struct WeftTraceRules {
	const char *reason_of_null; /* static: of each null that has none yet */
	GHashTable *reasons;        /* pointer -> static reason of the null there, before that; or NULL */
	const WeftSchema *schema;   /* of the answer; NULL: no string is verbatim, nothing becomes null */
	WeftUsage usage;            /* what the schema's locale says; {0}: the document decides */
} WeftTraceRules;

/* For each scalar of the answer that has no evidence yet: finds it in the contents and notes where.
 * A verbatim string (schema) is COPIED: it stands there as outputs/standing.h reads texts, at word
 * ends; of several places the one behind the verbatim value before it. A number, or a day
 * (2024-03-12), is DERIVED from what means it ("1.240,00", "12. March 2024"); where that may mean
 * another one as well, the value becomes null with the reason "ambiguous", if the schema allows it, and
 * the evidence tells both readings. Other strings are MATCHED: at word ends, else inside a
 * word. What spans several items has evidence in each. The first place counts; in a list that names a
 * value again, the next one; a value of a known window is looked for there first. A time as a
 * request tells it ("00:12:34") points to what begins in its block (POINTED). What stands nowhere is
 * POINTED, too, when the model looked at a picture or at sound, else NONE. Hidden content is no evidence. FALSE when the answer is not JSON. */
gboolean weft_record_trace(WeftRecord *record, const WeftTraceRules *rules, GError **error);

/* The string or number stands in this text, by the rules for MATCHED and DERIVED. */
gboolean weft_value_stands_in(const WeftJson *value, const char *text);

/* The record as one line of JSON without newline, as outputs/record.schema.json says. An answer
 * that is not JSON (a request without a schema) is written as a string. Paths are sorted. `with_run`
 * FALSE leaves `run` out. `ret_size_bytes` may be NULL. Caller frees. */
char *weft_record_json(const WeftRecord *record, gboolean with_run, gsize *ret_size_bytes);
/* The same with `run`, to be handed on in pieces (base/json.h); the words of its contents are freed as
 * they are written. */
void weft_record_take(WeftRecord *record, WeftJsonWriter *writer);

#endif
