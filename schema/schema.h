/* schema.h - a JSON Schema, and the language of its instances: the door of this floor.
 *
 *     schema text --reader--> nodes --constraint--> automaton over bytes --mask--> allowed tokens
 *
 * node.h says what is left of a schema when it has been read; lexeme.h has strings as automata over
 * bytes, number.h numbers; constraint.h follows a document byte by byte; mask.h says which tokens
 * of a vocabulary may come next; verbatim.h where in a document's text a string stands; decline.h how a
 * null says why. The floor knows no model and no document format, it includes base/ only.
 *
 * What is promised: a schema that weft_schema_new takes has instances, and every text that its
 * automaton completes is one (less the reasons of nulls, where they are asked for), is I-JSON (RFC 7493), has
 * no key twice and none in another spelling.
 * What can't be promised is refused when the schema is read, never weakened: WEFT_ERROR_SCHEMA,
 *
 *     #/properties/x: keyword "not": reason; nearest supported form
 *
 * Not every instance can be written: node.h says what is decided in advance. Read as draft 2020-12;
 * `$schema` of an older draft, from 4 on, turns on that draft's spelling of the same things,
 * and up to draft 7 what stands beside $ref says nothing, as that draft has it. A keyword that is
 * younger than the draft that is named is refused: to validators it would say nothing.
 *
 * Limits are counts of work and sizes, not times, so that a schema is taken or refused in the same
 * way on every machine (WEFT_ERROR_LIMIT).
 *
 * Keywords of ours: `x-weft-verbatim` true|false at a string (the text has to stand in the
 * document), true at a number or at a string of format date (some text of the document has to mean
 * it). `x-weft-check` and `x-weft-locale` are read elsewhere, but refused here where they do not stand at
 * the root, since nobody would read them there, and so is what else begins with x-weft-. Other `x-`
 * keywords are annotations.
 */
#ifndef WEFT_SCHEMA_SCHEMA_H
#define WEFT_SCHEMA_SCHEMA_H

#include <glib.h>

#include "base/json.h"
#include "schema/decline.h"

#define WEFT_SCHEMA_BYTES_MAX (1u << 20) /* of the schema file */

typedef struct WeftSchema WeftSchema;

typedef struct WeftSchemaOptions {
	/* Strings about which the schema says no more than their length are verbatim, unless they say
	 * "x-weft-verbatim": false. */
	gboolean is_verbatim;
	/* A format that is not known is an annotation; else it is refused. */
	gboolean ignores_formats;
	/* A null may say why (decline.h): the automaton's texts are instances once the reasons are out. */
	gboolean declines;
} WeftSchemaOptions;

/* Reads a JSON Schema strictly. `options` may be NULL: all FALSE. WEFT_ERROR_CORRUPT: not JSON;
 * WEFT_ERROR_SCHEMA, WEFT_ERROR_LIMIT: see above. */
WeftSchema *weft_schema_new(const char *json, gsize size_bytes, const WeftSchemaOptions *options,
			    GError **error);
void weft_schema_free(WeftSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSchema, weft_schema_free)

/* The fewest bytes of a document that is an instance: with byte-level tokens, the least budget. */
gsize weft_schema_min_bytes(const WeftSchema *schema);

/* The schema's smallest instance with null wherever null is allowed, optional properties only where
 * they are null: the answer of a request that was never made. Caller frees. */
char *weft_schema_null_instance(const WeftSchema *schema);

/* TRUE when the text could be an answer: an instance in the layout of answers (compact, keys in the
 * order of the schema). Else *ret_byte is the first byte that may not stand there, or the size when
 * the text ends too early. Verbatim strings may be any. */
gboolean weft_schema_accepts(const WeftSchema *schema, const char *text, gsize size_bytes,
			     gsize *ret_byte);

/* JSON pointers of keywords that are neither promised nor refused, because they are not known and so
 * are annotations: in a schema written by hand perhaps misspelt ones. */
guint weft_schema_n_ignored(const WeftSchema *schema);
const char *weft_schema_ignored(const WeftSchema *schema, guint i);

/* JSON pointers, in the schema's text, of the strings that have to stand in the document. */
guint weft_schema_n_verbatim(const WeftSchema *schema);
const char *weft_schema_verbatim(const WeftSchema *schema, guint i);

/* What may stand at a place of an instance (RFC 6901, "" being the root). Where alternatives leave
 * open what stands there, each is said only if it is so in all of them. A place that no instance has:
 * all FALSE. */
typedef struct WeftSchemaPlace {
	gboolean allows_null; /* also in the place of the value that is there */
	gboolean is_verbatim; /* if a string is there, it stands in the document */
	gboolean is_verbatim_number; /* if a number is there, some text of the document means it */
} WeftSchemaPlace;
WeftSchemaPlace weft_schema_place(const WeftSchema *schema, const char *pointer);

/* What may stand at places that a path names: a pointer in which `*` stands for every key or index. */
enum {
	WEFT_SCHEMA_NUMBERS = 1,
	WEFT_SCHEMA_STRINGS = 2, /* without a format */
	WEFT_SCHEMA_DAYS = 4,    /* strings of the formats date and date-time */
	WEFT_SCHEMA_OTHERS = 8,  /* of other formats, too */
	WEFT_SCHEMA_ANYTHING = 15,
};
/* Those that some instance has there. 0: none has such a place; as far as the first *ret_n_bytes bytes of
 * the path some do. */
guint weft_schema_kinds(const WeftSchema *schema, const char *path, gsize *ret_n_bytes);
/* For messages: what may follow behind such a path, "/a, /b" or "/ *" without the space, at most so many
 * and then "..."; "" when nothing does. Caller frees. */
char *weft_schema_below(const WeftSchema *schema, const char *path, guint n_max);

/* Judges values that are there already: of records, and of answers that were put together. It reads all
 * keywords, also where weft_schema_new would refuse the schema, except unevaluated* and contains. One
 * thread at a time. */
typedef struct WeftSchemaJudge WeftSchemaJudge;

/* Errors as of weft_schema_new. */
WeftSchemaJudge *weft_schema_judge_new(const char *json, gsize size_bytes, GError **error);
void weft_schema_judge_free(WeftSchemaJudge *judge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSchemaJudge, weft_schema_judge_free)

/* TRUE: for every validator the value is no instance. FALSE: it is one, or they may differ (about a
 * format, or a pattern), or it was too much work to tell. */
gboolean weft_schema_judge_refuses(WeftSchemaJudge *judge, const WeftJson *value);

#endif
