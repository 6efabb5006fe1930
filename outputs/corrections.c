#include "outputs/corrections.h"

#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "outputs/csv.h"

#define FILE_BYTES_MAX ((gsize)256 << 20)
#define VALUE_BYTES_MAX ((gsize)1 << 20)
#define NAME_BYTES_MAX ((gsize)1000)
#define N_COLUMNS 5
#define ID_PREFIX "sha256:"
#define HEX_BYTES 64u

struct WeftCorrections {
	char *name;           /* of the file, for messages */
	GHashTable *of_record; /* id (char *) -> Said */
	guint n;
};

/* Of one record. */
typedef struct Said {
	GPtrArray *list;        /* WeftCorrection */
	GHashTable *by_pointer; /* borrowed pointer -> its index + 1 in the list */
} Said;

static void said_free(void *data)
{
	Said *said = data;

	g_hash_table_unref(said->by_pointer);
	g_ptr_array_unref(said->list);
	g_free(said);
}

static void correction_free(void *data)
{
	WeftCorrection *correction = data;

	if (!correction)
		return;
	g_free(correction->pointer);
	g_free(correction->value);
	g_free(correction->who);
	g_free(correction->when);
	g_free(correction);
}

WeftCorrections *weft_corrections_new(void)
{
	WeftCorrections *corrections = g_new0(WeftCorrections, 1);

	corrections->name = g_strdup("corrections");
	corrections->of_record = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						       said_free);
	return corrections;
}

void weft_corrections_free(WeftCorrections *corrections)
{
	if (!corrections)
		return;
	g_free(corrections->name);
	g_hash_table_unref(corrections->of_record);
	g_free(corrections);
}

/* ---- a line ---- */

/* "sha256:..." in small letters; NULL: no id. Caller frees. */
static char *id_of(const char *cell)
{
	const char *hex = g_str_has_prefix(cell, ID_PREFIX) ? cell + strlen(ID_PREFIX) : cell;

	if (strlen(hex) != HEX_BYTES || strspn(hex, "0123456789abcdefABCDEF") != HEX_BYTES)
		return NULL;
	g_autofree char *small = g_ascii_strdown(hex, -1);

	return g_strconcat(ID_PREFIX, small, NULL);
}

static gboolean is_pointer(const char *text)
{
	if (*text != '\0' && *text != '/')
		return FALSE;
	for (const char *tilde = strchr(text, '~'); tilde; tilde = strchr(tilde + 1, '~'))
		if (tilde[1] != '0' && tilde[1] != '1')
			return FALSE;
	return TRUE;
}

/* In the place of an earlier one about the same. */
static void put(WeftCorrections *corrections, const char *id, WeftCorrection *take_correction)
{
	Said *said = g_hash_table_lookup(corrections->of_record, id);

	if (!said) {
		said = g_new0(Said, 1);
		said->list = g_ptr_array_new_with_free_func(correction_free);
		said->by_pointer = g_hash_table_new(g_str_hash, g_str_equal);
		g_hash_table_insert(corrections->of_record, g_strdup(id), said);
	}
	guint place = GPOINTER_TO_UINT(g_hash_table_lookup(said->by_pointer,
							   take_correction->pointer));
	if (place > 0) {
		g_hash_table_remove(said->by_pointer, take_correction->pointer);
		correction_free(said->list->pdata[place - 1]);
		said->list->pdata[place - 1] = take_correction;
	} else {
		g_ptr_array_add(said->list, take_correction);
		place = said->list->len;
		corrections->n++;
	}
	g_hash_table_insert(said->by_pointer, take_correction->pointer, GUINT_TO_POINTER(place));
}

/* Programs of tables leave rows of separators behind what was deleted. */
static gboolean is_empty(const GPtrArray *cells)
{
	for (guint i = 0; i < cells->len; i++)
		if (*(const char *)cells->pdata[i] != '\0')
			return FALSE;
	return TRUE;
}

