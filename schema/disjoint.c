#include "schema/disjoint.h"

#include "schema/expansion.h"
#include "schema/value.h"

/* Values inside each other that a proof looks into, and items of an array. */
#define DEPTH_MAX 4
#define ITEMS_MAX 8

typedef struct Proof {
	WeftReading *reading;
	guint depth;
	GError **error;
	gboolean failed; /* *error is set */
} Proof;

static gboolean prove_sets(Proof *proof, const GArray *a, const GArray *b);

static gboolean prove_values(Proof *proof, const GPtrArray *values, const GArray *other)
{
	for (guint i = 0; i < values->len; i++) {
		WeftFit fit;
		if (!weft_value_fit(proof->reading, other, values->pdata[i], &fit, proof->error)) {
			proof->failed = TRUE;
			return FALSE;
		}
		if (fit != WEFT_FIT_NO)
			return FALSE;
	}
	return TRUE;
}

/* Formats are not counted on the other side: for some validators they say nothing. */
static gboolean prove_strings(Proof *proof, const WeftSchemaShape *shape, const WeftSchemaShape *other)
{
	guint32 min = MAX(shape->length_min, other->length_min);
	guint32 max = MIN(shape->length_max, other->length_max);
	g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(WeftLexemePart));
	if (min > max)
		return TRUE;
	for (guint i = 0; i < shape->parts->len; i++)
		g_array_append_val(parts, g_array_index(shape->parts, WeftLexemePart, i));
	guint n_own = parts->len;
	for (guint i = 0; i < other->parts->len; i++) {
		WeftLexemePart part = g_array_index(other->parts, WeftLexemePart, i);
		part.is_loose = !part.is_not;
		if (part.kind == WEFT_LEXEME_PATTERN)
			g_array_append_val(parts, part);
	}
	if (n_own == 0 || parts->len == n_own || parts->len > WEFT_LEXEME_PARTS_MAX)
		return FALSE;
	WeftLexemeSpec spec = {(const WeftLexemePart *)(void *)parts->data, parts->len, min,
			       max == WEFT_SCHEMA_UNLIMITED ? WEFT_LEXEME_UNLIMITED : max};
	/* Too large to be proved is not proved. */
	g_autoptr(WeftLexeme) both = weft_lexeme_new(proof->reading->maker, &spec, NULL);
	return both && weft_lexeme_is_empty(both);
}

static gboolean prove_numbers(Proof *proof, const WeftSchemaShape *shape, const WeftSchemaShape *other)
{
	guint types = shape->types & other->said_types & WEFT_TYPE_NUMBER;
	WeftNumbers *both = weft_schema_shape_numbers(proof->reading, shape->limits, other->limits,
					       types == WEFT_TYPE_INTEGER, NULL);
	return both && weft_numbers_is_empty(both);
}

/* What a set says of its item `at`, or of the value of its key `at`. */
typedef GArray *(*Child)(WeftReading *reading, const GArray *set, guint32 at, GError **error);

static gboolean prove_children(Proof *proof, const WeftSchemaShape *shape,
			       const WeftSchemaShape *other, Child child, guint32 at)
{
	g_autoptr(GArray) a = child(proof->reading, shape->set, at, proof->error);
	g_autoptr(GArray) b = a ? child(proof->reading, other->set, at, proof->error) : NULL;
	if (!b)
		proof->failed = TRUE;
	return b && prove_sets(proof, a, b);
}

static gboolean prove_arrays(Proof *proof, const WeftSchemaShape *shape, const WeftSchemaShape *other)
{
	if (shape->n_items_min > other->n_items_max || shape->n_items_max < other->n_items_min)
		return TRUE;
	for (guint32 i = 0; i < MIN(shape->n_items_min, ITEMS_MAX) && !proof->failed; i++)
		if (prove_children(proof, shape, other, weft_schema_shape_item, i))
			return TRUE;
	return FALSE;
}

