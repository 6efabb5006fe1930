#include "outputs/columns.h"

#include <string.h>

#include "base/error.h"

/* A table of Excel has 16384 columns, and each of ours brings up to five beside it. */
#define COLUMNS_MAX 2700u
/* Schemas inside each other, $ref included; what is deeper is JSON text. */
#define DEPTH_MAX 16u
/* Schemas looked at: references may multiply. */
#define VISITS_MAX 20000u

/* outputs/table.h: what every table has, and what stands beside a column. */
static const char *const TAKEN[] = { "id", "path", "status", "type", "element", "element.pages" };
static const char *const BESIDE[] = { "",        ".page",       ".quote",
				       ".status", ".evidence", ".confidence",
				       ".calibrated" };

static void column_free(void *data)
{
	WeftColumn *column = data;

	g_free(column->name);
	g_free(column->pointer);
	g_free(column);
}

WeftColumns *weft_columns_new(void)
{
	WeftColumns *columns = g_new0(WeftColumns, 1);

	columns->list = g_ptr_array_new_with_free_func(column_free);
	columns->by_pointer = g_hash_table_new(g_str_hash, g_str_equal);
	columns->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(TAKEN); i++)
		g_hash_table_add(columns->by_name, g_strdup(TAKEN[i]));
	return columns;
}

void weft_columns_free(WeftColumns *columns)
{
	if (!columns)
		return;
	g_hash_table_unref(columns->by_pointer);
	g_hash_table_unref(columns->by_name);
	g_ptr_array_unref(columns->list);
	g_free(columns);
}

/* ---- what a schema allows ---- */

typedef struct Visit {
	WeftColumns *columns;
	const WeftJson *root;
	GPtrArray *above; /* const WeftJson: schemas with members that lead here */
	guint n_visits;
	gboolean is_too_many; /* columns */
} Visit;

/* All that a schema says of one place, its references and branches opened: one or more of them. */
typedef struct Shape {
	gboolean is_scalar, is_object, is_array, is_other;
	GPtrArray *objects; /* const WeftJson: schemas that name members */
	GPtrArray *items;   /* const WeftJson: schemas of items */
} Shape;

static void shape_done(Shape *shape)
{
	g_clear_pointer(&shape->objects, g_ptr_array_unref);
	g_clear_pointer(&shape->items, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Shape, shape_done)

static void note_type(Shape *shape, const char *type)
{
	if (g_strcmp0(type, "object") == 0)
		shape->is_object = TRUE;
	else if (g_strcmp0(type, "array") == 0)
		shape->is_array = TRUE;
	else if (g_strcmp0(type, "null") != 0)
		shape->is_scalar = TRUE;
}

static void note_literal(Shape *shape, const WeftJson *value)
{
	WeftJsonType type = weft_json_type(value);

	if (type == WEFT_JSON_OBJECT || type == WEFT_JSON_ARRAY)
		shape->is_other = TRUE;
	else if (type != WEFT_JSON_NULL)
		shape->is_scalar = TRUE;
}

static void note_types(Shape *shape, const WeftJson *schema)
{
	const WeftJson *type = weft_json_member(schema, "type");
	const WeftJson *values = weft_json_member(schema, "enum");
	const WeftJson *constant = weft_json_member(schema, "const");
	const WeftJson *items = weft_json_member(schema, "items");

	if (weft_json_string(type, NULL))
		note_type(shape, weft_json_string(type, NULL));
	for (gsize i = 0; i < weft_json_length(type); i++)
		note_type(shape, weft_json_string(weft_json_at(type, i), NULL));
	for (gsize i = 0; !type && i < weft_json_length(values); i++)
		note_literal(shape, weft_json_at(values, i));
	if (!type && constant)
		note_literal(shape, constant);
	if (weft_json_type(weft_json_member(schema, "properties")) == WEFT_JSON_OBJECT) {
		shape->is_object = TRUE;
		g_ptr_array_add(shape->objects, (gpointer)schema);
	}
	if (items) {
		shape->is_array = TRUE;
		g_ptr_array_add(shape->items, (gpointer)items);
	}
	if (weft_json_member(schema, "prefixItems"))
		shape->is_other = TRUE;
}

/* Of the schema itself, and of what it refers to and branches into. */
static void look(Visit *visit, const WeftJson *schema, Shape *shape, guint depth)
{
	static const char *const branches[] = { "allOf", "anyOf", "oneOf" };
	const char *ref = weft_json_string(weft_json_member(schema, "$ref"), NULL);

	if (weft_json_type(schema) != WEFT_JSON_OBJECT || depth > DEPTH_MAX ||
	    visit->n_visits++ > VISITS_MAX) {
		shape->is_other = TRUE;
		return;
	}
	note_types(shape, schema);
	if (ref && *ref == '#')
		look(visit, weft_json_at_pointer(visit->root, ref + 1), shape, depth + 1);
	for (gsize i = 0; i < G_N_ELEMENTS(branches); i++) {
		const WeftJson *list = weft_json_member(schema, branches[i]);

		for (gsize k = 0; k < weft_json_length(list); k++)
			look(visit, weft_json_at(list, k), shape, depth + 1);
	}
}

static void shape_init(Visit *visit, Shape *shape, const WeftJson *schema, guint depth)
{
	*shape = (Shape){ .objects = g_ptr_array_new(), .items = g_ptr_array_new() };
	look(visit, schema, shape, depth);
}

/* ---- columns ---- */

static gboolean is_taken(const WeftColumns *columns, const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(BESIDE); i++) {
		g_autofree char *beside = g_strconcat(name, BESIDE[i], NULL);

		if (g_hash_table_contains(columns->by_name, beside))
			return TRUE;
	}
	return FALSE;
}

