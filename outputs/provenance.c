#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "outputs/record.h"

/* Values that are looked for; the rest of a huge answer gets no evidence. */
#define SCALARS_MAX 10000
/* Digits of a number in a document; longer runs are serial numbers, found as text. */
#define NUMBER_BYTES_MAX 40
/* A value this long is looked for inside words too: scripts without spaces have no word ends. */
#define INSIDE_WORD_CHARS 3

/* Bytes [first, end) of a content's text. */
typedef struct Place {
	guint32 content;
	gsize first, end;
} Place;

/* A number as it stands in a text, in its possible readings: 1.234 is 1234 in some places. */
typedef struct Figure {
	Place place;
	double readings[2];
	gsize n_readings;
} Figure;

typedef struct Tracer {
	WeftRecord *record;
	const char *reason_of_null;
	GArray *figures;     /* Figure, in order; NULL until a number is looked for */
	GHashTable *last;    /* value inside an array -> Place of its last match */
	GHashTable *known;   /* pointers that have a reason or evidence already */
	gsize n_scalars;
} Tracer;

/* ---- text ---- */

static gboolean is_word_at(const char *text, const char *p)
{
	return p >= text && *p && g_unichar_isalnum(g_utf8_get_char(p));
}

/* No word goes on over either end of [p, end). */
static gboolean is_apart(const char *text, const char *p, const char *end)
{
	const char *before = p > text ? g_utf8_find_prev_char(text, p) : NULL;
	const char *last = g_utf8_find_prev_char(text, end);
	if (before && is_word_at(text, before) && is_word_at(text, p))
		return FALSE;
	return !(last && is_word_at(text, last) && is_word_at(text, end));
}

/* The value begins at p: its end in the text, or NULL. White space matches white space of any
 * length, because lines break where the value has a space. */
static const char *match_at(const char *p, const char *value)
{
	while (*value) {
		if (g_ascii_isspace(*value)) {
			if (!g_ascii_isspace(*p))
				return NULL;
			while (g_ascii_isspace(*value))
				value++;
			while (g_ascii_isspace(*p))
				p++;
		} else if (*p++ != *value++) {
			return NULL;
		}
	}
	return p;
}

static gboolean find_in(const WeftContent *content, gsize from, const char *value,
			gboolean needs_apart, Place *place)
{
	const char *text = content->text;
	gsize n_lead = strcspn(value, " \t\n\r\f\v"); /* searched fast, the rest compared */
	gsize size = strlen(text);

	for (const char *p = text + MIN(from, size); (p = memmem(p, text + size - p, value, n_lead));
	     p++) {
		const char *end = match_at(p, value);
		if (!end || (needs_apart && !is_apart(text, p, end)))
			continue;
		place->first = p - text;
		place->end = end - text;
		return TRUE;
	}
	return FALSE;
}

static gboolean is_shown(const WeftContent *content)
{
	return content->text && !content->hidden;
}

/* The first place behind `after` (NULL: the first of all) where the text stands. */
static gboolean find_text(const Tracer *tracer, const char *value, gboolean needs_apart,
			  const Place *after, Place *ret_place)
{
	const GPtrArray *contents = tracer->record->contents;
	for (guint32 i = after ? after->content : 0; i < contents->len; i++) {
		const WeftContent *content = contents->pdata[i];
		gsize from = after && i == after->content ? after->end : 0;
		Place place = { .content = i };
		if (is_shown(content) && find_in(content, from, value, needs_apart, &place)) {
			*ret_place = place;
			return TRUE;
		}
	}
	return FALSE;
}

/* ---- numbers ---- */

static gboolean is_mark(char c)
{
	return c == '.' || c == ',' || c == '\'';
}

/* Reads digits with `grouping` between groups of three and one `point`. */
static gboolean read_figure(const char *text, gsize size, char grouping, char point,
			    double *ret_value)
{
	char plain[NUMBER_BYTES_MAX + 1];
	gsize n = 0, n_digits = 0;
	gboolean is_grouped = FALSE, has_point = FALSE;

	for (gsize i = 0; i < size; i++) {
		char c = text[i];
		if (g_ascii_isdigit(c)) {
			n_digits++;
			plain[n++] = c;
		} else if ((c == grouping || (c == '\'' && grouping != point)) && !has_point) {
			if (is_grouped ? n_digits != 3 : n_digits > 3)
				return FALSE;
			is_grouped = TRUE;
			n_digits = 0;
		} else if (c == point && !has_point) {
			if (is_grouped && n_digits != 3)
				return FALSE;
			has_point = TRUE;
			plain[n++] = '.';
		} else {
			return FALSE;
		}
	}
	if (is_grouped && !has_point && n_digits != 3)
		return FALSE;
	plain[n] = '\0';
	*ret_value = g_ascii_strtod(plain, NULL);
	return TRUE;
}

