#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "outputs/pointed_time.h"
#include "outputs/record.h"
#include "outputs/standing.h"
#include "schema/schema.h"

/* Values that are looked for; the rest of a huge answer gets no evidence. */
#define SCALARS_MAX 10000
/* A value this long is looked for inside words too: who writes freely may leave an ending out. */
#define INSIDE_WORD_CHARS 3
#define OCCURRENCES_MAX 1000

typedef struct Tracer {
	WeftRecord *record;
	const WeftTraceRules *rules;
	WeftStanding *standing;
	GHashTable *last;    /* column of a list -> WeftSpot of the value found last */
	GHashTable *known;   /* pointers that have a reason or evidence already */
	GHashTable *doubted; /* pointers of values that become null */
	GPtrArray *times;    /* char *: pointer, text ... of several files: what stands beside them counts */
	GHashTable *taken;   /* spots of values in lists, by name */
	WeftSpot previous;   /* of the value in no list before, if there is one */
	gboolean has_previous;
	gsize n_scalars;
} Tracer;

/* A scalar of the answer, and what was found for it. */
typedef struct Value {
	const char *pointer;
	const char *text;   /* of the string, or the number as it is written */
	char *column;       /* the pointer with stars for indices */
	char *normal;       /* as running texts have it; NULL: it could stand nowhere */
	gboolean is_day, is_number, is_verbatim, is_in_array;
	guint32 window;
	WeftDecimal number; /* is_number */
	WeftProvenanceKind kind;
	WeftSpot spot;
	WeftReadings readings; /* n > 1: it is one of these */
} Value;

/* ---- one value ---- */

static guint32 window_of(const Tracer *tracer, const char *pointer)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(tracer->record->value_windows, pointer));
}

static gboolean is_day(const char *text)
{
	WeftDay day;
	gsize at = 0, size = strlen(text);

	return size == WEFT_DAY_CHARS - 2 && text[4] == '-' && weft_day_next(text, size, &at, &day) &&
	       day.end == size;
}

/* A number by its value first, so that 12 is not found in 12.50; then as text, as in a serial. A
 * number without its sign is found by chance more often than by mistake, so it is matched only. */
static gboolean find_number(WeftStanding *standing, Value *value, const WeftSearch *search)
{
	WeftDecimal size = value->number;

	value->kind = WEFT_PROVENANCE_DERIVED;
	if (weft_standing_number(standing, value->number, search, &value->spot,
				 &value->readings))
		return TRUE;
	value->kind = WEFT_PROVENANCE_MATCHED;
	value->readings.n = 0;
	size.digits = -size.digits;
	return weft_standing_number(standing, size, search, &value->spot, &value->readings) ||
	       (strlen(value->text) >= INSIDE_WORD_CHARS &&
		weft_standing_text(standing, value->text, WEFT_APART_LETTER, search,
				   &value->spot));
}

static gboolean find_string(WeftStanding *standing, Value *value, const WeftSearch *search)
{
	value->kind = WEFT_PROVENANCE_DERIVED;
	if (value->is_day && weft_standing_day(standing, value->text, search, &value->spot,
					       &value->readings))
		return TRUE;
	value->readings.n = 0;
	value->kind = value->is_verbatim ? WEFT_PROVENANCE_COPIED : WEFT_PROVENANCE_MATCHED;
	if (weft_standing_text(standing, value->normal, WEFT_APART_WORD, search, &value->spot))
		return TRUE;
	if (value->is_verbatim)
		return FALSE;
	return weft_standing_text(standing, value->normal, WEFT_APART_LETTER, search,
				  &value->spot) ||
	       (weft_utf8_length(value->normal, strlen(value->normal)) >= INSIDE_WORD_CHARS &&
		weft_standing_text(standing, value->normal, WEFT_APART_NOT, search,
				   &value->spot));
}

static gboolean find_in(WeftStanding *standing, Value *value, const WeftSearch *search)
{
	return value->is_number ? find_number(standing, value, search)
				: find_string(standing, value, search);
}

/* All items; of a file with many documents those of the document that the window is of, because what another
 * one says is no evidence. */