static void add(Visit *visit, const char *name, const char *pointer, WeftColumnKind kind)
{
	WeftColumns *columns = visit->columns;
	WeftColumn *column = g_hash_table_lookup(columns->by_pointer, pointer);

	if (column) { /* of another branch, or another schema: the kind that holds both */
		column->kind = MAX(column->kind, kind);
		return;
	}
	if (columns->list->len == COLUMNS_MAX) {
		visit->is_too_many = TRUE;
		return;
	}
	column = g_new0(WeftColumn, 1);
	column->pointer = g_strdup(pointer);
	column->name = g_strdup(is_taken(columns, name) ? pointer : name);
	column->kind = kind;
	g_ptr_array_add(columns->list, column);
	g_hash_table_insert(columns->by_pointer, column->pointer, column);
	for (gsize i = 0; i < G_N_ELEMENTS(BESIDE); i++)
		g_hash_table_add(columns->by_name, g_strconcat(column->name, BESIDE[i], NULL));
}

static gboolean are_scalars(Visit *visit, const Shape *list, guint depth)
{
	for (guint i = 0; i < list->items->len; i++) {
		g_auto(Shape) item = { 0 };

		shape_init(visit, &item, list->items->pdata[i], depth);
		if (!item.is_scalar || item.is_object || item.is_array || item.is_other)
			return FALSE;
	}
	return list->items->len > 0;
}

static void walk(Visit *visit, const WeftJson *schema, GString *name, GString *pointer, guint depth);

static void walk_members(Visit *visit, const Shape *shape, GString *name, GString *pointer,
			 guint depth)
{
	gsize name_size = name->len, pointer_size = pointer->len;

	for (guint i = 0; i < shape->objects->len; i++) {
		const WeftJson *schema = shape->objects->pdata[i];
		const WeftJson *properties = weft_json_member(schema, "properties");

		g_ptr_array_add(visit->above, (gpointer)schema);
		for (gsize k = 0; k < weft_json_length(properties); k++) {
			const char *key = weft_json_key_at(properties, k, NULL);

			if (name->len > 0)
				g_string_append_c(name, '.');
			g_string_append(name, key);
			weft_json_pointer_add(pointer, key, strlen(key));
			walk(visit, weft_json_at(properties, k), name, pointer, depth);
			g_string_truncate(name, name_size);
			g_string_truncate(pointer, pointer_size);
		}
		g_ptr_array_set_size(visit->above, (gint)visit->above->len - 1);
	}
}

/* An object inside its like may go on for ever. */
static gboolean turns(const Visit *visit, const Shape *shape)
{
	for (guint i = 0; i < shape->objects->len; i++)
		if (g_ptr_array_find(visit->above, shape->objects->pdata[i], NULL))
			return TRUE;
	return FALSE;
}

static void walk(Visit *visit, const WeftJson *schema, GString *name, GString *pointer, guint depth)
{
	g_auto(Shape) shape = { 0 };

	visit->is_too_many |= visit->n_visits > VISITS_MAX;
	if (visit->is_too_many)
		return;
	shape_init(visit, &shape, schema, depth);
	gboolean is_list = shape.is_array && are_scalars(visit, &shape, depth + 1);
	gboolean is_open = shape.objects->len == 0 || depth >= DEPTH_MAX || turns(visit, &shape);
	gboolean is_json = shape.is_other || (shape.is_array && !is_list) ||
			   (shape.is_object && is_open);

	if (is_json)
		add(visit, name->str, pointer->str, WEFT_COLUMN_JSON);
	else if (is_list)
		add(visit, name->str, pointer->str, WEFT_COLUMN_LIST);
	else if (shape.is_scalar || !shape.is_object)
		add(visit, name->str, pointer->str, WEFT_COLUMN_SCALAR);
	if (!is_open)
		walk_members(visit, &shape, name, pointer, depth + 1);
}

gboolean weft_columns_add(WeftColumns *columns, const WeftJson *schema, GError **error)
{
	g_autoptr(GPtrArray) above = g_ptr_array_new();
	Visit visit = { columns, schema, above, 0, FALSE };
	g_autoptr(GString) name = g_string_new(NULL), pointer = g_string_new(NULL);
	g_auto(Shape) root = { 0 };

	shape_init(&visit, &root, schema, 0);
	gboolean has_elements = FALSE;

	for (guint i = 0; !root.is_object && i < root.items->len; i++) {
		g_auto(Shape) item = { 0 };

		shape_init(&visit, &item, root.items->pdata[i], 1);
		has_elements |= item.objects->len > 0;
		walk_members(&visit, &item, name, pointer, 1);
	}
	columns->has_elements |= has_elements;
	if (root.objects->len > 0)
		walk_members(&visit, &root, name, pointer, 1);
	else if (!has_elements)
		add(&visit, "answer", "", root.is_array || root.is_object || root.is_other ||
						  !root.is_scalar ? WEFT_COLUMN_JSON : WEFT_COLUMN_SCALAR);
	if (!visit.is_too_many)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		    "the schema has more scalars than a table has room for: limit %u", COLUMNS_MAX);
	return FALSE;
}
