#include "outputs/report.h"

#include <string.h>

#include "outputs/columns.h"
#include "outputs/cues.h"
#include "outputs/record_paths.h"
#include "outputs/value.h"

#define TEXT_CHARS_MAX 200
/* Statuses, types of files, kinds of faults: in records of ours there are far fewer. */
#define NAMES_MAX 500u

/* What became of the values of a field. */
typedef enum {
	FIELD_FILLED,
	FIELD_CORRECTED,
	FIELD_ABSENT,
	FIELD_UNREADABLE,
	FIELD_NOT_EXAMINED,
	FIELD_AMBIGUOUS,
	N_FIELDS,
} FieldState;

static const char *const FIELD_NAMES[N_FIELDS] = {
	"ok", "corrected", "absent", "unreadable", "not_examined", "ambiguous",
};
static const char *const KIND_NAMES[] = { "copied", "derived", "matched", "pointed", "none" };
#define N_KINDS G_N_ELEMENTS(KIND_NAMES)

typedef struct Field {
	guint64 n[N_FIELDS], n_kind[N_KINDS], n_sure;
	double confidence; /* the sum of n_sure */
} Field;

typedef struct Fault {
	char *name; /* "decode: truncated" */
	guint64 n;
	GPtrArray *examples; /* char *: HTML */
} Fault;

struct WeftReport {
	WeftColumns *columns;
	GArray *fields;      /* Field, one for each column */
	GHashTable *status;  /* name (char *) -> guint64 * */
	GHashTable *types;   /* media type (char *) -> guint64 * */
	GHashTable *faults;  /* name -> Fault */
	guint64 n_records, n_pages;
	double seconds;
	GString *rows;       /* of the table of documents: HTML */
	guint n_rows;
	guint64 n_left_out;  /* of that table */
};

static void fault_free(void *data)
{
	Fault *fault = data;

	g_free(fault->name);
	g_ptr_array_unref(fault->examples);
	g_free(fault);
}

WeftReport *weft_report_new(void)
{
	WeftReport *report = g_new0(WeftReport, 1);

	report->columns = weft_columns_new();
	report->fields = g_array_new(FALSE, TRUE, sizeof(Field));
	report->status = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	report->types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	report->faults = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, fault_free);
	report->rows = g_string_new(NULL);
	return report;
}

void weft_report_free(WeftReport *report)
{
	if (!report)
		return;
	weft_columns_free(report->columns);
	g_array_unref(report->fields);
	g_hash_table_unref(report->status);
	g_hash_table_unref(report->types);
	g_hash_table_unref(report->faults);
	g_string_free(report->rows, TRUE);
	g_free(report);
}

gboolean weft_report_add_schema(WeftReport *report, const char *schema, GError **error)
{
	g_autoptr(WeftJson) tree = weft_json_parse(schema, strlen(schema), WEFT_JSON_STRICT, error);

	if (!tree || !weft_columns_add(report->columns, tree, error))
		return FALSE;
	g_array_set_size(report->fields, report->columns->list->len);
	return TRUE;
}

/* ---- text ---- */

/* One line, cut where it is long, with nothing that HTML would take for markup. Caller frees. */
static char *html_of(const char *text)
{
	g_autofree char *line = weft_cue_line(text);
	g_autoptr(GString) cut = g_string_new(line);

	if (g_utf8_strlen(line, -1) > TEXT_CHARS_MAX) {
		g_string_truncate(cut, (gsize)(g_utf8_offset_to_pointer(line, TEXT_CHARS_MAX) - line));
		g_string_append(cut, "…");
	}
	return g_markup_escape_text(cut->str, -1);
}

static void count(GHashTable *table, const char *name)
{
	const char *key = name ? name : "unknown";
	guint64 *n;

	if (g_hash_table_size(table) >= NAMES_MAX && !g_hash_table_contains(table, key))
		key = "others";
	n = g_hash_table_lookup(table, key);
	if (!n) {
		n = g_new0(guint64, 1);
		g_hash_table_insert(table, g_strdup(key), n);
	}
	(*n)++;
}

/* ---- a record ---- */