static WeftSearch search_of_all(const Tracer *tracer, const Value *value)
{
	const GArray *windows = tracer->record->windows;
	guint32 element = value->window == 0 || value->window > windows->len
				  ? 0
				  : g_array_index(windows, WeftWindowFacts, value->window - 1).element;
	WeftSearch search = { 0, G_MAXUINT32, NULL };

	if (element == 0)
		return search;
	search = (WeftSearch){ G_MAXUINT32, 0, NULL };
	for (guint i = 0; i < windows->len; i++) {
		const WeftWindowFacts *facts = &g_array_index(windows, WeftWindowFacts, i);

		if (facts->element != element || facts->content_first == G_MAXUINT32)
			continue;
		search.content_first = MIN(search.content_first, facts->content_first);
		search.content_last = MAX(search.content_last, facts->content_last);
	}
	return search;
}

/* The items that the model was shown when it gave the value; all of them, where that is not known. */
static WeftSearch search_of(const Tracer *tracer, const Value *value)
{
	const GArray *windows = tracer->record->windows;
	WeftSearch search = search_of_all(tracer, value);

	if (value->window == 0 || value->window > windows->len)
		return search;
	const WeftWindowFacts *facts = &g_array_index(windows, WeftWindowFacts, value->window - 1);

	if (facts->content_first != G_MAXUINT32) {
		search.content_first = facts->content_first;
		search.content_last = facts->content_last;
	}
	return search;
}

/* The pointer with a star for each index: the column of a table. */
static char *column_of(const char *pointer)
{
	GString *column = g_string_new(NULL);

	for (const char *p = pointer; *p;) {
		gsize size = 1 + strcspn(p + 1, "/");
		gsize n_digits = strspn(p + 1, "0123456789");

		if (n_digits > 0 && n_digits + 1 == size)
			g_string_append(column, "/*");
		else
			g_string_append_len(column, p, (gssize)size);
		p += size;
	}
	return g_string_free(column, FALSE);
}

/* Behind what it is looked for first. In a list that is the value of the same column in the row before,
 * which comes first whether a reader goes through a table by rows or by columns; for the first row, what
 * stands before the list. Of other values only verbatim ones need to be in the order of the text. */
static const WeftSpot *spot_before(const Tracer *tracer, const Value *value)
{
	const WeftSpot *last = value->is_in_array ? g_hash_table_lookup(tracer->last, value->column) : NULL;

	if (last || !(value->is_verbatim || value->is_in_array))
		return last;
	return tracer->has_previous ? &tracer->previous : NULL;
}

static char *name_of(const WeftSpot *spot)
{
	return g_strdup_printf("%u:%" G_GSIZE_FORMAT, spot->piece, spot->first);
}

/* The first place, in a list the first that no value of a list has: a price and a total that are the
 * same have a place each. */
static gboolean find_free(Tracer *tracer, Value *value, WeftSearch search)
{
	Value first = *value;

	if (!find_in(tracer->standing, value, &search))
		return FALSE;
	first = *value;
	for (guint i = 0; value->is_in_array && i < OCCURRENCES_MAX; i++) {
		WeftSpot spot = value->spot;
		g_autofree char *name = name_of(&spot);

		if (!g_hash_table_contains(tracer->taken, name))
			return TRUE;
		search.after = &spot;
		if (!find_in(tracer->standing, value, &search) || value->kind != first.kind)
			break;
	}
	*value = first;
	return TRUE;
}

/* In the window first. */
static gboolean find_value(Tracer *tracer, Value *value)
{
	const WeftSpot *last = spot_before(tracer, value);
	WeftSearch window = search_of(tracer, value), all = { 0, G_MAXUINT32, NULL };

	window.after = all.after = last;
	if (last && find_free(tracer, value, window))
		return TRUE;
	window.after = NULL;
	if (find_free(tracer, value, window) || (last && find_free(tracer, value, all)))
		return TRUE;
	all.after = NULL;
	return find_free(tracer, value, all);
}

/* ---- evidence ---- */

static char **readings_of(const WeftReadings *readings)
{
	char **list = g_new0(char *, readings->n + 1);

	for (guint i = 0; i < readings->n; i++)
		list[i] = g_strdup(readings->values[i]);
	return list;
}

