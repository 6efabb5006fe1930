/* export_docling.c - a record as a DoclingDocument, the JSON of docling-core (schema 1.10).
 *
 * What the record says was read becomes texts, tables and pictures, in reading order, with their place:
 * `prov` (page, box from the top left, in points; a picture is its page 1, in pixels), or for sound
 * and video a `source` track with seconds and who speaks. What a picture or a frame was read to say is a
 * text inside it. Hidden text is not in it, nor is the answer: docling has no place for one. Of several
 * files that are one document the pages of each are counted on behind those of the one before.
 */
#include <string.h>

#include "base/utf8.h"
#include "outputs/export.h"

#define SCHEMA_VERSION "1.10.0"
#define CELLS_MAX 100000u

typedef enum { TEXTS, TABLES, PICTURES, N_LISTS } List;
static const char *const LIST_NAMES[N_LISTS] = { "texts", "tables", "pictures" };

typedef struct Docling {
	GString *lists[N_LISTS];
	WeftJsonWriter writers[N_LISTS];
	guint n[N_LISTS];
	GString *children; /* of the body */
	WeftJsonWriter body;
	double sides[2];   /* of a picture: what its boxes reach */
	GArray *pages_before; /* guint64, by the number of the file; 0 stands for the only one */
} Docling;

static void write_text(WeftJsonWriter *w, const char *key, const char *value)
{
	weft_json_write_key(w, key);
	weft_json_write_string(w, value);
}

static void write_count(WeftJsonWriter *w, const char *key, guint64 value)
{
	weft_json_write_key(w, key);
	weft_json_write_uint(w, value);
}

static void write_double(WeftJsonWriter *w, const char *key, double value)
{
	weft_json_write_key(w, key);
	(void)weft_json_write_double(w, value); /* finite: it was read from JSON */
}

static void write_ref(WeftJsonWriter *w, const char *reference)
{
	weft_json_write_object(w);
	write_text(w, "$ref", reference);
	weft_json_write_object_end(w);
}

static void write_empty(WeftJsonWriter *w, const char *key)
{
	weft_json_write_key(w, key);
	weft_json_write_array(w);
	weft_json_write_array_end(w);
}

/* ---- places ---- */

/* A file without pages takes one. */
static GArray *count_pages_before(const WeftJson *record)
{
	const WeftJson *pages = weft_json_at_pointer(record, "/document/pages");
	gsize n_parts = weft_json_length(weft_json_at_pointer(record, "/source/parts"));
	GArray *before = g_array_new(FALSE, TRUE, sizeof(guint64));

	g_array_set_size(before, (guint)n_parts + 2);
	for (gsize i = 0; i < weft_json_length(pages); i++) {
		const WeftJson *page = weft_json_at(pages, i);
		guint64 document = 0, n = 0;

		if (weft_json_uint(weft_json_member(page, "document"), &document) &&
		    weft_json_uint(weft_json_member(page, "n"), &n) && document <= n_parts)
			g_array_index(before, guint64, document + 1) =
				MAX(g_array_index(before, guint64, document + 1), n);
	}
	for (guint i = 2; i < before->len; i++)
		g_array_index(before, guint64, i) =
			MAX(g_array_index(before, guint64, i), 1) + g_array_index(before, guint64, i - 1);
	return before;
}

/* Of a page, or of a place on one: its number in all. */
static guint64 page_in_all(const Docling *docling, const WeftJson *object, guint64 n)
{
	guint64 document = 0;

	if (!weft_json_uint(weft_json_member(object, "document"), &document) ||
	    document >= docling->pages_before->len)
		document = 0;
	return g_array_index(docling->pages_before, guint64, document) + n;
}

static gboolean read_numbers(const WeftJson *list, double *values, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (!weft_json_double(weft_json_at(list, i), &values[i]))
			return FALSE;
	return TRUE;
}

