/* node.h - what a JSON Schema leaves of the JSON values, as a graph that an automaton can follow.
 *
 * The reader (reader.h) makes the graph, constraint.h walks it byte by byte. It is the last place
 * where anybody knows keywords: references are followed, allOf is merged, alternatives that no
 * value has are gone, and what generation decides by itself is decided.
 *
 * Soundness is absolute, completeness is not. Every text that the graph describes is an instance
 * of the schema; some instances have no text: the layout is compact, keys come in the order of
 * `properties`, each key and each literal has one spelling, undeclared keys are never written
 * where `properties` is given, a map ends at WEFT_SCHEMA_KEYS_MAX keys. So whoever walks may also
 * refuse more than the graph does (drop a branch, stop at a depth), as long as one way remains.
 *
 * Kinds. Each node has one:
 *   LITERALS   one of `literals`: the values of enum and const, true, false, null. Compact JSON
 *              of any value, no two of the same value, sorted by bytes, at least one. One may be
 *              the beginning of another (1, 12). Beside null may stand nulls with a reason (decline.h).
 *   STRING     `lexeme` gives the text between the quotes, as it is spelled in JSON; NULL: any text of
 *              length_min to length_max code points. With a lexeme both stand for information
 *              only: it has been cut to them.
 *   NUMBER     `numbers`, never NULL.
 *   ARRAY      n_min to n_max items: the first ones are prefix[0..], all others `items`, which is NULL
 *              where n_max says that there are no others. is_unique: `items` is LITERALS, n_max is
 *              at most their number, and none of them may come twice; the prefix is not concerned.
 *              items_differ: `items` is a STRING, n_min is at most one more than the prefix, and n_max at
 *              most WEFT_SCHEMA_KEYS_MAX; no two of the items behind the prefix are equal.
 *   OBJECT     `properties` in this order: the required ones, and n_optional_min to n_optional_max of the
 *              others. Keys differ. May be without properties: {}.
 *   MAP        n_min to n_max members, n_max at most WEFT_SCHEMA_KEYS_MAX: a key that `keys` (a STRING node,
 *              never verbatim) gives and that was not there yet, and a value of `items`. Where
 *              keys->lexeme is set, n_min is at most 1. Two keys are equal when their text is:
 *              whoever allows more than one spelling of a character has to compare what it means.
 *   BRANCHES   an instance of at least one of `branches`: 2 to WEFT_SCHEMA_BRANCHES_MAX nodes, none of which is
 *              BRANCHES itself. They may overlap and are followed side by side.
 *
 * Nodes are shared ($ref) and the graph has cycles. A cycle always leads through an ARRAY, OBJECT
 * or MAP, so a walk that enters a value has read a byte. Nothing but `literals`, `lexeme`,
 * `numbers`, `keys`, `items`, `prefix`, `properties`, `branches` of the node's own kind is set.
 *
 * The least. least.bytes is the length of a shortest text of the node, least.height how many
 * containers are open at the same time while that text is written (0: none; `[]` is 1). Every node of
 * a finished schema has a finite least; a property, branch or item without one was taken out by
 * the reader, or the schema was refused. The rule for depth: a value is begun only where
 * depth + least.height <= WEFT_SCHEMA_DEPTH_MAX, depth being the number of containers open before
 * it; and an optional property is passed over only where depth + the tail's height does not exceed
 * it either. The root fits, and then a way to the end always remains.
 *
 * A verbatim string (is_verbatim) has to stand in the document, which may have none that fits. Where
 * length and lexeme take `""`, which stands in every text, that is its least; else it has none (bytes is
 * G_MAXSIZE) and is a branch beside null, which is counted on. A verbatim NUMBER, or STRING with the
 * format date, has to be what some span of the document means (verbatim.h); it has no least either.
 *
 * Threads: the graph does not change once weft_schema_new has given it, and neither do the lexemes.
 */
#ifndef WEFT_SCHEMA_NODE_H
#define WEFT_SCHEMA_NODE_H

#include <glib.h>