static void add_place(Tracer *tracer, const Value *value, const WeftTextPlace *place)
{
	const WeftContent *content = tracer->record->contents->pdata[place->content];
	const char *first = g_utf8_offset_to_pointer(content->text, place->char_first);
	const char *end = g_utf8_offset_to_pointer(first, place->char_end - place->char_first);
	WeftProvenance found = {
		.pointer = g_strdup(value->pointer),
		.kind = value->kind,
		.content = place->content,
		.char_first = place->char_first,
		.char_end = place->char_end,
		.quote = g_strndup(first, (gsize)(end - first)),
		.window = value->window,
		.reading = weft_content_confidence_of(content, place->char_first, place->char_end),
		.confidence = -1,
	};

	found.at = weft_content_anchor_of(content, found.char_first, found.char_end);
	found.boxes = weft_content_boxes_of(content, found.char_first, found.char_end);
	if (value->readings.n > 1)
		found.readings = readings_of(&value->readings);
	if (value->kind == WEFT_PROVENANCE_COPIED) {
		WeftSearch search = search_of(tracer, value);
		found.n_occurrences = weft_standing_count(tracer->standing, value->normal, &search,
							  OCCURRENCES_MAX);
	}
	g_array_append_val(tracer->record->provenance, found);
}

static void add_pointed(Tracer *tracer, const char *pointer, guint32 index)
{
	const WeftContent *content = tracer->record->contents->pdata[index];
	WeftProvenance pointed = {
		.pointer = g_strdup(pointer),
		.kind = WEFT_PROVENANCE_POINTED,
		.content = index,
		.char_end = weft_utf8_length(content->text, strlen(content->text)),
		.window = window_of(tracer, pointer),
		.at = g_array_index(content->anchors, WeftAnchor, 0),
		.reading = 1,
		.confidence = -1,
	};
	g_array_append_val(tracer->record->provenance, pointed);
}

/* Found nowhere: a hint, where the model looked at pixels or sound, else nothing. */
static void add_none(Tracer *tracer, const char *pointer)
{
	const WeftPointed *pointed = g_hash_table_lookup(tracer->record->value_pointed, pointer);
	WeftProvenance none = {
		.pointer = g_strdup(pointer),
		.kind = WEFT_PROVENANCE_NONE,
		.content = G_MAXUINT32,
		.window = window_of(tracer, pointer),
		.reading = 1,
		.confidence = -1,
	};

	if (pointed && pointed->is_known && pointed->kind != WEFT_SPAN_TEXT) {
		none.kind = WEFT_PROVENANCE_POINTED;
		none.content = pointed->content;
		none.at = pointed->at;
		none.attention = pointed->share;
		none.patch = pointed->patch;
	}
	g_array_append_val(tracer->record->provenance, none);
}

/* What may mean two things is not told as one of them, where null may stand in its place. */
static void doubt(Tracer *tracer, const Value *value)
{
	const WeftSchema *schema = tracer->rules->schema;
	WeftAbsent absent = { NULL, "ambiguous" };

	if (!schema || !weft_schema_place(schema, value->pointer).allows_null)
		return;
	absent.pointer = g_strdup(value->pointer);
	g_array_append_val(tracer->record->absent, absent);
	g_hash_table_add(tracer->doubted, g_strdup(value->pointer));
}

static void trace_value(Tracer *tracer, Value *value)
{
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(WeftTextPlace));

	if (!find_value(tracer, value)) {
		add_none(tracer, value->pointer);
		return;
	}
	weft_standing_places(tracer->standing, &value->spot, places);
	for (guint i = 0; i < places->len; i++)
		add_place(tracer, value, &g_array_index(places, WeftTextPlace, i));
	if (value->readings.n > 1)
		doubt(tracer, value);
	if (value->is_in_array) {
		g_hash_table_replace(tracer->last, g_strdup(value->column),
				     g_memdup2(&value->spot, sizeof(value->spot)));
		g_hash_table_add(tracer->taken, name_of(&value->spot));
	} else {
		tracer->previous = value->spot;
		tracer->has_previous = TRUE;
	}
}

