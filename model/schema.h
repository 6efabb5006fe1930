/* schema.h - a JSON Schema as a tree of nodes that an automaton can follow.
 *
 * The nodes are what is left of the schema when everything that generation decides by itself is
 * taken out: properties come in the order of the file and all of them are written, nothing
 * undeclared is, the layout has no spaces. Nodes may be shared ($ref), never cyclic, and at most
 * WEFT_SCHEMA_DEPTH_MAX deep. `min_bytes` is the length of the shortest instance in that layout.
 */
#ifndef WEFT_MODEL_SCHEMA_H
#define WEFT_MODEL_SCHEMA_H

#include "model/model.h"
#include "model/number.h"

#define WEFT_SCHEMA_DEPTH_MAX 32
#define WEFT_SCHEMA_BYTES_MAX (1u << 20)     /* of the schema file */
#define WEFT_SCHEMA_NODES_MAX 20000u
#define WEFT_SCHEMA_LITERALS_MAX 4096u       /* values of one enum */
#define WEFT_SCHEMA_MIN_BYTES_MAX (1u << 20) /* of the shortest instance */
#define WEFT_SCHEMA_UNLIMITED G_MAXUINT32    /* no maxItems, no maxLength */

enum {
	WEFT_TYPE_NULL = 1,
	WEFT_TYPE_BOOLEAN = 2,
	WEFT_TYPE_OBJECT = 4,
	WEFT_TYPE_ARRAY = 8,
	WEFT_TYPE_STRING = 16,
	WEFT_TYPE_NUMBER = 32, /* an integer: range.is_integer */
	WEFT_TYPE_ALL = 63,
};

typedef struct WeftSchemaNode WeftSchemaNode;

struct WeftSchemaNode {
	guint types;             /* of all its instances */
	GPtrArray *branches;     /* of WeftSchemaNode with disjoint types; then nothing below counts */
	GPtrArray *literals;     /* of char *: the instances as JSON, sorted, or NULL */
	GPtrArray *opens;        /* of char *: `{"a":`, `,"b":`: what stands before each property */
	GPtrArray *properties;   /* of WeftSchemaNode, beside opens */
	GArray *tails;           /* gsize: fewest bytes from opens[i] to the closing brace; [n] = 1 */
	const WeftSchemaNode *items;
	guint32 items_min, items_max;
	guint32 length_min, length_max; /* code points */
	WeftNumberRange range;
	guint height;            /* levels of containers below and including this one */
	gsize min_bytes;
};

struct WeftSchema {
	const WeftSchemaNode *root;
	GPtrArray *nodes;        /* owns all of them */
};

/* Sets min_bytes (and tails) of a node whose children have theirs. */
void weft_schema_node_measure(WeftSchemaNode *node);

#endif