static gboolean prove_objects(Proof *proof, const WeftSchemaShape *shape, const WeftSchemaShape *other)
{
	if (shape->n_members_min > other->n_members_max ||
	    shape->n_members_max < other->n_members_min ||
	    (!shape->is_map && shape->keys->len < other->n_members_min))
		return TRUE;
	for (guint i = 0; i < other->asked->len; i++)
		if (!weft_schema_shape_writes(shape, g_array_index(other->asked, guint32, i)))
			return TRUE;
	for (guint i = 0; i < shape->asked->len && !proof->failed; i++)
		if (prove_children(proof, shape, other, weft_schema_shape_child,
				   g_array_index(shape->asked, guint32, i)))
			return TRUE;
	return FALSE;
}

/* Of the other set's shape only that is used which holds for all of its instances. */
static gboolean prove_part(Proof *proof, const WeftSchemaShape *shape, guint type, const GArray *set)
{
	const WeftSchemaShape *other = weft_schema_shape_of(proof->reading, set, proof->error);
	if (!other || !weft_reading_spend(proof->reading, 1, proof->error)) {
		proof->failed = TRUE;
		return FALSE;
	}
	if (!(other->said_types & shape->types & type))
		return TRUE;
	if (other->is_enumerated)
		return prove_values(proof, other->listed, shape->set);
	switch (type) {
	case WEFT_TYPE_STRING:
		return prove_strings(proof, shape, other);
	case WEFT_TYPE_NUMBER:
		return prove_numbers(proof, shape, other);
	case WEFT_TYPE_ARRAY:
		return prove_arrays(proof, shape, other);
	default:
		return prove_objects(proof, shape, other);
	}
}

static gboolean prove_cases(Proof *proof, const GArray *a, const GArray *b)
{
	static const guint parts[] = {WEFT_TYPE_STRING, WEFT_TYPE_NUMBER, WEFT_TYPE_ARRAY,
				      WEFT_TYPE_OBJECT};
	const WeftSchemaShape *shape = weft_schema_shape_of(proof->reading, a, proof->error);
	if (!shape) {
		proof->failed = TRUE;
		return FALSE;
	}
	if (!prove_values(proof, shape->values, b))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		if (shape->types & parts[i] && !prove_part(proof, shape, parts[i], b))
			return FALSE;
	return TRUE;
}

static gboolean prove_sets(Proof *proof, const GArray *a, const GArray *b)
{
	if (proof->depth >= DEPTH_MAX || proof->failed)
		return FALSE;
	g_autoptr(GPtrArray) a_cases = weft_expansion_new(proof->reading, a, NULL, proof->error);
	g_autoptr(GPtrArray) b_cases =
		a_cases ? weft_expansion_new(proof->reading, b, NULL, proof->error) : NULL;
	proof->failed = !a_cases || !b_cases;
	gboolean is_disjoint = !proof->failed;
	proof->depth++;
	for (guint i = 0; is_disjoint && i < a_cases->len; i++)
		for (guint j = 0; is_disjoint && j < b_cases->len; j++) {
			const WeftCase *one = g_ptr_array_index(a_cases, i);
			const WeftCase *other = g_ptr_array_index(b_cases, j);
			is_disjoint = prove_cases(proof, one->elements, other->elements);
		}
	proof->depth--;
	return is_disjoint && !proof->failed;
}

gboolean weft_disjoint_part(WeftReading *reading, const WeftSchemaShape *shape, guint type,
			    const GArray *other, gboolean *ret_is_disjoint, GError **error)
{
	Proof proof = {.reading = reading, .error = error};
	*ret_is_disjoint = prove_part(&proof, shape, type, other);
	return !proof.failed;
}

gboolean weft_disjoint_sets(WeftReading *reading, const GArray *a, const GArray *b,
			    gboolean *ret_is_disjoint, GError **error)
{
	Proof proof = {.reading = reading, .error = error};
	*ret_is_disjoint = prove_sets(&proof, a, b);
	return !proof.failed;
}
