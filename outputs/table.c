#include "outputs/table.h"

#include <string.h>

#include "base/error.h"
#include "outputs/columns.h"
#include "outputs/csv.h"
#include "outputs/record_paths.h"
#include "outputs/value.h"

struct WeftTable {
	WeftColumns *columns;
	const WeftCalibration *calibration; /* NULL: none */
	gboolean has_types;
};

WeftTable *weft_table_new(const WeftCalibration *calibration)
{
	WeftTable *table = g_new0(WeftTable, 1);

	table->columns = weft_columns_new();
	table->calibration = calibration;
	return table;
}

void weft_table_free(WeftTable *table)
{
	if (!table)
		return;
	weft_columns_free(table->columns);
	g_free(table);
}

gboolean weft_table_add_schema(WeftTable *table, const char *schema, GError **error)
{
	g_autoptr(WeftJson) tree = weft_json_parse(schema, strlen(schema), WEFT_JSON_STRICT, error);

	return tree && weft_columns_add(table->columns, tree, error);
}

void weft_table_set_types(WeftTable *table)
{
	table->has_types = TRUE;
}

/* ---- the heading ---- */

static void add_beside(GString *out, const WeftColumn *column, const char *what)
{
	g_autofree char *name = g_strconcat(column->name, ".", what, NULL);

	weft_csv_add(out, FALSE, name);
}

void weft_table_heading(const WeftTable *table, GString *out)
{
	g_string_append(out, "id,path,status");
	if (table->has_types)
		g_string_append(out, ",type");
	if (table->columns->has_elements)
		g_string_append(out, ",element,element.pages");
	for (guint i = 0; i < table->columns->list->len; i++) {
		const WeftColumn *column = table->columns->list->pdata[i];

		weft_csv_add(out, FALSE, column->name);
		if (column->kind != WEFT_COLUMN_JSON) {
			add_beside(out, column, "page");
			add_beside(out, column, "quote");
		}
		add_beside(out, column, "status");
		if (column->kind != WEFT_COLUMN_JSON) {
			add_beside(out, column, "evidence");
			add_beside(out, column, "confidence");
			if (table->calibration)
				add_beside(out, column, "calibrated");
		}
	}
	weft_csv_end_row(out);
}

/* ---- cells ---- */

typedef struct Row {
	const WeftTable *table;
	const WeftJson *record;
	const char *model_id;
	GString *out;
} Row;

static void add_share(const Row *row, double share)
{
	g_autoptr(GString) digits = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, digits);
	if (share >= 0)
		(void)weft_json_write_rounded(&writer, share, 4);
	weft_csv_add_number(row->out, FALSE, digits->str);
}

static void add_confidence(const Row *row, double confidence)
{
	const WeftCalibration *calibration = row->table->calibration;

	add_share(row, confidence);
	if (calibration)
		add_share(row, weft_calibration_apply(calibration,
						      row->model_id ? row->model_id : "", confidence));
}

/* "" for null; numbers and truth as JSON has them. Caller frees. */
static char *text_of(const WeftJson *value)
{
	const char *text = weft_json_string(value, NULL);

	if (text)
		return g_strdup(text);
	if (weft_json_type(value) == WEFT_JSON_NULL)
		return g_strdup("");
	return weft_json_compact(value); /* also of a text with a NUL, which no cell has */
}

static void add_value(const Row *row, const WeftJson *value)
{
	g_autofree char *text = text_of(value);

	if (weft_json_type(value) == WEFT_JSON_NUMBER)
		weft_csv_add_number(row->out, FALSE, text);
	else
		weft_csv_add(row->out, FALSE, text);
}

static void add_scalar(const Row *row, const char *pointer)
{
	WeftValue found = weft_value_of(row->record, pointer);
	g_autofree char *place = weft_value_place(found.provenance);
	g_autofree char *quote = weft_value_quote(found.provenance);

	add_value(row, found.value);
	weft_csv_add(row->out, FALSE, place);
	weft_csv_add(row->out, FALSE, quote);
	weft_csv_add(row->out, FALSE, found.status);
	weft_csv_add(row->out, FALSE, weft_value_kind(found.provenance));
	add_confidence(row, found.confidence);
}

/* ---- lists ---- */

typedef struct Joined {
	GString *values, *places, *quotes;
	const char *status;
	const char *kind;  /* of evidence, the least */
	double confidence; /* the least that is known */
} Joined;

static void join(GString *all, const char *one, gboolean is_first)
{
	if (!is_first)
		g_string_append(all, "; ");
	g_string_append(all, one ? one : "");
}