static void add_figures(GArray *figures, const WeftContent *content, guint32 index)
{
	const char *text = content->text;
	for (const char *p = text; *p;) {
		if (!g_ascii_isdigit(*p)) {
			p++;
			continue;
		}
		const char *begin = p;
		while (g_ascii_isdigit(*p) || (is_mark(*p) && g_ascii_isdigit(p[1])))
			p++;
		Figure figure = { .place = { index, begin - text, p - text } };
		gsize size = p - begin;
		const char *before = begin > text ? g_utf8_find_prev_char(text, begin) : NULL;
		if (size > NUMBER_BYTES_MAX || (before && is_word_at(text, before)))
			continue;
		if (read_figure(begin, size, ',', '.', &figure.readings[figure.n_readings]))
			figure.n_readings++;
		if (read_figure(begin, size, '.', ',', &figure.readings[figure.n_readings]))
			figure.n_readings++;
		g_array_append_val(figures, figure);
	}
}

static void collect_figures(Tracer *tracer)
{
	const GPtrArray *contents = tracer->record->contents;
	tracer->figures = g_array_new(FALSE, FALSE, sizeof(Figure));
	for (guint32 i = 0; i < contents->len; i++)
		if (is_shown(contents->pdata[i]))
			add_figures(tracer->figures, contents->pdata[i], i);
}

static gboolean is_behind(const Place *place, const Place *after)
{
	if (place->content != after->content)
		return place->content > after->content;
	return place->first >= after->end;
}

static gboolean find_number(Tracer *tracer, double value, const Place *after, Place *ret_place)
{
	if (!tracer->figures)
		collect_figures(tracer);
	for (guint i = 0; i < tracer->figures->len; i++) {
		const Figure *figure = &g_array_index(tracer->figures, Figure, i);
		if (after && !is_behind(&figure->place, after))
			continue;
		for (gsize k = 0; k < figure->n_readings; k++) {
			if (figure->readings[k] == fabs(value)) {
				*ret_place = figure->place;
				return TRUE;
			}
		}
	}
	return FALSE;
}

/* ---- the walk ---- */

/* A number by its value first, so that 12 is not found in 12.50; then as text, as in a date. */
static gboolean find_scalar(Tracer *tracer, const WeftJson *value, const char *text,
			    const Place *after, Place *ret_place)
{
	double number;
	if (weft_json_double(value, &number) && find_number(tracer, number, after, ret_place))
		return TRUE;
	if (find_text(tracer, text, TRUE, after, ret_place))
		return TRUE;
	return weft_json_type(value) == WEFT_JSON_STRING &&
	       weft_utf8_length(text, strlen(text)) >= INSIDE_WORD_CHARS &&
	       find_text(tracer, text, FALSE, after, ret_place);
}

/* ---- times ---- */

/* "00:12:34", as a marker tells it; FALSE: it is something else. */
static gboolean read_marker(const char *text, double *ret_time_s)
{
	static const char form[] = "99:59:59"; /* the highest digits */

	for (gsize i = 0; i < sizeof(form); i++)
		if (g_ascii_isdigit(form[i]) ? text[i] < '0' || text[i] > form[i] : text[i] != form[i])
			return FALSE;
	*ret_time_s = g_ascii_strtoull(text, NULL, 10) * 3600.0 +
		      g_ascii_strtoull(text + 3, NULL, 10) * 60.0 +
		      g_ascii_strtoull(text + 6, NULL, 10);
	return TRUE;
}

/* What begins in the block of time to which a value points: speech before anything else. */
static gboolean find_time(const Tracer *tracer, const char *text, guint32 *ret_content)
{
	const GPtrArray *contents = tracer->record->contents;
	WeftAnchor wanted = { .has_time = TRUE };
	gboolean is_found = FALSE;

	if (!read_marker(text, &wanted.time[0]))
		return FALSE;
	for (guint32 i = 0; i < contents->len; i++) {
		const WeftContent *content = contents->pdata[i];
		const WeftAnchor *at = &g_array_index(content->anchors, WeftAnchor, 0);

		if (!is_shown(content) || !at->has_time ||
		    weft_anchor_block(at) != weft_anchor_block(&wanted))
			continue;
		if (!is_found || content->kind == WEFT_CONTENT_SPEECH)
			*ret_content = i;
		is_found = TRUE;
		if (content->kind == WEFT_CONTENT_SPEECH)
			break;
	}
	return is_found;
}