/* Why the line can't be used, or NULL: it was added, or is empty. Caller frees. */
static char *add_line(WeftCorrections *corrections, const GPtrArray *cells, guint64 line)
{
	if (is_empty(cells))
		return NULL;
	if (cells->len != N_COLUMNS)
		return g_strdup_printf("%u cells, not the %d of id,pointer,value,who,when", cells->len,
				       N_COLUMNS);
	const char *pointer = cells->pdata[1], *value = cells->pdata[2];
	g_autofree char *id = id_of(cells->pdata[0]);
	g_autoptr(GError) error = NULL;

	if (!id)
		return g_strdup("the id is not \"sha256:\" and 64 digits, as weft show prints it");
	if (!is_pointer(pointer))
		return g_strdup("the pointer is no JSON pointer, as in /items/0/price");
	if (strlen(value) > VALUE_BYTES_MAX || strlen(cells->pdata[3]) > NAME_BYTES_MAX ||
	    strlen(cells->pdata[4]) > NAME_BYTES_MAX)
		return g_strdup("a cell is too long");
	g_autoptr(WeftJson) tree = weft_json_parse(value, strlen(value), WEFT_JSON_STRICT, &error);
	if (!tree)
		return g_strdup_printf("the value is not JSON (%s): a number is written 1240.50, a text in quotes, "
				       "which are \"so\" in a cell of a table and \"\"\"so\"\"\" in the file",
				       error->message);
	WeftCorrection *correction = g_new0(WeftCorrection, 1);

	*correction = (WeftCorrection){ g_strdup(pointer), weft_json_compact(tree), g_strdup(cells->pdata[3]),
					g_strdup(cells->pdata[4]), line };
	put(corrections, id, correction);
	return NULL;
}

static gboolean is_heading(const GPtrArray *cells)
{
	static const char *const names[N_COLUMNS] = { "id", "pointer", "value", "who", "when" };

	for (guint i = 0; cells->len == N_COLUMNS && i < N_COLUMNS; i++)
		if (strcmp(cells->pdata[i], names[i]) != 0)
			return FALSE;
	return cells->len == N_COLUMNS;
}

/* Where a comma stands in numbers, programs of tables write semicolons between cells, others tabs. An id has
 * none of them, so what stands behind the first word is the separator. */
static char separator_of(const WeftCsvReader *reader)
{
	const char *at = reader->at;

	while (at < reader->end && (g_ascii_isalnum(*at) || *at == ':' || *at == '"'))
		at++;
	return at < reader->end && (*at == ';' || *at == '\t') ? *at : ',';
}

static void tell(const WeftCorrections *corrections, guint64 line, const char *why, GPtrArray *bad)
{
	g_ptr_array_add(bad, g_strdup_printf("%s: line %" G_GUINT64_FORMAT ": %s",
					     corrections->name, line, why));
}

WeftCorrections *weft_corrections_parse(const char *name, const char *text, gsize size_bytes,
					GPtrArray *bad)
{
	g_autoptr(WeftCorrections) corrections = weft_corrections_new();
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	WeftCsvReader reader;
	guint64 line;

	g_free(corrections->name);
	corrections->name = weft_path_display(name);
	weft_csv_reader_init(&reader, text, size_bytes);
	reader.separator = separator_of(&reader);
	for (gboolean is_first = TRUE;; is_first = FALSE) {
		g_autoptr(GError) fault = NULL;
		g_autofree char *why = NULL;

		if (!weft_csv_next(&reader, cells, &line, &fault)) {
			tell(corrections, line, fault->message, bad);
			continue;
		}
		if (cells->len == 0)
			return g_steal_pointer(&corrections);
		if (!(is_first && is_heading(cells)))
			why = add_line(corrections, cells, line);
		if (why)
			tell(corrections, line, why, bad);
	}
}

WeftCorrections *weft_corrections_read(const char *path, GPtrArray *bad, GError **error)
{
	g_autofree char *text = NULL;
	gsize size;

	if (!weft_file_read(path, FILE_BYTES_MAX, &text, &size, error))
		return NULL;
	return weft_corrections_parse(path, text, size, bad);
}

/* ---- asking ---- */

guint weft_corrections_count(const WeftCorrections *corrections)
{
	return corrections->n;
}

const GPtrArray *weft_corrections_of(const WeftCorrections *corrections, const char *id)
{
	const Said *said = id ? g_hash_table_lookup(corrections->of_record, id) : NULL;

	return said ? said->list : NULL;
}

GPtrArray *weft_corrections_ids(const WeftCorrections *corrections)
{
	return weft_names_of_keys(corrections->of_record);
}

/* ---- values ---- */