static void add_fault(WeftReport *report, const char *name, const char *document, const char *message)
{
	Fault *fault;

	if (g_hash_table_size(report->faults) >= NAMES_MAX &&
	    !g_hash_table_contains(report->faults, name))
		name = "others";
	fault = g_hash_table_lookup(report->faults, name);
	if (!fault) {
		fault = g_new0(Fault, 1);
		fault->name = g_strdup(name);
		fault->examples = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(report->faults, fault->name, fault);
	}
	if (fault->n++ < WEFT_REPORT_EXAMPLES_MAX) {
		g_autofree char *shown = html_of(message);

		g_ptr_array_add(fault->examples, g_strdup_printf("%s: %s", document, shown));
	}
}

static void add_faults(WeftReport *report, const WeftJson *record, const char *document)
{
	const WeftJson *errors = weft_json_member(record, "errors");

	for (gsize i = 0; i < weft_json_length(errors); i++) {
		const WeftJson *error = weft_json_at(errors, i);
		const char *stage = weft_json_string(weft_json_member(error, "stage"), NULL);
		const char *code = weft_json_string(weft_json_member(error, "code"), NULL);
		g_autofree char *name = g_strdup_printf("%s: %s", stage ? stage : "?", code ? code : "?");

		add_fault(report, name, document,
			  weft_json_string(weft_json_member(error, "message"), NULL));
	}
}

/* Pages, and the longest track, of a document. */
static void add_amount(WeftReport *report, const WeftJson *record)
{
	const WeftJson *tracks = weft_json_at_pointer(record, "/document/tracks");
	double longest = 0, seconds;

	report->n_pages += weft_json_length(weft_json_at_pointer(record, "/document/pages"));
	for (gsize i = 0; i < weft_json_length(tracks); i++)
		if (weft_json_double(weft_json_member(weft_json_at(tracks, i), "seconds"), &seconds) &&
		    seconds > longest && seconds < 3.6e8)
			longest = seconds;
	report->seconds += longest;
}

static void add_value(Field *field, const WeftValue *found)
{
	const char *kind = weft_json_string(weft_json_member(found->evidence, "kind"), NULL);

	for (guint i = 0; i < N_FIELDS; i++)
		field->n[i] += strcmp(found->status, FIELD_NAMES[i]) == 0;
	for (guint i = 0; i < N_KINDS; i++)
		field->n_kind[i] += g_strcmp0(kind, KIND_NAMES[i]) == 0;
	if (found->confidence >= 0) {
		field->confidence += found->confidence;
		field->n_sure++;
	}
}

/* `element`: pointer of an element of the answer, or "". */
static void add_values(WeftReport *report, const WeftJson *record, const char *element)
{
	for (guint i = 0; i < report->columns->list->len; i++) {
		const WeftColumn *column = report->columns->list->pdata[i];
		g_autofree char *pointer = g_strconcat(element, column->pointer, NULL);
		WeftValue found = weft_value_of(record, pointer);

		/* What the answer has no place for is of another schema. */
		if (found.value || weft_json_member(weft_json_member(record, "absent"), pointer))
			add_value(&g_array_index(report->fields, Field, i), &found);
	}
}

static void add_answer(WeftReport *report, const WeftJson *record)
{
	const WeftJson *answer = weft_json_member(record, "answer");

	if (!report->columns->has_elements || weft_json_type(answer) != WEFT_JSON_ARRAY) {
		add_values(report, record, "");
		return;
	}
	for (gsize i = 0; i < weft_json_length(answer); i++) {
		g_autofree char *element = g_strdup_printf("/%" G_GSIZE_FORMAT, i);

		add_values(report, record, element);
	}
}

/* A link to the document where it lies, or its name. Caller frees. */
static char *document_of(const WeftJson *record)
{
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record);
	const char *path = paths->len > 0 ? paths->pdata[0] : "?";
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *uri = paths->len > 0 ? g_filename_to_uri(absolute, NULL, NULL) : NULL;
	g_autofree char *shown = html_of(path);
	g_autofree char *href = uri ? g_markup_escape_text(uri, -1) : NULL;

	return href ? g_strdup_printf("<a href=\"%s\">%s</a>", href, shown) : g_strdup(shown);
}