/* Pages in ProvenanceItem count from 1 and need a box. */
static void write_prov(Docling *docling, WeftJsonWriter *w, const WeftJson *at, const char *text)
{
	static const char *const sides[] = { "l", "t", "r", "b" };
	double box[4];
	guint64 page = 1;
	gboolean has_page = weft_json_uint(weft_json_member(at, "page"), &page);

	if (!read_numbers(weft_json_member(at, "bbox"), box, 4) ||
	    (!has_page && weft_json_member(at, "time")))
		return;
	if (!has_page)
		for (int i = 0; i < 2; i++)
			docling->sides[i] = MAX(docling->sides[i], box[i + 2]);
	weft_json_write_object(w);
	write_count(w, "page_no", page_in_all(docling, at, page));
	weft_json_write_key(w, "bbox");
	weft_json_write_object(w);
	for (int i = 0; i < 4; i++)
		write_double(w, sides[i], box[i]);
	write_text(w, "coord_origin", "TOPLEFT");
	weft_json_write_object_end(w);
	weft_json_write_key(w, "charspan");
	weft_json_write_array(w);
	weft_json_write_uint(w, 0);
	weft_json_write_uint(w, text ? weft_utf8_length(text, strlen(text)) : 0);
	weft_json_write_array_end(w);
	weft_json_write_object_end(w);
}

static void write_track(WeftJsonWriter *w, const WeftJson *at, const char *speaker)
{
	double time[2];

	if (!read_numbers(weft_json_member(at, "time"), time, 2))
		return;
	weft_json_write_object(w);
	write_text(w, "kind", "track");
	write_double(w, "start_time", time[0]);
	/* it has to end behind its begin */
	write_double(w, "end_time", MAX(time[1], time[0] + 0.001));
	if (speaker)
		write_text(w, "voice", speaker);
	weft_json_write_object_end(w);
}

static void write_places(Docling *docling, WeftJsonWriter *w, const WeftJson *item, const char *text)
{
	const WeftJson *places = weft_json_member(item, "at");
	const char *speaker = weft_json_string(weft_json_member(item, "speaker"), NULL);

	weft_json_write_key(w, "prov");
	weft_json_write_array(w);
	for (gsize i = 0; i < weft_json_length(places); i++)
		write_prov(docling, w, weft_json_at(places, i), text);
	weft_json_write_array_end(w);
	if (!weft_json_member(weft_json_at(places, 0), "time"))
		return;
	weft_json_write_key(w, "source");
	weft_json_write_array(w);
	for (gsize i = 0; i < weft_json_length(places); i++)
		write_track(w, weft_json_at(places, i), speaker);
	weft_json_write_array_end(w);
}

/* ---- items ---- */

/* The begin of an item in its list; the caller ends the object. `parent` NULL: the body. */
static WeftJsonWriter *begin_item(Docling *docling, List list, const char *label, const char *parent,
				  const char *child)
{
	WeftJsonWriter *w = &docling->writers[list];
	g_autofree char *self = g_strdup_printf("#/%s/%u", LIST_NAMES[list], docling->n[list]++);

	if (!parent)
		write_ref(&docling->body, self);
	weft_json_write_object(w);
	write_text(w, "self_ref", self);
	weft_json_write_key(w, "parent");
	write_ref(w, parent ? parent : "#/body");
	weft_json_write_key(w, "children");
	weft_json_write_array(w);
	if (child)
		write_ref(w, child);
	weft_json_write_array_end(w);
	write_text(w, "content_layer", "body");
	write_text(w, "label", label);
	return w;
}

static void add_text(Docling *docling, const WeftJson *item, const char *text, const char *parent)
{
	WeftJsonWriter *w = begin_item(docling, TEXTS, "text", parent, NULL);

	write_places(docling, w, item, text);
	write_text(w, "orig", text);
	write_text(w, "text", text);
	weft_json_write_object_end(w);
}

static void add_picture(Docling *docling, const WeftJson *item, const char *text)
{
	g_autofree char *self = g_strdup_printf("#/pictures/%u", docling->n[PICTURES]);
	g_autofree char *child = g_strdup_printf("#/texts/%u", docling->n[TEXTS]);
	gboolean has_text = text && *text;
	WeftJsonWriter *w = begin_item(docling, PICTURES, "picture", NULL, has_text ? child : NULL);

	write_places(docling, w, item, NULL);
	write_empty(w, "captions");
	write_empty(w, "references");
	write_empty(w, "footnotes");
	write_empty(w, "annotations");
	weft_json_write_object_end(w);
	if (has_text)
		add_text(docling, item, text, self);
}