/* Nothing that could stand anywhere: true, false, "", and strings that begin with a space. */
static gboolean can_stand(const char *text)
{
	return text && *text && !g_ascii_isspace(*text);
}

/* What is looked for; normal has to be freed. */
static void describe(Value *value, const WeftJson *json)
{
	const char *string = weft_json_string(json, NULL), *number = weft_json_raw_number(json);

	value->text = string ? string : number;
	if (!can_stand(value->text))
		return;
	value->normal = weft_running_text_normal(value->text, strlen(value->text));
	value->is_day = string && is_day(string);
	value->is_number = number && weft_decimal_read(number, strlen(number), &value->number);
}

static void trace_scalar(Tracer *tracer, const WeftJson *json, const char *pointer,
			 gboolean is_in_array)
{
	const WeftSchema *schema = tracer->rules->schema;
	Value value = { .pointer = pointer, .is_in_array = is_in_array,
			.window = window_of(tracer, pointer) };
	gboolean is_string = weft_json_type(json) == WEFT_JSON_STRING;
	guint32 content = 0;

	describe(&value, json);
	value.column = column_of(pointer);
	value.is_verbatim = is_string && schema && weft_schema_place(schema, pointer).is_verbatim;
	if (is_string && value.text && tracer->record->parts->len > 1 &&
	    weft_pointed_time_is(value.text)) {
		g_ptr_array_add(tracer->times, g_strdup(pointer));
		g_ptr_array_add(tracer->times, g_strdup(value.text));
	} else if (is_string && value.text &&
		   weft_pointed_time_find(tracer->record, pointer, value.text, &content))
		add_pointed(tracer, pointer, content);
	else if (value.normal && *value.normal)
		trace_value(tracer, &value);
	else
		add_none(tracer, pointer);
	g_free(value.column);
	g_free(value.normal);
}

/* Once all else has its evidence. */
static void trace_times(Tracer *tracer)
{
	for (guint i = 0; i < tracer->times->len; i += 2) {
		const char *text = tracer->times->pdata[i + 1];
		Value value = { .pointer = tracer->times->pdata[i], .text = text,
				.window = window_of(tracer, tracer->times->pdata[i]) };
		guint32 content;

		if (weft_pointed_time_find(tracer->record, value.pointer, text, &content)) {
			add_pointed(tracer, value.pointer, content);
			continue;
		}
		value.normal = weft_running_text_normal(text, strlen(text));
		trace_value(tracer, &value);
		g_free(value.normal);
	}
}

gboolean weft_value_stands_in(const WeftJson *json, const char *text)
{
	g_autoptr(GPtrArray) contents = g_ptr_array_new();
	g_autoptr(WeftContent) content = weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE,
							  g_strdup(text), (WeftAnchor){ 0 });
	const WeftSearch all = { 0, G_MAXUINT32, NULL };
	Value value = { 0 };
	gboolean stands = FALSE;

	g_ptr_array_add(contents, content);
	describe(&value, json);
	if (value.normal && *value.normal) {
		g_autoptr(WeftStanding) standing = weft_standing_new(contents, &(WeftUsage){ 0 });
		stands = find_in(standing, &value, &all);
	}
	g_free(value.normal);
	return stands;
}

static void trace_null(Tracer *tracer, const char *pointer)
{
	GHashTable *reasons = tracer->rules->reasons;
	const char *own = reasons ? g_hash_table_lookup(reasons, pointer) : NULL;
	WeftAbsent absent = { g_strdup(pointer), own ? own : tracer->rules->reason_of_null };
	g_array_append_val(tracer->record->absent, absent);
}