static guint32 window_of(const Tracer *tracer, const char *pointer)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(tracer->record->value_windows, pointer));
}

/* In what the model was shown when it gave the value, behind `after` (or NULL). */
static gboolean find_in_window(Tracer *tracer, const WeftJson *value, const char *text,
			       guint32 window, const Place *after, Place *ret_place)
{
	const GArray *windows = tracer->record->windows;
	Place place = { .content = 0 };

	if (window == 0 || window > windows->len)
		return FALSE;
	const WeftWindowFacts *facts = &g_array_index(windows, WeftWindowFacts, window - 1);
	Place first = { .content = facts->content_first };

	if (!after || is_behind(&first, after))
		after = &first;
	if (facts->content_first == G_MAXUINT32 ||
	    !find_scalar(tracer, value, text, after, &place) || place.content > facts->content_last)
		return FALSE;
	*ret_place = place;
	return TRUE;
}

static void add_match(Tracer *tracer, const char *pointer, const Place *place)
{
	const WeftContent *content = tracer->record->contents->pdata[place->content];
	WeftProvenance found = {
		.pointer = g_strdup(pointer),
		.kind = WEFT_PROVENANCE_MATCHED,
		.content = place->content,
		.char_first = weft_utf8_length(content->text, place->first),
		.char_end = weft_utf8_length(content->text, place->end),
		.quote = g_strndup(content->text + place->first, place->end - place->first),
		.window = window_of(tracer, pointer),
		.confidence = -1,
	};
	found.at = weft_content_anchor_of(content, found.char_first, found.char_end);
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
		.confidence = -1,
	};
	g_array_append_val(tracer->record->provenance, pointed);
}

static void add_none(Tracer *tracer, const char *pointer)
{
	WeftProvenance none = {
		.pointer = g_strdup(pointer),
		.kind = WEFT_PROVENANCE_NONE,
		.content = G_MAXUINT32,
		.window = window_of(tracer, pointer),
		.confidence = -1,
	};
	g_array_append_val(tracer->record->provenance, none);
}

static void trace_scalar(Tracer *tracer, const WeftJson *value, const char *pointer,
			 gboolean is_in_array)
{
	const char *text = weft_json_string(value, NULL);
	Place place;

	if (!text)
		text = weft_json_raw_number(value);
	/* Nothing that could stand anywhere: true, false, "", and strings that begin with a space. */
	if (!text || !*text || g_ascii_isspace(*text)) {
		add_none(tracer, pointer);
		return;
	}
	guint32 content = 0;

	if (weft_json_type(value) == WEFT_JSON_STRING && find_time(tracer, text, &content)) {
		add_pointed(tracer, pointer, content);
		return;
	}
	/* A list that names a value twice means two places, where there are two. */
	const Place *after = is_in_array ? g_hash_table_lookup(tracer->last, text) : NULL;
	guint32 window = window_of(tracer, pointer);

	if (!(after && find_in_window(tracer, value, text, window, after, &place)) &&
	    !find_in_window(tracer, value, text, window, NULL, &place) &&
	    !(after && find_scalar(tracer, value, text, after, &place)) &&
	    !find_scalar(tracer, value, text, NULL, &place)) {
		add_none(tracer, pointer);
		return;
	}
	add_match(tracer, pointer, &place);
	if (is_in_array)
		g_hash_table_replace(tracer->last, g_strdup(text), g_memdup2(&place, sizeof(place)));
}

static void trace_null(Tracer *tracer, const char *pointer)
{
	WeftAbsent absent = { g_strdup(pointer), tracer->reason_of_null };
	g_array_append_val(tracer->record->absent, absent);
}

/* Depth is bounded by the reader's. */
static void trace_value(Tracer *tracer, const WeftJson *value, GString *pointer,
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
		trace_value(tracer, weft_json_at(value, i), pointer, is_in_array || is_array);
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

gboolean weft_record_trace(WeftRecord *record, const char *reason_of_null, GError **error)
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
		.reason_of_null = reason_of_null,
		.last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.known = known_pointers(record),
	};
	g_autoptr(GString) pointer = g_string_new(NULL);
	trace_value(&tracer, answer, pointer, FALSE);
	g_clear_pointer(&tracer.figures, g_array_unref);
	g_hash_table_unref(tracer.last);
	g_hash_table_unref(tracer.known);
	return TRUE;
}