static void write_cell(WeftJsonWriter *w, const char *text, gsize row, gsize column)
{
	weft_json_write_object(w);
	write_count(w, "start_row_offset_idx", row);
	write_count(w, "end_row_offset_idx", row + 1);
	write_count(w, "start_col_offset_idx", column);
	write_count(w, "end_col_offset_idx", column + 1);
	write_text(w, "text", text);
	weft_json_write_object_end(w);
}

/* A record's table has a line for each row, its cells divided by tabs. */
static gboolean is_table(char **lines, gsize *ret_n_rows, gsize *ret_n_columns)
{
	*ret_n_rows = *ret_n_columns = 0;
	for (gsize i = 0; lines[i]; i++) {
		gsize n = 1;

		for (const char *tab = strchr(lines[i], '\t'); tab; tab = strchr(tab + 1, '\t'))
			n++;
		*ret_n_columns = MAX(*ret_n_columns, n);
		*ret_n_rows = i + 1;
	}
	return *ret_n_columns > 0 && *ret_n_rows <= CELLS_MAX / *ret_n_columns;
}

static void add_table(Docling *docling, const WeftJson *item, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	gsize n_rows, n_columns;

	if (!is_table(lines, &n_rows, &n_columns)) {
		add_text(docling, item, text, NULL);
		return;
	}
	WeftJsonWriter *w = begin_item(docling, TABLES, "table", NULL, NULL);

	write_places(docling, w, item, text);
	write_empty(w, "captions");
	write_empty(w, "references");
	write_empty(w, "footnotes");
	weft_json_write_key(w, "data");
	weft_json_write_object(w);
	weft_json_write_key(w, "table_cells");
	weft_json_write_array(w);
	for (gsize i = 0; lines[i]; i++) {
		g_auto(GStrv) cells = g_strsplit(lines[i], "\t", -1);

		for (gsize k = 0; cells[k]; k++)
			write_cell(w, cells[k], i, k);
	}
	weft_json_write_array_end(w);
	write_count(w, "num_rows", n_rows);
	write_count(w, "num_cols", n_columns);
	weft_json_write_object_end(w);
	weft_json_write_object_end(w);
}

static void add_item(Docling *docling, const WeftJson *item)
{
	const char *kind = weft_json_string(weft_json_member(item, "kind"), NULL);
	const char *text = weft_json_string(weft_json_member(item, "text"), NULL);

	if (g_strcmp0(kind, "image") == 0 || g_strcmp0(kind, "frame") == 0)
		add_picture(docling, item, text);
	else if (g_strcmp0(kind, "table") == 0 && text)
		add_table(docling, item, text);
	else if (text && *text)
		add_text(docling, item, text, NULL);
}

/* ---- the document ---- */

/* docling-core refuses names that Python's list has not: those that weft reads and it has. */
static const char *known_type(const char *media_type)
{
	static const char *const types[] = {
		"application/pdf", "image/gif", "image/jpeg", "image/png", "image/tiff", "text/plain",
		"audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/x-wav", "video/mp4",
		"video/mpeg", "video/quicktime", "video/webm", "video/x-msvideo", "text/vtt",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_strcmp0(media_type, types[i]) == 0)
			return types[i];
	return "application/octet-stream";
}

static void write_origin(WeftJsonWriter *w, const WeftJson *source, const char *title)
{
	const char *sha256 = weft_json_string(weft_json_member(source, "sha256"), NULL);
	const char *type = weft_json_string(weft_json_member(source, "media_type"), NULL);

	if (!sha256 || strlen(sha256) != 64)
		return;
	weft_json_write_key(w, "origin");
	weft_json_write_object(w);
	write_text(w, "mimetype", known_type(type));
	/* as docling has it: the last 64 bits */
	write_count(w, "binary_hash", g_ascii_strtoull(sha256 + 48, NULL, 16));
	write_text(w, "filename", title);
	weft_json_write_object_end(w);
}