void weft_report_add(WeftReport *report, const WeftJson *record, const char *link)
{
	const char *status = weft_json_string(weft_json_member(record, "status"), NULL);
	const char *type = weft_json_string(weft_json_at_pointer(record, "/source/media_type"), NULL);
	g_autofree char *document = document_of(record);

	report->n_records++;
	count(report->status, status);
	count(report->types, type);
	add_amount(report, record);
	add_faults(report, record, document);
	add_answer(report, record);
	if (report->n_rows == WEFT_REPORT_DOCUMENTS_MAX) {
		report->n_left_out++;
		return;
	}
	report->n_rows++;
	g_autofree char *shown_status = html_of(status), *shown_type = html_of(type);
	g_autofree char *href = g_markup_escape_text(link, -1);
	g_string_append_printf(report->rows,
			       "<tr><td class=\"name\">%s</td><td>%s</td><td>%s</td><td><a href=\"%s\">record</a></td></tr>\n",
			       document, shown_type, shown_status, href);
}

void weft_report_add_damaged(WeftReport *report, const char *message)
{
	count(report->status, "damaged");
	report->n_records++;
	add_fault(report, "record: damaged", "a record can't be read", message);
}

/* ---- the page ---- */

static const char HEAD[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
	":root{color-scheme:light dark}\n"
	"body{font:15px/1.45 sans-serif;max-width:72em;margin:2em auto;padding:0 1em}\n"
	"table{display:block;overflow-x:auto;font-size:13px;border-collapse:collapse;margin:.5em 0 1.5em}\n"
	"td,th{padding:.2em .6em .2em 0;text-align:left;vertical-align:top;border-bottom:1px solid #8884}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\ntd.n{white-space:nowrap}\n"
	"meter{width:5em}\nli{overflow-wrap:anywhere}\ntd.name{overflow-wrap:anywhere;min-width:6em}\n"
	"th{vertical-align:bottom}\n"
	"@media print{body{font-size:10px;margin:0}table{font-size:8px}meter{width:3em}}\n</style>\n";

typedef struct Count {
	const char *name;
	guint64 n;
} Count;

static int by_count(gconstpointer a, gconstpointer b)
{
	const Count *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->name, y->name);
}

static void write_counts(GString *html, const char *heading, GHashTable *table)
{
	g_autoptr(GArray) counts = g_array_new(FALSE, FALSE, sizeof(Count));
	GHashTableIter iter;
	gpointer name, n;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &name, &n)) {
		Count one = { name, *(guint64 *)n };

		g_array_append_val(counts, one);
	}
	g_array_sort(counts, by_count);
	g_string_append_printf(html, "<table><tr><th>%s</th><th class=\"n\">documents</th></tr>\n", heading);
	for (guint i = 0; i < counts->len; i++) {
		const Count *one = &g_array_index(counts, Count, i);
		g_autofree char *shown = html_of(one->name);

		g_string_append_printf(html, "<tr><td>%s</td><td class=\"n\">%" G_GUINT64_FORMAT "</td></tr>\n",
				       shown, one->n);
	}
	g_string_append(html, "</table>\n");
}

static void write_field(GString *html, const WeftColumn *column, const Field *field)
{
	g_autofree char *name = html_of(column->name);
	guint64 n_all = 0, n_filled = field->n[FIELD_FILLED] + field->n[FIELD_CORRECTED];
	char mean[G_ASCII_DTOSTR_BUF_SIZE] = "";

	for (guint i = 0; i < N_FIELDS; i++)
		n_all += field->n[i];
	if (n_all == 0)
		return;
	if (field->n_sure > 0)
		g_ascii_formatd(mean, sizeof mean, "%.2f", field->confidence / (double)field->n_sure);
	g_string_append_printf(html,
			       "<tr><td class=\"name\">%s</td><td><meter min=\"0\" max=\"%" G_GUINT64_FORMAT
			       "\" value=\"%" G_GUINT64_FORMAT "\"></meter></td><td class=\"n\">%" G_GUINT64_FORMAT
			       " of %" G_GUINT64_FORMAT "</td>", name, n_all, n_filled, n_filled, n_all);
	for (guint i = FIELD_CORRECTED; i < N_FIELDS; i++)
		g_string_append_printf(html, "<td class=\"n\">%" G_GUINT64_FORMAT "</td>", field->n[i]);
	for (guint i = 0; i < N_KINDS; i++)
		g_string_append_printf(html, "<td class=\"n\">%" G_GUINT64_FORMAT "</td>", field->n_kind[i]);
	g_string_append_printf(html, "<td class=\"n\">%s</td></tr>\n", mean);
}