/* Depth is bounded by the reader's. */
static void trace_tree(Tracer *tracer, const WeftJson *value, GString *pointer,
		       gboolean is_in_array)
{
	gboolean is_array = weft_json_type(value) == WEFT_JSON_ARRAY;
	gsize n = weft_json_length(value), size = pointer->len;

	if (!is_array && weft_json_type(value) != WEFT_JSON_OBJECT) {
		if (g_hash_table_contains(tracer->known, pointer->str) ||
		    ++tracer->n_scalars > SCALARS_MAX)
			return;
		if (weft_json_type(value) == WEFT_JSON_NULL)
			trace_null(tracer, pointer->str);
		else
			trace_scalar(tracer, value, pointer->str, is_in_array);
		return;
	}
	for (gsize i = 0; i < n; i++) {
		char number[24];
		gsize key_size;
		const char *key = weft_json_key_at(value, i, &key_size);
		if (!key) {
			key_size = g_snprintf(number, sizeof(number), "%" G_GSIZE_FORMAT, i);
			key = number;
		}
		weft_json_pointer_add(pointer, key, key_size);
		trace_tree(tracer, weft_json_at(value, i), pointer, is_in_array || is_array);
		g_string_truncate(pointer, size);
	}
}

static GHashTable *known_pointers(const WeftRecord *record)
{
	GHashTable *known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < record->absent->len; i++)
		g_hash_table_add(known,
				 g_strdup(g_array_index(record->absent, WeftAbsent, i).pointer));
	for (guint i = 0; i < record->provenance->len; i++)
		g_hash_table_add(
			known,
			g_strdup(g_array_index(record->provenance, WeftProvenance, i).pointer));
	return known;
}

/* The answer again, with null where a value was doubted. */
static void write_tree(const Tracer *tracer, WeftJsonWriter *writer, const WeftJson *value,
		       GString *pointer)
{
	gboolean is_object = weft_json_type(value) == WEFT_JSON_OBJECT;
	gsize size = pointer->len;

	if (g_hash_table_contains(tracer->doubted, pointer->str)) {
		weft_json_write_null(writer);
		return;
	}
	if (!is_object && weft_json_type(value) != WEFT_JSON_ARRAY) {
		weft_json_write_tree(writer, value);
		return;
	}
	if (is_object)
		weft_json_write_object(writer);
	else
		weft_json_write_array(writer);
	for (gsize i = 0; i < weft_json_length(value); i++) {
		g_autofree char *number = g_strdup_printf("%" G_GSIZE_FORMAT, i);
		const char *key = is_object ? weft_json_key_at(value, i, NULL) : number;

		if (is_object)
			weft_json_write_key(writer, key);
		weft_json_pointer_add(pointer, key, strlen(key));
		write_tree(tracer, writer, weft_json_at(value, i), pointer);
		g_string_truncate(pointer, size);
	}
	if (is_object)
		weft_json_write_object_end(writer);
	else
		weft_json_write_array_end(writer);
}

static void settle_doubts(Tracer *tracer, const WeftJson *answer)
{
	g_autoptr(GString) pointer = g_string_new(NULL);
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	if (g_hash_table_size(tracer->doubted) > 0) {
		weft_json_writer_init(&writer, text);
		write_tree(tracer, &writer, answer, pointer);
		g_free(tracer->record->answer);
		tracer->record->answer = g_strdup(text->str);
	}
	g_string_free(text, TRUE);
}

gboolean weft_record_trace(WeftRecord *record, const WeftTraceRules *rules, GError **error)
{
	if (!record->answer)
		return TRUE;
	g_autoptr(WeftJson) answer =
		weft_json_parse(record->answer, strlen(record->answer), WEFT_JSON_STRICT, error);
	if (!answer) {
		g_prefix_error(error, "answer: ");
		return FALSE;
	}
	Tracer tracer = {
		.record = record,
		.rules = rules,
		.standing = weft_standing_new(record->contents, &rules->usage),
		.last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.known = known_pointers(record),
		.doubted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.times = g_ptr_array_new_with_free_func(g_free),
	};
	g_autoptr(GString) pointer = g_string_new(NULL);
	trace_tree(&tracer, answer, pointer, FALSE);
	trace_times(&tracer);
	settle_doubts(&tracer, answer);
	weft_standing_free(tracer.standing);
	g_hash_table_unref(tracer.last);
	g_hash_table_unref(tracer.taken);
	g_hash_table_unref(tracer.known);
	g_hash_table_unref(tracer.doubted);
	g_ptr_array_unref(tracer.times);
	return TRUE;
}