#include "schema/schema.h"

#define WEFT_SCHEMA_UNLIMITED G_MAXUINT32    /* no maxItems, no maxLength */
#define WEFT_SCHEMA_DEPTH_MAX 256            /* containers open at once in an instance */
#define WEFT_SCHEMA_BRANCHES_MAX 64
#define WEFT_SCHEMA_KEYS_MAX 256             /* members of a map */
#define WEFT_SCHEMA_NODES_MAX 20000u
#define WEFT_SCHEMA_LEAST_BYTES_MAX (1u << 20) /* of the root's shortest text */

typedef struct WeftLexeme WeftLexeme;   /* lexeme.h */
typedef struct WeftNumbers WeftNumbers; /* number.h */
typedef struct WeftNode WeftNode;

typedef enum {
	WEFT_NODE_LITERALS,
	WEFT_NODE_STRING,
	WEFT_NODE_NUMBER,
	WEFT_NODE_ARRAY,
	WEFT_NODE_OBJECT,
	WEFT_NODE_MAP,
	WEFT_NODE_BRANCHES,
} WeftNodeKind;

typedef struct WeftLeast {
	gsize bytes;  /* G_MAXSIZE: no text at all (only while the schema is read) */
	guint height;
} WeftLeast;

typedef struct WeftProperty {
	char *key;          /* `"key":`, as it is written */
	gsize key_bytes;
	const WeftNode *node;
	gboolean is_required;
} WeftProperty;

struct WeftNode {
	WeftNodeKind kind;
	guint id;                   /* its place in WeftSchema.nodes: a key for caches */
	WeftLeast least;

	GPtrArray *literals;        /* of char * */

	WeftLexeme *lexeme;
	guint32 length_min, length_max; /* code points */
	gboolean is_verbatim;       /* of a NUMBER, too */
	gboolean is_day;            /* STRING with the format date */
	guint means;                /* of a STRING, by its format: WEFT_SCHEMA_STRINGS, _DAYS or _OTHERS */

	WeftNumbers *numbers;

	GPtrArray *prefix;          /* of const WeftNode *, or NULL */
	const WeftNode *items;
	guint32 n_min, n_max;
	gboolean is_unique, items_differ;

	const WeftNode *keys;

	GArray *properties;         /* of WeftProperty */
	guint n_optional_min, n_optional_max;
	/* weft_node_tail */
	WeftLeast *tails;

	GPtrArray *branches;        /* of const WeftNode * */
};

struct WeftSchema {
	const WeftNode *root;
	GPtrArray *nodes;           /* owns all of them */
	GPtrArray *lexemes;         /* owns those of the nodes */
	GPtrArray *numbers;
	GPtrArray *verbatim;        /* of char *: JSON pointers of the verbatim strings */
	GPtrArray *ignored;         /* of char *: JSON pointers of keywords that nobody knows */
	guint64 fingerprint;        /* a hash of its text and options: tells schemas apart in caches */
	struct WeftTables *tables;  /* tables.h: what the constraint looks up, made last */
};

static inline const WeftProperty *weft_node_property(const WeftNode *object, guint i)
{
	return &g_array_index(object->properties, WeftProperty, i);
}

static inline const WeftNode *weft_node_branch(const WeftNode *branches, guint i)
{
	return g_ptr_array_index(branches->branches, i);
}

/* The node of an array's i-th item, NULL where there is none. */
const WeftNode *weft_node_item(const WeftNode *array, guint32 i);

/* OBJECT: the least that remains in front of property `i` (or behind the last one) when still at
 * least `n_missing` optional ones have to be written: all from `{` or `,` to the closing brace,
 * counting a byte in front of every property. So in front of `{` it is the least of the object,
 * unless no property will come, when `{}` takes one byte more; and behind `{` it is one less,
 * unless no property will come. bytes is G_MAXSIZE when so many no longer follow. `n_missing` is at
 * most n_optional_min. */
WeftLeast weft_node_tail(const WeftNode *object, guint i, guint n_missing);

#endif
