/* reading.h - what the steps of reading a schema share. Private to them.
 *
 * A value that a schema describes has to fit a *set* of things at once: the schema at its place,
 * what that refers to, the members of its allOf, what a neighbouring "properties" says of the same
 * key. So reading goes from sets to nodes:
 *
 *   1. A set as it was met (schemas, "not" schemas) is one node, made once.
 *   2. expansion.h follows $ref and allOf and chooses among anyOf, oneOf, if and the like:
 *      what comes out are cases, sets without choices in which only schemas with assertions of
 *      their own are left, each with the schemas that it may not fit (of not and oneOf).
 *   3. shape.h gathers what a case says of each type.
 *   4. exclusion.h makes sure that a shape keeps clear of what it may not fit: disjoint.h proves
 *      it, or literals that fit are dropped, or the contrary is added to the set.
 *   5. reader.c makes of each type of a shape a node; for the values inside there are new sets, so
 *      step 1 again, until no set is new. Schemas that lead to themselves become cycles.
 *   6. least.c finds for all nodes the fewest bytes, and takes out what has no text at all.
 *
 * Nothing recurses over the depth of the schema's graph: sets wait in a queue. What does recurse
 * (choices, negations, proofs) has a depth, and everything costs fuel: WEFT_READING_WORK_MAX steps,
 * WEFT_READING_CASES_MAX cases of one set.
 */
#ifndef WEFT_SCHEMA_READING_H
#define WEFT_SCHEMA_READING_H

#include "schema/clause.h"
#include "schema/lexeme.h"
#include "schema/node.h"
#include "schema/number.h"

#define WEFT_READING_WORK_MAX 500000u
#define WEFT_READING_CASES_MAX 10000u
#define WEFT_READING_DEPTH_MAX 64u      /* arrays and objects inside each other in the schema's text */
#define WEFT_READING_PROPERTIES_MAX 5000u /* of one object */
#define WEFT_READING_LITERALS_MAX 20000u  /* of one set */
#define WEFT_READING_CHOICES_MAX 64u

/* What a value has to fit. */
typedef enum {
	WEFT_ELEMENT_CLAUSE,      /* a: clause */
	WEFT_ELEMENT_ALL,         /* a: clause with all that it leads to; only for weft_value_fit */
	WEFT_ELEMENT_NOT,         /* a: clause that it may not fit; only before expansion */
	WEFT_ELEMENT_TYPES,       /* a: types */
	WEFT_ELEMENT_REQUIRE,     /* a: key that an object has */
	WEFT_ELEMENT_FORBID,      /* a: key that it has not */
	WEFT_ELEMENT_CHILD_NOT,   /* a: key whose value, if there is one, does not fit; b: clause */
	WEFT_ELEMENT_NOT_VALUES,  /* a: clause whose enum and const it is none of */
	WEFT_ELEMENT_PATTERN,     /* a: key that is the pattern which a string matches */
	WEFT_ELEMENT_NOT_PATTERN, /* a: clause whose pattern a string does not match */
	WEFT_ELEMENT_NOT_LIMIT,   /* a: clause whose bound b, a keyword, a number or a string's length breaks */
} WeftElementKind;

typedef struct WeftElement {
	guint32 kind, a, b;
} WeftElement;

typedef struct WeftKey {
	char *spelled;     /* as JSON, with quotes */
	char *text;        /* as it is meant */
	gsize size_bytes;
} WeftKey;

typedef struct WeftReferences WeftReferences;

typedef struct WeftReading {
	WeftSchemaOptions options;
	const WeftJson *root;
	WeftReferences *references;
	GHashTable *clause_of;     /* const WeftJson * -> WeftClause * */
	GPtrArray *clauses;        /* owns them */
	GHashTable *key_of;        /* spelled -> number + 1 */
	GPtrArray *keys;           /* of WeftKey */
	GHashTable *expansions;    /* set -> GPtrArray of WeftCase, for sets of one clause */
	GHashTable *shapes;        /* set -> WeftSchemaShape */
	GHashTable *slots;         /* set -> WeftNode */
	GHashTable *parts;         /* set and kind -> WeftNode */
	GHashTable *part_lexemes;  /* texts of patterns and formats -> WeftLexeme, for single checks */
	GPtrArray *texts;          /* owns patterns that were made here */
	GQueue waiting;            /* of sets whose slot is empty */
	GPtrArray *reasons;        /* beside schema->nodes: char * why it has no instances, or NULL */
	GPtrArray *places;         /* beside schema->nodes: const WeftJson * of a slot, or NULL */
	WeftLexemeMaker *maker;
	WeftJson *words[3];        /* null, false, true */
	WeftSchema *schema;
	guint n_work;
} WeftReading;

/* A schema with nothing in it, and a reading of `root` into it; weft_reading_done also after FALSE. */
WeftSchema *weft_reading_schema(void);
gboolean weft_reading_init(WeftReading *reading, WeftSchema *schema, const WeftJson *root,
			   const WeftSchemaOptions *options, GError **error);
void weft_reading_done(WeftReading *reading);

/* Of a WeftNode, whose values, lexemes and numbers belong to others. */
void weft_node_free(gpointer node);

/* FALSE: the fuel is spent (WEFT_ERROR_LIMIT). */
gboolean weft_reading_spend(WeftReading *reading, gsize n, GError **error);

/* The clause of a place in the text, made when it is first asked for. */
WeftClause *weft_reading_clause(WeftReading *reading, const WeftJson *json, GError **error);
static inline WeftClause *weft_reading_clause_at(const WeftReading *reading, guint32 index)
{
	return g_ptr_array_index(reading->clauses, index);
}
/* Appends the clause of `json` as an element. */
gboolean weft_reading_add_clause(WeftReading *reading, GArray *set, WeftElementKind kind,
				 const WeftJson *json, GError **error);

guint32 weft_reading_key(WeftReading *reading, const char *text, gsize size_bytes);
static inline const WeftKey *weft_reading_key_at(const WeftReading *reading, guint32 index)
{
	return g_ptr_array_index(reading->keys, index);
}
/* The member of an object, keys with U+0000 included; NULL: none. */
const WeftJson *weft_reading_member(const WeftJson *object, const WeftKey *key);

/* The pointer of a place in the text; caller frees. */
char *weft_reading_pointer(const WeftReading *reading, const WeftJson *json);
/* weft_clause_refuse at that place. */
gboolean weft_reading_refuse(const WeftReading *reading, const WeftClause *clause,
			     WeftKeyword keyword, const char *reason, GError **error);

GArray *weft_set_new(void);
/* As a key of hash tables: sorted, without doubles. */
GBytes *weft_set_key(const GArray *set);

/* ---- references.c ---- */

/* Walks the whole text for $id and anchors. */
WeftReferences *weft_references_new(const WeftJson *root, GError **error);
/* Of the $schema at the root: 4, 6, 7, 2019 or 2020, which is also what none means. */
guint weft_references_draft(const WeftReferences *references);
void weft_references_free(WeftReferences *references);
/* What a $ref or $dynamicRef at `from` leads to. */
const WeftJson *weft_references_find(WeftReferences *references, const WeftJson *from,
				     WeftKeyword keyword, const char *pointer, GError **error);

#endif