static void join_item(const Row *row, const char *pointer, gboolean is_first, Joined *joined)
{
	WeftValue found = weft_value_of(row->record, pointer);
	g_autofree char *text = text_of(found.value);
	g_autofree char *place = weft_value_place(found.provenance);
	g_autofree char *quote = weft_value_quote(found.provenance);

	join(joined->values, text, is_first);
	join(joined->places, place, is_first);
	join(joined->quotes, quote, is_first);
	joined->kind = weft_value_kind_least(joined->kind, weft_value_kind(found.provenance));
	if (strcmp(found.status, "corrected") == 0)
		joined->status = found.status;
	if (found.confidence >= 0 && (joined->confidence < 0 || found.confidence < joined->confidence))
		joined->confidence = found.confidence;
}

static void add_list(const Row *row, const char *pointer)
{
	WeftValue found = weft_value_of(row->record, pointer);
	g_autoptr(GString) values = g_string_new(NULL), places = g_string_new(NULL);
	g_autoptr(GString) quotes = g_string_new(NULL);
	Joined joined = { values, places, quotes, found.status, "", found.confidence };

	for (gsize i = 0; i < weft_json_length(found.value); i++) {
		g_autofree char *item = g_strdup_printf("%s/%" G_GSIZE_FORMAT, pointer, i);

		join_item(row, item, i == 0, &joined);
	}
	weft_csv_add(row->out, FALSE, values->str);
	weft_csv_add(row->out, FALSE, places->str);
	weft_csv_add(row->out, FALSE, quotes->str);
	weft_csv_add(row->out, FALSE, joined.status);
	weft_csv_add(row->out, FALSE, joined.kind);
	add_confidence(row, joined.confidence);
}

/* ---- rows ---- */

static void add_column(const Row *row, const WeftColumn *column, const char *pointer)
{
	const WeftJson *answer = weft_json_member(row->record, "answer");
	const WeftJson *value = weft_json_at_pointer(answer, pointer);
	WeftJsonType type = weft_json_type(value);

	if (column->kind == WEFT_COLUMN_JSON) {
		add_value(row, value);
		weft_csv_add(row->out, FALSE, weft_value_of(row->record, pointer).status);
	} else if (type == WEFT_JSON_ARRAY) {
		add_list(row, pointer);
	} else {
		add_scalar(row, pointer);
	}
}

/* The number of an element and its pages, "3-5"; both empty for an answer as a whole. */
static void add_element(const Row *row, const char *element, gsize number)
{
	const WeftJson *elements = weft_json_member(row->record, "elements");
	const WeftJson *pages = NULL;
	g_autofree char *digits = element ? g_strdup_printf("%" G_GSIZE_FORMAT, number) : g_strdup("");
	g_autofree char *range = NULL;
	guint64 first, last;

	for (gsize i = 0; element && i < weft_json_length(elements) && !pages; i++) {
		const WeftJson *one = weft_json_at(elements, i);

		if (g_strcmp0(weft_json_string(weft_json_member(one, "pointer"), NULL), element) == 0)
			pages = weft_json_member(one, "pages");
	}
	if (weft_json_uint(weft_json_at(pages, 0), &first) && weft_json_uint(weft_json_at(pages, 1), &last))
		range = first == last ? g_strdup_printf("%" G_GUINT64_FORMAT, first)
				      : g_strdup_printf("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
							first, last);
	weft_csv_add_number(row->out, FALSE, digits);
	weft_csv_add(row->out, FALSE, range);
}

/* `element` NULL: the answer as a whole. */
static void add_row(const Row *row, const char *element, gsize number)
{
	const WeftJson *record = row->record;
	const char *id = weft_json_string(weft_json_member(record, "id"), NULL);
	const char *status = weft_json_string(weft_json_member(record, "status"), NULL);
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record);
	const WeftColumns *columns = row->table->columns;

	weft_csv_add(row->out, TRUE, id);
	weft_csv_add(row->out, FALSE, paths->len > 0 ? paths->pdata[0] : NULL);
	weft_csv_add(row->out, FALSE, status);
	if (row->table->has_types)
		weft_csv_add(row->out, FALSE,
			     weft_json_string(weft_json_at_pointer(record, "/type/name"), NULL));
	if (columns->has_elements)
		add_element(row, element, number);
	for (guint i = 0; i < columns->list->len; i++) {
		const WeftColumn *column = columns->list->pdata[i];
		g_autofree char *pointer = g_strconcat(element ? element : "", column->pointer, NULL);

		add_column(row, column, pointer);
	}
	weft_csv_end_row(row->out);
}

void weft_table_add(const WeftTable *table, GString *out, const WeftJson *record)
{
	const WeftJson *answer = weft_json_member(record, "answer");
	const Row row = { table, record,
			  weft_json_string(weft_json_at_pointer(record, "/model/id"), NULL), out };

	if (!table->columns->has_elements || weft_json_type(answer) != WEFT_JSON_ARRAY ||
	    weft_json_length(answer) == 0) {
		add_row(&row, NULL, 0);
		return;
	}
	for (gsize i = 0; i < weft_json_length(answer); i++) {
		g_autofree char *element = g_strdup_printf("/%" G_GSIZE_FORMAT, i);

		add_row(&row, element, i + 1);
	}
}