static void write_group(WeftJsonWriter *w, const char *key, const char *self, const char *layer,
			const GString *children)
{
	weft_json_write_key(w, key);
	weft_json_write_object(w);
	write_text(w, "self_ref", self);
	weft_json_write_key(w, "children");
	weft_json_write_raw(w, children ? children->str : "[]", children ? children->len : 2);
	write_text(w, "content_layer", layer);
	write_text(w, "name", "_root_");
	write_text(w, "label", "unspecified");
	weft_json_write_object_end(w);
}

static void write_page(WeftJsonWriter *w, guint64 n, double width, double height)
{
	g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT, n);

	weft_json_write_key(w, key);
	weft_json_write_object(w);
	weft_json_write_key(w, "size");
	weft_json_write_object(w);
	write_double(w, "width", width);
	write_double(w, "height", height);
	weft_json_write_object_end(w);
	write_count(w, "page_no", n);
	weft_json_write_object_end(w);
}

static void write_pages(const Docling *docling, WeftJsonWriter *w, const WeftJson *pages)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autofree guint64 *numbers = g_new(guint64, weft_json_length(pages) + 1);

	weft_json_write_key(w, "pages");
	weft_json_write_object(w);
	for (gsize i = 0; i < weft_json_length(pages); i++) {
		const WeftJson *page = weft_json_at(pages, i);
		double width, height;

		if (weft_json_uint(weft_json_member(page, "n"), &numbers[i]) &&
		    weft_json_double(weft_json_member(page, "width"), &width) &&
		    weft_json_double(weft_json_member(page, "height"), &height)) {
			numbers[i] = page_in_all(docling, page, numbers[i]);
			if (!g_hash_table_add(seen, &numbers[i]))
				continue;
			write_page(w, numbers[i], width, height);
		}
	}
	if (weft_json_length(pages) == 0 && docling->sides[0] > 0)
		write_page(w, 1, docling->sides[0], docling->sides[1]);
	weft_json_write_object_end(w);
}

static void write_document(Docling *docling, GString *out, const WeftJson *record)
{
	g_autofree char *title = weft_export_title(record);
	WeftJsonWriter w;

	weft_json_writer_init(&w, out);
	weft_json_write_object(&w);
	write_text(&w, "schema_name", "DoclingDocument");
	write_text(&w, "version", SCHEMA_VERSION);
	write_text(&w, "name", title);
	write_origin(&w, weft_json_member(record, "source"), title);
	write_group(&w, "furniture", "#/furniture", "furniture", NULL);
	write_group(&w, "body", "#/body", "body", docling->children);
	write_empty(&w, "groups");
	for (List list = 0; list < N_LISTS; list++) {
		weft_json_write_key(&w, LIST_NAMES[list]);
		weft_json_write_raw(&w, docling->lists[list]->str, docling->lists[list]->len);
	}
	write_empty(&w, "key_value_items");
	write_empty(&w, "form_items");
	write_pages(docling, &w, weft_json_member(weft_json_member(record, "document"), "pages"));
	weft_json_write_object_end(&w);
	g_string_append_c(out, '\n');
}

gboolean weft_export_docling(GString *out, const WeftJson *record)
{
	const WeftJson *content = weft_json_member(record, "content");
	Docling docling = { .children = g_string_new(NULL), .pages_before = count_pages_before(record) };

	weft_json_writer_init(&docling.body, docling.children);
	weft_json_write_array(&docling.body);
	for (List list = 0; list < N_LISTS; list++) {
		docling.lists[list] = g_string_new(NULL);
		weft_json_writer_init(&docling.writers[list], docling.lists[list]);
		weft_json_write_array(&docling.writers[list]);
	}
	for (gsize i = 0; i < weft_json_length(content); i++)
		add_item(&docling, weft_json_at(content, i));
	weft_json_write_array_end(&docling.body);
	for (List list = 0; list < N_LISTS; list++)
		weft_json_write_array_end(&docling.writers[list]);
	write_document(&docling, out, record);
	g_string_free(docling.children, TRUE);
	g_array_unref(docling.pages_before);
	for (List list = 0; list < N_LISTS; list++)
		g_string_free(docling.lists[list], TRUE);
	return TRUE;
}
