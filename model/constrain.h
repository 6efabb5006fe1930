/* constrain.h - a pushdown automaton over the bytes of a JSON document.
 *
 * At every moment it knows which byte may come next so that the document can still become an
 * instance of the schema, and how few bytes would finish it. Compact layout, keys in the order of
 * the schema, strings in UTF-8 with the escapes \" \\ \n \t and \u0001 to \u001f, numbers as in
 * model/number.h. A value of plain storage: copied to try bytes, thrown away to take them back.
 */
#ifndef WEFT_MODEL_CONSTRAIN_H
#define WEFT_MODEL_CONSTRAIN_H

#include "model/schema.h"

typedef enum {
	WEFT_FRAME_VALUE,   /* before the first byte of a value */
	WEFT_FRAME_WORD,    /* null, true, false */
	WEFT_FRAME_LITERAL, /* one of an enumeration */
	WEFT_FRAME_STRING,
	WEFT_FRAME_NUMBER,
	WEFT_FRAME_OBJECT,
	WEFT_FRAME_ARRAY,
} WeftFrameKind;

typedef struct WeftFrame {
	WeftFrameKind kind;
	const WeftSchemaNode *node;
	const char *text;   /* WORD: what is left of it; OBJECT: what is left before the value */
	guint32 index;      /* OBJECT: property; ARRAY: items begun; LITERAL: first candidate */
	guint32 end;        /* LITERAL: end of the candidates */
	guint32 n;          /* STRING: code points begun; LITERAL: bytes taken */
	guint8 escape;      /* STRING: bytes of an escape taken */
	guint8 n_follow;    /* STRING: UTF-8 bytes still to come */
	guint8 low, high;   /* STRING: range of the next of them */
	WeftNumber number;
} WeftFrame;

typedef struct WeftConstraint {
	guint n_frames;
	WeftFrame frames[WEFT_SCHEMA_DEPTH_MAX + 1];
} WeftConstraint;

void weft_constraint_init(WeftConstraint *constraint, const WeftSchema *schema);
void weft_constraint_copy(WeftConstraint *to, const WeftConstraint *from);

/* FALSE when the byte may not come next; then the state is spoilt. */
gboolean weft_constraint_advance(WeftConstraint *constraint, guint8 byte);

/* TRUE when the bytes so far are an instance. */
gboolean weft_constraint_is_complete(const WeftConstraint *constraint);
/* TRUE when they are one and nothing may follow. */
gboolean weft_constraint_is_closed(const WeftConstraint *constraint);

/* The fewest bytes that complete the document. */
gsize weft_constraint_close_bytes(const WeftConstraint *constraint);

/* The byte that must come next, or -1 when there is a choice (ending here is one). */
int weft_constraint_forced(const WeftConstraint *constraint);

#endif