static gboolean is_equal_number(const WeftJson *a, const WeftJson *b)
{
	double x, y;

	if (strcmp(weft_json_raw_number(a), weft_json_raw_number(b)) == 0)
		return TRUE;
	return weft_json_double(a, &x) && weft_json_double(b, &y) && x == y;
}

static gboolean is_equal_object(const WeftJson *a, const WeftJson *b)
{
	for (gsize i = 0; i < weft_json_length(a); i++) {
		const char *key = weft_json_key_at(a, i, NULL);
		const WeftJson *other = weft_json_member(b, key);

		if (!other || !weft_json_is_equal(weft_json_at(a, i), other))
			return FALSE;
	}
	return TRUE;
}

/* The reader of JSON bounds the depth. */
gboolean weft_json_is_equal(const WeftJson *a, const WeftJson *b)
{
	gsize size_a = 0, size_b = 0;

	if (weft_json_type(a) != weft_json_type(b) || weft_json_length(a) != weft_json_length(b))
		return FALSE;
	switch (weft_json_type(a)) {
	case WEFT_JSON_NUMBER:
		return is_equal_number(a, b);
	case WEFT_JSON_STRING: {
		const char *x = weft_json_string(a, &size_a), *y = weft_json_string(b, &size_b);

		return size_a == size_b && memcmp(x, y, size_a) == 0;
	}
	case WEFT_JSON_ARRAY:
		for (gsize i = 0; i < weft_json_length(a); i++)
			if (!weft_json_is_equal(weft_json_at(a, i), weft_json_at(b, i)))
				return FALSE;
		return TRUE;
	case WEFT_JSON_OBJECT:
		return is_equal_object(a, b);
	default:
		return TRUE;
	}
}

/* ---- applying ---- */

typedef struct Applying {
	const Said *said;
	GHashTable *within;  /* pointer of a parent (char *) -> GPtrArray of WeftCorrection */
	GHashTable *used;    /* WeftCorrection */
	WeftJsonWriter *writer;
} Applying;

static const WeftCorrection *correction_at(const Applying *applying, const char *pointer)
{
	guint place = GPOINTER_TO_UINT(g_hash_table_lookup(applying->said->by_pointer, pointer));

	return place > 0 ? applying->said->list->pdata[place - 1] : NULL;
}

static void write_correction(Applying *applying, const WeftCorrection *correction)
{
	g_hash_table_add(applying->used, (gpointer)correction);
	weft_json_write_raw(applying->writer, correction->value, strlen(correction->value));
}

/* The last token of a pointer as a key. Caller frees. */
static char *last_token(const char *pointer)
{
	GString *token = g_string_new(strrchr(pointer, '/') + 1);

	g_string_replace(token, "~1", "/", 0);
	g_string_replace(token, "~0", "~", 0);
	return g_string_free(token, FALSE);
}

/* What people have added to an object, or behind the end of an array. */
static void write_added(Applying *applying, const WeftJson *value, const char *pointer)
{
	const GPtrArray *list = g_hash_table_lookup(applying->within, pointer);
	gsize n = weft_json_length(value);

	for (guint i = 0; list && i < list->len; i++) {
		const WeftCorrection *correction = list->pdata[i];
		g_autofree char *key = last_token(correction->pointer);

		if (weft_json_type(value) == WEFT_JSON_OBJECT) {
			if (weft_json_member(value, key))
				continue;
			weft_json_write_key(applying->writer, key);
		} else {
			g_autofree char *next = g_strdup_printf("%" G_GSIZE_FORMAT, n);

			if (strcmp(key, next) != 0)
				continue;
			n++;
		}
		write_correction(applying, correction);
	}
}

static void write_value(Applying *applying, const WeftJson *value, GString *pointer)
{
	const WeftCorrection *correction = correction_at(applying, pointer->str);
	WeftJsonType type = weft_json_type(value);
	gsize size = pointer->len;

	if (correction) {
		write_correction(applying, correction);
		return;
	}
	if (type != WEFT_JSON_OBJECT && type != WEFT_JSON_ARRAY) {
		weft_json_write_tree(applying->writer, value);
		return;
	}
	if (type == WEFT_JSON_OBJECT)
		weft_json_write_object(applying->writer);
	else
		weft_json_write_array(applying->writer);
	for (gsize i = 0; i < weft_json_length(value); i++) {
		char number[24];
		const char *key = weft_json_key_at(value, i, NULL);

		if (key) {
			weft_json_write_key(applying->writer, key);
		} else {
			g_snprintf(number, sizeof number, "%" G_GSIZE_FORMAT, i);
			key = number;
		}
		weft_json_pointer_add(pointer, key, strlen(key));
		write_value(applying, weft_json_at(value, i), pointer);
		g_string_truncate(pointer, size);
	}
	write_added(applying, value, pointer->str);
	if (type == WEFT_JSON_OBJECT)
		weft_json_write_object_end(applying->writer);
	else
		weft_json_write_array_end(applying->writer);
}