static void write_fields(const WeftReport *report, GString *html)
{
	if (report->columns->list->len == 0)
		return;
	g_string_append(html, "<h2>Values</h2>\n<table><tr><th>field</th><th colspan=\"2\">filled</th>");
	for (guint i = FIELD_CORRECTED; i < N_FIELDS; i++)
		g_string_append_printf(html, "<th class=\"n\">%s</th>", FIELD_NAMES[i]);
	for (guint i = 0; i < N_KINDS; i++)
		g_string_append_printf(html, "<th class=\"n\">%s</th>",
				       i + 1 < N_KINDS ? KIND_NAMES[i] : "without evidence");
	g_string_append(html, "<th class=\"n\">mean confidence</th></tr>\n");
	for (guint i = 0; i < report->columns->list->len; i++)
		write_field(html, report->columns->list->pdata[i], &g_array_index(report->fields, Field, i));
	g_string_append(html, "</table>\n");
}

static int by_faults(gconstpointer a, gconstpointer b)
{
	const Fault *x = *(Fault *const *)a, *y = *(Fault *const *)b;

	return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->name, y->name);
}

static void write_faults(const WeftReport *report, GString *html)
{
	g_autoptr(GPtrArray) faults = g_ptr_array_new();
	GHashTableIter iter;
	gpointer fault;

	g_hash_table_iter_init(&iter, report->faults);
	while (g_hash_table_iter_next(&iter, NULL, &fault))
		g_ptr_array_add(faults, fault);
	g_ptr_array_sort(faults, by_faults);
	if (faults->len > 0)
		g_string_append(html, "<h2>What went wrong</h2>\n");
	for (guint i = 0; i < faults->len; i++) {
		const Fault *one = faults->pdata[i];
		g_autofree char *name = html_of(one->name);

		g_string_append_printf(html, "<h3>%s (%" G_GUINT64_FORMAT ")</h3>\n<ul>\n", name, one->n);
		for (guint k = 0; k < one->examples->len; k++)
			g_string_append_printf(html, "<li>%s</li>\n", (char *)one->examples->pdata[k]);
		if (one->n > one->examples->len)
			g_string_append_printf(html, "<li>and %" G_GUINT64_FORMAT " more</li>\n",
					       one->n - one->examples->len);
		g_string_append(html, "</ul>\n");
	}
}

/* How much was looked at, in a line. */
static void write_amount(const WeftReport *report, GString *html)
{
	guint64 minutes = (guint64)(report->seconds / 60 + 0.5);

	g_string_append_printf(html, "<p>%" G_GUINT64_FORMAT " documents, %" G_GUINT64_FORMAT " pages",
			       report->n_records, report->n_pages);
	if (report->seconds >= 60)
		g_string_append_printf(html, ", %" G_GUINT64_FORMAT " h %02u min of sound and video", minutes / 60,
				       (guint)(minutes % 60));
	else if (report->seconds > 0)
		g_string_append_printf(html, ", %u s of sound and video", (guint)(report->seconds + 0.5));
	g_string_append(html, "</p>\n");
}

void weft_report_write(const WeftReport *report, const char *title, GString *html)
{
	g_autofree char *shown = html_of(title);

	g_string_append_printf(html, "%s<title>%s</title></head><body>\n<h1>%s</h1>\n", HEAD, shown, shown);
	write_amount(report, html);
	write_counts(html, "status", report->status);
	write_counts(html, "type of file", report->types);
	write_fields(report, html);
	write_faults(report, html);
	g_string_append(html, "<h2>Documents</h2>\n");
	if (report->n_left_out > 0)
		g_string_append_printf(html, "<p>The first %u; weft export -f csv has the other %" G_GUINT64_FORMAT
				       ", too.</p>\n", report->n_rows, report->n_left_out);
	g_string_append_printf(html, "<table><tr><th>document</th><th>type of file</th><th>status</th><th></th></tr>\n"
			       "%s</table>\n</body></html>\n", report->rows->str);
}