static void write_said(const Applying *applying, const WeftJson *answer)
{
	WeftJsonWriter *w = applying->writer;

	weft_json_write_key(w, "corrections");
	weft_json_write_object(w);
	for (guint i = 0; i < applying->said->list->len; i++) {
		const WeftCorrection *correction = applying->said->list->pdata[i];
		const WeftJson *was = weft_json_at_pointer(answer, correction->pointer);
		g_autoptr(WeftJson) is = weft_json_parse(correction->value, strlen(correction->value),
							 WEFT_JSON_STRICT, NULL);

		if (!g_hash_table_contains(applying->used, correction))
			continue;
		weft_json_write_key(w, correction->pointer);
		weft_json_write_object(w);
		weft_json_write_key(w, "confirms");
		weft_json_write_bool(w, was && weft_json_is_equal(was, is));
		if (was) {
			weft_json_write_key(w, "was");
			weft_json_write_tree(w, was);
		}
		weft_json_write_key(w, "who");
		weft_json_write_string(w, correction->who);
		weft_json_write_key(w, "when");
		weft_json_write_string(w, correction->when);
		weft_json_write_object_end(w);
	}
	weft_json_write_object_end(w);
}

static GHashTable *by_parent(const GPtrArray *list)
{
	GHashTable *within = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						   (GDestroyNotify)g_ptr_array_unref);

	for (guint i = 0; i < list->len; i++) {
		WeftCorrection *correction = list->pdata[i];
		const char *slash = strrchr(correction->pointer, '/');

		if (!slash)
			continue;
		g_autofree char *parent = g_strndup(correction->pointer,
						    (gsize)(slash - correction->pointer));
		GPtrArray *children = g_hash_table_lookup(within, parent);
		if (!children) {
			children = g_ptr_array_new();
			g_hash_table_insert(within, g_steal_pointer(&parent), children);
		}
		g_ptr_array_add(children, correction);
	}
	return within;
}

static void tell_unused(const WeftCorrections *corrections, const Applying *applying, GPtrArray *bad)
{
	for (guint i = 0; i < applying->said->list->len; i++) {
		const WeftCorrection *correction = applying->said->list->pdata[i];
		g_autofree char *why = g_strdup_printf("the record's answer has no place %s",
						       correction->pointer);

		if (!g_hash_table_contains(applying->used, correction))
			tell(corrections, correction->line, why, bad);
	}
}

WeftJson *weft_corrections_apply(const WeftCorrections *corrections, WeftJson *take_record,
				 GPtrArray *bad, GError **error)
{
	g_autoptr(WeftJson) record = take_record;
	const char *id = weft_json_string(weft_json_member(record, "id"), NULL);
	const Said *said = id ? g_hash_table_lookup(corrections->of_record, id) : NULL;
	const WeftJson *answer = weft_json_member(record, "answer");

	if (!said)
		return g_steal_pointer(&record);
	g_autoptr(GString) text = g_string_new(NULL), pointer = g_string_new(NULL);
	g_autoptr(GHashTable) within = by_parent(said->list);
	g_autoptr(GHashTable) used = g_hash_table_new(g_direct_hash, g_direct_equal);
	WeftJsonWriter writer;
	Applying applying = { said, within, used, &writer };

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	for (gsize i = 0; i < weft_json_length(record); i++) {
		const char *key = weft_json_key_at(record, i, NULL);

		if (strcmp(key, "corrections") == 0)
			continue;
		weft_json_write_key(&writer, key);
		if (strcmp(key, "answer") == 0)
			write_value(&applying, answer, pointer);
		else
			weft_json_write_tree(&writer, weft_json_at(record, i));
	}
	write_said(&applying, answer);
	weft_json_write_object_end(&writer);
	tell_unused(corrections, &applying, bad);
	return weft_json_parse(text->str, text->len, WEFT_JSON_STRICT, error);
}
